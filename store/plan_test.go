package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// listener hands out connections that write down the text of every statement
// that they run.
type listener struct {
	dsn    string
	driver driver.Driver
	mu     sync.Mutex
	heard  map[string]bool
}

func (l *listener) Connect(context.Context) (driver.Conn, error) {
	c, err := l.driver.Open(l.dsn)
	return heardConn{c, l}, err
}

func (l *listener) Driver() driver.Driver { return l.driver }

// heardConn has no shortcut past Prepare, so every statement goes through it.
type heardConn struct {
	driver.Conn
	l *listener
}

func (c heardConn) Prepare(query string) (driver.Stmt, error) {
	c.l.mu.Lock()
	c.l.heard[query] = true
	c.l.mu.Unlock()
	return c.Conn.Prepare(query)
}

// listen makes every pool of an engine write down what it runs.
func listen(e *engine, path string) *listener {
	l := &listener{dsn: sqliteURI(path, nil) + "?_txlock=immediate", driver: e.read.Driver(), heard: map[string]bool{}}
	e.read.Close()
	e.write.Close()
	e.read, e.write = sql.OpenDB(l), sql.OpenDB(l)
	e.write.SetMaxOpenConns(1)
	return l
}

// small are the tables whose size has nothing to do with that of the archive.
var small = []string{"sources", "push_subscriptions", "hub_subscriptions", "hub_requests", "hub_outbox", "hub_canary", "outlets", "archive_channels", "meta", "sqlite_master"}

// scan is how a query plan calls the walk over a whole table, by its name or
// by its alias in the statement.
var scan = regexp.MustCompile(`\bSCAN (\w+)`)

// scans are the tables that a plan walks whole. Rows that the statement itself
// bounds (sub-selects, named u and w, w0, w1, …; constants) are not tables.
func scans(t *testing.T, db *sql.DB, query string) (whole []string, plan string) {
	t.Helper()
	args := make([]any, len(regexp.MustCompile(`\$\d+`).FindAllString(query, -1)))
	for i := range args {
		args[i] = int64(1)
	}
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("explain %s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail + "\n"
		if m := scan.FindStringSubmatch(detail); m != nil && !asked.MatchString(detail) && !slices.Contains(small, m[1]) && !bounded.MatchString(m[1]) {
			whole = append(whole, m[1])
		}
	}
	return whole, plan
}

// asked is how a plan calls a question to the index of words, or to one row of it.
var asked = regexp.MustCompile(`VIRTUAL TABLE INDEX \d+:\S`)

// bounded are the names of sub-selects that end in LIMIT, and of constant rows
// ("SCAN 2 CONSTANT ROWS", "SCAN CONSTANT ROW").
var bounded = regexp.MustCompile(`^(u|w\d*|k?\d+|CONSTANT)$`)

type firstNear struct{}

func (firstNear) Reused(string, string, *Item) bool { return false }
func (firstNear) Match(_ *Item, near []*Item) (int, Merge) {
	return min(len(near), 1) - 1, Merge{Reason: "text"}
}
func (firstNear) Adapt(*Item, Corpus) {}
func (firstNear) Related(_ *Item, near []*Item, _ Corpus) (all []Relation) {
	for i := range near {
		all = append(all, Relation{Near: i, Score: float64(i) / 20, Why: "near"})
	}
	return all
}
func (firstNear) Original(items []Item, _ map[string]Outlet) (int, string) {
	return len(items) - 1, "last"
}

