package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Item is one clean article of one outlet, carried by one or more of its
// sources.
type Item struct {
	ID           int64
	Outlet       string // outlet id
	Source       string // id of the source that its text was last read from
	Story        string // id of its story
	Title        string // plain text, NFC
	Link         string // canonical, absolute, http or https
	Summary      string // plain text, NFC
	Content      string // sanitised HTML, empty if the source gave only a summary
	Authors      []string
	Image        string // absolute address, or empty
	Categories   []string
	Enclosures   []Enclosure
	Lang         string    // BCP 47, empty = the site's language
	Published    time.Time // zero if unknown
	PublishedRaw string    // the date as the source wrote it
	Updated      time.Time // zero if unknown
	Seen         time.Time // always set: when we first read it
	Attribution  Attribution
	Province     string // id of the province it is about, or of its outlet; may be empty
	Topics       []ItemTopic

	// Aliases are the item's identities, strongest first: "guid:SOURCE:…",
	// "link:…", "was:…" (the link under a former domain).
	Aliases []string
	// Sketch holds the keys under which items with nearly the same text find
	// each other.
	Sketch []uint32
	// Text is the text of the item's own page, plain: for comparing items alone.
	// It is kept for a while and never given out.
	Text string
	// Page is what the item's own page said, if it was read together with the
	// listing that names the item; else nil.
	Page *Article
	// Form is what the judge compares in place of the item's words, kept as
	// long as the sketch; empty = compare the words.
	Form []byte
	// Lines are keys of lines of the text that may be boilerplate.
	Lines []uint64
	// Names are keys of the names in its headline and its first words.
	Names []uint32
	// Fingerprint changes when, and only when, a reader would see a change.
	Fingerprint uint64
}

// Enclosure is a file that an item carries (RSS 2.0 <enclosure>, Atom
// rel=enclosure, JSON Feed attachments).
type Enclosure struct {
	URL    string `json:"url"`
	Type   string `json:"type"`
	Length int64  `json:"length"` // bytes, 0 if unknown
}

// Attribution is what an item says about where its text comes from
// ("Theo: nhandan.vn", "(TTXVN)").
type Attribution struct {
	Text   string `json:"text,omitempty"`   // the name as written: "nhandan.vn", "TTXVN"
	Outlet string `json:"outlet,omitempty"` // the outlet's id, if we know it
	Link   string `json:"link,omitempty"`   // the article it names, if it does
}

// AttributionCompiled stands in Attribution.Text for a text put together from
// sources it does not name: "(T/h)", "(Tổng hợp)". It names no original.
const AttributionCompiled = "tổng hợp"

// Time is when readers are told the item appeared: Published, else Seen.
func (it *Item) Time() time.Time {
	if it.Published.IsZero() {
		return it.Seen
	}
	return it.Published
}

// itemColumns lists the columns of items in the order of scanItem and insert.
const itemColumns = `id, outlet, source, story, title, link, summary, content, authors, image, categories,
	enclosures, lang, published, published_raw, updated, seen, attribution, province, topics, fingerprint,
	merge_reason, merge_score, merge_evidence, merge_at`

// stored is an item as a row holds it: with the reason why it is in its story.
type stored struct {
	Item
	merge Merge
}

func scanItem(rows *sql.Rows) (stored, error) {
	var it stored
	var authors, categories, enclosures, attribution, topics string
	var published, updated, seen, fingerprint, mergedAt int64
	err := rows.Scan(&it.ID, &it.Outlet, &it.Source, &it.Story, (*text)(&it.Title), &it.Link, (*text)(&it.Summary), (*text)(&it.Content),
		&authors, &it.Image, &categories, &enclosures, &it.Lang, &published, &it.PublishedRaw, &updated, &seen,
		&attribution, &it.Province, (*text)(&topics), &fingerprint,
		&it.merge.Reason, &it.merge.Score, &it.merge.Evidence, &mergedAt)
	if err != nil {
		return it, err
	}
	it.Published, it.Updated, it.Seen = fromMillis(published), fromMillis(updated), fromMillis(seen)
	it.Fingerprint, it.merge.At = uint64(fingerprint), fromMillis(mergedAt)
	return it, errors.Join(decode(authors, &it.Authors), decode(categories, &it.Categories),
		decode(enclosures, &it.Enclosures), decode(attribution, &it.Attribution), decode(topics, &it.Topics))
}

func scanItems(rows *sql.Rows, err error) ([]stored, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []stored
	for rows.Next() {
		it, err := scanItem(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, it)
	}
	return all, rows.Err()
}

