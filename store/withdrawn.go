package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrWithdrawn is returned for a story whose quoted item its outlet removed.
// Its address stays: it answers 410.
var ErrWithdrawn = errors.New("withdrawn")

const (
	// FirstCheck is how long after its first sight an item's page is asked
	// for, once: most removals come within a day.
	FirstCheck = 24 * time.Hour
	// secondLook is how long after a page was found removed it is asked for
	// again: a fault of an hour must not withdraw an article.
	secondLook = time.Hour
	// checkAgain is the pause after an answer that says nothing, and checkFor
	// the age from which such an item is not asked for any more: an outlet
	// that closes its pages to us is not asked for all of them for ever.
	checkAgain = 24 * time.Hour
	checkFor   = 7 * 24 * time.Hour
	// withdrawAfter is how often in a row a page must be found removed.
	withdrawAfter = 2
)

// Withdrawal reasons.
const withdrawnBySource = "source" // the outlet removed its article

// Check is an item whose page is to be asked for.
type Check struct {
	Item   int64
	Outlet string
	Source string
	Link   string
	Gone   int  // how often in a row it was found removed
	Taken  bool // it is withdrawn, and may be back
}

// Verdict is what an item's page said.
type Verdict int

// The verdicts on an item's page.
const (
	Alive   Verdict = iota // it is there
	Removed                // 404, 410, or a redirect to the front page
	Unclear                // anything else: no reason to withdraw
)

// CheckSoon asks for the pages of the outlet's items to be looked at now: of
// those with the aliases in gone, which have vanished from their feed while
// older ones remain, and of those in back that are withdrawn, which have
// appeared again.
func (db *DB) CheckSoon(ctx context.Context, outlet string, gone, back []string, now time.Time) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.checkSoon(outlet, gone, now, `withdrawn = 0 AND reduced = 0 AND (check_at = 0 OR check_at > $1)`); err != nil {
			return err
		}
		return t.checkSoon(outlet, back, now, `withdrawn > 0 AND reduced = 0 AND withdrawn_why = '`+withdrawnBySource+`'`)
	})
	if err != nil {
		return fmt.Errorf("ask for vanished items: %w", err)
	}
	return nil
}

func (t *tx) checkSoon(outlet string, aliases []string, now time.Time, which string) error {
	for chunk := range slices.Chunk(aliases, maxParams) {
		hashes := make([]any, len(chunk))
		for i, a := range chunk {
			hashes[i] = aliasHash(outlet, a)
		}
		hashes = padded(hashes)
		if err := t.exec(`UPDATE items SET check_at = $1 WHERE `+which+`
			AND id IN (SELECT item FROM aliases WHERE hash IN (`+places(2, len(hashes))+`))`, append([]any{millis(now)}, hashes...)...); err != nil {
			return err
		}
	}
	return nil
}

// Checks claims at most limit items whose pages are to be asked for. Nobody
// else gets them until the lease is over.
func (db *DB) Checks(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Check, error) {
	var waiting int
	if err := db.engine.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM items
		WHERE check_at > 0 AND check_at <= $1 LIMIT 1) AS w`, millis(now)).Scan(&waiting); err != nil {
		return nil, fmt.Errorf("claim checks: %w", err)
	}
	if waiting == 0 {
		return nil, nil
	}
	var all []Check
	err := db.do(ctx, 1, func(t *tx) error {
		all = nil
		rows, err := t.query(`UPDATE items SET check_at = $1 WHERE id IN
			(SELECT id FROM items WHERE check_at > 0 AND check_at <= $2 ORDER BY check_at LIMIT $3) AND check_at > 0 AND check_at <= $2
			RETURNING id, outlet, source, link, gone_seen, withdrawn`, millis(now.Add(lease)), millis(now), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c Check
			var withdrawn int64
			if err := rows.Scan(&c.Item, &c.Outlet, &c.Source, &c.Link, &c.Gone, &withdrawn); err != nil {
				return err
			}
			c.Taken = withdrawn > 0
			all = append(all, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("claim checks: %w", err)
	}
	return all, nil
}

// Sibling returns the link of another item of the outlet, the newest one that
// is not withdrawn and was never found removed; "" if there is none. Its page
// tells an outlet whose pages all fail from an article that is gone.
func (db *DB) Sibling(ctx context.Context, c Check) (string, error) {
	var link string
	err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce((SELECT i.link FROM carriers c JOIN items i ON i.id = c.item
		WHERE c.source = $1 AND i.id <> $2 AND i.gone_seen = 0 AND i.withdrawn = 0 ORDER BY c.item DESC LIMIT 1), '')`, c.Source, c.Item).Scan(&link)
	if err != nil {
		return "", fmt.Errorf("find another item of %s: %w", c.Outlet, err)
	}
	return link, nil
}

