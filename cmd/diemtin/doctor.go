package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// leastDisk is the free space below which a disk is nearly full, in bytes:
	// a day of 10,000 items takes some 24 MB.
	leastDisk = 512 << 20
	// maxSkew is how far our clock may be from that of other machines: dates of
	// articles are compared with it.
	maxSkew = 30 * time.Second
	// doctorAsks is how many outlets are asked, doctorAsk how long each may take.
	doctorAsks = 3
	doctorAsk  = 5 * time.Second
)

// finding is what one check found. Its JSON keys stay.
type finding struct {
	Check  string `json:"check"`
	Grade  string `json:"grade"` // ok, warning, bad
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do
}

func fine(check, form string, args ...any) finding {
	return finding{check, "ok", fmt.Sprintf(form, args...), ""}
}

// grave is a finding because of which the service does not work, or soon will
// not; doubtful one that may be meant.
func grave(check, advice, form string, args ...any) finding {
	return finding{check, "bad", fmt.Sprintf(form, args...), advice}
}

func doubtful(check, advice, form string, args ...any) finding {
	return finding{check, "warning", fmt.Sprintf(form, args...), advice}
}

// errSick ends the program with exit code 1 after the findings were printed.
var errSick = errors.New("what is bad above keeps the service from working")

var doctorVerb = verb{name: "doctor", short: "Look for what is wrong with an installation, and say what to do; exit code 1 if something is.",
	example: "diemtin doctor --config feeds.yaml --db sqlite:diemtin.db",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := serveFlags(fs)
		offline := fs.Bool("offline", false, "ask no outlet: leave out the network and compare the clock with nothing but the database")
		asJSON := fs.Bool("json", false, "print a JSON array")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			all := examine(ctx, how, !*offline)
			if *asJSON {
				if err := writeJSON(std.out, all); err != nil {
					return err
				}
			} else {
				writeFindings(std.out, all)
			}
			if slices.ContainsFunc(all, func(f finding) bool { return f.Grade == "bad" }) {
				return errSick
			}
			return nil
		}
	}}

func writeFindings(w io.Writer, all []finding) {
	for _, f := range all {
		fmt.Fprintf(w, "%-8s %-10s %s\n", f.Grade, f.Check, strings.ReplaceAll(f.Found, "\n", "\n                    "))
		if f.Advice != "" {
			fmt.Fprintf(w, "                    → %s\n", f.Advice)
		}
	}
}

// examine makes every check.
func examine(ctx context.Context, how *serving, online bool) []finding {
	var all []finding
	cfg, err := loadConfig(how.config)
	if err != nil {
		all = append(all, grave("config", "mend each line; diemtin check also tries the topics' examples", "%v", err))
	} else {
		all = append(all, examineConfig(cfg)...)
	}
	all = append(all, examineEnvironment(os.Environ())...)
	runs := health(ctx, how.admin) == nil
	all = append(all, examineDatabase(ctx, how.dsn, runs)...)
	all = append(all, examineListeners(how, runs)...)
	all = append(all, examineTokens(how.tokens)...)
	if online && cfg != nil {
		all = append(all, examineNetwork(ctx, cfg)...)
	}
	return all
}

func examineConfig(cfg *config) []finding {
	all := []finding{fine("config", "%s: %d outlets, %d sources, %d topics", cfg.name, len(cfg.aggregate.Outlets), len(cfg.aggregate.StoreSources()), len(cfg.aggregate.Topics))}
	u, err := url.Parse(cfg.syndicate.Site.BaseURL)
	if err == nil && (u.Hostname() == "example.vn" || strings.HasSuffix(u.Hostname(), ".example.vn") || strings.HasSuffix(u.Hostname(), ".example")) {
		all = append(all, doubtful("config", "set site.base_url to the address that readers use: it stands in every feed", "site.base_url is %s, an example", cfg.syndicate.Site.BaseURL))
	} else if !cfg.aggregate.Public() {
		all = append(all, doubtful("config", "set site.base_url to a public address, unless only this machine reads", "site.base_url %s is private: there is no hub, and no hub reaches us", cfg.syndicate.Site.BaseURL))
	}
	if cfg.syndicate.Site.Contact == "" {
		all = append(all, doubtful("config", "set site.contact: webmasters who want us to stop must find us", "site.contact is empty"))
	}
	return all
}

