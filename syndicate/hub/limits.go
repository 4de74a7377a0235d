package hub

import (
	"fmt"
	"time"

	"diemtin/store"
)

const (
	// maxForm, maxURL and maxSecret bound a request, in bytes. The
	// Recommendation bounds the secret (section 5.1).
	maxForm   = 8 << 10
	maxURL    = 2 << 10
	maxSecret = 200
	// formTimeout bounds how long a client may take to send it.
	formTimeout = 10 * time.Second
	// standardLease is given to who asks for none, and the others are bounded:
	// renewing is how a hub learns that somebody still listens.
	standardLease = 10 * 24 * time.Hour
	shortestLease = 5 * time.Minute
	longestLease  = 30 * 24 * time.Hour
	// unverified bounds the requests that wait for their callbacks, and
	// asksOfOne those of one client or about one callback host, the lately
	// failed ones with them.
	unverified = 2000
	asksOfOne  = 100
	// remembered is how long a request that failed counts.
	remembered = 10 * time.Minute

	defaultSubscriptions = 5000
	defaultPerHost       = 1500 // a reader of ours may want each of 400 channels in three forms
	mostSubscriptions    = 100_000
)

// Config is the section hub of feeds.yaml.
type Config struct {
	Enabled       *bool `yaml:"enabled"`       // nil = true
	Canary        *bool `yaml:"canary"`        // nil = true
	Subscriptions int   `yaml:"subscriptions"` // of all; 0 = default
	PerHost       int   `yaml:"per_host"`      // of one callback host; 0 = default
}

// Check reports every fault of the section.
func (c Config) Check(report func(path, problem string)) {
	if c.Subscriptions < 0 || c.Subscriptions > mostSubscriptions {
		report("hub.subscriptions", fmt.Sprintf("subscriptions %d: want 1 to %d", c.Subscriptions, mostSubscriptions))
	}
	if c.PerHost < 0 || c.PerHost > mostSubscriptions {
		report("hub.per_host", fmt.Sprintf("per_host %d: want 1 to %d", c.PerHost, mostSubscriptions))
	}
}

// On says whether the section leaves the hub on.
func (c Config) On() bool { return c.Enabled == nil || *c.Enabled }

func (c Config) limits() store.HubLimits {
	l := store.HubLimits{Subscriptions: c.Subscriptions, PerHost: c.PerHost, Requests: unverified, ClientAsks: asksOfOne, HostAsks: asksOfOne}
	if l.Subscriptions == 0 {
		l.Subscriptions = defaultSubscriptions
	}
	if l.PerHost == 0 {
		l.PerHost = defaultPerHost
	}
	return l
}

// Effective fills in what was left out of the section.
func (c Config) Effective() Config {
	on, canary := c.On(), c.Canary == nil || *c.Canary
	l := c.limits()
	return Config{Enabled: &on, Canary: &canary, Subscriptions: l.Subscriptions, PerHost: l.PerHost}
}
