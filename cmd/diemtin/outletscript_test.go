package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The pace of a script. A step is longer than the waits after two failures, so
// that every source is due at each step.
const (
	scriptStep    = 30 * time.Minute
	scriptOutlets = 8
	scriptSources = 3 // of each outlet
	scriptWindow  = 20
)

// script says what simulated outlets publish at each step: nothing of it
// depends on who asks, how often, or when. At each step one source has news,
// an edit or a copy; the others answer the same bytes, or badly.
type script struct {
	seed  uint64
	steps int
	start time.Time
	words []string
	acts  []act // one a step
}

// act is what one source does at a step.
type act struct {
	source int
	told   []entryTold
}

// entryTold is one version of an item.
type entryTold struct {
	id                   int
	title, summary, from string // from names another outlet: a copy
	at                   time.Time
}

// readsPages is the outlet whose articles' own pages are read.
const readsPages = 0

func newScript(seed uint64, steps int, start time.Time) *script {
	s := &script{seed: seed, steps: steps, start: start,
		words: strings.Fields("cầu đường sông núi biển lúa ngô khoai mưa nắng gió chợ trường lớp học thầy cô bệnh viện bác sĩ xe tàu bến cảng thép than điện nước rừng cây hoa quả cá tôm mực giá vàng bạc tiền thuế quỹ dân làng xã huyện tỉnh thành hội nghị quyết định luật lệ kiểm tra thi đấu bóng bàn cờ vua múa hát tranh ảnh phim sách báo đài tin mới cũ")}
	r := rand.New(rand.NewPCG(seed, 1))
	var last *entryTold // what may be copied or edited
	by, id := 0, 0
	for n := range steps {
		at := s.at(n)
		switch what := r.IntN(4); {
		case last != nil && what == 0: // another outlet prints it too
			id++
			source := (by/scriptSources+1+r.IntN(scriptOutlets-1))%scriptOutlets*scriptSources + r.IntN(scriptSources)
			s.acts = append(s.acts, act{source, []entryTold{{id, last.title, last.summary, outletName(by / scriptSources), at.Add(-time.Minute)}}})
			last = nil
		case last != nil && what == 1: // its outlet edits it
			edited := *last
			edited.summary += " " + s.text(r, 12)
			s.acts = append(s.acts, act{by, []entryTold{edited}})
			last = nil
		default:
			by = r.IntN(scriptOutlets * scriptSources)
			many := 1 + r.IntN(3)
			if by/scriptSources == readsPages { // two pages may be read in any order
				many = 1
			}
			a := act{source: by}
			for i := range many {
				id++
				a.told = append(a.told, entryTold{id, s.text(r, 9), s.text(r, 40), "", at.Add(time.Duration(i-many) * time.Minute)})
			}
			s.acts, last = append(s.acts, a), &a.told[0]
		}
	}
	return s
}

// at is the time of a step. Before the first one nothing is published.
func (s *script) at(step int) time.Time { return s.start.Add(time.Duration(step+1) * scriptStep) }

func (s *script) text(r *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.words[r.IntN(len(s.words))])
	}
	return b.String()
}

func outletName(o int) string { return fmt.Sprintf("Báo Thứ %d", o+1) }

func outletHost(source int) string { return fmt.Sprintf("bao-%d.example", source/scriptSources+1) }

func (e entryTold) link(source int) string {
	return fmt.Sprintf("http://%s/tin/%d.html", outletHost(source), e.id)
}

// links are the addresses of all that was ever published.
func (s *script) links() (all []string) {
	for _, a := range s.acts {
		for _, e := range a.told {
			if l := e.link(a.source); !slices.Contains(all, l) {
				all = append(all, l)
			}
		}
	}
	return all
}

