package store

import (
	"fmt"
	"time"
)

// RuleVerb is what a ruling does.
type RuleVerb string

// The verbs of rulings.
const (
	RuleMerge    RuleVerb = "merge"    // Other is part of Story
	RuleUnmerge  RuleVerb = "unmerge"  // and is its own story again
	RuleSplit    RuleVerb = "split"    // Items of Story are another story, Other
	RulePin      RuleVerb = "pin"      // the one of Items is Story's original
	RuleHide     RuleVerb = "hide"     // Story is gone, everywhere
	RuleTakedown RuleVerb = "takedown" // Story, Items or Outlet are gone, and why
	RuleRestore  RuleVerb = "restore"  // a pin, hide, takedown or topic ruling is undone
	RuleTopic    RuleVerb = "topic"    // Story has, or has not, a topic
	RuleAdd      RuleVerb = "add"      // Items were added by hand
)

// Ruling is one decision about stories: an editor's, or, if Who is empty, a
// merge of two stories that the program found to be one. It outlives every
// re-computation until another undoes it.
type Ruling struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"` // empty = the program
	Verb   RuleVerb  `json:"verb"`
	Story  string    `json:"story,omitempty"`
	Other  string    `json:"other,omitempty"`
	Outlet string    `json:"outlet,omitempty"`
	Items  []int64   `json:"items,omitempty"`
	Topics []string  `json:"topics,omitempty"` // "+kinh-te", "-the-thao"
	Why    string    `json:"why,omitempty"`
	Merge  Merge     `json:"merge,omitzero"`   // of a merge: the evidence
	Undone int64     `json:"undone,omitempty"` // the ruling that undid it

	before before
}

// before is what a ruling changed, as it was.
type before struct {
	Hidden  int64           `json:"hidden,omitempty"`
	Pinned  int64           `json:"pinned,omitempty"`
	Reasons map[int64]Merge `json:"reasons,omitempty"` // why items were where they were
}

// enterLedger writes a ruling down and gives it its number.
func (t *tx) enterLedger(r Ruling) (Ruling, error) {
	if err := t.queryRow(`SELECT coalesce(max(id), 0) + 1 FROM rulings`).Scan(&r.ID); err != nil {
		return r, fmt.Errorf("number the ruling: %w", err)
	}
	err := t.exec(`INSERT INTO rulings (id, at, who, verb, story, other, outlet, items, topics, why, merge, before)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, r.ID, millis(r.At), r.Who, string(r.Verb), r.Story, r.Other,
		r.Outlet, encoded(r.Items), encoded(r.Topics), r.Why, encoded(r.Merge), encoded(r.before))
	if err != nil {
		return r, fmt.Errorf("enter the ruling: %w", err)
	}
	return r, nil
}
