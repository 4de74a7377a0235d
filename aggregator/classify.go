package aggregator

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"diemtin/store"
)

// Text is what a Classifier judges: one item, plain text, NFC.
type Text struct {
	Title   string
	Summary string
	Body    string
	Section store.Topic // topic of the source's section, empty if it has none
	Scope   store.Scope // of the item's outlet
}

// Classifier puts items into topics by the rules of feeds.yaml. It is safe for
// concurrent use.
type Classifier struct {
	topics  []store.Topic
	index   map[store.Topic]int
	yields  map[[2]store.Topic]bool // {a, b}: a stands behind b
	book    *ruleBook
	opinion *Opinion // nil = none
}

// The measures of a decision, in points: a phrase of weight 1 gives two in the
// title and one in the summary. Found on a set of made-up headlines that was
// labelled before any phrase was written (testdata/classify).
const (
	primaryNeeds = 1.0  // the best topic, if it has as much
	furtherNeeds = 2.5  // any other topic …
	furtherShare = 0.5  // … that has this share of the best one's points, or
	furtherSure  = 3.0  // … as many as a decisive phrase in the summary gives, if they are at least …
	furtherFloor = 0.15 // … this share: a lone word beside a topic that everything speaks for is in passing
	furtherTie   = 2.0  // fewer are enough for one that has as many as the best, if it has these
	yieldNeeds   = 3.0  // a topic that another yields to …
	yieldShare   = 0.35 // … that has this share of the other's points
	sectionPrior = 2.0  // what the source's section adds to its topic
	bodyCap      = 1.5  // the most that phrases of the body add to a topic
)

// maxSyllables is how far into a text phrases are looked for: news begins with
// what matters, and what follows is often another story.
const maxSyllables = 400

// NewClassifier compiles the rules. It fails on what Topics.Check reports.
func NewClassifier(topics []TopicConfig) (*Classifier, error) {
	if len(topics) == 0 {
		return nil, errors.New("topics: the list is empty")
	}
	if err := Topics(topics).err(); err != nil {
		return nil, err
	}
	c := &Classifier{book: compile(topics), index: make(map[store.Topic]int, len(topics)), yields: map[[2]store.Topic]bool{}}
	for i, t := range topics {
		c.topics = append(c.topics, t.ID)
		c.index[t.ID] = i
		for _, other := range t.Yields {
			c.yields[[2]store.Topic{t.ID, other}] = true
		}
	}
	return c, nil
}

// Classify returns the topics of an item with the evidence for each: the
// primary one first, the others by falling score. Exactly one is primary if
// there is any; an item that no rule speaks for gets none.
func (c *Classifier) Classify(t Text) []store.ItemTopic {
	var chosen []store.ItemTopic
	for _, v := range c.Judge(t) {
		if v.Chosen {
			chosen = append(chosen, v.ItemTopic)
		}
	}
	return chosen
}

// Verdict is what became of one topic.
type Verdict struct {
	store.ItemTopic
	Chosen   bool
	Needed   float64 // the points it took, or would have taken, to be chosen
	Silenced string  // the phrase that keeps the topic away, empty if none
	// Paths are the entries of the rules that gave the Reasons, one each, from
	// the list of topics ("[3].phrases[2].any[1]"); "" for the section.
	Paths    []string
	Silencer string // the path of the exclusion behind Silenced
	// Second says that the rules are silent and the second opinion has given
	// the topic: Score and Needed are probabilities.
	Second bool
}

// Judge returns a verdict on every topic that anything speaks for or against,
// in the order of Classify, those not chosen last.
func (c *Classifier) Judge(t Text) []Verdict {
	s := c.score(t)
	verdicts := s.verdicts(c.topics)
	slices.SortStableFunc(verdicts, func(a, b Verdict) int {
		if (a.Silenced == "") != (b.Silenced == "") {
			return cmp.Compare(len(a.Silenced), len(b.Silenced))
		}
		return cmp.Compare(b.Score, a.Score)
	})
	if len(verdicts) == 0 || verdicts[0].Silenced != "" || verdicts[0].Score < primaryNeeds {
		for i := range verdicts {
			verdicts[i].Needed = primaryNeeds
		}
		return c.add(t, verdicts)
	}
	c.ask(t, verdicts)
	c.choose(verdicts)
	return verdicts
}

