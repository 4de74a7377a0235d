package syndicate

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"diemtin/store"
)

// apiStory is a story as lists tell it. It holds what the feeds tell of it, and
// how many outlets carry it.
type apiStory struct {
	ID          string     `json:"id"`
	URN         string     `json:"urn"` // the id of its entry in feeds
	Title       string     `json:"title"`
	URL         string     `json:"url"`  // of the outlet's article
	Page        string     `json:"page"` // of the story, here
	Summary     string     `json:"summary,omitempty"`
	Language    string     `json:"language"`
	Authors     []string   `json:"authors"`
	Outlet      apiOutlet  `json:"outlet"`
	Attribution *apiSource `json:"attribution,omitempty"` // what the article says it comes from
	Image       *apiImage  `json:"image,omitempty"`
	Published   *string    `json:"published"` // by the outlet; null if it does not say
	Day         store.Day  `json:"day"`       // in whose listing it stands
	Listed      string     `json:"listed"`
	Updated     string     `json:"updated"`
	Topics      []string   `json:"topics"` // the primary one first
	Province    string     `json:"province,omitempty"`
	Original    *apiSource `json:"original,omitempty"` // the article it comes from, if that is another
	Backfill    bool       `json:"backfill"`
	Carriers    int        `json:"carriers"`
}

type apiOutlet struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

// apiSource names an article or an outlet elsewhere.
type apiSource struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

type apiImage struct {
	URL    string `json:"url"`
	Type   string `json:"type,omitempty"`
	Length int64  `json:"length,omitempty"` // bytes
}

// exactly is a time with its milliseconds, by which no two changes are the same.
func exactly(t time.Time) string { return t.In(store.Zone).Format("2006-01-02T15:04:05.000Z07:00") }

// tellStory says of a story what its outlet lets be shown.
func (s *Server) tellStory(st *store.Story) apiStory {
	e := s.cfg.quote(st)
	a := apiStory{ID: st.ID, URN: e.id, Title: e.title, URL: e.link, Page: s.cfg.address("/stories/" + st.ID), Summary: e.summary,
		Language: cmp.Or(e.lang, s.cfg.language()), Authors: slices.Clip(e.authors), Outlet: apiOutlet{e.outlet.id, e.outlet.name, e.outlet.home},
		Published: moment(st.Quoted.Published), Day: store.DayOf(st.Shown), Listed: exactly(st.Listed), Updated: exactly(changed(st)),
		Topics: make([]string, 0, len(st.Topics)), Province: st.Province, Backfill: st.Backfill, Carriers: st.Carriers}
	if a.Authors == nil {
		a.Authors = []string{}
	}
	for _, t := range st.Topics {
		a.Topics = append(a.Topics, string(t))
	}
	a.Attribution = sourceOf(s.cfg.attribution(&st.Quoted, &st.Outlet))
	a.Original = sourceOf(s.cfg.otherOriginal(st))
	if e.image.url != "" {
		a.Image = &apiImage{e.image.url, e.image.media, e.image.length}
	}
	return a
}

func sourceOf(l link) *apiSource {
	if l.Text == "" {
		return nil
	}
	return &apiSource{l.Text, l.Href}
}

func (s *Server) tellStories(stories []store.Story) []apiStory {
	all := make([]apiStory, len(stories))
	for i := range stories {
		all[i] = s.tellStory(&stories[i])
	}
	return all
}

// apiPage is a list that goes on.
type apiPage struct {
	Stories []apiStory `json:"stories"`
	Next    *string    `json:"next"`   // address of the next page; null at the end
	Cursor  *string    `json:"cursor"` // for the same
}

// apiStories lists stories, the newest first.
func (s *Server) apiStories(_ *http.Request, q url.Values) (apiDoc, error) {
	a, err := s.apiSelection(q)
	if err == nil {
		err = s.apiDay(&a, q.Get("day"))
	}
	if err != nil {
		return apiDoc{}, err
	}
	query := store.Query{Selection: a.Selection}
	switch order := q.Get("order"); order {
	case "", "listed":
	case "published":
		query.Order = store.ByPublished
		a.add("order", order)
	default:
		return apiDoc{}, badParam("order", "want listed or published, not %q", plainText(order, 40))
	}
	return s.apiList("/stories", a, query, q)
}

