package aggregator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// misbehaving is an origin with one fault on each path.
func misbehaving(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "body for ", r.UserAgent())
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		fmt.Fprint(zw, "unpacked")
		zw.Close()
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		zw.Write(bytes.Repeat([]byte("<a>"), 5_000_000))
		zw.Close()
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/notgzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, "plain")
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "too short")
	})
	mux.HandleFunc("/nothing", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("/204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/packed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		zw := gzip.NewWriter(w)
		fmt.Fprint(zw, "unpacked")
		zw.Close()
	})
	mux.HandleFunc("/packedbomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		outer := gzip.NewWriter(w)
		zw := gzip.NewWriter(outer)
		zw.Write(bytes.Repeat([]byte("<a>"), 5_000_000))
		zw.Close()
		outer.Close()
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/ok", http.StatusMovedPermanently)
	})
	mux.HandleFunc("/429", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/503date", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", testNow.Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/410", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("/waf", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cf-Mitigated", "challenge")
		w.WriteHeader(http.StatusForbidden)
	})
	mux.HandleFunc("/reset", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

// openTo is the access that admits loopback.
func openTo(f *fetcher) access { return f.access(SourceConfig{AllowPrivate: true}) }

func TestFetchFaults(t *testing.T) {
	t.Parallel()
	srv := misbehaving(t)
	f := newFetcher("diemtin/test (+x)", Limits{MaxBytes: 1 << 20}.withDefaults())
	hasty := newFetcher("diemtin/test (+x)", Limits{Timeout: Duration(200 * time.Millisecond)}.withDefaults())
	t.Cleanup(f.close)
	t.Cleanup(hasty.close)
	for _, tt := range []struct {
		path  string
		want  store.Outcome
		words string
		wait  time.Duration
	}{
		{"/bomb", store.TooLarge, "unpacked", 0},
		{"/packedbomb", store.TooLarge, "unpacked", 0},
		{"/endless", store.TooLarge, "on the wire", 0},
		{"/notgzip", store.NotAFeed, "gzip", 0},
		{"/slow", store.Timeout, "", 0},
		{"/nothing", store.Connect, "broke off", 0},
		{"/204", store.NotAFeed, "204", 0},
		{"/loop", store.Refused, "redirects", 0},
		{"/file", store.Refused, "neither http nor https", 0},
		{"/429", store.Throttled, "429", 2 * time.Minute},
		{"/503date", store.Throttled, "503", time.Hour},
		{"/503", store.HTTP5xx, "503", 0},
		{"/410", store.Gone, "410", 0},
		{"/404", store.HTTP4xx, "404", 0},
		{"/waf", store.Blocked, "Cloudflare", 0},
		{"/reset", store.Connect, "", 0},
	} {
		t.Run(tt.path[1:], func(t *testing.T) {
			t.Parallel()
			f := f
			if tt.want == store.Timeout {
				f = hasty
			}
			_, err := f.get(t.Context(), openTo(f), srv.URL+tt.path, "", "", testNow)
			var fault *Fault
			if !errors.As(err, &fault) || fault.Outcome != tt.want || !strings.Contains(err.Error(), tt.words) || fault.RetryAfter != tt.wait {
				t.Errorf("got %+v, want %s, %q, wait %v", err, tt.want, tt.words, tt.wait)
			}
			if err != nil && Advice(fault.Outcome) == "" {
				t.Errorf("no advice for %s", fault.Outcome)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		raw  string
		want time.Duration
	}{
		{"", 0},
		{" 120 ", 2 * time.Minute},
		{"120.5", 2 * time.Minute},
		{"-120", 0},
		{"1h2", 0},
		{"86401", maxRetryAfter},
		{"99999999999", maxRetryAfter}, // more than a Duration holds
		{"99999999999999999999999", maxRetryAfter}, // more than 64 bits hold
		{testNow.Add(time.Hour).UTC().Format(http.TimeFormat), time.Hour},
		{testNow.Add(-time.Hour).UTC().Format(http.TimeFormat), 0},
		{testNow.AddDate(900, 0, 0).UTC().Format(http.TimeFormat), maxRetryAfter},
		{"tomorrow", 0},
	} {
		if got := retryAfter(http.Header{"Retry-After": {tt.raw}}, testNow); got.Round(time.Second) != tt.want {
			t.Errorf("Retry-After %q: %v, want %v", tt.raw, got, tt.want)
		}
	}
}

// Both versions of HTTP have their own words for headers that are too large.
func TestFetchTooManyHeaders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		proto string
		many  int // headers of 4 KB
		want  store.Outcome
		words string
	}{
		{"HTTP/1.1", 17, store.TooLarge, "headers are over 64 KB"},
		{"HTTP/1.1", 60, store.TooLarge, "headers are over 64 KB"},
		{"HTTP/2.0", 17, store.TooLarge, "headers are over 64 KB"},
		{"HTTP/2.0", 60, store.Connect, "PROTOCOL_ERROR (perhaps its headers are far over 64 KB)"}, // all that net/http tells
	} {
		proto, many := tt.proto, tt.many
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Proto != proto {
				t.Errorf("asked by %s, want %s", r.Proto, proto)
			}
			for i := range many {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 4<<10))
			}
		}))
		srv.EnableHTTP2 = proto == "HTTP/2.0"
		srv.StartTLS()
		t.Cleanup(srv.Close)
		f := newFetcher("diemtin/test (+x)", Limits{}.withDefaults())
		t.Cleanup(f.close)
		via := openTo(f)
		via.client.Transport.(*http.Transport).TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		_, err := f.get(t.Context(), via, srv.URL, "", "", testNow)
		var fault *Fault
		if !errors.As(err, &fault) || fault.Outcome != tt.want || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s, %d headers: %v, want %s and %q", proto, many, err, tt.want, tt.words)
		}
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	srv := misbehaving(t)
	f := newFetcher("diemtin/test (+x)", Limits{}.withDefaults())
	t.Cleanup(f.close)
	doc, err := f.get(t.Context(), openTo(f), srv.URL+"/moved", "", "", testNow)
	if err != nil || string(doc.Body) != "body for diemtin/test (+x)" || doc.FinalURL != srv.URL+"/ok" || doc.Hash != bodyHash(doc.Body) {
		t.Errorf("document %+v, %v", doc, err)
	}
	doc, err = f.get(t.Context(), openTo(f), srv.URL+"/ok", `"v1"`, "", testNow)
	if err != nil || doc.Status != http.StatusNotModified || doc.Body != nil {
		t.Errorf("conditional: %+v, %v", doc, err)
	}
	doc, err = f.get(t.Context(), openTo(f), srv.URL+"/gzip", "", "", testNow)
	if err != nil || string(doc.Body) != "unpacked" {
		t.Errorf("gzip: %+v, %v", doc, err)
	}
}

