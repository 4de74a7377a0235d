package syndicate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"diemtin/store"
)

// Editors is the section of feeds.yaml on who may enter the editors' room.
type Editors struct {
	Proxies []string `yaml:"proxies"` // addresses and networks of proxies of ours in front of it
	Header  string   `yaml:"header"`  // in which these say who has signed in with them; "" = they do not
}

// check reports what is wrong with the section.
func (e Editors) check(report func(path, problem string)) {
	for i, p := range e.Proxies {
		if _, err := readNetwork(p); err != nil {
			report(fmt.Sprintf("proxies[%d]", i), fmt.Sprintf("proxy %q: want an address or a network such as 10.0.0.0/8", p))
		}
	}
	switch {
	case e.Header == "":
	case !headerForm.MatchString(e.Header):
		report("header", fmt.Sprintf("header %q: want the name of a header such as X-Remote-User", e.Header))
	case len(e.Proxies) == 0:
		report("header", "a header says who is there only if proxies says whose word that is: whoever reaches the port could write it")
	}
}

// RoomStore is what the editors' room reads.
type RoomStore interface {
	Stories(ctx context.Context, q store.Query) ([]store.Story, error)
	Story(ctx context.Context, id string) (store.Story, error)
	Copies(ctx context.Context, id string) ([]store.Copy, error)
	FreshMerges(ctx context.Context, newest bool, limit int) ([]store.FreshMerge, error)
	Topicless(ctx context.Context, stories []string) (map[string]bool, error)
	Headlines(ctx context.Context, stories []string) (map[string]string, error)
	// HiddenBy is the story that one is part of now, and the ruling that hides
	// it; 0 = none does.
	HiddenBy(ctx context.Context, story string) (now string, ruling int64, err error)
	Proposals(ctx context.Context) ([]store.Proposal, error)
}

// RoomSessions keeps who has signed in, for every process on the database.
type RoomSessions interface {
	Session(ctx context.Context, id string) (store.Session, error)
	BeginSession(ctx context.Context, s store.Session, most int) error
	UseSession(ctx context.Context, id string, now time.Time) error
	EndSession(ctx context.Context, id string) error
}

// RoomDesk is what the room orders, each in the name of who.
type RoomDesk interface {
	Carry(ctx context.Context, who string, o Order) (store.Ruling, error)
	Rulings(ctx context.Context, q store.RulingQuery) ([]store.Ruling, error)
	// GiveReason says afterwards why who made a ruling.
	GiveReason(ctx context.Context, ruling int64, who, why string) error
	// Try finds what a rule would change of what is stored, within bounds of
	// time and number. store.ErrRefused says what is wrong with the rule.
	Try(ctx context.Context, p store.Proposal) (Trial, error)
	Propose(ctx context.Context, who string, p store.Proposal) (store.Ruling, error)
	// InForce says whether the rules in force have a proposed one.
	InForce(p store.Proposal) bool
	// Find is the story that an editor's words name: an id or an address.
	// store.ErrNotFound says that they name none.
	Find(ctx context.Context, words string) (string, error)
}

// RoomExplainer puts into words why stories are one or two.
type RoomExplainer interface {
	Explainer
	// NearMisses are pairs of stories that could be one and were not ruled
	// apart, the likeliest first.
	NearMisses(ctx context.Context) ([]NearMiss, error)
	// Joined compares a merged item with the copy that began its story.
	Joined(ctx context.Context, m store.FreshMerge) (first store.Copy, p Pair, err error)
}

// Pair is what is said of two items.
type Pair struct {
	Reason   Said
	Evidence string
	Compared Compared
}

// NearMiss is two stories that could be one.
type NearMiss struct {
	Story, Other store.Story
	Score        float64 // 0 … 1
	Pair
}

// RoomConfig is what the editors' room is made of.
type RoomConfig struct {
	Pages     *Server // the public ones, in whose words stories are shown; NearTopics must be set
	Editors   Editors
	Tokens    string // file of who may enter, as NewAdmin's; "" = nobody by a token
	Sessions  RoomSessions
	Key       []byte // of the marks against forged forms; the same in every process
	Explain   RoomExplainer
	TriedSpan time.Duration // how far Try looks back
}

