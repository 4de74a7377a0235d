package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"diemtin/store"
)

// A host belongs to one process at a time, and goes to the next with what that
// has to know.
func TestHostPassesOn(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		take := func(by string, at time.Time) (store.HostState, bool, time.Time) {
			t.Helper()
			st, mine, free, err := db.TakeHost(t.Context(), store.HostClaim{Host: "a.vn", Now: at, Lease: time.Minute, By: by})
			if err != nil {
				t.Fatal(err)
			}
			return st, mine, free
		}
		leave := func(by string, st store.HostState) {
			t.Helper()
			if err := db.LeaveHost(t.Context(), "a.vn", by, st); err != nil {
				t.Fatal(err)
			}
		}
		if st, mine, _ := take("one", now); !mine || !st.Ready.IsZero() || len(st.Waits) > 0 {
			t.Errorf("a host that nobody has asked: mine %v, %+v", mine, st)
		}
		if _, mine, free := take("two", now.Add(time.Second)); mine || !free.Equal(now.Add(time.Minute)) {
			t.Errorf("another gets it too: %v, or may have it from %v", mine, free)
		}
		if _, mine, _ := take("one", now.Add(time.Second)); !mine {
			t.Error("its own claim is not kept")
		}
		left := store.HostState{Ready: now.Add(5 * time.Second), IP: "203.0.113.1", Waits: map[string]time.Time{"home": now.Add(time.Hour)}}
		leave("one", left)
		st, mine, _ := take("two", now.Add(2*time.Second))
		if !mine || !st.Ready.Equal(left.Ready) || st.IP != left.IP || !st.Waits["home"].Equal(left.Waits["home"]) {
			t.Errorf("the next gets %+v, want %+v", st, left)
		}
		// The first was stopped, comes back, and gives back what is not its own:
		// its pause is kept, nothing else.
		leave("one", store.HostState{Ready: now.Add(9 * time.Second), IP: "203.0.113.9"})
		if _, mine, _ := take("three", now.Add(3*time.Second)); mine {
			t.Error("a host was given back by one who did not have it")
		}
		leave("two", store.HostState{Ready: now.Add(4 * time.Second)})
		if st, mine, _ = take("three", now.Add(5*time.Second)); !mine || !st.Ready.Equal(now.Add(9*time.Second)) || st.IP != left.IP || len(st.Waits) > 0 {
			t.Errorf("after both: %v, %+v", mine, st)
		}
		if _, mine, _ = take("four", now.Add(2*time.Minute)); !mine {
			t.Error("the host of a process that died stays its own")
		}
		leave("four", store.HostState{})
		if err := db.ForgetHosts(t.Context(), now.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if st, _, _ := take("five", now.Add(24*time.Hour)); !st.Ready.IsZero() {
			t.Errorf("a host that nobody asked for a day is remembered: %+v", st)
		}
	})
}

