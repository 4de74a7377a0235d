// Package syndicate gives the news out again in standard forms: RSS, Atom and
// JSON feeds, day listings and web pages.
//
// A channel is a pure function of configuration and store revision: it is
// rendered once per revision, and the same content always has the same bytes.
// Nothing in an output depends on the time at which it was rendered.
package syndicate

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// Store is what the outward half may ask: it reads, and cannot write.
type Store interface {
	Revision(ctx context.Context, sel store.Selection) (store.Revision, error)
	Stories(ctx context.Context, q store.Query) ([]store.Story, error)
	// Window answers a query with what is gone of its stories.
	Window(ctx context.Context, q store.Query) (store.Window, error)
	// Page answers a query for those who want all of it, page by page.
	Page(ctx context.Context, q store.Query) (store.Page, error)
	// Changes returns what changed after a place, the oldest change first.
	Changes(ctx context.Context, after store.Cursor, limit int) ([]store.Change, error)
	// LastChange is the revision of the newest of them.
	LastChange(ctx context.Context) (store.Revision, error)
	// Story returns the story with that id, or the one it was merged into
	// (whose ID then differs), or store.ErrNotFound.
	Story(ctx context.Context, id string) (store.Story, error)
	// Copies returns all items of a story, oldest first.
	Copies(ctx context.Context, id string) ([]store.Copy, error)
	// Related returns the listed stories on the same event as a story, with
	// texts of their own, the nearest first, at most limit.
	Related(ctx context.Context, story string, limit int) ([]store.Related, error)
	// Item returns one item, and store.ErrNotFound if its story is not listed.
	Item(ctx context.Context, id int64) (store.Item, error)
	// Neighbours returns the nearest days before and after day that have
	// stories of the selection; empty where there is none.
	Neighbours(ctx context.Context, sel store.Selection, day store.Day) (prev, next store.Day, err error)
	// Leading returns the stories shown since then that most outlets carry.
	Leading(ctx context.Context, since time.Time, limit int) ([]store.Lead, error)
	// DayCounts counts a selection's stories by day; false if it cannot.
	DayCounts(ctx context.Context, sel store.Selection, first, last store.Day) (map[store.Day]int, bool, error)
	// DayRevisions returns the revisions of days that ever had a story.
	DayRevisions(ctx context.Context, first, last store.Day) (map[store.Day]store.Revision, error)
	// CountsOn counts a day's stories in each of several selections.
	CountsOn(ctx context.Context, day store.Day, sels []store.Selection) ([]int, error)
	// Provenance tells how much of an outlet's latest items is its own.
	Provenance(ctx context.Context, outlet string) (store.Provenance, error)
	// Titles returns the former headlines of a story's items, by item id.
	Titles(ctx context.Context, story string) (map[int64][]store.OldTitle, error)
	Outlets(ctx context.Context) ([]store.Outlet, error)
	// Sources returns every source with its health, by outlet and id.
	Sources(ctx context.Context) ([]store.Source, error)
	// HiddenFrom returns what a partner hides from its own embeds.
	HiddenFrom(ctx context.Context, partner string) (store.Hidden, error)
	// Problems returns the newest problems of sources, ended ones too.
	Problems(ctx context.Context, limit int) ([]store.Problem, error)
}

// Config is what feeds.yaml says about giving the news out.
type Config struct {
	Site     Site
	Channels []ChannelConfig
	Topics   []store.TopicInfo // in the order of feeds.yaml
	Outlets  []store.Outlet    // in the order of feeds.yaml
	Places   []Place           // provinces, in the order readers see them
	Renamed  []Renamed         // what had another id before
	Visitors Visitors          // what one client address may ask for
	Editors  Editors           // who may enter the editors' room
	Partners []Partner         // sites that embed under a name of their own
	Version  string            // of the program, for <generator>

	Archive Archive // sealed documents; nil = there are none

	// Hub is the address of the hub that pushes the feeds (WebSub); "" = none.
	Hub string

	Delivery Delivery

	// Explainer puts the explanation of a story into words; nil = only what the
	// store noted is shown.
	Explainer Explainer
	// Noted says in Vietnamese what the store noted as evidence in English; nil =
	// it is shown as it is.
	Noted func(evidence string) string

	// NearTopics are the topics that came nearest to an item's text by the rules
	// in force, for the editors' list of what has none; nil = there is no list.
	NearTopics func(*store.Item) []NearTopic

	// Now is the clock by which days end and caches ask anew; nil = time.Now.
	Now func() time.Time
}

// Delivery is what giving out may cost.
type Delivery struct {
	CacheBytes int64 `yaml:"cache_bytes"` // memory for rendered feeds; 0 = DefaultCacheBytes
}

// Site is who runs this installation.
type Site struct {
	Title    string `yaml:"title"`
	BaseURL  string `yaml:"base_url"` // absolute, without a trailing slash
	Language string `yaml:"language"` // BCP 47
	Operator string `yaml:"operator"` // who runs it: in every footer
	Contact  string `yaml:"contact"`  // e-mail or address: in every footer and in the User-Agent

	Licence     string `yaml:"licence"`     // number, date and issuer of the licence to publish: in every footer
	Responsible string `yaml:"responsible"` // person who answers for what is published: in every footer

	// Agreements is "required" where each outlet must have agreed; "" = it need not.
	Agreements string `yaml:"agreements"`

	Templates string `yaml:"templates"` // folder of files that stand in the place of ours; "" = none

	IndexStories bool `yaml:"index_stories"` // search engines may list the pages of stories
	NewsSitemap  bool `yaml:"news_sitemap"`  // /news-sitemap.xml is there
}

