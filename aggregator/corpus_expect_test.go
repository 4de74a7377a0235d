package aggregator

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"diemtin/aggregator/vi"
)

// finding is what became of one check of an expectation.
type finding int

const (
	notApplicable finding = iota // it asks for what an Entry does not hold
	held
	failed
)

// check is one comparison of an expectation, as `entries[0]['title'] == 'A'`.
type check struct {
	text string   // as it stands
	path []string // entries 0 title; "len" before it for its length
	want any      // string, int64, []any, map[string]any, bool, nil
	none bool     // the path must lead nowhere
}

// checksOf takes an expectation apart at its "and", and a == b == c into two
// checks. A part that is neither a comparison with a literal nor about a
// missing key has no path.
func checksOf(expect string) []check {
	var all []check
	for _, part := range splitTop(expect, " and ") {
		part = strings.TrimSpace(part)
		if inner, ok := strings.CutPrefix(part, "("); ok && strings.HasSuffix(inner, ")") {
			all = append(all, checksOf(strings.TrimSuffix(inner, ")"))...)
			continue
		}
		if m := missingKey.FindStringSubmatch(part); m != nil {
			all = append(all, check{text: part, path: pathOf(m[1] + "." + m[2]), none: true})
			continue
		}
		sides := splitTop(part, "==")
		last := len(sides) - 1
		lit := literal{s: sides[last]}
		want, err := lit.whole()
		if err != nil || last == 0 {
			all = append(all, check{text: part})
			continue
		}
		for _, side := range sides[:last] {
			all = append(all, check{text: part, path: pathOf(side), want: want})
		}
	}
	return all
}

var (
	missingKey  = regexp.MustCompile(`^not (.+)\.has_key\('(\w+)'\)$`)
	pathPattern = regexp.MustCompile(`^\w+(\.\w+|\['\w+'\]|\[\d+\])*$`)
	pathStep    = regexp.MustCompile(`\w+`)
	lenPattern  = regexp.MustCompile(`^len\((.+)\)$`)
)

// pathOf are the steps of a Python access path, or nil.
func pathOf(s string) []string {
	s = strings.TrimSpace(s)
	if m := lenPattern.FindStringSubmatch(s); m != nil {
		if p := pathOf(m[1]); p != nil {
			return append([]string{"len"}, p...)
		}
		return nil
	}
	if !pathPattern.MatchString(s) {
		return nil
	}
	return pathStep.FindAllString(s, -1)
}

// splitTop splits at a separator outside quotes and brackets.
func splitTop(s, sep string) []string {
	var parts []string
	depth, start := 0, 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], sep):
			parts, start = append(parts, s[start:i]), i+len(sep)
			i = start - 1
		}
	}
	return append(parts, s[start:])
}

// literal reads a Python literal.
type literal struct {
	s string
	i int
}

var errLiteral = errors.New("no literal")

func (l *literal) space() {
	for l.i < len(l.s) && (l.s[l.i] == ' ' || l.s[l.i] == '\t' || l.s[l.i] == '\r') {
		l.i++
	}
}

func (l *literal) eat(s string) bool {
	l.space()
	if !strings.HasPrefix(l.s[l.i:], s) {
		return false
	}
	l.i += len(s)
	return true
}

func (l *literal) whole() (any, error) {
	v, err := l.value()
	if l.space(); err == nil && l.i < len(l.s) {
		err = errLiteral
	}
	return v, err
}

func (l *literal) value() (any, error) {
	for word, v := range map[string]any{"None": nil, "True": true, "False": false} {
		if l.eat(word) {
			return v, nil
		}
	}
	switch {
	case l.eat("("):
		return l.list(")")
	case l.eat("["):
		return l.list("]")
	case l.eat("{"):
		return l.dict()
	case l.atString():
		return l.joined()
	}
	start := l.i
	for l.i < len(l.s) && strings.IndexByte("-0123456789.", l.s[l.i]) >= 0 {
		l.i++
	}
	if n, err := strconv.ParseInt(l.s[start:l.i], 10, 64); err == nil {
		return n, nil
	}
	return strconv.ParseFloat(l.s[start:l.i], 64)
}

func (l *literal) list(end string) (any, error) {
	all := []any{}
	for !l.eat(end) {
		v, err := l.value()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if !l.eat(",") && l.i < len(l.s) && l.s[l.i] != end[0] {
			return nil, errLiteral
		}
	}
	return all, nil
}

func (l *literal) dict() (any, error) {
	all := map[string]any{}
	for !l.eat("}") {
		key, err := l.value()
		if err != nil || !l.eat(":") {
			return nil, errLiteral
		}
		if all[fmt.Sprint(key)], err = l.value(); err != nil {
			return nil, err
		}
		if !l.eat(",") && l.i < len(l.s) && l.s[l.i] != '}' {
			return nil, errLiteral
		}
	}
	return all, nil
}

