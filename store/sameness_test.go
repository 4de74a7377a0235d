package store

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestLikeliest(t *testing.T) {
	t.Parallel()
	many := make([]int64, 40)
	for i := range many {
		many[i] = int64(100 + i)
	}
	for _, tc := range []struct {
		name  string
		under [][]int64
		want  []int64
	}{
		{"more keys first, then rarer ones, then newer items", [][]int64{{1, 2}, {2, 3}, {4}}, []int64{2, 4, 3, 1}},
		{"a key that many have proves nothing alone", [][]int64{many, {7}}, []int64{7}},
		{"with another it does", [][]int64{many, {100, 7}}, []int64{100, 7}},
		{"nothing", nil, nil},
	} {
		if got := likeliest(tc.under, maxNear); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := likeliest([][]int64{many, many}, maxNear); len(got) != maxNear {
		t.Errorf("got %d candidates, want %d", len(got), maxNear)
	}
}

func TestSightings(t *testing.T) {
	t.Parallel()
	var s sightings
	for range 2 {
		if s.again(1, 10) {
			t.Error("one story is no other")
		}
	}
	if !s.again(1, 11) {
		t.Error("another story was not told")
	}
	for key := range int64(3 * maxSightings) {
		s.again(100+key, 1)
	}
	if n := len(s.young) + len(s.old); n > 2*maxSightings {
		t.Errorf("%d sightings are kept, want at most %d", n, 2*maxSightings)
	}
	if s.again(1, 12) {
		t.Error("the oldest is still known")
	}
}

// watcher tells what a judge is given.
type watcher struct {
	firstNear
	seen *[]Corpus
	near *[][]*Item
}

func (w watcher) Adapt(_ *Item, c Corpus) { *w.seen = append(*w.seen, c) }

func (w watcher) Match(_ *Item, near []*Item) (int, Merge) {
	*w.near = append(*w.near, near)
	return -1, Merge{}
}

// desk records items one by one.
type desk struct {
	t     *testing.T
	db    *DB
	judge watcher
	n     int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "desk.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Sync(t.Context(), []Outlet{{ID: "a", Scope: National}, {ID: "b", Scope: National}}, []Source{{ID: "a", Outlet: "a"}, {ID: "b", Outlet: "b"}}); err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, db: db, judge: watcher{seen: &[]Corpus{}, near: &[][]*Item{}}}
}

// record stores an item, and returns its story and what the judge was given.
func (d *desk) record(outlet string, at time.Time, it Item) (story string, c Corpus, near []*Item) {
	d.t.Helper()
	story = d.recordWith(d.judge, outlet, at, it)
	seen, nears := *d.judge.seen, *d.judge.near
	return story, seen[len(seen)-1], nears[len(nears)-1]
}

// recordWith stores an item that another judge judges, and returns the story
// that it would begin.
func (d *desk) recordWith(judge Judge, outlet string, at time.Time, it Item) string {
	d.t.Helper()
	d.n++
	link := fmt.Sprintf("link:%s/%d", outlet, d.n)
	it.Title, it.Aliases = cmp.Or(it.Title, fmt.Sprint("Tin ", d.n)), []string{link}
	if _, err := d.db.Record(d.t.Context(), Refresh{Source: Source{ID: outlet, Outlet: outlet, State: SourceState{Visited: true}}, At: at, Items: []Item{it},
		Settle: func(Changes) SourceState { return SourceState{Visited: true} }}, judge); err != nil {
		d.t.Fatal(err)
	}
	return storyID(outlet, link)
}

// A line is common from the fourth story of its outlet on, or from the eighth
// of all; it is forgotten after two windows.
func TestCommonLines(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	d := newDesk(t)
	for i := range 6 {
		_, c, _ := d.record("a", at, Item{Lines: []uint64{7, uint64(100 + i)}})
		if got, want := c.Common[7], i >= commonOfOutlet; got != want {
			t.Errorf("story %d of the outlet: common %v, want %v", i+1, got, want)
		}
		if len(c.Common) > 1 {
			t.Errorf("story %d: common are %v", i+1, c.Common)
		}
	}
	for i := range 3 {
		_, c, _ := d.record("b", at, Item{Lines: []uint64{7}})
		if got, want := c.Common[7], 6+i >= commonOfAll; got != want {
			t.Errorf("story %d of another outlet: common %v, want %v", i+1, got, want)
		}
	}
	if _, c, _ := d.record("a", at.Add(SketchWindow), Item{Lines: []uint64{7}}); !c.Common[7] {
		t.Error("the line is forgotten within a window")
	}
	if _, c, _ := d.record("a", at.Add(4*SketchWindow), Item{Lines: []uint64{7}}); c.Common[7] {
		t.Error("the line is common for ever")
	}
}

// The judge gets a candidate's form, or its summary where none is kept.
func TestNearBringsForms(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	d := newDesk(t)
	d.record("a", at, Item{Title: "Có", Summary: "tóm tắt", Sketch: []uint32{1, 2}, Form: []byte("form")})
	d.record("b", at, Item{Title: "Không", Summary: "tóm tắt", Sketch: []uint32{1, 2}})
	_, _, near := d.record("a", at, Item{Sketch: []uint32{1, 2}})
	if len(near) != 2 || string(near[1].Form) != "form" || near[1].Summary != "" || near[0].Form != nil || near[0].Summary != "tóm tắt" {
		t.Errorf("got %+v", near)
	}
}

// Relations stand on both sides, and are bounded on both.
func TestRelatedIsBoundedAndSymmetric(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	d := newDesk(t)
	var stories []string
	for range 3 * MaxRelated {
		story, _, _ := d.record("a", at, Item{Sketch: []uint32{1, 2}})
		stories = append(stories, story)
	}
	pairs := map[[2]string]bool{}
	for _, story := range stories {
		all, err := d.db.Related(t.Context(), story, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > MaxRelated {
			t.Errorf("%s has %d relations, want at most %d", story, len(all), MaxRelated)
		}
		for i, r := range all {
			pairs[[2]string{story, r.Story.ID}] = true
			if r.Story.ID == story || r.Why == "" || i > 0 && r.Score > all[i-1].Score {
				t.Errorf("%s: relation %d is %s, %v, %q", story, i, r.Story.ID, r.Score, r.Why)
			}
		}
	}
	if len(pairs) == 0 {
		t.Fatal("nothing is related")
	}
	for p := range pairs {
		if !pairs[[2]string{p[1], p[0]}] {
			t.Errorf("%v is related in one direction", p)
		}
	}
}
