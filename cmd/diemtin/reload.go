package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
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
	// reloadPath is the address of the call on the admin listener.
	reloadPath = "/reload"
	// reloadTime bounds the call: a gate of thousands of items takes seconds,
	// and the database may be busy.
	reloadTime = time.Minute
	// maxReloadAnswer bounds what the verb reads of the answer, in bytes.
	maxReloadAnswer = 256 << 10
)

// errNoAnswer is for an admin listener at which nobody answers.
var errNoAnswer = errors.New("no service answers")

// errNoFile is for a service without a file that could change.
var errNoFile = errors.New("this service was started without a configuration file")

// errRestart is for a change that needs a restart.
var errRestart = errors.New("needs a restart")

// reloadable are the sections that a reload changes; any other needs a
// restart, and so do the settings in fixed: others know us by them, or they
// decide what is started at all.
var (
	reloadable = []string{"site", "limits", "outlets", "topics", "gate", "channels", "delivery", "visitors", "partners", "retention"}
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

// reload reads the configuration again and puts it in force, or leaves all as
// it is and says why. No request and no visit is dropped: those under way end
// by the configuration they began with.
func (s *service) reload(ctx context.Context, cause string) (said string, err error) {
	s.reloads.running.Lock()
	defer s.reloads.running.Unlock()
	before := s.reloads.inForce()
	log := s.log.With("cause", cause, "file", before.name)
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
	select {
	case s.retune <- struct{}{}:
	default: // it has not been looked at yet
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
	return fmt.Errorf("%w: %s", errRestart, strings.Join(lines, "\n"))
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

// serveReload answers the call of the admin listener. A page in a browser
// cannot make it.
func (s *service) serveReload(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), reloadTime)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	said, err := s.reload(ctx, "admin call")
	switch {
	case errors.Is(err, errRestart), errors.Is(err, errNoFile):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	default:
		fmt.Fprintf(w, "reloaded, changed: %s\n", said)
	}
}

var reloadVerb = verb{name: "reload", short: "Have a running service read its configuration again; it keeps the former one if that is bad.",
	example: "diemtin reload --admin 127.0.0.1:8081",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		admin := fs.String("admin", defaultAdmin, "`address` of the service's admin listener")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			said, err := askAdmin(ctx, *admin, http.MethodPost, reloadPath, reloadTime, maxReloadAnswer)
			if err != nil {
				return err
			}
			_, err = std.out.Write(said)
			return err
		}
	}}

// askAdmin calls a running service's admin listener. What it answers with
// another status than 200 is the error.
func askAdmin(ctx context.Context, address, method, path string, within time.Duration, most int64) ([]byte, error) {
	target, err := dialable(address)
	if err != nil {
		return nil, errUsage{err}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+target+path, nil)
	if err != nil {
		return nil, errUsage{fmt.Errorf("--admin %q: want HOST:PORT", address)}
	}
	resp, err := plainClient().Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w: %w", target, errNoAnswer, unwrapAll(err))
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", target, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(strings.TrimSpace(string(said)))
	}
	return said, nil
}
