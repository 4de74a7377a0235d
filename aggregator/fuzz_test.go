package aggregator

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Whatever a source of any kind serves, the items made of it are clean.
func FuzzWholeRead(f *testing.F) {
	f.Add(uint8(0), "application/rss+xml; charset=utf-8", []byte(rssHead+rssItem("Một", `<guid>1</guid><pubDate>05/11/2024 14.15</pubDate><author>a@b.vn (A)</author><description>&lt;p&gt;Lời&lt;/p&gt; Theo: nhandan.vn</description><enclosure url="/a.jpg" length="x"/>`)+"</channel></rss>"))
	f.Add(uint8(0), "", []byte(`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/b/"><entry><id>1</id><title type="text">Thẻ &lt;b&gt;</title><link href="//x.vn/1"/><updated>2024-11-05T08:00:00Z</updated></entry></feed>`))
	f.Add(uint8(0), "application/json", []byte(`{"items":[{"id":1,"url":"/1","title":"a <b> & c","content_text":"x","attachments":[{"url":"/a.mp3"}]}]}`))
	f.Add(uint8(1), "text/html", []byte(`<ul><li><a href="/a"><h3>Một đầu đề</h3></a> 3 giờ trước<img data-src="/a.jpg"><p>Lời</p></li></ul>`))
	f.Add(uint8(2), "", []byte(newsHead+newsURL(1, "Một", "2024-11-05")+"</urlset>"))
	sources := []SourceConfig{{ID: "feed", Kind: "feed"}, {ID: "page", Kind: "page", Page: &PageConfig{Item: "li", Summary: "p", Image: "img", Next: "a"}}, {ID: "map", Kind: "sitemap"}}
	lim := Limits{MaxBytes: 1 << 20}.withDefaults()
	n := deltaNormaliser(f)
	f.Fuzz(func(t *testing.T, kind uint8, contentType string, body []byte) {
		doc := &Document{URL: "https://x.vn/rss", FinalURL: "https://x.vn/rss", Status: 200, Header: http.Header{"Content-Type": {contentType}}, Body: body, At: n.now}
		n.source = sources[int(kind)%len(sources)]
		rd, err := read(doc, n.source, lim, nil)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, it := range n.items(rd.entries, &rd.repairs) {
			if wrong := uncleanItem(it, n.now); wrong != "" {
				t.Errorf("%s: %+v", wrong, it)
			}
			if seen[it.Aliases[0]] {
				t.Errorf("two items are %q", it.Aliases[0])
			}
			seen[it.Aliases[0]] = true
		}
	})
}

// uncleanItem says what no item may be, "" if it is clean.
func uncleanItem(it store.Item, now time.Time) string {
	u, err := url.Parse(it.Link)
	lines := slices.Concat([]string{it.Title}, it.Authors, it.Categories)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(it.Link) > maxLink:
		return "the link is no address of the web"
	case it.Title == "" || utf8.RuneCountInString(it.Title) > maxTitle || utf8.RuneCountInString(it.Summary) > maxSummary:
		return "the title or summary has a wrong length"
	case slices.ContainsFunc(lines, func(s string) bool { return s != vi.Line(s) }), it.Summary != vi.NFC(it.Summary), it.Content != vi.NFC(it.Content):
		return "a text is not clean"
	case activeIn(it.Content) != "":
		return "the content is active"
	case it.Published.After(now), it.Updated.After(now), !it.Published.IsZero() && it.Published.Year() < 1990:
		return "no plausible date"
	case len(it.Authors) > maxAuthors, len(it.Categories) > maxCategories, len(it.Enclosures) > maxEnclosures, len(it.Sketch) > store.MaxKeys:
		return "too many parts"
	case slices.Contains(it.Aliases, ""):
		return "an empty alias"
	}
	return ""
}

