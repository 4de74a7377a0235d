package syndicate_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"diemtin/store"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	story := s.story("Khai mạc hội nghị Trung ương")
	id := strings.TrimPrefix(story, "/stories/")
	copies, err := s.db.Copies(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from string
		code int
		to   string
	}{
		{"/topics", 301, "/topics/"},
		{"/topics/kinh-te", 301, "/topics/kinh-te/"},
		{"/topics/kinh-te?before=1.a", 301, "/topics/kinh-te/?before=1.a"},
		{"/topics/Kinh-Te/", 301, "/topics/kinh-te/"},
		{"/topics/kinh%20t%E1%BA%BF/", 301, "/topics/kinh-te/"},
		{"/topics/Kinh-Te/days/2024-11-05/", 301, "/topics/kinh-te/days/2024-11-05/"},
		{"/Topics/Kinh-Te/", 301, "/topics/kinh-te/"},
		{"/GIOI-THIEU/", 301, "/gioi-thieu/"},
		{"/topics/kinh-te/days/", 302, "/topics/kinh-te/days/2024-11-05/"},
		{"/topics/the-thao/days/", 302, "/topics/the-thao/"},
		{"/days/2024-11-05", 301, "/days/2024-11-05/"},
		{"/days/?day=2024-11-05", 303, "/days/2024-11-05/"},
		{"/days/?day=5/11/2024", 303, "/days/2024-11-05/"},
		{"/days/?kind=topics&id=kinh-te&day=05.11.2024", 303, "/topics/kinh-te/days/2024-11-05/"},
		{"/days/?kind=topics&id=xxx&day=05-11-2024", 303, "/days/2024-11-05/"},
		{"/status/", 301, "/status"},
		{story + "/", 301, story},
		{story + "/explain/", 301, story + "/explain"},
		{fmt.Sprintf("/items/%d", copies[1].Item.ID), 302, story},
		{"/favicon.ico", 301, "/favicon.svg"},
		{"/topics//kinh-te/", 301, "/topics/kinh-te/"},
		{"//evil.example/", 301, "/evil.example/"},
		{"/topics/../status?x=1", 301, "/status?x=1"},
		{"/topics/Kinh-Te", 301, "/topics/kinh-te/"},
		{"/topics/kinh%20t%E1%BA%BF/days/2024-11-05", 301, "/topics/kinh-te/days/2024-11-05/"},
		{"/days/2024-11-5/", 301, "/days/2024-11-05/"},
		{"/days/05-11-2024/", 301, "/days/2024-11-05/"},
		{"/topics/Kinh-Te/days/5-11-2024/", 301, "/topics/kinh-te/days/2024-11-05/"},
		{"/topics/Kinh-Te/days/5-11-2024/feed.rss", 301, "/topics/kinh-te/days/2024-11-05/feed.rss"},
	} {
		a := s.get(tt.from)
		if a.Code != tt.code || a.Header().Get("Location") != tt.to {
			t.Errorf("GET %s: got %d to %q, want %d to %q", tt.from, a.Code, a.Header().Get("Location"), tt.code, tt.to)
		}
	}
}

