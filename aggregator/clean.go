package aggregator

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"diemtin/store"
)

// maxTag bounds the bytes of one tag; a quote that is never closed must not
// swallow the document.
const maxTag = 64 << 10

// tag is one start or end tag outside CDATA, comments and instructions.
type tag struct {
	start, end int    // text[start:end] is the whole tag
	prefix     string // of the name, lower case
	name       string // local name, lower case
	closing    bool
	empty      bool // <x/>
}

// scan walks through markup, however broken, and calls onTag for every tag,
// onBare for every "<" that begins none, and onOther for what is neither text
// nor tag: a comment, instruction or declaration, or the mark of a CDATA
// section or comment that never ends. It never fails and never goes back.
func scan(s string, onTag func(tag), onBare func(at int), onOther func(start, end int)) {
	for i := 0; i < len(s); {
		j := strings.IndexByte(s[i:], '<')
		if j < 0 {
			return
		}
		i += j
		if end := cdataEnd(s, i); end > 0 {
			i = end
			continue
		}
		if end := otherEnd(s, i); end > 0 {
			onOther(i, end)
			i = end
			continue
		}
		t, ok := readTag(s, i)
		if !ok {
			onBare(i)
			i++
			continue
		}
		onTag(t)
		i = t.end
	}
}

// cdataEnd is where the whole CDATA section at s[at] ends, else 0.
func cdataEnd(s string, at int) int {
	const mark = "<![CDATA["
	if strings.HasPrefix(s[at:], mark) {
		if j := strings.Index(s[at+len(mark):], "]]>"); j >= 0 {
			return at + len(mark) + j + len("]]>")
		}
	}
	return 0
}

// otherEnd is where the comment, instruction or declaration at s[at] ends, or
// the mark that begins one without an end, or 0 if there is neither.
func otherEnd(s string, at int) int {
	rest := s[at:]
	for _, m := range []struct{ begin, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}} {
		if strings.HasPrefix(rest, m.begin) {
			if j := strings.Index(rest[len(m.begin):], m.end); j >= 0 {
				return at + len(m.begin) + j + len(m.end)
			}
			return at + len(m.begin)
		}
	}
	if len(rest) < 3 || rest[1] != '?' && rest[1] != '!' || !isNameStart(rest[2]) {
		return 0
	}
	end := ">"
	if rest[1] == '?' {
		end = "?>"
	} else if i := strings.IndexAny(rest, "[>"); i > 0 && rest[i] == '[' {
		end = "]>" // a DOCTYPE with declarations of its own
	}
	if j := strings.Index(rest, end); j >= 0 {
		return at + j + len(end)
	}
	return 0
}

func skipPast(s string, from int, end string) int {
	if j := strings.Index(s[from:], end); j >= 0 {
		return from + j + len(end)
	}
	return len(s)
}

// readTag reads the tag at s[at] == '<'.
func readTag(s string, at int) (tag, bool) {
	t := tag{start: at}
	i := at + 1
	if i < len(s) && s[i] == '/' {
		t.closing = true
		i++
	}
	n := i
	for n < len(s) && isNameByte(s[n]) {
		n++
	}
	if n == i || !isNameStart(s[i]) {
		return t, false
	}
	t.name = strings.ToLower(s[i:n])
	if j := strings.LastIndexByte(t.name, ':'); j >= 0 {
		t.prefix, t.name = t.name[:j], t.name[j+1:]
	}
	end, ok := tagEnd(s, n)
	if !ok {
		return t, false
	}
	t.end = end
	t.empty = s[end-2] == '/'
	return t, true
}

// tagEnd finds the ">" that ends a tag, past quoted attributes if their quotes
// are closed in time.
func tagEnd(s string, from int) (int, bool) {
	limit := min(len(s), from+maxTag)
	quote := byte(0)
	first := 0
	for i := from; i < limit; i++ {
		switch c := s[i]; {
		case c == '>' && quote == 0:
			return i + 1, true
		case c == '>' && first == 0:
			first = i + 1
		case c == '<' && quote == 0:
			return 0, false
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'') && s[i-1] == '=':
			quote = c
		}
	}
	return first, first > 0
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= 0x80
}

func isNameByte(c byte) bool {
	return isNameStart(c) || c >= '0' && c <= '9' || c == '-' || c == '.'
}

// scrubXML takes out what no XML 1.0 document may hold and vi.Decode leaves:
// references to control characters, and "<" that begins no markup.
func scrubXML(s string, r *repairs) string {
	return scrubMarkup(dropIllegalRefs(s, r), r)
}

// scrubMarkup escapes each "<" that begins no tag, and drops comments,
// instructions and declarations: no item needs them, and parsers refuse "--"
// in a comment, instructions without a name and whatever never ends.
func scrubMarkup(s string, r *repairs) string {
	var b strings.Builder
	last, bare := 0, 0
	replace := func(start, end int, by string) {
		b.WriteString(s[last:start])
		b.WriteString(by)
		last = end
	}
	scan(s, func(tag) {}, func(at int) { replace(at, at+1, "&lt;"); bare++ }, func(start, end int) { replace(start, end, "") })
	if last == 0 {
		return s
	}
	r.addN("bare_markup", bare, `"<" that begins no tag`)
	b.WriteString(s[last:])
	return b.String()
}