func FuzzReadLD(f *testing.F) {
	f.Add(`{"@graph":[{"@type":["NewsArticle"],"headline":"a","author":[{"name":"b"}],"image":{"url":"c"}}]}`)
	f.Add("<!-- {\"@type\":\"Article\",\"headline\":\"a\nb\",\"x\":\"\\d\",} -->;")
	f.Add(`{"@type":"Report" "headline":"a"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		var all []ldArticle
		for _, v := range parseLD(raw) {
			all = collectLD(v, 0, false, all)
		}
		if len(all) > maxLDObjects+1 {
			t.Errorf("%d articles", len(all))
		}
		for _, a := range all {
			if !a.isArticle() || len(a.names("author", "creator")) > 2*maxAuthors {
				t.Errorf("article %v", a)
			}
			a.text("headline", "description")
			a.address("image", "url")
		}
		if mended := mendJSON(raw); json.Valid([]byte(raw)) && !json.Valid([]byte(mended)) {
			t.Errorf("mendJSON(%q) = %q is broken", raw, mended)
		}
	})
}

func FuzzReadRobots(f *testing.F) {
	f.Add([]byte("User-agent: diemtin\nDisallow: /a*b$\nCrawl-delay: 3\nSitemap: /s.xml\n"), "https://x.vn/a?b")
	f.Add([]byte("\xef\xbb\xbfuser-agent:*\r\nallow:/\rdisallow"), "/")
	f.Fuzz(func(t *testing.T, body []byte, address string) {
		group, named := parseRobots(body).about(robotsName)
		rules := &robotsRules{group: group, named: named}
		for _, kind := range kindNames() {
			why := rules.disallowed(address, kind)
			if said := rules.decision(address, kind); said == "" || why != "" && said != why {
				t.Errorf("%s: %q, but decided %q", kind, why, said)
			}
		}
		if rules.disallowed(address, "feed") != "" && rules.disallowed(address, "page") == "" {
			t.Error("closed for a feed and open for a page")
		}
	})
}

// The times that headers of an answer ask for stay within their bounds.
func FuzzAnswerHeaders(f *testing.F) {
	f.Add("120", `max-age=300, no-cache="x"`, "10", "Tue, 05 Nov 2024 08:15:00 GMT", "0")
	f.Add("Tue, 05 Nov 2024 08:15:00 GMT", "MAX-AGE=", "-1", "0", "Tue, 05 Nov 2024 08:15:00 GMT")
	f.Fuzz(func(t *testing.T, retry, cache, age, expires, date string) {
		h := http.Header{"Retry-After": {retry}, "Cache-Control": {cache}, "Age": {age}, "Expires": {expires}, "Date": {date}}
		if d := retryAfter(h, testNow); d < 0 || d > maxRetryAfter {
			t.Errorf("Retry-After %q: %v", retry, d)
		}
		if d := freshFor(h, testNow); d < 0 || d > maxHint {
			t.Errorf("fresh for %v", d)
		}
	})
}

// onePush is a store with one subscription.
type onePush struct {
	Store
	push store.Push
}

func (s *onePush) Push(_ context.Context, token string) (store.Push, error) {
	if token != s.push.Token {
		return store.Push{}, store.ErrNotFound
	}
	return s.push, nil
}

func (s *onePush) VerifyPush(_ context.Context, _ string, now, expires, next time.Time) error {
	s.push.State, s.push.Expires = store.PushVerified, expires
	return nil
}

func (s *onePush) DenyPush(context.Context, string, string, time.Time) error {
	s.push.State = store.PushDenied
	return nil
}

func (s *onePush) DropPush(context.Context, string) error { return nil }

// Whoever asks at the callback learns nothing and changes nothing but by the
// address, topic and secret that only the hub knows.
func FuzzCallback(f *testing.F) {
	const topic, secret = "https://bao.vn/rss", "bí mật"
	token := strings.Repeat("t", 43)
	question := "hub.mode=subscribe&hub.topic=" + url.QueryEscape(topic) + "&hub.challenge=abc&hub.lease_seconds="
	f.Add(question+"86400", "sha1=00", []byte("x"))
	f.Add(question+"-99999999999999999999", signed("sha256", secret, "<rss/>"), []byte("<rss/>"))
	f.Add("hub.mode=denied&hub.topic="+url.QueryEscape(topic)+"&hub.reason=%00%ff", "=", []byte{})
	f.Add("hub.mode=subscribe;%zz&hub.topic", "sha512", []byte(secret))
	m := newPushMetrics(prometheus.NewRegistry())
	f.Fuzz(func(t *testing.T, query, signature string, body []byte) {
		st := &onePush{push: store.Push{Source: "rss", Topic: topic, Token: token, Secret: secret, State: store.PushPending, Wanted: true}}
		s := newSubscriber(Config{BaseURL: "https://diemtin.example", Limits: Limits{}.withDefaults()}, st, slog.New(slog.DiscardHandler), m)
		s.now = func() time.Time { return testNow }
		s.knows = func(string) bool { return true }
		handler := (&Aggregator{push: s}).Callback()

		asked := httptest.NewRecorder()
		handler.ServeHTTP(asked, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: callbackPath + token, RawQuery: query}, Header: http.Header{}, Body: http.NoBody})
		values, _ := url.ParseQuery(query)
		if asked.Code == http.StatusOK && (values.Get("hub.topic") != topic || asked.Body.String() != values.Get("hub.challenge")) {
			t.Errorf("%q was answered with %q", query, asked.Body)
		}
		if asked.Code != http.StatusOK && (asked.Code != http.StatusNotFound || st.push.State != store.PushPending) {
			t.Errorf("%q was answered with %d; the subscription is %s", query, asked.Code, st.push.State)
		}
		if end := st.push.Expires; end.After(testNow.Add(longestLease)) || !end.IsZero() && end.Before(testNow) {
			t.Errorf("%q: expires %v", query, end)
		}

		sent := httptest.NewRequest(http.MethodPost, callbackPath+token, strings.NewReader(string(body)))
		sent.Header["X-Hub-Signature"] = []string{signature}
		handler.ServeHTTP(httptest.NewRecorder(), sent)
		method, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(signature)), "=")
		proven := slices.ContainsFunc([]string{"sha1", "sha256", "sha384", "sha512"}, func(m string) bool {
			return m == method && strings.EqualFold(strings.TrimSpace(signature), signed(m, secret, string(body)))
		})
		if got := len(s.inbox.queue) > 0; got != proven {
			t.Errorf("accepted %v with signature %q of %q", got, signature, body)
		}
	})
}
