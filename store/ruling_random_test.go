package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"diemtin/store"
)

// The invariants of a store in which editors rule, each a query that counts
// what breaks it.
var ruledWrong = map[string]string{
	"item without story":       `SELECT count(*) FROM items WHERE story NOT IN (SELECT id FROM stories WHERE merged_into = '')`,
	"story with another count": `SELECT count(*) FROM stories s WHERE copies <> (SELECT count(*) FROM items WHERE story = s.id)`,
	"visible, not by publication": `SELECT count(*) FROM stories WHERE listed > 0 AND merged_into = '' AND withdrawn = 0 AND hidden = 0
		AND id NOT IN (SELECT story FROM by_published WHERE scope = 'all')`,
	"visible, not by listing": `SELECT count(*) FROM stories WHERE listed > 0 AND backfill = 0 AND merged_into = '' AND withdrawn = 0 AND hidden = 0
		AND id NOT IN (SELECT story FROM by_listed WHERE scope = 'all')`,
	"entry without visible story": `SELECT count(*) FROM by_published WHERE story NOT IN
		(SELECT id FROM stories WHERE listed > 0 AND merged_into = '' AND withdrawn = 0 AND hidden = 0)`,
	"entry and tombstone":           `SELECT count(*) FROM tombstones t JOIN by_listed b ON b.scope = t.scope AND b.at = t.listed AND b.story = t.story WHERE t.why = 'merged'`,
	"quoted item of another story":  `SELECT count(*) FROM stories s JOIN items i ON i.id = s.quoted WHERE s.listed > 0 AND s.merged_into = '' AND s.withdrawn = 0 AND i.story <> s.id`,
	"original of another story":     `SELECT count(*) FROM stories s JOIN items i ON i.id = s.original WHERE s.listed > 0 AND s.merged_into = '' AND s.withdrawn = 0 AND s.hidden = 0 AND i.story <> s.id`,
	"withdrawn item that is quoted": `SELECT count(*) FROM stories s JOIN items i ON i.id = s.quoted WHERE s.listed > 0 AND s.merged_into = '' AND s.withdrawn = 0 AND s.hidden = 0 AND i.withdrawn > 0`,
	"redirect to itself":            `SELECT count(*) FROM stories WHERE merged_into = id`,
	"merge undone but in force":     `SELECT count(*) FROM stories s WHERE merged_into <> '' AND NOT EXISTS (SELECT 1 FROM rulings r WHERE r.other = s.id AND r.verb = 'merge' AND r.undone = 0)`,
}

// reader is a subscriber that looks after every change, with a feed so short
// that older stories wait just below it.
type reader struct {
	seen   map[string]store.Story // every entry ever, as first seen
	shown  map[int64]string       // items whose words were new once, and under which id
	last   map[string]bool        // the entries of the last document
	newest int64                  // the revision of the last document
}

const readerWindow = 6

// read looks at the feed after op. What was not in the document before must
// have been listed since, unless op brings stories back.
func (r *reader) read(t *testing.T, db *store.DB, op string, returns bool) {
	t.Helper()
	w, err := db.Window(t.Context(), store.Query{Limit: readerWindow})
	if err != nil {
		t.Fatal(err)
	}
	now := map[string]bool{}
	for _, s := range w.Stories {
		now[s.ID] = true
		first, known := r.seen[s.ID]
		fresh := s.Listed.UnixMilli() > r.newest
		switch {
		case known && !first.Listed.Equal(s.Listed):
			t.Errorf("%s: %s moved from %v to %v", op, s.ID, first.Listed, s.Listed)
		case !known && !fresh:
			t.Errorf("%s: %s, listed at %v, is new to a reader who has seen all until %d", op, s.ID, s.Listed, r.newest)
		case !r.last[s.ID] && !fresh && !returns:
			t.Errorf("%s: %s slid back into the feed", op, s.ID)
		case !known:
			if under, twice := r.shown[s.Quoted.ID]; twice {
				t.Errorf("%s: item %d is new under %s and was under %s", op, s.Quoted.ID, s.ID, under)
			}
			r.shown[s.Quoted.ID] = s.ID
			r.seen[s.ID] = s
		}
	}
	for _, g := range w.Gone {
		if now[g.Story] {
			t.Errorf("%s: %s is there and said to be gone", op, g.Story)
		}
		if _, known := r.seen[g.Story]; !known && g.Inside {
			t.Errorf("%s: %s is gone, and nobody has seen it", op, g.Story)
		}
	}
	rev, err := db.Revision(t.Context(), store.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	r.last, r.newest = now, rev.N
}

// newsroom does at random what visits, outlets and editors do.
type newsroom struct {
	*rand.Rand
	db    *store.DB
	at    time.Time
	texts int
	away  []store.Check // items that their outlets took back
}

func (n *newsroom) outlet() string { return fmt.Sprintf("o%d", n.IntN(5)) }

func (n *newsroom) story(t *testing.T) string {
	all := stories(t, n.db, store.Query{Order: store.ByPublished, Limit: 12})
	if len(all) == 0 {
		return "none"
	}
	return all[n.IntN(len(all))].ID
}

// past is the id of a story that some ruling named.
func (n *newsroom) past(t *testing.T) store.Ruling {
	all, err := n.db.Rulings(t.Context(), store.RulingQuery{Limit: 12})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return store.Ruling{Story: "none", Other: "none"}
	}
	return all[n.IntN(len(all))]
}

