package aggregator

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHostKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://rss.nhandan.vn/home.rss":     "nhandan.vn",
		"https://WWW.NhanDan.VN./home.rss":    "nhandan.vn",
		"http://LocalHost:9/rss":              "localhost:9",
		"https://nhandan.vn:8443/home.rss":    "nhandan.vn",
		"https://www.baothaibinh.com.vn/rss":  "baothaibinh.com.vn",
		"https://thaibinh.gov.vn/rss":         "thaibinh.gov.vn",
		"http://127.0.0.1:8080/rss":           "127.0.0.1:8080",
		"http://127.0.0.1:8081/rss":           "127.0.0.1:8081",
		"http://[2001:db8::1]/rss":            "[2001:db8::1]:",
		"http://localhost:9/rss":              "localhost:9",
		"https://xn--imtin-xra5563c.vn/x.rss": "xn--imtin-xra5563c.vn",
	} {
		if got := hostKey(address); got != want {
			t.Errorf("hostKey(%s) = %q, want %q", address, got, want)
		}
	}
}

// Visits to one host come one after the other with a pause between; another
// host does not wait for them.
func TestHostPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(time.Second, time.Now)
		start := time.Now()
		var mu sync.Mutex
		var began []time.Duration
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				in, err := h.enter(t.Context(), "https://a.vn/x")
				if err != nil {
					t.Error(err)
					return
				}
				in.begin()
				mu.Lock()
				began = append(began, time.Since(start))
				mu.Unlock()
				time.Sleep(500 * time.Millisecond) // virtual: the visit itself
				in.leave()
			})
		}
		wg.Go(func() {
			in, err := h.enter(t.Context(), "https://b.vn/x")
			if err != nil || time.Since(start) != 0 {
				t.Errorf("another host waited %v, %v", time.Since(start), err)
				return
			}
			in.leave()
		})
		wg.Wait()
		for i, want := range []time.Duration{0, 1500 * time.Millisecond, 3 * time.Second} {
			if began[i] != want {
				t.Errorf("visit %d began after %v, want %v", i, began[i], want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.enter(ctx, "https://a.vn/x"); err == nil {
			t.Error("entered although the program ends")
		}
		if in, err := h.enter(t.Context(), "https://a.vn/x"); err != nil {
			t.Errorf("the host stays locked: %v", err)
		} else {
			in.leave()
		}
	})
}

// One throttled feed says nothing about the host; two do, and only for the
// others, since they have times of their own.
func TestHostIsQuietWhenSeveralFeedsAre(t *testing.T) {
	t.Parallel()
	now := testNow
	h := newHosts(0, func() time.Time { return now })
	h.throttle("https://a.vn/1", "one", time.Hour)
	if until := h.quietUntil("https://a.vn/3", "three"); !until.IsZero() {
		t.Errorf("one throttled feed silences the host until %v", until)
	}
	h.throttle("https://rss.a.vn/2", "two", 30*time.Minute)
	if until := h.quietUntil("https://a.vn/3", "three"); !until.Equal(now.Add(30 * time.Minute)) {
		t.Errorf("two throttled feeds silence the host until %v", until)
	}
	if until := h.quietUntil("https://a.vn/1", "one"); !until.IsZero() {
		t.Errorf("a throttled feed waits for the others until %v", until)
	}
	if until := h.quietUntil("https://b.vn/1", "other"); !until.IsZero() {
		t.Errorf("another host is silenced until %v", until)
	}
	now = now.Add(31 * time.Minute)
	if until := h.quietUntil("https://a.vn/3", "three"); !until.IsZero() {
		t.Errorf("still silent after the wait, until %v", until)
	}
	h.throttle("https://a.vn/1", "one", 0)
	if n := len(h.of("https://a.vn/").waits); n != 0 {
		t.Errorf("%d waits remembered", n)
	}
}

