package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

const (
	// applyPoll is how often a running service is asked how far it has come.
	applyPoll = time.Second
	// showEvery is how often progress is written.
	showEvery = 2 * time.Second
)

var topicsApplyVerb = verb{name: "topics apply", short: "Classify anew what is stored by the rules of the configuration, through the running service if there is one.",
	example: "diemtin topics apply --config feeds.yaml --db sqlite:diemtin.db",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := accessFlags(fs)
		since := sinceFlag(fs, 0, "everything")
		asJSON := fs.Bool("json", false, "print one JSON object at the end")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*how.config)
			if err != nil {
				return err
			}
			var from time.Time
			if *since > 0 {
				from = time.Now().Add(-time.Duration(*since))
			}
			there, unreachable, err := how.service(ctx)
			if err != nil {
				return err
			}
			var c syndicate.Applied
			if show := applyProgress(std); there != nil {
				c, err = applyThere(ctx, there, cfg, from, show)
			} else {
				c, err = applyHere(ctx, cfg, how, from, show)
			}
			switch {
			case err != nil:
				return how.inUse(err, unreachable)
			case *asJSON:
				return writeJSON(std.out, c)
			}
			fmt.Fprintf(std.out, "%d items judged, %d of them changed; %d stories have other topics\n", c.Seen, c.Changed, c.Moved)
			return nil
		}
	}}

// applyProgress writes a line now and then.
func applyProgress(std stdio) func(syndicate.Applied) {
	var last time.Time
	return func(c syndicate.Applied) {
		if time.Since(last) < showEvery {
			return
		}
		last = time.Now()
		if c.Phase == store.ReclassifyItems {
			fmt.Fprintf(std.err, "%d of at most %d items judged, %d changed\n", c.Seen, c.Total, c.Changed)
		} else {
			fmt.Fprintf(std.err, "%d stories moved\n", c.Moved)
		}
	}
}

// applyHere works on the database itself: no service runs.
func applyHere(ctx context.Context, cfg *config, how access, since time.Time, show func(syndicate.Applied)) (c syndicate.Applied, err error) {
	if err := how.exists(ctx); err != nil {
		return c, err
	}
	if _, err := backUpFirst(ctx, *how.dsn, time.Now()); err != nil {
		return c, err
	}
	db, err := openStore(ctx, *how.dsn, cfg)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	sources, err := db.Sources(ctx)
	if err != nil {
		return c, err
	}
	r, err := aggregator.NewReclassifier(cfg.aggregate, db, sources)
	if err != nil {
		return c, err
	}
	if _, err := db.NoteApply(ctx, how.name(), r.Rules, time.Now()); err != nil {
		return c, err
	}
	done, err := r.Run(ctx, since, 0, func(c store.Reclassification) { show(syndicate.NewApplied(c)) })
	return syndicate.NewApplied(done), err
}

// applyThere asks the service that has the database, and waits for it.
func applyThere(ctx context.Context, there *client, cfg *config, since time.Time, show func(syndicate.Applied)) (syndicate.Applied, error) {
	asked := time.Now()
	if err := there.ApplyTopics(ctx, "", syndicate.ApplyOrder{Rules: aggregator.RulesDigest(cfg.aggregate), Since: since}); err != nil {
		return syndicate.Applied{}, err
	}
	tick := time.NewTicker(applyPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return syndicate.Applied{}, ctx.Err() // the service goes on
		case <-tick.C:
		}
		c, err := there.Applied(ctx)
		if err != nil {
			return c, err
		}
		if c.Finished != nil {
			at, err := time.Parse(time.RFC3339, *c.Finished)
			if err == nil && !at.Before(asked.Truncate(time.Second)) {
				return c, nil
			}
			continue
		}
		show(c)
	}
}
