package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"diemtin/store"
)

const (
	// maxTries is how often a callback is asked that cannot be reached, and
	// firstAskAgain how soon the second time; each wait is three times the last.
	maxTries      = 3
	firstAskAgain = 5 * time.Second
)

// errRefused says that a callback has answered, and not with yes.
var errRefused = errors.New("refused")

// ask verifies the intent of a subscriber (section 5.3), or tells it that its
// subscription is denied (section 5.2).
func (h *Hub) ask(ctx context.Context, r store.HubRequest) {
	err := h.question(ctx, r)
	now := h.now()
	result := "confirmed"
	switch {
	case err == nil:
		done, err := h.Store.ConfirmHubRequest(ctx, r, now)
		if err != nil {
			h.Log.Error("confirm request to the hub", "error", err)
			result = "failed"
		} else if done {
			h.Log.Info("hub request confirmed", "mode", string(r.Mode), "topic", r.Topic, "host", r.Host, "lease_s", int(r.Lease.Seconds()))
		}
	default:
		var final bool
		r, final = afterQuestion(r, err, now)
		result = "unreachable"
		if errors.Is(err, errRefused) {
			result = "refused"
		}
		h.Log.Debug("hub request not confirmed", "mode", string(r.Mode), "host", r.Host, "tries", r.Tries, "detail", r.Detail)
		if err := h.Store.PostponeHubRequest(ctx, r, final); err != nil {
			h.Log.Error("postpone request to the hub", "error", err)
		}
	}
	h.metrics.verifications.WithLabelValues(string(r.Mode), result).Inc()
}

// afterQuestion is a request after a callback did not confirm it: a pure
// function. Who cannot be reached is asked again; final says that it is over.
func afterQuestion(r store.HubRequest, err error, now time.Time) (_ store.HubRequest, final bool) {
	r.Tries++
	if r.Mode != store.HubDenied { // whose detail is the reason that is told
		r.Detail = reason(err)
	}
	if errors.Is(err, errRefused) || r.Tries >= maxTries {
		r.NextAt = now.Add(remembered)
		return r, true
	}
	wait := firstAskAgain
	for range r.Tries - 1 {
		wait *= 3
	}
	r.NextAt = now.Add(jittered(wait))
	return r, false
}

// question asks a callback, or tells it. An error that is errRefused is its
// answer, any other may be different next time.
func (h *Hub) question(ctx context.Context, r store.HubRequest) error {
	query := url.Values{"hub.mode": {string(r.Mode)}, "hub.topic": {r.Topic}}
	challenge := ""
	switch r.Mode {
	case store.HubDenied:
		query.Set("hub.reason", r.Detail)
	case store.HubSubscribe:
		query.Set("hub.lease_seconds", strconv.Itoa(int(r.Lease.Seconds())))
		fallthrough
	default:
		challenge = secretText()
		query.Set("hub.challenge", challenge)
	}
	address, err := withQuery(r.Callback, query)
	if err != nil {
		return fmt.Errorf("%w: %v", errRefused, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("%w: %v", errRefused, err)
	}
	req.Header.Set("User-Agent", h.Agent)
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(len(challenge))+1))
	switch code := resp.StatusCode; {
	case code >= 500 || code == http.StatusTooManyRequests:
		return fmt.Errorf("status %d", code)
	case code < 200 || code > 299:
		return fmt.Errorf("%w: status %d", errRefused, code)
	case err != nil:
		return err
	case r.Mode != store.HubDenied && string(body) != challenge:
		return fmt.Errorf("%w: the answer is not the challenge", errRefused)
	}
	return nil
}
