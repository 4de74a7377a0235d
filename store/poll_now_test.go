package store_test

import (
	"errors"
	"testing"
	"time"

	"diemtin/store"
)

func TestPollNow(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, s := outlets(3)
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		settle := func(id string, outcome store.Outcome) {
			r := refresh(t, db, id, now)
			r.Settle = func(store.Changes) store.SourceState {
				return store.SourceState{Visited: true, Outcome: outcome, LastTry: now, NextAt: now.Add(time.Hour)}
			}
			if _, err := db.Record(t.Context(), r, sameTitle{}); err != nil {
				t.Fatal(err)
			}
		}
		settle("o0-home", store.Unchanged)
		settle("o1-home", store.Throttled)
		if err := db.Sync(t.Context(), o[:2], s[:2]); err != nil {
			t.Fatal(err)
		}
		at := now.Add(time.Minute)
		for _, tt := range []struct {
			name, who, source string
			want              error
		}{
			{"due at once", "lan", "o0-home", nil},
			{"asked to be left alone", "lan", "o1-home", store.ErrRefused},
			{"no longer configured", "lan", "o2-home", store.ErrRefused},
			{"no such source", "lan", "o9-home", store.ErrNotFound},
			{"nobody asks", "", "o0-home", store.ErrRefused},
		} {
			if _, err := db.PollNow(t.Context(), tt.who, tt.source, "thử", at); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		due, err := db.Due(t.Context(), store.Claim{Now: at, Lease: time.Minute, By: "x", Limit: 10})
		if err != nil || len(due) != 1 || due[0].ID != "o0-home" {
			t.Errorf("due are %+v, %v", due, err)
		}
		all, err := db.Rulings(t.Context(), store.RulingQuery{Limit: 10})
		if err != nil || len(all) != 1 || all[0].Verb != store.RulePoll || all[0].Who != "lan" || all[0].Outlet != "o0" || all[0].Why != "source o0-home: thử" {
			t.Errorf("the ledger has %+v, %v", all, err)
		}
	})
}
