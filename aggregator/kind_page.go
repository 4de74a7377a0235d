package aggregator

import (
	"fmt"
	"html"
	"net/url"
	"strings"

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
	for name, sel := range p.selectors() {
		if sel == "" {
			continue
		}
		if _, err := cascadia.ParseGroup(sel); err != nil {
			report(name, fmt.Sprintf("%q is no CSS selector: %v", sel, err))
		}
	}
	if p.Pages < 0 || p.Pages > maxPages {
		report("pages", fmt.Sprintf("%d pages: want 1 to %d", p.Pages, maxPages))
	}
}

// readPage reads an HTML listing: each element that the item selector finds is
// one article, of which at least a link with a text must be found.
func readPage(doc *Document, src SourceConfig, lim Limits) (reading, error) {
	var out reading
	text, decoding := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
	for _, kind := range decoding.Repairs {
		out.repairs.add(kind, "read as "+decoding.Label)
	}
	tags := 0
	scan(text, func(tag) { tags++ }, func(int) {}, func(int, int) {})
	if tags > maxElements { // unclosed <a><b><i> cost 400 bytes and more each
		return out, fault(store.TooLarge, "there are more than %d elements on the page", maxElements)
	}
	page, err := goquery.NewDocumentFromReader(strings.NewReader(text))
	if err != nil {
		return out, fault(store.NotAFeed, "the page cannot be read: %w", err)
	}
	base := doc.FinalURL
	if href, ok := page.Find("base[href]").First().Attr("href"); ok {
		base = resolve(base, href)
	}
	found := page.Find(src.Page.Item)
	if found.Length() == 0 {
		if by := blockedBy(doc.Status, doc.Header, doc.Body); by != "" {
			return out, fault(store.Blocked, "it answered with %s instead of the page", by)
		}
		return out, fault(store.NotAFeed, "nothing on the page matches the item selector %q; has the page changed?", src.Page.Item)
	}
	found.EachWithBreak(func(i int, s *goquery.Selection) bool {
		if i >= lim.MaxItems {
			out.repairs.addN("too_many_items", found.Length()-i, "only the first ones were read")
			return false
		}
		e := src.Page.entry(s, base)
		if e.Link == "" || e.Title == "" || samePage(resolve(base, e.Link), doc) {
			out.repairs.add("no_link", "an element of the listing has no link with a text")
			return true
		}
		out.entries = append(out.entries, e)
		return true
	})
	if len(out.entries) == 0 {
		return out, fault(store.NotAFeed, "none of the %d elements that match the item selector %q has a link with a text", found.Length(), src.Page.Item)
	}
	if src.Page.Next != "" {
		if href, ok := page.Find(src.Page.Next).First().Attr("href"); ok {
			out.next = resolve(base, href)
		}
	}
	return out, nil
}

// samePage says whether an address leads nowhere but to the listing itself, as
// "#" does.
func samePage(address string, doc *Document) bool {
	bare, _, _ := strings.Cut(address, "#")
	return bare == doc.URL || bare == doc.FinalURL
}

func (p *PageConfig) entry(s *goquery.Selection, base string) Entry {
	e := Entry{Base: base}
	link := pick(s, p.Link, "a[href]")
	if goquery.NodeName(link) != "a" {
		link = link.Find("a[href]").First()
	}
	if link.Length() == 0 && goquery.NodeName(s) == "a" {
		link = s
	}
	e.Link = strings.TrimSpace(link.AttrOr("href", ""))
	title := link
	switch {
	case p.Title != "":
		title = pick(s, p.Title, "")
	case strings.TrimSpace(link.Text()) == "": // a picture; the same link stands beside it with words
		again := s.Find("a[href]").FilterFunction(func(_ int, a *goquery.Selection) bool {
			return a.AttrOr("href", "") == link.AttrOr("href", "") && strings.TrimSpace(a.Text()) != ""
		})
		if again.Length() > 0 {
			title = again.First()
		}
	}
	e.Title = titleOf(title)
	if p.Date != "" {
		date := pick(s, p.Date, "")
		e.Published = strings.TrimSpace(date.AttrOr("datetime", ""))
		if e.Published == "" {
			e.Published = strings.TrimSpace(date.Text())
		}
	}
	if p.Summary != "" {
		e.Summary, _ = pick(s, p.Summary, "").Html()
	}
	if p.Image != "" {
		img := pick(s, p.Image, "")
		e.Image = firstNonEmpty(img.AttrOr("data-src", ""), img.AttrOr("data-original", ""), img.AttrOr("src", ""))
	}
	return e
}

// titleOf is an element's text, or the title of its link if the text is
// shortened, or what its picture is called if there is no text. It is HTML, as
// feeds' titles are.
func titleOf(s *goquery.Selection) string {
	text := vi.Line(s.Text())
	whole := firstNonEmpty(s.AttrOr("title", ""), s.Find("a[title]").First().AttrOr("title", ""))
	if start := strings.TrimRight(text, ".… "); start != text && len(whole) > len(start) && strings.HasPrefix(vi.Line(whole), start) {
		return html.EscapeString(whole)
	}
	if h, err := s.Html(); err == nil && text != "" {
		return h
	}
	return html.EscapeString(firstNonEmpty(whole, s.Find("img[alt]").First().AttrOr("alt", "")))
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
