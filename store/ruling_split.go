package store

import (
	"fmt"
	"slices"
)

// ruleSplit makes some of a story's items a story of their own. The part with
// the quoted item keeps the id: readers have seen its words under it.
func (v *visit) ruleSplit(r Ruling) (Ruling, error) {
	s, err := v.live(r.Story)
	if err != nil {
		return r, err
	}
	all, err := v.itemsOf(s.id, r.Items)
	if err != nil {
		return r, err
	}
	part := slices.Clone(r.Items)
	slices.Sort(part)
	part = slices.Compact(part)
	switch {
	case len(part) == 0:
		return r, refused("which items? Story %s has %s", s.id, listed(all))
	case len(part) == len(all):
		return r, refused("these are all items of story %s; nothing would be left of it", s.id)
	}
	if stays := s.keeper(all); slices.Contains(part, stays) {
		part = others(all, part)
	}
	n, merged, err := v.partAsStory(s, part)
	if err != nil {
		return r, err
	}
	r.Story, r.Other, r.Items = s.id, n.id, part
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	for _, m := range merged {
		if err := v.undone(m.ID, r.ID); err != nil {
			return r, err
		}
		if err := v.exec(`DELETE FROM apart WHERE ruling = $1`, m.ID); err != nil {
			return r, err
		}
	}
	return r, v.divide(s, n, part, r)
}

// keeper is the item that keeps a story's id.
func (s *row) keeper(all []int64) int64 {
	if s.listed > 0 {
		return s.quoted
	}
	return all[0]
}

// others are all that are not in part.
func others(all, part []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(all), func(id int64) bool { return slices.Contains(part, id) })
}

// ruleUnmerge undoes a merge: an editor's or the program's.
func (v *visit) ruleUnmerge(r Ruling) (Ruling, error) {
	old, err := v.whatToUnmerge(r)
	if err != nil {
		return r, err
	}
	n, err := v.story(old.Other)
	if err != nil || n == nil {
		return r, fmt.Errorf("read story %s: %w", old.Other, errOr(err, ErrNotFound))
	}
	s, err := v.live(n.mergedInto)
	if err != nil {
		return r, err
	}
	all, err := v.itemsOf(s.id, nil)
	if err != nil {
		return r, err
	}
	part := slices.DeleteFunc(slices.Clone(old.Items), func(id int64) bool { return !slices.Contains(all, id) })
	switch {
	case len(part) == 0:
		return r, refused("nothing is left to undo: no item of %s is in story %s any more", old.Other, s.id)
	case len(part) == len(all):
		return r, refused("nothing is left of story %s but what came from %s", s.id, old.Other)
	}
	if n.listed == 0 && slices.Contains(part, s.keeper(all)) && s.listed > 0 {
		part = others(all, part) // readers know those words under this id
	}
	r.Undoes, r.Story, r.Other, r.Items = old.ID, s.id, n.id, part
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	if err := v.exec(`DELETE FROM apart WHERE ruling = $1`, old.ID); err != nil {
		return r, err
	}
	if err := v.giveBack(s, n, old, part); err != nil {
		return r, err
	}
	return r, v.divide(s, n, part, r)
}

// whatToUnmerge finds the merge that is meant: by its number, by the id that
// was merged away, or by a story with just one merge.
func (v *visit) whatToUnmerge(r Ruling) (Ruling, error) {
	if r.Undoes > 0 {
		old, err := v.ruling(r.Undoes)
		if err == nil && old.Verb != RuleMerge {
			err = refused("ruling %d is a %s and not a merge", old.ID, old.Verb)
		}
		return old, err
	}
	s, err := v.story(r.Story)
	if err != nil {
		return r, fmt.Errorf("read story: %w", err)
	}
	if s == nil {
		return r, v.noStory(r.Story)
	}
	var all []Ruling
	if s.mergedInto != "" {
		all, err = scanRulings(v.query(`SELECT `+rulingColumns+` FROM rulings WHERE other = $1 AND verb = 'merge' AND undone = 0 ORDER BY id DESC LIMIT 1`, s.id))
	} else {
		all, err = v.mergedAway(s.id)
	}
	switch {
	case err != nil:
		return r, fmt.Errorf("read rulings: %w", err)
	case len(all) == 0:
		return r, refused("no merge of story %s is left to undo; its copies were recognised one by one: use split", s.id)
	case len(all) > 1:
		names := ""
		for _, m := range all[:min(len(all), maxNamed)] {
			names += fmt.Sprintf(", ruling %d (%s)", m.ID, m.Other)
		}
		return r, refused("story %s has %d merges; say which: %s", s.id, len(all), names[2:])
	}
	return all[0], nil
}

