package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// HubState says whether a subscription to our hub still gets anything.
type HubState string

// The states of a subscription to our hub.
const (
	HubActive HubState = "active"
	HubEnded  HubState = "ended" // nothing reached it for too long; kept until its lease ends, for people who ask why
)

// HubSubscription is somebody's subscription to one of our feeds. Topic and
// Callback are its identity.
type HubSubscription struct {
	Topic    string // address of the feed
	Callback string // where to deliver
	Host     string // of Callback
	Secret   string // to sign with; "" = unsigned
	State    HubState
	Created  time.Time
	Verified time.Time // last
	Expires  time.Time // end of the lease
	// Wanted is the revision that the next delivery has to show at least; 0 =
	// nothing waits. Since is the first change that waits.
	Wanted       int64
	Since        time.Time
	Hash         string    // of the bytes it got last; "" = none yet
	Delivered    time.Time // last; zero if never
	Fails        int       // attempts in a row that failed
	FailingSince time.Time // the first of them; zero if none
	Detail       string    // what went wrong last, for a person
	NextAt       time.Time // when to deliver (again)

	leased int64 // until when it is ours, as stored
	by     string
}

const hubColumns = `topic, callback, host, secret, state, created, verified, expires, wanted, since, hash, delivered,
	fails, failing_since, detail, next_at, lease_until, lease_by`

func scanHub(rows *sql.Rows, err error) ([]HubSubscription, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []HubSubscription
	for rows.Next() {
		var s HubSubscription
		var created, verified, expires, since, delivered, failing, next int64
		if err := rows.Scan(&s.Topic, &s.Callback, &s.Host, &s.Secret, &s.State, &created, &verified, &expires, &s.Wanted, &since,
			&s.Hash, &delivered, &s.Fails, &failing, &s.Detail, &next, &s.leased, &s.by); err != nil {
			return nil, err
		}
		s.Created, s.Verified, s.Expires, s.Since = fromMillis(created), fromMillis(verified), fromMillis(expires), fromMillis(since)
		s.Delivered, s.FailingSince, s.NextAt = fromMillis(delivered), fromMillis(failing), fromMillis(next)
		all = append(all, s)
	}
	return all, rows.Err()
}

// HubSubscriptions returns every subscription to our hub, by topic and callback.
func (db *DB) HubSubscriptions(ctx context.Context) ([]HubSubscription, error) {
	all, err := scanHub(db.engine.read.QueryContext(ctx, `SELECT `+hubColumns+` FROM hub_subscriptions ORDER BY topic, callback`))
	if err != nil {
		return nil, fmt.Errorf("read subscriptions to the hub: %w", err)
	}
	return all, nil
}

// HubSubscription returns the subscription of a callback to a topic, or
// ErrNotFound.
func (db *DB) HubSubscription(ctx context.Context, topic, callback string) (HubSubscription, error) {
	all, err := scanHub(db.engine.read.QueryContext(ctx, `SELECT `+hubColumns+` FROM hub_subscriptions
		WHERE topic = $1 AND callback = $2`, topic, callback))
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return HubSubscription{}, fmt.Errorf("read subscription to the hub: %w", err)
	}
	return all[0], nil
}

// hubDue is what may be delivered at $3: it waits, is due, and in nobody's
// hands.
const hubDue = `wanted > 0 AND next_at <= $3 AND lease_until <= $3`

