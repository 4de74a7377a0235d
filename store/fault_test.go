package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// smallDisk is a file system of so many bytes that goes with the test.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "diemtin-test", dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// many is a visit that brings so many articles.
func many(t *testing.T, db *store.DB, n, visit int) store.Refresh {
	var items []store.Item
	at := now.Add(time.Duration(visit) * time.Minute)
	for i := range n {
		it := article("o0", fmt.Sprintf("Bài %d của lần %d", i, visit), at)
		it.Summary = strings.Repeat("Một câu dài để đầy đĩa. ", 40)
		items = append(items, it)
	}
	return refresh(t, db, "o0-home", at, items...)
}

// fillDisk stores visits until there is no room, and says how many were stored.
func fillDisk(t *testing.T, db *store.DB) (stored int) {
	t.Helper()
	for n := range 2000 {
		if _, err := db.Record(t.Context(), many(t, db, 20, n), sameTitle{}); err != nil {
			if !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "I/O") {
				t.Errorf("a full disk is called %q", err)
			}
			return n
		}
	}
	t.Fatal("the disk was never full")
	return 0
}

// held says how many items a database holds, and fails if it is damaged.
func held(t *testing.T, db *store.DB) int {
	t.Helper()
	if faults, err := db.QuickCheck(t.Context()); err != nil || faults != nil {
		t.Errorf("damage: %v, %v", faults, err)
	}
	n := 0
	for q := (store.Query{Order: store.ByPublished, Limit: store.MaxStories}); ; {
		page := stories(t, db, q)
		n += len(page)
		if len(page) < q.Limit {
			return n
		}
		last := page[len(page)-1]
		q.Before = store.Cursor{At: last.Shown, ID: last.ID}
	}
}

// On a full disk a visit fails as a whole and is told so, readers get what is
// stored, and when there is room again it goes on, without a restart.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 12<<20)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 6<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db := opener(t, "sqlite:"+filepath.Join(dir, "tin.db"))()
	defer db.Close() // before the disk goes
	sync1(t, db, 1)
	n := fillDisk(t, db)
	if n == 0 {
		t.Fatal("nothing was stored before the disk was full")
	}
	if got := held(t, db); got != 20*n {
		t.Errorf("%d items on the full disk, want %d", got, 20*n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Record(t.Context(), many(t, db, 20, n), sameTitle{}); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if got := held(t, db); got != 20*(n+1) {
		t.Errorf("%d items with room again, want %d", got, 20*(n+1))
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	again := opener(t, "sqlite:"+filepath.Join(dir, "tin.db"))()
	defer again.Close()
	if got := held(t, again); got != 20*(n+1) {
		t.Errorf("%d items after a restart, want %d", got, 20*(n+1))
	}
}

// A disk that is mounted for reading is named at the start, and loses nothing.
func TestDiskReadOnly(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 12<<20)
	dsn := "sqlite:" + filepath.Join(dir, "tin.db")
	db := opener(t, dsn)()
	sync1(t, db, 1)
	if _, err := db.Record(t.Context(), many(t, db, 20, 0), sameTitle{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	remount := func(how string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,"+how, dir).CombinedOutput(); err != nil {
			t.Skipf("remount: %v %s", err, out)
		}
	}
	remount("ro")
	if _, err := store.Open(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "read-only") || !strings.Contains(err.Error(), "tin.db") {
		t.Errorf("on a read-only disk: %v", err)
	}
	remount("rw")
	again := opener(t, dsn)()
	defer again.Close()
	if got := held(t, again); got != 20 {
		t.Errorf("%d items when it can be written again, want 20", got)
	}
}

// A clock that jumps back and forth loses no item and lists no story before one
// that readers have seen: times of listing only grow.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		jumps := []time.Duration{0, time.Hour, -300 * time.Hour, -time.Hour, 20_000 * time.Hour, time.Minute, 0}
		var order []string
		for n, jump := range jumps {
			title := fmt.Sprintf("Tin thứ %d", n)
			order = append([]string{title}, order...)
			record(t, db, "o0-home", now.Add(jump), article("o0", title, now))
			if n == 3 {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				db = open()
			}
		}
		all := stories(t, db, store.Query{})
		if len(all) != len(jumps) {
			t.Fatalf("%d stories, want %d", len(all), len(jumps))
		}
		for i, s := range all {
			if s.Quoted.Title != order[i] || i > 0 && !s.Listed.Before(all[i-1].Listed) {
				t.Errorf("place %d has %q of %v, want %q", i, s.Quoted.Title, s.Listed, order[i])
			}
		}
	})
}

// Flipped bytes in any page are found by looking through the file, and never
// written further.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tin.db")
	db := opener(t, "sqlite:"+path)()
	sync1(t, db, 1)
	for n := range 10 {
		if _, err := db.Record(t.Context(), many(t, db, 20, n), sameTitle{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 8192
	found := 0
	for at := page; at < len(whole); at += max(page, len(whole)/12/page*page) {
		bad := append([]byte(nil), whole...)
		for i := range 64 { // the head of a page, which says where its rows are
			bad[at+i] ^= 0xa5
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		reader, err := store.OpenReadOnly(t.Context(), "sqlite:"+path)
		if err != nil {
			found++
			continue
		}
		if faults, err := reader.QuickCheck(t.Context()); err != nil || faults != nil {
			found++
		} else {
			t.Errorf("bytes flipped at %d: nothing is said", at)
		}
		reader.Close()
	}
	if found < 5 {
		t.Errorf("only %d damages were tried", found)
	}
}
