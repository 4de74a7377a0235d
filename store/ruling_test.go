package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

func rule(t *testing.T, db *store.DB, at time.Time, r store.Ruling) store.Ruling {
	t.Helper()
	r.Who, r.At = "lan", at
	done, err := db.Rule(t.Context(), r, sameTitle{})
	if err != nil {
		t.Fatalf("%s: %v", r.Verb, err)
	}
	return done
}

// feedOf is what a feed shows: each story with the headline quoted, and what
// is gone, newest first.
func feedOf(t *testing.T, db *store.DB, q store.Query) string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	w, err := db.Window(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range w.Stories {
		all = append(all, s.Quoted.Outlet+" "+s.Quoted.Title)
	}
	for _, g := range w.Gone {
		all = append(all, "-"+g.Why)
	}
	return strings.Join(all, ", ")
}

func idOf(t *testing.T, db *store.DB, title string) string {
	t.Helper()
	for _, s := range stories(t, db, store.Query{Order: store.ByPublished}) {
		if s.Quoted.Title == title {
			return s.ID
		}
	}
	t.Fatalf("no story %q", title)
	return ""
}

func redirectsTo(t *testing.T, db *store.DB, id, want string) {
	t.Helper()
	s, err := db.Story(t.Context(), id)
	if err != nil || s.ID != want {
		t.Errorf("story %s leads to %q, %v; want %s", id, s.ID, err, want)
	}
}

// Two listed stories become one: the older entry stays as it is, the younger
// id redirects, nothing new appears; the undoing brings the younger back to
// where it stood.
func TestMergeAndUnmerge(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 3)
		for i, title := range []string{"Một", "Hai", "Ba"} {
			o := fmt.Sprintf("o%d", i)
			record(t, db, o+"-home", now.Add(time.Duration(i)*time.Minute), article(o, title, now))
		}
		one, two := idOf(t, db, "Một"), idOf(t, db, "Hai")
		before, _ := db.Story(t.Context(), two)
		at := now.Add(time.Hour)
		if merged, err := db.MergeByItself(t.Context(), two, one, at, sameTitle{}); !merged || err != nil {
			t.Fatalf("merged %v, %v", merged, err)
		}
		if got, want := feedOf(t, db, store.Query{}), "o2 Ba, o0 Một, -merged"; got != want {
			t.Errorf("after the merge: %s, want %s", got, want)
		}
		redirectsTo(t, db, two, one)
		if copies, err := db.Copies(t.Context(), one); err != nil || len(copies) != 2 || copies[1].Merge.Reason != "text" {
			t.Errorf("copies %+v, %v", copies, err)
		}
		ledger, err := db.Rulings(t.Context(), store.RulingQuery{Story: two, Limit: 10})
		if err != nil || len(ledger) != 1 || ledger[0].Who != "" || ledger[0].Story != one || len(ledger[0].Items) != 1 {
			t.Fatalf("ledger %+v, %v", ledger, err)
		}
		// The source publishes it again: nothing comes back.
		if c := record(t, db, "o1-home", at.Add(time.Minute), article("o1", "Hai", now)); c.Same != 1 {
			t.Errorf("published again: %+v", c)
		}
		undo := rule(t, db, at.Add(2*time.Minute), store.Ruling{Verb: store.RuleUnmerge, Story: two})
		if got, want := feedOf(t, db, store.Query{}), "o2 Ba, o1 Hai, o0 Một"; got != want {
			t.Errorf("after the undoing: %s, want %s", got, want)
		}
		if after, err := db.Story(t.Context(), two); err != nil || !after.Listed.Equal(before.Listed) || !after.Shown.Equal(before.Shown) {
			t.Errorf("came back as %+v, %v; was %+v", after, err, before)
		}
		if copies, _ := db.Copies(t.Context(), two); len(copies) != 1 || copies[0].Merge.Reason != "first" {
			t.Errorf("its reason is %+v", copies)
		}
		if merged, err := db.MergeByItself(t.Context(), two, one, at.Add(time.Hour), sameTitle{}); merged || err != nil {
			t.Errorf("what was ruled apart merged by itself: %v, %v", merged, err)
		}
		_, err = db.Rule(t.Context(), store.Ruling{Who: "lan", At: at, Verb: store.RuleUnmerge, Undoes: undo.Undoes}, sameTitle{})
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "already undone") {
			t.Errorf("undone twice: %v", err)
		}
		// An editor may think otherwise again.
		rule(t, db, at.Add(2*time.Hour), store.Ruling{Verb: store.RuleMerge, Story: one, Other: two})
		redirectsTo(t, db, two, one)
	})
}

