package outlettest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/mmcdole/gofeed"
	"golang.org/x/text/encoding/charmap"
	xunicode "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

func decodeUTF16(t testing.TB, s string) string {
	t.Helper()
	out, err := xunicode.UTF16(xunicode.LittleEndian, xunicode.ExpectBOM).NewDecoder().String(s)
	if err != nil {
		t.Fatalf("decode UTF-16: %v", err)
	}
	return out
}

// readable undoes what gofeed v1.4.2 cannot read by itself: it refuses UTF-16
// (the declaration cannot be read before the text is decoded), and a bare < in
// a title ends the parse, so the broken item is taken out.
func readable(t testing.TB, o *Outlet, body string) string {
	if o.profile.charset == utf16Text {
		body = strings.Replace(decodeUTF16(t, body), `encoding="UTF-16"`, `encoding="UTF-8"`, 1)
	}
	if o.profile.junk {
		body = strings.Replace(body, BrokenItem, "", 1)
	}
	return body
}

func parse(t testing.TB, body string) *gofeed.Feed {
	t.Helper()
	feed, err := gofeed.NewParser().ParseString(body)
	if err != nil {
		t.Fatalf("gofeed: %v\n%.400s", err, body)
	}
	return feed
}

// TestFeedsHoldTheTruth reads every feed of every healthy outlet and compares
// it with what the outlet carries, item by item.
func TestFeedsHoldTheTruth(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 6, Stories: 400, Days: 4})
	links := map[string][]string{} // outlet → links of the truth
	for _, s := range w.Truth() {
		for _, p := range s.Prints {
			links[p.Outlet] = append(links[p.Outlet], p.Link)
		}
	}
	for _, o := range w.Outlets() {
		if o.ID == broken || o.profile.format == portal {
			continue
		}
		for _, f := range o.Feeds {
			_, body := get(t, f.URL)
			feed := parse(t, readable(t, o, body))
			want := o.visible(f.section.topics, o.profile.window)
			if len(feed.Items) != len(want) {
				t.Errorf("%s: %d items, want %d", f.ID, len(feed.Items), len(want))
				continue
			}
			if f.section.topics == nil && (len(want) < 20 || len(want) > 30) {
				t.Errorf("%s: a home feed of %d items, want 20 to 30", f.ID, len(want))
			}
			for i, it := range feed.Items {
				if got := strings.TrimSpace(norm.NFC.String(it.Title)); got != want[i].Title {
					t.Errorf("%s item %d: title %q, want %q", f.ID, i, got, want[i].Title)
				}
				if !slices.Contains(links[o.ID], want[i].Link) {
					t.Errorf("%s: %s is not in the truth", f.ID, want[i].Link)
				}
			}
		}
	}
}

func TestFeedOddities(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t, Options{Seed: 6, Stories: 200})
	feed := func(id string) string { _, body := get(t, w.Outlet(id).Feeds[0].URL); return body }
	if s := feed("hung-yen"); utf8.ValidString(s) {
		t.Error("hung-yen: windows-1258 expected, got UTF-8")
	} else if out, err := charmap.Windows1258.NewDecoder().String(s); err != nil || !strings.Contains(norm.NFC.String(out), "Báo Hưng Yên Mẫu") {
		t.Errorf("hung-yen: windows-1258 does not decode: %v", err)
	}
	if s := feed("lao-cai"); !strings.HasPrefix(s, "\xff\xfe") {
		t.Error("lao-cai: no UTF-16 byte order mark")
	}
	if s := feed("da-nang"); !norm.NFD.IsNormalString(s) || norm.NFC.IsNormalString(s) {
		t.Error("da-nang: not decomposed")
	}
	for _, part := range []string{"\ufeff\n<?xml", "&nbsp;", "&raquo;", "\x08", "rss&utm_", "<![CDATA[\n\n", BrokenItem} {
		if !strings.Contains(feed("nghe-an"), part) {
			t.Errorf("nghe-an: no %q", part)
		}
	}
	if _, err := gofeed.NewParser().ParseString(feed("nghe-an")); err == nil {
		t.Error("nghe-an: gofeed reads it as it is; the broken item is not broken")
	}
	if _, err := gofeed.NewParser().ParseString(feed("lao-cai")); err == nil {
		t.Error("lao-cai: gofeed reads UTF-16 by itself now; simplify readable")
	}
	early := feed("nong-vu")
	c.add(time.Second)
	if late := feed("nong-vu"); early == late || parse(t, early).Items[0].GUID != parse(t, late).Items[0].GUID {
		t.Error("nong-vu: want the same items in other bytes")
	}
	if s := feed("ho-chi-minh"); !strings.Contains(s, "<content:encoded>") || !strings.Contains(s, "<enclosure ") {
		t.Error("ho-chi-minh: no full text or no enclosure")
	}
}

