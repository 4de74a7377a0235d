package store_test

import (
	"testing"

	"diemtin/store"
)

// What was learned comes back as it was stored, on both engines; a source that
// was never visited has learned nothing.
func TestLearnedIsKept(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 2)
		learned := `{"until":1730790900000,"count":"AAE="}`
		r := refresh(t, db, "o1-home", now)
		settle := r.Settle
		r.Settle = func(c store.Changes) store.SourceState {
			st := settle(c)
			st.Learned = learned
			return st
		}
		if _, err := db.Record(t.Context(), r, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		sync1(t, db, 2) // a restart
		for id, want := range map[string]string{"o0-home": "", "o1-home": learned} {
			if s, err := db.Source(t.Context(), id); err != nil || s.State.Learned != want {
				t.Errorf("%s learned %q (%v), want %q", id, s.State.Learned, err, want)
			}
		}
	})
}

// What a hub delivered may change an item that the outlet then takes back in a
// document we have already seen: so a delivery that changes one makes the next
// visit ask for the document without conditions. One that brings news alone,
// or nothing, does not.
func TestDeliveredChangeAsksForTheWhole(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		old, edited, news := article("o0", "Lũ trên sông Hồng", now), article("o0", "Lũ trên sông Hồng", now), article("o0", "Họp chi bộ", now)
		edited.Summary, edited.Fingerprint = "Nước đã rút", 99
		visited := refresh(t, db, "o0-home", now, old)
		settle := visited.Settle
		visited.Settle = func(c store.Changes) store.SourceState {
			st := settle(c)
			st.ETag, st.LastModified, st.BodyHash = `"1"`, "Tue, 05 Nov 2024 08:15:00 GMT", "abc"
			return st
		}
		if _, err := db.Record(t.Context(), visited, sameTitle{}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			item store.Item
			want string
		}{{"nothing new", old, `"1"`}, {"news", news, `"1"`}, {"a change", edited, ""}} {
			r := refresh(t, db, "o0-home", now, tt.item)
			r.Settle = nil
			if _, err := db.Record(t.Context(), r, sameTitle{}); err != nil {
				t.Fatal(err)
			}
			if s, err := db.Source(t.Context(), "o0-home"); err != nil || s.State.ETag != tt.want || (s.State.BodyHash == "") != (tt.want == "") {
				t.Errorf("%s delivered: etag %q, hash %q (%v), want etag %q", tt.name, s.State.ETag, s.State.BodyHash, err, tt.want)
			}
		}
	})
}
