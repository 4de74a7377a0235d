package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"diemtin/store"
)

// byTitle gives items the topics that a table holds for their headline.
type byTitle map[string][]store.ItemTopic

func tp(topic store.Topic, place string) store.ItemTopic {
	return store.ItemTopic{Topic: topic, Score: 2, Reasons: []store.Phrase{{Text: "x", Place: place, Weight: 2}}}
}

func primary(t store.ItemTopic) store.ItemTopic { t.Primary = true; return t }

// judge goes on until the items are judged or steps batches are over.
func (b byTitle) judge(t *testing.T, db *store.DB, rules string, batch, steps int, at time.Time) store.Reclassification {
	t.Helper()
	c, err := db.BeginReclassify(t.Context(), rules, time.Time{}, at)
	for err == nil && c.Phase == store.ReclassifyItems && steps > 0 {
		steps--
		var items []store.Item
		if items, err = db.ItemsBack(t.Context(), c.Place, c.Since, batch); err != nil {
			break
		}
		topics := make([][]store.ItemTopic, len(items))
		for i, it := range items {
			topics[i] = b[it.Title]
		}
		c, err = db.Reclassify(t.Context(), rules, c.Place, items, topics, at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func move(t *testing.T, db *store.DB, rules string, at time.Time) store.Reclassification {
	t.Helper()
	c, err := db.MoveReclassified(t.Context(), rules, 64, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func revision(t *testing.T, db *store.DB, topic store.Topic) int64 {
	t.Helper()
	r, err := db.Revision(t.Context(), store.Selection{Topics: []store.Topic{topic}})
	if err != nil {
		t.Fatal(err)
	}
	return r.N
}

func inTopic(topic store.Topic) store.Query {
	return store.Query{Selection: store.Selection{Topics: []store.Topic{topic}}}
}

// A copy gives a listed story the topic that it brings and takes none away.
func TestCopyAddsTopic(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Một bài", now))
		record(t, db, "o0-home", now.Add(time.Second), article("o0", "Bài khác", now))
		before := stories(t, db, store.Query{})
		rule(t, db, now.Add(time.Minute), store.Ruling{Verb: store.RuleTopic, Story: idOf(t, db, "Bài khác"), Topics: []string{"-the-thao"}})
		for _, title := range []string{"Một bài", "Bài khác"} {
			copied := article("o1", title, now)
			copied.Topics = []store.ItemTopic{primary(tp("the-thao", "title")), tp("y-te", "section")}
			record(t, db, "o1-home", now.Add(time.Hour), copied)
		}
		if got := feedOf(t, db, inTopic("the-thao")); got != "o0 Một bài" {
			t.Errorf("the topic of the copy has %q", got)
		}
		if got := feedOf(t, db, inTopic("y-te")); got != "" {
			t.Errorf("the section of a copy gave a topic to %q", got)
		}
		s, err := db.Story(t.Context(), idOf(t, db, "Một bài"))
		if err != nil || !slices.Equal(s.Topics, []store.Topic{"xa-hoi", "kinh-te", "the-thao"}) {
			t.Errorf("topics %v, %v", s.Topics, err)
		}
		if old := before[1]; !s.Listed.Equal(old.Listed) || !s.Updated.Equal(old.Updated) {
			t.Errorf("listed %v, updated %v; before %v, %v", s.Listed, s.Updated, old.Listed, old.Updated)
		}
	})
}

// Applying other rules is stopped, goes on, moves each story at its own place
// in one revision, dates nothing anew, and forgets no ruling.
func TestReclassify(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		titles := []string{"Bài một", "Bài hai", "Bài ba", "Bài bốn", "Bài năm"}
		rules := byTitle{}
		for i, title := range titles {
			at := now.Add(time.Duration(i) * time.Minute)
			record(t, db, "o0-home", at, article("o0", title, at))
			rules[title] = []store.ItemTopic{primary(tp("xa-hoi", "title")), tp("kinh-te", "title")}
		}
		rules["Bài hai"] = []store.ItemTopic{primary(tp("y-te", "title"))}
		rules["Bài ba"] = nil
		rules["Bài bốn"] = []store.ItemTopic{primary(tp("y-te", "title")), tp("xa-hoi", "title")}
		rule(t, db, now.Add(time.Hour), store.Ruling{Verb: store.RuleTopic, Story: idOf(t, db, "Bài ba"), Topics: []string{"+the-thao", "-kinh-te"}})
		rule(t, db, now.Add(time.Hour), store.Ruling{Verb: store.RuleTopic, Story: idOf(t, db, "Bài bốn"), Topics: []string{"-y-te"}})
		before := stories(t, db, store.Query{})
		revs := map[store.Topic]int64{"xa-hoi": revision(t, db, "xa-hoi"), "y-te": revision(t, db, "y-te")}

		later := now.Add(48 * time.Hour)
		c := rules.judge(t, db, "r1", 2, 1, later)
		if c.Seen != 2 || revision(t, db, "xa-hoi") != revs["xa-hoi"] {
			t.Errorf("judged %d, and readers see it: %v", c.Seen, revision(t, db, "xa-hoi") != revs["xa-hoi"])
		}
		db.Close()
		db = open()
		c = rules.judge(t, db, "r1", 2, 100, later)
		if c.Phase != store.ReclassifyStories || c.Seen != 5 || c.Total != 5 || revision(t, db, "y-te") != revs["y-te"] {
			t.Errorf("after going on: %+v", c)
		}
		c = move(t, db, "r1", later)
		if n := revision(t, db, "y-te"); n <= revs["y-te"] || n != revision(t, db, "xa-hoi") {
			t.Errorf("revisions %d and %d: want one, later than before", n, revision(t, db, "xa-hoi"))
		}
		if c = move(t, db, "r1", later); c.Phase != store.ReclassifyDone || c.Moved != 3 {
			t.Errorf("at the end: %+v", c)
		}
		if _, err := db.MoveReclassified(t.Context(), "r1", 64, later); err == nil {
			t.Error("what is done goes on")
		}
		for topic, want := range map[store.Topic]string{
			"y-te": "o0 Bài hai", "the-thao": "o0 Bài ba", "xa-hoi": "o0 Bài năm, o0 Bài bốn, o0 Bài một", "kinh-te": "o0 Bài năm, o0 Bài một",
		} {
			if got := feedOf(t, db, inTopic(topic)); got != want {
				t.Errorf("%s has %q, want %q", topic, got, want)
			}
		}
		for i, s := range stories(t, db, store.Query{}) {
			b := before[i]
			if s.ID != b.ID || !s.Listed.Equal(b.Listed) || !s.Updated.Equal(b.Updated) || !s.Shown.Equal(b.Shown) {
				t.Errorf("%q was moved or dated anew", s.Quoted.Title)
			}
		}
		ruled, err := db.RuledItems(t.Context())
		if err != nil || len(ruled) != 2 || !slices.Equal(ruled[0].Topics, []store.Topic{"the-thao"}) {
			t.Errorf("ruled items %+v, %v", ruled, err)
		}
	})
}

// A feed of a topic that gains an archive shows its newest stories at once:
// later batches bring older ones and change nothing in it.
func TestReclassifyWindow(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		rules := byTitle{}
		var items []store.Item
		for i := range 300 {
			title := fmt.Sprintf("Bài số %d", i)
			items = append(items, article("o0", title, now.Add(time.Duration(i)*time.Minute)))
			rules[title] = []store.ItemTopic{primary(tp("y-te", "title"))}
		}
		record(t, db, "o0-home", now.Add(time.Hour)) // the first visit is over
		record(t, db, "o0-home", now.Add(400*time.Minute), items...)
		rules.judge(t, db, "r1", 64, 100, now.Add(500*time.Minute))
		q := inTopic("y-te")
		q.Limit = 50
		move(t, db, "r1", now.Add(500*time.Minute))
		want := feedOf(t, db, q)
		if n := len(stories(t, db, q)); n != 50 {
			t.Fatalf("%d stories after the first step, want 50", n)
		}
		steps := 0
		for c := (store.Reclassification{}); c.Phase != store.ReclassifyDone; steps++ {
			c = move(t, db, "r1", now.Add(500*time.Minute))
			if got := feedOf(t, db, q); got != want {
				t.Fatalf("step %d changes the feed to %q", steps, got)
			}
		}
		if n := len(stories(t, db, store.Query{Selection: q.Selection, Limit: 1000})); n != 300 || steps < 2 {
			t.Errorf("%d stories after %d further steps, want 300", n, steps)
		}
	})
}

