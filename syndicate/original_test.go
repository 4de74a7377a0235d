package syndicate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"diemtin/store"
)

// wireJudge puts every item into one story; the original is the first that
// names no source, else the first.
type wireJudge struct{ firstJudge }

func (wireJudge) Match(_ *store.Item, near []*store.Item) (int, store.Merge) {
	if len(near) == 0 {
		return -1, store.Merge{}
	}
	return 0, store.Merge{Reason: "text", Score: 1}
}

func (wireJudge) Original(items []store.Item, _ map[string]store.Outlet) (int, string) {
	if i := slices.IndexFunc(items, func(it store.Item) bool { return it.Attribution.Text == "" }); i >= 0 {
		return i, "names no source"
	}
	return 0, "first"
}

// wire stores one copy of the same text.
func (s *feedSite) wire(outlet, title, theo string) {
	s.t.Helper()
	link := "https://" + outlet + ".example.vn/tin/song.html"
	it := store.Item{Title: title, Link: link, Summary: "Tóm tắt của " + outlet + ".", Authors: []string{"PV " + outlet},
		Published: s.clock.now().Add(-time.Minute), Aliases: []string{"link:" + link}, Sketch: []uint32{1, 2, 3},
		Attribution: store.Attribution{Text: theo}, Fingerprint: 1,
		Topics: []store.ItemTopic{{Topic: "kinh-te", Score: 1, Primary: true}}}
	src, err := s.db.Source(context.Background(), outlet+"-home")
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.db.Record(context.Background(), store.Refresh{Source: src, At: s.clock.now(), Items: []store.Item{it},
		Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, wireJudge{})
	if err != nil {
		s.t.Fatal(err)
	}
}

// identities are by what readers know an entry again: guid; id; link; sfeed by
// those and the title. The order and the times are what they sort by.
func identities(t *testing.T, doc []byte) []string {
	t.Helper()
	feed, err := gofeed.NewParser().ParseString(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, it := range feed.Items {
		all = append(all, fmt.Sprint(it.GUID, " ", it.Link, " ", it.Title, " ", it.Published, " ", it.Authors[0].Name))
	}
	return all
}

// TestLateOriginal: the original arrives after a copy is listed. In every
// format the entry stays what it was and where it was; it says whose the
// original is, and that it changed.
func TestLateOriginal(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.publish("trunguong", "kinh-te", 1)
	s.clock.forward(time.Minute)
	s.wire("laocai", "Lũ về trên sông", "Báo Trung Ương")
	s.clock.forward(time.Minute)
	s.publish("trunguong", "kinh-te", 2)
	paths := []string{"/feed.rss", "/feed.atom", "/feed.json", "/topics/kinh-te/feed.rss", "/topics/kinh-te/feed.atom", "/outlets/laocai/feed.json"}
	before, etags := map[string][]byte{}, map[string]string{}
	for _, p := range paths {
		resp, body := s.get(p)
		before[p], etags[p] = body, resp.Header.Get("ETag")
	}
	s.clock.forward(2 * time.Hour)
	s.wire("trunguong", "Lũ lớn trên sông Hồng", "")
	s.clock.forward(2 * time.Second)
	for _, p := range paths {
		resp, body := s.get(p, "If-None-Match", etags[p])
		if resp.StatusCode != 200 {
			t.Errorf("%s: %s, want the update", p, resp.Status)
			continue
		}
		was, is := identities(t, before[p]), identities(t, body)
		if !slices.Equal(was, is) {
			t.Errorf("%s: an entry changed or moved:\n%q\nwas\n%q", p, is, was)
		}
		const original = "https://trunguong.example.vn/tin/song.html"
		text := string(body)
		if strings.Contains(string(before[p]), original) || !strings.Contains(text, "Bản gốc: ") || strings.Contains(text, "Lũ lớn") {
			t.Errorf("%s: want the original's name and address, and none of its words", p)
		}
		mark := map[string]string{"rss": `<atom:link href="` + original + `" rel="via">`, "atom": `<link href="` + original + `" rel="via" type="text/html">`,
			"json": `"original":"` + original + `"`}[p[strings.LastIndexByte(p, '.')+1:]]
		if !strings.Contains(text, mark) {
			t.Errorf("%s: lacks %s", p, mark)
		}
	}
	// A further copy is nothing to tell readers.
	for _, p := range paths {
		resp, _ := s.get(p)
		etags[p] = resp.Header.Get("ETag")
	}
	s.clock.forward(time.Minute)
	s.wire("tieude", "Lũ sông Hồng lên nhanh", "Báo Trung Ương")
	s.clock.forward(2 * time.Second)
	for _, p := range paths {
		if resp, _ := s.get(p, "If-None-Match", etags[p]); resp.StatusCode != 304 {
			t.Errorf("%s after a further copy: %s, want 304", p, resp.Status)
		}
	}
}

func TestAttributionOfACompiledText(t *testing.T) {
	t.Parallel()
	f := sampleFeed("", "", sampleStory(1, sampleConfig().Outlets[1], quoted(func(it *store.Item) {
		it.Attribution = store.Attribution{Text: store.AttributionCompiled}
	})))
	if e := f.entry(&f.Stories[0]); strings.Contains(e.body, "theo") {
		t.Errorf("got %q: a text put together names no source", e.body)
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{{0, "một phút"}, {40 * time.Minute, "40 phút"}, {170 * time.Minute, "3 giờ"}, {50 * time.Hour, "2 ngày"}} {
		if got := languages[0].lasting(tc.d); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.d, got, tc.want)
		}
	}
}
