package aggregator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"diemtin/aggregator/outlettest"
	"diemtin/aggregator/vi"
	"diemtin/store"
)

func discoverAt(t *testing.T, address string) Discovery {
	t.Helper()
	d, err := Discover(t.Context(), Config{Agent: "diemtin/test", Limits: Limits{AllowPrivate: true}, Topics: testTopics()}, address, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// summaryOf lists what was found: kind, path, entries, whether to use it.
func summaryOf(d Discovery, site string) []string {
	var out []string
	for _, f := range d.Finds {
		out = append(out, fmt.Sprintf("%s %s %s %d %t", f.Source.ID[strings.LastIndex(f.Source.ID, "-")+1:], f.Source.Kind, strings.TrimPrefix(f.Source.URL, site), f.Items, f.Use))
	}
	return out
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	now := time.Now()
	feed := feedOf("Giá vàng tăng", "Bóng đá")
	news := newsHead + newsURL(1, "Một", now.Format(time.RFC3339)) + "</urlset>"
	plain := func(at time.Time) string {
		return "<urlset><url><loc>{site}/a</loc><lastmod>" + at.Format(time.RFC3339) + "</lastmod></url></urlset>"
	}
	home := func(head, body string) string {
		return "<!doctype html><html><head><title>Báo Thử</title>" + head + "</head><body>" + body + "</body></html>"
	}
	for _, tt := range []struct {
		name  string
		pages map[string]string
		want  []string
	}{
		{"in the head", map[string]string{"/": home(`<link rel="alternate" type="application/rss+xml" href="/tin/a.rss"><link rel="alternate" hreflang="en" href="/en">`, ""), "/tin/a.rss": feed},
			[]string{"a feed /tin/a.rss 2 true"}},
		{"the same feed twice", map[string]string{"/": home(`<link rel="alternate" type="application/rss+xml" href="/rss"><link rel=alternate type="application/atom+xml" href="/feed">`, ""), "/rss": feed, "/feed": feed},
			[]string{"home feed /rss 2 true"}},
		{"a page that lists feeds", map[string]string{"/": home("", `<a href="/rss">RSS</a>`), "/rss": home("", `<a href="/rss/kinh-te-12.rss">Kinh tế</a> <a href="/rss/leer.rss">Leer</a>`),
			"/rss/kinh-te-12.rss": feed, "/rss/leer.rss": `<rss version="2.0"><channel></channel></rss>`}, []string{"te feed /rss/kinh-te-12.rss 2 true"}},
		{"a common path", map[string]string{"/": home("", ""), "/rss/home.rss": feed}, []string{"home feed /rss/home.rss 2 true"}},
		{"a feed and a sitemap", map[string]string{"/": home("", ""), "/rss": feed, "/robots.txt": "User-agent: *\nSitemap: {site}/s/n.xml\n", "/s/n.xml": news},
			[]string{"home feed /rss 2 true", "n sitemap /s/n.xml 1 false"}},
		{"a news sitemap", map[string]string{"/": home("", ""), "/news-sitemap.xml": news, "/sitemap.xml": plain(now)}, []string{"sitemap sitemap /news-sitemap.xml 1 true"}},
		{"an index", map[string]string{"/": home("", ""), "/sitemap.xml": "<sitemapindex><sitemap><loc>{site}/x-news.xml</loc></sitemap></sitemapindex>", "/x-news.xml": news},
			[]string{"sitemap sitemap /sitemap.xml 1 true"}},
		{"a plain sitemap", map[string]string{"/": home("", ""), "/sitemap.xml": plain(now)}, []string{"sitemap sitemap /sitemap.xml 1 true"}},
		{"a plain sitemap of old", map[string]string{"/": home("", ""), "/sitemap.xml": plain(now.AddDate(-1, 0, 0))}, []string{"sitemap sitemap /sitemap.xml 1 false"}},
		{"the address is a feed", map[string]string{"/": feed}, []string{"home feed / 2 true"}},
		{"nothing", map[string]string{"/": home("", "")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tt.pages)
			d := discoverAt(t, s.URL+"/")
			if got := summaryOf(d, s.URL); !slices.Equal(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			if d.Page != nil {
				t.Errorf("a listing was guessed: %+v", d.Page.Source.Page)
			}
			for path, n := range s.asked {
				if n > 1 {
					t.Errorf("%s was asked for %d times", path, n)
				}
			}
		})
	}
}

// A site that asks us to wait, keeps us out or does not answer is not asked for
// all the common paths.
func TestDiscoverStops(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter)
		most   int64 // requests
		says   string
	}{
		"too many requests": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, 2, "429"},
		"a firewall": {func(w http.ResponseWriter) {
			w.Header().Set("Cf-Mitigated", "challenge")
			w.WriteHeader(http.StatusForbidden)
		}, 2, "Cloudflare"},
		"no answer": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 1 + 2*maxUnanswered, "EOF"}, // a broken connection is tried twice
		"many links": {func(w http.ResponseWriter) {
			for i := range 2 * maxProbes {
				fmt.Fprintf(w, `<a href="/rss/%d.rss">x</a>`, i)
			}
		}, 1 + maxProbes, "60 addresses"},
	} {
		var asked atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1); r.URL.Path == "/" {
				fmt.Fprint(w, "<html><body>")
			}
			if r.URL.Path != "/" || name == "many links" {
				tt.answer(w)
			}
		}))
		t.Cleanup(srv.Close)
		d := discoverAt(t, srv.URL+"/")
		if n := asked.Load(); n > tt.most || !strings.Contains(d.Stopped, tt.says) {
			t.Errorf("%s: %d requests, want at most %d; stopped because of %q, want %q", name, n, tt.most, d.Stopped, tt.says)
		}
	}
}

