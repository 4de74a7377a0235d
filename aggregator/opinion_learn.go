package aggregator

import (
	"cmp"
	"math"
	"slices"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// What it takes to learn a second opinion, and what it may cost.
const (
	// leastOpinionItems is how many items with a section's topic there must be
	// before anything is learned.
	leastOpinionItems = 1000
	// leastTopicItems is how many of them a topic must have.
	leastTopicItems = 60
	// leastProven is how many items kept apart must have been given the topic
	// at the probability from which on it is heard.
	leastProven = 20
	// opinionPrecision is the share of these that must have been right.
	opinionPrecision = 0.95
	// leastProbability is where it is never heard below.
	leastProbability = 0.8

	// maxOpinionItems bounds what is learned from, the newest: 10 MB of grams.
	maxOpinionItems = 20_000
	// maxGrams bounds what a model knows, the most frequent.
	maxGrams = 40_000
	// leastGramItems is how many items must have a gram.
	leastGramItems = 4

	opinionRounds = 8    // times that every item is looked at
	opinionStep   = 4.0  // of the first round; it falls as 1/round
	opinionDecay  = 2e-5 // how much of a weight every look at it takes away
	opinionApart  = 5    // every fifth item is kept apart, to measure
)

// Learner collects items whose section has a topic, and learns from them.
type Learner struct {
	items []lesson
	seen  map[uint64]bool // headlines: a story copied ten times is one lesson
}

// lesson is one item.
type lesson struct {
	key    uint64 // of the headline: the order of learning
	topic  store.Topic
	hashes []uint32
	values []float32
}

// NewLearner starts without items.
func NewLearner() *Learner { return &Learner{seen: map[uint64]bool{}} }

// Full says that it takes no more items.
func (l *Learner) Full() bool { return len(l.items) >= maxOpinionItems }

// Add takes an item under the topic of its section. One without that, or with
// the headline of an earlier one, is passed over.
func (l *Learner) Add(t Text) {
	if t.Section == "" || l.Full() {
		return
	}
	key := textHash(vi.Fold(t.Title))
	if l.seen[key] {
		return
	}
	l.seen[key] = true
	one := lesson{key: key, topic: t.Section}
	for _, g := range grams(t) {
		one.hashes = append(one.hashes, g.hash)
		one.values = append(one.values, float32(g.value))
	}
	l.items = append(l.items, one)
}

// Len is how many items it has.
func (l *Learner) Len() int { return len(l.items) }

// Learn returns the opinion that the items teach, nil if there are too few or
// no topic passes its measure. The same items in any order give the same one.
// pause is called often, and ends the learning if it says false.
func (l *Learner) Learn(pause func() bool) *Opinion {
	if len(l.items) < leastOpinionItems {
		return nil
	}
	slices.SortFunc(l.items, func(a, b lesson) int { return cmp.Compare(a.key, b.key) })
	o := &Opinion{opinionModel{Form: opinionForm, Grams: l.grams(), Items: len(l.items)}}
	var learn, apart []lesson
	for i, one := range l.items {
		one = one.over(o.model.Grams)
		if i%opinionApart == 0 {
			apart = append(apart, one)
		} else {
			learn = append(learn, one)
		}
	}
	for _, topic := range l.topics() {
		weights, bias, ok := learnTopic(learn, topic, len(o.model.Grams), pause)
		if !ok {
			return nil
		}
		o.model.Topics = append(o.model.Topics, packTopic(topic, weights, bias))
	}
	o.prove(learn, apart)
	if o.Heard() == 0 {
		return nil
	}
	return o
}

// grams are the hashes that enough items have, rising.
func (l *Learner) grams() []uint32 {
	var all []uint32
	for _, one := range l.items {
		all = append(all, one.hashes...)
	}
	slices.Sort(all)
	type counted struct {
		hash uint32
		n    int
	}
	var often []counted
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i+n] == all[i] {
			n++
		}
		if n >= leastGramItems {
			often = append(often, counted{all[i], n})
		}
		i += n
	}
	slices.SortFunc(often, func(a, b counted) int { return cmp.Or(b.n-a.n, cmp.Compare(a.hash, b.hash)) })
	kept := make([]uint32, 0, min(len(often), maxGrams))
	for _, c := range often[:min(len(often), maxGrams)] {
		kept = append(kept, c.hash)
	}
	slices.Sort(kept)
	return kept
}

