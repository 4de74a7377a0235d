package aggregator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
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

// sameSite tells whether an address is on the host that the visit is inside of.
func sameSite(address string, c configured) bool { return hostKey(address) == hostKey(c.source.URL) }

// accessTo is how an address that a document named may be reached: as its
// source is, if it is on the source's site; else guarded, and without the
// source's password, cookies and proxy.
func (a *Aggregator) accessTo(c configured, address string) access {
	if sameSite(address, c) {
		return c.access
	}
	return a.set().stranger
}
