package aggregator

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"diemtin/aggregator/vi"
)

// maxMatchBytes is how much of an item's content is compared: some 1,700
// syllables, more than 98 % of the articles measured for docs/sameness.md have.
// It bounds the cost of one comparison whatever an outlet sends.
const maxMatchBytes = 12 << 10

// maxLeadBytes is how much of a title and of a summary is compared: some 300
// syllables, five times the longest summaries of the stories measured.
const maxLeadBytes = 2 << 10

// inlineTags are the elements that stand within a syllable or a line; all
// others end a line.
var inlineTags = map[string]bool{
	"a": true, "abbr": true, "b": true, "cite": true, "code": true, "em": true,
	"font": true, "i": true, "mark": true, "q": true, "s": true, "small": true,
	"span": true, "strong": true, "sub": true, "sup": true, "u": true,
}

// contentText returns the text of sanitised HTML (or of plain text, which stays
// as it is) with a newline where a block or a line ends. It stops after about
// limit bytes, at white space.
func contentText(content string, limit int) string {
	var b strings.Builder
	b.Grow(min(len(content), limit))
	for content != "" && b.Len() < limit {
		open := strings.IndexByte(content, '<')
		if open < 0 {
			b.WriteString(content)
			break
		}
		b.WriteString(content[:open])
		content = content[open:]
		end := strings.IndexByte(content, '>')
		if end < 0 { // no tag from here on
			b.WriteString(content)
			break
		}
		if !startsTag(content) {
			b.WriteByte('<')
			content = content[1:]
			continue
		}
		if !inlineTags[elementName(content[1:end])] {
			b.WriteByte('\n')
		}
		content = content[end+1:]
	}
	text := cutAtSpace(b.String(), limit)
	if strings.IndexByte(text, '&') >= 0 {
		text = html.UnescapeString(text)
	}
	return text
}

// startsTag tells whether s, which begins with "<", begins with a tag or a
// comment rather than with a bare "less than".
func startsTag(s string) bool {
	if len(s) < 2 {
		return false
	}
	c := s[1] | 0x20
	return c >= 'a' && c <= 'z' || s[1] == '/' || s[1] == '!'
}

// elementName returns the lower-case name of the element in a tag without its
// brackets: "/P", `a href="…"`.
func elementName(tag string) string {
	tag = strings.TrimPrefix(tag, "/")
	if end := strings.IndexAny(tag, " \t\r\n/"); end >= 0 {
		tag = tag[:end]
	}
	return strings.ToLower(tag)
}

// cutAtSpace returns at most about limit bytes of s, whole syllables.
func cutAtSpace(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	if space := strings.LastIndexAny(s[:limit], " \n"); space > 0 {
		return s[:space]
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// foldedWords returns the folded syllables of s with its numbers and dates in
// one form each: what two texts are compared by.
func foldedWords(s string) []string {
	words := make([]string, 0, len(s)/wordBytes+1)
	eachWord(s, func(w string) { words = append(words, w) })
	return words
}

// wordBytes is a low estimate of the mean bytes of a syllable with the space
// after it, to size slices.
const wordBytes = 5

// eachWord calls yield with each word of foldedWords(s). Whole articles are
// read this way, twenty for each new item, so nothing is kept in between.
func eachWord(s string, yield func(string)) {
	s = vi.Fold(joinDates(s))
	for word, next := nextWord(s, 0); word != ""; word, next = nextWord(s, next) {
		if asciiDigit(word[0]) {
			word = unifyNumber(word)
			if thang, at := nextWord(s, next); thang == "thang" { // "9 tháng 6"
				if month, end := nextWord(s, at); isDayAndMonth(word, month) {
					word, next = word+"/"+trimZeros(month), end
				}
			}
		}
		yield(word)
	}
}

// nextWord returns the first word of folded text at or after byte from, and
// where it ends: letters and digits, and within a number what joins its
// digits. The word is empty at the end of the text.
func nextWord(s string, from int) (word string, end int) {
	start := from
	for start < len(s) && wordRune(s, start) == 0 {
		_, n := utf8.DecodeRuneInString(s[start:])
		start += n
	}
	number := true
	for end = start; end < len(s); {
		c := s[end]
		switch n := wordRune(s, end); {
		case n > 0:
			number = number && asciiDigit(c)
			end += n
		case number && end > start && (c == '.' || c == ',' || c == '/' || c == ':') && end+1 < len(s) && asciiDigit(s[end+1]):
			end++
		default:
			return s[start:end], end
		}
	}
	return s[start:end], end
}

// wordRune returns the length of the letter, digit or mark at s[i], 0 if none
// stands there.
func wordRune(s string, i int) int {
	c := s[i]
	if c < utf8.RuneSelf {
		if c >= 'a' && c <= 'z' || asciiDigit(c) {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if unicode.IsLetter(r) || unicode.IsMark(r) {
		return n
	}
	return 0
}