// Names is a name in the two languages of the pages.
type Names struct {
	VI string `yaml:"vi"`
	EN string `yaml:"en"`
}

// ChannelConfig is one configured output: a selection with a title.
type ChannelConfig struct {
	ID          string        `yaml:"id"`
	Title       Names         `yaml:"title"`
	Description Names         `yaml:"description"`
	Topics      []store.Topic `yaml:"topics"`
	Provinces   []string      `yaml:"provinces"`
	Outlets     []string      `yaml:"outlets"`
	Scopes      []store.Scope `yaml:"scopes"`
	Words       ChannelWords  `yaml:"words"`
	Languages   []string      `yaml:"languages"`
	Exclude     ChannelLess   `yaml:"exclude"`
	Was         []string      `yaml:"was"` // ids that it had before
}

// ChannelWords are words and phrases of headline and summary, folded.
type ChannelWords struct {
	Any []string `yaml:"any"` // at least one is there
	All []string `yaml:"all"` // each is there
}

// ChannelLess is what a channel leaves out.
type ChannelLess struct {
	Topics  []store.Topic `yaml:"topics"`
	Outlets []string      `yaml:"outlets"`
	Words   []string      `yaml:"words"`
}

// Renamed is a topic, outlet or channel that had another id before.
type Renamed struct {
	Kind     string // topics, outlets, channels
	From, To string
	At       string // where feeds.yaml says so, as "topics[2].was[0]"
}

// Place is a province as readers see it.
type Place struct {
	ID   string
	Name string
	Into string // for a former province: the id of the present one
}

// Server answers the public addresses.
type Server struct {
	cfg    Config
	store  Store
	log    *slog.Logger
	mux    *router
	views  map[*language]views // templates of the pages
	pages  *pageCache
	others *pageCache // of addresses with a query
	tally  *tally
	script string    // address of the pages' script
	lang   *language // of the pages it makes; see speaking
	words  words     // of that language
	look   look      // files of the pages
	now    func() time.Time

	languages    []*language // in which it speaks, the plain addresses' first
	styleAddress string

	feeds       *cache
	sized       *cache // feeds of a size asked for
	asked       *cache // what readers make up themselves
	readings    *readings
	visitors    *visitors
	feedMetrics *feedMetrics
	opml        *rendition

	embeds      *cache
	embedders   *visitors // who has embeds made
	embedViews  *template.Template
	embedStyle  string // of the page for frames
	embedAccent string // where nobody chose one; without its number sign
	api         *cache
	apiRequests *prometheus.CounterVec
	description []byte // of the API
}

// router is a mux that knows what was registered with it.
type router struct {
	http.ServeMux
	patterns []string
}

func (r *router) HandleFunc(pattern string, f http.HandlerFunc) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.HandleFunc(pattern, f)
}

// New builds the public server. Its metrics are registered with reg.
func New(cfg Config, st Store, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	m, err := newServerMetrics(reg)
	if err != nil {
		return nil, err
	}
	return build(cfg, st, log, m, nil, &tally{})
}

// With builds the server of another configuration on the same store, with the
// same metrics. Its caches are its own and empty, since a configuration is in
// every byte; what visitors have used up it goes on counting, unless their
// limits change. Both servers may answer at the same time.
func (s *Server) With(cfg Config) (*Server, error) {
	var used *visitors
	if reflect.DeepEqual(cfg.Visitors, s.cfg.Visitors) {
		used = s.visitors
	}
	counts := &tally{}
	if sameChannels(&cfg, &s.cfg) {
		counts = s.tally
	}
	return build(cfg, s.store, s.log, serverMetrics{s.feedMetrics, s.apiRequests}, used, counts)
}

// sameChannels says whether every channel holds the same stories under two
// configurations: then what was counted of days holds.
func sameChannels(a, b *Config) bool {
	return reflect.DeepEqual(a.Outlets, b.Outlets) && reflect.DeepEqual(a.Topics, b.Topics) && reflect.DeepEqual(a.Channels, b.Channels) &&
		reflect.DeepEqual(a.Places, b.Places) && reflect.DeepEqual(a.Renamed, b.Renamed)
}

// build builds a server; used is what visitors have used up, nil = nothing, and
// counts what is known of days.
func build(cfg Config, st Store, log *slog.Logger, m serverMetrics, used *visitors, counts *tally) (*Server, error) {
	s := &Server{cfg: cfg, store: st, log: log, mux: &router{}, tally: counts, now: time.Now, lang: languages[0], words: languages[0].words,
		feedMetrics: m.feeds, apiRequests: m.api, visitors: used}
	if cfg.Now != nil {
		s.now = cfg.Now
	}
	if err := s.openFeeds(); err != nil {
		return nil, err
	}
	s.feedRoutes()
	s.archiveRoutes()
	s.sitemapRoutes()
	s.statusFeedRoutes()
	if err := s.pageRoutes(); err != nil {
		return nil, err
	}
	if err := s.openEmbeds(); err != nil { // in the look of the pages
		return nil, err
	}
	if err := s.apiHandlers(); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP answers one public request. Empty parts of an address, "." and ".."
// are taken out before the mux sees it: it would do so by a 307, which no one
// remembers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serveKept(w, r) {
		return
	}
	asked := r.URL.EscapedPath()
	clean := path.Clean("/" + asked)
	if strings.HasSuffix(asked, "/") && clean != "/" {
		clean += "/"
	}
	if clean != asked && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if r.URL.RawQuery != "" {
			clean += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, clean, http.StatusMovedPermanently)
		return
	}
	s.mux.ServeHTTP(w, r)
}
