package aggregator

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// selectors are the parts of a PageConfig that hold a CSS selector.
func (p *PageConfig) selectors() map[string]string {
	return map[string]string{"item": p.Item, "title": p.Title, "link": p.Link, "date": p.Date,
		"summary": p.Summary, "image": p.Image, "next": p.Next}
}

func (p *PageConfig) check(report func(path, problem string)) {
	if p.Item == "" {
		report("item", `the selector of the items is missing, such as "ul.news > li"`)
	}
	checkSelectors(p.selectors(), report)
	if p.Pages < 0 || p.Pages > maxPages {
		report("pages", fmt.Sprintf("%d pages: want 1 to %d", p.Pages, maxPages))
	}
}

func checkSelectors(selectors map[string]string, report func(path, problem string)) {
	for name, sel := range selectors {
		if sel == "" {
			continue
		}
		if _, err := cascadia.ParseGroup(sel); err != nil {
			report(name, fmt.Sprintf("%q is no CSS selector: %v", sel, err))
		}
	}
}

// readPage reads an HTML listing: each element that the item selector finds is
// one article, of which at least a link with a text must be found. A link that
// stands twice, around a picture and around the headline, is one article.
func readPage(doc *Document, src SourceConfig, lim Limits) (reading, error) {
	var out reading
	page, base, err := parsePage(doc, &out.repairs)
	if err != nil {
		return out, err
	}
	found := page.Find(src.Page.Item)
	if found.Length() == 0 {
		return out, noItems(doc, page, src.Page.Item, &out.repairs)
	}
	list := listing{base: base, self: LinkKey(doc.FinalURL), at: map[string]int{}}
	dates := dateFinder{opt: vi.DateOptions{Now: doc.At}}
	found.EachWithBreak(func(i int, s *goquery.Selection) bool {
		if len(list.entries) >= lim.MaxItems || i >= repeatedItems*lim.MaxItems {
			out.repairs.addN("too_many_items", found.Length()-i, "only the first ones were read")
			return false
		}
		list.add(src.Page.entry(s, base, dates), &out.repairs)
		return true
	})
	if out.entries = list.whole(&out.repairs); len(out.entries) == 0 {
		return out, fault(store.NotAFeed, "none of the %d elements that match the item selector %q has a link with a text", found.Length(), src.Page.Item)
	}
	if src.Page.Next != "" {
		out.next = nextPage(page.Find(src.Page.Next), base)
	}
	return out, nil
}

// repeatedItems is how often, on average, an article may stand in a listing
// before the rest of the page is left unread.
const repeatedItems = 4

// parsePage reads a document as HTML; base is what its addresses are relative
// to.
func parsePage(doc *Document, r *repairs) (page *goquery.Document, base string, err error) {
	text, decoding := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
	for _, kind := range decoding.Repairs {
		r.add(kind, "read as "+decoding.Label)
	}
	tags := 0
	scan(text, func(tag) { tags++ }, func(int) {}, func(int, int) {})
	if tags > maxElements { // unclosed <a><b><i> cost 400 bytes and more each
		return nil, "", fault(store.TooLarge, "there are more than %d elements on the page", maxElements)
	}
	page, err = goquery.NewDocumentFromReader(strings.NewReader(text))
	if err != nil {
		return nil, "", fault(store.NotAFeed, "the page cannot be read: %w", err)
	}
	base = doc.FinalURL
	if href, ok := page.Find("base[href]").First().Attr("href"); ok {
		base = resolve(base, href)
	}
	return page, base, nil
}

// noItems tells an empty listing, which is no fault, from a changed page.
func noItems(doc *Document, page *goquery.Document, item string, r *repairs) error {
	if by := blockedBy(doc.Status, doc.Header, doc.Body); by != "" {
		return fault(store.Blocked, "it answered with %s instead of the page", by)
	}
	if why := emptyListing(page, item); why != "" {
		r.add("empty_listing", why)
		return nil
	}
	return fault(store.NotAFeed, "nothing on the page matches the item selector %q; has the page changed?", item)
}

