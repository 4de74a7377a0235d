package aggregator

import "github.com/prometheus/client_golang/prometheus"

// pushMetrics is what operators see of the subscriptions to hubs.
type pushMetrics struct {
	subscriptions *prometheus.GaugeVec
	requests      *prometheus.CounterVec
	verifications *prometheus.CounterVec
	deliveries    *prometheus.CounterVec
	missed        prometheus.Counter
	delay         prometheus.Histogram
}

func newPushMetrics(reg prometheus.Registerer) *pushMetrics {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diemtin", Name: name, Help: help}, []string{label})
	}
	m := &pushMetrics{
		subscriptions: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "diemtin", Name: "push_subscriptions",
			Help: "Subscriptions to the hubs of sources by state. If many stay pending, hubs do not reach site.base_url; distrusted hubs deliver nothing."}, []string{"state"}),
		requests:      counter("push_requests_total", "Requests to hubs by how they were answered: accepted, or as visits end.", "result"),
		verifications: counter("push_verifications_total", "Questions of hubs to our callback: confirmed, refused (not ours or not wanted), denied (the hub will not).", "result"),
		deliveries: counter("push_deliveries_total",
			"Deliveries of hubs: new, same and empty were read; unsigned, wrong_signature and unknown were ignored; unreadable, broken, too_large, busy and failed need a look at the log.", "result"),
		missed: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diemtin", Name: "push_missed_total",
			Help: "Visits that found news which a verified hub had not delivered. If it grows for long, see diemtin explain SOURCE."}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "diemtin", Name: "push_delay_seconds",
			Help:    "From publication to delivery of new items that hubs delivered first.",
			Buckets: []float64{1, 5, 10, 30, 60, 120, 300, 600, 1800, 7200}}),
	}
	reg.MustRegister(m.subscriptions, m.requests, m.verifications, m.deliveries, m.missed, m.delay)
	for _, r := range []string{"confirmed", "refused", "denied"} {
		m.verifications.WithLabelValues(r)
	}
	for _, r := range []string{"new", "same", "empty", "unsigned", "wrong_signature", "unknown", "unreadable", "broken", "too_large", "busy", "failed"} {
		m.deliveries.WithLabelValues(r)
	}
	return m
}
