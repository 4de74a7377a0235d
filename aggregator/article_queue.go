package aggregator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"diemtin/store"
)

const (
	// articleLease is how long claimed pages belong to this process. A batch
	// ends after half of it; the rest is given back.
	articleLease = 2 * time.Minute
	// articleBatch is how many pages of one outlet are claimed at a time. They
	// are asked for one after another, so that of the visits to a host at most
	// one page is ahead of a feed.
	articleBatch = 8
	// articleOutlets bounds the outlets whose pages are being read.
	articleOutlets = 64
	// articleEvery is how often the queue is looked at without a cause: other
	// replicas put pages into it too, and repetitions fall due.
	articleEvery = time.Second
	// dropEvery is how often old texts are looked for, dropBatch how many are
	// deleted at a time: few, so that nobody waits for it.
	dropEvery = 10 * time.Second
	dropBatch = 200
	// maxArticleBytes bounds an article's page, unpacked: what becomes of it in
	// memory takes ten times as much. Papers' pages have 50 to 600 KB.
	maxArticleBytes = 2 << 20
	// roundArticles is how long a round by hand reads pages after its visits.
	roundArticles = time.Minute
)

// articlePauses are the waits after the first tries of a page that failed;
// after the last it is left. Outlets list an article minutes before all their
// servers have it; an outage takes an hour.
var articlePauses = []time.Duration{2 * time.Minute, 15 * time.Minute, 2 * time.Hour}

// articleQueue is this process's part in reading the pages of new items.
type articleQueue struct {
	mu    sync.Mutex
	busy  map[string]bool // outlets whose pages are being read
	ill   map[string]illness
	walls walls
	wake  chan struct{} // there may be something to do
	work  sync.WaitGroup
}

func newArticleQueue() *articleQueue {
	return &articleQueue{busy: map[string]bool{}, ill: map[string]illness{}, wake: make(chan struct{}, 1)}
}

// illness is how often in a row an outlet's pages failed, and why the last did.
type illness struct {
	fails int
	last  error
	at    time.Time
}

// note notes how a request for a page of an outlet ended.
func (q *articleQueue) note(outlet string, err error, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		delete(q.ill, outlet)
		return
	}
	q.ill[outlet] = illness{q.ill[outlet].fails + 1, err, now}
}

// trouble is the fault of a page that is not asked for since those before it
// failed: an outlet in trouble is not asked for all its pages. After a pause
// the next one is tried.
func (q *articleQueue) trouble(outlet string, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, ok := q.ill[outlet]
	if !ok || i.fails < articleFailures || now.Sub(i.at) >= articlePauses[0] {
		return nil
	}
	var f *Fault
	if !errors.As(i.last, &f) {
		return nil
	}
	return &Fault{Outcome: f.Outcome, Err: fmt.Errorf("not asked for, since %d pages of its outlet failed in a row, the last: %w", i.fails, i.last)}
}

func (q *articleQueue) stir() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake
	}
}

// readArticlePages reads the pages of new items as they fall due until ctx
// ends, and waits for those under way.
func (a *Aggregator) readArticlePages(ctx context.Context) {
	tick := time.NewTicker(articleEvery)
	defer tick.Stop()
	var dropped time.Time
	for {
		if err := a.startArticles(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("claim articles", "error", err)
		}
		if now := a.now(); now.Sub(dropped) >= dropEvery {
			dropped = now
			a.dropTexts(ctx, now)
		}
		select {
		case <-ctx.Done():
			a.articles.work.Wait()
			return
		case <-a.articles.wake:
		case <-tick.C:
			a.showArticleQueue(ctx)
		}
	}
}

// startArticles claims what is due of outlets that are not at work, and
// starts on it.
func (a *Aggregator) startArticles(ctx context.Context) error {
	q := a.articles
	q.mu.Lock()
	var busy []string
	for id := range q.busy {
		busy = append(busy, id)
	}
	q.mu.Unlock()
	slices.Sort(busy)
	if len(busy) >= articleOutlets || ctx.Err() != nil {
		return nil
	}
	now := a.now()
	due, err := a.store.DueArticles(ctx, store.ArticleClaim{Now: now, Lease: articleLease, By: a.by,
		Limit: (articleOutlets - len(busy)) * articleBatch, PerOutlet: articleBatch, Busy: busy})
	if err != nil {
		return err
	}
	byOutlet := map[string][]store.DueArticle{}
	for _, d := range due {
		byOutlet[d.Item.Outlet] = append(byOutlet[d.Item.Outlet], d)
	}
	for id, batch := range byOutlet {
		slices.SortFunc(batch, func(x, y store.DueArticle) int { return int(x.Item.ID - y.Item.ID) })
		q.mu.Lock()
		q.busy[id] = true
		q.mu.Unlock()
		q.work.Go(func() {
			a.readBatch(ctx, batch, now.Add(articleLease/2))
			q.mu.Lock()
			delete(q.busy, id)
			q.mu.Unlock()
			q.stir()
		})
	}
	return nil
}

