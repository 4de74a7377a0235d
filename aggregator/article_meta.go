package aggregator

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"diemtin/aggregator/vi"
)

// pageMeta is what a page says about itself out of its readers' sight. Dates
// and addresses are as written, all else is clean text.
type pageMeta struct {
	title, lead, image, section, lang, site string
	published, modified, canonical          string
	authors                                 []string
	body                                    string // JSON-LD articleBody
	article                                 bool   // it says that it is an article
}

// The names under which pages give what JSON-LD lacks, the most reliable first.
var (
	publishedNames = []string{"article:published_time", "og:article:published_time", "og:published_time", "datepublished", "pubdate", "publishdate", "publish_date",
		"publish-date", "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date", "article.published", "parsely-pub-date", "sailthru.date", "date"}
	modifiedNames = []string{"article:modified_time", "og:updated_time", "datemodified", "lastmod", "last-modified"}
	leadNames     = []string{"og:description", "description", "twitter:description"}
	imageNames    = []string{"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "image"}
	sectionNames  = []string{"article:section", "og:article:section"}
	authorNames   = []string{"article:author", "author", "dc.creator"}
)

// readMeta reads JSON-LD, OpenGraph and the other metadata of a page.
func readMeta(page *goquery.Document, address string) pageMeta {
	named := map[string]string{}
	page.Find("meta[content]").Each(func(_ int, m *goquery.Selection) {
		for _, attr := range []string{"property", "name", "itemprop", "http-equiv"} {
			key := strings.ToLower(strings.TrimSpace(m.AttrOr(attr, "")))
			if v := strings.TrimSpace(m.AttrOr("content", "")); key != "" && v != "" && named[key] == "" {
				named[key] = v
			}
		}
	})
	first := func(names []string) string {
		for _, n := range names {
			if named[n] != "" {
				return named[n]
			}
		}
		return ""
	}
	m := pageMeta{site: lineOf(named["og:site_name"]), canonical: page.Find(`link[rel~="canonical"][href]`).First().AttrOr("href", "")}
	ld := articleLD(page, firstNonEmpty(m.canonical, address))
	m.article = ld != nil || strings.EqualFold(named["og:type"], "article")
	m.title = firstNonEmpty(lineOf(ld.text("headline", "name")), lineOf(named["og:title"]), lineOf(named["twitter:title"]))
	m.lead = firstNonEmpty(lineOf(ld.text("description")), lineOf(first(leadNames)))
	m.image = firstNonEmpty(ld.address("image", "thumbnailUrl"), first(imageNames))
	m.published = firstNonEmpty(ld.text("datePublished"), first(publishedNames), itemDate(page, "datePublished"))
	m.modified = firstNonEmpty(ld.text("dateModified"), first(modifiedNames), itemDate(page, "dateModified"))
	m.section = firstNonEmpty(lineOf(ld.text("articleSection")), lineOf(first(sectionNames)))
	m.lang = firstNonEmpty(ld.text("inLanguage"), page.Find("html").AttrOr("lang", ""), named["content-language"])
	m.canonical = firstNonEmpty(m.canonical, named["og:url"])
	m.body = ld.text("articleBody")
	m.authors = peopleOf(append(ld.names("author", "creator"), first(authorNames)), m.site)
	return m
}

// itemDate is a date marked up as microdata.
func itemDate(page *goquery.Document, prop string) string {
	s := page.Find(`[itemprop~="` + prop + `"]`).First()
	return firstNonEmpty(s.AttrOr("datetime", ""), s.AttrOr("content", ""), s.Text())
}

// maxPerson is how many characters a name has at most.
const maxPerson = 80

// peopleOf are the names among what a page gives as authors: no addresses, and
// not the outlet itself.
func peopleOf(raw []string, site string) []string {
	var out []string
	for _, s := range raw {
		s = lineOf(s)
		if s == "" || utf8.RuneCountInString(s) > maxPerson || strings.Contains(s, "://") || vi.Fold(s) == vi.Fold(site) || slices.Contains(out, s) || len(out) == maxAuthors {
			continue
		}
		out = append(out, s)
	}
	return out
}

// titleSeparators stand between a page's title and the site's name.
var titleSeparators = []string{" | ", " - ", " – ", " — ", " :: ", " » ", " • "}

// headline is the article's title: of what the page says, the form that its
// heading has, without the name of the site behind it.
func headline(page *goquery.Document, m pageMeta) string {
	head := lineOf(page.Find("head title").First().Text())
	said := firstNonEmpty(m.title, head)
	longest := ""
	page.Find("h1, h2").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		h := vi.Line(s.Text())
		if h != "" && (strings.HasPrefix(vi.Fold(said), vi.Fold(h)) || strings.HasPrefix(vi.Fold(head), vi.Fold(h))) && len(h) > len(longest) && len([]rune(h)) >= shortestHeadline {
			longest = h
		}
		return true
	})
	switch {
	case longest != "":
		return longest
	case said == "":
		return vi.Line(page.Find("h1").First().Text())
	}
	return withoutSite(said, m.site, m.title == "")
}

// withoutSite takes a site's name off the end of a title. Of a <title> the
// part behind the last separator is the site's even if nothing says so.
func withoutSite(title, site string, sure bool) string {
	for _, sep := range titleSeparators {
		i := strings.LastIndex(title, sep)
		if i <= 0 {
			continue
		}
		tail := title[i+len(sep):]
		if site != "" && vi.Fold(tail) == vi.Fold(site) || sure && len([]rune(title[:i])) >= shortestHeadline && len(tail) < i {
			return strings.TrimSpace(title[:i])
		}
	}
	return title
}
