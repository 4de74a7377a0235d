package aggregator

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

var readAt = time.Date(2024, 11, 8, 9, 0, 0, 0, store.Zone)

func pageOf(t testing.TB, name string) *Document {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "pages", name))
	if err != nil {
		t.Fatal(err)
	}
	return htmlDoc("https://bao.example.vn/bai-123.html", string(body))
}

func htmlDoc(address, body string) *Document {
	return &Document{URL: address, FinalURL: address, Status: 200, Body: []byte(body), At: readAt,
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}
}

func TestReadArticle(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if s != "" && err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		file        string
		cfg         ArticleConfig
		title       string
		published   string
		lead        string // its beginning
		attribution string
		first, last string // lines of the text, their beginnings
		without     []string
		isArticle   bool
	}{
		{file: "cong-tinh.html", title: "Khánh thành trạm bơm Cống Vực phục vụ hơn hai nghìn héc-ta lúa", lead: "Sáng 6/11, Công ty",
			attribution: "nhandan.vn", first: "Sáng 6/11, Công ty", last: "Theo: nhandan.vn",
			without: []string{"Tin cùng chuyên mục", "Tinh gọn", "lãng phí", "Xem tin theo ngày", "Hội diễn", "Dâng hương", "Trang chủ", "Bản quyền"}},
		{file: "bao-ld.html", title: "Đề xuất giảm thuế đất nông nghiệp đến năm 2030", published: "2024-11-05T14:15:00+07:00", isArticle: true,
			lead: "Chính phủ trình phương án", first: "", last: "", without: []string{"Xem thêm", "Giá lúa gạo", "Đọc nhiều", "Một tin khác", "Bài khác"}},
		{file: "phang.html", title: "Huyện Mẫu ra quân làm thủy lợi nội đồng vụ đông xuân", cfg: ArticleConfig{Title: ".title"}, published: "2024-11-05T14:15:00+07:00", isArticle: true,
			lead: "Ngày 5/11, hơn một nghìn", attribution: "Đài Truyền thanh huyện", first: "Ngày 5/11, hơn", last: "Nguồn: Đài",
			without: []string{"Các tin khác", "Tập huấn", "Kiểm tra công tác"}},
		{file: "bao-ld.html", cfg: ArticleConfig{Body: ".detail-content", Date: "header .time", Lead: ".sapo"}, title: "Đề xuất giảm thuế đất nông nghiệp đến năm 2030",
			published: "2024-11-06T00:00:00+07:00", isArticle: true, lead: "Chính phủ trình", first: "Theo tờ trình", last: "Trần Thị Mẫu", without: []string{"Giá lúa gạo"}},
	} {
		p, err := ReadArticle(pageOf(t, tt.file), tt.cfg, ArticleOptions{})
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if p.Title != tt.title || !p.Published.Equal(at(tt.published)) || !strings.HasPrefix(p.Lead, tt.lead) || p.Attribution.Text != tt.attribution || p.IsArticle != tt.isArticle {
			t.Errorf("%s: %q %v %q by %q, article %t", tt.file, p.Title, p.Published, p.Lead, p.Attribution.Text, p.IsArticle)
		}
		lines := strings.Split(p.Text, "\n")
		if !strings.HasPrefix(lines[0], tt.first) || !strings.HasPrefix(lines[len(lines)-1], tt.last) || len(lines) < 3 {
			t.Errorf("%s: the text is\n%s", tt.file, p.Text)
		}
		for _, leak := range tt.without {
			if strings.Contains(p.Text, leak) || strings.Contains(p.Content, leak) {
				t.Errorf("%s: %q leaked into the text:\n%s", tt.file, leak, p.Text)
			}
		}
	}
}

