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
	buriedMoved     = ""          // it stands in other scopes still: readers are told nothing
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
	Why    string    // BuriedMerged or BuriedWithdrawn
	Inside bool      // its place is within the window
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

// maxTombstones bounds the tombstones of one answer, the newest first.
const maxTombstones = 1000

// Window is what a feed shows of a selection.
type Window struct {
	Stories []Story
	Gone    []Tombstone // what readers are told to be gone, within TombstoneFor of the newest change
}

// Window answers a query as feeds need it. A story that is gone leaves its
// place empty, for as long as that is within the window: no older story, which
// readers have seen leave the feed, comes back in its stead.
func (db *DB) Window(ctx context.Context, q Query) (Window, error) {
	rev, err := db.Revision(ctx, q.Selection)
	if err != nil {
		return Window{}, err
	}
	if !q.Since.IsZero() {
		if q.Limit, err = db.placesSince(ctx, q, rev); err != nil {
			return Window{}, err
		}
	}
	stories, err := db.Stories(ctx, q)
	if err != nil {
		return Window{}, err
	}
	place := func(listed, shown time.Time) time.Time {
		if q.Order == ByPublished || q.Day != "" {
			return shown
		}
		return listed
	}
	var since time.Time
	if n := len(stories); n > 0 && n == q.Limit {
		since = place(stories[n-1].Listed, stories[n-1].Shown)
	}
	graves, err := db.tombstones(ctx, q, since, rev)
	if err != nil {
		return Window{}, fmt.Errorf("read tombstones: %w", err)
	}
	if graves, err = db.siftGraves(ctx, q.Selection, graves); err != nil {
		return Window{}, fmt.Errorf("read tombstones: %w", err)
	}
	graves = slices.DeleteFunc(graves, func(g Tombstone) bool { // moved from one of its scopes to another
		return slices.ContainsFunc(stories, func(s Story) bool { return s.ID == g.Story })
	})
	w := Window{Stories: stories}
	told := rev.At.Add(-TombstoneFor)
	for i := range graves {
		g := &graves[i]
		at := place(g.Listed, g.Shown)
		newer := slices.IndexFunc(w.Stories, func(s Story) bool { return place(s.Listed, s.Shown).Before(at) })
		if newer < 0 {
			newer = len(w.Stories)
		}
		if g.Inside = newer+i < q.Limit; g.Inside && len(w.Stories)+i+1 > q.Limit {
			w.Stories = w.Stories[:q.Limit-i-1]
		}
		if g.Why != buriedMoved && g.At.After(told) {
			w.Gone = append(w.Gone, *g)
		}
	}
	return w, nil
}

// placesSince is the limit that lets a window reach back to q.Since: its places,
// the empty ones too, but no less than q.Limit.
func (db *DB) placesSince(ctx context.Context, q Query, rev Revision) (int, error) {
	w := window{table: "by_listed", from: millis(q.Since), until: math.MaxInt64, limit: MaxStories}
	full, err := db.find(ctx, q.Selection, w, q.Record)
	if err != nil {
		return 0, fmt.Errorf("read places: %w", err)
	}
	graves, err := db.tombstones(ctx, q, q.Since, rev)
	if err == nil {
		graves, err = db.siftGraves(ctx, q.Selection, graves)
	}
	if err != nil {
		return 0, fmt.Errorf("read tombstones: %w", err)
	}
	n := len(full)
	for _, g := range graves {
		if !g.Listed.Before(q.Since) && !slices.ContainsFunc(full, func(p place) bool { return p.story == g.Story }) {
			n++
		}
	}
	return min(max(n, q.Limit), MaxStories), nil
}

// tombstones returns the places of what is gone since a moment, or told of,
// by place, the newest first.
func (db *DB) tombstones(ctx context.Context, q Query, since time.Time, rev Revision) ([]Tombstone, error) {
	var args arguments
	dims := q.dimensions()
	place, cond := "listed", " AND backfill = 0"
	if q.Order == ByPublished || q.Day != "" {
		place, cond = "shown", ""
	}
	if q.Day != "" {
		cond += " AND shown >= " + args.add(millis(q.Day.Start())) + " AND shown < " + args.add(millis(q.Day.Next().Start()))
	}
	for _, dim := range dims[1:] {
		cond += " AND EXISTS (SELECT 1 FROM tombstones x WHERE x.story = t.story AND x.scope IN (" + args.list(dim) + "))"
	}
	if out := q.without(); len(out) > 0 {
		cond += " AND NOT EXISTS (SELECT 1 FROM tombstones x WHERE x.story = t.story AND x.scope IN (" + args.list(out) + "))"
	}
	scopes := args.list(dims[0])
	part := func(which string) string {
		return `SELECT story, listed, shown, at, why FROM tombstones t WHERE scope IN (` + scopes + `) AND ` + which + cond
	}
	rows, err := db.engine.read.QueryContext(ctx, `SELECT story, listed, shown, max(at), max(why) FROM (`+
		part(place+" >= "+args.add(millis(since)))+` UNION `+part("at > "+args.add(rev.N-TombstoneFor.Milliseconds()))+`) AS u
		GROUP BY story, listed, shown ORDER BY `+place+fmt.Sprintf(` DESC, story DESC LIMIT %d`, maxTombstones), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Tombstone
	for rows.Next() {
		var g Tombstone
		var listed, shown, at int64
		if err := rows.Scan(&g.Story, &listed, &shown, &at, &g.Why); err != nil {
			return nil, err
		}
		g.Listed, g.Shown, g.At = fromMillis(listed), fromMillis(shown), fromMillis(at)
		all = append(all, g)
	}
	return all, rows.Err()
}

// without are the scopes of all that are not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}
