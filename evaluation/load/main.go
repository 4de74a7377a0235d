// Command load measures what it costs to find an item's story and to store it,
// in an archive of a given size. It is no part of the service.
//
//	go run ./evaluation/load -data DIR -items 100000 [-db FILE]   # DIR holds articles.jsonl.gz
//
// Its items are real articles with every few syllables exchanged, so that their
// lengths and words are those of news, but no two are the same text; every fifth
// is a copy of an earlier one. They go through the real judge and the real store.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

func main() {
	data := flag.String("data", "", "`folder` with articles.jsonl.gz")
	profile := flag.String("cpuprofile", "", "`file` for a processor profile")
	items := flag.Int("items", 100_000, "how `many` items to store")
	path := flag.String("db", "", "SQLite `file` to go on with; empty = a new one that is removed")
	from := flag.Int("from", 0, "the `number` of the first item: how many the file holds already")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "load:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if err := run(context.Background(), *data, *from, *items, *path); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, data string, from, items int, path string) error {
	if data == "" {
		return errors.New("want -data FOLDER, with articles.jsonl.gz")
	}
	w, err := newWriter(data)
	if err != nil {
		return err
	}
	w.n = from
	if path == "" {
		dir, err := os.MkdirTemp("", "eval-load-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "load.db")
	}
	db, err := store.Open(ctx, "sqlite:"+path)
	if err != nil {
		return err
	}
	defer db.Close()
	outlets, sources := w.outlets()
	if err := db.Sync(ctx, outlets, sources); err != nil {
		return err
	}
	judge := &clock{Judge: aggregator.NewJudge(aggregator.NewNames(outlets))}
	fmt.Println("items    stored/s  cpu-ms/item  decision-cpu-µs  p99-µs  of it verdict-µs  candidates  merged  disk-MB")
	merged, step, begun, cpu := 0, 0, time.Now(), cpuTime()
	var prepared, preparing time.Duration
	for n := w.n; n < items; n = w.n {
		start, busy := time.Now(), cpuTime()
		visit := w.visit(judge)
		prepared, preparing = prepared+time.Since(start), preparing+cpuTime()-busy
		c, err := db.Record(ctx, visit, judge)
		if err != nil {
			return err
		}
		for _, n := range c.Merged {
			merged += n
		}
		if step += len(visit.Items); step >= report(w.n) || w.n >= items {
			spent := time.Since(begun) - prepared
			slices.Sort(judge.decisions)
			mean, p99 := average(judge.decisions), judge.decisions[len(judge.decisions)*99/100]
			fmt.Printf("%-8d %8.0f %12.2f %16.0f %7.0f %17.0f %11.1f %7d %8.0f\n", w.n, float64(step)/spent.Seconds(),
				float64((cpuTime()-cpu-preparing).Microseconds())/1000/float64(step), micro(mean), micro(p99),
				micro(average(judge.verdicts)), float64(judge.near)/float64(max(len(judge.verdicts), 1)), merged, size(path))
			*judge = clock{Judge: judge.Judge}
			merged, step, begun, cpu, prepared, preparing = 0, 0, time.Now(), cpuTime(), 0, 0
		}
	}
	return nil
}

// report is how many items lie between two lines of output.
func report(n int) int {
	for _, step := range []int{100_000, 10_000, 1000} {
		if n >= 10*step {
			return step
		}
	}
	return 1000
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func average(all []time.Duration) (mean time.Duration) {
	for _, d := range all {
		mean += d
	}
	return mean / time.Duration(max(len(all), 1))
}

func size(path string) float64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(st.Size()) / 1e6
}

// cpuTime is the processor time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// clock is a judge that measures what leads to its answers, in processor time
// of the process. A decision lasts from the corpus' answer to the judge's last:
// the candidates, their forms, the verdict, a look at the story it names, and
// what is related; the writing between the last two is left out.
type clock struct {
	store.Judge
	began, matched      time.Duration
	open                bool // the item is not decided on yet
	decisions, verdicts []time.Duration
	near                int
}

func (c *clock) Adapt(it *store.Item, known store.Corpus) {
	c.began, c.open = cpuTime(), true
	c.Judge.Adapt(it, known)
}

func (c *clock) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	start := cpuTime()
	i, m := c.Judge.Match(it, near)
	took := cpuTime() - start
	if !c.open { // once more, for the other stories that it is the text of
		c.decisions[len(c.decisions)-1] += took
		return i, m
	}
	c.matched = start + took
	c.verdicts = append(c.verdicts, took)
	c.near += len(near)
	return i, m
}

func (c *clock) Related(it *store.Item, near []*store.Item, known store.Corpus) []store.Relation {
	start := cpuTime()
	all := c.Judge.Related(it, near, known)
	c.decisions = append(c.decisions, c.matched-c.began+cpuTime()-start)
	c.open = false
	return all
}
