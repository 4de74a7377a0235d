package aggregator

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// Setup is what a configuration makes of the loop. It is never changed but for
// its memories, and replaced as a whole, so that whoever holds one sees one
// configuration.
type Setup struct {
	cfg        Config // with its defaults
	paused     bool   // limits.host_pause was given
	names      *Names
	judge      *Judge
	classifier *Classifier           // of the rules alone
	sources    map[string]configured // by source id
	slots      chan struct{}         // one token a worker
	pages      chan struct{}         // one token a page of an article that is being fetched or read
	stranger   access                // to what is not on a source's own site
	memories   memories
	children   childMemory // the sitemaps of indexes
}

// configured is a source with its outlet, as the configuration has them.
type configured struct {
	source SourceConfig
	outlet store.Outlet
	zone   *time.Location
	access access
}

// set is the setup in force.
func (a *Aggregator) set() *Setup { return a.setup.Load() }

// Setup prepares a configuration that passed Check, and changes nothing. What
// it says of Agent, BaseURL and SecondOpinion, and of Limits' AllowPrivate and
// WebSub, must be what New was given.
func (a *Aggregator) Setup(cfg Config) (*Setup, error) {
	s := &Setup{paused: cfg.Limits.HostPause != nil, sources: map[string]configured{}}
	cfg.Limits = cfg.Limits.withDefaults()
	s.cfg = cfg
	var err error
	if s.classifier, err = NewClassifier(cfg.Topics); err != nil {
		return nil, fmt.Errorf("compile topics: %w", err)
	}
	outlets := cfg.StoreOutlets()
	s.names = NewNames(outlets)
	s.judge = NewJudge(s.names)
	s.slots = make(chan struct{}, cfg.Limits.Workers)
	s.pages = make(chan struct{}, max(1, cfg.Limits.Workers/2)) // pages never take the places of visits
	s.stranger = a.fetch.access(SourceConfig{})
	before := a.set()
	for i, o := range cfg.Outlets {
		for _, src := range o.Sources {
			zone, err := zoneOf(src.Zone)
			if err != nil {
				return nil, fmt.Errorf("source %s: %w", src.ID, err)
			}
			src.Article = src.Article.or(o.Article)
			s.sources[src.ID] = configured{source: src.withDefaults(), outlet: outlets[i], zone: zone, access: a.accessAsBefore(src, before)}
		}
	}
	return s, nil
}

// accessAsBefore is the way to a source: the one it had, with its cookies, if
// the configuration says the same of it.
func (a *Aggregator) accessAsBefore(src SourceConfig, before *Setup) access {
	if before != nil {
		was, ok := before.sources[src.ID]
		s := was.source
		password, _ := src.password() // Check has read it before
		if ok && s.URL == src.URL && s.AllowPrivate == src.AllowPrivate && s.User == src.User && s.PasswordEnv == src.PasswordEnv &&
			s.Proxy == src.Proxy && s.Cookies == src.Cookies && was.access.password == password {
			return was.access
		}
	}
	return a.fetch.access(src)
}

// Adopt puts a setup in force once sync has given the store the outlets and
// sources of its configuration; if sync fails, the one before stays. What was
// claimed before is visited by that, the rest by this: nothing is claimed in
// between.
func (a *Aggregator) Adopt(s *Setup, sync func() error) error {
	a.claiming.Lock()
	defer a.claiming.Unlock()
	if err := sync(); err != nil {
		return err
	}
	a.use(s)
	select {
	case a.changed <- struct{}{}:
	default: // the loop will look anyway
	}
	return nil
}

func (a *Aggregator) use(s *Setup) {
	a.ruling.Lock()
	defer a.ruling.Unlock()
	before := a.setup.Swap(s)
	a.fetch.limits.Store(&s.cfg.Limits)
	a.hosts.setPause(time.Duration(*s.cfg.Limits.HostPause), s.paused)
	a.classifier.Store(s.classifier.With(a.classifier.Load().opinion))
	if RulesDigest(before.cfg) != RulesDigest(s.cfg) && a.stopApplying != nil {
		a.stopApplying() // what is stored would be judged by rules that are no longer in force
	}
	a.metrics.gate.show(s.cfg.Gate)
	a.metrics.knownTopics(s.cfg.Topics)
	for id := range before.sources {
		if _, still := s.sources[id]; !still {
			a.metrics.forget(id, before.sources[id].outlet.ID)
		}
	}
}

// PushedAfter is where the hub notes how long a change took to a subscriber:
// the last stage of the freshness.
func (a *Aggregator) PushedAfter() prometheus.Observer {
	return a.metrics.freshness.WithLabelValues("pushed")
}

// TakeDeliveries takes in what hubs deliver to Callback until ctx ends, where
// Run, which does so too, runs in another process.
func (a *Aggregator) TakeDeliveries(ctx context.Context) error {
	a.push.takeIn(ctx)
	return nil
}

// takeUp follows a new setup: what is due, and when, is asked anew.
func (a *Aggregator) takeUp(ctx context.Context) {
	all, err := a.store.Sources(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Error("read sources", "error", err)
		}
		return
	}
	a.replan(all)
	a.showStates(all)
	for _, src := range all {
		if !src.Active {
			a.opening.done(src.ID) // nobody will visit it
		}
	}
}
