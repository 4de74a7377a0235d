package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/mmcdole/gofeed"

	"diemtin/aggregator/outlettest"
)

// bridge is one wire story: an original and the copies that three outlets made
// of it, under other headlines, one of them trimmed.
func bridge(w *outlettest.World, at time.Time) (original outlettest.Article) {
	lead := "Sáng 5/11, tại xã Bản Liền, lãnh đạo tỉnh cùng hơn hai trăm hộ dân người Tày dự lễ khánh thành cây cầu treo dài 118 mét " +
		"bắc qua suối Nậm Lúc, công trình do các cựu chiến binh quân khu và học sinh trường nội trú góp công xây trong bảy tháng mưa lũ."
	body := []string{
		"Ông Vàng Seo Chứ, trưởng bản, cho biết từ nay con em trong bản không còn phải đi bè tre sang lớp vào mùa nước lớn.",
		"Kinh phí 2,7 tỷ đồng được quyên góp từ 41 doanh nghiệp; phần lan can do thợ rèn của bản tự làm từ thép đường ray cũ.",
	}
	add := func(outlet, title, credit string, paragraphs []string, after time.Duration) outlettest.Article {
		return w.Outlet(outlet).Add(outlettest.Article{Title: title, Lead: lead, Body: paragraphs, Credit: credit, Topic: "xa-hoi", Published: at.Add(after)})
	}
	original = add("trung-uong", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", "", body, 0)
	add("nhip-song", "Hơn hai trăm hộ dân vui ngày khánh thành cầu treo", "Nguồn: Báo Trung ương Mẫu", body, 3*time.Minute)
	add("lao-cai", "Lào Cai: Bản Liền có cầu treo mới", "(Báo Trung ương Mẫu)", body[:1], 9*time.Minute)
	add("can-tho", "Cựu chiến binh góp công xây cầu treo ở vùng cao", "Theo: trunguong.mau", body, 25*time.Minute)
	return original
}

func TestEndToEnd(t *testing.T) {
	t.Parallel()
	w, config := world(t, outlettest.Options{Seed: 7, Stories: 120, Days: 2, Slow: 100 * time.Millisecond})
	at := time.Now().Add(-time.Hour)
	original := bridge(w, at)
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "e2e.db")
	p := serve(t, config, dsn)
	p.swept(t)
	eventually(t, "the story to be listed, once its pages are read", func() bool {
		_, text := get(t, p.public+"/feed.atom")
		return strings.Contains(text, original.Title)
	})

	id := onceInEveryFeed(t, p, original)
	onThePages(t, p, id, original, at)
	conditional(t, p)
	checkExplain(t, dsn, id, original)
	t.Run("newsboat", func(t *testing.T) { newsboat(t, p.public+"/feed.atom") })
	t.Run("sfeed", func(t *testing.T) { sfeed(t, p.public+"/feed.rss") })
	t.Run("promtool", func(t *testing.T) { promtool(t, p) })
	t.Run("chromium", func(t *testing.T) { browse(t, p.public, id) })

	_, before := get(t, p.public+"/feed.atom")
	p.stop(t)
	if strings.Contains(p.log.String(), "ERROR") {
		t.Errorf("the log has errors:\n%s", p.log)
	}
	p = serve(t, config, dsn)
	p.swept(t)
	if _, after := get(t, p.public+"/feed.atom"); after != before {
		t.Error("a restart changed the feed")
	}
	p.stop(t)
}

// onceInEveryFeed checks that the story stands once, under its original, in
// all three formats, and returns its id.
func onceInEveryFeed(t *testing.T, p *program, original outlettest.Article) (id string) {
	t.Helper()
	ids := map[string]bool{}
	for _, name := range []string{"feed.rss", "feed.atom", "feed.json"} {
		resp, text := get(t, p.public+"/"+name)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", name, resp.Status)
		}
		feed, err := gofeed.NewParser().ParseString(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := 0
		guids := map[string]bool{}
		for _, it := range feed.Items {
			if guids[it.GUID] {
				t.Errorf("%s: %s stands twice", name, it.GUID)
			}
			guids[it.GUID] = true
			if !strings.Contains(it.Title, "ầu treo") {
				continue
			}
			found++
			ids[it.GUID] = true
			if it.Title != original.Title || it.Link != original.Link {
				t.Errorf("%s: quoted %q %s, want the original %q %s", name, it.Title, it.Link, original.Title, original.Link)
			}
			if body := it.Description + it.Content; !strings.Contains(body, "Nguồn: ") || !strings.Contains(body, "Báo Trung ương Mẫu") {
				t.Errorf("%s: the entry does not say whose it is: %s", name, body)
			}
		}
		if found != 1 {
			t.Errorf("%s: the story stands %d times, want once", name, found)
		}
	}
	if len(ids) != 1 {
		t.Fatalf("the formats have the ids %v, want one", ids)
	}
	for guid := range ids {
		id = guid[strings.LastIndexByte(guid, ':')+1:]
	}
	return id
}

