//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	memorySources = 1000
	memoryItems   = 30
	memorySummary = 190 // syllables: the feed has about 51 KB then
	memoryEvery   = 20 * time.Second
	memorySettle  = 30 * time.Second // of polling, before it is measured
	memoryLook    = 30 * time.Second
)

// manyOutlets are simulated outlets at hosts of their own, each with one feed.
// One visit in five finds a new item.
type manyOutlets struct {
	writer *archiveWriter
	mu     sync.Mutex
	newest map[string]int // by host, items that it has had
}

func (m *manyOutlets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/rss" { // an article, or robots.txt
		http.NotFound(w, r)
		return
	}
	m.mu.Lock()
	if m.newest[r.Host] == 0 {
		m.newest[r.Host] = memoryItems
	} else if rand.IntN(5) == 0 {
		m.newest[r.Host]++
	}
	newest := m.newest[r.Host]
	m.mu.Unlock()
	tag := fmt.Sprintf(`"%d"`, newest)
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
	fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Báo</title><link>http://%s/</link>`, r.Host)
	for n := newest; n > newest-memoryItems; n-- {
		own, _ := strconv.Atoi(strings.NewReplacer(".", "", ":", "").Replace(r.Host))
		words := rand.New(rand.NewPCG(uint64(n), uint64(own)))
		fmt.Fprintf(w, "<item><title>%s</title><link>http://%s/tin/%d.html</link><pubDate>%s</pubDate><description><![CDATA[<img src=\"http://%s/anh/%d.jpg\"/>%s.]]></description></item>",
			m.writer.text(words, archiveTitle), r.Host, n, time.Now().Add(time.Duration(n-newest)*time.Minute).Format(time.RFC1123Z), r.Host, n, m.writer.text(words, memorySummary))
	}
	fmt.Fprint(w, "</channel></rss>")
}

// BenchmarkMemory lets the program visit a thousand sources, each at a host of
// its own, every twenty seconds, and reads what it holds in memory.
func BenchmarkMemory(b *testing.B) {
	shipped, err := loadConfig("../../feeds.yaml")
	if err != nil {
		b.Fatal(err)
	}
	outlets := &manyOutlets{writer: newArchiveWriter(shipped), newest: map[string]int{}}
	server := &http.Server{Handler: outlets}
	b.Cleanup(func() { server.Close() })
	var text strings.Builder
	fmt.Fprintf(&text, "site: {title: Điểm tin, base_url: \"https://tin.example.vn\"}\nlimits: {allow_private: true, polls_per_hour: %d}\noutlets:\n",
		memorySources*int(time.Hour/memoryEvery))
	for i := range memorySources {
		l, err := net.Listen("tcp", fmt.Sprintf("127.1.%d.%d:0", i/250, 1+i%250))
		if err != nil {
			b.Skipf("this machine has no other loopback addresses: %v", err)
		}
		go server.Serve(l)
		fmt.Fprintf(&text, "  - {id: o%d, name: Báo Số %d, domains: [%q], scope: national, show: summary, sources: [{id: s%d, url: \"http://%s/rss\", every: {min: %s, max: %s}}]}\n",
			i, i, l.Addr(), i, l.Addr(), memoryEvery, memoryEvery)
	}
	for range b.N {
		config := filepath.Join(b.TempDir(), "feeds.yaml")
		if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		p := serve(b, config, "sqlite:"+filepath.Join(b.TempDir(), "memory.db"))
		for started := time.Now(); ; time.Sleep(time.Second) {
			outlets.mu.Lock()
			seen := len(outlets.newest)
			outlets.mu.Unlock()
			if seen == memorySources && p.metric(b, "diemtin_opening_sweep_over") == 1 {
				break
			}
			if time.Since(started) > 15*time.Minute {
				b.Fatalf("%d of %d sources visited after 15 minutes", seen, memorySources)
			}
		}
		time.Sleep(memorySettle)
		var rss []float64
		for end := time.Now().Add(memoryLook); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
			rss = append(rss, memoryOf(b, p.cmd.Process.Pid, "VmRSS"))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(rss), "rss-MB")
		b.ReportMetric(memoryOf(b, p.cmd.Process.Pid, "VmHWM"), "peak-MB")
		for _, name := range []string{"go_memstats_heap_inuse_bytes", "go_memstats_heap_idle_bytes"} {
			b.Logf("%s %.1f MB", name, p.metric(b, name)/1e6)
		}
		b.Logf("%.0f goroutines", p.metric(b, "go_goroutines"))
		if profile := os.Getenv("DIEMTIN_BENCH_HEAP"); profile != "" {
			_, heap := get(b, p.admin+"/debug/pprof/heap")
			if err := os.WriteFile(profile, []byte(heap), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		p.kill()
	}
}

// memoryOf is a line of /proc/PID/status, in MB of a million bytes.
func memoryOf(b *testing.B, pid int, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("no memory figures: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024 / 1e6
		}
	}
	b.Fatalf("no %s", name)
	return 0
}
