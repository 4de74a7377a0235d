package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrNotFound is returned when no such story, item, source or outlet is stored.
var ErrNotFound = errors.New("not found")

// Selection says which listed stories a channel holds. The fields are combined
// with AND, the values within one field with OR; the zero Selection holds
// everything. With Words it is answered in the order of listing (see Searched);
// of a selection by language, or by words that must not be there alone, at most
// maxSifted stories are looked at. All of it judges the quoted item, but for the topics, which are
// those of the story: a copy that arrives later may bring it into a feed, where
// it stands at its own place, and never takes it out of one.
type Selection struct {
	Topics    []Topic
	Provinces []string
	Outlets   []string
	Scopes    []Scope
	Day       Day // published (else seen) on that day

	Either     bool     // the four lists above are combined with OR
	Words      Words    // of the headline and summary
	From, To   Day      // of what is Searched: published from then, to then; empty = no such bound
	Languages  []string // of the item: "vi", "" = unknown, the site's
	NotTopics  []Topic  // stories with one of these are left out
	NotOutlets []string // and those that quote one of these
}

// Order is how a query sorts its stories, newest first.
type Order int

const (
	// ByListed is the order of feeds: without backfill.
	ByListed Order = iota
	// ByPublished is the order of pages and day listings: with backfill, by
	// the item's Published, else Seen. A Selection with a Day is always
	// answered in this order.
	ByPublished
)

// Query asks for a window of a selection's stories.
//
// A selection that narrows by two or more fields (a topic in a province) is
// answered from the newest entries of its narrowest field, at most maxLookups
// looked up in the others: where all its fields are wide and hardly ever meet,
// the window ends there although older stories exist. With a Day, which bounds
// the walk by itself, it holds them.
type Query struct {
	Selection
	Order  Order
	Before Cursor // stories after this place in the order; zero = from the newest
	Limit  int    // at most this many; at most MaxStories

	// Since makes a Window by listing hold all that was listed from then on,
	// even if that is more than Limit; zero = no more than Limit.
	Since time.Time
	// Record is the selection's archive, of which a Window since then holds what
	// is not sealed, even if a Selection by language or words would not look that
	// far; empty = no matter.
	Record string
}

// MaxStories bounds the answer to one Query.
const MaxStories = 1000

// Cursor is a place in an order of stories.
type Cursor struct {
	At time.Time // Listed or published time of the last story seen
	ID string    // its id
}

// Revision tells whether what a selection shows may have changed.
type Revision struct {
	N  int64     // grows with each visible change; 0 = nothing was ever listed
	At time.Time // when that change was made, unique to the millisecond
}

// dimensions are the scopes of each field that a selection narrows by; none
// means everything.
func (s Selection) dimensions() [][]string {
	var all [][]string
	add := func(prefix string, n int, id func(int) string) {
		if n == 0 {
			return
		}
		scopes := make([]string, n)
		for i := range n {
			scopes[i] = prefix + id(i)
		}
		all = append(all, scopes)
	}
	// The narrowest first, as a rule: its revision moves least often.
	add("outlet:", len(s.Outlets), func(i int) string { return s.Outlets[i] })
	add("province:", len(s.Provinces), func(i int) string { return s.Provinces[i] })
	add("topic:", len(s.Topics), func(i int) string { return string(s.Topics[i]) })
	add("scope:", len(s.Scopes), func(i int) string { return string(s.Scopes[i]) })
	switch {
	case len(all) == 0:
		all = append(all, []string{"all"})
	case s.Either:
		all = [][]string{slices.Concat(all...)}
	}
	return all
}

// without are the scopes whose stories the selection leaves out.
func (s Selection) without() []string {
	var scopes []string
	for _, t := range s.NotTopics {
		scopes = append(scopes, "topic:"+string(t))
	}
	for _, o := range s.NotOutlets {
		scopes = append(scopes, "outlet:"+o)
	}
	return scopes
}

