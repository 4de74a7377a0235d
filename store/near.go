package store

import (
	"cmp"
	"context"
	"fmt"
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
	args := make([]any, len(keys))
	for i, k := range keys {
		args[i] = int64(k)
	}
	ids, err := db.underKeys(ctx, args)
	if err != nil {
		return nil, fmt.Errorf("find near items: %w", err)
	}
	if ids, err = db.ofOtherStories(ctx, ids, story); err != nil || len(ids) == 0 {
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

// underKeys returns the items under some of the keys, the likeliest first.
func (db *DB) underKeys(ctx context.Context, keys []any) ([]int64, error) {
	rows, err := db.engine.read.QueryContext(ctx, nearQuery(len(keys)), keys...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var under [MaxKeys][]int64
	for rows.Next() {
		var item, key int64
		if err := rows.Scan(&item, &key); err != nil {
			return nil, err
		}
		under[key] = append(under[key], item)
	}
	return likeliest(under[:], maxRanked), rows.Err()
}
