package aggregator

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"diemtin/store"
)

const (
	// pushLease is how long a claimed subscription belongs to this process.
	pushLease = 2 * time.Minute
	// pushTick is how often subscriptions are looked at; what other replicas
	// and hubs have changed shows within it.
	pushTick = 5 * time.Second
	// hubsAtOnce bounds the requests to hubs under way.
	hubsAtOnce = 4
	// askedLease is the lease asked for, as hubs commonly give it.
	askedLease = 10 * 24 * time.Hour
	// longestLease caps what a hub may give: renewing is also how a hub that
	// died is noticed.
	longestLease = 30 * 24 * time.Hour
	// soonestRenewal keeps a hub that gives leases of a second from being
	// asked every second.
	soonestRenewal = time.Minute
	// firstAskAgain and lastAskAgain bound the growing waits between requests
	// that led to nothing.
	firstAskAgain = 5 * time.Minute
	lastAskAgain  = 24 * time.Hour
	// refusedAgain is the shortest wait after a hub has said no.
	refusedAgain = 6 * time.Hour
	// leaveTries is how often a hub is told that a subscription is not wanted
	// any more; it then runs out by itself.
	leaveTries = 5
	// maxMissed is how many visits in a row may find news that the hub had not
	// delivered before it is trusted no longer. A hub that has never delivered
	// has no such credit.
	maxMissed = 3
	// backUpFactor stretches the interval of a source that is pushed.
	backUpFactor = 4
	// callbackPath is where hubs reach us, below the site's address.
	callbackPath = "/websub/"
)

// PushStore is what the subscriber needs remembered.
type PushStore interface {
	Source(ctx context.Context, id string) (store.Source, error)
	Pushes(ctx context.Context) ([]store.Push, error)
	Push(ctx context.Context, token string) (store.Push, error)
	OpenPush(ctx context.Context, p store.Push, now time.Time) (opened bool, err error)
	LeavePush(ctx context.Context, source string, now time.Time) error
	LeaveUnwanted(ctx context.Context, now time.Time) error
	ClaimPushes(ctx context.Context, c store.Claim) ([]store.Push, error)
	SettlePush(ctx context.Context, p store.Push) error
	VerifyPush(ctx context.Context, token string, now, expires, next time.Time) error
	DenyPush(ctx context.Context, token, detail string, next time.Time) error
	DeliveredPush(ctx context.Context, token string, now time.Time) error
	MissPush(ctx context.Context, token string) error
	DropPush(ctx context.Context, token string) error
}

// subscriber keeps the subscriptions to the hubs that sources name (WebSub,
// W3C Recommendation of 2018-01-23): it asks, answers what hubs ask back, and
// takes in what they deliver. All it knows is in the store; what is here is a
// copy at most pushTick old.
type subscriber struct {
	store    PushStore
	log      *slog.Logger
	metrics  *pushMetrics
	client   *http.Client // follows no redirect by itself
	agent    string
	base     string // of callbacks, without the token; "" = no hub is asked
	by       string
	now      func() time.Time
	knows    func(source string) bool
	maxBytes func() int64 // of a delivery
	deliver  func(ctx context.Context, p store.Push, doc *Document) string
	enter    func(ctx context.Context, address string) (leave func(), err error) // waits for a hub's host; nil = does not

	running atomic.Bool
	wake    chan struct{} // holds a token when there is something to ask
	inbox   inbox
	mu      sync.Mutex
	known   map[string]store.Push // by source, those that are not leaving
	absent  map[string]int        // documents in a row that named no hub, by source
	failing map[string]time.Time  // when a hub failed a source, by source and hub
}

func newSubscriber(cfg Config, st Store, log *slog.Logger, m *pushMetrics) *subscriber {
	client := GuardedClient(cfg.Limits)
	return &subscriber{store: st, log: log, metrics: m, client: client, agent: cfg.Agent, base: callbackBase(cfg), maxBytes: func() int64 { return cfg.Limits.MaxBytes },
		wake: make(chan struct{}, 1), inbox: inbox{queue: make(chan delivery, maxWaiting)}, known: map[string]store.Push{}, absent: map[string]int{}, failing: map[string]time.Time{}}
}

