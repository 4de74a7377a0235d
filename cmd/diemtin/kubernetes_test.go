package main

import (
	"errors"
	"io"
	"maps"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// manifest is of a Kubernetes object what this program must agree with.
// Whether it is a sound object, make kubernetes asks a strict schema.
type manifest struct {
	Kind string
	Spec struct {
		Strategy struct{ Type string }
		Selector map[string]any
		Ports    []struct {
			Target string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct {
				Labels      map[string]string
				Annotations map[string]string
			}
			Spec struct {
				Termination int `yaml:"terminationGracePeriodSeconds"`
				Containers  []struct {
					Image string
					Args  []string
					Env   []struct{ Name, Value string }
					Ports []struct {
						Name string
						Port int `yaml:"containerPort"`
					}
					Startup   probe `yaml:"startupProbe"`
					Liveness  probe `yaml:"livenessProbe"`
					Readiness probe `yaml:"readinessProbe"`
				}
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// The Kubernetes manifests start the program as it can be started, ask it at
// addresses that it answers, and give it the time that it takes to end.
func TestKubernetesManifestsFitTheProgram(t *testing.T) {
	t.Parallel()
	objects := map[string]manifest{}
	for d := yaml.NewDecoder(strings.NewReader(repoFile(t, "deploy/kubernetes/diemtin.yaml"))); ; {
		var m manifest
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		objects[m.Kind] = m
	}
	for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"} {
		if _, ok := objects[kind]; !ok {
			t.Fatalf("no %s among %v", kind, objects)
		}
	}
	spec := objects["Deployment"].Spec
	c := spec.Template.Spec.Containers[0]
	if err := commandParses(c.Args); err != nil {
		t.Errorf("diemtin %s: %v", strings.Join(c.Args, " "), err)
	}
	if !strings.Contains(repoFile(t, "deploy/compose.yaml"), "image: "+c.Image+"\n") {
		t.Errorf("image %s is not that of compose.yaml", c.Image)
	}
	if spec.Strategy.Type != "Recreate" {
		t.Errorf("strategy %q: an old program would meet a newer schema", spec.Strategy.Type)
	}
	if longest := int(stopWithin.Seconds()); spec.Template.Spec.Termination <= longest {
		t.Errorf("killed after %d s, while it may take %d to end", spec.Template.Spec.Termination, longest)
	}
	ports := map[string]int{}
	for _, p := range c.Ports {
		ports[p.Name] = p.Port
	}
	if want := map[string]int{"http": 8080, "admin": 8081}; !maps.Equal(ports, want) {
		t.Errorf("ports %v, want %v", ports, want)
	}
	for _, p := range []struct {
		what string
		probe
		path string
	}{{"startup", c.Startup, "/livez"}, {"liveness", c.Liveness, "/livez"}, {"readiness", c.Readiness, "/readyz"}} {
		if p.HTTPGet.Path != p.path || p.HTTPGet.Port != "admin" {
			t.Errorf("%s asks %s at port %s, want %s at admin", p.what, p.HTTPGet.Path, p.HTTPGet.Port, p.path)
		}
	}
	if got := objects["Service"].Spec.Ports[0].Target; got != "http" {
		t.Errorf("the service leads to port %s, want http", got)
	}
	name, label := objects["Service"].Spec.Selector["app.kubernetes.io/name"], spec.Template.Metadata.Labels["app.kubernetes.io/name"]
	if name != label {
		t.Errorf("the service selects %v, the pods are %v", name, label)
	}
}
