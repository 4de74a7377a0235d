package aggregator

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/publicsuffix"

	"diemtin/store"
)

// Limits of one visit that no installation needs to change.
const (
	maxRedirects   = 5
	dialTimeout    = 10 * time.Second
	headerTimeout  = 20 * time.Second
	maxHeaderBytes = 64 << 10
	maxFaultBody   = 64 << 10 // of an error page, read to recognise firewalls
	idlePerHost    = 2
	keptSessions   = 1024 // of TLS: the hosts of an installation, each with a session of some KB
	idleTimeout    = 90 * time.Second
)

// Document is what one GET brought.
type Document struct {
	URL      string // as asked
	FinalURL string // after redirects
	Moved    string // where permanent redirects alone (301, 308) led, or empty
	Status   int
	Header   http.Header
	Body     []byte // unpacked; of a document that was fetched, until its release
	Cut      bool   // the connection broke off; Body is what had come
	Hash     string // of Body, as bodyHash makes it
	At       time.Time
	Took     time.Duration

	room *bytes.Buffer // that Body lies in, if it is to be used again
}

// fetcher gets documents conditionally and within limits.
type fetcher struct {
	agent      string
	limits     atomic.Pointer[Limits]
	mu         sync.Mutex
	transports map[string]*http.Transport // shared by the sources with the same guard and proxy
	unpackers  sync.Pool                  // of *unpacker
	rooms      sync.Pool                  // of *bytes.Buffer, for bodies
	// ready waits until a request may go out, once there is a connection; nil =
	// it may.
	ready func(ctx context.Context, address string)
}

func newFetcher(agent string, limits Limits) *fetcher {
	f := &fetcher{agent: agent, transports: map[string]*http.Transport{}}
	f.limits.Store(&limits)
	return f
}

// access is how one source may be reached.
type access struct {
	client         *http.Client
	user, password string // sent as Basic authentication, if given
	article        bool   // an article's page is asked for
}

// access builds the way to one source. Transports, and so connections, are
// shared; a cookie jar is the source's own.
func (f *fetcher) access(s SourceConfig) access {
	guard := !s.AllowPrivate && !f.limits.Load().AllowPrivate
	key := fmt.Sprintf("%v %s", guard, s.Proxy)
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.transports[key]
	if t == nil {
		t = newTransport(guard && s.Proxy == "")
		if s.Proxy != "" {
			u, err := url.Parse(s.Proxy) // Check has read it before
			t.Proxy = func(*http.Request) (*url.URL, error) { return u, err }
		}
		f.transports[key] = t
	}
	client := &http.Client{Transport: t, CheckRedirect: checkRedirect}
	if guard && s.Proxy != "" {
		client.Transport = proxyGuard{t}
	}
	if s.Cookies {
		client.Jar, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // cannot fail
	}
	password, _ := s.password() // Check has read it before
	return access{client: client, user: s.User, password: password}
}

func newTransport(guard bool) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	if guard {
		dialer.Control = guardDial
	}
	return &http.Transport{
		Proxy:                  nil, // the environment's proxy would resolve names behind the guard's back
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(keptSessions)},
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // unpacked here, where both sizes are limited
	}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return fault(store.Refused, "more than %d redirects, the last to %s", maxRedirects, req.URL.Redacted())
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return fault(store.Refused, "redirect to %s, which is neither http nor https", req.URL.Redacted())
	}
	return nil
}

func (f *fetcher) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.transports {
		t.CloseIdleConnections()
	}
}

