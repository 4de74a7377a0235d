package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

const (
	// triedSpan is how far back a rule is tried on what is stored.
	triedSpan = 30 * day
	// tryTime and tryItems bound one trial, in which an editor waits: reading
	// an item and looking for a phrase takes some 30 µs.
	tryTime  = 8 * time.Second
	tryItems = 300_000
	// trySamples is how many items a trial shows of each topic and direction.
	trySamples = 8
)

// room is the editors' room of a service.
type room struct {
	*syndicate.Room
	news *newsroom
}

// newRoom builds it.
func (s *service) newRoom(ctx context.Context, cfg *config, tokens string) (*room, error) {
	if tokens == "" && cfg.syndicate.Editors.Header == "" {
		return nil, errors.New("--editors: nobody could sign in; give --tokens, or editors.header in feeds.yaml")
	}
	n, err := newNewsroom(ctx, cfg, s.db, s.desk)
	if err != nil {
		return nil, err
	}
	key, err := s.db.SharedKey(ctx, "editors-room")
	if err != nil {
		return nil, err
	}
	pages, err := syndicate.NewRoom(syndicate.RoomConfig{Pages: s.pages.now.Load(), Editors: cfg.syndicate.Editors, Tokens: tokens, Sessions: s.db, Key: key, Explain: n, TriedSpan: time.Duration(triedSpan)}, s.db, n, s.log)
	if err != nil {
		return nil, err
	}
	return &room{pages, n}, nil
}

// use goes over to another configuration; sessions go on.
func (r *room) use(rules *roomRules, pages *syndicate.Server) {
	r.news.rules.Store(rules)
	r.Adopt(pages)
}

// newsroom is what the editors' room has beyond the desk that it shares with
// the admin API: trying rules, and saying why two stories are two.
type newsroom struct {
	*desk
	*explainer
	rules    atomic.Pointer[roomRules]
	compared *nearMemory
}

// roomRules are the rules of the topics in force.
type roomRules struct {
	aggregate aggregator.Config
	compiled  *aggregator.Classifier
}

func newRoomRules(cfg *config) (*roomRules, error) {
	c, err := aggregator.NewClassifier(cfg.aggregate.Topics)
	return &roomRules{cfg.aggregate, c}, err
}

func newNewsroom(ctx context.Context, cfg *config, db *store.DB, d *desk) (*newsroom, error) {
	x, err := newExplainer(ctx, db)
	if err != nil {
		return nil, err
	}
	rules, err := newRoomRules(cfg)
	if err != nil {
		return nil, err
	}
	n := &newsroom{desk: d, explainer: x, compared: &nearMemory{all: map[string]rememberedNear{}}}
	n.rules.Store(rules)
	return n, nil
}

// InForce says whether the rules in force have a proposed one.
func (n *newsroom) InForce(p store.Proposal) bool {
	return hasRule(n.rules.Load().aggregate.Topics, p)
}

// Find is the story that an editor's words name.
func (n *newsroom) Find(ctx context.Context, words string) (string, error) {
	id, _, err := n.find(ctx, words)
	return id, err
}

// GiveReason says afterwards why a ruling was made.
func (n *newsroom) GiveReason(ctx context.Context, ruling int64, who, why string) error {
	return n.desk.db.GiveReason(ctx, ruling, who, why)
}

// Propose stores a rule for whoever keeps feeds.yaml, who may have it already.
func (n *newsroom) Propose(ctx context.Context, who string, p store.Proposal) (store.Ruling, error) {
	done, err := n.desk.db.Propose(ctx, who, p, time.Now())
	if err == nil {
		n.count.carried(done)
	}
	return done, err
}