func (t *tx) insertItem(it *Item, m Merge) error {
	return t.exec(`INSERT INTO items (`+itemColumns+`, check_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
		$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
		it.ID, it.Outlet, it.Source, it.Story, text(it.Title), it.Link, text(it.Summary), text(it.Content), encoded(it.Authors),
		it.Image, encodedList(it.Categories), encodedList(it.Enclosures), it.Lang, millis(it.Published), it.PublishedRaw,
		millis(it.Updated), millis(it.Seen), encoded(it.Attribution), it.Province, text(encoded(it.Topics)),
		int64(it.Fingerprint), m.Reason, m.Score, m.Evidence, millis(m.At), millis(it.Seen.Add(FirstCheck)))
}

// updateItem writes what a later visit read. Published stays what it first
// was: outlets bump it on every edit, and the day of a story must not move.
// What the item's page gave and its source never does is kept.
func (t *tx) updateItem(it *Item) error {
	return t.exec(`UPDATE items SET source = $1, title = $2, link = $3,
		summary = CASE WHEN $18 = 0 THEN summary ELSE $4 END, content = $5,
		authors = CASE WHEN $6 NOT IN ('null', '[]') THEN $6 ELSE coalesce((SELECT NULLIF(authors, '') FROM articles WHERE item = $17), $6) END,
		image = CASE WHEN $7 <> '' THEN $7 ELSE coalesce((SELECT image FROM articles WHERE item = $17), '') END, categories = $8, enclosures = $9, lang = $10,
		published = CASE WHEN published = 0 THEN $11 ELSE published END, published_raw = $12, updated = $13,
		attribution = CASE WHEN $14 = '{}' THEN attribution ELSE $14 END, topics = CASE WHEN $19 = 0 THEN topics ELSE $15 END, fingerprint = $16 WHERE id = $17`,
		it.Source, text(it.Title), it.Link, text(it.Summary), text(it.Content), encoded(it.Authors), it.Image, encodedList(it.Categories),
		encodedList(it.Enclosures), it.Lang, millis(it.Published), it.PublishedRaw, millis(it.Updated),
		encoded(it.Attribution), text(encoded(it.Topics)), int64(it.Fingerprint), it.ID, len(it.Summary), len(it.Topics))
}

// aliasHash is the key of one identity of one outlet's item.
func aliasHash(outlet, alias string) int64 {
	sum := sha256.Sum256([]byte(outlet + "\x00" + alias))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

// known is what a visit needs of an item it meets again.
type known struct {
	id          int64
	source      string
	story       string
	title       []byte // packed or not: few visits ask for it
	summary     []byte
	fingerprint uint64
	carried     bool // by the visited source
	orphan      bool // its source is switched off
	withdrawn   bool
	reduced     bool // by retention: what comes of it changes nothing
}

// words are the headline and summary that it has.
func (k *known) words() (title, summary string, err error) {
	if title, err = unpack(k.title); err == nil {
		summary, err = unpack(k.summary)
	}
	return title, summary, err
}

// resolve finds the items that a visit's aliases name. Both maps are filled
// with one query each, however many items the document has.
func (t *tx) resolve(source Source, items []Item) (byHash map[int64]int64, byID map[int64]*known, err error) {
	var hashes []any
	for i := range items {
		for _, a := range items[i].Aliases {
			hashes = append(hashes, aliasHash(source.Outlet, a))
		}
	}
	byHash, byID = map[int64]int64{}, map[int64]*known{}
	var ids []any
	for chunk := range slices.Chunk(hashes, maxParams) {
		chunk = padded(chunk)
		if err := t.eachPair(`SELECT hash, item FROM aliases WHERE hash IN (`+places(1, len(chunk))+`)`, chunk,
			func(hash, item int64) {
				byHash[hash] = item
				if byID[item] == nil {
					byID[item] = &known{}
					ids = append(ids, item)
				}
			}); err != nil {
			return nil, nil, err
		}
	}
	for chunk := range slices.Chunk(ids, maxParams) {
		if err := t.loadKnown(source.ID, chunk, byID); err != nil {
			return nil, nil, err
		}
	}
	return byHash, byID, nil
}

func (t *tx) loadKnown(source string, ids []any, byID map[int64]*known) error {
	ids = padded(ids)
	rows, err := t.query(`SELECT i.id, i.source, i.story, i.title, i.summary, i.fingerprint,
		CASE WHEN c.item IS NULL THEN 0 ELSE 1 END, CASE WHEN s.active = 1 THEN 0 ELSE 1 END, i.withdrawn, i.reduced
		FROM items i LEFT JOIN carriers c ON c.item = i.id AND c.source = $1
		LEFT JOIN sources s ON s.id = i.source WHERE i.id IN (`+places(2, len(ids))+`)`, append([]any{source}, ids...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k known
		var fingerprint, carried, orphan, withdrawn, reduced int64
		if err := rows.Scan(&k.id, &k.source, &k.story, &k.title, &k.summary, &fingerprint, &carried, &orphan, &withdrawn, &reduced); err != nil {
			return err
		}
		k.fingerprint, k.carried, k.orphan, k.withdrawn, k.reduced = uint64(fingerprint), carried != 0, orphan != 0, withdrawn != 0, reduced != 0
		byID[k.id] = &k
	}
	return rows.Err()
}

// maxParams bounds the parameters of one statement; SQLite takes 32,766 and
// PostgreSQL 65,535, and short lists keep the plans cheap.
const maxParams = 500

// padded repeats the last parameter until the list has one of a few lengths,
// so that an IN list is one of a few statements that stay prepared.
func padded(args []any) []any {
	for _, n := range []int{1, 8, 64, maxParams} {
		if len(args) <= n {
			return append(slices.Clone(args), slices.Repeat([]any{args[len(args)-1]}, n-len(args))...)
		}
	}
	return args
}

// places writes "$first, …" for n parameters.
func places(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// valueRows writes n rows of VALUES, each with one parameter of its own, from
// $first.
func valueRows(row string, first, n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(row, first+i)
	}
	return strings.Join(rows, ", ")
}

// eachPair calls each with the two numbers of every row.
func (t *tx) eachPair(query string, args []any, each func(a, b int64)) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b int64
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		each(a, b)
	}
	return rows.Err()
}

// addAliases gives the item those of its aliases that nobody has yet.
func (t *tx) addAliases(outlet string, aliases []string, item int64, byHash map[int64]int64) error {
	for _, a := range aliases {
		h := aliasHash(outlet, a)
		if _, taken := byHash[h]; taken {
			continue
		}
		byHash[h] = item
		if err := t.exec(`INSERT INTO aliases (hash, item) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, h, item); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addCarrier(item int64, source string) error {
	return t.exec(`INSERT INTO carriers (item, source) VALUES ($1, $2) ON CONFLICT (item, source) DO NOTHING`, item, source)
}

// Item returns one item of a listed story, of an outlet that may be shown; ErrWithdrawn if it, or its story,
// was taken down or removed by its outlet; else ErrNotFound.
func (db *DB) Item(ctx context.Context, id int64) (Item, error) {
	var gone bool
	err := db.engine.read.QueryRowContext(ctx, `SELECT i.withdrawn + s.withdrawn + s.hidden > 0 FROM items i
		JOIN stories s ON s.id = i.story WHERE i.id = $1 AND s.listed > 0`, id).Scan(&gone)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Item{}, fmt.Errorf("item %d: %w", id, ErrNotFound)
	case err != nil:
		return Item{}, fmt.Errorf("read item %d: %w", id, err)
	case gone:
		return Item{}, fmt.Errorf("item %d: %w", id, ErrWithdrawn)
	}
	all, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items WHERE id = $1`, id))
	if err != nil {
		return Item{}, fmt.Errorf("read item %d: %w", id, err)
	}
	if len(all) == 0 || (*db.outlets.Load())[all[0].Outlet].Show == ShowNone {
		return Item{}, fmt.Errorf("item %d: %w", id, ErrNotFound)
	}
	return all[0].Item, nil
}

// StoryOfLink returns the id of the story that holds an outlet's item with
// that canonical link, or ErrNotFound.
func (db *DB) StoryOfLink(ctx context.Context, link string) (string, error) {
	_, story, err := db.ItemOfLink(ctx, link)
	return story, err
}

// ItemOfLink returns the id of an outlet's item with that canonical link, and
// of its story, or ErrNotFound. Neither need be listed.
func (db *DB) ItemOfLink(ctx context.Context, link string) (item int64, story string, err error) {
	var hashes []any
	for id := range *db.outlets.Load() {
		hashes = append(hashes, aliasHash(id, "link:"+link))
	}
	for chunk := range slices.Chunk(hashes, maxParams) {
		err := db.engine.read.QueryRowContext(ctx, `SELECT id, story FROM items WHERE id =
			(SELECT min(item) FROM aliases WHERE hash IN (`+places(1, len(chunk))+`))`, chunk...).Scan(&item, &story)
		if err == nil {
			return item, story, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return 0, "", fmt.Errorf("find %s: %w", link, err)
		}
	}
	return 0, "", fmt.Errorf("no item with the link %s: %w", link, ErrNotFound)
}
