package aggregator

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Subscription is one source of an OPML document. What other programs write
// fills the first fields; the rest is what diemtin export adds.
type Subscription struct {
	Title   string
	URL     string
	Site    string   // of its outlet, may be empty
	Folders []string // titles of the outlines around it, the outermost first

	ID, Kind, Topic                     string
	Page                                *PageConfig
	Outlet, Name, Scope, Province, Rank string // of the outline around it
}

const (
	// maxOutlines bounds the outlines of a document; the largest lists of
	// feeds in public repositories have some thousands.
	maxOutlines = 20_000
	maxFolders  = 20
)

// ReadOPML reads the subscriptions of an OPML 1 or 2 document, however nested,
// in any encoding, and as far as broken markup lets it. contentType may be
// empty. The error says that it is no OPML or holds no subscription.
func ReadOPML(body []byte, contentType string) ([]Subscription, error) {
	text, _ := vi.Decode(body, contentType)
	r := opmlReader{}
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind == html.TextToken || kind == html.CommentToken || kind == html.DoctypeToken {
			continue
		}
		z.NextIsNotRawText() // to HTML an empty <title/> would open a text without end
		t := z.Token()
		r.seen = r.seen || t.Data == "opml"
		if t.Data != "outline" || r.outlines >= maxOutlines {
			continue
		}
		switch t.Type {
		case html.StartTagToken, html.SelfClosingTagToken:
			r.outlines++
			r.outline(t)
		case html.EndTagToken:
			if n := len(r.open); n > 0 {
				r.open = r.open[:n-1]
			}
		}
	}
	switch {
	case !r.seen:
		return nil, errors.New("it is no OPML: there is no opml element in it")
	case len(r.found) == 0:
		return nil, errors.New("no outline in it has an xmlUrl with an http or https address")
	}
	return r.found, nil
}

type opmlReader struct {
	seen     bool
	outlines int
	open     []map[string]string // attributes of the outlines around
	found    []Subscription
}

// outline takes in one outline with its attributes, whose names HTML has put
// in lower case.
func (r *opmlReader) outline(t html.Token) {
	a := map[string]string{}
	for _, attr := range t.Attr {
		if a[attr.Key] == "" {
			a[attr.Key] = vi.Line(attr.Val)
		}
	}
	address := firstNonEmpty(a["xmlurl"], a["dt:url"])
	if checkURL(address) == "" {
		r.found = append(r.found, r.subscription(a, address))
	}
	if t.Type == html.StartTagToken && len(r.open) < maxOutlines {
		r.open = append(r.open, a)
	}
}

func (r *opmlReader) subscription(a map[string]string, address string) Subscription {
	s := Subscription{Title: firstNonEmpty(a["title"], a["text"]), URL: address, Site: a["htmlurl"], ID: a["dt:id"], Kind: a["dt:kind"], Topic: a["dt:topic"]}
	if page := new(PageConfig); a["dt:page"] != "" && json.Unmarshal([]byte(a["dt:page"]), page) == nil {
		s.Page = page
	}
	for _, o := range r.open[max(0, len(r.open)-maxFolders):] {
		s.Folders = append(s.Folders, firstNonEmpty(o["text"], o["title"]))
		if o["dt:outlet"] != "" {
			s.Outlet, s.Name, s.Scope, s.Province, s.Rank = o["dt:outlet"], firstNonEmpty(o["text"], o["title"]), o["dt:scope"], o["dt:province"], o["dt:rank"]
			s.Site = firstNonEmpty(s.Site, o["htmlurl"])
		}
	}
	return s
}

// OutletsOf groups subscriptions into outlets by their site, in the order of
// the document. Ids are made of addresses and are unique; a source that stands
// twice is taken once.
func OutletsOf(subs []Subscription, topics []TopicConfig) []OutletConfig {
	var outlets []OutletConfig
	byKey, urls := map[string]int{}, map[string]bool{}
	outletIDs, sourceIDs := takenIDs{}, takenIDs{}
	for _, s := range subs {
		if urls[s.URL] {
			continue
		}
		urls[s.URL] = true
		site := s.site()
		key := cmp.Or(s.Outlet, site)
		i, ok := byKey[key]
		if !ok {
			i = len(outlets)
			byKey[key] = i
			o := s.newOutlet(site)
			o.ID = outletIDs.take(o.ID)
			outlets = append(outlets, o)
		}
		o := &outlets[i]
		if !slices.Contains(o.Domains, site) {
			o.Domains = append(o.Domains, site)
		}
		o.Sources = append(o.Sources, s.source(sourceIDs.take(idOf(cmp.Or(s.ID, o.ID+"-"+sectionOf(s.URL)))), topics))
	}
	return outlets
}

// site is the outlet's site: that of the page it names, for feeds are often
// served elsewhere.
func (s Subscription) site() string {
	for _, address := range []string{s.Site, s.URL} {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
			return siteOf(strings.TrimPrefix(cleanHost(u), "www."))
		}
	}
	return ""
}

func (s Subscription) newOutlet(site string) OutletConfig {
	u := &url.URL{Scheme: "https", Host: site}
	o := outletAt(u, nil)
	if s.Outlet == "" {
		return o
	}
	o.ID, o.Name = idOf(s.Outlet), firstNonEmpty(s.Name, o.Name)
	_, known := vi.ProvinceByID(s.Province)
	if scope := store.Scope(s.Scope); slices.Contains(store.Scopes, scope) && known == (scope == store.Provincial) {
		o.Scope, o.Province = scope, s.Province
	}
	if json.Unmarshal([]byte(s.Rank), &o.Rank) != nil || o.Rank < 0 || o.Rank > 1000 {
		o.Rank = 0
	}
	return o
}

func (s Subscription) source(id string, topics []TopicConfig) SourceConfig {
	src := SourceConfig{ID: id, Kind: "feed", URL: s.URL}
	if slices.Contains(kindNames(), s.Kind) && (s.Kind != "page" || s.Page != nil) {
		src.Kind = s.Kind
	}
	if src.Kind == "page" {
		src.Page = s.Page
	}
	want := cmp.Or(s.Topic, sectionOf(s.URL))
	for _, t := range topics {
		if string(t.ID) == want {
			src.Topic = t.ID
		}
	}
	return src
}