// A merged story's addresses lead to the other's, not for good.
func TestMergedStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	one, other := s.story("Tin hôm trước"), s.story("Khai mạc hội nghị Trung ương")
	r, err := s.db.Rule(t.Context(), store.Ruling{Who: "lan", At: noon, Verb: store.RuleMerge,
		Story: strings.TrimPrefix(one, "/stories/"), Other: strings.TrimPrefix(other, "/stories/")}, copyJudge{})
	if err != nil {
		t.Fatal(err)
	}
	from, to := "/stories/"+r.Other, "/stories/"+r.Story
	for _, rest := range []string{"", "/explain"} {
		if a := s.get(from + rest); a.Code != http.StatusFound || a.Header().Get("Location") != to+rest {
			t.Errorf("GET %s: got %d to %q, want 302 to %q", from+rest, a.Code, a.Header().Get("Location"), to+rest)
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, tt := range []struct{ path, near string }{
		{"/xyz", ""},
		{"/topics/y-tee/", "Y tế, sức khỏe"},
		{"/kinh-te", "Kinh tế"},
		{"/topics/kinhte/days/2024-11-05/", ""},
		{"/provinces/hungyen/", "Hưng Yên"},
		{"/outlets/laokai/", "Báo Lào Cai"},
		{"/days/2024-02-30/", ""},
		{"/days/hom-nay/", ""},
		{"/days/2999-01-01/", ""},
		{"/days/1990-01-01/", ""},
		{"/days/?month=2024-13", ""},
		{"/stories/aaaaaaaaaaaaa", ""},
		{"/stories/aaaaaaaaaaaaa/explain", ""},
		{"/items/999999", ""},
		{"/items/x", ""},
		{"/topics/kinh-te/?before=x", ""},
		{"/topics/kinh-te/?before=-1.a", ""},
		{"/topics/kinh-te/?before=99999999999999999.a", ""},
		{"/" + strings.Repeat("a", 5000), ""},
		{"/%ff%00/", ""},
	} {
		a := s.get(tt.path)
		if a.Code != http.StatusNotFound {
			t.Errorf("GET %.60s: got %d, want 404", tt.path, a.Code)
			continue
		}
		doc := s.parse(a)
		if tt.near != "" && !slices.Contains(texts(doc.Find(".notice li a")), tt.near) {
			t.Errorf("GET %s: offers %q, want %q among them", tt.path, texts(doc.Find(".notice li a")), tt.near)
		}
		if doc.Find(`main a[href="/"]`).Length() == 0 || doc.Find("meta[content=noindex]").Length() != 1 {
			t.Errorf("GET %.60s: no way home, or to be listed by search engines", tt.path)
		}
	}
}

// TestMissingDaySaysWhy: a day that is none, or has not come, is no page, and
// the reader learns which.
func TestMissingDaySaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, want := range map[string]string{
		"/days/2024-02-30/":                "“2024-02-30” không phải là một ngày",
		"/days/2999-01-01/":                "Ngày 01/01/2999 chưa đến",
		"/topics/kinh-te/days/1990-01-01/": "Không có tin trước ngày 19/11/1997",
	} {
		a := s.get(path)
		if got := text(s.parse(a).Find("main")); a.Code != http.StatusNotFound || !strings.Contains(got, want) {
			t.Errorf("GET %s: %d %q, want 404 and %q", path, a.Code, got, want)
		}
	}
	for _, month := range []string{"0000-01", "1997-10", "9999-12"} {
		if a := s.get("/days/?month=" + month); a.Code != http.StatusNotFound {
			t.Errorf("month %s: got %d, want 404", month, a.Code)
		}
	}
	if doc := s.page("/days/?month=1997-11"); doc.Find("meta[content=noindex]").Length() != 1 {
		t.Error("search engines may list a month without news")
	}
}

