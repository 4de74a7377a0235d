package aggregator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"diemtin/aggregator/vi"
)

// Two endings that a phrase may have in place of a set.
const (
	anyName     = "Tên"       // the capitalised syllables that follow: đường <Tên>
	foreignName = "Tên ngoại" // a capitalised word that is no Vietnamese syllable: Thủ tướng <Tên ngoại>
)

// maxNameSyllables bounds what <Tên> takes: the longest names of streets and
// institutions have about six.
const maxNameSyllables = 6

// nameClass is the open ending of a phrase.
type nameClass uint8

const (
	noName nameClass = iota
	nameAny
	nameForeign
)

// phraseVariant is one concrete phrase that an entry stands for.
type phraseVariant struct {
	text  string // as written, sets and alternatives filled in
	words []vi.Token
	ends  nameClass
}

// phraseSets are the named word lists of all topics.
type phraseSets map[string][]string

// expand multiplies out the sets and alternatives of a phrase:
// "(Thủ tướng|Tổng thống) <nước>" gives two variants for each word of the set.
// An alternative may be empty. Variants come in the order written, each once.
func (sets phraseSets) expand(phrase string) ([]phraseVariant, error) {
	texts, ends, err := sets.multiply(phrase)
	if err != nil {
		return nil, err
	}
	variants := make([]phraseVariant, 0, len(texts))
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		text = vi.Line(text)
		if seen[text] {
			continue
		}
		seen[text] = true
		words := vi.Tokens(text)
		if len(words) == 0 || len(words) > maxPhraseSyllables {
			return nil, fmt.Errorf("phrase %q has %d syllables: want 1 to %d", text, len(words), maxPhraseSyllables)
		}
		switch ends {
		case nameAny:
			text += " <" + anyName + ">"
		case nameForeign:
			text += " <" + foreignName + ">"
		}
		variants = append(variants, phraseVariant{text: text, words: words, ends: ends})
	}
	return variants, nil
}

// multiply reads the notation and returns the texts it stands for.
func (sets phraseSets) multiply(phrase string) ([]string, nameClass, error) {
	texts := []string{""}
	rest := phrase
	for {
		at := strings.IndexAny(rest, "<(>)|")
		if at < 0 {
			return join(texts, []string{rest}), noName, nil
		}
		texts = join(texts, []string{rest[:at]})
		var ends []string
		var class nameClass
		var err error
		switch rest[at] {
		case '<':
			ends, class, rest, err = sets.angle(rest[at+1:])
		case '(':
			ends, rest, err = sets.round(rest[at+1:])
		default:
			err = fmt.Errorf("%q stands alone; want (this|that) or <set>", rest[at])
		}
		switch {
		case err != nil:
			return nil, noName, fmt.Errorf("phrase %q: %w", phrase, err)
		case class != noName && strings.TrimSpace(rest) != "":
			return nil, noName, fmt.Errorf("phrase %q: <%s> and <%s> may stand at the end only", phrase, anyName, foreignName)
		case class != noName:
			return texts, class, nil
		case len(texts)*len(ends) > maxPhraseVariants:
			return nil, noName, fmt.Errorf("phrase %q stands for more than %d phrases", phrase, maxPhraseVariants)
		}
		texts = join(texts, ends)
	}
}

// angle reads the name of a set up to its closing bracket.
func (sets phraseSets) angle(text string) (words []string, class nameClass, rest string, err error) {
	name, rest, ok := strings.Cut(text, ">")
	switch {
	case !ok:
		return nil, noName, "", errors.New("'<' has no '>'")
	case name == anyName:
		return nil, nameAny, rest, nil
	case name == foreignName:
		return nil, nameForeign, rest, nil
	case sets[name] == nil:
		return nil, noName, "", fmt.Errorf("no set %q; there are %s", name, sets)
	}
	return sets[name], noName, rest, nil
}

// round reads alternatives up to their closing bracket. One of them may be a
// set; an alternative may be empty.
func (sets phraseSets) round(text string) (words []string, rest string, err error) {
	inside, rest, ok := strings.Cut(text, ")")
	if !ok || strings.Contains(inside, "(") {
		return nil, "", errors.New("'(' has no ')'")
	}
	for _, alternative := range strings.Split(inside, "|") {
		before, name, found := strings.Cut(alternative, "<")
		if !found {
			words = append(words, alternative)
			continue
		}
		of, class, after, err := sets.angle(name)
		if err == nil && (class != noName || strings.TrimSpace(before+after) != "") {
			err = fmt.Errorf("alternative %q: want words or a <set> alone", alternative)
		}
		if err != nil {
			return nil, "", err
		}
		words = append(words, of...)
	}
	return words, rest, nil
}

// String lists the names of the sets for a message.
func (sets phraseSets) String() string {
	names := []string{"<" + anyName + ">", "<" + foreignName + ">"}
	for name := range sets {
		names = append(names, "<"+name+">")
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// join appends each end to each text.
func join(texts, ends []string) []string {
	out := make([]string, 0, len(texts)*len(ends))
	for _, t := range texts {
		for _, e := range ends {
			out = append(out, t+e)
		}
	}
	return out
}

// isCapital tells whether a word begins with a capital letter.
func isCapital(raw string) bool {
	if c := raw[0]; c < utf8.RuneSelf {
		return c >= 'A' && c <= 'Z'
	}
	r, _ := utf8.DecodeRuneInString(raw)
	return unicode.IsUpper(r)
}

// isAcronym tells whether a word is written with capitals throughout: UBND, IS.
func isAcronym(raw string) bool {
	return isCapital(raw) && isLoud(raw) && utf8.RuneCountInString(raw) > 1
}

// isForeignName tells whether raw, a word as typed, is a name that is written
// with letters but is no Vietnamese syllable: Trump, Macron, but neither Kim
// nor UBND.
func isForeignName(raw string) bool {
	if !isCapital(raw) || len(raw) < 3 {
		return false
	}
	letters := 0
	for i, r := range raw {
		if !unicode.IsLetter(r) || i > 0 && unicode.IsUpper(r) {
			return false
		}
		letters++
	}
	return letters > 2 && !isSyllable(vi.Fold(raw))
}

// The initials, vowels and finals of written Vietnamese without diacritics.
// Spelling rules that need the tone marks are left out: a foreign word that
// looks like a syllable (Kim, Lee is not one) is taken for one.
var (
	initials = []string{"ngh", "ng", "nh", "gh", "gi", "kh", "ph", "th", "tr", "ch", "qu",
		"b", "c", "d", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x", ""}
	vowels = []string{"a", "e", "i", "o", "u", "y", "ai", "ao", "au", "ay", "eo", "eu", "ia", "ie", "ieu",
		"iu", "oa", "oai", "oay", "oe", "oeo", "oi", "ua", "uay", "ue", "ui", "uo", "uoi", "uou", "uu", "uy",
		"uya", "uye", "uyu", "ye", "yeu"}
	finals = []string{"", "c", "ch", "m", "n", "ng", "nh", "p", "t"}
)

// isSyllable tells whether folded, without diacritics, has the shape of a
// Vietnamese syllable.
func isSyllable(folded string) bool {
	for _, initial := range initials {
		rime, ok := strings.CutPrefix(folded, initial)
		if !ok {
			continue
		}
		end := strings.IndexFunc(rime, func(r rune) bool { return !strings.ContainsRune("aeiouy", r) })
		if end < 0 {
			end = len(rime)
		}
		if slices.Contains(finals, rime[end:]) && (slices.Contains(vowels, rime[:end]) || initial == "gi" && end == 0) {
			return true
		}
	}
	return false
}
