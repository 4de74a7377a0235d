package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// One process learns, at most once in a span and only from enough new items;
// the others read what it stored.
func TestOpinion(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		claim := func(at time.Time) bool {
			t.Helper()
			ok, err := db.ClaimOpinion(t.Context(), at, time.Hour, 3)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		more := func(from int) {
			for i := range 3 {
				record(t, db, "o0-home", now.Add(time.Duration(from+i)*time.Second), article("o0", fmt.Sprintf("Bài %d", from+i), now))
			}
		}
		if claim(now) {
			t.Error("claimed without items")
		}
		more(0)
		if !claim(now) || claim(now.Add(time.Minute)) {
			t.Error("want one claim within the hour")
		}
		if _, _, err := db.Opinion(t.Context(), time.Time{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an opinion that nobody has learned: %v", err)
		}
		if err := db.SaveOpinion(t.Context(), []byte{1, 0, 2}, now); err != nil {
			t.Fatal(err)
		}
		if claim(now.Add(2 * time.Hour)) {
			t.Error("claimed without new items")
		}
		more(3)
		if claim(now.Add(30*time.Minute)) || !claim(now.Add(2*time.Hour)) {
			t.Error("want a claim after an hour, and none before")
		}
		model, at, err := db.Opinion(t.Context(), time.Time{})
		if err != nil || string(model) != "\x01\x00\x02" || !at.Equal(now) {
			t.Errorf("got %v of %v, %v", model, at, err)
		}
		if _, _, err := db.Opinion(t.Context(), now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nothing newer is there: %v", err)
		}
		if err := db.SaveOpinion(t.Context(), nil, now.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if model, _, err := db.Opinion(t.Context(), now); err != nil || len(model) != 0 {
			t.Errorf("one that was given up: %v, %v", model, err)
		}
	})
}

// The second opinion on a copy gives a story nothing that has topics already.
func TestOpinionOfCopy(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Một bài", now))
		copied := article("o1", "Một bài", now)
		copied.Topics = []store.ItemTopic{primary(tp("the-thao", "opinion"))}
		record(t, db, "o1-home", now.Add(time.Hour), copied)
		if got := feedOf(t, db, inTopic("the-thao")); got != "" {
			t.Errorf("the topic has %q", got)
		}
	})
}

// A database of before gets the listings of what has no topic.
func TestOtherNewsMigrated(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "old.db")
	open := opener(t, dsn)
	db := open()
	sync1(t, db, 1)
	bare := article("o0", "Con vẹt", now)
	bare.Topics = nil
	record(t, db, "o0-home", now, bare, article("o0", "Bài khác", now))
	want := revision(t, db, store.NoTopic)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, scopes := range []string{"by_listed", "by_published", "revisions"} {
		if _, err := raw.Exec(`DELETE FROM ` + scopes + ` WHERE scope = 'topic:'`); err != nil {
			t.Fatal(err)
		}
	}
	undoMigrations(t, raw, 13)
	raw.Close()
	db = open()
	for _, order := range []store.Order{store.ByListed, store.ByPublished} {
		q := inTopic(store.NoTopic)
		q.Order, q.Limit = order, 10
		got, err := db.Stories(t.Context(), q)
		if err != nil || len(got) != 1 || got[0].Quoted.Title != "Con vẹt" {
			t.Errorf("order %v: %d stories, %v", order, len(got), err)
		}
	}
	if n := revision(t, db, store.NoTopic); n < want {
		t.Errorf("revision %d, before %d", n, want)
	}
}

// undoMigrations takes a database back to a former schema, as far as what came
// since only adds.
func undoMigrations(t *testing.T, raw *sql.DB, version int) {
	t.Helper()
	names, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	do := func(q string) {
		if _, err := raw.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, name := range slices.Backward(names) {
		var n int
		if fmt.Sscanf(filepath.Base(name), "%04d", &n); n <= version {
			break
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, undo := range []struct{ added, taken string }{
			{`(?m)^CREATE (?:UNIQUE )?INDEX (\w+)`, "DROP INDEX $1"},
			{`(?m)^CREATE (?:\{\{\w+\}\})?TABLE (\w+)`, "DROP TABLE $1"},
			{`(?m)^ALTER TABLE (\w+) ADD COLUMN (\w+)`, "ALTER TABLE $1 DROP COLUMN $2"},
		} {
			form := regexp.MustCompile(undo.added)
			for _, m := range form.FindAllString(string(text), -1) {
				do(form.ReplaceAllString(m, undo.taken))
			}
		}
	}
	do(fmt.Sprintf(`UPDATE meta SET value = %d WHERE name = 'schema'`, version))
}
