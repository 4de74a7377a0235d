package vi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// maxMarks is how many combining marks may follow one another. A decomposed
// Vietnamese vowel carries two, the scripts of the region up to four; more is
// "Zalgo" text that overflows its line on the page. Normalising at most doubles
// marks and takes two from their base, so up to safeMarks there is no need to
// count in normal form.
const (
	maxMarks  = 8
	safeMarks = 3
)

// NFC returns s as clean text in Unicode normal form C: what every string from
// outside passes through first.
//
// Removed are invalid UTF-8 and U+FFFD (the trace of invalid UTF-8 elsewhere),
// control characters except tab and newline, noncharacters and all else that
// XML 1.0 forbids, and characters that cannot be seen (zero-width, byte order
// marks, soft hyphens, bidirectional controls): they would break equality and
// search, or hide text. CR, CR LF and the Unicode line and paragraph
// separators become a newline. The controls U+0080 to U+009F are bytes of
// windows-1252 that were taken for characters (&#146;), and become what they
// are there, if anything. Zero-width joiners stay between emoji, which they
// make one of (👨‍👩‍👧). Of a pile of combining marks the first eight
// are kept. Clean text is returned as is, without allocation.
func NFC(s string) string {
	i := cleanPrefix(s)
	if i == len(s) {
		return s
	}
	if s[i] == 0xCC || s[i] == 0xCD { // the first bytes of U+0300 to U+036F
		if composed, ok := composeLatin(s); ok {
			return composed
		}
	}
	s, piled := scrub(s, i)
	if piled {
		// Marks count as they stand in normal form.
		s, _ = scrub(norm.NFC.String(s), 0)
		s = cutPiles(s)
	}
	if cleanPrefix(s) == len(s) {
		return s
	}
	if composed, ok := composeLatin(s); ok {
		return composed
	}
	if norm.NFC.IsNormalString(s) {
		return s
	}
	return norm.NFC.String(s)
}

// cleanPrefix returns how many bytes of s are certainly clean and in NFC by
// their character alone: ASCII text, precomposed Latin, common punctuation. A
// combining mark afterwards may still change the last of them, so the caller
// goes back over the whole string when the prefix is not all of it.
func cleanPrefix(s string) int {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\t' || c == 0x7F {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isPlain(r) {
			return i
		}
		i += n
	}
	return len(s)
}

// isPlain tells whether r, beyond ASCII, is in NFC where no mark follows.
func isPlain(r rune) bool {
	switch {
	case r >= 0xA0 && r <= 0x2FF:
		return r != 0xAD
	case r >= 0x1E00 && r <= 0x1EFF:
		return true
	}
	return r >= 0x2010 && r <= 0x2027 || r >= 0x2030 && r <= 0x205E // dashes, quotes, bullets, …
}

// scrub returns s without forbidden and invisible characters and with \n for
// every line end. The first from bytes of s are known to be clean. piled tells
// whether more than safeMarks marks follow one another.
func scrub(s string, from int) (clean string, piled bool) {
	var b []byte
	kept := 0 // s[:kept] is already in b
	marks := 0
	for i, n := from, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		with := ""
		switch {
		case r >= ' ' && r < 0x7F || r >= 0xC0 && r < 0x300 || r >= 0x1E00 && r < 0x1F00: // most of the text
			marks = 0
			continue
		case r >= 0x80 && r <= 0x9F:
			if c := charmap.Windows1252.DecodeByte(byte(r)); c > 0x9F && c != utf8.RuneError {
				with, marks = string(c), 0
			}
		case r == joiner && joinsEmoji(s, i, i+n):
			marks = 0
			continue
		case r == utf8.RuneError || invisible(r):
		case unicode.IsMark(r):
			marks++
			piled = piled || marks > safeMarks
			continue
		case r == '\r' && strings.HasPrefix(s[i+1:], "\n"):
		case r == '\r', r == 0x2028, r == 0x2029: // line and paragraph separator
			with, marks = "\n", 0
		default:
			marks = 0
			continue
		}
		if b == nil {
			b = make([]byte, 0, len(s))
		}
		b = append(append(b, s[kept:i]...), with...)
		kept = i + n
	}
	if kept == 0 {
		return s, piled
	}
	return string(append(b, s[kept:]...)), piled
}

// joiner is the zero-width joiner, of which emoji are composed.
const joiner = 0x200D

// joinsEmoji tells whether the joiner s[at:end] stands between two emoji, the
// first perhaps with a variation selector.
func joinsEmoji(s string, at, end int) bool {
	before, n := utf8.DecodeLastRuneInString(s[:at])
	if before == 0xFE0F {
		before, _ = utf8.DecodeLastRuneInString(s[:at-n])
	}
	after, _ := utf8.DecodeRuneInString(s[end:])
	return isEmoji(before) && isEmoji(after)
}

// isEmoji tells whether r lies in a block of symbols that take part in joined
// emoji (Unicode's emoji-zwj-sequences.txt), skin tones among them.
func isEmoji(r rune) bool {
	return r >= 0x2190 && r <= 0x21FF || r >= 0x2600 && r <= 0x27BF || r >= 0x2B00 && r <= 0x2BFF || r >= 0x1F000 && r <= 0x1FAFF
}

