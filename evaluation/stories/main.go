// Command stories measures how well copies of one text are put into one story:
// it deals a labelled set of real articles over simulated outlets and days, lets
// the real aggregator poll them into a real store, and counts the pairs that
// met in a story. It is no part of the service.
//
//	go run ./evaluation/stories -data DIR      # DIR holds articles.jsonl.gz and pairs.tsv
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
)

// longest bounds the whole evaluation.
const longest = 10 * time.Minute

func main() {
	data := flag.String("data", "", "`folder` with articles.jsonl.gz and pairs.tsv")
	listed := flag.Int("list", 40, "how `many` wrong and how many missed pairs to show")
	sample := flag.Int("related", 0, "how `many` pairs of related stories to show, to be judged by eye")
	order := flag.Uint64("shuffle", 0, "publish in another `order`, within blocks of 300 articles; 0 = by id")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, longest)
	err := evaluate(ctx, *data, *order, *listed, *sample, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stories:", err)
		os.Exit(1)
	}
}

// evaluate runs both modes and prints what they came to.
func evaluate(ctx context.Context, dir string, order uint64, listed, sample int, out io.Writer) error {
	if dir == "" {
		return errors.New("want -data FOLDER, with articles.jsonl.gz and pairs.tsv")
	}
	articles, err := readArticles(dir)
	if err != nil {
		return err
	}
	shuffle(articles, order)
	labels, err := readPairs(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d articles over %d outlets and %d days, %d labelled pairs\n", len(articles), outlets, days, len(labels))
	var last string
	for _, mode := range []struct {
		name  string
		pages bool
	}{{"pages", true}, {"summary", false}} {
		start := time.Now()
		stories, why, err := stream(ctx, articles, mode.pages, sample, out)
		if err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
		r := judge(labels, stories)
		fmt.Fprintf(out, "\n%s, in %s\n", mode.name, time.Since(start).Round(time.Second))
		show(out, "wrong", r.wrong, listed, articles, why)
		show(out, "missed", r.missed, listed, articles, why)
		fmt.Fprintf(out, "  first id even: %v\n  first id odd:  %v\n  all:           %v\n", r.halves[0], r.halves[1], r.all)
		last += fmt.Sprintf("%s precision=%.3f recall=%.3f\n", mode.name, r.all.precision(), r.all.recall())
	}
	fmt.Fprint(out, "\n"+last)
	return nil
}

// shuffle puts the articles into another order: of a story's items now this one
// comes first and now that, but none goes far from its day.
func shuffle(articles []article, order uint64) {
	if order == 0 {
		return
	}
	r := rand.New(rand.NewPCG(order, 300))
	for block := range slices.Chunk(articles, 300) {
		r.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
	}
}

// show lists pairs with their headlines and why each article is where it is.
func show(out io.Writer, what string, pairs []pair, most int, articles []article, why map[int]string) {
	title := make(map[int]string, len(articles))
	for _, a := range articles {
		title[a.number] = a.Title
	}
	for i, p := range pairs {
		if i == most {
			fmt.Fprintf(out, "  %s: %d more\n", what, len(pairs)-most)
			return
		}
		fmt.Fprintf(out, "  %s: %d %d\n", what, p[0], p[1])
		for _, id := range p {
			fmt.Fprintf(out, "    %q (%s)\n", title[id], why[id])
		}
	}
}

// stream lets the aggregator poll the articles in the order in which they were
// published, and returns the story of each, and why it is there.
func stream(ctx context.Context, articles []article, pages bool, sample int, out io.Writer) (stories, why map[int]string, err error) {
	dir, err := os.MkdirTemp("", "eval-stories-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "stories.db"))
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	// Everything lies in the past: a date in the future would be taken for a
	// mistake of the outlet's.
	p := newPress(articles, pages, time.Now().Add(-(days+1)*24*time.Hour).Truncate(time.Second))
	defer p.close()
	cfg := configuration(p)
	a, err := aggregator.New(cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return nil, nil, err
	}
	if err := db.Sync(ctx, cfg.StoreOutlets(), cfg.StoreSources()); err != nil {
		return nil, nil, err
	}
	for more := true; more; {
		more = p.publish()
		var failed error
		if _, err := a.Round(ctx, func(r aggregator.Report) {
			if !r.Outcome.OK() {
				failed = fmt.Errorf("poll: %s", r.Outcome)
			}
		}); err != nil || failed != nil {
			return nil, nil, errors.Join(err, failed)
		}
	}
	if stories, why, err = read(ctx, db, p); err != nil {
		return nil, nil, err
	}
	return stories, why, showRelated(ctx, db, stories, sample, out)
}

// showRelated prints pairs of related stories, evenly over all there are.
func showRelated(ctx context.Context, db *store.DB, stories map[int]string, sample int, out io.Writer) error {
	if sample == 0 {
		return nil
	}
	var all []string
	for _, id := range slices.Compact(slices.Sorted(maps.Values(stories))) {
		st, err := db.Story(ctx, id)
		if err != nil {
			return err
		}
		related, err := db.Related(ctx, id, store.MaxRelated)
		if err != nil {
			return err
		}
		for _, r := range related {
			if id < r.Story.ID {
				all = append(all, fmt.Sprintf("  related, %.2f, %s\n    %s: %s\n    %s: %s", r.Score, r.Why,
					st.Quoted.Title, st.Quoted.Summary, r.Story.Quoted.Title, r.Story.Quoted.Summary))
			}
		}
	}
	fmt.Fprintf(out, "\n%d pairs of related stories\n", len(all))
	for i := range min(sample, len(all)) {
		fmt.Fprintln(out, all[i*len(all)/min(sample, len(all))])
	}
	return nil
}

func configuration(p *press) aggregator.Config {
	var pause aggregator.Duration
	never := false
	topic := aggregator.TopicConfig{ID: "kinh-te", Name: aggregator.TopicName{VI: "Kinh tế", EN: "Economy"}, Phrases: []aggregator.PhraseConfig{{Phrase: "kinh tế"}}}
	cfg := aggregator.Config{Agent: "diemtin-evaluation", Topics: []aggregator.TopicConfig{topic}, Limits: aggregator.Limits{AllowPrivate: true, HostPause: &pause, WebSub: &never}}
	for i, s := range p.servers {
		id := fmt.Sprintf("bao%02d", i+1)
		cfg.Outlets = append(cfg.Outlets, aggregator.OutletConfig{ID: id, Name: fmt.Sprintf("Báo %d", i+1), Domains: []string{s.URL[len("http://"):]},
			Scope: store.National, Show: store.ShowSummary, Rank: i + 1, Sources: []aggregator.SourceConfig{{ID: id, URL: s.URL + "/feed.rss"}}})
	}
	return cfg
}

// read asks the store for the story of every article.
func read(ctx context.Context, db *store.DB, p *press) (stories, why map[int]string, err error) {
	stories, why = map[int]string{}, map[int]string{}
	number := make(map[string]int, len(p.all))
	for n := range p.all {
		number[p.link(n)] = p.all[n].number
	}
	for n, a := range p.all {
		if stories[a.number] != "" {
			continue
		}
		id, err := db.StoryOfLink(ctx, aggregator.LinkKey(p.link(n)))
		if err != nil {
			return nil, nil, fmt.Errorf("article %s was not stored: %w", a.ID, err)
		}
		copies, err := db.Copies(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range copies {
			stories[number[c.Item.Link]], why[number[c.Item.Link]] = id, c.Merge.Evidence
		}
	}
	return stories, why, nil
}
