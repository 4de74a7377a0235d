package syndicate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// explainView is why a story is where it is.
type explainView struct {
	Title     string
	Back      string
	JSON      string // address of the same for programs
	Topics    []topicWhy
	Others    string // address of the editors' list of what has no topic; may be empty
	Copies    []copyWhy
	Single    bool
	Origin    byline // of the original; empty if it may not be shown
	OriginWhy Said   // why it is, as it was noted; empty if Reasons tell
	Reasons   []Said
	Outside   link // where the true original is, if it is none of the copies
	Near      []nearRow
	Rulings   []rulingRow
}

// copyWhy is a copy with the evidence for it.
type copyWhy struct {
	copyRow
	Said     Said // empty if nobody puts the evidence into words
	Noted    Said // the evidence as it was noted
	Clock    *Said
	Compared *Compared
}

// nearRow is a story that is near and was not merged.
type nearRow struct {
	NearWhy
	At    time.Time // zero if unknown
	Noted Said      // the verdict
}

// rulingRow is an editor's decision.
type rulingRow struct {
	RulingWhy
	At time.Time
}

// topicWhy is the evidence for one topic of an item.
type topicWhy struct {
	Topic   link
	Primary bool
	Second  bool // given by the second opinion: Score is a probability
	Score   string
	Reasons []phraseRow
}

// phraseRow is one piece of evidence.
type phraseRow struct{ Text, Place, Weight string }

// explain puts the explanation of a story together, of the copies that may be
// shown.
func (s *Server) explain(ctx context.Context, id, rest string) (Explanation, store.Story, []store.Copy, error) {
	st, copies, err := s.storyAt(ctx, id, rest)
	if err != nil {
		return Explanation{}, st, nil, err
	}
	e := NewExplanation(st, copies)
	if s.cfg.Explainer != nil {
		if err := s.cfg.Explainer.Explain(ctx, &e, st, copies); err != nil {
			return e, st, copies, fmt.Errorf("explain story %s: %w", id, err)
		}
	}
	return e, st, copies, nil
}

// explainPage shows what stands behind a story: the phrases that gave it its
// topics, why its items are one story, which of them is the original, and what
// came near without being it.
func (s *Server) explainPage(ctx context.Context, r *http.Request) (page, error) {
	e, st, copies, err := s.explain(ctx, r.PathValue("id"), "/explain")
	if err != nil {
		return page{}, err
	}
	v := explainView{Title: headline(&st.Quoted, &st.Outlet), Back: "/stories/" + st.ID, JSON: "/stories/" + st.ID + "/explain.json",
		Topics: s.topicWhys(st.Quoted.Topics), Single: len(copies) < 2, Reasons: e.Reasons}
	if s.cfg.NearTopics != nil {
		v.Others = unclassifiedPath
	}
	rows, err := s.copyRows(ctx, st, copies)
	if err != nil {
		return page{}, err
	}
	for i, row := range rows {
		why := e.Copies[i]
		v.Copies = append(v.Copies, copyWhy{row, why.Reason, s.cfg.noted(row.Evidence), why.Clock, why.Compared})
		if !row.Original {
			continue
		}
		v.Origin = row.By
		if len(e.Reasons) == 0 {
			v.OriginWhy = s.cfg.noted(e.Why)
		}
		if e.Outside != nil {
			v.Outside = link{Text: plainName(e.Outside.Text), Href: webLink(e.Outside.Link)}
		}
	}
	for _, n := range e.Near {
		n.Title, n.OutletName, n.Link = scrub(n.Title), plainName(n.OutletName), webLink(n.Link)
		v.Near = append(v.Near, nearRow{n, timeOf(n.Published), s.cfg.noted(n.Evidence)})
	}
	for _, r := range e.Rulings {
		v.Rulings = append(v.Rulings, rulingRow{r, timeOf(r.At)})
	}
	return page{View: "explain", Title: s.words["why.title"], NoIndex: true, Body: v}, nil
}

// noted is what was noted as evidence, in both languages; the same in both if
// nobody puts it into words.
func (c *Config) noted(evidence string) Said {
	if c.Noted == nil {
		return Said{VI: evidence, EN: evidence}
	}
	return Said{VI: c.Noted(evidence), EN: evidence}
}

// timeOf is the time of a moment; zero if it is unknown.
func timeOf(at *string) time.Time {
	if at == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *at)
	if err != nil {
		return time.Time{}
	}
	return t
}

// explainJSON gives programs the same.
func (s *Server) explainJSON(w http.ResponseWriter, r *http.Request) {
	doc, err := s.pages.get(r.URL.Path, func() (*rendition, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTimeout)
		defer cancel()
		e, _, _, err := s.explain(ctx, r.PathValue("id"), "/explain.json")
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false) // it is served as JSON, never inside a page
		enc.SetIndent("", "  ")
		if err := enc.Encode(e); err != nil {
			return nil, renderError{err}
		}
		header := http.Header{"Cache-Control": {askFirst}, "X-Content-Type-Options": {"nosniff"}, "X-Robots-Tag": {"noindex"}}
		return newRendition(b.Bytes(), "application/json", header, time.Time{})
	})
	if err != nil {
		s.answerWithout(w, r, err)
		return
	}
	doc.serve(w, r)
}

// topicWhys shows the evidence for the topics of an item.
func (s *Server) topicWhys(topics []store.ItemTopic) []topicWhy {
	var whys []topicWhy
	for _, t := range topics {
		names := s.topicLinks([]store.Topic{t.Topic})
		if names == nil {
			continue
		}
		why := topicWhy{Topic: names[0], Primary: t.Primary, Second: len(t.Reasons) > 0, Score: s.lang.decimal(t.Score)}
		for _, p := range t.Reasons {
			why.Second = why.Second && p.Place == "opinion"
		}
		why.Reasons = s.phraseRows(t.Reasons)
		whys = append(whys, why)
	}
	return whys
}

// decimal writes a number with at most two places.
func (l *language) decimal(x float64) string {
	text := strconv.FormatFloat(x, 'f', 2, 64)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	return strings.Replace(text, ".", l.comma, 1)
}
