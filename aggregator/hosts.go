package aggregator

import (
	"context"
	"maps"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// throttledFeeds is how many feeds of one host must be asked to wait before
// the whole host is left alone: one feed's limit says nothing about the others.
const throttledFeeds = 2

const (
	// patience is how long one visit keeps the others out of its host. What
	// takes longer waits for a server that hangs, or reads page after page.
	patience = 5 * time.Second
	// maxInside bounds the visits inside a host: one at work and the slow ones.
	maxInside = 3
	// maxHosts is from how many hosts on those are forgotten that were not asked
	// for anything within hostMemory: items may link to any number of hosts.
	maxHosts   = 4096
	hostMemory = 3 * time.Hour
	// forgetEvery is how often such hosts are looked for.
	forgetEvery = 10 * time.Minute
)

// hosts keeps the peace with each host: one visit at a time but for slow ones,
// a pause between two requests, and silence when several of its feeds asked
// for it.
type hosts struct {
	now      func() time.Time
	shared   *sharing // with other processes; nil = this one is alone
	mu       sync.Mutex
	pause    time.Duration // between the end of one visit and the begin of the next
	explicit bool          // the pause was configured
	byKey    map[string]*host
	forgot   time.Time // when idle hosts were last looked for
}

type host struct {
	private bool          // a machine of our own: no pause unless one is configured
	room    chan struct{} // holds a token for each visit inside
	free    chan struct{} // holds one token while none but slow visits are inside
	mu      sync.Mutex
	used    time.Time               // when it was last named
	last    time.Time               // when a request last began or ended; ahead if one is about to begin
	ip      string                  // the address that answered last
	ready   time.Time               // when the pause after another process's request is over
	waits   map[string]time.Time    // until when each throttled source was asked to wait
	robots  map[string]*robotsRules // by scheme and host

	key   string
	claim claim // on it among processes
}

func newHosts(pause time.Duration, now func() time.Time) *hosts {
	return &hosts{pause: pause, now: now, byKey: map[string]*host{}}
}

// setPause changes the pause.
func (h *hosts) setPause(pause time.Duration, explicit bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pause, h.explicit = pause, explicit
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
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return net.JoinHostPort(name, u.Port())
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return strings.ToLower(u.Host)
}

func (h *hosts) of(address string) *host {
	key, now := hostKey(address), h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.byKey[key]
	if one == nil {
		h.forget(now)
		u, err := url.Parse(address)
		one = &host{key: key, private: err == nil && isPrivate(u.Hostname()), room: make(chan struct{}, maxInside), free: make(chan struct{}, 1),
			waits: map[string]time.Time{}, robots: map[string]*robotsRules{}}
		one.free <- struct{}{}
		h.byKey[key] = one
	}
	one.mu.Lock()
	one.used = now
	one.mu.Unlock()
	return one
}

// forget drops idle hosts if there are many. The caller holds h.mu.
func (h *hosts) forget(now time.Time) {
	if len(h.byKey) < maxHosts || now.Sub(h.forgot) < forgetEvery {
		return
	}
	h.forgot = now
	maps.DeleteFunc(h.byKey, func(_ string, one *host) bool {
		one.mu.Lock()
		defer one.mu.Unlock()
		return now.Sub(one.used) > hostMemory && len(one.waits) == 0 && len(one.room) == 0
	})
}

// stay is a visit inside a host.
type stay struct {
	hosts    *hosts
	host     *host
	timer    *time.Timer
	handOver func() // lets the next one in; once
}

// enter waits until the host is free and has had its pause.
func (h *hosts) enter(ctx context.Context, address string) (*stay, error) {
	one := h.of(address)
	select {
	case one.room <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-one.free:
	case <-ctx.Done():
		<-one.room
		return nil, ctx.Err()
	}
	s := &stay{hosts: h, host: one, handOver: sync.OnceFunc(func() { one.free <- struct{}{} })}
	err := h.shared.enter(ctx, h, one)
	if err == nil {
		err = h.wait(ctx, one)
		if err != nil {
			h.shared.leave(h, one)
		}
	}
	if err != nil {
		s.handOver()
		<-one.room
		return nil, err
	}
	return s, nil
}

// wait waits until the host, and the machine that answers for it, may be asked.
func (h *hosts) wait(ctx context.Context, one *host) error {
	wait, err := h.shared.turn(ctx, h, one, h.reserve(one))
	if err != nil {
		return err
	}
	return sleep(ctx, wait)
}

// again waits until a visit may send its next request, to a host in which it is
// or to another.
func (h *hosts) again(ctx context.Context, address string) error {
	one := h.of(address)
	if h.shared == nil {
		return sleep(ctx, h.nextTurn(one))
	}
	one.touch(h.now())
	if err := h.shared.enter(ctx, h, one); err != nil {
		return err
	}
	defer h.shared.leave(h, one)
	return h.wait(ctx, one)
}

// begin says that the visit begins: from now on others have patience with it.
func (s *stay) begin() {
	s.host.touch(s.hosts.now())
	s.timer = time.AfterFunc(patience, s.handOver)
}

// leave ends the visit.
func (s *stay) leave() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.host.touch(s.hosts.now())
	s.hosts.shared.leave(s.hosts, s.host)
	s.handOver()
	<-s.host.room
}

// nextTurn is how long a visit that is inside must wait before its next request
// to a host, now that its last one has ended. The moment after it is taken.
func (h *hosts) nextTurn(one *host) time.Duration {
	one.touch(h.now())
	return h.reserve(one)
}

// touch notes that a request begins or ends.
func (o *host) touch(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = later(o.last, now)
}

// reserve takes the next moment at which the host, and the address that
// answers for it, are owed no pause any more, and says how far ahead it is.
// Many portals of one province share a machine.
func (h *hosts) reserve(one *host) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	pause, now := h.owed(one), h.now()
	one.mu.Lock()
	at, ip := later(later(now, one.ready), afterPause(one.last, pause)), one.ip
	one.mu.Unlock()
	for _, other := range h.byKey {
		if ip == "" || other == one {
			continue
		}
		other.mu.Lock()
		if other.ip == ip {
			at = later(at, afterPause(other.last, h.pause))
		}
		other.mu.Unlock()
	}
	one.touch(at)
	return at.Sub(now)
}

// afterPause is when a host may be asked again; zero if it never was asked.
func afterPause(last time.Time, pause time.Duration) time.Time {
	if last.IsZero() {
		return last
	}
	return last.Add(pause)
}

// owed is the pause of a host between two requests. The caller holds h.mu.
func (h *hosts) owed(one *host) time.Duration {
	pause := h.pause
	if one.private && !h.explicit {
		pause = 0
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	for _, r := range one.robots {
		if r.group != nil {
			pause = max(pause, r.group.delay)
		}
	}
	return pause
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

// leftAlone says whether a host is not to be asked by one that was told to
// wait, or because several were.
func (h *hosts) leftAlone(address, source string) bool {
	return h.waitUntil(address, source).After(h.now())
}

// waitUntil is until when a host is not to be asked by one that was told to
// wait, or because several were; a time that is past if it may be.
func (h *hosts) waitUntil(address, source string) time.Time {
	one := h.of(address)
	one.mu.Lock()
	own := one.waits[source]
	one.mu.Unlock()
	return later(own, h.quietUntil(address, source))
}
