package syndicate_test

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestEnglishCrawl follows every link from the English home page: what stays on
// this site and is a page stays English, but for the link to Vietnamese.
func TestEnglishCrawl(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	seen := 0
	known := map[string]bool{"/?lang=en": true}
	for queue := []string{"/?lang=en"}; len(queue) > 0; queue = queue[1:] {
		a := s.get(queue[0])
		if a.Code >= 300 && a.Code < 400 {
			to := a.Header().Get("Location")
			if !strings.Contains(to, "lang=en") {
				t.Errorf("%s redirects to %s", queue[0], to)
			}
			if !known[to] {
				known[to] = true
				queue = append(queue, to)
			}
			continue
		}
		if a.Code != http.StatusOK || !strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") {
			t.Fatalf("GET %s: %d, %s", queue[0], a.Code, a.Header().Get("Content-Type"))
		}
		seen++
		doc := s.parse(a)
		inspect(t, queue[0], a.Header(), doc)
		for _, to := range englishLinks(t, queue[0], doc) {
			if !known[to] {
				known[to] = true
				queue = append(queue, to)
			}
		}
	}
	if seen < 60 {
		t.Errorf("the crawl found %d pages, want at least 60", seen)
	}
}

// englishLinks lists the pages that a page leads to, and fails the test for one
// in another language.
func englishLinks(t *testing.T, from string, doc *goquery.Document) []string {
	t.Helper()
	var found []string
	doc.Find("a[href]:not([type]):not([hreflang])").Each(func(_ int, a *goquery.Selection) {
		u, err := url.Parse(a.AttrOr("href", ""))
		if err != nil || u.Host != "" || u.Scheme != "" || u.Path == "" || u.Path == "/opml" || path.Ext(u.Path) == ".json" {
			return
		}
		if u.Query().Get("lang") != "en" {
			t.Errorf("%s: the link to %s loses the language", from, u)
			return
		}
		u.Fragment = ""
		found = append(found, u.String())
	})
	doc.Find("form").Each(func(_ int, f *goquery.Selection) {
		if f.Find("input[name=lang][value=en]").Length() != 1 {
			t.Errorf("%s: the form to %s loses the language", from, f.AttrOr("action", ""))
		}
	})
	return found
}

// vietnameseLetters are such as English has not.
const vietnameseLetters = "ăâđêôơưáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"

// TestVietnameseWithinEnglishIsMarked looks at every text of the English pages:
// what is Vietnamese stands within an element that says so.
func TestVietnameseWithinEnglishIsMarked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, address := range []string{"/", "/topics/", "/topics/kinh-te/", "/provinces/", "/provinces/hung-yen/", "/outlets/", "/outlets/laocai/",
		"/scopes/", "/days/", "/days/2024-11-05/", "/search", "/search?q=h%E1%BB%99i+ngh%E1%BB%8B", "/mix/", "/mix/?topics=kinh-te", "/status",
		s.story("Khai mạc hội nghị Trung ương"), "/khong-co"} {
		a := s.get(languageEnglish(address))
		doc := s.parse(a)
		doc.Find("[lang=vi]").Remove()
		doc.Find("body *").Contents().Each(func(_ int, n *goquery.Selection) {
			if goquery.NodeName(n) != "#text" {
				return
			}
			if text := n.Text(); strings.ContainsAny(strings.ToLower(text), vietnameseLetters) && n.Closest("footer, label, h1, .lead").Length() == 0 {
				t.Errorf("%s: %q is not marked as Vietnamese", address, strings.TrimSpace(text))
			}
		})
	}
}

func languageEnglish(address string) string {
	if strings.Contains(address, "?") {
		return address + "&lang=en"
	}
	return address + "?lang=en"
}

func TestAlternates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, tt := range []struct{ path, vi, en string }{
		{"/", "/", "/?lang=en"},
		{"/topics/kinh-te/", "/topics/kinh-te/", "/topics/kinh-te/?lang=en"},
		{"/days/?month=2024-11", "/days/?month=2024-11", "/days/?month=2024-11&lang=en"},
	} {
		for lang, address := range map[string]string{"vi": tt.path, "en": languageEnglish(tt.path)} {
			doc := s.page(address)
			want := map[string]string{"vi": tt.vi, "en": tt.en, "x-default": tt.vi}
			if got := doc.Find("link[hreflang]").Length(); got != len(want) {
				t.Errorf("%s: %d alternates, want %d", address, got, len(want))
			}
			for tag, to := range want {
				if got := doc.Find("link[hreflang='"+tag+"']").AttrOr("href", ""); got != "https://tin.example.vn"+to {
					t.Errorf("%s: alternate %s is %q, want %q", address, tag, got, to)
				}
			}
			if got := doc.Find("link[rel=canonical]").AttrOr("href", ""); got != "https://tin.example.vn"+want[lang] {
				t.Errorf("%s: canonical is %q", address, got)
			}
			other := map[string]string{"vi": "en", "en": "vi"}[lang]
			if got := doc.Find(".languages a[hreflang]").AttrOr("href", ""); got != want[other] {
				t.Errorf("%s: the visible link to %s is %q, want %q", address, other, got, want[other])
			}
		}
	}
	for _, address := range []string{"/search?q=h%E1%BB%99i", "/khong-co"} { // no one lists them
		if n := s.parse(s.get(address)).Find("link[hreflang]").Length(); n != 0 {
			t.Errorf("%s: %d alternates, want none", address, n)
		}
	}
	a := s.get("/search?q=h%E1%BB%99i&lang=en")
	if got := s.parse(a).Find(".languages a").AttrOr("href", ""); got != "/search?q=h%E1%BB%99i" {
		t.Errorf("link from an English search to Vietnamese: got %q", got)
	}
}

// TestLanguageIsOfTheAddressAlone: what an address gives out is the same for
// every reader, so that any cache may keep it.
func TestLanguageIsOfTheAddressAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	plain, asked := s.get("/"), s.get("/", "Accept-Language", "en-GB,en;q=0.9")
	if plain.Body.String() != asked.Body.String() || strings.Contains(strings.Join(asked.Header().Values("Vary"), ","), "Language") {
		t.Error("a header changes what the plain address gives out")
	}
	if got, want := text(s.parse(s.get("/topics/?lang=en")).Find("h1")), "Topics"; got != want {
		t.Errorf("English heading: got %q, want %q", got, want)
	}
	if a := s.get("/topics?lang=en"); a.Header().Get("Location") != "/topics/?lang=en" {
		t.Errorf("redirect to the slash: got %q", a.Header().Get("Location"))
	}
	for _, path := range []string{"/search?q=hội+nghị&lang=en", "/search?lang=en&q=h%E1%BB%99i+ngh%E1%BB%8B"} {
		if a := s.get(path); a.Code != http.StatusMovedPermanently || a.Header().Get("Location") != "/search?q=h%E1%BB%99i+ngh%E1%BB%8B&lang=en" {
			t.Errorf("%s: %d to %q", path, a.Code, a.Header().Get("Location"))
		}
	}
	if got := texts(s.page("/?lang=en").Find(".card time")); !slices.Contains(got, "12:00 4 Nov 2024") {
		t.Errorf("times: got %q, want them as English has them", got)
	}
}
