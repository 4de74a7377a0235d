package aggregator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// TopicConfig is one entry of feeds.yaml's "topics": what readers see of it,
// and the rules by which an item belongs to it.
type TopicConfig struct {
	ID       store.Topic     `yaml:"id"`
	Was      []string        `yaml:"was"` // ids that it had before: their addresses lead here
	Name     TopicName       `yaml:"name"`
	Yields   []store.Topic   `yaml:"yields"`   // topics that go before this one when an item has both
	Sets     []PhraseSet     `yaml:"sets"`     // lists of words that phrases of every topic may name: <nước>
	Names    []string        `yaml:"names"`    // names whose words say nothing: they hide from every topic what stands inside them
	Phrases  []PhraseConfig  `yaml:"phrases"`  // what speaks for the topic, or with a negative weight against it
	Exclude  []ExcludeConfig `yaml:"exclude"`  // what must not count for this topic
	Examples TopicExamples   `yaml:"examples"` // headlines that prove the rules
}

// TopicName is a topic's name in the two languages of the site.
type TopicName struct {
	VI string `yaml:"vi"`
	EN string `yaml:"en"`
}

// PhraseSet is a named list of words: a phrase that contains <name> stands for
// as many phrases as the set has words.
type PhraseSet struct {
	Name  string   `yaml:"name"`
	Words []string `yaml:"words"`
}

// PhraseConfig is one piece of evidence: a phrase, several phrases that count
// each by itself, or a group that counts only whole. It may be written as a
// plain scalar, the phrase alone. docs/topics.md has the notation.
type PhraseConfig struct {
	Phrase string        `yaml:"phrase"`
	Any    []string      `yaml:"any"`    // instead of phrase: each of these
	All    []string      `yaml:"all"`    // instead of phrase: all of these together
	Within int           `yaml:"within"` // syllables that an all-group may span in one place; 0 = anywhere
	Weight float64       `yaml:"weight"` // 0 = 1; negative speaks against the topic
	In     []string      `yaml:"in"`     // title, summary, body; empty = all three
	First  bool          `yaml:"first"`  // only where the place begins with it
	Scope  []store.Scope `yaml:"scope"`  // only for items of outlets of these scopes; empty = all
	Case   bool          `yaml:"case"`   // small letters ask for small letters too
}

// UnmarshalText reads the plain form.
func (p *PhraseConfig) UnmarshalText(text []byte) error {
	*p = PhraseConfig{Phrase: string(text)}
	return nil
}

// ExcludeConfig is a phrase that masks what stands inside it, or, with
// silence, keeps the topic away from an item altogether. It may be written as
// a plain scalar, a mask.
type ExcludeConfig struct {
	Phrase  string   `yaml:"phrase"`
	Silence bool     `yaml:"silence"`
	In      []string `yaml:"in"` // title, summary, body; empty = all for a mask, title and summary for silence
}

// UnmarshalText reads the plain form.
func (e *ExcludeConfig) UnmarshalText(text []byte) error {
	*e = ExcludeConfig{Phrase: string(text)}
	return nil
}

// TopicExamples are headlines that must get the topic, as primary or further
// one, and headlines that must not.
type TopicExamples struct {
	Yes []string `yaml:"yes"`
	No  []string `yaml:"no"`
}

// Bounds of what an editor may write, to catch slips of the pen and to keep
// the compiled rules small: 10,000 variants take about 2 MB.
const (
	maxPhraseWeight    = 5.0
	maxPhraseSyllables = 16
	maxPhraseVariants  = 16384 // of one entry, its sets and alternatives multiplied out
	maxGroupParts      = 8
	maxGroupSpan       = 100 // syllables
)

// Topics is the list of feeds.yaml.
type Topics []TopicConfig

// Check reports every fault of the list. The path leads from the list to the
// offending value, such as "[3].phrases[2].weight".
func (ts Topics) Check(report func(path, problem string)) {
	seen := map[store.Topic]int{}
	for i, t := range ts {
		path := fmt.Sprintf("[%d].id", i)
		if first, ok := seen[t.ID]; ok {
			report(path, fmt.Sprintf("topic %q stands twice, first at [%d]", t.ID, first))
		} else {
			seen[t.ID] = i
		}
		if t.ID == "" || string(t.ID) != vi.Slug(string(t.ID)) {
			report(path, fmt.Sprintf("topic id %q: want small letters a-z, digits and single hyphens, such as \"kinh-te\"", t.ID))
		}
	}
	for i, t := range ts {
		for j, other := range t.Yields {
			if _, ok := seen[other]; !ok || other == t.ID {
				report(fmt.Sprintf("[%d].yields[%d]", i, j), fmt.Sprintf("topic %q: want another topic of this list", other))
			}
		}
	}
	sets := ts.checkSets(report)
	for i := range ts {
		ts[i].check(sets, func(path, problem string) {
			report(fmt.Sprintf("[%d].%s", i, path), problem)
		})
	}
}

