package syndicate

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// apiBenchDay is how many stories a day of the benchmark's archive has.
const apiBenchDay = 10_000

// fillAPI records stories, as many as DIEMTIN_BENCH_ITEMS says (20,000), in the
// folder DIEMTIN_BENCH_DIR if that is given: a later run goes on with it.
func fillAPI(b *testing.B, cfg Config) (db *store.DB, stories int) {
	stories = 20_000
	if more := os.Getenv("DIEMTIN_BENCH_ITEMS"); more != "" {
		stories, _ = strconv.Atoi(more)
	}
	dir := os.Getenv("DIEMTIN_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(dir, "api.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	var sources []store.Source
	for _, o := range cfg.Outlets {
		sources = append(sources, store.Source{ID: o.ID + "-home", Outlet: o.ID, Kind: "feed", URL: "https://" + o.Domains[0] + "/rss"})
	}
	if err := db.Sync(context.Background(), cfg.Outlets, sources); err != nil {
		b.Fatal(err)
	}
	words := strings.Fields("hội nghị lần thứ mười hai tỉnh ủy phòng chống lãng phí đầu tư công nông thôn mới vốn ngân sách doanh nghiệp xuất khẩu giáo dục học sinh bệnh viện")
	rng := rand.New(rand.NewPCG(1, 1))
	text := func(n int) string {
		var t []string
		for range n {
			t = append(t, words[rng.IntN(len(words))])
		}
		return strings.Join(t, " ")
	}
	there, err := db.Changes(context.Background(), store.Cursor{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < stories && len(there) == 0; {
		outlet := cfg.Outlets[n/30%3].ID
		var items []store.Item
		at := apiBenchTime(n)
		for range 30 {
			link := fmt.Sprintf("https://%s.example.vn/%d", outlet, n)
			items = append(items, store.Item{Title: text(12), Summary: text(60), Link: link, Published: apiBenchTime(n), Province: cfg.Places[rng.IntN(3)].ID,
				Topics:  []store.ItemTopic{{Topic: cfg.Topics[rng.IntN(3)].ID, Score: 1, Primary: true}},
				Aliases: []string{"link:" + link}, Fingerprint: uint64(n) + 1})
			n++
		}
		src := store.Source{ID: outlet + "-home", Outlet: outlet, State: store.SourceState{Visited: true}}
		if _, err := db.Record(context.Background(), store.Refresh{Source: src, At: at.Add(5 * time.Minute), Items: items,
			Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, firstJudge{}); err != nil {
			b.Fatal(err)
		}
	}
	return db, stories
}

func apiBenchTime(n int) time.Time {
	return at("00:00:00.000").Add(time.Duration(n) * (24 * time.Hour / apiBenchDay))
}

// BenchmarkAPI makes and compresses answers anew, from places all over the
// archive, and tells the processor time in which 99 of 100 are made: other work
// on the machine shows in the clock.
func BenchmarkAPI(b *testing.B) {
	cfg := sampleConfig()
	db, stories := fillAPI(b, cfg)
	s, err := New(cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	s.now = func() time.Time { return apiBenchTime(stories).Add(time.Hour) }
	place := func() string {
		return strconv.FormatInt(apiBenchTime(rand.IntN(stories)).Add(6*time.Minute).UnixMilli(), 10)
	}
	for _, c := range []struct {
		name, route, query string
		anywhere           string // the parameter that takes a place
	}{
		{"stories, newest", "stories", "", ""},
		{"stories", "stories", "", "cursor"},
		{"stories, 200", "stories", "limit=200", "cursor"},
		{"stories, by publication", "stories", "order=published", "cursor"},
		{"stories of a topic", "stories", "topics=kinh-te", "cursor"},
		{"stories of a topic in a province", "stories", "topics=kinh-te&provinces=lao-cai", "cursor"},
		{"stories of 2 topics in 2 provinces of 2 outlets", "stories", "topics=kinh-te,giao-duc&provinces=lao-cai,hung-yen&outlets=laocai,trunguong", "cursor"},
		{"stories of any of these", "stories", "topics=kinh-te&provinces=lao-cai&outlets=laocai&match=any", "cursor"},
		{"stories of a channel", "stories", "channel=dang-va-kinh-te", "cursor"},
		{"stories of a day", "stories", "day=2024-11-06", ""},
		{"search, a common word", "search", "q=tỉnh", "cursor"},
		{"search, four words", "search", "q=tỉnh+giáo+vốn+xuất", "cursor"},
		{"search, a phrase of four", "search", "q=%22tỉnh+giáo+vốn+xuất%22", ""},
		{"search, a word that is nowhere", "search", "q=khủng", ""},
		{"search in a topic", "search", "q=tỉnh&topics=kinh-te", "cursor"},
		{"changes, 100", "changes", "", "since"},
		{"changes, 200", "changes", "limit=200", "since"},
		{"changes, none", "changes", "since=2000000000000", ""},
		{"days", "days", "month=2024-11", ""},
		{"days of a topic", "days", "month=2024-11&topics=kinh-te", ""},
		{"days of 2 topics in a province", "days", "month=2024-11&topics=kinh-te,giao-duc&provinces=lao-cai", ""},
		{"outlets", "outlets", "", ""},
		{"sources", "sources", "", ""},
	} {
		route := apiRoutes()[slices.IndexFunc(apiRoutes(), func(r apiRoute) bool { return r.id == c.route })]
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				q, _ := url.ParseQuery(c.query)
				if c.anywhere != "" {
					q.Set(c.anywhere, place())
				}
				start := processorTime()
				doc, err := route.ask(s, httptest.NewRequest(http.MethodGet, "/", nil), q)
				if err != nil {
					b.Fatal(err)
				}
				body, err := s.apiMaker(doc).render(b.Context(), store.Revision{})
				if err == nil {
					_, err = compressed(body, "application/json", feedHeader(""), time.Time{}, quickGzip)
				}
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, processorTime()-start)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
		})
	}
}
