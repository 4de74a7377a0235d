package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is how one visit to a source ended: a closed set, used as metric
// label, stored status and scheduling rule.
type Outcome string

// The outcomes of a visit.
const (
	New         Outcome = "new"          // brought at least one new or changed item
	Unchanged   Outcome = "unchanged"    // the same body, or only items we had
	NotModified Outcome = "not_modified" // 304
	Gone        Outcome = "gone"         // 410
	Throttled   Outcome = "throttled"    // 429, or 503 with Retry-After
	Timeout     Outcome = "timeout"
	DNS         Outcome = "dns"
	Connect     Outcome = "connect" // refused, reset, cut off
	TLS         Outcome = "tls"
	HTTP4xx     Outcome = "http_4xx"
	HTTP5xx     Outcome = "http_5xx"
	Blocked     Outcome = "blocked"    // their firewall or challenge page
	Refused     Outcome = "refused"    // our guard: a private address, too many redirects
	Disallowed  Outcome = "disallowed" // their robots.txt asks us to stay away
	TooLarge    Outcome = "too_large"  // over a limit on bytes, depth or items
	NotAFeed    Outcome = "not_a_feed" // nothing readable in the body
	Internal    Outcome = "internal"   // our fault
)

// Outcomes lists the whole set.
var Outcomes = []Outcome{New, Unchanged, NotModified, Gone, Throttled, Timeout, DNS, Connect,
	TLS, HTTP4xx, HTTP5xx, Blocked, Refused, Disallowed, TooLarge, NotAFeed, Internal}

// OK says whether the source answered as it should.
func (o Outcome) OK() bool { return o == New || o == Unchanged || o == NotModified }

// FreshOfFirst is how many of the newest items of a source's very first visit
// enter the current feeds; the rest is backfill.
const FreshOfFirst = 10

// Refresh is what one visit to a source found.
type Refresh struct {
	Source Source
	At     time.Time
	Items  []Item // in the order of the document
	// Hold is how long a new story waits to be listed, for copies and the
	// original to arrive; 0 = not at all.
	Hold time.Duration
	// Reading says whether the new items' own pages are read. Its zero value is
	// never.
	Reading Reading
	// Settle returns the source's new state, given what changed. It is nil for
	// what was delivered and not fetched: then the source's state and lease,
	// which belong to whoever visits it, stay as they are.
	Settle func(Changes) SourceState
}

// Judge decides what needs the database's other items. Its methods are pure:
// they run inside the transaction.
type Judge interface {
	// Reused says whether a guid that named one article now names another.
	Reused(oldTitle, oldSummary string, it *Item) bool
	// Adapt reads again what the item is found and compared by (Sketch, Form),
	// in the light of the corpus.
	Adapt(it *Item, c Corpus)
	// Match returns the index in near of an item with the same text, and why;
	// -1 if there is none, with how near the nearest came.
	Match(it *Item, near []*Item) (int, Merge)
	// Related returns those of near that report the same event, and why.
	Related(it *Item, near []*Item, c Corpus) []Relation
	// Original returns the index of the original among a story's items, and why.
	Original(items []Item, outlets map[string]Outlet) (int, string)
}

// Changes is what a visit changed: the unit of atomicity, logging and metrics.
type Changes struct {
	New       int             // items never seen before
	Changed   int             // items whose visible text changed
	Same      int             // items we had
	Carried   int             // of these: carried by the visited source for the first time
	Listed    int             // stories that readers see since this visit
	Merged    map[string]int  // new items put into an existing story, by reason
	Topics    map[Topic]int   // new items by primary topic, "" = none
	Originals map[string]int  // stories whose original changed, by evidence
	Waits     []time.Duration // from the first sight of a story's first item to its listing, one for each of Listed
	Delays    []time.Duration // from publication to Seen, of new items of a source visited before
	// Late says that the source was claimed anew, or visited, since this visit
	// claimed it: of what it found only the unknown was stored.
	Late bool
}

