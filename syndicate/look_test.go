package syndicate

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestEveryPageCanBeTried: our own templates pass the trial that an operator's
// have to.
func TestEveryPageCanBeTried(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		if err := (look{}).try(l); err != nil {
			t.Error(err)
		}
	}
	pages, err := fs.Glob(web, "web/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pages {
		if _, ok := bodies[strings.TrimSuffix(filepath.Base(name), ".html")]; !ok {
			t.Errorf("%s: nothing says what it reads", name)
		}
	}
	if len(pages) != len(bodies) {
		t.Errorf("%d pages, %d bodies", len(pages), len(bodies))
	}
}

// ownFolder writes an operator's folder.
func ownFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOwnLook(t *testing.T) {
	t.Parallel()
	dir := ownFolder(t, map[string]string{
		"parts/card.html":   "{{define \"card\"}}<li class=\"card own\"><h3><a href=\"{{.Path}}\">{{.Title}}</a></h3>{{template \"mark\" .}}</li>{{end}}",
		"parts/mark.html":   "{{/* a fragment of the operator's */}}\n{{define \"mark\"}}<p class=\"mark\">{{.By.Outlet.Text}}</p>{{end}}",
		"notice.html":       "{{define \"main\"}}<h1>Nhà này: {{.Title}}</h1>{{end}}",
		"theme.css":         ":root { --accent: #123456; }",
		"favicon.svg":       "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
		"words.vi.yaml":     "nav.home: Trang nhất\ncopies: \"%d nơi đăng\"\n",
		".git/config":       "passed over",
		"README.md":         "passed over",
		"parts/README.html": "passed over",
	})
	var addresses []string
	for _, own := range []string{"", dir} {
		s := newFeedSite(t, func(c *Config) { c.Site.Templates = own })
		s.publish("laocai", "giao-duc", 1)
		_, body := s.get("/")
		home := string(body)
		if got := strings.Contains(home, "Trang nhất"); got != (own != "") {
			t.Errorf("folder %q: own text shown: %t", own, got)
		}
		if got := strings.Contains(home, "<p class=\"mark\">Báo Lào Cai</p>"); got != (own != "") {
			t.Errorf("folder %q: own card shown: %t", own, got)
		}
		_, after, _ := strings.Cut(home, `<link rel="stylesheet" href="`)
		address, _, _ := strings.Cut(after, `"`)
		addresses = append(addresses, address)
		resp, style := s.get(address)
		if got := strings.Contains(string(style), "#123456"); got != (own != "") || !strings.Contains(string(style), ".card {") {
			t.Errorf("folder %q: own colour served: %t", own, got)
		}
		if !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("folder %q: the stylesheet at its own address: Cache-Control %q", own, resp.Header.Get("Cache-Control"))
		}
		if _, icon := s.get("/favicon.svg"); (string(icon) == `<svg xmlns="http://www.w3.org/2000/svg"/>`) != (own != "") {
			t.Errorf("folder %q: logo %s", own, icon)
		}
		if _, body := s.ask("POST", "/"); strings.Contains(string(body), "Nhà này") != (own != "") {
			t.Errorf("folder %q: notice %s", own, body)
		}
	}
	if addresses[0] == addresses[1] {
		t.Errorf("both stylesheets have the address %s", addresses[0])
	}
}

// A broken look is refused at the start, with the file and the line.
func TestBrokenLook(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, text, want string }{
		{"syntax", "story.html", "{{define \"main\"}}\n{{if .Title}}\n{{end}}", "story.html:3: unexpected EOF"},
		{"a function", "story.html", "{{define \"main\"}}\n{{shout .Title}}{{end}}", "story.html:2: function \"shout\" not defined"},
		{"a field", "parts/card.html", "{{define \"card\"}}<li>\n{{.Headline}}</li>{{end}}", "parts/card.html:2:2: executing \"card\" at <.Headline>: can't evaluate field Headline in type syndicate.card"},
		{"a field where there is nothing", "home.html", "{{define \"main\"}}{{range .Newest}}{{else}}\n{{.None}}{{end}}{{end}}", "home.html:2:2: executing \"main\" at <.None>: can't evaluate field None"},
		{"a text", "home.html", "{{define \"main\"}}\n\n{{t \"nothing.here\"}}{{end}}", "home.html:3:2: executing \"main\" at <t \"nothing.here\">: error calling t: no text for \"nothing.here\""},
		{"unsafe", "home.html", "{{define \"main\"}}\n<a href={{.Lead}}\"{{end}}", "home.html: frame: \"\\\"\" in unquoted attr"},
		{"half a link", "home.html", "{{define \"main\"}}\n{{if .Lead}}<a href=\"{{end}}{{end}}", "home.html:2:5: {{if}} branches end in different contexts"},
		{"no part of that name", "home.html", "{{define \"main\"}}\n{{template \"crad\" .}}{{end}}", "home.html:2"},
		{"outside of a definition", "home.html", "\n<h1>Tin</h1>", "home.html:1: text outside {{define}} is never shown"},
		{"a name of nothing", "parts/card.html", "\n{{define \"crad\"}}x{{end}}", "parts/card.html:2: nothing uses a template \"crad\""},
		{"without end", "parts/card.html", "{{define \"card\"}}{{template \"card\" .}}{{end}}", "parts/card.html:1"},
		{"an unknown page", "sport.html", "x", "sport.html: no page or file of that name"},
		{"an unknown file", "logo.png", "x", "logo.png: no page or file of that name"},
		{"an unknown text", "words.vi.yaml", "nav.home: a\nnav.hom: b\n", "words.vi.yaml:2: no text is called \"nav.hom\""},
		{"a text without its number", "words.vi.yaml", "\ncopies: nhiều nơi đăng\n", "words.vi.yaml:2: copies: want [\"%d\"] in it"},
		{"texts that are none", "words.vi.yaml", "- a\n", "words.vi.yaml:1: want lines such as"},
		{"a text that is a list", "words.vi.yaml", "nav.home: [a]\n", "words.vi.yaml:1: nav.home: want a text"},
		{"no YAML", "words.vi.yaml", "nav.home: [\n", "words.vi.yaml: yaml: line 1"},
		{"an English text", "words.en.yaml", "nav.hom: b\n", "words.en.yaml:1: no text is called \"nav.hom\""},
		{"too large", "theme.css", strings.Repeat("a", maxOwnFile+1), "theme.css has 1048577 bytes; want at most 1048576"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := sampleConfig()
			cfg.Site.Templates = ownFolder(t, map[string]string{tt.file: tt.text})
			_, err := New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err == nil || !strings.Contains(err.Error(), filepath.Join(cfg.Site.Templates, "")+"/"+tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			reported := ""
			cfg.Check(func(path, problem string) { reported += path + ": " + problem })
			if !strings.HasPrefix(reported, "site.templates: ") || !strings.Contains(reported, tt.want) {
				t.Errorf("check reports %q, want %q", reported, tt.want)
			}
		})
	}
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		cfg := sampleConfig()
		cfg.Site.Templates = filepath.Join(t.TempDir(), "none")
		if _, err := New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "open the folder of templates") {
			t.Errorf("got %v", err)
		}
	})
}

// What the operator's folder leads to outside of itself is not read.
func TestLookStaysInItsFolder(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret.css")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(secret, filepath.Join(dir, "theme.css")); err != nil {
		t.Fatal(err)
	}
	if l, err := openLook(dir); err == nil {
		t.Errorf("a link out of the folder was followed: %q", l.own["theme.css"])
	}
}
