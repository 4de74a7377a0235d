package aggregator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"diemtin/store"
)

const (
	// deliveryWorkers read deliveries; reading one takes milliseconds.
	deliveryWorkers = 2
	// maxWaiting and maxWaitingBytes bound the accepted deliveries that wait
	// for a worker. A hub that is told "busy" comes again.
	maxWaiting      = 64
	maxWaitingBytes = 32 << 20
	// deliveryTimeout bounds how long a hub may take to send one.
	deliveryTimeout = 30 * time.Second
	// busyFor is when a hub that is told "busy" should come again.
	busyFor = "30"
)

// tokenForm is the shape of secretText.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Callback answers hubs: their questions whether a subscription is meant (GET)
// and their deliveries (POST). It belongs at /websub/ of the public listener.
func (a *Aggregator) Callback() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+callbackPath+"{token}", a.push.verify)
	mux.HandleFunc("POST "+callbackPath+"{token}", a.push.receive)
	return mux
}

// find looks up the subscription of a request. It answers by itself if there
// is none.
func (s *subscriber) find(w http.ResponseWriter, r *http.Request) (p store.Push, ok bool) {
	token := r.PathValue("token")
	if !tokenForm.MatchString(token) {
		http.NotFound(w, r)
		return p, false
	}
	p, err := s.store.Push(r.Context(), token)
	if err != nil {
		s.refuse(w, r, err)
		return p, false
	}
	return p, true
}

// refuse answers where the store does not know a subscription, or does not
// answer: then the hub should try again.
func (s *subscriber) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	s.log.Error("look up subscription", "error", err)
	busy(w)
}

func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", busyFor)
	http.Error(w, "busy, please try again", http.StatusServiceUnavailable)
}

// verify answers a hub that asks whether we mean it (section 5.3), or that
// tells that it will not (section 5.2).
func (s *subscriber) verify(w http.ResponseWriter, r *http.Request) {
	p, ok := s.find(w, r)
	if !ok {
		s.metrics.verifications.WithLabelValues("refused").Inc()
		return
	}
	result, err := s.answerHub(r.Context(), p, hubQuestion{mode: r.FormValue("hub.mode"), topic: r.FormValue("hub.topic"),
		challenge: r.FormValue("hub.challenge"), lease: r.FormValue("hub.lease_seconds"), reason: r.FormValue("hub.reason")})
	if err != nil {
		s.refuse(w, r, err)
		result = "refused"
	}
	s.metrics.verifications.WithLabelValues(result).Inc()
	switch {
	case err != nil:
	case result == "refused":
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		io.WriteString(w, r.FormValue("hub.challenge"))
	}
}

// hubQuestion is what a hub asks by GET.
type hubQuestion struct{ mode, topic, challenge, lease, reason string }

