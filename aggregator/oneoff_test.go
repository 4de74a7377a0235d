package aggregator

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

func TestReadOneOff(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/bai.html" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<html><head><title>Khánh thành cầu treo</title><meta property="og:title" content="Khánh thành cầu treo Nậm Lúc">
			<meta property="og:description" content="Cầu dài 118 mét."><meta property="og:type" content="article">
			<meta property="article:published_time" content="2024-11-05T07:00:00+07:00"></head><body><h1>Khánh thành cầu treo Nậm Lúc</h1></body></html>`)
	}))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	cfg := Config{Topics: testTopics(), Limits: Limits{AllowPrivate: true, HostPause: new(Duration)}, Outlets: []OutletConfig{{ID: "bao", Name: "Báo", Domains: []string{host}, Scope: store.National,
		Sources: []SourceConfig{{ID: "bao-home", URL: srv.URL + "/rss"}}}}}
	a, err := New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.fetch.close)
	for _, tt := range []struct {
		name                 string
		o                    OneOff
		title, link, summary string
		err                  error
	}{
		{"its page", OneOff{Address: srv.URL + "/bai.html"}, "Khánh thành cầu treo Nậm Lúc", srv.URL + "/bai.html", "Cầu dài 118 mét.", nil},
		{"its page, another headline", OneOff{Address: srv.URL + "/bai.html", Title: "Cầu & đường"}, "Cầu & đường", srv.URL + "/bai.html", "Cầu dài 118 mét.", nil},
		{"words alone", OneOff{Outlet: "bao", Title: "Thông báo <1>", Summary: "Không có tin."}, "Thông báo <1>", "", "Không có tin.", nil},
		{"words with a link", OneOff{Link: srv.URL + "/x", Title: "Thông báo"}, "Thông báo", srv.URL + "/x", "", nil},
		{"an unknown outlet", OneOff{Outlet: "baoo", Title: "x"}, "", "", "", store.ErrNotFound},
		{"an unknown domain", OneOff{Address: "https://nobody.example/x"}, "", "", "", store.ErrNotFound},
		{"no outlet", OneOff{Title: "x"}, "", "", "", store.ErrRefused},
	} {
		it, err := a.ReadOneOff(t.Context(), tt.o)
		if !errors.Is(err, tt.err) || it.Title != tt.title || it.Link != tt.link || it.Summary != tt.summary {
			t.Errorf("%s: %q %q %q, %v; want %q %q %q, %v", tt.name, it.Title, it.Link, it.Summary, err, tt.title, tt.link, tt.summary, tt.err)
		}
		if err == nil && (it.Outlet != "bao" || len(it.Aliases) == 0 || it.Fingerprint == 0) {
			t.Errorf("%s: %+v", tt.name, it)
		}
	}
	if _, err := a.ReadOneOff(t.Context(), OneOff{Address: srv.URL + "/none.html"}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a page that is not there: %v", err)
	}
	one, _ := a.ReadOneOff(t.Context(), OneOff{Outlet: "bao", Title: "Một"})
	two, _ := a.ReadOneOff(t.Context(), OneOff{Outlet: "bao", Title: "Hai"})
	if one.Aliases[0] == two.Aliases[0] {
		t.Errorf("two notices have one identity: %q", one.Aliases)
	}
}

// A move of an outlet's from one of its domains to another is no change that a
// reader sees; another article is.
func TestFingerprintAcrossDomains(t *testing.T) {
	t.Parallel()
	domains := []string{"moi.example", "cu.example"}
	at := func(link string) uint64 {
		return fingerprint(&store.Item{Title: "Một bài", Link: link}, domains)
	}
	old := at("http://cu.example/a.html")
	for link, same := range map[string]bool{"https://moi.example/a.html": true, "http://moi.example/b.html": false, "http://khac.example/a.html": false} {
		if (at(link) == old) != same {
			t.Errorf("%s: same as before: %v, want %v", link, !same, same)
		}
	}
}
