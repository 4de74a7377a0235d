package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const root = "../../"

// repoFile reads a file of the repository.
func repoFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(root + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// buildContext copies what .dockerignore lets into the build of the image. The
// file forbids everything and then admits names; no other form is understood.
func buildContext(t *testing.T) string {
	t.Helper()
	lines := strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(repoFile(t, ".dockerignore"), ""))
	if len(lines) == 0 || lines[0] != "*" || lines[len(lines)-1] != "**/*_test.go" {
		t.Fatalf(".dockerignore: want * first and **/*_test.go last, found %q", lines)
	}
	dir := t.TempDir()
	for _, line := range lines[1 : len(lines)-1] {
		name, admitted := strings.CutPrefix(line, "!")
		if !admitted {
			t.Fatalf(".dockerignore: %q admits nothing", line)
		}
		if out, err := exec.CommandContext(t.Context(), "cp", "-r", root+name, dir).CombinedOutput(); err != nil {
			t.Fatalf(".dockerignore admits %s: %v\n%s", name, err, out)
		}
	}
	tests, err := filepath.Glob(dir + "/*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tests {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The image cannot be built here, but its one build line can be run over what
// the image's build sees.
func TestDockerfileBuilds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the program once more")
	}
	m := regexp.MustCompile(`(?m)^RUN (.*go build.*)$`).FindStringSubmatch(repoFile(t, "Dockerfile"))
	if m == nil {
		t.Fatal("the Dockerfile has no line RUN … go build …")
	}
	dir := buildContext(t)
	line := strings.ReplaceAll(m[1], "/out/", dir+"/out/")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "VERSION=9.8.7")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	built := dir + "/out/diemtin"
	out, err := exec.CommandContext(t.Context(), built, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "diemtin 9.8.7 ") {
		t.Errorf("version: %v, %q", err, out)
	}
	info, err := buildinfo.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-tags" && s.Value == "timetzdata" }) {
		t.Error("the image has no time zones and the binary brings none")
	}
	checkStatic(t, built)
}

// checkStatic fails if the program needs a loader: the image has none.
func checkStatic(t *testing.T, file string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s is not static: it asks for a loader", file)
		}
	}
}

// One release has one number.
func TestVersionsAgree(t *testing.T) {
	t.Parallel()
	for file, form := range map[string]string{
		"Dockerfile":                   `(?m)^ARG VERSION=(\S+)$`,
		"deploy/compose.yaml":          `VERSION: ([0-9.]+)|diemtin:([0-9.]+)`,
		"deploy/compose-replicas.yaml": `VERSION: ([0-9.]+)|diemtin:([0-9.]+)`,
		"CHANGELOG.md":                 `(?m)^## \[([0-9.]+)\]`,
	} {
		all := regexp.MustCompile(form).FindAllStringSubmatch(repoFile(t, file), -1)
		if len(all) == 0 {
			t.Errorf("%s names no version", file)
		}
		if file == "CHANGELOG.md" {
			all = all[:min(len(all), 1)]
		}
		for _, m := range all {
			if v := strings.Join(m[1:], ""); v != version {
				t.Errorf("%s has version %s, the program %s", file, v, version)
			}
		}
	}
}