// Record stores a visit in one transaction: items, stories, listings,
// revisions and the source's state.
//
// A process that slept past its lease comes with a document that is older than
// what is stored. Then nothing that is known changes, the source's state
// neither, and Changes are Late; what no other visit has seen is kept.
func (db *DB) Record(ctx context.Context, r Refresh, judge Judge) (Changes, error) {
	var c Changes
	outlets := *db.outlets.Load()
	var dates []dated
	err := db.do(ctx, len(r.Items), func(t *tx) error {
		c = Changes{Merged: map[string]int{}, Topics: map[Topic]int{}, Originals: map[string]int{}}
		v := &visit{tx: t, r: r, judge: judge, outlets: outlets, changes: &c}
		if r.Settle != nil && len(r.Items) > 0 {
			ours, err := t.ours(r.Source)
			if err != nil {
				return fmt.Errorf("look at its lease: %w", err)
			}
			c.Late = !ours
		}
		if err := v.recordItems(); err != nil {
			return err
		}
		dates = v.dates
		if r.Settle == nil {
			return t.saveDelivery(r.Source.ID, r.At, c)
		}
		if c.Late {
			return nil
		}
		return v.settle()
	})
	if err != nil {
		return Changes{}, fmt.Errorf("record %s: %w", r.Source.ID, err)
	}
	db.learnClock(r.Source.Outlet, dates)
	return c, nil
}

// settle stores the source's new state and gives the source back.
func (v *visit) settle() error {
	after := v.r.Settle(*v.changes)
	saved, err := v.saveState(v.r.Source, after)
	if err != nil {
		return err
	}
	if v.changes.Late = !saved; !saved {
		return nil
	}
	if err := v.noteProblem(v.r.Source, after); err != nil {
		return fmt.Errorf("note its problems: %w", err)
	}
	return nil
}

// visit is a Refresh on its way into the store.
type visit struct {
	*tx
	r       Refresh
	judge   Judge
	outlets map[string]Outlet
	changes *Changes
	dates   []dated // of the new items that have one
	byHash  map[int64]int64
	byID    map[int64]*known
}

func (v *visit) recordItems() (err error) {
	if len(v.r.Items) == 0 {
		return nil
	}
	if err := v.turnSketches(millis(v.r.At)); err != nil {
		return fmt.Errorf("turn sketches: %w", err)
	}
	if v.byHash, v.byID, err = v.resolve(v.r.Source, v.r.Items); err != nil {
		return fmt.Errorf("resolve aliases: %w", err)
	}
	order := oldestFirst(v.r.Items)
	for n, i := range order {
		backfill := !v.r.Source.State.Visited && n < len(order)-FreshOfFirst
		if err := v.recordItem(&v.r.Items[i], backfill); err != nil {
			return fmt.Errorf("item %q: %w", v.r.Items[i].Link, err)
		}
	}
	return nil
}

