package store_test

import (
	"errors"
	"testing"
	"time"

	"diemtin/store"
)

func TestWithdrawAndRestore(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Bài sẽ gỡ", now), article("o0", "Bài ở lại", now.Add(-time.Hour)))
		story := stories(t, db, store.Query{})[0]
		check := func(at time.Time) store.Check {
			t.Helper()
			due, err := db.Checks(t.Context(), at, time.Minute, 10)
			if err != nil || len(due) != 1 {
				t.Fatalf("%d checks due at %v, want 1, %v", len(due), at, err)
			}
			return due[0]
		}
		alias := "link:http://o0.example/Bài-sẽ-gỡ"
		if err := db.CheckSoon(t.Context(), "o0", []string{alias}, nil, now); err != nil {
			t.Fatal(err)
		}
		first := check(now)
		if link, err := db.Sibling(t.Context(), first); err != nil || link != "http://o0.example/Bài-ở-lại" {
			t.Errorf("sibling %q, %v", link, err)
		}
		if due, _ := db.Checks(t.Context(), now, time.Minute, 10); len(due) != 0 {
			t.Errorf("%d checks claimed twice", len(due))
		}
		verdict := func(c store.Check, v store.Verdict, at time.Time) (withdrawn, restored bool) {
			t.Helper()
			withdrawn, restored, err := db.Checked(t.Context(), c, v, at, sameTitle{})
			if err != nil {
				t.Fatal(err)
			}
			return withdrawn, restored
		}
		if gone, _ := verdict(first, store.Removed, now); gone {
			t.Error("withdrawn after one look")
		}
		at := now.Add(2 * time.Hour)
		if gone, _ := verdict(check(at), store.Removed, at); !gone {
			t.Error("not withdrawn after two looks")
		}
		for _, q := range []store.Query{{}, {Order: store.ByPublished}, {Selection: store.Selection{Outlets: []string{"o0"}, Day: "2024-11-05"}}} {
			if got := stories(t, db, q); len(got) != 1 || got[0].ID == story.ID {
				t.Errorf("%+v shows %d stories, want the other one", q, len(got))
			}
		}
		if _, err := db.Story(t.Context(), story.ID); !errors.Is(err, store.ErrWithdrawn) {
			t.Errorf("story: %v, want ErrWithdrawn", err)
		}
		// A copy elsewhere is a story of its own: nobody would see it in that one.
		if c := record(t, db, "o1-home", at, article("o1", "Bài sẽ gỡ", at)); c.Listed != 1 || len(c.Merged) != 0 {
			t.Errorf("a copy of what was withdrawn changed %+v", c)
		}
		if err := db.CheckSoon(t.Context(), "o0", nil, []string{alias}, at); err != nil {
			t.Fatal(err)
		}
		if _, back := verdict(check(at), store.Alive, at); !back {
			t.Error("not restored")
		}
		got, err := db.Story(t.Context(), story.ID)
		if err != nil || !got.Listed.Equal(story.Listed) || !got.Updated.After(story.Updated) {
			t.Errorf("restored story %+v, %v", got, err)
		}
		if n := len(stories(t, db, store.Query{})); n != 3 {
			t.Errorf("%d stories after the return, want 3", n)
		}
		// An answer that says nothing withdraws nothing, and is not asked for for ever.
		day := now.Add(store.FirstCheck + time.Hour)
		for range 10 {
			due, err := db.Checks(t.Context(), day, time.Minute, 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(due) == 0 {
				break
			}
			for _, c := range due {
				verdict(c, store.Unclear, day)
			}
			day = day.Add(25 * time.Hour)
		}
		if due, _ := db.Checks(t.Context(), day.AddDate(0, 1, 0), time.Minute, 10); len(due) != 0 {
			t.Errorf("%d items are asked for for ever", len(due))
		}
	})
}

