package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// edit changes a configuration in place, as an editor would.
func edit(t *testing.T, config string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(change(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
}

const channelYAML = "channels:\n  - {id: kinh-te-viet, title: {vi: Kinh tế Việt}, topics: [kinh-te]}\n"

// A change is in force after SIGHUP, after the admin call and, if the file is
// watched, by itself; a bad one leaves all as it was and says why.
func TestReload(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 3, Stories: 20})
	tokens, token := lansToken(t)
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "r.db")
	p := serve(t, config, dsn, "--tokens", tokens)
	p.swept(t)
	admin := strings.TrimPrefix(p.admin, "http://")
	reload := func(more ...string) (string, string, int) {
		t.Helper()
		return bearing(t, token, append([]string{"reload", "--admin", admin}, more...)...)
	}
	if p.metric(t, "diemtin_config_last_reload_successful") != 1 {
		t.Error("the configuration of the start counts as refused")
	}
	status := func(path string) int { resp, _ := get(t, p.public+path); return resp.StatusCode }

	edit(t, config, func(s string) string { return s + channelYAML })
	p.cmd.Process.Signal(syscall.SIGHUP)
	eventually(t, "the new channel after SIGHUP", func() bool { return status("/channels/kinh-te-viet/feed.atom") == 200 })

	edit(t, config, func(s string) string { return strings.Replace(s, "rank: 1\n", "rnk: 1\n", 1) })
	_, stderr, code := reload()
	if code != 1 || !strings.Contains(stderr, `unknown key "rnk"`) || !strings.Contains(stderr, config+":") {
		t.Errorf("reload of a bad file: exit %d, %q", code, stderr)
	}
	resp, said := get(t, p.admin+"/readyz")
	if resp.StatusCode != 200 || !strings.Contains(said, "config: the change of") || !strings.Contains(said, `unknown key "rnk"`) {
		t.Errorf("/readyz after it: %d, %q", resp.StatusCode, said)
	}
	if p.metric(t, "diemtin_config_last_reload_successful") != 0 {
		t.Error("the refusal does not show in the metric")
	}
	if status("/channels/kinh-te-viet/feed.atom") != 200 {
		t.Error("the former configuration does not stand")
	}

	edit(t, config, func(s string) string {
		return strings.Replace(strings.Replace(s, "rnk: 1\n", "rank: 1\n", 1), "https://tin.example.vn", "https://other.example.vn", 1)
	})
	if _, stderr, code = reload(); code != 1 || !strings.Contains(stderr, "site.base_url cannot change while the service runs") {
		t.Errorf("reload of another base_url: exit %d, %q", code, stderr)
	}
	edit(t, config, func(s string) string {
		return strings.Replace(strings.Replace(s, "https://other.example.vn", "https://tin.example.vn", 1), "Điểm tin (trình diễn)", "Tin đã đổi", 1)
	})
	stdout, stderr, code := reload("--why", "tên mới")
	if code != 0 || !strings.Contains(stdout, "changed: site.title") {
		t.Errorf("reload of a good file: exit %d, %q, %q", code, stdout, stderr)
	}
	if _, page := get(t, p.public+"/"); !strings.Contains(page, "Tin đã đổi") {
		t.Error("the page has the former title")
	}
	if p.metric(t, "diemtin_config_last_reload_successful") != 1 {
		t.Error("the success does not show in the metric")
	}
	edit(t, config, func(s string) string {
		return s + "partners:\n  - {id: doi-tac, name: Báo Đối Tác, origins: [\"https://doitac.example.vn\"]}\n"
	})
	if stdout, stderr, code = reload(); code != 0 || !strings.Contains(stdout, "partners") {
		t.Errorf("reload with a partner: exit %d, %q, %q", code, stdout, stderr)
	}
	resp, _ = get(t, p.public+"/embed/?partner=doi-tac")
	if csp := resp.Header.Get("Content-Security-Policy"); resp.StatusCode != 200 || !strings.Contains(csp, "frame-ancestors 'self' https://doitac.example.vn") {
		t.Errorf("an embed of the new partner: %s, policy %q", resp.Status, csp)
	}
	forged, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.admin+"/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	forged.Header.Set("Origin", "https://evil.example")
	resp, err = http.DefaultTransport.RoundTrip(forged)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page elsewhere may reload: %s", resp.Status)
	}
	for _, tt := range []struct{ name, token, want string }{
		{"no token", "", "into DIEMTIN_TOKEN"}, {"a wrong token", "dt_x", "want a token of this service"},
	} {
		if _, stderr, code := bearing(t, tt.token, "reload", "--admin", admin); code != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: exit %d, %q", tt.name, code, stderr)
		}
	}
	p.stop(t)
	ledger, _, _ := output(t, "rulings", "--json", "--config", config, "--db", dsn)
	var all []store.Ruling
	if err := json.Unmarshal([]byte(ledger), &all); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, r := range slices.Backward(all) {
		got = append(got, fmt.Sprintf("%s %s %s", r.Verb, r.Who, r.Why))
	}
	for i, want := range []string{"reload (signal) changed: channels", "reload lan refused: " + config + ":", "reload lan refused: needs a restart: ",
		"reload lan tên mới; changed: site.title", "reload lan changed: partners"} {
		if len(got) != 5 || !strings.HasPrefix(got[i], want) {
			t.Errorf("the ledger has %d entries, number %d should be %q:\n%s", len(got), i, want, strings.Join(got, "\n"))
			break
		}
	}
}

func TestWatchedFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a")
	w := watched{name: file}
	w.begin()
	for i, step := range []struct {
		do   func()
		want bool
	}{
		{func() {}, false},
		{func() { write("b") }, false}, // it may still be written
		{func() { write("bc") }, false},
		{func() {}, true},
		{func() {}, false},
		{func() { os.Remove(file) }, false},
		{func() { write("bc") }, false}, // what it was
		{func() { write("d") }, false},
		{func() { write("bc") }, false},
		{func() {}, false},
	} {
		step.do()
		if got := w.changed(); got != step.want {
			t.Errorf("look %d: %t, want %t", i, got, step.want)
		}
	}
}

// Between two configurations, back and forth while sources are visited and
// readers read, nothing is dropped: every request is answered, every source
// that is in both goes on being visited, and those that come and go follow.
func TestReloadAtWork(t *testing.T) {
	t.Parallel()
	const turns = 8
	w, path := world(t, outlettest.Options{Seed: 5, Stories: 30, Slow: 50 * time.Millisecond})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text) + channelYAML
	at := strings.LastIndex(whole[:strings.Index(whole, "channels:")], "\n  - id: ") + 1 // the last outlet
	less := strings.Replace(whole[:at]+"channels:\n  - {id: khac, title: {vi: Khác}, topics: [xa-hoi]}\n", "host_pause: 0s", "host_pause: 10ms, workers: 3", 1)
	var configs [2]*config
	for i, text := range []string{whole, less} {
		if configs[i], err = parseConfig("feeds.yaml", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := openListeners("127.0.0.1:0", "127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s, err := newService(ctx, configs[0], "sqlite:"+filepath.Join(t.TempDir(), "w.db"), "", l, newLogger(stdio{io.Discard, io.Discard}, true))
	if err != nil {
		stop()
		t.Fatal(err)
	}
	next := 0
	s.load = func() (*config, error) { next++; return configs[next%2], nil }
	var all sync.WaitGroup
	var ended error
	all.Go(func() { ended = s.run(ctx) })
	faults := make(chan error, 100)
	reading, endReading := context.WithCancel(ctx)
	for _, path := range []string{"feed.atom", "topics/xa-hoi/feed.rss", "", "days/"} {
		all.Go(func() { readOn(reading, s.publicURL()+path, faults) })
	}
	began := time.Now()
	for n := range turns {
		w.Publish()
		if _, err := s.reload(t.Context(), "test", ""); err != nil {
			t.Errorf("reload %d: %v", n, err)
		}
	}
	t.Logf("%d reloads took %s", turns, time.Since(began))
	removed := without(sourceIDs(configs[0]), sourceIDs(configs[1]))
	if len(removed) == 0 {
		t.Fatal("the second configuration lacks no source")
	}
	eventually(t, "visits by the last configuration, removed sources too", func() bool {
		stored, err := s.db.Sources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, src := range stored {
			if src.State.LastTry.IsZero() || !src.Active {
				return false
			}
		}
		return true
	})
	endReading()
	stop()
	all.Wait()
	close(faults)
	for err := range faults {
		t.Error(err)
	}
	if ended != nil {
		t.Errorf("the service ended with %v", ended)
	}
}

func sourceIDs(c *config) (ids []string) {
	for _, s := range c.aggregate.StoreSources() {
		ids = append(ids, s.ID)
	}
	return ids
}

// readOn asks for an address again and again until ctx ends, as fast as a
// reader in a hurry, and tells of every answer that is none.
func readOn(ctx context.Context, url string, faults chan<- error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		<-tick.C
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err == nil {
			var resp *http.Response
			if resp, err = http.DefaultTransport.RoundTrip(req); err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err == nil && resp.StatusCode != http.StatusOK {
					err = fmt.Errorf("%s: %s", url, resp.Status)
				}
			}
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			select {
			case faults <- err:
			default:
			}
		}
	}
}

