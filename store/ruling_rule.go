package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rule carries out an editor's ruling and returns it as it stands in the
// ledger: with its number and all that it concerned. Who and At are required;
// what else is depends on the verb. An id of a story may be one that was
// merged away; restore and unmerge take a ruling's number in Undoes or a story.
//
// The error is ErrNotFound for a story, item, outlet or ruling that is not
// stored, ErrRefused for what cannot be done, with the reason for a person.
func (db *DB) Rule(ctx context.Context, r Ruling, judge Judge) (Ruling, error) {
	if r.Who == "" || r.At.IsZero() {
		return r, refused("a ruling needs to say who made it and when")
	}
	if len(r.Items) > MaxCopies {
		return r, refused("at most %d items in one ruling", MaxCopies)
	}
	outlets := *db.outlets.Load()
	var done Ruling
	err := db.do(ctx, 1, func(t *tx) (err error) {
		done, err = t.editing(r.At, outlets, judge).rule(r)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("%s: %w", r.Verb, err)
	}
	if done.Outlet != "" {
		return done, db.settleOutlet(ctx, done, judge)
	}
	return done, nil
}

func (v *visit) rule(r Ruling) (Ruling, error) {
	if err := v.mayUndo(r); err != nil {
		return r, err
	}
	switch r.Verb {
	case RuleMerge:
		return v.ruleMerge(r)
	case RuleUnmerge:
		return v.ruleUnmerge(r)
	case RuleSplit:
		return v.ruleSplit(r)
	case RulePin:
		return v.rulePin(r)
	case RuleHide:
		return v.ruleHide(r)
	case RuleTakedown:
		return v.ruleTakedown(r)
	case RuleRestore:
		return v.ruleRestore(r)
	case RuleTopic:
		return v.ruleTopic(r)
	case RuleReview:
		return v.ruleReview(r)
	}
	return r, refused("unknown verb %q", r.Verb)
}

// mayUndo lets a ruling take another's place in the ledger only where it does
// undo it: a merge that unites what a split or an unmerge made, or what a
// restore gave back, ordered again. Unmerge and restore look themselves.
func (v *visit) mayUndo(r Ruling) error {
	if r.Undoes == 0 || r.Verb == RuleUnmerge || r.Verb == RuleRestore {
		return nil
	}
	old, err := v.ruling(r.Undoes)
	if err != nil {
		return err
	}
	switch {
	case old.Verb == RuleSplit, old.Verb == RuleUnmerge:
		if r.Verb == RuleMerge && r.Story == old.Story && r.Other == old.Other {
			return nil
		}
	case old.Verb == RuleRestore && r.Story == old.Story && slices.Equal(r.Topics, old.Topics):
		first, err := v.ruling(old.Undoes)
		if err != nil && !errors.Is(err, ErrRefused) { // it is undone, by old
			return err
		}
		if first.Verb == r.Verb {
			return nil
		}
	}
	return refused("a %s does not undo ruling %d, a %s", r.Verb, old.ID, old.Verb)
}

// live is the story with that id, or the one it is part of now.
func (t *tx) live(id string) (*row, error) {
	if id == "" {
		return nil, refused("which story?")
	}
	s, err := t.story(id)
	for n := 0; err == nil && s != nil && s.mergedInto != "" && n < maxRedirects; n++ {
		s, err = t.story(s.mergedInto)
	}
	if err != nil {
		return nil, fmt.Errorf("read story: %w", err)
	}
	if s == nil {
		return nil, t.noStory(id)
	}
	return s, nil
}

// noStory says that there is no such story, and which id looks most like it.
func (t *tx) noStory(id string) error {
	id = id[:min(len(id), 2*storyIDLength)]
	for n := min(len(id), storyIDLength) - 1; n > 1; n-- {
		var near, title string
		err := t.queryRow(`SELECT s.id, i.title FROM stories s JOIN items i ON i.story = s.id
			WHERE s.id >= $1 AND s.id < $2 ORDER BY s.id, i.id LIMIT 1`, id[:n], id[:n]+"~").Scan(&near, (*text)(&title))
		if err == nil {
			return fmt.Errorf("story %s: %w; the nearest is %s (%s)", id, ErrNotFound, near, title)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find story: %w", err)
		}
	}
	return fmt.Errorf("story %s: %w", id, ErrNotFound)
}

const storyIDLength = 13

func (v *visit) ruleMerge(r Ruling) (Ruling, error) {
	a, err := v.live(r.Story)
	if err != nil {
		return r, err
	}
	b, err := v.live(r.Other)
	if err != nil {
		return r, err
	}
	if a.id == b.id {
		if r.Story == r.Other {
			return r, refused("a story cannot be merged with itself")
		}
		return r, refused("%s and %s are one story already, %s", r.Story, r.Other, a.id)
	}
	if err := v.exec(`DELETE FROM apart WHERE a = $1 AND b = $2 OR a = $2 AND b = $1`, a.id, b.id); err != nil {
		return r, err
	}
	winner, loser := survivor(a, b)
	return v.unite(winner, loser, nil, Merge{Reason: "ruling", Score: 1, Evidence: r.evidence()}, r)
}

// evidence is what a ruling says where others give evidence.
func (r Ruling) evidence() string {
	if r.Why == "" {
		return r.Who
	}
	return r.Who + ": " + r.Why
}

// rulePin rules which item is the original.
func (v *visit) rulePin(r Ruling) (Ruling, error) {
	s, err := v.live(r.Story)
	if err != nil {
		return r, err
	}
	if len(r.Items) != 1 {
		return r, refused("want one item that is the original")
	}
	if _, err := v.itemsOf(s.id, r.Items); err != nil {
		return r, err
	}
	if s.pinned == r.Items[0] {
		return r, refused("item %d is ruled to be the original already", s.pinned)
	}
	r.Story, r.before.Pinned = s.id, s.pinned
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	return r, v.pin(s, r.Items[0])
}

// chooseOriginal returns the index of the original among items, and why: what
// an editor has ruled, else what the judge finds.
func (s *row) chooseOriginal(items []Item, outlets map[string]Outlet, judge Judge) (int, string) {
	if i := slices.IndexFunc(items, func(it Item) bool { return it.ID == s.pinned }); s.pinned > 0 && i >= 0 {
		return i, "an editor ruled so"
	}
	return judge.Original(items, outlets)
}

// pin makes an item the original; 0 leaves that to the judge again.
func (v *visit) pin(s *row, item int64) error {
	s.pinned = item
	if err := v.exec(`UPDATE stories SET pinned = $1 WHERE id = $2`, item, s.id); err != nil {
		return fmt.Errorf("pin: %w", err)
	}
	if s.listed == 0 {
		return nil
	}
	return v.renameOriginal(s)
}

// itemsOf returns all items of a story; wanted must be among them.
func (v *visit) itemsOf(story string, wanted []int64) ([]int64, error) {
	var all []int64
	if err := v.eachPair(`SELECT id, 0 FROM items WHERE story = $1 ORDER BY id`, []any{story}, func(id, _ int64) { all = append(all, id) }); err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	for _, id := range wanted {
		if slices.Contains(all, id) {
			continue
		}
		s, err := v.storyOf(id)
		if err != nil {
			return nil, fmt.Errorf("read item: %w", err)
		}
		if s == nil {
			return nil, fmt.Errorf("item %d: %w; story %s has %s", id, ErrNotFound, story, listed(all))
		}
		return nil, refused("item %d is not in story %s but in %s; the former has %s", id, story, s.id, listed(all))
	}
	return all, nil
}

// maxNamed bounds the items that a message names.
const maxNamed = 10

func listed(items []int64) string {
	names := make([]string, 0, maxNamed)
	for _, id := range items[:min(len(items), maxNamed)] {
		names = append(names, fmt.Sprint(id))
	}
	text := "the items " + strings.Join(names, ", ")
	if len(items) > maxNamed {
		text += fmt.Sprintf(" and %d more", len(items)-maxNamed)
	}
	return text
}
