package main

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// measureEvery is how often the database is measured for the metrics.
const measureEvery = 15 * time.Second

// databaseMetrics is what operators see of the database.
type databaseMetrics struct {
	schema, bytes, free, log, waiting, disk prometheus.Gauge

	busy    prometheus.Counter
	counted int64 // of it
}

func newDatabaseMetrics(reg prometheus.Registerer) *databaseMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help})
		reg.MustRegister(g)
		return g
	}
	busy := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "db_busy_total",
		Help: "Writes that another process or program kept waiting for more than a second. With SQLite nothing else should write to the file; with PostgreSQL look for a long transaction (pg_stat_activity)."})
	reg.MustRegister(busy)
	return &databaseMetrics{
		busy:    busy,
		schema:  gauge("schema_version", "Number of the newest migration that the database has seen."),
		bytes:   gauge("db_size_bytes", "Size of the database, of its log apart. Plan for 1 to 3 KB an item."),
		free:    gauge("db_free_bytes", "Of its size, what is free to be used again; SQLite only."),
		log:     gauge("db_log_bytes", "Size of SQLite's write-ahead log. If it grows without end, something reads for hours: look for a forgotten sqlite3 on the file."),
		waiting: gauge("db_writes_waiting", "Writes that wait for the one writer, 256 at most. If it stays above 100, the disk is too slow, or the database locked."),
		disk:    gauge("disk_free_bytes", "Free space on the disk of an SQLite database; 0 if it cannot be told. Visits end as internal once it is full."),
	}
}

// measure sets the gauges; what cannot be measured stays as it was.
func (m *databaseMetrics) measure(ctx context.Context, db *store.DB) {
	m.waiting.Set(float64(db.Waiting()))
	busy := db.Busy()
	m.busy.Add(float64(busy - m.counted))
	m.counted = busy
	size, err := db.Size(ctx)
	if err != nil {
		return // readyz tells
	}
	m.bytes.Set(float64(size.Data))
	m.free.Set(float64(size.Free))
	m.log.Set(float64(size.Log))
	if size.Path != "" {
		if free, err := diskFree(size.Path); err == nil {
			m.disk.Set(float64(free))
		}
	}
	if n, err := db.Schema(ctx); err == nil {
		m.schema.Set(float64(n))
	}
}

// keepMeasuring measures until ctx ends.
func (s *service) keepMeasuring(ctx context.Context) {
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for {
		s.measured.measure(ctx, s.db)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// rulingMetrics is what operators see of editors' work.
type rulingMetrics struct {
	rulings       *prometheus.CounterVec // verb
	disagreements *prometheus.CounterVec // topic
}

func newRulingMetrics(reg prometheus.Registerer) *rulingMetrics {
	counter := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diemtin", Name: name, Help: help}, []string{label})
		reg.MustRegister(c)
		return c
	}
	return &rulingMetrics{
		rulings:       counter("rulings_total", "What editors decided, by verb. Many splits or unmerges: matching merges what it should not.", "verb"),
		disagreements: counter("topic_disagreements_total", "Topics that editors set or removed against the rules. If one grows, its phrases need work: diemtin topics suggest.", "topic"),
	}
}

// carried counts an order that was carried out.
func (m *rulingMetrics) carried(r store.Ruling) {
	if m == nil {
		return
	}
	m.rulings.WithLabelValues(string(r.Verb)).Inc()
	if r.Verb != store.RuleTopic {
		return
	}
	for _, t := range r.Topics {
		m.disagreements.WithLabelValues(strings.TrimLeft(t, "+-")).Inc()
	}
}
