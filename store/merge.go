package store

import (
	"fmt"
	"slices"
	"time"
)

// survivor decides which of two stories keeps its id: what readers know stays.
// Both listed: the one listed first; one listed: that one; none: the one whose
// first item is older.
func survivor(a, b *row) (winner, loser *row) {
	first := func(a, b *row) bool {
		switch {
		case a.listed > 0 && b.listed > 0:
			return a.listed < b.listed
		case a.listed > 0 || b.listed > 0:
			return a.listed > 0
		case a.shown != b.shown:
			return a.shown < b.shown
		}
		return a.id < b.id
	}
	if first(a, b) {
		return a, b
	}
	return b, a
}

// visible says whether readers see the story.
func (s *row) visible() bool {
	return s.listed > 0 && s.withdrawn == 0 && s.hidden == 0 && s.mergedInto == ""
}

// apart says whether a ruling keeps two stories apart.
func (t *tx) apart(a, b string) (bool, error) {
	var n int
	err := t.queryRow(`SELECT count(*) FROM apart WHERE a = $1 AND b = $2`, a, b).Scan(&n)
	return n > 0, err
}

// mergeStories puts the loser's items into the winner, which survivor chose.
// Both rows are live ones of this transaction. item, which may be nil, is the
// one whose text, read anew, has shown that the two are one story; m says why.
// Stories ruled apart stay as they are, and so does item.Story: it names the
// winner afterwards if they were merged.
//
// The loser's id redirects, its entry leaves all scopes with a tombstone, the
// winner's original is judged again; nothing new appears in any feed. The
// ledger says so, and how to undo it.
func (v *visit) mergeStories(winner, loser *row, item *Item, m Merge) error {
	if winner.id == loser.id {
		return nil
	}
	apart, err := v.apart(winner.id, loser.id)
	if err != nil {
		return fmt.Errorf("look for a ruling: %w", err)
	}
	if apart {
		return nil
	}
	_, err = v.unite(winner, loser, item, m, Ruling{Verb: RuleMerge, Why: m.Reason})
	return err
}

// unite is mergeStories without asking whether a ruling forbids it; by is
// completed and entered into the ledger.
func (v *visit) unite(winner, loser *row, item *Item, m Merge, by Ruling) (Ruling, error) {
	if winner.mergedInto != "" || loser.mergedInto != "" {
		return by, fmt.Errorf("merge %s into %s: one of them is merged already", loser.id, winner.id)
	}
	now := millis(v.r.At)
	if m.At.IsZero() {
		m.At = v.r.At
	}
	by.Story, by.Other, by.At, by.Merge = winner.id, loser.id, v.r.At, m
	by.before = before{Hidden: winner.hidden, Pinned: winner.pinned, Topics: winner.ruled, Reasons: map[int64]Merge{}}
	var err error
	if by.Items, err = v.moveItems(loser.id, winner.id, item, m, by.before.Reasons); err != nil {
		return by, fmt.Errorf("move items: %w", err)
	}
	if by, err = v.enterLedger(by); err != nil {
		return by, err
	}
	wasVisible := winner.visible()
	if err := v.redirect(loser, winner.id, now); err != nil {
		return by, err
	}
	if err := v.moveRelated(loser.id, winner.id); err != nil {
		return by, fmt.Errorf("move what is related: %w", err)
	}
	winner.copies += len(by.Items)
	if winner.listed == 0 {
		winner.listAt, winner.backfill = min(winner.listAt, loser.listAt), min(winner.backfill, loser.backfill)
		winner.holdUntil = min(winner.holdUntil, loser.holdUntil)
	}
	if winner.pinned == 0 {
		winner.pinned = loser.pinned
	}
	if winner.hidden == 0 {
		winner.hidden = loser.hidden
	}
	if err := v.exec(`UPDATE stories SET copies = $1, list_at = $2, hold_until = $3, backfill = $4, pinned = $5, hidden = $6, reduced = 0 WHERE id = $7`,
		winner.copies, winner.listAt, winner.holdUntil, winner.backfill, winner.pinned, winner.hidden, winner.id); err != nil {
		return by, fmt.Errorf("update the surviving story: %w", err)
	}
	if err := v.ruleTopics(winner, slices.Concat(loser.ruled, winner.ruled)); err != nil {
		return by, err
	}
	if err := v.inheritApart(winner.id, loser.id, by.ID); err != nil {
		return by, fmt.Errorf("inherit what is ruled apart: %w", err)
	}
	return by, v.showUnited(winner, wasVisible)
}

