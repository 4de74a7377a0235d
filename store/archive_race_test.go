package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// While items come in, editors hide and restore, and several replicas seal at
// once, nothing falls between two documents, and nothing hidden is sealed.
func TestSealingWhileAllElseHappens(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 3)
		const visits = 40
		var work, sealers sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			sealers.Go(func() {
				for {
					for _, scope := range []string{"all", "topic:kinh-te"} {
						if _, err := db.Seal(t.Context(), scope, now.Add(time.Hour), writeLines); err != nil {
							t.Errorf("seal: %v", err)
						}
					}
					_, stale, err := db.ArchivesDue(t.Context(), now)
					if err != nil {
						t.Error(err)
					}
					for _, k := range stale {
						if err := db.Reseal(t.Context(), k, rewriteLines); err != nil {
							t.Errorf("seal anew: %v", err)
						}
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for o := range 3 {
			work.Go(func() {
				for n := range visits {
					var items []store.Item
					for i := range 5 {
						items = append(items, article(fmt.Sprint("o", o), fmt.Sprintf("Bài %d của lần %d ở o%d", i, n, o), now))
					}
					r := refresh(t, db, fmt.Sprintf("o%d-home", o), now, items...)
					r.Source.State.Visited = true
					if _, err := db.Record(t.Context(), r, sameTitle{}); err != nil {
						t.Errorf("record: %v", err)
					}
				}
			})
		}
		work.Go(func() {
			for n := range visits {
				for _, s := range stories(t, db, store.Query{Limit: 3}) {
					verb := store.RuleHide
					_, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: now, Verb: verb, Story: s.ID}, sameTitle{})
					if err == nil && n%2 == 0 {
						_, err = db.Rule(t.Context(), store.Ruling{Who: "lan", At: now, Verb: store.RuleRestore, Story: s.ID}, sameTitle{})
					}
					if err != nil && !errors.Is(err, store.ErrRefused) {
						t.Errorf("rule: %v", err)
					}
				}
			}
		})
		work.Wait()
		close(done)
		sealers.Wait()
		for scope, sel := range map[string]store.Selection{"all": {}, "topic:kinh-te": {Topics: []store.Topic{"kinh-te"}}} {
			ledgerOf{}.check(t, db, scope, sel, now.Add(48*time.Hour), scope)
		}
		if n := len(everything(t, db, store.Selection{})); n < 3*visits*5/2 {
			t.Errorf("only %d stories are left", n)
		}
	})
}
