package aggregator

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator/vi"
)

// finding is what became of one check of an expectation.
type finding int

const (
	notApplicable finding = iota // it asks for what an Entry does not hold
	held
	failed
)

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
