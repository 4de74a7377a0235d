package store

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	noon := DayOf(time.Unix(1_730_000_000, 0)).Start().Add(12 * time.Hour)
	ordinary := func(i int) (time.Time, time.Time) {
		at := noon.Add(time.Duration(i) * 7 * time.Minute)
		return at, at.Add(4 * time.Minute)
	}
	for _, tc := range []struct {
		name  string
		n     int
		dates func(i int) (published, seen time.Time)
		want  Clock
	}{
		{"ordinary", 200, ordinary, ""},
		{"too few to say", learnAfter - 1, func(i int) (time.Time, time.Time) {
			at, _ := ordinary(i)
			return at, at.Add(-time.Hour)
		}, ""},
		{"one in ten is dated after it was seen", 200, func(i int) (time.Time, time.Time) {
			at, seen := ordinary(i)
			if i%10 == 0 {
				at = seen.Add(30 * time.Minute)
			}
			return at, seen
		}, ClockAhead},
		{"one mistyped date in a hundred", 200, func(i int) (time.Time, time.Time) {
			at, seen := ordinary(i)
			if i%100 == 0 {
				at = seen.Add(30 * time.Minute)
			}
			return at, seen
		}, ""},
		{"a minute ahead", 200, func(i int) (time.Time, time.Time) {
			at, _ := ordinary(i)
			return at, at.Add(-time.Minute)
		}, ""},
		{"days alone", 200, func(i int) (time.Time, time.Time) {
			at, seen := ordinary(i)
			return DayOf(at).Start(), seen
		}, ClockDays},
		{"seven hours behind", 200, func(i int) (time.Time, time.Time) {
			at, seen := ordinary(i)
			return at.Add(-7 * time.Hour), seen
		}, ClockBehind},
		{"behind, then mended", 1200, func(i int) (time.Time, time.Time) {
			at, seen := ordinary(i)
			if i < 300 {
				at = at.Add(-7 * time.Hour)
			}
			return at, seen
		}, ""},
	} {
		var c clockTally
		for i := range tc.n {
			published, seen := tc.dates(i)
			c.add(published, seen, true)
		}
		if got := c.clock(); got != tc.want {
			t.Errorf("%s: got %q, want %q of %+v", tc.name, got, tc.want, c)
		}
	}
}
