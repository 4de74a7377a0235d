package syndicate

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

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
		{"/topics/kinhte/feed.rss", `Không có chuyên mục "kinhte". Có phải: Kinh tế (http`},
		{"/topics/xay-dung/feed.atom", "/topics/xay-dung-dang/)?"},
		{"/topics/zzzzzz/feed.json", `"zzzzzz". Danh sách đầy đủ: `},
		{"/provinces/laocay/feed.rss", "Có phải: Lào Cai ("},
		{"/outlets/laocaii/feed.rss", "Có phải: Báo Lào Cai ("},
		{"/scopes/nation/feed.rss", "/scopes/national/)?"},
		{"/channels/x/feed.rss", "Không có kênh tổng hợp"},
		{"/topics/" + strings.Repeat("a", 5000) + "/feed.rss", "Không có chuyên mục"},
		{"/topics/%00%FF%3Cb%3E/feed.rss", "Không có chuyên mục"},
		{"/days/2024-02-30/feed.rss", "“2024-02-30” không phải là một ngày."},
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
