package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// packedColumns are those of items whose texts are packed.
var packedColumns = []string{"title", "summary", "content", "topics"}

// emptyLists are columns of which most are an empty list, stored as nothing.
var emptyLists = []string{"categories", "enclosures"}

const (
	// repackRead is how many items are read at once while the table is written
	// anew: with whole texts some 5 MB.
	repackRead = 512
	// repackWrite is how many of them one statement writes.
	repackWrite = 16
)

// packItems writes the table items anew, with packed columns, whatever other
// columns it has. A row made smaller where it stands would leave its page half
// empty for ever.
func packItems(ctx context.Context, e *engine, tx *sql.Tx) error {
	table, indexes, err := e.itemsSchema(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the definition of items: %w", err)
	}
	for _, stmt := range append([]string{`ALTER TABLE items RENAME TO items_was`}, table...) {
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("make items anew: %w", err)
		}
	}
	if err := repackItems(ctx, tx); err != nil {
		return fmt.Errorf("pack items: %w", err)
	}
	for _, stmt := range append([]string{`DROP TABLE items_was`}, indexes...) {
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("make items anew: %w", err)
		}
	}
	return nil
}

// itemsSchema is what makes an empty table like items, and then its indexes:
// their names are taken while the old table stands.
func (e *engine) itemsSchema(ctx context.Context, tx *sql.Tx) (table, indexes []string, err error) {
	if e.name == "sqlite" {
		if table, err = column(ctx, tx, `SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'items'`); err != nil {
			return nil, nil, err
		}
		indexes, err = column(ctx, tx, `SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'items' AND sql IS NOT NULL`)
		return table, indexes, err
	}
	table = []string{`CREATE TABLE items (LIKE items_was INCLUDING DEFAULTS)`}
	for _, name := range packedColumns {
		table = append(table, fmt.Sprintf(`ALTER TABLE items ALTER COLUMN %[1]s TYPE BYTEA USING convert_to(%[1]s, 'UTF8')`, name))
	}
	indexes, err = column(ctx, tx, `SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'items' AND indexname <> 'items_pkey'`)
	return table, append([]string{`ALTER TABLE items ADD PRIMARY KEY (id)`}, indexes...), err
}

// column is the one column of text that a query asks for.
func column(ctx context.Context, tx *sql.Tx, query string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return texts(rows)
}

// repackItems copies all of items_was into items, in the order of their ids.
func repackItems(ctx context.Context, tx *sql.Tx) error {
	var whole *sql.Stmt // writes repackWrite rows
	for last := int64(-1); ; {
		columns, rows, err := itemsAfter(ctx, tx, last)
		if err != nil || len(rows) == 0 {
			return err
		}
		if whole == nil {
			if whole, err = tx.PrepareContext(ctx, insertRows("items", columns, repackWrite)); err != nil {
				return err
			}
			defer whole.Close()
		}
		for chunk := range slices.Chunk(rows, repackWrite) {
			if args := slices.Concat(chunk...); len(chunk) == repackWrite {
				_, err = whole.ExecContext(ctx, args...)
			} else {
				_, err = tx.ExecContext(ctx, insertRows("items", columns, len(chunk)), args...)
			}
			if err != nil {
				return err
			}
		}
		last = rows[len(rows)-1][slices.Index(columns, "id")].(int64)
	}
}

// insertRows is the statement that writes so many rows.
func insertRows(table string, columns []string, n int) string {
	values := make([]string, n)
	for i := range values {
		values[i] = "(" + places(1+i*len(columns), len(columns)) + ")"
	}
	return `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) VALUES ` + strings.Join(values, ", ")
}

// itemsAfter reads the next rows of items_was, with their texts packed.
func itemsAfter(ctx context.Context, tx *sql.Tx, last int64) (columns []string, all [][]any, err error) {
	found, err := tx.QueryContext(ctx, `SELECT * FROM items_was WHERE id > $1 ORDER BY id LIMIT $2`, last, repackRead)
	if err != nil {
		return nil, nil, err
	}
	defer found.Close()
	if columns, err = found.Columns(); err != nil {
		return nil, nil, err
	}
	for found.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range into {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, nil, err
		}
		for i, name := range columns {
			switch {
			case slices.Contains(packedColumns, name):
				if row[i], err = packedAnew(row[i]); err != nil {
					return nil, nil, err
				}
			case slices.Contains(emptyLists, name) && (row[i] == "null" || row[i] == "[]"):
				row[i] = ""
			}
		}
		all = append(all, row)
	}
	return columns, all, found.Err()
}

// packedAnew packs the value of a column, whether it was or not.
func packedAnew(v any) ([]byte, error) {
	if s, ok := v.(string); ok {
		return pack(s), nil
	}
	var t text
	err := t.Scan(v)
	return pack(string(t)), err
}
