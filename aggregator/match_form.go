package aggregator

import (
	"encoding/binary"
	"errors"
	"slices"

	"diemtin/store"
)

// A form is an item as it is compared: what of its words counts, as hashes. It
// is stored in a few bytes a word (Item.Form), so that a verdict needs no
// candidate's text.
type form struct {
	body       bool     // it has a text of its own, beside title and summary
	titleWords int      // syllables
	titleSum   uint32   // of all its syllables: equal titles have equal sums
	title      []uint32 // three-syllable runs of the title
	lead       []uint32 // of the summary
	numbers    []uint32 // in title and summary
	series     series
	full       []uint32 // five-syllable runs of summary and text, in their order; 24 bits each
	ofSummary  int      // how many of full are the summary\'s
	fullNums   []uint32 // numbers in title, summary and text
	titleNames []uint32 // capitalised syllables of the title
	allNames   []uint32 // of title, summary and text
	links      []uint32 // its own addresses, as LinkKeys; the first is the article it names as its source, 0 = none
	events     []uint32 // names of two syllables and more, and lone ones, of title, summary and the text's beginning
}

// hasLead tells whether the item brought a summary.
func (f *form) hasLead() bool { return len(f.lead) >= minLeadRuns }

// Bounds of a form's lists; some 1,700 runs are in maxMatchBytes.
const (
	maxFormRuns    = 2500
	maxFormNumbers = 400
	maxFormNames   = 300
	maxEvents      = 16
)

// newForm reads an item's form from its words; common tells which lines of its
// text are boilerplate, nil = none.
func (m *Matcher) newForm(it *store.Item, common func(uint64) bool) (f form, keys []uint32, lines []uint64) {
	title, summary := cutAtSpace(it.Title, maxLeadBytes), cutAtSpace(it.Summary, maxLeadBytes)
	summary = m.names.withoutDateline(summary)
	content := m.names.withoutAttribution(matchText(it))
	content, lines = withoutLines(content, common)

	words := appendWords(nil, title)
	f.titleWords = len(words)
	f.titleSum = sumOf(words)
	f.title = distinct(appendRuns(nil, words, leadRun))
	numbers := appendNumbers(nil, words)
	all := appendWords(words, summary)
	lead := all[f.titleWords:]
	f.lead = distinct(appendRuns(nil, lead, leadRun))
	f.numbers = cut32(distinct(appendNumbers(numbers, lead)), maxFormNumbers)
	f.series = readSerial(title).hashed()
	keys = appendRuns(nil, all, leadRun)

	f.body = len(content) >= minBodyBytes
	all = appendWords(all, content)
	full := appendRuns(nil, all[f.titleWords:], bodyRun)
	if content == "" {
		keys = lowest(keys, sketchAlone)
	} else {
		keys = append(lowest(keys, sketchLead), lowest(slices.Clone(full), sketchBody)...)
	}
	for i := range full {
		full[i] >>= 8
	}
	ofLead := max(0, min(len(lead)-bodyRun+1, len(full)))
	f.ofSummary = len(distinct(slices.Clone(full[:ofLead])))
	f.full = cut32(distinct(full), maxFormRuns)
	f.fullNums = cut32(distinct(appendNumbers(nil, all)), maxFormNumbers)
	f.readNames(title, summary, content)
	f.links = append(f.links, linkHash(articleKey(it.Attribution.Link)))
	for link := range itemLinks(it) {
		f.links = append(f.links, linkHash(link))
	}
	return f, keys, lines
}

// matchText is the text that an item is compared by: that of its page, else
// what its source gave.
func matchText(it *store.Item) string {
	if it.Text != "" {
		return cutAtSpace(it.Text, maxMatchBytes)
	}
	return contentText(it.Content, maxMatchBytes)
}

// sumOf is one number for a sequence of words.
func sumOf(words []uint64) uint32 {
	h := uint64(hashStart)
	for _, w := range words {
		h = (h ^ w) * hashPrime
		h ^= h >> 29
	}
	return uint32(h >> 32)
}