// get fetches one document. etag and lastModified make the request
// conditional; a 304 comes back as a Document without a body. Every error is
// a *Fault.
func (f *fetcher) get(ctx context.Context, via access, address, etag, lastModified string, now time.Time) (*Document, error) {
	limits := f.limits.Load()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(limits.Timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault(store.Internal, "request %s: %w", address, err)
	}
	req.Header.Set("User-Agent", f.agent)
	req.Header.Set("Accept", "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5")
	limit := limits.MaxBytes
	if via.article {
		req.Header.Set("Accept", "text/html, application/xhtml+xml;q=0.9, */*;q=0.5")
		limit = min(limit, maxArticleBytes)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	if lastModified != "" {
		req.Header.Set("If-Modified-Since", lastModified)
	}
	if via.user != "" {
		req.SetBasicAuth(via.user, via.password)
	}
	if f.ready != nil {
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { f.ready(ctx, address) }}
		req = req.WithContext(httptrace.WithClientTrace(ctx, trace))
	}
	start := time.Now()
	resp, err := via.client.Do(req)
	if err != nil {
		return nil, transportFault(address, err)
	}
	defer resp.Body.Close()
	doc, err := f.readResponse(address, resp, limit, now)
	if doc != nil {
		doc.Took = time.Since(start)
	}
	return doc, err
}

// transportFault says what failed without the noise that url.Error adds. That
// the headers were too large net/http says in words alone, in others for each
// version of HTTP.
func transportFault(address string, err error) *Fault {
	var known *Fault
	var u *url.Error
	cause := err
	if errors.As(err, &u) {
		cause = u.Err
	}
	if errors.As(err, &known) {
		return &Fault{Outcome: known.Outcome, Err: fmt.Errorf("fetch %s: %w", address, known.Err)}
	}
	switch words := cause.Error(); {
	case strings.Contains(words, "server response headers exceeded"), strings.Contains(words, "response header list larger than"):
		return fault(store.TooLarge, "fetch %s: the answer's headers are over %d KB", address, maxHeaderBytes>>10)
	case strings.HasSuffix(words, "connection error: PROTOCOL_ERROR"):
		cause = fmt.Errorf("%w (perhaps its headers are far over %d KB)", cause, maxHeaderBytes>>10)
	}
	return &Fault{Outcome: outcomeOf(err), Err: fmt.Errorf("fetch %s: %w", address, cause)}
}

func (f *fetcher) readResponse(address string, resp *http.Response, limit int64, now time.Time) (*Document, error) {
	doc := &Document{URL: address, FinalURL: resp.Request.URL.String(), Moved: movedTo(resp), Status: resp.StatusCode, Header: resp.Header, At: now}
	if resp.StatusCode == http.StatusNotModified {
		return doc, nil
	}
	if resp.StatusCode != http.StatusOK {
		limit = maxFaultBody
	}
	room, hash, err := f.unpack(resp, limit)
	body := room.Bytes()
	if resp.StatusCode != http.StatusOK {
		fault := statusFault(resp.StatusCode, resp.Header, body, now)
		f.leave(room)
		return doc, fault
	}
	if doc.Cut = errors.Is(err, io.ErrUnexpectedEOF) && len(body) > 0; err != nil && !doc.Cut {
		f.leave(room)
		return doc, bodyFault(address, err)
	}
	doc.Body, doc.Hash, doc.room = body, hash, room
	return doc, nil
}

// movedTo is where a chain of permanent redirects alone has led.
func movedTo(resp *http.Response) string {
	req := resp.Request
	for hop := req.Response; hop != nil; hop = hop.Request.Response {
		if hop.StatusCode != http.StatusMovedPermanently && hop.StatusCode != http.StatusPermanentRedirect {
			return ""
		}
	}
	if req.Response == nil {
		return ""
	}
	return req.URL.String()
}

func bodyFault(address string, err error) *Fault {
	var f *Fault
	switch {
	case errors.As(err, &f):
		return &Fault{Outcome: f.Outcome, Status: http.StatusOK, Err: fmt.Errorf("read %s: %w", address, f.Err)}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return cutFault(address)
	}
	return &Fault{Outcome: outcomeOf(err), Status: http.StatusOK, Err: fmt.Errorf("read %s: %w", address, err)}
}

// cutFault is for an answer of which nothing that came can be used.
func cutFault(address string) *Fault {
	return &Fault{Outcome: store.Connect, Status: http.StatusOK, Err: fmt.Errorf("read %s: the connection broke off in the middle", address)}
}
