package aggregator

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Config is what feeds.yaml says about gathering the news.
type Config struct {
	Limits  Limits
	Outlets []OutletConfig
	Topics  []TopicConfig
	Agent   string // the User-Agent: "diemtin/VERSION (+contact)"
	BaseURL string // of the site, without a slash at the end: where hubs reach us
	Gate    Gated  // what the rules were measured by; zero without a gate
	// SecondOpinion is "off" where the rules alone give topics; "" = "on".
	SecondOpinion string
	// Now is the clock by which everything is visited, stored and listed;
	// nil = time.Now.
	Now func() time.Time
}

// Limits bound what one visit may cost, and say what may be visited.
type Limits struct {
	AllowPrivate bool     `yaml:"allow_private"` // admit loopback and private addresses
	Workers      int      `yaml:"workers"`       // visits at the same time; 0 = 16
	Timeout      Duration `yaml:"timeout"`       // of one visit, all redirects included; 0 = 30s
	MaxBytes     int64    `yaml:"max_bytes"`     // of one document, unpacked; 0 = 8 MiB
	MaxItems     int      `yaml:"max_items"`     // of one document; 0 = 1000
	// PollsPerHour is how many visits an hour all sources together get, the mean
	// of a week; every.min and every.max of a source come first. 0 = 4 for each
	// source, at least 1200.
	PollsPerHour int `yaml:"polls_per_hour"`
	// HostPause is how long a host is left alone between two visits, whatever
	// its feeds; left out = 1s. A Crawl-delay of its robots.txt may ask for more.
	HostPause *Duration `yaml:"host_pause"`
	// Hold is how long at most a new story waits to be listed until its
	// article's page is read; left out = 3m, 0s = it does not wait.
	Hold *Duration `yaml:"hold"`
	// KeepText is how long the texts of articles' pages are kept to compare
	// others with them; left out = 14d, 0s = not at all.
	KeepText *Duration `yaml:"keep_text"`
	WebSub   *bool     `yaml:"websub"` // subscribe to the hubs that sources name; left out = true
	// Lease is how long what a process has claimed is left to it, should it have
	// died; 0 = 5m. It matters to processes that share a database.
	Lease Duration `yaml:"lease"`
}

// Duration is a time.Duration written as feeds.yaml has it: "90s", "5m",
// "6h", and days as "2d".
type Duration time.Duration

// maxDays bounds a duration in days: a century, far from an overflow.
const maxDays = 36_500

// UnmarshalText reads "5m" or "2d".
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days+"$", "%d$", &n); err == nil && n >= 0 && n <= maxDays {
			*d = Duration(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as 90s, 5m, 6h or 2d", s)
	}
	*d = Duration(v)
	return nil
}

// OutletConfig is a publisher with the sources to poll.
type OutletConfig struct {
	ID        string          `yaml:"id"`
	Name      string          `yaml:"name"`
	Was       []string        `yaml:"was"` // ids that it had before: their addresses lead here
	Aliases   []string        `yaml:"aliases"`
	Domains   []string        `yaml:"domains"`
	Scope     store.Scope     `yaml:"scope"`
	Province  string          `yaml:"province"`
	Rank      int             `yaml:"rank"`
	Show      store.Show      `yaml:"show"`
	Images    bool            `yaml:"images"`
	Delay     Duration        `yaml:"delay"`
	Article   ArticleConfig   `yaml:"article"`   // for all its sources; what a source says comes first
	Agreement AgreementConfig `yaml:"agreement"` // its consent to be given out here
	Retention OutletRetention `yaml:"retention"` // from when on its stories are reduced
	Sources   []SourceConfig  `yaml:"sources"`
}

