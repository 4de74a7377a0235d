package aggregator

import (
	"fmt"
	"strings"

	"diemtin/store"
)

// ExampleFault is an example of a topic that its rules do not bear out.
type ExampleFault struct {
	Path    string // from the list of topics: "[3].examples.yes[1]"
	Topic   store.Topic
	Example string
	Want    bool // the topic was wanted
	Found   string
}

// String says what is wrong and what was found instead.
func (f ExampleFault) String() string {
	want := "got it and must not"
	if f.Want {
		want = "must get it and did not"
	}
	return fmt.Sprintf("topic %q: example %q %s: %s", f.Topic, f.Example, want, f.Found)
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
	own := "nothing speaks for it"
	got := false
	var others []string
	for _, v := range c.Judge(Text{Title: example}) {
		switch {
		case v.Topic == topic:
			own, got = v.String(), v.Chosen
		case v.Chosen:
			others = append(others, v.String())
		}
	}
	if got == want {
		return faults
	}
	found := strings.Join(append([]string{own}, others...), "; ")
	return append(faults, ExampleFault{Path: path, Topic: topic, Example: example, Want: want, Found: found})
}

// String is the verdict in one line: "kinh-te 6 of 2, primary: lãi suất (title 4), …".
func (v Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v of %v", v.Topic, v.Score, v.Needed)
	switch {
	case v.Silenced != "":
		fmt.Fprintf(&b, ", silenced by %q", v.Silenced)
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
		fmt.Fprintf(&b, "%s%s (%s %v)", sep, r.Text, r.Place, r.Weight)
	}
	return b.String()
}
