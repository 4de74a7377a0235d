package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
	"diemtin/syndicate/hub"
)

// The addresses and limits of the two listeners.
const (
	defaultListen = "127.0.0.1:8080"
	defaultAdmin  = "127.0.0.1:8081"
	defaultDB     = "sqlite:diemtin.db"

	readHeaderTimeout = 10 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 32 << 10
	shutdownTimeout   = 10 * time.Second
)

var serveVerb = verb{name: "serve", short: "Poll the sources and serve feeds, pages and metrics.",
	example: "diemtin serve --config feeds.yaml --db sqlite:diemtin.db --listen 127.0.0.1:8080 --admin 127.0.0.1:8081",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := serveFlags(fs)
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return how.run(ctx, std)
		}
	}}

// serving is what the flags of serve say.
type serving struct {
	config, dsn, listen, admin, tokens, log string
	editors                                 string
	templates                               string
	verbose, watch                          bool
	roles                                   roles
}

func serveFlags(fs *flag.FlagSet) *serving {
	s := &serving{}
	fs.StringVar(&s.config, "config", "", configUsage)
	fs.StringVar(&s.dsn, "db", defaultDB, dbUsage)
	fs.StringVar(&s.listen, "listen", defaultListen, "`address` of the public listener")
	fs.StringVar(&s.admin, "admin", defaultAdmin, "`address` of the admin listener: /metrics, /livez, /readyz, and the admin API")
	fs.StringVar(&s.editors, "editors", "", "`address` of the editors' room, such as 127.0.0.1:8082; without it there is none")
	fs.StringVar(&s.tokens, "tokens", "", "`file` of who may rule and reload over the admin API and enter the editors' room, lines of diemtin token; without it nobody")
	fs.StringVar(&s.templates, "templates", "", "`folder` of page templates, texts and colours that stand in the place of ours, instead of site.templates")
	fs.BoolVar(&s.verbose, "v", false, "log every visit")
	fs.StringVar(&s.log, "log", "text", "`form` of the log: text or json")
	fs.BoolVar(&s.watch, "watch", false, "reload when the configuration file changes, as at SIGHUP")
	roleFlags(fs, &s.roles)
	return s
}

// load reads the configuration, at the start and at a reload.
func (how *serving) load() (*config, error) {
	cfg, err := loadConfig(how.config)
	if err == nil && how.templates != "" {
		cfg.syndicate.Site.Templates = how.templates
	}
	return cfg, err
}

// run is diemtin serve.
func (how *serving) run(ctx context.Context, std stdio) error {
	hup, stop := hangups() // from here on SIGHUP ends nothing
	defer stop()
	cfg, err := how.load()
	if err != nil {
		return err
	}
	log, err := newLoggerAs(std, how.verbose, how.log)
	if err != nil {
		return err
	}
	does := how.roles.orAll()
	public := how.listen
	if !does.serve {
		public = ""
	}
	l, err := openListeners(public, how.admin, how.editors)
	if err != nil {
		return err
	}
	if err := sayFirst(ctx, std, how.dsn); err != nil {
		l.close()
		return err
	}
	s, err := newService(ctx, cfg, how.dsn, how.tokens, l, log)
	if err != nil {
		return err
	}
	s.roles, s.hup, s.watch, s.load = does, hup, how.watch, how.load
	fmt.Fprintln(std.err, s.greeting())
	return s.run(ctx)
}

const (
	configUsage = "`file` with outlets, topics and channels; without it ./feeds.yaml, else the shipped one"
	dbUsage     = "`DSN` of the database: sqlite:PATH or postgres://…"
)

func configFlag(fs *flag.FlagSet) *string {
	return fs.String("config", "", configUsage)
}

func dbFlag(fs *flag.FlagSet) *string {
	return fs.String("db", defaultDB, dbUsage)
}

func newLogger(std stdio, verbose bool) *slog.Logger {
	return slog.New(slog.NewTextHandler(std.err, logOptions(verbose)))
}

func logOptions(verbose bool) *slog.HandlerOptions {
	if verbose {
		return &slog.HandlerOptions{Level: slog.LevelDebug}
	}
	return &slog.HandlerOptions{Level: slog.LevelInfo}
}

