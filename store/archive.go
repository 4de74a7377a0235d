package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// The archive of a scope is the record of what entered it, in that order, in
// documents that never change once they are sealed. docs/archives.md tells how.

// ArchiveStories is the most that one document of an archive holds.
const ArchiveStories = 100

// ArchiveAll is the scope of everything.
const ArchiveAll = "all"

// ArchiveTopic is the scope of a topic.
func ArchiveTopic(t Topic) string { return "topic:" + string(t) }

const channelPrefix = "channel:"

// ArchiveChannel is a selection with an archive of its own.
type ArchiveChannel struct {
	ID string // of the channel in the configuration
	Selection
}

// Scope is that of the channel's archive.
func (c ArchiveChannel) Scope() string { return channelPrefix + c.ID }

// ArchiveKey names a document: the civil day on which its stories entered the
// scope, and its number of that day from 1 on. The zero Part is no document.
type ArchiveKey struct {
	Scope string
	Day   Day
	Part  int
}

// ArchiveHead is where an archive stands.
type ArchiveHead struct {
	Newest   ArchiveKey // the document sealed last
	Unsealed time.Time  // listing of the oldest story that only the current feed holds; zero if there is none
}

// ArchiveDocument is a sealed document.
type ArchiveDocument struct {
	ArchiveKey
	Prev    ArchiveKey // the one sealed before it
	At      time.Time  // when its bytes last changed
	Hash    string     // SHA-256 of Body, in hexadecimal
	Stories []string   // ids, in the order of entering
	Body    []byte
}

// holds says whether a story that stands in these scopes is in the selection,
// as far as scopes tell.
func (s Selection) holds(scopes []string) bool {
	for _, out := range s.without() {
		if slices.Contains(scopes, out) {
			return false
		}
	}
	for _, dim := range s.dimensions() {
		if !slices.ContainsFunc(dim, func(scope string) bool { return slices.Contains(scopes, scope) }) {
			return false
		}
	}
	return true
}

// archiveScopes are the archives that hold a story of these scopes; with edited
// only those that its text can bring it into.
func (t *tx) archiveScopes(s *row, scopes []string, edited bool) ([]string, error) {
	var all []string
	for _, scope := range scopes {
		if !edited && (scope == ArchiveAll || strings.HasPrefix(scope, "topic:")) {
			all = append(all, scope)
		}
	}
	var lang, title, summary string
	var read bool
	words := sync.OnceValue(func() []string { return indexed(title, summary) })
	for _, c := range t.channels {
		if edited && !c.textual() || !c.holds(scopes) {
			continue
		}
		if c.textual() && !read {
			if err := t.queryRow(`SELECT lang, title, summary FROM items WHERE id = $1`, s.quoted).Scan(&lang, (*text)(&title), (*text)(&summary)); err != nil {
				return nil, fmt.Errorf("read the text of %s: %w", s.id, err)
			}
			read = true
		}
		if !c.textual() || c.fits(lang, words) {
			all = append(all, c.Scope())
		}
	}
	return all, nil
}

// archive enters a listed story into the archives of its scopes, unless it is
// there.
func (t *tx) archive(s *row, scopes []string) error {
	all, err := t.archiveScopes(s, scopes, false)
	if err != nil {
		return err
	}
	return t.archiveIn(s, all)
}

// archiveEdited does so for the archives that ask for words or languages, of a
// story whose text has changed.
func (t *tx) archiveEdited(s *row, scopes []string) error {
	all, err := t.archiveScopes(s, scopes, true)
	if err != nil || len(all) == 0 {
		return err
	}
	return t.archiveIn(s, all)
}

