package aggregator

import (
	"bytes"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// maxNesting bounds the elements open at once in a feed that is read by parts;
// XHTML in Atom entries nests about twenty deep. A deeper one is read whole.
const maxNesting = 100

// outline is where the items of a well-formed feed lie, and what its head is.
type outline struct {
	items []span
	head  uint64     // hash of all that is neither an item, a comment nor a date of the channel
	above []plainTag // the elements around the items, outermost first
}

// outlineXML finds the items of an RSS, Atom or RDF document in one pass over
// its tags. It knows far less of XML than a parser does and is stricter: ok is
// false unless every tag is plain and closed in its place, outside CDATA and
// comments, and all items are siblings where their format puts them. Then each
// item is an element whose text no parser can read differently because of
// what stands around it, the head apart.
func outlineXML(b []byte) (o outline, ok bool) {
	m := markup{b: b, head: xxhash.New()}
	at, ok := m.prolog()
	if !ok {
		return o, false
	}
	root, ok := m.tag(at)
	if !ok || root.closing || root.empty {
		return o, false
	}
	item := "item"
	switch string(root.name) {
	case "rss", "rdf:RDF", "RDF":
	case "feed":
		item = "entry"
	default:
		return o, false
	}
	m.above = []plainTag{root}
	end, ok := m.children(root, item)
	if !ok || !m.onlyText(end) || m.tags > maxElements {
		return o, false
	}
	m.toHead(len(b))
	return outline{m.items, m.head.Sum64(), m.above}, true
}

// document makes a document that holds nothing but some items of raw.
func (o outline) document(raw []byte, items []span) []byte {
	size := 0
	for _, t := range o.above {
		size += t.end - t.start + len("</>") + len(t.name)
	}
	for _, it := range items {
		size += it.end - it.start
	}
	b := make([]byte, 0, size)
	for _, t := range o.above {
		b = append(b, raw[t.start:t.end]...)
	}
	for _, it := range items {
		b = append(b, raw[it.start:it.end]...)
	}
	for _, t := range slices.Backward(o.above) {
		b = append(append(append(b, "</"...), t.name...), '>')
	}
	return b
}

// markup reads a document's tags.
type markup struct {
	b      []byte
	items  []span
	head   *xxhash.Digest
	hashed int        // b[:hashed] is in head or does not belong there
	above  []plainTag // the root, and the <channel> of RSS
	tags   int        // start tags read
}

// plainTag is a tag that every parser reads alike.
type plainTag struct {
	name           []byte // with its prefix, as written
	start, end     int
	closing, empty bool
}

// prolog finds the first tag; only text, comments, instructions and
// declarations may come before it.
func (m *markup) prolog() (at int, ok bool) {
	for i := 0; i < len(m.b); {
		j := bytes.IndexByte(m.b[i:], '<')
		if j < 0 {
			return 0, false
		}
		i += j
		skip, end := 2, ">"
		switch rest := m.b[i:]; {
		case bytes.HasPrefix(rest, []byte("<!--")):
			skip, end = 4, "-->"
		case bytes.HasPrefix(rest, []byte("<?")):
			end = "?>"
		case !bytes.HasPrefix(rest, []byte("<!")) || bytes.HasPrefix(rest, []byte("<![CDATA[")):
			return i, true
		}
		if j = bytes.Index(m.b[i+skip:], []byte(end)); j < 0 {
			return 0, false
		}
		i += skip + j + len(end)
	}
	return 0, false
}

// toHead adds what was not added yet to the head, without the white space
// around it: how many items stand between two elements must not matter.
func (m *markup) toHead(end int) {
	m.head.Write(bytes.TrimSpace(m.b[m.hashed:end])) // a hash never fails
	m.hashed = end
}

// leaveOut keeps b[start:end] out of the head.
func (m *markup) leaveOut(start, end int) {
	m.toHead(start)
	m.hashed = end
}

// children reads the content of the element that parent opened, in which
// items may stand, up to and with its end tag.
func (m *markup) children(parent plainTag, item string) (end int, ok bool) {
	for i := parent.end; ; {
		if i, ok = m.nextTag(i, true); !ok {
			return 0, false
		}
		t, ok := m.tag(i)
		switch {
		case !ok:
			return 0, false
		case t.closing:
			return t.end, bytes.Equal(t.name, parent.name)
		case t.empty:
			i = t.end
			ok = !itemName(t.name)
		case string(t.name) == item && string(parent.name) != "rss":
			if i, ok = m.element(t); ok {
				m.items = append(m.items, span{start: t.start, end: i})
				m.leaveOut(t.start, i)
			}
		case string(t.name) == "channel" && string(parent.name) == "rss" && len(m.above) == 1:
			m.above = append(m.above, t)
			i, ok = m.children(t, item)
		case itemName(t.name) || string(t.name) == "channel" && string(parent.name) == "rss":
			return 0, false
		default:
			if i, ok = m.element(t); ok && volatile(t.name, m.b[t.end:i]) {
				m.leaveOut(t.start, i)
			}
		}
		if !ok {
			return 0, false
		}
	}
}

// element reads the element that open begins, in which no item may stand, to
// its end.
func (m *markup) element(open plainTag) (end int, ok bool) {
	var room [16][]byte
	stack := append(room[:0], open.name)
	for i := open.end; ; {
		if i, ok = m.nextTag(i, false); !ok {
			return 0, false
		}
		t, ok := m.tag(i)
		switch {
		case !ok, itemName(t.name) && !(t.closing && len(stack) == 1):
			return 0, false
		case t.closing:
			if !bytes.Equal(t.name, stack[len(stack)-1]) {
				return 0, false
			}
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return t.end, true
			}
		case t.empty:
		case len(stack) == maxNesting:
			return 0, false
		default:
			stack = append(stack, t.name)
		}
		i = t.end
	}
}

