package syndicate

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"diemtin/store"
)

// testClock is a time that stands until it is moved.
type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *testClock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// firstJudge makes every item a story of its own.
type firstJudge struct{}

func (firstJudge) Adapt(*store.Item, store.Corpus)                                   {}
func (firstJudge) Related(*store.Item, []*store.Item, store.Corpus) []store.Relation { return nil }
func (firstJudge) Reused(string, string, *store.Item) bool                           { return false }
func (firstJudge) Match(*store.Item, []*store.Item) (int, store.Merge)               { return -1, store.Merge{} }
func (firstJudge) Original([]store.Item, map[string]store.Outlet) (int, string) {
	return 0, "first"
}

// feedSite is a served site on a database of its own.
type feedSite struct {
	t      testing.TB
	db     *store.DB
	server *Server
	clock  *testClock
	reg    *prometheus.Registry
	base   string
	client *http.Client
}

func newFeedSite(t testing.TB, change ...func(*Config)) *feedSite {
	t.Helper()
	db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	listener := httptest.NewUnstartedServer(nil)
	cfg := sampleConfig()
	cfg.Site.BaseURL = "http://" + listener.Listener.Addr().String()
	for _, f := range change {
		f(&cfg)
	}
	var sources []store.Source
	for _, o := range cfg.Outlets {
		sources = append(sources, store.Source{ID: o.ID + "-home", Outlet: o.ID, Kind: "feed", URL: "https://" + o.Domains[0] + "/rss"})
	}
	if err := db.Sync(context.Background(), cfg.Outlets, sources); err != nil {
		t.Fatal(err)
	}
	site := &feedSite{t: t, db: db, clock: &testClock{t: at("15:00:00.000")}, reg: prometheus.NewRegistry(), base: cfg.Site.BaseURL}
	cfg.Archive = db
	if err := db.SyncArchives(context.Background(), cfg.ArchiveChannels()); err != nil {
		t.Fatal(err)
	}
	if site.server, err = New(cfg, db, slog.New(slog.DiscardHandler), site.reg); err != nil {
		t.Fatal(err)
	}
	site.server.now, site.server.feeds.now = site.clock.now, site.clock.now
	site.server.sized.now, site.server.asked.now, site.server.visitors.now = site.clock.now, site.clock.now, site.clock.now
	listener.Config.Handler = site.server
	listener.Start()
	t.Cleanup(listener.Close)
	site.client = listener.Client()
	site.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	site.client.Transport.(*http.Transport).DisableCompression = true
	return site
}

// publish stores n articles of an outlet, as a visit at the clock's time finds them.
func (s *feedSite) publish(outlet string, topic store.Topic, numbers ...int) {
	s.t.Helper()
	s.visit(outlet, topic, false, numbers...)
}

// publishBackfill does so on a source's very first visit.
func (s *feedSite) publishBackfill(outlet string, topic store.Topic, numbers ...int) {
	s.t.Helper()
	s.visit(outlet, topic, true, numbers...)
}

func (s *feedSite) visit(outlet string, topic store.Topic, first bool, numbers ...int) {
	s.t.Helper()
	var items []store.Item
	for _, n := range numbers {
		items = append(items, s.article(outlet, topic, n))
	}
	s.record(outlet, first, items...)
}

// edit lets an outlet add a sentence to the summary of an article.
func (s *feedSite) edit(outlet string, topic store.Topic, number int) {
	s.t.Helper()
	it := s.article(outlet, topic, number)
	it.Summary += " Có bổ sung."
	it.Fingerprint += 1 << 32
	s.record(outlet, false, it)
}

func (s *feedSite) article(outlet string, topic store.Topic, n int) store.Item {
	link := fmt.Sprintf("https://%s.example.vn/tin/%d.html", outlet, n)
	return store.Item{
		Title: fmt.Sprintf("Tin số %d của %s", n, outlet), Link: link, Summary: "Tóm tắt ngắn của bản tin.",
		Published: s.clock.now().Add(-time.Minute), Province: "lao-cai",
		Topics:  []store.ItemTopic{{Topic: topic, Score: 1, Primary: true}},
		Aliases: []string{"link:" + link}, Fingerprint: uint64(n) + 1,
	}
}

func (s *feedSite) record(outlet string, first bool, items ...store.Item) {
	s.t.Helper()
	src, err := s.db.Source(context.Background(), outlet+"-home")
	if err != nil {
		s.t.Fatal(err)
	}
	if !first {
		src.State.Visited = true
	}
	_, err = s.db.Record(context.Background(), store.Refresh{Source: src, At: s.clock.now(), Items: items,
		Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, firstJudge{})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *feedSite) ask(method, path string, header ...string) (*http.Response, []byte) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, body
}

func (s *feedSite) get(path string, header ...string) (*http.Response, []byte) {
	s.t.Helper()
	return s.ask(http.MethodGet, path, header...)
}

// metric sums the series of a metric whose labels have these values; of a
// histogram the observations.
func (s *feedSite) metric(name string, values ...string) float64 {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if !slices.ContainsFunc(values, func(v string) bool { return !hasLabel(m, v) }) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func hasLabel(m *dto.Metric, value string) bool {
	return slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetValue() == value })
}

func (s *feedSite) lookups(result string) float64 {
	s.t.Helper()
	return s.metric("diemtin_feed_render_cache_total", result)
}