// TestSectionsRepeatTheHome: the same article, the same page, other guids.
func TestSectionsRepeatTheHome(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 6, Stories: 200})
	for _, id := range []string{"trung-uong", "ttx", "kinh-te"} {
		o := w.Outlet(id)
		guids := map[string]string{} // title → guid in the home feed
		for _, it := range parse(t, fetched(t, o.Feeds[0])).Items {
			guids[it.Title] = it.GUID
		}
		both := 0
		for _, it := range parse(t, fetched(t, o.Feeds[1])).Items {
			if g, ok := guids[it.Title]; ok {
				both++
				if g == it.GUID {
					t.Errorf("%s: %q has guid %s in both feeds", id, it.Title, g)
				}
			}
		}
		if both == 0 {
			t.Errorf("%s: no article in both feeds", id)
		}
	}
}

func fetched(t testing.TB, f Feed) string {
	_, body := get(t, f.URL)
	return body
}

// TestEveryLinkAnswers follows every link and picture of every feed, listing
// and home page, as a person would click.
func TestEveryLinkAnswers(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 8, Stories: 120})
	n := 0
	visit := func(o *Outlet, link string) {
		resp, body := get(t, link)
		n++
		if resp.StatusCode != http.StatusOK || body == "" {
			t.Errorf("%s: %s is %d", o.ID, link, resp.StatusCode)
		}
	}
	for _, o := range w.Outlets() {
		visit(o, o.URL+"/robots.txt")
		_, page := get(t, o.URL+"/")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range doc.Find("a, link[rel=alternate]").EachIter() {
			if o.ID != broken || !strings.Contains(a.AttrOr("href", ""), "/rss/") {
				visit(o, a.AttrOr("href", ""))
			}
		}
		if o.ID == broken || o.profile.format == portal {
			continue
		}
		for _, f := range o.Feeds {
			for _, it := range parse(t, readable(t, o, fetched(t, f))).Items {
				visit(o, strings.TrimSpace(it.Link))
				for _, enc := range it.Enclosures {
					visit(o, enc.URL)
				}
			}
		}
	}
	t.Logf("%d links", n)
}

func TestArticlePage(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 8, Stories: 5})
	s, err := w.PublishFrom("trung-uong", "can-tho", "da-nang", "hung-yen")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Prints {
		resp, page := get(t, p.Link)
		if strings.Contains(resp.Header.Get("Content-Type"), "windows-1258") {
			if page, err = charmap.Windows1258.NewDecoder().String(page); err != nil {
				t.Fatal(err)
			}
		}
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(norm.NFC.String(page)))
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Find("h1").Text(); got != p.Title {
			t.Errorf("%s: headline %q, want %q", p.Outlet, got, p.Title)
		}
		if got := doc.Find("time").AttrOr("datetime", ""); got != dateRFC3339(p.Published) {
			t.Errorf("%s: time %q", p.Outlet, got)
		}
		want := p.Link
		if p.Outlet == "can-tho" { // the one that says whose it is
			want = s.Prints[0].Link
		}
		if got := doc.Find("link[rel=canonical]").AttrOr("href", ""); got != want {
			t.Errorf("%s: canonical %s, want %s", p.Outlet, got, want)
		}
		if ld := doc.Find(`script[type="application/ld+json"]`).Text(); !strings.Contains(ld, `"NewsArticle"`) {
			t.Errorf("%s: JSON-LD %q", p.Outlet, ld)
		}
		if last := doc.Find(".content p").Last().Text(); p.Original == strings.Contains(last, "Mẫu") {
			t.Errorf("%s: original %t, but the last line is %q", p.Outlet, p.Original, last)
		}
	}
}

func TestPortal(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 8, Stories: 300})
	o := w.Outlet("song-hong")
	var listed []string
	pages := 0
	for url := o.Feeds[0].URL; url != "" && pages < 50; pages++ {
		_, page := get(t, url)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for _, li := range doc.Find("ul.news > li").EachIter() {
			listed = append(listed, li.Find("a").AttrOr("href", ""))
			if d := li.Find(".date").Text(); len(d) != len("05.11.2024 | 14:15 PM") {
				t.Errorf("date %q", d)
			}
		}
		url = ""
		if next, ok := doc.Find("a.next").Attr("href"); ok {
			url = o.URL + next
		}
	}
	var want []string
	for _, a := range o.Articles() {
		want = append(want, a.Link)
	}
	if pages < 3 || !slices.Equal(listed, want) {
		t.Errorf("%d pages list %d articles, want %d", pages, len(listed), len(want))
	}
	s, err := w.PublishFrom("trung-uong", "song-hong")
	if err != nil {
		t.Fatal(err)
	}
	_, page := get(t, s.Prints[1].Link)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.Find("#chi-tiet p").Last().Text(); got != "Theo: trunguong.mau" {
		t.Errorf("last line %q", got)
	}
	if text := doc.Find("#chi-tiet").Text(); strings.Contains(text, s.Prints[1].Published.Format("2006")+" |") {
		t.Error("the article shows its own date")
	}
	for _, part := range []string{"Tin cùng chuyên mục", "Xem tin theo ngày"} {
		if !strings.Contains(page, part) {
			t.Errorf("no %q", part)
		}
	}
}

