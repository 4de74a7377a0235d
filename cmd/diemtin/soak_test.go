package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// soakTime names the environment variable with the length of TestSoak, which
// else does not run: make soak.
const soakTime = "DIEMTIN_SOAK_TIME"

// TestSoak is everything at once for a while: the binary, built with the race
// detector, between healthy and hostile outlets, readers, subscribers, reloads
// and backups. Memory, goroutines and files stay flat, the log tells of nothing
// that the script did not cause, and at the end all is there, once.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv(soakTime))
	if err != nil {
		t.Skipf("%s is not set: make soak", soakTime)
	}
	s := newSoak(t)
	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	var all sync.WaitGroup
	for _, play := range s.plays() {
		all.Go(func() { play(ctx) })
	}
	samples := s.watch(ctx, length)
	all.Wait()
	report := judge(samples, length)
	t.Logf("\n%s", report.table())
	for _, l := range report {
		if l.fault != "" {
			t.Error(l.fault)
		}
	}
	t.Logf("%d answers to readers (%d of them 304), %d reloads (%d refused), %d backups, deliveries %v",
		s.answers.Load(), s.notModified.Load(), s.reloads.Load(), s.refused.Load(), s.copies.Load(), s.deliveries())
	if late := s.late.Load(); late > 0 {
		t.Errorf("%d answers were 503: not made within their ten seconds", late)
	}
	s.calm()
	s.check()
}

// soak is the service under everything.
type soak struct {
	t       *testing.T
	world   *outlettest.World
	hostile *outlettest.Origin
	site    *front
	p       *program
	dir     string
	config  string
	dsn     string
	readers map[string]*pushedTo // subscribers, by the path of their feed

	mu   sync.Mutex
	seen map[string]bool // ids of entries that readers have seen in /feed.atom

	answers, notModified, late, reloads, refused, copies atomic.Int64
}

// hostileSources are what an outlet may do to us, by path.
func hostileSources() map[string][]outlettest.Response {
	return map[string][]outlettest.Response{
		"/endless": {{Body: "<rss><channel><item><title>x</title></item>", Endless: true}},
		"/bomb":    {{Bomb: 64 << 20}},
		"/nested":  {{Body: outlettest.Nested(100_000)}},
		"/reset":   {{Reset: true}},
		"/cut":     {{Body: rssOf(1, 20), Cut: 700}},
		"/drip":    {{Body: rssOf(1, 20), Drip: 50 * time.Millisecond}},
		"/junk":    {{Body: "\x00\xff<rss><<<"}},
		"/loop":    {outlettest.RedirectTo("/loop")},
		"/late":    {{Delay: 10 * time.Second, Body: rssOf(1, 5)}},
		"/often":   {{Status: http.StatusTooManyRequests, RetryAfter: time.Second}},
	}
}

