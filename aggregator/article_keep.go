package aggregator

import (
	"net/url"
	"strings"

	"diemtin/store"
)

const (
	// ownWords is the share of the different syllables of an item's headline
	// that the text of its page must have to be that article's: a wall that asks
	// for a login, or a page that says in full dress that there is none, has
	// few of them. Of 4,000 articles 1 in 200 has fewer in its own text; the
	// median of another article's first 200 syllables is 0.27.
	ownWords = 0.4
	// surely is the share from which a text that stands on two pages, under two
	// headlines that it tells both, is one article published twice and no wall:
	// 19 of 20 articles reach it, of others' texts 1 in 100.
	surely = 0.6
	// ownRuns is the share of the summary's three-syllable runs that tells the
	// same of a text under a headline in other words.
	ownRuns = 0.25
	// fewWords is how many different syllables a headline must have to tell.
	fewWords = 5
)

// keeper turns what an article's page says into what is kept of it. Walls
// apart it is a pure function of its fields, the item and the page.
type keeper struct {
	outlet   store.Outlet
	source   SourceConfig
	names    *Names
	classify *Classifier
	walls    *walls // may be nil
}

// article is what is kept of a page that was read for an item. The text is for
// comparing only and is never given out; what the page asks of robots is
// followed: with nosnippet no words of it are taken as a summary, with
// noarchive no copy of the text is kept, with noindex neither, and no picture.
func (k keeper) article(it *store.Item, p ArticlePage) *store.Article {
	a := &store.Article{Length: len([]rune(p.Text)), Robots: p.robots(), NoCopy: p.NoArchive || p.NoIndex,
		Canonical: p.Canonical, Published: p.Published, Modified: p.Modified}
	words := foldedWords(p.Text)
	told := tells(words, it.Title)
	if len(words) > 0 && told < surely {
		a.TextHash = hashString(strings.Join(words, " "))
	}
	switch {
	case p.Text == "":
		a.Why = "there is no text on it"
		return a
	case told < ownWords && !repeats(p.Text, it.Summary):
		a.Why = "its text has nothing of the headline: a login, or a page for what is missing"
		return a
	}
	if k.walls != nil && k.walls.meet(k.outlet.ID, it.Title, p.Text) {
		a.Why = "most of its text stands on another page of its outlet too, under another headline"
		return a
	}
	a.Text = cutAtSpace(p.Text, maxMatchBytes)
	a.Attribution = k.attribution(it, p)
	if !p.NoIndex {
		a.Authors, a.Image = p.Authors, p.Image
	}
	if !p.NoIndex && !p.NoSnippet && p.Lead != it.Title {
		a.Summary = p.Lead
	}
	summary := firstNonEmpty(it.Summary, a.Summary)
	named := *it
	if a.Attribution.Link != "" {
		named.Attribution = a.Attribution
	}
	named.Summary, named.Text = summary, a.Text
	NewMatcher(k.names).Prepare(&named, nil)
	a.Sketch, a.Form, a.Lines, a.Names = named.Sketch, named.Form, named.Lines, named.Names
	text := Text{Title: it.Title, Summary: summary, Body: a.Text, Section: k.source.Topic, Scope: k.outlet.Scope}
	topics := it.Topics
	if len(topics) == 0 {
		a.Topics = k.classify.Classify(text)
		topics = a.Topics
	}
	if p := ProvinceOf(text, topics, homeOf(named.Attribution, k.outlet)); p != it.Province {
		a.Province = p
	}
	return a
}

// tells is the share of a headline's different syllables that a text has; 1 of
// a headline too short to tell.
func tells(words []string, title string) float64 {
	has := map[string]bool{}
	for _, w := range words {
		has[w] = true
	}
	own, found := map[string]bool{}, 0
	for _, w := range foldedWords(title) {
		if !own[w] && has[w] {
			found++
		}
		own[w] = true
	}
	if len(own) < fewWords {
		return 1
	}
	return share(found, len(own))
}

// repeats tells whether a text has a good part of a summary, run by run.
func repeats(text, summary string) bool {
	var in runSet
	runs := appendRuns(nil, appendWords(nil, text), leadRun)
	in.fill(runs)
	lead := appendRuns(nil, appendWords(nil, cutAtSpace(summary, maxLeadBytes)), leadRun)
	found := 0
	for _, run := range lead {
		if in.has(run) {
			found++
		}
	}
	return len(lead) >= minLeadRuns && share(found, len(lead)) >= ownRuns
}

// attribution is what the page says of where its text comes from: the line at
// its foot, or a canonical address on another site.
func (k keeper) attribution(it *store.Item, p ArticlePage) store.Attribution {
	att := p.Attribution
	if att.Outlet == k.outlet.ID {
		att = store.Attribution{}
	}
	id := k.names.host(p.Canonical)
	if articleKey(p.Canonical) == "" || id == k.outlet.ID || hostKey(p.Canonical) == hostKey(it.Link) || att.Outlet != "" && att.Outlet != id {
		return att
	}
	if u, err := url.Parse(p.Canonical); err == nil && att.Text == "" && id != "" {
		att.Text = strings.TrimPrefix(u.Hostname(), "www.")
	}
	att.Outlet, att.Link = id, firstNonEmpty(att.Link, p.Canonical)
	return att
}

// robots is what the page asks of robots, as its author would write it.
func (p ArticlePage) robots() string {
	var all []string
	for _, d := range []struct {
		said bool
		word string
	}{{p.NoIndex, "noindex"}, {p.NoSnippet, "nosnippet"}, {p.NoArchive, "noarchive"}} {
		if d.said {
			all = append(all, d.word)
		}
	}
	return strings.Join(all, ", ")
}
