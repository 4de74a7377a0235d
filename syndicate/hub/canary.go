package hub

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

const (
	// canaryPath is where the canary is reached, before its token.
	canaryPath = path + "/canary/"
	// canaryLease is what the canary asks for; it renews after half of it. If it
	// was not heard it asks again after canarySoon, then twice as late each time
	// up to canaryRetry: at a start a proxy may not yet lead to us.
	canaryLease = time.Hour
	canarySoon  = 2 * time.Second
	canaryRetry = time.Minute
	// canaryCheck is how often it looks whether it has what it should have.
	canaryCheck = 15 * time.Second
	// canaryTopic is what it subscribes to: everything, in the form that tells
	// times most simply.
	canaryTopic = "/feed.json"
	// maxCanaryBody bounds a delivery that it reads, in bytes: ten times a feed
	// of fifty entries.
	maxCanaryBody = 4 << 20
)

// canary subscribes to our own feed of everything through the site's public
// address, as a stranger would, and tells how long news take and whether any
// are overdue. All processes of a site share one subscription.
type canary struct {
	hub             *Hub
	callback, topic string
	token, secret   string
	metrics         canaryMetrics
	behind          time.Time // when it was first found to lack something; zero if it lacks nothing
	asked           time.Time // when it asked last
	unheard         int       // requests in a row that were not accepted
}

type canaryMetrics struct {
	delay                   prometheus.Histogram
	requests                *prometheus.CounterVec
	behind, checked, newest prometheus.Gauge
}

func newCanary(h *Hub) (*canary, error) {
	c := &canary{hub: h, topic: strings.TrimRight(h.BaseURL, "/") + canaryTopic}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help})
	}
	c.metrics = canaryMetrics{
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "diemtin", Name: "hub_canary_delay_seconds",
			Help:    "From a change to its arrival at our own subscription, through the public address. It should be about a second.",
			Buckets: []float64{0.5, 1, 2, 5, 10, 30, 60, 300, 1800}}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diemtin", Name: "hub_canary_requests_total",
			Help: "Requests of our own subscription to our hub: accepted, failed. If failed grows, site.base_url does not lead here from here."}, []string{"result"}),
		behind:  gauge("hub_canary_behind_seconds", "For how long our own subscription has lacked a change of the feed of everything; 0 = it has all."),
		checked: gauge("hub_canary_check_timestamp_seconds", "When that was last looked at."),
		newest:  gauge("hub_canary_last_delivery_timestamp_seconds", "When our own subscription last got a delivery here, 0 if never."),
	}
	var errs []error
	for _, m := range []prometheus.Collector{c.metrics.delay, c.metrics.requests, c.metrics.behind, c.metrics.checked, c.metrics.newest} {
		errs = append(errs, h.Metrics.Register(m))
	}
	c.metrics.requests.WithLabelValues("accepted")
	c.metrics.requests.WithLabelValues("failed")
	token, err := h.Store.HubCanary(context.Background(), secretText()+"."+secretText())
	if err != nil {
		errs = append(errs, err)
	}
	c.token, c.secret, _ = strings.Cut(token, ".")
	c.callback = strings.TrimRight(h.BaseURL, "/") + canaryPath + c.token
	return c, errors.Join(errs...)
}

// run keeps the subscription and looks after it until ctx ends.
func (c *canary) run(ctx context.Context) {
	check := time.NewTicker(canaryCheck)
	defer check.Stop()
	ask := time.NewTimer(0)
	defer ask.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ask.C:
			ask.Reset(c.subscribe(ctx))
		case <-check.C:
			subscribed, err := c.check(ctx)
			if err != nil && ctx.Err() == nil {
				c.hub.Log.Error("look after our own subscription", "error", err)
			}
			if err == nil && !subscribed && c.hub.now().Sub(c.asked) >= canaryRetry {
				ask.Reset(0)
			}
		}
	}
}

