package outlettest

import (
	"net/http"
	"sync"
	"time"
)

// TB is the part of testing.TB that an Origin needs; the package does not
// import testing, since the demo links it.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Origin is a scripted HTTP server on the loopback interface. It is safe for
// concurrent use.
type Origin struct {
	URL  string // http://127.0.0.1:PORT, without a slash at the end
	Addr string // 127.0.0.1:PORT

	host    *host
	mu      sync.Mutex
	scripts map[string]*script
}

// NewOrigin starts an origin that is closed when the test ends. A path that
// nothing was said about is a 404.
func NewOrigin(t TB) *Origin {
	t.Helper()
	o := &Origin{scripts: map[string]*script{}}
	h, err := listen(time.Now, o.respond)
	if err != nil {
		t.Fatalf("start an origin: %v", err)
	}
	o.host, o.Addr, o.URL = h, h.addr, "http://"+h.addr
	t.Cleanup(func() { h.close() })
	return o
}

// Handle says what a path answers, one after another; the last response stays.
// A call replaces what was said about the path before.
func (o *Origin) Handle(path string, responses ...Response) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.scripts[path] = &script{list: responses}
}

// Requests returns the requests so far, oldest first.
func (o *Origin) Requests() []Request { return o.host.requests() }

func (o *Origin) respond(a *answer, req *http.Request) Response {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r, ok := o.scripts[req.URL.Path].take(); ok {
		return r
	}
	return Status(http.StatusNotFound)
}
