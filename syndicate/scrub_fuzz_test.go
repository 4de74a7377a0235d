package syndicate

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"diemtin/store"
)

// FuzzScrub puts any text into every place of an entry and demands the rules
// of all formats.
func FuzzScrub(f *testing.F) {
	for _, c := range hardCases() {
		for i := range c.feed.Stories[:min(1, len(c.feed.Stories))] {
			it := &c.feed.Stories[i].Quoted
			f.Add(it.Title)
			f.Add(it.Summary)
			f.Add(it.Link)
		}
	}
	f.Add("&amp;amp;amp;amp;lt;b&amp;amp;amp;amp;gt;")
	f.Add("<<b>>&#60;<b")
	f.Add("0\u2007 ") // a space that is not ASCII stood at the end
	f.Fuzz(func(t *testing.T, s string) {
		clean := scrub(s)
		if !utf8.ValidString(clean) || clean != strings.TrimSpace(clean) || strings.ContainsFunc(clean, unwanted) {
			t.Errorf("scrub(%q) = %q", s, clean)
		}
		if again := scrub(clean); again != clean {
			t.Errorf("scrub(%q) = %q, but again %q", s, clean, again)
		}
		if plain := plainText(s, maxTitle); utf8.RuneCountInString(plain) > maxTitle || tagLike.MatchString(plain) {
			t.Errorf("plainText(%q) = %q", s, plain)
		}
		if link := webLink(s); link != "" {
			u, err := url.Parse(link)
			if err != nil || u.Host == "" || u.User != nil || !rfc3986.MatchString(link) {
				t.Errorf("webLink(%q) = %q (%v)", s, link, err)
			}
			if again := webLink(link); again != link {
				t.Errorf("webLink(%q) = %q, but again %q", s, link, again)
			}
		}
		feed := sampleFeed("", "", sampleStory(1, sampleConfig().Outlets[0], quoted(func(it *store.Item) {
			it.Title, it.Summary, it.Link, it.Image, it.Lang = s, s, s, s, s
			it.Authors = []string{s}
			it.Attribution = store.Attribution{Text: s, Link: s}
			it.Enclosures = []store.Enclosure{{URL: s, Type: s}}
		})))
		for _, format := range formats {
			doc, err := format.render(feed)
			if err != nil {
				t.Fatal(err)
			}
			if format.name != "json" && xml.Unmarshal(doc, new(element)) != nil {
				t.Errorf("%s is not well-formed:\n%s", format.name, doc)
			}
		}
	})
}

// FuzzConditional: what clients send never fails, and a tag is found where it
// stands.
func FuzzConditional(f *testing.F) {
	f.Add(`"a", W/"b"`, "gzip;q=0.5, *;q=0")
	f.Add(`*`, "identity;q=0")
	f.Add(`W/"`, ";;,q=,=")
	f.Fuzz(func(t *testing.T, tags, accept string) {
		for _, q := range readAccepted([]string{accept}) {
			if !(q >= 0 && q <= 1) {
				t.Errorf("%q gives a weight of %v", accept, q)
			}
		}
		if matchesTag(tags, `"x"`) && !strings.Contains(tags, `"x"`) && !strings.Contains(tags, "*") {
			t.Errorf("%q holds no \"x\"", tags)
		}
		if !matchesTag(`"x",`+tags, `"x"`) {
			t.Errorf("the first tag is not found before %q", tags)
		}
	})
}
