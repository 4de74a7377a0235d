package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

func TestRetentionConfig(t *testing.T) {
	t.Parallel()
	at := strings.Count(goodYAML, "\n") + 1
	for _, test := range []struct{ name, section, own, want string }{
		{"off", "", "", ""},
		{"all of it", "retention: {age: 730d, items: 2000000, every: 1h}\n", "retention: {items: 200}", ""},
		{"an outlet that keeps all", "retention: {age: 30d}\n", "retention: {keep: true}", ""},
		{"too young", "retention: {age: 29d}\n", "", fmt.Sprintf("x.yaml:%d:18: retention.age: 29d: want 30d or more", at)},
		{"too few", "retention:\n  items: 9999\n", "", fmt.Sprintf("x.yaml:%d:10: retention.items: 9999 items: want 10000 to", at+1)},
		{"too often", "retention: {age: 99d, every: 30s}\n", "", fmt.Sprintf("x.yaml:%d:30: retention.every: every 30s: want 1m to 7d", at)},
		{"fewer than a feed holds", "", "retention: {items: 199}", "x.yaml:12:24: outlets[0].retention.items: 199 items: want 200 to"},
		{"both", "", "retention: {keep: true, age: 40d}", "x.yaml:12:23: outlets[0].retention.keep: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := goodYAML + test.section
			if test.own != "" {
				text = strings.Replace(text, "    sources:\n", "    "+test.own+"\n    sources:\n", 1)
			}
			cfg, err := parseConfig("x.yaml", []byte(text))
			if said := fmt.Sprint(err); test.want != "" && !strings.HasPrefix(said, test.want) || test.want == "" && err != nil {
				t.Fatalf("got %s\nwant %s", said, test.want)
			}
			if err != nil {
				return
			}
			rule, every := cfg.retention()
			if rule.Any() != (test.section != "") && test.own == "" || every < time.Minute {
				t.Errorf("%+v, every %s", rule, every)
			}
			if own, has := rule.Outlets["nhandan"]; has != (test.own != "") || own.Age != 0 {
				t.Errorf("the outlet's rule is %+v, %v", own, has)
			}
		})
	}
}

const agedYAML = `site: {title: Thử, base_url: "https://tin.example.vn"}
limits: {allow_private: true}
outlets:
  - {id: bao, name: Báo Cũ, domains: [bao.example], scope: national, sources: [{id: bao-home, url: "http://127.0.0.1:1/rss", every: {min: 1h, max: 2h}}]}
`

// agedDatabase holds what one outlet published two years ago, and since.
func agedDatabase(t *testing.T, config, dsn string) {
	t.Helper()
	cfg, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStore(t.Context(), dsn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	judge := aggregator.NewJudge(aggregator.NewNames(nil))
	visit := func(at time.Time, name string, n int) {
		var items []store.Item
		for i := range n {
			link := fmt.Sprintf("https://bao.example/%s-%d", name, i)
			items = append(items, store.Item{Title: fmt.Sprintf("Tin %s số %d", name, i), Link: link, Summary: "Tóm tắt dài của bài này", Published: at,
				Authors: []string{"Lan"}, Aliases: []string{"link:" + link}, Fingerprint: uint64(i + 1)})
		}
		src := store.Source{ID: "bao-home", Outlet: "bao", State: store.SourceState{Visited: true}}
		if _, err := db.Record(t.Context(), store.Refresh{Source: src, At: at, Items: items,
			Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, judge); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	visit(now.AddDate(-2, 0, 0), "cũ", 20)
	visit(now.AddDate(0, 0, -40), "mới", 210)
}

// Retention is previewed, switched on by a reload, and changes nothing that
// readers follow.
func TestRetentionAtWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, dsn := filepath.Join(dir, "feeds.yaml"), "sqlite:"+filepath.Join(dir, "r.db")
	if err := os.WriteFile(config, []byte(agedYAML), 0o644); err != nil {
		t.Fatal(err)
	}
	agedDatabase(t, config, dsn)
	if _, stderr, code := output(t, "retention", "--config", config, "--db", dsn); code != 2 || !strings.Contains(stderr, "has no retention") {
		t.Errorf("without a rule: exit %d, %q", code, stderr)
	}
	tokens, token := lansToken(t)
	p := serve(t, config, dsn, "--tokens", tokens)
	plan := regexp.MustCompile(`(?m)^bao +20 +20 +0 +\d{4}-\d\d-\d\d`)
	eventually(t, "a plan of what is sealed", func() bool {
		stdout, _, code := output(t, "retention", "--config", config, "--db", dsn, "--age", "365d")
		return code == 0 && plan.MatchString(stdout)
	})
	day := store.DayOf(time.Now().AddDate(-2, 0, 0))
	addresses := []string{"/feed.atom", "/feed.json", "/feed.rss?n=200", "/outlets/bao/feed.atom", "/archive/" + string(day) + "/1/feed.atom", "/days/?month=" + string(day[:7])}
	read := func() (all []string) {
		for _, a := range addresses {
			resp, body := get(t, p.public+a)
			if resp.StatusCode != 200 {
				t.Errorf("%s answers %d", a, resp.StatusCode)
			}
			all = append(all, body)
		}
		return all
	}
	before := read()
	edit(t, config, func(s string) string { return s + "retention: {age: 365d}\n" })
	if stdout, stderr, code := bearing(t, token, "reload", "--admin", strings.TrimPrefix(p.admin, "http://")); code != 0 {
		t.Fatalf("reload: exit %d, %q %q", code, stdout, stderr)
	}
	eventually(t, "retention", func() bool { return p.metric(t, `diemtin_retention_last_run_timestamp_seconds`) > 0 })
	if n := p.metric(t, `diemtin_retention_deleted_total{what="items"}`); n != 20 {
		t.Errorf("%v items were reduced, want 20", n)
	}
	for i, body := range read() {
		if body != before[i] {
			t.Errorf("%s has changed", addresses[i])
		}
	}
	_, listing := get(t, p.public+"/days/"+string(day)+"/")
	if strings.Count(listing, "Tin cũ số") < 20 || strings.Contains(listing, "Tóm tắt") {
		t.Errorf("the day lists %d headlines", strings.Count(listing, "Tin cũ số"))
	}
	story := regexp.MustCompile(`/stories/[a-z2-7]{13}`).FindString(listing)
	resp, page := get(t, p.public+story)
	if resp.StatusCode != 200 || !strings.Contains(page, "Tin đã cũ") || !strings.Contains(page, "https://bao.example/c") || !strings.Contains(page, "Báo Cũ") {
		t.Errorf("%s answers %d\n%s", story, resp.StatusCode, page)
	}
	if stdout, _, _ := output(t, "status", "--admin", strings.TrimPrefix(p.admin, "http://")); !strings.Contains(stdout, "retention  20 stories reduced") {
		t.Errorf("status says\n%s", stdout)
	}
	p.stop(t)
	if !strings.Contains(p.log.String(), "msg=retention stories=20 items=20") {
		t.Errorf("the log says\n%s", p.log)
	}
}
