package aggregator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

func TestSubscribe(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		form := w.subscribed(t)
		for key, want := range map[string]string{"hub.mode": "subscribe", "hub.topic": pushTopic, "hub.lease_seconds": "864000"} {
			if got := form.Get(key); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		token, below := strings.CutPrefix(form.Get("hub.callback"), w.public.URL+"/websub/")
		if !below || !tokenForm.MatchString(token) || len(form.Get("hub.secret")) < 32 || len(form.Get("hub.secret")) >= 200 || strings.Contains(token, form.Get("hub.secret")) {
			t.Errorf("callback %q, secret of %d bytes", form.Get("hub.callback"), len(form.Get("hub.secret")))
		}
		p := w.only(t)
		if p.State != store.PushVerified || p.Expires.Sub(w.now()).Round(time.Second) != 24*time.Hour || p.Fails != 0 {
			t.Errorf("after verification %+v", p)
		}
		w.turn(t)
		if n := len(w.hub.asked()); n != 1 {
			t.Errorf("the hub was asked %d times, want once", n)
		}
	})
}

// A hub that moved is followed with the same form.
func TestRedirectedHub(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 307, 308} {
		pushed(t, func(t *testing.T, w *pushWorld) {
			w.hub.instead = func(rw http.ResponseWriter, r *http.Request, _ url.Values) bool {
				if r.URL.Path == "/new" {
					return false
				}
				http.Redirect(rw, r, "/new", code)
				return true
			}
			w.subscribed(t)
		})
	}
}

// A topic that is redirected is subscribed to under the address that its
// document gives, or the one where it was found.
func TestRedirectedTopic(t *testing.T) {
	t.Parallel()
	for _, self := range []bool{true, false} {
		pushed(t, func(t *testing.T, w *pushWorld) {
			body, want := hubFeed(w.hub.URL, "Tin đầu"), pushTopic
			if !self {
				body, want = strings.Replace(body, `rel="self"`, `rel="other"`, 1), w.URL+"/rss"
			}
			w.set("/rss", body)
			moved := newNewsroom(t)
			moved.Config.Handler = http.RedirectHandler(w.URL+"/rss", http.StatusFound)
			w.cfg.Outlets[0].Sources[0].URL = moved.URL + "/old"
			w.start(t)
			if form := w.subscribed(t); form.Get("hub.topic") != want {
				t.Errorf("topic %q, want %q", form.Get("hub.topic"), want)
			}
		})
	}
}

// The lease is renewed before it ends, with the same callback, and a hub that
// then fails is asked again with growing waits.
func TestRenewal(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		first := w.subscribed(t)
		w.pass(16 * time.Hour)
		w.turn(t)
		if n := len(w.hub.asked()); n != 1 {
			t.Fatalf("renewed after two thirds of the lease: %d requests", n)
		}
		w.pass(5 * time.Hour)
		w.turn(t)
		if again := w.hub.verified(t); again.Get("hub.callback") != first.Get("hub.callback") || again.Get("hub.secret") != first.Get("hub.secret") {
			t.Errorf("renewed with %v, was %v", again, first)
		}
		p := w.only(t)
		if n := len(w.hub.asked()); n != 2 || p.Expires.Sub(w.now()).Round(time.Minute) != 24*time.Hour {
			t.Fatalf("%d requests, lease until %v", n, p.Expires)
		}
		w.hub.instead = func(rw http.ResponseWriter, _ *http.Request, _ url.Values) bool {
			rw.WriteHeader(http.StatusInternalServerError)
			return true
		}
		var waits []time.Duration
		w.clock.Store(p.NextAt.UnixMilli())
		for range 12 {
			w.turn(t)
			p := w.only(t)
			if held := p.Expires.After(w.now()); held != (p.State == store.PushVerified) {
				t.Errorf("%s, though the lease ends %v", p.State, p.Expires)
			}
			waits = append(waits, p.NextAt.Sub(w.now()))
			w.clock.Store(p.NextAt.UnixMilli())
		}
		for i := 1; i < len(waits); i++ {
			if waits[i] < waits[i-1]*3/2 && waits[i] < lastAskAgain*4/5 {
				t.Errorf("waits %v do not grow", waits)
				break
			}
		}
		if last := waits[len(waits)-1]; last > lastAskAgain*11/10 {
			t.Errorf("the longest wait is %v", last)
		}
		w.turn(t)
		w.a.push.remember([]store.Push{w.only(t)}, w.now())
		if p := w.only(t); p.State != store.PushPending || testutil.ToFloat64(w.a.push.metrics.subscriptions.WithLabelValues("pending")) != 1 {
			t.Errorf("after the lease has ended: %+v", p)
		}
		w.hub.order(func() { w.hub.instead = nil })
		w.clock.Store(w.only(t).NextAt.UnixMilli())
		w.turn(t)
		if p := w.only(t); p.State != store.PushVerified || p.Fails != 0 {
			t.Errorf("after the hub came back: %+v", p)
		}
	})
}

