package syndicate

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"diemtin/store"
)

//go:embed web
var web embed.FS

// partials are the templates that every page may use: the frame around all
// pages, and each fragment that has one home (the card, the date, the links).
const partials = "web/parts/*.html"

// views are the templates of all pages in one language, by name.
type views map[string]*template.Template

// parseViews reads the templates, with the texts of one language.
func parseViews(own look, l *language) (views, error) {
	base := template.New("").Funcs(l.functions())
	parts, err := own.partNames()
	if err != nil {
		return nil, err
	}
	for _, name := range parts {
		if base, err = own.parse(base, name); err != nil {
			return nil, err
		}
	}
	files, err := web.ReadDir("web")
	if err != nil {
		return nil, err
	}
	all := views{}
	for _, f := range files {
		if path.Ext(f.Name()) != ".html" {
			continue
		}
		view, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if view, err = own.parse(view, f.Name()); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(f.Name(), ".html")] = view
	}
	return all, nil
}

// render writes a whole page.
func (v views) render(w io.Writer, f frame) error {
	view, ok := v[f.View]
	if !ok {
		return fmt.Errorf("no template %q", f.View)
	}
	return view.ExecuteTemplate(w, "frame", f)
}

// frame is what the layout around every page reads.
type frame struct {
	page
	Site      Site
	Lang      string // of the texts
	Canonical string // absolute address of the page; empty = none
	Meta      *meta  // nil = none
	Languages []alternate
	Listed    bool   // search engines may list it, in each language
	Contact   link   // of the operator; Href is empty if it is no address, Text if there is none
	Style     string // address of the stylesheet
	Script    string // address of the script, which runs last
	SiteFeeds []feedLink
	OEmbed    []feedLink // where programs ask how to embed the page
	Menu      []link
	Foot      []link
}

// link is a place to go and what it is called.
type link struct {
	Text string
	Lang string // of Text, if it is not the page's
	Href string
	Here bool // the reader is there already
	Out  bool // it leads to an outlet

	Count string // stories it has on the day spoken of; empty = it is not said
}

// frame puts a page into the layout.
func (s *Server) frame(p page) frame {
	w := s.words
	f := frame{page: p, Site: s.cfg.Site, Lang: s.lang.tag, Style: s.styleAddress, Script: s.script, Contact: contactOf(s.cfg.Site),
		Languages: s.alternates(p.Address)}
	if p.Path != "" && f.Site.BaseURL != "" {
		f.Canonical = f.Site.BaseURL + s.lang.to(p.Path)
		f.Listed = !p.NoIndex
	}
	f.Meta = s.meta(&p, f.Canonical)
	if p.Path != "/" {
		f.SiteFeeds = feedsOf("/", f.Site.Title)
	}
	f.OEmbed = s.oembedLinks(&p)
	f.Menu = []link{
		{Text: w["nav.home"], Href: "/"}, {Text: w["nav.topics"], Href: "/topics/"},
		{Text: w["nav.prov"], Href: "/provinces/"}, {Text: w["nav.days"], Href: "/days/"},
		{Text: w["nav.outlets"], Href: "/outlets/"}, {Text: w["nav.feeds"], Href: "/nguon-cap-tin/"},
	}
	for i := range f.Menu {
		f.Menu[i].Here = f.Menu[i].Href == p.Nav
	}
	f.Foot = []link{
		{Text: w["foot.about"], Href: "/gioi-thieu/"}, {Text: w["foot.scopes"], Href: "/scopes/"},
		{Text: w["foot.chans"], Href: "/channels/"}, {Text: w["foot.mix"], Href: "/mix/"}, {Text: w["foot.nhung"], Href: nhungPath}, {Text: w["foot.status"], Href: "/status"},
	}
	return f
}

// contactOf makes a link of what the operator wrote as contact: an e-mail
// address, with or without "mailto:", or the address of a page.
func contactOf(site Site) link {
	c := link{Text: strings.TrimPrefix(site.Contact, "mailto:")}
	u, err := url.Parse(site.Contact)
	switch {
	case err != nil:
	case u.Scheme == "https" || u.Scheme == "http":
		c.Href, c.Out = site.Contact, true
	case strings.Count(c.Text, "@") == 1 && !strings.ContainsAny(c.Text, " /"):
		c.Href = "mailto:" + c.Text
	}
	return c
}

// feedLink is one feed that a page offers.
type feedLink struct {
	Name  string // RSS, Atom, JSON Feed
	Type  string // media type
	Href  string // from the root
	Title string // for the list of feeds in a reader
	Copy  string // address of the page that helps to follow the channel
}

// feedsOf lists the feeds of a channel, given its path and title, one a format.
func feedsOf(path, title string) []feedLink {
	links := make([]feedLink, len(formats))
	for i, f := range formats {
		name := formatNames[f.name]
		links[i] = feedLink{name, f.media, path + f.file, title + " (" + name + ")", followOf(path)}
	}
	return links
}

// feeds lists the feeds of a channel, one a format.
func (ch *Channel) feeds() []feedLink {
	links := feedsOf("", ch.Title.VI)
	for i := range links {
		links[i].Href, links[i].Copy = ch.url(links[i].Href, 0), followOf(ch.url("", 0))
	}
	return links
}

// formatNames are what readers call the formats.
var formatNames = map[string]string{"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}

// clock writes a time as feeds have it, "14:15 05/11/2024", in Việt Nam.
func clock(t time.Time) string { return languages[0].clock(t) }

// date writes a day as feeds have it, "05/11/2024".
func date(d store.Day) string { return languages[0].date(d) }

// forever lets a browser keep what an address with a hash in it gives out.
const forever = "public, max-age=31536000, immutable" // a year, in seconds

// assetRoutes registers what browsers and crawlers ask for beside the pages.
func (s *Server) assetRoutes() error {
	sheet, err := s.look.style()
	if err != nil {
		return err
	}
	style, err := asset(sheet, "text/css; charset=utf-8", cacheControl)
	if err != nil {
		return err
	}
	kept, err := asset(sheet, "text/css; charset=utf-8", forever)
	if err != nil {
		return err
	}
	s.mux.HandleFunc("GET /assets/style.css", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() == s.styleAddress {
			kept.serve(w, r)
		} else { // from a page of another version of the program
			style.serve(w, r)
		}
	})
	for _, a := range []struct{ address, name, media string }{
		{"/assets/feed.css", "feed.css", "text/css; charset=utf-8"}, {"/favicon.svg", "favicon.svg", "image/svg+xml"},
		{"/assets/nhung.js", "nhung.js", "text/javascript; charset=utf-8"},
	} {
		data, err := s.look.file(a.name)
		if err != nil {
			return err
		}
		doc, err := asset(data, a.media, cacheControl)
		if err != nil {
			return err
		}
		s.mux.HandleFunc("GET "+a.address, func(w http.ResponseWriter, r *http.Request) { doc.serve(w, r) })
	}
	s.mux.HandleFunc("GET /favicon.ico", http.RedirectHandler("/favicon.svg", http.StatusMovedPermanently).ServeHTTP)
	text, err := s.robots()
	if err != nil {
		return err
	}
	rules, err := newRendition(text, "text/plain; charset=utf-8", http.Header{"Cache-Control": {cacheControl}}, time.Time{})
	if err != nil {
		return err
	}
	s.mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, r *http.Request) { rules.serve(w, r) })
	return nil
}

// asset prepares a file to be sent.
func asset(data []byte, media, caching string) (*rendition, error) {
	return newRendition(data, media, http.Header{"Cache-Control": {caching}}, time.Time{})
}
