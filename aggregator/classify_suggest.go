package aggregator

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Suggestion is a phrase that separates a topic's items from the others.
type Suggestion struct {
	Phrase  string   `json:"phrase"`
	Score   float64  `json:"score"`   // log-odds ratio in standard deviations
	Inside  int      `json:"inside"`  // items of the topic that have it in headline or lead
	Outside int      `json:"outside"` // other items that have it
	Samples []string `json:"samples"` // headlines of the topic that have it
}

// The measures of a suggestion.
const (
	gramMin, gramMax = 2, 4 // syllables: one is rarely a word, five rarely come again
	leastInside      = 3    // items: what two have in common may be one story
	leastScore       = 1.96 // standard deviations: one in forty by chance
	priorItems       = 20.0 // weight of the prior, in items: what a rare phrase must overcome
	suggestSamples   = 3
)

// Suggester finds phrases that speak for a topic and are in no rule of it yet.
type Suggester struct {
	topic  store.Topic
	known  [][]string      // the syllables of the topic's own phrases
	inside map[string]*hit // of the topic's items
	nIn    int
	others map[string]int
	nOut   int
	titles map[string]bool // a story copied ten times is one item
}

type hit struct {
	n       int
	samples []string
}

// NewSuggester takes the rules that are in force.
func NewSuggester(topic store.Topic, topics []TopicConfig) *Suggester {
	s := &Suggester{topic: topic, inside: map[string]*hit{}, others: map[string]int{}, titles: map[string]bool{}}
	sets := Topics(topics).checkSets(func(string, string) {})
	for _, t := range topics {
		if t.ID != topic {
			continue
		}
		add := func(phrase string) {
			variants, err := sets.expand(phrase)
			if err != nil {
				return // reported by Check, which ran before
			}
			for _, v := range variants {
				if v.ends == noName {
					s.known = append(s.known, vi.Syllables(v.text))
				}
			}
		}
		for _, p := range t.Phrases {
			if p.Phrase != "" {
				add(p.Phrase)
			}
			for _, phrase := range p.Any {
				add(phrase)
			}
		}
		for _, e := range t.Exclude {
			add(e.Phrase)
		}
	}
	return s
}

// Inside adds an item of the topic. All of them come before the first Outside,
// which counts only what they have.
func (s *Suggester) Inside(it *store.Item) {
	if !s.fresh(it) {
		return
	}
	s.nIn++
	eachGram(it, func(gram string) {
		h := s.inside[gram]
		if h == nil {
			h = &hit{}
			s.inside[gram] = h
		}
		if h.n++; len(h.samples) < suggestSamples {
			h.samples = append(h.samples, it.Title)
		}
	})
}

// Outside adds an item that is not of the topic.
func (s *Suggester) Outside(it *store.Item) {
	if !s.fresh(it) {
		return
	}
	s.nOut++
	eachGram(it, func(gram string) {
		if h := s.inside[gram]; h != nil && h.n >= leastInside {
			s.others[gram]++
		}
	})
}

// fresh tells whether no item with the same headline was added.
func (s *Suggester) fresh(it *store.Item) bool {
	key := vi.Fold(it.Title)
	if s.titles[key] {
		return false
	}
	s.titles[key] = true
	return true
}

// eachGram calls each once with every run of syllables of the headline and the
// lead that no punctuation parts.
func eachGram(it *store.Item, each func(string)) {
	seen := map[string]bool{}
	for _, text := range []string{it.Title, it.Summary} {
		text = vi.NFC(text)
		tokens := vi.Tokens(text)
		for i := range tokens {
			gram := tokens[i].Text
			for n := 2; n <= gramMax && i+n <= len(tokens); n++ {
				if text[tokens[i+n-2].End:tokens[i+n-1].Start] != " " {
					break
				}
				gram += " " + tokens[i+n-1].Text
				if n >= gramMin && !seen[gram] && strings.IndexFunc(gram, isDigit) < 0 {
					seen[gram] = true
					each(gram)
				}
			}
		}
	}
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// Suggest returns the n phrases that separate best: by the log-odds ratio with
// an informative prior (Monroe, Colaresi and Quinn, Fightin' Words, 2008), the
// share of a phrase in all items being the prior. Of phrases that stand inside
// each other and say the same, the longer one is given.
func (s *Suggester) Suggest(n int) []Suggestion {
	var all []Suggestion
	within := s.knownAround()
	for gram, h := range s.inside {
		if h.n < leastInside || 3*within[gram] >= 2*h.n {
			continue
		}
		if z := logOdds(h.n, s.nIn, s.others[gram], s.nOut); z >= leastScore {
			all = append(all, Suggestion{Phrase: gram, Score: math.Round(z*100) / 100, Inside: h.n, Outside: s.others[gram], Samples: h.samples})
		}
	}
	slices.SortFunc(all, func(a, b Suggestion) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(len(b.Phrase), len(a.Phrase)), cmp.Compare(a.Phrase, b.Phrase))
	})
	var kept []Suggestion
	for _, x := range all {
		if len(kept) == n {
			break
		}
		if !slices.ContainsFunc(kept, func(k Suggestion) bool { return overlaps(k, x) }) {
			kept = append(kept, x)
		}
	}
	return kept
}

// knownAround says of each run of syllables in how many items, at least, it
// stands only beside or around a phrase that the topic has already: "để điều"
// before "tra".
func (s *Suggester) knownAround() map[string]int {
	within := map[string]int{}
	for gram, h := range s.inside {
		words := strings.Fields(gram)
		if h.n < leastInside || !s.isKnown(words) {
			continue
		}
		for from := range words {
			for to := from + gramMin; to <= len(words); to++ {
				part := strings.Join(words[from:to], " ")
				within[part] = max(within[part], h.n)
			}
		}
	}
	return within
}

// overlaps tells whether x stands inside k, or k inside x, in mostly the same
// items: then one of them is enough.
func overlaps(k, x Suggestion) bool {
	pad := func(s string) string { return " " + s + " " }
	if !strings.Contains(pad(k.Phrase), pad(x.Phrase)) && !strings.Contains(pad(x.Phrase), pad(k.Phrase)) {
		return false
	}
	return 3*min(k.Inside, x.Inside) >= 2*max(k.Inside, x.Inside)
}

// isKnown tells whether a phrase of the topic stands inside the gram.
func (s *Suggester) isKnown(gram []string) bool {
	return slices.ContainsFunc(s.known, func(phrase []string) bool {
		for i := 0; i+len(phrase) <= len(gram); i++ {
			if slices.Equal(gram[i:i+len(phrase)], phrase) {
				return true
			}
		}
		return false
	})
}

// logOdds is how many standard deviations more often a phrase stands in items
// of the topic (a of n) than in others (b of m).
func logOdds(a, n, b, m int) float64 {
	share := float64(a+b) / float64(n+m)
	prior, rest := priorItems*share, priorItems*(1-share)
	odds := func(k, of int) float64 { return math.Log((float64(k) + prior) / (float64(of-k) + rest)) }
	variance := 1/(float64(a)+prior) + 1/(float64(b)+prior)
	return (odds(a, n) - odds(b, m)) / math.Sqrt(variance)
}
