package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// PollNow makes a source due at once, and enters that into the ledger under who.
// The pauses of its host hold as ever. ErrNotFound says that there is no such
// source; ErrRefused that it may not be asked now, and why.
func (db *DB) PollNow(ctx context.Context, who, source, why string, now time.Time) (r Ruling, err error) {
	if who == "" {
		return r, refused("a ruling needs to say who made it")
	}
	s, err := db.Source(ctx, source)
	switch {
	case errors.Is(err, ErrNotFound):
		return r, err
	case err != nil:
		return r, fmt.Errorf("poll now: %w", err)
	case !s.Active:
		return r, refused("source %s is not in feeds.yaml any more", source)
	case s.State.Outcome == Throttled && s.State.NextAt.After(now):
		return r, refused("the host of source %s has asked to be left alone until %s", source, s.State.NextAt.In(Zone).Format(time.RFC3339))
	}
	r = Ruling{Who: who, At: now, Verb: RulePoll, Outlet: s.Outlet, Why: "source " + source}
	if why != "" {
		r.Why += ": " + why
	}
	err = db.do(ctx, 1, func(t *tx) error {
		// The word for a sooner visit may not make a later one of it.
		if err := t.exec(`UPDATE sources SET next_at = $1, why = $2 WHERE id = $3 AND next_at > $1`, millis(now), "an editor asked for it", source); err != nil {
			return err
		}
		r, err = t.enterLedger(r)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("poll now: %w", err)
	}
	return r, nil
}
