package aggregator

import (
	"diemtin/store"
)

// ItemReader makes of an item what a Classifier judges: it knows the section
// of each source and the scope and province of each outlet.
type ItemReader struct {
	sections  map[string]store.Topic
	scopes    map[string]store.Scope
	provinces map[string]string
}

// NewItemReader takes sections and outlets from a configuration, and from the
// stored sources those that are no longer in it.
func NewItemReader(cfg Config, stored []store.Source) *ItemReader {
	r := &ItemReader{map[string]store.Topic{}, map[string]store.Scope{}, map[string]string{}}
	for _, s := range stored {
		r.sections[s.ID] = s.Topic
	}
	for _, o := range cfg.Outlets {
		r.scopes[o.ID], r.provinces[o.ID] = o.Scope, o.Province
		for _, s := range o.Sources {
			r.sections[s.ID] = s.Topic
		}
	}
	return r
}

// Text is what the rules judge of a stored item, as when it was read.
func (r *ItemReader) Text(it *store.Item) Text {
	return Text{Title: it.Title, Summary: it.Summary, Body: plainText(it.Content), Section: r.sections[it.Source], Scope: r.scopes[it.Outlet]}
}

// LooseItem is an item that no store has, as a line of JSON. All but the title
// may be missing. An outlet or section that the configuration does not know
// says nothing.
type LooseItem struct {
	Title   string      `json:"title"`
	Summary string      `json:"summary"`
	Body    string      `json:"body"`    // text or HTML
	Content string      `json:"content"` // the same, if there is no body
	Outlet  string      `json:"outlet"`  // id of an outlet of the configuration
	Source  string      `json:"source"`  // id of a source of the configuration
	Section store.Topic `json:"section"` // the topic of its section
}

// Loose is Text for an item that is not stored, and the province of its outlet
// for ProvinceOf.
func (r *ItemReader) Loose(it *LooseItem) (t Text, home string) {
	t = Text{Title: lineOf(it.Title), Summary: linesOf(it.Summary), Body: plainText(firstNonEmpty(it.Body, it.Content)),
		Section: it.Section, Scope: r.scopes[it.Outlet]}
	if t.Section == "" {
		t.Section = r.sections[it.Source]
	}
	return t, r.provinces[it.Outlet]
}
