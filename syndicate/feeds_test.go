package syndicate

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"diemtin/store"
)

// clock is a time that stands until it is moved.
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

func (firstJudge) Reused(string, string, *store.Item) bool             { return false }
func (firstJudge) Match(*store.Item, []*store.Item) (int, store.Merge) { return -1, store.Merge{} }
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
	if site.server, err = New(cfg, db, slog.New(slog.DiscardHandler), site.reg); err != nil {
		t.Fatal(err)
	}
	site.server.now, site.server.feeds.now = site.clock.now, site.clock.now
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
	var items []store.Item
	for _, n := range numbers {
		link := fmt.Sprintf("https://%s.example.vn/tin/%d.html", outlet, n)
		items = append(items, store.Item{
			Title: fmt.Sprintf("Tin số %d của %s", n, outlet), Link: link, Summary: "Tóm tắt ngắn của bản tin.",
			Published: s.clock.now().Add(-time.Minute), Province: "lao-cai",
			Topics:  []store.ItemTopic{{Topic: topic, Score: 1, Primary: true}},
			Aliases: []string{"link:" + link}, Fingerprint: uint64(n) + 1,
		})
	}
	src, err := s.db.Source(context.Background(), outlet+"-home")
	if err != nil {
		s.t.Fatal(err)
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

// channelPaths has one channel of each kind, and days of some.
var channelPaths = []string{
	"/", "/topics/kinh-te/", "/provinces/lao-cai/", "/outlets/laocai/", "/scopes/provincial/", "/channels/dang-va-kinh-te/",
	"/days/2024-11-05/", "/topics/kinh-te/days/2024-11-05/", "/outlets/laocai/days/2024-11-05/", "/channels/dang-va-kinh-te/days/2024-11-04/",
}

func TestEveryChannelInEveryFormat(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1, 2, 3)
	site.publish("trunguong", "giao-duc", 4)
	entries := map[string]int{"/": 4, "/days/2024-11-05/": 4, "/provinces/lao-cai/": 4, "/channels/dang-va-kinh-te/days/2024-11-04/": 0}
	for _, path := range channelPaths {
		want, ok := entries[path]
		if !ok {
			want = 3
		}
		for _, f := range formats {
			resp, body := site.get(path + f.file)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != f.contentType() {
				t.Fatalf("%s%s: %s, %s", path, f.file, resp.Status, resp.Header.Get("Content-Type"))
			}
			if got := bytes.Count(body, []byte("urn:diemtin:story:")); got != want {
				t.Errorf("%s%s: %d stories, want %d", path, f.file, got, want)
			}
			for _, finding := range checks[f.name](body) {
				t.Errorf("%s%s: %s", path, f.file, finding)
			}
			for _, want := range []string{
				"<" + site.base + path + f.file + ">; rel=self", "<" + site.base + path + `>; rel=alternate; type="text/html"`,
			} {
				if got := resp.Header.Get("Link"); !strings.Contains(got, want) {
					t.Errorf("%s%s: Link %q lacks %q", path, f.file, got, want)
				}
			}
		}
	}
}

