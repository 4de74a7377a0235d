package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The phases of a re-classification.
const (
	ReclassifyItems   = "items"   // the items are being judged; readers see nothing of it
	ReclassifyStories = "stories" // the stories that change are being moved
	ReclassifyDone    = "done"
)

// windowReach is how many places of a listing are moved together, in one
// transaction: four times what a feed shows, so that no later batch can change
// a feed.
const windowReach = 200

// Reclassification is how far judging what is stored by other rules has come.
type Reclassification struct {
	Rules    string // a digest of the rules
	Phase    string // ReclassifyItems, …
	Since    time.Time
	Started  time.Time
	Finished time.Time // zero while it is under way
	Place    int64     // items from this id on are judged, from the newest down
	Total    int       // items when it started
	Seen     int       // items judged
	Changed  int       // of these: whose topics or reasons changed
	Moved    int       // stories whose topics changed
}

// Reclassification returns the newest re-classification, or ErrNotFound.
func (db *DB) Reclassification(ctx context.Context) (Reclassification, error) {
	return scanReclassification(db.engine.read.QueryRowContext(ctx, selectReclassification))
}

const selectReclassification = `SELECT rules, phase, since, started, finished, place, total, seen, changed, moved FROM reclassify WHERE id = 1`

func scanReclassification(r *sql.Row) (c Reclassification, err error) {
	var since, started, finished int64
	err = r.Scan(&c.Rules, &c.Phase, &since, &started, &finished, &c.Place, &c.Total, &c.Seen, &c.Changed, &c.Moved)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("re-classification: %w", ErrNotFound)
	}
	if err != nil {
		return c, fmt.Errorf("read re-classification: %w", err)
	}
	c.Since, c.Started, c.Finished = fromMillis(since), fromMillis(started), fromMillis(finished)
	return c, nil
}

// BeginReclassify goes on with the re-classification by the same rules if one
// is under way, and else begins one of the items that were seen since. What
// another one has judged and not yet moved is forgotten.
func (db *DB) BeginReclassify(ctx context.Context, rules string, since, now time.Time) (c Reclassification, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		c, err = scanReclassification(t.queryRow(selectReclassification))
		if err == nil && c.Rules == rules && c.Phase != ReclassifyDone {
			return nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		c = Reclassification{Rules: rules, Phase: ReclassifyItems, Since: since, Started: now, Place: t.nextID}
		if err := t.queryRow(`SELECT count(*) FROM items WHERE withdrawn = 0 AND reduced = 0`).Scan(&c.Total); err != nil {
			return fmt.Errorf("count items: %w", err)
		}
		if err := t.exec(`DELETE FROM reclassified`); err != nil {
			return err
		}
		return t.saveReclassification(c)
	})
	if err != nil {
		return c, fmt.Errorf("begin to re-classify: %w", err)
	}
	return c, nil
}

func (t *tx) saveReclassification(c Reclassification) error {
	err := t.exec(`INSERT INTO reclassify (id, rules, phase, since, started, finished, place, total, seen, changed, moved)
		VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET rules = excluded.rules, phase = excluded.phase,
		since = excluded.since, started = excluded.started, finished = excluded.finished, place = excluded.place, total = excluded.total,
		seen = excluded.seen, changed = excluded.changed, moved = excluded.moved`,
		c.Rules, c.Phase, millis(c.Since), millis(c.Started), millis(c.Finished), c.Place, c.Total, c.Seen, c.Changed, c.Moved)
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	return nil
}

// errOvertaken is returned when another re-classification has begun.
var errOvertaken = errors.New("another re-classification has begun")

// current reads the re-classification under way, which must be by rules.
func (t *tx) current(rules string) (Reclassification, error) {
	c, err := scanReclassification(t.queryRow(selectReclassification))
	if err == nil && c.Rules != rules {
		err = errOvertaken
	}
	return c, err
}

