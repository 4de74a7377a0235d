package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to the newest version, each step in a transaction
// of its own. Migrations are numbered and never edited once released.
func (e *engine) migrate(ctx context.Context) error {
	newest := KnownSchema()
	if err := e.migrateTo(ctx, newest); err != nil {
		return err
	}
	return e.checkVersion(ctx, newest)
}

// migrateTo takes the steps up to one version.
func (e *engine) migrateTo(ctx context.Context, version int) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for _, name := range names { // Glob sorts, and the numbers have four digits
		n, err := migrationNumber(name)
		if err != nil {
			return err
		}
		if n > version {
			return nil
		}
		if err := e.step(ctx, n, name); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}

// reshapes are the parts of migrations that SQL cannot say: by number, run in
// the step's transaction after its statements.
var reshapes = map[int]func(context.Context, *engine, *sql.Tx) error{
	23: packItems,
}

func migrationNumber(name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "migrations/")[:4])
	if err != nil {
		return 0, fmt.Errorf("migration %s: the name must begin with four digits", name)
	}
	return n, nil
}

// Schema tells which version an existing database has, and which this program
// migrates it to. A database that does not exist yet, or is empty, has 0.
func Schema(ctx context.Context, dsn string) (have, newest int, err error) {
	newest = KnownSchema()
	e, err := openEngine(ctx, dsn, true)
	if errors.Is(err, ErrNoDatabase) {
		return 0, newest, nil
	}
	if err != nil {
		return 0, newest, err
	}
	defer e.close()
	have, err = e.schema(ctx)
	return have, newest, err
}

func (e *engine) step(ctx context.Context, n int, name string) error {
	tx, err := e.beginWrite(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if have, err := e.version(ctx, tx); err != nil || have >= n {
		return err
	}
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	for _, stmt := range strings.Split(e.words.Replace(string(text)), ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	if reshape := reshapes[n]; reshape != nil {
		if err := reshape(ctx, e, tx); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('schema', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, n); err != nil {
		return err
	}
	return tx.Commit()
}

// checkVersion refuses a database that a newer program has migrated.
func (e *engine) checkVersion(ctx context.Context, newest int) error {
	have, err := e.schema(ctx)
	if err != nil {
		return err
	}
	if have != newest {
		return fmt.Errorf("the database has schema %d, this program knows %d; use the program that wrote it", have, newest)
	}
	return nil
}

// schema is the version of what is stored.
func (e *engine) schema(ctx context.Context) (int, error) {
	tx, err := e.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, fmt.Errorf("read schema: %w", err)
	}
	defer tx.Rollback()
	n, err := e.version(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("read schema: %w", err)
	}
	return n, nil
}

// version is 0 for a database without a schema.
func (e *engine) version(ctx context.Context, tx *sql.Tx) (int, error) {
	var n int
	if err := tx.QueryRowContext(ctx, e.catalogue).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(value), 0) FROM meta WHERE name = 'schema'`).Scan(&n)
	return n, err
}
