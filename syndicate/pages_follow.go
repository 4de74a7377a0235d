package syndicate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"diemtin/store"
)

// feedsView lists every feed there is.
type feedsView struct {
	Site   Site
	Base   string     // absolute address of the site, for examples to copy
	All    []feedLink // of everything
	Copy   string     // address of the page that helps to follow it
	Mix    []choices
	Groups []feedGroup
}

// feedGroup is the feeds of one kind of channel.
type feedGroup struct {
	Anchor string
	Title  string
	Rows   []feedRow
	Fold   bool // it is long: show it when asked
}

// openRows is how long the lists of outlets and of former provinces may be to
// stand open.
const openRows = 8

// feedRow is one channel with its feeds.
type feedRow struct {
	Channel link
	Feeds   []feedLink
	Copy    string // address of the page that helps to follow it
}

// followPath is the page of all feeds; with ?of= that of one channel's.
const followPath = "/nguon-cap-tin/"

// followOf is the page that helps to follow a channel, by the address of its
// page or of one of its feeds.
func followOf(address string) string { return followPath + "?of=" + url.QueryEscape(address) }

// feedsPage explains feeds to people who never heard of one, and lists them all.
func (s *Server) feedsPage(ctx context.Context, r *http.Request) (page, error) {
	if of := r.URL.Query().Get("of"); of != "" {
		return s.followPage(of, r)
	}
	all, _ := s.cfg.channel("", "")
	v := feedsView{Site: s.cfg.Site, Base: s.cfg.Site.BaseURL, All: all.feeds(), Copy: followOf(all.Path)}
	v.Mix, _ = s.choices(nil)
	for _, kind := range []string{"channels", "topics", "scopes", "provinces", "outlets"} {
		now, former := feedGroup{Anchor: kind, Title: s.words["feeds."+kind]}, feedGroup{Anchor: "former", Title: s.words["feeds.former"]}
		for _, ch := range s.cfg.channelsOf(kind) {
			g := &now
			if p := s.cfg.place(ch.ID); kind == "provinces" && p.Into != "" {
				g = &former
			}
			g.Rows = append(g.Rows, s.feedRow(&ch))
		}
		if kind == "topics" && len(now.Rows) > 0 {
			if ch, ok := s.cfg.channel(kind, noTopicID); ok {
				now.Rows = append(now.Rows, s.feedRow(&ch))
			}
		}
		for _, g := range []feedGroup{now, former} {
			if len(g.Rows) > 0 {
				g.Fold = (g.Anchor == "former" || g.Anchor == "outlets") && len(g.Rows) > openRows
				v.Groups = append(v.Groups, g)
			}
		}
	}
	status := s.statusChannel()
	v.Groups = append(v.Groups, feedGroup{Anchor: "others", Title: s.words["feeds.others"], Rows: []feedRow{s.feedRow(&status)}})
	return page{View: "nguon-cap-tin", Title: s.words["feeds.title"], About: s.words["feeds.lead"], Path: followPath,
		Nav: followPath, Feeds: feedsOf("/", s.cfg.Site.Title), Body: v}, nil
}

func (s *Server) feedRow(ch *Channel) feedRow {
	of := s.linkTo(ch)
	of.Href = ch.url("", 0)
	return feedRow{of, ch.feeds(), followOf(of.Href)}
}

// followView helps to follow one channel.
type followView struct {
	Channel   link
	Addresses []followAddress
	Readers   []link // that take an address from a link
}

// followAddress is the whole address of a feed, to be copied.
type followAddress struct {
	ID, Name, URL string
}

// followPage shows the feeds of one channel as addresses to copy.
func (s *Server) followPage(of string, r *http.Request) (page, error) {
	ch, err := s.followed(of)
	var no refusal
	switch {
	case errors.As(err, &no):
		return s.missingPage(r.URL.Path, no.why), nil
	case err != nil:
		return page{}, err
	}
	row := s.feedRow(&ch)
	if to := s.lang.to(row.Copy); to != r.URL.RequestURI() {
		return page{}, moved{row.Copy, http.StatusMovedPermanently}
	}
	v := followView{Channel: row.Channel}
	for i, f := range row.Feeds {
		v.Addresses = append(v.Addresses, followAddress{formats[i].name, f.Name, s.cfg.address(f.Href)})
	}
	escaped := url.QueryEscape(v.Addresses[0].URL)
	v.Readers = []link{
		{Text: "Feedly", Href: "https://feedly.com/i/subscription/feed%2F" + escaped, Out: true},
		{Text: "Inoreader", Href: "https://www.inoreader.com/?add_feed=" + escaped, Out: true},
	}
	return page{View: "theo-doi", Title: s.words["follow.title"] + " " + row.Channel.Text, NoIndex: true, Nav: followPath,
		Feeds: row.Feeds, Body: v}, nil
}

// followed finds the channel that an address of this site belongs to.
func (s *Server) followed(of string) (Channel, error) {
	u, err := url.Parse(of)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return Channel{}, store.ErrNotFound
	}
	at := u.Path
	if strings.HasPrefix(path.Base(at), "feed.") {
		at = path.Dir(at)
	}
	parts := strings.Split(strings.Trim(at, "/"), "/")
	switch {
	case parts[0] == "":
		ch, _ := s.cfg.channel("", "")
		return ch, nil
	case at == "/mix" || at == "/mix/":
		return s.mix(u.Query())
	case at == "/search" || at == "/search/":
		return s.search(u.Query())
	case at == "/status" || at == "/status/":
		return s.statusChannel(), nil
	case parts[0] == "days" && len(parts) == 2:
		return s.followedDay("", "", parts[1])
	case len(parts) == 4 && parts[2] == "days":
		return s.followedDay(parts[0], parts[1], parts[3])
	case len(parts) == 2, len(parts) == 4 && parts[0] == "topics" && parts[2] == "provinces":
		ch, ok := s.cfg.spelled(parts[0], parts[1])
		if !ok {
			return ch, store.ErrNotFound
		}
		if len(parts) == 4 {
			var why string
			if ch, why = s.inProvince(ch, parts[3]); why != "" {
				return ch, refusal{code: http.StatusNotFound, why: why}
			}
		}
		return ch, nil
	}
	return Channel{}, store.ErrNotFound
}

func (s *Server) followedDay(kind, id, day string) (Channel, error) {
	ch, why := s.feedChannel(kind, id, day)
	if why != "" {
		return ch, refusal{code: http.StatusNotFound, why: why}
	}
	ch.Title.VI, ch.Title.EN = ch.heading(), ""
	return ch, nil
}
