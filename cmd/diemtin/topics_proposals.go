package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"diemtin/aggregator"
	"diemtin/store"
)

// proposed is a proposal as --json prints it; its keys stay.
type proposed struct {
	Ruling int64        `json:"ruling"`
	Who    string       `json:"who"`
	At     string       `json:"at"` // RFC 3339
	Topic  store.Topic  `json:"topic"`
	Phrase string       `json:"phrase"`
	Effect store.Effect `json:"effect"`
	Weight float64      `json:"weight,omitempty"`
	In     []string     `json:"in"` // empty = everywhere
	Note   string       `json:"note"`
	Looked int          `json:"items"`
	Gained int          `json:"gained"`
	Lost   int          `json:"lost"`
	Known  bool         `json:"in_configuration"`
}

var topicsProposalsVerb = verb{name: "topics proposals", short: "Print what editors propose for the topics, as YAML for feeds.yaml.",
	example: "diemtin topics proposals --config feeds.yaml",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		all := fs.Bool("all", false, "with those that the configuration has already")
		asJSON := fs.Bool("json", false, "print one JSON list")
		return func(ctx context.Context, std stdio, args []string) (err error) {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, _, err := loadRules(*name)
			if err != nil {
				return err
			}
			db, err := store.OpenReadOnly(ctx, *dsn)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			found, err := db.Proposals(ctx)
			if err != nil {
				return err
			}
			known := func(p store.Proposal) bool { return hasRule(cfg.aggregate.Topics, p) }
			if !*all {
				found = slices.DeleteFunc(found, known)
			}
			if !*asJSON {
				return writeProposals(std.out, found, cfg.aggregate.Topics)
			}
			list := []proposed{}
			for _, p := range found {
				list = append(list, proposed{p.ID, p.Who, shown(stamp(p.At)), p.Topic, p.Phrase, p.Effect, p.Weight, orEmpty(p.Places), p.Note, p.Looked, p.Gained, p.Lost, known(p)})
			}
			return writeJSON(std.out, list)
		}
	}}

// writeProposals writes proposals as feeds.yaml has rules, by topic, in the
// order of the file.
func writeProposals(w io.Writer, all []store.Proposal, topics []aggregator.TopicConfig) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "# No proposal waits.")
		return err
	}
	fmt.Fprintf(w, "# %d proposed in the editors' room. Add each line to its topic in feeds.yaml; then\n# diemtin topics diff shows what changes, diemtin check whether an example breaks.\n# diemtin story restore NUMBER takes one back.\n", len(all))
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, t := range topics {
		if one := topicProposals(t.ID, all); one != nil {
			list.Content = append(list.Content, one)
		}
	}
	for _, p := range all { // of topics that the file no longer has
		if !slices.ContainsFunc(topics, func(t aggregator.TopicConfig) bool { return t.ID == p.Topic }) {
			fmt.Fprintf(w, "# %d is for topic %s, which this file does not have: %q\n", p.ID, p.Topic, p.Phrase)
		}
	}
	if len(list.Content) == 0 {
		return nil
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("topics"), list}}); err != nil {
		return fmt.Errorf("write proposals: %w", err)
	}
	return enc.Close()
}

// topicProposals are those of one topic, as an entry of feeds.yaml; nil = none.
func topicProposals(id store.Topic, all []store.Proposal) *yaml.Node {
	phrases, exclude := &yaml.Node{Kind: yaml.SequenceNode}, &yaml.Node{Kind: yaml.SequenceNode}
	for _, p := range all {
		switch {
		case p.Topic != id:
		case p.Effect == store.EffectPhrase:
			phrases.Content = append(phrases.Content, ruleNode(p))
		default:
			exclude.Content = append(exclude.Content, ruleNode(p))
		}
	}
	entry := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("id"), scalar(string(id))}}
	if len(phrases.Content) > 0 {
		entry.Content = append(entry.Content, scalar("phrases"), phrases)
	}
	if len(exclude.Content) > 0 {
		entry.Content = append(entry.Content, scalar("exclude"), exclude)
	}
	if len(entry.Content) == 2 {
		return nil
	}
	return entry
}

// ruleNode is one rule in a line, with who proposes it and why.
func ruleNode(p store.Proposal) *yaml.Node {
	phrase := scalar(p.Phrase)
	phrase.Style = yaml.DoubleQuotedStyle
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalar("phrase"), phrase}}
	switch p.Effect {
	case store.EffectPhrase:
		n.Content = append(n.Content, scalar("weight"), number(strconv.FormatFloat(p.Weight, 'g', -1, 64)))
	case store.EffectSilence:
		n.Content = append(n.Content, scalar("silence"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	if len(p.Places) > 0 {
		in := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, place := range p.Places {
			in.Content = append(in.Content, scalar(place))
		}
		n.Content = append(n.Content, scalar("in"), in)
	}
	n.HeadComment = fmt.Sprintf("# %d: %s, %s: of %d items +%d -%d", p.ID, p.Who, p.At.In(store.Zone).Format(time.DateOnly), p.Looked, p.Gained, p.Lost)
	if p.Note != "" {
		n.HeadComment += "; " + p.Note
	}
	return n
}

func scalar(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

func number(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: s} // a tag would be written out: !!float 3
}
