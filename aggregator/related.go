package aggregator

import (
	"fmt"
	"math"
	"time"

	"diemtin/store"
)

// Two items report the same event if they share names that few other items
// have, and the names make a good part of those in their headlines and first
// paragraphs; or if they share a part of their texts. docs/sameness.md has the
// samples by which that was judged.
const (
	// minCounted is how many items must have been counted before rare names
	// say anything: in a new archive every name is rare.
	minCounted = 50
	// rareShare is the share of items up to which a name is rare.
	rareShare = 0.005
	// eventKeys is how many rare names an item is found by.
	eventKeys = 4

	relatedApart  = 72 * time.Hour
	relatedRare   = 3    // rare pairs of syllables in both, as a full name and another, and
	relatedNames  = 0.40 // this share, by weight, of the names of the item that has fewer;
	relatedSome   = 0.35 // or one rare name, this share of the names,
	relatedQuoted = 0.10 // and this share of the shorter text's runs;
	relatedText   = 0.30 // or this share of the runs alone
)

// nameWeights weighs the names of one item.
type nameWeights struct {
	store.Corpus
	rare int // a name in so many of the counted items or fewer is rare
}

func newWeights(c store.Corpus) nameWeights {
	return nameWeights{c, max(1, int(rareShare*float64(c.Items)))}
}

// known tells whether enough was counted for names to be called rare.
func (c nameWeights) known() bool { return c.Items >= minCounted }

// weight is how much a name says, and whether it is rare.
func (c nameWeights) weight(name uint32) (weight float64, rare bool) {
	n := c.Names[name]
	return math.Log(float64(c.Items+1) / (float64(n) + 0.5)), n <= c.rare
}

// eventKey is the index key of a name.
func eventKey(name uint32) uint32 { return uint32((uint64(name) ^ hashStart) * hashPrime >> 32) }

// Adapt implements store.Judge: it leaves common lines out of what the item is
// found and compared by, and adds keys of its rarest names.
func (m *Matcher) Adapt(it *store.Item, known store.Corpus) {
	if len(known.Common) > 0 {
		lines := it.Lines
		m.Prepare(it, func(line uint64) bool { return known.Common[line] })
		it.Lines = lines // counted on: what is common must stay so
	}
	c := newWeights(known)
	if !c.known() {
		return
	}
	keys := 0
	for _, name := range it.Names {
		if _, rare := c.weight(name); rare && keys < eventKeys && len(it.Sketch) < store.MaxKeys {
			it.Sketch = append(it.Sketch, eventKey(name))
			keys++
		}
	}
}

// Related implements store.Judge.
func (m *Matcher) Related(it *store.Item, near []*store.Item, known store.Corpus) (all []store.Relation) {
	if len(near) == 0 {
		return nil
	}
	s, c := m.newSubject(it, near), newWeights(known)
	for i := range s.near {
		if score, why := s.related(&s.near[i], c); score > 0 {
			all = append(all, store.Relation{Near: i, Score: score, Why: why})
		}
	}
	return all
}

// related says how surely two items report the same event; 0 = they need not.
func (s *subject) related(d *matchDoc, c nameWeights) (score float64, why string) {
	if s.apart(d) > relatedApart || s.series.differs(d.series) {
		return 0, ""
	}
	quoted := share(s.fullRuns.count(d.full), min(len(s.full), len(d.full)))
	if min(len(s.full), len(d.full)) < minBodyRuns {
		quoted = 0
	}
	if quoted >= relatedText {
		return quoted, fmt.Sprintf("chung %d %% lời văn", percent(quoted))
	}
	if !c.known() {
		return 0, ""
	}
	names, rare := s.sharedNames(d, c)
	switch {
	case names >= relatedNames && rare >= relatedRare:
	case names >= relatedSome && rare >= 1 && quoted >= relatedQuoted:
	default:
		return 0, ""
	}
	return names, fmt.Sprintf("chung %d cụm tên riêng ít gặp", rare)
}

// sharedNames returns the share, by weight, of the names of the item that has
// fewer which are in both, and how many of these are rare. The counts of the
// other item's own names are not asked for: they weigh as the rarest do.
func (s *subject) sharedNames(d *matchDoc, c nameWeights) (part float64, rare int) {
	var mine, its, both float64
	s.scratch.fill(d.events)
	for _, name := range s.events {
		w, isRare := c.weight(name)
		mine += w
		if s.scratch.has(name) {
			both += w
			if isRare {
				rare++
			}
		}
	}
	for _, name := range d.events {
		w, _ := c.weight(name)
		its += w
	}
	if least := min(mine, its); least > 0 {
		part = both / least
	}
	return part, rare
}
