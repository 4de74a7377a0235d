package aggregator

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"diemtin/store"
)

func TestRobots(t *testing.T) {
	t.Parallel()
	page := &PageConfig{Item: "li"}
	for _, tt := range []struct {
		name, robots string
		status       int
		feed, page   store.Outcome
	}{
		{"none", "", 404, store.New, store.New},
		{"everybody kept out", "User-agent: *\nDisallow: /", 200, store.New, store.Disallowed},
		{"we are kept out", "User-agent: diemtin\nDisallow: /\n\nUser-agent: *\nAllow: /", 200, store.Disallowed, store.Disallowed},
		{"we alone are let in", "User-agent: *\nDisallow: /\n\nUser-agent: diemtin\nDisallow: /private", 200, store.New, store.New},
		{"another robot is kept out", "User-agent: other\nDisallow: /", 200, store.New, store.New},
		{"broken", "", 503, store.New, store.Disallowed},
	} {
		n := newNewsroom(t)
		n.set("/rss", feedOf("Tin"))
		n.set("/page", `<ul><li><a href="/a">Tin trên trang</a></li></ul>`)
		robots := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.robots)
				return
			}
			n.ServeHTTP(w, r)
		}))
		t.Cleanup(robots.Close)
		a, _, _ := start(t, robots.URL, SourceConfig{ID: "rss", URL: "/rss"}, SourceConfig{ID: "page", URL: "/page", Kind: "page", Page: page})
		got := runRound(t, a)
		if got["rss"].Outcome != tt.feed || got["page"].Outcome != tt.page {
			t.Errorf("%s: feed %s %s, page %s %s; want %s, %s", tt.name, got["rss"].Outcome, got["rss"].Detail, got["page"].Outcome, got["page"].Detail, tt.feed, tt.page)
		}
	}
}

// A permanent redirect is believed after three equal sightings, and no longer
// when the new address fails.
func TestMoved(t *testing.T) {
	t.Parallel()
	var asked, status atomic.Int64
	status.Store(http.StatusMovedPermanently)
	var broken atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/old":
			asked.Add(1)
			http.Redirect(w, r, "/new", int(status.Load()))
		case "/new":
			if broken.Load() {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, feedOf("Tin"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	a, _, _ := start(t, srv.URL, SourceConfig{ID: "rss", URL: "/old"})
	for visit := 1; visit <= 5; visit++ {
		r := runRound(t, a)["rss"]
		if want := min(visit, movedAfter); r.State.MovedSeen != want || r.State.MovedTo != srv.URL+"/new" {
			t.Errorf("visit %d: moved to %q, seen %d, want %d", visit, r.State.MovedTo, r.State.MovedSeen, want)
		}
	}
	if n := asked.Load(); n != movedAfter {
		t.Errorf("the old address was asked %d times, want %d", n, movedAfter)
	}
	broken.Store(true)
	if r := runRound(t, a)["rss"]; r.Outcome != store.HTTP4xx || r.State.MovedSeen != 0 {
		t.Errorf("after the new address failed: %s, seen %d", r.Outcome, r.State.MovedSeen)
	}
	broken.Store(false)
	status.Store(http.StatusFound)
	if r := runRound(t, a)["rss"]; !r.Outcome.OK() || r.State.MovedTo != "" {
		t.Errorf("a temporary redirect is remembered: %s %+v", r.Outcome, r.State)
	}
}

func TestFullFetchAfterHours(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.set("/rss", feedOf("Tin"))
	a, _, _ := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"})
	now := time.Now()
	a.now = func() time.Time { return now }
	for i, want := range []store.Outcome{store.New, store.NotModified, store.Unchanged, store.NotModified} {
		if i == 2 {
			now = now.Add(fullEvery + time.Minute)
		}
		if got := runRound(t, a)["rss"].Outcome; got != want {
			t.Errorf("visit %d: %s, want %s", i, got, want)
		}
	}
}

func TestAccess(t *testing.T) {
	t.Setenv("DIEMTIN_TEST_PASSWORD", "bí mật")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		cookie, err := r.Cookie("seen")
		switch {
		case r.URL.Path == "/closed" && (user != "tin" || password != "bí mật"):
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/cookie" && (err != nil || cookie.Value != "1"): // as Báo Quân đội nhân dân does
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
			http.Redirect(w, r, "/cookie", http.StatusFound)
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		default:
			fmt.Fprint(w, feedOf("Tin "+r.URL.Path[1:]))
		}
	}))
	t.Cleanup(srv.Close)
	a, _, _ := start(t, srv.URL,
		SourceConfig{ID: "with", URL: "/closed", User: "tin", PasswordEnv: "DIEMTIN_TEST_PASSWORD"}, SourceConfig{ID: "without", URL: "/closed"},
		SourceConfig{ID: "jar", URL: "/cookie", Cookies: true}, SourceConfig{ID: "no-jar", URL: "/cookie"})
	got := runRound(t, a)
	for id, want := range map[string]store.Outcome{"with": store.New, "without": store.HTTP4xx, "jar": store.New, "no-jar": store.Refused} {
		if got[id].Outcome != want {
			t.Errorf("%s: %s %s, want %s", id, got[id].Outcome, got[id].Detail, want)
		}
	}
}

