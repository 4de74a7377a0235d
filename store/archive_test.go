package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// ledgerOf remembers the hashes of sealed documents, as somebody who mistrusts
// the store would.
type ledgerOf map[store.ArchiveKey]string

// archiveWindow is short, so that most of what is not sealed stands below it.
const archiveWindow = 5

// writeLines is a document of one line a story.
func writeLines(d store.ArchiveDocument, stories []store.Story) ([]byte, error) {
	b := fmt.Appendf(nil, "%v after %v\n", d.ArchiveKey, d.Prev)
	for _, s := range stories {
		b = fmt.Appendf(b, "%s %d %s\n", s.ID, s.Quoted.ID, s.Quoted.Title)
	}
	return b, nil
}

func rewriteLines(body []byte, stories map[string]*store.Story, _ time.Time) ([]byte, error) {
	var out []byte
	for line := range strings.Lines(string(body)) {
		id, _, _ := strings.Cut(line, " ")
		s, named := stories[id]
		switch {
		case !named:
			out = append(out, line...)
		case s != nil:
			out = fmt.Appendf(out, "%s %d %s\n", s.ID, s.Quoted.ID, s.Quoted.Title)
		}
	}
	return out, nil
}

// rebuild is a client that knows the current feed and prev-archive: what it
// holds of a scope, by story, and the documents it read. It reads what a server
// gives it: what is due is sealed first.
func rebuild(t *testing.T, db *store.DB, scope string, sel store.Selection, at time.Time, op string) (held map[string]bool, docs []store.ArchiveDocument) {
	t.Helper()
	for {
		sealed, err := db.Seal(t.Context(), scope, at, writeLines)
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		if !sealed {
			break
		}
	}
	head, err := db.ArchiveHead(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	w, err := db.Window(t.Context(), store.Query{Selection: sel, Limit: archiveWindow, Since: head.Unsealed, Record: scope})
	if err != nil {
		t.Fatal(err)
	}
	held = map[string]bool{}
	for _, s := range w.Stories {
		held[s.ID] = true
	}
	once := map[string]store.ArchiveKey{}
	for k := head.Newest; k.Part > 0; {
		if _, stale, err := db.ArchiveRevision(t.Context(), k); err != nil {
			t.Fatal(err)
		} else if stale {
			if err := db.Reseal(t.Context(), k, rewriteLines); err != nil {
				t.Fatalf("%s: %v", op, err)
			}
		}
		d, err := db.ArchiveDocument(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range d.Stories {
			if first, twice := once[id]; twice {
				t.Errorf("%s: %s stands in %v and in %v", op, id, first, k)
			}
			once[id], held[id] = k, true
		}
		if len(d.Stories) > store.ArchiveStories {
			t.Errorf("%s: %v holds %d stories", op, k, len(d.Stories))
		}
		docs, k = append(docs, d), d.Prev
	}
	return held, docs
}

// everything is all that readers can see of a selection, backfill too.
func everything(t *testing.T, db *store.DB, sel store.Selection) map[string]store.Story {
	t.Helper()
	all := map[string]store.Story{}
	var before store.Cursor
	for {
		page, err := db.Stories(t.Context(), store.Query{Selection: sel, Order: store.ByPublished, Before: before, Limit: store.MaxStories})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page {
			all[s.ID] = s
		}
		if len(page) < store.MaxStories {
			return all
		}
		last := page[len(page)-1]
		before = store.Cursor{At: last.Shown, ID: last.ID}
		if sel.Searched() { // which is answered in the order of listing
			before.At = last.Listed
		}
	}
}

// check compares what a client holds with what there is, and the documents with
// what they were.
func (l ledgerOf) check(t *testing.T, db *store.DB, scope string, sel store.Selection, at time.Time, op string) {
	t.Helper()
	held, docs := rebuild(t, db, scope, sel, at, op)
	all := everything(t, db, sel)
	for id := range all {
		if !held[id] {
			t.Errorf("%s: a client of %s misses %s, listed at %v", op, scope, id, all[id].Listed)
		}
	}
	seen, err := db.StoriesByID(t.Context(), slices.Collect(maps.Keys(held)))
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range seen {
		delete(held, st.ID)
	}
	for id := range held { // the few that are part of another now
		if _, err := db.Story(t.Context(), id); err != nil {
			t.Errorf("%s: a client of %s holds %s: %v", op, scope, id, err)
		}
	}
	for k := range l {
		if k.Scope == scope && !slices.ContainsFunc(docs, func(d store.ArchiveDocument) bool { return d.ArchiveKey == k }) {
			t.Errorf("%s: %v has left the chain", op, k)
		}
	}
	changed := map[store.ArchiveKey]store.Reseals{}
	reseals, err := db.Reseals(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		sum := sha256.Sum256(d.Body)
		if hash := hex.EncodeToString(sum[:]); hash != d.Hash {
			t.Errorf("%s: %v has hash %s and says %s", op, d.ArchiveKey, hash, d.Hash)
		}
		was, known := l[d.ArchiveKey]
		for _, r := range slices.Backward(reseals) { // the oldest first
			if r.ArchiveKey == d.ArchiveKey && r.Was == was {
				changed[d.ArchiveKey], was = r, r.Hash
			}
		}
		if known && was != d.Hash {
			t.Errorf("%s: %v changed, and no ledger says why", op, d.ArchiveKey)
		}
		l[d.ArchiveKey] = d.Hash
		for line := range strings.Lines(string(d.Body)) { // what readers may not see stands in no bytes
			if id, _, _ := strings.Cut(line, " "); strings.Contains(line, "Bài") && !slices.Contains(d.Stories, id) {
				t.Errorf("%s: %v still says %q", op, d.ArchiveKey, line)
			}
		}
	}
}

// A client that knows nothing but RFC 5005 holds everything that was ever
// listed, whatever happens within a month: late copies, merges, splits, hides,
// take-downs of stories, items and outlets, restores, first visits, restarts.
// Both engines come to the same bytes.
func TestArchiveIsWhole(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	digests := map[string]string{} // by seed, the first engine's
	for seed := range uint64(max(rounds(t, 2), 1)) {
		name := fmt.Sprint("seed", seed)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engines(t, func(t *testing.T, open func() *store.DB) {
				digest := month(t, open, seed)
				mu.Lock()
				defer mu.Unlock()
				if other := digests[name]; other != "" && other != digest {
					t.Errorf("the engines sealed different documents:\n%s\n%s", other, digest)
				}
				digests[name] = digest
			})
		})
	}
}