// What a page merely links to on another site is another outlet's.
func TestDiscoverOtherSites(t *testing.T) {
	t.Parallel()
	other := newSite(t, map[string]string{"/rss/a.rss": feedOf("Tin của báo khác"), "/rss/b.rss": feedOf("Tin của báo này", "Hai")})
	s := newSite(t, map[string]string{"/": `<html><head><link rel="alternate" type="application/rss+xml" href="` + other.URL + `/rss/b.rss"></head><body><a href="` + other.URL + `/rss/a.rss">Báo khác</a></body></html>`})
	d := discoverAt(t, s.URL+"/")
	if got, want := summaryOf(d, other.URL), []string{"b feed /rss/b.rss 2 true", "a feed /rss/a.rss 1 false"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	for _, f := range d.Finds {
		if !strings.Contains(f.Note, "another site") {
			t.Errorf("%s: %q", f.Source.URL, f.Note)
		}
	}
}

func TestDiscoverFails(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, tt := range []struct{ address, want string }{
		{"ftp://x.vn/", "begins with https://"},
		{s.URL + "/missing", "404 Not Found"},
	} {
		if _, err := Discover(t.Context(), Config{Limits: Limits{AllowPrivate: true}}, tt.address, time.Now()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.address, err, tt.want)
		}
	}
	if _, err := Discover(t.Context(), Config{}, s.URL, time.Now()); err == nil || !strings.Contains(err.Error(), "private address") {
		t.Errorf("a private address: %v, want a refusal", err)
	}
}

