package hub

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// serveRequest takes a request to subscribe or unsubscribe (section 5.1).
func (h *Hub) serveRequest(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.answer(w, http.StatusMethodNotAllowed, "method", "This is a WebSub hub: POST hub.mode, hub.topic and hub.callback as a form.")
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(formTimeout)) // where the connection has none, the server's own hold
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			h.answer(w, http.StatusRequestEntityTooLarge, "invalid", fmt.Sprintf("The form is larger than %d bytes.", maxForm))
			return
		}
		h.answer(w, http.StatusBadRequest, "invalid", "The form cannot be read.")
		return
	}
	req, problem := readRequest(r.PostForm)
	if problem != "" {
		h.answer(w, http.StatusBadRequest, "invalid", problem)
		return
	}
	if _, ok := h.Topics.Pushed(req.Topic); !ok && req.Mode == store.HubSubscribe {
		h.answer(w, http.StatusNotFound, "unknown_topic", "hub.topic is no feed of this site that is pushed; take the address that the feed names as rel=self.")
		return
	}
	req.Client, req.Turn, req.NextAt = h.ClientOf(r), secretText(), h.now()
	switch err := h.Store.AskHub(r.Context(), req, h.cfg.limits()); {
	case errors.Is(err, store.ErrHubLimit):
		w.Header().Set("Retry-After", strconv.Itoa(int(remembered.Seconds())))
		h.answer(w, http.StatusTooManyRequests, "limited", err.Error())
	case errors.Is(err, store.ErrNotFound):
		h.answer(w, http.StatusNotFound, "not_subscribed", "There is no such subscription.")
	case err != nil:
		h.Log.ErrorContext(r.Context(), "keep request to the hub", "error", err)
		w.Header().Set("Retry-After", "30")
		h.answer(w, http.StatusServiceUnavailable, "failed", "The request could not be stored; please come again.")
	default:
		h.awake()
		h.answer(w, http.StatusAccepted, "accepted", "The callback will be asked.")
	}
}

func (h *Hub) answer(w http.ResponseWriter, code int, result, text string) {
	h.metrics.requests.WithLabelValues(result).Inc()
	http.Error(w, text, code)
}

// readRequest reads the form of a request. Parameters it does not know are
// left alone (section 5.1).
func readRequest(form url.Values) (r store.HubRequest, problem string) {
	r = store.HubRequest{Mode: store.HubMode(form.Get("hub.mode")), Topic: form.Get("hub.topic"),
		Callback: form.Get("hub.callback"), Secret: form.Get("hub.secret")}
	switch {
	case r.Mode != store.HubSubscribe && r.Mode != store.HubUnsubscribe:
		return r, "hub.mode: want subscribe or unsubscribe."
	case r.Topic == "" || len(r.Topic) > maxURL:
		return r, fmt.Sprintf("hub.topic: want an address of at most %d bytes.", maxURL)
	case len(r.Secret) > maxSecret:
		return r, fmt.Sprintf("hub.secret: want at most %d bytes.", maxSecret)
	case !storable(r.Topic) || !storable(r.Callback) || !storable(r.Secret):
		return r, "hub.topic, hub.callback and hub.secret: want UTF-8 without NUL."
	}
	if r.Host, problem = callbackHost(r.Callback); problem != "" {
		return r, problem
	}
	if r.Lease, problem = leaseOf(form.Get("hub.lease_seconds")); problem != "" {
		return r, problem
	}
	return r, ""
}

// storable says whether PostgreSQL keeps a text.
func storable(s string) bool { return strings.ToValidUTF8(s, "") == s && !strings.Contains(s, "\x00") }

// callbackHost is the host of a callback, in lower case.
func callbackHost(callback string) (host, problem string) {
	u, err := url.Parse(callback)
	switch {
	case callback == "" || len(callback) > maxURL:
		return "", fmt.Sprintf("hub.callback: want an address of at most %d bytes.", maxURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "", "hub.callback: want an address such as https://reader.example/callback."
	case u.User != nil || u.Fragment != "":
		return "", "hub.callback: want no user and no fragment."
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), ""
}

// leaseOf is the lease that a wish gets.
func leaseOf(seconds string) (lease time.Duration, problem string) {
	if seconds == "" {
		return standardLease, ""
	}
	n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) && n > 0:
		return longestLease, ""
	case err != nil || n < 0:
		return 0, "hub.lease_seconds: want a number of seconds."
	case n == 0: // "for ever" in older drafts
		return standardLease, ""
	}
	return min(max(time.Duration(min(n, int64(longestLease/time.Second)))*time.Second, shortestLease), longestLease), ""
}
