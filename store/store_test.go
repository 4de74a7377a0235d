package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// engines runs a test on a fresh database of each engine. PostgreSQL is used
// where DIEMTIN_TEST_POSTGRES holds a DSN; the test command sets it, and on CI
// a missing one is a failure.
func engines(t *testing.T, test func(t *testing.T, open func() *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dsn := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
		test(t, opener(t, dsn))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		base := postgresServer(t)
		test(t, opener(t, freshSchema(t, base)))
	})
}

func opener(t *testing.T, dsn string) func() *store.DB {
	return func() *store.DB {
		t.Helper()
		db, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
}

// freshSchema gives a test a schema of its own in the shared test database.
func freshSchema(t testing.TB, dsn string) string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("t%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Exec("DROP SCHEMA " + name + " CASCADE")
		db.Close()
	})
	sep := "?"
	if strings.Contains(dsn, "?") {
		sep = "&"
	}
	return dsn + sep + "search_path=" + name
}

// sameTitle is the plainest judge: items with the same title are one story,
// the first of them the original.
type sameTitle struct{}

func (sameTitle) Reused(oldTitle, _ string, it *store.Item) bool { return oldTitle != it.Title }

func (sameTitle) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	for i, n := range near {
		if n.Title == it.Title {
			return i, store.Merge{Reason: "text", Score: 1, Evidence: "same title"}
		}
	}
	return -1, store.Merge{}
}

func (sameTitle) Adapt(*store.Item, store.Corpus) {}

func (sameTitle) Related(*store.Item, []*store.Item, store.Corpus) []store.Relation { return nil }

func (sameTitle) Original(items []store.Item, _ map[string]store.Outlet) (int, string) {
	for i, it := range items {
		if it.Attribution.Text == "" {
			return i, "no attribution"
		}
	}
	return 0, "first"
}

var now = time.Date(2024, 11, 5, 14, 15, 0, 0, store.Zone)

func outlets(n int) (all []store.Outlet, sources []store.Source) {
	for i := range n {
		id := fmt.Sprintf("o%d", i)
		all = append(all, store.Outlet{ID: id, Name: "Báo " + id, Scope: store.National, Show: store.ShowSummary, Rank: i + 1})
		sources = append(sources, store.Source{ID: id + "-home", Outlet: id, Kind: "feed", URL: "http://" + id + ".example/rss"})
	}
	return all, sources
}

// article is an item as the aggregator hands it over.
func article(outlet, title string, published time.Time) store.Item {
	link := "http://" + outlet + ".example/" + strings.ReplaceAll(title, " ", "-")
	key := uint32(0)
	for _, r := range title {
		key = key*31 + uint32(r)
	}
	return store.Item{Title: title, Link: link, Summary: "Tóm tắt của " + title, Published: published,
		Aliases: []string{"guid:" + outlet + "-home:" + title, "link:" + link}, Sketch: []uint32{key, 7},
		Topics:      []store.ItemTopic{{Topic: "kinh-te", Score: 1}, {Topic: "xa-hoi", Score: 2, Primary: true}},
		Fingerprint: uint64(key)}
}