// examineEnvironment finds variables that were meant for us and mean nothing,
// secrets that others can read, and a proxy that is not used.
func examineEnvironment(environ []string) []finding {
	var all []finding
	s := settingsOf(environ)
	known := []string{tokenVariable}
	for _, name := range flagVariables {
		known = append(known, flagVariable(name), flagVariable(name)+envFile)
	}
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		section := slices.ContainsFunc(sectionVariables(), func(v string) bool { return name == v || strings.HasPrefix(name, v+"_") })
		service := strings.HasPrefix(name, envPrefix+"PORT") || strings.HasPrefix(name, envPrefix+"SERVICE_") // an orchestrator's, of a service called diemtin
		if !section && !service && !slices.Contains(known, name) {
			all = append(all, doubtful("environment", "diemtin config --json names the variable of every setting", "$%s means no setting and no flag", name))
		}
		if file := s.of[name]; strings.HasSuffix(name, envFile) && !slices.Contains([]string{"DIEMTIN_GATE_FILE"}, name) {
			if f, ok := examineSecret("environment", file); !ok {
				all = append(all, f)
			}
		}
	}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if value != "" && slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}, strings.ToUpper(name)) {
			all = append(all, doubtful("network", "give the sources that need it a proxy: of their own", "$%s names a proxy, which is not used for sources: it would resolve names behind the guard's back", name))
		}
	}
	return all
}

// examineSecret says of a file of secrets whether others can read it.
func examineSecret(check, file string) (f finding, ok bool) {
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return grave(check, "make the file, or take the setting away", "%v", err), false
	case st.Mode().Perm()&0o077 != 0 && st.Mode().IsRegular():
		return doubtful(check, "chmod 600 "+file, "%s can be read by others (mode %04o)", file, st.Mode().Perm()), false
	}
	return fine(check, "%s: mode %04o", file, st.Mode().Perm()), true
}

func examineTokens(file string) []finding {
	if file == "" {
		return []finding{fine("tokens", "no --tokens: nobody may rule over the admin API")}
	}
	f, ok := examineSecret("tokens", file)
	if !ok {
		return []finding{f}
	}
	text, err := readSecret(file)
	if err != nil {
		return []finding{grave("tokens", "let the user of the service read it", "%v", err)}
	}
	admitted := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		name, hash, ok := strings.Cut(line, ":")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !ok || name == "" || len(strings.TrimSpace(hash)) != 64:
			return []finding{grave("tokens", "diemtin token NAME prints a line that is one", "%s:%d is no line NAME:HASH; it admits nobody", file, i+1)}
		default:
			admitted++
		}
	}
	return []finding{fine("tokens", "%s, %d admitted", f.Found, admitted)}
}

// examineListeners tries the ports, unless a service of ours holds them.
func examineListeners(how *serving, runs bool) []finding {
	if runs {
		return []finding{fine("listener", "a service answers at %s and is ready", how.admin)}
	}
	var all []finding
	for _, l := range []struct{ address, flag string }{{how.listen, "--listen"}, {how.admin, "--admin"}} {
		open, err := listenOn(l.address, l.flag)
		if err != nil {
			all = append(all, grave("listener", "stop what holds it (ss -ltnp), or choose another", "%v", err))
			continue
		}
		open.Close()
		all = append(all, fine("listener", "%s %s is free", l.flag, l.address))
	}
	if host, err := netip.ParseAddrPort(how.admin); err == nil && !host.Addr().IsLoopback() {
		all = append(all, doubtful("listener", "let --admin listen on 127.0.0.1 or within a closed network: it asks for no password", "--admin %s is not at loopback", how.admin))
	}
	return all
}

