package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

// An editor's rulings survive the return to a backup that was made before them.
func TestRestoreKeepsRulings(t *testing.T) {
	t.Parallel()
	one, two, config := pressRoom(t)
	dir := t.TempDir()
	file, path, copied := config("feed.rss"), filepath.Join(dir, "tin.db"), filepath.Join(dir, "copy.db")
	one.tell(told{"1", "https://baomot.example/a", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", wire},
		told{"2", "https://baomot.example/b", "Giá vàng miếng tăng phiên thứ ba liên tiếp", "Giá vàng miếng sáng nay tăng thêm 400.000 đồng mỗi lượng."})
	two.tell()
	edit(t, file, func(s string) string {
		return s + "partners:\n  - {id: cong, name: Cổng, key: " + syndicate.HashToken("dt_x") + "}\n"
	})
	verb := func(want int, args ...string) (string, string) {
		t.Helper()
		out, errs, code := run2(t, command(t, append(args, "--config", file, "--db", "sqlite:"+path)...))
		if code != want {
			t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, out, errs)
		}
		return out, errs
	}
	verb(0, "poll")
	out, _ := verb(0, "story", "--json", "--who", "lan", "hide", "https://baomot.example/a", "--why", "nhầm")
	var hidden store.Ruling
	if err := json.Unmarshal([]byte(out), &hidden); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := run2(t, command(t, "backup", "--db", "sqlite:"+path, copied)); code != 0 {
		t.Fatal(errs)
	}
	one.tell(told{"3", "https://baomot.example/c", "Vải thiều Lục Ngạn vào vụ thu hoạch", "Nhà vườn Lục Ngạn bắt đầu hái vải từ sáng nay."})
	verb(0, "poll")
	verb(0, "story", "--who", "lan", "restore", hidden.Story)
	verb(0, "story", "--who", "minh", "takedown", "https://baomot.example/b", "--why", "theo yêu cầu")
	verb(0, "story", "--who", "minh", "hide", "https://baomot.example/c")
	verb(0, "partner", "issue", "cong", "--who", "lan")
	verb(0, "partner", "hide", "cong", "https://baomot.example/a", "--who", "partner cong", "--why", "trùng")
	verb(0, "partner", "revoke", "cong", "--who", "lan")
	ledger, _ := verb(0, "rulings", "--json")

	out, errs := verb(0, "restore", copied)
	if !strings.Contains(out, "2 items") || !strings.Contains(out, "4 of 6 rulings made again") || !strings.Contains(errs, "not made again") {
		t.Errorf("restore says\n%s%s", out, errs)
	}
	verb(0, "poll") // brings back the third article
	name := filepath.Join(dir, "ledger.json")
	if err := os.WriteFile(name, []byte(ledger), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = verb(0, "rulings", "replay", name)
	if !strings.Contains(out, "1 of 7 rulings made again, 5 stood already") {
		t.Errorf("replay says\n%s", out)
	}
	out, _ = verb(0, "rulings", "--json")
	var all []store.Ruling
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, r := range slices.Backward(all) {
		got = append(got, fmt.Sprint(r.Who, " ", r.Verb, " ", r.Undone > 0))
	}
	want := []string{"lan hide true", "lan restore false", "minh takedown false", "partner cong partner-hide false", "lan revoke false", "minh hide false"}
	if !slices.Equal(got, want) {
		t.Errorf("the ledger is %q, want %q", got, want)
	}
	if !strings.Contains(all[3].Why, "theo yêu cầu (minh, ") {
		t.Errorf("why of the takedown: %q", all[3].Why)
	}
}

// Before a migration the database is copied, and the line that is printed goes
// back to it.
func TestUpgradeCanGoBack(t *testing.T) {
	t.Parallel()
	one, two, config := pressRoom(t)
	file, path := config("feed.rss"), filepath.Join(t.TempDir(), "tin của báo.db")
	one.tell(told{"1", "https://baomot.example/a", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", wire})
	two.tell()
	poll := func() string {
		t.Helper()
		_, errs, code := run2(t, command(t, "poll", "--config", file, "--db", "sqlite:"+path))
		if code != 0 {
			t.Fatal(errs)
		}
		return errs
	}
	if errs := poll(); strings.Contains(errs, "go back") {
		t.Errorf("a new database is copied: %s", errs)
	}
	have, former := downgrade(t, path)
	before := dump(t, path)
	errs := poll()
	line := regexp.MustCompile(`(?m)^  (rm -f .*)$`).FindStringSubmatch(errs)
	if line == nil || !strings.Contains(errs, fmt.Sprintf("the schema goes from %d to %d", former, have)) {
		t.Fatalf("the upgrade says\n%s", errs)
	}
	if now, _, err := store.Schema(t.Context(), "sqlite:"+path); now != have || err != nil {
		t.Fatalf("schema %d after the upgrade, %v; want %d", now, err, have)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", line[1]).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line[1], err, out)
	}
	if now, _, err := store.Schema(t.Context(), "sqlite:"+path); now != former || err != nil {
		t.Errorf("schema %d after going back, %v; want %d", now, err, former)
	}
	if after := dump(t, path); after != before {
		t.Errorf("going back changed what the database holds:\n%s\nwas\n%s", after, before)
	}
}

// downgrade undoes the newest migration, as far as it only adds.
func downgrade(t *testing.T, path string) (have, former int) {
	t.Helper()
	names, err := filepath.Glob("../../store/migrations/*.sql")
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	text, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscanf(filepath.Base(names[len(names)-1]), "%04d", &have)
	fmt.Sscanf(filepath.Base(names[len(names)-2]), "%04d", &former)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do := func(q string, args ...any) {
		if _, err := db.ExecContext(t.Context(), q, args...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^CREATE (?:UNIQUE )?INDEX (\w+)`).FindAllStringSubmatch(string(text), -1) {
		do("DROP INDEX " + m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllStringSubmatch(string(text), -1) {
		do("DROP TABLE " + m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^ALTER TABLE (\w+) ADD COLUMN (\w+)`).FindAllStringSubmatch(string(text), -1) {
		do("ALTER TABLE " + m[1] + " DROP COLUMN " + m[2])
	}
	do(`UPDATE meta SET value = $1 WHERE name = 'schema'`, former)
	return have, former
}

// dump is what a database holds of news.
func dump(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all []string
	for _, q := range []string{`SELECT name || '=' || value FROM meta ORDER BY name`, `SELECT id || title || link FROM items ORDER BY id`, `SELECT id || listed || updated FROM stories ORDER BY id`} {
		rows, err := db.QueryContext(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		if err := errorsOf(rows); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(all, "\n")
}

func errorsOf(rows *sql.Rows) error {
	defer rows.Close()
	return rows.Err()
}

// A running service makes copies when they are due, and keeps so many.
func TestScheduledBackups(t *testing.T) {
	t.Parallel()
	dir, folder := t.TempDir(), t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "tin.db")
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"khac.db", "tin-cu.db", ".tin-20241101T000000Z.db.123"} { // not ours, not ours, and what a kill left
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reg := prometheus.NewRegistry()
	b, err := newBackups(backupConfig{Dir: folder, Every: aggregator.Duration(time.Hour), Keep: 2}, dsn, newLogger(stdio{os.Stderr, os.Stderr}, false), reg)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 11, 5, 7, 0, 0, 0, time.UTC)
	for range 3 {
		if next := b.again(t.Context(), at); !next.Equal(at.Add(time.Hour)) {
			t.Errorf("the copy of %v is followed by one at %v", at, next)
		}
		at = at.Add(time.Hour)
	}
	names := func() (all []string) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	if want := []string{"khac.db", "tin-20241105T080000Z.db", "tin-20241105T090000Z.db", "tin-cu.db"}; !slices.Equal(names(), want) {
		t.Errorf("in the folder %q, want %q", names(), want)
	}
	if next := b.again(t.Context(), at.Add(-time.Hour)); !next.Equal(at.Add(-50 * time.Minute)) { // its name is taken
		t.Errorf("after a failure, next at %v, want within ten minutes", next)
	}
	again, err := newBackups(backupConfig{Dir: folder, Every: aggregator.Duration(time.Hour), Keep: 2}, dsn, newLogger(stdio{os.Stderr, os.Stderr}, false), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if _, newest := again.existing(); !newest.Equal(at.Add(-time.Hour)) {
		t.Errorf("after a restart the newest is of %v", newest)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { again.run(ctx); close(ran) }() // the newest is of 2024: one is due
	eventually(t, "the copy that is due after a restart", func() bool {
		return slices.ContainsFunc(names(), func(s string) bool { return strings.HasPrefix(s, "tin-"+time.Now().UTC().Format("2006")) })
	})
	stop()
	<-ran
	for _, bad := range []struct {
		cfg  backupConfig
		dsn  string
		want string
	}{
		{backupConfig{Dir: filepath.Join(folder, "fehlt")}, dsn, "is not a folder"},
		{backupConfig{Dir: folder}, "postgres://news@127.0.0.1/news", "pg_dump"},
	} {
		if _, err := newBackups(bad.cfg, bad.dsn, b.log, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%+v: %v, want %q", bad.cfg, err, bad.want)
		}
	}
}
