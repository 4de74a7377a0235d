package aggregator

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"diemtin/store"
)

const rssHead = `<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Thời sự</title><link>https://x.vn/</link>`

func rssItem(title, rest string) string {
	return "<item><title>" + title + "</title><link>https://x.vn/" + title[:1] + "</link>" + rest + "</item>"
}

func utf16le(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// Each document breaks one rule, as outlets do; every item that is whole must
// still be read.
func TestReadBrokenFeeds(t *testing.T) {
	t.Parallel()
	windows1258, err := charmap.Windows1258.NewEncoder().String("Th\u01b0 t\u01b0\u01a1\u0301ng")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, contentType, body string
		titles                  []string
		repair                  string
	}{
		{"plain", "", rssHead + rssItem("Một", "") + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, ""},
		{"byte order mark and blank lines", "", "\ufeff\n\n" + rssHead + rssItem("Một", "") + "</channel></rss>", []string{"Một"}, ""},
		{"PHP notice before the root", "", "<br />\n<b>Notice</b>: x in y\n" + strings.Repeat("z", 5000) + rssHead + rssItem("Một", "") + "</channel></rss>", []string{"Một"}, "junk_before_root"},
		{"bare <", "", rssHead + rssItem("Giá < 5 triệu", "") + "</channel></rss>", []string{"Giá < 5 triệu"}, "bare_markup"},
		{"control character and its reference", "", rssHead + rssItem("M\x08ột&#8;", "") + "</channel></rss>", []string{"Một"}, "control_characters"},
		{"U+FFFE", "", rssHead + rssItem("M\ufffeột", "") + "</channel></rss>", []string{"Một"}, "control_characters"},
		{"undeclared entity and bare ampersand", "", rssHead + rssItem("Một&nbsp;A & B", "") + "</channel></rss>", []string{"Một A & B"}, ""},
		{"unescaped, unquoted picture", "", rssHead + rssItem("Một", "<description><img src=a.jpg> Lời</description>") + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, "recovered"},
		{"stray end tag between items", "", rssHead + rssItem("Một", "") + "</div>" + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, "recovered"},
		{"cut off in the middle", "", rssHead + rssItem("Một", "") + "<item><title>Hai</tit", []string{"Một"}, "cut_off"},
		{"cut off after an item", "", rssHead + rssItem("Một", ""), []string{"Một"}, ""},
		{"one item hopeless", "", rssHead + rssItem("Một", "") + `<item><title>Hai</title><guid <<>="></guid <a b='></item>` + rssItem("Ba", "") + "</channel></rss>", []string{"Một", "Ba"}, "recovered"},
		{"item never closed", "", rssHead + "<item><title>Một</title><link>https://x.vn/1</link>" + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, "unclosed_item"},
		{"capitals", "", `<RSS VERSION="2.0"><CHANNEL><TITLE>T</TITLE><ITEM><TITLE>Một</TITLE><LINK>https://x.vn/</LINK></ITEM></CHANNEL></RSS>`, []string{"Một"}, ""},
		{"UTF-16 without a mark", "", utf16le(strings.Replace(rssHead, "utf-8", "utf-16", 1) + rssItem("Một", "") + "</channel></rss>"), []string{"Một"}, ""},
		{"UTF-8 labelled utf-16", "", strings.Replace(rssHead, "utf-8", "utf-16", 1) + rssItem("Một", "") + "</channel></rss>", []string{"Một"}, "utf16_mislabelled"},
		{"UTF-8 labelled iso-8859-1", "", strings.Replace(rssHead, "utf-8", "iso-8859-1", 1) + rssItem("Một", "") + "</channel></rss>", []string{"Một"}, ""},
		{"windows-1258 declared in HTTP only", "text/xml; charset=windows-1258", `<rss version="2.0"><channel><title>T</title>` + rssItem(windows1258, "") + "</channel></rss>", []string{"Thư tướng"}, ""},
		{"a character cut in half", "", rssHead + rssItem("Một", "<description>Lời c\xe1\xba</description>") + "</channel></rss>", []string{"Một"}, "invalid_utf8"},
		{"XML 1.1", "", strings.Replace(rssHead, "1.0", "1.1", 1) + rssItem("Một", "") + "</channel></rss>", []string{"Một"}, ""},
		{"Atom", "", `<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><title>Một</title><link href="https://x.vn/1"/><id>a</id></entry></feed>`, []string{"Một"}, ""},
		{"RSS 1.0", "", `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>T</title></channel><item><title>Một</title><link>https://x.vn/1</link></item></rdf:RDF>`, []string{"Một"}, ""},
		{"JSON Feed with a mark", "", "\ufeff" + `{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","url":"https://x.vn/1","title":"Một"}]}`, []string{"Một"}, ""},
		{"JSON Feed with one value of the wrong kind", "", `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"https://x.vn/1","title":"Một"},{"id":"2","url":"https://x.vn/2","title":["Hai"]},{"id":"3","external_url":"https://x.vn/3","title":"1 < 2 & <b>"}]}`, []string{"Một", "1 < 2 & <b>"}, "lost_item"},
		{"JSON Feed cut off", "", `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"https://x.vn/1","title":"Một"},{"id":"2","url":"htt`, []string{"Một"}, "cut_off"},
		{"comment with two hyphens", "", rssHead + rssItem("Một", "<!-- a -- b -->") + "<!-- -- -->" + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, ""},
		{"comment never closed", "", rssHead + rssItem("Một", "") + "<!-- quảng cáo" + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, ""},
		{"CDATA never closed", "", rssHead + rssItem("Một", "") + "<item><title>Hai</title><link>https://x.vn/2</link><description><![CDATA[Lời</description></item>" + rssItem("Ba", "") + "</channel></rss>", []string{"Một", "Hai", "Ba"}, ""},
		{"program text left inside", "", rssHead + rssItem("Một", "<? echo 1 ?>") + "<?php foreach ($a as $b) ?>" + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, ""},
		{"extension elements named item", "", rssHead + rssItem("Một", "<a:item>x</a:item>") + rssItem("Hai", "") + "</channel></rss>", []string{"Một", "Hai"}, ""},
		{"DOCTYPE with declarations", "", `<!DOCTYPE rss [<!ENTITY a "<item>">]>` + rssHead + rssItem("Một", "") + "</channel></rss>", []string{"Một"}, ""},
		{"no items", "", rssHead + "</channel></rss>", nil, ""},
	} {
		doc := &Document{FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{"Content-Type": {tt.contentType}}, Body: []byte(tt.body)}
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var titles []string
		for _, e := range rd.entries {
			titles = append(titles, e.headline())
		}
		if !slices.Equal(titles, tt.titles) {
			t.Errorf("%s: titles %q, want %q; repairs %v", tt.name, titles, tt.titles, rd.repairs)
		}
		if has := slices.ContainsFunc(rd.repairs, func(r Repair) bool { return r.Kind == tt.repair }); tt.repair != "" && !has {
			t.Errorf("%s: repairs %v, want %s among them", tt.name, rd.repairs, tt.repair)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       store.Outcome
		words      string
	}{
		{"empty", "  \n", store.NotAFeed, "empty"},
		{"page", "<!DOCTYPE html><html><body>Xin chào</body></html>", store.NotAFeed, "a web page"},
		{"other JSON", `{"a":1}`, store.NotAFeed, "JSON"},
		{"text", "xin chào", store.NotAFeed, "no rss"},
		{"challenge page", `<html><script>document.cookie="a=b";location.reload()</script></html>`, store.Blocked, "challenge"},
		{"nested elements", rssHead + "<item>" + strings.Repeat("<a>", 100_000), store.TooLarge, "deep"},
		{"nested elements named as HTML's", rssHead + "<item>" + strings.Repeat("<a:p>", 100_000), store.TooLarge, "deep"},
		{"nested elements named as items", rssHead + strings.Repeat("<a:item>", 100_000), store.TooLarge, "deep"},
		{"nested elements in unclosed items", rssHead + strings.Repeat("<item>"+strings.Repeat("<a:b>", 1900), 900), store.TooLarge, "elements"},
		{"more elements than an article has", rssHead + "<item>" + strings.Repeat("<a:b/>", 300_000) + "</item></channel></rss>", store.TooLarge, "elements"},
	} {
		doc := &Document{FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{}, Body: []byte(tt.body)}
		_, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		var f *Fault
		if !errors.As(err, &f) || f.Outcome != tt.want || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v, want %s and %q", tt.name, err, tt.want, tt.words)
		}
	}
}

