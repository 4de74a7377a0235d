package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
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
  const list = [...document.querySelectorAll("main article")].map(e => e.getBoundingClientRect());
  list.forEach((a, i) => list.slice(i + 1).forEach(b => {
    if (a.width && b.width && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
      faults.push("two articles overlap");
  }));
  for (const r of performance.getEntriesByType("resource")) if (!r.name.startsWith(location.origin) && r.initiatorType !== "img") faults.push("asks another host: " + r.name);
  return faults;
})()`

// browse looks at the pages in a real browser at the widths of a phone and a
// desk. With DIEMTIN_SCREENSHOTS set to a folder it leaves pictures there.
func browse(t *testing.T, base, story string) {
	if testing.Short() {
		t.Skip("the short loop opens no browser")
	}
	path := need(t, "chromium")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	defer cancel()
	tab, cancel := chromedp.NewContext(alloc)
	defer cancel()
	tab, cancel = context.WithTimeout(tab, 2*time.Minute)
	defer cancel()
	logged := complaints(t, tab)
	for name, address := range map[string]string{"follow": "/nguon-cap-tin/?of=%2Ftopics%2Fxa-hoi%2F", "english": "/gioi-thieu/?lang=en", "home": "/", "topic": "/topics/xa-hoi/", "day": "/days/" + today() + "/", "story": "/stories/" + story,
		"explain": "/stories/" + story + "/explain", "status": "/status", "feeds": "/nguon-cap-tin/", "mix": "/mix/", "mixed": "/mix/?topics=kinh-te,xa-hoi", "search": "/search?q=x%C3%A3", "about": "/gioi-thieu/",
		"embedding": "/nhung/?channel=topics/xa-hoi", "embed": "/embed/topics/xa-hoi/"} {
		for _, width := range []int64{390, 1280} {
			if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(base+address)); err != nil {
				t.Fatalf("%s at %d px: %v", address, width, err)
			}
			faults, err1 := chromedp.Run(tab, chromedp.Evaluate[[]string](faultsOfLayout))
			picture, err2 := chromedp.Run(tab, chromedp.FullScreenshot(80))
			if err := errors.Join(err1, err2); err != nil {
				t.Fatalf("%s at %d px: %v", address, width, err)
			}
			for _, f := range faults {
				t.Errorf("%s at %d px: %s", address, width, f)
			}
			if dir := os.Getenv("DIEMTIN_SCREENSHOTS"); dir != "" {
				file := filepath.Join(dir, fmt.Sprintf("%s-%d.jpg", name, width))
				if err := os.WriteFile(file, picture, 0o644); err != nil {
					t.Error(err)
				}
			}
		}
	}
	copies(t, tab, base)
	for _, text := range logged() {
		t.Errorf("the browser complains: %s", text)
	}
}

// complaints listens to what a tab logs: a script or style that the policy of a
// page refuses, a file that is not there. The function returned gives it.
func complaints(t *testing.T, tab context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	err := errors.Join(chromedp.Do(tab, chromedp.Navigate("about:blank"), func(ctx context.Context, to *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, to, log.Enable, cdp.Empty{})
		return v, err
	}), chromedp.Listen(tab, func(ev any) {
		if e, ok := ev.(*log.EventEntryAdded); ok {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, e.Entry.Text+" "+e.Entry.URL)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// copies presses the first button that copies an address, and sees that it says
// so.
func copies(t *testing.T, tab context.Context, base string) {
	t.Helper()
	err := chromedp.Do(tab, chromedp.Navigate(base+"/nguon-cap-tin/?of=%2F"), chromedp.Click("button.copy"))
	if err == nil {
		_, err = chromedp.Run(tab, chromedp.Poll[bool](`document.querySelector("button.copy").textContent === "Đã sao chép"`, chromedp.WithPollingTimeout(5*time.Second)))
	}
	if err != nil {
		t.Errorf("copy an address: %v", err)
	}
}

func today() string { return time.Now().In(time.FixedZone("", 7*3600)).Format(time.DateOnly) }
