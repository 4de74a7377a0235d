package aggregator

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"diemtin/aggregator/vi"
)

const (
	// maxSitemaps bounds the sitemaps read in one visit besides the source's
	// own: an index lists one for each month of the archive.
	maxSitemaps = 4
	// sitemapAge is how old the last change of an index's further sitemaps may
	// be; the newest one is always read.
	sitemapAge = 48 * time.Hour
)

// newestSitemaps are the sitemaps of an index that may hold new articles, the
// newest first: by their last change, else by the date in their names, else in
// the order of the index.
func newestSitemaps(all []location, opt vi.DateOptions) []string {
	type child struct {
		loc  string
		at   time.Time
		name string // digits of a date in the address
		news bool
	}
	var list []child
	for _, l := range all {
		list = append(list, child{l.loc, parseDate(l.lastmod, opt), dateInName(l.loc), strings.Contains(strings.ToLower(l.loc), "news")})
	}
	slices.SortStableFunc(list, func(a, b child) int {
		if a.news != b.news {
			return cmp.Compare(rankOf(b.news), rankOf(a.news))
		}
		return cmp.Or(b.at.Compare(a.at), strings.Compare(b.name, a.name))
	})
	var out []string
	for i, c := range list {
		stale := !c.at.IsZero() && !opt.Now.IsZero() && opt.Now.Sub(c.at) > sitemapAge
		if i > 0 && stale && !c.news {
			continue
		}
		if out = append(out, c.loc); len(out) == maxSitemaps {
			break
		}
	}
	return out
}

func rankOf(b bool) int {
	if b {
		return 1
	}
	return 0
}

var nameDate = regexp.MustCompile(`(20\d\d)[-_/]?(\d{1,2})?[-_/]?(\d{1,2})?`)

// dateInName is the year, month and day in a sitemap's address such as
// "/sitemap-2024-11.xml", as digits that sort, or "".
func dateInName(address string) string {
	path := address
	if u, err := url.Parse(address); err == nil {
		path = u.RequestURI()
	}
	m := nameDate.FindStringSubmatch(path)
	if m == nil {
		return ""
	}
	for i := range m {
		if len(m[i]) == 1 {
			m[i] = "0" + m[i]
		}
	}
	return m[1] + m[2] + m[3]
}

// followSitemaps reads the sitemaps that an index names, and those that they
// name, up to a bound. One that fails ends nothing but itself, unless it was
// the only one.
func (a *Aggregator) followSitemaps(ctx context.Context, c configured, rd *reading, now time.Time) error {
	seen := map[string]bool{c.source.URL: true}
	queue := rd.follow
	last := a.set().children.get(c.source.ID)
	rd.children = map[string]child{}
	var failed error
	good := 0
	for n := 0; n < maxSitemaps && len(queue) > 0; n++ {
		address := queue[0]
		queue = queue[1:]
		if seen[address] || !sameSite(address, c) {
			rd.repairs.add("sitemap_left_out", address)
			continue
		}
		seen[address] = true
		more, state, err := a.readChild(ctx, c, address, last[address], now)
		if err != nil {
			failed = err
			rd.repairs.add("sitemap_missing", err.Error())
			continue
		}
		good++
		if len(more.follow) == 0 { // an index does not tell whether its sitemaps changed
			rd.children[address] = state
		}
		rd.repairs.addAll(more.repairs)
		rd.entries = append(rd.entries, more.entries...)
		queue = append(more.follow, queue...)
	}
	if n := len(rd.entries) - a.set().cfg.Limits.MaxItems; n > 0 {
		rd.repairs.addN("too_many_items", n, "only the first ones were read")
		rd.entries, rd.children = rd.entries[:a.set().cfg.Limits.MaxItems], nil
	}
	if good == 0 && failed != nil {
		return failed
	}
	return nil
}

// child is what is remembered of one sitemap of an index, so that it costs one
// conditional request while it does not change.
type child struct {
	etag, lastModified, hash string
	fullAt                   time.Time // when it was last asked for without conditions
	repairs                  repairs   // that its document needs
}

// readChild reads a sitemap that an index names. One that has not changed since
// the last visit has no entries.
func (a *Aggregator) readChild(ctx context.Context, c configured, address string, last child, now time.Time) (reading, child, error) {
	if why := a.robots(ctx, c, address).disallowed(address, c.source.Kind); why != "" {
		return reading{}, child{}, closedBy(why)
	}
	if err := a.hosts.again(ctx, address); err != nil {
		return reading{}, child{}, err
	}
	if now.Sub(last.fullAt) > fullEvery { // some servers answer 304 for ever
		last.etag, last.lastModified, last.fullAt = "", "", now
	}
	doc, err := a.fetch.get(ctx, a.accessTo(c, address), address, last.etag, last.lastModified, now)
	defer a.fetch.release(doc)
	if err != nil {
		return reading{}, child{}, err
	}
	if doc.Status == http.StatusNotModified {
		return reading{repairs: last.repairs}, last, nil
	}
	state := child{etag: doc.Header.Get("ETag"), lastModified: doc.Header.Get("Last-Modified"), hash: doc.Hash, fullAt: now, repairs: last.repairs}
	if doc.Hash == last.hash && !doc.Cut {
		return reading{repairs: last.repairs}, state, nil
	}
	rd, err := readSitemap(doc, c.source, a.set().cfg.Limits)
	if err != nil {
		return reading{}, child{}, fmt.Errorf("%s: %w", address, err)
	}
	if doc.Cut { // the next visit asks for the whole
		rd.repairs.add("connection_cut", "the connection broke off; what came was read")
		return rd, child{}, nil
	}
	state.repairs = rd.repairs
	return rd, state, nil
}

// childMemory remembers the sitemaps of indexes, by source, for as long as the
// process lives; at most maxSitemaps of each.
type childMemory struct {
	mu      sync.Mutex
	of      map[string]map[string]child
	wholeTo map[string]time.Time // until when all of a source's are read whole
}

func (m *childMemory) get(source string) map[string]child {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[source]
}

// put remembers what a visit has stored. Nothing is remembered while articles
// of these sitemaps are still to be read, or to be tried again: they would be
// lost if their sitemap did not change.
func (m *childMemory) put(source string, all map[string]child, made repairs, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of, m.wholeTo = map[string]map[string]child{}, map[string]time.Time{}
	}
	for _, r := range made {
		switch r.Kind {
		case "articles_waiting":
			all = nil
		case "article_missing":
			m.wholeTo[source] = now.Add(2 * articleRetry)
		}
	}
	if now.Before(m.wholeTo[source]) {
		all = nil
	}
	if m.of[source] = all; len(all) == 0 {
		delete(m.of, source)
	}
}
