package store

import (
	"context"
	"fmt"
	"slices"
)

// Relation is a judge's word that an item reports the same event as another.
type Relation struct {
	Near  int     // its index among the items compared
	Score float64 // 0 … 1
	Why   string  // for a person
}

// Related is a story on the same event as another, with a text of its own.
type Related struct {
	Story Story
	Score float64 // 0 … 1
	Why   string
}

const (
	// maxRelations is how many stories one new item may be related to.
	maxRelations = 5
	// MaxRelated is how many related stories a story keeps, the nearest.
	MaxRelated = 20
)

// relate notes, in both directions, the stories that report the same event.
func (t *tx) relate(it *Item, near []*Item, found []Relation) error {
	slices.SortStableFunc(found, func(a, b Relation) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	var others []string
	for _, r := range found {
		other := near[r.Near].Story
		if other == it.Story || slices.Contains(others, other) || len(others) == maxRelations {
			continue
		}
		others = append(others, other)
		if err := t.exec(`INSERT INTO related (story, other, score, why) VALUES ($1, $2, $3, $4), ($2, $1, $3, $4)
			ON CONFLICT (story, other) DO UPDATE SET score = excluded.score, why = excluded.why WHERE excluded.score > related.score`,
			it.Story, other, r.Score, r.Why); err != nil {
			return err
		}
	}
	if len(others) == 0 {
		return nil
	}
	for _, story := range append(others, it.Story) {
		if err := t.trimRelated(story); err != nil {
			return err
		}
	}
	return nil
}

// trimRelated drops the farthest of a story's relations above MaxRelated, on
// both sides.
func (t *tx) trimRelated(story string) error {
	rows, err := t.query(`SELECT other FROM related WHERE story = $1 ORDER BY score DESC, other LIMIT 100 OFFSET $2`, story, MaxRelated)
	if err != nil {
		return err
	}
	defer rows.Close()
	var far []string
	for rows.Next() {
		var other string
		if err := rows.Scan(&other); err != nil {
			return err
		}
		far = append(far, other)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, other := range far {
		if err := t.exec(`DELETE FROM related WHERE story = $1 AND other = $2`, story, other); err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM related WHERE story = $1 AND other = $2`, other, story); err != nil {
			return err
		}
	}
	return nil
}

// moveRelated gives the story that stays what the other one was related to. The
// other keeps its own side, which nobody reads while it redirects: an unmerge
// begins with it.
func (t *tx) moveRelated(loser, winner string) error {
	const better = ` ON CONFLICT (story, other) DO UPDATE SET score = excluded.score, why = excluded.why WHERE excluded.score > related.score`
	if err := t.exec(`INSERT INTO related (story, other, score, why) SELECT CAST($1 AS TEXT), other, score, why
		FROM related WHERE story = $2 AND other <> $1`+better, winner, loser); err != nil {
		return err
	}
	if err := t.exec(`INSERT INTO related (story, other, score, why) SELECT other, CAST($1 AS TEXT), score, why
		FROM related WHERE story = $2 AND other <> $1`+better, winner, loser); err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM related WHERE other = $1 AND story IN (SELECT other FROM related WHERE story = $1)`, loser); err != nil {
		return err
	}
	return t.trimRelated(winner)
}

// relateAgain gives the stories that a story is related to their side of it.
func (t *tx) relateAgain(story string) error {
	return t.exec(`INSERT INTO related (story, other, score, why) SELECT other, story, score, why
		FROM related WHERE story = $1 ON CONFLICT (story, other) DO NOTHING`, story)
}

// Related returns the listed stories on the same event as a story, the nearest
// first, at most limit.
func (db *DB) Related(ctx context.Context, story string, limit int) ([]Related, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT other, score, why FROM related r WHERE story = $1
		AND EXISTS (SELECT 1 FROM stories s WHERE s.id = r.other AND s.listed > 0 AND s.withdrawn = 0 AND s.merged_into = '')
		ORDER BY score DESC, other LIMIT $2`, story, limit)
	if err != nil {
		return nil, fmt.Errorf("read what is related to %s: %w", story, err)
	}
	defer rows.Close()
	var all []Related
	var ids []string
	for rows.Next() {
		var r Related
		if err := rows.Scan(&r.Story.ID, &r.Score, &r.Why); err != nil {
			return nil, fmt.Errorf("read what is related to %s: %w", story, err)
		}
		all, ids = append(all, r), append(ids, r.Story.ID)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what is related to %s: %w", story, err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stories, err := db.loadStories(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read what is related to %s: %w", story, err)
	}
	byID := make(map[string]Story, len(stories))
	for _, s := range stories {
		byID[s.ID] = s
	}
	all = slices.DeleteFunc(all, func(r Related) bool { // what its outlet no longer lets be shown, too
		s, ok := byID[r.Story.ID]
		return !ok || s.Outlet.Show == ShowNone
	})
	for i := range all {
		all[i].Story = byID[all[i].Story.ID]
	}
	return all, nil
}
