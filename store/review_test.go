package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// relating finds that everything near is on the same event.
type relating struct{ sameTitle }

func (relating) Related(_ *store.Item, near []*store.Item, _ store.Corpus) (all []store.Relation) {
	for i := range near {
		all = append(all, store.Relation{Near: i, Score: 0.5, Why: "chung 50 % lời văn"})
	}
	return all
}

// reviewing has the stories Một (of two outlets), Hai and Ba, Ba without a
// topic, all on one event.
func reviewing(t *testing.T, db *store.DB) (one, two, three string) {
	t.Helper()
	sync1(t, db, 3)
	for i, title := range []string{"Một", "Hai", "Ba", "Một"} {
		o := fmt.Sprintf("o%d", i%3)
		it := article(o, title, now)
		if it.Link += fmt.Sprint("-", i); title == "Ba" {
			it.Topics = nil
		}
		it.Aliases = []string{"link:" + it.Link}
		if i == 3 {
			o, it.Summary = "o1", "Bản của o1"
			it.Link = strings.Replace(it.Link, "o0", "o1", 1)
			it.Aliases = []string{"link:" + it.Link}
		}
		if _, err := db.Record(t.Context(), refresh(t, db, o+"-home", now.Add(time.Duration(i)*time.Minute), it), relating{}); err != nil {
			t.Fatal(err)
		}
	}
	return idOf(t, db, "Một"), idOf(t, db, "Hai"), idOf(t, db, "Ba")
}

func pairsOf(t *testing.T, db *store.DB) string {
	t.Helper()
	pairs, err := db.NearPairs(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range pairs {
		all = append(all, min(p.Story.Quoted.Title, p.Other.Quoted.Title)+"+"+max(p.Story.Quoted.Title, p.Other.Quoted.Title))
	}
	return fmt.Sprint(len(all), " ", strings.Contains(strings.Join(all, " "), "Hai+Một"))
}

func refusedWith(t *testing.T, db *store.DB, r store.Ruling, want string) {
	t.Helper()
	r.Who, r.At = "lan", now.Add(time.Hour)
	if _, err := db.Rule(t.Context(), r, sameTitle{}); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v; want it refused with %q", r.Verb, err, want)
	}
}

// What is near and not merged stands in the queue until an editor rules it
// apart, which keeps the program from merging it, and again when that is undone.
func TestReviewNear(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, two, _ := reviewing(t, db)
		at := now.Add(time.Hour)
		if got, want := pairsOf(t, db), "3 true"; got != want {
			t.Errorf("near: %s, want %s", got, want)
		}
		before := feedOf(t, db, store.Query{})
		looked := rule(t, db, at, store.Ruling{Verb: store.RuleReview, Story: one, Other: two, Why: "hai vụ khác nhau"})
		if got, want := pairsOf(t, db), "2 false"; got != want {
			t.Errorf("near after the review: %s, want %s", got, want)
		}
		if apart, err := db.RuledApart(t.Context(), []string{one}); err != nil || len(apart) != 1 || !apart[[2]string{one, two}] {
			t.Errorf("ruled apart: %v, %v", apart, err)
		}
		if merged, err := db.MergeByItself(t.Context(), two, one, at, sameTitle{}); merged || err != nil {
			t.Errorf("what an editor ruled apart merged by itself: %v, %v", merged, err)
		}
		undo := rule(t, db, at, store.Ruling{Verb: store.RuleRestore, Undoes: looked.ID})
		if undo.Story != one || undo.Other != two {
			t.Errorf("the undoing concerns %s and %s", undo.Story, undo.Other)
		}
		if got, want := pairsOf(t, db), "3 true"; got != want {
			t.Errorf("near after the undoing: %s, want %s", got, want)
		}
		if after := feedOf(t, db, store.Query{}); after != before {
			t.Errorf("readers noticed: %s, before %s", after, before)
		}
		if merged, err := db.MergeByItself(t.Context(), two, one, at, sameTitle{}); !merged || err != nil {
			t.Errorf("after the undoing they may be one again: %v, %v", merged, err)
		}
		refusedWith(t, db, store.Ruling{Verb: store.RuleReview, Story: one, Other: two}, "are one story")
	})
}