func record(t *testing.T, db *store.DB, source string, at time.Time, items ...store.Item) store.Changes {
	t.Helper()
	c, err := db.Record(t.Context(), refresh(t, db, source, at, items...), sameTitle{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refresh(t *testing.T, db *store.DB, source string, at time.Time, items ...store.Item) store.Refresh {
	t.Helper()
	s, err := db.Source(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return store.Refresh{Source: s, At: at, Items: items, Settle: func(store.Changes) store.SourceState {
		st := s.State
		st.Visited, st.LastTry, st.NextAt = true, at, at.Add(time.Hour)
		return st
	}}
}

func stories(t *testing.T, db *store.DB, q store.Query) []store.Story {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	all, err := db.Stories(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sync1(t *testing.T, db *store.DB, n int) {
	t.Helper()
	o, s := outlets(n)
	if err := db.Sync(t.Context(), o, s); err != nil {
		t.Fatal(err)
	}
}

func TestStoryLife(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 3)
		copied := article("o0", "Giá vàng tăng", now)
		copied.Attribution = store.Attribution{Text: "o1"}
		c := record(t, db, "o0-home", now, copied)
		if c.New != 1 || c.Listed != 1 || c.Topics["xa-hoi"] != 1 {
			t.Fatalf("first visit changed %+v", c)
		}
		first := stories(t, db, store.Query{})[0]

		c = record(t, db, "o1-home", now.Add(time.Minute), article("o1", "Giá vàng tăng", now))
		if c.New != 1 || c.Listed != 0 || c.Merged["text"] != 1 || c.Originals["no attribution"] != 1 {
			t.Errorf("copy changed %+v", c)
		}
		all := stories(t, db, store.Query{})
		if len(all) != 1 {
			t.Fatalf("%d stories, want 1", len(all))
		}
		s := all[0]
		if s.ID != first.ID || !s.Listed.Equal(first.Listed) || s.Quoted.Outlet != "o0" || s.Original.Outlet != "o1" || s.Carriers != 2 {
			t.Errorf("after the copy: %+v", s)
		}
		if !s.Updated.After(first.Updated) {
			t.Error("a new original did not raise Updated")
		}
		if got := fmt.Sprint(s.Topics); got != "[xa-hoi kinh-te]" {
			t.Errorf("topics %s, primary must come first", got)
		}

		rev, err := db.Revision(t.Context(), store.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		c = record(t, db, "o2-home", now.Add(2*time.Minute), article("o2", "Giá vàng tăng", now))
		if again, _ := db.Revision(t.Context(), store.Selection{}); again != rev || c.Merged["text"] != 1 {
			t.Errorf("a third copy moved the revision %v to %v", rev, again)
		}
		copies, err := db.Copies(t.Context(), s.ID)
		if err != nil || len(copies) != 3 || copies[1].Merge.Evidence != "same title" {
			t.Errorf("copies %+v, %v", copies, err)
		}
	})
}

func TestMeetAgain(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		a := article("o0", "Khởi công cầu", now)
		record(t, db, "o0-home", now, a)
		before := stories(t, db, store.Query{})[0]

		if c := record(t, db, "o0-home", now.Add(time.Minute), a); c.Same != 1 || c.New+c.Changed != 0 {
			t.Errorf("the same item changed %+v", c)
		}
		edited := a
		edited.Summary, edited.Fingerprint, edited.Published = "Tóm tắt mới", 99, now.Add(time.Hour)
		if c := record(t, db, "o0-home", now.Add(2*time.Minute), edited); c.Changed != 1 {
			t.Errorf("an edit changed %+v", c)
		}
		after := stories(t, db, store.Query{})[0]
		if after.ID != before.ID || !after.Listed.Equal(before.Listed) || !after.Updated.After(before.Updated) {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
		if after.Quoted.Summary != "Tóm tắt mới" || !after.Quoted.Published.Equal(now.UTC()) {
			t.Errorf("edited item %+v", after.Quoted)
		}

		// A guid that now names another article is a new item.
		reused := article("o0", "Tin khác hẳn", now)
		reused.Aliases[0] = a.Aliases[0]
		if c := record(t, db, "o0-home", now.Add(3*time.Minute), reused); c.New != 1 {
			t.Errorf("a reused guid changed %+v", c)
		}
		if c := record(t, db, "o0-home", now.Add(4*time.Minute), reused, edited); c.Same != 2 {
			t.Errorf("both again changed %+v", c)
		}
		// A changed guid with the same link is the same item.
		moved := edited
		moved.Aliases = []string{"guid:o0-home:other", a.Aliases[1]}
		if c := record(t, db, "o0-home", now.Add(5*time.Minute), moved); c.Same != 1 || c.New != 0 {
			t.Errorf("a changed guid changed %+v", c)
		}
	})
}

// Two sources of one outlet that carry the same article with different words
// must not take turns in changing it.
func TestTwoCarriersDoNotTakeTurns(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, s := outlets(1)
		s = append(s, store.Source{ID: "o0-section", Outlet: "o0", Kind: "feed", URL: "http://o0.example/section"})
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		home := article("o0", "Một bài", now)
		section := home
		section.Aliases, section.Fingerprint, section.Summary = []string{"guid:o0-section:1", home.Aliases[1]}, 5, "Lời khác"
		record(t, db, "o0-home", now, home)
		for i := range 3 {
			at := now.Add(time.Duration(i+1) * time.Minute)
			if c := record(t, db, "o0-section", at, section); c.Same != 1 {
				t.Errorf("section visit %d changed %+v", i, c)
			}
			if c := record(t, db, "o0-home", at, home); c.Same != 1 {
				t.Errorf("home visit %d changed %+v", i, c)
			}
		}
		// Once the home feed is switched off, the section may speak.
		if err := db.Sync(t.Context(), o, s[1:]); err != nil {
			t.Fatal(err)
		}
		if c := record(t, db, "o0-section", now.Add(time.Hour), section); c.Changed != 1 {
			t.Errorf("after the home feed went: %+v", c)
		}
	})
}

func TestBackfillAndOrders(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		var items []store.Item
		for i := range 15 { // newest first, four hours apart
			items = append(items, article("o0", fmt.Sprintf("Bài số %d của ngày", i), now.Add(-4*time.Hour*time.Duration(i))))
		}
		record(t, db, "o0-home", now, items...)
		feed := stories(t, db, store.Query{})
		if len(feed) != store.FreshOfFirst || feed[0].Quoted.Title != items[0].Title {
			t.Fatalf("%d in the feed, first %q", len(feed), feed[0].Quoted.Title)
		}
		seen := map[int64]bool{}
		for _, s := range feed {
			if seen[s.Listed.UnixMilli()] {
				t.Errorf("two stories listed at %v", s.Listed)
			}
			seen[s.Listed.UnixMilli()] = true
		}
		if all := stories(t, db, store.Query{Order: store.ByPublished}); len(all) != 15 {
			t.Errorf("%d on pages, want 15", len(all))
		}
		day := stories(t, db, store.Query{Selection: store.Selection{Day: "2024-11-05"}})
		if len(day) != 4 { // 14:15, 10:15, 06:15, 02:15
			t.Errorf("%d on the day, want 4", len(day))
		}
		prev, next, err := db.Neighbours(t.Context(), store.Selection{Topics: []store.Topic{"kinh-te"}}, "2024-11-04")
		if err != nil || prev != "2024-11-03" || next != "2024-11-05" {
			t.Errorf("neighbours %q %q %v", prev, next, err)
		}
		page := stories(t, db, store.Query{Order: store.ByPublished, Limit: 5})
		last := page[4]
		rest := stories(t, db, store.Query{Order: store.ByPublished, Before: store.Cursor{At: last.Shown, ID: last.ID}})
		if len(rest) != 10 || rest[0].ID == last.ID {
			t.Errorf("%d after the cursor, want 10", len(rest))
		}
		both := store.Selection{Topics: []store.Topic{"kinh-te", "xa-hoi"}, Outlets: []string{"o0"}, Scopes: []store.Scope{store.National}}
		if got := stories(t, db, store.Query{Selection: both}); len(got) != store.FreshOfFirst {
			t.Errorf("%d in the intersection, want %d", len(got), store.FreshOfFirst)
		}
		both.Outlets = []string{"o1"}
		if got := stories(t, db, store.Query{Selection: both}); len(got) != 0 {
			t.Errorf("%d of another outlet, want 0", len(got))
		}
	})
}