// Joined compares a merged item with the copy that began its story.
func (n *newsroom) Joined(ctx context.Context, m store.FreshMerge) (first store.Copy, p syndicate.Pair, err error) {
	copies, err := n.explainer.db.Copies(ctx, m.Story.ID)
	if err != nil {
		return first, p, err
	}
	p.Evidence = m.Merge.Evidence
	began := firstCopy(m.Story, copies)
	if began == nil || began.Item.ID == m.Item.ID {
		p.Reason = mergeSaid(m.Merge, nil)
		return first, p, nil
	}
	first = *began
	if err := n.explainer.db.LoadTexts(ctx, []*store.Item{&m.Item, &first.Item}); err != nil {
		return first, p, err
	}
	p.Compared = compare(&m.Copy, &first)
	p.Reason = mergeSaid(m.Merge, &p.Compared)
	return first, p, nil
}

// withRule is the topics with a proposed rule among them.
func withRule(topics []aggregator.TopicConfig, p store.Proposal) []aggregator.TopicConfig {
	all := slices.Clone(topics)
	for i := range all {
		if all[i].ID != p.Topic {
			continue
		}
		switch p.Effect {
		case store.EffectPhrase:
			all[i].Phrases = append(slices.Clone(all[i].Phrases), aggregator.PhraseConfig{Phrase: p.Phrase, Weight: p.Weight, In: p.Places})
		default:
			all[i].Exclude = append(slices.Clone(all[i].Exclude), aggregator.ExcludeConfig{Phrase: p.Phrase, Silence: p.Effect == store.EffectSilence, In: p.Places})
		}
	}
	return all
}

// hasRule says whether the topics have a rule with that phrase and effect.
func hasRule(topics []aggregator.TopicConfig, p store.Proposal) bool {
	i := slices.IndexFunc(topics, func(t aggregator.TopicConfig) bool { return t.ID == p.Topic })
	if i < 0 {
		return false
	}
	if p.Effect == store.EffectPhrase {
		return slices.ContainsFunc(topics[i].Phrases, func(c aggregator.PhraseConfig) bool {
			return c.Weight >= 0 && (c.Phrase == p.Phrase || slices.Contains(c.Any, p.Phrase))
		})
	}
	return slices.ContainsFunc(topics[i].Exclude, func(c aggregator.ExcludeConfig) bool {
		return c.Phrase == p.Phrase && c.Silence == (p.Effect == store.EffectSilence)
	})
}

// Try compares the rules in force with the same and one more, on the items of
// the last days in which its phrase stands: the others it cannot change.
func (n *newsroom) Try(ctx context.Context, p store.Proposal) (t syndicate.Trial, err error) {
	rules := n.rules.Load()
	topics := withRule(rules.aggregate.Topics, p)
	faults, err := aggregator.RunExamples(topics)
	if err != nil {
		return t, fmt.Errorf("%w: %v", store.ErrRefused, err)
	}
	for _, f := range faults {
		t.Faults = append(t.Faults, syndicate.TrialFault{Topic: f.Topic, Example: f.Example, Want: f.Want})
	}
	r, err := n.newTrial(ctx, rules, topics, p)
	if err != nil {
		return t, err
	}
	t.Since = time.Now().Add(-time.Duration(triedSpan))
	within, stop := context.WithTimeout(ctx, tryTime)
	defer stop()
	err = eachStored(within, n.desk.db, t.Since, func(it *store.Item) {
		if t.Looked >= tryItems || within.Err() != nil {
			stop()
			return
		}
		t.Looked, t.Reached = t.Looked+1, it.Seen
		if r.look(it) {
			t.Matched++
		}
	})
	switch {
	case ctx.Err() != nil:
		return t, ctx.Err()
	case within.Err() == nil && err != nil:
		return t, err
	}
	t.Whole, t.Topics = within.Err() == nil, trialTopics(r.Diff)
	return t, nil
}

// ruleTrial tries one rule on one item after another.
type ruleTrial struct {
	*aggregator.Differ
	reader *aggregator.ItemReader
	now    *aggregator.Classifier // the rules in force
	stands *aggregator.Classifier // nothing but the phrase
}

