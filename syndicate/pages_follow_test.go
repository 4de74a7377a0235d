package syndicate_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestFollow: every channel has a page with the addresses of its feeds, by the
// address of its page or of a feed, and each of them is there.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, tt := range []struct{ of, title, feed string }{
		{"/", "Theo dõi: Tất cả tin", "/feed.atom"},
		{"/topics/kinh-te/", "Theo dõi: Kinh tế", "/topics/kinh-te/feed.atom"},
		{"/topics/kinh-te/provinces/lao-cai/", "Theo dõi: Kinh tế, Lào Cai", "/topics/kinh-te/provinces/lao-cai/feed.atom"},
		{"/days/2024-11-05/", "Theo dõi: Tin ngày 05/11/2024", "/days/2024-11-05/feed.atom"},
		{"/outlets/laocai/days/2024-11-05/", "Theo dõi: Báo Lào Cai: tin ngày 05/11/2024", "/outlets/laocai/days/2024-11-05/feed.atom"},
		{"/mix/?topics=kinh-te,y-te", "Theo dõi: Tin ghép: Kinh tế, Y tế, sức khỏe", "/mix/feed.atom?topics=kinh-te,y-te"},
		{"/search?q=h%E1%BB%99i", "Theo dõi: Tìm: hội", "/search/feed.atom?q=h%E1%BB%99i"},
		{"/status", "Theo dõi: Sự cố nguồn tin", "/status/feed.atom"},
	} {
		doc := s.page("/nguon-cap-tin/?of=" + url.QueryEscape(tt.of))
		if got := text(doc.Find("h1")); got != tt.title {
			t.Errorf("%s: title %q, want %q", tt.of, got, tt.title)
		}
		addresses := texts(doc.Find("code.whole"))
		if len(addresses) != 3 || addresses[0] != "https://tin.example.vn"+tt.feed {
			t.Errorf("%s: addresses %q, want that of %s first", tt.of, addresses, tt.feed)
		}
		for _, a := range addresses {
			if got := s.get(strings.TrimPrefix(a, "https://tin.example.vn")); got.Code != http.StatusOK {
				t.Errorf("%s: its feed %s answers %d", tt.of, a, got.Code)
			}
		}
		if doc.Find("meta[content=noindex]").Length() != 1 {
			t.Errorf("%s: search engines may list it", tt.of)
		}
		doc.Find("button.copy").Each(func(_ int, b *goquery.Selection) {
			if _, hidden := b.Attr("hidden"); !hidden || doc.Find("#"+b.AttrOr("data-copies", "none")).Length() != 1 {
				t.Errorf("%s: a button that does nothing without JavaScript shows, or copies nothing", tt.of)
			}
		})
	}
	for of, want := range map[string]string{
		"/topics/kinh-te/feed.rss":                "/topics/kinh-te/",
		"/topics/Kinh-Te/":                        "/topics/kinh-te/",
		"/search/feed.atom?q=h%E1%BB%99i":         "/search?q=h%E1%BB%99i",
		"/mix/feed.json?provinces=&topics=y-te&x": "/mix/?topics=y-te",
	} {
		a := s.get("/nguon-cap-tin/?of=" + url.QueryEscape(of))
		if to := "/nguon-cap-tin/?of=" + url.QueryEscape(want); a.Code != http.StatusMovedPermanently || a.Header().Get("Location") != to {
			t.Errorf("%s: got %d to %q, want 301 to %q", of, a.Code, a.Header().Get("Location"), to)
		}
	}
	for _, of := range []string{"//evil.example/feed.atom", "https://evil.example/", "javascript:alert(1)", "/topics/xyz/", "/stories/x", "x", "/days/2024-02-30/",
		"/mix/?topics=xyz", "/topics/kinh-te/provinces/xyz/", "/a/b/c/d/e", "/%zz", "..", "/topics"} {
		if a := s.get("/nguon-cap-tin/?of=" + url.QueryEscape(of)); a.Code != http.StatusNotFound || s.parse(a).Find("[href^='//'], [href*='://evil'], [href^='javascript']").Length() > 0 {
			t.Errorf("%s: got %d, want 404", of, a.Code)
		}
	}
}

// TestEveryFeedIsListed: the page of all feeds leads to every one that has an
// address of its own, and its form to a mix.
func TestEveryFeedIsListed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	doc := s.page("/nguon-cap-tin/")
	var listed []string
	doc.Find("main a.feed").Each(func(_ int, a *goquery.Selection) { listed = append(listed, a.AttrOr("href", "")) })
	for _, folder := range []string{"/", "/topics/kinh-te/", "/topics/tin-khac/", "/provinces/lao-cai/", "/provinces/thai-binh/", "/outlets/kiem/",
		"/scopes/ministry/", "/channels/tong-hop/", "/status/"} {
		for _, file := range []string{"feed.atom", "feed.rss", "feed.json"} {
			if !slices.Contains(listed, folder+file) {
				t.Errorf("%s%s is not listed", folder, file)
			}
		}
	}
	if !slices.Contains(listed, "/opml") || slices.Contains(listed, "/outlets/giau/feed.atom") {
		t.Errorf("OPML is missing, or an outlet that shows nothing is listed")
	}
	form := doc.Find("form.mix")
	if form.AttrOr("action", "") != "/mix/" || form.Find("input[name=topics]").Length() != 4 || form.Find("input[name=provinces]").Length() != 4 || form.Find("input[name=outlets]").Length() != 3 {
		t.Errorf("the builder lacks choices: %s", text(form))
	}
}