func TestReadArticleMetadata(t *testing.T) {
	t.Parallel()
	doc := pageOf(t, "bao-ld.html")
	doc.Header.Add("X-Robots-Tag", "googlebot: noindex")
	doc.Header.Add("X-Robots-Tag", "diemtin: nosnippet")
	p, err := ReadArticle(doc, ArticleConfig{}, ArticleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Canonical != "https://goc.example.vn/de-xuat-giam-thue-123.html" || p.Image != "https://anh.example.vn/thue-1200.jpg" || p.Section != "Kinh tế" || p.Lang != "vi" {
		t.Errorf("canonical %q, image %q, section %q, lang %q", p.Canonical, p.Image, p.Section, p.Lang)
	}
	if len(p.Authors) != 1 || p.Authors[0] != "Trần Thị Mẫu" {
		t.Errorf("authors %q, want the person and not the paper", p.Authors)
	}
	if want := time.Date(2024, 11, 5, 16, 0, 0, 0, store.Zone); !p.Modified.Equal(want) {
		t.Errorf("modified %v, want %v", p.Modified, want)
	}
	if p.NoIndex || !p.NoSnippet || !p.NoArchive {
		t.Errorf("noindex %t, nosnippet %t, noarchive %t; want only the last two", p.NoIndex, p.NoSnippet, p.NoArchive)
	}
}

func TestReadArticleDates(t *testing.T) {
	t.Parallel()
	body := "<p>" + strings.Repeat("Lời văn của bài báo này dài đủ để là một đoạn. ", 5) + "</p>"
	for _, tt := range []struct{ name, head, before, after, want string }{
		{"broken JSON-LD", `<script type="application/ld+json">{"@type":"NewsArticle","headline":"A "quoted" one","datePublished":"2024-11-05T14:15:00+07:00"</script>`, "", "", "2024-11-05T14:15"},
		{"commented JSON-LD", `<script type="application/ld+json"><!-- {"@type":"http://schema.org/NewsArticle","datePublished":"2024-11-05T14:15:00+07:00"}; --></script>`, "", "", "2024-11-05T14:15"},
		{"an array", `<script type="application/ld+json">[{"@type":"WebSite"},{"@type":"ReportageNewsArticle","datePublished":"2024-11-05T14:15:00+07:00"}]</script>`, "", "", "2024-11-05T14:15"},
		{"only lists", `<script type="application/ld+json">{"@type":"ItemList","itemListElement":[{"item":{"@type":"NewsArticle","datePublished":"2024-11-05T14:15:00+07:00"}}]}</script>`, "", "", ""},
		{"meta", `<meta property="article:published_time" content="2024-11-05T14:15:00+07:00">`, "", "", "2024-11-05T14:15"},
		{"microdata", "", "", `<span itemprop="datePublished" content="2024-11-05 14:15"></span>`, "2024-11-05T14:15"},
		{"time under the headline", "", "", `<p><time datetime="2024-11-05T14:15:00+07:00">hôm kia</time></p>`, "2024-11-05T14:15"},
		{"text under the headline", "", "", `<div>Thứ ba, 05/11/2024 | 14:15 GMT+7</div>`, "2024-11-05T14:15"},
		{"text over the headline", "", `<div class="meta"><span>05.11.2024 | 14:15 PM</span></div>`, "", "2024-11-05T14:15"},
		{"a sentence with a date", "", "", `<p>Ngày 5/11/2024, Hội đồng nhân dân tỉnh họp phiên thường kỳ.</p>`, ""},
		{"dates of others", "", "", `<ul><li><a href="/x">Tin khác</a> <span class="date">05.11.2024 | 14:15 PM</span></li></ul>`, ""},
	} {
		page := `<html><head>` + tt.head + `</head><body><div class="clock date">Thứ sáu, 08/11/2024</div><div class="bai">` + tt.before +
			`<h1>Một đầu đề của bài báo</h1>` + tt.after + body + body + body + `</div></body></html>`
		p, err := ReadArticle(htmlDoc("https://x.vn/1", page), ArticleConfig{}, ArticleOptions{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := ""
		if !p.Published.IsZero() {
			got = p.Published.In(store.Zone).Format("2006-01-02T15:04")
		}
		if got != tt.want {
			t.Errorf("%s: published %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The pages of every simulated outlet, read without a hint, give back what
// their newsrooms wrote.
func TestReadArticleOfOutlets(t *testing.T) {
	t.Parallel()
	w, err := outlettest.New(outlettest.Options{Seed: 11, Stories: 60})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	f := newFetcher("diemtin/test", Limits{AllowPrivate: true}.withDefaults())
	t.Cleanup(f.close)
	read := 0
	for _, o := range w.Outlets() {
		all := o.Articles()
		for _, a := range all[:min(len(all), 6)] {
			doc, err := f.get(t.Context(), f.access(SourceConfig{}), a.Link, "", "", time.Now())
			if err != nil {
				continue // the outlet that never works
			}
			p, err := ReadArticle(doc, ArticleConfig{}, ArticleOptions{})
			if err != nil {
				t.Errorf("%s: %v", a.Link, err)
				continue
			}
			read++
			checkArticle(t, o, a, p, all)
		}
	}
	if read < 30 {
		t.Errorf("only %d pages were read", read)
	}
}

func checkArticle(t *testing.T, o *outlettest.Outlet, a outlettest.Article, p ArticlePage, all []outlettest.Article) {
	t.Helper()
	if p.Title != a.Title || p.Lead != a.Lead {
		t.Errorf("%s: title %q, lead %q; want %q, %q", a.Link, p.Title, p.Lead, a.Title, a.Lead)
	}
	if o.ID == "song-hong" {
		if !p.Published.IsZero() {
			t.Errorf("%s: published %v, but the page does not say", a.Link, p.Published)
		}
	} else if !p.Published.Equal(a.Published.Truncate(time.Second)) {
		t.Errorf("%s: published %v, want %v", a.Link, p.Published, a.Published)
	}
	for _, want := range append([]string{a.Credit}, a.Body...) {
		if !strings.Contains(p.Text, want) {
			t.Errorf("%s: the text lacks %q:\n%s", a.Link, want, p.Text)
		}
	}
	for _, other := range all {
		if other.Title != a.Title && strings.Contains(p.Text, other.Title) {
			t.Errorf("%s: %q leaked into the text", a.Link, other.Title)
		}
	}
}

// The text of a real portal's page, put into markup that says nothing of what
// is what, loses its lists and keeps its attribution.
func TestReadArticleRealPortal(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../shared/data/portal/article-page.txt")
	if err != nil {
		t.Skip("no sample of a portal beside the repository")
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for _, form := range []struct{ name, before, between, after string }{
		{"paragraphs", "<div id=x><p>", "</p><p>", "</p></div>"},
		{"divisions", "<div id=x><div>", "</div><div>", "</div></div>"},
		{"line breaks", "<table><tr><td>", "<br>\n<br>", "</td></tr></table>"},
	} {
		page := "<html><head><title>" + lines[0] + "</title></head><body>" + form.before + "<h1>" + lines[0] + "</h1>" + form.between +
			strings.Join(lines[1:], form.between) + form.after + "</body></html>"
		p, err := ReadArticle(htmlDoc("https://x.vn/1", page), ArticleConfig{}, ArticleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Split(p.Text, "\n")
		if p.Title != lines[0] || got[len(got)-1] != "Theo: nhandan.vn" || p.Attribution.Text != "nhandan.vn" || !p.Published.IsZero() {
			t.Errorf("%s: title %q, attribution %q, published %v, last line %q", form.name, p.Title, p.Attribution.Text, p.Published, got[len(got)-1])
		}
		if len(got) < 11 {
			t.Errorf("%s: %d lines of text, want the article's 11", form.name, len(got))
		}
	}
}

func FuzzReadArticle(f *testing.F) {
	for _, name := range []string{"cong-tinh.html", "bao-ld.html", "phang.html"} {
		f.Add(string(pageOf(f, name).Body), "text/html; charset=utf-8")
	}
	f.Add(`<script type="application/ld+json">[[[{"@type":["Article"],"author":[[[]]],"image":[[{}]]}]]]</script><h1>x`, "")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		doc := htmlDoc("https://x.vn/1", body)
		doc.Header.Set("Content-Type", contentType)
		p, err := ReadArticle(doc, ArticleConfig{Title: "h1", Body: "div", Date: "span", Image: "img", Lead: "p"}, ArticleOptions{})
		if err == nil && p.Image != "" && !strings.HasPrefix(p.Image, "http") {
			t.Errorf("image %q", p.Image)
		}
		if p, err := ReadArticle(doc, ArticleConfig{}, ArticleOptions{}); err == nil && strings.Contains(p.Text, "<script") && !strings.Contains(body, "&") {
			t.Errorf("a script in the text: %q", p.Text)
		}
	})
}

// Pages made to be slow cost little more than their size.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body string }{
		{"headings of lists", "<h1>Một</h1>" + strings.Repeat("<p>Tin khác</p><p>x</p>", 14_000)},
		{"nested lists", "<h1>Một</h1>" + strings.Repeat("<div>Tin khác<span>05/11/2024", 200) + strings.Repeat("<div><p>a</p></div>", 10_000)},
		{"line breaks", "<h1>Một</h1><div>" + strings.Repeat("Lời văn<br>Tin khác<br>", 14_000) + "</div>"},
		{"one long line", "<h1>Một</h1><p>" + strings.Repeat("Tin cùng chuyên mục ", 50_000)},
		{"JSON-LD in itself", `<script type="application/ld+json">` + strings.Repeat(`{"@graph":[`, 5000) + `</script><script type="application/ld+json">` + strings.Repeat(`"@type":"x",`, 50_000) + `</script><p>x`},
		{"dates", strings.Repeat("<div><a href=/x>y</a>05/11/2024 Theo TTXVN", 7000)},
	} {
		doc := htmlDoc("https://x.vn/1", "<html><body>"+tt.body)
		start := time.Now()
		ReadArticle(doc, ArticleConfig{}, ArticleOptions{})
		readPage(doc, SourceConfig{Page: &PageConfig{Item: "div", Date: ""}}, Limits{}.withDefaults())
		if took := time.Since(start); took > 30*time.Second { // some tenths of a second where nothing else runs
			t.Errorf("%s: %s", tt.name, took)
		} else {
			t.Logf("%s: %s", tt.name, took)
		}
	}
}
