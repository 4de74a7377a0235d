package syndicate

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"diemtin/store"
)

// statusProblems is how many problems of sources their feed holds.
const statusProblems = 50

// statusChannel is the feed of the problems of sources, for editors here and
// for those who look after the outlets' servers.
func (s *Server) statusChannel() Channel {
	return Channel{Path: "/status/", Page: "/status", Kind: "status",
		Title:       Names{vietnamese["problems.title"], english["problems.title"]},
		Description: Names{vietnamese["problems.lead"], english["problems.lead"]}}
}

// statusFeedRoutes registers the feed of problems in every format.
func (s *Server) statusFeedRoutes() {
	for i := range formats {
		f := &formats[i]
		for _, file := range append([]string{f.file}, f.aliases...) {
			s.feedRoute("/status/"+file, f.name, func(w http.ResponseWriter, r *http.Request) int {
				return s.serveStatusFeed(w, r, f)
			})
		}
	}
}

func (s *Server) serveStatusFeed(w http.ResponseWriter, r *http.Request, f *format) int {
	feed := Feed{Config: &s.cfg, Channel: s.statusChannel()}
	if path := feed.Channel.Path + f.file; path != r.URL.Path {
		return redirect(w, r, path)
	}
	doc, err := s.pages.get(r.URL.Path, func() (*rendition, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTimeout)
		defer cancel()
		problems, err := s.store.Problems(ctx, statusProblems)
		if err != nil {
			return nil, err
		}
		for i := range problems {
			feed.Notes = append(feed.Notes, s.cfg.problemEntry(&problems[i]))
		}
		body, err := f.render(feed)
		if err != nil {
			return nil, err
		}
		return newRendition(body, f.contentType(), feedHeader(feed.linkHeader(f)), feed.updated())
	})
	if err != nil {
		s.log.ErrorContext(r.Context(), "feed not given out", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", retryAfter)
		return refuse(w, http.StatusServiceUnavailable, "Máy chủ tạm thời chưa đọc được tin. Xin thử lại sau nửa phút.")
	}
	return doc.serve(w, r)
}

// problemURN is the permanent id of a problem: the same in every feed, under
// every host name, on every replica.
func problemURN(p *store.Problem) string {
	return "urn:diemtin:problem:" + p.Source + ":" + strconv.FormatInt(p.Began.UnixMilli(), 10)
}

// problemEntry is a problem as all formats give it out. It changes once, when
// the problem ends.
func (c *Config) problemEntry(p *store.Problem) entry {
	w := vietnamese
	outlet := category{p.Outlet, p.Outlet, c.address("/outlets/")}
	if o := c.outlet(p.Outlet); o != nil {
		outlet.label = plainName(o.Name)
	}
	said := w.or("outcome."+string(p.Outcome), string(p.Outcome))
	e := entry{
		id:      problemURN(p),
		title:   fmt.Sprintf("%s: %s (%s)", outlet.label, said, p.Source),
		link:    c.address("/status#" + sourceAnchor(p.Source)),
		outlet:  outletRef{name: plainName(c.Site.Title), home: c.address("/")},
		topics:  []category{outlet},
		created: p.Noted.In(store.Zone),
		changed: p.Noted.In(store.Zone),
	}
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "<p>%s %s</p>", name, text) }
	line(w["problems.source"], html.EscapeString(outlet.label)+", "+html.EscapeString(publicAddress(p.URL)))
	line(w["problems.since"], clock(p.Began)+": "+html.EscapeString(said))
	if detail := publicDetail(p.Detail); detail != "" && p.Outcome != store.Internal {
		line(w["status.detail"], `<span lang="en">`+html.EscapeString(detail)+`</span>`)
	}
	if advice := w["advice."+string(p.Outcome)]; advice != "" {
		line(w["status.advice"], html.EscapeString(advice))
	}
	if !p.Ended.IsZero() {
		e.changed = p.Ended.In(store.Zone)
		line(w["problems.ended"], clock(p.Ended)+fmt.Sprintf(w["problems.after"], languages[0].lasting(p.Ended.Sub(p.Began))))
	}
	e.body = b.String()
	e.summary = said
	return e
}

// sourceAnchor is the id of a source on the page of all.
func sourceAnchor(id string) string { return "nguon-" + id }

// secretKey finds, by their names, the parameters of an address that let one in.
var secretKey = regexp.MustCompile(`(?i)key|token|secret|sign?$|signature|pass|pwd|auth|cred|session|hash|code$|^k$|^t$`)

// publicAddress is an address without what lets one in: user, password, and
// parameters that sound like keys.
func publicAddress(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" { // who knows what stands where
		return "…"
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(part)
		if bare, _, _ := strings.Cut(plain, "="); err != nil || secretKey.MatchString(bare) || strings.Contains(plain, "@") {
			parts[i] = name + "=***"
		}
	}
	u.RawQuery = strings.Join(parts, "&")
	return u.String()
}

// addressIn and hostIn find addresses and numbered hosts in what was noted.
var (
	addressIn = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`)
	hostIn    = regexp.MustCompile(`\[[0-9a-fA-F:.%a-z]+\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\blocalhost(:\d+)?`)
)

// maxPublicDetail bounds what is shown of what was noted, in characters.
const maxPublicDetail = 300

// publicDetail is what was noted about a failed visit, without what tells about
// our own network or lets one in: keys in addresses, the numbers of hosts (of a
// proxy, a name server, this machine).
func publicDetail(detail string) string {
	detail, _, _ = strings.Cut(detail, "\n")
	if lower := strings.ToLower(detail); strings.Contains(lower, "proxy") || strings.Contains(lower, "socks") {
		return "" // whoever runs the source's server can do nothing about ours
	}
	var keep []string
	detail = addressIn.ReplaceAllStringFunc(detail, func(a string) string {
		tail := a[len(strings.TrimRight(a, ".,:;)")):]
		keep = append(keep, publicAddress(strings.TrimSuffix(a, tail)))
		return "\x00" + tail
	})
	detail = hostIn.ReplaceAllString(detail, "…")
	for _, a := range keep {
		detail = strings.Replace(detail, "\x00", a, 1)
	}
	return plainText(detail, maxPublicDetail)
}
