package aggregator

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// A Comparison shows a person what two items have in common and what not. It
// decides nothing: that is Matcher's.
type Comparison struct {
	By        ComparedBy
	Shared    float64  // share of the runs of the shorter text that the longer has, 0 … 1
	Length    float64  // shorter ÷ longer text, in words, 0 … 1
	Common    []string // the longest passages of both, as the first item writes them
	OnlyFirst []string // the longest passages that only the first item has
	OnlyOther []string // and only the other
	// Numbers and dates of title and summary that the other item's text lacks,
	// as written.
	NumbersFirst, NumbersOther []string
}

// ComparedBy says what two items were compared by: the most that both have.
type ComparedBy string

// What two items can be compared by.
const (
	ByText    ComparedBy = "text"    // summary and text
	BySummary ComparedBy = "summary" // title and summary
	ByTitle   ComparedBy = "title"
)

const (
	maxPassages     = 3  // of each kind
	maxPassageWords = 14 // shown of one: enough to recognise, too little to replace
	minOwnWords     = 4  // a shorter passage of one item alone tells nothing
	maxNumbers      = 6  // shown of each item
)

// Compare compares two items for a person, by the texts that the decision on
// them read. A page's own text is measured and never shown: passages are then
// of headline and summary.
func Compare(first, other *store.Item) Comparison {
	c := Comparison{By: ByTitle}
	run, a, b := leadRun, first.Title, other.Title
	if first.Summary != "" && other.Summary != "" {
		c.By = BySummary
		a, b = first.Title+".\n"+first.Summary, other.Title+".\n"+other.Summary
	}
	textA, textB := matchText(first), matchText(other)
	byText := len(textA) >= minBodyBytes && len(textB) >= minBodyBytes
	if byText && first.Text == "" && other.Text == "" {
		a, b = first.Summary+"\n"+textA, other.Summary+"\n"+textB
		run = bodyRun
	}
	x, y := readWords(a), readWords(b)
	inA, inB := sharedWords(x, y, run), sharedWords(y, x, run)
	c.Common = passages(a, x, inA, true, run)
	c.OnlyFirst = passages(a, x, inA, false, minOwnWords)
	c.OnlyOther = passages(b, y, inB, false, minOwnWords)
	if byText {
		c.By, run = ByText, bodyRun
		x, y = readWords(first.Summary+"\n"+textA), readWords(other.Summary+"\n"+textB)
	}
	c.Shared, c.Length = sharedRuns(x, y, run), share(min(len(x), len(y)), max(len(x), len(y)))
	c.NumbersFirst, c.NumbersOther = numbersApart(first, other, textA, textB)
	return c
}

// numbersApart returns the numbers of either title and summary that the other
// item lacks. Where one of them has such a number, that of the other's title
// stands beside it even if it occurs somewhere in the text: "số 12" and "số 18".
func numbersApart(first, other *store.Item, textA, textB string) (a, b []string) {
	leadA, leadB := first.Title+". "+first.Summary, other.Title+". "+other.Summary
	a, b = missingNumbers(leadA, leadB+" "+textB), missingNumbers(leadB, leadA+" "+textA)
	if len(a) == 0 && len(b) > 0 {
		a = missingNumbers(first.Title, leadB)
	}
	if len(b) == 0 && len(a) > 0 {
		b = missingNumbers(other.Title, leadA)
	}
	return a, b
}

// A placedWord is a word as it is compared, and where it stands.
type placedWord struct {
	key        string
	start, end int
}

// readWords reads the words of a text: letters and digits in a row, folded, and
// numbers with what joins their digits.
func readWords(s string) []placedWord {
	var words []placedWord
	for i := 0; i < len(s); {
		start := i
		for i < len(s) {
			r, n := utf8.DecodeRuneInString(s[i:])
			joins := (r == '.' || r == ',' || r == '/' || r == ':' || r == '-') && i > start && asciiDigit(s[i-1]) && i+n < len(s) && asciiDigit(s[i+n])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !joins {
				break
			}
			i += n
		}
		if i > start {
			words = append(words, placedWord{vi.Fold(s[start:i]), start, i})
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	return words
}

// runKey is run words from i on as one string.
func runKey(words []placedWord, i, run int) string {
	var b strings.Builder
	for _, w := range words[i : i+run] {
		b.WriteString(w.key)
		b.WriteByte(' ')
	}
	return b.String()
}

func runKeys(words []placedWord, run int) map[string]bool {
	keys := make(map[string]bool, len(words))
	for i := 0; i+run <= len(words); i++ {
		keys[runKey(words, i, run)] = true
	}
	return keys
}

// sharedWords marks the words of x that stand in a run which y has too.
func sharedWords(x, y []placedWord, run int) []bool {
	in, marks := runKeys(y, run), make([]bool, len(x))
	for i := 0; i+run <= len(x); i++ {
		if in[runKey(x, i, run)] {
			for j := i; j < i+run; j++ {
				marks[j] = true
			}
		}
	}
	return marks
}

// sharedRuns is the share of the runs of the shorter text that the longer has.
func sharedRuns(x, y []placedWord, run int) float64 {
	a, b := runKeys(x, run), runKeys(y, run)
	if len(a) > len(b) {
		a, b = b, a
	}
	n := 0
	for key := range a {
		if b[key] {
			n++
		}
	}
	return share(n, len(a))
}

// passages returns the longest stretches of words that are marked so, in the
// order of the text, each cut to what may be shown.
func passages(text string, words []placedWord, marks []bool, marked bool, least int) []string {
	type stretch struct{ from, to int }
	var all []stretch
	for i := 0; i < len(words); {
		from := i
		for i < len(words) && marks[i] == marked {
			i++
		}
		if i-from >= least {
			all = append(all, stretch{from, i})
		}
		if i == from {
			i++
		}
	}
	slices.SortStableFunc(all, func(a, b stretch) int { return (b.to - b.from) - (a.to - a.from) })
	all = all[:min(len(all), maxPassages)]
	slices.SortFunc(all, func(a, b stretch) int { return a.from - b.from })
	var shown []string
	for _, s := range all {
		end := min(s.to, s.from+maxPassageWords)
		passage := strings.Join(strings.Fields(text[words[s.from].start:words[end-1].end]), " ")
		if end < s.to {
			passage += "…"
		}
		shown = append(shown, passage)
	}
	return shown
}

// missingNumbers returns the numbers and dates of lead that the other text
// lacks, as written, each once.
func missingNumbers(lead, other string) []string {
	has := map[string]bool{}
	eachWord(other, func(w string) {
		if asciiDigit(w[0]) {
			has[w] = true
		}
	})
	var missing []string
	eachWord(lead, func(w string) {
		if asciiDigit(w[0]) && !has[w] && !slices.Contains(missing, w) && len(missing) < maxNumbers {
			missing = append(missing, w)
		}
	})
	return missing
}

// SketchKeys are the index keys under which an item is stored and finds what is
// near it.
func SketchKeys(it *store.Item) []uint32 {
	links := LinkKeys(it)
	return append(links[:min(len(links), store.MaxKeys-sketchAlone)], Sketch(it.Title, it.Summary, matchText(it))...)
}
