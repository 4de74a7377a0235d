//go:build unix

package aggregator

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"diemtin/store"
)

// originKind names the environment variable that makes this test's program the
// simulated origin of BenchmarkCost: a process of its own, so that what it costs
// is not ours.
const originKind = "DIEMTIN_BENCH_ORIGIN"

func TestMain(m *testing.M) {
	if kind := os.Getenv(originKind); kind != "" {
		serveOrigin(kind)
	}
	os.Exit(m.Run())
}

const (
	costItems = 30
	costWords = 160 // of a summary: the feed has 51 KB then
)

// serveOrigin answers until its input ends. /step?n=N has each further answer
// bring N new items, 304 for none; /cpu is the processor time so far, in ns.
func serveOrigin(kind string) {
	p := &press{items: costItems, words: costWords}
	p.newest.Store(costItems)
	step := int64(0)
	mux := http.NewServeMux()
	mux.HandleFunc("/rss", func(w http.ResponseWriter, r *http.Request) {
		p.newest.Add(step)
		p.ServeHTTP(w, r)
	})
	mux.HandleFunc("/step", func(_ http.ResponseWriter, r *http.Request) {
		step, _ = strconv.ParseInt(r.FormValue("n"), 10, 64)
		p.etag.Store(r.FormValue("etag") != "")
	})
	mux.HandleFunc("/cpu", func(w http.ResponseWriter, _ *http.Request) {
		var u syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
		fmt.Fprint(w, u.Utime.Nano()+u.Stime.Nano())
	})
	s := httptest.NewUnstartedServer(mux)
	s.EnableHTTP2 = true
	if kind == "https" {
		s.StartTLS()
	} else {
		s.Start()
	}
	fmt.Println(s.URL)
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// origin is the process that is visited.
type origin struct {
	url    string
	client *http.Client
}

func startOrigin(b *testing.B, kind string) *origin {
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), originKind+"="+kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return &origin{strings.TrimSpace(line), &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
}

func (o *origin) ask(b *testing.B, path string) string {
	resp, err := o.client.Get(o.url + path)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	return string(body)
}

func (o *origin) cpu(b *testing.B) int64 {
	n, err := strconv.ParseInt(o.ask(b, "/cpu"), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkCost measures polls by processor time, from the request to the
// committed transaction in SQLite, with sameness and the shipped topics: of each
// the median and the mean, and apart what the origin took.
func BenchmarkCost(b *testing.B) {
	for _, c := range []struct {
		name, kind, step string
		want             store.Outcome
		fresh            int
		first            bool // by a source that was never visited
		connect          bool // by a connection of its own
		strange          bool // to a host that knows no session of ours
	}{
		{name: "304", step: "n=0&etag=1", want: store.NotModified},
		{name: "304-new-tls", kind: "https", step: "n=0&etag=1", want: store.NotModified, connect: true, strange: true},
		{name: "304-resumed-tls", kind: "https", step: "n=0&etag=1", want: store.NotModified, connect: true},
		{name: "same-body", step: "n=0", want: store.Unchanged},
		{name: "1-new-of-30", step: "n=1", want: store.New, fresh: 1},
		{name: "30-new-of-30", step: "n=30", want: store.New, fresh: costItems},
		{name: "first-30", step: "n=30", want: store.New, fresh: costItems, first: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			o := startOrigin(b, cmp.Or(c.kind, "http"))
			v := visitorOf(b, o.url)
			trust(v.a.fetch)
			o.ask(b, "/step?n=0&etag=1")
			v.visit(b, store.New, costItems)
			o.ask(b, "/step?"+c.step)
			if c.want != store.NotModified && c.fresh == 0 { // its tag is given up
				v.visit(b, store.Unchanged, 0)
			}
			var took []float64
			theirs, ours := o.cpu(b), int64(0)
			for b.Loop() {
				if c.strange {
					forgetSessions(v.a.fetch)
				}
				if c.connect {
					v.a.fetch.close()
				}
				if c.first {
					v.src.State = store.SourceState{}
				}
				before := cpuUsed(b)
				v.visit(b, c.want, c.fresh)
				spent := cpuUsed(b) - before
				ours += spent
				took = append(took, float64(spent)/1e6)
			}
			theirs = o.cpu(b) - theirs
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "median-cpu-ms")
			b.ReportMetric(float64(ours)/1e6/float64(len(took)), "mean-cpu-ms")
			b.ReportMetric(float64(theirs)/1e6/float64(len(took)), "origin-cpu-ms")
			b.ReportMetric(1e9*float64(len(took))/float64(ours), "polls/cpu-s")
		})
	}
}

// trust has a fetcher take the certificate of a simulated origin for a good one.
func trust(f *fetcher) {
	pool := httptest.NewTLSServer(nil)
	defer pool.Close()
	roots := pool.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for _, t := range f.transports {
		if t.TLSClientConfig == nil {
			t.TLSClientConfig = &tls.Config{}
		}
		t.TLSClientConfig.RootCAs = roots
	}
}

// forgetSessions makes every host a stranger.
func forgetSessions(f *fetcher) {
	for _, t := range f.transports {
		if t.TLSClientConfig.ClientSessionCache != nil {
			t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		}
	}
}

// BenchmarkMerge decides what one item is to twelve others that share words
// with it, as many as the store brings at most: of these one is a copy.
func BenchmarkMerge(b *testing.B) {
	judge := NewJudge(NewNames(nil))
	item := func(n int) store.Item {
		r := rand.New(rand.NewPCG(uint64(n), 9))
		it := store.Item{Outlet: fmt.Sprint("o", n), Title: benchText(r, 13), Summary: benchText(r, 60), Published: benchStart.Add(time.Duration(n) * time.Minute)}
		return it
	}
	var near []*store.Item
	for n := range 12 {
		it := item(n)
		judge.Prepare(&it)
		near = append(near, &it)
	}
	cpuMeasured(b, 1, func() {
		it := item(7)
		it.Outlet = "another"
		judge.Prepare(&it)
		if i, _ := judge.Match(&it, near); i != 7 {
			b.Fatalf("matches %d, want 7", i)
		}
	})
}
