package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// maxCarried bounds how many of the newest stories with several items are
// looked at for leading ones: a day of 10,000 items has about that many.
const maxCarried = 2000

// Lead is a story that many outlets carry.
type Lead struct {
	Story
	First time.Time // when the first of its items appeared
	Last  time.Time // and the latest
}

// Leading returns the stories shown since then that most outlets carry, at most
// limit and at most MaxStories, those with the most items first. A story of one
// item is none of them.
func (db *DB) Leading(ctx context.Context, since time.Time, limit int) ([]Lead, error) {
	rows, err := db.engine.read.QueryContext(ctx, fmt.Sprintf(`SELECT id FROM (SELECT id, copies, shown FROM stories
		WHERE copies > 1 AND shown >= $1 AND listed > 0 AND withdrawn = 0 AND hidden = 0 AND merged_into = ''
		ORDER BY shown DESC LIMIT %d) AS u ORDER BY copies DESC, shown DESC, id LIMIT %d`,
		maxCarried, min(max(limit, 0), MaxStories)), millis(since))
	if err != nil {
		return nil, fmt.Errorf("read leading stories: %w", err)
	}
	ids, err := texts(rows)
	if err != nil {
		return nil, fmt.Errorf("read leading stories: %w", err)
	}
	stories, err := db.loadStories(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read leading stories: %w", err)
	}
	stories = slices.DeleteFunc(stories, func(s Story) bool { return s.Carriers < 2 }) // twice at one outlet
	leads := make([]Lead, len(stories))
	for i, s := range stories {
		leads[i].Story = s
	}
	if err := db.spread(ctx, leads); err != nil {
		return nil, fmt.Errorf("read leading stories: %w", err)
	}
	return leads, nil
}

// spread finds when the items of stories appeared: when their outlets say,
// unless that is after we saw them.
func (db *DB) spread(ctx context.Context, leads []Lead) error {
	at := map[string]*Lead{}
	args := make([]any, len(leads))
	for i := range leads {
		at[leads[i].ID], args[i] = &leads[i], leads[i].ID
	}
	for chunk := range slices.Chunk(args, maxParams) {
		rows, err := db.engine.read.QueryContext(ctx, `SELECT story, min(at), max(at) FROM (SELECT story,
			CASE WHEN published > 0 AND published < seen THEN published ELSE seen END AS at
			FROM items WHERE story IN (`+places(1, len(chunk))+`) AND withdrawn = 0) AS u GROUP BY story`, chunk...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var story string
			var first, last int64
			if err := rows.Scan(&story, &first, &last); err != nil {
				return err
			}
			at[story].First, at[story].Last = fromMillis(first), fromMillis(last)
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}
