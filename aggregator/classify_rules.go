package aggregator

import (
	"fmt"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// place is a part of an item in which phrases are looked for.
type place uint8

const (
	inTitle place = iota
	inSummary
	inBody
	places
)

// placeNames are the words for places in feeds.yaml and in stored reasons.
var placeNames = [places]string{"title", "summary", "body"}

// sectionPlace is the place of the evidence that the source's section gives.
const sectionPlace = "section"

// placeFactor is what a phrase of weight 1 adds in each place. A headline says
// what an item is about, a lead mostly so, and deep in the text stands much
// that an item is not about.
var placeFactor = [places]float64{2, 1, 0.25}

// placeSet is a set of places.
type placeSet uint8

func (s placeSet) has(p place) bool { return s&(1<<p) != 0 }

// placesOf returns the set that a list of names stands for, or if it is empty.
func placesOf(names []string, ifEmpty placeSet) placeSet {
	if len(names) == 0 {
		return ifEmpty
	}
	var s placeSet
	for _, name := range names {
		s |= 1 << slices.Index(placeNames[:], name)
	}
	return s
}

const (
	headPlaces = placeSet(1<<inTitle | 1<<inSummary)
	allPlaces  = headPlaces | 1<<inBody
)

// ruleKind is what a matched pattern does.
type ruleKind uint8

const (
	evidence  ruleKind = iota // counts for its topic and hides shorter ones inside it
	hiding                    // counts for nothing and hides shorter ones inside it
	masking                   // what stands inside it does not count for its topic
	silencing                 // its topic is out
	part                      // one of a group
)

// rule is what the variants of one entry have in common.
type rule struct {
	kind   ruleKind
	topic  int32 // index of the topic
	group  int32 // of a part: index of its group
	member uint8 // of a part: which one
	places placeSet
	first  bool // only at the beginning of the place
	scopes []store.Scope
	weight float64
	path   string // of its entry, from the list of topics: "[3].phrases[2].any[1]"
}

// group is a compiled all-group.
type group struct {
	rule   // its kind is evidence
	parts  int
	within int
}

// pattern is one phrase in the tree of syllables.
type pattern struct {
	rule     int32
	text     string
	length   int    // syllables, without the open ending
	capitals uint32 // bit i: syllable i must begin with a capital
	smalls   uint32 // bit i: it must not
	louds    uint32 // bit i: it must have no small letter: AI is not Ai
	ends     nameClass
}

// ruleBook is all rules of all topics, compiled. It is never changed after it
// was built.
type ruleBook struct {
	rules    []rule
	groups   []group
	patterns []pattern

	ids   map[string]uint32 // syllable → number, from 1
	next  map[uint64]int32  // node<<32 | syllable → node
	found [][]int32         // node → patterns that end there
}

// compile builds the book of a list that Check found no fault in.
func compile(topics Topics) *ruleBook {
	b := &ruleBook{ids: map[string]uint32{}, next: map[uint64]int32{}, found: [][]int32{nil}}
	sets := topics.checkSets(func(string, string) {})
	for i, t := range topics {
		topic := int32(i)
		for j, name := range t.Names {
			b.add(sets, name, false, rule{kind: hiding, topic: topic, places: allPlaces, path: fmt.Sprintf("[%d].names[%d]", i, j)})
		}
		for j, p := range t.Phrases {
			b.addPhrase(sets, topic, p, fmt.Sprintf("[%d].phrases[%d]", i, j))
		}
		for j, e := range t.Exclude {
			r := rule{kind: masking, topic: topic, places: placesOf(e.In, allPlaces), path: fmt.Sprintf("[%d].exclude[%d]", i, j)}
			if e.Silence {
				r.kind, r.places = silencing, placesOf(e.In, headPlaces)
			}
			b.add(sets, e.Phrase, false, r)
		}
	}
	return b
}

// addPhrase enters one entry of a topic's phrases, which stands at path.
func (b *ruleBook) addPhrase(sets phraseSets, topic int32, p PhraseConfig, path string) {
	r := rule{kind: evidence, topic: topic, places: placesOf(p.In, allPlaces), first: p.First, scopes: p.Scope, weight: p.Weight, path: path}
	if r.weight == 0 {
		r.weight = 1
	}
	if p.Phrase != "" {
		b.add(sets, p.Phrase, p.Case, r)
	}
	for i, phrase := range p.Any {
		r.path = fmt.Sprintf("%s.any[%d]", path, i)
		b.add(sets, phrase, p.Case, r)
	}
	if len(p.All) == 0 {
		return
	}
	r.path = path
	g := group{rule: r, parts: len(p.All), within: p.Within}
	r.kind, r.group = part, int32(len(b.groups))
	for i, phrase := range p.All {
		r.member = uint8(i)
		b.add(sets, phrase, p.Case, r)
	}
	b.groups = append(b.groups, g)
}

// add enters all variants of a phrase under one rule.
func (b *ruleBook) add(sets phraseSets, phrase string, exact bool, r rule) {
	variants, err := sets.expand(phrase)
	if err != nil {
		return // reported by Check, which ran before
	}
	for _, v := range variants {
		p := pattern{rule: int32(len(b.rules)), text: v.text, length: len(v.words), ends: v.ends}
		node := int32(0)
		for i, w := range v.words {
			switch {
			case isAcronym(w.Raw):
				p.louds |= 1 << i
			case isCapital(w.Raw):
				p.capitals |= 1 << i
			case exact:
				p.smalls |= 1 << i
			}
			node = b.step(node, w.Text)
		}
		b.found[node] = append(b.found[node], int32(len(b.patterns)))
		b.patterns = append(b.patterns, p)
	}
	b.rules = append(b.rules, r)
}

// step returns the node that follows node by a syllable, made if need be.
func (b *ruleBook) step(node int32, syllable string) int32 {
	syllable = oneSpelling(syllable)
	id, ok := b.ids[syllable]
	if !ok {
		id = uint32(len(b.ids) + 1)
		b.ids[syllable] = id
	}
	edge := uint64(node)<<32 | uint64(id)
	next, ok := b.next[edge]
	if !ok {
		next = int32(len(b.found))
		b.found = append(b.found, nil)
		b.next[edge] = next
	}
	return next
}

// oneSpelling gives a syllable that may be written with y or with i the form
// with i: "bác sỹ" is "bác sĩ", "kĩ sư" is "kỹ sư". The two are one sound after
// a single h, k, l, m, s or t; a syllable is small letters, tones composed.
func oneSpelling(syllable string) string {
	if len(syllable) < 2 || !strings.Contains("hklmst", syllable[:1]) {
		return syllable
	}
	switch syllable[1:] {
	case "y":
		return syllable[:1] + "i"
	case "ỳ":
		return syllable[:1] + "ì"
	case "ý":
		return syllable[:1] + "í"
	case "ỷ":
		return syllable[:1] + "ỉ"
	case "ỹ":
		return syllable[:1] + "ĩ"
	case "ỵ":
		return syllable[:1] + "ị"
	}
	return syllable
}

// lone tells whether the pattern is a single word with a capital, which says
// nothing as part of a longer name: Mỹ in "Mỹ Tho", Đảng in "Đảng Cộng hòa".
func (p *pattern) lone() bool { return p.length == 1 && p.capitals == 1 && p.ends == noName }

// endsInName tells whether the pattern ends in a name of one word, which is
// another name if it goes on: "thăm Lào" in "thăm Lào Cai".
func (p *pattern) endsInName() bool {
	last := uint32(1) << (p.length - 1)
	return p.length > 1 && p.ends == noName && p.capitals&last != 0 && p.capitals&(last>>1) == 0 && p.louds&(last>>1) == 0
}

// passage turns the beginning of a text into what the tree reads.
func (b *ruleBook) passage(text string) passage {
	text = vi.NFC(text)
	tokens := vi.Tokens(text)
	if len(tokens) > maxSyllables {
		tokens = tokens[:maxSyllables]
	}
	return newPassage(text, tokens, b.ids)
}
