package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pushedFeed is a feed that names a hub.
func pushedFeed(hub, title string) string {
	return fmt.Sprintf(`<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title><link>http://bao.example/</link>
<atom:link rel="hub" href="%s"/><item><title>%s</title><link>http://bao.example/%s</link><pubDate>%s</pubDate></item></channel></rss>`,
		hub, title, url.PathEscape(title), time.Now().Format(time.RFC1123Z))
}

// The program as users run it: its sources' hubs reach it below base_url, a
// subscription outlives a kill, and what is pushed stands in the feed.
func TestPushOutlivesKill(t *testing.T) {
	t.Parallel()
	var target atomic.Pointer[url.URL]
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target.Load()) }})
	t.Cleanup(front.Close)
	asked := make(chan url.Values, 10)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		asked <- r.PostForm
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(hub.Close)
	outlet := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/rss" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, pushedFeed(hub.URL, "Tin-dau"))
	}))
	t.Cleanup(outlet.Close)
	dir := t.TempDir()
	config, dsn := filepath.Join(dir, "feeds.yaml"), "sqlite:"+filepath.Join(dir, "d.db")
	yaml := fmt.Sprintf(`site: {title: Thử, base_url: %q, contact: "mailto:a@example.vn"}
limits: {allow_private: true}
outlets:
  - id: thu
    name: Báo Thử
    domains: [bao.example]
    scope: national
    sources: [{id: thu-rss, url: "%s/rss"}]
`, front.URL, outlet.URL)
	if err := os.WriteFile(config, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	begin := func() *program {
		p := serve(t, config, dsn)
		u, err := url.Parse(p.public)
		if err != nil {
			t.Fatal(err)
		}
		target.Store(u)
		return p
	}

	p := begin()
	var form url.Values
	select {
	case form = <-asked:
	case err := <-p.ended:
		t.Fatalf("serve ended: %v\n%s", err, p.log)
	case <-time.After(patience):
		t.Fatal("the hub was not asked")
	}
	callback := form.Get("hub.callback")
	if !strings.HasPrefix(callback, front.URL+"/websub/") || form.Get("hub.topic") != outlet.URL+"/rss" {
		t.Fatalf("the hub was asked %v", form)
	}
	question := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {form.Get("hub.topic")}, "hub.challenge": {"c"}, "hub.lease_seconds": {"3600"}}
	if resp, body := get(t, callback+"?"+question.Encode()); resp.StatusCode != 200 || body != "c" {
		t.Fatalf("the callback answered %d %q", resp.StatusCode, body)
	}
	p.kill()

	p = begin()
	feed := pushedFeed(hub.URL, "Tin-sau-khi-bi-giet")
	mac := hmac.New(sha256.New, []byte(form.Get("hub.secret")))
	mac.Write([]byte(feed))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, callback, strings.NewReader(feed))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("delivery answered with %d, want 202", resp.StatusCode)
	}
	eventually(t, "the pushed story", func() bool {
		_, body := get(t, p.public+"/feed.atom")
		return strings.Contains(body, "Tin-sau-khi-bi-giet")
	})
	if out, _, code := output(t, "explain", "--db", dsn, "thu-rss"); code != 0 || !strings.Contains(out, hub.URL+": verified until") {
		t.Errorf("explain says %q", out)
	}
	if n := p.metric(t, `diemtin_push_deliveries_total{result="new"}`); n != 1 {
		t.Errorf("%v deliveries counted as new, want 1", n)
	}
	p.stop(t)
	if len(asked) != 0 {
		t.Errorf("the hub was asked again after the kill: %v", <-asked)
	}
}