// document is a source's feed at a step, newest first.
func (s *script) document(source, step int) string {
	var entries []entryTold
	for n := 0; n <= step && n < len(s.acts); n++ {
		if s.acts[n].source != source {
			continue
		}
		for _, e := range s.acts[n].told {
			if i := slices.IndexFunc(entries, func(x entryTold) bool { return x.id == e.id }); i >= 0 {
				entries[i] = e
			} else {
				entries = append(entries, e)
			}
		}
	}
	entries = entries[max(0, len(entries)-scriptWindow):]
	var b strings.Builder
	fmt.Fprintf(&b, `<rss version="2.0"><channel><title>%s</title><link>http://%s/</link>`, outletName(source/scriptSources), outletHost(source))
	for _, e := range slices.Backward(entries) {
		credit := ""
		if e.from != "" {
			credit = " Theo: " + e.from
		}
		fmt.Fprintf(&b, `<item><title>%s</title><link>%s</link><guid>tin-%d</guid><pubDate>%s</pubDate><description>%s.%s</description></item>`,
			e.title, e.link(source), e.id, e.at.UTC().Format(time.RFC1123Z), e.summary, credit)
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

// quirk is how a source without news answers at a step, the same for whoever
// asks: 0 to 3 well, more is a failure.
func (s *script) quirk(source, step int) int {
	for n := max(0, step-2); n <= step+2 && n < len(s.acts); n++ {
		if n >= 0 && s.acts[n].source == source { // its next visit must be due at the step of its news
			return 0
		}
	}
	h := fnv.New64a()
	fmt.Fprint(h, s.seed, source, step)
	return int(h.Sum64() % 10)
}

// stage plays a script: a proxy through which all outlets are reached, so that
// no port gets into what is stored.
type stage struct {
	*script
	url  string
	step atomic.Int64
	hits atomic.Int64 // documents asked for
}

func (s *script) stage(t testing.TB) *stage {
	st := &stage{script: s}
	st.step.Store(-1)
	server := httptest.NewServer(st)
	t.Cleanup(server.Close)
	st.url = server.URL
	return st
}

func (st *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var outlet, section int
	if _, err := fmt.Sscanf(r.URL.Hostname(), "bao-%d.example", &outlet); err != nil {
		http.NotFound(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/tin/") {
		st.page(w, r)
		return
	}
	if _, err := fmt.Sscanf(r.URL.Path, "/rss/%d", &section); err != nil {
		http.NotFound(w, r)
		return
	}
	st.hits.Add(1)
	source, step := (outlet-1)*scriptSources+section, int(st.step.Load())
	body := st.document(source, step)
	switch st.quirk(source, step) {
	case 1, 2:
		h := fnv.New64a()
		h.Write([]byte(body))
		tag := fmt.Sprintf(`"%x"`, h.Sum64())
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	case 3: // a slow outlet
		slow := time.NewTimer(20 * time.Millisecond)
		<-slow.C
	case 6:
		http.Error(w, "lỗi", http.StatusInternalServerError)
		return
	case 7:
		body = body[:len(body)/2] + "<"
	case 8:
		body = "<!doctype html><title>bảo trì</title><p>Trang đang bảo trì."
	case 9:
		panic(http.ErrAbortHandler) // cut off
	}
	w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
	fmt.Fprint(w, body)
}

// page is an article's own page.
func (st *stage) page(w http.ResponseWriter, r *http.Request) {
	address := "http://" + r.URL.Hostname() + r.URL.Path
	for _, a := range st.acts {
		for _, e := range a.told {
			if e.link(a.source) == address {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprintf(w, `<!doctype html><html lang="vi"><head><title>%s</title></head><body><article><h1>%[1]s</h1><p>%s.</p></article></body></html>`, e.title, e.summary)
				return
			}
		}
	}
	http.NotFound(w, r)
}

// config is the configuration that reads the outlets; polls is a number that a
// reload may change.
func (st *stage) config(polls int, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `site: {title: Thử, base_url: "https://tin.example.vn"}
limits: {allow_private: true, host_pause: 0s, workers: 16, polls_per_hour: %d, hold: 2m}
hub: {canary: false}
second_opinion: off
%soutlets:
`, polls, more)
	for o := range scriptOutlets {
		article := "never"
		if o == readsPages {
			article = "always"
		}
		fmt.Fprintf(&b, "  - {id: bao-%d, name: %q, domains: [bao-%d.example], scope: national, article: %s, sources: [", o+1, outletName(o), o+1, article)
		for s := range scriptSources {
			fmt.Fprintf(&b, `{id: bao-%d-%d, url: "http://bao-%[1]d.example/rss/%[2]d", proxy: %[3]q, every: {min: 5m, max: 8m}},`, o+1, s, st.url)
		}
		b.WriteString("]}\n")
	}
	return b.String()
}

func (st *stage) write(t testing.TB, file string, polls int, more string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(st.config(polls, more)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// paths are the documents that two runs of a script have to agree on.
func (s *script) paths() []string {
	paths := []string{"/feed.atom", "/feed.rss", "/feed.json", "/feed.atom?n=200", "/topics/tin-khac/feed.atom", "/topics/xa-hoi/feed.rss",
		"/topics/kinh-te/feed.json", "/scopes/national/feed.atom", "/opml", "/sitemap.xml", "/search/feed.atom?q=" + url.QueryEscape("cầu"), "/api/v1/stories?limit=100"}
	for o := range scriptOutlets {
		paths = append(paths, fmt.Sprintf("/outlets/bao-%d/feed.atom?n=200", o+1))
	}
	return paths
}

// killPlace is where a run of a script keeps its files.
type killPlace struct{ dir, config, clock string }

func newKillPlace(t testing.TB) killPlace {
	dir := t.TempDir()
	return killPlace{dir, filepath.Join(dir, "feeds.yaml"), filepath.Join(dir, "clock")}
}
