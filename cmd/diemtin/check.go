package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"diemtin/aggregator"
)

var checkVerb = verb{name: "check", short: "Check a feeds.yaml: every fault with its line, and every topic's examples.",
	example: "diemtin check --config feeds.yaml",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		return func(_ context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return fmt.Errorf("the configuration has faults:\n%w", err)
			}
			if err := checkExamples(cfg); err != nil {
				return err
			}
			topics := cfg.aggregate.Topics
			examples := 0
			for _, t := range topics {
				examples += len(t.Examples.Yes) + len(t.Examples.No)
			}
			fmt.Fprintf(std.out, "%s is good: %d outlets, %d sources, %d topics with %d examples, %d channels\n", cfg.name,
				len(cfg.aggregate.Outlets), len(cfg.aggregate.StoreSources()), len(topics), examples, len(cfg.syndicate.Channels))
			return nil
		}
	}}

func checkExamples(cfg *config) error {
	wrong, err := aggregator.RunExamples(cfg.aggregate.Topics)
	if err != nil {
		return err
	}
	var errs []error
	for _, w := range wrong {
		errs = append(errs, fmt.Errorf("%s: %s", cfg.name, w))
	}
	if len(errs) > 0 {
		return fmt.Errorf("%d examples of the topics fail:\n%w", len(errs), errors.Join(errs...))
	}
	return nil
}
