package syndicate_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"diemtin/store"
	"diemtin/syndicate"
)

// embedPaths has one embed of each kind of channel.
var embedPaths = []string{"/embed/", "/embed/topics/kinh-te/", "/embed/provinces/lao-cai/", "/embed/outlets/laocai/", "/embed/scopes/provincial/",
	"/embed/channels/tong-hop/", "/embed/topics/kinh-te/provinces/lao-cai/", "/embed/mix/?topics=kinh-te,y-te"}

// withFile puts a file's name into the address of an embed.
func withFile(path, file string) string {
	folder, query, asked := strings.Cut(path, "?")
	if asked {
		return folder + file + "?" + query
	}
	return folder + file
}

func withPartners(c *syndicate.Config) {
	c.Partners = []syndicate.Partner{{ID: "so-van-hoa", Name: "Sở Văn hóa"},
		{ID: "lao-cai", Name: "Cổng Lào Cai", Origins: []string{"https://cong.example.vn", "https://*.lao-cai.example.vn"}}}
}

func TestEmbedPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, path := range embedPaths {
		a := s.get(path)
		if a.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.Code, a.Body)
		}
		raw := a.Body.String()
		h := a.Header()
		style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(raw)
		sum := sha256.Sum256([]byte(style[1]))
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", "frame-ancestors *"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", path, csp, want)
			}
		}
		if h.Get("Set-Cookie") != "" || h.Get("X-Frame-Options") != "" || h.Get("ETag") == "" || strings.HasPrefix(h.Get("ETag"), "W/") {
			t.Errorf("%s: headers %v", path, h)
		}
		if again := s.get(path, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified || again.Header().Get("Content-Security-Policy") != csp {
			t.Errorf("%s with its tag: %d with policy %q", path, again.Code, again.Header().Get("Content-Security-Policy"))
		}
		doc := s.parse(a)
		if doc.Find("li a").Length() == 0 {
			t.Errorf("%s shows nothing", path)
		}
		doc.Find("a").Each(func(_ int, link *goquery.Selection) {
			if link.AttrOr("target", "") != "_blank" || !strings.Contains(link.AttrOr("rel", ""), "noopener") || !strings.HasPrefix(link.AttrOr("href", ""), "http") {
				t.Errorf("%s: link %q to %q", path, link.Text(), link.AttrOr("href", ""))
			}
		})
		if n := doc.Find("img, [style], script:not([src]), form").Length(); n > 0 {
			t.Errorf("%s has %d of what it should not", path, n)
		}
	}
}

// TestEmbedShowsTerms: an embed shows an outlet's story as feeds do: its
// headline, whose it is, a picture only with leave and if asked for.
func TestEmbedShowsTerms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	doc := s.page("/embed/?images=1&count=50")
	if got := doc.Find("img"); got.Length() != 1 || got.AttrOr("src", "") != "https://laocai.example.vn/anh.jpg" {
		t.Errorf("%d pictures, want the one whose outlet allows it", got.Length())
	}
	hostile := doc.Find("li").FilterFunction(func(_ int, li *goquery.Selection) bool { return strings.Contains(li.Text(), "alert") })
	if got := text(hostile.Find("a")); got != `‹script›alert("x")‹/script› & 'tin'` {
		t.Errorf("headline %q", got)
	}
	if got := text(hostile.Find("p span")); got != "Báo Lào Cai (theo TTXVN)" {
		t.Errorf("source %q", got)
	}
	if got := text(hostile.Find("time")); got != "11:40 05/11/2024" {
		t.Errorf("time %q", got)
	}
	all, _ := doc.Html()
	if strings.Contains(all, "Báo Giấu") || strings.Contains(all, "Lời này không được hiện") {
		t.Error("the embed shows what its outlet does not allow")
	}
	if csp := s.get("/embed/?images=1").Header().Get("Content-Security-Policy"); !strings.Contains(csp, "img-src https:") {
		t.Errorf("policy with pictures: %q", csp)
	}
	if csp := s.get("/embed/").Header().Get("Content-Security-Policy"); strings.Contains(csp, "img-src") {
		t.Errorf("policy without pictures: %q", csp)
	}
}

