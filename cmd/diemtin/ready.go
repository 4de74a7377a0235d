package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// readyTimeout bounds the question to the database.
	readyTimeout = 2 * time.Second
	// stuckAfter is how long the loop of visits may be without a turn before it
	// is said to hang: it turns at least every two seconds.
	stuckAfter = time.Minute
)

// part is one part of a service with its state, for people.
type part struct {
	name string
	bad  bool // requests cannot be answered
	said string
}

// readyz says whether requests can be answered, and of each part how it is, the
// bad ones first. What only concerns the operator, such as a configuration that
// was refused, is said and does not take the service out of a balancer.
func (s *service) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var bad, good []string
	for _, p := range s.parts(ctx) {
		line := p.name + ": " + strings.ReplaceAll(p.said, "\n", "\n  ")
		if p.bad {
			bad = append(bad, line)
		} else {
			good = append(good, line)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	if bad != nil {
		http.Error(w, strings.Join(append(bad, good...), "\n"), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, strings.Join(append([]string{"ok"}, good...), "\n"))
}

func (s *service) parts(ctx context.Context) []part {
	all := []part{{name: "database", said: "ok"}, {name: "service", said: "ok, " + s.roles.String()}}
	if err := s.db.Ping(ctx); err != nil {
		all[0] = part{"database", true, err.Error()}
	}
	if !s.ready.Load() {
		all[1] = part{"service", true, "starting or stopping"}
	}
	if s.roles.poll {
		all = append(all, s.visitsPart(time.Now()))
	}
	return append(all, s.configPart())
}

// visitsPart tells of the loop of visits. Readers are served without it.
func (s *service) visitsPart(now time.Time) part {
	turned, err := s.aggregator.LastTurn()
	switch {
	case err != nil:
		return part{name: "visits", said: "nothing can be claimed: " + err.Error()}
	case !turned.IsZero() && now.Sub(turned) > stuckAfter:
		return part{name: "visits", said: fmt.Sprintf("the loop has not turned for %s; take /debug/pprof/goroutine?debug=2 and restart", now.Sub(turned).Round(time.Second))}
	}
	return part{name: "visits", said: "ok"}
}

func (s *service) configPart() part {
	why, at := s.reloads.refusal()
	if why == "" {
		return part{name: "config", said: "ok"}
	}
	return part{name: "config", said: fmt.Sprintf("the change of %s was refused, the former configuration stands:\n%s", at.UTC().Format(time.RFC3339), why)}
}
