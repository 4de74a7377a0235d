package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// waiting is a judge that stops in the middle of a transaction.
type waiting struct {
	sameTitle
	held, release chan struct{}
}

func (w waiting) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	if it.Title == "Bài thứ hai" { // the first is written by now
		close(w.held)
		<-w.release
	}
	return w.sameTitle.Match(it, near)
}

// Readers go on, and see what was committed, while a transaction stands open
// that has written.
func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		record(t, db, "o0-home", now, article("o0", "Một bài", now))
		judge := waiting{held: make(chan struct{}), release: make(chan struct{})}
		r := refresh(t, db, "o0-home", now.Add(time.Minute), article("o0", "Bài thứ hai", now), article("o0", "Bài thứ nhất", now))
		done := make(chan error, 1)
		go func() {
			_, err := db.Record(context.Background(), r, judge)
			done <- err
		}()
		<-judge.held
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a blocked reader would wait 10 s for the lock
		defer cancel()
		for _, want := range []int{1, 3} {
			all, err := db.Stories(ctx, store.Query{Limit: 10})
			if err != nil || len(all) != want {
				t.Errorf("%d stories, %v, want %d", len(all), err, want)
			}
			if _, err := db.Story(ctx, all[0].ID); err != nil {
				t.Errorf("read story: %v", err)
			}
			if _, err := db.Revision(ctx, store.Selection{}); err != nil {
				t.Errorf("read revision: %v", err)
			}
			if want == 1 {
				close(judge.release)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// Four readers beside a busy writer: no statement fails, and what a reader sees
// only grows.
func TestReadersBesideAWriter(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 4)
		visits := 200
		if testing.Short() {
			visits = 40
		}
		written := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				var last store.Revision
				for reads, more := 0, true; more; reads++ {
					select {
					case <-written:
						more = false
					default:
					}
					found, err := db.Stories(t.Context(), store.Query{Selection: store.Selection{Topics: []store.Topic{"kinh-te"}}, Limit: 20})
					if err != nil {
						t.Errorf("read %d: %v", reads, err)
						return
					}
					for _, s := range found {
						if s.Quoted.ID == 0 || s.Listed.IsZero() {
							t.Errorf("read %d: half a story %+v", reads, s)
							return
						}
						if copies, err := db.Copies(t.Context(), s.ID); err != nil || len(copies) == 0 {
							t.Errorf("read %d: %d copies, %v", reads, len(copies), err)
							return
						}
					}
					rev, err := db.Revision(t.Context(), store.Selection{})
					if err != nil || rev.N < last.N {
						t.Errorf("read %d: revision %v after %v, %v", reads, rev, last, err)
						return
					}
					last = rev
				}
			})
		}
		for i := range visits {
			o := fmt.Sprintf("o%d", i%4)
			at := now.Add(time.Duration(i) * time.Minute)
			record(t, db, o+"-home", at, article(o, fmt.Sprintf("Bài số %d", i/2), at), article(o, fmt.Sprintf("Bài riêng %d", i), at))
		}
		close(written)
		all.Wait()
	})
}
