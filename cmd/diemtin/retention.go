package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
)

// How often old stories are looked for if nothing is said, and how often they
// may be.
const (
	defaultRetentionEvery = 10 * time.Minute
	leastRetentionEvery   = time.Minute
	mostRetentionEvery    = 7 * 24 * time.Hour
)

// retentionConfig is the section retention of feeds.yaml: from when on stories
// are reduced to what names their original. Outlets may have rules of their own.
type retentionConfig struct {
	Age   aggregator.Duration `yaml:"age"`   // 0 = no bound
	Items int                 `yaml:"items"` // 0 = no bound
	Every aggregator.Duration `yaml:"every"` // 0 = defaultRetentionEvery
}

func (c retentionConfig) check(report func(path, problem string)) {
	at := func(path, problem string) { report("retention."+path, problem) }
	aggregator.RetentionConfig{Age: c.Age, Items: c.Items}.Check(at)
	if every := time.Duration(c.Every); every != 0 && (every < leastRetentionEvery || every > mostRetentionEvery) {
		at("every", fmt.Sprintf("every %s: want %s to %s", c.Every, aggregator.Duration(leastRetentionEvery), aggregator.Duration(mostRetentionEvery)))
	}
}

// retention is what a configuration reduces, and how often that is looked for.
func (c *config) retention() (store.Retention, time.Duration) {
	own := c.file.Keeping
	return c.aggregate.Retention(aggregator.RetentionConfig{Age: own.Age, Items: own.Items}),
		cmp.Or(time.Duration(own.Every), defaultRetentionEvery)
}

// retentionMetrics is what operators see of it.
type retentionMetrics struct {
	deleted  *prometheus.CounterVec // what
	returned prometheus.Counter
	last     prometheus.Gauge
	steps    prometheus.Histogram
}

func newRetentionMetrics(reg prometheus.Registerer) *retentionMetrics {
	m := &retentionMetrics{
		deleted: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diemtin", Name: "retention_deleted_total",
			Help: "What retention has deleted of old stories, by what: items are those that have only their headline, authors, link and times left. Nothing grows unless the section retention of feeds.yaml or of an outlet asks for it."}, []string{"what"}),
		returned: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "retention_returned_bytes_total",
			Help: "Bytes that an SQLite file gave back to the disk. A twentieth of the file stays free for what comes next."}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "retention_last_run_timestamp_seconds",
			Help: "When this process last ended a run of retention; 0 if it is off or another process does it. If it falls behind on all, the log says why."}),
		steps: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "diemtin", Name: "retention_step_seconds",
			Help:    "How long one step of retention took, waiting for other writers included: no other writer waits longer for it. Above 0.05 the disk is too slow.",
			Buckets: []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}}),
	}
	reg.MustRegister(m.deleted, m.returned, m.last, m.steps)
	return m
}

func (m *retentionMetrics) note(r store.RetentionReport) {
	for what, n := range map[string]int{"stories": r.Stories, "items": r.Items, "pages": r.Pages, "texts": r.Texts, "headlines": r.Titles, "relations": r.Relations} {
		m.deleted.WithLabelValues(what).Add(float64(n))
	}
	m.returned.Add(float64(r.Returned))
}

// keepRetention runs retention until ctx ends, as the configuration in force
// says, and at once when that has changed.
func (s *service) keepRetention(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.retune:
		case <-ctx.Done():
			return
		}
		rule, every := s.reloads.inForce().retention()
		if rule.Any() {
			s.runRetention(ctx, rule)
		}
		timer.Reset(every)
	}
}