// What is kept from one story is kept from those it becomes part of.
func TestApartIsInherited(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		for i, title := range []string{"Một", "Hai", "Ba"} {
			record(t, db, "o0-home", now.Add(time.Duration(i)*time.Minute), article("o0", title, now))
		}
		one, two, three := idOf(t, db, "Một"), idOf(t, db, "Hai"), idOf(t, db, "Ba")
		at := now.Add(time.Hour)
		rule(t, db, at, store.Ruling{Verb: store.RuleMerge, Story: two, Other: three})
		rule(t, db, at, store.Ruling{Verb: store.RuleUnmerge, Story: three})
		if merged, err := db.MergeByItself(t.Context(), two, one, at, sameTitle{}); !merged || err != nil {
			t.Fatal(merged, err)
		}
		if merged, err := db.MergeByItself(t.Context(), one, three, at, sameTitle{}); merged || err != nil {
			t.Errorf("one, which two is part of, took in three: %v", err)
		}
		rule(t, db, at, store.Ruling{Verb: store.RuleUnmerge, Story: two})
		if merged, err := db.MergeByItself(t.Context(), one, three, at, sameTitle{}); !merged || err != nil {
			t.Errorf("what is no longer inherited holds: %v", err)
		}
	})
}

// A story that was never listed under its own id comes out once.
func TestSplit(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 4)
		for i := range 3 {
			o := fmt.Sprintf("o%d", i)
			record(t, db, o+"-home", now.Add(time.Duration(i)*time.Minute), article(o, "Bài chung", now.Add(time.Duration(i)*time.Minute)))
		}
		record(t, db, "o3-home", now.Add(time.Hour), article("o3", "Bài khác", now))
		id := idOf(t, db, "Bài chung")
		copies, err := db.Copies(t.Context(), id)
		if err != nil || len(copies) != 3 {
			t.Fatal(copies, err)
		}
		at := now.Add(2 * time.Hour)
		// The one quoted stays where readers have seen it, although it is named.
		r := rule(t, db, at, store.Ruling{Verb: store.RuleSplit, Story: id, Items: []int64{copies[0].Item.ID, copies[1].Item.ID}})
		if len(r.Items) != 1 || r.Items[0] != copies[2].Item.ID || r.Story != id {
			t.Errorf("ruling %+v", r)
		}
		if got, want := feedOf(t, db, store.Query{}), "o2 Bài chung, o3 Bài khác, o0 Bài chung"; got != want {
			t.Errorf("after the split: %s, want %s", got, want)
		}
		if merged, err := db.MergeByItself(t.Context(), id, r.Other, at, sameTitle{}); merged || err != nil {
			t.Errorf("what was split merged by itself: %v", err)
		}
		if c := record(t, db, "o2-home", at.Add(time.Minute), article("o2", "Bài chung", now.Add(2*time.Minute))); c.Same != 1 || c.Listed != 0 {
			t.Errorf("published again: %+v", c)
		}
		rule(t, db, at.Add(time.Hour), store.Ruling{Verb: store.RuleMerge, Story: id, Other: r.Other})
		redirectsTo(t, db, r.Other, id)
		// Split again, it has its old id and its old place.
		again := rule(t, db, at.Add(2*time.Hour), store.Ruling{Verb: store.RuleSplit, Story: id, Items: r.Items})
		if again.Other != r.Other {
			t.Errorf("split off as %s, was %s", again.Other, r.Other)
		}
		if got, want := feedOf(t, db, store.Query{}), "o2 Bài chung, o3 Bài khác, o0 Bài chung"; got != want {
			t.Errorf("after the second split: %s, want %s", got, want)
		}
	})
}

