package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// clockwork is the environment variable by which the test binary is told to be
// a service whose clock the test sets.
const clockwork = "DIEMTIN_TEST_CLOCKWORK"

// clocked is such a service: the code of diemtin serve, with another clock.
type clocked struct {
	Config, DSN string
	Clock       string // the file of a setClock
	Roles       string // "serve" = it only answers readers; "" = all
}

// reading is what the file of a clock says.
type reading struct{ Shown, Set int64 } // the time shown, and when it was set; both in ms

// setClock has the clock in a file show a time, for every process that reads it.
func setClock(t testing.TB, file string, shown time.Time) {
	t.Helper()
	text, err := json.Marshal(reading{shown.UnixMilli(), time.Now().UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// clocksOf are two clocks on one file. By the standing one everything is
// visited, stored and listed, so that a killed process and one that was not
// store the same times; by the running one caches and deliveries wait.
func clocksOf(file string) (standing, running func() time.Time) {
	read := func() (r reading) {
		if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, &r) != nil {
			panic("no clock: " + file)
		}
		return r
	}
	standing = func() time.Time { return time.UnixMilli(read().Shown) }
	running = func() time.Time {
		r := read()
		return time.UnixMilli(r.Shown + max(0, time.Now().UnixMilli()-r.Set))
	}
	return standing, running
}

// serveByClock is what the process does that begin starts for a clocked.
func serveByClock(told string) error {
	var c clocked
	if err := json.Unmarshal([]byte(told), &c); err != nil {
		return err
	}
	standing, running := clocksOf(c.Clock)
	load := func() (*config, error) {
		cfg, err := loadConfig(c.Config)
		if err == nil {
			cfg.aggregate.Now, cfg.syndicate.Now = standing, running
		}
		return cfg, err
	}
	hup, stop := hangups()
	defer stop()
	cfg, err := load()
	if err != nil {
		return err
	}
	l, err := openListeners("127.0.0.1:0", "127.0.0.1:0", "")
	if err != nil {
		return err
	}
	std := stdio{os.Stdout, os.Stderr}
	if err := sayFirst(context.Background(), std, c.DSN); err != nil {
		return err
	}
	s, err := newService(context.Background(), cfg, c.DSN, "", l, newLogger(std, false))
	if err != nil {
		return err
	}
	s.hup, s.load = hup, load
	if c.Roles == "serve" {
		s.roles = roles{serve: true}
	}
	fmt.Fprintln(std.err, s.greeting())
	return s.run(context.Background())
}

// command is the service, not started yet.
func (c clocked) command(t testing.TB) *exec.Cmd {
	t.Helper()
	told, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), clockwork+"="+string(told))
	cmd.Dir = filepath.Dir(c.Config)
	return cmd
}

// start runs the service.
func (c clocked) start(t testing.TB) *program {
	t.Helper()
	return begin(t, c.command(t))
}
