package store

import (
	"context"
	"fmt"
	"time"
)

// ArticleClaim is a request for items whose pages are due to be read.
type ArticleClaim struct {
	Now       time.Time
	Lease     time.Duration // nobody else gets them until Now + Lease
	By        string        // who claims: host and process
	Limit     int
	PerOutlet int
	Busy      []string // outlets of which the claimer has enough
}

// DueArticle is an item whose page is to be read.
type DueArticle struct {
	Item  Item
	Tries int       // so far
	Since time.Time // when it was put into the queue
}

// DueArticles claims items whose pages are due, those first that wait longest,
// a bounded number an outlet: one with a thousand of them delays no other.
func (db *DB) DueArticles(ctx context.Context, c ArticleClaim) ([]DueArticle, error) {
	busy := []any{""}
	for _, o := range c.Busy {
		busy = append(busy, o)
	}
	busy = padded(busy)
	var waiting int
	if err := db.engine.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM articles
		WHERE due_at > 0 AND due_at <= $1 AND outlet NOT IN (`+places(2, len(busy))+`) LIMIT 1) AS w`,
		append([]any{millis(c.Now)}, busy...)...).Scan(&waiting); err != nil {
		return nil, fmt.Errorf("look for due articles: %w", err)
	}
	if waiting == 0 {
		return nil, nil
	}
	var all []DueArticle
	err := db.do(ctx, 1, func(t *tx) (err error) {
		all, err = t.claimArticles(c, busy)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim articles: %w", err)
	}
	return all, nil
}

// claimArticles repeats the condition outside the sub-select, as Due does. A
// claim that ran out without an answer counts as a try: a page on which the
// process dies must not be asked for for ever.
func (t *tx) claimArticles(c ArticleClaim, busy []any) ([]DueArticle, error) {
	args := append([]any{millis(c.Now), millis(c.Now.Add(c.Lease)), c.By, c.PerOutlet, c.Limit}, busy...)
	rows, err := t.query(`UPDATE articles SET due_at = $2, tries = tries + CASE WHEN lease_by <> '' THEN 1 ELSE 0 END, lease_by = $3 WHERE item IN
		(SELECT item FROM (SELECT item, due_at, row_number() OVER (PARTITION BY outlet ORDER BY due_at, item) AS place FROM articles
			WHERE due_at > 0 AND due_at <= $1 AND outlet NOT IN (`+places(6, len(busy))+`)) AS u
			WHERE place <= $4 ORDER BY due_at, item LIMIT $5)
		AND due_at > 0 AND due_at <= $1 RETURNING item, tries, since`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	claimed := map[int64]DueArticle{}
	var ids []any
	for rows.Next() {
		var id, since int64
		var d DueArticle
		if err := rows.Scan(&id, &d.Tries, &since); err != nil {
			return nil, err
		}
		d.Since = fromMillis(since)
		claimed[id], ids = d, append(ids, id)
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		return nil, err
	}
	rows.Close()
	var all []DueArticle
	for _, chunk := range chunks(ids) {
		items, err := scanItems(t.query(`SELECT `+itemColumns+` FROM items WHERE id IN (`+places(1, len(chunk))+`)`, chunk...))
		if err != nil {
			return nil, err
		}
		for i := range items {
			d := claimed[items[i].ID]
			d.Item = items[i].Item
			all = append(all, d)
		}
	}
	return all, nil
}

// ArticleVisit is what one try to read an item's page found.
type ArticleVisit struct {
	Item    int64
	By      string // who claimed it
	At      time.Time
	Article *Article  // nil if it could not be read: then
	Outcome Outcome   // says why,
	Detail  string    // for a person too, and
	RetryAt time.Time // when it is tried again; zero = never
}

// RecordArticle stores a page in one transaction: its text and sketch, what it
// adds to the item, and with whom the item turns out to be one story; two
// stories that are one are united. The story is listed when no page is waited
// for any more. A page that cannot be read is not waited for any longer. A
// visit whose claim has run out, and was taken up by another, changes nothing:
// then state is "".
func (db *DB) RecordArticle(ctx context.Context, r ArticleVisit, judge Judge) (state ArticleState, c Changes, err error) {
	outlets := *db.outlets.Load()
	err = db.do(ctx, 2, func(t *tx) error {
		c = Changes{Merged: map[string]int{}, Topics: map[Topic]int{}, Originals: map[string]int{}}
		v := &visit{tx: t, r: Refresh{At: r.At}, judge: judge, outlets: outlets, changes: &c}
		state, err = v.recordArticle(r)
		return err
	})
	if err != nil {
		return "", Changes{}, fmt.Errorf("record article of item %d: %w", r.Item, err)
	}
	return state, c, nil
}

func (v *visit) recordArticle(r ArticleVisit) (ArticleState, error) {
	rows, err := scanItems(v.query(`SELECT `+itemColumns+` FROM items WHERE id = (SELECT item FROM articles WHERE item = $1 AND lease_by = $2)`, r.Item, r.By))
	if err != nil {
		return "", fmt.Errorf("read item: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	it := &rows[0].Item
	if r.Article == nil {
		state, due := ArticleFailed, millis(r.RetryAt)
		if due > 0 {
			state = ArticleWaiting
		}
		if err := v.exec(`UPDATE articles SET state = $1, due_at = $2, tries = tries + 1, holds = 0, lease_by = '', outcome = $3, detail = $4 WHERE item = $5`,
			string(state), due, string(r.Outcome), r.Detail, r.Item); err != nil {
			return "", fmt.Errorf("store failure: %w", err)
		}
		return state, v.endWait(it.Story)
	}
	return v.takeArticle(it, r.Article)
}

// takeArticle is recordArticle for a page that was read.
func (v *visit) takeArticle(it *Item, given *Article) (ArticleState, error) {
	a := *given // the transaction may be repeated
	if err := v.dropSharedText(it, &a); err != nil {
		return "", fmt.Errorf("look for the same text: %w", err)
	}
	if err := v.saveArticle(it, &a); err != nil {
		return "", err
	}
	s, err := v.story(it.Story)
	if err != nil {
		return "", fmt.Errorf("read story: %w", err)
	}
	before := it.Attribution
	if err := v.complete(it, &a, s); err != nil {
		return "", fmt.Errorf("complete item: %w", err)
	}
	was := it.Story
	if len(a.Sketch) > 0 {
		if err := v.matchAgain(it, &a); err != nil {
			return "", err
		}
	}
	if it.Story == was && it.Attribution != before && s != nil && s.listed > 0 {
		if err := v.renameOriginal(s); err != nil {
			return "", err
		}
	}
	state := ArticleRead
	if a.Text == "" {
		state = ArticleNoText
	}
	return state, v.endWait(it.Story)
}

// GiveBackArticles ends the claims on items that were not come to.
func (db *DB) GiveBackArticles(ctx context.Context, by string, items []int64) error {
	args := []any{by}
	for _, id := range items {
		args = append(args, id)
	}
	err := db.do(ctx, 1, func(t *tx) error {
		return t.releaseArticles(`lease_by = $1 AND item IN (`+places(2, len(items))+`)`, args...)
	})
	if err != nil {
		return fmt.Errorf("give articles back: %w", err)
	}
	return nil
}

// releaseArticles ends claims: the items are due as they were.
func (t *tx) releaseArticles(whose string, args ...any) error {
	return t.exec(`UPDATE articles SET due_at = since, lease_by = '' WHERE due_at > 0 AND `+whose, args...)
}

// ArticleQueue is the state of the queue of pages.
type ArticleQueue struct {
	Waiting int       // pages to be read, those for a later time too
	Held    int       // of these, pages for which a story waits
	Oldest  time.Time // since when the longest waiting of them waits; zero if there is none
}

// ArticleQueue says how long the queue is.
func (db *DB) ArticleQueue(ctx context.Context) (ArticleQueue, error) {
	var q ArticleQueue
	var oldest int64
	err := db.engine.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(holds), 0), coalesce(min(CASE WHEN tries = 0 THEN since END), 0)
		FROM articles WHERE due_at > 0`).Scan(&q.Waiting, &q.Held, &oldest)
	if err != nil {
		return q, fmt.Errorf("read queue of articles: %w", err)
	}
	q.Oldest = fromMillis(oldest)
	return q, nil
}

