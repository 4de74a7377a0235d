package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Article is what an item's own page said, as far as it is kept. It adds to
// the item what that lacks and never replaces what its source gave.
type Article struct {
	// Text is what other items may be compared with: plain, empty if the page
	// has none that can be. It is kept for a while unless NoCopy is set.
	Text     string
	TextHash uint64 // of the whole text, folded; 0 = there is none, or it is surely the article's
	Length   int    // of the whole text, in characters
	Why      string // why Text is empty, in English
	NoCopy   bool   // the page asks that no copy be kept
	Robots   string // what the page asks of robots: "nosnippet, noarchive"
	// What the item is found and compared by now, as Item has it.
	Sketch []uint32
	Form   []byte
	Lines  []uint64
	Names  []uint32

	Attribution Attribution
	Summary     string // for an item without one
	Authors     []string
	Image       string    // absolute address
	Canonical   string    // absolute address, maybe of another outlet
	Published   time.Time // zero if the page does not tell
	Modified    time.Time
	Topics      []ItemTopic // for an item without one
	Province    string      // in place of the item's, from which it differs; "" = it tells none
}

// ArticleState is how far the reading of an item's page has come.
type ArticleState string

// The states of an item's page.
const (
	ArticleWaiting ArticleState = "waiting" // in the queue, or being read
	ArticleNear    ArticleState = "near"    // read only if another item comes near its text
	ArticleRead    ArticleState = "read"
	ArticleNoText  ArticleState = "no_text" // read, but nothing on it is the article's text
	ArticleFailed  ArticleState = "failed"  // given up
)

// ReadWhen says when the pages of new items are read.
type ReadWhen string

// The ways of ReadWhen.
const (
	ReadAlways   ReadWhen = "always"
	ReadWhenNear ReadWhen = "when-near" // only where it is in doubt whether it is another item's text
	ReadNever    ReadWhen = "never"
)

// Reading says when the pages of a visit's new items are read, and how long
// their stories wait for that at most; a Hold of 0 is not at all.
type Reading struct {
	When ReadWhen
	Hold time.Duration
}

const (
	// surelySame is the score from which two items are taken for one story
	// without a look at their pages.
	surelySame = 0.95
	// wokenNear bounds the items near a new one whose pages are read too.
	wokenNear = 3
	// maxAlike bounds the other items whose page has the same text.
	maxAlike = 10
)

// inDoubt tells whether the pages could show that a new item is the same story
// as one of those near, or that it is not.
func inDoubt(m Merge, near []*Item) bool {
	return len(near) > 0 && m.Reason != "link" && m.Reason != "attribution" && m.Score < surelySame
}

// queueArticle asks for a new item's page to be read, as the visit says, and
// for those of the items near it that were left for this case. Backfill is
// read only for a later item's sake: a first visit brings hundreds. holds says
// that the item's story is to wait.
func (v *visit) queueArticle(it *Item, near []*Item, m Merge, backfill bool) (holds bool, err error) {
	reading, now := v.r.Reading, millis(v.r.At)
	if it.Page != nil {
		return false, v.insertArticle(it)
	}
	if reading.When == "" || reading.When == ReadNever {
		return false, nil
	}
	doubt := inDoubt(m, near) && !backfill
	state, due := ArticleNear, int64(0)
	if doubt || reading.When == ReadAlways && !backfill {
		state, due, holds = ArticleWaiting, now, reading.Hold > 0
	}
	if err := v.exec(`INSERT INTO articles (item, outlet, state, due_at, since, holds) VALUES ($1, $2, $3, $4, $5, $6)`,
		it.ID, it.Outlet, string(state), due, now, flag(holds)); err != nil {
		return false, err
	}
	if !doubt {
		return holds, nil
	}
	args := []any{string(ArticleWaiting), now, string(ArticleNear)}
	for _, n := range near[:min(len(near), wokenNear)] {
		args = append(args, n.ID)
	}
	return holds, v.exec(`UPDATE articles SET state = $1, due_at = $2, since = $2 WHERE state = $3 AND item IN (`+places(4, len(args)-3)+`)`, args...)
}

// waitForCopy lets a story that is not listed yet wait for the page of an item
// that has joined it, but in all no longer than for its first one.
func (v *visit) waitForCopy(s *row) (until int64, err error) {
	var first int64
	if err := v.queryRow(`SELECT coalesce(min(seen), 0) FROM items WHERE story = $1`, s.id).Scan(&first); err != nil {
		return 0, fmt.Errorf("read the first sight of story %s: %w", s.id, err)
	}
	until = max(s.readUntil, first+v.r.Reading.Hold.Milliseconds())
	if err := v.exec(`UPDATE stories SET read_until = $1 WHERE id = $2`, until, s.id); err != nil {
		return 0, fmt.Errorf("let story %s wait: %w", s.id, err)
	}
	return until, nil
}

