package outlettest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func TestConfigYAML(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 2, Stories: -1})
	text := w.ConfigYAML(Config{BaseURL: "http://127.0.0.1:8080", Min: 5 * time.Second, Max: 20 * time.Second})
	var cfg struct {
		Site struct {
			BaseURL string `yaml:"base_url"`
		}
		Limits struct {
			AllowPrivate bool `yaml:"allow_private"`
		}
		Outlets []struct {
			ID, Name, Scope, Province string
			Domains                   []string
			Sources                   []struct {
				ID, Kind, URL string
				Every         struct{ Min, Max time.Duration }
				Page          map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &cfg); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if cfg.Site.BaseURL != "http://127.0.0.1:8080" || !cfg.Limits.AllowPrivate || len(cfg.Outlets) != 14 {
		t.Errorf("site %+v, limits %+v, %d outlets", cfg.Site, cfg.Limits, len(cfg.Outlets))
	}
	pages := 0
	for _, o := range cfg.Outlets {
		if _, ok := placeOf(o.Province); o.Scope == "provincial" && !ok {
			t.Errorf("%s: province %q", o.ID, o.Province)
		}
		for _, s := range o.Sources {
			if !strings.HasPrefix(s.URL, "http://"+o.Domains[0]+"/") {
				t.Errorf("%s: %s is not on %s", s.ID, s.URL, o.Domains[0])
			}
			if s.Every.Min != 5*time.Second || s.Every.Max != 20*time.Second {
				t.Errorf("%s: every %v", s.ID, s.Every)
			}
			if s.Kind == "page" {
				pages++
				if s.Page["item"] != "ul.news > li" {
					t.Errorf("%s: page %v", s.ID, s.Page)
				}
			}
		}
	}
	if pages != 2 {
		t.Errorf("%d listing pages, want 2", pages)
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 2, Stories: 80, Hosts: true})
	client := &http.Client{Transport: &http.Transport{DialContext: w.Dial, DisableKeepAlives: true}}
	o := w.Outlet("kinh-te")
	if !strings.HasPrefix(o.URL, "http://kinhte.mau.test:") {
		t.Fatalf("URL %s", o.URL)
	}
	seen := map[string]bool{}
	for _, a := range o.Articles() {
		link := o.variant(&a, moneyS)
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(link), "http://"), ".")
		seen[host] = true
		resp, err := client.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d", link, resp.StatusCode)
		}
	}
	for _, host := range []string{"kinhte", "m", "www"} {
		if !seen[host] {
			t.Errorf("no link on %s: %v", host, seen)
		}
	}
	if _, err := client.Get("http://192.0.2.1/"); err == nil || !strings.Contains(err.Error(), "not an address") {
		t.Errorf("an address outside: %v", err)
	}
}
