package aggregator

import (
	"sync"
	"time"

	"diemtin/store"
)

// sweep follows the first visits to a set of sources: those that were due when
// the program started, or those of a round by hand. While it lasts, new stories
// are held.
type sweep struct {
	mu      sync.Mutex
	pending map[string]bool
	start   time.Time
	longest time.Duration // of the hold, from the start
	over    chan struct{} // closed when every source has had its visit
}

func newSweep(sources []store.Source, longest time.Duration, now time.Time) *sweep {
	s := &sweep{pending: map[string]bool{}, start: now, longest: longest, over: make(chan struct{})}
	for _, src := range sources {
		s.pending[src.ID] = true
	}
	if len(s.pending) == 0 {
		close(s.over)
	}
	return s
}

// overdue are the active sources that are due.
func overdue(all []store.Source, now time.Time) []store.Source {
	var due []store.Source
	for _, src := range all {
		if src.Active && !src.State.NextAt.After(now) {
			due = append(due, src)
		}
	}
	return due
}

// done says that a source has had its visit, however it ended.
func (s *sweep) done(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pending[id] {
		return
	}
	delete(s.pending, id)
	if len(s.pending) == 0 {
		close(s.over)
	}
}

// hold is how long a story that is found now waits to be listed.
func (s *sweep) hold(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 {
		return 0
	}
	return max(s.longest-now.Sub(s.start), 0)
}
