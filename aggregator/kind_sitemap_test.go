package aggregator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

const newsHead = `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">`

func newsURL(n int, title, date string) string {
	return fmt.Sprintf(`<url><loc>https://x.vn/bai-%d.html</loc><news:news><news:publication><news:name>Báo</news:name><news:language>vi</news:language></news:publication>`+
		`<news:publication_date>%s</news:publication_date><news:title>%s</news:title><news:keywords>kinh tế, thuế</news:keywords></news:news>`+
		`<image:image><image:loc>https://x.vn/%d.jpg</image:loc><image:title>Chú thích</image:title></image:image></url>`, n, date, title, n)
}

func xmlDoc(body string) *Document {
	d := htmlDoc("https://x.vn/sitemap.xml", body)
	d.Header.Set("Content-Type", "application/xml")
	return d
}

func gzipOf(s string) string {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	zw.Write([]byte(s)) // into memory: cannot fail
	zw.Close()
	return b.String()
}

func cutOff(s string, n int) string { return s[:len(s)-n] }

func TestReadSitemap(t *testing.T) {
	t.Parallel()
	one, two := newsURL(1, "Một", "2024-11-05T14:15:00+07:00"), newsURL(2, "Hai", "2024-11-06T08:00:00+07:00")
	for _, tt := range []struct {
		name, body string
		titles     []string // the newest first
		repair     string
	}{
		{"news", newsHead + one + two + "</urlset>", []string{"Hai", "Một"}, ""},
		{"gzip", gzipOf(newsHead + one + two + "</urlset>"), []string{"Hai", "Một"}, ""},
		{"gzip cut off", cutOff(gzipOf(newsHead+two+one+"</urlset>"), 16), []string{"Hai", "Một"}, "cut_off"},
		{"cut off in the middle", newsHead + two + `<url><loc>https://x.vn/3</loc><news:news><news:ti`, []string{"Hai", ""}, "cut_off"},
		{"CDATA, entities and a bare <", newsHead + newsURL(1, "<![CDATA[A & B]]>", "2024-11-05") + newsURL(2, "Gi&#225; &lt; 5 < 6", "2024-11-04") + "</urlset>", []string{"A & B", "Giá < 5 < 6"}, "bare_markup"},
		{"a location never closed", newsHead + strings.Replace(two, "</url>", "", 1) + one + "</urlset>", []string{"Hai", "Một"}, ""},
		{"no prefix and capitals", `<URLSET><URL><LOC>https://x.vn/1</LOC><NEWS><TITLE>Một</TITLE><PUBLICATION_DATE>2024-11-05</PUBLICATION_DATE></NEWS></URL></URLSET>`, []string{"Một"}, ""},
		{"control characters", newsHead + newsURL(1, "M\x08ột", "2024-11-05") + "</urlset>", []string{"Một"}, "control_characters"},
		{"nothing in it", newsHead + "</urlset>", nil, ""},
		{"plain", `<urlset><url><loc>https://x.vn/a</loc><lastmod>2024-11-05</lastmod></url><url><loc>https://x.vn/b</loc></url></urlset>`, []string{"", ""}, ""},
		{"no location", `<urlset><url><lastmod>2024-11-05</lastmod></url><url/><loc>https://x.vn/b</loc></urlset>`, nil, ""},
	} {
		rd, err := readSitemap(xmlDoc(tt.body), SourceConfig{}, Limits{}.withDefaults())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var titles []string
		for _, e := range rd.entries {
			titles = append(titles, lineOf(e.Title))
		}
		if !slices.Equal(titles[:min(len(titles), len(tt.titles))], tt.titles) {
			t.Errorf("%s: titles %q, want %q", tt.name, titles, tt.titles)
		}
		if tt.repair != "" && !slices.ContainsFunc(rd.repairs, func(r Repair) bool { return r.Kind == tt.repair }) {
			t.Errorf("%s: repairs %v, want %s", tt.name, rd.repairs, tt.repair)
		}
	}
}

