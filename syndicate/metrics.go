package syndicate

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// feedMetrics is what operators see of the feeds.
type feedMetrics struct {
	requests *prometheus.CounterVec   // format, code
	render   *prometheus.HistogramVec // format
	lookups  *prometheus.CounterVec   // result
	hit      prometheus.Counter       // of lookups, the most frequent one
	reads    prometheus.Counter
	evicted  prometheus.Counter
	held     prometheus.Gauge
	embeds   *prometheus.CounterVec // form, partner, code
}

// unheld are the same for a second cache, whose bytes are few and not told.
func (m *feedMetrics) unheld() *feedMetrics {
	other := *m
	other.held = prometheus.NewGauge(prometheus.GaugeOpts{Name: "unused"})
	return &other
}

// serverMetrics is what operators see of a server, and of the one that takes
// its place.
type serverMetrics struct {
	feeds *feedMetrics
	api   *prometheus.CounterVec // operation, code
}

func newServerMetrics(reg prometheus.Registerer) (m serverMetrics, err error) {
	if m.feeds, err = newFeedMetrics(reg); err != nil {
		return m, fmt.Errorf("register metrics of feeds: %w", err)
	}
	m.api = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "diemtin_api_requests_total",
		Help: "Requests to the public API by operation (none: there is no such) and status code. If 429 grows, see who searches; look at the log when 503 grows.",
	}, []string{"operation", "code"})
	if err := reg.Register(m.api); err != nil {
		return m, fmt.Errorf("register metrics of the API: %w", err)
	}
	return m, nil
}

// newFeedMetrics registers the metrics of feeds.
func newFeedMetrics(reg prometheus.Registerer) (*feedMetrics, error) {
	m := &feedMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "diemtin_feed_requests_total",
			Help: "Requests for feeds and OPML by format and status code. Mostly 304 is healthy; look at the log when 503 grows.",
		}, []string{"format", "code"}),
		render: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "diemtin_feed_render_duration_seconds",
			Help:    "Time to read, render and compress one feed. If it grows, look at the database first.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 12), // 1 ms to 2 s: 50 entries take 3 ms
		}, []string{"format"}),
		lookups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "diemtin_feed_render_cache_total",
			Help: "Feeds looked up by result: hit, current (store asked, nothing new), same (rendered, same bytes), new, " +
				"stale (store failed, older bytes sent), failed. If stale or failed grows, look at the log and the database.",
		}, []string{"result"}),
		reads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "diemtin_feed_reads_total",
			Help: "Channels read from the database to render feeds: once for all formats of a revision. Far more than changes means that more channels are asked for at once than are remembered.",
		}),
		evicted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "diemtin_feed_cache_evictions_total",
			Help: "Rendered feeds given up for lack of room. If it grows steadily, give the cache more memory.",
		}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "diemtin_feed_cache_bytes",
			Help: "Memory held by rendered feeds. It stays below the configured size.",
		}),
		embeds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "diemtin_embed_requests_total",
			Help: "Requests for embeds by form (page, fragment, items), partner of feeds.yaml (none without) and status code. " +
				"Many 403: a site that is not among the partner's origins; many 429: list your own proxies under visitors.",
		}, []string{"form", "partner", "code"}),
	}
	for _, result := range []string{"hit", "current", "same", "new", "stale", "failed"} {
		m.lookups.WithLabelValues(result) // a series that may alarm must be there before it moves
	}
	m.hit = m.lookups.WithLabelValues("hit")
	var errs []error
	for _, c := range []prometheus.Collector{m.requests, m.render, m.lookups, m.reads, m.evicted, m.held, m.embeds} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// answered is the counters of one format's answers.
func (m *feedMetrics) answered(format string) answered {
	return answered{m.requests.WithLabelValues(format, "200"), m.requests.WithLabelValues(format, "304"), m.requests.WithLabelValues(format, "226")}
}