// A review does not take from a split what it ruled.
func TestReviewKeepsSplit(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, two, _ := reviewing(t, db)
		at := now.Add(time.Hour)
		rule(t, db, at, store.Ruling{Verb: store.RuleMerge, Story: one, Other: two})
		rule(t, db, at, store.Ruling{Verb: store.RuleUnmerge, Story: two})
		looked := rule(t, db, at, store.Ruling{Verb: store.RuleReview, Story: one, Other: two})
		rule(t, db, at, store.Ruling{Verb: store.RuleRestore, Undoes: looked.ID})
		if merged, err := db.MergeByItself(t.Context(), two, one, at, sameTitle{}); merged || err != nil {
			t.Errorf("what was ruled apart by hand merged by itself: %v, %v", merged, err)
		}
	})
}

func TestReviewFresh(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, _, three := reviewing(t, db)
		at := now.Add(time.Hour)
		fresh := func() []store.FreshMerge {
			t.Helper()
			all, err := db.FreshMerges(t.Context(), false, 10)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		all := fresh()
		if len(all) != 1 || all[0].Story.ID != one || all[0].Outlet.ID != "o1" || all[0].Merge.Reason != "text" {
			t.Fatalf("fresh merges %+v", all)
		}
		item := all[0].Item.ID
		refusedWith(t, db, store.Ruling{Verb: store.RuleReview, Story: three, Items: []int64{item}}, "is not in story")
		looked := rule(t, db, at, store.Ruling{Verb: store.RuleReview, Story: one, Items: []int64{item}})
		if all := fresh(); len(all) > 0 {
			t.Errorf("after the review: %+v", all)
		}
		rule(t, db, at, store.Ruling{Verb: store.RuleRestore, Undoes: looked.ID})
		rule(t, db, at, store.Ruling{Verb: store.RuleReview, Story: three})
		if all := fresh(); len(all) != 1 {
			t.Errorf("after the undoing: %+v", all)
		}
		rule(t, db, at, store.Ruling{Verb: store.RuleHide, Story: one})
		if all, err := db.FreshMerges(t.Context(), true, 10); err != nil || len(all) > 0 {
			t.Errorf("of a hidden story: %+v, %v", all, err)
		}
	})
}

func TestReviewTopicless(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, two, three := reviewing(t, db)
		at := now.Add(time.Hour)
		refusedWith(t, db, store.Ruling{Verb: store.RuleReview, Story: one}, "has topics")
		looked := rule(t, db, at, store.Ruling{Verb: store.RuleReview, Story: three})
		left, err := db.Topicless(t.Context(), []string{one, two, three})
		if err != nil || len(left) != 1 || !left[three] {
			t.Errorf("left without a topic: %v, %v", left, err)
		}
		rule(t, db, at, store.Ruling{Verb: store.RuleRestore, Undoes: looked.ID})
		if left, err := db.Topicless(t.Context(), []string{three}); err != nil || len(left) > 0 {
			t.Errorf("after the undoing: %v, %v", left, err)
		}
	})
}

// The name of a story that readers see no longer is known to editors.
func TestHeadlines(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, two, three := reviewing(t, db)
		at := now.Add(time.Hour)
		rule(t, db, at, store.Ruling{Verb: store.RuleHide, Story: three})
		rule(t, db, at, store.Ruling{Verb: store.RuleMerge, Story: one, Other: two})
		names, err := db.Headlines(t.Context(), []string{one, two, three, "nothing"})
		if err != nil || len(names) != 3 || names[one] != "Một" || names[two] != "Hai" || names[three] != "Ba" {
			t.Errorf("named %v, %v", names, err)
		}
		hidden := rule(t, db, at, store.Ruling{Verb: store.RuleHide, Story: one})
		for story, want := range map[string]int64{one: hidden.ID, two: hidden.ID} {
			if id, by, err := db.HiddenBy(t.Context(), story); id != one || by != want || err != nil {
				t.Errorf("%s is hidden as %s by %d, %v", story, id, by, err)
			}
		}
		if _, _, err := db.HiddenBy(t.Context(), "nothing"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what is not there is hidden: %v", err)
		}
	})
}

