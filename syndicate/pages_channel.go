package syndicate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// channelStories is how many stories one page of a channel shows.
const channelStories = 40

// channelView is what a channel's page shows.
type channelView struct {
	Title  link
	About  link // the channel's description
	Facts  []fact
	Days   []dayGroup
	Month  *month       // of the newest story; nil if it cannot be counted
	Outlet *outletFacts // of an outlet\'s page
	Topics []link       // within a province
	Pick   dayPick
	Older  string // address of the next page; empty at the end
	Newest string // address of the first page; empty on it
	Feeds  []feedLink
}

// fact is one line about a channel: what it says, and links.
type fact struct {
	Name  string
	Links []link
}

// dayGroup is what was published on one day, or in one topic of a day.
type dayGroup struct {
	link          // its title, which leads to the page that has all of it; both may be empty
	Anchor string // its id within the page; may be empty
	Cards  []card
}

// channelPage shows the newest stories of one channel, or those before a place
// in it.
func (s *Server) channelPage(ctx context.Context, kind string, r *http.Request) (page, error) {
	ch, err := s.channelAt(kind, r, "")
	if err != nil {
		return page{}, err
	}
	return s.showChannel(ctx, ch, kind, r)
}

// crossPage shows what there is of a topic in a province.
func (s *Server) crossPage(ctx context.Context, r *http.Request) (page, error) {
	ch, ok := s.cfg.spelled("topics", r.PathValue("id"))
	if !ok {
		return page{}, store.ErrNotFound
	}
	topic := ch
	ch, why := s.inProvince(ch, r.PathValue("province"))
	if why != "" {
		return s.missingPage(r.URL.Path, s.noSuch("provinces", r.PathValue("province"))), nil
	}
	if ch.Path != r.URL.Path {
		to := url.URL{Path: ch.Path, RawQuery: r.URL.RawQuery}
		return page{}, moved{to.String(), http.StatusMovedPermanently}
	}
	p, err := s.showChannel(ctx, ch, "topics", r)
	if v, ok := p.Body.(channelView); ok {
		v.Facts = append(v.Facts, fact{s.words["cross.of"], append([]link{s.linkTo(&topic)}, s.provinceLink(path.Base(ch.Path))...)})
		v.Pick = dayPick{Day: v.Pick.Day, Kind: "topics", ID: topic.ID}
		p.NoIndex = p.NoIndex || len(v.Days) == 0
		p.Body = v
	}
	return p, err
}

// showChannel is the page of a channel of one kind.
func (s *Server) showChannel(ctx context.Context, ch Channel, kind string, r *http.Request) (page, error) {
	before, err := readCursor(r.URL.Query().Get("before"))
	if err != nil {
		return page{}, store.ErrNotFound
	}
	stories, older, err := s.window(ctx, ch.Selection, before, channelStories)
	if err != nil {
		return page{}, err
	}
	v := channelView{Title: s.linkTo(&ch), Facts: s.facts(ch), Feeds: ch.feeds()}
	v.About.Text, v.About.Lang = s.lang.called(ch.Description)
	v.Pick = dayPick{Kind: kind, ID: ch.ID}
	if len(stories) > 0 {
		v.Pick.Day = store.DayOf(stories[0].Shown)
	}
	v.Days = s.byDay(stories, ch)
	for _, g := range v.Days {
		under(ch.Path, g.Cards)
	}
	if v.Pick.Day != "" && ch.hasDays() {
		if v.Month, err = s.calendar(ctx, &ch, firstOf(v.Pick.Day), "", ""); err != nil {
			return page{}, err
		}
	}
	if ch.Kind == "province" {
		v.Topics = s.topicsIn(ch)
	}
	if ch.Kind == "outlet" {
		if v.Outlet, err = s.outletFacts(ctx, ch.ID); err != nil {
			return page{}, err
		}
	}
	p := page{View: "channel", Title: v.Title.Text, About: v.About.Text, Path: ch.Path,
		Nav: "/" + kind + "/", Feeds: v.Feeds}
	if older != "" {
		v.Older = ch.Path + "?before=" + older
	}
	if !before.At.IsZero() {
		v.Newest, p.Path, p.NoIndex = ch.Path, "", true
	}
	p.Body = v
	return p, nil
}

// channelAt finds the channel of a request by its {id}. An id in capitals, with
// diacritics or with spaces is moved to the one it means; rest is what follows
// the channel's path.
func (s *Server) channelAt(kind string, r *http.Request, rest string) (Channel, error) {
	id := r.PathValue("id")
	ch, ok := s.cfg.spelled(kind, id)
	switch {
	case !ok:
		return ch, store.ErrNotFound
	case ch.ID != id:
		to := url.URL{Path: ch.Path + rest, RawQuery: r.URL.RawQuery}
		return ch, moved{to.String(), http.StatusMovedPermanently}
	}
	return ch, nil
}

// window reads up to n stories of a selection before a place, newest first, and
// the place of the next window: empty if this one is the last.
func (s *Server) window(ctx context.Context, sel store.Selection, before store.Cursor, n int) ([]store.Story, string, error) {
	stories, err := s.store.Stories(ctx, store.Query{
		Selection: sel, Order: store.ByPublished, Before: before, Limit: min(n+1, store.MaxStories)})
	if err != nil {
		return nil, "", fmt.Errorf("stories of a window: %w", err)
	}
	if len(stories) <= n {
		return stories, "", nil
	}
	stories = stories[:n]
	last := &stories[n-1]
	if sel.Searched() {
		return stories, writeCursor(store.Cursor{At: last.Listed, ID: last.ID}), nil
	}
	return stories, writeCursor(store.Cursor{At: last.Shown, ID: last.ID}), nil
}

