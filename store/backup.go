package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrDamaged is returned for a file that is no whole database of ours.
var ErrDamaged = errors.New("the database is damaged")

// A Snapshot is what a copy of a database holds.
type Snapshot struct {
	Path   string
	Bytes  int64
	Schema int
	Items  int64
	Newest time.Time // when its newest item was read; zero = it has none
}

// SQLitePath is the file of an address of an SQLite database; false for another
// engine's.
func SQLitePath(dsn string) (string, bool) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	return strings.TrimPrefix(rest, "//"), scheme == "sqlite"
}

// Backup writes a copy of an SQLite database to path while others go on reading
// and writing: what was committed before it began is in it, and nothing else.
// The copy is checked as a whole before it gets its name; an existing file is
// never written over. PostgreSQL has pg_dump for this: the error says so.
func Backup(ctx context.Context, dsn, path string) (Snapshot, error) {
	from, ok := SQLitePath(dsn)
	if !ok {
		return Snapshot{}, errors.New("back up: this is PostgreSQL, whose own tools do it: pg_dump --format=custom --file=FILE ADDRESS")
	}
	if _, err := os.Stat(from); err != nil {
		return Snapshot{}, fmt.Errorf("back up %s: %w", from, ErrNoDatabase)
	}
	if _, err := os.Lstat(path); err == nil {
		return Snapshot{}, fmt.Errorf("back up to %s: the file exists already", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // VACUUM INTO takes an empty file
	if err != nil {
		return Snapshot{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	part.Close()
	defer os.Remove(part.Name())
	if err := copyInto(ctx, from, part.Name()); err != nil {
		return Snapshot{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	s, err := Inspect(ctx, part.Name())
	if err != nil {
		return s, fmt.Errorf("check the copy of %s: %w", from, err)
	}
	if err := keepFile(part.Name(), path); err != nil {
		return s, fmt.Errorf("back up to %s: %w", path, err)
	}
	s.Path = path
	return s, nil
}

// copyInto writes what a database holds at this moment into another file.
func copyInto(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", sqliteURI(from, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)", "cache_size(-16000)"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, to)
	return err
}

// keepFile gives a finished file its name, so that it is there whole or not at
// all, whenever the power goes.
func keepFile(part, path string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		// Other than a rename, a link fails if a file of that name has come up
		// meanwhile; not every file system has links.
		if err = os.Link(part, path); err != nil && !errors.Is(err, os.ErrExist) {
			err = os.Rename(part, path)
		}
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// copyFile writes all of a file into another and sees it on the disk.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Inspect reads a copy through and says what it holds. The error is ErrDamaged,
// with what SQLite found, if it is not a whole database of this program, which
// may be of an older version but of no newer one.
func Inspect(ctx context.Context, path string) (Snapshot, error) {
	s := Snapshot{Path: path}
	st, err := os.Stat(path)
	if err != nil {
		return s, err
	}
	s.Bytes = st.Size()
	db, err := sql.Open("sqlite", sqliteURI(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}))
	if err != nil {
		return s, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := checkWhole(ctx, db); err != nil {
		return s, err
	}
	var newest int64
	err = db.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE name = 'schema'), count(*), coalesce(max(seen), 0) FROM items`).Scan(&s.Schema, &s.Items, &newest)
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s.Newest = fromMillis(newest)
	if known := KnownSchema(); s.Schema > known {
		return s, fmt.Errorf("it has schema %d, this program knows %d; use the program that wrote it", s.Schema, known)
	}
	return s, nil
}

// checkWhole tells what is wrong with a file.
func checkWhole(ctx context.Context, db *sql.DB) error {
	var id int64
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if id != applicationID {
		return fmt.Errorf("%w: it is not of this program", ErrDamaged)
	}
	found, err := quickCheck(ctx, db)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(found) > 0 {
		return fmt.Errorf("%w: %s", ErrDamaged, strings.ReplaceAll(strings.Join(found, "; "), "\n", " "))
	}
	return nil
}

// Restore puts a checked copy in the place of an SQLite database that nobody
// has open. What stood there is kept beside it under the name that is returned,
// empty if nothing did. The copy itself stays.
func Restore(ctx context.Context, dsn, backup string, now time.Time) (Snapshot, string, error) {
	path, ok := SQLitePath(dsn)
	if !ok {
		return Snapshot{}, "", errors.New("restore: this is PostgreSQL, whose own tools do it: pg_restore --clean --dbname=ADDRESS FILE")
	}
	s, err := Inspect(ctx, backup)
	if err != nil {
		return s, "", fmt.Errorf("restore %s: %w", backup, err)
	}
	if err := checkPath(path, false); err != nil {
		return s, "", err
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return s, "", fmt.Errorf("database %s: %w", path, err)
	}
	defer unlock()
	part := path + ".restoring"
	if err := copyFile(backup, part); err != nil {
		os.Remove(part)
		return s, "", fmt.Errorf("copy %s: %w", backup, err)
	}
	kept, err := setAside(path, now)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return s, kept, fmt.Errorf("put %s in place: %w", path, err)
	}
	return s, kept, nil
}

// setAside renames a database and what belongs to it.
func setAside(path string, now time.Time) (string, error) {
	kept := path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	// What it can of the log goes into the file, so that the file alone is whole
	// at each moment. A damaged one is set aside with its log, as it is.
	if db, err := sql.Open("sqlite", sqliteURI(path, url.Values{"mode": {"rw"}})); err == nil {
		db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
		db.Close()
	}
	for _, part := range []string{"-wal", "-shm", ""} { // the file last: without it the others mean nothing
		err := os.Rename(path+part, kept+part)
		if errors.Is(err, os.ErrNotExist) {
			if part == "" {
				return "", nil
			}
			continue
		}
		if err != nil {
			return "", err
		}
	}
	return kept, nil
}