// Many processes at once: one has the host.
func TestHostIsOneProcessesAtATime(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var inside, turns atomic.Int64
		var wg sync.WaitGroup
		for w := range 8 {
			by := fmt.Sprint(w)
			wg.Go(func() {
				for turns.Load() < 40 {
					_, mine, _, err := db.TakeHost(t.Context(), store.HostClaim{Host: "a.vn", Now: now, Lease: time.Minute, By: by})
					if err != nil {
						t.Error(err)
						return
					}
					if !mine {
						continue
					}
					turns.Add(1)
					if n := inside.Add(1); n != 1 {
						t.Errorf("%d are inside", n)
					}
					inside.Add(-1)
					if err := db.LeaveHost(t.Context(), "a.vn", by, store.HostState{}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// Whoever asks one machine gets a moment of his own, a pause after the last.
func TestTurnsOfAMachine(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, tt := range []struct{ at, want time.Duration }{{0, 0}, {0, time.Second}, {300 * time.Millisecond, 2 * time.Second}, {5 * time.Second, 5 * time.Second}} {
			got, err := db.TakeTurn(t.Context(), "203.0.113.1", now.Add(tt.at), time.Second)
			if err != nil || !got.Equal(now.Add(tt.want)) {
				t.Errorf("turn %d: %v (%v), want after %v", i, got.Sub(now), err, tt.want)
			}
		}
		if err := db.LeaveHost(t.Context(), "b.vn", "one", store.HostState{Ready: now.Add(9 * time.Second), IP: "203.0.113.1"}); err != nil {
			t.Fatal(err)
		}
		if got, err := db.TakeTurn(t.Context(), "203.0.113.1", now.Add(6*time.Second), time.Second); err != nil || !got.Equal(now.Add(9*time.Second)) {
			t.Errorf("after a long request: %v (%v), want 9s", got.Sub(now), err)
		}
	})
}

// A process that was stopped past its lease comes back with an old document.
// What is newer stands; what only that document had is kept.
func TestLateVisitChangesNothingNewer(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		claim := func(by string, at time.Time) store.Source {
			t.Helper()
			got, err := db.Due(t.Context(), store.Claim{Now: at, Lease: time.Minute, By: by, Limit: 1})
			if err != nil || len(got) != 1 {
				t.Fatalf("%s claims %d, %v", by, len(got), err)
			}
			return got[0]
		}
		record := func(s store.Source, at time.Time, etag string, items ...store.Item) store.Changes {
			t.Helper()
			c, err := db.Record(t.Context(), store.Refresh{Source: s, At: at, Items: items, Settle: func(store.Changes) store.SourceState {
				st := s.State
				st.Visited, st.LastTry, st.NextAt, st.ETag, st.Outcome = true, at, at.Add(time.Hour), etag, store.New
				return st
			}}, sameTitle{})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		old, edited, lost := article("o0", "Lũ trên sông Hồng", now), article("o0", "Lũ trên sông Hồng", now), article("o0", "Họp chi bộ", now)
		edited.Summary, edited.Fingerprint = "Nước đã rút", 99
		stopped := claim("one", now)
		newer := claim("two", now.Add(2*time.Minute))
		if c := record(newer, now.Add(2*time.Minute), `"new"`, edited); c.Late || c.New != 1 {
			t.Errorf("the visit in time: %+v", c)
		}
		if c := record(stopped, now.Add(3*time.Minute), `"old"`, old, lost); !c.Late || c.New != 1 || c.Changed != 0 || c.Same != 1 {
			t.Errorf("the late visit: %+v", c)
		}
		if c := record(stopped, now.Add(3*time.Minute), `"old"`); !c.Late {
			t.Errorf("a late visit without items: %+v", c)
		}
		s, err := db.Source(t.Context(), "o0-home")
		if err != nil || s.State.ETag != `"new"` || !s.State.LastTry.Equal(now.Add(2*time.Minute)) {
			t.Errorf("the source's state is of %v, with etag %s (%v)", s.State.LastTry, s.State.ETag, err)
		}
		for _, one := range stories(t, db, store.Query{}) {
			if one.Quoted.Title == edited.Title && one.Quoted.Summary != edited.Summary {
				t.Errorf("the newer words were written over: %q", one.Quoted.Summary)
			}
		}
		// Nor does it take the source from who has it now.
		third := claim("three", now.Add(2*time.Hour))
		record(stopped, now.Add(2*time.Hour), `"old"`)
		if got, err := db.Due(t.Context(), store.Claim{Now: now.Add(2 * time.Hour), Lease: time.Minute, By: "four", Limit: 1}); err != nil || len(got) != 0 {
			t.Errorf("a late visit gave back what another had claimed: %d, %v", len(got), err)
		}
		// A lease that has ended and that nobody took is as good as ever.
		if c := record(third, now.Add(4*time.Hour), `"third"`); c.Late {
			t.Error("a visit was late though nobody else came")
		}
	})
}
