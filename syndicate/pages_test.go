package syndicate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"diemtin/store"
	"diemtin/syndicate"
)

func TestHome(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	doc := s.page("/")
	if got := text(doc.Find("h1")); got != "Điểm tin ngày 05/11/2024" {
		t.Errorf("h1: got %q, want the day of the newest story", got)
	}
	if got := texts(doc.Find(".leading .card h3")); !slices.Equal(got, []string{"Khai mạc hội nghị Trung ương"}) {
		t.Errorf("leading stories: got %q, want what two outlets carry", got)
	}
	want := []string{"Chuyện ở Thái Bình", `<script>alert("x")</script> & 'tin'`, "Chỉ được hiện tiêu đề", "Tin hôm trước"}
	if got := texts(doc.Find(".first .card h3")); !slices.Equal(got, want) {
		t.Errorf("newest stories: got %q, want %q, each once on the page", got, want)
	}
	if got := texts(doc.Find(".block h3 .count")); !slices.Equal(got, []string{"1 tin", "2 tin", "1 tin"}) {
		t.Errorf("stories of the day by topic: got %q", got)
	}
	if got := texts(doc.Find(".block h3 a")); !slices.Equal(got, []string{"Xây dựng Đảng", "Kinh tế", "Y tế, sức khỏe"}) {
		t.Errorf("blocks: got %q, want the topics that have stories, in the order of the configuration", got)
	}
	if got := texts(doc.Find(".strip a")); !slices.Equal(got, []string{"Thứ Hai 04/11 1 tin", "Thứ Ba 05/11 4 tin"}) {
		t.Errorf("days: got %q", got)
	}
	if got := texts(doc.Find(".names a")); !slices.Equal(got, []string{"Hà Nội", "Hưng Yên", "Lào Cai"}) {
		t.Errorf("provinces: got %q, want those of today in the order of the configuration", got)
	}
	if got := text(doc.Find(".card .copies")); got != "••2 báo, trang tin cùng đăng" {
		t.Errorf("copies: got %q, want the outlets that may be shown, as on the story's page", got)
	}
	if got := text(doc.Find("footer")); !strings.Contains(got, "Phòng Thông tin") || !strings.Contains(got, "tin@example.vn") {
		t.Errorf("footer: got %q, want operator and contact", got)
	}
}

// TestLeading: more outlets lead, but a story counts half after some hours; one
// that another outlet had earlier says since when.
func TestLeading(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	carry := func(title string, at time.Time, outlets ...string) {
		for i, o := range outlets {
			s.publish(o, article(o, title, "Lời của tin: "+title, at.Add(-time.Duration(i)*time.Hour), "kinh-te"))
		}
	}
	carry("Ba báo từ hôm qua", noon.Add(-20*time.Hour), "nhandan", "laocai", "kiem")
	carry("Hai báo mới đây", noon, "nhandan", "kiem")
	carry("Hai báo cách đây năm giờ", noon.Add(-5*time.Hour), "nhandan", "laocai")
	carry("Một báo", noon, "laocai")
	carry("Ba báo từ tuần trước", noon.AddDate(0, 0, -7), "nhandan", "laocai", "kiem")
	doc := s.page("/")
	want := []string{"Hai báo mới đây", "Hai báo cách đây năm giờ", "Ba báo từ hôm qua"}
	if got := texts(doc.Find(".leading .card h3")); !slices.Equal(got, want) {
		t.Errorf("leading stories: got %q, want %q", got, want)
	}
	if got := text(doc.Find(".leading .card .since").First()); got != "từ 11:00 05/11/2024" {
		t.Errorf("since when: got %q, want when the first of its outlets had it", got)
	}
	if got := texts(doc.Find(".first .card h3")); !slices.Equal(got, []string{"Một báo", "Ba báo từ tuần trước"}) {
		t.Errorf("newest: got %q, want the others", got)
	}
}

// sameEvent relates items of which a headline begins as the other does.
type sameEvent struct{ copyJudge }

func (sameEvent) Related(it *store.Item, near []*store.Item, _ store.Corpus) (found []store.Relation) {
	event, _, _ := strings.Cut(it.Title, ":")
	for i, n := range near {
		if strings.HasPrefix(n.Title, event+":") {
			found = append(found, store.Relation{Near: i, Score: 0.5, Why: "same event"})
		}
	}
	return found
}