// nextPage is where the first match of the selector that links somewhere
// leads, or "".
func nextPage(found *goquery.Selection, base string) string {
	if !found.Is("a[href], link[href]") {
		found = found.Find("a[href]")
	}
	href := strings.TrimSpace(found.AttrOr("href", ""))
	if href == "" || strings.HasPrefix(href, "#") {
		return ""
	}
	next := resolve(base, href)
	if !strings.HasPrefix(next, "http") { // javascript:
		return ""
	}
	return next
}

// listing gathers the entries of one page.
type listing struct {
	base    string
	self    string // key of the page's own address
	entries []listed
	at      map[string]int // index by link key
}

// listed is an entry; weak if its title is that of a picture.
type listed struct {
	Entry
	weak bool
}

// add takes an entry into the listing, or merges it with the one that has the
// same link.
func (l *listing) add(e listed, r *repairs) {
	key := ""
	if link, ok := cleanLink(e.Link, l.base, nil); ok {
		key = LinkKey(link)
	}
	if key == "" || key == l.self {
		r.add("no_link", "an element of the listing has no link to an article")
		return
	}
	i, again := l.at[key]
	if !again {
		l.at[key] = len(l.entries)
		l.entries = append(l.entries, e)
		return
	}
	first := &l.entries[i]
	if first.Title == "" || first.weak && !e.weak && e.Title != "" {
		first.Title, first.weak = e.Title, e.weak
	}
	first.Published = firstNonEmpty(first.Published, e.Published)
	first.Summary = firstNonEmpty(first.Summary, e.Summary)
	first.Image = firstNonEmpty(first.Image, e.Image)
}

// whole are the entries of the listing that have a headline.
func (l *listing) whole(r *repairs) []Entry {
	entries := make([]Entry, 0, len(l.entries))
	for _, e := range l.entries {
		if e.Title == "" {
			r.add("no_link", "an element of the listing has no link with a text")
			continue
		}
		entries = append(entries, e.Entry)
	}
	return entries
}

// entry reads one element of the listing.
func (p *PageConfig) entry(s *goquery.Selection, base string, dates dateFinder) listed {
	e := listed{Entry: Entry{Base: base}}
	link := p.linkOf(s)
	e.Link = strings.TrimSpace(link.AttrOr("href", ""))
	title := headlineOf(s, link)
	if p.Title != "" {
		title = pick(s, p.Title, "")
	}
	e.Title, e.weak = titleOf(title)
	if p.Date != "" {
		e.Published = dateText(pick(s, p.Date, ""))
	} else {
		e.Published = dates.find(s, title)
	}
	if p.Summary != "" {
		e.Summary, _ = pick(s, p.Summary, "").Html()
	}
	if p.Image != "" {
		img := pick(s, p.Image, "")
		if !img.Is("img") && img.AttrOr("style", "") == "" {
			img = img.Find("img").First()
		}
		e.Image = imageSource(img)
	}
	return e
}

// shortestHeadline is how many characters a link's text has at least that is
// taken for a headline before a section's name; the shortest headlines of the
// development corpus have 16.
const shortestHeadline = 15

// linkOf is the anchor that leads to the article: the configured one, else
// that of a heading, else the first with a text as long as a headline, else
// the first.
func (p *PageConfig) linkOf(s *goquery.Selection) *goquery.Selection {
	if p.Link != "" {
		link := pick(s, p.Link, "")
		if !link.Is("a[href]") {
			if inner := link.Find("a[href]").First(); inner.Length() > 0 {
				link = inner
			} else {
				link = link.Closest("a[href]")
			}
		}
		return link
	}
	if s.Is("a[href]") {
		return s
	}
	all := s.Find("a[href]")
	if all.Length() == 0 {
		return s.Closest("a[href]")
	}
	if m := s.Find("h1 a[href], h2 a[href], h3 a[href], h4 a[href], h5 a[href], h6 a[href]").First(); m.Length() > 0 {
		return m
	}
	if m := all.FilterFunction(func(_ int, a *goquery.Selection) bool {
		return a.Is(":has(h1, h2, h3, h4, h5, h6)") || len([]rune(vi.Line(a.Text()))) >= shortestHeadline
	}).First(); m.Length() > 0 {
		return m
	}
	return all.First()
}

