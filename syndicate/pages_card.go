package syndicate

import (
	"strings"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

const (
	// leadSyllables bounds what a story's own page shows of an outlet's
	// summary: "at most 60 syllables" is what store.ShowSummary grants.
	leadSyllables = 60
	// teaserSyllables bounds the same in lists: two or three lines.
	teaserSyllables = 36
)

// card is a story as every list shows it.
type card struct {
	Path     string // of the story's page
	Title    string
	Lang     string // if it is not the site's
	Teaser   string // empty where the outlet allows no more than the headline
	By       byline
	At       time.Time
	Topic    *link // the primary one; nil if it has none
	Carriers int   // outlets that carry it: more than one, or 0
}

// byline says whose an item is: "Báo Lào Cai (theo TTXVN)".
type byline struct {
	Outlet link   // Href is the article at the outlet
	Page   string // of the outlet, here
	After  link   // whom it follows; Text is empty if nobody, Href if unknown where
}

// card makes the card of a story; teaser says how many syllables of its summary
// to show at most.
func (c *Config) card(st store.Story, teaser int) card {
	it := &st.Quoted
	x := card{
		Path: "/stories/" + st.ID, Title: it.Title, Lang: c.foreign(it.Lang),
		Teaser: lead(it, st.Outlet, teaser), By: c.byline(it, st.Outlet), At: st.Shown,
	}
	if st.Carriers > 1 {
		x.Carriers = st.Carriers
	}
	if topics := c.topicLinks(st.Topics); len(topics) > 0 {
		x.Topic = &topics[0]
	}
	return x
}

// cards makes the cards of several stories.
func (c *Config) cards(stories []store.Story, teaser int) []card {
	xs := make([]card, len(stories))
	for i, st := range stories {
		xs[i] = c.card(st, teaser)
	}
	return xs
}

// under leaves the topic out of cards that stand under its name; path is the
// address of that topic, or of another channel.
func under(path string, cards []card) []card {
	for i := range cards {
		if t := cards[i].Topic; t != nil && t.Href == path {
			cards[i].Topic = nil
		}
	}
	return cards
}

// lead is what may be shown of an item's summary, at most n syllables of it.
func lead(it *store.Item, o store.Outlet, n int) string {
	if o.Show != store.ShowSummary {
		return ""
	}
	return vi.Truncate(it.Summary, min(n, leadSyllables))
}

// byline says whose an item is.
func (c *Config) byline(it *store.Item, o store.Outlet) byline {
	b := byline{Outlet: link{Text: o.Name, Href: it.Link}}
	if c.outlet(o.ID) != nil {
		b.Page = "/outlets/" + o.ID + "/"
	}
	a := it.Attribution
	if a.Outlet == o.ID && a.Outlet != "" {
		return b // "Theo: " its own name
	}
	b.After = link{Text: a.Text, Href: a.Link}
	if b.After.Text == "" {
		if from := c.outlet(a.Outlet); from != nil {
			b.After.Text = from.Name
		}
	}
	return b
}

// foreign returns a language tag if it differs from the site's, else "".
func (c *Config) foreign(lang string) string {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	if base == "vi" {
		return ""
	}
	return lang
}

// topicLinks names those of the topics that feeds.yaml still has, in the order
// given.
func (c *Config) topicLinks(ids []store.Topic) []link {
	var links []link
	for _, id := range ids {
		if ch, ok := c.channel("topics", string(id)); ok {
			links = append(links, link{Text: ch.Title.VI, Href: ch.Path})
		}
	}
	return links
}
