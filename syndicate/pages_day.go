package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"diemtin/store"
)

// dayStories is how many stories one page of a day listing shows. Each costs
// some 50 µs where the page is made anew.
const dayStories = 200

// dayPick is the form that leads to a day.
type dayPick struct {
	Day  store.Day // already filled in; may be empty
	Kind string    // with ID: the channel whose days are meant; empty = everything
	ID   string
	View bool // by time, not by topic
}

// dayPath is the address of the listing of a day.
func dayPath(d store.Day) string { return "/days/" + string(d) + "/" }

// dayView is what the listing of one day shows.
type dayView struct {
	Title   string
	Summary string // weekday and number of stories
	Count   int
	Groups  []dayGroup
	Plain   bool   // one group, whose title the page has already said
	Toc     bool   // whether the groups have anchors worth a menu
	Views   []link // by topic, by time; empty for a channel's day
	Month   *month // with the day in it; nil if it cannot be counted
	Prev    *link  // nearest day before with news
	Next    *link
	Wider   []link // from a channel's day to the channel and to the whole day
	Older   string
	Newest  string
	Pick    dayPick
	Feeds   []feedLink
}

// dayPage shows what was published on one day, grouped by topic, each story
// under its primary one; or what a channel has of that day, by time.
func (s *Server) dayPage(ctx context.Context, kind string, r *http.Request) (page, error) {
	day, why := s.lang.readDay(r.PathValue("day"), store.DayOf(s.now()))
	if why != "" {
		return s.missingPage(r.URL.Path, why), nil
	}
	ch, err := s.channelAt(kind, r, "days/"+string(day)+"/")
	if err != nil {
		return page{}, err
	}
	onDay := ch.onDay(day)
	if string(day) != r.PathValue("day") {
		return page{}, moved{withQuery(onDay.Path, view(r.URL.Query())), http.StatusMovedPermanently}
	}
	before, err := readCursor(r.URL.Query().Get("before"))
	if err != nil {
		return page{}, store.ErrNotFound
	}
	stories, older, err := s.window(ctx, onDay.Selection, before, dayStories)
	if err != nil {
		return page{}, err
	}
	query := ""
	if ch.Kind == "all" {
		query = view(r.URL.Query())
	}
	v := s.dayView(ch, day, stories, query)
	if v.Prev, v.Next, err = s.daysAround(ctx, ch, day, query); err != nil {
		return page{}, err
	}
	if v.Month, err = s.calendar(ctx, &ch, firstOf(day), day, query); err != nil {
		return page{}, err
	}
	p := page{View: "day", Title: v.Title, About: v.Summary, Path: onDay.Path, Nav: "/days/",
		Feeds: v.Feeds, NoIndex: v.Count == 0}
	if older != "" {
		v.Older = withQuery(onDay.Path, join("before="+older, query))
		v.Summary = fmt.Sprintf(s.words["day.count.more"], s.lang.weekday(day), v.Count)
	}
	if !before.At.IsZero() {
		v.Newest, p.Path, p.NoIndex = withQuery(onDay.Path, query), "", true
	}
	p.Body = v
	return p, nil
}

// dayView lays out the stories of one day of a channel.
func (s *Server) dayView(ch Channel, day store.Day, stories []store.Story, query string) dayView {
	w, onDay := s.words, ch.onDay(day)
	v := dayView{
		Title: s.dayTitle(&ch, day), Count: len(stories),
		Summary: fmt.Sprintf(w["day.count"], s.lang.weekday(day), len(stories)),
		Pick:    dayPick{Day: day},
	}
	if ch.Kind == "all" {
		v.Views = []link{{Text: w["day.by.topic"], Href: onDay.Path, Here: query == ""},
			{Text: w["day.by.time"], Href: onDay.Path + "?by=time", Here: query != ""}}
		v.Pick.View = query != ""
	}
	switch {
	case ch.Kind == "all" && query != "":
		v.Plain, v.Groups = true, []dayGroup{{link: link{Text: w["list"]}, Cards: s.cards(stories, teaserSyllables)}}
	case ch.Kind == "all":
		v.Groups = s.byTopic(stories, day)
		v.Toc = len(v.Groups) > 1
	default:
		v.Pick.Kind, v.Pick.ID, v.Plain = ch.Kind+"s", ch.ID, true
		name, tag := s.lang.called(ch.Title)
		v.Wider = []link{
			{Text: fmt.Sprintf(w["day.newest"], name), Href: ch.Path},
			{Text: fmt.Sprintf(w["day.all"], s.lang.date(day)), Href: dayPath(day)},
		}
		v.Groups = []dayGroup{{link: link{Text: name, Lang: tag}, Cards: under(ch.Path, s.cards(stories, teaserSyllables))}}
	}
	v.Feeds = feedsOf(onDay.Path, v.Title)
	return v
}

// dayTitle is what the listing of a channel's day is called.
func (s *Server) dayTitle(ch *Channel, day store.Day) string {
	if ch.Kind == "all" {
		return fmt.Sprintf(s.words["day.title"], s.lang.date(day))
	}
	name, _ := s.lang.called(ch.Title)
	return fmt.Sprintf(s.words["day.channel"], name, s.lang.date(day))
}

