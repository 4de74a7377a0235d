package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// roles are the parts of the work that one process does. Several processes on
// one PostgreSQL may share them out; each part must be done by at least one.
type roles struct {
	poll    bool // visits sources, lists stories, seals archives, reduces old stories
	serve   bool // answers readers, hubs and subscribers
	deliver bool // pushes changed feeds to subscribers
}

var allRoles = roles{true, true, true}

// roleFlags declares the flags of roles.
func roleFlags(fs *flag.FlagSet, r *roles) {
	fs.BoolVar(&r.poll, "poll", false, "visit the sources; who names none of --poll, --serve and --deliver does all three")
	fs.BoolVar(&r.serve, "serve", false, "answer readers on --listen")
	fs.BoolVar(&r.deliver, "deliver", false, "push changed feeds to subscribers")
}

// orAll is r, or all roles where none was named.
func (r roles) orAll() roles {
	if r == (roles{}) {
		return allRoles
	}
	return r
}

// names lists the roles as their flags are called.
func (r roles) names() []string {
	var names []string
	for _, one := range []struct {
		has  bool
		name string
	}{{r.poll, "poll"}, {r.serve, "serve"}, {r.deliver, "deliver"}} {
		if one.has {
			names = append(names, one.name)
		}
	}
	return names
}

func (r roles) String() string { return strings.Join(r.names(), ", ") }

// stopWithin bounds a graceful stop: requests get shutdownTimeout, a delivery
// under way ten seconds, and what was fetched is written. Whoever is not done
// by then hangs, and leases end by themselves.
const stopWithin = 25 * time.Second

var errNotStopped = errors.New("still at work after the time for a graceful stop; what was claimed is free again when its lease ends")

// work does the parts that are this process's until ctx ends.
func (s *service) work(ctx context.Context, g *errgroup.Group) {
	switch {
	case s.roles.poll:
		g.Go(func() error { return s.aggregator.Run(ctx) })
		g.Go(func() error { s.sealArchives(ctx); return nil })
		g.Go(func() error { s.keepRetention(ctx); return nil })
	case s.roles.serve:
		g.Go(func() error { return s.aggregator.TakeDeliveries(ctx) })
	}
	if s.roles.deliver && s.hub != nil {
		g.Go(func() error { return s.hub.Run(ctx) })
	}
}

// waitStopped waits for wait, but no longer than a bound after ctx has ended.
func waitStopped(ctx context.Context, wait func() error, bound time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	late := time.NewTimer(bound)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return fmt.Errorf("stop within %s: %w", bound, errNotStopped)
	}
}
