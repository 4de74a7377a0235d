package aggregator

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

func readListing(t *testing.T, body string, p PageConfig) (reading, error) {
	t.Helper()
	return readPage(htmlDoc("https://x.vn/tin", body), SourceConfig{Kind: "page", Page: &p}, Limits{}.withDefaults())
}

func TestReadPageItems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		page       PageConfig
		want       []string // "title | link | date as written | image"
	}{
		{"all selectors", `<div class=tin><h3><a href="/a">Một</a></h3><i class=ngay>05.11.2024 | 14:15 PM</i><p class=sapo>Lời</p><img src=/a.jpg></div>`,
			PageConfig{Item: ".tin", Title: "h3", Link: "h3 a", Date: ".ngay", Summary: ".sapo", Image: "img"}, []string{"Một|/a|05.11.2024 | 14:15 PM|/a.jpg"}},
		{"a picture's link, then the headline's", `<div class=tin><a href="/a"><img alt="ảnh" data-src="/a.jpg" src="data:image/gif;base64,AA"></a><a href="/a">Một đầu đề</a></div>`,
			PageConfig{Item: ".tin", Image: "img"}, []string{"Một đầu đề|/a||/a.jpg"}},
		{"each of them an item", `<a class=tin href="/a"><img alt="ảnh" src=/a.jpg></a><a class=tin href="/a?utm_source=x">Một đầu đề</a><a class=tin href="/b">Hai</a>`,
			PageConfig{Item: "a.tin", Image: "img"}, []string{"Một đầu đề|/a||/a.jpg", "Hai|/b||"}},
		{"the same article twice", `<li><a href="/a">Một</a></li><li><a href="/b">Hai</a></li><li><a href="https://x.vn/a#top">Một (nổi bật)</a> <time datetime="2024-11-05T14:15:00+07:00">x</time></li>`,
			PageConfig{Item: "li"}, []string{"Một|/a|2024-11-05T14:15:00+07:00|", "Hai|/b||"}},
		{"a section's link before the headline's", `<div class=tin><a href="/kinh-te">Kinh tế</a><a href="/a">Một đầu đề đủ dài để là đầu đề</a></div>`,
			PageConfig{Item: ".tin"}, []string{"Một đầu đề đủ dài để là đầu đề|/a||"}},
		{"the headline's link is short", `<div class=tin><a href="/kinh-te">Kinh tế Việt Nam và thế giới</a><h3><a href="/a">Một</a></h3></div>`,
			PageConfig{Item: ".tin"}, []string{"Một|/a||"}},
		{"the link is the item and holds all", `<a class=tin href="/a"><h3>Một</h3><span>3 giờ trước</span></a>`,
			PageConfig{Item: "a.tin"}, []string{"Một|/a|3 giờ trước|"}},
		{"the link is around the item", `<a href="/a"><div class=tin><h3>Một</h3></div></a>`, PageConfig{Item: ".tin", Title: "h3"}, []string{"Một|/a||"}},
		{"only a picture", `<li><a href="/a" title="Một"><img src=/a.jpg></a></li>`, PageConfig{Item: "li"}, []string{"Một|/a||"}},
		{"a date without a selector", `<li><a href="/a">Họp báo ngày 3/11/2024</a> <span>(05/11/2024)</span></li>`, PageConfig{Item: "li"}, []string{"Họp báo ngày 3/11/2024|/a|(05/11/2024)|"}},
		{"a bare date behind the link", `<li><a href="/a">Một</a> - Thứ ba, 05/11/2024 14:15</li>`, PageConfig{Item: "li"}, []string{"Một|/a|- Thứ ba, 05/11/2024 14:15|"}},
		{"a date with a name", `<li><a href="/a">Một</a> <p>TTXVN 05/11/2024</p></li>`, PageConfig{Item: "li"}, []string{"Một|/a|TTXVN 05/11/2024|"}},
		{"a summary with a date", `<li><a href="/a">Một</a> <p>Ngày 5/11/2024, đoàn công tác kiểm tra tuyến đê.</p></li>`, PageConfig{Item: "li"}, []string{"Một|/a||"}},
		{"a number that is no date", `<li><a href="/a">Một</a> <span>125 lượt xem</span><span>4,5</span></li>`, PageConfig{Item: "li"}, []string{"Một|/a||"}},
		{"lazy pictures", `<li><a href="/a">Một</a><img srcset="/s.jpg 320w, /l.jpg 640w"></li><li><a href="/b">Hai</a><i class=anh style="background-image:url('/b.jpg')"></i></li>`,
			PageConfig{Item: "li", Image: "img, .anh"}, []string{"Một|/a||/s.jpg", "Hai|/b||/b.jpg"}},
		{"links that lead nowhere", `<li><a href="#">Một</a></li><li><a href="javascript:void(0)">Hai</a></li><li><a href="/tin">Trang này</a></li><li><a href="/a">Ba</a></li>`,
			PageConfig{Item: "li"}, []string{"Ba|/a||"}},
	} {
		rd, err := readListing(t, tt.body, tt.page)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, e := range rd.entries {
			got = append(got, strings.Join([]string{lineOf(e.Title), e.Link, e.Published, e.Image}, "|"))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestReadPageWithoutItems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, item, body string
		empty            bool
	}{
		{"the container is empty", "ul.news > li", `<nav><a href="/">x</a></nav><ul class=news></ul>`, true},
		{"the container holds a note", "ul.news > li", `<ul class=news><p>Đang tải</p></ul>`, true},
		{"the container holds other elements", "ul.news > li", `<ul class=news><div><a href="/a">Một</a></div></ul>`, false},
		{"the container is gone", "ul.news > li", `<div class=list><a href="/a">Một</a></div>`, false},
		{"the page says so", ".tin", `<div class=list>Chuyên mục hiện chưa có tin bài.</div>`, true},
		{"a headline sounds alike", ".tin", `<div><a href="/a">Đoàn thanh tra ` + strings.Repeat("làm việc tại huyện ", 10) + ` không có tin</a></div>`, false},
		{"nothing at all", ".tin", ``, false},
		{"several selectors", "li.a, li.b", `<p>x</p>`, false},
	} {
		rd, err := readListing(t, tt.body, PageConfig{Item: tt.item})
		var f *Fault
		switch {
		case tt.empty && (err != nil || len(rd.repairs) != 1 || rd.repairs[0].Kind != "empty_listing"):
			t.Errorf("%s: %v, %v; want an empty listing", tt.name, rd.repairs, err)
		case !tt.empty && (!errors.As(err, &f) || f.Outcome != store.NotAFeed):
			t.Errorf("%s: %v, %v; want a fault", tt.name, rd.repairs, err)
		}
	}
}

