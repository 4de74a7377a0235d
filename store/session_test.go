package store_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"diemtin/store"
)

// A session is known to every process on the database until it is ended; the
// one used longest ago makes room.
func TestSessions(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		there := func(id string) bool {
			t.Helper()
			_, err := db.Session(t.Context(), id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		for i, id := range []string{"a", "b", "c"} {
			at := now.Add(time.Duration(i) * time.Minute)
			if err := db.BeginSession(t.Context(), store.Session{ID: id, Who: "lan", Token: "x", Began: at, Used: at}, 3); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := db.Session(t.Context(), "a"); err != nil || s.Who != "lan" || s.Token != "x" || !s.Began.Equal(now) || !s.Used.Equal(now) {
			t.Errorf("session %+v, %v", s, err)
		}
		late := now.Add(time.Hour)
		for _, at := range []time.Time{late, now} { // the second comes from a process whose clock is behind
			if err := db.UseSession(t.Context(), "a", at); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := db.Session(t.Context(), "a"); err != nil || !s.Used.Equal(late) {
			t.Errorf("used at %s, %v", s.Used, err)
		}
		if err := db.BeginSession(t.Context(), store.Session{ID: "d", Who: "minh", Token: "y", Began: late, Used: late}, 3); err != nil {
			t.Fatal(err)
		}
		if !there("a") || there("b") || !there("c") || !there("d") {
			t.Error("another than the one used longest ago made room")
		}
		for range 2 {
			if err := db.EndSession(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		if there("a") {
			t.Error("it was ended, and is there")
		}
		one, err := db.SharedKey(t.Context(), "x")
		if err != nil || len(one) != 32 {
			t.Fatalf("key of %d bytes, %v", len(one), err)
		}
		again, err := db.SharedKey(t.Context(), "x")
		other, err2 := db.SharedKey(t.Context(), "y")
		if err != nil || err2 != nil || !bytes.Equal(one, again) || bytes.Equal(one, other) {
			t.Errorf("%x, %x and %x, %v, %v: want the first two alike", one, again, other, err, err2)
		}
	})
}
