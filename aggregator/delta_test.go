package aggregator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// deltaSource is the source of these tests.
var deltaSource = SourceConfig{ID: "s", Kind: "feed"}

func feedDoc(body string) *Document {
	return &Document{URL: "https://x.vn/rss", FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{}, Body: []byte(body), At: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
}

// checkDelta reads two documents of a source one after the other, and compares
// what the second brings by parts with what it brings whole: the same entries
// less those known, and for these the same as the first document brought.
func checkDelta(t *testing.T, n *normaliser, first, second *Document) (known int) {
	t.Helper()
	lim := Limits{}.withDefaults()
	before, err := readFeed(first, deltaSource, lim)
	if err != nil {
		return 0
	}
	part, errPart := readFeedSince(second, deltaSource, lim, before.memory)
	whole, errWhole := readFeed(second, deltaSource, lim)
	if (errPart == nil) != (errWhole == nil) {
		t.Fatalf("by parts: %v; whole: %v", errPart, errWhole)
	}
	if len(part.known) == 0 {
		if len(part.entries)+len(whole.entries) > 0 && !reflect.DeepEqual(part.entries, whole.entries) {
			t.Fatalf("nothing known, and yet the entries differ:\n%v\n%v", part.entries, whole.entries)
		}
		return 0
	}
	compareDelta(t, n, before, part, whole)
	return len(part.known)
}

// compareDelta compares entries and the items that come of them.
func compareDelta(t *testing.T, n *normaliser, before, part, whole reading) {
	t.Helper()
	had := map[string]Entry{}
	for _, e := range before.entries {
		had[identify(&e, "s").alias] = e
	}
	var left []Entry
	var known []string
	fresh := 0
	for _, e := range whole.entries {
		if fresh < len(part.entries) && reflect.DeepEqual(e, part.entries[fresh]) {
			fresh++
			left = append(left, e)
			continue
		}
		alias := identify(&e, "s").alias
		known = append(known, alias)
		if old, ok := had[alias]; !ok || !reflect.DeepEqual(old, e) {
			t.Fatalf("left out, but not known:\n%+v\nhad %+v", e, old)
		}
	}
	if fresh != len(part.entries) || !slices.Equal(known, part.known) {
		t.Fatalf("%d of %d entries agree; known %q, want %q", fresh, len(part.entries), part.known, known)
	}
	old, all, some := n.items(before.entries, new(repairs)), n.items(whole.entries, new(repairs)), n.items(left, new(repairs))
	for _, it := range all {
		same := func(o store.Item) bool { return reflect.DeepEqual(o, it) }
		if !slices.ContainsFunc(some, same) && !slices.ContainsFunc(old, same) {
			t.Fatalf("the item %q comes of the whole document only", it.Title)
		}
	}
	var want []string
	for _, it := range all {
		want = append(want, it.Aliases[0])
	}
	got := Report{Items: some, Known: part.known, order: part.order}.contents()
	got = slices.DeleteFunc(got, func(alias string) bool { return !slices.Contains(want, alias) }) // known, but no article
	if !slices.Equal(got, want) {
		t.Fatalf("the document holds %q, want %q", got, want)
	}
	for _, it := range some {
		if !slices.ContainsFunc(all, func(o store.Item) bool { return reflect.DeepEqual(o, it) }) {
			t.Fatalf("the item %q comes of the part only", it.Title)
		}
	}
}

func deltaNormaliser(t testing.TB) *normaliser {
	t.Helper()
	c, err := NewClassifier(testTopics())
	if err != nil {
		t.Fatal(err)
	}
	return &normaliser{outlet: store.Outlet{ID: "x", Domains: []string{"x.vn"}}, source: deltaSource, zone: store.Zone,
		now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), names: NewNames(nil), classify: c}
}

