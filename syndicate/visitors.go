package syndicate

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Visitors is what a client address may ask of searches and mixes, which are
// made for it alone. Everything else is made once for all.
type Visitors struct {
	PerMinute int      `yaml:"per_minute"` // searches and mixes of one client address; 0 = defaultPerMinute
	Proxies   []string `yaml:"proxies"`    // addresses and networks whose X-Forwarded-For is believed
}

const (
	// defaultPerMinute is more than a person types, and lets an office behind
	// one address follow some dozens of mixes.
	defaultPerMinute = 60
	maxPerMinute     = 100_000

	// maxVisitors bounds the memory of the limit, about 100 bytes each.
	maxVisitors = 20_000
)

func (v Visitors) check(report func(path, problem string)) {
	if v.PerMinute < 0 || v.PerMinute > maxPerMinute {
		report("per_minute", fmt.Sprintf("per_minute %d: want 1 to %d", v.PerMinute, maxPerMinute))
	}
	for i, p := range v.Proxies {
		if _, err := readNetwork(p); err != nil {
			report(fmt.Sprintf("proxies[%d]", i), fmt.Sprintf("proxy %q: want an address or a network such as 10.0.0.0/8", p))
		}
	}
}

func readNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// visitors counts what client addresses ask for: each has a bucket that fills
// with time and holds a minute's worth.
type visitors struct {
	now       func() time.Time
	perMinute float64
	proxies   []netip.Prefix

	mu   sync.Mutex
	seen map[netip.Addr]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newVisitors(cfg Visitors, now func() time.Time) *visitors {
	v := &visitors{now: now, perMinute: float64(cfg.PerMinute), seen: map[netip.Addr]bucket{}}
	if cfg.PerMinute == 0 {
		v.perMinute = defaultPerMinute
	}
	for _, p := range cfg.Proxies {
		if n, err := readNetwork(p); err == nil { // Check has seen those that are wrong
			v.proxies = append(v.proxies, n)
		}
	}
	return v
}

// take counts one request; a client that asks too much gets how long to wait.
func (v *visitors) take(r *http.Request) time.Duration {
	client := v.client(r)
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	b, known := v.seen[client]
	if !known {
		v.makeRoom(now)
		b = bucket{v.perMinute, now}
	}
	b.left = v.filled(b, now)
	b.at = now
	if b.left < 1 {
		v.seen[client] = b
		return time.Duration(math.Ceil((1-b.left)*60/v.perMinute)) * time.Second
	}
	b.left--
	v.seen[client] = b
	return 0
}

func (v *visitors) filled(b bucket, now time.Time) float64 {
	return min(v.perMinute, b.left+max(0, now.Sub(b.at).Minutes())*v.perMinute)
}

// makeRoom forgets those whose buckets are full again, who are as good as new,
// and if that is nobody, anybody.
func (v *visitors) makeRoom(now time.Time) {
	if len(v.seen) < maxVisitors {
		return
	}
	for a, b := range v.seen {
		if v.filled(b, now) >= v.perMinute {
			delete(v.seen, a)
		}
	}
	for a := range v.seen {
		if len(v.seen) < maxVisitors {
			return
		}
		delete(v.seen, a)
	}
}

// client is the address that a request comes from: that of the connection, or
// what our own proxies say of it. Of IPv6 it is the network, since a client
// has as many addresses in it as it likes.
func (v *visitors) client(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := from.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !v.ours(a) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		a = next.Unmap().WithZone("")
	}
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// ClientOf names whoever sent a request, as far as limits tell clients apart:
// an address, of IPv6 that of a network of 64 bits.
func (s *Server) ClientOf(r *http.Request) string { return s.visitors.client(r).String() }

func (v *visitors) ours(a netip.Addr) bool {
	return slices.ContainsFunc(v.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// seconds is a time to wait as Retry-After has it.
func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// busy says that a visitor has asked for too much.
type busy struct{ wait time.Duration }

func (b busy) Error() string { return "too many requests; wait " + b.wait.String() }