// daysAround leads to the nearest days before and after on which a channel has
// stories.
func (s *Server) daysAround(ctx context.Context, ch Channel, day store.Day, query string) (prev, next *link, err error) {
	before, after, err := s.store.Neighbours(ctx, ch.Selection, day)
	if err != nil {
		return nil, nil, fmt.Errorf("days around %s: %w", day, err)
	}
	return s.dayLink(ch, "day.prev", before, query), s.dayLink(ch, "day.next", after, query), nil
}

// dayLink leads to another day of a channel; nil if there is none.
func (s *Server) dayLink(ch Channel, text string, d store.Day, query string) *link {
	if d == "" {
		return nil
	}
	return &link{Text: fmt.Sprintf(s.words[text], s.lang.date(d)), Href: withQuery(ch.onDay(d).Path, query)}
}

// byTopic groups the stories of a day by their primary topics, in the order of
// feeds.yaml; those without a topic come last.
func (s *Server) byTopic(stories []store.Story, day store.Day) []dayGroup {
	of := map[string][]card{}
	for _, st := range stories {
		id := noTopicID
		for _, t := range st.Topics {
			if _, ok := s.cfg.channel("topics", string(t)); ok {
				id = string(t)
				break
			}
		}
		of[id] = append(of[id], s.card(st, teaserSyllables))
	}
	var groups []dayGroup
	for _, ch := range s.cfg.channelsOf("topics") {
		if cards := of[ch.ID]; cards != nil {
			on := ch.onDay(day)
			groups = append(groups, dayGroup{link: s.linkTo(&on), Anchor: ch.ID, Cards: under(ch.Path, cards)})
		}
	}
	if cards := of[noTopicID]; cards != nil {
		g := dayGroup{link: link{Text: s.words["others"]}, Anchor: noTopicID, Cards: cards}
		if ch, ok := s.cfg.channel("topics", noTopicID); ok {
			g.Href = ch.onDay(day).Path
		}
		groups = append(groups, g)
	}
	return groups
}

// daysView is the calendar of one month.
type daysView struct {
	Title string
	Lead  string
	Error string // what was wrong with the day asked for
	Month *month // nil if there is no news at all
	Pick  dayPick
}

// daysPage shows a month with its days, and sends the form on to the day that
// was asked for.
func (s *Server) daysPage(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	all, _ := s.cfg.channel("", "")
	v := daysView{Title: s.words["days.title"], Lead: s.words["days.lead"]}
	p := page{View: "days", Title: v.Title, About: v.Lead, Path: "/days/", Nav: "/days/"}
	if asked := strings.TrimSpace(q.Get("day")); asked != "" {
		day, why := s.lang.readDay(asked, store.DayOf(s.now()))
		if why == "" {
			ch, found := s.cfg.channel(q.Get("kind"), q.Get("id"))
			if !found {
				ch = all
			}
			return page{}, moved{withQuery(ch.onDay(day).Path, view(q)), http.StatusSeeOther}
		}
		v.Error = why
		p.Status, p.NoIndex, p.Path = http.StatusBadRequest, true, ""
	}
	month, err := s.monthOf(ctx, q.Get("month"))
	if err != nil {
		return page{}, err
	}
	if q.Get("month") != "" && p.Path != "" {
		p.Path += "?month=" + month.Format("2006-01")
	}
	if !month.IsZero() {
		if v.Month, err = s.calendar(ctx, &all, month, "", ""); err != nil {
			return page{}, err
		}
		v.Pick.Day = v.Month.newest()
		p.NoIndex = p.NoIndex || v.Pick.Day == ""
	}
	p.Body = v
	return p, nil
}

// newestDay sends "/topics/x/days/" to the newest day of that channel.
func (s *Server) newestDay(ctx context.Context, kind string, r *http.Request) (page, error) {
	ch, err := s.channelAt(kind, r, "days/")
	if err != nil {
		return page{}, err
	}
	stories, err := s.store.Stories(ctx, store.Query{Selection: ch.Selection, Order: store.ByPublished, Limit: 1})
	if err != nil {
		return page{}, fmt.Errorf("newest story of %s: %w", ch.Path, err)
	}
	to := ch.Path
	if len(stories) > 0 {
		to = ch.onDay(store.DayOf(stories[0].Shown)).Path
	}
	return page{}, moved{to, http.StatusFound}
}

// firstDay bounds the days that there are: Việt Nam joined the internet then,
// and no outlet has news from before.
const firstDay store.Day = "1997-11-19"

// dayForms are how addresses, date fields and people write a day.
var dayForms = []string{time.DateOnly, "2006-1-2", "2/1/2006", "2-1-2006", "2.1.2006"}

// readDay reads a day until today. If it is none, why says so to a person.
func (l *language) readDay(raw string, today store.Day) (d store.Day, why string) {
	for _, form := range dayForms {
		t, err := time.ParseInLocation(form, raw, store.Zone)
		if err != nil {
			continue
		}
		d = store.DayOf(t)
		switch {
		case d > today:
			return d, fmt.Sprintf(l.words["days.future"], l.date(d))
		case d < firstDay:
			return d, fmt.Sprintf(l.words["days.past"], l.date(firstDay))
		}
		return d, ""
	}
	return "", fmt.Sprintf(l.words["days.bad"], plainText(raw, 40))
}
