package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// press is one outlet whose feed says what the test wants.
type press struct {
	*httptest.Server
	mu    sync.Mutex
	feed  string
	asked int
}

// told is one article as a press's feed has it.
type told struct{ guid, link, title, text string }

func (p *press) tell(all ...told) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Báo</title><link>https://bao.example</link><description>x</description>`)
	for i, a := range all {
		fmt.Fprintf(&b, `<item><title>%s</title><link>%s</link><guid isPermaLink="false">%s</guid><description>%s</description><pubDate>%s</pubDate></item>`,
			a.title, a.link, a.guid, a.text, time.Now().Add(-time.Hour-time.Duration(i)*time.Minute).Format(time.RFC1123Z))
	}
	b.WriteString(`</channel></rss>`)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feed, p.asked = b.String(), 0
}

func (p *press) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, ".rss") {
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	w.Header().Set("Content-Type", "application/rss+xml")
	fmt.Fprint(w, p.feed)
}

// read waits until what the press says now has been read and stored: a source
// is visited again only when its last visit is over.
func (p *press) read(t *testing.T) {
	t.Helper()
	eventually(t, "the feed to be read", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.asked >= 2
	})
}

// pressRoom is two presses and the configuration that reads them.
func pressRoom(t *testing.T) (one, two *press, config func(path string) string) {
	t.Helper()
	one, two = &press{}, &press{}
	for _, p := range []*press{one, two} {
		p.tell()
		p.Server = httptest.NewServer(p)
		t.Cleanup(p.Close)
	}
	return one, two, func(path string) string {
		file := filepath.Join(t.TempDir(), "feeds.yaml")
		text := fmt.Sprintf(`site: {title: Điểm tin, base_url: "https://tin.example.vn", language: vi, operator: Thử, contact: a@example.vn}
limits: {allow_private: true, host_pause: 0s, polls_per_hour: 20000}
outlets:
  - id: bao-mot
    name: Báo Một
    domains: [baomot.example, cu.baomot.example]
    scope: national
    show: summary
    sources: [{id: mot, url: "%s/%s", every: {min: 1s, max: 1s}}]
  - id: bao-hai
    name: Báo Hai
    domains: [baohai.example]
    scope: national
    show: summary
    sources: [{id: hai, url: "%s/feed.rss", every: {min: 1s, max: 1s}}]
`, one.URL, path, two.URL)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
}

// subscriber has read a feed in all three formats, and knows entries by one of
// the rules that readers have.
type subscriber map[string]map[string]bool // rule → what it has seen

// look reads the feeds again and returns what is new, by rule.
func (s subscriber) look(t *testing.T, p *program) map[string][]string {
	t.Helper()
	fresh := map[string][]string{}
	see := func(rule, id string) {
		if s[rule] == nil {
			s[rule] = map[string]bool{}
		}
		if id != "" && !s[rule][id] {
			s[rule][id] = true
			fresh[rule] = append(fresh[rule], id)
		}
	}
	var rss struct {
		Items []struct {
			GUID string `xml:"guid"`
			Link string `xml:"link"`
		} `xml:"channel>item"`
	}
	var atom struct {
		Entries []struct {
			ID string `xml:"id"`
		} `xml:"entry"`
	}
	var doc struct {
		Items []struct{ ID string }
	}
	for name, into := range map[string]func([]byte) error{
		"feed.rss":  func(b []byte) error { return xml.Unmarshal(b, &rss) },
		"feed.atom": func(b []byte) error { return xml.Unmarshal(b, &atom) },
		"feed.json": func(b []byte) error { return json.Unmarshal(b, &doc) },
	} {
		resp, body := get(t, p.public+"/"+name)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", name, resp.Status)
		}
		if err := into([]byte(body)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, it := range rss.Items {
		see("guid", it.GUID)
		see("link", it.Link)
	}
	for _, e := range atom.Entries {
		see("atom:id", e.ID)
	}
	for _, it := range doc.Items {
		see("json id", it.ID)
	}
	return fresh
}

const wire = "Sáng 5/11, tại xã Bản Liền, lãnh đạo tỉnh cùng hơn hai trăm hộ dân người Tày dự lễ khánh thành cây cầu treo dài 118 mét " +
	"bắc qua suối Nậm Lúc, công trình do các cựu chiến binh quân khu và học sinh trường nội trú góp công xây trong bảy tháng mưa lũ."

// No reader sees an article twice, whatever its outlet does to it and whatever
// an editor rules.
func TestNoReaderSeesAStoryTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for feeds to be polled and asked again, some twenty times")
	}
	one, two, config := pressRoom(t)
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	a := told{"a-1", "http://cu.baomot.example/cau-treo.html", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", wire}
	b := told{"a-2", "http://cu.baomot.example/gia-vang.html", "Giá vàng miếng tăng phiên thứ ba liên tiếp", "Giá vàng miếng sáng nay tăng thêm 400.000 đồng mỗi lượng so với chốt phiên hôm qua."}
	one.tell(a, b)
	p, editor := serveEditors(t, config("feed.rss"), dsn)
	p.swept(t)
	one.read(t)
	readers := subscriber{}
	if first := readers.look(t, p); len(first["guid"]) != 2 {
		t.Fatalf("the first reading brings %v", first)
	}
	clients := newClients(t, p.public)
	clients.reload(t, "the first reading", 2, 2)

	// told again in other ways: each line is one thing that an outlet does
	edited, reguid, secure, moved := a, a, a, a
	edited.title += " (cập nhật)"
	reguid.title, reguid.guid = edited.title, "other-1"
	secure.title, secure.guid, secure.link = edited.title, "other-1", strings.Replace(a.link, "http:", "https:", 1)
	moved.title, moved.guid, moved.link = edited.title, "https://baomot.example/cau-treo.html", "https://baomot.example/cau-treo.html"
	step := func(name string, sfeed int, do func()) {
		t.Helper()
		do()
		waitASecond(t)
		if fresh := readers.look(t, p); len(fresh) > 0 {
			t.Errorf("%s: new to readers: %v", name, fresh)
		}
		clients.reload(t, name, 0, sfeed)
	}
	for _, change := range []struct {
		name  string
		now   told
		sfeed int // entries new to sfeed, which knows them by id, title and link together
	}{{"fetched again", a, 0}, {"an edited headline", edited, 1}, {"a changed guid", reguid, 0}, {"http to https", secure, 0}, {"another domain", moved, 0}} {
		step(change.name, change.sfeed, func() { one.tell(change.now, b); one.read(t) })
	}
	step("a late copy", 0, func() {
		two.tell(told{"h-1", "https://baohai.example/cau", "Lào Cai: khánh thành cầu treo Nậm Lúc", wire})
		two.read(t)
	})
	story := func(of string) string {
		t.Helper()
		out, errs, code := editor("story", "hide", "--json", of)
		var r struct{ Story string }
		if code != 0 || json.Unmarshal([]byte(out), &r) != nil {
			t.Fatalf("hide %s: %s%s", of, out, errs)
		}
		if _, errs, code := editor("story", "restore", r.Story); code != 0 {
			t.Fatalf("restore: %s", errs)
		}
		return r.Story
	}
	var bridge, gold string
	step("hidden and restored", 0, func() { bridge, gold = story("https://baomot.example/cau-treo.html"), story(b.link) })
	must := func(args ...string) func() {
		return func() {
			if out, errs, code := editor(args...); code != 0 {
				t.Errorf("%v: %s%s", args, out, errs)
			}
		}
	}
	step("merged", 0, must("story", "merge", bridge, gold, "--why", "thử"))
	step("unmerged", 0, must("story", "unmerge", gold))
	step("pinned", 0, must("story", "pin", bridge, "https://baohai.example/cau"))
	step("taken down", 1, must("story", "takedown", b.link, "--why", "báo yêu cầu"))
	b2 := b
	b2.guid, b2.link = "a-2-again", strings.Replace(b.link, "http:", "https:", 1)
	step("published again after the takedown", 0, func() { one.tell(moved, b2); one.read(t) })
	if resp, body := get(t, p.public+"/stories/"+gold); resp.StatusCode != http.StatusGone || strings.Contains(body, "Giá vàng") {
		t.Errorf("what was taken down answers %s", resp.Status)
	}
	step("restored", 0, must("story", "restore", b.link))
	// The feed's address moves, and the service starts again.
	p.stop(t)
	p, editor = serveEditors(t, config("new.rss"), dsn)
	clients.front.Store(&p.public)
	p.swept(t)
	step("another address of the feed, after a restart", 0, func() { one.tell(moved, b2); one.read(t) })

	// What is split off comes out once, under its own id.
	before := len(readers["guid"])
	must("story", "split", bridge, "https://baohai.example/cau")()
	waitASecond(t)
	clients.reload(t, "the split", 1, 1)
	if fresh := readers.look(t, p); len(fresh["guid"]) != 1 || len(readers["guid"]) != before+1 {
		t.Errorf("the split brings %v", fresh)
	}
	step("the split undone", 0, must("story", "merge", bridge, "https://baohai.example/cau"))
	// Nothing of the outlet is left; what the other one carries is quoted from it,
	// with its headline and its link.
	must("story", "takedown", "--outlet", "bao-mot", "--why", "thử")()
	waitASecond(t)
	if fresh := readers.look(t, p); len(fresh["guid"])+len(fresh["atom:id"])+len(fresh["json id"]) > 0 {
		t.Errorf("an outlet taken down: %v", fresh)
	}
	if _, body := get(t, p.public+"/feed.atom"); strings.Contains(body, "baomot.example") || !strings.Contains(body, "baohai.example/cau") {
		t.Errorf("after the takedown of an outlet:\n%s", body)
	}
	// sfeed has the other outlet's headline by now.
	step("an outlet restored", 1, must("story", "restore", "--outlet", "bao-mot"))

	out, errs, code := editor("rulings")
	for _, want := range []string{"lan", "merge", "takedown", "báo yêu cầu"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("the ledger lacks %q: %s%s", want, out, errs)
		}
	}
	p.stop(t)
}

