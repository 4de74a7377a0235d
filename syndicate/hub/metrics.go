package hub

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// metrics is what operators see of the hub.
type metrics struct {
	subscriptions *prometheus.GaugeVec // state
	requests      *prometheus.CounterVec
	verifications *prometheus.CounterVec // mode, result
	deliveries    *prometheus.CounterVec // outcome
	queue, oldest *prometheus.GaugeVec   // state
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diemtin", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help}, labels)
	}
	m := &metrics{
		subscriptions: gauge("hub_subscriptions", "Subscriptions to our hub: active, pending (to be verified), ended (nothing could be delivered for a day).", "state"),
		requests: counter("hub_requests_total",
			"Requests to our hub by result: accepted, invalid, method, unknown_topic, not_subscribed, limited, failed. If limited grows, see who asks.", "result"),
		verifications: counter("hub_verifications_total",
			"Questions to callbacks by mode and result: confirmed, refused, unreachable, failed (ours). Many refused or unreachable: somebody names callbacks that are not theirs.", "mode", "result"),
		deliveries: counter("hub_deliveries_total",
			"Deliveries of our hub by outcome: delivered, unchanged (it has these bytes), failed (tried again), gone (the callback ended it), dropped (failed for a day).", "outcome"),
		queue: gauge("hub_queue_length", "Deliveries that wait: waiting was not tried yet, retrying has failed before.", "state"),
		oldest: gauge("hub_queue_oldest_seconds",
			"Age of the oldest change that waits. If waiting grows, the hub is behind: look at the log; retrying is subscribers that do not answer.", "state"),
	}
	for _, r := range []string{"accepted", "invalid", "method", "unknown_topic", "not_subscribed", "limited", "failed"} {
		m.requests.WithLabelValues(r)
	}
	for _, o := range []string{"delivered", "unchanged", "failed", "gone", "dropped"} {
		m.deliveries.WithLabelValues(o)
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.subscriptions, m.requests, m.verifications, m.deliveries, m.queue, m.oldest} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// show sets the gauges.
func (m *metrics) show(c store.HubCounts, now time.Time) {
	age := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(0, now.Sub(t).Seconds())
	}
	m.subscriptions.WithLabelValues("active").Set(float64(c.Active))
	m.subscriptions.WithLabelValues("ended").Set(float64(c.Ended))
	m.subscriptions.WithLabelValues("pending").Set(float64(c.Pending))
	m.queue.WithLabelValues("waiting").Set(float64(c.Waiting))
	m.queue.WithLabelValues("retrying").Set(float64(c.Retrying))
	m.oldest.WithLabelValues("waiting").Set(age(c.OldestWaiting))
	m.oldest.WithLabelValues("retrying").Set(age(c.OldestRetrying))
}
