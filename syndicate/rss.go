package syndicate

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"diemtin/store"
)

// rssRoot is the document: RSS 2.0 with the modules that readers use.
type rssRoot struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	DC      string   `xml:"xmlns:dc,attr"`
	Media   string   `xml:"xmlns:media,attr"`
	Channel *rssChannel
}

// rssChannel is gorilla's channel with the elements it lacks.
type rssChannel struct {
	XMLName xml.Name `xml:"channel"`
	Title   xmlText  `xml:"title"`
	*feeds.RssFeed
	Links []rssLink  `xml:"atom:link"`
	Items []*rssItem `xml:"item"`
}

// rssItem is gorilla's item with several categories, a source that has an
// address, and Dublin Core's creator, since <author> takes only e-mail.
type rssItem struct {
	XMLName xml.Name `xml:"item"`
	Title   xmlText  `xml:"title"`
	Link    string   `xml:"link,omitempty"`
	*feeds.RssItem
	Categories []rssCategory `xml:"category"`
	Source     *rssSource    `xml:"source"`
	Creator    string        `xml:"dc:creator"`
	Language   string        `xml:"dc:language,omitempty"`
	Links      []rssLink     `xml:"atom:link"`
	Updated    string        `xml:"atom:updated"`
	Image      *rssMedia     `xml:"media:content"`
}

type rssLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
}

type rssCategory struct {
	Domain string `xml:"domain,attr"`
	Name   string `xml:",chardata"`
}

type rssSource struct {
	URL  string `xml:"url,attr"`
	Name string `xml:",chardata"`
}

type rssMedia struct {
	URL    string `xml:"url,attr"`
	Medium string `xml:"medium,attr"`
	Type   string `xml:"type,attr,omitempty"`
	Size   string `xml:"fileSize,attr,omitempty"`
}

// xmlText is plain text written with hexadecimal references, as RSS's best
// practice wants it for headlines: readers that unescape once too often still
// show what was meant.
type xmlText struct {
	Inner string `xml:",innerxml"`
}

var xmlTextEscaper = strings.NewReplacer("&", "&#x26;", "<", "&#x3C;", ">", "&#x3E;")

func newXMLText(s string) xmlText { return xmlText{xmlTextEscaper.Replace(s)} }

// FeedXml is what feeds.ToXML asks for.
func (c *rssChannel) FeedXml() any {
	return &rssRoot{
		Version: "2.0",
		Atom:    "http://www.w3.org/2005/Atom",
		DC:      "http://purl.org/dc/elements/1.1/",
		Media:   "http://search.yahoo.com/mrss/",
		Channel: c,
	}
}

// renderRSS writes a feed as RSS 2.0.
func renderRSS(f Feed) ([]byte, error) {
	updated := f.updated().Format(time.RFC1123Z)
	ch := &rssChannel{
		RssFeed: &feeds.RssFeed{
			Link:          f.alternate(),
			Description:   f.description(),
			Language:      f.Config.language(),
			PubDate:       updated,
			LastBuildDate: updated,
			Generator:     strings.TrimSpace("diemtin " + scrub(f.Config.Version)),
		},
		Title: newXMLText(f.title()),
		Links: []rssLink{{Href: f.self("feed.rss"), Rel: "self", Type: "application/rss+xml"}},
	}
	if hub := f.hub(); hub != "" {
		ch.Links = append(ch.Links, rssLink{Href: hub, Rel: "hub"})
	}
	f.eachPlace(func(e *entry) { ch.Items = append(ch.Items, newRSSItem(e)) }, func(g *store.Tombstone) {
		ch.Items = append(ch.Items, f.newRSSGone(g))
	})
	s, err := feeds.ToXML(ch)
	return f.forPeople(s), err
}

// newRSSGone marks the place of a story that is gone. It has no link: readers
// that know entries by it would take it for another.
func (f *Feed) newRSSGone(g *store.Tombstone) *rssItem {
	return &rssItem{
		RssItem: &feeds.RssItem{
			Description: goneBody,
			Guid:        &feeds.RssGuid{Id: storyURN(g.Story), IsPermaLink: "false"},
			PubDate:     g.Shown.In(store.Zone).Format(time.RFC1123Z),
		},
		Title:   newXMLText(vietnamese["gone.title"]),
		Creator: plainName(f.Config.Site.Title),
		Updated: g.At.In(store.Zone).Format(atomTime),
	}
}

func newRSSItem(e *entry) *rssItem {
	item := &rssItem{
		RssItem: &feeds.RssItem{
			Description: e.body,
			Guid:        &feeds.RssGuid{Id: e.id, IsPermaLink: "false"},
			PubDate:     e.created.Format(time.RFC1123Z),
		},
		Title:    newXMLText(e.title),
		Link:     e.link,
		Creator:  strings.Join(e.authors, ", "),
		Language: e.lang,
		Updated:  e.changed.Format(atomTime),
	}
	if e.story != nil {
		item.Source = &rssSource{e.outlet.home, e.outlet.name}
	}
	if item.Creator == "" {
		item.Creator = e.outlet.name
	}
	for _, c := range e.categories() {
		item.Categories = append(item.Categories, rssCategory{c.scheme + c.term + "/", c.label})
	}
	if e.via != "" {
		item.Links = append(item.Links, rssLink{Href: e.via, Rel: "via"})
	}
	if e.image.url != "" {
		item.Image = &rssMedia{URL: e.image.url, Medium: "image", Type: e.image.media}
		if e.image.length > 0 {
			item.Image.Size = strconv.FormatInt(e.image.length, 10)
		}
	}
	return item
}