func TestReadPage(t *testing.T) {
	t.Parallel()
	const body = `<ul class=news>
<li><a href="/1"><img src=1.jpg alt="ảnh 1"></a><h3><a href="/1">Một &lt; hai</a></h3></li>
<li><a href="/2" title="Nhan đề đầy đủ &amp; dài">Nhan đề đầy đủ...</a></li>
<li><a href="/3" title="Bấm để xem">Ba chấm...</a></li>
<li><a href="/4"><img src=4.jpg alt="Chỉ có ảnh"></a></li>
<li><a href="#">Lên đầu trang</a></li>
<li><a href="">Rỗng</a></li>
<li>Không liên kết</li>
</ul>`
	doc := &Document{URL: "https://x.vn/tin", FinalURL: "https://x.vn/tin", Status: 200, Header: http.Header{}, Body: []byte(body)}
	rd, err := readPage(doc, SourceConfig{Page: &PageConfig{Item: "ul.news > li"}}, Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range rd.entries {
		got = append(got, e.Link+" "+lineOf(e.Title))
	}
	want := []string{"/1 Một < hai", "/2 Nhan đề đầy đủ & dài", "/3 Ba chấm...", "/4 Chỉ có ảnh"}
	if !slices.Equal(got, want) || len(rd.repairs) != 1 || rd.repairs[0].Count != 3 {
		t.Errorf("got %q, repairs %v, want %q and three without a link", got, rd.repairs, want)
	}
}

func TestReadPageRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       store.Outcome
	}{
		{"nothing matches", "<p>Xin chào</p>", store.NotAFeed},
		{"no element has a link", "<ul><li>Một<li><a href=/2></a></ul>", store.NotAFeed},
		{"a crowd of elements", strings.Repeat("<li><b><i><u>", 100_000), store.TooLarge},
	} {
		doc := &Document{URL: "https://x.vn/", FinalURL: "https://x.vn/", Status: 200, Header: http.Header{}, Body: []byte(tt.body)}
		_, err := readPage(doc, SourceConfig{Page: &PageConfig{Item: "li"}}, Limits{}.withDefaults())
		if got := outcomeOf(err); err == nil || got != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestNextPage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ body, want string }{
		{`<a class=next href="?trang=2">»</a>`, "https://x.vn/tin?trang=2"},
		{`<li class=next><a href="/tin/2">»</a></li>`, "https://x.vn/tin/2"},
		{`<link class=next rel=next href="/tin/2">`, "https://x.vn/tin/2"},
		{`<a class=next href="javascript:next()">»</a>`, ""},
		{`<a class=next href="#">»</a>`, ""},
		{``, ""},
	} {
		rd, err := readListing(t, `<p class=i><a href="/a">Một</a></p>`+tt.body, PageConfig{Item: ".i", Next: ".next"})
		if err != nil || rd.next != tt.want {
			t.Errorf("%s: next %q, %v; want %q", tt.body, rd.next, err, tt.want)
		}
	}
}

