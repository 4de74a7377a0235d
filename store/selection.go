package store

import (
	"errors"
	"time"
)

// ErrNotFound is returned when no such story, item, source or outlet is stored.
var ErrNotFound = errors.New("not found")

// Selection says which listed stories a channel holds. The fields are combined
// with AND, the values within one field with OR; the zero Selection holds
// everything. All of it judges the quoted item, so a copy that arrives later
// never moves a story into or out of a feed.
type Selection struct {
	Topics    []Topic
	Provinces []string
	Outlets   []string
	Scopes    []Scope
	Day       Day // published (else seen) on that day
}

// Order is how a query sorts its stories, newest first.
type Order int

const (
	// ByListed is the order of feeds: without backfill.
	ByListed Order = iota
	// ByPublished is the order of pages and day listings: with backfill, by
	// the item's Published, else Seen. A Selection with a Day is always
	// answered in this order.
	ByPublished
)

// Query asks for a window of a selection's stories.
type Query struct {
	Selection
	Order  Order
	Before Cursor // stories after this place in the order; zero = from the newest
	Limit  int    // at most this many; at most MaxStories
}

// MaxStories bounds the answer to one Query.
const MaxStories = 1000

// Cursor is a place in an order of stories.
type Cursor struct {
	At time.Time // Listed or published time of the last story seen
	ID string    // its id
}

// Revision tells whether what a selection shows may have changed.
type Revision struct {
	N  int64     // grows with each visible change; 0 = nothing was ever listed
	At time.Time // when that change was made, unique to the millisecond
}
