package syndicate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"
)

// element is any XML element, as the checks read it.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []element  `xml:",any"`
}

func (e *element) all(local string) []element {
	var found []element
	for _, k := range e.Kids {
		if k.XMLName.Local == local {
			found = append(found, k)
		}
	}
	return found
}

func (e *element) text(local string) string {
	if found := e.all(local); len(found) > 0 {
		return found[0].Text
	}
	return ""
}

func (e *element) attr(local string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// link returns the address of the first link with that relation.
func (e *element) link(rel string) string {
	for _, l := range e.all("link") {
		if l.attr("rel") == rel {
			return l.attr("href")
		}
	}
	return ""
}

// findings collects what a check has against a document.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

var (
	rfc3986  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:([A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2})+$`)
	markup   = regexp.MustCompile(`</?[A-Za-z!?]|&(#\w+|[A-Za-z]+);`)
	scripted = regexp.MustCompile(`(?i)<(script|iframe|img|style|object)|<[^>]*\son\w+=|href="(/|javascript)`)
)

// address wants an absolute address without anything that must be escaped.
func (f *findings) address(what, s string) {
	if !rfc3986.MatchString(s) || strings.Count(s, "#") > 1 {
		f.add("%s %q: not an address of RFC 3986", what, s)
	}
	if u, err := url.Parse(s); err == nil && u.Scheme != "urn" && (u.Host == "" || u.User != nil) {
		f.add("%s %q: no host, or a user", what, s)
	}
}

func (f *findings) plain(what, s string) {
	if s == "" || s != strings.TrimSpace(s) {
		f.add("%s %q: empty or padded", what, s)
	}
	if markup.MatchString(s) {
		f.add("%s %q: looks like HTML", what, s)
	}
	if utf8.RuneCountInString(s) > maxTitle+20 {
		f.add("%s: %d characters", what, utf8.RuneCountInString(s))
	}
	f.clean(what, s)
}

// clean wants no character that scrub removes.
func (f *findings) clean(what, s string) {
	for _, r := range s {
		if r == utf8.RuneError || unwanted(r) {
			f.add("%s: character %U", what, r)
		}
	}
}

func (f *findings) content(what, s string) {
	if !strings.HasPrefix(s, "<p>Nguồn: ") {
		f.add("%s %q: does not begin with whose it is", what, s)
	}
	if scripted.MatchString(s) {
		f.add("%s %q: active or relative markup", what, s)
	}
	f.clean(what, s)
}

func (f *findings) date(what, layout, s string) {
	if _, err := time.Parse(layout, s); err != nil {
		f.add("%s: %v", what, err)
	}
}

func (f *findings) unique(what string, seen map[string]bool, s string) {
	if seen[s] {
		f.add("%s %q: twice", what, s)
	}
	seen[s] = true
}

func checkRSS(doc []byte) (f findings) {
	var root element
	if err := xml.Unmarshal(doc, &root); err != nil {
		return findings{err.Error()}
	}
	ch := root.Kids[0]
	f.plain("channel title", ch.text("title"))
	f.plain("channel description", ch.text("description"))
	f.address("channel link", ch.text("link"))
	f.address("self", ch.link("self"))
	f.date("lastBuildDate", time.RFC1123Z, ch.text("lastBuildDate"))
	if ch.Kids[len(ch.Kids)-1].XMLName.Local != "item" && len(ch.all("item")) > 0 {
		f.add("elements after the items")
	}
	if len(ch.all("image")) > 0 {
		f.add("channel has an image")
	}
	guids := map[string]bool{}
	for _, it := range ch.all("item") {
		f.plain("title", it.text("title"))
		f.address("link", it.text("link"))
		f.content("description", it.text("description"))
		f.date("pubDate", time.RFC1123Z, it.text("pubDate"))
		f.plain("creator", it.text("creator"))
		f.unique("guid", guids, it.text("guid"))
		if len(it.all("author")) > 0 {
			f.add("author takes only e-mail")
		}
		for _, g := range it.all("guid") {
			if g.attr("isPermaLink") != "false" {
				f.add("guid without isPermaLink=false")
			}
			f.address("guid", g.Text)
		}
		for _, s := range it.all("source") {
			f.address("source url", s.attr("url"))
			f.plain("source", s.Text)
		}
		for _, c := range it.all("category") {
			f.address("category domain", c.attr("domain"))
			f.plain("category", c.Text)
		}
		for _, m := range it.all("content") {
			f.address("media url", m.attr("url"))
		}
	}
	return f
}

func checkAtom(doc []byte) (f findings) {
	var root element
	if err := xml.Unmarshal(doc, &root); err != nil {
		return findings{err.Error()}
	}
	f.plain("title", root.text("title"))
	f.address("id", root.text("id"))
	f.address("self", root.link("self"))
	f.address("alternate", root.link("alternate"))
	f.date("updated", time.RFC3339, root.text("updated"))
	if len(root.all("author")) != 1 {
		f.add("feed without author")
	}
	ids, times := map[string]bool{}, map[string]bool{}
	for _, e := range root.all("entry") {
		f.plain("title", e.text("title"))
		f.address("id", e.text("id"))
		f.address("alternate", e.link("alternate"))
		f.content("content", e.text("content"))
		f.date("updated", time.RFC3339, e.text("updated"))
		f.date("published", time.RFC3339, e.text("published"))
		f.unique("id", ids, e.text("id"))
		f.unique("updated", times, e.text("updated"))
		if via := e.link("via"); via != "" {
			f.address("via", via)
		}
		for _, a := range e.all("author") {
			f.plain("author", a.text("name"))
		}
		for _, c := range e.all("category") {
			f.address("scheme", c.attr("scheme"))
			f.plain("label", c.attr("label"))
		}
		for _, s := range e.all("source") {
			f.address("source id", s.text("id"))
			f.plain("source title", s.text("title"))
			f.date("source updated", time.RFC3339, s.text("updated"))
		}
		if len(e.all("author")) == 0 || len(e.all("source")) != 1 {
			f.add("entry without author or source")
		}
	}
	return f
}

func checkJSON(doc []byte) (f findings) {
	var root struct {
		Version, Title, Language string
		Home                     string `json:"home_page_url"`
		Self                     string `json:"feed_url"`
		Items                    *[]struct {
			ID, URL, Title, Image, Summary string
			Content                        string `json:"content_html"`
			Published                      string `json:"date_published"`
			Modified                       string `json:"date_modified"`
			Tags                           []string
			Authors                        []struct{ Name string }
		}
	}
	if err := json.Unmarshal(doc, &root); err != nil {
		return findings{err.Error()}
	}
	if root.Version != "https://jsonfeed.org/version/1.1" || root.Language == "" {
		f.add("version %q, language %q", root.Version, root.Language)
	}
	f.plain("title", root.Title)
	f.address("home_page_url", root.Home)
	f.address("feed_url", root.Self)
	if root.Items == nil {
		return append(f, "no items")
	}
	ids := map[string]bool{}
	for _, it := range *root.Items {
		f.unique("id", ids, it.ID)
		f.address("id", it.ID)
		f.address("url", it.URL)
		f.plain("title", it.Title)
		f.content("content_html", it.Content)
		f.clean("summary", it.Summary)
		f.date("date_published", time.RFC3339, it.Published)
		f.date("date_modified", time.RFC3339, it.Modified)
		if it.Image != "" {
			f.address("image", it.Image)
		}
		for _, tag := range it.Tags {
			f.plain("tag", tag)
		}
		for _, a := range it.Authors {
			f.plain("author", a.Name)
		}
		if len(it.Authors) == 0 {
			f.add("item without author")
		}
	}
	return f
}

// checks judge each format by the rules that validators and readers hold
// against feeds.
var checks = map[string]func([]byte) findings{"rss": checkRSS, "atom": checkAtom, "json": checkJSON}

func TestFormatsKeepTheRules(t *testing.T) {
	t.Parallel()
	for _, c := range hardCases() {
		for _, f := range formats {
			t.Run(c.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				doc, err := f.render(c.feed)
				if err != nil {
					t.Fatal(err)
				}
				if !utf8.Valid(doc) {
					t.Error("not UTF-8")
				}
				for _, finding := range checks[f.name](doc) {
					t.Error(finding)
				}
				again, _ := f.render(c.feed)
				if !bytes.Equal(doc, again) {
					t.Error("the second rendering differs from the first")
				}
			})
		}
	}
}

// TestReadersSeeTheSame reads every hard case with a reader of others and
// compares what it shows with what went in.
func TestReadersSeeTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range hardCases() {
		for _, f := range formats {
			t.Run(c.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				doc, err := f.render(c.feed)
				if err != nil {
					t.Fatal(err)
				}
				got, err := gofeed.NewParser().Parse(bytes.NewReader(doc))
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Items) != len(c.feed.Stories) {
					t.Fatalf("got %d items, want %d", len(got.Items), len(c.feed.Stories))
				}
				if c.title != "" && got.Items[0].Title != c.title {
					t.Errorf("title: got %q, want %q", got.Items[0].Title, c.title)
				}
				for i := range c.feed.Stories {
					st, it := &c.feed.Stories[i], got.Items[i]
					if want := storyURN(st.ID); it.GUID != want {
						t.Errorf("id: got %q, want %q", it.GUID, want)
					}
					want := st.Shown
					if f.name == "rss" { // whole seconds
						want = want.Truncate(time.Second)
					}
					if it.PublishedParsed == nil || !it.PublishedParsed.Equal(want) {
						t.Errorf("published: got %v, want %v", it.PublishedParsed, want)
					}
				}
			})
		}
	}
}

// TestEveryChannelKeepsTheRules holds the hard cases on every kind of channel
// against our own list.
func TestEveryChannelKeepsTheRules(t *testing.T) {
	t.Parallel()
	for path, cases := range hardOn() {
		for _, c := range cases {
			for _, f := range formats {
				doc, err := f.render(c.feed)
				if err != nil {
					t.Fatal(err)
				}
				for _, finding := range checks[f.name](doc) {
					t.Errorf("%s%s, %s: %s", path, f.file, c.name, finding)
				}
			}
		}
	}
}
