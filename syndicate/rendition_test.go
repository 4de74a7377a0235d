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

func TestBrotliOnceBytesHaveStood(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1, 2, 3)
	const path, all = "/feed.atom", "gzip, deflate, br"
	young, _ := site.get(path, "Accept-Encoding", all)
	if got := young.Header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("just made: got %q, want gzip", got)
	}
	site.clock.forward(settled - freshFor)
	if resp, _ := site.get(path, "Accept-Encoding", all); resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("compressed by brotli before it was settled")
	}
	site.clock.forward(freshFor)
	if site.get(path, "Accept-Encoding", "gzip"); site.server.feeds.fresh(docKey{path, 0}).codings[brotlied].etag != "" {
		t.Error("compressed by brotli although nobody takes it")
	}
	site.clock.forward(freshFor)
	old, packed := site.get(path, "Accept-Encoding", all)
	plain, body := site.get(path)
	if old.Header.Get("Content-Encoding") != "br" || old.Header.Get("ETag") == young.Header.Get("ETag") || old.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Fatalf("settled: headers %v", old.Header)
	}
	if got, err := io.ReadAll(brotli.NewReader(bytes.NewReader(packed))); err != nil || !bytes.Equal(got, body) {
		t.Errorf("brotli carries other bytes (%v)", err)
	}
	if old.Header.Get("Last-Modified") != plain.Header.Get("Last-Modified") {
		t.Errorf("Last-Modified moved to %s", old.Header.Get("Last-Modified"))
	}
	kept := site.server.feeds.fresh(docKey{path, 0})
	site.clock.forward(freshFor)
	site.get(path, "Accept-Encoding", all)
	if now := site.server.feeds.fresh(docKey{path, 0}); now != kept {
		t.Error("compressed twice")
	}
	for _, tag := range []string{young.Header.Get("ETag"), plain.Header.Get("ETag"), old.Header.Get("ETag")} {
		if resp, _ := site.get(path, "Accept-Encoding", all, "If-None-Match", tag); resp.StatusCode != 304 || resp.Header.Get("ETag") != tag {
			t.Errorf("a client that has %s gets %s with %s", tag, resp.Status, resp.Header.Get("ETag"))
		}
	}
	if resp, _ := site.get(path, "Accept-Encoding", "gzip", "If-None-Match", old.Header.Get("ETag")); resp.StatusCode != 200 {
		t.Errorf("a client that has brotli and does not take it: %s", resp.Status)
	}
	site.publish("laocai", "kinh-te", 4)
	site.clock.forward(freshFor)
	if resp, _ := site.get(path, "Accept-Encoding", all); resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("a changed feed is compressed by brotli at once")
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	const no = "406"
	tests := []struct{ header, young, settled string }{ // without and with brotli
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
	old, err := young.withBrotli()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		for doc, want := range map[*rendition]string{young: tt.young, old: tt.settled} {
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
		t.Error("withBrotli changed the document it was given")
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