// SourceConfig is one thing to poll.
type SourceConfig struct {
	ID           string        `yaml:"id"`
	Kind         string        `yaml:"kind"` // feed (the default), page, sitemap
	URL          string        `yaml:"url"`
	Topic        store.Topic   `yaml:"topic"` // the section's topic
	Every        Every         `yaml:"every"`
	Zone         string        `yaml:"zone"` // of dates without one: "Asia/Ho_Chi_Minh" (the default), "UTC", "+09:00"
	Lang         string        `yaml:"lang"` // BCP 47; empty = the site's
	Page         *PageConfig   `yaml:"page"`
	Article      ArticleConfig `yaml:"article"`
	AllowPrivate bool          `yaml:"allow_private"`
	User         string        `yaml:"user"`         // for Basic authentication
	PasswordEnv  string        `yaml:"password_env"` // name of the environment variable that holds the password
	Proxy        string        `yaml:"proxy"`        // http://HOST:PORT or socks5://HOST:PORT
	Cookies      bool          `yaml:"cookies"`      // keep the source's cookies between visits
}

// Every bounds the interval between two visits.
type Every struct {
	Min Duration `yaml:"min"` // 0 = 5m
	Max Duration `yaml:"max"` // 0 = 2h
}

// PageConfig reads an HTML listing by CSS selectors. All but Item may be left
// out: the link is then the first one of the item, the title its text.
type PageConfig struct {
	Item    string `yaml:"item"`
	Title   string `yaml:"title"`
	Link    string `yaml:"link"`
	Date    string `yaml:"date"`
	Summary string `yaml:"summary"`
	Image   string `yaml:"image"`
	Next    string `yaml:"next"`  // the link to the following page
	Pages   int    `yaml:"pages"` // how many pages to read; 0 = 1
}

// The defaults and bounds of a configuration.
const (
	defaultWorkers  = 16
	defaultTimeout  = 30 * time.Second
	defaultMaxBytes = 8 << 20
	defaultMaxItems = 1000
	defaultMin      = 5 * time.Minute
	defaultMax      = 2 * time.Hour
	shortestMin     = time.Second // only demos and tests want less than a minute
	longestMax      = 7 * 24 * time.Hour
	defaultLease    = 5 * time.Minute
	longestLeased   = time.Hour
	leaseTimeouts   = 2 // a lease is that many times limits.timeout at least: half of it may pass before the request
	defaultPause    = time.Second
	longestPause    = time.Minute
	defaultHold     = 3 * time.Minute
	maxHold         = 15 * time.Minute
	maxKeepText     = 2 * store.SketchWindow // longer than that no item is found again; also the default
	maxPages        = 20
	maxPolls        = 1_000_000
	leastPolls      = 1200 // an hour: what one small machine does without effort
	pollsPerSource  = 4    // an hour: the mean interval is a quarter of an hour
	maxDelay        = 30 * 24 * time.Hour
)

// withDefaults fills in what was left out.
func (l Limits) withDefaults() Limits {
	if l.Workers == 0 {
		l.Workers = defaultWorkers
	}
	if l.Timeout == 0 {
		l.Timeout = Duration(defaultTimeout)
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = defaultMaxBytes
	}
	if l.MaxItems == 0 {
		l.MaxItems = defaultMaxItems
	}
	if l.Lease == 0 {
		l.Lease = max(Duration(defaultLease), leaseTimeouts*l.Timeout)
	}
	if l.HostPause == nil {
		pause := Duration(defaultPause)
		l.HostPause = &pause
	}
	return l
}

// hold is how long a story waits for the pages of its items.
func (l Limits) hold() time.Duration {
	if l.Hold == nil {
		return defaultHold
	}
	return time.Duration(*l.Hold)
}

// keepText is how long the texts of pages are kept.
func (l Limits) keepText() time.Duration {
	if l.KeepText == nil {
		return maxKeepText
	}
	return time.Duration(*l.KeepText)
}

// polls is the budget of visits an hour for a number of sources.
func (l Limits) polls(sources int) float64 {
	if l.PollsPerHour > 0 {
		return float64(l.PollsPerHour)
	}
	return float64(max(leastPolls, pollsPerSource*sources))
}