func TestReadSitemapFields(t *testing.T) {
	t.Parallel()
	rd, err := readSitemap(xmlDoc(newsHead+newsURL(1, "Một", "2024-11-05T14:15:00+07:00")+"</urlset>"), SourceConfig{}, Limits{}.withDefaults())
	if err != nil || len(rd.entries) != 1 {
		t.Fatalf("%v, %v", rd, err)
	}
	e := rd.entries[0]
	if e.Link != "https://x.vn/bai-1.html" || e.Published != "2024-11-05T14:15:00+07:00" || e.Lang != "vi" || e.Image != "https://x.vn/1.jpg" || !slices.Equal(e.Categories, []string{"kinh tế", "thuế"}) {
		t.Errorf("%+v", e)
	}
}

func TestReadSitemapFaults(t *testing.T) {
	t.Parallel()
	small := Limits{MaxBytes: 1000}.withDefaults()
	for _, tt := range []struct {
		name, body string
		outcome    store.Outcome
		want       string
	}{
		{"empty", " ", store.NotAFeed, "empty"},
		{"a feed", rssHead + "</channel></rss>", store.NotAFeed, "it is a feed"},
		{"a page", "<!doctype html><html></html>", store.NotAFeed, "web page"},
		{"a list", "https://x.vn/a\nhttps://x.vn/b", store.NotAFeed, "no urlset"},
		{"a bomb", gzipOf(newsHead + strings.Repeat(" ", 100_000)), store.TooLarge, "larger than the limit"},
		{"no gzip", "\x1f\x8bxxxxxxxxxxxxxxxx", store.NotAFeed, "no gzip"},
	} {
		_, err := readSitemap(xmlDoc(tt.body), SourceConfig{}, small)
		var f *Fault
		if !errors.As(err, &f) || f.Outcome != tt.outcome || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s: %s", tt.name, err, tt.outcome, tt.want)
		}
	}
}

func TestReadSitemapBounds(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(newsHead)
	for i := range 200 {
		fmt.Fprintf(&b, "<url><loc>https://x.vn/%d</loc><lastmod>%s</lastmod></url>", i, readAt.Add(time.Duration(i-300)*time.Hour).Format(time.RFC3339))
	}
	b.WriteString(newsURL(1000, "Một", "2020-01-01") + "</urlset>")
	rd, err := readSitemap(xmlDoc(b.String()), SourceConfig{}, Limits{MaxItems: 100}.withDefaults())
	if err != nil || len(rd.entries) != maxUntitled || rd.entries[0].Link != "https://x.vn/199" {
		t.Errorf("%d entries, %v; want the newest %d", len(rd.entries), err, maxUntitled)
	}
}

func TestNewestSitemaps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"by change", "<sitemap><loc>/old</loc><lastmod>2024-01-01</lastmod></sitemap><sitemap><loc>/new</loc><lastmod>2024-11-08</lastmod></sitemap><sitemap><loc>/yesterday</loc><lastmod>2024-11-07</lastmod></sitemap>", []string{"/new", "/yesterday"}},
		{"all old", "<sitemap><loc>/a</loc><lastmod>2023-01-01</lastmod></sitemap><sitemap><loc>/b</loc><lastmod>2024-01-01</lastmod></sitemap>", []string{"/b"}},
		{"by name", "<sitemap><loc>/s-2023-12.xml</loc></sitemap><sitemap><loc>/s-2024-9.xml</loc></sitemap><sitemap><loc>/s-2024-11.xml</loc></sitemap><sitemap><loc>/s-2024-10.xml</loc></sitemap><sitemap><loc>/categories.xml</loc></sitemap>",
			[]string{"/s-2024-11.xml", "/s-2024-10.xml", "/s-2024-9.xml", "/s-2023-12.xml"}},
		{"news first", "<sitemap><loc>/all</loc><lastmod>2024-11-08</lastmod></sitemap><sitemap><loc>/google-news.xml</loc></sitemap>", []string{"/google-news.xml", "/all"}},
	} {
		rd, err := readSitemap(xmlDoc("<sitemapindex>"+tt.body+"</sitemapindex>"), SourceConfig{}, Limits{}.withDefaults())
		if err != nil || !slices.Equal(rd.follow, tt.want) || !rd.volatile {
			t.Errorf("%s: %q, %v; want %q", tt.name, rd.follow, err, tt.want)
		}
	}
}

// site is an origin of fixed answers, which counts what it was asked for.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	asked map[string]int
}

