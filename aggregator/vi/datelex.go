package vi

import (
	"unicode"
	"unicode/utf8"
)

// dateToken is a number, a word or a sign of a date.
type dateToken struct {
	kind  byte   // '0' number, 'a' word, else the sign itself
	text  string // lower case, as written
	fold  string // of a word, without diacritics
	val   int    // of a number of at most nine digits, else -1
	glued bool   // nothing stands between the token before and this one
}

func (t dateToken) isNumber(minDigits, maxDigits int) bool {
	return t.kind == '0' && len(t.text) >= minDigits && len(t.text) <= maxDigits
}

// lexDate splits s, which is a Line, into tokens. Letters and digits that touch
// are two tokens ("14h15" is three); white space is none.
func lexDate(s string) []dateToken {
	s = lower(s)
	toks := make([]dateToken, 0, 24) // a usual date has 8 to 20
	glued := false
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsSpace(r) {
			glued = false
			i += n
			continue
		}
		t := dateToken{kind: dateSign(r), glued: glued, val: -1}
		start := i
		switch {
		case isDigit(s[i]):
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			t.kind, t.text = '0', s[start:i]
			if len(t.text) <= 9 {
				t.val = atoi(t.text)
			}
		case unicode.IsLetter(r):
			for i < len(s) {
				r, n := utf8.DecodeRuneInString(s[i:])
				if !unicode.IsLetter(r) && !unicode.IsMark(r) {
					break
				}
				i += n
			}
			t.kind, t.text = 'a', s[start:i]
			t.fold = Fold(t.text)
		default:
			i += n
		}
		toks = append(toks, t)
		glued = true
	}
	return toks
}

// dateSign maps the signs that stand for others to those; other characters than
// signs of dates become a bullet.
func dateSign(r rune) byte {
	switch r {
	case '-', '‐', '‑', '‒', '–', '—', '−':
		return '-'
	case '\'', '’', '′', '´':
		return '\''
	case '/', '.', ',', ':', '+', '(', ')', '[', ']', '|':
		return byte(r)
	}
	return '*'
}

// Words of dates, in lower case; the Vietnamese ones folded.

// englishMonth returns the number of an English month name, 0 if it is none.
// Vietnamese words must not be folded before: máy is not May.
func englishMonth(word string) int {
	switch word {
	case "jan", "january":
		return 1
	case "feb", "february":
		return 2
	case "mar", "march":
		return 3
	case "apr", "april":
		return 4
	case "may":
		return 5
	case "jun", "june":
		return 6
	case "jul", "july":
		return 7
	case "aug", "august":
		return 8
	case "sep", "sept", "september":
		return 9
	case "oct", "october":
		return 10
	case "nov", "november":
		return 11
	case "dec", "december":
		return 12
	}
	return 0
}

// numeral returns the value of a folded Vietnamese or English number word as it
// stands before a unit or after "tháng", 0 if it is none.
func numeral(fold string) int {
	switch fold {
	case "mot", "gieng", "a", "an", "one":
		return 1
	case "hai", "two":
		return 2
	case "ba", "vai": // "a few" must be some number
		return 3
	case "tu", "bon":
		return 4
	case "nam":
		return 5
	case "sau":
		return 6
	case "bay":
		return 7
	case "tam":
		return 8
	case "chin":
		return 9
	case "muoi":
		return 10
	case "chap":
		return 12
	}
	return 0
}

// namedZone returns the offset in seconds of the zone names of RFC 822 and of
// the abbreviations agencies near Việt Nam use.
func namedZone(word string) (seconds int, ok bool) {
	const hour = 60 * 60
	switch word {
	case "z", "ut", "utc", "gmt", "wet":
		return 0, true
	case "ict":
		return vietnamOffset, true
	case "est", "cdt":
		return -5 * hour, true
	case "edt", "ast":
		return -4 * hour, true
	case "cst", "mdt":
		return -6 * hour, true
	case "mst", "pdt":
		return -7 * hour, true
	case "pst":
		return -8 * hour, true
	case "cet", "bst", "west":
		return hour, true
	case "cest", "eet":
		return 2 * hour, true
	case "eest", "msk":
		return 3 * hour, true
	case "wib":
		return 7 * hour, true
	case "sgt", "hkt", "pht", "myt", "awst":
		return 8 * hour, true
	case "jst", "kst":
		return 9 * hour, true
	case "aest":
		return 10 * hour, true
	case "aedt":
		return 11 * hour, true
	}
	return 0, false
}