// cutPiles returns s, which is NFC, with at most maxMarks marks in a row.
func cutPiles(s string) string {
	marks := 0
	return strings.Map(func(r rune) rune {
		if !unicode.IsMark(r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			return -1
		}
		return r
	}, s)
}

// invisible tells whether NFC removes r: a control, a noncharacter, or a
// character without width of its own. CR is not among them, for it means a
// newline, nor are joining marks with a shape, such as U+FE0F.
func invisible(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\t' && r != '\n' && r != '\r'
	case r < 0x7F:
		return false
	case r <= 0x9F, r == 0xAD, r == 0x34F, r == 0x61C, r == 0x180E:
		return true
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F:
		return true
	case r >= 0xFDD0 && r <= 0xFDEF, r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB:
		return true
	case r >= 0xE0000 && r <= 0xE0FFF: // tags
		return true
	}
	return r&0xFFFE == 0xFFFE // U+FFFE, U+FFFF and their like in every plane
}

// Line returns s as one line: NFC, each run of white space of any kind (tabs,
// newlines, no-break spaces) a single space, none at the ends. For titles,
// names and other short text.
func Line(s string) string {
	s = NFC(s)
	if isLine(s) {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, unicode.IsSpace), " ")
}

// isLine tells whether s has no white space but single spaces between words.
func isLine(s string) bool {
	space := true // as if a space came before: none may lead
	for _, r := range s {
		if !unicode.IsSpace(r) {
			space = false
			continue
		}
		if r != ' ' || space {
			return false
		}
		space = true
	}
	return !space || s == ""
}

// Canon returns s, which should be NFC, with one spelling where Vietnamese has
// two. It is for comparing, not for showing: it also rewrites foreign names
// such as Chloé. Case stays.
//
//   - The tone mark of the open syllables oa, oe and uy stands on the first
//     vowel, the form newspapers and place names use: hoà → hòa, khoẻ → khỏe,
//     thuý → thúy, Uỷ → Ủy. Closed syllables (hoàn, loét, huỳnh, khuỷu) have
//     one spelling only, and in quý the u belongs to the consonant: both stay.
//   - Ð and ð (eth, and the African Ɖ), which old fonts show for đ, become Đ
//     and đ.
func Canon(s string) string {
	var b []byte
	kept := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < utf8.RuneSelf {
			if lower := c | 0x20; lower != 'o' && lower != 'u' || i+1 == len(s) || s[i+1] < utf8.RuneSelf {
				continue
			}
			r, n := utf8.DecodeRuneInString(s[i+1:])
			first, second := moveTone(c, r)
			if first == 0 || !openSyllable(s, i, i+1+n) {
				continue
			}
			if b == nil {
				b = make([]byte, 0, len(s))
			}
			b = append(b, s[kept:i]...)
			b = utf8.AppendRune(b, first)
			b = append(b, second)
			i += n
			kept = i + 1
			continue
		}
		if c != 0xC3 && c != 0xC6 && c != 0xC9 || i+1 == len(s) {
			continue
		}
		d := ""
		switch s[i : i+2] {
		case "Ð", "Ɖ":
			d = "Đ"
		case "ð", "ɖ":
			d = "đ"
		default:
			continue
		}
		b = append(append(b, s[kept:i]...), d...)
		i++
		kept = i + 1
	}
	if kept == 0 {
		return s
	}
	return string(append(b, s[kept:]...))
}

// openSyllable tells whether the two vowels s[at:end] end their syllable and
// are its whole nucleus: no letter or mark follows, and no q stands before.
func openSyllable(s string, at, end int) bool {
	if at > 0 && s[at-1]|0x20 == 'q' {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[end:])
	return end == len(s) || !unicode.IsLetter(next) && !unicode.IsMark(next)
}

// moveTone takes the tone of second, the vowel after the bare vowel first, to
// first. It returns 0, 0 if the two are no oa, oe or uy with a tone on the
// second vowel.
func moveTone(first byte, second rune) (rune, byte) {
	// Each vowel in the order grave, acute, hook, tilde, dot; two runs of
	// letters of five, lower and upper case.
	const (
		tonesA = "àáảãạÀÁẢÃẠ"
		tonesE = "èéẻẽẹÈÉẺẼẸ"
		tonesY = "ỳýỷỹỵỲÝỶỸỴ"
		tonesO = "òóỏõọÒÓỎÕỌ"
		tonesU = "ùúủũụÙÚỦŨỤ"
	)
	onto := tonesO
	bare, tone := byte('a'), toneOf(tonesA, second)
	if first|0x20 == 'u' {
		onto = tonesU
		bare, tone = 'y', toneOf(tonesY, second)
	} else if tone < 0 {
		bare, tone = 'e', toneOf(tonesE, second)
	}
	if tone < 0 {
		return 0, 0
	}
	if tone >= 5 {
		bare -= 'a' - 'A'
	}
	tone %= 5
	if first < 'a' {
		tone += 5
	}
	for _, r := range onto {
		if tone == 0 {
			return r, bare
		}
		tone--
	}
	return 0, 0
}

// toneOf returns the position of r among vowels, counted in letters, or -1.
func toneOf(vowels string, r rune) int {
	n := 0
	for _, v := range vowels {
		if v == r {
			return n
		}
		n++
	}
	return -1
}
