package outlettest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Kind says what relation a text has to others.
type Kind string

// The kinds of text.
const (
	Plain    Kind = "plain"    // shares next to nothing with any other
	Serial   Kind = "serial"   // same words every day, other numbers: yet another story
	FollowUp Kind = "followup" // on the event of an earlier text, quoting a sentence of it
)

// Text is a story as its author wrote it, plain text in NFC.
type Text struct {
	Kind   Kind
	Topic  string
	Series string // of a serial text: "gold", "weather", …
	Place  string // id of the province it is about, empty if none
	Title  string
	Titles []string // other headlines for the same story
	Lead   string   // one sentence or two
	// OtherLead tells the same facts in other words.
	OtherLead string
	Body      []string // paragraphs, 60 to 250 syllables together
	Tag       string   // the event as a noun phrase: "vụ tai nạn trên …"
}

// Bounds of a body in syllables.
const (
	minBody = 60
	maxBody = 250
	// tries is how often a story is told anew before the most distinct
	// telling is taken; a tenth of the stories need a second.
	tries = 40
)

// Writer writes stories. The same seed gives the same stories in the same
// order of calls. A Writer is not safe for concurrent use.
type Writer struct {
	lex    *lexicon
	seed   uint64
	n      uint64 // texts written
	bodies recall
	heads  recall
	titles map[string]bool
}

// NewWriter returns a writer. Its error can only be a fault in the package's
// own word lists.
func NewWriter(seed int64) (*Writer, error) {
	lex, err := loadLexicon()
	if err != nil {
		return nil, err
	}
	return &Writer{lex: lex, seed: uint64(seed), titles: map[string]bool{}}, nil
}

// Topics lists the ids of the topics that a Writer knows, sorted.
func (w *Writer) Topics() []string {
	var out []string
	for _, wl := range w.lex.topics {
		out = append(out, wl.topic)
	}
	return out
}

// Series lists the names of the serial texts.
func (w *Writer) Series() []string {
	var out []string
	for _, ev := range w.lex.serial.events {
		out = append(out, ev.name)
	}
	return out
}

// next returns the source of chance of the next text.
func (w *Writer) next() *rand.Rand {
	w.n++
	return rand.New(rand.NewPCG(w.seed, w.n))
}

// Write tells a new story of the topic, published at at. place is a province
// id; empty draws one. An unknown topic or place is an error.
func (w *Writer) Write(topic string, at time.Time, place string) (Text, error) {
	wl := w.lex.topic(topic)
	if wl == nil {
		return Text{}, fmt.Errorf("write: no topic %q", topic)
	}
	rng := w.next()
	where := pick(rng, places)
	if place != "" {
		var ok bool
		if where, ok = placeOf(place); !ok {
			return Text{}, fmt.Errorf("write: no province %q", place)
		}
	}
	return w.write(wl, rng, at, where), nil
}

func (w *Writer) write(wl *wordList, rng *rand.Rand, at time.Time, where Place) Text {
	return w.mostDistinct(func() Text { return w.tell(wl, rng, at, where) })
}

// name invents a reporter.
func (w *Writer) name(rng *rand.Rand) string {
	t := newTelling(w.lex, w.lex.common, &event{}, rng, time.Time{}, Place{})
	return t.sentence(phrase{{ref: pick(rng, []string{"man", "woman"})}})
}

// mostDistinct tells a story until it shares little enough with the earlier
// ones, and remembers it.
func (w *Writer) mostDistinct(tell func() Text) Text {
	var best Text
	var bestBody, bestHead []uint64
	least := 10.0
	for range tries {
		t := tell()
		head := runs(t.Title + "\n" + t.Lead)
		over := max(0, w.heads.shared(head)-maxSharedHead)
		if w.titles[t.Title] {
			over++
		}
		if over >= least {
			continue // whatever its body is like
		}
		body := runs(strings.Join(t.Body, "\n"))
		if over += max(0, w.bodies.shared(body)-maxSharedBody); over < least {
			best, bestBody, bestHead, least = t, body, head, over
		}
		if over == 0 {
			break
		}
	}
	w.titles[best.Title] = true
	w.bodies.add(bestBody)
	w.heads.add(bestHead)
	return best
}

