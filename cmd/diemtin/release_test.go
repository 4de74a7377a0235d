package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The package is described by files that are there, and starts what it brings.
// Building it needs the net; make release does.
func TestPackage(t *testing.T) {
	t.Parallel()
	var p struct {
		Name     string
		Contents []struct{ Src, Dst, Type string }
		Scripts  map[string]string
	}
	if err := yaml.Unmarshal([]byte(repoFile(t, "deploy/nfpm.yaml")), &p); err != nil {
		t.Fatal(err)
	}
	brings := map[string]bool{}
	for _, c := range p.Contents {
		brings[c.Dst] = true
		if strings.HasPrefix(c.Dst, "/etc/") && c.Type != "config|noreplace" {
			t.Errorf("an upgrade would overwrite %s", c.Dst)
		}
		if strings.HasPrefix(c.Src, "dist/") {
			continue // made by .ci/release
		}
		if _, err := os.Stat(root + c.Src); err != nil {
			t.Errorf("%s: %v", c.Dst, err)
		}
	}
	release := repoFile(t, ".ci/release")
	m := regexp.MustCompile("sed '(s#.*#)' deploy/diemtin.service").FindStringSubmatch(release)
	if m == nil {
		t.Fatal(".ci/release makes no unit")
	}
	part := strings.Split(m[1], "#")
	unit := strings.ReplaceAll(repoFile(t, "deploy/diemtin.service"), part[1], part[2])
	exe := regexp.MustCompile(`(?m)^ExecStart=(\S+) serve --config (\S+) `).FindStringSubmatch(unit)
	if exe == nil || !brings[exe[1]] || !brings[exe[2]] {
		t.Errorf("the unit starts %q, the package brings %v", exe, brings)
	}
	if len(p.Scripts) != 3 {
		t.Errorf("%d scripts, want 3", len(p.Scripts))
	}
	for when, file := range p.Scripts {
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", root+file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", when, err, out)
		}
	}
	flags := regexp.MustCompile(`go build .*-tags timetzdata .*-X main\.version=\$VERSION.*`).FindString(release)
	if flags == "" || !strings.Contains(release, "CGO_ENABLED=0") {
		t.Error(".ci/release does not build a static binary that knows its version and time zones")
	}
}