// month lets a newsroom work for a month, looks at the archives now and then,
// and returns a digest of all that was sealed.
func month(t *testing.T, open func() *store.DB, seed uint64) string {
	db := open()
	o, sources := outlets(5)
	for i := range 12 { // of which each is visited for the first time at some moment
		id := fmt.Sprintf("o%d", i%5)
		sources = append(sources, store.Source{ID: fmt.Sprintf("%s-more%d", id, i), Outlet: id, Kind: "feed", URL: fmt.Sprintf("http://%s.example/%d", id, i)})
	}
	if err := db.Sync(t.Context(), o, sources); err != nil {
		t.Fatal(err)
	}
	channels := map[string]store.Selection{
		"some":    {Topics: []store.Topic{"kinh-te", "the-thao"}, Outlets: []string{"o0", "o1"}},
		"words":   {Words: store.Words{Any: []store.Term{store.TermOf("của o1"), store.TermOf("tường thuật")}, Not: []store.Term{store.TermOf("bai 5")}}, NotOutlets: []string{"o4"}},
		"without": {NotTopics: []store.Topic{"the-thao"}, Words: store.Words{Not: []store.Term{store.TermOf("tường thuật")}}},
		"foreign": {Languages: []string{"en"}, Topics: []store.Topic{"kinh-te"}},
	}
	archives := map[string]store.Selection{"all": {}, "topic:kinh-te": {Topics: []store.Topic{"kinh-te"}},
		"topic:the-thao": {Topics: []store.Topic{"the-thao"}}}
	configure(t, db, channels, archives)
	n := &newsroom{Rand: rand.New(rand.NewPCG(5005, seed)), db: db, at: now}
	ledger := ledgerOf{}
	first, steps := 0, 0
	for end := now.AddDate(0, 0, 30); n.at.Before(end) && !t.Failed(); steps++ {
		op, _ := n.act(t)
		n.at = n.at.Add(time.Duration(n.IntN(60)) * time.Minute)
		switch k := n.IntN(40); {
		case k == 0 && first < 12:
			n.firstVisit(t, fmt.Sprintf("o%d-more%d", first%5, first))
			first++
		case k < 3:
			n.retopic(t)
		case k == 3: // a restart, with what was under way lost
			db.Close()
			db = open()
			n.db = db
		case k == 4:
			n.redefine(channels)
			configure(t, db, channels, archives)
		case k < 7:
			n.edit(t)
		}
		for _, scope := range slices.Sorted(maps.Keys(archives)) {
			if n.IntN(25) == 0 {
				ledger.check(t, db, scope, archives[scope], n.at, fmt.Sprintf("seed %d, step %d, %s", seed, steps, op))
			}
		}
	}
	sum := sha256.New()
	reseals, err := db.Reseals(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.SortedFunc(maps.Keys(ledger), func(a, b store.ArchiveKey) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		fmt.Fprintln(sum, k, ledger[k])
	}
	t.Logf("%d steps, %d documents, %d sealed anew", steps, len(ledger), len(reseals))
	if len(ledger) < 60 || len(reseals) < 5 || first < 5 {
		t.Errorf("a month of %d documents, %d sealed anew, %d first visits proves little", len(ledger), len(reseals), first)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// What a channel of a rare language has not sealed yet stands in its current
// feed, however much else was listed since.
func TestUnsealedStandsInTheFeed(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, sources := outlets(1)
		if err := db.Sync(t.Context(), o, sources); err != nil {
			t.Fatal(err)
		}
		foreign := store.ArchiveChannel{ID: "foreign", Selection: store.Selection{Languages: []string{"en"}}}
		if err := db.SyncArchives(t.Context(), []store.ArchiveChannel{foreign}); err != nil {
			t.Fatal(err)
		}
		record(t, db, sources[0].ID, now) // which is not its first visit then
		one := article("o0", "English", now)
		one.Lang = "en"
		record(t, db, sources[0].ID, now, one)
		for n := range 7 {
			var items []store.Item
			for i := range 300 {
				link := fmt.Sprintf("http://o0.example/%d/%d", n, i)
				items = append(items, store.Item{Title: "Bài", Link: link, Published: now, Aliases: []string{"link:" + link}, Fingerprint: 1})
			}
			record(t, db, sources[0].ID, now.Add(time.Minute), items...)
		}
		held, docs := rebuild(t, db, foreign.Scope(), foreign.Selection, now.Add(time.Hour), "after 2,100 others")
		if len(held) != 1 || len(docs) != 0 {
			t.Errorf("the current feed holds %d stories, and there are %d documents; want the one that is not sealed", len(held), len(docs))
		}
	})
}

// An archive moves to another scope once, whole, and to none that has one.
func TestArchiveMoves(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, sources := outlets(1)
		if err := db.Sync(t.Context(), o, sources); err != nil {
			t.Fatal(err)
		}
		for day := range 3 {
			at := now.AddDate(0, 0, day)
			record(t, db, sources[0].ID, at, article("o0", fmt.Sprint("Bài ", day), at))
		}
		docs := func(scope string) int {
			head, err := db.ArchiveHead(t.Context(), scope)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for k := head.Newest; k.Part > 0; n++ {
				d, err := db.ArchiveDocument(t.Context(), k)
				if err != nil {
					t.Fatal(err)
				}
				k = d.Prev
			}
			if !head.Unsealed.IsZero() {
				n += 100
			}
			return n
		}
		rebuild(t, db, "topic:kinh-te", store.Selection{}, now.AddDate(0, 0, 2), "sealed")
		if docs("topic:kinh-te") != 102 {
			t.Fatalf("%d documents", docs("topic:kinh-te"))
		}
		move := func(from, to string) {
			t.Helper()
			if err := db.SyncArchives(t.Context(), nil, store.ArchiveMove{From: from, To: to}); err != nil {
				t.Fatal(err)
			}
		}
		move("topic:kinh-te", "topic:xa-hoi") // which has one
		move("topic:kinh-te", "topic:kinh-doanh")
		move("topic:kinh-te", "topic:kinh-doanh") // at the next start
		if a, b := docs("topic:kinh-te"), docs("topic:kinh-doanh"); a != 0 || b != 102 {
			t.Errorf("%d documents stayed, %d moved, want 0 and 102", a, b)
		}
	})
}

