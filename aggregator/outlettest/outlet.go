package outlettest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Outlet is one simulated publisher with its own listener. Its exported fields
// are read only; its methods are safe for concurrent use.
type Outlet struct {
	ID       string
	Name     string
	Domain   string   // what others call it: "trunguong.mau"; it does not resolve
	Aliases  []string // other names that reprints give it
	Scope    string   // national, ministry, provincial
	Province string   // id, empty unless provincial
	Rank     int
	URL      string // http://HOST:PORT
	Feeds    []Feed

	profile *profile
	host    *host
	now     func() time.Time

	mu       sync.Mutex
	articles []*Article // by Published, then ID
	byID     map[string]*Article
	removed  map[string]bool
	last     int       // number of the newest article
	changed  time.Time // when a script last changed what readers see
	docs     map[string]*document
	feeds    script // what feeds and listings answer instead
	pages    script // what everything else answers instead
}

// Feed is one address to poll.
type Feed struct {
	ID    string // id of the source in feeds.yaml: OUTLET-SECTION
	URL   string
	Kind  string // "feed", or "page" for a listing page
	Topic string // of the section, empty for a home feed

	section section
}

// Article is one article of one outlet, plain text. Zero fields are filled by
// [Outlet.Add].
type Article struct {
	ID        string // a number, unique in the outlet
	Title     string
	Lead      string
	Body      []string // paragraphs
	Credit    string   // the last line: "Theo: trunguong.mau"
	Author    string
	Topic     string
	Published time.Time // hidden from readers until then
	Updated   time.Time // zero if never
	Link      string    // canonical address of its page
	GUID      string    // in feeds; empty: as the outlet usually does
	Date      string    // in feeds, as written; empty: as the outlet usually does
	Canonical string    // what its page says is canonical; empty: Link
}

// firstNumber is the number before an outlet's first article: six digits, as
// content management systems have after some years.
const firstNumber = 100_000

func newOutlet(p profile, hosts bool, now func() time.Time) (*Outlet, error) {
	o := &Outlet{
		ID: p.id, Name: p.name, Domain: p.domain, Aliases: p.aliases, Scope: p.scope, Province: p.province, Rank: p.rank,
		profile: &p, now: now, last: firstNumber,
		byID: map[string]*Article{}, removed: map[string]bool{}, docs: map[string]*document{},
	}
	h, err := listen(now, o.respond)
	if err != nil {
		return nil, fmt.Errorf("start outlet %s: %w", p.id, err)
	}
	o.host, o.URL = h, "http://"+h.addr
	if hosts {
		o.URL = "http://" + p.domain + testDomain + h.addr[strings.LastIndexByte(h.addr, ':'):]
	}
	for _, s := range p.sections {
		f := Feed{ID: p.id + "-" + s.id, URL: o.URL + o.sectionPath(s), Kind: "feed", section: s}
		if p.format == portal {
			f.Kind = "page"
		}
		if s.topics != nil {
			f.Topic = s.topics[0]
		}
		o.Feeds = append(o.Feeds, f)
	}
	return o, nil
}

// topics lists what the outlet writes about.
func (o *Outlet) topics() []string {
	if o.profile.topics == nil {
		return local
	}
	return o.profile.topics
}

func (o *Outlet) sectionPath(s section) string {
	switch o.profile.format {
	case portal:
		return "/" + s.id
	case atom:
		return "/" + s.id + ".atom"
	case jsonf:
		return "/" + s.id + ".json"
	default:
		return "/rss/" + s.id + ".rss"
	}
}

// Add publishes an article and returns it with its ID, Link and time. A
// Published in the future hides it until then.
func (o *Outlet) Add(a Article) Article {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	if a.ID == "" {
		a.ID = strconv.Itoa(o.last)
	}
	if a.Published.IsZero() {
		a.Published = o.now()
	}
	if a.Link == "" {
		a.Link = o.URL + "/" + articlePath(a)
	}
	if now := o.now(); !a.Published.After(now) {
		o.changed = now
	}
	o.insert(&a)
	return a
}

// settle forgets that articles of the past were only added now.
func (o *Outlet) settle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed = time.Time{}
}

