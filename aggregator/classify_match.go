package aggregator

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// passage is one place of an item, ready to be matched.
type passage struct {
	tokens    []vi.Token
	ids       []uint32 // 0 = in no phrase
	sentence  []int32  // number of the sentence that a token stands in
	capital   []bool   // does it begin with a capital
	shouting  bool     // all letters are capitals: they tell nothing
	adjoining []bool   // does only a space stand between it and the token before
}

// newPassage numbers the syllables and sentences of a text.
func newPassage(text string, tokens []vi.Token, ids map[string]uint32) passage {
	n := len(tokens)
	p := passage{tokens: tokens, ids: make([]uint32, n), sentence: make([]int32, n)}
	flags := make([]bool, 2*n)
	p.capital, p.adjoining = flags[:n:n], flags[n:]
	words, loud, sentence := 0, 0, int32(0)
	for i, t := range tokens {
		p.ids[i] = ids[oneSpelling(t.Text)]
		p.capital[i] = isCapital(t.Raw)
		if t.Text != t.Raw || strings.IndexFunc(t.Raw, unicode.IsLetter) >= 0 {
			words++
			if p.capital[i] && isLoud(t.Raw) {
				loud++
			}
		}
		if i > 0 {
			gap := text[tokens[i-1].End:t.Start]
			p.adjoining[i] = gap == " "
			if !p.adjoining[i] && endsSentence(gap) {
				sentence++
			}
		}
		p.sentence[i] = sentence
	}
	p.shouting = words >= minShouted && loud == words
	return p
}

// minShouted is how many words a text must have before its capitals are taken
// for a way of setting it: "TP.HCM" alone is none.
const minShouted = 3

// isLoud tells whether a word has no small letter.
func isLoud(raw string) bool { return strings.IndexFunc(raw, unicode.IsLower) < 0 }

// endsSentence tells whether the characters between two tokens part sentences.
// A full stop without a space after it is an abbreviation: TP.HCM, T.Ư.
func endsSentence(gap string) bool {
	return strings.ContainsAny(gap, "!?;…\n|") || strings.Contains(gap, ". ")
}

// phraseHit is a pattern found in a passage: its syllables are [start, end).
type phraseHit struct {
	pattern    int32
	start, end int32
}

// match returns the hits of every pattern that may count in the place, longest
// first among those that begin at the same syllable, hits inside longer
// evidence or names already taken out.
func (b *ruleBook) match(p passage, at place, scope store.Scope) []phraseHit {
	return b.longest(b.matchAll(p, at, scope))
}

// matchAll is match with the hits inside longer ones.
func (b *ruleBook) matchAll(p passage, at place, scope store.Scope) []phraseHit {
	var hits []phraseHit
	for start := range p.ids {
		node := int32(0)
		first := len(hits)
		for i := start; i < len(p.ids) && p.ids[i] != 0 && p.sentence[i] == p.sentence[start]; i++ {
			next, ok := b.next[uint64(node)<<32|uint64(p.ids[i])]
			if !ok {
				break
			}
			node = next
			for _, id := range b.found[node] {
				if end, ok := b.accept(p, id, start, at, scope); ok {
					hits = append(hits, phraseHit{id, int32(start), int32(end)})
				}
			}
		}
		slices.SortStableFunc(hits[first:], func(x, y phraseHit) int { return cmp.Compare(y.end, x.end) })
	}
	return hits
}

// accept tells whether a pattern whose syllables stand at start counts there,
// and where it ends.
func (b *ruleBook) accept(p passage, id int32, start int, at place, scope store.Scope) (end int, ok bool) {
	pat := &b.patterns[id]
	r := &b.rules[pat.rule]
	end = start + pat.length
	if !r.places.has(at) || r.first && start > 0 || len(r.scopes) > 0 && !slices.Contains(r.scopes, scope) {
		return 0, false
	}
	if !p.shouting {
		for i := range pat.length {
			want, has := uint32(1)<<i, p.capital[start+i]
			if pat.capitals&want != 0 && !has || pat.smalls&want != 0 && has ||
				pat.louds&want != 0 && !isLoud(p.tokens[start+i].Raw) {
				return 0, false
			}
		}
		if pat.lone() && p.inLongerName(start) || pat.endsInName() && p.nameGoesOn(end) {
			return 0, false
		}
	}
	switch pat.ends {
	case nameAny:
		last := end
		for last < len(p.tokens) && last < end+maxNameSyllables && !p.shouting && p.capital[last] && p.adjoining[last] {
			last++
		}
		return last, last > end
	case nameForeign:
		if end == len(p.tokens) || !p.adjoining[end] || !isForeignName(p.tokens[end].Raw) {
			return 0, false
		}
		return end + 1, true
	}
	return end, true
}

// inLongerName tells whether the capitalised word at i is part of a name in
// Vietnamese: the word right before or after it is capitalised too, and is no
// foreign name, abbreviation or beginning of a sentence.
func (p *passage) inLongerName(i int) bool {
	if p.nameGoesOn(i + 1) {
		return true
	}
	return i > 0 && p.adjoining[i] && p.partOfName(i-1) && i > 1 && p.sentence[i-2] == p.sentence[i]
}

// nameGoesOn tells whether the word at i continues the name before it.
func (p *passage) nameGoesOn(i int) bool {
	return i < len(p.tokens) && p.adjoining[i] && p.partOfName(i)
}

// partOfName tells whether the word at i looks like a syllable of a name.
func (p *passage) partOfName(i int) bool {
	raw := p.tokens[i].Raw
	return p.capital[i] && !isLoud(raw) && !isForeignName(raw)
}

// longest drops evidence that stands inside longer evidence, everything that
// stands or begins inside a name, and of two phrases of one topic on the same
// syllables the lighter one. Parts of groups and what silences a topic count
// inside evidence too. hits are in order of start, longest first.
func (b *ruleBook) longest(hits []phraseHit) []phraseHit {
	kept := hits[:0]
	cover := phraseHit{start: -1} // the evidence or name that reaches farthest so far
	name := phraseHit{start: -1}  // the name that reaches farthest so far
	for _, h := range hits {
		kind := b.ruleOf(h).kind
		inName := name.start < h.start && h.start < name.end || name.start == h.start && h.end < name.end
		inside := cover.end > h.end || cover.end == h.end && cover.start < h.start
		switch {
		case kind == masking:
			kept = append(kept, h)
		case inName || inside && (kind == evidence || kind == hiding):
		case kind == hiding:
			name, cover = h, h
		case kind == evidence:
			cover = h
			kept = b.keepHeavier(kept, h)
		default:
			kept = append(kept, h)
		}
	}
	return kept
}

// ruleOf returns the rule of a hit.
func (b *ruleBook) ruleOf(h phraseHit) *rule { return &b.rules[b.patterns[h.pattern].rule] }

// keepHeavier appends evidence to hits, or puts it in the place of lighter
// evidence for the same topic on the same syllables.
func (b *ruleBook) keepHeavier(hits []phraseHit, h phraseHit) []phraseHit {
	for i := len(hits) - 1; i >= 0 && hits[i].start == h.start && hits[i].end == h.end; i-- {
		old, r := b.ruleOf(hits[i]), b.ruleOf(h)
		if old.kind == evidence && old.topic == r.topic {
			if math.Abs(old.weight) < math.Abs(r.weight) {
				hits[i] = h
			}
			return hits
		}
	}
	return append(hits, h)
}
