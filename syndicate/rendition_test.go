package syndicate

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	first, body := site.get("/feed.atom")
	zipped, packed := site.get("/feed.atom", "Accept-Encoding", "gzip")
	tag, ztag, modified := first.Header.Get("ETag"), zipped.Header.Get("ETag"), first.Header.Get("Last-Modified")
	if tag == "" || strings.HasPrefix(tag, "W/") || tag == ztag {
		t.Fatalf("tags %q and %q: want two strong ones", tag, ztag)
	}
	if modified != "Tue, 05 Nov 2024 08:00:00 GMT" {
		t.Errorf("Last-Modified %q, want the time of the newest change", modified)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, body) {
		t.Errorf("gzip carries other bytes (%v)", err)
	}
	tests := []struct {
		name   string
		header []string
		want   int
	}{
		{"the tag", []string{"If-None-Match", tag}, 304},
		{"weak, as nginx makes it", []string{"If-None-Match", "W/" + tag}, 304},
		{"one of a list", []string{"If-None-Match", `"a,b", W/"c" ,` + tag}, 304},
		{"one of two headers", []string{"If-None-Match", `"a"`, "If-None-Match", tag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"another", []string{"If-None-Match", `"a"`}, 200},
		{"not quoted", []string{"If-None-Match", strings.Trim(tag, `"`)}, 200},
		{"of the other encoding", []string{"If-None-Match", ztag}, 200},
		{"of gzip, asking for gzip", []string{"If-None-Match", ztag, "Accept-Encoding", "br, gzip"}, 304},
		{"since then", []string{"If-Modified-Since", modified}, 304},
		{"since later", []string{"If-Modified-Since", "Tue, 05 Nov 2024 09:00:00 GMT"}, 304},
		{"since before", []string{"If-Modified-Since", "Tue, 05 Nov 2024 07:59:59 GMT"}, 200},
		{"no date", []string{"If-Modified-Since", "yesterday"}, 200},
		{"another tag goes before the date", []string{"If-None-Match", `"a"`, "If-Modified-Since", modified}, 200},
		{"a range", []string{"Range", "bytes=0-9"}, 200},
		{"a range if it has not changed", []string{"Range", "bytes=0-9", "If-Range", tag}, 200},
	}
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			resp, got := site.ask(method, "/feed.atom", tt.header...)
			if resp.StatusCode != tt.want {
				t.Errorf("%s, %s: got %d, want %d", tt.name, method, resp.StatusCode, tt.want)
			}
			if resp.Header.Get("ETag") == "" || resp.Header.Get("Vary") != "Accept-Encoding" || resp.Header.Get("Cache-Control") != cacheControl {
				t.Errorf("%s, %s: headers %v", tt.name, method, resp.Header)
			}
			if whole := method == http.MethodGet && tt.want == 200; whole != bytes.Equal(got, body) {
				t.Errorf("%s, %s: %d bytes of body", tt.name, method, len(got))
			}
			if method == http.MethodHead && tt.want == 200 && resp.ContentLength != int64(len(body)) {
				t.Errorf("%s: HEAD says %d bytes, want %d", tt.name, resp.ContentLength, len(body))
			}
		}
	}
	for h, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
	} {
		if got := first.Header.Get(h); got != want {
			t.Errorf("%s: got %q, want %q", h, got, want)
		}
	}
	if resp, _ := site.ask(http.MethodOptions, "/feed.atom"); resp.StatusCode != http.StatusNoContent ||
		!strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
}

func TestCompressedAnewOnceBytesHaveStood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		as, other coding
		all       string
		unpack    func(*testing.T, []byte) []byte
	}{
		{brotlied, zstded, "gzip, deflate, zstd, br", func(t *testing.T, b []byte) []byte {
			plain, err := io.ReadAll(brotli.NewReader(bytes.NewReader(b)))
			if err != nil {
				t.Error(err)
			}
			return plain
		}},
		{zstded, brotlied, "gzip, deflate, br;q=0.1, zstd", func(t *testing.T, b []byte) []byte {
			z, err := zstd.NewReader(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			plain, err := z.DecodeAll(b, nil)
			if err != nil {
				t.Error(err)
			}
			return plain
		}},
	} {
		t.Run(tt.as.String(), func(t *testing.T) {
			t.Parallel()
			compressedAnew(t, tt.as, tt.other, tt.all, tt.unpack)
		})
	}
}