// How a hub says no, and what is made of it.
func TestHubRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		instead func(w *pushWorld) func(http.ResponseWriter, *http.Request, url.Values) bool
		state   store.PushState
		wait    time.Duration // at least
		detail  string
	}{
		{"404", answer(404, ""), store.PushDenied, refusedAgain * 9 / 10, "no such topic"},
		{"500", answer(500, ""), store.PushPending, firstAskAgain * 9 / 10, "500"},
		{"429 with Retry-After", answer(429, "7200"), store.PushPending, 2 * time.Hour, "429"},
		{"endless redirects", func(*pushWorld) func(http.ResponseWriter, *http.Request, url.Values) bool {
			return func(rw http.ResponseWriter, r *http.Request, _ url.Values) bool {
				http.Redirect(rw, r, r.URL.Path+"/x", http.StatusTemporaryRedirect)
				return true
			}
		}, store.PushPending, firstAskAgain * 9 / 10, "redirects"},
		{"denied at the callback", func(w *pushWorld) func(http.ResponseWriter, *http.Request, url.Values) bool {
			return func(rw http.ResponseWriter, _ *http.Request, form url.Values) bool {
				q := url.Values{"hub.mode": {"denied"}, "hub.topic": {form.Get("hub.topic")}, "hub.reason": {"chưa trả tiền"}}
				resp, err := http.Get(form.Get("hub.callback") + "?" + q.Encode())
				if err == nil {
					resp.Body.Close()
				}
				rw.WriteHeader(http.StatusAccepted)
				return true
			}
		}, store.PushDenied, refusedAgain * 9 / 10, "chưa trả tiền"},
	} {
		pushed(t, func(t *testing.T, w *pushWorld) {
			w.hub.instead = tt.instead(w)
			w.visit(t)
			w.turn(t)
			p := w.only(t)
			if wait := p.NextAt.Sub(w.now()); p.State != tt.state || wait < tt.wait || p.Fails != 1 || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("%s: %s, again in %v, %d failures, detail %q; want %s, at least %v, %q", tt.name, p.State, wait, p.Fails, p.Detail, tt.state, tt.wait, tt.detail)
			}
			w.hub.order(func() { w.hub.instead = nil })
			w.clock.Store(p.NextAt.UnixMilli())
			w.turn(t)
			if p := w.only(t); p.State != store.PushVerified {
				t.Errorf("%s: asked again, it is %s %q", tt.name, p.State, p.Detail)
			}
		})
	}
}

func answer(code int, retryAfter string) func(*pushWorld) func(http.ResponseWriter, *http.Request, url.Values) bool {
	return func(*pushWorld) func(http.ResponseWriter, *http.Request, url.Values) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			http.Error(w, "no such topic", code)
			return true
		}
	}
}

// Where the first hub fails, the next one is tried, but each at most once a day.
func TestNextHub(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(h *testHub)
		turns int // until the next is tried
	}{
		{"refuses", func(h *testHub) { h.instead = answer(404, "")(nil) }, 1},
		{"has a fault", func(h *testHub) { h.instead = answer(500, "")(nil) }, hubTries},
		{"never asks back", func(h *testHub) { h.silent = true }, hubTries},
	} {
		pushed(t, func(t *testing.T, w *pushWorld) {
			other := newTestHub(t)
			second := `<atom:link rel="hub" href="` + other.URL + `/hub"/>`
			n := 0
			visit := func() {
				n++
				w.set("/rss", strings.Replace(hubFeed(w.hub.URL, "Tin đầu", "Tin thứ "+strings.Repeat("một ", n)), `<atom:link rel="self"`, second+`<atom:link rel="self"`, 1))
				w.visit(t)
				w.turn(t)
			}
			w.hub.order(func() { tt.spoil(w.hub) })
			for range tt.turns {
				visit()
				w.clock.Store(w.only(t).NextAt.UnixMilli())
			}
			if n := len(other.asked()); n != 0 {
				t.Errorf("%s: the second hub was asked before the first had failed", tt.name)
			}
			visit()
			form := other.verified(t)
			if p := w.only(t); p.State != store.PushVerified || p.Hub != other.URL+"/hub" || form.Get("hub.topic") != pushTopic {
				t.Fatalf("%s: %+v", tt.name, p)
			}
			visit()
			if p := w.only(t); p.Hub != other.URL+"/hub" {
				t.Errorf("%s: went back to the first hub", tt.name)
			}
		})
	}
	pushed(t, func(t *testing.T, w *pushWorld) { // both refuse
		other := newTestHub(t)
		w.hub.instead, other.instead = answer(404, "")(w), answer(404, "")(w)
		begin := w.now()
		for i := 0; w.now().Sub(begin) < hubRest-time.Hour; i++ {
			w.set("/rss", strings.Replace(hubFeed(w.hub.URL, "Tin đầu", "Tin thứ "+strings.Repeat("một ", i)), `<atom:link rel="self"`, `<atom:link rel="hub" href="`+other.URL+`/hub"/><atom:link rel="self"`, 1))
			w.visit(t)
			w.turn(t)
			w.pass(20 * time.Minute)
		}
		if first, second := len(w.hub.paths), len(other.paths); first != 1 || second < 1 || second > 5 {
			t.Errorf("hubs that refuse were asked %d and %d times in a day", first, second)
		}
	})
}

