package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// agedBatch is how many old stories are read together.
	agedBatch = 256
	// stepItems and stepTime bound what one step takes on, whichever comes
	// first: another writer waits for one step at most, and 50 ms are what it may
	// wait. docs/performance.md has what it does wait.
	stepItems = 24
	stepTime  = 3 * time.Millisecond
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

// Step reduces some stories, or a part of a large one, and says whether there
// may be more.
func (run *RetentionRun) Step(ctx context.Context, now time.Time) (done Reduction, more bool, err error) {
	if err := run.look(ctx); err != nil {
		return done, false, fmt.Errorf("look for old stories: %w", err)
	}
	handled := 0
	err = run.db.do(ctx, batchItems, func(t *tx) error { // alone in its transaction
		w := thinning{tx: t, now: run.h.now}
		for handled = 0; handled < len(run.due) && w.goesOn(); handled++ {
			whole, err := w.reduce(&run.due[handled])
			if err != nil {
				return fmt.Errorf("story %s: %w", run.due[handled].id, err)
			}
			if !whole { // it has more items than a step may have
				break
			}
		}
		if err := w.rewrite(); err != nil {
			return fmt.Errorf("rewrite items: %w", err)
		}
		done = w.done
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
	for len(run.due) < stepItems && !run.ended && run.left > 0 {
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

// thinning is what one step does within its transaction.
type thinning struct {
	*tx
	now   int64
	start time.Time
	ids   []any // of the items to be rewritten at its end
	done  Reduction
}

// goesOn says whether the step may take another story.
func (w *thinning) goesOn() bool {
	if w.start.IsZero() {
		w.start = time.Now()
	}
	return len(w.ids) < stepItems && time.Since(w.start) < stepTime
}

// reduce reduces a story that was found to be old, unless something has
// happened to it since. It is false for one that has more items than are
// reduced in one step.
func (w *thinning) reduce(a *aged) (whole bool, err error) {
	var changed, there int64
	err = w.queryRow(`SELECT coalesce(max(changed), 0), count(*) FROM stories WHERE id = $1 AND listed = $2 AND reduced = 0 AND merged_into = ''
		AND pinned = 0 AND hidden = 0 AND ruled_topics IN ('', '[]', 'null')`, a.id, a.listed).Scan(&changed, &there)
	if err != nil || there == 0 || changed != a.changed {
		return true, err
	}
	var waits bool
	if err := w.queryRow(unsealedSQL, a.id).Scan(&waits); err != nil || waits {
		return true, err
	}
	before := len(w.ids)
	if err := w.eachPair(`SELECT id, 0 FROM items WHERE story = $1 AND reduced = 0 ORDER BY id LIMIT $2`, []any{a.id, stepItems},
		func(id, _ int64) { w.ids = append(w.ids, id) }); err != nil {
		return false, fmt.Errorf("read its items: %w", err)
	}
	ids := w.ids[before:]
	w.done.Items += len(ids)
	if err := w.dropPages(ids, &w.done); err != nil {
		return false, fmt.Errorf("drop its pages: %w", err)
	}
	if len(ids) == stepItems {
		return false, nil
	}
	if err := w.dropRelated(a.id, &w.done); err != nil {
		return false, fmt.Errorf("drop what is related: %w", err)
	}
	w.done.Stories++
	return true, w.exec(`UPDATE stories SET reduced = $1 WHERE id = $2`, w.now, a.id)
}

// rewrite takes the items out of their table and puts what is left of them in
// again, all at once: a page of SQLite that has become half empty stays so,
// while pages that were emptied are free, and the next ones are full.
func (w *thinning) rewrite() error {
	if len(w.ids) == 0 {
		return nil
	}
	in := ` WHERE id IN (` + places(1, len(padded(w.ids))) + `)`
	columns, rows, err := w.wholeItems(`SELECT * FROM items`+in+` ORDER BY id`, padded(w.ids))
	if err != nil {
		return err
	}
	if err := w.exec(`DELETE FROM items`+in, padded(w.ids)...); err != nil {
		return err
	}
	insert := `INSERT INTO items (` + strings.Join(columns, ", ") + `) VALUES (` + places(1, len(columns)) + `)`
	for _, row := range rows {
		for i, column := range columns {
			if row[i], err = thinned(column, row[i]); err != nil {
				return err
			}
		}
		if err := w.exec(insert, row...); err != nil {
			return err
		}
	}
	return nil
}

// wholeItems reads items with all the columns that there are.
func (w *thinning) wholeItems(query string, args []any) (columns []string, all [][]any, err error) {
	rows, err := w.query(query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		all = append(all, row)
	}
	return columns, all, rows.Err()
}

// thinned is what a column of a reduced item holds.
func thinned(column string, was any) (any, error) {
	switch column {
	case "reduced":
		return int64(1), nil
	case "check_at": // its page is asked for no more
		return int64(0), nil
	case "summary", "content":
		return text(""), nil
	case "image", "published_raw", "merge_evidence", "categories", "enclosures":
		return "", nil
	case "topics":
		var all []ItemTopic
		var stored text
		if err := stored.Scan(was); err != nil {
			return nil, err
		}
		if err := decode(string(stored), &all); err != nil {
			return nil, err
		}
		return text(encoded(mainReasons(all))), nil
	}
	return was, nil
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
	for _, chunk := range chunks(items) {
		in := ` WHERE item IN (` + places(1, len(chunk)) + `)`
		for _, one := range []struct {
			table string
			count *int
		}{{"articles", &done.Pages}, {"article_texts", &done.Texts}, {"titles", &done.Titles}} {
			if err := t.counted(one.count, `DELETE FROM `+one.table+in, chunk...); err != nil {
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
