package syndicate

import (
	"cmp"
	"compress/gzip"
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"diemtin/store"
)

const (
	// DefaultCacheBytes is the memory for rendered documents if the
	// configuration says nothing: about 600 feeds of 50 entries, plain and
	// compressed.
	DefaultCacheBytes = 64 << 20

	// What the configuration may give them: room for the largest document there
	// may be, and what a machine may have.
	minCacheBytes = 4 << 20
	maxCacheBytes = 64 << 30

	// freshFor is how long a document is given out without asking the store
	// whether it changed: readers see a change at most this much later, and a
	// channel is asked about and rendered at most this often.
	freshFor = time.Second

	// settled is how long bytes must have stood before they are compressed by
	// brotli or zstd too: feeds that change every minute are not worth it.
	settled = 30 * time.Second

	// refreshTimeout bounds asking and rendering once, whoever waits for it.
	refreshTimeout = 10 * time.Second

	// maxRenders is how many documents are rendered at once. More would only
	// take memory: rendering is work for the processor.
	maxRenders = 4
)

// docKey names a document: its canonical path and the entries asked for, 0 for
// the usual number.
type docKey struct {
	path string
	n    int
}

// docMaker makes one document from the store.
type docMaker struct {
	format      string // metric label
	answered    answered
	contentType string
	link        string
	entries     entryMarks  // of a feed of which parts are given out
	header      http.Header // of every answer; nil: as feeds have it, with link
	revision    func(context.Context) (store.Revision, error)
	render      func(context.Context, store.Revision) ([]byte, error)
	gzip        int              // level; 0 = the best
	final       func(error) bool // there is no such document any more; nil = never
}

// cache keeps rendered documents, the least used of them given up first. A
// document is rendered once per revision, however many wait for it, and one
// that nobody asks for costs nothing. What a channel costs in a second is one
// reading (see readings) and one rendering of each format that somebody takes.
type cache struct {
	now     func() time.Time
	max     int64 // bytes
	log     *slog.Logger
	metrics *feedMetrics
	flight  singleflight.Group
	renders chan struct{}
	held    *atomic.Int64 // bytes, of all caches that are counted together

	mu    sync.Mutex
	docs  map[docKey]*list.Element // of *cached
	used  *list.List               // most recently used first
	bytes int64
}

// cached is a document in the cache, with what is known of its age.
type cached struct {
	key      docKey
	doc      *rendition
	revision int64
	checked  time.Time // when the store was last asked
	since    time.Time // when these bytes were first made here
	size     int64     // as counted against the room
}

func newCache(maxBytes int64, now func() time.Time, log *slog.Logger, m *feedMetrics) *cache {
	if maxBytes <= 0 {
		maxBytes = DefaultCacheBytes
	}
	return &cache{now: now, max: maxBytes, log: log, metrics: m,
		renders: make(chan struct{}, maxRenders), held: new(atomic.Int64),
		docs: map[docKey]*list.Element{}, used: list.New()}
}

// fresh returns a document that need not be asked about, or nil.
func (c *cache) fresh(k docKey) *rendition {
	old, ok := c.peek(k)
	if !ok || c.now().Sub(old.checked) >= freshFor {
		return nil
	}
	c.metrics.hit.Inc()
	return old.doc
}

// refresh returns the document as the store now has it. If the store does not
// answer, it is the one at hand, else an error. later is an encoding that is made
// when bytes have stood and that the client takes, identity if there is none.
func (c *cache) refresh(ctx context.Context, k docKey, m docMaker, later coding) (*rendition, error) {
	made, err := c.look(ctx, k, m, later)
	return made.doc, err
}

// look is refresh with what is known of the document's age.
func (c *cache) look(ctx context.Context, k docKey, m docMaker, later coding) (cached, error) {
	made, err, _ := c.flight.Do(k.path+"?"+strconv.Itoa(k.n), func() (any, error) {
		// Others wait for this too: it does not end with the first client.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
		defer cancel()
		return c.update(ctx, k, m, later)
	})
	if err != nil {
		return cached{}, err
	}
	return made.(cached), nil
}

