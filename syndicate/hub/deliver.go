package hub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// firstRetry is the wait after a failed delivery; each further one is three
	// times as long, up to longestRetry.
	firstRetry   = 10 * time.Second
	longestRetry = time.Hour
	// giveUpAfter is how long deliveries may fail, all of them, before the
	// subscription ends.
	giveUpAfter = 24 * time.Hour
	// renderAgain is when to come again for a feed that is not yet rendered
	// with the change: the cache asks once a second.
	renderAgain = time.Second
	// unreadAgain is the same if the feed could not be made.
	unreadAgain = 10 * time.Second
	// maxAnswer is how much is read of an answer to a delivery, in bytes.
	maxAnswer = 4 << 10
	// maxDetail bounds what is kept for people of what went wrong, in bytes.
	maxDetail = 200
	jitter    = 0.2
)

// result is the answer to a delivery.
type result struct {
	code       int   // 0 if there was none
	err        error // why not
	retryAfter time.Duration
}

// deliver sends a feed to one subscriber (section 7) and stores what came of it.
func (h *Hub) deliver(ctx context.Context, s store.HubSubscription) {
	doc, err := h.Topics.Document(ctx, s.Topic)
	now := h.now()
	switch {
	case err != nil:
		h.Log.Error("feed not delivered", "topic", s.Topic, "error", err)
		s.NextAt = now.Add(unreadAgain)
		h.settle(ctx, s, 0)
		return
	case doc.Revision < s.Wanted:
		s.NextAt = now.Add(renderAgain)
		h.settle(ctx, s, 0)
		return
	case doc.Hash == s.Hash:
		h.count("unchanged")
		h.settle(ctx, s, doc.Revision)
		return
	}
	res := h.post(ctx, s, doc)
	now = h.now()
	next, outcome := afterDelivery(s, doc.Hash, res, now)
	h.count(outcome)
	log := h.Log.With("topic", s.Topic, "host", s.Host)
	switch outcome {
	case "gone":
		log.Info("callback has ended its subscription")
		if err := h.Store.EndHubSubscription(ctx, s); err != nil {
			log.Error("end subscription", "error", err)
		}
		return
	case "delivered":
		h.PushedAfter.Observe(max(0, now.Sub(s.Since).Seconds()))
		h.settle(ctx, next, doc.Revision)
		return
	case "dropped":
		log.Warn("subscription ended: nothing could be delivered", "since", s.FailingSince, "failures", next.Fails, "detail", next.Detail)
	default:
		log.Debug("delivery failed", "failures", next.Fails, "detail", next.Detail)
	}
	h.settle(ctx, next, 0)
}

func (h *Hub) count(outcome string) { h.metrics.deliveries.WithLabelValues(outcome).Inc() }

func (h *Hub) settle(ctx context.Context, s store.HubSubscription, revision int64) {
	if err := h.Store.SettleHubDelivery(ctx, s, revision); err != nil {
		h.Log.Error("settle delivery", "topic", s.Topic, "error", err)
	}
}

// afterDelivery is a subscription after an attempt, and what the attempt came
// to: delivered, gone, failed (to be repeated) or dropped. A pure function, but
// for the jitter.
func afterDelivery(s store.HubSubscription, hash string, r result, now time.Time) (_ store.HubSubscription, outcome string) {
	switch {
	case r.code >= 200 && r.code <= 299:
		s.Hash, s.Delivered, s.Fails, s.FailingSince, s.Detail, s.NextAt = hash, now, 0, time.Time{}, "", now
		return s, "delivered"
	case r.code == http.StatusGone:
		return s, "gone"
	}
	if s.FailingSince.IsZero() {
		s.FailingSince = now
	}
	s.Fails++
	s.Detail = fmt.Sprintf("status %d", r.code)
	if r.err != nil {
		s.Detail = reason(r.err)
	}
	if now.Sub(s.FailingSince) >= giveUpAfter {
		s.State = store.HubEnded
		s.Detail = "nothing could be delivered for a day: " + s.Detail
		return s, "dropped"
	}
	s.NextAt = now.Add(max(jittered(retryIn(s.Fails)), min(r.retryAfter, longestRetry)))
	return s, "failed"
}

// retryIn is the wait after so many failures in a row.
func retryIn(fails int) time.Duration {
	wait := firstRetry
	for i := 1; i < fails && wait < longestRetry; i++ {
		wait *= 3
	}
	return min(wait, longestRetry)
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1)))
}

// post sends a feed, signed if the subscriber gave a secret (section 7.1).
func (h *Hub) post(ctx context.Context, s store.HubSubscription, doc Document) result {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Callback, bytes.NewReader(doc.Body))
	if err != nil {
		return result{err: err}
	}
	req.Header.Set("Content-Type", doc.ContentType)
	req.Header.Set("User-Agent", h.Agent)
	req.Header.Set("Link", fmt.Sprintf(`<%s>; rel="hub", <%s>; rel="self"`, h.address, s.Topic))
	if s.Secret != "" {
		req.Header.Set("X-Hub-Signature", "sha256="+signature(s.Secret, doc.Body))
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return result{err: err}
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the connection can be used again; what it says does not matter
	r := result{code: resp.StatusCode}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		r.retryAfter = time.Duration(min(n, int(longestRetry/time.Second))) * time.Second
	}
	return r
}

func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// reason is what went wrong in one line, without the address: a callback may be
// all that keeps strangers out.
func reason(err error) string {
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err
	}
	s := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "")), " ")
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "")
	}
	return strings.ReplaceAll(s, "\x00", "")
}
