package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// play is what a play is: some seconds for each change, minutes for a soak,
// which has 2,001 sources.
func play() replicaPlay {
	if os.Getenv("DIEMTIN_SOAK") != "" {
		return replicaPlay{outlets: 667, min: 10 * time.Second, max: 20 * time.Second, pause: 500 * time.Millisecond,
			lease: 10 * time.Second, chaos: 4 * time.Minute, kill: 8 * time.Second}
	}
	return replicaPlay{outlets: 80, min: 3 * time.Second, max: 5 * time.Second, pause: 400 * time.Millisecond,
		lease: 4 * time.Second, chaos: 16 * time.Second, kill: 3 * time.Second}
}

// TestReplicas: three processes on one PostgreSQL. One after the other is killed
// and started again, one is stopped for longer than its leases and goes on. No
// article is lost or stored twice, no outlet is asked by two at once or without
// its pause, whoever subscribed hears of everything, and in the end all three
// say the same, byte for byte.
func TestReplicas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a play of half a minute")
	}
	play, dsn := play(), postgresDatabase(t)
	ps := newPresses(t, play.outlets)
	const base = "http://127.0.0.1:9" // nobody asks there: our own subscription is switched off
	config := ps.config(t, play, base)
	began := time.Now()
	r := &replicas{t: t, config: config, dsn: dsn}
	for range 3 {
		r.running = append(r.running, serve(t, config, dsn))
	}
	got := newPushedTo(t, "bí mật")
	r.subscribe(base+"/feed.json", got.url)

	ctx, stop := context.WithTimeout(t.Context(), play.chaos)
	defer stop()
	told := make(chan struct{})
	go func() { ps.publish(ctx); close(told) }()
	r.upset(ctx, play)
	<-told

	var links []string
	for _, h := range ps.outlets {
		links = append(links, h.links()...)
	}
	r.settle(links)
	took := time.Since(began)
	r.learnTogether(ps)
	links = links[:0]
	for _, h := range ps.outlets {
		links = append(links, h.links()...)
	}
	r.settle(links)
	r.storedOnce(links)
	r.sameBytes(ps)
	r.pushedOnce(got)
	ps.judge(t, play, took)
	r.behindNginx()
	for _, p := range r.running {
		p.stop(t)
	}
	for i, p := range r.running {
		panicked, failed := complaints(p.log.String())
		if panicked > 0 {
			t.Errorf("replica %d panicked:\n%s", i, p.log)
		}
		t.Logf("replica %d wrote %d lines of level ERROR, such as %.300s", i, len(failed), strings.Join(failed[:min(len(failed), 1)], ""))
	}
}

// complaints finds in a log what should not be there: a panic, and what the
// database refused, as it does to who was stopped within a write.
func complaints(log string) (panicked int, failed []string) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "panic") {
			panicked++
		}
		if strings.Contains(line, "level=ERROR") {
			failed = append(failed, line)
		}
	}
	return panicked, failed
}

// postgresDatabase is the address of a database of its own: whoever shares one
// takes turns in writing with all other tests.
func postgresDatabase(t *testing.T) string {
	t.Helper()
	base := postgresServer(t)
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("replicas_%d", time.Now().UnixNano())
	if _, err := db.ExecContext(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// replicas are the processes of a play.
type replicas struct {
	t           *testing.T
	config, dsn string
	running     []*program
	kills       int
}

func (r *replicas) subscribe(topic, callback string) {
	resp, err := http.PostForm(r.running[0].public+"/hub", url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic},
		"hub.callback": {callback}, "hub.secret": {"bí mật"}})
	if err != nil {
		r.t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		r.t.Fatalf("subscribing: %s %s", resp.Status, text)
	}
}

// upset kills one replica after the other and starts it again, and meanwhile
// stops the last for longer than its leases.
func (r *replicas) upset(ctx context.Context, play replicaPlay) {
	stopped := r.running[2]
	asleep := time.After(play.kill)
	var awake <-chan time.Time
	kill := time.NewTicker(play.kill)
	defer kill.Stop()
	for {
		select {
		case <-asleep:
			stopped.cmd.Process.Signal(syscall.SIGSTOP)
			awake = time.After(2*play.lease + play.pause)
		case <-awake:
			awake = nil
			stopped.cmd.Process.Signal(syscall.SIGCONT)
		case <-kill.C:
			n := r.kills % 2
			r.running[n].kill()
			r.running[n] = serve(r.t, r.config, r.dsn)
			r.kills++
		case <-ctx.Done():
			if awake != nil {
				stopped.cmd.Process.Signal(syscall.SIGCONT)
			}
			return
		}
	}
}

