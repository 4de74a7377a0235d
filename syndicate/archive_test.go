package syndicate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// history is what a client that knows RFC 4287 and RFC 5005 reads of a feed,
// and nothing else.
type history struct {
	Links []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"http://www.w3.org/2005/Atom link"`
	ID      string    `xml:"http://www.w3.org/2005/Atom id"`
	Archive *struct{} `xml:"http://purl.org/syndication/history/1.0 archive"`
	Entries []struct {
		ID    string `xml:"http://www.w3.org/2005/Atom id"`
		Title string `xml:"http://www.w3.org/2005/Atom title"`
	} `xml:"http://www.w3.org/2005/Atom entry"`
}

func (h *history) link(rel string) string {
	for _, l := range h.Links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

// follow reads a feed and all documents before it: headlines by entry, and the
// documents by address.
func (s *feedSite) follow(path string) (entries map[string]string, docs map[string][]byte) {
	s.t.Helper()
	entries, docs = map[string]string{}, map[string][]byte{}
	at, archived := s.base+path, map[string]string{}
	for first := true; at != ""; first = false {
		resp, body := s.get(strings.TrimPrefix(at, s.base))
		var h history
		if err := xml.Unmarshal(body, &h); err != nil || resp.StatusCode != http.StatusOK {
			s.t.Fatalf("%s: %s, %v", at, resp.Status, err)
		}
		if (h.Archive == nil) != first {
			s.t.Errorf("%s: is an archive: %v", at, h.Archive != nil)
		}
		if h.link("self") != at {
			s.t.Errorf("%s: self is %s", at, h.link("self"))
		}
		if want := s.base + path; !first && h.link("current") != want {
			s.t.Errorf("%s: current is %q, want %s", at, h.link("current"), want)
		}
		if h.link("next-archive") != "" {
			s.t.Errorf("%s: has a next-archive, which would have to change", at)
		}
		for _, e := range h.Entries {
			if other, twice := archived[e.ID]; twice && !first {
				s.t.Errorf("%s stands in %s and in %s", e.ID, other, at)
			}
			if !first {
				archived[e.ID] = at
			}
			entries[e.ID] = e.Title
		}
		if docs[at] = body; len(docs) > 1000 {
			s.t.Fatal("the chain does not end")
		}
		at = h.link("prev-archive")
	}
	return entries, docs
}

// followJSON does the same by next_url.
func (s *feedSite) followJSON(path string) map[string]string {
	s.t.Helper()
	entries := map[string]string{}
	for at := s.base + path; at != ""; {
		resp, body := s.get(strings.TrimPrefix(at, s.base))
		var page struct {
			Next  string `json:"next_url"`
			Items []struct{ ID, Title string }
		}
		if err := json.Unmarshal(body, &page); err != nil || resp.StatusCode != http.StatusOK {
			s.t.Fatalf("%s: %s, %v", at, resp.Status, err)
		}
		for _, it := range page.Items {
			entries[it.ID] = it.Title
		}
		at = page.Next
	}
	return entries
}

// numbers are those from a up to, not including, b.
func numbers(a, b int) (all []int) {
	for n := a; n < b; n++ {
		all = append(all, n)
	}
	return all
}

// someDays publishes 330 stories on three days, of which 120 come with a first
// visit.
func (s *feedSite) someDays() {
	s.t.Helper()
	for day := range 3 {
		for hour := range 7 {
			n := day*70 + hour*10
			s.publish("trunguong", "kinh-te", numbers(n, n+10)...)
			s.clock.forward(time.Hour)
			if hour == 3 {
				s.get("/feed.atom") // readers come at any time
			}
		}
		s.clock.forward(17 * time.Hour)
	}
	s.publishBackfill("laocai", "giao-duc", numbers(1000, 1120)...)
	s.clock.forward(time.Minute)
}

// Every form of the current feed leads to everything ever listed, nothing
// twice; what was sealed stays as it was, byte by byte.
func TestArchiveChain(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.someDays()
	s.clock.forward(time.Minute)
	for path, want := range map[string]int{"/": 330, "/topics/kinh-te/": 210, "/topics/giao-duc/": 120, "/channels/dang-va-kinh-te/": 210} {
		entries, docs := s.follow(path + "feed.atom")
		if len(entries) != want {
			t.Errorf("%s: a client of Atom holds %d stories, want %d, of %d documents", path, len(entries), want, len(docs))
		}
		if got := s.followJSON(path + "feed.json"); !maps.Equal(got, entries) {
			t.Errorf("%s: a client of JSON Feed holds %d stories, one of Atom %d", path, len(got), len(entries))
		}
	}
	_, before := s.follow("/feed.atom")
	s.publish("trunguong", "kinh-te", numbers(300, 460)...)
	s.clock.forward(26 * time.Hour)
	if err := s.server.SealArchives(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, after := s.follow("/feed.atom")
	if len(entries) != 490 {
		t.Errorf("a client holds %d stories, want 490", len(entries))
	}
	for at, body := range before {
		if strings.Contains(at, "/archive/") && !bytes.Equal(after[at], body) {
			t.Errorf("%s has changed", at)
		}
	}
	var first history
	if err := xml.Unmarshal(after[s.base+"/feed.atom"], &first); err != nil || len(first.Entries) != feedStories {
		t.Errorf("the current feed has %d entries with all sealed, want %d", len(first.Entries), feedStories)
	}
}

// A channel that asks for words and leaves something out has an archive too;
// one that is defined anew keeps its documents as they are, and what it selects
// since and had not yet comes into new ones.
func TestArchiveOfWords(t *testing.T) {
	t.Parallel()
	words := ChannelConfig{ID: "so-le", Title: Names{VI: "Số lẻ"}, Words: ChannelWords{Any: []string{"trunguong", "ngắn"}},
		Exclude: ChannelLess{Topics: []store.Topic{"giao-duc"}, Words: []string{"số 7"}}, Languages: []string{"vi"}}
	s := newFeedSite(t, func(c *Config) { c.Channels = append(c.Channels, words) })
	s.someDays()
	const path = "/channels/so-le/feed.atom"
	entries, docs := s.follow(path)
	if len(entries) != 209 { // all of kinh-te but number 7
		t.Errorf("a client of Atom holds %d stories, want 209, of %d documents", len(entries), len(docs))
	}
	if got := s.followJSON("/channels/so-le/feed.json"); !maps.Equal(got, entries) {
		t.Errorf("a client of JSON Feed holds %d stories, one of Atom %d", len(got), len(entries))
	}

	words.Exclude = ChannelLess{Words: []string{"số 8"}}
	s.server.cfg.Channels[len(s.server.cfg.Channels)-1] = words
	if err := s.db.SyncArchives(t.Context(), s.server.cfg.ArchiveChannels()); err != nil {
		t.Fatal(err)
	}
	s.publish("trunguong", "kinh-te", 2000)
	s.clock.forward(2 * time.Second)
	entries, after := s.follow(path)
	if len(entries) != 331 { // the 120 of giao-duc, number 7 and the new one more; number 8 was listed there
		t.Errorf("a client holds %d stories since the channel is another, want 331", len(entries))
	}
	for at, body := range docs {
		if strings.Contains(at, "/archive/") && !bytes.Equal(after[at], body) {
			t.Errorf("%s has changed", at)
		}
	}
}

// A topic that has another id takes its archive with it: who follows it from the
// new address, and from document to document, has all that was ever listed.
func TestArchiveOfRenamed(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.someDays()
	_, before := s.follow("/topics/kinh-te/feed.atom")
	cfg := &s.server.cfg
	cfg.Topics[slices.IndexFunc(cfg.Topics, func(t store.TopicInfo) bool { return t.ID == "kinh-te" })].ID = "kinh-doanh"
	cfg.Channels[0].ID = "moi"
	cfg.Renamed = []Renamed{{Kind: "topics", From: "kinh-te", To: "kinh-doanh"}, {Kind: "channels", From: "dang-va-kinh-te", To: "moi"}}
	for range 2 { // at every start
		if err := s.db.SyncArchives(t.Context(), cfg.ArchiveChannels(), cfg.ArchiveMoves()...); err != nil {
			t.Fatal(err)
		}
	}
	s.publish("trunguong", "kinh-doanh", 3000)
	s.clock.forward(2 * time.Second)
	for _, at := range []string{"/topics/kinh-doanh/feed.atom", "/channels/moi/feed.atom"} {
		held, docs := map[string]bool{}, 0
		for path := at; path != ""; docs++ {
			resp, body := s.get(path)
			if to := resp.Header.Get("Location"); resp.StatusCode == http.StatusMovedPermanently {
				resp, body = s.get(to)
				if was, sealed := before[s.base+path]; sealed && !bytes.Equal(was, body) {
					t.Errorf("%s has changed", to)
				}
			}
			var h history
			if err := xml.Unmarshal(body, &h); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s, %v", path, resp.Status, err)
			}
			for _, e := range h.Entries {
				held[e.ID] = true
			}
			path = strings.TrimPrefix(h.link("prev-archive"), s.base)
		}
		if want := map[string]int{"/topics/kinh-doanh/feed.atom": 211, "/channels/moi/feed.atom": 210}[at]; len(held) != want || docs < 3 {
			t.Errorf("%s: a client holds %d stories of %d documents, want %d", at, len(held), docs, want)
		}
	}
}

// Time alone changes no byte, not even that of midnight.
func TestMidnightChangesNothing(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.publish("trunguong", "kinh-te", numbers(0, 80)...)
	_, before := s.get("/feed.atom")
	s.clock.forward(30 * time.Hour)
	if _, after := s.get("/feed.atom"); !bytes.Equal(before, after) {
		t.Error("the current feed has changed with nothing listed")
	}
	if n := bytes.Count(before, []byte(entryStart)); n != 80 {
		t.Errorf("the current feed has %d entries, want all 80 that are not sealed", n)
	}
	s.publish("trunguong", "kinh-te", 80)
	s.clock.forward(2 * time.Second)
	if entries, docs := s.follow("/feed.atom"); len(entries) != 81 || len(docs) != 2 {
		t.Errorf("got %d stories in %d documents, want 81 in 2", len(entries), len(docs))
	}
}

// What is taken down leaves the sealed document, and nothing else of it moves;
// the ledger has both hashes. What is restored stands in a document again.
func TestTakedownResealsOneEntry(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.publish("trunguong", "kinh-te", numbers(0, 120)...)
	s.clock.forward(2 * time.Second)
	_, before := s.follow("/feed.atom")
	at := s.base + "/archive/2024-11-05/1/feed.atom"
	old := before[at]
	id := regexp.MustCompile(`<id>urn:diemtin:story:([a-z2-7]+)</id>`).FindAllSubmatch(old, -1)[40][1]
	start, end := atomEntryOf(old, string(id))
	resp, _ := s.get("/archive/2024-11-05/1/feed.atom")
	s.rule(store.Ruling{Verb: store.RuleHide, Story: string(id)})
	s.clock.forward(2 * time.Second)

	again, now := s.get("/archive/2024-11-05/1/feed.atom", "If-None-Match", resp.Header.Get("ETag"))
	if again.StatusCode != http.StatusOK || bytes.Contains(now, id) {
		t.Errorf("got %s, and the story still stands there: %v", again.Status, bytes.Contains(now, id))
	}
	dates := regexp.MustCompile(`<updated>[^<]*</updated>`)
	want := bytes.Join([][]byte{old[:start], old[end:]}, nil)
	if !bytes.Equal(dates.ReplaceAll(now, nil), dates.ReplaceAll(want, nil)) {
		t.Error("more than the one entry has changed")
	}
	reseals, err := s.db.Reseals(t.Context(), 10)
	if err != nil || len(reseals) != 1 || reseals[0].Was == reseals[0].Hash || !slices.Equal(reseals[0].Stories, []string{string(id)}) {
		t.Errorf("the ledger says %+v, %v", reseals, err)
	}

	s.rule(store.Ruling{Verb: store.RuleRestore, Story: string(id)})
	s.clock.forward(2 * time.Second)
	if entries, _ := s.follow("/feed.atom"); len(entries) != 120 || entries["urn:diemtin:story:"+string(id)] == "" {
		t.Errorf("a client holds %d stories, want 120 with the one restored", len(entries))
	}
	if _, still := s.get("/archive/2024-11-05/1/feed.atom"); !bytes.Equal(still, now) {
		t.Error("a restored story has changed a sealed document")
	}
}

// Without the archive of the database there is none; a size of one's own has none.
func TestArchiveAnswers(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.publish("trunguong", "kinh-te", numbers(0, 120)...)
	s.clock.forward(2 * time.Second)
	if err := s.server.SealArchives(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, body := s.get("/feed.atom?n=100"); bytes.Contains(body, []byte("prev-archive")) {
		t.Error("a feed of a size of its own leads to the archive, and has a hole before it")
	}
	for path, want := range map[string]string{
		"/archive/2024-11-05/1/feed.atom":                    "200",
		"/archive/5-11-2024/1/feed.atom":                     "301 /archive/2024-11-05/1/feed.atom",
		"/archive/2024-11-05/01/feed.atom":                   "301 /archive/2024-11-05/1/feed.atom",
		"/archive/2024-11-05/2/feed.atom":                    "404 Lưu trữ ngày 05/11/2024 không có phần 2.",
		"/archive/2024-11-05/0/feed.json":                    "404 Lưu trữ ngày 05/11/2024 không có phần 0.",
		"/archive/2024-11-05/mot/feed.atom":                  "404 Lưu trữ ngày 05/11/2024 không có phần mot.",
		"/archive/2024-02-30/1/feed.atom":                    "404 ",
		"/archive/2024-11-06/1/feed.atom":                    "404 ",
		"/archive/9999-12-31/1/feed.atom":                    "404 ",
		"/topics/Kinh-Te/archive/2024-11-05/1/feed.atom":     "301 /topics/kinh-te/archive/2024-11-05/1/feed.atom",
		"/topics/khong-co/archive/2024-11-05/1/feed.atom":    "404 ",
		"/topics/kinh-te/days/2024-02-30/feed.atom":          "404 ",
		"/topics/kinh-te/days/2024-11-06/feed.atom":          "404 ",
		"/days/2024-11-31/feed.json":                         "404 ",
		"/channels/dang-va-kinh-te/days/2024-11-05/feed.rss": "200",
	} {
		resp, body := s.get(path)
		got := resp.Status[:3] + " " + resp.Header.Get("Location")
		if resp.StatusCode == http.StatusNotFound {
			got = "404 " + string(body)
			if !strings.HasSuffix(strings.TrimSpace(string(body)), ".") && !strings.Contains(string(body), "/opml") {
				t.Errorf("%s: %q is no sentence", path, body)
			}
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// answer is what the site says at a path, whatever its own address is.
func (s *feedSite) answer(path string) []byte {
	s.t.Helper()
	answer := httptest.NewRecorder()
	s.server.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if answer.Code != http.StatusOK {
		s.t.Fatal(path, answer.Code)
	}
	return answer.Body.Bytes()
}

// The W3C validator finds nothing to say about archives.
func TestArchivesAreValid(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	s := newFeedSite(t, func(c *Config) { c.Site.BaseURL = "https://tin.example.vn" })
	s.publish("trunguong", "kinh-te", numbers(0, 250)...)
	s.clock.forward(2 * time.Second)
	for _, path := range []string{"/feed.atom", "/archive/2024-11-05/1/feed.atom", "/archive/2024-11-05/2/feed.atom"} {
		file := filepath.Join(t.TempDir(), "feed.atom")
		if err := os.WriteFile(file, s.answer(path), 0o600); err != nil {
			t.Fatal(path, err)
		}
		args := []string{"--as", "https://tin.example.vn" + path, file}
		if strings.Contains(path, "/1/") { // nothing is older, and so nothing is linked to
			args = append(args, "--ignore", "ArchiveIncomplete")
		}
		validate(t, args...)
	}
}
