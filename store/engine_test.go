package store

import (
	"database/sql"
	"testing"
)

// A process that is stopped within a write does not keep the others from
// writing: PostgreSQL ends what is silent for long.
func TestSilentWriteEnds(t *testing.T) {
	t.Parallel()
	base := testServer(t)
	e, err := openEngine(t.Context(), base, false)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	bound := func(q interface {
		QueryRow(query string, args ...any) *sql.Row
	}) string {
		t.Helper()
		var got string
		if err := q.QueryRow(`SHOW idle_in_transaction_session_timeout`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	tx, err := e.beginWrite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := bound(tx); got != writeIdle.String() {
		t.Errorf("a write may be silent for %s, want %s", got, writeIdle)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := bound(e.write); got != "0" {
		t.Errorf("reading may be silent for %s, want any time", got)
	}
}
