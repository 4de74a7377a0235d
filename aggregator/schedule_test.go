package aggregator

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

var testNow = time.Date(2024, 11, 5, 14, 15, 0, 0, store.Zone)

func testEvery() Every {
	return Every{Min: Duration(5 * time.Minute), Max: Duration(2 * time.Hour)}
}

// testPlan is a plan of sources that know nothing yet.
func testPlan(sources int, budget float64) *plan {
	all := make([]planned, sources)
	for i := range all {
		all[i].pace = all[i].learned.pace(testEvery(), testNow.UnixMilli())
	}
	p := newPlan(all, budget, testNow.UnixMilli())
	return &p
}

// steadyFor is a source that published n items an hour, evenly, for some days
// until now.
func steadyFor(perHour float64, days int) learned {
	l := learned{}
	p := flat()
	now := testNow.AddDate(0, 0, -days)
	l = l.observe(observation{now: now, first: true}, &p)
	n := 0.0
	for now.Before(testNow) {
		now = now.Add(20 * time.Minute)
		o := observation{now: now, read: true, items: 30}
		for n += perHour / 3; n >= 1; n-- {
			o.published = append(o.published, now.Add(-10*time.Minute))
		}
		l = l.observe(o, &p)
	}
	return l
}

func TestSettleAfterFailures(t *testing.T) {
	t.Parallel()
	hour := store.SourceState{Interval: time.Hour, Visited: true}
	failing := store.SourceState{Interval: 10 * time.Minute, Fails: 3, Visited: true, Learned: steadyFor(2, 3).encode()}
	for _, tt := range []struct {
		name  string
		state store.SourceState
		v     settled
		want  time.Duration
		fails int
	}{
		{"first failure", hour, settled{outcome: store.HTTP5xx}, 5 * time.Minute, 1},
		{"fourth failure", failing, settled{outcome: store.Timeout}, 40 * time.Minute, 4},
		{"never given up", store.SourceState{Fails: 1000}, settled{outcome: store.DNS}, maxBackoff, 1001},
		{"retry after", hour, settled{outcome: store.Throttled, retryAfter: time.Hour}, time.Hour, 1},
		{"429 without a time", hour, settled{outcome: store.Throttled}, throttled, 1},
		{"gone", hour, settled{outcome: store.Gone}, goneEvery, 1},
	} {
		tt.v.now, tt.v.rand = testNow, 0.5 // the middle of the jitter
		st := settle(tt.state, testEvery(), tt.v, testPlan(10, 40))
		got := st.NextAt.Sub(testNow)
		if tt.v.retryAfter > 0 && got >= tt.want && got <= tt.want+time.Minute {
			got = tt.want
		}
		if got.Round(time.Second) != tt.want || st.Fails != tt.fails || st.Why == "" {
			t.Errorf("%s: next in %v (%s), %d failures; want %v, %d", tt.name, got, st.Why, st.Fails, tt.want, tt.fails)
		}
		if st.Learned != tt.state.Learned {
			t.Errorf("%s: a failure changed what was learned", tt.name)
		}
	}
	st := settle(failing, testEvery(), settled{outcome: store.NotModified, now: testNow, rand: 0.5, seen: observation{now: testNow}}, testPlan(10, 40))
	if st.Fails != 0 || st.LastSuccess != testNow {
		t.Errorf("a good visit did not forgive: %+v", st)
	}
}