// Every statement of every method, run once and explained: none may walk a
// table that grows with the archive.
func TestNoStatementScansTheArchive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "plan.db")
	e, err := openEngine(t.Context(), "sqlite:"+path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := listen(e, path)
	db := &DB{engine: e, writer: startWriter(e)}
	t.Cleanup(func() { db.Close() })
	useEverything(t, db)
	useRetention(t, db)
	if err := db.enterAllWords(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	heard := l.heard
	l.heard = map[string]bool{} // explaining is not counted
	l.mu.Unlock()
	if len(heard) < 40 {
		t.Errorf("only %d statements were heard", len(heard))
	}
	for query := range heard {
		first, _, _ := strings.Cut(query, " ")
		switch {
		case !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE"}, first):
		case regexp.MustCompile(`^DELETE FROM (sketches|forms|counts)_.$`).MatchString(query): // once a week, see turnSketches
		default:
			if whole, plan := scans(t, e.read, query); len(whole) > 0 {
				t.Errorf("walks all of %v:\n%s\n%s", whole, query, plan)
			}
		}
	}
}

// useEverything runs every statement of the store at least once.
func useEverything(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	outlets := []Outlet{{ID: "a", Scope: National}, {ID: "b", Scope: Provincial, Delay: time.Hour}, {ID: "hidden", Show: ShowNone}}
	must(db.Sync(ctx, outlets, []Source{{ID: "a1", Outlet: "a"}, {ID: "b1", Outlet: "b"}}))
	channel := ArchiveChannel{"c", Selection{Words: Words{All: []Term{{"1"}}}, NotOutlets: []string{"b"}}}
	must(db.SyncArchives(ctx, []ArchiveChannel{channel}))
	item := func(outlet, title string, print uint64) Item {
		return Item{Title: title, Link: "http://" + outlet + "/" + title, Province: "hung-yen", Fingerprint: print, Sketch: []uint32{1, 2},
			Topics: []ItemTopic{{Topic: "x", Primary: true}, {Topic: "y"}}, Aliases: []string{"guid:" + title, "link:http://" + outlet + "/" + title}}
	}
	visit := func(source, outlet string, at time.Time, items ...Item) {
		t.Helper()
		_, err := db.Record(ctx, Refresh{Source: Source{ID: source, Outlet: outlet}, At: at, Items: items, Hold: time.Second,
			Settle: func(Changes) SourceState { return SourceState{} }}, firstNear{})
		must(err)
	}
	for _, n := range []int{1, 3, 40} { // each length of an IN list
		for i := range n {
			visit("a1", "a", at, item("a", fmt.Sprint(n, "-", i), 1))
		}
	}
	visit("a1", "a", at, item("a", "1-0", 2))
	_, err := db.List(ctx, at.Add(time.Hour), 1, firstNear{})
	must(err)
	must(db.Unhold(ctx, true))
	for more := true; more; {
		listed, err := db.List(ctx, at.Add(2*time.Hour), 10, firstNear{})
		must(err)
		more = len(listed) > 0
	}
	readArticles(t, db, at)
	visit("b1", "b", at.Add(3*time.Hour), item("b", "copy", 1))
	visit("a1", "a", at.Add(3*time.Hour), item("a", "1-0", 3))
	_, err = db.Due(ctx, Claim{Now: at, Limit: 2})
	must(err)
	_, _, err = db.NextDue(ctx)
	must(err)
	must(db.Release(ctx, "me"))
	for _, sel := range selections() {
		for _, q := range []Query{{}, {Order: ByPublished}, {Before: Cursor{At: at.Add(24 * time.Hour), ID: "z"}}} {
			q.Selection, q.Limit = sel, 50
			_, err = db.Stories(ctx, q)
			must(err)
			_, err = db.Page(ctx, q)
			must(err)
		}
		_, err = db.Window(ctx, Query{Selection: sel, Limit: 50, Since: at})
		must(err)
		_, err = db.Revision(ctx, sel)
		must(err)
		_, _, err = db.Neighbours(ctx, sel, "2024-11-05")
		must(err)
		_, _, err = db.DayCounts(ctx, sel, "2024-11-01", "2024-11-30")
		must(err)
	}
	channel.Words.All[0] = Term{"3"}
	must(db.SyncArchives(ctx, []ArchiveChannel{channel, {"d", Selection{Topics: []Topic{"x"}, Words: Words{Not: []Term{{"z"}}}}}}))
	all, err := db.Stories(ctx, Query{Limit: 1})
	if err != nil || len(all) == 0 {
		t.Fatalf("nothing was listed, %v", err)
	}
	_, err = db.LastChange(ctx)
	must(err)
	for _, after := range []Cursor{{}, {At: at, ID: "z"}} {
		_, err = db.Changes(ctx, after, 10)
		must(err)
	}
	must(db.noteOutlets(ctx, []string{"a"}))
	_, err = db.PollNow(ctx, "lan", "a1", "", at)
	must(err)
	must(db.CheckSoon(ctx, "a", []string{"guid:1-0"}, []string{"guid:3-0"}, at))
	checks, err := db.Checks(ctx, at.Add(24*time.Hour), time.Minute, 10)
	if err != nil || len(checks) == 0 {
		t.Fatalf("nothing to check, %v", err)
	}
	for _, taken := range []bool{false, true} {
		for gone := range 2 {
			for _, verdict := range []Verdict{Removed, Unclear, Alive} {
				c := checks[0]
				c.Gone, c.Taken = gone, taken
				_, _, err = db.Checked(ctx, c, verdict, at, firstNear{})
				must(err)
			}
		}
	}
	_, err = db.Sibling(ctx, checks[0])
	must(err)
	_, err = db.Story(ctx, all[0].ID)
	must(err)
	_, err = db.Copies(ctx, all[0].ID)
	must(err)
	_, err = db.Item(ctx, all[0].Quoted.ID)
	must(err)
	_, err = db.StoryOfLink(ctx, all[0].Quoted.Link)
	must(err)
	_, err = db.Leading(ctx, at.Add(-time.Hour), 10)
	must(err)
	_, err = db.CountsOn(ctx, "2024-11-05", []Selection{{}, {Provinces: []string{"hung-yen"}}})
	must(err)
	_, err = db.DayRevisions(ctx, "2024-11-01", "2024-11-30")
	must(err)
	_, err = db.Provenance(ctx, "a")
	must(err)
	_, err = db.Sources(ctx)
	must(err)
	for _, st := range []SourceState{{Fails: problemFails, Outcome: Timeout}, {Outcome: New}} {
		_, err := db.Record(ctx, Refresh{Source: Source{ID: "a1", Outlet: "a", State: SourceState{Outcome: Timeout}}, At: at,
			Settle: func(Changes) SourceState { return st }}, firstNear{})
		must(err)
	}
	_, err = db.Problems(ctx, 10)
	must(err)
	_, err = db.Source(ctx, "a1")
	must(err)
	_, err = db.Outlets(ctx)
	must(err)
	must(db.Ping(ctx))
}

// useRetention runs every statement of retention; no scope has so many stories
// that one of them would go by itself.
func useRetention(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	at := time.Date(2026, 11, 5, 14, 15, 0, 0, Zone)
	rule := Retention{RetentionRule: RetentionRule{Age: time.Hour, Items: 10}, Outlets: map[string]RetentionRule{"b": {Items: 1}}}
	if plan, err := db.PlanRetention(ctx, rule, at); err != nil || len(plan) == 0 {
		t.Fatalf("plan %v, %v", plan, err)
	}
	run, err := db.BeginRetention(ctx, rule, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := run.Step(ctx, at); err != nil {
		t.Fatal(err)
	}
	old, err := db.agedAfter(ctx, 0, millis(at), 3)
	if err != nil || len(old) == 0 {
		t.Fatalf("%d old stories, %v", len(old), err)
	}
	var done Reduction
	if err := db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`DELETE FROM unsealed WHERE story = $1`, old[0].id); err != nil {
			return err
		}
		for whole := false; !whole; {
			w := thinning{tx: t, now: millis(at)}
			var err error
			if whole, err = w.reduce(&old[0]); err != nil {
				return err
			}
			if err := w.rewrite(); err != nil {
				return err
			}
			done = done.plus(w.done)
		}
		return t.saveRetention(1, 1, at)
	}); err != nil || done.Stories != 1 {
		t.Fatalf("reduced %+v, %v", done, err)
	}
	if err := run.End(ctx, at); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Retained(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.GiveBack(ctx); err != nil {
		t.Fatal(err)
	}
	if err := db.WriteLogBack(ctx); err != nil {
		t.Fatal(err)
	}
}