func newSoak(t *testing.T) *soak {
	w, err := outlettest.New(outlettest.Options{Seed: 31, Stories: 120, Days: 2, Slow: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s := &soak{t: t, world: w, hostile: outlettest.NewOrigin(t), site: newFront(t), dir: t.TempDir(), readers: map[string]*pushedTo{}, seen: map[string]bool{}}
	for path, answers := range hostileSources() {
		s.hostile.Handle(path, answers...)
	}
	s.config, s.dsn = filepath.Join(s.dir, "feeds.yaml"), "sqlite:"+filepath.Join(s.dir, "soak.db")
	if err := os.Mkdir(filepath.Join(s.dir, "copies"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.configure("")
	s.start()
	s.p.swept(t)
	for _, path := range []string{"/feed.atom", "/feed.rss", "/feed.json", "/scopes/national/feed.atom", "/topics/kinh-te/feed.rss"} {
		s.readers[path] = newPushedTo(t, "bí mật")
		subscribeTo(t, s.site, path, s.readers[path].url, "bí mật")
	}
	eventually(t, "all to be subscribed, our own canary too", func() bool {
		return sqliteCount(t, filepath.Join(s.dir, "soak.db"), `SELECT count(*) FROM hub_subscriptions`) == len(s.readers)+1
	})
	return s
}

// raceBinary builds the program with the race detector.
func raceBinary(t *testing.T, dir string) string {
	path := filepath.Join(dir, "diemtin-race")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-race", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func (s *soak) start() {
	s.t.Helper()
	path := filepath.Join(s.dir, "diemtin-race")
	if _, err := os.Stat(path); err != nil {
		raceBinary(s.t, s.dir)
	}
	s.p = begin(s.t, exec.CommandContext(s.t.Context(), path, "serve", "--config", s.config, "--db", s.dsn, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"))
	u, err := url.Parse(s.p.public)
	if err != nil {
		s.t.Fatal(err)
	}
	s.site.target.Store(u)
}

// configure writes the configuration; fault is added to it.
func (s *soak) configure(fault string) {
	text := s.world.ConfigYAML(outlettest.Config{BaseURL: s.site.url, Min: 2 * time.Second, Max: 5 * time.Second})
	text = strings.Replace(text, "polls_per_hour: 20000", fmt.Sprintf("polls_per_hour: %d, timeout: 3s, hold: 30s, max_bytes: 2000000", 20_000+s.reloads.Load()%9), 1)
	text = strings.Replace(text, "outlets:\n", "visitors: {per_minute: 100000}\nbackup: {dir: copies, every: 10m, keep: 2}\nretention: {age: 365d, every: 1m}\noutlets:\n", 1)
	text += "  - {id: du-dan, name: Báo Dữ, domains: [du.example], scope: national, article: never, sources: ["
	for _, path := range slices.Sorted(maps.Keys(hostileSources())) {
		text += fmt.Sprintf("{id: du-%s, url: %q, every: {min: 2s, max: 10s}},", path[1:], s.hostile.URL+path)
	}
	text += "]}\n" + fault
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Error(err)
	}
}

// plays are what goes on at once, each until its context ends.
func (s *soak) plays() []func(context.Context) {
	plays := []func(context.Context){
		func(ctx context.Context) { s.world.Run(ctx, 3*time.Second) },
		every(20*time.Second, s.reload),
		every(time.Minute, s.backup),
		every(time.Second, s.follow),
	}
	for n := range 4 {
		plays = append(plays, s.reader(uint64(n)))
	}
	return plays
}

// every does something again and again.
func every(d time.Duration, do func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				do(ctx)
			}
		}
	}
}

// reload has the service read its configuration anew; every fourth is bad.
func (s *soak) reload(context.Context) {
	n := s.reloads.Add(1)
	fault := ""
	if n%4 == 0 {
		fault, _ = "nonsense: 1\n", s.refused.Add(1)
	}
	s.configure(fault)
	s.p.cmd.Process.Signal(syscall.SIGHUP)
}

// backup copies the database beside the service and looks at the copy.
func (s *soak) backup(ctx context.Context) {
	to := filepath.Join(s.dir, fmt.Sprintf("copy-%d.db", s.copies.Add(1)))
	out, err := exec.CommandContext(ctx, filepath.Join(s.dir, "diemtin-race"), "backup", "--db", s.dsn, to).CombinedOutput()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.t.Errorf("backup: %v\n%s", err, out)
	}
	os.Remove(to)
}

var entryID = regexp.MustCompile(`urn:diemtin:story:[a-z0-9]+`)

// follow notes what stands in the feed that subscribers follow.
func (s *soak) follow(ctx context.Context) {
	_, body, err := s.ask(ctx, "/feed.atom", "")
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range entryID.FindAllString(body, -1) {
		s.seen[id] = true
	}
}

// reader is someone who reads feeds, pages and searches, and asks again by tag.
func (s *soak) reader(seed uint64) func(context.Context) {
	r, tags := rand.New(rand.NewPCG(seed, 3)), map[string]string{}
	day := store.DayOf(time.Now())
	words := []string{"giá", "cầu", "“hội nghị”", "học sinh", "mưa lũ", "zzz", "-xã tỉnh"}
	paths := []string{"/", "/feed.atom", "/feed.rss", "/feed.json", "/feed.atom?n=200", "/topics/kinh-te/", "/topics/giao-duc/feed.atom", "/days/" + string(day) + "/",
		"/outlets/lao-cai/", "/scopes/provincial/feed.rss", "/opml", "/status", "/sitemap.xml", "/api/v1/stories?limit=50", "/api/v1/changes", "/nguon-cap-tin/", "/khong-co", "/status/feed.atom"}
	return every(60*time.Millisecond, func(ctx context.Context) {
		path := paths[r.IntN(len(paths))]
		if r.IntN(5) == 0 {
			path = "/search?q=" + url.QueryEscape(words[r.IntN(len(words))])
		}
		tag := tags[path]
		if r.IntN(3) == 0 {
			tag = ""
		}
		resp, _, err := s.ask(ctx, path, tag)
		if err != nil {
			return
		}
		tags[path] = resp.Header.Get("ETag")
	})
}

// ask gets a document as a reader does.
func (s *soak) ask(ctx context.Context, path, tag string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.site.url+path, nil)
	if err != nil {
		return nil, "", err
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			s.t.Errorf("%s: %v", path, err)
		}
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, "", err
	}
	s.answers.Add(1)
	switch {
	case resp.StatusCode == http.StatusNotModified:
		s.notModified.Add(1)
	case resp.StatusCode == http.StatusServiceUnavailable: // as promised where the machine is too busy
		s.late.Add(1)
	case resp.StatusCode >= 500:
		s.t.Errorf("%s: %s", path, resp.Status)
	}
	return resp, string(body), nil
}