// Reclassify stores the topics of one batch of ItemsBack, which may be empty:
// then all are judged. Nothing of it is seen by readers yet. before holds the
// items as they were read: one whose text has changed since is left as it is.
// place is the Place from which they were read. If another process is at it too
// and has come further, nothing is done, and c says how far.
func (db *DB) Reclassify(ctx context.Context, rules string, place int64, before []Item, topics [][]ItemTopic, now time.Time) (c Reclassification, err error) {
	outlets := *db.outlets.Load()
	err = db.do(ctx, len(before), func(t *tx) error {
		if c, err = t.current(rules); err != nil || c.Phase != ReclassifyItems || c.Place != place {
			return err
		}
		if len(before) == 0 {
			c.Phase = ReclassifyStories
			return t.saveReclassification(c)
		}
		var stories []string
		for i := range before {
			it := &before[i]
			c.Seen, c.Place = c.Seen+1, it.ID
			if !slices.Contains(stories, it.Story) {
				stories = append(stories, it.Story)
			}
			if encoded(it.Topics) == encoded(topics[i]) {
				continue
			}
			c.Changed++
			if err := t.exec(`UPDATE items SET topics = $1 WHERE id = $2 AND fingerprint = $3`, text(encoded(topics[i])), it.ID, int64(it.Fingerprint)); err != nil {
				return fmt.Errorf("store topics: %w", err)
			}
		}
		v := t.editing(now, outlets, nil)
		for _, id := range stories {
			if err := v.stage(id); err != nil {
				return fmt.Errorf("story %s: %w", id, err)
			}
		}
		return t.saveReclassification(c)
	})
	if err != nil {
		return c, fmt.Errorf("re-classify: %w", err)
	}
	return c, nil
}

// found are the topics that a listed story has by those of its items.
func (v *visit) found(s *row) ([]Topic, error) {
	items, err := v.topicItems(s.id)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	shown := free(items, v.outlets, millis(v.r.At))
	if len(shown) == 0 { // withdrawn: it keeps what its items say
		shown = items
	}
	original := s.original
	if original == 0 || !slices.ContainsFunc(shown, func(it Item) bool { return it.ID == original }) {
		original = s.quoted
	}
	return ruledTopics(storyTopics(shown, original), s.ruled), nil
}

// topicItems are a story's first items with what their topics depend on.
func (t *tx) topicItems(story string) ([]Item, error) {
	rows, err := t.query(`SELECT id, outlet, published, seen, topics FROM items
		WHERE story = $1 AND withdrawn = 0 ORDER BY id LIMIT $2`, story, maxJudged)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Item
	for rows.Next() {
		var it Item
		var published, seen int64
		var topics string
		if err := rows.Scan(&it.ID, &it.Outlet, &published, &seen, (*text)(&topics)); err != nil {
			return nil, err
		}
		it.Published, it.Seen = fromMillis(published), fromMillis(seen)
		if err := decode(topics, &it.Topics); err != nil {
			return nil, err
		}
		all = append(all, it)
	}
	return all, rows.Err()
}

// stage notes what will change for a story.
func (v *visit) stage(id string) error {
	s, err := v.story(id)
	if err != nil || s == nil || s.listed == 0 || s.mergedInto != "" {
		return err
	}
	if err := v.exec(`DELETE FROM reclassified WHERE story = $1`, id); err != nil {
		return err
	}
	topics, err := v.found(s)
	if err != nil || slices.Equal(topics, s.topics) {
		return err
	}
	has, had := orNone(topics), orNone(s.topics)
	gained := slices.DeleteFunc(slices.Clone(has), func(t Topic) bool { return slices.Contains(had, t) })
	lost := slices.DeleteFunc(slices.Clone(had), func(t Topic) bool { return slices.Contains(has, t) })
	listed := s.listed
	if s.backfill != 0 || !s.visible() {
		listed = 0 // it stands in no feed
	}
	return v.exec(`INSERT INTO reclassified (story, listed, gained, lost) VALUES ($1, $2, $3, $4)`, id, listed, encoded(gained), encoded(lost))
}

// staged is a story that waits to be moved.
type staged struct {
	story        string
	listed       int64
	gained, lost []Topic
}

