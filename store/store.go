// Package store holds the nouns of điểm tin (outlet, source, item, story,
// topic, day, refresh) and remembers them in SQLite or PostgreSQL.
//
// One file a noun: its type, its documentation and its SQL. The two engines
// run the same text; what differs sits in engine.go. All times are stored as
// milliseconds since 1970 UTC; a zero time.Time means "unknown" and is stored
// as 0.
package store