// calmWithin is several times what a story may wait for its pages, and a
// delivery for its next try.
const calmWithin = 5 * time.Minute

// calm waits until the outlets are read to the end and delivered.
func (s *soak) calm() {
	s.t.Helper()
	s.configure("")
	s.p.cmd.Process.Signal(syscall.SIGHUP)
	file := filepath.Join(s.dir, "soak.db")
	last, quiet := -1, 0
	eventuallyWithin(s.t, calmWithin, "the outlets to be read to the end", func() bool {
		n := sqliteCount(s.t, file, `SELECT count(*) FROM items`)
		waiting := sqliteCount(s.t, file, `SELECT (SELECT count(*) FROM stories WHERE listed = 0 AND merged_into = '') + (SELECT count(*) FROM articles WHERE holds = 1)
			+ (SELECT count(*) FROM hub_outbox) + (SELECT count(*) FROM hub_subscriptions WHERE wanted > 0)`)
		if n != last || waiting > 0 {
			last, quiet = n, 0
		}
		quiet++
		return quiet > 200 // ten seconds, longer than any interval of a healthy source
	})
}

// check looks at the end: nothing twice, nothing lost, and the same bytes after
// a restart.
func (s *soak) check() {
	t := s.t
	before := s.given()
	s.delivered(before)
	s.p.stop(t)
	s.log(s.p.log)
	s.start()
	after := s.given()
	for path := range before {
		if before[path] != after[path] {
			t.Errorf("%s is not what it was before the restart", path)
		}
	}
	s.p.stop(t)
	file := filepath.Join(s.dir, "soak.db")
	if n := sqliteCount(t, file, `SELECT count(*) FROM (SELECT outlet, link FROM items GROUP BY outlet, link HAVING count(*) > 1) AS twice`); n > 0 {
		t.Errorf("%d articles are stored twice", n)
	}
	if n := sqliteCount(t, file, `SELECT count(*) FROM items WHERE story NOT IN (SELECT id FROM stories)`); n > 0 {
		t.Errorf("%d items without a story", n)
	}
	db, err := store.OpenReadOnly(t.Context(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if faults, err := db.QuickCheck(t.Context()); err != nil || faults != nil {
		t.Errorf("the file: %v, %v", faults, err)
	}
	t.Logf("%d items in %d stories", sqliteCount(t, file, `SELECT count(*) FROM items`), sqliteCount(t, file, `SELECT count(*) FROM stories WHERE merged_into = ''`))
}

// given is what readers get now, of which every feed is read by a parser.
func (s *soak) given() map[string]string {
	all := map[string]string{}
	for _, path := range []string{"/feed.atom", "/feed.rss", "/feed.json", "/feed.atom?n=200", "/scopes/national/feed.atom", "/topics/kinh-te/feed.rss", "/topics/xa-hoi/feed.atom", "/outlets/lao-cai/feed.json"} {
		_, body := get(s.t, s.site.url+path)
		if _, err := gofeed.NewParser().ParseString(body); err != nil {
			s.t.Errorf("%s is no feed: %v", path, err)
		}
		all[path] = body
	}
	return all
}

func (s *soak) deliveries() map[string]int {
	all := map[string]int{}
	for path, r := range s.readers {
		all[path] = len(r.all())
	}
	return all
}

// delivered checks that no subscriber has lost a change.
func (s *soak) delivered(now map[string]string) {
	for path, r := range s.readers {
		got := r.all()
		if len(got) == 0 || got[len(got)-1].body != now[path] || r.forged > 0 {
			s.t.Errorf("%s: the last of %d deliveries is not what a GET gives; %d wrongly signed", path, len(got), r.forged)
		}
	}
	told := map[string]bool{}
	for _, d := range s.readers["/feed.atom"].all() {
		for _, id := range entryID.FindAllString(d.body, -1) {
			told[id] = true
		}
	}
	lost := 0
	for id := range s.seen {
		if !told[id] {
			lost++
		}
	}
	if lost > 0 || len(s.seen) < 20 {
		s.t.Errorf("%d of %d entries that readers saw were never delivered", lost, len(s.seen))
	}
}

// log fails on what the script has not caused.
func (s *soak) log(text *bytes.Buffer) {
	for line := range strings.SplitSeq(text.String(), "\n") {
		ours := strings.Contains(line, "level=ERROR") && !strings.Contains(line, "configuration not reloaded")
		if ours || strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic") {
			s.t.Errorf("the log: %s", line)
		}
	}
}
