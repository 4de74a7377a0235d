package store

import (
	"context"
	"fmt"
	"time"
)

// maxProvenance bounds the items of one source that are looked at.
const maxProvenance = 500

// Provenance is how much of what an outlet published lately is its own.
type Provenance struct {
	Items     int            // looked at, each once: the newest of each of its sources
	Following int            // of them: name another source ("Theo …")
	Compiled  int            // of them: put together from sources not named
	Copied    int            // of them: in a story whose original is another outlet's
	Sources   map[string]int // those named, as they were written, and how often
	Since     time.Time      // when the oldest of them was seen; zero without any
}

// Provenance looks through the newest items of an outlet's sources, at most
// maxProvenance of each.
func (db *DB) Provenance(ctx context.Context, outlet string) (Provenance, error) {
	p := Provenance{Sources: map[string]int{}}
	sources, err := db.engine.read.QueryContext(ctx, `SELECT id FROM sources WHERE outlet = $1`, outlet)
	if err != nil {
		return p, fmt.Errorf("read sources of %s: %w", outlet, err)
	}
	ids, err := texts(sources)
	if err != nil {
		return p, fmt.Errorf("read sources of %s: %w", outlet, err)
	}
	seen := map[int64]bool{}
	for _, source := range ids {
		if err := db.traceItems(ctx, &p, outlet, source, seen); err != nil {
			return p, fmt.Errorf("trace items of %s: %w", source, err)
		}
	}
	return p, nil
}

// traceItems adds the newest items of one source to what is known of an outlet.
func (db *DB) traceItems(ctx context.Context, p *Provenance, outlet, source string, seen map[int64]bool) error {
	rows, err := db.engine.read.QueryContext(ctx, fmt.Sprintf(`SELECT i.id, i.seen, i.attribution, coalesce(o.outlet, '')
		FROM (SELECT item FROM carriers WHERE source = $1 ORDER BY item DESC LIMIT %d) AS u
		JOIN items i ON i.id = u.item LEFT JOIN stories s ON s.id = i.story LEFT JOIN items o ON o.id = s.original
		WHERE i.withdrawn = 0`, maxProvenance), source)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, at int64
		var attribution, original string
		if err := rows.Scan(&id, &at, &attribution, &original); err != nil {
			return err
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		var a Attribution
		if err := decode(attribution, &a); err != nil {
			return err
		}
		p.Items++
		if t := fromMillis(at); p.Since.IsZero() || t.Before(p.Since) {
			p.Since = t
		}
		switch {
		case a.Text == AttributionCompiled:
			p.Compiled++
		case a.Text != "":
			p.Following++
			p.Sources[a.Text]++
		case original != "" && original != outlet:
			p.Copied++
		}
	}
	return rows.Err()
}
