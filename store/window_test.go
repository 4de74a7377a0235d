package store

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// meeting is a bare by_listed in which topic:x and province:y have an entry at
// each of the times 1 … n, of the same story where met says; topic:rare holds
// every thousandth of topic:x.
func meeting(t *testing.T, n int, met func(at int) bool) *DB {
	t.Helper()
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "w.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.do(t.Context(), 1, func(t *tx) error {
		for at := 1; at <= n; at++ {
			story := fmt.Sprintf("s%d", at)
			entries := map[string]string{"topic:x": story, "province:y": "other"}
			if met(at) {
				entries["province:y"] = story
			}
			if at%1000 == 0 {
				entries["topic:rare"] = story
			}
			for scope, story := range entries {
				if err := t.exec(`INSERT INTO by_listed (scope, at, story) VALUES ($1, $2, $3)`, scope, at, story); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return db
}

// An intersection finds what its fields share within reach, from either end
// and behind a cursor, without holes; a narrow field is searched to its end.
func TestIntersectionsAreBounded(t *testing.T) {
	t.Parallel()
	const n = maxLookups + 5000
	db := meeting(t, n, func(at int) bool { return at%7 == 0 && (at < 4000 || at > n-700) || at == 4000 })
	xy := Selection{Topics: []Topic{"x"}, Provinces: []string{"y"}}
	rare := Selection{Topics: []Topic{"rare"}, Provinces: []string{"y"}}
	walk := func(sel Selection, w window) (at []int64) {
		t.Helper()
		w.table = "by_listed"
		found, err := db.walk(t.Context(), sel, w)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			at = append(at, p.at)
		}
		return at
	}
	whole := window{until: math.MaxInt64, limit: 1000}
	if got := walk(xy, whole); len(got) != 100 || got[99] <= n-700 {
		t.Errorf("from the newest: %d found, want the 100 within reach and none of the old", len(got))
	}
	w := whole
	w.before = Cursor{At: fromMillis(12000), ID: "a"}
	got := walk(xy, w)
	if len(got) != 287 || got[0] != 4000 || !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("behind a cursor: %d found, want 287, first %v", len(got), got[:min(len(got), 3)])
	}
	w = whole
	w.oldestFirst = true
	if got := walk(xy, w); len(got) != 572 || got[0] != 7 {
		t.Errorf("from the oldest: %d found, want 572, first %v", len(got), got[:min(len(got), 3)])
	}
	w.from = 5000
	if got := walk(xy, w); len(got) != 100 || got[0] <= n-700 {
		t.Errorf("from the middle on: %d found, want 100", len(got))
	}
	if got := walk(rare, whole); len(got) != 1 || got[0] != 4000 {
		t.Errorf("the narrow field was not searched to its end: %v", got)
	}

	// Nor is a scope walked to its end whose stories nobody may see any more.
	db.outlets.Store(&map[string]Outlet{"z": {ID: "z", Show: ShowNone}})
	if err := db.do(t.Context(), 1, func(t *tx) error {
		return t.exec(`INSERT INTO by_listed (scope, at, story) SELECT 'outlet:z', at, story FROM by_listed WHERE scope = 'topic:x' AND at > 1000`)
	}); err != nil {
		t.Fatal(err)
	}
	x := Selection{Topics: []Topic{"x"}}
	if got := walk(x, whole); len(got) != 0 {
		t.Errorf("hidden stories: walked on to %v", got[0])
	}
	w = whole
	w.before = Cursor{At: fromMillis(5000), ID: "a"}
	if got := walk(x, w); len(got) != 1000 || got[0] != 1000 {
		t.Errorf("behind hidden stories: %d found, want 1000", len(got))
	}
}