func examineDatabase(ctx context.Context, dsn string, runs bool) []finding {
	path, isFile := strings.CutPrefix(dsn, "sqlite:")
	path = strings.TrimPrefix(path, "//")
	var all []finding
	if isFile {
		all = append(all, examineDisk(path)...)
		if !runs {
			all = append(all, examineWriting(path))
		}
	}
	db, err := store.OpenReadOnly(ctx, dsn)
	switch {
	case errors.Is(err, store.ErrNoDatabase):
		return append(all, fine("database", "%s does not exist yet; the first start makes it", masked(dsn)))
	case err != nil:
		return append(all, grave("database", "is --db right, does the server run, may this user open it?", "%v", err))
	}
	defer db.Close()
	have, err := db.Schema(ctx)
	known := store.KnownSchema()
	switch {
	case err != nil:
		return append(all, grave("database", "restore a backup: docs/operations.md, Backup", "%v", err))
	case have > known:
		all = append(all, grave("database", "use the program that wrote it", "it has schema %d, this program knows %d", have, known))
	case have < known:
		all = append(all, doubtful("database", "make a backup; the next start brings it up to date", "it has schema %d, this program brings %d", have, known))
	}
	began := time.Now()
	faults, err := db.QuickCheck(ctx)
	if err != nil {
		faults = append(faults, err.Error())
	}
	if faults != nil {
		return append(all, grave("database", "stop the service, keep a copy of the file, restore a backup", "it is damaged:\n%s", strings.Join(faults, "\n")))
	}
	all = append(all, fine("database", "schema %d, looked through in %s, no damage", have, roughly(time.Since(began))))
	return append(all, examineClock(ctx, db, time.Now())...)
}

func examineDisk(path string) []finding {
	free, err := diskFree(path)
	if err != nil {
		return []finding{doubtful("disk", "make the folder, or give another --db", "%v", err)}
	}
	size := int64(0)
	if st, err := os.Stat(path); err == nil {
		size = st.Size()
	}
	switch {
	case free < leastDisk:
		return []finding{grave("disk", "make room, or move the database: visits end as internal once it is full", "%s free at %s", inBytes(free), filepath.Dir(path))}
	case free < size:
		return []finding{doubtful("disk", "a backup on this disk, and a migration, need as much again", "%s free, and the database has %s", inBytes(free), inBytes(size))}
	}
	return []finding{fine("disk", "%s free, the database has %s", inBytes(free), inBytes(size))}
}

// examineWriting says whether this user can write the file and its folder, in
// which SQLite keeps two more.
func examineWriting(path string) finding {
	f, err := os.CreateTemp(filepath.Dir(path), ".diemtin-doctor-*")
	if err != nil {
		return grave("writing", "give the folder to the user of the service (chown), or mount it for writing", "the folder of the database cannot be written: %v", err)
	}
	f.Close()
	os.Remove(f.Name())
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return grave("writing", "give it to the user of the service (chown)", "%v", err)
		}
		f.Close()
	}
	return fine("writing", "%s can be written", filepath.Dir(path))
}

// examineClock compares our clock with what the database has seen, and with the
// day on which the program was built.
func examineClock(ctx context.Context, db *store.DB, now time.Time) []finding {
	all, err := db.Sources(ctx)
	if err != nil {
		return []finding{grave("clock", "see the database", "%v", err)}
	}
	newest := builtAt()
	for _, s := range all {
		if s.State.LastTry.After(newest) {
			newest = s.State.LastTry
		}
	}
	if newest.Sub(now) > maxSkew {
		return []finding{grave("clock", "set it (timedatectl set-ntp true); until then nothing is visited", "it says %s, and the newest visit, or this program, is of %s", clock(now), clock(newest))}
	}
	return []finding{fine("clock", "%s in Việt Nam, not before anything that has happened", clock(now))}
}

// builtAt is the commit's time that the binary was built from, if it knows.
func builtAt() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			at, _ := time.Parse(time.RFC3339, s.Value) // zero = unknown
			return at
		}
	}
	return time.Time{}
}
