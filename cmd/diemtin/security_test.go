package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"diemtin/aggregator/outlettest"
)

// What only operators shall see is not on the public listener.
func TestAdminStaysInside(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 2, Stories: 3})
	p := serve(t, config, "sqlite:"+filepath.Join(t.TempDir(), "a.db"))
	for path, inside := range map[string]int{"/metrics": 200, "/debug/pprof/": 200, "/debug/pprof/cmdline": 200, "/readyz": 200, "/livez": 200, "/api/v1/rulings": 403, "/reload": 405} {
		if resp, _ := get(t, p.public+path); resp.StatusCode != 404 && resp.StatusCode != 405 {
			t.Errorf("%s answers on the public listener: %s", path, resp.Status)
		}
		if resp, _ := get(t, p.admin+path); resp.StatusCode != inside {
			t.Errorf("%s on the admin listener: %s, want %d", path, resp.Status, inside)
		}
	}
	for _, call := range []string{"/reload", "/api/v1/rulings", "/api/v1/topics/apply", "/api/v1/partners", "/api/v1/sources/x/poll"} {
		resp, err := http.Post(p.admin+call, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("POST %s without --tokens: %s, %s", call, resp.Status, resp.Header.Get("Content-Type"))
		}
	}
	if resp, text := get(t, p.public+"/status"); strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") || strings.Contains(text, "writes_waiting") {
		t.Error("the state of the service is on the public listener")
	}
	p.stop(t)
}

// Every test that the page on security names as proof is there.
func TestSecurityPage(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, pattern := range []string{"*/*_test.go", "*/*/*_test.go"} {
		files, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
				have[string(m[1])] = true
			}
		}
	}
	page := repoFile(t, "docs/security.md")
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(page, -1)
	if len(named) < 20 {
		t.Errorf("docs/security.md names only %d tests", len(named))
	}
	for _, m := range named {
		if !have[m[1]] {
			t.Errorf("docs/security.md names %s, which does not exist", m[1])
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^\| .* \|$`).FindAllString(page, -1)[1:] {
		if !strings.Contains(line, "`Test") && !strings.Contains(line, "`Fuzz") {
			t.Errorf("docs/security.md claims a defence that no test shows: %s", line)
		}
	}
}

// What is compiled in may be given on under this program's licence.
func TestLicences(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), root+".ci/licences")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") < 20 {
		t.Errorf("licences: %v\n%s", err, out)
	}
}