// insert keeps the order by time, the newest last.
func (o *Outlet) insert(a *Article) {
	i, _ := slices.BinarySearchFunc(o.articles, a, func(x, y *Article) int {
		if c := x.Published.Compare(y.Published); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	o.articles = slices.Insert(o.articles, i, a)
	o.byID[a.ID] = a
	clear(o.docs)
}

// articlePath is an article's address below the outlet's: it keeps it when the
// headline changes.
func articlePath(a Article) string {
	section := a.Topic
	if section == "" {
		section = "tin"
	}
	return section + "/" + slug(a.Title) + "-" + a.ID + ".html"
}

// Edit changes an article; false if there is none with the ID. Unless change
// does so itself, Updated becomes now. ID, Link and Published stay.
func (o *Outlet) Edit(id string, change func(*Article)) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.byID[id]
	if a == nil {
		return false
	}
	edited := *a
	change(&edited)
	edited.ID, edited.Link, edited.Published = a.ID, a.Link, a.Published
	if edited.Updated.Equal(a.Updated) {
		edited.Updated = o.now()
	}
	*a = edited
	o.touch()
	return true
}

// Remove takes an article away: it leaves the feeds and its page is gone
// (410). False if there is none with the ID.
func (o *Outlet) Remove(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.byID[id]
	if a == nil {
		return false
	}
	o.articles = slices.DeleteFunc(o.articles, func(x *Article) bool { return x == a })
	delete(o.byID, id)
	o.removed[id] = true
	o.touch()
	return true
}

func (o *Outlet) touch() {
	o.changed = o.now()
	clear(o.docs)
}

// Articles returns what readers can see now, the newest first.
func (o *Outlet) Articles() []Article {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []Article
	for _, a := range o.visible(nil, len(o.articles)) {
		out = append(out, *a)
	}
	return out
}

// visible returns the newest n articles on the topics (nil: all) that are out.
func (o *Outlet) visible(topics []string, n int) []*Article {
	var out []*Article
	now := o.now()
	for _, a := range slices.Backward(o.articles) {
		if len(out) == n {
			break
		}
		if !a.Published.After(now) && (topics == nil || slices.Contains(topics, a.Topic)) {
			out = append(out, a)
		}
	}
	return out
}

// carries tells whether readers can see the article now, and its state.
func (o *Outlet) carries(id string) (Article, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.byID[id]
	if a == nil || a.Published.After(o.now()) {
		return Article{}, false
	}
	return *a, true
}

// Set says how feeds and listing pages answer from now on, one after another;
// the last response stays. Without responses they are healthy.
func (o *Outlet) Set(responses ...Response) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.feeds = script{list: responses}
}

// SetPages says the same of everything else: article pages, pictures,
// robots.txt.
func (o *Outlet) SetPages(responses ...Response) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages = script{list: responses}
}

// Requests returns the requests so far, oldest first; at least the newest
// 4096 are kept.
func (o *Outlet) Requests() []Request { return o.host.requests() }

// respond is the outlet's web server.
func (o *Outlet) respond(a *answer, req *http.Request) Response {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.Feeds {
		if req.URL.Path == o.sectionPath(f.section) {
			if o.profile.format == portal {
				o.serveListing(a, req, f.section)
			} else {
				o.serveFeed(a, req, f.section)
			}
			r, _ := o.feeds.take()
			return r
		}
	}
	o.servePage(a, req)
	r, _ := o.pages.take()
	return r
}

var (
	reArticle = regexp.MustCompile(`-([0-9]+)\.html$`)
	rePicture = regexp.MustCompile(`^/anh/([0-9]+)\.png$`)
)

// servePage answers everything but feeds and listings.
func (o *Outlet) servePage(a *answer, req *http.Request) {
	p := req.URL.Path
	switch m := reArticle.FindStringSubmatch(p); {
	case p == "/":
		o.serveHome(a)
	case p == "/robots.txt":
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		a.body.WriteString("User-agent: *\nAllow: /\n")
	case rePicture.MatchString(p):
		servePicture(a, rePicture.FindStringSubmatch(p)[1])
	case m != nil && o.removed[m[1]]:
		a.status = http.StatusGone
		o.html(a, pageGone, nil)
	case m != nil && o.byID[m[1]] != nil && !o.byID[m[1]].Published.After(o.now()):
		o.serveArticle(a, o.byID[m[1]])
	default:
		a.status = http.StatusNotFound
		o.html(a, pageGone, nil)
	}
}

// byNumber returns an article, published or not yet.
func (o *Outlet) byNumber(id string) (Article, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.byID[id]; a != nil {
		return *a, true
	}
	return Article{}, false
}