// firstVisit brings what a source's first visit brings: more than its newest
// ten, and sometimes more than a document holds.
func (n *newsroom) firstVisit(t *testing.T, source string) {
	o, _, _ := strings.Cut(source, "-")
	var items []store.Item
	for i := range 5 + n.IntN(140) {
		items = append(items, article(o, fmt.Sprintf("Bài cũ %d ở %s", i, source), n.at.Add(-time.Duration(i)*time.Hour)))
	}
	if _, err := n.db.Record(t.Context(), refresh(t, n.db, source, n.at, items...), sameTitle{}); err != nil {
		t.Fatalf("first visit: %v", err)
	}
}

// retopic rules on a topic of a story, which may be an old one.
func (n *newsroom) retopic(t *testing.T) {
	all := stories(t, n.db, store.Query{Order: store.ByPublished, Limit: 300})
	if len(all) == 0 {
		return
	}
	topics := []string{"+the-thao", "-the-thao", "+kinh-te", "-kinh-te"}
	_, err := n.db.Rule(t.Context(), store.Ruling{Who: "lan", At: n.at, Verb: store.RuleTopic, Story: all[n.IntN(len(all))].ID,
		Topics: []string{topics[n.IntN(len(topics))]}}, sameTitle{})
	if err != nil && !errors.Is(err, store.ErrRefused) {
		t.Fatal(err)
	}
}