// giveBack returns what a merge gave the surviving story besides the items:
// what was merged away keeps what it is ruled to be.
func (v *visit) giveBack(s, n *row, old Ruling, part []int64) error {
	for id, was := range old.before.Reasons {
		if slices.Contains(part, id) {
			if err := v.giveReason(id, was); err != nil {
				return fmt.Errorf("give back the reason: %w", err)
			}
		}
	}
	if s.pinned > 0 && slices.Contains(part, s.pinned) {
		n.pinned, s.pinned = s.pinned, old.before.Pinned
	}
	switch {
	case s.hidden == old.before.Hidden:
	case s.hidden == n.hidden:
		if err := v.exec(`UPDATE stories SET hidden = $1 WHERE id = $2`, old.before.Hidden, s.id); err != nil {
			return fmt.Errorf("show story: %w", err)
		}
		if s.hidden = old.before.Hidden; s.visible() {
			if err := v.putBack(s); err != nil {
				return err
			}
		}
	case n.hidden == 0: // hidden when it was one story: so are both
		n.hidden = s.hidden
	}
	return v.ruleTopics(s, topicsWithout(s.ruled, n.ruled, old.before.Topics))
}

// topicsWithout takes from rulings on topics those that a merge brought.
func topicsWithout(now, brought, before []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(r string) bool {
		return slices.Contains(brought, r) && !slices.Contains(before, r)
	})
}

// partAsStory is the story that a part of another becomes. If one that was
// merged away is in it, that one lives again, under its old id; merged are the
// rulings which that undoes. Others that are in it redirect there.
func (v *visit) partAsStory(s *row, part []int64) (n *row, merged []Ruling, err error) {
	away, err := v.mergedAway(s.id)
	if err != nil {
		return nil, nil, err
	}
	var inside []*row
	for _, m := range away {
		old, err := v.story(m.Other)
		if err != nil || old == nil {
			return nil, nil, fmt.Errorf("read story %s: %w", m.Other, errOr(err, ErrNotFound))
		}
		whole := len(m.Items) > 0 && len(others(m.Items, part)) == 0
		known := old.listed > 0 && old.knownBy(part)
		if whole {
			inside = append(inside, old)
		}
		if !whole && !known {
			continue
		}
		if n != nil {
			if w, _ := survivor(n, old); w == n {
				continue
			}
		}
		n, merged = old, []Ruling{m}
	}
	if n == nil {
		n, err = v.newStory(s, part)
		return n, nil, err
	}
	for _, old := range inside {
		if old.id == n.id {
			continue
		}
		v.note(old.id)
		if err := v.exec(`UPDATE stories SET merged_into = $1 WHERE id = $2`, n.id, old.id); err != nil {
			return nil, nil, fmt.Errorf("redirect story: %w", err)
		}
	}
	return n, merged, nil
}

// mergedAway are the merges in force that brought items into a story, and into
// what it was made of.
func (t *tx) mergedAway(id string) ([]Ruling, error) {
	var all []Ruling
	into := []string{id}
	for i := 0; i < len(into) && i < MaxRulings; i++ {
		found, err := scanRulings(t.query(`SELECT `+qualified("r", rulingColumns)+` FROM stories s JOIN rulings r ON r.other = s.id
			WHERE s.merged_into = $1 AND s.merged_into <> '' AND r.verb = 'merge' AND r.undone = 0 ORDER BY r.id`, into[i]))
		if err != nil {
			return nil, fmt.Errorf("read rulings: %w", err)
		}
		for _, m := range found {
			all, into = append(all, m), append(into, m.Other)
		}
	}
	return all, nil
}

// knownBy says whether readers have seen the words of one of these items under
// the story's id.
func (s *row) knownBy(items []int64) bool {
	return slices.ContainsFunc(items, func(id int64) bool { return id == s.quoted || slices.Contains(s.quotedBefore, id) })
}

// newStory inserts a story for a part of another. Its id follows from its first
// item, as every story's does, under another word: the first one has it already.
func (v *visit) newStory(from *row, part []int64) (*row, error) {
	items, err := v.itemsByID(part[:1])
	if err != nil || len(items) == 0 {
		return nil, fmt.Errorf("read item %d: %w", part[0], errOr(err, ErrNotFound))
	}
	it := &items[0].Item
	n := &row{listAt: listAt(it, v.outlets[it.Outlet], millis(v.r.At)), shown: millis(it.Time()), backfill: from.backfill, hidden: from.hidden}
	for try := 0; ; try++ {
		n.id = storyID(it.Outlet, fmt.Sprintf("split:%d:%s %s", try, it.Link, it.Title))
		taken, err := v.story(n.id)
		if err != nil {
			return nil, fmt.Errorf("read story: %w", err)
		}
		if taken == nil {
			break
		}
	}
	if from.listed == 0 {
		n.holdUntil, n.readUntil = from.holdUntil, from.readUntil
	}
	if err := v.exec(`INSERT INTO stories (`+storyColumns+`) VALUES ($1, $2, $3, 0, 0, $4, 0, 0, '', '[]', '', $5, 0, '', 0, $6, 0, '', '', $7)`,
		n.id, n.listAt, n.holdUntil, n.shown, n.backfill, n.hidden, n.readUntil); err != nil {
		return nil, fmt.Errorf("insert story: %w", err)
	}
	return n, nil
}