// deltaFeeds are documents as outlets make them, well-formed and not.
func deltaFeeds() map[string]string {
	items := ""
	atoms := ""
	for n := range 5 {
		items += deltaItem(n, n == 0)
		atoms += fmt.Sprintf("<entry><title type=\"html\">Tin &lt;b&gt;số&lt;/b&gt; %d</title><link href=\"/tin/%d\"/><id>tag:x.vn,2026:%d</id><updated>2026-03-01T0%d:00:00+07:00</updated><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Lời việt</p><!-- chú --><br/></div></content></entry>\n", n, n, n, n)
	}
	head := strings.Replace(rssHead, "<rss ", `<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" `, 1)
	dated := "<lastBuildDate>Mon, 02 Mar 2026 00:00:00 +0700</lastBuildDate><description>Việt Nữ Kế</description>"
	return map[string]string{
		"rss":          head + dated + items + "</channel></rss>",
		"crlf":         strings.ReplaceAll(head+dated+items+"</channel></rss>", "\n", "\r\n"),
		"tail":         head + items + dated + "<!-- 0.12 s --></channel></rss>\n<!-- cache -->",
		"english":      strings.NewReplacer("ệ", "e", "ữ", "u", "ế", "e").Replace(rssHead) + rssItem("A “quote”", "") + rssItem("B", "") + rssItem("Café", "") + "</channel></rss>",
		"zero width":   head + dated + strings.ReplaceAll(items, "quy hoạch", "quy\u200b hoạch") + "</channel></rss>",
		"decomposed":   head + dated + strings.ReplaceAll(items, "ạ", "a\u0323") + "</channel></rss>",
		"atom":         `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="vi" xml:base="https://x.vn/"><title>Điểm tin</title><updated>2026-03-01T00:00:00Z</updated>` + atoms + "</feed>",
		"rdf":          `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Việt</title></channel>` + items + "</rdf:RDF>",
		"same link":    head + rssItem("Một", "<guid>1</guid>") + rssItem("Mhai", "<guid>2</guid>") + items + "</channel></rss>",
		"same guid":    head + rssItem("Một", "<guid>1</guid>") + rssItem("Hai", "<guid>1</guid>") + items + "</channel></rss>",
		"not escaped":  head + items + rssItem("Một", "<description><img src=a.jpg> Lời</description>") + "</channel></rss>",
		"windows-1258": strings.Replace(head, "utf-8", "windows-1258", 1) + "<description>Vi\xea\xf2t</description>" + rssItem("A", "<description>Vi\xea\xf2t Nam</description>") + rssItem("B", "") + rssItem("C", "") + "</channel></rss>",
	}
}

// edit changes a document at random as outlets do, and as they should not.
func edit(rng *rand.Rand, body []byte) []byte {
	o, ok := outlineXML(body)
	if !ok || len(o.items) == 0 {
		return spoil(rng, body)
	}
	it := o.items[rng.IntN(len(o.items))]
	item := string(body[it.start:it.end])
	put := func(from, to int, s string) []byte {
		return slices.Concat(body[:from], []byte(s), body[to:])
	}
	name := o.above[len(o.above)-1].end
	switch rng.IntN(14) {
	case 0: // edited
		return put(it.start, it.end, strings.Replace(item, "title>", "title>Sửa: ", 1))
	case 1: // new
		s := strings.NewReplacer("tin-", "moi-", "guid", "guid", "<id>", "<id>moi", "/tin/", "/moi/", "x.vn/", "x.vn/moi").Replace(item)
		return put(it.start, it.start, s)
	case 2: // gone
		return put(it.start, it.end, "")
	case 3: // moved to the front
		return slices.Concat(body[:o.items[0].start], []byte(item), body[o.items[0].start:it.start], body[it.end:])
	case 4: // made at another time
		return bytes.Replace(body, []byte("00:00:00"), fmt.Appendf(nil, "0%d:00:00", rng.IntN(9)), 1)
	case 5: // another head
		return put(name, name, "<title>Khác</title>")
	case 6: // another base
		return put(name, name, "<link>https://x.vn/khac/</link>")
	case 7: // standing twice
		return put(it.end, it.end, item)
	case 8: // a new article under an old address, or an old guid
		s := strings.Replace(item, "title>", "title>Bài mới: ", 1)
		if rng.IntN(2) == 0 {
			s = strings.NewReplacer("guid", "author", "<id>", "<rights>", "</id>", "</rights>").Replace(s)
		}
		return put(it.start, it.start, s)
	case 9: // never closed
		return put(it.end-3, it.end, "")
	case 10: // an unclosed comment, quote or CDATA
		at := it.start + rng.IntN(len(item))
		return put(at, at, []string{"<!--", "<![CDATA[", "]]>", `<a b="`, "</item>", "<item>", "&#8;", "<", "\u200b", "\u0338", "\xc3", "-->", "<entry/>", "&"}[rng.IntN(14)])
	case 11: // between the items
		return put(it.end, it.end, []string{"</div>", "<!-- x -->", "<!-- -- -->", "\u0338", "<a/>", "chữ", "<pubDate>x</pubDate>", "<pubDate>]]></pubDate>", "<?x?>", "<x:item/>"}[rng.IntN(10)])
	case 12: // decoration of the root
		return put(name-1, name-1, []string{` a="b"`, ` xml:base="https://y.vn/"`, ` xmlns="urn:x"`}[rng.IntN(3)])
	}
	return spoil(rng, body)
}

