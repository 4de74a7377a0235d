package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// statusPath is the address of the state on the admin listener.
	statusPath = "/status"
	// statusTime bounds putting it together.
	statusTime = 5 * time.Second
	// maxStatus bounds what the verb reads of the answer, in bytes.
	maxStatus = 4 << 20
	// statusNext and statusFailing bound the sources that are named.
	statusNext    = 5
	statusFailing = 10
)

// status is how an installation is. Its JSON keys stay.
type status struct {
	At       time.Time      `json:"at"`
	Service  *serviceStatus `json:"service"` // null if no service was asked, only the database
	Database dbStatus       `json:"database"`
	Sources  sourcesStatus  `json:"sources"`
	Next     []sourceStatus `json:"next"`    // to be visited, the soonest first
	Failing  []sourceStatus `json:"failing"` // the longest failing first
	Articles articleStatus  `json:"articles"`
	Hub      hubStatus      `json:"hub"`
}

type serviceStatus struct {
	Version   string            `json:"version"`
	Roles     []string          `json:"roles"`
	Started   time.Time         `json:"started"`
	Config    string            `json:"config"` // the file
	Since     time.Time         `json:"config_since"`
	Refused   string            `json:"config_refused"` // why the last change of it was; "" if it was not
	Parts     map[string]string `json:"parts"`          // as /readyz has them
	Writes    int               `json:"writes_waiting"`
	DiskSpace *int64            `json:"disk_free_bytes"` // null if it cannot be told
}

type dbStatus struct {
	Engine string `json:"engine"`
	Schema int    `json:"schema"`
	Bytes  int64  `json:"bytes"`
	Free   int64  `json:"free_bytes"` // within bytes
	Log    int64  `json:"log_bytes"`
	Path   string `json:"path"`
}

type sourcesStatus struct {
	Active int            `json:"active"`
	Off    int            `json:"off"`   // in the database, no longer in the file
	State  map[string]int `json:"state"` // of the active ones: ok, new (never visited), else how the last visit failed
	Due    int            `json:"due"`   // now
	Lag    float64        `json:"lag_seconds"`
}

type sourceStatus struct {
	ID      string     `json:"id"`
	At      *time.Time `json:"next"` // null = at once
	Every   float64    `json:"interval_seconds"`
	Outcome string     `json:"outcome"`
	Fails   int        `json:"failures"`
	Detail  string     `json:"detail,omitempty"`
}

type articleStatus struct {
	Waiting int     `json:"waiting"`
	Holding int     `json:"holding"` // of these, with a story that waits
	Oldest  float64 `json:"oldest_seconds"`
}

type hubStatus struct {
	Subscriptions int     `json:"subscriptions"`
	Waiting       int     `json:"deliveries_waiting"`
	Retrying      int     `json:"deliveries_retrying"`
	Oldest        float64 `json:"oldest_seconds"` // of those that were never tried
}

// statusOf reads the state from a database.
func statusOf(ctx context.Context, db *store.DB, now time.Time) (st status, err error) {
	st.At = now.UTC().Truncate(time.Second)
	size, err := db.Size(ctx)
	if err != nil {
		return st, err
	}
	st.Database = dbStatus{Engine: size.Engine, Bytes: size.Data, Free: size.Free, Log: size.Log, Path: size.Path}
	if st.Database.Schema, err = db.Schema(ctx); err != nil {
		return st, err
	}
	all, err := db.Sources(ctx)
	if err != nil {
		return st, err
	}
	st.countSources(all, now)
	queue, err := db.ArticleQueue(ctx)
	if err != nil {
		return st, err
	}
	st.Articles = articleStatus{queue.Waiting, queue.Held, ageOf(queue.Oldest, now)}
	counts, err := db.HubCounts(ctx)
	if err != nil {
		return st, err
	}
	st.Hub = hubStatus{counts.Active, counts.Waiting, counts.Retrying, ageOf(counts.OldestWaiting, now)}
	return st, nil
}

// ageOf is how long ago a time was, in seconds; 0 if it is unknown.
func ageOf(at, now time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return max(now.Sub(at), 0).Round(time.Millisecond).Seconds()
}

// countSources says how the sources are, which come next and which fail.
func (st *status) countSources(all []store.Source, now time.Time) {
	st.Sources.State = map[string]int{}
	st.Next, st.Failing = []sourceStatus{}, []sourceStatus{}
	for _, s := range all {
		if !s.Active {
			st.Sources.Off++
			continue
		}
		st.Sources.Active++
		state := "ok"
		switch {
		case s.State.LastTry.IsZero():
			state = "new"
		case !s.State.Outcome.OK():
			state = string(s.State.Outcome)
		}
		st.Sources.State[state]++
		if !s.State.NextAt.After(now) {
			st.Sources.Due++
			st.Sources.Lag = max(st.Sources.Lag, ageOf(s.State.NextAt, now))
		}
		row := sourceStatus{ID: s.ID, Every: s.State.Interval.Seconds(), Outcome: string(s.State.Outcome), Fails: s.State.Fails, Detail: s.State.Detail}
		if at := s.State.NextAt; !at.IsZero() {
			row.At = &at
		}
		st.Next = append(st.Next, row)
		if s.State.Fails > 0 {
			st.Failing = append(st.Failing, row)
		}
	}
	slices.SortStableFunc(st.Next, func(a, b sourceStatus) int {
		switch {
		case a.At == nil && b.At == nil:
			return 0
		case a.At == nil:
			return -1
		case b.At == nil:
			return 1
		}
		return a.At.Compare(*b.At)
	})
	slices.SortStableFunc(st.Failing, func(a, b sourceStatus) int { return b.Fails - a.Fails })
	st.Next = st.Next[:min(len(st.Next), statusNext)]
	st.Failing = st.Failing[:min(len(st.Failing), statusFailing)]
}

