package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/syndicate"
	"diemtin/syndicate/hub"
)

const (
	// maxReloadAnswer bounds what the verb reads of the answer, in bytes.
	maxReloadAnswer = 256 << 10
	// maxReloadNoted bounds what the ledger says of a reload, in characters: a
	// file may have a hundred faults, which the log and the answer have whole.
	maxReloadNoted = 2000
)

// errNoAnswer is for an admin listener at which nobody answers.
var errNoAnswer = errors.New("no service answers")

// errNoFile is for a service without a file that could change.
var errNoFile = errors.New("this service was started without a configuration file")

// reloadable are the sections that a reload changes; any other needs a
// restart, and so do the settings in fixed: others know us by them, or they
// decide what is started at all.
var (
	reloadable = []string{"site", "limits", "outlets", "topics", "gate", "channels", "delivery", "visitors", "partners"}
	fixed      = []string{"site.base_url", "site.contact", "limits.allow_private", "limits.websub"}
)

// site is the public server in force.
type site struct {
	now atomic.Pointer[syndicate.Server]
}

func newSite(s *syndicate.Server) *site {
	live := &site{}
	live.now.Store(s)
	return live
}

// ServeHTTP answers one request, to its end by the server in force when it came.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.now.Load().ServeHTTP(w, r) }

// ClientOf names whoever sent a request.
func (s *site) ClientOf(r *http.Request) string { return s.now.Load().ClientOf(r) }

// Pushed tells which feeds the hub pushes.
func (s *site) Pushed(address string) ([]string, bool) { return s.now.Load().Pushed(address) }

// Document returns a feed that is pushed.
func (s *site) Document(ctx context.Context, address string) (hub.Document, error) {
	d, err := s.now.Load().Document(ctx, address)
	return hub.Document(d), err
}

// reloads is what became of the attempts to change the configuration in force.
type reloads struct {
	running sync.Mutex // held by one attempt

	mu      sync.Mutex
	cfg     *config   // in force
	since   time.Time // when it was taken
	refused string    // why the last attempt failed; "" if it did not
	at      time.Time // of the last attempt

	ok, success prometheus.Gauge
}

func newReloads(cfg *config, reg prometheus.Registerer) *reloads {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help})
	}
	r := &reloads{
		ok:      gauge("config_last_reload_successful", "1 if the last attempt to read the configuration anew succeeded, 0 if it was refused and the former one stands. diemtin check and the log say why."),
		success: gauge("config_last_reload_success_timestamp_seconds", "When the configuration in force was taken."),
	}
	reg.MustRegister(r.ok, r.success)
	r.note(cfg, nil, time.Now())
	return r
}

// note keeps the end of an attempt: cfg is in force now, or err says why not.
func (r *reloads) note(cfg *config, err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = now
	if err != nil {
		r.refused = err.Error()
		r.ok.Set(0)
		return
	}
	r.cfg, r.since, r.refused = cfg, now, ""
	r.ok.Set(1)
	r.success.Set(float64(now.UnixMilli()) / 1000)
}

// inForce is the configuration in force.
func (r *reloads) inForce() *config {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cfg
}

// state is the file of the configuration in force, since when it is, and why a
// change was refused since; "" if none was.
func (r *reloads) state() (file string, since time.Time, refused string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cfg.name, r.since.UTC().Truncate(time.Second), r.refused
}

// refusal is why the last attempt failed, and when; "" if it did not.
func (r *reloads) refusal() (why string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused, r.at
}

// reload reads the configuration again in the name of who, and enters into the
// ledger what came of it.
func (s *service) reload(ctx context.Context, who, why string) (done syndicate.Reloaded, err error) {
	s.reloads.running.Lock()
	defer s.reloads.running.Unlock()
	done.Changed, err = s.reread(ctx, who)
	said := syndicate.ReloadChanged + done.Changed
	if err != nil {
		said = syndicate.ReloadRefused + err.Error()
	}
	if why != "" {
		said = why + "; " + said
	}
	noted, cannot := s.db.NoteReload(context.WithoutCancel(ctx), who, cut(said, maxReloadNoted), time.Now())
	if done.Ruling = noted.ID; cannot == nil {
		s.desk.count.carried(noted)
		return done, err
	}
	s.log.ErrorContext(ctx, "reload not entered into the ledger", "who", who, "error", cannot)
	if err == nil {
		err = fmt.Errorf("the configuration is in force, but %w; the log of the service says why", syndicate.ErrNotNoted)
	}
	return done, err
}

// reread reads the configuration again and puts it in force, or leaves all as
// it is and says why. No request and no visit is dropped: those under way end
// by the configuration they began with.
func (s *service) reread(ctx context.Context, who string) (said string, err error) {
	before := s.reloads.inForce()
	log := s.log.With("who", who, "file", before.name)
	if s.load == nil {
		return "", errNoFile
	}
	cfg, err := s.load()
	if err == nil {
		err = cfg.needsRestart(before)
	}
	if err == nil {
		err = s.adopt(ctx, before, cfg)
	}
	s.reloads.note(cfg, err, time.Now())
	if err != nil {
		log.Error("configuration not reloaded, the former one stands", "error", err)
		return "", err
	}
	said = cfg.difference(before)
	log.Info("configuration reloaded", "changed", said)
	return said, nil
}

