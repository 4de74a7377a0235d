package syndicate

import (
	"io/fs"
	"net/http"
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
	if len(embedLight) != 5 || len(embedDark) != 5 {
		t.Fatalf("light %v, dark %v: want paper, ink, soft, line and accent of each", embedLight, embedDark)
	}
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