// bridge unites the story that a new item has joined with the others of which
// it is surely the same text: each of two copies may be unlike the other, and
// the third like both. A story that readers may not see stays by itself.
func (v *visit) bridge(it *Item, near []*Item) error {
	for near = slices.Clone(near); ; {
		near = slices.DeleteFunc(near, func(n *Item) bool { return n.Story == it.Story })
		if len(near) == 0 {
			return nil
		}
		i, m, left, err := v.match(it, near)
		if err != nil || i < 0 {
			return err
		}
		near = left
		other := near[i].Story
		if m.Firm {
			if err := v.uniteOpen(it, other, m); err != nil {
				return fmt.Errorf("unite with story %s: %w", other, err)
			}
		}
		near = slices.DeleteFunc(near, func(n *Item) bool { return n.Story == other }) // also if they stay two
	}
}

// uniteOpen makes one story of the item's and another one, unless something
// speaks against showing them together.
func (v *visit) uniteOpen(it *Item, other string, m Merge) error {
	mine, err := v.story(it.Story)
	if err != nil {
		return fmt.Errorf("read story: %w", err)
	}
	theirs, err := v.story(other)
	if err != nil {
		return fmt.Errorf("read story: %w", err)
	}
	if mine == nil || theirs == nil {
		return nil
	}
	for _, s := range []*row{mine, theirs} {
		if s.mergedInto != "" || s.withdrawn > 0 || s.hidden > 0 {
			return nil
		}
	}
	return v.unitePages(it, other, m)
}

// showUnited lets the readers of the surviving story see what the merge means
// for it.
func (v *visit) showUnited(s *row, wasVisible bool) error {
	switch {
	case s.listed == 0:
		return nil // its own time comes
	case wasVisible && s.hidden > 0:
		return v.takeOut(s, BuriedWithdrawn)
	case s.hidden > 0:
		return nil
	case s.withdrawn > 0:
		return v.revive(s)
	}
	return v.renameOriginal(s)
}

// revive lets a withdrawn story quote one of the items it has got, where it
// stood.
func (v *visit) revive(s *row) error {
	items, err := v.storyItems(s.id)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	left := free(items, v.outlets, millis(v.r.At))
	if len(left) == 0 {
		return nil
	}
	from, err := v.quotedOutlet(s)
	if err != nil {
		return err
	}
	s.withdrawn = 0
	if err := v.exec(`UPDATE stories SET withdrawn = 0 WHERE id = $1`, s.id); err != nil {
		return fmt.Errorf("revive story: %w", err)
	}
	return v.quoteAnew(s, from, left, v.r.At, v.outlets, v.judge)
}

