package aggregator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Labelled is a text with the topics a reader gave it: one line of a file of
// JSON objects.
type Labelled struct {
	ID       json.RawMessage `json:"id"` // text or number, as the file has it
	Title    string          `json:"title"`
	Summary  string          `json:"summary"`
	Body     string          `json:"body,omitempty"`
	Primary  *store.Topic    `json:"primary"` // "" = it belongs to no topic
	Also     []store.Topic   `json:"also"`    // further topics that are right
	ByRuling bool            `json:"by_ruling,omitempty"`
}

// wants is the set of right topics.
func (l *Labelled) wants() []store.Topic {
	if *l.Primary == "" {
		return nil
	}
	return append([]store.Topic{*l.Primary}, l.Also...)
}

// maxLine bounds a line of a file of items, in bytes: an article's text with
// its markup has a few ten thousand.
const maxLine = 4 << 20

// LineFault is a line of a file that cannot be used.
type LineFault struct {
	File    string
	Line    int
	Field   string // empty if it is not the fault of one field
	Problem string
}

// Error is "FILE:LINE: FIELD: PROBLEM".
func (f *LineFault) Error() string {
	if f.Field == "" {
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Problem)
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Field, f.Problem)
}

// EachLine reads a file of JSON objects, one a line, into a fresh T each and
// calls each with it; empty lines are passed over. A line that is no such
// object is given to bad; the first error of either ends the reading.
func EachLine[T any](r io.Reader, file string, each func(line int, v *T) error, bad func(*LineFault) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, long, end := readLine(lines)
		if end != nil && !errors.Is(end, io.EOF) {
			return fmt.Errorf("read %s: %w", file, end)
		}
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		if len(line) > 0 || long {
			v := new(T)
			fault := decodeLine(line, long, v)
			var err error
			if fault != nil {
				fault.File, fault.Line = file, n
				err = bad(fault)
			} else {
				err = each(n, v)
			}
			if err != nil {
				return err
			}
		}
		if end != nil {
			return nil
		}
	}
}

// readLine returns the next line; long means that it was too long, and passed
// over.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// decodeLine reads one object, and names the field that is of the wrong kind.
func decodeLine(line []byte, long bool, into any) *LineFault {
	if long {
		return &LineFault{Problem: fmt.Sprintf("the line is longer than %d bytes", maxLine)}
	}
	err := json.Unmarshal(line, into)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil && line[0] == '{':
		return nil
	case errors.As(err, &kind) && kind.Field != "":
		return &LineFault{Field: kind.Field, Problem: fmt.Sprintf("%s: want %s", kind.Value, kindWords(kind.Type.Kind().String()))}
	case err == nil || errors.As(err, &kind):
		return &LineFault{Problem: "want a JSON object"}
	}
	return &LineFault{Problem: "this is not JSON: " + err.Error()}
}

// kindWords names a kind of Go as JSON does.
func kindWords(kind string) string {
	switch kind {
	case "slice":
		return "a list"
	case "string":
		return "text"
	}
	return kind
}

// ReadLabelled reads a labelled file. The error names every line that cannot
// be used, and its field; topics are those of the configuration.
func ReadLabelled(r io.Reader, file string, topics []TopicConfig) ([]Labelled, error) {
	var all []Labelled
	var faults []error
	note := func(f *LineFault) error { faults = append(faults, f); return nil }
	err := EachLine(r, file, func(line int, l *Labelled) error {
		if field, problem := l.fault(topics); problem != "" {
			return note(&LineFault{File: file, Line: line, Field: field, Problem: problem})
		}
		all = append(all, *l)
		return nil
	}, note)
	if err == nil && len(faults) == 0 && len(all) == 0 {
		err = fmt.Errorf("%s: the file has no line", file)
	}
	return all, errors.Join(append(faults, err)...)
}

// fault is the first field that cannot be used, and why.
func (l *Labelled) fault(topics []TopicConfig) (field, problem string) {
	known := func(id store.Topic) bool {
		return slices.ContainsFunc(topics, func(t TopicConfig) bool { return t.ID == id })
	}
	switch {
	case len(vi.Tokens(l.Title)) == 0:
		return "title", "want a headline"
	case l.Primary == nil:
		return "primary", `missing; want a topic, or "" for an item of no topic`
	case *l.Primary == "" && len(l.Also) > 0:
		return "primary", "empty although also has topics"
	case *l.Primary != "" && !known(*l.Primary):
		return "primary", fmt.Sprintf("topic %q is not in the configuration", *l.Primary)
	}
	for i, id := range l.Also {
		if !known(id) {
			return fmt.Sprintf("also[%d]", i), fmt.Sprintf("topic %q is not in the configuration", id)
		}
	}
	return "", ""
}

