package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// agedBatch is how many old stories are read together.
	agedBatch = 256
	// stepStories and stepTime bound one step, whichever comes first: another
	// writer waits for one step at most, and 50 ms are what it may wait. A step
	// took 4 to 12 ms at a million items; docs/performance.md has the figures.
	stepStories = 32
	stepTime    = 8 * time.Millisecond
	// lookedAt bounds the old stories that one run looks at; the next goes on.
	lookedAt = 50_000
	// retentionLease is how long a process that died keeps others from going on.
	retentionLease = 2 * time.Minute
)

// Reduction counts what went.
type Reduction struct {
	Stories   int // reduced
	Items     int // of these: that have their headline, authors, link and times left
	Pages     int // what items' own pages had said
	Texts     int // texts of pages
	Titles    int // former headlines
	Relations int // to stories on the same event
}

// RetentionRun is one pass over what is old, in steps that are each a short
// transaction of its own. A process that dies between two of them, or within
// one, has lost nothing: the next run goes on.
type RetentionRun struct {
	db    *DB
	h     *horizon
	after int64  // listing of the last story that was looked at
	due   []aged // to be reduced next
	left  int    // of lookedAt
	ended bool   // nothing older is left
}

// BeginRetention begins a run; nil if another process is at it.
func (db *DB) BeginRetention(ctx context.Context, r Retention, now time.Time) (*RetentionRun, error) {
	run := &RetentionRun{db: db, left: lookedAt}
	free := true
	err := db.do(ctx, 1, func(t *tx) error {
		if !t.w.engine.alone {
			res, err := t.execResult(`INSERT INTO meta (name, value) VALUES ('retention_until', $1)
				ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <= $2`, millis(now.Add(retentionLease)), millis(now))
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			if free = n > 0; !free {
				return nil
			}
		}
		return t.queryRow(`SELECT coalesce(max(value), 0) FROM meta WHERE name = 'retention_place'`).Scan(&run.after)
	})
	if err != nil {
		return nil, fmt.Errorf("begin retention: %w", err)
	}
	if !free {
		return nil, nil
	}
	if run.h, err = db.horizon(ctx, r, now); err != nil {
		return nil, fmt.Errorf("begin retention: %w", err)
	}
	return run, nil
}

// Step reduces some stories and says whether there may be more. It writes for
// stepTime, and one story longer, at most.
func (run *RetentionRun) Step(ctx context.Context, now time.Time) (done Reduction, more bool, err error) {
	if err := run.look(ctx); err != nil {
		return done, false, fmt.Errorf("look for old stories: %w", err)
	}
	handled := 0
	err = run.db.do(ctx, batchItems, func(t *tx) error { // alone in its transaction
		done, handled = Reduction{}, 0
		for start := time.Now(); handled < len(run.due) && time.Since(start) < stepTime; handled++ {
			if err := t.reduceAged(&run.due[handled], run.h.now, &done); err != nil {
				return fmt.Errorf("story %s: %w", run.due[handled].id, err)
			}
		}
		return t.saveRetention(run.placeAfter(handled), done.Stories, now)
	})
	if err != nil {
		return Reduction{}, false, fmt.Errorf("reduce old stories: %w", err)
	}
	run.due = run.due[handled:]
	return done, len(run.due) > 0 || !run.ended && run.left > 0, nil
}

// look fills what is due for the next step.
func (run *RetentionRun) look(ctx context.Context) error {
	for len(run.due) < stepStories && !run.ended && run.left > 0 {
		batch, err := run.db.agedAfter(ctx, run.after, run.h.latest(), agedBatch)
		if err != nil {
			return err
		}
		for i := range batch {
			goes, err := run.db.goes(ctx, run.h, &batch[i])
			if err != nil {
				return err
			}
			if goes {
				run.due = append(run.due, batch[i])
			}
			run.after = batch[i].listed
		}
		run.left -= len(batch)
		run.ended = len(batch) < agedBatch
	}
	return nil
}

// placeAfter is where a run goes on that ends now: from the beginning if it has
// seen everything.
func (run *RetentionRun) placeAfter(handled int) int64 {
	switch {
	case handled < len(run.due):
		return run.due[handled].listed - 1
	case run.ended:
		return 0
	}
	return run.after
}