func TestFetchPackedWithoutSayingSo(t *testing.T) {
	t.Parallel()
	srv := misbehaving(t)
	f := newFetcher("diemtin/test (+x)", Limits{}.withDefaults())
	t.Cleanup(f.close)
	doc, err := f.get(t.Context(), openTo(f), srv.URL+"/packed", "", "", testNow)
	if err != nil || string(doc.Body) != "unpacked" {
		t.Errorf("document %+v, %v", doc, err)
	}
}

func TestFetchKeepsWhatCame(t *testing.T) {
	t.Parallel()
	srv := misbehaving(t)
	f := newFetcher("diemtin/test (+x)", Limits{}.withDefaults())
	t.Cleanup(f.close)
	doc, err := f.get(t.Context(), openTo(f), srv.URL+"/short", "", "", testNow)
	if err != nil || !doc.Cut || string(doc.Body) != "too short" {
		t.Errorf("document %+v, %v, want a cut one", doc, err)
	}
}

func TestGuardRefusesLoopback(t *testing.T) {
	t.Parallel()
	srv := misbehaving(t)
	f := newFetcher("diemtin/test", Limits{}.withDefaults())
	t.Cleanup(f.close)
	for _, address := range []string{srv.URL + "/ok", strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/ok"} {
		_, err := f.get(t.Context(), f.access(SourceConfig{}), address, "", "", testNow)
		if outcomeOf(err) != store.Refused {
			t.Errorf("%s: %v, want refused", address, err)
		}
	}
	var names *Fault
	if _, err := f.get(t.Context(), f.access(SourceConfig{}), "http://no-such-host.invalid/", "", "", testNow); !errors.As(err, &names) || names.Outcome != store.DNS {
		t.Errorf("unknown host: %v, want dns", err)
	}
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tls.Close)
	if _, err := f.get(t.Context(), openTo(f), tls.URL, "", "", testNow); outcomeOf(err) != store.TLS {
		t.Errorf("unknown certificate: %v, want tls", err)
	}
}