// Whatever happens, the next visit lies within the bounds, and a server that
// asked for patience gets it.
func TestSettleStaysWithinBounds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		low := time.Duration(1+r.IntN(3600)) * time.Second
		every := Every{Min: Duration(low), Max: Duration(low + time.Duration(r.IntN(86400))*time.Second)}
		p := testPlan(1+r.IntN(100), 1+1000*r.Float64())
		st, now := store.SourceState{}, testNow.Add(time.Duration(r.IntN(1000))*time.Hour)
		for range 50 {
			v := settled{outcome: store.Outcomes[r.IntN(len(store.Outcomes))], rand: r.Float64(), now: now}
			v.seen = observation{now: now, first: !st.Visited, gap: r.IntN(20) == 0, read: true, items: r.IntN(40)}
			for range r.IntN(40) * r.IntN(2) {
				v.seen.published = append(v.seen.published, now.Add(-time.Duration(r.ExpFloat64()*float64(time.Hour))), time.Time{})
			}
			v.hints = Hints{Fresh: time.Duration(r.IntN(1e6)) * time.Second * time.Duration(r.IntN(2)), TTL: time.Duration(r.IntN(100)) * time.Minute,
				Hours: r.Uint32() & r.Uint32() & r.Uint32(), Days: uint8(r.Uint32() & r.Uint32())}
			if v.outcome == store.Throttled {
				v.retryAfter = 30 * time.Minute
			}
			st = settle(st, every, v, p)
			wait := st.NextAt.Sub(now)
			if v.outcome.OK() && (wait < time.Duration(every.Min) || wait > time.Duration(every.Max)) {
				t.Fatalf("after %s: %v, want between %v and %v (%s)", v.outcome, wait, time.Duration(every.Min), time.Duration(every.Max), st.Why)
			}
			if !v.outcome.OK() && (wait < low*9/10 || wait > goneEvery*11/10) {
				t.Fatalf("after %s the next visit is in %v", v.outcome, wait)
			}
			if wait < v.retryAfter {
				t.Fatalf("asked to wait %v, came after %v", v.retryAfter, wait)
			}
			if len(st.Learned) > 2048 {
				t.Fatalf("the state has %d bytes", len(st.Learned))
			}
			now = now.Add(max(wait, time.Second))
		}
	}
}

// Visits over all sources meet the budget, whatever their rates, wherever the
// bounds allow it.
func TestBudgetIsMet(t *testing.T) {
	t.Parallel()
	budgets := []float64{1.2, 4, 9}
	if testing.Short() {
		budgets = budgets[1:2]
	}
	for _, perSource := range budgets {
		tr := generate(3, 25)
		f := learning(tr, testEvery(), perSource*25, 1)
		got := float64(f.polls) / (float64(tr.end-tr.measure) / hourMS)
		if want := perSource * 25; got < want*0.9 || got > want*1.1 {
			t.Errorf("%.1f polls an hour, want %.1f within a tenth", got, want)
		}
	}
	for _, tt := range []struct {
		name         string
		budget, want float64
	}{{"more than the shortest intervals allow", 1e6, 12}, {"less than the longest allow", 1, 0.5}} {
		p := testPlan(100, tt.budget)
		d := p.next(&learned{}, pace{low: 5 * time.Minute, high: 2 * time.Hour}, testNow, 1)
		if got := 1 / d.at.Sub(testNow).Hours(); got < tt.want*0.99 || got > tt.want*1.01 {
			t.Errorf("%s: %.2f visits an hour, want %.2f", tt.name, got, tt.want)
		}
	}
}

// A source with four times the rate is visited twice as often; at night hardly.
func TestTheLaw(t *testing.T) {
	t.Parallel()
	p := testPlan(10, 40)
	slow, fast := steadyFor(1, 28), steadyFor(4, 28)
	pc := pace{low: time.Second, high: 100 * time.Hour}
	wait := func(l *learned) float64 { return p.next(l, pc, testNow, 1).at.Sub(testNow).Hours() }
	if ratio := wait(&slow) / wait(&fast); ratio < 1.8 || ratio > 2.1 {
		t.Errorf("waits %.2fh and %.2fh, want twice", wait(&slow), wait(&fast))
	}
	before := wait(&slow)
	if pc.gap = 1; wait(&slow) > before*0.6 {
		t.Errorf("after a gap the wait is %.2fh, before it %.2fh, want half", wait(&slow), before)
	}
	pc.gap = 0
	office := learned{Until: testNow.UnixMilli()}
	for bin := range weekBins {
		office.secs[bin] = 8 * 3600
		if hour := bin % 24; hour >= 8 && hour < 17 {
			office.count[bin] = 8 * 4 * 32 // four an hour
		}
	}
	at := func(hour int) time.Duration {
		now := time.Date(2024, 11, 5, hour, 0, 0, 0, store.Zone)
		return p.next(&office, pc, now, 1).at.Sub(now)
	}
	if day, night := at(10), at(20); night < 10*day {
		t.Errorf("an office that sleeps at night is visited after %v at ten and %v at eight in the evening", day, night)
	}
	if before := at(7); before > time.Hour+at(8) {
		t.Errorf("asked at seven, the wait of %v does not see the morning coming", before)
	}
}