func TestServedFeedsAreValid(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1, 2, 3)
	args := []string{site.base + "/opml"}
	for _, path := range channelPaths {
		args = append(args, site.base+path+"feed.rss", site.base+path+"feed.atom", site.base+path+"feed.atom?n=2")
	}
	validate(t, args...)
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	first, body := site.get("/feed.atom")
	zipped, packed := site.get("/feed.atom", "Accept-Encoding", "gzip")
	tag, ztag, modified := first.Header.Get("ETag"), zipped.Header.Get("ETag"), first.Header.Get("Last-Modified")
	if tag == "" || strings.HasPrefix(tag, "W/") || tag == ztag {
		t.Fatalf("tags %q and %q: want two strong ones", tag, ztag)
	}
	if modified != "Tue, 05 Nov 2024 08:00:00 GMT" {
		t.Errorf("Last-Modified %q, want the time of the newest change", modified)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, body) {
		t.Errorf("gzip carries other bytes (%v)", err)
	}
	tests := []struct {
		name   string
		header []string
		want   int
	}{
		{"the tag", []string{"If-None-Match", tag}, 304},
		{"weak, as nginx makes it", []string{"If-None-Match", "W/" + tag}, 304},
		{"one of a list", []string{"If-None-Match", `"a,b", W/"c" ,` + tag}, 304},
		{"one of two headers", []string{"If-None-Match", `"a"`, "If-None-Match", tag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"another", []string{"If-None-Match", `"a"`}, 200},
		{"not quoted", []string{"If-None-Match", strings.Trim(tag, `"`)}, 200},
		{"of the other encoding", []string{"If-None-Match", ztag}, 200},
		{"of gzip, asking for gzip", []string{"If-None-Match", ztag, "Accept-Encoding", "br, gzip"}, 304},
		{"since then", []string{"If-Modified-Since", modified}, 304},
		{"since later", []string{"If-Modified-Since", "Tue, 05 Nov 2024 09:00:00 GMT"}, 304},
		{"since before", []string{"If-Modified-Since", "Tue, 05 Nov 2024 07:59:59 GMT"}, 200},
		{"no date", []string{"If-Modified-Since", "yesterday"}, 200},
		{"another tag goes before the date", []string{"If-None-Match", `"a"`, "If-Modified-Since", modified}, 200},
		{"a range", []string{"Range", "bytes=0-9"}, 200},
	}
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			resp, got := site.ask(method, "/feed.atom", tt.header...)
			if resp.StatusCode != tt.want {
				t.Errorf("%s, %s: got %d, want %d", tt.name, method, resp.StatusCode, tt.want)
			}
			if resp.Header.Get("ETag") == "" || resp.Header.Get("Vary") != "Accept-Encoding" || resp.Header.Get("Cache-Control") != cacheControl {
				t.Errorf("%s, %s: headers %v", tt.name, method, resp.Header)
			}
			if whole := method == http.MethodGet && tt.want == 200; whole != bytes.Equal(got, body) {
				t.Errorf("%s, %s: %d bytes of body", tt.name, method, len(got))
			}
			if method == http.MethodHead && tt.want == 200 && resp.ContentLength != int64(len(body)) {
				t.Errorf("%s: HEAD says %d bytes, want %d", tt.name, resp.ContentLength, len(body))
			}
		}
	}
	for h, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
	} {
		if got := first.Header.Get(h); got != want {
			t.Errorf("%s: got %q, want %q", h, got, want)
		}
	}
	if resp, _ := site.ask(http.MethodOptions, "/feed.atom"); resp.StatusCode != http.StatusNoContent ||
		!strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header string
		want   bool
	}{
		{"", false}, {"gzip", true}, {"GZIP", true}, {"x-gzip", true}, {"br, gzip;q=0.5", true}, {"deflate", false},
		{"gzip;q=0", false}, {"gzip;q=0.0, *", false}, {"*", true}, {"*;q=0", false}, {"*;q=0, gzip", true},
		{"identity, gzip;q=0.5", false}, {"identity;q=0.5, gzip;q=0.5", true}, {"identity;q=0", false}, {"identity;q=0, gzip", true},
		{"gzip; Q=1 ", true}, {"gzip;q=x", false}, {"gzip;q=2", false}, {"gzip;q=NaN", false}, {",,;q=1,gzip", true},
	}
	for _, tt := range tests {
		if got := acceptsGzip([]string{tt.header}); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestRenderedOncePerRevision(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	tag := func(path string) string {
		resp, _ := site.get(path)
		return resp.Header.Get("ETag")
	}
	expect := func(step string, hit, current, same, fresh float64) {
		t.Helper()
		got := [4]float64{site.lookups("hit"), site.lookups("current"), site.lookups("same"), site.lookups("new")}
		if want := [4]float64{hit, current, same, fresh}; got != want {
			t.Errorf("%s: hit, current, same, new: got %v, want %v", step, got, want)
		}
	}
	const topic, day = "/topics/kinh-te/feed.rss", "/topics/kinh-te/days/2024-11-05/feed.rss"
	before := tag(topic)
	expect("first", 0, 0, 0, 1)
	tag(topic)
	expect("within the second", 1, 0, 0, 1)
	site.clock.forward(freshFor)
	tag(topic)
	expect("a second later", 1, 1, 0, 1)

	site.publish("laocai", "kinh-te", 2)
	if tag(topic) != before {
		t.Error("the feed changed within the second")
	}
	expect("changed within the second", 2, 1, 0, 1)
	site.clock.forward(freshFor)
	after := tag(topic)
	if after == before {
		t.Error("the feed did not change after a new story")
	}
	expect("changed", 2, 1, 0, 2)

	dayResp, _ := site.get(day)
	expect("the day", 2, 1, 0, 3)
	site.publish("trunguong", "giao-duc", 3) // raises the day's revision, not this topic's
	site.clock.forward(freshFor)
	again, _ := site.get(day)
	expect("another topic's story", 2, 1, 1, 3)
	for _, h := range []string{"ETag", "Last-Modified"} {
		if got, want := again.Header.Get(h), dayResp.Header.Get(h); got != want {
			t.Errorf("%s moved from %q to %q although no byte changed", h, want, got)
		}
	}
	if tag(topic) != after {
		t.Error("the topic's feed changed with another topic")
	}
}

// TestLastModifiedTellsChangesApart: two changes in one second must not have
// one date, or a client that knows only dates misses the second.
func TestLastModifiedTellsChangesApart(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	first, _ := site.get("/feed.rss")
	site.publish("laocai", "kinh-te", 2) // the same clock second
	site.clock.forward(freshFor)
	second, body := site.get("/feed.rss", "If-Modified-Since", first.Header.Get("Last-Modified"))
	if second.StatusCode != http.StatusOK || bytes.Count(body, []byte("<item>")) != 2 {
		t.Errorf("got %s, Last-Modified %s after %s", second.Status, second.Header.Get("Last-Modified"), first.Header.Get("Last-Modified"))
	}
	if m, err := http.ParseTime(second.Header.Get("Last-Modified")); err != nil || m.After(site.clock.now()) {
		t.Errorf("Last-Modified %v is in the future (%v)", m, err)
	}
}

func TestThousandReadersOneRender(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1, 2, 3)
	const readers = 1000
	start := make(chan struct{})
	var wg sync.WaitGroup
	codes := make([]int, readers)
	for i := range readers {
		wg.Go(func() {
			<-start
			w := httptest.NewRecorder()
			site.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/feed.atom", nil))
			codes[i] = w.Code
		})
	}
	close(start)
	wg.Wait()
	if i := slices.IndexFunc(codes, func(c int) bool { return c != http.StatusOK }); i >= 0 {
		t.Errorf("reader %d got %d", i, codes[i])
	}
	if got := site.metric("diemtin_feed_render_duration_seconds"); got != 1 {
		t.Errorf("rendered %v times, want once", got)
	}
	if got := site.metric("diemtin_feed_requests_total", "atom", "200"); got != readers {
		t.Errorf("counted %v requests, want %d", got, readers)
	}
}

