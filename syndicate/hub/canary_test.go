package hub

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestCanary(t *testing.T) {
	t.Parallel()
	dsns(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, func(c *Config, _ *Deps) { c.Canary = nil })
		c := s.canary
		check := func(what string, subscribed bool, behind float64) {
			t.Helper()
			if got, err := c.check(t.Context()); err != nil || got != subscribed {
				t.Errorf("%s: subscribed %v, %v", what, got, err)
			}
			if got := testutil.ToFloat64(c.metrics.behind); got != behind {
				t.Errorf("%s: behind for %v s, want %v", what, got, behind)
			}
		}
		s.publish("Tin cũ")
		check("before", false, 0) // it is behind from now on
		s.forward(time.Minute)
		check("not heard", false, 60)
		if wait := c.subscribe(t.Context()); wait != canaryLease/2 {
			t.Fatalf("asks again in %v", wait)
		}
		s.settle()
		check("verified", true, 0)
		s.forward(time.Minute)
		s.publish("Tin mới")
		check("not delivered yet", true, 0)
		s.forward(time.Minute)
		check("a minute later", true, 60)
		s.settle()
		check("delivered", true, 0)
		if n := testutil.ToFloat64(c.metrics.newest); n != float64(s.time().Unix()) {
			t.Errorf("last delivery at %v, want %v", n, s.time().Unix())
		}
		for _, forged := range []string{"", "sha256=" + signature("x", []byte("{}"))} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.callback, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Hub-Signature", forged)
			s.forward(time.Second)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if n := testutil.ToFloat64(c.metrics.newest); n == float64(s.time().Unix()) {
				t.Errorf("a forged delivery was counted (signature %q)", forged)
			}
		}
		s.ask("unsubscribe", canaryTopic, c.callback) // by a stranger, who cannot know the callback
		check("after a stranger wished its end", true, 0)
	})
}

func TestNewestChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ body, want string }{
		{`{"items":[{"date_modified":"2024-11-05T14:15:00.001+07:00"},{"date_modified":"2024-11-05T14:16:00+07:00"}]}`, "2024-11-05T07:16:00Z"},
		{`{"items":[{}]}`, "0001-01-01T00:00:00Z"}, {`{"items":[]}`, "0001-01-01T00:00:00Z"}, {`<feed/>`, "0001-01-01T00:00:00Z"},
	} {
		if got := newestChange([]byte(tc.body)).UTC().Format(time.RFC3339); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.body, got, tc.want)
		}
	}
}

// A canary that is not heard asks again soon, and then less often.
func TestCanaryUnheard(t *testing.T) {
	t.Parallel()
	s := newSite(t, "sqlite:"+t.TempDir()+"/hub.db", func(c *Config, _ *Deps) { c.Canary = nil })
	s.Hub.address = s.base + "/elsewhere"
	for i, want := range []time.Duration{canarySoon, 2 * canarySoon, 4 * canarySoon} {
		if got := s.canary.subscribe(t.Context()); got != want {
			t.Errorf("after %d failures: again in %v, want %v", i+1, got, want)
		}
	}
	s.canary.unheard = 1000
	if got := s.canary.subscribe(t.Context()); got != canaryRetry {
		t.Errorf("after 1001 failures: again in %v, want %v", got, canaryRetry)
	}
	s.Hub.address = s.base + path
	if got := s.canary.subscribe(t.Context()); got != canaryLease/2 || s.canary.unheard != 0 {
		t.Errorf("heard: again in %v", got)
	}
}
