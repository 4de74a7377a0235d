package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// RuleVerb is what a ruling does.
type RuleVerb string

// The verbs of rulings.
const (
	RuleMerge    RuleVerb = "merge"    // Other becomes part of Story
	RuleUnmerge  RuleVerb = "unmerge"  // and is its own story again
	RuleSplit    RuleVerb = "split"    // Items of Story become another story, Other
	RulePin      RuleVerb = "pin"      // the one of Items is Story's original
	RuleHide     RuleVerb = "hide"     // Story is gone, everywhere
	RuleTakedown RuleVerb = "takedown" // Story, or Items, or all of Outlet is gone, and Why
	RuleRestore  RuleVerb = "restore"  // a pin, hide, takedown or topic is undone
	RuleTopic    RuleVerb = "topic"    // Story has, or has not, Topics
	RuleAdd      RuleVerb = "add"      // Items were added by hand
	RuleApply    RuleVerb = "apply"    // what is stored was judged anew, by the topics' rules that Why names
	RuleReview   RuleVerb = "review"   // Story and Other are two stories, Items belong to Story, or Story has no topic: an editor looked
	RulePropose  RuleVerb = "propose"  // a phrase, which Why names, is proposed for Topics; see Proposal
	RulePoll     RuleVerb = "poll"     // the source of Outlet that Why names was to be visited at once
	RuleReload   RuleVerb = "reload"   // the configuration was read again, and taken or refused, as Why says

	// What concerns one partner alone.
	RulePartnerHide RuleVerb = "partner-hide" // Story is gone from Partner's embeds
	RuleKey         RuleVerb = "key"          // Partner got a key for the admin API
	RuleRevoke      RuleVerb = "revoke"       // and its keys open nothing any more
)

// Who reloads where no editor asks: names that no token can bear.
const (
	WhoSignal = "(signal)" // SIGHUP
	WhoWatch  = "(watch)"  // the file has changed
)

// RuleVerbs lists them all.
var RuleVerbs = []RuleVerb{RuleMerge, RuleUnmerge, RuleSplit, RulePin, RuleHide, RuleTakedown, RuleRestore, RuleTopic, RuleAdd, RuleApply, RuleReview, RulePropose, RulePoll,
	RuleReload, RulePartnerHide, RuleKey, RuleRevoke}

// ErrRefused is returned for a ruling that cannot be carried out as it stands:
// the text says why, to the editor.
var ErrRefused = errors.New("refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// Ruling is one decision about stories: an editor's, or, if Who is empty, a
// merge of two stories that the program found to be one. It outlives every
// re-computation until another undoes it.
type Ruling struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"` // empty = the program
	Verb    RuleVerb  `json:"verb"`
	Story   string    `json:"story,omitempty"`
	Other   string    `json:"other,omitempty"`
	Outlet  string    `json:"outlet,omitempty"`
	Partner string    `json:"partner,omitempty"` // whose matter alone it is
	Items   []int64   `json:"items,omitempty"`
	Topics  []string  `json:"topics,omitempty"` // "+kinh-te", "-the-thao"
	Why     string    `json:"why,omitempty"`
	Merge   Merge     `json:"evidence,omitzero"` // of a merge
	Undoes  int64     `json:"undoes,omitempty"`  // the ruling that this one undoes
	Undone  int64     `json:"undone,omitempty"`  // the ruling that undid this one

	before before
}

// before is what a ruling changed, as it was.
type before struct {
	Hidden  int64           `json:"hidden,omitempty"`
	Pinned  int64           `json:"pinned,omitempty"`
	Topics  []string        `json:"topics,omitempty"`
	Reasons map[int64]Merge `json:"reasons,omitempty"` // why items were where they were
}

