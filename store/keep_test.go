package store

import (
	"reflect"
	"testing"
	"time"
)

func TestKept(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	for name, it := range map[string]*Item{
		"all":  {ID: 7, Story: "abcdefghijklm", Outlet: "a", Title: "Giá vàng", Link: "https://a.example/1", Published: at, Seen: at.Add(time.Hour), Attribution: Attribution{Text: "TTXVN"}, Form: []byte{1, 2, 3}},
		"bare": {ID: 7, Seen: at, Form: []byte{1}},
	} {
		b := encodeKept(it)
		got, err := decodeKept(7, b)
		if err != nil || !got.Published.Equal(it.Published) || !got.Seen.Equal(it.Seen) {
			t.Fatalf("%s: got %+v, %v", name, got, err)
		}
		got.Published, got.Seen = it.Published, it.Seen
		if !reflect.DeepEqual(got, it) {
			t.Errorf("%s: got %+v, want %+v", name, got, it)
		}
		for n := range len(b) - len(it.Form) {
			if _, err := decodeKept(7, b[:n]); err == nil {
				t.Errorf("%s: the first %d bytes were read", name, n)
			}
		}
	}
	if _, err := decodeKept(7, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err == nil {
		t.Error("another version was read")
	}
}

// What is kept of an item follows it into another story and back.
func TestKeptFollowsTheStory(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, Zone)
	d := newDesk(t)
	one := d.recordWith(letters{}, "a", at, Item{Title: "a", Sketch: []uint32{1}, Form: []byte{1}})
	two := d.recordWith(letters{}, "a", at, Item{Title: "b", Sketch: []uint32{2}, Form: []byte{1}})
	check := func(when, want string) {
		t.Helper()
		var near []*Item
		if err := d.db.do(t.Context(), 1, func(t *tx) (err error) {
			near, err = t.loadNear(millis(at), []int64{2})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(near) != 1 || near[0].Story != want || len(near[0].Form) != 1 {
			t.Errorf("%s: got %+v, want story %s", when, near, want)
		}
	}
	check("new", two)
	for _, r := range []Ruling{{Verb: RuleMerge, Story: one, Other: two}, {Verb: RuleUnmerge, Story: two}} {
		r.Who, r.At = "lan", at
		if _, err := d.db.Rule(t.Context(), r, letters{}); err != nil {
			t.Fatal(err)
		}
		check(string(r.Verb), map[bool]string{true: one, false: two}[r.Verb == RuleMerge])
	}
}