// What an undoing gave back can be ordered again, and that stands in the ledger
// as its undoing; nothing else may claim to undo a ruling.
func TestOrderedAgain(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, two, three := reviewing(t, db)
		at := now.Add(time.Hour)
		hidden := rule(t, db, at, store.Ruling{Verb: store.RuleHide, Story: three})
		shown := rule(t, db, at, store.Ruling{Verb: store.RuleRestore, Undoes: hidden.ID})
		refusedWith(t, db, store.Ruling{Verb: store.RuleHide, Story: one, Undoes: shown.ID}, "does not undo")
		again := rule(t, db, at, store.Ruling{Verb: store.RuleHide, Story: three, Undoes: shown.ID})
		refusedWith(t, db, store.Ruling{Verb: store.RuleHide, Story: three, Undoes: shown.ID}, "already undone")
		merged := rule(t, db, at, store.Ruling{Verb: store.RuleMerge, Story: one, Other: two})
		refusedWith(t, db, store.Ruling{Verb: store.RuleTopic, Story: one, Topics: []string{"+the-thao"}, Undoes: merged.ID}, "does not undo")
		apart := rule(t, db, at, store.Ruling{Verb: store.RuleUnmerge, Undoes: merged.ID})
		rule(t, db, at, store.Ruling{Verb: store.RuleMerge, Story: apart.Story, Other: apart.Other, Undoes: apart.ID})
		redirectsTo(t, db, two, one)
		ledger, err := db.Rulings(t.Context(), store.RulingQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range ledger {
			if r.ID == shown.ID && r.Undone != again.ID || r.ID == apart.ID && r.Undone == 0 {
				t.Errorf("ruling %d (%s) is undone by %d", r.ID, r.Verb, r.Undone)
			}
		}
	})
}

func TestProposals(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		p := store.Proposal{Topic: "kinh-te", Phrase: "giá vàng", Effect: store.EffectPhrase, Weight: 2, Places: []string{"title"}, Note: "thiếu tin vàng", Looked: 100, Gained: 7, Lost: 1}
		r, err := db.Propose(t.Context(), "lan", p, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Propose(t.Context(), "minh", p, now); !errors.Is(err, store.ErrRefused) {
			t.Errorf("proposed twice: %v", err)
		}
		if _, err := db.Propose(t.Context(), "", p, now); !errors.Is(err, store.ErrRefused) {
			t.Errorf("proposed by nobody: %v", err)
		}
		p.Effect = store.EffectSilence
		if _, err := db.Propose(t.Context(), "minh", p, now); err != nil {
			t.Errorf("the same phrase to another effect: %v", err)
		}
		all, err := db.Proposals(t.Context())
		if err != nil || len(all) != 2 {
			t.Fatalf("proposals %+v, %v", all, err)
		}
		if got := all[0]; got.ID != r.ID || got.Who != "lan" || !got.At.Equal(now) || got.Note != p.Note || got.Places[0] != "title" || got.Gained != 7 || got.Weight != 2 {
			t.Errorf("proposal %+v", got)
		}
		rule(t, db, now, store.Ruling{Verb: store.RuleRestore, Undoes: r.ID})
		if all, err := db.Proposals(t.Context()); err != nil || len(all) != 1 || all[0].Who != "minh" {
			t.Errorf("after one was taken back: %+v, %v", all, err)
		}
	})
}

func TestGiveReason(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one, _, _ := reviewing(t, db)
		r := rule(t, db, now.Add(time.Hour), store.Ruling{Verb: store.RuleHide, Story: one})
		for _, tt := range []struct {
			name, who, why string
			ok             bool
		}{
			{"by another", "minh", "vì tôi muốn", false},
			{"by the program", "", "vì thế", false},
			{"without words", "lan", "", false},
			{"by who made it", "lan", "ảnh người chưa thành niên", true},
			{"a second time", "lan", "lý do khác", false},
		} {
			if err := db.GiveReason(t.Context(), r.ID, tt.who, tt.why); (err == nil) != tt.ok || err != nil && !errors.Is(err, store.ErrRefused) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		ledger, err := db.Rulings(t.Context(), store.RulingQuery{Story: one, Limit: 1})
		if err != nil || len(ledger) != 1 || ledger[0].Why != "ảnh người chưa thành niên" {
			t.Errorf("ledger %+v, %v", ledger, err)
		}
	})
}
