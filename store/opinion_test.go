package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"diemtin/store"
)

// One process learns, at most once in a span and only from enough new items;
// the others read what it stored.
func TestOpinion(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		claim := func(at time.Time) bool {
			t.Helper()
			ok, err := db.ClaimOpinion(t.Context(), at, time.Hour, 3)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		more := func(from int) {
			for i := range 3 {
				record(t, db, "o0-home", now.Add(time.Duration(from+i)*time.Second), article("o0", fmt.Sprintf("Bài %d", from+i), now))
			}
		}
		if claim(now) {
			t.Error("claimed without items")
		}
		more(0)
		if !claim(now) || claim(now.Add(time.Minute)) {
			t.Error("want one claim within the hour")
		}
		if _, _, err := db.Opinion(t.Context(), time.Time{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an opinion that nobody has learned: %v", err)
		}
		if err := db.SaveOpinion(t.Context(), []byte{1, 0, 2}, now); err != nil {
			t.Fatal(err)
		}
		if claim(now.Add(2 * time.Hour)) {
			t.Error("claimed without new items")
		}
		more(3)
		if claim(now.Add(30*time.Minute)) || !claim(now.Add(2*time.Hour)) {
			t.Error("want a claim after an hour, and none before")
		}
		model, at, err := db.Opinion(t.Context(), time.Time{})
		if err != nil || string(model) != "\x01\x00\x02" || !at.Equal(now) {
			t.Errorf("got %v of %v, %v", model, at, err)
		}
		if _, _, err := db.Opinion(t.Context(), now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nothing newer is there: %v", err)
		}
		if err := db.SaveOpinion(t.Context(), nil, now.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if model, _, err := db.Opinion(t.Context(), now); err != nil || len(model) != 0 {
			t.Errorf("one that was given up: %v, %v", model, err)
		}
	})
}

// The second opinion on a copy gives a story nothing that has topics already.
func TestOpinionOfCopy(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Một bài", now))
		copied := article("o1", "Một bài", now)
		copied.Topics = []store.ItemTopic{primary(tp("the-thao", "opinion"))}
		record(t, db, "o1-home", now.Add(time.Hour), copied)
		if got := feedOf(t, db, inTopic("the-thao")); got != "" {
			t.Errorf("the topic has %q", got)
		}
	})
}
