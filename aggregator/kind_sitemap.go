package aggregator

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

const (
	// maxUntitled is how many of the newest addresses of a sitemap may be read
	// for their headlines; a plain sitemap lists the archive of years.
	maxUntitled = 50
	// maxSitemapURLs bounds the addresses of one sitemap, as the protocol does
	// (sitemaps.org: 50,000).
	maxSitemapURLs = 50_000
	// maxSitemaps bounds the sitemaps read in one visit besides the source's
	// own: an index lists one for each month of the archive.
	maxSitemaps = 4
	// sitemapAge is how old the last change of an index's further sitemaps may
	// be; the newest one is always read.
	sitemapAge = 48 * time.Hour
)

// readSitemap reads a sitemap, with Google's news and image extensions, or an
// index of sitemaps, whose newest ones are then to be followed. It reads on
// where the markup is broken.
func readSitemap(doc *Document, _ SourceConfig, lim Limits) (reading, error) {
	var out reading
	body, err := gunzipped(doc.Body, lim.MaxBytes)
	if err != nil {
		return out, err
	}
	text, decoding := vi.Decode(body, doc.Header.Get("Content-Type"))
	for _, kind := range decoding.Repairs {
		out.repairs.add(kind, "read as "+decoding.Label)
	}
	s := sitemapReader{text: text, base: doc.FinalURL}
	scan(text, s.tag, func(int) { s.bare++ }, func(int, int) {})
	s.endLocation()
	out.repairs.addN("bare_markup", s.bare, `"<" that begins no tag`)
	switch {
	case s.root == "":
		return out, notASitemap(doc, text)
	case s.root == "sitemapindex":
		out.follow, out.volatile = newestSitemaps(s.locations, vi.DateOptions{Now: doc.At}), true
	default:
		out.entries = s.newestEntries(lim.MaxItems, vi.DateOptions{Now: doc.At}, &out.repairs)
	}
	if s.open != "" {
		out.repairs.add("cut_off", "the document ends before its root")
	}
	return out, nil
}

// notASitemap says what the body is instead.
func notASitemap(doc *Document, text string) error {
	if by := blockedBy(doc.Status, doc.Header, doc.Body); by != "" {
		return fault(store.Blocked, "it answered with %s instead of a sitemap", by)
	}
	head := strings.ToLower(text[:min(len(text), 2048)])
	switch {
	case strings.TrimSpace(text) == "":
		return fault(store.NotAFeed, "the body is empty")
	case strings.Contains(head, "<rss"), strings.Contains(head, "<feed"), strings.Contains(head, "<rdf:rdf"):
		return fault(store.NotAFeed, "it is a feed, not a sitemap; leave out its kind")
	case strings.Contains(head, "<html"), strings.Contains(head, "<!doctype html"):
		return fault(store.NotAFeed, "it is a web page, not a sitemap")
	}
	return fault(store.NotAFeed, "there is no urlset or sitemapindex element in the document")
}

// gunzipped unpacks a .xml.gz that was served as a file; the size is bounded
// as that of every document.
func gunzipped(body []byte, limit int64) ([]byte, error) {
	if len(body) < 2 || body[0] != 0x1f || body[1] != 0x8b {
		return body, nil
	}
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fault(store.NotAFeed, "the file is no gzip: %w", err)
	}
	out, err := io.ReadAll(&limited{r: zr, left: limit, what: "unpacked"})
	var f *Fault
	if errors.As(err, &f) {
		return nil, f
	}
	if err != nil && len(out) == 0 {
		return nil, fault(store.NotAFeed, "unpack: %w", err)
	}
	return out, nil // of a file cut off, what there is
}

// location is one <url> or <sitemap>.
type location struct {
	loc, lastmod                     string
	title, published, lang, keywords string // news:
	image                            string // image: or video:
}

// sitemapReader gathers the locations of a sitemap, tag by tag. What it knows
// of the markup is two levels: the part of a location it is in, and the field.
type sitemapReader struct {
	text, base string
	root       string // urlset or sitemapindex, once seen
	open       string // the same until it is closed
	in         bool   // inside a location
	part       string // news, image, video or ""
	field      string // the element that was opened last
	from       int    // where its text begins
	cur        location
	locations  []location
	bare       int
}

