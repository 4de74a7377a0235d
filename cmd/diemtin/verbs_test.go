package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator/outlettest"
)

// Bad input is one clear line that says what to do, never a trace.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("site: {title: x, base_url: https://x.example}\noutlets:\n  - {id: A, naem: x}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(dir, "good.yaml")
	if err := os.WriteFile(good, []byte(goodYAML), 0o644); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	db := "sqlite:" + filepath.Join(dir, "x.db")
	free := "127.0.0.1:0"
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "which verb?"},
		{[]string{"sreve"}, 2, `unknown verb "sreve"; want serve, demo, poll`},
		{[]string{"serve", "--lisen", "x"}, 2, "flag provided but not defined: -lisen; see diemtin serve -h"},
		{[]string{"serve", "now"}, 2, `unexpected argument "now"`},
		{[]string{"serve", "--config", filepath.Join(dir, "none.yaml")}, 1, "no such file"},
		{[]string{"serve", "--config", broken, "--db", db}, 1, `broken.yaml:3:13: outlets[0].naem: unknown key "naem"`},
		{[]string{"check", "--config", broken}, 1, `outlet id "A": want lower-case`},
		{[]string{"serve", "--config", good, "--db", "sqlite:" + dir + "/no/x.db", "--listen", free, "--admin", free}, 1, "does not exist; create it or choose another with --db"},
		{[]string{"serve", "--config", good, "--db", "mysql:x", "--listen", free, "--admin", free}, 1, "want sqlite:PATH or postgres://"},
		{[]string{"serve", "--config", good, "--db", db, "--listen", taken.Addr().String(), "--admin", free}, 1, "address already in use; choose another with --listen"},
		{[]string{"serve", "--config", good, "--db", db, "--admin", taken.Addr().String(), "--listen", free}, 1, "choose another with --admin"},
		{[]string{"serve", "--config", good, "--db", db, "--listen", "nowhere", "--admin", free}, 1, "cannot listen on nowhere"},
		{[]string{"explain", "--db", "sqlite:" + filepath.Join(dir, "none.db"), "x"}, 1, "does not exist yet"},
		{[]string{"story", "hide", "--db", "sqlite:" + filepath.Join(dir, "none.db"), "x"}, 1, "none.db does not exist yet; run"},
		{[]string{"probe"}, 2, "want one URL or the id of a source"},
		{[]string{"probe", "--config", good, "nobody"}, 1, `source "nobody": not found`},
		{[]string{"probe", "--config", good, "http://127.0.0.1:1/"}, 1, "private address; allow_private admits it"},
		{[]string{"demo", "--for", "soon"}, 2, "invalid value"},
	} {
		stdout, stderr, code := output(t, tt.args...)
		if code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("diemtin %s: exit %d, %q; want %d, %q", strings.Join(tt.args, " "), code, stderr, tt.code, tt.want)
		}
		if all := stdout + stderr; strings.Contains(all, "goroutine ") || strings.Contains(all, "panic") {
			t.Errorf("diemtin %s prints a trace:\n%s", strings.Join(tt.args, " "), all)
		}
	}
}

func TestEveryVerbHasHelp(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		stdout, stderr, code := output(t, v.name, "-h")
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Example:\n  diemtin "+v.name) {
			t.Errorf("%s -h: exit %d, %q%q", v.name, code, stdout, stderr)
		}
	}
	if stdout, _, code := output(t, "--help"); code != 0 || !strings.Contains(stdout, "diemtin demo") {
		t.Errorf("--help: exit %d, %q", code, stdout)
	}
	if stdout, _, code := output(t, "version"); code != 0 || !strings.HasPrefix(stdout, "diemtin "+version) {
		t.Errorf("version: exit %d, %q", code, stdout)
	}
}

