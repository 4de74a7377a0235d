package vi

import (
	"cmp"
	"strings"
)

// Collate compares names in the order of Vietnamese dictionaries and returns
// -1, 0 or 1: letters first (a ă â b c d đ e ê …), then tones (level, grave,
// hook, tilde, acute, dot), then small letters before capitals. A space comes
// before all letters, so names are compared syllable by syllable. The names
// should be NFC.
func Collate(a, b string) int {
	if c := collateBy(a, b, func(l collated) int { return l.letter }); c != 0 {
		return c
	}
	if c := collateBy(a, b, func(l collated) int { return l.tone }); c != 0 {
		return c
	}
	// Of what is left, capitals only, the bytes put them first.
	return cmp.Compare(b, a)
}

// collateBy compares the letters of a and b by one of their properties.
func collateBy(a, b string, by func(collated) int) int {
	x, y := []rune(a), []rune(b)
	for i := range min(len(x), len(y)) {
		if c := cmp.Compare(by(collate(x[i])), by(collate(y[i]))); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// collated is how a letter sorts.
type collated struct {
	letter int
	tone   int // 0 level, 1 grave, 2 hook, 3 tilde, 4 acute, 5 dot
}

// collate returns how r sorts, whatever its case.
func collate(r rune) collated {
	const alphabet = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
	const vowels = "aăâeêioôơuưy" // in the order of toned
	r = lowerRune(r)
	c := collated{}
	// The rows of toned are in the order grave, acute, hook, tilde, dot.
	for row, tone := range [5]int{1, 4, 2, 3, 5} {
		for i, letter := range toned[row][:12] {
			if letter == r {
				r, c.tone = []rune(vowels)[i], tone
			}
		}
	}
	if i := strings.IndexRune(alphabet, r); i >= 0 {
		c.letter = 'a' + i
		return c
	}
	c.letter = int(r)
	if r >= 'a' {
		c.letter += len(alphabet) // other letters follow z
	}
	return c
}
