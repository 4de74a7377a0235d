package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// told is what a list of stories tells of one, as text.
func told(s store.Story) string {
	item := func(it store.Item) any {
		return []any{it.ID, it.Outlet, it.Title, it.Link, it.Summary, it.Authors, it.Image, it.Published, it.Attribution}
	}
	b, err := json.Marshal([]any{s.ID, s.Listed, s.Updated, s.Shown, s.Topics, s.Province, s.Backfill, s.Carriers,
		s.Outlet.Name, s.Outlet.Show, s.Outlet.Images, item(s.Quoted), item(s.Original)})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// mirror is a partner that holds what the changes told.
type mirror struct {
	at      store.Cursor
	stories map[string]string
	gone    map[string]store.Change
}

func newMirror() *mirror {
	return &mirror{stories: map[string]string{}, gone: map[string]store.Change{}}
}

// follow applies at most limit changes and says whether there may be more.
func (m *mirror) follow(t *testing.T, db *store.DB, limit int) bool {
	t.Helper()
	all, err := db.Changes(t.Context(), m.at, limit)
	if err != nil {
		t.Error(err)
		return false
	}
	for _, c := range all {
		if at := c.Place(); at.At.Before(m.at.At) || at.At.Equal(m.at.At) && at.ID <= m.at.ID {
			t.Errorf("change of %s at %v after %v", c.ID, at, m.at)
		}
		m.at = c.Place()
		if c.Gone == "" {
			m.stories[c.ID] = told(c.Story)
			delete(m.gone, c.ID)
			continue
		}
		delete(m.stories, c.ID)
		m.gone[c.ID] = c
	}
	return len(all) == limit
}

// compare catches up and compares with what is listed.
func (m *mirror) compare(t *testing.T, db *store.DB, op string) {
	t.Helper()
	for m.follow(t, db, 50) {
	}
	listed := map[string]string{}
	for q := (store.Query{Order: store.ByPublished, Limit: 100}); ; {
		p, err := db.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Stories {
			listed[s.ID] = told(s)
		}
		if q.Before = p.Next; p.Next.At.IsZero() {
			break
		}
	}
	for id := range listed {
		if m.stories[id] != listed[id] {
			t.Errorf("%s: %s is\n%s, in the mirror\n%s", op, id, listed[id], m.stories[id])
		}
	}
	for id := range m.stories {
		if listed[id] == "" {
			t.Errorf("%s: %s is in the mirror and not listed", op, id)
		}
	}
	for id, c := range m.gone {
		_, err := db.Story(t.Context(), id)
		if c.Gone == store.BuriedMerged && (c.Into == "" || c.Into == id) || err == nil && c.Gone != store.BuriedMerged {
			t.Errorf("%s: %s is said to be gone (%s, %q): %v", op, id, c.Gone, c.Into, err)
		}
	}
}

// more does what the newsroom's other days lack: outlets edit and take back,
// editors rule on topics, and terms change.
func (n *newsroom) more(t *testing.T, o []store.Outlet, s []store.Source) string {
	story, err := n.db.Story(t.Context(), n.story(t))
	for try := 0; err == nil && story.Carriers < 2 && try < 6; try++ { // of one that others carry too, if there is one
		story, err = n.db.Story(t.Context(), n.story(t))
	}
	if err != nil {
		return "nothing"
	}
	copies, err := n.db.Copies(t.Context(), story.ID)
	if err != nil || len(copies) == 0 {
		t.Fatalf("copies of %s: %d, %v", story.ID, len(copies), err)
	}
	it := copies[n.IntN(len(copies))].Item
	switch n.IntN(8) {
	case 0, 1: // the original, if it is another, as often as the rest
		if n.IntN(2) == 0 && story.Original.ID != story.Quoted.ID {
			it = story.Original
		}

		edited := article(it.Outlet, it.Title, it.Published)
		edited.Attribution = it.Attribution
		n.texts++
		edited.Summary, edited.Image, edited.Fingerprint = fmt.Sprint("Lời mới ", n.texts), fmt.Sprint("https://x.example/", n.texts), uint64(n.texts)
		record(t, n.db, it.Outlet+"-home", n.at, edited)
		return "edit " + story.ID
	case 2, 3, 4:
		c, verdict := store.Check{Item: it.ID, Outlet: it.Outlet, Source: it.Source, Gone: 1}, store.Removed
		if len(n.away) > 0 && n.IntN(2) == 0 {
			c, verdict = n.away[0], store.Alive
			n.away, c.Taken = n.away[1:], true
		} else {
			n.away = append(n.away, c)
		}
		if _, _, err := n.db.Checked(t.Context(), c, verdict, n.at, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint("page of ", c.Item, ": ", verdict)
	case 5:
		_, err := n.db.Rule(t.Context(), store.Ruling{Who: "lan", At: n.at, Verb: store.RuleTopic, Story: story.ID,
			Topics: []string{[]string{"+the-thao", "-the-thao", "-kinh-te", "+kinh-te"}[n.IntN(4)]}}, sameTitle{})
		if err != nil && !errors.Is(err, store.ErrRefused) {
			t.Fatal(err)
		}
		return "topic of " + story.ID
	case 6: // first all come back: of five outlets soon none would be left
		r := store.Ruling{Who: "lan", At: n.at, Verb: store.RuleRestore, Why: "thử"}
		for i := range o {
			r.Outlet = o[i].ID
			if _, err := n.db.Rule(t.Context(), r, sameTitle{}); err != nil && !errors.Is(err, store.ErrRefused) {
				t.Fatal(err)
			}
		}
		r.Verb, r.Outlet = store.RuleTakedown, it.Outlet
		if _, err := n.db.Rule(t.Context(), r, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		return "takedown of " + it.Outlet
	}
	i := n.IntN(len(o))
	o[i].Show = []store.Show{store.ShowSummary, store.ShowHeadline, store.ShowSummary, store.ShowNone}[n.IntN(4)]
	if err := n.db.Sync(t.Context(), o, s); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("terms of ", o[i].ID, ": ", o[i].Show)
}

// Whoever follows the changes from the beginning holds what is listed, whatever
// happens, at whatever moments and in whatever pieces they are read.
func TestMirrorEqualsTheListing(t *testing.T) {
	t.Parallel()
	const steps = 120
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, s := outlets(5)
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(rounds(t, 3)) {
			n := &newsroom{Rand: rand.New(rand.NewPCG(20, seed)), db: db, at: now.Add(time.Duration(seed) * 24 * 30 * time.Hour), texts: int(seed) * 1000}
			m, most := newMirror(), 0
			for step := range steps {
				var op string
				if n.IntN(3) == 0 {
					op = n.more(t, o, s)
				} else {
					op, _ = n.act(t)
				}
				m.follow(t, db, 1+n.IntN(4))
				most = max(most, len(m.stories))
				if step%5 == 4 || step == steps-1 {
					m.compare(t, db, fmt.Sprintf("seed %d, step %d, %s", seed, step, op))
				}
				if t.Failed() {
					return
				}
			}
			again := newMirror()
			if again.compare(t, db, "from the beginning"); !maps.Equal(again.stories, m.stories) {
				t.Errorf("%d stories from the beginning, %d followed", len(again.stories), len(m.stories))
			}
			if most < 4 || len(m.gone) < 3 {
				t.Errorf("seed %d: %d stories at most, %d gone: the newsroom was idle", seed, most, len(m.gone))
			}
		}
	})
}

// How many outlets carry a story is told anew each time.
func TestMirrorCountsCarriers(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		m := newMirror()
		record(t, db, "o0-home", now, article("o0", "Một bài", now))
		m.compare(t, db, "first")
		record(t, db, "o1-home", now.Add(time.Hour), article("o1", "Một bài", now.Add(time.Minute)))
		m.compare(t, db, "a copy")
		copies, err := db.Copies(t.Context(), stories(t, db, store.Query{})[0].ID)
		if err != nil || len(copies) != 2 {
			t.Fatalf("%d copies, %v", len(copies), err)
		}
		c := store.Check{Item: copies[1].Item.ID, Outlet: "o1", Source: "o1-home", Gone: 1}
		for _, v := range []store.Verdict{store.Removed, store.Alive} {
			if _, _, err := db.Checked(t.Context(), c, v, now.Add(2*time.Hour), sameTitle{}); err != nil {
				t.Fatal(err)
			}
			m.compare(t, db, fmt.Sprint("its page: ", v))
			c.Taken = true
		}
	})
}

