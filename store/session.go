package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Session is one editor's stay in the editors' room. Every process on the
// database knows it.
type Session struct {
	ID          string // SHA-256 of what the cookie holds, in hexadecimal
	Who         string
	Token       string // SHA-256 of the token that opened it
	Began, Used time.Time
}

// Session returns a session. ErrNotFound: there is none, or it was ended.
func (db *DB) Session(ctx context.Context, id string) (s Session, err error) {
	s.ID = id
	var began, used int64
	err = db.engine.read.QueryRowContext(ctx, `SELECT who, token, began, used FROM room_sessions WHERE id = $1`, id).Scan(&s.Who, &s.Token, &began, &used)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s, fmt.Errorf("session: %w", ErrNotFound)
	case err != nil:
		return s, fmt.Errorf("read a session: %w", err)
	}
	s.Began, s.Used = fromMillis(began), fromMillis(used)
	return s, nil
}

// BeginSession stores a session, of at most most: those used longest ago make
// room.
func (db *DB) BeginSession(ctx context.Context, s Session, most int) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`DELETE FROM room_sessions WHERE id NOT IN (SELECT id FROM room_sessions ORDER BY used DESC, id LIMIT $1)`, most-1); err != nil {
			return err
		}
		return t.exec(`INSERT INTO room_sessions (id, who, token, began, used) VALUES ($1, $2, $3, $4, $5)`, s.ID, s.Who, s.Token, millis(s.Began), millis(s.Used))
	})
	return wrapped(err, "begin a session")
}

// UseSession notes that a session is in use.
func (db *DB) UseSession(ctx context.Context, id string, now time.Time) error {
	err := db.do(ctx, 1, func(t *tx) error {
		return t.exec(`UPDATE room_sessions SET used = $1 WHERE id = $2 AND used < $1`, millis(now), id)
	})
	return wrapped(err, "note the use of a session")
}

// EndSession forgets a session. One that there is not is no error.
func (db *DB) EndSession(ctx context.Context, id string) error {
	err := db.do(ctx, 1, func(t *tx) error { return t.exec(`DELETE FROM room_sessions WHERE id = $1`, id) })
	return wrapped(err, "end a session")
}

// sharedKeyBytes is the length of a shared key: 256 bits.
const sharedKeyBytes = 32

// SharedKey is the random key of that name that all processes on the database
// share, the same for ever. Whoever asks first makes it.
func (db *DB) SharedKey(ctx context.Context, name string) ([]byte, error) {
	fresh, text := make([]byte, sharedKeyBytes), ""
	rand.Read(fresh) // it never fails
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`INSERT INTO shared_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, hex.EncodeToString(fresh)); err != nil {
			return err
		}
		return t.queryRow(`SELECT value FROM shared_keys WHERE name = $1`, name).Scan(&text)
	})
	if err != nil {
		return nil, fmt.Errorf("shared key %s: %w", name, err)
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("shared key %s: %w", name, err)
	}
	return key, nil
}
