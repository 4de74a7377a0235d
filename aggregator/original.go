package aggregator

import (
	"strings"
	"time"

	"diemtin/store"
)

// Original returns which of a story's items is the original, and why in one
// line. Evidence, strongest first: another item names it (its article, or its
// outlet) as the source; it names no source itself; it was published first, as
// far as dates can be believed; its outlet's rank; it was seen first; its id.
// The result does not depend on the order of items. index is -1 if there are
// none.
func Original(items []store.Item, outlets map[string]store.Outlet) (index int, why string) {
	index, steps := ChooseOriginal(items, outlets)
	return index, inEnglish(steps)
}

func inEnglish(steps []OriginalStep) string {
	said := make([]string, len(steps))
	for i, s := range steps {
		said[i] = s.English()
	}
	return strings.Join(said, "; ")
}

// ChooseOriginal is Original with each step that decided something, in order.
func ChooseOriginal(items []store.Item, outlets map[string]store.Outlet) (index int, steps []OriginalStep) {
	switch len(items) {
	case 0:
		return -1, []OriginalStep{{By: byNothing}}
	case 1:
		return 0, []OriginalStep{{By: byOnly}}
	}
	c := choice{items: items, outlets: outlets, left: make([]int, len(items)), spans: make([]timeframe, len(items))}
	for i := range items {
		c.left[i], c.spans[i] = i, spanOf(&items[i], outlets[items[i].Outlet])
	}
	for _, narrow := range []func(*choice) ([]int, OriginalStep){
		(*choice).named, (*choice).namingNone, (*choice).published, (*choice).ranked, (*choice).seen, (*choice).stored,
	} {
		rest, step := narrow(&c)
		if len(rest) < len(c.left) {
			if step.N == 0 {
				step.N, step.Of = len(rest), len(c.left)
			}
			c.left, steps = rest, append(steps, step)
		}
		if len(c.left) == 1 {
			break
		}
	}
	return c.left[0], steps
}

// NamedOutside returns what the original itself names as its source, if that is
// no other item of the story: then the true original is outside, and this item
// stands in its place. The zero Attribution if it names none.
func NamedOutside(items []store.Item, original int) store.Attribution {
	it := &items[original]
	if !namesSource(it) {
		return store.Attribution{}
	}
	for i := range items {
		if i != original && namesItem(it, &items[i]) {
			return store.Attribution{}
		}
	}
	return it.Attribution
}

// A choice is the search for the original among the items that are left.
type choice struct {
	items   []store.Item
	outlets map[string]store.Outlet
	spans   []timeframe // when each item can have been published
	left    []int
}

// namesSource tells whether an item says that its text comes from elsewhere. A
// text put together from sources it does not name ("T/h") does not.
func namesSource(it *store.Item) bool {
	a := it.Attribution
	return a.Text != "" && a.Text != AttributionCompiled && (a.Outlet == "" || a.Outlet != it.Outlet)
}

// namesItem tells whether it names other as its source.
func namesItem(it, other *store.Item) bool {
	if !namesSource(it) {
		return false
	}
	if key := articleKey(it.Attribution.Link); key != "" && itemLinks(other)[key] {
		return true
	}
	return it.Attribution.Outlet != "" && it.Attribution.Outlet == other.Outlet
}

// named keeps the items that most others name as their source, by link or by
// outlet, leaving out those that themselves name another item as theirs: a
// chain ends at its first link.
func (c *choice) named() ([]int, OriginalStep) {
	votes := make([]int, len(c.items))
	copied := make([]bool, len(c.items))
	for _, i := range c.left {
		for _, j := range c.left {
			if i != j && namesItem(&c.items[i], &c.items[j]) {
				votes[j]++
				copied[i] = true
			}
		}
	}
	most := 0
	for _, j := range c.left {
		if !copied[j] {
			most = max(most, votes[j])
		}
	}
	if most == 0 {
		return c.left, OriginalStep{}
	}
	rest := c.keep(func(j int) bool { return !copied[j] && votes[j] == most })
	return rest, OriginalStep{By: byNamed, N: most, Of: len(c.left) - 1, Outlet: c.name(rest[0])}
}

// namingNone keeps the items that name no source, if there are any. One that
// was published after an item that does name one is a copy that does not say
// so; if all are, the honest ones are kept: the original is outside.
func (c *choice) namingNone() ([]int, OriginalStep) {
	honest := c.keep(func(i int) bool { return namesSource(&c.items[i]) })
	silent := c.keep(func(i int) bool { return !namesSource(&c.items[i]) })
	if len(silent) == 0 || len(honest) == 0 {
		return c.left, OriginalStep{}
	}
	late := func(i int) bool {
		for _, j := range honest {
			if c.spans[j].before(c.spans[i]) {
				return true
			}
		}
		return false
	}
	var early []int
	for _, i := range silent {
		if !late(i) {
			early = append(early, i)
		}
	}
	if len(early) == 0 {
		return honest, OriginalStep{By: byHonest, Outlet: c.items[honest[0]].Attribution.Text}
	}
	return early, OriginalStep{By: byNamingNone}
}

