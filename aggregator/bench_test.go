//go:build unix

package aggregator

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	runtimemetrics "runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"
	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// benchItems is the length of the benchmarks' feed.
const benchItems = 50

// press writes the feed of a synthetic outlet: its first item has number n,
// the next n-1, and so on, so that raising n by one brings one new item.
type press struct {
	items  int // in the feed; 0 = benchItems
	words  int // of a summary; 0 = 60
	newest atomic.Int64
	etag   atomic.Bool // answers conditional requests
}

var benchWords = strings.Fields(`Tỉnh ủy Hưng Yên hội nghị lần thứ mười hai ban chấp hành đảng bộ khóa nhiệm kỳ thành phố
	phòng chống lãng phí thực hiện nghị quyết đầu tư công nông thôn mới giải ngân vốn ngân sách doanh nghiệp sản xuất
	kinh doanh xuất khẩu tăng trưởng giáo dục học sinh bệnh viện người dân đường cao tốc khởi công cầu vượt giao thông an toàn`)

func benchText(r *rand.Rand, n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = benchWords[r.IntN(len(benchWords))]
	}
	return strings.Join(words, " ")
}

// feed is the document as Vietnamese outlets write it: the summary is HTML with
// the picture in it.
func (p *press) feed() []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Báo Thử - Trang chủ</title><link>https://thu.example/</link>`)
	newest := p.newest.Load()
	for n := newest; n > newest-int64(cmp.Or(p.items, benchItems)); n-- {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		link := fmt.Sprintf("https://thu.example/tin-tuc/bai-viet-ve-mot-viec-%d.html", n)
		fmt.Fprintf(&b, `<item><title>%s</title><link>%s?utm_source=rss</link><guid>%s</guid><pubDate>%s</pubDate><description><![CDATA[<a href="%s"><img src="https://thu.example/anh/%d.jpg"/></a></br>%s.]]></description></item>`,
			benchText(r, 13), link, link, benchStart.Add(time.Duration(n)*time.Second).Format(time.RFC1123Z), link, n, benchText(r, cmp.Or(p.words, 60)))
	}
	b.WriteString(`</channel></rss>`)
	return b.Bytes()
}

var benchStart = time.Date(2024, 11, 5, 8, 0, 0, 0, store.Zone)

func (p *press) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.etag.Load() {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
	w.Write(p.feed())
}

// cpuMeasured runs op, which goes through so many items, as a benchmark and
// reports the processor time of the whole process, the origin's share included.
func cpuMeasured(b *testing.B, items int, op func()) {
	b.ReportAllocs()
	before := cpuUsed(b)
	for b.Loop() {
		op()
	}
	per := float64(cpuUsed(b)-before) / float64(b.N)
	b.ReportMetric(per, "cpu-ns/op")
	if items > 0 {
		b.ReportMetric(float64(items)/per*1e9, "items/s/core")
	}
}

