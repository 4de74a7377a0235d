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

// embedColours are the colours of embeds, by their names in the stylesheet:
// those of the pages, the operator's too.
type embedColours struct{ light, dark map[string]string }

// embedColours reads them of the look. What the operator's stylesheets do not
// name, or not as a number sign with three or six digits, is as in ours.
func (l look) embedColours() (embedColours, error) {
	ours, err := web.ReadFile("web/style.css")
	c := embedColours{map[string]string{}, map[string]string{}}
	c.read(string(ours))
	c.read(l.own["style.css"])
	c.read(l.own["theme.css"])
	return c, err
}

var (
	colourOf  = regexp.MustCompile(`--(paper|ink|soft|line|accent):\s*#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\s*[;}]`)
	mediaRule = regexp.MustCompile(`@media([^{]*)\{`)
	schemeOf  = regexp.MustCompile(`prefers-color-scheme:\s*(light|dark)`)
)

// read takes a stylesheet's colours as a browser would: what stands outside of
// a block for light or dark screens is for both, and what comes later goes
// before. Blocks for other media, as paper, are passed over.
func (c embedColours) read(sheet string) {
	for {
		at := mediaRule.FindStringSubmatchIndex(sheet)
		if at == nil {
			c.take(sheet, c.light, c.dark)
			return
		}
		c.take(sheet[:at[0]], c.light, c.dark)
		end := at[1] + blockEnd(sheet[at[1]:])
		switch m := schemeOf.FindStringSubmatch(sheet[at[2]:at[3]]); {
		case m == nil:
		case m[1] == "dark":
			c.take(sheet[at[1]:end], c.dark)
		default:
			c.take(sheet[at[1]:end], c.light)
		}
		sheet = sheet[end:]
	}
}

func (embedColours) take(css string, into ...map[string]string) {
	for _, m := range colourOf.FindAllStringSubmatch(css, -1) {
		digits := strings.ToLower(m[2])
		if len(digits) == 3 {
			digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
		}
		for _, colours := range into {
			colours[m[1]] = "#" + digits
		}
	}
}

// blockEnd is where a block of CSS ends whose brace was opened before.
func blockEnd(css string) int {
	open := 1
	for i, c := range css {
		switch c {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return len(css)
}

// style is the style of the page for frames, without what separates rules for
// the eye.
func (c embedColours) style() string {
	set := func(colours map[string]string, scheme string) string {
		css := "color-scheme:" + scheme
		for _, name := range slices.Sorted(maps.Keys(colours)) {
			css += ";--" + name + ":" + colours[name]
		}
		return "{" + css + "}"
	}
	return "html" + set(c.light, "light") + "html[data-theme=dark]" + set(c.dark, "dark") +
		"@media (prefers-color-scheme:dark){html[data-theme=auto]" + set(c.dark, "dark") + "}" +
		strings.ReplaceAll(string(embeddedFile("web/embed/embed.css")), "\n", "")
}

// accent is the accent colour of embeds for which nobody chose one, without
// its number sign.
func (c embedColours) accent() string { return strings.TrimPrefix(c.light["accent"], "#") }

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
