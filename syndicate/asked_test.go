package syndicate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// askedSite has stories in several topics of several outlets.
func askedSite(t testing.TB, change ...func(*Config)) *feedSite {
	site := newFeedSite(t, change...)
	site.publish("trunguong", "kinh-te", 1, 2)
	site.publish("laocai", "giao-duc", 3)
	site.publish("tieude", "xay-dung-dang", 4)
	site.clock.forward(2 * time.Second)
	return site
}

// titles are the headlines of a JSON feed.
func (s *feedSite) titles(path string) []string {
	s.t.Helper()
	resp, body := s.get(path)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, resp.StatusCode, body)
	}
	var doc struct {
		Items []struct{ Title string } `json:"items"`
		Feed  string                   `json:"feed_url"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		s.t.Fatal(err)
	}
	if doc.Feed != s.base+path {
		s.t.Errorf("GET %s: its own address is %s", path, doc.Feed)
	}
	titles := []string{}
	for _, it := range doc.Items {
		titles = append(titles, it.Title)
	}
	slices.Sort(titles)
	return titles
}

func TestAskedFeeds(t *testing.T) {
	t.Parallel()
	site := askedSite(t)
	one, two, three, four := "Tin số 1 của trunguong", "Tin số 2 của trunguong", "Tin số 3 của laocai", "Tin số 4 của tieude"
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"/mix/feed.json?topics=giao-duc,kinh-te", []string{one, two, three}},
		{"/mix/feed.json?topics=kinh-te&outlets=trunguong", []string{one, two}}, // each once
		{"/mix/feed.json?topics=kinh-te&provinces=lao-cai&outlets=laocai", []string{one, two, three, four}},
		{"/mix/feed.json?provinces=hung-yen", []string{}},
		{"/mix/feed.json?topics=giao-duc,kinh-te&n=1", []string{three}},
		{"/search/feed.json?q=tin+%22s%E1%BB%91+3%22", []string{three}},
		{"/search/feed.json?q=so+-trunguong", []string{three, four}},
		{"/search/feed.json?q=khongco", []string{}},
		{"/search/feed.json?q=tin&topics=giao-duc", []string{three}},
		{"/search/feed.json?q=tin&topics=giao-duc,kinh-te&outlets=trunguong", []string{one, two}},
		{"/search/feed.json?q=tin&provinces=hung-yen", []string{}},
		{"/search/feed.json?q=tin&from=2024-11-05&to=2024-11-05", []string{one, two, three, four}},
		{"/search/feed.json?q=tin&to=2024-11-04", []string{}},
		{"/topics/giao-duc/provinces/lao-cai/feed.json", []string{three}},
		{"/topics/giao-duc/provinces/hung-yen/feed.json", []string{}},
	} {
		if got := site.titles(tt.path); !slices.Equal(got, tt.want) {
			t.Errorf("GET %s: got %q, want %q", tt.path, got, tt.want)
		}
	}
}

// Every other spelling leads to the one address, once; what cannot be meant is
// refused with what may be.
func TestAskedAddresses(t *testing.T) {
	t.Parallel()
	site := askedSite(t, func(c *Config) {
		c.Renamed = []Renamed{{Kind: "topics", From: "kinh-doanh", To: "kinh-te"}}
	})
	for _, tt := range []struct {
		from string
		code int
		to   string // the address, or what the refusal says
	}{
		{"/mix/feed.rss?outlets=laocai&topics=kinh-te,giao-duc", 301, "/mix/feed.rss?topics=giao-duc,kinh-te&outlets=laocai"},
		{"/mix/feed.rss?topics=kinh-te&topics=giao-duc", 301, "/mix/feed.rss?topics=giao-duc,kinh-te"},
		{"/mix/feed.rss?topics=Kinh-Te,kinh%20t%E1%BA%BF,,&utm_source=x", 301, "/mix/feed.rss?topics=kinh-te"},
		{"/mix/feed.rss?topics=kinh-te%2Cgiao-duc", 301, "/mix/feed.rss?topics=giao-duc,kinh-te"},
		{"/mix/feed.rss?topics=kinh-doanh,kinh-te", 301, "/mix/feed.rss?topics=kinh-te"},
		{"/mix/feed.rss?topics=kinh-te&n=50", 301, "/mix/feed.rss?topics=kinh-te"},
		{"/mix/feed.rss?topics=kinh-te&n=100000", 301, "/mix/feed.rss?topics=kinh-te&n=200"},
		{"/mix/rss.xml?topics=kinh-te", 301, "/mix/feed.rss?topics=kinh-te"},
		{"/mix/feed.rss/?topics=kinh-te", 301, "/mix/feed.rss?topics=kinh-te"},
		{"/mix/?topics=kinh-te&topics=giao-duc", 301, "/mix/?topics=giao-duc,kinh-te"},
		{"/mix?topics=kinh-te", 301, "/mix/?topics=kinh-te"},
		{"/search/feed.atom?q=%20l%C5%A9%20%20%E1%BB%91ng&x=1", 301, "/search/feed.atom?q=l%C5%A9+%E1%BB%91ng"},
		{"/search?q=l%C5%A9%20%E1%BB%91ng", 301, "/search?q=l%C5%A9+%E1%BB%91ng"},
		{"/search/?q=a", 301, "/search?q=a"},
		{"/search?lang=en&topics=&q=a&from=05/11/2024&provinces=Lao-Cai&to=", 301, "/search?q=a&provinces=lao-cai&from=2024-11-05&lang=en"},
		{"/search?q=a&topics=khong-co-muc-nay", 404, "chuyên mục"},
		{"/search?q=a&from=hom-nay", 400, "không phải là một ngày"},
		{"/search?topics=kinh-te", 400, "ít nhất một từ"},
		{"/topics/Kinh-Te/provinces/Lao-Cai/feed.rss", 301, "/topics/kinh-te/provinces/lao-cai/feed.rss"},
		{"/topics/Kinh-Te/provinces/Lao-Cai", 301, "/topics/kinh-te/provinces/lao-cai/"},
		{"/topics/kinh-doanh/provinces/lao-cai/?x=1", 301, "/topics/kinh-te/provinces/lao-cai/?x=1"},
		{"/topics/kinh-doanh/feed.rss", 301, "/topics/kinh-te/feed.rss"},
		{"/topics/kinh-doanh/days/2024-11-05/feed.rss", 301, "/topics/kinh-te/days/2024-11-05/feed.rss"},
		{"/topics/kinh-doanh/", 301, "/topics/kinh-te/"},
		{"/topics/kinh-doanh", 301, "/topics/kinh-te/"},
		{"/mix/feed.rss", 400, "ít nhất một chuyên mục"},
		{"/mix/feed.rss?topics=kinh-te&n=x", 400, "từ 1 đến 200"},
		{"/mix/feed.rss?topics=kinh-tee", 404, "Có phải: Kinh tế"},
		{"/mix/feed.rss?outlets=" + strings.Repeat("laokai,", 3), 404, "Báo Lào Cai"},
		{"/search/feed.rss", 400, "ít nhất một từ"},
		{"/search/feed.rss?q=-a", 400, "ít nhất một từ"},
		{"/search/feed.rss?q=" + strings.Repeat("a", 201), 400, "tối đa 200"},
		{"/search?q=-a", 400, "ít nhất một từ"},
		{"/search?q=a&before=x", 404, ""},
		{"/mix/?topics=kinh-tee", 404, "Kinh tế"},
		{"/topics/kinh-te/provinces/lao-caii/", 404, "lao-caii"},
		{"/topics/kinh-te/provinces/lao-caii/feed.rss", 404, "Lào Cai"},
	} {
		resp, body := site.get(tt.from)
		if got := resp.Header.Get("Location"); resp.StatusCode != tt.code || tt.code == 301 && got != tt.to || tt.code != 301 && !strings.Contains(string(body), tt.to) {
			t.Errorf("GET %.90s: got %d %s, want %d %s\n%.400s", tt.from, resp.StatusCode, got, tt.code, tt.to, body)
		}
		if tt.code == 301 {
			if resp, body := site.get(resp.Header.Get("Location")); resp.StatusCode != http.StatusOK {
				t.Errorf("GET %s leads to %s, which answers %d: %.200s", tt.from, tt.to, resp.StatusCode, body)
			}
		}
	}
}

func TestTooManyInAMix(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t, func(c *Config) {
		for i := range maxMixed {
			c.Topics = append(c.Topics, store.TopicInfo{ID: store.Topic(fmt.Sprintf("t%d", i)), VI: fmt.Sprintf("Mục %d", i)})
		}
	})
	var ids []string
	for i := range maxMixed {
		ids = append(ids, fmt.Sprintf("t%d", i))
	}
	slices.Sort(ids)
	if resp, _ := site.get("/mix/feed.rss?topics=" + strings.Join(ids, ",")); resp.StatusCode != http.StatusOK {
		t.Errorf("%d ids: got %d", maxMixed, resp.StatusCode)
	}
	for _, more := range []string{",kinh-te", "&outlets=laocai"} {
		if resp, body := site.get("/mix/feed.rss?topics=" + strings.Join(ids, ",") + more); resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "tối đa 40") {
			t.Errorf("one more: got %d %s", resp.StatusCode, body)
		}
	}
}

// The limit is for each client, and not for what is at hand; nor for feeds that
// all share.
func TestVisitorsLimit(t *testing.T) {
	t.Parallel()
	site := askedSite(t, func(c *Config) { c.Visitors.PerMinute = 3 })
	codes := func(from, to int, path string) (codes []int) {
		for i := from; i < to; i++ {
			resp, _ := site.get(fmt.Sprintf(path, i))
			codes = append(codes, resp.StatusCode)
			if resp.StatusCode == 429 && resp.Header.Get("Retry-After") != "20" {
				t.Errorf("Retry-After is %q, want 20", resp.Header.Get("Retry-After"))
			}
		}
		return codes
	}
	if got, want := codes(0, 5, "/search/feed.rss?q=tin%d"), []int{200, 200, 200, 429, 429}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := codes(0, 3, "/search/feed.rss?q=tin%d"); slices.Contains(got, 429) {
		t.Errorf("what is fresh in the cache: got %v", got)
	}
	if got := codes(0, 1, "/mix/feed.rss?topics=kinh-te&n=1%d"); got[0] != 429 {
		t.Errorf("a mix: got %v", got)
	}
	resp, body := site.get("/search?q=a")
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "Xin chờ") {
		t.Errorf("the page: got %d", resp.StatusCode)
	}
	if got := codes(1, 9, "/feed.rss?n=%d"); slices.Contains(got, 429) {
		t.Errorf("a feed for all: got %v", got)
	}
	site.clock.forward(20 * time.Second)
	if got, want := codes(5, 7, "/search/feed.rss?q=tin%d"), []int{200, 429}; !slices.Equal(got, want) {
		t.Errorf("20 seconds later: got %v, want %v", got, want)
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	v := newVisitors(Visitors{Proxies: []string{"127.0.0.1", "10.0.0.0/8", "fd00::/8"}}, time.Now)
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:80", "", "203.0.113.9"},
		{"203.0.113.9:80", "198.51.100.1", "203.0.113.9"}, // no proxy of ours says so
		{"127.0.0.1:80", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:80", "1.1.1.1, 198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:80", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"},
		{"[::ffff:127.0.0.1]:80", "::ffff:198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:80", "", "127.0.0.1"},
		{"127.0.0.1:80", "x, y", "127.0.0.1"},
		{"127.0.0.1:80", "198.51.100.1, x", "127.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:80", "", "2001:db8:1:2::"},
		{"[fd00::1]:80", "2001:db8::7", "2001:db8::"},
		{"10.0.0.1:80", "10.0.0.2, 10.0.0.3", "10.0.0.2"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := v.client(r); got != netip.MustParseAddr(tt.want) {
			t.Errorf("%s for %q: got %s, want %s", tt.remote, tt.forwarded, got, tt.want)
		}
	}
}

// However many addresses ask, the memory is bounded.
func TestVisitorsAreForgotten(t *testing.T) {
	t.Parallel()
	clock := &testClock{t: at("15:00:00.000")}
	v := newVisitors(Visitors{}, clock.now)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := range maxVisitors + 100 {
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		v.take(r)
	}
	if n := len(v.seen); n > maxVisitors {
		t.Errorf("%d visitors are kept, want at most %d", n, maxVisitors)
	}
}

func TestSearchPage(t *testing.T) {
	t.Parallel()
	site := askedSite(t)
	resp, body := site.get("/search?q=S%E1%BB%90+trunguong")
	if resp.StatusCode != http.StatusOK || strings.Count(string(body), "<mark>số</mark>") != 2 || strings.Count(string(body), "<mark>trunguong</mark>") != 2 {
		t.Errorf("got %d\n%s", resp.StatusCode, body)
	}
	for _, want := range []string{`href="/search/feed.atom?q=S%E1%BB%90&#43;trunguong"`, `<meta name="robots" content="noindex">`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the page lacks %s\n%s", want, body)
		}
	}
	if _, body = site.get("/search?q=%3Cscript%3Ealert%281%29"); strings.Contains(string(body), "<script>") {
		t.Error("what was asked for stands in the page as it is")
	}
	var numbers []int
	for n := range 100 {
		numbers = append(numbers, 100+n)
	}
	site.publish("trunguong", "kinh-te", numbers...)
	seen := map[string]bool{}
	for next := "/search?q=so"; next != ""; {
		_, body := site.get(next)
		next = ""
		for _, part := range strings.Split(string(body), `<a href="/stories/`)[1:] {
			seen[part[:13]] = true
		}
		if _, rest, more := strings.Cut(string(body), `<a class="next" href="`); more {
			next, _, _ = strings.Cut(strings.ReplaceAll(rest, "&amp;", "&"), `"`)
		}
	}
	if len(seen) != 104 {
		t.Errorf("the pages show %d stories, want 104", len(seen))
	}
}

