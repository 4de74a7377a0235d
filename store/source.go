package store

import "time"

// Source is one thing to poll: a feed or a listing page of an outlet. Its key
// is its id in feeds.yaml, so a moved URL keeps its history.
type Source struct {
	ID     string
	Outlet string
	Kind   string // feed, page
	URL    string
	Topic  Topic // the section's topic, or empty
	Active bool  // false: no longer in feeds.yaml; never deleted

	State SourceState
}

// SourceState is what visits have taught about a source.
type SourceState struct {
	ETag         string
	LastModified string
	BodyHash     string        // hex SHA-256 of the last body
	NextAt       time.Time     // when it is due
	Interval     time.Duration // the interval now in force
	Why          string        // why NextAt is what it is, in English
	Fails        int           // failed visits in a row
	Outcome      Outcome       // of the last visit
	Detail       string        // what went wrong, for a person
	LastTry      time.Time
	LastSuccess  time.Time
	LastNew      time.Time // when it last brought a new item
	Visited      bool      // its first visit (backfill) has succeeded
}
