package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// MaxDays bounds the days that are counted at once: a month.
const MaxDays = 31

// maxDayCounts bounds the counts that are remembered, some 150 bytes each: a
// year of everything, of 23 topics and of 34 provinces.
const maxDayCounts = 20_000

// dayCounts remembers how many stories a selection had on a day. It holds as
// long as the revision of the day: whatever enters or leaves a day raises it.
type dayCounts struct {
	mu    sync.Mutex
	terms *map[string]Outlet // under which they were counted
	known map[string]dayCount
}

type dayCount struct{ revision, n int64 }

// at returns the remembered count of a day; nothing counted under other terms
// of outlets is remembered.
func (c *dayCounts) at(terms *map[string]Outlet, key string, revision int64) (n int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[key]
	return k.n, ok && c.terms == terms && k.revision == revision
}

func (c *dayCounts) put(terms *map[string]Outlet, key string, k dayCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.terms != terms || len(c.known) >= maxDayCounts {
		c.terms, c.known = terms, map[string]dayCount{}
	}
	c.known[key] = k
}

// DayCounts counts the stories of a selection that were published on each of
// the days from first to last, at most MaxDays; days without any are not in it.
// Words and languages of the selection are not looked at.
func (db *DB) DayCounts(ctx context.Context, sel Selection, first, last Day) (map[Day]int, error) {
	terms := db.outlets.Load()
	var days []Day
	for d := first; d <= last && len(days) < MaxDays; d = d.Next() {
		days = append(days, d)
	}
	revisions, err := db.dayRevisions(ctx, days) // before the counts: what comes between is counted again
	if err != nil {
		return nil, fmt.Errorf("count days: %w", err)
	}
	dims, out := sel.dimensions(), db.leftOut(sel)
	of := fmt.Sprint(dims, out)
	all := map[Day]int{}
	for _, d := range days {
		if revisions[d] == 0 { // nothing was ever published then
			continue
		}
		key := string(d) + of
		n, ok := db.days.at(terms, key, revisions[d])
		if !ok {
			if n, err = db.countDay(ctx, dims, out, d); err != nil {
				return nil, fmt.Errorf("count days: %w", err)
			}
			db.days.put(terms, key, dayCount{revisions[d], n})
		}
		if n > 0 {
			all[d] = int(n)
		}
	}
	return all, nil
}

// dayRevisions reads when what was published on each of some days last changed.
func (db *DB) dayRevisions(ctx context.Context, days []Day) (map[Day]int64, error) {
	all := map[Day]int64{}
	if len(days) == 0 {
		return all, nil
	}
	args := make([]any, len(days))
	for i, d := range days {
		args[i] = dayScope(d)
	}
	args = padded(args)
	rows, err := db.engine.read.QueryContext(ctx, `SELECT scope, at FROM revisions WHERE scope IN (`+places(1, len(args))+`)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var scope string
		var at int64
		if err := rows.Scan(&scope, &at); err != nil {
			return nil, err
		}
		all[Day(strings.TrimPrefix(scope, dayScope("")))] = at
	}
	return all, rows.Err()
}

// countDay counts the stories of one day that stand in a scope of each of dims
// and in none of out.
func (db *DB) countDay(ctx context.Context, dims [][]string, out []string, d Day) (n int64, err error) {
	var args arguments
	from, until := millis(d.Start()), millis(d.Next().Start())
	counted := "count(*)"
	if len(dims[0]) > 1 {
		counted = "count(DISTINCT story)"
	}
	cond := "scope IN (" + args.list(dims[0]) + ") AND at >= " + args.add(from) + " AND at < " + args.add(until)
	within := func(scopes []string) string {
		return "EXISTS (SELECT 1 FROM by_published x WHERE x.scope IN (" + args.list(scopes) + ") AND x.at = a.at AND x.story = a.story)"
	}
	for _, dim := range dims[1:] {
		cond += " AND " + within(dim)
	}
	if len(out) > 0 {
		cond += " AND NOT " + within(out)
	}
	err = db.engine.read.QueryRowContext(ctx, `SELECT `+counted+` FROM by_published a WHERE `+cond, args...).Scan(&n)
	return n, err
}
