package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

// readBatch is how many stored items are read at a time.
const readBatch = 500

// sinceFlag is a span of time back from now; 0 of it means everything.
func sinceFlag(fs *flag.FlagSet, otherwise aggregator.Duration, shown string) *aggregator.Duration {
	d := otherwise
	fs.Func("since", "look at items first seen within this `span`, such as 24h or 30d (default "+shown+")", func(s string) error {
		return d.UnmarshalText([]byte(s))
	})
	return &d
}

// day is a span of feeds.yaml's "1d".
const day = aggregator.Duration(24 * time.Hour)

// eachStored calls each with every stored item that was seen since, the newest
// first.
func eachStored(ctx context.Context, db *store.DB, since time.Time, each func(*store.Item)) error {
	for before := int64(0); ; {
		items, err := db.ItemsBack(ctx, before, since, readBatch)
		if err != nil {
			return err
		}
		for i := range items {
			each(&items[i])
		}
		if len(items) < readBatch {
			return nil
		}
		before = items[len(items)-1].ID
	}
}

// openStored opens the database to read, beside a running service, and reads
// what the configuration makes of its items.
func openStored(ctx context.Context, dsn string, cfg *config) (*store.DB, *aggregator.ItemReader, error) {
	db, err := store.OpenReadOnly(ctx, dsn)
	if err != nil {
		return nil, nil, err
	}
	sources, err := db.Sources(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, aggregator.NewItemReader(cfg.aggregate, sources), nil
}

var topicsDiffVerb = verb{name: "topics diff", args: "NEW.yaml", short: "Show what other rules would change of what is stored.",
	example: "diemtin topics diff --since 30d --db sqlite:diemtin.db new.yaml",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		dsn, since := dbFlag(fs), sinceFlag(fs, 30*day, "30d")
		samples := fs.Int("samples", 5, "show this many items for each topic and direction")
		asJSON := fs.Bool("json", false, "print one JSON object")
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("topics diff: want one feeds.yaml with the new rules")}
			}
			text, shown, err := readConfig(args[0])
			if err != nil {
				return err
			}
			cfg, found := readFileWith(shown, text, os.Environ())
			if err := found.err(); err != nil {
				return err
			}
			c, err := aggregator.NewClassifier(cfg.aggregate.Topics)
			if err != nil {
				return err
			}
			db, reader, err := openStored(ctx, *dsn, cfg)
			if err != nil {
				return err
			}
			defer db.Close()
			if c, err = aggregator.Opinionated(ctx, cfg.aggregate, c, db); err != nil {
				return err
			}
			d := aggregator.NewDiffer(c, reader, *samples)
			if err := eachStored(ctx, db, time.Now().Add(-time.Duration(*since)), d.Add); err != nil {
				return err
			}
			place := func(s []aggregator.DiffItem) {
				for i := range s {
					if s[i].Path != "" {
						s[i].Path = found.where("topics" + s[i].Path)
					}
				}
			}
			for _, t := range d.Diff.Topics {
				place(t.GainedSample)
				place(t.LostSample)
			}
			if *asJSON {
				return writeJSON(std.out, d.Diff)
			}
			writeDiff(std.out, d.Diff, cfg.aggregate.Topics)
			return nil
		}
	}}

