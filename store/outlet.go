package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Scope says whom an outlet writes for.
type Scope string

// The three scopes of an outlet.
const (
	National   Scope = "national"
	Ministry   Scope = "ministry"
	Provincial Scope = "provincial"
)

// Scopes lists every scope in the order readers see them.
var Scopes = []Scope{National, Ministry, Provincial}

// Show says how much of an outlet's own words may be given out again.
type Show string

// What may be shown of an item besides its headline, source and link.
const (
	ShowSummary  Show = "summary"  // at most 60 syllables of its summary
	ShowHeadline Show = "headline" // the headline alone
	ShowNone     Show = "none"     // stored and matched, never listed
)

// Outlet is a publisher.
type Outlet struct {
	ID       string
	Name     string
	Aliases  []string // what "Theo: …" may call it
	Domains  []string // registrable or full host names, lower case
	Scope    Scope
	Province string        // today's province id ("hung-yen"), empty unless provincial
	Rank     int           // 1 is believed first when nothing else names the original
	Show     Show          // how much of its words may be shown
	Images   bool          // may its pictures be shown (hot-linked)
	Delay    time.Duration // not listed before Published + Delay
	Clock    Clock         // learned, not configured: what is wrong with its dates
}

// Sync makes the stored outlets and sources those of the configuration. What
// is missing from it is switched off, never deleted; a source whose address
// changed keeps its history and forgets its validators.
func (db *DB) Sync(ctx context.Context, outlets []Outlet, sources []Source) error {
	return db.sync(ctx, outlets, sources, db.engine.alone) // whoever held a lease on a file of our own is dead
}

// SyncAgain is Sync while this process is at work: its leases stand.
func (db *DB) SyncAgain(ctx context.Context, outlets []Outlet, sources []Source) error {
	return db.sync(ctx, outlets, sources, false)
}

