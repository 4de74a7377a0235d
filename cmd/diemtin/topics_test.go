package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

// topicsYAML is a configuration of two topics; %s are further phrases of lua.
const topicsYAML = `site: {title: Điểm tin, base_url: "https://tin.example.vn"}
outlets:
  - {id: bao, name: Báo, domains: [bao.example], scope: provincial, province: hung-yen}
topics:
  - id: lua
    name: {vi: Lúa, en: Rice}
    phrases:
      - lúa%s
    examples:
      yes: [Lúa chín vàng]
      no: [Ngô nếp]
  - id: ngo
    name: {vi: Ngô, en: Maize}
    phrases: [ngô]
`

// writeFile puts a text into the test's folder.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// noJudge finds no two items alike.
type noJudge struct{}

func (noJudge) Reused(string, string, *store.Item) bool                           { return false }
func (noJudge) Adapt(*store.Item, store.Corpus)                                   {}
func (noJudge) Related(*store.Item, []*store.Item, store.Corpus) []store.Relation { return nil }
func (noJudge) Match(*store.Item, []*store.Item) (int, store.Merge) {
	return -1, store.Merge{}
}
func (noJudge) Original([]store.Item, map[string]store.Outlet) (int, string) { return 0, "first" }

// storeHeadlines fills a database with items, classified by the configuration,
// and returns its DSN.
func storeHeadlines(t *testing.T, config string, titles ...string) string {
	t.Helper()
	cfg, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := aggregator.NewClassifier(cfg.aggregate.Topics)
	if err != nil {
		t.Fatal(err)
	}
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "topics.db")
	db, err := openStore(t.Context(), dsn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := time.Now().Add(-time.Hour)
	for i, title := range titles {
		link := fmt.Sprintf("https://bao.example/%d.html", i)
		it := store.Item{Title: title, Link: link, Published: at, Aliases: []string{"link:" + aggregator.LinkKey(link)}, Fingerprint: uint64(i) + 1,
			Topics: c.Classify(aggregator.Text{Title: title})}
		src := store.Source{ID: "tay", Outlet: "bao", State: store.SourceState{Visited: true}}
		if _, err := db.Record(t.Context(), store.Refresh{Source: src, At: at.Add(time.Duration(i) * time.Second), Items: []store.Item{it}}, noJudge{}); err != nil {
			t.Fatal(err)
		}
	}
	return dsn
}

func TestTopicsTest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := writeFile(t, dir, "feeds.yaml", fmt.Sprintf(topicsYAML, ""))
	labels := writeFile(t, dir, "labels.jsonl", `{"id":"1","title":"Lúa chín","primary":"lua","also":[]}`+"\n"+`{"id":"2","title":"Gạo ngon","primary":"lua"}`+"\n")
	stdout, stderr, code := output(t, "topics", "test", "--json", "--config", config, labels)
	want := `{"n":2,"primary":0.5,"micro":{"precision":1,"recall":0.5,"f1":0.6667},"topics":{"lua":{"precision":1,"recall":0.5,"f1":0.6667,"right":1,"given":1,"wanted":2}},"wrong":[{"id":"2","title":"Gạo ngon","got":[],"want":["lua"]}]}`
	var compact strings.Builder
	if err := json.NewEncoder(&compact).Encode(json.RawMessage(stdout)); err != nil || strings.TrimSpace(compact.String()) != want || code != 0 {
		t.Errorf("exit %d, %s%s, %v", code, compact.String(), stderr, err)
	}
	if stdout, _, _ := output(t, "topics", "test", "--config", config, labels); !strings.Contains(stdout, "! Gạo ngon\n    got none, want lua") || !strings.Contains(stdout, "2 items, F1 0.667") {
		t.Errorf("the table says %s", stdout)
	}
	bad := writeFile(t, dir, "bad.jsonl", `{"title":"Lúa","primary":"luá"}`)
	if _, stderr, code := output(t, "topics", "test", "--config", config, bad); code != 1 || !strings.Contains(stderr, bad+`:1: primary: topic "luá"`) {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestTopicsClassify(t *testing.T) {
	t.Parallel()
	config := writeFile(t, t.TempDir(), "feeds.yaml", fmt.Sprintf(topicsYAML, ""))
	cmd := command(t, "topics", "classify", "--config", config, "-")
	cmd.Stdin = strings.NewReader(`{"id":1,"title":"Lúa chín","outlet":"bao"}` + "\n" + `{"id":"b","title":"Hà Nội mưa","section":"ngo","content":"<p>lúa</p>"}` + "\n")
	out, err := cmd.Output()
	want := `{"id":1,"topics":[{"id":"lua","score":2,"primary":true,"reasons":[{"text":"lúa","place":"title","weight":2}]}],"province":"hung-yen"}
{"id":"b","topics":[{"id":"ngo","score":2,"primary":true,"reasons":[{"text":"ngo","place":"section","weight":2}]}],"province":"ha-noi"}
`
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v\nwant %s", out, err, want)
	}
}

// A wrong example says where it stands, and where the phrase stands that hit.
func TestCheckNamesPhrase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := strings.Replace(fmt.Sprintf(topicsYAML, "\n      - {any: [gạo, nếp]}"), "no: [", "no:\n        - Lúa\n        - ", 1)
	config := writeFile(t, dir, "feeds.yaml", strings.Replace(text, "Ngô nếp]", "Ngô nếp", 1))
	_, stderr, code := output(t, "check", "--config", config)
	for _, want := range []string{
		config + `:13:11: topics[0].examples.no[0]: topic "lua": example "Lúa" got it and must not: lua 2 of 1, primary: lúa (title 2 at ` + config + `:8)`,
		config + `:14:11: topics[0].examples.no[1]: topic "lua": example "Ngô nếp" got it and must not: lua 2 of 1, primary: nếp (title 2 at ` + config + `:9)`,
	} {
		if code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("exit %d, %s\nwant %s", code, stderr, want)
		}
	}
}