// insertArticle stores the page of a new item that came with it.
func (v *visit) insertArticle(it *Item) error {
	if err := v.exec(`INSERT INTO articles (item, outlet, state, due_at, since) VALUES ($1, $2, $3, 0, $4)`,
		it.ID, it.Outlet, string(ArticleWaiting), millis(v.r.At)); err != nil {
		return err
	}
	return v.saveArticle(it, it.Page)
}

// meetPage stores the page of an item that we had, if it was still to be read.
func (v *visit) meetPage(it *Item) error {
	var n int
	if err := v.queryRow(`SELECT count(*) FROM articles WHERE item = $1 AND state IN ($2, $3)`,
		it.ID, string(ArticleWaiting), string(ArticleNear)).Scan(&n); err != nil || n == 0 {
		return err
	}
	if err := v.dropSharedText(it, it.Page); err != nil {
		return err
	}
	if err := v.saveArticle(it, it.Page); err != nil {
		return err
	}
	return v.endWait(it.Story)
}

// saveArticle keeps what a page said. After dropSharedText.
func (v *visit) saveArticle(it *Item, a *Article) error {
	state := ArticleRead
	if a.Text == "" {
		state = ArticleNoText
	}
	authors := ""
	if len(a.Authors) > 0 {
		authors = encoded(a.Authors)
	}
	if err := v.exec(`UPDATE articles SET state = $1, due_at = 0, tries = tries + 1, holds = 0, lease_by = '', outcome = '', detail = $2, read_at = $3,
		canonical = $4, authors = $5, image = $6, published = $7, modified = $8, length = $9, robots = $10, text_hash = $11 WHERE item = $12`,
		string(state), a.Why, millis(v.r.At), a.Canonical, authors, a.Image, millis(a.Published), millis(a.Modified),
		int64(a.Length), a.Robots, int64(a.TextHash), it.ID); err != nil {
		return fmt.Errorf("store page: %w", err)
	}
	if a.Text == "" || a.NoCopy {
		return nil
	}
	if err := v.exec(`INSERT INTO article_texts (item, at, text) VALUES ($1, $2, $3)
		ON CONFLICT (item) DO UPDATE SET at = excluded.at, text = excluded.text`, it.ID, millis(v.r.At), a.Text); err != nil {
		return fmt.Errorf("store text: %w", err)
	}
	return nil
}

// dropSharedText takes from a page the text that another article of its outlet
// has word for word under another headline: a wall that asks for a login, or a
// page that says in full dress that there is none. The others lose theirs too.
func (v *visit) dropSharedText(it *Item, a *Article) error {
	it.Text = a.Text
	if a.TextHash == 0 || a.Text == "" {
		return nil
	}
	var alike []any
	if err := v.eachPair(fmt.Sprintf(`SELECT a.item, 0 FROM articles a JOIN items i ON i.id = a.item
		WHERE a.outlet = $1 AND a.text_hash = $2 AND a.text_hash <> 0 AND a.item <> $3 AND i.title <> $4 LIMIT %d`, maxAlike),
		[]any{it.Outlet, int64(a.TextHash), it.ID, text(it.Title)}, func(item, _ int64) { alike = append(alike, item) }); err != nil {
		return err
	}
	if len(alike) == 0 {
		return nil
	}
	*a = Article{TextHash: a.TextHash, Length: a.Length, Robots: a.Robots, Why: "another article of its outlet has the same text under another headline"}
	it.Text, it.Form, it.Lines = "", nil, nil
	alike = padded(alike)
	for _, table := range []string{"article_texts", "forms_0", "forms_1"} {
		if err := v.exec(`DELETE FROM `+table+` WHERE item IN (`+places(1, len(alike))+`)`, alike...); err != nil {
			return err
		}
	}
	return v.exec(`UPDATE articles SET state = $1, detail = $2 WHERE state = $3 AND item IN (`+places(4, len(alike))+`)`,
		append([]any{string(ArticleNoText), a.Why, string(ArticleRead)}, alike...)...)
}

// loadTexts gives items the texts of their pages, as far as they are kept.
func (t *tx) loadTexts(items []*Item) error { return readTexts(items, t.query) }

// LoadTexts does the same for whoever explains a decision on them.
func (db *DB) LoadTexts(ctx context.Context, items []*Item) error {
	return readTexts(items, func(query string, args ...any) (*sql.Rows, error) {
		return db.engine.read.QueryContext(ctx, query, args...)
	})
}

func readTexts(items []*Item, query func(string, ...any) (*sql.Rows, error)) error {
	if len(items) == 0 {
		return nil
	}
	byID := map[int64]*Item{}
	var ids []any
	for _, it := range items {
		byID[it.ID] = it
		ids = append(ids, it.ID)
	}
	for _, ids := range chunks(ids) {
		rows, err := query(`SELECT item, text FROM article_texts WHERE item IN (`+places(1, len(ids))+`)`, ids...)
		if err != nil {
			return fmt.Errorf("read texts: %w", err)
		}
		err = eachText(rows, byID)
		if err != nil {
			return fmt.Errorf("read texts: %w", err)
		}
	}
	return nil
}

