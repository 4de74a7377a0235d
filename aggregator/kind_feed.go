package aggregator

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	ext "github.com/mmcdole/gofeed/extensions"
	jsonfeed "github.com/mmcdole/gofeed/json"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// readFeed reads RSS, Atom, RDF and JSON feeds. gofeed is the parser; what it
// would refuse whole is cleaned before it and recovered item by item after it.
func readFeed(doc *Document, src SourceConfig, lim Limits) (reading, error) {
	var out reading
	text, decoding := decodeFeed(doc, &out.repairs)
	if text == "" {
		return out, fault(store.NotAFeed, "the body is empty")
	}
	out.hints = feedHints(text)
	if text[0] == '{' {
		feed, err := readJSON(text, lim, &out.repairs)
		if err != nil {
			return out, notAFeed(doc, text, err)
		}
		out.entries = entriesOf(feed, nil, baseOf(feed, doc), feed.Language)
		return out, nil
	}
	p, err := readXML(text, lim, &out.repairs)
	if err != nil {
		return out, notAFeed(doc, text, err)
	}
	out.entries = entriesOf(p.feed, p.raws, baseOf(p.feed, doc), p.feed.Language)
	if p.whole {
		out.memory = remember(doc, src, text, decoding, p, &out)
	}
	return out, nil
}

// decodeFeed makes text of a document, and notes what was wrong with its encoding.
func decodeFeed(doc *Document, r *repairs) (string, vi.Decoding) {
	text, decoding := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
	for _, kind := range decoding.Repairs {
		r.add(kind, "read as "+decoding.Label)
	}
	return strings.TrimLeft(text, " \t\r\n\ufeff"), decoding
}

// notAFeed says what the body is instead.
func notAFeed(doc *Document, text string, err error) error {
	if by := blockedBy(doc.Status, doc.Header, doc.Body); by != "" {
		return fault(store.Blocked, "it answered with %s instead of a feed", by)
	}
	var f *Fault
	if head := strings.ToLower(text[:min(len(text), 2048)]); errors.As(err, &f) && f.Outcome == store.NotAFeed &&
		(strings.Contains(head, "<html") || strings.HasPrefix(head, "<!doctype html")) {
		return fault(store.NotAFeed, "it is a web page, not a feed")
	}
	return err
}

// parsedXML is an XML feed as gofeed read it.
type parsedXML struct {
	feed  *gofeed.Feed
	raws  []string // the cleaned text of each item, where it is known
	whole bool     // gofeed read the document at once, and found just the items with these texts
}

func readXML(text string, lim Limits, r *repairs) (p parsedXML, err error) {
	s, sh, err := prepareXML(text, lim, r)
	if err != nil {
		return p, err
	}
	if !sh.open {
		if p.feed, err = parseFeed(s); err == nil && len(p.feed.Items) >= len(sh.items) {
			n := len(p.feed.Items)
			p.raws, p.whole = sh.raws(s, n), n == len(sh.items)
			return p, nil
		}
	}
	if len(sh.items) == 0 {
		if err == nil {
			return p, nil
		}
		return p, fault(store.NotAFeed, "the feed cannot be read: %w", err)
	}
	p.feed, p.raws = recoverItems(s, sh, r)
	return p, nil
}

// raws are the texts of the items if these are n, else n empty ones.
func (sh shape) raws(s string, n int) []string {
	all := make([]string, n)
	if len(sh.items) == n {
		for i, it := range sh.items {
			all[i] = s[it.start:it.end]
		}
	}
	return all
}

// recoverItems reads each item by itself: one that cannot be read, even
// mended, is lost alone.
func recoverItems(s string, sh shape, r *repairs) (head *gofeed.Feed, raws []string) {
	head, err := parseFeed(sh.single(s, ""))
	if err != nil {
		head = &gofeed.Feed{}
	}
	if all, err := parseFeed(s[:sh.items[0].start] + closers[sh.form]); err == nil {
		head = all // with the channel's own elements
	}
	head.Items = nil
	for _, it := range sh.items {
		raw := s[it.start:it.end]
		if it.open {
			raw += "</" + nameAt(raw, 1) + ">"
			r.add("unclosed_item", "an item begins before the last one has ended")
		}
		feed, err := parseFeed(sh.single(s, raw))
		if err != nil || len(feed.Items) != 1 {
			if feed, err = parseFeed(sh.single(s, mendItem(raw))); err == nil && len(feed.Items) == 1 {
				r.add("mended_item", "markup in its text was neither escaped nor closed")
			}
		}
		if err != nil || len(feed.Items) != 1 {
			r.add("lost_item", fmt.Sprintf("an item cannot be read: %v", err))
			continue
		}
		head.Items, raws = append(head.Items, feed.Items[0]), append(raws, raw)
	}
	r.add("recovered", "the feed is not well-formed; its items were read one by one")
	return head, raws
}

