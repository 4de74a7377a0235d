package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diemtin/aggregator/outlettest"
)

// A folder of templates is found from where feeds.yaml is; what is broken in it
// is refused by check and at the start, and --templates goes before the file.
func TestOwnTemplates(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 1, Stories: 1, Days: 1})
	dir := filepath.Dir(config)
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	yaml, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	write("feeds.yaml", strings.Replace(string(yaml), "site: {", "site: {templates: nha, ", 1))
	write("nha/story.html", "{{define \"main\"}}\n{{.Headlines}}{{end}}")
	write("tot/words.vi.yaml", "nav.home: Trang nhất\n")

	want := "nha/story.html:2:2: executing \"main\" at <.Headlines>: can't evaluate field Headlines"
	if _, errs, code := output(t, "check", "--config", config); code == 0 || !strings.Contains(errs, want) || !strings.Contains(errs, config+":") {
		t.Fatalf("check: code %d, %s", code, errs) // serve would take the file too, and stay
	}
	if _, errs, code := output(t, "serve", "--config", config, "--db", "sqlite:"+filepath.Join(dir, "x.db"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"); code == 0 || !strings.Contains(errs, want) {
		t.Errorf("serve: code %d, %s", code, errs)
	}
	write("nha/story.html", "{{define \"main\"}}<h1>{{.Title}}</h1>{{end}}")
	p := serve(t, config, "sqlite:"+filepath.Join(dir, "y.db"), "--templates", filepath.Join(dir, "tot"))
	if _, home := get(t, p.public+"/"); !strings.Contains(home, "Trang nhất") {
		t.Errorf("--templates was not used: %.500s", home)
	}
	p.stop(t)
}
