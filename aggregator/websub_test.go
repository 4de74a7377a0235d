package aggregator

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
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

// What a hub delivers is read as a visit reads it, whatever hash it signs with,
// and the source's own state stays as it is.
func TestDelivery(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		form := w.subscribed(t)
		before, err := w.db.Source(t.Context(), "rss")
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"sha1", "sha256", "sha384", "sha512"} {
			body := hubFeed(w.hub.URL, "Tin của "+method, "Tin đầu")
			if code := post(t, form.Get("hub.callback"), body, "X-Hub-Signature: "+signed(method, form.Get("hub.secret"), body)); code != http.StatusAccepted {
				t.Errorf("%s: answered %d, want 202", method, code)
			}
			w.read()
			if got := w.titles(t); got[0] != "Tin của "+method {
				t.Errorf("%s: stories %q", method, got)
			}
		}
		var packed bytes.Buffer
		zw := gzip.NewWriter(&packed)
		zw.Write([]byte(hubFeed(w.hub.URL, "Tin nén")))
		zw.Close()
		post(t, form.Get("hub.callback"), packed.String(), "Content-Encoding: gzip", "X-Hub-Signature: "+signed("sha256", form.Get("hub.secret"), packed.String()))
		w.read()
		if got := w.titles(t); got[0] != "Tin nén" || len(got) != 6 {
			t.Errorf("stories %q", got)
		}
		after, err := w.db.Source(t.Context(), "rss")
		if err != nil {
			t.Fatal(err)
		}
		if a, b := after.State, before.State; a.ETag != b.ETag || a.BodyHash != b.BodyHash || !a.NextAt.Equal(b.NextAt) || !a.LastTry.Equal(b.LastTry) {
			t.Errorf("the source's state became %+v, was %+v", a, b)
		}
		if p := w.only(t); p.Delivered.IsZero() {
			t.Error("the deliveries were not noted")
		}
		if n := testutil.ToFloat64(w.a.push.metrics.deliveries.WithLabelValues("new")); n != 5 {
			t.Errorf("%v deliveries counted as new, want 5", n)
		}
	})
}

// What nobody signed with our secret is acknowledged, counted and ignored.
func TestForgedDelivery(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		form := w.subscribed(t)
		callback, secret := form.Get("hub.callback"), form.Get("hub.secret")
		body := hubFeed(w.hub.URL, "Tin giả")
		good := "X-Hub-Signature: " + signed("sha256", secret, body)
		for _, tt := range []struct {
			name, callback, body, header string
			code                         int
			result                       string
		}{
			{"unsigned", callback, body, "X-Other: x", 202, "unsigned"},
			{"another secret", callback, body, "X-Hub-Signature: " + signed("sha256", "x", body), 202, "wrong_signature"},
			{"another body", callback, body + " ", good, 202, "wrong_signature"},
			{"a cut signature", callback, body, good[:len(good)-2], 202, "wrong_signature"},
			{"unknown method", callback, body, "X-Hub-Signature: md5=00", 202, "wrong_signature"},
			{"no hex", callback, body, "X-Hub-Signature: sha256=xyz", 202, "wrong_signature"},
			{"empty signature", callback, body, "X-Hub-Signature: sha256=", 202, "wrong_signature"},
			{"unknown token", w.public.URL + "/websub/" + strings.Repeat("a", 43), body, good, 404, "unknown"},
			{"no token", w.public.URL + "/websub/x", body, good, 404, "unknown"},
			{"too large", callback, strings.Repeat("x", 1<<20+1), good, 413, "too_large"},
		} {
			counter := w.a.push.metrics.deliveries.WithLabelValues(tt.result)
			before := testutil.ToFloat64(counter)
			if code := post(t, tt.callback, tt.body, tt.header); code != tt.code {
				t.Errorf("%s: answered %d, want %d", tt.name, code, tt.code)
			}
			w.read()
			if got := testutil.ToFloat64(counter) - before; got != 1 {
				t.Errorf("%s: counted %v times as %s, want once", tt.name, got, tt.result)
			}
		}
		if got := w.titles(t); !slices.Equal(got, []string{"Tin đầu"}) {
			t.Errorf("stories %q", got)
		}
		if p := w.only(t); !p.Delivered.IsZero() {
			t.Error("a forged delivery was taken for the hub's")
		}
		junk := "<html>no feed</html>"
		post(t, callback, junk, "X-Hub-Signature: "+signed("sha1", secret, junk))
		w.read()
		if n := testutil.ToFloat64(w.a.push.metrics.deliveries.WithLabelValues("unreadable")); n != 1 {
			t.Errorf("%v unreadable deliveries counted, want 1", n)
		}
		if left := w.a.push.inbox.bytes; left != 0 {
			t.Errorf("%d bytes stay reserved", left)
		}
	})
}

