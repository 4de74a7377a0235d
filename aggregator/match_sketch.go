package aggregator

import "slices"

const (
	// sketchAlone is the number of keys of an item without a body, sketchLead
	// and sketchBody those of an item with one. docs/sameness.md has the
	// measurement.
	sketchAlone = 16
	sketchLead  = 4
	sketchBody  = 8
	// leadRun and bodyRun are how many syllables one run of a lead and of a
	// body has.
	leadRun = 3
	bodyRun = 5
)

// Sketch returns the at most 16 index keys of an item's text: two items with
// nearly the same title and summary, or nearly the same text under another
// headline, have at least one key in common. text is sanitised HTML or plain,
// and may be empty. Keys say nothing else; two items that share some need not
// be alike.
func Sketch(title, summary, text string) []uint32 {
	title, summary = cutAtSpace(title, maxLeadBytes), cutAtSpace(summary, maxLeadBytes)
	lead := appendRuns(nil, appendWords(nil, title+"\n"+summary), leadRun)
	if text == "" {
		return lowest(lead, sketchAlone)
	}
	body := appendRuns(nil, appendWords(nil, summary+"\n"+contentText(text, maxMatchBytes)), bodyRun)
	return append(lowest(lead, sketchLead), lowest(body, sketchBody)...)
}

// lowest returns the n lowest distinct hashes: a sample that depends on the
// text alone, so that equal runs are sampled in both of two texts.
func lowest(hashes []uint32, n int) []uint32 {
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	return slices.Clip(hashes[:min(n, len(hashes))])
}

// appendWords appends the hash of each word of s.
func appendWords(dst []uint64, s string) []uint64 {
	eachWord(s, func(w string) { dst = append(dst, wordHash(w)) })
	return dst
}

// wordHash returns the hash of a word; its lowest bit is 1 if the word begins
// with a digit, else 0.
func wordHash(w string) uint64 {
	h := hashString(w) &^ 1
	if asciiDigit(w[0]) {
		h |= 1
	}
	return h
}

// appendRuns appends the hash of each run of n words. The hashes are the same
// in every process and version: they are stored.
func appendRuns(dst []uint32, words []uint64, n int) []uint32 {
	for i := n; i <= len(words); i++ {
		h := uint64(n)
		for _, w := range words[i-n : i] {
			h = (h ^ w) * hashPrime
			h ^= h >> 29
		}
		dst = append(dst, uint32(h>>32))
	}
	return dst
}

// appendNumbers appends the hash of each word that begins with a digit.
func appendNumbers(dst []uint32, words []uint64) []uint32 {
	for _, w := range words {
		if w&1 == 1 {
			dst = append(dst, uint32(w>>32))
		}
	}
	return dst
}

// FNV-1a with 64 bits.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hashString(w string) uint64 {
	h := uint64(hashStart)
	for i := 0; i < len(w); i++ {
		h = (h ^ uint64(w[i])) * hashPrime
	}
	return h
}

// A runSet is a set of run hashes. The zero value is empty.
type runSet struct {
	slots []uint32 // open addressing, 0 = free
	n     int
}

// reset empties s and makes room for n hashes.
func (s *runSet) reset(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	if size <= cap(s.slots) {
		s.slots = s.slots[:size]
		clear(s.slots)
	} else {
		s.slots = make([]uint32, size)
	}
	s.n = 0
}

// fill makes s the set of hashes.
func (s *runSet) fill(hashes []uint32) {
	s.reset(len(hashes))
	for _, h := range hashes {
		s.add(h)
	}
}

// add puts h into s and tells whether it was new. s must have been reset for
// as many hashes as are added.
func (s *runSet) add(h uint32) bool {
	h |= 1
	mask := uint32(len(s.slots) - 1)
	i := (h * 0x9E3779B1) >> 7 & mask
	for ; s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i] == h {
			return false
		}
	}
	s.slots[i] = h
	s.n++
	return true
}

func (s *runSet) has(h uint32) bool {
	if s.n == 0 {
		return false
	}
	h |= 1
	mask := uint32(len(s.slots) - 1)
	for i := (h * 0x9E3779B1) >> 7 & mask; s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i] == h {
			return true
		}
	}
	return false
}

// count returns how many of the hashes are in s.
func (s *runSet) count(hashes []uint32) int {
	if s.n == 0 {
		return 0
	}
	n := 0
	for _, h := range hashes {
		if s.has(h) {
			n++
		}
	}
	return n
}
