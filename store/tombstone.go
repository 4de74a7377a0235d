package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Why a story left a scope.
const (
	BuriedMerged    = "merged"    // it is part of another story now
	BuriedWithdrawn = "withdrawn" // its outlet took it back, or a ruling hides it
	buriedMoved     = "moved"     // it stands in other scopes still
)

// TombstoneFor is how long readers are told that a story is gone: longer than
// they are wont to stay away.
const TombstoneFor = 7 * 24 * time.Hour

// Tombstone is the place of a story that stood in a selection and is gone.
type Tombstone struct {
	Story  string
	Listed time.Time // its place in feeds
	Shown  time.Time // its place in day listings
	At     time.Time // when it left
	Why    string    // BuriedMerged, BuriedWithdrawn; "" = tell nobody, but its place stays taken
}

// bury notes that a listed story has left scopes.
func (t *tx) bury(s *row, scopes []string, why string, now int64) error {
	if s.listed == 0 {
		return nil
	}
	for _, scope := range scopes {
		if err := t.exec(`INSERT INTO tombstones (scope, listed, story, at, shown, backfill, why) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (scope, listed, story) DO UPDATE SET at = excluded.at, why = excluded.why`,
			scope, s.listed, s.id, now, s.shown, s.backfill, why); err != nil {
			return fmt.Errorf("note that %s left %s: %w", s.id, scope, err)
		}
	}
	return nil
}

// exhume forgets that a story had left scopes: it stands there again. Where it
// does not, it has only moved.
func (t *tx) exhume(story string, scopes []string) error {
	for _, scope := range scopes {
		if err := t.exec(`DELETE FROM tombstones WHERE story = $1 AND scope = $2`, story, scope); err != nil {
			return fmt.Errorf("note that %s is back in %s: %w", story, scope, err)
		}
	}
	if err := t.exec(`UPDATE tombstones SET why = $1 WHERE story = $2`, buriedMoved, story); err != nil {
		return fmt.Errorf("note that %s is back: %w", story, err)
	}
	return nil
}

// maxTombstones bounds the answer of Tombstones, the newest first.
const maxTombstones = 1000

// Tombstones returns the stories that stood in a selection since the moment
// since, by their place there, or have left it within TombstoneFor before its
// newest change: what readers are told depends on no clock.
func (db *DB) Tombstones(ctx context.Context, sel Selection, since time.Time) ([]Tombstone, error) {
	rev, err := db.Revision(ctx, sel)
	if err != nil || rev.N == 0 {
		return nil, err
	}
	told := rev.N - TombstoneFor.Milliseconds()
	var args arguments
	from, until := int64(math.MinInt64), int64(math.MaxInt64)
	place, fresh := "listed", " AND backfill = 0"
	if sel.Day != "" {
		from, until, place, fresh = millis(sel.Day.Start()), millis(sel.Day.Next().Start()), "shown", ""
	}
	cond := fmt.Sprintf(" AND shown >= %s AND shown < %s AND (%s >= %s OR at > %s)%s",
		args.add(from), args.add(until), place, args.add(millis(since)), args.add(told), fresh)
	dims := sel.dimensions()
	for _, dim := range dims[1:] {
		cond += " AND EXISTS (SELECT 1 FROM tombstones x WHERE x.story = t.story AND x.listed = t.listed AND x.scope IN (" + args.list(dim) + "))"
	}
	rows, err := db.engine.read.QueryContext(ctx, `SELECT DISTINCT story, listed, shown, at, why FROM tombstones t
		WHERE scope IN (`+args.list(dims[0])+`)`+cond+fmt.Sprintf(` ORDER BY listed DESC, story LIMIT %d`, maxTombstones), args...)
	if err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	defer rows.Close()
	var all []Tombstone
	for rows.Next() {
		var s Tombstone
		var listed, shown, at int64
		if err := rows.Scan(&s.Story, &listed, &shown, &at, &s.Why); err != nil {
			return nil, fmt.Errorf("read tombstones: %w", err)
		}
		s.Listed, s.Shown, s.At = fromMillis(listed), fromMillis(shown), fromMillis(at)
		if s.Why == buriedMoved || at <= told {
			s.Why = ""
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// without are the scopes of all that are not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}