// A hub's question is answered only for what we want of that hub.
func TestVerification(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		w.hub.silent = true
		w.visit(t)
		w.turn(t)
		form := w.hub.asked()[0]
		for _, tt := range []struct {
			name string
			edit func(q url.Values)
			want int
		}{
			{"unknown topic", func(q url.Values) { q.Set("hub.topic", pushTopic+"x") }, 404},
			{"no topic", func(q url.Values) { q.Del("hub.topic") }, 404},
			{"unsubscription nobody asked for", func(q url.Values) { q.Set("hub.mode", "unsubscribe") }, 404},
			{"unknown mode", func(q url.Values) { q.Set("hub.mode", "x") }, 404},
			{"no challenge", func(q url.Values) { q.Del("hub.challenge") }, 404},
			{"what we asked for", func(url.Values) {}, 200},
			{"again", func(url.Values) {}, 200},
		} {
			w.hub.asks = tt.edit
			if got := w.hub.verify(form); got != tt.want {
				t.Errorf("%s: answered %d, want %d", tt.name, got, tt.want)
			}
			if verified := w.only(t).State == store.PushVerified; verified != (tt.want == 200) {
				t.Errorf("%s: verified %v", tt.name, verified)
			}
		}
		resp, err := http.Get(form.Get("hub.callback") + "x?hub.mode=subscribe&hub.challenge=c&hub.topic=" + pushTopic)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 404 {
			t.Errorf("unknown token: answered %d, want 404", resp.StatusCode)
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

// Visits become a back-up while the hub is trusted, and are what they were
// when it misses news.
func TestBackUp(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		wait := func(r Report) time.Duration { return r.State.NextAt.Sub(w.now()).Round(time.Second) }
		usual := wait(w.visit(t))
		form := w.subscribed(t)
		if got := wait(w.visit(t)); got < usual*3 {
			t.Errorf("the next visit is in %v, before the hub in %v", got, usual)
		}
		for _, step := range []struct {
			name   string
			pushes bool
			missed int
			slow   bool
		}{
			{"the hub delivers", true, 0, true},
			{"missed once", false, 1, true},
			{"missed twice", false, 2, true},
			{"delivered again", true, 0, true},
			{"missed", false, 1, true},
			{"missed", false, 2, true},
			{"missed three times", false, 3, false},
			{"delivers again", true, 0, true},
		} {
			w.pass(time.Minute)
			title := "Tin lúc " + w.now().String()
			body := hubFeed(w.hub.URL, title, "Tin đầu")
			w.set("/rss", body+strings.Repeat(" ", int(w.now().UnixMilli()/60000%1000)))
			if step.pushes {
				w.deliver(t, form, body)
			}
			r := w.visit(t)
			if slow := strings.Contains(r.State.Why, "back-up"); slow != step.slow {
				t.Errorf("%s: slow is %v, want %v: %s", step.name, slow, step.slow, r.State.Why)
			}
			if p := w.only(t); p.Missed != step.missed {
				t.Errorf("%s: missed %d, want %d", step.name, p.Missed, step.missed)
			}
			if !step.slow {
				w.turn(t)
				if n := testutil.ToFloat64(w.a.push.metrics.subscriptions.WithLabelValues("distrusted")); n != 1 {
					t.Errorf("%v distrusted subscriptions, want 1", n)
				}
			}
		}
	})
}