func (w *Writer) tell(wl *wordList, rng *rand.Rand, at time.Time, where Place) Text {
	ev := pick(rng, wl.events)
	t := newTelling(w.lex, wl, ev, rng, at, where)
	leads := shuffled(rng, ev.leads)
	text := Text{Kind: Plain, Topic: wl.topic}
	text.Lead = t.sentence(leads[0])
	for _, p := range shuffled(rng, ev.titles) {
		text.Titles = append(text.Titles, t.sentence(p))
	}
	text.Title, text.Titles = text.Titles[0], text.Titles[1:]
	text.OtherLead = t.sentence(leads[1])
	text.Tag = t.plain(ev.tag)
	more := shuffled(rng, append(append([]phrase(nil), wl.wide...), w.lex.group(wl.common).bodies...))
	text.Body = t.body(append(shuffled(rng, ev.bodies), more...))
	if t.usesPlace {
		text.Place = where.ID
	}
	return text
}

// body tells frames in order until a length drawn beforehand is reached, in
// paragraphs of one or two sentences.
func (t *telling) body(frames []phrase) []string {
	want := minBody + t.rng.IntN(maxBody-minBody-60)
	var paragraphs []string
	total, join := 0, false
	for _, p := range frames {
		s := t.sentence(p)
		n := len(syllables(s))
		if total+n > maxBody {
			continue
		}
		if join {
			paragraphs[len(paragraphs)-1] += " " + s
		} else {
			paragraphs = append(paragraphs, s)
		}
		join = !join && t.rng.IntN(3) == 0
		if total += n; total >= want {
			break
		}
	}
	return paragraphs
}

// FollowUp tells what came after an earlier plain story.
func (w *Writer) FollowUp(of Text, at time.Time) Text {
	rng := w.next()
	follow, wl := w.lex.group("follow"), w.lex.topic(of.Topic)
	where, ok := placeOf(of.Place)
	if !ok {
		where = pick(rng, places)
	}
	return w.mostDistinct(func() Text {
		t := newTelling(w.lex, wl, follow, rng, at, where)
		t.kept["tag"] = of.Tag
		text := Text{Kind: FollowUp, Topic: of.Topic, Place: of.Place, Tag: of.Tag}
		leads := shuffled(rng, follow.leads)
		text.Lead, text.OtherLead = t.sentence(leads[0]), t.sentence(leads[1])
		for _, p := range shuffled(rng, follow.titles) {
			text.Titles = append(text.Titles, t.sentence(p))
		}
		text.Title, text.Titles = text.Titles[0], text.Titles[1:]
		more := append(append([]phrase(nil), wl.wide...), w.lex.group(wl.common).bodies...)
		frames := append(shuffled(rng, follow.bodies)[:3], shuffled(rng, more)...)
		text.Body = append(t.body(frames), "Trước đó, như tin đã đưa: "+of.Lead)
		return text
	})
}

// Serial tells the day's text of a series: what yesterday's said, with other
// numbers. An unknown series is an error.
func (w *Writer) Serial(series string, at time.Time) (Text, error) {
	for _, ev := range w.lex.serial.events {
		if ev.name != series {
			continue
		}
		t := newTelling(w.lex, w.lex.serial, ev, w.next(), at, places[0])
		day := at.In(vietnam)
		t.kept["D"] = fmt.Sprintf("%d/%d", day.Day(), day.Month())
		t.kept["W"] = weekdays[day.Weekday()]
		text := Text{Kind: Serial, Topic: ev.topic, Series: series}
		text.Title, text.Lead = t.sentence(ev.titles[0]), t.sentence(ev.leads[0])
		text.Tag, text.OtherLead = text.Title, text.Lead
		for _, p := range ev.bodies {
			text.Body = append(text.Body, t.sentence(p))
		}
		return text, nil
	}
	return Text{}, fmt.Errorf("write: no series %q", series)
}
