package aggregator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// testTopics are the fewest rules that show a topic at work.
func testTopics() []TopicConfig {
	return []TopicConfig{
		{ID: "kinh-te", Name: TopicName{VI: "Kinh tế", EN: "Economy"}, Phrases: []PhraseConfig{{Phrase: "giá vàng"}, {Phrase: "chứng khoán"}}},
		{ID: "the-thao", Name: TopicName{VI: "Thể thao", EN: "Sports"}, Phrases: []PhraseConfig{{Phrase: "bóng đá"}}},
		{ID: "the-gioi", Name: TopicName{VI: "Thế giới", EN: "World"}, Phrases: []PhraseConfig{{Phrase: "tổng thống"}}},
	}
}

func testNormaliser(t *testing.T) normaliser {
	t.Helper()
	c, err := NewClassifier(testTopics())
	if err != nil {
		t.Fatal(err)
	}
	outlets := []store.Outlet{
		{ID: "baohungyen", Name: "Báo Hưng Yên", Domains: []string{"baohungyen.vn"}, Scope: store.Provincial, Province: "hung-yen"},
		{ID: "nhandan", Name: "Báo Nhân Dân", Domains: []string{"nhandan.vn"}, Aliases: []string{"nhandan.vn"}, Scope: store.National},
	}
	return normaliser{outlet: outlets[0], source: SourceConfig{ID: "bhy-home"}, zone: store.Zone, now: testNow, names: NewNames(outlets), classify: c}
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	n := testNormaliser(t)
	base := "https://baohungyen.vn/rss"
	for _, tt := range []struct {
		name  string
		entry Entry
		check func(it store.Item) string // what is wrong, or ""
	}{
		{"title with markup, entities and decomposed letters",
			Entry{Title: "  Gia\u0301 va\u0300ng <b>h\u00f4m</b> nay\n&amp;quot;ta\u0306ng&amp;quot; ", Link: "/a"},
			func(it store.Item) string { return wrongIf(it.Title, `Giá vàng hôm nay "tăng"`) }},
		{"topic by phrase", Entry{Title: "Giá vàng hôm nay", Link: "/a"},
			func(it store.Item) string {
				if len(it.Topics) != 1 || it.Topics[0].Topic != "kinh-te" || !it.Topics[0].Primary {
					return "topics " + string(encodedTopics(it))
				}
				return ""
			}},
		{"GMT+7 is not UTC", Entry{Title: "A", Link: "/a", Published: "Tue, 05 Nov 2024 08:00:00 GMT+7"},
			func(it store.Item) string {
				return wrongIf(it.Published.Format(time.RFC3339), "2024-11-05T01:00:00Z")
			}},
		{"day before month", Entry{Title: "A", Link: "/a", Published: "03/11/2024 9:15:00 AM"},
			func(it store.Item) string {
				return wrongIf(it.Published.In(store.Zone).Format(time.DateTime), "2024-11-03 09:15:00")
			}},
		{"the future is held to now", Entry{Title: "A", Link: "/a", Published: "2025-05-05T08:00:00+07:00"},
			func(it store.Item) string {
				return wrongIf(it.Published.Format(time.RFC3339), testNow.UTC().Format(time.RFC3339))
			}},
		{"a date nobody can read is unknown", Entry{Title: "A", Link: "/a", Published: "hôm nọ"},
			func(it store.Item) string {
				return wrongIf(it.Published.Format(time.RFC3339)+it.PublishedRaw, "0001-01-01T00:00:00Zhôm nọ")
			}},
		{"guid for the link", Entry{Title: "A", GUID: "https://baohungyen.vn/b.html"},
			func(it store.Item) string { return wrongIf(it.Link, "https://baohungyen.vn/b.html") }},
		{"picture of the description, made absolute", Entry{Title: "A", Link: "/a", Summary: `<img src="/p.jpg"> Lời`},
			func(it store.Item) string {
				return wrongIf(it.Image+" "+it.Summary, "https://baohungyen.vn/p.jpg Lời")
			}},
		{"no headline", Entry{Link: "/a", Summary: strings.Repeat("một hai ba ", 20)},
			func(it store.Item) string {
				return wrongIf(it.Title, strings.Repeat("một hai ba ", 5)[:len("một hai ba ")*5-1]+"…")
			}},
		{"active markup", Entry{Title: "A", Link: "/a", Content: `<p onclick="x()">Lời<script>alert(1)</script><a href="javascript:x">y</a></p>`},
			func(it store.Item) string { return wrongIf(it.Content, "<p>Lờiy</p>") }},
		{"attribution", Entry{Title: "A", Link: "/a", Content: `<p>Lời.</p><p>Theo: nhandan.vn</p>`},
			func(it store.Item) string {
				return wrongIf(it.Attribution.Text+" = "+it.Attribution.Outlet, "nhandan.vn = nhandan")
			}},
		{"province of the outlet", Entry{Title: "Một ngày vui", Link: "/a"},
			func(it store.Item) string { return wrongIf(it.Province, "hung-yen") }},
		{"province of the text", Entry{Title: "Khánh thành cầu ở Lào Cai", Link: "/a"},
			func(it store.Item) string { return wrongIf(it.Province, "lao-cai") }},
		{"province of a place in it", Entry{Title: "Chợ phiên Sa Pa họp lại", Link: "/a"},
			func(it store.Item) string { return wrongIf(it.Province, "lao-cai") }},
		{"no province: news of the world", Entry{Title: "Tổng thống từ chức", Link: "/a"},
			func(it store.Item) string { return wrongIf(it.Province, "") }},
		{"no province: another outlet's text", Entry{Title: "Một ngày vui", Link: "/a", Content: `<p>Lời.</p><p>Theo: nhandan.vn</p>`},
			func(it store.Item) string { return wrongIf(it.Province, "") }},
		{"enclosure", Entry{Title: "A", Link: "/a", Enclosures: []RawEnclosure{{"/v.mp3", "audio/mpeg", "12"}, {"javascript:x", "", ""}}},
			func(it store.Item) string {
				if len(it.Enclosures) != 1 || it.Enclosures[0].Length != 12 {
					return "enclosures differ"
				}
				return wrongIf(it.Enclosures[0].URL, "https://baohungyen.vn/v.mp3")
			}},
		{"long title", Entry{Title: strings.Repeat("chữ ", 4000), Link: "/a"},
			func(it store.Item) string {
				if got := len([]rune(it.Title)); got > maxTitle || !strings.HasSuffix(it.Title, "chữ…") {
					return "title is not cut: " + it.Title
				}
				return ""
			}},
	} {
		tt.entry.Base = base
		var r repairs
		items := n.items([]Entry{tt.entry}, &r)
		if len(items) != 1 {
			t.Errorf("%s: %d items, repairs %v", tt.name, len(items), r)
			continue
		}
		if wrong := tt.check(items[0]); wrong != "" {
			t.Errorf("%s: %s", tt.name, wrong)
		}
	}
}