// password is the one for Basic authentication, "" without one: the value of
// its variable, or what the file holds that the variable …_FILE names.
func (s SourceConfig) password() (string, error) {
	if s.PasswordEnv == "" {
		return "", nil
	}
	if word := os.Getenv(s.PasswordEnv); word != "" {
		return word, nil
	}
	name := os.Getenv(s.PasswordEnv + "_FILE")
	if name == "" {
		return "", fmt.Errorf("the environment variable %s is not set, nor %s_FILE", s.PasswordEnv, s.PasswordEnv)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", s.PasswordEnv, err)
	}
	word := strings.TrimRight(string(text), "\r\n")
	if word == "" {
		return "", fmt.Errorf("%s_FILE: %s is empty", s.PasswordEnv, name)
	}
	return word, nil
}

// withDefaults fills in what was left out.
func (s SourceConfig) withDefaults() SourceConfig {
	if s.Kind == "" {
		s.Kind = "feed"
	}
	if s.Every.Min == 0 {
		s.Every.Min = Duration(defaultMin)
	}
	if s.Every.Max == 0 {
		s.Every.Max = max(Duration(defaultMax), s.Every.Min)
	}
	return s
}

// withDefaults fills in what was left out.
func (o OutletConfig) withDefaults() OutletConfig {
	if o.Show == "" {
		o.Show = store.ShowSummary
	}
	if o.Rank == 0 {
		o.Rank = defaultRank
	}
	return o
}

// defaultRank is below every outlet that was ranked by hand.
const defaultRank = 100

