package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"diemtin/store"
	"diemtin/syndicate"
)

const (
	// nearNewest is how many of the newest stories are compared with what is
	// near them, some milliseconds each; of older ones the queue knows what was
	// related to them when they came.
	nearNewest = 60
	// nearEnough is the part of the shorter text, in per cent, that two stories
	// must share to be worth an editor's look.
	nearEnough = 30
	// nearKept is how long a comparison is remembered: texts hardly change, and
	// the queue is opened after each ruling.
	nearKept = 10 * time.Minute
	// maxMisses bounds what the queue is given.
	maxMisses = 60
)

// nearMemory remembers comparisons.
type nearMemory struct {
	mu  sync.Mutex
	all map[string]rememberedNear // by the story compared
}

type rememberedNear struct {
	until time.Time
	near  []syndicate.NearWhy
}

// of is what is near a story.
func (m *nearMemory) of(ctx context.Context, x *explainer, st store.Story) ([]syndicate.NearWhy, error) {
	now := x.now()
	m.mu.Lock()
	kept, ok := m.all[st.ID]
	m.mu.Unlock()
	if ok && now.Before(kept.until) {
		return kept.near, nil
	}
	if err := x.db.LoadTexts(ctx, []*store.Item{&st.Quoted}); err != nil {
		return nil, err
	}
	near, err := x.near(ctx, st)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) > 2*nearNewest {
		for id, kept := range m.all {
			if !now.Before(kept.until) {
				delete(m.all, id)
			}
		}
	}
	m.all[st.ID] = rememberedNear{now.Add(nearKept), near}
	return near, nil
}

// NearMisses are pairs of stories that could be one, the likeliest first: what
// is near the newest ones, and what was related to others when they came, but
// for what was ruled apart.
func (n *newsroom) NearMisses(ctx context.Context) ([]syndicate.NearMiss, error) {
	db := n.explainer.db
	all, err := n.nearNewest(ctx)
	if err != nil {
		return nil, err
	}
	related, err := db.NearPairs(ctx, maxMisses)
	if err != nil {
		return nil, err
	}
	for _, p := range related {
		said, err := n.apart(ctx, p.Story, p.Other)
		if err != nil {
			return nil, err
		}
		all = append(all, syndicate.NearMiss{Story: p.Story, Other: p.Other, Score: p.Score, Pair: said})
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].Story.ID
	}
	ruled, err := db.RuledApart(ctx, ids)
	if err != nil {
		return nil, err
	}
	seen := map[[2]string]bool{}
	all = slices.DeleteFunc(all, func(m syndicate.NearMiss) bool {
		key := [2]string{min(m.Story.ID, m.Other.ID), max(m.Story.ID, m.Other.ID)}
		known := seen[key] || ruled[[2]string{m.Story.ID, m.Other.ID}]
		seen[key] = true
		return known
	})
	slices.SortStableFunc(all, func(a, b syndicate.NearMiss) int {
		return cmp.Or(cmp.Compare(b.Compared.Shared, a.Compared.Shared), cmp.Compare(b.Score, a.Score), cmp.Compare(a.Story.ID, b.Story.ID))
	})
	return all[:min(len(all), maxMisses)], nil
}

// nearNewest compares the newest stories with what is near them. Two instalments
// of a series, as the gold prices of two days, have a score of 0.
func (n *newsroom) nearNewest(ctx context.Context) (all []syndicate.NearMiss, err error) {
	db := n.explainer.db
	newest, err := db.Stories(ctx, store.Query{Order: store.ByPublished, Limit: nearNewest})
	if err != nil {
		return nil, err
	}
	for _, st := range newest {
		near, err := n.compared.of(ctx, n.explainer, st)
		if err != nil {
			return nil, err
		}
		for _, w := range near {
			if w.Score == 0 || w.Compared.Shared < nearEnough {
				continue
			}
			other, err := db.Story(ctx, w.Story)
			switch {
			case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrWithdrawn):
				continue // since it was compared
			case err != nil:
				return nil, err
			case other.ID == st.ID || other.Outlet.Show == store.ShowNone:
				continue
			}
			all = append(all, syndicate.NearMiss{Story: st, Other: other, Score: w.Score,
				Pair: syndicate.Pair{Reason: w.Reason, Evidence: w.Evidence, Compared: w.Compared}})
		}
	}
	return all, nil
}

// apart compares what two stories quote.
func (n *newsroom) apart(ctx context.Context, a, b store.Story) (p syndicate.Pair, err error) {
	if err := n.explainer.db.LoadTexts(ctx, []*store.Item{&a.Quoted, &b.Quoted}); err != nil {
		return p, err
	}
	same, merge, compared := n.beside(&store.Copy{Item: a.Quoted, Outlet: a.Outlet}, &store.Copy{Item: b.Quoted, Outlet: b.Outlet})
	return syndicate.Pair{Reason: nearSaid(same, compared), Evidence: merge.Evidence, Compared: compared}, nil
}
