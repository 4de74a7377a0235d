package syndicate

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"

	"diemtin/store"
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
	body := []outline{c.outline(all)}
	for _, kind := range kinds {
		group := outline{Text: vietnamese[kind+".title"]}
		for _, id := range c.ids(kind) {
			if ch, ok := c.channel(kind, id); ok {
				group.Outlines = append(group.Outlines, c.outline(ch))
			}
		}
		if len(group.Outlines) > 0 {
			body = append(body, group)
		}
	}
	return c.writeOPML(plainName(c.Site.Title), body...)
}

// writeOPML writes a list of feeds.
func (c *Config) writeOPML(title string, body ...outline) ([]byte, error) {
	list := opml{Version: "2.0", Title: title, Owner: plainName(c.Site.Operator), Body: body}
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

const opmlType = "text/x-opml; charset=utf-8"

// opmlRoutes registers the list of all feeds and, for each channel, a list of
// its own, which readers import where they take no address of a feed.
func (s *Server) opmlRoutes() {
	s.feedRoute("/opml", "opml", func(w http.ResponseWriter, r *http.Request) int {
		if r.URL.Path != "/opml" {
			return redirect(w, r, "/opml")
		}
		return s.opml.serve(w, r)
	})
	for _, kind := range kinds {
		s.feedRoute("/"+kind+"/{id}/opml", "opml", func(w http.ResponseWriter, r *http.Request) int {
			return s.serveOPML(w, r, kind)
		})
	}
}

// serveOPML answers with the list of one channel, which changes with the
// configuration only.
func (s *Server) serveOPML(w http.ResponseWriter, r *http.Request, kind string) int {
	ch, why := s.feedChannel(kind, r.PathValue("id"), "")
	if why != "" {
		return refuse(w, http.StatusNotFound, why)
	}
	path := ch.Path + "opml"
	if path != r.URL.Path {
		return redirect(w, r, path)
	}
	doc, err := s.feeds.refresh(r.Context(), docKey{path, 0}, docMaker{format: "opml", contentType: opmlType,
		revision: func(context.Context) (store.Revision, error) { return store.Revision{N: 1, At: emptySince}, nil },
		render: func(context.Context, store.Revision) ([]byte, error) {
			o := s.cfg.outline(ch)
			return s.cfg.writeOPML(o.Title, o)
		}}, takesLater(r))
	if err != nil {
		s.log.ErrorContext(r.Context(), "OPML not given out", "path", path, "error", err)
		return refuse(w, http.StatusInternalServerError, "Máy chủ gặp lỗi. Xin thử lại sau.")
	}
	return doc.serve(w, r)
}