// Rules below the gate's floor are refused by check and by serve, with figures.
func TestGateRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "golden.jsonl", `{"title":"Lúa chín","primary":"lua"}`+"\n"+`{"title":"Gạo ngon","primary":"lua"}`+"\n")
	gate := "gate: {file: golden.jsonl, f1: 0.85}\n"
	low := writeFile(t, dir, "low.yaml", gate+fmt.Sprintf(topicsYAML, ""))
	good := writeFile(t, dir, "good.yaml", gate+fmt.Sprintf(topicsYAML, "\n      - gạo"))
	for _, args := range [][]string{{"check", "--config", low}, {"serve", "--config", low, "--db", "sqlite:" + filepath.Join(dir, "x.db"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}} {
		_, stderr, code := output(t, args...)
		if want := "low.yaml:1:7: gate: the rules do not pass: 2 items, F1 0.667"; code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %s; want %s", args[0], code, stderr, want)
		}
	}
	stdout, stderr, code := output(t, "check", "--config", good)
	if code != 0 || !strings.Contains(stdout, "gate golden.jsonl passed: 2 items, F1 1.000") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	missing := writeFile(t, dir, "missing.yaml", "gate: {file: none.jsonl, f1: 0.85}\n"+fmt.Sprintf(topicsYAML, ""))
	if _, stderr, code := output(t, "check", "--config", missing); code != 1 || !strings.Contains(stderr, "missing.yaml:1:14: gate.file: open") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestTopicsOfStoredItems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := writeFile(t, dir, "old.yaml", fmt.Sprintf(topicsYAML, ""))
	changed := writeFile(t, dir, "new.yaml", strings.Replace(fmt.Sprintf(topicsYAML, "\n      - {phrase: gạo, weight: 2}"), "[ngô]", "[bắp]", 1))
	dsn := storeHeadlines(t, old, "Lúa chín", "Gạo ngon", "Ngô non", "Khoai bùi")
	stdout, stderr, code := output(t, "topics", "diff", "--db", dsn, changed)
	for _, want := range []string{"lua    1       +1      -0    2", "ngo    1       +0      -1    0",
		"+ lua  Gạo ngon\n    gạo (title 4 at " + changed + ":9), 4 of 1", "- ngo  Ngô non\n    ngô (title 2): no longer a phrase of the topic; now 0 of 1",
		"4 items: 2 get other topics, 2 another primary one; without any topic 2 before, 2 after"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, %s%s\nwant %s", code, stdout, stderr, want)
		}
	}
	stdout, _, code = output(t, "topics", "unclassified", "--config", changed, "--db", dsn)
	if code != 0 || !strings.Contains(stdout, "Chưa phân loại: 2 of 4 items") {
		t.Errorf("unclassified: exit %d, %s", code, stdout)
	}
	if stdout, stderr, code = output(t, "topics", "apply", "--config", changed, "--db", dsn); code != 0 || stdout != "4 items judged, 2 of them changed; 2 stories have other topics\n" {
		t.Errorf("apply: exit %d, %s%s", code, stdout, stderr)
	}
	if stdout, _, _ = output(t, "topics", "diff", "--json", "--db", dsn, changed); !strings.Contains(stdout, `"changed": 0`) {
		t.Errorf("after applying: %s", stdout)
	}
	if stdout, _, code = output(t, "topics", "suggest", "--config", changed, "--db", dsn, "lua"); code != 0 {
		t.Errorf("suggest: exit %d, %s", code, stdout)
	}
	stdout, _, code = output(t, "explain", "--config", old, "--db", dsn, "https://bao.example/1.html")
	if code != 0 || !strings.Contains(stdout, "chuyên mục    lua (primary) 4") || !strings.Contains(stdout, "tin đang ở lua: do bản khác") {
		t.Errorf("explain: exit %d, %s", code, stdout)
	}
}

// While a service runs, apply goes through it, with the rules in force only.
func TestApplyThroughService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := writeFile(t, dir, "old.yaml", fmt.Sprintf(topicsYAML, ""))
	changed := writeFile(t, dir, "new.yaml", fmt.Sprintf(topicsYAML, "\n      - gạo"))
	dsn := storeHeadlines(t, old, "Lúa chín", "Gạo ngon")
	p := serve(t, changed, dsn)
	admin := strings.TrimPrefix(p.admin, "http://")
	if _, stderr, code := output(t, "topics", "apply", "--config", old, "--db", dsn, "--admin", admin); code != 1 || !strings.Contains(stderr, "the service runs other rules") {
		t.Errorf("with other rules: exit %d, %s", code, stderr)
	}
	stdout, stderr, code := output(t, "topics", "apply", "--config", changed, "--db", dsn, "--admin", admin)
	if code != 0 || stdout != "2 items judged, 1 of them changed; 1 stories have other topics\n" {
		t.Errorf("apply: exit %d, %s%s", code, stdout, stderr)
	}
	if _, body := get(t, p.public+"/topics/lua/feed.atom"); !strings.Contains(body, "Gạo ngon") {
		t.Errorf("the feed lacks what it gained:\n%s", body)
	}
	p.stop(t)
	if !strings.Contains(p.log.String(), "msg=re-classified items=2 changed=1 stories_moved=1") {
		t.Errorf("log %s", p.log)
	}
}
