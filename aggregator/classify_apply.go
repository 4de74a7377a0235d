package aggregator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diemtin/store"
)

// ReclassifyStore is what judging anew what is stored needs of the store.
type ReclassifyStore interface {
	ItemsBack(ctx context.Context, before int64, since time.Time, limit int) ([]store.Item, error)
	OpinionReader
	Reclassification(ctx context.Context) (store.Reclassification, error)
	BeginReclassify(ctx context.Context, rules string, since, now time.Time) (store.Reclassification, error)
	Reclassify(ctx context.Context, rules string, place int64, before []store.Item, topics [][]store.ItemTopic, now time.Time) (store.Reclassification, error)
	MoveReclassified(ctx context.Context, rules string, limit int, now time.Time) (store.Reclassification, error)
}

// reclassifyBatch is how many items or stories one transaction holds, so that
// visits wait little: as many as the store commits together at best.
const reclassifyBatch = 64

// Reclassifier judges what is stored by its rules.
type Reclassifier struct {
	Rules      string // a digest of the rules: two with the same give the same topics
	store      ReclassifyStore
	cfg        Config
	classifier *Classifier
	reader     *ItemReader
	now        func() time.Time
}

// NewReclassifier takes the rules and sections of cfg; stored are the sources
// that the store knows.
func NewReclassifier(cfg Config, st ReclassifyStore, stored []store.Source) (*Reclassifier, error) {
	c, err := NewClassifier(cfg.Topics)
	if err != nil {
		return nil, err
	}
	return &Reclassifier{Rules: RulesDigest(cfg), store: st, cfg: cfg, classifier: c, reader: NewItemReader(cfg, stored), now: time.Now}, nil
}

// RulesDigest is the same for two configurations that give every item the same
// topics, the second opinion apart: it is made of the rules and the sections.
func RulesDigest(cfg Config) string {
	type section struct {
		Source string
		Topic  store.Topic
		Scope  store.Scope
	}
	var sections []section
	for _, o := range cfg.Outlets {
		for _, s := range o.Sources {
			sections = append(sections, section{s.ID, s.Topic, o.Scope})
		}
	}
	told := []any{cfg.Topics, sections}
	if !cfg.hasOpinion() {
		told = append(told, opinionOff)
	}
	text, err := json.Marshal(told)
	if err != nil {
		panic(fmt.Sprintf("aggregator: encode rules: %v", err)) // texts and numbers always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Run judges every stored item that was seen since (the zero time = all), from
// the newest back, and then moves the stories whose topics changed. What an
// interrupted run with the same rules has done is not done again; its since
// holds. progress is called after every transaction. rest is the share of time
// that the store is left to others, 0 to 0.9.
func (r *Reclassifier) Run(ctx context.Context, since time.Time, rest float64, progress func(store.Reclassification)) (store.Reclassification, error) {
	classifier, err := Opinionated(ctx, r.cfg, r.classifier, r.store)
	if err != nil {
		return store.Reclassification{}, err
	}
	c, err := r.store.BeginReclassify(ctx, r.Rules, since, r.now())
	for err == nil && c.Phase != store.ReclassifyDone {
		progress(c)
		began := time.Now()
		if c.Phase == store.ReclassifyItems {
			c, err = r.batch(ctx, c, classifier)
		} else {
			c, err = r.store.MoveReclassified(ctx, r.Rules, reclassifyBatch, r.now())
		}
		if err == nil {
			err = pauseFor(ctx, time.Duration(float64(time.Since(began))*rest/(1-rest)))
		}
	}
	if err != nil && ctx.Err() == nil { // another process with the same rules may have seen it through
		if now, fault := r.store.Reclassification(ctx); fault == nil && now.Rules == r.Rules && now.Phase == store.ReclassifyDone {
			c, err = now, nil
		}
	}
	if err == nil {
		progress(c)
	}
	return c, err
}

// batch judges the next items.
func (r *Reclassifier) batch(ctx context.Context, c store.Reclassification, classifier *Classifier) (store.Reclassification, error) {
	items, err := r.store.ItemsBack(ctx, c.Place, c.Since, reclassifyBatch)
	if err != nil {
		return c, err
	}
	topics := make([][]store.ItemTopic, len(items))
	for i := range items {
		topics[i] = classifier.Classify(r.reader.Text(&items[i]))
	}
	return r.store.Reclassify(ctx, r.Rules, c.Place, items, topics, r.now())
}

// pauseFor waits, or returns early with the error of ctx.
func pauseFor(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ErrApplying is returned while a re-classification is asked for already.
var ErrApplying = errors.New("a re-classification has been asked for already")

// ApplyTopics asks the running loop to judge anew, by the rules in force, what
// was seen since (the zero time = all). It returns at once; the store's
// Reclassification says how far it has come.
func (a *Aggregator) ApplyTopics(since time.Time) error {
	select {
	case a.apply <- since:
		return nil
	default:
		return ErrApplying
	}
}

// reclassifyRest is the share of time that a re-classification leaves to the
// visits of a running service.
const reclassifyRest = 0.5

// reclassify goes on with a re-classification that was interrupted, if the
// rules are still the same, and then waits for others to be asked for.
func (a *Aggregator) reclassify(ctx context.Context) {
	if c, err := a.store.Reclassification(ctx); err == nil && c.Phase != store.ReclassifyDone && c.Rules == RulesDigest(a.set().cfg) {
		a.applyTopics(ctx, c.Since)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case since := <-a.apply:
			a.applyTopics(ctx, since)
		}
	}
}

func (a *Aggregator) applyTopics(end context.Context, since time.Time) {
	ctx, stop := context.WithCancel(end)
	defer stop()
	a.ruling.Lock()
	a.stopApplying = stop
	cfg := a.set().cfg
	a.ruling.Unlock()
	stored, err := a.store.Sources(ctx)
	var r *Reclassifier
	if err == nil {
		r, err = NewReclassifier(cfg, a.store, stored)
	}
	var c store.Reclassification
	if err == nil {
		c, err = r.Run(ctx, since, reclassifyRest, func(store.Reclassification) {})
	}
	switch {
	case end.Err() != nil: // the next start goes on with it
	case ctx.Err() != nil:
		a.log.Warn("re-classifying was broken off: the rules have changed", "items", c.Seen)
	case err != nil:
		a.log.Error("re-classify", "error", err)
	default:
		a.log.Info("re-classified", "items", c.Seen, "changed", c.Changed, "stories_moved", c.Moved, "took_ms", c.Finished.Sub(c.Started).Milliseconds())
	}
}
