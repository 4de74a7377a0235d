package aggregator

import (
	"math"
	"testing"
	"time"

	"diemtin/store"
)

func TestWeek(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{testNow, time.Date(2024, 11, 3, 0, 0, 0, 0, store.Zone), time.Date(1969, 12, 31, 23, 59, 0, 0, store.Zone), time.Date(2024, 11, 9, 23, 59, 59, 0, store.Zone)} {
		if got, want := binOf(at.UnixMilli()), int(at.Weekday())*24+at.Hour(); got != want {
			t.Errorf("%s is hour %d of the week, want %d", at, got, want)
		}
	}
	hours, n := 0.0, 0
	for p := range pieces(testNow.UnixMilli(), testNow.Add(3*time.Hour).UnixMilli()) {
		hours, n = hours+p.hours, n+1
		if p.whole != (n > 1) {
			t.Errorf("piece %d: whole is %v", n, p.whole)
		}
	}
	if n != 4 || math.Abs(hours-3) > 1e-9 {
		t.Errorf("three hours from a quarter past are %d pieces of %v hours", n, hours)
	}
	for day, want := range map[string]bool{"2024-02-07": false, "2024-02-08": true, "2024-02-10": true, "2024-02-14": true, "2024-02-15": false, "2030-01-31": true, "2030-02-07": false} {
		at, _ := time.ParseInLocation(time.DateOnly, day, store.Zone)
		if inTet(at.UnixMilli()) != want || inTet(at.Add(24*time.Hour-time.Second).UnixMilli()) != want {
			t.Errorf("%s in the Tết holidays: want %v", day, want)
		}
	}
}

