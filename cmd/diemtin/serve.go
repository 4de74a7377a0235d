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
	readyTimeout      = 2 * time.Second
)

var serveVerb = verb{name: "serve", short: "Poll the sources and serve feeds, pages and metrics.",
	example: "diemtin serve --config feeds.yaml --db sqlite:diemtin.db --listen 127.0.0.1:8080 --admin 127.0.0.1:8081",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		listen := fs.String("listen", defaultListen, "`address` of the public listener")
		admin := fs.String("admin", defaultAdmin, "`address` of the admin listener: /metrics, /livez, /readyz, and the admin API")
		tokens := fs.String("tokens", "", "`file` of who may rule over the admin API, lines of diemtin token; without it nobody")
		templates := fs.String("templates", "", "`folder` of page templates, texts and colours that stand in the place of ours, instead of site.templates")
		verbose := fs.Bool("v", false, "log every visit")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			if *templates != "" {
				cfg.syndicate.Site.Templates = *templates
			}
			l, err := openListeners(*listen, *admin)
			if err != nil {
				return err
			}
			s, err := newService(ctx, cfg, *dsn, *tokens, l, newLogger(std, *verbose))
			if err != nil {
				return err
			}
			fmt.Fprintf(std.err, "diemtin: news on %s, metrics on %s, %d sources\n", s.publicURL(), s.adminURL(), len(cfg.aggregate.StoreSources()))
			return s.run(ctx)
		}
	}}

func configFlag(fs *flag.FlagSet) *string {
	return fs.String("config", "", "`file` with outlets, topics and channels; without it ./feeds.yaml, else the shipped one")
}

func dbFlag(fs *flag.FlagSet) *string {
	return fs.String("db", defaultDB, "`DSN` of the database: sqlite:PATH or postgres://…")
}

func newLogger(std stdio, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level}))
}

// service is the whole program at work: one store, both wings, two listeners.
type service struct {
	listeners
	db         *store.DB
	aggregator *aggregator.Aggregator
	pages      *syndicate.Server
	log        *slog.Logger
	hub        *hub.Hub        // nil = none
	servers    [2]*http.Server // public, admin
	ready      atomic.Bool
}

// listeners are the open ports of a service.
type listeners struct{ public, admin net.Listener }

func openListeners(public, admin string) (l listeners, err error) {
	if l.public, err = listenOn(public, "--listen"); err != nil {
		return l, err
	}
	if l.admin, err = listenOn(admin, "--admin"); err != nil {
		l.close()
	}
	return l, err
}

func (l listeners) close() {
	for _, one := range []net.Listener{l.public, l.admin} {
		if one != nil {
			one.Close()
		}
	}
}

// newService opens everything that can fail before the first visit, so that a
// wrong path or a port in use is one clear line at the start. It closes the
// listeners if it fails.
func newService(ctx context.Context, cfg *config, dsn, tokens string, l listeners, log *slog.Logger) (*service, error) {
	s := &service{listeners: l}
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
	public := cfg.syndicate
	if public.Explainer, err = newExplainer(ctx, s.db); err != nil {
		return err
	}
	public.Archive = s.db
	if public.NearTopics, err = s.nearTopics(ctx, cfg); err != nil {
		return err
	}
	pages, err := syndicate.New(public, s.db, log, reg)
	if err != nil {
		return err
	}
	s.pages, s.log = pages, log
	if s.hub, err = newHub(cfg, s.db, pages, log, reg); err != nil {
		return err
	}
	desk := newDesk(cfg, s.db, s.aggregator)
	s.servers = [2]*http.Server{newServer(publicMux(s.aggregator.Callback(), s.hub, pages)), newServer(s.adminMux(reg, syndicate.NewAdmin(desk, tokens, log),
		syndicate.NewPartnerAdmin(desk, desk.knownPartners, tokens, log)))}
	return nil
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
		Help: "Always 1; the version is in the label."}, []string{"version"})
	g.WithLabelValues(version).Set(1)
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
	if err := db.SyncArchives(ctx, cfg.syndicate.ArchiveChannels()); err != nil {
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

func (s *service) adminMux(reg *prometheus.Registry, rulings, partners http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(syndicate.PartnersPath, partners)
	mux.Handle("/api/", rulings)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// readyz says whether requests can be answered, and if not, why.
func (s *service) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	switch err := s.db.Ping(ctx); {
	case err != nil:
		http.Error(w, "database: "+err.Error(), http.StatusServiceUnavailable)
	case !s.ready.Load():
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}

func (s *service) publicURL() string { return "http://" + s.public.Addr().String() + "/" }
func (s *service) adminURL() string  { return "http://" + s.admin.Addr().String() + "/metrics" }

// sealEvery is the pause between looks for archives to seal: what is taken down
// is out of the stored bytes by then.
const sealEvery = 30 * time.Second

// sealArchives seals what is due until ctx ends.
func (s *service) sealArchives(ctx context.Context) {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		if err := s.pages.SealArchives(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "archives not sealed", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// run works until ctx ends, then lets requests and visits under way finish.
func (s *service) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serveOn(s.servers[0], s.public) })
	g.Go(func() error { return serveOn(s.servers[1], s.admin) })
	g.Go(func() error { return s.aggregator.Run(ctx) })
	g.Go(func() error { s.sealArchives(ctx); return nil })
	if s.hub != nil {
		g.Go(func() error { return s.hub.Run(ctx) })
	}
	g.Go(func() error {
		<-ctx.Done()
		s.ready.Store(false)
		end, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		return errors.Join(s.servers[0].Shutdown(end), s.servers[1].Shutdown(end))
	})
	s.ready.Store(true)
	err := g.Wait()
	return errors.Join(err, s.db.Close())
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
