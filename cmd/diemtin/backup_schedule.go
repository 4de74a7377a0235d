package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
)

// What the backups of a running service are if only their folder is set, and
// what they may be.
const (
	defaultBackupEvery = 24 * time.Hour
	leastBackupEvery   = 10 * time.Minute
	defaultBackupsKept = 7
	mostBackupsKept    = 1000

	// backupRetry is how soon one that failed is tried again, if not sooner by
	// itself.
	backupRetry = 10 * time.Minute
)

// backupStamp is the time in the name of a backup, UTC: it sorts by itself.
const backupStamp = "20060102T150405Z"

// backupConfig is the section backup of feeds.yaml: copies that a running
// service makes of its SQLite database.
type backupConfig struct {
	Dir   string              `yaml:"dir"`   // "" = none are made
	Every aggregator.Duration `yaml:"every"` // 0 = defaultBackupEvery
	Keep  int                 `yaml:"keep"`  // of the newest; 0 = defaultBackupsKept
}

func (c *backupConfig) check(report func(path, problem string)) {
	if every := time.Duration(c.Every); every != 0 && every < leastBackupEvery {
		report("backup.every", fmt.Sprintf("every %s: want %s or more", every, leastBackupEvery))
	}
	if c.Keep < 0 || c.Keep > mostBackupsKept {
		report("backup.keep", fmt.Sprintf("keep %d: want 1 to %d", c.Keep, mostBackupsKept))
	}
	if c.Dir == "" && (c.Every != 0 || c.Keep != 0) {
		report("backup.dir", "want the folder for the copies")
	}
	c.Every = cmp.Or(c.Every, aggregator.Duration(defaultBackupEvery))
	c.Keep = cmp.Or(c.Keep, defaultBackupsKept)
}

// backups makes copies of a database at intervals.
type backups struct {
	backupConfig
	dsn, prefix string // of the names of its copies
	log         *slog.Logger

	succeeded, interval prometheus.Gauge
	failures            prometheus.Counter
}

// newBackups prepares the copies of a database; it makes none if no folder is
// set. The folder has to exist: it is meant to be another disk, and an empty
// mount point is the usual way to lose backups.
func newBackups(cfg backupConfig, dsn string, log *slog.Logger, reg prometheus.Registerer) (*backups, error) {
	b := &backups{backupConfig: cfg, dsn: dsn, log: log,
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "backup_last_success_timestamp_seconds",
			Help: "When the newest backup in backup.dir was begun; 0 if there is none. If it falls behind, the log says why (diemtin_backup_failures_total)."}),
		interval: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "backup_interval_seconds",
			Help: "How often a backup shall be made (backup.every); 0 = never, by this service."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "backup_failures_total",
			Help: "Backups that could not be made, or did not pass their check. The log says why; most often the disk of backup.dir is full."})}
	reg.MustRegister(b.succeeded, b.interval, b.failures)
	if b.Dir == "" {
		return b, nil
	}
	path, ok := store.SQLitePath(dsn)
	if !ok {
		return nil, errors.New("backup.dir: the database is PostgreSQL, whose own tools copy it (pg_dump); leave the section backup out")
	}
	if st, err := os.Stat(b.Dir); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("backup.dir: %s is not a folder; make it, or mount it, first", b.Dir)
	}
	b.prefix = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + "-"
	b.interval.Set(time.Duration(b.Every).Seconds())
	if _, newest := b.existing(); !newest.IsZero() {
		b.succeeded.Set(float64(newest.Unix()))
	}
	return b, nil
}

// existing are the copies in the folder, the oldest first, and the time of the
// newest. Other files there are left alone.
func (b *backups) existing() (paths []string, newest time.Time) {
	all, err := filepath.Glob(filepath.Join(b.Dir, globSafe(b.prefix)+"*.db"))
	if err != nil {
		return nil, newest
	}
	for _, path := range all {
		at, err := time.Parse(b.prefix+backupStamp+".db", filepath.Base(path))
		if err != nil {
			continue
		}
		paths = append(paths, path)
		if at.After(newest) {
			newest = at
		}
	}
	slices.Sort(paths)
	return paths, newest
}

// globSafe takes the pattern out of a name.
func globSafe(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// run makes copies until ctx ends. The first is due when the newest in the
// folder is old enough: a restart brings none by itself.
func (b *backups) run(ctx context.Context) {
	if b.Dir == "" {
		return
	}
	_, newest := b.existing()
	next := newest.Add(time.Duration(b.Every))
	for {
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case now := <-timer.C:
			next = b.again(ctx, now)
		}
	}
}

// again makes one copy, removes those that are too many, and says when the next
// is due.
func (b *backups) again(ctx context.Context, now time.Time) time.Time {
	b.sweep()
	start := time.Now()
	s, err := store.Backup(ctx, b.dsn, filepath.Join(b.Dir, b.prefix+now.UTC().Format(backupStamp)+".db"))
	if ctx.Err() != nil {
		return now
	}
	if err != nil {
		b.failures.Inc()
		b.log.ErrorContext(ctx, "backup failed", "error", err)
		return now.Add(min(backupRetry, time.Duration(b.Every)))
	}
	b.succeeded.Set(float64(now.Unix()))
	b.log.InfoContext(ctx, "backup made", "path", s.Path, "bytes", s.Bytes, "items", s.Items, "took_ms", time.Since(start).Milliseconds())
	paths, _ := b.existing()
	for _, old := range paths[:max(0, len(paths)-b.Keep)] {
		if err := os.Remove(old); err != nil {
			b.log.WarnContext(ctx, "old backup not removed", "path", old, "error", err)
		}
	}
	return now.Add(time.Duration(b.Every))
}

// sweep removes what a killed process left of a copy. No other process makes
// copies of this database in this folder: it holds the database's lock.
func (b *backups) sweep() {
	parts, err := filepath.Glob(filepath.Join(b.Dir, "."+globSafe(b.prefix)+"*.db.*"))
	if err != nil {
		return
	}
	for _, part := range parts {
		os.Remove(part)
	}
}
