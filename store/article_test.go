package store_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// sameText is a judge that takes items for one story whose texts are equal.
type sameText struct{ sameTitle }

func (sameText) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	for i, n := range near {
		if len(it.Form) > 0 && bytes.Equal(it.Form, n.Form) {
			return i, store.Merge{Reason: "text", Score: 1, Evidence: "same text"}
		}
	}
	return -1, store.Merge{Score: 0.2}
}

const hold = 3 * time.Minute

// readable is a refresh whose new items' pages are read.
func readable(t *testing.T, db *store.DB, source string, at time.Time, items ...store.Item) store.Refresh {
	t.Helper()
	r := refresh(t, db, source, at, items...)
	r.Source.State.Visited = true // no backfill
	r.Reading = store.Reading{When: store.ReadAlways, Hold: hold}
	return r
}

func mustRecord(t *testing.T, db *store.DB, r store.Refresh) store.Changes {
	t.Helper()
	c, err := db.Record(t.Context(), r, sameText{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// claim takes all that is due.
func claim(t *testing.T, db *store.DB, at time.Time) []store.DueArticle {
	t.Helper()
	due, err := db.DueArticles(t.Context(), store.ArticleClaim{Now: at, Lease: time.Minute, By: "me", Limit: 100, PerOutlet: 100})
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// textPage is a page with a text; equal texts have equal keys.
func textPage(text string) *store.Article {
	key := uint32(0)
	for _, r := range text {
		key = key*31 + uint32(r)
	}
	return &store.Article{Text: text, TextHash: uint64(key), Length: len(text), Sketch: []uint32{key}, Form: []byte(text)}
}

func readIt(t *testing.T, db *store.DB, d store.DueArticle, at time.Time, a *store.Article) (store.ArticleState, store.Changes) {
	t.Helper()
	state, c, err := db.RecordArticle(t.Context(), store.ArticleVisit{Item: d.Item.ID, By: "me", At: at, Article: a}, sameText{})
	if err != nil {
		t.Fatal(err)
	}
	return state, c
}

func listed(t *testing.T, db *store.DB) []store.Story {
	t.Helper()
	all, err := db.Stories(t.Context(), store.Query{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A copy under a new headline is found by its page before anything is listed:
// one story comes out.
func TestCopyIsFoundBeforeListing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		mustRecord(t, db, readable(t, db, "o0-home", now, article("o0", "Cầu mới khánh thành", now)))
		mustRecord(t, db, readable(t, db, "o1-home", now.Add(time.Second), article("o1", "Bà con vui mừng", now.Add(time.Second))))
		if n := len(listed(t, db)); n != 0 {
			t.Fatalf("%d stories are listed before their pages are read", n)
		}
		at := now.Add(2 * time.Second)
		due := claim(t, db, at)
		if len(due) != 2 {
			t.Fatalf("%d pages are due, want 2", len(due))
		}
		for i, want := range []int{1, 0} { // the first lists its story, the second joins it
			if i == 1 {
				if waits, err := db.List(t.Context(), at, 10, sameText{}); err != nil || len(waits) != 0 {
					t.Errorf("%d stories more listed while a page is waited for, %v", len(waits), err)
				}
			}
			_, c := readIt(t, db, due[i], at, textPage("Một văn bản"))
			if c.Listed != want || len(c.Waits) != want || c.Merged["text"] != i {
				t.Errorf("page %d: %+v", i, c)
			}
		}
		all := listed(t, db)
		if len(all) != 1 || all[0].Quoted.Title != "Cầu mới khánh thành" {
			t.Fatalf("stories %+v, want the first", all)
		}
		if copies, err := db.Copies(t.Context(), all[0].ID); err != nil || len(copies) != 2 {
			t.Errorf("%d copies, %v", len(copies), err)
		}
	})
}

// What the hold has let out is united without anything new appearing: the
// older entry stays as it is, the younger leaves and its id leads on.
func TestCopyIsFoundAfterListing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		mustRecord(t, db, readable(t, db, "o0-home", now, article("o0", "Cầu mới khánh thành", now)))
		mustRecord(t, db, readable(t, db, "o1-home", now.Add(time.Second), article("o1", "Bà con vui mừng", now.Add(time.Second))))
		if waits, err := db.List(t.Context(), now.Add(hold-time.Millisecond), 10, sameText{}); err != nil || len(waits) != 0 {
			t.Errorf("listed %v before the hold is over, %v", waits, err)
		}
		waits, err := db.List(t.Context(), now.Add(hold+time.Second), 10, sameText{})
		if err != nil || len(waits) != 2 || waits[0] != hold+time.Second {
			t.Fatalf("listed after %v, %v; want two, the first after %s", waits, err, hold+time.Second)
		}
		before := listed(t, db)
		at := now.Add(time.Hour)
		for _, d := range claim(t, db, at) {
			readIt(t, db, d, at, textPage("Một văn bản"))
		}
		after := listed(t, db)
		if len(after) != 1 || after[0].ID != before[1].ID || !after[0].Listed.Equal(before[1].Listed) || after[0].Quoted.Title != before[1].Quoted.Title {
			t.Errorf("stories %+v, want the older one as it was: %+v", after, before[1])
		}
		if s, err := db.Story(t.Context(), before[0].ID); err == nil && s.ID == before[0].ID {
			t.Errorf("the younger story is still itself")
		}
	})
}

// A page that fails, or is closed, is not waited for; it is tried again as
// long as the caller says.
func TestFailedPageHoldsNothing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		mustRecord(t, db, readable(t, db, "o0-home", now, article("o0", "Cầu mới khánh thành", now)))
		at, again := now.Add(time.Second), now.Add(time.Minute)
		fail := func(at, retry time.Time) (store.ArticleState, store.Changes) {
			state, c, err := db.RecordArticle(t.Context(), store.ArticleVisit{Item: claim(t, db, at)[0].Item.ID, By: "me", At: at,
				Outcome: store.Timeout, Detail: "too slow", RetryAt: retry}, sameText{})
			if err != nil {
				t.Fatal(err)
			}
			return state, c
		}
		if state, c := fail(at, again); state != store.ArticleWaiting || c.Listed != 1 {
			t.Errorf("first failure: %s, %+v; want one story listed", state, c)
		}
		if n := len(claim(t, db, again.Add(-time.Millisecond))); n != 0 {
			t.Error("it is tried again too early")
		}
		if state, _ := fail(again, time.Time{}); state != store.ArticleFailed {
			t.Errorf("last failure: %s", state)
		}
		if q, err := db.ArticleQueue(t.Context()); err != nil || q.Waiting != 0 || q.Held != 0 {
			t.Errorf("queue %+v, %v", q, err)
		}
		pages, err := db.SourceArticles(t.Context(), "o0-home")
		if err != nil || len(pages) != 1 || pages[0].Tries != 2 || pages[0].Detail != "too slow" || pages[0].State != store.ArticleFailed {
			t.Errorf("%+v, %v", pages, err)
		}
	})
}

