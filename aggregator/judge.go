package aggregator

import (
	"github.com/prometheus/client_golang/prometheus"

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

// Prepare reads what an item is found and compared by, as a visit does.
func (j *Judge) Prepare(it *store.Item) { j.matcher.Prepare(it, nil) }

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

// counting is a Judge that counts by what evidence originals are named.
type counting struct {
	*Judge
	named *prometheus.CounterVec // evidence
}

// judging is the judge in force, as visits ask it.
func (a *Aggregator) judging() store.Judge { return counting{a.set().judge, a.metrics.named} }

// Original implements store.Judge. What counts is the last step: the one that
// left no other.
func (c counting) Original(items []store.Item, outlets map[string]store.Outlet) (int, string) {
	index, steps := ChooseOriginal(items, outlets)
	if len(steps) > 0 {
		c.named.WithLabelValues(string(steps[len(steps)-1].By)).Inc()
	}
	return index, inEnglish(steps)
}

// What two items are to each other.
const (
	Same      = "same"      // one text: one story
	Related   = "related"   // one event, two texts
	Different = "different" // neither, as far as their words tell
)

// A Decision is what two items are to each other, and why.
type Decision struct {
	Kin      string  // Same, Related or Different
	Score    float64 // 0 … 1
	Evidence string
}

// Decide compares two items by themselves and what the corpus says of the first
// one's words: the decision that the store asks for in its parts.
func (m *Matcher) Decide(it, other *store.Item, c store.Corpus) Decision {
	near := []*store.Item{other}
	i, merge := m.Match(it, near)
	if i >= 0 {
		return Decision{Same, merge.Score, merge.Evidence}
	}
	if found := m.Related(it, near, c); len(found) > 0 {
		return Decision{Related, found[0].Score, found[0].Why}
	}
	return Decision{Different, merge.Score, merge.Evidence}
}
