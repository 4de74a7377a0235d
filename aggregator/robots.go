package aggregator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// robotsName is the name by which robots.txt may address us.
	robotsName = "diemtin"
	// robotsEvery is how long an answer is kept (RFC 9309, section 2.4: at
	// most 24 hours); robotsRetry after one that could not be read.
	robotsEvery = 24 * time.Hour
	robotsRetry = time.Hour
	// maxCrawlDelay bounds what a Crawl-delay may ask for, which no RFC does.
	maxCrawlDelay = 30 * time.Second
	// maxOrigins bounds the origins of one registrable domain whose rules are
	// remembered: a feed may name any number of subdomains.
	maxOrigins = 64
)

// robotsRules is one host's robots.txt, as far as it is about us.
type robotsRules struct {
	group   *robotsGroup // nil: everything is allowed
	named   bool         // the group names us, not everybody
	problem string       // it could not be read: why
	until   time.Time    // when it is asked for again
}

// disallowed says why robots.txt closes an address to us, "" if it does not.
// A feed is made to be polled: only a group that names us closes it. Listing
// pages follow the group for everybody too, and stay closed while robots.txt
// cannot be read (RFC 9309, section 2.3.1.4).
func (r *robotsRules) disallowed(address, kind string) string {
	feed := kind == "feed"
	switch {
	case r.problem != "" && !feed:
		return "its robots.txt cannot be read (" + r.problem + "), so its pages are left alone for a while"
	case r.group == nil, feed && !r.named:
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || r.group.allows(u.RequestURI()) {
		return ""
	}
	whom := "every robot"
	if r.named {
		whom = robotsName
	}
	return fmt.Sprintf("its robots.txt closes %s to %s", u.RequestURI(), whom)
}

// decision says in words what robots.txt has to do with an address.
func (r *robotsRules) decision(address, kind string) string {
	switch why := r.disallowed(address, kind); {
	case why != "":
		return why
	case r.problem != "":
		return "robots.txt cannot be read, which closes pages but not feeds"
	case r.group == nil:
		return "there is no robots.txt"
	case r.named:
		return "robots.txt names us and admits this address"
	case kind == "feed":
		return "robots.txt does not name us; its rules for every robot are not meant for feeds"
	}
	return "robots.txt admits every robot to this address"
}

// robots returns the rules of an address's host, asked for once a day. The
// caller is inside the host.
func (a *Aggregator) robots(ctx context.Context, c configured, address string) *robotsRules {
	u, err := url.Parse(address)
	if err != nil {
		return &robotsRules{problem: err.Error()}
	}
	origin := strings.ToLower(u.Scheme + "://" + u.Host)
	one, now := a.hosts.of(address), a.now()
	one.mu.Lock()
	rules := one.robots[origin]
	one.mu.Unlock()
	if rules != nil && now.Before(rules.until) {
		return rules
	}
	fresh := a.askRobots(ctx, c, origin, now)
	if fresh.problem != "" && rules != nil && rules.problem == "" {
		kept := *rules // the last known rules hold on
		kept.until, fresh = fresh.until, &kept
	}
	if ctx.Err() == nil { // else nothing was learnt
		one.learn(origin, fresh, now)
	}
	return fresh
}

// learn remembers an origin's rules.
func (o *host) learn(origin string, rules *robotsRules, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for at, old := range o.robots {
		if len(o.robots) >= maxOrigins && now.After(old.until) {
			delete(o.robots, at)
		}
	}
	for at := range o.robots { // any: it is only asked for again
		if len(o.robots) >= maxOrigins {
			delete(o.robots, at)
		}
	}
	o.robots[origin] = rules
}

func (a *Aggregator) askRobots(ctx context.Context, c configured, origin string, now time.Time) *robotsRules {
	doc, err := a.fetch.get(ctx, a.accessTo(c, origin), origin+"/robots.txt", "", "", now)
	var f *Fault
	switch {
	case errors.As(err, &f) && f.Status >= 400 && f.Status < 500 && f.Status != http.StatusTooManyRequests:
		return &robotsRules{until: now.Add(robotsEvery)} // there is none
	case err != nil:
		return &robotsRules{problem: err.Error(), until: now.Add(robotsRetry)}
	case doc.Cut: // the rest may have closed more
		return &robotsRules{problem: cutFault(origin).Error(), until: now.Add(robotsRetry)}
	}
	group, named := parseRobots(doc.Body).about(robotsName)
	return &robotsRules{group: group, named: named, until: now.Add(robotsEvery)}
}

// closedBy is the fault of a visit that robots.txt forbids.
func closedBy(why string) *Fault { return fault(store.Disallowed, "%s", why) }
