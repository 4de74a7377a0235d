package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// post writes a row of the outbox for each scope that this transaction changed,
// if the hub has subscribers. Days are no topics of the hub.
func (t *tx) post() error {
	if !t.heard {
		return nil
	}
	for scope := range t.scopes {
		if strings.HasPrefix(scope, dayScope("")) {
			continue
		}
		if err := t.exec(`INSERT INTO hub_outbox (scope, revision, since) VALUES ($1, $2, $2)
			ON CONFLICT (scope) DO UPDATE SET revision = excluded.revision`, scope, t.clock); err != nil {
			return fmt.Errorf("post change: %w", err)
		}
	}
	return nil
}

// Reads are the scopes of which each change of what the selection shows raises
// one: its Revision is the newest of theirs.
func (s Selection) Reads() []string {
	if s.Day != "" {
		return []string{dayScope(s.Day)}
	}
	return s.dimensions()[0]
}

// posted is a row of the outbox.
type posted struct{ revision, since int64 }

// FanOutHub empties the outbox: every subscription to a topic that reads a
// changed scope waits for a delivery from then on, whatever waited before is
// part of it. Reads names the scopes of a topic, and says false for one that
// is no more: its subscribers are told and forgotten; turn makes the Turn of
// the requests to do so. All of it is one
// transaction, so a process that is killed has done all or nothing.
// It returns the number of changed scopes.
func (db *DB) FanOutHub(ctx context.Context, reads func(topic string) ([]string, bool), now time.Time, turn func() string) (int, error) {
	var waiting bool
	if err := db.engine.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM hub_outbox)`).Scan(&waiting); err != nil || !waiting {
		return 0, wrapped(err, "read outbox")
	}
	n := 0
	err := db.do(ctx, 1, func(t *tx) error {
		changed, err := t.outbox()
		if err != nil {
			return err
		}
		n = len(changed)
		topics, err := t.hubTopics()
		if err != nil {
			return err
		}
		for _, topic := range topics {
			scopes, ok := reads(topic)
			if !ok {
				if err := t.closeTopic(topic, millis(now), turn); err != nil {
					return err
				}
				continue
			}
			if err := t.wantTopic(topic, scopes, changed); err != nil {
				return err
			}
		}
		return t.exec(`DELETE FROM hub_outbox`)
	})
	return n, wrapped(err, "fan out changes")
}

func (t *tx) outbox() (map[string]posted, error) {
	rows, err := t.query(`SELECT scope, revision, since FROM hub_outbox`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	changed := map[string]posted{}
	for rows.Next() {
		var scope string
		var p posted
		if err := rows.Scan(&scope, &p.revision, &p.since); err != nil {
			return nil, err
		}
		changed[scope] = p
	}
	return changed, rows.Err()
}

func (t *tx) hubTopics() ([]string, error) {
	rows, err := t.query(`SELECT DISTINCT topic FROM hub_subscriptions`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var topics []string
	for rows.Next() {
		var topic string
		if err := rows.Scan(&topic); err != nil {
			return nil, err
		}
		topics = append(topics, topic)
	}
	return topics, rows.Err()
}

// wantTopic lets the subscribers of a topic wait for its newest change.
func (t *tx) wantTopic(topic string, scopes []string, changed map[string]posted) error {
	var p posted
	for _, scope := range scopes {
		c, ok := changed[scope]
		if !ok {
			continue
		}
		p.revision = max(p.revision, c.revision)
		if p.since == 0 || c.since < p.since {
			p.since = c.since
		}
	}
	if p.revision == 0 {
		return nil
	}
	return t.exec(`UPDATE hub_subscriptions SET wanted = $1, since = CASE WHEN since = 0 THEN $2 ELSE since END
		WHERE topic = $3 AND state = 'active' AND wanted < $1`, p.revision, p.since, topic)
}

// closeTopic ends all subscriptions to a topic that is no more, and lets their
// callbacks be told.
func (t *tx) closeTopic(topic string, now int64, turn func() string) error {
	if err := t.exec(`INSERT INTO hub_requests (topic, callback, mode, state, host, client, secret, lease_seconds, turn, detail, next_at)
		SELECT topic, callback, 'denied', 'pending', host, '', '', 0, $1, $2, $3 FROM hub_subscriptions WHERE topic = $4 AND state = 'active'
		ON CONFLICT (topic, callback) DO UPDATE SET mode = excluded.mode, state = excluded.state, turn = excluded.turn,
			detail = excluded.detail, tries = 0, next_at = excluded.next_at, lease_until = 0`,
		turn(), "this feed is no longer published", now, topic); err != nil {
		return err
	}
	return t.exec(`DELETE FROM hub_subscriptions WHERE topic = $1`, topic)
}
