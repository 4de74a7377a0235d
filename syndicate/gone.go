package syndicate

import (
	"diemtin/store"
)

// goneBody is all that is left of a story that is gone, in formats that have
// no tombstones of their own.
const goneBody = "<p>Tin này đã được gỡ.</p>"

// eachPlace goes through the places of a feed in order: its stories, and those
// whose place is empty because they were taken down. What is part of another
// story now leaves nothing here.
func (f *Feed) eachPlace(story func(*entry), gone func(*store.Tombstone)) {
	for i := range f.Notes {
		story(&f.Notes[i])
	}
	empty := make([]*store.Tombstone, 0, len(f.Gone))
	for i := range f.Gone {
		if g := &f.Gone[i]; g.Inside && g.Why == store.BuriedWithdrawn {
			empty = append(empty, g)
		}
	}
	for i := range f.Stories {
		st := &f.Stories[i]
		for len(empty) > 0 && f.before(empty[0], st) {
			gone(empty[0])
			empty = empty[1:]
		}
		e := f.entry(st)
		story(&e)
	}
	for _, g := range empty {
		gone(g)
	}
}

// before says whether an empty place comes before a story.
func (f *Feed) before(g *store.Tombstone, st *store.Story) bool {
	if f.Channel.Day != "" {
		return g.Shown.After(st.Shown)
	}
	return g.Listed.After(st.Listed)
}
