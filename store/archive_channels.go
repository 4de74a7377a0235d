package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
)

// SyncArchives makes these the channels with an archive. One that is new, or
// whose selection has changed, gets all that it selects and does not have yet;
// what it has stays, also what it does not select any more: the archive is the
// record of what was listed there. Moves come first: archives whose topic or
// channel has another id now.
func (db *DB) SyncArchives(ctx context.Context, channels []ArchiveChannel, moves ...ArchiveMove) error {
	channels = slices.Clone(channels)
	slices.SortFunc(channels, func(a, b ArchiveChannel) int { return strings.Compare(a.ID, b.ID) })
	err := db.do(ctx, 1, func(t *tx) error {
		old := t.channels
		for _, m := range moves {
			if err := t.moveArchive(m); err != nil {
				return fmt.Errorf("move %s to %s: %w", m.From, m.To, err)
			}
		}
		if slices.EqualFunc(old, channels, sameChannel) {
			return nil
		}
		if err := t.exec(`DELETE FROM archive_channels`); err != nil {
			return err
		}
		for _, c := range channels {
			if err := t.exec(`INSERT INTO archive_channels (id, selection) VALUES ($1, $2)`, c.ID, encoded(c.Selection)); err != nil {
				return err
			}
			if !slices.ContainsFunc(old, func(o ArchiveChannel) bool { return sameChannel(o, c) }) {
				if err := t.fillArchive(c); err != nil {
					return fmt.Errorf("channel %s: %w", c.ID, err)
				}
			}
		}
		t.channels = channels
		return t.exec(`INSERT INTO meta (name, value) VALUES ('archive_channels', 1)
			ON CONFLICT (name) DO UPDATE SET value = meta.value + 1`)
	})
	if err != nil {
		return fmt.Errorf("set the channels of archives: %w", err)
	}
	return nil
}

// ArchiveMove gives an archive another scope.
type ArchiveMove struct{ From, To string }

// moveArchive lets a scope that has no archive yet take over another's: its
// documents as they are, and what is not sealed. Once for a new id, so it may
// look at all of a table.
func (t *tx) moveArchive(m ArchiveMove) error {
	count := func(scope string) (n int, err error) {
		err = t.queryRow(`SELECT (SELECT count(*) FROM (SELECT 1 FROM archives WHERE scope = $1 LIMIT 1) AS u) +
			(SELECT count(*) FROM (SELECT 1 FROM unsealed WHERE scope = $1 LIMIT 1) AS w)`, scope).Scan(&n)
		return n, err
	}
	from, err := count(m.From)
	if err != nil || from == 0 {
		return err
	}
	if to, err := count(m.To); err != nil || to > 0 {
		return err
	}
	for _, table := range []string{"archives", "unsealed", "archived_late", "archives_stale", "reseals"} {
		if err := t.exec(`UPDATE `+table+` SET scope = $1 WHERE scope = $2`, m.To, m.From); err != nil {
			return err
		}
	}
	return nil
}

func sameChannel(a, b ArchiveChannel) bool {
	return a.ID == b.ID && encoded(a.Selection) == encoded(b.Selection)
}

// fillArchive enters what is listed into the archive of a channel: at the time
// of listing if the archive is empty, else now, one after the other.
func (t *tx) fillArchive(c ArchiveChannel) error {
	var has int
	if err := t.queryRow(`SELECT (SELECT count(*) FROM archives WHERE scope = $1) + (SELECT count(*) FROM unsealed WHERE scope = $1)`, c.Scope()).Scan(&has); err != nil {
		return err
	}
	all, err := t.members(c)
	if err != nil {
		return err
	}
	if has == 0 {
		return t.enterUnsealed(c.Scope(), all)
	}
	var missing []entered
	for _, e := range all {
		there, err := t.archived(&row{id: e.story, listed: e.at}, c.Scope())
		if err != nil {
			return err
		}
		if there {
			continue
		}
		e.at, e.late = t.tick(0), 1
		if err := t.exec(`INSERT INTO archived_late (story, scope, at) VALUES ($1, $2, $3)
			ON CONFLICT (story, scope) DO UPDATE SET at = excluded.at`, e.story, c.Scope(), e.at); err != nil {
			return err
		}
		missing = append(missing, e)
	}
	return t.enterUnsealed(c.Scope(), missing)
}

// enterUnsealed enters stories into an archive that has none of them.
func (t *tx) enterUnsealed(scope string, all []entered) error {
	for chunk := range slices.Chunk(all, 64) {
		args := []any{scope}
		for _, e := range chunk {
			args = append(args, e.at, e.story, e.late)
		}
		values := ""
		for i := range chunk {
			if i > 0 {
				values += ", "
			}
			values += fmt.Sprintf("($1, $%d, $%d, $%d)", 3*i+2, 3*i+3, 3*i+4)
		}
		if err := t.exec(`INSERT INTO unsealed (scope, at, story, late) VALUES `+values, args...); err != nil {
			return err
		}
	}
	return nil
}

// members are the stories that a channel selects now, in the order of listing.
func (t *tx) members(c ArchiveChannel) ([]entered, error) {
	var args arguments
	from := "stories s"
	if c.Words.positive() {
		x := t.w.engine.index
		args = arguments{x.question(c.Words), int64(math.MaxInt64), int64(0)}
		from = "(" + fmt.Sprintf(x.matches[len(x.matches)-1], math.MaxInt32) + ") AS u JOIN stories s ON s.listed = u.doc"
	}
	within := func(scopes []string) string {
		return "EXISTS (SELECT 1 FROM by_published p WHERE p.at = s.shown AND p.story = s.id AND p.scope IN (" + args.list(scopes) + "))"
	}
	cond := ""
	for _, dim := range c.dimensions() {
		cond += " AND " + within(dim)
	}
	if out := c.without(); len(out) > 0 {
		cond += " AND NOT " + within(out)
	}
	rows, err := t.query(`SELECT s.listed, s.id, s.backfill, i.lang, i.title, i.summary FROM `+from+`
		JOIN items i ON i.id = s.quoted WHERE s.listed > 0 AND s.merged_into = ''`+cond, args...)
	if err != nil {
		return nil, fmt.Errorf("find what it selects: %w", err)
	}
	defer rows.Close()
	var all []entered
	for rows.Next() {
		var e entered
		var lang, title, summary string
		if err := rows.Scan(&e.at, &e.story, &e.late, &lang, (*text)(&title), (*text)(&summary)); err != nil {
			return nil, fmt.Errorf("find what it selects: %w", err)
		}
		if c.fits(lang, func() []string { return indexed(title, summary) }) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b entered) int { return cmp.Compare(a.at, b.at) })
	return all, rows.Err()
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

// loadChannels lets the transaction know the channels with an archive, since
// each listing needs them. They are read when their number in the database is
// another than at the last reading: any replica may have set them.
func (t *tx) loadChannels(number int64) error {
	if t.w.channels == nil || t.w.current != number {
		all, err := readChannels(t.query(`SELECT id, selection FROM archive_channels ORDER BY id`))
		if err != nil {
			return fmt.Errorf("read the channels of archives: %w", err)
		}
		slices.SortFunc(all, func(a, b ArchiveChannel) int { return strings.Compare(a.ID, b.ID) })
		t.w.channels, t.w.current = all, number
	}
	t.channels = t.w.channels
	return nil
}
