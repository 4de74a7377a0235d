package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// PushState is how far a subscription to a hub has come.
type PushState string

// The states of a subscription.
const (
	PushPending  PushState = "pending"  // asked for, or about to be; the hub has not verified it
	PushVerified PushState = "verified" // the hub has verified it; good until Expires
	PushDenied   PushState = "denied"   // the hub has refused it; asked for again much later
	PushLeaving  PushState = "leaving"  // no longer wanted; the hub is being told
)

// Push is a subscription to a hub that a source names. A source has at most
// one that is not leaving.
type Push struct {
	Token    string // last part of Callback; a secret
	Source   string
	Hub      string // where to subscribe
	Topic    string // what to subscribe to: the document's own address
	Callback string // where the hub reaches us
	Secret   string // with which the hub signs
	State    PushState
	Created  time.Time
	Verified time.Time // last; zero if never
	Expires  time.Time // end of the hub's lease
	// Delivered is when the hub last delivered something that was signed and
	// readable, zero if never.
	Delivered time.Time
	Missed    int       // visits in a row that found news the hub had not delivered
	Fails     int       // requests in a row that led to nothing
	Detail    string    // what went wrong last, for a person
	NextAt    time.Time // when the hub is to be asked (again)
	Wanted    bool      // its source is still in feeds.yaml; read only

	leased time.Time // until when another process has it in hand
	turn   int64
}

// Free says whether a subscription is due at now and in nobody's hands.
func (p Push) Free(now time.Time) bool { return !p.NextAt.After(now) && !p.leased.After(now) }

const pushColumns = `token, source, hub, topic, callback, secret, state, turn, created, verified, expires, delivered,
	missed, fails, detail, next_at, lease_until, EXISTS (SELECT 1 FROM sources s WHERE s.id = push_subscriptions.source AND s.active = 1)`

func scanPushes(rows *sql.Rows, err error) ([]Push, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Push
	for rows.Next() {
		var p Push
		var created, verified, expires, delivered, next, leased int64
		if err := rows.Scan(&p.Token, &p.Source, &p.Hub, &p.Topic, &p.Callback, &p.Secret, &p.State, &p.turn, &created, &verified,
			&expires, &delivered, &p.Missed, &p.Fails, &p.Detail, &next, &leased, &p.Wanted); err != nil {
			return nil, err
		}
		p.Created, p.Verified, p.Expires, p.Delivered = fromMillis(created), fromMillis(verified), fromMillis(expires), fromMillis(delivered)
		p.NextAt, p.leased = fromMillis(next), fromMillis(leased)
		all = append(all, p)
	}
	return all, rows.Err()
}

// Pushes returns every subscription, by source.
func (db *DB) Pushes(ctx context.Context) ([]Push, error) {
	all, err := scanPushes(db.engine.read.QueryContext(ctx, `SELECT `+pushColumns+` FROM push_subscriptions ORDER BY source, created`))
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	return all, nil
}

// Push returns the subscription with that token, or ErrNotFound.
func (db *DB) Push(ctx context.Context, token string) (Push, error) {
	all, err := scanPushes(db.engine.read.QueryContext(ctx, `SELECT `+pushColumns+` FROM push_subscriptions WHERE token = $1`, token))
	if err != nil {
		return Push{}, fmt.Errorf("read subscription: %w", err)
	}
	if len(all) == 0 {
		return Push{}, fmt.Errorf("subscription: %w", ErrNotFound)
	}
	return all[0], nil
}

// OpenPush stores a new subscription, due at once, in the place of the one
// that its source may have: that one is left. If the source has one to the
// same hub, topic and callback's site already, as when two processes read the
// same document, nothing changes and opened is false.
func (db *DB) OpenPush(ctx context.Context, p Push, now time.Time) (opened bool, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		have, err := scanPushes(t.query(`SELECT `+pushColumns+` FROM push_subscriptions WHERE source = $1 AND state <> 'leaving'`, p.Source))
		if err != nil {
			return err
		}
		for _, h := range have {
			if h.Hub == p.Hub && h.Topic == p.Topic && h.site() == p.site() {
				return nil
			}
		}
		if err := t.leavePush(now, `source = $2`, p.Source); err != nil {
			return err
		}
		opened = true
		return t.exec(`INSERT INTO push_subscriptions (token, source, hub, topic, callback, secret, state, created, next_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7)`, p.Token, p.Source, p.Hub, p.Topic, p.Callback, p.Secret, millis(now))
	})
	if err != nil {
		return false, fmt.Errorf("open subscription of %s: %w", p.Source, err)
	}
	return opened, nil
}

// site is the callback's address without the token.
func (p Push) site() string { return p.Callback[:max(len(p.Callback)-len(p.Token), 0)] }

// LeavePush gives up the subscription of a source.
func (db *DB) LeavePush(ctx context.Context, source string, now time.Time) error {
	err := db.do(ctx, 1, func(t *tx) error { return t.leavePush(now, `source = $2`, source) })
	if err != nil {
		return fmt.Errorf("leave subscription of %s: %w", source, err)
	}
	return nil
}