func TestStoreDoesNotAnswer(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	good, body := site.get("/feed.json")
	if err := site.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"within the second", "a second later", "right after that"} {
		resp, got := site.get("/feed.json")
		if resp.StatusCode != http.StatusOK || !bytes.Equal(got, body) || resp.Header.Get("ETag") != good.Header.Get("ETag") {
			t.Errorf("%s: got %s", step, resp.Status)
		}
		if step == "within the second" {
			site.clock.forward(freshFor)
		}
	}
	if hit, stale := site.lookups("hit"), site.lookups("stale"); hit != 2 || stale != 1 {
		t.Errorf("hit %v, stale %v; want 2 and 1: the store is asked once a second", hit, stale)
	}
	resp, got := site.get("/feed.rss")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(got), "thử lại") {
		t.Errorf("nothing at hand: got %s %q", resp.Status, got)
	}
}

func TestCacheStaysWithinItsBytes(t *testing.T) {
	t.Parallel()
	const room = 40 << 10
	site := newFeedSite(t, func(c *Config) { c.CacheBytes = room })
	site.publish("laocai", "kinh-te", 1, 2, 3)
	for n := 1; n <= 60; n++ {
		if resp, _ := site.get(fmt.Sprintf("/feed.rss?n=%d", n)); resp.StatusCode != http.StatusOK {
			t.Fatalf("n=%d: %s", n, resp.Status)
		}
	}
	if held := site.metric("diemtin_feed_cache_bytes"); held > room || held == 0 {
		t.Errorf("holds %v bytes, want at most %d", held, room)
	}
	if site.metric("diemtin_feed_cache_evictions_total") == 0 {
		t.Error("nothing was given up")
	}
	site.get("/feed.rss?n=60")
	if site.lookups("hit") != 1 {
		t.Error("the newest was given up")
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	numbers := make([]int, 250)
	for i := range numbers {
		numbers[i] = i
	}
	site.publish("laocai", "kinh-te") // the first visit, which alone has backfill
	site.publish("laocai", "kinh-te", numbers...)
	tests := []struct {
		path        string
		code, count int
	}{
		{"/feed.atom", 200, 50}, {"/feed.atom?n=7", 200, 7}, {"/feed.atom?n=50", 200, 50}, {"/feed.atom?n=200", 200, 200},
		{"/feed.atom?n=9999", 200, 200}, {"/feed.atom?utm_source=x", 200, 50}, {"/feed.atom?n=", 200, 50},
		{"/feed.atom?n=0", 400, 0}, {"/feed.atom?n=-1", 400, 0}, {"/feed.atom?n=x", 400, 0}, {"/feed.atom?n=99999999999999999999", 400, 0},
		{"/days/2024-11-05/feed.atom", 200, 250}, {"/days/2024-11-05/feed.atom?n=3", 200, 3},
	}
	for _, tt := range tests {
		resp, body := site.get(tt.path)
		if got := bytes.Count(body, []byte("<entry>")); resp.StatusCode != tt.code || got != tt.count {
			t.Errorf("%s: got %d with %d entries, want %d with %d", tt.path, resp.StatusCode, got, tt.code, tt.count)
		}
	}
}

func TestOtherSpellingsRedirectOnce(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	tests := []struct{ from, to string }{
		{"/feed.rss/", "/feed.rss"}, {"/rss", "/feed.rss"}, {"/feed", "/feed.rss"}, {"/feed/", "/feed.rss"}, {"/atom.xml", "/feed.atom"},
		{"/feed.rss/?n=5", "/feed.rss?n=5"},
		{"/topics/Kinh-Te/feed.atom", "/topics/kinh-te/feed.atom"},
		{"/topics/kinh%20t%E1%BA%BF/rss.xml?n=3", "/topics/kinh-te/feed.rss?n=3"},
		{"/topics/kinh-te/feed.json/", "/topics/kinh-te/feed.json"},
		{"/topics/kinh_te/days/2024-11-05/rss/", "/topics/kinh-te/days/2024-11-05/feed.rss"},
		{"/opml/", "/opml"},
	}
	for _, tt := range tests {
		resp, _ := site.get(tt.from)
		if resp.StatusCode != http.StatusMovedPermanently || resp.Header.Get("Location") != tt.to {
			t.Errorf("%s: got %s to %q, want 301 to %q", tt.from, resp.Status, resp.Header.Get("Location"), tt.to)
		}
		if resp, _ := site.get(tt.to); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s", tt.to, resp.Status)
		}
	}
}