// edit lets an outlet add a word to a story's summary or take it out, or say
// that it is in another language.
func (n *newsroom) edit(t *testing.T) {
	all := stories(t, n.db, store.Query{Order: store.ByPublished, Limit: 300})
	if len(all) == 0 {
		return
	}
	it := all[n.IntN(len(all))].Quoted
	again := article(it.Outlet, it.Title, it.Published)
	again.Lang = []string{"", "vi", "en-GB"}[n.IntN(3)]
	if n.IntN(2) == 0 {
		again.Summary += ", tường thuật"
	}
	again.Fingerprint = n.Uint64() >> 1
	r := refresh(t, n.db, it.Source, n.at, again)
	r.Source.State.Visited = true
	if c, err := n.db.Record(t.Context(), r, sameTitle{}); err != nil || c.Changed != 1 {
		t.Fatalf("edit: %+v, %v", c, err)
	}
}

// redefine is another feeds.yaml: channels that select other things, and new ones.
func (n *newsroom) redefine(channels map[string]store.Selection) {
	some, words := channels["some"], channels["words"]
	some.Outlets = []string{"o0", fmt.Sprint("o", 1+n.IntN(4))}
	words.NotOutlets = []string{fmt.Sprint("o", n.IntN(5))}
	words.Words.Any = []store.Term{words.Words.Any[0], store.TermOf(fmt.Sprint("bai ", n.IntN(5)))}
	channels["some"], channels["words"] = some, words
	channels["later"] = store.Selection{Topics: []store.Topic{"kinh-te"}, Outlets: []string{"o2", "o3"}}
	channels["later words"] = store.Selection{Words: store.Words{All: []store.Term{store.TermOf("tóm tắt")}}, NotTopics: []store.Topic{"the-thao"}}
}

// configure makes channels those with an archive.
func configure(t *testing.T, db *store.DB, channels, archives map[string]store.Selection) {
	var all []store.ArchiveChannel
	for id, sel := range channels {
		c := store.ArchiveChannel{ID: id, Selection: sel}
		all, archives[c.Scope()] = append(all, c), sel
	}
	if err := db.SyncArchives(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}
