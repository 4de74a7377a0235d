package outlettest

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Request is one request that a simulated server got.
type Request struct {
	At     time.Time
	Method string
	Path   string // with the query
	Host   string
	Header http.Header
	Body   string // at most the first megabyte
	Status int    // what was answered; 0 if the connection was reset
}

// maxLog is how many requests a server remembers at least, newest last: more
// than any test asserts on, small enough for a benchmark.
const maxLog = 4096

// maxRequest is how much of a request's body is read, in bytes.
const maxRequest = 1 << 20

// host is one listener on the loopback interface with a log.
type host struct {
	addr    string // 127.0.0.1:PORT
	now     func() time.Time
	server  *http.Server
	serving sync.WaitGroup

	mu     sync.Mutex
	closed bool
	log    []Request
}

// respond makes the answer to a request, and says how to send it.
type respond func(a *answer, req *http.Request) Response

func listen(now func() time.Time, respond respond) (*host, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback interface: %w", err)
	}
	h := &host{addr: ln.Addr().String(), now: now}
	h.server = &http.Server{
		ErrorLog:          log.New(io.Discard, "", 0), // clients that break off are wanted here
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if !h.begin() {
				panic(http.ErrAbortHandler)
			}
			defer h.serving.Done()
			// Only a request that was read to its end notices a client that left.
			body, err := io.ReadAll(io.LimitReader(req.Body, maxRequest))
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			a := newAnswer()
			r := respond(a, req)
			r.shape(a, req, now())
			h.record(req, string(body), a.status, r.Reset)
			r.send(w, req, a)
		}),
	}
	h.serving.Go(func() {
		h.server.Serve(ln) // returns when closed; nothing else can be done about it
	})
	return h, nil
}

// begin counts a handler in; after close there are no new ones.
func (h *host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.serving.Add(1)
	}
	return !h.closed
}

// close ends every connection and waits for every handler. Only the first
// call does anything.
func (h *host) close() error {
	h.mu.Lock()
	was := h.closed
	h.closed = true
	h.mu.Unlock()
	if was {
		return nil
	}
	err := h.server.Close()
	h.serving.Wait()
	return err
}

func (h *host) record(req *http.Request, body string, status int, reset bool) {
	if reset {
		status = 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.log) >= 2*maxLog {
		h.log = append([]Request(nil), h.log[maxLog:]...)
	}
	h.log = append(h.log, Request{
		At: h.now(), Method: req.Method, Path: req.URL.RequestURI(), Host: req.Host,
		Header: req.Header.Clone(), Body: body, Status: status,
	})
}

func (h *host) requests() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Request(nil), h.log...)
}
