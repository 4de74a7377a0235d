package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 4, Stories: 20})
	edit(t, config, func(s string) string { // one that cannot be reached
		return s + "  - {id: chet, name: Báo Chết, domains: [chet.example], scope: national, sources: [{id: chet-home, url: \"http://127.0.0.1:1/rss\", every: {min: 1s, max: 2s}}]}\n"
	})
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "s.db")
	p := serve(t, config, dsn, "--log", "json")
	p.swept(t)
	var st status
	ask := func(more ...string) string {
		stdout, stderr, code := output(t, append([]string{"status", "--db", dsn}, more...)...)
		if code != 0 {
			t.Fatalf("status: exit %d, %q", code, stderr)
		}
		return stdout
	}
	admin := strings.TrimPrefix(p.admin, "http://")
	if err := json.Unmarshal([]byte(ask("--admin", admin, "--json")), &st); err != nil {
		t.Fatal(err)
	}
	if st.Service == nil || st.Service.Config != config || strings.Join(st.Service.Roles, " ") != "poll serve deliver" || st.Service.Parts["database"] != "ok" {
		t.Errorf("service %+v", st.Service)
	}
	if st.Database.Engine != "sqlite" || st.Database.Bytes < 1<<16 || st.Database.Schema != store.KnownSchema() {
		t.Errorf("database %+v", st.Database)
	}
	sum := 0
	for _, n := range st.Sources.State {
		sum += n
	}
	if st.Sources.Active < 14 || sum != st.Sources.Active || st.Sources.State["connect"] < 1 || st.Sources.State["ok"] < 10 || len(st.Next) != statusNext {
		t.Errorf("sources %+v, next %+v", st.Sources, st.Next)
	}
	if !strings.Contains(fmt.Sprint(st.Failing), "chet-home") {
		t.Errorf("failing %+v", st.Failing)
	}
	text := ask("--admin", admin)
	for _, want := range []string{"service    diemtin " + version, "; poll, serve, deliver\n", "config     " + config, "database   sqlite, schema ", " connect", "chet-home  connect, ", "articles   ", "hub        "} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	p.stop(t)
	traces := map[string]bool{}
	for line := range bytes.Lines(p.log.Bytes()) {
		var entry struct{ Time, Level, Msg, Source, Visit string }
		if err := json.Unmarshal(line, &entry); err != nil || entry.Msg == "" || entry.Level == "" {
			t.Errorf("a line of the log that is no JSON entry: %q, %v", line, err)
		}
		if entry.Msg != "visit failed" && entry.Msg != "visit brought news" {
			continue
		}
		if entry.Visit == "" || traces[entry.Visit] {
			t.Errorf("a visit without a name of its own: %s", line)
		}
		traces[entry.Visit] = true
	}
	if len(traces) < 10 {
		t.Errorf("only %d visits in the log", len(traces))
	}
	if text = ask("--admin", admin); !strings.Contains(text, "service    none answers") || !strings.Contains(text, "chet-home  connect") {
		t.Errorf("status of the database alone:\n%s", text)
	}
	if _, stderr, code := output(t, "status", "--admin", admin, "--db", "sqlite:"+t.TempDir()+"/none.db"); code != 1 || !strings.Contains(stderr, "no service answers") || !strings.Contains(stderr, "does not exist yet") {
		t.Errorf("status of nothing: exit %d, %q", code, stderr)
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 4, Stories: 5})
	dir := t.TempDir()
	healthy := filepath.Join(dir, "h.db")
	if _, stderr, code := output(t, "poll", "--config", config, "--db", "sqlite:"+healthy); code != 0 {
		t.Fatalf("poll: %s", stderr)
	}
	damaged := filepath.Join(dir, "d.db")
	text, err := os.ReadFile(healthy)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(text) / 2; i < len(text)/2+64<<10; i++ { // eight pages in the middle
		text[i] ^= 0x5a
	}
	write := func(name string, text []byte, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("d.db", text, 0o644)
	bad := write("bad.yaml", []byte("site: {title: x, bas_url: y}\n"), 0o644)
	loose := write("loose", []byte("lan:"+strings.Repeat("a", 64)+"\n"), 0o644)
	tight := write("tight", []byte("lan:"+strings.Repeat("a", 64)+"\n"), 0o600)
	wrong := write("wrong", []byte("# who\nlan\n"), 0o600)
	busy := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(busy.Close)
	taken := busy.Listener.Addr().String()
	for _, tt := range []struct {
		name string
		args []string
		env  string
		code int
		want []string
	}{
		{"all is well", []string{"--tokens", tight}, "", 0, []string{"ok       config     " + config, "ok       database   schema ", "ok       clock ", "ok       writing", "ok       disk", "tight: mode 0600, 1 admitted", "ok       network    3 of 3 outlets answer"}},
		{"a fault in the file", []string{"--config", bad}, "", 1, []string{`bad      config     ` + bad, `unknown key "bas_url"`, "→ mend each line"}},
		{"a damaged database", []string{"--db", "sqlite:" + damaged}, "", 1, []string{"bad      database   it is damaged", "→ stop the service, keep a copy of the file, restore a backup"}},
		{"no folder", []string{"--db", "sqlite:" + dir + "/none/x.db"}, "", 1, []string{"bad      writing"}},
		{"a port in use", []string{"--listen", taken}, "", 1, []string{"bad      listener   cannot listen on " + taken}},
		{"tokens for all to read", []string{"--tokens", loose}, "", 0, []string{"warning  tokens     " + loose + " can be read by others (mode 0644)", "→ chmod 600 " + loose}},
		{"a wrong line of tokens", []string{"--tokens", wrong}, "", 1, []string{wrong + ":2 is no line NAME:HASH"}},
		{"no tokens there", []string{"--tokens", dir + "/nobody"}, "", 1, []string{"bad      tokens "}},
		{"a variable that means nothing", nil, "DIEMTIN_SIET_TITLE=x", 0, []string{"$DIEMTIN_SIET_TITLE means no setting and no flag"}},
		{"a proxy in the environment", nil, "HTTPS_PROXY=http://127.0.0.1:1", 0, []string{"$HTTPS_PROXY names a proxy, which is not used"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, append([]string{"doctor", "--config", config, "--db", "sqlite:" + healthy, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, tt.args...)...)
			if tt.env != "" {
				cmd.Env = append(os.Environ(), tt.env)
			}
			out, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit %d, want %d\n%s", code, tt.code, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

var roleLine = regexp.MustCompile(`(?m)^diemtin: poll, metrics on (http://\S+)/metrics, \d+ sources$`)

// One process visits, and another one, later, gives out what it found and
// visits nothing.
func TestRoles(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 8, Stories: 20})
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "r.db")
	cmd := command(t, "serve", "--config", config, "--db", dsn, "--admin", "127.0.0.1:0", "--poll")
	log := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stderr = file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	poller := &program{cmd: cmd}
	eventually(t, "the poller says where it is", func() bool {
		text, _ := os.ReadFile(log)
		if m := roleLine.FindSubmatch(text); m != nil {
			poller.admin = string(m[1])
		}
		return poller.admin != ""
	})
	poller.swept(t)
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the poller ended with %v", err)
	}
	p := serve(t, config, dsn, "--serve")
	eventually(t, "readiness", func() bool { resp, _ := get(t, p.admin+"/readyz"); return resp.StatusCode == 200 })
	if _, said := get(t, p.admin+"/readyz"); !strings.Contains(said, "service: ok, serve\n") || strings.Contains(said, "visits:") {
		t.Errorf("/readyz %q", said)
	}
	if _, feed := get(t, p.public+"/feed.atom"); strings.Count(feed, "<entry>") < 10 {
		t.Errorf("the feed has not what the poller found:\n%s", feed)
	}
	_, metrics := get(t, p.admin+"/metrics")
	for _, m := range regexp.MustCompile(`(?m)^diemtin_refreshes_total\{.*\} (\S+)$`).FindAllStringSubmatch(metrics, -1) {
		if m[1] != "0" {
			t.Errorf("it visits: %s", m[0])
		}
	}
	p.stop(t)
}