// enterLedger writes a ruling down and gives it its number.
func (t *tx) enterLedger(r Ruling) (Ruling, error) {
	if err := t.queryRow(`SELECT coalesce(max(id), 0) + 1 FROM rulings`).Scan(&r.ID); err != nil {
		return r, fmt.Errorf("number the ruling: %w", err)
	}
	err := t.exec(`INSERT INTO rulings (id, at, who, verb, story, other, outlet, items, topics, why, merge, before, undoes, partner)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`, r.ID, millis(r.At), r.Who, string(r.Verb), r.Story, r.Other,
		r.Outlet, encoded(r.Items), encoded(r.Topics), r.Why, encoded(r.Merge), encoded(r.before), r.Undoes, r.Partner)
	if err != nil {
		return r, fmt.Errorf("enter the ruling: %w", err)
	}
	if r.Undoes > 0 {
		return r, t.undone(r.Undoes, r.ID)
	}
	return r, nil
}

// undone notes that one ruling undid another.
func (t *tx) undone(ruling, by int64) error {
	if err := t.exec(`UPDATE rulings SET undone = $1 WHERE id = $2`, by, ruling); err != nil {
		return fmt.Errorf("note that ruling %d is undone: %w", ruling, err)
	}
	return nil
}

const rulingColumns = `id, at, who, verb, story, other, outlet, items, topics, why, merge, before, undoes, undone, partner`

func scanRulings(rows *sql.Rows, err error) ([]Ruling, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Ruling
	for rows.Next() {
		var r Ruling
		var at int64
		var items, topics, merge, before string
		if err := rows.Scan(&r.ID, &at, &r.Who, &r.Verb, &r.Story, &r.Other, &r.Outlet, &items, &topics, &r.Why, &merge, &before, &r.Undoes, &r.Undone, &r.Partner); err != nil {
			return nil, err
		}
		r.At = fromMillis(at)
		if err := errors.Join(decode(items, &r.Items), decode(topics, &r.Topics), decode(merge, &r.Merge), decode(before, &r.before)); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// RulingQuery asks for a part of the ledger.
type RulingQuery struct {
	Story  string   // only what concerns this story, under any id it had; "" = all
	Verb   RuleVerb // only these; "" = all
	Humans bool     // without the merges that the program made
	Before int64    // only rulings with a smaller number; 0 = from the newest
	Limit  int      // at most this many; at most MaxRulings
}

// MaxRulings bounds the answer of Rulings.
const MaxRulings = 1000

// Rulings returns rulings, the newest first.
func (db *DB) Rulings(ctx context.Context, q RulingQuery) ([]Ruling, error) {
	var args arguments
	cond := "1 = 1"
	if q.Story != "" {
		s := args.add(q.Story)
		cond += " AND (story = " + s + " OR other = " + s + ")"
	}
	if q.Verb != "" {
		cond += " AND verb = " + args.add(string(q.Verb))
	}
	if q.Humans {
		cond += " AND who <> ''"
	}
	if q.Before > 0 {
		cond += " AND id < " + args.add(q.Before)
	}
	all, err := scanRulings(db.engine.read.QueryContext(ctx, `SELECT `+rulingColumns+` FROM rulings WHERE `+cond+
		fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, min(max(q.Limit, 0), MaxRulings)), args...))
	if err != nil {
		return nil, fmt.Errorf("read rulings: %w", err)
	}
	return all, nil
}

// qualified puts a table's name before each of its columns.
func qualified(table, columns string) string {
	return table + "." + strings.ReplaceAll(columns, ", ", ", "+table+".")
}

// ruling reads one ruling that is in force.
func (t *tx) ruling(id int64) (Ruling, error) {
	all, err := scanRulings(t.query(`SELECT `+rulingColumns+` FROM rulings WHERE id = $1`, id))
	if err != nil {
		return Ruling{}, fmt.Errorf("read ruling %d: %w", id, err)
	}
	if len(all) == 0 {
		return Ruling{}, fmt.Errorf("ruling %d: %w; see diemtin rulings", id, ErrNotFound)
	}
	if r := all[0]; r.Undone > 0 {
		return r, refused("ruling %d (%s) is already undone, by ruling %d", id, r.Verb, r.Undone)
	}
	return all[0], nil
}
