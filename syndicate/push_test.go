package syndicate

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Every form of every channel that stands names the hub, in the document and
// in its header; days and numbers of entries do not: the hub does not push them.
func TestFeedsNameTheirHub(t *testing.T) {
	t.Parallel()
	var hub string
	site := newFeedSite(t, func(c *Config) { hub = c.Site.BaseURL + "/hub"; c.Hub = hub })
	site.publish("laocai", "kinh-te", 1)
	inside := map[string]string{"atom": `<link href="` + hub + `" rel="hub">`, "rss": `<atom:link href="` + hub + `" rel="hub">`,
		"json": `"hubs":[{"type":"WebSub","url":"` + hub + `"}]`}
	for _, tc := range []struct {
		path, query string
		want        bool
	}{
		{"/", "", true}, {"/topics/kinh-te/", "", true}, {"/provinces/lao-cai/", "", true}, {"/outlets/laocai/", "", true},
		{"/scopes/provincial/", "", true}, {"/channels/dang-va-kinh-te/", "", true}, {"/topics/kinh-te/provinces/lao-cai/", "", true},
		{"/", "?n=7", false}, {"/days/2024-11-05/", "", false}, {"/topics/kinh-te/days/2024-11-05/", "", false},
	} {
		for _, f := range formats {
			resp, body := site.get(tc.path + f.file + tc.query)
			if got := strings.Contains(string(body), inside[f.name]); got != tc.want {
				t.Errorf("%s%s%s: names the hub: %v, want %v", tc.path, f.file, tc.query, got, tc.want)
			}
			if got := strings.Contains(resp.Header.Get("Link"), "<"+hub+">; rel=hub"); got != tc.want {
				t.Errorf("%s%s%s: Link %q", tc.path, f.file, tc.query, resp.Header.Get("Link"))
			}
			for _, finding := range checks[f.name](body) {
				t.Errorf("%s%s%s: %s", tc.path, f.file, tc.query, finding)
			}
			if _, ok := site.server.Pushed(site.base + tc.path + f.file + tc.query); ok != tc.want {
				t.Errorf("%s%s%s: pushed: %v, want %v", tc.path, f.file, tc.query, ok, tc.want)
			}
		}
	}
	if _, body := newFeedSite(t).get("/feed.atom"); strings.Contains(string(body), `rel="hub"`) {
		t.Error("a site without a hub names one")
	}
}

func TestNamedHubIsValid(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	site := newFeedSite(t, func(c *Config) { c.Hub = c.Site.BaseURL + "/hub" })
	site.publish("laocai", "kinh-te", 1, 2)
	validate(t, site.base+"/feed.atom", site.base+"/feed.rss")
}

func TestPushed(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	for _, tc := range []struct {
		name, address string
		want          []string // nil = not pushed
	}{
		{"everything", site.base + "/feed.atom", []string{"all"}},
		{"topic", site.base + "/topics/kinh-te/feed.json", []string{"topic:kinh-te"}},
		{"province with former ones", site.base + "/provinces/hung-yen/feed.rss", []string{"province:hung-yen", "province:thai-binh"}},
		{"channel", site.base + "/channels/dang-va-kinh-te/feed.rss", []string{"topic:xay-dung-dang", "topic:kinh-te"}},
		{"a topic in a province", site.base + "/topics/kinh-te/provinces/hung-yen/feed.atom", []string{"province:hung-yen", "province:thai-binh"}},
		{"an outlet in a province", site.base + "/outlets/laocai/provinces/hung-yen/feed.atom", nil},
		{"a topic in no province", site.base + "/topics/kinh-te/provinces/ha-nam/feed.atom", nil},
		{"another site", "https://elsewhere.example/feed.atom", nil},
		{"prefix of our site's name", site.base + "0/feed.atom", nil},
		{"page", site.base + "/topics/kinh-te/", nil},
		{"old name of a file", site.base + "/rss.xml", nil},
		{"no such topic", site.base + "/topics/nau-an/feed.atom", nil},
		{"other spelling", site.base + "/topics/Kinh-te/feed.atom", nil},
		{"slash at the end", site.base + "/feed.atom/", nil},
		{"two slashes", site.base + "//feed.atom", nil},
		{"search", site.base + "/search/feed.atom?q=x", nil},
		{"selection", site.base + "/mix/feed.atom?topics=kinh-te", nil},
		{"day", site.base + "/days/2024-11-05/feed.atom", nil},
		{"number", site.base + "/feed.atom?n=3", nil},
		{"fragment", site.base + "/feed.atom#a", nil},
		{"nothing", "", nil},
	} {
		got, ok := site.server.Pushed(tc.address)
		if ok != (tc.want != nil) || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, %v; want %v", tc.name, got, ok, tc.want)
		}
	}
}

// What is pushed is what a GET gives, from one rendering.
func TestDocumentIsTheFeed(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1, 2)
	for _, f := range formats {
		address := site.base + "/topics/kinh-te/" + f.file
		doc, err := site.server.Document(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		resp, body := site.get("/topics/kinh-te/" + f.file)
		if string(doc.Body) != string(body) || doc.ContentType != resp.Header.Get("Content-Type") {
			t.Errorf("%s: pushed %d bytes as %q, a GET gives %d as %q", f.name, len(doc.Body), doc.ContentType, len(body), resp.Header.Get("Content-Type"))
		}
		if resp.StatusCode != http.StatusOK || resp.Header.Get("ETag") != `"`+doc.Hash+`"` {
			t.Errorf("%s: hash %q, ETag %s", f.name, doc.Hash, resp.Header.Get("ETag"))
		}
		rev, err := site.db.Revision(t.Context(), sampleFeed("topics", "kinh-te").Channel.Selection)
		if err != nil || doc.Revision != rev.N {
			t.Errorf("%s: shows revision %d, the store has %d, %v", f.name, doc.Revision, rev.N, err)
		}
	}
	if n := site.lookups("new"); n != float64(len(formats)) {
		t.Errorf("%v renderings for %d documents", n, len(formats))
	}
	before, err := site.server.Document(t.Context(), site.base+"/feed.atom")
	if err != nil {
		t.Fatal(err)
	}
	site.publish("laocai", "kinh-te", 3)
	same, err := site.server.Document(t.Context(), site.base+"/feed.atom")
	if err != nil || same.Revision != before.Revision {
		t.Errorf("within the second: revision %d, %v; want %d, which tells the hub to come again", same.Revision, err, before.Revision)
	}
	site.clock.forward(freshFor)
	after, err := site.server.Document(t.Context(), site.base+"/feed.atom")
	if err != nil || after.Revision <= before.Revision || after.Hash == before.Hash {
		t.Errorf("a second later: revision %d, %v; want above %d", after.Revision, err, before.Revision)
	}
}
