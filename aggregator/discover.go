package aggregator

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Discovery is what an address offers to read.
type Discovery struct {
	URL    string       // where it led
	Outlet OutletConfig // as far as the address tells; without sources
	// Finds are the feeds and sitemaps that were read, the ones to use first.
	Finds []Find
	// Page is the page itself as a listing, with guessed selectors; nil if
	// there are feeds, or if nothing on it repeats.
	Page *Find
	// Stopped says why the search ended before its end, in English; empty if it
	// did not.
	Stopped string
}

// Find is one source that was found and read.
type Find struct {
	Source SourceConfig
	How    string    // where it was found, in English
	Items  int       // how many entries it had
	Newest time.Time // of its entries; zero if they tell no date
	// Use says that the source is worth polling; the others carry the same
	// news less well.
	Use  bool
	Note string // what to know before using it, in English
	// Samples are headlines, to judge a guess by.
	Samples []string
}

const (
	// maxProbes bounds the addresses asked for in one discovery.
	maxProbes = 60
	// maxFeedLists bounds the pages that list feeds, read besides the given one.
	maxFeedLists = 2
	// plainSitemapAge is how old the newest address of a plain sitemap may be
	// before it is of no use.
	plainSitemapAge = 30 * 24 * time.Hour
	maxSamples      = 3
	// maxUnanswered is how many requests to the site in a row may bring no answer.
	maxUnanswered = 3
	// maxDiscovery bounds the whole search, whatever pauses the site asks for.
	maxDiscovery = 5 * time.Minute
)

// Where publishing systems put feeds and sitemaps that no page links to.
var (
	feedPaths    = []string{"/rss/home.rss", "/rss", "/rss.xml", "/feed", "/feed/", "/feed.xml", "/atom.xml", "/rss/tin-moi.rss", "/tin-moi.rss", "/rss/tin-moi-nhat.rss", "/index.rss"}
	sitemapPaths = []string{"/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml", "/google-news-sitemap.xml", "/sitemaps/news.xml", "/sitemap.xml", "/sitemap_index.xml", "/sitemap-index.xml"}
)

// discoverer is one discovery under way.
type discoverer struct {
	fetch  *fetcher
	access access
	robots *robotsFile // nil: there is none
	cfg    Config
	now    time.Time
	base   *url.URL
	left   int             // probes
	seen   map[string]bool // addresses asked for, by key
	bodies map[string]bool // hashes of feeds: one feed has several addresses
	hosts  *hosts          // keeps the pauses
	mute   int             // requests to the site in a row without an answer
	start  time.Time
	ids    takenIDs
	lists  int
	out    Discovery
}

// Discover finds what can be polled at an address: the feeds that its page
// names or that stand at common paths, the sitemaps of its robots.txt or at
// common paths, and, where there is neither, the page itself as a listing. It
// asks for at most 60 addresses, one after the other with the host's pause, and
// stops if the site answers that it is too much or not at all. The configuration gives
// limits, User-Agent and topics; an error says why the address itself cannot
// be read.
func Discover(ctx context.Context, cfg Config, address string, now time.Time) (Discovery, error) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	if problem := checkURL(address); problem != "" {
		return Discovery{}, fmt.Errorf("%s", problem)
	}
	paused := cfg.Limits.HostPause != nil
	cfg.Limits = cfg.Limits.withDefaults()
	d := discoverer{fetch: newFetcher(cfg.Agent, cfg.Limits), cfg: cfg, now: now, left: maxProbes, seen: map[string]bool{},
		bodies: map[string]bool{}, ids: takenIDs{}, hosts: newHosts(time.Duration(*cfg.Limits.HostPause), time.Now), start: time.Now()}
	d.hosts.explicit = paused
	defer d.fetch.close()
	d.access = d.fetch.access(SourceConfig{})
	doc, err := d.fetch.get(ctx, d.access, address, "", "", now)
	if err != nil {
		return Discovery{}, err
	}
	if d.base, err = url.Parse(doc.FinalURL); err != nil {
		return Discovery{}, fmt.Errorf("read address %s: %w", doc.FinalURL, err)
	}
	d.seen[doc.FinalURL] = true
	d.out.URL = doc.FinalURL
	d.run(ctx, doc)
	if ctx.Err() != nil {
		return d.out, ctx.Err()
	}
	return d.out, nil
}

