package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// Near returns the stored items that share most of the keys, at most limit and
// maxNear, without those withdrawn: what an item with these keys would be
// compared with today. It is for explanations; nothing is written.
func (db *DB) Near(ctx context.Context, keys []uint32, limit int) ([]Item, error) {
	keys = keys[:min(len(keys), MaxKeys)]
	if len(keys) == 0 {
		return nil, nil
	}
	args := slices.Repeat([]any{int64(-1)}, MaxKeys) // no key is negative
	for i, k := range keys {
		args[i] = int64(k)
	}
	shared, err := db.sharedKeys(ctx, args)
	if err != nil {
		return nil, fmt.Errorf("find near items: %w", err)
	}
	ids := slices.SortedFunc(maps.Keys(shared), func(a, b int64) int {
		return cmp.Or(cmp.Compare(shared[b], shared[a]), cmp.Compare(b, a))
	})
	args = args[:0]
	for _, id := range ids[:min(len(ids), limit, maxNear)] {
		args = append(args, id)
	}
	if len(args) == 0 {
		return nil, nil
	}
	found, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items
		WHERE id IN (`+places(1, len(args))+`) AND withdrawn = 0`, args...))
	if err != nil {
		return nil, fmt.Errorf("read near items: %w", err)
	}
	items := make([]Item, len(found))
	for i := range found {
		items[i] = found[i].Item
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(shared[b.ID], shared[a.ID]), cmp.Compare(b.ID, a.ID))
	})
	return items, nil
}

// sharedKeys counts for each item under some of the keys how many it has.
func (db *DB) sharedKeys(ctx context.Context, keys []any) (map[int64]int, error) {
	rows, err := db.engine.read.QueryContext(ctx, nearQuery(), keys...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	shared := map[int64]int{}
	for rows.Next() {
		var item, zero int64
		if err := rows.Scan(&item, &zero); err != nil {
			return nil, err
		}
		shared[item]++
	}
	return shared, rows.Err()
}
