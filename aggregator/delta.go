package aggregator

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// wholeEvery is how often a feed is read whole although only parts of it are
// new: whatever reading by parts should miss is missed no longer.
const wholeEvery = 6 * time.Hour

// bodyHash tells documents apart: its length and XXH64, in hex. SHA-256 took
// longer than all the rest of a poll that brings the same body; whoever can
// make two bodies with one hash can only hide news of his own.
func bodyHash(body []byte) string {
	return hashText(len(body), xxhash.Sum64(body))
}

func hashText(size int, sum uint64) string {
	return strconv.FormatInt(int64(size), 16) + "-" + strconv.FormatUint(sum, 16)
}

// memory is what the reading of a feed leaves for the next one, so that items
// which stand there unchanged are not parsed again. It is never changed.
type memory struct {
	whole   time.Time           // when the feed was last read whole
	at      time.Time           // when it was last read
	body    string              // bodyHash of what was read then
	head    uint64              // of its outline and address
	decoded bool                // the hashes are of decoded text: the bytes mean something only as a whole
	items   map[uint64]identity // by hash of the item's bytes; at most Limits.MaxItems
	base    string              // of the links
	lang    string
	rest    reading // what the document said besides its entries
}

// identity is what ties an item to others of its document.
type identity struct {
	alias string    // its first alias, if it is tied to none; "" if that is not certain
	ties  [3]uint64 // hashes of the guid's alias, the link's, and the link as written; 0 = none
}

// identify finds what other entries of the document must not share with e if
// it is to be left out: normaliser.items compares links, guids and first aliases.
func identify(e *Entry, source string) identity {
	names := candidates(e, source)
	var id identity
	if names.guid != "" {
		id.ties[0] = xxhash.Sum64String(names.guid)
	}
	if names.link != "" {
		id.ties[1] = xxhash.Sum64String(names.link)
	}
	if link := strings.TrimSpace(e.Link); link != "" {
		id.ties[2] = xxhash.Sum64String(link)
	}
	id.alias = names.guid
	if link, ok := cleanLink(e.Link, e.Base, nil); id.alias == "" && ok && !isFrontPage(link) {
		id.alias = names.link
	}
	return id
}

// firstAliases are what the first alias of an entry's item can be, by what the
// other entries leave to it.
type firstAliases struct{ guid, link, title string }

func candidates(e *Entry, source string) firstAliases {
	all := firstAliases{guid: guidAlias(source, e.GUID)}
	if link, ok := cleanLink(e.Link, e.Base, nil); ok {
		all.link = linkAliases(link, nil)[0]
	}
	return all
}

// ties counts the items that have a tie.
type ties map[uint64]int

func (t ties) add(id identity) {
	for _, tie := range id.ties {
		if tie != 0 {
			t[tie]++
		}
	}
}

// most returns how many items share a tie of id.
func (t ties) most(id identity) int {
	return max(t[id.ties[0]], t[id.ties[1]], t[id.ties[2]])
}

// readFeedSince reads a feed as readFeed does, less the entries of items that
// stand in it as they stood at the last reading: of these only the first
// aliases are given, in reading.known. last may be nil. What is left out has
// no part in the entries that are given, see docs/decisions/0009.
func readFeedSince(doc *Document, src SourceConfig, lim Limits, last *memory) (reading, error) {
	if rd, ok := last.read(doc, src, lim); ok {
		return rd, nil
	}
	return readFeed(doc, src, lim)
}

// remember makes the memory of a whole reading out, nil if the next reading
// must be whole too.
func remember(doc *Document, src SourceConfig, text string, d vi.Decoding, p parsedXML, out *reading) *memory {
	raw, decoded := doc.Body, !decodedByCharacter(d)
	if decoded {
		raw = []byte(text)
	}
	o, ok := outlineXML(raw)
	if !ok {
		return nil
	}
	m := &memory{whole: doc.At, at: doc.At, body: doc.Hash, head: headOf(o, doc), decoded: decoded, items: make(map[uint64]identity, len(o.items)),
		base: baseOf(p.feed, doc), lang: p.feed.Language, rest: *out}
	m.rest.entries, m.rest.repairs = nil, nil
	if !m.add(raw, o.items, p, out.entries, src) {
		return nil
	}
	return m
}

// add remembers the items of raw that became the entries. ok is false if items
// and entries do not belong together, or if one of them is tied to one known
// before. Items tied to each other are not remembered, nor items without any
// identity: they are read each time.
func (m *memory) add(raw []byte, items []span, p parsedXML, entries []Entry, src SourceConfig) (ok bool) {
	if len(items) != len(p.raws) || len(items) != len(entries) {
		return false
	}
	ids := make([]identity, len(entries))
	own := make(ties, 3*len(entries))
	for i := range entries {
		if !cleansTo(raw[items[i].start:items[i].end], p.raws[i]) {
			return false
		}
		ids[i] = identify(&entries[i], src.ID)
		own.add(ids[i])
	}
	for _, known := range m.items {
		if own.most(known) > 0 {
			return false
		}
	}
	for i, id := range ids {
		if id.alias != "" && own.most(id) <= 1 {
			m.items[xxhash.Sum64(raw[items[i].start:items[i].end])] = id
		}
	}
	return true
}

// cleansTo tells whether cleaning this item by itself gives the same element
// as cleaning its document did.
func cleansTo(raw []byte, clean string) bool {
	if string(raw) == clean {
		return true
	}
	if scrubXML(vi.NFC(string(raw)), new(repairs)) != clean {
		return false
	}
	m := markup{b: []byte(clean)}
	t, ok := m.tag(0)
	if !ok || t.closing || t.empty {
		return false
	}
	end, ok := m.element(t)
	return ok && end == len(clean)
}

