package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

const (
	// nearStories is how many of the newest listed stories NearPairs looks at.
	nearStories = 500
	// freshItems is how many of the newest items FreshMerges looks at: half a
	// day of a large archive, read in some milliseconds.
	freshItems = 5000
	// MaxReview bounds the answers of NearPairs and FreshMerges.
	MaxReview = 200
)

// stillReviewed is true of a row of reviewed, called v, whose ruling holds.
const stillReviewed = `EXISTS (SELECT 1 FROM rulings u WHERE u.id = v.ruling AND u.undone = 0)`

// ruleReview notes that an editor has looked at something and found it right:
// that Story and Other are two stories, which then never merge by themselves;
// that Items belong to Story; or, with neither, that Story has no topic.
func (v *visit) ruleReview(r Ruling) (Ruling, error) {
	s, err := v.live(r.Story)
	if err != nil {
		return r, err
	}
	if r.Story = s.id; r.Other != "" {
		return v.reviewApart(s, r)
	}
	if len(r.Items) > 0 {
		if _, err := v.itemsOf(s.id, r.Items); err != nil {
			return r, err
		}
	} else if len(s.topics) > 0 {
		return r, refused("story %s has topics: %s", s.id, encoded(s.topics))
	}
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	items := r.Items
	if len(items) == 0 {
		items = []int64{0}
	}
	for _, item := range items {
		if err := v.exec(`INSERT INTO reviewed (story, item, ruling) VALUES ($1, $2, $3)
			ON CONFLICT (story, item) DO UPDATE SET ruling = excluded.ruling`, s.id, item, r.ID); err != nil {
			return r, fmt.Errorf("note what was reviewed: %w", err)
		}
	}
	return r, nil
}

// reviewApart rules that two stories are two. Where a split has ruled so
// before, that stays what keeps them apart.
func (v *visit) reviewApart(s *row, r Ruling) (Ruling, error) {
	other, err := v.live(r.Other)
	if err != nil {
		return r, err
	}
	if other.id == s.id {
		return r, refused("%s and %s are one story, %s", r.Story, r.Other, s.id)
	}
	r.Other = other.id
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	for _, pair := range [][2]string{{s.id, other.id}, {other.id, s.id}} {
		if err := v.exec(`INSERT INTO apart (a, b, ruling) VALUES ($1, $2, $3) ON CONFLICT (a, b) DO NOTHING`, pair[0], pair[1], r.ID); err != nil {
			return r, fmt.Errorf("rule apart: %w", err)
		}
	}
	return r, nil
}

// forgetApart takes back that a ruling keeps two stories apart, if it does.
func (v *visit) forgetApart(old Ruling) error {
	if err := v.exec(`DELETE FROM apart WHERE ruling = $1`, old.ID); err != nil {
		return fmt.Errorf("forget that they are apart: %w", err)
	}
	return nil
}

// NearPair is two listed stories on one event that were not merged: by what
// they share they could be one.
type NearPair struct {
	Story, Other Story
	Score        float64 // 0 … 1
	Why          string
}

// NearPairs returns the nearest pairs among the newest listed stories and what
// they are related to, the nearest first, without those that were ruled apart.
// limit is at most MaxReview.
func (db *DB) NearPairs(ctx context.Context, limit int) ([]NearPair, error) {
	limit = min(limit, MaxReview)
	rows, err := db.engine.read.QueryContext(ctx, fmt.Sprintf(`SELECT r.story, r.other, r.score, r.why
		FROM (SELECT story FROM by_listed WHERE scope = 'all' ORDER BY at DESC LIMIT %d) AS n JOIN related r ON r.story = n.story
		WHERE NOT EXISTS (SELECT 1 FROM apart p WHERE p.a = r.story AND p.b = r.other)
		ORDER BY r.score DESC, r.story, r.other LIMIT %d`, nearStories, 4*limit), // most stand there in both directions, and some are gone
	)
	if err != nil {
		return nil, fmt.Errorf("find near stories: %w", err)
	}
	defer rows.Close()
	type key [2]string
	var pairs []NearPair
	var ids []string
	seen := map[key]bool{}
	for rows.Next() {
		var p NearPair
		if err := rows.Scan(&p.Story.ID, &p.Other.ID, &p.Score, &p.Why); err != nil {
			return nil, fmt.Errorf("find near stories: %w", err)
		}
		k := key{min(p.Story.ID, p.Other.ID), max(p.Story.ID, p.Other.ID)}
		if seen[k] {
			continue
		}
		seen[k] = true
		pairs, ids = append(pairs, p), append(ids, k[0], k[1])
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("find near stories: %w", err)
	}
	byID, err := db.storiesByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read near stories: %w", err)
	}
	all := pairs[:0]
	for _, p := range pairs {
		a, ok := byID[p.Story.ID]
		b, too := byID[p.Other.ID]
		if ok && too && len(all) < limit {
			p.Story, p.Other = a, b
			all = append(all, p)
		}
	}
	return all, nil
}

// RuledApart returns the pairs that rulings keep apart, of which these stories
// are the first; each pair is there in both orders.
func (db *DB) RuledApart(ctx context.Context, stories []string) (map[[2]string]bool, error) {
	all := map[[2]string]bool{}
	err := db.eachText(ctx, `SELECT a, b FROM apart WHERE a IN (`, stories, func(a, b string) { all[[2]string{a, b}] = true })
	if err != nil {
		return nil, fmt.Errorf("read what is ruled apart: %w", err)
	}
	return all, nil
}

