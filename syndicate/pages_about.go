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
	return page{View: "gioi-thieu", Title: s.words["about.title"], About: s.words["about.lead"], Path: "/gioi-thieu/", Body: v}, nil
}

// unavailable answers when the store cannot be read.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	s.log.ErrorContext(r.Context(), "page not readable", "path", r.URL.Path, "error", err)
	w.Header().Set("Retry-After", retryAfter)
	p := s.notice("down", http.StatusServiceUnavailable, false)
	v := p.Body.(noticeView)
	v.Again = r.URL.RequestURI()
	p.Body = v
	s.writePage(w, r, p)
}

// noticeView is a page that says why there is none.
type noticeView struct {
	Title  string
	Lead   string
	Starts bool   // offer places to begin anew
	Again  string // address to try once more; empty if that would not help
}

// notice is the page for a status; what is the first part of its texts' keys.
func (s *Server) notice(what string, status int, starts bool) page {
	v := noticeView{Title: s.words[what+".title"], Lead: s.words[what+".lead"], Starts: starts}
	return page{View: "notice", Status: status, Title: v.Title, NoIndex: true, Body: v}
}

// missingView helps a reader who came to an address that does not exist.
type missingView struct {
	Why    string // what is wrong with the address; empty if nobody knows
	Near   []nearLink
	Search string // what may have been looked for
	Day    *link  // the day that stands in the address
}

// missingPage answers 404 with the names nearest to the address.
func (s *Server) missingPage(path, why string) page {
	return page{View: "missing", Status: http.StatusNotFound, Title: s.words["missing.title"],
		NoIndex: true, Body: missingView{why, s.nearest(path, maxNear, kinds...), wordsIn(path), s.dayIn(path)}}
}
