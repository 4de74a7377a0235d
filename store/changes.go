package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Change says that something in a story changed that lists of stories tell:
// its words, its topics, its original, how many outlets carry it, whether it is
// there at all. It says what the story is now, not what it was then.
type Change struct {
	ID    string
	At    Revision // of its newest change
	Gone  string   // BuriedMerged or BuriedWithdrawn; empty = it is there
	Into  string   // of one that was merged: the story that has its items
	Story Story    // if it is there
}

// Place is that of a change among all.
func (c *Change) Place() Cursor { return Cursor{c.At.At, c.ID} }

// MaxChanges bounds the answer of Changes.
const MaxChanges = 1000

// Changes returns the changes after a place, the oldest first: each story that
// was ever listed once, at its newest change. Whoever applies them from the
// zero Cursor on holds what is listed, whatever happens between two calls.
//
// The places are in the order of commits (writers take turns), so that no
// change comes to stand before a place that was given out.
func (db *DB) Changes(ctx context.Context, after Cursor, limit int) ([]Change, error) {
	all, err := db.changed(ctx, after, min(max(limit, 0), MaxChanges))
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	// Only then: whose takedown made a story change is taken down by now, also
	// if another process did it.
	if err := db.renewTaken(ctx); err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	var ids []string
	for i := range all {
		if all[i].Gone == "" {
			ids = append(ids, all[i].ID)
		}
	}
	stories, err := db.loadStories(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	there := make(map[string]Story, len(stories))
	for _, s := range stories {
		there[s.ID] = s
	}
	for i := range all {
		c := &all[i]
		if s, ok := there[c.ID]; ok {
			c.Story = s
		} else if c.Gone == "" { // its outlet may not be shown, or it left at this moment
			c.Gone = BuriedWithdrawn
		}
	}
	return all, nil
}

// changed reads the rows of Changes.
func (db *DB) changed(ctx context.Context, after Cursor, limit int) ([]Change, error) {
	rows, err := db.engine.read.QueryContext(ctx, fmt.Sprintf(`SELECT id, changed, merged_into, withdrawn + hidden FROM stories
		WHERE changed >= $1 AND (changed, id) > ($1, $2) ORDER BY changed, id LIMIT %d`, limit), max(millis(after.At), 1), after.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Change
	for rows.Next() {
		var c Change
		var at, out int64
		if err := rows.Scan(&c.ID, &at, &c.Into, &out); err != nil {
			return nil, err
		}
		c.At = Revision{N: at, At: fromMillis(at)}
		switch {
		case c.Into != "":
			c.Gone = BuriedMerged
		case out > 0:
			c.Gone = BuriedWithdrawn
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// LastChange is the revision of the newest change.
func (db *DB) LastChange(ctx context.Context) (Revision, error) {
	var at int64
	err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce(max(changed), 0) FROM stories`).Scan(&at)
	if err != nil {
		return Revision{}, fmt.Errorf("read the newest change: %w", err)
	}
	return Revision{N: at, At: fromMillis(at)}, nil
}

// note marks a story as changed for those who mirror what is listed.
func (t *tx) note(story string) { t.changed[story] = true }

// saveChanged dates what was noted: later than all that was committed before.
func (t *tx) saveChanged() error {
	if len(t.changed) == 0 {
		return nil
	}
	if t.clock == t.began {
		t.tick(0)
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(t.changed)), maxParams) {
		ids := make([]any, len(chunk))
		for i, id := range chunk {
			ids[i] = id
		}
		ids = padded(ids)
		if err := t.exec(`UPDATE stories SET changed = $1 WHERE listed > 0 AND id IN (`+places(2, len(ids))+`)`,
			append([]any{t.clock}, ids...)...); err != nil {
			return fmt.Errorf("date changes: %w", err)
		}
	}
	return nil
}

// noteOutlet marks every story that an outlet is or was named in: what of it
// may be shown has changed.
func (t *tx) noteOutlet(outlet string) error {
	err := t.exec(`UPDATE stories SET changed = $1 WHERE listed > 0 AND id IN (
		SELECT story FROM by_published WHERE scope = $2 UNION
		SELECT i.story FROM carriers c JOIN items i ON i.id = c.item WHERE c.source = $3 OR c.source IN (SELECT id FROM sources WHERE outlet = $4))`,
		t.tick(0), "outlet:"+outlet, outlet+editorSource, outlet)
	if err != nil {
		return fmt.Errorf("note what changes with outlet %s: %w", outlet, err)
	}
	return nil
}

// noteOutlets notes several at once, in a transaction of its own.
func (db *DB) noteOutlets(ctx context.Context, outlets []string) error {
	if len(outlets) == 0 {
		return nil
	}
	return db.do(ctx, 1, func(t *tx) error {
		var errs []error
		for _, o := range outlets {
			errs = append(errs, t.noteOutlet(o))
		}
		return errors.Join(errs...)
	})
}