// A proxy connects where we cannot look, so the target is judged before it is
// asked; what the configuration admits goes through.
func TestProxyIsGuarded(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !r.URL.IsAbs() {
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		fmt.Fprint(w, "through the proxy")
	}))
	t.Cleanup(proxy.Close)
	f := newFetcher("diemtin/test", Limits{}.withDefaults())
	t.Cleanup(f.close)
	guarded := f.access(SourceConfig{Proxy: proxy.URL})
	var fault *Fault
	for _, target := range []string{"http://127.0.0.1:9/", "http://localhost/", "http://[::1]/"} {
		if _, err := f.get(t.Context(), guarded, target, "", "", testNow); !errors.As(err, &fault) || fault.Outcome != store.Refused {
			t.Errorf("%s: %v, want refused", target, err)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times for private addresses", n)
	}
	doc, err := f.get(t.Context(), f.access(SourceConfig{Proxy: proxy.URL, AllowPrivate: true}), "http://127.0.0.1:9/x", "", "", testNow)
	if err != nil || !strings.Contains(string(doc.Body), "through the proxy") {
		t.Errorf("admitted target: %v", err)
	}
}

// A password belongs to its site: what a document names elsewhere is asked for
// without it.
func TestPasswordStaysOnItsSite(t *testing.T) {
	t.Setenv("DIEMTIN_TEST_PASSWORD", "bí mật")
	var leaked atomic.Bool
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, sent := r.BasicAuth(); sent {
			leaked.Store(true)
		}
		fmt.Fprint(w, `<ul><li><a href="/x">Tin ở nơi khác</a></li></ul>`)
	}))
	t.Cleanup(foreign.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, sent := r.BasicAuth(); !sent {
			t.Errorf("%s was asked for without the password", r.URL.Path)
		}
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `<ul><li><a href="%s/a">Tin có liên kết lạ</a></li></ul><a class=next href="%s/page2">»</a>`, foreign.URL, foreign.URL)
	}))
	t.Cleanup(srv.Close)
	a, _, _ := start(t, srv.URL, SourceConfig{ID: "page", URL: "/page", Kind: "page", User: "tin", PasswordEnv: "DIEMTIN_TEST_PASSWORD",
		Page: &PageConfig{Item: "li", Next: "a.next", Pages: 3}})
	r := runRound(t, a)["page"]
	if r.Outcome != store.New || len(r.Items) != 1 {
		t.Errorf("%s %s with %d items", r.Outcome, r.Detail, len(r.Items))
	}
	c := a.set().sources["page"]
	if v, why := a.askPage(t.Context(), c, foreign.URL+"/a"); v != store.Alive {
		t.Errorf("the foreign page: verdict %d %s", v, why)
	}
	if leaked.Load() {
		t.Error("the password went to another site")
	}
}
