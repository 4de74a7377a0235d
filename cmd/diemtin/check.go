package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

var checkVerb = verb{name: "check", short: "Check a feeds.yaml: every fault with its line, and every topic's examples.",
	example: "diemtin check --config feeds.yaml",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		return func(_ context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			text, file, err := readConfig(*name)
			if err != nil {
				return err
			}
			cfg, found := readFileWith(file, text, os.Environ())
			checkExamples(cfg, found)
			cfg.tryGate(found)
			if err := found.err(); err != nil {
				if n := len(found.all); n > 1 {
					return fmt.Errorf("%d faults:\n%w", n, err)
				}
				return err
			}
			topics := cfg.aggregate.Topics
			examples := 0
			for _, t := range topics {
				examples += len(t.Examples.Yes) + len(t.Examples.No)
			}
			if lacking := cfg.withoutAgreement(store.DayOf(time.Now())); len(lacking) > 0 {
				return fmt.Errorf("%d of %d outlets may not be given out by site.agreements:\n%s", len(lacking), len(cfg.aggregate.Outlets), strings.Join(lacking, "\n"))
			}
			fmt.Fprintf(std.out, "%s is good: %d outlets, %d sources, %d topics with %d examples, %d channels\n", cfg.name,
				len(cfg.aggregate.Outlets), len(cfg.aggregate.StoreSources()), len(topics), examples, len(cfg.syndicate.Channels))
			if gate := cfg.aggregate.Gate; gate.Set() {
				fmt.Fprintf(std.out, "gate %s passed: %s\n", gate.File, gate.Scores)
			}
			return nil
		}
	}}

// withoutAgreement lists, where agreements are required, the outlets that are
// shown and have none for a day, each with its place. Whether they may be shown
// is the operator's to answer for: nothing but check refuses them.
func (c *config) withoutAgreement(day store.Day) []string {
	if c.syndicate.Site.Agreements == "" {
		return nil
	}
	var lines []string
	for i, o := range c.aggregate.Outlets {
		if why := o.Agreement.Lacks(day); why != "" && o.Show != store.ShowNone {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", c.found.where(fmt.Sprintf("outlets[%d].agreement", i)), o.ID, why))
		}
	}
	return lines
}

// checkExamples runs the examples of every topic, unless the topics themselves
// have faults, which are reported already.
func checkExamples(cfg *config, found *faults) {
	wrong, err := aggregator.RunExamples(cfg.aggregate.Topics)
	if err != nil {
		return
	}
	for _, w := range wrong {
		found.report("topics"+w.Path, w.Describe(func(path string) string { return found.where("topics" + path) }))
	}
}