// headOf is the hash of all that decides how the items of a document are read.
func headOf(o outline, doc *Document) uint64 {
	return o.head ^ xxhash.Sum64String(doc.FinalURL)
}

// decodedByCharacter tells whether a document's text came from its bytes
// character by character, so that a part of it means by itself what it means
// in the whole.
func decodedByCharacter(d vi.Decoding) bool {
	return d.Label == "utf-8" && !slices.ContainsFunc(d.Repairs, func(kind string) bool {
		switch kind {
		case vi.RepairMismatch, vi.RepairUnknown, vi.RepairUTF16Label, vi.RepairControls, vi.RepairXMLVersion:
			return false
		}
		return true
	})
}

// certainlyUTF8 tells whether vi.Decode would take b, if it is valid UTF-8, for
// nothing else: by three letters of Vietnamese that windows-1252 lacks, for it
// doubts East Asian labels up to six bytes beyond ASCII.
func certainlyUTF8(b []byte) bool {
	for range 3 {
		i := bytes.Index(b, []byte("\xe1\xbb")) // U+1EC0 to U+1EFF
		if i < 0 {
			return false
		}
		b = b[i+2:]
	}
	return true
}

// rawOf is what the document's items are compared by; ok is false if that
// cannot be compared with what is remembered.
func (m *memory) rawOf(doc *Document) (raw []byte, ok bool) {
	if !m.decoded && certainlyUTF8(doc.Body) {
		return doc.Body, true
	}
	text, d := decodeFeed(doc, new(repairs))
	switch {
	case m.decoded == decodedByCharacter(d):
		return nil, false
	case m.decoded:
		return []byte(text), true
	}
	return doc.Body, true
}

// stands tells whether what is remembered is what the store has last heard of
// the source. Another process may have visited it since, or a hub have brought
// news: then an item that looks as it did here may have looked otherwise there,
// and only reading it again puts that right.
func (m *memory) stands(st store.SourceState) bool {
	return m != nil && m.body == st.BodyHash && !st.LastNew.After(m.at)
}

// read reads a document of which something is remembered; ok is false if it
// must be read whole.
func (m *memory) read(doc *Document, src SourceConfig, lim Limits) (rd reading, ok bool) {
	if m == nil || doc.At.Before(m.whole) || doc.At.Sub(m.whole) >= wholeEvery {
		return rd, false
	}
	raw, ok := m.rawOf(doc)
	if !ok {
		return rd, false
	}
	o, ok := outlineXML(raw)
	if !ok || headOf(o, doc) != m.head || len(o.items) > lim.MaxItems {
		return rd, false
	}
	next := *m
	next.at, next.body = doc.At, doc.Hash
	next.items = make(map[uint64]identity, len(o.items))
	rd = m.rest
	rd.memory, rd.known, rd.order = &next, make([]string, 0, len(o.items)), make([]firstAliases, len(o.items))
	var fresh []span
	var places []int // of the fresh ones among all
	for i, it := range o.items {
		h := xxhash.Sum64(raw[it.start:it.end])
		id, ok := m.items[h]
		if !ok {
			fresh, places = append(fresh, it), append(places, i)
			continue
		}
		next.items[h] = id
		rd.known, rd.order[i].guid = append(rd.known, id.alias), id.alias
	}
	switch {
	case len(fresh) == 0:
		return rd, true
	case len(rd.known) == 0:
		return rd, false
	}
	p, ok := m.parse(o.document(raw, fresh), lim, &rd.repairs)
	if !ok {
		return rd, false
	}
	rd.entries = entriesOf(p.feed, p.raws, m.base, m.lang)
	if !next.add(raw, fresh, p, rd.entries, src) {
		return rd, false
	}
	for i := range rd.entries {
		rd.order[places[i]] = candidates(&rd.entries[i], src.ID)
		rd.order[places[i]].title = titleAlias(&rd.entries[i])
	}
	return rd, true
}

// parse reads a part of a document as readFeed reads the whole, but recovers
// nothing.
func (m *memory) parse(part []byte, lim Limits, r *repairs) (p parsedXML, ok bool) {
	text := string(part)
	if !m.decoded {
		if !utf8.ValidString(text) {
			return p, false
		}
		text = vi.NFC(text)
	}
	p, err := readXML(text, lim, r)
	return p, err == nil && p.whole
}

// contents are the first aliases of all items that stand in the document, in
// its order.
func (r Report) contents() []string {
	all := make([]string, 0, len(r.Known)+len(r.Items))
	stand := make(map[string]bool, cap(all))
	for _, it := range r.Items {
		stand[it.Aliases[0]] = true
	}
	for _, alias := range r.Known {
		stand[alias] = true
	}
	add := func(alias string) bool {
		if !stand[alias] {
			return false
		}
		all = append(all, alias)
		delete(stand, alias)
		return true
	}
	for _, c := range r.order {
		_ = add(c.guid) || add(c.link) || add(c.title)
	}
	for _, it := range r.Items {
		add(it.Aliases[0])
	}
	return all
}

// memories holds what is remembered of each source, for as long as the process
// lives.
type memories struct {
	mu sync.Mutex
	of map[string]*memory // by source id
}

// get is what is remembered of a source in that state; nil if nothing is that
// still stands.
func (m *memories) get(source string, st store.SourceState) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := m.of[source]; last.stands(st) {
		return last
	}
	return nil
}

// put replaces what is remembered of a source; nil forgets it.
func (m *memories) put(source string, what *memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string]*memory{}
	}
	if m.of[source] = what; what == nil {
		delete(m.of, source)
	}
}
