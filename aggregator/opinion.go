package aggregator

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/gob"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// opinionPlace is the place of the evidence that the second opinion gives.
// The store knows it too.
const opinionPlace = "opinion"

// Opinion is a linear model that was learned from items whose section has a
// topic: for each topic a logistic regression on the syllables and pairs of
// syllables of headline and lead. It is never changed once it was learned, and
// safe for concurrent use.
type Opinion struct {
	model opinionModel
}

// opinionModel is what is stored. Its fields stay; a change of what they mean
// is a new opinionForm.
type opinionModel struct {
	Form   int      // opinionForm
	Grams  []uint32 // hashes of the grams it knows, rising
	Topics []opinionTopic
	Items  int // items that it was learned from
}

// opinionTopic is the regression of one topic.
type opinionTopic struct {
	Topic   store.Topic
	Least   float64 // the least probability at which it speaks; above 1 = never
	Bias    float64
	Scale   float64 // what a weight of 1 stands for
	Weights []int8  // of Grams
	Items   int     // items of the topic that it was learned from
	Given   int     // of the items kept apart: those it would have given the topic
	Right   int     // of these: those whose section says so
}

const (
	// opinionForm is the version of opinionModel and of what a gram is: a
	// stored model of another form is not used, and learned anew.
	opinionForm = 1
	// maxOpinionBytes bounds a stored model, packed and unpacked: 40,000 grams
	// of 64 topics are 2.7 MB.
	maxOpinionBytes = 8 << 20
	// opinionWords is how many of the grams that spoke for a topic are shown.
	opinionWords = 5
	// titleGram is how much more a gram counts in the headline than in the lead.
	titleGram = 2.0
)

// gram is a syllable or two of a text.
type gram struct {
	text  string
	hash  uint32
	value float64
}

// grams returns the grams of headline and lead, each once, in order of their
// hash, with values of Euclidean length 1. Numbers say nothing.
func grams(t Text) []gram {
	var all []gram
	for i, text := range []string{t.Title, t.Summary} {
		value := 1.0
		if i == 0 {
			value = titleGram
		}
		tokens := vi.Tokens(vi.NFC(text))
		tokens = tokens[:min(len(tokens), maxSyllables)]
		last := ""
		for _, token := range tokens {
			word := token.Text
			if strings.IndexFunc(word, unicode.IsLetter) < 0 {
				last = ""
				continue
			}
			all = append(all, gram{word, gramHash(word), value})
			if last != "" {
				pair := last + " " + word
				all = append(all, gram{pair, gramHash(pair), value})
			}
			last = word
		}
	}
	slices.SortStableFunc(all, func(a, b gram) int { return cmp.Compare(a.hash, b.hash) }) // the headline's first
	all = slices.CompactFunc(all, func(a, b gram) bool { return a.hash == b.hash })
	length := 0.0
	for _, g := range all {
		length += g.value * g.value
	}
	for i := range all {
		all[i].value /= math.Sqrt(length)
	}
	return all
}

func textHash(text string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, text)
	return h.Sum64()
}

func gramHash(text string) uint32 {
	h := fnv.New32a()
	io.WriteString(h, text)
	return h.Sum32()
}

// Second is what the second opinion thinks of one topic.
type Second struct {
	Topic       store.Topic
	Probability float64 // 0 to 1
	Least       float64 // from which on it is heard; above 1 = never
	// Words are the grams that speak most for it, with what each adds to the
	// log-odds; only of what SecondOpinion returns.
	Words []store.Phrase
}

// Heard says whether it is sure enough.
func (s Second) Heard() bool { return s.Probability >= s.Least }

// Of returns what it thinks of a text, the most probable topic first.
func (o *Opinion) Of(t Text) []Second {
	known := o.known(grams(t))
	all := make([]Second, len(o.model.Topics))
	for i := range o.model.Topics {
		tp := &o.model.Topics[i]
		all[i] = Second{Topic: tp.Topic, Least: tp.Least, Probability: logistic(tp.sum(known))}
	}
	slices.SortStableFunc(all, func(a, b Second) int { return cmp.Compare(b.Probability, a.Probability) })
	return all
}

// knownGram is a gram of a text that the model knows.
type knownGram struct {
	gram
	at int // its index
}

func (o *Opinion) known(all []gram) []knownGram {
	var known []knownGram
	for _, g := range all {
		if at, ok := slices.BinarySearch(o.model.Grams, g.hash); ok {
			known = append(known, knownGram{g, at})
		}
	}
	return known
}

// sum is the topic's log-odds. The conversions keep products and sums apart,
// so that every machine rounds them alike.
func (tp *opinionTopic) sum(known []knownGram) float64 {
	sum := tp.Bias
	for _, g := range known {
		sum += float64(g.value * float64(float64(tp.Weights[g.at])*tp.Scale))
	}
	return sum
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// words are the grams of a text that speak most for a topic, with what each
// adds to the log-odds.
func (o *Opinion) words(t Text, topic store.Topic) []store.Phrase {
	i := slices.IndexFunc(o.model.Topics, func(tp opinionTopic) bool { return tp.Topic == topic })
	if i < 0 {
		return nil
	}
	tp := &o.model.Topics[i]
	var all []store.Phrase
	for _, g := range o.known(grams(t)) {
		if add := round(g.value * float64(tp.Weights[g.at]) * tp.Scale); add > 0 {
			all = append(all, store.Phrase{Text: g.text, Place: opinionPlace, Weight: add})
		}
	}
	slices.SortFunc(all, func(a, b store.Phrase) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Text, b.Text))
	})
	return all[:min(len(all), opinionWords)]
}

// Encode packs the model for the store.
func (o *Opinion) Encode() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := gob.NewEncoder(z).Encode(o.model); err != nil {
		return nil, fmt.Errorf("encode opinion: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("encode opinion: %w", err)
	}
	return b.Bytes(), nil
}

// DecodeOpinion unpacks what Encode made. It fails on what an older or newer
// program has learned.
func DecodeOpinion(b []byte) (*Opinion, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("decode opinion: %w", err)
	}
	var o Opinion
	if err := gob.NewDecoder(io.LimitReader(z, maxOpinionBytes)).Decode(&o.model); err != nil {
		return nil, fmt.Errorf("decode opinion: %w", err)
	}
	if o.model.Form != opinionForm {
		return nil, fmt.Errorf("decode opinion: form %d, this program has %d", o.model.Form, opinionForm)
	}
	for _, tp := range o.model.Topics {
		if len(tp.Weights) != len(o.model.Grams) {
			return nil, fmt.Errorf("decode opinion: topic %s has %d weights for %d grams", tp.Topic, len(tp.Weights), len(o.model.Grams))
		}
	}
	return &o, nil
}

// Heard says of how many topics it would ever be heard.
func (o *Opinion) Heard() int {
	n := 0
	for _, tp := range o.model.Topics {
		if tp.Least <= 1 {
			n++
		}
	}
	return n
}

// Items is how many items it was learned from.
func (o *Opinion) Items() int { return o.model.Items }