// Checked stores what an item's page said. An item found removed twice in a
// row is withdrawn; one that is back is restored.
func (db *DB) Checked(ctx context.Context, c Check, v Verdict, now time.Time, judge Judge) (withdrawn, restored bool, err error) {
	outlets := *db.outlets.Load()
	err = db.do(ctx, 1, func(t *tx) error {
		withdrawn, restored = false, false
		if ruled, err := t.takenByRuling(c.Item); err != nil || ruled {
			return err // whatever its outlet does with it
		}
		switch {
		case v == Alive && c.Taken:
			restored = true
			return t.restore(c, now, outlets, judge)
		case v == Alive: // one that had vanished too soon has its look after a day yet to come
			return t.exec(`UPDATE items SET check_at = CASE WHEN seen > $1 THEN seen + CAST($2 AS BIGINT) ELSE 0 END, gone_seen = 0 WHERE id = $3`,
				millis(now.Add(-FirstCheck)), FirstCheck.Milliseconds(), c.Item)
		case v == Removed && c.Taken:
			return t.exec(`UPDATE items SET check_at = 0 WHERE id = $1`, c.Item)
		case v == Removed && c.Gone+1 < withdrawAfter:
			return t.exec(`UPDATE items SET check_at = $1, gone_seen = gone_seen + 1 WHERE id = $2`, millis(now.Add(secondLook)), c.Item)
		case v == Removed:
			withdrawn = true
			return t.withdraw(c, now, outlets, judge)
		}
		return t.exec(`UPDATE items SET check_at = CASE WHEN seen < $1 THEN 0 ELSE CAST($2 AS BIGINT) END WHERE id = $3`,
			millis(now.Add(-checkFor)), millis(now.Add(checkAgain)), c.Item)
	})
	if err != nil {
		return false, false, fmt.Errorf("store check of %s: %w", c.Link, err)
	}
	return withdrawn, restored, nil
}

func (t *tx) withdraw(c Check, now time.Time, outlets map[string]Outlet, judge Judge) error {
	if err := t.exec(`UPDATE items SET check_at = 0, gone_seen = $1, withdrawn = $2, withdrawn_why = $3 WHERE id = $4`,
		withdrawAfter, millis(now), withdrawnBySource, c.Item); err != nil {
		return fmt.Errorf("withdraw item: %w", err)
	}
	return t.editing(now, outlets, judge).itemGone(c.Item, outlets[c.Outlet])
}

// takenByRuling says whether a ruling, and not its outlet, withdrew an item.
func (t *tx) takenByRuling(item int64) (bool, error) {
	var n int
	err := t.queryRow(`SELECT count(*) FROM items WHERE id = $1 AND withdrawn > 0 AND withdrawn_why <> '`+withdrawnBySource+`'`, item).Scan(&n)
	return n > 0, err
}

// itemGone lets readers see that an item has been withdrawn.
func (v *visit) itemGone(item int64, o Outlet) error {
	now := millis(v.r.At)
	s, err := v.storyOf(item)
	if err != nil || s == nil {
		return err
	}
	v.note(s.id)
	items, err := v.storyItems(s.id)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	left := free(items, v.outlets, now)
	switch {
	case s.listed == 0 && len(items) == 0:
		return v.exec(`UPDATE stories SET list_at = $1 WHERE id = $2`, never, s.id)
	case s.listed == 0:
		return nil
	case s.quoted != item:
		v.tick(now)
		if err := v.exposeMerged(s); err != nil { // sealed documents may quote the item for what is part of this now
			return err
		}
		return v.renameOriginal(s)
	case len(left) > 0:
		return v.quoteAnew(s, o, left, v.r.At, v.outlets, v.judge)
	}
	if s.visible() {
		if err := v.takeOut(s, BuriedWithdrawn); err != nil {
			return err
		}
	}
	if err := v.exec(`UPDATE stories SET withdrawn = $1, updated = $1 WHERE id = $2`, v.tick(now), s.id); err != nil {
		return fmt.Errorf("withdraw story: %w", err)
	}
	return nil
}

