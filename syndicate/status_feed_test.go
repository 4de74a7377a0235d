package syndicate

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"diemtin/store"
)

// fail records a visit to an outlet's source that ended so.
func (s *feedSite) fail(outlet string, o store.Outcome, detail string) {
	s.t.Helper()
	src, err := s.db.Source(context.Background(), outlet+"-home")
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.db.Record(context.Background(), store.Refresh{Source: src, At: s.clock.now(), Settle: func(store.Changes) store.SourceState {
		st := src.State
		st.LastTry, st.Outcome, st.Detail, st.Fails = s.clock.now(), o, detail, st.Fails+1
		if o.OK() {
			st.Fails = 0
		}
		return st
	}}, firstJudge{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.clock.forward(10 * time.Minute)
}

// TestStatusFeed: one entry for each problem, the same however often and whenever
// it is made, changed once by its end.
func TestStatusFeed(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.server.pages.now = site.clock.now
	read := func() (*gofeed.Feed, map[string][]byte) {
		t.Helper()
		site.clock.forward(2 * time.Second) // what is at hand grows old
		all := map[string][]byte{}
		for _, f := range formats {
			resp, body := site.get("/status/" + f.file)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != f.contentType() || !strings.HasPrefix(resp.Header.Get("ETag"), `"`) {
				t.Fatalf("%s: %s, %v", f.file, resp.Status, resp.Header)
			}
			all[f.file] = body
		}
		feed, err := gofeed.NewParser().Parse(bytes.NewReader(all["feed.atom"]))
		if err != nil {
			t.Fatal(err)
		}
		return feed, all
	}
	if feed, _ := read(); len(feed.Items) != 0 || feed.Title != "Sự cố nguồn tin – Điểm tin" {
		t.Errorf("without problems: %d entries, title %q", len(feed.Items), feed.Title)
	}
	site.fail("laocai", store.New, "")
	site.fail("laocai", store.Timeout, "fetch https://u:geheim@laocai.example.vn/rss?k=1&token=geheim: read tcp 10.9.8.7:4431->203.0.113.9:443: i/o timeout")
	site.fail("laocai", store.Timeout, "fetch https://u:geheim@laocai.example.vn/rss?k=1&token=geheim: read tcp 10.9.8.7:4431->203.0.113.9:443: i/o timeout")
	site.fail("trunguong", store.Internal, "/var/lib/secret")
	site.fail("trunguong", store.Internal, "/var/lib/secret")
	feed, before := read()
	site.fail("laocai", store.HTTP5xx, "the server answered 502 Bad Gateway")
	if _, again := read(); !bytes.Equal(again["feed.atom"], before["feed.atom"]) || !bytes.Equal(again["feed.rss"], before["feed.rss"]) || !bytes.Equal(again["feed.json"], before["feed.json"]) {
		t.Errorf("a third failed visit changed the feed:\n%s", again["feed.atom"])
	}
	if len(feed.Items) != 2 {
		t.Fatalf("got %d entries: %s", len(feed.Items), before["feed.atom"])
	}
	it := feed.Items[1]
	if want := "Báo Lào Cai: máy chủ trả lời quá lâu (laocai-home)"; it.Title != want || !strings.HasPrefix(it.GUID, "urn:diemtin:problem:laocai-home:") ||
		it.Link != site.base+"/status#nguon-laocai-home" {
		t.Errorf("entry %q %q %q", it.Title, it.GUID, it.Link)
	}
	for _, want := range []string{"Từ lúc 15:10 05/11/2024", "https://laocai.example.vn/rss?k=***&amp;token=***", "…-&gt;…: i/o timeout", "Gợi ý"} {
		if !strings.Contains(it.Content, want) {
			t.Errorf("the entry lacks %q: %s", want, it.Content)
		}
	}
	for name, body := range before {
		for _, no := range []string{"geheim", "10.9.8.7", "/var/lib", "4431"} {
			if bytes.Contains(body, []byte(no)) {
				t.Errorf("%s tells %q", name, no)
			}
		}
	}
	site.fail("laocai", store.New, "")
	ended, _ := read()
	if got := ended.Items[1]; got.GUID != it.GUID || got.Title != it.Title || got.Published != it.Published || got.Updated == it.Updated ||
		!strings.Contains(got.Content, "Đã đọc lại được lúc") {
		t.Errorf("after the end: %+v", got)
	}
	site.fail("laocai", store.Unchanged, "")
	if again, _ := read(); again.Items[1].Updated != ended.Items[1].Updated {
		t.Error("it changed again after its end")
	}
	if resp, _ := site.get("/status/rss.xml"); resp.StatusCode != http.StatusMovedPermanently || resp.Header.Get("Location") != "/status/feed.rss" {
		t.Errorf("another name: %s to %q", resp.Status, resp.Header.Get("Location"))
	}
	site.db.Close()
	site.clock.forward(2 * time.Second)
	if resp, _ := site.get("/status/feed.atom"); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("without a store: %s", resp.Status)
	}
}

// problemFeed has problems of every outcome, one of them ended.
func problemFeed() Feed {
	cfg := sampleConfig()
	s := &Server{cfg: cfg}
	f := Feed{Config: &cfg, Channel: s.statusChannel()}
	for i, o := range store.Outcomes {
		if o.OK() {
			continue
		}
		p := store.Problem{Source: "laocai-home", Outlet: "laocai", Kind: "feed", URL: "https://laocai.example.vn/rss?a=1&b=<2>", Outcome: o,
			Began: at("08:00:00.000").Add(time.Duration(i) * time.Minute), Noted: at("08:10:00.000").Add(time.Duration(i) * time.Minute), Detail: "the server answered <b>502</b> & \"more\""}
		if i%2 == 0 {
			p.Ended = p.Noted.Add(3 * time.Hour)
		}
		f.Notes = append(f.Notes, cfg.problemEntry(&p))
	}
	return f
}

func TestStatusFeedGolden(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		got, err := f.render(problemFeed())
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "problems."+f.name, got)
	}
}