func TestLearnedIsStoredWhole(t *testing.T) {
	t.Parallel()
	l := steadyFor(5, 30)
	l.Hints, l.Gap, l.GapAt = Hints{TTL: time.Hour, Hours: 5, Days: 3, Fresh: time.Minute}, 1.5, testNow.UnixMilli()
	if got := decodeLearned(l.encode()); got != l {
		t.Errorf("got %+v\nwant %+v", got, l)
	}
	for i := range l.count {
		l.count[i], l.secs[i] = math.MaxUint16, math.MaxUint16
	}
	if n := len(l.encode()); n > 2048 {
		t.Errorf("a full state has %d bytes, want at most 2048", n)
	}
	for _, text := range []string{"", "{", "null", `{"count":"AAA="}`, `{"fast":7}`} {
		if got := decodeLearned(text); got != (learned{}) {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

// meanRate is the mean of a source's week.
func meanRate(l *learned) (mean float64) {
	p := flat()
	week := l.rates(&p)
	for _, r := range week {
		mean += r / weekBins
	}
	return mean
}

func TestObserve(t *testing.T) {
	t.Parallel()
	p := flat()
	hoursAgo := func(hours ...float64) (all []time.Time) {
		for _, h := range hours {
			all = append(all, testNow.Add(-time.Duration(h*float64(time.Hour))))
		}
		return all
	}
	known := steadyFor(2, 28)
	known.Until = testNow.Add(-time.Hour).UnixMilli()
	for _, tt := range []struct {
		name      string
		from      learned
		o         observation
		low, high float64 // of the mean rate
	}{
		{"knows nothing", learned{}, observation{now: testNow, first: true}, 0.5, 0.5},
		{"a first document tells the rate", learned{}, observation{now: testNow, first: true, published: hoursAgo(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)}, 0.8, 1.2},
		{"a pinned item of last year does not spoil it", learned{}, observation{now: testNow, first: true, published: hoursAgo(1, 2, 3, 4, 5, 6, 7, 8, 9, 9000)}, 0.7, 1.3},
		{"all with the same date tell nothing", learned{}, observation{now: testNow, first: true, published: hoursAgo(5, 5, 5, 5, 5, 5, 5, 5, 5, 5)}, 0, 0.5},
		{"a page dated to the moment it was made tells nothing", learned{}, observation{now: testNow, first: true, published: hoursAgo(0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007)}, 0.5, 0.5},
		{"what lost items left tells of the time since the last visit only", known, observation{now: testNow, gap: true, published: hoursAgo(20, 40, 60, 80, 100, 120, 140, 160, 180, 200)}, 1.9, 2.05},
		{"two items tell nothing", learned{}, observation{now: testNow, first: true, published: hoursAgo(0.1, 0.2)}, 0.5, 0.5},
		{"a first document of last year is a slow source", learned{}, observation{now: testNow, first: true, published: hoursAgo(8000, 8100, 8200, 8300, 8400, 8500)}, 0, 0.01},
		{"days without times tell no hour", learned{}, observation{now: testNow, first: true, published: []time.Time{
			time.Date(2024, 11, 5, 0, 0, 0, 0, store.Zone), time.Date(2024, 11, 4, 0, 0, 0, 0, store.Zone), time.Date(2024, 11, 3, 0, 0, 0, 0, store.Zone), time.Date(2024, 11, 2, 0, 0, 0, 0, store.Zone)}}, 0.5, 0.5},
		{"a burst does not last", known, observation{now: testNow, published: make([]time.Time, 200)}, 1.9, 2.3},
		{"old items are backfill", known, observation{now: testNow, published: hoursAgo(100, 200, 300, 400, 5000, 6000)}, 1.9, 2.05},
	} {
		if tt.from == known { // the hour after
			tt.from.Until = testNow.Add(-time.Hour).UnixMilli()
		}
		l := tt.from.observe(tt.o, &p)
		if got := meanRate(&l); got < tt.low-1e-9 || got > tt.high+1e-9 {
			t.Errorf("%s: %.3f items an hour, want %.3f to %.3f", tt.name, got, tt.low, tt.high)
		}
		if l.Until != testNow.UnixMilli() {
			t.Errorf("%s: observed until %d", tt.name, l.Until)
		}
	}
}

// An archive that is imported in the minutes before the first visit must not
// hide what the source does afterwards: an item every six hours.
func TestImportedArchive(t *testing.T) {
	t.Parallel()
	p := flat()
	for _, within := range []time.Duration{30 * time.Second, 10 * time.Minute, 50 * time.Minute} {
		o := observation{now: testNow, first: true, items: 50, read: true}
		for i := range 50 {
			o.published = append(o.published, testNow.Add(-within*time.Duration(i+1)/50))
		}
		l := learned{}.observe(o, &p)
		for now := testNow.Add(time.Hour); now.Before(testNow.AddDate(0, 0, 3)); now = now.Add(time.Hour) {
			o = observation{now: now}
			if now.Hour()%6 == 0 {
				o.published = []time.Time{now.Add(-time.Minute)}
			}
			l = l.observe(o, &p)
		}
		if got, want := meanRate(&l)*l.level(), 1.0/6; got < want/2 || got > want*2 {
			t.Errorf("50 items within %v, then %.2f an hour for three days: %.3f expected", within, want, got)
		}
	}
}

// What was true two months ago must give way to what is true now.
func TestForgetting(t *testing.T) {
	t.Parallel()
	l := steadyFor(8, 56)
	p := flat()
	for now := testNow; now.Before(testNow.AddDate(0, 0, 56)); now = now.Add(time.Hour) {
		o := observation{now: now}
		if now.Hour()%4 == 0 {
			o.published = []time.Time{now.Add(-time.Minute)}
		}
		l = l.observe(o, &p)
	}
	if got := meanRate(&l) * l.level(); got > 3 {
		t.Errorf("8 items an hour for two months, then 0.25: %.2f after two more, want below 3", got)
	}
}

// Holidays teach about holidays, not about ordinary weeks.
func TestTet(t *testing.T) {
	t.Parallel()
	l := steadyFor(2, 28)
	p := flat()
	before := l.rates(&p)
	tet := time.Date(2025, 1, 27, 1, 0, 0, 0, store.Zone)
	l.Until = tet.UnixMilli()
	for now := tet; now.Before(tet.AddDate(0, 0, 6)); now = now.Add(time.Hour) {
		l = l.observe(observation{now: now}, &p)
	}
	after := l.rates(&p)
	if before != after {
		t.Error("six quiet holidays changed the profile")
	}
	if got := l.holiday(true); got > 0.1 {
		t.Errorf("nothing came in the holidays, and the next ones are expected at %.2f", got)
	}
}

func TestProfileOfAll(t *testing.T) {
	t.Parallel()
	all := make([]planned, 20)
	for i := range all {
		l := &all[i].learned
		for bin := range weekBins {
			l.secs[bin] = 4 * 3600
			if bin%24 == 8 {
				l.count[bin] = uint16(4 * 32 * (i + 1))
			}
		}
	}
	p := newProfile(all)
	fresh := learned{}
	week := fresh.rates(&p)
	if week[32] < 10*week[40] {
		t.Errorf("all publish at eight; a new source is expected at %.3f then and %.3f at four", week[32], week[40])
	}
	mean := 0.0
	for _, f := range p.shape {
		mean += f / weekBins
	}
	if math.Abs(mean-1) > 1e-9 {
		t.Errorf("the mean factor is %v", mean)
	}
}
