//go:build unix

package main

import (
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"diemtin/store"
	"diemtin/syndicate"
)

const (
	// pageSamples is how many pages of a kind are made: of a hundred and fifty
	// the second slowest is the p99.
	pageSamples = 150
	// coldSamples is fewer, since the database is opened anew for each: the p99
	// is the slowest.
	coldSamples = 40
	startRuns   = 5
	// quickShare is the part of all these that a quick run takes.
	quickShare = 5
)

// runsOf is how many are measured, of so many in a whole run.
func runsOf(whole int) int {
	if os.Getenv("DIEMTIN_BENCH_QUICK") != "" {
		return whole / quickShare
	}
	return whole
}

// ownTime is the processor time of this process so far.
func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMillion measures an archive of as many items as DIEMTIN_BENCH_ITEMS
// says: what it takes on the disk, how soon the program answers on it, and its
// pages: from the cache, made anew with nothing in memory but what the system has
// of the file, and made by a process that has just opened a file of which the
// system has nothing. A page that is made anew is the first of a server.
func BenchmarkMillion(b *testing.B) {
	a := openArchive(b)
	b.Run("size", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(a.size), "items")
		b.ReportMetric(a.bytes(b)/float64(a.size), "B/item")
		if a.fillCPU > 0 {
			b.ReportMetric(a.fillCPU, "cpu-ms/stored")
		}
	})
	for _, cold := range []bool{false, true} {
		name := "start/warm"
		if cold {
			name = "start/cold"
		}
		b.Run(name, func(b *testing.B) { a.benchmarkStart(b, cold) })
	}
	for _, kind := range []string{"home", "topic", "day", "search", "feed"} {
		b.Run("cached/"+kind, func(b *testing.B) { a.benchmarkPages(b, kind, a.cached) })
		b.Run("warm/"+kind, func(b *testing.B) { a.benchmarkPages(b, kind, a.warm) })
		b.Run("cold/"+kind, func(b *testing.B) { a.benchmarkPages(b, kind, a.cold) })
	}
}

// bytes is what the database takes without the texts of pages, sealed archives
// and free pages.
func (a *archive) bytes(b *testing.B) (bytes float64) {
	db, err := sql.Open("sqlite", "file:"+a.path()+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(b.Context(), `SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name NOT LIKE '%archives%' AND name NOT LIKE 'article_texts%'`).Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	return bytes
}

// forget has the system forget what it has of the file: the next to read it
// waits for the disk.
func (a *archive) forget(b *testing.B) {
	for _, path := range []string{a.path(), a.path() + "-wal"} {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = f.Sync() // what is not on the disk yet cannot be forgotten
		}
		if err == nil {
			err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		}
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// benchmarkStart measures from the start of the program, with all its roles,
// until it is ready, and until it has given out its first front page.
func (a *archive) benchmarkStart(b *testing.B, cold bool) {
	var ready, page []float64
	for range b.N {
		for range runsOf(startRuns) {
			if cold {
				a.forget(b)
			}
			start := time.Now()
			p := serve(b, a.config, a.dsn)
			for {
				if resp, _ := get(b, p.admin+"/readyz"); resp.StatusCode == http.StatusOK {
					break
				}
				time.Sleep(time.Millisecond)
			}
			ready = append(ready, milliseconds(time.Since(start)))
			if resp, body := get(b, p.public+"/"); resp.StatusCode != http.StatusOK || !strings.Contains(body, "/stories/") {
				b.Fatalf("front page: %s", resp.Status)
			}
			page = append(page, milliseconds(time.Since(start)))
			p.cmd.Process.Signal(syscall.SIGTERM)
			<-p.ended
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ready), "ready-ms")
	b.ReportMetric(median(page), "page-ms")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// pageSource answers requests one after another, each as the state of its
// caches has it.
type pageSource func(b *testing.B, cfg *config, ask func(http.Handler) time.Duration) []time.Duration

func (a *archive) benchmarkPages(b *testing.B, kind string, from pageSource) {
	cfg, err := loadConfig(a.config)
	if err != nil {
		b.Fatal(err)
	}
	r, w := rand.New(rand.NewPCG(3, 4)), newArchiveWriter(cfg)
	var took []time.Duration
	for range b.N {
		took = append(took, from(b, cfg, func(h http.Handler) time.Duration {
			path := w.address(r, kind, a.size)
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.Header.Set("Accept-Encoding", "gzip")
			req.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", r.IntN(256), r.IntN(256), r.IntN(256)) // each reader may search a few times
			answer := httptest.NewRecorder()
			start := time.Now()
			h.ServeHTTP(answer, req)
			d := time.Since(start)
			if answer.Code != http.StatusOK || answer.Body.Len() < 1000 {
				b.Fatalf("%s: status %d, %d bytes", path, answer.Code, answer.Body.Len())
			}
			return d
		})...)
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(milliseconds(took[len(took)-1]), "max-ms")
}

// address is a page of a kind from anywhere in an archive of n items.
func (w *archiveWriter) address(r *rand.Rand, kind string, n int) string {
	topic := w.topics[r.IntN(len(w.topics))]
	day := store.DayOf(archiveTime(r.IntN(n)))
	switch kind {
	case "home":
		return "/"
	case "topic":
		return fmt.Sprintf("/topics/%s/", topic)
	case "day":
		return []string{fmt.Sprintf("/days/%s/", day), fmt.Sprintf("/topics/%s/days/%s/", topic, day)}[r.IntN(2)]
	case "search":
		return "/search?q=" + url.QueryEscape(w.text(r, 1+r.IntN(3)))
	default:
		return []string{"/feed.atom", fmt.Sprintf("/topics/%s/feed.rss", topic), fmt.Sprintf("/topics/%s/feed.atom", topic), fmt.Sprintf("/topics/%s/feed.json", topic)}[r.IntN(4)]
	}
}

// site opens the archive for reading and gives its pages.
func (a *archive) site(b *testing.B, cfg *config) (*syndicate.Server, *store.DB) {
	db, err := store.OpenReadOnly(b.Context(), a.dsn)
	if err != nil {
		b.Fatal(err)
	}
	public := cfg.syndicate
	public.Archive = db
	s, err := syndicate.New(public, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	return s, db
}

// cached asks for each page a moment after it was made.
func (a *archive) cached(b *testing.B, cfg *config, ask func(http.Handler) time.Duration) (took []time.Duration) {
	s, db := a.site(b, cfg)
	defer db.Close()
	twice := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(httptest.NewRecorder(), r)
		start := time.Now()
		s.ServeHTTP(w, r)
		took = append(took, time.Since(start))
	})
	for range runsOf(pageSamples) {
		ask(twice)
	}
	return took
}

// warm asks for each page of a server that has not made any; days that the first
// round has counted are counted, as they are in a service that runs.
func (a *archive) warm(b *testing.B, cfg *config, ask func(http.Handler) time.Duration) (took []time.Duration) {
	s, db := a.site(b, cfg)
	defer db.Close()
	for range 2 { // the first round reads the file
		took = took[:0]
		for range runsOf(pageSamples) {
			fresh, err := s.With(cfg.syndicate)
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, ask(fresh))
		}
	}
	return took
}

// cold asks for each page right after the file was opened, and forgotten before.
func (a *archive) cold(b *testing.B, cfg *config, ask func(http.Handler) time.Duration) (took []time.Duration) {
	for range runsOf(coldSamples) {
		a.forget(b)
		s, db := a.site(b, cfg)
		took = append(took, ask(s))
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return took
}
