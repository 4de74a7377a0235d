package aggregator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

// newsroom is an origin whose feeds a test writes.
type newsroom struct {
	*httptest.Server
	mu       sync.Mutex
	feeds    map[string]string // by path
	requests []*http.Request
	visited  chan string
}

func newNewsroom(t *testing.T) *newsroom {
	n := &newsroom{feeds: map[string]string{}, visited: make(chan string, 1000)}
	n.Server = httptest.NewServer(n)
	t.Cleanup(n.Close)
	return n
}

func (n *newsroom) set(path, body string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.feeds[path] = body
}

func (n *newsroom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.requests = append(n.requests, r)
	body, ok := n.feeds[r.URL.Path]
	n.mu.Unlock()
	defer func() { n.visited <- r.URL.Path }()
	switch {
	case r.URL.Path == "/hang":
		<-r.Context().Done()
	case !ok:
		http.NotFound(w, r)
	case strings.HasPrefix(r.URL.Path, "/plain"):
		fmt.Fprint(w, body)
	default:
		etag := fmt.Sprintf(`"%d-%d"`, len(body), strings.Count(body, "<item>"))
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, body)
	}
}

// feedOf is an RSS feed of items with these titles, newest first.
func feedOf(titles ...string) string {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>T</title>`)
	for i, title := range titles {
		fmt.Fprintf(&b, "<item><title>%s</title><link>/%s</link><guid isPermaLink=\"false\">%s</guid><pubDate>%s</pubDate></item>", title,
			strings.ReplaceAll(title, " ", "-"), title, time.Now().Add(-time.Duration(i)*time.Hour).Format(time.RFC1123Z))
	}
	return b.String() + "</channel></rss>"
}

// start builds an aggregator over a fresh SQLite store for the given sources
// of one outlet.
func start(t *testing.T, origin string, sources ...SourceConfig) (*Aggregator, *store.DB, *prometheus.Registry) {
	t.Helper()
	host := strings.TrimPrefix(origin, "http://")
	for i := range sources {
		if strings.HasPrefix(sources[i].URL, "/") {
			sources[i].URL = origin + sources[i].URL
		}
		sources[i].Every.Min = Duration(time.Second)
	}
	cfg := Config{Limits: Limits{AllowPrivate: true, Timeout: Duration(2 * time.Second), HostPause: new(Duration), PollsPerHour: 20_000}, Topics: testTopics(), Agent: "diemtin/test (+a@example.vn)",
		Outlets: []OutletConfig{{ID: "thu", Name: "Báo Thử", Domains: []string{host}, Scope: store.National, Sources: sources}}}
	cfg.Check(func(path, problem string) { t.Errorf("config: %s: %s", path, problem) })
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Sync(t.Context(), cfg.StoreOutlets(), cfg.StoreSources()); err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	a, err := New(cfg, db, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	return a, db, reg
}

func runRound(t *testing.T, a *Aggregator) map[string]Report {
	t.Helper()
	reports := map[string]Report{}
	if _, err := a.Round(t.Context(), func(r Report) { reports[r.Source.ID] = r }); err != nil {
		t.Fatal(err)
	}
	return reports
}

func TestRounds(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.set("/rss", feedOf("Giá vàng tăng", "Bóng đá đêm qua"))
	n.set("/plain", feedOf("Tin riêng"))
	n.set("/page", `<ul class=news><li><a href="/trang-1">Bài trên trang</a> <span class=date>05.11.2024 | 14:15 PM</span></li><li>trống</li></ul><a class=next href="/page2">»</a>`)
	n.set("/page2", `<ul class=news><li><a href="/trang-2">Bài trang sau</a> <span class=date>04.11.2024 | 09:02 AM</span></li></ul>`)
	a, db, _ := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"}, SourceConfig{ID: "plain", URL: "/plain"}, SourceConfig{ID: "gone", URL: "/missing"},
		SourceConfig{ID: "page", URL: "/page", Kind: "page", Page: &PageConfig{Item: "ul.news > li", Date: ".date", Next: "a.next", Pages: 2}})

	first := runRound(t, a)
	for id, want := range map[string]store.Outcome{"rss": store.New, "plain": store.New, "gone": store.HTTP4xx, "page": store.New} {
		if got := first[id]; got.Outcome != want {
			t.Errorf("first round, %s: %s %s, want %s", id, got.Outcome, got.Detail, want)
		}
	}
	if page := first["page"]; len(page.Items) != 2 || page.Items[0].Published.In(store.Zone).Format(time.DateTime) != "2024-11-05 14:15:00" {
		t.Errorf("page items %+v, repairs %v", page.Items, page.Repairs)
	}
	second := runRound(t, a)
	for id, want := range map[string]store.Outcome{"rss": store.NotModified, "plain": store.Unchanged, "gone": store.HTTP4xx} {
		if got := second[id]; got.Outcome != want {
			t.Errorf("second round, %s: %s %s, want %s", id, got.Outcome, got.Detail, want)
		}
	}
	if st := second["gone"].State; st.Fails != 2 || st.Visited || st.NextAt.Before(st.LastTry) {
		t.Errorf("failing source %+v", st)
	}
	n.set("/rss", feedOf("Tin mới nhất", "Giá vàng tăng", "Bóng đá đêm qua"))
	if c := runRound(t, a)["rss"].Changes; c.New != 1 || c.Same+c.Changed != 2 {
		t.Errorf("third round changed %+v", c)
	}
	all, err := db.Stories(t.Context(), store.Query{Limit: 100})
	if err != nil || len(all) != 6 || all[0].Quoted.Title != "Tin mới nhất" {
		t.Errorf("%d stories, %v", len(all), err)
	}
	for _, r := range n.requests {
		if r.UserAgent() != "diemtin/test (+a@example.vn)" {
			t.Errorf("User-Agent %q", r.UserAgent())
		}
	}
}

// A source that hangs and one that fails must not keep a healthy one from
// being read again and again, and every kind of outcome must be counted.
func TestRunGoesOnBesideFailingSources(t *testing.T) {
	t.Parallel()
	n, slow := newNewsroom(t), newNewsroom(t)
	n.set("/rss", feedOf("Giá vàng tăng"))
	a, _, reg := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"}, SourceConfig{ID: "gone", URL: "/missing"},
		SourceConfig{ID: "hangs", URL: slow.URL + "/hang"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for healthy := 0; healthy < 3; {
		select {
		case path := <-n.visited:
			if path == "/rss" {
				healthy++
			}
		case <-ctx.Done():
			t.Fatal("the healthy source was not visited three times")
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("run ended with %v", err)
	}
	if got := testutil.ToFloat64(a.metrics.refreshes.WithLabelValues("http_4xx")); got < 1 {
		t.Errorf("%v visits counted as http_4xx, want at least 1", got)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
}

func TestProbeStoresNothing(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.set("/rss", feedOf("Giá vàng tăng"))
	a, db, _ := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"})
	for _, target := range []string{"rss", n.URL + "/rss"} {
		r, err := a.Probe(t.Context(), target, true)
		if err != nil || r.Outcome != store.New || len(r.Items) != 1 || r.Source.ID != "rss" {
			t.Errorf("probe %s: %+v, %v", target, r, err)
		}
	}
	if _, err := a.Probe(t.Context(), "nobody", true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("probe of nobody: %v", err)
	}
	if all, err := db.Stories(t.Context(), store.Query{Limit: 10, Order: store.ByPublished}); len(all) != 0 || err != nil {
		t.Errorf("%d stories stored, %v", len(all), err)
	}
}