func TestOtherFailures(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	if a := s.get("/days/?day=mai"); a.Code != http.StatusBadRequest || !strings.Contains(text(s.parse(a).Find(".error")), "“mai”") {
		t.Errorf("a day that is none: got %d %s", a.Code, a.Body)
	}
	for _, day := range []string{"2999-01-01", "1990-01-01"} {
		if a := s.get("/days/?day=" + day); a.Code != http.StatusBadRequest || text(s.parse(a).Find(".error")) == "" {
			t.Errorf("day %s: got %d, want 400 and a reason", day, a.Code)
		}
	}
	if a := s.send(http.MethodPost, "/topics/"); a.Code != http.StatusMethodNotAllowed || a.Header().Get("Allow") == "" {
		t.Errorf("POST: got %d, Allow %q", a.Code, a.Header().Get("Allow"))
	}
	s.db.Close()
	for _, path := range []string{"/", "/topics/kinh-te/", "/days/2024-11-05/", "/status"} {
		a := s.get(path)
		if a.Code != http.StatusServiceUnavailable || a.Header().Get("Retry-After") == "" || a.Header().Get("ETag") != "" {
			t.Errorf("GET %s without a store: got %d, Retry-After %q, ETag %q", path, a.Code, a.Header().Get("Retry-After"), a.Header().Get("ETag"))
		}
		if strings.Contains(a.Body.String(), "sql") {
			t.Errorf("GET %s tells readers about the inside: %s", path, a.Body)
		}
	}
	if a := s.get("/gioi-thieu/"); a.Code != http.StatusOK {
		t.Errorf("a page that needs no store: got %d", a.Code)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	s.visit("kiem", store.SourceState{Visited: true, Outcome: store.HTTP4xx, Detail: "status 403", Fails: 3,
		LastTry: noon, LastSuccess: noon.Add(-time.Hour), NextAt: noon.Add(time.Hour), Why: "chưa đọc được nên thử lại thưa dần"})
	s.visit("giau", store.SourceState{Outcome: store.Internal, Detail: "/var/lib/secret"})
	s.visit("laocai", store.SourceState{Visited: true, Outcome: store.New, LastTry: noon, LastSuccess: noon, NextAt: noon.Add(time.Hour),
		Why: "about 2 items an hour", MovedTo: "https://laocai.example.vn/rss/moi?token=geheim",
		Repairs: []store.Repair{{Kind: "date_future", Count: 3, Detail: "x"}, {Kind: "of_tomorrow", Count: 1}}})
	doc := s.page("/status")
	fine := text(doc.Find("#nguon-laocai-home"))
	for _, want := range []string{"có tin mới", "3 × giờ đăng ở tương lai", "giờ Việt Nam là +0700", "1 × of_tomorrow", "about 2 items an hour", "https://laocai.example.vn/rss/moi?token=***"} {
		if !strings.Contains(fine, want) {
			t.Errorf("a source that is well lacks %q: %s", want, fine)
		}
	}
	if html, _ := doc.Html(); strings.Contains(html, "geheim") {
		t.Error("the page tells a key")
	}
	if en := text(s.page("/status?lang=en").Find("#nguon-laocai-home")); !strings.Contains(en, "3 × dates in the future") {
		t.Errorf("in English: %s", en)
	}
	if got := texts(doc.Find(".tally li")); !slices.Equal(got, []string{"2 nguồn đang đọc tốt", "2 nguồn đang gặp lỗi"}) {
		t.Errorf("tally: got %q", got)
	}
	got := text(doc.Find(".side-by-side .source").FilterFunction(func(_ int, x *goquery.Selection) bool { return strings.Contains(x.Text(), "kiem-home") }))
	for _, want := range []string{"Báo Kiệm lời", "máy chủ từ chối địa chỉ này; 3 lần liền", "11:00 05/11/2024", "13:00 05/11/2024", "chưa đọc được nên thử lại thưa dần", "status 403", "Gợi ý cho người quản trị"} {
		if !strings.Contains(got, want) {
			t.Errorf("failing source lacks %q: %s", want, got)
		}
	}
	if strings.Contains(text(doc.Find("main")), "/var/lib") {
		t.Error("the status page tells about this machine")
	}
}

func TestConditionalPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, path := range []string{"/", "/days/2024-11-05/", "/status", "/robots.txt", "/favicon.svg"} {
		plain, zipped := s.get(path), s.get(path, "Accept-Encoding", "gzip")
		tag, zipTag := plain.Header().Get("ETag"), zipped.Header().Get("ETag")
		if tag == "" || tag == zipTag || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s: tags %q and %q, want two strong ones", path, tag, zipTag)
		}
		if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: encoding %q, Vary %q", path, zipped.Header().Get("Content-Encoding"), zipped.Header().Get("Vary"))
		}
		again := s.get(path, "If-None-Match", tag)
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
			t.Errorf("%s again: got %d with %d bytes, tag %q", path, again.Code, again.Body.Len(), again.Header().Get("ETag"))
		}
		if head := s.send(http.MethodHead, path); head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: got %d with %d bytes, tag %q", path, head.Code, head.Body.Len(), head.Header().Get("ETag"))
		}
		if other := s.get(path, "If-None-Match", `"other"`); other.Code != http.StatusOK {
			t.Errorf("%s with another tag: got %d", path, other.Code)
		}
		if len(plain.Result().Cookies()) != 0 || plain.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, plain.Header())
		}
	}
	before := s.get("/").Header().Get("ETag")
	s.publish("nhandan", article("nhandan", "Tin mới", "Vừa xảy ra.", noon, "kinh-te"))
	// With a query, so that the page of a moment ago is not at hand.
	if after := s.get("/?before=").Header().Get("ETag"); after == before {
		t.Error("the home page has the same tag after a new story")
	}
}

func TestStylesheetMayBeKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	href := s.page("/").Find("link[rel=stylesheet]").AttrOr("href", "")
	if a := s.get(href); a.Code != 200 || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("GET %s: got %d, Cache-Control %q", href, a.Code, a.Header().Get("Cache-Control"))
	}
	u, err := url.Parse(href)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.get(u.Path + "?v=older"); a.Code != 200 || strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("an older address: got %d, Cache-Control %q", a.Code, a.Header().Get("Cache-Control"))
	}
}
