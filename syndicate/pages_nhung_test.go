package syndicate_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"diemtin/syndicate"
)

func TestConfigurator(t *testing.T) {
	t.Parallel()
	s := newSite(t, withPartners, func(c *syndicate.Config) { c.Site.BaseURL = "https://tin.example.vn" })
	s.fill()
	const policy = " | frame-src https://tin.example.vn | script-src https://tin.example.vn | script-src https://tin.example.vn; connect-src https://tin.example.vn"
	tests := []struct {
		name, query   string
		frame, script string // parts of the codes
		policies      string
	}{
		{"everything", "", `src="https://tin.example.vn/embed/"`, `<diemtin-feed count="5" theme="auto">`, policy + " | default-src 'self'"},
		{"a topic", "?channel=topics/kinh-te&count=8&theme=dark&accent=ACCENT&dates=1&images=0&words=vi&heading=2&partner=",
			`src="https://tin.example.vn/embed/topics/kinh-te/?count=8&amp;theme=dark"`, `<diemtin-feed topics="kinh-te" count="8" theme="dark">`, policy + " | default-src 'self'"},
		{"in English", "?channel=topics/kinh-te&lang=en", `src="https://tin.example.vn/embed/topics/kinh-te/?lang=en"`, `<diemtin-feed topics="kinh-te" count="5" lang="en" theme="auto">`, policy + " | default-src 'self'"},
		{"in Vietnamese for an English page", "?channel=topics/kinh-te&lang=en&words=vi", `src="https://tin.example.vn/embed/topics/kinh-te/"`, `<diemtin-feed topics="kinh-te" count="5" theme="auto">`, policy + " | default-src 'self'"},
		{"a scope with pictures", "?channel=scopes/ministry&images=1&dates=0&accent=%23112233",
			`src="https://tin.example.vn/embed/scopes/ministry/?accent=112233&amp;images=1&amp;dates=0"`, `<diemtin-feed scopes="ministry" count="5" accent="112233" images="1" dates="0" theme="auto">`,
			policy + "; img-src https: | img-src https:"},
		{"a mix goes before the list", "?channel=topics/kinh-te&topics=y-te&topics=kinh-te&outlets=laocai&partner=so-van-hoa",
			`src="https://tin.example.vn/embed/mix/?topics=kinh-te,y-te&amp;outlets=laocai&amp;partner=so-van-hoa"`, `<diemtin-feed topics="kinh-te,y-te" outlets="laocai" count="5" partner="so-van-hoa" theme="auto">`, policy + " | default-src 'self'"},
		{"a mix of one is that", "?topics=y-te", `src="https://tin.example.vn/embed/topics/y-te/"`, `<diemtin-feed topics="y-te" count="5" theme="auto">`, policy + " | default-src 'self'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			untouched := s.page("/nhung/").Find("#mau").AttrOr("value", "")
			doc := s.page("/nhung/" + strings.Replace(tt.query, "ACCENT", url.QueryEscape(untouched), 1))
			codes := doc.Find(".embedcode textarea").Map(func(_ int, x *goquery.Selection) string { return x.Text() })
			if len(codes) != 4 || !strings.Contains(codes[0], tt.frame) || !strings.Contains(codes[2], tt.script) {
				t.Fatalf("codes %q, want %q and %q", codes, tt.frame, tt.script)
			}
			if got := " | " + strings.Join(texts(doc.Find(".after code")), " | "); got != tt.policies {
				t.Errorf("policies %q, want %q", got, tt.policies)
			}
			for _, address := range []string{doc.Find("iframe").AttrOr("src", ""), strings.TrimPrefix(codes[3], "https://tin.example.vn")} {
				if a := s.get(address); a.Code != http.StatusOK {
					t.Errorf("%s: %d", address, a.Code)
				}
			}
		})
	}
	for query, code := range map[string]int{"?channel=topics/nichts": 404, "?channel=x": 404, "?count=0": 400, "?partner=ai-do": 404, "?topics=nichts": 404} {
		a := s.get("/nhung/" + query)
		doc := s.parse(a)
		if a.Code != code || text(doc.Find(".error[role=alert]")) == "" || doc.Find("textarea, iframe").Length() > 0 || doc.Find("form#chon").Length() != 1 {
			t.Errorf("%s: %d, want %d with why, the form, and no code", query, a.Code, code)
		}
	}
}

// TestConfiguratorInABrowser: with JavaScript the codes follow the form, and the
// codes as they are copied work on a page of another origin that lets in what
// the configurator says.
func TestConfiguratorInABrowser(t *testing.T) {
	t.Parallel()
	_, base := served(t)
	ctx := tab(t)
	visit(t, ctx, base+"/nhung/")
	code := `document.querySelectorAll(".embedcode textarea")[%d].value`
	if err := chromedp.Do(ctx, chromedp.SetValue("#kenh", "topics/kinh-te"), chromedp.SetValue("#so-tin", "2")); err != nil {
		t.Fatal(err)
	}
	ask[bool](t, ctx, `document.getElementById("so-tin").dispatchEvent(new Event("input", {bubbles: true}))`)
	until(t, ctx, fmt.Sprintf(code, 2)+`.includes('topics="kinh-te" count="2"')`)
	if got := ask[string](t, ctx, "location.search"); !strings.HasPrefix(got, "?channel=topics%2Fkinh-te&count=2&theme=auto&accent=%23") || !strings.HasSuffix(got, "&dates=1&images=0&words=vi&heading=2") {
		t.Errorf("the address is %q: it cannot be passed on", got)
	}
	if err := chromedp.Do(ctx, chromedp.Click(".embedcode:nth-of-type(4) .codecopy")); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, `[...document.querySelectorAll(".codecopy")].some(b => b.textContent === "Đã sao chép")`)
	frame, grow, script := ask[string](t, ctx, fmt.Sprintf(code, 0)), ask[string](t, ctx, fmt.Sprintf(code, 1)), ask[string](t, ctx, fmt.Sprintf(code, 2))
	policies := ask[[]string](t, ctx, `[...document.querySelectorAll(".after code")].map(c => c.textContent)`)
	framed := partnerSite(t, "default-src 'none'; "+strings.Replace(policies[0]+"; "+policies[1], "script-src", "script-src 'self'", 1), map[string]string{"/": frame + grow})
	visit(t, ctx, framed)
	until(t, ctx, `document.querySelector("iframe").style.height !== ""`)
	scripted := partnerSite(t, "default-src 'none'; "+strings.Replace(policies[2], "script-src", "script-src 'self'", 1), map[string]string{"/": script})
	visit(t, ctx, scripted)
	until(t, ctx, `document.querySelector("diemtin-feed").shadowRoot?.querySelectorAll("li").length === 2`)
	if got := ask[string](t, ctx, `JSON.stringify(violations.concat(faults))`); got != "[]" {
		t.Errorf("the policy that the configurator names is not enough: %s", got)
	}
}