// update is one refresh. The revision is read before the stories: a change
// between the two is rendered now and found to be the same bytes next time.
func (c *cache) update(ctx context.Context, k docKey, m docMaker, later coding) (cached, error) {
	old, ok := c.peek(k)
	now := c.now()
	if ok && now.Sub(old.checked) < freshFor { // another call has just done it
		c.metrics.hit.Inc()
		return old, nil
	}
	next := old
	next.key, next.checked = k, now
	rev, err := m.revision(ctx)
	switch {
	case err != nil:
	case ok && rev.N == old.revision:
		c.metrics.lookups.WithLabelValues("current").Inc()
	default:
		next.revision = rev.N
		next.doc, err = c.render(ctx, old.doc, rev, now, m)
		if next.doc != old.doc {
			next.since = now
		}
	}
	if err == nil {
		next.settle(later, now, c.log)
		c.put(next)
		return next, nil
	}
	if m.final != nil && m.final(err) {
		c.drop(k)
		return cached{}, err
	}
	if !ok {
		c.metrics.lookups.WithLabelValues("failed").Inc()
		return cached{}, fmt.Errorf("make %s: %w", k.path, err)
	}
	c.metrics.lookups.WithLabelValues("stale").Inc()
	c.log.ErrorContext(ctx, "feed not refreshed, an older one is given out", "path", k.path, "error", err)
	old.checked = now
	c.put(old)
	return old, nil
}

// settle compresses anew what has stood for long enough, once for each encoding.
func (d *cached) settle(as coding, now time.Time, log *slog.Logger) {
	if as == identity || d.doc.codings[as].etag != "" || now.Sub(d.since) < settled {
		return
	}
	more, err := d.doc.with(as)
	if err != nil {
		log.Error("feed not compressed", "path", d.key.path, "error", err)
		return
	}
	d.doc = more
}

// render makes the document anew, and keeps the old one if the bytes are the
// same: then nothing changed for readers.
func (c *cache) render(ctx context.Context, old *rendition, rev store.Revision, now time.Time, m docMaker) (*rendition, error) {
	select {
	case c.renders <- struct{}{}:
		defer func() { <-c.renders }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	start := time.Now()
	body, err := m.render(ctx, rev)
	if err != nil {
		return nil, err
	}
	header := m.header
	if header == nil {
		header = feedHeader(m.link)
	}
	doc, err := compressed(body, m.contentType, header, lastModified(old, rev, now), cmp.Or(m.gzip, gzip.BestCompression))
	if err != nil {
		return nil, err
	}
	c.metrics.render.WithLabelValues(m.format).Observe(time.Since(start).Seconds())
	if old != nil && old.hash == doc.hash {
		c.metrics.lookups.WithLabelValues("same").Inc()
		return old, nil
	}
	doc.answered = m.answered
	doc.withDelta(m.entries, old)
	c.metrics.lookups.WithLabelValues("new").Inc()
	return doc, nil
}

// lastModified is the end of the second of the newest visible change, never of
// the future: a document made within that second, before the change, has an
// earlier one, also if it was made by another process. Two changes within a
// second are told apart by the next, which has come, since nothing is rendered
// twice in one.
func lastModified(old *rendition, rev store.Revision, now time.Time) time.Time {
	t := rev.At
	if t.IsZero() {
		t = emptySince
	}
	t = t.Add(time.Second - 1).Truncate(time.Second)
	if old != nil && !t.After(old.modified) {
		t = old.modified.Add(time.Second)
	}
	if t.After(now) {
		t = now
	}
	return t
}

// peek returns a copy of what the cache knows of a document and marks it used.
func (c *cache) peek(k docKey) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.docs[k]
	if !ok {
		return cached{}, false
	}
	c.used.MoveToFront(e)
	return *e.Value.(*cached), true
}

// drop gives up a document that there is no more.
func (c *cache) drop(k docKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.docs[k]; ok {
		c.bytes -= c.used.Remove(e).(*cached).size
		delete(c.docs, k)
		c.metrics.held.Set(float64(c.bytes))
	}
}

// put keeps a document and gives up the least used ones until all fit. The
// newest stays even if it alone is too big.
func (c *cache) put(d cached) {
	d.size = d.doc.size()
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.bytes
	if e, ok := c.docs[d.key]; ok {
		was := e.Value.(*cached)
		c.bytes += d.size - was.size
		*was = d
		c.used.MoveToFront(e)
	} else {
		c.docs[d.key] = c.used.PushFront(&d)
		c.bytes += d.size
	}
	for c.bytes > c.max && c.used.Len() > 1 {
		e := c.used.Back()
		gone := c.used.Remove(e).(*cached)
		delete(c.docs, gone.key)
		c.bytes -= gone.size
		c.metrics.evicted.Inc()
	}
	c.metrics.held.Set(float64(c.held.Add(c.bytes - before)))
}
