package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// Readers notice nothing of the move to PostgreSQL: every feed has the same
// bytes and the same tag.
func TestMigrateToPostgres(t *testing.T) {
	t.Parallel()
	to := postgresSchema(t)
	_, config := world(t, outlettest.Options{Seed: 11, Stories: 60, Days: 2})
	from := "sqlite:" + filepath.Join(t.TempDir(), "m.db")
	p := serve(t, config, from)
	p.swept(t)
	p.stop(t)
	before := readChannels(t, config, from)
	if n := strings.Count(before["/feed.atom"], "<entry>"); n < 10 {
		t.Fatalf("only %d entries to compare", n)
	}
	out, errs, code := output(t, "migrate", "--from", from, "--to", to)
	if code != 0 || !strings.Contains(out, "copied and read back the same") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	after := readChannels(t, config, to)
	sameChannels(t, after, before)
	if out, errs, code = output(t, "migrate", "--from", from, "--to", to); code != 1 || !strings.Contains(errs, "give an empty one") {
		t.Errorf("a second time: exit %d\n%s%s", code, out, errs)
	}
}

// Readers notice nothing of an upgrade from the schema whose texts were plain.
func TestUpgradeKeepsEveryByte(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 12, Stories: 20, Days: 1})
	path := filepath.Join(t.TempDir(), "u.db")
	p := serve(t, config, "sqlite:"+path)
	p.swept(t)
	p.stop(t)
	before := readChannels(t, config, "sqlite:"+path)
	if n := unpackItems(t, path); n < 20 {
		t.Fatalf("only %d items to upgrade", n)
	}
	upgraded, err := store.Open(t.Context(), "sqlite:"+path) // serve would say first how to go back
	if err == nil {
		err = upgraded.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	sameChannels(t, readChannels(t, config, "sqlite:"+path), before)
	if n := sqliteCount(t, path, `SELECT count(*) FROM items WHERE typeof(title) <> 'blob' OR typeof(summary) <> 'blob' OR typeof(content) <> 'blob' OR typeof(topics) <> 'blob'`); n > 0 {
		t.Errorf("%d items are not packed", n)
	}
	if n := sqliteCount(t, path, `SELECT count(*) FROM sqlite_master WHERE name IN ('items_story', 'items_check')`); n != 2 {
		t.Errorf("%d of 2 indexes are left", n)
	}
}

// unpackItems makes a database what it was before migration 23, and returns
// how many items it has.
func unpackItems(t *testing.T, path string) int {
	t.Helper()
	db, err := store.OpenReadOnly(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	items, err := db.ItemsBack(t.Context(), 0, time.Time{}, 1000)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	do := func(query string, args ...any) {
		if _, err := raw.Exec(query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	for _, it := range items {
		topics, err := json.Marshal(it.Topics)
		if err != nil {
			t.Fatal(err)
		}
		do(`UPDATE items SET title = $1, summary = $2, content = $3, topics = $4 WHERE id = $5`, it.Title, it.Summary, it.Content, string(topics), it.ID)
	}
	do(`UPDATE items SET categories = 'null' WHERE categories = ''`)
	do(`UPDATE meta SET value = 22 WHERE name = 'schema'`)
	return len(items)
}

// readChannels is what a server gives of some channels, with the tags.
func readChannels(t *testing.T, config, dsn string) map[string]string {
	t.Helper()
	p := serve(t, config, dsn, "--serve")
	defer p.stop(t)
	all := map[string]string{}
	for _, path := range []string{"/feed.atom", "/feed.rss", "/feed.json", "/topics/xa-hoi/feed.atom", "/topics/tin-khac/feed.rss", "/outlets/lao-cai/feed.json",
		"/provinces/lao-cai/feed.atom", "/scopes/national/feed.rss", "/days/" + today() + "/feed.atom", "/search/feed.atom?q=x%C3%A3", "/opml", "/sitemap.xml", "/api/v1/stories"} {
		resp, text := get(t, p.public+path)
		if resp.StatusCode != 200 {
			t.Fatalf("%s from %s: %s", path, dsn, resp.Status)
		}
		all[path] = resp.Header.Get("ETag") + "\n" + text
	}
	return all
}

func sameChannels(t *testing.T, got, want map[string]string) {
	t.Helper()
	for path := range want {
		if got[path] != want[path] {
			t.Errorf("%s is not as it was:\n%s\nwas\n%s", path, got[path], want[path])
		}
	}
}

// postgresServer is where tests may make databases and schemas of their own.
func postgresServer(t *testing.T) string {
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

// postgresSchema is the address of a schema of its own.
func postgresSchema(t *testing.T) string {
	t.Helper()
	base := postgresServer(t)
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("move_%d", time.Now().UnixNano())
	if _, err := db.ExecContext(t.Context(), `CREATE SCHEMA `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), `DROP SCHEMA `+name+` CASCADE`); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}
