package hub

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// The scenarios of the W3C's suite for hubs, by their numbers and names there.
func TestW3CHubSuite(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		topic string
		more  []string // of the request
		then  func(s *site, r *reader)
		sign  string // the secret with which deliveries are signed
		none  bool   // no delivery is due at the end
	}{
		{name: "100 Typical subscriber request", topic: "/feed.atom"},
		{name: "101 Subscriber includes a secret", topic: "/feed.atom", more: []string{"hub.secret", "bí mật"}, sign: "bí mật"},
		{name: "102 Subscriber sends additional parameters", topic: "/feed.rss", more: []string{"hub.foo", "bar", "foo", "bar", "hub.verify", "async"}},
		{name: "103 Subscriber re-subscribes before the subscription expires", topic: "/feed.atom", more: []string{"hub.secret", "cũ"},
			then: func(s *site, r *reader) {
				before := s.only()
				s.forward(time.Hour)
				s.ask("subscribe", "/feed.atom", r.url, "hub.secret", "mới")
				if after := s.only(); !after.Expires.After(before.Expires) || !after.Created.Equal(before.Created) {
					s.t.Errorf("re-subscribed: until %v, was %v", after.Expires, before.Expires)
				}
			}, sign: "mới"},
		{name: "104 Unsubscription request", topic: "/feed.atom", none: true,
			then: func(s *site, r *reader) {
				s.ask("unsubscribe", "/feed.atom", r.url)
				q := r.questions()
				if last := q[len(q)-1]; last.Get("hub.mode") != "unsubscribe" || last.Get("hub.topic") != s.base+"/feed.atom" || last.Has("hub.lease_seconds") {
					s.t.Errorf("asked %v about leaving", last)
				}
			}},
		{name: "105 Plaintext content", topic: "/tin.txt"},
		{name: "106 JSON content", topic: "/feed.json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dsns(t, func(t *testing.T, dsn string) {
				s, r := newSite(t, dsn), newReader(t)
				s.publish("Tin cũ")
				s.ask("subscribe", tc.topic, r.url, tc.more...)
				verified(t, s, r, tc.topic)
				if tc.then != nil {
					tc.then(s, r)
				}
				s.forward(time.Minute)
				s.publish("Tin mới")
				s.settle()
				got := r.deliveries()
				if tc.none {
					if len(got) != 0 {
						t.Errorf("%d deliveries after the end", len(got))
					}
					return
				}
				if len(got) != 1 {
					t.Fatalf("%d deliveries, want one", len(got))
				}
				delivered(t, s, got[0], tc.topic, tc.sign)
			})
		})
	}
}

// verified checks how the hub asked for the subscriber's intent.
func verified(t *testing.T, s *site, r *reader, topic string) {
	t.Helper()
	asked := r.questions()
	if len(asked) != 1 {
		t.Fatalf("asked %d times, want once", len(asked))
	}
	q := asked[0]
	if q.Get("hub.mode") != "subscribe" || q.Get("hub.topic") != s.base+topic || q.Get("hub.lease_seconds") != "864000" || len(q.Get("hub.challenge")) < 32 {
		t.Errorf("asked %v", q)
	}
	if sub := s.only(); sub.State != store.HubActive || sub.Expires.Sub(s.time()) != standardLease {
		t.Errorf("verified: %+v", sub)
	}
}

// delivered checks one delivery: the document whole, in its own type.
func delivered(t *testing.T, s *site, got received, topic, secret string) {
	t.Helper()
	doc, err := s.topics.Document(t.Context(), s.base+topic)
	if err != nil {
		t.Fatal(err)
	}
	if got.body != string(doc.Body) || got.header.Get("Content-Type") != doc.ContentType {
		t.Errorf("delivered %q as %q, the feed is %q as %q", got.body, got.header.Get("Content-Type"), doc.Body, doc.ContentType)
	}
	links := got.header.Get("Link")
	for _, want := range []string{"<" + s.base + `/hub>; rel="hub"`, "<" + s.base + topic + `>; rel="self"`} {
		if !strings.Contains(links, want) {
			t.Errorf("Link %q lacks %q", links, want)
		}
	}
	want := []string(nil)
	if secret != "" {
		want = []string{"sha256=" + signature(secret, doc.Body)}
	}
	if sig := got.header.Values("X-Hub-Signature"); !slices.Equal(sig, want) {
		t.Errorf("signature %q, want %q", sig, want)
	}
}

