// Package aggregator gathers the news: it decides when to visit a source,
// fetches politely, reads what comes however broken it is, cleans it, sorts it
// into topics and hands it to the store, which asks back what is the same
// story.
//
//	due → look (fetch → read → normalise, with topics) → store.Record
//	due article → fetch → read → keep → store.RecordArticle
//
// A visit never stops another, and ends in exactly one store.Outcome.
package aggregator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

const (
	// lease is how long a claimed source belongs to this process; a process
	// that was killed gives its sources back that way.
	lease = 5 * time.Minute
	// claimsPerWorker is how many claimed sources may wait for their host or
	// for a worker.
	claimsPerWorker = 4
	// shortestWait and longestWait bound the pause of the loop when nothing is
	// due: other replicas and edited configurations show up within it.
	shortestWait = 20 * time.Millisecond
	longestWait  = 2 * time.Second
	// openingHold is how long, at most, the first sweep after a start keeps
	// new stories from being listed. Then many sources come at once, in any
	// order, and a copy must not be quoted because it came before its original.
	openingHold = 10 * time.Second
	// roundHold is the same for a round by hand, which ends it itself.
	roundHold = time.Hour
	// listEvery is how often held stories are looked at.
	listEvery = time.Second
	// listBatch bounds the stories listed in one transaction.
	listBatch = 64
	// tidyUp bounds what is still done after the end was asked for.
	tidyUp = 5 * time.Second
)

// Store is what the inner half needs remembered.
type Store interface {
	Due(ctx context.Context, c store.Claim) ([]store.Source, error)
	NextDue(ctx context.Context) (time.Time, bool, error)
	Sources(ctx context.Context) ([]store.Source, error)
	Record(ctx context.Context, r store.Refresh, j store.Judge) (store.Changes, error)
	List(ctx context.Context, now time.Time, limit int, j store.Judge) ([]time.Duration, error)
	Unhold(ctx context.Context, pages bool) error
	ArticleStore
	CheckSoon(ctx context.Context, outlet string, gone, back []string, now time.Time) error
	Checks(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]store.Check, error)
	Sibling(ctx context.Context, c store.Check) (string, error)
	Checked(ctx context.Context, c store.Check, v store.Verdict, now time.Time, j store.Judge) (withdrawn, restored bool, err error)
	Release(ctx context.Context, by string) error
	PushStore
	ReclassifyStore
	OpinionStore
}

// ArticleStore is what reading the pages of new items needs of the store.
type ArticleStore interface {
	DueArticles(ctx context.Context, c store.ArticleClaim) ([]store.DueArticle, error)
	RecordArticle(ctx context.Context, v store.ArticleVisit, j store.Judge) (store.ArticleState, store.Changes, error)
	GiveBackArticles(ctx context.Context, by string, items []int64) error
	ArticleQueue(ctx context.Context) (store.ArticleQueue, error)
	DropTexts(ctx context.Context, before time.Time, limit int) (int, error)
}

// Aggregator visits the sources of a configuration.
type Aggregator struct {
	setup      atomic.Pointer[Setup]
	store      Store
	log        *slog.Logger
	metrics    *metrics
	fetch      *fetcher
	claiming   sync.Mutex                 // held while sources are claimed, and while the setup changes
	ruling     sync.Mutex                 // held to change classifier
	classifier atomic.Pointer[Classifier] // of the rules, with the opinion in force
	opinionAt  time.Time                  // when that was learned
	hosts      *hosts
	push       *subscriber
	pages      pageMemory // articles read of late
	articles   *articleQueue
	opening    *sweep // the sources that were due at the start
	plan       atomic.Pointer[plan]
	changed    chan struct{} // holds a token after a new setup
	turned     atomic.Pointer[turn]
	contents   contents       // what stood in each source's last document
	apply      chan time.Time // asks for re-classification of what was seen since
	by         string         // who holds the leases
	now        func() time.Time

	stopApplying context.CancelFunc // ends the re-classification under way; nil = none
}

