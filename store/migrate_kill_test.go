package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// migrated is the environment variable with the database that
// TestMigrateElsewhere brings up to date, in a process that may be killed.
const migrated = "DIEMTIN_TEST_MIGRATED"

func TestMigrateElsewhere(t *testing.T) {
	dsn := os.Getenv(migrated)
	if dsn == "" {
		t.Skip("this is the process that TestKilledWhileMigrating kills")
	}
	db, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A migration that is killed at any moment, again and again, leaves in the end
// what one leaves that never was, and until then a database that the next start
// takes further.
func TestKilledWhileMigrating(t *testing.T) {
	t.Parallel()
	rounds := 1
	if n, err := strconv.Atoi(os.Getenv("DIEMTIN_KILL_STEPS")); err == nil {
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r, kills, midway := rand.New(rand.NewPCG(seed, 1)), 0, 0
			fresh := func(name string) string { return "sqlite:" + filepath.Join(t.TempDir(), name+".db") }
			if engine == "postgres" {
				base := testServer(t)
				fresh = func(name string) string { return ownSchema(t, base, fmt.Sprint(name, "_", time.Now().UnixNano())) }
			}
			for range rounds {
				version := 1 + r.IntN(KnownSchema()-1)
				calm, killed := fresh("calm"), fresh("killed")
				oldArchive(t, calm, version)
				oldArchive(t, killed, version)
				began := time.Now()
				migrateElsewhere(t, calm, 0)
				took := time.Since(began)
				for !migrateElsewhere(t, killed, 1+time.Duration(r.Int64N(int64(took)))) {
					kills++
					if at := schemaOf(t, killed); at > version && at < KnownSchema() {
						midway++
					}
					if kills%4 == 0 { // it may never live long enough
						took += took / 4
					}
				}
				if got, want := contents(t, killed), contents(t, calm); got != want {
					t.Errorf("from schema %d, killed:\n%s\nnever killed:\n%s", version, got, want)
				}
			}
			t.Logf("%d kills in %d migrations, %d of them left a schema between", kills, rounds, midway)
		})
	}
}

// migrateElsewhere opens a database in a process of its own and kills it after
// a while; 0 = not. It says whether that process came to its end.
func migrateElsewhere(t *testing.T, dsn string, lives time.Duration) (done bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMigrateElsewhere$")
	cmd.Env = append(os.Environ(), migrated+"="+dsn)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if lives > 0 {
		kill := time.AfterFunc(lives, func() { cmd.Process.Kill() })
		defer kill.Stop()
	}
	err := cmd.Wait()
	if err != nil && cmd.ProcessState.Exited() { // by itself: nobody killed it
		t.Fatalf("open %s: %v\n%s", dsn, err, &said)
	}
	return err == nil
}

// oldArchive makes a database of a former version with some hundred articles.
func oldArchive(t *testing.T, dsn string, version int) {
	t.Helper()
	seen := time.Date(2024, 11, 5, 7, 0, 0, 0, time.UTC)
	oldRows(t, dsn, version, Item{Outlet: "bao", Source: "bao-home", Title: "Cầu treo Nậm Lúc thông xe", Link: "https://bao.example/a", Summary: "Sáng nay.",
		Seen: seen, Topics: []ItemTopic{{Topic: "xa-hoi", Score: 1, Primary: true}}, Aliases: []string{"link:https://bao.example/a"}})
	e, err := openEngine(t.Context(), dsn, false)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	const more = `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO `
	for _, query := range []string{
		more + `items (id, outlet, source, story, title, link, summary, content, authors, image, categories, enclosures, lang, published, published_raw, updated, seen, attribution, province, topics, fingerprint, merge_reason, merge_score, merge_evidence, merge_at)
			SELECT n.i, outlet, source, story || n.i, title || ' ' || n.i, link || n.i, summary, '', '', '', '', '', 'vi', published + n.i, '', 0, seen + n.i, '', '', topics, 0, 'first', 0, '', merge_at FROM n, items WHERE id = 1`,
		more + `stories (id, list_at, hold_until, listed, updated, shown, quoted, original, original_why, topics, province, backfill, copies)
			SELECT id || n.i, list_at, hold_until, listed + n.i, updated + n.i, shown + n.i, n.i, n.i, original_why, topics, '', 0, 1 FROM n, stories WHERE quoted = 1`,
		more + `carriers (item, source) SELECT n.i, source FROM n, carriers WHERE item = 1`,
		more + `by_listed (scope, at, story) SELECT scope, at + n.i, story || n.i FROM n, by_listed`,
		more + `by_published (scope, at, story) SELECT scope, at + n.i, story || n.i FROM n, by_published`,
	} {
		if _, err := e.write.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

func schemaOf(t *testing.T, dsn string) int {
	t.Helper()
	e, err := openEngine(t.Context(), dsn, false)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	n, err := e.schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// contents is all that a database holds, but for what the index of words keeps
// for itself, and what can be found by it.
func contents(t *testing.T, dsn string) string {
	t.Helper()
	db, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if faults, err := db.QuickCheck(t.Context()); err != nil || faults != nil {
		t.Errorf("%s: %v, %v", dsn, faults, err)
	}
	tables := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE 'words%'`
	if db.engine.name == "postgres" {
		tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name NOT LIKE 'words%'`
	}
	var all []string
	for _, table := range listOf(t, db.engine.read, tables) {
		text := `SELECT t.* FROM ` + table + ` t`
		for _, row := range rowsOf(t, db.engine.read, text) {
			all = append(all, table+": "+row)
		}
	}
	slices.Sort(all)
	found, err := db.Stories(t.Context(), Query{Selection: Selection{Words: Words{All: []Term{{"nam", "luc"}}}}, Limit: MaxStories})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n") + fmt.Sprintf("\n%d stories are found", len(found))
}

func listOf(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	for _, row := range rowsOf(t, db, query) {
		all = append(all, strings.Trim(row, "|"))
	}
	return all
}

// rowsOf are the rows of a query as text.
func rowsOf(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, v := range values {
			fmt.Fprintf(&b, "%s|", *v.(*sql.RawBytes))
		}
		all = append(all, b.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
