package syndicate

import (
	"encoding/xml"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func TestOPMLGolden(t *testing.T) {
	t.Parallel()
	cfg := sampleConfig()
	got, err := renderOPML(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "feeds.opml", got)
}

// TestOPMLNamesEveryFeed: each address in it is a feed, and no channel is
// missing.
func TestOPMLNamesEveryFeed(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	resp, body := site.get("/opml")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/x-opml; charset=utf-8" {
		t.Fatalf("got %s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	if again, _ := site.get("/opml", "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("again: got %s", again.Status)
	}
	var list opml
	if err := xml.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func([]outline)
	walk = func(all []outline) {
		for _, o := range all {
			walk(o.Outlines)
			if o.XMLURL == "" {
				continue
			}
			found++
			local := strings.TrimPrefix(o.XMLURL, site.base)
			if resp, _ := site.get(local); resp.StatusCode != http.StatusOK || o.HTMLURL != site.base+path.Dir(local)+"/" && local != "/feed.atom" {
				t.Errorf("%s with page %s: got %s", o.XMLURL, o.HTMLURL, resp.Status)
			}
		}
	}
	walk(list.Body)
	want := 1
	for _, kind := range kinds {
		want += len(site.server.cfg.ids(kind))
	}
	if found != want {
		t.Errorf("%d feeds, want %d", found, want)
	}
	for _, kind := range kinds {
		for _, id := range site.server.cfg.ids(kind) {
			at := "/" + kind + "/" + id + "/"
			resp, body := site.get(at + "opml")
			var one opml
			if err := xml.Unmarshal(body, &one); err != nil || resp.StatusCode != http.StatusOK || len(one.Body) != 1 ||
				one.Body[0].XMLURL != site.base+at+"feed.atom" || one.Title != one.Body[0].Title {
				t.Errorf("%sopml: %s, %+v, %v", at, resp.Status, one, err)
			}
		}
	}
	if resp, _ := site.get("/topics/Kinh-Te/opml"); resp.Header.Get("Location") != "/topics/kinh-te/opml" {
		t.Errorf("another spelling leads to %q", resp.Header.Get("Location"))
	}
}

func TestFeedMetricsAreClean(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	site.get("/feed.rss")
	families, err := site.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	for _, name := range []string{
		"diemtin_feed_requests_total", "diemtin_feed_render_duration_seconds", "diemtin_feed_render_cache_total", "diemtin_feed_cache_bytes",
	} {
		if site.metric(name) == 0 {
			t.Errorf("%s has not moved", name)
		}
	}
}

// TestMetricsAreRegisteredOnce: a second server on one registry is refused, not
// silently uncounted.
func TestMetricsAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	if _, err := newFeedMetrics(reg); err != nil {
		t.Fatal(err)
	}
	if _, err := newFeedMetrics(reg); err == nil {
		t.Error("the second registration went through")
	}
}

// TestAddressesAreDocumented: docs/urls.md names every form of a feed, and its
// table every route and no other.
func TestAddressesAreDocumented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/urls.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	files := map[string]bool{}
	for i := range formats {
		f := &formats[i]
		for _, want := range append([]string{f.file, f.media}, f.aliases...) {
			if !strings.Contains(text, "`"+want+"`") {
				t.Errorf("docs/urls.md does not name `%s`", want)
			}
		}
		files[f.file] = true
		for _, alias := range f.aliases {
			files[alias] = true
		}
	}
	for _, m := range regexp.MustCompile("`([a-z]*feed\\.[a-z]+)`").FindAllStringSubmatch(text, -1) {
		if !files[m[1]] {
			t.Errorf("docs/urls.md names %s, which does not exist", m[1])
		}
	}

	// A route in the form of the table, without the names of its parts: a feed
	// under any of its file names, an address with or without the slash at its end.
	plain := func(route string) string {
		route = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.TrimSuffix(route, "{$}"), "{}")
		route = strings.TrimSuffix(route, "/")
		if folder, file := path.Split(route); files[file] || file == "feed.*" {
			return folder + "feed.*"
		}
		return route
	}
	documented, registered := map[string]bool{}, map[string]bool{}
	table, _, _ := strings.Cut(text, "## Feeds")
	for line := range strings.Lines(table) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok {
			for _, m := range regexp.MustCompile("`(/[^`]*)`").FindAllStringSubmatch(first, -1) {
				documented[plain(m[1])] = true
			}
		}
	}
	for _, pattern := range newFeedSite(t).server.mux.patterns {
		if route, ok := strings.CutPrefix(pattern, "GET "); ok {
			registered[plain(route)] = true
			if !documented[plain(route)] {
				t.Errorf("the table of docs/urls.md does not name %s", route)
			}
		}
	}
	for route := range documented {
		if !registered[route] {
			t.Errorf("docs/urls.md names %s, which is no route", route)
		}
	}
}