// writeDiff is the comparison for people: a table, then samples.
func writeDiff(w io.Writer, d aggregator.TopicsDiff, topics []aggregator.TopicConfig) {
	ids := topicOrder(d, topics)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TOPIC\tBEFORE\tGAINED\tLOST\tAFTER")
	for _, id := range ids {
		x := d.Topics[id]
		fmt.Fprintf(t, "%s\t%d\t+%d\t-%d\t%d\n", id, x.Before, x.Gained, x.Lost, x.After)
	}
	t.Flush()
	for _, id := range ids {
		x := d.Topics[id]
		for _, s := range x.GainedSample {
			fmt.Fprintf(w, "\n+ %s  %s\n    %s (%s %v%s), %v of %v\n", id, s.Title, s.Phrase, s.Place, s.Weight, placed(s.Path), s.Score, s.Needed)
		}
		for _, s := range x.LostSample {
			fmt.Fprintf(w, "\n- %s  %s\n    ", id, s.Title)
			if s.Phrase != "" {
				fmt.Fprintf(w, "%s (%s %v): ", s.Phrase, s.Place, s.Weight)
			}
			fmt.Fprintf(w, "%s%s; now %v of %v\n", s.Why, placed(s.Path), s.Score, s.Needed)
		}
	}
	fmt.Fprintf(w, "\n%d items: %d get other topics, %d another primary one; without any topic %d before, %d after\n",
		d.Items, d.Changed, d.Primary, d.WithNone[0], d.WithNone[1])
}

func placed(path string) string {
	if path == "" {
		return ""
	}
	return " at " + path
}

// topicOrder lists the topics of a comparison in the order of the file, those
// it does not have last.
func topicOrder(d aggregator.TopicsDiff, topics []aggregator.TopicConfig) []store.Topic {
	var ids, gone []store.Topic
	for _, t := range topics {
		if d.Topics[t.ID] != nil {
			ids = append(ids, t.ID)
		}
	}
	for id := range d.Topics {
		if !slices.Contains(ids, id) {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	return append(ids, gone...)
}

var topicsSuggestVerb = verb{name: "topics suggest", args: "TOPIC", short: "Name phrases that separate a topic's stored items from the rest.",
	example: "diemtin topics suggest --since 90d chong-lang-phi",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn, since := configFlag(fs), dbFlag(fs), sinceFlag(fs, 90*day, "90d")
		limit := fs.Int("limit", 30, "name at most this many")
		asJSON := fs.Bool("json", false, "print one JSON list")
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("topics suggest: want the id of one topic")}
			}
			cfg, _, err := loadRules(*name)
			if err != nil {
				return err
			}
			topic, err := topicOf(cfg.aggregate.Topics, args[0])
			if err != nil {
				return err
			}
			db, _, err := openStored(ctx, *dsn, cfg)
			if err != nil {
				return err
			}
			defer db.Close()
			found, err := suggest(ctx, db, aggregator.NewSuggester(topic, cfg.aggregate.Topics), topic, time.Now().Add(-time.Duration(*since)), *limit)
			switch {
			case err != nil:
				return err
			case *asJSON:
				return writeJSON(std.out, orEmpty(found))
			}
			t := tabwriter.NewWriter(std.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "PHRASE\tSCORE\tINSIDE\tOUTSIDE\tFOR EXAMPLE")
			for _, x := range found {
				fmt.Fprintf(t, "%s\t%.1f\t%d\t%d\t%s\n", x.Phrase, x.Score, x.Inside, x.Outside, x.Samples[0])
			}
			return t.Flush()
		}
	}}