func TestEmbedOptions(t *testing.T) {
	t.Parallel()
	s := newSite(t, withPartners)
	s.fill()
	tests := []struct {
		path, find string
		n          int
	}{
		{"/embed/", "li", 5}, {"/embed/?count=2", "li", 2}, {"/embed/?count=999", "li", 5}, {"/embed/?count=", "li", 5},
		{"/embed/?dates=0", "time", 0}, {"/embed/?dates=1", "time", 5}, {"/embed/?images=0", "img", 0},
		{"/embed/?theme=dark", "html[data-theme=dark]", 1}, {"/embed/", "html[data-theme=auto]", 1},
		{"/embed/?lang=en", "html[lang=en] li a[lang=vi]", 5}, {"/embed/", "html[lang=vi] li a[lang]", 0},
		{"/embed/fragment.html", "h2.diemtin-title", 1}, {"/embed/fragment.html?heading=4", "h4.diemtin-title", 1},
		{"/embed/?utm_source=x&theme=light", "html[data-theme=light]", 1},
		{"/embed/mix/?topics=Kinh-Te", "main > h1", 1},
	}
	for _, tt := range tests {
		if got := s.page(tt.path).Find(tt.find).Length(); got != tt.n {
			t.Errorf("%s: %d × %q, want %d", tt.path, got, tt.find, tt.n)
		}
	}
	if got := s.get("/embed/?accent=%23FFEEDD").Body.String(); !strings.Contains(got, "html[data-theme]{--accent:#ffeedd}</style>") {
		t.Error("the accent colour is not in the style")
	}
	for path, code := range map[string]int{
		"/embed/?count=0": 400, "/embed/?count=x": 400, "/embed/?theme=blau": 400, "/embed/?accent=red%3B%7D": 400, "/embed/?accent=12345": 400,
		"/embed/?images=yes": 400, "/embed/?lang=fr": 400, "/embed/fragment.html?heading=1": 400, "/embed/?partner=nobody": 404,
		"/embed/topics/nichts/": 404, "/embed/topics/kinh-te/provinces/nichts/": 404, "/embed/mix/": 400, "/embed/mix/?topics=nichts": 404, "/embed/9.9.9/diemtin.js": 404,
		"/embed/topics/kinh-te": 301, "/embed/topics/Kinh%20t%E1%BA%BF/": 301, "/embed": 301,
	} {
		if a := s.get(path); a.Code != code {
			t.Errorf("%s: %d, want %d: %.80s", path, a.Code, code, a.Body)
		}
	}
	if got := s.get("/embed/topics/Kinh%20t%E1%BA%BF/items.json?count=3").Header().Get("Location"); got != "/embed/topics/kinh-te/items.json?count=3" {
		t.Errorf("another spelling leads to %q", got)
	}
}

// TestEmbedsOfOneChannelAgree: all forms have the same stories, and other pages
// still refuse to be framed.
func TestEmbedsOfOneChannelAgree(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, path := range embedPaths {
		want := texts(s.page(path).Find("li a"))
		if got := texts(s.page(withFile(path, "fragment.html")).Find("li a")); !slices.Equal(got, want) {
			t.Errorf("%s: the fragment has %q, the page %q", path, got, want)
		}
		a := s.get(withFile(path, "items.json"))
		var doc struct {
			Title, Page, Lang, More, Note string
			Items                         []struct{ ID, Title, Lang, URL, Source, Date, Shown string }
		}
		if err := json.Unmarshal(a.Body.Bytes(), &doc); err != nil {
			t.Fatalf("%s: %v", a.path, err)
		}
		var got []string
		for _, it := range doc.Items {
			got = append(got, it.Title)
			if it.ID == "" || !strings.HasPrefix(it.URL, "https://") || it.Source == "" || it.Lang != "vi" || !strings.HasSuffix(it.Date, "+07:00") || it.Shown == "" {
				t.Errorf("%s: %+v", a.path, it)
			}
		}
		if !slices.Equal(got, want) || doc.Title == "" || doc.Page == "" || doc.More == "" || doc.Note == "" {
			t.Errorf("%s: %+v, want the stories %q", a.path, doc, want)
		}
		if got := a.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: CORS %q", a.path, got)
		}
	}
	for _, path := range []string{"/", "/topics/kinh-te/", "/days/", "/nguon-cap-tin/", "/khong-co"} {
		if csp := s.get(path).Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s may be framed: %q", path, csp)
		}
	}
}

