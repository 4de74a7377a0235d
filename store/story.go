package store

import "time"

// Story is the items that are the same text, one of them the original.
type Story struct {
	ID       string    // 13 base32 letters, unchanged for life
	Listed   time.Time // when readers could first see it; zero while held
	Updated  time.Time // last change that readers can see; Listed if none
	Quoted   Item      // the one item an entry shows, whole
	Original Item      // the best known original; often the same as Quoted
	Outlet   Outlet    // the quoted item's outlet
	Topics   []Topic   // primary first
	Province string
	Backfill bool // brought by a source's very first visit, beyond the newest ten
	Copies   int  // items of the story; for pages, never for feeds
}

// Copy is one item of a story with the reason why it belongs there.
type Copy struct {
	Item   Item
	Outlet Outlet
	Merge  Merge
}

// Merge is why an item was put into its story.
type Merge struct {
	Reason   string    `json:"reason"` // first, link, text, …
	Score    float64   `json:"score"`  // 0 … 1
	Evidence string    `json:"evidence"`
	At       time.Time `json:"at"`
}