// suggest reads the items twice: the topic's own first, so that of the others
// only what they have in common is remembered.
func suggest(ctx context.Context, db *store.DB, s *aggregator.Suggester, topic store.Topic, since time.Time, limit int) ([]aggregator.Suggestion, error) {
	has := func(it *store.Item) bool {
		return slices.ContainsFunc(it.Topics, func(t store.ItemTopic) bool { return t.Topic == topic })
	}
	for _, inside := range []bool{true, false} {
		err := eachStored(ctx, db, since, func(it *store.Item) {
			switch {
			case has(it) != inside:
			case inside:
				s.Inside(it)
			default:
				s.Outside(it)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return s.Suggest(limit), nil
}

// unclassified is an item without a topic; its keys stay.
type unclassified struct {
	Item   int64      `json:"item"`
	Story  string     `json:"story"`
	Outlet string     `json:"outlet"`
	Title  string     `json:"title"`
	Link   string     `json:"link"`
	Near   []nearMiss `json:"near"`
}

// nearMiss is a topic that an item did not get.
type nearMiss struct {
	Topic    store.Topic    `json:"topic"`
	Score    float64        `json:"score"`
	Needed   float64        `json:"needed"`
	Off      float64        `json:"off"` // what it lacks
	Silenced string         `json:"silenced,omitempty"`
	Reasons  []store.Phrase `json:"reasons"`
}

func nearMisses(verdicts []aggregator.Verdict) []nearMiss {
	near := []nearMiss{}
	for _, v := range verdicts {
		if !v.Chosen {
			near = append(near, nearMiss{v.Topic, v.Score, v.Needed, shortBy(v), v.Silenced, v.Reasons})
		}
	}
	return near
}

// shortBy is what a topic lacks to be chosen, in hundredths of a point.
func shortBy(v aggregator.Verdict) float64 { return max(0, math.Round((v.Needed-v.Score)*100)/100) }

func (n nearMiss) String() string {
	end := fmt.Sprintf("%v of %v, %v short", n.Score, n.Needed, n.Off)
	if n.Silenced != "" {
		end = fmt.Sprintf("%v, silenced by %q", n.Score, n.Silenced)
	}
	return fmt.Sprintf("%s %s: %s", n.Topic, end, phraseList(n.Reasons))
}

var topicsUnclassifiedVerb = verb{name: "topics unclassified", short: "List stored items without a topic (“Chưa phân loại”), with the phrases that nearly matched.",
	example: "diemtin topics unclassified --since 7d",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn, since := configFlag(fs), dbFlag(fs), sinceFlag(fs, 7*day, "7d")
		limit := fs.Int("limit", 100, "list at most this many, the newest first")
		asJSON := fs.Bool("json", false, "print one JSON list")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, c, err := loadRules(*name)
			if err != nil {
				return err
			}
			db, reader, err := openStored(ctx, *dsn, cfg)
			if err != nil {
				return err
			}
			defer db.Close()
			if c, err = aggregator.Opinionated(ctx, cfg.aggregate, c, db); err != nil {
				return err
			}
			all, seen, none := []unclassified{}, 0, 0
			err = eachStored(ctx, db, time.Now().Add(-time.Duration(*since)), func(it *store.Item) {
				if seen++; len(it.Topics) > 0 {
					return
				}
				if none++; len(all) < *limit {
					all = append(all, unclassified{it.ID, it.Story, it.Outlet, it.Title, it.Link, nearMisses(c.Judge(reader.Text(it)))})
				}
			})
			switch {
			case err != nil:
				return err
			case *asJSON:
				return writeJSON(std.out, all)
			}
			for _, u := range all {
				fmt.Fprintf(std.out, "%s\n  %s %s\n", u.Title, u.Outlet, u.Link)
				for _, n := range u.Near {
					fmt.Fprintf(std.out, "    %s\n", n)
				}
			}
			fmt.Fprintf(std.out, "\nChưa phân loại: %d of %d items\n", none, seen)
			return nil
		}
	}}

var topicsLabelledVerb = verb{name: "topics labelled", short: "Print what editors ruled on topics as labelled items, for topics test and the gate.",
	example: "diemtin topics labelled >>golden.jsonl",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		dsn := dbFlag(fs)
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			db, err := store.OpenReadOnly(ctx, *dsn)
			if err != nil {
				return err
			}
			defer db.Close()
			ruled, err := db.RuledItems(ctx)
			if err != nil {
				return err
			}
			enc := json.NewEncoder(std.out)
			enc.SetEscapeHTML(false)
			for _, r := range ruled {
				l := aggregator.Labelled{ID: json.RawMessage(`"` + r.Story + `"`), Title: r.Title, Summary: r.Summary, Body: r.Content, Primary: new(store.Topic), Also: []store.Topic{}, ByRuling: true}
				if len(r.Topics) > 0 {
					*l.Primary, l.Also = r.Topics[0], append(l.Also, r.Topics[1:]...)
				}
				if err := enc.Encode(l); err != nil {
					return fmt.Errorf("write labelled items: %w", err)
				}
			}
			return nil
		}
	}}
