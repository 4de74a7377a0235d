package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"diemtin/store"
)

// A database of the first release gets the column for what was learned, and
// keeps its sources.
func TestMigrateToLearned(t *testing.T) {
	t.Parallel()
	migrate := func(t *testing.T, driver, dsn, raw string) {
		db := opener(t, dsn)()
		sync1(t, db, 2)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		old, err := sql.Open(driver, raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, stmt := range []string{`ALTER TABLE sources DROP COLUMN learned`, `UPDATE meta SET value = 1 WHERE name = 'schema'`} {
			if _, err := old.Exec(stmt); err != nil {
				t.Fatal(err)
			}
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		db = opener(t, dsn)()
		r := refresh(t, db, "o1-home", now)
		settle := r.Settle
		r.Settle = func(c store.Changes) store.SourceState {
			st := settle(c)
			st.Learned = `{"until":1730790900000}`
			return st
		}
		if _, err := db.Record(t.Context(), r, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"o0-home": "", "o1-home": `{"until":1730790900000}`} {
			if s, err := db.Source(t.Context(), id); err != nil || s.State.Learned != want {
				t.Errorf("%s learned %q (%v), want %q", id, s.State.Learned, err, want)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "test.db")
		migrate(t, "sqlite", "sqlite:"+file, file)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		base := os.Getenv("DIEMTIN_TEST_POSTGRES")
		if base == "" {
			t.Skip("no PostgreSQL: DIEMTIN_TEST_POSTGRES is not set")
		}
		dsn := freshSchema(t, base)
		migrate(t, "pgx", dsn, dsn)
	})
}
