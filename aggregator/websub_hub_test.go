package aggregator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"database/sql"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// testHub is a hub as the Recommendation wants it, with faults to order. It
// verifies while the subscriber still waits for its answer, as some hubs do.
type testHub struct {
	*httptest.Server
	mu       sync.Mutex
	requests []url.Values // accepted forms
	paths    []string
	subs     map[string]url.Values // verified, by callback

	lease   string                                                             // hub.lease_seconds of verifications
	silent  bool                                                               // accepts and never verifies
	instead func(w http.ResponseWriter, r *http.Request, form url.Values) bool // answers in the hub's place
	asks    func(q url.Values)                                                 // edits the question to the callback
}

func newTestHub(t *testing.T) *testHub {
	h := &testHub{subs: map[string]url.Values{}, lease: "86400"}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *testHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if r.Method != http.MethodPost || err != nil || form.Get("hub.callback") == "" {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	instead, silent := h.instead, h.silent
	h.paths = append(h.paths, r.URL.Path)
	h.mu.Unlock()
	if instead != nil && instead(w, r, form) {
		return
	}
	h.mu.Lock()
	h.requests = append(h.requests, form)
	h.mu.Unlock()
	if !silent {
		h.verify(form)
	}
	w.WriteHeader(http.StatusAccepted)
}

// verify asks the callback, and says with which status it answered.
func (h *testHub) verify(form url.Values) int {
	q := url.Values{"hub.mode": {form.Get("hub.mode")}, "hub.topic": {form.Get("hub.topic")}, "hub.challenge": {"thách thức"}, "hub.lease_seconds": {h.lease}}
	if h.asks != nil {
		h.asks(q)
	}
	resp, err := http.Get(form.Get("hub.callback") + "?" + q.Encode())
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if ok := resp.StatusCode/100 == 2 && string(body) == "thách thức"; ok && q.Get("hub.mode") == "subscribe" {
		h.subs[form.Get("hub.callback")] = form
	} else if ok {
		delete(h.subs, form.Get("hub.callback"))
	}
	return resp.StatusCode
}

func (h *testHub) order(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *testHub) asked() []url.Values {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]url.Values(nil), h.requests...)
}

// verified is the only verified subscription.
func (h *testHub) verified(t *testing.T) url.Values {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs) != 1 {
		t.Fatalf("%d verified subscriptions, want 1", len(h.subs))
	}
	for _, form := range h.subs {
		return form
	}
	return nil
}

var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

func signed(method, secret, body string) string {
	mac := hmac.New(hashes[method], []byte(secret))
	mac.Write([]byte(body))
	return method + "=" + hex.EncodeToString(mac.Sum(nil))
}

// post delivers a body; header lines are "Name: value".
func post(t *testing.T, callback, body string, header ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, callback, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// pushWorld is an outlet with a hub, and a subscriber whose clock and steps a
// test controls.
type pushWorld struct {
	*newsroom
	hub    *testHub
	open   func() *store.DB
	db     *store.DB
	a      *Aggregator
	public *httptest.Server             // where hubs reach us
	inner  atomic.Pointer[http.Handler] // what answers there
	clock  atomic.Int64
	cfg    Config
}

func (w *pushWorld) now() time.Time { return time.UnixMilli(w.clock.Load()) }

func (w *pushWorld) pass(d time.Duration) { w.clock.Add(d.Milliseconds()) }

// pushed runs a test on both engines. The outlet's feed is at /rss and names
// the hub.
func pushed(t *testing.T, test func(t *testing.T, w *pushWorld)) {
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "t.db") },
		"postgres": postgresSchema,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := dsn(t)
			w := &pushWorld{newsroom: newNewsroom(t), hub: newTestHub(t)}
			w.clock.Store(time.Now().UnixMilli())
			w.open = func() *store.DB {
				db, err := store.Open(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return db
			}
			w.public = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*w.inner.Load()).ServeHTTP(rw, r) }))
			t.Cleanup(w.public.Close)
			w.cfg = Config{Limits: Limits{AllowPrivate: true, Timeout: Duration(2 * time.Second), MaxBytes: 1 << 20, HostPause: new(Duration), Hold: new(Duration)},
				Topics: testTopics(), Agent: "diemtin/test (+a@example.vn)", BaseURL: w.public.URL,
				Outlets: []OutletConfig{{ID: "thu", Name: "Báo Thử", Domains: []string{"bao.example"}, Scope: store.National,
					Sources: []SourceConfig{{ID: "rss", URL: w.URL + "/rss", Every: Every{Min: Duration(time.Minute), Max: Duration(time.Hour)}}}}}}
			w.set("/rss", hubFeed(w.hub.URL, "Tin đầu"))
			w.start(t)
			test(t, w)
		})
	}
}

