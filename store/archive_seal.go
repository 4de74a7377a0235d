package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const (
	// sealTries is how often a document is written anew because what it shows
	// changed meanwhile. A story changes once in hours, the writing takes
	// milliseconds; but when editors take much down at once and several
	// replicas seal, most tries fail.
	sealTries = 20
	// sealPause is the longest pause after the first try, longer by as much
	// after each further one: those who meet shall part.
	sealPause = 2 * time.Millisecond
)

// errChanged is the reason to write a document anew.
var errChanged = errors.New("stories changed while a document was written")

// entered is one row of what is not sealed.
type entered struct {
	at    int64
	story string
	late  int64
}

const chunkSQL = `SELECT at, story, late FROM unsealed WHERE scope = $1 ORDER BY at, story LIMIT $2`

// dueChunk returns the rows of the next document if it is to be sealed: it is
// full, its day is over, or something in it stands in no current feed.
func dueChunk(all []entered, now time.Time) []entered {
	if len(all) == 0 {
		return nil
	}
	day, due := DayOf(fromMillis(all[0].at)), false
	n := 0
	for n < len(all) && DayOf(fromMillis(all[n].at)) == day {
		due = due || all[n].late != 0
		n++
	}
	if due || n == ArchiveStories || n < len(all) || DayOf(now) > day {
		return all[:n]
	}
	return nil
}

// Seal seals the next document of a scope's archive and says whether there was
// one due. write makes its bytes of its stories, which are in the order of
// entering; it may be called again. All replicas may seal: one does.
//
// The document is sealed in a transaction that moves the clock, so nothing
// enters a range of time that is sealed.
func (db *DB) Seal(ctx context.Context, scope string, now time.Time, write func(ArchiveDocument, []Story) ([]byte, error)) (bool, error) {
	var sealed bool
	err := untilUnchanged(ctx, func() (err error) {
		sealed, err = db.seal(ctx, scope, now, write)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("seal archive of %s: %w", scope, err)
	}
	return sealed, nil
}

// untilUnchanged tries to write a document until nothing that it shows changed
// meanwhile, sealTries times.
func untilUnchanged(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if !errors.Is(err, errChanged) || n == sealTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(time.Duration(n) * sealPause)):
		}
	}
}

func (db *DB) seal(ctx context.Context, scope string, now time.Time, write func(ArchiveDocument, []Story) ([]byte, error)) (bool, error) {
	if err := db.followTaken(ctx); err != nil {
		return false, err
	}
	taken := db.taken.Load()
	all, err := scanEntered(db.engine.read.QueryContext(ctx, chunkSQL, scope, ArchiveStories))
	if err != nil {
		return false, err
	}
	chunk := dueChunk(all, now)
	if chunk == nil {
		return false, nil
	}
	d := ArchiveDocument{ArchiveKey: ArchiveKey{Scope: scope, Day: DayOf(fromMillis(chunk[0].at)), Part: 1}}
	if d.Prev, err = newestArchive(db.engine.read.QueryRowContext(ctx, newestSQL, scope), scope); err != nil {
		return false, err
	}
	if d.Prev.Day == d.Day {
		d.Part = d.Prev.Part + 1
	}
	ids := make([]string, len(chunk))
	for i, e := range chunk {
		ids[i] = e.story
	}
	stories, err := db.loadStories(ctx, ids)
	if err != nil {
		return false, err
	}
	if len(stories) > 0 {
		if d.Body, err = write(d, stories); err != nil {
			return false, fmt.Errorf("write: %w", err)
		}
	}
	return true, db.do(ctx, 1, func(t *tx) error {
		if err := t.unchanged(ids, stories, taken); err != nil {
			return err
		}
		return t.sealChunk(d, chunk, stories, now)
	})
}

