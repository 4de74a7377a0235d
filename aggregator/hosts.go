package aggregator

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// throttledFeeds is how many feeds of one host must be asked to wait before
// the whole host is left alone: one feed's limit says nothing about the others.
const throttledFeeds = 2

// hosts keeps the peace with each host: one visit at a time, a pause between
// two, and silence when several of its feeds asked for it. There are as many
// entries as the configuration has hosts.
type hosts struct {
	pause time.Duration // between the end of one visit and the begin of the next
	now   func() time.Time
	mu    sync.Mutex
	byKey map[string]*host
}

type host struct {
	free    chan struct{} // holds one token while nobody is inside
	mu      sync.Mutex
	lastEnd time.Time
	delay   time.Duration           // Crawl-delay of its robots.txt
	waits   map[string]time.Time    // until when each throttled source was asked to wait
	robots  map[string]*robotsRules // by scheme and host
}

func newHosts(pause time.Duration, now func() time.Time) *hosts {
	return &hosts{pause: pause, now: now, byKey: map[string]*host{}}
}

// hostKey is what shares one budget: the registrable domain, so that
// rss.example.vn and www.example.vn are one outlet; for a bare address, the
// address with its port.
func hostKey(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	name := u.Hostname()
	if _, err := netip.ParseAddr(name); err == nil {
		return net.JoinHostPort(name, u.Port())
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return u.Host
}

func (h *hosts) of(address string) *host {
	key := hostKey(address)
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.byKey[key]
	if one == nil {
		one = &host{free: make(chan struct{}, 1), waits: map[string]time.Time{}, robots: map[string]*robotsRules{}}
		one.free <- struct{}{}
		h.byKey[key] = one
	}
	return one
}

// enter waits until the host is free and has had its pause.
func (h *hosts) enter(ctx context.Context, address string) (leave func(), err error) {
	one := h.of(address)
	select {
	case <-one.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() {
		one.mu.Lock()
		one.lastEnd = h.now()
		one.mu.Unlock()
		one.free <- struct{}{}
	}
	if err := sleep(ctx, one.rest(h.pause, h.now())); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// rest is how long the host is still to be left alone after the last visit.
func (o *host) rest(pause time.Duration, now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lastEnd.IsZero() {
		return 0
	}
	return max(max(pause, o.delay)-now.Sub(o.lastEnd), 0)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// throttle notes that a source was asked to wait; 0 takes the note back.
func (h *hosts) throttle(address, source string, wait time.Duration) {
	one := h.of(address)
	one.mu.Lock()
	defer one.mu.Unlock()
	if wait <= 0 {
		delete(one.waits, source)
		return
	}
	one.waits[source] = h.now().Add(wait)
}

// quietUntil is until when the whole host is left alone; zero if it is not:
// the earliest end among the waits, once several of its feeds have one.
func (h *hosts) quietUntil(address, source string) time.Time {
	one := h.of(address)
	now := h.now()
	one.mu.Lock()
	defer one.mu.Unlock()
	var until time.Time
	n := 0
	for id, at := range one.waits {
		if !at.After(now) {
			delete(one.waits, id)
			continue
		}
		n++
		if until.IsZero() || at.Before(until) {
			until = at
		}
	}
	if _, own := one.waits[source]; n < throttledFeeds || own {
		return time.Time{} // too few, or it has a time of its own
	}
	return until
}