// tag takes in one tag.
func (s *sitemapReader) tag(t tag) {
	switch t.name {
	case "urlset", "sitemapindex":
		if s.root == "" && !t.closing {
			s.root, s.open = t.name, t.name
		}
		if t.closing {
			s.open = ""
		}
	case "url", "sitemap":
		s.endLocation()
		s.in = s.root != "" && !t.closing && !t.empty
	case "news", "image", "video":
		if s.part = t.name; t.closing || t.empty {
			s.part = ""
		}
		s.field = ""
	default:
		switch {
		case !t.closing && !t.empty:
			s.field, s.from = t.name, t.end
		case t.closing && t.name == s.field && s.in:
			s.set(s.part+"/"+t.name, s.text[s.from:t.start])
			s.field = ""
		}
	}
}

// set keeps the first value of a field.
func (s *sitemapReader) set(field, raw string) {
	var to *string
	switch field {
	case "/loc":
		to = &s.cur.loc
	case "/lastmod":
		to = &s.cur.lastmod
	case "news/title":
		to = &s.cur.title
	case "news/publication_date":
		to = &s.cur.published
	case "news/language":
		to = &s.cur.lang
	case "news/keywords":
		to = &s.cur.keywords
	case "image/loc", "video/thumbnail_loc":
		to = &s.cur.image
	default:
		return
	}
	if *to == "" && len(raw) < maxTag {
		*to = vi.Line(html.UnescapeString(withoutCDATA(raw)))
	}
}

func (s *sitemapReader) endLocation() {
	if s.in && s.cur.loc != "" && len(s.locations) < maxSitemapURLs {
		s.locations = append(s.locations, s.cur)
	}
	s.cur, s.in, s.part, s.field = location{}, false, "", ""
}

var cdata = strings.NewReplacer("<![CDATA[", "", "]]>", "")

func withoutCDATA(s string) string { return cdata.Replace(s) }

// newestEntries are the newest locations of a sitemap as entries, in the
// sitemap's order where their dates do not tell.
func (s *sitemapReader) newestEntries(limit int, opt vi.DateOptions, r *repairs) []Entry {
	type dated struct {
		Entry
		at time.Time
	}
	all := make([]dated, 0, len(s.locations))
	for _, l := range s.locations {
		e := Entry{Base: s.base, Link: l.loc, Title: html.EscapeString(l.title), Published: l.published, Updated: l.lastmod,
			Image: l.image, Lang: l.lang}
		for k := range strings.SplitSeq(l.keywords, ",") {
			if k = strings.TrimSpace(k); k != "" {
				e.Categories = append(e.Categories, html.EscapeString(k))
			}
		}
		all = append(all, dated{e, parseDate(firstNonEmpty(l.published, l.lastmod), opt)})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return b.at.Compare(a.at) })
	if n := len(all) - limit; n > 0 {
		r.addN("too_many_items", n, "only the newest ones were read")
		all = all[:limit]
	}
	entries := make([]Entry, 0, len(all))
	untitled := 0
	for _, d := range all {
		if d.Title == "" {
			if untitled++; untitled > maxUntitled {
				continue
			}
		}
		entries = append(entries, d.Entry)
	}
	r.addN("no_title", untitled-min(untitled, maxUntitled), "addresses without a headline; only the newest are looked at")
	return entries
}

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
		doc, err := a.another(ctx, c, address, now)
		if err != nil {
			failed = err
			rd.repairs.add("sitemap_missing", err.Error())
			continue
		}
		more, err := readSitemap(doc, c.source, a.cfg.Limits)
		a.fetch.release(doc)
		if err != nil {
			failed = err
			rd.repairs.add("sitemap_missing", address+": "+err.Error())
			continue
		}
		good++
		rd.repairs.addAll(more.repairs)
		rd.entries = append(rd.entries, more.entries...)
		queue = append(more.follow, queue...)
	}
	if n := len(rd.entries) - a.cfg.Limits.MaxItems; n > 0 {
		rd.repairs.addN("too_many_items", n, "only the first ones were read")
		rd.entries = rd.entries[:a.cfg.Limits.MaxItems]
	}
	if good == 0 && failed != nil {
		return failed
	}
	return nil
}

// sameSite tells whether an address is on the host that the visit is inside of.
func sameSite(address string, c configured) bool { return hostKey(address) == hostKey(c.source.URL) }

// accessTo is how an address that a document named may be reached: as its
// source is, if it is on the source's site; else guarded, and without the
// source's password, cookies and proxy.
func (a *Aggregator) accessTo(c configured, address string) access {
	if sameSite(address, c) {
		return c.access
	}
	return a.stranger
}
