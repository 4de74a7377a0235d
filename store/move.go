package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5"
)

// A MovedTable is one table that Move has copied.
type MovedTable struct {
	Name string
	Rows int64
}

// Move copies all of an SQLite database into an empty PostgreSQL one, ids and
// all, in one transaction: either everything is there and has been read back
// and found the same, or nothing is, and Move is simply called again. Neither
// may be in use. moved is told of each table.
func Move(ctx context.Context, from, to string, moved func(MovedTable)) error {
	if _, ok := SQLitePath(from); !ok {
		return fmt.Errorf("move from %q: want sqlite:PATH", from)
	}
	if scheme, _, _ := strings.Cut(to, ":"); scheme != "postgres" && scheme != "postgresql" {
		return errors.New("move to: want postgres://USER@HOST/NAME")
	}
	have, newest, err := Schema(ctx, from)
	if err != nil {
		return err
	}
	if have != newest {
		return fmt.Errorf("the database to move has schema %d, this program %d; start it once on that database first", have, newest)
	}
	src, err := openEngine(ctx, from, false) // and lock it
	if err != nil {
		return err
	}
	defer src.close()
	dst, err := openEngine(ctx, to, false)
	if err != nil {
		return err
	}
	err = dst.migrate(ctx)
	if err := errors.Join(err, dst.close()); err != nil {
		return fmt.Errorf("prepare the new database: %w", err)
	}
	conn, err := pgx.Connect(ctx, to)
	if err != nil {
		return fmt.Errorf("reach the new database: %s", firstLine(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := moveAll(ctx, src.write, conn, moved); err != nil {
		return err
	}
	db, err := Open(ctx, to) // makes it searchable
	if err != nil {
		return fmt.Errorf("open the new database: %w", err)
	}
	return db.Close()
}

func moveAll(ctx context.Context, src *sql.DB, conn *pgx.Conn, moved func(MovedTable)) error {
	tables, err := movable(ctx, src)
	if err != nil {
		return fmt.Errorf("read the tables: %w", err)
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, writeLock)); err != nil {
		return fmt.Errorf("lock the new database: %w", err)
	}
	for _, t := range tables {
		if err := t.empty(ctx, tx); err != nil {
			return err
		}
	}
	for _, t := range tables {
		rows, err := t.move(ctx, src, tx)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		moved(MovedTable{t.name, rows})
	}
	// The index of words is another here: it is made at the first start.
	if _, err := tx.Exec(ctx, `DELETE FROM meta WHERE name = 'searchable'`); err != nil {
		return fmt.Errorf("have words entered: %w", err)
	}
	return tx.Commit(ctx)
}

// table is one to be moved.
type table struct {
	name    string
	columns []string
}

// movable lists the tables but those of the index of words, which is the
// engine's own.
func movable(ctx context.Context, src *sql.DB) ([]table, error) {
	rows, err := src.QueryContext(ctx, `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name <> 'search' AND m.name NOT LIKE 'search\_%' ESCAPE '\'
		ORDER BY m.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []table
	for rows.Next() {
		var name, column string
		if err := rows.Scan(&name, &column); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, table{name: name})
		}
		t := &all[len(all)-1]
		t.columns = append(t.columns, column)
	}
	return all, rows.Err()
}

// empty refuses a database that holds news already, and clears what the
// migrations or a first start have put there.
func (t table) empty(ctx context.Context, tx pgx.Tx) error {
	if t.name == "items" {
		var n int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM items`).Scan(&n); err != nil {
			return fmt.Errorf("look into the new database: %w", err)
		}
		if n > 0 {
			return fmt.Errorf("the new database holds %d items already; give an empty one", n)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM `+t.name); err != nil {
		return fmt.Errorf("empty table %s: %w", t.name, err)
	}
	return nil
}

func (t table) list() string { return strings.Join(t.columns, ", ") }

// move copies the rows and reads them back.
func (t table) move(ctx context.Context, src *sql.DB, tx pgx.Tx) (int64, error) {
	rows, err := src.QueryContext(ctx, `SELECT `+t.list()+` FROM `+t.name)
	if err != nil {
		return 0, fmt.Errorf("read: %w", err)
	}
	defer rows.Close()
	stream := &copied{rows: rows, row: make([]any, len(t.columns))}
	n, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, stream)
	if err != nil {
		return n, fmt.Errorf("copy after %d rows: %w", stream.sum.rows, err)
	}
	back, err := tx.Query(ctx, `SELECT `+t.list()+` FROM `+t.name)
	if err != nil {
		return n, fmt.Errorf("read back: %w", err)
	}
	defer back.Close()
	var sum tableSum
	for back.Next() {
		row, err := back.Values()
		if err != nil {
			return n, fmt.Errorf("read back: %w", err)
		}
		sum.add(row)
	}
	if err := back.Err(); err != nil {
		return n, fmt.Errorf("read back: %w", err)
	}
	if sum != stream.sum {
		return n, fmt.Errorf("what was read back (%d rows, sum %x) is not what was written (%d rows, sum %x)", sum.rows, sum.hash, stream.sum.rows, stream.sum.hash)
	}
	return n, nil
}

// copied gives the rows of one engine to the other, and sums them up.
type copied struct {
	rows *sql.Rows
	row  []any
	sum  tableSum
}

func (c *copied) Next() bool { return c.rows.Next() }
func (c *copied) Err() error { return c.rows.Err() }

func (c *copied) Values() ([]any, error) {
	into := make([]any, len(c.row))
	for i := range into {
		into[i] = &c.row[i]
	}
	if err := c.rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range c.row { // the driver's empty BLOB, which is no NULL
		if b, ok := v.([]byte); ok && b == nil {
			c.row[i] = []byte{}
		}
	}
	c.sum.add(c.row)
	return slices.Clone(c.row), nil
}

// tableSum is the same for the same rows in any order.
type tableSum struct {
	rows int64
	hash uint64
}

// add counts a row. Each value stands with its kind and length, so that no two
// rows look alike.
func (s *tableSum) add(row []any) {
	var d xxhash.Digest
	d.Reset()
	var b [9]byte
	put := func(kind byte, n uint64) {
		b[0] = kind
		binary.LittleEndian.PutUint64(b[1:], n)
		d.Write(b[:])
	}
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			put('n', 0)
		case int64:
			put('i', uint64(v))
		case float64:
			put('f', math.Float64bits(v))
		case string:
			put('s', uint64(len(v)))
			d.WriteString(v)
		case []byte:
			put('b', uint64(len(v)))
			d.Write(v)
		default:
			put('?', 0) // a kind that neither engine gives us today
			fmt.Fprintf(&d, "%T %v", v, v)
		}
	}
	s.rows++
	s.hash += d.Sum64()
}
