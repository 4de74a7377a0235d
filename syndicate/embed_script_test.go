package syndicate

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestEmbedsHaveThePalette: embeds have the colours of the pages, in the light
// and in the dark.
func TestEmbedsHaveThePalette(t *testing.T) {
	t.Parallel()
	ours, err := look{}.embedColours()
	if err != nil || len(ours.light) != 5 || len(ours.dark) != 5 {
		t.Fatalf("%+v, %v: want paper, ink, soft, line and accent of each", ours, err)
	}
	embedLight, embedDark, embedStyle := ours.light, ours.dark, ours.style()
	light, dark := luminance(t, strings.TrimPrefix(embedLight["paper"], "#")), luminance(t, strings.TrimPrefix(embedDark["paper"], "#"))
	if light < 0.8 || dark > 0.1 {
		t.Errorf("light paper %s and dark paper %s: they are not what they are called", embedLight["paper"], embedDark["paper"])
	}
	for _, colours := range []map[string]string{embedLight, embedDark} {
		for name, colour := range colours {
			if !strings.Contains(embedStyle, ";--"+name+":"+colour) {
				t.Errorf("the style of embeds lacks %s %s", name, colour)
			}
		}
	}
}

// The operator's colours are those of embeds too, as a browser takes them.
func TestEmbedsHaveTheOwnColours(t *testing.T) {
	t.Parallel()
	ours, err := look{}.embedColours()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, style, theme, light, dark string }{
		{"none", "", "", ours.light["accent"], ours.dark["accent"]},
		{"one for both", "", ":root { --accent: #0B5394; }", "#0b5394", "#0b5394"},
		{"each its own", "", ":root{--accent:#0b5394}\n@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; } }", "#0b5394", "#8ab4f8"},
		{"for the dark alone", "", "@media screen and (prefers-color-scheme:dark){:root{--accent:#abc;}} p{color:red}", ours.light["accent"], "#aabbcc"},
		{"not as digits", "", ":root { --accent: rebeccapurple; }", ours.light["accent"], ours.dark["accent"]},
		{"a whole stylesheet", ":root { --accent: #111111; }", ":root { --paper: #fff; }", "#111111", "#111111"},
		{"on paper", "", "@media print { :root { --accent: #000; } }", ours.light["accent"], ours.dark["accent"]},
		{"an open block", "", "@media (prefers-color-scheme: dark) { :root { --accent: #222222; ", ours.light["accent"], "#222222"},
	} {
		got, err := look{own: map[string]string{"style.css": tt.style, "theme.css": tt.theme}}.embedColours()
		if err != nil || got.light["accent"] != tt.light || got.dark["accent"] != tt.dark {
			t.Errorf("%s: %s and %s, %v; want %s and %s", tt.name, got.light["accent"], got.dark["accent"], err, tt.light, tt.dark)
		}
	}
	dir := ownFolder(t, map[string]string{"theme.css": ":root { --accent: #0b5394; }", "words.en.yaml": "embed.none: Nothing here.\n"})
	s := newFeedSite(t, func(c *Config) { c.Site.Templates = dir })
	if _, body := s.get("/embed/?lang=en"); !strings.Contains(string(body), "--accent:#0b5394") || !strings.Contains(string(body), "Nothing here.") {
		t.Errorf("the frame has not the operator's colour and text:\n%s", body)
	}
	if _, body := s.get("/nhung/"); !strings.Contains(string(body), `value="#0b5394"`) {
		t.Error("the configurator offers another colour")
	}
}

// Who asks for English is refused in English.
func TestEmbedRefusalsSpeak(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t, func(c *Config) {
		c.Partners = []Partner{{ID: "so", Name: "Sở", Origins: []string{"https://so.example.vn"}}}
	})
	for _, tt := range []struct {
		path, vi, en string
		code         int
	}{
		{"/embed/?count=x", "Số tin count phải là một số từ 1 đến 50.", "The number of stories count must be a number from 1 to 50.", 400},
		{"/embed/fragment.html?heading=9", "Cấp tiêu đề heading phải", "The level of the heading heading must", 400},
		{"/embed/?theme=pink", "theme phải là auto, light, dark.", "theme must be one of auto, light, dark.", 400},
		{"/embed/?dates=2", "dates phải là 0 hoặc 1.", "dates must be 0 or 1.", 400},
		{"/embed/?accent=red", "Màu nhấn accent", "accent must be six hexadecimal digits", 400},
		{"/embed/?partner=ai", `Không có đối tác "ai".`, `There is no partner "ai".`, 404},
		{"/embed/topics/nothing/?count=3", "Không có chuyên mục", "There is no topic", 404},
	} {
		for tag, want := range map[string]string{"vi": tt.vi, "en": tt.en} {
			resp, body := s.get(tt.path + "&lang=" + tag)
			if resp.StatusCode != tt.code || !strings.Contains(string(body), want) {
				t.Errorf("%s in %s: %d %q, want %d %q", tt.path, tag, resp.StatusCode, body, tt.code, want)
			}
		}
	}
	req := httptest.NewRequest("GET", "/embed/items.json?partner=so&lang=en", nil)
	req.Header.Set("Origin", "https://other.example")
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, req)
	if w.Code != 403 || !strings.Contains(w.Body.String(), "on its registered sites only") {
		t.Errorf("another site: %d %s", w.Code, w.Body)
	}
}

// released holds the hash of each version of the script that pages may name.
// A line that stands here never changes: a new version is a new file and a new
// line.
var released = map[string]string{
	"1.0.0": "sha384-bGTn3a10pfhU7srU+xTBUqE6PLAVJAceUwe2XWweXGo3ut9wqgNYvxjCoKR692PP",
}

func TestReleasedScriptsNeverChange(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	files, err := fs.Glob(web, "web/embed/diemtin-*.js")
	if err != nil || len(files) != len(released) || len(scriptVersions) != len(released) {
		t.Fatalf("%d files, %d versions, %d released, %v", len(files), len(scriptVersions), len(released), err)
	}
	guide, err := os.ReadFile("../docs/embeds.md")
	if err != nil || !strings.Contains(string(guide), newestScript.Path) || !strings.Contains(string(guide), newestScript.Integrity) {
		t.Errorf("docs/embeds.md does not show %s with %s, %v", newestScript.Path, newestScript.Integrity, err)
	}
	for version, want := range released {
		if !slices.Contains(scriptVersions, version) {
			t.Errorf("version %s was taken away", version)
			continue
		}
		script := newScript(version)
		if script.Integrity != want {
			t.Errorf("version %s has the hash %s, was released with %s", version, script.Integrity, want)
		}
		resp, body := site.get(script.Path)
		h := resp.Header
		if resp.StatusCode != http.StatusOK || string(body) != string(embeddedFile(scriptFile(version))) ||
			h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %s, %v", script.Path, resp.Status, h)
		}
		for _, coding := range []string{"gzip", "br"} {
			if resp, packed := site.get(script.Path, "Accept-Encoding", coding); resp.Header.Get("Content-Encoding") != coding || len(packed) >= 4<<10 {
				t.Errorf("version %s by %s: %d bytes, want less than 4 KB", version, coding, len(packed))
			}
		}
		if !strings.Contains(string(body), path.Base(script.Path)+" "+version) {
			t.Errorf("version %s does not name itself", version)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "document.cookie", "localStorage", "window.diemtin"} {
			if strings.Contains(string(body), bad) {
				t.Errorf("version %s uses %s", version, bad)
			}
		}
	}
}
