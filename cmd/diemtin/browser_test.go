package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// faultsOfLayout is run in the page: what a reader would call broken. Text is
// cut off if it needs more room than its box shows; two neighbours overlap if
// their boxes do.
const faultsOfLayout = `(() => {
  const faults = [], wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > wide) faults.push("the page is wider than the window: " + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll("main *, header *, footer *")) {
    const r = e.getBoundingClientRect(), s = getComputedStyle(e);
    if (r.width === 0 || s.visibility === "hidden" || s.position === "absolute" || s.clip !== "auto") continue;
    if (r.right > wide + 1 || r.left < -1) faults.push("outside: " + e.tagName + " " + e.textContent.trim().slice(0, 40));
    if (s.overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1 && e.children.length === 0) faults.push("cut: " + e.textContent.trim().slice(0, 40));
  }
  for (const group of ["main article, .card, .block, .brief, .index > li, .names > li, .copylist > li", ".strip li, .month td, .toc li, .views li", "header.top .wide > *, header.top li", "main h1, main h2, main h3, main .meta, main .lead, main .pick"]) {
    const boxes = [...document.querySelectorAll(group)].map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width && r.height && getComputedStyle(e).position !== "absolute" && !e.closest(".hidden"));
    boxes.forEach(([e, a], i) => boxes.slice(i + 1).forEach(([f, b]) => {
      if (!e.contains(f) && !f.contains(e) && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
        faults.push("overlap: " + e.textContent.trim().slice(0, 30) + " / " + f.textContent.trim().slice(0, 30));
    }));
  }
  for (const r of performance.getEntriesByType("resource")) if (!r.name.startsWith(location.origin) && r.initiatorType !== "img") faults.push("asks another host: " + r.name);
  return faults.slice(0, 10);
})()`

// paintsOf is run in the page: what moved, when the first and the largest paint
// came, and how many bytes came over the wire but for pictures.
const paintsOf = `new Promise(done => {
  const seen = { shift: 0, moved: [], first: 0, largest: 0, picture: "", bytes: 0 };
  const watch = (type, each) => new PerformanceObserver(list => list.getEntries().forEach(each)).observe({ type, buffered: true });
  watch("layout-shift", e => { seen.shift += e.value; for (const { node, previousRect: a, currentRect: b } of e.sources)
    seen.moved.push((node?.nodeName ?? "?") + " " + (node?.textContent ?? "").trim().slice(0, 40) + " from " + [a.x, a.y, a.width, a.height] + " to " + [b.x, b.y, b.width, b.height]); });
  watch("paint", e => { if (e.name === "first-contentful-paint") seen.first = e.startTime; });
  watch("largest-contentful-paint", e => { seen.largest = e.startTime; seen.picture = e.url; });
  for (const type of ["navigation", "resource"])
    for (const e of performance.getEntriesByType(type)) if (e.initiatorType !== "img") seen.bytes += e.encodedBodySize;
  requestAnimationFrame(() => setTimeout(() => done(seen), 50));
})`

// paints is what paintsOf saw.
type paints struct {
	Shift          float64  // cumulative layout shift
	Moved          []string // what made it
	First, Largest float64  // ms after navigation
	Picture        string   // address of the largest, if it is a picture
	Bytes          int      // encoded, of everything but pictures
}

const (
	// maxHomeBytes is what the front page may cost: a second and a half on a
	// slow mobile line (400 kbit/s).
	maxHomeBytes = 60_000
	// browsing bounds looking at all pages, with axe-core on a busy machine.
	browsing = 10 * time.Minute

	// maxLargest is how much later than the first paint the largest may come, in
	// ms: text paints at once, only pictures, fonts and scripts come later. A
	// frame of a busy machine is allowed for.
	maxLargest = 500
)

// look is one way in which a reader sees a page.
type look struct {
	width   int64
	scheme  string // light or dark
	scripts bool
}

func (l look) String() string {
	return fmt.Sprintf("%d px, %s, scripts %t", l.width, l.scheme, l.scripts)
}

// looks are a phone, a tablet and a desk; dark and without scripts at both ends.
var looks = []look{{360, "light", true}, {768, "light", false}, {1280, "light", true}, {360, "dark", false}, {1280, "dark", true}}

