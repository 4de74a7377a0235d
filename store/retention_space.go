package store

import (
	"context"
	"fmt"
)

const (
	// vacuumPages is how many pages one step gives back, by moving as many from
	// the end of the file.
	vacuumPages = 64
	// spareShare is the part of an SQLite file, and sparePages the least, that
	// stays free: what is stored next goes there, and a file that shrinks and
	// grows again every hour gains nothing.
	spareShare = 20 // a twentieth
	sparePages = 1024
)

// GiveBack gives some pages of an SQLite file that are free back to the disk,
// as a short write of its own, and says how many bytes, and whether there is
// more to give back. PostgreSQL does this by itself, by VACUUM.
func (db *DB) GiveBack(ctx context.Context) (bytes int64, more bool, err error) {
	if db.engine.name != "sqlite" {
		return 0, false, nil
	}
	var mode, page, pages, free int64
	for _, one := range []struct {
		name string
		into *int64
	}{{"auto_vacuum", &mode}, {"page_size", &page}, {"page_count", &pages}, {"freelist_count", &free}} {
		if err := db.engine.read.QueryRowContext(ctx, `PRAGMA `+one.name).Scan(one.into); err != nil {
			return 0, false, fmt.Errorf("measure free space: %w", err)
		}
	}
	const incremental = 2
	spare := max(sparePages, pages/spareShare)
	if mode != incremental || free <= spare {
		return 0, false, nil
	}
	n := min(vacuumPages, free-spare)
	err = db.do(ctx, batchItems, func(t *tx) error {
		rows, err := t.QueryContext(t.ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, n))
		if err != nil {
			return err
		}
		for rows.Next() { // it gives back while it is asked for more
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return rows.Close()
	})
	if err != nil {
		return 0, false, fmt.Errorf("give free space back: %w", err)
	}
	return n * page, free-n > spare, nil
}

// WriteLogBack carries what SQLite's log holds into the file while others write:
// else one of them would have to, once the log is long. It does nothing for
// PostgreSQL.
func (db *DB) WriteLogBack(ctx context.Context) error {
	if db.engine.name != "sqlite" {
		return nil
	}
	var busy, log, done int64
	if err := db.engine.read.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &done); err != nil {
		return fmt.Errorf("write the log back: %w", err)
	}
	return nil
}
