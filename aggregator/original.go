package aggregator

import (
	"fmt"
	"strings"
	"time"

	"diemtin/store"
)

// Original returns which of a story's items is the original, and why in one
// line. Evidence, strongest first: another item names it (or its outlet) as
// the source; it names no source itself; it was published first; its outlet's
// rank; it was seen first; its id. The result does not depend on the order of
// items. index is -1 if there are none.
func Original(items []store.Item, outlets map[string]store.Outlet) (index int, why string) {
	switch len(items) {
	case 0:
		return -1, "no items"
	case 1:
		return 0, "the only copy"
	}
	left := make([]int, len(items))
	for i := range items {
		left[i] = i
	}
	var reasons []string
	for _, narrow := range []func([]store.Item, map[string]store.Outlet, []int) ([]int, string){
		byNamed, byNamingNone, byPublished, byRank, bySeen, byID,
	} {
		rest, reason := narrow(items, outlets, left)
		if len(rest) < len(left) {
			left, reasons = rest, append(reasons, reason)
		}
		if len(left) == 1 {
			break
		}
	}
	return left[0], strings.Join(reasons, "; ")
}

// namesSource tells whether an item says that its text comes from elsewhere.
func namesSource(it *store.Item) bool {
	a := it.Attribution
	return a.Text != "" && (a.Outlet == "" || a.Outlet != it.Outlet)
}

// byNamed keeps the items that most others name as their source, by link or by
// outlet, leaving out those that themselves name another item as theirs.
func byNamed(items []store.Item, outlets map[string]store.Outlet, left []int) ([]int, string) {
	votes := make([]int, len(items))
	copied := make([]bool, len(items))
	for _, i := range left {
		for _, j := range left {
			if i != j && namesItem(&items[i], &items[j]) {
				votes[j]++
				copied[i] = true
			}
		}
	}
	most := 0
	for _, j := range left {
		if !copied[j] {
			most = max(most, votes[j])
		}
	}
	if most == 0 {
		return left, ""
	}
	rest := keep(left, func(j int) bool { return !copied[j] && votes[j] == most })
	outlet := items[rest[0]].Outlet
	return rest, fmt.Sprintf("%d of the other %d name %s as their source", most, len(left)-1, outletName(outlet, outlets))
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

// byNamingNone keeps the items that name no source, if there are any.
func byNamingNone(items []store.Item, _ map[string]store.Outlet, left []int) ([]int, string) {
	rest := keep(left, func(i int) bool { return !namesSource(&items[i]) })
	switch len(rest) {
	case 0:
		return left, ""
	case 1:
		return rest, "the only one that names no source"
	}
	return rest, fmt.Sprintf("one of %d that name no source", len(rest))
}

// byPublished keeps the items published first, if all say when: to the minute,
// for a date alone is no order.
func byPublished(items []store.Item, _ map[string]store.Outlet, left []int) ([]int, string) {
	first := items[left[0]].Published
	for _, i := range left {
		at := items[i].Published
		if at.IsZero() || at.Equal(store.DayOf(at).Start()) {
			return left, ""
		}
		if at.Before(first) {
			first = at
		}
	}
	rest := keep(left, func(i int) bool { return items[i].Published.Equal(first) })
	var next time.Time
	for _, i := range left {
		if at := items[i].Published; at.After(first) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return rest, fmt.Sprintf("published first: %s, %s before the next", first.In(store.Zone).Format("15:04 02/01/2006"), next.Sub(first))
}

// byRank keeps the items of the outlets of the best rank; an outlet without
// one comes last.
func byRank(items []store.Item, outlets map[string]store.Outlet, left []int) ([]int, string) {
	rank := func(i int) int {
		if r := outlets[items[i].Outlet].Rank; r > 0 {
			return r
		}
		return int(^uint(0) >> 1)
	}
	best := rank(left[0])
	for _, i := range left {
		best = min(best, rank(i))
	}
	rest := keep(left, func(i int) bool { return rank(i) == best })
	return rest, fmt.Sprintf("%s ranks first (%d)", outletName(items[rest[0]].Outlet, outlets), best)
}

// bySeen keeps the items that we saw first.
func bySeen(items []store.Item, _ map[string]store.Outlet, left []int) ([]int, string) {
	first := items[left[0]].Seen
	for _, i := range left {
		if at := items[i].Seen; at.Before(first) {
			first = at
		}
	}
	rest := keep(left, func(i int) bool { return items[i].Seen.Equal(first) })
	return rest, "seen first, " + first.In(store.Zone).Format("15:04 02/01/2006")
}

// byID keeps the item stored first.
func byID(items []store.Item, _ map[string]store.Outlet, left []int) ([]int, string) {
	first := left[0]
	for _, i := range left {
		if items[i].ID < items[first].ID {
			first = i
		}
	}
	return []int{first}, "stored first"
}

// outletName returns what readers know an outlet by.
func outletName(id string, outlets map[string]store.Outlet) string {
	if o := outlets[id]; o.Name != "" {
		return o.Name
	}
	return id
}

// keep returns the indexes that fit.
func keep(indexes []int, fits func(int) bool) []int {
	var rest []int
	for _, i := range indexes {
		if fits(i) {
			rest = append(rest, i)
		}
	}
	return rest
}