// atString says whether a string begins here, and goes to its quote.
func (l *literal) atString() bool {
	l.space()
	at := l.i
	if at < len(l.s) && l.s[at] == 'u' {
		at++
	}
	if at < len(l.s) && (l.s[at] == '\'' || l.s[at] == '"') {
		l.i = at
		return true
	}
	return false
}

// joined reads strings side by side, with or without a plus between them.
func (l *literal) joined() (any, error) {
	var all strings.Builder
	for {
		if err := l.quoted(&all); err != nil {
			return nil, err
		}
		plus := l.eat("+")
		if !l.atString() {
			if plus {
				return nil, errLiteral
			}
			return all.String(), nil
		}
	}
}

// escapeDigits are the lengths of the numeric escapes.
var escapeDigits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

func (l *literal) quoted(b *strings.Builder) error {
	quote := l.s[l.i]
	if long := strings.Repeat(string(quote), 3); strings.HasPrefix(l.s[l.i:], long) {
		l.i += len(long)
		text, rest, ok := strings.Cut(l.s[l.i:], long)
		if !ok || strings.Contains(text, `\`) {
			return errLiteral
		}
		b.WriteString(text)
		l.i = len(l.s) - len(rest)
		return nil
	}
	for l.i++; l.i < len(l.s); l.i++ {
		c := l.s[l.i]
		switch {
		case c == quote:
			l.i++
			return nil
		case c != '\\' || l.i+1 == len(l.s):
			b.WriteByte(c)
			continue
		}
		l.i++
		c = l.s[l.i]
		if n := escapeDigits[c]; n > 0 && l.i+n < len(l.s) {
			code, err := strconv.ParseUint(l.s[l.i+1:l.i+1+n], 16, 32)
			if err != nil {
				return err
			}
			b.WriteRune(rune(code))
			l.i += n
			continue
		}
		if at := strings.IndexByte(`ntr\'"`, c); at >= 0 {
			b.WriteByte("\n\t\r\\'\""[at])
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	return errLiteral
}

// expectation judges checks against what was read of a document.
//
// The comparison is of what an item keeps. Texts are compared as a reader sees
// them, on one line, since we keep other markup than feedparser by design;
// markup without text is compared by its picture, or not at all. Addresses are
// compared as cleanLink leaves them, people by their names, times to the second.
type expectation struct {
	entries []Entry
	n       normaliser
}

// judge also names the kind of field that a check is about.
func (x *expectation) judge(c check) (finding, string, string) {
	path, length := c.path, false
	if len(path) > 0 && path[0] == "len" {
		path, length = path[1:], true
	}
	switch {
	case strings.Contains(c.text, "bozo") || c.text == "1" || c.text == "":
		return notApplicable, "well-formed or not", ""
	case len(path) == 0:
		return notApplicable, "other", ""
	case path[0] != "entries":
		return notApplicable, path[0], ""
	case length && len(path) == 1:
		return same("count", fmt.Sprint(len(x.entries)), fmt.Sprint(c.want))
	case len(path) < 3:
		return notApplicable, "other", ""
	}
	i, err := strconv.Atoi(path[1])
	if err != nil {
		return notApplicable, "other", ""
	}
	if i >= len(x.entries) {
		v, kind, _ := x.judgeEntry(&Entry{}, c, path[2:], length)
		if v == notApplicable {
			return v, kind, ""
		}
		return failed, kind, "there is no such entry"
	}
	return x.judgeEntry(&x.entries[i], c, path[2:], length)
}

// judgeEntry judges a check of an entry by the path within it.
func (x *expectation) judgeEntry(e *Entry, c check, path []string, length bool) (finding, string, string) {
	field := strings.Join(path, ".")
	switch {
	case length:
		return lengthOf(e, field, c.want)
	case c.none:
		return x.missing(e, field)
	}
	switch want := c.want.(type) {
	case string:
		return x.text(e, field, want)
	case []any:
		return x.list(e, field, want)
	}
	return foreign(field)
}

// foreign is the finding on a field that an Entry does not hold.
func foreign(field string) (finding, string, string) {
	name, _, _ := strings.Cut(field, ".")
	return notApplicable, "entry " + name, ""
}

func same(kind, got, want string) (finding, string, string) {
	if got != want {
		return failed, kind, fmt.Sprintf("got %q, want %q", got, want)
	}
	return held, kind, ""
}

func lengthOf(e *Entry, field string, want any) (finding, string, string) {
	switch field {
	case "tags":
		return same("tags", fmt.Sprint(len(e.Categories)), fmt.Sprint(want))
	case "enclosures":
		return same("enclosures", fmt.Sprint(len(e.Enclosures)), fmt.Sprint(want))
	case "authors":
		return same("author", fmt.Sprint(len(e.Authors)), fmt.Sprint(want))
	}
	return foreign(field)
}

func (x *expectation) missing(e *Entry, field string) (finding, string, string) {
	switch field {
	case "link":
		return same("link", x.link(e), "")
	case "title":
		return same("title", e.Title, "")
	}
	return foreign(field)
}

// link is an entry's link by the normaliser's rule, which like feedparser's
// takes the guid where there is none.
func (x *expectation) link(e *Entry) string {
	link, ok := cleanLink(e.Link, e.Base, nil)
	if !ok {
		link, _ = cleanLink(e.GUID, "", nil)
	}
	return link
}

var (
	listStep  = regexp.MustCompile(`^(tags|enclosures|authors|content|media_thumbnail)\.(\d+)\.(\w+)$`)
	nameMail  = regexp.MustCompile(`^(.+?)\s*\([^()]*@[^()]*\)$`)
	wantImage = regexp.MustCompile(`(?i)<img\s`)
)

func (x *expectation) text(e *Entry, field, want string) (finding, string, string) {
	if m := listStep.FindStringSubmatch(field); m != nil {
		i, _ := strconv.Atoi(m[2])
		return x.member(e, m[1], i, m[3], want)
	}
	switch field {
	case "title", "title_detail.value":
		return sameText("title", e.Title, e, want)
	case "summary", "description", "subtitle", "summary_detail.value":
		return sameText("summary", firstNonEmpty(e.Summary, e.Content), e, want)
	case "link":
		link, ok := cleanLink(want, "", nil)
		if !ok {
			return notApplicable, "link to no page", ""
		}
		return same("link", x.link(e), link)
	case "id", "guid":
		return same("id", strings.TrimSpace(e.GUID), want)
	case "author", "author_detail.name":
		if m := nameMail.FindStringSubmatch(want); m != nil {
			want = m[1]
		}
		return same("author", memberOf(e.Authors, 0), want)
	case "published":
		return same("date as it stands", strings.TrimSpace(e.Published), want)
	case "updated":
		return same("date as it stands", strings.TrimSpace(firstNonEmpty(e.Updated, e.Published)), want)
	case "category":
		return same("tags", memberOf(e.Categories, 0), want)
	}
	return foreign(field)
}

// member compares a field of one of an entry's lists.
func (x *expectation) member(e *Entry, list string, i int, field, want string) (finding, string, string) {
	switch {
	case list == "tags" && field == "term":
		return same("tags", memberOf(e.Categories, i), want)
	case list == "authors" && field == "name":
		return same("author", memberOf(e.Authors, i), want)
	case list == "content" && field == "value" && i == 0:
		return sameText("content", e.Content, e, want)
	case list == "media_thumbnail" && field == "url" && i == 0:
		return same("image", e.Image, want)
	case list != "enclosures":
	case i >= len(e.Enclosures):
		return failed, list, "there is no such enclosure"
	case field == "href", field == "url":
		got, _ := cleanLink(e.Enclosures[i].URL, e.Base, nil)
		return same(list, got, want)
	case field == "length":
		return same(list, e.Enclosures[i].Length, want)
	case field == "type":
		return same(list, e.Enclosures[i].Type, want)
	}
	return foreign(list)
}

func memberOf(all []string, i int) string {
	if i >= len(all) {
		return ""
	}
	return vi.Line(all[i])
}

func sameText(kind, raw string, e *Entry, want string) (finding, string, string) {
	text := lineOf(want)
	switch {
	case text != "":
		return same(kind, lineOf(sanitisedIfHTML(kind, raw, e)), text)
	case wantImage.MatchString(want) && kind != "title":
		return same("image", firstImage(sanitised(raw, e.Base)), firstImage(want))
	}
	return notApplicable, "markup without text", ""
}

// sanitisedIfHTML is a text on its way to readers: contents pass the policy.
func sanitisedIfHTML(kind, raw string, e *Entry) string {
	if kind == "content" {
		return sanitised(raw, e.Base)
	}
	return raw
}

func (x *expectation) list(e *Entry, field string, want []any) (finding, string, string) {
	switch {
	case field == "tags":
		var terms []string
		for _, tag := range want {
			d, _ := tag.(map[string]any)
			terms = append(terms, fmt.Sprint(d["term"]))
		}
		return same("tags", fmt.Sprint(e.Categories), fmt.Sprint(terms))
	case !strings.HasSuffix(field, "_parsed") || len(want) < 6:
		return foreign(field)
	}
	var raw string
	switch field {
	case "published_parsed":
		raw = e.Published
	case "updated_parsed":
		raw = firstNonEmpty(e.Updated, e.Published)
	default:
		return foreign(field)
	}
	var r repairs
	got := x.n.date(raw, e.Parsed, &r)
	var parts [6]int
	for i := range parts {
		n, _ := want[i].(int64)
		parts[i] = int(n)
	}
	wanted := time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], 0, time.UTC)
	return same("date", got.Format(time.DateTime), wanted.Format(time.DateTime))
}