// publish has outlets publish, one after the other, until ctx ends.
func (ps *presses) publish(ctx context.Context) {
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			ps.outlets[i*7%len(ps.outlets)].tell()
		case <-ctx.Done():
			return
		}
	}
}

// count answers a counting query.
func (r *replicas) count(query string) int {
	r.t.Helper()
	db, err := sql.Open("pgx", r.dsn)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRowContext(r.t.Context(), query).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// settle waits until all that was published is stored, listed and pushed.
func (r *replicas) settle(links []string) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d articles to be listed and pushed", len(links)), func() bool {
		return r.count(`SELECT count(*) FROM items`) >= len(links) &&
			r.count(`SELECT (SELECT count(*) FROM stories WHERE listed = 0 AND merged_into = '') + (SELECT count(*) FROM hub_outbox)
				+ (SELECT count(*) FROM hub_subscriptions WHERE wanted > 0)`) == 0
	})
}

// storedOnce compares what is stored with what was published.
func (r *replicas) storedOnce(links []string) {
	r.t.Helper()
	db, err := sql.Open("pgx", r.dsn)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(r.t.Context(), `SELECT items.link FROM items JOIN stories ON stories.id = items.story WHERE stories.listed > 0`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	times := map[string]int{}
	for rows.Next() {
		var link string
		if err := rows.Scan(&link); err != nil {
			r.t.Fatal(err)
		}
		times[link]++
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	for _, link := range links {
		if times[link] != 1 {
			r.t.Errorf("%s is listed %d times", link, times[link])
		}
		delete(times, link)
	}
	for link := range times {
		r.t.Errorf("%s is listed, and nobody published it", link)
	}
	if n := r.count(`SELECT count(*) FROM stories WHERE merged_into = ''`); n != len(links) {
		r.t.Errorf("%d articles of different words make %d stories", len(links), n)
	}
	r.t.Logf("%d articles through %d kills and one stop", len(links), r.kills)
}

// sameBytes compares what the replicas give out.
func (r *replicas) sameBytes(ps *presses) {
	r.t.Helper()
	paths := []string{"/feed.rss", "/feed.atom", "/feed.json", "/topics/tin-khac/feed.atom", "/scopes/national/feed.json", "/days/" + today() + "/feed.rss", "/opml"}
	for i := range ps.outlets {
		if i%10 == 0 {
			paths = append(paths, fmt.Sprintf("/outlets/bao-%d/feed.atom", i))
		}
	}
	waitASecond(r.t) // the caches look once a second
	for _, path := range paths {
		var first string
		for i, p := range r.running {
			resp, body := get(r.t, p.public+path)
			if resp.StatusCode != http.StatusOK {
				r.t.Errorf("replica %d: %s: %s", i, path, resp.Status)
			}
			if got := resp.Header.Get("ETag") + "\n" + body; i == 0 {
				first = got
			} else if got != first {
				r.t.Errorf("%s of replica %d differs from that of the first", path, i)
			}
		}
	}
}

// seenSoon bounds how long a replica may take to show what another has listed:
// it looks once a second, and a busy machine takes its time.
const seenSoon = 10 * time.Second

// learnTogether measures how soon every replica shows what one has listed.
func (r *replicas) learnTogether(ps *presses) {
	r.t.Helper()
	var waits []time.Duration
	for n := range 3 {
		link := ps.outlets[1+4*n].tell() // of those whose pages are not read
		seen := map[int]bool{}
		eventually(r.t, "all replicas to show "+link, func() bool {
			for i, p := range r.running {
				if seen[i] {
					continue
				}
				_, body := get(r.t, p.public+"/feed.json")
				if listed := changedIn(body, link); !listed.IsZero() {
					seen[i], waits = true, append(waits, time.Since(listed))
				}
			}
			return len(seen) == len(r.running)
		})
	}
	slices.Sort(waits)
	r.t.Logf("after its listing a story is shown by all replicas after %v to %v", waits[0].Round(time.Millisecond), waits[len(waits)-1].Round(time.Millisecond))
	if last := waits[len(waits)-1]; last > seenSoon {
		r.t.Errorf("a replica showed a story only %v after its listing", last)
	}
}

// changedIn is when an entry of a JSON Feed was listed, zero if it is not there.
func changedIn(body, link string) time.Time {
	var feed struct {
		Items []struct {
			URL         string    `json:"url"`
			ExternalURL string    `json:"external_url"`
			Modified    time.Time `json:"date_modified"`
		} `json:"items"`
	}
	if json.Unmarshal([]byte(body), &feed) != nil {
		return time.Time{}
	}
	for _, it := range feed.Items {
		if it.URL == link || it.ExternalURL == link {
			return it.Modified
		}
	}
	return time.Time{}
}

// pushedOnce: the subscriber has been sent every article that is in a current
// feed, no bytes more than twice (what a killed process was sending is sent
// again), and last what a GET gives.
func (r *replicas) pushedOnce(got *pushedTo) {
	r.t.Helper()
	all := got.all()
	if len(all) == 0 || got.forged > 0 {
		r.t.Fatalf("%d deliveries, %d of them not ours", len(all), got.forged)
	}
	times := map[[sha256.Size]byte]int{}
	twice := 0
	for _, one := range all {
		times[one.sum]++
		if n := times[one.sum]; n == 2 {
			twice++
		} else if n > 2 {
			r.t.Errorf("the same bytes were delivered %d times", n)
		}
	}
	if twice > r.kills+1 {
		r.t.Errorf("%d deliveries were sent twice, though only %d replicas were killed or stopped", twice, r.kills+1)
	}
	_, body := get(r.t, r.running[0].public+"/feed.json")
	if all[len(all)-1].body != body {
		r.t.Error("what was delivered last is not what the feed says")
	}
	r.t.Logf("%d deliveries, %d of them twice", len(all), twice)
}

// behindNginx asks all three through the shipped configuration of nginx, and goes
// on asking when one of them has died: no reader notices.
func (r *replicas) behindNginx() {
	r.t.Helper()
	if nginxPath() == "" {
		if os.Getenv("CI") != "" {
			need(r.t, "nginx")
		}
		r.t.Log("nginx is not installed")
		return
	}
	sample := strings.ReplaceAll(repoFile(r.t, "deploy/nginx-replicas.conf"), "proxy_cache diemtin;", "proxy_cache off;")
	places := []string{"/var/cache/nginx/diemtin", r.t.TempDir(), "listen [::]:80;", "", "server_name tin.example.vn;", ""}
	for i, p := range r.running {
		places = append(places, fmt.Sprintf("diemtin-%d:8080", i+1), strings.TrimPrefix(p.public, "http://"))
	}
	front := "http://" + startNginx(r.t, func(address string) string {
		return strings.NewReplacer(append(places, "listen 80;", "listen "+address+";")...).Replace(sample)
	}).address
	_, want := get(r.t, r.running[0].public+"/feed.atom")
	ask := func(when string) {
		r.t.Helper()
		for range 6 {
			if resp, body := get(r.t, front+"/feed.atom"); resp.StatusCode != http.StatusOK || body != want {
				r.t.Errorf("%s: %s, or other bytes", when, resp.Status)
			}
		}
	}
	ask("with three replicas")
	r.running[0].kill()
	r.running = r.running[1:]
	ask("when one has died")
}

// judge looks at what the outlets saw.
func (ps *presses) judge(t *testing.T, play replicaPlay, took time.Duration) {
	t.Helper()
	const slack = 5 * time.Millisecond // times are stored in whole milliseconds
	feeds, pages, hasty := 0, 0, 0
	for _, h := range ps.outlets {
		var last askedFor
		for _, one := range h.asked() {
			robots := one.path == "/robots.txt"
			switch {
			case robots:
			case strings.HasSuffix(one.path, ".rss"):
				feeds++
			default:
				pages++
			}
			gap := one.begin.Sub(last.ended)
			if !last.begin.IsZero() && last.path != "/robots.txt" && gap < play.pause-slack { // robots.txt and what it is asked for are one visit
				hasty++
				if hasty < 10 {
					t.Errorf("%s: %s came %v after %s, want %v", h.addr, one.path, gap, last.path, play.pause)
				}
			}
			if gap < 0 {
				t.Errorf("%s: %s was asked for while %s was answered", h.addr, one.path, last.path)
			}
			last = one
		}
	}
	sources := len(ps.outlets) * houseSources
	budget := float64(sources) * (float64(took)/float64(play.min) + 3) // and one visit at a start, after a kill and after a stop
	t.Logf("%d sources: %d visits and %d pages in %v, at most %.0f visits allowed; %d without their pause", sources, feeds, pages, took.Round(time.Second), budget, hasty)
	if float64(feeds) > budget {
		t.Errorf("%d visits are beyond the budget of %.0f", feeds, budget)
	}
}