// archiveIn enters a listed story into archives, unless it is there. One that
// is listed at this moment is new to all of them.
func (t *tx) archiveIn(s *row, all []string) error {
	at, late := s.listed, s.backfill
	if t.clock != s.listed {
		missing := all[:0]
		for _, scope := range all {
			there, err := t.archived(s, scope)
			if err != nil {
				return fmt.Errorf("look into the archive of %s: %w", scope, err)
			}
			if !there {
				missing = append(missing, scope)
			}
		}
		if all = missing; len(all) == 0 {
			return nil
		}
		at, late = t.tick(0), 1
		for _, scope := range all {
			if err := t.exec(`INSERT INTO archived_late (story, scope, at) VALUES ($1, $2, $3)
				ON CONFLICT (story, scope) DO UPDATE SET at = excluded.at`, s.id, scope, at); err != nil {
				return fmt.Errorf("enter into the archive: %w", err)
			}
		}
	}
	args := []any{at, s.id, late}
	for _, scope := range all {
		args = append(args, scope)
	}
	if err := t.exec(`INSERT INTO unsealed (at, story, late, scope) VALUES `+valueRows("($1, $2, $3, $%d)", 4, len(all)), args...); err != nil {
		return fmt.Errorf("enter into the archive: %w", err)
	}
	return nil
}

// archived says whether a story is in a scope's archive, sealed or not.
func (t *tx) archived(s *row, scope string) (bool, error) {
	var n int
	err := t.queryRow(`SELECT (SELECT count(*) FROM unsealed WHERE story = $1 AND scope = $2) +
		(SELECT count(*) FROM archives WHERE scope = $2 AND stories LIKE $3 AND `+covers(4)+`) +
		(SELECT count(*) FROM archived_late l JOIN archives a ON a.scope = l.scope AND a.last >= l.at AND a.first <= l.at
			AND a.last < l.at + 86400000 WHERE l.story = $1 AND l.scope = $2 AND a.stories LIKE $3)`, s.id, scope, within(s.id), s.listed).Scan(&n)
	return n > 0, err
}

// covers is the condition that a document is made of entries around a moment.
// A document is of one day, so few that end later need be looked at.
func covers(param int) string {
	return fmt.Sprintf("last >= $%[1]d AND last < CAST($%[1]d AS BIGINT) + 86400000 AND first <= $%[1]d", param)
}

// within is the pattern of a list of ids that has this one.
func within(story string) string { return "% " + story + " %" }

