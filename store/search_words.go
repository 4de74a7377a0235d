package store

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a search: what a person types, not what a program makes up.
const (
	MaxSearch      = 200 // characters of a search
	maxTerms       = 12  // words and phrases of one
	maxPhraseWords = 16  // words of one phrase
	maxWordBytes   = 64  // of a folded word; what follows is not looked at
	maxIndexed     = 600 // words of one story: a headline and a long summary
)

// What can be wrong with a search.
var (
	ErrNoWords  = errors.New("nothing to search for: no word that must be there")
	ErrTooMany  = errors.New("too many words to search for")
	ErrTooBroad = errors.New("the search takes too long")
)

// Words says which words a story's headline and summary hold. Words are folded:
// case, tones and diacritics make no difference. The zero Words asks for nothing.
type Words struct {
	All []Term // each is there
	Any []Term // at least one is there, if there are any
	Not []Term // none is there
}

// Term is folded words that follow one another.
type Term []string

// ParseWords reads what a person searches for: words that must all be there,
// phrases in quotes, and after a minus what must not be there.
func ParseWords(search string) (Words, error) {
	var w Words
	if utf8.RuneCountInString(search) > MaxSearch {
		return w, ErrTooMany
	}
	for rest := search; rest != ""; {
		var term string
		var not bool
		term, not, rest = nextTerm(rest)
		p := TermOf(term)
		switch {
		case len(p) == 0:
		case len(p) > maxPhraseWords || len(w.All)+len(w.Not) == maxTerms:
			return Words{}, ErrTooMany
		case not:
			w.Not = append(w.Not, p)
		default:
			w.All = append(w.All, p)
		}
	}
	if len(w.All) == 0 {
		return Words{}, ErrNoWords
	}
	return w, nil
}

// TermOf folds the words of a text; nil if it has none.
func TermOf(text string) Term {
	var p Term
	eachWord(text, func(word string, _, _ int) bool { p = append(p, word); return true })
	return p
}

// nextTerm cuts the next word or phrase from a search.
func nextTerm(s string) (term string, not bool, rest string) {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	for _, minus := range []string{"-", "−", "–"} {
		if after, ok := strings.CutPrefix(s, minus); ok && after != "" {
			s, not = after, true
			break
		}
	}
	if r, n := utf8.DecodeRuneInString(s); isQuote(r) {
		s = s[n:]
		end := strings.IndexFunc(s, isQuote)
		if end < 0 { // never closed: it goes to the end
			return s, not, ""
		}
		_, n := utf8.DecodeRuneInString(s[end:])
		return s[:end], not, s[end+n:]
	}
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || isQuote(r) })
	if end < 0 {
		end = len(s)
	}
	return s[:end], not, s[end:]
}

func isQuote(r rune) bool {
	return r == '"' || r == '“' || r == '”' || r == '„' || r == '«' || r == '»'
}

// eachWord goes through the words of a text, folded, with the bytes where each
// stands, until f says no. A word is a run of letters, digits and marks; what
// is left of it is lower case without marks, and đ is d. What is stored and
// what is asked for is cut and folded here and nowhere else: the engines'
// own ways know neither đ nor each other.
func eachWord(text string, f func(word string, start, end int) bool) {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			i += n
			continue
		}
		start := i
		for ; i < len(text); i += n {
			if r, n = utf8.DecodeRuneInString(text[i:]); !inWord(r) {
				break
			}
		}
		if word := foldWord(text[start:i]); word != "" && !f(word, start, i) {
			return
		}
	}
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.In(r, unicode.L, unicode.Nd, unicode.Mn)
}

// latin are letters that have no mark to take off: đ, and those of other
// languages' names.
var latin = strings.NewReplacer("đ", "d", "ɖ", "d", "ð", "d", "æ", "ae", "œ", "oe", "ø", "o", "þ", "th", "ß", "ss",
	"ħ", "h", "ı", "i", "ł", "l", "ŧ", "t", "ſ", "s")

// plainLetters are the letters up to lastPlain, most of those that Vietnamese
// has, folded by foldAny: 0 where that is not one ASCII letter.
var plainLetters = func() (plain [lastPlain + 1]byte) {
	for r := range rune(len(plain)) {
		if s := foldAny(string(r)); len(s) == 1 && inWord(r) {
			plain[r] = s[0]
		}
	}
	return plain
}()

const lastPlain = 'ỹ'

// foldWord is foldAny, letter by letter where it can be: a word of a Vietnamese
// text in a thirtieth of the time.
func foldWord(s string) string {
	var short [maxWordBytes]byte
	n := 0
	for _, r := range s {
		if r > lastPlain || plainLetters[r] == 0 || n == len(short) {
			return foldAny(s)
		}
		short[n] = plainLetters[r]
		n++
	}
	return string(short[:n])
}

func foldAny(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	s = strings.ToLower(s)
	if !ascii {
		s = latin.Replace(strings.Map(func(r rune) rune {
			if unicode.In(r, unicode.L, unicode.Nd) {
				return r
			}
			return -1
		}, norm.NFD.String(s)))
	}
	if len(s) > maxWordBytes {
		s = strings.ToValidUTF8(s[:maxWordBytes], "")
	}
	return s
}

// asked says whether the words ask for anything.
func (w Words) asked() bool { return len(w.All)+len(w.Any)+len(w.Not) > 0 }

// positive says whether there is a word that must be there: only then the
// index of words can answer.
func (w Words) positive() bool { return len(w.All)+len(w.Any) > 0 }

// holds says whether a text fits, by its words.
func (w Words) holds(words []string) bool {
	return !slices.ContainsFunc(w.All, func(p Term) bool { return !p.in(words) }) &&
		(len(w.Any) == 0 || slices.ContainsFunc(w.Any, func(p Term) bool { return p.in(words) })) &&
		!slices.ContainsFunc(w.Not, func(p Term) bool { return p.in(words) })
}

func (p Term) in(words []string) bool {
	for i := 0; i+len(p) <= len(words); i++ {
		if slices.Equal(words[i:i+len(p)], p) {
			return true
		}
	}
	return false
}

// Marks are the places of a text that hold what is asked for, as pairs of byte
// offsets in order, none within another.
func (w Words) Marks(text string) [][2]int {
	var words []string
	var at [][2]int
	eachWord(text, func(word string, start, end int) bool {
		words, at = append(words, word), append(at, [2]int{start, end})
		return true
	})
	hit := make([]int, len(words)) // how many words are marked from here on
	for _, p := range slices.Concat(w.All, w.Any) {
		for i := 0; i+len(p) <= len(words); i++ {
			if slices.Equal(words[i:i+len(p)], p) {
				hit[i] = max(hit[i], len(p))
			}
		}
	}
	var marks [][2]int
	for i := 0; i < len(words); i++ {
		if hit[i] == 0 {
			continue
		}
		last := i + hit[i] - 1
		for j := i; j <= last; j++ {
			last = max(last, j+hit[j]-1)
		}
		marks = append(marks, [2]int{at[i][0], at[last][1]})
		i = last
	}
	return marks
}

// indexed is a story's text as the index of words holds it.
func indexed(title, summary string) []string {
	words := make([]string, 0, 80)
	for _, text := range []string{title, summary} {
		eachWord(text, func(word string, _, _ int) bool {
			words = append(words, word)
			return len(words) < maxIndexed
		})
	}
	return words
}
