package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// Source is one thing to poll: a feed or a listing page of an outlet. Its key
// is its id in feeds.yaml, so a moved URL keeps its history.
type Source struct {
	ID     string
	Outlet string
	Kind   string // feed, page, sitemap
	URL    string
	Topic  Topic // the section's topic, or empty
	Active bool  // false: no longer in feeds.yaml; never deleted

	State SourceState

	leased int64  // until when it was claimed, when it was read
	by     string // by whom
}

// SourceState is what visits have taught about a source.
type SourceState struct {
	ETag         string
	LastModified string
	BodyHash     string        // length and XXH64 of the last body
	NextAt       time.Time     // when it is due
	Interval     time.Duration // the interval now in force
	Why          string        // why NextAt is what it is, in English
	Fails        int           // failed visits in a row
	Outcome      Outcome       // of the last visit
	Detail       string        // what went wrong, for a person
	LastTry      time.Time
	LastSuccess  time.Time
	LastNew      time.Time // when it last brought a new item
	Visited      bool      // its first visit (backfill) has succeeded
	Learned      string    // what its publishing has taught the aggregator; opaque here, under 2 KB
	FullAt       time.Time // when its document was last fetched without conditions
	MovedTo      string    // where its address redirects for good, or empty
	MovedSeen    int       // visits in a row that were redirected there
	Repairs      []Repair  // what had to be mended in the last document that was read
	Robots       string    // what its host's robots.txt says of its address, in English
}

// Repair is something in a document that had to be mended or left out.
type Repair struct {
	Kind   string `json:"kind"`  // stable, such as "charset_mismatch" or "date_future"
	Count  int    `json:"count"` // how often
	Detail string `json:"detail,omitempty"`
}

func (t *tx) syncSources(sources []Source) error {
	if err := t.exec(`UPDATE sources SET active = 0`); err != nil {
		return err
	}
	for _, s := range sources {
		if err := t.exec(`INSERT INTO sources (id, outlet, kind, url, topic, active) VALUES ($1, $2, $3, $4, $5, 1)
			ON CONFLICT (id) DO UPDATE SET outlet = excluded.outlet, kind = excluded.kind, topic = excluded.topic, active = 1,
			etag = CASE WHEN sources.url = excluded.url THEN sources.etag ELSE '' END,
			last_modified = CASE WHEN sources.url = excluded.url THEN sources.last_modified ELSE '' END,
			body_hash = CASE WHEN sources.url = excluded.url THEN sources.body_hash ELSE '' END,
			next_at = CASE WHEN sources.url = excluded.url THEN sources.next_at ELSE 0 END,
			url = excluded.url`, s.ID, s.Outlet, s.Kind, s.URL, string(s.Topic)); err != nil {
			return fmt.Errorf("%s: %w", s.ID, err)
		}
	}
	return nil
}

const sourceColumns = `id, outlet, kind, url, topic, active, etag, last_modified, body_hash, next_at,
	interval_ms, why, fails, outcome, detail, last_try, last_success, last_new, visited, full_at, moved_to, moved_seen, repairs, learned, robots, lease_until, lease_by`

func scanSource(rows *sql.Rows) (Source, error) {
	var s Source
	var active, next, interval, try, success, newest, visited, full int64
	var repairs string
	st := &s.State
	err := rows.Scan(&s.ID, &s.Outlet, &s.Kind, &s.URL, &s.Topic, &active, &st.ETag, &st.LastModified,
		&st.BodyHash, &next, &interval, &st.Why, &st.Fails, &st.Outcome, &st.Detail, &try, &success, &newest, &visited, &full, &st.MovedTo, &st.MovedSeen, &repairs, &st.Learned, &st.Robots, &s.leased, &s.by)
	s.Active, st.Visited = active != 0, visited != 0
	st.NextAt, st.LastTry, st.LastSuccess, st.LastNew = fromMillis(next), fromMillis(try), fromMillis(success), fromMillis(newest)
	st.Interval, st.FullAt = time.Duration(interval)*time.Millisecond, fromMillis(full)
	return s, errors.Join(err, decode(repairs, &st.Repairs))
}