// Two processes that apply the same rules do each batch once: who comes second
// with what is done already hears how far it is.
func TestReclassifyByTwo(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		for i, title := range []string{"Bài một", "Bài hai", "Bài ba"} {
			at := now.Add(time.Duration(i) * time.Minute)
			record(t, db, "o0-home", at, article("o0", title, at))
		}
		c, err := db.BeginReclassify(t.Context(), "rules", time.Time{}, now)
		if err != nil {
			t.Fatal(err)
		}
		batch, err := db.ItemsBack(t.Context(), c.Place, c.Since, 2)
		if err != nil || len(batch) != 2 {
			t.Fatalf("%d items, %v", len(batch), err)
		}
		topics := [][]store.ItemTopic{{primary(tp("y-te", "title"))}, {primary(tp("y-te", "title"))}}
		for _, by := range []string{"one", "the other"} {
			got, err := db.Reclassify(t.Context(), "rules", c.Place, batch, topics, now)
			if err != nil || got.Seen != 2 || got.Changed != 2 || got.Place != batch[1].ID {
				t.Errorf("%s: %+v, %v", by, got, err)
			}
		}
		last := byTitle{"Bài một": {primary(tp("xa-hoi", "title"))}}.judge(t, db, "rules", 10, 10, now)
		if last.Phase != store.ReclassifyStories || last.Seen != 3 {
			t.Errorf("the end: %+v", last)
		}
		if got, err := db.Reclassify(t.Context(), "rules", c.Place, batch, topics, now); err != nil || got.Phase != store.ReclassifyStories || got.Seen != 3 {
			t.Errorf("one who comes late: %+v, %v", got, err)
		}
	})
}
