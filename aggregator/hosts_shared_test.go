package aggregator

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// sharedHosts are those of two processes on one database.
func sharedHosts(t *testing.T, pause, lease time.Duration) [2]*hosts {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var both [2]*hosts
	for i := range both {
		both[i] = newHosts(pause, time.Now)
		both[i].shared = &sharing{store: db, by: fmt.Sprint(i), lease: func() time.Duration { return lease }, log: slog.New(slog.DiscardHandler)}
	}
	return both
}

// Two processes visit one host in turns, with the pause between them, however
// many of their visits wait.
func TestHostPauseOverProcesses(t *testing.T) {
	t.Parallel()
	const pause = 60 * time.Millisecond
	var mu sync.Mutex
	var visits [][2]time.Time
	var wg sync.WaitGroup
	for _, h := range sharedHosts(t, pause, time.Minute) {
		for range 4 {
			wg.Go(func() {
				in, err := h.enter(t.Context(), "https://a.vn/x")
				if err != nil {
					t.Error(err)
					return
				}
				in.begin()
				began := time.Now()
				if err := h.again(t.Context(), "https://a.vn/y"); err != nil {
					t.Error(err)
				}
				mu.Lock()
				visits = append(visits, [2]time.Time{began, time.Now()})
				mu.Unlock()
				in.leave()
			})
		}
	}
	wg.Wait()
	slices.SortFunc(visits, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
	for i, v := range visits {
		if within := v[1].Sub(v[0]); within < pause {
			t.Errorf("visit %d asked again after %v", i, within)
		}
		if i > 0 && v[0].Sub(visits[i-1][1]) < pause-time.Millisecond { // stored in whole milliseconds
			t.Errorf("visit %d began %v after the one before, want %v", i, v[0].Sub(visits[i-1][1]), pause)
		}
	}
}

// What one process was told, the other heeds: sources that were asked to wait,
// and the machine behind a host.
func TestHostsAreToldOn(t *testing.T) {
	t.Parallel()
	const pause = 200 * time.Millisecond
	both := sharedHosts(t, pause, time.Minute)
	pass := func(h *hosts, address string, inside func()) time.Time {
		t.Helper()
		in, err := h.enter(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		in.begin()
		inside()
		in.leave()
		return began
	}
	pass(both[0], "https://a.vn/1", func() {
		both[0].throttle("https://a.vn/1", "one", time.Hour)
		both[0].throttle("https://a.vn/2", "two", 30*time.Minute)
		both[0].answered("https://a.vn/", "203.114.1.1")
	})
	pass(both[1], "https://a.vn/3", func() {
		until := both[1].quietUntil("https://a.vn/3", "three")
		if wait := time.Until(until); wait < 29*time.Minute || wait > 30*time.Minute {
			t.Errorf("the other process may ask the host after %v, want half an hour", wait)
		}
		if !both[1].leftAlone("https://a.vn/1", "one") {
			t.Error("a source that was asked to wait is asked by the other process")
		}
	})
	both[0].answered("https://b.vn/", "203.114.1.1")
	last := time.Now()
	if began := pass(both[1], "https://a.vn/4", func() { last = time.Now() }); began.IsZero() {
		t.Error("no visit")
	}
	if began := pass(both[0], "https://b.vn/1", func() {}); began.Sub(last) < pause-time.Millisecond {
		t.Errorf("two hosts of one machine were asked by two processes within %v", began.Sub(last))
	}
}

// A process that was stopped past its lease does not ask a host that belongs to
// another by now, though it was about to; nor does what it leaves behind take
// the host from the other.
func TestStoppedProcessAsksAnew(t *testing.T) {
	t.Parallel()
	const pause = 150 * time.Millisecond
	both := sharedHosts(t, pause, time.Minute)
	var offset atomic.Int64
	both[1].now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	stopped, err := both[0].enter(t.Context(), "https://a.vn/1")
	if err != nil {
		t.Fatal(err)
	}
	stopped.begin()
	offset.Store(int64(2 * time.Minute)) // time has passed, of which the first knows nothing yet
	other, err := both[1].enter(t.Context(), "https://a.vn/2")
	if err != nil {
		t.Fatal(err)
	}
	other.begin()
	both[0].now = both[1].now // it wakes
	asked := make(chan time.Time)
	go func() {
		both[0].shared.ready(t.Context(), both[0], "https://a.vn/1")
		asked <- time.Now()
	}()
	select {
	case <-asked:
		t.Error("it asks while another is inside")
	case <-time.After(2 * pause):
	}
	left := time.Now()
	other.leave()
	if at := <-asked; at.Sub(left) < pause-time.Millisecond {
		t.Errorf("it asks %v after the other, want %v", at.Sub(left), pause)
	}
	stopped.leave()
	if in, err := both[1].enter(t.Context(), "https://a.vn/3"); err != nil {
		t.Error(err)
	} else {
		in.leave()
	}
}

// A visit that comes back when another process has visited its source since
// says so, and the source stays as that left it.
func TestLateVisit(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, feedOf("Cầu treo Nậm Lúc")) }))
	t.Cleanup(origin.Close)
	cfg := Config{Limits: Limits{AllowPrivate: true, HostPause: new(Duration)}, Agent: "diemtin/test (+a@example.vn)", Topics: shippedTopics(t), Outlets: []OutletConfig{{ID: "thu", Name: "Báo Thử",
		Domains: []string{"thu.example"}, Scope: store.National, Sources: []SourceConfig{{ID: "rss", URL: origin.URL + "/rss"}}}}}
	if err := db.Sync(t.Context(), cfg.StoreOutlets(), cfg.StoreSources()); err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.fetch.close)
	old, err := db.Source(t.Context(), "rss")
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := db.Due(t.Context(), store.Claim{Now: time.Now(), Lease: time.Minute, By: "another", Limit: 1})
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d claimed, %v", len(claimed), err)
	}
	r, ok := a.visit(t.Context(), a.set(), old)
	if !ok || !r.Changes.Late || r.Changes.New != 1 {
		t.Errorf("a late visit: %v, %+v", ok, r.Changes)
	}
	if s, err := db.Source(t.Context(), "rss"); err != nil || !s.State.LastTry.IsZero() {
		t.Errorf("its source was tried at %v (%v), want not at all", s.State.LastTry, err)
	}
	if r, ok := a.visit(t.Context(), a.set(), claimed[0]); !ok || r.Changes.Late {
		t.Errorf("the visit of who holds the source: %v, %+v", ok, r.Changes)
	}
}
