package aggregator

import (
	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Judge decides for the store what is the same story. It holds no state and
// touches nothing but its arguments.
type Judge struct{ matcher *Matcher }

// NewJudge returns a judge that knows the outlets by these names.
func NewJudge(names *Names) *Judge { return &Judge{matcher: NewMatcher(names)} }

// Reused says whether a guid that named one article now names another: its
// link is another, and its words have little in common with the old ones.
func (j *Judge) Reused(oldTitle, oldSummary string, it *store.Item) bool {
	old, now := syllableSet(oldTitle+" "+oldSummary), syllableSet(it.Title+" "+it.Summary)
	common := 0
	for s := range now {
		if old[s] {
			common++
		}
	}
	return float64(common) < reusedBelow*float64(min(len(old), len(now)))
}

// reusedBelow is the share of common syllables below which a guid was reused:
// an edited headline keeps most of its words, two unrelated Vietnamese
// headlines with leads share about a quarter (particles, place names).
const reusedBelow = 0.5

func syllableSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, syl := range vi.FoldedSyllables(s) {
		set[syl] = true
	}
	return set
}

// Match implements store.Judge.
func (j *Judge) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	return j.matcher.Match(it, near)
}

// Adapt implements store.Judge.
func (j *Judge) Adapt(it *store.Item, c store.Corpus) { j.matcher.Adapt(it, c) }

// Related implements store.Judge.
func (j *Judge) Related(it *store.Item, near []*store.Item, c store.Corpus) []store.Relation {
	return j.matcher.Related(it, near, c)
}

// Original implements store.Judge.
func (j *Judge) Original(items []store.Item, outlets map[string]store.Outlet) (int, string) {
	return Original(items, outlets)
}
