// Package hub is a WebSub hub for the feeds of this service (W3C Recommendation
// of 23 January 2018): it takes subscriptions, verifies them, and delivers each
// changed feed to whom it may concern.
//
// All it knows is in the store, so any number of processes share the work by
// leases, and one that is killed loses nothing: changes wait in an outbox that
// was written with them, deliveries and requests until their lease ends. What
// was under way when a process was killed is sent once more, nothing else is.
//
// A hub sends requests to addresses that strangers name. The client it is given
// refuses private ones; limits bound the rest (limits.go).
package hub

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

const (
	// tick is how often the outbox is looked at. A feed is rendered at most once
	// a second, so looking more often would find the same bytes.
	tick = 500 * time.Millisecond
	// keepTick is how often leases are ended and the queue is measured.
	keepTick = 10 * time.Second
	// hold is how long what was claimed belongs to this process, if Deps.Lease
	// is not shorter: longer than any request may take.
	hold = 2 * time.Minute
	// deliveriesAtOnce and asksAtOnce bound the requests under way in one
	// process, perHostAtOnce those to one host in all of them.
	deliveriesAtOnce = 32
	asksAtOnce       = 8
	perHostAtOnce    = 4
	// requestTimeout bounds one request, the whole answer included; half of a
	// shorter lease does.
	requestTimeout = 10 * time.Second
	// path is the hub's own, below the site's address.
	path = "/hub"
)

// Document is a feed as it is delivered: what a GET gives.
type Document struct {
	ContentType string
	Body        []byte
	Hash        string // of Body
	Revision    int64  // it shows every change up to this one
}

// Topics are the feeds that can be subscribed to, by their addresses.
type Topics interface {
	// Pushed names the scopes of the store of which each change of a feed
	// raises one; false for an address that is no topic.
	Pushed(address string) (scopes []string, ok bool)
	Document(ctx context.Context, address string) (Document, error)
}

// Store is what the hub needs remembered.
type Store interface {
	AskHub(ctx context.Context, r store.HubRequest, l store.HubLimits) error
	ClaimHubRequests(ctx context.Context, c store.Claim) ([]store.HubRequest, error)
	ConfirmHubRequest(ctx context.Context, r store.HubRequest, now time.Time) (done bool, err error)
	PostponeHubRequest(ctx context.Context, r store.HubRequest, failed bool) error
	FanOutHub(ctx context.Context, reads func(topic string) ([]string, bool), now time.Time, turn func() string) (int, error)
	ClaimHubDeliveries(ctx context.Context, c store.Claim, perHost int) ([]store.HubSubscription, error)
	SettleHubDelivery(ctx context.Context, s store.HubSubscription, revision int64) error
	EndHubSubscription(ctx context.Context, s store.HubSubscription) error
	ExpireHub(ctx context.Context, now time.Time) error
	HubSubscription(ctx context.Context, topic, callback string) (store.HubSubscription, error)
	HubCounts(ctx context.Context) (store.HubCounts, error)
	HubCanary(ctx context.Context, fresh string) (string, error)
}

// Address is where a site's hub is reached.
func Address(baseURL string) string { return strings.TrimRight(baseURL, "/") + path }