// The old hub is told when the document names another, or none three times, or
// when the source leaves feeds.yaml or the site wants no pushes.
func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	off := false
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, w *pushWorld, other *testHub)
		left int // subscriptions in the end
	}{
		{"another hub", func(t *testing.T, w *pushWorld, other *testHub) {
			w.set("/rss", hubFeed(other.URL, "Tin đầu", "Tin hai"))
			w.visit(t)
		}, 1},
		{"no hub any more", func(t *testing.T, w *pushWorld, _ *testHub) {
			for _, title := range []string{"Tin hai", "Tin ba", "Tin bốn"} {
				if n := len(w.hub.asked()); n != 1 {
					t.Errorf("%d requests before the third document without a hub", n)
				}
				w.set("/rss", feedOf(title, "Tin đầu", title+" nữa"))
				w.visit(t)
				w.turn(t)
			}
		}, 0},
		{"source gone", func(t *testing.T, w *pushWorld, _ *testHub) {
			w.cfg.Outlets[0].Sources[0].ID = "other"
			w.restart(t)
		}, 0},
		{"switched off", func(t *testing.T, w *pushWorld, _ *testHub) {
			w.cfg.Limits.WebSub = &off
			w.restart(t)
		}, 0},
	} {
		pushed(t, func(t *testing.T, w *pushWorld) {
			form, other := w.subscribed(t), newTestHub(t)
			w.set("/rss", hubFeed(other.URL, "Tin tạm", "Tin đầu"))
			w.visit(t)
			w.turn(t)
			if n := len(w.hub.asked()) + len(other.asked()); n != 1 {
				t.Errorf("%s: a new subscription was given up at once: %d requests", tt.name, n)
			}
			w.pass(time.Hour)
			tt.end(t, w, other)
			w.turn(t)
			asked := w.hub.asked()
			if last := asked[len(asked)-1]; len(asked) != 2 || last.Get("hub.mode") != "unsubscribe" || last.Get("hub.callback") != form.Get("hub.callback") || len(w.hub.subs) != 0 {
				t.Errorf("%s: the hub was asked %v and keeps %d subscriptions", tt.name, asked, len(w.hub.subs))
			}
			if all, err := w.db.Pushes(t.Context()); err != nil || len(all) != tt.left {
				t.Errorf("%s: %d subscriptions stored, %v; want %d", tt.name, len(all), err, tt.left)
			}
			if tt.left > 0 {
				other.verified(t)
			}
		})
	}
}

// A subscription that nobody wants and that the hub will not end runs out; its
// deliveries are refused for good.
func TestUnsubscribeInVain(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		form := w.subscribed(t)
		w.hub.order(func() { w.hub.silent = true })
		if err := w.db.LeavePush(t.Context(), "rss", w.now()); err != nil {
			t.Fatal(err)
		}
		w.turn(t)
		if code := post(t, form.Get("hub.callback"), "x", "X-Hub-Signature: sha1=00"); code != http.StatusGone {
			t.Errorf("delivery after leaving: answered %d, want 410", code)
		}
		for range leaveTries {
			w.clock.Store(w.only(t).NextAt.UnixMilli())
			w.turn(t)
			if all, err := w.db.Pushes(t.Context()); err == nil && len(all) == 0 {
				return
			}
		}
		t.Errorf("still %+v after %d requests", w.only(t), len(w.hub.asked()))
	})
}

// The guard stands before hubs too: a document cannot make us knock at our own
// doors.
func TestHubIsGuarded(t *testing.T) {
	t.Parallel()
	hub := newTestHub(t)
	s := newSubscriber(Config{BaseURL: "https://tin.example.vn", Limits: Limits{}.withDefaults()}, nil, nil, nil)
	err := s.request(t.Context(), store.Push{Hub: hub.URL, Topic: pushTopic, Callback: "https://tin.example.vn/websub/x"})
	if outcomeOf(err) != store.Refused || len(hub.asked()) != 0 {
		t.Errorf("a hub on loopback: %v", err)
	}
}
