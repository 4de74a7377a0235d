package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// results are the values that benchmarks reported, by name and metric.
type results map[string][]float64

// read takes in the output of go test -bench: lines of a name, a number of runs,
// and pairs of a value and its unit.
func (r results) read(output string) {
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if head, cores, ok := cutLast(name, "-"); ok && allDigits(cores) { // GOMAXPROCS, where it is not 1
			name = head
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				key := name + " " + fields[i+1]
				r[key] = append(r[key], v)
			}
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// row is one line of the table.
type row struct {
	what  string
	of    string  // benchmark and metric
	unit  string  // as shown
	most  float64 // target: at most so much; 0 = none
	least float64 // or at least
	wide  bool    // the target is for a million items
}

// rows is the table. A row without a benchmark is a heading.
var rows = append([]row{
	{what: "Polls: processor time of one, store included, the origin's share apart"},
	{what: "304 on a kept connection, median", of: "Cost/304 median-cpu-ms", unit: "ms", most: 0.25},
	{what: "– mean", of: "Cost/304 mean-cpu-ms", unit: "ms"},
	{what: "– polls a second of processor", of: "Cost/304 polls/cpu-s", unit: "polls"},
	{what: "– the origin's share, apart", of: "Cost/304 origin-cpu-ms", unit: "ms"},
	{what: "304 over a new TLS connection, median", of: "Cost/304-new-tls median-cpu-ms", unit: "ms", most: 1.6},
	{what: "– polls a second of processor", of: "Cost/304-new-tls polls/cpu-s", unit: "polls"},
	{what: "304 over a new TLS connection that resumes a session, median", of: "Cost/304-resumed-tls median-cpu-ms", unit: "ms", most: 1.6},
	{what: "same body (51 KB, 30 items), median", of: "Cost/same-body median-cpu-ms", unit: "ms"},
	{what: "– polls a second of processor", of: "Cost/same-body polls/cpu-s", unit: "polls"},
	{what: "one new of 30 (51 KB), median", of: "Cost/1-new-of-30 median-cpu-ms", unit: "ms", most: 2},
	{what: "– mean", of: "Cost/1-new-of-30 mean-cpu-ms", unit: "ms", most: 4},
	{what: "– polls a second of processor", of: "Cost/1-new-of-30 polls/cpu-s", unit: "polls"},
	{what: "– the origin's share, apart", of: "Cost/1-new-of-30 origin-cpu-ms", unit: "ms"},
	{what: "30 new of 30 at a known source, median", of: "Cost/30-new-of-30 median-cpu-ms", unit: "ms"},
	{what: "first fetch of 30 items, median", of: "Cost/first-30 median-cpu-ms", unit: "ms", most: 18},
	{what: "– polls a second of processor", of: "Cost/first-30 polls/cpu-s", unit: "polls"},
	{what: "Judging"},
	{what: "items classified a second of processor, all shipped rules", of: "Classify items/s/core", unit: "items", least: 20000},
	{what: "items compared with 12 candidates a second of processor", of: "Merge items/s/core", unit: "items"},
	{what: "Memory of `serve`: 1,000 sources of 30 items, each at a host of its own"},
	{what: "resident, median while it polls", of: "Memory rss-MB", unit: "MB", most: 150},
	{what: "resident, at most (the first fetch of all included)", of: "Memory peak-MB", unit: "MB"},
	{what: "Giving out a feed of 50 entries, on one core, 16 connections"},
	{what: "200, identity", of: "Serving/identity/idle diemtin-µs-cpu", unit: "µs"},
	{what: "200, gzip", of: "Serving/gzip/idle diemtin-µs-cpu", unit: "µs"},
	{what: "304", of: "Serving/304/idle diemtin-µs-cpu", unit: "µs"},
	{what: "304, requests a second by the clock", of: "Serving/304/idle diemtin-req/s", unit: "requests"},
	{what: "304, share of a bare handler that sends the same headers", of: "Serving/304/idle of-bare-same-headers-by-cpu", unit: "", least: 0.9},
	{what: "Archive, SQLite"},
	{what: "items", of: "Million/size items", unit: ""},
	{what: "database, an item (texts of pages and sealed archives apart)", of: "Million/size B/item", unit: "bytes", most: 1600, wide: true},
	{what: "storing one item, if any was stored", of: "Million/size cpu-ms/stored", unit: "ms"},
	{what: "start until ready, file in the system's memory", of: "Million/start/warm ready-ms", unit: "ms", most: 1000, wide: true},
	{what: "– until the first front page is given out", of: "Million/start/warm page-ms", unit: "ms", most: 1000, wide: true},
	{what: "start until ready, cold file", of: "Million/start/cold ready-ms", unit: "ms", most: 1000, wide: true},
	{what: "– until the first front page is given out", of: "Million/start/cold page-ms", unit: "ms"},
}, pageRows()...)

// pageRows are the pages of the archive, by how much of them is at hand.
func pageRows() (all []row) {
	for _, state := range []struct {
		id, name string
		most     float64
	}{{"cached", "from the cache", 2}, {"warm", "made anew, warm", 15}, {"cold", "made anew, cold file", 100}} {
		all = append(all, row{what: "Pages " + state.name})
		for _, kind := range []string{"home", "topic", "day", "search", "feed"} {
			of := "Million/" + state.id + "/" + kind
			all = append(all, row{what: kind + ", p50", of: of + " p50-ms", unit: "ms"},
				row{what: kind + ", p99", of: of + " p99-ms", unit: "ms", most: state.most, wide: true})
		}
	}
	return all
}

// verdict is how a value stands to its target, and by what factor.
func (r row) verdict(v float64, quick bool) (target, verdict string) {
	bound, met, ratio := r.most, v <= r.most, v/r.most
	sign := "≤ "
	if r.least > 0 {
		bound, met, ratio, sign = r.least, v >= r.least, v/r.least, "≥ "
	}
	if bound == 0 {
		return "", ""
	}
	target = strings.TrimSpace(sign + shown(bound) + " " + r.unit)
	verdict = "**missed**"
	if met {
		verdict = "met"
	}
	if r.wide && quick {
		verdict += ", at fewer items"
	}
	return target, fmt.Sprintf("%s, %s of it", verdict, shown(ratio))
}

// shown writes a value with three digits that count.
func shown(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 100:
		return thousands(fmt.Sprintf("%.0f", v))
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func thousands(digits string) string {
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// table writes the page with all rows that were measured.
func (r results) table(rows []row, h heading) string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\nWritten by `make bench`; not by hand. What the figures mean for planning: [capacity.md](capacity.md); what is behind them: [performance.md](performance.md).\n\n")
	kind := "whole run"
	if h.quick {
		kind = "**quick run: fewer runs and a small archive, no figure to quote**"
	}
	fmt.Fprintf(&b, "- %s, %s, commit %s, %s\n- %s; load average at the start %s\n\n", h.at.Format("2006-01-02 15:04 -07:00"), kind, h.commit, h.took.Round(time.Second), h.machine, h.load)
	b.WriteString("| what | measured | target | |\n|---|---|---|---|\n")
	heading := ""
	for _, one := range rows {
		if one.of == "" {
			heading = fmt.Sprintf("| **%s** | | | |\n", one.what)
			continue
		}
		values := r[one.of]
		if len(values) == 0 {
			continue
		}
		b.WriteString(heading)
		heading = ""
		v := median(values)
		target, verdict := one.verdict(v, h.quick)
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", one.what, strings.TrimSpace(shown(v)+" "+one.unit), target, verdict)
	}
	b.WriteString(notes)
	return b.String()
}

// notes say how the figures came about.
const notes = `
How it is measured:

- **Processor time** is that of the whole process by getrusage, all threads, collector included; what takes part of the clock only (the disk, other programs) is not in it. Medians of 300 polls, the median of three runs.
- **Polls** go through the loop's own visit: request, reading, cleaning, topics, sameness, one transaction in SQLite. The origin is the project's simulated one, a process of its own, whose time by getrusage stands apart. A new TLS connection verifies a certificate of RSA 2048; the kept one is plain HTTP.
- **Memory** is VmRSS of the program as users run it, read from /proc twice a second; the peak is VmHWM.
- **The archive** is filled through Record: 10,000 items a day from 40 outlets, headline and lead as long as those of 8,000 real articles (13 and 37 syllables, words by Zipf's law), two topics, two in five with a province, every fifth item a copy. Pages are not read. After each day what waits for the sealing of archives is deleted, as if sealed: making a million stories' documents would take longer than the rest.
- **Pages** are measured by the clock, in the process, from the request to the last byte, gzip included; the network is not in it. *From the cache*: asked for twice. *Made anew, warm*: by a server that has made nothing yet, from a file that the system has in memory; most of the past days in calendars were counted in a first round that is not measured, as in a service that runs (a month that nobody has asked for takes 14 ms more for 250,000 stories). *Cold*: the program opens the file after the system was told to forget it (fsync, then POSIX_FADV_DONTNEED); of 40 pages the p99 is the slowest.
- **Start** is from the start of the process to the first 200 of /readyz, and of the front page.

Beside Miniflux: the project's aim quotes, measured elsewhere on the same kind of machine for 1,000 feeds of 30 items, 20 ms of processor for a 304, 250 ms for one new item of 30, 200 ms for a first fetch, and 112 MB of database for 30,000 entries (3,733 bytes each). It was not run here; docs/capacity.md has the ratios.
`