// sealChunk stores a document and forgets the rows that it was made of.
func (t *tx) sealChunk(d ArchiveDocument, chunk []entered, stories []Story, now time.Time) error {
	still, err := scanEntered(t.query(chunkSQL, d.Scope, ArchiveStories))
	if err != nil {
		return err
	}
	newest, err := newestArchive(t.queryRow(newestSQL, d.Scope), d.Scope)
	if err != nil {
		return err
	}
	if len(still) < len(chunk) || !slices.Equal(still[:len(chunk)], chunk) || newest != d.Prev {
		return errChanged // another replica was first
	}
	at, last := t.tick(millis(now)), chunk[len(chunk)-1]
	if err := t.exec(`DELETE FROM unsealed WHERE scope = $1 AND (at, story) <= ($2, $3)`, d.Scope, last.at, last.story); err != nil {
		return err
	}
	t.raiseArchive(d.Scope)
	if len(stories) == 0 {
		return nil // all of it left before it was sealed
	}
	var ids strings.Builder
	for i := range stories {
		ids.WriteString(" " + stories[i].ID)
	}
	body, err := packed(d.Body)
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	return t.exec(`INSERT INTO archives (scope, day, part, first, last, at, hash, stories, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		d.Scope, string(d.Day), d.Part, chunk[0].at, last.at, at, digest(d.Body), ids.String()+" ", body)
}

// raiseArchive marks the scopes that the current feed of an archive reads for a
// new revision: it links to another document now.
func (t *tx) raiseArchive(scope string) {
	if !strings.HasPrefix(scope, channelPrefix) {
		t.scopes[scope] = true
		return
	}
	for _, c := range t.channels {
		if c.Scope() == scope {
			for _, s := range c.dimensions()[0] {
				t.scopes[s] = true
			}
		}
	}
}

// unchanged says whether stories are as they were read: those in shown are seen
// by readers and were not changed, the others of ids are not seen.
func (t *tx) unchanged(ids []string, shown []Story, taken int64) error {
	var n int64
	if err := t.queryRow(takenSQL).Scan(&n); err != nil {
		return err
	}
	if n != taken {
		return errChanged
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	args = padded(args)
	rows, err := scanRows(t.query(`SELECT `+storyColumns+` FROM stories WHERE id IN (`+places(1, len(args))+`)`, args...))
	if err != nil {
		return err
	}
	byID := make(map[string]*row, len(rows))
	for i := range rows {
		byID[rows[i].id] = &rows[i]
	}
	seen := make(map[string]bool, len(shown))
	for i := range shown {
		s := byID[shown[i].ID]
		if s == nil || !s.visible() || s.quoted != shown[i].Quoted.ID || s.updated != millis(shown[i].Updated) {
			return errChanged
		}
		seen[s.id] = true
	}
	for _, id := range ids {
		if s := byID[id]; s != nil && s.visible() && !seen[id] && !t.w.silent(t, s) {
			return errChanged
		}
	}
	return nil
}

// silent says whether a story quotes an outlet that lets nothing be shown.
func (w *writer) silent(t *tx, s *row) bool {
	var show string
	err := t.queryRow(`SELECT CASE WHEN o.taken > 0 THEN $1 ELSE o.show_as END FROM items i JOIN outlets o ON o.id = i.outlet WHERE i.id = $2`,
		string(ShowNone), s.quoted).Scan(&show)
	return err == nil && Show(show) == ShowNone
}

// Reseal seals a document anew that must not say any more what it says of some
// stories. rewrite gets its bytes, the stories by id, nil for one that is gone,
// and the moment of the change. Both hashes go into the ledger. A document that
// may stay is left as it is.
func (db *DB) Reseal(ctx context.Context, k ArchiveKey, rewrite func(body []byte, stories map[string]*Story, at time.Time) ([]byte, error)) error {
	if err := untilUnchanged(ctx, func() error { return db.reseal(ctx, k, rewrite) }); err != nil {
		return fmt.Errorf("seal %v anew: %w", k, err)
	}
	return nil
}

const staleSQL = `SELECT at, story, 0 FROM archives_stale WHERE scope = $1 AND day = $2 AND part = $3 ORDER BY story`

func (db *DB) reseal(ctx context.Context, k ArchiveKey, rewrite func([]byte, map[string]*Story, time.Time) ([]byte, error)) error {
	if err := db.followTaken(ctx); err != nil {
		return err
	}
	taken := db.taken.Load()
	key := []any{k.Scope, string(k.Day), k.Part}
	stale, err := scanEntered(db.engine.read.QueryContext(ctx, staleSQL, key...))
	if err != nil || len(stale) == 0 {
		return err
	}
	d, err := db.ArchiveDocument(ctx, k)
	if err != nil {
		return err
	}
	var ids []string
	var at int64
	byID := map[string]*Story{}
	for _, e := range stale {
		ids, at, byID[e.story] = append(ids, e.story), max(at, e.at), nil
	}
	shown, err := db.loadStories(ctx, ids)
	if err != nil {
		return err
	}
	for i := range shown {
		byID[shown[i].ID] = &shown[i]
	}
	body, err := rewrite(d.Body, byID, fromMillis(at))
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	zipped, err := packed(body)
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	left := slices.DeleteFunc(d.Stories, func(id string) bool { s, named := byID[id]; return named && s == nil })
	return db.do(ctx, 1, func(t *tx) error {
		if err := t.unchanged(ids, shown, taken); err != nil {
			return err
		}
		still, err := scanEntered(t.query(staleSQL, key...))
		if err != nil {
			return err
		}
		if !slices.Equal(still, stale) {
			return errChanged
		}
		if err := t.exec(`UPDATE archives SET at = $4, hash = $5, stories = $6, body = $7 WHERE scope = $1 AND day = $2 AND part = $3`,
			append(key, at, digest(body), " "+strings.Join(left, " ")+" ", zipped)...); err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM archives_stale WHERE scope = $1 AND day = $2 AND part = $3`, key...); err != nil {
			return err
		}
		return t.exec(`INSERT INTO reseals (id, at, scope, day, part, stories, was, hash)
			SELECT coalesce(max(id), 0) + 1, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT),
			CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS TEXT) FROM reseals`,
			at, k.Scope, string(k.Day), k.Part, strings.Join(ids, " "), d.Hash, digest(body))
	})
}

