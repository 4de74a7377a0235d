package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

func subscription(source, token string) store.Push {
	return store.Push{Token: token, Source: source, Hub: "https://hub.example/", Topic: "https://" + source + ".example/rss",
		Callback: "https://tin.example.vn/websub/" + token, Secret: "s-" + token}
}

func openPush(t *testing.T, db *store.DB, p store.Push) {
	t.Helper()
	if opened, err := db.OpenPush(t.Context(), p, now); err != nil || !opened {
		t.Fatalf("open %s: %v, %v", p.Token, opened, err)
	}
}

func pushOf(t *testing.T, db *store.DB, token string) store.Push {
	t.Helper()
	p, err := db.Push(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A source has one subscription, however many processes read its document; a
// new hub takes the place of the old one, which is told if it ever verified.
func TestOpenPush(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		openPush(t, db, subscription("o0-home", "a"))
		if again, err := db.OpenPush(t.Context(), subscription("o0-home", "b"), now); err != nil || again {
			t.Errorf("the same subscription opened twice: %v, %v", again, err)
		}
		other := subscription("o0-home", "c")
		other.Hub = "https://other.example/"
		openPush(t, db, other)
		if _, err := db.Push(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a subscription that was never verified is kept: %v", err)
		}
		if err := db.VerifyPush(t.Context(), "c", now, now.Add(time.Hour), now.Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		openPush(t, db, subscription("o0-home", "d"))
		if p := pushOf(t, db, "c"); p.State != store.PushLeaving || !p.Free(now) {
			t.Errorf("the former subscription is %+v, want it leaving and due", p)
		}
		if err := db.VerifyPush(t.Context(), "c", now, now, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("verified while leaving: %v, want ErrNotFound", err)
		}
		all, err := db.Pushes(t.Context())
		if err != nil || len(all) != 2 {
			t.Errorf("%d subscriptions, %v; want 2", len(all), err)
		}
	})
}

func TestClaimPushes(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 20)
		for i := range 20 {
			openPush(t, db, subscription(fmt.Sprintf("o%d-home", i), fmt.Sprint("t", i)))
		}
		var mu sync.Mutex
		claimed := map[string]int{}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for {
					got, err := db.ClaimPushes(t.Context(), store.Claim{Now: now, Lease: time.Minute, By: fmt.Sprint(w), Limit: 3})
					if err != nil {
						t.Error(err)
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, p := range got {
						claimed[p.Token]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for token, n := range claimed {
			if n != 1 {
				t.Errorf("%s claimed %d times", token, n)
			}
		}
		if len(claimed) != 20 {
			t.Errorf("%d claimed, want 20", len(claimed))
		}
		later := now.Add(2 * time.Minute)
		if got, err := db.ClaimPushes(t.Context(), store.Claim{Now: later, Lease: time.Minute, By: "x", Limit: 100}); err != nil || len(got) != 20 {
			t.Errorf("%d claimed after the leases ended, %v; want 20", len(got), err)
		}
		if err := db.Release(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		if got, err := db.ClaimPushes(t.Context(), store.Claim{Now: later, Lease: time.Minute, By: "y", Limit: 100}); err != nil || len(got) != 20 {
			t.Errorf("%d claimed after a release, %v; want 20", len(got), err)
		}
	})
}

// A hub that verifies while it is being asked has the last word.
func TestSettlePush(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		claim := func() store.Push {
			t.Helper()
			got, err := db.ClaimPushes(t.Context(), store.Claim{Now: now, Lease: time.Minute, By: "x", Limit: 1})
			if err != nil || len(got) != 1 {
				t.Fatalf("claimed %d, %v", len(got), err)
			}
			return got[0]
		}
		settle := func(p store.Push) {
			t.Helper()
			p.State, p.Fails, p.Detail, p.NextAt = store.PushPending, 1, "no answer", now.Add(time.Minute)
			if err := db.SettlePush(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		openPush(t, db, subscription("o0-home", "a"))
		settle(claim())
		if p := pushOf(t, db, "a"); p.Fails != 1 || p.Detail != "no answer" || p.Free(now) || !p.Free(now.Add(time.Minute)) {
			t.Errorf("settled %+v", p)
		}
		openPush(t, db, subscription("o1-home", "b"))
		p := claim()
		if err := db.VerifyPush(t.Context(), "b", now, now.Add(time.Hour), now.Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		settle(p)
		if p := pushOf(t, db, "b"); p.State != store.PushVerified || p.Fails != 0 || !p.NextAt.Equal(now.Add(30*time.Minute)) || !p.Free(p.NextAt) {
			t.Errorf("verified meanwhile, then settled: %+v", p)
		}
		for range 2 {
			if err := db.MissPush(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
		}
		if p := pushOf(t, db, "b"); p.Missed != 2 {
			t.Errorf("missed %d, want 2", p.Missed)
		}
		if err := db.DeliveredPush(t.Context(), "b", now); err != nil {
			t.Fatal(err)
		}
		if p := pushOf(t, db, "b"); p.Missed != 0 || !p.Delivered.Equal(now) {
			t.Errorf("after a delivery %+v", p)
		}
		if err := db.DenyPush(t.Context(), "b", "no", now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if p := pushOf(t, db, "b"); p.State != store.PushDenied || p.Detail != "no" || p.Fails != 1 || !p.Expires.IsZero() {
			t.Errorf("denied %+v", p)
		}
	})
}

func TestLeaveUnwanted(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		for _, id := range []string{"o0", "o1"} {
			openPush(t, db, subscription(id+"-home", id))
			if err := db.VerifyPush(t.Context(), id, now, now.Add(time.Hour), now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		sync1(t, db, 1)
		if p := pushOf(t, db, "o1"); p.Wanted {
			t.Error("a source that left feeds.yaml still wants its subscription")
		}
		if err := db.LeaveUnwanted(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if a, b := pushOf(t, db, "o0"), pushOf(t, db, "o1"); a.State != store.PushVerified || b.State != store.PushLeaving {
			t.Errorf("states %s and %s, want verified and leaving", a.State, b.State)
		}
		if err := db.DropPush(t.Context(), "o1"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Push(t.Context(), "o1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("dropped subscription: %v, want ErrNotFound", err)
		}
	})
}

// What was delivered leaves the source's state and lease to its visitor.
func TestRecordOfDelivery(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		record(t, db, "o0-home", now, article("o0", "Bài cũ", now))
		src, err := db.Source(t.Context(), "o0-home")
		if err != nil {
			t.Fatal(err)
		}
		later := now.Add(time.Hour)
		if got, err := db.Due(t.Context(), store.Claim{Now: later, Lease: time.Minute, By: "visitor", Limit: 1, All: true}); err != nil || len(got) != 1 {
			t.Fatalf("claimed %d, %v", len(got), err)
		}
		c, err := db.Record(t.Context(), store.Refresh{Source: src, At: later, Items: []store.Item{article("o0", "Bài mới", later)}}, sameTitle{})
		if err != nil || c.New != 1 || c.Listed != 1 {
			t.Fatalf("changes %+v, %v", c, err)
		}
		after, err := db.Source(t.Context(), "o0-home")
		if err != nil {
			t.Fatal(err)
		}
		want := src.State
		want.LastNew = later.UTC()
		if got := after.State; !got.LastNew.Equal(later) || got.ETag != want.ETag || !got.NextAt.Equal(want.NextAt) || got.Outcome != want.Outcome {
			t.Errorf("state %+v, want %+v", got, want)
		}
		if got, err := db.Due(t.Context(), store.Claim{Now: later, Lease: time.Minute, By: "other", Limit: 1, All: true}); err != nil || len(got) != 0 {
			t.Errorf("the visitor lost its lease to a delivery: %d, %v", len(got), err)
		}
	})
}
