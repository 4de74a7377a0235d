package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Retention reduces stories that are old: of each item the summary, text,
// pictures, page, former headlines and all but the main reasons go. What stays
// is what names the original (headline, authors, outlet, link, times), the words
// it is found by, the story's places in feeds and listings, the rulings and
// every identity, so that no count, no order and no sealed document changes and
// an item that comes back is known. docs/decisions/0020 has the reasons.

const (
	// LeastAge is the age below which no story is reduced, whatever a rule says:
	// items are found as copies for two windows, texts of pages live as long, and
	// mirrors, tombstones and corrections need their days.
	LeastAge = 30 * 24 * time.Hour
	// KeptInScope is how many of the newest stories of each topic, outlet,
	// province, scope and channel stay whole: as many as its feed can be asked for.
	KeptInScope = 200
)

// RetentionRule says which stories are old enough; what either of its bounds
// takes goes. The zero rule takes nothing.
type RetentionRule struct {
	Age   time.Duration // listed longer ago; 0 = no bound
	Items int           // beyond the newest so many; 0 = no bound
}

// Retention is what is to be reduced.
type Retention struct {
	RetentionRule                          // Items counts those of all outlets
	Outlets       map[string]RetentionRule // in its place for stories that quote these; Items counts stories that quote it
}

// Any says whether it takes anything at all.
func (r Retention) Any() bool {
	for _, own := range r.Outlets {
		if own != (RetentionRule{}) {
			return true
		}
	}
	return r.RetentionRule != RetentionRule{}
}

// reach is up to where stories go: listed before that, or shown before that.
type reach struct{ listed, shown int64 }

func (r reach) takes(listed, shown int64) bool { return listed < r.listed || shown < r.shown }

// horizon is a Retention at a moment.
type horizon struct {
	now     int64
	general reach
	outlets map[string]reach
	scopes  map[string]int64 // from when on the stories of a scope stay whole
	feeds   map[string]bool  // stories that stand in the feed of a channel
}

// latest bounds the time of listing of all that may go.
func (h *horizon) latest() int64 { return h.now - LeastAge.Milliseconds() }

// horizon finds how far a Retention reaches now.
func (db *DB) horizon(ctx context.Context, r Retention, now time.Time) (*horizon, error) {
	h := &horizon{now: millis(now), outlets: map[string]reach{}, scopes: map[string]int64{}, feeds: map[string]bool{}}
	if r.Age > 0 {
		h.general.listed = millis(now.Add(-r.Age))
	}
	if r.Items > 0 {
		seen, err := db.seenBeyond(ctx, r.Items)
		if err != nil {
			return nil, fmt.Errorf("count items: %w", err)
		}
		h.general.listed = max(h.general.listed, seen)
	}
	for outlet, own := range r.Outlets {
		var to reach
		if own.Age > 0 {
			to.listed = millis(now.Add(-own.Age))
		}
		if own.Items > 0 {
			var err error
			if to.shown, err = db.newestBut(ctx, "by_published", "outlet:"+outlet, own.Items); err != nil {
				return nil, fmt.Errorf("count stories of %s: %w", outlet, err)
			}
		}
		h.outlets[outlet] = to
	}
	if err := db.keepFeeds(ctx, h); err != nil {
		return nil, fmt.Errorf("find what stands in feeds: %w", err)
	}
	return h, nil
}

// seenBeyond is when the newest item was seen that is not among the newest n;
// 0 if there are not that many. Ids have no gaps.
func (db *DB) seenBeyond(ctx context.Context, n int) (seen int64, err error) {
	err = db.engine.read.QueryRowContext(ctx, `SELECT coalesce(max(seen), 0) FROM (SELECT seen FROM items
		WHERE id < (SELECT value FROM meta WHERE name = 'next_item') - CAST($1 AS BIGINT) ORDER BY id DESC LIMIT 1) AS u`, n).Scan(&seen)
	return seen, err
}

// newestBut is the time of the oldest of the newest n stories of a scope; 0 if
// it has no more than that.
func (db *DB) newestBut(ctx context.Context, table, scope string, n int) (at int64, err error) {
	err = db.engine.read.QueryRowContext(ctx, fmt.Sprintf(`SELECT coalesce(max(at), 0) FROM (SELECT at FROM %s WHERE scope = $1
		ORDER BY at DESC, story DESC LIMIT 1 OFFSET %d) AS u`, table, n), scope).Scan(&at)
	if err == nil && at > 0 {
		at++ // that one goes
	}
	return at, err
}

// keepFeeds notes what stands in the feeds of the configured channels, whose
// selections may reach far back.
func (db *DB) keepFeeds(ctx context.Context, h *horizon) error {
	channels, err := readChannels(db.engine.read.QueryContext(ctx, `SELECT id, selection FROM archive_channels ORDER BY id`))
	if err != nil {
		return err
	}
	for _, c := range channels {
		w := window{table: "by_listed", until: h.now + 1, limit: KeptInScope}
		found, err := db.find(ctx, c.Selection, w, "")
		if err != nil {
			return fmt.Errorf("channel %s: %w", c.ID, err)
		}
		for _, p := range found {
			h.feeds[p.story] = true
		}
	}
	return nil
}

// aged is a story that may be old enough, with the outlet it quotes.
type aged struct {
	row
	outlet  string
	changed int64
	items   int // in it
}

