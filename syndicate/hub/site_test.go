package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// dsns runs a test on a fresh database of each engine.
func dsns(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "hub.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		base := os.Getenv("DIEMTIN_TEST_POSTGRES")
		if base == "" {
			if os.Getenv("CI") != "" {
				t.Fatal("DIEMTIN_TEST_POSTGRES is not set; the test command starts a server and sets it")
			}
			t.Skip("no PostgreSQL: DIEMTIN_TEST_POSTGRES is not set")
		}
		test(t, schema(t, base))
	})
}

// schema gives a test a schema of its own.
func schema(t *testing.T, base string) string {
	t.Helper()
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("h%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Exec("DROP SCHEMA " + name + " CASCADE")
		db.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// firstJudge makes every item a story of its own.
type firstJudge struct{}

func (firstJudge) Adapt(*store.Item, store.Corpus)                                   {}
func (firstJudge) Related(*store.Item, []*store.Item, store.Corpus) []store.Relation { return nil }
func (firstJudge) Reused(string, string, *store.Item) bool                           { return false }
func (firstJudge) Match(*store.Item, []*store.Item) (int, store.Merge)               { return -1, store.Merge{} }
func (firstJudge) Original([]store.Item, map[string]store.Outlet) (int, string) {
	return 0, "first"
}

// listing is a small set of topics: the headlines, by address and media type.
type listing struct {
	db    *store.DB
	base  string
	calls int
	mu    sync.Mutex
	fail  error
	lag   bool // the next answer is from before the last change
}

var media = map[string]string{"/feed.atom": "application/atom+xml; charset=utf-8", "/feed.rss": "application/rss+xml; charset=utf-8",
	"/feed.json": "application/feed+json", "/tin.txt": "text/plain; charset=utf-8", "/feed.other": "application/atom+xml"}

func (l *listing) Pushed(address string) ([]string, bool) {
	at, ours := strings.CutPrefix(address, l.base)
	switch _, known := media[at]; {
	case !ours || !known:
		return nil, false
	case at == "/feed.other":
		return []string{"outlet:khac"}, true
	}
	return []string{"all"}, true
}

func (l *listing) Document(ctx context.Context, address string) (Document, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.fail != nil {
		return Document{}, l.fail
	}
	sel := store.Selection{}
	if strings.HasSuffix(address, "/feed.other") {
		sel.Outlets = []string{"khac"}
	}
	rev, err := l.db.Revision(ctx, sel)
	if err != nil {
		return Document{}, err
	}
	stories, err := l.db.Stories(ctx, store.Query{Selection: sel, Limit: 50})
	if err != nil {
		return Document{}, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "tin của %s\n", address)
	for _, s := range stories {
		fmt.Fprintln(&b, s.Quoted.Title)
	}
	at := strings.TrimPrefix(address, l.base)
	if l.lag {
		l.lag = false
		rev.N--
	}
	return Document{ContentType: media[at], Body: []byte(b.String()), Hash: signature("", []byte(b.String())), Revision: rev.N}, nil
}

// site is a hub at work on a database, at an address of its own, by a clock
// that stands until it is moved.
type site struct {
	*Hub
	t      *testing.T
	db     *store.DB
	topics *listing
	base   string
	reg    *prometheus.Registry
	mu     sync.Mutex
	clock  time.Time
	serial int
}

var start = time.Date(2024, 11, 5, 14, 15, 0, 0, store.Zone)

func newSite(t *testing.T, dsn string, change ...func(*Config, *Deps)) *site {
	t.Helper()
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	outlets := []store.Outlet{{ID: "bao", Name: "Báo", Scope: store.National, Show: store.ShowSummary}, {ID: "khac", Name: "Báo khác", Scope: store.National, Show: store.ShowSummary}}
	sources := []store.Source{{ID: "bao-home", Outlet: "bao", Kind: "feed", URL: "http://bao.example/rss"}, {ID: "khac-home", Outlet: "khac", Kind: "feed", URL: "http://khac.example/rss"}}
	if err := db.Sync(t.Context(), outlets, sources); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, db: db, clock: start, reg: prometheus.NewRegistry()}
	server := httptest.NewUnstartedServer(nil)
	s.base = "http://" + server.Listener.Addr().String()
	s.topics = &listing{db: db, base: s.base}
	no := false
	cfg := Config{Canary: &no}
	deps := Deps{Store: db, Topics: s.topics, Client: &http.Client{Transport: &http.Transport{}}, BaseURL: s.base, Agent: "diemtin/thu",
		ClientOf: func(r *http.Request) string { return r.RemoteAddr[:strings.LastIndexByte(r.RemoteAddr, ':')] },
		By:       fmt.Sprintf("p%p", s), Log: slog.New(slog.DiscardHandler), Metrics: s.reg}
	for _, f := range change {
		f(&cfg, &deps)
	}
	if s.Hub, err = New(cfg, deps); err != nil {
		t.Fatal(err)
	}
	s.Hub.now = s.time
	server.Config.Handler = s.Hub
	server.Start()
	t.Cleanup(server.Close)
	return s
}

func (s *site) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *site) forward(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// publish stores a story with that headline, as a visit does that finds it.
func (s *site) publish(titles ...string) {
	s.t.Helper()
	src, err := s.db.Source(s.t.Context(), "bao-home")
	if err != nil {
		s.t.Fatal(err)
	}
	var items []store.Item
	for _, title := range titles {
		s.serial++
		link := fmt.Sprintf("http://bao.example/%p/%d", s, s.serial)
		items = append(items, store.Item{Title: title, Link: link, Published: s.time(), Aliases: []string{"link:" + link},
			Topics: []store.ItemTopic{{Topic: "kinh-te", Score: 1, Primary: true}}, Fingerprint: uint64(s.serial)})
	}
	at := s.time()
	if _, err := s.db.Record(s.t.Context(), store.Refresh{Source: src, At: at, Items: items, Settle: func(store.Changes) store.SourceState {
		st := src.State
		st.Visited, st.LastTry, st.NextAt = true, at, at.Add(time.Hour)
		return st
	}}, firstJudge{}); err != nil {
		s.t.Fatal(err)
	}
}

// settle lets the hub do all that is due at the clock's time.
func (s *site) settle() {
	s.t.Helper()
	for range 1000 {
		n, err := s.turn(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		s.work.Wait()
		if n == 0 {
			return
		}
	}
	s.t.Fatal("the hub finds no end")
}

// post sends a form to the hub and returns the status and what it says.
func (s *site) post(form url.Values) (int, string) {
	s.t.Helper()
	resp, err := http.PostForm(s.base+path, form)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// ask posts a request for a callback and lets the hub do what is due.
func (s *site) ask(mode, topic, callback string, more ...string) {
	s.t.Helper()
	form := url.Values{"hub.mode": {mode}, "hub.topic": {s.base + topic}, "hub.callback": {callback}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	if code, text := s.post(form); code != http.StatusAccepted {
		s.t.Fatalf("%s %s: %d %s", mode, topic, code, text)
	}
	s.settle()
}

func (s *site) subscriptions() []store.HubSubscription {
	s.t.Helper()
	all, err := s.db.HubSubscriptions(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *site) only() store.HubSubscription {
	s.t.Helper()
	all := s.subscriptions()
	if len(all) != 1 {
		s.t.Fatalf("%d subscriptions, want one", len(all))
	}
	return all[0]
}

// reader is a subscriber that notes what it gets.
type reader struct {
	url    string
	mu     sync.Mutex
	asked  []url.Values
	got    []received
	answer func(http.ResponseWriter, *http.Request) bool // instead of the usual; false = as usual
}

type received struct {
	header http.Header
	body   string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL + "/callback"
	return r
}

func (r *reader) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	instead := r.answer
	if req.Method == http.MethodGet {
		r.asked = append(r.asked, req.URL.Query())
	} else if err == nil {
		r.got = append(r.got, received{req.Header.Clone(), string(body)})
	}
	r.mu.Unlock()
	if instead != nil && instead(w, req) {
		return
	}
	if req.Method == http.MethodGet {
		io.WriteString(w, req.URL.Query().Get("hub.challenge"))
	}
}

// from now on answers deliveries and questions in another way; nil = as usual.
func (r *reader) from(answer func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *reader) questions() []url.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]url.Values(nil), r.asked...)
}

func (r *reader) deliveries() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// always answers deliveries with one status.
func always(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(code)
		}
		return r.Method == http.MethodPost
	}
}

var errFault = errors.New("store away")