// TestFragmentIsPlain: a fragment survives any policy of the page around it.
func TestFragmentIsPlain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	raw := s.get("/embed/fragment.html?images=1").Body.String()
	if bad := regexp.MustCompile(`(?i)<(script|style|link|iframe|html|body|head|meta)|\sstyle=|\son[a-z]+=|\sid=`).FindString(raw); bad != "" {
		t.Errorf("the fragment has %q:\n%s", bad, raw)
	}
	for class := range strings.FieldsSeq(strings.Join(regexp.MustCompile(`class="([^"]*)"`).FindAllString(raw, -1), " ")) {
		if !strings.Contains(class, `"diemtin`) {
			t.Errorf("class %s may meet one of the page around", class)
		}
	}
}

func TestPartners(t *testing.T) {
	t.Parallel()
	s := newSite(t, withPartners)
	s.fill()
	if csp := s.get("/embed/?partner=lao-cai").Header().Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors 'self' https://cong.example.vn https://*.lao-cai.example.vn") {
		t.Errorf("frames of a limited partner: %q", csp)
	}
	if csp := s.get("/embed/?partner=so-van-hoa").Header().Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors *") {
		t.Errorf("frames of another: %q", csp)
	}
	for _, tt := range []struct {
		origin string
		code   int
		allow  string
	}{
		{"", 200, ""}, {"https://cong.example.vn", 200, "https://cong.example.vn"}, {"https://so.lao-cai.example.vn", 200, "https://so.lao-cai.example.vn"},
		{"https://lao-cai.example.vn", 403, ""}, {"https://evil.example", 403, ""}, {"http://cong.example.vn", 403, ""}, {"null", 403, ""},
		{"https://evil.example/.lao-cai.example.vn", 403, ""}, {"https://cong.example.vn.evil.example", 403, ""},
	} {
		a := s.get("/embed/items.json?partner=lao-cai", "Origin", tt.origin)
		if tt.origin == "" {
			a = s.get("/embed/items.json?partner=lao-cai")
		}
		if a.Code != tt.code || a.Header().Get("Access-Control-Allow-Origin") != tt.allow {
			t.Errorf("script of %q: %d with %q, want %d with %q", tt.origin, a.Code, a.Header().Get("Access-Control-Allow-Origin"), tt.code, tt.allow)
		}
		if vary := a.Header().Values("Vary"); tt.code == 200 && !slices.Contains(vary, "Origin") {
			t.Errorf("script of %q: Vary %q", tt.origin, vary)
		}
	}
}

func TestPartnerHidesAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, withPartners)
	s.fill()
	first := s.get("/embed/?partner=so-van-hoa")
	if got := first.Header().Get("Cache-Control"); got != "public, no-cache" {
		t.Errorf("a partner's embed may be kept: %q", got)
	}
	hide := strings.TrimPrefix(s.story("Chuyện ở Thái Bình"), "/stories/")
	if _, err := s.db.HideFromPartner(t.Context(), store.PartnerHide{Partner: "so-van-hoa", Story: hide, Who: "lan", At: noon}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"/embed/fragment.html?partner=so-van-hoa": false, "/embed/items.json?partner=so-van-hoa": false,
		"/embed/fragment.html": true, "/embed/fragment.html?partner=lao-cai": true} {
		if got := strings.Contains(s.get(path).Body.String(), "Chuyện ở Thái Bình"); got != want {
			t.Errorf("%s shows the story: %t, want %t", path, got, want)
		}
	}
	if n := s.page("/embed/fragment.html?partner=so-van-hoa&count=4").Find("li").Length(); n != 4 {
		t.Errorf("%d stories beside the hidden one, want as many as asked for", n)
	}
}