// A mirror that follows while others write misses nothing: no change comes to
// stand before one that was given out.
func TestMirrorWhileOthersWrite(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 4)
		var writers sync.WaitGroup
		done := make(chan struct{})
		for w := range 4 {
			writers.Go(func() {
				id := fmt.Sprint("o", w)
				for i := range 15 {
					at := now.Add(time.Duration(i) * time.Minute)
					r, err := db.Source(context.Background(), id+"-home")
					if err == nil {
						_, err = db.Record(context.Background(), store.Refresh{Source: r, At: at, Items: []store.Item{article(id, fmt.Sprint("Bài ", i+w), at)},
							Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, sameTitle{})
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() { writers.Wait(); close(done) }()
		m := newMirror()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			m.follow(t, db, 3)
		}
		m.compare(t, db, "after all")
		if len(m.stories) != 18 {
			t.Errorf("%d stories in the mirror, want 18", len(m.stories))
		}
	})
}

// Whoever reads page by page gets all that was there at the beginning, once,
// while new stories arrive.
func TestPagesWhileItemsArrive(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		o, s := outlets(3)
		o[2].Show = store.ShowNone
		if err := db.Sync(t.Context(), o, s); err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			at := now.Add(time.Duration(i) * time.Minute)
			a := article(fmt.Sprint("o", i%2), fmt.Sprint("Bản tin ", i), at)
			a.Province = []string{"lao-cai", "hue"}[i/20]
			if i%3 == 0 {
				a.Lang = "en"
			}
			record(t, db, a.Aliases[0][5:7]+"-home", at, a)
		}
		for name, sel := range map[string]store.Selection{
			"everything": {}, "a crossing": {Topics: []store.Topic{"kinh-te"}, Provinces: []string{"hue"}},
			"either": {Topics: []store.Topic{"the-thao"}, Outlets: []string{"o0"}, Either: true}, "a day": {Day: "2024-11-05"},
			"words": {Words: store.Words{All: []store.Term{store.TermOf("bản tin")}}}, "a language": {Languages: []string{"en"}},
			"words in a province": {Words: store.Words{All: []store.Term{store.TermOf("bản tin")}}, Provinces: []string{"lao-cai"}},
		} {
			for _, order := range []store.Order{store.ByListed, store.ByPublished} {
				want := map[string]bool{}
				for _, st := range stories(t, db, store.Query{Selection: sel, Order: order, Limit: 1000}) {
					want[st.ID] = true
				}
				seen := map[string]bool{}
				q := store.Query{Selection: sel, Order: order, Limit: 4}
				for i := 0; ; i++ {
					at := now.Add(time.Hour + time.Duration(i)*time.Second)
					record(t, db, "o1-home", at, article("o1", fmt.Sprintf("Bản tin mới %s %d %d", name, order, i), at))
					p, err := db.Page(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					for _, st := range p.Stories {
						if seen[st.ID] {
							t.Errorf("%s, order %d: %s comes twice", name, order, st.ID)
						}
						seen[st.ID] = true
					}
					if q.Before = p.Next; p.Next.At.IsZero() {
						break
					}
				}
				for id := range want {
					if !seen[id] {
						t.Errorf("%s, order %d: %s was left out", name, order, id)
					}
				}
				if len(want) < 5 {
					t.Errorf("%s, order %d: only %d stories", name, order, len(want))
				}
			}
		}
	})
}
