package vi

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is one syllable or number of a text. Written Vietnamese puts a space
// between syllables, not words, so a token is what phrases are made of.
type Token struct {
	Text       string // lower case, Canon: what is compared
	Raw        string // Canon with the case as typed, to tell names from words
	Start, End int    // its bytes in the text given: text[Start:End]
}

// Tokens returns the tokens of s, which should be NFC, in order.
//
// A token is a run of letters, digits and combining marks: "U23", "14h15" and
// "COVID" are one each. Within a number a single point, comma, slash or colon
// between two digits belongs to it: "1.234,5", "5/11/2024" and "14:15" are one
// token each. All else separates, so "144-QĐ/TW" is "144", "qđ", "tw", "Ê-đê"
// is "ê", "đê", "2020-2025" is "2020", "2025", and "15%" is "15".
func Tokens(s string) []Token {
	if s == "" {
		return nil
	}
	tokens := make([]Token, 0, len(s)/tokenBytes+1)
	for start, end := nextToken(s, 0); end > start; start, end = nextToken(s, end) {
		raw := Canon(s[start:end])
		tokens = append(tokens, Token{Text: lower(raw), Raw: raw, Start: start, End: end})
	}
	return tokens
}

// tokenBytes is a low estimate of the mean bytes of a syllable with the space
// after it in UTF-8 (6.0 in four million tokens of news text), to size slices.
const tokenBytes = 5

// Syllables returns the Text of the tokens of s: lower case, Canon, with
// tones. See [Tokens] for what a token is.
func Syllables(s string) []string {
	return split(lower(Canon(s)))
}

// FoldedSyllables is Syllables of the folded text: without tones and
// diacritics, for search that forgives their absence.
func FoldedSyllables(s string) []string {
	return split(Fold(s))
}

// split cuts s into tokens as they stand.
func split(s string) []string {
	if s == "" {
		return nil
	}
	parts := make([]string, 0, len(s)/tokenBytes+1)
	for start, end := nextToken(s, 0); end > start; start, end = nextToken(s, end) {
		parts = append(parts, s[start:end])
	}
	return parts
}

// nextToken finds the first token at or after byte from. It returns an empty
// range if there is none.
func nextToken(s string, from int) (start, end int) {
	i := from
	for i < len(s) {
		kind, n := runeKind(s, i)
		if kind == letter || kind == digit {
			break
		}
		i += n
	}
	start = i
	number := true // only digits and their separators so far
	for i < len(s) {
		kind, n := runeKind(s, i)
		switch {
		case kind == digit:
		case kind == letter, kind == mark:
			number = false
		case number && joinsDigits(s[i]) && i+1 < len(s) && isDigit(s[i+1]):
		default:
			return start, i
		}
		i += n
	}
	return start, i
}

// joinsDigits tells whether c between two digits keeps them one number.
func joinsDigits(c byte) bool { return c == '.' || c == ',' || c == '/' || c == ':' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// kind is what a character does in a token.
type kind uint8

const (
	separator kind = iota // ends it
	letter
	digit
	mark // continues a token, begins none
)

// runeKind returns the kind and length of the character at s[i].
func runeKind(s string, i int) (kind, int) {
	c := s[i]
	switch {
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return letter, 1
	case isDigit(c):
		return digit, 1
	case c < utf8.RuneSelf:
		return separator, 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case r >= 0xC0 && r <= 0x24F && r != '×' && r != '÷', r >= 0x1E00 && r <= 0x1EFF:
		return letter, n
	case r == utf8.RuneError:
		return separator, n
	case unicode.IsLetter(r):
		return letter, n
	case unicode.IsDigit(r):
		return digit, n
	case unicode.IsMark(r):
		return mark, n
	}
	return separator, n
}

// Truncate returns s cut to at most n syllables (tokens of [Tokens]), with "…"
// at its end if something was cut off. It cuts at white space only, so no word
// is cut, nor "144-QĐ/TW" within, unless the first n syllables have none.
// Before the ellipsis stands no punctuation but a percent sign. n < 1 gives "".
func Truncate(s string, n int) string {
	if n < 1 {
		return ""
	}
	cut := 0 // the end of the n-th token
	start, end := nextToken(s, 0)
	for ; n > 0 && end > start; n-- {
		cut = end
		start, end = nextToken(s, end)
	}
	if end == start { // there is no further token
		return s
	}
	// The token after the last one kept may be glued to it.
	if space := strings.LastIndexFunc(s[:start], unicode.IsSpace); space >= 0 {
		if short := trimEnd(s[:space]); short != "" {
			return short + "…"
		}
	}
	return trimEnd(s[:cut]) + "…"
}

// trimEnd removes white space and punctuation from the end of s.
func trimEnd(s string) string {
	return strings.TrimRightFunc(s, func(r rune) bool {
		return r != '%' && r != '‰' && (unicode.IsSpace(r) || unicode.IsPunct(r))
	})
}