// TestShownNoLonger: an outlet that withdraws its leave vanishes with all that
// was listed of it, and comes back with it.
func TestShownNoLonger(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, s := outlets(2)
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		record(t, db, "o0-home", now, article("o0", "Bài của báo đổi ý", now))
		record(t, db, "o1-home", now.Add(time.Second), article("o1", "Bài khác", now))
		gone := stories(t, db, store.Query{})[1]
		for _, tt := range []struct {
			show store.Show
			want int
		}{{store.ShowNone, 1}, {store.ShowSummary, 2}} {
			o[0].Show = tt.show
			if err := db.Sync(t.Context(), o, s); err != nil {
				t.Fatal(err)
			}
			for _, order := range []store.Order{store.ByListed, store.ByPublished} {
				if got := stories(t, db, store.Query{Order: order}); len(got) != tt.want {
					t.Errorf("show %q, order %d: %d stories, want %d", tt.show, order, len(got), tt.want)
				}
			}
			if got := stories(t, db, store.Query{Limit: 1}); len(got) != 1 {
				t.Errorf("show %q: %d stories in a window of one", tt.show, len(got))
			}
			if _, err := db.Story(t.Context(), gone.ID); (err == nil) != (tt.want == 2) {
				t.Errorf("show %q: story: %v", tt.show, err)
			}
		}
	})
}

func TestDelayAndShow(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, s := outlets(3)
		o[0].Delay, o[1].Show = 30*time.Minute, store.ShowNone
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		record(t, db, "o0-home", now, article("o0", "Bài đến sau", now))
		record(t, db, "o1-home", now, article("o1", "Bài không được đăng", now))
		if got := stories(t, db, store.Query{}); len(got) != 0 {
			t.Fatalf("%d listed at once, want 0", len(got))
		}
		if n, err := db.List(t.Context(), now.Add(29*time.Minute), 10, sameTitle{}); len(n) != 0 || err != nil {
			t.Errorf("listed %d before the delay was over, %v", n, err)
		}
		if n, err := db.List(t.Context(), now.Add(30*time.Minute), 10, sameTitle{}); len(n) != 1 || err != nil {
			t.Errorf("listed %d after the delay, want 1, %v", n, err)
		}
		// The item that may not be shown becomes visible as a copy only.
		record(t, db, "o2-home", now.Add(time.Hour), article("o2", "Bài không được đăng", now))
		got := stories(t, db, store.Query{})
		if len(got) != 2 || got[0].Quoted.Outlet != "o2" {
			t.Fatalf("stories %+v", got)
		}
		if got[0].Carriers != 1 {
			t.Errorf("carried by %d outlets, want only the one that may be shown", got[0].Carriers)
		}
	})
}