// headlineOf is the element whose text is the headline: a heading inside the
// link, else the link, else another one to the same article that has a text.
func headlineOf(item, link *goquery.Selection) *goquery.Selection {
	if h := link.Find("h1, h2, h3, h4, h5, h6").First(); h.Length() > 0 && strings.TrimSpace(h.Text()) != "" {
		return h
	}
	if strings.TrimSpace(link.Text()) != "" {
		return link
	}
	href := link.AttrOr("href", "")
	if other := item.Find("a[href]").FilterFunction(func(_ int, a *goquery.Selection) bool {
		return a.AttrOr("href", "") == href && strings.TrimSpace(a.Text()) != ""
	}).First(); other.Length() > 0 {
		return other
	}
	return link
}

// titleOf is an element's text, or the title of its link if the text is
// shortened, or, weaker, what its picture is called if there is no text. It is
// HTML, as feeds' titles are.
func titleOf(s *goquery.Selection) (title string, weak bool) {
	text := vi.Line(s.Text())
	whole := firstNonEmpty(s.AttrOr("title", ""), s.Closest("a[title]").AttrOr("title", ""), s.Find("a[title]").First().AttrOr("title", ""))
	if start := strings.TrimRight(text, ".… "); start != text && len(whole) > len(start) && strings.HasPrefix(vi.Line(whole), start) {
		return html.EscapeString(whole), false
	}
	if h, err := s.Html(); err == nil && text != "" {
		return h, false
	}
	return html.EscapeString(firstNonEmpty(whole, s.Find("img[alt]").First().AttrOr("alt", ""))), true
}

// lazyAttributes hold a picture's address where a script is to load it; src
// then holds a placeholder.
var lazyAttributes = []string{"data-src", "data-original", "data-lazy-src", "data-lazy", "data-url", "data-image", "data-thumb"}

// imageSource is a picture's address, as written, or "".
func imageSource(img *goquery.Selection) string {
	for _, name := range append(lazyAttributes, "src") {
		if v := strings.TrimSpace(img.AttrOr(name, "")); v != "" && !strings.HasPrefix(v, "data:") {
			return v
		}
	}
	for _, name := range []string{"data-srcset", "srcset"} {
		first, _, _ := strings.Cut(strings.TrimSpace(img.AttrOr(name, "")), ",")
		if fields := strings.Fields(first); len(fields) > 0 && !strings.HasPrefix(fields[0], "data:") {
			return fields[0]
		}
	}
	_, after, ok := strings.Cut(img.AttrOr("style", ""), "url(")
	if !ok {
		return ""
	}
	address, _, _ := strings.Cut(after, ")")
	return strings.Trim(address, ` '"`)
}

// pick finds the first match within an element; the element itself counts.
func pick(s *goquery.Selection, selector, otherwise string) *goquery.Selection {
	if selector == "" {
		selector = otherwise
	}
	if m := s.Find(selector).First(); m.Length() > 0 {
		return m
	}
	return s.Filter(selector).First()
}

func firstNonEmpty(all ...string) string {
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}

// resolve makes an address absolute; one that cannot be read stays as it is.
func resolve(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ref
	}
	u, err := b.Parse(strings.TrimSpace(ref))
	if err != nil {
		return ref
	}
	return u.String()
}

// parseDate reads a date, or returns zero.
func parseDate(raw string, opt vi.DateOptions) time.Time {
	if strings.TrimSpace(raw) == "" {
		return time.Time{}
	}
	t, err := vi.ParseDate(raw, opt)
	if err != nil {
		return time.Time{}
	}
	return t
}
