package syndicate

import (
	"context"
	"fmt"
	"path"
	"slices"

	"diemtin/store"
)

// indexTopicStories is how many stories the list of topics shows of each.
const indexTopicStories = 3

// indexView is what the list of all channels of one kind shows.
type indexView struct {
	Title   string
	Lead    string
	Kind    string
	Topics  []block // of /topics/
	Groups  []indexGroup
	None    bool   // there is nothing
	Counted string // which day the counts are of; empty without any
	Empty   string // what to say then
}

// indexGroup is a part of a list of channels.
type indexGroup struct {
	Title string // may be empty
	Items []indexItem
}

// indexItem is one channel in a list.
type indexItem struct {
	link
	Note     string
	NoteLang string // of Note, if it is not the page's
	Under    []link // former provinces
}

// indexPage lists the channels of one kind.
func (s *Server) indexPage(ctx context.Context, kind string) (page, error) {
	w := s.words
	v := indexView{Title: w[kind+".title"], Lead: w[kind+".lead"], Kind: kind, Empty: w["none"]}
	switch kind {
	case "topics":
		blocks, err := s.topicBlocks(ctx, indexTopicStories)
		if err != nil {
			return page{}, err
		}
		v.Topics = blocks
		v.Groups = []indexGroup{{Items: s.emptyTopics(blocks)}}
	case "provinces":
		var g indexGroup
		for _, p := range s.cfg.Places {
			if p.Into == "" {
				g.Items = append(g.Items, indexItem{link: s.provinceLink(p.ID)[0], Under: s.formerOf(p.ID)})
			}
		}
		v.Groups = []indexGroup{g}
	case "outlets":
		v.Groups = s.outletGroups()
	default:
		v.Empty = w["channels.none"]
		v.Groups = []indexGroup{{Items: s.described(kind)}}
	}
	if err := s.countIndex(ctx, &v); err != nil {
		return page{}, err
	}
	v.None = len(v.Topics) == 0
	for _, g := range v.Groups {
		v.None = v.None && len(g.Items) == 0
	}
	return page{View: "index", Title: v.Title, About: v.Lead, Path: "/" + kind + "/", Nav: "/" + kind + "/", Body: v}, nil
}

// countIndex puts beside topics, provinces and outlets how many stories they have
// on the newest day.
func (s *Server) countIndex(ctx context.Context, v *indexView) error {
	if !slices.Contains(mixKinds, v.Kind) {
		return nil
	}
	newest, err := s.store.Stories(ctx, store.Query{Order: store.ByPublished, Limit: 1})
	if err != nil || len(newest) == 0 {
		return err
	}
	day := store.DayOf(newest[0].Shown)
	v.Counted = fmt.Sprintf(s.words["counted"], s.lang.date(day))
	if v.Kind == "topics" {
		return s.countBlocks(ctx, day, v.Topics)
	}
	for _, g := range v.Groups {
		links, chs := make([]link, len(g.Items)), make([]Channel, len(g.Items))
		for i := range g.Items {
			chs[i], _ = s.cfg.channel(v.Kind, path.Base(g.Items[i].Href))
		}
		if err := s.countLinks(ctx, day, links, chs); err != nil {
			return err
		}
		for i := range links {
			g.Items[i].Count = links[i].Count
		}
	}
	return nil
}

// emptyTopics lists the topics that have no block, and what has no topic.
func (s *Server) emptyTopics(blocks []block) []indexItem {
	shown := map[string]bool{}
	for _, b := range blocks {
		shown[b.Channel.Href] = true
	}
	var items []indexItem
	for _, l := range s.channelLinks("topics") {
		if !shown[l.Href] {
			items = append(items, indexItem{link: l, Note: s.words["none"]})
		}
	}
	if ch, ok := s.cfg.channel("topics", noTopicID); ok && len(s.cfg.Topics) > 0 {
		items = append(items, indexItem{link: s.linkTo(&ch), Note: s.words["others.note"]})
	}
	return items
}

// outletGroups lists the outlets by scope. Outlets of which nothing may be
// shown are not listed.
func (s *Server) outletGroups() []indexGroup {
	var groups []indexGroup
	for _, scope := range store.Scopes {
		g := indexGroup{Title: s.scopeLink(scope).Text}
		for _, o := range s.cfg.Outlets {
			if o.Scope != scope || o.Show == store.ShowNone {
				continue
			}
			item := indexItem{link: s.outletLink(&o)}
			if len(o.Domains) > 0 {
				item.Note = o.Domains[0]
			}
			g.Items = append(g.Items, item)
		}
		if len(g.Items) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// described lists the channels of a kind with their descriptions.
func (s *Server) described(kind string) []indexItem {
	var items []indexItem
	for _, ch := range s.cfg.channelsOf(kind) {
		item := indexItem{link: s.linkTo(&ch)}
		item.Note, item.NoteLang = s.lang.called(ch.Description)
		items = append(items, item)
	}
	return items
}

// channelsOf lists all channels of a kind, in the order readers see them:
// provinces of today before former ones, no outlet of which nothing may be shown.
func (c *Config) channelsOf(kind string) []Channel {
	ids := c.ids(kind)
	if kind == "provinces" {
		ids = nil
		for _, p := range c.Places {
			ids = append(ids, p.ID)
		}
	}
	chs := make([]Channel, 0, len(ids))
	for _, id := range ids {
		if ch, ok := c.channel(kind, id); ok {
			chs = append(chs, ch)
		}
	}
	return chs
}

// channelLinks lists the channels of a kind as links.
func (s *Server) channelLinks(kind string) []link {
	var links []link
	for _, ch := range s.cfg.channelsOf(kind) {
		links = append(links, s.linkTo(&ch))
	}
	return links
}
