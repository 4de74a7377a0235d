package syndicate

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// embedScript is one released version of our script. Pages name it by its
// version and by a hash of its bytes, so these never change, and no version is
// ever taken away.
type embedScript struct {
	Version   string // "1.0.0"
	Path      string // from the root
	Integrity string // as the attribute has it: "sha384-…"
}

// scriptVersions are all versions, the newest last. Its file is
// web/embed/diemtin-VERSION.js.
var scriptVersions = []string{"1.0.0"}

// newestScript is the version that new codes name.
var newestScript = newScript(scriptVersions[len(scriptVersions)-1])

func newScript(version string) embedScript {
	data, err := fs.ReadFile(web, scriptFile(version))
	if err != nil {
		panic(err) // it is embedded: only a build without it can come here
	}
	sum := sha512.Sum384(data)
	return embedScript{version, embedFolder + version + "/diemtin.js", "sha384-" + base64.StdEncoding.EncodeToString(sum[:])}
}

func scriptFile(version string) string { return "web/embed/diemtin-" + version + ".js" }

// embedLight and embedDark are the colours of embeds: those of the pages.
var embedLight, embedDark = embedPalette(string(embeddedFile("web/style.css")))

// embedPalette reads the colours of the stylesheet that embeds have too: first
// come those of the light pages, then those of the dark ones.
func embedPalette(sheet string) (light, dark map[string]string) {
	light, dark = map[string]string{}, map[string]string{}
	for _, m := range regexp.MustCompile(`--(paper|ink|soft|line|accent): (#[0-9a-f]{6});`).FindAllStringSubmatch(sheet, -1) {
		switch name := m[1]; {
		case light[name] == "":
			light[name] = m[2]
		case dark[name] == "":
			dark[name] = m[2]
		}
	}
	return light, dark
}

// embedStyle is the style of the page for frames, without what separates rules
// for the eye.
var embedStyle = func() string {
	set := func(colours map[string]string, scheme string) string {
		css := "color-scheme:" + scheme
		for _, name := range slices.Sorted(maps.Keys(colours)) {
			css += ";--" + name + ":" + colours[name]
		}
		return "{" + css + "}"
	}
	return "html" + set(embedLight, "light") + "html[data-theme=dark]" + set(embedDark, "dark") +
		"@media (prefers-color-scheme:dark){html[data-theme=auto]" + set(embedDark, "dark") + "}" +
		strings.ReplaceAll(string(embeddedFile("web/embed/embed.css")), "\n", "")
}()

// embedAccent is the accent colour of embeds for which nobody chose one, without
// its number sign.
var embedAccent = strings.TrimPrefix(embedLight["accent"], "#")

func embeddedFile(name string) []byte {
	data, err := fs.ReadFile(web, name)
	if err != nil {
		panic(err)
	}
	return data
}

// scriptRoutes registers every version of the script.
func (s *Server) scriptRoutes() error {
	for _, version := range slices.Backward(scriptVersions) {
		script := newScript(version)
		header := http.Header{"Cache-Control": {forever}}
		openToAll(header) // a page that checks the hash must be let read
		header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		doc, err := newRendition(embeddedFile(scriptFile(version)), "text/javascript; charset=utf-8", header, time.Time{})
		if err == nil {
			doc, err = doc.inAll()
		}
		if err != nil {
			return fmt.Errorf("script %s: %w", version, err)
		}
		s.mux.HandleFunc("GET "+script.Path, func(w http.ResponseWriter, r *http.Request) { doc.serve(w, r) })
	}
	return nil
}
