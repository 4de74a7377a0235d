package outlettest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Response says how a server answers a request. For an [Origin] the zero
// value is an empty 200; for an [Outlet] it is the outlet's own answer, and
// what is set here is laid over it. Waiting ends early when the client goes
// away or the server is closed.
type Response struct {
	Status int         // 0: 200, or the outlet's own
	Header http.Header // set over the answer's own
	Body   string      // empty: the outlet's own

	Delay      time.Duration // before anything is sent
	RetryAfter time.Duration // Retry-After, in whole seconds
	RetryDate  bool          // write Retry-After as an HTTP date
	Redirect   string        // Location; Status 0 becomes 302
	Validate   bool          // answer 304 where the request's validators match Header
	Gzip       bool          // compress the body, asked or not

	Cut     int           // send so many bytes of the body, promise all, close
	Length  int64         // claim this Content-Length, whatever the body is
	Drip    time.Duration // slow loris: wait this long before each byte
	Endless bool          // repeat the body for ever
	Bomb    int64         // a gzipped feed that unpacks to so many bytes
	Reset   bool          // reset the connection without an answer
}

// Status is a bare answer with a status code.
func Status(code int) Response { return Response{Status: code} }

// RedirectTo is a 302 to a URL, absolute or relative.
func RedirectTo(url string) Response { return Response{Redirect: url} }

// Nested is an RSS document whose one item holds n elements inside each
// other: 11 bytes each here, next to nothing compressed.
func Nested(n int) string {
	return `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Sâu</title><item><title>Sâu</title>` +
		strings.Repeat("<x:y>", n) + strings.Repeat("</x:y>", n) + `</item></channel></rss>`
}

// script is what a server answers one after another; the last answer stays.
type script struct {
	list []Response
	next int
}

// take returns the next answer; ok is false if there is none.
func (s *script) take() (r Response, ok bool) {
	if s == nil || len(s.list) == 0 {
		return Response{}, false
	}
	r = s.list[s.next]
	if s.next < len(s.list)-1 {
		s.next++
	}
	return r, true
}

// answer is a response held in memory, so that it can be reshaped and logged
// before it is sent. It is an http.ResponseWriter.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{status: http.StatusOK, header: http.Header{}} }

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// shape lays a scripted response over an answer.
func (r Response) shape(a *answer, req *http.Request, now time.Time) {
	if r.Redirect != "" {
		a.body.Reset()
		a.status = http.StatusFound
		a.header = http.Header{"Location": {r.Redirect}}
	}
	if r.Status != 0 {
		if r.Status >= 400 {
			a.body.Reset()
			a.header = http.Header{"Content-Type": {"text/html; charset=utf-8"}}
			fmt.Fprintf(&a.body, "<html><body><h1>%d %s</h1></body></html>", r.Status, http.StatusText(r.Status))
		}
		a.status = r.Status
	}
	if r.Body != "" {
		a.body.Reset()
		a.body.WriteString(r.Body)
		a.header.Del("Content-Encoding")
	}
	for name, values := range r.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	if r.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(r.RetryAfter.Seconds())))
		if r.RetryDate {
			a.header.Set("Retry-After", now.Add(r.RetryAfter).UTC().Format(http.TimeFormat))
		}
	}
	if r.Validate && matches(req, a.header.Get("ETag"), a.header.Get("Last-Modified")) {
		a.status = http.StatusNotModified
	}
	if a.status == http.StatusNotModified || a.status == http.StatusNoContent {
		a.body.Reset()
	}
	if r.Gzip {
		raw := a.body.String()
		a.body.Reset()
		zw := gzip.NewWriter(&a.body)
		io.WriteString(zw, raw) // into memory: cannot fail
		zw.Close()
		a.header.Set("Content-Encoding", "gzip")
	}
}

// matches tells whether a request's validators say that the client has this
// version already (RFC 9110, section 13.2.2: If-None-Match goes first).
func matches(req *http.Request, etag, modified string) bool {
	if inm := req.Header.Get("If-None-Match"); inm != "" {
		for _, tag := range strings.Split(inm, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if etag != "" && (tag == "*" || tag == strings.TrimPrefix(etag, "W/")) {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(req.Header.Get("If-Modified-Since"))
	if err != nil {
		return false
	}
	last, err := http.ParseTime(modified)
	return err == nil && !last.After(since)
}

// send puts an answer on the wire the way the response says. Closing the
// server ends the request's context, and so every wait.
func (r Response) send(w http.ResponseWriter, req *http.Request, a *answer) {
	if !wait(req, r.Delay) {
		return
	}
	if r.Reset {
		reset(w)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	body := a.body.Bytes()
	switch {
	case r.Bomb > 0:
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(a.status)
		bomb(w, req, r.Bomb)
	case r.Endless:
		w.WriteHeader(a.status)
		endless(w, req, body, r.Drip)
	case r.Length > 0:
		misstate(w, a, r.Length)
	case r.Drip > 0:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(a.status)
		for i := range body {
			if !wait(req, r.Drip) || !push(w, body[i:i+1]) {
				return
			}
		}
	case r.Cut > 0 && r.Cut < len(body):
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(a.status)
		push(w, body[:r.Cut])
		panic(http.ErrAbortHandler) // the one way to make net/http close in the middle
	default:
		if a.status != http.StatusNotModified && a.status != http.StatusNoContent {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(a.status)
		w.Write(body) // a client that left is its own affair
	}
}

// wait sleeps and tells whether anybody still listens.
func wait(req *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}

// push writes and flushes and tells whether anybody still listens.
func push(w http.ResponseWriter, p []byte) bool {
	if _, err := w.Write(p); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // close with RST
	}
	conn.Close()
}

// misstate sends the answer by hand, with a Content-Length of its own.
func misstate(w http.ResponseWriter, a *answer, length int64) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	a.header.Set("Content-Length", strconv.FormatInt(length, 10))
	a.header.Set("Connection", "close")
	a.header.Write(rw)
	rw.WriteString("\r\n")
	rw.Write(a.body.Bytes())
	rw.Flush()
}

// chunk is how much a hostile body sends at a time, in bytes.
const chunk = 32 << 10

func endless(w http.ResponseWriter, req *http.Request, body []byte, drip time.Duration) {
	if len(body) == 0 {
		body = []byte("<!-- và thế là hết đâu -->\n")
	}
	for len(body) < chunk && drip == 0 {
		body = append(body, body...)
	}
	for req.Context().Err() == nil && wait(req, drip) && push(w, body) {
	}
}

func bomb(w http.ResponseWriter, req *http.Request, size int64) {
	zw, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	io.WriteString(zw, `<?xml version="1.0"?><rss version="2.0"><channel><title>`)
	filler := bytes.Repeat([]byte("bom "), chunk/4)
	for size > 0 && req.Context().Err() == nil {
		n := min(size, int64(len(filler)))
		if _, err := zw.Write(filler[:n]); err != nil {
			return
		}
		size -= n
	}
	io.WriteString(zw, `</title></channel></rss>`)
	zw.Close()
}
