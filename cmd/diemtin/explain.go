package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

var explainVerb = verb{name: "explain", args: "STORY|SOURCE|URL", short: "Say why a story has its topics, copies and original, or how a source is doing.",
	example: "diemtin explain --db sqlite:diemtin.db nhandan-home",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		asJSON := fs.Bool("json", false, "print one JSON object")
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("explain: want the id of a story or a source, or an article's address")}
			}
			db, err := store.OpenReadOnly(ctx, *dsn)
			if err != nil {
				return err
			}
			defer db.Close()
			e, err := explain(ctx, db, *name, args[0])
			switch {
			case err != nil:
				return err
			case *asJSON:
				return writeJSON(std.out, e)
			}
			e.write(std.out)
			return nil
		}
	}}

// explained is either a story or a source.
type explained interface{ write(io.Writer) }

func explain(ctx context.Context, db *store.DB, config, ref string) (explained, error) {
	src, err := db.Source(ctx, ref)
	if err == nil {
		e := newExplainedSource(src)
		if e.Articles, err = explainArticles(ctx, db, src.ID); err != nil {
			return nil, err
		}
		e.Push, err = explainPush(ctx, db, src.ID, time.Now())
		return e, err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	id := ref
	if key := aggregator.LinkKey(ref); key != "" {
		if id, err = db.StoryOfLink(ctx, key); err != nil {
			return nil, err
		}
	}
	s, err := db.Story(ctx, id)
	if errors.Is(err, store.ErrWithdrawn) {
		return nil, fmt.Errorf("story %s is withdrawn: its outlet has removed the article; its page answers 410, and it comes back if the article does", id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%q is neither a source nor a listed story nor the address of an item", ref)
	}
	if err != nil {
		return nil, err
	}
	copies, err := db.Copies(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	pages, err := db.StoryArticles(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	x, err := newExplainer(ctx, db)
	if err != nil {
		return nil, err
	}
	e := explainedStory{Explanation: syndicate.NewExplanation(s, copies), Pages: newExplainedArticles(pages), StoryTopics: orEmpty(s.Topics)}
	if e.Verdicts, err = explainVerdicts(ctx, db, config, &s.Quoted); err != nil { // what is stored can be told without it
		e.RulesFault = err.Error()
	}
	return e, x.Explain(ctx, &e.Explanation, s, copies)
}

func shown(s *string) string {
	if s == nil {
		return "unknown"
	}
	return *s
}

// explainedSource is the shape of explain --json for a source; its keys stay.
type explainedSource struct {
	Source      string             `json:"source"`
	Outlet      string             `json:"outlet"`
	Kind        string             `json:"kind"`
	URL         string             `json:"url"`
	Active      bool               `json:"active"`
	Outcome     store.Outcome      `json:"outcome"`
	Detail      string             `json:"detail,omitempty"`
	Advice      string             `json:"advice,omitempty"`
	Fails       int                `json:"failures_in_a_row"`
	LastTry     *string            `json:"last_try"`
	LastSuccess *string            `json:"last_success"`
	LastNew     *string            `json:"last_new_item"`
	Next        *string            `json:"next"`
	Interval    string             `json:"interval"`
	Why         string             `json:"why"`
	Robots      string             `json:"robots,omitempty"`   // what robots.txt says of its address
	MovedTo     string             `json:"moved_to,omitempty"` // where the address redirects for good
	Repairs     []store.Repair     `json:"repairs"`            // of the last document that was read
	Articles    *explainedArticles `json:"articles,omitempty"` // the pages of its newest items
	Push        *explainedPush     `json:"push,omitempty"`     // if its document names a hub
}

func newExplainedSource(s store.Source) explainedSource {
	st := s.State
	return explainedSource{Source: s.ID, Outlet: s.Outlet, Kind: s.Kind, URL: s.URL, Active: s.Active, Outcome: st.Outcome,
		Detail: st.Detail, Advice: aggregator.Advice(st.Outcome), Fails: st.Fails, LastTry: stamp(st.LastTry),
		LastSuccess: stamp(st.LastSuccess), LastNew: stamp(st.LastNew), Next: stamp(st.NextAt),
		Interval: st.Interval.Round(time.Second).String(), Why: st.Why, Robots: st.Robots, MovedTo: st.MovedTo, Repairs: orEmpty(st.Repairs)}
}

func (e explainedSource) write(w io.Writer) {
	fmt.Fprintf(w, "%s (%s of %s)\n  %s\n", e.Source, e.Kind, e.Outlet, e.URL)
	if !e.Active {
		fmt.Fprintln(w, "  switched off: it is no longer in feeds.yaml; its history is kept")
	}
	if e.LastTry == nil {
		fmt.Fprintln(w, "  never visited yet")
		return
	}
	fmt.Fprintf(w, "  last visit    %s: %s\n", shown(e.LastTry), e.Outcome)
	if e.Detail != "" {
		fmt.Fprintf(w, "  cause         %s\n  advice        %s\n  failures      %d in a row\n", e.Detail, e.Advice, e.Fails)
	}
	fmt.Fprintf(w, "  last success  %s\n  last new item %s\n  next visit    %s, every %s: %s\n",
		shown(e.LastSuccess), shown(e.LastNew), shown(e.Next), e.Interval, e.Why)
	if e.Robots != "" {
		fmt.Fprintf(w, "  robots.txt    %s\n", e.Robots)
	}
	if e.MovedTo != "" {
		fmt.Fprintf(w, "  moved         its address redirects for good to %s: change the url\n", e.MovedTo)
	}
	if e.Articles != nil {
		e.Articles.write(w)
	}
	if e.Push != nil {
		e.Push.write(w)
	}
	for _, r := range e.Repairs {
		fmt.Fprintf(w, "  repaired      %s ×%d %s\n", r.Kind, r.Count, r.Detail)
	}
}

// explainedPush is a source's subscription to its hub, without its secrets.
type explainedPush struct {
	Hub       string  `json:"hub"`
	Topic     string  `json:"topic"`
	State     string  `json:"state"`
	Verified  *string `json:"verified"`
	Expires   *string `json:"expires"`
	Delivered *string `json:"last_delivery"`
	Missed    int     `json:"missed_in_a_row"`
	Next      *string `json:"next_request"`
	Detail    string  `json:"detail,omitempty"`
}

// explainPush is nil for a source without a hub.
func explainPush(ctx context.Context, db *store.DB, source string, now time.Time) (*explainedPush, error) {
	all, err := db.Pushes(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Source == source && p.State != store.PushLeaving {
			return &explainedPush{Hub: p.Hub, Topic: p.Topic, State: aggregator.Standing(p, now), Verified: stamp(p.Verified), Expires: stamp(p.Expires),
				Delivered: stamp(p.Delivered), Missed: p.Missed, Next: stamp(p.NextAt), Detail: p.Detail}, nil
		}
	}
	return nil, nil
}

func (p *explainedPush) write(w io.Writer) {
	fmt.Fprintf(w, "  hub           %s: %s", p.Hub, p.State)
	if p.State == "verified" || p.State == "distrusted" {
		fmt.Fprintf(w, " until %s, last delivery %s", shown(p.Expires), shown(p.Delivered))
	}
	fmt.Fprintf(w, ", asked again %s", shown(p.Next))
	if p.Missed > 0 {
		fmt.Fprintf(w, "; the last %d visits found news that it had not delivered", p.Missed)
	}
	if p.Detail != "" {
		fmt.Fprintf(w, "; %s", p.Detail)
	}
	fmt.Fprintln(w)
}
