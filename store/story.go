package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Story is the items that are the same text, one of them the original.
type Story struct {
	ID       string    // 13 base32 letters, unchanged for life
	Listed   time.Time // when readers could first see it; zero while held
	Updated  time.Time // last change that readers can see; Listed if none
	Shown    time.Time // its place in day listings: the quoted item's Published, else Seen; unchanged
	Quoted   Item      // the one item an entry shows, whole
	Original Item      // the best known original; often the same as Quoted
	Why      string    // why that one is the original
	Outlet   Outlet    // the quoted item's outlet
	Topics   []Topic   // primary first
	Province string
	Backfill bool // brought by a source's very first visit, beyond the newest ten
	Reduced  bool // of what it quotes only what names the original is left: see Retention; Story alone sets it
	Carriers int  // outlets that carry it and let themselves be shown; for pages, never for feeds
}

// Copy is one item of a story with the reason why it belongs there.
type Copy struct {
	Item   Item
	Outlet Outlet
	Merge  Merge
}

// Merge is why an item was put into its story.
type Merge struct {
	Reason   string    `json:"reason"` // first, link, text, …
	Score    float64   `json:"score"`  // 0 … 1
	Evidence string    `json:"evidence"`
	At       time.Time `json:"at"`
	// Firm says that both whole texts were compared, or that both name one
	// article: enough to make one story of two that stand already.
	Firm bool `json:"-"`
}

// storyID is the id of a new story: the same on both engines and every
// replica, free of host name and headline.
func storyID(outlet, firstAlias string) string {
	sum := sha256.Sum256([]byte(outlet + "\x00" + firstAlias))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:13])
}

// never is the list_at of a story that may not be listed as it stands.
const never = int64(math.MaxInt64)

// row is a story as its row holds it.
type row struct {
	id                     string
	listAt, holdUntil      int64
	listed, updated, shown int64
	quoted, original       int64
	why                    string
	topics                 []Topic
	province               string
	backfill               int64
	copies                 int
	mergedInto             string
	withdrawn              int64
	hidden                 int64    // the ruling that hides it
	pinned                 int64    // the item ruled to be the original
	quotedBefore           []int64  // items that it quoted once: readers know its entry by them
	ruled                  []string // "+topic" and "-topic", as rulings say
	readUntil              int64    // when waiting for pages ends
}

const storyColumns = `id, list_at, hold_until, listed, updated, shown, quoted, original, original_why, topics, province, backfill, copies, merged_into, withdrawn, hidden, pinned, ruled_topics, quoted_before, read_until`

