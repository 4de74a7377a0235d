package aggregator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// metrics is what operators see of the inner half. Label values come from
// closed sets or from feeds.yaml, never from outside.
type metrics struct {
	refreshes   *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	bytes       prometheus.Histogram
	lastSuccess *prometheus.GaugeVec
	lastNew     *prometheus.GaugeVec
	next        *prometheus.GaugeVec
	failing     *prometheus.GaugeVec
	items       *prometheus.CounterVec
	merged      *prometheus.CounterVec
	topics      *prometheus.CounterVec
	newest      *prometheus.GaugeVec // topic
	originals   *prometheus.CounterVec
	named       *prometheus.CounterVec // evidence
	repairs     *prometheus.CounterVec
	gaps        *prometheus.CounterVec
	overlap     *prometheus.GaugeVec
	silent      *prometheus.GaugeVec
	expected    *prometheus.GaugeVec
	polls       prometheus.Gauge
	listed      prometheus.Counter
	freshness   *prometheus.HistogramVec
	delay, wait prometheus.Observer // of freshness
	lag         prometheus.Histogram
	inFlight    prometheus.Gauge
	deferred    prometheus.Counter
	vanished    prometheus.Counter

	articles       *prometheus.CounterVec
	articleBytes   prometheus.Histogram
	articleQueue   prometheus.Gauge
	articleHolding prometheus.Gauge
	articleAge     prometheus.Gauge
	united         *prometheus.CounterVec

	withdrawn *prometheus.CounterVec
	swept     prometheus.Gauge

	opinionHeard, opinionLearned prometheus.Gauge
	gate                         gateGauges
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diemtin", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help}, []string{"source"})
	}
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Namespace: "diemtin", Name: name, Help: help, Buckets: buckets}
	}
	m := &metrics{
		refreshes: counter("refreshes_total", "Visits to sources by how they ended. Look up a rising failure with diemtin explain SOURCE.", "outcome"),
		duration: prometheus.NewHistogramVec(histogram("refresh_duration_seconds",
			"Time of one visit from request to stored result. If it grows, look at slow outlets first, then at the disk.",
			[]float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}), []string{"outcome"}),
		bytes: prometheus.NewHistogram(histogram("refresh_document_bytes", "Size of fetched documents, unpacked.",
			prometheus.ExponentialBuckets(1024, 4, 8))),
		lastSuccess: gauge("source_last_success_timestamp_seconds", "When a source was last read without a fault, 0 if never. Alert on its age."),
		lastNew:     gauge("source_last_new_item_timestamp_seconds", "When a source last brought a new item, 0 if never. A good answer without news for days is a fault too."),
		next:        gauge("source_next_refresh_timestamp_seconds", "When a source will be visited next."),
		failing:     gauge("source_consecutive_failures", "Failed visits in a row. Above 3, see diemtin explain SOURCE for the cause and advice."),
		items:       counter("items_total", "Items met on visits by what became of them.", "change"),
		merged:      counter("stories_merged_total", "New items put into an existing story, by the evidence. A jump means a matching rule broke or an outlet changed its addresses.", "reason"),
		newest: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "diemtin", Name: "topic_last_item_timestamp_seconds",
			Help: "When a topic last got a new item from this process. If it stays behind, its phrases were changed, or its sources are gone."}, []string{"topic"}),
		topics:    counter("topic_items_total", "New items by primary topic, none for those without. A topic that stays empty needs better phrases.", "topic"),
		originals: counter("original_changes_total", "Listed stories whose original was named anew."),
		named:     counter("originals_named_total", "Originals named, at a story's listing and again as its copies come, by the evidence that decided: only (no other copy), named, naming-none, honest, published, seen-before, rank, seen, stored. Much seen or stored: outlets' dates or ranks are missing.", "evidence"),
		overlap:   gauge("source_overlap_ratio", "Of the items that a source's document held at the last whole reading, the share that we had. Near 0: the next visits lose items; lower every.min of the source."),
		repairs:   counter("source_repairs_total", "Things mended or left out while reading, by kind. diemtin probe SOURCE shows where.", "kind"),
		gaps:      counter("source_gaps_total", "Visits that found no item in common with the visit before, so that items were probably lost. If it grows, lower every.min of the source.", "source"),
		silent: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "diemtin", Name: "source_silent",
			Help: "1 if a source answers well but has brought nothing new for much longer than its learned profile lets expect."}, []string{"outlet", "source"}),
		expected: gauge("source_expected_items", "New items that a source's learned profile lets expect since its last new one. Above 12 for hours it counts as silent."),
		polls: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "schedule_budget_polls_per_hour",
			Help: "Visits an hour that all sources together are meant to get: limits.polls_per_hour."}),
		listed: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "stories_listed_total", Help: "Stories that became visible to readers."}),
		freshness: prometheus.NewHistogramVec(histogram("freshness_seconds",
			"How long news takes, stage after stage: seen is from publication to our first sight of it, for items of sources visited before (shorten every.min where it is long); served from there until readers have it: the time for its page, limits.hold at most, and the outlet's delay; pushed from the change to a subscriber's answer, retries included.",
			[]float64{0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 180, 300, 600, 1200, 3600, 7200, 21600, 86400}), []string{"stage"}),
		lag: prometheus.NewHistogram(histogram("schedule_lag_seconds",
			"How late visits begin after they are due. If it grows, raise limits.workers.",
			[]float64{0.1, 0.5, 1, 5, 15, 60, 300, 1800})),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "refreshes_in_flight", Help: "Visits under way."}),
		deferred: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "host_deferred_total",
			Help: "Visits put off because several feeds of their host were asked to wait. If it grows steadily, raise every.min of that outlet's sources."}),
		vanished: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "items_vanished_total",
			Help: "Items that vanished from the middle of their feed; their pages are asked for."}),
		articles: counter("articles_total", "Tries to read an item's own page, by outcome: read, no_text (nothing on it is the article's text), else why not.", "outcome"),
		articleBytes: prometheus.NewHistogram(histogram("article_document_bytes", "Size of articles' pages, unpacked.",
			prometheus.ExponentialBuckets(1024, 4, 8))),
		articleQueue: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "article_queue_length",
			Help: "Pages of items waiting to be read, those to be tried again later too."}),
		articleHolding: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "article_queue_holding",
			Help: "Pages for which a story waits to be listed."}),
		articleAge: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "article_queue_oldest_seconds",
			Help: "How long the oldest page waits for its first try. Above limits.hold stories are listed before their pages are read, and copies come as entries: look for a host with a long pause, or raise limits.workers."}),
		united:    counter("stories_united_total", "Stories united with another one after an item's page was read, by the evidence.", "reason"),
		withdrawn: counter("items_withdrawn_total", "Items withdrawn because their outlet removed the article, and restored because it came back.", "change"),
		swept: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: "opening_sweep_over",
			Help: "1 once every source that was due at the start has had its visit and its stories are listed; before that 0."}),
	}
	m.opinionHeard, m.opinionLearned = newOpinionGauges()
	m.gate = newGateGauges(reg)
	m.delay, m.wait = m.freshness.WithLabelValues("seen"), m.freshness.WithLabelValues("served")
	m.freshness.WithLabelValues("pushed")
	m.originals.WithLabelValues() // from 0 on
	reg.MustRegister(m.refreshes, m.duration, m.bytes, m.lastSuccess, m.lastNew, m.next, m.failing, m.items, m.merged,
		m.topics, m.newest, m.originals, m.named, m.repairs, m.gaps, m.overlap, m.silent, m.expected, m.polls, m.listed, m.freshness, m.lag, m.inFlight, m.deferred, m.vanished, m.withdrawn, m.swept,
		m.articles, m.articleBytes, m.articleQueue, m.articleHolding, m.articleAge, m.united, m.opinionHeard, m.opinionLearned)
	for _, o := range store.Outcomes {
		m.refreshes.WithLabelValues(string(o))
	}
	for _, o := range []store.ArticleState{store.ArticleRead, store.ArticleNoText} {
		m.articles.WithLabelValues(string(o))
	}
	for _, by := range originalEvidence {
		m.named.WithLabelValues(string(by))
	}
	for _, c := range []string{"new", "changed", "same"} {
		m.items.WithLabelValues(c)
	}
	return m
}