const agedSQL = `SELECT s.listed, s.id, i.outlet, s.shown, s.topics, s.province, s.changed, s.copies FROM stories s JOIN items i ON i.id = s.quoted
	WHERE s.listed > $1 AND s.listed < $2 AND s.listed > 0 AND s.reduced = 0 AND s.merged_into = '' AND s.pinned = 0 AND s.hidden = 0
	AND s.ruled_topics IN ('', '[]', 'null') ORDER BY s.listed LIMIT `

// agedAfter returns the oldest whole stories that were listed after a moment,
// but for those that editors have ruled on.
func (db *DB) agedAfter(ctx context.Context, after, until int64, limit int) ([]aged, error) {
	rows, err := db.engine.read.QueryContext(ctx, agedSQL+fmt.Sprint(limit), after, until)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []aged
	for rows.Next() {
		var a aged
		var topics string
		if err := rows.Scan(&a.listed, &a.id, &a.outlet, &a.shown, &topics, &a.province, &a.changed, &a.items); err != nil {
			return nil, err
		}
		if err := decode(topics, &a.topics); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// goes says whether a story is old enough and stands in no feed.
func (db *DB) goes(ctx context.Context, h *horizon, a *aged) (bool, error) {
	to, own := h.outlets[a.outlet]
	if !own {
		to = h.general
	}
	if !to.takes(a.listed, a.shown) || max(a.listed, a.changed) >= h.latest() || h.feeds[a.id] {
		return false, nil
	}
	o := (*db.outlets.Load())[a.outlet]
	o.ID = a.outlet
	for _, scope := range scopesOf(o, a.topics, a.province) {
		from, known := h.scopes[scope]
		if !known {
			var err error
			if from, err = db.newestBut(ctx, "by_listed", scope, KeptInScope); err != nil {
				return false, err
			}
			h.scopes[scope] = from
		}
		if a.listed >= from {
			return false, nil
		}
	}
	return true, nil
}

// OutletReduction is what a Retention would reduce of what one outlet is
// quoted for.
type OutletReduction struct {
	Outlet  string    `json:"outlet"`
	Stories int       `json:"stories"`         // that would be reduced
	Items   int       `json:"items"`           // in them
	Kept    int       `json:"stay"`            // old enough by the rule, but needed: in a feed, not sealed yet, changed lately
	Oldest  time.Time `json:"oldest,omitzero"` // listing of the oldest that would go
	Newest  time.Time `json:"newest,omitzero"` // and of the newest
}

// PlanRetention says, by outlet, what a Retention would reduce now. It reads
// every whole story that is old enough and writes nothing.
func (db *DB) PlanRetention(ctx context.Context, r Retention, now time.Time) ([]OutletReduction, error) {
	h, err := db.horizon(ctx, r, now)
	if err != nil {
		return nil, fmt.Errorf("plan retention: %w", err)
	}
	plan := map[string]*OutletReduction{}
	for after, more := int64(0), true; more; {
		batch, err := db.agedAfter(ctx, after, h.latest(), agedBatch)
		if err != nil {
			return nil, fmt.Errorf("plan retention: %w", err)
		}
		for i := range batch {
			after = batch[i].listed
			if err := db.planOne(ctx, h, &batch[i], plan); err != nil {
				return nil, fmt.Errorf("plan retention: %w", err)
			}
		}
		more = len(batch) == agedBatch
	}
	all := make([]OutletReduction, 0, len(plan))
	for _, id := range slices.Sorted(maps.Keys(plan)) {
		all = append(all, *plan[id])
	}
	return all, nil
}

func (db *DB) planOne(ctx context.Context, h *horizon, a *aged, plan map[string]*OutletReduction) error {
	to, own := h.outlets[a.outlet]
	if !own {
		to = h.general
	}
	if !to.takes(a.listed, a.shown) {
		return nil
	}
	p := plan[a.outlet]
	if p == nil {
		p = &OutletReduction{Outlet: a.outlet}
		plan[a.outlet] = p
	}
	goes, err := db.goes(ctx, h, a)
	if err == nil && goes {
		var waits bool
		err = db.engine.read.QueryRowContext(ctx, unsealedSQL, a.id).Scan(&waits)
		goes = !waits
	}
	switch {
	case err != nil:
		return err
	case !goes:
		p.Kept++
		return nil
	}
	p.Stories++
	p.Items += a.items
	at := fromMillis(a.listed)
	if p.Newest = at; p.Oldest.IsZero() { // they come in this order
		p.Oldest = at
	}
	return nil
}

// unsealedSQL says whether a story waits to be sealed: in the record of
// everything, or in one of which anything was ever sealed. Others are those of
// topics that no file has, or has no more, and nobody seals them.
const unsealedSQL = `SELECT EXISTS (SELECT 1 FROM unsealed u WHERE u.story = $1
	AND (u.scope = 'all' OR EXISTS (SELECT 1 FROM archives a WHERE a.scope = u.scope)))`

// RetentionState is what retention has done and when.
type RetentionState struct {
	Last    time.Time // when a run last ended; zero if none did
	Reduced int64     // stories, since the database was made
}

// Retained reads the state of retention.
func (db *DB) Retained(ctx context.Context) (s RetentionState, err error) {
	var last sql.NullInt64
	err = db.engine.read.QueryRowContext(ctx, `SELECT max(CASE WHEN name = 'retention_last' THEN value END),
		coalesce(max(CASE WHEN name = 'retention_stories' THEN value END), 0) FROM meta`).Scan(&last, &s.Reduced)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("read the state of retention: %w", err)
	}
	s.Last = fromMillis(last.Int64)
	return s, nil
}
