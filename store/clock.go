package store

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Clock is what was learned about the dates an outlet gives its items.
type Clock string

// What can be wrong with an outlet's dates. The zero Clock is not known to be
// wrong: it is believed.
const (
	ClockAhead  Clock = "ahead"  // some lie after the moment at which we read them
	ClockBehind Clock = "behind" // none was ever younger than lateItem, though we look often
	ClockDays   Clock = "days"   // they tell the day alone
)

// ClockSlack is how much later than it was read an item may be dated: two
// machines' clocks differ, and a minute is rounded up.
const ClockSlack = 2 * time.Minute

const (
	lateItem    = time.Hour
	learnAfter  = 20     // dated items before anything is said about a clock
	lateAfter   = 50     // items that were new on a later visit before it is said to be behind
	aheadShare  = 0.05   // of the items: a single mistyped date is none
	daysShare   = 0.8    // an item is dated midnight by chance once in 1,440
	clockMemory = 400    // dated items after which the older half counts less
	clockItems  = 20_000 // the newest items that are read at the start: two days' worth
)

// clockTally counts an outlet's dated items.
type clockTally struct {
	dated, ahead, midnight int
	watched, late          int // of sources visited before: all, and those found late
}

// clock judges the tally.
func (c clockTally) clock() Clock {
	switch {
	case c.dated < learnAfter:
		return ""
	case float64(c.ahead) >= aheadShare*float64(c.dated):
		return ClockAhead
	case float64(c.midnight) >= daysShare*float64(c.dated):
		return ClockDays
	case c.watched >= lateAfter && c.late == c.watched:
		return ClockBehind
	}
	return ""
}

// add counts one item; watched says that its source had been visited before.
func (c *clockTally) add(published, seen time.Time, watched bool) {
	if c.dated >= clockMemory {
		c.dated, c.ahead, c.midnight, c.watched, c.late = c.dated/2, c.ahead/2, c.midnight/2, c.watched/2, c.late/2
	}
	c.dated++
	if published.Sub(seen) > ClockSlack {
		c.ahead++
	}
	if published.Equal(DayOf(published).Start()) {
		c.midnight++
	}
	if watched {
		c.watched++
		if seen.Sub(published) > lateItem {
			c.late++
		}
	}
}

// clocks are the tallies of all outlets.
type clocks struct {
	mu      sync.Mutex
	tallies map[string]clockTally
}

// dated is what a new item's date teaches.
type dated struct {
	published, seen time.Time
	watched         bool
}

// learnClock counts an outlet's new items and, if that changes what is known of
// its clock, says so from the next visit on.
func (db *DB) learnClock(outlet string, items []dated) {
	if len(items) == 0 {
		return
	}
	db.clocks.mu.Lock()
	defer db.clocks.mu.Unlock()
	c := db.clocks.tallies[outlet]
	for _, it := range items {
		c.add(it.published, it.seen, it.watched)
	}
	db.clocks.tallies[outlet] = c
	old := *db.outlets.Load()
	if o, ok := old[outlet]; ok && o.Clock != c.clock() {
		all := maps.Clone(old)
		o.Clock = c.clock()
		all[outlet] = o
		db.outlets.Store(&all)
	}
}

// loadClocks counts the newest stored items; whether their sources had been
// visited before is not known any more.
func (db *DB) loadClocks(ctx context.Context) (map[string]clockTally, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT outlet, count(*),
		sum(CASE WHEN published > seen + $1 THEN 1 ELSE 0 END),
		sum(CASE WHEN (published + $2) % $3 = 0 THEN 1 ELSE 0 END)
		FROM items WHERE id > (SELECT coalesce(max(id), 0) FROM items) - $4 AND published > 0 GROUP BY outlet`,
		ClockSlack.Milliseconds(), (7 * time.Hour).Milliseconds(), (24 * time.Hour).Milliseconds(), clockItems)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]clockTally{}
	for rows.Next() {
		var outlet string
		var c clockTally
		if err := rows.Scan(&outlet, &c.dated, &c.ahead, &c.midnight); err != nil {
			return nil, err
		}
		all[outlet] = c
	}
	return all, rows.Err()
}
