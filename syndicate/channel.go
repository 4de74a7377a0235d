package syndicate

import (
	"slices"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Channel is an output: a selection, its place among the addresses, its title.
type Channel struct {
	Path        string // "/", "/topics/kinh-te/", "/topics/kinh-te/days/2024-11-05/"
	Kind        string // all, topic, province, outlet, scope, channel, cross, mix, search
	ID          string // of the topic, province, …; empty for all
	Title       Names  // without the site's title
	Description Names
	Query       string // that belongs to its address, as "topics=a,b"; empty for most
	Page        string // of its page, if that is not Path
	store.Selection
}

// kinds are the first parts of the addresses of channels, in the order in which
// readers see them.
var kinds = []string{"topics", "provinces", "outlets", "scopes", "channels"}

// scopeNames are what readers see of the three scopes.
var scopeNames = map[store.Scope]Names{
	store.National:   {"Báo, đài trung ương", "National outlets"},
	store.Ministry:   {"Bộ, ngành", "Ministries"},
	store.Provincial: {"Báo, đài địa phương", "Provincial outlets"},
}

// noTopicID is the channel, among the topics, of stories without one. A topic
// of feeds.yaml that is called so goes before it.
const noTopicID = "tin-khac"

var noTopicName = Names{"Tin khác", "Other news"}

// channel finds the channel of one kind by its id, and false if there is none.
// Kinds are the first parts of addresses: "" (everything), "topics",
// "provinces", "outlets", "scopes", "channels".
func (c *Config) channel(kind, id string) (Channel, bool) {
	ch := Channel{Path: "/" + kind + "/" + id + "/", Kind: strings.TrimSuffix(kind, "s"), ID: id}
	switch kind {
	case "":
		ch.Path, ch.Kind, ch.Title = "/", "all", Names{"Tất cả tin", "All news"}
		return ch, id == ""
	case "topics":
		i := slices.IndexFunc(c.Topics, func(t store.TopicInfo) bool { return string(t.ID) == id })
		if i < 0 && id == noTopicID {
			ch.Title, ch.Topics = noTopicName, []store.Topic{store.NoTopic}
			return ch, true
		}
		if i < 0 {
			return ch, false
		}
		ch.Title = Names{c.Topics[i].VI, c.Topics[i].EN}
		for _, id := range c.withWas(kind, id) {
			ch.Topics = append(ch.Topics, store.Topic(id))
		}
	case "provinces":
		i := slices.IndexFunc(c.Places, func(p Place) bool { return p.ID == id })
		if i < 0 {
			return ch, false
		}
		ch.Title = Names{c.Places[i].Name, c.Places[i].Name}
		ch.Provinces = c.withFormer(id)
	case "outlets":
		i := slices.IndexFunc(c.Outlets, func(o store.Outlet) bool { return o.ID == id })
		if i < 0 {
			return ch, false
		}
		ch.Title = Names{c.Outlets[i].Name, c.Outlets[i].Name}
		ch.Outlets = c.withWas(kind, id)
	case "scopes":
		i := slices.Index(store.Scopes, store.Scope(id))
		if i < 0 {
			return ch, false
		}
		ch.Title = scopeNames[store.Scopes[i]]
		ch.Scopes = store.Scopes[i : i+1]
	case "channels":
		i := slices.IndexFunc(c.Channels, func(x ChannelConfig) bool { return x.ID == id })
		if i < 0 {
			return ch, false
		}
		x := c.Channels[i]
		ch.Title, ch.Description = x.Title, x.Description
		ch.Selection = x.selection(c.language())
	default:
		return ch, false
	}
	return ch, true
}

// spelled finds a channel whose id may be written otherwise ("Kinh-Te",
// "kinh tế"), or that has another now: then its own differs from the one asked
// for.
func (c *Config) spelled(kind, id string) (Channel, bool) {
	ch, ok := c.channel(kind, id)
	if ok {
		return ch, true
	}
	slug := vi.Slug(id)
	if ch, ok = c.channel(kind, slug); ok {
		return ch, true
	}
	i := slices.IndexFunc(c.Renamed, func(r Renamed) bool { return r.Kind == kind && r.From == slug })
	if i < 0 {
		return ch, false
	}
	return c.channel(kind, c.Renamed[i].To)
}

// withWas lists an id and those that the same topic or outlet had before, under
// which its older stories are stored.
func (c *Config) withWas(kind, id string) []string {
	ids := []string{id}
	for _, r := range c.Renamed {
		if r.Kind == kind && r.To == id {
			ids = append(ids, r.From)
		}
	}
	return ids
}

// inProvince narrows a topic to a province; why says that there is no such
// province.
func (s *Server) inProvince(ch Channel, id string) (_ Channel, why string) {
	p, ok := s.cfg.spelled("provinces", id)
	if !ok {
		return ch, s.noChannel("provinces", id)
	}
	return ch.in(p), ""
}

// in is a topic's channel narrowed to a province's.
func (ch Channel) in(p Channel) Channel {
	ch.Path, ch.Kind, ch.Provinces = ch.Path+"provinces/"+p.ID+"/", "cross", p.Provinces
	ch.Title = Names{ch.Title.VI + ", " + p.Title.VI, ch.Title.EN + ", " + p.Title.EN}
	return ch
}

// hasDays says whether there are listings of a channel's days.
func (ch *Channel) hasDays() bool {
	return ch.Kind != "cross" && ch.Kind != "mix" && ch.Kind != "search"
}

// withFormer lists a province and the former ones that went into it: a story
// about Thái Bình in 2024 belongs to Thái Bình, and Hưng Yên's page shows both.
func (c *Config) withFormer(id string) []string {
	ids := []string{id}
	for _, p := range c.Places {
		if p.Into == id {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// onDay narrows a channel to what was published on one day.
func (ch Channel) onDay(d store.Day) Channel {
	ch.Path += "days/" + string(d) + "/"
	ch.Day = d
	return ch
}

// outlet finds an outlet of feeds.yaml, or nil.
func (c *Config) outlet(id string) *store.Outlet {
	i := slices.IndexFunc(c.Outlets, func(o store.Outlet) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Outlets[i]
}

// place finds a province, or nil.
func (c *Config) place(id string) *Place {
	i := slices.IndexFunc(c.Places, func(p Place) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Places[i]
}

// ids lists the channels of one kind in the order in which readers see them;
// of the provinces only those of today, of the outlets only those that let
// themselves be shown.
func (c *Config) ids(kind string) []string {
	var ids []string
	switch kind {
	case "topics":
		for i := range c.Topics {
			ids = append(ids, string(c.Topics[i].ID))
		}
	case "provinces":
		for _, p := range c.Places {
			if p.Into == "" {
				ids = append(ids, p.ID)
			}
		}
	case "outlets":
		for i := range c.Outlets {
			if c.Outlets[i].Show != store.ShowNone {
				ids = append(ids, c.Outlets[i].ID)
			}
		}
	case "scopes":
		for _, s := range store.Scopes {
			ids = append(ids, string(s))
		}
	case "channels":
		for i := range c.Channels {
			ids = append(ids, c.Channels[i].ID)
		}
	}
	return ids
}