// Rules that do not pass the gate are refused; a watched file is taken by
// itself once they do.
func TestReloadRefusedByGate(t *testing.T) {
	t.Parallel()
	_, path := world(t, outlettest.Options{Seed: 6, Stories: 5})
	golden := filepath.Join(filepath.Dir(path), "golden.jsonl")
	if err := os.WriteFile(golden, []byte(`{"title":"Đội tuyển bóng đá Việt Nam thắng trận chung kết","topics":["kinh-te"],"primary":"kinh-te"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tokens, token := lansToken(t)
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "g.db")
	p := serve(t, path, dsn, "--watch", "--tokens", tokens)
	edit(t, path, func(s string) string { return s + "gate: {file: golden.jsonl, f1: 0.9}\n" })
	_, stderr, code := bearing(t, token, "reload", "--admin", strings.TrimPrefix(p.admin, "http://"))
	if code != 1 || !strings.Contains(stderr, "the rules do not pass") {
		t.Errorf("reload of rules that do not pass the gate: exit %d, %q", code, stderr)
	}
	if got := p.metric(t, "diemtin_topics_gate_floor_f1"); got != 0 {
		t.Errorf("the floor of the gate is %v, want that of the former configuration", got)
	}
	eventually(t, "the refusal of the watched file", func() bool { return p.metric(t, "diemtin_config_last_reload_successful") == 0 })
	edit(t, path, func(s string) string { return strings.Replace(s, "f1: 0.9", "f1: 0.000001, primary: 0", 1) })
	if err := os.WriteFile(golden, []byte(`{"title":"Đội tuyển bóng đá Việt Nam thắng trận chung kết","topics":["the-thao"],"primary":"the-thao"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(s string) string { return s + "# a change that the watch sees after that of the golden set\n" })
	eventually(t, "the mended file by itself", func() bool {
		return p.metric(t, "diemtin_config_last_reload_successful") == 1 && p.metric(t, "diemtin_topics_gate_f1") == 1
	})
	p.stop(t)
	if !strings.Contains(p.log.String(), "configuration not reloaded") {
		t.Errorf("the log does not tell:\n%s", p.log)
	}
	ledger, _, _ := output(t, "rulings", "--config", path, "--db", dsn)
	if !strings.Contains(ledger, "(watch)") || !strings.Contains(ledger, "changed: gate") || !strings.Contains(ledger, "refused: ") {
		t.Errorf("the ledger has\n%s", ledger)
	}
}
