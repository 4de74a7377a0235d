package syndicate

import (
	"encoding/xml"
	"fmt"
)

// opml is a list of feeds as readers import it (OPML 2.0). It has no dates: it
// is a function of the configuration alone.
type opml struct {
	XMLName xml.Name  `xml:"opml"`
	Version string    `xml:"version,attr"`
	Title   string    `xml:"head>title"`
	Owner   string    `xml:"head>ownerName,omitempty"`
	Body    []outline `xml:"body>outline"`
}

// outline is a feed, or a group of them.
type outline struct {
	Text     string    `xml:"text,attr"`
	Title    string    `xml:"title,attr,omitempty"`
	Type     string    `xml:"type,attr,omitempty"`
	XMLURL   string    `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string    `xml:"htmlUrl,attr,omitempty"`
	Language string    `xml:"language,attr,omitempty"`
	Outlines []outline `xml:"outline"`
}

// renderOPML lists the feeds of all channels, grouped by kind, each in the
// first format: a reader that took all would show every story three times.
func renderOPML(c *Config) ([]byte, error) {
	all, _ := c.channel("", "")
	list := opml{Version: "2.0", Title: plainName(c.Site.Title), Owner: plainName(c.Site.Operator),
		Body: []outline{c.outline(all)}}
	for _, kind := range kinds {
		group := outline{Text: vietnamese[kind+".title"]}
		for _, id := range c.ids(kind) {
			if ch, ok := c.channel(kind, id); ok {
				group.Outlines = append(group.Outlines, c.outline(ch))
			}
		}
		if len(group.Outlines) > 0 {
			list.Body = append(list.Body, group)
		}
	}
	doc, err := xml.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write OPML: %w", err)
	}
	return append(append([]byte(xml.Header), doc...), '\n'), nil
}

// outline is the entry of one channel.
func (c *Config) outline(ch Channel) outline {
	f := Feed{Config: c, Channel: ch}
	return outline{Text: ch.heading(), Title: f.title(), Type: "rss",
		XMLURL: f.self(formats[0].file), HTMLURL: f.alternate(), Language: c.language()}
}