func (t *tx) staged(order string, limit int) ([]staged, error) {
	rows, err := t.query(fmt.Sprintf(`SELECT story, listed, gained, lost FROM reclassified ORDER BY %s LIMIT %d`, order, limit))
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	defer rows.Close()
	var all []staged
	for rows.Next() {
		var s staged
		var gained, lost string
		if err := rows.Scan(&s.story, &s.listed, &gained, &lost); err != nil {
			return nil, err
		}
		if err := errors.Join(decode(gained, &s.gained), decode(lost, &s.lost)); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// maxStaged bounds what is looked at for the stories within a window.
const maxStaged = 1_000_000

// MoveReclassified moves stories that have other topics now. The first call
// moves all that stand within the window of any topic's feed, so that readers
// see one change; each later one moves at most limit older ones. No story
// gets another id, place or date. It is over when the phase is ReclassifyDone.
func (db *DB) MoveReclassified(ctx context.Context, rules string, limit int, now time.Time) (c Reclassification, err error) {
	outlets := *db.outlets.Load()
	err = db.do(ctx, limit, func(t *tx) error {
		if c, err = t.current(rules); err == nil && c.Phase != ReclassifyStories {
			err = errOvertaken
		}
		if err != nil {
			return err
		}
		var all []staged
		if c.Moved == 0 {
			if all, err = t.withinWindow(); err != nil {
				return err
			}
		}
		if len(all) == 0 {
			if all, err = t.staged(`listed DESC, story`, limit); err != nil {
				return err
			}
		}
		v := t.editing(now, outlets, nil)
		at := v.ticking()
		for _, one := range all {
			if err := v.moveStaged(one.story, at); err != nil {
				return fmt.Errorf("story %s: %w", one.story, err)
			}
			c.Moved++
		}
		if len(all) == 0 {
			c.Phase, c.Finished = ReclassifyDone, now
		}
		return t.saveReclassification(c)
	})
	if err != nil {
		return c, fmt.Errorf("move stories: %w", err)
	}
	return c, nil
}

// moveStaged gives a story the topics that its items have now: copies and
// rulings may have come since it was staged.
func (v *visit) moveStaged(id string, at func() int64) error {
	if err := v.exec(`DELETE FROM reclassified WHERE story = $1`, id); err != nil {
		return err
	}
	s, err := v.story(id)
	if err != nil || s == nil || s.listed == 0 || s.mergedInto != "" {
		return err
	}
	topics, err := v.found(s)
	if err != nil {
		return err
	}
	return v.setTopics(s, topics, false, at)
}

// withinWindow returns the stories that wait and stand, or will stand, among
// the first windowReach of a topic that they gain or lose. One that only
// changes its primary topic is within the window of everything or of none.
func (t *tx) withinWindow() ([]staged, error) {
	all, err := t.staged(`listed DESC, story`, maxStaged)
	if err != nil {
		return nil, err
	}
	cuts, gains := map[string]int64{}, map[Topic]int{}
	within := func(scope string, s staged) bool {
		at, ok := cuts[scope]
		if !ok {
			if at, err = t.reach(scope); err != nil {
				return false
			}
			cuts[scope] = at
		}
		return s.listed >= at
	}
	var inside []staged
	for _, s := range all {
		if s.listed == 0 {
			break
		}
		in := len(s.gained)+len(s.lost) == 0 && within("all", s)
		for _, topic := range s.lost {
			in = within("topic:"+string(topic), s) || in
		}
		for _, topic := range s.gained {
			gains[topic]++
			in = gains[topic] <= windowReach && within("topic:"+string(topic), s) || in
		}
		if in {
			inside = append(inside, s)
		}
	}
	return inside, err
}

// reach is the place of the windowReach-th story of a scope, 0 if it has fewer.
func (t *tx) reach(scope string) (at int64, err error) {
	err = t.queryRow(fmt.Sprintf(`SELECT coalesce((SELECT at FROM by_listed WHERE scope = $1 ORDER BY at DESC LIMIT 1 OFFSET %d), 0)`,
		windowReach-1), scope).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("find the window of %s: %w", scope, err)
	}
	return at, nil
}