// divide moves part of s into n, rules them apart and lets readers see both:
// what was listed stands where it stood, what never was comes out once.
func (v *visit) divide(s, n *row, part []int64, by Ruling) error {
	v.note(s.id)
	v.note(n.id)
	for _, id := range part {
		if err := v.exec(`UPDATE items SET story = $1 WHERE id = $2`, n.id, id); err != nil {
			return fmt.Errorf("move item %d: %w", id, err)
		}
	}
	if err := v.keepStory(millis(v.r.At), part, n.id); err != nil {
		return err
	}
	if by.Verb == RuleSplit {
		for _, id := range part {
			if err := v.giveReason(id, Merge{Reason: "ruling", Score: 1, Evidence: by.evidence(), At: by.At}); err != nil {
				return fmt.Errorf("give the reason: %w", err)
			}
		}
	}
	if by.Verb == RuleSplit && s.pinned > 0 && slices.Contains(part, s.pinned) {
		n.pinned, s.pinned = s.pinned, 0
	}
	// What readers know by now is no news: it comes out on pages only.
	if n.listed == 0 && n.backfill == 0 && s.listed > 0 && s.knownBy(part) {
		n.backfill = 1
		if err := v.exec(`UPDATE stories SET backfill = 1 WHERE id = $1`, n.id); err != nil {
			return fmt.Errorf("update story: %w", err)
		}
	}
	s.copies, n.copies, n.mergedInto = s.copies-len(part), len(part), ""
	for _, half := range []*row{s, n} {
		if err := v.exec(`UPDATE stories SET copies = $1, merged_into = '', pinned = $2, hidden = $3 WHERE id = $4`,
			half.copies, half.pinned, half.hidden, half.id); err != nil {
			return fmt.Errorf("update story: %w", err)
		}
	}
	for _, pair := range [][2]string{{s.id, n.id}, {n.id, s.id}} {
		if err := v.exec(`INSERT INTO apart (a, b, ruling) VALUES ($1, $2, $3) ON CONFLICT (a, b) DO UPDATE SET ruling = excluded.ruling`, pair[0], pair[1], by.ID); err != nil {
			return fmt.Errorf("rule apart: %w", err)
		}
	}
	if err := v.relateAgain(n.id); err != nil {
		return fmt.Errorf("relate again: %w", err)
	}
	if err := v.showHalf(s, part, false); err != nil {
		return err
	}
	return v.showHalf(n, nil, true)
}

// showHalf lets readers see one of two parts of what was one story; gone are
// the items it no longer has.
func (v *visit) showHalf(s *row, gone []int64, back bool) error {
	if s.listed == 0 {
		if now := millis(v.r.At); s.hidden > 0 || s.listAt > now || s.holdUntil > now || s.readUntil > now {
			return nil
		}
		return v.listNow(s.id, millis(v.r.At))
	}
	items, err := v.storyItems(s.id)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	left := free(items, v.outlets, millis(v.r.At))
	if len(left) == 0 {
		left = items // of outlets that may not be shown now: nor will this be
	}
	switch quoted := slices.ContainsFunc(items, func(it Item) bool { return it.ID == s.quoted }); {
	case !quoted && len(left) > 0:
		return v.quoteInstead(s, left)
	case !quoted:
		if s.visible() && !back {
			if err := v.takeOut(s, BuriedWithdrawn); err != nil {
				return err
			}
		}
		return v.exec(`UPDATE stories SET withdrawn = $1 WHERE id = $2`, millis(v.r.At), s.id)
	case back && s.visible():
		if err := v.putBack(s); err != nil {
			return err
		}
	}
	if slices.Contains(gone, s.original) {
		s.original = 0
	}
	return v.renameOriginal(s)
}

// quoteInstead lets a part quote another item than it did: its own is in the
// other part, or withdrawn.
func (v *visit) quoteInstead(s *row, left []Item) error {
	from, err := v.quotedOutlet(s)
	if err != nil {
		return err
	}
	if s.withdrawn > 0 {
		s.withdrawn = 0
		if err := v.exec(`UPDATE stories SET withdrawn = 0 WHERE id = $1`, s.id); err != nil {
			return fmt.Errorf("revive story: %w", err)
		}
	}
	return v.quoteAnew(s, from, left, v.r.At, v.outlets, v.judge)
}
