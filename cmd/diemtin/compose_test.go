package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composition is a compose file, as far as ours use its keys: any other is a
// slip of the pen.
type composition struct {
	Name     string
	Replica  composed `yaml:"x-replica"`
	Services map[string]composed
	Volumes  map[string]any
}

type composed struct {
	Image string
	Build struct {
		Context string
		Args    map[string]string
	}
	Profiles    []string
	Command     []string
	Environment map[string]string
	Volumes     []string
	Tmpfs       []string
	Ports       []string
	DependsOn   yaml.Node `yaml:"depends_on"`
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	Restart         string
}

// composeFile reads one of deploy.
func composeFile(t *testing.T, name string) (c composition) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(repoFile(t, "deploy/"+name)))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

// names are those on which a service waits, in either form.
func (s composed) names(t *testing.T) (all []string) {
	t.Helper()
	if s.DependsOn.Kind == yaml.SequenceNode {
		if err := s.DependsOn.Decode(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	for i := 0; i < len(s.DependsOn.Content); i += 2 {
		all = append(all, s.DependsOn.Content[i].Value)
	}
	return all
}

// What compose files name is there, and what faces strangers may write nothing
// but its own data.
func TestCompose(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"compose.yaml", "compose-replicas.yaml"} {
		c := composeFile(t, file)
		for name, s := range c.Services {
			if s.Image == "" || s.Restart != "unless-stopped" {
				t.Errorf("%s: %s: image %q, restart %q", file, name, s.Image, s.Restart)
			}
			for _, other := range s.names(t) {
				if _, ok := c.Services[other]; !ok {
					t.Errorf("%s: %s waits for %s, which is not there", file, name, other)
				}
			}
			for _, v := range s.Volumes {
				from, _, mounted := strings.Cut(v, ":")
				_, declared := c.Volumes[from]
				_, err := os.Stat(filepath.Join(root, "deploy", from))
				if mounted && !declared && (!strings.HasPrefix(from, "./") || err != nil) {
					t.Errorf("%s: %s mounts %s, which is neither a volume nor a file: %v", file, name, from, err)
				}
			}
			if strings.HasPrefix(s.Image, "diemtin:") && (!s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
				!slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.StopGracePeriod != "30s") {
				t.Errorf("%s: %s may more than it needs, or is killed before it has ended: %+v", file, name, s)
			}
			for _, port := range s.Ports {
				if !strings.HasPrefix(port, "127.0.0.1:") {
					t.Errorf("%s: %s is open to the net at %s", file, name, port)
				}
			}
		}
	}
}

// The two samples for nginx differ in what is behind alone.
func TestNginxSamplesAgree(t *testing.T) {
	t.Parallel()
	bare := func(name string) string {
		text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(repoFile(t, "deploy/"+name), "")
		return regexp.MustCompile(`(?m)^  server .*\n`).ReplaceAllString(text, "")
	}
	if one, three := bare("nginx.conf"), bare("nginx-replicas.conf"); one != three {
		t.Errorf("nginx.conf:\n%s\nnginx-replicas.conf:\n%s", one, three)
	}
}
