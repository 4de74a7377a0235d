package syndicate

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// counting is a store that writes down which days were counted.
type counting struct {
	Store
	asked []string
}

func (c *counting) DayCounts(ctx context.Context, sel store.Selection, first, last store.Day) (map[store.Day]int, bool, error) {
	c.asked = append(c.asked, string(first)+" "+string(last))
	return c.Store.DayCounts(ctx, sel, first, last)
}

// TestMonthIsCountedOnce: a day is counted again only when something of it has
// changed.
func TestMonthIsCountedOnce(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	st := &counting{Store: site.server.store}
	site.server.store = st
	all, _ := site.server.cfg.channel("", "")
	today := store.DayOf(site.clock.now())
	count := func(want map[store.Day]int, asked ...string) {
		t.Helper()
		st.asked = nil
		got, ok, err := site.server.monthCounts(t.Context(), &all, today.Prev().Prev(), today)
		if err != nil || !ok || !maps.Equal(got, want) {
			t.Errorf("got %v %t %v, want %v", got, ok, err, want)
		}
		if strings.Join(st.asked, ", ") != strings.Join(asked, ", ") {
			t.Errorf("days counted: %q, want %q", st.asked, asked)
		}
	}
	count(map[store.Day]int{})
	site.publish("laocai", "kinh-te", 1, 2)
	count(map[store.Day]int{today: 2}, string(today+" "+today))
	count(map[store.Day]int{today: 2})
	site.publish("laocai", "kinh-te", 3)
	count(map[store.Day]int{today: 3}, string(today+" "+today))
	site.clock.forward(-24 * time.Hour) // news of yesterday that comes late
	yesterday := store.DayOf(site.clock.now())
	site.publish("trunguong", "kinh-te", 4)
	count(map[store.Day]int{today: 3, yesterday: 1}, string(yesterday+" "+yesterday))
	count(map[store.Day]int{today: 3, yesterday: 1})
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][2]string{0: {"0", "0"}, 999: {"999", "999"}, 1204: {"1.204", "1,204"}, 1234567: {"1.234.567", "1,234,567"}} {
		for i, l := range languages {
			if got := l.number(n); got != want[i] {
				t.Errorf("%d in %s: got %s, want %s", n, l.tag, got, want[i])
			}
		}
	}
}

func TestDots(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{2: "••", maxDots: strings.Repeat("•", maxDots), maxDots + 1: strings.Repeat("•", maxDots) + "…"} {
		if got := dots(n); got != want {
			t.Errorf("%d outlets: %q, want %q", n, got, want)
		}
	}
}

// TestWeight: half after six hours, and never more for a date in the future.
func TestWeight(t *testing.T) {
	t.Parallel()
	newest := time.Date(2024, 11, 5, 12, 0, 0, 0, store.Zone)
	for _, tt := range []struct {
		ago      time.Duration
		carriers int
		want     float64
	}{{0, 8, 8}, {6 * time.Hour, 8, 4}, {12 * time.Hour, 8, 2}, {-time.Hour, 8, 8}} {
		l := store.Lead{Story: store.Story{Shown: newest.Add(-tt.ago), Carriers: tt.carriers}}
		if got := weight(&l, newest); got != tt.want {
			t.Errorf("%d outlets %v ago: %v, want %v", tt.carriers, tt.ago, got, tt.want)
		}
	}
}