// readBatch reads the pages of one outlet, one after another, and gives back
// what it does not come to.
func (a *Aggregator) readBatch(ctx context.Context, batch []store.DueArticle, until time.Time) {
	var left []int64
	for _, d := range batch {
		if ctx.Err() != nil || a.now().After(until) || !a.readDue(ctx, d) {
			left = append(left, d.Item.ID)
		}
	}
	if len(left) == 0 {
		return
	}
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyUp)
	defer cancel()
	if err := a.store.GiveBackArticles(tidy, a.by, left); err != nil {
		a.log.Error("give articles back", "error", err)
	}
}

// readDue reads one item's page and stores it. It is false if the program ends
// before that.
func (a *Aggregator) readDue(ctx context.Context, d store.DueArticle) bool {
	log := a.log.With("source", d.Item.Source, "item", d.Item.ID)
	c, known := a.set().sources[d.Item.Source]
	if !known { // of a source that was switched off
		c = a.sourceAt(d.Item.Link)
		c.access = a.set().stranger
	}
	start := a.now()
	v := store.ArticleVisit{Item: d.Item.ID, By: a.by}
	var page ArticlePage
	err := error(fault(store.Internal, "claimed %d times without an answer: the program ended each time", d.Tries))
	if d.Tries <= len(articlePauses) {
		page, err = a.fetchArticle(ctx, c, &d.Item)
	}
	if ctx.Err() != nil {
		return false
	}
	v.At = a.now()
	if err == nil {
		v.Article = keeper{outlet: c.outlet, source: c.source, names: a.set().names, classify: a.classifier.Load(), walls: &a.articles.walls}.article(&d.Item, page)
	} else {
		v.Outcome, v.Detail = outcomeOf(err), err.Error()
		v.RetryAt = retryArticle(err, d.Tries, v.At)
	}
	state, changes, err := a.store.RecordArticle(context.WithoutCancel(ctx), v, a.judging())
	if err != nil {
		log.Error("record article", "error", err)
		return true // its lease runs out
	}
	a.observeArticle(v, state, changes, v.At.Sub(start), log)
	return true
}

// retryArticle is when a page that failed is asked for again; zero if it is
// left: after the last pause, and where another try can bring nothing else.
func retryArticle(err error, tries int, now time.Time) time.Time {
	var f *Fault
	if tries >= len(articlePauses) || !errors.As(err, &f) {
		return time.Time{}
	}
	switch f.Outcome {
	case store.Gone, store.Refused, store.TooLarge, store.NotAFeed, store.Internal:
		return time.Time{}
	case store.Disallowed:
		if !errors.Is(err, errRobotsUnread) {
			return time.Time{}
		}
	}
	return now.Add(max(articlePauses[tries], f.RetryAfter))
}

// errRobotsUnread is why a page is closed that may be open once robots.txt can
// be read.
var errRobotsUnread = errors.New("robots.txt cannot be read")

// fetchArticle fetches and reads an item's page, within its host's budget and
// as robots.txt allows. A panic on what came from outside is this page's fault
// alone.
func (a *Aggregator) fetchArticle(ctx context.Context, c configured, it *store.Item) (p ArticlePage, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault(store.Internal, "panic: %v\n%s", r, debug.Stack())
		}
	}()
	if p, known, err := a.pages.get(pageKey{it.Link, c.source.Article}, a.now()); known {
		return p, err // asked for by its listing
	}
	if err := a.articles.trouble(it.Outlet, a.now()); err != nil {
		return p, err
	}
	leave, err := a.enterAmong(ctx, it.Link, a.set().pages)
	if err != nil {
		return p, err
	}
	defer leave()
	doc, err := a.askArticle(ctx, c, it)
	defer a.fetch.release(doc)
	switch {
	case err != nil:
		if o := outcomeOf(err); o != store.Disallowed && o != store.Throttled && ctx.Err() == nil {
			a.articles.note(it.Outlet, err, a.now())
		}
		return p, err
	case doc.Cut:
		return p, cutFault(it.Link)
	case isStartPage(doc.FinalURL) && !isStartPage(it.Link):
		return p, fault(store.NotAFeed, "%s redirects to the front page", it.Link)
	}
	a.articles.note(it.Outlet, nil, a.now())
	a.metrics.articleBytes.Observe(float64(len(doc.Body)))
	return ReadArticle(doc, c.source.Article, ArticleOptions{Zone: c.zone, Names: a.set().names})
}

