package syndicate

import (
	"encoding/xml"
	"strconv"

	"github.com/gorilla/feeds"

	"diemtin/store"
)

// atomTime is RFC 3339 to the millisecond: entries of one second differ.
const atomTime = "2006-01-02T15:04:05.000Z07:00"

// atomFeed is gorilla's feed with several links, a language and a generator.
type atomFeed struct {
	XMLName xml.Name `xml:"feed"`
	Lang    string   `xml:"xml:lang,attr"`
	Title   xmlText  `xml:"title"`
	*feeds.AtomFeed
	Links     []atomLink     `xml:"link"`
	Generator *atomGenerator `xml:"generator"`
	History   string         `xml:"xmlns:fh,attr,omitempty"`
	Archive   *struct{}      `xml:"fh:archive"` // this never changes (RFC 5005, section 4)
	Entries   []*atomEntry   `xml:"entry"`
	At        string         `xml:"xmlns:at,attr,omitempty"`
	Deleted   []atomDeleted  `xml:"at:deleted-entry"`
}

// atomDeleted says that an entry is gone: taken down, or part of another
// (RFC 6721).
type atomDeleted struct {
	Ref  string `xml:"ref,attr"`
	When string `xml:"when,attr"`
}

const tombstoneNS = "http://purl.org/atompub/tombstones/1.0"

// atomEntry is gorilla's entry with several authors and categories, and a
// source that is an element and not a string.
type atomEntry struct {
	XMLName xml.Name  `xml:"entry"`
	Title   atomTitle `xml:"title"`
	*feeds.AtomEntry
	Authors    []feeds.AtomPerson `xml:"author"`
	Links      []atomLink         `xml:"link"`
	Categories []atomCategory     `xml:"category"`
	Source     *atomSource        `xml:"source"`
}

type atomTitle struct {
	Lang string `xml:"xml:lang,attr,omitempty"`
	xmlText
}

type atomLink struct {
	Href   string `xml:"href,attr"`
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr,omitempty"`
	Length string `xml:"length,attr,omitempty"`
}

type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr"`
	Label  string `xml:"label,attr"`
}

type atomGenerator struct {
	Version string `xml:"version,attr,omitempty"`
	Name    string `xml:",chardata"`
}

// atomSource says whose entry this is. Its updated is the item's own time: of
// the outlet's feed we know no other that stays the same.
type atomSource struct {
	ID      string     `xml:"id"`
	Title   xmlText    `xml:"title"`
	Updated string     `xml:"updated"`
	Links   []atomLink `xml:"link"`
}

// FeedXml is what feeds.ToXML asks for.
func (a *atomFeed) FeedXml() any { return a }

// renderAtom writes a feed as Atom 1.0.
func renderAtom(f Feed) ([]byte, error) {
	doc := &atomFeed{
		AtomFeed: &feeds.AtomFeed{
			Xmlns:    "http://www.w3.org/2005/Atom",
			Id:       f.id(),
			Updated:  f.updated().Format(atomTime),
			Subtitle: f.description(),
			Author:   &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: plainName(f.Config.Site.Title), Uri: f.Config.address("/")}},
		},
		Lang:      f.Config.language(),
		Title:     newXMLText(f.title()),
		Generator: &atomGenerator{Version: scrub(f.Config.Version), Name: "diemtin"},
		Links: []atomLink{
			{Href: f.self("feed.atom"), Rel: "self", Type: "application/atom+xml"},
			{Href: f.alternate(), Rel: "alternate", Type: "text/html"},
		},
	}
	if f.Doc.Part > 0 {
		doc.History, doc.Archive = historyNS, &struct{}{}
		doc.Links = append(doc.Links, atomLink{Href: f.Config.address(f.Channel.Path + "feed.atom"), Rel: "current", Type: "application/atom+xml"})
	}
	if older := f.older("feed.atom"); older != "" {
		doc.Links = append(doc.Links, atomLink{Href: older, Rel: "prev-archive", Type: "application/atom+xml"})
	}
	if hub := f.hub(); hub != "" {
		doc.Links = append(doc.Links, atomLink{Href: hub, Rel: "hub"})
	}
	f.eachPlace(func(e *entry) { doc.Entries = append(doc.Entries, newAtomEntry(e)) }, func(*store.Tombstone) {})
	for _, g := range f.Gone {
		doc.At = tombstoneNS
		doc.Deleted = append(doc.Deleted, atomDeleted{storyURN(g.Story), g.At.In(store.Zone).Format(atomTime)})
	}
	s, err := feeds.ToXML(doc)
	return f.forPeople(s), err
}

func newAtomEntry(e *entry) *atomEntry {
	a := &atomEntry{
		AtomEntry: &feeds.AtomEntry{
			Id:        e.id,
			Published: e.created.Format(atomTime),
			Updated:   e.changed.Format(atomTime),
			Content:   &feeds.AtomContent{Type: "html", Content: e.body},
		},
		Title: atomTitle{e.lang, newXMLText(e.title)},
		Links: []atomLink{{Href: e.link, Rel: "alternate", Type: "text/html"}},
	}
	if e.story != nil {
		a.Source = &atomSource{
			ID:      e.outlet.home,
			Title:   newXMLText(e.outlet.name),
			Updated: e.created.Format(atomTime),
			Links:   []atomLink{{Href: e.outlet.home, Rel: "alternate", Type: "text/html"}},
		}
	}
	for _, author := range e.authors {
		a.Authors = append(a.Authors, feeds.AtomPerson{Name: author})
	}
	if len(a.Authors) == 0 {
		a.Authors = []feeds.AtomPerson{{Name: e.outlet.name, Uri: e.outlet.home}}
	}
	for _, c := range e.categories() {
		a.Categories = append(a.Categories, atomCategory{c.term, c.scheme, c.label})
	}
	if e.via != "" {
		a.Links = append(a.Links, atomLink{Href: e.via, Rel: "via", Type: "text/html"})
	}
	if e.image.url != "" {
		l := atomLink{Href: e.image.url, Rel: "enclosure", Type: e.image.media}
		if e.image.length > 0 {
			l.Length = strconv.FormatInt(e.image.length, 10)
		}
		a.Links = append(a.Links, l)
	}
	return a
}