// apiSearch lists the stories with some words, the last listed first.
func (s *Server) apiSearch(_ *http.Request, q url.Values) (apiDoc, error) {
	a, err := s.apiSelection(q)
	if err == nil {
		err = apiWords(&a, q.Get("q"))
	}
	if err != nil {
		return apiDoc{}, err
	}
	a.ids = maxMixed // a search is one client's
	return s.apiList("/search", a, store.Query{Selection: a.Selection, Order: store.ByPublished}, q)
}

// apiList is a page of the stories that a query finds.
func (s *Server) apiList(path string, a selected, query store.Query, q url.Values) (apiDoc, error) {
	var err error
	if query.Limit, err = apiLimit(&a, q.Get("limit"), apiStoriesUsual, apiStoriesMost); err != nil {
		return apiDoc{}, err
	}
	further := a
	further.query = slices.Clip(a.query)
	if query.Before, err = apiCursor(&a, "cursor", q.Get("cursor")); err != nil {
		return apiDoc{}, err
	}
	return apiDoc{address: a.address(path), dear: a.dear(), revision: s.store.LastChange, answer: func(ctx context.Context) (any, error) {
		found, err := s.store.Page(ctx, query)
		if err != nil {
			return nil, err
		}
		p := apiPage{Stories: s.tellStories(found.Stories)}
		if !found.Next.At.IsZero() {
			next := further
			cursor := writePlace(found.Next)
			next.add("cursor", cursor)
			to := s.cfg.address(next.address(path))
			p.Next, p.Cursor = &to, &cursor
		}
		return p, nil
	}}, nil
}

// apiChange is what became of one story.
type apiChange struct {
	ID    string    `json:"id"`
	At    string    `json:"at"`
	State string    `json:"state"`           // listed, merged or withdrawn
	Into  string    `json:"into,omitempty"`  // of a merged one: the story it is part of
	Story *apiStory `json:"story,omitempty"` // of a listed one: all of it
}

// apiChangeList is what changed after a place.
type apiChangeList struct {
	Changes []apiChange `json:"changes"`
	Cursor  string      `json:"cursor"` // to be given as since the next time
	Next    string      `json:"next"`   // address of the next answer, also if there is nothing yet
	More    bool        `json:"more"`   // there is more already
}

// apiChanges tells those who mirror the stories what changed.
func (s *Server) apiChanges(_ *http.Request, q url.Values) (apiDoc, error) {
	var a selected
	limit, err := apiLimit(&a, q.Get("limit"), apiChangesUsual, apiChangesMost)
	if err != nil {
		return apiDoc{}, err
	}
	further := a
	further.query = slices.Clip(a.query)
	after, err := apiCursor(&a, "since", q.Get("since"))
	if err != nil {
		return apiDoc{}, err
	}
	return apiDoc{address: a.address("/changes"), revision: s.store.LastChange, answer: func(ctx context.Context) (any, error) {
		all, err := s.store.Changes(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		l := apiChangeList{Changes: make([]apiChange, len(all)), Cursor: "0", More: len(all) == limit}
		if !after.At.IsZero() {
			l.Cursor = writePlace(after)
		}
		for i := range all {
			l.Changes[i] = s.tellChange(&all[i])
			l.Cursor = writePlace(all[i].Place())
		}
		next := further
		next.add("since", l.Cursor)
		l.Next = s.cfg.address(next.address("/changes"))
		return l, nil
	}}, nil
}

func (s *Server) tellChange(c *store.Change) apiChange {
	a := apiChange{ID: c.ID, At: exactly(c.At.At), State: cmp.Or(c.Gone, "listed"), Into: c.Into}
	if c.Gone == "" {
		st := s.tellStory(&c.Story)
		a.Story = &st
	}
	return a
}