// waitASecond lets the feeds' second of freshness pass.
func waitASecond(t testing.TB) {
	t.Helper()
	timer := time.NewTimer(1100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// serveEditors starts the program with one editor, lan, and returns a way to
// run verbs in her name.
func serveEditors(t *testing.T, config, dsn string) (*program, func(args ...string) (string, string, int)) {
	t.Helper()
	tokens, token := lansToken(t)
	p := serve(t, config, dsn, "--tokens", tokens)
	return p, func(args ...string) (string, string, int) {
		t.Helper()
		words := 1 // the flags follow the verb, so that args may name others
		if args[0] == "topics" || args[0] == "partner" {
			words = 2
		}
		given := []string{"--admin", strings.TrimPrefix(p.admin, "http://"), "--config", config, "--db", dsn}
		return bearing(t, token, slices.Insert(slices.Clone(args), words, given...)...)
	}
}

// lansToken is a file of tokens, and the token of lan, who stands in it.
func lansToken(t *testing.T) (file, token string) {
	t.Helper()
	out, _, code := output(t, "token", "lan")
	token, line := field(out, "token"), field(out, "line")
	if code != 0 || token == "" || line == "" {
		t.Fatalf("token says %q", out)
	}
	file = filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte("# editors\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, token
}

// bearing runs the program with a token in its environment.
func bearing(t *testing.T, token string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(os.Environ(), "DIEMTIN_TOKEN="+token)
	return run2(t, cmd)
}

func field(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func run2(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
