package aggregator

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Boilerplate is what an outlet puts under or over its texts: a footer, a
// disclaimer, a line that asks to subscribe. The store counts in how many
// stories a line stands (store.Lines); what it calls common is left out here,
// before texts are sketched and compared.
const (
	// countedHead and countedTail are how many of the first and last lines of
	// a text are counted: there boilerplate stands. They bound what is written
	// for one item.
	countedHead = 2
	countedTail = 6
	// minLineBytes is the length below which a line ("Ảnh: TTXVN") is not worth
	// counting: its few runs merge nothing.
	minLineBytes = 30
	// longLineBytes is the length above which a line is a text without
	// paragraphs, and is read sentence by sentence.
	longLineBytes = 900
)

// withoutLines returns a text without the lines that are common, and the keys
// of the lines at its beginning and end, to be counted.
func withoutLines(text string, common func(uint64) bool) (kept string, counted []uint64) {
	lines := splitLines(text)
	for i, line := range lines {
		if (i < countedHead || i >= len(lines)-countedTail) && len(line) >= minLineBytes {
			counted = append(counted, lineKey(line))
		}
	}
	if common == nil {
		return text, counted
	}
	var b strings.Builder
	for _, line := range lines {
		if len(line) >= minLineBytes && common(lineKey(line)) {
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String(), counted
}

// splitLines cuts a text into its lines, and long lines into sentences.
func splitLines(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		for long := len(line) > longLineBytes; long && line != ""; {
			end := sentenceEnd(line)
			all = append(all, line[:end])
			line = strings.TrimSpace(line[end:])
		}
		if line != "" {
			all = append(all, line)
		}
	}
	return all
}

// sentenceEnd returns where the first sentence of a line ends: behind a full
// stop that a space and a capital follow.
func sentenceEnd(line string) int {
	for i := minLineBytes; i+2 < len(line); i++ {
		if c := line[i]; c != '.' && c != '!' && c != '?' || line[i+1] != ' ' {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(line[i+2:]); unicode.IsUpper(r) {
			return i + 1
		}
	}
	return len(line)
}

// lineKey is what a line is counted under: of its letters and digits, so
// that spaces, commas and full stops may differ.
func lineKey(line string) uint64 {
	h := uint64(hashStart)
	for i := 0; i < len(line); i++ {
		if c := line[i]; c >= utf8.RuneSelf || c|0x20 >= 'a' && c|0x20 <= 'z' || asciiDigit(c) {
			h = (h ^ uint64(c)) * hashPrime
		}
	}
	return h
}