// A visit that hangs keeps the others out no longer than patience, and never
// are more than maxInside inside.
func TestSlowVisitDoesNotBlockItsHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(time.Second, time.Now)
		start := time.Now()
		visit := func(takes time.Duration) time.Duration {
			in, err := h.enter(t.Context(), "https://a.vn/x")
			if err != nil {
				t.Error(err)
				return 0
			}
			began := time.Since(start)
			in.begin()
			time.Sleep(takes)
			in.leave()
			return began
		}
		var wg sync.WaitGroup
		for range maxInside {
			wg.Go(func() { visit(30 * time.Second) })
			synctest.Wait()
		}
		time.Sleep(time.Second)
		began := visit(time.Second)
		if want := 31 * time.Second; began != want { // the first has ended, and had its pause
			t.Errorf("with %d hanging visits the next began after %v, want %v", maxInside, began, want)
		}
		wg.Wait()
		start = time.Now()
		wg.Go(func() { visit(30 * time.Second) })
		synctest.Wait()
		for i, want := range []time.Duration{patience, patience + 2*time.Second, patience + 4*time.Second} {
			if began := visit(time.Second); began < want || began > want+time.Second {
				t.Errorf("sibling %d of a hanging visit began after %v, want %v", i, began, want)
			}
		}
		wg.Wait()
	})
}

// Hosts that one machine answers for share its pause, also if they come at the
// same moment.
func TestPauseOfAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(time.Second, time.Now)
		portals := []string{"https://a.gov.vn/", "https://b.gov.vn/", "https://c.gov.vn/"}
		for _, p := range portals {
			h.answered(p, "203.114.1.1")
		}
		start := time.Now()
		var mu sync.Mutex
		var began []time.Duration
		var wg sync.WaitGroup
		for _, address := range append(portals, "https://d.gov.vn/") {
			wg.Go(func() {
				in, err := h.enter(t.Context(), address)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				began = append(began, time.Since(start))
				mu.Unlock()
				in.begin()
				in.leave()
			})
		}
		wg.Wait()
		if want := []time.Duration{0, 0, time.Second, 2 * time.Second}; !slices.Equal(began, want) {
			t.Errorf("visits began at %v, want %v: three share a machine", began, want)
		}
	})
}

// Machines of our own have no pause unless one is configured.
func TestPauseOfPrivateHosts(t *testing.T) {
	t.Parallel()
	now := testNow
	h := newHosts(time.Second, func() time.Time { return now })
	for _, explicit := range []bool{false, true} {
		h.explicit = explicit
		if got := h.nextTurn(h.of("http://127.0.0.1:8080/")); (got > 0) != explicit {
			t.Errorf("pause configured %v: it is %v", explicit, got)
		}
	}
}

// Whatever hosts and subdomains items link to, memory is bounded, and nothing
// is forgotten that is in use.
func TestHostsAreForgotten(t *testing.T) {
	t.Parallel()
	now := testNow
	h := newHosts(0, func() time.Time { return now })
	h.throttle("https://asked-us-to-wait.vn/", "s", 24*time.Hour)
	in, err := h.enter(t.Context(), "https://inside.vn/")
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxHosts {
		h.of(fmt.Sprintf("https://x%d.vn/", i))
	}
	now = now.Add(hostMemory + time.Minute)
	h.of("https://one-more.vn/")
	if n := len(h.byKey); n != 3 {
		t.Errorf("%d hosts remembered, want the three in use", n)
	}
	in.leave()
	one := h.of("https://x.vn/")
	for i := range 10 * maxOrigins {
		one.learn(fmt.Sprintf("https://%d.x.vn", i), &robotsRules{until: now.Add(time.Hour)}, now)
	}
	if n := len(one.robots); n != maxOrigins {
		t.Errorf("%d origins remembered, want %d", n, maxOrigins)
	}
}

// A Crawl-delay holds for as long as robots.txt says it.
func TestCrawlDelayIsTakenBack(t *testing.T) {
	t.Parallel()
	h := newHosts(time.Second, func() time.Time { return testNow })
	one := h.of("https://a.vn/")
	for _, delay := range []time.Duration{10 * time.Second, 0} {
		one.learn("https://a.vn", &robotsRules{group: &robotsGroup{delay: delay}}, testNow)
		if got, want := h.owed(one), max(delay, time.Second); got != want {
			t.Errorf("with a Crawl-delay of %v the pause is %v, want %v", delay, got, want)
		}
	}
}
