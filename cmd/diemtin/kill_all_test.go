package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"diemtin/store"
)

// killSteps is how many steps of a script are played: few in CI, thousands of
// refreshes where DIEMTIN_KILL_STEPS asks for them (make soak).
func killSteps(t *testing.T) int {
	if text := os.Getenv("DIEMTIN_KILL_STEPS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 3
	}
	return 12
}

// What was served once and committed is there once, no delivery is lost, and
// every document has the bytes that it has where nothing was ever killed: the
// service is killed at random moments of visits, of reading pages, of reloads,
// backups, deliveries and starts, on both engines, and all of them read the
// same outlets by the same clock.
func TestKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed, steps := uint64(time.Now().UnixNano()), killSteps(t)
	if text := os.Getenv("DIEMTIN_KILL_SEED"); text != "" {
		fmt.Sscan(text, &seed)
	}
	t.Logf("DIEMTIN_KILL_SEED=%d, %d steps of %d sources", seed, steps, scriptOutlets*scriptSources)
	s := newScript(seed, steps, time.Now().Truncate(24*time.Hour).Add(-30*24*time.Hour))
	var mu sync.Mutex
	given := map[string]map[string]string{} // by run
	t.Run("runs", func(t *testing.T) {
		for name, dsn := range map[string]func(*testing.T) string{"calm": nil, "sqlite": nil, "postgres": postgresSchema} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				to := ""
				if dsn != nil {
					to = dsn(t)
				}
				k := newKillRun(t, s, to)
				if name != "calm" {
					k.deadly = rand.New(rand.NewPCG(seed, uint64(len(name))))
				}
				k.play()
				all := k.end()
				mu.Lock()
				defer mu.Unlock()
				given[name] = all
			})
		}
	})
	for _, name := range []string{"sqlite", "postgres"} {
		if all := given[name]; all != nil { // else it has failed, or there is no PostgreSQL
			sameDocuments(t, name, all, given["calm"])
		}
	}
}

// sameDocuments compares what two runs give out.
func sameDocuments(t *testing.T, run string, got, want map[string]string) {
	t.Helper()
	if want == nil {
		t.Fatal("the run without kills has failed")
	}
	if n := strings.Count(want["/feed.atom"], "<entry>"); n < 3 {
		t.Errorf("only %d entries to compare", n)
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			t.Errorf("%s of %s after kills:\n%s\nwithout:\n%s", path, run, got[path], want[path])
		}
	}
}

// killRun is one run of a script.
type killRun struct {
	t      *testing.T
	place  killPlace
	stage  *stage
	dsn    string
	file   string  // of SQLite; "" for PostgreSQL
	db     *sql.DB // what is stored, seen from outside
	deadly *rand.Rand
	p      *program

	readers map[string]*pushedTo // by the path of their feed
	kills   map[string]int       // by what was under way
	backups map[string]int       // copies that are there, and how many items each must have
	moved   int                  // scheduled copies put elsewhere
	polls   int
}

