package syndicate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// apiRoot is where the public API is; web/openapi.json describes it.
	apiRoot = "/api/v1"

	// apiCacheBytes is the memory for answers of the API. It is not that of the
	// feeds: mirrors ask each for places of their own.
	apiCacheBytes = 16 << 20
)

// apiRoute is one operation of the public API.
type apiRoute struct {
	id     string   // operationId of the description, and metric label
	path   string   // below apiRoot
	params []string // what its query may hold
	ask    func(s *Server, r *http.Request, q url.Values) (apiDoc, error)
}

// apiDoc is what one request asks for.
type apiDoc struct {
	address string // canonical, from the root, with its query
	dear    bool   // made for one client alone: it counts for its limit
	// revision tells whether it has changed; nil = make it anew, at most once a
	// second.
	revision func(context.Context) (store.Revision, error)
	answer   func(context.Context) (any, error)
}

// apiRoutes is the whole of the API: routes, the test of the description and
// the names of operations follow the table.
func apiRoutes() []apiRoute {
	return []apiRoute{
		{"index", "/{$}", nil, (*Server).apiIndex},
		{"openapi", "/openapi.json", nil, (*Server).apiOpenAPI},
		{"stories", "/stories", append(slices.Clone(selectionParams), "day", "order", "limit", "cursor"), (*Server).apiStories},
		{"story", "/stories/{id}", nil, (*Server).apiStory},
		{"explain", "/stories/{id}/explain", nil, (*Server).apiExplain},
		{"search", "/search", []string{"q", "topics", "provinces", "outlets", "scopes", "limit", "cursor"}, (*Server).apiSearch},
		{"changes", "/changes", []string{"since", "limit"}, (*Server).apiChanges},
		{"days", "/days", append(slices.Clone(selectionParams), "month"), (*Server).apiDays},
		{"topics", "/topics", nil, (*Server).apiTopics},
		{"provinces", "/provinces", nil, (*Server).apiProvinces},
		{"outlets", "/outlets", nil, (*Server).apiOutlets},
		{"channels", "/channels", nil, (*Server).apiChannels},
		{"sources", "/sources", nil, (*Server).apiSources},
	}
}

// apiHandlers registers the routes of the API.
func (s *Server) apiHandlers() error {
	var err error
	if s.description, err = describeAPI(&s.cfg); err != nil {
		return err
	}
	for _, one := range apiRoutes() {
		route := &one
		s.mux.HandleFunc("GET "+apiRoot+route.path, func(w http.ResponseWriter, r *http.Request) {
			s.countAPI(route.id, s.serveAPI(w, r, route))
		})
		s.mux.HandleFunc("OPTIONS "+apiRoot+route.path, func(w http.ResponseWriter, _ *http.Request) {
			allowScripts(w.Header())
			w.WriteHeader(http.StatusNoContent)
		})
	}
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { s.countAPI("none", s.noAPI(w, r)) })
	return nil
}

func (s *Server) countAPI(operation string, code int) {
	s.apiRequests.WithLabelValues(operation, strconv.Itoa(code)).Inc()
}

// allowScripts answers a browser that asks for leave first.
func allowScripts(h http.Header) {
	openToAll(h)
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since")
	h.Set("Access-Control-Max-Age", "86400") // a day, in seconds
}

// serveAPI answers one operation and returns the status.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, route *apiRoute) int {
	q, err := route.query(r.URL.RawQuery)
	var doc apiDoc
	if err == nil {
		doc, err = route.ask(s, r, q)
	}
	if err != nil {
		return s.refuseAPI(w, r, err)
	}
	key := docKey{path: doc.address}
	made := s.api.fresh(key)
	if made == nil && doc.dear {
		if wait := s.visitors.take(r); wait > 0 {
			return s.refuseAPI(w, r, busy{wait})
		}
	}
	if made == nil {
		if made, err = s.api.refresh(r.Context(), key, s.apiMaker(doc), takesLater(r)); err != nil {
			return s.refuseAPI(w, r, err)
		}
	}
	if made.best(readAccepted(r.Header["Accept-Encoding"])) == nil {
		return s.refuseAPI(w, r, apiProblem{status: http.StatusNotAcceptable, detail: "Accept-Encoding refuses all of identity, gzip, br and zstd"})
	}
	return made.serve(w, r)
}

// apiMaker says how a document of the API is made.
func (s *Server) apiMaker(doc apiDoc) docMaker {
	m := docMaker{format: "api", contentType: "application/json", gzip: quickGzip, link: "<" + s.cfg.address(apiRoot+"/openapi.json") + `>; rel="service-desc"`,
		final: func(err error) bool { return s.problemOf(err).status < 500 }, revision: doc.revision}
	if m.revision == nil {
		m.revision = func(context.Context) (store.Revision, error) {
			now := s.now() // new bytes are of now; the same bytes keep their date
			return store.Revision{N: now.UnixNano(), At: now}, nil
		}
	}
	m.render = func(ctx context.Context, _ store.Revision) ([]byte, error) {
		answer, err := doc.answer(ctx)
		if err != nil {
			return nil, err
		}
		return encodeAPI(answer)
	}
	return m
}

