package syndicate

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestValidator runs the W3C validator over the hard cases, where its wrapper
// and Debian's libraries are installed: all of them on the channel of
// everything, and each on every kind of channel unless it is long, which takes
// the validator seconds and says nothing about the channel; there also with
// stories that are gone.
func TestValidator(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	channels := map[string][]hardCase{"/": hardCases()}
	if !testing.Short() {
		maps.Copy(channels, hardOn())
	}
	for path, cases := range channels {
		for _, f := range formats {
			if f.name == "json" || f.name == "rss" && cases[0].feed.Doc.Part > 0 { // the validator knows only XML; archives have no RSS
				continue
			}
			t.Run(f.name+path, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				args := []string{"--as", cases[0].feed.self(f.file), "--content-type", f.contentType()}
				if path != "/" && f.name == "atom" { // it does not know RFC 6721
					args = append(args, "--ignore", "UnknownNamespace")
				}
				for _, c := range cases {
					if path != "/" && len(c.feed.Stories) > feedStories {
						continue
					}
					feed := c.feed
					if path != "/" {
						feed = withGone(feed)
					}
					doc, err := f.render(feed)
					if err != nil {
						t.Fatal(err)
					}
					file := filepath.Join(dir, strings.ReplaceAll(c.name, " ", "_"))
					if err := os.WriteFile(file, doc, 0o600); err != nil {
						t.Fatal(err)
					}
					args = append(args, file)
				}
				validate(t, args...)
			})
		}
	}
}

// validator returns a function that runs the validator strictly and reports
// all it finds; it skips the test where there is none.
func validator(t *testing.T) func(t *testing.T, args ...string) {
	t.Helper()
	script, err := filepath.Abs("../../shared/tools/validate.py")
	if err != nil {
		t.Fatal(err)
	}
	const python = "/usr/bin/python3" // Debian's, which has the libraries
	if _, err := os.Stat(script); err != nil {
		t.Skipf("no validator: %v", err)
	}
	if err := exec.Command(python, "-c", "import html5lib, lxml, rdflib").Run(); err != nil {
		t.Skipf("python3-html5lib, python3-lxml or python3-rdflib is missing: %v", err)
	}
	return func(t *testing.T, args ...string) {
		t.Helper()
		out, err := exec.Command(python, append([]string{script, "--strict"}, args...)...).CombinedOutput()
		if err != nil || len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("validator: %v\n%s", err, out)
		}
	}
}