// Room answers the editors' listener.
type Room struct {
	pages     atomic.Pointer[Server]
	editors   Editors
	tokens    string
	explain   RoomExplainer
	triedSpan time.Duration
	store     RoomStore
	sessions  RoomSessions
	desk      RoomDesk
	log       *slog.Logger
	now       func() time.Time
	views     map[string]*template.Template
	style     string // address of the stylesheet
	key       []byte // of the marks against forged forms
	doors     *visitors
	gate      http.Handler
	headers   []field

	trying chan struct{} // holds one: a trial costs a core for seconds
	tried  *trials
}

// roomPage shows one page of the room.
type roomPage func(ctx context.Context, r *http.Request, in visitor) (roomView, error)

// roomView is what one address of the room shows, before any layout.
type roomView struct {
	View   string // name of its template in web/room/, without ".html"
	Title  string
	Nav    string // path of the entry of the menu it belongs to
	Status int    // 0 = 200
	Body   any
}

// NewRoom builds the editors' room.
func NewRoom(cfg RoomConfig, st RoomStore, desk RoomDesk, log *slog.Logger) (*Room, error) {
	m := &Room{editors: cfg.Editors, tokens: cfg.Tokens, explain: cfg.Explain, triedSpan: cfg.TriedSpan, store: st, desk: desk, log: log, now: time.Now,
		key: cfg.Key, sessions: cfg.Sessions, trying: make(chan struct{}, 1), tried: newTrials()}
	m.pages.Store(cfg.Pages)
	m.doors = newVisitors(Visitors{PerMinute: signInsPerMinute, Proxies: cfg.Editors.Proxies}, func() time.Time { return m.now() })
	if err := m.parseViews(); err != nil {
		return nil, fmt.Errorf("parse the templates of the editors' room: %w", err)
	}
	m.headers = fields(roomHeaders())
	mux, err := m.routes()
	if err != nil {
		return nil, err
	}
	m.gate = mux
	return m, nil
}

// Adopt goes over to the public pages of another configuration. Who has signed
// in stays so.
func (m *Room) Adopt(pages *Server) { m.pages.Store(pages) }

// site is the public pages in force.
func (m *Room) site() *Server { return m.pages.Load() }

// roomHeaders go with every answer. There is no script in the room, so none may
// run. Referrer-Policy: with no-referrer browsers would call the origin of a
// form "null".
func roomHeaders() http.Header {
	return http.Header{
		"Content-Security-Policy":      {"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
		"X-Frame-Options":              {"DENY"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"same-origin"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"X-Robots-Tag":                 {"noindex, nofollow"},
		"Cache-Control":                {"no-store"},
	}
}

// ServeHTTP answers one request of an editor.
func (m *Room) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setAll(w.Header(), m.headers)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	m.gate.ServeHTTP(w, r)
}

func (m *Room) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	for _, p := range []struct {
		path string
		show roomPage
	}{
		{"/{$}", m.homePage}, {"/gan-giong", m.nearPage}, {"/moi-gop", m.mergesPage}, {"/chua-phan-loai", m.topiclessPage},
		{"/tin/{id}", m.storyPage}, {"/tim", m.findPage}, {"/so", m.ledgerPage}, {"/quy-tac", m.rulesPage}, {"/huong-dan", m.helpPage},
	} {
		mux.HandleFunc("GET "+p.path, m.signedIn(m.show(p.show)))
	}
	mux.HandleFunc("POST /lenh", m.signedIn(m.ordering(m.order)))
	mux.HandleFunc("POST /hoan-tac", m.signedIn(m.ordering(m.undo)))
	mux.HandleFunc("POST /ly-do", m.signedIn(m.ordering(m.reason)))
	mux.HandleFunc("POST /quy-tac", m.signedIn(m.ordering(m.propose)))
	mux.HandleFunc("POST /ra", m.signedIn(m.ordering(m.signOut)))
	mux.HandleFunc("GET /dang-nhap", m.signInPage)
	mux.HandleFunc("POST /dang-nhap", m.signIn)
	style, err := m.file("web/room/room.css", "text/css; charset=utf-8")
	if err != nil {
		return nil, err
	}
	m.style = "/room.css?v=" + style.hash[:12]
	icon, err := m.file("web/favicon.svg", "image/svg+xml")
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /room.css", func(w http.ResponseWriter, r *http.Request) { style.serve(w, r) })
	mux.HandleFunc("GET /favicon.svg", func(w http.ResponseWriter, r *http.Request) { icon.serve(w, r) })
	mux.HandleFunc("/", m.signedIn(func(w http.ResponseWriter, r *http.Request, in visitor) {
		m.fail(w, r, in, fmt.Errorf("page %s: %w", r.URL.Path, store.ErrNotFound))
	}))
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(m.forged))
	return guard.Handler(mux), nil
}