// answerHub decides on a hub's question, and remembers: confirmed, refused or
// denied. A hub may ask twice, since our answer may get lost.
func (s *subscriber) answerHub(ctx context.Context, p store.Push, q hubQuestion) (result string, err error) {
	now := s.now()
	leaving := p.State == store.PushLeaving
	log := s.log.With("source", p.Source, "hub", p.Hub)
	switch {
	case q.topic != p.Topic:
		return "refused", nil
	case q.mode == "denied":
		detail := "the hub has denied the subscription: " + shortReason(q.reason)
		log.Warn("hub denies", "detail", detail)
		if leaving {
			return "denied", s.store.DropPush(ctx, p.Token)
		}
		s.amend(p, func(k *store.Push) { k.State = store.PushDenied })
		return "denied", s.store.DenyPush(ctx, p.Token, detail, later(askAgain(p.Fails+1, now), now.Add(jittered(refusedAgain))))
	case q.challenge == "":
		return "refused", nil
	case q.mode == "unsubscribe" && leaving:
		log.Info("hub has ended the subscription")
		return "confirmed", s.store.DropPush(ctx, p.Token)
	case q.mode == "subscribe" && !leaving && s.base != "" && p.Wanted:
		expires, renew := leaseOf(q.lease, now)
		if err := s.store.VerifyPush(ctx, p.Token, now, expires, renew); err != nil {
			return "refused", err
		}
		log.Info("hub verifies", "expires", expires.Format(time.RFC3339))
		s.amend(p, func(k *store.Push) { k.State, k.Expires = store.PushVerified, expires })
		return "confirmed", nil
	}
	return "refused", nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// receive accepts a delivery (section 7) and leaves the reading to others. A
// wrong signature is acknowledged as the Recommendation wants it, so that
// nobody can find out secrets by trying, and ignored.
func (s *subscriber) receive(w http.ResponseWriter, r *http.Request) {
	p, ok := s.find(w, r)
	result := "unknown"
	switch {
	case !ok:
	case p.State == store.PushLeaving:
		http.Error(w, "no longer subscribed", http.StatusGone)
	default:
		result = s.accept(w, r, p)
	}
	if result != "" {
		s.metrics.deliveries.WithLabelValues(result).Inc()
	}
}

// accept takes one delivery in; the result is "" if a worker will say it.
func (s *subscriber) accept(w http.ResponseWriter, r *http.Request, p store.Push) (result string) {
	limit := s.maxBytes()
	if r.ContentLength > limit {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return "too_large"
	}
	size := r.ContentLength
	if size < 0 {
		size = limit
	}
	if !s.knows(p.Source) || !s.inbox.reserve(size) {
		busy(w)
		return "busy"
	}
	body, code, result := s.signedBody(w, r, p)
	if code == 0 {
		doc := &Document{URL: p.Topic, FinalURL: p.Topic, Status: http.StatusOK, Header: r.Header, Body: body, At: s.now()}
		if s.inbox.put(delivery{p, doc, size}) {
			w.WriteHeader(http.StatusAccepted)
			return ""
		}
		code, result = http.StatusServiceUnavailable, "busy"
	}
	s.inbox.free(size)
	switch code {
	case http.StatusAccepted:
		w.WriteHeader(code)
	case http.StatusServiceUnavailable:
		busy(w)
	default:
		http.Error(w, result, code)
	}
	s.log.Warn("delivery ignored", "source", p.Source, "reason", result)
	return result
}

// signedBody reads a body that our secret has signed; for any other, code is
// what to answer and result why.
func (s *subscriber) signedBody(w http.ResponseWriter, r *http.Request, p store.Push) (body []byte, code int, result string) {
	body, err := s.body(w, r, s.maxBytes())
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, http.StatusRequestEntityTooLarge, "too_large"
	case err != nil:
		return nil, http.StatusBadRequest, "broken"
	}
	if result = signatureResult(r.Header.Get("X-Hub-Signature"), p.Secret, body); result != "" {
		return nil, http.StatusAccepted, result
	}
	return body, 0, ""
}

func (s *subscriber) body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	// A recorder in a test has no deadlines; a connection has.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(deliveryTimeout))
	var buf bytes.Buffer
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	return buf.Bytes(), err
}

// signatureResult is "" for a body that was signed with our secret, else what
// is wrong with its signature (section 7.1).
func signatureResult(header, secret string, body []byte) string {
	if header == "" {
		return "unsigned"
	}
	method, sum, _ := strings.Cut(strings.TrimSpace(header), "=")
	methods := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}
	newHash := methods[strings.ToLower(method)]
	got, err := hex.DecodeString(sum)
	if newHash == nil || err != nil {
		return "wrong_signature"
	}
	mac := hmac.New(newHash, []byte(secret))
	mac.Write(body)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return "wrong_signature"
	}
	return ""
}

// delivery is an accepted delivery that waits to be read.
type delivery struct {
	push store.Push
	doc  *Document
	size int64 // reserved
}

// inbox holds accepted deliveries, bounded in number and bytes.
type inbox struct {
	queue  chan delivery
	mu     sync.Mutex
	bytes  int64
	closed bool
}

// reserve makes room for a body; one alone always finds it.
func (b *inbox) reserve(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.bytes > 0 && b.bytes+n > maxWaitingBytes {
		return false
	}
	b.bytes += n
	return true
}

