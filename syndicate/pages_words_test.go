package syndicate

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"diemtin/store"
)

// TestTextsAreUsed reads templates and sources for the keys of texts: each must
// exist, and none may be left over.
func TestTextsAreUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	read := func(data []byte, patterns ...string) {
		for _, p := range patterns {
			for _, m := range regexp.MustCompile(p).FindAllSubmatch(data, -1) {
				used[string(m[1])] = true
			}
		}
	}
	err := fs.WalkDir(web, "web", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".html") {
			var data []byte
			if data, err = web.ReadFile(path); err == nil {
				read(data, `\b(?:t|Say) "([^"]+)"`)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "pages_words") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		read(data, `\b(?:w|[ls]\.words|vietnamese)\["([^"+]+)"\]`, `"((?:day|days)\.(?:prev|next))"`)
	}
	for _, o := range append([]store.Outcome{""}, store.Outcomes...) {
		used["outcome."+string(o)] = true
		if o != "" && !o.OK() && o != store.Internal {
			used["advice."+string(o)] = true
		}
	}
	for _, o := range append([]store.Outcome{""}, store.Outcomes...) {
		used[pace(o)] = true
	}
	for _, kind := range []string{"own", "copied", "following", "compiled"} {
		used["outlet."+kind] = true
	}
	used["search.from"], used["search.to"] = true, true
	for _, day := range weekdays {
		used[day], used[day+".short"] = true, true
	}
	for _, kind := range kinds {
		used[kind+".title"], used[kind+".lead"], used["feeds."+kind], used["kind."+kind] = true, true, true, true
	}
	for _, notice := range []string{"gone", "method", "down", "broken", "busy"} {
		used[notice+".title"], used[notice+".lead"] = true, true
	}
	// Codes that are stored.
	for _, key := range []string{"merge.first", "merge.link", "merge.text", "merge.attribution", "merge.ruling", "place.title", "place.summary",
		"place.body", "place.section", "place.opinion", "status.feed", "status.page", "status.fine", "status.failing", "status.waiting"} {
		used[key] = true
	}
	for key := range used {
		if vietnamese[key] == "" {
			t.Errorf("no text for %q", key)
		}
	}
	for key := range vietnamese {
		if !used[key] {
			t.Errorf("the text %q is never shown", key)
		}
	}
}

// TestContrast holds the colours of the stylesheet, light and dark, to WCAG 2.2
// AA: 4.5 to 1 for text.
func TestContrast(t *testing.T) {
	t.Parallel()
	data, err := web.ReadFile("web/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, ok := strings.Cut(string(data), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "*, ::before")
	if !ok {
		t.Fatal("the stylesheet has no dark colours")
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			colour[m[1]] = m[2]
		}
		for _, pair := range [][2]string{{"ink", "paper"}, {"soft", "paper"}, {"accent", "paper"}, {"read", "paper"}, {"fine", "paper"},
			{"ink", "tint"}, {"soft", "tint"}, {"accent", "tint"}} {
			a, b := luminance(t, colour[pair[0]]), luminance(t, colour[pair[1]])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %s on %s has contrast %.2f, want 4.5", scheme, pair[0], pair[1], ratio)
			}
		}
	}
}

// luminance is the relative luminance of a colour like "9b2c1f" (WCAG 2.2).
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("no colour: %q", hex)
	}
	part := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func TestReadDay(t *testing.T) {
	t.Parallel()
	const today = "2024-11-05"
	for in, want := range map[string]store.Day{
		"2024-11-05": "2024-11-05", "05/11/2024": "2024-11-05", "5/11/2024": "2024-11-05", "5-1-2024": "2024-01-05",
		"5.11.2024": "2024-11-05", "2024-1-5": "2024-01-05", "19/11/1997": "1997-11-19",
		"31/02/2024": "", "2024-13-01": "", "11/05": "", "mai": "", "": "", "6/11/2024": "", "18/11/1997": "",
	} {
		if got, why := languages[0].readDay(in, today); (why == "") != (want != "") || want != "" && got != want {
			t.Errorf("readDay(%q) = %q, %q; want %q", in, got, why, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{3: "3", 2.5: "2,5", 0.333: "0,33", 10: "10", 0: "0"} {
		if got := languages[0].decimal(x); got != want {
			t.Errorf("decimal(%v) = %q, want %q", x, got, want)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "1730790000000.abcdefghijklm", "1.a", "x", "-1.a", "9999999999999999999.a", "1."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := readCursor(s)
		if err != nil || c.At.IsZero() {
			return
		}
		again, err := readCursor(writeCursor(c))
		if err != nil || !again.At.Equal(c.At) || again.ID != c.ID {
			t.Errorf("%q was read as %v and then as %v (%v)", s, c, again, err)
		}
	})
}
