package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A database of every earlier version is migrated, and what it held is there:
// an article is known again by its address, its story is listed once, found and
// searched for, and goes on.
func TestMigrateFromEverySchema(t *testing.T) {
	t.Parallel()
	for version := 1; version < KnownSchema(); version++ {
		t.Run(fmt.Sprint("sqlite/", version), func(t *testing.T) {
			t.Parallel()
			upgrade(t, "sqlite:"+filepath.Join(t.TempDir(), "old.db"), version)
		})
		t.Run(fmt.Sprint("postgres/", version), func(t *testing.T) {
			t.Parallel()
			base := testServer(t)
			upgrade(t, ownSchema(t, base, fmt.Sprint("old", version, "_", time.Now().UnixNano())), version)
		})
	}
}

// testServer is the PostgreSQL that the test command starts.
func testServer(t *testing.T) string {
	t.Helper()
	base := os.Getenv("DIEMTIN_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("DIEMTIN_TEST_POSTGRES is not set; the test command starts a server and sets it")
		}
		t.Skip("no PostgreSQL: DIEMTIN_TEST_POSTGRES is not set")
	}
	return base
}

// ownSchema makes a schema of PostgreSQL that goes with the test.
func ownSchema(t *testing.T, base, name string) string {
	t.Helper()
	e, err := openPostgres(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.write.ExecContext(t.Context(), `CREATE SCHEMA `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.write.ExecContext(context.Background(), `DROP SCHEMA `+name+` CASCADE`); err != nil {
			t.Error(err)
		}
		e.close()
	})
	join := "?"
	if strings.Contains(base, "?") {
		join = "&"
	}
	return base + join + "search_path=" + name
}

// one is a judge for whom every item is news.
type one struct{}

func (one) Reused(string, string, *Item) bool                { return false }
func (one) Adapt(*Item, Corpus)                              {}
func (one) Match(*Item, []*Item) (int, Merge)                { return -1, Merge{Reason: "first"} }
func (one) Related(*Item, []*Item, Corpus) []Relation        { return nil }
func (one) Original([]Item, map[string]Outlet) (int, string) { return 0, "the first" }

func upgrade(t *testing.T, dsn string, version int) {
	ctx := t.Context()
	seen := time.Date(2024, 11, 5, 7, 0, 0, 0, time.UTC)
	outlets := []Outlet{{ID: "bao", Name: "Báo Mẫu", Scope: National, Show: ShowSummary}}
	sources := []Source{{ID: "bao-home", Outlet: "bao", Kind: "feed", URL: "https://bao.example/rss"}}
	article := Item{Outlet: "bao", Source: "bao-home", Title: "Cầu treo Nậm Lúc thông xe", Link: "https://bao.example/a", Summary: "Sáng nay.",
		Seen: seen, Published: seen, Lang: "vi", Topics: []ItemTopic{{Topic: "xa-hoi", Score: 1, Primary: true}}, Aliases: []string{"link:https://bao.example/a"}}
	id := oldRows(t, dsn, version, article)

	db, err := Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Sync(ctx, outlets, sources); err != nil {
		t.Fatal(err)
	}
	later := article
	later.Seen, later.Title, later.Fingerprint = seen.Add(time.Hour), "Cầu treo Nậm Lúc đã thông xe", 1
	news := article
	news.Title, news.Link, news.Aliases = "Tin sau khi nâng cấp", "https://bao.example/b", []string{"link:https://bao.example/b"}
	src, err := db.Source(ctx, "bao-home")
	if err != nil {
		t.Fatal(err)
	}
	src.State.Visited = true
	c, err := db.Record(ctx, Refresh{Source: src, At: seen.Add(time.Hour), Items: []Item{later, news},
		Settle: func(Changes) SourceState { return src.State }}, one{})
	if err != nil {
		t.Fatal(err)
	}
	if c.New != 1 || c.Changed != 1 {
		t.Errorf("after the upgrade: %d new, %d changed, want 1 and 1: the old article has to be known again", c.New, c.Changed)
	}
	all, err := db.Stories(ctx, Query{Limit: 10})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d stories listed, %v; want 2", len(all), err)
	}
	if all[1].ID != id || all[1].Quoted.Title != later.Title || !all[1].Listed.Equal(seen) {
		t.Errorf("the old story is %s, %q, listed %v; want %s, %q, %v", all[1].ID, all[1].Quoted.Title, all[1].Listed, id, later.Title, seen)
	}
	found, err := db.Stories(ctx, Query{Selection: Selection{Words: Words{All: []Term{{"nam", "luc"}}}}, Limit: 10})
	if err != nil || len(found) != 1 {
		t.Errorf("searched for: %d stories, %v; want the old one", len(found), err)
	}
	if version >= partnersSchema && version < ledgerSchema { // oldRows has partners' rows of these
		enteredPartners(t, db, id)
	}
}

