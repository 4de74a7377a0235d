package outlettest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// Options says what world to make. The zero value is a good one.
type Options struct {
	Seed int64
	Now  func() time.Time // nil: time.Now. The outlets' only clock

	Start   time.Time // when the backlog ends; zero: Now()
	Stories int       // in the backlog; 0: 150, less than 0: none
	Days    int       // that the backlog covers; 0: 3

	// A story that Publish adds is reprinted after CopyMin to CopyMax; both
	// zero: 4 s to 40 s.
	CopyMin, CopyMax time.Duration

	// Slow is how long the slow outlet's feed takes; zero: 2 s.
	Slow time.Duration

	// Hosts gives the outlets host names below .test, so that links can have
	// www. and m. forms. Only a client that dials with World.Dial reaches them.
	Hosts bool
}

// testDomain is reserved for tests (RFC 6761, section 6.2).
const testDomain = ".test"

// World is a set of outlets that report on the same country. Its methods are
// safe for concurrent use.
type World struct {
	opt     Options
	outlets []*Outlet

	mu   sync.Mutex
	desk *desk
}

// New starts a world; the caller closes it.
func New(opt Options) (*World, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Start.IsZero() {
		opt.Start = opt.Now()
	}
	if opt.Stories == 0 {
		opt.Stories = 150
	}
	if opt.Days == 0 {
		opt.Days = 3
	}
	if opt.CopyMin == 0 && opt.CopyMax == 0 {
		opt.CopyMin, opt.CopyMax = 4*time.Second, 40*time.Second
	}
	if opt.Slow == 0 {
		opt.Slow = 2 * time.Second
	}
	writer, err := NewWriter(opt.Seed)
	if err != nil {
		return nil, fmt.Errorf("start a world of outlets: %w", err)
	}
	w := &World{opt: opt}
	for _, p := range profiles() {
		o, err := newOutlet(p, opt.Hosts, opt.Now)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start a world of outlets: %w", err), w.Close())
		}
		w.outlets = append(w.outlets, o)
	}
	w.desk = &desk{
		writer: writer, outlets: w.outlets, serials: map[string]string{},
		rng: rand.New(rand.NewPCG(uint64(opt.Seed), 1<<60)), // a stream that no story has
	}
	w.desk.backlog(max(0, opt.Stories), opt.Days, opt.Start)
	for _, o := range w.outlets {
		o.settle()
	}
	w.Outlet("thanh-hoa").Set(failing()...)
	w.Outlet("quang-ninh").Set(Response{Delay: opt.Slow})
	return w, nil
}

// Close ends every connection and waits for every handler.
func (w *World) Close() error {
	var errs []error
	for _, o := range w.outlets {
		errs = append(errs, o.host.close())
	}
	return errors.Join(errs...)
}

// Outlets returns all outlets, in a fixed order.
func (w *World) Outlets() []*Outlet { return append([]*Outlet(nil), w.outlets...) }

// Outlet returns the outlet with the id, nil if there is none.
func (w *World) Outlet(id string) *Outlet {
	for _, o := range w.outlets {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Publish has an outlet publish a new story now; others take it over later,
// when Now has moved on. Serial texts appear when their hour has come.
func (w *World) Publish() Story {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.opt.Now()
	s := w.serialDue(now)
	if s == nil {
		s = w.desk.news(nil, "", now)
	}
	w.desk.spread(s, func() time.Duration {
		return w.opt.CopyMin + time.Duration(w.desk.rng.Int64N(int64(w.opt.CopyMax-w.opt.CopyMin)+1))
	})
	return s.story()
}

func (w *World) serialDue(now time.Time) *told {
	for _, series := range w.desk.writer.Series() {
		if s := w.desk.serial(series, now); s != nil {
			return s
		}
	}
	return nil
}

// PublishFrom has one outlet publish a new story now and others reprint it at
// once, in the order named. An unknown id is an error.
func (w *World) PublishFrom(original string, reprints ...string) (Story, error) {
	for _, id := range append([]string{original}, reprints...) {
		if w.Outlet(id) == nil {
			return Story{}, fmt.Errorf("publish: no outlet %q", id)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.opt.Now()
	s := w.desk.news(w.Outlet(original), "", now)
	for _, id := range reprints {
		w.desk.reprint(s, w.Outlet(id), now)
	}
	return s.story(), nil
}

// Run publishes a story every so often until ctx ends.
func (w *World) Run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.Publish()
		case <-ctx.Done():
			return
		}
	}
}

// Dial connects to the outlets' host names (see Options.Hosts), all of which
// are on the loopback interface; it fits http.Transport.DialContext. Any other
// address is an error: no test leaves the machine.
func (w *World) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	if ip := net.ParseIP(name); !strings.HasSuffix(name, testDomain) && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("dial %s: not an address of the simulated outlets", addr)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
}
