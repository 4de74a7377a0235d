package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// SketchWindow is how long a table of sketches is filled before the other
	// one is emptied and takes over: candidates are found for one to two
	// windows. Copies come within hours; a week covers weekend reprints.
	SketchWindow = 7 * 24 * time.Hour
	// MaxKeys bounds the keys of one item.
	MaxKeys = 20
	// maxPerKey is how many of the newest items one key may bring: a key that
	// many share is boilerplate and must not cost more.
	maxPerKey = 50
	// maxNear is how many candidates are compared, those with most keys in
	// common first.
	maxNear = 20
)

// sketchTables are the names of the table that is filled and the older one.
func sketchTables(now int64) (filling, older string) {
	n := now / SketchWindow.Milliseconds() % 2
	return fmt.Sprintf("sketches_%d", n), fmt.Sprintf("sketches_%d", 1-n)
}

// turnSketches empties the table whose window is over, once a window.
func (t *tx) turnSketches(now int64) error {
	window := now / SketchWindow.Milliseconds()
	var last int64
	if err := t.queryRow(`SELECT coalesce(max(value), 0) FROM meta WHERE name = 'sketch_window'`).Scan(&last); err != nil {
		return err
	}
	if last >= window {
		return nil
	}
	filling, older := sketchTables(now)
	if err := t.exec(`DELETE FROM ` + filling); err != nil {
		return err
	}
	if window-last > 1 {
		if err := t.exec(`DELETE FROM ` + older); err != nil {
			return err
		}
	}
	return t.exec(`INSERT INTO meta (name, value) VALUES ('sketch_window', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, window)
}

func (t *tx) addSketch(now int64, item int64, keys []uint32) error {
	keys = keys[:min(len(keys), MaxKeys)]
	if len(keys) == 0 {
		return nil
	}
	filling, _ := sketchTables(now)
	args := []any{item}
	for _, k := range keys {
		args = append(args, int64(k))
	}
	return t.exec(`INSERT INTO `+filling+` (item, key) VALUES `+valueRows("($1, $%d)", 2, len(keys))+`
		ON CONFLICT (key, item) DO NOTHING`, args...)
}

// nearQuery asks both tables for the newest items under each of MaxKeys keys.
func nearQuery() string {
	var parts []string
	for _, table := range []string{"sketches_0", "sketches_1"} {
		for i := range MaxKeys {
			parts = append(parts, fmt.Sprintf(`SELECT item, 0 FROM (SELECT item FROM %s WHERE key = $%d ORDER BY item DESC LIMIT %d) AS k%d`,
				table, i+1, maxPerKey, i))
		}
	}
	return strings.Join(parts, " UNION ALL ")
}

// near returns the stored items that share most keys with a new one, with the
// texts of their pages if asked to: an item without a text of its own is
// compared by title and summary.
func (t *tx) near(keys []uint32, texts bool) ([]*Item, error) {
	keys = keys[:min(len(keys), MaxKeys)]
	if len(keys) == 0 {
		return nil, nil
	}
	args := slices.Repeat([]any{int64(-1)}, MaxKeys) // no key is negative
	for i, k := range keys {
		args[i] = int64(k)
	}
	shared := map[int64]int{}
	if err := t.eachPair(t.w.near, args, func(item, _ int64) { shared[item]++ }); err != nil {
		return nil, err
	}
	ids := slices.SortedFunc(maps.Keys(shared), func(a, b int64) int {
		return cmp.Or(cmp.Compare(shared[b], shared[a]), cmp.Compare(b, a))
	})
	ids = ids[:min(len(ids), maxNear)]
	all, err := t.loadItems(ids)
	if err == nil && texts {
		err = t.loadTexts(all)
	}
	return all, err
}

// loadItems returns the items in the order of ids, without those withdrawn: a
// copy must not join a story that its outlet took back. One that a ruling
// hides it does join: that is how its copies stay hidden.
func (t *tx) loadItems(ids []int64) ([]*Item, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	args = padded(args)
	rows, err := scanItems(t.query(`SELECT `+itemColumns+` FROM items
		WHERE id IN (`+places(1, len(args))+`) AND withdrawn = 0
		AND NOT EXISTS (SELECT 1 FROM stories s WHERE s.id = items.story AND s.withdrawn > 0 AND s.hidden = 0)`, args...))
	if err != nil {
		return nil, err
	}
	byID := map[int64]*Item{}
	for i := range rows {
		byID[rows[i].ID] = &rows[i].Item
	}
	var all []*Item
	for _, id := range ids {
		if it := byID[id]; it != nil {
			all = append(all, it)
		}
	}
	return all, nil
}