func (d *discoverer) run(ctx context.Context, doc *Document) {
	var page *goquery.Document
	var r repairs
	if looksLikeHTML(doc.Body) {
		page, _, _ = parsePage(doc, &r)
	}
	d.out.Outlet = outletAt(d.base, page)
	if robots := d.get(ctx, "/robots.txt", "feed"); robots != nil && !looksLikeHTML(robots.Body) {
		d.robots = parseRobots(robots.Body)
		group, _ := d.robots.about(robotsName)
		d.hosts.of(d.base.String()).learn(d.base.Scheme+"://"+d.base.Host, &robotsRules{group: group}, d.now)
	}
	if d.takeFeed(doc, "the address itself", true) || page == nil && d.takeSitemap(ctx, doc, "the address itself") {
		return
	}
	if page != nil {
		d.followLinks(ctx, page, doc.FinalURL, "the page")
	}
	if len(d.out.Finds) == 0 {
		for _, p := range feedPaths {
			d.try(ctx, resolve(d.base.String(), p), "a common path", true)
		}
	}
	d.findSitemaps(ctx)
	if page != nil && !d.useful() {
		d.out.Page = d.guess(doc)
	}
	slices.SortStableFunc(d.out.Finds, func(a, b Find) int { return rankOf(b.Use) - rankOf(a.Use) })
}

// useful says whether something worth polling was found.
func (d *discoverer) useful() bool {
	return slices.ContainsFunc(d.out.Finds, func(f Find) bool { return f.Use })
}

func looksLikeHTML(body []byte) bool {
	head := strings.ToLower(string(body[:min(len(body), 2048)]))
	return strings.Contains(head, "<html") || strings.Contains(head, "<!doctype html") || strings.Contains(head, "<head") || strings.Contains(head, "<body")
}

// get asks for an address, once, within the bounds, after the pause that its
// host is owed, and as robots.txt allows a source of that kind.
func (d *discoverer) get(ctx context.Context, address, kind string) *Document {
	clean, ok := cleanLink(address, d.base.String(), nil)
	if !ok || d.seen[clean] || d.out.Stopped != "" || ctx.Err() != nil || d.closed(clean, kind) != "" {
		return nil
	}
	switch {
	case d.left == 0:
		d.out.Stopped = fmt.Sprintf("%d addresses were asked for", maxProbes)
	case time.Since(d.start) > maxDiscovery:
		d.out.Stopped = fmt.Sprintf("%v had passed", maxDiscovery)
	case d.hosts.again(ctx, clean) == nil:
		d.seen[clean] = true
		d.left--
		doc, err := d.fetch.get(ctx, d.access, clean, "", "", d.now)
		if hostKey(clean) == hostKey(d.base.String()) {
			d.heed(err)
		}
		if err == nil {
			return doc
		}
	}
	return nil // there is none at that address
}

// heed ends the search where the site does not want it or cannot bear it.
func (d *discoverer) heed(err error) {
	if err == nil {
		d.mute = 0
		return
	}
	switch outcomeOf(err) {
	case store.Throttled, store.Blocked:
		d.out.Stopped = err.Error()
	case store.Timeout, store.Connect, store.DNS, store.TLS:
		if d.mute++; d.mute >= maxUnanswered {
			d.out.Stopped = err.Error()
		}
	default:
		d.mute = 0
	}
}

// closed says why robots.txt closes an address of the site to us, or "".
func (d *discoverer) closed(address, kind string) string {
	if d.robots == nil || hostKey(address) != hostKey(d.base.String()) {
		return ""
	}
	group, named := d.robots.about(robotsName)
	rules := robotsRules{group: group, named: named}
	return rules.disallowed(address, kind)
}

// try reads an address as a feed, or as a page that lists feeds. own says that
// the page calls it its own.
func (d *discoverer) try(ctx context.Context, address, how string, own bool) {
	doc := d.get(ctx, address, "feed")
	if doc == nil || d.takeFeed(doc, how, own) || !looksLikeHTML(doc.Body) || d.lists >= maxFeedLists {
		return
	}
	var r repairs
	if page, _, err := parsePage(doc, &r); err == nil {
		d.lists++
		d.followLinks(ctx, page, doc.FinalURL, doc.FinalURL)
	}
}

// followLinks tries the feeds that a page names: those of its head first.
func (d *discoverer) followLinks(ctx context.Context, page *goquery.Document, base, on string) {
	page.Find(`link[rel~="alternate"][href]`).Each(func(_ int, s *goquery.Selection) {
		kind := strings.ToLower(s.AttrOr("type", ""))
		if strings.Contains(kind, "rss") || strings.Contains(kind, "atom") || strings.Contains(kind, "feed+json") {
			d.try(ctx, resolve(base, s.AttrOr("href", "")), "link rel=alternate of "+on, true)
		}
	})
	page.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		href := resolve(base, s.AttrOr("href", ""))
		if isFeedAddress(href) {
			d.try(ctx, href, "a link on "+on, false)
		}
	})
}