// A stop while outlets hang ends within its bound, and gives their sources back.
func TestStopWhileOutletsHang(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(hang) })
	host := strings.TrimPrefix(srv.URL, "http://")
	config := filepath.Join(t.TempDir(), "feeds.yaml")
	text := fmt.Sprintf("site: {title: x, base_url: \"https://tin.example.vn\"}\nlimits: {allow_private: true, host_pause: 0s}\noutlets:\n"+
		"  - {id: treo, name: Treo, domains: [%q], scope: national, sources: [{id: mot, url: %q}, {id: hai, url: %q}]}\n", host, srv.URL+"/1", srv.URL+"/2")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "h.db")
	p := serve(t, config, "sqlite:"+file)
	eventually(t, "a visit that hangs", func() bool { return p.metric(t, "diemtin_refreshes_in_flight") > 0 })
	if sqliteCount(t, file, `SELECT count(*) FROM sources WHERE lease_until > 0`) == 0 {
		t.Fatal("nothing is claimed: the test shows nothing")
	}
	began := time.Now()
	p.stop(t)
	if took := time.Since(began); took > stopWithin {
		t.Errorf("it took %s to stop, want at most %s", took, stopWithin)
	}
	if n := sqliteCount(t, file, `SELECT count(*) FROM sources WHERE lease_until > 0`); n > 0 {
		t.Errorf("%d sources are still claimed", n)
	}
}

// Whatever hangs longer is left to its lease.
func TestWaitStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := waitStopped(ctx, func() error { <-t.Context().Done(); return nil }, time.Millisecond)
	if !errors.Is(err, errNotStopped) {
		t.Errorf("a work that hangs: %v, want %v", err, errNotStopped)
	}
	if err := waitStopped(ctx, func() error { return nil }, time.Minute); err != nil {
		t.Errorf("a work that ends: %v", err)
	}
}
