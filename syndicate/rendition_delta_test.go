package syndicate

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"diemtin/store"
)

// xmlEntries are the entries of a document, whole, by id.
func xmlEntries(t *testing.T, f *format, doc []byte) map[string]string {
	t.Helper()
	if err := xml.Unmarshal(doc, new(struct{})); err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
	_, entries := f.entries.parts(doc)
	all := map[string]string{}
	for _, e := range entries {
		_, rest, _ := strings.Cut(string(e), "urn:diemtin:story:")
		id, _, _ := strings.Cut(rest, "<")
		if all[id] != "" {
			t.Errorf("%s stands there twice", id)
		}
		all[id] = string(e)
	}
	return all
}

// A client of RFC 3229 that takes a part whenever it can comes to hold what the
// whole feed holds, whatever happens: new stories, edits, take-downs, nothing.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	for i := range formats {
		f := &formats[i]
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newFeedSite(t)
			s.publish("trunguong", "kinh-te", numbers(0, 20)...)
			path, tag := "/topics/kinh-te/"+f.file, ""
			held := map[string]string{}
			step := func(name string, status, sent int) {
				t.Helper()
				s.clock.forward(freshFor)
				header := []string{"A-IM", "gzip;q=0.1, feed"}
				if tag != "" {
					header = append(header, "If-None-Match", tag)
				}
				resp, body := s.get(path, header...)
				if f.name == "json" { // which has no parts
					if _, was := s.get(path, "If-None-Match", tag); resp.Header.Get("IM") != "" || len(was) == 0 != (resp.StatusCode == http.StatusNotModified) {
						t.Errorf("%s: %s, %v", name, resp.Status, resp.Header)
					}
					tag = resp.Header.Get("ETag")
					return
				}
				if resp.StatusCode != status || (resp.Header.Get("IM") == "feed") != (status == http.StatusIMUsed) {
					t.Errorf("%s: got %s, IM %q, want %d", name, resp.Status, resp.Header.Get("IM"), status)
				}
				if status == http.StatusIMUsed && (resp.Header.Get("Delta-Base") != tag || resp.Header.Get("Cache-Control") != "no-store, im") {
					t.Errorf("%s: base %q of %q, %q", name, resp.Header.Get("Delta-Base"), tag, resp.Header.Get("Cache-Control"))
				}
				if resp.Header.Get("Vary") != "Accept-Encoding, A-IM" || strings.Contains(resp.Header.Get("Cache-Control"), "public") {
					t.Errorf("%s: caches may keep it: Vary %q, Cache-Control %q", name, resp.Header.Get("Vary"), resp.Header.Get("Cache-Control"))
				}
				if tag = resp.Header.Get("ETag"); status != http.StatusNotModified {
					part := xmlEntries(t, f, body)
					if len(part) != sent {
						t.Errorf("%s: got %d entries, want %d", name, len(part), sent)
					}
					maps.Copy(held, part)
				}
				_, whole := s.get(path)
				for id, e := range xmlEntries(t, f, whole) {
					if held[id] != e {
						t.Errorf("%s: the client holds of %s\n%s\nwant\n%s", name, id, held[id], e)
					}
				}
			}
			step("the first time", 200, 20)
			step("nothing new", 304, 0)
			s.publish("trunguong", "kinh-te", 20, 21)
			step("two new", 226, 2)
			step("nothing new again", 304, 0)
			s.edit("trunguong", "kinh-te", 3)
			s.publish("trunguong", "kinh-te", 22)
			step("an edit and a new one", 226, 2)
			const all = 20 + 3 + maxVersions + 1
			gone := map[string]int{"atom": 0, "rss": 1}[f.name] // Atom tells of it outside of entries
			taken := slices.Sorted(maps.Keys(held))
			if len(taken) > 0 {
				s.rule(store.Ruling{Verb: store.RuleTakedown, Story: taken[0], Why: "thử"})
				step("a takedown", 226, gone)
			}
			was := tag
			for n := range maxVersions {
				s.publish("trunguong", "kinh-te", 100+n)
				step("one more", 226, 1)
			}
			if f.name == "json" {
				return
			}
			s.publish("trunguong", "kinh-te", 200)
			tag = was
			step("a version too old", 200, all-1+gone)
			_, body := s.get(path, "A-IM", "feed", "If-None-Match", `"x", W/`+tag)
			if len(body) != 0 {
				t.Errorf("a weak tag among others is not found")
			}
		})
	}
}

