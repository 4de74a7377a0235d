package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"diemtin/store"
)

// statusView is the health of every source.
type statusView struct {
	Fine, Failing, Waiting string // "12 nguồn đang đọc tốt"; empty if none
	Trouble                []sourceRow
	Outlets                []outletHealth
	Others                 string // address of the editors' list of what has no topic; may be empty
	Feeds                  []feedLink
}

// outletHealth is the sources of one outlet.
type outletHealth struct {
	Outlet link
	Rows   []sourceRow
}

// sourceRow is the health of one source.
type sourceRow struct {
	ID      string
	Anchor  string // its id on the page; empty where it stands a second time
	Outlet  link
	Named   bool // say whose it is: the row does not stand under its outlet
	Kind    string
	URL     string // without what lets one in
	Open    bool   // URL leads there as it is
	State   string // fine, failing or waiting: for its colour
	Last    time.Time
	Result  string
	Repairs []repairRow // what had to be mended in its last document
	Detail  string      // what went wrong, as it was noted, in English
	Fails   string      // "3 lần liền không đọc được"
	Next    time.Time
	Soon    bool   // due, no time known
	Pace    string // why then
	Why     string // the same as it was noted, in English
	Advice  string
	Moved   string // where its address redirects for good; empty if nowhere
}

// statusPage shows how reading goes, for readers and for webmasters of outlets.
func (s *Server) statusPage(ctx context.Context, _ *http.Request) (page, error) {
	sources, err := s.store.Sources(ctx)
	if err != nil {
		return page{}, fmt.Errorf("sources: %w", err)
	}
	ch := s.statusChannel()
	v := statusView{Feeds: ch.feeds()}
	if s.cfg.NearTopics != nil {
		v.Others = unclassifiedPath
	}
	count := map[string]int{}
	for _, src := range sources {
		if !src.Active {
			continue
		}
		row := s.sourceRow(src)
		count[row.State]++
		if row.State == "failing" {
			named := row
			named.Named, row.Anchor = true, ""
			v.Trouble = append(v.Trouble, named)
		}
		if n := len(v.Outlets); n == 0 || v.Outlets[n-1].Outlet != row.Outlet {
			v.Outlets = append(v.Outlets, outletHealth{Outlet: row.Outlet})
		}
		last := &v.Outlets[len(v.Outlets)-1]
		last.Rows = append(last.Rows, row)
	}
	say := func(state string) string {
		if count[state] == 0 {
			return ""
		}
		return fmt.Sprintf(s.words["status."+state], count[state])
	}
	v.Fine, v.Failing, v.Waiting = say("fine"), say("failing"), say("waiting")
	return page{View: "status", Title: s.words["status.title"], About: s.words["status.lead"],
		Path: "/status", NoIndex: true, Feeds: v.Feeds, Body: v}, nil
}

// sourceRow shows one source. Of our own faults the detail is left out: it
// could tell about this machine.
func (s *Server) sourceRow(src store.Source) sourceRow {
	x := src.State
	row := sourceRow{
		ID: src.ID, Anchor: sourceAnchor(src.ID), Kind: s.words.or("status."+src.Kind, src.Kind), URL: publicAddress(src.URL), State: "fine",
		Outlet: link{Text: src.Outlet}, Last: x.LastSuccess, Next: x.NextAt, Soon: x.NextAt.IsZero(), Why: x.Why,
		Result: s.words.or("outcome."+string(x.Outcome), string(x.Outcome)),
	}
	if o := s.cfg.outlet(src.Outlet); o != nil {
		row.Outlet = s.outletLink(o)
	}
	row.Pace = s.words[pace(x.Outcome)]
	row.Open = row.URL == src.URL
	row.Repairs = s.repairRows(x.Repairs)
	if x.MovedTo != "" {
		row.Moved = publicAddress(x.MovedTo)
	}
	switch {
	case x.Outcome == "":
		row.State = "waiting"
	case !x.Outcome.OK():
		row.State = "failing"
		row.Advice = s.words["advice."+string(x.Outcome)]
		if x.Outcome != store.Internal {
			row.Detail = publicDetail(x.Detail)
		}
		if x.Fails > 1 {
			row.Fails = fmt.Sprintf(s.words["status.fails"], x.Fails)
		}
	}
	return row
}

// pace is the key of the text that says for readers what the schedule made of
// an outcome; the state's Why says it exactly, in English.
func pace(o store.Outcome) string {
	switch {
	case o == "":
		return "pace.first"
	case o == store.New:
		return "pace.news"
	case o.OK():
		return "pace.quiet"
	case o == store.Gone:
		return "pace.gone"
	case o == store.Throttled:
		return "pace.asked"
	}
	return "pace.failing"
}