// serveStatus answers the admin listener.
func (s *service) serveStatus(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), statusTime)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	st, err := statusOf(ctx, s.db, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	st.Service = s.status(ctx, st.Database.Path)
	w.Header().Set("Content-Type", "application/json")
	writeJSON(w, st) // an error is the client's hanging up
}

func (s *service) status(ctx context.Context, file string) *serviceStatus {
	st := &serviceStatus{Version: version + revision(), Roles: s.roles.names(), Started: s.started.UTC().Truncate(time.Second), Writes: s.db.Waiting(), Parts: map[string]string{}}
	st.Config, st.Since, st.Refused = s.reloads.state()
	for _, p := range s.parts(ctx) {
		st.Parts[p.name] = p.said
	}
	if free, err := diskFree(file); file != "" && err == nil {
		st.DiskSpace = &free
	}
	return st
}

var statusVerb = verb{name: "status", short: "Show how the service is: sources by state, next visits, queues, size of the database.",
	example: "diemtin status --admin 127.0.0.1:8081",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		admin := fs.String("admin", defaultAdmin, "`address` of the admin listener of a running service; if none answers, the database is read")
		dsn := dbFlag(fs)
		asJSON := fs.Bool("json", false, "print one JSON object")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			st, err := askStatus(ctx, *admin, *dsn)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(std.out, st)
			}
			st.write(std.out)
			return nil
		}
	}}

// askStatus asks the running service, else the database.
func askStatus(ctx context.Context, admin, dsn string) (st status, err error) {
	said, err := callAdmin(ctx, adminCall{address: admin, method: http.MethodGet, path: statusPath, within: statusTime + time.Second, most: maxStatus})
	if err == nil {
		return st, json.Unmarshal(said, &st)
	}
	if !errors.Is(err, errNoAnswer) {
		return st, err
	}
	db, dbErr := store.OpenReadOnly(ctx, dsn)
	if dbErr != nil {
		return st, fmt.Errorf("%w; and the database: %w", err, dbErr)
	}
	defer db.Close()
	return statusOf(ctx, db, time.Now())
}

// write is the state for a person in a terminal.
func (st status) write(w io.Writer) {
	line := func(name, form string, args ...any) { fmt.Fprintf(w, "%-10s %s\n", name, fmt.Sprintf(form, args...)) }
	if s := st.Service; s != nil {
		line("service", "diemtin %s, up %s; %s", s.Version, roughly(st.At.Sub(s.Started)), strings.Join(s.Roles, ", "))
		line("config", "%s, in force since %s", s.Config, clock(s.Since))
		if s.Refused != "" {
			line("", "a change was REFUSED: %s", strings.ReplaceAll(s.Refused, "\n", "\n             "))
		}
		for _, name := range slices.Sorted(maps.Keys(s.Parts)) {
			if said := s.Parts[name]; name != "config" && said != "ok" && !strings.HasPrefix(said, "ok,") {
				line(name, "%s", said)
			}
		}
	} else {
		line("service", "none answers; this is what the database says")
	}
	size := fmt.Sprintf("%s, schema %d, %s", st.Database.Engine, st.Database.Schema, inBytes(st.Database.Bytes))
	if st.Database.Log > 0 {
		size += fmt.Sprintf(" and %s of log", inBytes(st.Database.Log))
	}
	if s := st.Service; s != nil && s.DiskSpace != nil {
		size += fmt.Sprintf("; %s free on its disk", inBytes(*s.DiskSpace))
	}
	line("database", "%s", size)
	st.writeSources(w, line)
	line("articles", "%d pages wait to be read, %d of them with a story%s", st.Articles.Waiting, st.Articles.Holding, since(st.Articles.Oldest))
	line("hub", "%d subscriptions; %d deliveries wait%s, %d are tried again", st.Hub.Subscriptions, st.Hub.Waiting, since(st.Hub.Oldest), st.Hub.Retrying)
}

func (st status) writeSources(w io.Writer, line func(name, form string, args ...any)) {
	states := slices.SortedFunc(maps.Keys(st.Sources.State), func(a, b string) int {
		return cmp.Or(st.Sources.State[b]-st.Sources.State[a], cmp.Compare(a, b))
	})
	var words []string
	for _, state := range states {
		words = append(words, fmt.Sprintf("%d %s", st.Sources.State[state], state))
	}
	line("sources", "%d: %s; %d switched off", st.Sources.Active, cmp.Or(strings.Join(words, ", "), "none"), st.Sources.Off)
	if st.Sources.Due > 0 {
		line("due", "%d now, the longest%s", st.Sources.Due, cmp.Or(since(st.Sources.Lag), " never visited"))
	}
	for i, s := range st.Next {
		when, name := "at once", ""
		if s.At != nil {
			when = clock(*s.At)
		}
		if i == 0 {
			name = "next"
		}
		line(name, "%s  %s, every %s", when, s.ID, roughly(time.Duration(s.Every*float64(time.Second))))
	}
	for i, s := range st.Failing {
		name := ""
		if i == 0 {
			name = "failing"
		}
		line(name, "%s  %s, %d times: %s", s.ID, s.Outcome, s.Fails, firstLineOf(s.Detail, 100))
	}
}

// firstLineOf is the first line of a text, cut to so many characters.
func firstLineOf(s string, most int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func since(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return " for " + roughly(time.Duration(seconds*float64(time.Second)))
}

// roughly is a duration in at most two units.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// clock is a moment in Việt Nam.
func clock(t time.Time) string { return t.In(store.Zone).Format("2006-01-02 15:04:05") }

// inBytes is a size for people.
func inBytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
