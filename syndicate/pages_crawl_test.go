package syndicate_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"diemtin/syndicate"
)

// TestCrawl follows every link of every page and looks at each page on the way.
func TestCrawl(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fill  bool
		least int // pages and feeds
	}{{"full", true, 150}, {"empty", false, 80}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if tt.fill {
				s.fill()
			}
			if n := len(crawl(s, "/")); n < tt.least {
				t.Errorf("the crawl found %d addresses, want at least %d", n, tt.least)
			}
		})
	}
}

// TestCrawlWithoutConfiguration does the same where feeds.yaml says nothing:
// no operator, no topics, no channels.
func TestCrawlWithoutConfiguration(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *syndicate.Config) {
		*c = syndicate.Config{Site: syndicate.Site{Title: "T", BaseURL: "https://tin.example.vn"}, Outlets: c.Outlets}
	})
	s.fill()
	crawl(s, "/")
}

// crawl gets an address and all that it leads to on this site, and returns what
// it saw by status.
func crawl(s *site, start string) map[string]int {
	seen, from := map[string]int{}, map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		a := s.get(path)
		seen[path] = a.Code
		if a.Code >= 400 {
			s.t.Errorf("GET %s, linked from %s: %d", path, from[path], a.Code)
			continue
		}
		var next []string
		switch {
		case a.Code >= 300:
			next = []string{a.Header().Get("Location")}
		case strings.HasPrefix(a.Header().Get("Content-Type"), "text/html"):
			doc := s.parse(a)
			inspect(s.t, path, a.Header(), doc)
			next = links(s.t, path, doc)
		}
		for _, to := range next {
			if _, known := from[to]; !known {
				from[to] = path
				queue = append(queue, to)
			}
		}
	}
	return seen
}

// links lists where a page leads on this site, and fails the test for a link to
// elsewhere that does not say so.
func links(t *testing.T, path string, doc *goquery.Document) []string {
	t.Helper()
	found := map[string]bool{}
	base, err := url.Parse("https://tin.example.vn" + path)
	if err != nil {
		t.Fatal(err)
	}
	doc.Find("a[href], link[href], img[src], form[action]").Each(func(_ int, x *goquery.Selection) {
		raw := x.AttrOr("href", x.AttrOr("src", x.AttrOr("action", "")))
		u, err := base.Parse(raw)
		if err != nil || raw == "" {
			t.Errorf("%s: bad address %q", path, raw)
			return
		}
		switch {
		case u.Scheme == "mailto":
		case u.Host == base.Host:
			if u.Fragment != "" && u.Path == base.Path && doc.Find("[id='"+u.Fragment+"']").Length() != 1 {
				t.Errorf("%s: #%s leads nowhere", path, u.Fragment)
			}
			u.Fragment = ""
			found[u.RequestURI()] = true
		case x.Is("link[rel=canonical]"), x.Is("link[hreflang]"), x.Is("img"):
		case !x.Is("a[rel~=noopener][rel~=external]"):
			t.Errorf("%s: the link to %s is not marked as leading elsewhere", path, u)
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// inspect checks what holds for every page.
func inspect(t *testing.T, path string, h http.Header, doc *goquery.Document) {
	t.Helper()
	forbidden := []string{"script:not([src^='/assets/page.js?v=']):not([type='application/ld+json'])", "style", "[style]", "iframe", "[onclick]",
		`link[href^=http]:not([rel=canonical], [hreflang], [rel=alternate][type$="+oembed"][href^="https://tin.example.vn/oembed?"])`}
	if strings.HasPrefix(path, "/nhung/") { // whose policy lets in our own
		forbidden[0], forbidden[3] = `script:not([src^="/assets/page.js?v="], [src^="/assets/nhung.js?v="], [type="application/ld+json"])`, `iframe:not([src^="/embed/"])`
		if csp := h.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; connect-src 'self'; frame-src 'self'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	for _, bad := range forbidden {
		if n := doc.Find(bad).Length(); n > 0 {
			t.Errorf("%s: %d × %s, which its policy forbids", path, n, bad)
		}
	}
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; script-src 'self'; img-src") {
		t.Errorf("%s: policy %q", path, csp)
	}
	lang := "vi"
	if strings.Contains(path, "lang=en") {
		lang = "en"
	}
	if doc.Find("html").AttrOr("lang", "") != lang || doc.Find("title").Length() != 1 || doc.Find("meta[name=viewport]").Length() != 1 {
		t.Errorf("%s: no language, title or viewport", path)
	}
	if n := doc.Find("h1").Length(); n != 1 || text(doc.Find("h1")) == "" {
		t.Errorf("%s: %d h1 %q, want one", path, n, text(doc.Find("h1")))
	}
	level := 0
	doc.Find("h1, h2, h3, h4").Each(func(_ int, x *goquery.Selection) {
		n := int(goquery.NodeName(x)[1] - '0')
		if n > level+1 {
			t.Errorf("%s: heading %q skips a level: h%d after h%d", path, text(x), n, level)
		}
		level = n
	})
	ids := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, x *goquery.Selection) {
		if id := x.AttrOr("id", ""); ids[id] {
			t.Errorf("%s: two elements have the id %q", path, id)
		} else {
			ids[id] = true
		}
	})
	for _, attr := range []string{"for", "aria-labelledby"} {
		doc.Find("[" + attr + "]").Each(func(_ int, x *goquery.Selection) {
			if !ids[x.AttrOr(attr, "")] {
				t.Errorf("%s: %s=%q names nothing", path, attr, x.AttrOr(attr, ""))
			}
		})
	}
	doc.Find("a").Each(func(_ int, a *goquery.Selection) {
		if text(a) == "" && a.AttrOr("aria-label", "") == "" {
			t.Errorf("%s: a link to %s without a name", path, a.AttrOr("href", ""))
		}
	})
	doc.Find("time").Each(func(_ int, x *goquery.Selection) {
		if !strings.HasSuffix(x.AttrOr("datetime", ""), "+07:00") {
			t.Errorf("%s: time %q is not given as of Việt Nam", path, x.AttrOr("datetime", ""))
		}
	})
	if html, _ := doc.Html(); strings.Contains(html, "ZgotmplZ") || strings.Contains(html, "<no value>") || strings.Contains(html, "%!") {
		t.Errorf("%s: a template has gone wrong", path)
	}
}

// TestFeedsAreDiscovered checks that a channel's page names its feeds where
// readers and programs look for them.
func TestFeedsAreDiscovered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, path := range []string{"/", "/topics/kinh-te/", "/provinces/lao-cai/", "/outlets/nhandan/", "/scopes/national/",
		"/channels/tong-hop/", "/days/2024-11-05/", "/topics/kinh-te/days/2024-11-05/"} {
		doc := s.page(path)
		for _, f := range []struct{ file, media string }{{"feed.rss", "application/rss+xml"}, {"feed.atom", "application/atom+xml"}, {"feed.json", "application/feed+json"}} {
			found := doc.Find("link[rel=alternate][type='" + f.media + "'][href='" + path + f.file + "']")
			if found.Length() != 1 || found.AttrOr("title", "") == "" {
				t.Errorf("%s: no autodiscovery of %s", path, f.file)
			}
			if doc.Find(".subscribe a[href='"+path+f.file+"']").Length() != 1 {
				t.Errorf("%s: no visible link to %s", path, f.file)
			}
		}
		if got, want := doc.Find("link[rel=canonical]").AttrOr("href", ""), "https://tin.example.vn"+path; got != want {
			t.Errorf("%s: canonical %q, want %q", path, got, want)
		}
	}
}
