package aggregator

import (
	"slices"

	"diemtin/store"
)

// With is the classifier with a second opinion, or without one for nil.
func (c *Classifier) With(o *Opinion) *Classifier {
	with := *c
	with.opinion = o
	return &with
}

// SecondOpinion is the topic that the second opinion finds most probable,
// whether it is heard or not; false if there is no opinion.
func (c *Classifier) SecondOpinion(t Text) (Second, bool) {
	if c.opinion == nil {
		return Second{}, false
	}
	s := c.opinion.Of(t)[0]
	s.Words = c.opinion.words(t, s.Topic)
	return s, true
}

// tieRival is what the other topics of a tie may have at most, for the second
// opinion to break it: an item that may well be about both stays as it is.
const tieRival = 0.1

// ask lets the second opinion break a tie of the best verdicts, which are in
// order of their points: the topic that it is sure of goes first.
func (c *Classifier) ask(t Text, verdicts []Verdict) {
	ties := 1
	for ties < len(verdicts) && verdicts[ties].Silenced == "" && verdicts[ties].Score == verdicts[0].Score {
		ties++
	}
	if c.opinion == nil || ties == 1 {
		return
	}
	all := c.opinion.Of(t)
	for n, s := range all {
		i := slices.IndexFunc(verdicts[:ties], func(v Verdict) bool { return v.Topic == s.Topic })
		if i < 0 {
			continue
		}
		rival := slices.ContainsFunc(all[n+1:], func(other Second) bool {
			return other.Probability > tieRival && slices.ContainsFunc(verdicts[:ties], func(v Verdict) bool { return v.Topic == other.Topic })
		})
		if s.Heard() && !rival && i > 0 {
			first := verdicts[i]
			words := c.opinion.words(t, s.Topic)
			first.Reasons, first.Paths = slices.Concat(first.Reasons, words), slices.Concat(first.Paths, make([]string, len(words)))
			copy(verdicts[1:i+1], verdicts[:i])
			verdicts[0] = first
		}
		return // the most probable of them decides, or nobody
	}
}

// add lets the second opinion give a topic to an item that the rules are
// silent on: the most probable one, if it is sure of it and the rules do not
// speak against it.
func (c *Classifier) add(t Text, verdicts []Verdict) []Verdict {
	if c.opinion == nil {
		return verdicts
	}
	best := c.opinion.Of(t)
	if len(best) == 0 || !best[0].Heard() || !slices.Contains(c.topics, best[0].Topic) {
		return verdicts
	}
	s := best[0]
	i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.Topic == s.Topic })
	if i >= 0 && (verdicts[i].Silenced != "" || slices.ContainsFunc(verdicts[i].Reasons, func(r store.Phrase) bool { return r.Weight < 0 })) ||
		c.excludes(t, s.Topic) {
		return verdicts
	}
	if i >= 0 {
		verdicts = slices.Delete(verdicts, i, i+1)
	}
	words := c.opinion.words(t, s.Topic)
	return slices.Insert(verdicts, 0, Verdict{
		ItemTopic: store.ItemTopic{Topic: s.Topic, Score: round(s.Probability), Primary: true, Reasons: words},
		Chosen:    true, Needed: round(s.Least), Second: true, Paths: make([]string, len(words)),
	})
}

// excludes tells whether an exclusion of the topic stands anywhere in a text.
func (c *Classifier) excludes(t Text, topic store.Topic) bool {
	for at, text := range [places]string{t.Title, t.Summary, t.Body} {
		if text == "" {
			continue
		}
		for _, h := range c.book.matchAll(c.book.passage(text), place(at), t.Scope) {
			r := c.book.ruleOf(h)
			if c.topics[r.topic] == topic && (r.kind == masking || r.kind == silencing) {
				return true
			}
		}
	}
	return false
}

// BySecond tells whether nothing but the second opinion speaks for an item's
// topic.
func BySecond(tp store.ItemTopic) bool {
	return len(tp.Reasons) > 0 && !slices.ContainsFunc(tp.Reasons, func(p store.Phrase) bool { return p.Place != opinionPlace })
}

// JudgeItem is what the rules in force, and the second opinion, say of a stored
// item's topics.
func (a *Aggregator) JudgeItem(r *ItemReader, it *store.Item) []Verdict {
	return a.classifier.Load().Judge(r.Text(it))
}