// Revision returns when what the selection shows last changed.
func (db *DB) Revision(ctx context.Context, sel Selection) (Revision, error) {
	scopes := sel.Reads()
	args := make([]any, len(scopes))
	for i, s := range scopes {
		args[i] = s
	}
	var at int64
	err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce(max(at), 0) FROM revisions WHERE scope IN (`+
		places(1, len(args))+`)`, args...).Scan(&at)
	if err != nil {
		return Revision{}, fmt.Errorf("read revision: %w", err)
	}
	return Revision{N: at, At: fromMillis(at)}, nil
}

// Stories answers a query, newest first.
func (db *DB) Stories(ctx context.Context, q Query) ([]Story, error) {
	w := window{table: "by_listed", until: math.MaxInt64, before: q.Before, limit: min(max(q.Limit, 0), MaxStories)}
	if q.Order == ByPublished || q.Day != "" {
		w.table = "by_published"
	}
	if q.Day != "" {
		w.from, w.until = millis(q.Day.Start()), millis(q.Day.Next().Start())
	}
	if w.limit == 0 {
		return nil, nil
	}
	found, err := db.find(ctx, q.Selection, w, q.Record)
	if err != nil {
		return nil, fmt.Errorf("read stories: %w", err)
	}
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.story
	}
	stories, err := db.loadStories(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read stories: %w", err)
	}
	return stories, nil
}

// Neighbours returns the nearest days before and after day on which the
// selection has stories; empty where there is none.
func (db *DB) Neighbours(ctx context.Context, sel Selection, day Day) (prev, next Day, err error) {
	sel.Day, sel.Words = "", Words{} // a day that the words leave empty is a neighbour too
	before := window{table: "by_published", until: millis(day.Start()), limit: 1}
	after := window{table: "by_published", from: millis(day.Next().Start()), until: math.MaxInt64, oldestFirst: true, limit: 1}
	for _, side := range []struct {
		w    window
		into *Day
	}{{before, &prev}, {after, &next}} {
		found, err := db.walk(ctx, sel, side.w)
		if err != nil {
			return "", "", fmt.Errorf("read neighbouring days: %w", err)
		}
		if len(found) > 0 {
			*side.into = DayOf(fromMillis(found[0].at))
		}
	}
	return prev, next, nil
}

// loadStories returns the listed stories in the order of ids, without those of
// outlets that let nothing be shown.
func (db *DB) loadStories(ctx context.Context, ids []string) ([]Story, error) {
	byID := map[string]Story{}
	for chunk := range slices.Chunk(ids, maxParams) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		rows, err := scanRows(db.engine.read.QueryContext(ctx, `SELECT `+storyColumns+` FROM stories
			WHERE listed > 0 AND withdrawn = 0 AND hidden = 0 AND merged_into = '' AND id IN (`+places(1, len(args))+`)`, args...))
		if err != nil {
			return nil, err
		}
		if err := db.fillStories(ctx, rows, byID); err != nil {
			return nil, err
		}
	}
	all := make([]Story, 0, len(ids))
	for _, id := range ids {
		if s, ok := byID[id]; ok && s.Outlet.Show != ShowNone {
			all = append(all, s)
		}
	}
	return all, nil
}

// fillStories joins rows with their quoted and original items.
func (db *DB) fillStories(ctx context.Context, rows []row, into map[string]Story) error {
	if len(rows) == 0 {
		return nil
	}
	var args []any
	for _, r := range rows {
		args = append(args, r.quoted)
		if r.original != r.quoted {
			args = append(args, r.original)
		}
	}
	items, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items
		WHERE id IN (`+places(1, len(args))+`) AND withdrawn = 0`, args...))
	if err != nil {
		return err
	}
	byID := map[int64]Item{}
	for _, it := range items {
		byID[it.ID] = it.Item
	}
	carriers, err := db.carriers(ctx, rows)
	if err != nil {
		return err
	}
	outlets := *db.outlets.Load()
	for _, r := range rows {
		quoted := byID[r.quoted]
		original, shown := byID[r.original]
		if !shown || outlets[original.Outlet].Show == ShowNone {
			original = quoted
		}
		into[r.id] = Story{ID: r.id, Listed: fromMillis(r.listed), Updated: fromMillis(r.updated), Shown: fromMillis(r.shown),
			Quoted: quoted, Original: original, Why: r.why, Outlet: outlets[quoted.Outlet],
			Topics: r.topics, Province: r.province, Backfill: r.backfill != 0, Carriers: max(1, carriers[r.id])}
	}
	return nil
}

