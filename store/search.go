package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// searchTimeout bounds one search. The usual one takes a few milliseconds;
// two words that nearly every story holds, and none together, take longest.
const searchTimeout = 3 * time.Second

// textIndex is how an engine finds stories by words. The rows are keyed by the
// time of listing, which no two stories share and which is the order of the
// answer: the newest first, without ranking or counting what is not shown.
//
// SQLite: FTS5 that keeps no text. It keeps the words' number (columnsize),
// because a row can be deleted without its text only with it; deleting by the
// text needs the very text that was entered, which an edit has changed.
// PostgreSQL: tsvectors of our words, not of its parser's.
type textIndex struct {
	create  string
	enter   string                   // $1 key, $2 text
	leave   string                   // $1 key
	text    func([]string) string    // of words
	phrase  func(Term) string        // as a part of a question
	and     string                   // between parts
	or      string                   //
	not     func(part string) string // joined to what is there
	matches []string                 // $1 question, $2 key to stay below, $3 lowest key, %d limit: tried in this order until one has enough
}

var sqliteIndex = textIndex{
	create: `CREATE VIRTUAL TABLE search USING fts5(words, content='', contentless_delete=1, tokenize='ascii')`,
	enter:  `INSERT OR REPLACE INTO search (rowid, words) VALUES ($1, $2)`,
	leave:  `DELETE FROM search WHERE rowid = $1`,
	text:   func(words []string) string { return strings.Join(words, " ") },
	phrase: func(p Term) string { return `"` + strings.Join(p, " ") + `"` },
	and:    " AND ", or: " OR ",
	not:     func(part string) string { return " NOT " + part },
	matches: []string{`SELECT rowid AS doc FROM search WHERE search MATCH $1 AND rowid < $2 AND rowid >= $3 ORDER BY rowid DESC LIMIT %d`},
}

// newestRead is how many stories PostgreSQL looks through from the newest
// before it asks its index: that must gather and sort all that has a word, and
// the words of which it would gather most are found soon.
const newestRead = 5000

var postgresIndex = textIndex{
	create: "CREATE TABLE search (doc BIGINT PRIMARY KEY, words TSVECTOR NOT NULL);\nCREATE INDEX search_words ON search USING gin (words)",
	enter:  `INSERT INTO search (doc, words) VALUES ($1, CAST(CAST($2 AS TEXT) AS TSVECTOR)) ON CONFLICT (doc) DO UPDATE SET words = excluded.words`,
	leave:  `DELETE FROM search WHERE doc = $1`,
	text: func(words []string) string {
		var b strings.Builder
		for i, word := range words {
			fmt.Fprintf(&b, "'%s':%d ", word, i+1)
		}
		return b.String()
	},
	phrase: func(p Term) string { return "('" + strings.Join(p, "' <-> '") + "')" },
	and:    " & ", or: " | ",
	not: func(part string) string { return " & !" + part },
	matches: []string{
		`SELECT doc FROM (SELECT doc, words FROM search WHERE doc < $2 AND doc >= $3 ORDER BY doc DESC LIMIT ` + strconv.Itoa(newestRead) + `) AS w
			WHERE words @@ CAST(CAST($1 AS TEXT) AS TSQUERY) ORDER BY doc DESC LIMIT %d`,
		`SELECT doc FROM search WHERE words @@ CAST(CAST($1 AS TEXT) AS TSQUERY) AND doc < $2 AND doc >= $3 ORDER BY doc DESC LIMIT %d`,
	},
}

// question is what the engine is asked. Words consist of letters and digits:
// nothing in them can be an operator or end a quotation.
func (x *textIndex) question(w Words) string {
	parts := make([]string, 0, len(w.All)+1)
	for _, p := range w.All {
		parts = append(parts, x.phrase(p))
	}
	if len(w.Any) > 0 {
		any := make([]string, len(w.Any))
		for i, p := range w.Any {
			any[i] = x.phrase(p)
		}
		parts = append(parts, "("+strings.Join(any, x.or)+")")
	}
	q := "(" + strings.Join(parts, x.and) + ")"
	for _, p := range w.Not {
		q += x.not(x.phrase(p))
	}
	return q
}

// enterWords makes a listed story searchable by what it quotes, anew if it was.
func (t *tx) enterWords(story string) error {
	var doc int64
	var title, summary string
	if err := t.queryRow(`SELECT s.listed, i.title, i.summary FROM stories s JOIN items i ON i.id = s.quoted WHERE s.id = $1`,
		story).Scan(&doc, (*text)(&title), (*text)(&summary)); err != nil {
		return fmt.Errorf("read the words of %s: %w", story, err)
	}
	x := t.w.engine.index
	if err := t.exec(x.enter, doc, x.text(indexed(title, summary))); err != nil {
		return fmt.Errorf("enter the words of %s: %w", story, err)
	}
	return nil
}