func TestPollTwice(t *testing.T) {
	t.Parallel()
	w, config := world(t, outlettest.Options{Seed: 3, Stories: 40, Slow: 10 * time.Millisecond})
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "poll.db")
	stdout, stderr, code := output(t, "poll", "--config", config, "--db", dsn)
	if code != 0 || !strings.Contains(stdout, "SOURCE") || !strings.Contains(stderr, "trung-uong-home: new") {
		t.Fatalf("first poll: exit %d\n%s%s", code, stdout, stderr)
	}
	if strings.Contains(stdout, " 0 new items") || strings.Contains(stdout, " 0 stories listed") || !strings.Contains(stdout, "503 Service Unavailable") {
		t.Errorf("first poll:\n%s", stdout)
	}
	stdout, _, code = output(t, "poll", "--config", config, "--db", dsn)
	if code != 0 || !strings.Contains(stdout, "0 new items, 0 stories listed") {
		t.Errorf("second poll: exit %d\n%s", code, stdout)
	}
	for _, o := range w.Outlets() {
		for _, r := range o.Requests() {
			if got := r.Header.Get("User-Agent"); !strings.HasPrefix(got, "diemtin/"+version+" (+") {
				t.Fatalf("User-Agent %q", got)
			}
		}
	}
}

func TestProbeJSON(t *testing.T) {
	t.Parallel()
	w, _ := world(t, outlettest.Options{Seed: 5, Stories: 30})
	elsewhere := t.TempDir() // no feeds.yaml there: it works without any
	for _, o := range w.Outlets() {
		f := o.Feeds[0]
		if f.Kind != "feed" || o.ID == "thanh-hoa" || len(o.Articles()) == 0 {
			continue
		}
		cmd := command(t, "probe", "--json", "--allow-private", f.URL)
		cmd.Dir = elsewhere
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("probe %s: %v", f.URL, err)
			continue
		}
		var got struct {
			Outcome string
			Status  int
			Repairs []struct{ Kind string }
			Items   []map[string]any
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("probe %s: %v\n%s", f.URL, err, out)
		}
		if got.Outcome != "new" || got.Status != 200 || len(got.Items) == 0 || got.Repairs == nil {
			t.Errorf("probe %s: %+v", f.URL, got)
			continue
		}
		for _, key := range []string{"key", "title", "link", "published", "updated", "published_raw", "summary", "content", "image",
			"authors", "categories", "enclosures", "attribution", "topics", "province"} {
			if _, ok := got.Items[0][key]; !ok {
				t.Errorf("probe %s: items lack %q", f.URL, key)
			}
		}
		carried := map[string]bool{}
		for _, a := range o.Articles() {
			carried[a.Title+a.Published.Format(time.RFC3339)] = true
		}
		for _, it := range got.Items {
			at, err := time.Parse(time.RFC3339, it["published"].(string))
			if err != nil || !carried[it["title"].(string)+at.In(time.FixedZone("", 7*3600)).Format(time.RFC3339)] {
				found := false
				for _, a := range o.Articles() {
					found = found || a.Title == it["title"] && a.Published.Sub(at).Abs() < time.Minute
				}
				if !found {
					t.Errorf("probe %s: %q at %v was never published so", f.URL, it["title"], at)
				}
			}
		}
	}
}

func TestDemoEndsAndCleansUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := command(t, "demo", "--for", "4s", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	for _, want := range []string{"pages    http://127.0.0.1:", "metrics  http://127.0.0.1:", "Báo Trung ương Mẫu"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("demo does not say %q:\n%s", want, out)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v behind, %v", left, err)
	}
}

// The one place where callbacks and pages meet leaves paths as they are: a
// slash too many is the pages' 301, not a mux's 307.
func TestPublicPathsAreNotRewritten(t *testing.T) {
	t.Parallel()
	var asked []string
	note := func(name string) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, name+" "+r.URL.Path) })
	}
	mux := publicMux(note("callback"), note("pages"))
	for _, path := range []string{"//feed.rss", "/topics/../feed.rss", "/websub/token", "/websub"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://x.example"+path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d before anybody was asked", path, w.Code)
		}
	}
	if got := strings.Join(asked, ", "); got != "pages //feed.rss, pages /topics/../feed.rss, callback /websub/token, pages /websub" {
		t.Errorf("asked %s", got)
	}
}
