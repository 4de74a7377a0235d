package store_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// BenchmarkRetention measures how long a writer waits while retention works on
// an archive, most of which is old: a visit with one new item of 30, every few
// milliseconds, first alone and then beside it. The archive itself stays as it
// was; of SQLite a copy is worked on.
func BenchmarkRetention(b *testing.B) {
	benchmarkArchives(b, func(b *testing.B, get func(*testing.B) *archive) {
		b.Run("writers", func(b *testing.B) {
			a := get(b).copied(b)
			plain := a.plain(b)
			if _, err := plain.Exec(`DELETE FROM unsealed`); err != nil { // nobody has read it, so nothing was sealed
				b.Fatal(err)
			}
			d := a.fresh(benchDoc)
			a.record(b, d)
			visit := func() time.Duration {
				next := a.fresh(1)
				d.at, d.items = next.at, append(ownedBy(d.source, next.items), d.items[:benchDoc-1]...)
				start := time.Now()
				a.record(b, d)
				return time.Since(start)
			}
			b.ResetTimer()
			for b.Loop() {
				measureSteps(b, a)
				measureWaits(b, a, visit)
			}
		})
	})
}

const (
	// aloneVisits are measured before retention begins, and aloneSteps before
	// visits do.
	aloneVisits = 1000
	aloneSteps  = 200
)

// everythingOld is the rule of these benchmarks.
var everythingOld = store.Retention{RetentionRule: store.RetentionRule{Age: time.Hour}}

// measureSteps measures what a step costs of the processor: on a busy machine
// it says more than the clock, which stands beside it.
func measureSteps(b *testing.B, a *archive) {
	run, err := a.db.BeginRetention(b.Context(), everythingOld, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	var cpu, clock []time.Duration
	items, before := 0, a.used(b)
	for more := true; more && len(cpu) < aloneSteps; {
		used, start := cpuTime(), time.Now()
		var done store.Reduction
		if done, more, err = run.Step(b.Context(), time.Now()); err != nil {
			b.Fatal(err)
		}
		cpu, clock, items = append(cpu, cpuTime()-used), append(clock, time.Since(start)), items+done.Items
		if len(cpu)%8 == 0 {
			if err := a.db.WriteLogBack(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	report(b, "step-cpu", cpu)
	report(b, "step", clock)
	b.ReportMetric(float64(items)/float64(len(cpu)), "items/step")
	b.ReportMetric((before-a.used(b))/float64(max(items, 1)), "freed-B/item")
	if err := run.End(b.Context(), time.Now()); err != nil {
		b.Fatal(err)
	}
}

func measureWaits(b *testing.B, a *archive, visit func() time.Duration) {
	var alone, beside []time.Duration
	for range aloneVisits {
		alone = append(alone, visit())
		time.Sleep(2 * time.Millisecond) // as visits come, not as fast as they can
	}
	type outcome struct {
		store.RetentionReport
		err error
	}
	over := make(chan outcome)
	start := time.Now()
	go func() {
		r, _, err := a.db.Retain(context.Background(), everythingOld, nil)
		over <- outcome{r, err}
	}()
	for {
		beside = append(beside, visit())
		select {
		case o := <-over:
			if o.err != nil {
				b.Fatal(o.err)
			}
			report(b, "alone", alone)
			report(b, "beside", beside)
			b.ReportMetric(float64(o.Stories), "stories")
			b.ReportMetric(float64(o.Stories)/time.Since(start).Seconds(), "stories/s")
			b.ReportMetric(float64(o.Longest.Microseconds())/1000, "longest-step-ms")
			b.ReportMetric(float64(o.Returned)/(1<<20), "returned-MiB") // of what nobody sealed, too
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func report(b *testing.B, name string, waits []time.Duration) {
	slices.Sort(waits)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(waits[len(waits)/2]), name+"-p50-ms")
	b.ReportMetric(ms(waits[len(waits)*99/100]), name+"-p99-ms")
	b.ReportMetric(ms(waits[len(waits)-1]), name+"-max-ms")
}

// used is what an SQLite archive takes without what is free, in bytes; 0 for
// PostgreSQL, where what is free shows when it is vacuumed.
func (a *archive) used(b *testing.B) (bytes float64) {
	if !strings.HasPrefix(a.dsn, "sqlite:") {
		return 0
	}
	if err := a.plain(b).QueryRow(`SELECT page_size * (page_count - freelist_count) FROM pragma_page_size, pragma_page_count, pragma_freelist_count`).Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	return bytes
}

// copied is a copy of an SQLite archive, and a PostgreSQL one itself: that is
// of this benchmark alone.
func (a *archive) copied(b *testing.B) *archive {
	if !strings.HasPrefix(a.dsn, "sqlite:") {
		return a
	}
	path := filepath.Join(b.TempDir(), "copy.db")
	if _, err := store.Backup(b.Context(), a.dsn, path); err != nil {
		b.Fatal(err)
	}
	c := *a
	c.dsn = "sqlite:" + path
	var err error
	if c.db, err = store.Open(b.Context(), c.dsn); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.db.Close() })
	o, sources := outlets(benchOutlets)
	if err := c.db.Sync(b.Context(), o, sources); err != nil {
		b.Fatal(err)
	}
	return &c
}