// published leaves out the items that were certainly published after another.
func (c *choice) published() ([]int, OriginalStep) {
	step := OriginalStep{By: byPublished}
	rest := c.keep(func(i int) bool {
		for _, j := range c.left {
			if j != i && c.spans[j].before(c.spans[i]) {
				return false
			}
		}
		return true
	})
	for _, i := range rest { // the earliest time that is known to the minute
		if s := c.spans[i]; s.exact() && (step.At.IsZero() || s.from.Before(step.At)) {
			step.At = s.from
		}
	}
	if step.At.IsZero() && !c.spans[rest[0]].to.IsZero() {
		step.By, step.At = bySeenBefore, c.spans[rest[0]].to
	}
	for _, i := range c.left { // how long before the next
		if at := c.spans[i].from; at.After(step.At) && (step.Gap == 0 || at.Sub(step.At) < step.Gap) {
			step.Gap = at.Sub(step.At)
		}
	}
	return rest, step
}

// ranked keeps the items of the outlets of the best rank; an outlet without
// one comes last.
func (c *choice) ranked() ([]int, OriginalStep) {
	rank := func(i int) int {
		if r := c.outlets[c.items[i].Outlet].Rank; r > 0 {
			return r
		}
		return int(^uint(0) >> 1)
	}
	best := rank(c.left[0])
	for _, i := range c.left {
		best = min(best, rank(i))
	}
	rest := c.keep(func(i int) bool { return rank(i) == best })
	return rest, OriginalStep{By: byRank, Outlet: c.name(rest[0]), Rank: best}
}

// seen keeps the items that we saw first.
func (c *choice) seen() ([]int, OriginalStep) {
	first := c.items[c.left[0]].Seen
	for _, i := range c.left {
		if at := c.items[i].Seen; at.Before(first) {
			first = at
		}
	}
	rest := c.keep(func(i int) bool { return c.items[i].Seen.Equal(first) })
	return rest, OriginalStep{By: bySeen, At: first}
}

// stored keeps the item stored first.
func (c *choice) stored() ([]int, OriginalStep) {
	first := c.left[0]
	for _, i := range c.left {
		if c.items[i].ID < c.items[first].ID {
			first = i
		}
	}
	return []int{first}, OriginalStep{By: byID}
}

// name returns what readers know an item's outlet by.
func (c *choice) name(i int) string {
	id := c.items[i].Outlet
	if o := c.outlets[id]; o.Name != "" {
		return o.Name
	}
	return id
}

// keep returns those left that fit.
func (c *choice) keep(fits func(int) bool) []int {
	var rest []int
	for _, i := range c.left {
		if fits(i) {
			rest = append(rest, i)
		}
	}
	return rest
}

// A timeframe is when an item can have been published, as far as its date can be
// believed. A zero bound is open.
type timeframe struct{ from, to time.Time }

// spanOf reads an item's date: to the minute, to the day where no more is said,
// and not at all where the outlet's clock or this date is known to be wrong.
// Whatever it says, we saw the item no earlier than it was published.
func spanOf(it *store.Item, o store.Outlet) timeframe {
	at, s := it.Published, timeframe{to: it.Seen}
	switch {
	case at.IsZero(), o.Clock == store.ClockAhead, o.Clock == store.ClockBehind:
		return s
	case !it.Seen.IsZero() && at.Sub(it.Seen) > store.ClockSlack: // dated after we saw it
		return s
	case o.Clock == store.ClockDays, at.Equal(store.DayOf(at).Start()):
		s.from = store.DayOf(at).Start()
		if end := store.DayOf(at).Next().Start(); s.to.IsZero() || end.Before(s.to) {
			s.to = end
		}
		return s
	}
	if at.Second() == 0 { // told to the minute: it may be any second of it
		return timeframe{from: at, to: at.Add(time.Minute - 1)}
	}
	return timeframe{from: at, to: at}
}

// before tells whether s certainly lies before other.
func (s timeframe) before(other timeframe) bool {
	return !s.to.IsZero() && !other.from.IsZero() && s.to.Before(other.from)
}

func (s timeframe) exact() bool { return !s.from.IsZero() && s.to.Sub(s.from) < time.Minute }