// oldestFirst is the order in which a document's items are stored, so that the
// newest is listed last and stands first in a feed. Documents are written
// newest first; an item without a date stays beside its neighbours.
func oldestFirst(items []Item) []int {
	at := make([]int64, len(items))
	var last int64
	for i := range items {
		if ms := millis(items[i].Published); ms != 0 {
			last = ms
		}
		at[i] = last
	}
	order := make([]int, len(items))
	for i := range order {
		order[i] = len(items) - 1 - i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	return order
}

func (v *visit) recordItem(it *Item, backfill bool) error {
	it.Outlet, it.Source, it.Seen = v.r.Source.Outlet, v.r.Source.ID, v.r.At
	k, err := v.identify(it)
	if err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	if k == nil {
		return v.addItem(it, backfill)
	}
	return v.meetAgain(it, k)
}

// identify climbs the ladder of identity: the canonical link names the item
// before the guid does, since outlets reuse guids for other articles. It takes
// a reused guid out of the new item's aliases.
func (v *visit) identify(it *Item) (*known, error) {
	var byGUID *known
	linked := false
	for _, a := range it.Aliases {
		isGUID := strings.HasPrefix(a, "guid:")
		linked = linked || !isGUID
		id, ok := v.byHash[aliasHash(it.Outlet, a)]
		if !ok {
			continue
		}
		if !isGUID {
			return v.byID[id], nil
		}
		if byGUID == nil {
			byGUID = v.byID[id]
		}
	}
	if byGUID == nil || !linked {
		return byGUID, nil
	}
	title, summary, err := byGUID.words()
	if err != nil || !v.judge.Reused(title, summary, it) {
		return byGUID, err
	}
	it.Aliases = slices.DeleteFunc(slices.Clone(it.Aliases), func(a string) bool { return strings.HasPrefix(a, "guid:") })
	return nil, nil
}

// addItem stores an item never seen before, in a story of its own or in that
// of an item with the same text.
func (v *visit) addItem(it *Item, backfill bool) error {
	it.ID, v.nextID, v.dirty = v.nextID, v.nextID+1, true
	if it.Page != nil {
		if err := v.dropSharedText(it, it.Page); err != nil {
			return fmt.Errorf("look for the same text: %w", err)
		}
	}
	corpus, counts, err := v.corpus(it)
	if err != nil {
		return fmt.Errorf("ask the corpus: %w", err)
	}
	v.judge.Adapt(it, corpus)
	near, err := v.near(millis(v.r.At), it.Sketch)
	if err != nil {
		return fmt.Errorf("find near items: %w", err)
	}
	i, merge, near, err := v.match(it, near)
	if err != nil {
		return err
	}
	merge.At = v.r.At
	if i >= 0 {
		it.Story = near[i].Story
		v.changes.Merged[merge.Reason]++
	} else {
		it.Story = storyID(it.Outlet, it.Aliases[0])
		merge.Reason = "first"
	}
	if err := v.insertItem(it, merge); err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	if err := v.addAliases(it.Outlet, it.Aliases, it.ID, v.byHash); err != nil {
		return fmt.Errorf("store aliases: %w", err)
	}
	if err := v.addCarrier(it.ID, it.Source); err != nil {
		return fmt.Errorf("store carrier: %w", err)
	}
	if err := errors.Join(v.addSketch(millis(v.r.At), it), v.count(millis(v.r.At), it, counts)); err != nil {
		return fmt.Errorf("store sketch: %w", err)
	}
	if err := v.relate(it, near, v.judge.Related(it, near, corpus)); err != nil {
		return fmt.Errorf("relate: %w", err)
	}
	v.byID[it.ID] = &known{id: it.ID, source: it.Source, story: it.Story, title: []byte(it.Title), summary: []byte(it.Summary), fingerprint: it.Fingerprint, carried: true}
	v.changes.New++
	if !it.Published.IsZero() {
		v.dates = append(v.dates, dated{it.Published, it.Seen, v.r.Source.State.Visited})
	}
	if v.r.Source.State.Visited && !it.Published.IsZero() {
		v.changes.Delays = append(v.changes.Delays, it.Seen.Sub(it.Published))
	}
	v.countTopic(it)
	holds, err := v.queueArticle(it, near, merge, backfill)
	if err != nil {
		return fmt.Errorf("queue its page: %w", err)
	}
	if err := v.joinStory(it, i >= 0, backfill, holds); err != nil || i < 0 || !merge.Firm {
		return err
	}
	return v.bridge(it, near)
}

func (v *visit) countTopic(it *Item) {
	for _, tp := range it.Topics {
		if tp.Primary {
			v.changes.Topics[tp.Topic]++
			return
		}
	}
	v.changes.Topics[""]++
}

// meetAgain handles an item we had: another source of its outlet may carry it
// too, but only the source whose words we keep may change them; else two feeds
// with different summaries would take turns for ever.
func (v *visit) meetAgain(it *Item, k *known) error {
	it.ID, it.Story = k.id, k.story
	if v.changes.Late {
		v.changes.Same++
		return nil
	}
	if err := v.addAliases(it.Outlet, it.Aliases, k.id, v.byHash); err != nil {
		return fmt.Errorf("store aliases: %w", err)
	}
	if !k.carried {
		k.carried = true
		v.changes.Carried++
		if err := v.addCarrier(k.id, it.Source); err != nil {
			return fmt.Errorf("store carrier: %w", err)
		}
	}
	if k.reduced || k.fingerprint == it.Fingerprint || (k.source != it.Source && !k.orphan) {
		v.changes.Same++
		return nil
	}
	if err := v.updateItem(it); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	title, _, err := k.words()
	if err != nil {
		return fmt.Errorf("read title: %w", err)
	}
	if title != it.Title {
		if err := v.keepTitle(k.id, title, millis(v.r.At)); err != nil {
			return fmt.Errorf("keep title: %w", err)
		}
		k.title = []byte(it.Title)
	}
	if err := v.addSketch(millis(v.r.At), it); err != nil {
		return fmt.Errorf("store sketch: %w", err)
	}
	if it.Page != nil {
		if err := v.meetPage(it); err != nil {
			return fmt.Errorf("store its page: %w", err)
		}
	}
	k.fingerprint, k.source, k.orphan = it.Fingerprint, it.Source, false
	v.changes.Changed++
	if k.withdrawn { // its outlet works on it again: it may be back
		return v.exec(`UPDATE items SET check_at = $1 WHERE id = $2 AND withdrawn_why = $3`, millis(v.r.At), it.ID, withdrawnBySource)
	}
	return v.changeStory(it)
}
