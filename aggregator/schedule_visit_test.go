package aggregator

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

// Two visits to a feed with no item in common are a gap: counted, and the
// next visit is sooner. One item in common is none, nor is a first visit or a
// source that was empty.
func TestGap(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.set("/rss", feedOf("Tin một", "Tin hai"))
	n.set("/calm", feedOf("Tin yên", "Tin cũ"))
	n.set("/empty", feedOf())
	a, db, _ := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"}, SourceConfig{ID: "calm", URL: "/calm"}, SourceConfig{ID: "empty", URL: "/empty"})
	runRound(t, a)
	if got := testutil.CollectAndCount(a.metrics.gaps); got != 3 {
		t.Errorf("%d sources are counted before any gap, want 3: the first would be no increase", got)
	}
	n.set("/rss", feedOf("Tin ba", "Tin bốn", "Tin năm"))
	n.set("/calm", feedOf("Tin mới", "Tin yên", "Tin cũ"))
	n.set("/empty", feedOf("Tin đầu tiên"))
	second := runRound(t, a)
	for id, want := range map[string]float64{"rss": 1, "calm": 0, "empty": 0} {
		if got := testutil.ToFloat64(a.metrics.gaps.WithLabelValues(id)); got != want {
			t.Errorf("%s: %v gaps, want %v", id, got, want)
		}
	}
	if got := testutil.CollectAndCount(a.metrics.overlap); got != 3 {
		t.Errorf("%d sources show what we had of them, want 3", got)
	}
	for id, want := range map[string]float64{"rss": 0, "calm": 2.0 / 3, "empty": 0} {
		if got := testutil.ToFloat64(a.metrics.overlap.WithLabelValues(id)); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: we had %v of its items, want %v", id, got, want)
		}
	}
	if why := second["rss"].State.Why; !strings.Contains(why, "no item in common") {
		t.Errorf("after a gap: %s", why)
	}
	src, err := db.Source(t.Context(), "rss")
	if err != nil {
		t.Fatal(err)
	}
	if l := decodeLearned(src.State.Learned); l.Items != 3 || l.Gap != 1 || l.Until == 0 {
		t.Errorf("stored %+v", l)
	}
}

// A source that brings nothing while its profile expects much is shown as
// silent under its outlet, also right after a start.
func TestSilenceIsShown(t *testing.T) {
	t.Parallel()
	m := newMetrics(prometheus.NewRegistry())
	l := steadyFor(2, 28)
	l.Expected = silentItems
	st := store.SourceState{Outcome: store.Unchanged, Visited: true, LastNew: testNow.Add(-silentAfter), Learned: l.encode()}
	src := store.Source{ID: "s", Outlet: "thu"}
	for _, tt := range []struct {
		name    string
		outcome store.Outcome
		want    float64
	}{{"answers", store.Unchanged, 1}, {"fails", store.Timeout, 0}} {
		st.Outcome = tt.outcome
		m.silence(src, st, testNow)
		if got := testutil.ToFloat64(m.silent.WithLabelValues("thu", "s")); got != tt.want {
			t.Errorf("%s: silent is %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The hints of a feed reach the schedule, and stay when the feed is not read.
func TestHintsAreWired(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.set("/rss", strings.Replace(feedOf("Tin một"), "<title>", "<ttl>90</ttl><title>", 1))
	a, _, _ := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"})
	for round := range 2 {
		st := runRound(t, a)["rss"].State
		if wait := st.NextAt.Sub(st.LastTry); wait < 90*time.Minute || !strings.Contains(st.Why, "its ttl asks for 1h30m") {
			t.Errorf("round %d: next in %v (%s)", round, wait, st.Why)
		}
	}
}

// What a hub delivered between two visits was published all the same, although
// the visit finds nothing new.
func TestPushedItemsAreLearned(t *testing.T) {
	t.Parallel()
	l := steadyFor(1, 3)
	l.Until = testNow.Add(-2 * time.Hour).UnixMilli()
	r := Report{Source: store.Source{State: store.SourceState{Visited: true, Learned: l.encode(), LastNew: testNow.Add(-time.Hour)}}, at: testNow, inDocument: 3, read: true}
	for _, ago := range []time.Duration{time.Hour, 90 * time.Minute, 5 * time.Hour} {
		r.Items = append(r.Items, store.Item{Published: testNow.Add(-ago)})
	}
	if o := r.observed(store.Changes{Same: 3}); len(o.published) != 2 {
		t.Errorf("learned from %v, want the two items since the last visit", o.published)
	}
	r.Source.State.LastNew = testNow.Add(-3 * time.Hour)
	if o := r.observed(store.Changes{Same: 3}); len(o.published) != 0 {
		t.Errorf("nothing was pushed, and it learned from %v", o.published)
	}
}
