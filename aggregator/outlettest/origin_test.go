package outlettest

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOriginSequence(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	feed := Response{Body: "<rss/>", Header: http.Header{"ETag": {`"v1"`}, "Content-Type": {"text/xml"}}, Validate: true}
	o.Handle("/feed", Status(503), feed)
	for i, tc := range []struct {
		header string
		status int
		body   string
	}{
		{"X: y", 503, "<html><body><h1>503 Service Unavailable</h1></body></html>"},
		{"X: y", 200, "<rss/>"},
		{`If-None-Match: "v0"`, 200, "<rss/>"},
		{`If-None-Match: "v0", W/"v1"`, 304, ""},
	} {
		resp, body := get(t, o.URL+"/feed?a=1", tc.header)
		if resp.StatusCode != tc.status || body != tc.body {
			t.Errorf("request %d: %d %q, want %d %q", i, resp.StatusCode, body, tc.status, tc.body)
		}
	}
	if resp, _ := get(t, o.URL+"/other"); resp.StatusCode != 404 {
		t.Errorf("a path never named: %d", resp.StatusCode)
	}
	resp, err := http.Post(o.URL+"/feed", "text/plain", strings.NewReader("điểm tin"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	log := o.Requests()
	if last := log[len(log)-1]; last.Method != "POST" || last.Body != "điểm tin" {
		t.Errorf("last request %+v", last)
	}
	if len(log) != 6 || log[3].Status != 304 || log[3].Path != "/feed?a=1" || log[3].Header.Get("If-None-Match") == "" {
		t.Errorf("log %+v", log)
	}
}

func TestOriginValidatesByDate(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	date := "Tue, 05 Nov 2024 07:15:00 GMT"
	o.Handle("/", Response{Body: "x", Header: http.Header{"Last-Modified": {date}}, Validate: true})
	for since, want := range map[string]int{date: 304, "Tue, 05 Nov 2024 07:14:59 GMT": 200, "yesterday": 200} {
		if resp, _ := get(t, o.URL+"/", "If-Modified-Since: "+since); resp.StatusCode != want {
			t.Errorf("since %q: %d, want %d", since, resp.StatusCode, want)
		}
	}
}

func TestOriginRetryAfterAndRedirects(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	o.Handle("/seconds", Response{Status: 429, RetryAfter: 90 * time.Second})
	o.Handle("/date", Response{Status: 503, RetryAfter: time.Hour, RetryDate: true})
	o.Handle("/loop", RedirectTo("/loop"))
	o.Handle("/moved", Response{Status: 301, Redirect: "http://10.0.0.1/"})
	if resp, _ := get(t, o.URL+"/seconds"); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "90" {
		t.Errorf("seconds: %d %v", resp.StatusCode, resp.Header)
	}
	resp, _ := get(t, o.URL+"/date")
	if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err != nil || time.Until(at) < 50*time.Minute {
		t.Errorf("date: %v, %v", resp.Header, err)
	}
	if _, err := http.Get(o.URL + "/loop"); err == nil || !strings.Contains(err.Error(), "10 redirects") {
		t.Errorf("loop: %v", err)
	}
	if resp, _ := get(t, o.URL+"/moved"); resp.StatusCode != 301 || resp.Header.Get("Location") != "http://10.0.0.1/" {
		t.Errorf("moved: %d %v", resp.StatusCode, resp.Header)
	}
}

// raw does a request by hand and returns the bytes until the other side
// closes, and the error if it did not close in peace.
func raw(t testing.TB, addr, path string) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
	got, err := io.ReadAll(conn)
	return string(got), err
}

func TestOriginLiesAboutLength(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	o.Handle("/cut", Response{Body: "0123456789", Cut: 4})
	o.Handle("/long", Response{Body: "0123456789", Length: 4})
	o.Handle("/short", Response{Body: "0123456789", Length: 400})
	for path, want := range map[string]string{
		"/cut": "Content-Length: 10\r\n|\r\n\r\n0123", "/long": "Content-Length: 4\r\n|\r\n\r\n0123456789",
		"/short": "Content-Length: 400\r\n|\r\n\r\n0123456789",
	} {
		got, _ := raw(t, o.Addr, path)
		length, tail, _ := strings.Cut(want, "|")
		if !strings.Contains(got, length) || !strings.HasSuffix(got, tail) {
			t.Errorf("%s: %q", path, got)
		}
	}
	resp, err := http.Get(o.URL + "/cut")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut body reads with %v", err)
	}
}

func TestOriginResets(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	o.Handle("/", Response{Reset: true})
	if got, err := raw(t, o.Addr, "/"); got != "" || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v, want a reset", got, err)
	}
	if log := o.Requests(); len(log) != 1 || log[0].Status != 0 {
		t.Errorf("log %+v", log)
	}
}

func TestOriginSlowAndEndless(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	o.Handle("/late", Response{Body: "x", Delay: time.Hour})
	o.Handle("/loris", Response{Body: "0123456789", Drip: time.Hour})
	o.Handle("/endless", Response{Body: "<item/>", Endless: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, path := range []string{"/late", "/loris"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the deadline to pass", path, err)
		}
	}
	resp, err := http.Get(o.URL + "/endless")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	const enough = 5 << 20
	if n, err := io.CopyN(io.Discard, resp.Body, enough); n != enough {
		t.Errorf("the endless body ended after %d bytes: %v", n, err)
	}
}

func TestOriginBombs(t *testing.T) {
	t.Parallel()
	o := NewOrigin(t)
	const size = 20 << 20
	o.Handle("/bomb", Response{Bomb: size})
	o.Handle("/nested", Response{Body: Nested(100_000), Gzip: true})
	for path, want := range map[string]int64{"/bomb": size, "/nested": 1_000_000} {
		resp, small := get(t, o.URL+path)
		if resp.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: not compressed", path)
		}
		zr, err := gzip.NewReader(strings.NewReader(small))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, zr)
		if err != nil || n < want || int64(len(small))*100 > n {
			t.Errorf("%s: %d bytes unpack to %d, want at least %d and a hundredfold: %v", path, len(small), n, want, err)
		}
	}
}

// fatal is a TB whose cleanup a test runs itself.
type fatal struct {
	testing.TB
	clean func()
}

func (f *fatal) Cleanup(fn func()) { f.clean = fn }

// TestOriginClosesUnderLoad closes an origin in the middle of a body that
// would take for ever.
func TestOriginClosesUnderLoad(t *testing.T) {
	t.Parallel()
	f := &fatal{TB: t}
	o := NewOrigin(f)
	o.Handle("/", Response{Body: "0123", Drip: time.Hour})
	conn, err := net.Dial("tcp", o.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	for len(o.Requests()) == 0 { // it hangs now, before the first byte
		runtime.Gosched()
	}
	f.clean()
	if _, err := bufio.NewReader(conn).ReadString(0); err == nil {
		t.Error("the connection is still open")
	}
	if _, err := http.Get(o.URL); err == nil {
		t.Error("a closed origin answers")
	}
}