func TestTooManyItemsAreCut(t *testing.T) {
	t.Parallel()
	const many = 50_000
	for _, tt := range []struct{ name, body string }{
		{"RSS", rssHead + strings.Repeat(rssItem("Một", ""), many) + "</channel></rss>"},
		{"RSS without texts", rssHead + strings.Repeat("<item/>", many) + "</channel></rss>"},
		{"RSS never closed", rssHead + strings.Repeat("<item>", many) + "</channel></rss>"},
		{"JSON", `{"items":[` + strings.Repeat("{},", many-1) + "{}]}"},
	} {
		doc := &Document{FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{}, Body: []byte(tt.body)}
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		if err != nil || len(rd.entries) != defaultMaxItems || rd.repairs[0].Count != many-defaultMaxItems {
			t.Errorf("%s: %d entries, repairs %v, %v", tt.name, len(rd.entries), rd.repairs, err)
		}
	}
}

// What gofeed leaves out of its common structure, or changes there.
func TestReadWhatGofeedChanges(t *testing.T) {
	t.Parallel()
	const atomHead = `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://x.vn/b/"><title>T</title>`
	for _, tt := range []struct {
		name, body string
		got        func(Entry) string
		want       string
	}{
		{"atom:id is no address", atomHead + `<entry><source><id>no</id></source><id> e 1&amp;ả </id></entry></feed>`, func(e Entry) string { return e.GUID }, "e 1&ả"},
		{"the term of a category", atomHead + `<entry><category term="chinh-tri" label="Chính trị"/><category label="Khác"/></entry></feed>`,
			func(e Entry) string { return strings.Join(e.Categories, "|") }, "chinh-tri|Khác"},
		{"an article elsewhere", atomHead + `<entry><content src="https://x.vn/1"/></entry></feed>`, func(e Entry) string { return e.Link }, "https://x.vn/1"},
		{"an image with an address within", rssHead + "<item><image><title>t</title><url><![CDATA[https://x.vn/1.jpg]]></url></image></item></channel></rss>", func(e Entry) string { return e.Image }, "https://x.vn/1.jpg"},
		{"a film's still", rssHead + `<item><media:content url="https://x.vn/1.mp4" medium="video"><media:thumbnail url="https://x.vn/1.jpg"/></media:content></item></channel></rss>`,
			func(e Entry) string { return e.Image }, "https://x.vn/1.jpg"},
		{"an enclosure without a type", rssHead + `<item><enclosure url="https://x.vn/1.JPG?w=9"/></item></channel></rss>`, func(e Entry) string { return e.Image }, "https://x.vn/1.JPG?w=9"},
		{"plain text of JSON Feed", `{"items":[{"id":"1","content_text":"a <b> & c"}]}`, func(e Entry) string { return e.Content }, "a &lt;b&gt; &amp; c"},
	} {
		doc := &Document{FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{}, Body: []byte(tt.body)}
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		if err != nil || len(rd.entries) != 1 || tt.got(rd.entries[0]) != tt.want {
			t.Errorf("%s: %+v, %v; want %q", tt.name, rd.entries, err, tt.want)
		}
	}
}

