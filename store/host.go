package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// HostState is what processes tell each other of a host that they share.
type HostState struct {
	Ready time.Time            // nobody asks it before; zero = it was never asked
	IP    string               // the address that answered last, empty = unknown
	Waits map[string]time.Time // until when sources of it were asked to wait, by id
}

// HostClaim asks for a host.
type HostClaim struct {
	Host  string // what shares one budget: a registrable domain, or an address with its port
	Now   time.Time
	Lease time.Duration // nobody else gets it until Now + Lease
	By    string        // who claims
}

const (
	// keepHosts is how long a host is remembered after its last request, and
	// keepWaits after it if sources were asked to wait: none waits longer.
	keepHosts = 3 * time.Hour
	keepWaits = 48 * time.Hour
)

// machine is the name under which the pause of one address is kept.
func machine(ip string) string { return "ip " + ip }

// SharesHosts says whether other processes may work on the same database: then
// they keep the peace with each host together.
func (db *DB) SharesHosts() bool { return !db.engine.alone }

// TakeHost lets one process have a host, or keep it: its own claim it always
// gets. mine is false while the host belongs to another; free is when that ends
// at the latest. It is a statement of its own and waits for no writer.
func (db *DB) TakeHost(ctx context.Context, c HostClaim) (st HostState, mine bool, free time.Time, err error) {
	now, until := millis(c.Now), millis(c.Now.Add(c.Lease))
	var ready int64
	var waits string
	err = db.engine.write.QueryRowContext(ctx, `INSERT INTO hosts (host, lease_by, lease_until) VALUES ($1, $2, $3)
		ON CONFLICT (host) DO UPDATE SET lease_by = excluded.lease_by, lease_until = excluded.lease_until
			WHERE hosts.lease_until <= $4 OR hosts.lease_by = excluded.lease_by
		RETURNING ready_at, ip, waits`, c.Host, c.By, until, now).Scan(&ready, &st.IP, &waits)
	if errors.Is(err, sql.ErrNoRows) {
		var ends int64
		err = db.engine.read.QueryRowContext(ctx, `SELECT coalesce(max(lease_until), 0) FROM hosts WHERE host = $1`, c.Host).Scan(&ends)
		return HostState{}, false, fromMillis(ends), wrapped(err, "ask who has host "+c.Host)
	}
	if err == nil {
		var until map[string]int64
		err = decode(waits, &until)
		st.Ready, st.Waits = fromMillis(ready), map[string]time.Time{}
		for id, ms := range until {
			st.Waits[id] = fromMillis(ms)
		}
	}
	return st, err == nil, time.Time{}, wrapped(err, "take host "+c.Host)
}

// LeaveHost gives a host back with what is to be known of it. If it belongs to
// another by now, only its pause and that of its machine are noted.
func (db *DB) LeaveHost(ctx context.Context, host, by string, st HostState) error {
	waits := ""
	if len(st.Waits) > 0 {
		until := map[string]int64{}
		for id, at := range st.Waits {
			until[id] = millis(at)
		}
		waits = encoded(until)
	}
	_, err := db.engine.write.ExecContext(ctx, `UPDATE hosts SET ready_at = CASE WHEN ready_at > $1 THEN ready_at ELSE $1 END,
		ip = CASE WHEN host = $2 AND lease_by = $3 AND $4 <> '' THEN $4 ELSE ip END,
		waits = CASE WHEN host = $2 AND lease_by = $3 THEN $5 ELSE waits END,
		lease_until = CASE WHEN host = $2 AND lease_by = $3 THEN 0 ELSE lease_until END
		WHERE host = $2 OR host = $6`, millis(st.Ready), host, by, st.IP, waits, machine(st.IP))
	return wrapped(err, "leave host "+host)
}

// TakeTurn takes the next moment, not before at, at which a machine is owed no
// pause, and has whoever comes then wait for a pause after it.
func (db *DB) TakeTurn(ctx context.Context, ip string, at time.Time, pause time.Duration) (time.Time, error) {
	var next int64
	err := db.engine.write.QueryRowContext(ctx, `INSERT INTO hosts (host, ready_at) VALUES ($1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT))
		ON CONFLICT (host) DO UPDATE SET ready_at = CASE WHEN hosts.ready_at > $2 THEN hosts.ready_at ELSE $2 END + $3
		RETURNING ready_at`, machine(ip), millis(at), pause.Milliseconds()).Scan(&next)
	if err != nil {
		return at, fmt.Errorf("take a turn at %s: %w", ip, err)
	}
	return later(at, fromMillis(next-pause.Milliseconds())), nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ForgetHosts drops hosts that nobody has asked for long.
func (db *DB) ForgetHosts(ctx context.Context, now time.Time) error {
	_, err := db.engine.write.ExecContext(ctx, `DELETE FROM hosts WHERE ready_at < $1 AND lease_until < $1 AND (waits = '' OR ready_at < $2)`,
		millis(now.Add(-keepHosts)), millis(now.Add(-keepWaits)))
	return wrapped(err, "forget hosts")
}
