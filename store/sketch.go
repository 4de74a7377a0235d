package store

import (
	"cmp"
	"fmt"
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
	// maxPerKey is how many of the newest items of each table one key may bring:
	// a key that many share is boilerplate, or a story that some of its copies
	// show as well as all. With 50 three quarters of the rows that a decision
	// read were of such keys.
	maxPerKey = 16
	// maxNear is how many candidates are compared, the likeliest first.
	maxNear = 12
	// loneKey is how many items, at most, may have the only key that a
	// candidate shares with the new item: a phrase that more use says little,
	// and reading what has only that in common was most of a decision's cost.
	loneKey = 3
)

// windowTable is the one of a pair of tables that is filled now: sketches,
// forms and counts change places together.
func windowTable(name string, now int64) string {
	return fmt.Sprintf("%s_%d", name, now/SketchWindow.Milliseconds()%2)
}

// turnSketches empties the tables whose window is over, once a window.
func (t *tx) turnSketches(now int64) error {
	window := now / SketchWindow.Milliseconds()
	var last int64
	if err := t.queryRow(`SELECT coalesce(max(value), 0) FROM meta WHERE name = 'sketch_window'`).Scan(&last); err != nil {
		return err
	}
	if last >= window {
		return nil
	}
	over := []int64{now}
	if window-last > 1 {
		over = append(over, now+SketchWindow.Milliseconds()) // the other ones too
	}
	for _, at := range over {
		for _, name := range []string{"sketches", "forms", "counts"} {
			if err := t.exec(`DELETE FROM ` + windowTable(name, at)); err != nil {
				return err
			}
		}
	}
	return t.exec(`INSERT INTO meta (name, value) VALUES ('sketch_window', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, window)
}

// addSketch stores what an item is found and compared by.
func (t *tx) addSketch(now int64, it *Item) error {
	if len(it.Form) > 0 {
		if err := t.exec(`INSERT INTO `+windowTable("forms", now)+` (item, form) VALUES ($1, $2)
			ON CONFLICT (item) DO UPDATE SET form = excluded.form`, it.ID, encodeKept(it)); err != nil {
			return err
		}
	}
	keys := it.Sketch[:min(len(it.Sketch), MaxKeys)]
	if len(keys) == 0 {
		return nil
	}
	args := []any{it.ID}
	for _, k := range keys {
		args = append(args, int64(k))
	}
	return t.exec(`INSERT INTO `+windowTable("sketches", now)+` (item, key) VALUES `+valueRows("($1, $%d)", 2, len(keys))+`
		ON CONFLICT (key, item) DO NOTHING`, args...)
}

// nearQuery asks both tables for the newest items under each of so many keys.
func nearQuery(keys int) string {
	var parts []string
	for _, table := range []string{"sketches_0", "sketches_1"} {
		for i := range keys {
			parts = append(parts, fmt.Sprintf(`SELECT item, %[4]d FROM (SELECT item FROM %[1]s WHERE key = $%[2]d ORDER BY item DESC LIMIT %[3]d) AS k%[4]d`,
				table, i+1, maxPerKey, i))
		}
	}
	return strings.Join(parts, " UNION ALL ")
}

// near returns the stored items that share most keys with a new one.
func (t *tx) near(now int64, keys []uint32) ([]*Item, error) {
	keys = keys[:min(len(keys), MaxKeys)]
	if len(keys) == 0 {
		return nil, nil
	}
	args := make([]any, len(keys))
	for i, k := range keys {
		args[i] = int64(k)
	}
	var under [MaxKeys][]int64 // the items of each key
	if err := t.eachPair(t.w.near[len(keys)-1], args, func(item, key int64) { under[key] = append(under[key], item) }); err != nil {
		return nil, err
	}
	return t.loadNear(now, likeliest(under[:], maxNear))
}

// likeliest returns the items that share most with a new one, at most so many,
// given the items of each of its keys: a key counts the more the fewer have it.
func likeliest(under [][]int64, most int) []int64 {
	type claim struct {
		keys   int
		weight float64
	}
	claims := map[int64]claim{}
	for _, items := range under {
		for _, item := range items {
			c := claims[item]
			claims[item] = claim{c.keys + 1, c.weight + 1/float64(len(items))}
		}
	}
	var ids []int64
	for item, c := range claims {
		if c.keys > 1 || c.weight >= 1./loneKey {
			ids = append(ids, item)
		}
	}
	slices.SortFunc(ids, func(a, b int64) int {
		return cmp.Or(cmp.Compare(claims[b].keys, claims[a].keys), cmp.Compare(claims[b].weight, claims[a].weight), cmp.Compare(b, a))
	})
	return ids[:min(len(ids), most)]
}
