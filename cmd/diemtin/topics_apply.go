package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

const (
	// applyPoll is how often a running service is asked how far it has come.
	applyPoll = time.Second
	// applyTimeout bounds one such question.
	applyTimeout = 10 * time.Second
	// showEvery is how often progress is written.
	showEvery = 2 * time.Second
)

var topicsApplyVerb = verb{name: "topics apply", short: "Classify anew what is stored by the rules of the configuration, through the running service if there is one.",
	example: "diemtin topics apply --config feeds.yaml --db sqlite:diemtin.db",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		admin := fs.String("admin", defaultAdmin, "`address` of a running service's admin listener")
		since := sinceFlag(fs, 0, "everything")
		asJSON := fs.Bool("json", false, "print one JSON object at the end")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			var from time.Time
			if *since > 0 {
				from = time.Now().Add(-time.Duration(*since))
			}
			show := applyProgress(std)
			c, err := applyHere(ctx, cfg, *dsn, from, show)
			if errors.Is(err, store.ErrInUse) {
				c, err = applyThere(ctx, cfg, *admin, from, show)
			}
			switch {
			case err != nil:
				return err
			case *asJSON:
				return writeJSON(std.out, c)
			}
			fmt.Fprintf(std.out, "%d items judged, %d of them changed; %d stories have other topics\n", c.Seen, c.Changed, c.Moved)
			return nil
		}
	}}

// applied is how far a re-classification has come; its keys stay.
type applied struct {
	Rules    string  `json:"rules"`
	Phase    string  `json:"phase"`
	Started  *string `json:"started"`
	Finished *string `json:"finished"`
	Total    int     `json:"total"`
	Seen     int     `json:"seen"`
	Changed  int     `json:"changed"`
	Moved    int     `json:"moved"`
}

func newApplied(c store.Reclassification) applied {
	return applied{c.Rules, c.Phase, stamp(c.Started), stamp(c.Finished), c.Total, c.Seen, c.Changed, c.Moved}
}

// applyProgress writes a line now and then.
func applyProgress(std stdio) func(applied) {
	var last time.Time
	return func(c applied) {
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
func applyHere(ctx context.Context, cfg *config, dsn string, since time.Time, show func(applied)) (applied, error) {
	db, err := openStore(ctx, dsn, cfg)
	if err != nil {
		return applied{}, err
	}
	defer db.Close()
	sources, err := db.Sources(ctx)
	if err != nil {
		return applied{}, err
	}
	r, err := aggregator.NewReclassifier(cfg.aggregate, db, sources)
	if err != nil {
		return applied{}, err
	}
	c, err := r.Run(ctx, since, 0, func(c store.Reclassification) { show(newApplied(c)) })
	return newApplied(c), err
}

// applyThere asks the service that has the database, and waits for it.
func applyThere(ctx context.Context, cfg *config, admin string, since time.Time, show func(applied)) (applied, error) {
	target, err := dialable(admin)
	if err != nil {
		return applied{}, errUsage{err}
	}
	q := url.Values{"rules": {aggregator.RulesDigest(cfg.aggregate)}}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339))
	}
	asked := time.Now()
	if _, err := askApply(ctx, http.MethodPost, "http://"+target+"/topics/apply?"+q.Encode()); err != nil {
		return applied{}, err
	}
	tick := time.NewTicker(applyPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return applied{}, ctx.Err() // the service goes on
		case <-tick.C:
		}
		c, err := askApply(ctx, http.MethodGet, "http://"+target+"/topics/apply")
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

func askApply(ctx context.Context, method, address string) (c applied, err error) {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return c, errUsage{fmt.Errorf("--admin: %w", err)}
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return c, fmt.Errorf("the database is in use, and its service does not answer at %s: %w; give --admin", req.URL.Host, unwrapAll(err))
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxHealthAnswer))
	if err != nil {
		return c, fmt.Errorf("ask %s: %w", req.URL.Host, err)
	}
	if resp.StatusCode >= 300 {
		return c, fmt.Errorf("%s: %s", req.URL.Host, said)
	}
	if err := json.Unmarshal(said, &c); err != nil {
		return c, fmt.Errorf("ask %s: %w", req.URL.Host, err)
	}
	return c, nil
}

// applyTopics answers POST /topics/apply on the admin listener: the rules of
// the caller's file must be those in force, so it can do nothing that a restart
// of the service would not allow anyway, and needs no token.
func (s *service) applyTopics(w http.ResponseWriter, r *http.Request) {
	var since time.Time
	if raw := r.FormValue("since"); raw != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, raw); err != nil {
			http.Error(w, "since: want a time such as 2026-01-02T15:04:05Z", http.StatusBadRequest)
			return
		}
	}
	if r.FormValue("rules") != s.rules {
		http.Error(w, "the service runs other rules than this file has; restart it with the file first", http.StatusConflict)
		return
	}
	if err := s.aggregator.ApplyTopics(since); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	s.writeApplied(w, r)
}

// writeApplied answers GET /topics/apply: how far the newest one has come.
func (s *service) writeApplied(w http.ResponseWriter, r *http.Request) {
	c, err := s.db.Reclassification(r.Context())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(newApplied(c)); err != nil {
		return // the caller is gone
	}
}