// browse looks at every kind of page in a real browser. With DIEMTIN_SCREENSHOTS
// set to a folder it leaves pictures there; with DIEMTIN_AXE set to axe-core's
// script (make axe does) each page is held to its rules for WCAG 2.2 AA.
func browse(t *testing.T, base, story string) {
	if testing.Short() {
		t.Skip("the short loop opens no browser")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(need(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	defer cancel()
	tab, cancel := chromedp.NewContext(alloc)
	defer cancel()
	tab, cancel = context.WithTimeout(tab, browsing)
	defer cancel()
	v := &viewer{t: t, tab: tab, base: base, axe: axe(t)}
	v.listen()
	day := "/days/" + today() + "/"
	pages := map[string]string{"home": "/", "home-en": "/?lang=en", "topics": "/topics/", "topic": "/topics/xa-hoi/", "provinces": "/provinces/",
		"province": "/provinces/lao-cai/", "outlets": "/outlets/", "outlet": "/outlets/lao-cai/", "others": "/topics/tin-khac/",
		"days": "/days/", "day": day, "day-by-time": day + "?by=time", "story": "/stories/" + story, "explain": "/stories/" + story + "/explain",
		"status": "/status", "feeds": "/nguon-cap-tin/", "follow": "/nguon-cap-tin/?of=%2Ftopics%2Fxa-hoi%2F", "about-en": "/gioi-thieu/?lang=en", "mix": "/mix/", "mixed": "/mix/?topics=kinh-te,xa-hoi",
		"search": "/search?q=x%C3%A3", "narrowed": "/search?q=x%C3%A3&topics=xa-hoi&from=2024-11-05", "about": "/gioi-thieu/", "missing": "/topics/kinh-tee/",
		"embedding": "/nhung/?channel=topics/xa-hoi", "embed": "/embed/topics/xa-hoi/"}
	for _, l := range looks {
		v.as(l)
		for name, address := range pages {
			v.visit(name, address, l)
		}
	}
	t.Run("keyboard", func(t *testing.T) { v.t = t; keyboard(v, day) })
	t.Run("times", func(t *testing.T) { v.t = t; times(v) })
}

// viewer is a browser's tab before one site.
type viewer struct {
	t    *testing.T
	tab  context.Context
	base string
	axe  string // the source of axe-core; empty = pages are not held to it

	mu   sync.Mutex
	said []string // errors of the console
}

// axe is the source of axe-core, if there is any.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("DIEMTIN_AXE")
	if path == "" {
		t.Log("axe-core was not asked: make axe does")
		return ""
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// listen gathers what the browser complains about.
func (v *viewer) listen() {
	v.t.Helper()
	_, err1 := chromedp.Call(v.tab, log.Enable, cdp.Empty{})
	_, err2 := chromedp.Call(v.tab, runtime.Enable, cdp.Empty{})
	err3 := chromedp.Listen(v.tab, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				v.hear(e.Entry.Text + " " + e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			v.hear(e.ExceptionDetails.Text)
		}
	})
	if err := errors.Join(err1, err2, err3); err != nil {
		v.t.Fatal(err)
	}
}

func (v *viewer) hear(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = append(v.said, what)
}

// complaints are what was heard since they were asked for.
func (v *viewer) complaints() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	said := v.said
	v.said = nil
	return said
}

// as makes the tab that of some reader.
func (v *viewer) as(l look) {
	v.t.Helper()
	_, err1 := chromedp.Call(v.tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	_, err2 := chromedp.Call(v.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !l.scripts})
	err3 := chromedp.Do(v.tab, chromedp.EmulateViewport(l.width, 900))
	if err := errors.Join(err1, err2, err3); err != nil {
		v.t.Fatalf("%s: %v", l, err)
	}
}

// visit looks at one page.
func (v *viewer) visit(name, address string, l look) {
	v.t.Helper()
	v.complaints() // of another page
	if err := chromedp.Do(v.tab, chromedp.Navigate(v.base+address)); err != nil {
		v.t.Fatalf("%s at %s: %v", address, l, err)
	}
	faults := evaluated[[]string](v, faultsOfLayout)
	if l.scripts {
		faults = append(faults, v.paints(name)...)
	}
	if v.axe != "" && l.width != 768 && (l.scheme == "dark") == (l.width == 1280) {
		faults = append(faults, v.rules()...)
	}
	for _, s := range v.complaints() {
		if name != "missing" { // whose 404 the browser calls an error
			faults = append(faults, "the console says "+s)
		}
	}
	for _, f := range faults {
		v.t.Errorf("%s at %s: %s", address, l, f)
	}
	v.picture(fmt.Sprintf("%s-%d-%s.jpg", name, l.width, l.scheme))
}

// paints are the faults of how a page came to stand.
func (v *viewer) paints(name string) (faults []string) {
	p := evaluated[paints](v, paintsOf)
	if p.Shift > 0 {
		faults = append(faults, fmt.Sprintf("the layout shifted by %.4f: %q", p.Shift, p.Moved))
	}
	if p.Largest-p.First > maxLargest || p.Picture != "" {
		faults = append(faults, fmt.Sprintf("the largest paint (%s) came %.0f ms after the first", p.Picture, p.Largest-p.First))
	}
	if name == "home" {
		v.t.Logf("the front page: %d bytes, first paint %.0f ms, largest %.0f ms", p.Bytes, p.First, p.Largest)
		if p.Bytes > maxHomeBytes {
			faults = append(faults, fmt.Sprintf("it costs %d bytes, want at most %d", p.Bytes, maxHomeBytes))
		}
	}
	return faults
}

// rules are the faults that axe-core finds.
func (v *viewer) rules() []string {
	const run = `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
		.then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 120) + " " + n.failureSummary).join(" | "))))`
	evaluated[any](v, v.axe+"; 0")
	var found []string
	if err := json.Unmarshal([]byte(evaluated[string](v, run)), &found); err != nil {
		v.t.Fatal(err)
	}
	return found
}

// picture leaves a screenshot, if they are wanted.
func (v *viewer) picture(name string) {
	dir := os.Getenv("DIEMTIN_SCREENSHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(v.tab, chromedp.FullScreenshot(80))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), shot, 0o644)
	}
	if err != nil {
		v.t.Errorf("picture %s: %v", name, err)
	}
}

// evaluated evaluates an expression in the page, as the browser's own tools do: the
// page's policy does not bind it, nor that its scripts are off.
func evaluated[T any](v *viewer, expression string) T {
	v.t.Helper()
	x, err := chromedp.Run(v.tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("evaluate %.60s: %v", expression, err)
	}
	return x
}

// keyboard goes through a page without a mouse: to the content at once, and over
// the calendar's days with the arrows.
func keyboard(v *viewer, day string) {
	t := v.t
	v.as(look{1280, "light", true})
	press := func(keys ...string) {
		t.Helper()
		for _, k := range keys {
			if err := chromedp.Do(v.tab, chromedp.KeyEvent(k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := chromedp.Do(v.tab, chromedp.Navigate(v.base+day)); err != nil {
		t.Fatal(err)
	}
	press(kb.Tab)
	skip := evaluated[map[string]any](v, `(() => { const e = document.activeElement, r = e.getBoundingClientRect();
		return { to: e.getAttribute("href"), seen: r.top >= 0 && r.bottom <= innerHeight, outline: getComputedStyle(e).outlineStyle } })()`)
	if skip["to"] != "#main" || skip["seen"] != true || skip["outline"] == "none" {
		t.Errorf("the first stop of the keyboard is %v, want the visible link to the content", skip)
	}
	press(kb.Enter)
	if got := evaluated[string](v, `location.hash`); got != "#main" {
		t.Errorf("the link to the content leads to %q", got)
	}
	days := evaluated[[]string](v, `[...document.querySelectorAll(".month td a")].map(a => a.getAttribute("href"))`)
	at := slices.Index(days, day)
	if at < 1 {
		t.Fatalf("the calendar has the days %v, want %s after another", days, day)
	}
	evaluated[any](v, `document.querySelector(".month [aria-current]").focus()`)
	for _, step := range []struct{ key, want string }{{kb.ArrowLeft, days[at-1]}, {kb.ArrowRight, day}} {
		press(step.key)
		if got := evaluated[string](v, `document.activeElement.getAttribute("href")`); got != step.want {
			t.Errorf("the arrow leads to %s, want %s", got, step.want)
		}
	}
	press(kb.ArrowLeft, kb.Enter)
	if got := evaluated[string](v, `location.pathname`); got != days[at-1] {
		t.Errorf("Enter leads to %s, want %s", got, days[at-1])
	}
}

// times reads when stories came: with scripts how long ago, on paper and without
// scripts on which day, in any case with the whole moment at hand.
func times(v *viewer) {
	const lately = `[...document.querySelectorAll("time.at")].filter(t => Date.now() - Date.parse(t.dateTime) < 864e5)`
	const days = lately + `.filter(t => t.title === t.textContent).length`
	v.as(look{1280, "light", true})
	if err := chromedp.Do(v.tab, chromedp.Navigate(v.base+"/")); err != nil {
		v.t.Fatal(err)
	}
	all := evaluated[int](v, lately+`.length`)
	if n := evaluated[int](v, days); all == 0 || n != 0 {
		v.t.Errorf("of %d times of today %d name the day, want how long ago", all, n)
	}
	if n := evaluated[int](v, `dispatchEvent(new Event("beforeprint")), `+days); n != all {
		v.t.Errorf("on paper %d of %d times name the day", n, all)
	}
	v.as(look{1280, "light", false})
	if err := chromedp.Do(v.tab, chromedp.Navigate(v.base+"/")); err != nil {
		v.t.Fatal(err)
	}
	if n := evaluated[int](v, days); n != all {
		v.t.Errorf("without scripts %d of %d times name the day", n, all)
	}
}

func today() string { return time.Now().In(time.FixedZone("", 7*3600)).Format(time.DateOnly) }
