package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"diemtin/aggregator/outlettest"
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
	paths := []string{"/feed.atom", "/feed.rss", "/feed.json", "/topics/xa-hoi/feed.atom", "/topics/tin-khac/feed.rss", "/outlets/lao-cai/feed.json",
		"/provinces/lao-cai/feed.atom", "/scopes/national/feed.rss", "/days/" + today() + "/feed.atom", "/search/feed.atom?q=x%C3%A3", "/opml", "/sitemap.xml"}
	read := func(dsn string) map[string]string {
		p := serve(t, config, dsn, "--serve")
		defer p.stop(t)
		all := map[string]string{}
		for _, path := range paths {
			resp, text := get(t, p.public+path)
			if resp.StatusCode != 200 {
				t.Fatalf("%s from %s: %s", path, dsn, resp.Status)
			}
			all[path] = resp.Header.Get("ETag") + "\n" + text
		}
		return all
	}
	before := read(from)
	if n := strings.Count(before["/feed.atom"], "<entry>"); n < 10 {
		t.Fatalf("only %d entries to compare", n)
	}
	out, errs, code := output(t, "migrate", "--from", from, "--to", to)
	if code != 0 || !strings.Contains(out, "copied and read back the same") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	after := read(to)
	for _, path := range paths {
		if before[path] != after[path] {
			t.Errorf("%s is not as it was:\n%s\nwas\n%s", path, after[path], before[path])
		}
	}
	if out, errs, code = output(t, "migrate", "--from", from, "--to", to); code != 1 || !strings.Contains(errs, "give an empty one") {
		t.Errorf("a second time: exit %d\n%s%s", code, out, errs)
	}
}

// postgresSchema is the address of a schema of its own.
func postgresSchema(t *testing.T) string {
	t.Helper()
	base := os.Getenv("DIEMTIN_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("DIEMTIN_TEST_POSTGRES is not set; the test command starts a server and sets it")
		}
		t.Skip("no PostgreSQL: DIEMTIN_TEST_POSTGRES is not set")
	}
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
