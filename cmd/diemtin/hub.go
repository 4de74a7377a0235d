package main

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate/hub"
)

// hubAddress is where this site's hub is reached, or "" if it has none: it is
// switched off, or nobody elsewhere could reach it.
func (c *config) hubAddress() string {
	if !c.hub.On() || !c.aggregate.Public() {
		return ""
	}
	return hub.Address(c.syndicate.Site.BaseURL)
}

// newHub builds the hub of a site that has one, else nil.
func newHub(cfg *config, db *store.DB, pages *site, log *slog.Logger, reg prometheus.Registerer, pushed prometheus.Observer) (*hub.Hub, error) {
	if cfg.hubAddress() == "" {
		return nil, nil
	}
	host, _ := os.Hostname() // without it the process alone has to tell them apart
	h, err := hub.New(cfg.hub, hub.Deps{Store: db, Topics: pages, PushedAfter: pushed, Client: aggregator.GuardedClient(cfg.aggregate.Limits),
		ClientOf: pages.ClientOf, BaseURL: cfg.syndicate.Site.BaseURL, Lease: time.Duration(cfg.aggregate.Limits.Lease), Agent: cfg.aggregate.Agent, By: fmt.Sprintf("%s/%d/%d", host, os.Getpid(), rand.Uint32()), Log: log, Metrics: reg})
	if err != nil {
		return nil, fmt.Errorf("open hub: %w", err)
	}
	return h, nil
}
