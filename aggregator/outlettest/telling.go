package outlettest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// vietnam is the civil time of Việt Nam.
var vietnam = time.FixedZone("+07", 7*60*60)

var weekdays = [...]string{"Chủ nhật", "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy"}

// telling is one story being told: what was drawn once stays for the rest.
type telling struct {
	lex       *lexicon
	words     *wordList
	event     *event
	rng       *rand.Rand
	kept      map[string]string
	usesPlace bool
}

// newTelling starts a story that is published at at.
func newTelling(lex *lexicon, wl *wordList, ev *event, rng *rand.Rand, at time.Time, place Place) *telling {
	day, half := eventTime(at.In(vietnam), rng)
	return &telling{lex: lex, words: wl, event: ev, rng: rng, kept: map[string]string{
		"P":  place.Name,
		"PP": place.full(),
		"D":  fmt.Sprintf("%d/%d", day.Day(), day.Month()),
		"W":  weekdays[day.Weekday()],
		"H":  half,
		"Y":  strconv.Itoa(day.Year()),
	}}
}

// eventTime says when the thing happened that is reported at at: earlier the
// same day, or in the evening before.
func eventTime(at time.Time, rng *rand.Rand) (day time.Time, half string) {
	switch h := at.Hour(); {
	case h < 10:
		return at.AddDate(0, 0, -1), pick(rng, []string{"chiều", "tối"})
	case h < 15:
		return at, "sáng"
	case h < 20:
		return at, pick(rng, []string{"sáng", "chiều"})
	default:
		return at, pick(rng, []string{"chiều", "tối"})
	}
}

// sentence tells a frame and gives it a capital letter.
func (t *telling) sentence(p phrase) string {
	return capital(t.plain(p))
}

// plain tells a frame that stands within a sentence.
func (t *telling) plain(p phrase) string {
	var b strings.Builder
	t.write(&b, p)
	return tidy(b.String())
}

func (t *telling) write(b *strings.Builder, p phrase) {
	for _, pt := range p {
		switch {
		case pt.alts != nil:
			t.write(b, pick(t.rng, pt.alts))
		case pt.hi > 0:
			b.WriteString(number(pt.lo + t.rng.IntN(pt.hi-pt.lo+1)))
		case pt.ref != "":
			b.WriteString(t.value(pt.ref))
		default:
			b.WriteString(pt.text)
		}
	}
}

func (t *telling) value(ref string) string {
	if v, ok := t.kept[ref]; ok {
		t.usesPlace = t.usesPlace || ref == "P" || ref == "PP"
		return v
	}
	var v string
	if s, ok := t.event.kept[ref]; ok {
		v = number(s.lo + t.rng.IntN(s.hi-s.lo+1))
	} else {
		var b strings.Builder
		t.write(&b, pick(t.rng, t.lex.pool(t.words, ref)))
		v = b.String()
	}
	if last := ref[len(ref)-1]; last >= '0' && last <= '9' {
		t.kept[ref] = v
	}
	return v
}

// number writes n with dots between the thousands, as Vietnamese does.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "." + s[i:]
	}
	return s
}

var seams = strings.NewReplacer(" ,", ",", " .", ".", "..", ".", ".”.", ".”", " :", ":")

// tidy mends the seams where parts met.
func tidy(s string) string {
	return seams.Replace(strings.Join(strings.Fields(s), " "))
}

// capital raises the first letter, also behind an opening quotation mark.
func capital(s string) string {
	for i, r := range s {
		if unicode.IsDigit(r) {
			return s
		}
		if unicode.IsLetter(r) {
			return s[:i] + string(unicode.ToUpper(r)) + s[i+utf8.RuneLen(r):]
		}
	}
	return s
}

// pick draws one of a list.
func pick[T any](rng *rand.Rand, list []T) T {
	return list[rng.IntN(len(list))]
}

// shuffled returns the list in another order.
func shuffled[T any](rng *rand.Rand, list []T) []T {
	out := append([]T(nil), list...)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
