package aggregator

import (
	"fmt"
	"slices"
	"strings"

	"diemtin/store"
)

// ExampleFault is an example of a topic that its rules do not bear out.
type ExampleFault struct {
	Path     string // from the list of topics: "[3].examples.yes[1]"
	Topic    store.Topic
	Example  string
	Want     bool      // the topic was wanted
	Verdicts []Verdict // on the topic itself, if anything speaks for it, and on those the example got
	Lost     []LostPhrase
}

// LostPhrase is a phrase of a topic that stands in a text and did not count,
// with what it stood inside of.
type LostPhrase struct {
	Text, Path     string // the phrase and its entry
	Inside, Hiding string // the longer phrase, name or exclusion, and its entry
}

// String says what is wrong and what was found instead.
func (f ExampleFault) String() string {
	return f.Describe(func(string) string { return "" })
}

// Describe is String with the place of every phrase that it names: where gives
// the place of an entry by its path from the list of topics, or "".
func (f ExampleFault) Describe(where func(path string) string) string {
	want := "got it and must not"
	if f.Want {
		want = "must get it and did not"
	}
	var found []string
	for _, v := range f.Verdicts {
		found = append(found, v.describe(where))
	}
	if len(f.Verdicts) == 0 || f.Verdicts[0].Topic != f.Topic {
		found = slices.Insert(found, 0, "nothing speaks for it")
	}
	if f.Want {
		for _, l := range f.Lost {
			found = append(found, fmt.Sprintf("%q%s does not count inside %q%s", l.Text, at(where(l.Path)), l.Inside, at(where(l.Hiding))))
		}
	}
	return fmt.Sprintf("topic %q: example %q %s: %s", f.Topic, f.Example, want, strings.Join(found, "; "))
}

// at sets a place after what stands there.
func at(place string) string {
	if place == "" {
		return ""
	}
	return " at " + place
}

// RunExamples classifies every example of every topic as a headline alone and
// returns those that get the topic wrongly or not at all. It fails on what
// Topics.Check reports.
func RunExamples(topics []TopicConfig) ([]ExampleFault, error) {
	c, err := NewClassifier(topics)
	if err != nil {
		return nil, err
	}
	var faults []ExampleFault
	for i, t := range topics {
		for j, example := range t.Examples.Yes {
			faults = c.tryExample(faults, fmt.Sprintf("[%d].examples.yes[%d]", i, j), t.ID, example, true)
		}
		for j, example := range t.Examples.No {
			faults = c.tryExample(faults, fmt.Sprintf("[%d].examples.no[%d]", i, j), t.ID, example, false)
		}
	}
	return faults, nil
}

// tryExample appends a fault if the example's topics are not as wanted.
func (c *Classifier) tryExample(faults []ExampleFault, path string, topic store.Topic, example string, want bool) []ExampleFault {
	f := ExampleFault{Path: path, Topic: topic, Example: example, Want: want}
	got := false
	for _, v := range c.Judge(Text{Title: example}) {
		switch {
		case v.Topic == topic:
			got = v.Chosen
			f.Verdicts = slices.Insert(f.Verdicts, 0, v)
		case v.Chosen:
			f.Verdicts = append(f.Verdicts, v)
		}
	}
	if got == want {
		return faults
	}
	f.Lost = c.Lost(topic, Text{Title: example})
	return append(faults, f)
}

// Lost returns the phrases of a topic that stand in a text but do not count,
// because they stand inside a longer phrase, a name or an exclusion.
func (c *Classifier) Lost(topic store.Topic, t Text) []LostPhrase {
	var lost []LostPhrase
	own, ok := c.index[topic]
	if !ok {
		return nil
	}
	for at, text := range [places]string{t.Title, t.Summary, t.Body} {
		all := c.book.matchAll(c.book.passage(text), place(at), t.Scope)
		kept := c.book.longest(slices.Clone(all))
		for _, h := range all {
			r := c.book.ruleOf(h)
			if r.kind != evidence || int(r.topic) != own || r.weight < 0 {
				continue
			}
			if i := slices.Index(kept, h); i >= 0 && !c.book.masked(kept, i) {
				continue
			}
			if by, ok := c.book.hider(all, h); ok {
				l := LostPhrase{Text: c.book.patterns[h.pattern].text, Path: r.path,
					Inside: c.book.patterns[by.pattern].text, Hiding: c.book.ruleOf(by).path}
				if !slices.Contains(lost, l) {
					lost = append(lost, l)
				}
			}
		}
	}
	return lost
}

// hider returns what keeps hit h from counting.
func (b *ruleBook) hider(all []phraseHit, h phraseHit) (phraseHit, bool) {
	for _, o := range all {
		r := b.ruleOf(o)
		longer := o.end-o.start > h.end-h.start
		around := o.start <= h.start && o.end >= h.end
		switch {
		case o == h:
		case around && r.kind == masking && r.topic == b.ruleOf(h).topic,
			around && longer && (r.kind == evidence || r.kind == hiding),
			r.kind == hiding && o.start < h.start && h.start < o.end:
			return o, true
		}
	}
	return phraseHit{}, false
}

// String is the verdict in one line: "kinh-te 6 of 2, primary: lãi suất (title 4), …".
func (v Verdict) String() string { return v.describe(func(string) string { return "" }) }

// describe is String with the place of every phrase.
func (v Verdict) describe(where func(path string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v of %v", v.Topic, v.Score, v.Needed)
	switch {
	case v.Silenced != "":
		fmt.Fprintf(&b, ", silenced by %q%s", v.Silenced, at(where(v.Silencer)))
	case v.Primary:
		b.WriteString(", primary")
	case v.Chosen:
		b.WriteString(", chosen")
	}
	for i, r := range v.Reasons {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		place := ""
		if i < len(v.Paths) && v.Paths[i] != "" {
			place = at(where(v.Paths[i]))
		}
		fmt.Fprintf(&b, "%s%s (%s %v%s)", sep, r.Text, r.Place, r.Weight, place)
	}
	return b.String()
}