// What an Atom title of type "text" holds is text, tags that it writes out too;
// unless the whole is an element, which is a wrong label.
func TestReadAtomTitles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ title, want string }{
		{`<title type="text">Thẻ &lt;b&gt; trong HTML</title>`, "Thẻ <b> trong HTML"},
		{`<title type="text">Thẻ &lt;p&gt; &amp; thẻ &lt;/p&gt;</title>`, "Thẻ <p> & thẻ </p>"},
		{`<title type='text/plain'><![CDATA[Thẻ <br> mới]]></title>`, "Thẻ <br> mới"},
		{`<title type="text">A &amp;amp; B</title>`, "A & B"}, // nobody means &amp;
		{`<title type="text">&lt;p&gt;Tin &lt;b&gt;mới&lt;/b&gt;&lt;/p&gt;</title>`, "Tin mới"},
		{`<source><title type="text">x</title></source><title type="html">Thẻ &lt;b&gt;mới</title>`, "Thẻ mới"},
		{`<title>Tin &lt;b&gt;mới&lt;/b&gt; nhất</title>`, "Tin mới nhất"},
		{`<title type="html">Thẻ &amp;lt;b&amp;gt; mới</title>`, "Thẻ <b> mới"},
		{`<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Tin <b>mới</b></div></title>`, "Tin mới"},
	} {
		body := `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><link href="https://x.vn/1"/>` + tt.title + `</entry></feed>`
		doc := &Document{FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{}, Body: []byte(body)}
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		if err != nil || len(rd.entries) != 1 {
			t.Errorf("%s: %d entries, %v", tt.title, len(rd.entries), err)
			continue
		}
		n := testNormaliser(t)
		items := n.items(rd.entries, new(repairs))
		if len(items) != 1 || items[0].Title != tt.want {
			t.Errorf("%s: %+v, want the title %q", tt.title, items, tt.want)
		}
	}
}

func FuzzReadFeed(f *testing.F) {
	f.Add([]byte(rssHead+rssItem("Một", "<description><img src=a.jpg></description>")+"</channel></rss>"), "text/xml; charset=windows-1258")
	f.Add([]byte(`<feed><entry><title type="xhtml"><div>a</div></title></entry><entry>`), "")
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1","items":[{}]}`), "application/json")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		doc := &Document{FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{"Content-Type": {contentType}}, Body: body}
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		var fault *Fault
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("an error without an outcome: %v", err)
		}
		for _, e := range rd.entries {
			if bad := activeMarkup.FindString(sanitised(e.Content, e.Base)); bad != "" {
				t.Errorf("%q left in the content", bad)
			}
		}
	})
}
