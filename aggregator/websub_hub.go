package aggregator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// maxHubRedirects bounds the places a hub may send us on to.
	maxHubRedirects = 5
	// maxReason bounds what is kept of a hub's words, in bytes.
	maxReason = 200
)

// ask sends one request to a hub and stores what is known then. What counts is
// the hub's question to our callback, not its answer here.
func (s *subscriber) ask(ctx context.Context, p store.Push) {
	now := s.now()
	leaving := p.State == store.PushLeaving
	if leaving && (p.Fails >= leaveTries || !p.Expires.After(now)) {
		if err := s.store.DropPush(ctx, p.Token); err != nil {
			s.log.Error("forget subscription", "source", p.Source, "error", err)
		}
		return
	}
	err := s.requestInside(ctx, p)
	if ctx.Err() != nil {
		return // its lease ends, and the next process asks
	}
	p = afterRequest(p, err, s.now())
	result := "accepted"
	if err != nil {
		result = string(outcomeOf(err))
		s.log.Warn("hub request failed", "source", p.Source, "hub", p.Hub, "state", string(p.State), "failures", p.Fails, "detail", p.Detail)
	}
	s.metrics.requests.WithLabelValues(result).Inc()
	if err := s.store.SettlePush(ctx, p); err != nil {
		s.log.Error("settle subscription", "source", p.Source, "error", err)
	}
}

// afterRequest is a subscription after a request to its hub, as long as the
// hub has not asked back. The wait for that counts as a failure until it does.
func afterRequest(p store.Push, err error, now time.Time) store.Push {
	p.Fails++
	p.NextAt = askAgain(p.Fails, now)
	held := p.State == store.PushLeaving || p.State == store.PushVerified && p.Expires.After(now)
	if !held {
		p.State = store.PushPending
	}
	if err == nil {
		p.Detail = "the hub has accepted the request and not verified it yet"
		return p
	}
	p.Detail = err.Error()
	f, ok := err.(*Fault)
	if !ok {
		return p
	}
	if again := now.Add(f.RetryAfter); again.After(p.NextAt) {
		p.NextAt = again
	}
	if f.Outcome == store.HTTP4xx || f.Outcome == store.Gone {
		if !held {
			p.State = store.PushDenied
		}
		if again := now.Add(jittered(refusedAgain)); again.After(p.NextAt) && p.State != store.PushLeaving {
			p.NextAt = again
		}
	}
	return p
}

// requestInside is request within the budget of the hub's host.
func (s *subscriber) requestInside(ctx context.Context, p store.Push) error {
	if s.enter != nil {
		leave, err := s.enter(ctx, p.Hub)
		if err != nil {
			return err
		}
		defer leave()
	}
	return s.request(ctx, p)
}

// request asks a hub to subscribe or, for a subscription that is left, to
// unsubscribe (section 5.1). Every error is a *Fault.
func (s *subscriber) request(ctx context.Context, p store.Push) error {
	form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {p.Topic}, "hub.callback": {p.Callback}}
	if p.State == store.PushLeaving {
		form.Set("hub.mode", "unsubscribe")
	} else {
		form.Set("hub.lease_seconds", strconv.Itoa(int(askedLease.Seconds())))
		form.Set("hub.secret", p.Secret)
	}
	address := p.Hub
	for range maxHubRedirects + 1 {
		next, err := s.post(ctx, address, form)
		if err != nil || next == "" {
			return err
		}
		address = next
	}
	return fault(store.Refused, "hub %s: more than %d redirects", p.Hub, maxHubRedirects)
}

// post sends a form; next is where a redirect leads. The Recommendation knows
// 307 and 308; hubs that answer 301 or 302 mean the same, and a client that
// makes a GET of it subscribes to nothing.
func (s *subscriber) post(ctx context.Context, address string, form url.Values) (next string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fault(store.Internal, "hub %s: %w", address, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", s.agent)
	resp, err := s.client.Do(req)
	if err != nil {
		return "", transportFault(address, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason)) // for a person; half of it will do
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return "", nil
	case code == 301 || code == 302 || code == 307 || code == 308:
		to := webAddress(address, resp.Header.Get("Location"))
		if to == "" || strings.HasPrefix(address, "https:") && !strings.HasPrefix(to, "https:") {
			return "", fault(store.Refused, "hub %s redirects to %q, where our secret is not safe", address, resp.Header.Get("Location"))
		}
		return to, nil
	}
	f := statusFault(resp.StatusCode, resp.Header, body, s.now())
	f.Err = fmt.Errorf("hub %s: %w: %s", address, f.Err, shortReason(string(body)))
	return "", f
}

// shortReason is what a hub says, fit for one line.
func shortReason(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	return strings.ReplaceAll(s, "\x00", "") // PostgreSQL keeps none
}

// leaseOf is how long a hub keeps a subscription, and when to renew it.
func leaseOf(seconds string, now time.Time) (expires, renew time.Time) {
	lease := askedLease
	if n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64); err == nil && n > 0 {
		lease = time.Duration(min(n, int64(longestLease/time.Second))) * time.Second
	}
	wait := max(jittered(lease*3/4), soonestRenewal)
	return now.Add(lease), now.Add(wait)
}
