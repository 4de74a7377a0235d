package syndicate

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEmbedsHaveThePalette: embeds look like the pages they lead to; the accent
// that the configurator takes for none is theirs.
func TestEmbedsHaveThePalette(t *testing.T) {
	t.Parallel()
	pages := string(embeddedFile("web/style.css"))
	for _, colour := range regexp.MustCompile(`--(paper|ink|soft|line|accent):(#[0-9a-f]{6})`).FindAllStringSubmatch(embedStyle, -1) {
		if !strings.Contains(pages, "--"+colour[1]+": "+colour[2]+";") {
			t.Errorf("embeds have %s %s, which is none of the pages'", colour[1], colour[2])
		}
	}
	if !strings.Contains(embedStyle, "--accent:#"+embedAccent) {
		t.Errorf("the accent of embeds is not #%s", embedAccent)
	}
}

// released holds the hash of each version of the script that pages may name.
// A line that stands here never changes: a new version is a new file and a new
// line.
var released = map[string]string{
	"1.0.0": "sha384-S6anqgKBwks08SY842K56cwzAgKynH9BM5ZhzA6xkDwUk+1bDZSj85LghPBIbKmM",
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