// distinct returns the hashes without repetitions, in their order, as a runSet
// knows them.
func distinct(hashes []uint32) []uint32 {
	var seen runSet
	seen.reset(len(hashes))
	kept := hashes[:0]
	for _, h := range hashes {
		if h |= 1; seen.add(h) {
			kept = append(kept, h)
		}
	}
	return kept
}

func cut32(list []uint32, n int) []uint32 { return list[:min(len(list), n)] }

// formVersion is the first byte of a stored form. Another version is not read:
// the item is then compared by title and summary.
const formVersion = 2

var errForm = errors.New("the stored form is damaged")

// lists are the form's lists in the order in which they are stored, with the
// bytes that each hash takes.
func (f *form) lists() [11]struct {
	list  *[]uint32
	bytes int
} {
	type l = struct {
		list  *[]uint32
		bytes int
	}
	return [11]l{{&f.title, 4}, {&f.lead, 4}, {&f.numbers, 4}, {&f.series.dates, 4}, {&f.series.marks, 4},
		{&f.fullNums, 4}, {&f.titleNames, 4}, {&f.allNames, 3}, {&f.events, 4}, {&f.links, 4}, {&f.full, 3}}
}

// encode writes the form for the store.
func (f *form) encode() []byte {
	b := make([]byte, 0, 64+4*(len(f.title)+len(f.lead)+len(f.fullNums)+len(f.allNames)+len(f.events))+3*len(f.full))
	body := byte(0)
	if f.body {
		body = 1
	}
	b = append(b, formVersion, body)
	b = binary.AppendUvarint(b, uint64(f.titleWords))
	b = binary.AppendUvarint(b, uint64(f.ofSummary))
	for _, sum := range []uint32{f.titleSum, f.series.words, f.series.bare} {
		b = binary.LittleEndian.AppendUint32(b, sum)
	}
	for _, l := range f.lists() {
		b = binary.AppendUvarint(b, uint64(len(*l.list)))
		for _, h := range *l.list {
			b = append(b, byte(h), byte(h>>8), byte(h>>16))
			if l.bytes == 4 {
				b = append(b, byte(h>>24))
			}
		}
	}
	return b
}

// decodeForm reads a stored form; its lists are appended to arena, which is
// returned to be used again.
func decodeForm(b []byte, arena []uint32) (f form, _ []uint32, err error) {
	if len(b) < 2 || b[0] != formVersion {
		return f, arena, errForm
	}
	f.body, b = b[1] == 1, b[2:]
	words, n := binary.Uvarint(b)
	runs, m := binary.Uvarint(b[max(n, 0):])
	if n <= 0 || m <= 0 || len(b) < n+m+12 {
		return f, arena, errForm
	}
	f.titleWords, f.ofSummary, b = int(words), int(runs), b[n+m:]
	f.titleSum, f.series.words, f.series.bare = binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	b = b[12:]
	for _, l := range f.lists() {
		count, n := binary.Uvarint(b)
		if n <= 0 || count > maxFormRuns || len(b)-n < int(count)*l.bytes {
			return f, arena, errForm
		}
		start, end := len(arena), len(arena)+int(count)
		arena = slices.Grow(arena, int(count))[:end]
		list, bytes := arena[start:end:end], b[n:n+int(count)*l.bytes]
		for i := range list {
			if l.bytes == 4 {
				list[i] = binary.LittleEndian.Uint32(bytes[4*i:])
			} else {
				list[i] = uint32(bytes[3*i]) | uint32(bytes[3*i+1])<<8 | uint32(bytes[3*i+2])<<16
			}
		}
		*l.list, b = list, b[n+len(bytes):]
	}
	if f.ofSummary > len(f.full) {
		return f, arena, errForm
	}
	return f, arena, nil
}

// Prepare reads what an item is compared by from its words: Sketch, Form, Lines
// and Names. common tells which lines of its text are boilerplate; nil = none.
func (m *Matcher) Prepare(it *store.Item, common func(line uint64) bool) {
	f, keys, lines := m.newForm(it, common)
	links := LinkKeys(it)
	it.Sketch = append(links[:min(len(links), store.MaxKeys-sketchAlone)], keys...)
	it.Form, it.Lines, it.Names = f.encode(), lines, f.events
}
