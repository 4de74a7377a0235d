package aggregator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

// Report is what one visit found and changed.
type Report struct {
	Source   store.Source
	Outcome  store.Outcome
	Detail   string // what went wrong, for a person
	Status   int    // HTTP, 0 if there was no answer
	FinalURL string
	Bytes    int
	Items    []store.Item
	Repairs  []Repair
	Known    []string // first aliases of the items that stand there as at the last visit; they are not in Items
	Changes  store.Changes
	State    store.SourceState // after the visit
	Took     time.Duration

	trace                    string // names this visit in the log
	etag, lastModified, hash string
	retryAfter               time.Duration
	moved                    permanently
	robots                   string
	advert                   *advert
	read                     bool           // a document was read, so Repairs are its own
	order                    []firstAliases // of all items of the document, if some are Known
	memory                   *memory
	children                 map[string]child // of an index of sitemaps
	hints                    Hints
	inDocument               int       // items in the document, also those that did not change
	gap                      bool      // nothing in common with the last visit
	at                       time.Time // when its items were seen
}

// visit looks at one source, by the setup under which it was claimed, and
// records what it found. ok is false if the
// visit was broken off because the program ends: then nothing is recorded.
func (a *Aggregator) visit(ctx context.Context, set *Setup, src store.Source) (r Report, ok bool) {
	defer a.opening.done(src.ID)
	claimed := a.now()
	leave, err := a.enter(ctx, src.URL)
	if err != nil {
		return Report{}, false
	}
	defer leave()
	if a.now().Sub(claimed) > lease/2 { // too late to finish within the lease: it is claimed again
		return Report{}, false
	}
	a.metrics.inFlight.Inc()
	defer a.metrics.inFlight.Dec()
	start := a.now()
	if !src.State.NextAt.IsZero() {
		a.metrics.lag.Observe(max(start.Sub(src.State.NextAt), 0).Seconds())
	}
	trace := traceID()
	log := a.log.With("source", src.ID, "visit", trace)
	c, known := set.sources[src.ID]
	if !known { // stored by another replica with a newer feeds.yaml
		log.Warn("source is not in this process's configuration")
		return Report{}, false
	}
	if until := a.hosts.quietUntil(src.URL, src.ID); until.After(start) {
		a.putOff(ctx, src, until, log)
		return Report{}, false
	}
	r = a.look(ctx, c, src.State, set.memories.get(src.ID, src.State), start)
	if ctx.Err() != nil {
		return Report{}, false
	}
	r.Source, r.trace = src, trace
	r = a.record(ctx, c, r, start, log)
	a.push.visited(ctx, r)
	if r.read && r.Outcome.OK() {
		set.memories.put(src.ID, r.memory)
		set.children.put(src.ID, r.children, r.Repairs, start)
	}
	r.Took = a.now().Sub(start)
	a.observe(r, log)
	return r, true
}

// traceID is a name for one visit, unlikely to come again within months of
// logs.
func traceID() string { return fmt.Sprintf("%012x", rand.Uint64()>>16) }

