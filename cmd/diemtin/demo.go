package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"diemtin/aggregator/outlettest"
)

// The pace of the demo: fast enough to watch, slow enough to read.
const (
	demoEvery   = 4 * time.Second // between two new stories
	demoPollMin = 2 * time.Second
	demoPollMax = 15 * time.Second
)

// demoEditor may enter the demo's editors' room.
const demoEditor = "bien-tap"

var demoVerb = verb{name: "demo", short: "Run the real service against simulated outlets: no network, nothing left behind.",
	example: "diemtin demo --for 5m",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		listen := fs.String("listen", defaultListen, "`address` of the public listener")
		admin := fs.String("admin", defaultAdmin, "`address` of the admin listener")
		editors := fs.String("editors", "", "`address` of the editors' room; without it there is none")
		length := fs.Duration("for", 0, "`duration` after which it ends by itself; 0 = until interrupted")
		seed := fs.Int64("seed", 1, "`number` that decides which stories are told")
		verbose := fs.Bool("v", false, "log every visit")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if *length < 0 {
				return errUsage{fmt.Errorf("--for %s: want a positive duration", *length)}
			}
			if *length > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, *length)
				defer cancel()
			}
			l, err := openListeners(*listen, *admin, *editors)
			if err != nil {
				return err
			}
			logs := std
			if !*verbose {
				logs.err = io.Discard
			}
			return demo(ctx, std, logs, l, *seed)
		}
	}}

func demo(ctx context.Context, std, logs stdio, l listeners, seed int64) (err error) {
	world, err := outlettest.New(outlettest.Options{Seed: seed})
	if err != nil {
		l.close()
		return err
	}
	dir, err := os.MkdirTemp("", "diemtin-demo-")
	if err != nil {
		l.close()
		return errors.Join(err, world.Close())
	}
	defer func() { err = errors.Join(err, world.Close(), os.RemoveAll(dir)) }()
	base := "http://" + l.public.Addr().String()
	cfg, err := parseConfig("the demo's configuration", []byte(world.ConfigYAML(outlettest.Config{BaseURL: base, Min: demoPollMin, Max: demoPollMax})))
	if err != nil {
		l.close()
		return err
	}
	tokens, token := "", ""
	if l.editors != nil {
		var line string
		token, line = newToken(demoEditor)
		tokens = filepath.Join(dir, "tokens")
		if err := os.WriteFile(tokens, []byte(line+"\n"), 0o600); err != nil {
			l.close()
			return err
		}
	}
	s, err := newService(ctx, cfg, "sqlite:"+filepath.Join(dir, "demo.db"), tokens, l, newLogger(logs, true))
	if err != nil {
		return err
	}
	introduce(std.out, s, world, base, token)
	newsroom, stop := context.WithCancel(ctx)
	defer stop()
	go world.Run(newsroom, demoEvery)
	return s.run(ctx)
}

// introduce tells a person where to look.
func introduce(w io.Writer, s *service, world *outlettest.World, base, token string) {
	fmt.Fprintf(w, "điểm tin is at work on simulated outlets; nothing in their news is true.\n\n")
	fmt.Fprintf(w, "  pages    %s\n  feeds    %sfeed.atom  feed.rss  feed.json  topics/xay-dung-dang/feed.atom\n", s.publicURL(), s.publicURL())
	fmt.Fprintf(w, "  today    %s/days/\n  metrics  %s\n", base, s.adminURL())
	if token != "" {
		fmt.Fprintf(w, "  editors  %s  name %s, token %s\n", s.editorsURL(), demoEditor, token)
	}
	fmt.Fprintf(w, "\n  outlets\n")
	for _, o := range world.Outlets() {
		fmt.Fprintf(w, "    %-28s %s\n", o.URL, o.Name)
	}
	fmt.Fprintf(w, "\nA new story comes every %s. Ctrl-C ends it and removes what it wrote.\n", demoEvery)
}