// Four claimers at once: no page goes to two of them; what a dead one had
// comes back after its lease, and its late word counts for nothing.
func TestClaimsOfArticles(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 3)
		for i := range 60 {
			o := fmt.Sprintf("o%d", i%3)
			mustRecord(t, db, readable(t, db, o+"-home", now.Add(time.Duration(i)*time.Millisecond), article(o, fmt.Sprintf("Bài %d", i), now)))
		}
		at := now.Add(time.Minute)
		var mu sync.Mutex
		owner := map[int64]string{}
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				by := fmt.Sprintf("w%d", w)
				for {
					due, err := db.DueArticles(context.Background(), store.ArticleClaim{Now: at, Lease: time.Minute, By: by, Limit: 7, PerOutlet: 2})
					if err != nil || len(due) == 0 {
						if err != nil {
							t.Error(err)
						}
						return
					}
					perOutlet := map[string]int{}
					mu.Lock()
					for _, d := range due {
						if was := owner[d.Item.ID]; was != "" {
							t.Errorf("item %d went to %s and %s", d.Item.ID, was, by)
						}
						owner[d.Item.ID] = by
						if perOutlet[d.Item.Outlet]++; perOutlet[d.Item.Outlet] > 2 {
							t.Errorf("%d pages of one outlet in a claim", perOutlet[d.Item.Outlet])
						}
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(owner) != 60 {
			t.Errorf("%d pages were claimed, want 60", len(owner))
		}
		if err := db.Release(t.Context(), "w0"); err != nil {
			t.Fatal(err)
		}
		free := claim(t, db, at)
		for _, d := range free {
			if owner[d.Item.ID] != "w0" || d.Tries != 0 {
				t.Errorf("item %d of %s was given away after %d tries", d.Item.ID, owner[d.Item.ID], d.Tries)
			}
		}
		if again := claim(t, db, at.Add(2*time.Minute)); len(again) != 60 {
			t.Errorf("%d pages came back after the lease, want all", len(again))
		} else if n := again[0].Tries; n != 1 {
			t.Errorf("a claim without an answer counts as %d tries", n)
		} else if state, _, err := db.RecordArticle(t.Context(), store.ArticleVisit{Item: again[0].Item.ID, By: "w1", At: at, Article: textPage("muộn")}, sameText{}); err != nil || state != "" {
			t.Errorf("a late word gave %q, %v", state, err)
		}
	})
}