func newSite(t *testing.T, pages map[string]string) *site {
	s := &site{pages: pages, asked: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked[r.URL.RequestURI()]++
		body, ok := s.pages[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, strings.ReplaceAll(body, "{site}", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

func articlePage(title string, at time.Time) string {
	return `<html><head><meta property="og:type" content="article"><meta property="article:published_time" content="` + at.Format(time.RFC3339) + `"></head><body><h1>` +
		title + `</h1><p>` + strings.Repeat(title+" và nhiều điều khác nữa. ", 8) + `</p><p>Theo: nhandan.vn</p></body></html>`
}

// An index leads to its newest sitemaps; addresses without a headline are read
// once, at most ten a visit; sections and failing pages are left out.
func TestSitemapVisits(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	pages := map[string]string{
		"/sitemap.xml": "<sitemapindex><sitemap><loc>{site}/new.xml.gz</loc><lastmod>" + now.Format(time.RFC3339) + "</lastmod></sitemap>" +
			"<sitemap><loc>{site}/old.xml</loc><lastmod>2020-01-01</lastmod></sitemap><sitemap><loc>https://elsewhere.example/x.xml</loc></sitemap></sitemapindex>",
		"/kinh-te": `<html><head><title>Kinh tế</title></head><body><ul><li><a href="/x">x</a></li></ul></body></html>`,
	}
	var plain strings.Builder
	for i := range 14 {
		at := now.Add(-time.Duration(i+1) * time.Hour)
		path := fmt.Sprintf("/bai-%d.html", i)
		fmt.Fprintf(&plain, "<url><loc>{site}%s</loc><lastmod>%s</lastmod></url>", path, at.Format(time.RFC3339))
		pages[path] = articlePage(fmt.Sprintf("Bài báo thứ %d của trang", i), at)
	}
	plain.WriteString("<url><loc>{site}/kinh-te</loc><lastmod>" + now.Format(time.RFC3339) + "</lastmod></url><url><loc>{site}/mat.html</loc><lastmod>" + now.Format(time.RFC3339) + "</lastmod></url>")
	s := newSite(t, pages)
	pages["/new.xml.gz"] = gzipOf(strings.ReplaceAll("<urlset>"+plain.String()+"</urlset>", "{site}", s.URL))
	a, _, _ := start(t, s.URL, SourceConfig{ID: "map", URL: "/sitemap.xml", Kind: "sitemap"})

	for visit, want := range []struct {
		items int
		out   store.Outcome
	}{{8, store.New}, {14, store.New}, {14, store.Unchanged}} {
		r := runRound(t, a)["map"]
		if r.Outcome != want.out || len(r.Items) != want.items {
			t.Fatalf("visit %d: %s %s, %d items; want %s, %d; %v", visit+1, r.Outcome, r.Detail, len(r.Items), want.out, want.items, r.Repairs)
		}
		for _, it := range r.Items {
			if it.Published.IsZero() || it.Attribution.Text != "nhandan.vn" || !strings.HasPrefix(it.Title, "Bài báo thứ") {
				t.Errorf("visit %d: %q at %v by %q", visit+1, it.Title, it.Published, it.Attribution.Text)
			}
		}
	}
	for path, n := range s.asked {
		if strings.HasPrefix(path, "/bai-") && n != 1 || path == "/kinh-te" && n != 1 || path == "/old.xml" || path == "/mat.html" && n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
}

// The sitemaps of an index cost conditional requests while they do not change;
// what changes, and what the store refused, is read.
func TestSitemapsOfAnIndexAreAskedConditionally(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	full := map[string]int{}
	version := map[string]int{"/a.xml": 1, "/b.xml": 1}
	published := time.Now().Format(time.RFC3339) // once: another second would be a change
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n := version[r.URL.Path]
		switch {
		case r.URL.Path == "/index.xml":
			fmt.Fprintf(w, "<sitemapindex><sitemap><loc>http://%[1]s/a.xml</loc></sitemap><sitemap><loc>http://%[1]s/b.xml</loc></sitemap></sitemapindex>", r.Host)
		case n == 0:
			http.NotFound(w, r)
		default:
			if r.URL.Path == "/a.xml" { // the other has no validators
				w.Header().Set("ETag", fmt.Sprintf(`"%d"`, n))
				if r.Header.Get("If-None-Match") == fmt.Sprintf(`"%d"`, n) {
					w.WriteHeader(http.StatusNotModified)
					return
				}
			}
			full[r.URL.Path]++
			fmt.Fprint(w, newsHead)
			for i := range n {
				fmt.Fprint(w, newsURL(i, fmt.Sprintf("Bài thứ %d trong %s", i, r.URL.Path), published))
			}
			fmt.Fprint(w, "</urlset>")
		}
	}))
	t.Cleanup(srv.Close)
	a, _, _ := start(t, srv.URL, SourceConfig{ID: "map", URL: "/index.xml", Kind: "sitemap"})
	now := time.Now()
	a.now = func() time.Time { return now }
	for i, want := range []struct {
		change              string
		after               time.Duration
		items, fullA, fullB int
	}{{"", 0, 2, 1, 1}, {"", 0, 0, 1, 2}, {"/a.xml", 0, 2, 2, 3}, {"/b.xml", 0, 2, 2, 4}, {"", 0, 0, 2, 5}, {"", fullEvery + time.Minute, 0, 3, 6}} {
		now = now.Add(want.after)
		mu.Lock()
		if want.change != "" {
			version[want.change]++
		}
		mu.Unlock()
		r := runRound(t, a)["map"]
		if len(r.Items) != want.items || full["/a.xml"] != want.fullA || full["/b.xml"] != want.fullB || !r.Outcome.OK() {
			t.Errorf("visit %d: %s %s, %d items, whole answers %v; want %d, %d and %d", i+1, r.Outcome, r.Detail, len(r.Items), full, want.items, want.fullA, want.fullB)
		}
	}
}

// What is still to be read of a sitemap's articles is not lost by remembering it.
func TestChildrenAreReadWholeWhileArticlesAreMissing(t *testing.T) {
	t.Parallel()
	all := map[string]child{"/a.xml": {etag: "1"}}
	for _, tt := range []struct {
		name string
		made []string // repairs of the visits, one after the other, half an hour apart
		want int
	}{
		{"nothing missing", []string{"no_title"}, 1},
		{"some wait", []string{"", "articles_waiting"}, 0},
		{"they were read", []string{"articles_waiting", ""}, 1},
		{"one failed, and is not tried again yet", []string{"article_missing", "", ""}, 0},
		{"one failed long ago", []string{"article_missing", "", "", "", ""}, 1},
	} {
		var m childMemory
		for i, kind := range tt.made {
			m.put("s", all, repairs{{Kind: kind, Count: 1}}, testNow.Add(time.Duration(i)*30*time.Minute))
		}
		if got := len(m.get("s")); got != tt.want {
			t.Errorf("%s: %d remembered, want %d", tt.name, got, tt.want)
		}
	}
}

// A listing without dates is completed from the articles' pages, unless the
// configuration says never.
func TestListingWithoutDates(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	pages := map[string]string{}
	list := ""
	for i := range 12 {
		path := fmt.Sprintf("/bai-%d.html", i)
		list += fmt.Sprintf(`<li><a href="%s">Bài báo thứ %d của trang</a></li>`, path, i)
		pages[path] = articlePage(fmt.Sprintf("Bài báo thứ %d của trang", i), now.Add(-time.Duration(i+1)*time.Hour))
	}
	pages["/list"] = "<ul>" + list + "</ul>"
	s := newSite(t, pages)
	a, _, _ := start(t, s.URL, SourceConfig{ID: "list", URL: "/list", Kind: "page", Page: &PageConfig{Item: "li"}})
	b, _, _ := start(t, s.URL, SourceConfig{ID: "never", URL: "/list?2", Kind: "page", Page: &PageConfig{Item: "li"}, Article: ArticleConfig{Read: store.ReadNever}})
	s.pages["/list?2"] = pages["/list"]

	if r := runRound(t, b)["never"]; len(r.Items) != 12 || len(s.asked) != 2 || !r.Items[0].Published.IsZero() {
		t.Errorf("never: %d items, asked for %v", len(r.Items), s.asked)
	}
	for visit, undated := range []int{2, 0, 0} {
		r := runRound(t, a)["list"]
		got := 0
		for _, it := range r.Items {
			if it.Published.IsZero() {
				got++
			}
		}
		if len(r.Items) != 12 && visit < 2 || got != undated {
			t.Errorf("visit %d: %d items, %d without a date; want 12, %d; %v", visit+1, len(r.Items), got, undated, r.Repairs)
		}
	}
	if n := s.asked["/bai-0.html"]; n != 1 {
		t.Errorf("an article was asked for %d times", n)
	}
}

// An outlet whose article pages fail is not asked for all of them.
func TestArticlePagesFail(t *testing.T) {
	t.Parallel()
	list := ""
	for i := range 9 {
		list += fmt.Sprintf(`<li><a href="/bai-%d.html">Bài báo thứ %d</a></li>`, i, i)
	}
	s := newSite(t, map[string]string{"/list": "<ul>" + list + "</ul>"})
	a, _, _ := start(t, s.URL, SourceConfig{ID: "list", URL: "/list", Kind: "page", Page: &PageConfig{Item: "li"}})
	r := runRound(t, a)["list"]
	if r.Outcome != store.New || len(r.Items) != 9 || len(s.asked) != 2+2*articleFailures { // robots.txt and the listing, the visit, the queue
		t.Errorf("%s: %d items, %d requests; want 9, %d", r.Outcome, len(r.Items), len(s.asked), 2+2*articleFailures)
	}
}

// robots.txt that closes the articles leaves the listing as it is.
func TestArticlePagesClosed(t *testing.T) {
	t.Parallel()
	list := ""
	for i := range 9 {
		list += fmt.Sprintf(`<li><a href="/bai-%d.html">Bài báo thứ %d</a></li>`, i, i)
	}
	s := newSite(t, map[string]string{"/list": "<ul>" + list + "</ul>", "/robots.txt": "User-agent: *\nDisallow: /bai-\n"})
	a, _, _ := start(t, s.URL, SourceConfig{ID: "list", URL: "/list", Kind: "page", Page: &PageConfig{Item: "li"}})
	for visit := range 2 {
		r := runRound(t, a)["list"]
		closed := slices.ContainsFunc(r.Repairs, func(r Repair) bool { return r.Kind == "article_closed" && r.Count == 9 })
		if visit == 0 && (len(r.Items) != 9 || !closed) || len(s.asked) != 2 {
			t.Errorf("visit %d: %s: %d items, asked for %v, %v", visit+1, r.Outcome, len(r.Items), s.asked, r.Repairs)
		}
	}
}

func TestPageMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m pageMemory
	at := time.Now()
	for i := range 40 {
		m.put(pageKey{link: fmt.Sprint(i)}, ArticlePage{Text: strings.Repeat("x", 1<<20)}, nil, at)
	}
	if m.bytes > maxPageMemory || len(m.pages) != len(m.order) {
		t.Errorf("%d bytes of %d pages, %d in order; the limit is %d", m.bytes, len(m.pages), len(m.order), maxPageMemory)
	}
	if _, ok, _ := m.get(pageKey{link: "39"}, at); !ok {
		t.Error("the newest page is forgotten")
	}
	m.put(pageKey{link: "bad"}, ArticlePage{}, errors.New("x"), at)
	if _, ok, _ := m.get(pageKey{link: "bad"}, at.Add(time.Minute)); !ok {
		t.Error("a failure is forgotten at once")
	}
	if _, ok, _ := m.get(pageKey{link: "bad"}, at.Add(2*articleRetry)); ok {
		t.Error("a failure is remembered for ever")
	}
}

func FuzzReadSitemap(f *testing.F) {
	f.Add([]byte(newsHead + newsURL(1, "Một", "2024-11-05") + "</urlset>"))
	f.Add([]byte("<sitemapindex><sitemap><loc>/s-2024-1</loc><lastmod>2024-11-05</lastmod></sitemap></sitemapindex>"))
	f.Add([]byte(gzipOf(newsHead)))
	lim := Limits{MaxBytes: 1 << 20, MaxItems: 50}.withDefaults()
	f.Fuzz(func(t *testing.T, body []byte) {
		rd, err := readSitemap(xmlDoc(string(body)), SourceConfig{}, lim)
		if err != nil {
			return
		}
		if len(rd.entries) > lim.MaxItems || len(rd.follow) > maxSitemaps {
			t.Errorf("%d entries, %d sitemaps", len(rd.entries), len(rd.follow))
		}
		for _, e := range rd.entries {
			if e.Link == "" {
				t.Error("an entry without an address")
			}
		}
	})
}
