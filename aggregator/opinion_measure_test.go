package aggregator

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"diemtin/store"
)

const (
	// opinionLessons is how many of the articles stand in for sections; the
	// rest are looked at only afterwards.
	opinionLessons = 6000
	// sureScore is what a primary topic must have for its article to stand in
	// for one of a section.
	sureScore = 3.0
	// leastRight is the precision asked of what the opinion adds.
	leastRight = 0.9
)

// What the second opinion adds where rules are silent. Nobody has sections for
// these articles, so what the rules are sure of stands in for them: a noisy
// stand-in, of the rules' own kind. The labels that it is measured on are
// readers', and the rules that are silent are the shipped ones, each quarter of
// them (as a young set of rules would be), or none at all.
func TestOpinionMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("it learns from thousands of articles")
	}
	t.Parallel()
	rules := shippedTopics(t)
	full := classifierOf(t, rules)
	var quarters []*Classifier
	for quarter := range uint64(4) {
		quarters = append(quarters, classifierOf(t, oneInFour(rules, quarter)))
	}
	articles := sharedArticles(t)
	l := NewLearner()
	for _, a := range articles[:opinionLessons] {
		if got := full.Classify(a); len(got) > 0 && got[0].Score >= sureScore {
			a.Section = got[0].Topic
			l.Add(a)
		}
	}
	o := l.Learn(func() bool { return true })
	if o == nil {
		t.Fatal("nothing learned")
	}
	b, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d items, %d grams, %d topics of %d heard, %d bytes", o.Items(), len(o.model.Grams), o.Heard(), len(o.model.Topics), len(b))
	files, err := filepath.Glob("testdata/classify/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var labelled []Labelled
	for _, file := range append(files, "../../shared/data/topics/labelled.jsonl") {
		labelled = append(labelled, readLabels(t, file, rules)...)
	}
	for _, tt := range []struct {
		name  string
		rules []*Classifier
	}{{"the shipped rules", []*Classifier{full}}, {"each quarter of the phrases", quarters}, {"no rules", []*Classifier{nil}}} {
		silent, given, right := 0, 0, 0
		for _, c := range tt.rules {
			for _, it := range labelled {
				text := Text{Title: it.Title, Summary: it.Summary}
				if c != nil && len(c.Classify(text)) > 0 {
					continue
				}
				silent++
				got := opinionFor(o, c, text)
				if got == "" {
					continue
				}
				if given++; slices.Contains(it.wants(), got) {
					right++
				} else {
					t.Logf("  wrong: %q got %s, want %v", it.Title, got, it.wants())
				}
			}
		}
		t.Logf("%s: silent on %d of %d lines; the opinion gives %d of them a topic, %d right", tt.name, silent, len(tt.rules)*len(labelled), given, right)
		if float64(right) < leastRight*float64(given) {
			t.Errorf("%s: %d of %d right, want %v", tt.name, right, given, leastRight)
		}
	}
	countTies(t, full.With(o), quarters[0].With(o), labelled)
	silent, given := 0, 0
	for _, a := range articles[opinionLessons:] {
		if len(full.Classify(a)) > 0 {
			continue
		}
		silent++
		if got := opinionFor(o, full, a); got != "" {
			given++
			t.Logf("  %s: %q", got, a.Title)
		}
	}
	t.Logf("real articles: the shipped rules are silent on %d of %d, the opinion gives %d of them a topic", silent, len(articles)-opinionLessons, given)
}

// opinionFor is the topic that the opinion gives to a text that rules (nil = no
// rules) are silent on.
func opinionFor(o *Opinion, rules *Classifier, text Text) store.Topic {
	if rules == nil {
		if s := o.Of(text)[0]; s.Heard() {
			return s.Topic
		}
		return ""
	}
	if got := rules.With(o).Classify(text); len(got) > 0 {
		return got[0].Topic
	}
	return ""
}

// countTies counts the lines whose primary topic the opinion changes.
func countTies(t *testing.T, full, quarter *Classifier, labelled []Labelled) {
	t.Helper()
	for name, c := range map[string]*Classifier{"shipped": full, "a quarter": quarter} {
		better, worse := 0, 0
		for _, it := range labelled {
			text := Text{Title: it.Title, Summary: it.Summary}
			before, after := c.With(nil).Classify(text), c.Classify(text)
			if len(before) == 0 || before[0].Topic == after[0].Topic {
				continue
			}
			switch *it.Primary {
			case after[0].Topic:
				better++
			case before[0].Topic:
				worse++
				t.Logf("  wrong: %q got %s before %s", it.Title, after[0].Topic, before[0].Topic)
			}
		}
		t.Logf("ties, %s: %d broken rightly, %d wrongly", name, better, worse)
	}
}

func classifierOf(t *testing.T, rules []TopicConfig) *Classifier {
	t.Helper()
	c, err := NewClassifier(rules)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// oneInFour are rules with one phrase in four, chosen by its letters alone;
// quarter is 0 to 3.
func oneInFour(rules []TopicConfig, quarter uint64) []TopicConfig {
	drop := func(phrase string) bool { return textHash(phrase)%4 != quarter }
	var fewer []TopicConfig
	for _, topic := range rules {
		var kept []PhraseConfig
		for _, p := range topic.Phrases {
			p.Any = slices.DeleteFunc(slices.Clone(p.Any), drop)
			switch {
			case len(p.Any) > 0:
			case len(p.All) > 0 && !drop(p.All[0]):
			case p.Phrase != "" && !drop(p.Phrase):
			default:
				continue
			}
			kept = append(kept, p)
		}
		topic.Phrases = kept
		fewer = append(fewer, topic)
	}
	return fewer
}

// sharedArticles are real articles, where they are at hand.
func sharedArticles(t *testing.T) []Text {
	t.Helper()
	f, err := os.Open("../../shared/data/stories/articles.jsonl.gz")
	if err != nil {
		t.Skip("no articles at hand: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []Text
	lines := bufio.NewScanner(z)
	for lines.Buffer(nil, maxLine); lines.Scan(); {
		var a struct{ Title, Summary, Body string }
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, Text{Title: a.Title, Summary: a.Summary, Body: a.Body})
	}
	if lines.Err() != nil || len(all) <= opinionLessons {
		t.Fatalf("%d articles, %v", len(all), lines.Err())
	}
	return all
}

func readLabels(t *testing.T, file string, rules []TopicConfig) []Labelled {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Skip("no labels at hand: ", err)
	}
	defer f.Close()
	all, err := ReadLabelled(f, file, rules)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