// dropIllegalRefs takes out numeric references to what XML does not allow.
func dropIllegalRefs(s string, r *repairs) string {
	var b []byte
	kept := 0 // s[:kept] is in b or was dropped
	for i := 0; ; {
		j := strings.Index(s[i:], "&#")
		if j < 0 {
			break
		}
		i += j
		n := refLength(s[i:])
		if n == 0 || legalRef(s[i:i+n]) {
			i += max(n, 2)
			continue
		}
		r.add("control_characters", "reference to a character that XML does not allow")
		if b == nil {
			b = make([]byte, 0, len(s))
		}
		b = append(b, s[kept:i]...)
		i += n
		kept = i
	}
	if kept == 0 {
		return s
	}
	return string(append(b, s[kept:]...))
}

// maxRefDigits bounds a numeric reference: what is longer is none.
const maxRefDigits = 10

// refLength returns the length of the numeric reference, with its semicolon,
// at the start of s, which begins "&#"; 0 if it is none.
func refLength(s string) int {
	i := 2
	hex := i < len(s) && s[i]|0x20 == 'x'
	if hex {
		i++
	}
	from := i
	for i < len(s) && i-from < maxRefDigits && (s[i] >= '0' && s[i] <= '9' || hex && s[i]|0x20 >= 'a' && s[i]|0x20 <= 'f') {
		i++
	}
	if i == from || i == len(s) || s[i] != ';' {
		return 0
	}
	return i + 1
}

func legalRef(ref string) bool {
	digits, base := ref[2:len(ref)-1], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseInt(digits, base, 64)
	return err == nil && n <= utf8.MaxRune && !illegal(rune(n))
}

// illegal is the complement of XML 1.0's Char (section 2.2).
func illegal(c rune) bool {
	return c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c >= 0xD800 && c <= 0xDFFF || c == 0xFFFE || c == 0xFFFF
}

// closers end a document that was built from a head and items.
var closers = map[string]string{"rss": "</channel></rss>", "feed": "</feed>", "rdf": "</rdf:RDF>"}

// prepareXML makes a document that gofeed can read as well as it can be made:
// junk around the root goes, an item cut off by the document's end goes, and
// the count of items is held to the limit.
func prepareXML(s string, lim Limits, r *repairs) (string, shape, error) {
	s = scrubXML(s, r)
	sh, ok := shapeOf(s, lim.MaxItems)
	if !ok {
		return "", sh, fault(store.NotAFeed, "there is no rss, feed or rdf:RDF element in the document")
	}
	if sh.depth > maxDepth {
		return "", sh, fault(store.TooLarge, "elements nest more than %d deep", maxDepth)
	}
	if sh.elements > maxElements {
		return "", sh, fault(store.TooLarge, "there are more than %d elements", maxElements)
	}
	if junk := strings.TrimSpace(outsideProlog(s[:sh.root.start])); junk != "" {
		r.add("junk_before_root", "text before the first element")
	}
	s = s[sh.root.start:]
	sh = sh.moved(-sh.root.start)
	switch {
	case sh.surplus > 0:
		r.addN("too_many_items", sh.surplus, "only the first ones were read")
		s = s[:sh.items[len(sh.items)-1].end] + closers[sh.form]
	case sh.cut:
		r.add("cut_off", "the document ends in the middle of an item")
		end := sh.root.end
		if n := len(sh.items); n > 0 {
			end = sh.items[n-1].end
		}
		s = s[:end] + closers[sh.form]
	}
	return s, sh, nil
}

// outsideProlog is what stands before the root besides declarations and comments.
func outsideProlog(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.Index(s, "<")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		switch {
		case strings.HasPrefix(s, "<!--"):
			s = s[skipPast(s, 4, "-->"):]
		case strings.HasPrefix(s, "<?"), strings.HasPrefix(s, "<!"):
			s = s[skipPast(s, 2, ">"):]
		default:
			b.WriteByte('<')
			s = s[1:]
		}
	}
	return b.String()
}

// textElements are the elements whose text outlets write without escaping it.
var textElements = []string{"title", "description", "summary", "content:encoded", "content", "author", "dc:creator", "category"}

// mendItem puts the text of an item's elements into CDATA, so that markup
// which was neither escaped nor closed cannot break the item.
func mendItem(item string) string {
	for _, name := range textElements {
		item = wrapText(item, name)
	}
	return item
}

// wrapText wraps what stands between the first <name …> and the last </name>.
func wrapText(item, name string) string {
	lower := strings.ToLower(item)
	from := 0
	for {
		i := strings.Index(lower[from:], "<"+name)
		if i < 0 {
			return item
		}
		from += i
		if next := from + 1 + len(name); next < len(item) && !isNameByte(item[next]) {
			break
		}
		from++
	}
	open, ok := tagEnd(item, from+1+len(name))
	end := strings.LastIndex(lower, "</"+name)
	if !ok || end < open || item[open-2] == '/' {
		return item
	}
	text := strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(item[open:end])
	return item[:open] + "<![CDATA[" + text + "]]>" + item[end:]
}
