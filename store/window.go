package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// maxLookups bounds what an intersection costs, however large the archive: the
// entries of one field that are looked up in the others, times the scopes in
// which each is looked up. Measured: docs/performance.md.
const maxLookups = 10000

// window is one walk along an order: at in [from, until), after a cursor.
type window struct {
	table       string
	from, until int64
	before      Cursor
	record      string   // only what stands unsealed in this archive, and was listed when it entered; empty = no matter
	without     []string // scopes whose stories are left out
	oldestFirst bool
	limit       int
}

// place is a story's entry in an order.
type place struct {
	at    int64
	story string
}

// arguments collects what stands for $1, $2, …
type arguments []any

func (a *arguments) add(v any) string {
	*a = append(*a, v)
	return fmt.Sprintf("$%d", len(*a))
}

func (a *arguments) list(scopes []string) string {
	places := make([]string, len(scopes))
	for i, s := range scopes {
		places[i] = a.add(s)
	}
	return strings.Join(places, ", ")
}

// bounds is the condition that every walk of the window shares. The cursor
// bounds at by itself too: of a row value and a plain bound SQLite may seek by
// the looser one, and would walk from the newest entry to every later page.
func (w window) bounds(args *arguments) string {
	until := w.until
	if !w.before.At.IsZero() {
		until = min(until, millis(w.before.At)+1)
	}
	cond := " AND at >= " + args.add(w.from) + " AND at < " + args.add(until)
	if !w.before.At.IsZero() {
		cond += " AND (at, story) < (" + args.add(millis(w.before.At)) + ", " + args.add(w.before.ID) + ")"
	}
	return cond
}

func (w window) direction() string {
	if w.oldestFirst {
		return "ASC"
	}
	return "DESC"
}

// sql writes the walk as a union of one bounded walk per scope of the first
// dimension; the other dimensions are looked up by primary key.
func (w window) sql(dims [][]string) (string, []any) {
	var args arguments
	cond := w.bounds(&args)
	within := func(scopes []string) string {
		return fmt.Sprintf("EXISTS (SELECT 1 FROM %s x WHERE x.scope IN (%s) AND x.at = a.at AND x.story = a.story)", w.table, args.list(scopes))
	}
	from, first, rest := w.table, dims[0], dims[1:]
	if w.record != "" {
		from, first, rest = "unsealed", []string{w.record}, dims
	}
	for _, dim := range rest {
		cond += " AND " + within(dim)
	}
	if len(w.without) > 0 {
		cond += " AND NOT " + within(w.without)
	}
	tail := fmt.Sprintf(" ORDER BY at %[1]s, story %[1]s LIMIT %d", w.direction(), w.limit)
	var parts []string
	for i, s := range first {
		parts = append(parts, fmt.Sprintf("SELECT at, story FROM (SELECT at, story FROM %s a WHERE scope = %s%s%s) AS w%d",
			from, args.add(s), cond, tail, i))
	}
	return "SELECT at, story FROM (" + strings.Join(parts, " UNION ") + ") AS u" + tail, args
}

// reachSQL asks for the time of the first entry that is beyond reach when n
// entries of each scope are looked at; NULL if that is all of them.
func (w window) reachSQL(scopes []string, n int) (string, []any) {
	var args arguments
	cond := w.bounds(&args)
	nearest := "max"
	if w.oldestFirst {
		nearest = "min"
	}
	var parts []string
	for i, s := range scopes {
		parts = append(parts, fmt.Sprintf("SELECT at FROM (SELECT at FROM %s WHERE scope = %s%s ORDER BY at %[4]s, story %[4]s LIMIT 1 OFFSET %[5]d) AS w%[6]d",
			w.table, args.add(s), cond, w.direction(), n, i))
	}
	return "SELECT " + nearest + "(at) FROM (" + strings.Join(parts, " UNION ALL ") + ") AS u", args
}

// narrow prepares a walk that leaves entries out: the dimension whose entries
// reach furthest for the same number of lookups comes first, and the window
// ends where they do. So what it finds has no holes.
func (db *DB) narrow(ctx context.Context, dims [][]string, w window) ([][]string, window, error) {
	total := 0
	for _, dim := range dims {
		total += len(dim)
	}
	first, reach := -1, sql.NullInt64{}
	for i, dim := range dims {
		n := max(maxLookups/max(total-len(dim), 1)/len(dim), 1)
		var at sql.NullInt64
		q, args := w.reachSQL(dim, n)
		if err := db.engine.read.QueryRowContext(ctx, q, args...).Scan(&at); err != nil {
			return nil, w, fmt.Errorf("find the narrowest field: %w", err)
		}
		further := !at.Valid || at.Int64 < reach.Int64 != w.oldestFirst
		if first < 0 || further {
			first, reach = i, at
		}
		if !at.Valid { // all of this field is within reach
			break
		}
	}
	ordered := append([][]string{dims[first]}, dims[:first]...)
	switch {
	case reach.Valid && w.oldestFirst:
		w.until = min(w.until, reach.Int64)
	case reach.Valid:
		w.from = max(w.from, reach.Int64+1)
	}
	return append(ordered, dims[first+1:]...), w, nil
}

// find returns the selection's entries in the window, in its order; record is
// its archive, if what is unsealed of it must be found.
func (db *DB) find(ctx context.Context, sel Selection, w window, record string) ([]place, error) {
	if !sel.sifted() {
		return db.walk(ctx, sel, w)
	}
	found, last, err := db.sift(ctx, sel, w)
	if err != nil || last == 0 || record == "" || len(found) == w.limit {
		return found, err
	}
	w.record, w.until, w.limit = record, last, w.limit-len(found)
	scopes := sel
	scopes.Words = Words{} // which are looked at below
	unsealed, err := db.walk(ctx, scopes, w)
	if err != nil {
		return nil, err
	}
	fit, err := db.fitting(ctx, sel, unsealed)
	return append(found, fit...), err
}

// walk is find by all but what only the text of a story tells. It returns the selection's entries in the window, in its order. It leaves
// out what is quoted from an outlet that no longer lets itself be shown; it was
// listed when that was allowed.
func (db *DB) walk(ctx context.Context, sel Selection, w window) ([]place, error) {
	all, _, err := db.walkFrom(ctx, sel, w)
	return all, err
}

// leftOut are the scopes whose stories no walk of a selection finds.
func (db *DB) leftOut(sel Selection) []string {
	var scopes []string
	for id, o := range *db.outlets.Load() {
		if o.Show == ShowNone {
			scopes = append(scopes, "outlet:"+id)
		}
	}
	scopes = append(scopes, sel.without()...)
	slices.Sort(scopes) // one statement, prepared once
	return scopes
}

// walkFrom is walk that also says from which time on it has looked: later than
// w.from where the window was narrowed.
func (db *DB) walkFrom(ctx context.Context, sel Selection, w window) (all []place, from int64, err error) {
	w.without = db.leftOut(sel)
	if sel.Searched() {
		all, err = db.searchWalk(ctx, sel, w)
		return all, w.from, err
	}
	dims := sel.dimensions()
	if w.record == "" && (len(dims) > 1 || len(w.without) > 0) {
		if dims, w, err = db.narrow(ctx, dims, w); err != nil {
			return nil, 0, err
		}
	}
	q, args := w.sql(dims)
	rows, err := db.engine.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.at, &p.story); err != nil {
			return nil, 0, err
		}
		all = append(all, p)
	}
	return all, w.from, rows.Err()
}
