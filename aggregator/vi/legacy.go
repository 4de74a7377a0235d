package vi

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// verdict counts the words of a text that carry letters beyond ASCII.
type verdict struct {
	good int // are built like a Vietnamese syllable
	bad  int // are not
}

// better tells whether v is the better reading of the same bytes.
func (v verdict) better(other verdict) bool { return v.good-v.bad > other.good-other.bad }

// maxJudged is how many such words are enough for a judgement; it bounds the
// time for large documents.
const maxJudged = 4000

// judge reads the words of text.
func judge(text string) (v verdict) {
	for start, end := nextToken(text, 0); end > start; start, end = nextToken(text, end) {
		word := text[start:end]
		switch {
		case isASCIIString(word), utf8.RuneCountInString(word) == 1: // one letter tells nothing
			continue
		case isSyllable(word):
			v.good++
		default:
			v.bad++
		}
		if v.good+v.bad == maxJudged {
			break
		}
	}
	return v
}

func isASCIIString(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// maxSyllable is the number of letters of the longest syllable, "nghiêng".
const maxSyllable = 7

// isSyllable tells whether word, in NFC, is built like one Vietnamese syllable
// (an initial, one to three vowels, perhaps a final) of Vietnamese letters, in
// small letters, in capitals or with a capital first.
func isSyllable(word string) bool {
	var buf [maxSyllable]byte
	n, capitals := 0, 0
	for _, r := range word {
		if n == maxSyllable || !isVietnameseLetter(r) {
			return false
		}
		if lowerRune(r) != r {
			if capitals < n {
				return false
			}
			capitals++
		} else if capitals > 1 {
			return false
		}
		if buf[n] = byte(r) | 0x20; r >= utf8.RuneSelf {
			if r <= 0x24F {
				buf[n] = foldLatin[r-0xC0]
			} else {
				buf[n] = foldLatinExt[r-0x1E00]
			}
		}
		n++
	}
	s := string(buf[:n])
	for _, initial := range []string{"ngh", "ng", "nh", "gh", "kh", "ch", "ph", "th", "tr"} {
		if rest, ok := strings.CutPrefix(s, initial); ok {
			return isRhyme(rest)
		}
	}
	if s != "" && strings.IndexByte("bcdghklmnpqrstvx", s[0]) >= 0 {
		s = s[1:]
	}
	return isRhyme(s)
}

// isRhyme tells whether s is one to three vowels and a final.
func isRhyme(s string) bool {
	n := 0
	for n < len(s) && strings.IndexByte("aeiouy", s[n]) >= 0 {
		n++
	}
	if n < 1 || n > 3 {
		return false
	}
	switch s[n:] {
	case "", "c", "ch", "m", "n", "ng", "nh", "p", "t":
		return true
	}
	return false
}

// isVietnameseLetter tells whether r is a letter of Vietnamese or of ASCII.
func isVietnameseLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r|0x20 >= 'a' && r|0x20 <= 'z'
	}
	if r >= 0x1EA0 && r <= 0x1EF9 {
		return true
	}
	return strings.ContainsRune("àáâãèéêìíòóôõùúýăđĩũơư", lowerRune(r))
}

// toWestern returns the windows-1252 bytes of text, where a C1 control stands
// for the byte that encoding leaves out; nil if a character has none, which in
// proper Vietnamese is soon.
func toWestern(text string) []byte {
	n := 0
	for _, r := range text {
		if r >= utf8.RuneSelf {
			if _, ok := westernByte(r); !ok {
				return nil
			}
		}
		n++
	}
	b := make([]byte, 0, n)
	for _, r := range text {
		c, _ := westernByte(r)
		b = append(b, c)
	}
	return b
}

func westernByte(r rune) (byte, bool) {
	if r < 0xA0 {
		return byte(r), true
	}
	return charmap.Windows1252.EncodeRune(r)
}

// undoMojibake reads text as UTF-8 that was taken for windows-1252 and encoded
// again ("Ä‘áº£ng"), once or twice; thrice has not been seen. ok is false unless
// all of it can be that and more of its words are Vietnamese afterwards.
func undoMojibake(text string) (fixed string, ok bool) {
	best := verdict{good: -1} // text is judged only if there is something to compare
	again := text
	for range 2 {
		if !beginsMojibake(again) {
			break
		}
		b := toWestern(again)
		if b == nil || !utf8.Valid(b) { // no Western text, or of Western letters
			break
		}
		if best.good < 0 {
			best = judge(text)
		}
		again = string(b)
		if v := judge(NFC(again)); v.good > best.good && v.bad <= best.bad {
			fixed, best, ok = again, v, true
		}
	}
	return fixed, ok
}

