package aggregator

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"diemtin/aggregator/vi"
)

const (
	// minRepeats is how often an element must repeat to be a listing's item.
	minRepeats = 3
	// headlineLink is how many characters a link's text has at least that may
	// be a headline; menus have shorter ones.
	headlineLink = 20
	// maxGuessLinks and maxGuesses bound the work on a page: links looked at,
	// selectors tried.
	maxGuessLinks, maxGuesses = 600, 40
	// maxClimb is how far above a headline's link its item may lie.
	maxClimb = 6
	// goodShare is the share of elements that must be items, or have what a
	// selector points to.
	goodShare = 0.6
	// leadLength is how many characters a summary has at least.
	leadLength = 60
)

// guessListing guesses how a page lists articles: the elements that repeat,
// each around one link whose text may be a headline, best if a date stands
// there as well.
func guessListing(page *goquery.Document, base string, opt vi.DateOptions) (PageConfig, bool) {
	g := listingGuess{page: page, links: map[*html.Node]string{}, dates: dateFinder{opt: opt}}
	host, _, _ := strings.Cut(LinkKey(base), "/")
	page.Find("a[href]").EachWithBreak(func(_ int, a *goquery.Selection) bool {
		link, ok := cleanLink(a.AttrOr("href", ""), base, nil)
		key := LinkKey(link)
		if ok && key != LinkKey(base) && strings.HasPrefix(key, host+"/") && a.Closest("nav, footer, form").Length() == 0 &&
			utf8.RuneCountInString(vi.Line(a.Text())) >= headlineLink {
			g.links[a.Get(0)] = key
		}
		return len(g.links) < maxGuessLinks
	})
	item, ok := g.best()
	if !ok {
		return PageConfig{}, false
	}
	found := page.Find(item)
	cfg := PageConfig{Item: item, Date: g.partOf(found, g.isDate), Summary: g.partOf(found, g.isSummary), Next: nextSelector(page)}
	if found.FilterFunction(func(_ int, s *goquery.Selection) bool { return s.Find("img").Length() > 0 }).Length()*2 > found.Length() {
		cfg.Image = "img"
	}
	return cfg, true
}

// listingGuess is a page with its links that may be headlines.
type listingGuess struct {
	page  *goquery.Document
	links map[*html.Node]string // key of the article, by anchor
	dates dateFinder
}

// best is the selector whose elements are the most convincing items.
func (g *listingGuess) best() (string, bool) {
	counts := map[string]int{}
	for n := range g.links {
		g.count(n, counts)
	}
	tried := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], len(a)-len(b), strings.Compare(a, b))
	})
	best, most := "", 0.0
	for _, sel := range tried[:min(len(tried), maxGuesses)] {
		if score := g.score(sel); score > most {
			best, most = sel, score
		}
	}
	return best, best != ""
}

// count counts the selectors of the elements around a link that hold no other
// article's.
func (g *listingGuess) count(n *html.Node, counts map[string]int) {
	for range maxClimb {
		p := n.Parent
		if p == nil || p.Type != html.ElementNode || n.Data == "body" || g.articles(n) > 1 {
			return
		}
		parent := selectorOf(p)
		counts[parent+" > "+n.Data]++
		if named := withClass(n); named != n.Data {
			counts[parent+" > "+named]++
			counts[named]++
		}
		n = p
	}
}

// articles counts the articles that an element links to by headlines.
func (g *listingGuess) articles(n *html.Node) int {
	keys := map[string]bool{}
	for d := range n.Descendants() {
		if key := g.links[d]; key != "" {
			keys[key] = true
		}
	}
	if key := g.links[n]; key != "" {
		keys[key] = true
	}
	return len(keys)
}

