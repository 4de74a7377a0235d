package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"diemtin/aggregator"
	"diemtin/store"
)

var topicsVerb = verb{name: "topics", short: "Measure, compare, apply and improve the rules of the topics.",
	example: "diemtin topics test --config feeds.yaml labelled.jsonl",
	sub: []verb{topicsTestVerb, topicsClassifyVerb, topicsDiffVerb, topicsApplyVerb, topicsSuggestVerb,
		topicsUnclassifiedVerb, topicsLabelledVerb, topicsProposalsVerb}}

var topicsTestVerb = verb{name: "topics test", args: "LABELLED.jsonl", short: "Measure the rules on a labelled file: precision, recall, F1, right primaries.",
	example: "diemtin topics test --config feeds.yaml labelled.jsonl",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		asJSON := fs.Bool("json", false, "print one JSON object")
		return func(_ context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("topics test: want one file of labelled items, or - for the standard input")}
			}
			cfg, c, err := loadRules(*name)
			if err != nil {
				return err
			}
			in, file, err := openInput(args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			items, err := aggregator.ReadLabelled(in, file, cfg.aggregate.Topics)
			if err != nil {
				return err
			}
			scores := c.Measure(items)
			if *asJSON {
				return writeJSON(std.out, scores)
			}
			writeScores(std.out, scores, cfg.aggregate.Topics)
			return nil
		}
	}}

// loadRules reads a configuration for its topics. Its gate is not asked: these
// verbs are how rules that do not pass it are mended.
func loadRules(name string) (*config, *aggregator.Classifier, error) {
	text, shown, err := readConfig(name)
	if err != nil {
		return nil, nil, err
	}
	cfg, found := readFileWith(shown, text, os.Environ())
	if err := found.err(); err != nil {
		return nil, nil, err
	}
	c, err := aggregator.NewClassifier(cfg.aggregate.Topics)
	return cfg, c, err
}

// openInput opens a file to read, "-" being the standard input.
func openInput(name string) (in io.ReadCloser, shown string, err error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), "standard input", nil
	}
	f, err := os.Open(name)
	return f, name, err
}

// writeScores is the table for people: a row a topic, then what went wrong.
func writeScores(w io.Writer, s aggregator.Scores, topics []aggregator.TopicConfig) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TOPIC\tPRECISION\tRECALL\tF1\tRIGHT\tWRONG\tMISSING")
	for _, topic := range topics {
		if r, ok := s.Topics[topic.ID]; ok {
			fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f\t%d\t%d\t%d\n", topic.ID, r.Precision, r.Recall, r.F1, r.Right, r.Given-r.Right, r.Wanted-r.Right)
		}
	}
	t.Flush()
	for _, wrong := range s.Wrong {
		mark := " "
		if wrong.PrimaryWrong() {
			mark = "!"
		}
		fmt.Fprintf(w, "%s %s\n    got %s, want %s\n", mark, wrong.Title, topicList(wrong.Got), topicList(wrong.Want))
	}
	fmt.Fprintf(w, "\n%s\n", s)
}

// topicList writes topics in a line, the primary one first.
func topicList(ids []store.Topic) string {
	if len(ids) == 0 {
		return "none"
	}
	var words []string
	for _, id := range ids {
		words = append(words, string(id))
	}
	return strings.Join(words, ", ")
}

var topicsClassifyVerb = verb{name: "topics classify", args: "ITEMS.jsonl", short: "Print the topics and the province of each item of a file, with the reasons.",
	example: "diemtin topics classify --config feeds.yaml items.jsonl",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("topics classify: want one file of items, or - for the standard input")}
			}
			cfg, c, err := loadRules(*name)
			if err != nil {
				return err
			}
			in, file, err := openInput(args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			return classifyLines(ctx, std.out, in, file, c, aggregator.NewItemReader(cfg.aggregate, nil))
		}
	}}

// looseLine is a line of the file of topics classify.
type looseLine struct {
	ID json.RawMessage `json:"id"`
	aggregator.LooseItem
}

// classifiedLine is the answer to it; its keys stay.
type classifiedLine struct {
	ID       json.RawMessage   `json:"id"`
	Topics   []classifiedTopic `json:"topics"`
	Province string            `json:"province"`
}

type classifiedTopic struct {
	ID      store.Topic    `json:"id"`
	Score   float64        `json:"score"`
	Primary bool           `json:"primary"`
	Reasons []store.Phrase `json:"reasons"`
}

// classifyLines answers each line as it comes. The first line that cannot be
// read ends it, with its place.
func classifyLines(ctx context.Context, w io.Writer, in io.Reader, file string, c *aggregator.Classifier, reader *aggregator.ItemReader) error {
	ahead := bufio.NewReaderSize(in, 64<<10)
	out := bufio.NewWriter(w)
	defer out.Flush()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	bad := func(f *aggregator.LineFault) error { return f }
	return aggregator.EachLine(ahead, file, func(line int, item *looseLine) error {
		text, home := reader.Loose(&item.LooseItem)
		if text.Title == "" {
			return &aggregator.LineFault{File: file, Line: line, Field: "title", Problem: "want a headline"}
		}
		topics := c.Classify(text)
		answer := classifiedLine{ID: item.ID, Topics: []classifiedTopic{}, Province: aggregator.ProvinceOf(text, topics, home)}
		for _, t := range topics {
			answer.Topics = append(answer.Topics, classifiedTopic{t.Topic, t.Score, t.Primary, t.Reasons})
		}
		if err := enc.Encode(answer); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		if ahead.Buffered() == 0 { // whoever writes line by line gets his answer
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write answer: %w", err)
			}
		}
		return ctx.Err()
	}, bad)
}

// topicOf refuses an id that is not among the topics.
func topicOf(topics []aggregator.TopicConfig, id string) (store.Topic, error) {
	if slices.ContainsFunc(topics, func(t aggregator.TopicConfig) bool { return string(t.ID) == id }) {
		return store.Topic(id), nil
	}
	return "", errUsage{fmt.Errorf("topic %q is not in the configuration", id)}
}
