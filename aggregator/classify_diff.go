package aggregator

import (
	"slices"

	"diemtin/store"
)

// TopicsDiff is what other rules would change of what is stored. The form of
// its JSON stays.
type TopicsDiff struct {
	Items    int                        `json:"items"`    // looked at
	Changed  int                        `json:"changed"`  // of these: with other topics
	Primary  int                        `json:"primary"`  // of these: with another primary topic
	WithNone [2]int                     `json:"no_topic"` // items without a topic, before and after
	Topics   map[store.Topic]*TopicDiff `json:"topics"`
}

// TopicDiff is what a topic gains and loses.
type TopicDiff struct {
	Before       int        `json:"before"` // items
	After        int        `json:"after"`
	Gained       int        `json:"gained"`
	Lost         int        `json:"lost"`
	GainedSample []DiffItem `json:"gained_sample"`
	LostSample   []DiffItem `json:"lost_sample"`
}

// DiffItem is an item that comes or goes, with the phrase that decides it.
type DiffItem struct {
	Item   int64   `json:"item"`
	Story  string  `json:"story"`
	Title  string  `json:"title"`
	Link   string  `json:"link"`
	Phrase string  `json:"phrase"` // the strongest that speaks for it now, or that did and no longer does
	Place  string  `json:"place"`
	Weight float64 `json:"weight"`
	Path   string  `json:"path,omitempty"` // of that phrase's entry in the new rules
	Score  float64 `json:"score"`          // by the new rules
	Needed float64 `json:"needed"`
	Why    string  `json:"why,omitempty"` // of a loss: what silences it, what hides it, or how far it is off
}

// Differ compares stored topics with those that rules would give.
type Differ struct {
	Diff    TopicsDiff
	c       *Classifier
	reader  *ItemReader
	samples int
}

// NewDiffer keeps at most samples items for each topic and direction: the
// first ones that are added.
func NewDiffer(c *Classifier, reader *ItemReader, samples int) *Differ {
	return &Differ{Diff: TopicsDiff{Topics: map[store.Topic]*TopicDiff{}}, c: c, reader: reader, samples: samples}
}

// Add compares one item.
func (d *Differ) Add(it *store.Item) {
	text := d.reader.Text(it)
	verdicts := d.c.Judge(text)
	var had, has []store.Topic
	for _, t := range it.Topics {
		had = append(had, t.Topic)
	}
	for _, v := range verdicts {
		if v.Chosen {
			has = append(has, v.Topic)
		}
	}
	d.Diff.Items++
	for i, list := range [][]store.Topic{had, has} {
		if len(list) == 0 {
			d.Diff.WithNone[i]++
		}
	}
	if !sameTopics(had, has) {
		d.Diff.Changed++
	}
	if primaryOf(it.Topics) != first(has) {
		d.Diff.Primary++
	}
	for _, id := range had {
		t := d.topic(id)
		if t.Before++; !slices.Contains(has, id) {
			if t.Lost++; len(t.LostSample) < d.samples {
				t.LostSample = append(t.LostSample, d.lost(it, text, id, verdicts))
			}
		}
	}
	for _, id := range has {
		t := d.topic(id)
		if t.After++; !slices.Contains(had, id) {
			if t.Gained++; len(t.GainedSample) < d.samples {
				t.GainedSample = append(t.GainedSample, gained(it, id, verdicts))
			}
		}
	}
}

func (d *Differ) topic(id store.Topic) *TopicDiff {
	if d.Diff.Topics[id] == nil {
		d.Diff.Topics[id] = &TopicDiff{GainedSample: []DiffItem{}, LostSample: []DiffItem{}}
	}
	return d.Diff.Topics[id]
}

func primaryOf(topics []store.ItemTopic) store.Topic {
	for _, t := range topics {
		if t.Primary {
			return t.Topic
		}
	}
	return ""
}

// verdictOn finds the verdict on a topic, zero if nothing speaks for it.
func verdictOn(id store.Topic, verdicts []Verdict) Verdict {
	i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.Topic == id })
	if i < 0 {
		return Verdict{ItemTopic: store.ItemTopic{Topic: id}, Needed: primaryNeeds}
	}
	return verdicts[i]
}

// strongest is the index of the weightiest piece of evidence, -1 without any.
func strongest(reasons []store.Phrase) int {
	best := -1
	for i, r := range reasons {
		if best < 0 || r.Weight > reasons[best].Weight {
			best = i
		}
	}
	return best
}

// gained is an item that a topic gains.
func gained(it *store.Item, id store.Topic, verdicts []Verdict) DiffItem {
	v := verdictOn(id, verdicts)
	s := DiffItem{Item: it.ID, Story: it.Story, Title: it.Title, Link: it.Link, Score: v.Score, Needed: v.Needed}
	if i := strongest(v.Reasons); i >= 0 {
		s.Phrase, s.Place, s.Weight, s.Path = v.Reasons[i].Text, v.Reasons[i].Place, v.Reasons[i].Weight, v.Paths[i]
	}
	return s
}

// lost is an item that a topic loses: by the strongest phrase that counted
// when it was stored and does not count now, or by what speaks against it.
func (d *Differ) lost(it *store.Item, text Text, id store.Topic, verdicts []Verdict) DiffItem {
	v := verdictOn(id, verdicts)
	s := DiffItem{Item: it.ID, Story: it.Story, Title: it.Title, Link: it.Link, Score: v.Score, Needed: v.Needed}
	i := slices.IndexFunc(it.Topics, func(t store.ItemTopic) bool { return t.Topic == id })
	missing := slices.DeleteFunc(slices.Clone(it.Topics[i].Reasons), func(p store.Phrase) bool {
		return slices.ContainsFunc(v.Reasons, func(now store.Phrase) bool { return now.Text == p.Text && now.Place == p.Place })
	})
	if j := strongest(missing); j >= 0 {
		s.Phrase, s.Place, s.Weight = missing[j].Text, missing[j].Place, missing[j].Weight
	}
	lost := d.c.Lost(id, text)
	hidden := slices.IndexFunc(lost, func(l LostPhrase) bool { return l.Text == s.Phrase })
	switch {
	case v.Silenced != "":
		s.Why, s.Path = "silenced by "+v.Silenced, v.Silencer
	case hidden >= 0:
		s.Why, s.Path = "stands inside "+lost[hidden].Inside, lost[hidden].Hiding
	case s.Phrase != "":
		s.Why = "no longer a phrase of the topic"
	default:
		s.Why = "below the threshold, which the primary topic has raised"
	}
	return s
}
