package aggregator

import (
	"fmt"
	"math"
	"strings"
	"time"

	"diemtin/store"
)

// When to visit a source again. After a good visit the law of schedule_plan.go
// decides, by what rate.go has learned; after a failure the waits grow.
const (
	jitter     = 0.1              // of an interval, to both sides: no two sources stay in step
	maxBackoff = 6 * time.Hour    // between two tries of a failing source: it is never given up
	goneEvery  = 24 * time.Hour   // a feed that answers 410 is still asked once a day
	throttled  = 15 * time.Minute // after a 429 that names no time
	// spread is the part of its interval that a source waits at least after a
	// visit that was late or its first: after a start many come together, and
	// must not stay together.
	spread = 0.4
)

// settled is what a visit taught about when to come again.
type settled struct {
	outcome    store.Outcome
	detail     string
	retryAfter time.Duration
	brought    bool // new or changed items
	seen       observation
	hints      Hints   // of this answer
	rand       float64 // 0 ≤ rand < 1
	now        time.Time
}

// settle is the source's state after a visit: a pure function.
func settle(st store.SourceState, every Every, v settled, p *plan) store.SourceState {
	low := time.Duration(every.Min)
	late := !st.Visited || v.now.Sub(st.NextAt) > st.Interval/2
	st.LastTry, st.Outcome, st.Detail = v.now, v.outcome, v.detail
	if v.outcome.OK() {
		st.Fails, st.Visited, st.LastSuccess = 0, true, v.now
		if v.brought {
			st.LastNew = v.now
		}
		return steady(st, every, v, late, p)
	}
	st.Fails++
	st.Interval, st.Why = retry(st.Fails, low, v)
	wait := time.Duration(float64(st.Interval) * (1 + jitter*(2*v.rand-1)))
	if v.retryAfter > 0 && wait < v.retryAfter { // never sooner than asked
		wait = v.retryAfter + time.Duration(float64(low)*jitter*v.rand)
	}
	st.NextAt = v.now.Add(wait)
	return st
}

// steady is the state after a good visit: what was learned, and when the law
// wants the next one.
func steady(st store.SourceState, every Every, v settled, late bool, p *plan) store.SourceState {
	l := decodeLearned(st.Learned)
	if st.LastNew.UnixMilli() > l.Until { // by this visit, or pushed by a hub since the last one
		l.Expected = 0
	}
	l = l.after(v, p)
	st.Learned = l.encode()
	pc := l.pace(every, v.now.UnixMilli())
	d := p.next(&l, pc, v.now, 1)
	st.Interval = d.at.Sub(v.now)
	st.NextAt = p.jittered(&l, pc, v, late)
	st.Why = why(&l, pc, d, st, v, p)
	return st
}

// after is what is known after a good visit.
func (l learned) after(v settled, p *plan) learned {
	l = l.observe(v.seen, &p.base)
	if v.seen.read {
		l.Hints = v.hints
	}
	l.Hints.Fresh = v.hints.Fresh
	return l
}

// pace is how dense the source's visits may be at a moment.
func (l *learned) pace(every Every, now int64) pace {
	gap := l.gap(now)
	if gap < 0.1 { // three days after the last one
		gap = 0
	}
	low, high := l.Hints.bounds(every, gap > 0)
	return pace{low: low, high: high, gap: gap, skip: l.Hints}
}

// jittered is the next visit, within the pace's bounds.
func (p *plan) jittered(l *learned, pc pace, v settled, late bool) time.Time {
	share, low := 1+jitter*(2*v.rand-1), pc.low+time.Duration(jitter*v.rand*float64(pc.low))
	if late {
		share = spread + (1-spread)*v.rand
	}
	wait := p.next(l, pc, v.now, share).at.Sub(v.now)
	if wait >= pc.high { // not all that wait the longest at the same time
		wait = time.Duration(float64(pc.high) * (1 - jitter*v.rand))
	}
	return v.now.Add(min(max(wait, low), pc.high))
}

// why says the law in words, for explain.
func why(l *learned, pc pace, d due, st store.SourceState, v settled, p *plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at this hour of the week; budget %.0f polls/h → every %s", perHour(d.rate), p.budget, inWords(st.Interval))
	hint, asked := l.Hints.longest()
	switch {
	case d.bound == atShortest && pc.low > 0 && asked >= pc.low && pc.gap == 0:
		fmt.Fprintf(&b, ", since its %s asks for %s", hint, inWords(asked))
	case d.bound == atShortest:
		b.WriteString(", its shortest interval")
	case d.bound == atLongest:
		b.WriteString(", its longest interval")
	}
	if d.holiday < 1 {
		fmt.Fprintf(&b, "; in the Tết holidays ×%.2g", d.holiday)
	}
	if burst := l.burst(0); burst > 1.5 {
		fmt.Fprintf(&b, "; ×%.2g in these hours", burst)
	}
	if l.Hints.Hours != 0 || l.Hints.Days != 0 {
		b.WriteString("; outside its skipHours and skipDays")
	}
	if pc.gap > 0 {
		b.WriteString("; sooner for a while: two visits had no item in common, so items may have been lost")
	}
	if silent(st, l, v.now) {
		fmt.Fprintf(&b, "; silent: about %.0f new items were expected since the last one", l.Expected)
	}
	return b.String()
}

// perHour writes a rate.
func perHour(rate float64) string {
	switch {
	case rate >= 0.1:
		return fmt.Sprintf("about %.2g items an hour", rate)
	case rate*24 >= 0.1:
		return fmt.Sprintf("about %.2g items a day", rate*24)
	}
	return "less than an item in ten days"
}

// inWords writes a duration as feeds.yaml would.
func inWords(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(math.Round(d.Hours()/24)))
	case d >= 2*time.Minute:
		d = d.Round(time.Minute)
	default:
		d = d.Round(time.Second)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func retry(fails int, low time.Duration, v settled) (time.Duration, string) {
	switch {
	case v.outcome == store.Gone:
		return goneEvery, "the feed answered 410 Gone, so it is asked once a day"
	case v.retryAfter > 0:
		return max(low, v.retryAfter), fmt.Sprintf("the server asked to wait %s", v.retryAfter.Round(time.Second))
	case v.outcome == store.Throttled:
		low = max(low, throttled)
	}
	wait := low
	for i := 1; i < fails && wait < maxBackoff; i++ {
		wait *= 2
	}
	return min(wait, max(maxBackoff, low)), failedSo(fails)
}

func failedSo(fails int) string {
	if fails == 1 {
		return "the last visit failed, so it is tried again soon"
	}
	return fmt.Sprintf("failed %d times in a row, so the waits grow", fails)
}