func TestPin(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 3)
		for i := range 3 {
			o := fmt.Sprintf("o%d", i)
			record(t, db, o+"-home", now.Add(time.Duration(i)*time.Minute), article(o, "Bài chung", now.Add(time.Duration(i)*time.Minute)))
		}
		before := stories(t, db, store.Query{})[0]
		copies, _ := db.Copies(t.Context(), before.ID)
		r := rule(t, db, now.Add(time.Hour), store.Ruling{Verb: store.RulePin, Story: before.ID, Items: []int64{copies[2].Item.ID}})
		after := stories(t, db, store.Query{})[0]
		if after.Original.Outlet != "o2" || after.Quoted.ID != before.Quoted.ID || !after.Updated.After(before.Updated) || !after.Listed.Equal(before.Listed) {
			t.Errorf("pinned: %+v", after)
		}
		rule(t, db, now.Add(2*time.Hour), store.Ruling{Verb: store.RuleRestore, Undoes: r.ID})
		if after := stories(t, db, store.Query{})[0]; after.Original.Outlet != "o0" {
			t.Errorf("unpinned: %+v", after)
		}
	})
}

// Hidden is hidden whatever its outlets do with it, and what comes back is not
// new.
func TestHideAndTakedown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		down  func(id string, item int64) store.Ruling
		copy  string // what a later copy of another outlet shows
		later string // with that copy, once restored
	}{
		{"hide", func(id string, _ int64) store.Ruling { return store.Ruling{Verb: store.RuleHide, Story: id} }, "o1 Ở lại, -withdrawn", "o1 Ở lại, o0 Bị gỡ"},
		{"takedown of a story", func(id string, _ int64) store.Ruling {
			return store.Ruling{Verb: store.RuleTakedown, Story: id, Why: "toà án"}
		}, "o1 Ở lại, -withdrawn", "o1 Ở lại, o0 Bị gỡ"},
		{"takedown of an article", func(_ string, item int64) store.Ruling {
			return store.Ruling{Verb: store.RuleTakedown, Items: []int64{item}, Why: "báo yêu cầu"}
		}, "o2 Bị gỡ, o1 Ở lại, -withdrawn", "o2 Bị gỡ, o1 Ở lại, o0 Bị gỡ"},
		{"takedown of an outlet", func(string, int64) store.Ruling {
			return store.Ruling{Verb: store.RuleTakedown, Outlet: "o0", Why: "báo yêu cầu"}
		}, "o1 Ở lại, o2 Bị gỡ", "o1 Ở lại, o2 Bị gỡ"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			engines(t, func(t *testing.T, open func() *store.DB) {
				db := open()
				sync1(t, db, 3)
				gone := article("o0", "Bị gỡ", now)
				record(t, db, "o0-home", now, gone)
				record(t, db, "o1-home", now.Add(time.Minute), article("o1", "Ở lại", now))
				id := idOf(t, db, "Bị gỡ")
				before, _ := db.Story(t.Context(), id)
				rev, _ := db.Revision(t.Context(), store.Selection{Day: "2024-11-05"})
				at := now.Add(time.Hour)
				r := rule(t, db, at, tt.down(id, before.Quoted.ID))
				if got, want := feedOf(t, db, store.Query{}), "o1 Ở lại, -withdrawn"; got != want {
					t.Errorf("taken down: %s, want %s", got, want)
				}
				if again, _ := db.Revision(t.Context(), store.Selection{Day: "2024-11-05"}); again.N <= rev.N {
					t.Error("the day's revision did not rise")
				}
				if _, err := db.Story(t.Context(), id); err == nil {
					t.Error("its page still answers")
				}
				if it, err := db.Item(t.Context(), before.Quoted.ID); err == nil {
					t.Errorf("its item still answers: %+v", it)
				}
				// It comes again, unchanged, edited and under another guid.
				edited := gone
				edited.Aliases, edited.Fingerprint = []string{"guid:o0-home:other", gone.Aliases[1]}, 77
				for i, it := range []store.Item{gone, edited} {
					record(t, db, "o0-home", at.Add(time.Duration(i+1)*time.Minute), it)
				}
				if due, _ := db.Checks(t.Context(), at.Add(time.Hour), time.Minute, 10); len(due) > 0 {
					t.Errorf("its outlet is asked whether it is back: %+v", due)
				}
				if got, want := feedOf(t, db, store.Query{}), "o1 Ở lại, -withdrawn"; got != want {
					t.Errorf("published again: %s, want %s", got, want)
				}
				record(t, db, "o2-home", at.Add(time.Hour), article("o2", "Bị gỡ", at))
				if got := feedOf(t, db, store.Query{}); got != tt.copy {
					t.Errorf("copied: %s, want %s", got, tt.copy)
				}
				if _, err := db.Rule(t.Context(), store.Ruling{Who: "x", At: at, Verb: r.Verb, Story: r.Story, Items: r.Items, Outlet: r.Outlet, Why: "y"}, sameTitle{}); !errors.Is(err, store.ErrRefused) {
					t.Errorf("taken down twice: %v", err)
				}
				back := store.Ruling{Verb: store.RuleRestore, Story: r.Story, Outlet: r.Outlet}
				if r.Outlet != "" {
					back.Story = ""
				}
				rule(t, db, at.Add(2*time.Hour), back)
				if got := feedOf(t, db, store.Query{}); got != tt.later {
					t.Errorf("restored: %s, want %s", got, tt.later)
				}
				if after, err := db.Story(t.Context(), id); err != nil || !after.Listed.Equal(before.Listed) {
					t.Errorf("restored %+v, %v", after, err)
				}
			})
		})
	}
}