// parseFeed calls gofeed, and turns a panic of it into an error: what it reads
// comes from outside.
func parseFeed(s string) (feed *gofeed.Feed, err error) {
	defer func() {
		if p := recover(); p != nil {
			feed, err = nil, fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	parser := gofeed.NewParser()
	parser.KeepOriginalFeed = true
	// Pictures within the text are found later, for all kinds alike; gofeed
	// would parse the HTML of every item for them.
	parser.RSSTranslator = &gofeed.DefaultRSSTranslator{DisableContentImageScan: true}
	if feed, err = parser.ParseString(s); err == nil {
		completeFeed(feed)
	}
	return feed, err
}

// completeFeed takes from the formats' own structures what gofeed's common one
// leaves out or changes.
func completeFeed(feed *gofeed.Feed) {
	switch own := feed.OriginalFeed().(type) {
	case *atom.Feed:
		for i, e := range own.Entries {
			it := feed.Items[i]
			if it.Link == "" && e.Content != nil {
				it.Link = e.Content.Src
			}
			for j, c := range e.Categories { // gofeed prefers the label
				if c.Term != "" {
					it.Categories[j] = c.Term
				}
			}
		}
	case *jsonfeed.Feed:
		for i, it := range own.Items {
			completeJSON(feed.Items[i], it)
		}
	}
}

// baseOf is the address to which a feed's links are relative.
func baseOf(feed *gofeed.Feed, doc *Document) string {
	if u, err := url.Parse(strings.TrimSpace(feed.Link)); err == nil && u.IsAbs() && u.Host != "" {
		return u.String()
	}
	return doc.FinalURL
}

// entriesOf are the entries of a feed; raws are the texts of its items, for
// what gofeed does not tell, or nil.
func entriesOf(feed *gofeed.Feed, raws []string, base, lang string) []Entry {
	entries := make([]Entry, 0, len(feed.Items))
	for i, it := range feed.Items {
		if it == nil {
			continue
		}
		e := entryOf(it, base, lang)
		if raws != nil {
			e.takeRaw(raws[i], feed.FeedType)
		}
		entries = append(entries, e)
	}
	return entries
}

func entryOf(it *gofeed.Item, base, lang string) Entry {
	e := Entry{GUID: it.GUID, Title: it.Title, Link: it.Link, Base: base, Summary: it.Description, Content: it.Content,
		Published: it.Published, Updated: it.Updated, Categories: it.Categories, Lang: lang}
	switch {
	case it.PublishedParsed != nil:
		e.Parsed = *it.PublishedParsed
	case it.UpdatedParsed != nil:
		e.Parsed = *it.UpdatedParsed
	}
	if e.Published == "" && it.DublinCoreExt != nil && len(it.DublinCoreExt.Date) > 0 {
		e.Published = it.DublinCoreExt.Date[0]
	}
	for _, a := range it.Authors {
		if a == nil {
			continue
		}
		full := firstNonEmpty(strings.TrimSpace(a.Name), a.Email)
		if name := firstNonEmpty(addressBehind.ReplaceAllString(full, ""), full); name != "" {
			e.Authors = append(e.Authors, name)
		}
	}
	if dc := it.DublinCoreExt; dc != nil && len(dc.Creator) > 1 && len(e.Authors) == 1 && e.Authors[0] == strings.TrimSpace(dc.Creator[0]) {
		e.Authors = append(e.Authors, dc.Creator[1:]...) // gofeed takes one
	}
	for _, enc := range it.Enclosures {
		if enc != nil && enc.URL != "" {
			e.Enclosures = append(e.Enclosures, RawEnclosure{enc.URL, enc.Type, enc.Length})
		}
	}
	e.Image = imageOf(it)
	e.takeExtensions(it.Extensions)
	return e
}

// addressBehind is the mail address that outlets put behind an author's name.
var addressBehind = regexp.MustCompile(`\s*<[^<>\s]+@[^<>\s]+>\s*$`)

// takeExtensions fills what an item's own elements leave out from those of
// Media RSS, iTunes and Dublin Core terms that say the same.
func (e *Entry) takeExtensions(all ext.Extensions) {
	if len(all) == 0 {
		return
	}
	value := func(prefix, name string) string {
		if found := all[prefix][name]; len(found) > 0 {
			return strings.TrimSpace(found[0].Value)
		}
		return ""
	}
	grouped := func(name string) string {
		for _, group := range all["media"]["group"] {
			if found := group.Children[name]; len(found) > 0 {
				return strings.TrimSpace(found[0].Value)
			}
		}
		return ""
	}
	e.Published = firstNonEmpty(e.Published, value("dcterms", "issued"))
	e.Updated = firstNonEmpty(e.Updated, value("dcterms", "modified"))
	e.Title = firstNonEmpty(e.Title, value("media", "title"), grouped("title"), value("itunes", "title"))
	if e.Content == "" {
		e.Summary = firstNonEmpty(e.Summary, value("media", "description"), grouped("description"), value("itunes", "summary"), value("itunes", "subtitle"))
	}
	if len(e.Categories) == 0 {
		for _, c := range all["media"]["category"] {
			if term := strings.TrimSpace(c.Value); term != "" {
				e.Categories = append(e.Categories, term)
			}
		}
		e.takeNested(all["itunes"]["category"])
	}
}

// takeNested takes iTunes categories, the narrower ones within the wider.
func (e *Entry) takeNested(categories []ext.Extension) {
	for _, c := range categories {
		if term := strings.TrimSpace(c.Attrs["text"]); term != "" {
			e.Categories = append(e.Categories, term)
		}
		e.takeNested(c.Children["category"])
	}
}

// takeRaw reads from an item's own text what gofeed changes or passes over: an
// atom:id, which it resolves as if it were an address, an Atom link without
// href, that an Atom title is plain text, the rdf:about that is an RSS 1.0 item's identity, a text in <body> or
// <fullitem>, and an image with an element for it.
func (e *Entry) takeRaw(raw, format string) {
	if format == "atom" {
		if id := childText(raw, "id"); id != "" {
			e.GUID = id
		}
		if e.Link == "" {
			e.Link = linkText(raw)
		}
		if strings.Contains(e.Title, "<") {
			open, _ := childOf(raw, "title")
			e.Literal = saysText.MatchString(open) && !wrapped(e.Title)
		}
	}
	if e.GUID == "" {
		if m := rdfAbout.FindStringSubmatch(raw); m != nil {
			e.GUID = html.UnescapeString(firstNonEmpty(m[1], m[2]))
		}
	}
	if e.Summary == "" && e.Content == "" {
		e.Content = firstNonEmpty(childText(raw, "body"), childText(raw, "fullitem"))
	}
	if strings.HasPrefix(e.Image, "<") { // what stands in <image>, whole
		e.Image = childText(raw, "image", "url")
	}
}

// saysText matches a start tag that declares its content to be plain text. Atom
// means the same where no type stands (RFC 4287, section 3.1.1), but there
// outlets write HTML as often.
var saysText = regexp.MustCompile(`\stype\s*=\s*["'](?:text|text/plain)["']`)

// wrapped tells whether a text is one HTML element as a whole, whatever its
// type says.
func wrapped(s string) bool {
	s = strings.TrimSpace(s)
	t, ok := readTag(s, 0)
	return ok && !t.closing && strings.HasSuffix(strings.ToLower(s), "</"+t.name+">")
}

// headline is an entry's title as one clean line.
func (e *Entry) headline() string {
	if e.Literal {
		return vi.Line(twiceEscaped(e.Title))
	}
	return lineOf(e.Title)
}

// linkText is the address that stands in an Atom link as its text, as in RSS.
func linkText(raw string) string {
	for _, m := range textLink.FindAllStringSubmatch(raw, -1) {
		if rel := linkRel.FindStringSubmatch(m[1]); rel == nil || rel[1] == "alternate" {
			return html.UnescapeString(m[2])
		}
	}
	return ""
}

var (
	textLink = regexp.MustCompile(`<(?:\w+:)?link\b([^<>]*)>\s*(https?://[^<>\s]+)\s*</`)
	linkRel  = regexp.MustCompile(`\brel\s*=\s*["']([^"']*)`)
)

// rdfAbout is the identity in the start tag of an RSS 1.0 item.
var rdfAbout = regexp.MustCompile(`^<(?:\w+:)?item\s[^<>]*?\brdf:about\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')`)

// imageOf finds an item's picture in the order in which outlets mean it.
func imageOf(it *gofeed.Item) string {
	media := it.Extensions["media"]
	for _, group := range media["group"] {
		if u := mediaURL(group.Children); u != "" {
			return u
		}
	}
	if u := mediaURL(media); u != "" {
		return u
	}
	for _, enc := range it.Enclosures {
		if enc != nil && (strings.HasPrefix(enc.Type, "image/") || enc.Type == "" && pictureName.MatchString(enc.URL)) {
			return enc.URL
		}
	}
	if it.Image != nil && it.Image.URL != "" {
		return it.Image.URL
	}
	return strings.TrimSpace(it.Custom["image"])
}

// pictureName is an address that names a picture, for enclosures without a type.
var pictureName = regexp.MustCompile(`(?i)\.(jpe?g|png|webp|gif|avif)($|\?)`)

func mediaURL(media map[string][]ext.Extension) string {
	for _, c := range media["content"] {
		if c.Attrs["medium"] == "image" || strings.HasPrefix(c.Attrs["type"], "image/") || c.Attrs["type"] == "" && c.Attrs["medium"] == "" {
			if c.Attrs["url"] != "" {
				return c.Attrs["url"]
			}
		}
	}
	for _, t := range media["thumbnail"] {
		if t.Attrs["url"] != "" {
			return t.Attrs["url"]
		}
	}
	for _, c := range media["content"] { // the still of a film
		if u := mediaURL(c.Children); u != "" {
			return u
		}
	}
	return ""
}
