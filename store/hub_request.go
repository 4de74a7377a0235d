package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// HubMode is what a callback is asked or told.
type HubMode string

// The modes of requests (WebSub, sections 5.1 to 5.3).
const (
	HubSubscribe   HubMode = "subscribe"
	HubUnsubscribe HubMode = "unsubscribe"
	HubDenied      HubMode = "denied"
)

// HubRequest is something that a callback is to be asked, or to be told. There
// is at most one for each topic and callback: a newer one takes its place.
type HubRequest struct {
	Topic, Callback string
	Mode            HubMode
	Host            string // of Callback
	Client          string // who asked, as far as limits tell them apart
	Secret          string
	Lease           time.Duration
	Turn            string // random; tells it from one that takes its place
	Detail          string // for a denial, why; else what went wrong last
	Tries           int
	NextAt          time.Time

	leased int64
	by     string
}

// HubLimits keep the hub from being made an amplifier.
type HubLimits struct {
	Subscriptions int // of all
	PerHost       int // subscriptions of one callback host
	Requests      int // pending, of all
	ClientAsks    int // requests of one client, pending or lately failed
	HostAsks      int // requests about one callback host, pending or lately failed
}

// ErrHubLimit is returned for a request that would go beyond HubLimits; its
// text says beyond which.
var ErrHubLimit = errors.New("limit reached")

// AskHub keeps a request until it is verified. ErrHubLimit says that there are
// too many; renewing what is subscribed already counts only against the
// client's limit. ErrNotFound answers the wish to end a subscription that does
// not exist.
func (db *DB) AskHub(ctx context.Context, r HubRequest, l HubLimits) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if err := t.admit(r, l); err != nil {
			return err
		}
		return t.exec(`INSERT INTO hub_requests (topic, callback, mode, state, host, client, secret, lease_seconds, turn, next_at)
			VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9)
			ON CONFLICT (topic, callback) DO UPDATE SET mode = excluded.mode, state = excluded.state, client = excluded.client,
				secret = excluded.secret, lease_seconds = excluded.lease_seconds, turn = excluded.turn, detail = '', tries = 0,
				next_at = excluded.next_at, lease_until = 0`,
			r.Topic, r.Callback, string(r.Mode), r.Host, r.Client, r.Secret, int64(r.Lease/time.Second), r.Turn, millis(r.NextAt))
	})
	return wrapped(err, "keep request to the hub")
}

// admit refuses a request beyond the limits.
func (t *tx) admit(r HubRequest, l HubLimits) error {
	var known, asked, all, client, host, subscribed, ofHost int
	err := t.queryRow(`SELECT
		(SELECT count(*) FROM hub_subscriptions WHERE topic = $1 AND callback = $2 AND state = 'active'),
		(SELECT count(*) FROM hub_requests WHERE topic = $1 AND callback = $2 AND state = 'pending'),
		(SELECT count(*) FROM hub_requests WHERE state = 'pending'),
		(SELECT count(*) FROM hub_requests WHERE client = $3 AND NOT (topic = $1 AND callback = $2 AND state = 'pending')),
		(SELECT count(*) FROM hub_requests WHERE host = $4 AND NOT (topic = $1 AND callback = $2 AND state = 'pending')),
		(SELECT count(*) FROM hub_subscriptions),
		(SELECT count(*) FROM hub_subscriptions WHERE host = $4)`, r.Topic, r.Callback, r.Client, r.Host).
		Scan(&known, &asked, &all, &client, &host, &subscribed, &ofHost)
	switch {
	case err != nil:
		return err
	case r.Mode == HubUnsubscribe && known == 0 && asked == 0:
		return ErrNotFound
	case client >= l.ClientAsks:
		return fmt.Errorf("%w: too many unverified requests of one client", ErrHubLimit)
	case known > 0 || r.Mode == HubUnsubscribe:
		return nil
	case all-asked >= l.Requests:
		return fmt.Errorf("%w: too many unverified requests", ErrHubLimit)
	case host >= l.HostAsks:
		return fmt.Errorf("%w: too many unverified requests for one callback host", ErrHubLimit)
	case subscribed >= l.Subscriptions:
		return fmt.Errorf("%w: too many subscriptions", ErrHubLimit)
	case ofHost >= l.PerHost:
		return fmt.Errorf("%w: too many subscriptions of one callback host", ErrHubLimit)
	}
	return nil
}

