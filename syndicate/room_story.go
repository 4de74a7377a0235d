package syndicate

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"diemtin/store"
)

// storyRoom is a story with the reasons for it, and what can be done.
type storyRoom struct {
	Story   roomStory
	Public  string // address of its page for readers; "" = readers do not see it
	Hidden  *ledgerRow
	Gone    bool // its outlets took it back
	Has     []topicChoice
	Lacks   []topicChoice
	Whys    []topicWhy
	Reasons []Said // why its original is that
	Why     string // as noted, where there are none
	Outside *Outside
	Copies  []copyRoom
	Near    []nearRow
	Merges  []ledgerRow // in force: each can be undone
	Ledger  []ledgerRow
}

// copyRoom is one item of a story.
type copyRoom struct {
	CopyWhy
	At time.Time
}

// storyRulings bounds the rulings that a story's page shows.
const storyRulings = 50

func (m *Room) storyPage(ctx context.Context, r *http.Request, in visitor) (roomView, error) {
	id := r.PathValue("id")
	st, err := m.store.Story(ctx, id)
	switch {
	case errors.Is(err, store.ErrWithdrawn):
		return m.hiddenPage(ctx, r, in)
	case err != nil:
		return roomView{}, err
	case st.ID != id:
		return roomView{}, leadsTo(st.ID, r)
	}
	v, err := m.explained(ctx, st)
	if err != nil {
		return roomView{}, err
	}
	v.Public = m.site().cfg.Site.BaseURL + "/stories/" + st.ID
	if err := m.ruled(ctx, &v, in); err != nil {
		return roomView{}, err
	}
	return roomView{View: "tin", Title: v.Story.Title, Nav: "/", Body: v}, nil
}

// leadsTo is the page of the story that the one asked for is part of, with what
// was just done.
func leadsTo(story string, r *http.Request) moved {
	to := url.URL{Path: "/tin/" + story, RawQuery: r.URL.RawQuery}
	return moved{to.String(), http.StatusSeeOther}
}

// explained puts a listed story together with its explanation.
func (m *Room) explained(ctx context.Context, st store.Story) (storyRoom, error) {
	v := storyRoom{Story: m.storyRow(&st), Whys: m.site().topicWhys(st.Quoted.Topics)}
	copies, err := m.store.Copies(ctx, st.ID)
	if err != nil {
		return v, err
	}
	e := NewExplanation(st, copies)
	if err := m.explain.Explain(ctx, &e, st, copies); err != nil {
		return v, err
	}
	v.Reasons, v.Outside = e.Reasons, e.Outside
	if len(e.Reasons) == 0 {
		v.Why = e.Why
	}
	for i, c := range e.Copies {
		c.Link = webLink(c.Link)
		v.Copies = append(v.Copies, copyRoom{c, copies[i].Item.Time()})
	}
	for _, n := range e.Near {
		n.Title, n.OutletName, n.Link = scrub(n.Title), plainName(n.OutletName), webLink(n.Link)
		v.Near = append(v.Near, nearRow{n, timeOf(n.Published), m.site().cfg.noted(n.Evidence)})
	}
	for _, t := range m.topicChoices() {
		if slices.Contains(st.Topics, store.Topic(t.ID)) {
			v.Has = append(v.Has, t)
		} else {
			v.Lacks = append(v.Lacks, t)
		}
	}
	return v, nil
}

// ruled adds what was ruled on a story.
func (m *Room) ruled(ctx context.Context, v *storyRoom, in visitor) error {
	all, err := m.desk.Rulings(ctx, store.RulingQuery{Story: v.Story.ID, Limit: storyRulings})
	if err != nil {
		return err
	}
	rows, err := m.ledgerRows(ctx, all, in)
	if err != nil {
		return err
	}
	for i, r := range all {
		if r.Verb == store.RuleMerge && r.Story == v.Story.ID && r.Undone == 0 {
			v.Merges = append(v.Merges, rows[i])
		}
		if r.Who != "" {
			v.Ledger = append(v.Ledger, rows[i])
		}
	}
	return nil
}

// hiddenPage shows a story that readers do not see.
func (m *Room) hiddenPage(ctx context.Context, r *http.Request, in visitor) (roomView, error) {
	id, by, err := m.store.HiddenBy(ctx, r.PathValue("id"))
	if err != nil {
		return roomView{}, err
	}
	if id != r.PathValue("id") {
		return roomView{}, leadsTo(id, r)
	}
	names, err := m.store.Headlines(ctx, []string{id})
	if err != nil {
		return roomView{}, err
	}
	v := storyRoom{Story: roomStory{ID: id, Title: cmp.Or(scrub(names[id]), "Tin "+id)}, Gone: by == 0}
	copies, err := m.store.Copies(ctx, id)
	if err != nil {
		return roomView{}, err
	}
	for _, c := range copies {
		v.Copies = append(v.Copies, copyRoom{CopyWhy{Item: c.Item.ID, OutletName: plainName(c.Outlet.Name), Title: headline(&c.Item, &c.Outlet), Link: webLink(c.Item.Link)}, c.Item.Time()})
	}
	if err := m.ruled(ctx, &v, in); err != nil {
		return roomView{}, err
	}
	if by > 0 {
		hidden, err := m.ruling(ctx, by)
		if err != nil {
			return roomView{}, err
		}
		rows, err := m.ledgerRows(ctx, []store.Ruling{hidden}, in)
		if err != nil {
			return roomView{}, err
		}
		v.Hidden = &rows[0]
	}
	return roomView{View: "tin-an", Title: v.Story.Title, Nav: "/", Body: v}, nil
}
