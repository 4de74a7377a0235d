package store

import (
	"context"
	"fmt"
	"time"
)

// OldTitle is a headline that an item had before.
type OldTitle struct {
	Title string    `json:"title"`
	Until time.Time `json:"until"` // when we read another in its place
}

// MaxTitles is how many of its former headlines an item keeps, the newest:
// outlets that try out headlines change them every few minutes.
const MaxTitles = 10

// keepTitle remembers the headline that an item had until now.
func (t *tx) keepTitle(item int64, title string, now int64) error {
	if err := t.exec(`INSERT INTO titles (item, until, title) VALUES ($1, $2, $3)
		ON CONFLICT (item, until) DO NOTHING`, item, now, title); err != nil {
		return err
	}
	return t.exec(`DELETE FROM titles WHERE item = $1 AND until < (SELECT min(until) FROM
		(SELECT until FROM titles WHERE item = $1 ORDER BY until DESC LIMIT $2) AS kept)`, item, MaxTitles)
}

// Titles returns the former headlines of the items of a story, each item's
// oldest first, by item id. Items that kept theirs are not in it.
func (db *DB) Titles(ctx context.Context, story string) (map[int64][]OldTitle, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT t.item, t.until, t.title FROM items i
		JOIN titles t ON t.item = i.id WHERE i.story = $1 ORDER BY t.item, t.until`, story)
	if err != nil {
		return nil, fmt.Errorf("read titles of story %s: %w", story, err)
	}
	defer rows.Close()
	all := map[int64][]OldTitle{}
	for rows.Next() {
		var item, until int64
		var title string
		if err := rows.Scan(&item, &until, &title); err != nil {
			return nil, fmt.Errorf("read titles of story %s: %w", story, err)
		}
		all[item] = append(all[item], OldTitle{title, fromMillis(until)})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read titles of story %s: %w", story, err)
	}
	return all, nil
}
