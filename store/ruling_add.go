package store

import (
	"context"
	"fmt"
	"time"
)

// editorSource is what stands for the source of an item that an editor added,
// after its outlet's id. No source of feeds.yaml is called so.
const editorSource = "/editor"

// Add stores a one-off item that an editor has found or written, of the outlet
// r.Outlet, as a visit would. ErrRefused says that it is stored already.
func (db *DB) Add(ctx context.Context, r Ruling, it Item, judge Judge) (Ruling, error) {
	outlets := *db.outlets.Load()
	o, ok := outlets[r.Outlet]
	switch {
	case r.Who == "" || r.At.IsZero():
		return r, refused("a ruling needs to say who made it and when")
	case !ok:
		return r, fmt.Errorf("add: outlet %q: %w", r.Outlet, ErrNotFound)
	case o.Show == ShowNone:
		return r, fmt.Errorf("add: %w", refused("nothing of outlet %s may be shown", o.ID))
	}
	r.Verb = RuleAdd
	err := db.do(ctx, 1, func(t *tx) (err error) {
		v := t.editing(r.At, outlets, judge)
		v.r.Source = Source{ID: r.Outlet + editorSource, Outlet: r.Outlet, State: SourceState{Visited: true}}
		v.r.Items = []Item{it}
		if err := v.recordItems(); err != nil {
			return err
		}
		added := v.r.Items[0]
		if v.changes.New == 0 {
			return refused("that article is stored already: item %d of story %s", added.ID, added.Story)
		}
		if it.Link == "" { // no page to ask for
			if err := v.exec(`UPDATE items SET check_at = 0 WHERE id = $1`, added.ID); err != nil {
				return err
			}
		}
		r.Story, r.Items = added.Story, []int64{added.ID}
		r, err = v.enterLedger(r)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("add: %w", err)
	}
	return r, nil
}

// NoteApply enters into the ledger that who had the topics of what is stored
// judged anew, by the rules of that digest. Nothing undoes it but other rules.
func (db *DB) NoteApply(ctx context.Context, who, rules string, now time.Time) (r Ruling, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		r, err = t.enterLedger(Ruling{Who: who, At: now, Verb: RuleApply, Why: "rules " + rules})
		return err
	})
	if err != nil {
		return r, fmt.Errorf("apply: %w", err)
	}
	return r, nil
}

// NoteReload enters into the ledger that who had the configuration read again:
// why says what has changed, or why it was refused.
func (db *DB) NoteReload(ctx context.Context, who, why string, now time.Time) (r Ruling, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		r, err = t.enterLedger(Ruling{Who: who, At: now, Verb: RuleReload, Why: why})
		return err
	})
	if err != nil {
		return r, fmt.Errorf("enter the reload into the ledger: %w", err)
	}
	return r, nil
}