// over replaces the hashes of a lesson by the places of those that are known.
func (one lesson) over(known []uint32) lesson {
	at := lesson{key: one.key, topic: one.topic}
	for i, h := range one.hashes {
		if place, ok := slices.BinarySearch(known, h); ok {
			at.hashes = append(at.hashes, uint32(place))
			at.values = append(at.values, one.values[i])
		}
	}
	return at
}

// topics are those with enough items, sorted.
func (l *Learner) topics() []store.Topic {
	n := map[store.Topic]int{}
	for _, one := range l.items {
		n[one.topic]++
	}
	var all []store.Topic
	for topic, items := range n {
		if items >= leastTopicItems {
			all = append(all, topic)
		}
	}
	slices.Sort(all)
	return all
}

// lessonsBetween is after how many lessons a pause is offered: a few
// milliseconds' work.
const lessonsBetween = 2000

// learnTopic fits one topic's regression by stochastic gradient descent, in an
// order that only the headlines decide.
func learnTopic(items []lesson, topic store.Topic, size int, pause func() bool) (weights []float32, bias float64, ok bool) {
	weights = make([]float32, size)
	n := 0
	for round := range opinionRounds {
		step := opinionStep / float64(1+round)
		for _, one := range items {
			if n++; n%lessonsBetween == 0 && !pause() {
				return nil, 0, false
			}
			sum := bias
			for i, at := range one.hashes {
				sum += float64(float64(weights[at]) * float64(one.values[i]))
			}
			off := -logistic(sum)
			if one.topic == topic {
				off++
			}
			if math.Abs(off) < 0.005 {
				continue
			}
			bias += float64(0.1 * step * off)
			for i, at := range one.hashes {
				w := float64(weights[at])
				weights[at] = float32(w - float64(opinionDecay*step*w) + float64(step*off*float64(one.values[i])))
			}
		}
	}
	return weights, bias, true
}

// packTopic rounds the weights to a byte each.
func packTopic(topic store.Topic, weights []float32, bias float64) opinionTopic {
	most := float32(0)
	for _, w := range weights {
		most = max(most, w, -w)
	}
	tp := opinionTopic{Topic: topic, Least: 2, Bias: bias, Scale: float64(most) / math.MaxInt8, Weights: make([]int8, len(weights))}
	for i, w := range weights {
		if most > 0 {
			tp.Weights[i] = int8(math.Round(float64(w) / tp.Scale))
		}
	}
	return tp
}

// prove finds for each topic the least probability from which on it is right
// often enough among the items kept apart. A topic for which there is none, or
// too little to tell, is never heard.
func (o *Opinion) prove(learn, apart []lesson) {
	type try struct {
		probability float64
		right       bool
	}
	tries := make([][]try, len(o.model.Topics))
	for _, one := range apart {
		known := make([]knownGram, len(one.hashes))
		for i, at := range one.hashes {
			known[i] = knownGram{gram{value: float64(one.values[i])}, int(at)}
		}
		best, most := 0, math.Inf(-1)
		for i := range o.model.Topics {
			if sum := o.model.Topics[i].sum(known); sum > most {
				best, most = i, sum
			}
		}
		tries[best] = append(tries[best], try{logistic(most), one.topic == o.model.Topics[best].Topic})
	}
	for i := range o.model.Topics {
		tp := &o.model.Topics[i]
		for _, one := range learn {
			if one.topic == tp.Topic {
				tp.Items++
			}
		}
		slices.SortStableFunc(tries[i], func(a, b try) int { return cmp.Compare(b.probability, a.probability) })
		right := 0
		for n, t := range tries[i] {
			if t.right {
				right++
			}
			last := n+1 == len(tries[i]) || tries[i][n+1].probability < t.probability
			if t.probability < leastProbability {
				break
			}
			if last && n+1 >= leastProven && float64(right) >= opinionPrecision*float64(n+1) {
				tp.Least, tp.Given, tp.Right = t.probability, n+1, right
			}
		}
	}
}
