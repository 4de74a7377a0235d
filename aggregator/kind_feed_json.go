package aggregator

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/mmcdole/gofeed"
	jsonfeed "github.com/mmcdole/gofeed/json"

	"diemtin/store"
)

// jsonOutline is a JSON Feed with its items unread.
type jsonOutline struct {
	head    map[string]json.RawMessage // all but the items
	items   []json.RawMessage
	found   bool  // there is a list of items
	surplus int   // items beyond the limit
	fault   error // what broke it off
}

// outlineOf takes a JSON Feed apart as far as it goes.
func outlineOf(text string, maxItems int) jsonOutline {
	o := jsonOutline{head: map[string]json.RawMessage{}}
	dec := json.NewDecoder(strings.NewReader(text))
	if _, o.fault = dec.Token(); o.fault != nil { // "{"
		return o
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			o.fault = err
			return o
		}
		name, _ := key.(string)
		var value json.RawMessage
		if name != "items" {
			if o.fault = dec.Decode(&value); o.fault != nil {
				return o
			}
			o.head[name] = value
			continue
		}
		if begin, err := dec.Token(); err != nil || begin != json.Delim('[') {
			o.fault = errors.Join(err, errors.New("its items are no list"))
			return o
		}
		if o.fault = o.readItems(dec, maxItems); o.fault != nil {
			return o
		}
	}
	_, o.fault = dec.Token() // "}"
	return o
}

func (o *jsonOutline) readItems(dec *json.Decoder, maxItems int) error {
	for o.found = true; dec.More(); {
		var item json.RawMessage
		if err := dec.Decode(&item); err != nil {
			return err
		}
		if len(o.items) < maxItems {
			o.items = append(o.items, item)
		} else {
			o.surplus++
		}
	}
	_, err := dec.Token() // "]"
	return err
}

// document is the feed with these items.
func (o *jsonOutline) document(items []json.RawMessage) (string, error) {
	doc := map[string]any{"items": append([]json.RawMessage{}, items...)}
	for name, value := range o.head {
		doc[name] = value
	}
	b, err := json.Marshal(doc)
	return string(b), err
}

// readJSON reads a JSON Feed. gofeed takes any object for one, and refuses it
// whole for one wrong value: then its items are read one by one.
func readJSON(text string, lim Limits, r *repairs) (*gofeed.Feed, error) {
	o := outlineOf(text, lim.MaxItems)
	switch {
	case o.fault != nil && len(o.items) == 0:
		return nil, fault(store.NotAFeed, "it is broken JSON: %w", o.fault)
	case !o.found:
		return nil, fault(store.NotAFeed, "it is JSON, but no JSON Feed: it has no items")
	case o.fault != nil:
		r.add("cut_off", fmt.Sprintf("the document breaks off: %v", o.fault))
	}
	r.addN("too_many_items", o.surplus, "only the first ones were read")
	if feed, err := o.parse(o.items); err == nil {
		return feed, nil
	}
	head, err := o.parse(nil)
	if err != nil {
		head = &gofeed.Feed{FeedType: "json"}
	}
	for _, item := range o.items {
		one, err := o.parse([]json.RawMessage{item})
		if err != nil {
			o.head = nil // perhaps the fault is there
			one, err = o.parse([]json.RawMessage{item})
		}
		if err != nil || len(one.Items) != 1 {
			r.add("lost_item", fmt.Sprintf("an item cannot be read: %v", err))
			continue
		}
		head.Items = append(head.Items, one.Items[0])
	}
	r.add("recovered", "a value is of the wrong kind; the items were read one by one")
	return head, nil
}

func (o *jsonOutline) parse(items []json.RawMessage) (*gofeed.Feed, error) {
	doc, err := o.document(items)
	if err != nil {
		return nil, err
	}
	return parseFeed(doc)
}

// completeJSON takes an item's other address, and escapes what JSON Feed says
// is plain text: from here on, texts are HTML.
func completeJSON(it *gofeed.Item, own *jsonfeed.Item) {
	if it.Link == "" {
		it.Link = own.ExternalURL
	}
	it.Title, it.Description = html.EscapeString(it.Title), html.EscapeString(it.Description)
	if own.ContentHTML == "" {
		it.Content = html.EscapeString(own.ContentText)
	}
}
