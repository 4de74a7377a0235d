package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// front is an address that leads to whichever program is running: a site keeps
// its base_url when its program starts anew on another port.
type front struct {
	url    string
	target atomic.Pointer[url.URL]
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{}
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		if u := f.target.Load(); u != nil {
			r.SetURL(u)
			r.Out.Host = r.In.Host
		}
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }})
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *front) serve(t *testing.T, config, dsn string) *program {
	t.Helper()
	p := serve(t, config, dsn)
	u, err := url.Parse(p.public)
	if err != nil {
		t.Fatal(err)
	}
	f.target.Store(u)
	return p
}

// pushedTo is a subscriber of the hub that notes what each run of the program
// has sent it.
type pushedTo struct {
	url    string
	run    atomic.Int64 // the number of the run
	mu     sync.Mutex
	got    []pushedBody
	forged int
}

type pushedBody struct {
	run        int64
	sum        [32]byte
	body, kind string
}

func newPushedTo(t *testing.T, secret string) *pushedTo {
	t.Helper()
	r := &pushedTo{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			io.WriteString(w, req.URL.Query().Get("hub.challenge"))
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil { // killed while it sent
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if req.Header.Get("X-Hub-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			r.forged++
		}
		r.got = append(r.got, pushedBody{r.run.Load(), sha256.Sum256(body), string(body), req.Header.Get("Content-Type")})
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *pushedTo) all() []pushedBody {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]pushedBody(nil), r.got...)
}

// rssOf is a feed of an outlet with numbered articles, which share no words.
func rssOf(first, last int64) string {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>T</title><link>http://bao.example/</link>`)
	for n := last; n >= first; n-- {
		fmt.Fprintf(&b, `<item><title>Tin-%d</title><link>http://bao.example/%d.html</link></item>`, n, n)
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

func subscribeTo(t *testing.T, f *front, topic, callback, secret string) {
	t.Helper()
	subscribeAt(t, f.url, f.url+topic, callback, secret)
}

// subscribeAt asks the hub of a program for a topic.
func subscribeAt(t *testing.T, at, topic, callback, secret string) {
	t.Helper()
	resp, err := http.PostForm(at+"/hub", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {callback}, "hub.secret": {secret}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("subscribing to %s: %s %s", topic, resp.Status, text)
	}
}

// The hub through kill -9 at any moment: nothing is lost (in the end every
// subscriber has the bytes that a GET gives) and nothing doubled: within one
// run no bytes are sent twice, and a run repeats at most what the one before
// had under way.
func TestHubThroughKills(t *testing.T) {
	t.Parallel()
	kills := 8
	if testing.Short() {
		kills = 3
	}
	var closed atomic.Bool // no more news
	var asked atomic.Int64
	outlet := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/rss" {
			http.NotFound(w, r)
			return
		}
		last := asked.Load()
		if !closed.Load() {
			last = asked.Add(1)
		}
		fmt.Fprint(w, rssOf(max(1, last-40), last))
	}))
	t.Cleanup(outlet.Close)
	site, dir := newFront(t), t.TempDir()
	config, dsn := filepath.Join(dir, "feeds.yaml"), "sqlite:"+filepath.Join(dir, "hub.db")
	yaml := fmt.Sprintf(`site: {title: Thử, base_url: %q}
limits: {allow_private: true, host_pause: 0s, polls_per_hour: 20000}
outlets:
  - {id: thu, name: Báo Thử, domains: [bao.example], scope: national, sources: [{id: thu-rss, url: "%s/rss", every: {min: 1s, max: 1s}, article: never}]}
`, site.url, outlet.URL)
	if err := os.WriteFile(config, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	files := []string{"/feed.atom", "/feed.rss", "/feed.json", "/scopes/national/feed.atom"}
	readers := map[string]*pushedTo{}
	p := site.serve(t, config, dsn)
	for _, file := range files {
		readers[file] = newPushedTo(t, "bí mật "+file)
		subscribeTo(t, site, file, readers[file].url, "bí mật "+file)
	}
	eventually(t, "all to be subscribed, our own canary too", func() bool {
		return sqliteCount(t, filepath.Join(dir, "hub.db"), `SELECT count(*) FROM hub_subscriptions`) == len(files)+1
	})
	for run := range kills {
		lives := time.NewTimer(time.Duration(300+rand.IntN(1700)) * time.Millisecond)
		<-lives.C
		p.kill()
		for _, r := range readers {
			r.run.Store(int64(run + 1))
		}
		p = site.serve(t, config, dsn)
	}
	eventually(t, "news after the last kill", func() bool {
		return p.metric(t, `diemtin_hub_deliveries_total{outcome="delivered"}`) > float64(len(files))
	})
	closed.Store(true)
	last := fmt.Sprintf("Tin-%d<", asked.Load())
	for file, r := range readers {
		eventually(t, file+" as a GET gives it", func() bool {
			got := r.all()
			resp, body := get(t, site.url+file)
			return len(got) > 0 && got[len(got)-1].body == body && strings.Contains(strings.ReplaceAll(body, `"`, "<"), last) && got[len(got)-1].kind == resp.Header.Get("Content-Type")
		})
		sent, twice := map[[32]byte]int64{}, 0
		for _, d := range r.all() {
			if before, again := sent[d.sum]; again {
				twice++
				if d.run == before {
					t.Errorf("%s: the same bytes were sent twice within run %d", file, d.run)
				}
			}
			sent[d.sum] = d.run
		}
		if twice > kills || r.forged > 0 {
			t.Errorf("%s: %d repeats in %d kills, %d wrongly signed", file, twice, kills, r.forged)
		}
		t.Logf("%s: %d deliveries, %d repeated", file, len(sent), twice)
	}
	heard := p.metric(t, `diemtin_hub_canary_delay_seconds_count`)
	if heard == 0 {
		t.Error("the canary heard nothing")
	}
	t.Logf("in the last run the canary heard %v times, %.2f s after the change", heard, p.metric(t, `diemtin_hub_canary_delay_seconds_sum`)/heard)
	p.stop(t)
}

