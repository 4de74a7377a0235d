package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// described collects what is registered, whether or not it has values yet.
type described struct {
	*prometheus.Registry
	rows []string
}

func (d *described) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := d.Register(c); err != nil {
			panic(err)
		}
	}
}

var descForm = regexp.MustCompile(`fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)".*variableLabels: \{([^}]*)\}`)

func (d *described) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 100)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		m := descForm.FindStringSubmatch(desc.String())
		if m == nil {
			return fmt.Errorf("cannot read %s", desc)
		}
		labels := "–"
		if m[3] != "" {
			labels = "`" + strings.ReplaceAll(m[3], ",", "`, `") + "`"
		}
		d.rows = append(d.rows, fmt.Sprintf("| `%s` | %s | %s | %s |", m[1], typeOf(c), labels, strings.ReplaceAll(m[2], `\"`, `"`)))
	}
	return d.Registry.Register(c)
}

func typeOf(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec, prometheus.Gauge:
		return "gauge"
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	case prometheus.Counter:
		return "counter"
	}
	return fmt.Sprintf("%T", c)
}

// docs/metrics.md is the golden list of metrics: this test writes its table
// with -update, and fails when a metric came, went or changed.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	cfg, err := parseConfig("feeds.yaml", shippedText(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/m.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d := &described{Registry: prometheus.NewRegistry()}
	log := newLogger(stdio{os.Stdout, os.Stderr}, false)
	if _, err := aggregator.New(cfg.aggregate, db, log, d); err != nil {
		t.Fatal(err)
	}
	pages, err := syndicate.New(cfg.syndicate, db, log, d)
	if err != nil {
		t.Fatal(err)
	}
	cfg.syndicate.Site.BaseURL, cfg.aggregate.BaseURL = "https://tin.example.vn", "https://tin.example.vn"
	if h, err := newHub(cfg, db, newSite(pages), log, d, nil); err != nil || h == nil {
		t.Fatalf("hub %v, %v", h, err)
	}
	d.MustRegister(buildInfo())
	newReloads(cfg, d)
	newDatabaseMetrics(d)
	newRulingMetrics(d)
	newRetentionMetrics(d)
	if _, err := newBackups(cfg.backup, "sqlite:m.db", log, d); err != nil {
		t.Fatal(err)
	}
	slices.Sort(d.rows)
	table := "| metric | type | labels | what it says, and what to do |\n|---|---|---|---|\n" + strings.Join(d.rows, "\n") + "\n"

	const file, begin, end = "../../docs/metrics.md", "<!-- begin: written by go test ./cmd/diemtin -run Metrics -update -->\n", "<!-- end -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has lost its marks %q and %q", file, begin, end)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != table {
		t.Errorf("%s is out of date; run go test ./cmd/diemtin -run Metrics -update and look at the difference. Want:\n%s", file, table)
	}
}
