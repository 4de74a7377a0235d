package syndicate

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

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
	if got := site.lookups("current"); got != 0 {
		t.Errorf("the store was asked %v times more within the second", got)
	}
	if got := site.metric("diemtin_feed_requests_total", "atom", "200"); got != readers {
		t.Errorf("counted %v requests, want %d", got, readers)
	}
}

// A thousand readers of all formats and encodings at once, of a channel that
// changes every second: it is read once for each revision, and rendered once for
// each format. What nobody asks for costs nothing. Sizes that readers make
// up drive no other feed out of the cache.
func TestThousandReadersOneReading(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t, func(c *Config) { c.Delivery.CacheBytes = minCacheBytes })
	site.publish("laocai", "kinh-te", numbers(0, 30)...)
	site.clock.forward(time.Hour)
	if reads, kept := site.metric("diemtin_feed_reads_total"), site.server.feeds.used.Len(); reads != 0 || kept != 0 {
		t.Errorf("nobody has asked, and %v channels were read, %d feeds are kept", reads, kept)
	}
	encodings := []string{"identity", "gzip", "br, gzip;q=0.5", ""}
	const readers, seconds = 1000, 3
	for second := range seconds {
		var wg sync.WaitGroup
		for i := range readers {
			wg.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "/topics/kinh-te/"+formats[i%len(formats)].file, nil)
				r.Header.Set("Accept-Encoding", encodings[i%len(encodings)])
				w := httptest.NewRecorder()
				if site.server.ServeHTTP(w, r); w.Code != http.StatusOK {
					t.Errorf("reader %d got %d", i, w.Code)
				}
			})
		}
		wg.Wait()
		site.publish("laocai", "kinh-te", 100+second) // which nobody sees before the second is over
		n := float64(second + 1)
		if got := site.metric("diemtin_feed_reads_total"); got != n {
			t.Errorf("second %v: read %v times, want %v", n, got, n)
		}
		if got, want := site.metric("diemtin_feed_render_duration_seconds"), n*float64(len(formats)); got != want {
			t.Errorf("second %v: rendered %v times, want %v", n, got, want)
		}
		site.clock.forward(freshFor)
	}
	for n := 20; n < 60; n++ {
		site.get(fmt.Sprintf("/feed.atom?n=%d", n))
	}
	if kept, gone := site.server.feeds.used.Len(), site.metric("diemtin_feed_cache_evictions_total"); kept != len(formats) || gone == 0 {
		t.Errorf("%d feeds are kept and %v given up, want %d, and some of those sizes", kept, gone, len(formats))
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
	site := newFeedSite(t, func(c *Config) { c.Delivery.CacheBytes = room })
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

func TestLastModified(t *testing.T) {
	t.Parallel()
	now := at("15:00:00.500")
	doc := func(clock string) *rendition { return &rendition{modified: at(clock)} }
	tests := []struct {
		name string
		old  *rendition
		rev  store.Revision
		want time.Time
	}{
		{"first", nil, store.Revision{N: 1, At: at("14:00:00.250")}, at("14:00:01.000")},
		{"first, later in the same second", nil, store.Revision{N: 2, At: at("15:00:00.400")}, now},
		{"nothing ever listed", nil, store.Revision{}, now}, // emptySince is later than this test's time
		{"later than the old", doc("14:00:00.000"), store.Revision{N: 2, At: at("14:00:01.000")}, at("14:00:01.000")},
		{"the same second as the old", doc("14:00:01.000"), store.Revision{N: 2, At: at("14:00:00.999")}, at("14:00:02.000")},
		{"a store whose clock is ahead", nil, store.Revision{N: 1, At: at("15:00:07.000")}, now},
	}
	for _, tt := range tests {
		if got := lastModified(tt.old, tt.rev, now); !got.Equal(tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestCacheMemoryIsBounded puts in more documents than there is room for and
// compares what the cache says it holds with what the heap says.
func TestCacheMemoryIsBounded(t *testing.T) { // not parallel: it reads the heap
	const (
		room  = 32 << 20
		docs  = 3_400 // of three encodings: more than 10,000 entries
		plain = 12 << 10
	)
	m, err := newFeedMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	c := newCache(room, time.Now, slog.New(slog.DiscardHandler), m)
	source := rand.New(rand.NewPCG(1, 2))
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what finalizers and pools held
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	before := heap()
	offered := int64(0)
	for i := range docs {
		body := make([]byte, plain)
		for j := range body {
			body[j] = byte(source.Uint32())
		}
		path := fmt.Sprintf("/topics/topic-%d/days/2024-11-05/feed.atom", i)
		doc := &rendition{hash: fmt.Sprintf("%032d", i), media: "application/atom+xml; charset=utf-8",
			common: feedHeader("<https://tin.example.vn" + path + ">; rel=self")}
		doc.common.Set("Vary", "Accept-Encoding")
		doc.common.Set("Last-Modified", "Tue, 05 Nov 2024 08:00:00 GMT")
		for as := range codings { // compressed ones are some fifth of the plain one
			doc.codings[as] = doc.coded(as, body[:plain/(1+4*min(int(as), 1))])
		}
		offered += doc.size()
		c.put(cached{key: docKey{path, 0}, doc: doc})
	}
	held, grown := c.bytes, heap()-before
	t.Logf("offered %d entries of %d MiB; kept %d entries, counted %.1f MiB, on the heap %.1f MiB", docs*int(codings), offered>>20,
		c.used.Len()*int(codings), float64(held)/(1<<20), float64(grown)/(1<<20))
	if held > room || held < room*9/10 {
		t.Errorf("counts %d bytes, want nearly %d and no more", held, room)
	}
	if grown > held {
		t.Errorf("takes %d bytes on the heap, more than the %d it counts", grown, held)
	}
	runtime.KeepAlive(c)
}