// TestValidators holds each outlet to what it promises.
func TestValidators(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t, Options{Seed: 8, Stories: 60})
	for _, tc := range []struct {
		outlet                   string
		etag, modified, honoured bool
	}{
		{"trung-uong", true, true, true},
		{"ttx", true, false, true},
		{"nhip-song", true, false, true},
		{"kinh-te", false, true, true},
		{"nong-vu", true, true, false},
		{"can-tho", false, false, false},
		{"da-nang", false, true, true},
	} {
		o := w.Outlet(tc.outlet)
		url := o.Feeds[0].URL
		first, _ := get(t, url)
		etag, modified := first.Header.Get("ETag"), first.Header.Get("Last-Modified")
		if (etag != "") != tc.etag || (modified != "") != tc.modified {
			t.Errorf("%s: ETag %q, Last-Modified %q", tc.outlet, etag, modified)
		}
		header := []string{"If-Modified-Since: " + modified}
		if etag != "" {
			header = append(header, "If-None-Match: "+etag)
		}
		again, body := get(t, url, header...)
		if want := map[bool]int{true: 304, false: 200}[tc.honoured]; again.StatusCode != want || (body == "") != tc.honoured {
			t.Errorf("%s: asked again: %d with %d bytes, want %d", tc.outlet, again.StatusCode, len(body), want)
		}
		c.add(2 * time.Second)
		o.Add(Article{Title: "Tin mới", Lead: "Mới."})
		c.add(2 * time.Second)
		if fresh, _ := get(t, url, header...); fresh.StatusCode != 200 {
			t.Errorf("%s: news answered with %d", tc.outlet, fresh.StatusCode)
		}
	}
}

// TestLastModifiedPromisesNothingTooEarly: two changes within a second have
// the same date, so the first may not be confirmed by it.
func TestLastModifiedPromisesNothingTooEarly(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t, Options{Seed: 8, Stories: 10})
	o := w.Outlet("kinh-te")
	o.Add(Article{Title: "Một", Lead: "Một."})
	resp, _ := get(t, o.Feeds[0].URL)
	if m := resp.Header.Get("Last-Modified"); m != "" {
		t.Errorf("Last-Modified %s within the second of the change", m)
	}
	c.add(time.Second)
	if resp, _ := get(t, o.Feeds[0].URL); resp.Header.Get("Last-Modified") == "" {
		t.Error("no Last-Modified after the second is over")
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 8, Stories: 30})
	url := w.Outlet("trung-uong").Feeds[0].URL
	plain, body := get(t, url)
	zipped, small := get(t, url, "Accept-Encoding: gzip")
	if zipped.Header.Get("Content-Encoding") != "gzip" || gunzip(t, small) != body {
		t.Error("the compressed feed is not the plain one")
	}
	if plain.Header.Get("ETag") == zipped.Header.Get("ETag") {
		t.Error("both encodings have the same strong ETag")
	}
}

func TestScriptedOutlet(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 8, Stories: 30})
	o := w.Outlet("trung-uong")
	o.Set(Status(429), Response{}, RedirectTo("/elsewhere"))
	page := o.Articles()[0].Link
	var got []int
	for range 4 {
		resp, _ := get(t, o.Feeds[0].URL, "User-Agent: diemtin/test")
		got = append(got, resp.StatusCode)
	}
	if want := []int{429, 200, 302, 302}; !slices.Equal(got, want) {
		t.Errorf("feed answers %v, want %v", got, want)
	}
	if resp, _ := get(t, page); resp.StatusCode != 200 {
		t.Errorf("page is %d while only the feeds are scripted", resp.StatusCode)
	}
	o.Set()
	o.SetPages(Status(404))
	feed, _ := get(t, o.Feeds[0].URL)
	if resp, _ := get(t, page); resp.StatusCode != 404 || feed.StatusCode != 200 {
		t.Errorf("page %d, feed %d, want 404 and 200", resp.StatusCode, feed.StatusCode)
	}
	log := o.Requests()
	if len(log) != 7 || log[0].Status != 429 || log[0].Path != "/rss/home.rss" || log[0].Header.Get("User-Agent") != "diemtin/test" {
		t.Errorf("%d requests, first %+v", len(log), log[0])
	}
	var codes []int
	for range 8 {
		resp, _ := get(t, w.Outlet(broken).Feeds[0].URL)
		codes = append(codes, resp.StatusCode)
	}
	if want := []int{503, 503, 503, 500, 503, 500, 500, 500}; !slices.Equal(codes, want) {
		t.Errorf("the failing outlet answers %v, want %v", codes, want)
	}
}
