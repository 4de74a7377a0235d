package store

import (
	"context"
	"fmt"
	"time"
)

// Problem is a time during which a source could not be read. Its source and
// beginning name it for ever.
type Problem struct {
	Source  string
	Outlet  string
	Kind    string    // of the source
	URL     string    // that was asked for
	Began   time.Time // the first visit that failed
	Noted   time.Time // when it was taken for a problem
	Ended   time.Time // the first visit that did not fail; zero: it lasts
	Outcome Outcome   // of the visit that made it a problem
	Detail  string    // what went wrong then, in English
}

const (
	// problemFails is how many visits in a row must fail: one alone is the
	// internet's weather.
	problemFails = 2

	// keepProblems is how long the memory of an ended one is kept.
	keepProblems = 90 * 24 * time.Hour
)

// noteProblem keeps the account of a source's problems, given its state before
// and after a visit. What it costs is paid by visits that fail and by the first
// that does not.
func (t *tx) noteProblem(src Source, after SourceState) error {
	before := src.State
	if after.Outcome.OK() {
		if before.Outcome.OK() || before.Outcome == "" {
			return nil
		}
		return t.exec(`UPDATE problems SET ended = $1 WHERE source = $2 AND ended = 0`, millis(after.LastTry), src.ID)
	}
	if after.Fails < problemFails && after.Outcome != Gone {
		return nil
	}
	began := before.LastTry
	if before.Outcome.OK() || began.IsZero() {
		began = after.LastTry
	}
	if err := t.exec(`INSERT INTO problems (source, began, noted, ended, url, outcome, detail)
		VALUES ($1, $2, $3, 0, $4, $5, $6) ON CONFLICT DO NOTHING`,
		src.ID, millis(began), millis(after.LastTry), src.URL, string(after.Outcome), after.Detail); err != nil {
		return err
	}
	return t.exec(`DELETE FROM problems WHERE source = $1 AND ended > 0 AND ended < $2`, src.ID, millis(after.LastTry.Add(-keepProblems)))
}

// Problems returns the newest problems of the sources that are in use, at most
// limit, the one noted last first.
func (db *DB) Problems(ctx context.Context, limit int) ([]Problem, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT problems.source, sources.outlet, sources.kind, problems.url, began, noted, ended, problems.outcome, problems.detail
		FROM problems JOIN sources ON sources.id = problems.source WHERE sources.active = 1
		ORDER BY noted DESC, problems.source, began LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read problems: %w", err)
	}
	defer rows.Close()
	var all []Problem
	for rows.Next() {
		var p Problem
		var began, noted, ended int64
		if err := rows.Scan(&p.Source, &p.Outlet, &p.Kind, &p.URL, &began, &noted, &ended, &p.Outcome, &p.Detail); err != nil {
			return nil, fmt.Errorf("read problems: %w", err)
		}
		p.Began, p.Noted, p.Ended = fromMillis(began), fromMillis(noted), fromMillis(ended)
		all = append(all, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read problems: %w", err)
	}
	return all, nil
}
