package store_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"diemtin/store"
)

const (
	// oldStories are what each of two outlets published a year ago, and
	// newStories since: as many as their feeds can be asked for, and some more.
	oldStories = 30
	newStories = store.KeptInScope + 10
)

// yearLater is when retention looks at what was published now.
var yearLater = now.AddDate(1, 0, 0)

// aYear is what two outlets published within a year, and a third, small one,
// long ago; visits come in the order of time.
func aYear(t *testing.T, db *store.DB) {
	t.Helper()
	o, sources := outlets(3)
	if err := db.Sync(t.Context(), o, sources); err != nil {
		t.Fatal(err)
	}
	if err := db.SyncArchives(t.Context(), []store.ArchiveChannel{rareWord}); err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		record(t, db, s.ID, now.Add(-time.Hour)) // so that nothing is backfill
	}
	for _, o := range []string{"o0", "o1"} {
		record(t, db, o+"-home", now, oldOf(o, oldStories)...)
	}
	record(t, db, "o2-home", now.Add(time.Hour), oldOf("o2", 5)...)
	record(t, db, "o1-home", now.Add(2*time.Hour), article("o1", "Bài cũ 3 của o0", now)) // a copy
	for _, o := range []string{"o0", "o1"} {
		var items []store.Item
		for i := range newStories {
			items = append(items, article(o, fmt.Sprintf("Bài mới %d của %s", i, o), yearLater.AddDate(0, 0, -40)))
		}
		record(t, db, o+"-home", yearLater.AddDate(0, 0, -40), items...)
	}
	edited := oldOf("o0", oldStories)[7]
	edited.Summary, edited.Fingerprint = "Đính chính", 7
	record(t, db, "o0-home", yearLater.AddDate(0, 0, -5), edited)
}

// oldOf are an outlet's items of a year ago; a word of the fifth is rare.
func oldOf(outlet string, n int) (items []store.Item) {
	for i := range n {
		it := article(outlet, fmt.Sprintf("Bài cũ %d của %s", i, outlet), now)
		it.Content, it.Image, it.Authors = "<p>Toàn văn</p>", "https://"+outlet+".example/anh.jpg", []string{"Lan"}
		it.Topics[1].Reasons = []store.Phrase{{Text: "nghị quyết", Place: "title", Weight: 1}, {Text: "đầu tư", Place: "summary", Weight: 2}}
		if i == 5 {
			it.Summary = "Tóm tắt có chữ hiếm hoi"
		}
		items = append(items, it)
	}
	return items
}

// rareWord is a channel whose feed holds a story of a year ago.
var rareWord = store.ArchiveChannel{ID: "hiem", Selection: store.Selection{Words: store.Words{All: []store.Term{store.TermOf("hiếm hoi")}}, Outlets: []string{"o0"}}}

// public is what readers and programs can see that retention must not change.
type public struct {
	documents map[store.ArchiveKey]string // the sealed bytes
	windows   string                      // of feeds, as large as they can be asked for
	order     string                      // of all stories, by listing and by publication
	counts    map[store.Day]int
	revision  store.Revision
	change    store.Revision
}