// New builds an aggregator from a configuration that passed Check. st may be
// nil if only Probe is called. Its metrics are registered with reg.
func New(cfg Config, st Store, log *slog.Logger, reg prometheus.Registerer) (*Aggregator, error) {
	given := cfg
	cfg.Limits = cfg.Limits.withDefaults()
	host, _ := os.Hostname()
	a := &Aggregator{store: st, log: log, metrics: newMetrics(reg), fetch: newFetcher(cfg.Agent, cfg.Limits), articles: newArticleQueue(),
		apply: make(chan time.Time, 1), changed: make(chan struct{}, 1), by: fmt.Sprintf("%s/%d/%d", host, os.Getpid(), rand.Uint32()), now: time.Now}
	set, err := a.Setup(given)
	if err != nil {
		return nil, err
	}
	a.setup.Store(set)
	a.classifier.Store(set.classifier)
	a.hosts = newHosts(time.Duration(*cfg.Limits.HostPause), func() time.Time { return a.now() })
	a.hosts.explicit = set.paused
	a.push = newSubscriber(cfg, st, log, newPushMetrics(reg))
	a.push.by, a.push.now, a.push.deliver = a.by, func() time.Time { return a.now() }, a.deliver
	a.push.knows = func(id string) bool { _, ok := a.set().sources[id]; return ok }
	a.push.maxBytes = func() int64 { return a.set().cfg.Limits.MaxBytes }
	a.opening = newSweep(nil, 0, a.now())
	a.metrics.gate.show(cfg.Gate)
	a.metrics.knownTopics(cfg.Topics)
	unknown := cfg.StoreSources()
	for i := range unknown {
		unknown[i].Active = true
	}
	a.replan(unknown)
	return a, nil
}

// Run visits sources as they fall due until ctx ends, waits for the visits
// under way, and gives back what it had claimed.
func (a *Aggregator) Run(ctx context.Context) error {
	all, err := a.store.Sources(ctx)
	if err != nil {
		return err
	}
	if g := a.set().cfg.Gate; g.Set() {
		a.log.Info("topics passed the gate", "f1", g.Scores.Micro.F1, "floor", g.F1, "primary", g.Scores.Primary, "items", g.Scores.N)
	}
	a.showStates(all)
	a.replan(all)
	a.opening = newSweep(overdue(all, a.now()), openingHold, a.now())
	a.takeOpinion(ctx)
	var visits sync.WaitGroup
	visits.Go(func() { a.listHeld(ctx) })
	visits.Go(func() { a.push.run(ctx) })
	visits.Go(func() { a.checkPages(ctx) })
	visits.Go(func() { a.readArticlePages(ctx) })
	visits.Go(func() { a.reclassify(ctx) })
	visits.Go(func() { a.secondOpinion(ctx) })
	a.dispatch(ctx, &visits)
	visits.Wait()
	a.fetch.close()
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyUp)
	defer cancel()
	return a.store.Release(tidy, a.by)
}

func (a *Aggregator) showStates(all []store.Source) {
	for _, s := range all {
		if s.Active {
			a.metrics.source(s.ID, s.State)
			a.metrics.silence(s, s.State, a.now())
		}
	}
}

// dispatch claims what is due and starts its visits. A store that fails is
// asked again: it may come back.
func (a *Aggregator) dispatch(ctx context.Context, visits *sync.WaitGroup) {
	var claims atomic.Int64
	planned := a.now()
	for ctx.Err() == nil {
		if a.now().Sub(planned) >= planEvery {
			planned = a.now()
			if all, err := a.store.Sources(ctx); err == nil { // else the old plan does
				a.replan(all)
			}
		}
		set, due, at, ok, err := a.claim(ctx, int(claims.Load()))
		a.turned.Store(&turn{a.now(), err})
		if err != nil && ctx.Err() == nil {
			a.log.Error("claim sources", "error", err)
		}
		for _, s := range due {
			claims.Add(1)
			visits.Go(func() {
				defer claims.Add(-1)
				a.visit(ctx, set, s)
			})
		}
		if len(due) == 0 {
			a.pause(ctx, at, ok && err == nil)
		}
	}
}

// turn is when the loop last looked for what is due, and the fault if it could
// not.
type turn struct {
	at  time.Time
	err error
}

// LastTurn is when the loop last looked for what is due, zero if it never did,
// and why it could not.
func (a *Aggregator) LastTurn() (time.Time, error) {
	t := a.turned.Load()
	if t == nil {
		return time.Time{}, nil
	}
	return t.at, t.err
}