// What is taken down of an outlet stays down for what comes later, too.
func TestTakedownOfAnOutletLasts(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		rule(t, db, now, store.Ruling{Verb: store.RuleTakedown, Outlet: "o0", Why: "x"})
		record(t, db, "o0-home", now.Add(time.Minute), article("o0", "Đến sau", now))
		o, s := outlets(2)
		if err := db.Sync(t.Context(), o, s); err != nil { // a restart
			t.Fatal(err)
		}
		if n, err := db.List(t.Context(), now.Add(time.Hour), 10, sameTitle{}); len(n) != 0 || err != nil {
			t.Errorf("listed %d, %v", n, err)
		}
		rule(t, db, now.Add(2*time.Hour), store.Ruling{Verb: store.RuleRestore, Outlet: "o0"})
		if n, err := db.List(t.Context(), now.Add(3*time.Hour), 10, sameTitle{}); len(n) != 1 || err != nil {
			t.Errorf("listed %d after the restoring, %v", n, err)
		}
	})
}

func TestRuledTopics(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		a := article("o0", "Một bài", now)
		record(t, db, "o0-home", now, a)
		id := idOf(t, db, "Một bài")
		in := func(topic store.Topic) bool {
			return len(stories(t, db, store.Query{Selection: store.Selection{Topics: []store.Topic{topic}}})) == 1
		}
		r := rule(t, db, now.Add(time.Minute), store.Ruling{Verb: store.RuleTopic, Story: id, Topics: []string{"+the-thao", "-xa-hoi"}})
		if !in("the-thao") || in("xa-hoi") || !in("kinh-te") {
			t.Error("the ruling has no effect on listings")
		}
		edited := a
		edited.Fingerprint++
		record(t, db, "o0-home", now.Add(2*time.Minute), edited)
		if s, _ := db.Story(t.Context(), id); !slices.Equal(s.Topics, []store.Topic{"kinh-te", "the-thao"}) {
			t.Errorf("topics %v after an edit", s.Topics)
		}
		if got := feedOf(t, db, store.Query{Selection: store.Selection{Topics: []store.Topic{"xa-hoi"}}}); got != "" {
			t.Errorf("the topic it left says %s", got)
		}
		rule(t, db, now.Add(3*time.Minute), store.Ruling{Verb: store.RuleRestore, Undoes: r.ID})
		if in("the-thao") || !in("xa-hoi") {
			t.Error("the ruling holds after it was undone")
		}
	})
}
