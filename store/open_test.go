package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

func TestDueLeases(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 40)
		var mu sync.Mutex
		claimed := map[string]int{}
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for {
					got, err := db.Due(context.Background(), store.Claim{Now: now, Lease: time.Minute, By: fmt.Sprint(w), Limit: 3})
					if err != nil {
						t.Error(err)
						return
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, s := range got {
						claimed[s.ID]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for id, n := range claimed {
			if n != 1 {
				t.Errorf("%s claimed %d times", id, n)
			}
		}
		if len(claimed) != 40 {
			t.Errorf("%d claimed, want 40", len(claimed))
		}
		at, ok, err := db.NextDue(t.Context())
		if err != nil || !ok || !at.Equal(now.Add(time.Minute)) {
			t.Errorf("next due %v %v %v", at, ok, err)
		}
		if err := db.Release(t.Context(), "0"); err != nil {
			t.Error(err)
		}
	})
}

// The same story from eight outlets at once is always one story.
func TestConcurrentCopiesMakeOneStory(t *testing.T) {
	t.Parallel()
	rounds := rounds(t, 100)
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 8)
		for round := range rounds {
			title := fmt.Sprintf("Tin chung %d", round)
			refreshes := make([]store.Refresh, 8)
			for i := range refreshes {
				o := fmt.Sprintf("o%d", i)
				refreshes[i] = refresh(t, db, o+"-home", now, article(o, title, now))
			}
			var wg sync.WaitGroup
			for _, r := range refreshes {
				wg.Go(func() {
					if _, err := db.Record(context.Background(), r, sameTitle{}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		all := stories(t, db, store.Query{Limit: 1000})
		if len(all) != rounds {
			t.Fatalf("%d stories, want %d", len(all), rounds)
		}
		for _, s := range all {
			if s.Carriers != 8 {
				t.Errorf("story %s has %d outlets, want 8", s.ID, s.Carriers)
			}
		}
	})
}

// A visit that fails takes nothing of the others in its transaction with it,
// and leaves nothing of itself.
func TestFailedVisitLeavesNothing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		var wg sync.WaitGroup
		bad := article("o0", "Bài hỏng", now)
		bad.Title = "x\x00\xff" // PostgreSQL refuses NUL; SQLite takes it
		for range 5 {
			wg.Go(func() {
				_, err := db.Record(context.Background(), refresh(t, db, "o0-home", now, bad), panicky{})
				if err == nil {
					t.Error("a visit whose judge fails was stored")
				}
			})
			wg.Go(func() {
				record(t, db, "o1-home", now, article("o1", "Bài tốt", now))
			})
		}
		wg.Wait()
		if all := stories(t, db, store.Query{}); len(all) != 1 || all[0].Quoted.Outlet != "o1" {
			t.Errorf("stories %+v", all)
		}
	})
}

// panicky stands for a bug in the judge.
type panicky struct{ sameTitle }

func (panicky) Match(*store.Item, []*store.Item) (int, store.Merge) { panic("no judgement") }

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		record(t, db, "o0-home", now, article("o0", "Một bài", now))
		before := stories(t, db, store.Query{})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open()
		after := stories(t, db, store.Query{})
		if len(after) != 1 || after[0].ID != before[0].ID || !after[0].Listed.Equal(before[0].Listed) || after[0].Outlet.Name != "Báo o0" {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
		if id, err := db.StoryOfLink(t.Context(), after[0].Quoted.Link); err != nil || id != after[0].ID {
			t.Errorf("story of link %q, %v", id, err)
		}
	})
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		_, err1 := db.Story(t.Context(), "nope")
		_, err2 := db.Item(t.Context(), 7)
		_, err3 := db.Source(t.Context(), "nope")
		_, err4 := db.StoryOfLink(t.Context(), "http://x.example/")
		for i, err := range []error{err1, err2, err3, err4} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("lookup %d: %v, want ErrNotFound", i+1, err)
			}
		}
	})
}

func TestOpenFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	other, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(`CREATE TABLE theirs (x INTEGER)`); err != nil {
		t.Fatal(err)
	}
	other.Close()
	for dsn, want := range map[string]string{
		"sqlite:":                      "the path is missing",
		"mysql:x":                      "want sqlite:PATH or postgres://",
		"sqlite:" + dir:                "is a folder",
		"sqlite:" + dir + "/no/x.db":   "does not exist",
		"sqlite:" + foreign:            "belongs to another program",
		"postgres://127.0.0.1:1/x":     "reach database",
		"sqlite:" + foreign + "/under": "is not a folder",
	} {
		if _, err := store.Open(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %s: %v, want %q", dsn, err, want)
		}
	}
	dsn := "sqlite:" + filepath.Join(dir, "mine?x=1#y%41.db")
	first, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := os.Stat(filepath.Join(dir, "mine?x=1#y%41.db")); err != nil {
		t.Errorf("the file has another name than asked for: %v", err)
	}
	if _, err := store.Open(t.Context(), dsn); !errors.Is(err, store.ErrInUse) {
		t.Errorf("second writer: %v, want ErrInUse", err)
	}
	reader, err := store.OpenReadOnly(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Sync(t.Context(), nil, nil); err == nil {
		t.Error("a reader may write")
	}
}

// What takes effect only in an empty file must be in effect.
func TestNewFileIsSetUp(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new.db")
	db, err := store.Open(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for pragma, want := range map[string]string{"page_size": "8192", "auto_vacuum": "2", "journal_mode": "wal"} {
		var got string
		if err := other.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s, %v", pragma, got, want, err)
		}
	}
}
