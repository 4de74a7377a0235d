package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// postgresServer is where tests may make schemas of their own.
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

// What a database showed in SQLite it shows in PostgreSQL, to the last field,
// and goes on from there; interrupted, moving is done again.
func TestMove(t *testing.T) {
	t.Parallel()
	to := freshSchema(t, postgresServer(t))
	from := "sqlite:" + filepath.Join(t.TempDir(), "from.db")
	db, err := store.Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	sync1(t, db, 3)
	for n := range 120 {
		it := article(fmt.Sprint("o", n%3), fmt.Sprintf("Bản tin số %d ‘%d’", n, n), now.Add(time.Duration(n)*time.Minute))
		it.Form, it.Sketch, it.Province = []byte{1, 0, 0xff, byte(n)}, []uint32{uint32(n), 1 << 31}, "lao-cai"
		record(t, db, fmt.Sprintf("o%d-home", n%3), now.Add(time.Duration(n)*time.Minute), it)
	}
	all := stories(t, db, store.Query{Limit: 200})
	rule := func(r store.Ruling) {
		t.Helper()
		r.Who, r.At = "lan", now.Add(3*time.Hour)
		if _, err := db.Rule(t.Context(), r, sameTitle{}); err != nil {
			t.Fatal(err)
		}
	}
	rule(store.Ruling{Verb: store.RuleMerge, Story: all[0].ID, Other: all[1].ID, Why: "thử"})
	rule(store.Ruling{Verb: store.RuleHide, Story: all[2].ID})
	want := shown(t, db)
	if err := store.Move(t.Context(), from, to, func(store.MovedTable) {}); err == nil {
		t.Error("a database in use was moved")
	}
	db.Close()

	ctx, stop := context.WithCancel(t.Context())
	err = store.Move(ctx, from, to, func(m store.MovedTable) {
		if m.Name == "items" {
			stop() // killed in the middle
		}
	})
	if err == nil {
		t.Fatal("an interrupted move has come to its end")
	}
	moved := map[string]int64{}
	if err := store.Move(t.Context(), from, to, func(m store.MovedTable) { moved[m.Name] = m.Rows }); err != nil {
		t.Fatal(err)
	}
	if moved["items"] != 120 || moved["rulings"] != 2 || moved["forms_0"]+moved["forms_1"] != 120 {
		t.Errorf("moved %v", moved)
	}
	if err := store.Move(t.Context(), from, to, func(store.MovedTable) {}); err == nil || !strings.Contains(err.Error(), "holds 120 items already") {
		t.Errorf("into one that holds news: %v", err)
	}
	there, err := store.Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if got := shown(t, there); !reflect.DeepEqual(got, want) {
		t.Errorf("PostgreSQL shows\n%+v\nSQLite showed\n%+v", got, want)
	}
	again := article("o0", "Bản tin số 0 ‘0’", now)
	if c := record(t, there, "o0-home", now.Add(4*time.Hour), again, article("o0", "Tin sau khi chuyển", now)); c.New != 1 {
		t.Errorf("after the move %d items are new, want 1", c.New)
	}
}

// shown is what readers and editors see of a database.
func shown(t *testing.T, db *store.DB) map[string]any {
	t.Helper()
	window, err := db.Window(t.Context(), store.Query{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	rulings, err := db.Rulings(t.Context(), store.RulingQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	found := stories(t, db, store.Query{Selection: store.Selection{Words: store.Words{All: []store.Term{{"ban", "tin"}}}}, Limit: 200})
	sources, err := db.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(sources, func(a, b store.Source) int { return strings.Compare(a.ID, b.ID) })
	return map[string]any{"window": window, "rulings": rulings, "found": found, "sources": sources}
}