// readArticles runs every statement about the pages of items.
func readArticles(t *testing.T, db *DB, at time.Time) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at = at.Add(30 * time.Minute)
	visit := func(source, outlet, title string, page *Article, when ReadWhen) {
		t.Helper()
		it := Item{Title: title, Link: "http://" + outlet + "/" + title, Fingerprint: 1, Sketch: []uint32{9}, Aliases: []string{"link:http://" + outlet + "/" + title}, Page: page}
		_, err := db.Record(ctx, Refresh{Source: Source{ID: source, Outlet: outlet, State: SourceState{Visited: true}}, At: at, Items: []Item{it}, Hold: time.Minute,
			Reading: Reading{When: when, Hold: time.Minute}, Settle: func(Changes) SourceState { return SourceState{} }}, apartJudge{})
		must(err)
	}
	page := func() *Article {
		return &Article{Text: "text", TextHash: 5, Sketch: []uint32{9}, Attribution: Attribution{Text: "x"}}
	}
	visit("a1", "a", "p1", page(), ReadAlways)
	visit("a1", "a", "p2", nil, ReadWhenNear)
	visit("a1", "a", "p3", nil, ReadAlways)
	visit("b1", "b", "p4", nil, ReadAlways)
	visit("a1", "a", "p5", nil, ReadAlways)
	again := Item{Title: "p3", Link: "http://a/p3", Fingerprint: 2, Sketch: []uint32{9}, Aliases: []string{"link:http://a/p3"}, Page: page()}
	_, err := db.Record(ctx, Refresh{Source: Source{ID: "a1", Outlet: "a"}, At: at, Items: []Item{again}, Settle: func(Changes) SourceState { return SourceState{} }}, firstNear{})
	must(err)
	for _, busy := range [][]string{nil, {"b"}} {
		due, err := db.DueArticles(ctx, ArticleClaim{Now: at, Lease: time.Minute, By: "me", Limit: 2, PerOutlet: 1, Busy: busy})
		must(err)
		for i, d := range due {
			v := ArticleVisit{Item: d.Item.ID, By: "me", At: at, Article: page()}
			if i > 0 {
				v.Article = nil
			}
			_, _, err = db.RecordArticle(ctx, v, firstNear{})
			must(err)
		}
	}
	must(db.GiveBackArticles(ctx, "me", []int64{1, 2}))
	_, err = db.ArticleQueue(ctx)
	must(err)
	_, err = db.SourceArticles(ctx, "a1")
	must(err)
	_, err = db.StoryArticles(ctx, "x")
	must(err)
	_, err = db.DropTexts(ctx, at.Add(time.Hour), 10)
	must(err)
}

