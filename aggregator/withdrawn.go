package aggregator

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"diemtin/store"
)

const (
	// checkEvery is how often the pages that are due to be asked for are
	// looked up; checkBatch and checkLease bound one such look.
	checkEvery = 10 * time.Second
	checkBatch = 16
	checkLease = 10 * time.Minute
	// checker is who waits, beside the sources, if a host answers a look at a
	// page by asking us to wait.
	checker = "pages"
	// vanishedAgain is how long an item that vanishes once more is not asked
	// for again, and maxVanished how many of one feed are asked for in that
	// time: some feeds are served by machines that disagree, or shuffled.
	vanishedAgain = 6 * time.Hour
	maxVanished   = 200
)

// checkPages asks for the pages of items that have vanished from their feed,
// and of every item once after a day: an article that its outlet has removed
// is withdrawn here too.
func (a *Aggregator) checkPages(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due, err := a.store.Checks(ctx, a.now(), checkLease, checkBatch)
		if err != nil && ctx.Err() == nil {
			a.log.Error("claim pages to check", "error", err)
		}
		batch, cancel := context.WithTimeout(ctx, checkLease/2) // the rest is claimed again
		var checks sync.WaitGroup
		for _, group := range byHost(due) {
			checks.Go(func() {
				for i := 0; i < len(group) && a.checkPage(batch, group[i]); i++ {
				}
			})
		}
		checks.Wait()
		cancel()
	}
}

// byHost groups checks by what shares a budget. Those of one host are done one
// after the other, so that its feeds wait behind one of them and not behind all.
func byHost(all []store.Check) map[string][]store.Check {
	groups := map[string][]store.Check{}
	for _, c := range all {
		key := hostKey(c.Link)
		groups[key] = append(groups[key], c)
	}
	return groups
}

// checkPage asks for one item's page and stores the verdict. It says whether
// the host may be asked for more: if not, the check is claimed again later.
func (a *Aggregator) checkPage(ctx context.Context, c store.Check) bool {
	log := a.log.With("source", c.Source, "item", c.Item)
	src, known := a.set().sources[c.Source]
	if !known {
		src = a.sourceAt(c.Link)
		src.access = a.set().stranger
	}
	if a.hosts.leftAlone(c.Link, checker) {
		return false
	}
	v, why := a.verdict(ctx, src, c)
	if ctx.Err() != nil || v == store.Unclear && a.hosts.leftAlone(c.Link, checker) {
		return false
	}
	withdrawn, restored, err := a.store.Checked(context.WithoutCancel(ctx), c, v, a.now(), a.judging())
	switch {
	case err != nil:
		log.Error("store page check", "error", err)
	case withdrawn:
		a.metrics.withdrawn.WithLabelValues("withdrawn").Inc()
		log.Info("article withdrawn: its outlet has removed it", "link", c.Link, "cause", why)
	case restored:
		a.metrics.withdrawn.WithLabelValues("restored").Inc()
		log.Info("article restored: it is back", "link", c.Link)
	}
	return true
}

// verdict says whether an article is there. It is removed only if its page
// says so while another page of its outlet is well: an outlet whose pages all
// fail has a fault, not a hundred removals.
func (a *Aggregator) verdict(ctx context.Context, src configured, c store.Check) (store.Verdict, string) {
	v, why := a.askPage(ctx, src, c.Link)
	if v != store.Removed {
		return v, why
	}
	other, err := a.store.Sibling(ctx, c)
	if err != nil || hostKey(other) != hostKey(c.Link) { // there is none, or it says nothing of this server
		other = c.Link
		if u, err := url.Parse(c.Link); err == nil {
			other = u.Scheme + "://" + u.Host + "/"
		}
	}
	if well, _ := a.askPage(ctx, src, other); well != store.Alive {
		return store.Unclear, "another page of the outlet fails too"
	}
	return store.Removed, why
}

// askPage fetches a page politely, for its status alone.
func (a *Aggregator) askPage(ctx context.Context, src configured, address string) (store.Verdict, string) {
	leave, err := a.enter(ctx, address)
	if err != nil {
		return store.Unclear, err.Error()
	}
	defer leave()
	if why := a.robots(ctx, src, address).disallowed(address, "page"); why != "" {
		return store.Unclear, why
	}
	doc, err := a.fetch.get(ctx, a.accessTo(src, address), address, "", "", a.now())
	defer a.fetch.release(doc)
	var f *Fault
	if errors.As(err, &f) && f.RetryAfter > 0 {
		a.hosts.throttle(address, checker, f.RetryAfter)
	}
	return pageVerdict(address, doc, err)
}

