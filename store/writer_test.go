package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func openTest(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// together hands over all writes as one batch: a first write holds the writer
// until the others wait. It returns their errors in order.
func together(t *testing.T, db *DB, writes ...func(*tx) error) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := db.do(context.Background(), 1, func(*tx) error { close(held); <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-held
	errs := make([]error, len(writes))
	for i, w := range writes {
		before := len(db.writer.queue)
		all.Go(func() { errs[i] = db.do(context.Background(), 1, w) })
		for len(db.writer.queue) == before { // so they stand in order
			runtime.Gosched()
		}
	}
	close(release)
	all.Wait()
	return errs
}

func note(name string, value int64) func(*tx) error {
	return func(t *tx) error {
		t.scopes["scope:"+name] = true
		t.tick(value)
		return t.exec(`INSERT INTO meta (name, value) VALUES ($1, $2)`, name, value)
	}
}

// notes are the names that note left, with the scopes whose revision rose.
func notes(t *testing.T, db *DB) string {
	t.Helper()
	rows, err := db.engine.read.Query(`SELECT name FROM meta WHERE name LIKE 'n_' UNION ALL SELECT scope FROM revisions ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// One failing write among several takes nothing of the others with it, and
// leaves nothing of itself: no row, no revision, no tick of the clock.
func TestFailingWriteAmongSeveral(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	fault := errors.New("fault")
	errs := together(t, db, note("n1", 10),
		func(t *tx) error { return errors.Join(note("n2", 99)(t), fault) },
		func(t *tx) error { note("n3", 98)(t); panic("fault") },
		note("n4", 11))
	if errs[0] != nil || !errors.Is(errs[1], fault) || errs[2] == nil || errs[3] != nil {
		t.Errorf("errors %v", errs)
	}
	if got := notes(t, db); got != "n1 n4 scope:n1 scope:n4" {
		t.Errorf("stored %q", got)
	}
	var clock int64
	if err := db.engine.read.QueryRow(`SELECT value FROM meta WHERE name = 'clock'`).Scan(&clock); err != nil || clock != 11 {
		t.Errorf("clock %d, %v, want 11", clock, err)
	}
}

// A COMMIT that fails answers every write of the batch with its error, stores
// none of them, and leaves the connection fit for the next.
func TestFailingCommit(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	for _, stmt := range []string{`PRAGMA foreign_keys = 1`, `CREATE TABLE parent (id INTEGER PRIMARY KEY)`,
		`CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`} {
		if _, err := db.engine.write.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	orphan := func(t *tx) error { return t.exec(`INSERT INTO child (parent) VALUES (1)`) }
	for round := range 2 {
		for i, err := range together(t, db, note("n1", 10), orphan, note("n2", 11)) {
			if err == nil || !strings.Contains(err.Error(), "commit") {
				t.Errorf("round %d, write %d: %v, want the commit's error", round, i, err)
			}
		}
		if err := db.do(t.Context(), 1, orphan); err == nil {
			t.Errorf("round %d: a lone orphan was stored", round)
		}
	}
	if err := db.do(t.Context(), 1, note("n3", 12)); err != nil {
		t.Errorf("after the failures: %v", err)
	}
	if got := notes(t, db); got != "n3 scope:n3" {
		t.Errorf("stored %q", got)
	}
}

// Close answers every write that waits, and refuses those that come after.
func TestCloseWhileWritesWait(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		db.do(context.Background(), 1, func(*tx) error { close(held); <-release; return nil })
	})
	<-held
	const waiting = queueLength + 20 // the last ones wait for the queue itself
	errs := make([]error, waiting)
	for i := range waiting {
		all.Go(func() { errs[i] = db.do(context.Background(), 1, note(fmt.Sprintf("w%d", i), 1)) })
	}
	for len(db.writer.queue) < queueLength {
		runtime.Gosched()
	}
	givenUp, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.do(givenUp, 1, note("w", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up got %v", err)
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	close(release)
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	all.Wait() // nobody waits for ever
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, errClosed):
			t.Errorf("a waiting write got %v", err)
		}
	}
	if done < queueLength {
		t.Errorf("%d writes were stored, want all %d that were in the queue", done, queueLength)
	}
	if err := db.do(t.Context(), 1, note("late", 1)); !errors.Is(err, errClosed) {
		t.Errorf("a write after Close got %v", err)
	}
}

// Another program that holds the lock of the file is counted once the writer
// has waited a second, and the write is made when it lets go.
func TestBusyIsCounted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.db")
	db, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := sql.Open("sqlite", sqliteURI(path, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := db.Busy(); got != 0 {
		t.Errorf("busy %d times before any write", got)
	}
	done := make(chan error, 1)
	go func() { done <- db.do(t.Context(), 1, note("n1", 1)) }()
	for db.Busy() == 0 {
		select {
		case err := <-done:
			t.Fatalf("the write ended while another program held the lock: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("write after the lock: %v", err)
	}
	if got := db.Busy(); got != 1 {
		t.Errorf("busy %d times, want once", got)
	}
}
