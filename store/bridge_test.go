package store

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// letters takes two items for the same whose titles share a letter, and each
// two for related.
type letters struct {
	firstNear
	firm bool
}

func (l letters) Match(it *Item, near []*Item) (int, Merge) {
	i := slices.IndexFunc(near, func(n *Item) bool { return strings.ContainsAny(it.Title, n.Title) })
	return i, Merge{Reason: "text", Score: 1, Firm: l.firm}
}

// A third text that is the same as two unites their stories, if that is sure
// and nothing speaks against it.
func TestBridge(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	for _, tc := range []struct {
		name   string
		firm   bool
		titles []string // of items in the order in which they come
		before string   // run before the last
		want   int      // stories that are left
	}{
		{"whole texts", true, []string{"a", "b", "ab"}, "", 1},
		{"likely is not enough", false, []string{"a", "b", "ab"}, "", 2},
		{"three at once", true, []string{"a", "b", "c", "abc"}, "", 1},
		{"unlike stays", true, []string{"a", "b", "c", "ab"}, "", 2},
		{"ruled apart", true, []string{"a", "b", "ab"}, `INSERT INTO apart (a, b, ruling) SELECT x.id, y.id, 1 FROM stories x, stories y WHERE x.id <> y.id`, 2},
		{"one is hidden", true, []string{"a", "b", "ab"}, `UPDATE stories SET hidden = 1 WHERE id IN (SELECT story FROM items WHERE title = CAST('a' AS {{bytes}}))`, 2},
		{"one was taken back", true, []string{"a", "b", "ab"}, `UPDATE stories SET withdrawn = 1 WHERE id IN (SELECT story FROM items WHERE title = CAST('a' AS {{bytes}}))`, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			for i, title := range tc.titles {
				if tc.before != "" && i == len(tc.titles)-1 {
					if err := d.db.do(t.Context(), 1, func(t *tx) error { return t.exec(d.db.engine.words.Replace(tc.before)) }); err != nil {
						t.Fatal(err)
					}
				}
				d.recordWith(letters{firm: tc.firm}, "a", at, Item{Title: title, Sketch: []uint32{1, 2}})
			}
			var got, copies, homeless int
			row := d.db.engine.read.QueryRow(`SELECT count(*), sum(copies), (SELECT count(*) FROM items i JOIN stories s ON s.id = i.story WHERE s.merged_into <> '')
				FROM stories WHERE merged_into = ''`)
			if err := row.Scan(&got, &copies, &homeless); err != nil {
				t.Fatal(err)
			}
			if got != tc.want || copies != len(tc.titles) || homeless != 0 {
				t.Errorf("%d stories of %d items, %d items left behind; want %d of %d", got, copies, homeless, tc.want, len(tc.titles))
			}
		})
	}
}

// The story that stays is related to what either was, and an undone merge gives
// back what the other was.
func TestRelatedFollowsAMerge(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	d := newDesk(t)
	one := d.recordWith(letters{}, "a", at, Item{Title: "a", Sketch: []uint32{1, 2}})
	two := d.recordWith(letters{}, "a", at, Item{Title: "b", Sketch: []uint32{3, 4}})
	three := d.recordWith(letters{}, "a", at, Item{Title: "c", Sketch: []uint32{3, 4}})
	check := func(when, story string, want ...string) {
		t.Helper()
		all, err := d.db.Related(t.Context(), story, MaxRelated)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range all {
			got = append(got, r.Story.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s is related to %v, want %v", when, story, got, want)
		}
	}
	check("before", three, two)
	check("before", one)
	rule := func(r Ruling) {
		t.Helper()
		r.Who, r.At = "lan", at
		if _, err := d.db.Rule(t.Context(), r, letters{}); err != nil {
			t.Fatal(err)
		}
	}
	rule(Ruling{Verb: RuleMerge, Story: one, Other: two})
	check("merged", one, three)
	check("merged", three, one)
	rule(Ruling{Verb: RuleUnmerge, Story: two})
	check("undone", two, three)
	if all, _ := d.db.Related(t.Context(), three, MaxRelated); !slices.ContainsFunc(all, func(r Related) bool { return r.Story.ID == two }) {
		t.Errorf("undone, %s is not related to %s", three, two)
	}
}
