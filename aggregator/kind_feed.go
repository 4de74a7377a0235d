package aggregator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/mmcdole/gofeed"
	ext "github.com/mmcdole/gofeed/extensions"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// readFeed reads RSS, Atom, RDF and JSON feeds. gofeed is the parser; what it
// would refuse whole is cleaned before it and recovered item by item after it.
func readFeed(doc *Document, _ SourceConfig, lim Limits) (reading, error) {
	var out reading
	text, decoding := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
	for _, kind := range decoding.Repairs {
		out.repairs.add(kind, "read as "+decoding.Label)
	}
	text = strings.TrimLeft(text, " \t\r\n\ufeff")
	if text == "" {
		return out, fault(store.NotAFeed, "the body is empty")
	}
	out.hints = feedHints(text)
	var feed *gofeed.Feed
	var err error
	if text[0] == '{' {
		feed, err = readJSON(text, lim, &out.repairs)
	} else {
		feed, err = readXML(text, lim, &out.repairs)
	}
	if err != nil {
		return out, notAFeed(doc, text, err)
	}
	out.entries = entriesOf(feed, doc)
	return out, nil
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

// readJSON reads a JSON Feed. gofeed takes any object for one.
func readJSON(text string, lim Limits, r *repairs) (*gofeed.Feed, error) {
	var outline struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal([]byte(text), &outline); err != nil {
		return nil, fault(store.NotAFeed, "it is broken JSON: %w", err)
	}
	if outline.Items == nil {
		return nil, fault(store.NotAFeed, "it is JSON, but no JSON Feed: it has no items")
	}
	feed, err := parseFeed(text)
	if err != nil {
		return nil, fault(store.NotAFeed, "it is JSON, but no JSON Feed: %w", err)
	}
	if n := len(feed.Items); n > lim.MaxItems {
		r.addN("too_many_items", n-lim.MaxItems, "only the first ones were read")
		feed.Items = feed.Items[:lim.MaxItems]
	}
	return feed, nil
}

func readXML(text string, lim Limits, r *repairs) (*gofeed.Feed, error) {
	s, sh, err := prepareXML(text, lim, r)
	if err != nil {
		return nil, err
	}
	feed, err := parseFeed(s)
	if err == nil && len(feed.Items) >= len(sh.items) {
		return feed, nil
	}
	if len(sh.items) == 0 {
		if err == nil {
			return feed, nil
		}
		return nil, fault(store.NotAFeed, "the feed cannot be read: %w", err)
	}
	return recoverItems(s, sh, r), nil
}

// recoverItems reads each item by itself: one that cannot be read, even
// mended, is lost alone.
func recoverItems(s string, sh shape, r *repairs) *gofeed.Feed {
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
			raw += "</" + strings.Trim(strings.Fields(raw[1:])[0], "<>") + ">"
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
		head.Items = append(head.Items, feed.Items[0])
	}
	r.add("recovered", "the feed is not well-formed; its items were read one by one")
	return head
}

// parseFeed calls gofeed, and turns a panic of it into an error: what it reads
// comes from outside.
func parseFeed(s string) (feed *gofeed.Feed, err error) {
	defer func() {
		if p := recover(); p != nil {
			feed, err = nil, fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	return gofeed.NewParser().ParseString(s)
}

func entriesOf(feed *gofeed.Feed, doc *Document) []Entry {
	base := doc.FinalURL
	if u, err := url.Parse(strings.TrimSpace(feed.Link)); err == nil && u.IsAbs() && u.Host != "" {
		base = u.String()
	}
	entries := make([]Entry, 0, len(feed.Items))
	for _, it := range feed.Items {
		if it == nil {
			continue
		}
		entries = append(entries, entryOf(it, base, feed.Language))
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
		if name := strings.TrimSpace(a.Name); name != "" {
			e.Authors = append(e.Authors, name)
		} else if a.Email != "" {
			e.Authors = append(e.Authors, a.Email)
		}
	}
	for _, enc := range it.Enclosures {
		if enc != nil && enc.URL != "" {
			e.Enclosures = append(e.Enclosures, RawEnclosure{enc.URL, enc.Type, enc.Length})
		}
	}
	e.Image = imageOf(it)
	return e
}

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
		if enc != nil && strings.HasPrefix(enc.Type, "image/") {
			return enc.URL
		}
	}
	if it.Image != nil && it.Image.URL != "" {
		return it.Image.URL
	}
	return strings.TrimSpace(it.Custom["image"])
}

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
	return ""
}
