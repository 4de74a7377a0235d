package syndicate

import "github.com/prometheus/client_golang/prometheus"

// embedMetrics is what operators see of embeds.
type embedMetrics struct {
	requests *prometheus.CounterVec // form, partner, code
}

// newEmbedMetrics registers the metrics of embeds. Partners come from
// feeds.yaml, at most maxPartners.
func newEmbedMetrics(reg prometheus.Registerer) (*embedMetrics, error) {
	m := &embedMetrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "diemtin_embed_requests_total",
		Help: "Requests for embeds by form (page, fragment, items), partner of feeds.yaml (none without) and status code. " +
			"Many 403: a site that is not among the partner's origins; many 429: list your own proxies under visitors.",
	}, []string{"form", "partner", "code"})}
	return m, reg.Register(m.requests)
}