// findings counts findings by the kind of field.
type findings map[string]*[3]int

func (t findings) add(kind string, v finding) {
	if t[kind] == nil {
		t[kind] = new([3]int)
	}
	t[kind][v]++
}

// sum is how many checks apply and how many of them hold.
func (t findings) sum() (holding, applicable, others int) {
	for _, n := range t {
		holding, applicable, others = holding+n[held], applicable+n[held]+n[failed], others+n[notApplicable]
	}
	return holding, applicable, others
}

func (t findings) String() string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		n := t[kind]
		fmt.Fprintf(&b, "\n%-22s held %4d  failed %3d  not applicable %4d", kind, n[held], n[failed], n[notApplicable])
	}
	return b.String()
}

func TestChecksOf(t *testing.T) {
	t.Parallel()
	e := Entry{Title: "Gi\u00e1 & <b>v\u00e0ng</b>", Link: "/a", Base: "http://a.vn/", GUID: "7", Authors: []string{"An"}, Published: "Thu, 01 Jan 2004 19:48:21 GMT",
		Content: `<p>M\u1ed9t</p><img src="http://a.vn/p.jpg">`, Categories: []string{"x", "y"}, Enclosures: []RawEnclosure{{"http://a.vn/1.mp3", "audio/mpeg", "100"}}}
	x := expectation{entries: []Entry{e}, n: testNormaliser(t)}
	for _, tt := range []struct {
		expect string
		want   []finding
	}{
		{`not bozo and entries[0]['title'] == u'Gi\xe1 &amp; ' + 'v\u00e0ng'`, []finding{notApplicable, held}},
		{`entries[0].title == 'Gi\xe1' ' and v\xe0ng'`, []finding{failed}},
		{`entries[0].link == 'http://a.vn/a' and entries[0]['id'] == "7" and len(entries) == 1`, []finding{held, held, held}},
		{`entries[0].link == 'http://a.vn/b' and entries[0]['id'] == '8' and len(entries) == 2`, []finding{failed, failed, failed}},
		{`not entries[0].has_key('link')`, []finding{failed}},
		{`entries[0]['published_parsed'] == (2004, 1, 1, 19, 48, 21, 3, 1, 0)`, []finding{held}},
		{`entries[0]['published_parsed'] == (2004, 1, 1, 19, 48, 22, 3, 1, 0)`, []finding{failed}},
		{`entries[0]['tags'] == [{'term': 'x', 'scheme': None}, {'term': 'y'}] and entries[0]['tags'][1]['term'] == 'x'`, []finding{held, failed}},
		{`entries[0]['enclosures'][0]['length'] == '100' and entries[0]['enclosures'][1]['type'] == 'a'`, []finding{held, failed}},
		{`entries[0]['author'] == 'An (an@a.vn)' and entries[0]['author_detail']['email'] == 'an@a.vn'`, []finding{held, notApplicable}},
		{`entries[0]['summary'] == '<div></div>' and feed['title'] == 'A'`, []finding{notApplicable, notApplicable}},
		{`entries[0]['content'][0]['value'] == '<img src="http://a.vn/p.jpg" />'`, []finding{held}},
		{`entries[0]['content'][0]['value'] == '<img src="http://a.vn/q.jpg" />'`, []finding{failed}},
		{`entries[0]['id'] == entries[0]['guid'] == '7'`, []finding{held, held}},
		{`(entries[0]['id'] == '7' and entries[1]['id'] == '7') and entries[0]['author'] == '''An'''`, []finding{held, failed, held}},
		{`entries[1]['title'] == 'A' or bozo`, []finding{notApplicable}},
	} {
		var got []finding
		for _, c := range checksOf(tt.expect) {
			v, _, _ := x.judge(c)
			got = append(got, v)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.expect, got, tt.want)
		}
	}
}

// expectOf finds the expectation in the first comment of a document, whatever
// its encoding.
func expectOf(doc *Document) string {
	text, _ := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
	if !utf8.ValidString(text) {
		return ""
	}
	if m := corpusExpect.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

var corpusExpect = regexp.MustCompile(`Expect:[ \t]*(.+)`)
