package syndicate

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"diemtin/store"
)

// explainView is why a story is where it is.
type explainView struct {
	Title     string
	Back      string
	Topics    []topicWhy
	Copies    []copyRow
	Single    bool
	Origin    byline // of the original; empty if it may not be shown
	OriginWhy string // why it is, as it was noted, in English
}

// topicWhy is the evidence for one topic of an item.
type topicWhy struct {
	Topic   link
	Primary bool
	Score   string
	Reasons []phraseRow
}

// phraseRow is one piece of evidence.
type phraseRow struct{ Text, Place, Weight string }

// explainPage shows what stands behind a story: the phrases that gave it its
// topics, why its items are one story, and which of them is the original.
func (s *Server) explainPage(ctx context.Context, r *http.Request) (page, error) {
	st, copies, err := s.storyAt(ctx, r.PathValue("id"), "/explain")
	if err != nil {
		return page{}, err
	}
	v := explainView{Title: headline(&st.Quoted, &st.Outlet), Back: "/stories/" + st.ID, Topics: s.topicWhys(st.Quoted.Topics),
		Copies: s.copyRows(st, copies), Single: len(copies) < 2}
	for _, row := range v.Copies {
		if row.Original {
			v.Origin, v.OriginWhy = row.By, st.Why
		}
	}
	return page{View: "explain", Title: s.words["why.title"], NoIndex: true, Body: v}, nil
}

// topicWhys shows the evidence for the topics of an item.
func (s *Server) topicWhys(topics []store.ItemTopic) []topicWhy {
	var whys []topicWhy
	for _, t := range topics {
		names := s.cfg.topicLinks([]store.Topic{t.Topic})
		if names == nil {
			continue
		}
		why := topicWhy{Topic: names[0], Primary: t.Primary, Score: decimal(t.Score)}
		for _, p := range t.Reasons {
			text := p.Text
			if section, ok := s.cfg.channel("topics", text); ok && p.Place == "section" {
				text = section.Title.VI
			}
			why.Reasons = append(why.Reasons, phraseRow{text, s.words.or("place."+p.Place, p.Place), decimal(p.Weight)})
		}
		whys = append(whys, why)
	}
	return whys
}

// decimal writes a number as Vietnamese does: at most two places, after a comma.
func decimal(x float64) string {
	text := strconv.FormatFloat(x, 'f', 2, 64)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	return strings.Replace(text, ".", ",", 1)
}
