package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// rounds is how often a race is run: often enough to be seen to lose, and as
// often as DIEMTIN_SOAK says.
func rounds(t *testing.T, usual int) int {
	t.Helper()
	if s := os.Getenv("DIEMTIN_SOAK"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return usual / 5
	}
	return usual
}

// visitOnce is a visit to a source that was visited before.
func visitOnce(t *testing.T, db *store.DB, outlet string, at time.Time, items ...store.Item) store.Refresh {
	r := refresh(t, db, outlet+"-home", at, items...)
	r.Source.State.Visited = true
	return r
}

// atOnce runs n pieces of work at the same time.
func atOnce(t *testing.T, n int, work func(i int) error) []error {
	t.Helper()
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = work(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// Eight stories that are one are merged by themselves in any order, while an
// editor hides, pins and undoes: every item stays in one living story, every id
// leads to one, and nothing is new to a reader.
func TestMergesRaceWithRulings(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 8)
		for round := range rounds(t, 25) {
			at := now.Add(time.Duration(round) * time.Hour)
			ids := make([]string, 8)
			for i := range ids {
				o := fmt.Sprintf("o%d", i)
				if _, err := db.Record(t.Context(), visitOnce(t, db, o, at, article(o, fmt.Sprintf("Bản tin %d của %s", round, o), at)), sameTitle{}); err != nil {
					t.Fatal(err)
				}
			}
			newest := stories(t, db, store.Query{Limit: 8})
			for i, s := range newest {
				ids[i] = s.ID
			}
			before := store.Revision{}
			if rev, err := db.Revision(t.Context(), store.Selection{}); err == nil {
				before = rev
			}
			later := at.Add(time.Minute)
			errs := atOnce(t, 10, func(i int) error {
				switch i {
				case 8:
					_, err := db.Rule(context.Background(), store.Ruling{Who: "lan", At: later, Verb: store.RuleHide, Story: ids[3]}, sameTitle{})
					return errors.Join(err, restore(db, ids[3], later))
				case 9:
					_, err := db.Rule(context.Background(), store.Ruling{Who: "lan", At: later, Verb: store.RulePin, Story: ids[0], Items: []int64{newest[0].Quoted.ID}}, sameTitle{})
					return err
				}
				_, err := db.MergeByItself(context.Background(), ids[i], ids[(i+3)%8], later, sameTitle{})
				return err
			})
			for i, err := range errs {
				if err != nil && !errors.Is(err, store.ErrRefused) {
					t.Fatalf("round %d, worker %d: %v", round, i, err)
				}
			}
			var one string
			for _, id := range ids {
				s, err := db.Story(t.Context(), id)
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				if one == "" {
					one = s.ID
				}
				if s.ID != one {
					t.Errorf("round %d: %s leads to %s, others to %s", round, id, s.ID, one)
				}
			}
			if copies, err := db.Copies(t.Context(), one); err != nil || len(copies) != 8 {
				t.Errorf("round %d: %d items in the one story, %v", round, len(copies), err)
			}
			for _, s := range stories(t, db, store.Query{Limit: 20}) {
				if s.Listed.UnixMilli() > before.N {
					t.Errorf("round %d: %s is new", round, s.ID)
				}
			}
		}
	})
}

func restore(db *store.DB, story string, at time.Time) error {
	_, err := db.Rule(context.Background(), store.Ruling{Who: "lan", At: at, Verb: store.RuleRestore, Story: story}, sameTitle{})
	return err
}