// spoil changes some bytes anywhere.
func spoil(rng *rand.Rand, body []byte) []byte {
	body = bytes.Clone(body)
	if len(body) == 0 {
		return body
	}
	for range 1 + rng.IntN(2) {
		at := rng.IntN(len(body))
		switch rng.IntN(3) {
		case 0:
			body[at] = `<>"'&/!-]x`[rng.IntN(10)]
		case 1:
			body = slices.Delete(body, at, min(at+1+rng.IntN(8), len(body)))
		default:
			from := rng.IntN(len(body))
			body = slices.Insert(body, at, body[from:min(from+rng.IntN(300), len(body))]...)
		}
		if len(body) == 0 {
			return body
		}
	}
	return body
}

// What a document brings by parts is what it brings whole, whatever changed.
func TestDeltaIsWhole(t *testing.T) {
	t.Parallel()
	n := deltaNormaliser(t)
	for name, body := range deltaFeeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, uint64(len(body))))
			const edits = 100
			byParts := 0
			for range edits {
				next := []byte(body)
				for range 1 + rng.IntN(3) {
					next = edit(rng, next)
				}
				if checkDelta(t, n, feedDoc(body), feedDoc(string(next))) > 0 {
					byParts++
				}
			}
			if byParts < edits/10 && name != "not escaped" {
				t.Errorf("%d of %d documents were read by parts", byParts, edits)
			}
		})
	}
}

// The same over documents that nobody here wrote.
func TestDeltaIsWholeOverCorpus(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	documents, byParts := 0, 0
	n := deltaNormaliser(t)
	corpus(t, func(name string, doc *Document) {
		for range 2 {
			next := *doc
			next.Body = edit(rng, doc.Body)
			documents++
			if checkDelta(t, n, doc, &next) > 0 {
				byParts++
			}
			if t.Failed() {
				t.Fatal(name)
			}
		}
	})
	t.Logf("%d documents, %d read by parts", documents, byParts)
}

// Each change leaves just these items to be read.
func TestDelta(t *testing.T) {
	t.Parallel()
	item := func(n int) string { return deltaItem(n, false) }
	head := strings.Replace(rssHead, "<rss ", `<rss xmlns:dc="http://purl.org/dc/elements/1.1/" `, 1)
	const end = "</channel></rss>"
	first := head + item(1) + item(2) + item(3) + end
	for _, tt := range []struct {
		name, second string
		read, known  int
	}{
		{"the same", first, 0, 3},
		{"one new", head + item(4) + item(1) + item(2) + end, 1, 2},
		{"one edited", head + item(1) + strings.Replace(item(2), "Phóng viên", "Phóng sự", 1) + item(3) + end, 1, 2},
		{"another order", head + item(3) + item(2) + item(1) + end, 0, 3},
		{"all but one gone", head + item(3) + end, 0, 1},
		{"all new", head + item(4) + item(5) + end, 2, 0},
		{"made later", head + "<lastBuildDate>Mon, 02 Mar 2026 00:00:00 +0700</lastBuildDate>" + item(4) + item(1) + end, 1, 1},
		{"another language", head + "<language>en</language>" + item(4) + item(1) + end, 2, 0},
		{"the address of a known item", head + strings.Replace(item(1), "<guid isPermaLink=\"true\">", "<guid>khac", 1) + item(1) + end, 2, 0},
		{"a broken item", head + item(4) + item(1) + "<item><title>x</titel></item>" + end, 3, 0},
	} {
		lim := Limits{}.withDefaults()
		before, err := readFeed(feedDoc(first), deltaSource, lim)
		if err != nil {
			t.Fatal(err)
		}
		rd, err := readFeedSince(feedDoc(tt.second), deltaSource, lim, before.memory)
		if err != nil || len(rd.entries) != tt.read || len(rd.known) != tt.known {
			t.Errorf("%s: %d read, %d known, want %d and %d; %v", tt.name, len(rd.entries), len(rd.known), tt.read, tt.known, err)
		}
	}
}

