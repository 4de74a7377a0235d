package store

import "time"

// Item is one clean article of one outlet, carried by one or more of its
// sources.
type Item struct {
	ID           int64
	Outlet       string // outlet id
	Source       string // id of the source that its text was last read from
	Story        string // id of its story
	Title        string // plain text, NFC
	Link         string // canonical, absolute, http or https
	Summary      string // plain text, NFC
	Content      string // sanitised HTML, empty if the source gave only a summary
	Authors      []string
	Image        string // absolute address, or empty
	Categories   []string
	Enclosures   []Enclosure
	Lang         string    // BCP 47, empty = the site's language
	Published    time.Time // zero if unknown
	PublishedRaw string    // the date as the source wrote it
	Updated      time.Time // zero if unknown
	Seen         time.Time // always set: when we first read it
	Attribution  Attribution
	Province     string // id of the province it is about, or of its outlet; may be empty
	Topics       []ItemTopic

	// Aliases are the item's identities, strongest first: "guid:SOURCE:…",
	// "link:…", "was:…" (the link under a former domain).
	Aliases []string
	// Sketch holds the keys under which items with nearly the same text find
	// each other.
	Sketch []uint32
	// Fingerprint changes when, and only when, a reader would see a change.
	Fingerprint uint64
}

// Enclosure is a file that an item carries (RSS 2.0 <enclosure>, Atom
// rel=enclosure, JSON Feed attachments).
type Enclosure struct {
	URL    string `json:"url"`
	Type   string `json:"type"`
	Length int64  `json:"length"` // bytes, 0 if unknown
}

// Attribution is what an item says about where its text comes from
// ("Theo: nhandan.vn", "(TTXVN)").
type Attribution struct {
	Text   string `json:"text,omitempty"`   // the name as written: "nhandan.vn", "TTXVN"
	Outlet string `json:"outlet,omitempty"` // the outlet's id, if we know it
	Link   string `json:"link,omitempty"`   // the article it names, if it does
}

// Time is when readers are told the item appeared: Published, else Seen.
func (it *Item) Time() time.Time {
	if it.Published.IsZero() {
		return it.Seen
	}
	return it.Published
}