// TestOneLeadOfAnEvent: of two stories on one event the weightier leads, and
// names the other.
func TestOneLeadOfAnEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	visit := func(outlet string, items ...store.Item) {
		src, err := s.db.Source(t.Context(), outlet+"-home")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Record(t.Context(), store.Refresh{Source: src, At: noon, Items: items,
			Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, sameEvent{}); err != nil {
			t.Fatal(err)
		}
	}
	first, second, other := "Bão số 9: gió giật cấp 12", "Bão số 9: sơ tán dân", "Khai mạc hội sách"
	for i, outlet := range []string{"nhandan", "laocai", "kiem"} {
		items := []store.Item{article(outlet, first, "Gió giật.", noon, "kinh-te")}
		if i > 0 {
			items = append(items, article(outlet, second, "Sơ tán.", noon, "kinh-te"), article(outlet, other, "Hội sách.", noon, "kinh-te"))
		}
		for j := range items {
			items[j].Sketch = append(items[j].Sketch, 99) // near enough to be compared
		}
		visit(outlet, items...)
	}
	doc := s.page("/")
	if got := texts(doc.Find(".leading .card h3")); !slices.Equal(got, []string{first, other}) {
		t.Errorf("leading stories: got %q, want one of the event", got)
	}
	if got := texts(doc.Find(".leading .event .headline")); !slices.Equal(got, []string{second}) {
		t.Errorf("beside the first: got %q, want the other on its event", got)
	}
}

func TestTermsOfOutlets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	pages := map[string]*goquery.Document{}
	for _, path := range []string{"/", "/topics/", "/topics/y-te/", "/days/2024-11-05/", s.story("Chỉ được hiện tiêu đề"),
		s.story("Khai mạc hội nghị Trung ương"), s.story(`<script>alert("x")</script> & 'tin'`), "/outlets/", "/outlets/kiem/"} {
		pages[path] = s.page(path)
	}
	for path, doc := range pages {
		html, _ := doc.Html()
		if strings.Contains(html, "Lời này không được hiện") {
			t.Errorf("%s shows the summary of an outlet that allows its headline only", path)
		}
		if strings.Contains(html, "báo giấu") || strings.Contains(html, "Báo Giấu") || strings.Contains(html, "giau.example.vn") {
			t.Errorf("%s shows something of an outlet that allows nothing", path)
		}
		doc.Find(`head script[src^="/assets/page.js?v="], head script[type="application/ld+json"]`).Remove() // our own
		if html, _ = doc.Html(); strings.Contains(html, "<script") {
			t.Errorf("%s lets a headline's markup through", path)
		}
	}
	pictures := pages[s.story(`<script>alert("x")</script> & 'tin'`)].Find("main img")
	if src := pictures.AttrOr("src", ""); src != "https://laocai.example.vn/anh.jpg" {
		t.Errorf("picture of an outlet that allows it: got %q", src)
	}
}

func TestPicturesOnlyWithLeave(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, outlet, image string
		policy              string
		shown               bool
	}{
		{"allowed", "laocai", "https://x.example/a.jpg", "img-src 'self' https:;", true},
		{"not allowed", "nhandan", "https://x.example/a.jpg", "img-src 'self' https:;", false},
		{"not over TLS", "laocai", "http://x.example/a.jpg", "img-src 'self' https:;", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			it := article(tt.outlet, "Có ảnh", "Tóm tắt.", noon, "kinh-te")
			it.Image = tt.image
			s.publish(tt.outlet, it)
			a := s.get(s.story("Có ảnh"))
			if csp := a.Header().Get("Content-Security-Policy"); !strings.Contains(csp, tt.policy) {
				t.Errorf("policy: got %q, want %q in it", csp, tt.policy)
			}
			if n := s.parse(a).Find("main img").Length(); (n > 0) != tt.shown {
				t.Errorf("%d pictures shown, want any: %t", n, tt.shown)
			}
		})
	}
	t.Run("nobody allows", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, func(c *syndicate.Config) { c.Outlets = c.Outlets[:1] })
		if csp := s.get("/").Header().Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self';") {
			t.Errorf("policy: got %q, want no pictures from elsewhere", csp)
		}
	})
}