func page(t *testing.T, url string) *goquery.Document {
	t.Helper()
	resp, text := get(t, url)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, resp.Status)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func onThePages(t *testing.T, p *program, id string, original outlettest.Article, at time.Time) {
	t.Helper()
	day := at.In(time.FixedZone("", 7*3600))
	doc := page(t, p.public+"/days/"+day.Format(time.DateOnly)+"/")
	if got, want := strings.TrimSpace(doc.Find("h1").Text()), "Tin ngày "+day.Format("02/01/2006"); got != want {
		t.Errorf("the day is headed %q, want %q", got, want)
	}
	titles := doc.Find("main").Find("h2, h3").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.Contains(s.Text(), "ầu treo")
	})
	if titles.Length() != 1 || !strings.Contains(titles.Text(), original.Title) {
		t.Errorf("the day page has %d headlines of the story: %q", titles.Length(), titles.Text())
	}
	story := page(t, p.public+"/stories/"+id)
	text := story.Find("main").Text()
	for _, want := range []string{original.Title, "Nguồn: Báo Trung ương Mẫu", "Tin cùng chuyên mục",
		"Bản Liền có cầu treo mới", "Hơn hai trăm hộ dân vui", "Cựu chiến binh góp công"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the story page lacks %q", want)
		}
	}
}

func conditional(t *testing.T, p *program) {
	t.Helper()
	for _, path := range []string{"/feed.rss", "/feed.atom", "/feed.json", "/topics/xa-hoi/feed.rss", "/outlets/trung-uong/feed.atom",
		"/scopes/provincial/feed.json", "/provinces/lao-cai/feed.rss", "/channels/xay-dung-dang-tong-hop/feed.atom"} {
		resp, _ := get(t, p.public+path)
		etag := resp.Header.Get("ETag")
		if resp.StatusCode != 200 || etag == "" || resp.Header.Get("Last-Modified") == "" {
			t.Errorf("%s: %s, ETag %q, Last-Modified %q", path, resp.Status, etag, resp.Header.Get("Last-Modified"))
		}
		if again, body := get(t, p.public+path, "If-None-Match: "+etag); again.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("%s with its ETag: %s and %d bytes, want 304", path, again.Status, len(body))
		}
	}
	if resp, _ := get(t, p.public+"/feed.rss", "Accept-Encoding: gzip"); resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the feed is not compressed on request")
	}
}

func checkExplain(t *testing.T, dsn, id string, original outlettest.Article) {
	t.Helper()
	for _, ref := range []string{id, original.Link, "trung-uong-home"} {
		stdout, stderr, code := output(t, "explain", "--db", dsn, ref)
		if code != 0 || stderr != "" {
			t.Errorf("explain %s: exit %d, %s", ref, code, stderr)
		}
		want := []string{original.Title, "4 copies", "bản gốc       " + original.Link, "text 1.00: "}
		if ref == "trung-uong-home" {
			want = []string{"last success", "next visit", "every "}
		}
		for _, w := range want {
			if !strings.Contains(stdout, w) {
				t.Errorf("explain %s lacks %q:\n%s", ref, w, stdout)
			}
		}
	}
}

// need finds a Debian program; on CI a missing one is a failure.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing; the test command installs it", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// newsboat must find every entry at the first reading and nothing new after.
func newsboat(t *testing.T, url string) {
	path := need(t, "newsboat")
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	urls, conf := write("urls", url+"\n"), write("config", "download-retries 1\nreload-time 1000000\n")
	_, text := get(t, url)
	want := strings.Count(text, "<entry>")
	for reading := 1; reading <= 3; reading++ {
		cmd := exec.CommandContext(t.Context(), path, "-C", conf, "-u", urls, "-c", filepath.Join(dir, "cache.db"), "-x", "reload")
		cmd.Env = append(os.Environ(), "HOME="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("newsboat: %v\n%s", err, out)
		}
		if got := sqliteCount(t, filepath.Join(dir, "cache.db"), `SELECT count(*) FROM rss_item WHERE title <> '' AND url LIKE 'http%' AND pubDate > 0`); got != want {
			t.Errorf("reading %d: newsboat has %d items, want %d", reading, got, want)
		}
	}
}

func sfeed(t *testing.T, url string) {
	path := need(t, "sfeed_update")
	dir := t.TempDir()
	rc := filepath.Join(dir, "sfeedrc")
	if err := os.WriteFile(rc, fmt.Appendf(nil, "sfeedpath=%q\nfeeds() { feed one %q; }\n", dir, url), 0o644); err != nil {
		t.Fatal(err)
	}
	_, text := get(t, url)
	want := strings.Count(text, "<item>")
	for reading := 1; reading <= 2; reading++ {
		if out, err := exec.CommandContext(t.Context(), path, rc).CombinedOutput(); err != nil {
			t.Fatalf("sfeed_update: %v\n%s", err, out)
		}
		lines, err := os.ReadFile(filepath.Join(dir, "one"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(lines), "\n"); got != want {
			t.Errorf("reading %d: sfeed has %d items, want %d", reading, got, want)
		}
	}
}

func promtool(t *testing.T, p *program) {
	path := need(t, "promtool")
	_, text := get(t, p.admin+"/metrics")
	cmd := exec.CommandContext(t.Context(), path, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