func scanSources(rows *sql.Rows, err error) ([]Source, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Source
	for rows.Next() {
		s, err := scanSource(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Sources returns every source, those switched off too, by outlet and id.
func (db *DB) Sources(ctx context.Context) ([]Source, error) {
	all, err := scanSources(db.engine.read.QueryContext(ctx, `SELECT `+sourceColumns+` FROM sources ORDER BY outlet, id`))
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	return all, nil
}

// Source returns one source, or ErrNotFound.
func (db *DB) Source(ctx context.Context, id string) (Source, error) {
	all, err := scanSources(db.engine.read.QueryContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE id = $1`, id))
	if err != nil {
		return Source{}, fmt.Errorf("read source %s: %w", id, err)
	}
	if len(all) == 0 {
		return Source{}, fmt.Errorf("source %s: %w", id, ErrNotFound)
	}
	return all[0], nil
}

// Claim is a request for sources to visit.
type Claim struct {
	Now   time.Time
	Lease time.Duration // nobody else gets them until Now + Lease
	By    string        // who claims: host and process
	Limit int
	All   bool // every active source, due or not (one round by hand)
}

// Due claims at most Limit sources that are due and not leased, the longest
// overdue first. The condition stands outside the sub-select too: without it
// PostgreSQL let eight workers claim 300 of 400 rows twice.
func (db *DB) Due(ctx context.Context, c Claim) ([]Source, error) {
	now, due := millis(c.Now), millis(c.Now)
	if c.All {
		due = math.MaxInt64
	}
	var claimed []Source
	err := db.do(ctx, 1, func(t *tx) error {
		var err error
		claimed, err = scanSources(t.query(`UPDATE sources SET lease_until = $1, lease_by = $2
			WHERE id IN (SELECT id FROM sources WHERE active = 1 AND next_at <= $3 AND lease_until <= $4
				ORDER BY next_at, id LIMIT $5) AND active = 1 AND next_at <= $3 AND lease_until <= $4
			RETURNING `+sourceColumns, now+c.Lease.Milliseconds(), c.By, due, now, c.Limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim sources: %w", err)
	}
	return claimed, nil
}

// NextDue says when the next source becomes due and free of its lease; ok is
// false if there is no active source.
func (db *DB) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	var ms int64
	err = db.engine.read.QueryRowContext(ctx, `SELECT coalesce(min(CASE WHEN next_at > lease_until
		THEN next_at ELSE lease_until END), -1) FROM sources WHERE active = 1`).Scan(&ms)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read next visit: %w", err)
	}
	return fromMillis(ms), ms >= 0, nil
}

// Release gives claimed sources and subscriptions back, at shutdown.
func (db *DB) Release(ctx context.Context, by string) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`UPDATE push_subscriptions SET lease_until = 0 WHERE lease_by = $1 AND lease_until > 0`, by); err != nil {
			return err
		}
		if err := t.releaseArticles(`lease_by = $1`, by); err != nil {
			return err
		}
		return t.exec(`UPDATE sources SET lease_until = 0 WHERE lease_by = $1 AND lease_until > 0`, by)
	})
	if err != nil {
		return fmt.Errorf("release sources: %w", err)
	}
	return nil
}

// saveDelivery notes news that came without a visit.
func (t *tx) saveDelivery(id string, at time.Time, c Changes) error {
	if c.Changed > 0 { // the document as last fetched is older than what is stored: the next visit reads the whole
		if err := t.exec(`UPDATE sources SET etag = '', last_modified = '', body_hash = '' WHERE id = $1`, id); err != nil {
			return err
		}
	}
	if c.New == 0 {
		return nil
	}
	return t.exec(`UPDATE sources SET last_new = $1 WHERE id = $2 AND last_new < $1`, millis(at), id)
}

// ours says whether a source is still claimed as it was when it was read: nobody
// has claimed or visited it since.
func (t *tx) ours(s Source) (bool, error) {
	var n int
	err := t.queryRow(`SELECT count(*) FROM sources WHERE id = $1 AND lease_until = $2 AND lease_by = $3`, s.ID, s.leased, s.by).Scan(&n)
	return n > 0, err
}

// saveState stores what a visit to a source made of it, and gives it back. saved
// is false, and nothing is stored, if the source is not ours any more.
func (t *tx) saveState(src Source, s SourceState) (saved bool, err error) {
	res, err := t.execResult(`UPDATE sources SET etag = $1, last_modified = $2, body_hash = $3, next_at = $4, interval_ms = $5,
		why = $6, fails = $7, outcome = $8, detail = $9, last_try = $10, last_success = $11, last_new = $12,
		visited = $13, full_at = $14, moved_to = $15, moved_seen = $16, repairs = $17, learned = $18, robots = $19, lease_until = 0
		WHERE id = $20 AND lease_until = $21 AND lease_by = $22`,
		s.ETag, s.LastModified, s.BodyHash, millis(s.NextAt), s.Interval.Milliseconds(), s.Why, s.Fails,
		string(s.Outcome), s.Detail, millis(s.LastTry), millis(s.LastSuccess), millis(s.LastNew), flag(s.Visited),
		millis(s.FullAt), s.MovedTo, s.MovedSeen, encoded(s.Repairs), s.Learned, s.Robots, src.ID, src.leased, src.by)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
