package main

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator"
	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// A process that is killed at any moment loses no committed item and publishes
// none twice: the program is killed again and again while outlets publish, and
// what had been listed must stay as it was.
func TestKillDuringIngest(t *testing.T) {
	t.Parallel()
	kills := 25
	if testing.Short() {
		kills = 5
	}
	w, config := world(t, outlettest.Options{Seed: 11, Stories: 60, Days: 2, Slow: 20 * time.Millisecond,
		CopyMin: 50 * time.Millisecond, CopyMax: 500 * time.Millisecond})
	file := filepath.Join(t.TempDir(), "kill.db")
	ctx, stop := context.WithCancel(t.Context())
	newsroom := make(chan struct{})
	go func() { w.Run(ctx, 150*time.Millisecond); close(newsroom) }()

	listed := map[string]store.Story{}
	midway, work := 0, 0
	for range kills {
		p := serve(t, config, "sqlite:"+file)
		lives := time.NewTimer(time.Duration(50+rand.IntN(700)) * time.Millisecond)
		<-lives.C
		p.kill()
		keptAll(t, file, listed)
		done := sqliteCount(t, file, `SELECT count(*) + (SELECT count(*) FROM articles WHERE read_at > 0) FROM items`)
		if done > work {
			midway++
		}
		work = done
	}
	if midway < kills/3 {
		t.Errorf("only %d of %d kills came after items were stored or pages read; the test has not tried much", midway, kills)
	}
	stop()
	<-newsroom

	p := serve(t, config, "sqlite:"+file)
	p.swept(t)
	visits := func() float64 { return p.metric(t, `diemtin_items_total{change="new"}`) }
	last, calm := visits(), 0
	eventually(t, "the outlets to be read to the end", func() bool {
		if n := visits(); n != last {
			last, calm = n, 0
		} else if p.metric(t, "diemtin_refreshes_in_flight") == 0 && p.metric(t, "diemtin_article_queue_holding") == 0 {
			calm++
		}
		return calm > 60 // three seconds, longer than any interval of the sources
	})
	p.stop(t)
	keptAll(t, file, listed)
	nothingTwice(t, file, w, kills)
}

// keptAll compares what is listed now with what was listed before, adds the
// new to it, and says how many are new.
func keptAll(t *testing.T, file string, listed map[string]store.Story) (added int) {
	t.Helper()
	db, err := store.OpenReadOnly(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now, err := db.Stories(t.Context(), store.Query{Order: store.ByPublished, Limit: store.MaxStories})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, s := range now {
		found[s.ID] = true
		before, known := listed[s.ID]
		if !known {
			added++
			listed[s.ID] = s
			continue
		}
		if !s.Listed.Equal(before.Listed) || s.Quoted.ID != before.Quoted.ID || !s.Shown.Equal(before.Shown) {
			t.Errorf("story %s was listed %v quoting %d, now %v quoting %d", s.ID, before.Listed, before.Quoted.ID, s.Listed, s.Quoted.ID)
		}
	}
	for id := range listed {
		if found[id] {
			continue
		}
		if into, err := db.Story(t.Context(), id); err != nil || into.ID == id { // else a page has shown that it is another one
			t.Errorf("story %s was listed and is gone, %v", id, err)
		}
	}
	return added
}

// pagesOnce checks that no page was read again and again: a page that was being
// read when the program was killed is read once more, no other.
func pagesOnce(t *testing.T, w *outlettest.World, kills int) {
	t.Helper()
	asked, again := map[string]int{}, 0
	for _, o := range w.Outlets() {
		for _, r := range o.Requests() {
			if strings.HasSuffix(r.Path, ".html") {
				asked[o.ID+r.Path]++
			}
		}
	}
	for path, n := range asked {
		if n > kills+1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
		if n > 1 {
			again++
		}
	}
	t.Logf("%d pages were asked for, %d of them more than once", len(asked), again)
	if 4*again > len(asked) {
		t.Errorf("%d of %d pages were asked for again", again, len(asked))
	}
}

// nothingTwice checks the end against what the outlets really published: every
// article that is still in a feed is stored, each once.
func nothingTwice(t *testing.T, file string, w *outlettest.World, kills int) {
	t.Helper()
	if n := sqliteCount(t, file, `SELECT count(*) FROM (SELECT outlet, link FROM items GROUP BY outlet, link HAVING count(*) > 1) AS twice`); n > 0 {
		t.Errorf("%d articles are stored twice", n)
	}
	if n := sqliteCount(t, file, `SELECT count(*) FROM articles WHERE lease_by <> '' OR holds = 1 OR due_at > 0 AND tries = 0`); n > 0 {
		t.Errorf("%d pages are still claimed, waited for or unread", n)
	}
	if n := sqliteCount(t, file, `SELECT count(*) FROM items WHERE id NOT IN (SELECT item FROM articles)`); n > 0 {
		t.Errorf("the pages of %d items were forgotten", n)
	}
	pagesOnce(t, w, kills)
	if n := sqliteCount(t, file, `SELECT count(*) FROM stories WHERE listed = 0 AND merged_into = ''`); n > 0 {
		t.Errorf("%d stories were never listed", n)
	}
	db, err := store.OpenReadOnly(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	articles := 0
	for _, s := range w.Truth() {
		for _, print := range s.Prints {
			if print.Outlet == "thanh-hoa" { // the outlet that always fails
				continue
			}
			articles++
			if _, err := db.StoryOfLink(t.Context(), aggregator.LinkKey(print.Link)); err != nil && time.Since(print.Published) < 10*time.Second {
				t.Errorf("%s of %s was never stored: %v", print.Link, print.Outlet, err)
			}
		}
	}
	t.Logf("%d articles of %d stories were published", articles, len(w.Truth()))
}