// storiesByID reads those of the stories that are listed and shown.
func (db *DB) storiesByID(ctx context.Context, ids []string) (map[string]Story, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	stories, err := db.loadStories(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Story, len(stories))
	for _, s := range stories {
		byID[s.ID] = s
	}
	return byID, nil
}

// FreshMerge is an item that the program put into a story that stood already.
type FreshMerge struct {
	Copy
	Story Story
}

// FreshMerges returns the merges among the newest items that no editor has
// looked at yet: the least sure first, or the newest. limit is at most MaxReview.
func (db *DB) FreshMerges(ctx context.Context, newest bool, limit int) ([]FreshMerge, error) {
	order := `i.merge_score, i.id DESC`
	if newest {
		order = `i.id DESC`
	}
	ids, err := db.numbers(ctx, fmt.Sprintf(`SELECT i.id FROM items i JOIN stories s ON s.id = i.story
		WHERE i.id > (SELECT coalesce(max(id), 0) - %d FROM items) AND i.withdrawn = 0 AND i.merge_reason NOT IN ('first', 'ruling', '')
		AND s.listed > 0 AND s.withdrawn = 0 AND s.hidden = 0
		AND NOT EXISTS (SELECT 1 FROM reviewed v WHERE v.story = i.story AND v.item = i.id AND %s)
		ORDER BY %s LIMIT %d`, freshItems, stillReviewed, order, min(limit, MaxReview)))
	if err != nil {
		return nil, fmt.Errorf("find fresh merges: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	args, at := make([]any, len(ids)), make(map[int64]int, len(ids))
	for i, id := range ids {
		args[i], at[id] = id, i
	}
	items, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items WHERE id IN (`+places(1, len(args))+`)`, args...))
	if err != nil {
		return nil, fmt.Errorf("read fresh merges: %w", err)
	}
	var stories []string
	for _, it := range items {
		stories = append(stories, it.Story)
	}
	byID, err := db.storiesByID(ctx, stories)
	if err != nil {
		return nil, fmt.Errorf("read merged stories: %w", err)
	}
	outlets := *db.outlets.Load()
	var all []FreshMerge
	for _, it := range items {
		if s, ok := byID[it.Story]; ok {
			all = append(all, FreshMerge{Copy{Item: it.Item, Outlet: outlets[it.Outlet], Merge: it.merge}, s})
		}
	}
	slices.SortFunc(all, func(a, b FreshMerge) int { return at[a.Item.ID] - at[b.Item.ID] })
	return all, nil
}

// numbers reads one column of numbers.
func (db *DB) numbers(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := db.engine.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// Topicless returns which of these stories an editor has looked at and left
// without a topic.
func (db *DB) Topicless(ctx context.Context, stories []string) (map[string]bool, error) {
	left := map[string]bool{}
	err := db.eachText(ctx, `SELECT v.story, '' FROM reviewed v WHERE v.item = 0 AND `+stillReviewed+` AND v.story IN (`, stories, func(id, _ string) { left[id] = true })
	if err != nil {
		return nil, fmt.Errorf("read what was reviewed: %w", err)
	}
	return left, nil
}

// Headlines names stories for editors, hidden, merged and withdrawn ones too:
// by the item they quote, or quoted, else by their first. What has no item any
// more has no name.
func (db *DB) Headlines(ctx context.Context, stories []string) (map[string]string, error) {
	all := map[string]string{}
	err := db.eachText(ctx, `SELECT s.id, i.title FROM stories s JOIN items i ON i.id = CASE WHEN s.quoted > 0 THEN s.quoted
		ELSE (SELECT min(x.id) FROM items x WHERE x.story = s.id) END WHERE s.id IN (`, stories, func(id, title string) { all[id] = title })
	if err != nil {
		return nil, fmt.Errorf("read headlines: %w", err)
	}
	return all, nil
}

// HiddenBy follows a story to the one it is part of now, and returns that and
// the ruling that hides it; 0 = none does.
func (db *DB) HiddenBy(ctx context.Context, story string) (now string, ruling int64, err error) {
	for range maxRedirects {
		var into string
		err := db.engine.read.QueryRowContext(ctx, `SELECT hidden, merged_into FROM stories WHERE id = $1`, story).Scan(&ruling, &into)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return story, 0, fmt.Errorf("story %s: %w", story, ErrNotFound)
		case err != nil:
			return story, 0, fmt.Errorf("read what hides story %s: %w", story, err)
		case into == "":
			return story, ruling, nil
		}
		story = into
	}
	return story, 0, fmt.Errorf("story %s: %w", story, ErrNotFound)
}

// eachText reads two columns of text, the second of which may be packed, for these stories; query ends where their
// list begins.
func (db *DB) eachText(ctx context.Context, query string, stories []string, each func(a, b string)) error {
	for chunk := range slices.Chunk(stories, maxParams) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		if err := db.eachRow(ctx, query+places(1, len(args))+`)`, args, each); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) eachRow(ctx context.Context, query string, args []any, each func(a, b string)) error {
	rows, err := db.engine.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, (*text)(&b)); err != nil {
			return err
		}
		each(a, b)
	}
	return rows.Err()
}