func (db *DB) sync(ctx context.Context, outlets []Outlet, sources []Source, endLeases bool) error {
	var others []string // whose stories look otherwise from now on
	err := db.do(ctx, 1, func(t *tx) (err error) {
		if others, err = t.otherTerms(outlets); err != nil {
			return fmt.Errorf("compare outlets: %w", err)
		}
		if err := t.syncOutlets(outlets); err != nil {
			return fmt.Errorf("store outlets: %w", err)
		}
		for _, id := range others {
			if err := t.noteOutlet(id); err != nil {
				return err
			}
		}
		if err := t.syncSources(sources); err != nil {
			return fmt.Errorf("store sources: %w", err)
		}
		if endLeases {
			for _, table := range []string{"sources", "hub_subscriptions", "hub_requests"} {
				if err := t.exec(`UPDATE ` + table + ` SET lease_until = 0 WHERE lease_until > 0`); err != nil {
					return fmt.Errorf("end leases: %w", err)
				}
			}
			if err := t.releaseArticles(`lease_by <> ''`); err != nil {
				return fmt.Errorf("end leases of articles: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := db.loadOutlets(ctx); err != nil {
		return err
	}
	return db.noteOutlets(ctx, others) // whoever was told meanwhile was told by the former terms
}

// otherTerms are the stored outlets of which readers see something else when
// these are the outlets.
func (t *tx) otherTerms(outlets []Outlet) ([]string, error) {
	type terms struct {
		name, domains, show string
		images, active      int64
	}
	now := map[string]terms{}
	for _, o := range outlets {
		now[o.ID] = terms{o.Name, encoded(o.Domains), string(o.Show), flag(o.Images), 1}
	}
	rows, err := t.query(`SELECT id, name, domains, show_as, images, active FROM outlets ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var id string
		var was terms
		if err := rows.Scan(&id, &was.name, &was.domains, &was.show, &was.images, &was.active); err != nil {
			return nil, err
		}
		is, ok := now[id]
		if !ok {
			is = was
			is.active = 0
		}
		if is != was {
			all = append(all, id)
		}
	}
	return all, rows.Err()
}

func (t *tx) syncOutlets(outlets []Outlet) error {
	if err := t.exec(`UPDATE outlets SET active = 0`); err != nil {
		return err
	}
	for i, o := range outlets {
		if err := t.exec(`INSERT INTO outlets
			(id, name, aliases, domains, scope, province, rank, show_as, images, delay, place, active)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, aliases = excluded.aliases,
			domains = excluded.domains, scope = excluded.scope, province = excluded.province,
			rank = excluded.rank, show_as = excluded.show_as, images = excluded.images,
			delay = excluded.delay, place = excluded.place, active = 1`,
			o.ID, o.Name, encoded(o.Aliases), encoded(o.Domains), string(o.Scope), o.Province,
			o.Rank, string(o.Show), flag(o.Images), o.Delay.Milliseconds(), i); err != nil {
			return fmt.Errorf("%s: %w", o.ID, err)
		}
	}
	return nil
}

// flag is how a bool is stored: the engines have no common one.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Outlets returns the outlets of the configuration, in its order.
func (db *DB) Outlets(ctx context.Context) ([]Outlet, error) {
	all, err := db.readOutlets(ctx, `WHERE active = 1`)
	if err != nil {
		return nil, fmt.Errorf("read outlets: %w", err)
	}
	return all, nil
}

func (db *DB) readOutlets(ctx context.Context, where string) ([]Outlet, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT id, name, aliases, domains, scope, province,
		rank, show_as, images, delay, taken FROM outlets `+where+` ORDER BY place`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Outlet
	for rows.Next() {
		var o Outlet
		var aliases, domains string
		var images, delay, taken int64
		if err := rows.Scan(&o.ID, &o.Name, &aliases, &domains, &o.Scope, &o.Province,
			&o.Rank, &o.Show, &images, &delay, &taken); err != nil {
			return nil, err
		}
		if err := errors.Join(decode(aliases, &o.Aliases), decode(domains, &o.Domains)); err != nil {
			return nil, err
		}
		if taken > 0 {
			o.Show = ShowNone
		}
		o.Images, o.Delay = images != 0, time.Duration(delay)*time.Millisecond
		all = append(all, o)
	}
	return all, rows.Err()
}

// loadOutlets keeps every outlet in memory: each listing and story needs one.
func (db *DB) loadOutlets(ctx context.Context) error {
	db.clocks.mu.Lock() // one after the other: what was read first must not be kept last
	defer db.clocks.mu.Unlock()
	var taken int64
	if err := db.engine.read.QueryRowContext(ctx, takenSQL).Scan(&taken); err != nil {
		return err
	}
	all, err := db.readOutlets(ctx, "")
	if err != nil {
		return err
	}
	if db.clocks.tallies == nil {
		if db.clocks.tallies, err = db.loadClocks(ctx); err != nil {
			return err
		}
	}
	byID := make(map[string]Outlet, len(all))
	for _, o := range all {
		o.Clock = db.clocks.tallies[o.ID].clock()
		byID[o.ID] = o
	}
	db.outlets.Store(&byID)
	db.taken.Store(taken)
	return nil
}

// takenSQL changes with the set of outlets that rulings took down.
const takenSQL = `SELECT coalesce(sum(taken), 0) FROM outlets`

// followTaken reads the outlets anew if another process has taken one down or
// restored it.
func (db *DB) followTaken(ctx context.Context) error {
	if db.engine.alone {
		return nil
	}
	return db.renewTaken(ctx)
}

// renewTaken reads the outlets anew if one was taken down or restored since
// they were read.
func (db *DB) renewTaken(ctx context.Context) error {
	var taken int64
	if err := db.engine.read.QueryRowContext(ctx, takenSQL).Scan(&taken); err != nil {
		return err
	}
	if taken == db.taken.Load() {
		return nil
	}
	return db.loadOutlets(ctx)
}
