package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Opinion returns the model of the second opinion on topics and when it was
// stored. ErrNotFound says that there is none stored after that moment (zero =
// any); an empty model that one was given up.
func (db *DB) Opinion(ctx context.Context, after time.Time) (model []byte, learned time.Time, err error) {
	var at int64
	err = db.engine.read.QueryRowContext(ctx, `SELECT learned, model FROM opinion WHERE id = 1 AND learned > $1`, millis(after)).Scan(&at, &model)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, time.Time{}, fmt.Errorf("opinion: %w", ErrNotFound)
	case err != nil:
		return nil, time.Time{}, fmt.Errorf("read opinion: %w", err)
	}
	return model, fromMillis(at), nil
}

// ClaimOpinion lets one process learn an opinion: true if nobody began to
// within every, and there are at least fresh items more than then.
func (db *DB) ClaimOpinion(ctx context.Context, now time.Time, every time.Duration, fresh int) (claimed bool, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		claimed = false
		var tried, newest int64
		err := t.queryRow(`SELECT tried, newest FROM opinion WHERE id = 1`).Scan(&tried, &newest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if tried > 0 && now.Before(fromMillis(tried).Add(every)) {
			return nil
		}
		var n int
		var last int64
		err = t.queryRow(fmt.Sprintf(`SELECT count(*), coalesce(max(id), 0) FROM (SELECT id FROM items WHERE id > $1 ORDER BY id DESC LIMIT %d) AS newest`, fresh), newest).Scan(&n, &last)
		if err != nil || n < fresh {
			return err
		}
		claimed = true
		return t.exec(`INSERT INTO opinion (id, tried, newest, learned, model) VALUES (1, $1, $2, 0, $3)
			ON CONFLICT (id) DO UPDATE SET tried = excluded.tried, newest = excluded.newest`, millis(now), last, []byte{})
	})
	if err != nil {
		return false, fmt.Errorf("claim the opinion: %w", err)
	}
	return claimed, nil
}

// SaveOpinion stores the model that was learned after a claim; an empty one
// gives up what was there.
func (db *DB) SaveOpinion(ctx context.Context, model []byte, now time.Time) error {
	if model == nil {
		model = []byte{}
	}
	err := db.do(ctx, 1, func(t *tx) error {
		return t.exec(`UPDATE opinion SET model = $1, learned = $2 WHERE id = 1`, model, millis(now))
	})
	if err != nil {
		return fmt.Errorf("save opinion: %w", err)
	}
	return nil
}
