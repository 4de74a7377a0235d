package hub

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/aggregator"
	"diemtin/store"
)

func (s *site) outcome(name string) float64 {
	return testutil.ToFloat64(s.metrics.deliveries.WithLabelValues(name))
}

// What waits while a callback fails becomes one delivery of the newest feed,
// and a callback has the same bytes never twice.
func TestCoalescing(t *testing.T) {
	t.Parallel()
	dsns(t, func(t *testing.T, dsn string) {
		s, r := newSite(t, dsn), newReader(t)
		s.ask("subscribe", "/feed.atom", r.url)
		r.from(always(500))
		for i := range 5 {
			s.publish(fmt.Sprint("Tin ", i))
			s.settle()
			s.forward(time.Second)
		}
		if n := len(r.deliveries()); n != 1 {
			t.Errorf("%d attempts within %v, want one", n, firstRetry)
		}
		if sub := s.only(); sub.Fails != 1 || sub.Detail != "status 500" || !sub.Since.Equal(start) {
			t.Errorf("after a failure: %+v", sub)
		}
		r.from(nil)
		s.forward(2 * firstRetry)
		s.settle()
		got := r.deliveries()
		if len(got) != 2 {
			t.Fatalf("%d attempts, want two", len(got))
		}
		delivered(t, s, got[1], "/feed.atom", "")
		if sub := s.only(); sub.Fails != 0 || sub.Wanted != 0 || sub.Detail != "" {
			t.Errorf("after a delivery: %+v", sub)
		}
		s.publish() // a visit that changes nothing
		s.settle()
		if n := len(r.deliveries()); n != 2 {
			t.Errorf("%d deliveries after no change, want two", n)
		}
	})
}

// A change elsewhere raises a scope and leaves the bytes: nothing is sent.
func TestUnchangedBytes(t *testing.T) {
	t.Parallel()
	s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
	s.ask("subscribe", "/feed.atom", r.url)
	s.publish("Tin")
	s.settle()
	all := make([]string, 60)
	for i := range all {
		all[i] = "Cùng một tiêu đề"
	}
	s.publish(all...) // the fifty of the feed now
	s.settle()
	s.publish(all...)
	s.settle()
	if n := len(r.deliveries()); n != 2 || s.outcome("unchanged") != 1 {
		t.Errorf("%d deliveries, %v unchanged; want 2 and 1", n, s.outcome("unchanged"))
	}
}

// A feed that is not yet rendered with the change is not sent without it.
func TestRenderedTooEarly(t *testing.T) {
	t.Parallel()
	s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
	s.ask("subscribe", "/feed.atom", r.url)
	s.publish("Tin")
	s.topics.lag = true
	s.settle()
	if n := len(r.deliveries()); n != 0 {
		t.Fatalf("%d deliveries of a feed without the change", n)
	}
	s.forward(renderAgain)
	s.topics.fail = errFault
	s.settle()
	s.topics.fail = nil
	if sub := s.only(); sub.Fails != 0 || sub.Wanted == 0 {
		t.Errorf("our own fault is counted against a subscriber: %+v", sub)
	}
	s.forward(unreadAgain)
	s.settle()
	if n := len(r.deliveries()); n != 1 {
		t.Errorf("%d deliveries, want one", n)
	}
}

// Retries come with growing delays for a day; then the subscription ends with
// a reason, and nothing more is sent.
func TestRetriesForADay(t *testing.T) {
	t.Parallel()
	s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
	s.ask("subscribe", "/feed.atom", r.url)
	r.from(always(500))
	s.publish("Tin")
	var waits []time.Duration
	last := s.time()
	for s.only().State == store.HubActive && len(waits) < 100 {
		s.settle()
		sub := s.only()
		if sub.State == store.HubActive {
			waits = append(waits, sub.NextAt.Sub(last))
			last = sub.NextAt
			s.forward(sub.NextAt.Sub(s.time()))
		}
	}
	sub := s.only()
	if took := s.time().Sub(start); took < giveUpAfter || took > giveUpAfter+2*longestRetry {
		t.Errorf("given up after %v, want a day", took)
	}
	if !strings.Contains(sub.Detail, "a day") || !strings.Contains(sub.Detail, "status 500") || s.outcome("dropped") != 1 {
		t.Errorf("ended with %q, %v dropped", sub.Detail, s.outcome("dropped"))
	}
	if n := len(waits); n < 20 || n > 40 || waits[0] > 2*firstRetry || waits[n-1] < longestRetry/2 {
		t.Errorf("%d waits: %v", len(waits), waits)
	}
	attempts := len(r.deliveries())
	s.publish("Tin sau")
	s.forward(time.Hour)
	s.settle()
	if n := len(r.deliveries()); n != attempts {
		t.Errorf("an ended subscription got %d more", n-attempts)
	}
	r.from(nil)
	s.ask("subscribe", "/feed.atom", r.url)
	s.publish("Tin sau nữa")
	s.settle()
	if n := len(r.deliveries()); n != attempts+1 {
		t.Errorf("subscribed again, it got %d, want one", n-attempts)
	}
}