const hubRequestColumns = `topic, callback, mode, host, client, secret, lease_seconds, turn, detail, tries, next_at, lease_until, lease_by`

func scanHubRequests(rows *sql.Rows, err error) ([]HubRequest, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []HubRequest
	for rows.Next() {
		var r HubRequest
		var lease, next int64
		if err := rows.Scan(&r.Topic, &r.Callback, &r.Mode, &r.Host, &r.Client, &r.Secret, &lease, &r.Turn, &r.Detail, &r.Tries, &next,
			&r.leased, &r.by); err != nil {
			return nil, err
		}
		r.Lease, r.NextAt = time.Duration(lease)*time.Second, fromMillis(next)
		all = append(all, r)
	}
	return all, rows.Err()
}

// ClaimHubRequests claims at most c.Limit requests that are due and in nobody's
// hands.
func (db *DB) ClaimHubRequests(ctx context.Context, c Claim) ([]HubRequest, error) {
	const due = `state = 'pending' AND next_at <= $3 AND lease_until <= $3`
	now := millis(c.Now)
	var waiting bool
	if err := db.engine.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM hub_requests
		WHERE state = 'pending' AND next_at <= $1 AND lease_until <= $1)`, now).Scan(&waiting); err != nil || !waiting {
		return nil, wrapped(err, "claim requests to the hub")
	}
	var claimed []HubRequest
	err := db.do(ctx, 1, func(t *tx) error {
		var err error
		claimed, err = scanHubRequests(t.query(`UPDATE hub_requests SET lease_until = $1, lease_by = $2
			WHERE (topic, callback) IN (SELECT topic, callback FROM hub_requests WHERE `+due+` ORDER BY next_at, topic, callback LIMIT $4)
			AND `+due+` RETURNING `+hubRequestColumns, now+c.Lease.Milliseconds(), c.By, now, c.Limit))
		return err
	})
	return claimed, wrapped(err, "claim requests to the hub")
}

// ConfirmHubRequest does what a callback has confirmed, and forgets the
// request. If another has taken its place meanwhile, nothing happens and done
// is false.
func (db *DB) ConfirmHubRequest(ctx context.Context, r HubRequest, now time.Time) (done bool, err error) {
	err = db.do(ctx, 1, func(t *tx) error {
		done = false
		res, err := t.execResult(`DELETE FROM hub_requests WHERE topic = $1 AND callback = $2 AND turn = $3`, r.Topic, r.Callback, r.Turn)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		done = true
		switch r.Mode {
		case HubUnsubscribe:
			return t.exec(`DELETE FROM hub_subscriptions WHERE topic = $1 AND callback = $2`, r.Topic, r.Callback)
		case HubSubscribe:
			return t.exec(`INSERT INTO hub_subscriptions (topic, callback, host, secret, state, created, verified, expires)
				VALUES ($1, $2, $3, $4, 'active', $5, $5, $6) ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret,
				state = excluded.state, verified = excluded.verified, expires = excluded.expires, fails = 0, failing_since = 0, detail = '',
				next_at = CASE WHEN hub_subscriptions.fails > 0 THEN 0 ELSE hub_subscriptions.next_at END`,
				r.Topic, r.Callback, r.Host, r.Secret, millis(now), millis(now.Add(r.Lease)))
		}
		return nil
	})
	return done, wrapped(err, "confirm request to the hub")
}

// PostponeHubRequest stores Tries, Detail and NextAt of a claimed request that
// came to nothing. With failed it is not repeated: it counts against its client
// and its host until NextAt, and is then forgotten.
func (db *DB) PostponeHubRequest(ctx context.Context, r HubRequest, failed bool) error {
	state := "pending"
	if failed {
		state = "failed"
	}
	err := db.do(ctx, 1, func(t *tx) error {
		return t.exec(`UPDATE hub_requests SET state = $1, tries = $2, detail = $3, next_at = $4, lease_until = 0
			WHERE topic = $5 AND callback = $6 AND turn = $7`,
			state, r.Tries, r.Detail, millis(r.NextAt), r.Topic, r.Callback, r.Turn)
	})
	return wrapped(err, "postpone request to the hub")
}
