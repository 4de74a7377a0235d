package syndicate_test

import (
	"compress/gzip"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
	"diemtin/syndicate"
)

// copyJudge merges an item whose summary is that of another; the original is
// the first that names no other.
type copyJudge struct{}

func (copyJudge) Adapt(*store.Item, store.Corpus)                                   {}
func (copyJudge) Related(*store.Item, []*store.Item, store.Corpus) []store.Relation { return nil }
func (copyJudge) Reused(string, string, *store.Item) bool                           { return false }

func (copyJudge) Match(it *store.Item, near []*store.Item) (int, store.Merge) {
	for i, n := range near {
		if n.Summary == it.Summary {
			return i, store.Merge{Reason: "text", Score: 0.93, Evidence: "same summary"}
		}
	}
	return -1, store.Merge{}
}

func (copyJudge) Original(items []store.Item, _ map[string]store.Outlet) (int, string) {
	for i := range items {
		if items[i].Attribution.Text == "" {
			return i, "no attribution"
		}
	}
	return 0, "first"
}

// site is the pages over a real store.
type site struct {
	t      *testing.T
	db     *store.DB
	path   string // of the database
	server *syndicate.Server
}

// noon is the newest moment of the news in tests.
var noon = time.Date(2024, 11, 5, 12, 0, 0, 0, store.Zone)

// siteConfig has one of everything that pages tell apart.
func siteConfig() syndicate.Config {
	return syndicate.Config{
		Site: syndicate.Site{Title: "Điểm tin", BaseURL: "https://tin.example.vn", Language: "vi",
			Operator: "Phòng Thông tin", Contact: "tin@example.vn"},
		Topics: []store.TopicInfo{{ID: "xay-dung-dang", VI: "Xây dựng Đảng"}, {ID: "kinh-te", VI: "Kinh tế"},
			{ID: "y-te", VI: "Y tế, sức khỏe"}, {ID: "the-thao", VI: "Thể thao"}},
		Places: []syndicate.Place{{ID: "ha-noi", Name: "Hà Nội"}, {ID: "hung-yen", Name: "Hưng Yên"},
			{ID: "lao-cai", Name: "Lào Cai"}, {ID: "thai-binh", Name: "Thái Bình", Into: "hung-yen"}},
		Channels: []syndicate.ChannelConfig{{ID: "tong-hop", Title: syndicate.Names{VI: "Tổng hợp"},
			Description: syndicate.Names{VI: "Kinh tế và y tế."}, Topics: []store.Topic{"kinh-te", "y-te"}}},
		Outlets: []store.Outlet{
			{ID: "nhandan", Name: "Báo Nhân Dân", Domains: []string{"nhandan.example.vn"}, Scope: store.National, Rank: 1, Show: store.ShowSummary},
			{ID: "laocai", Name: "Báo Lào Cai", Domains: []string{"laocai.example.vn"}, Scope: store.Provincial, Province: "lao-cai", Rank: 3, Show: store.ShowSummary, Images: true},
			{ID: "kiem", Name: "Báo Kiệm lời", Domains: []string{"kiem.example.vn"}, Scope: store.Ministry, Rank: 2, Show: store.ShowHeadline},
			{ID: "giau", Name: "Báo Giấu", Domains: []string{"giau.example.vn"}, Scope: store.National, Rank: 4, Show: store.ShowNone},
		},
	}
}

