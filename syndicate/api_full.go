package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"diemtin/store"
)

// apiFullStory is all that is known of one story.
type apiFullStory struct {
	apiStory
	OriginalWhy string     `json:"original_why"` // as it was noted, in English
	Copies      []apiCopy  `json:"copies"`       // the oldest first
	Timeline    []apiEvent `json:"timeline"`     // the first first
	Related     []apiStory `json:"related"`      // on the same event, with texts of their own
	Explain     string     `json:"explain"`      // address of why all this is so
}

// apiCopy is one article of a story.
type apiCopy struct {
	Item        int64      `json:"item"`
	Outlet      apiOutlet  `json:"outlet"`
	Title       string     `json:"title"`
	URL         string     `json:"url,omitempty"`
	Published   *string    `json:"published"`
	Seen        string     `json:"seen"`
	Attribution *apiSource `json:"attribution,omitempty"`
	Reason      string     `json:"reason"` // why it is the same story: first, link, text, …
	Score       float64    `json:"score"`  // 0 … 1
	Quoted      bool       `json:"quoted"` // the story shows its words
	Original    bool       `json:"original"`
	Former      []apiTitle `json:"former_titles"`
}

// apiTitle is a headline that an article had.
type apiTitle struct {
	Title string `json:"title"`
	Until string `json:"until"`
}

// apiEvent is one step in how a story spread.
type apiEvent struct {
	At     string `json:"at"`
	Event  string `json:"event"` // appeared, or retitled: it had this headline until now
	Outlet string `json:"outlet"`
	Item   int64  `json:"item"`
	Title  string `json:"title"`

	at time.Time
}

// apiStory tells all of one story.
func (s *Server) apiStory(r *http.Request, _ url.Values) (apiDoc, error) {
	id := r.PathValue("id")
	return apiDoc{address: apiRoot + "/stories/" + url.PathEscape(id), answer: func(ctx context.Context) (any, error) {
		st, copies, err := s.storyAt(ctx, id, "")
		if err != nil {
			return nil, belowAPI(err)
		}
		titles, err := s.store.Titles(ctx, st.ID)
		if err != nil {
			return nil, fmt.Errorf("former headlines of story %s: %w", st.ID, err)
		}
		related, err := s.store.Related(ctx, st.ID, relatedStories)
		if err != nil {
			return nil, err
		}
		full := apiFullStory{apiStory: s.tellStory(&st), OriginalWhy: st.Why, Copies: make([]apiCopy, 0, len(copies)),
			Timeline: []apiEvent{}, Related: make([]apiStory, 0, len(related)), Explain: s.cfg.address(apiRoot + "/stories/" + st.ID + "/explain")}
		for i := range copies {
			full.tellCopy(s, &st, &copies[i], formerTitles(titles[copies[i].Item.ID]))
		}
		slices.SortStableFunc(full.Timeline, func(a, b apiEvent) int { return a.at.Compare(b.at) })
		for i := range related {
			full.Related = append(full.Related, s.tellStory(&related[i].Story))
		}
		return full, nil
	}}, nil
}

// tellCopy adds one article of a story, and what became of it.
func (full *apiFullStory) tellCopy(s *Server, st *store.Story, c *store.Copy, former []formerTitle) {
	it := &c.Item
	by := s.cfg.refer(&c.Outlet, it.Link)
	one := apiCopy{Item: it.ID, Outlet: apiOutlet{by.id, by.name, by.home}, Title: headline(it, &c.Outlet), URL: webLink(it.Link),
		Published: moment(it.Published), Seen: exactly(it.Seen), Attribution: sourceOf(s.cfg.attribution(it, &c.Outlet)),
		Reason: c.Merge.Reason, Score: c.Merge.Score, Quoted: it.ID == st.Quoted.ID, Original: it.ID == st.Original.ID,
		Former: make([]apiTitle, 0, len(former))}
	tell := func(at time.Time, event, title string) {
		full.Timeline = append(full.Timeline, apiEvent{exactly(at), event, by.id, it.ID, title, at})
	}
	first := one.Title
	for i, f := range former {
		if i == 0 {
			first = f.Title
		}
		one.Former = append(one.Former, apiTitle{f.Title, exactly(f.Until)})
		tell(f.Until, "retitled", f.Title)
	}
	tell(appeared(c), "appeared", first)
	full.Copies = append(full.Copies, one)
}

