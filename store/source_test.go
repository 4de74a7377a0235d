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
