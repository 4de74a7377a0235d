package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// batchItems bounds the items of one commit: bigger ones doubled the cost
	// an item at a million items (measured, modernc SQLite 1.62).
	batchItems = 64
	// queueLength is how many writes may wait before their callers do.
	queueLength = 256
	// busyAfter is the wait for another program's lock that is counted; the
	// engine itself gives up after ten times as long.
	busyAfter = time.Second
)

// errClosed is returned for a write after Close.
var errClosed = errors.New("database is closed")

// write is one caller's piece of a grouped transaction.
type write struct {
	items int // its share of batchItems
	apply func(*tx) error
	done  chan error
}

// writer is the one goroutine that writes: it groups the writes that wait into
// one transaction, each with a savepoint of its own, so that one that fails
// takes no other with it.
type writer struct {
	engine   *engine
	queue    chan write
	stmts    map[string]*sql.Stmt
	near     [MaxKeys]string // nearQuery's texts, by the number of keys less one
	once     sightings       // of the counts
	channels []ArchiveChannel
	current  int64        // the number of the channels, see loadChannels
	busy     atomic.Int64 // begins that waited longer than busyAfter
	mu       sync.RWMutex // guards closed against a send on a closed queue
	closed   bool
	wait     sync.WaitGroup
}

func startWriter(e *engine) *writer {
	w := &writer{engine: e, queue: make(chan write, queueLength), stmts: map[string]*sql.Stmt{}}
	for i := range w.near {
		w.near[i] = nearQuery(i + 1)
	}
	w.wait.Go(w.run)
	return w
}

func (w *writer) stop() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	w.wait.Wait()
}

// do runs apply in the next transaction and returns when that is committed.
// A cancelled context stops the waiting, not the write.
func (db *DB) do(ctx context.Context, items int, apply func(*tx) error) error {
	w := db.writer
	if w == nil {
		return errors.New("database is open for reading only")
	}
	p := write{items: max(items, 1), apply: apply, done: make(chan error, 1)}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return errClosed
	}
	select {
	case w.queue <- p:
		w.mu.RUnlock()
	case <-ctx.Done():
		w.mu.RUnlock()
		return ctx.Err()
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) run() {
	for first := range w.queue {
		batch, items := []write{first}, first.items
	gather:
		for items < batchItems {
			select {
			case p, ok := <-w.queue:
				if !ok {
					break gather
				}
				batch, items = append(batch, p), items+p.items
			default:
				break gather
			}
		}
		w.commit(batch)
		w.prepareNoted()
	}
	for _, s := range w.stmts {
		if s != nil {
			s.Close()
		}
	}
}

// commit answers every write of the batch exactly once, after the commit.
func (w *writer) commit(batch []write) {
	ctx := context.Background() // a caller that gives up must not undo the others
	errs := make([]error, len(batch))
	err := func() error {
		waiting := time.AfterFunc(busyAfter, func() { w.busy.Add(1) })
		sqlTx, err := w.engine.beginWrite(ctx)
		waiting.Stop()
		if err != nil {
			return err
		}
		defer sqlTx.Rollback()
		t := &tx{Tx: sqlTx, ctx: ctx, w: w, scopes: map[string]bool{}, changed: map[string]bool{}}
		if err := t.loadClock(); err != nil {
			return err
		}
		if len(batch) == 1 { // alone, it needs no savepoint, whose journal costs
			if err := t.guarded(batch[0].apply); err != nil {
				return err
			}
		} else {
			for i, p := range batch {
				if errs[i], err = t.piece(p.apply); err != nil {
					return err
				}
			}
		}
		if err := t.saveClock(); err != nil {
			return err
		}
		if err := sqlTx.Commit(); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		return nil
	}()
	for i, p := range batch {
		if err != nil {
			errs[i] = err
		}
		p.done <- errs[i]
	}
}

// tx is the write transaction of the moment, with the clock and the scopes
// whose revision it raises.
type tx struct {
	*sql.Tx
	ctx      context.Context
	w        *writer
	clock    int64 // the newest time given out for listing or change
	nextID   int64 // the id of the next item
	began    int64 // what clock was at the beginning
	scopes   map[string]bool
	changed  map[string]bool  // stories that changed for those who mirror the store
	dirty    bool             // clock or nextID moved
	heard    bool             // the hub has subscribers, so changes are posted
	channels []ArchiveChannel // with an archive of their own
}

