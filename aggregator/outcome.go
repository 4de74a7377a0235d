package aggregator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// Fault is a visit that failed: its outcome and its cause, for a person.
type Fault struct {
	Outcome    store.Outcome
	Status     int           // of the answer, 0 if there was none
	RetryAfter time.Duration // what the outlet asked for, 0 = nothing
	Err        error
}

func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

func fault(o store.Outcome, format string, args ...any) *Fault {
	return &Fault{Outcome: o, Err: fmt.Errorf(format, args...)}
}

// outcomeOf names what an error of the transport means.
func outcomeOf(err error) store.Outcome {
	var f *Fault
	var dns *net.DNSError
	var netErr net.Error
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &f):
		return f.Outcome
	case errors.As(err, &dns):
		return store.DNS
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert), errors.As(err, new(x509.HostnameError)):
		return store.TLS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return store.Timeout
	case errors.Is(err, http.ErrSchemeMismatch):
		return store.TLS
	}
	return store.Connect
}

// maxRetryAfter caps what an outlet may ask for: a slip of a zero must not
// silence a source for a year.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads both forms of the header (RFC 9110, section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	raw := strings.TrimSpace(h.Get("Retry-After"))
	if raw == "" {
		return 0
	}
	var d time.Duration
	whole, _, _ := strings.Cut(raw, ".") // some write 120.0
	if n, err := strconv.ParseUint(whole, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		d = seconds(n)
	} else if at, err := http.ParseTime(raw); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// statusFault says what an answer other than 200 and 304 means.
func statusFault(status int, h http.Header, body []byte, now time.Time) *Fault {
	f := &Fault{Status: status, RetryAfter: retryAfter(h, now), Err: fmt.Errorf("the server answered %d %s", status, http.StatusText(status))}
	switch {
	case blockedBy(status, h, body) != "":
		f.Outcome, f.Err = store.Blocked, fmt.Errorf("%d from %s: it asks for proof of a browser; ask the outlet to admit this User-Agent", status, blockedBy(status, h, body))
	case status == http.StatusGone:
		f.Outcome = store.Gone
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && f.RetryAfter > 0:
		f.Outcome = store.Throttled
	case status >= 500:
		f.Outcome = store.HTTP5xx
	case status < 300: // 204, 206: not what was asked for
		f.Outcome = store.NotAFeed
	default:
		f.Outcome = store.HTTP4xx
	}
	return f
}

// blockedBy names the firewall that answered in the outlet's place, or "".
// Báo Lao Động answers every address, feeds too, with a 200 that sets a cookie
// by script.
func blockedBy(status int, h http.Header, body []byte) string {
	refusing := status == 403 || status == 429 || status == 503 || status == 401
	page := bytes.ToLower(body[:min(len(body), 64<<10)])
	script := bytes.Contains(page, []byte("<script"))
	switch {
	case h.Get("Cf-Mitigated") != "":
		return "Cloudflare (cf-mitigated: " + h.Get("Cf-Mitigated") + ")"
	case h.Get("X-Datadome") != "" && refusing:
		return "DataDome"
	case refusing && script && bytes.Contains(page, []byte("challenge-platform")):
		return "Cloudflare"
	case refusing && strings.Contains(strings.ToLower(h.Get("Server")), "cloudflare") && status == 403:
		return "Cloudflare"
	case (status == 200 || refusing) && script && bytes.Contains(page, []byte("document.cookie")) &&
		(bytes.Contains(page, []byte("location.reload")) || bytes.Contains(page, []byte("location.href")) || bytes.Contains(page, []byte("window.location"))) &&
		!bytes.Contains(page, []byte("<rss")) && !bytes.Contains(page, []byte("<feed")) && len(body) < 32<<10:
		return "a challenge page (a cookie set by script)"
	}
	return ""
}

// advice is what an outlet's webmaster or our operator can do about an outcome.
var advice = map[store.Outcome]string{
	store.Gone:       "the feed has ended (410); look for its successor and change the url",
	store.Throttled:  "we were asked to come less often; raise every.min of the source",
	store.Timeout:    "the server is slow or does not answer",
	store.DNS:        "the host name is not known; the outlet may have moved to another domain",
	store.Connect:    "the server refuses or breaks off connections",
	store.TLS:        "the certificate is not valid; tell the webmaster",
	store.HTTP4xx:    "the address is not served any more; look for the new one",
	store.HTTP5xx:    "the outlet's server has a fault; it is tried again",
	store.Blocked:    "a firewall keeps us out; ask the webmaster to admit the User-Agent diemtin",
	store.Refused:    "our guard refused the address; allow_private admits private ones",
	store.Disallowed: "robots.txt closes it to us; respect it, or ask the webmaster to admit the agent diemtin",
	store.TooLarge:   "the document is over a limit of this installation",
	store.NotAFeed:   "no feed is served there; look at the address in a browser",
	store.Internal:   "a fault of ours; please report it",
}

// Advice returns what can be done about an outcome, empty for a good one.
func Advice(o store.Outcome) string { return advice[o] }
