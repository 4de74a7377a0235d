package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

var roomy = store.HubLimits{Subscriptions: 1000, PerHost: 1000, Requests: 1000, ClientAsks: 1000, HostAsks: 1000}

func hubRequest(topic, callback string, mode store.HubMode) store.HubRequest {
	return store.HubRequest{Topic: topic, Callback: callback, Mode: mode, Host: "reader.example", Client: "192.0.2.1",
		Secret: "s", Lease: time.Hour, Turn: callback + string(mode), NextAt: now}
}

// subscribed has a verified subscription.
func subscribed(t testing.TB, db *store.DB, topic, callback string) {
	t.Helper()
	r := hubRequest(topic, callback, store.HubSubscribe)
	if err := db.AskHub(t.Context(), r, roomy); err != nil {
		t.Fatal(err)
	}
	if done, err := db.ConfirmHubRequest(t.Context(), r, now); err != nil || !done {
		t.Fatalf("confirm: %v, %v", done, err)
	}
}

func hubSubscriptions(t *testing.T, db *store.DB) map[string]store.HubSubscription {
	t.Helper()
	all, err := db.HubSubscriptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]store.HubSubscription{}
	for _, s := range all {
		by[s.Callback] = s
	}
	return by
}

// reads maps the topics of these tests to scopes: "gone" is no topic any more.
func reads(topic string) ([]string, bool) {
	return []string{topic}, topic != "gone"
}

func fanOut(t *testing.T, db *store.DB) int {
	t.Helper()
	n, err := db.FanOutHub(t.Context(), reads, now, func() string { return "turn" })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A change is posted in the transaction that makes it, for each scope once; a
// newer one takes the place of the one that waits, and a day is no topic.
func TestHubOutbox(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Tin đầu", now))
		if n := fanOut(t, db); n != 0 {
			t.Errorf("%d scopes were posted while nobody listened", n)
		}
		subscribed(t, db, "all", "a")
		subscribed(t, db, "outlet:o1", "b")
		subscribed(t, db, "gone", "c")
		record(t, db, "o0-home", now.Add(time.Minute), article("o0", "Tin hai", now))
		record(t, db, "o0-home", now.Add(2*time.Minute), article("o0", "Tin ba", now))
		if n := fanOut(t, db); n != 5 { // all, outlet, scope, two topics
			t.Errorf("%d scopes were posted, want 5", n)
		}
		if n := fanOut(t, db); n != 0 {
			t.Errorf("%d scopes were fanned out twice", n)
		}
		by := hubSubscriptions(t, db)
		rev, err := db.Revision(t.Context(), store.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		if s := by["a"]; s.Wanted != rev.N || s.Since.UnixMilli() >= rev.N || s.Since.UnixMilli() < now.UnixMilli() {
			t.Errorf("a waits for %d since %v, want %d since the first change", s.Wanted, s.Since, rev.N)
		}
		if s := by["b"]; s.Wanted != 0 {
			t.Errorf("b waits for %d although its outlet said nothing", s.Wanted)
		}
		if _, ok := by["c"]; ok {
			t.Error("the subscription to a topic that is no more is kept")
		}
		asked, err := db.ClaimHubRequests(t.Context(), store.Claim{Now: now, Lease: time.Minute, By: "p", Limit: 9})
		if err != nil || len(asked) != 1 || asked[0].Callback != "c" || asked[0].Mode != store.HubDenied || asked[0].Detail == "" {
			t.Errorf("claimed %+v, %v; want the denial for c", asked, err)
		}
	})
}

// A write that fails posts nothing.
func TestHubOutboxOfFailedWrite(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		subscribed(t, db, "all", "a")
		r := refresh(t, db, "o0-home", now, article("o0", "Tin", now))
		r.Settle = func(store.Changes) store.SourceState { panic("at the end") }
		if _, err := db.Record(t.Context(), r, sameTitle{}); err == nil {
			t.Fatal("a visit that panics was stored")
		}
		if n := fanOut(t, db); n != 0 {
			t.Errorf("%d scopes were posted by a write that was undone", n)
		}
	})
}

