package syndicate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"diemtin/syndicate"
)

// tab opens a real browser.
func tab(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("the short loop opens no browser")
	}
	path := needed(t, "chromium")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// needed finds a Debian program; on CI a missing one is a failure.
func needed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing; the test command installs it", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// served is a filled site at an address of its own.
func served(t *testing.T) (s *site, base string) {
	t.Helper()
	listener := httptest.NewUnstartedServer(nil)
	base = "http://" + listener.Listener.Addr().String()
	s = newSite(t, withPartners, func(c *syndicate.Config) { c.Site.BaseURL = base })
	s.fill()
	listener.Config.Handler = s.server
	listener.Start()
	t.Cleanup(listener.Close)
	return s, base
}

// partnerSite is a site of somebody else: pages under a policy that lets in
// nothing but what docs/embeds.md asks for, and counts what it forbids.
func partnerSite(t *testing.T, policy string, pages map[string]string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/watch.js" {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `addEventListener("securitypolicyviolation", e => (window.violations ||= []).push(e.violatedDirective + " " + e.blockedURI));
				addEventListener("error", e => (window.faults ||= []).push(e.message));
				window.before = new Set(Object.getOwnPropertyNames(window)); window.violations = []; window.faults = [];`)
			return
		}
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		fmt.Fprintf(w, "<!DOCTYPE html><html lang=vi><head><meta charset=utf-8><title>Cổng của đơn vị</title><script src=/watch.js></script></head><body><h1>Cổng</h1>%s</body></html>", body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	x, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return x
}

// until waits for the page to become so.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ask[bool](t, ctx, expression) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", expression)
		}
	}
}

func visit(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

// picture leaves a screenshot in the folder DIEMTIN_SCREENSHOTS, if that is set.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("DIEMTIN_SCREENSHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".jpg"), shot, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

const scriptTag = `<script async src="%s/embed/%s/diemtin.js" integrity="%s" crossorigin="anonymous"></script>`

// newest is the newest script's version and hash, as the frame's page names them.
func newest(t *testing.T, s *site) (version, integrity string) {
	t.Helper()
	m := regexp.MustCompile(`src="/embed/([0-9.]+)/diemtin\.js" integrity="([^"]+)"`).FindStringSubmatch(strings.ReplaceAll(s.get("/embed/").Body.String(), "&#43;", "+"))
	if m == nil {
		t.Fatal("the frame's page names no script")
	}
	return m[1], m[2]
}

// TestEmbedsInABrowser shows embeds within the pages of another origin.
func TestEmbedsInABrowser(t *testing.T) {
	t.Parallel()
	s, base := served(t)
	version, integrity := newest(t, s)
	script := fmt.Sprintf(scriptTag, base, version, integrity)
	fallback := `<ul class="stays"><li><a href="` + base + `/topics/kinh-te/">Tin kinh tế</a></li></ul>`
	down := httptest.NewServer(nil)
	down.Close()
	pages := map[string]string{
		"/two": `<a id="first" href="#">trước</a><diemtin-feed id="a" topics="kinh-te" count="2">` + fallback + `</diemtin-feed>
			<diemtin-feed id="b" topics="kinh-te,y-te" provinces="lao-cai" theme="dark" accent="#00aa88" dates="0" lang="en">` + fallback + `</diemtin-feed><a id="last" href="#">sau</a>` + script + script,
		"/down":    `<diemtin-feed id="a" topics="kinh-te" service="` + down.URL + `">` + fallback + `</diemtin-feed>` + script,
		"/refused": `<diemtin-feed id="a" topics="khong-co">` + fallback + `</diemtin-feed><diemtin-feed id="b" topics="kinh-te">` + fallback + `</diemtin-feed>` + script,
		"/changed": `<diemtin-feed id="a" topics="kinh-te">` + fallback + `</diemtin-feed>` + strings.Replace(script, "sha384-", "sha384-AAAA", 1),
		"/frame":   `<iframe src="` + base + `/embed/topics/kinh-te/" title="Tin kinh tế" width="100%" height="80" loading="lazy"></iframe>` + script,
		"/barred": `<iframe src="` + base + `/embed/?partner=lao-cai" title="Tin" height="80"></iframe>
			<iframe src="` + base + `/embed/?partner=so-van-hoa" title="Tin" height="80"></iframe>` + script,
	}
	policy := "default-src 'none'; script-src 'self' " + base + "; connect-src " + base + " " + down.URL + "; frame-src " + base + "; base-uri 'none'; require-trusted-types-for 'script'"
	partner := partnerSite(t, policy, pages)
	ctx := tab(t)
	complaints := listen(t, ctx)
	t.Run("two", func(t *testing.T) { twoFeeds(t, ctx, partner+"/two") })
	for _, path := range []string{"/down", "/refused", "/changed"} {
		t.Run("fallback"+path, func(t *testing.T) { fallbackStays(t, ctx, partner+path, path != "/changed") })
	}
	t.Run("frame", func(t *testing.T) { frameGrows(t, ctx, partner+"/frame", base+"/embed/topics/kinh-te/") })
	t.Run("not among the origins", func(t *testing.T) {
		visit(t, ctx, partner+"/barred")
		until(t, ctx, `document.querySelectorAll("iframe")[1].style.height !== ""`)
		if height := ask[string](t, ctx, `document.querySelector("iframe").style.height`); height != "" {
			t.Errorf("the page of a partner with other origins is shown, %s high", height)
		}
	})
	// What is down, refused, changed or barred it says; nothing else.
	expected := regexp.MustCompile(`items\.json|Failed to load resource|integrity|frame-ancestors`)
	all := complaints()
	if !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, "frame-ancestors") }) {
		t.Errorf("the browser says nothing about the frame that is barred: %q", all)
	}
	for _, said := range all {
		if !expected.MatchString(said) {
			t.Errorf("the browser complains: %s", said)
		}
	}
}