// ClaimHubDeliveries claims at most c.Limit subscriptions for which a delivery
// is due, the longest due first, at most perHost of one callback host at the
// same time, in all processes together.
func (db *DB) ClaimHubDeliveries(ctx context.Context, c Claim, perHost int) ([]HubSubscription, error) {
	now := millis(c.Now)
	var due bool
	if err := db.engine.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM hub_subscriptions
		WHERE wanted > 0 AND next_at <= $1 AND lease_until <= $1)`, now).Scan(&due); err != nil || !due {
		return nil, wrapped(err, "claim deliveries")
	}
	var claimed []HubSubscription
	err := db.do(ctx, 1, func(t *tx) error {
		var err error
		claimed, err = scanHub(t.query(`UPDATE hub_subscriptions SET lease_until = $1, lease_by = $2
			WHERE (topic, callback) IN (SELECT topic, callback FROM (
				SELECT topic, callback, next_at, coalesce(busy.n, 0)
					+ row_number() OVER (PARTITION BY hub_subscriptions.host ORDER BY next_at, topic, callback) AS turn
				FROM hub_subscriptions LEFT JOIN (SELECT host, count(*) AS n FROM hub_subscriptions
					WHERE lease_until > 0 AND lease_until > $3 GROUP BY host) AS busy ON busy.host = hub_subscriptions.host
				WHERE `+hubDue+`) AS waiting
				WHERE turn <= $4 ORDER BY next_at, topic, callback LIMIT $5)
			AND `+hubDue+` RETURNING `+hubColumns, now+c.Lease.Milliseconds(), c.By, now, perHost, c.Limit))
		return err
	})
	return claimed, wrapped(err, "claim deliveries")
}

// SettleHubDelivery stores what became of a claimed delivery: Hash, Delivered,
// Fails, FailingSince, Detail, NextAt and State of s. What waits is done if it
// is no newer than the revision that was delivered; 0 = none was. A
// subscription that was verified anew meanwhile keeps what that said; one that
// is gone, or that another process holds by now, is left alone.
func (db *DB) SettleHubDelivery(ctx context.Context, s HubSubscription, revision int64) error {
	err := db.do(ctx, 1, func(t *tx) error {
		return t.exec(`UPDATE hub_subscriptions SET hash = $1, delivered = $2, fails = $3, failing_since = $4, detail = $5, next_at = $6,
			state = CASE WHEN verified = $7 THEN $8 ELSE state END,
			since = CASE WHEN wanted <= $9 THEN 0 WHEN since <= $9 THEN wanted ELSE since END,
			wanted = CASE WHEN wanted <= $9 OR (verified = $7 AND $8 <> 'active') THEN 0 ELSE wanted END, lease_until = 0
			WHERE topic = $10 AND callback = $11 AND lease_until = $12 AND lease_by = $13`,
			s.Hash, millis(s.Delivered), s.Fails, millis(s.FailingSince), s.Detail, millis(s.NextAt),
			millis(s.Verified), string(s.State), revision, s.Topic, s.Callback, s.leased, s.by)
	})
	return wrapped(err, "settle delivery")
}

// EndHubSubscription forgets a claimed subscription that its callback has
// ended, unless it was verified anew meanwhile.
func (db *DB) EndHubSubscription(ctx context.Context, s HubSubscription) error {
	err := db.do(ctx, 1, func(t *tx) error {
		return t.exec(`DELETE FROM hub_subscriptions WHERE topic = $1 AND callback = $2 AND verified = $3`,
			s.Topic, s.Callback, millis(s.Verified))
	})
	return wrapped(err, "end subscription to the hub")
}

// ExpireHub forgets subscriptions whose lease has ended, and requests that
// failed long enough ago.
func (db *DB) ExpireHub(ctx context.Context, now time.Time) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`DELETE FROM hub_subscriptions WHERE expires <= $1`, millis(now)); err != nil {
			return err
		}
		return t.exec(`DELETE FROM hub_requests WHERE state = 'failed' AND next_at <= $1`, millis(now))
	})
	return wrapped(err, "expire subscriptions to the hub")
}

// HubCounts is how the hub stands.
type HubCounts struct {
	Active, Ended, Pending int // subscriptions; Pending = requests to be verified
	Waiting, Retrying      int // deliveries: not tried yet, and failed before
	// OldestWaiting and OldestRetrying are the first changes that wait; zero if
	// none does.
	OldestWaiting, OldestRetrying time.Time
}

// HubCounts counts.
func (db *DB) HubCounts(ctx context.Context) (HubCounts, error) {
	var c HubCounts
	var outbox, waiting, retrying int64
	err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce(sum(CASE WHEN state = 'active' THEN 1 END), 0),
		coalesce(sum(CASE WHEN state <> 'active' THEN 1 END), 0),
		coalesce(sum(CASE WHEN wanted > 0 AND fails = 0 THEN 1 END), 0), coalesce(sum(CASE WHEN wanted > 0 AND fails > 0 THEN 1 END), 0),
		coalesce(min(CASE WHEN wanted > 0 AND fails = 0 THEN since END), 0), coalesce(min(CASE WHEN wanted > 0 AND fails > 0 THEN since END), 0),
		(SELECT count(*) FROM hub_requests WHERE state = 'pending'), (SELECT coalesce(min(since), 0) FROM hub_outbox)
		FROM hub_subscriptions`).Scan(&c.Active, &c.Ended, &c.Waiting, &c.Retrying, &waiting, &retrying, &c.Pending, &outbox)
	if err != nil {
		return HubCounts{}, fmt.Errorf("count subscriptions to the hub: %w", err)
	}
	if outbox > 0 && (waiting == 0 || outbox < waiting) {
		waiting = outbox
	}
	c.OldestWaiting, c.OldestRetrying = fromMillis(waiting), fromMillis(retrying)
	return c, nil
}

// HubCanary returns the token by which the service knows its own subscription,
// the same for every process; fresh is taken if there is none yet.
func (db *DB) HubCanary(ctx context.Context, fresh string) (token string, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		if err := t.exec(`INSERT INTO hub_canary (one, token) VALUES (1, $1) ON CONFLICT (one) DO NOTHING`, fresh); err != nil {
			return err
		}
		return t.queryRow(`SELECT token FROM hub_canary WHERE one = 1`).Scan(&token)
	})
	return token, wrapped(err, "read the canary's token")
}

// wrapped adds what was attempted to an error, if there is one.
func wrapped(err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
