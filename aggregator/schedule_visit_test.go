package aggregator

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
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
	n.set("/rss", feedOf("Tin ba", "Tin bốn", "Tin năm"))
	n.set("/calm", feedOf("Tin mới", "Tin yên", "Tin cũ"))
	n.set("/empty", feedOf("Tin đầu tiên"))
	second := runRound(t, a)
	for id, want := range map[string]float64{"rss": 1, "calm": 0, "empty": 0} {
		if got := testutil.ToFloat64(a.metrics.gaps.WithLabelValues(id)); got != want {
			t.Errorf("%s: %v gaps, want %v", id, got, want)
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