// However many processes claim, each delivery is one's, and a host has no more
// at once than it may.
func TestClaimHubDeliveries(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		for i := range 40 {
			r := hubRequest("all", fmt.Sprint("c", i), store.HubSubscribe)
			r.Host = fmt.Sprint("host", i%4)
			if err := db.AskHub(t.Context(), r, roomy); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ConfirmHubRequest(t.Context(), r, now); err != nil {
				t.Fatal(err)
			}
		}
		record(t, db, "o0-home", now, article("o0", "Tin", now))
		fanOut(t, db)
		var mu sync.Mutex
		var wg sync.WaitGroup
		claimed, hosts := map[string]int{}, map[string]int{}
		for w := range 4 {
			wg.Go(func() {
				for range 5 {
					got, err := db.ClaimHubDeliveries(t.Context(), store.Claim{Now: now, Lease: time.Minute, By: fmt.Sprint(w), Limit: 3}, 3)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					for _, s := range got {
						claimed[s.Callback]++
						hosts[s.Host]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for c, n := range claimed {
			if n > 1 {
				t.Errorf("%s was claimed %d times", c, n)
			}
		}
		for i := range 4 {
			if n := hosts[fmt.Sprint("host", i)]; n != 3 {
				t.Errorf("host%d has %d deliveries at once, want 3", i, n)
			}
		}
	})
}

func TestSettleHubDelivery(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		subscribed(t, db, "all", "a")
		claim := func(at time.Time) store.HubSubscription {
			t.Helper()
			got, err := db.ClaimHubDeliveries(t.Context(), store.Claim{Now: at, Lease: time.Minute, By: "p", Limit: 9}, 9)
			if err != nil || len(got) != 1 {
				t.Fatalf("claimed %+v, %v; want one", got, err)
			}
			return got[0]
		}
		settle := func(s store.HubSubscription, revision int64) {
			t.Helper()
			if err := db.SettleHubDelivery(t.Context(), s, revision); err != nil {
				t.Fatal(err)
			}
		}
		record(t, db, "o0-home", now, article("o0", "Tin một", now))
		fanOut(t, db)
		first := claim(now)
		record(t, db, "o0-home", now.Add(time.Second), article("o0", "Tin hai", now))
		fanOut(t, db) // while the first is under way
		first.Hash, first.Delivered = "h1", now
		settle(first, first.Wanted)
		s := hubSubscriptions(t, db)["a"]
		if s.Wanted <= first.Wanted || s.Hash != "h1" || s.Since.UnixMilli() != s.Wanted {
			t.Errorf("after the first of two: %+v", s)
		}
		late := claim(now)
		again := claim(now.Add(2 * time.Minute)) // the first lease has run out
		late.Hash = "late"
		settle(late, late.Wanted)
		if s := hubSubscriptions(t, db)["a"]; s.Hash == "late" || s.Wanted == 0 {
			t.Errorf("a process without a lease settled: %+v", s)
		}
		again.State, again.Detail = store.HubEnded, "no answer for a day"
		settle(again, 0)
		if s := hubSubscriptions(t, db)["a"]; s.State != store.HubEnded || s.Wanted != 0 || s.Detail == "" {
			t.Errorf("after the end: %+v", s)
		}
		record(t, db, "o0-home", now.Add(time.Minute), article("o0", "Tin ba", now))
		fanOut(t, db)
		if s := hubSubscriptions(t, db)["a"]; s.Wanted != 0 {
			t.Errorf("an ended subscription waits for %d", s.Wanted)
		}
		subscribed(t, db, "all", "a")
		if s := hubSubscriptions(t, db)["a"]; s.State != store.HubActive || s.Detail != "" {
			t.Errorf("subscribed again: %+v", s)
		}
		if err := db.ExpireHub(t.Context(), now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := len(hubSubscriptions(t, db)); n != 0 {
			t.Errorf("%d subscriptions outlive their lease", n)
		}
	})
}

// A request that took another's place is not confirmed by the answer to that.
func TestHubRequestReplaced(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		subscribe := hubRequest("all", "a", store.HubSubscribe)
		leave := hubRequest("all", "a", store.HubUnsubscribe)
		if err := db.AskHub(t.Context(), leave, roomy); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unsubscribed from nothing: %v", err)
		}
		for _, r := range []store.HubRequest{subscribe, leave} {
			if err := db.AskHub(t.Context(), r, roomy); err != nil {
				t.Fatal(err)
			}
		}
		if done, err := db.ConfirmHubRequest(t.Context(), subscribe, now); err != nil || done {
			t.Errorf("confirmed what was taken back: %v, %v", done, err)
		}
		if done, err := db.ConfirmHubRequest(t.Context(), leave, now); err != nil || !done {
			t.Errorf("the newer request is not confirmed: %v, %v", done, err)
		}
		if n := len(hubSubscriptions(t, db)); n != 0 {
			t.Errorf("%d subscriptions, want none", n)
		}
	})
}