// choose marks the chosen of verdicts, of which the first has enough points to
// be primary, and moves the primary one to the front.
func (c *Classifier) choose(verdicts []Verdict) {
	best := verdicts[0].Score
	for i := range verdicts {
		v := &verdicts[i]
		if i == 0 {
			v.Chosen, v.Needed = true, primaryNeeds
			continue
		}
		v.Needed = further(best)
		onlySection := len(v.Reasons) == 1 && v.Reasons[0].Place == sectionPlace
		v.Chosen = v.Silenced == "" && v.Score >= v.Needed && !onlySection
	}
	first := 0
	for range verdicts { // no longer chain of yielding than there are topics
		next, ok := c.goesBefore(verdicts, first)
		if !ok {
			break
		}
		verdicts[next].Chosen = true
		first = next
	}
	verdicts[first].Primary = true
	primary := verdicts[first]
	copy(verdicts[1:first+1], verdicts[:first])
	verdicts[0] = primary
}

// further is how many points a topic needs beside one that has best.
func further(best float64) float64 {
	clear := max(furtherNeeds, round(best*furtherShare))
	sure := max(furtherSure, round(best*furtherFloor))
	return min(clear, sure, max(best, furtherTie))
}

// goesBefore returns the best topic that topic i yields to and that has enough
// points for it.
func (c *Classifier) goesBefore(verdicts []Verdict, i int) (int, bool) {
	needed := max(yieldNeeds, verdicts[i].Score*yieldShare)
	for j, v := range verdicts {
		if v.Silenced == "" && v.Score >= needed && c.yields[[2]store.Topic{verdicts[i].Topic, v.Topic}] {
			return j, true
		}
	}
	return 0, false
}

// tally is the evidence found for each topic, by index.
type tally struct {
	reasons  [][]store.Phrase
	paths    [][]string // of the rules behind the reasons
	body     []float64  // points from the body, capped
	score    []float64
	silenced []string
	silencer []string // the path of what silences
}

// score gathers the evidence of all places, the groups and the section.
func (c *Classifier) score(t Text) *tally {
	n := len(c.topics)
	points := make([]float64, 2*n)
	words := make([]string, 2*n)
	s := &tally{reasons: make([][]store.Phrase, n), paths: make([][]string, n), body: points[:n:n], score: points[n:],
		silenced: words[:n:n], silencer: words[n:]}
	var groups groupHits
	for at, text := range [places]string{t.Title, t.Summary, t.Body} {
		if text != "" {
			hits := c.book.match(c.book.passage(text), place(at), t.Scope)
			c.book.count(hits, place(at), s, &groups)
		}
	}
	c.book.countGroups(groups, s)
	if i, ok := c.index[t.Section]; ok {
		s.reasons[i] = append(s.reasons[i], store.Phrase{Text: string(t.Section), Place: sectionPlace, Weight: sectionPrior})
		s.paths[i] = append(s.paths[i], "")
		s.score[i] += sectionPrior
	}
	return s
}

// add enters one piece of evidence unless the same was counted in this place.
func (s *tally) add(by *rule, text string, at place) {
	topic := by.topic
	for _, r := range s.reasons[topic] {
		if r.Text == text && r.Place == placeNames[at] {
			return
		}
	}
	s.enter(by, text, at)
}

// enter enters one piece of evidence, whatever was counted before.
func (s *tally) enter(by *rule, text string, at place) {
	topic := by.topic
	points := by.weight * placeFactor[at]
	if at == inBody && points > 0 {
		points = min(points, bodyCap-s.body[topic])
		if points <= 0 {
			return
		}
		s.body[topic] += points
	}
	points = round(points)
	s.score[topic] += points
	s.reasons[topic] = append(s.reasons[topic], store.Phrase{Text: text, Place: placeNames[at], Weight: points})
	s.paths[topic] = append(s.paths[topic], by.path)
}

// verdicts lists the topics that have any evidence, in order of the file.
func (s *tally) verdicts(topics []store.Topic) []Verdict {
	var out []Verdict
	for i, reasons := range s.reasons {
		if len(reasons) == 0 {
			continue
		}
		out = append(out, Verdict{
			ItemTopic: store.ItemTopic{Topic: topics[i], Score: round(s.score[i]), Reasons: reasons},
			Silenced:  s.silenced[i],
			Silencer:  s.silencer[i],
			Paths:     s.paths[i],
		})
	}
	return out
}

// round keeps hundredths, so that sums print as they were meant.
func round(points float64) float64 { return math.Round(points*100) / 100 }
