package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

func TestRefusedRulings(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Một", now))
		record(t, db, "o1-home", now, article("o1", "Hai", now))
		one, two := idOf(t, db, "Một"), idOf(t, db, "Hai")
		s, _ := db.Story(t.Context(), two)
		typo := one[:10] + "000"
		for _, tt := range []struct {
			name string
			r    store.Ruling
			kind error
			want string
		}{
			{"itself", store.Ruling{Verb: store.RuleMerge, Story: one, Other: one}, store.ErrRefused, "cannot be merged with itself"},
			{"a typo", store.Ruling{Verb: store.RuleMerge, Story: one, Other: typo}, store.ErrNotFound, "the nearest is " + one + " (Một)"},
			{"no story", store.Ruling{Verb: store.RuleHide}, store.ErrRefused, "which story?"},
			{"an item of another story", store.Ruling{Verb: store.RulePin, Story: one, Items: []int64{s.Quoted.ID}}, store.ErrRefused, "not in story " + one + " but in " + two},
			{"no such item", store.Ruling{Verb: store.RuleSplit, Story: one, Items: []int64{999}}, store.ErrNotFound, "item 999"},
			{"all of it", store.Ruling{Verb: store.RuleSplit, Story: two, Items: []int64{s.Quoted.ID}}, store.ErrRefused, "nothing would be left"},
			{"no reason", store.Ruling{Verb: store.RuleTakedown, Story: one}, store.ErrRefused, "say why"},
			{"not hidden", store.Ruling{Verb: store.RuleRestore, Story: one}, store.ErrRefused, "neither hidden nor taken down"},
			{"not merged", store.Ruling{Verb: store.RuleUnmerge, Story: one}, store.ErrRefused, "no merge of story " + one},
			{"no such outlet", store.Ruling{Verb: store.RuleTakedown, Outlet: "ox", Why: "x"}, store.ErrNotFound, "outlet ox"},
			{"no such ruling", store.Ruling{Verb: store.RuleRestore, Undoes: 99}, store.ErrNotFound, "ruling 99"},
			{"no topic", store.Ruling{Verb: store.RuleTopic, Story: one, Topics: []string{"kinh-te"}}, store.ErrRefused, "want +TOPIC or -TOPIC"},
			{"unknown verb", store.Ruling{Verb: "delete", Story: one}, store.ErrRefused, "unknown verb"},
		} {
			tt.r.Who, tt.r.At = "lan", now
			_, err := db.Rule(t.Context(), tt.r, sameTitle{})
			if !errors.Is(err, tt.kind) || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("%s: %v, want %v: %s", tt.name, err, tt.kind, tt.want)
			}
		}
		if all, err := db.Rulings(t.Context(), store.RulingQuery{Limit: 10}); err != nil || len(all) != 0 {
			t.Errorf("what was refused stands in the ledger: %+v, %v", all, err)
		}
	})
}

func TestAdd(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		it := article("o0", "Thông báo", now)
		r := store.Ruling{Who: "lan", At: now, Outlet: "o0"}
		done, err := db.Add(t.Context(), r, it, sameTitle{})
		if err != nil || done.Verb != store.RuleAdd || len(done.Items) != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		if got := feedOf(t, db, store.Query{}); got != "o0 Thông báo" {
			t.Errorf("feed %s", got)
		}
		if _, err := db.Add(t.Context(), r, it, sameTitle{}); !errors.Is(err, store.ErrRefused) {
			t.Errorf("added twice: %v", err)
		}
		// The outlet's own feed brings it too: one item, one story.
		if c := record(t, db, "o0-home", now.Add(time.Minute), it); c.New != 0 || c.Carried != 1 {
			t.Errorf("its feed: %+v", c)
		}
		r.Outlet = "nobody"
		if _, err := db.Add(t.Context(), r, it, sameTitle{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}
