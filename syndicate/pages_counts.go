package syndicate

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"diemtin/store"
)

// maxTallied bounds the counts that are kept: a year of days of all topics.
const maxTallied = 10_000

// tally keeps how many stories channels have on days. A count holds until the
// day's revision moves, so a past day is counted once.
type tally struct {
	mu   sync.Mutex
	kept map[tallied]counted
}

// tallied is a day of a channel.
type tallied struct {
	channel string // its path
	day     store.Day
}

type counted struct {
	revision int64
	n        int
}

// monthCounts counts a channel's stories on the days from first to last; false
// if they cannot be counted. Days without any are left out.
func (s *Server) monthCounts(ctx context.Context, ch *Channel, first, last store.Day) (map[store.Day]int, bool, error) {
	revisions, err := s.store.DayRevisions(ctx, first, last)
	if err != nil {
		return nil, false, fmt.Errorf("revisions of days: %w", err)
	}
	counts, from, until := s.tally.known(ch.Path, revisions)
	if from == "" { // all are at hand
		return counts, true, nil
	}
	fresh, ok, err := s.store.DayCounts(ctx, ch.Selection, from, until)
	if err != nil || !ok {
		return nil, false, err
	}
	s.tally.keep(ch.Path, fresh, revisions, from, until)
	for day := range revisions {
		if day >= from && day <= until {
			delete(counts, day)
		}
	}
	for day, n := range fresh {
		counts[day] = n
	}
	return counts, true, nil
}

// known returns the counts that still hold, and the first and last day of those
// that do not: empty if all do.
func (t *tally) known(channel string, revisions map[store.Day]store.Revision) (counts map[store.Day]int, from, until store.Day) {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts = map[store.Day]int{}
	for day, rev := range revisions {
		if c, ok := t.kept[tallied{channel, day}]; ok && c.revision == rev.N {
			if c.n > 0 {
				counts[day] = c.n
			}
			continue
		}
		if from == "" || day < from {
			from = day
		}
		if day > until {
			until = day
		}
	}
	return counts, from, until
}

// keep stores fresh counts, by the revisions that were read before counting: a
// story that came between counts again, never too little.
func (t *tally) keep(channel string, fresh map[store.Day]int, revisions map[store.Day]store.Revision, from, until store.Day) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) > maxTallied {
		t.kept = map[tallied]counted{}
	}
	for day, rev := range revisions {
		if day >= from && day <= until {
			t.kept[tallied{channel, day}] = counted{rev.N, fresh[day]}
		}
	}
}

// countLinks puts beside links how many stories each channel has on a day.
func (s *Server) countLinks(ctx context.Context, day store.Day, links []link, chs []Channel) error {
	sels := make([]store.Selection, len(chs))
	for i := range chs {
		sels[i] = chs[i].Selection
	}
	counts, err := s.store.CountsOn(ctx, day, sels)
	if err != nil {
		return fmt.Errorf("stories of %s: %w", day, err)
	}
	for i := range links {
		links[i].Count = s.lang.number(counts[i])
	}
	return nil
}

// number writes a count with its thousands apart: 1.204 in Vietnamese.
func (l *language) number(n int) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(l.thousands)
		}
		b.WriteRune(d)
	}
	return b.String()
}
