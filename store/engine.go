package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver
	_ "modernc.org/sqlite"             // the SQLite driver
)

// applicationID marks an SQLite file as ours (PRAGMA application_id): "dtin".
const applicationID = 0x6474696e

// writeLock is the key of PostgreSQL's advisory lock that makes the writers of
// all replicas take turns, as SQLite's BEGIN IMMEDIATE does within one file.
const writeLock = 0x6474696e

// writeIdle is after what silence within a write transaction PostgreSQL ends it:
// a process that was stopped there would keep all others from writing. What is
// done between two statements takes milliseconds.
const writeIdle = 10 * time.Second

// ErrInUse is returned by Open when another process writes the SQLite file.
var ErrInUse = errors.New("database is in use by another diemtin")

// ErrNoDatabase is returned by OpenReadOnly when there is no such SQLite file.
var ErrNoDatabase = errors.New("does not exist yet")

// engine is all in which SQLite and PostgreSQL differ.
type engine struct {
	name      string // sqlite, postgres
	write     *sql.DB
	read      *sql.DB
	prepare   bool              // keep prepared statements ourselves (pgx does it by itself)
	alone     bool              // no other process can write: the file is locked
	begin     string            // run first in every write transaction
	catalogue string            // counts the tables named meta
	words     *strings.Replacer // {{…}} of migrations
	index     *textIndex        // full-text search
	unlock    func()
}

func openEngine(ctx context.Context, dsn string, readOnly bool) (*engine, error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"), readOnly)
	case "postgres", "postgresql":
		return openPostgres(ctx, dsn)
	}
	return nil, fmt.Errorf("database %q: want sqlite:PATH or postgres://USER@HOST/NAME", dsn)
}

func openSQLite(ctx context.Context, path string, readOnly bool) (*engine, error) {
	if path == "" {
		return nil, errors.New("database sqlite: the path is missing; want sqlite:PATH")
	}
	if err := checkPath(path, readOnly); err != nil {
		return nil, err
	}
	e := &engine{name: "sqlite", index: &sqliteIndex, prepare: true, alone: true, unlock: func() {}, catalogue: `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'`, words: strings.NewReplacer(
		"{{passing}}", "", "{{id}}", "INTEGER PRIMARY KEY", "{{clustered}}", " WITHOUT ROWID", "{{bytes}}", "BLOB", "{{search}}", sqliteIndex.create)}
	if !readOnly {
		unlock, err := lockFile(path + ".lock")
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", path, err)
		}
		e.unlock = unlock
	}
	// synchronous=NORMAL: in WAL
	// mode a killed process loses nothing; a power cut may lose the last
	// commits, which the next visit brings again under the same ids.
	// temp_store: the journal of the savepoints stays in memory; as a file it
	// was a seventh of what storing an item costs. cache_size (KiB): the keys
	// of two windows are some 45 MB at 10,000 items a day, and each decision
	// reads from all over them.
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(normal)", "temp_store(memory)", "wal_autocheckpoint(4000)", "cache_size(-64000)"}}
	pragmas.Set("_txlock", "immediate")
	var err error
	if !readOnly {
		if err := claimFile(ctx, path); err != nil {
			e.close()
			return nil, fmt.Errorf("open database %s: %w", path, err)
		}
		if e.write, err = sql.Open("sqlite", sqliteURI(path, pragmas)); err != nil {
			e.close()
			return nil, fmt.Errorf("open database %s: %w", path, err)
		}
		e.write.SetMaxOpenConns(1)
	}
	reading := url.Values{"_pragma": {"busy_timeout(10000)", "query_only(1)", "cache_size(-16000)"}}
	if e.read, err = sql.Open("sqlite", sqliteURI(path, reading)); err != nil {
		e.close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	e.read.SetMaxOpenConns(2 * runtime.GOMAXPROCS(0))
	e.read.SetMaxIdleConns(2 * runtime.GOMAXPROCS(0))
	return e, nil
}

// sqliteURI escapes what SQLite's URI syntax would take for a query.
func sqliteURI(path string, q url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// checkPath finds the faults that SQLite only calls "unable to open".
func checkPath(path string, readOnly bool) error {
	dir := filepath.Dir(path)
	if st, err := os.Stat(dir); err != nil {
		return fmt.Errorf("database %s: folder %s does not exist; create it or choose another with --db", path, dir)
	} else if !st.IsDir() {
		return fmt.Errorf("database %s: %s is not a folder", path, dir)
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir():
		return fmt.Errorf("database %s is a folder; give the path of a file", path)
	case errors.Is(err, os.ErrNotExist) && readOnly:
		return fmt.Errorf("database %s %w; run \"diemtin serve\" or \"diemtin poll\" first", path, ErrNoDatabase)
	case errors.Is(err, os.ErrNotExist):
		f, err := os.CreateTemp(dir, ".diemtin-*")
		if err != nil {
			return fmt.Errorf("database %s: folder %s cannot be written: %w", path, dir, err)
		}
		f.Close()
		return os.Remove(f.Name())
	}
	return nil
}

// claimFile sets up a new file and marks it as ours; it refuses one that
// belongs to another program: migrating it would destroy it. page_size and
// auto_vacuum take effect, in this order, only while a file is empty and not
// yet in WAL mode; the driver sorts the pragmas of an address.
func claimFile(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteURI(path, url.Values{"_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var id, tables int64
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	if id == applicationID {
		return nil
	}
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return errors.New("this SQLite file belongs to another program; choose another path with --db")
	}
	for _, pragma := range []string{`page_size = 8192`, `auto_vacuum = 2`, fmt.Sprintf(`application_id = %d`, applicationID)} {
		if _, err := db.ExecContext(ctx, `PRAGMA `+pragma); err != nil {
			return err
		}
	}
	return nil
}

func openPostgres(ctx context.Context, dsn string) (*engine, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("reach database: %s; is the server running, and is --db right?", firstLine(err))
	}
	return &engine{name: "postgres", index: &postgresIndex, write: db, read: db, unlock: func() {},
		begin: fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d), set_config('idle_in_transaction_session_timeout', '%d', true)`,
			writeLock, writeIdle.Milliseconds()),
		catalogue: `SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'meta'`,
		words:     strings.NewReplacer("{{passing}}", "UNLOGGED ", "{{id}}", "BIGINT PRIMARY KEY", "{{clustered}}", "", "{{bytes}}", "BYTEA", "{{search}}", postgresIndex.create)}, nil
}

// firstLine is what an error says without the list of every address that was
// tried.
func firstLine(err error) string {
	head, rest, more := strings.Cut(err.Error(), "\n")
	if more {
		cause, _, _ := strings.Cut(rest, "\n")
		head += " " + strings.TrimSpace(cause)
	}
	return head
}

// beginWrite opens the one write transaction of the moment: IMMEDIATE by the
// connection's _txlock on SQLite, under the advisory lock on PostgreSQL.
func (e *engine) beginWrite(ctx context.Context) (*sql.Tx, error) {
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	if e.begin != "" {
		if _, err := tx.ExecContext(ctx, e.begin); err != nil {
			tx.Rollback()
			return nil, fmt.Errorf("begin: %w", err)
		}
	}
	return tx, nil
}

func (e *engine) close() error {
	var errs []error
	if e.read != nil && e.read != e.write {
		errs = append(errs, e.read.Close())
	}
	if e.write != nil {
		errs = append(errs, e.write.Close())
	}
	e.unlock()
	return errors.Join(errs...)
}
