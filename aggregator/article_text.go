package aggregator

import (
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/PuerkitoBio/goquery"
	xhtml "golang.org/x/net/html"

	"diemtin/aggregator/vi"
)

const (
	// longParagraph is how many characters outside links tell a paragraph from
	// a headline in a list; the longest headlines have 223.
	longParagraph = 120
	// maxMarks bounds the lists that are taken out of a page.
	maxMarks = 40
	// maxMark is how many characters the heading of a list has at most.
	maxMark = 40
)

// listMarks are the headings under which portals list other articles, folded.
// What follows one belongs to the article no more.
var listMarks = markSet("tin cung chuyen muc|cung chuyen muc|tin bai cung chuyen muc|bai viet cung chuyen muc|cac tin cung chuyen muc|tin cung muc|cung muc|" +
	"xem tin theo ngay|tin theo ngay|xem theo ngay|tin lien quan|bai lien quan|bai viet lien quan|tin bai lien quan|cac tin lien quan|" +
	"tin tuc lien quan|lien quan|cac tin khac|tin khac|tin bai khac|cac tin bai khac|cac bai khac|bai viet khac|tin tuc khac|cac bai viet khac|cac tin da dua|tin da dua|" +
	"tin cu hon|tin moi hon|cac tin cu hon|cac tin moi hon|nhung tin cu hon|nhung tin moi hon|tin moi|tin moi nhat|tin noi bat|doc nhieu|doc nhieu nhat|tin doc nhieu|tin xem nhieu|" +
	"xem nhieu|xem nhieu nhat|co the ban quan tam|co the ban thich|co the ban muon doc|tin tiep theo|bai tiep theo|" +
	"binh luan|gui binh luan|y kien ban doc|tu khoa|tags|tag|chia se|thong ke truy cap|lien ket website|danh muc")

// boxMarks head boxes of links that stand between paragraphs.
var boxMarks = markSet("xem them|doc them|moi ban doc|moi doc gia xem them|tham khao them")

func markSet(list string) map[string]bool {
	set := map[string]bool{}
	for m := range strings.SplitSeq(list, "|") {
		set[m] = true
	}
	return set
}

// markOf is a short text as it stands in the lists of marks.
func markOf(text string) string {
	text = strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if text == "" || utf8.RuneCountInString(text) > maxMark {
		return ""
	}
	return vi.Fold(vi.Line(text))
}

// removeAsides takes out of a page what is no part of the article: navigation,
// forms, scripts, elements that hold markup as bare text (an unclosed title
// swallows the page), and lists of other articles under their headings.
func removeAsides(page *goquery.Document) {
	page.Find("script, style, noscript, template, iframe, form, nav, aside, footer, svg, button, select, body title, textarea, xmp, noembed, noframes, plaintext, [hidden], body > header").Remove()
	var marks []*goquery.Selection
	page.Find("body *").Each(func(_ int, s *goquery.Selection) {
		removeFlatList(s.Get(0))
		if m := markOf(onlyText(s)); m != "" && (listMarks[m] || boxMarks[m]) && len(marks) < maxMarks && s.Closest("li").Length() == 0 {
			marks = append(marks, s)
		}
	})
	for _, s := range marks {
		if s.Closest("html").Length() > 0 { // not gone with another
			removeList(s, listMarks[markOf(s.Text())])
		}
	}
}

// onlyText is an element's own text, if it has no other.
func onlyText(s *goquery.Selection) string {
	text := ownText(s.Get(0))
	if text == "" || len(text) > 4*maxMark || vi.Line(s.Text()) != text {
		return ""
	}
	return text
}

// removeFlatList takes out a list whose heading is a bare line of an element
// that holds the article's text too, lines being parted by <br>.
func removeFlatList(n *xhtml.Node) {
	before := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != xhtml.TextNode {
			continue
		}
		if before >= longParagraph && listMarks[markOf(c.Data)] {
			for c != nil {
				next := c.NextSibling
				n.RemoveChild(c)
				c = next
			}
			return
		}
		before += utf8.RuneCountInString(strings.TrimSpace(c.Data))
	}
}

// removeList takes out the list that a heading is over: the largest element
// around the heading that holds neither the article's headline nor a
// paragraph; and if that has no links, the list that follows it. All that
// follows is the list's if the article's text stands before.
func removeList(heading *goquery.Selection, mark bool) {
	block := heading
	for p := block.Parent(); p.Length() > 0 && !p.Is("body, html, main, article") && !hasArticle(p); p = p.Parent() {
		block = p
	}
	if mark && block.Find("a").Length() <= 1 || block.Get(0) == heading.Get(0) {
		rest := mark && block.PrevAll().FilterFunction(func(_ int, s *goquery.Selection) bool { return hasParagraph(s) }).Length() > 0 &&
			block.NextAll().Filter("h1").AddSelection(block.NextAll().Find("h1")).Length() == 0
		for next := block.Next(); next.Length() > 0; {
			after := next.Next()
			if !rest && (hasArticle(next) || !mark && !listy(next)) {
				break
			}
			next.Remove()
			next = after
		}
	}
	block.Remove()
}

// hasArticle tells whether an element holds an article's headline or text.
func hasArticle(s *goquery.Selection) bool {
	return s.Is("h1") || s.Find("h1").Length() > 0 || hasParagraph(s)
}