// cpuUsed is the processor time of the process so far, in ns: other load on the
// machine does not count.
func cpuUsed(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// visited is a source of a synthetic outlet with the aggregator that visits it.
type visited struct {
	press  *press
	origin *httptest.Server
	a      *Aggregator
	src    store.Source
}

func newVisited(b *testing.B) *visited {
	p := &press{}
	p.newest.Store(benchItems)
	origin := httptest.NewServer(p)
	b.Cleanup(origin.Close)
	v := visitorOf(b, origin.URL)
	v.press, v.origin = p, origin
	return v
}

// visitorOf visits the feed of an origin.
func visitorOf(b *testing.B, origin string) *visited {
	_, host, _ := strings.Cut(origin, "://")
	cfg := Config{Limits: Limits{AllowPrivate: true, HostPause: new(Duration)}, Topics: shippedTopics(b), Agent: "diemtin/bench (+a@example.vn)",
		Outlets: []OutletConfig{{ID: "thu", Name: "Báo Thử", Domains: []string{host, "thu.example"},
			Scope: store.National, Sources: []SourceConfig{{ID: "rss", URL: origin + "/rss"}}}}}
	cfg.Check(func(path, problem string) { b.Fatalf("config: %s: %s", path, problem) })
	db, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if err := db.Sync(b.Context(), cfg.StoreOutlets(), cfg.StoreSources()); err != nil {
		b.Fatal(err)
	}
	a, err := New(cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(a.fetch.close)
	a.opening = newSweep(nil, 0, time.Now())
	src, err := db.Source(b.Context(), "rss")
	if err != nil {
		b.Fatal(err)
	}
	return &visited{a: a, src: src}
}

func (v *visited) visit(b *testing.B, want store.Outcome, fresh int) {
	r, ok := v.a.visit(b.Context(), v.a.set(), v.src)
	if !ok || r.Outcome != want || r.Changes.New != fresh {
		b.Fatalf("visit: %s %s, changed %+v, want %s and %d new", r.Outcome, r.Detail, r.Changes, want, fresh)
	}
	v.src.State = r.State
}

// bare is the same request by a plain client.
func (v *visited) bare(b *testing.B, etag string) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, v.origin.URL+"/rss", nil)
	if err != nil {
		b.Fatal(err)
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := v.origin.Client().Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVisit measures whole visits, from the request on a kept connection
// to the committed transaction in SQLite, with the shipped topics. Beside them
// stand what no reader of feeds can do without: the bare request to the same
// origin, and gofeed's plain parse of the same feed.
func BenchmarkVisit(b *testing.B) {
	v := newVisited(b)
	run := func(name string, op func(b *testing.B)) {
		items := benchItems
		if strings.HasPrefix(name, "bare") {
			items = 0
		}
		b.Run(name, func(b *testing.B) { cpuMeasured(b, items, func() { op(b) }) })
	}
	body := v.press.feed()
	run("gofeed-parse", func(b *testing.B) {
		if feed, err := gofeed.NewParser().Parse(bytes.NewReader(body)); err != nil || len(feed.Items) != benchItems {
			b.Fatalf("parse: %v", err)
		}
	})
	run("bare-request-200", func(b *testing.B) { v.bare(b, "") })
	v.press.etag.Store(true)
	run("bare-request-304", func(b *testing.B) { v.bare(b, `"v1"`) })
	v.visit(b, store.New, benchItems)
	run("visit-304", func(b *testing.B) { v.visit(b, store.NotModified, 0) })
	v.press.etag.Store(false)
	run("visit-same-body", func(b *testing.B) { v.visit(b, store.Unchanged, 0) })
	run("visit-1-new-of-50", func(b *testing.B) {
		v.press.newest.Add(1)
		v.visit(b, store.New, 1)
	})
	run("visit-50-new-of-50", func(b *testing.B) {
		v.press.newest.Add(benchItems)
		v.visit(b, store.New, benchItems)
	})
}

// BenchmarkWorker measures the most memory that one of limits.workers holds:
// each reads documents that fill limits.max_bytes and limits.max_items, over and
// over, and nothing of them is remembered.
func BenchmarkWorker(b *testing.B) {
	lim := Limits{}.withDefaults()
	doc := largestDocument(lim)
	for _, workers := range []int{1, 4} {
		b.Run(fmt.Sprintf("largest-document-%d", workers), func(b *testing.B) {
			base, done := heapInUse(), make(chan struct{})
			var peak uint64
			var sampler, readers sync.WaitGroup
			sampler.Go(func() {
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-done:
						return
					case <-tick.C:
						peak = max(peak, heapInUse())
					}
				}
			})
			b.ReportAllocs()
			for b.Loop() {
				for range workers {
					readers.Go(func() {
						if rd, err := readFeed(doc, SourceConfig{ID: "s"}, lim); err != nil || len(rd.entries) != lim.MaxItems {
							b.Errorf("%d entries, want %d; %v", len(rd.entries), lim.MaxItems, err)
						}
					})
				}
				readers.Wait()
			}
			close(done)
			sampler.Wait()
			b.ReportMetric((float64(peak)-float64(base))/float64(workers)/(1<<20), "peak-MiB/worker")
		})
	}
}

// largestDocument fills both limits.
func largestDocument(lim Limits) *Document {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Báo Thử</title>`)
	room := int(lim.MaxBytes)/lim.MaxItems - 200
	for n := range lim.MaxItems {
		text := benchText(rand.New(rand.NewPCG(uint64(n), 5)), room/4)
		for len(text) > room || !utf8.ValidString(text) {
			text = text[:min(len(text)-1, room)]
		}
		fmt.Fprintf(&b, `<item><title>Bài %d</title><link>https://thu.example/%d.html</link><description>%s</description></item>`, n, n, text)
	}
	b.WriteString(`</channel></rss>`)
	return &Document{URL: "https://thu.example/rss", FinalURL: "https://thu.example/rss", Status: http.StatusOK, Header: http.Header{}, Body: b.Bytes(), At: benchStart}
}

// heapInUse is what objects take, in bytes, those not yet collected included.
func heapInUse() uint64 {
	sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtimemetrics.Read(sample)
	return sample[0].Value.Uint64()
}

// BenchmarkFetch measures what fetching takes besides the network: the request,
// unpacking and hashing.
func BenchmarkFetch(b *testing.B) {
	p := &press{}
	p.newest.Store(benchItems)
	text := p.feed()
	for _, tt := range []struct {
		name   string
		answer canned
	}{
		{"304", canned{status: http.StatusNotModified}},
		{"plain", canned{body: text}},
		{"gzip", canned{body: gzipped(b, text), encoding: "gzip"}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			f := newFetcher("diemtin/bench", Limits{}.withDefaults())
			via := tt.answer.access()
			b.ReportAllocs()
			for b.Loop() {
				doc, err := f.get(b.Context(), via, "http://thu.example/rss", "", "", benchStart)
				if err != nil {
					b.Fatal(err)
				}
				f.release(doc)
			}
		})
	}
}

// BenchmarkClassify judges headlines with their leads by all shipped rules:
// 20,000 items a second and core are the goal.
func BenchmarkClassify(b *testing.B) {
	c, err := NewClassifier(shippedTopics(b))
	if err != nil {
		b.Fatal(err)
	}
	items := heldOut(b)
	n := 0
	cpuMeasured(b, 1, func() {
		c.Classify(items[n%len(items)].text())
		n++
	})
}
