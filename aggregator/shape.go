package aggregator

import (
	"html"
	"slices"
	"strings"
)

const (
	// maxDepth bounds how deep elements may nest: two million nested elements
	// are 32 KB gzipped, and overflow the stack of encoding/xml where no recover
	// can catch it.
	maxDepth = 2000
	// maxElements bounds the elements of the items that are read: a million in
	// one item cost the parser 400 MB (measured, gofeed 1.4.2). It leaves 250 for
	// each of the thousand items of defaultMaxItems.
	maxElements = 250_000
)

// shape is how a feed document is built: its root, and where its items lie.
type shape struct {
	root     tag
	form     string // rss, feed, rdf
	items    []span
	surplus  int  // items beyond the limit
	depth    int  // of elements within the document, or within an item that is open
	elements int  // outside surplus items
	open     bool // an item begins before the last one has ended
	cut      bool // the document ends inside an item
}

// span is the place of one item; open if its end tag is missing.
type span struct {
	start, end int
	open       bool
}

// voidElements nest nothing, whether or not they are closed.
var voidElements = map[string]bool{"br": true, "img": true, "hr": true, "p": true, "li": true, "input": true, "meta": true,
	"link": true, "col": true, "embed": true, "param": true, "source": true, "wbr": true, "area": true, "base": true}

// shapeOf finds the root and at most maxItems items of a feed.
func shapeOf(s string, maxItems int) (sh shape, ok bool) {
	in := -1 // where the item begins that is open
	var nest nesting
	scan(s, func(t tag) {
		switch {
		case sh.form == "":
			sh.form, sh.root = formOf(t), t
		case sh.isItem(t) && len(sh.items) == maxItems:
			if !t.closing {
				sh.surplus++
			}
		case sh.surplus > 0:
		case sh.isItem(t) && t.empty:
			if in < 0 {
				sh.items = append(sh.items, span{t.start, t.end, false})
			}
		case sh.isItem(t) && !t.closing:
			if in >= 0 {
				sh.items, sh.open = append(sh.items, span{in, t.start, true}), true
				if len(sh.items) == maxItems {
					in, sh.surplus = -1, 1
					return
				}
			}
			in = t.start
			nest.reset()
		case sh.isItem(t):
			if in >= 0 {
				sh.items = append(sh.items, span{in, t.end, false})
				in = -1
				nest.reset()
			}
		default:
			if t.prefix != "" || !voidElements[t.name] {
				nest.meet(t)
			}
			if !t.closing {
				sh.elements++
			}
			sh.depth = max(sh.depth, len(nest.names))
		}
	}, func(int) {}, func(int, int) {})
	sh.cut = in >= 0
	return sh, sh.form != ""
}

// isItem says whether a tag is that of an item. Its prefix is the root's, so
// that an extension's element of that name is none.
func (sh *shape) isItem(t tag) bool {
	switch sh.form {
	case "rdf":
		return t.name == "item"
	case "feed":
		return t.name == "entry" && t.prefix == sh.root.prefix
	}
	return t.name == "item" && t.prefix == sh.root.prefix
}

// nesting is the stack of the elements that are open, as a forgiving parser
// keeps it: an end tag closes all down to its element, and means nothing if
// that is not open.
type nesting struct {
	names []string
	count map[string]int // of each name among names
}

func (n *nesting) reset() {
	n.names = n.names[:0]
	clear(n.count)
}

func (n *nesting) meet(t tag) {
	switch {
	case t.empty:
	case !t.closing && len(n.names) <= maxDepth:
		if n.count == nil {
			n.count = map[string]int{}
		}
		n.names = append(n.names, t.name)
		n.count[t.name]++
	case t.closing && n.count[t.name] > 0:
		for {
			last := n.names[len(n.names)-1]
			n.names = n.names[:len(n.names)-1]
			n.count[last]--
			if last == t.name {
				return
			}
		}
	}
}

// childText is the text of the element that a path of names leads to within an
// item, or "".
func childText(item string, path ...string) string {
	_, text := childOf(item, path...)
	return text
}

// childOf is the start tag of the element that a path of names leads to within
// an item, and its text; both are empty if there is none.
func childOf(item string, path ...string) (start, text string) {
	var nest nesting
	var open tag
	end := -1
	var own string // the item's prefix
	at := func() bool { return len(nest.names) == len(path)+1 && slices.Equal(nest.names[1:], path) }
	scan(item, func(t tag) {
		if t.closing && open.end > 0 && end < 0 && at() {
			end = t.start
		}
		nest.meet(t)
		switch {
		case t.start == 0:
			own = t.prefix
		case !t.closing && !t.empty && open.end == 0 && t.prefix == own && at():
			open = t
		}
	}, func(int) {}, func(int, int) {})
	if end < 0 {
		return "", ""
	}
	start = item[open.start:open.end]
	text = strings.TrimSpace(item[open.end:end])
	if plain, ok := strings.CutPrefix(text, "<![CDATA["); ok {
		return start, strings.TrimSpace(strings.TrimSuffix(plain, "]]>"))
	}
	return start, html.UnescapeString(text)
}

// nameAt is the element's name that begins at s[at].
func nameAt(s string, at int) string {
	end := at
	for end < len(s) && isNameByte(s[end]) {
		end++
	}
	return s[at:end]
}

func formOf(t tag) string {
	if t.closing {
		return ""
	}
	switch t.name {
	case "rss", "feed", "rdf":
		return t.name
	}
	return ""
}

func (sh shape) moved(by int) shape {
	sh.root.start, sh.root.end = sh.root.start+by, sh.root.end+by
	items := make([]span, len(sh.items))
	for i, it := range sh.items {
		items[i] = span{it.start + by, it.end + by, it.open}
	}
	sh.items = items
	return sh
}

// single wraps one item into a document of its own.
func (sh shape) single(s, item string) string {
	root := s[sh.root.start:sh.root.end]
	if sh.root.empty {
		root = strings.TrimSuffix(root, "/>") + ">"
	}
	if sh.form == "rss" {
		root += "<channel>"
	}
	return root + item + closers[sh.form]
}