// subscribe asks the hub, and says when to do so again.
func (c *canary) subscribe(ctx context.Context) time.Duration {
	c.asked = c.hub.now()
	err := c.request(ctx)
	if err == nil {
		c.metrics.requests.WithLabelValues("accepted").Inc()
		c.unheard = 0
		return canaryLease / 2
	}
	if ctx.Err() == nil {
		c.metrics.requests.WithLabelValues("failed").Inc()
		c.hub.Log.Warn("our own hub cannot be asked", "hub", c.hub.address, "error", err)
	}
	c.unheard++
	return min(canarySoon<<min(c.unheard-1, 10), canaryRetry)
}

func (c *canary) request(ctx context.Context) error {
	form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {c.topic}, "hub.callback": {c.callback}, "hub.secret": {c.secret},
		"hub.lease_seconds": {strconv.Itoa(int(canaryLease.Seconds()))}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.hub.address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", c.hub.Agent)
	resp, err := c.hub.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxDetail)) // for a person; half of it will do
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("status %d: %s", resp.StatusCode, strings.TrimSpace(string(text)))
	}
	return nil
}

// check compares what the subscription has with what the feed is, and says
// whether there is one.
func (c *canary) check(ctx context.Context) (subscribed bool, err error) {
	doc, err := c.hub.Topics.Document(ctx, c.topic)
	if err != nil {
		return false, err
	}
	s, err := c.hub.Store.HubSubscription(ctx, c.topic, c.callback)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	now := c.hub.now()
	switch {
	case !lacks(s, doc):
		c.behind = time.Time{}
	case c.behind.IsZero() || s.Delivered.After(c.behind): // under constant change there is always something on its way
		c.behind = now
	}
	c.metrics.checked.Set(float64(now.UnixMilli()) / 1000)
	c.metrics.behind.Set(0)
	if !c.behind.IsZero() {
		c.metrics.behind.Set(now.Sub(c.behind).Seconds())
	}
	return s.State == store.HubActive, nil
}

// lacks says whether a subscription has not got what a feed is now. One that is
// new lacks only what changed after it was verified.
func lacks(s store.HubSubscription, doc Document) bool {
	switch {
	case s.State != store.HubActive: // the zero subscription too
		return true
	case s.Hash == "":
		return doc.Revision > s.Verified.UnixMilli()
	}
	return s.Hash != doc.Hash
}

// ServeHTTP is the callback: it confirms our own subscription, never its end.
func (c *canary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.URL.Path, canaryPath)
	if !hmac.Equal([]byte(token), []byte(c.token)) {
		http.NotFound(w, r)
		return
	}
	switch q := r.URL.Query(); {
	case r.Method == http.MethodPost:
		c.take(w, r)
	case r.Method == http.MethodGet && q.Get("hub.mode") == "subscribe" && q.Get("hub.topic") == c.topic:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, q.Get("hub.challenge"))
	default:
		http.NotFound(w, r)
	}
}

// take receives a delivery. A forged one is answered like a good one.
func (c *canary) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCanaryBody))
	if err != nil {
		http.Error(w, "The delivery cannot be read.", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	if !hmac.Equal([]byte(r.Header.Get("X-Hub-Signature")), []byte("sha256="+signature(c.secret, body))) {
		return
	}
	now := c.hub.now()
	c.metrics.newest.Set(float64(now.UnixMilli()) / 1000)
	if changed := newestChange(body); !changed.IsZero() {
		c.metrics.delay.Observe(max(0, now.Sub(changed).Seconds()))
	}
}

// newestChange is when a JSON Feed last changed, zero if it does not say so.
func newestChange(body []byte) time.Time {
	var feed struct {
		Items []struct {
			Modified time.Time `json:"date_modified"`
		} `json:"items"`
	}
	var newest time.Time
	if json.Unmarshal(body, &feed) != nil {
		return newest
	}
	for _, it := range feed.Items {
		if it.Modified.After(newest) {
			newest = it.Modified
		}
	}
	return newest
}