// askArticle asks for a page. The caller is inside its host.
func (a *Aggregator) askArticle(ctx context.Context, c configured, it *store.Item) (*Document, error) {
	if until, now := a.hosts.waitUntil(it.Link, articleThrottle), a.now(); until.After(now) {
		return nil, &Fault{Outcome: store.Throttled, RetryAfter: until.Sub(now), Err: errors.New("its host has asked to wait, so its pages are left alone")}
	}
	rules := a.robots(ctx, c, it.Link)
	if why := rules.disallowed(it.Link, "page"); why != "" {
		if rules.problem != "" {
			return nil, &Fault{Outcome: store.Disallowed, Err: fmt.Errorf("%w: %s", errRobotsUnread, why)}
		}
		return nil, closedBy(why)
	}
	via := a.accessTo(c, it.Link)
	via.article = true
	doc, err := a.fetch.get(a.noteAddress(ctx, c, it.Link), via, it.Link, "", "", a.now())
	var f *Fault
	wait := time.Duration(0)
	if errors.As(err, &f) {
		wait = f.RetryAfter
	}
	a.hosts.throttle(it.Link, articleThrottle, wait)
	return doc, err
}

// articleThrottle stands for all pages of a host where its sources are named
// that were asked to wait.
const articleThrottle = "its articles"

// observeArticle counts and logs the reading of one page, once.
func (a *Aggregator) observeArticle(v store.ArticleVisit, state store.ArticleState, c store.Changes, took time.Duration, log *slog.Logger) {
	if state == "" {
		log.Warn("article was claimed anew by another process before it was read")
		return
	}
	outcome := string(state)
	if v.Article == nil {
		outcome = string(v.Outcome)
	}
	a.metrics.articles.WithLabelValues(outcome).Inc()
	a.metrics.listings(c.Waits)
	for reason, n := range c.Merged {
		a.metrics.united.WithLabelValues(reason).Add(float64(n))
	}
	a.metrics.changedOriginals(c)
	switch {
	case v.Article == nil && state == store.ArticleWaiting:
		log.Info("article not read", "outcome", string(v.Outcome), "cause", v.Detail, "again", v.RetryAt.Format(time.RFC3339))
	case v.Article == nil:
		log.Info("article left", "outcome", string(v.Outcome), "cause", v.Detail)
	default:
		log.Debug("article read", "state", string(state), "characters", v.Article.Length, "robots", v.Article.Robots, "cause", v.Article.Why,
			"merged", len(c.Merged), "listed", c.Listed, "took_ms", took.Milliseconds())
	}
}

// showArticleQueue shows the state of the queue.
func (a *Aggregator) showArticleQueue(ctx context.Context) {
	q, err := a.store.ArticleQueue(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Error("read queue of articles", "error", err)
		}
		return
	}
	a.metrics.articleQueue.Set(float64(q.Waiting))
	a.metrics.articleHolding.Set(float64(q.Held))
	age := 0.0
	if !q.Oldest.IsZero() {
		age = max(a.now().Sub(q.Oldest), 0).Seconds()
	}
	a.metrics.articleAge.Set(age)
}

// dropTexts deletes the texts that are not compared any more, in small steps.
func (a *Aggregator) dropTexts(ctx context.Context, now time.Time) {
	for ctx.Err() == nil {
		n, err := a.store.DropTexts(ctx, now.Add(-a.set().cfg.Limits.keepText()), dropBatch)
		if err != nil && ctx.Err() == nil {
			a.log.Error("drop old texts", "error", err)
		}
		if err != nil || n < dropBatch {
			return
		}
	}
}

// reading is what is done with the pages of a source's new items.
func (a *Aggregator) reading(c configured) store.Reading {
	return store.Reading{When: c.source.Article.when(), Hold: a.set().cfg.Limits.hold()}
}

// readRound reads the pages that are due after a round's visits, within a
// bound; the rest stays in the queue.
func (a *Aggregator) readRound(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, roundArticles)
	defer cancel()
	for ctx.Err() == nil {
		if err := a.startArticles(ctx); err != nil {
			return err
		}
		a.articles.mu.Lock()
		busy := len(a.articles.busy)
		a.articles.mu.Unlock()
		if busy == 0 {
			return nil
		}
		select {
		case <-a.articles.wake:
		case <-ctx.Done():
		}
	}
	a.articles.work.Wait()
	return nil
}