// What one outlet takes back, the others still say: the story stays, under
// another of its outlets, and a later copy joins it where it can be seen.
func TestWithdrawLeavesTheCopies(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 3)
		record(t, db, "o0-home", now, article("o0", "Bài chung", now))
		record(t, db, "o1-home", now.Add(time.Minute), article("o1", "Bài chung", now))
		before := stories(t, db, store.Query{})[0]
		alias := "link:http://o0.example/Bài-chung"
		if err := db.CheckSoon(t.Context(), "o0", []string{alias}, nil, now); err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{now, now.Add(2 * time.Hour)} {
			due, err := db.Checks(t.Context(), at, time.Minute, 10)
			if err != nil || len(due) != 1 {
				t.Fatalf("%d checks, %v", len(due), err)
			}
			if _, _, err := db.Checked(t.Context(), due[0], store.Removed, at, sameTitle{}); err != nil {
				t.Fatal(err)
			}
		}
		got := stories(t, db, store.Query{})
		if len(got) != 1 || got[0].ID != before.ID || got[0].Quoted.Outlet != "o1" || !got[0].Listed.Equal(before.Listed) || !got[0].Updated.After(before.Updated) {
			t.Fatalf("after o0 took it back: %+v", got)
		}
		for outlet, want := range map[string]int{"o0": 0, "o1": 1} {
			if n := len(stories(t, db, store.Query{Selection: store.Selection{Outlets: []string{outlet}}})); n != want {
				t.Errorf("%s lists %d stories, want %d", outlet, n, want)
			}
		}
		if c := record(t, db, "o2-home", now.Add(3*time.Hour), article("o2", "Bài chung", now)); c.Merged["text"] != 1 {
			t.Errorf("a later copy changed %+v", c)
		}
		if err := db.CheckSoon(t.Context(), "o0", nil, []string{alias}, now.Add(4*time.Hour)); err != nil {
			t.Fatal(err)
		}
		due, err := db.Checks(t.Context(), now.Add(4*time.Hour), time.Minute, 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("%d checks, %v", len(due), err)
		}
		if _, back, err := db.Checked(t.Context(), due[0], store.Alive, now.Add(4*time.Hour), sameTitle{}); !back || err != nil {
			t.Errorf("not restored: %v", err)
		}
		if copies, err := db.Copies(t.Context(), before.ID); err != nil || len(copies) != 3 {
			t.Errorf("%d copies after the return, %v", len(copies), err)
		}
	})
}

// Each of two outlets takes its article back; whichever returns first brings
// the story back, under its own name.
func TestRestoreWhileTheQuotedIsGone(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "Bài chung", now))
		record(t, db, "o1-home", now.Add(time.Minute), article("o1", "Bài chung", now))
		before := stories(t, db, store.Query{})[0]
		look := func(outlet string, gone, back []string, v store.Verdict, at time.Time) {
			t.Helper()
			if err := db.CheckSoon(t.Context(), outlet, gone, back, at); err != nil {
				t.Fatal(err)
			}
			due, err := db.Checks(t.Context(), at, time.Minute, 10)
			if err != nil || len(due) != 1 {
				t.Fatalf("%s: %d checks, %v", outlet, len(due), err)
			}
			if _, _, err := db.Checked(t.Context(), due[0], v, at, sameTitle{}); err != nil {
				t.Fatal(err)
			}
		}
		at := now
		for _, outlet := range []string{"o0", "o0", "o1", "o1"} {
			look(outlet, []string{"link:http://" + outlet + ".example/Bài-chung"}, nil, store.Removed, at)
			at = at.Add(2 * time.Hour)
		}
		if n := len(stories(t, db, store.Query{})); n != 0 {
			t.Fatalf("%d stories though every outlet took it back", n)
		}
		look("o0", nil, []string{"link:http://o0.example/Bài-chung"}, store.Alive, at)
		got := stories(t, db, store.Query{})
		if len(got) != 1 || got[0].ID != before.ID || got[0].Quoted.Outlet != "o0" || !got[0].Listed.Equal(before.Listed) {
			t.Fatalf("after o0 was back: %+v", got)
		}
		if _, err := db.Story(t.Context(), before.ID); err != nil {
			t.Errorf("its page: %v", err)
		}
		look("o1", nil, []string{"link:http://o1.example/Bài-chung"}, store.Alive, at.Add(time.Hour))
		if got := stories(t, db, store.Query{}); len(got) != 1 || got[0].Quoted.Outlet != "o0" {
			t.Errorf("after o1 was back too: %+v", got)
		}
	})
}

// An item that vanished early and is there has its look after a day all the
// same, and that is the last.
func TestEarlyLookDoesNotReplaceTheOneAfterADay(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		record(t, db, "o0-home", now, article("o0", "Bài", now))
		if err := db.CheckSoon(t.Context(), "o0", []string{"link:http://o0.example/Bài"}, nil, now); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			due   int
		}{{0, 1}, {store.FirstCheck - time.Minute, 0}, {store.FirstCheck + time.Minute, 1}, {30 * 24 * time.Hour, 0}} {
			at := now.Add(step.after)
			due, err := db.Checks(t.Context(), at, time.Minute, 10)
			if err != nil || len(due) != step.due {
				t.Fatalf("after %v: %d checks, %v; want %d", step.after, len(due), err, step.due)
			}
			for _, c := range due {
				if _, _, err := db.Checked(t.Context(), c, store.Alive, at, sameTitle{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