func (b *inbox) free(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= n
}

func (b *inbox) put(d delivery) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	select {
	case b.queue <- d:
		return true
	default:
		return false
	}
}

// close accepts no more; what waits is still worked off.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.queue)
	}
}

func (b *inbox) work(take func(delivery)) {
	for d := range b.queue {
		take(d)
		b.free(d.size)
	}
}

// take reads one delivery and notes that the hub does its work.
func (s *subscriber) take(d delivery) {
	ctx := context.Background() // it was accepted
	result := s.deliver(ctx, d.push, d.doc)
	s.metrics.deliveries.WithLabelValues(result).Inc()
	if result != "new" && result != "same" {
		return
	}
	now := s.now()
	s.amend(d.push, func(k *store.Push) { k.Delivered, k.Missed = now, 0 })
	if err := s.store.DeliveredPush(ctx, d.push.Token, now); err != nil && !errors.Is(err, store.ErrNotFound) {
		s.log.Error("note delivery", "source", d.push.Source, "error", err)
	}
}

// deliver reads a pushed document as if it had been fetched, and stores its
// items. It may hold a part of the feed only (section 7), so nothing is
// concluded from what it lacks, and the source's state stays as it is.
func (a *Aggregator) deliver(ctx context.Context, p store.Push, doc *Document) (result string) {
	log := a.log.With("source", p.Source)
	defer func() {
		if r := recover(); r != nil {
			log.Error("read delivery", "error", fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
			result = "failed"
		}
	}()
	src, err := a.store.Source(ctx, p.Source)
	if err != nil {
		log.Error("read delivery", "error", err)
		return "failed"
	}
	c, known := a.set().sources[p.Source]
	if !known { // it has left feeds.yaml since
		return "empty"
	}
	defer a.fetch.release(doc)
	items, repairs, err := a.delivered(c, doc)
	if err != nil {
		log.Warn("delivery cannot be read", "detail", err.Error())
		return "unreadable"
	}
	if len(items) == 0 {
		return "empty"
	}
	at := a.now()
	changes, err := a.store.Record(ctx, store.Refresh{Source: src, At: at, Items: items, Hold: a.opening.hold(at), Reading: a.reading(c)}, a.judging())
	if err != nil {
		log.Error("record delivery", "error", err)
		return "failed"
	}
	a.observeDelivery(changes, repairs)
	a.articles.stir()
	if changes.New+changes.Changed == 0 {
		return "same"
	}
	log.Info("delivery brought news", "new", changes.New, "changed", changes.Changed, "listed", changes.Listed, "body_bytes", len(doc.Body))
	return "new"
}

// delivered is what a pushed document holds.
func (a *Aggregator) delivered(c configured, doc *Document) ([]store.Item, repairs, error) {
	room, _, err := a.fetch.unpack(&http.Response{Header: doc.Header, Body: io.NopCloser(bytes.NewReader(doc.Body))}, a.set().cfg.Limits.MaxBytes)
	if err != nil {
		a.fetch.leave(room)
		return nil, nil, err
	}
	doc.Body, doc.room = room.Bytes(), room
	rd, err := read(doc, c.source, a.set().cfg.Limits, nil)
	if err != nil {
		return nil, rd.repairs, err
	}
	n := normaliser{outlet: c.outlet, source: c.source, zone: c.zone, now: doc.At, names: a.set().names, classify: a.classifier.Load()}
	items := n.items(rd.entries, &rd.repairs)
	return items, rd.repairs, nil
}

func (a *Aggregator) observeDelivery(c store.Changes, made repairs) {
	a.metrics.changes(c)
	for _, rep := range made {
		a.metrics.repairs.WithLabelValues(rep.Kind).Add(float64(rep.Count))
	}
	for _, d := range c.Delays {
		a.metrics.delay.Observe(max(d, 0).Seconds())
		a.push.metrics.delay.Observe(max(d, 0).Seconds())
	}
}
