package store

import (
	"context"
	"fmt"
	"time"
)

// ArticleReading is what became of an item's page.
type ArticleReading struct {
	Item      int64
	Link      string
	State     ArticleState
	Since     time.Time // when it was put into the queue
	Due       time.Time // when it is to be asked for; zero = not
	Tries     int
	Outcome   Outcome // of the last try that failed, or empty
	Detail    string
	Read      time.Time // zero = not yet
	Length    int       // of its text, in characters
	Robots    string    // what it asks of robots
	Canonical string
	Kept      bool // its text is still at hand for comparing
}

// maxReadings bounds the answer of SourceArticles.
const maxReadings = 100

const readingColumns = `a.item, i.link, a.state, a.since, a.due_at, a.tries, a.outcome, a.detail, a.read_at, a.length, a.robots, a.canonical,
	CASE WHEN EXISTS (SELECT 1 FROM article_texts x WHERE x.item = a.item) THEN 1 ELSE 0 END`

// StoryArticles returns what became of the pages of a story's items, by item.
// An item is missing whose page was never to be read.
func (db *DB) StoryArticles(ctx context.Context, story string) (map[int64]ArticleReading, error) {
	all, err := db.readings(ctx, `SELECT `+readingColumns+` FROM items i JOIN articles a ON a.item = i.id WHERE i.story = $1`, story)
	if err != nil {
		return nil, fmt.Errorf("read articles of story %s: %w", story, err)
	}
	byItem := map[int64]ArticleReading{}
	for _, r := range all {
		byItem[r.Item] = r
	}
	return byItem, nil
}

// SourceArticles returns what became of the pages of a source's newest items,
// the newest first.
func (db *DB) SourceArticles(ctx context.Context, source string) ([]ArticleReading, error) {
	all, err := db.readings(ctx, fmt.Sprintf(`SELECT `+readingColumns+` FROM (SELECT item FROM carriers WHERE source = $1 ORDER BY item DESC LIMIT %d) AS w
		JOIN articles a ON a.item = w.item JOIN items i ON i.id = w.item ORDER BY a.item DESC`, maxReadings), source)
	if err != nil {
		return nil, fmt.Errorf("read articles of source %s: %w", source, err)
	}
	return all, nil
}

func (db *DB) readings(ctx context.Context, query string, args ...any) ([]ArticleReading, error) {
	rows, err := db.engine.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []ArticleReading
	for rows.Next() {
		var r ArticleReading
		var since, due, read, kept int64
		if err := rows.Scan(&r.Item, &r.Link, &r.State, &since, &due, &r.Tries, &r.Outcome, &r.Detail, &read, &r.Length, &r.Robots, &r.Canonical, &kept); err != nil {
			return nil, err
		}
		r.Since, r.Due, r.Read, r.Kept = fromMillis(since), fromMillis(due), fromMillis(read), kept > 0
		all = append(all, r)
	}
	return all, rows.Err()
}