// The simulated portal's listing is read over three pages, each article once,
// with its date, and without asking for an article's page.
func TestPortalPages(t *testing.T) {
	t.Parallel()
	w, err := outlettest.New(outlettest.Options{Seed: 4, Stories: 400})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	o := w.Outlet("song-hong")
	a, _, _ := start(t, o.URL, SourceConfig{ID: "tin", URL: o.Feeds[0].URL, Kind: "page",
		Page:    &PageConfig{Item: "ul.news > li", Next: "a.next", Pages: 3}, // no date selector
		Article: ArticleConfig{Read: store.ReadNever}})
	r := runRound(t, a)["tin"]
	want := o.Articles()
	want = want[:min(len(want), 30)]
	if r.Outcome != store.New || len(r.Items) != len(want) || len(want) <= 20 {
		t.Fatalf("%s %s: %d items, want %d", r.Outcome, r.Detail, len(r.Items), len(want))
	}
	for i, it := range r.Items {
		if it.Title != want[i].Title || it.Published.Sub(want[i].Published).Abs() >= time.Minute {
			t.Errorf("item %d: %q at %v, want %q at %v", i, it.Title, it.Published, want[i].Title, want[i].Published)
		}
	}
	if n := len(o.Requests()); n != 4 {
		t.Errorf("%d requests, want three pages and robots.txt", n)
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add(`<ul class=news><li><a href="/a"><h3>Một</h3></a> 3 giờ trước<img src=x></li></ul><a class=next href="?2">`, "ul.news > li")
	f.Add(`<p>Chưa có tin</p>`, "a[x='>']")
	f.Fuzz(func(t *testing.T, body, item string) {
		cfg := PageConfig{Item: item, Next: "a.next", Image: "img"}
		bad := false
		cfg.check(func(string, string) { bad = true })
		if bad {
			return
		}
		rd, err := readPage(htmlDoc("https://x.vn/tin", body), SourceConfig{Page: &cfg}, Limits{}.withDefaults())
		seen := map[string]bool{}
		for _, e := range rd.entries {
			link, ok := cleanLink(e.Link, e.Base, nil)
			if err != nil || !ok || e.Title == "" || seen[LinkKey(link)] {
				t.Errorf("entry %+v, %v", e, err)
			}
			seen[LinkKey(link)] = true
		}
	})
}