// knownTopics shows every topic, since one without a single item is an alarm.
func (m *metrics) knownTopics(all []TopicConfig) {
	for _, t := range all {
		m.topics.WithLabelValues(string(t.ID))
	}
}

// forget drops what is shown of a source that has left the configuration.
func (m *metrics) forget(id, outlet string) {
	for _, g := range []*prometheus.GaugeVec{m.lastSuccess, m.lastNew, m.next, m.failing, m.expected, m.overlap} {
		g.DeleteLabelValues(id)
	}
	m.gaps.DeleteLabelValues(id)
	m.silent.DeleteLabelValues(outlet, id)
}

// source shows a source's state.
func (m *metrics) source(id string, st store.SourceState) {
	seconds := func(g *prometheus.GaugeVec, at time.Time) { g.WithLabelValues(id).Set(unixSeconds(at)) }
	seconds(m.lastSuccess, st.LastSuccess)
	seconds(m.lastNew, st.LastNew)
	seconds(m.next, st.NextAt)
	m.failing.WithLabelValues(id).Set(float64(st.Fails))
	m.gaps.WithLabelValues(id) // from 0 on, else the first gap is no increase
}

// silence shows whether a source in that state is silent.
func (m *metrics) silence(src store.Source, st store.SourceState, now time.Time) {
	l := decodeLearned(st.Learned)
	m.expected.WithLabelValues(src.ID).Set(l.Expected)
	alarm := 0.0
	if silent(st, &l, now) {
		alarm = 1
	}
	m.silent.WithLabelValues(src.Outlet, src.ID).Set(alarm)
}

// changes counts what a visit changed.
func (m *metrics) changes(c store.Changes) {
	m.items.WithLabelValues("new").Add(float64(c.New))
	m.items.WithLabelValues("changed").Add(float64(c.Changed))
	m.items.WithLabelValues("same").Add(float64(c.Same))
	m.listings(c.Waits)
	for reason, n := range c.Merged {
		m.merged.WithLabelValues(reason).Add(float64(n))
	}
	for topic, n := range c.Topics {
		if topic == "" {
			topic = "none"
		}
		m.topics.WithLabelValues(string(topic)).Add(float64(n))
		m.newest.WithLabelValues(string(topic)).SetToCurrentTime()
	}
	m.changedOriginals(c)
}

func (m *metrics) changedOriginals(c store.Changes) {
	for _, n := range c.Originals {
		m.originals.WithLabelValues().Add(float64(n))
	}
}

// listings counts stories that became visible, each with the time it waited.
func (m *metrics) listings(waits []time.Duration) {
	m.listed.Add(float64(len(waits)))
	for _, w := range waits {
		m.wait.Observe(max(w, 0).Seconds())
	}
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