// LeaveUnwanted gives up the subscriptions of sources that are no longer in
// feeds.yaml.
func (db *DB) LeaveUnwanted(ctx context.Context, now time.Time) error {
	err := db.do(ctx, 1, func(t *tx) error {
		return t.leavePush(now, `source NOT IN (SELECT id FROM sources WHERE active = $2)`, 1)
	})
	if err != nil {
		return fmt.Errorf("leave subscriptions: %w", err)
	}
	return nil
}

// leavePush marks subscriptions as no longer wanted. One that the hub has never
// verified is forgotten: the hub's question about it is then refused.
func (t *tx) leavePush(now time.Time, which string, arg any) error {
	if err := t.exec(`DELETE FROM push_subscriptions WHERE state <> 'leaving' AND verified <= $1 AND `+which, 0, arg); err != nil {
		return err
	}
	return t.exec(`UPDATE push_subscriptions SET state = 'leaving', next_at = $1, fails = 0, lease_until = 0, turn = turn + 1
		WHERE state <> 'leaving' AND `+which, millis(now), arg)
}

// ClaimPushes claims at most c.Limit subscriptions whose hub is to be asked and
// that are in nobody's hands.
func (db *DB) ClaimPushes(ctx context.Context, c Claim) ([]Push, error) {
	now := millis(c.Now)
	var claimed []Push
	err := db.do(ctx, 1, func(t *tx) error {
		var err error
		claimed, err = scanPushes(t.query(`UPDATE push_subscriptions SET lease_until = $1, lease_by = $2
			WHERE token IN (SELECT token FROM push_subscriptions WHERE next_at <= $3 AND lease_until <= $3 ORDER BY next_at, token LIMIT $4)
			AND next_at <= $3 AND lease_until <= $3 RETURNING `+pushColumns, now+c.Lease.Milliseconds(), c.By, now, c.Limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim subscriptions: %w", err)
	}
	return claimed, nil
}

// SettlePush stores what became of a request to the hub: State, Fails, Detail
// and NextAt of p, which was claimed. What the hub itself has said meanwhile,
// by verifying or denying, stands.
func (db *DB) SettlePush(ctx context.Context, p Push) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`UPDATE push_subscriptions SET state = $1, fails = $2, detail = $3, next_at = $4
			WHERE token = $5 AND turn = $6`, string(p.State), p.Fails, p.Detail, millis(p.NextAt), p.Token, p.turn); err != nil {
			return err
		}
		return t.exec(`UPDATE push_subscriptions SET lease_until = 0 WHERE token = $1`, p.Token)
	})
	if err != nil {
		return fmt.Errorf("settle subscription of %s: %w", p.Source, err)
	}
	return nil
}

// VerifyPush stores that the hub has verified a subscription, until expires;
// next is when to renew it. ErrNotFound says that it is wanted no longer.
func (db *DB) VerifyPush(ctx context.Context, token string, now, expires, next time.Time) error {
	return db.changePush(ctx, "verify", `turn = turn + 1, state = 'verified', verified = $2, expires = $3, next_at = $4, fails = 0, detail = ''`,
		token, millis(now), millis(expires), millis(next))
}

// DenyPush stores that the hub has refused or ended a subscription, and when
// to ask again.
func (db *DB) DenyPush(ctx context.Context, token, detail string, next time.Time) error {
	return db.changePush(ctx, "deny", `turn = turn + 1, state = 'denied', expires = 0, fails = fails + 1, detail = $2, next_at = $3`,
		token, detail, millis(next))
}

// DeliveredPush stores that the hub has delivered. That makes good what it had
// missed.
func (db *DB) DeliveredPush(ctx context.Context, token string, now time.Time) error {
	return db.changePush(ctx, "note delivery of", `delivered = $2, missed = 0`, token, millis(now))
}

// MissPush stores that a visit found news that the hub had not delivered.
func (db *DB) MissPush(ctx context.Context, token string) error {
	return db.changePush(ctx, "note miss of", `missed = missed + 1`, token)
}

// changePush changes a subscription that is not being left.
func (db *DB) changePush(ctx context.Context, what, set, token string, args ...any) error {
	err := db.do(ctx, 1, func(t *tx) error {
		res, err := t.execResult(`UPDATE push_subscriptions SET `+set+` WHERE token = $1 AND state <> 'leaving'`,
			append([]any{token}, args...)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return ErrNotFound
	})
	if err != nil {
		return fmt.Errorf("%s subscription: %w", what, err)
	}
	return nil
}

// DropPush forgets a subscription.
func (db *DB) DropPush(ctx context.Context, token string) error {
	err := db.do(ctx, 1, func(t *tx) error { return t.exec(`DELETE FROM push_subscriptions WHERE token = $1`, token) })
	if err != nil {
		return fmt.Errorf("drop subscription: %w", err)
	}
	return nil
}
