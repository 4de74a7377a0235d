package aggregator

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

// What a hub delivers is read as a visit reads it, whatever hash it signs with,
// and the source's own state stays as it is.
func TestDelivery(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		form := w.subscribed(t)
		before, err := w.db.Source(t.Context(), "rss")
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"sha1", "sha256", "sha384", "sha512"} {
			body := hubFeed(w.hub.URL, "Tin của "+method, "Tin đầu")
			if code := post(t, form.Get("hub.callback"), body, "X-Hub-Signature: "+signed(method, form.Get("hub.secret"), body)); code != http.StatusAccepted {
				t.Errorf("%s: answered %d, want 202", method, code)
			}
			w.read()
			if got := w.titles(t); got[0] != "Tin của "+method {
				t.Errorf("%s: stories %q", method, got)
			}
		}
		var packed bytes.Buffer
		zw := gzip.NewWriter(&packed)
		zw.Write([]byte(hubFeed(w.hub.URL, "Tin nén")))
		zw.Close()
		post(t, form.Get("hub.callback"), packed.String(), "Content-Encoding: gzip", "X-Hub-Signature: "+signed("sha256", form.Get("hub.secret"), packed.String()))
		w.read()
		if got := w.titles(t); got[0] != "Tin nén" || len(got) != 6 {
			t.Errorf("stories %q", got)
		}
		after, err := w.db.Source(t.Context(), "rss")
		if err != nil {
			t.Fatal(err)
		}
		if a, b := after.State, before.State; a.ETag != "" || a.BodyHash != "" || !a.NextAt.Equal(b.NextAt) || !a.LastTry.Equal(b.LastTry) { // "Tin đầu" came with another date
			t.Errorf("the source's state became %+v, was %+v", a, b)
		}
		if p := w.only(t); p.Delivered.IsZero() {
			t.Error("the deliveries were not noted")
		}
		if n := testutil.ToFloat64(w.a.push.metrics.deliveries.WithLabelValues("new")); n != 5 {
			t.Errorf("%v deliveries counted as new, want 5", n)
		}
	})
}

// What nobody signed with our secret is acknowledged, counted and ignored.
func TestForgedDelivery(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		form := w.subscribed(t)
		callback, secret := form.Get("hub.callback"), form.Get("hub.secret")
		body := hubFeed(w.hub.URL, "Tin giả")
		good := "X-Hub-Signature: " + signed("sha256", secret, body)
		for _, tt := range []struct {
			name, callback, body, header string
			code                         int
			result                       string
		}{
			{"unsigned", callback, body, "X-Other: x", 202, "unsigned"},
			{"another secret", callback, body, "X-Hub-Signature: " + signed("sha256", "x", body), 202, "wrong_signature"},
			{"another body", callback, body + " ", good, 202, "wrong_signature"},
			{"a cut signature", callback, body, good[:len(good)-2], 202, "wrong_signature"},
			{"unknown method", callback, body, "X-Hub-Signature: md5=00", 202, "wrong_signature"},
			{"no hex", callback, body, "X-Hub-Signature: sha256=xyz", 202, "wrong_signature"},
			{"empty signature", callback, body, "X-Hub-Signature: sha256=", 202, "wrong_signature"},
			{"unknown token", w.public.URL + "/websub/" + strings.Repeat("a", 43), body, good, 404, "unknown"},
			{"no token", w.public.URL + "/websub/x", body, good, 404, "unknown"},
			{"too large", callback, strings.Repeat("x", 1<<20+1), good, 413, "too_large"},
		} {
			counter := w.a.push.metrics.deliveries.WithLabelValues(tt.result)
			before := testutil.ToFloat64(counter)
			if code := post(t, tt.callback, tt.body, tt.header); code != tt.code {
				t.Errorf("%s: answered %d, want %d", tt.name, code, tt.code)
			}
			w.read()
			if got := testutil.ToFloat64(counter) - before; got != 1 {
				t.Errorf("%s: counted %v times as %s, want once", tt.name, got, tt.result)
			}
		}
		if got := w.titles(t); !slices.Equal(got, []string{"Tin đầu"}) {
			t.Errorf("stories %q", got)
		}
		if p := w.only(t); !p.Delivered.IsZero() {
			t.Error("a forged delivery was taken for the hub's")
		}
		junk := "<html>no feed</html>"
		post(t, callback, junk, "X-Hub-Signature: "+signed("sha1", secret, junk))
		w.read()
		if n := testutil.ToFloat64(w.a.push.metrics.deliveries.WithLabelValues("unreadable")); n != 1 {
			t.Errorf("%v unreadable deliveries counted, want 1", n)
		}
		if left := w.a.push.inbox.bytes; left != 0 {
			t.Errorf("%d bytes stay reserved", left)
		}
	})
}