// compressedAnew follows a feed that stands long enough to be compressed in
// another way, for a client that likes it best of all it takes.
func compressedAnew(t *testing.T, as, other coding, all string, unpack func(*testing.T, []byte) []byte) {
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1, 2, 3)
	const path = "/feed.atom"
	young, _ := site.get(path, "Accept-Encoding", all)
	if got := young.Header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("just made: got %q, want gzip", got)
	}
	site.clock.forward(settled - freshFor)
	if resp, _ := site.get(path, "Accept-Encoding", all); resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("compressed anew before it was settled")
	}
	site.clock.forward(freshFor)
	if site.get(path, "Accept-Encoding", "gzip"); site.server.feeds.fresh(docKey{path, 0}).codings[as].etag != "" {
		t.Error("compressed anew although nobody takes it")
	}
	site.clock.forward(freshFor)
	old, packed := site.get(path, "Accept-Encoding", all)
	plain, body := site.get(path)
	if old.Header.Get("Content-Encoding") != as.String() || old.Header.Get("ETag") == young.Header.Get("ETag") || old.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Fatalf("settled: headers %v", old.Header)
	}
	if !bytes.Equal(unpack(t, packed), body) {
		t.Error("it carries other bytes")
	}
	if old.Header.Get("Last-Modified") != plain.Header.Get("Last-Modified") {
		t.Errorf("Last-Modified moved to %s", old.Header.Get("Last-Modified"))
	}
	kept := site.server.feeds.fresh(docKey{path, 0})
	site.clock.forward(freshFor)
	site.get(path, "Accept-Encoding", all)
	if now := site.server.feeds.fresh(docKey{path, 0}); now != kept || now.codings[other].etag != "" {
		t.Error("compressed twice, or in a way that the client likes less")
	}
	for _, tag := range []string{young.Header.Get("ETag"), plain.Header.Get("ETag"), old.Header.Get("ETag")} {
		if resp, _ := site.get(path, "Accept-Encoding", all, "If-None-Match", tag); resp.StatusCode != 304 || resp.Header.Get("ETag") != tag {
			t.Errorf("a client that has %s gets %s with %s", tag, resp.Status, resp.Header.Get("ETag"))
		}
	}
	if resp, _ := site.get(path, "Accept-Encoding", "gzip", "If-None-Match", old.Header.Get("ETag")); resp.StatusCode != 200 {
		t.Errorf("a client that has it and does not take it: %s", resp.Status)
	}
	site.publish("laocai", "kinh-te", 4)
	site.clock.forward(freshFor)
	if resp, _ := site.get(path, "Accept-Encoding", all); resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("a changed feed is compressed anew at once")
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	const no = "406"
	tests := []struct{ header, young, settled string }{ // without and with brotli; zstd changes nothing for those
		{"", "identity", "identity"},
		{"gzip", "gzip", "gzip"},
		{"GZIP", "gzip", "gzip"},
		{"x-gzip", "gzip", "gzip"},
		{"gzip, deflate, br, zstd", "gzip", "br"},
		{"br", "identity", "br"},
		{"BR;q=1.0", "identity", "br"},
		{"br, gzip;q=0.5", "gzip", "br"},
		{"br;q=0.5, gzip", "gzip", "gzip"},
		{"br;q=0, gzip", "gzip", "gzip"},
		{"deflate", "identity", "identity"},
		{"gzip;q=0", "identity", "identity"},
		{"gzip;q=0.0, *", "identity", "identity"},
		{"*", "gzip", "gzip"},
		{"*;q=0", no, no},
		{"*;q=0, gzip", "gzip", "gzip"},
		{"*;q=0, br", no, "br"},
		{"*;q=0, identity", "identity", "identity"},
		{"*;q=0.5, gzip;q=0.2", "identity", "identity"},
		{"identity;q=0", no, no},
		{"identity;q=0, gzip", "gzip", "gzip"},
		{"identity;q=0, br", no, "br"},
		{"identity;q=0, *", "gzip", "gzip"},
		{"identity, gzip;q=0.5", "identity", "identity"},
		{"identity, gzip;q=0.5, br", "identity", "br"},
		{"identity;q=0.5, gzip;q=0.5", "gzip", "gzip"},
		{"identity;q=0.5, gzip;q=0.001", "identity", "identity"},
		{"gzip;q=0.001", "gzip", "gzip"},
		{"gzip; Q=1 ", "gzip", "gzip"},
		{"gzip;q=x", "identity", "identity"},
		{"gzip;q=2", "identity", "identity"},
		{"gzip;q=NaN", "identity", "identity"},
		{",,;q=1,gzip", "gzip", "gzip"},
	}
	young, err := newRendition([]byte("tin"), "text/plain", http.Header{}, at("15:00:00.000"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := young.with(brotlied)
	if err != nil {
		t.Fatal(err)
	}
	both, err := old.with(zstded)
	if err != nil {
		t.Fatal(err)
	}
	zstds := map[string]string{"zstd": "zstd", "gzip, ZSTD": "zstd", "gzip, zstd;q=0.9": "gzip", "br;q=0.9, zstd": "zstd", "zstd, br": "br", "zstd;q=0, *": "gzip", "*;q=0, zstd": "zstd"}
	for header, want := range zstds {
		tests = append(tests, struct{ header, young, settled string }{header, "", want})
	}
	for _, tt := range tests {
		docs := map[*rendition]string{young: tt.young, old: tt.settled, both: tt.settled}
		if zstds[tt.header] != "" {
			docs = map[*rendition]string{both: tt.settled}
		}
		for doc, want := range docs {
			r := httptest.NewRequest(http.MethodGet, "/feed.rss", nil)
			r.Header.Set("Accept-Encoding", tt.header)
			w := httptest.NewRecorder()
			doc.serve(w, r)
			got := cmp.Or(w.Header().Get("Content-Encoding"), "identity")
			if w.Code != http.StatusOK {
				got = strconv.Itoa(w.Code)
			}
			if got != want || w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%q, settled %v: got %s, Vary %q, want %s", tt.header, doc == old, got, w.Header().Get("Vary"), want)
			}
		}
	}
	if young.codings[brotlied].etag != "" {
		t.Error("with changed the document it was given")
	}
}

// TestNoCookies: what is public is the same for all, so nobody is told apart.
func TestNoCookies(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	for _, path := range []string{"/", "/feed.rss", "/feed.atom", "/feed.json", "/opml", "/topics/kinh-te/", "/days/", "/days/2024-11-05/feed.rss",
		"/none/", "/topics/none/feed.rss", "/status", "/robots.txt", "/feed", "/feed.rss?n=x"} {
		resp, _ := site.get(path, "Cookie", "session=1")
		if got := resp.Header.Values("Set-Cookie"); len(got) > 0 {
			t.Errorf("%s sets the cookies %v", path, got)
		}
		if resp.StatusCode < 300 || resp.StatusCode >= 400 {
			if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s: X-Content-Type-Options %q", path, got)
			}
		}
	}
}