// apartJudge is one that takes no two items for the same.
type apartJudge struct{ firstNear }

func (apartJudge) Match(*Item, []*Item) (int, Merge) { return -1, Merge{} }

// selections are the shapes that channels have.
func selections() []Selection {
	topics := func(n int) (all []Topic) {
		for i := range n {
			all = append(all, Topic(string(rune('x'-i))))
		}
		return all
	}
	return []Selection{{}, {Topics: topics(1)}, {Topics: topics(3)}, {Topics: topics(23)}, {Provinces: []string{"hung-yen"}},
		{Outlets: []string{"a"}}, {Scopes: []Scope{National}}, {Day: "2024-11-05"}, {Topics: topics(1), Day: "2024-11-05"},
		{Topics: topics(1), Provinces: []string{"hung-yen"}}, {Topics: topics(23), Provinces: []string{"hung-yen", "ha-noi"}, Scopes: Scopes},
		{Topics: topics(2), Outlets: []string{"a"}, Day: "2024-11-05"},
		{Either: true, Topics: topics(2), Provinces: []string{"hung-yen"}, Outlets: []string{"a"}, NotTopics: topics(1), NotOutlets: []string{"b"}},
		{Words: Words{All: []Term{{"x"}}, Not: []Term{{"z"}}}}, {Words: Words{Any: []Term{{"x"}, {"y", "z"}}}, Topics: topics(1), NotOutlets: []string{"b"}},
		{Words: Words{All: []Term{{"x"}}}, From: "2024-11-01", To: "2024-11-03"},
		{Words: Words{Not: []Term{{"x"}}}, Topics: topics(1)}, {Languages: []string{"vi"}}}
}
