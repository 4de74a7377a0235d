package syndicate

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
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

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header string
		want   bool
	}{
		{"", false}, {"gzip", true}, {"GZIP", true}, {"x-gzip", true}, {"br, gzip;q=0.5", true}, {"deflate", false},
		{"gzip;q=0", false}, {"gzip;q=0.0, *", false}, {"*", true}, {"*;q=0", false}, {"*;q=0, gzip", true},
		{"identity, gzip;q=0.5", false}, {"identity;q=0.5, gzip;q=0.5", true}, {"identity;q=0", false}, {"identity;q=0, gzip", true},
		{"gzip; Q=1 ", true}, {"gzip;q=x", false}, {"gzip;q=2", false}, {"gzip;q=NaN", false}, {",,;q=1,gzip", true},
	}
	for _, tt := range tests {
		if got := acceptsGzip([]string{tt.header}); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.header, got, tt.want)
		}
	}
}