func TestDay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	doc := s.page("/days/2024-11-05/")
	if got := text(doc.Find("h1")); got != "Tin ngày 05/11/2024" {
		t.Errorf("h1: got %q", got)
	}
	want := []string{"Xây dựng Đảng", "Kinh tế", "Y tế, sức khỏe", "Tin khác"}
	if got := texts(doc.Find(".group h2")); !slices.Equal(got, want) {
		t.Errorf("groups: got %q, want %q", got, want)
	}
	doc.Find(".toc a").Each(func(_ int, a *goquery.Selection) {
		if href := a.AttrOr("href", ""); doc.Find(href).Length() != 1 {
			t.Errorf("menu entry %q leads nowhere: %q", text(a), href)
		}
	})
	if got := doc.Find("#kinh-te .card").Length(); got != 1 {
		t.Errorf("stories under Kinh tế: got %d, want only the one whose primary topic it is", got)
	}
	if got := text(doc.Find("label[for=day]")); got != "Xem tin theo ngày" {
		t.Errorf("label of the form: got %q", got)
	}
	prev := doc.Find(".head a[rel=prev]")
	if prev.AttrOr("href", "") != "/days/2024-11-04/" || doc.Find("a[rel=next]").Length() != 0 {
		t.Errorf("neighbours: got prev %q and %d next, want the day before and none", prev.AttrOr("href", ""), doc.Find("a[rel=next]").Length())
	}
	if got := s.page("/days/2024-11-04/").Find(".head a[rel=next]").AttrOr("href", ""); got != "/days/2024-11-05/" {
		t.Errorf("day after: got %q", got)
	}
	doc = s.page("/topics/kinh-te/days/2024-11-05/")
	if got := text(doc.Find("h1")); got != "Kinh tế: tin ngày 05/11/2024" {
		t.Errorf("h1 of a topic's day: got %q", got)
	}
	if got := doc.Find(".card").Length(); got != 2 {
		t.Errorf("stories of the topic: got %d, want those that have it as second topic too", got)
	}
	empty := s.page("/days/2024-11-03/")
	if !strings.Contains(text(empty.Find("main")), "Không có tin nào đăng ngày này") || empty.Find("meta[content=noindex]").Length() != 1 {
		t.Errorf("a day without news: got %q", text(empty.Find("main")))
	}
}

func TestDayIsCutAtMidnightInVietnam(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	midnight := store.Day("2024-11-05").Start()
	s.publish("nhandan", article("nhandan", "Đúng nửa đêm", "Một.", midnight, "kinh-te"),
		article("nhandan", "Trước nửa đêm", "Hai.", midnight.Add(-time.Millisecond), "kinh-te"))
	for day, want := range map[string]string{"2024-11-05": "Đúng nửa đêm", "2024-11-04": "Trước nửa đêm"} {
		doc := s.page("/days/" + day + "/")
		if got := texts(doc.Find(".card h3")); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", day, got, want)
		}
	}
	if got := text(s.page("/days/2024-11-05/").Find(".card time")); got != "00:00 05/11/2024" {
		t.Errorf("time: got %q", got)
	}
	if got := s.page("/days/2024-11-05/").Find(".card time").AttrOr("datetime", ""); got != "2024-11-05T00:00:00+07:00" {
		t.Errorf("datetime: got %q", got)
	}
}

func TestStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	path := s.story("Khai mạc hội nghị Trung ương")
	doc := s.page(path)
	if got := text(doc.Find(".story dl div").First()); got != "Nguồn: Báo Nhân Dân" {
		t.Errorf("source: got %q", got)
	}
	if got := doc.Find("meta[name=robots]").AttrOr("content", ""); got != "noindex" {
		t.Errorf("robots: got %q", got)
	}
	if got := text(doc.Find("#copies")); got != "2 báo, trang tin cùng đăng" {
		t.Errorf("copies: got %q, want the two outlets that may be shown", got)
	}
	rows := doc.Find(".copylist li")
	if got := texts(rows.Find(".headline")); !slices.Equal(got, []string{"Khai mạc hội nghị Trung ương", "Hội nghị Trung ương khai mạc"}) {
		t.Errorf("headlines of copies: got %q", got)
	}
	if got := text(rows.Eq(1)); !strings.Contains(got, "11:00 05/11/2024") || !strings.Contains(got, "theo Báo Nhân Dân") ||
		!strings.Contains(got, "nội dung gần như trùng nhau") {
		t.Errorf("second copy: got %q, want time, whom it follows, and the reason", got)
	}
	if got := text(doc.Find("#same")); got != "Tin mới nhất" {
		t.Errorf("a topic without other stories: got %q, want the newest of all", got)
	}
	doc = s.page(s.story(`<script>alert("x")</script> & 'tin'`))
	if got := text(doc.Find(".story dl div").First()); got != "Nguồn: Báo Lào Cai (theo TTXVN)" {
		t.Errorf("source: got %q", got)
	}
	if got := text(doc.Find("#same")); got != "Tin cùng chuyên mục" {
		t.Errorf("same topic: got %q", got)
	}
	if got := texts(doc.Find(".same time")); !slices.Equal(got, []string{"10:00 05/11/2024", "12:00 04/11/2024"}) {
		t.Errorf("times of the same topic: got %q, want the latest without this story", got)
	}
}

