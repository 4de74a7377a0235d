package syndicate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"diemtin/store"
	"diemtin/syndicate"
)

// linkedData parses the JSON-LD of a page; nil if it has none.
func linkedData(t *testing.T, path string, doc *goquery.Document) map[string]any {
	t.Helper()
	data := doc.Find("script[type='application/ld+json']")
	if data.Length() > 1 || data.Length() != doc.Find("script:not([src])").Length() {
		t.Fatalf("%s: %d scripts, %d of them data", path, doc.Find("script:not([src])").Length(), data.Length())
	}
	if data.Length() == 0 {
		return nil
	}
	var ld map[string]any
	if err := json.Unmarshal([]byte(data.Text()), &ld); err != nil {
		t.Fatalf("%s: %v: %s", path, err, data.Text())
	}
	return ld
}

// dig follows keys into a parsed document; nil if there is no such place.
func dig(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func property(doc *goquery.Document, name string) string {
	return doc.Find("meta[property='"+name+"']").AttrOr("content", "")
}

// TestMeta looks at what every kind of page tells programs about itself.
func TestMeta(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	const base = "https://tin.example.vn"
	story := s.story("Khai mạc hội nghị Trung ương")
	for _, tt := range []struct {
		path, kind string // kind of its JSON-LD
		list       bool
		noindex    bool
	}{
		{"/", "CollectionPage", true, false},
		{"/topics/", "WebPage", false, false},
		{"/provinces/", "WebPage", false, false},
		{"/outlets/", "WebPage", false, false},
		{"/scopes/", "WebPage", false, false},
		{"/channels/", "WebPage", false, false},
		{"/topics/kinh-te/", "CollectionPage", true, false},
		{"/topics/tin-khac/", "CollectionPage", true, false},
		{"/topics/kinh-te/provinces/lao-cai/", "CollectionPage", true, false},
		{"/provinces/hung-yen/", "CollectionPage", true, false},
		{"/outlets/nhandan/", "CollectionPage", true, false},
		{"/scopes/national/", "CollectionPage", true, false},
		{"/channels/tong-hop/", "CollectionPage", true, false},
		{"/days/", "WebPage", false, false},
		{"/days/2024-11-05/", "CollectionPage", true, false},
		{"/topics/kinh-te/days/2024-11-05/", "CollectionPage", true, false},
		{"/mix/?topics=kinh-te", "CollectionPage", true, true},
		{"/search?q=h%E1%BB%99i", "CollectionPage", true, true},
		{story, "WebPage", false, true},
		{"/status", "WebPage", false, true},
		{"/gioi-thieu/", "WebPage", false, false},
		{"/nguon-cap-tin/", "WebPage", false, false},
	} {
		doc := s.page(tt.path)
		path, _, _ := strings.Cut(tt.path, "?")
		canonical := doc.Find("link[rel=canonical]").AttrOr("href", "")
		if canonical != base+path && canonical != base+tt.path {
			t.Errorf("%s: canonical %q", tt.path, canonical)
		}
		if got := property(doc, "og:url"); got != canonical {
			t.Errorf("%s: og:url %q, want the canonical address %q", tt.path, got, canonical)
		}
		if property(doc, "og:title") == "" || property(doc, "og:site_name") != "Điểm tin" || property(doc, "og:locale") != "vi_VN" {
			t.Errorf("%s: og:title %q, og:site_name %q, og:locale %q", tt.path, property(doc, "og:title"), property(doc, "og:site_name"), property(doc, "og:locale"))
		}
		ld := linkedData(t, tt.path, doc)
		if dig(ld, "@context") != "https://schema.org" || dig(ld, "@type") != tt.kind || dig(ld, "url") != canonical || dig(ld, "inLanguage") != "vi" {
			t.Errorf("%s: JSON-LD %v, want a %s", tt.path, ld, tt.kind)
		}
		if n := doc.Find("meta[name=robots][content=noindex]").Length(); (n == 1) != tt.noindex {
			t.Errorf("%s: %d noindex, want one: %t", tt.path, n, tt.noindex)
		}
		if tt.list {
			checkItemList(t, tt.path, doc, dig(ld, "mainEntity"))
		}
	}
	english := s.page("/topics/kinh-te/?lang=en")
	ld := linkedData(t, "English", english)
	if property(english, "og:locale") != "en_US" || dig(ld, "inLanguage") != "en" || dig(ld, "url") != base+"/topics/kinh-te/?lang=en" || property(english, "og:url") != base+"/topics/kinh-te/?lang=en" {
		t.Errorf("the English page describes itself as %v", ld)
	}
	first, _ := dig(ld, "mainEntity", "itemListElement").([]any)
	if len(first) == 0 || dig(first[0], "url") != base+english.Find(".card h3 a").AttrOr("href", "") || !strings.HasSuffix(english.Find(".card h3 a").AttrOr("href", ""), "?lang=en") {
		t.Errorf("the English page lists %v", first)
	}
	for _, path := range []string{"/xyz", story + "/explain", "/topics/kinh-te/?before=1730779200000.a", "/status/chua-phan-loai"} {
		doc := s.parse(s.get(path))
		if doc.Find("link[rel=canonical], meta[property], script:not([src])").Length() > 0 || doc.Find("meta[content=noindex]").Length() != 1 {
			t.Errorf("%s: it describes itself to programs, though it is not to be listed", path)
		}
	}
}

// checkItemList holds a page's list for programs against the one for people.
func checkItemList(t *testing.T, path string, doc *goquery.Document, list any) {
	t.Helper()
	if dig(list, "@type") != "ItemList" {
		t.Errorf("%s: main entity %v, want a list", path, list)
		return
	}
	items, _ := dig(list, "itemListElement").([]any)
	cards := doc.Find(".card h3 a")
	if len(items) != min(cards.Length(), 20) || len(items) == 0 {
		t.Errorf("%s: %d entries for %d cards", path, len(items), cards.Length())
		return
	}
	for i, it := range items {
		card := cards.Eq(i)
		if dig(it, "position") != float64(i+1) || dig(it, "name") != card.Text() || dig(it, "url") != "https://tin.example.vn"+card.AttrOr("href", "") {
			t.Errorf("%s: entry %v, want card %d %q", path, it, i, card.Text())
		}
	}
}

// TestMetaOfStory: the article is the outlet's, and based on the original.
func TestMetaOfStory(t *testing.T) {
	t.Parallel()
	const nasty = "</script><script>alert(1)</script><!-- \u2028 \"'&"
	for _, indexed := range []bool{false, true} {
		s := newSite(t, func(c *syndicate.Config) { c.Site.IndexStories = indexed })
		late := article("laocai", nasty, "Cùng một lời.", noon, "kinh-te")
		late.Image, late.Lang, late.Authors = "https://laocai.example.vn/anh.jpg", "vi", []string{"An", nasty, "An"}
		late.Attribution = store.Attribution{Text: "nhandan.vn", Outlet: "nhandan"}
		s.publish("laocai", late)
		first := article("nhandan", "Bản đầu", "Cùng một lời.", noon.Add(-1), "kinh-te")
		s.publish("nhandan", first)
		path := s.page("/").Find(".card h3 a").AttrOr("href", "")
		doc := s.page(path)
		if n := doc.Find("meta[name=robots]").Length(); (n == 0) != indexed {
			t.Errorf("index_stories %t: %d robots", indexed, n)
		}
		for name, want := range map[string]string{"og:type": "article", "og:image": "https://laocai.example.vn/anh.jpg",
			"article:published_time": "2024-11-05T12:00:00+07:00", "article:section": "Kinh tế"} {
			if got := property(doc, name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		ld := linkedData(t, path, doc)
		a := dig(ld, "mainEntity")
		for _, tt := range []struct {
			keys string
			want any
		}{
			{"@type", "NewsArticle"}, {"url", late.Link}, {"datePublished", "2024-11-05T12:00:00+07:00"}, {"inLanguage", "vi"},
			{"image", "https://laocai.example.vn/anh.jpg"},
			{"publisher.name", "Báo Lào Cai"}, {"publisher.url", "https://laocai.example.vn/"},
			{"isBasedOn.@type", "NewsArticle"}, {"isBasedOn.url", first.Link}, {"isBasedOn.headline", "Bản đầu"}, {"isBasedOn.publisher.name", "Báo Nhân Dân"},
		} {
			if got := dig(a, strings.Split(tt.keys, ".")...); got != tt.want {
				t.Errorf("mainEntity.%s: got %v, want %v", tt.keys, got, tt.want)
			}
		}
		if got, _ := dig(a, "headline").(string); !strings.HasPrefix(got, "</script><script>alert(1)</script><!--") {
			t.Errorf("headline: got %q", got)
		}
		if authors, _ := dig(a, "author").([]any); len(authors) != 2 || dig(authors[0], "name") != "An" {
			t.Errorf("authors: got %v", authors)
		}
	}
}

// What an outlet does not let us show is not told to programs either.
func TestMetaKeepsTerms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	quiet := article("kiem", "Chỉ tiêu đề", "Lời này không được hiện.", noon, "kinh-te")
	quiet.Image = "https://kiem.example.vn/anh.jpg"
	s.publish("kiem", quiet)
	path := s.story("Chỉ tiêu đề")
	html, err := s.page(path).Html()
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{"Lời này", "anh.jpg"} {
		if strings.Contains(html, no) {
			t.Errorf("the page tells %q", no)
		}
	}
}