// newTrial compares the rules in force with topics, which have p among them.
func (n *newsroom) newTrial(ctx context.Context, rules *roomRules, topics []aggregator.TopicConfig, p store.Proposal) (r *ruleTrial, err error) {
	r = &ruleTrial{now: rules.compiled}
	with, err := aggregator.NewClassifier(topics)
	if err != nil {
		return nil, err
	}
	if r.stands, err = aggregator.NewClassifier([]aggregator.TopicConfig{{ID: p.Topic, Name: aggregator.TopicName{VI: "x", EN: "x"},
		Phrases: []aggregator.PhraseConfig{{Phrase: p.Phrase, In: p.Places}}}}); err != nil {
		return nil, fmt.Errorf("%w: %v", store.ErrRefused, err)
	}
	for _, c := range []**aggregator.Classifier{&r.now, &with} {
		if *c, err = aggregator.Opinionated(ctx, rules.aggregate, *c, n.desk.db); err != nil {
			return nil, err
		}
	}
	sources, err := n.desk.db.Sources(ctx)
	if err != nil {
		return nil, err
	}
	r.reader = aggregator.NewItemReader(rules.aggregate, sources)
	r.Differ = aggregator.NewDiffer(with, r.reader, trySamples)
	return r, nil
}

// look compares what the rules make of an item, if the phrase stands in it.
func (r *ruleTrial) look(it *store.Item) bool {
	text := r.reader.Text(it)
	bare := text
	bare.Section = "" // which is evidence of its own
	if len(r.stands.Judge(bare)) == 0 {
		return false
	}
	it.Topics = r.now.Classify(text)
	r.Add(it)
	return true
}

// trialTopics are the topics that gain or lose, those with most changes first.
func trialTopics(d aggregator.TopicsDiff) []syndicate.TrialTopic {
	var all []syndicate.TrialTopic
	for id, x := range d.Topics {
		if x.Gained+x.Lost == 0 {
			continue
		}
		t := syndicate.TrialTopic{Topic: id, Gained: x.Gained, Lost: x.Lost}
		for _, it := range x.GainedSample {
			t.Gains = append(t.Gains, syndicate.TrialItem{Story: it.Story, Title: it.Title, Why: gainSaid(it)})
		}
		for _, it := range x.LostSample {
			t.Losses = append(t.Losses, syndicate.TrialItem{Story: it.Story, Title: it.Title, Why: lossSaid(it)})
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b syndicate.TrialTopic) int {
		return cmp.Or((b.Gained+b.Lost)-(a.Gained+a.Lost), cmp.Compare(a.Topic, b.Topic))
	})
	return all
}

// placeNames are what editors call the places of a phrase.
var placeNames = map[string]string{"title": "tiêu đề", "summary": "tóm tắt", "body": "thân bài", "section": "mục của báo", "opinion": "ý kiến thứ hai"}

func gainSaid(it aggregator.DiffItem) string {
	if it.Phrase == "" {
		return ""
	}
	return fmt.Sprintf("“%s” trong %s; %s điểm, cần %s", it.Phrase, cmp.Or(placeNames[it.Place], it.Place), point(it.Score), point(it.Needed))
}

func lossSaid(it aggregator.DiffItem) string {
	if by, ok := strings.CutPrefix(it.Why, "silenced by "); ok {
		return fmt.Sprintf("bị loại bởi “%s”", by)
	}
	if by, ok := strings.CutPrefix(it.Why, "stands inside "); ok {
		return fmt.Sprintf("“%s” nằm trong “%s” nên không tính", it.Phrase, by)
	}
	return fmt.Sprintf("còn %s điểm, cần %s", point(it.Score), point(it.Needed))
}

// point writes points as Vietnamese does.
func point(x float64) string { return strings.Replace(fmt.Sprintf("%.4g", x), ".", ",", 1) }
