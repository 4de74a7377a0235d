package aggregator

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// flakyStore refuses visits that bring items while it is broken.
type flakyStore struct {
	Store
	broken bool
}

func (f *flakyStore) Record(ctx context.Context, r store.Refresh, j store.Judge) (store.Changes, error) {
	if f.broken && len(r.Items) > 0 {
		return store.Changes{}, errors.New("disk full")
	}
	return f.Store.Record(ctx, r, j)
}

// A visit reads what is new since the last one whose items were stored, and
// still knows what else stands in the feed.
func TestVisitsReadWhatIsNew(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	a, db, _ := start(t, n.URL, SourceConfig{ID: "s", URL: "/plain"})
	flaky := &flakyStore{Store: db}
	a.store = flaky
	item := func(i int) string { return deltaItem(i, false) }
	undated := func(i int) string {
		return strings.ReplaceAll(item(i), "pubDate>Sun, 01 Mar", "pubDate>ngày nào đó")
	}
	head := strings.Replace(rssHead, "<rss ", `<rss xmlns:dc="http://purl.org/dc/elements/1.1/" `, 1)
	const end = "</channel></rss>"
	for _, tt := range []struct {
		name, body                        string
		broken                            bool
		outcome                           store.Outcome
		items, known, news, changed, same int
		standing                          int // repairs of the source's state
	}{
		{"first", head + item(1) + item(2) + undated(3) + end, false, store.New, 3, 0, 3, 0, 0, 1},
		{"one new", head + item(4) + item(1) + item(2) + undated(3) + end, false, store.New, 1, 3, 1, 0, 3, 1},
		{"another order", head + item(1) + item(4) + item(2) + undated(3) + end, false, store.Unchanged, 0, 4, 0, 0, 4, 1},
		{"not stored", head + item(5) + item(1) + item(2) + end, true, store.Internal, 0, 2, 0, 0, 0, 1},
		{"stored late", head + item(5) + item(1) + item(2) + end, false, store.New, 1, 2, 1, 0, 2, 1},
		{"one edited", head + item(5) + strings.Replace(item(1), "<title><![CDATA[", "<title><![CDATA[Đính chính: ", 1) + end, false, store.New, 1, 1, 0, 1, 1, 1},
		{"a new one that is none", head + item(5) + "<item><title>x</title></item>" + end, false, store.Unchanged, 0, 1, 0, 0, 1, 2},
		{"all new", head + item(7) + item(8) + end, false, store.New, 2, 0, 2, 0, 0, 0},
	} {
		n.set("/plain", tt.body)
		flaky.broken = tt.broken
		r := runRound(t, a)["s"]
		if r.Outcome != tt.outcome || len(r.Items) != tt.items || len(r.Known) != tt.known {
			t.Errorf("%s: %s (%s), %d items, %d known, want %s, %d, %d", tt.name, r.Outcome, r.Detail, len(r.Items), len(r.Known), tt.outcome, tt.items, tt.known)
		}
		if c := r.Changes; c.New != tt.news || c.Changed != tt.changed || c.Same != tt.same {
			t.Errorf("%s: new %d, changed %d, same %d, want %d, %d, %d", tt.name, c.New, c.Changed, c.Same, tt.news, tt.changed, tt.same)
		}
		if len(r.State.Repairs) != tt.standing {
			t.Errorf("%s: repairs %v, want %d kinds", tt.name, r.State.Repairs, tt.standing)
		}
	}
	if r, err := a.Probe(t.Context(), "s", true); err != nil || len(r.Items) != 2 {
		t.Errorf("probe: %d items, want 2, whatever is remembered; %v", len(r.Items), err)
	}
}

// Two processes take turns at a source. An edit that only the other one saw
// before the outlet took it back must not stay.
func TestAnotherProcessReadsBetween(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	a, db, _ := start(t, n.URL, SourceConfig{ID: "s", URL: "/plain"})
	b, err := New(a.set().cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	head := strings.Replace(rssHead, "<rss ", `<rss xmlns:dc="http://purl.org/dc/elements/1.1/" `, 1)
	const end = "</channel></rss>"
	edited := strings.Replace(deltaItem(1, false), "<title><![CDATA[", "<title><![CDATA[Sai: ", 1)
	for _, tt := range []struct {
		name, body string
		by         *Aggregator
		changed    int
	}{
		{"here", head + deltaItem(1, false) + deltaItem(2, false) + end, a, 0},
		{"edited, seen there", head + edited + deltaItem(2, false) + end, b, 1},
		{"taken back, seen here", head + deltaItem(1, false) + deltaItem(2, false) + end, a, 1},
		{"one more, seen here", head + deltaItem(3, false) + deltaItem(1, false) + deltaItem(2, false) + end, a, 0},
	} {
		n.set("/plain", tt.body)
		if r := runRound(t, tt.by)["s"]; !r.Outcome.OK() || r.Changes.Changed != tt.changed {
			t.Errorf("%s: %s, %d changed, want %d", tt.name, r.Outcome, r.Changes.Changed, tt.changed)
		}
	}
}