// callbackBase is where hubs reach us, or "" if they are not to be asked or
// cannot: a hub elsewhere does not find our loopback.
func callbackBase(cfg Config) string {
	if cfg.Limits.WebSub != nil && !*cfg.Limits.WebSub || !cfg.Public() {
		return ""
	}
	return strings.TrimRight(cfg.BaseURL, "/") + callbackPath
}

// Public says whether others can reach the site: its address is given, and not
// at loopback or private unless such addresses are admitted.
func (c Config) Public() bool {
	u, err := url.Parse(c.BaseURL)
	if c.BaseURL == "" || err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	here := u.Hostname() == "localhost" || err == nil && closed(a)
	return !here || c.Limits.AllowPrivate
}

// takeIn takes in deliveries until ctx ends; then it finishes what it has
// accepted.
func (s *subscriber) takeIn(ctx context.Context) {
	var work sync.WaitGroup
	for range deliveryWorkers {
		work.Go(func() { s.inbox.work(s.take) })
	}
	<-ctx.Done()
	s.inbox.close()
	work.Wait()
}

// run asks hubs and takes in deliveries until ctx ends.
func (s *subscriber) run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { s.takeIn(ctx) })
	s.running.Store(true)
	tick := time.NewTicker(pushTick)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := s.turn(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("keep subscriptions", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.wake:
		}
	}
	work.Wait()
	s.client.CloseIdleConnections()
}

// turn brings the copy up to date and asks every hub that is due.
func (s *subscriber) turn(ctx context.Context) error {
	for ctx.Err() == nil {
		now := s.now()
		all, err := s.store.Pushes(ctx)
		if err != nil {
			return err
		}
		s.remember(all, now)
		if changed, err := s.leaveSome(ctx, all, now); err != nil || changed {
			if err != nil {
				return err
			}
			continue
		}
		if !slices.ContainsFunc(all, func(p store.Push) bool { return p.Free(now) }) {
			return nil
		}
		claimed, err := s.store.ClaimPushes(ctx, store.Claim{Now: now, Lease: pushLease, By: s.by, Limit: hubsAtOnce})
		if err != nil || len(claimed) == 0 {
			return err
		}
		var asking sync.WaitGroup
		for _, p := range claimed {
			asking.Go(func() { s.ask(ctx, p) })
		}
		asking.Wait()
	}
	return nil
}

// leaveSome gives up what is wanted no longer: the source has left feeds.yaml,
// or the site wants no pushes.
func (s *subscriber) leaveSome(ctx context.Context, all []store.Push, now time.Time) (changed bool, err error) {
	unwanted := false
	for _, p := range all {
		switch {
		case p.State == store.PushLeaving:
		case !p.Wanted:
			unwanted = true
		case s.base == "":
			changed = true
			if err := s.store.LeavePush(ctx, p.Source, now); err != nil {
				return changed, err
			}
		}
	}
	if unwanted {
		return true, s.store.LeaveUnwanted(ctx, now)
	}
	return changed, nil
}

