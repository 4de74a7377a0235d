package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"diemtin/store"
)

// TestPartnerHides: what a partner hides is hidden from it alone, with a
// revision that each change raises, until it is shown again.
func TestPartnerHides(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "một", now), article("o0", "hai", now))
		record(t, db, "o1-home", now, article("o1", "ba", now))
		stories, err := db.Stories(t.Context(), store.Query{Order: store.ByPublished, Limit: 10})
		if err != nil || len(stories) != 3 {
			t.Fatalf("%d stories, %v", len(stories), err)
		}
		first, second := stories[0].ID, stories[1].ID
		hidden := func(partner string, want ...string) store.Revision {
			t.Helper()
			h, err := db.HiddenFrom(t.Context(), partner)
			slices.Sort(want)
			if err != nil || !slices.Equal(h.Stories, want) {
				t.Errorf("%s hides %q, %v; want %q", partner, h.Stories, err, want)
			}
			return h.Revision
		}
		if rev := hidden("x"); rev.N != 0 {
			t.Errorf("revision of a partner that never hid anything: %d", rev.N)
		}
		done, err := db.HideFromPartner(t.Context(), store.PartnerHide{Partner: "x", Story: first, Who: "lan", Why: "trùng tin nhà", At: now})
		if err != nil || done.Story != first {
			t.Fatalf("hide: %+v, %v", done, err)
		}
		one := hidden("x", first)
		hidden("y")
		if _, err := db.HideFromPartner(t.Context(), store.PartnerHide{Partner: "x", Story: first, Who: "lan", At: now}); !errors.Is(err, store.ErrRefused) {
			t.Errorf("hidden twice: %v, want ErrRefused", err)
		}
		if _, err := db.HideFromPartner(t.Context(), store.PartnerHide{Partner: "x", Story: "aaaaaaaaaaaaa", Who: "lan", At: now}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no such story: %v, want ErrNotFound", err)
		}
		if _, err := db.HideFromPartner(t.Context(), store.PartnerHide{Partner: "x", Story: second, Who: "lan", At: now}); err != nil {
			t.Fatal(err)
		}
		two := hidden("x", first, second)
		if two.N <= one.N {
			t.Errorf("revisions %d and %d of two changes in one moment: want them to grow", one.N, two.N)
		}
		show := store.Ruling{Partner: "x", Story: first, Who: "minh", At: now, Why: "lại cần"}
		shown, err := db.ShowToPartner(t.Context(), show)
		if err != nil || shown.Undoes != done.Ruling {
			t.Fatalf("shown again: %+v, %v", shown, err)
		}
		if three := hidden("x", second); three.N <= two.N {
			t.Errorf("showing again left the revision at %d", three.N)
		}
		if _, err := db.ShowToPartner(t.Context(), show); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("shown twice: %v, want ErrNotFound", err)
		}
		log, err := db.PartnerHides(t.Context(), "x")
		if err != nil || len(log) != 2 || log[1].Story != first || log[1].UntilWho != "minh" || log[1].Why != "trùng tin nhà" || !log[0].Until.IsZero() {
			t.Errorf("log: %+v, %v", log, err)
		}
		if all, err := db.PartnerHides(t.Context(), ""); err != nil || len(all) != 2 {
			t.Errorf("log of all: %+v, %v", all, err)
		}
		ledger, err := db.Rulings(t.Context(), store.RulingQuery{Humans: true, Limit: 10})
		if err != nil || len(ledger) != 3 {
			t.Fatalf("ledger: %+v, %v; want what was carried out, and not what was refused", ledger, err)
		}
		if r := ledger[0]; r.Verb != store.RuleRestore || r.Partner != "x" || r.Who != "minh" || r.Story != first || r.Undoes != done.Ruling || r.Why != "lại cần" {
			t.Errorf("the showing stands as %+v", r)
		}
		if r := ledger[2]; r.Verb != store.RulePartnerHide || r.Partner != "x" || r.Who != "lan" || r.Story != first || r.Undone != shown.ID || r.Why != "trùng tin nhà" {
			t.Errorf("the hiding stands as %+v", r)
		}
		// Who undoes the entry shows the story again.
		if _, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: now, Verb: store.RuleRestore, Undoes: ledger[1].ID}, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		if four := hidden("x"); four.N <= two.N+1 {
			t.Errorf("undoing the entry left the revision at %d", four.N)
		}
		if _, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: now, Verb: store.RuleRestore, Undoes: done.Ruling}, sameTitle{}); !errors.Is(err, store.ErrRefused) {
			t.Errorf("undone twice: %v, want ErrRefused", err)
		}
	})
}

