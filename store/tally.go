package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// maxDayCounts bounds the days of one count: the weeks that a month touches,
// and a month beside it.
const maxDayCounts = 70

// dayMillis is a day in milliseconds; Việt Nam has no summer time.
const dayMillis = 24 * 60 * 60 * 1000

// DayCounts counts the stories of a selection that were published on each day
// from first to last; days without any are left out. What words and languages
// select cannot be counted: for that counted is false. It reads an index entry
// a story, and one more for each further kind of scope.
func (db *DB) DayCounts(ctx context.Context, sel Selection, first, last Day) (counts map[Day]int, counted bool, err error) {
	if sel.Words.asked() || len(sel.Languages) > 0 {
		return nil, false, nil
	}
	from, until := millis(first.Start()), millis(last.Next().Start())
	if until-from > maxDayCounts*dayMillis {
		return nil, false, fmt.Errorf("count days from %s to %s: at most %d", first, last, maxDayCounts)
	}
	q, args := db.dayCountsSQL(sel.dimensions(), sel.without(), first, last)
	rows, err := db.engine.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, false, fmt.Errorf("count days: %w", err)
	}
	defer rows.Close()
	counts = map[Day]int{}
	for rows.Next() {
		var day int64
		var n int
		if err := rows.Scan(&day, &n); err != nil {
			return nil, false, fmt.Errorf("count days: %w", err)
		}
		if n > 0 {
			counts[DayOf(fromMillis(from+day*dayMillis))] = n
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("count days: %w", err)
	}
	return counts, true, nil
}

// dayCountsSQL counts each day by a walk of its own: grouped in one, SQLite sorts
// the entries, which costs four times as much.
func (db *DB) dayCountsSQL(dims [][]string, without []string, first, last Day) (string, []any) {
	var args arguments
	scopes := args.list(dims[0])
	cond := db.notHidden(&args, without)
	for _, dim := range dims[1:] {
		cond += " AND EXISTS (SELECT 1 FROM by_published x WHERE x.scope IN (" + args.list(dim) + ") AND x.at = a.at AND x.story = a.story)"
	}
	what := "count(*)"
	if len(dims[0]) > 1 { // a story may stand in several
		what = "count(DISTINCT story)"
	}
	from, until := millis(first.Start()), millis(last.Next().Start())
	var days []string
	for day := int64(0); from+day*dayMillis < until; day++ {
		days = append(days, fmt.Sprintf("SELECT %d AS day, %s AS n FROM by_published a WHERE scope IN (%s) AND at >= %s AND at < %s%s",
			day, what, scopes, args.add(from+day*dayMillis), args.add(from+(day+1)*dayMillis), cond))
	}
	return strings.Join(days, " UNION ALL "), args
}

// notHidden leaves out, of a walk over by_published as a, what is quoted from
// outlets that let nothing be shown, and what stands in other scopes.
func (db *DB) notHidden(args *arguments, without []string) string {
	for id, o := range *db.outlets.Load() {
		if o.Show == ShowNone {
			without = append(without, "outlet:"+id)
		}
	}
	if len(without) == 0 {
		return ""
	}
	slices.Sort(without)
	return " AND NOT EXISTS (SELECT 1 FROM by_published x WHERE x.scope IN (" + args.list(without) + ") AND x.at = a.at AND x.story = a.story)"
}

// DayRevisions returns the revisions of the days from first to last that have
// ever had a story: what was counted of a day holds as long as its revision.
func (db *DB) DayRevisions(ctx context.Context, first, last Day) (map[Day]Revision, error) {
	var args arguments
	var days []string
	for d := first; d <= last && len(days) < maxDayCounts; d = d.Next() {
		days = append(days, dayScope(d))
	}
	rows, err := db.engine.read.QueryContext(ctx, `SELECT scope, at FROM revisions WHERE scope IN (`+args.list(days)+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read revisions of days: %w", err)
	}
	defer rows.Close()
	all := map[Day]Revision{}
	for rows.Next() {
		var scope string
		var at int64
		if err := rows.Scan(&scope, &at); err != nil {
			return nil, fmt.Errorf("read revisions of days: %w", err)
		}
		all[Day(strings.TrimPrefix(scope, dayScope("")))] = Revision{N: at, At: fromMillis(at)}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read revisions of days: %w", err)
	}
	return all, nil
}

// CountsOn counts the stories of a day in each of several selections of one
// scope, or of several of one kind of which a story has one (a province and
// those that went into it). It reads an index entry a story.
func (db *DB) CountsOn(ctx context.Context, day Day, sels []Selection) ([]int, error) {
	var scopes []string
	for _, sel := range sels {
		scopes = append(scopes, sel.dimensions()[0]...)
	}
	slices.Sort(scopes)
	of := map[string]int{}
	for chunk := range slices.Chunk(slices.Compact(scopes), maxParams) {
		if err := db.countScopes(ctx, day, chunk, of); err != nil {
			return nil, fmt.Errorf("count a day by scope: %w", err)
		}
	}
	counts := make([]int, len(sels))
	for i, sel := range sels {
		for _, scope := range sel.dimensions()[0] {
			counts[i] += of[scope]
		}
	}
	return counts, nil
}

// countScopes counts the stories of a day in each of some scopes.
func (db *DB) countScopes(ctx context.Context, day Day, scopes []string, into map[string]int) error {
	var args arguments
	cond := "scope IN (" + args.list(scopes) + ") AND at >= " + args.add(millis(day.Start())) + " AND at < " + args.add(millis(day.Next().Start())) + db.notHidden(&args, nil)
	rows, err := db.engine.read.QueryContext(ctx, `SELECT scope, count(*) FROM by_published a WHERE `+cond+` GROUP BY scope`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var scope string
		var n int
		if err := rows.Scan(&scope, &n); err != nil {
			return err
		}
		into[scope] = n
	}
	return rows.Err()
}

// texts reads rows of one text.
func texts(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
