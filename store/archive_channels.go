package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// SyncArchives makes these the channels with an archive. One that is new, or
// whose selection has changed, gets all that it selects and does not have yet.
func (db *DB) SyncArchives(ctx context.Context, channels []ArchiveChannel) error {
	err := db.do(ctx, 1, func(t *tx) error {
		old, err := readChannels(t.query(`SELECT id, selection FROM archive_channels ORDER BY id`))
		if err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM archive_channels`); err != nil {
			return err
		}
		for _, c := range channels {
			if err := t.exec(`INSERT INTO archive_channels (id, selection) VALUES ($1, $2)`, c.ID, encoded(c.Selection)); err != nil {
				return err
			}
			if !slices.ContainsFunc(old, func(o ArchiveChannel) bool {
				return o.ID == c.ID && encoded(o.Selection) == encoded(c.Selection)
			}) {
				if err := t.fillArchive(c); err != nil {
					return fmt.Errorf("channel %s: %w", c.ID, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("set the channels of archives: %w", err)
	}
	return db.loadChannels(ctx)
}

// fillArchive enters what is listed into the archive of a channel: at the time
// of listing if the archive is empty, else now, one after the other.
func (t *tx) fillArchive(c ArchiveChannel) error {
	var has int
	if err := t.queryRow(`SELECT (SELECT count(*) FROM archives WHERE scope = $1) + (SELECT count(*) FROM unsealed WHERE scope = $1)`, c.Scope()).Scan(&has); err != nil {
		return err
	}
	var args arguments
	cond := "1 = 1"
	for _, dim := range c.dimensions() {
		cond += " AND EXISTS (SELECT 1 FROM by_published p WHERE p.at = s.shown AND p.story = s.id AND p.scope IN (" + args.list(dim) + "))"
	}
	if has == 0 {
		scope := args.add(c.Scope())
		return t.exec(`INSERT INTO unsealed (scope, at, story, late) SELECT CAST(`+scope+` AS TEXT), s.listed, s.id, s.backfill FROM stories s WHERE s.listed > 0 AND `+cond, args...)
	}
	all, err := scanEntered(t.query(`SELECT s.listed, s.id, 0 FROM stories s WHERE s.listed > 0 AND `+cond+` ORDER BY s.listed`, args...))
	if err != nil {
		return err
	}
	for _, e := range all {
		there, err := t.archived(&row{id: e.story, listed: e.at}, c.Scope())
		if err != nil {
			return err
		}
		if there {
			continue
		}
		at := t.tick(0)
		if err := t.exec(`INSERT INTO archived_late (story, scope, at) VALUES ($1, $2, $3)
			ON CONFLICT (story, scope) DO UPDATE SET at = excluded.at`, e.story, c.Scope(), at); err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO unsealed (scope, at, story, late) VALUES ($1, $2, $3, 1)`, c.Scope(), at, e.story); err != nil {
			return err
		}
	}
	return nil
}

func readChannels(rows *sql.Rows, err error) ([]ArchiveChannel, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []ArchiveChannel{}
	for rows.Next() {
		var c ArchiveChannel
		var sel string
		if err := rows.Scan(&c.ID, &sel); err != nil {
			return nil, err
		}
		if err := decode(sel, &c.Selection); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// loadChannels keeps the channels in memory: each listing needs them.
func (db *DB) loadChannels(ctx context.Context) error {
	all, err := readChannels(db.engine.read.QueryContext(ctx, `SELECT id, selection FROM archive_channels ORDER BY id`))
	if err != nil {
		return fmt.Errorf("read the channels of archives: %w", err)
	}
	db.writer.channels.Store(&all)
	return nil
}
