package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"diemtin"
	"diemtin/aggregator/outlettest"
)

// siteYAML is what discover and import leave to the person who pastes their YAML.
const siteYAML = "site: {title: Điểm tin, base_url: \"https://tin.example.vn\", language: vi, operator: Tòa soạn, contact: a@example.vn}\n"

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What export writes of the shipped outlets, import gives back: every source
// with its id, kind, topic and address, in its outlet.
func TestOPMLRoundTrip(t *testing.T) {
	t.Parallel()
	own := siteYAML + `outlets:
  - id: cong-mau
    name: "Cổng <Mẫu> & \"bạn\""
    domains: [cong.example.vn]
    scope: provincial
    province: hung-yen
    rank: 20
    show: summary
    sources:
      - {id: cong-tin, kind: page, url: "https://cong.example.vn/tin?a=1&b=2", topic: xa-hoi, page: {item: "ul.news > li", date: .date, next: a.next, pages: 3}}
      - {id: cong-map, kind: sitemap, url: "https://cong.example.vn/sitemap.xml"}
`
	for name, text := range map[string]string{"shipped": string(diemtin.FeedsYAML), "own": own} {
		before, err := parseConfig("before.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		exported, stderr, code := output(t, "export", "--config", write(t, "before.yaml", text))
		if code != 0 {
			t.Fatalf("%s: export: exit %d, %s", name, code, stderr)
		}
		imported, stderr, code := output(t, "import", "--config", write(t, "before.yaml", text), write(t, "x.opml", exported))
		if code != 0 {
			t.Fatalf("%s: import: exit %d, %s", name, code, stderr)
		}
		after, err := parseConfig("after.yaml", []byte(siteYAML+imported))
		if err != nil {
			t.Fatalf("%s: what import prints is no configuration: %v\n%s", name, err, imported)
		}
		got, want := after.aggregate.StoreSources(), before.aggregate.StoreSources()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d sources came back of %d\n%v\n%v", name, len(got), len(want), got, want)
		}
		for i, o := range before.aggregate.Outlets {
			a := after.aggregate.Outlets[i]
			if a.ID != o.ID || a.Name != o.Name || a.Scope != o.Scope || a.Province != o.Province || a.Rank != o.Rank {
				t.Errorf("%s: outlet %+v came back as %+v", name, o, a)
			}
			for j, s := range o.Sources {
				if s.Page != nil && *a.Sources[j].Page != *s.Page {
					t.Errorf("%s: selectors %+v came back as %+v", name, *s.Page, *a.Sources[j].Page)
				}
			}
		}
	}
}

func TestExportForOthers(t *testing.T) {
	t.Parallel()
	stdout, _, code := output(t, "export", "--config", write(t, "x.yaml", goodYAML))
	if code != 0 || !strings.Contains(stdout, `type="rss" xmlUrl="https://nhandan.vn/rss/home.rss"`) || !strings.Contains(stdout, "<title>Điểm tin</title>") {
		t.Errorf("exit %d:\n%s", code, stdout)
	}
	again, _, _ := output(t, "export", "--config", write(t, "x.yaml", goodYAML))
	if again != stdout {
		t.Error("the same configuration gives another OPML")
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"import"}, 2, "want one OPML file"},
		{[]string{"import", "/nonexistent.opml"}, 1, "no such file"},
		{[]string{"import", write(t, "x.opml", "<rss></rss>")}, 1, "it is no OPML"},
		{[]string{"export", "x"}, 2, `unexpected argument "x"`},
		{[]string{"discover"}, 2, "want one address of a site"},
		{[]string{"discover", "http://127.0.0.1:1/"}, 1, "private address; allow_private admits it"},
		{[]string{"discover", "ftp://x.vn"}, 1, "begins with https://"},
	} {
		_, stderr, code := output(t, append([]string{tt.args[0], "--config", write(t, "x.yaml", goodYAML)}, tt.args[1:]...)...)
		if code != tt.code || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, %q; want %d, one line with %q", tt.args, code, stderr, tt.code, tt.want)
		}
	}
}

// The YAML that discover prints of a portal without a feed works as it stands.
func TestDiscoverThenProbe(t *testing.T) {
	t.Parallel()
	w, _ := world(t, outlettest.Options{Seed: 6, Stories: 300})
	o := w.Outlet("song-hong")
	base := write(t, "base.yaml", goodYAML)
	stdout, stderr, code := output(t, "discover", "--allow-private", "--config", base, o.Feeds[0].URL)
	if code != 0 || !strings.Contains(stdout, "neither a feed nor a sitemap") {
		t.Fatalf("discover: exit %d, %s\n%s", code, stderr, stdout)
	}
	cfg := write(t, "found.yaml", siteYAML+stdout)
	if _, stderr, code := output(t, "check", "--config", cfg); code != 0 {
		t.Fatalf("check: %s\n%s", stderr, stdout)
	}
	found, err := loadConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	probe, stderr, code := output(t, "probe", "--config", cfg, found.aggregate.StoreSources()[0].ID)
	if code != 0 || !strings.Contains(probe, "\n10 items\n") {
		t.Errorf("probe: exit %d, %s\n%s", code, stderr, probe)
	}
	for _, a := range o.Articles()[:10] {
		if !strings.Contains(probe, a.Title) || !strings.Contains(probe, a.Published.In(time.FixedZone("", 7*3600)).Format("2006-01-02T15:04")) {
			t.Errorf("%q of %v is not among\n%s", a.Title, a.Published, probe)
		}
	}
	asJSON, _, code := output(t, "discover", "--json", "--allow-private", "--config", base, w.Outlet("trung-uong").URL)
	var got struct {
		Found []struct{ Kind, URL string }
		Page  *struct{}
	}
	if err := json.Unmarshal([]byte(asJSON), &got); err != nil || code != 0 || len(got.Found) != len(w.Outlet("trung-uong").Feeds) || got.Page != nil {
		t.Errorf("discover --json: exit %d, %v\n%s", code, err, asJSON)
	}
}
