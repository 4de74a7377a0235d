package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// What items say is most of the database, and most of that is Vietnamese
// syllables, of which there are 16,279 and which take five and a half bytes
// each with the space behind. Packed, one takes two (decision 22).
//
// A packed text begins with packedMark. Then stand, as bytes:
//
//	0x80…0xBF n   the syllable with that number; between two of them a space is left out
//	0xC0…0xFF     one of the phrases
//	packedTitle   before a syllable: its first letter is a capital
//	packedUpper   before a syllable: all its letters are
//	packedRaw n   n bytes as they are
//	others        as they are
//
// A text that would not get shorter is stored plain; none begins with the mark.

const (
	packedMark  = 0x01
	packedRaw   = 0x02
	packedTitle = 0x03
	packedUpper = 0x04

	firstSyllable = 0x80
	firstPhrase   = 0xC0
	maxRaw        = 255
)

// phrases are what our own lists say again and again, and marks between words:
// at most 64, and as immutable as the syllables.
var phrases = []string{
	", ", ". ", "; ", ": ", " - ", " (", ") ", ` "`, `" `, " “", "” ", " – ", "–", "…", "“", "”", ".</p><p>", "</p><p>", "<p>", "</p>", ".</p>",
	`[{"topic":"`, `","score":`, `,"primary":true`, `,"reasons":[{"text":"`, `","place":"title","weight":`, `","place":"summary","weight":`,
	`","place":"body","weight":`, `},{"text":"`, `}]},{"topic":"`, `},{"topic":"`, `}]}]`, `}]`, `","place":"`, `","weight":`,
	"1.5", "0.5", "2.5", "3.5", "0.75", "</p>\n<p>", "<br/>", "<img src=\"https://", "<a href=\"https://", "<strong>", "</strong>", "<em>", "</em>", ` rel="nofollow">`, "</a>",
}

// byFirst are the phrases' numbers by their first byte, the longest first.
var byFirst = sync.OnceValue(func() *[256][]int {
	var first [256][]int
	for i, p := range phrases {
		first[p[0]] = append(first[p[0]], i)
	}
	for _, all := range first {
		slices.SortFunc(all, func(a, b int) int { return len(phrases[b]) - len(phrases[a]) })
	}
	return &first
})

// text is a text column whose values are packed: text(s) as an argument,
// (*text)(&s) as a destination.
type text string

// Value implements driver.Valuer.
func (t text) Value() (driver.Value, error) { return pack(string(t)), nil }

// Scan implements sql.Scanner. It reads plain text too.
func (t *text) Scan(src any) (err error) {
	var s string
	switch v := src.(type) {
	case []byte:
		s, err = unpack(v)
	case string:
		s, err = unpack([]byte(v))
	default:
		return fmt.Errorf("unpack a %T", src)
	}
	*t = text(s)
	return err
}

// pack writes a text as it is stored: never nil, the same for the same text.
func pack(s string) []byte {
	p := packer{syllables: allSyllables(), phrases: byFirst(), out: append(make([]byte, 0, len(s)/2+16), packedMark)}
	for rest := s; rest != ""; {
		rest = rest[p.next(rest):]
	}
	if len(p.out) > len(s) && !strings.HasPrefix(s, string(rune(packedMark))) {
		return []byte(s)
	}
	return p.out
}

type packer struct {
	syllables *syllables
	phrases   *[256][]int
	out       []byte
	joined    bool // a syllable was written last
	raw       int  // where the length of the raw bytes stands that were written last; 0 = others were
}

// next writes what begins s and returns how long that is.
func (p *packer) next(s string) int {
	if p.joined && s[0] == ' ' {
		if size := p.syllable(s[1:]); size > 0 {
			return 1 + size
		}
	}
	size := wordSize(s)
	if size == 0 {
		return p.other(s)
	}
	if p.syllable(s) == 0 {
		for word := s[:size]; word != ""; {
			word = word[p.letter(word):]
		}
	}
	return size
}

// wordSize is how many bytes of letters begin s.
func wordSize(s string) int {
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf:
			if r|0x20 < 'a' || r|0x20 > 'z' {
				return i
			}
		case r >= 0x1EA0 && r <= 0x1EF9: // Vietnamese; the tables of unicode are slower
		case !unicode.IsLetter(r):
			return i
		}
	}
	return len(s)
}

// syllable writes the word that begins s, if it is one, and returns its length.
func (p *packer) syllable(s string) int {
	size := wordSize(s)
	n, ok := p.syllables.number[s[:size]]
	if !ok {
		return 0
	}
	switch n >> 14 {
	case title:
		p.out = append(p.out, packedTitle)
	case upper:
		p.out = append(p.out, packedUpper)
	}
	n &= 1<<14 - 1
	p.out = append(p.out, firstSyllable|byte(n>>8), byte(n))
	p.joined, p.raw = true, 0
	return size
}

// other writes a phrase or what else is no letter.
func (p *packer) other(s string) int {
	for _, i := range p.phrases[s[0]] {
		if strings.HasPrefix(s, phrases[i]) {
			p.out = append(p.out, firstPhrase+byte(i))
			p.joined, p.raw = false, 0
			return len(phrases[i])
		}
	}
	return p.letter(s)
}

// letter writes the first character of s as it is.
func (p *packer) letter(s string) int {
	p.joined = false
	if s[0] > packedUpper && s[0] < utf8.RuneSelf {
		p.out, p.raw = append(p.out, s[0]), 0
		return 1
	}
	_, size := utf8.DecodeRuneInString(s)
	if p.raw == 0 || int(p.out[p.raw])+size > maxRaw {
		p.raw = len(p.out) + 1
		p.out = append(p.out, packedRaw, 0)
	}
	p.out[p.raw] += byte(size)
	p.out = append(p.out, s[:size]...)
	return size
}

// unpack reads what pack wrote, or plain text.
func unpack(b []byte) (string, error) {
	if len(b) == 0 || b[0] != packedMark {
		return string(b), nil
	}
	var room [2048]byte // most texts fit, and need no other
	out, known, form, joined := room[:0], allSyllables(), lower, false
	for b = b[1:]; len(b) > 0; {
		used := 1
		switch c := b[0]; {
		case c >= firstPhrase:
			if int(c-firstPhrase) >= len(phrases) {
				return "", errPacked
			}
			out, joined = append(out, phrases[c-firstPhrase]...), false
		case c >= firstSyllable:
			if used = 2; len(b) < used {
				return "", errPacked
			}
			n := int(c-firstSyllable)<<8 | int(b[1])
			if n >= len(known.written[form]) {
				return "", errPacked
			}
			w := &known.written[form][n]
			if joined {
				out = append(out, w.spaced[:w.size]...)
			} else {
				out = append(out, w.spaced[1:w.size]...)
			}
			form, joined = lower, true
		case c == packedTitle || c == packedUpper:
			form = int(c - packedTitle + title)
		case c == packedRaw:
			if len(b) < 2 || len(b) < 2+int(b[1]) {
				return "", errPacked
			}
			used = 2 + int(b[1])
			out, joined = append(out, b[2:used]...), false
		default:
			out, joined = append(out, c), false
		}
		b = b[used:]
	}
	return string(out), nil
}

// errPacked is returned for bytes that pack never wrote, or that a newer
// program did.
var errPacked = errors.New("a text is packed in a way that this program does not know")
