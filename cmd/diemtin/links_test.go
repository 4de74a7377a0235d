package main

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"diemtin/aggregator/outlettest"
)

// siteBase is the address that the tests' sites give themselves.
const siteBase = "https://tin.example.vn"

// found is what an address of the site gave.
type found struct {
	status int
	to     string // of a redirect
	media  string
	body   string // of a page or an XML document
	ids    map[string]bool
}

// crawler follows every link of a site.
type crawler struct {
	t    *testing.T
	base string
	mu   sync.Mutex
	seen map[string]found
	from map[string]string // address → the page that first led there
	many map[string]int    // addresses asked for, by kind
	asks []string          // fragments: page#id that some page leads to
	out  map[string]string // links that lead elsewhere → a page that has them
}

// mostOfKind is how many addresses of a kind are asked for, such as those of a
// topic in a province, of which there are thousands, all made by the same code.
// Stories differ, and all are.
const mostOfKind = 6

// xmlLink finds the addresses in feeds, OPML and sitemaps.
var xmlLink = regexp.MustCompile(`(?:\b(?:href|xmlUrl|htmlUrl|url)="|<loc>|<link>)([^"<]+)["<]`)

// crawl asks for an address of the site and all that it leads to, several at
// once, until there is nothing new.
func (c *crawler) crawl(start ...string) {
	for _, s := range start {
		c.from[s] = "(start)"
	}
	const workers = 4
	for batch := start; len(batch) > 0; {
		var next []string
		var wg sync.WaitGroup
		work := make(chan string)
		for range workers {
			wg.Go(func() {
				for path := range work {
					links := c.visit(path)
					c.mu.Lock()
					for _, to := range links {
						if _, known := c.from[to]; known {
							continue
						}
						c.from[to] = path
						if kind := kindOfAddress(to); c.many[kind] < mostOfKind || kind == "/stories/*" {
							c.many[kind]++
							next = append(next, to)
						}
					}
					c.mu.Unlock()
				}
			})
		}
		for _, path := range batch {
			work <- path
		}
		close(work)
		wg.Wait()
		batch = next
	}
}

// visit asks for one address and returns the addresses of the site that it
// leads to.
func (c *crawler) visit(path string) (links []string) {
	resp, body := get(c.t, c.base+path)
	f := found{status: resp.StatusCode, to: resp.Header.Get("Location"), media: resp.Header.Get("Content-Type")}
	var raw []string
	switch {
	case f.to != "":
		raw = []string{f.to}
	case strings.HasPrefix(f.media, "text/html"):
		f.body = body
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			c.t.Errorf("%s: %v", path, err)
			return nil
		}
		f.ids = map[string]bool{}
		doc.Find("[id]").Each(func(_ int, x *goquery.Selection) { f.ids[x.AttrOr("id", "")] = true })
		doc.Find("[href], [src], form[action]").Each(func(_ int, x *goquery.Selection) {
			raw = append(raw, x.AttrOr("href", x.AttrOr("src", x.AttrOr("action", ""))))
		})
		doc.Find("meta[property='og:url'], meta[property='og:image']").Each(func(_ int, x *goquery.Selection) { raw = append(raw, x.AttrOr("content", "")) })
	case strings.Contains(f.media, "xml") || strings.Contains(f.media, "opml"):
		for _, m := range xmlLink.FindAllStringSubmatch(body, -1) {
			raw = append(raw, strings.ReplaceAll(m[1], "&amp;", "&"))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[path] = f
	base, err := url.Parse(siteBase + path)
	if err != nil {
		c.t.Errorf("bad address %q: %v", path, err)
		return nil
	}
	for _, r := range raw {
		if to := c.inside(path, base, r); to != "" {
			links = append(links, to)
		}
	}
	return links
}

// inside is a link's address from the root of the site; empty if it leads
// elsewhere, which then must be an address as RFC 3986 writes them.
func (c *crawler) inside(path string, base *url.URL, raw string) string {
	u, err := base.Parse(raw)
	if err != nil || raw == "" {
		c.t.Errorf("%s: bad address %q", path, raw)
		return ""
	}
	if u.Host != base.Host {
		c.out[raw] = path
		return ""
	}
	if u.Fragment != "" {
		id := u.Fragment
		u.Fragment = ""
		c.asks = append(c.asks, u.RequestURI()+"#"+id)
	}
	return u.RequestURI()
}

// redirects are the links that may lead on: to what changes with time, or to
// the one spelling.
var redirects = regexp.MustCompile(`^/(topics|provinces|outlets|scopes|channels)/[a-z0-9-]+/days/(\?lang=en)?$`)

// check looks at what was found.
func (c *crawler) check() {
	t := c.t
	t.Helper()
	for path, f := range c.seen {
		switch {
		case f.status == http.StatusOK:
		case path == "/hub" && f.status == http.StatusMethodNotAllowed: // it takes POST
		case f.status/100 == 3 && (redirects.MatchString(path) || path == "/favicon.ico"):
		default:
			t.Errorf("%s, linked from %s: %d %s", path, c.from[path], f.status, f.to)
		}
	}
	for _, ask := range c.asks {
		path, id, _ := strings.Cut(ask, "#")
		if f := c.seen[path]; f.ids != nil && !f.ids[id] {
			t.Errorf("%s leads nowhere: the page has no such id", ask)
		}
	}
	for raw, path := range c.out {
		u, err := url.Parse(raw)
		switch {
		case err == nil && u.Scheme == "mailto" && strings.Count(u.Opaque, "@") == 1:
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(raw, " \t\n<>\"{}|\\^`") || u.String() != raw:
			t.Errorf("%s: %q is no well-formed address", path, raw)
		}
	}
}

// demoSite serves the news of a few simulated outlets and crawls it all.
func demoSite(t *testing.T) *crawler {
	t.Helper()
	_, config := world(t, outlettest.Options{Seed: 3, Stories: 40, Days: 2, Slow: 50 * time.Millisecond})
	p := serve(t, config, "sqlite:"+filepath.Join(t.TempDir(), "links.db"))
	p.swept(t)
	c := &crawler{t: t, base: p.public, seen: map[string]found{}, from: map[string]string{}, many: map[string]int{}, out: map[string]string{}}
	c.crawl("/", "/opml", "/sitemap.xml", "/robots.txt", "/favicon.ico", "/feed.json")
	return c
}

// TestEveryLinkLeadsSomewhere follows every link of the demo's site, in pages,
// feeds, sitemaps and OPML, in both languages.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the short loop does not crawl")
	}
	c := demoSite(t)
	c.check()
	kinds := map[string]int{}
	for path := range c.seen {
		kinds[kindOfAddress(path)]++
	}
	t.Logf("%d addresses, %d outside: %v", len(c.seen), len(c.out), kinds)
	if len(c.seen) < 300 || len(c.out) < 50 {
		t.Errorf("only %d addresses and %d outside were found", len(c.seen), len(c.out))
	}
	for _, kind := range []string{"/stories/*", "/stories/*/explain", "/topics/*/feed.atom", "/nguon-cap-tin/", "/status", "/gioi-thieu/", "/days/*/"} {
		if kinds[kind] == 0 {
			t.Errorf("nothing leads to %s", kind)
		}
	}
	htmlValid(t, c)
}