// adopt puts a configuration in force everywhere, or nowhere.
func (s *service) adopt(ctx context.Context, before, cfg *config) error {
	setup, err := s.aggregator.Setup(cfg.aggregate)
	if err != nil {
		return err
	}
	rules, err := newRoomRules(cfg)
	if err != nil {
		return err
	}
	var pages *syndicate.Server
	err = s.aggregator.Adopt(setup, func() error {
		err := s.syncAgain(ctx, cfg)
		if err == nil {
			pages, err = s.pagesOf(ctx, cfg)
		}
		if err != nil {
			err = errors.Join(err, s.syncAgain(context.WithoutCancel(ctx), before))
		}
		return err
	})
	if err != nil {
		return err
	}
	s.pages.now.Store(pages)
	s.desk.use(cfg)
	if s.room != nil {
		s.room.use(rules, pages)
	}
	return nil
}

// syncAgain tells the store of a configuration's outlets, sources and archives.
func (s *service) syncAgain(ctx context.Context, cfg *config) error {
	if err := s.db.SyncAgain(ctx, cfg.aggregate.StoreOutlets(), cfg.aggregate.StoreSources()); err != nil {
		return err
	}
	return s.db.SyncArchives(ctx, cfg.syndicate.ArchiveChannels(), cfg.syndicate.ArchiveMoves()...)
}

func (s *service) pagesOf(ctx context.Context, cfg *config) (*syndicate.Server, error) {
	public, err := s.publicConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return s.pages.now.Load().With(public)
}

// needsRestart is an error that names each setting which differs and cannot
// change while the service runs.
func (c *config) needsRestart(before *config) error {
	var lines []string
	for _, path := range differing(reflect.ValueOf(before.effective()), reflect.ValueOf(c.effective()), "") {
		section, _, _ := strings.Cut(path, ".")
		if slices.Contains(reloadable, section) && !slices.Contains(fixed, path) {
			continue
		}
		at := c.found.where(path)
		if at == "" {
			at = c.name
		}
		lines = append(lines, fmt.Sprintf("%s: %s cannot change while the service runs: restart it, or put back what it was", at, path))
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", syndicate.ErrNeedsRestart, strings.Join(lines, "\n"))
}

// differing lists the settings in which two structs differ; a list counts as
// one setting.
func differing(a, b reflect.Value, path string) []string {
	if a.Kind() != reflect.Struct {
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			return nil
		}
		return []string{path}
	}
	var all []string
	for i := range a.NumField() {
		key := a.Type().Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		sub := key
		if path != "" {
			sub = path + "." + key
		}
		all = append(all, differing(a.Field(i), b.Field(i), sub)...)
	}
	return all
}

// difference says in a line what a configuration has that the one before had
// not, and the reverse.
func (c *config) difference(before *config) string {
	paths := differing(reflect.ValueOf(before.effective()), reflect.ValueOf(c.effective()), "")
	if paths == nil {
		return "nothing"
	}
	ids := func(c *config) []string {
		var ids []string
		for _, s := range c.aggregate.StoreSources() {
			ids = append(ids, s.ID)
		}
		return ids
	}
	was, is := ids(before), ids(c)
	said := strings.Join(paths, ", ")
	for _, part := range []struct {
		word string
		ids  []string
	}{{"new sources", without(is, was)}, {"sources switched off", without(was, is)}} {
		if len(part.ids) > 0 {
			said += fmt.Sprintf("; %s: %s", part.word, strings.Join(part.ids, ", "))
		}
	}
	return said
}

func without(all, less []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(less, id) })
}

var reloadVerb = verb{name: "reload", short: "Have a running service read its configuration again; it keeps the former one if that is bad.",
	example: "diemtin reload --admin 127.0.0.1:8081",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		admin := fs.String("admin", defaultAdmin, "`address` of the service's admin listener; "+tokenVariable+" holds the token for it")
		why := fs.String("why", "", "`text` for the ledger")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return askReload(ctx, std, *admin, *why)
		}
	}}

func askReload(ctx context.Context, std stdio, admin, why string) error {
	token := os.Getenv(tokenVariable)
	if token == "" {
		return fmt.Errorf("put a token of the service's --tokens file into %s (diemtin token NAME makes one); where you may, systemctl reload diemtin, or SIGHUP to the service, needs none", tokenVariable)
	}
	body, err := json.Marshal(map[string]string{"why": why})
	if err != nil {
		return err
	}
	said, err := callAdmin(ctx, adminCall{address: admin, method: http.MethodPost, path: syndicate.ReloadPath, token: token, body: body,
		within: syndicate.ReloadTime, most: maxReloadAnswer})
	if err != nil {
		return err
	}
	var done syndicate.Reloaded
	if err := json.Unmarshal(said, &done); err != nil {
		return fmt.Errorf("read the answer of %s: %w", admin, err)
	}
	fmt.Fprintf(std.out, "reloaded, changed: %s (ruling %d)\n", done.Changed, done.Ruling)
	return nil
}

// cut shortens a text to a number of characters.
func cut(text string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most-1]) + "…"
}

// adminCall is one call of a running service's admin listener.
type adminCall struct {
	address, method, path string
	token                 string // "" = none
	body                  []byte
	within                time.Duration
	most                  int64 // bytes of the answer
}

// callAdmin makes a call. What is answered with another status than 200 is the
// error.
func callAdmin(ctx context.Context, c adminCall) ([]byte, error) {
	target, err := dialable(c.address)
	if err != nil {
		return nil, errUsage{err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, c.method, "http://"+target+c.path, bytes.NewReader(c.body))
	if err != nil {
		return nil, errUsage{fmt.Errorf("--admin %q: want HOST:PORT", c.address)}
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := plainClient().Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w: %w", target, errNoAnswer, unwrapAll(err))
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, c.most))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", target, err)
	}
	if resp.StatusCode != http.StatusOK {
		var p syndicate.Problem
		if json.Unmarshal(said, &p) == nil && p.Detail != "" {
			return nil, errors.New(p.Detail)
		}
		return nil, errors.New(strings.TrimSpace(string(said)))
	}
	return said, nil
}