func TestBackUpBounds(t *testing.T) {
	t.Parallel()
	every := Every{Min: Duration(time.Minute), Max: Duration(time.Hour)}
	good := store.Push{State: store.PushVerified, Expires: testNow.Add(time.Hour), Delivered: testNow}
	with := func(change func(*store.Push)) store.Push {
		p := good
		change(&p)
		return p
	}
	for _, tt := range []struct {
		name    string
		p       store.Push
		outcome store.Outcome
		wait    time.Duration
		brought bool
		want    time.Duration
	}{
		{"trusted", good, store.NotModified, 10 * time.Minute, false, 40 * time.Minute},
		{"up to every.max", good, store.Unchanged, 30 * time.Minute, false, time.Hour},
		{"never sooner", good, store.Unchanged, 2 * time.Hour, false, 2 * time.Hour},
		{"failed visit", good, store.Timeout, 10 * time.Minute, false, 10 * time.Minute},
		{"none", store.Push{}, store.Unchanged, 10 * time.Minute, false, 10 * time.Minute},
		{"pending", with(func(p *store.Push) { p.State = store.PushPending }), store.Unchanged, 10 * time.Minute, false, 10 * time.Minute},
		{"run out", with(func(p *store.Push) { p.Expires = testNow }), store.Unchanged, 10 * time.Minute, false, 10 * time.Minute},
		{"distrusted", with(func(p *store.Push) { p.Missed = maxMissed }), store.Unchanged, 10 * time.Minute, false, 10 * time.Minute},
		{"the last straw", with(func(p *store.Push) { p.Missed = maxMissed - 1 }), store.New, 10 * time.Minute, true, 10 * time.Minute},
		{"never delivered, missed the first", with(func(p *store.Push) { p.Delivered = time.Time{} }), store.New, 10 * time.Minute, true, 10 * time.Minute},
	} {
		st := store.SourceState{Outcome: tt.outcome, NextAt: testNow.Add(tt.wait)}
		if got := backUp(st, tt.p, every, tt.brought, testNow).NextAt.Sub(testNow); got != tt.want {
			t.Errorf("%s: next visit in %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A process that was killed leaves everything in the store: what was verified
// goes on, and what it had in hand is asked by the next one.
func TestPushAfterRestart(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		w.visit(t)
		if got, err := w.db.ClaimPushes(t.Context(), store.Claim{Now: w.now(), Lease: pushLease, By: "killed", Limit: 1}); err != nil || len(got) != 1 {
			t.Fatalf("claimed %d, %v", len(got), err)
		}
		w.restart(t)
		w.turn(t)
		if n := len(w.hub.asked()); n != 0 {
			t.Errorf("%d requests for what another process has in hand", n)
		}
		w.pass(pushLease)
		w.turn(t)
		form := w.hub.verified(t)
		w.restart(t)
		w.deliver(t, form, hubFeed(w.hub.URL, "Tin sau khi chạy lại"))
		if got := w.titles(t); got[0] != "Tin sau khi chạy lại" {
			t.Errorf("stories %q", got)
		}
		w.turn(t)
		if n := len(w.hub.asked()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

// Two processes on one store ask once, and either answers the hub.
func TestPushReplicas(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		first, second := w.a, w.process(t, w.db)
		w.visit(t)
		w.a = second
		w.visit(t)
		callback := second.Callback()
		w.inner.Store(&callback)
		done := make(chan error, 2)
		for _, a := range []*Aggregator{first, second} {
			go func() { done <- a.push.turn(t.Context()) }()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		w.hub.verified(t)
		if n := len(w.hub.asked()); n != 1 {
			t.Errorf("%d requests of two processes, want 1", n)
		}
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

func TestCallbackBase(t *testing.T) {
	t.Parallel()
	on, off := true, false
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"default", Config{BaseURL: "https://tin.example.vn"}, "https://tin.example.vn/websub/"},
		{"below a path", Config{BaseURL: "https://example.vn/tin/", Limits: Limits{WebSub: &on}}, "https://example.vn/tin/websub/"},
		{"switched off", Config{BaseURL: "https://tin.example.vn", Limits: Limits{WebSub: &off}}, ""},
		{"nowhere", Config{}, ""},
		{"loopback", Config{BaseURL: "http://127.0.0.1:8080"}, ""},
		{"localhost", Config{BaseURL: "http://localhost:8080"}, ""},
		{"loopback admitted", Config{BaseURL: "http://127.0.0.1:8080", Limits: Limits{AllowPrivate: true}}, "http://127.0.0.1:8080/websub/"},
	} {
		if got := callbackBase(tt.cfg); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestInbox(t *testing.T) {
	t.Parallel()
	b := inbox{queue: make(chan delivery, 1)}
	if !b.reserve(maxWaitingBytes+1) || b.reserve(1) {
		t.Error("one large body must find room, and no second beside it")
	}
	b.free(maxWaitingBytes + 1)
	if !b.reserve(1) || !b.put(delivery{size: 1}) || b.put(delivery{}) {
		t.Error("the queue holds one delivery, not two")
	}
	b.close()
	if b.reserve(1) || b.put(delivery{}) {
		t.Error("something was accepted after the end")
	}
	n := 0
	b.work(func(delivery) { n++ })
	if n != 1 || b.bytes != 0 {
		t.Errorf("%d worked off, %d bytes left", n, b.bytes)
	}
}

// The whole on real clocks: discovery, subscription and a delivery that comes
// before any visit could find it, then an orderly end.
func TestRunWithHub(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		w.a.now = time.Now
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		done := make(chan error, 1)
		delivered := make(chan string, 1)
		deliver := w.a.push.deliver
		w.a.push.deliver = func(ctx context.Context, p store.Push, doc *Document) string {
			result := deliver(ctx, p, doc)
			delivered <- result
			return result
		}
		verified := make(chan url.Values, 1)
		w.hub.instead = func(rw http.ResponseWriter, _ *http.Request, form url.Values) bool {
			rw.WriteHeader(http.StatusAccepted)
			if w.hub.verify(form) == 200 {
				verified <- form
			}
			return true
		}
		go func() { done <- w.a.Run(ctx) }()
		var form url.Values
		select {
		case form = <-verified:
		case <-ctx.Done():
			t.Fatal("the hub was not asked")
		}
		body := hubFeed(w.hub.URL, "Tin đẩy")
		if code := post(t, form.Get("hub.callback"), body, "X-Hub-Signature: "+signed("sha256", form.Get("hub.secret"), body)); code != 202 {
			t.Fatalf("answered %d", code)
		}
		if got := <-delivered; got != "new" || w.titles(t)[0] != "Tin đẩy" {
			t.Errorf("delivery was %s, stories %q", got, w.titles(t))
		}
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("run ended with %v", err)
		}
		if code := post(t, form.Get("hub.callback"), body, "X-Hub-Signature: "+signed("sha256", form.Get("hub.secret"), body)); code != 503 {
			t.Errorf("after the end: answered %d, want 503", code)
		}
	})
}
