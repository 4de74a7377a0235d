package syndicate

import (
	"cmp"
	"time"

	"diemtin/store"
)

// teaserSyllables bounds what lists show of an outlet's summary: two or three
// lines.
const teaserSyllables = 36

// card is a story as every list shows it.
type card struct {
	Path                    string // of the story's page
	Title                   string
	Lang                    string // if it is not the page's
	Teaser                  string // empty where the outlet allows no more than the headline
	By                      byline
	At                      time.Time
	Topic                   *link     // the primary one; nil if it has none
	TitleMarks, TeaserMarks []piece   // the same with what was searched for; nil if nothing is marked
	Carriers                int       // outlets that carry it: more than one, or 0
	ID                      string    // of a leading story
	First                   time.Time // of a leading story: when it first appeared, if that is before At
	Event                   []card    // of the first leading story: others on its event
}

// byline says whose an item is: "Báo Lào Cai (theo TTXVN)".
type byline struct {
	Outlet link   // Href is the article at the outlet
	Page   string // of the outlet, here
	After  link   // whom it follows; Text is empty if nobody, Href if unknown where
}

// card makes the card of a story; teaser says how many syllables of its summary
// to show at most.
func (s *Server) card(st store.Story, teaser int) card {
	it := &st.Quoted
	x := card{
		Path: "/stories/" + st.ID, Title: headline(it, &st.Outlet), Lang: s.lang.foreign(it.Lang),
		Teaser: summary(it, &st.Outlet, teaser), By: s.byline(it, &st.Outlet), At: st.Shown,
	}
	if st.Carriers > 1 {
		x.Carriers = st.Carriers
	}
	if topics := s.topicLinks(st.Topics); len(topics) > 0 {
		x.Topic = &topics[0]
	}
	return x
}

// cards makes the cards of several stories.
func (s *Server) cards(stories []store.Story, teaser int) []card {
	xs := make([]card, len(stories))
	for i, st := range stories {
		xs[i] = s.card(st, teaser)
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

// headline is an item's, as a page shows it.
func headline(it *store.Item, o *store.Outlet) string {
	return cmp.Or(scrub(it.Title), untitled(o.Name))
}

// byline says whose an item is. An item without an address of its own leads to
// its story.
func (s *Server) byline(it *store.Item, o *store.Outlet) byline {
	b := byline{
		Outlet: link{Text: o.Name, Href: cmp.Or(webLink(it.Link), "/stories/"+it.Story)},
		After:  s.cfg.attribution(it, o),
	}
	if s.cfg.outlet(o.ID) != nil {
		b.Page = "/outlets/" + o.ID + "/"
	}
	return b
}

// topicLinks names those of the topics that feeds.yaml still has, in the order
// given.
func (s *Server) topicLinks(ids []store.Topic) []link {
	var links []link
	for _, id := range ids {
		if ch, ok := s.cfg.channel("topics", string(id)); ok {
			links = append(links, s.linkTo(&ch))
		}
	}
	return links
}