func wrongIf(got, want string) string {
	if got == want {
		return ""
	}
	return "got " + got + ", want " + want
}

func encodedTopics(it store.Item) []byte {
	var b []byte
	for _, t := range it.Topics {
		b = append(b, string(t.Topic)+" "...)
	}
	return b
}

func TestIdentityLadder(t *testing.T) {
	t.Parallel()
	n := testNormaliser(t)
	entry := func(guid, link, title string) Entry {
		return Entry{GUID: guid, Link: link, Title: title, Base: "https://baohungyen.vn/rss"}
	}
	for _, tt := range []struct {
		name    string
		entries []Entry
		want    [][]string
	}{
		{"guid and link", []Entry{entry("7", "/a", "A")}, [][]string{{"guid:bhy-home:7", "link:baohungyen.vn/a"}}},
		{"a guid that is an address loses its scheme", []Entry{entry("http://www.baohungyen.vn/a", "/a", "A")},
			[][]string{{"guid:bhy-home:baohungyen.vn/a", "link:baohungyen.vn/a"}}},
		{"a link that all share identifies nothing", []Entry{entry("1", "/", "A"), entry("2", "/", "B")},
			[][]string{{"guid:bhy-home:1"}, {"guid:bhy-home:2"}}},
		{"neither guid nor own link", []Entry{entry("", "/", "Áo"), entry("", "/", "Bò")}, [][]string{{"title:ao"}, {"title:bo"}}},
		{"a guid that all share identifies nothing", []Entry{entry("0", "/a", "A"), entry("0", "/b", "B")}, [][]string{{"link:baohungyen.vn/a"}, {"link:baohungyen.vn/b"}}},
		{"an article under two addresses", []Entry{entry("1", "/a", "A"), entry("1", "/b", "A")}, [][]string{{"guid:bhy-home:1", "link:baohungyen.vn/a"}}},
		{"the front page identifies no article", []Entry{entry("", "/", "Áo")}, [][]string{{"title:ao"}}},
		{"twice in one document", []Entry{entry("1", "/a", "A"), entry("1", "/a", "A")}, [][]string{{"guid:bhy-home:1", "link:baohungyen.vn/a"}}},
	} {
		var r repairs
		var got [][]string
		for _, it := range n.items(tt.entries, &r) {
			got = append(got, it.Aliases)
		}
		if !slices.EqualFunc(got, tt.want, slices.Equal) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFingerprintIgnoresWhatNobodySees(t *testing.T) {
	t.Parallel()
	n := testNormaliser(t)
	lead := strings.Repeat("một câu dài ", 30)
	one := func(e Entry) uint64 {
		var r repairs
		e.Base = "https://baohungyen.vn/rss"
		return n.items([]Entry{e}, &r)[0].Fingerprint
	}
	same := one(Entry{Title: "Áo mới", Link: "/a", Summary: lead + "Lượt xem: 12"})
	if got := one(Entry{Title: "A\u0301o  mới", Link: "http://www.baohungyen.vn/a?utm_source=x#y", Summary: lead + "Lượt xem: 13"}); got != same {
		t.Error("a view counter, a tracking parameter or a Unicode form counts as a change")
	}
	short := one(Entry{Title: "Áo mới", Link: "/a", Summary: "Một câu. Lượt xem: 12"})
	for _, counted := range []string{"Một câu. Lượt xem: 1.305", "Một câu.  lượt xem 13", "Một câu. (14 lượt xem)", "Một câu.\n[1,2K views]"} {
		if one(Entry{Title: "Áo mới", Link: "/a", Summary: counted}) != short {
			t.Errorf("a counter that moved counts as a change: %q", counted)
		}
	}
	if one(Entry{Title: "Áo mới", Link: "/a", Summary: "Một câu. Lượt khách: 12"}) == one(Entry{Title: "Áo mới", Link: "/a", Summary: "Một câu. Lượt khách: 13"}) {
		t.Error("a number that is news does not count as a change")
	}
	for name, e := range map[string]Entry{
		"headline": {Title: "Áo cũ", Link: "/a", Summary: lead},
		"summary":  {Title: "Áo mới", Link: "/a", Summary: "khác " + lead},
		"link":     {Title: "Áo mới", Link: "/b", Summary: lead},
		"author":   {Title: "Áo mới", Link: "/a", Summary: lead, Authors: []string{"An"}},
	} {
		if one(e) == same {
			t.Errorf("a changed %s does not count", name)
		}
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"không có gì", "không có gì"},
		{"a &amp; b &lt; c", "a & b < c"},
		{"<p>Một</p><p>Hai<br>Ba</p>", "Một\nHai\nBa"},
		{"<style>x{}</style>A<script>b()</script>", "A"},
		{"5 < 6 và 7 > 3", "5 < 6 và 7 > 3"},
		{"Th&amp;agrave;nh", "Thành"},
		{"&lt;p&gt;Hai lần &lt;b&gt;thoát&lt;/b&gt;&lt;/p&gt;", "Hai lần thoát"},
		{"thẻ &lt;script&gt; là gì", "thẻ <script> là gì"},
		{"<b>chưa đóng", "chưa đóng"},
		{"Trước <object data=x.swf>Sau <b>nữa</b>", "Trước Sau nữa"},
		{"Trước <OBJECT><object>cài Flash</object> Sau", "Trước Sau"},
		{"Trước <object>cài <iframe src=x></object> Sau", "Trước Sau"},
		{"Trước <iframe src=x><p>Sau</p>", "Trước\nSau"},
		{"Trước <svg/><svg><text>hình</text></svg> Sau <svg>cuối", "Trước Sau cuối"},
		{"Trước <script>if (a<b) x()", "Trước"},
	} {
		if got := linesOf(tt.in); got != tt.want {
			t.Errorf("linesOf(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// What follows an element that shows nothing and is never closed stays.
func TestSanitisedKeepsWhatFollows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`<p>Trước</p><object data="x.swf"><param name="a"><p>Sau</p>`, "<p>Trước</p><p>Sau</p>"},
		{"<p>Trước</p><object>cài Flash</object><p>Sau</p>", "<p>Trước</p><p>Sau</p>"},
		{"<p>Trước</p><iframe src=x><p>Sau</p>", "<p>Trước</p><p>Sau</p>"},
		{"<p>Trước</p><script>x()<p>Sau</p>", "<p>Trước</p>"},
	} {
		if got := sanitised(tt.in, "https://x.vn/"); got != tt.want {
			t.Errorf("sanitised(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// The check of active markup finds it, and nothing else.
func TestActiveIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in     string
		active bool
	}{
		{"p onk=</a>&gt;", false}, {`<a href="https://x.vn/?q= onk=1" title="a onx=1">y</a>`, true}, {`<a title="a onx=1">y</a>`, false},
		{"<p onk=1>", true}, {"<p>a<SCRIPT>", true}, {"<a href=' JavaScript:x'>", true}, {"<b>data:text</b>", false}, {"</svg>", true}, {"<!--x-->", true},
	} {
		if bad := activeIn(tt.in); (bad != "") != tt.active {
			t.Errorf("%s: found %q, want active %v", tt.in, bad, tt.active)
		}
	}
}

func FuzzSanitise(f *testing.F) {
	f.Add("p onk=</a>>", "")
	f.Add(`<p onclick=x><a href="java&#x09;script:x">y</a><svg><script>z</script></svg>`, "https://x.vn/")
	f.Add(`<img src=x onerror=alert(1)//`, "")
	f.Fuzz(func(t *testing.T, in, base string) {
		out := sanitised(in, base)
		if bad := activeIn(out); bad != "" {
			t.Errorf("%q left in %q of %q", bad, out, in)
		}
		if line := lineOf(in); line != vi.Line(line) {
			t.Errorf("lineOf(%q) = %q is not one clean line", in, line)
		}
	})
}
