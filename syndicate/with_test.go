package syndicate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"diemtin/store"
)

// A server of another configuration stands beside the one before: each gives
// out its own bytes, both count in the same metrics, and what a visitor has
// used up stays used up.
func TestWithAnotherConfiguration(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t, func(c *Config) { c.Visitors.PerMinute = 1 })
	site.publish("trunguong", "kinh-te", 1)
	cfg := site.server.cfg
	cfg.Site.Title = "Tên mới"
	cfg.Site.Licence, cfg.Site.Responsible = "số 12/GP-TTĐT", "Bà Lan"
	cfg.Channels = append(cfg.Channels, ChannelConfig{ID: "moi", Title: Names{VI: "Kênh mới"}, Topics: []store.Topic{"kinh-te"}})
	next, err := site.server.With(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(s *Server, path string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, _ := ask(site.server, "/channels/moi/feed.atom"); code != http.StatusNotFound {
		t.Errorf("the former server has the new channel: %d", code)
	}
	if code, body := ask(next, "/channels/moi/feed.atom"); code != http.StatusOK || !strings.Contains(body, "Kênh mới") {
		t.Errorf("the new channel: %d\n%s", code, body)
	}
	if _, page := ask(next, "/"); !strings.Contains(page, "Giấy phép: số 12/GP-TTĐT.") || !strings.Contains(page, "Chịu trách nhiệm nội dung: Bà Lan.") {
		t.Errorf("the footer lacks licence and responsible person:\n%s", page)
	}
	if _, page := ask(site.server, "/"); strings.Contains(page, "Tên mới") || strings.Contains(page, "Giấy phép") {
		t.Error("the former server has changed")
	}
	if code, _ := ask(site.server, "/search/feed.atom?q=gao"); code != http.StatusOK {
		t.Errorf("the first search: %d", code)
	}
	if code, _ := ask(next, "/search/feed.atom?q=lua"); code != http.StatusTooManyRequests {
		t.Errorf("the second search, of the other server: %d, want the visitor's limit to count on", code)
	}
	cfg.Visitors.PerMinute = 2
	if next, err = site.server.With(cfg); err != nil {
		t.Fatal(err)
	}
	if code, _ := ask(next, "/search/feed.atom?q=lua"); code != http.StatusOK {
		t.Errorf("a search under another limit: %d", code)
	}
}
