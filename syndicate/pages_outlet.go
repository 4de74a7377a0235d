package syndicate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"diemtin/store"
)

// maxFollowed is how many of those whom an outlet follows are named.
const maxFollowed = 5

// outletFacts is what an outlet's page says of it beside its news.
type outletFacts struct {
	Said    string   // "240 bài gần nhất, từ 03/11/2024"; empty without any
	Shares  []share  // of these articles, the largest groups first to last
	Follows []follow // whom it follows most
	Sources []outletSource
}

// share is a part of an outlet's articles.
type share struct {
	Kind    string // own, copied, following, compiled: for its colour
	Name    string
	N       string
	Percent int
	At      int // where it begins, in per cent
}

// follow is a source that an outlet names.
type follow struct {
	Name string
	N    string
}

// outletSource is the health of one of an outlet's sources.
type outletSource struct {
	ID     string
	Kind   string
	State  string // fine, failing or waiting: for its colour
	Result string
	Last   time.Time
	Next   time.Time
}

// outletFacts gathers what is known of an outlet.
func (s *Server) outletFacts(ctx context.Context, id string) (*outletFacts, error) {
	p, err := s.store.Provenance(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("whose the news of %s is: %w", id, err)
	}
	v := &outletFacts{Shares: s.shares(&p), Follows: s.follows(p.Sources)}
	if p.Items > 0 {
		v.Said = fmt.Sprintf(s.words["outlet.of"], s.lang.number(p.Items), s.lang.date(store.DayOf(p.Since)))
	}
	sources, err := s.store.Sources(ctx)
	if err != nil {
		return nil, fmt.Errorf("sources of %s: %w", id, err)
	}
	for _, src := range sources {
		if src.Outlet == id && src.Active {
			v.Sources = append(v.Sources, s.outletSource(&src))
		}
	}
	return v, nil
}

// shares divides an outlet's articles by whose they are.
func (s *Server) shares(p *store.Provenance) []share {
	var shares []share
	at := 0
	for _, x := range []struct {
		kind string
		n    int
	}{{"own", p.Items - p.Following - p.Compiled - p.Copied}, {"copied", p.Copied}, {"following", p.Following}, {"compiled", p.Compiled}} {
		if x.n > 0 {
			to := (100*x.n + p.Items/2) / p.Items
			shares = append(shares, share{x.kind, s.words["outlet."+x.kind], s.lang.number(x.n), to, at})
			at += to
		}
	}
	return shares
}

// follows lists those whom an outlet names most.
func (s *Server) follows(named map[string]int) []follow {
	names := slices.SortedFunc(maps.Keys(named), func(a, b string) int {
		return cmp.Or(cmp.Compare(named[b], named[a]), cmp.Compare(a, b))
	})
	var all []follow
	for _, name := range names[:min(len(names), maxFollowed)] {
		if plain := plainName(name); plain != "" {
			all = append(all, follow{plain, s.lang.number(named[name])})
		}
	}
	return all
}

// outletSource shows how reading one source goes.
func (s *Server) outletSource(src *store.Source) outletSource {
	x := src.State
	row := outletSource{ID: src.ID, Kind: s.words.or("status."+src.Kind, src.Kind), State: "fine", Last: x.LastSuccess, Next: x.NextAt,
		Result: s.words.or("outcome."+string(x.Outcome), string(x.Outcome))}
	switch {
	case x.Outcome == "":
		row.State = "waiting"
	case !x.Outcome.OK():
		row.State = "failing"
	}
	return row
}
