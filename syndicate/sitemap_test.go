package syndicate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sitemapRules are the schemas' rules on what stands in what (sitemaps.org 0.9,
// Google's sitemap-news 0.9): the children of each element, in order; + is one
// or more, ? at most one.
var sitemapRules = map[string]string{
	"sitemapindex": `^(sitemap )+$`, "urlset": `^(url )+$`,
	"sitemap": `^loc (lastmod )?$`, "url": `^loc (lastmod )?(changefreq )?(priority )?(news )?$`,
	"news": `^publication publication_date title $`, "publication": `^name language $`,
	"loc": `^$`, "lastmod": `^$`, "name": `^$`, "language": `^$`, "publication_date": `^$`, "title": `^$`,
}

// checkSitemap holds a file against the rules and returns its addresses.
func checkSitemap(t *testing.T, name string, doc []byte, base string) (locs []string) {
	t.Helper()
	if len(doc) > 50<<20 || !bytes.HasPrefix(doc, []byte(xml.Header)) {
		t.Errorf("%s: %d bytes, begins with %.40q", name, len(doc), doc)
	}
	type open struct{ name, children, text string }
	stack := []*open{{}}
	dec := xml.NewDecoder(bytes.NewReader(doc))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			want := sitemapNS
			if strings.Contains(" news publication publication_date name language title ", " "+tok.Name.Local+" ") {
				want = newsNS
			}
			if tok.Name.Space != want {
				t.Errorf("%s: %s is of %q", name, tok.Name.Local, tok.Name.Space)
			}
			top.children += tok.Name.Local + " "
			stack = append(stack, &open{name: tok.Name.Local})
		case xml.CharData:
			top.text += string(tok)
		case xml.EndElement:
			rule, known := sitemapRules[top.name]
			if !known || !regexp.MustCompile(rule).MatchString(top.children) {
				t.Errorf("%s: %s holds %q, want %q", name, top.name, top.children, rule)
			}
			switch top.name {
			case "loc":
				if locs = append(locs, top.text); !strings.HasPrefix(top.text, base+"/") || len(top.text) > 2048 {
					t.Errorf("%s: address %q", name, top.text)
				}
			case "lastmod", "publication_date":
				if _, err := time.Parse(time.RFC3339, top.text); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case "title", "name", "language":
				if strings.TrimSpace(top.text) == "" {
					t.Errorf("%s: an empty %s", name, top.name)
				}
			}
			stack = stack[:len(stack)-1]
		}
	}
	if len(locs) == 0 || len(locs) > maxSitemapURLs {
		t.Errorf("%s: %d addresses", name, len(locs))
	}
	return locs
}

// The index leads to files that keep the schema's rules, and every address in
// them is there; stories are named only where search engines may list them.
func TestSitemap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		change        func(*Config)
		stories, news int
		robots        string
	}{
		{"as shipped", func(*Config) {}, 0, 0, "noindex"},
		{"for search engines", func(c *Config) { c.Site.IndexStories, c.Site.NewsSitemap = true, true }, 30, 20, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newFeedSite(t, tt.change)
			s.clock.forward(-72 * time.Hour)
			s.publish("trunguong", "kinh-te", numbers(0, 10)...)
			s.clock.forward(72 * time.Hour)
			s.publish("laocai", "kinh-te", numbers(10, 30)...)
			_, index := s.get("/sitemap.xml")
			stories := 0
			for _, file := range checkSitemap(t, "/sitemap.xml", index, s.base) {
				path := strings.TrimPrefix(file, s.base)
				resp, doc := s.get(path)
				if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/xml; charset=utf-8" {
					t.Errorf("%s: %s, %s", path, resp.Status, resp.Header.Get("Content-Type"))
				}
				for _, loc := range checkSitemap(t, path, doc, s.base) {
					page, body := s.get(strings.TrimPrefix(loc, s.base))
					if page.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`content="noindex"`)) {
						t.Errorf("%s leads to %s: %s, noindex %v", path, loc, page.Status, bytes.Contains(body, []byte(`content="noindex"`)))
					}
					if strings.Contains(loc, "/stories/") {
						stories++
					}
				}
			}
			if stories != tt.stories {
				t.Errorf("the sitemap names %d stories, want %d", stories, tt.stories)
			}
			resp, doc := s.get("/news-sitemap.xml")
			if (resp.StatusCode == http.StatusOK) != (tt.news > 0) {
				t.Errorf("news sitemap: %s", resp.Status)
			} else if tt.news > 0 {
				if got := len(checkSitemap(t, "/news-sitemap.xml", doc, s.base)); got != tt.news {
					t.Errorf("the news sitemap names %d stories, want %d", got, tt.news)
				}
			}
			_, robots := s.get("/robots.txt")
			if !bytes.Contains(robots, []byte("\nSitemap: "+s.base+"/sitemap.xml\n")) || bytes.Contains(robots, []byte("news-sitemap")) != (tt.news > 0) {
				t.Errorf("robots.txt says\n%s", robots)
			}
		})
	}
	s := newFeedSite(t)
	if resp, body := s.get("/sitemap.xml"); resp.StatusCode != http.StatusOK || len(checkSitemap(t, "empty", body, s.base)) != 1 {
		t.Errorf("the sitemap of an empty site: %s\n%s", resp.Status, body)
	}
}
