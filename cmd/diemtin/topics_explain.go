package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
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
	Second   bool           `json:"second_opinion,omitempty"` // given by that alone: score and needed are probabilities
}

// explainedOpinion is what the second opinion finds most probable for a
// story's quoted item, heard or not.
type explainedOpinion struct {
	Topic       store.Topic    `json:"topic"`
	Probability float64        `json:"probability"`
	Needed      float64        `json:"needed"` // 0 = it is never heard on this topic
	Heard       bool           `json:"heard"`  // sure enough, if the rules were silent
	Words       []store.Phrase `json:"words"`
}

// explainVerdicts judges the item that a story quotes by the rules of a
// configuration.
func (e *explainedStory) explainVerdicts(ctx context.Context, db *store.DB, config string, it *store.Item) error {
	cfg, c, err := loadRules(config)
	if err != nil {
		return err
	}
	if c, err = aggregator.Opinionated(ctx, cfg.aggregate, c, db); err != nil {
		return err
	}
	sources, err := db.Sources(ctx)
	if err != nil {
		return err
	}
	text := aggregator.NewItemReader(cfg.aggregate, sources).Text(it)
	e.Verdicts = []explainedVerdict{}
	for _, v := range c.Judge(text) {
		x := explainedVerdict{Second: v.Second, Topic: v.Topic, Chosen: v.Chosen, Primary: v.Primary, Score: v.Score, Needed: v.Needed, Silenced: v.Silenced, Reasons: v.Reasons}
		if !v.Chosen {
			x.Off = shortBy(v)
		}
		e.Verdicts = append(e.Verdicts, x)
	}
	if s, ok := c.SecondOpinion(text); ok {
		e.Opinion = &explainedOpinion{Topic: s.Topic, Probability: math.Round(s.Probability*1000) / 1000, Heard: s.Heard(), Words: orEmpty(s.Words)}
		if s.Least <= 1 {
			e.Opinion.Needed = math.Round(s.Least*1000) / 1000
		}
	}
	return nil
}

// write shows the opinion in a line.
func (o *explainedOpinion) write(w io.Writer) {
	end := fmt.Sprintf("cần %v mới được tính", o.Needed)
	if o.Needed == 0 {
		end = "chưa đủ tin bài để được tính"
	}
	fmt.Fprintf(w, "    ý kiến thứ hai: %s, xác suất %v, %s: %s\n    (second opinion; heard only where the rules are silent or tied)\n", o.Topic, o.Probability, end, phraseList(o.Words))
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
		if v.Second {
			today = append(today, string(v.Topic))
			fmt.Fprintf(w, "    đạt         %s theo ý kiến thứ hai, xác suất %v trên %v   (chosen by the second opinion)\n", v.Topic, v.Score, v.Needed)
			continue
		}
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
	if e.Opinion != nil {
		e.Opinion.write(w)
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

// nearTopics judges items for the editors' list of those without a topic.
func (s *service) nearTopics(ctx context.Context, cfg *config) (func(*store.Item) []syndicate.NearTopic, error) {
	sources, err := s.db.Sources(ctx)
	if err != nil {
		return nil, err
	}
	reader := aggregator.NewItemReader(cfg.aggregate, sources)
	return func(it *store.Item) []syndicate.NearTopic {
		var near []syndicate.NearTopic
		for _, v := range s.aggregator.JudgeItem(reader, it) {
			near = append(near, syndicate.NearTopic{ItemTopic: v.ItemTopic, Needed: v.Needed, Silenced: v.Silenced, Chosen: v.Chosen})
		}
		return near
	}, nil
}