// One text under several headlines of an outlet is a wall and no text: it
// merges nothing, neither there nor elsewhere.
func TestSameTextOfOneOutletIsNoText(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		for i := range 3 {
			mustRecord(t, db, readable(t, db, "o0-home", now.Add(time.Duration(i)*time.Second), article("o0", fmt.Sprintf("Bài %d", i), now)))
		}
		mustRecord(t, db, readable(t, db, "o1-home", now.Add(5*time.Second), article("o1", "Bài khác", now)))
		at := now.Add(time.Minute)
		due := claim(t, db, at)
		for i, want := range []store.ArticleState{store.ArticleRead, store.ArticleNoText, store.ArticleNoText} {
			if state, c := readIt(t, db, due[i], at, textPage("Hãy đăng nhập")); state != want || len(c.Merged) != 0 {
				t.Errorf("page %d: %s, merged %v", i, state, c.Merged)
			}
		}
		if _, c := readIt(t, db, due[3], at, textPage("Hãy đăng nhập")); len(c.Merged) != 0 {
			t.Errorf("another outlet's text merged with a wall: %v", c.Merged)
		}
		if n := len(listed(t, db)); n != 4 {
			t.Errorf("%d stories, want 4", n)
		}
		pages, err := db.SourceArticles(t.Context(), "o0-home")
		if err != nil || len(pages) != 3 {
			t.Fatal(pages, err)
		}
		for _, p := range pages {
			if p.State != store.ArticleNoText || p.Kept {
				t.Errorf("item %d: %s, text kept: %v", p.Item, p.State, p.Kept)
			}
		}
	})
}

// Backfill and when-near are read only once another item comes near.
func TestReadWhenNear(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		near := func(source string, at time.Time, it store.Item) {
			r := readable(t, db, source, at, it)
			r.Reading.When = store.ReadWhenNear
			if c := mustRecord(t, db, r); c.New != 1 {
				t.Fatalf("%+v", c)
			}
		}
		alone := article("o0", "Một mình", now)
		alone.Sketch = []uint32{1}
		near("o0-home", now, alone)
		if n := len(claim(t, db, now)); n != 0 || len(listed(t, db)) != 1 {
			t.Errorf("%d pages of an item that nothing is near are due", n)
		}
		close := article("o1", "Gần đó", now)
		close.Sketch = []uint32{1}
		near("o1-home", now.Add(time.Second), close)
		if n := len(claim(t, db, now.Add(time.Second))); n != 2 {
			t.Errorf("%d pages are due once another item is near, want both", n)
		}
		first := refresh(t, db, "o0-home", now.Add(time.Hour))
		first.Reading = store.Reading{When: store.ReadAlways, Hold: hold}
		first.Source.State.Visited = false
		for i := range 40 {
			it := article("o0", fmt.Sprintf("Cũ %d", i), now.Add(-time.Duration(i)*time.Hour))
			it.Sketch = []uint32{uint32(100 + i)}
			first.Items = append(first.Items, it)
		}
		mustRecord(t, db, first)
		due := claim(t, db, now.Add(time.Hour))
		if len(due)-2 != store.FreshOfFirst { // two whose lease is over
			t.Errorf("%d pages of a first visit are due, want %d", len(due)-2, store.FreshOfFirst)
		}
	})
}

// A text that may not be kept is compared and not kept; others go when their
// time is over, and so does the note by which equal ones are found.
func TestTextsAreDropped(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		mustRecord(t, db, readable(t, db, "o0-home", now, article("o0", "Một", now)))
		mustRecord(t, db, readable(t, db, "o1-home", now, article("o1", "Hai", now)))
		due := claim(t, db, now)
		readIt(t, db, due[0], now, textPage("Văn bản"))
		closed := textPage("Văn bản")
		closed.NoCopy, closed.Robots = true, "noarchive"
		if _, c := readIt(t, db, due[1], now, closed); c.Merged["text"] != 1 {
			t.Errorf("a text that is not kept was not compared: %+v", c)
		}
		kept := func() (n int) {
			pages, err := db.StoryArticles(t.Context(), listed(t, db)[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pages {
				if p.Kept {
					n++
				}
			}
			return n
		}
		if n := kept(); n != 1 {
			t.Errorf("%d texts are kept, want 1", n)
		}
		if n, err := db.DropTexts(t.Context(), now, 10); n != 0 || err != nil {
			t.Errorf("dropped %d, %v, before their time", n, err)
		}
		if n, err := db.DropTexts(t.Context(), now.Add(time.Hour), 10); n != 1 || err != nil || kept() != 0 {
			t.Errorf("dropped %d, %v; %d left", n, err, kept())
		}
	})
}

// A page that was read with its listing goes in at once and is not asked for.
func TestPageThatCameWithItsItem(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		with := func(o, title string) store.Item {
			it := article(o, title, now)
			it.Page = textPage("Một văn bản")
			it.Text, it.Sketch, it.Form = it.Page.Text, it.Page.Sketch, it.Page.Form
			return it
		}
		if c := mustRecord(t, db, readable(t, db, "o0-home", now, with("o0", "Một"))); c.Listed != 1 {
			t.Errorf("%+v, want it listed at once", c)
		}
		if c := mustRecord(t, db, readable(t, db, "o1-home", now.Add(time.Second), with("o1", "Hai"))); c.Merged["text"] != 1 {
			t.Errorf("%+v, want it merged by its text", c)
		}
		if n := len(claim(t, db, now.Add(time.Minute))); n != 0 {
			t.Errorf("%d pages are due, want none", n)
		}
	})
}
