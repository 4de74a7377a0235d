package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// maxRanked is how many items that share keys are looked at for the nearest:
// the copies of one story stand before all others.
const maxRanked = 256

// Near returns the stored items of other stories that share most of the keys,
// at most limit, without those withdrawn: what an item with these keys would
// be compared with today. It is for explanations; nothing is written.
func (db *DB) Near(ctx context.Context, keys []uint32, story string, limit int) ([]Item, error) {
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
	if ids, err = db.ofOtherStories(ctx, ids[:min(len(ids), maxRanked)], story); err != nil || len(ids) == 0 {
		return nil, err
	}
	ids = ids[:min(len(ids), limit, maxNear)]
	args = args[:0]
	for _, id := range ids {
		args = append(args, id)
	}
	found, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items
		WHERE id IN (`+places(1, len(args))+`)`, args...))
	if err != nil {
		return nil, fmt.Errorf("read near items: %w", err)
	}
	items := make([]Item, len(found))
	for i := range found {
		items[i] = found[i].Item
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(slices.Index(ids, a.ID), slices.Index(ids, b.ID)) })
	return items, nil
}

// ofOtherStories keeps of ids, in their order, those of items that are in
// another story and not withdrawn.
func (db *DB) ofOtherStories(ctx context.Context, ids []int64, story string) ([]int64, error) {
	args := []any{story}
	for _, id := range ids {
		args = append(args, id)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := db.engine.read.QueryContext(ctx, `SELECT id FROM items
		WHERE story <> $1 AND withdrawn = 0 AND id IN (`+places(2, len(ids))+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("find near items: %w", err)
	}
	defer rows.Close()
	others := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("find near items: %w", err)
		}
		others[id] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("find near items: %w", err)
	}
	return slices.DeleteFunc(ids, func(id int64) bool { return !others[id] }), nil
}

// sharedKeys counts for each item under some of the keys how many it has.
func (db *DB) sharedKeys(ctx context.Context, keys []any) (map[int64]int, error) {
	rows, err := db.engine.read.QueryContext(ctx, nearQuery(MaxKeys), keys...)
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