// writeCursor writes a place as addresses have it: milliseconds since 1970 and
// the story's id.
func writeCursor(c store.Cursor) string {
	return strconv.FormatInt(c.At.UnixMilli(), 10) + "." + c.ID
}

// readCursor reads what writeCursor wrote; nothing is the zero Cursor.
func readCursor(s string) (store.Cursor, error) {
	if s == "" {
		return store.Cursor{}, nil
	}
	at, id, ok := strings.Cut(s, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !ok || id == "" || ms < 0 || ms > maxMillis {
		return store.Cursor{}, errors.New("want milliseconds, a dot and a story's id")
	}
	return store.Cursor{At: time.UnixMilli(ms), ID: id}, nil
}

// maxMillis is the last millisecond of the year 9999, after which times have no
// four-digit year and no place in an RFC 3339 date.
const maxMillis = 253402300799999

// byDay groups stories, which come newest first, by the day they were published.
// What stands in the order of listing is one group without a title. The other
// groups' titles lead to the channel's listings of those days.
func (s *Server) byDay(stories []store.Story, ch Channel) []dayGroup {
	if ch.Searched() && len(stories) > 0 { // by listing: the days would take turns
		return []dayGroup{{Cards: s.cards(stories, teaserSyllables)}}
	}
	var groups []dayGroup
	var last store.Day
	for _, st := range stories {
		day := store.DayOf(st.Shown)
		if day != last || len(groups) == 0 {
			g := dayGroup{link: link{Text: s.dayName(day)}}
			if ch.hasDays() {
				g.Href = ch.onDay(day).Path
			}
			groups = append(groups, g)
			last = day
		}
		g := &groups[len(groups)-1]
		g.Cards = append(g.Cards, s.card(st, teaserSyllables))
	}
	return groups
}

// dayName names a day with its day of the week: "Thứ Ba, 05/11/2024".
func (s *Server) dayName(d store.Day) string {
	return fmt.Sprintf(s.words["day.of"], s.lang.weekday(d), s.lang.date(d))
}

// facts says about a channel what its stories do not: which province went into
// which, where an outlet is.
func (s *Server) facts(ch Channel) []fact {
	w := s.words
	var facts []fact
	add := func(name string, links ...link) {
		if len(links) > 0 {
			facts = append(facts, fact{name, links})
		}
	}
	switch ch.Kind {
	case "province":
		if p := s.cfg.place(ch.ID); p != nil && p.Into != "" {
			add(w["province.into"], s.provinceLink(p.Into)...)
		}
		add(w["province.former"], s.formerOf(ch.ID)...)
		add(w["province.outlets"], s.outletsOf(ch.ID)...)
	case "outlet":
		o := s.cfg.outlet(ch.ID)
		if len(o.Domains) > 0 {
			add(w["outlet.site"], link{Text: o.Domains[0], Href: "https://" + o.Domains[0] + "/", Out: true})
		}
		add(w["outlet.scope"], s.scopeLink(o.Scope))
		add(w["outlet.province"], s.provinceLink(o.Province)...)
		if o.Show == store.ShowHeadline {
			facts = append(facts, fact{Name: w["outlet.headline"]})
		}
	}
	return facts
}

// provinceLink leads to one province; no link if there is none of that id.
func (s *Server) provinceLink(id string) []link {
	p := s.cfg.place(id)
	if p == nil {
		return nil
	}
	return []link{s.placeLink(p)}
}

// placeLink leads to a province.
func (s *Server) placeLink(p *Place) link {
	return link{Text: p.Name, Lang: s.lang.foreign(newsLanguage), Href: "/provinces/" + p.ID + "/"}
}

// outletLink leads to an outlet's page here.
func (s *Server) outletLink(o *store.Outlet) link {
	return link{Text: o.Name, Lang: s.lang.foreign(newsLanguage), Href: "/outlets/" + o.ID + "/"}
}

// scopeLink leads to the outlets of one scope.
func (s *Server) scopeLink(scope store.Scope) link {
	name, tag := s.lang.called(scopeNames[scope])
	return link{Text: name, Lang: tag, Href: "/scopes/" + string(scope) + "/"}
}

// formerOf lists the former provinces that went into one of today's.
func (s *Server) formerOf(id string) []link {
	var links []link
	for _, p := range s.cfg.Places {
		if p.Into == id {
			links = append(links, s.placeLink(&p))
		}
	}
	return links
}

// topicsIn leads to the topics within a province.
func (s *Server) topicsIn(province Channel) []link {
	var links []link
	for _, t := range s.channelLinks("topics") {
		t.Href += province.Path[1:]
		links = append(links, t)
	}
	return links
}

// outletsOf lists the outlets of one province.
func (s *Server) outletsOf(province string) []link {
	var links []link
	for _, o := range s.cfg.Outlets {
		if o.Province == province && o.Show != store.ShowNone {
			links = append(links, s.outletLink(&o))
		}
	}
	return links
}