// file prepares an embedded file to be sent. A day is how long a browser may
// keep it; the stylesheet's address changes with it.
func (m *Room) file(name, media string) (*rendition, error) {
	data, err := web.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return asset(data, media, "private, max-age=86400")
}

// parseViews reads the templates of the room. They are in Vietnamese: whoever
// rules on Vietnamese news reads it.
func (m *Room) parseViews() error {
	base := template.New("").Funcs(template.FuncMap{
		"iso":     func(t time.Time) string { return t.In(store.Zone).Format(time.RFC3339) },
		"clock":   clock,
		"row":     newFormRow,
		"noted":   func(evidence string) string { return m.site().cfg.noted(evidence).VI },
		"between": func(c Compared, here, there string) comparedAs { return comparedAs{c, here, there} },
	})
	base, err := base.ParseFS(web, "web/room/parts/*.html")
	if err != nil {
		return err
	}
	files, err := fs.Glob(web, "web/room/*.html")
	if err != nil {
		return err
	}
	m.views = map[string]*template.Template{}
	for _, f := range files {
		view, err := base.Clone()
		if err != nil {
			return err
		}
		if view, err = view.ParseFS(web, f); err != nil {
			return err
		}
		m.views[strings.TrimSuffix(path.Base(f), ".html")] = view
	}
	return nil
}

// roomFrame is what the layout around every page of the room reads.
type roomFrame struct {
	roomView
	Site   string // its title
	Public string // address of the public pages
	Style  string
	Menu   []link
	Who    string     // "" = nobody has signed in
	Leaves bool       // there is a session to end
	Form   string     // the mark against forged forms
	Back   string     // this page, to come back to after an order
	Done   *ledgerRow // what was just ordered
}

// show writes a page.
func (m *Room) show(p roomPage) func(http.ResponseWriter, *http.Request, visitor) {
	return func(w http.ResponseWriter, r *http.Request, in visitor) {
		v, err := p(r.Context(), r, in)
		var to moved
		switch {
		case errors.As(err, &to):
			http.Redirect(w, r, to.to, to.code)
		case err != nil:
			m.fail(w, r, in, err)
		default:
			m.write(w, r, in, v)
		}
	}
}

// write puts a page into the layout.
func (m *Room) write(w http.ResponseWriter, r *http.Request, in visitor, v roomView) {
	f := roomFrame{roomView: v, Site: m.site().cfg.Site.Title, Public: m.site().cfg.Site.BaseURL + "/", Style: m.style, Who: in.who,
		Leaves: in.session != "", Form: in.form, Back: backTo(r), Menu: []link{{Text: "Việc cần xem", Href: "/"}, {Text: "Sổ quyết định", Href: "/so"},
			{Text: "Quy tắc chuyên mục", Href: "/quy-tac"}, {Text: "Hướng dẫn", Href: "/huong-dan"}}}
	for i := range f.Menu {
		f.Menu[i].Here = f.Menu[i].Href == v.Nav
	}
	if in.who != "" {
		f.Done = m.justDone(r, in)
	}
	var b bytes.Buffer
	if err := m.views[v.View].ExecuteTemplate(&b, "frame", f); err != nil {
		m.log.ErrorContext(r.Context(), "page of the editors' room not rendered", "view", v.View, "error", err)
		http.Error(w, "Trang này bị lỗi; nhật ký của máy chủ ghi rõ vì sao.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(max(v.Status, http.StatusOK))
	w.Write(b.Bytes())
}

// backTo is this page, without what it says of the last order.
func backTo(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return localPath(r.PostFormValue("back"))
	}
	u := *r.URL
	q := u.Query()
	q.Del(doneKey)
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// localPath is a path of the room, or its first page: where a form or a link
// wants to lead elsewhere.
func localPath(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	return s
}

// formRow is a row with forms in it, and what every form carries.
type formRow struct {
	Row        any
	Form, Back string
}

// comparedAs is what two items have in common and not, and what each is called.
type comparedAs struct {
	Compared
	Here, There string
}

// newFormRow gives a row what the frame, or a row around it, has.
func newFormRow(from, row any) (formRow, error) {
	switch f := from.(type) {
	case roomFrame:
		return formRow{row, f.Form, f.Back}, nil
	case formRow:
		return formRow{row, f.Form, f.Back}, nil
	}
	return formRow{}, fmt.Errorf("%T has no form", from)
}