func scanRows(rows *sql.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		var topics, ruled, before string
		if err := rows.Scan(&r.id, &r.listAt, &r.holdUntil, &r.listed, &r.updated, &r.shown, &r.quoted, &r.original, &r.why,
			&topics, &r.province, &r.backfill, &r.copies, &r.mergedInto, &r.withdrawn, &r.hidden, &r.pinned, &ruled, &before, &r.readUntil); err != nil {
			return nil, err
		}
		if err := errors.Join(decode(topics, &r.topics), decode(ruled, &r.ruled), decode(before, &r.quotedBefore)); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func (t *tx) story(id string) (*row, error) {
	all, err := scanRows(t.query(`SELECT `+storyColumns+` FROM stories WHERE id = $1`, id))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// joinStory makes the item part of its story, lists the story if its time has
// come, and names the original anew. holds says that the story is to wait until
// the item's page is read.
func (v *visit) joinStory(it *Item, existing, backfill, holds bool) error {
	now := millis(v.r.At)
	s, err := v.story(it.Story)
	if err != nil {
		return fmt.Errorf("read story: %w", err)
	}
	at, hold, read := listAt(it, v.outlets[it.Outlet], now), int64(0), int64(0)
	if v.r.Hold > 0 {
		hold = now + v.r.Hold.Milliseconds()
	}
	if holds {
		read = now + v.r.Reading.Hold.Milliseconds()
	}
	if s == nil {
		if existing {
			return fmt.Errorf("story %s has vanished", it.Story)
		}
		if err := v.exec(`INSERT INTO stories (`+storyColumns+`) VALUES ($1, $2, $3, 0, 0, $4, 0, 0, '', '[]', '', $5, 1, '', 0, 0, 0, '', '', $6)`,
			it.Story, at, hold, millis(it.Time()), flag(backfill), read); err != nil {
			return fmt.Errorf("insert story: %w", err)
		}
	} else {
		if err := v.exec(`UPDATE stories SET copies = copies + 1, reduced = 0,
			list_at = CASE WHEN list_at > $1 THEN $1 ELSE list_at END WHERE id = $2`, at, it.Story); err != nil {
			return fmt.Errorf("update story: %w", err)
		}
		if s.listed > 0 {
			v.note(s.id)
			if err := v.gainTopics(s, it); err != nil {
				return err
			}
			return v.renameOriginal(s)
		}
		if hold, read = s.holdUntil, s.readUntil; holds {
			if read, err = v.waitForCopy(s); err != nil {
				return err
			}
		}
		if s.hidden > 0 {
			return nil
		}
	}
	if at > now || hold > now || read > now {
		return nil
	}
	return v.listNow(it.Story, now)
}

// listNow lists a story whose time has come, and counts it.
func (v *visit) listNow(id string, now int64) error {
	waited, listed, err := v.list(id, now, v.outlets, v.judge)
	if listed {
		v.changes.Listed++
		v.changes.Waits = append(v.changes.Waits, waited)
	}
	return err
}

// listAt is when an outlet's terms let an item be listed.
func listAt(it *Item, o Outlet, now int64) int64 {
	switch {
	case o.Show == ShowNone:
		return never
	case o.Delay > 0:
		return max(now, millis(it.Time().Add(o.Delay)))
	}
	return now
}

// free are the items whose outlets let them be shown now: nothing that readers
// see, "Bản gốc" either, names another.
func free(items []Item, outlets map[string]Outlet, now int64) []Item {
	var all []Item
	for _, it := range items {
		if listAt(&it, outlets[it.Outlet], now) <= now {
			all = append(all, it)
		}
	}
	return all
}

// list makes a story visible: it chooses the quoted item for life and enters
// the story into every scope. waited is the time since its first item was seen.
func (t *tx) list(id string, now int64, outlets map[string]Outlet, judge Judge) (waited time.Duration, listed bool, err error) {
	items, err := t.storyItems(id)
	if err != nil {
		return 0, false, fmt.Errorf("read items: %w", err)
	}
	items = free(items, outlets, now)
	if len(items) == 0 {
		return 0, false, nil
	}
	s, err := t.story(id)
	if err != nil || s == nil {
		return 0, false, fmt.Errorf("read story: %w", err)
	}
	o, why := s.chooseOriginal(items, outlets, judge)
	quoted := &items[o]
	s.listed, s.quoted = t.tick(now), quoted.ID
	s.shown = min(millis(quoted.Time()), s.listed)
	s.topics, s.province = ruledTopics(storyTopics(items, quoted.ID), s.ruled), quoted.Province
	if err := t.exec(`UPDATE stories SET listed = $1, updated = $1, shown = $2, quoted = $3, original = $3,
		original_why = $4, topics = $5, province = $6 WHERE id = $7`,
		s.listed, s.shown, quoted.ID, why, encoded(s.topics), s.province, id); err != nil {
		return 0, false, fmt.Errorf("update story: %w", err)
	}
	return fromMillis(s.listed).Sub(items[0].Seen), true, t.enter(s, outlets[quoted.Outlet])
}

// enter writes a listed story into both orders of each of its scopes, and its
// words into the index.
func (t *tx) enter(s *row, o Outlet) error {
	scopes := scopesOf(o, s.topics, s.province)
	enter := func(table string, at int64) error {
		args := []any{at, s.id}
		for _, scope := range scopes {
			args = append(args, scope)
		}
		return t.exec(`INSERT INTO `+table+` (at, story, scope) VALUES `+valueRows("($1, $2, $%d)", 3, len(scopes)), args...)
	}
	if s.backfill == 0 {
		if err := enter("by_listed", s.listed); err != nil {
			return fmt.Errorf("enter by listing: %w", err)
		}
	}
	if err := enter("by_published", s.shown); err != nil {
		return fmt.Errorf("enter by publication: %w", err)
	}
	if err := t.enterWords(s.id); err != nil {
		return err
	}
	t.raise(s, o)
	return t.archive(s, scopes)
}

// scopesOf are the scopes whose listings hold a story, judged by the quoted item.
func scopesOf(o Outlet, topics []Topic, province string) []string {
	scopes := []string{"all", "outlet:" + o.ID, "scope:" + string(o.Scope)}
	for _, tp := range orNone(topics) {
		scopes = append(scopes, "topic:"+string(tp))
	}
	if province != "" {
		scopes = append(scopes, "province:"+province)
	}
	return scopes
}

func dayScope(d Day) string { return "day:" + string(d) }

// topicIDs are an item's topics, the primary one first.
func topicIDs(topics []ItemTopic) []Topic {
	ids := make([]Topic, 0, len(topics))
	for _, tp := range topics {
		if tp.Primary {
			ids = slices.Insert(ids, 0, tp.Topic)
		} else {
			ids = append(ids, tp.Topic)
		}
	}
	return ids
}

// changeStory is called when an item's visible text changed: readers see it
// only if that item is the one quoted.
func (v *visit) changeStory(it *Item) error {
	s, err := v.story(it.Story)
	if err != nil {
		return fmt.Errorf("read story: %w", err)
	}
	if s == nil || !s.visible() {
		return nil
	}
	if s.original == it.ID {
		v.note(s.id)
	}
	if s.quoted != it.ID {
		return nil
	}
	if err := v.enterWords(s.id); err != nil {
		return err
	}
	if err := v.touch(s, v.outlets[it.Outlet]); err != nil {
		return err
	}
	return v.archiveEdited(s, scopesOf(v.outlets[it.Outlet], s.topics, s.province))
}

// touch raises a listed story's Updated and the revision of its scopes.
func (v *visit) touch(s *row, o Outlet) error {
	if err := v.exec(`UPDATE stories SET updated = $1 WHERE id = $2`, v.tick(millis(v.r.At)), s.id); err != nil {
		return fmt.Errorf("update story: %w", err)
	}
	v.raise(s, o)
	return nil
}

// raise marks the scopes of a story for a new revision.
func (t *tx) raise(s *row, o Outlet) {
	t.note(s.id)
	for _, scope := range scopesOf(o, s.topics, s.province) {
		t.scopes[scope] = true
	}
	t.scopes[dayScope(DayOf(fromMillis(s.shown)))] = true
}

// maxJudged bounds the items of a story among which the original is sought. A
// text that more items carry is boilerplate that comes again every day, and
// its next copy must cost no more than this one.
const maxJudged = 200

// renameOriginal judges again which item of a listed story is the original.
// What the entry quotes stays; it gains "Bản gốc: …", which is one update.
func (v *visit) renameOriginal(s *row) error {
	if s.copies >= maxJudged && s.pinned == 0 && s.original != 0 {
		return nil
	}
	items, err := v.storyItems(s.id)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	items = free(items, v.outlets, millis(v.r.At))
	if len(items) == 0 || !s.visible() {
		return nil
	}
	if !slices.ContainsFunc(items, func(it Item) bool { return it.ID == s.quoted }) {
		from, err := v.quotedOutlet(s) // which may be shown no longer
		if err != nil {
			return err
		}
		return v.quoteAnew(s, from, items, v.r.At, v.outlets, v.judge)
	}
	o, why := s.chooseOriginal(items, v.outlets, v.judge)
	if items[o].ID == s.original && why == s.why {
		return nil
	}
	was := s.original
	s.original, s.why = items[o].ID, why
	if err := v.exec(`UPDATE stories SET original = $1, original_why = $2 WHERE id = $3`, items[o].ID, why, s.id); err != nil {
		return fmt.Errorf("update story: %w", err)
	}
	if s.original == was { // the evidence has grown: nothing that feeds show
		return nil
	}
	v.changes.Originals[why]++
	for _, it := range items {
		if it.ID == s.quoted {
			return v.touch(s, v.outlets[it.Outlet])
		}
	}
	return fmt.Errorf("story %s has lost its quoted item %d", s.id, s.quoted)
}

// storyItems returns a story's first items that are not withdrawn, at most
// maxJudged.
func (t *tx) storyItems(story string) ([]Item, error) {
	rows, err := scanItems(t.query(`SELECT `+itemColumns+` FROM items
		WHERE story = $1 AND withdrawn = 0 ORDER BY id LIMIT $2`, story, maxJudged))
	items := make([]Item, len(rows))
	for i := range rows {
		items[i] = rows[i].Item
	}
	return items, err
}

// Unhold ends the waiting of every held story: the copies it waited for have
// had their chance, and with pages, those too. Stories that may never be listed stay as they are: they
// are all that grows with the archive.
func (db *DB) Unhold(ctx context.Context, pages bool) error {
	err := db.do(ctx, 1, func(t *tx) error {
		what := `hold_until = 0`
		if pages {
			what += `, read_until = 0`
		}
		return t.exec(`UPDATE stories SET `+what+`
			WHERE listed = 0 AND merged_into = '' AND list_at < $1 AND hold_until + read_until > 0`, never)
	})
	if err != nil {
		return fmt.Errorf("end holds: %w", err)
	}
	return nil
}

// List lists the stories whose time has come, the oldest first, at most limit,
// and says for each how long it waited since its first item was seen.
func (db *DB) List(ctx context.Context, now time.Time, limit int, judge Judge) (waits []time.Duration, err error) {
	if err := db.followTaken(ctx); err != nil {
		return nil, fmt.Errorf("list stories: %w", err)
	}
	var waiting bool
	if err := db.engine.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM stories
		WHERE listed = 0 AND merged_into = '' AND hidden = 0 AND list_at <= $1 AND hold_until <= $1 AND read_until <= $1)`, millis(now)).Scan(&waiting); err != nil {
		return nil, fmt.Errorf("list stories: %w", err)
	}
	if !waiting {
		return nil, nil
	}
	outlets := *db.outlets.Load()
	err = db.do(ctx, limit, func(t *tx) error {
		waits = nil
		due, err := scanRows(t.query(`SELECT `+storyColumns+` FROM stories
			WHERE listed = 0 AND merged_into = '' AND hidden = 0 AND list_at <= $1 AND hold_until <= $1 AND read_until <= $1 ORDER BY shown, id LIMIT $2`, millis(now), limit))
		if err != nil {
			return err
		}
		for _, s := range due {
			waited, listed, err := t.list(s.id, millis(now), outlets, judge)
			if err != nil {
				return err
			}
			if !listed { // its outlet's terms have changed: ask again in an hour
				if err := t.exec(`UPDATE stories SET list_at = $1 WHERE id = $2`, millis(now.Add(time.Hour)), s.id); err != nil {
					return err
				}
				continue
			}
			waits = append(waits, waited)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list stories: %w", err)
	}
	return waits, nil
}