var (
	idForm     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?(:[0-9]+)?$`)
)

// Check reports every fault of the configuration. A path names the place as
// the file nests it ("outlets[3].sources[0].url"), a problem says what is
// wrong with which value and what is allowed.
func (c *Config) Check(report func(path, problem string)) {
	c.Limits.check(func(path, problem string) { report("limits."+path, problem) })
	Topics(c.Topics).Check(func(path, problem string) { report("topics"+path, problem) })
	checkOpinion(c.SecondOpinion, report)
	if len(c.Outlets) == 0 {
		report("outlets", "there is no outlet; give at least one with a source")
	}
	seen := map[string]string{}
	once := func(kind, id, path string) {
		switch first, dup := seen[kind+id]; {
		case !idForm.MatchString(id):
			report(path, fmt.Sprintf("%s id %q: want lower-case letters and digits with single hyphens, such as nhandan-home", kind, id))
		case dup:
			report(path, fmt.Sprintf("%s id %q stands twice; the first is %s", kind, id, first))
		default:
			seen[kind+id] = path
		}
	}
	for i, o := range c.Outlets {
		at := fmt.Sprintf("outlets[%d]", i)
		once("outlet", o.ID, at+".id")
		o.check(func(path, problem string) { report(at+"."+path, problem) })
		for j, s := range o.Sources {
			at := fmt.Sprintf("%s.sources[%d]", at, j)
			once("source", s.ID, at+".id")
			c.checkSource(s, func(path, problem string) { report(at+"."+path, problem) })
		}
	}
}

func (l Limits) check(report func(path, problem string)) {
	if l.Workers < 0 || l.Workers > 1000 {
		report("workers", fmt.Sprintf("%d workers: want 1 to 1000", l.Workers))
	}
	if l.Timeout != 0 && (l.Timeout < Duration(time.Second) || l.Timeout > Duration(10*time.Minute)) {
		report("timeout", fmt.Sprintf("%s: want 1s to 10m", time.Duration(l.Timeout)))
	}
	if l.MaxBytes < 0 || l.MaxBytes > 256<<20 {
		report("max_bytes", fmt.Sprintf("%d bytes: want at most %d", l.MaxBytes, 256<<20))
	}
	if l.MaxItems < 0 || l.MaxItems > 100_000 {
		report("max_items", fmt.Sprintf("%d items: want 1 to 100000", l.MaxItems))
	}
	if l.PollsPerHour < 0 || l.PollsPerHour > maxPolls {
		report("polls_per_hour", fmt.Sprintf("%d polls an hour: want 1 to %d", l.PollsPerHour, maxPolls))
	}
	if l.HostPause != nil && *l.HostPause > Duration(longestPause) {
		report("host_pause", fmt.Sprintf("%s: want 0s to %s", time.Duration(*l.HostPause), longestPause))
	}
	if least := leaseTimeouts * l.withDefaults().Timeout; l.Lease != 0 && (l.Lease < least || l.Lease > Duration(longestLeased)) {
		report("lease", fmt.Sprintf("%s: want %s, twice the timeout, to %s", l.Lease, least, Duration(longestLeased)))
	}
	if l.hold() > maxHold {
		report("hold", fmt.Sprintf("%s: want 0s to %s", l.hold(), maxHold))
	}
	if l.keepText() > maxKeepText {
		report("keep_text", fmt.Sprintf("%s: want 0s to %dd, the time within which copies are found", l.keepText(), maxKeepText/(24*time.Hour)))
	}
}

func (o OutletConfig) check(report func(path, problem string)) {
	if strings.TrimSpace(o.Name) == "" {
		report("name", "the outlet has no name")
	}
	if !slices.Contains(store.Scopes, o.Scope) {
		report("scope", fmt.Sprintf("scope %q: want national, ministry or provincial", o.Scope))
	}
	if o.Province != "" {
		if _, ok := vi.ProvinceByID(o.Province); !ok {
			meant := "want an id such as hung-yen, ha-noi or ho-chi-minh"
			if p, ok := vi.ProvinceNamed(o.Province); ok {
				meant = "did you mean " + p.ID + "?"
			}
			report("province", fmt.Sprintf("province %q is not known; %s", o.Province, meant))
		}
	}
	if o.Scope == store.Provincial && o.Province == "" {
		report("province", "a provincial outlet needs its province, such as hung-yen")
	}
	if o.Scope != store.Provincial && o.Province != "" && o.Scope != "" {
		report("province", fmt.Sprintf("province %q: only an outlet of scope provincial has one", o.Province))
	}
	if len(o.Domains) == 0 {
		report("domains", "the outlet has no domain; give at least one, such as nhandan.vn")
	}
	for i, d := range o.Domains {
		if !domainForm.MatchString(d) {
			report(fmt.Sprintf("domains[%d]", i), fmt.Sprintf("domain %q: want a host name in lower case, such as nhandan.vn", d))
		}
	}
	if o.Show != "" && !slices.Contains([]store.Show{store.ShowSummary, store.ShowHeadline, store.ShowNone}, o.Show) {
		report("show", fmt.Sprintf("show %q: want summary, headline or none", o.Show))
	}
	if o.Rank < 0 || o.Rank > 1000 {
		report("rank", fmt.Sprintf("rank %d: want 1 (believed first) to 1000", o.Rank))
	}
	if o.Delay > Duration(maxDelay) {
		report("delay", fmt.Sprintf("delay %s: want at most %s", time.Duration(o.Delay), maxDelay))
	}
	o.Article.check(func(path, problem string) { report("article"+path, problem) })
	o.Agreement.check(func(path, problem string) { report("agreement"+path, problem) })
	o.Retention.check(func(path, problem string) { report("retention."+path, problem) })
}

func (c *Config) checkSource(s SourceConfig, report func(path, problem string)) {
	if problem := checkURL(s.URL); problem != "" {
		report("url", problem)
	}
	if s.Kind != "" && !slices.ContainsFunc(kinds, func(k kind) bool { return k.name == s.Kind }) {
		report("kind", fmt.Sprintf("kind %q: want %s", s.Kind, strings.Join(kindNames(), " or ")))
	}
	if s.Topic != "" && !slices.ContainsFunc(c.Topics, func(t TopicConfig) bool { return t.ID == s.Topic }) {
		report("topic", fmt.Sprintf("topic %q is not among the topics of this file%s", s.Topic, nearestTopic(c.Topics, s.Topic)))
	}
	if _, err := zoneOf(s.Zone); err != nil {
		report("zone", err.Error())
	}
	d := s.withDefaults()
	if d.Every.Min < Duration(shortestMin) {
		report("every.min", fmt.Sprintf("%s: want at least %s", time.Duration(s.Every.Min), shortestMin))
	}
	if d.Every.Max < d.Every.Min || d.Every.Max > Duration(longestMax) {
		report("every.max", fmt.Sprintf("%s: want between min (%s) and %s", time.Duration(s.Every.Max), time.Duration(d.Every.Min), longestMax))
	}
	s.checkAccess(report)
	switch {
	case s.Kind == "page" && s.Page == nil:
		report("page", `a source of kind page needs its selectors, such as page: {item: "ul.news > li", link: a, date: .date}`)
	case s.Kind != "page" && s.Page != nil:
		report("page", "only a source of kind page has selectors")
	case s.Page != nil:
		s.Page.check(func(path, problem string) { report("page."+path, problem) })
	}
	s.Article.check(func(path, problem string) { report("article"+path, problem) })
}

func (s SourceConfig) checkAccess(report func(path, problem string)) {
	if s.Proxy != "" {
		u, err := url.Parse(s.Proxy)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
			report("proxy", fmt.Sprintf("proxy %q: want http://HOST:PORT or socks5://HOST:PORT", s.Proxy))
		}
	}
	if (s.User == "") != (s.PasswordEnv == "") {
		report("user", "user and password_env go together: the name, and the environment variable that holds the password")
	} else if _, err := s.password(); err != nil {
		report("password_env", err.Error())
	}
}

// checkURL says what is wrong with a source's address.
func checkURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "the source has no url"
	case err != nil:
		return fmt.Sprintf("url %q cannot be read: %v", raw, err)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("url %q: want an address that begins with https:// or http://", raw)
	case u.Hostname() == "":
		return fmt.Sprintf("url %q has no host name", raw)
	case strings.ContainsAny(raw, " \t\n"):
		return fmt.Sprintf("url %q holds white space", raw)
	}
	return ""
}

// nearestTopic suggests what a mistyped topic may have meant.
func nearestTopic(topics []TopicConfig, id store.Topic) string {
	for _, t := range topics {
		if strings.HasPrefix(string(t.ID), string(id)) || strings.HasPrefix(string(id), string(t.ID)) || vi.Slug(t.Name.VI) == vi.Slug(string(id)) || strings.ReplaceAll(string(t.ID), "-", "") == strings.ReplaceAll(string(id), "-", "") {
			return fmt.Sprintf("; did you mean %s?", t.ID)
		}
	}
	var ids []string
	for _, t := range topics {
		ids = append(ids, string(t.ID))
	}
	return "; want one of " + strings.Join(ids, ", ")
}

// zoneOf reads a source's zone: an IANA name, UTC, or a fixed offset.
func zoneOf(s string) (*time.Location, error) {
	switch s {
	case "", "Asia/Ho_Chi_Minh", "Asia/Saigon":
		return store.Zone, nil
	}
	if t, err := time.Parse("-07:00", s); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(s, offset), nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		return nil, fmt.Errorf("zone %q: want Asia/Ho_Chi_Minh, UTC, another IANA name, or an offset such as +07:00", s)
	}
	return loc, nil
}

// StoreOutlets are the outlets as the store keeps them.
func (c *Config) StoreOutlets() []store.Outlet {
	all := make([]store.Outlet, len(c.Outlets))
	for i, o := range c.Outlets {
		o = o.withDefaults()
		all[i] = store.Outlet{ID: o.ID, Name: o.Name, Aliases: o.Aliases, Domains: o.Domains, Scope: o.Scope,
			Province: o.Province, Rank: o.Rank, Show: o.Show, Images: o.Images, Delay: time.Duration(o.Delay)}
	}
	return all
}

// StoreSources are the sources as the store keeps them.
func (c *Config) StoreSources() []store.Source {
	var all []store.Source
	for _, o := range c.Outlets {
		for _, s := range o.Sources {
			s = s.withDefaults()
			all = append(all, store.Source{ID: s.ID, Outlet: o.ID, Kind: s.Kind, URL: s.URL, Topic: s.Topic})
		}
	}
	return all
}