// hasParagraph tells whether an element holds a long text outside lists and
// links.
func hasParagraph(s *goquery.Selection) bool {
	long := false
	s.Find("p, div, td").AddSelection(s).EachWithBreak(func(_ int, e *goquery.Selection) bool {
		if e.Is("li") || e.Closest("li, a").Length() > 0 {
			return true
		}
		long = utf8.RuneCountInString(ownText(e.Get(0))) >= longParagraph
		return !long
	})
	return long
}

// listy tells whether most of an element's text stands in links.
func listy(s *goquery.Selection) bool {
	whole, linked := len(vi.Line(s.Text())), 0
	s.Find("a").AddSelection(s.Filter("a")).Each(func(_ int, a *goquery.Selection) { linked += len(vi.Line(a.Text())) })
	return whole > 0 && 2*linked >= whole
}

// readText finds the article's text on a page without asides.
func (p *ArticlePage) readText(page *goquery.Document, m pageMeta, address string) {
	marked := page.Find(`[itemprop~="articleBody"]`).First()
	if utf8.RuneCountInString(vi.Line(marked.Text())) >= minArticleText {
		p.takeText(outerHTML(marked))
		return
	}
	u, err := url.Parse(address)
	if err != nil {
		u = nil
	}
	dense := densest(page)
	p.takeText(readable(page, u))
	other := *p
	if other.takeText(dense); len(other.Text) > 2*len(p.Text) {
		*p = other
	}
	if body := linesOf(m.body); len(body) > 2*len(p.Text) && len(p.Text) < 4*minArticleText {
		p.takeLines(strings.Split(body, "\n"))
	}
}

// readable is the main text of a page as HTML, by Mozilla's Readability, or "".
func readable(page *goquery.Document, address *url.URL) (content string) {
	defer func() {
		if recover() != nil { // a page that breaks it has no text for us
			content = ""
		}
	}()
	parser := readability.NewParser()
	parser.CharThresholds = minArticleText
	parser.DisableJSONLD = true
	article, err := parser.ParseAndMutate(page.Get(0), address)
	if err != nil || article.Node == nil {
		return ""
	}
	var b strings.Builder
	if err := xhtml.Render(&b, article.Node); err != nil {
		return ""
	}
	return b.String()
}

// densest is the element with the most text outside links that stands in it
// directly, in paragraphs or in emphasis, as HTML. Readability throws away
// what old pages are made of: cells of text with line breaks.
func densest(page *goquery.Document) string {
	best, most := page.Selection, 0
	page.Find("body, div, td, article, section, main").Each(func(_ int, s *goquery.Selection) {
		n := utf8.RuneCountInString(ownText(s.Get(0)))
		s.ChildrenFiltered("p, span, b, i, strong, em, font").Each(func(_ int, c *goquery.Selection) {
			n += utf8.RuneCountInString(vi.Line(c.Text()))
		})
		if n > most {
			best, most = s, n
		}
	})
	if most < minArticleText {
		return ""
	}
	return outerHTML(best)
}

// takeText keeps HTML as the article's text, without its headline and up to
// the heading of a list that stands in the text itself.
func (p *ArticlePage) takeText(content string) {
	lines := strings.Split(linesOf(content), "\n")
	kept := p.trimmed(lines)
	if len(kept) < len(lines) {
		p.takeLines(kept)
		return
	}
	p.Content, p.Text = content, cut(strings.Join(lines, "\n"), maxArticleText)
}

// takeLines makes lines the article's text.
func (p *ArticlePage) takeLines(lines []string) {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("<p>" + html.EscapeString(l) + "</p>\n")
	}
	p.Content, p.Text = b.String(), cut(strings.Join(lines, "\n"), maxArticleText)
}

// trimmed are the lines of a text from behind the headline to the first list
// of other articles.
func (p *ArticlePage) trimmed(lines []string) []string {
	if len(lines) > 1 && vi.Fold(lines[0]) == vi.Fold(p.Title) {
		lines = lines[1:]
	}
	if f := (dateFinder{}); len(lines) > 1 && f.isDate(lines[0], false) {
		lines = lines[1:]
	}
	for i, l := range lines {
		if i > 0 && listMarks[markOf(l)] {
			return lines[:i]
		}
	}
	return lines
}

func outerHTML(s *goquery.Selection) string {
	var b strings.Builder
	for _, n := range s.Nodes {
		if xhtml.Render(&b, n) != nil {
			return ""
		}
	}
	return b.String()
}

// dateNearTitle is the date that stands by the article's headline, as written,
// or "": a front page's clock and the dates of other articles are none.
func dateNearTitle(page *goquery.Document, title string, dates dateFinder) string {
	head := page.Find("h1, h2, h3, .title").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return vi.Fold(vi.Line(s.Text())) == vi.Fold(title)
	}).First()
	if head.Length() == 0 {
		return ""
	}
	for s := head; s.Length() > 0 && !s.Is("body, html"); s = s.Parent() {
		for _, near := range []*goquery.Selection{s.Prev(), s.Next(), s.Next().Next()} {
			if near.Length() == 0 || near.Is("ul, ol, table") || len(near.Find("a").Nodes) > maxForeignWords {
				continue
			}
			if raw := dates.find(near, head); raw != "" {
				return raw
			}
		}
		if s.Parent().Find("p").Length() > 2 { // around it stands the text
			break
		}
	}
	return ""
}