// expose notes that sealed documents show of a story what nothing may show any
// more: they are sealed anew before anyone gets them again.
func (t *tx) expose(s *row) error {
	moments := []int64{s.listed}
	rows, err := t.query(`SELECT DISTINCT at FROM archived_late WHERE story = $1`, s.id)
	if err != nil {
		return fmt.Errorf("look for late entries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return err
		}
		moments = append(moments, at)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	for _, at := range moments {
		if err := t.exec(`INSERT INTO archives_stale (scope, day, part, story, at)
			SELECT scope, day, part, CAST($1 AS TEXT), CAST($2 AS BIGINT) FROM archives WHERE stories LIKE $3 AND `+covers(4)+`
			ON CONFLICT (scope, day, part, story) DO UPDATE SET at = excluded.at`, s.id, t.clock, within(s.id), at); err != nil {
			return fmt.Errorf("note what is to be sealed anew: %w", err)
		}
	}
	return nil
}

// exposeWith exposes a story and all that was merged into it: sealed documents
// still quote those as they were.
func (t *tx) exposeWith(s *row) error {
	if err := t.expose(s); err != nil {
		return err
	}
	return t.exposeMerged(s)
}

func (t *tx) exposeMerged(s *row) error {
	into := []string{s.id}
	for i := 0; i < len(into) && i < MaxRulings; i++ {
		more, err := scanRows(t.query(`SELECT `+storyColumns+` FROM stories WHERE merged_into = $1 AND merged_into <> '' AND listed > 0`, into[i]))
		if err != nil {
			return fmt.Errorf("find what was merged: %w", err)
		}
		for j := range more {
			if err := t.expose(&more[j]); err != nil {
				return err
			}
			into = append(into, more[j].id)
		}
	}
	return nil
}

// exposeOutlet exposes every merged story that quotes an outlet: it stands in
// no listing any more.
func (t *tx) exposeOutlet(outlet string) error {
	all, err := scanRows(t.query(`SELECT `+qualified("s", storyColumns)+` FROM stories s JOIN items i ON i.id = s.quoted
		WHERE s.merged_into <> '' AND s.listed > 0 AND i.outlet = $1`, outlet))
	if err != nil {
		return fmt.Errorf("find what was merged: %w", err)
	}
	for i := range all {
		if err := t.expose(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

// ArchiveHead returns where a scope's archive stands.
func (db *DB) ArchiveHead(ctx context.Context, scope string) (h ArchiveHead, err error) {
	if h.Newest, err = newestArchive(db.engine.read.QueryRowContext(ctx, newestSQL, scope), scope); err != nil {
		return h, fmt.Errorf("read archive of %s: %w", scope, err)
	}
	var at int64
	if err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce(min(at), 0) FROM unsealed WHERE scope = $1 AND late = 0`, scope).Scan(&at); err != nil {
		return h, fmt.Errorf("read archive of %s: %w", scope, err)
	}
	h.Unsealed = fromMillis(at)
	return h, nil
}

const newestSQL = `SELECT day, part FROM archives WHERE scope = $1 ORDER BY day DESC, part DESC LIMIT 1`

func newestArchive(r *sql.Row, scope string) (ArchiveKey, error) {
	k := ArchiveKey{Scope: scope}
	err := r.Scan(&k.Day, &k.Part)
	if errors.Is(err, sql.ErrNoRows) {
		return k, nil
	}
	return k, err
}

// ArchiveRevision returns when a document last changed, or has to: then stale
// is set, and it must be sealed anew before it is shown. ErrNotFound if there is
// no such document.
func (db *DB) ArchiveRevision(ctx context.Context, k ArchiveKey) (rev Revision, stale bool, err error) {
	var at, must int64
	err = db.engine.read.QueryRowContext(ctx, `SELECT a.at, (SELECT coalesce(max(s.at), 0) FROM archives_stale s WHERE s.scope = a.scope AND s.day = a.day AND s.part = a.part)
		FROM archives a WHERE scope = $1 AND day = $2 AND part = $3`, k.Scope, string(k.Day), k.Part).Scan(&at, &must)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return rev, false, fmt.Errorf("read archive %v: %w", k, err)
	}
	at = max(at, must)
	return Revision{N: at, At: fromMillis(at)}, must > 0, nil
}

// ArchiveDocument returns a sealed document, or ErrNotFound. It is as it was
// sealed: see ArchiveRevision for whether it may be shown.
func (db *DB) ArchiveDocument(ctx context.Context, k ArchiveKey) (ArchiveDocument, error) {
	d := ArchiveDocument{ArchiveKey: k}
	var at int64
	var stories string
	var body []byte
	err := db.engine.read.QueryRowContext(ctx, `SELECT at, hash, stories, body FROM archives WHERE scope = $1 AND day = $2 AND part = $3`,
		k.Scope, string(k.Day), k.Part).Scan(&at, &d.Hash, &stories, &body)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err == nil {
		d.At, d.Stories = fromMillis(at), strings.Fields(stories)
		d.Body, err = unpacked(body)
	}
	if err == nil {
		d.Prev, err = newestArchive(db.engine.read.QueryRowContext(ctx, `SELECT day, part FROM archives WHERE scope = $1 AND (day, part) < ($2, $3)
			ORDER BY day DESC, part DESC LIMIT 1`, k.Scope, string(k.Day), k.Part), k.Scope)
	}
	if err != nil {
		return d, fmt.Errorf("read archive %v: %w", k, err)
	}
	return d, nil
}

// packed compresses a document.
func packed(doc []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(doc); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpacked(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func digest(doc []byte) string {
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:])
}

// StoriesByID returns the stories that readers see, in the order of ids.
func (db *DB) StoriesByID(ctx context.Context, ids []string) ([]Story, error) {
	all, err := db.loadStories(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read stories: %w", err)
	}
	return all, nil
}
