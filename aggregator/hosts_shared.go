package aggregator

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"diemtin/store"
)

const (
	// hostLease is how long a host belongs to a process that died in it. It is
	// longer than any pause, so that the pause is kept then too.
	hostLease = time.Minute
	// askHostAgain and askHostLast are the first and the longest wait for a host
	// that belongs to another process, before it is asked for again.
	askHostAgain = 100 * time.Millisecond
	askHostLast  = time.Second
)

// HostStore is what processes that share a database need to keep the peace with
// each host together.
type HostStore interface {
	SharesHosts() bool
	TakeHost(ctx context.Context, c store.HostClaim) (st store.HostState, mine bool, free time.Time, err error)
	LeaveHost(ctx context.Context, host, by string, st store.HostState) error
	TakeTurn(ctx context.Context, ip string, at time.Time, pause time.Duration) (time.Time, error)
	ForgetHosts(ctx context.Context, now time.Time) error
}

// sharing lets one process at a time ask a host. Within it, everything is as if
// it were alone; what the next one has to know goes through the store. A nil
// sharing does nothing.
type sharing struct {
	store HostStore
	by    string
	lease func() time.Duration
	log   *slog.Logger
}

// claim is this process's hold on one host.
type claim struct {
	mu     sync.Mutex // held while the store is asked
	inside int        // visits that need it
	until  time.Time  // the host is ours so long, by the clock on the wall: a machine that slept must notice
	timer  *time.Timer
}

// wall is now without the monotonic clock, which may stand while a machine
// sleeps.
func wall(now time.Time) time.Time { return now.Round(0) }

// enter waits until the host is this process's, and counts one more visit that
// needs it. Each enter that succeeds needs its leave.
func (s *sharing) enter(ctx context.Context, h *hosts, one *host) error {
	if s == nil {
		return nil
	}
	for wait := askHostAgain; ; wait = min(2*wait, askHostLast) {
		mine, free, err := s.take(ctx, h, one, 1)
		if mine {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("host not taken", "host", one.key, "error", err)
			wait = askHostLast
		}
		until := wait
		if !free.IsZero() {
			until = min(wait, max(free.Sub(h.now()), shortestWait))
		}
		if err := sleep(ctx, time.Duration(float64(until)*(0.75+rand.Float64()/2))); err != nil {
			return err
		}
	}
}

// take asks for the host if it is not ours, or not for long any more; more are
// the visits that need it from now on.
func (s *sharing) take(ctx context.Context, h *hosts, one *host, more int) (mine bool, free time.Time, err error) {
	c := &one.claim
	c.mu.Lock()
	defer c.mu.Unlock()
	now := h.now()
	if left := c.until.Sub(wall(now)); c.inside > 0 && left > s.lease()/3 {
		c.inside += more
		return true, free, nil
	}
	h.mu.Lock()
	lease := s.lease() + h.owed(one)
	h.mu.Unlock()
	st, mine, free, err := s.store.TakeHost(ctx, store.HostClaim{Host: one.key, Now: now, Lease: lease, By: s.by})
	if err != nil || !mine {
		return false, free, err
	}
	fresh := c.inside == 0 || !c.until.After(wall(now)) // others may have had it meanwhile
	c.inside += more
	c.until = wall(now).Add(lease)
	if c.timer == nil {
		c.timer = time.AfterFunc(s.lease()/3, func() { s.renew(h, one) })
	}
	if fresh {
		one.learnt(st)
	}
	return true, free, nil
}

// learnt takes over what another process left.
func (o *host) learnt(st store.HostState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ready = later(o.ready, st.Ready)
	o.waits = st.Waits
	if st.IP != "" {
		o.ip = st.IP
	}
}

// renew keeps the host while visits are inside.
func (s *sharing) renew(h *hosts, one *host) {
	c := &one.claim
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil || c.inside == 0 {
		return
	}
	c.timer.Reset(s.lease() / 3)
	now := h.now()
	if !c.until.After(wall(now)) {
		return // it may have been another's: the next request asks for it anew
	}
	lease := c.until.Sub(wall(now)) + s.lease()/3
	_, mine, _, err := s.store.TakeHost(context.Background(), store.HostClaim{Host: one.key, Now: now, Lease: lease, By: s.by})
	switch {
	case err != nil:
		s.log.Error("host not kept", "host", one.key, "error", err)
	case mine:
		c.until = wall(now).Add(lease)
	default:
		c.until = time.Time{}
	}
}

// leave gives the host back when no visit needs it any more.
func (s *sharing) leave(h *hosts, one *host) {
	if s == nil {
		return
	}
	c := &one.claim
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside--; c.inside > 0 {
		return
	}
	c.timer.Stop()
	c.timer = nil
	h.mu.Lock()
	pause := h.owed(one)
	h.mu.Unlock()
	one.mu.Lock()
	st := store.HostState{Ready: later(one.ready, afterPause(one.last, pause)), IP: one.ip, Waits: maps.Clone(one.waits)}
	one.mu.Unlock()
	tidy, cancel := context.WithTimeout(context.Background(), tidyUp)
	defer cancel()
	if err := s.store.LeaveHost(tidy, one.key, s.by, st); err != nil {
		s.log.Error("host not given back", "host", one.key, "error", err) // its lease ends
	}
}

// turn is wait, or longer if another process has asked the same machine.
func (s *sharing) turn(ctx context.Context, h *hosts, one *host, wait time.Duration) (time.Duration, error) {
	if s == nil {
		return wait, nil
	}
	h.mu.Lock()
	pause := h.pause
	h.mu.Unlock()
	one.mu.Lock()
	ip := one.ip
	one.mu.Unlock()
	if ip == "" || pause == 0 {
		return wait, nil
	}
	now := h.now()
	at, err := s.store.TakeTurn(ctx, ip, now.Add(wait), pause)
	if err != nil {
		return wait, err
	}
	one.touch(at)
	return at.Sub(now), nil
}

// ready waits until a request may go out after all: a process that was stopped
// since it entered, for longer than its lease, asks for the host anew.
func (s *sharing) ready(ctx context.Context, h *hosts, address string) {
	one := h.of(address)
	c := &one.claim
	c.mu.Lock()
	lost := c.inside > 0 && !c.until.After(wall(h.now()))
	c.mu.Unlock()
	if !lost {
		return
	}
	s.log.Warn("this process was stopped for longer than its lease; the host is asked for anew", "host", one.key)
	if s.enter(ctx, h, one) != nil {
		return // the request ends with ctx
	}
	defer s.leave(h, one)
	_ = h.wait(ctx, one)
}
