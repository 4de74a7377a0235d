package aggregator

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHostKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://rss.nhandan.vn/home.rss":     "nhandan.vn",
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
				leave, err := h.enter(t.Context(), "https://a.vn/x")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				began = append(began, time.Since(start))
				mu.Unlock()
				time.Sleep(500 * time.Millisecond) // virtual: the visit itself
				leave()
			})
		}
		wg.Go(func() {
			leave, err := h.enter(t.Context(), "https://b.vn/x")
			if err != nil || time.Since(start) != 0 {
				t.Errorf("another host waited %v, %v", time.Since(start), err)
				return
			}
			leave()
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
		if leave, err := h.enter(t.Context(), "https://a.vn/x"); err != nil {
			t.Errorf("the host stays locked: %v", err)
		} else {
			leave()
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

// Hosts that one machine answers for share its pause; machines of our own have
// none unless one is configured.
func TestPauseOfAddressAndOfPrivateHosts(t *testing.T) {
	t.Parallel()
	now := testNow
	h := newHosts(time.Second, func() time.Time { return now })
	visit := func(address string) {
		t.Helper()
		leave, err := h.enter(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	visit("https://a.gov.vn/")
	h.answered("https://a.gov.vn/", "203.113.1.1")
	h.answered("https://b.gov.vn/", "203.113.1.1")
	if got := h.restOfAddress(h.of("https://b.gov.vn/")); got != time.Second {
		t.Errorf("a host on the same machine rests %v, want 1s", got)
	}
	if got := h.restOfAddress(h.of("https://c.gov.vn/")); got != 0 {
		t.Errorf("a host elsewhere rests %v", got)
	}
	visit("http://127.0.0.1:8080/")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	leave, err := h.enter(ctx, "http://127.0.0.1:8080/")
	if err != nil {
		t.Fatalf("loopback has a pause: %v", err)
	}
	leave()
	h.explicit = true
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.enter(ctx, "http://127.0.0.1:8080/"); err == nil {
		t.Error("a configured pause does not hold for loopback")
	}
}
