package syndicate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"diemtin/store"
)

const (
	// leadingSpan is how old a leading story may be, measured from the newest
	// story and not from now: what a page shows changes by news alone.
	leadingSpan = 24 * time.Hour

	// leadingHalf is the time in which a story's weight falls by half: what ten
	// outlets carried this morning yields to what seven carry at noon.
	leadingHalf = 6 * time.Hour

	homeLeads    = 5  // leading stories on the home page
	leadsLooked  = 60 // of those that most outlets carry, how many are weighed
	leadsRelated = 2  // other stories on its event under the first
)

// weight is what makes a story lead: how many outlets carry it, and how new it
// is beside the newest story of all.
func weight(l *store.Lead, newest time.Time) float64 {
	age := max(newest.Sub(l.Shown), 0)
	return float64(l.Carriers) * math.Exp2(-float64(age)/float64(leadingHalf))
}

// leading finds the stories that lead, the weightiest first, one of each event.
func (s *Server) leading(ctx context.Context, newest time.Time) ([]card, error) {
	leads, err := s.store.Leading(ctx, newest.Add(-leadingSpan), leadsLooked)
	if err != nil {
		return nil, fmt.Errorf("leading stories: %w", err)
	}
	slices.SortStableFunc(leads, func(a, b store.Lead) int { return cmp.Compare(weight(&b, newest), weight(&a, newest)) })
	var cards []card
	told := map[string]bool{} // stories on the events that are there already
	for i := range leads[:min(len(leads), 4*homeLeads)] {
		l := &leads[i]
		if len(cards) == homeLeads {
			break
		}
		if told[l.ID] {
			continue
		}
		related, err := s.store.Related(ctx, l.ID, relatedStories)
		if err != nil {
			return nil, fmt.Errorf("stories beside a leading one: %w", err)
		}
		c := s.card(l.Story, teaserSyllables)
		if c.ID = l.ID; l.First.Before(c.At.Truncate(time.Minute)) {
			c.First = l.First
		}
		for j := range related {
			told[related[j].Story.ID] = true
			if len(cards) == 0 && j < leadsRelated {
				c.Event = append(c.Event, s.card(related[j].Story, 0))
			}
		}
		cards = append(cards, c)
	}
	return cards, nil
}