// postgresSchema gives a test a schema of its own in the shared test database.
func postgresSchema(t *testing.T) string {
	base := os.Getenv("DIEMTIN_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("DIEMTIN_TEST_POSTGRES is not set; the test command starts a server and sets it")
		}
		t.Skip("no PostgreSQL: DIEMTIN_TEST_POSTGRES is not set")
	}
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("p%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Exec("DROP SCHEMA " + name + " CASCADE")
		db.Close()
	})
	return base + "&search_path=" + name
}

// hubFeed is feedOf with a hub and its own address, which is not the one it is
// fetched from.
func hubFeed(hub string, titles ...string) string {
	return strings.Replace(feedOf(titles...), "<title>T</title>", fmt.Sprintf(`<title>T</title><atom:link rel="hub" href="%s/hub"/>`+
		`<atom:link rel="self" href="http://bao.example/rss"/>`, hub), 1)
}

const pushTopic = "http://bao.example/rss"

// start opens the store and begins anew, as a process does.
func (w *pushWorld) start(t *testing.T) {
	t.Helper()
	if w.db == nil {
		w.db = w.open()
	}
	if err := w.db.Sync(t.Context(), w.cfg.StoreOutlets(), w.cfg.StoreSources()); err != nil {
		t.Fatal(err)
	}
	w.a = w.process(t, w.db)
	callback := w.a.Callback()
	w.inner.Store(&callback)
}

// process is an aggregator on the world's clock, whose subscriber takes a turn
// when told to.
func (w *pushWorld) process(t *testing.T, db *store.DB) *Aggregator {
	t.Helper()
	a, err := New(w.cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	a.now = w.now
	a.opening = newSweep(nil, 0, w.now())
	a.push.running.Store(true)
	return a
}

// restart closes the store as a killed process would leave it, and starts.
func (w *pushWorld) restart(t *testing.T) {
	t.Helper()
	w.db.Close()
	w.db = nil
	w.start(t)
}

func (w *pushWorld) visit(t *testing.T) Report {
	t.Helper()
	src, err := w.db.Source(t.Context(), "rss")
	if err != nil {
		t.Fatal(err)
	}
	r, ok := w.a.visit(t.Context(), w.a.set(), src)
	if !ok || !r.Outcome.OK() {
		t.Fatalf("visit: %v %s %s", ok, r.Outcome, r.Detail)
	}
	return r
}

func (w *pushWorld) turn(t *testing.T) {
	t.Helper()
	if err := w.a.push.turn(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// subscribed visits the source and takes a turn, after which the hub has
// verified.
func (w *pushWorld) subscribed(t *testing.T) url.Values {
	t.Helper()
	w.visit(t)
	w.turn(t)
	form := w.hub.verified(t)
	w.turn(t)
	return form
}

// deliver posts a document as the hub does, and reads it at once.
func (w *pushWorld) deliver(t *testing.T, form url.Values, body string) {
	t.Helper()
	if code := post(t, form.Get("hub.callback"), body, "Content-Type: application/rss+xml", "X-Hub-Signature: "+signed("sha256", form.Get("hub.secret"), body)); code != http.StatusAccepted {
		t.Fatalf("delivery answered with %d, want 202", code)
	}
	w.read()
}

// read works off what waits.
func (w *pushWorld) read() {
	for {
		select {
		case d := <-w.a.push.inbox.queue:
			w.a.push.take(d)
			w.a.push.inbox.free(d.size)
		default:
			return
		}
	}
}

func (w *pushWorld) titles(t *testing.T) []string {
	t.Helper()
	all, err := w.db.Stories(context.Background(), store.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, s := range all {
		titles = append(titles, s.Quoted.Title)
	}
	return titles
}

// only is the one subscription that is stored.
func (w *pushWorld) only(t *testing.T) store.Push {
	t.Helper()
	all, err := w.db.Pushes(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d subscriptions stored, %v; want 1", len(all), err)
	}
	return all[0]
}