// newSite opens an empty site.
func newSite(t *testing.T, change ...func(*syndicate.Config)) *site {
	t.Helper()
	cfg := siteConfig()
	for _, f := range change {
		f(&cfg)
	}
	s := &site{t: t, path: filepath.Join(t.TempDir(), "test.db")}
	var err error
	if s.db, err = store.Open(t.Context(), "sqlite:"+s.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	var sources []store.Source
	for _, o := range cfg.Outlets {
		sources = append(sources, store.Source{ID: o.ID + "-home", Outlet: o.ID, Kind: "feed", URL: "https://" + o.Domains[0] + "/rss"})
	}
	if err := s.db.Sync(t.Context(), cfg.Outlets, sources); err != nil {
		t.Fatal(err)
	}
	s.server, err = syndicate.New(cfg, s.db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// article is an item as the aggregator hands it over; topics with the primary
// one first.
func article(outlet, title, summary string, published time.Time, topics ...store.Topic) store.Item {
	key := func(s string) uint32 { h := fnv.New32a(); io.WriteString(h, s); return h.Sum32() }
	link := fmt.Sprintf("https://%s.example.vn/%x.html", outlet, key(title))
	it := store.Item{Title: title, Summary: summary, Link: link, Published: published,
		Aliases: []string{"link:" + link}, Sketch: []uint32{key(summary)}, Fingerprint: uint64(key(title + summary))}
	for i, t := range topics {
		it.Topics = append(it.Topics, store.ItemTopic{Topic: t, Score: 3, Primary: i == 0,
			Reasons: []store.Phrase{{Text: "cụm từ của " + string(t), Place: "title", Weight: 2.5}}})
	}
	return it
}

// publish records items as one visit to an outlet's source.
func (s *site) publish(outlet string, items ...store.Item) {
	s.t.Helper()
	s.visit(outlet, store.SourceState{Visited: true, Outcome: store.New, LastTry: noon, LastSuccess: noon,
		NextAt: noon.Add(time.Hour), Why: "new items lately"}, items...)
}

func (s *site) visit(outlet string, state store.SourceState, items ...store.Item) {
	s.t.Helper()
	src, err := s.db.Source(s.t.Context(), outlet+"-home")
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.db.Record(s.t.Context(), store.Refresh{Source: src, At: noon, Items: items,
		Settle: func(store.Changes) store.SourceState { return state }}, copyJudge{})
	if err != nil {
		s.t.Fatal(err)
	}
}

// fill publishes a small day of news: a story of three outlets, one that allows
// its headline only, one with a picture and a hostile headline, one without a
// topic, one of the day before.
func (s *site) fill() {
	copied := "Hội nghị Trung ương bàn về công tác xây dựng Đảng."
	one := article("nhandan", "Khai mạc hội nghị Trung ương", copied, noon.Add(-2*time.Hour), "xay-dung-dang", "kinh-te")
	s.publish("nhandan", one, article("nhandan", "Tin hôm trước", "Chuyện của hôm qua.", noon.AddDate(0, 0, -1), "kinh-te"))
	two := article("kiem", "Hội nghị Trung ương khai mạc", copied, noon.Add(-time.Hour), "xay-dung-dang")
	two.Attribution = store.Attribution{Text: "Báo Nhân Dân", Outlet: "nhandan"}
	s.publish("kiem", two, article("kiem", "Chỉ được hiện tiêu đề", "Lời này không được hiện.", noon.Add(-30*time.Minute), "y-te"))
	s.publish("giau", article("giau", "Bản của báo giấu", copied, noon, "xay-dung-dang"))
	hostile := article("laocai", `<script>alert("x")</script> & 'tin'`, `Có <b>thẻ</b> & "ngoặc".`, noon.Add(-20*time.Minute), "kinh-te")
	hostile.Image, hostile.Province = "https://laocai.example.vn/anh.jpg", "lao-cai"
	hostile.Attribution = store.Attribution{Text: "TTXVN"}
	former := article("laocai", "Chuyện ở Thái Bình", "Một chuyện cũ.", noon.Add(-10*time.Minute))
	former.Province = "thai-binh"
	s.publish("laocai", hostile, former)
}

// answer is what came back for one request.
type answer struct {
	*httptest.ResponseRecorder
	path string
}

func (s *site) get(path string, header ...string) answer {
	s.t.Helper()
	return s.send(http.MethodGet, path, header...)
}

func (s *site) send(method, path string, header ...string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return answer{w, path}
}

// page gets a page that must be there.
func (s *site) page(path string) *goquery.Document {
	s.t.Helper()
	a := s.get(path)
	if a.Code != http.StatusOK {
		s.t.Fatalf("GET %s: %d, want 200: %s", path, a.Code, a.Body)
	}
	return s.parse(a)
}

func (s *site) parse(a answer) *goquery.Document {
	s.t.Helper()
	var body io.Reader = a.Body
	if a.Header().Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(a.Body); err != nil {
			s.t.Fatal(err)
		}
	}
	doc, err := goquery.NewDocumentFromReader(body)
	if err != nil {
		s.t.Fatal(err)
	}
	return doc
}

// story finds the address of a story on the home page.
func (s *site) story(title string) string {
	s.t.Helper()
	link := s.page("/").Find(".card h3 a").FilterFunction(func(_ int, a *goquery.Selection) bool { return a.Text() == title })
	href, ok := link.Attr("href")
	if !ok {
		s.t.Fatalf("no story %q on the home page", title)
	}
	return href
}

// text is the text of what a selector finds, with its white space made even.
func text(sel *goquery.Selection) string { return strings.Join(strings.Fields(sel.Text()), " ") }

// texts lists the texts of all that a selector finds.
func texts(sel *goquery.Selection) []string {
	return sel.Map(func(_ int, x *goquery.Selection) string { return text(x) })
}
