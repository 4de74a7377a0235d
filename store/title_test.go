package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"diemtin/store"
)

// TestTitles: an item keeps the headlines it had, the newest MaxTitles, and
// only a change of the headline adds one.
func TestTitles(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		all, sources := outlets(1)
		if err := db.Sync(t.Context(), all, sources); err != nil {
			t.Fatal(err)
		}
		it := article("o0", "Tít đầu", now)
		record(t, db, "o0-home", now, it)
		at := now
		change := func(title, summary string) {
			at = at.Add(time.Minute)
			it.Title, it.Summary = title, summary
			it.Fingerprint++
			it.Aliases = slices.Clone(it.Aliases)
			record(t, db, "o0-home", at, it)
		}
		change("Tít đầu", "Tóm tắt khác")
		change("Tít hai", "Tóm tắt khác")
		change("Tít ba", "Tóm tắt khác")
		stories, err := db.Stories(t.Context(), store.Query{Limit: 2})
		if err != nil || len(stories) != 1 {
			t.Fatalf("got %d stories, %v; want the one", len(stories), err)
		}
		titles := func() []store.OldTitle {
			byItem, err := db.Titles(t.Context(), stories[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			return byItem[stories[0].Quoted.ID]
		}
		got := titles()
		want := []store.OldTitle{{Title: "Tít đầu", Until: now.Add(2 * time.Minute).UTC()}, {Title: "Tít hai", Until: now.Add(3 * time.Minute).UTC()}}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for i := range 2 * store.MaxTitles {
			change(fmt.Sprintf("Tít thử %d", i), "Tóm tắt khác")
		}
		if got := titles(); len(got) != store.MaxTitles || got[len(got)-1].Title != fmt.Sprintf("Tít thử %d", 2*store.MaxTitles-2) {
			t.Errorf("after many changes: got %d, the last %q", len(got), got[len(got)-1].Title)
		}
	})
}

// clockJudge tells what is known of a clock when an original is judged.
type clockJudge struct {
	sameTitle
	seen *store.Clock
}

func (j clockJudge) Original(items []store.Item, outlets map[string]store.Outlet) (int, string) {
	*j.seen = outlets["o0"].Clock
	return j.sameTitle.Original(items, outlets)
}

// TestClockIsLearned: what visits teach of an outlet's clock reaches the judge,
// and outlives a restart.
func TestClockIsLearned(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		all, sources := outlets(1)
		if err := db.Sync(t.Context(), all, sources); err != nil {
			t.Fatal(err)
		}
		var clock store.Clock
		visit := func(db *store.DB, n int, ahead time.Duration) {
			at := now.Add(time.Duration(n) * time.Hour)
			var items []store.Item
			for i := range 10 {
				items = append(items, article("o0", fmt.Sprintf("Tin %d %d", n, i), at.Add(ahead)))
			}
			_, err := db.Record(t.Context(), store.Refresh{Source: store.Source{ID: "o0-home", Outlet: "o0", State: store.SourceState{Visited: true}},
				At: at, Items: items, Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, clockJudge{seen: &clock})
			if err != nil {
				t.Fatal(err)
			}
		}
		visit(db, 0, time.Hour)
		if clock != "" {
			t.Errorf("after no visit: got %q, want nothing said", clock)
		}
		visit(db, 1, time.Hour)
		visit(db, 2, time.Hour)
		if clock != store.ClockAhead {
			t.Errorf("after 20 items dated ahead: got %q, want %q", clock, store.ClockAhead)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		clock = ""
		visit(open(), 3, -time.Minute)
		if clock != store.ClockAhead {
			t.Errorf("after a restart: got %q, want %q", clock, store.ClockAhead)
		}
	})
}

func TestNear(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		all, sources := outlets(1)
		if err := db.Sync(t.Context(), all, sources); err != nil {
			t.Fatal(err)
		}
		one, two, three := article("o0", "Tin một", now), article("o0", "Tin hai", now), article("o0", "Tin ba", now)
		one.Sketch, two.Sketch, three.Sketch = []uint32{1, 2, 3}, []uint32{2, 3, 4}, []uint32{5, 6}
		record(t, db, "o0-home", now, one, two, three)
		near := func(limit int, keys ...uint32) (titles []string) {
			items, err := db.Near(t.Context(), keys, "", limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range items {
				titles = append(titles, it.Title)
			}
			return titles
		}
		if got := near(9, 1, 2, 3); !slices.Equal(got, []string{"Tin một", "Tin hai"}) {
			t.Errorf("got %v, want the one with all keys first", got)
		}
		if got := near(1, 2, 3, 4); !slices.Equal(got, []string{"Tin hai"}) {
			t.Errorf("got %v, want the nearest alone", got)
		}
		stories, err := db.Stories(t.Context(), store.Query{Limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stories {
			if s.Quoted.Title != "Tin một" {
				continue
			}
			items, err := db.Near(t.Context(), []uint32{1, 2, 3}, s.ID, 1)
			if err != nil || len(items) != 1 || items[0].Title != "Tin hai" {
				t.Errorf("got %v, %v; want the nearest of another story", items, err)
			}
		}
		if got := append(near(9), near(9, 77)...); got != nil {
			t.Errorf("got %v, want none", got)
		}
	})
}
