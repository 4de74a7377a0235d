package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runDemo starts the demo and returns the addresses of its two listeners.
func runDemo(t *testing.T) (public, admin string) {
	t.Helper()
	cmd := command(t, "demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() })
	lines := bufio.NewScanner(pipe)
	at := regexp.MustCompile(`(pages|metrics)\s+(http://[^/\s]+)`)
	for lines.Scan() {
		for _, m := range at.FindAllStringSubmatch(lines.Text(), -1) {
			if m[1] == "pages" {
				public = m[2]
			} else {
				admin = m[2]
			}
		}
		if public != "" && admin != "" {
			return public, admin
		}
	}
	t.Fatal("the demo does not say where it is")
	return "", ""
}

// runPrometheus starts a real one that scrapes an address by our own
// configuration, rules included, every second.
func runPrometheus(t *testing.T, admin string) (address string) {
	t.Helper()
	path := need(t, "prometheus")
	dir := t.TempDir()
	rules, err := filepath.Abs(root + "deploy/rules/diemtin.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("diemtin:8081", strings.TrimPrefix(admin, "http://"), "15s", "1s", "rules/*.rules.yml", rules).Replace(repoFile(t, "deploy/prometheus.yml"))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // it cannot choose a port itself
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(t.Context(), path, "--config.file", filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return "http://" + address
}

// answered says whether a query returns a number.
func answered(t *testing.T, prometheus, query string) bool {
	t.Helper()
	_, text := get(t, prometheus+"/api/v1/query?query="+url.QueryEscape(query))
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %v, %s %s", query, err, answer.Status, answer.Error)
	}
	for _, r := range answer.Data.Result {
		if s := fmt.Sprint(r.Value[1]); s != "NaN" {
			return true
		}
	}
	return false
}

// Every query of the dashboard returns data from a Prometheus that has scraped
// the demo, and every rule can be evaluated there.
func TestDashboardShowsTheDemo(t *testing.T) {
	t.Parallel()
	public, admin := runDemo(t)
	prometheus := runPrometheus(t, admin)
	eventually(t, "Prometheus has started", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(prometheus, "http://"))
		if err != nil {
			return false
		}
		conn.Close()
		resp, _ := get(t, prometheus+"/-/ready")
		return resp.StatusCode == 200
	})
	queries := dashboardQueries(t)
	if len(queries) < 30 {
		t.Fatalf("only %d queries", len(queries))
	}
	var missing []string
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("no data for %s", strings.Join(missing, "\n"))
		}
	})
	eventually(t, "every query of the dashboard returns data", func() bool {
		resp, _ := get(t, public+"/feed.atom")
		get(t, public+"/feed.atom", "If-None-Match: "+resp.Header.Get("ETag"))
		get(t, public+"/topics/kinh-te/feed.rss")
		missing = missing[:0]
		for at, query := range queries {
			if answered(t, prometheus, query) || strings.HasPrefix(at, "annotation ") { // which mark what seldom happens
				delete(queries, at)
			} else {
				missing = append(missing, at+": "+query)
			}
		}
		return len(missing) == 0
	})
	_, text := get(t, prometheus+"/api/v1/rules")
	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &rules); err != nil || len(rules.Data.Groups) == 0 {
		t.Fatalf("rules: %v, %s", err, text)
	}
	for _, g := range rules.Data.Groups {
		for _, r := range g.Rules {
			if r.Health == "err" {
				t.Errorf("rule %s: %s", r.Name, r.LastError)
			}
		}
	}
}