func (s *service) runRetention(ctx context.Context, rule store.Retention) {
	start := time.Now()
	r, ran, err := s.db.Retain(ctx, rule, func(took time.Duration) { s.reduced.steps.Observe(took.Seconds()) })
	s.reduced.note(r)
	switch {
	case err != nil && ctx.Err() == nil:
		s.log.ErrorContext(ctx, "retention stopped; the next run goes on", "error", err)
		return
	case err != nil || !ran:
		return
	}
	s.reduced.last.Set(float64(time.Now().UnixMilli()) / 1000)
	log := s.log.DebugContext
	if r.Stories > 0 || r.Returned > 0 {
		log = s.log.InfoContext
	}
	log(ctx, "retention", "stories", r.Stories, "items", r.Items, "returned_bytes", r.Returned, "steps", r.Steps,
		"longest_step_ms", r.Longest.Milliseconds(), "took_ms", time.Since(start).Milliseconds())
}

// keptStatus is what retention has done to a database.
type keptStatus struct {
	Reduced int64      `json:"reduced_stories"`
	Last    *time.Time `json:"last_run"` // null = never
}

func keptOf(ctx context.Context, db *store.DB) (keptStatus, error) {
	st, err := db.Retained(ctx)
	k := keptStatus{Reduced: st.Reduced}
	if !st.Last.IsZero() {
		k.Last = &st.Last
	}
	return k, err
}

// String is the state for a person; empty if there was never any retention.
func (k keptStatus) String() string {
	if k.Last == nil {
		return ""
	}
	return fmt.Sprintf("%d stories reduced since the beginning, last run %s", k.Reduced, clock(*k.Last))
}

var retentionVerb = verb{name: "retention", short: "Show what retention would reduce now, by outlet; it changes nothing.",
	example: "diemtin retention --config feeds.yaml --db sqlite:diemtin.db --age 730d",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		var age aggregator.Duration
		fs.Func("age", "`duration` such as 730d in place of retention.age, to try it", func(s string) error { return age.UnmarshalText([]byte(s)) })
		items := fs.Int("items", 0, "`number` in place of retention.items, to try it")
		asJSON := fs.Bool("json", false, "print one JSON object for each outlet")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			rule := &cfg.file.Keeping
			rule.Age, rule.Items = cmp.Or(age, rule.Age), cmp.Or(*items, rule.Items)
			found := &faults{file: "retention", at: map[string]place{}}
			if rule.check(found.report); found.err() != nil {
				return found.err()
			}
			return planRetention(ctx, std, cfg, *dsn, *asJSON)
		}
	}}

func planRetention(ctx context.Context, std stdio, cfg *config, dsn string, asJSON bool) error {
	rule, _ := cfg.retention()
	if !rule.Any() {
		return errUsage{fmt.Errorf("%s has no retention, for all or for an outlet; try --age or --items", cfg.name)}
	}
	db, err := store.OpenReadOnly(ctx, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	if have, err := db.Schema(ctx); err != nil || have != store.KnownSchema() {
		return cmp.Or(err, fmt.Errorf("the database has schema %d, this program %d; start this program once on it", have, store.KnownSchema()))
	}
	plan, err := db.PlanRetention(ctx, rule, time.Now())
	if err != nil {
		return err
	}
	if asJSON {
		for _, p := range plan {
			if err := writeJSON(std.out, p); err != nil {
				return err
			}
		}
		return nil
	}
	return writePlan(std.out, plan)
}

// writePlan is the plan for a person.
func writePlan(w io.Writer, plan []store.OutletReduction) error {
	var stories, items, kept int
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "outlet\tstories\titems\tstay\tlisted from\tto")
	day := func(at time.Time) string {
		if at.IsZero() {
			return "–"
		}
		return string(store.DayOf(at))
	}
	for _, p := range plan {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\n", p.Outlet, p.Stories, p.Items, p.Kept, day(p.Oldest), day(p.Newest))
		stories, items, kept = stories+p.Stories, items+p.Items, kept+p.Kept
	}
	fmt.Fprintf(t, "all\t%d\t%d\t%d\n", stories, items, kept)
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nReduced stories keep their headline, authors, link, times, places and ids. What stays is old enough too,\nbut stands in a feed, is not sealed yet, or changed within 30 days.")
	return err
}