// A configured channel of words, languages and exclusions, in all it gives out.
func TestChannelOfWords(t *testing.T) {
	t.Parallel()
	site := askedSite(t, func(c *Config) {
		c.Channels = append(c.Channels,
			ChannelConfig{ID: "mot-ba", Title: Names{VI: "Một và ba"}, Words: ChannelWords{Any: []string{"Số 1", "số 3"}, All: []string{"tin"}}},
			ChannelConfig{ID: "khong-bon", Title: Names{VI: "Không bốn"}, Languages: []string{"vi"}, Exclude: ChannelLess{Words: []string{"số 4"}, Outlets: []string{"laocai"}}},
			ChannelConfig{ID: "anh", Title: Names{VI: "Tiếng Anh"}, Languages: []string{"en"}},
			ChannelConfig{ID: "tru", Title: Names{VI: "Trừ"}, Exclude: ChannelLess{Topics: []store.Topic{"kinh-te"}}, Was: []string{"cu"}})
		c.Renamed = []Renamed{{Kind: "channels", From: "cu", To: "tru"}}
	})
	one, two, three, four := "Tin số 1 của trunguong", "Tin số 2 của trunguong", "Tin số 3 của laocai", "Tin số 4 của tieude"
	for id, want := range map[string][]string{"mot-ba": {one, three}, "khong-bon": {one, two}, "anh": {}, "tru": {three, four}} {
		for _, path := range []string{"/channels/" + id + "/feed.json", "/channels/" + id + "/days/2024-11-05/feed.json"} {
			if got := site.titles(path); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
		_, body := site.get("/channels/" + id + "/")
		for _, title := range []string{one, two, three, four} {
			if got := strings.Contains(string(body), title); got != slices.Contains(want, title) {
				t.Errorf("/channels/%s/ shows %q: %v", id, title, got)
			}
		}
	}
	if resp, _ := site.get("/channels/cu/feed.rss"); resp.Header.Get("Location") != "/channels/tru/feed.rss" {
		t.Errorf("the former id leads to %q", resp.Header.Get("Location"))
	}
}

// What is stored under the former id of a topic or an outlet is shown under the
// present one.
func TestRenamedKeepsItsStories(t *testing.T) {
	t.Parallel()
	site := askedSite(t, func(c *Config) {
		c.Topics[1].ID = "kinh-te-moi"
		c.Channels = nil
		c.Renamed = []Renamed{{Kind: "topics", From: "kinh-te", To: "kinh-te-moi"}}
	})
	if got := site.titles("/topics/kinh-te-moi/feed.json"); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

// The words that the store folds are those that the rest of the program folds.
func TestFoldsAgree(t *testing.T) {
	t.Parallel()
	for r := rune(0); r < 0x1F00; r++ {
		if r == 0x250 {
			r = 0x1E00 // between them are letters that no name in the news has
		}
		if got, want := strings.Join(store.TermOf(string(r)), " "), vi.Fold(string(r)); got != "" && got != want {
			t.Errorf("%U: the store folds %q, vi.Fold %q", r, got, want)
		}
	}
	for _, s := range []string{"Điểm tin Đảng bộ ở Quảng Ngãi ưỡn ẹo", "NGHIÊNG Ỷ y Ỹ ằẳẵặ ẤẦẨẪẬ ợ ự"} {
		if got, want := strings.Join(store.TermOf(s), " "), vi.Fold(s); got != want {
			t.Errorf("%q: the store folds %q, vi.Fold %q", s, got, want)
		}
	}
}

// Whatever a query says, it is answered, and the address it leads to is the
// last.
func FuzzAskedAddress(f *testing.F) {
	for _, s := range []string{"topics=kinh-te,giao-duc&n=3", "q=l%C5%A9+-a", "q=%22a b", "topics=%ff&outlets=,,", "q=%00%C2%A0a", "n=9&q=a;b", "q=e%CC%81", "provinces=Th%C3%A1i B%C3%ACnh", "q=a&before=1.x"} {
		f.Add(s)
	}
	site := askedSite(f, func(c *Config) { c.Visitors.PerMinute = maxPerMinute })
	get := func(to string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		u, err := url.ParseRequestURI(to)
		if err != nil {
			return nil
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL, r.RequestURI = u, to
		site.server.ServeHTTP(w, r)
		return w
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/mix/", "/mix/feed.atom", "/search", "/search/feed.json"} {
			w := get(path + "?" + query)
			if w == nil {
				return
			}
			switch w.Code {
			case 200, 400, 404:
			case 301:
				if next := get(w.Header().Get("Location")); next == nil || next.Code != 200 && next.Code != 400 {
					t.Errorf("%s?%s leads to %s, which leads on", path, query, w.Header().Get("Location"))
				}
			default:
				t.Errorf("%s?%s: %d", path, query, w.Code)
			}
		}
	})
}

// What readers make up themselves is as valid as the rest, whatever they ask.
func TestAskedFeedsAreValid(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	site := askedSite(t, func(c *Config) {
		c.Channels = append(c.Channels, ChannelConfig{ID: "mot-ba", Title: Names{VI: "Một và ba"}, Words: ChannelWords{Any: []string{"số 1", "số 3"}}})
	})
	var args []string
	for i := range formats {
		if formats[i].name == "json" {
			continue
		}
		for _, path := range []string{"/mix/%s?topics=giao-duc,kinh-te&provinces=hung-yen,lao-cai&outlets=laocai&n=3", "/mix/%s?outlets=an",
			"/search/%s?q=tin+s%%E1%%BB%%91+-%%22a+b%%22", "/search/%s?q=%%3Cb%%3E+%%26amp%%3B+%%22%%5D%%5D%%3E%%22+%%F0%%9F%%98%%80+tin", "/search/%s?q=khongco", "/search/%s?q=a--b-",
			"/topics/kinh-te/provinces/lao-cai/%s", "/topics/giao-duc/provinces/hung-yen/%s", "/channels/mot-ba/%s"} {
			args = append(args, site.base+fmt.Sprintf(path, formats[i].file))
		}
	}
	validate(t, args...)
}
