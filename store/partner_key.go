package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// maxKeys bounds the keys that one partner holds at a time: one in use and one
// that takes its place, for each of a few sites.
const maxKeys = 10

// IssueKey admits a key of r.Partner, of which hash is the SHA-256 in
// hexadecimal, and enters that into the ledger under r.Who. ErrRefused says
// that the partner holds as many as it may, or that the key was used before.
func (db *DB) IssueKey(ctx context.Context, r Ruling, hash string) (Ruling, error) {
	r.Verb = RuleKey
	err := db.do(ctx, 1, func(t *tx) (err error) {
		var held, same int64
		if err := t.queryRow(`SELECT coalesce(sum(CASE WHEN partner = $1 AND until = 0 THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN hash = $2 THEN 1 ELSE 0 END), 0) FROM partner_keys`, r.Partner, hash).Scan(&held, &same); err != nil {
			return err
		}
		switch {
		case same > 0:
			return refused("this key was a partner's before")
		case held >= maxKeys:
			return refused("%s holds %d keys, which is the most; revoke them first", r.Partner, held)
		}
		if r, err = t.enterLedger(r); err != nil {
			return err
		}
		return t.exec(`INSERT INTO partner_keys (hash, partner, at) VALUES ($1, $2, $3)`, hash, r.Partner, millis(r.At))
	})
	return r, wrapped(err, "issue a key")
}

// RevokeKeys ends every key of r.Partner, also the one that feeds.yaml has,
// whose hash configured is, if it is not empty; revoked is how many. ErrRefused
// says that it holds none.
func (db *DB) RevokeKeys(ctx context.Context, r Ruling, configured string) (done Ruling, revoked int, err error) {
	r.Verb = RuleRevoke
	err = db.do(ctx, 1, func(t *tx) (err error) {
		if configured != "" {
			if err := t.exec(`INSERT INTO partner_keys (hash, partner, at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING`,
				configured, r.Partner, millis(r.At)); err != nil {
				return err
			}
		}
		res, err := t.execResult(`UPDATE partner_keys SET until = $1 WHERE partner = $2 AND until = 0`, millis(r.At), r.Partner)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if revoked = int(n); n == 0 {
			return refused("%s holds no key", r.Partner)
		}
		r, err = t.enterLedger(r)
		return err
	})
	return r, revoked, wrapped(err, "revoke keys")
}

// PartnerKey is what is stored of a key.
type PartnerKey struct {
	Partner string
	Until   time.Time // when it was revoked; zero = it holds
}

// KeyOf returns the key of that hash. ErrNotFound: there is none.
func (db *DB) KeyOf(ctx context.Context, hash string) (k PartnerKey, err error) {
	var until int64
	err = db.engine.read.QueryRowContext(ctx, `SELECT partner, until FROM partner_keys WHERE hash = $1`, hash).Scan(&k.Partner, &until)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return k, fmt.Errorf("key: %w", ErrNotFound)
	case err != nil:
		return k, fmt.Errorf("look for a key: %w", err)
	}
	k.Until = fromMillis(until)
	return k, nil
}