// After some hours a feed is read whole, by parts as it could be.
func TestDeltaEnds(t *testing.T) {
	t.Parallel()
	lim := Limits{}.withDefaults()
	doc := feedDoc(rssHead + rssItem("Một", "<description>Tết về, biển lặng, mọi người về</description>") + "</channel></rss>")
	rd, err := readFeed(doc, deltaSource, lim)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		known int
	}{{wholeEvery - time.Second, 1}, {wholeEvery, 0}, {-time.Hour, 0}} {
		later := *doc
		later.At = doc.At.Add(tt.after)
		if again, err := readFeedSince(&later, deltaSource, lim, rd.memory); err != nil || len(again.known) != tt.known {
			t.Errorf("after %v: %d known, want %d; %v", tt.after, len(again.known), tt.known, err)
		}
	}
}

func FuzzDelta(f *testing.F) {
	item := rssItem("Tin", "<guid>1</guid><description>Tết về, biển lặng &lt;p&gt; mọi người</description>")
	item2 := rssItem("Hai", "<guid>2</guid><content><![CDATA[<p>Lời</item>]]></content><!-- x -->")
	entry := `<entry xml:base="/a/"><title type="xhtml"><div>Tết về biển</div></title><id>i</id><link href="l"/></entry>`
	for _, pair := range [][2]string{
		{rssHead + item + "</channel></rss>", rssHead + item2 + item + "</channel></rss>"},
		{rssHead + item + item2 + "</channel></rss>", rssHead + "<pubDate>1</pubDate>" + item2 + "</channel></rss>"},
		{"<feed>" + entry + "</feed>", "<feed><updated>x</updated>" + entry + strings.ReplaceAll(entry, "i", "j") + "</feed>"},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	n := deltaNormaliser(f)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		checkDelta(t, n, feedDoc(string(first)), feedDoc(string(second)))
	})
}

// A document is remembered only if its parts mean by themselves what they
// mean within it.
func TestRemembered(t *testing.T) {
	t.Parallel()
	item := rssItem("Một", "<description>Tết về biển lặng</description>")
	for _, tt := range []struct {
		name, body string
		items      int // remembered; -1 = no memory
	}{
		{"plain", rssHead + item + rssItem("Hai", "") + "</channel></rss>", 2},
		{"an end of CDATA that cleaning makes", rssHead + "<item><title><![CDATA[Hai]\u200b]></title><link>https://x.vn/2</link><description><![CDATA[x]]></description></item>" + item + "</channel></rss>", -1},
		{"no identity", rssHead + item + "<item><title>Hai</title></item></channel></rss>", 1},
		{"one link, two titles", rssHead + item + rssItem("Mai", "") + rssItem("Hai", "") + "</channel></rss>", 1},
		{"recovered", rssHead + item + rssItem("Hai", "<description><img src=a></description>") + "</channel></rss>", -1},
		{"cut off", rssHead + item, -1},
		{"JSON Feed", `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"https://x.vn/1","title":"Một"}]}`, -1},
	} {
		rd, err := readFeed(feedDoc(tt.body), deltaSource, Limits{}.withDefaults())
		got := -1
		if rd.memory != nil {
			got = len(rd.memory.items)
		}
		if err != nil || got != tt.items {
			t.Errorf("%s: %d items, want %d; %v", tt.name, got, tt.items, err)
		}
	}
}