// moveItems puts all items of one story, or some of them, into another and
// returns their ids. Why the first of them stood alone is no longer true, nor
// why item stood where it did: that becomes m, and the former is kept.
func (v *visit) moveItems(from, to string, item *Item, m Merge, former map[int64]Merge) ([]int64, error) {
	v.note(from)
	v.note(to)
	rows, err := v.query(`SELECT id, merge_reason, merge_score, merge_evidence, merge_at FROM items WHERE story = $1 ORDER BY id`, from)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id, at int64
		var was Merge
		if err := rows.Scan(&id, &was.Reason, &was.Score, &was.Evidence, &at); err != nil {
			return nil, err
		}
		was.At = fromMillis(at)
		ids = append(ids, id)
		if was.Reason == "first" || item != nil && id == item.ID {
			former[id] = was
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	rows.Close()
	if err := v.exec(`UPDATE items SET story = $1 WHERE story = $2`, to, from); err != nil {
		return nil, err
	}
	if err := v.keepStory(millis(v.r.At), ids, to); err != nil {
		return nil, err
	}
	for id := range former {
		if err := v.giveReason(id, m); err != nil {
			return nil, err
		}
	}
	for id, k := range v.byID {
		if k.story == from {
			v.byID[id].story = to
		}
	}
	if item != nil {
		item.Story = to
	}
	return ids, nil
}

func (t *tx) giveReason(item int64, m Merge) error {
	return t.exec(`UPDATE items SET merge_reason = $1, merge_score = $2, merge_evidence = $3, merge_at = $4 WHERE id = $5`,
		m.Reason, m.Score, m.Evidence, millis(m.At), item)
}

// redirect makes a story one that is part of another, and takes it out of
// feeds and listings.
func (v *visit) redirect(s *row, into string, now int64) error {
	if s.visible() {
		if err := v.takeOut(s, BuriedMerged); err != nil {
			return err
		}
	}
	s.mergedInto, s.copies = into, 0
	if err := v.exec(`UPDATE stories SET merged_into = $1, copies = 0 WHERE id = $2`, into, s.id); err != nil {
		return fmt.Errorf("redirect story: %w", err)
	}
	return nil
}

// takeOut takes a story out of its scopes, with a tombstone in each.
func (v *visit) takeOut(s *row, why string) error {
	o, err := v.quotedOutlet(s)
	if err != nil {
		return err
	}
	at := v.tick(millis(v.r.At))
	if err := v.leave(s, o); err != nil {
		return err
	}
	if err := v.bury(s, scopesOf(o, s.topics, s.province), why, at); err != nil || why != BuriedWithdrawn {
		return err
	}
	return v.exposeWith(s)
}

// putBack is the undoing of takeOut: the story stands again where it stood.
func (v *visit) putBack(s *row) error {
	o, err := v.quotedOutlet(s)
	if err != nil {
		return err
	}
	s.updated = v.tick(millis(v.r.At))
	if err := v.exec(`UPDATE stories SET updated = $1 WHERE id = $2`, s.updated, s.id); err != nil {
		return fmt.Errorf("restore story: %w", err)
	}
	if err := v.exhume(s.id, scopesOf(o, s.topics, s.province)); err != nil {
		return err
	}
	if err := v.enter(s, o); err != nil {
		return err
	}
	home, err := v.storyOf(s.original)
	if err != nil {
		return fmt.Errorf("find the original: %w", err)
	}
	if home == nil || home.id != s.id { // it went while nobody saw the story
		s.original = 0
	}
	return v.renameOriginal(s)
}

// quotedOutlet is the outlet of the item that a listed story quotes.
func (v *visit) quotedOutlet(s *row) (Outlet, error) {
	var id string
	if err := v.queryRow(`SELECT outlet FROM items WHERE id = $1`, s.quoted).Scan(&id); err != nil {
		return Outlet{}, fmt.Errorf("find the outlet of story %s: %w", s.id, err)
	}
	return v.outlets[id], nil
}

// inheritApart keeps from the winner what was kept from the loser.
func (t *tx) inheritApart(winner, loser string, ruling int64) error {
	if err := t.exec(`INSERT INTO apart (a, b, ruling) SELECT CAST($1 AS TEXT), b, CAST($2 AS BIGINT) FROM apart
		WHERE a = $3 AND b <> $1 ON CONFLICT (a, b) DO NOTHING`, winner, ruling, loser); err != nil {
		return err
	}
	return t.exec(`INSERT INTO apart (a, b, ruling) SELECT a, CAST($1 AS TEXT), CAST($2 AS BIGINT) FROM apart
		WHERE b = $3 AND a <> $1 ON CONFLICT (a, b) DO NOTHING`, winner, ruling, loser)
}

// editing is a visit of nobody: what a ruling or a check works with.
func (t *tx) editing(now time.Time, outlets map[string]Outlet, judge Judge) *visit {
	return &visit{tx: t, r: Refresh{At: now}, judge: judge, outlets: outlets, changes: &Changes{Merged: map[string]int{}, Topics: map[Topic]int{}, Originals: map[string]int{}}}
}