func TestMisbehavingCallbacks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		answer  func(w http.ResponseWriter, r *http.Request)
		outcome string
		left    int // subscriptions
	}{
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "delivered", 1},
		{"299", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) }, "delivered", 1},
		{"410", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, "gone", 0},
		{"404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "failed", 1},
		{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "failed", 1},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "failed", 1},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "failed", 1},
		{"slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "failed", 1},
		{"huge answer", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "delivered", 1},
		{"slow answer after its head", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "delivered", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
			s.Hub.client.Timeout = 300 * time.Millisecond
			s.ask("subscribe", "/feed.atom", r.url)
			r.from(func(w http.ResponseWriter, req *http.Request) bool {
				if req.Method == http.MethodPost {
					tc.answer(w, req)
				}
				return req.Method == http.MethodPost
			})
			s.publish("Tin")
			s.settle()
			if n := s.outcome(tc.outcome); n != 1 || len(r.deliveries()) != 1 {
				t.Errorf("%v %s, %d attempts; want one", n, tc.outcome, len(r.deliveries()))
			}
			left := s.subscriptions()
			if len(left) != tc.left {
				t.Fatalf("%d subscriptions left, want %d", len(left), tc.left)
			}
			if tc.left == 1 && strings.Contains(left[0].Detail, r.url) {
				t.Errorf("the detail gives the callback away: %q", left[0].Detail)
			}
		})
	}
}

// A slow callback does not hold up the others.
func TestSlowCallbackAlone(t *testing.T) {
	t.Parallel()
	s, slow, quick := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t), newReader(t)
	s.ask("subscribe", "/feed.atom", slow.url)
	s.ask("subscribe", "/feed.atom", quick.url)
	release, got := make(chan struct{}), make(chan struct{})
	slow.from(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			<-release
		}
		return false
	})
	quick.from(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			close(got)
		}
		return false
	})
	s.publish("Tin")
	if _, err := s.turn(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
	case <-time.After(requestTimeout):
		t.Error("the quick one waited for the slow one")
	}
	close(release)
	s.work.Wait()
}

// Callbacks at private addresses are never knocked at.
func TestPrivateCallback(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	s := newSite(t, "sqlite:"+t.TempDir()+"/hub.db", func(_ *Config, d *Deps) { d.Client = aggregator.GuardedClient(aggregator.Limits{}) })
	s.ask("subscribe", "/feed.atom", r.url)
	for range maxTries {
		s.forward(time.Minute)
		s.settle()
	}
	if n := len(r.questions()); n != 0 || len(s.subscriptions()) != 0 {
		t.Errorf("a private address was asked %d times", n)
	}
	if n := testutil.ToFloat64(s.metrics.verifications.WithLabelValues("subscribe", "unreachable")); n != maxTries {
		t.Errorf("%v questions were refused by the guard, want %d", n, maxTries)
	}
}

// Two processes on one database: each change is delivered once, and when one
// dies with a delivery in hand the other takes it over.
func TestReplicas(t *testing.T) {
	t.Parallel()
	dsns(t, func(t *testing.T, dsn string) {
		if strings.HasPrefix(dsn, "sqlite:") {
			t.Skip("one process at a time writes an SQLite file")
		}
		a, r := newSite(t, dsn), newReader(t)
		b := newSite(t, dsn)
		b.topics.base, b.address, b.base = a.base, a.address, a.base
		for i := range 20 {
			a.ask("subscribe", "/feed.atom", fmt.Sprint(r.url, "?", i))
		}
		for i := range 3 {
			a.publish(fmt.Sprint("Tin ", i))
			done := make(chan struct{})
			go func() { b.settle(); close(done) }()
			a.settle()
			<-done
			a.settle()
		}
		if n := len(r.deliveries()); n > 60 || n < 20 {
			t.Errorf("%d deliveries, want one for each of 20 and each of three changes, or of two of them together", n)
		}
		seen := map[string]bool{}
		for _, d := range r.deliveries() {
			seen[d.body] = true
		}
		for body := range seen {
			n := 0
			for _, d := range r.deliveries() {
				if d.body == body {
					n++
				}
			}
			if n != 20 {
				t.Errorf("the feed of %d bytes was delivered %d times to 20", len(body), n)
			}
		}

		before := len(r.deliveries())
		a.publish("Tin cuối")
		if _, err := a.Store.FanOutHub(t.Context(), a.topics.Pushed, a.time(), secretText); err != nil {
			t.Fatal(err)
		}
		held, err := a.Store.ClaimHubDeliveries(t.Context(), a.claim(20), 20)
		if err != nil || len(held) != 20 {
			t.Fatalf("claimed %d, %v", len(held), err)
		}
		b.settle()
		if n := len(r.deliveries()) - before; n != 0 {
			t.Errorf("%d were delivered that another process holds", n)
		}
		b.forward(hold)
		b.settle()
		if n := len(r.deliveries()) - before; n != 20 {
			t.Errorf("%d delivered after the other's lease, want 20", n)
		}
	})
}

// One client cannot make us ask many addresses.
func TestLimitsOfOneClient(t *testing.T) {
	t.Parallel()
	s := newSite(t, "sqlite:"+t.TempDir()+"/hub.db")
	refused := 0
	for i := range asksOfOne + 5 {
		code, _ := s.post(map[string][]string{"hub.mode": {"subscribe"}, "hub.topic": {s.base + "/feed.atom"},
			"hub.callback": {fmt.Sprintf("http://opfer%d.example/", i)}})
		if code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d requests were refused, want 5", refused)
	}
}
