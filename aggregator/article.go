package aggregator

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// ArticlePage is what an article's own page says: clean plain text, but for
// Content. A field that the page does not tell is empty or zero.
type ArticlePage struct {
	Title     string
	Lead      string
	Published time.Time
	Modified  time.Time
	Image     string // absolute address
	Authors   []string
	Section   string
	Lang      string // BCP 47
	Canonical string // absolute address, maybe of another outlet
	// Content is the article's text as HTML, not sanitised, without the lists
	// of other articles around it; Text is the same as plain lines.
	Content, Text string
	// Attribution is what the text's last line, or its dateline, says about
	// where it comes from.
	Attribution store.Attribution
	// IsArticle tells whether this is the page of one article rather than a
	// front page or a section: it says so, or it has a date and a text.
	IsArticle bool
	// NoIndex, NoSnippet and NoArchive are what the outlet asks of robots in
	// general or of diemtin, in <meta> or X-Robots-Tag.
	NoIndex, NoSnippet, NoArchive bool
	Repairs                       []Repair
}

// ArticleOptions is what reading an article's page needs besides the page.
type ArticleOptions struct {
	Zone  *time.Location // of dates without one; nil = that of Việt Nam
	Names *Names         // the outlets that an attribution may name; may be nil
}

// Bounds of an article's page.
const (
	maxArticleText = 200_000 // characters; the longest of the development corpus has 60,000
	// minArticleText is how many characters an article has at least; a caption
	// under a picture has fewer.
	minArticleText = 80
	// maxArticleElements bounds the elements of a page; those of papers have
	// some thousands.
	maxArticleElements = 30_000
)

// ReadArticle reads an article's page: first by the given selectors, then by
// JSON-LD, <link rel=canonical>, OpenGraph and other metadata, then by what
// stands on the page. The error is a *Fault.
func ReadArticle(doc *Document, cfg ArticleConfig, opt ArticleOptions) (ArticlePage, error) {
	var r repairs
	page, base, err := parsePage(doc, &r)
	if err != nil {
		return ArticlePage{}, err
	}
	if by := blockedBy(doc.Status, doc.Header, doc.Body); by != "" {
		return ArticlePage{}, fault(store.Blocked, "it answered with %s instead of the article", by)
	}
	switch n := page.Find("body *").Length(); {
	case n == 0:
		return ArticlePage{}, fault(store.NotAFeed, "it is no web page")
	case n > maxArticleElements:
		return ArticlePage{}, fault(store.TooLarge, "there are %d elements on the page, the limit is %d", n, maxArticleElements)
	}
	meta := readMeta(page, doc.FinalURL)
	when := vi.DateOptions{Zone: opt.Zone, Now: doc.At}
	sel := selected{page: page, cfg: cfg}
	title := firstNonEmpty(sel.text(cfg.Title), headline(page, meta))
	sel.read(when)

	p := ArticlePage{Title: cut(title, maxTitle), Lang: meta.lang, Section: meta.section, Authors: meta.authors}
	p.NoIndex, p.NoSnippet, p.NoArchive = robotsOf(page, doc.Header)
	p.Canonical, _ = cleanLink(meta.canonical, base, nil)
	p.Image, _ = cleanLink(firstNonEmpty(sel.image, meta.image), base, nil)
	body, dateSeen := sel.body, ""
	removeAsides(page)
	if sel.date == "" && meta.published == "" {
		dateSeen = dateNearTitle(page, title, dateFinder{opt: when})
	}
	p.Published = firstDate(when, sel.date, meta.published, dateSeen)
	p.Modified = firstDate(when, meta.modified)
	if body == nil || body.Length() == 0 {
		p.readText(page, meta, doc.FinalURL)
	} else {
		p.takeText(outerHTML(body))
	}
	if p.Image == "" {
		p.Image, _ = cleanLink(firstImage(p.Content), base, nil)
	}
	p.Lead = cut(firstNonEmpty(sel.lead, meta.lead, firstLine(p.Text)), maxSummary)
	p.Attribution = ReadAttribution(p.Lead, p.Content, opt.Names)
	p.IsArticle = meta.article || !p.Published.IsZero() && utf8.RuneCountInString(p.Text) >= minArticleText
	p.Repairs = r
	return p, nil
}

// selected is what the configured selectors find. They are applied before the
// lists around the article are taken away.
type selected struct {
	page              *goquery.Document
	cfg               ArticleConfig
	date, lead, image string
	body              *goquery.Selection
}

func (s *selected) text(selector string) string {
	if selector == "" {
		return ""
	}
	found := s.page.Find(selector).First()
	return vi.Line(firstNonEmpty(found.AttrOr("content", ""), found.Text()))
}

func (s *selected) read(when vi.DateOptions) {
	if s.cfg.Date != "" {
		s.page.Find(s.cfg.Date).EachWithBreak(func(_ int, m *goquery.Selection) bool {
			if raw := dateText(m); !parseDate(raw, when).IsZero() {
				s.date = raw
			}
			return s.date == ""
		})
	}
	s.lead = s.text(s.cfg.Lead)
	if s.cfg.Image != "" {
		img := s.page.Find(s.cfg.Image).First()
		if !img.Is("img") && img.Find("img").Length() > 0 {
			img = img.Find("img").First()
		}
		s.image = firstNonEmpty(imageSource(img), img.AttrOr("content", ""))
	}
	if s.cfg.Body != "" {
		s.body = s.page.Find(s.cfg.Body)
	}
}

func firstDate(opt vi.DateOptions, raw ...string) time.Time {
	for _, s := range raw {
		if t := parseDate(s, opt); !t.IsZero() {
			return t.UTC()
		}
	}
	return time.Time{}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// robotsOf reads what robots are asked not to do. "noarchive: no copy",
// "nosnippet: no words of the text", as Google and Bing document them.
func robotsOf(page *goquery.Document, h http.Header) (noIndex, noSnippet, noArchive bool) {
	take := func(list string) {
		for word := range strings.SplitSeq(strings.ToLower(list), ",") {
			switch strings.ReplaceAll(strings.TrimSpace(word), " ", "") {
			case "noindex", "none":
				noIndex = true
			case "nosnippet", "max-snippet:0":
				noSnippet = true
			case "noarchive", "nocache":
				noArchive = true
			}
		}
	}
	page.Find("meta[name][content]").Each(func(_ int, m *goquery.Selection) {
		switch strings.ToLower(m.AttrOr("name", "")) {
		case "robots", "diemtin":
			take(m.AttrOr("content", ""))
		}
	})
	for _, v := range h.Values("X-Robots-Tag") {
		agent, rest, named := strings.Cut(v, ":")
		switch agent = strings.ToLower(strings.TrimSpace(agent)); {
		case named && agent == "diemtin":
			take(rest)
		case !named || strings.HasPrefix(agent, "max-") || strings.ContainsAny(agent, ", "):
			take(v)
		}
	}
	return noIndex, noSnippet, noArchive
}
