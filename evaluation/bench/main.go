// Command bench runs the project's benchmarks and writes one table of what they
// found beside what is aimed at. It is no part of the service.
//
//	go run ./evaluation/bench [-quick] [-out docs/benchmarks.md] [-archive DIR]
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "in under two minutes: an archive of 20,000 items and fewer runs")
	out := flag.String("out", "", "`file` for the table of a whole run; a quick one writes none")
	archive := flag.String("archive", os.Getenv("DIEMTIN_BENCH_DIR"), "`folder` in which the archive of a million items is kept; empty = it is made anew, which takes half an hour")
	flag.Parse()
	if err := bench(context.Background(), *quick, *out, *archive); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const (
	fullItems  = 1_000_000
	quickItems = 20_000
)

// run is one call of go test.
type run struct {
	pkg, bench string
	times      string // -benchtime
	count      int    // runs, of which the medians count
	quickCount int
	slow       bool // left out of a quick run
}

// A benchmark whose name has parts is named by them: go test matches part by part.
var runs = []run{
	{"./aggregator", "^BenchmarkCost$", "300x", 3, 1, false},
	{"./aggregator", "^Benchmark(Classify|Merge)$", "20000x", 3, 1, false},
	{"./cmd/diemtin", "^BenchmarkMemory$", "1x", 1, 1, true},
	{"./cmd/diemtin", "^BenchmarkServing$/^(identity|gzip|304)$/^idle$", "1x", 1, 1, true},
	{"./cmd/diemtin", "^BenchmarkMillion$", "1x", 1, 1, false},
}

func bench(ctx context.Context, quick bool, out, archive string) error {
	if archive != "" {
		var err error
		if archive, err = filepath.Abs(archive); err != nil { // go test runs in the package's folder
			return err
		}
	}
	items := fullItems
	if quick {
		items = quickItems
	}
	env := append(os.Environ(), fmt.Sprintf("DIEMTIN_BENCH_ITEMS=%d", items), "DIEMTIN_BENCH_DIR="+archive)
	if quick {
		env = append(env, "DIEMTIN_BENCH_QUICK=1")
	}
	at, load, start := time.Now(), loadAverage(), time.Now()
	found := results{}
	for _, r := range runs {
		if quick && r.slow {
			continue
		}
		count := r.count
		if quick {
			count = r.quickCount
		}
		fmt.Fprintf(os.Stderr, "bench: %s %s\n", r.pkg, r.bench)
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", r.bench, "-benchtime", r.times, "-count", fmt.Sprint(count), "-timeout", "3h", r.pkg)
		var output bytes.Buffer
		cmd.Env, cmd.Stdout, cmd.Stderr = env, &output, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s of %s: %w\n%s", r.bench, r.pkg, err, output.Bytes())
		}
		found.read(output.String())
	}
	text := found.table(rows, heading{at: at, took: time.Since(start), load: load, quick: quick, machine: machine(), commit: commit(ctx)})
	fmt.Print(text)
	if out == "" || quick {
		return nil
	}
	return os.WriteFile(out, []byte(text), 0o644)
}

// heading says where, when and of what the figures are.
type heading struct {
	at              time.Time
	took            time.Duration
	load            string
	quick           bool
	machine, commit string
}

// machine names the processor, its cores and Go.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(info), "\n") {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s, %s/%s", model, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// commit is what is checked out; a + says that it was changed.
func commit(ctx context.Context) string {
	id, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(id))
	if changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changed) > 0 {
		name += "+"
	}
	return name
}

// loadAverage is how many programs wanted a core in the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return cmp.Or(strings.Join(strings.Fields(string(text))[:1], ""), "unknown")
}

// median is the middle of what was measured.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