// Rates are how well rules do: the share of the topics given that are right,
// the share of the right ones that are given, and the harmonic mean of both.
type Rates struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// TopicRates are the rates of one topic with the numbers behind them.
type TopicRates struct {
	Rates
	Right  int `json:"right"`  // given and wanted
	Given  int `json:"given"`  // by the rules
	Wanted int `json:"wanted"` // by the labels
}

// rate fills in the rates from the numbers; what has no ground is 0.
func (t *TopicRates) rate() {
	if t.Given > 0 {
		t.Precision = rounded(float64(t.Right) / float64(t.Given))
	}
	if t.Wanted > 0 {
		t.Recall = rounded(float64(t.Right) / float64(t.Wanted))
	}
	if t.Right > 0 {
		t.F1 = rounded(2 * float64(t.Right) / float64(t.Given+t.Wanted))
	}
}

// rounded keeps four decimals.
func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// Scores are how well a classifier does on a labelled file. The form of its
// JSON stays.
type Scores struct {
	N       int                        `json:"n"`
	Primary float64                    `json:"primary"` // share of lines whose primary topic is right
	Micro   Rates                      `json:"micro"`   // over all topics together
	Topics  map[store.Topic]TopicRates `json:"topics"`  // those wanted or given anywhere
	Wrong   []WrongLine                `json:"wrong"`   // lines that got other topics than they should
}

// WrongLine is a line that got other topics than it should; the primary ones
// stand first.
type WrongLine struct {
	ID    json.RawMessage `json:"id"`
	Title string          `json:"title"`
	Got   []store.Topic   `json:"got"`
	Want  []store.Topic   `json:"want"`
}

// PrimaryWrong tells whether the primary topic is not the right one.
func (w WrongLine) PrimaryWrong() bool { return first(w.Got) != first(w.Want) }

func first(topics []store.Topic) store.Topic {
	if len(topics) == 0 {
		return ""
	}
	return topics[0]
}

// Measure classifies every line.
func (c *Classifier) Measure(items []Labelled) Scores {
	s := Scores{N: len(items), Topics: map[store.Topic]TopicRates{}, Wrong: []WrongLine{}}
	var total TopicRates
	right := 0
	for i := range items {
		w := WrongLine{ID: items[i].ID, Title: items[i].Title, Got: []store.Topic{}, Want: append([]store.Topic{}, items[i].wants()...)}
		for _, t := range c.Classify(Text{Title: items[i].Title, Summary: items[i].Summary, Body: plainText(items[i].Body)}) {
			w.Got = append(w.Got, t.Topic)
		}
		s.count(w, &total)
		if !w.PrimaryWrong() {
			right++
		}
		if w.PrimaryWrong() || !sameTopics(w.Got, w.Want) {
			s.Wrong = append(s.Wrong, w)
		}
	}
	for id, t := range s.Topics {
		t.rate()
		s.Topics[id] = t
	}
	total.rate()
	s.Micro = total.Rates
	if s.N > 0 {
		s.Primary = rounded(float64(right) / float64(s.N))
	}
	return s
}

// count adds one line to the numbers of its topics.
func (s *Scores) count(w WrongLine, total *TopicRates) {
	add := func(id store.Topic, right, given, wanted int) {
		t := s.Topics[id]
		for _, x := range []*TopicRates{&t, total} {
			x.Right, x.Given, x.Wanted = x.Right+right, x.Given+given, x.Wanted+wanted
		}
		s.Topics[id] = t
	}
	for _, id := range w.Got {
		right := 0
		if slices.Contains(w.Want, id) {
			right = 1
		}
		add(id, right, 1, 0)
	}
	for _, id := range w.Want {
		add(id, 0, 0, 1)
	}
}

// sameTopics tells whether two lists hold the same topics.
func sameTopics(a, b []store.Topic) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(id store.Topic) bool { return !slices.Contains(b, id) })
}
