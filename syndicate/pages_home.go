package syndicate

import (
	"context"
	"fmt"
	"net/http"

	"diemtin/store"
)

const (
	homeStories  = 16 // newest stories on the home page
	homeTeasers  = 6  // how many of them show a summary
	homePerTopic = 4  // newest of each topic there
	homeDays     = 7  // days with news in the strip
)

// homeView is what the home page shows.
type homeView struct {
	Lead      string
	Newest    []card
	Topics    []block
	Provinces []link
	Channels  []link
	Days      []link
	Pick      dayPick
	Feeds     []feedLink
}

// block is a channel with its newest stories.
type block struct {
	Channel link
	Cards   []card
}

// homePage shows what is new, and where everything else is.
func (s *Server) homePage(ctx context.Context, _ *http.Request) (page, error) {
	newest, err := s.store.Stories(ctx, store.Query{Order: store.ByPublished, Limit: homeStories})
	if err != nil {
		return page{}, fmt.Errorf("newest stories: %w", err)
	}
	v := homeView{
		Lead:      fmt.Sprintf(s.words["home.lead"], len(s.cfg.ids("outlets"))),
		Newest:    s.cards(newest, teaserSyllables),
		Provinces: s.presentProvinces(),
		Channels:  s.channelLinks("channels"),
		Feeds:     feedsOf("/", s.cfg.Site.Title),
	}
	for i := homeTeasers; i < len(v.Newest); i++ {
		v.Newest[i].Teaser = ""
	}
	if v.Topics, err = s.topicBlocks(ctx, homePerTopic); err != nil {
		return page{}, err
	}
	if len(newest) > 0 {
		day := store.DayOf(newest[0].Shown)
		v.Pick.Day = day
		if v.Days, err = s.dayStrip(ctx, day); err != nil {
			return page{}, err
		}
	}
	return page{View: "home", Title: s.words["home.title"], About: v.Lead, Path: "/", Nav: "/",
		Feeds: v.Feeds, Body: v}, nil
}

// topicBlocks are the topics that have stories, each with its newest n.
func (s *Server) topicBlocks(ctx context.Context, n int) ([]block, error) {
	var blocks []block
	for _, t := range s.cfg.Topics {
		ch, _ := s.cfg.channel("topics", string(t.ID))
		stories, err := s.store.Stories(ctx, store.Query{Selection: ch.Selection, Order: store.ByPublished, Limit: n})
		if err != nil {
			return nil, fmt.Errorf("newest stories of topic %s: %w", t.ID, err)
		}
		if len(stories) > 0 {
			blocks = append(blocks, block{s.linkTo(&ch), under(ch.Path, s.cards(stories, 0))})
		}
	}
	return blocks, nil
}

// dayStrip lists the newest days that have stories, beginning with day.
func (s *Server) dayStrip(ctx context.Context, day store.Day) ([]link, error) {
	var days []link
	for len(days) < homeDays && day != "" {
		days = append(days, link{Text: s.dayName(day), Href: dayPath(day)})
		prev, _, err := s.store.Neighbours(ctx, store.Selection{}, day)
		if err != nil {
			return nil, fmt.Errorf("day before %s: %w", day, err)
		}
		day = prev
	}
	return days, nil
}

// presentProvinces lists the provinces of today.
func (s *Server) presentProvinces() []link {
	var links []link
	for _, p := range s.cfg.Places {
		if p.Into == "" {
			links = append(links, s.placeLink(&p))
		}
	}
	return links
}
