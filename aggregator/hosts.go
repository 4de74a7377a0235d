package aggregator

import (
	"context"
	"maps"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
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
	pause    time.Duration // between the end of one visit and the begin of the next
	explicit bool          // the pause was configured
	now      func() time.Time
	mu       sync.Mutex
	byKey    map[string]*host
}

type host struct {
	private bool          // a machine of our own: no pause unless one is configured
	free    chan struct{} // holds one token while nobody is inside
	mu      sync.Mutex
	lastEnd time.Time
	ip      string                  // the address that answered last
	delay   time.Duration           // Crawl-delay of its robots.txt
	waits   map[string]time.Time    // until when each throttled source was asked to wait
	robots  map[string]*robotsRules // by scheme and host
}

func newHosts(pause time.Duration, now func() time.Time) *hosts {
	return &hosts{pause: pause, now: now, byKey: map[string]*host{}}
}

// isPrivate tells whether a host's name is an address that is not of the open
// net, or this machine's name.
func isPrivate(name string) bool {
	a, err := netip.ParseAddr(name)
	return err == nil && closed(a) || name == "localhost"
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
		u, err := url.Parse(address)
		one = &host{private: err == nil && isPrivate(u.Hostname()), free: make(chan struct{}, 1), waits: map[string]time.Time{}, robots: map[string]*robotsRules{}}
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
	if err := sleep(ctx, max(one.rest(h.pauseOf(one), h.now()), h.restOfAddress(one))); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// pauseOf is what a host is owed between two requests.
func (h *hosts) pauseOf(one *host) time.Duration {
	pause := h.pause
	if one.private && !h.explicit {
		pause = 0
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	return max(pause, one.delay)
}

// noteAddress is ctx, in which a connection tells hosts its address. Behind a
// proxy that would be the proxy's.
func (a *Aggregator) noteAddress(ctx context.Context, c configured, address string) context.Context {
	if c.source.Proxy != "" {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if host, _, err := net.SplitHostPort(i.Conn.RemoteAddr().String()); err == nil {
			a.hosts.answered(address, host)
		}
	}})
}

// answered notes which address answered for a host.
func (h *hosts) answered(address, ip string) {
	if isPrivate(ip) {
		return // machines of our own need no protection from us
	}
	one := h.of(address)
	one.mu.Lock()
	defer one.mu.Unlock()
	one.ip = ip
}

// restOfAddress is how long the address that answers for the host is still to
// be left alone: many portals of one province share a machine.
func (h *hosts) restOfAddress(one *host) time.Duration {
	one.mu.Lock()
	ip := one.ip
	one.mu.Unlock()
	if ip == "" {
		return 0
	}
	h.mu.Lock()
	neighbours := slices.Collect(maps.Values(h.byKey))
	h.mu.Unlock()
	now, rest := h.now(), time.Duration(0)
	for _, other := range neighbours {
		other.mu.Lock()
		if other != one && other.ip == ip && !other.lastEnd.IsZero() {
			rest = max(rest, h.pause-now.Sub(other.lastEnd))
		}
		other.mu.Unlock()
	}
	return rest
}

// rest is how long the host is still to be left alone after the last visit.
func (o *host) rest(pause time.Duration, now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lastEnd.IsZero() {
		return 0
	}
	return max(pause-now.Sub(o.lastEnd), 0)
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