// storyOf is the story that an item is in now: it may have been merged since
// somebody asked.
func (t *tx) storyOf(item int64) (*row, error) {
	var id string
	if err := t.queryRow(`SELECT coalesce(max(story), '') FROM items WHERE id = $1`, item).Scan(&id); err != nil {
		return nil, err
	}
	return t.story(id)
}

// quoteAnew lets a story whose quoted item is gone quote another of its items:
// what one outlet took back, the others still say. Id, listing and place stay.
func (t *tx) quoteAnew(s *row, from Outlet, left []Item, now time.Time, outlets map[string]Outlet, judge Judge) error {
	before := scopesOf(from, s.topics, s.province)
	if s.visible() {
		if err := t.leave(s, from); err != nil {
			return err
		}
	}
	o, why := s.chooseOriginal(left, outlets, judge)
	quoted := &left[o]
	if quoted.ID != s.quoted && !slices.Contains(s.quotedBefore, s.quoted) {
		s.quotedBefore = append(s.quotedBefore, s.quoted)
	}
	s.quoted, s.topics, s.province = quoted.ID, ruledTopics(storyTopics(left, quoted.ID), s.ruled), quoted.Province
	if err := t.exec(`UPDATE stories SET quoted = $1, original = $1, original_why = $2, topics = $3, province = $4, updated = $5, quoted_before = $6 WHERE id = $7`,
		quoted.ID, why, encoded(s.topics), s.province, t.tick(millis(now)), encoded(s.quotedBefore), s.id); err != nil {
		return fmt.Errorf("quote anew: %w", err)
	}
	if err := t.exposeWith(s); err != nil { // sealed documents quote what is gone
		return err
	}
	if !s.visible() {
		return nil
	}
	after := scopesOf(outlets[quoted.Outlet], s.topics, s.province)
	if err := t.exhume(s.id, after); err != nil {
		return err
	}
	if err := t.bury(s, without(before, after), buriedMoved, t.clock); err != nil {
		return err
	}
	return t.enter(s, outlets[quoted.Outlet])
}

// leave takes a story out of both orders of each of its scopes, and its words
// out of the index.
func (t *tx) leave(s *row, o Outlet) error {
	for _, scope := range scopesOf(o, s.topics, s.province) {
		if err := t.exec(`DELETE FROM by_listed WHERE scope = $1 AND at = $2 AND story = $3`, scope, s.listed, s.id); err != nil {
			return fmt.Errorf("take out of %s: %w", scope, err)
		}
		if err := t.exec(`DELETE FROM by_published WHERE scope = $1 AND at = $2 AND story = $3`, scope, s.shown, s.id); err != nil {
			return fmt.Errorf("take out of %s: %w", scope, err)
		}
	}
	if err := t.leaveWords(s); err != nil {
		return err
	}
	t.raise(s, o)
	return nil
}

// restore undoes withdraw.
func (t *tx) restore(c Check, now time.Time, outlets map[string]Outlet, judge Judge) error {
	if err := t.exec(`UPDATE items SET check_at = 0, gone_seen = 0, withdrawn = 0, withdrawn_why = '' WHERE id = $1`, c.Item); err != nil {
		return fmt.Errorf("restore item: %w", err)
	}
	return t.editing(now, outlets, judge).itemBack(c.Item)
}

// itemBack undoes itemGone: the story stands again where it stood.
func (v *visit) itemBack(item int64) error {
	s, err := v.storyOf(item)
	if err != nil || s == nil {
		return err
	}
	v.note(s.id)
	if s.listed == 0 {
		return v.exec(`UPDATE stories SET list_at = $1 WHERE id = $2 AND list_at = $3`, millis(v.r.At), s.id, never)
	}
	if s.quoted != item && s.withdrawn > 0 { // what it quoted last was removed too, and is not back
		return v.revive(s)
	}
	if s.quoted != item {
		return v.renameOriginal(s)
	}
	if s.withdrawn == 0 {
		return nil
	}
	s.withdrawn = 0
	if err := v.exec(`UPDATE stories SET withdrawn = 0 WHERE id = $1`, s.id); err != nil {
		return fmt.Errorf("restore story: %w", err)
	}
	if !s.visible() {
		return nil
	}
	return v.putBack(s)
}