// beginsMojibake tells whether the first character of text beyond ASCII and the
// one after it stand for the first two bytes of a character in UTF-8. Where
// they do not, and proper text seldom has "Ã¡" or "áº", nothing else can.
func beginsMojibake(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < utf8.RuneSelf {
			continue
		}
		lead, n := utf8.DecodeRuneInString(text[i:])
		next, _ := utf8.DecodeRuneInString(text[i+n:])
		a, western := westernByte(lead)
		b, western2 := westernByte(next)
		return western && western2 && a >= 0xC2 && a <= 0xF4 && b >= 0x80 && b <= 0xBF
	}
	return false
}

// minLegacyWords is how many Vietnamese words a legacy font's reading must
// give; below that it may be chance.
const minLegacyWords = 5

// undoLegacyFont reads text as typed for a font whose letters stand in the
// places of windows-1252: TCVN3 (ABC) "ViÖt Nam" or VNI "Vieät Nam". font is ""
// unless by it at least nine in ten of the words become Vietnamese, and three
// times as many as are so as they stand.
func undoLegacyFont(text string) (fixed, font string) {
	if b := toWestern(text); b == nil || len(b) == len(text) {
		return "", ""
	}
	before := judge(text)
	best := verdict{}
	for _, f := range []struct {
		name string
		read func(string) string
	}{{"tcvn3", fromTCVN3}, {"vni", fromVNI}} {
		s := f.read(text)
		v := judge(s)
		if v.good >= minLegacyWords && v.good >= 9*v.bad && v.good > 3*before.good && v.better(best) {
			fixed, font, best = s, f.name, v
		}
	}
	return fixed, font
}

// fromTCVN3 reads text that is TCVN3 taken for windows-1252. The places below
// A0, which TCVN3 leaves free, keep their quotation marks and dashes.
func fromTCVN3(text string) string {
	// A0 to FF, from TCVN 5712:1993.
	letters := []rune("\u00A0ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ" +
		"ẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịò" +
		"ỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ")
	return strings.Map(func(r rune) rune {
		if r >= 0xA0 && r <= 0xFF {
			return letters[r-0xA0]
		}
		return r
	}, text)
}

// fromVNI reads text that is VNI taken for windows-1252: a letter and then, in
// a place of its own, its marks.
func fromVNI(text string) string {
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		next, n := utf8.DecodeRuneInString(text[i:])
		if c := vniPair(r, next); c != 0 {
			r = c
			i += n
		} else if c := pick(r, "ñôöíìæóòîÑÔÖÍÌÆÓÒÎ", "đơưíìỉĩịỵĐƠƯÍÌỈĨỊỴ"); c != 0 {
			r = c
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// vniPair returns the letter that a base letter and its VNI marks make, or 0.
func vniPair(base, marks rune) rune {
	const tones = "øùûõï"
	places, letters := tones, ""
	switch lowerRune(base) {
	case 'a':
		places, letters = tones+"âêáàåãäéèúüë", "àáảãạâăấầẩẫậắằẳẵặ"
	case 'e':
		places, letters = tones+"âáàåãä", "èéẻẽẹêếềểễệ"
	case 'o':
		places, letters = tones+"âáàåãä", "òóỏõọôốồổỗộ"
	case 'u':
		letters = "ùúủũụ"
	case 'y':
		letters = "ỳýỷỹỵ"
	case 'ô':
		letters = "ờớởỡợ"
	case 'ö':
		letters = "ừứửữự"
	}
	c := pick(lowerRune(marks), places, letters)
	if c != 0 && base != lowerRune(base) {
		c = []rune(strings.ToUpper(string(c)))[0]
	}
	return c
}

// pick returns the letter of letters at the place of r in places, or 0.
func pick(r rune, places, letters string) rune {
	n := 0
	for _, p := range places {
		if p == r {
			for _, l := range letters {
				if n == 0 {
					return l
				}
				n--
			}
			return 0
		}
		n++
	}
	return 0
}
