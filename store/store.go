// Package store holds the nouns of điểm tin (outlet, source, item, story,
// topic, day, refresh) and remembers them in SQLite or PostgreSQL.
//
// One file a noun: its type, its documentation and its SQL. The two engines
// run the same text; what differs sits in engine.go. All times are stored as
// milliseconds since 1970 UTC; a zero time.Time means "unknown" and is stored
// as 0.
//
// Writing goes through one goroutine that groups what waits into one
// transaction (writer.go); reading never waits for it.
package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
)

// DB is an open database. All its methods are safe for concurrent use.
type DB struct {
	engine  *engine
	writer  *writer                           // nil if opened to read
	outlets atomic.Pointer[map[string]Outlet] // by id, the active and the former ones
	taken   atomic.Int64                      // what takenSQL said when outlets was read
	clocks  clocks
}

// Open opens the database at dsn ("sqlite:PATH" or "postgres://…"), creates
// what is missing and migrates its schema. A second process that opens the
// same SQLite file gets ErrInUse.
func Open(ctx context.Context, dsn string) (*DB, error) {
	return open(ctx, dsn, false)
}

// OpenReadOnly opens an existing database beside a running service. Methods
// that write return an error.
func OpenReadOnly(ctx context.Context, dsn string) (*DB, error) {
	return open(ctx, dsn, true)
}

func open(ctx context.Context, dsn string, readOnly bool) (*DB, error) {
	e, err := openEngine(ctx, dsn, readOnly)
	if err != nil {
		return nil, err
	}
	db := &DB{engine: e}
	if !readOnly {
		if err := e.migrate(ctx); err != nil {
			e.close()
			return nil, fmt.Errorf("prepare database: %w", err)
		}
	}
	if err := db.loadOutlets(ctx); err != nil {
		e.close()
		return nil, fmt.Errorf("read database: %w", err)
	}
	if !readOnly {
		db.writer = startWriter(e)
		if err := db.enterAllWords(ctx); err != nil {
			db.Close()
			return nil, fmt.Errorf("make stories searchable: %w", err)
		}
	}
	return db, nil
}

// Close writes what still waits and closes the database.
func (db *DB) Close() error {
	if db.writer != nil {
		db.writer.stop()
	}
	return db.engine.close()
}

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.engine.read.PingContext(ctx) }

// millis is how a time is stored.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the time that was stored, in UTC.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// encoded is how a list or a struct is stored. Our own types always encode.
func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encode %T: %v", v, err))
	}
	return string(b)
}

// encodedList is encoded for a list that most items have not.
func encodedList[T any](list []T) string {
	if len(list) == 0 {
		return ""
	}
	return encoded(list)
}

// decode reads what encoded wrote into a zero value. Most lists are empty.
func decode(s string, into any) error {
	switch s {
	case "", "null", "{}":
		return nil
	}
	return json.Unmarshal([]byte(s), into)
}
