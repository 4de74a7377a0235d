package aggregator

import (
	"time"

	"diemtin/store"
)

// planEvery is how often the plan is made anew: soon enough for sources that
// were first seen in the opening sweep; 700 sources take about 15 ms.
const planEvery = time.Minute

// replan makes the plan anew from all active sources, those that other
// processes visit too.
func (a *Aggregator) replan(all []store.Source) {
	now := a.now().UnixMilli()
	active := make([]planned, 0, len(all))
	for _, src := range all {
		c, known := a.set().sources[src.ID]
		if !src.Active || !known {
			continue
		}
		s := planned{learned: decodeLearned(src.State.Learned)}
		s.pace = s.learned.pace(c.source.Every, now)
		if src.State.Fails > 0 {
			s.failing = max(src.State.Interval, s.pace.low)
		}
		active = append(active, s)
	}
	budget := a.set().cfg.Limits.polls(len(active))
	p := newPlan(active, budget, now)
	a.plan.Store(&p)
	a.metrics.polls.Set(budget)
}

// lost says whether the document has nothing in common with the one before,
// so that what stood between them was probably lost.
func (r Report) lost(ch store.Changes) bool {
	before := decodeLearned(r.Source.State.Learned)
	return r.Source.State.Visited && before.Items > 0 && r.inDocument > 0 && ch.New+ch.Carried == r.inDocument
}

// overlap is the share of the document's items that we had before this visit;
// known is false for a visit that read no document, or the source's first.
func (r Report) overlap() (share float64, known bool) {
	if !r.read || !r.Source.State.Visited || r.inDocument == 0 {
		return 0, false
	}
	return 1 - float64(min(r.Changes.New+r.Changes.Carried, r.inDocument))/float64(r.inDocument), true
}

// observed is what this visit saw of the source's publishing.
func (r Report) observed(ch store.Changes) observation {
	o := observation{now: r.at, first: !r.Source.State.Visited, gap: r.gap, read: r.read, items: r.inDocument}
	if o.first || o.gap {
		for i := range r.Items {
			o.published = append(o.published, r.Items[i].Published)
		}
		return o
	}
	if pushed := r.pushed(); len(pushed) > 0 {
		o.published = pushed
		return o
	}
	for _, delay := range ch.Delays {
		o.published = append(o.published, r.at.Add(-max(delay, 0)))
	}
	for range ch.New - len(ch.Delays) {
		o.published = append(o.published, time.Time{})
	}
	return o
}

// pushed are the dates since the last visit in the document of a source to
// which a hub has delivered since: what came that way is not new now, and was
// published all the same.
func (r Report) pushed() (published []time.Time) {
	until := time.UnixMilli(decodeLearned(r.Source.State.Learned).Until)
	if !r.Source.State.LastNew.After(until) {
		return nil
	}
	for i := range r.Items {
		if r.Items[i].Published.After(until) {
			published = append(published, r.Items[i].Published)
		}
	}
	return published
}