// Every simulated outlet is found, and the portal, which has no feed, is read
// by the guessed selectors as by its own.
func TestDiscoverOutlets(t *testing.T) {
	t.Parallel()
	w, err := outlettest.New(outlettest.Options{Seed: 6, Stories: 300})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	for _, id := range []string{"trung-uong", "can-tho"} {
		o := w.Outlet(id)
		d := discoverAt(t, o.URL)
		var got, want []string
		for _, f := range d.Finds {
			got = append(got, f.Source.URL)
		}
		for _, f := range o.Feeds {
			want = append(want, f.URL)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || d.Outlet.Name != o.Name {
			t.Errorf("%s: %q of %q, want %q of %q", id, got, d.Outlet.Name, want, o.Name)
		}
	}
	o := w.Outlet("song-hong")
	d := discoverAt(t, o.Feeds[0].URL)
	if len(d.Finds) != 0 || d.Page == nil {
		t.Fatalf("portal: %+v", d)
	}
	if p := d.Page.Source.Page; p.Item != "ul.news > li" || p.Date != ".date" || p.Next != "a.next" {
		t.Errorf("portal: guessed %+v", p)
	}
	found := d.Page.Source
	found.ID, found.AllowPrivate = "tin", false // as the installation of start has it
	a, _, _ := start(t, o.URL, found)
	r := runRound(t, a)["tin"]
	all := o.Articles()
	if r.Outcome != store.New || len(r.Items) != 10 {
		t.Fatalf("%s %s, %d items", r.Outcome, r.Detail, len(r.Items))
	}
	for i, it := range r.Items {
		if it.Title != all[i].Title || it.Published.Sub(all[i].Published).Abs() >= time.Minute {
			t.Errorf("item %d: %q at %v, want %q at %v", i, it.Title, it.Published, all[i].Title, all[i].Published)
		}
	}
}

func TestGuessListing(t *testing.T) {
	t.Parallel()
	row := func(form string) string {
		var b strings.Builder
		for i := range 6 {
			b.WriteString(strings.NewReplacer("{link}", fmt.Sprintf("/bai-%d.html", i), "{title}", fmt.Sprintf("Đầu đề của bài báo thứ %d trong ngày", i),
				"{date}", fmt.Sprintf("0%d/11/2024 14:15", i+1), "{lead}", "Lời dẫn của bài này đủ dài để là một lời dẫn chứ không phải tên của một chuyên mục.").Replace(form))
		}
		return b.String()
	}
	menu := `<div class="menu"><ul><li><a href="/m1">Chuyên mục có tên rất dài một</a></li><li><a href="/m2">Chuyên mục có tên rất dài hai</a></li><li><a href="/m3">Chuyên mục có tên rất dài ba</a></li></ul></div>`
	for _, tt := range []struct{ name, body, date, summary, image, next string }{
		{"cards", `<div id="list">` + row(`<div class="card"><a href="{link}"><img src=x.jpg></a><h3><a href="{link}">{title}</a></h3><span class="meta">{date}</span><p class="sapo">{lead}</p></div>`) + `</div><a rel=next href="?2">2</a>`, ".meta", ".sapo", "img", `a[rel~="next"]`},
		{"a table", `<table class="tin">` + row(`<tr><td>•</td><td><a href="{link}">{title}</a> <i>({date})</i></td></tr>`) + `</table>`, "", "", "", ""},
		{"links alone", `<div class="home">` + row(`<a class="tin" href="{link}">{title}</a><br>`) + `</div>`, "", "", "", ""},
		{"articles", `<main>` + row(`<article class="post-12 post"><h2><a href="{link}">{title}</a></h2><time datetime="2024-11-05T10:00:00Z">x</time></article>`) + `</main>`, "time", "", "", ""},
	} {
		page, err := goquery.NewDocumentFromReader(strings.NewReader("<body>" + menu + tt.body + "</body>"))
		if err != nil {
			t.Fatal(err)
		}
		cfg, ok := guessListing(page, "https://x.vn/", vi.DateOptions{Now: readAt})
		if !ok {
			t.Errorf("%s: no guess", tt.name)
			continue
		}
		cfg.check(func(path, problem string) { t.Errorf("%s: %s: %s", tt.name, path, problem) })
		if cfg.Date != tt.date || cfg.Summary != tt.summary || cfg.Image != tt.image || cfg.Next != tt.next {
			t.Errorf("%s: guessed %+v", tt.name, cfg)
		}
		rd, err := readListing(t, menu+tt.body, cfg)
		if err != nil || len(rd.entries) != 6 || lineOf(rd.entries[5].Title) != "Đầu đề của bài báo thứ 5 trong ngày" || (rd.entries[5].Published == "") != (tt.name == "links alone") {
			t.Errorf("%s: %q reads %+v, %v", tt.name, cfg.Item, rd.entries, err)
		}
	}
}

func TestOutletAt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ site, id, province, scope string }{
		{"nhandan.vn", "nhandan", "", "national"},
		{"www.baohungyen.vn", "baohungyen", "hung-yen", "provincial"},
		{"thaibinh.gov.vn", "thaibinh-gov", "thai-binh", "provincial"},
		{"moet.gov.vn", "moet-gov", "", "ministry"},
		{"rss.tuoitre.vn", "tuoitre", "", "national"},
		{"baodautu.com.vn", "baodautu", "", "national"},
		{"127.0.0.1:8080", "127-0-0-1-8080", "", "national"},
	} {
		o := OutletsOf([]Subscription{{URL: "http://" + tt.site + "/rss"}}, nil)[0]
		if o.ID != tt.id || o.Province != tt.province || string(o.Scope) != tt.scope {
			t.Errorf("%s: %s, %s, %q", tt.site, o.ID, o.Scope, o.Province)
		}
		o.check(func(path, problem string) { t.Errorf("%s: %s: %s", tt.site, path, problem) })
	}
}