func eachText(rows *sql.Rows, byID map[int64]*Item) error {
	defer rows.Close()
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		byID[id].Text = text
	}
	return rows.Err()
}

// matchAgain compares an item whose text is known now with the items near it,
// and unites its story with each that turns out to be the same.
func (v *visit) matchAgain(it *Item, a *Article) error {
	it.Sketch, it.Form, it.Lines, it.Names = a.Sketch, a.Form, a.Lines, a.Names
	corpus, counts, err := v.corpus(it)
	if err != nil {
		return fmt.Errorf("ask the corpus: %w", err)
	}
	v.judge.Adapt(it, corpus)
	if err := v.sketchAgain(it, counts); err != nil {
		return fmt.Errorf("store sketch: %w", err)
	}
	near, err := v.near(millis(v.r.At), it.Sketch)
	if err != nil {
		return fmt.Errorf("find near items: %w", err)
	}
	for {
		near = slices.DeleteFunc(near, func(n *Item) bool { return n.Story == it.Story })
		i, m, left, err := v.match(it, near)
		if err != nil {
			return err
		}
		near = left
		if i < 0 {
			if err := v.exec(`UPDATE items SET merge_score = $1, merge_evidence = $2 WHERE id = $3 AND merge_reason = 'first'`, m.Score, m.Evidence, it.ID); err != nil {
				return fmt.Errorf("say why it stands alone: %w", err)
			}
			return v.relate(it, near, v.judge.Related(it, near, corpus))
		}
		other := near[i].Story
		if err := v.unitePages(it, other, m); err != nil {
			return err
		}
		near = slices.DeleteFunc(near, func(n *Item) bool { return n.Story == other }) // also if a ruling keeps them apart
	}
}

// sketchAgain stores what an item is compared by in place of what was stored
// when it was new. Its names were counted then.
func (v *visit) sketchAgain(it *Item, counts map[int64]int) error {
	now := millis(v.r.At)
	if err := v.exec(`DELETE FROM `+windowTable("forms", now+SketchWindow.Milliseconds())+` WHERE item = $1`, it.ID); err != nil {
		return err
	}
	if err := v.addSketch(now, it); err != nil {
		return err
	}
	return v.count(now, &Item{ID: 1, Outlet: it.Outlet, Story: it.Story, Lines: it.Lines}, counts)
}

// endWait ends a story's waiting for pages if none of its items' is waited for
// any more, and lists it if its time has come.
func (v *visit) endWait(id string) error {
	s, err := v.story(id)
	if err != nil || s == nil || s.listed > 0 || s.mergedInto != "" {
		return err
	}
	var n int
	if err := v.queryRow(`SELECT count(*) FROM (SELECT 1 FROM items i JOIN articles a ON a.item = i.id
		WHERE i.story = $1 AND a.holds = 1 LIMIT 1) AS w`, id).Scan(&n); err != nil {
		return fmt.Errorf("look for pages waited for: %w", err)
	}
	now := millis(v.r.At)
	if n > 0 && s.readUntil > now {
		return nil
	}
	if err := v.exec(`UPDATE stories SET read_until = 0 WHERE id = $1`, id); err != nil {
		return fmt.Errorf("end wait: %w", err)
	}
	if s.hidden > 0 || s.listAt > now || s.holdUntil > now {
		return nil
	}
	return v.listNow(id, now)
}

// unitePages makes one story of the item's and another one, as what its page
// says has shown. What both wait for, the one that stays waits for.
func (v *visit) unitePages(it *Item, other string, m Merge) error {
	mine, err := v.story(it.Story)
	if err != nil {
		return fmt.Errorf("read story: %w", err)
	}
	theirs, err := v.story(other)
	if err != nil {
		return fmt.Errorf("read story: %w", err)
	}
	if mine == nil || theirs == nil || mine.mergedInto != "" || theirs.mergedInto != "" {
		return nil
	}
	if mine.copies > 1 && !m.Firm {
		return nil // likely, but two stories are at stake
	}
	m.At = v.r.At
	winner, loser := survivor(mine, theirs)
	if err := v.mergeStories(winner, loser, it, m); err != nil {
		return fmt.Errorf("unite stories: %w", err)
	}
	if it.Story != winner.id {
		return nil // a ruling keeps them apart
	}
	v.changes.Merged[m.Reason]++
	if winner.listed > 0 || loser.readUntil <= winner.readUntil {
		return nil
	}
	return v.exec(`UPDATE stories SET read_until = $1 WHERE id = $2`, loser.readUntil, winner.id)
}