// onlyText tells whether no tag follows.
func (m *markup) onlyText(from int) bool {
	for i := from; bytes.IndexByte(m.b[i:], '<') >= 0; {
		j := bytes.IndexByte(m.b[i:], '<')
		if i += j; !bytes.HasPrefix(m.b[i:], []byte("<!--")) {
			return false
		}
		end := m.comment(i)
		if end < 0 {
			return false
		}
		m.leaveOut(i, end)
		i = end
	}
	return true
}

// nextTag finds the next tag, past text, comments and CDATA. Comments of the
// head do not count: some hold the time in which the page was made.
func (m *markup) nextTag(from int, inHead bool) (at int, ok bool) {
	for i := from; ; {
		j := bytes.IndexByte(m.b[i:], '<')
		if j < 0 {
			return 0, false
		}
		i += j
		if i+1 == len(m.b) || m.b[i+1] != '!' {
			return i, true
		}
		end := -1
		switch rest := m.b[i:]; {
		case bytes.HasPrefix(rest, []byte("<!--")):
			if end = m.comment(i); end > 0 && inHead {
				m.leaveOut(i, end)
			}
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			if j := bytes.Index(rest, []byte("]]>")); j > 0 {
				end = i + j + len("]]>")
			}
		}
		if end < 0 {
			return 0, false
		}
		i = end
	}
}

// comment returns the end of the comment at i, -1 if it has none or "--"
// stands within.
func (m *markup) comment(i int) int {
	i += len("<!--")
	j := bytes.Index(m.b[i:], []byte("--"))
	if j < 0 || i+j+2 >= len(m.b) || m.b[i+j+2] != '>' {
		return -1
	}
	return i + j + len("-->")
}

// tag reads the tag at b[at] == '<'.
func (m *markup) tag(at int) (t plainTag, ok bool) {
	b := m.b[at:min(len(m.b), at+maxTag)]
	i := 1
	if len(b) > 1 && b[1] == '/' {
		t.closing = true
		i = 2
	}
	n := plainName(b, i)
	t.name, t.start = b[i:n], at
	if i == n {
		return t, false
	}
	if !t.closing {
		m.tags++
	}
	for i = n; ; {
		blank := i
		for i < len(b) && isBlank(b[i]) {
			i++
		}
		switch {
		case i+1 >= len(b) && (i >= len(b) || b[i] != '>'):
			return t, false
		case b[i] == '>':
			t.end = at + i + 1
			return t, true
		case t.closing:
			return t, false
		case b[i] == '/' && b[i+1] == '>':
			t.empty, t.end = true, at+i+2
			return t, true
		case blank == i:
			return t, false
		}
		if i, ok = plainAttribute(b, i); !ok {
			return t, false
		}
	}
}

// plainName returns the end of the name at b[i]: ASCII, at most one colon, and
// that within it; i if there is none.
func plainName(b []byte, i int) int {
	n, colons := i, 0
	for n < len(b) && b[n] < 0x80 && isNameByte(b[n]) {
		if b[n] == ':' {
			colons++
		}
		n++
	}
	if n == i || !isNameStart(b[i]) || b[i] == ':' || b[n-1] == ':' || colons > 1 {
		return i
	}
	return n
}

// plainAttribute returns the end of the attribute at b[i], whose value must be
// quoted, right after the "=" and without "<".
func plainAttribute(b []byte, i int) (end int, ok bool) {
	n := plainName(b, i)
	if n == i || n+1 >= len(b) || b[n] != '=' || b[n+1] != '"' && b[n+1] != '\'' {
		return 0, false
	}
	value := b[n+2:]
	j := bytes.IndexByte(value, b[n+1])
	if j < 0 || bytes.IndexByte(value[:j], '<') >= 0 {
		return 0, false
	}
	return n + 2 + j + 1, true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// itemName tells whether shapeOf would take the element for an item.
func itemName(name []byte) bool {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return len(name) == 4 && bytes.EqualFold(name, []byte("item")) || len(name) == 5 && bytes.EqualFold(name, []byte("entry"))
}

// volatile tells whether an element of the head with that content and end tag
// says only when the document was made.
func volatile(name, content []byte) bool {
	switch string(name) {
	case "lastBuildDate", "pubDate", "updated", "modified", "dc:date":
		text, _, _ := bytes.Cut(content, []byte("<"))
		rest := content[len(text):]
		return bytes.HasPrefix(rest, []byte("</")) && bytes.IndexByte(rest[1:], '<') < 0 && !bytes.ContainsAny(text, "&]")
	}
	return false
}