// leaveWords ends that.
func (t *tx) leaveWords(s *row) error {
	if err := t.exec(t.w.engine.index.leave, s.listed); err != nil {
		return fmt.Errorf("take out the words of %s: %w", s.id, err)
	}
	return nil
}

// Searched says whether a selection is answered from the index of words: then
// always in the order of listing, and a Cursor's time is that of listing.
func (s Selection) Searched() bool { return s.Words.positive() && s.Day == "" }

// searchWalk is walk for what is Searched.
func (db *DB) searchWalk(ctx context.Context, sel Selection, w window) ([]place, error) {
	below := int64(math.MaxInt64)
	if !w.before.At.IsZero() {
		below = millis(w.before.At)
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	all, err := db.searchBelow(ctx, sel, w, below)
	if err != nil || len(all) >= w.limit || sel.To == "" || sel.latest() >= below {
		return all, err
	}
	// The newest stories with a common word hide those of a year ago: look for
	// them where they were listed.
	older, err := db.searchBelow(ctx, sel, w, sel.latest())
	all = append(all, older...)
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(b.at, a.at) })
	all = slices.CompactFunc(all, func(a, b place) bool { return a.story == b.story })
	return all[:min(len(all), w.limit)], err
}

// lateListing is how long after its publication a story is listed as a rule;
// what a source's first visit brings may come years after.
const lateListing = 2 * 24 * time.Hour

// latest bounds when most of what a search with a last day is for was listed.
func (s Selection) latest() int64 { return millis(s.To.Next().Start().Add(lateListing)) }

// between is the condition of the days that a search is limited to.
func (s Selection) between(args *arguments) string {
	cond := ""
	if s.From != "" {
		cond += " AND s.shown >= " + args.add(millis(s.From.Start()))
	}
	if s.To != "" {
		cond += " AND s.shown < " + args.add(millis(s.To.Next().Start()))
	}
	return cond
}

// searchBelow finds the newest stories that were listed before a moment.
func (db *DB) searchBelow(ctx context.Context, sel Selection, w window, below int64) ([]place, error) {
	var all []place
	for _, match := range db.engine.index.matches {
		// First what is most often enough, then as far as an intersection may go.
		for _, lookups := range []int{min(4*w.limit, maxLookups), maxLookups} {
			var err error
			if all, err = db.matching(ctx, sel, w, below, fmt.Sprintf(match, lookups)); err != nil {
				if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
					return nil, ErrTooBroad
				}
				return nil, err
			}
			if len(all) >= w.limit {
				return all, nil
			}
			if !sel.narrowed() && len(w.without) == 0 && w.table != "by_listed" {
				break // nothing was left out but what is not there
			}
		}
	}
	return all, nil
}

// narrowed says whether a selection has fields besides its words.
func (s Selection) narrowed() bool {
	return len(s.Topics)+len(s.Provinces)+len(s.Outlets)+len(s.Scopes) > 0 || s.From != "" || s.To != ""
}

