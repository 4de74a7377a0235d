package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"diemtin/aggregator"
)

var pollVerb = verb{name: "poll", short: "Visit every source once, now, and show what happened.",
	example: "diemtin poll --config feeds.yaml --db sqlite:diemtin.db",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			return poll(ctx, std, cfg, *dsn)
		}
	}}

func poll(ctx context.Context, std stdio, cfg *config, dsn string) error {
	if err := sayFirst(ctx, std, dsn); err != nil {
		return err
	}
	db, err := openStore(ctx, dsn, cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	a, err := aggregator.New(cfg.aggregate, db, newLogger(stdio{io.Discard, io.Discard}, false), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	show := progress(std, len(cfg.aggregate.StoreSources()))
	var reports []aggregator.Report
	listed, err := a.Round(ctx, func(r aggregator.Report) {
		reports = append(reports, r)
		show(r)
	})
	writeRound(std.out, reports, listed)
	return err
}

// progress is a bar on a terminal, and plain lines otherwise.
func progress(std stdio, total int) func(aggregator.Report) {
	if f, ok := std.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("visiting sources"),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
		return func(aggregator.Report) { bar.Add(1) }
	}
	n := 0
	return func(r aggregator.Report) {
		n++
		fmt.Fprintf(std.err, "%d/%d %s: %s, %d new\n", n, total, r.Source.ID, r.Outcome, r.Changes.New)
	}
}

// writeRound is the table of what happened: the faults last, where they are seen.
func writeRound(w io.Writer, reports []aggregator.Report, listed int) {
	slices.SortFunc(reports, func(a, b aggregator.Report) int {
		if a.Outcome.OK() != b.Outcome.OK() {
			if a.Outcome.OK() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Source.ID, b.Source.ID)
	})
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SOURCE\tOUTCOME\tITEMS\tNEW\tCHANGED\tMERGED\tMS\tNOTE")
	failed, fresh := 0, 0
	for _, r := range reports {
		merged := 0
		for _, n := range r.Changes.Merged {
			merged += n
		}
		note := r.Detail
		if !r.Outcome.OK() {
			failed++
		} else if len(r.Repairs) > 0 {
			note = "repaired: " + r.Repairs[0].Kind
			for _, rep := range r.Repairs[1:] {
				note += ", " + rep.Kind
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Source.ID, r.Outcome, len(r.Items), r.Changes.New,
			r.Changes.Changed, merged, r.Took.Milliseconds(), note)
		fresh += r.Changes.New
	}
	t.Flush()
	fmt.Fprintf(w, "\n%d sources, %d failed; %d new items, %d stories listed\n", len(reports), failed, fresh, listed)
}