// belowAPI leads to the same story of the API where a page leads to another.
func belowAPI(err error) error {
	if m, ok := err.(moved); ok {
		m.to = apiRoot + m.to
		return m
	}
	return err
}

// apiExplain tells why a story is as it is.
func (s *Server) apiExplain(r *http.Request, _ url.Values) (apiDoc, error) {
	id := r.PathValue("id")
	return apiDoc{address: apiRoot + "/stories/" + url.PathEscape(id) + "/explain", answer: func(ctx context.Context) (any, error) {
		e, _, _, err := s.explain(ctx, id, "/explain")
		if err != nil {
			return nil, belowAPI(err)
		}
		return e, nil
	}}, nil
}

// apiMonthOf is a month of a calendar.
type apiMonthOf struct {
	Month    string   `json:"month"` // 2024-11; empty if there is no news at all
	Days     []apiDay `json:"days"`  // those that have stories, the first first
	Previous *string  `json:"previous"`
	Next     *string  `json:"next"` // the nearest months with stories
}

type apiDay struct {
	Day     store.Day `json:"day"`
	Stories int       `json:"stories"`
	Address string    `json:"url"` // of their list
}

// apiDays counts the stories of the days of a month.
func (s *Server) apiDays(_ *http.Request, q url.Values) (apiDoc, error) {
	a, err := s.apiSelection(q)
	if err != nil {
		return apiDoc{}, err
	}
	if a.Words.Any != nil || a.Words.All != nil || a.Words.Not != nil || a.Languages != nil {
		return apiDoc{}, badParam("channel", "the days of a channel that selects by words or languages are not counted")
	}
	month, err := s.apiMonth(q.Get("month"))
	if err != nil {
		return apiDoc{}, err
	}
	plain := a
	plain.query = slices.Clip(a.query)
	if !month.IsZero() {
		a.add("month", month.Format("2006-01"))
	}
	return apiDoc{address: a.address("/days"), dear: a.dear(), revision: s.store.LastChange, answer: func(ctx context.Context) (any, error) {
		return s.countMonth(ctx, plain, month)
	}}, nil
}

// countMonth counts the days of a month, of the newest one if it is zero.
func (s *Server) countMonth(ctx context.Context, a selected, month time.Time) (any, error) {
	all := apiMonthOf{Days: []apiDay{}}
	if month.IsZero() {
		newest, err := s.store.Stories(ctx, store.Query{Selection: a.Selection, Order: store.ByPublished, Limit: 1})
		if err != nil || len(newest) == 0 {
			return all, err
		}
		t := newest[0].Shown.In(store.Zone)
		month = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, store.Zone)
	}
	first, last := store.DayOf(month), store.DayOf(month.AddDate(0, 1, -1))
	counts, counted, err := s.monthCounts(ctx, &Channel{Path: a.address("/days"), Selection: a.Selection}, first, last)
	if err != nil {
		return nil, err
	}
	if !counted {
		return nil, badParam("channel", "what words or languages select is not counted by day")
	}
	all.Month = month.Format("2006-01")
	for day := first; day <= last; day = day.Next() {
		if n := counts[day]; n > 0 {
			of := a
			of.query = slices.Clip(a.query)
			of.add("day", string(day))
			all.Days = append(all.Days, apiDay{day, n, s.cfg.address(of.address("/stories"))})
		}
	}
	before, _, err := s.store.Neighbours(ctx, a.Selection, first)
	if err != nil {
		return nil, err
	}
	_, after, err := s.store.Neighbours(ctx, a.Selection, last)
	if err != nil {
		return nil, err
	}
	all.Previous, all.Next = monthIn(before), monthIn(after)
	return all, nil
}

// monthIn is the month of a day, or null.
func monthIn(d store.Day) *string {
	if d == "" {
		return nil
	}
	month := string(d[:len("2006-01")])
	return &month
}