func TestOriginalOtherThanQuoted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	late := article("laocai", "Bản chép", "Cùng một lời.", noon, "kinh-te")
	late.Attribution = store.Attribution{Text: "nhandan.vn", Outlet: "nhandan"}
	s.publish("laocai", late)
	s.publish("nhandan", article("nhandan", "Bản đầu", "Cùng một lời.", noon.Add(-time.Hour), "kinh-te"))
	doc := s.page(s.story("Bản chép"))
	got := text(doc.Find(".story dl"))
	if !strings.Contains(got, "Nguồn: Báo Lào Cai (theo nhandan.vn)") || !strings.Contains(got, "Bản gốc: Bản đầu – Báo Nhân Dân, 11:00 05/11/2024") {
		t.Errorf("sources: got %q", got)
	}
}

// TestManyCopies: a story that thirty-four outlets carry names them all, a dozen
// at once, in the order in which they published it.
func TestManyCopies(t *testing.T) {
	t.Parallel()
	const outlets = 34
	s := newSite(t, func(c *syndicate.Config) {
		for i := range outlets {
			id := fmt.Sprintf("bao%d", i)
			c.Outlets = append(c.Outlets, store.Outlet{ID: id, Name: fmt.Sprintf("Báo số %d", i), Domains: []string{id + ".example.vn"},
				Scope: store.Provincial, Rank: 5, Show: store.ShowSummary})
		}
	})
	for i := range outlets {
		id := fmt.Sprintf("bao%d", i)
		it := article(id, fmt.Sprintf("Tít của báo %d", i), "Cùng một lời.", noon.Add(time.Duration(i-60)*time.Minute), "kinh-te")
		it.Authors = []string{"Nguyễn Văn Ánh", "Trần Thị Bưởi"}
		it.Sketch = append(it.Sketch, 7) // one key alone, which many share, would find nothing
		s.publish(id, it)
	}
	doc := s.page(s.story("Tít của báo 0"))
	if got := text(doc.Find("#copies")); got != "34 báo, trang tin cùng đăng" {
		t.Errorf("headed %q", got)
	}
	if a := doc.Find(".story > .meta a.copies"); text(a) != "34 báo, trang tin cùng đăng" || a.AttrOr("href", "") != "#ban-dang" {
		t.Errorf("below the headline: %q", text(a))
	}
	var want []string
	for i := range outlets {
		want = append(want, fmt.Sprintf("Tít của báo %d", i))
	}
	if got := texts(doc.Find(".copylist .headline")); !slices.Equal(got, want) {
		t.Errorf("copies: got %q", got)
	}
	if open, more := doc.Find("#ban-dang > .copylist > li").Length(), doc.Find("details.further li").Length(); open != 12 || more != 22 {
		t.Errorf("%d copies stand open, %d when asked", open, more)
	}
	if got := text(doc.Find("details.further summary")); got != "Xem thêm 22 bản nữa" {
		t.Errorf("the rest is offered as %q", got)
	}
	if got := text(doc.Find(".story dl")); !strings.Contains(got, "Tác giả: Nguyễn Văn Ánh, Trần Thị Bưởi") {
		t.Errorf("facts: %q", got)
	}
	if doc.Find("link[rel=alternate][href='/topics/kinh-te/feed.atom']").Length() != 1 {
		t.Error("the feed of its topic is not offered")
	}
}

