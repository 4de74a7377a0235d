package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// presses are many outlets, each at a loopback address of its own, which is a
// host of its own to those who ask it. They note every request.
type presses struct{ outlets []*pressHouse }

// pressHouse is one outlet: a feed of all its articles and feeds of sections.
type pressHouse struct {
	addr string // 127.x.y.z:port
	mu   sync.Mutex
	news []int // numbers of articles, oldest first
	log  []askedFor
}

// askedFor is one request as the outlet saw it.
type askedFor struct {
	path         string
	begin, ended time.Time
}

const (
	houseSources = 3
	// houseTakes is how long an outlet thinks, so that two at once are seen.
	houseTakes = 10 * time.Millisecond
)

func newPresses(t *testing.T, n int) *presses {
	t.Helper()
	ps := &presses{}
	for i := range n {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.77.%d.%d:0", i/250, 1+i%250))
		if err != nil {
			t.Fatal(err)
		}
		h := &pressHouse{addr: l.Addr().String(), news: []int{0, 1}}
		ps.outlets = append(ps.outlets, h)
		server := &http.Server{Handler: h}
		var serving sync.WaitGroup
		serving.Go(func() { server.Serve(l) })
		t.Cleanup(func() { server.Close(); serving.Wait() })
	}
	return ps
}

func (h *pressHouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one := askedFor{path: r.URL.Path, begin: time.Now()}
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		one.ended = time.Now()
		h.log = append(h.log, one)
	}()
	if r.URL.Path == "/robots.txt" {
		http.NotFound(w, r)
		return
	}
	time.Sleep(houseTakes)
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/bai/%d.html", &n); err == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang=vi><title>%[1]s</title><article><h1>%[1]s</h1><p>%[2]s</p></article></html>`, h.title(n), strings.Repeat(h.title(n)+". ", 30))
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
	fmt.Fprint(w, h.feed(r.URL.Path))
}

// title shares no word with any other.
func (h *pressHouse) title(n int) string {
	name := strings.NewReplacer("127.77.", "", ".", "x", ":", "y").Replace(h.addr)
	return fmt.Sprintf("tin%[1]sa%[2]d mới%[1]sb%[2]d hay%[1]sc%[2]d", name, n)
}

func (h *pressHouse) link(n int) string { return fmt.Sprintf("http://%s/bai/%d.html", h.addr, n) }

// feed is all its news, or what belongs to a section.
func (h *pressHouse) feed(path string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>T</title><link>http://bao.example/</link>`)
	for _, n := range slices.Backward(h.news) {
		if path == "/0.rss" || path == fmt.Sprintf("/%d.rss", 1+n%(houseSources-1)) {
			fmt.Fprintf(&b, `<item><title>%s</title><link>%s</link><guid>%d</guid></item>`, h.title(n), h.link(n), n)
		}
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

// tell has the outlet publish one more article and returns its link.
func (h *pressHouse) tell() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.news)
	h.news = append(h.news, n)
	return h.link(n)
}

func (h *pressHouse) links() (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.news {
		all = append(all, h.link(n))
	}
	return all
}

func (h *pressHouse) asked() []askedFor {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.SortedFunc(slices.Values(h.log), func(a, b askedFor) int { return cmp.Or(a.begin.Compare(b.begin), a.ended.Compare(b.ended)) })
}

// replicaPlay says how large a play is.
type replicaPlay struct {
	outlets  int
	min, max time.Duration // of a source's interval
	pause    time.Duration // between two requests to a host
	lease    time.Duration
	chaos    time.Duration
	kill     time.Duration // from one kill to the next
}

// config writes the configuration of a play.
func (ps *presses) config(t *testing.T, play replicaPlay, base string) string {
	t.Helper()
	var b strings.Builder
	polls := min(1_000_000, int(float64(play.outlets*houseSources)*float64(time.Hour)/float64(play.min)))
	fmt.Fprintf(&b, `site: {title: Điểm tin, base_url: "%s", language: vi, operator: Thử, contact: a@example.vn}
hub: {canary: false}
limits: {allow_private: true, host_pause: %s, polls_per_hour: %d, lease: %s, timeout: %s, hold: 5s, websub: false}
second_opinion: off
outlets:
`, base, play.pause, polls, play.lease, play.lease/2)
	for i, h := range ps.outlets {
		fmt.Fprintf(&b, "  - id: bao-%d\n    name: Báo %d\n    domains: [\"%s\"]\n    scope: national\n    show: summary\n", i, i, h.addr)
		if i%4 == 0 {
			b.WriteString("    article: {read: always}\n")
		} else {
			b.WriteString("    article: {read: never}\n")
		}
		b.WriteString("    sources:\n")
		for n := range houseSources {
			fmt.Fprintf(&b, "      - {id: b%d-%d, url: \"http://%s/%d.rss\", every: {min: %s, max: %s}}\n", i, n, h.addr, n, play.min, play.max)
		}
	}
	file := filepath.Join(t.TempDir(), "feeds.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