func TestReadOPML(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       []string // outlet: source url
		err        string
	}{
		{"version 1, flat", `<?xml version="1.0" encoding="ISO-8859-1"?><opml version="1.0"><head><title>x</title></head><body><outline text="A" type="rss" xmlUrl="https://a.vn/rss" htmlUrl="https://a.vn/"/></body></opml>`, []string{"a: https://a.vn/rss"}, ""},
		{"nested, one host", `<opml version="2.0"><body><outline text="Báo"><outline text="Sâu"><outline text="A" xmlUrl="https://www.a.vn/rss/1.rss"/></outline><outline text="B" xmlUrl="https://rss.a.vn/2.rss"></outline></outline><outline text="C" xmlUrl="https://c.com.vn/f"/></body></opml>`,
			[]string{"a: https://www.a.vn/rss/1.rss", "a: https://rss.a.vn/2.rss", "c: https://c.com.vn/f"}, ""},
		{"served elsewhere", `<opml><body><outline xmlUrl="https://feeds.feedburner.com/bao" htmlUrl="https://bao.vn"/></body></opml>`, []string{"bao: https://feeds.feedburner.com/bao"}, ""},
		{"twice, and no feed", `<opml><body><outline xmlUrl="https://a.vn/rss"/><outline xmlUrl="https://a.vn/rss"/><outline text="x" type="link" url="https://b.vn"/><outline xmlUrl="javascript:x"/></body></opml>`, []string{"a: https://a.vn/rss"}, ""},
		{"broken", `<opml><body><outline text="A & B <x" xmlUrl="https://a.vn/rss?a=1&amp;b=2"><outline xmlUrl='https://b.vn/rss'`, []string{"a: https://a.vn/rss?a=1&b=2"}, ""},
		{"UTF-16", utf16le(`<?xml version="1.0" encoding="utf-16"?><opml><body><outline text="Đ" xmlUrl="https://a.vn/rss"/></body></opml>`), []string{"a: https://a.vn/rss"}, ""},
		{"capitals", `<OPML><BODY><OUTLINE XMLURL="https://a.vn/rss"/></BODY></OPML>`, []string{"a: https://a.vn/rss"}, ""},
		{"no title", `<opml version="2.0"><head><title/></head><body><outline text="A" xmlUrl="https://a.vn/rss"/></body></opml>`, []string{"a: https://a.vn/rss"}, ""},
		{"empty", `<opml version="2.0"><body/></opml>`, nil, "no outline"},
		{"a feed", feedOf("x"), nil, "no OPML"},
	} {
		subs, err := ReadOPML([]byte(tt.body), "")
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		var got []string
		for _, o := range OutletsOf(subs, nil) {
			for _, s := range o.Sources {
				got = append(got, o.ID+": "+s.URL)
			}
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func FuzzReadOPML(f *testing.F) {
	f.Add([]byte(`<opml><body><outline text="x" dt:outlet="a" dt:scope="provincial" dt:rank="3"><outline xmlUrl="https://a.vn/rss" dt:id="A b" dt:kind="page" dt:page='{"item":"li"}'/></outline></body></opml>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		subs, err := ReadOPML(body, "")
		if err != nil {
			return
		}
		cfg := Config{Outlets: OutletsOf(subs, nil)}
		cfg.Check(func(path, problem string) {
			if strings.Contains(path, ".id") || strings.HasSuffix(path, ".kind") || strings.HasSuffix(path, ".scope") || strings.HasSuffix(path, ".province") {
				t.Errorf("%s: %s", path, problem)
			}
		})
	})
}

func FuzzGuessListing(f *testing.F) {
	f.Add(`<ul class=a><li><a href=/1>Một đầu đề dài dài dài</a> 05/11/2024<li><a href=/2>Hai đầu đề dài dài dài</a><li><a href=/3>Ba đầu đề dài dài dài dài</a></ul><a href=/t class=n>Trang sau</a>`)
	f.Fuzz(func(t *testing.T, body string) {
		page, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			return
		}
		if cfg, ok := guessListing(page, "https://x.vn/", vi.DateOptions{Now: readAt}); ok {
			cfg.check(func(path, problem string) { t.Errorf("%s: %s", path, problem) })
			if page.Find(cfg.Item).Length() < minRepeats {
				t.Errorf("%q repeats too seldom", cfg.Item)
			}
		}
	})
}
