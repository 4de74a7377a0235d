package syndicate

import (
	"net/url"
	"reflect"
	"testing"
)

// FuzzEmbedOptions reads options of any address: what is taken is written
// canonically, and read again is the same.
func FuzzEmbedOptions(f *testing.F) {
	for _, q := range []string{"", "count=7&theme=dark&accent=%23AABBCC&images=1&dates=0&lang=en&heading=6&partner=x", "count=-1", "accent=red;x", "theme=", "count=9999999999999999999"} {
		f.Add(q)
	}
	s := &Server{cfg: Config{Partners: []Partner{{ID: "x"}}}, words: languages[0].words}
	all := []string{"count", "theme", "accent", "images", "dates", "lang", "heading", "partner"}
	f.Fuzz(func(t *testing.T, raw string) {
		q, _ := url.ParseQuery(raw)
		o, err := s.readEmbedOptions(q)
		if err != nil {
			return
		}
		again, err := url.ParseQuery(o.query(all))
		if err != nil {
			t.Fatalf("%q is written as %q: %v", raw, o.query(all), err)
		}
		if o2, err := s.readEmbedOptions(again); err != nil || !reflect.DeepEqual(o, o2) {
			t.Errorf("%q is read as %+v, and that as %+v, %v", raw, o, o2, err)
		}
	})
}
