package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"diemtin/aggregator"
	"diemtin/store"
)

// explainedVerdict is what the rules of the configuration say of one topic of
// a story's quoted item: the sum against the threshold, for those not chosen
// too.
type explainedVerdict struct {
	Topic    store.Topic    `json:"topic"`
	Chosen   bool           `json:"chosen"`
	Primary  bool           `json:"primary,omitempty"`
	Score    float64        `json:"score"`
	Needed   float64        `json:"needed"`
	Off      float64        `json:"off,omitempty"` // what it lacks
	Silenced string         `json:"silenced,omitempty"`
	Reasons  []store.Phrase `json:"reasons"`
}

// explainVerdicts judges the item that a story quotes by the rules of a
// configuration.
func explainVerdicts(ctx context.Context, db *store.DB, config string, it *store.Item) ([]explainedVerdict, error) {
	cfg, c, err := loadRules(config)
	if err != nil {
		return nil, err
	}
	sources, err := db.Sources(ctx)
	if err != nil {
		return nil, err
	}
	all := []explainedVerdict{}
	for _, v := range c.Judge(aggregator.NewItemReader(cfg.aggregate, sources).Text(it)) {
		e := explainedVerdict{Topic: v.Topic, Chosen: v.Chosen, Primary: v.Primary, Score: v.Score, Needed: v.Needed, Silenced: v.Silenced, Reasons: v.Reasons}
		if !v.Chosen {
			e.Off = shortBy(v)
		}
		all = append(all, e)
	}
	return all, nil
}

// writeVerdicts shows the topics that were not chosen, and says where the rules
// of today give other topics than the story has.
func (e explainedStory) writeVerdicts(w io.Writer) {
	if e.RulesFault != "" {
		fmt.Fprintf(w, "    không xét được theo quy tắc: %s   (the rules cannot be asked)\n", e.RulesFault)
		return
	}
	var today []string
	for _, v := range e.Verdicts {
		if v.Chosen {
			today = append(today, string(v.Topic))
			fmt.Fprintf(w, "    đạt         %s %v trên %v   (chosen)\n", v.Topic, v.Score, v.Needed)
			continue
		}
		end := fmt.Sprintf("%v trên %v, thiếu %v", v.Score, v.Needed, v.Off)
		if v.Silenced != "" {
			end = fmt.Sprintf("%v, bị loại bởi “%s”", v.Score, v.Silenced)
		}
		fmt.Fprintf(w, "    không đạt   %s %s: %s   (not chosen)\n", v.Topic, end, phraseList(v.Reasons))
	}
	var has []string
	for _, t := range e.StoryTopics {
		has = append(has, string(t))
	}
	slices.Sort(today)
	if slices.Sort(has); e.Verdicts != nil && !slices.Equal(has, today) {
		fmt.Fprintf(w, "    tin đang ở %s: do bản khác, quyết định của biên tập hoặc quy tắc cũ\n    (the story has these by other copies, rulings or older rules; see diemtin topics diff)\n", orNone(has))
	}
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "không chuyên mục nào"
	}
	return strings.Join(words, ", ")
}

// phraseList writes evidence in a line.
func phraseList(reasons []store.Phrase) string {
	var words []string
	for _, r := range reasons {
		words = append(words, fmt.Sprintf("%s (%s %v)", r.Text, r.Place, r.Weight))
	}
	return strings.Join(words, ", ")
}