// commandParses fails unless a command line is one that the program would take.
func commandParses(args []string) error {
	i := slices.IndexFunc(verbs(), func(v verb) bool { return len(args) > 0 && v.name == args[0] })
	if i < 0 {
		return fmt.Errorf("no such verb: %q", args)
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	verbs()[i].prepare(fs)
	_, err := parseFlags(fs, args[1:], verbs()[i].dashed)
	return err
}

// Whoever starts the program for us must call it as it is.
func TestDeployedCommands(t *testing.T) {
	t.Parallel()
	var lines [][]string
	for _, m := range regexp.MustCompile(`(?m)^(?:CMD|HEALTHCHECK .* CMD) (\[.*\])$`).FindAllStringSubmatch(repoFile(t, "Dockerfile"), -1) {
		var args []string
		if err := json.Unmarshal([]byte(m[1]), &args); err != nil {
			t.Fatalf("Dockerfile: %s: %v", m[1], err)
		}
		if args[0] == "/diemtin" {
			args = args[1:]
		}
		lines = append(lines, args)
	}
	lines = append(lines, composeFile(t, "compose.yaml").Services["diemtin"].Command)
	replicas := composeFile(t, "compose-replicas.yaml").Services
	for _, name := range []string{"diemtin-1", "diemtin-2", "diemtin-3"} {
		lines = append(lines, replicas[name].Command)
	}
	m := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/diemtin (.*)$`).FindStringSubmatch(repoFile(t, "deploy/diemtin.service"))
	if m == nil {
		t.Fatal("diemtin.service starts nothing")
	}
	lines = append(lines, strings.Fields(m[1]))
	if len(lines) != 7 {
		t.Errorf("%d commands, want the image's, its health check, compose's, three replicas' and the unit's", len(lines))
	}
	for _, args := range lines {
		if err := commandParses(args); err != nil {
			t.Errorf("diemtin %s: %v", strings.Join(args, " "), err)
		}
	}
}

// runPromtool runs Prometheus' own check, which CI must have.
func runPromtool(t *testing.T, args ...string) {
	t.Helper()
	path := need(t, "promtool")
	cmd := exec.CommandContext(t.Context(), path, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	runPromtool(t, "check", "config", root+"deploy/prometheus.yml", root+"deploy/prometheus-replicas.yml") // and the rules they name
	tests, err := filepath.Glob(root + "deploy/rules/*_test.yml")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no rule tests: %v", err)
	}
	runPromtool(t, append([]string{"test", "rules"}, tests...)...)
}

// alertRule is what a rules file says of one alert.
type alertRule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func alertRules(t *testing.T) []alertRule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alertRule } }
	if err := yaml.Unmarshal([]byte(repoFile(t, "deploy/rules/diemtin.rules.yml")), &file); err != nil {
		t.Fatal(err)
	}
	var all []alertRule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there is no rule")
	}
	return all
}

// Whoever is woken finds a page about it, and every such page has its alert
// and the alert its test.
func TestRunbook(t *testing.T) {
	t.Parallel()
	const page, chapter = "docs/operations.md", "## Alerts\n"
	_, rest, ok := strings.Cut(repoFile(t, page), chapter)
	if !ok {
		t.Fatalf("%s has no chapter %q", page, chapter)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var described []string
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(rest, -1) {
		described = append(described, m[1])
	}
	tested := repoFile(t, "deploy/rules/diemtin_test.yml") + repoFile(t, "deploy/rules/diemtin_days_test.yml")
	var alerts []string
	for _, r := range alertRules(t) {
		alerts = append(alerts, r.Alert)
		if r.Annotations["summary"] == "" || r.Annotations["runbook"] != page+"#"+strings.ToLower(r.Alert) {
			t.Errorf("%s: summary %q, runbook %q", r.Alert, r.Annotations["summary"], r.Annotations["runbook"])
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q, want page or ticket", r.Alert, s)
		}
		if !strings.Contains(tested, "alertname: "+r.Alert+"\n        exp_alerts:") {
			t.Errorf("%s: no test in which it fires", r.Alert)
		}
	}
	if !slices.Equal(described, alerts) {
		t.Errorf("%s describes %v, the rules have %v", page, described, alerts)
	}
}

// dashboardQueries lists the PromQL of the dashboard, its variables filled in.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	var d struct {
		Annotations struct{ List []struct{ Name, Expr string } }
		Panels      []struct {
			Title, Description string
			Targets            []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal([]byte(repoFile(t, "deploy/grafana-dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "5m", "$job", "diemtin")
	queries := map[string]string{}
	for _, a := range d.Annotations.List {
		queries["annotation "+a.Name] = fill.Replace(a.Expr)
	}
	for _, p := range d.Panels {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: want a title, a description and a query", p.Title)
		}
		for _, q := range p.Targets {
			queries[p.Title+" "+q.RefID] = fill.Replace(q.Expr)
		}
	}
	return queries
}

// Every query of the dashboard is PromQL: they are checked as recording rules.
func TestDashboardQueries(t *testing.T) {
	t.Parallel()
	type rule struct {
		Record string            `yaml:"record"`
		Expr   string            `yaml:"expr"`
		Labels map[string]string `yaml:"labels"`
	}
	type group struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	g := group{Name: "dashboard"}
	for at, expr := range dashboardQueries(t) {
		g.Rules = append(g.Rules, rule{"dashboard:query", expr, map[string]string{"at": at}})
	}
	out, err := yaml.Marshal(map[string][]group{"groups": {g}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboard.rules.yml")
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
	runPromtool(t, "check", "rules", file)
}

var (
	// queriedName is a metric as a query names it: the start of a selector, not
	// a function, a label or a word of PromQL.
	queriedName = regexp.MustCompile(`\b((?:diemtin|process|go)_[a-z0-9_]+|up)\b`)
	documented  = regexp.MustCompile("(?m)^\\| `(diemtin_[a-z0-9_]+)` \\| (\\w+) \\|")
)

// Rules, dashboard and pages may only name metrics that exist.
func TestQueriedMetricsExist(t *testing.T) {
	t.Parallel()
	exist := map[string]bool{"up": true, "process_start_time_seconds": true, "process_resident_memory_bytes": true,
		"process_cpu_seconds_total": true, "process_open_fds": true, "go_goroutines": true} // of Prometheus and its client
	for _, m := range documented.FindAllStringSubmatch(repoFile(t, "docs/metrics.md"), -1) {
		exist[m[1]] = true
		if m[2] == "histogram" {
			exist[m[1]+"_bucket"], exist[m[1]+"_sum"], exist[m[1]+"_count"] = true, true, true
		}
	}
	if len(exist) < 20 {
		t.Fatalf("docs/metrics.md names only %d metrics", len(exist))
	}
	queries := dashboardQueries(t)
	for _, r := range alertRules(t) {
		queries["alert "+r.Alert] = r.Expr
	}
	for _, page := range []string{"docs/operations.md", "deploy/rules/diemtin_test.yml", "deploy/rules/diemtin_days_test.yml"} {
		queries[page] = strings.Join(regexp.MustCompile(`diemtin_[a-z0-9_]+_(?:total|seconds|bytes|bucket|failures|info|over|flight)\b`).FindAllString(repoFile(t, page), -1), " ")
	}
	for at, expr := range queries {
		for _, name := range queriedName.FindAllString(expr, -1) {
			if !exist[name] {
				t.Errorf("%s asks for %s, which does not exist", at, name)
			}
		}
	}
}

// systemd reads the unit without a complaint, where it is at hand.
func TestUnit(t *testing.T) {
	t.Parallel()
	path := need(t, "systemd-analyze")
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "diemtin.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(repoFile(t, "deploy/diemtin.service"), "/usr/local/bin/diemtin", program)), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "verify", unit).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte(unit)) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
