package syndicate

import (
	"cmp"
	"slices"
	"time"

	"diemtin/store"
)

// meta is what a page tells programs about itself: those that show a link to it
// (Open Graph) and search engines (JSON-LD of schema.org).
type meta struct {
	Type    string // of Open Graph: "website" or "article"
	Locale  string // as Open Graph writes languages: "vi_VN"
	Image   string // absolute; only what an outlet lets others show
	Section string // of an article: its topic
	At      string // of an article: when it was published, RFC 3339; empty if unknown
	Data    any    // JSON-LD; nil = none
}

// maxListed bounds how many stories of a list its JSON-LD repeats: who wants
// more has the feeds.
const maxListed = 20

// ogLocales are Open Graph's names of the pages' languages.
var ogLocales = map[string]string{"vi": "vi_VN", "en": "en_US"}

// described is what says about itself more than its title.
type described interface{ describe(m *meta) }

// listing is what shows stories as a list, the first first.
type listing interface{ listed() []card }

// meta describes a page; canonical is its absolute address, without which it is
// not described.
func (s *Server) meta(p *page, canonical string) *meta {
	if canonical == "" {
		return nil
	}
	m := &meta{Type: "website", Locale: cmp.Or(ogLocales[s.lang.tag], s.lang.tag)}
	ld := ldPage{Context: "https://schema.org", Type: "WebPage", URL: canonical, Name: p.Title, Description: p.About, Language: s.lang.tag}
	if p.Path != "/" {
		ld.PartOf = s.cfg.ldSite()
	} else {
		ld.Publisher = s.cfg.ldOperator()
	}
	if list, ok := p.Body.(listing); ok {
		ld.Type, ld.Main = "CollectionPage", s.ldList(list.listed())
	}
	if d, ok := p.Body.(described); ok {
		d.describe(m)
		ld.Main = m.Data
	}
	m.Data = ld
	return m
}

// ldPage is a page of this site.
type ldPage struct {
	Context     string  `json:"@context"`
	Type        string  `json:"@type"`
	URL         string  `json:"url"`
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Language    string  `json:"inLanguage"`
	PartOf      *ldName `json:"isPartOf,omitempty"`
	Publisher   *ldName `json:"publisher,omitempty"`
	Main        any     `json:"mainEntity,omitempty"`
}

// ldName is something that has a name and perhaps an address.
type ldName struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// ldList is a list of stories by their pages here.
type ldList struct {
	Type  string   `json:"@type"`
	Count int      `json:"numberOfItems"`
	Items []ldItem `json:"itemListElement"`
}

type ldItem struct {
	Type     string `json:"@type"`
	Position int    `json:"position"`
	URL      string `json:"url"`
	Name     string `json:"name"`
}

// ldArticle is an article of an outlet. It is only referred to: nothing here
// was written by us.
type ldArticle struct {
	Type      string     `json:"@type"`
	URL       string     `json:"url"`
	Headline  string     `json:"headline,omitempty"`
	Published string     `json:"datePublished,omitempty"`
	Language  string     `json:"inLanguage,omitempty"`
	Image     string     `json:"image,omitempty"`
	Authors   []ldName   `json:"author,omitempty"`
	Publisher *ldName    `json:"publisher,omitempty"`
	BasedOn   *ldArticle `json:"isBasedOn,omitempty"`
}

func (c *Config) ldSite() *ldName {
	return &ldName{"WebSite", plainName(c.Site.Title), c.address("/")}
}

func (c *Config) ldOperator() *ldName {
	if name := plainName(c.Site.Operator); name != "" {
		return &ldName{Type: "Organization", Name: name}
	}
	return nil
}

func (s *Server) ldList(cards []card) ldList {
	cards = cards[:min(len(cards), maxListed)]
	list := ldList{Type: "ItemList", Count: len(cards), Items: make([]ldItem, 0, len(cards))}
	for i, x := range cards {
		list.Items = append(list.Items, ldItem{"ListItem", i + 1, s.cfg.address(s.lang.to(x.Path)), x.Title})
	}
	return list
}

// ldOutlet is an outlet as the publisher of an article.
func (c *Config) ldOutlet(o *store.Outlet, link string) *ldName {
	ref := c.refer(o, link)
	return &ldName{"NewsMediaOrganization", ref.name, ref.home}
}

// dateOf writes when something was published; empty if nobody knows.
func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(store.Zone).Format(time.RFC3339)
}

func (v homeView) listed() []card    { return append(slices.Clip(v.Leading), v.Newest...) }
func (v channelView) listed() []card { return cardsOf(v.Days) }
func (v dayView) listed() []card     { return cardsOf(v.Groups) }
func (v askedView) listed() []card   { return cardsOf(v.Days) }

// cardsOf lists the first stories of a list in groups.
func cardsOf(groups []dayGroup) []card {
	var all []card
	for _, g := range groups {
		if all = append(all, g.Cards...); len(all) >= maxListed {
			break
		}
	}
	return all
}

// describe says whose article a story's page is about, and that it is theirs.
func (v storyView) describe(m *meta) {
	m.Type, m.At, m.Image, m.Data = "article", v.article.Published, v.Image, v.article
	if len(v.Topics) > 0 {
		m.Section = v.Topics[0].Text
	}
}

// ldStory is the article that a story quotes, by its outlet, and what it is
// based on if the original is another.
func (c *Config) ldStory(st *store.Story) ldArticle {
	it := &st.Quoted
	a := ldArticle{Type: "NewsArticle", URL: cmp.Or(webLink(it.Link), c.address("/stories/"+st.ID)), Headline: headline(it, &st.Outlet),
		Published: dateOf(it.Published), Publisher: c.ldOutlet(&st.Outlet, it.Link)}
	if languageTag.MatchString(it.Lang) {
		a.Language = it.Lang
	}
	if st.Outlet.Images {
		a.Image = picture(it).url
	}
	for _, name := range authors(it) {
		a.Authors = append(a.Authors, ldName{Type: "Person", Name: name})
	}
	if by := c.otherOriginal(st); by.Href != "" {
		a.BasedOn = &ldArticle{Type: "NewsArticle", URL: by.Href, Headline: scrub(st.Original.Title), Published: dateOf(st.Original.Published),
			Publisher: &ldName{Type: "NewsMediaOrganization", Name: by.Text}}
	} else if from := c.attribution(it, &st.Outlet); from.Href != "" {
		a.BasedOn = &ldArticle{Type: "NewsArticle", URL: from.Href, Publisher: &ldName{Type: "NewsMediaOrganization", Name: from.Text}}
	}
	return a
}
