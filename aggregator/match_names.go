package aggregator

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"diemtin/aggregator/vi"
)

const (
	// eventBytes is how much of a text is read for the names of the event it
	// is about, some 200 syllables: further down stands the background.
	eventBytes = 1200
	// capsShare is the share of capitalised words from which a headline is one
	// that capitalises every word, and tells no names.
	capsShare = 0.9
)

// A capital is a capitalised word: Vietnamese writes each syllable of a name
// with a capital, and little else within a sentence.
type capital struct {
	hash    uint32
	at      int  // byte where it begins
	starts  bool // it begins a sentence, so its capital says nothing
	follows bool // the word before it is capitalised too, and joined by a space or hyphen
	short   bool // an abbreviation: all its letters are capitals
}

// capitals returns the capitalised words of a text.
func capitals(text string) []capital {
	var all []capital
	last, joined := -2, 0 // where the last capitalised word ended, and began the next
	fresh := true         // a sentence begins
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			switch r {
			case '.', '!', '?', '…', ':', '\n', '“', '"', '*', '•':
				fresh = true
			}
			i += n
			continue
		}
		end, upper, letters := wordEnd(text, i)
		if unicode.IsUpper(r) && letters > 1 {
			joined = last
			all = append(all, capital{hash: uint32(hashString(vi.Fold(text[i:end])) >> 32), at: i, starts: fresh,
				follows: joined+1 == i && (text[joined] == ' ' || text[joined] == '-'), short: upper == letters})
			last = end
		}
		i, fresh = end, false
	}
	return all
}

// wordEnd returns where the word at text[from] ends, how many of its letters
// are capitals, and how many there are.
func wordEnd(text string, from int) (end, upper, letters int) {
	for end = from; end < len(text); {
		r, n := utf8.DecodeRuneInString(text[end:])
		switch {
		case unicode.IsLetter(r):
			letters++
			if unicode.IsUpper(r) {
				upper++
			}
		case !unicode.IsDigit(r) && !unicode.IsMark(r):
			return end, upper, letters
		}
		end += n
	}
	return end, upper, letters
}

// readNames notes the capitalised words of an item's title, summary and text.
func (f *form) readNames(title, summary, content string) {
	var all, events []uint32
	for i, text := range []string{title, summary, content} {
		words := capitals(text)
		for _, w := range words {
			all = append(all, w.hash&0xFFFFFF)
		}
		near := words
		if i == 0 && float64(len(words)) > capsShare*float64(1+strings.Count(title, " ")) {
			continue
		}
		if i == 0 {
			f.titleNames = titleNames(words)
		}
		for n, w := range words {
			if w.at > eventBytes {
				near = words[:n]
				break
			}
		}
		events = appendEvents(events, near)
	}
	f.allNames = cut32(distinct(all), maxFormNames)
	f.events = cut32(distinct(events), maxEvents)
}

// titleNames are the syllables of a headline that are surely part of a name.
func titleNames(words []capital) (names []uint32) {
	for i, w := range words {
		followed := i+1 < len(words) && words[i+1].follows
		if !w.short && (!w.starts || followed) {
			names = append(names, w.hash&0xFFFFFF)
		}
	}
	return cut32(distinct(names), maxFormNames)
}

// appendEvents appends the names among the words: each two that are joined, and
// those that stand alone within a sentence.
func appendEvents(dst []uint32, words []capital) []uint32 {
	for i, w := range words {
		followed := i+1 < len(words) && words[i+1].follows
		switch {
		case w.follows && !(words[i-1].starts && followed): // "Ông Nguyễn Văn": the first pair is none
			dst = append(dst, words[i-1].hash*31+w.hash)
		case !w.follows && !followed && !w.starts:
			dst = append(dst, w.hash)
		}
	}
	return dst
}