func encodeAPI(answer any) ([]byte, error) {
	if raw, ok := answer.(json.RawMessage); ok {
		return raw, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // it is served as JSON, never inside a page
	err := enc.Encode(answer)
	return b.Bytes(), err
}

// query reads a query. What the operation does not know is refused: a
// misspelled parameter that is passed over gives other stories than were meant.
func (route *apiRoute) query(raw string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, apiProblem{status: http.StatusBadRequest, detail: "the query cannot be read: " + err.Error()}
	}
	for name, values := range q {
		if !slices.Contains(route.params, name) {
			detail := "this operation has no parameters"
			if len(route.params) > 0 {
				detail = "there is no such parameter; there are " + strings.Join(route.params, ", ")
			}
			return nil, apiProblem{status: http.StatusBadRequest, field: plainText(name, 40), detail: detail}
		}
		if len(values) > 1 {
			return nil, apiProblem{status: http.StatusBadRequest, field: name, detail: "it stands there more than once; put several ids into one, with commas between them"}
		}
	}
	return q, nil
}

// apiProblem is why a request has no answer.
type apiProblem struct {
	status int
	field  string // the parameter that is wrong; may be empty
	detail string
	wait   time.Duration // until it may be asked again; 0 = say nothing
}

func (p apiProblem) Error() string { return p.detail }

// badParam says what is wrong with a parameter.
func badParam(field, format string, args ...any) error {
	return apiProblem{status: http.StatusBadRequest, field: field, detail: fmt.Sprintf(format, args...)}
}

// problemOf is what a client is told of an error.
func (s *Server) problemOf(err error) apiProblem {
	var p apiProblem
	var much busy
	var m moved
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &m):
		return apiProblem{status: m.code}
	case errors.As(err, &much):
		return apiProblem{status: http.StatusTooManyRequests, detail: "too many searches and selections of several channels from this address", wait: much.wait}
	case errors.Is(err, store.ErrNotFound):
		return apiProblem{status: http.StatusNotFound, field: "id", detail: "there is no such story"}
	case errors.Is(err, store.ErrWithdrawn):
		return apiProblem{status: http.StatusGone, field: "id", detail: "this story was taken down, or its outlet has withdrawn it"}
	case errors.Is(err, store.ErrTooBroad):
		return badParam("q", "these words are in too many stories; add another").(apiProblem)
	}
	return apiProblem{status: http.StatusServiceUnavailable, detail: "the store does not answer at the moment", wait: 30 * time.Second}
}

// refuseAPI says why there is no answer, and returns the status.
func (s *Server) refuseAPI(w http.ResponseWriter, r *http.Request, err error) int {
	openToAll(w.Header())
	w.Header().Set("Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After")
	w.Header().Set("Cache-Control", "no-store")
	var m moved
	if errors.As(err, &m) {
		http.Redirect(w, r, m.to, m.code)
		return m.code
	}
	p := s.problemOf(err)
	if p.status >= 500 && r.Context().Err() == nil {
		s.log.ErrorContext(r.Context(), "API does not answer", "path", r.URL.Path, "error", err)
	}
	if p.wait > 0 {
		w.Header().Set("Retry-After", seconds(p.wait))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	writeJSONBody(w, p.status, Problem{Title: http.StatusText(p.status), Status: p.status, Detail: p.detail, Field: p.field})
	return p.status
}

// noAPI answers below /api/ where there is no operation.
func (s *Server) noAPI(w http.ResponseWriter, r *http.Request) int {
	as := r.Clone(r.Context())
	as.Method = http.MethodGet
	if _, pattern := s.mux.Handler(as); pattern != "/api/" {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		return s.refuseAPI(w, r, apiProblem{status: http.StatusMethodNotAllowed, detail: "the public API is read only"})
	}
	as.URL.Path, as.URL.RawPath = strings.TrimSuffix(r.URL.Path, "/"), ""
	if r.URL.Path == apiRoot || r.URL.Path == "/api/" {
		as.URL.Path = apiRoot + "/"
	}
	if _, pattern := s.mux.Handler(as); as.URL.Path != r.URL.Path && pattern != "/api/" {
		return s.refuseAPI(w, r, moved{as.URL.RequestURI(), http.StatusMovedPermanently})
	}
	return s.refuseAPI(w, r, apiProblem{status: http.StatusNotFound, detail: "there is no such operation; " + s.cfg.address(apiRoot+"/openapi.json") + " describes them all"})
}