// score says how well the elements of a selector serve as items: how many
// different articles, what share of the elements they are, how many have a
// date. The largest elements that serve are the best: they hold the date.
func (g *listingGuess) score(sel string) float64 {
	found := g.page.Find(sel)
	keys := map[string]bool{}
	good, dated := 0, 0
	found.Each(func(_ int, s *goquery.Selection) {
		if g.articles(s.Get(0)) != 1 {
			return
		}
		good++
		s.Find("a").AddSelection(s.Filter("a")).Each(func(_ int, a *goquery.Selection) {
			if key := g.links[a.Get(0)]; key != "" {
				keys[key] = true
			}
		})
		if g.dates.find(s, s.Find("a").First()) != "" {
			dated++
		}
	})
	share := float64(good) / float64(max(found.Length(), 1))
	if len(keys) < minRepeats || share < goodShare {
		return 0
	}
	size := float64(len(vi.Line(found.Text()))) / float64(good)
	return float64(len(keys)) * share * (1 + 2*float64(dated)/float64(good)) * (1 + min(size, 1000)/10_000)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z_-]*$`)

// stateClasses say which one of several an element is, not what it is.
var stateClasses = wordSet("first last active odd even current clearfix row col left right fl fr")

// withClass is an element's name with its first class that tells something.
func withClass(n *html.Node) string {
	for _, a := range n.Attr {
		if a.Key != "class" {
			continue
		}
		for _, c := range strings.Fields(a.Val) {
			if identifier.MatchString(c) && !stateClasses[c] {
				return n.Data + "." + c
			}
		}
	}
	return n.Data
}

// selectorOf is a short selector of an element: by id, by class, else by that
// of what it stands in.
func selectorOf(n *html.Node) string {
	for _, a := range n.Attr {
		if a.Key == "id" && identifier.MatchString(a.Val) {
			return n.Data + "#" + a.Val
		}
	}
	named := withClass(n)
	if named != n.Data || n.Data == "body" || n.Parent == nil || n.Parent.Type != html.ElementNode {
		return named
	}
	return selectorOf(n.Parent) + " > " + n.Data
}

// partOf is the selector of what most of the items have inside: the first that
// serves.
func (g *listingGuess) partOf(items *goquery.Selection, serves func(*goquery.Selection) bool) string {
	var tried []string
	items.Slice(0, min(items.Length(), minRepeats)).Find("*").Each(func(_ int, s *goquery.Selection) {
		sel := withClass(s.Get(0))
		if _, class, ok := strings.Cut(sel, "."); ok {
			sel = "." + class
		} else if sel != "time" && sel != "p" {
			return
		}
		if !slices.Contains(tried, sel) && serves(s) {
			tried = append(tried, sel)
		}
	})
	for _, sel := range tried {
		n := items.FilterFunction(func(_ int, s *goquery.Selection) bool {
			m := s.Find(sel).First()
			return m.Length() > 0 && serves(m)
		}).Length()
		if float64(n) >= goodShare*float64(items.Length()) {
			return sel
		}
	}
	return ""
}

func (g *listingGuess) isDate(s *goquery.Selection) bool {
	return s.Find("a").Length() == 0 && utf8.RuneCountInString(vi.Line(s.Text())) <= maxDateText && g.dates.isDate(vi.Line(dateText(s)), dateClass(s.Get(0)))
}

func (g *listingGuess) isSummary(s *goquery.Selection) bool {
	return s.Find("a, h1, h2, h3, h4").Length() == 0 && s.Closest("a").Length() == 0 && utf8.RuneCountInString(vi.Line(s.Text())) >= leadLength
}

// nextWords are what links to the following page say, folded.
var nextWords = markSet("trang sau|trang tiep|trang tiep theo|tiep|tiep theo|sau|ke tiep|next|next page|older posts")

// nextSelector is the selector of the link to the following page, or "".
func nextSelector(page *goquery.Document) string {
	if page.Find(`a[rel~="next"][href]`).Length() > 0 {
		return `a[rel~="next"]`
	}
	out := ""
	page.Find("a[href]").EachWithBreak(func(_ int, a *goquery.Selection) bool {
		text := vi.Line(a.Text())
		if !nextWords[markOf(text)] && text != "»" && text != "›" && text != ">" && text != ">>" {
			return true
		}
		for _, s := range []*goquery.Selection{a, a.Parent()} {
			if sel := withClass(s.Get(0)); out == "" && strings.Contains(sel, ".") && page.Find(sel).First().Get(0) == s.Get(0) {
				out = sel
			}
		}
		return out == ""
	})
	return out
}