// kindOfAddress is the kind of an address: what its names are does not matter.
func kindOfAddress(path string) string {
	path, query, _ := strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for i := 2; i < len(parts); i++ {
		if parts[i] != "" && parts[i] != "days" && parts[i] != "provinces" && parts[i] != "explain" && !strings.HasPrefix(parts[i], "feed.") {
			parts[i] = "*"
		}
	}
	if strings.Contains(query, "lang=en") {
		query = "?lang=en"
	} else if name, _, _ := strings.Cut(query, "="); name != "" {
		query = "?" + name
	}
	return strings.Join(parts, "/") + query
}

// htmlValid runs html-validate over some pages of each kind, where make html or
// make readers has installed it.
func htmlValid(t *testing.T, c *crawler) {
	tool := filepath.Join(os.Getenv(readersDir), "node_modules/.bin/html-validate")
	if _, err := os.Stat(tool); os.Getenv(readersDir) == "" || err != nil {
		t.Log("html-validate is not installed: make html runs it")
		return
	}
	const each = 3 // pages of a kind
	dir, count, n := t.TempDir(), map[string]int{}, 0
	for _, path := range slices.Sorted(maps.Keys(c.seen)) {
		f := c.seen[path]
		if kind := kindOfAddress(path); f.body != "" && count[kind] < each {
			count[kind]++
			n++
			name := strings.Trim(strings.NewReplacer("/", "_", "?", "_", "&", "_", "%", "_").Replace(path), "_") + ".html"
			if err := os.WriteFile(filepath.Join(dir, name), []byte(f.body), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for path, kind := range map[string]string{"/khong-co/kinh-te": "missing", "/mix/?topics=kinh-te": "mix", "/search?q=b%C3%A1o": "search", "/days/?day=x": "bad day"} {
		_, body := get(t, c.base+path)
		n++
		if err := os.WriteFile(filepath.Join(dir, kind+".html"), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, ".htmlvalidate.json")
	if err := os.WriteFile(config, []byte(htmlRules), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "--config", config, "--max-warnings", "0", "--formatter", "text", dir).CombinedOutput()
	if err != nil {
		t.Errorf("html-validate: %v\n%s", err, out)
	}
	t.Logf("html-validate: %d pages of %d kinds", n, len(count))
}

// htmlRules are all that the validator recommends. Check boxes share a name, as
// HTML lets them; how long a headline is, its outlet decides.
const htmlRules = `{"root": true, "extends": ["html-validate:recommended"], "rules": {"long-title": "off",
	"form-dup-name": ["error", {"shared": ["radio", "button", "reset", "submit", "checkbox"]}]}}`
