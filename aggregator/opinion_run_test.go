package aggregator

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

// An aggregator learns from the sections of what is stored, another one on the
// same store takes it over, and a third that wants none goes without.
func TestOpinionLearnedOnce(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.set("/rss", feedOf("Cấy trên ruộng nước, máy gặt đập liên hợp"))
	a, db, _ := start(t, n.URL, SourceConfig{ID: "muc-lua", URL: "/x", Topic: "kinh-te"}, SourceConfig{ID: "muc-ngo", URL: "/y", Topic: "the-thao"}, SourceConfig{ID: "rss", URL: "/rss"})
	var items []store.Item
	sections := map[string][]store.Item{}
	for i, one := range lessonTexts() {
		it := store.Item{Title: one.Title, Summary: one.Summary, Link: fmt.Sprintf("https://x.example/%d", i), Aliases: []string{fmt.Sprintf("link:x.example/%d", i)}, Fingerprint: uint64(i + 1)}
		source := map[store.Topic]string{"lua": "muc-lua", "ngo": "muc-ngo"}[one.Section]
		sections[source] = append(sections[source], it)
		items = append(items, it)
	}
	learn := func(a *Aggregator) {
		t.Helper()
		if err := a.learnOpinion(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	learn(a)
	if a.classifier.Load().opinion != nil {
		t.Error("an opinion without items")
	}
	for source, items := range sections {
		r := store.Refresh{Source: store.Source{ID: source, Outlet: "thu", State: store.SourceState{Visited: true}}, At: time.Now(), Items: items}
		if _, err := db.Record(t.Context(), r, a.set().judge); err != nil {
			t.Fatal(err)
		}
	}
	learn(a)
	o := a.classifier.Load().opinion
	if o == nil || o.Items() < len(items)/2 || testutil.ToFloat64(a.metrics.opinionHeard) != 2 {
		t.Fatalf("learned %+v of %d items", o, len(items))
	}
	replica, _, _ := start(t, n.URL)
	replica.store = a.store
	replica.setup.Store(a.set())
	learn(replica) // not its turn
	if replica.classifier.Load().opinion != nil {
		t.Error("the replica has learned too")
	}
	replica.takeOpinion(t.Context())
	if replica.classifier.Load().opinion == nil {
		t.Error("the replica has not taken it over")
	}
	replica.classifier.Store(replica.classifier.Load().With(nil))
	replica.opinionAt, replica.set().cfg.SecondOpinion = time.Time{}, opinionOff
	if replica.takeOpinion(t.Context()); replica.classifier.Load().opinion != nil {
		t.Error("switched off, and taken over")
	}
	if r := runRound(t, a)["rss"]; r.Outcome != store.New {
		t.Fatalf("the feed: %s", r.Outcome)
	}
	all, err := db.ItemsBack(t.Context(), 0, time.Time{}, 1)
	if err != nil || len(all) != 1 || len(all[0].Topics) != 1 || all[0].Topics[0].Topic != "kinh-te" || !BySecond(all[0].Topics[0]) {
		t.Errorf("a new item has %+v, %v", all, err)
	}
}
