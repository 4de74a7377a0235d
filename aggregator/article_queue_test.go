package aggregator

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

// paper is an outlet of a test: a feed, pages, robots.txt, and what it was
// asked for.
type paper struct {
	*httptest.Server
	mu      sync.Mutex
	feed    string
	pages   map[string]string // by path
	robots  string
	asked   []string
	at      []time.Time
	inside  int
	crowd   int           // the most requests at the same time
	slow    time.Duration // every page takes so long
	hanging bool          // pages never come
	busy    bool          // pages answer 429
}

func newPaper(t *testing.T) *paper {
	p := &paper{pages: map[string]string{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *paper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked, p.at = append(p.asked, r.URL.Path), append(p.at, time.Now())
	p.inside++
	p.crowd = max(p.crowd, p.inside)
	feed, page, robots, slow, hanging, busy := p.feed, p.pages[r.URL.Path], p.robots, p.slow, p.hanging, p.busy
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.inside--
		p.mu.Unlock()
	}()
	switch {
	case r.URL.Path == "/rss":
		fmt.Fprint(w, feed)
	case r.URL.Path == "/robots.txt" && robots != "":
		fmt.Fprint(w, robots)
	case page == "":
		http.NotFound(w, r)
	case busy:
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	case hanging:
		<-r.Context().Done()
	default:
		timer := time.NewTimer(slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page)
	}
}

// add puts an article into the feed, with a page of its own unless body is "".
func (p *paper) add(slug, title, summary, head, body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	items := strings.TrimSuffix(p.feed, "</channel></rss>")
	if items == "" {
		items = `<rss version="2.0"><channel><title>T</title>`
	}
	p.feed = items + fmt.Sprintf(`<item><title>%s</title><link>/%s.html</link><guid isPermaLink="false">%s</guid><description>%s</description><pubDate>%s</pubDate></item></channel></rss>`,
		title, slug, slug, summary, time.Now().Format(time.RFC1123Z))
	if body != "" {
		p.pages["/"+slug+".html"] = fmt.Sprintf(`<!DOCTYPE html><html><head><title>%s</title><meta property="og:type" content="article">%s</head><body><article><h1>%s</h1><p>%s</p></article></body></html>`,
			title, head, title, strings.ReplaceAll(body, "\n", "</p><p>"))
	}
}

func (p *paper) count(path string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.asked {
		if a == path {
			n++
		}
	}
	return n
}

// papers builds an aggregator that reads the feeds of some outlets, o0, o1, …
func papers(t *testing.T, limits Limits, all ...*paper) (*Aggregator, *store.DB, *prometheus.Registry) {
	t.Helper()
	limits.AllowPrivate = true
	if limits.HostPause == nil {
		limits.HostPause = new(Duration)
	}
	if limits.Timeout == 0 {
		limits.Timeout = Duration(2 * time.Second)
	}
	cfg := Config{Limits: limits, Topics: testTopics(), Agent: "diemtin/test (+a@example.vn)"}
	for i, p := range all {
		cfg.Outlets = append(cfg.Outlets, OutletConfig{ID: fmt.Sprintf("o%d", i), Name: fmt.Sprintf("Báo %d", i), Domains: []string{strings.TrimPrefix(p.URL, "http://")},
			Scope: store.National, Sources: []SourceConfig{{ID: fmt.Sprintf("o%d-home", i), URL: p.URL + "/rss", Every: Every{Min: Duration(time.Second)}}}})
	}
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

// wireText is the text of an agency's report, as all its copies have it.
const wireText = `Chiều 5/11, đoàn công tác của tỉnh kiểm tra tuyến đê xung yếu dài mười hai cây số chạy qua bốn xã ven sông, nơi nước lũ đã tràn qua mặt đê hồi tháng chín.
Theo ông Trần Văn Lực, chi cục trưởng thủy lợi, ba vị trí sạt lở được kè bằng rọ đá ngay trong đêm, hơn hai nghìn bao cát được chuyển tới từ kho dự trữ của huyện.
Người dân thôn Đông góp sáu mươi công mỗi ngày, đốt đèn làm tới khuya; các trường học cho học sinh nghỉ hai buổi để nhường sân làm nơi tập kết vật liệu.
Tỉnh yêu cầu hoàn thành gia cố trước ngày 20/11, bố trí lực lượng trực tại chín điếm canh và báo cáo mực nước ba giờ một lần cho ban chỉ huy.
Dự báo mực nước sông trong tuần tới còn dao động ở mức báo động một, có nơi xấp xỉ báo động hai, nguy cơ sạt lở bờ bãi vẫn cao ở những đoạn cong.`

// A copy under a new headline and a new lead, which only its page gives away,
// arrives as a copy: one story is listed, once, under the original that the
// line at the foot of the page names.
func TestCopyUnderNewWordsArrivesAsCopy(t *testing.T) {
	t.Parallel()
	original, copied, other := newPaper(t), newPaper(t), newPaper(t)
	copied.add("ba-con-ven-de", "Bà con ven đê thức trắng đêm giữ làng trước con nước lớn", "Những ngọn đèn măng sông sáng rực cả triền sông.", "", wireText+"\nTheo: Báo 0")
	original.add("gia-co-tuyen-de", "Kiểm tra, gia cố tuyến đê xung yếu qua bốn xã ven sông", "Tỉnh yêu cầu xong trước 20/11.", "", wireText)
	other.add("gia-vang-hom-nay", "Giá vàng trong nước hôm nay đi ngang quanh mốc cũ", "Giá vàng chiều nay không đổi.", "",
		"Giá vàng miếng trong nước chiều nay đi ngang so với hôm qua, các cửa hàng ở phố lớn niêm yết mua vào bán ra chênh nhau hai triệu đồng mỗi lượng, khách đến giao dịch thưa.")
	a, db, reg := papers(t, Limits{}, original, copied, other)
	if _, err := a.Round(t.Context(), func(Report) {}); err != nil {
		t.Fatal(err)
	}
	all, err := db.Stories(t.Context(), store.Query{Limit: 10})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d stories, %v; want the report once and the gold price", len(all), err)
	}
	found := false
	for _, s := range all {
		copies, err := db.Copies(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(copies) == 2 {
			found = true
			if s.Quoted.Outlet != "o0" || s.Original.Outlet != "o0" {
				t.Errorf("quoted %s, original %s (%s), want o0", s.Quoted.Outlet, s.Original.Outlet, s.Why)
			}
		}
	}
	if !found {
		t.Error("the copy is a story of its own")
	}
	for _, p := range []*paper{original, copied, other} {
		for path := range p.pages {
			if n := p.count(path); n != 1 {
				t.Errorf("%s was asked for %d times, want once", path, n)
			}
		}
	}
	if n := testutil.ToFloat64(a.metrics.articles.WithLabelValues("read")); n != 3 {
		t.Errorf("%v pages read, want 3", n)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP diemtin_stories_united_total Stories united with another one after an item's page was read, by the evidence.
# TYPE diemtin_stories_united_total counter
diemtin_stories_united_total{reason="text"} 1
`), "diemtin_stories_united_total"); err != nil {
		t.Error(err)
	}
}

// What a page asks of robots is followed.
func TestPageDirectives(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, head, robots string
		summary, kept      bool
		state              store.ArticleState
	}{
		{name: "none", summary: true, kept: true, state: store.ArticleRead},
		{name: "nosnippet", head: `<meta name="robots" content="nosnippet">`, kept: true, state: store.ArticleRead},
		{name: "noarchive for us", head: `<meta name="diemtin" content="noarchive">`, summary: true, state: store.ArticleRead},
		{name: "noindex", head: `<meta name="robots" content="noindex, follow">`, state: store.ArticleRead},
		{name: "closed", robots: "User-agent: *\nDisallow: /gia-co\n", state: store.ArticleFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPaper(t)
			p.robots = tt.robots
			p.add("gia-co-tuyen-de", "Kiểm tra, gia cố tuyến đê xung yếu qua bốn xã ven sông", "", tt.head+`<meta name="description" content="Tỉnh yêu cầu xong trước 20/11.">`, wireText)
			a, db, _ := papers(t, Limits{}, p)
			if _, err := a.Round(t.Context(), func(Report) {}); err != nil {
				t.Fatal(err)
			}
			all, err := db.Stories(t.Context(), store.Query{Limit: 10})
			if err != nil || len(all) != 1 {
				t.Fatalf("%d stories, %v", len(all), err)
			}
			if got := all[0].Quoted.Summary != ""; got != tt.summary {
				t.Errorf("summary %q, want one: %v", all[0].Quoted.Summary, tt.summary)
			}
			if all[0].Quoted.Content != "" {
				t.Error("the page's text became the item's content")
			}
			pages, err := db.SourceArticles(t.Context(), "o0-home")
			if err != nil || len(pages) != 1 || pages[0].State != tt.state || pages[0].Kept != tt.kept {
				t.Errorf("%+v, %v; want %s, kept %v", pages, err, tt.state, tt.kept)
			}
			if n := p.count("/gia-co-tuyen-de.html"); tt.robots != "" && n != 0 {
				t.Errorf("a closed page was asked for %d times", n)
			}
		})
	}
}

// Pages that answer 200 with a wall, the same for every article or nearly so,
// merge nothing.
func TestWallsAreNoTexts(t *testing.T) {
	t.Parallel()
	wall := "Bạn cần đăng nhập hoặc mua gói thuê bao để tiếp tục theo dõi nội dung dành riêng cho hội viên của tòa soạn chúng tôi trên mọi thiết bị.\n" +
		"Nếu đã có tài khoản, vui lòng nhập địa chỉ thư điện tử cùng mật khẩu; quên mật khẩu, hãy bấm vào liên kết phía dưới rồi làm theo hướng dẫn được gửi tới hộp thư.\n" +
		"Mọi thắc mắc xin gọi số 1900 0000 trong giờ hành chính, nhân viên chăm sóc khách hàng luôn sẵn sàng giúp bạn hoàn tất thủ tục thanh toán."
	titles := []string{"Hai tỉnh ký kết hợp tác nuôi trồng thủy hải sản ven biển", "Trận chung kết bóng chuyền nữ kết thúc sau năm ván nghẹt thở",
		"Khánh thành trạm biến áp mới phục vụ khu công nghiệp phía bắc"}
	one, two := newPaper(t), newPaper(t)
	for i, title := range titles {
		one.add(fmt.Sprintf("bai-viet-so-%d", i), title, "", "", wall)
		two.add(fmt.Sprintf("bai-viet-so-%d", i), title+" hôm qua", "", "", wall+"\n"+title) // the headline stands in the wall
	}
	a, db, _ := papers(t, Limits{}, one, two)
	if _, err := a.Round(t.Context(), func(Report) {}); err != nil {
		t.Fatal(err)
	}
	all, err := db.Stories(t.Context(), store.Query{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		copies, err := db.Copies(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(copies) > 1 {
			t.Errorf("%q and %q merged: %+v", copies[0].Item.Title, copies[1].Item.Title, copies[1].Merge)
		}
	}
	if len(all) != 6 {
		t.Errorf("%d stories, want 6", len(all))
	}
}

// A page that never comes holds its story for the hold and no longer.
func TestHoldEnds(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.add("gia-co-tuyen-de", "Kiểm tra, gia cố tuyến đê xung yếu qua bốn xã ven sông", "", "", wireText)
	p.hanging = true
	hold := Duration(1500 * time.Millisecond)
	a, db, _ := papers(t, Limits{Hold: &hold, Timeout: Duration(30 * time.Second)}, p)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	start := time.Now()
	for {
		all, err := db.Stories(t.Context(), store.Query{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 1 {
			waited := all[0].Listed.Sub(all[0].Quoted.Seen)
			if waited < time.Duration(hold) || waited > time.Duration(hold)+5*time.Second {
				t.Errorf("listed after %s, want %s and a little", waited, time.Duration(hold))
			}
			break
		}
		if time.Since(start) > 20*time.Second {
			t.Fatal("never listed")
		}
		<-time.After(50 * time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if q, err := db.ArticleQueue(t.Context()); err != nil || q.Waiting != 1 {
		t.Errorf("queue %+v, %v: the page that was being read at the end is not given back", q, err)
	}
	if n := len(claimAll(t, db)); n != 1 {
		t.Errorf("%d pages can be claimed after the end, want 1", n)
	}
}

func claimAll(t *testing.T, db *store.DB) []store.DueArticle {
	t.Helper()
	due, err := db.DueArticles(t.Context(), store.ArticleClaim{Now: time.Now(), Lease: time.Minute, By: "test", Limit: 100, PerOutlet: 100})
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// A host that asks to wait is asked for no further page; its stories do not
// wait with it.
func TestPagesWaitWhenAsked(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	for i := range 5 {
		p.add(fmt.Sprintf("bai-viet-so-%d", i), fmt.Sprintf("Kiểm tra, gia cố tuyến đê xung yếu lần thứ %d", i), "", "", wireText)
	}
	p.busy = true
	a, db, _ := papers(t, Limits{}, p)
	if _, err := a.Round(t.Context(), func(Report) {}); err != nil {
		t.Fatal(err)
	}
	if n := len(p.asked); n != 3 { // robots.txt, the feed, one page
		t.Errorf("asked for %v, want one page", p.asked)
	}
	pages, err := db.SourceArticles(t.Context(), "o0-home")
	if err != nil || len(pages) != 5 {
		t.Fatal(pages, err)
	}
	for _, r := range pages {
		if wait := time.Until(r.Due); r.State != store.ArticleWaiting || r.Outcome != store.Throttled || wait < 50*time.Minute {
			t.Errorf("%+v, want it tried again after an hour", r)
		}
	}
	if all, err := db.Stories(t.Context(), store.Query{Limit: 10}); err != nil || len(all) != 5 {
		t.Errorf("%d stories are listed, %v, want 5", len(all), err)
	}
}

// Feed and pages of a host share its one place and its pause, and a burst of
// pages does not keep the feed waiting for more than one of them.
func TestPagesKeepThePeace(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	for i := range 10 {
		p.add(fmt.Sprintf("bai-viet-so-%d", i), fmt.Sprintf("Kiểm tra, gia cố tuyến đê xung yếu qua bốn xã ven sông lần %d", i), "", "", wireText+fmt.Sprint("\nLần ", i))
	}
	p.slow = 40 * time.Millisecond
	pause := Duration(60 * time.Millisecond)
	a, db, _ := papers(t, Limits{HostPause: &pause}, p)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	wait := func(what string, yes func() bool) {
		t.Helper()
		for start := time.Now(); !yes(); {
			if time.Since(start) > 30*time.Second {
				t.Fatalf("waited in vain: %s", what)
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	wait("three pages", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.asked) >= 5 })
	before := time.Now()
	leave, err := a.enter(ctx, p.URL+"/rss") // what a visit to the feed would do
	waited := time.Since(before)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if most := 2*time.Duration(pause) + p.slow + 2*time.Second; waited > most { // the machine may be busy
		t.Errorf("a visit to the feed waited %s behind the pages", waited)
	}
	wait("all pages", func() bool { q, err := db.ArticleQueue(t.Context()); return err == nil && q.Waiting == 0 })
	stop()
	<-ended
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crowd != 1 {
		t.Errorf("%d requests at the same time, want one after another", p.crowd)
	}
	ahead := 0
	for i := 1; i < len(p.at); i++ {
		if gap := p.at[i].Sub(p.at[i-1]); gap < time.Duration(pause)-5*time.Millisecond && p.asked[i-1] != "/robots.txt" {
			t.Errorf("%s came %s after %s, want a pause of %s", p.asked[i], gap, p.asked[i-1], time.Duration(pause))
		}
		ahead++
	}
	if ahead < 11 {
		t.Errorf("only %d requests", ahead)
	}
}
