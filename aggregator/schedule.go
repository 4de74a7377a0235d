package aggregator

import (
	"fmt"
	"time"

	"diemtin/store"
)

// The scheduling rule, at its first depth: an interval per source that shrinks
// when a visit brought news and grows when it did not, within the source's
// bounds.
const (
	shrink     = 0.7
	grow       = 1.3
	jitter     = 0.1              // of an interval, to both sides: no two sources stay in step
	maxBackoff = 6 * time.Hour    // between two tries of a failing source: it is never given up
	goneEvery  = 24 * time.Hour   // a feed that answers 410 is still asked once a day
	throttled  = 15 * time.Minute // after a 429 that names no time
)

// settled is what a visit taught about when to come again.
type settled struct {
	outcome    store.Outcome
	detail     string
	retryAfter time.Duration
	brought    bool    // new or changed items
	rand       float64 // 0 ≤ rand < 1
	now        time.Time
}

// settle is the source's state after a visit: a pure function.
func settle(st store.SourceState, every Every, v settled) store.SourceState {
	low, high := time.Duration(every.Min), time.Duration(every.Max)
	st.LastTry, st.Outcome, st.Detail = v.now, v.outcome, v.detail
	if v.outcome.OK() {
		st.Fails, st.Visited, st.LastSuccess = 0, true, v.now
		st.Interval, st.Why = steady(st.Interval, low, high, v.brought)
		if v.brought {
			st.LastNew = v.now
		}
	} else {
		st.Fails++
		st.Interval, st.Why = retry(st.Fails, low, v)
	}
	wait := time.Duration(float64(st.Interval) * (1 + jitter*(2*v.rand-1)))
	if v.retryAfter > 0 && wait < v.retryAfter { // never sooner than asked
		wait = v.retryAfter + time.Duration(float64(low)*jitter*v.rand)
	}
	st.NextAt = v.now.Add(wait)
	return st
}

func steady(last, low, high time.Duration, brought bool) (time.Duration, string) {
	switch {
	case last == 0:
		return low, "first visits are at the shortest interval"
	case brought:
		next := max(time.Duration(float64(last)*shrink), low)
		return min(next, high), "the last visit brought news, so the next is sooner"
	}
	next := min(time.Duration(float64(last)*grow), high)
	return max(next, low), "the last visit brought nothing new, so the next is later"
}

func retry(fails int, low time.Duration, v settled) (time.Duration, string) {
	switch {
	case v.outcome == store.Gone:
		return goneEvery, "the feed answered 410 Gone, so it is asked once a day"
	case v.retryAfter > 0:
		return max(low, v.retryAfter), fmt.Sprintf("the server asked to wait %s", v.retryAfter)
	case v.outcome == store.Throttled:
		low = max(low, throttled)
	}
	wait := low
	for i := 1; i < fails && wait < maxBackoff; i++ {
		wait *= 2
	}
	return min(wait, max(maxBackoff, low)), fmt.Sprintf("failed %d times in a row, so the waits grow", fails)
}
