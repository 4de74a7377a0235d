package outlettest

import (
	"strings"
	"unicode"
)

// Two stories that are not the same text may share this much of the shorter
// one's three-syllable runs, far below what any two printings of one text
// share; see TestStoriesAreDistinct.
const (
	maxSharedBody = 0.22
	maxSharedHead = 0.30

	// memory is how many stories a new one is compared with, at least.
	memory = 3000
)

// syllables splits text as a reader counts: runs of letters and digits, lower
// case.
func syllables(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// runs returns the hashes of the text's distinct three-syllable runs.
func runs(s string) []uint64 {
	syl := syllables(s)
	seen := make(map[uint64]bool, len(syl))
	out := make([]uint64, 0, len(syl))
	for i := 0; i+3 <= len(syl); i++ {
		h := uint64(14695981039346656037) // FNV-1a
		for _, w := range syl[i : i+3] {
			for j := 0; j < len(w); j++ {
				h = (h ^ uint64(w[j])) * 1099511628211
			}
			h = (h ^ ' ') * 1099511628211
		}
		if !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	return out
}

// recall remembers the runs of earlier texts, the newest few thousand: the
// older half is dropped when the newer is full.
type recall struct {
	now, old generation
}

type generation struct {
	where map[uint64][]int32 // run → texts that have it
	sizes []int32            // runs of each text
	found []int32            // scratch: how many of the asked runs each text has
}

// shared returns the largest share of runs, of the shorter text, that a
// remembered text has in common with these.
func (r *recall) shared(rs []uint64) float64 {
	return max(r.now.shared(rs), r.old.shared(rs))
}

func (g *generation) shared(rs []uint64) float64 {
	clear(g.found)
	worst := 0.0
	for _, h := range rs {
		for _, i := range g.where[h] {
			g.found[i]++
			worst = max(worst, float64(g.found[i])/float64(min(int(g.sizes[i]), len(rs))))
		}
	}
	return worst
}

func (r *recall) add(rs []uint64) {
	if len(r.now.sizes) >= memory {
		r.old, r.now = r.now, generation{}
	}
	if r.now.where == nil {
		r.now.where = make(map[uint64][]int32)
	}
	id := int32(len(r.now.sizes))
	r.now.sizes = append(r.now.sizes, int32(len(rs)))
	r.now.found = append(r.now.found, 0)
	for _, h := range rs {
		r.now.where[h] = append(r.now.where[h], id)
	}
}