// piece runs one write within a savepoint. Its own error is failed; err means
// that the transaction itself is lost.
func (t *tx) piece(apply func(*tx) error) (failed, err error) {
	if _, err := t.ExecContext(t.ctx, `SAVEPOINT piece`); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	before := *t
	t.scopes, t.changed = map[string]bool{}, map[string]bool{}
	if failed = t.guarded(apply); failed != nil {
		if _, err := t.ExecContext(t.ctx, `ROLLBACK TO SAVEPOINT piece`); err != nil {
			return failed, fmt.Errorf("roll back: %w", err)
		}
		*t = before // nor does it raise a revision
	} else {
		maps.Copy(before.scopes, t.scopes)
		maps.Copy(before.changed, t.changed)
		t.scopes, t.changed = before.scopes, before.changed
	}
	if _, err := t.ExecContext(t.ctx, `RELEASE SAVEPOINT piece`); err != nil {
		return failed, fmt.Errorf("release: %w", err)
	}
	return failed, nil
}

// guarded turns a panic of one visit into its error: what it was fed came from
// outside, and the other visits of the transaction are not to blame.
func (t *tx) guarded(apply func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return apply(t)
}

// stmt is the prepared statement for a query, or nil: then it is noted, and
// prepared once the transaction is over (the one connection is busy until
// then). pgx does all this by itself.
func (t *tx) stmt(query string) *sql.Stmt {
	s, seen := t.w.stmts[query]
	if !seen && t.w.engine.prepare {
		t.w.stmts[query] = nil
	}
	if s == nil {
		return nil
	}
	return t.StmtContext(t.ctx, s)
}

func (w *writer) prepareNoted() {
	for query, s := range w.stmts {
		if s == nil {
			if s, err := w.engine.write.Prepare(query); err == nil {
				w.stmts[query] = s
			}
		}
	}
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.execResult(query, args...)
	return err
}

func (t *tx) execResult(query string, args ...any) (sql.Result, error) {
	if s := t.stmt(query); s != nil {
		return s.ExecContext(t.ctx, args...)
	}
	return t.ExecContext(t.ctx, query, args...)
}

func (t *tx) queryRow(query string, args ...any) *sql.Row {
	if s := t.stmt(query); s != nil {
		return s.QueryRowContext(t.ctx, args...)
	}
	return t.QueryRowContext(t.ctx, query, args...)
}

func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	if s := t.stmt(query); s != nil {
		return s.QueryContext(t.ctx, args...)
	}
	return t.QueryContext(t.ctx, query, args...)
}

// loadClock reads what every transaction continues: the clock and the ids.
func (t *tx) loadClock() error {
	var channels int64
	err := t.queryRow(`SELECT coalesce(max(CASE WHEN name = 'clock' THEN value END), 0),
		coalesce(max(CASE WHEN name = 'next_item' THEN value END), 1),
		coalesce(max(CASE WHEN name = 'archive_channels' THEN value END), 0), EXISTS (SELECT 1 FROM hub_subscriptions) FROM meta`).
		Scan(&t.clock, &t.nextID, &channels, &t.heard)
	if err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	t.began = t.clock
	return t.loadChannels(channels)
}

func (t *tx) saveClock() error {
	if err := t.saveChanged(); err != nil {
		return err
	}
	if t.dirty {
		if err := t.exec(`INSERT INTO meta (name, value) VALUES ('clock', $1), ('next_item', $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, t.clock, t.nextID); err != nil {
			return fmt.Errorf("save clock: %w", err)
		}
	}
	for scope := range t.scopes {
		if err := t.exec(`INSERT INTO revisions (scope, at) VALUES ($1, $2)
			ON CONFLICT (scope) DO UPDATE SET at = excluded.at`, scope, t.clock); err != nil {
			return fmt.Errorf("raise revision: %w", err)
		}
	}
	return t.post()
}

// tick gives out the next time of listing or change: now, or the first
// millisecond after the last one, so that no two changes share one.
func (t *tx) tick(now int64) int64 {
	t.clock, t.dirty = max(now, t.clock+1), true
	return t.clock
}