// saveRetention notes how far a run has come, and that it is alive.
func (t *tx) saveRetention(place int64, stories int, now time.Time) error {
	if err := t.exec(`INSERT INTO meta (name, value) VALUES ('retention_place', $1), ('retention_until', $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, place, millis(now.Add(retentionLease))); err != nil {
		return err
	}
	if stories == 0 {
		return nil
	}
	return t.exec(`INSERT INTO meta (name, value) VALUES ('retention_stories', $1)
		ON CONFLICT (name) DO UPDATE SET value = meta.value + excluded.value`, stories)
}

// End notes that a run is over.
func (run *RetentionRun) End(ctx context.Context, now time.Time) error {
	err := run.db.do(ctx, 1, func(t *tx) error {
		return t.exec(`INSERT INTO meta (name, value) VALUES ('retention_last', $1), ('retention_until', 0)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, millis(now))
	})
	if err != nil {
		return fmt.Errorf("end retention: %w", err)
	}
	return nil
}

// reduceAged reduces a story that was found to be old, unless something has
// happened to it since.
func (t *tx) reduceAged(a *aged, now int64, done *Reduction) error {
	var changed, waits int64
	err := t.queryRow(`SELECT coalesce(max(changed), 0), count(*) FROM stories WHERE id = $1 AND listed = $2 AND reduced = 0 AND merged_into = ''
		AND pinned = 0 AND hidden = 0 AND ruled_topics IN ('', '[]', 'null')`, a.id, a.listed).Scan(&changed, &waits)
	if err != nil {
		return err
	}
	if waits == 0 || changed != a.changed {
		return nil
	}
	var open bool
	if err := t.queryRow(unsealedSQL, a.id).Scan(&open); err != nil || open {
		return err
	}
	ids, err := t.reduceItems(a.id)
	if err != nil {
		return fmt.Errorf("reduce its items: %w", err)
	}
	done.Stories, done.Items = done.Stories+1, done.Items+len(ids)
	if err := t.dropPages(ids, done); err != nil {
		return fmt.Errorf("drop its pages: %w", err)
	}
	if err := t.dropRelated(a.id, done); err != nil {
		return fmt.Errorf("drop what is related: %w", err)
	}
	if err := t.leaveWords(&a.row); err != nil {
		return err
	}
	return t.exec(`UPDATE stories SET reduced = $1 WHERE id = $2`, now, a.id)
}

// reduceItems reduces the items of a story and returns their ids.
func (t *tx) reduceItems(story string) ([]any, error) {
	rows, err := t.query(`SELECT id, topics FROM items WHERE story = $1 AND reduced = 0 ORDER BY id`, story)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []any
	var topics []string
	for rows.Next() {
		var id int64
		var of string
		if err := rows.Scan(&id, &of); err != nil {
			return nil, err
		}
		ids, topics = append(ids, id), append(topics, of)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	rows.Close()
	for i, id := range ids {
		var all []ItemTopic
		if err := decode(topics[i], &all); err != nil {
			return nil, err
		}
		if err := t.exec(`UPDATE items SET reduced = 1, summary = '', content = '', image = '', categories = '[]', enclosures = '[]',
			published_raw = '', merge_evidence = '', check_at = 0, topics = $1 WHERE id = $2`, encoded(mainReasons(all)), id); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// mainReasons leaves each topic the weightiest of its reasons, of those in the
// item's own words if there is one.
func mainReasons(topics []ItemTopic) []ItemTopic {
	for i := range topics {
		tp := &topics[i]
		own := spoken(*tp)
		var main []Phrase
		for _, p := range tp.Reasons {
			if own && (p.Place == sectionPlace || p.Place == opinionPlace) {
				continue
			}
			if main == nil || p.Weight > main[0].Weight {
				main = []Phrase{p}
			}
		}
		tp.Reasons = main
	}
	return topics
}

// dropPages deletes what was kept of items beside their rows.
func (t *tx) dropPages(items []any, done *Reduction) error {
	for chunk := range slices.Chunk(items, maxParams) {
		in := ` WHERE item IN (` + places(1, len(padded(chunk))) + `)`
		for _, one := range []struct {
			table string
			count *int
		}{{"articles", &done.Pages}, {"article_texts", &done.Texts}, {"titles", &done.Titles}} {
			if err := t.counted(one.count, `DELETE FROM `+one.table+in, padded(chunk)...); err != nil {
				return fmt.Errorf("%s: %w", one.table, err)
			}
		}
	}
	return nil
}

// dropRelated deletes a story's relations, from both sides.
func (t *tx) dropRelated(story string, done *Reduction) error {
	if err := t.exec(`DELETE FROM related WHERE other = $1 AND story IN (SELECT other FROM related WHERE story = $1)`, story); err != nil {
		return err
	}
	return t.counted(&done.Relations, `DELETE FROM related WHERE story = $1`, story)
}

// counted runs a statement and adds the rows that it changed.
func (t *tx) counted(n *int, query string, args ...any) error {
	res, err := t.execResult(query, args...)
	if err != nil {
		return err
	}
	rows, err := res.RowsAffected()
	*n += int(rows)
	return err
}