func TestLeadIsAtMostSixtySyllables(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish("nhandan", article("nhandan", "Tin dài", strings.TrimSpace(strings.Repeat("chữ ", 200)), noon, "kinh-te"))
	lead := text(s.page(s.story("Tin dài")).Find(".standfirst"))
	if n := strings.Count(lead, "chữ"); n != 60 || !strings.HasSuffix(lead, "…") {
		t.Errorf("lead has %d syllables: %q", n, lead)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	doc := s.page(s.story("Khai mạc hội nghị Trung ương") + "/explain")
	main := text(doc.Find("main"))
	for _, want := range []string{"Xây dựng Đảng chuyên mục chính",
		"bản đầu tiên được đọc thấy", "nội dung gần như trùng nhau", "93 %", "same summary", "Bản gốc mà trang này biết: Báo Nhân Dân"} {
		if !strings.Contains(main, want) {
			t.Errorf("explanation lacks %q: %s", want, main)
		}
	}
	if got := texts(doc.Find("tbody tr").First().Find("td")); !slices.Equal(got, []string{"cụm từ của xay-dung-dang", "tiêu đề", "2,5"}) {
		t.Errorf("first phrase: got %q", got)
	}
	if got := text(s.page(s.story("Chuyện ở Thái Bình") + "/explain").Find("main")); !strings.Contains(got, "“Tin khác”") {
		t.Errorf("explanation of a story without topic: got %q", got)
	}
}

func TestProvinceHoldsItsFormerOnes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	for _, tt := range []struct{ path, fact string }{
		{"/provinces/hung-yen/", "Gồm cả tin về các tỉnh cũ đã nhập vào từ ngày 01/07/2025: Thái Bình"},
		{"/provinces/thai-binh/", "Từ ngày 01/07/2025 thuộc Hưng Yên"},
	} {
		doc := s.page(tt.path)
		if got := texts(doc.Find(".card h3")); !slices.Equal(got, []string{"Chuyện ở Thái Bình"}) {
			t.Errorf("%s: got %q", tt.path, got)
		}
		if got := texts(doc.Find(".fact")); !slices.Contains(got, tt.fact) {
			t.Errorf("%s: got facts %q, want %q", tt.path, got, tt.fact)
		}
	}
}

func TestOlderStoriesOnceEach(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var items []store.Item
	for i := range 95 { // three pages; several stories share a minute
		items = append(items, article("nhandan", fmt.Sprintf("Tin %d", i), fmt.Sprintf("Lời %d", i), noon.Add(-time.Duration(i/3)*time.Hour), "kinh-te"))
	}
	s.publish("nhandan", items...)
	seen := map[string]bool{}
	pages := 0
	for path := "/topics/kinh-te/"; path != ""; pages++ {
		doc := s.page(path)
		for _, title := range texts(doc.Find(".card h3")) {
			if seen[title] {
				t.Errorf("%q stands on two pages", title)
			}
			seen[title] = true
		}
		if back := doc.Find(".pager a").First().AttrOr("href", ""); pages > 0 && back != "/topics/kinh-te/" {
			t.Errorf("page %d leads back to %q", pages, back)
		}
		path = doc.Find(".pager a[rel=next]").AttrOr("href", "")
	}
	if len(seen) != 95 || pages != 3 {
		t.Errorf("got %d stories on %d pages, want 95 on 3", len(seen), pages)
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	s.publish("nhandan", article("nhandan", "Tin tháng chín", "Xa xưa.", time.Date(2024, 9, 30, 9, 0, 0, 0, store.Zone), "kinh-te"))
	doc := s.page("/days/")
	if got := text(doc.Find("h2")); got != "Tháng 11/2024" {
		t.Errorf("month: got %q, want that of the newest story", got)
	}
	if got := texts(doc.Find(".month td a")); !slices.Equal(got, []string{"4 1 tin", "5 4 tin"}) {
		t.Errorf("days with news: got %q", got)
	}
	if got := texts(doc.Find(".month tbody tr").First().Find("td")); !slices.Equal(got, []string{"", "", "", "", "1", "2", "3"}) {
		t.Errorf("first week: got %q, want Friday the 1st", got)
	}
	prev := doc.Find("a[rel=prev]").AttrOr("href", "")
	if prev != "/days/?month=2024-09" {
		t.Fatalf("month before: got %q, want the nearest with news", prev)
	}
	doc = s.page(prev)
	if got := texts(doc.Find(".month td a")); !slices.Equal(got, []string{"30 1 tin"}) {
		t.Errorf("days of September: got %q", got)
	}
	if got := doc.Find("a[rel=next]").AttrOr("href", ""); got != "/days/?month=2024-11" {
		t.Errorf("month after: got %q", got)
	}
}