// newLoggerAs is a logger of a form that was asked for: text or json.
func newLoggerAs(std stdio, verbose bool, form string) (*slog.Logger, error) {
	switch form {
	case "text":
		return newLogger(std, verbose), nil
	case "json":
		return slog.New(slog.NewJSONHandler(std.err, logOptions(verbose))), nil
	}
	return nil, errUsage{fmt.Errorf("--log %q: want text or json", form)}
}

// service is the whole program at work: one store, both wings, two listeners, or
// three with the editors' room.
type service struct {
	listeners
	db         *store.DB
	aggregator *aggregator.Aggregator
	pages      *site
	desk       *desk
	log        *slog.Logger
	hub        *hub.Hub        // nil = none
	room       *room           // nil = none
	servers    [3]*http.Server // public, admin, and of the room if there is one
	ready      atomic.Bool

	started  time.Time
	roles    roles
	measured *databaseMetrics
	backups  *backups
	reloads  *reloads
	load     func() (*config, error) // reads the configuration again; nil = there is no file
	hup      <-chan os.Signal        // asks for a reload
	watch    bool                    // reload when the file changes
}

// listeners are the open ports of a service; public is nil where it answers no
// readers, editors where there is no room for them.
type listeners struct{ public, admin, editors net.Listener }

func openListeners(public, admin, editors string) (l listeners, err error) {
	if public != "" {
		if l.public, err = listenOn(public, "--listen"); err != nil {
			return l, err
		}
	}
	if l.admin, err = listenOn(admin, "--admin"); err == nil && editors != "" {
		l.editors, err = listenOn(editors, "--editors")
	}
	if err != nil {
		l.close()
	}
	return l, err
}

func (l listeners) close() {
	for _, one := range []net.Listener{l.public, l.admin, l.editors} {
		if one != nil {
			one.Close()
		}
	}
}

// newService opens everything that can fail before the first visit, so that a
// wrong path or a port in use is one clear line at the start. It closes the
// listeners if it fails.
func newService(ctx context.Context, cfg *config, dsn, tokens string, l listeners, log *slog.Logger) (*service, error) {
	s := &service{listeners: l, roles: allRoles, started: time.Now()}
	if err := s.open(ctx, cfg, dsn, tokens, log); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *service) open(ctx context.Context, cfg *config, dsn, tokens string, log *slog.Logger) (err error) {
	if tokens != "" {
		if _, err := os.Stat(tokens); err != nil {
			return fmt.Errorf("--tokens: %w", err)
		}
	}
	if s.db, err = openStore(ctx, dsn, cfg); err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	if s.aggregator, err = aggregator.New(cfg.aggregate, s.db, log, reg); err != nil {
		return err
	}
	s.reloads = newReloads(cfg, reg)
	public, err := s.publicConfig(ctx, cfg)
	if err != nil {
		return err
	}
	pages, err := syndicate.New(public, s.db, log, reg)
	if err != nil {
		return err
	}
	s.pages, s.log, s.desk = newSite(pages), log, newDesk(cfg, s.db, s.aggregator)
	s.measured, s.desk.count = newDatabaseMetrics(reg), newRulingMetrics(reg)
	if s.hub, err = newHub(cfg, s.db, s.pages, log, reg, s.aggregator.PushedAfter()); err != nil {
		return err
	}
	if s.backups, err = newBackups(cfg.backup, dsn, log, reg); err != nil {
		return err
	}
	s.servers[0] = newServer(publicMux(s.aggregator.Callback(), s.hub, s.pages))
	s.servers[1] = newServer(s.adminMux(reg, syndicate.NewAdmin(s.desk, tokens, log),
		syndicate.NewPartnerAdmin(s.desk, s.db, s.desk.knownPartners, tokens, log),
		syndicate.NewReloadAdmin(s.reload, tokens, log)))
	if s.editors == nil {
		return nil
	}
	if s.room, err = s.newRoom(ctx, cfg, tokens); err == nil {
		s.servers[2] = newServer(s.room)
	}
	return err
}

