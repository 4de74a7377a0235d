package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"diemtin/aggregator"
	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

const (
	benchEntries = 50                     // of the feed that is asked for
	benchConns   = 16                     // connections that ask, each one request after another
	benchTurn    = 500 * time.Millisecond // one server is asked so long, then the next
	benchTurns   = 7                      // for each server; the median counts
	benchStored  = 50                     // items a second, in the second half
	benchFeed    = "/feed.atom?n=50"      // while items are stored, the feed itself grows until a part of it is sealed
)

// rival is one server under measurement, on one core.
type rival struct {
	name, address string
	pid           int
	request       map[string][]byte // by kind of answer
}

// BenchmarkServing compares the program as users run it with a bare net/http
// handler that writes the same bytes and with nginx that serves the same file.
// All have one core to themselves while they are asked; who asks and who stores
// has the other. What counts is the ratio in requests a second of the server's
// own processor time, turn by turn: the clock also measures whoever else uses
// the machine.
func BenchmarkServing(b *testing.B) {
	one := &press{}
	one.tell()
	one.Server = httptest.NewServer(one)
	b.Cleanup(one.Close)
	dsn := "sqlite:" + filepath.Join(b.TempDir(), "bench.db")
	config := filepath.Join(b.TempDir(), "feeds.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `site: {title: Điểm tin, base_url: "https://tin.example.vn"}
limits: {allow_private: true}
outlets: [{id: bao, name: Báo Mẫu, domains: [bao.example], scope: national, show: summary, sources: [{id: bao, url: "%s/feed.rss", every: {min: 1d, max: 1d}}]}]
`, one.URL), 0o600); err != nil {
		b.Fatal(err)
	}
	b.Setenv("GOMAXPROCS", "1") // of the servers; this process has read it already
	p := serve(b, config, dsn)
	p.swept(b)
	in := newInflow(b, config, dsn)
	in.record(b, 1) // the first visit of a source is backfill
	in.record(b, benchEntries)
	rivals := []*rival{{name: "diemtin", address: strings.TrimPrefix(p.public, "http://"), pid: p.cmd.Process.Pid}}
	waitASecond(b)
	files := saveAnswers(b, p.public+benchFeed)
	rivals = append(rivals, startBare(b, "bare", files), startBare(b, "bare-same-headers", files, sameHeaders+"=yes"))
	if nginx := startStatic(b, files); nginx != nil {
		rivals = append(rivals, nginx)
	}
	pin(b, os.Getpid(), 1)
	for _, r := range rivals {
		pin(b, r.pid, 0)
		r.prepare(b)
	}
	for _, load := range []string{"idle", "storing"} {
		ctx, stop := context.WithCancel(b.Context())
		var storing sync.WaitGroup
		if load == "storing" {
			storing.Go(func() { in.run(ctx, b) })
		}
		for _, kind := range []string{"identity", "gzip", "304"} {
			b.Run(kind+"/"+load, func(b *testing.B) { compete(b, rivals, kind) })
		}
		stop()
		storing.Wait()
	}
	b.Run("freshness", func(b *testing.B) { in.freshness(b, p.public+benchFeed) })
}

// compete lets the rivals answer in turns and reports the medians.
func compete(b *testing.B, rivals []*rival, kind string) {
	clock, cpu, p99 := make([][]float64, len(rivals)), make([][]float64, len(rivals)), make([][]float64, len(rivals))
	for range b.N {
		for turn := range benchTurns + 1 {
			for i, r := range rivals {
				if kind == "304" { // the feed may have changed since
					r.prepare(b)
				}
				m := r.ask(b, kind, benchTurn)
				if turn > 0 { // the first warms up
					clock[i], cpu[i], p99[i] = append(clock[i], m.perSecond), append(cpu[i], m.cpu), append(p99[i], m.p99)
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op") // a turn has a fixed length
	for i, r := range rivals {
		b.ReportMetric(median(clock[i]), r.name+"-req/s")
		b.ReportMetric(median(cpu[i]), r.name+"-µs-cpu")
		b.ReportMetric(median(p99[i]), r.name+"-p99-µs")
	}
	for i, r := range rivals[1:3] {
		b.ReportMetric(median(divided(cpu[i+1], cpu[0])), "of-"+r.name+"-by-cpu")
		b.ReportMetric(median(divided(clock[0], clock[i+1])), "of-"+r.name+"-by-clock")
	}
}

// divided is x by y, turn by turn.
func divided(x, y []float64) []float64 {
	q := make([]float64, len(x))
	for i := range x {
		q[i] = x[i] / y[i]
	}
	return q
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// pin keeps a process to one core, all its threads; those it makes later follow.
func pin(b *testing.B, pid, core int) {
	if runtime.NumCPU() < 2 {
		b.Log("one core: whoever asks takes part of what the server could use")
		return
	}
	if out, err := exec.Command("taskset", "-a", "-c", "-p", strconv.Itoa(core), strconv.Itoa(pid)).CombinedOutput(); err != nil {
		b.Skipf("taskset: %v\n%s", err, out)
	}
}

// inflow stores invented news, as a visit would.
type inflow struct {
	db     *store.DB
	judge  *aggregator.Judge
	writer *outlettest.Writer
	random *rand.Rand
	n      int
}

func newInflow(b *testing.B, config, dsn string) *inflow {
	cfg, err := loadConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	// The program lets no second process write; here one must, so that storing
	// takes the other core. SQLite itself allows it.
	if err := os.Remove(strings.TrimPrefix(dsn, "sqlite:") + ".lock"); err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	w, err := outlettest.NewWriter(1)
	if err != nil {
		b.Fatal(err)
	}
	return &inflow{db: db, writer: w, random: rand.New(rand.NewPCG(1, 1)),
		judge: aggregator.NewJudge(aggregator.NewNames(cfg.aggregate.StoreOutlets()))}
}

// record stores n new items.
func (in *inflow) record(b *testing.B, n int) {
	now := time.Now()
	src, err := in.db.Source(context.Background(), "bao")
	if err != nil {
		b.Fatal(err)
	}
	var items []store.Item
	for range n {
		in.n++
		topics := in.writer.Topics()
		topic := topics[in.n%len(topics)]
		text, err := in.writer.Write(topic, now, "")
		if err != nil {
			b.Fatal(err)
		}
		link := fmt.Sprintf("https://bao.example/tin-tuc/bai-%d.html", in.n)
		it := store.Item{Title: text.Title, Link: link, Summary: text.Lead, Published: now.Add(-time.Minute), Lang: "vi",
			Topics:  []store.ItemTopic{{Topic: store.Topic(topic), Score: 1, Primary: true}},
			Aliases: []string{"link:" + link}, Fingerprint: in.random.Uint64()}
		for range 16 {
			it.Sketch = append(it.Sketch, in.random.Uint32())
		}
		items = append(items, it)
	}
	_, err = in.db.Record(context.Background(), store.Refresh{Source: src, At: now, Items: items,
		Settle: func(store.Changes) store.SourceState {
			return store.SourceState{Visited: true, NextAt: now.Add(24 * time.Hour)}
		}}, in.judge)
	if err != nil {
		b.Error(err)
	}
}

// run stores benchStored items a second, in tenths, until ctx ends.
func (in *inflow) run(ctx context.Context, b *testing.B) {
	tick := time.NewTicker(time.Second / 10)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			in.record(b, benchStored/10)
		case <-ctx.Done():
			return
		}
	}
}

// freshness measures how long after an item was stored its feed has other
// bytes, asked for every 5 ms.
func (in *inflow) freshness(b *testing.B, url string) {
	var ms []float64
	for range b.N {
		for range 20 {
			resp, _ := get(b, url)
			tag := resp.Header.Get("ETag")
			time.Sleep(time.Duration(in.random.IntN(1000)) * time.Millisecond) // at any moment of the feed's second
			in.record(b, 1)
			stored := time.Now()
			for resp.Header.Get("ETag") == tag {
				time.Sleep(5 * time.Millisecond)
				resp, _ = get(b, url, "If-None-Match: "+tag)
			}
			ms = append(ms, float64(time.Since(stored).Microseconds())/1000)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ms), "median-ms")
	b.ReportMetric(slices.Max(ms), "max-ms")
}

// saveAnswers writes the feed as it is and compressed into files for the other
// servers.
func saveAnswers(b *testing.B, url string) (dir string) {
	dir = b.TempDir()
	for name, encoding := range map[string]string{"feed.atom": "identity", "feed.atom.gz": "gzip"} {
		resp, body := get(b, url, "Accept-Encoding: "+encoding)
		if resp.StatusCode != http.StatusOK || strings.Count(body, "<entry>") != benchEntries && encoding == "identity" {
			b.Fatalf("%s: %s with %d entries", url, resp.Status, strings.Count(body, "<entry>"))
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			b.Fatal(err)
		}
		for _, own := range []string{"Date", "Etag", "Content-Length", "Content-Type", "Content-Encoding"} {
			resp.Header.Del(own)
		}
		text, err := json.Marshal(resp.Header)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "headers.json"), text, 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return dir
}