// look fetches, reads and cleans one source, and stores nothing. Items that
// last remembers are not read again; nil = all are. A panic on what came from
// outside is this visit's outcome alone.
func (a *Aggregator) look(ctx context.Context, c configured, st store.SourceState, last *memory, now time.Time) (r Report) {
	defer func() {
		if p := recover(); p != nil {
			r.Outcome, r.Detail = store.Internal, fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	address, conditions := c.source.URL, st
	if st.MovedSeen >= movedAfter {
		address = st.MovedTo
	}
	if now.Sub(st.FullAt) > fullEvery { // some servers answer 304 for ever
		conditions.ETag, conditions.LastModified = "", ""
	}
	rules := a.robots(ctx, c, address)
	r.robots = rules.decision(address, c.source.Kind)
	if why := rules.disallowed(address, c.source.Kind); why != "" {
		return r.failed(closedBy(why))
	}
	doc, err := a.fetch.get(a.noteAddress(ctx, c, address), c.access, address, conditions.ETag, conditions.LastModified, now)
	defer a.fetch.release(doc)
	r.moved = moved(st, c.source.URL, address, doc, err)
	if doc != nil {
		r.Status, r.FinalURL, r.Bytes = doc.Status, doc.FinalURL, len(doc.Body)
	}
	if err != nil {
		return r.failed(err)
	}
	r.hints.Fresh = freshFor(doc.Header, now)
	if r.Status == 304 {
		r.Outcome, r.etag, r.lastModified, r.hash = store.NotModified, st.ETag, st.LastModified, st.BodyHash
		return r
	}
	if !doc.Cut { // else the next visit asks for the whole again
		r.etag, r.lastModified, r.hash = doc.Header.Get("ETag"), doc.Header.Get("Last-Modified"), doc.Hash
		ad := advertised(doc)
		r.advert = &ad
	}
	if doc.Hash == st.BodyHash {
		r.Outcome = store.Unchanged
		return r
	}
	rd, err := read(doc, c.source, a.set().cfg.Limits, last)
	r.Repairs, r.read = rd.repairs, true
	r.Known, r.order, r.memory = rd.known, rd.order, rd.memory
	if doc.Cut {
		if err != nil || len(rd.entries)+len(rd.known) == 0 {
			return r.failed(cutFault(c.source.URL))
		}
		rd.repairs.add("connection_cut", "the connection broke off; what came was read")
	}
	if err != nil {
		return r.failed(err)
	}
	rd.hints.Fresh = r.hints.Fresh
	r.hints = rd.hints
	if err := a.complete(ctx, c, &rd, !st.Visited, now); err != nil {
		return r.failed(err)
	}
	r.children = rd.children
	if rd.volatile {
		r.etag, r.lastModified, r.hash = "", "", ""
	}
	n := normaliser{outlet: c.outlet, source: c.source, zone: c.zone, now: now, names: a.set().names, classify: a.classifier.Load()}
	r.Items = n.items(rd.entries, &rd.repairs)
	r.Repairs = rd.repairs
	if !rd.volatile { // else what is read differs from visit to visit
		r.inDocument = len(r.Items) + len(r.Known)
	}
	if len(r.Items) == 0 && len(rd.entries) > 0 && len(rd.known) == 0 && !rd.volatile {
		return r.failed(fault(store.NotAFeed, "none of its %d entries has both a link and a text", len(rd.entries)))
	}
	r.Outcome = store.New // Unchanged if the store knows them all
	if len(r.Items) == 0 {
		r.Outcome = store.Unchanged
	}
	return r
}

const (
	// movedAfter is how many visits in a row must be redirected for good to
	// the same place before the place is asked directly: one wrong
	// configuration at the outlet's must not move a source.
	movedAfter = 3
	// fullEvery is how often a document is fetched without conditions.
	fullEvery = 12 * time.Hour
)

// permanently is what is known of a source's move.
type permanently struct {
	to   string
	seen int
}

// moved follows a source's permanent redirects. A move that was believed and
// fails is forgotten: then the old address is asked again.
func moved(st store.SourceState, configured, asked string, doc *Document, err error) permanently {
	known := permanently{st.MovedTo, st.MovedSeen}
	switch {
	case asked != configured && err != nil:
		switch outcomeOf(err) {
		case store.DNS, store.Gone, store.HTTP4xx, store.NotAFeed:
			return permanently{}
		}
		return known
	case asked != configured, doc == nil:
		return known
	case doc.Moved == "":
		return permanently{}
	case doc.Moved == known.to:
		return permanently{known.to, min(known.seen+1, movedAfter)}
	}
	return permanently{doc.Moved, 1}
}

// putOff leaves a source alone until its host may be asked again.
func (a *Aggregator) putOff(ctx context.Context, src store.Source, until time.Time, log *slog.Logger) {
	st := src.State
	st.NextAt = until.Add(time.Duration(rand.Float64() * float64(time.Minute)))
	st.Why = "several feeds of its host were asked to wait, so the whole host is left alone"
	a.metrics.deferred.Inc()
	if _, err := a.store.Record(context.WithoutCancel(ctx), store.Refresh{Source: src, At: a.now(),
		Settle: func(store.Changes) store.SourceState { return st }}, a.judging()); err != nil {
		log.Error("put off visit", "error", err)
	}
}

// turnPages reads the following pages of a listing. One that fails ends the
// turning, not the visit.
func (a *Aggregator) turnPages(ctx context.Context, c configured, rd *reading, now time.Time) {
	if c.source.Page == nil {
		return
	}
	seen := map[string]bool{c.source.URL: true}
	for n := 1; n < c.source.Page.Pages && rd.next != "" && !seen[rd.next]; n++ {
		seen[rd.next] = true
		if !sameSite(rd.next, c) {
			rd.repairs.add("page_missing", "the following page is on another site: "+rd.next)
			return
		}
		doc, err := a.another(ctx, c, rd.next, now)
		if err != nil {
			rd.repairs.add("page_missing", err.Error())
			return
		}
		more, err := read(doc, c.source, a.set().cfg.Limits, nil)
		a.fetch.release(doc)
		if err != nil {
			rd.repairs.add("page_missing", err.Error())
			return
		}
		rd.entries, rd.next = append(rd.entries, more.entries...), more.next
	}
}

func (r Report) failed(err error) Report {
	r.Outcome, r.Detail = outcomeOf(err), err.Error()
	var f *Fault
	if errors.As(err, &f) {
		r.retryAfter = f.RetryAfter
		if f.Status != 0 {
			r.Status = f.Status
		}
	}
	return r
}

// record stores the visit. If the store refuses the items, the fault is
// recorded in their place, and the next visit brings them again.
func (a *Aggregator) record(ctx context.Context, c configured, r Report, now time.Time, log *slog.Logger) Report {
	ctx = context.WithoutCancel(ctx) // what was fetched is stored, even at the end
	at := a.now()
	r.at = at
	changes, err := a.store.Record(ctx, store.Refresh{Source: r.Source, At: at, Items: r.Items, Hold: a.opening.hold(at), Reading: a.reading(c), Settle: func(ch store.Changes) store.SourceState {
		if r.Outcome == store.New && ch.New+ch.Changed == 0 {
			r.Outcome = store.Unchanged
		}
		r.gap = r.lost(ch)
		r.State = a.push.settle(r.next(c, ch, now, a.plan.Load()), r.Source.ID, c.source.Every, ch.New, now)
		return r.State
	}}, a.judging())
	if err == nil {
		r.Changes = changes
		r.Changes.Same += len(r.Known)
		if changes.New > 0 {
			a.articles.stir()
		}
		if r.read && c.source.Kind == "feed" {
			err = a.noteVanished(ctx, r)
		}
		if err != nil {
			log.Error("note vanished items", "error", err)
		}
		return r
	}
	log.Error("record visit", "error", err)
	r.Outcome, r.Detail, r.Items = store.Internal, err.Error(), nil
	if _, err := a.store.Record(ctx, store.Refresh{Source: r.Source, At: at, Settle: func(store.Changes) store.SourceState {
		r.State = r.next(c, store.Changes{}, now, a.plan.Load())
		return r.State
	}}, a.judging()); err != nil {
		log.Error("record failed visit", "error", err)
	}
	return r
}

// next is the source's state after this visit.
func (r Report) next(c configured, ch store.Changes, now time.Time, p *plan) store.SourceState {
	st := r.Source.State
	if r.Outcome.OK() {
		st.ETag, st.LastModified, st.BodyHash = r.etag, r.lastModified, r.hash
		if r.Outcome != store.NotModified {
			st.FullAt = now
		}
	}
	if r.read {
		st.Repairs = r.standing()
	}
	st.MovedTo, st.MovedSeen, st.Robots = r.moved.to, r.moved.seen, r.robots
	return settle(st, c.source.Every, settled{outcome: r.Outcome, detail: r.Detail, retryAfter: r.retryAfter,
		brought: ch.New+ch.Changed+ch.Carried > 0, seen: r.observed(ch), hints: r.hints, rand: rand.Float64(), now: now}, p)
}

// standing are the repairs that the source's document needs: those of this
// visit and, if it read only a part, the other kinds found before.
func (r Report) standing() []Repair {
	all := r.Repairs
	if len(r.Known) == 0 {
		return all
	}
	for _, old := range r.Source.State.Repairs {
		if !slices.ContainsFunc(all, func(n Repair) bool { return n.Kind == old.Kind }) {
			all = append(slices.Clip(all), old)
		}
	}
	return all
}

// observe counts and logs a visit, once.
func (a *Aggregator) observe(r Report, log *slog.Logger) {
	m := a.metrics
	a.hosts.throttle(r.Source.URL, r.Source.ID, r.retryAfter)
	m.refreshes.WithLabelValues(string(r.Outcome)).Inc()
	m.duration.WithLabelValues(string(r.Outcome)).Observe(r.Took.Seconds())
	if r.Bytes > 0 {
		m.bytes.Observe(float64(r.Bytes))
	}
	if _, still := a.set().sources[r.Source.ID]; still {
		m.source(r.Source.ID, r.State)
		m.silence(r.Source, r.State, r.State.LastTry)
	}
	if r.gap {
		m.gaps.WithLabelValues(r.Source.ID).Inc()
		log.Warn("gap: no item in common with the last visit, so items may have been lost", "items", len(r.Items))
	}
	if share, known := r.overlap(); known {
		m.overlap.WithLabelValues(r.Source.ID).Set(share)
	}
	m.changes(r.Changes)
	for _, rep := range r.Repairs {
		m.repairs.WithLabelValues(rep.Kind).Add(float64(rep.Count))
	}
	for _, d := range r.Changes.Delays {
		m.delay.Observe(max(d, 0).Seconds())
	}
	facts := []any{"outcome", string(r.Outcome), "took_ms", r.Took.Milliseconds(), "body_bytes", r.Bytes, "new", r.Changes.New,
		"changed", r.Changes.Changed, "listed", r.Changes.Listed, "next", r.State.NextAt.Format(time.RFC3339)}
	switch {
	case !r.Outcome.OK():
		log.Warn("visit failed", append(facts, "detail", r.Detail, "advice", Advice(r.Outcome), "failures", r.State.Fails)...)
	case r.Outcome == store.New:
		log.Info("visit brought news", facts...)
	default:
		log.Debug("visit", facts...)
	}
}

// Probe looks at one source, by its id or by an address, through every stage
// and stores nothing. An address that the configuration does not know is read
// as a feed of an outlet of its own.
func (a *Aggregator) Probe(ctx context.Context, target string, allowPrivate bool) (Report, error) {
	c, ok := a.set().sources[target]
	switch {
	case !ok && checkURL(target) != "":
		return Report{}, fmt.Errorf("source %q: %w; give the id of a source or an address", target, store.ErrNotFound)
	case !ok:
		c = a.sourceAt(target)
	}
	if c.source.AllowPrivate = c.source.AllowPrivate || allowPrivate; allowPrivate || c.access.client == nil {
		c.access = a.fetch.access(c.source)
	}
	defer a.fetch.close()
	start := a.now()
	r := a.look(ctx, c, store.SourceState{}, nil, start)
	r.Took = a.now().Sub(start)
	r.Source = store.Source{ID: c.source.ID, Outlet: c.outlet.ID, Kind: c.source.Kind, URL: c.source.URL, Topic: c.source.Topic}
	return r, ctx.Err()
}

// sourceAt is the configured source at an address, else one made up for it,
// of the configured outlet whose domain it is on.
func (a *Aggregator) sourceAt(address string) configured {
	key := LinkKey(address)
	host, _, _ := strings.Cut(key, "/")
	made := configured{source: SourceConfig{ID: "probe", URL: address}.withDefaults(), zone: store.Zone,
		outlet: store.Outlet{ID: host, Name: host, Domains: []string{host}, Show: store.ShowSummary}}
	for _, id := range slices.Sorted(maps.Keys(a.set().sources)) {
		c := a.set().sources[id]
		if LinkKey(c.source.URL) == key {
			c.source.URL = address
			return c
		}
		if slices.Contains(c.outlet.Domains, host) {
			made.outlet, made.zone = c.outlet, c.zone
		}
	}
	return made
}