// listen collects what the browser complains about, in the tab of ctx.
func listen(t *testing.T, ctx context.Context) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	said, over := make(chan string, 100), make(chan struct{})
	visit(t, ctx, "about:blank") // the tab is there from now on
	go func() {
		defer close(over)
		for m, err := range chromedp.Console(ctx) {
			if err != nil {
				return
			}
			said <- m.String()
		}
	}()
	return func() (all []string) {
		cancel()
		<-over
		close(said)
		for m := range said {
			all = append(all, m)
		}
		return all
	}
}

// twoFeeds: two feeds on one page, a script that is there twice, and a policy
// that forbids all else.
func twoFeeds(t *testing.T, ctx context.Context, address string) {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(700, 900)); err != nil {
		t.Fatal(err)
	}
	visit(t, ctx, address)
	until(t, ctx, `["a", "b"].every(id => document.getElementById(id).shadowRoot?.querySelector("li"))`)
	picture(t, ctx, "embed-script")
	for expression, want := range map[string]string{
		`String([...a.shadowRoot.querySelectorAll("li a")].length)`:               "2",
		`String([...b.shadowRoot.querySelectorAll("li a")].length)`:               "4",
		`a.shadowRoot.querySelector("[role=heading]").textContent`:                "Kinh tế",
		`String(b.shadowRoot.querySelectorAll("time").length)`:                    "0",
		`getComputedStyle(b).backgroundColor`:                                     "rgb(20, 21, 23)",
		`getComputedStyle(b.shadowRoot.querySelector("section")).borderTopColor`:  "rgb(0, 170, 136)",
		`b.shadowRoot.querySelector("section").lang`:                              "en",
		`b.shadowRoot.querySelector("li a").lang`:                                 "vi",
		`String(document.querySelector(".stays").getBoundingClientRect().height)`: "0",
		`JSON.stringify(violations.concat(faults))`:                               "[]",
		`JSON.stringify(Object.getOwnPropertyNames(window).filter(n => !before.has(n) && !["before", "violations", "faults"].includes(n) && !/^(0|1)$/.test(n)))`: "[]",
		`String(a.shadowRoot.querySelectorAll("script, iframe, img").length)`:                                                                                     "0",
		`a.shadowRoot.querySelector("li a").textContent.startsWith("‹script›") ? "text" : a.shadowRoot.querySelector("li a").textContent`:                         "text",
	} {
		if got := ask[string](t, ctx, expression); got != want {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
	// By the keyboard alone: into the feeds, through every link, and out again.
	want := ask[[]string](t, ctx, `["a", "b"].flatMap(id => [...document.getElementById(id).shadowRoot.querySelectorAll("a")].map(x => x.textContent))`)
	if err := chromedp.Do(ctx, chromedp.Focus("#first")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range len(want) {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
		got = append(got, ask[string](t, ctx, `(document.activeElement.shadowRoot?.activeElement || document.activeElement).textContent`))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the keyboard goes through %q, want %q", got, want)
	}
	if outline := ask[string](t, ctx, `getComputedStyle(b.shadowRoot.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("the focus is not to be seen: outline %s", outline)
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
		t.Fatal(err)
	}
	if id := ask[string](t, ctx, `document.activeElement.id`); id != "last" {
		t.Errorf("behind the feeds the keyboard is at %q", id)
	}
}

// fallbackStays: where the service or the script fails, what stands in the tag
// is shown.
func fallbackStays(t *testing.T, ctx context.Context, address string, runs bool) {
	visit(t, ctx, address)
	switch {
	case strings.HasSuffix(address, "/refused"): // its answer leaves no trace, that of the feed behind it does
		until(t, ctx, `document.getElementById("b").shadowRoot !== null`)
	case runs:
		until(t, ctx, `performance.getEntriesByType("resource").some(r => r.name.includes("items.json"))`)
	}
	if !ask[bool](t, ctx, `document.querySelector(".stays a").getBoundingClientRect().height > 0 && !document.getElementById("a").shadowRoot`) {
		t.Error("what stands in the tag is not shown")
	}
}

// frameGrows: a frame is as high as what it shows, and stays so when the page
// becomes narrow.
func frameGrows(t *testing.T, ctx context.Context, address, embed string) {
	var heights []int
	for _, width := range []int64{1280, 200} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
			t.Fatal(err)
		}
		if len(heights) == 0 {
			visit(t, ctx, address)
		}
		was := 80
		if len(heights) > 0 {
			was = heights[0]
		}
		until(t, ctx, fmt.Sprintf(`document.querySelector("iframe").clientHeight > %d`, was))
		picture(t, ctx, fmt.Sprintf("embed-frame-%d", width))
		heights = append(heights, ask[int](t, ctx, `document.querySelector("iframe").clientHeight`))
	}
	if got := ask[string](t, ctx, `JSON.stringify(violations.concat(faults))`); got != "[]" {
		t.Errorf("the policy was broken: %s", got)
	}
	wide := ask[int64](t, ctx, `document.querySelector("iframe").clientWidth`)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(wide, 100)); err != nil {
		t.Fatal(err)
	}
	visit(t, ctx, embed)
	if alone := ask[int](t, ctx, `Math.ceil(document.documentElement.getBoundingClientRect().height)`); alone != heights[1] {
		t.Errorf("the frame is %d px high, what it shows %d", heights[1], alone)
	}
}