// checkSets reports the faults of all sets and returns the usable ones.
func (ts Topics) checkSets(report func(path, problem string)) phraseSets {
	sets := phraseSets{}
	for i, t := range ts {
		for j, set := range t.Sets {
			path := fmt.Sprintf("[%d].sets[%d]", i, j)
			switch {
			case set.Name == "" || strings.ContainsAny(set.Name, "<>()|") || set.Name == anyName || set.Name == foreignName:
				report(path+".name", fmt.Sprintf("set name %q: want a word without <>()|, not %q or %q", set.Name, anyName, foreignName))
				continue
			case sets[set.Name] != nil:
				report(path+".name", fmt.Sprintf("set %q stands twice; sets are shared by all topics", set.Name))
				continue
			case len(set.Words) == 0:
				report(path+".words", fmt.Sprintf("set %q has no words", set.Name))
			}
			sets[set.Name] = set.Words
			for k, word := range set.Words {
				if len(vi.Tokens(word)) == 0 || strings.ContainsAny(word, "<>()|") {
					report(fmt.Sprintf("%s.words[%d]", path, k), fmt.Sprintf("word %q: want letters or digits, without <>()|", word))
				}
			}
		}
	}
	return sets
}

// check reports the faults of one topic but for its id and sets.
func (t *TopicConfig) check(sets phraseSets, report func(path, problem string)) {
	if vi.Line(t.Name.VI) == "" {
		report("name.vi", fmt.Sprintf("topic %q has no Vietnamese name", t.ID))
	}
	if vi.Line(t.Name.EN) == "" {
		report("name.en", fmt.Sprintf("topic %q has no English name", t.ID))
	}
	for i, name := range t.Names {
		checkPhrase(name, sets, fmt.Sprintf("names[%d]", i), report)
	}
	for i := range t.Phrases {
		t.Phrases[i].check(sets, func(path, problem string) {
			report(fmt.Sprintf("phrases[%d]%s", i, path), problem)
		})
	}
	for i, e := range t.Exclude {
		path := fmt.Sprintf("exclude[%d]", i)
		checkPhrase(e.Phrase, sets, path+".phrase", report)
		checkPlaces(e.In, path+".in", report)
	}
	checkExamples(t.Examples.Yes, "examples.yes", report)
	checkExamples(t.Examples.No, "examples.no", report)
}

// checkExamples reports examples without a word.
func checkExamples(list []string, path string, report func(path, problem string)) {
	for i, example := range list {
		if len(vi.Tokens(example)) == 0 {
			report(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("example %q: want a headline", example))
		}
	}
}

// check reports the faults of one entry; paths begin with a dot.
func (p *PhraseConfig) check(sets phraseSets, report func(path, problem string)) {
	kinds := 0
	for _, there := range []bool{p.Phrase != "", p.Any != nil, p.All != nil} {
		if there {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		report("", "an entry needs one of phrase, any, all")
	case p.Any != nil && len(p.Any) == 0:
		report(".any", "an empty list says nothing")
	case p.All != nil && (len(p.All) < 2 || len(p.All) > maxGroupParts):
		report(".all", fmt.Sprintf("a group of %d phrases: want 2 to %d", len(p.All), maxGroupParts))
	}
	if p.Phrase != "" {
		checkPhrase(p.Phrase, sets, ".phrase", report)
	}
	for i, phrase := range p.Any {
		checkPhrase(phrase, sets, fmt.Sprintf(".any[%d]", i), report)
	}
	for i, part := range p.All {
		checkPhrase(part, sets, fmt.Sprintf(".all[%d]", i), report)
	}
	if p.Within != 0 && (len(p.All) == 0 || p.Within < 2 || p.Within > maxGroupSpan) {
		report(".within", fmt.Sprintf("within %d: want 2 to %d syllables, and an all-group", p.Within, maxGroupSpan))
	}
	if !(p.Weight >= -maxPhraseWeight && p.Weight <= maxPhraseWeight) { // NaN too
		report(".weight", fmt.Sprintf("weight %v: want -%v to %v", p.Weight, maxPhraseWeight, maxPhraseWeight))
	}
	checkPlaces(p.In, ".in", report)
	for i, s := range p.Scope {
		if !slices.Contains(store.Scopes, s) {
			report(fmt.Sprintf(".scope[%d]", i), fmt.Sprintf("scope %q: want one of %v", s, store.Scopes))
		}
	}
}

// checkPhrase reports what keeps a phrase from being compiled.
func checkPhrase(phrase string, sets phraseSets, path string, report func(path, problem string)) {
	if _, err := sets.expand(phrase); err != nil {
		report(path, err.Error())
	}
}

// checkPlaces reports places that do not exist.
func checkPlaces(places []string, path string, report func(path, problem string)) {
	for i, p := range places {
		if !slices.Contains(placeNames[:], p) {
			report(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("place %q: want one of %v", p, placeNames))
		}
	}
}

// err returns all faults of the list as one error, nil if there are none.
func (ts Topics) err() error {
	var errs []error
	ts.Check(func(path, problem string) {
		errs = append(errs, fmt.Errorf("topics%s: %s", path, problem))
	})
	return errors.Join(errs...)
}
