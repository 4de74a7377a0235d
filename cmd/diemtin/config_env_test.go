package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"diemtin/syndicate"
)

const envYAML = `site: {title: Điểm tin, base_url: "https://tin.example.vn"}
limits: {workers: 4}
outlets:
  - id: lao-cai
    name: Báo Lào Cai
    domains: [baolaocai.vn]
    scope: provincial
    province: lao-cai
    sources:
      - {id: lao-cai-home, url: "https://baolaocai.vn/rss", proxy: "http://me:word@proxy.example:3128"}
`

func TestEnvironmentOverrides(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "contact")
	if err := os.WriteFile(secret, []byte("toa@example.vn\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := parseWith("x.yaml", []byte(envYAML), []string{
		"DIEMTIN_SITE_TITLE=Tin: mới", "DIEMTIN_SITE_CONTACT_FILE=" + secret, "DIEMTIN_SITE_OPERATOR=",
		"DIEMTIN_LIMITS_HOST_PAUSE=90s", "DIEMTIN_LIMITS_WEBSUB=false", "DIEMTIN_VISITORS_PROXIES=127.0.0.1, 10.0.0.0/8",
		"DIEMTIN_OUTLETS_LAO_CAI_RANK=7", "DIEMTIN_OUTLETS_LAO_CAI_SOURCES_LAO_CAI_HOME_EVERY={min: 2m, max: 1h}",
		"DIEMTIN_OUTLETS_LAO_CAI_SOURCES_LAO_CAI_HOME_EVERY_MAX=3h", "DIEMTIN_HUB={per_host: 7}",
		"DIEMTIN_PORT=tcp://10.0.0.1:80", "DIEMTIN_TOKEN=x", "HOME=/"})
	if err == nil || !strings.Contains(err.Error(), "$DIEMTIN_LIMITS_HOST_PAUSE: limits.host_pause: 1m30s: want 0s to 1m0s") {
		t.Fatalf("the fault of a variable: %v", err)
	}
	c, err := parseWith("x.yaml", []byte(envYAML), []string{
		"DIEMTIN_SITE_TITLE=Tin: mới", "DIEMTIN_SITE_CONTACT_FILE=" + secret, "DIEMTIN_SITE_OPERATOR=",
		"DIEMTIN_LIMITS_HOST_PAUSE=9s", "DIEMTIN_LIMITS_WEBSUB=false", "DIEMTIN_VISITORS_PROXIES=127.0.0.1, 10.0.0.0/8",
		"DIEMTIN_OUTLETS_LAO_CAI_RANK=7", "DIEMTIN_OUTLETS_LAO_CAI_SOURCES_LAO_CAI_HOME_EVERY={min: 2m, max: 1h}",
		"DIEMTIN_OUTLETS_LAO_CAI_SOURCES_LAO_CAI_HOME_EVERY_MAX=3h", "DIEMTIN_HUB={per_host: 7}",
		"DIEMTIN_PORT=tcp://10.0.0.1:80", "DIEMTIN_TOKEN=x", "HOME=/"})
	if err != nil {
		t.Fatal(err)
	}
	every := c.file.Outlets[0].Sources[0].Every
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"a text is taken as it is", c.syndicate.Site.Title, "Tin: mới"},
		{"a file, without its end of line", c.syndicate.Site.Contact, "toa@example.vn"},
		{"an empty variable says nothing", c.syndicate.Site.Operator, ""},
		{"a duration", time.Duration(*c.aggregate.Limits.HostPause), 9 * time.Second},
		{"what left out is on", *c.aggregate.Limits.WebSub, false},
		{"what the environment does not say", c.aggregate.Limits.Workers, 4},
		{"a list", c.syndicate.Visitors.Proxies, []string{"127.0.0.1", "10.0.0.0/8"}},
		{"a key of an element, by its id", c.aggregate.Outlets[0].Rank, 7},
		{"keys, and one of them again", []time.Duration{time.Duration(every.Min), time.Duration(every.Max)}, []time.Duration{2 * time.Minute, 3 * time.Hour}},
		{"a section", c.hub.PerHost, 7},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestEnvironmentFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, variable, want string }{
		{"a misspelt setting", "DIEMTIN_SITE_TITEL=x", "$DIEMTIN_SITE_TITEL: no setting has this name"},
		{"an unknown outlet", "DIEMTIN_OUTLETS_NHAN_DAN_RANK=1", "no setting has this name"},
		{"a number", "DIEMTIN_LIMITS_WORKERS=many", `$DIEMTIN_LIMITS_WORKERS: limits.workers: "many": want a whole number`},
		{"a missing file", "DIEMTIN_SITE_TITLE_FILE=/nowhere/title", "$DIEMTIN_SITE_TITLE_FILE: site.title: open /nowhere/title"},
		{"no YAML", "DIEMTIN_HUB={per_host: [", "$DIEMTIN_HUB: hub: this is not YAML"},
		{"an unknown key in YAML", "DIEMTIN_HUB={per_hst: 1}", `$DIEMTIN_HUB: hub.per_hst: unknown key "per_hst"`},
		{"a value that is refused", "DIEMTIN_SITE_BASE_URL=tin.example.vn", "$DIEMTIN_SITE_BASE_URL: site.base_url: base_url"},
	} {
		_, err := parseWith("x.yaml", []byte(envYAML), []string{tt.variable})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// No flag's variable may mean a section, or a setting of one, too.
func TestFlagVariables(t *testing.T) {
	t.Parallel()
	for _, flag := range flagVariables {
		name := flagVariable(flag)
		for _, section := range sectionVariables() {
			if name == section || strings.HasPrefix(name, section+"_") && name != editorsVariable {
				t.Errorf("$%s is a flag's and a section's", name)
			}
		}
	}
	for _, key := range keysOf(reflect.TypeFor[syndicate.Editors]()) {
		if variable("DIEMTIN_EDITORS", key) == editorsVariable {
			t.Errorf("editors.%s has the variable of --editors", key)
		}
	}
	if _, err := parseWith("x.yaml", []byte(envYAML), []string{editorsVariable + "=127.0.0.1:8082", editorsVariable + "_FILE=/x"}); err != nil {
		t.Errorf("the variable of --editors is a fault of the file: %v", err)
	}
}

func TestConfigVerb(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(name, []byte(envYAML), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "config", "--config", name, "--admin", "127.0.0.1:9")
	cmd.Env = append(os.Environ(), "DIEMTIN_LIMITS_HOLD=0s", "DIEMTIN_DB=postgres://news:geheim@db.example/news?password=geheim", "DIEMTIN_LISTEN=127.0.0.1:7", "DIEMTIN_EDITORS_LISTEN=127.0.0.1:8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := map[string]string{}
	for line := range strings.SplitSeq(string(out), "\n") {
		if f := strings.Fields(line); len(f) > 1 {
			lines[f[0]] = strings.Join(f[1:], " ")
		}
	}
	for path, want := range map[string]string{
		"--listen":       `127.0.0.1:7 # $DIEMTIN_LISTEN`,
		"--editors":      `127.0.0.1:8 # $DIEMTIN_EDITORS_LISTEN`,
		"--admin":        `127.0.0.1:9 # command line`,
		"--log":          `text # default`,
		"--db":           `postgres://news:xxxxx@db.example/news?password=xxxxx # $DIEMTIN_DB`,
		"site.title":     `Điểm tin # ` + name + `:1`,
		"limits.workers": `4 # ` + name + `:2`,
		"limits.hold":    `0s # $DIEMTIN_LIMITS_HOLD`,
		"limits.timeout": `30s # default`,
		"hub.enabled":    `true # default`,
		"outlets.lao-cai.sources.lao-cai-home.proxy":     `http://me:xxxxx@proxy.example:3128 # ` + name + `:10`,
		"outlets.lao-cai.sources.lao-cai-home.every.min": `5m # default`,
	} {
		if lines[path] != want {
			t.Errorf("%s: %q, want %q", path, lines[path], want)
		}
	}
	if strings.Contains(string(out), "geheim") || strings.Contains(string(out), "word@") {
		t.Errorf("a password is printed:\n%s", out)
	}
	if _, stderr, code := output(t, "config", "--config", name, "sight"); code != 2 || !strings.Contains(stderr, "sight: no setting begins so") {
		t.Errorf("an unknown section: exit %d, %q", code, stderr)
	}
}
