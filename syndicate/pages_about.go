package syndicate

import (
	"context"
	"net/http"
)

// aboutView is what the page about this installation shows.
type aboutView struct {
	Site    Site
	Contact link
	Outlets int
	Topics  int
}

// aboutPage says what this is, who runs it, and how an outlet asks for removal.
func (s *Server) aboutPage(context.Context, *http.Request) (page, error) {
	v := aboutView{Site: s.cfg.Site, Contact: contactOf(s.cfg.Site),
		Outlets: len(s.cfg.ids("outlets")), Topics: len(s.cfg.Topics)}
	return page{View: "gioi-thieu", Title: s.words["about.title"], Path: "/gioi-thieu/", Body: v}, nil
}

// feedsView lists every feed there is.
type feedsView struct {
	Site   Site
	Base   string // absolute address of the site, for examples to copy
	Groups []feedGroup
}

// feedGroup is the feeds of one kind of channel.
type feedGroup struct {
	Title string
	Rows  []feedRow
}

// feedRow is one channel with its feeds.
type feedRow struct {
	Channel link
	Feeds   []feedLink
}

// feedsPage explains feeds to people who never heard of one, and lists them all.
func (s *Server) feedsPage(context.Context, *http.Request) (page, error) {
	v := feedsView{Site: s.cfg.Site, Base: s.cfg.Site.BaseURL}
	row := func(ch Channel) feedRow {
		return feedRow{s.linkTo(&ch), feedsOf(ch.Path, ch.Title.VI)}
	}
	all, _ := s.cfg.channel("", "")
	v.Groups = append(v.Groups, feedGroup{s.words["feeds.all"], []feedRow{row(all)}})
	for _, kind := range []string{"channels", "topics", "scopes", "provinces", "outlets"} {
		now, former := feedGroup{Title: s.words["feeds."+kind]}, feedGroup{Title: s.words["feeds.former"]}
		for _, ch := range s.cfg.channelsOf(kind) {
			g := &now
			if p := s.cfg.place(ch.ID); kind == "provinces" && p.Into != "" {
				g = &former
			}
			g.Rows = append(g.Rows, row(ch))
		}
		for _, g := range []feedGroup{now, former} {
			if len(g.Rows) > 0 {
				v.Groups = append(v.Groups, g)
			}
		}
	}
	return page{View: "nguon-cap-tin", Title: s.words["feeds.title"], Path: "/nguon-cap-tin/",
		Nav: "/nguon-cap-tin/", Feeds: feedsOf("/", s.cfg.Site.Title), Body: v}, nil
}

// unavailable answers when the store cannot be read.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	s.log.ErrorContext(r.Context(), "page not readable", "path", r.URL.Path, "error", err)
	w.Header().Set("Retry-After", retryAfter)
	s.writePage(w, r, s.notice("down", http.StatusServiceUnavailable, false))
}

// noticeView is a page that says why there is none.
type noticeView struct {
	Title  string
	Lead   string
	Starts bool // offer places to begin anew
}

// notice is the page for a status; what is the first part of its texts' keys.
func (s *Server) notice(what string, status int, starts bool) page {
	v := noticeView{Title: s.words[what+".title"], Lead: s.words[what+".lead"], Starts: starts}
	return page{View: "notice", Status: status, Title: v.Title, NoIndex: true, Body: v}
}

// missingView helps a reader who came to an address that does not exist.
type missingView struct {
	Why  string // what is wrong with the address; empty if nobody knows
	Near []nearLink
}

// missingPage answers 404 with the names nearest to the address.
func (s *Server) missingPage(path, why string) page {
	return page{View: "missing", Status: http.StatusNotFound, Title: s.words["missing.title"],
		NoIndex: true, Body: missingView{why, s.nearest(path, maxNear, kinds...)}}
}