func TestStatusFeedValidator(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	empty := problemFeed()
	empty.Notes = nil
	for _, f := range formats {
		if f.name == "json" { // the validator knows only XML
			continue
		}
		args := []string{"--as", "https://tin.example.vn/status/" + f.file, "--content-type", f.contentType()}
		for name, feed := range map[string]Feed{"problems": problemFeed(), "empty": empty} {
			doc, err := f.render(feed)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, doc, 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, file)
		}
		validate(t, args...)
	}
}

func TestPublicDetail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, detail, want string }{
		{"nothing", "", ""},
		{"plain", "the server answered 404 Not Found", "the server answered 404 Not Found"},
		{"an address", "fetch https://a.vn/rss?cat=5: EOF", "fetch https://a.vn/rss?cat=5: EOF"},
		{"user and key", "fetch https://u:p@a.vn/rss?cat=5&api_key=x#y: EOF", "fetch https://a.vn/rss?cat=5&api_key=***: EOF"},
		{"a name server", "lookup a.vn on 127.0.0.53:53: no such host", "lookup a.vn on …: no such host"},
		{"both ends", "read tcp [fd00::1]:4431->[2001:db8::5]:443: read: connection reset by peer", "read tcp …->…: read: connection reset by peer"},
		{"a proxy", "proxyconnect tcp: dial tcp: lookup inner.lan: no such host", ""},
		{"a proxy's scheme", "socks connect tcp inner.lan:1080->a.vn:443: refused", ""},
		{"this machine", "dial tcp localhost:8080: refused", "dial tcp …: refused"},
		{"a stack", "boom\ngoroutine 1 [running]", "boom"},
		{"no address", "fetch http://%zz/?token=a: x", "fetch …: x"},
		{"a key in disguise", "fetch https://a.vn/rss?%74oken=x&u=https://b:c@d/: EOF", "fetch https://a.vn/rss?%74oken=***&u=***: EOF"},
		{"markup", "<script>\u202e", "‹script›"},
	} {
		if got := publicDetail(tt.detail); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzPublicDetail: whatever stands around it, no password of an address and no
// key by that name is shown.
func FuzzPublicDetail(f *testing.F) {
	f.Add("a.vn", "rss", "cat=5")
	f.Add("[::1]", "%zz", "a=%&b;c")
	f.Add("a.vn:80", "x?y", "u=http://v:w@z")
	f.Fuzz(func(t *testing.T, host, path, query string) {
		if strings.Contains(host+path+query, "geheim") || strings.ContainsAny(host, "/?#@ <>\"'\\\n\t\r\f\v\u0085\u00a0") || len(host)+len(path)+len(query) > 300 {
			t.Skip()
		}
		for _, detail := range []string{
			"fetch https://u:geheim@" + host + "/" + path + ": EOF",
			"fetch https://" + host + "/rss?token=geheim&" + query + ": EOF",
		} {
			if got := publicDetail(detail); strings.Contains(got, "geheim") {
				t.Errorf("%q is shown as %q", detail, got)
			}
		}
	})
}