// partnersSchema is the first with partner_hidden, ledgerSchema that which
// enters it into the ledger.
const partnersSchema, ledgerSchema = 17, 20

// enteredPartners looks for what a partner hid before the ledger had it.
func enteredPartners(t *testing.T, db *DB, story string) {
	t.Helper()
	all, err := db.Rulings(t.Context(), RulingQuery{Humans: true, Limit: 10})
	if err != nil || len(all) != 3 {
		t.Fatalf("the ledger has %+v, %v; want two hides and a restore", all, err)
	}
	was, again, now := all[2], all[1], all[0]
	if was.Verb != RulePartnerHide || was.Partner != "cong" || was.Story != story || was.Why != "trùng" || was.Who != "lan" || was.Undone != again.ID {
		t.Errorf("the first hide stands as %+v", was)
	}
	if again.Verb != RuleRestore || again.Who != "minh" || again.Undoes != was.ID || !again.At.Equal(was.At.Add(time.Minute)) {
		t.Errorf("the showing stands as %+v", again)
	}
	if now.Verb != RulePartnerHide || now.Undone != 0 || len(now.Items) > 0 {
		t.Errorf("the hide that holds stands as %+v", now)
	}
	if hides, err := db.PartnerHides(t.Context(), "cong"); err != nil || len(hides) != 2 || hides[0].Ruling != now.ID || hides[1].Ruling != was.ID {
		t.Errorf("hides %+v, %v", hides, err)
	}
}

// oldRows makes a database as the program of a former version left it: one
// article, its story listed. It returns the story's id.
func oldRows(t *testing.T, dsn string, version int, it Item) string {
	t.Helper()
	ctx := t.Context()
	e, err := openEngine(ctx, dsn, false)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if err := e.migrateTo(ctx, version); err != nil {
		t.Fatal(err)
	}
	id, at := storyID(it.Outlet, it.Aliases[0]), millis(it.Seen)
	topics := encoded(it.Topics)
	for _, q := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO items (id, outlet, source, story, title, link, summary, content, authors, image, categories, enclosures, lang, published, published_raw, updated, seen, attribution, province, topics, fingerprint, merge_reason, merge_score, merge_evidence, merge_at)
			VALUES (1, $1, $2, $3, $4, $5, $6, '', '', '', '', '', 'vi', $7, '', 0, $7, '', '', $8, 0, 'first', 0, '', $7)`, []any{it.Outlet, it.Source, id, it.Title, it.Link, it.Summary, at, topics}},
		{`INSERT INTO aliases (hash, item) VALUES ($1, 1)`, []any{aliasHash(it.Outlet, it.Aliases[0])}},
		{`INSERT INTO carriers (item, source) VALUES (1, $1)`, []any{it.Source}},
		{`INSERT INTO stories (id, list_at, hold_until, listed, updated, shown, quoted, original, original_why, topics, province, backfill, copies)
			VALUES ($1, $2, $2, $2, $2, $2, 1, 1, 'first', $3, '', 0, 1)`, []any{id, at, encoded([]Topic{"xa-hoi"})}},
		{`INSERT INTO meta (name, value) VALUES ('clock', $1), ('next_item', 2)`, []any{at}},
	} {
		if _, err := e.write.ExecContext(ctx, q.text, q.args...); err != nil {
			t.Fatalf("%s: %v", q.text, err)
		}
	}
	if version >= partnersSchema && version < ledgerSchema {
		if _, err := e.write.ExecContext(ctx, `INSERT INTO partner_hidden (partner, story, at, who, why, until, until_who) VALUES
			('cong', $1, 60000, 'lan', 'trùng', 120000, 'minh'), ('cong', $1, 180000, 'lan', '', 0, '')`, id); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"by_listed", "by_published"} {
		for _, scope := range []string{"all", "outlet:bao", "scope:national", "topic:xa-hoi", "day:2024-11-05"} {
			if _, err := e.write.ExecContext(ctx, `INSERT INTO `+table+` (scope, at, story) VALUES ($1, $2, $3)`, scope, at, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	return id
}