// TestPartnerKeys: a key opens until it is revoked, and never again; that of
// feeds.yaml is revoked with the others.
func TestPartnerKeys(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		by := store.Ruling{Who: "lan", At: now, Partner: "x", Why: "đổi khoá"}
		holds := func(hash string) bool {
			t.Helper()
			k, err := db.KeyOf(t.Context(), hash)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil && k.Partner == "x" && k.Until.IsZero()
		}
		if _, _, err := db.RevokeKeys(t.Context(), by, ""); !errors.Is(err, store.ErrRefused) {
			t.Errorf("revoked where there is none: %v", err)
		}
		for i := range 10 {
			if _, err := db.IssueKey(t.Context(), by, string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
		}
		for _, hash := range []string{"a", "z"} {
			if _, err := db.IssueKey(t.Context(), by, hash); !errors.Is(err, store.ErrRefused) {
				t.Errorf("key %s: %v, want ErrRefused", hash, err)
			}
		}
		if !holds("a") || holds("z") {
			t.Error("what is issued does not hold, or what is not")
		}
		if done, n, err := db.RevokeKeys(t.Context(), by, "file"); err != nil || n != 11 || done.Verb != store.RuleRevoke || done.Partner != "x" {
			t.Errorf("revoked %d: %+v, %v", n, done, err)
		}
		if k, err := db.KeyOf(t.Context(), "file"); err != nil || k.Until.IsZero() || holds("a") {
			t.Errorf("after revoking: %+v, %v", k, err)
		}
		if _, err := db.IssueKey(t.Context(), by, "a"); !errors.Is(err, store.ErrRefused) {
			t.Errorf("a revoked key is issued again: %v", err)
		}
		if all, err := db.Rulings(t.Context(), store.RulingQuery{Verb: store.RuleKey, Limit: 20}); err != nil || len(all) != 10 || all[0].Who != "lan" {
			t.Errorf("ledger: %d entries, %v", len(all), err)
		}
	})
}

// TestPartnerHidesWhatWasMerged: a story that a partner hides stays hidden when
// it becomes part of another.
func TestPartnerHidesWhatWasMerged(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		record(t, db, "o0-home", now, article("o0", "một", now))
		record(t, db, "o1-home", now, article("o1", "hai", now))
		stories, err := db.Stories(t.Context(), store.Query{Order: store.ByPublished, Limit: 10})
		if err != nil || len(stories) != 2 {
			t.Fatalf("%d stories, %v", len(stories), err)
		}
		lost, kept := stories[0].ID, stories[1].ID
		if _, err := db.HideFromPartner(t.Context(), store.PartnerHide{Partner: "x", Story: lost, Who: "lan", At: now}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Rule(t.Context(), store.Ruling{Who: "lan", At: now.Add(time.Minute), Verb: store.RuleMerge, Story: kept, Other: lost}, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		h, err := db.HiddenFrom(t.Context(), "x")
		if err != nil || !slices.Contains(h.Stories, kept) || !slices.Contains(h.Stories, lost) {
			t.Errorf("hides %q, %v; want %s, and %s that it is part of now", h.Stories, err, lost, kept)
		}
	})
}
