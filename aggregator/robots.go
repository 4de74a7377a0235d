package aggregator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/temoto/robotstxt"

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
)

// robotsRules is one host's robots.txt, as far as it is about us.
type robotsRules struct {
	group   *robotstxt.Group // nil: everything is allowed
	named   bool             // the group names us, not everybody
	problem string           // it could not be read: why
	until   time.Time        // when it is asked for again
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
	if err != nil || r.group.Test(u.RequestURI()) {
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
	origin := u.Scheme + "://" + u.Host
	one, now := a.hosts.of(address), a.now()
	one.mu.Lock()
	rules := one.robots[origin]
	one.mu.Unlock()
	if rules != nil && now.Before(rules.until) {
		return rules
	}
	fresh := a.askRobots(ctx, c, origin, now)
	if fresh.problem != "" && rules != nil && rules.problem == "" {
		rules.until, fresh = fresh.until, rules // the last known rules hold on
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	one.robots[origin] = fresh
	if fresh.group != nil {
		one.delay = min(max(one.delay, fresh.group.CrawlDelay), maxCrawlDelay)
	}
	return fresh
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
	rules := readRobots(doc.Body)
	rules.until = now.Add(robotsEvery)
	return rules
}

// readRobots reads the rules for us; unreadable lines are no rules.
func readRobots(body []byte) *robotsRules {
	data, err := robotstxt.FromBytes(body)
	if err != nil {
		return &robotsRules{}
	}
	group := data.FindGroup(robotsName)
	return &robotsRules{group: group, named: group != data.FindGroup("*")}
}

// closedBy is the fault of a visit that robots.txt forbids.
func closedBy(why string) *Fault { return fault(store.Disallowed, "%s", why) }