func (n *newsroom) items(t *testing.T, story string) []int64 {
	copies, err := n.db.Copies(t.Context(), story)
	if err != nil {
		t.Fatal(err)
	}
	var some []int64
	for _, c := range copies {
		if n.IntN(2) == 0 {
			some = append(some, c.Item.ID)
		}
	}
	return some
}

// publish records a visit with a new text or one of the last few.
func (n *newsroom) publish(t *testing.T) {
	text := n.texts - n.IntN(4)
	if n.IntN(2) == 0 || text < 1 {
		n.texts++
		text = n.texts
	}
	o := n.outlet()
	title := fmt.Sprintf("Bài %d", text)
	if n.IntN(2) == 0 {
		title = fmt.Sprintf("Bài %d của %s", text, o) // a copy that nobody recognises yet
	}
	r := refresh(t, n.db, o+"-home", n.at, article(o, title, n.at))
	r.Source.State.Visited = true
	r.Hold = time.Duration(n.IntN(2)) * 3 * time.Minute
	if _, err := n.db.Record(t.Context(), r, sameTitle{}); err != nil {
		t.Fatalf("record: %v", err)
	}
}

func (n *newsroom) someDown(t *testing.T) bool {
	all, err := n.db.Outlets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(o store.Outlet) bool { return o.Show == store.ShowNone })
}

// act does one thing and says what, and whether it may bring stories back.
func (n *newsroom) act(t *testing.T) (op string, returns bool) {
	n.at = n.at.Add(time.Duration(1+n.IntN(50)) * time.Minute)
	r := store.Ruling{Who: "lan", At: n.at, Why: "thử", Story: n.story(t)}
	switch k := n.IntN(20); {
	case k < 7:
		n.publish(t)
		return "publish", n.someDown(t) // a copy of what an outlet that is down had alone shows it again
	case k < 9:
		if _, err := n.db.List(t.Context(), n.at, 3, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		return "list", false
	case k < 12:
		other := n.story(t)
		if _, err := n.db.MergeByItself(t.Context(), r.Story, other, n.at, sameTitle{}); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return "merge by itself " + r.Story + " " + other, true // it may revive what its outlet took back
	case k < 13:
		r.Verb, r.Other = store.RuleMerge, n.story(t)
	case k < 14:
		r.Verb, r.Undoes = store.RuleUnmerge, n.past(t).ID
	case k < 15:
		r.Verb, r.Items = store.RuleSplit, n.items(t, r.Story)
	case k < 16:
		r.Verb = store.RuleHide
	case k < 17:
		r.Verb, r.Items = store.RuleTakedown, n.items(t, r.Story)
		if n.IntN(4) == 0 {
			r.Items, r.Outlet = nil, n.outlet()
		}
	case k < 19:
		r.Verb, r.Undoes = store.RuleRestore, n.past(t).ID
		if n.IntN(3) == 0 {
			r.Undoes, r.Outlet = 0, n.outlet()
		}
	default:
		r.Verb, r.Items = store.RulePin, n.items(t, r.Story)
	}
	done, err := n.db.Rule(t.Context(), r, sameTitle{})
	if err != nil && !errors.Is(err, store.ErrRefused) && !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("%s: %v", r.Verb, err)
	}
	op = fmt.Sprintf("%s %s %s %v %s: %v", r.Verb, r.Story, done.Other, r.Items, r.Outlet, err)
	return op, r.Verb == store.RuleUnmerge || r.Verb == store.RuleRestore || r.Verb == store.RuleSplit || r.Verb == store.RuleMerge
}

// Whatever happens, in whatever order, no reader sees a story twice, none slides
// back into a feed, and the store is whole.
func TestNoRepeatWhateverHappens(t *testing.T) {
	t.Parallel()
	const steps = 80
	for seed := range uint64(rounds(t, 15)) {
		path := filepath.Join(t.TempDir(), "x.db")
		db := opener(t, "sqlite:"+path)()
		o, s := outlets(5)
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		n := &newsroom{Rand: rand.New(rand.NewPCG(9, seed)), db: db, at: now}
		r := &reader{seen: map[string]store.Story{}, shown: map[int64]string{}, last: map[string]bool{}}
		for step := range steps {
			op, returns := n.act(t)
			op = fmt.Sprintf("seed %d, step %d, %s", seed, step, op)
			r.read(t, db, op, returns)
			whole(t, path, op)
			if t.Failed() {
				return
			}
		}
		db.Close()
		if len(r.seen) < 5 {
			t.Errorf("seed %d: the reader has seen only %d stories", seed, len(r.seen))
		}
	}
}

func whole(t *testing.T, path, op string) {
	t.Helper()
	plain, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for fault := range maps.Keys(ruledWrong) {
		var n sql.NullInt64
		if err := plain.QueryRow(ruledWrong[fault]).Scan(&n); err != nil || n.Int64 != 0 {
			t.Errorf("%s: %s: %d, %v", op, fault, n.Int64, err)
		}
	}
}
