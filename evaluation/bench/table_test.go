package main

import (
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	r := results{}
	r.read("goos: linux\nBenchmarkCost/304-2 \t 300\t 326921 ns/op\t 0.2 median-cpu-ms\nBenchmarkCost/304-2 \t 300\t 1 ns/op\t 0.4 median-cpu-ms\n" +
		"BenchmarkCost/304-2 \t 300\t 1 ns/op\t 0.3 median-cpu-ms\nBenchmarkCost/304-new-tls \t 300\t 1 ns/op\t 1.5 median-cpu-ms\nBenchmarkClassify 1 59713 items/s/core\nPASS\n")
	text := r.table(rows, heading{at: time.Unix(0, 0), quick: true})
	for _, want := range []string{
		"| 304 on a kept connection, median | 0.3 ms | ≤ 0.25 ms | **missed**, 1.2 of it |\n",
		"| 304 over a new TLS connection, median | 1.5 ms | ≤ 1.6 ms | met, 0.938 of it |\n",
		"| items classified a second of processor, all shipped rules | 59,713 items | ≥ 20,000 items | met, 2.99 of it |\n",
		"**quick run",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Memory of") || strings.Contains(text, "NaN") {
		t.Errorf("shows what was not measured:\n%s", text)
	}
}
