package aggregator

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"diemtin/store"
)

// The scenarios of the W3C's suite for subscribers, by their numbers and names
// there: what is found, asked, confirmed and taken in, over real HTTP. Where a
// topic is a page it is read as one.
func TestW3CSubscriberSuite(t *testing.T) {
	t.Parallel()
	rss := func(links string) string {
		return strings.Replace(feedOf("Tin đầu"), "<title>T</title>", "<title>T</title>"+links, 1)
	}
	for _, tc := range []struct {
		name   string
		header string // Link of the topic
		body   string // HUB stands for the hub
		move   int    // the topic's address redirects with this status
		hub    int    // so does the hub
		page   bool
		topic  string // what is subscribed to; "" = the address at which it was found
	}{
		{name: "100 HTTP header discovery", header: `<HUB/hub>; rel="hub", <http://bao.example/x>; rel="self"`, body: rss(""), topic: "http://bao.example/x"},
		{name: "101 HTML tag discovery", page: true, topic: "http://bao.example/trang",
			body: `<html><head><link rel="hub" href="HUB/hub"><link rel="self" href="http://bao.example/trang"></head><body><article><h2><a href="http://bao.example/a.html">Tin đầu</a></h2></article></body></html>`},
		{name: "102 Atom feed discovery", topic: "http://bao.example/atom",
			body: `<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:t</id><link rel="hub" href="HUB/hub"/><link rel="self" href="http://bao.example/atom"/>` +
				`<entry><title>Tin đầu</title><id>urn:a</id><link href="http://bao.example/a.html"/></entry></feed>`},
		{name: "103 RSS feed discovery", topic: "http://bao.example/rss", body: rss(`<atom:link rel="hub" href="HUB/hub"/><atom:link rel="self" href="http://bao.example/rss"/>`)},
		{name: "104 Discovery priority", header: `<HUB/hub>; rel="hub", <http://bao.example/first>; rel="self"`, topic: "http://bao.example/first",
			body: rss(`<atom:link rel="hub" href="http://127.0.0.1:1/wrong"/><atom:link rel="self" href="http://bao.example/wrong"/>`)},
		{name: "200 Subscribing to a URL that reports a different rel=self", header: `<HUB/hub>; rel="hub", </khac>; rel="self"`, body: rss(""), topic: "BASE/khac"},
		{name: "201 Subscribing to a topic URL that sends an HTTP 302 temporary redirect", move: 302, header: `<HUB/hub>; rel="hub"`, body: rss("")},
		{name: "202 Subscribing to a topic URL that sends an HTTP 301 permanent redirect", move: 301, header: `<HUB/hub>; rel="hub"`, body: rss("")},
		{name: "203 Subscribing to a hub that sends a 307 temporary redirect", hub: 307, header: `<HUB/hub>; rel="hub"`, body: rss("")},
		{name: "204 Subscribing to a hub that sends a 308 permanent redirect", hub: 308, header: `<HUB/hub>; rel="hub"`, body: rss("")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			pushed(t, func(t *testing.T, w *pushWorld) {
				var base string
				here := strings.NewReplacer("HUB", w.hub.URL, "BASE", "")
				publisher := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == "/robots.txt":
						http.NotFound(rw, r)
					case tc.move != 0 && r.URL.Path == "/topic":
						http.Redirect(rw, r, "/moved", tc.move)
					default:
						if tc.header != "" {
							rw.Header().Set("Link", here.Replace(tc.header))
						}
						if tc.page {
							rw.Header().Set("Content-Type", "text/html; charset=utf-8")
						}
						io.WriteString(rw, here.Replace(tc.body))
					}
				}))
				t.Cleanup(publisher.Close)
				base = publisher.URL
				src := &w.cfg.Outlets[0].Sources[0]
				src.URL = base + "/topic"
				if tc.page {
					src.Kind, src.Page = "page", &PageConfig{Item: "article", Title: "h2", Link: "a"}
				}
				w.start(t)
				if tc.hub != 0 {
					w.hub.instead = func(rw http.ResponseWriter, r *http.Request, _ url.Values) bool {
						if r.URL.Path == "/new" {
							return false
						}
						http.Redirect(rw, r, "/new", tc.hub)
						return true
					}
				}
				form := w.subscribed(t)
				want := strings.Replace(tc.topic, "BASE", base, 1)
				switch {
				case want == "" && tc.move != 0:
					want = base + "/moved"
				case want == "":
					want = base + "/topic"
				}
				if got := form.Get("hub.topic"); got != want {
					t.Errorf("subscribed to %q, want %q", got, want)
				}
				if p := w.only(t); p.State != store.PushVerified {
					t.Errorf("state %s", p.State)
				}
			})
		})
	}
}

// The rest of that suite: what is confirmed, and what is taken in.
func TestW3CSubscriberSuiteDeliveries(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		header func(secret, body string) string
		taken  bool
	}{
		{"300 Returns HTTP 2xx when the notification payload is delivered",
			func(secret, body string) string { return signed("sha256", secret, body) }, true},
		{"301 Rejects a distribution request with an invalid signature",
			func(_, body string) string { return signed("sha256", "another", body) }, false},
		{"302 Rejects a distribution request with no signature when the subscription was made with a secret",
			func(string, string) string { return "" }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			pushed(t, func(t *testing.T, w *pushWorld) {
				form := w.subscribed(t)
				body := hubFeed(w.hub.URL, "Tin được đẩy")
				header := []string{"Content-Type: application/rss+xml"}
				if sig := tc.header(form.Get("hub.secret"), body); sig != "" {
					header = append(header, "X-Hub-Signature: "+sig)
				}
				if code := post(t, form.Get("hub.callback"), body, header...); code/100 != 2 {
					t.Errorf("answered %d", code)
				}
				w.read()
				if got := slices.Contains(w.titles(t), "Tin được đẩy"); got != tc.taken {
					t.Errorf("taken in: %v, want %v", got, tc.taken)
				}
			})
		})
	}
	t.Run("205 Rejects a verification request with an invalid topic URL", func(t *testing.T) {
		t.Parallel()
		pushed(t, func(t *testing.T, w *pushWorld) {
			w.hub.silent = true
			w.visit(t)
			w.turn(t)
			form := w.hub.asked()[0]
			w.hub.asks = func(q url.Values) { q.Set("hub.topic", fmt.Sprint(form.Get("hub.topic"), "/khac")) }
			if code := w.hub.verify(form); code != http.StatusNotFound {
				t.Errorf("answered %d, want 404", code)
			}
			if p := w.only(t); p.State != store.PushPending {
				t.Errorf("state %s", p.State)
			}
		})
	})
}
