package aggregator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

const (
	// opinionEvery is how often an opinion is learned, at most.
	opinionEvery = 24 * time.Hour
	// opinionFresh is how many items must have come since the last time.
	opinionFresh = leastOpinionItems
	// opinionCheck is how often it is asked whether to learn, and whether
	// another process has.
	opinionCheck = 10 * time.Minute
	// opinionScanned bounds how many items are read to find those of sections.
	opinionScanned = 10 * maxOpinionItems
	// opinionBatch is how many items are read at a time.
	opinionBatch = 200
	// opinionRest is the share of time that learning leaves to the visits.
	opinionRest = 0.75
)

// OpinionStore is what learning a second opinion needs of the store.
type OpinionStore interface {
	OpinionReader
	ClaimOpinion(ctx context.Context, now time.Time, every time.Duration, fresh int) (bool, error)
	SaveOpinion(ctx context.Context, model []byte, now time.Time) error
	ItemsBack(ctx context.Context, before int64, since time.Time, limit int) ([]store.Item, error)
	Sources(ctx context.Context) ([]store.Source, error)
}

// OpinionReader is what having one needs.
type OpinionReader interface {
	Opinion(ctx context.Context, after time.Time) (model []byte, learned time.Time, err error)
}

// ReadOpinion returns the stored opinion, nil if there is none of this form.
func ReadOpinion(ctx context.Context, st OpinionReader) (*Opinion, error) {
	model, _, err := st.Opinion(ctx, time.Time{})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case len(model) == 0:
		return nil, nil
	}
	o, err := DecodeOpinion(model)
	if err != nil {
		return nil, nil // another program's: it is learned anew
	}
	return o, nil
}

// LearnOpinion learns from what is stored, the newest items first, and stores
// what comes of it; nil if the items teach nothing that is good enough. pause
// is called often and ends it with an error.
func LearnOpinion(ctx context.Context, st OpinionStore, cfg Config, now time.Time, pause func() error) (*Opinion, error) {
	sources, err := st.Sources(ctx)
	if err != nil {
		return nil, err
	}
	reader, l := NewItemReader(cfg, sources), NewLearner()
	for before, scanned := int64(0), 0; scanned < opinionScanned && !l.Full(); {
		items, err := st.ItemsBack(ctx, before, time.Time{}, opinionBatch)
		if err != nil {
			return nil, err
		}
		for i := range items {
			l.Add(reader.head(&items[i]))
		}
		if err := pause(); err != nil {
			return nil, err
		}
		if len(items) < opinionBatch {
			break
		}
		before, scanned = items[len(items)-1].ID, scanned+len(items)
	}
	var stopped error
	o := l.Learn(func() bool { stopped = pause(); return stopped == nil })
	if stopped != nil {
		return nil, stopped
	}
	var model []byte
	if o != nil {
		if model, err = o.Encode(); err != nil {
			return nil, err
		}
	}
	return o, st.SaveOpinion(ctx, model, now)
}

// head is Text without the body, of which an opinion knows nothing.
func (r *ItemReader) head(it *store.Item) Text {
	return Text{Title: it.Title, Summary: it.Summary, Section: r.sections[it.Source], Scope: r.scopes[it.Outlet]}
}

// secondOpinion keeps the opinion that is in force: it learns one where it is
// this process's turn, and takes over what another has learned.
func (a *Aggregator) secondOpinion(ctx context.Context) {
	if !a.set().cfg.hasOpinion() {
		return
	}
	tick := time.NewTicker(opinionCheck)
	defer tick.Stop()
	for {
		if err := a.learnOpinion(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("learn second opinion", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a.takeOpinion(ctx)
	}
}

// learnOpinion learns if it is due and nobody else does.
func (a *Aggregator) learnOpinion(ctx context.Context) error {
	mine, err := a.store.ClaimOpinion(ctx, a.now(), opinionEvery, opinionFresh)
	if err != nil || !mine {
		return err
	}
	began := time.Now()
	last := began
	o, err := LearnOpinion(ctx, a.store, a.set().cfg, a.now(), func() error {
		err := pauseFor(ctx, time.Duration(float64(time.Since(last))*opinionRest/(1-opinionRest)))
		last = time.Now()
		return err
	})
	if err != nil {
		return err
	}
	items, heard := 0, 0
	if o != nil {
		items, heard = o.Items(), o.Heard()
	}
	a.log.Info("second opinion learned", "items", items, "topics_heard", heard, "took_ms", time.Since(began).Milliseconds())
	a.takeOpinion(ctx)
	return nil
}

// takeOpinion takes over an opinion that was stored since the last time.
func (a *Aggregator) takeOpinion(ctx context.Context) {
	if !a.set().cfg.hasOpinion() {
		return
	}
	model, learned, err := a.store.Opinion(ctx, a.opinionAt)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		if ctx.Err() == nil {
			a.log.Error("read second opinion", "error", err)
		}
		return
	}
	a.opinionAt = learned
	var o *Opinion
	if len(model) > 0 {
		if o, err = DecodeOpinion(model); err != nil {
			a.log.Warn("second opinion not used", "error", err)
		}
	}
	a.ruling.Lock()
	a.classifier.Store(a.classifier.Load().With(o))
	a.ruling.Unlock()
	heard := 0
	if o != nil {
		heard = o.Heard()
	}
	a.metrics.opinionHeard.Set(float64(heard))
	a.metrics.opinionLearned.Set(unixSeconds(learned))
}

// The words of feeds.yaml's "second_opinion".
const (
	opinionOn  = "on"
	opinionOff = "off"
)

// hasOpinion tells whether there may be a second opinion.
func (c *Config) hasOpinion() bool { return c.SecondOpinion != opinionOff }

// Opinionated is the classifier of a configuration with the opinion that is
// stored, if the configuration wants one.
func Opinionated(ctx context.Context, cfg Config, c *Classifier, st OpinionReader) (*Classifier, error) {
	if !cfg.hasOpinion() {
		return c, nil
	}
	o, err := ReadOpinion(ctx, st)
	if err != nil {
		return nil, err
	}
	return c.With(o), nil
}

func checkOpinion(word string, report func(path, problem string)) {
	if word != "" && word != opinionOn && word != opinionOff {
		report("second_opinion", fmt.Sprintf("second_opinion %q: want on or off", word))
	}
}

func newOpinionGauges() (heard, learned prometheus.Gauge) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help})
	}
	return gauge("topic_opinion_topics", "Topics that the learned second opinion may give to items without one; 0 while it has too little to learn from, or is switched off."),
		gauge("topic_opinion_learned_timestamp_seconds", "When the second opinion in force was learned, 0 if there is none.")
}
