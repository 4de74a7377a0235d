package aggregator

import (
	"cmp"
	"slices"
	"strings"
)

// partHit is a part of a group found at a syllable of a place.
type partHit struct {
	group      int32
	member     uint8
	at         place
	start, end int32
	text       string // the variant that was found
}

// groupHits are all parts found in an item.
type groupHits []partHit

// count enters the hits of one place: evidence into the tally, parts of groups
// into groups for countGroups.
func (b *ruleBook) count(hits []phraseHit, at place, s *tally, groups *groupHits) {
	for i, h := range hits {
		pat, r := &b.patterns[h.pattern], b.ruleOf(h)
		switch {
		case r.kind == silencing:
			s.silenced[r.topic], s.silencer[r.topic] = pat.text, r.path
		case r.kind == masking || b.masked(hits, i):
		case r.kind == part:
			*groups = append(*groups, partHit{r.group, r.member, at, h.start, h.end, pat.text})
		default:
			s.add(r, pat.text, at)
		}
	}
}

// masked tells whether hit i stands inside a mask of its own topic.
func (b *ruleBook) masked(hits []phraseHit, i int) bool {
	topic := b.ruleOf(hits[i]).topic
	for _, m := range hits {
		if m.start > hits[i].start {
			break
		}
		if r := b.ruleOf(m); r.kind == masking && r.topic == topic && m.end >= hits[i].end {
			return true
		}
	}
	return false
}

// countGroups enters the groups of which every part was found, by the words
// that were found.
func (b *ruleBook) countGroups(hits groupHits, s *tally) {
	slices.SortStableFunc(hits, func(x, y partHit) int { return cmp.Compare(x.group, y.group) })
	for len(hits) > 0 {
		n := 1
		for n < len(hits) && hits[n].group == hits[0].group {
			n++
		}
		g := &b.groups[hits[0].group]
		if at, words, ok := g.complete(hits[:n]); ok {
			s.enter(&g.rule, strings.Join(words, " + "), at)
		}
		hits = hits[n:]
	}
}

// complete tells whether the hits have every part of the group, the place in
// which the last of them is found, and the words: a group that is whole only
// with the summary counts as much as a phrase of the summary.
func (g *group) complete(hits []partHit) (at place, words []string, ok bool) {
	all := uint(1)<<g.parts - 1
	var found [maxGroupParts]string
	var seen uint
	for at := inTitle; at < places; at++ {
		if g.within > 0 {
			seen = 0
		}
		for i, h := range hits {
			switch {
			case h.at != at:
			case g.within == 0:
				if seen&(1<<h.member) == 0 {
					seen, found[h.member] = seen|1<<h.member, h.text
				}
			default:
				seen, found = g.window(hits[i:], at)
			}
			if seen == all {
				return at, found[:g.parts], true
			}
		}
	}
	return 0, nil, false
}

// window returns the parts that stand within reach of the first hit, which are
// in order of their start, and the words of each.
func (g *group) window(hits []partHit, at place) (seen uint, found [maxGroupParts]string) {
	for _, h := range hits {
		if h.at == at && int(h.end-hits[0].start) <= g.within && seen&(1<<h.member) == 0 {
			seen, found[h.member] = seen|1<<h.member, h.text
		}
	}
	return seen, found
}