func newKillRun(t *testing.T, s *script, dsn string) *killRun {
	k := &killRun{t: t, place: newKillPlace(t), stage: s.stage(t), dsn: dsn, readers: map[string]*pushedTo{}, kills: map[string]int{}, backups: map[string]int{}}
	driver, address := "pgx", dsn
	if dsn == "" {
		k.file = filepath.Join(k.place.dir, "tin.db")
		k.dsn, driver, address = "sqlite:"+k.file, "sqlite", "file:"+k.file+"?mode=ro&_pragma=busy_timeout(10000)"
		if err := os.Mkdir(filepath.Join(k.place.dir, "copies"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if k.db, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.db.Close() })
	return k
}

// configure writes the configuration; each call changes one setting.
func (k *killRun) configure() {
	k.polls++
	more := ""
	if k.file != "" {
		more = "backup: {dir: copies, every: 10m, keep: 50}\n"
	}
	k.stage.write(k.t, k.place.config, 100_000+k.polls%7, more)
}

func (k *killRun) service() clocked {
	return clocked{Config: k.place.config, DSN: k.dsn, Clock: k.place.clock}
}

// play goes through the script.
func (k *killRun) play() {
	k.configure()
	k.turn(-1)
	k.p = k.service().start(k.t)
	k.settled()
	k.subscribe()
	for n := range k.stage.steps {
		k.turn(n)
		if n%4 != 3 { // else the loop finds by itself what is due
			k.configure()
			k.p.cmd.Process.Signal(syscall.SIGHUP)
		}
		if k.deadly != nil {
			k.kill()
		}
		k.settled()
	}
}

// turn is the beginning of a step: all outlets move on, then the clock.
func (k *killRun) turn(n int) {
	k.stage.step.Store(int64(n))
	setClock(k.t, k.place.clock, k.stage.at(n))
}

// subscribe has subscribers follow feeds.
func (k *killRun) subscribe() {
	k.t.Helper()
	for _, path := range []string{"/feed.atom", "/feed.rss", "/scopes/national/feed.json"} {
		k.readers[path] = newPushedTo(k.t, "bí mật")
		subscribeAt(k.t, k.p.public, "https://tin.example.vn"+path, k.readers[path].url, "bí mật")
	}
	eventually(k.t, "the subscriptions", func() bool { return k.count(`SELECT count(*) FROM hub_subscriptions`) == len(k.readers) })
}

// kill ends the service at a random moment of what it does, again while it
// starts, and starts it anew.
func (k *killRun) kill() {
	copying := k.copying()
	if k.deadly.IntN(3) > 0 {
		if k.deadly.IntN(3) > 0 { // in the midst of visits
			before := k.stage.hits.Load()
			eventually(k.t, "a visit", func() bool { return k.stage.hits.Load() > before || k.idle() })
			pass(k.t, time.Duration(k.deadly.IntN(80))*time.Millisecond)
		} else {
			pass(k.t, time.Duration(k.deadly.IntN(250))*time.Millisecond)
		}
		k.note()
		k.p.kill()
		k.look(k.p.log.String())
		k.free()
		for k.deadly.IntN(2) == 0 {
			k.doomed()
		}
		k.p = k.service().start(k.t)
	}
	copying()
}

// doomed starts the service and kills it while it starts, or soon after.
func (k *killRun) doomed() {
	k.kills["start"]++
	cmd, log := k.service().command(k.t), &strings.Builder{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	pass(k.t, time.Duration(k.deadly.IntN(600))*time.Millisecond)
	cmd.Process.Kill()
	cmd.Wait()
	k.look(log.String())
	k.free()
}

// look fails on what a log must never say.
func (k *killRun) look(log string) {
	for _, word := range []string{"DATA RACE", "panic", "corrupt", "malformed"} {
		if strings.Contains(log, word) {
			k.t.Errorf("the log speaks of %s:\n%s", word, log)
		}
	}
}

// note counts what is under way, as far as can be seen from outside.
func (k *killRun) note() {
	busy := false
	for what, query := range map[string]string{
		"visits":     `SELECT count(*) FROM sources WHERE lease_until > 0`,
		"pages":      `SELECT count(*) FROM articles WHERE lease_by <> ''`,
		"listing":    `SELECT count(*) FROM stories WHERE listed = 0 AND merged_into = ''`,
		"deliveries": `SELECT (SELECT count(*) FROM hub_outbox) + (SELECT count(*) FROM hub_subscriptions WHERE wanted > 0)`,
	} {
		if k.count(query) > 0 {
			k.kills[what]++
			busy = true
		}
	}
	if !busy {
		k.kills["other"]++
	}
}

// free lets the leases of the killed process run out, which on PostgreSQL takes
// minutes, and the clock stands: SQLite's end at the next start.
func (k *killRun) free() {
	if k.file != "" {
		k.shelve()
		return
	}
	for _, query := range []string{
		`UPDATE sources SET lease_until = 0 WHERE lease_until > 0`,
		`UPDATE hub_subscriptions SET lease_until = 0 WHERE lease_until > 0`,
		`UPDATE hub_requests SET lease_until = 0 WHERE lease_until > 0`,
		`UPDATE articles SET due_at = 1 WHERE lease_by <> ''`, // held until then
		`UPDATE hosts SET lease_until = 0, ready_at = 0`,      // a killed process's rest a minute
	} {
		if _, err := k.db.ExecContext(k.t.Context(), query); err != nil {
			var missing bool // a process killed while it made the schema
			if missing = strings.Contains(err.Error(), "does not exist"); !missing {
				k.t.Fatal(err)
			}
		}
	}
}

func (k *killRun) count(query string, args ...any) (n int) {
	k.t.Helper()
	if err := k.db.QueryRowContext(k.t.Context(), query, args...).Scan(&n); err != nil {
		k.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// settled waits until all of a step is done.
func (k *killRun) settled() {
	k.t.Helper()
	eventually(k.t, fmt.Sprint("the end of step ", k.stage.step.Load()), k.idle)
}

// idle says whether all of a step is done.
func (k *killRun) idle() bool {
	now := k.stage.at(int(k.stage.step.Load())).UnixMilli()
	return k.count(`SELECT (SELECT count(*) FROM sources WHERE active = 1 AND (next_at <= $1 OR lease_until > 0))
			+ (SELECT count(*) FROM stories WHERE listed = 0 AND merged_into = '')
			+ (SELECT count(*) FROM articles WHERE holds = 1 OR lease_by <> '')`, now) == 0
}

// end lets the last deliveries be made, ends the service, checks what is
// stored, and returns what readers get.
func (k *killRun) end() map[string]string {
	k.turn(k.stage.steps)
	eventually(k.t, "the last deliveries", func() bool {
		return k.count(`SELECT (SELECT count(*) FROM hub_outbox) + (SELECT count(*) FROM hub_subscriptions WHERE wanted > 0 OR lease_until > 0)`) == 0
	})
	k.settled()
	syscall.Kill(k.p.cmd.Process.Pid, syscall.SIGTERM)
	<-k.p.ended // by the signal: the child has no handler of diemtin's main
	k.look(k.p.log.String())
	k.free()
	all := k.given()
	k.everything()
	k.delivered(all)
	k.whole()
	k.t.Logf("%d documents read of outlets, %d items, kills by what was under way: %v, copies %d", k.stage.hits.Load(),
		len(k.stage.links()), k.kills, len(k.backups)+k.moved)
	return all
}

// given is what a service gives out that only answers.
func (k *killRun) given() map[string]string {
	c := k.service()
	c.Roles = "serve"
	p := c.start(k.t)
	defer p.kill()
	all := map[string]string{}
	for _, path := range k.stage.paths() {
		resp, body := get(k.t, p.public+path)
		all[path] = fmt.Sprintf("%d %s\n%s", resp.StatusCode, resp.Header.Get("ETag"), body)
	}
	return all
}

// everything checks that each item is stored, once, and listed.
func (k *killRun) everything() {
	rows, err := k.db.QueryContext(k.t.Context(), `SELECT link, count(*) FROM items GROUP BY link`)
	if err != nil {
		k.t.Fatal(err)
	}
	defer rows.Close()
	stored := map[string]int{}
	for rows.Next() {
		var link string
		var n int
		if err := rows.Scan(&link, &n); err != nil {
			k.t.Fatal(err)
		}
		stored[link] = n
	}
	if err := rows.Err(); err != nil {
		k.t.Fatal(err)
	}
	for _, link := range k.stage.links() {
		if stored[link] != 1 {
			k.t.Errorf("%s is stored %d times", link, stored[link])
		}
		delete(stored, link)
	}
	if len(stored) > 0 {
		k.t.Errorf("stored, and never published: %v", stored)
	}
	if k.file != "" {
		db, err := store.OpenReadOnly(k.t.Context(), k.dsn)
		if err != nil {
			k.t.Fatal(err)
		}
		defer db.Close()
		if faults, err := db.QuickCheck(k.t.Context()); err != nil || faults != nil {
			k.t.Errorf("the file: %v, %v", faults, err)
		}
	}
}

// delivered checks that subscribers know all that was listed, and at last had
// what a GET gives.
func (k *killRun) delivered(all map[string]string) {
	for path, r := range k.readers {
		got := r.all()
		if len(got) == 0 {
			k.t.Errorf("nothing of %s was delivered", path)
			continue
		}
		if _, body, _ := strings.Cut(all[path], "\n"); all[path] != "" && got[len(got)-1].body != body {
			k.t.Errorf("%s: the last delivery is\n%s\na GET gives\n%s", path, got[len(got)-1].body, body)
		}
		var told strings.Builder
		for _, d := range got {
			told.WriteString(d.body)
		}
		for _, a := range k.stage.acts {
			for _, e := range a.told {
				if !strings.Contains(told.String(), e.title) {
					k.t.Errorf("%s: %q was never delivered", path, e.title)
				}
			}
		}
		if r.forged > 0 {
			k.t.Errorf("%s: %d wrongly signed", path, r.forged)
		}
	}
}

// copying has diemtin backup copy an SQLite database beside the service, and
// kills it at a random moment, sometimes too late. The function that it returns
// waits for that.
func (k *killRun) copying() (wait func()) {
	if k.file == "" || k.deadly.IntN(3) > 0 {
		return func() {}
	}
	to := filepath.Join(k.place.dir, fmt.Sprintf("copy-%d.db", len(k.backups)))
	k.backups[to] = k.count(`SELECT count(*) FROM items`)
	cmd := command(k.t, "backup", "--db", k.dsn, to)
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	lives := time.Duration(k.deadly.IntN(200)) * time.Millisecond
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if lives < 150*time.Millisecond { // else it may end by itself
			timer := time.AfterFunc(lives, func() { cmd.Process.Kill() })
			defer timer.Stop()
		}
		if cmd.Wait() != nil {
			return
		}
	}()
	return func() {
		<-ended
		if cmd.ProcessState.ExitCode() != 0 {
			k.kills["backup"]++
		}
	}
}

// shelve puts the copies that the service has made elsewhere, so that it makes
// the next at its next start.
func (k *killRun) shelve() {
	names, err := filepath.Glob(filepath.Join(k.place.dir, "copies", "tin-*.db"))
	if err != nil {
		k.t.Fatal(err)
	}
	for _, name := range names {
		to := filepath.Join(k.place.dir, fmt.Sprintf("shelved-%d.db", k.moved))
		if err := os.Rename(name, to); err != nil {
			k.t.Fatal(err)
		}
		k.moved++
		k.backups[to] = 0
	}
}

// whole checks that every copy that has its name is whole, and holds what was
// committed when it was begun.
func (k *killRun) whole() {
	for name, least := range k.backups {
		if _, err := os.Stat(name); err != nil {
			delete(k.backups, name) // killed before it had its name
			continue
		}
		if s, err := store.Inspect(context.WithoutCancel(k.t.Context()), name); err != nil || int(s.Items) < least {
			k.t.Errorf("copy %s has %d items, want %d or more: %v", name, s.Items, least, err)
		}
	}
}

// pass lets a part of the other process's work go by.
func pass(t *testing.T, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
