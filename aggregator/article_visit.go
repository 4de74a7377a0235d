package aggregator

import (
	"context"
	"html"
	"strings"
	"sync"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

const (
	// articlesPerVisit bounds the article pages asked for in one visit.
	articlesPerVisit = 10
	// articleTime bounds what they may take together; a visit's lease is five
	// minutes.
	articleTime = time.Minute
	// articleFailures is how many pages in a row may fail before the rest are
	// left for the next visit: the outlet's server has trouble.
	articleFailures = 3
	// articleRetry is how long a page that failed is not asked for again.
	articleRetry = time.Hour
	// maxPageMemory bounds the bytes of text that are remembered of pages read.
	maxPageMemory = 16 << 20
)

// complete follows what a document leads to: the further pages of a listing,
// the sitemaps of an index, and the pages of articles whose headline or date
// it does not tell. first says that the source was never visited before.
func (a *Aggregator) complete(ctx context.Context, c configured, rd *reading, first bool, now time.Time) error {
	a.turnPages(ctx, c, rd, now)
	if err := a.followSitemaps(ctx, c, rd, now); err != nil {
		return err
	}
	if c.source.Kind != "feed" {
		a.readArticles(ctx, c, rd, first, now)
	}
	return nil
}

// needsPage tells whether an entry lacks what only its page can tell.
func (e *Entry) needsPage() bool {
	return e.Title == "" || strings.TrimSpace(e.Published) == ""
}

// readArticles completes the entries that lack a headline or a date from their
// own pages, a bounded number a visit. What has to wait is left out of this
// visit, so that an item does not appear poorer today than it was yesterday;
// only the first visit, which brings everything at once, keeps it as it is.
// What has no headline even then is left out.
func (a *Aggregator) readArticles(ctx context.Context, c configured, rd *reading, first bool, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, articleTime)
	defer cancel()
	kept := rd.entries[:0]
	asked, failed, waiting := 0, 0, 0
	for _, e := range rd.entries {
		if c.source.Article.Read != store.ReadNever && e.needsPage() {
			link, ok := cleanLink(e.Link, e.Base, c.outlet.Domains)
			p, known, err := a.pages.get(pageKey{link, c.source.Article}, now)
			switch {
			case known && err != nil:
			case known:
				e.fill(p, c.source.Kind)
			case !ok || !sameSite(link, c):
			case !first && e.Title == "" && e.old(now):
			case asked >= articlesPerVisit || failed >= articleFailures || ctx.Err() != nil:
				waiting++
				if e.Title == "" || !first {
					continue
				}
			default:
				asked++
				p, err := a.readArticle(ctx, c, link, now)
				switch {
				case err == nil:
					failed = 0
					e.fill(p, c.source.Kind)
				case outcomeOf(err) == store.Disallowed: // without a request
					asked--
					rd.repairs.add("article_closed", err.Error())
				default:
					failed++
					rd.repairs.add("article_missing", err.Error())
				}
			}
		}
		if e.Title == "" {
			rd.repairs.add("no_title", "an address without a headline was left out: "+e.Link)
			continue
		}
		kept = append(kept, e)
	}
	rd.entries = kept
	rd.repairs.addN("articles_waiting", waiting, "their pages are read at the next visits")
	rd.volatile = rd.volatile || waiting > 0
}

// old tells whether an address was last changed so long ago that it is no
// news: a plain sitemap lists the archive.
func (e *Entry) old(now time.Time) bool {
	at := parseDate(e.Updated, vi.DateOptions{Now: now})
	return !at.IsZero() && now.Sub(at) > sitemapAge
}

// readArticle fetches and reads one article's page and remembers the answer.
func (a *Aggregator) readArticle(ctx context.Context, c configured, link string, now time.Time) (ArticlePage, error) {
	doc, err := a.another(ctx, c, link, now)
	defer a.fetch.release(doc)
	var p ArticlePage
	if err == nil && doc.Cut {
		err = cutFault(link)
	}
	if err == nil {
		p, err = ReadArticle(doc, c.source.Article, ArticleOptions{Zone: c.zone, Names: a.set().names})
	}
	if err != nil && (ctx.Err() != nil || outcomeOf(err) == store.Disallowed) {
		return p, err // nothing was learnt of the page
	}
	a.pages.put(pageKey{link, c.source.Article}, p, err, now)
	return p, err
}

// another fetches a further document within a visit, as robots.txt allows and
// after the pause that the host is owed between two.
func (a *Aggregator) another(ctx context.Context, c configured, address string, now time.Time) (*Document, error) {
	if why := a.robots(ctx, c, address).disallowed(address, "page"); why != "" {
		return nil, closedBy(why)
	}
	if err := a.hosts.again(ctx, address); err != nil {
		return nil, err
	}
	return a.fetch.get(ctx, a.accessTo(c, address), address, "", "", now)
}

// fill gives an entry what its page tells and it lacks; its text is for
// comparing alone. A sitemap lists sections too: a page that is no article's
// gives no headline.
func (e *Entry) fill(p ArticlePage, kind string) {
	if e.Title == "" {
		if kind == "sitemap" && !p.IsArticle {
			return
		}
		e.Title = html.EscapeString(p.Title)
	}
	e.page = &p
	if e.Published == "" && !p.Published.IsZero() {
		e.Published = p.Published.Format(time.RFC3339)
	}
	if !p.Modified.IsZero() {
		e.Updated = p.Modified.Format(time.RFC3339)
	}
	if e.Summary == "" && !p.NoSnippet {
		e.Summary = html.EscapeString(p.Lead)
	}
	if e.Image == "" {
		e.Image = p.Image
	}
	if len(e.Authors) == 0 {
		for _, name := range p.Authors {
			e.Authors = append(e.Authors, html.EscapeString(name))
		}
	}
	if len(e.Categories) == 0 && p.Section != "" {
		e.Categories = []string{html.EscapeString(p.Section)}
	}
	if e.Lang == "" {
		e.Lang = p.Lang
	}
}

// pageMemory remembers the article pages read of late, so that a listing's
// articles are asked for once and not at every visit. The oldest go first.
type pageMemory struct {
	mu    sync.Mutex
	pages map[pageKey]remembered
	order []pageKey
	bytes int
}

// pageKey names a page and how it is read: two lists of an outlet carry the
// same articles.
type pageKey struct {
	link string
	cfg  ArticleConfig
}

// remembered is a page as it was read, or why it could not be.
type remembered struct {
	page ArticlePage
	err  error
	at   time.Time
}

func (r remembered) size() int {
	return len(r.page.Text) + len(r.page.Lead) + len(r.page.Title) + 512 // of the struct, the keys and the rest
}

// get returns what is remembered of a page. One that failed a while ago is not
// known any more; until then its fault is.
func (m *pageMemory) get(key pageKey, now time.Time) (p ArticlePage, known bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.pages[key]
	if ok && r.err != nil && now.Sub(r.at) > articleRetry {
		return ArticlePage{}, false, nil
	}
	return r.page, ok, r.err
}

func (m *pageMemory) put(key pageKey, p ArticlePage, err error, now time.Time) {
	p.Content = "" // Text says the same
	r := remembered{p, err, now}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pages == nil {
		m.pages = map[pageKey]remembered{}
	}
	if old, again := m.pages[key]; again {
		m.bytes -= old.size()
	} else {
		m.order = append(m.order, key)
	}
	m.pages[key] = r
	for m.bytes += r.size(); m.bytes > maxPageMemory && len(m.order) > 1; {
		oldest := m.order[0]
		m.order = m.order[1:]
		m.bytes -= m.pages[oldest].size()
		delete(m.pages, oldest)
	}
}