func TestHubLimits(t *testing.T) {
	t.Parallel()
	request := func(n int) store.HubRequest {
		return hubRequest("all", fmt.Sprint("c", n), store.HubSubscribe)
	}
	for _, tc := range []struct {
		name   string
		limits store.HubLimits
		verify bool // before the next asks
		fail   bool
	}{
		{name: "pending of a client", limits: store.HubLimits{Subscriptions: 9, PerHost: 9, Requests: 9, ClientAsks: 2, HostAsks: 9}},
		{name: "failed of a client", limits: store.HubLimits{Subscriptions: 9, PerHost: 9, Requests: 9, ClientAsks: 2, HostAsks: 9}, fail: true},
		{name: "pending of a host", limits: store.HubLimits{Subscriptions: 9, PerHost: 9, Requests: 9, ClientAsks: 9, HostAsks: 2}},
		{name: "pending of all", limits: store.HubLimits{Subscriptions: 9, PerHost: 9, Requests: 2, ClientAsks: 9, HostAsks: 9}},
		{name: "subscriptions of a host", limits: store.HubLimits{Subscriptions: 9, PerHost: 2, Requests: 9, ClientAsks: 9, HostAsks: 9}, verify: true},
		{name: "subscriptions of all", limits: store.HubLimits{Subscriptions: 2, PerHost: 9, Requests: 9, ClientAsks: 9, HostAsks: 9}, verify: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			engines(t, func(t *testing.T, open func() *store.DB) {
				db := open()
				for n := range 2 {
					if err := db.AskHub(t.Context(), request(n), tc.limits); err != nil {
						t.Fatal(err)
					}
					if tc.verify {
						if _, err := db.ConfirmHubRequest(t.Context(), request(n), now); err != nil {
							t.Fatal(err)
						}
					}
					if tc.fail {
						r := request(n)
						r.NextAt = now.Add(time.Minute)
						if err := db.PostponeHubRequest(t.Context(), r, true); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := db.AskHub(t.Context(), request(2), tc.limits); !errors.Is(err, store.ErrHubLimit) {
					t.Errorf("a third: %v, want ErrHubLimit", err)
				}
				if err := db.AskHub(t.Context(), request(1), tc.limits); err != nil && !tc.fail {
					t.Errorf("the second again: %v", err)
				}
				if tc.fail {
					if err := db.ExpireHub(t.Context(), now.Add(time.Minute)); err != nil {
						t.Fatal(err)
					}
					if err := db.AskHub(t.Context(), request(2), tc.limits); err != nil {
						t.Errorf("after a while: %v", err)
					}
				}
			})
		})
	}
}

func TestHubCanary(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for _, fresh := range []string{"one", "two"} {
			if got, err := db.HubCanary(t.Context(), fresh); err != nil || got != "one" {
				t.Errorf("token %q, %v; want one", got, err)
			}
		}
		subscribed(t, db, "all", "a")
		c, err := db.HubCounts(t.Context())
		if err != nil || c.Active != 1 || !c.OldestWaiting.IsZero() {
			t.Errorf("counts %+v, %v", c, err)
		}
	})
}