// remember takes over what the store holds.
func (s *subscriber) remember(all []store.Push, now time.Time) {
	known := map[string]store.Push{}
	counts := map[string]float64{}
	for _, p := range all {
		counts[Standing(p, now)]++
		if p.State != store.PushLeaving {
			known[p.Source] = p
		}
	}
	for _, state := range standings {
		s.metrics.subscriptions.WithLabelValues(state).Set(counts[state])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = known
}

// standings are all that Standing says.
var standings = []string{"pending", "verified", "lapsed", "distrusted", "denied", "leaving"}

// Standing is what can be said of a subscription now: pending, verified,
// lapsed (its lease has ended), distrusted (its hub delivers nothing), denied
// or leaving.
func Standing(p store.Push, now time.Time) string {
	switch {
	case p.State != store.PushVerified:
		return string(p.State)
	case !p.Expires.After(now):
		return "lapsed"
	case !trusted(p, now, 0):
		return "distrusted"
	}
	return "verified"
}

// trusted says whether a source may be polled as a back-up only, given that
// its hub has missed some news more than is stored.
func trusted(p store.Push, now time.Time, more int) bool {
	credit := maxMissed
	if p.Delivered.IsZero() {
		credit = 1
	}
	return p.State == store.PushVerified && p.Expires.After(now) && p.Missed+more < credit
}

// backUp stretches the interval of a source whose hub is trusted: a pure
// function.
func backUp(st store.SourceState, p store.Push, every Every, brought bool, now time.Time) store.SourceState {
	more := 0
	if brought {
		more = 1
	}
	if !st.Outcome.OK() || !trusted(p, now, more) {
		return st
	}
	wait := st.NextAt.Sub(now)
	if stretched := min(wait*backUpFactor, time.Duration(every.Max)); stretched > wait {
		st.NextAt = now.Add(stretched)
		st.Why += "; its hub pushes the news, so visits are a back-up"
	}
	return st
}

// settle is backUp with what is known of the source.
func (s *subscriber) settle(st store.SourceState, id string, every Every, fresh int, now time.Time) store.SourceState {
	s.mu.Lock()
	p := s.known[id]
	s.mu.Unlock()
	return backUp(st, p, every, fresh > 0, now)
}

// visited draws the conclusions of a visit: that a hub has missed news, and
// which hub the document names.
func (s *subscriber) visited(ctx context.Context, r Report) {
	if !r.Outcome.OK() || !s.running.Load() {
		return
	}
	now := s.now()
	log := s.log.With("source", r.Source.ID, "visit", r.trace)
	s.mu.Lock()
	p, known := s.known[r.Source.ID]
	s.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if known && p.State == store.PushVerified && p.Expires.After(now) && r.Changes.New > 0 {
		s.missed(ctx, p, now, log)
	}
	if r.advert == nil || s.base == "" {
		return
	}
	var err error
	switch hub := s.choose(p, *r.advert, r.Source.ID, now); {
	case hub == "":
	case hub == leaveHub:
		log.Info("hub is no longer named")
		err = s.store.LeavePush(ctx, r.Source.ID, now)
	default:
		err = s.open(ctx, r.Source.ID, hub, r.advert.topic, now, log)
	}
	if err != nil {
		log.Error("change subscription", "error", err)
	}
}

func (s *subscriber) open(ctx context.Context, source, hub, topic string, now time.Time, log *slog.Logger) error {
	token := secretText()
	opened, err := s.store.OpenPush(ctx, store.Push{Token: token, Source: source, Hub: hub, Topic: topic,
		Callback: s.base + token, Secret: secretText()}, now)
	if opened {
		log.Info("source names a hub", "hub", hub, "topic", topic)
		s.awake()
	}
	return err
}

func (s *subscriber) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// secretText is 256 random bits in letters that every address may hold.
func secretText() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// missed notes that a visit found news which the hub had not delivered.
func (s *subscriber) missed(ctx context.Context, p store.Push, now time.Time, log *slog.Logger) {
	s.metrics.missed.Inc()
	if err := s.store.MissPush(ctx, p.Token); err != nil && !errors.Is(err, store.ErrNotFound) {
		log.Error("note missed delivery", "error", err)
	}
	if trusted(p, now, 0) && !trusted(p, now, 1) {
		log.Warn("hub does not deliver, so its source is visited as if it had none", "hub", p.Hub)
	}
	s.amend(p, func(k *store.Push) { k.Missed++ })
}

// amend changes the copy of a subscription ahead of the store's next reading.
func (s *subscriber) amend(p store.Push, change func(*store.Push)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.known[p.Source]; ok && k.Token == p.Token {
		change(&k)
		s.known[p.Source] = k
	}
}

// askAgain is when to repeat a request that has failed so many times in a row.
func askAgain(fails int, now time.Time) time.Time {
	wait := firstAskAgain
	for i := 1; i < fails && wait < lastAskAgain; i++ {
		wait *= 2
	}
	return now.Add(jittered(min(wait, lastAskAgain)))
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*mathrand.Float64()-1)))
}
