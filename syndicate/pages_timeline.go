package syndicate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// timeline is how a story spread: where and when first, then how far and how
// fast.
type timeline struct {
	At    time.Time // when the first item appeared
	First link      // its outlet
	Rest  string    // ", rồi 34 báo, trang tin trong 3 giờ, ở 21 tỉnh, thành phố"
	Diffs bool      // some headline differs in a few words, which are marked
}

// timeline tells how a story spread, if more than one outlet carries it.
func (s *Server) timeline(copies []store.Copy) *timeline {
	first := earliest(copies)
	if first < 0 {
		return nil
	}
	begin := appeared(&copies[first])
	end, outlets, provinces := begin, map[string]bool{}, map[string]bool{}
	t := &timeline{At: begin, First: s.byline(&copies[first].Item, &copies[first].Outlet).Outlet}
	base := headline(&copies[first].Item, &copies[first].Outlet)
	for i := range copies {
		c := &copies[i]
		if p := c.Outlet.Province; p != "" {
			provinces[p] = true
		}
		if i == first {
			continue
		}
		t.Diffs = t.Diffs || compareHeadlines(base, headline(&c.Item, &c.Outlet)).Pieces != nil
		if c.Item.Outlet != copies[first].Item.Outlet {
			outlets[c.Item.Outlet] = true
			if at := appeared(c); at.After(end) {
				end = at
			}
		}
	}
	if len(outlets) == 0 {
		return nil
	}
	t.Rest = fmt.Sprintf(s.words["story.spread"], len(outlets), s.lang.lasting(end.Sub(begin)))
	if len(provinces) > 1 {
		t.Rest += fmt.Sprintf(s.words["story.provinces"], len(provinces))
	}
	return t
}

// earliest returns which copy appeared first; -1 if there are none.
func earliest(copies []store.Copy) int {
	first := -1
	for i := range copies {
		if first < 0 || appeared(&copies[i]).Before(appeared(&copies[first])) {
			first = i
		}
	}
	return first
}

// appeared is when a copy appeared: when its outlet says, unless its dates
// cannot be believed or tell the day alone; then when we saw it.
func appeared(c *store.Copy) time.Time {
	it := &c.Item
	if c.Outlet.Clock != "" || it.Published.Sub(it.Seen) > store.ClockSlack || it.Published.Equal(store.DayOf(it.Published).Start()) {
		return it.Seen
	}
	return it.Time()
}

// lasting writes how long something took, as readers say it.
func (l *language) lasting(d time.Duration) string {
	switch minutes := int(d.Round(time.Minute) / time.Minute); {
	case minutes < 2:
		return l.words["lasting.minute"]
	case minutes < 60:
		return fmt.Sprintf(l.words["lasting.minutes"], minutes)
	case minutes < 48*60:
		return fmt.Sprintf(l.words["lasting.hours"], (minutes+30)/60)
	default:
		return fmt.Sprintf(l.words["lasting.days"], (minutes+12*60)/(24*60))
	}
}

// headlineChange is what a copy changed in the first copy's headline.
type headlineChange struct {
	Pieces []headlinePiece // nil if it kept it or wrote one of its own
	Kept   bool
	Own    bool
}

// headlinePiece is some words of a headline.
type headlinePiece struct {
	Text           string
	Removed, Added bool
}

// ownHeadline is the share of words in common below which a headline is one of
// its own: what two headlines on one event share anyway (place, office), and
// marking the rest would mark nearly all.
const ownHeadline = 0.5

// compareHeadlines tells what became of a headline.
func compareHeadlines(before, after string) headlineChange {
	pieces := vi.Diff(before, after)
	switch likeness := vi.Likeness(pieces); {
	case likeness == 1:
		return headlineChange{Kept: true}
	case likeness < ownHeadline:
		return headlineChange{Own: true}
	}
	var h headlineChange
	for _, p := range pieces {
		h.Pieces = append(h.Pieces, headlinePiece{p.Text, p.Edit == vi.Removed, p.Edit == vi.Added})
	}
	return h
}

// formerTitle is a headline that an item had before.
type formerTitle struct {
	Title string
	Until time.Time
}

func formerTitles(titles []store.OldTitle) []formerTitle {
	var all []formerTitle
	for _, t := range titles {
		if title := scrub(t.Title); title != "" {
			all = append(all, formerTitle{title, t.Until})
		}
	}
	return all
}

// outside is the source of a story that is none of its items: the original
// names it as its own source. The zero link if there is none.
func (c *Config) outside(st *store.Story, copies []store.Copy) link {
	i := slices.IndexFunc(copies, func(x store.Copy) bool { return x.Item.ID == st.Original.ID })
	if i < 0 {
		return link{}
	}
	from := copies[i].Item.Attribution
	if slices.ContainsFunc(copies, func(x store.Copy) bool {
		return from.Outlet != "" && x.Item.Outlet == from.Outlet || from.Link != "" && strings.EqualFold(x.Item.Link, from.Link)
	}) {
		return link{}
	}
	return c.attribution(&copies[i].Item, &copies[i].Outlet)
}
