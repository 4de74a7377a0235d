package syndicate_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestOEmbed(t *testing.T) {
	t.Parallel()
	s := newSite(t, withPartners)
	s.fill()
	const base = "https://tin.example.vn"
	for _, tt := range []struct{ address, more, src, title string }{
		{base + "/", "", base + "/embed/", "Tất cả tin"},
		{base + "/topics/kinh-te/", "", base + "/embed/topics/kinh-te/", "Kinh tế"},
		{"http://tin.example.vn/topics/Kinh-Te", "&maxwidth=320&maxheight=200", base + "/embed/topics/kinh-te/", "Kinh tế"},
		{base + "/topics/kinh-te/provinces/lao-cai/", "", base + "/embed/topics/kinh-te/provinces/lao-cai/", "Kinh tế, Lào Cai"},
		{base + "/mix/?topics=y-te,kinh-te", "", base + "/embed/mix/?topics=kinh-te,y-te", "Tin ghép: Kinh tế, Y tế, sức khỏe"},
		{base + "/embed/outlets/laocai/?count=9&theme=dark&partner=lao-cai", "", base + "/embed/outlets/laocai/?count=9&theme=dark&partner=lao-cai", "Báo Lào Cai"},
		{base + "/scopes/ministry/?theme=dark", "", base + "/embed/scopes/ministry/", "Bộ, ngành"},
	} {
		a := s.get("/oembed?url=" + url.QueryEscape(tt.address) + tt.more)
		var got struct {
			Version, Type, Title, HTML string
			Width, Height              int
		}
		if err := json.Unmarshal(a.Body.Bytes(), &got); a.Code != http.StatusOK || err != nil {
			t.Fatalf("%s: %d, %v: %s", tt.address, a.Code, err, a.Body)
		}
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(got.HTML))
		if err != nil {
			t.Fatal(err)
		}
		frame := doc.Find("iframe")
		if frame.AttrOr("src", "") != tt.src || got.Title != tt.title || got.Version != "1.0" || got.Type != "rich" || got.Height < 1 {
			t.Errorf("%s: %+v, want a frame of %s", tt.address, got, tt.src)
		}
		if a := s.get(strings.TrimPrefix(frame.AttrOr("src", ""), base)); a.Code != http.StatusOK {
			t.Errorf("%s: the frame answers %d", tt.address, a.Code)
		}
		if tt.more != "" && (got.Width != 320 || got.Height != 200) {
			t.Errorf("%s%s: %d × %d", tt.address, tt.more, got.Width, got.Height)
		}
	}
	var asXML struct {
		HTML string `xml:"html"`
	}
	if a := s.get("/oembed?format=xml&url=" + url.QueryEscape(base+"/")); xml.Unmarshal(a.Body.Bytes(), &asXML) != nil || !strings.HasPrefix(asXML.HTML, "<iframe src=") {
		t.Errorf("as XML: %d %s", a.Code, a.Body)
	}
	for query, code := range map[string]int{
		"": 404, "url=x": 404, "url=https://elsewhere.example/topics/kinh-te/": 404, "url=" + base + "/topics/nichts/": 404, "url=" + base + "/status": 404,
		"url=" + base + "/embedded/": 404, "url=" + base + "/mix/": 400, "url=" + base + "/embed/%3Fcount=x": 400, "url=javascript:alert(1)": 404,
		"url=" + base + "/&format=yaml": 501, "url=" + base + "/&maxwidth=-1": 400,
	} {
		if a := s.get("/oembed?" + query); a.Code != code {
			t.Errorf("%s: %d, want %d", query, a.Code, code)
		}
	}
	for path, want := range map[string]int{"/": 2, "/topics/kinh-te/": 2, "/topics/kinh-te/provinces/lao-cai/": 2, "/days/": 0, "/topics/": 0, "/gioi-thieu/": 0, "/topics/kinh-te/days/2024-11-05/": 0} {
		found := s.page(path).Find("link[type$='+oembed']")
		if found.Length() != want {
			t.Errorf("%s names %d places to ask, want %d", path, found.Length(), want)
		}
		found.Each(func(_ int, l *goquery.Selection) {
			if a := s.get(strings.TrimPrefix(l.AttrOr("href", ""), base)); a.Code != http.StatusOK {
				t.Errorf("%s: %s answers %d", path, l.AttrOr("href", ""), a.Code)
			}
		})
	}
}