// After a start, sources that were due together must not stay together.
func TestNoHerdAfterAStart(t *testing.T) {
	t.Parallel()
	p := testPlan(100, 400)
	r := rand.New(rand.NewPCG(2, 2))
	first, last := 24*time.Hour, time.Duration(0)
	for range 100 {
		st := settle(store.SourceState{}, testEvery(), settled{outcome: store.New, now: testNow, rand: r.Float64(), seen: observation{now: testNow, first: true}}, p)
		wait := st.NextAt.Sub(testNow)
		first, last = min(first, wait), max(last, wait)
	}
	if last < 2*first {
		t.Errorf("the next visits of 100 sources lie between %v and %v", first, last)
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	busy := steadyFor(3, 21)
	visit := func(l learned, now time.Time, change func(*settled, *store.SourceState)) string {
		v := settled{outcome: store.NotModified, now: now, rand: 0.5, seen: observation{now: now}}
		st := store.SourceState{Learned: l.encode(), Visited: true, NextAt: now, Interval: time.Hour, LastNew: testNow.Add(-time.Hour)}
		change(&v, &st)
		return settle(st, testEvery(), v, testPlan(300, 1200)).Why
	}
	nothing := func(*settled, *store.SourceState) {}
	read := func(h Hints) func(*settled, *store.SourceState) {
		return func(v *settled, _ *store.SourceState) { v.seen.read, v.hints, v.seen.items = true, h, 20 }
	}
	tet := time.Date(2025, 1, 29, 10, 0, 0, 0, store.Zone)
	silentOne := busy
	silentOne.Expected = 40
	for _, tt := range []struct{ name, got, want string }{
		{"the law", visit(busy, testNow, nothing), "about 3 items an hour at this hour of the week; budget 1200 polls/h → every 6m"},
		{"unknown", visit(learned{}, testNow, nothing), "about 0.5 items an hour at this hour of the week; budget 1200 polls/h → every 15m"},
		{"ttl", visit(busy, testNow, read(Hints{TTL: time.Hour})), "about 3 items an hour at this hour of the week; budget 1200 polls/h → every 1h, since its ttl asks for 1h"},
		{"shortest", visit(steadyFor(60, 10), testNow, nothing), "about 61 items an hour at this hour of the week; budget 1200 polls/h → every 5m, its shortest interval"},
		{"longest", visit(steadyFor(0, 60), testNow, nothing), "less than an item in ten days at this hour of the week; budget 1200 polls/h → every 2h, its longest interval"},
		{"skipDays", visit(busy, testNow, read(Hints{Days: 1})), "; outside its skipHours and skipDays"},
		{"gap", visit(busy, testNow, func(v *settled, _ *store.SourceState) { v.seen.gap = true }), "→ every 5m, its shortest interval; sooner for a while: two visits had no item in common"},
		{"silent", visit(silentOne, testNow, func(_ *settled, st *store.SourceState) { st.LastNew = testNow.Add(-12 * time.Hour) }), "; silent: about 40 new items were expected since the last one"},
		{"Tết", visit(learned{Until: tet.Add(-time.Minute).UnixMilli()}, tet, nothing), "; in the Tết holidays ×0.5"},
	} {
		if tt.name == "the law" && tt.got != tt.want || !strings.Contains(tt.got, tt.want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestSilent(t *testing.T) {
	t.Parallel()
	l := steadyFor(2, 21)
	p := flat()
	st := store.SourceState{Outcome: store.NotModified, LastNew: testNow}
	alarmed := time.Duration(0)
	for now := testNow; now.Before(testNow.Add(48 * time.Hour)); now = now.Add(30 * time.Minute) {
		l = l.observe(observation{now: now}, &p)
		if silent(st, &l, now) && alarmed == 0 {
			alarmed = now.Sub(testNow)
		}
	}
	if alarmed < 4*time.Hour || alarmed > 12*time.Hour {
		t.Errorf("two items an hour, then none: alarm after %v, want about six hours", alarmed)
	}
	l = l.observe(observation{now: testNow.Add(49 * time.Hour), published: []time.Time{testNow.Add(48*time.Hour + 50*time.Minute)}}, &p)
	if st.LastNew = testNow.Add(49 * time.Hour); silent(st, &l, testNow.Add(55*time.Hour)) {
		t.Error("still silent after a new item")
	}
	slow := steadyFor(0.05, 21)
	slow = slow.observe(observation{now: testNow.Add(48 * time.Hour)}, &p)
	if st.LastNew = testNow; silent(st, &slow, testNow.Add(48*time.Hour)) {
		t.Error("a slow source is silent after two days")
	}
}
