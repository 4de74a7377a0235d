package store_test

import (
	"slices"
	"testing"
	"time"

	"diemtin/store"
)

// TestProblems: a source's problem begins with the first of two failed visits,
// stays one however its failures change, and ends once.
func TestProblems(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		all, sources := outlets(2)
		if err := db.Sync(t.Context(), all, sources); err != nil {
			t.Fatal(err)
		}
		minute := 0
		at := func(n int) time.Time { return now.Add(time.Duration(n) * time.Minute).UTC() }
		visit := func(source string, o store.Outcome, detail string) {
			t.Helper()
			minute++
			r := refresh(t, db, source, at(minute))
			r.Settle = func(store.Changes) store.SourceState {
				st := r.Source.State
				st.Visited, st.LastTry, st.Outcome, st.Detail, st.Fails = true, at(minute), o, detail, st.Fails+1
				if o.OK() {
					st.Fails = 0
				}
				return st
			}
			if _, err := db.Record(t.Context(), r, sameTitle{}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(when string, want ...store.Problem) {
			t.Helper()
			got, err := db.Problems(t.Context(), 10)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %+v, %v\nwant %+v", when, got, err, want)
			}
		}
		visit("o0-home", store.New, "")
		visit("o0-home", store.Timeout, "one") // minute 2
		check("one failed visit")
		visit("o0-home", store.Unchanged, "")
		visit("o0-home", store.Timeout, "two") // 4
		visit("o0-home", store.HTTP5xx, "three")
		first := store.Problem{Source: "o0-home", Outlet: "o0", Kind: sources[0].Kind, URL: sources[0].URL, Began: at(4), Noted: at(5), Outcome: store.HTTP5xx, Detail: "three"}
		check("two failed visits", first)
		visit("o0-home", store.DNS, "four")
		check("a third, of another kind", first)
		visit("o1-home", store.Gone, "gone") // 7
		gone := store.Problem{Source: "o1-home", Outlet: "o1", Kind: sources[1].Kind, URL: sources[1].URL, Began: at(7), Noted: at(7), Outcome: store.Gone, Detail: "gone"}
		check("a source that has ended", gone, first)
		visit("o0-home", store.NotModified, "") // 8
		first.Ended = at(8)
		check("well again", gone, first)
		visit("o0-home", store.New, "")
		check("still well", gone, first)
		visit("o0-home", store.TLS, "five")
		visit("o0-home", store.TLS, "six")
		second := store.Problem{Source: "o0-home", Outlet: "o0", Kind: sources[0].Kind, URL: sources[0].URL, Began: at(10), Noted: at(11), Outcome: store.TLS, Detail: "six"}
		check("failing again", second, gone, first)
		minute += 100 * 24 * 60
		visit("o0-home", store.New, "")
		visit("o0-home", store.TLS, "seven")
		visit("o0-home", store.TLS, "eight")
		got, err := db.Problems(t.Context(), 10)
		if err != nil || len(got) != 3 || got[1].Began != at(10) {
			t.Errorf("after a hundred days: got %+v, %v; want what ended by then forgotten", got, err)
		}
		if err := db.Sync(t.Context(), all, sources[1:]); err != nil {
			t.Fatal(err)
		}
		check("a source taken out of the file", gone)
	})
}