// matching looks up what match finds in the other fields of the selection.
func (db *DB) matching(ctx context.Context, sel Selection, w window, below int64, match string) ([]place, error) {
	args := arguments{db.engine.index.question(sel.Words), below, w.from}
	at := "s.listed"
	if w.table == "by_published" {
		at = "s.shown"
	}
	within := func(scopes []string) string {
		return fmt.Sprintf("EXISTS (SELECT 1 FROM %s x WHERE x.scope IN (%s) AND x.at = %s AND x.story = s.id)", w.table, args.list(scopes), at)
	}
	cond := ""
	for _, dim := range sel.dimensions() {
		cond += " AND " + within(dim)
	}
	if len(w.without) > 0 {
		cond += " AND NOT " + within(w.without)
	}
	cond += sel.between(&args)
	rows, err := db.engine.read.QueryContext(ctx, `SELECT s.listed, s.id FROM (`+match+`) AS u
		JOIN stories s ON s.listed = u.doc AND s.listed > 0 WHERE s.merged_into = ''`+cond+
		fmt.Sprintf(` ORDER BY u.doc DESC LIMIT %d`, w.limit), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.at, &p.story); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// maxSifted bounds how many stories are looked at to find those in some
// language, or with some words, among all of a selection.
const maxSifted = 2000

// textual says whether the selection asks for more than scopes tell.
func (s Selection) textual() bool { return len(s.Languages) > 0 || s.Words.asked() }

// sifted says whether stories must be looked at to know whether they fit.
func (s Selection) sifted() bool {
	return len(s.Languages) > 0 || s.Words.asked() && !s.Searched()
}

// fits says whether a story belongs to the selection by the text it quotes;
// words are those of the text, asked for only if they matter.
func (s Selection) fits(lang string, words func() []string) bool {
	if len(s.Languages) > 0 {
		base, _, _ := strings.Cut(strings.ToLower(lang), "-")
		if !slices.Contains(s.Languages, base) {
			return false
		}
	}
	return !s.Words.asked() || s.Words.holds(words())
}

// sift is a walk that looks at no more than maxSifted stories and keeps those
// that fit; last is where it stopped looking, 0 if nothing was left.
func (db *DB) sift(ctx context.Context, sel Selection, w window) (all []place, last int64, err error) {
	limit := w.limit
	for seen := 0; seen < maxSifted; {
		w.limit = min(max(2*limit, 100), maxSifted-seen)
		found, err := db.walk(ctx, sel, w)
		if err != nil {
			return nil, 0, err
		}
		fit, err := db.fitting(ctx, sel, found)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, fit...)
		if len(all) >= limit {
			return all[:limit], 0, nil
		}
		if len(found) < w.limit {
			return all, 0, nil
		}
		at := found[len(found)-1]
		w.before, seen, last = Cursor{fromMillis(at.at), at.story}, seen+len(found), at.at
	}
	return all, last, nil
}

// fitting keeps the places of stories that fit a selection by the text they
// quote.
func (db *DB) fitting(ctx context.Context, sel Selection, found []place) ([]place, error) {
	fit := make(map[string]bool, len(found))
	for chunk := range slices.Chunk(found, maxParams) {
		args := make([]any, len(chunk))
		for i, p := range chunk {
			args[i] = p.story
		}
		args = padded(args)
		rows, err := db.engine.read.QueryContext(ctx, `SELECT s.id, i.lang, i.title, i.summary FROM stories s
			JOIN items i ON i.id = s.quoted WHERE s.id IN (`+places(1, len(args))+`)`, args...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var id, lang, title, summary string
			if err := rows.Scan(&id, &lang, (*text)(&title), (*text)(&summary)); err != nil {
				return nil, err
			}
			fit[id] = sel.fits(lang, func() []string { return indexed(title, summary) })
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(p place) bool { return !fit[p.story] }), nil
}

// siftGraves keeps those of what is gone that had belonged to a selection that
// its scopes alone do not tell.
func (db *DB) siftGraves(ctx context.Context, sel Selection, graves []Tombstone) ([]Tombstone, error) {
	if len(graves) == 0 || !sel.textual() {
		return graves, nil
	}
	stood := make([]place, len(graves))
	for i := range graves {
		stood[i].story = graves[i].Story
	}
	fit, err := db.fitting(ctx, sel, stood) // by the text: they left the index
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(graves, func(g Tombstone) bool {
		return !slices.ContainsFunc(fit, func(p place) bool { return p.story == g.Story })
	}), nil
}

// searchBatch is how many stories one transaction enters into the index of
// words when a database comes from a program that had none.
const searchBatch = 500

// enterAllWords makes what is listed searchable, once: a database that an
// older program wrote. It goes on where it was stopped.
func (db *DB) enterAllWords(ctx context.Context) error {
	for {
		done := true
		err := db.do(ctx, batchItems, func(t *tx) error {
			var upto int64
			if err := t.queryRow(`SELECT coalesce(max(value), 0) FROM meta WHERE name = 'searchable'`).Scan(&upto); err != nil || upto == math.MaxInt64 {
				return err
			}
			all, err := scanRows(t.query(`SELECT `+storyColumns+` FROM stories WHERE listed > $1 AND listed > 0 ORDER BY listed LIMIT $2`, upto, searchBatch))
			if err != nil {
				return err
			}
			for i := range all {
				if upto = all[i].listed; all[i].visible() {
					if err := t.enterWords(all[i].id); err != nil {
						return err
					}
				}
			}
			if done = len(all) < searchBatch; done { // from now on they enter when they are listed
				upto = math.MaxInt64
			}
			return t.exec(`INSERT INTO meta (name, value) VALUES ('searchable', $1)
				ON CONFLICT (name) DO UPDATE SET value = excluded.value`, upto)
		})
		if err != nil || done {
			return err
		}
	}
}