// isFeedAddress tells whether an address looks like a feed's.
func isFeedAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	p := strings.ToLower(strings.TrimSuffix(u.Path, "/"))
	for _, end := range []string{".rss", ".atom", ".rdf", "/rss", "/feed", "/feeds", "rss.xml", "feed.xml", "atom.xml", "rss.aspx", "rss.html", "/rss.php"} {
		if strings.HasSuffix(p, end) {
			return true
		}
	}
	return strings.Contains(p, "/rss/") || strings.Contains(p, "/feed/")
}

// takeFeed keeps a document that is a feed with entries. One on another site is
// another outlet's, unless the page calls it its own.
func (d *discoverer) takeFeed(doc *Document, how string, own bool) bool {
	rd, err := readFeed(doc, SourceConfig{}, d.cfg.Limits)
	if err != nil || len(rd.entries) == 0 {
		return false
	}
	if d.bodies[doc.Hash] {
		return true
	}
	d.bodies[doc.Hash] = true
	f := Find{Source: SourceConfig{Kind: "feed", URL: doc.FinalURL}, How: how, Use: true}
	if hostKey(doc.FinalURL) != hostKey(d.base.String()) {
		f.Note, f.Use = "on another site: use it only if it is this outlet's", own
	}
	d.out.Finds = append(d.out.Finds, d.described(f, rd.entries))
	return true
}

func (d *discoverer) described(f Find, entries []Entry) Find {
	f.Items = len(entries)
	opt := vi.DateOptions{Now: d.now}
	for _, e := range entries {
		if t := parseDate(firstNonEmpty(e.Published, e.Updated), opt); t.After(f.Newest) && t.Before(d.now.Add(futureSlack)) {
			f.Newest = t
		}
		if title := e.headline(); title != "" && len(f.Samples) < maxSamples {
			f.Samples = append(f.Samples, title)
		}
	}
	section := sectionOf(f.Source.URL)
	if f.Source.ID == "" {
		f.Source.ID = d.ids.take(d.out.Outlet.ID + "-" + section)
	}
	for _, t := range d.cfg.Topics {
		if string(t.ID) == section {
			f.Source.Topic = t.ID
		}
	}
	f.Source.AllowPrivate = d.cfg.Limits.AllowPrivate && privateHost(d.base.Hostname())
	return f
}

// findSitemaps looks for sitemaps: those that robots.txt names, else at common
// paths. A news sitemap ends the search.
func (d *discoverer) findSitemaps(ctx context.Context) {
	if d.robots != nil {
		for _, address := range d.robots.sitemaps[:min(len(d.robots.sitemaps), maxSitemaps)] {
			if doc := d.get(ctx, address, "sitemap"); doc != nil && d.takeSitemap(ctx, doc, "robots.txt") {
				return
			}
		}
	}
	for _, p := range sitemapPaths {
		if doc := d.get(ctx, p, "sitemap"); doc != nil && d.takeSitemap(ctx, doc, "a common path") {
			return
		}
	}
}

// takeSitemap keeps a document that is a sitemap, or an index of some, and
// tells whether it is one of news.
func (d *discoverer) takeSitemap(ctx context.Context, doc *Document, how string) (news bool) {
	rd, err := readSitemap(doc, SourceConfig{}, d.cfg.Limits)
	if err != nil {
		return false
	}
	entries := rd.entries
	for _, child := range rd.follow {
		if inner := d.get(ctx, child, "sitemap"); inner != nil {
			if more, err := readSitemap(inner, SourceConfig{}, d.cfg.Limits); err == nil {
				entries = append(entries, more.entries...)
			}
		}
	}
	if len(entries) == 0 {
		return false
	}
	for _, e := range entries {
		news = news || e.Title != ""
	}
	feeds := d.useful()
	f := d.described(Find{Source: SourceConfig{Kind: "sitemap", URL: doc.FinalURL}, How: how, Use: !feeds}, entries)
	if feeds {
		f.Note = "the feeds carry the same"
	}
	if !news {
		f.Note = "a plain sitemap: headlines and dates are read from the articles' pages"
		f.Use = f.Use && !f.Newest.IsZero() && d.now.Sub(f.Newest) < plainSitemapAge
	}
	d.out.Finds = append(d.out.Finds, f)
	return news
}

// guess reads the page itself as a listing.
func (d *discoverer) guess(doc *Document) *Find {
	var r repairs
	page, base, err := parsePage(doc, &r)
	if err != nil {
		return nil
	}
	cfg, ok := guessListing(page, base, vi.DateOptions{Now: d.now})
	if !ok {
		return nil
	}
	src := SourceConfig{Kind: "page", URL: doc.FinalURL, Page: &cfg}
	rd, err := readPage(doc, src, d.cfg.Limits)
	if err != nil || len(rd.entries) < minRepeats {
		return nil
	}
	f := d.described(Find{Source: src, How: "what repeats on the page", Use: true, Note: d.closed(doc.FinalURL, "page")}, rd.entries)
	f.Use = f.Note == ""
	return &f
}