// DropTexts deletes at most limit texts that were stored before a time, and
// says how many: items are not compared with them any more.
func (db *DB) DropTexts(ctx context.Context, before time.Time, limit int) (int, error) {
	var old int
	if err := db.engine.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM article_texts WHERE at < $1 LIMIT 1) AS w`, millis(before)).Scan(&old); err != nil {
		return 0, fmt.Errorf("look for old texts: %w", err)
	}
	if old == 0 {
		return 0, nil
	}
	n := 0
	err := db.do(ctx, batchItems, func(t *tx) error {
		n = 0
		var ids []any
		if err := t.eachPair(`SELECT item, at FROM article_texts WHERE at < $1 ORDER BY at LIMIT $2`, []any{millis(before), limit},
			func(item, _ int64) { ids = append(ids, item) }); err != nil {
			return err
		}
		n = len(ids)
		for _, chunk := range chunks(ids) {
			in := ` IN (` + places(1, len(chunk)) + `)`
			if err := t.exec(`DELETE FROM article_texts WHERE item`+in, chunk...); err != nil {
				return err
			}
			if err := t.exec(`UPDATE articles SET text_hash = 0 WHERE item`+in, chunk...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("drop old texts: %w", err)
	}
	return n, nil
}

// chunks parts a list into padded ones of at most maxParams.
func chunks(args []any) [][]any {
	var all [][]any
	for len(args) > maxParams {
		all, args = append(all, args[:maxParams]), args[maxParams:]
	}
	if len(args) > 0 {
		all = append(all, padded(args))
	}
	return all
}
