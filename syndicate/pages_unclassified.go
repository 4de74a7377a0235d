package syndicate

import (
	"context"
	"fmt"
	"net/http"

	"diemtin/store"
)

const (
	// unclassifiedPath is the page for editors: it is linked from the pages on
	// how things are done only.
	unclassifiedPath = "/status/chua-phan-loai"
	// maxUnclassified is how many stories it lists, the newest.
	maxUnclassified = 100
	// maxNearTopics is how many near topics it shows of each.
	maxNearTopics = 3
)

// NearTopic is a topic that an item did not get, or would get by the rules in
// force.
type NearTopic struct {
	store.ItemTopic
	Needed   float64 // points it takes
	Silenced string  // the phrase that keeps it away, empty if none
	Chosen   bool    // the rules in force give it: they are newer than the item
}

// unclassifiedView lists stories without a topic.
type unclassifiedView struct {
	Rows []unclassifiedRow
}

type unclassifiedRow struct {
	Story link
	Why   string // address of its explanation
	By    string // the outlet
	Near  []nearTopicRow
}

// nearTopicRow is one near topic: what it has, needs and lacks.
type nearTopicRow struct {
	Topic   link
	Said    string
	Phrases []phraseRow
}

// unclassifiedPage lists the newest stories without a topic, with the phrases
// that nearly matched: where the rules can be improved.
func (s *Server) unclassifiedPage(ctx context.Context, _ *http.Request) (page, error) {
	if s.cfg.NearTopics == nil {
		return page{}, store.ErrNotFound
	}
	stories, err := s.store.Stories(ctx, store.Query{Selection: store.Selection{Topics: []store.Topic{store.NoTopic}},
		Order: store.ByPublished, Limit: maxUnclassified})
	if err != nil {
		return page{}, fmt.Errorf("unclassified stories: %w", err)
	}
	var v unclassifiedView
	for i := range stories {
		st := &stories[i]
		row := unclassifiedRow{Story: link{Text: headline(&st.Quoted, &st.Outlet), Href: "/stories/" + st.ID},
			Why: "/stories/" + st.ID + "/explain", By: plainName(st.Outlet.Name)}
		for _, n := range s.cfg.NearTopics(&st.Quoted) {
			if names := s.topicLinks([]store.Topic{n.Topic}); len(names) > 0 && len(row.Near) < maxNearTopics {
				row.Near = append(row.Near, nearTopicRow{names[0], s.nearSaid(n), s.phraseRows(n.Reasons)})
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return page{View: "unclassified", Title: s.words["unclassified.title"], About: s.words["unclassified.lead"],
		Path: unclassifiedPath, NoIndex: true, Body: v}, nil
}

// nearSaid says how far a topic was off.
func (s *Server) nearSaid(n NearTopic) string {
	switch {
	case n.Silenced != "":
		return fmt.Sprintf(s.words["unclassified.silenced"], s.lang.decimal(n.Score), n.Silenced)
	case n.Chosen:
		return fmt.Sprintf(s.words["unclassified.newer"], s.lang.decimal(n.Score), s.lang.decimal(n.Needed))
	}
	return fmt.Sprintf(s.words["unclassified.near"], s.lang.decimal(n.Score), s.lang.decimal(n.Needed), s.lang.decimal(max(0, n.Needed-n.Score)))
}

// phraseRows shows evidence for a topic.
func (s *Server) phraseRows(reasons []store.Phrase) []phraseRow {
	var rows []phraseRow
	for _, p := range reasons {
		text := p.Text
		if section, ok := s.cfg.channel("topics", text); ok && p.Place == "section" {
			text, _ = s.lang.called(section.Title)
		}
		rows = append(rows, phraseRow{text, s.words.or("place."+p.Place, p.Place), s.lang.decimal(p.Weight)})
	}
	return rows
}
