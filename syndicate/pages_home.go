package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"

	"diemtin/store"
)

const (
	homeStories  = 14 // newest stories on the home page, beside the leading ones
	homePerTopic = 4  // newest of each topic there
	homeDays     = 7  // days with news in the strip
)

// homeView is what the home page shows.
type homeView struct {
	Title     string
	Lead      string
	Leading   []card
	Newest    []card
	Topics    []block
	Provinces []link
	Channels  []link
	Days      []cell
	Counted   string // which day the counts beside names are of; empty without any
	Pick      dayPick
	Feeds     []feedLink
}

// block is a channel with its newest stories.
type block struct {
	Channel link
	Cards   []card
}

// homePage shows what is going on, what is new, and where everything else is.
func (s *Server) homePage(ctx context.Context, _ *http.Request) (page, error) {
	newest, err := s.store.Stories(ctx, store.Query{Order: store.ByPublished, Limit: homeStories + homeLeads})
	if err != nil {
		return page{}, fmt.Errorf("newest stories: %w", err)
	}
	v := homeView{
		Title:     s.words["home.title"],
		Lead:      fmt.Sprintf(s.words["home.lead"], len(s.cfg.ids("outlets"))),
		Provinces: s.presentProvinces(),
		Channels:  s.channelLinks("channels"),
		Feeds:     feedsOf("/", s.cfg.Site.Title),
	}
	if v.Topics, err = s.topicBlocks(ctx, homePerTopic); err != nil {
		return page{}, err
	}
	if len(newest) > 0 {
		if err := s.homeNow(ctx, &v, newest); err != nil {
			return page{}, err
		}
	}
	return page{View: "home", Title: s.words["home.title"], About: v.Lead, Path: "/", Nav: "/",
		Feeds: v.Feeds, Body: v}, nil
}

// homeNow fills in what depends on the newest stories: no clock does.
func (s *Server) homeNow(ctx context.Context, v *homeView, newest []store.Story) (err error) {
	day := store.DayOf(newest[0].Shown)
	v.Title = fmt.Sprintf(s.words["home.day"], s.lang.date(day))
	v.Pick.Day = day
	if v.Leading, err = s.leading(ctx, newest[0].Shown); err != nil {
		return err
	}
	rest := slices.DeleteFunc(newest, func(st store.Story) bool {
		return slices.ContainsFunc(v.Leading, func(c card) bool { return c.ID == st.ID })
	})
	v.Newest = s.cards(rest[:min(len(rest), homeStories)], 0)
	if v.Days, err = s.strip(ctx, day, homeDays); err != nil {
		return err
	}
	v.Counted = fmt.Sprintf(s.words["counted"], s.lang.date(day))
	if err := s.countLinks(ctx, day, v.Provinces, s.cfg.presentPlaces()); err != nil {
		return err
	}
	return s.countBlocks(ctx, day, v.Topics)
}

// countBlocks puts beside the names of topics how many stories each has on a
// day.
func (s *Server) countBlocks(ctx context.Context, day store.Day, blocks []block) error {
	links, chs := make([]link, len(blocks)), make([]Channel, len(blocks))
	for i, b := range blocks {
		links[i] = b.Channel
		chs[i], _ = s.cfg.channel("topics", path.Base(b.Channel.Href))
	}
	if err := s.countLinks(ctx, day, links, chs); err != nil {
		return err
	}
	for i := range blocks {
		blocks[i].Channel = links[i]
	}
	return nil
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

// presentPlaces are the channels of the provinces of today, each with the former
// ones that went into it.
func (c *Config) presentPlaces() []Channel {
	var chs []Channel
	for _, id := range c.ids("provinces") {
		ch, _ := c.channel("provinces", id)
		chs = append(chs, ch)
	}
	return chs
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
