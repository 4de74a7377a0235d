package aggregator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

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