// Reseals is one line of the ledger of sealed bytes that changed.
type Reseals struct {
	ArchiveKey
	At      time.Time
	Stories []string // that were taken out or are quoted anew
	Was     string   // the hash before
	Hash    string   // and after
}

// Reseals returns the changes of sealed documents, the newest first.
func (db *DB) Reseals(ctx context.Context, limit int) ([]Reseals, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT at, scope, day, part, stories, was, hash FROM reseals ORDER BY id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read changes of archives: %w", err)
	}
	defer rows.Close()
	var all []Reseals
	for rows.Next() {
		var r Reseals
		var at int64
		var stories string
		if err := rows.Scan(&at, &r.Scope, &r.Day, &r.Part, &stories, &r.Was, &r.Hash); err != nil {
			return nil, fmt.Errorf("read changes of archives: %w", err)
		}
		r.At, r.Stories = fromMillis(at), strings.Fields(stories)
		all = append(all, r)
	}
	return all, rows.Err()
}

// ArchivesDue returns the scopes that have a document to seal, and the sealed
// documents that must be sealed anew.
func (db *DB) ArchivesDue(ctx context.Context, now time.Time) (scopes []string, stale []ArchiveKey, err error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT scope FROM unsealed GROUP BY scope
		HAVING count(*) >= $1 OR max(late) > 0 OR min(at) < $2 ORDER BY scope`, ArchiveStories, millis(DayOf(now).Start()))
	if err != nil {
		return nil, nil, fmt.Errorf("find archives to seal: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, nil, fmt.Errorf("find archives to seal: %w", err)
		}
		scopes = append(scopes, s)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("find archives to seal: %w", err)
	}
	found, err := db.engine.read.QueryContext(ctx, `SELECT DISTINCT scope, day, part FROM archives_stale ORDER BY scope, day, part`)
	if err != nil {
		return nil, nil, fmt.Errorf("find archives to seal anew: %w", err)
	}
	defer found.Close()
	for found.Next() {
		var k ArchiveKey
		if err := found.Scan(&k.Scope, &k.Day, &k.Part); err != nil {
			return nil, nil, fmt.Errorf("find archives to seal anew: %w", err)
		}
		stale = append(stale, k)
	}
	return scopes, stale, found.Err()
}

func scanEntered(rows *sql.Rows, err error) ([]entered, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []entered
	for rows.Next() {
		var e entered
		if err := rows.Scan(&e.at, &e.story, &e.late); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}