// A hub's question is answered only for what we want of that hub.
func TestVerification(t *testing.T) {
	t.Parallel()
	pushed(t, func(t *testing.T, w *pushWorld) {
		w.hub.silent = true
		w.visit(t)
		w.turn(t)
		form := w.hub.asked()[0]
		for _, tt := range []struct {
			name string
			edit func(q url.Values)
			want int
		}{
			{"unknown topic", func(q url.Values) { q.Set("hub.topic", pushTopic+"x") }, 404},
			{"no topic", func(q url.Values) { q.Del("hub.topic") }, 404},
			{"unsubscription nobody asked for", func(q url.Values) { q.Set("hub.mode", "unsubscribe") }, 404},
			{"unknown mode", func(q url.Values) { q.Set("hub.mode", "x") }, 404},
			{"no challenge", func(q url.Values) { q.Del("hub.challenge") }, 404},
			{"what we asked for", func(url.Values) {}, 200},
			{"again", func(url.Values) {}, 200},
		} {
			w.hub.asks = tt.edit
			if got := w.hub.verify(form); got != tt.want {
				t.Errorf("%s: answered %d, want %d", tt.name, got, tt.want)
			}
			if verified := w.only(t).State == store.PushVerified; verified != (tt.want == 200) {
				t.Errorf("%s: verified %v", tt.name, verified)
			}
		}
		resp, err := http.Get(form.Get("hub.callback") + "x?hub.mode=subscribe&hub.challenge=c&hub.topic=" + pushTopic)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 404 {
			t.Errorf("unknown token: answered %d, want 404", resp.StatusCode)
		}
	})
}

func TestCallbackBase(t *testing.T) {
	t.Parallel()
	on, off := true, false
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"default", Config{BaseURL: "https://tin.example.vn"}, "https://tin.example.vn/websub/"},
		{"below a path", Config{BaseURL: "https://example.vn/tin/", Limits: Limits{WebSub: &on}}, "https://example.vn/tin/websub/"},
		{"switched off", Config{BaseURL: "https://tin.example.vn", Limits: Limits{WebSub: &off}}, ""},
		{"nowhere", Config{}, ""},
		{"loopback", Config{BaseURL: "http://127.0.0.1:8080"}, ""},
		{"localhost", Config{BaseURL: "http://localhost:8080"}, ""},
		{"loopback admitted", Config{BaseURL: "http://127.0.0.1:8080", Limits: Limits{AllowPrivate: true}}, "http://127.0.0.1:8080/websub/"},
	} {
		if got := callbackBase(tt.cfg); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestInbox(t *testing.T) {
	t.Parallel()
	b := inbox{queue: make(chan delivery, 1)}
	if !b.reserve(maxWaitingBytes+1) || b.reserve(1) {
		t.Error("one large body must find room, and no second beside it")
	}
	b.free(maxWaitingBytes + 1)
	if !b.reserve(1) || !b.put(delivery{size: 1}) || b.put(delivery{}) {
		t.Error("the queue holds one delivery, not two")
	}
	b.close()
	if b.reserve(1) || b.put(delivery{}) {
		t.Error("something was accepted after the end")
	}
	n := 0
	b.work(func(delivery) { n++ })
	if n != 1 || b.bytes != 0 {
		t.Errorf("%d worked off, %d bytes left", n, b.bytes)
	}
}