func TestUnknownFeeds(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	tests := []struct{ path, want string }{
		{"/topics/kinhte/feed.rss", `Không có chuyên mục "kinhte". Có phải: kinh-te?`},
		{"/topics/xay-dung/feed.atom", "Có phải: xay-dung-dang?"},
		{"/topics/zzzzzz/feed.json", `"zzzzzz". Danh sách đầy đủ: `},
		{"/provinces/laocay/feed.rss", "Có phải: lao-cai?"},
		{"/outlets/laocaii/feed.rss", "Có phải: laocai?"},
		{"/scopes/nation/feed.rss", "Có phải: national?"},
		{"/channels/x/feed.rss", "Không có kênh tin"},
		{"/topics/" + strings.Repeat("a", 5000) + "/feed.rss", "Không có chuyên mục"},
		{"/topics/%00%FF%3Cb%3E/feed.rss", "Không có chuyên mục"},
		{"/days/2024-02-30/feed.rss", `Không có ngày "2024-02-30"`},
		{"/days/05-11-2024/feed.rss", "2024-11-05"},
		{"/days/2024-11-06/feed.atom", "Ngày 06/11/2024 chưa đến."},
		{"/topics/kinh-te/days/9999-12-31/feed.atom", "chưa đến"},
		{"/days/1900-01-01/feed.atom", "trước ngày 19/11/1997"},
	}
	for _, tt := range tests {
		resp, body := site.get(tt.path)
		if resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), tt.want) {
			t.Errorf("%.60s: got %s %q, want 404 with %q", tt.path, resp.Status, body, tt.want)
		}
		if ct := resp.Header.Get("Content-Type"); ct != "text/plain; charset=utf-8" {
			t.Errorf("%.60s: Content-Type %q", tt.path, ct)
		}
	}
	if got := site.metric("diemtin_feed_requests_total", "404"); got != float64(len(tests)) {
		t.Errorf("counted %v times 404, want %d", got, len(tests))
	}
}