// One diemtin reads another: it finds the hub in the feed, subscribes, and has
// a story by push long before its next visit.
func TestOneReadsAnother(t *testing.T) {
	t.Parallel()
	var late atomic.Bool
	outlet := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/rss" {
			http.NotFound(w, r)
			return
		}
		if late.Load() {
			fmt.Fprint(w, rssOf(1, 2))
			return
		}
		fmt.Fprint(w, rssOf(1, 1))
	}))
	t.Cleanup(outlet.Close)
	first, second := newFront(t), newFront(t)
	begin := func(f *front, name, source, every string) *program {
		dir := t.TempDir()
		yaml := fmt.Sprintf(`site: {title: Thử, base_url: %q}
limits: {allow_private: true}
outlets:
  - {id: thu, name: %s, domains: [bao.example], scope: national, sources: [{id: thu-rss, url: %q, every: %s, article: never}]}
`, f.url, name, source, every)
		if err := os.WriteFile(filepath.Join(dir, "feeds.yaml"), []byte(yaml), 0o644); err != nil {
			t.Fatal(err)
		}
		return f.serve(t, filepath.Join(dir, "feeds.yaml"), "sqlite:"+filepath.Join(dir, "d.db"))
	}
	gives := begin(first, "Báo Thử", outlet.URL+"/rss", "{min: 1s, max: 2s}")
	eventually(t, "the first story", func() bool {
		_, body := get(t, first.url+"/feed.atom")
		return strings.Contains(body, "Tin-1")
	})
	takes := begin(second, "Báo Khác", first.url+"/feed.atom", "{min: 1h, max: 1d}")
	eventually(t, "the subscription", func() bool { return takes.metric(t, `diemtin_push_subscriptions{state="verified"}`) == 1 })
	visits := takes.metric(t, `diemtin_refreshes_total{outcome="new"}`)
	late.Store(true)
	eventually(t, "the pushed story", func() bool {
		_, body := get(t, second.url+"/feed.json")
		return strings.Contains(body, "Tin-2")
	})
	if n := takes.metric(t, `diemtin_push_deliveries_total{result="new"}`); n != 1 {
		t.Errorf("%v deliveries with news, want one", n)
	}
	if n := takes.metric(t, `diemtin_refreshes_total{outcome="new"}`); n != visits {
		t.Errorf("a visit brought it: %v, before %v", n, visits)
	}
	eventually(t, "the hub to have noted it", func() bool {
		return gives.metric(t, `diemtin_hub_deliveries_total{outcome="delivered"}`) >= 2 // ours and the canary's
	})
	takes.stop(t)
	gives.stop(t)
}

// Where nobody elsewhere could reach it, or by configuration, there is no hub,
// and no feed names one.
func TestNoHub(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, base, more, want string }{
		{"public", "https://tin.example.vn", "", "https://tin.example.vn/hub"},
		{"public, below a slash", "https://tin.example.vn/", "", "https://tin.example.vn/hub"},
		{"switched off", "https://tin.example.vn", "hub: {enabled: false}", ""},
		{"loopback", "http://127.0.0.1:8080", "", ""},
		{"localhost", "http://localhost", "", ""},
		{"private", "http://192.168.1.5", "", ""},
		{"private, admitted", "http://192.168.1.5", "limits: {allow_private: true}", "http://192.168.1.5/hub"},
	} {
		cfg, err := parseConfig("x", fmt.Appendf(nil, "site: {title: x, base_url: %q}\n%s\noutlets: [{id: x, name: X, domains: [x.example], scope: national}]\n", tc.base, tc.more))
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.syndicate.Hub; got != tc.want {
			t.Errorf("%s: hub %q, want %q", tc.name, got, tc.want)
		}
	}
}
