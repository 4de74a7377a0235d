package syndicate

import (
	"bytes"
	"encoding/json"

	"github.com/gorilla/feeds"

	"diemtin/store"
)

// jsonFeed is gorilla's JSON Feed with items that do not vanish when there is
// none.
type jsonFeed struct {
	*feeds.JSONFeed
	Items []*jsonItem `json:"items"`
}

// jsonItem is gorilla's item with a language and our extension.
type jsonItem struct {
	*feeds.JSONItem
	Language  string         `json:"language,omitempty"`
	Extension *jsonExtension `json:"_diemtin,omitempty"` // nil: it is no story
}

// jsonExtension is what JSON Feed has no words for: the ids behind names.
type jsonExtension struct {
	Story    string      `json:"story"`
	Page     string      `json:"page"` // of the story, here
	Topics   []string    `json:"topics"`
	Province string      `json:"province,omitempty"`
	Source   *jsonSource `json:"source,omitempty"`
	Original string      `json:"original,omitempty"` // address, if it is another item
	Removed  bool        `json:"removed,omitempty"`  // it was taken down; all else of it is gone
}

type jsonSource struct {
	Outlet string `json:"outlet"`
	Name   string `json:"name"`
	URL    string `json:"url"`
}

// renderJSON writes a feed as JSON Feed 1.1.
func renderJSON(f Feed) ([]byte, error) {
	doc := jsonFeed{
		JSONFeed: &feeds.JSONFeed{
			Version:     "https://jsonfeed.org/version/1.1",
			Title:       f.title(),
			Language:    f.Config.language(),
			HomePageUrl: f.alternate(),
			FeedUrl:     f.self("feed.json"),
			NextUrl:     f.older("feed.json"),
			Description: f.description(),
			Authors:     []*feeds.JSONAuthor{{Name: plainName(f.Config.Site.Title), Url: f.Config.address("/")}},
		},
		Items: make([]*jsonItem, 0, len(f.Stories)),
	}
	if hub := f.hub(); hub != "" {
		doc.Hubs = []*feeds.JSONHub{{Type: "WebSub", Url: hub}}
	}
	f.eachPlace(func(e *entry) { doc.Items = append(doc.Items, f.newJSONItem(e)) }, func(g *store.Tombstone) {
		doc.Items = append(doc.Items, f.newJSONGone(g))
	})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // it is served as JSON, never inside a page
	err := enc.Encode(doc)
	return b.Bytes(), err
}

// newJSONGone marks the place of a story that is gone.
func (f *Feed) newJSONGone(g *store.Tombstone) *jsonItem {
	shown, at := g.Shown.In(store.Zone), g.At.In(store.Zone)
	return &jsonItem{
		JSONItem:  &feeds.JSONItem{Id: storyURN(g.Story), Title: vietnamese["gone.title"], ContentHTML: goneBody, PublishedDate: &shown, ModifiedDate: &at},
		Extension: &jsonExtension{Story: g.Story, Page: f.Config.address("/stories/" + g.Story), Topics: []string{}, Removed: true},
	}
}

func (f *Feed) newJSONItem(e *entry) *jsonItem {
	item := &jsonItem{
		JSONItem: &feeds.JSONItem{
			Id:            e.id,
			Url:           e.link,
			Title:         e.title,
			ContentHTML:   e.body,
			Summary:       e.summary,
			Image:         e.image.url,
			PublishedDate: &e.created,
			ModifiedDate:  &e.changed,
		},
		Language: e.lang,
	}
	if e.story != nil {
		item.Extension = f.jsonExtension(e)
	}
	for _, a := range e.authors {
		item.Authors = append(item.Authors, &feeds.JSONAuthor{Name: a})
	}
	if len(item.Authors) == 0 {
		item.Authors = []*feeds.JSONAuthor{{Name: e.outlet.name, Url: e.outlet.home}}
	}
	for _, c := range e.categories() {
		item.Tags = append(item.Tags, c.label)
	}
	return item
}

func (f *Feed) jsonExtension(e *entry) *jsonExtension {
	x := &jsonExtension{
		Story:    e.story.ID,
		Page:     f.Config.address("/stories/" + e.story.ID),
		Topics:   make([]string, 0, len(e.topics)),
		Province: e.province.term,
		Source:   &jsonSource{e.outlet.id, e.outlet.name, e.outlet.home},
		Original: e.via,
	}
	for _, c := range e.topics {
		x.Topics = append(x.Topics, c.term)
	}
	return x
}
