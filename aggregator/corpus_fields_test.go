package aggregator

import (
	"fmt"
	"testing"
)

// What feedparser's corpus showed that the reader passed over.
func TestBrokenFields(t *testing.T) {
	t.Parallel()
	const rss = `<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><item>%s</item></channel></rss>`
	const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel rdf:about="http://a.vn/rdf"/>%s</rdf:RDF>`
	const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><entry>%s</entry></feed>`
	for _, tt := range []struct {
		name, form, item string
		got              func(e Entry) string
		want             string
	}{
		{"text in body", rss, `<body xmlns="http://www.w3.org/1999/xhtml"><p>Lũ &lt; 2 m</p><br/>rút</body>`,
			func(e Entry) string { return e.Content }, "<p>Lũ < 2 m</p><br/>rút"},
		{"text in fullitem", rss, `<fullitem>&lt;p>Toàn văn&lt;/p></fullitem>`, func(e Entry) string { return e.Content }, "<p>Toàn văn</p>"},
		{"description before body", rss, `<description>Lời</description><body>Toàn văn</body>`,
			func(e Entry) string { return e.Summary + "|" + e.Content }, "Lời|"},
		{"identity of an RDF item", rdf, `<item rdf:about="http://a.vn/1?a=1&amp;b=2"><title>A</title></item>`,
			func(e Entry) string { return e.GUID }, "http://a.vn/1?a=1&b=2"},
		{"an RDF item without identity", rdf, `<item><title rdf:about="x">A</title></item>`, func(e Entry) string { return e.GUID }, ""},
		{"media title and description", rss, `<media:group><media:title>Phim</media:title><media:description>Về lũ</media:description></media:group>`,
			func(e Entry) string { return e.Title + "|" + e.Summary }, "Phim|Về lũ"},
		{"own title before that of a medium", rss, `<media:title>Ảnh</media:title><title>Bài</title>`, func(e Entry) string { return e.Title }, "Bài"},
		{"iTunes subtitle", rss, `<itunes:subtitle>Lời</itunes:subtitle>`, func(e Entry) string { return e.Summary }, "Lời"},
		{"Dublin Core terms", rss, `<dcterms:issued>2024-11-04T08:00:00Z</dcterms:issued><dcterms:modified>2024-11-05</dcterms:modified>`,
			func(e Entry) string { return e.Published + "|" + e.Updated }, "2024-11-04T08:00:00Z|2024-11-05"},
		{"media categories", rss, `<media:category>Y tế</media:category><media:category>Giáo dục</media:category>`,
			func(e Entry) string { return fmt.Sprint(len(e.Categories), e.Categories) }, "2 [Y tế Giáo dục]"},
		{"nested iTunes categories", rss, `<itunes:category text="Tin"><itunes:category text="Trong nước"/></itunes:category>`,
			func(e Entry) string { return fmt.Sprint(e.Categories) }, "[Tin Trong nước]"},
		{"own category before others", rss, `<category>Y tế</category><media:category>news</media:category>`,
			func(e Entry) string { return fmt.Sprint(e.Categories) }, "[Y tế]"},
		{"mail address behind a name", rss, `<author>Trần An &lt;an@a.vn&gt;</author>`, func(e Entry) string { return fmt.Sprint(e.Authors) }, "[Trần An]"},
		{"several creators", rss, `<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">An</dc:creator><dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">Bình</dc:creator>`,
			func(e Entry) string { return fmt.Sprint(e.Authors) }, "[An Bình]"},
		{"Atom link without href", atom, `<link rel="enclosure">http://a.vn/1.mp3</link><link rel="alternate" type="text/html">http://a.vn/1?a&amp;b</link>`,
			func(e Entry) string { return e.Link }, "http://a.vn/1?a&b"},
		{"Atom enclosure without href is no link", atom, `<link rel="enclosure">http://a.vn/1.mp3</link>`, func(e Entry) string { return e.Link }, ""},
		{"text behind a frame", rss, `<description>&lt;frameset>&lt;frame src="x">&lt;/frameset>Lời</description>`,
			func(e Entry) string { return sanitised(e.Summary, e.Base) }, "Lời"},
	} {
		doc := &Document{URL: "http://a.vn/rss", FinalURL: "http://a.vn/rss", Status: 200, Body: fmt.Appendf(nil, tt.form, tt.item)}
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		if err != nil || len(rd.entries) != 1 {
			t.Errorf("%s: %d entries, %v", tt.name, len(rd.entries), err)
			continue
		}
		if got := tt.got(rd.entries[0]); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
