package aggregator

import (
	"testing"
	"time"

	"diemtin/store"
)

var testNow = time.Date(2024, 11, 5, 14, 15, 0, 0, store.Zone)

func TestSettle(t *testing.T) {
	t.Parallel()
	every := Every{Min: Duration(5 * time.Minute), Max: Duration(2 * time.Hour)}
	hour := store.SourceState{Interval: time.Hour, Visited: true}
	failing := store.SourceState{Interval: 10 * time.Minute, Fails: 3, Visited: true}
	for _, tt := range []struct {
		name  string
		state store.SourceState
		v     settled
		want  time.Duration
		fails int
	}{
		{"first visit", store.SourceState{}, settled{outcome: store.New, brought: true}, 5 * time.Minute, 0},
		{"news shortens", hour, settled{outcome: store.New, brought: true}, 42 * time.Minute, 0},
		{"nothing new lengthens", hour, settled{outcome: store.NotModified}, 78 * time.Minute, 0},
		{"never above the maximum", store.SourceState{Interval: 2 * time.Hour}, settled{outcome: store.Unchanged}, 2 * time.Hour, 0},
		{"never below the minimum", store.SourceState{Interval: 5 * time.Minute}, settled{outcome: store.New, brought: true}, 5 * time.Minute, 0},
		{"first failure", hour, settled{outcome: store.HTTP5xx}, 5 * time.Minute, 1},
		{"fourth failure", failing, settled{outcome: store.Timeout}, 40 * time.Minute, 4},
		{"never given up", store.SourceState{Fails: 1000}, settled{outcome: store.DNS}, maxBackoff, 1001},
		{"success forgives", failing, settled{outcome: store.NotModified}, 13 * time.Minute, 0},
		{"retry after", hour, settled{outcome: store.Throttled, retryAfter: time.Hour}, time.Hour, 1},
		{"429 without a time", hour, settled{outcome: store.Throttled}, throttled, 1},
		{"gone", hour, settled{outcome: store.Gone}, goneEvery, 1},
	} {
		tt.v.now, tt.v.rand = testNow, 0.5 // the middle of the jitter
		st := settle(tt.state, every, tt.v)
		got := st.NextAt.Sub(testNow)
		if tt.v.retryAfter > 0 && got >= tt.want && got <= tt.want+time.Minute {
			got = tt.want
		}
		if got.Round(time.Second) != tt.want || st.Fails != tt.fails || st.Why == "" {
			t.Errorf("%s: next in %v (%s), %d failures; want %v, %d", tt.name, got, st.Why, st.Fails, tt.want, tt.fails)
		}
	}
}

// Whatever happens, the next visit lies between the bounds, and a server that
// asked for patience gets it.
func TestSettleStaysWithinBounds(t *testing.T) {
	t.Parallel()
	every := Every{Min: Duration(time.Minute), Max: Duration(time.Hour)}
	st := store.SourceState{}
	for i := range 2000 {
		v := settled{outcome: store.Outcomes[i%len(store.Outcomes)], brought: i%3 == 0, rand: float64(i%100) / 100, now: testNow}
		if v.outcome == store.Throttled {
			v.retryAfter = 30 * time.Minute
		}
		st = settle(st, every, v)
		wait := st.NextAt.Sub(testNow)
		if low := time.Minute - 6*time.Second; wait < low || wait > goneEvery+goneEvery/10 {
			t.Fatalf("after %s the next visit is in %v", v.outcome, wait)
		}
		if wait < v.retryAfter {
			t.Fatalf("asked to wait %v, came after %v", v.retryAfter, wait)
		}
	}
}