// carriers counts, by story, the outlets that carry it and let themselves be
// shown; stories of a single item are left out.
func (db *DB) carriers(ctx context.Context, rows []row) (map[string]int, error) {
	var args []any
	for _, r := range rows {
		if r.copies > 1 {
			args = append(args, r.id)
		}
	}
	if len(args) == 0 {
		return nil, nil
	}
	found, err := db.engine.read.QueryContext(ctx, `SELECT DISTINCT story, outlet FROM items
		WHERE story IN (`+places(1, len(args))+`) AND withdrawn = 0`, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	outlets := *db.outlets.Load()
	n := map[string]int{}
	for found.Next() {
		var story, outlet string
		if err := found.Scan(&story, &outlet); err != nil {
			return nil, err
		}
		if outlets[outlet].Show != ShowNone {
			n[story]++
		}
	}
	return n, found.Err()
}

// Story returns the listed story with that id, or the one it was merged into,
// whose ID then differs; ErrWithdrawn if its outlet removed it or a ruling hides
// it; else ErrNotFound.
func (db *DB) Story(ctx context.Context, id string) (Story, error) {
	for range maxRedirects {
		var into string
		var gone bool
		var reduced int64
		err := db.engine.read.QueryRowContext(ctx, `SELECT merged_into, merged_into = '' AND withdrawn + hidden > 0,
			coalesce((SELECT i.reduced FROM items i WHERE i.id = s.quoted), 0) FROM stories s WHERE s.id = $1`, id).Scan(&into, &gone, &reduced)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return Story{}, fmt.Errorf("read story %s: %w", id, err)
		}
		if gone {
			return Story{}, fmt.Errorf("story %s: %w", id, ErrWithdrawn)
		}
		if into == "" {
			found, err := db.loadStories(ctx, []string{id})
			if err != nil {
				return Story{}, fmt.Errorf("read story %s: %w", id, err)
			}
			if len(found) == 0 {
				break
			}
			found[0].Reduced = reduced > 0
			return found[0], nil
		}
		id = into
	}
	return Story{}, fmt.Errorf("story %s: %w", id, ErrNotFound)
}

// maxRedirects bounds a chain of merged stories.
const maxRedirects = 64

// MaxCopies bounds the answer of Copies.
const MaxCopies = 1000

// Copies returns the items of a story that are not withdrawn, with the reason why each belongs to it,
// oldest first: the first MaxCopies that were stored.
func (db *DB) Copies(ctx context.Context, id string) ([]Copy, error) {
	rows, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items
		WHERE story = $1 AND withdrawn = 0 ORDER BY id LIMIT $2`, id, MaxCopies))
	if err != nil {
		return nil, fmt.Errorf("read copies of %s: %w", id, err)
	}
	outlets := *db.outlets.Load()
	copies := make([]Copy, len(rows))
	for i, it := range rows {
		copies[i] = Copy{Item: it.Item, Outlet: outlets[it.Outlet], Merge: it.merge}
	}
	slices.SortStableFunc(copies, func(a, b Copy) int {
		return cmp.Or(a.Item.Time().Compare(b.Item.Time()), cmp.Compare(a.Item.ID, b.Item.ID))
	})
	return copies, nil
}