func TestRequestsRefused(t *testing.T) {
	t.Parallel()
	s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
	topic := s.base + "/feed.atom"
	for _, tc := range []struct {
		name string
		form url.Values
		code int
		say  string
	}{
		{"no mode", url.Values{"hub.topic": {topic}, "hub.callback": {r.url}}, 400, "hub.mode"},
		{"publish", url.Values{"hub.mode": {"publish"}, "hub.url": {topic}}, 400, "hub.mode"},
		{"denied is the hub's", url.Values{"hub.mode": {"denied"}, "hub.topic": {topic}, "hub.callback": {r.url}}, 400, "hub.mode"},
		{"no topic", url.Values{"hub.mode": {"subscribe"}, "hub.callback": {r.url}}, 400, "hub.topic"},
		{"topic elsewhere", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {"http://x.example/feed.atom"}, "hub.callback": {r.url}}, 404, "rel=self"},
		{"topic that is none", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic + "?n=3"}, "hub.callback": {r.url}}, 404, "rel=self"},
		{"no callback", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}}, 400, "hub.callback"},
		{"callback that is a path", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {"/callback"}}, 400, "hub.callback"},
		{"callback by ftp", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {"ftp://x.example/"}}, 400, "hub.callback"},
		{"callback with a user", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {"http://a:b@x.example/"}}, 400, "hub.callback"},
		{"callback with a fragment", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url + "#a"}}, 400, "hub.callback"},
		{"long callback", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url + strings.Repeat("a", maxURL)}}, 400, "hub.callback"},
		{"long secret", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url}, "hub.secret": {strings.Repeat("a", 201)}}, 400, "hub.secret"},
		{"NUL", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url}, "hub.secret": {"a\x00"}}, 400, "NUL"},
		{"half a character", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url}, "hub.secret": {"\xe1\xba"}}, 400, "UTF-8"},
		{"lease in words", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url}, "hub.lease_seconds": {"long"}}, 400, "lease"},
		{"negative lease", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.url}, "hub.lease_seconds": {"-1"}}, 400, "lease"},
		{"leaving what is not", url.Values{"hub.mode": {"unsubscribe"}, "hub.topic": {topic}, "hub.callback": {r.url}}, 404, "no such subscription"},
		{"a form too large", url.Values{"hub.mode": {"subscribe"}, "x": {strings.Repeat("a", maxForm)}}, 413, "larger"},
	} {
		if code, text := s.post(tc.form); code != tc.code || !strings.Contains(text, tc.say) {
			t.Errorf("%s: %d %q, want %d and %q", tc.name, code, text, tc.code, tc.say)
		}
	}
	resp, err := http.Get(s.base + path)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %s, Allow %q", resp.Status, resp.Header.Get("Allow"))
	}
	s.settle()
	if n := len(r.questions()); n != 0 {
		t.Errorf("a callback was asked %d times for refused requests", n)
	}
}

func TestLeases(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		wish string
		want time.Duration
	}{
		{"", standardLease}, {"0", standardLease}, {"3600", time.Hour}, {" 3600 ", time.Hour}, {"1", shortestLease},
		{"86400000", longestLease}, {"9223372036854775807", longestLease}, {"99999999999999999999", longestLease},
	} {
		if got, problem := leaseOf(tc.wish); got != tc.want || problem != "" {
			t.Errorf("%q: %v %s, want %v", tc.wish, got, problem, tc.want)
		}
	}
}

// A subscription ends with its lease, and goes on if it was renewed.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
	s.ask("subscribe", "/feed.atom", r.url, "hub.lease_seconds", "3600")
	s.forward(50 * time.Minute)
	s.ask("subscribe", "/feed.atom", r.url, "hub.lease_seconds", "3600")
	s.forward(50 * time.Minute)
	if err := s.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.publish("Tin một")
	s.settle()
	if n := len(r.deliveries()); n != 1 {
		t.Errorf("%d deliveries within the renewed lease, want one", n)
	}
	s.forward(11 * time.Minute)
	if err := s.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.publish("Tin hai")
	s.settle()
	if n := len(r.deliveries()); n != 1 || len(s.subscriptions()) != 0 {
		t.Errorf("%d deliveries, %d subscriptions after the lease", n, len(s.subscriptions()))
	}
}

// Who is not meant does not confirm, and is not asked again.
func TestVerificationRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		times  int // asked, within an hour
	}{
		{"404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 1},
		{"another text", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok")) }, 1},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, 1},
		{"challenge and more", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.FormValue("hub.challenge") + "!")) }, 1},
		{"challenge with 500", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			w.Write([]byte(r.FormValue("hub.challenge")))
		}, maxTries},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/callback?"+r.URL.RawQuery+"&again=1", http.StatusFound)
		}, 1},
		{"huge answer", func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				w.Write(make([]byte, 64<<10))
			}
		}, 1},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, maxTries},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
			r.from(func(w http.ResponseWriter, req *http.Request) bool { tc.answer(w, req); return true })
			s.ask("subscribe", "/feed.atom", r.url)
			for range 12 {
				s.forward(5 * time.Minute)
				s.settle()
				if err := s.tidy(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(r.questions()); n != tc.times || len(s.subscriptions()) != 0 {
				t.Errorf("asked %d times, want %d; %d subscriptions", n, tc.times, len(s.subscriptions()))
			}
		})
	}
}

// The callback's own query stays as it is.
func TestCallbackWithQuery(t *testing.T) {
	t.Parallel()
	s, r := newSite(t, "sqlite:"+t.TempDir()+"/hub.db"), newReader(t)
	s.ask("subscribe", "/feed.atom", r.url+"?id=a%2Fb&id=2&empty")
	q := r.questions()[0]
	if !slices.Equal(q["id"], []string{"a/b", "2"}) || !q.Has("empty") || q.Get("hub.mode") != "subscribe" {
		t.Errorf("asked %v", q)
	}
	s.publish("Tin")
	s.settle()
	if len(r.deliveries()) != 1 {
		t.Error("nothing was delivered")
	}
}

// A feed that is no more: its subscribers are told why, and forgotten.
func TestDenied(t *testing.T) {
	t.Parallel()
	dsns(t, func(t *testing.T, dsn string) {
		s, r := newSite(t, dsn), newReader(t)
		s.ask("subscribe", "/feed.atom", r.url)
		s.base = "http://elsewhere.example" // the site moved
		s.topics.base = s.base
		s.publish("Tin")
		s.settle()
		q := r.questions()
		last := q[len(q)-1]
		if len(q) != 2 || last.Get("hub.mode") != "denied" || last.Get("hub.reason") == "" || !strings.HasSuffix(last.Get("hub.topic"), "/feed.atom") || last.Has("hub.challenge") {
			t.Errorf("told %v", q)
		}
		if len(s.subscriptions()) != 0 || len(r.deliveries()) != 0 {
			t.Errorf("%d subscriptions, %d deliveries", len(s.subscriptions()), len(r.deliveries()))
		}
	})
}