func seen(t *testing.T, db *store.DB) public {
	t.Helper()
	p := public{documents: map[store.ArchiveKey]string{}}
	for scope, sel := range map[string]store.Selection{"all": {}, "topic:kinh-te": {Topics: []store.Topic{"kinh-te"}},
		"topic:xa-hoi": {Topics: []store.Topic{"xa-hoi"}}, rareWord.Scope(): rareWord.Selection} {
		_, docs := rebuild(t, db, scope, sel, yearLater, "look")
		for _, d := range docs {
			p.documents[d.ArchiveKey] = string(d.Body)
		}
	}
	for _, sel := range []store.Selection{{}, {Topics: []store.Topic{"xa-hoi"}}, {Outlets: []string{"o0"}}, {Outlets: []string{"o2"}},
		{Scopes: []store.Scope{store.National}}, rareWord.Selection} {
		for _, limit := range []int{50, store.KeptInScope} {
			w, err := db.Window(t.Context(), store.Query{Selection: sel, Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range w.Stories {
				p.windows += told(s) + "\n"
			}
			p.windows += fmt.Sprintf("%+v\n", w.Gone)
		}
	}
	for _, order := range []store.Order{store.ByListed, store.ByPublished} {
		for _, s := range stories(t, db, store.Query{Order: order, Limit: store.MaxStories}) {
			p.order += fmt.Sprintln(s.ID, s.Quoted.Title, s.Quoted.Link, s.Quoted.Outlet, s.Quoted.Authors, s.Quoted.Published, s.Topics, s.Listed, s.Updated, s.Carriers)
		}
	}
	var err error
	if p.counts, _, err = db.DayCounts(t.Context(), store.Selection{Topics: []store.Topic{"kinh-te"}}, "2024-11-01", "2024-11-30"); err != nil {
		t.Fatal(err)
	}
	if p.revision, err = db.Revision(t.Context(), store.Selection{}); err != nil {
		t.Fatal(err)
	}
	if p.change, err = db.LastChange(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p public) compare(t *testing.T, was public, when string) {
	t.Helper()
	if !maps.Equal(p.documents, was.documents) {
		t.Errorf("%s: sealed documents changed", when)
	}
	if p.windows != was.windows {
		t.Errorf("%s: feeds changed", when)
	}
	if p.order != was.order {
		t.Errorf("%s: listings changed", when)
	}
	if !maps.Equal(p.counts, was.counts) || p.counts["2024-11-05"] == 0 {
		t.Errorf("%s: counts of days %v, were %v", when, p.counts, was.counts)
	}
	if p.revision != was.revision || p.change != was.change {
		t.Errorf("%s: revision %v, last change %v; were %v and %v", when, p.revision, p.change, was.revision, was.change)
	}
}

// reduce runs retention to its end, or for so many steps.
func reduce(t *testing.T, db *store.DB, r store.Retention, at time.Time, steps int) (all store.Reduction) {
	t.Helper()
	run, err := db.BeginRetention(t.Context(), r, at)
	if err != nil || run == nil {
		t.Fatalf("begin retention: %v, %v", run, err)
	}
	for more := true; more; steps-- {
		if steps == 0 {
			return all // killed
		}
		var done store.Reduction
		if done, more, err = run.Step(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		all.Stories, all.Items, all.Pages = all.Stories+done.Stories, all.Items+done.Items, all.Pages+done.Pages
	}
	if err := run.End(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	return all
}

// ofTitle is the story that quotes a headline.
func ofTitle(t *testing.T, db *store.DB, title string) store.Story {
	t.Helper()
	for _, s := range stories(t, db, store.Query{Order: store.ByPublished, Limit: store.MaxStories}) {
		if s.Quoted.Title == title {
			s, err := db.Story(t.Context(), s.ID)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatalf("no story %q", title)
	return store.Story{}
}

func planned(t *testing.T, db *store.DB, r store.Retention, at time.Time) map[string][2]int {
	t.Helper()
	plan, err := db.PlanRetention(t.Context(), r, at)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2]int{}
	for _, p := range plan {
		all[p.Outlet] = [2]int{p.Stories, p.Kept}
	}
	return all
}

// What is old is reduced by the rule of its outlet, in steps, across a kill;
// nothing that readers and programs follow changes, and what comes back is
// known.
func TestRetention(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		aYear(t, db)
		pin := ofTitle(t, db, "Bài cũ 9 của o0")
		if _, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: now.Add(3 * time.Hour), Verb: store.RulePin, Story: pin.ID, Items: []int64{pin.Quoted.ID}}, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		rule := store.Retention{RetentionRule: store.RetentionRule{Age: 90 * 24 * time.Hour}, Outlets: map[string]store.RetentionRule{"o1": {}}}
		if got := planned(t, db, rule, yearLater); got["o0"] != [2]int{0, oldStories - 1} {
			t.Errorf("before anything is sealed the plan is %v", got)
		}
		before := seen(t, db) // which seals
		// of o0 the pinned one is not asked, the rare word stands in a feed, and
		// one was edited lately; o2 has no more than its feed holds.
		gone := oldStories - 3
		if got := planned(t, db, rule, yearLater); got["o0"] != [2]int{gone, 2} || got["o1"] != [2]int{} || got["o2"] != [2]int{0, 5} {
			t.Errorf("the plan is %v", got)
		}
		if got := planned(t, db, store.Retention{RetentionRule: store.RetentionRule{Age: time.Hour}}, now.AddDate(0, 0, 20)); len(got) != 0 {
			t.Errorf("within the least age the plan is %v", got)
		}

		first := reduce(t, db, rule, yearLater, 1)
		db.Close()
		db = open()
		later := yearLater.Add(time.Hour) // the dead one's lease is over
		rest := reduce(t, db, rule, later, -1)
		if n := first.Stories + rest.Stories; n != gone || first.Items+rest.Items != gone+1 {
			t.Errorf("%d and %d stories were reduced, %d items, want %d and %d", first.Stories, rest.Stories, first.Items+rest.Items, gone, gone+1)
		}
		if st, err := db.Retained(t.Context()); err != nil || !st.Last.Equal(later) || st.Reduced != int64(gone) {
			t.Errorf("state %+v, %v", st, err)
		}
		seen(t, db).compare(t, before, "reduced")
		thin(t, db)
		comesBack(t, db, later)
		seen(t, db).compare(t, before, "after old items came back")
		ruledLater(t, db, later)
		byCount(t, db, later)
	})
}

// thin looks at what is left of a reduced story, and at those that stay whole.
func thin(t *testing.T, db *store.DB) {
	t.Helper()
	s := ofTitle(t, db, "Bài cũ 3 của o0")
	it := s.Quoted
	if !s.Reduced || it.Summary+it.Content+it.Image != "" || it.Link == "" || len(it.Authors) != 1 || it.Outlet != "o0" {
		t.Errorf("of a reduced story is left %+v", s)
	}
	if r := it.Topics[1].Reasons; len(it.Topics) != 2 || len(r) != 1 || r[0].Text != "đầu tư" {
		t.Errorf("its topics are %+v", it.Topics)
	}
	copies, err := db.Copies(t.Context(), s.ID)
	if err != nil || len(copies) != 2 || copies[1].Item.Link == "" || copies[1].Item.Summary != "" {
		t.Errorf("its copies are %+v, %v", copies, err)
	}
	if found := stories(t, db, store.Query{Selection: store.Selection{Words: store.Words{All: []store.Term{store.TermOf("cũ 3")}}, Outlets: []string{"o0"}}}); len(found) != 1 || found[0].ID != s.ID {
		t.Errorf("a search finds %d", len(found))
	}
	for _, title := range []string{"Bài cũ 5 của o0", "Bài cũ 7 của o0", "Bài cũ 9 của o0", "Bài cũ 3 của o1", "Bài cũ 3 của o2", "Bài mới 0 của o0"} {
		if s := ofTitle(t, db, title); s.Reduced || s.Quoted.Summary == "" {
			t.Errorf("%q is reduced", title)
		}
	}
}

// comesBack lets feeds carry old items again.
func comesBack(t *testing.T, db *store.DB, at time.Time) {
	t.Helper()
	old := oldOf("o0", 12)
	edited := old[1]
	edited.Summary, edited.Fingerprint = "Viết lại", 99
	otherLink := old[2]
	otherLink.Aliases = []string{old[2].Aliases[0], "link:http://o0.example/dia-chi-moi"}
	otherGUID := old[4]
	otherGUID.Aliases = []string{"guid:o0-home:moi", old[4].Aliases[1]}
	copied := article("o1", "Bài cũ 3 của o0", now)
	if c := record(t, db, "o0-home", at, old[0], edited, otherLink, otherGUID); c.New+c.Changed+c.Listed != 0 || c.Same != 4 {
		t.Errorf("old items that came back changed %+v", c)
	}
	if c := record(t, db, "o1-home", at.Add(time.Minute), copied); c.New+c.Changed+c.Listed != 0 || c.Same != 1 {
		t.Errorf("an old copy that came back changed %+v", c)
	}
	if c := record(t, db, "o0-home", at.Add(2*time.Minute), otherLink, otherGUID); c.Same != 2 {
		t.Errorf("the same under their new identities changed %+v", c)
	}
	if err := db.CheckSoon(t.Context(), "o0", []string{old[0].Aliases[0]}, []string{old[0].Aliases[0]}, at); err != nil {
		t.Fatal(err)
	}
}

// ruledLater lets editors rule on what is reduced, and an outlet reuse a guid.
func ruledLater(t *testing.T, db *store.DB, at time.Time) {
	t.Helper()
	s := ofTitle(t, db, "Bài cũ 11 của o0")
	was := seen(t, db)
	hide, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: at, Verb: store.RuleTakedown, Why: "theo yêu cầu", Story: s.ID}, sameTitle{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Story(t.Context(), s.ID); !errors.Is(err, store.ErrWithdrawn) {
		t.Errorf("taken down: %v", err)
	}
	if after := seen(t, db); maps.Equal(after.documents, was.documents) {
		t.Error("a takedown left the sealed documents as they were")
	}
	if _, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: at, Verb: store.RuleRestore, Undoes: hide.ID}, sameTitle{}); err != nil {
		t.Fatal(err)
	}
	if s, err := db.Story(t.Context(), s.ID); err != nil || !s.Reduced {
		t.Errorf("restored: %+v, %v", s, err)
	}
	reused := article("o0", "Tin khác hẳn", at)
	reused.Aliases[0] = oldOf("o0", 1)[0].Aliases[0]
	if c := record(t, db, "o0-home", at.Add(3*time.Minute), reused); c.New != 1 || c.Listed != 1 {
		t.Errorf("a guid of old that names another article changed %+v", c)
	}
}

// byCount reduces all but the newest items.
func byCount(t *testing.T, db *store.DB, at time.Time) {
	t.Helper()
	at = at.AddDate(0, 1, 0)
	rule := store.Retention{RetentionRule: store.RetentionRule{Items: 2*newStories + 1}}
	if plan := planned(t, db, rule, at); plan["o1"] != [2]int{oldStories, 0} || plan["o0"] != [2]int{1, 1} {
		t.Errorf("by count the plan is %v", plan)
	}
	reduce(t, db, rule, at, -1)
	if got := planned(t, db, rule, at); got["o1"] != [2]int{} {
		t.Errorf("after it the plan is %v", got)
	}
	own := store.Retention{Outlets: map[string]store.RetentionRule{"o1": {Items: store.KeptInScope + 3}}}
	if !own.Any() || (store.Retention{Outlets: map[string]store.RetentionRule{"o1": {}}}).Any() {
		t.Error("what takes nothing is said to take something, or the other way round")
	}
	reduce(t, db, own, at.AddDate(0, 1, 0), -1)
	for i, want := range map[int]bool{newStories - 1: true, store.KeptInScope: true, store.KeptInScope - 1: false, 0: false} { // the last of a document is its oldest
		if s := ofTitle(t, db, fmt.Sprintf("Bài mới %d của o1", i)); s.Reduced != want {
			t.Errorf("of an outlet with a count of its own, number %d is reduced: %v", i, s.Reduced)
		}
	}
}

// Of two processes one reduces.
func TestRetentionIsDoneByOne(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		if t.Name() == "TestRetentionIsDoneByOne/sqlite" {
			t.Skip("nobody else can open the file")
		}
		a, b := open(), open()
		sync1(t, a, 1)
		first, err := a.BeginRetention(t.Context(), store.Retention{}, now)
		if err != nil || first == nil {
			t.Fatalf("first: %v, %v", first, err)
		}
		begin := func(at time.Time) *store.RetentionRun {
			run, err := b.BeginRetention(t.Context(), store.Retention{}, at)
			if err != nil {
				t.Fatal(err)
			}
			return run
		}
		if begin(now.Add(time.Minute)) != nil {
			t.Error("two run at once")
		}
		if _, _, err := first.Step(t.Context(), now.Add(90*time.Second)); err != nil {
			t.Fatal(err)
		}
		if begin(now.Add(3*time.Minute)) != nil {
			t.Error("a step did not renew the lease")
		}
		if err := first.End(t.Context(), now.Add(3*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if begin(now.Add(3*time.Minute)) == nil {
			t.Error("the lease was not given back")
		}
		if begin(now.Add(10*time.Minute)) == nil {
			t.Error("a lease of a dead process did not end")
		}
	})
}
