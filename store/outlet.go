package store

import "time"

// Scope says whom an outlet writes for.
type Scope string

// The three scopes of an outlet.
const (
	National   Scope = "national"
	Ministry   Scope = "ministry"
	Provincial Scope = "provincial"
)

// Scopes lists every scope in the order readers see them.
var Scopes = []Scope{National, Ministry, Provincial}

// Show says how much of an outlet's own words may be given out again.
type Show string

// What may be shown of an item besides its headline, source and link.
const (
	ShowSummary  Show = "summary"  // at most 60 syllables of its summary
	ShowHeadline Show = "headline" // the headline alone
	ShowNone     Show = "none"     // stored and matched, never listed
)

// Outlet is a publisher.
type Outlet struct {
	ID       string
	Name     string
	Aliases  []string // what "Theo: …" may call it
	Domains  []string // registrable or full host names, lower case
	Scope    Scope
	Province string        // today's province id ("hung-yen"), empty unless provincial
	Rank     int           // 1 is believed first when nothing else names the original
	Show     Show          // how much of its words may be shown
	Images   bool          // may its pictures be shown (hot-linked)
	Delay    time.Duration // not listed before Published + Delay
}