// publicConfig is what the pages need, with what the rest of the service tells
// them.
func (s *service) publicConfig(ctx context.Context, cfg *config) (public syndicate.Config, err error) {
	public = cfg.syndicate
	public.Archive, public.Noted = s.db, aggregator.NotedVietnamese
	if public.Explainer, err = newExplainer(ctx, s.db); err != nil {
		return public, err
	}
	public.NearTopics, err = s.nearTopics(ctx, cfg)
	return public, err
}

// publicMux gives hubs their callback, subscribers our own hub, if there is
// one, and everybody else the pages.
func publicMux(callback http.Handler, own *hub.Hub, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/websub/"):
			callback.ServeHTTP(w, r)
		case own != nil && hub.Serves(r.URL.Path):
			own.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

func buildInfo() prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "diemtin", Name: "build_info",
		Help: "Always 1; the labels say what was built: the version, the commit if the build knew it, and Go's version."}, []string{"version", "revision", "goversion"})
	g.WithLabelValues(version, strings.TrimPrefix(revision(), "+"), runtime.Version()).Set(1)
	return g
}

func openStore(ctx context.Context, dsn string, cfg *config) (*store.DB, error) {
	db, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if err := db.Sync(ctx, cfg.aggregate.StoreOutlets(), cfg.aggregate.StoreSources()); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.SyncArchives(ctx, cfg.syndicate.ArchiveChannels(), cfg.syndicate.ArchiveMoves()...); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func listenOn(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another with %s", address, err, flag)
	}
	return l, nil
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes}
}

func (s *service) adminMux(reg *prometheus.Registry, rulings, partners, reload http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(syndicate.PartnersPath, partners)
	mux.Handle("/api/", rulings)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET "+statusPath, s.serveStatus)
	mux.Handle("POST "+syndicate.ReloadPath, reload)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func (s *service) publicURL() string { return "http://" + s.public.Addr().String() + "/" }
func (s *service) adminURL() string  { return "http://" + s.admin.Addr().String() + "/metrics" }

func (s *service) editorsURL() string { return "http://" + s.editors.Addr().String() + "/" }

// greeting is the first line of the log: where everything is.
func (s *service) greeting() string {
	sources := len(s.reloads.inForce().aggregate.StoreSources())
	admin := s.adminURL()
	if s.editors != nil {
		admin += ", the editors' room on " + s.editorsURL()
	}
	if !s.roles.serve {
		return fmt.Sprintf("diemtin: %s, metrics on %s, %d sources", s.roles, admin, sources)
	}
	line := fmt.Sprintf("diemtin: news on %s, metrics on %s, %d sources", s.publicURL(), admin, sources)
	if s.roles != allRoles {
		line += "; only " + s.roles.String()
	}
	return line
}

// sealEvery is the pause between looks for archives to seal: what is taken down
// is out of the stored bytes by then.
const sealEvery = 30 * time.Second

// sealArchives seals what is due until ctx ends.
func (s *service) sealArchives(ctx context.Context) {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		if err := s.pages.now.Load().SealArchives(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "archives not sealed", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// run works until ctx ends, then lets requests and visits under way finish
// within a bound.
func (s *service) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if s.public != nil {
		g.Go(func() error { return serveOn(s.servers[0], s.public) })
	}
	g.Go(func() error { return serveOn(s.servers[1], s.admin) })
	if s.editors != nil {
		g.Go(func() error { return serveOn(s.servers[2], s.editors) })
	}
	s.work(ctx, g)
	g.Go(func() error { s.heedReloads(ctx, s.hup); return nil })
	g.Go(func() error { s.keepMeasuring(ctx); return nil })
	g.Go(func() error { s.backups.run(ctx); return nil })
	g.Go(func() error {
		<-ctx.Done()
		s.ready.Store(false)
		end, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		var errs []error
		for _, one := range s.servers {
			if one != nil {
				errs = append(errs, one.Shutdown(end))
			}
		}
		return errors.Join(errs...)
	})
	s.ready.Store(true)
	return waitStopped(ctx, func() error { return errors.Join(g.Wait(), s.db.Close()) }, stopWithin)
}

func serveOn(srv *http.Server, l net.Listener) error {
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// close gives back what newService had opened.
func (s *service) close() {
	s.listeners.close()
	if s.db != nil {
		s.db.Close()
	}
}