// claim takes what is due and free, with the setup by which it is to be visited;
// at says when the next source is due, if ok.
func (a *Aggregator) claim(ctx context.Context, claimed int) (set *Setup, due []store.Source, at time.Time, ok bool, err error) {
	a.claiming.Lock()
	defer a.claiming.Unlock()
	set = a.set()
	free := claimsPerWorker*cap(set.slots) - claimed
	at, ok, err = a.store.NextDue(ctx)
	if err == nil && ok && free > 0 && !at.After(a.now()) {
		due, err = a.store.Due(ctx, store.Claim{Now: a.now(), Lease: lease, By: a.by, Limit: free})
	}
	return set, due, at, ok, err
}

// pause waits until the next source is due, within bounds.
func (a *Aggregator) pause(ctx context.Context, next time.Time, known bool) {
	wait := longestWait
	if known {
		wait = min(max(next.Sub(a.now()), shortestWait), longestWait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-a.changed:
		a.takeUp(ctx)
	case <-timer.C:
	}
}

// listHeld lists the stories whose hold is over and whose outlet's delay has
// passed. The opening sweep's hold ends with the sweep, whose stories are
// listed when no page is waited for any more.
func (a *Aggregator) listHeld(ctx context.Context) {
	tick := time.NewTicker(listEvery)
	defer tick.Stop()
	swept, opening := a.opening.over, true
	for {
		select {
		case <-ctx.Done():
			return
		case <-swept:
			swept = nil
		case <-tick.C:
		}
		var err error
		if opening && swept == nil {
			err = a.store.Unhold(ctx, false)
		}
		if err == nil {
			_, err = a.list(ctx)
		}
		if err == nil && opening && swept == nil {
			var q store.ArticleQueue
			if q, err = a.store.ArticleQueue(ctx); err == nil && (q.Held == 0 || a.now().Sub(a.opening.start) > openingHold+a.set().cfg.Limits.hold()) {
				opening = false
				_, err = a.list(ctx)
				a.metrics.swept.Set(1)
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("list held stories", "error", err)
		}
	}
}

// list lists all that is ready, in batches, and says how many.
func (a *Aggregator) list(ctx context.Context) (listed int, err error) {
	for {
		waits, err := a.store.List(ctx, a.now(), listBatch, a.judging())
		a.metrics.listings(waits)
		listed += len(waits)
		if err != nil || len(waits) < listBatch {
			return listed, err
		}
	}
}

// Round visits every active source once, due or not, calls onVisit after each,
// and says how many stories it listed at the end, when every copy had its
// chance. A source that another process has claimed is left to it.
func (a *Aggregator) Round(ctx context.Context, onVisit func(Report)) (listed int, err error) {
	all, err := a.store.Due(ctx, store.Claim{Now: a.now(), Lease: lease, By: a.by, Limit: len(a.set().sources), All: true})
	if err != nil {
		return 0, err
	}
	a.replan(all)
	a.opening = newSweep(all, roundHold, a.now())
	a.takeOpinion(ctx)
	var visits sync.WaitGroup
	var mu sync.Mutex
	for _, s := range all {
		visits.Go(func() {
			r, ok := a.visit(ctx, a.set(), s)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				onVisit(r)
			}
		})
	}
	visits.Wait()
	err = a.readRound(ctx)
	a.fetch.close()
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyUp)
	defer cancel()
	err = errors.Join(err, a.store.Unhold(tidy, true))
	if err == nil {
		listed, err = a.list(tidy)
	}
	return listed, errors.Join(err, ctx.Err(), a.store.Release(tidy, a.by))
}

// enter waits for the source's host, then for a worker. Waiting for the host
// holds no worker: one slow outlet with a dozen feeds blocks nobody else, and its
// own feeds not for longer than its patience.
func (a *Aggregator) enter(ctx context.Context, address string) (leave func(), err error) {
	return a.enterAmong(ctx, address, a.set().slots)
}

// enterAmong waits for a host, then for one of the places.
func (a *Aggregator) enterAmong(ctx context.Context, address string, places chan struct{}) (leave func(), err error) {
	in, err := a.hosts.enter(ctx, address)
	if err != nil {
		return nil, err
	}
	select {
	case places <- struct{}{}:
		in.begin()
		return func() { <-places; in.leave() }, nil
	case <-ctx.Done():
		in.leave()
		return nil, ctx.Err()
	}
}
