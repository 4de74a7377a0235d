package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"diemtin/aggregator"
	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// Wire stories whose copies have new headlines and, some of them, new leads
// come out once each: what only the pages tell is known before anything is
// listed. A reader that looks all the time sees no entry twice.
func TestCopiesArriveAsCopies(t *testing.T) {
	t.Parallel()
	w, config := world(t, outlettest.Options{Seed: 3, Stories: 40, Days: 1, Slow: 10 * time.Millisecond})
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "copies.db")
	p := serve(t, config, dsn)
	p.swept(t)
	var told []outlettest.Story
	other := 0
	for range 20 {
		s, err := w.PublishFrom("trung-uong", "nhip-song", "lao-cai", "can-tho")
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, s)
		for _, print := range s.Prints {
			if print.Reprint == outlettest.OtherLead {
				other++
			}
		}
	}
	if other == 0 {
		t.Fatal("no copy has a lead of its own; the test tries nothing")
	}
	mine := map[string]string{} // headline → story, of all prints
	for _, s := range told {
		for _, print := range s.Prints {
			mine[print.Title] = s.ID
		}
	}
	entries := map[string]map[string]bool{} // what a reader has seen: ids by story
	look := func() {
		_, text := get(t, p.public+"/feed.atom")
		feed, err := gofeed.NewParser().ParseString(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range feed.Items {
			if s := mine[it.Title]; s != "" {
				if entries[s] == nil {
					entries[s] = map[string]bool{}
				}
				entries[s][it.GUID] = true
			}
		}
	}
	eventually(t, "every article to be read", func() bool {
		look()
		db, err := store.OpenReadOnly(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range told {
			for _, print := range s.Prints {
				if _, err := db.StoryOfLink(t.Context(), aggregator.LinkKey(print.Link)); err != nil {
					return false
				}
			}
		}
		q, err := db.ArticleQueue(t.Context())
		return err == nil && q.Held == 0
	})
	eventually(t, "every story to stand in the feed", func() bool { // which is rendered once a second at most
		look()
		return len(entries) == len(told)
	})
	db, err := store.OpenReadOnly(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	apart := 0
	for _, s := range told {
		ids := map[string]bool{}
		for _, print := range s.Prints {
			id, err := db.StoryOfLink(t.Context(), aggregator.LinkKey(print.Link))
			if err != nil {
				t.Fatal(err)
			}
			ids[id] = true
		}
		apart += len(ids) - 1
		if len(entries[s.ID]) != len(ids) {
			t.Errorf("%q is %d stories and came out as %d entries", s.Title, len(ids), len(entries[s.ID]))
		}
	}
	if 4*apart > other { // a text of six lines, two of them new, may be no copy
		t.Errorf("%d copies are stories of their own, of %d with another lead", apart, other)
	}
	stdout, stderr, code := output(t, "explain", "--db", dsn, told[0].Prints[1].Link)
	if code != 0 || strings.Count(stdout, "its page was read ") < 3 {
		t.Errorf("explain: exit %d, %s\n%s", code, stderr, stdout)
	}
	if stdout, _, _ := output(t, "explain", "--db", dsn, "lao-cai-home"); !strings.Contains(stdout, "articles      of the newest items' pages ") {
		t.Errorf("explain of a source says nothing of its articles:\n%s", stdout)
	}
	report(t, p)
	p.stop(t)
}

// report logs what reading the pages cost.
func report(t *testing.T, p *program) {
	t.Helper()
	read := p.metric(t, `diemtin_articles_total{outcome="read"}`)
	waits, sum := p.metric(t, `diemtin_freshness_seconds_count{stage="served"}`), p.metric(t, `diemtin_freshness_seconds_sum{stage="served"}`)
	t.Logf("%v pages read of %v new items; %v stories listed after %.2f s on average; %v within 1 s, %v within 5 s", read,
		p.metric(t, `diemtin_items_total{change="new"}`), waits, sum/waits,
		p.metric(t, `diemtin_freshness_seconds_bucket{stage="served",le="1"}`), p.metric(t, `diemtin_freshness_seconds_bucket{stage="served",le="5"}`))
}
