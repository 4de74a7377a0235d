package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// page is what one address shows, before any layout.
type page struct {
	View    string     // name of its template in web/, without ".html"
	Status  int        // HTTP status; 0 = 200
	Title   string     // without the site's title
	About   string     // one sentence for search engines; may be empty
	Path    string     // its canonical address from the root, without the language; empty = none
	Address string     // where it was asked for, without the language; serve and writePage fill it in
	Nav     string     // path of the entry of the main menu it belongs to
	NoIndex bool       // search engines should not list it
	Feeds   []feedLink // that carry what the page shows
	Body    any        // what its template reads
}

// moved says that what was asked for stands at another address. It travels as
// an error, because it ends a page function as one does.
type moved struct {
	to   string
	code int // an HTTP status of the 3xx class
}

func (m moved) Error() string { return "moved to " + m.to }

// pageFunc makes the page for a request. It answers store.ErrNotFound for what
// is not there and moved for what is elsewhere; any other error means that the
// store cannot be read now.
// The server is the one that speaks the language asked for.
type pageFunc func(s *Server, ctx context.Context, r *http.Request) (page, error)

// pageRoutes registers everything for people.
func (s *Server) pageRoutes() error {
	if err := s.openPages(); err != nil {
		return fmt.Errorf("templates of the pages: %w", err)
	}
	s.pages, s.others = newPageCache(s.now), newPageCache(s.now)
	s.others.most, s.others.newest = maxOtherPages, true
	s.mux.HandleFunc("GET /{$}", s.serve((*Server).homePage))
	s.folder("/days/", (*Server).daysPage)
	s.folder("/days/{day}/", func(s *Server, ctx context.Context, r *http.Request) (page, error) {
		return s.dayPage(ctx, "", r)
	})
	s.folder("/gioi-thieu/", (*Server).aboutPage)
	s.folder("/nguon-cap-tin/", (*Server).feedsPage)
	for _, kind := range kinds {
		s.channelRoutes(kind)
	}
	s.folder("/topics/{id}/provinces/{province}/", (*Server).crossPage)
	s.folder("/mix/", (*Server).mixPage)
	s.nhungRoutes()
	s.leaf("/search", (*Server).searchPage)
	s.leaf("/stories/{id}", (*Server).storyPage)
	s.leaf("/stories/{id}/explain", (*Server).explainPage)
	s.mux.HandleFunc("GET /stories/{id}/explain.json", s.explainJSON)
	s.leaf("/items/{id}", (*Server).itemPage)
	s.leaf("/status", (*Server).statusPage)
	s.leaf(unclassifiedPath, (*Server).unclassifiedPage)
	s.mux.HandleFunc("/", s.fallback)
	if err := s.scriptRoute(); err != nil {
		return fmt.Errorf("script of the pages: %w", err)
	}
	return s.assetRoutes()
}

// channelRoutes registers the pages of one kind of channel.
func (s *Server) channelRoutes(kind string) {
	s.folder("/"+kind+"/", func(s *Server, ctx context.Context, _ *http.Request) (page, error) {
		return s.indexPage(ctx, kind)
	})
	s.folder("/"+kind+"/{id}/", func(s *Server, ctx context.Context, r *http.Request) (page, error) {
		return s.channelPage(ctx, kind, r)
	})
	s.folder("/"+kind+"/{id}/days/", func(s *Server, ctx context.Context, r *http.Request) (page, error) {
		return s.newestDay(ctx, kind, r)
	})
	s.folder("/"+kind+"/{id}/days/{day}/", func(s *Server, ctx context.Context, r *http.Request) (page, error) {
		return s.dayPage(ctx, kind, r)
	})
}

// folder registers a page whose address ends in a slash. Both forms are
// registered, because the mux's own redirect to the slash is a 307, which no
// one remembers.
func (s *Server) folder(path string, f pageFunc) {
	s.mux.HandleFunc("GET "+path+"{$}", s.serve(f))
	s.mux.HandleFunc("GET "+strings.TrimSuffix(path, "/"), func(w http.ResponseWriter, r *http.Request) {
		to := url.URL{Path: s.ownSpelling(r) + "/", RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
	})
}

// ownSpelling is the path of a request with its {id} as its channel is called,
// if there is such a channel, so that one redirect leads to the end.
func (s *Server) ownSpelling(r *http.Request) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	asked := "/" + kind + "/" + r.PathValue("id")
	rest, under := strings.CutPrefix(r.URL.Path, asked)
	if ch, ok := s.cfg.spelled(kind, r.PathValue("id")); ok && under {
		if p := r.PathValue("province"); p != "" {
			if ch, why := s.inProvince(ch, p); why == "" {
				return strings.TrimSuffix(ch.Path, "/")
			}
		}
		return strings.TrimSuffix(ch.Path, "/") + rest
	}
	return r.URL.Path
}

// leaf registers a page whose address ends without a slash, and the form with
// one as a redirect to it.
func (s *Server) leaf(path string, f pageFunc) {
	s.mux.HandleFunc("GET "+path, s.serve(f))
	s.mux.HandleFunc("GET "+path+"/{$}", func(w http.ResponseWriter, r *http.Request) {
		to := url.URL{Path: strings.TrimSuffix(r.URL.Path, "/"), RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
	})
}

// fallback answers for every address that nothing else is registered for.
func (s *Server) fallback(w http.ResponseWriter, r *http.Request) {
	s = s.speaking(languageOf(r.URL))
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.writePage(w, r, s.notice("method", http.StatusMethodNotAllowed, false))
		return
	}
	lower := r.Clone(r.Context())
	lower.URL.Path = strings.ToLower(r.URL.Path)
	lower.URL.RawPath = ""
	if lower.URL.Path != r.URL.Path {
		if _, pattern := s.mux.Handler(lower); pattern != "/" {
			http.Redirect(w, r, lower.URL.RequestURI(), http.StatusMovedPermanently)
			return
		}
	}
	s.writePage(w, r, s.missingPage(r.URL.Path, ""))
}