// Only a tag that was given to a client of parts gets a part, and only in the
// forms that it takes; whoever does not ask sees nothing of it.
func TestPartsOnlyForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	s.publish("trunguong", "kinh-te", numbers(0, 10)...)
	plain, _ := s.get("/feed.atom")
	own, _ := s.get("/feed.atom", "A-IM", "feed")
	zipped, _ := s.get("/feed.atom", "A-IM", "feed", "Accept-Encoding", "gzip")
	p, o, z := plain.Header.Get("ETag"), own.Header.Get("ETag"), zipped.Header.Get("ETag")
	if p == o || o == z || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("tags %s, %s, %s; Vary of a plain answer %q", p, o, z, plain.Header.Get("Vary"))
	}
	tell := func(header ...string) string {
		resp, _ := s.get("/feed.atom", header...)
		return resp.Status[:3] + " " + resp.Header.Get("Content-Encoding")
	}
	if got := tell("A-IM", "feed", "If-None-Match", p); got != "304 " {
		t.Errorf("a plain tag of now: %s", got)
	}
	s.publish("trunguong", "kinh-te", 10)
	s.clock.forward(freshFor)
	for _, tt := range []struct {
		name   string
		header []string
		want   string
	}{
		{"a cache's own tag with a client's wish", []string{"A-IM", "feed", "If-None-Match", p}, "200 "},
		{"a tag of parts without the wish", []string{"If-None-Match", o}, "200 "},
		{"the wish not to", []string{"A-IM", "feed;q=0", "If-None-Match", o}, "200 "},
		{"another manipulation", []string{"A-IM", "vcdiff, feeds", "If-None-Match", o}, "200 "},
		{"no tag", []string{"A-IM", "feed"}, "200 "},
		{"an unknown tag", []string{"A-IM", "feed", "If-None-Match", `"0123-im"`}, "200 "},
		{"a broken tag", []string{"A-IM", "feed", "If-None-Match", `"-im"`}, "200 "},
		{"a part", []string{"A-IM", "Feed", "If-None-Match", o}, "226 "},
		{"a part, compressed", []string{"A-IM", "feed", "If-None-Match", o, "Accept-Encoding", "gzip"}, "226 gzip"},
		{"a part, known from gzip", []string{"A-IM", "feed", "If-None-Match", z}, "226 "},
		{"by date", []string{"A-IM", "feed", "If-Modified-Since", plain.Header.Get("Last-Modified")}, "200 "},
	} {
		if got := tell(tt.header...); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	resp, body := s.ask(http.MethodHead, "/feed.atom", "A-IM", "feed", "If-None-Match", o)
	if resp.StatusCode != http.StatusIMUsed || len(body) != 0 || resp.ContentLength < 1000 {
		t.Errorf("HEAD: %s, %d bytes of %d", resp.Status, len(body), resp.ContentLength)
	}
	if got := s.metric("diemtin_feed_requests_total", "atom", "226"); got != 4 {
		t.Errorf("counted %v parts, want 4", got)
	}
}

// The W3C validator finds nothing to say about parts.
func TestPartsAreValid(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	s := newFeedSite(t, func(c *Config) { c.Site.BaseURL = "https://tin.example.vn" })
	s.publish("trunguong", "kinh-te", numbers(0, 10)...)
	ask := func(file, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/"+file, nil)
		r.Header.Set("A-IM", "feed")
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		return w
	}
	tags := map[string]string{}
	for _, f := range formats {
		tags[f.file] = ask(f.file, "").Header().Get("ETag")
	}
	s.publish("trunguong", "kinh-te", 10, 11)
	s.clock.forward(freshFor)
	for _, f := range formats {
		if f.name == "json" {
			continue
		}
		part := ask(f.file, tags[f.file])
		file := filepath.Join(t.TempDir(), "part")
		if err := os.WriteFile(file, part.Body.Bytes(), 0o600); err != nil || part.Code != http.StatusIMUsed {
			t.Fatal(part.Code, err)
		}
		validate(t, "--as", "https://tin.example.vn/"+f.file, "--content-type", f.contentType(), file)
	}
}
