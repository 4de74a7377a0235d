package vi

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldLatin gives the bare lower-case letter of U+00C0 to U+024F, foldLatinExt
// that of U+1E00 to U+1EFF; a dot stands where a single letter does not do.
// Both are the base letters of Unicode's decompositions, with đ, ð, ø, ł and
// the like, which Unicode does not decompose, added by hand.
const (
	foldLatin = "" +
		"aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y" +
		"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.llllll." +
		".llnnnnnn...oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs" +
		".........d......................oo.............uu..............." +
		".............aaiioouuuuuuuuuu.aaaa....ggkkoooo..j...gg..nnaa...." +
		"aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............" +
		"................"
	foldLatinExt = "" +
		"aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm" +
		"mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv" +
		"wwwwwwwwwwxxxxyyzzzzzzhtwy.s....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee" +
		"eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"
)

// Fold returns s in lower case and without diacritics, đ as d: "Điện Biên" →
// "dien bien". It is the one folding of this project: what search, slugs and
// sketches compare passes here. Letters of other scripts lose accents but
// keep what is part of the letter; digits, punctuation and white space stay.
// Composed, decomposed, old and new spelling of a word fold to the same.
func Fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	b := make([]byte, i, len(s))
	copy(b, s)
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		b = appendFolded(b, r)
		i += n
	}
	return string(b)
}

// appendFolded appends the folded form of r, which is not ASCII.
func appendFolded(b []byte, r rune) []byte {
	c := byte('.')
	switch {
	case r >= 0xC0 && r <= 0x24F:
		c = foldLatin[r-0xC0]
	case r >= 0x1E00 && r <= 0x1EFF:
		c = foldLatinExt[r-0x1E00]
	case isAccent(r):
		return b
	}
	if c != '.' {
		return append(b, c)
	}
	switch r {
	case 'ɖ': // the small Ɖ, which Canon takes for đ too
		return append(b, 'd')
	case 'æ', 'Æ':
		return append(b, "ae"...)
	case 'œ', 'Œ':
		return append(b, "oe"...)
	case 'ß', 'ẞ':
		return append(b, "ss"...)
	case 'þ', 'Þ':
		return append(b, "th"...)
	}
	d := norm.NFD.PropertiesString(string(r)).Decomposition()
	if d == nil {
		return utf8.AppendRune(b, lowerRune(r))
	}
	for len(d) > 0 {
		e, n := utf8.DecodeRune(d)
		d = d[n:]
		switch {
		case isAccent(e):
		case e < utf8.RuneSelf:
			b = append(b, byte(unicode.ToLower(e)))
		default: // æ of ǽ: parts do not come apart again
			b = appendFolded(b, e)
		}
	}
	return b
}

// isAccent tells whether r is a combining mark that only modifies a letter, as
// all of Vietnamese are; the vowel signs of Thai or Lao are none.
func isAccent(r rune) bool {
	return r >= 0x300 && r <= 0x36F || r >= 0x1AB0 && r <= 0x1AFF ||
		r >= 0x1DC0 && r <= 0x1DFF || r >= 0x20D0 && r <= 0x20FF || r >= 0xFE20 && r <= 0xFE2F
}

// lower is strings.ToLower with a short way for Vietnamese letters and without
// touching invalid bytes.
func lower(s string) string {
	var b []byte
	kept := 0 // s[:kept] is in b, in lower case
	replace := func(at, size int, with rune) {
		if b == nil {
			b = make([]byte, 0, len(s))
		}
		b = utf8.AppendRune(append(b, s[kept:at]...), with)
		kept = at + size
	}
	for i, n := 0, 1; i < len(s); i += n {
		c := s[i]
		if n = 1; c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				replace(i, 1, rune(c)+'a'-'A')
			}
			continue
		}
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		if l := lowerRune(r); l != r {
			replace(i, n, l)
		}
	}
	if kept == 0 {
		return s
	}
	return string(append(b, s[kept:]...))
}

// lowerRune is unicode.ToLower with a short way for the letters of Vietnamese.
func lowerRune(r rune) rune {
	switch {
	case r >= 0xE0 && r <= 0xFF:
		return r
	case r >= 0xC0 && r <= 0xDE && r != 0xD7:
		return r + 0x20
	case r >= 0x1EA0 && r <= 0x1EFF:
		return r | 1 // capitals are even, small letters follow them
	case r == 0x1A0 || r == 0x1AF:
		return r + 1
	case r == 0x1A1 || r == 0x1B0 || r >= 0x300 && r <= 0x36F && r != 0x345:
		return r
	}
	return unicode.ToLower(r)
}

// Slug returns s folded to the letters a-z, the digits and single hyphens
// between them, for addresses: "Xây dựng Đảng" → "xay-dung-dang". It is empty
// if s has no such letter or digit.
func Slug(s string) string {
	s = Fold(s)
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if !isSlugByte(s[i]) {
			continue
		}
		if len(b) > 0 && !isSlugByte(s[i-1]) {
			b = append(b, '-')
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isSlugByte(c byte) bool {
	return c >= 'a' && c <= 'z' || isDigit(c)
}