// Deps is what a hub works with.
type Deps struct {
	Store   Store
	Topics  Topics
	Client  *http.Client // refuses addresses at which no stranger shall make us knock
	BaseURL string       // of the site
	// ClientOf names whoever sent a request, as far as limits tell clients apart.
	ClientOf func(*http.Request) string

	// PushedAfter notes how long a change took to each subscriber, in seconds,
	// retries included; nil = nobody does.
	PushedAfter prometheus.Observer

	Lease   time.Duration // of what is claimed; 0 = two minutes, which is also the longest
	Agent   string        // User-Agent
	By      string        // names this process in leases
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Hub answers at Address and does the rest in Run.
type Hub struct {
	Deps
	cfg     Config
	address string
	client  *http.Client
	metrics *metrics
	canary  *canary // nil = none
	now     func() time.Time

	wake      chan struct{} // holds a token when there may be work
	asks      chan struct{} // one for each request to be verified that is under way
	deliverOn chan struct{} // one for each delivery under way
	work      sync.WaitGroup
}

// New builds a hub.
func New(cfg Config, d Deps) (*Hub, error) {
	client := *d.Client
	if d.Lease == 0 || d.Lease > hold {
		d.Lease = hold
	}
	client.Timeout = min(requestTimeout, d.Lease/2)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a redirect is no 2xx
	client.Jar = nil
	if d.PushedAfter == nil {
		d.PushedAfter = prometheus.ObserverFunc(func(float64) {})
	}
	m, err := newMetrics(d.Metrics)
	if err != nil {
		return nil, err
	}
	h := &Hub{Deps: d, cfg: cfg, address: Address(d.BaseURL), client: &client, metrics: m, now: time.Now,
		wake: make(chan struct{}, 1), asks: make(chan struct{}, asksAtOnce), deliverOn: make(chan struct{}, deliveriesAtOnce)}
	if cfg.Canary == nil || *cfg.Canary {
		if h.canary, err = newCanary(h); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Run works until ctx ends, then lets requests under way finish.
func (h *Hub) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	if h.canary != nil {
		beside.Go(func() { h.canary.run(ctx) })
	}
	beside.Go(func() { h.keep(ctx) })
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for ctx.Err() == nil {
		if _, err := h.turn(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("hub at work", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-ticks.C:
		case <-h.wake:
		}
	}
	beside.Wait()
	h.work.Wait()
	h.client.CloseIdleConnections()
	return nil
}

// turn begins all that is due and for which there is room, and says how much
// that was.
func (h *Hub) turn(ctx context.Context) (begun int, err error) {
	if _, err := h.Store.FanOutHub(ctx, h.Topics.Pushed, h.now(), secretText); err != nil {
		return 0, err
	}
	if free := cap(h.asks) - len(h.asks); free > 0 {
		claimed, err := h.Store.ClaimHubRequests(ctx, h.claim(free))
		if err != nil {
			return begun, err
		}
		for _, r := range claimed {
			h.begin(h.asks, func() { h.ask(context.WithoutCancel(ctx), r) })
		}
		begun += len(claimed)
	}
	if free := cap(h.deliverOn) - len(h.deliverOn); free > 0 {
		claimed, err := h.Store.ClaimHubDeliveries(ctx, h.claim(free), perHostAtOnce)
		if err != nil {
			return begun, err
		}
		for _, s := range claimed {
			h.begin(h.deliverOn, func() { h.deliver(context.WithoutCancel(ctx), s) })
		}
		begun += len(claimed)
	}
	return begun, nil
}

func (h *Hub) claim(limit int) store.Claim {
	return store.Claim{Now: h.now(), Lease: h.Lease, By: h.By, Limit: limit}
}

// begin works beside the loop, which is woken when half of the room is free
// again: claiming one by one would cost a transaction each.
func (h *Hub) begin(room chan struct{}, do func()) {
	room <- struct{}{}
	h.work.Go(func() {
		do()
		<-room
		if len(room) <= cap(room)/2 {
			h.awake()
		}
	})
}

func (h *Hub) awake() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// keep ends leases and measures the queue until ctx ends.
func (h *Hub) keep(ctx context.Context) {
	ticks := time.NewTicker(keepTick)
	defer ticks.Stop()
	for ctx.Err() == nil {
		if err := h.tidy(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("keep hub", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
	}
}

func (h *Hub) tidy(ctx context.Context) error {
	now := h.now()
	if err := h.Store.ExpireHub(ctx, now); err != nil {
		return err
	}
	counts, err := h.Store.HubCounts(ctx)
	if err != nil {
		return err
	}
	h.metrics.show(counts, now)
	return nil
}

// ServeHTTP answers at Address and, for the canary, below it.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.URL.Path == path:
		h.serveRequest(w, r)
	case h.canary != nil && strings.HasPrefix(r.URL.Path, canaryPath):
		h.canary.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// Serves says whether a path of the site is the hub's.
func Serves(p string) bool { return p == path || strings.HasPrefix(p, canaryPath) }

// secretText is 256 random bits in letters that every address may hold.
func secretText() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// withQuery is an address with more parameters, and those it has as they are.
func withQuery(address string, more url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += more.Encode()
	return u.String(), nil
}