// pageVerdict reads the answer to a request for an article's page. Refusals
// and faults of the server say nothing about the article.
func pageVerdict(address string, doc *Document, err error) (store.Verdict, string) {
	var f *Fault
	switch {
	case errors.As(err, &f) && (f.Status == http.StatusNotFound || f.Status == http.StatusGone) && f.Outcome != store.Blocked:
		return store.Removed, err.Error()
	case errors.As(err, &f) && f.Outcome == store.TooLarge && f.Status == http.StatusOK:
		return store.Alive, ""
	case err != nil:
		return store.Unclear, err.Error()
	case isStartPage(doc.FinalURL) && !isStartPage(address) && hostKey(doc.FinalURL) == hostKey(address):
		return store.Removed, "it redirects to the front page"
	}
	return store.Alive, ""
}

// startPages are the paths to which outlets send readers of removed articles,
// beside the front page itself.
var startPages = []string{"/home", "/trang-chu", "/404", "/404.html"}

func isStartPage(address string) bool {
	_, path, _ := strings.Cut(LinkKey(address), "/")
	return isFrontPage(address) || slices.Contains(startPages, "/"+path)
}

// vanished are the identities of a feed's last document that are missing from
// this one although a later place of the last document is still there: an item
// that merely fell off the end has no such place behind it.
func vanished(last, now []string) []string {
	gone := without(last, now)
	tail := len(last) - 1
	for tail >= 0 && len(gone) > 0 && gone[len(gone)-1] == last[tail] {
		tail, gone = tail-1, gone[:len(gone)-1]
	}
	return gone
}

// without returns what of a list is not in another.
func without(list, other []string) []string {
	in := make(map[string]bool, len(other))
	for _, s := range other {
		in[s] = true
	}
	var rest []string
	for _, s := range list {
		if !in[s] {
			rest = append(rest, s)
		}
	}
	return rest
}

// contents remembers what stood in each source's last document, and what was
// asked for because it vanished.
type contents struct {
	mu       sync.Mutex
	bySource map[string]*content
}

type content struct {
	stands []string
	asked  map[string]time.Time // by identity
}

// replace stores what stands in a source's document now and returns what stood
// there before; nil the first time.
func (c *contents) replace(source string, now []string) (before []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bySource == nil {
		c.bySource = map[string]*content{}
	}
	one := c.bySource[source]
	if one == nil {
		one = &content{asked: map[string]time.Time{}}
		c.bySource[source] = one
	}
	before, one.stands = one.stands, now
	return before
}

// toAsk are those of a source's vanished items that are to be asked for now.
func (c *contents) toAsk(source string, gone []string, now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.bySource[source].asked
	maps.DeleteFunc(asked, func(_ string, at time.Time) bool { return now.Sub(at) > vanishedAgain })
	var ask []string
	for _, id := range gone {
		if _, again := asked[id]; !again && len(asked) < maxVanished {
			ask, asked[id] = append(ask, id), now
		}
	}
	return ask
}

// noteVanished asks for the pages of items that vanished from the middle of
// their feed. A document that had to be cut or recovered is no witness.
func (a *Aggregator) noteVanished(ctx context.Context, r Report) error {
	for _, rep := range r.Repairs {
		switch rep.Kind {
		case "cut_off", "connection_cut", "lost_item", "too_many_items", "unclosed_item", "no_link", "no_title", "page_missing":
			return nil
		}
	}
	ids := r.contents()
	last := a.contents.replace(r.Source.ID, ids)
	if last == nil {
		return nil
	}
	gone, back := vanished(last, ids), without(ids, last)
	if len(gone)+len(back) == 0 {
		return nil
	}
	a.metrics.vanished.Add(float64(len(gone)))
	now := a.now()
	return a.store.CheckSoon(ctx, r.Source.Outlet, a.contents.toAsk(r.Source.ID, gone, now), back, now)
}
