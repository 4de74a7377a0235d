package store

import (
	"context"
	"time"
)

// MergeByItself merges the stories of two ids as a visit does that has found
// them to be one, and says whether they are one now.
func (db *DB) MergeByItself(ctx context.Context, a, b string, at time.Time, judge Judge) (merged bool, err error) {
	outlets := *db.outlets.Load()
	err = db.do(ctx, 1, func(t *tx) error {
		v := t.editing(at, outlets, judge)
		one, err := v.live(a)
		if err != nil {
			return err
		}
		other, err := v.live(b)
		if err != nil {
			return err
		}
		winner, loser := survivor(one, other)
		if err := v.mergeStories(winner, loser, nil, Merge{Reason: "text", Score: 1}); err != nil {
			return err
		}
		again, err := v.live(loser.id)
		if err != nil {
			return err
		}
		merged = again.id == winner.id
		return nil
	})
	return merged, err
}
