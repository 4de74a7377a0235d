package store_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"diemtin/store"
)

// The invariants of a store, each a query that counts what breaks it.
var halfDone = map[string]string{
	"item without alias":          `SELECT count(*) FROM items WHERE id NOT IN (SELECT item FROM aliases)`,
	"item without carrier":        `SELECT count(*) FROM items WHERE id NOT IN (SELECT item FROM carriers)`,
	"item without story":          `SELECT count(*) FROM items WHERE story NOT IN (SELECT id FROM stories)`,
	"item without sketch":         `SELECT count(*) FROM items WHERE id NOT IN (SELECT item FROM sketches_0 UNION SELECT item FROM sketches_1)`,
	"alias without item":          `SELECT count(*) FROM aliases WHERE item NOT IN (SELECT id FROM items)`,
	"story with another count":    `SELECT count(*) FROM stories s WHERE copies <> (SELECT count(*) FROM items WHERE story = s.id)`,
	"listed, not by publication":  `SELECT count(*) FROM stories WHERE listed > 0 AND id NOT IN (SELECT story FROM by_published WHERE scope = 'all')`,
	"listed, not by listing":      `SELECT count(*) FROM stories WHERE listed > 0 AND backfill = 0 AND id NOT IN (SELECT story FROM by_listed WHERE scope = 'all')`,
	"entry without listed story":  `SELECT count(*) FROM by_published WHERE story NOT IN (SELECT id FROM stories WHERE listed > 0)`,
	"quoted item that is missing": `SELECT count(*) FROM stories WHERE listed > 0 AND quoted NOT IN (SELECT id FROM items)`,
	"refresh in part":             `SELECT count(*) FROM (SELECT seen FROM items GROUP BY seen HAVING count(*) <> 5)`,
	"refresh without its state":   `SELECT (SELECT max(seen) FROM items) <> (SELECT max(last_try) FROM sources)`,
	"clock behind":                `SELECT count(*) FROM stories WHERE listed > (SELECT value FROM meta WHERE name = 'clock')`,
	"item id given twice":         `SELECT (SELECT max(id) FROM items) >= (SELECT value FROM meta WHERE name = 'next_item')`,
}

// killed is what a killed process leaves on the disk: the two files as they
// stood at one moment.
type killed struct{ db, wal []byte }

func snapshot(t *testing.T, path string) killed {
	t.Helper()
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return killed{db, wal}
}

// check opens what is left and says how many items it holds.
func (k killed) check(t *testing.T, what string) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "left.db")
	for name, content := range map[string][]byte{path: k.db, path + "-wal": k.wal} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer db.Close()
	plain, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	var verdict string
	if err := plain.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("%s: integrity check says %q, %v", what, verdict, err)
	}
	for fault, query := range halfDone {
		var n sql.NullInt64
		if err := plain.QueryRow(query).Scan(&n); err != nil || n.Int64 != 0 {
			t.Errorf("%s: %s: %d, %v", what, fault, n.Int64, err)
		}
	}
	var items int
	if err := plain.QueryRow(`SELECT count(*) FROM items`).Scan(&items); err != nil {
		t.Fatal(err)
	}
	return items
}

// visitOf is the n-th visit of the crash tests: five items, every third visit
// a copy of the one before.
func visitOf(t *testing.T, db *store.DB, n int) store.Refresh {
	o, at := fmt.Sprintf("o%d", n%3), now.Add(time.Duration(n)*time.Minute)
	var items []store.Item
	for i := range 5 {
		text := n
		if n%3 == 2 {
			text--
		}
		items = append(items, article(o, fmt.Sprintf("Bài %d của lần %d", i, text), at))
	}
	return refresh(t, db, o+"-home", at, items...)
}

func openFile(t *testing.T) (db *store.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "live.db")
	db = opener(t, "sqlite:"+path)()
	sync1(t, db, 3)
	return db, path
}

// The log is only appended to until it is first written back, so each of its
// beginnings is what a process killed at that byte leaves.
func TestKilledWhileWritingTheLog(t *testing.T) {
	t.Parallel()
	db, path := openFile(t)
	before := snapshot(t, path)
	for n := range 30 {
		if _, err := db.Record(t.Context(), visitOf(t, db, n), sameTitle{}); err != nil {
			t.Fatal(err)
		}
	}
	whole := snapshot(t, path)
	if !bytes.Equal(before.db, whole.db) || !bytes.HasPrefix(whole.wal, before.wal) {
		t.Fatal("the log was written back: its beginnings prove nothing")
	}
	if got := whole.check(t, "whole log"); got != 150 {
		t.Errorf("the whole log holds %d items, want 150", got)
	}
	r := rand.New(rand.NewPCG(5, 11))
	last := 0
	seen := map[int]bool{}
	for cut := len(before.wal); cut < len(whole.wal); cut += 1 + r.IntN(len(whole.wal)/25) {
		items := killed{whole.db, whole.wal[:cut]}.check(t, fmt.Sprintf("log of %d bytes", cut))
		if items < last {
			t.Errorf("a log of %d bytes holds %d items, a shorter one held %d", cut, items, last)
		}
		last, seen[items] = items, true
	}
	if len(seen) < 10 {
		t.Errorf("the cuts showed only %d states", len(seen))
	}
}

// freezing is a judge that takes a snapshot in the middle of a transaction,
// when it is asked about one of the items: nothing is written meanwhile.
type freezing struct {
	sameTitle
	item int
	take func()
}

func (f *freezing) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	if f.item--; f.item == 0 {
		f.take()
	}
	return f.sameTitle.Match(it, near)
}

// A process killed in a transaction leaves the visits before it and nothing of
// its own, also once the log has been written back and begun anew.
func TestKilledInATransaction(t *testing.T) {
	t.Parallel()
	db, path := openFile(t)
	r := rand.New(rand.NewPCG(5, 12))
	visits, wrapped := 400, false
	if testing.Short() {
		visits = 40
	}
	initial := snapshot(t, path)
	for n := range visits {
		judge := &freezing{}
		var left killed
		if r.IntN(visits/20) == 0 {
			judge.item = 1 + r.IntN(5)
			judge.take = func() { left = snapshot(t, path) }
		}
		if _, err := db.Record(t.Context(), visitOf(t, db, n), judge); err != nil {
			t.Fatal(err)
		}
		if left.db == nil {
			continue
		}
		wrapped = wrapped || !bytes.Equal(left.db, initial.db)
		if got := left.check(t, fmt.Sprintf("in visit %d", n)); got != 5*n {
			t.Errorf("killed in visit %d: %d items left, want %d", n, got, 5*n)
		}
	}
	if !testing.Short() && !wrapped {
		t.Error("the log was never written back")
	}
}
