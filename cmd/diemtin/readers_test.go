package main

import (
	"encoding/json"
	"mime"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"diemtin/aggregator/outlettest"
)

// readersDir names the environment variable with the folder in which make
// readers has installed the readers from npm, and make html the validator.
const readersDir = "DIEMTIN_READERS"

// daily is one reader that follows the feed of everything all day.
type daily struct {
	name string
	feed string
	// read fetches the feed and returns the ids of all entries that the reader
	// shows, or has ever shown, one for each: an entry shown twice stands twice.
	read func(t *testing.T) []string
	// parses says that it only parses: what it has shown is kept here, as
	// programs built upon it keep it, by id.
	parses bool
	shown  []string
}

// TestReadersOverADay has six readers follow a day of the simulated outlets:
// new stories and copies every hour, edits, late copies, other originals,
// merges, splits, take-downs. Each must show every story that the feed ever
// had, once.
func TestReadersOverADay(t *testing.T) {
	npm := os.Getenv(readersDir)
	if npm == "" {
		t.Skip("make readers runs it; it needs npm's registry")
	}
	w, config := world(t, outlettest.Options{Seed: 5, Stories: 30, Days: 1, Slow: 10})
	p, editor := serveEditors(t, config, "sqlite:"+filepath.Join(t.TempDir(), "day.db"))
	p.swept(t)
	d := &newsDay{t: t, w: w, p: p, links: map[string]string{}, seen: map[string]bool{}}
	d.rule = func(args ...string) string {
		t.Helper()
		out, errs, code := editor(append([]string{"story", "--json"}, args...)...)
		var r struct{ Story string }
		if code != 0 || json.Unmarshal([]byte(out), &r) != nil {
			t.Errorf("%v: %s%s", args, out, errs)
		}
		return r.Story
	}
	c := newClients(t, p.public)
	d.readers = append(debianReaders(c), npmReaders(c, npm)...)
	d.pass("the morning", -1)
	d.run()
	for _, r := range d.readers {
		slices.Sort(r.shown)
		twice := len(r.shown) - len(slices.Compact(slices.Clone(r.shown)))
		lost := 0
		for id := range d.seen {
			if !slices.Contains(r.shown, id) {
				lost++
			}
		}
		extra := len(slices.Compact(slices.Clone(r.shown))) - (len(d.seen) - lost)
		t.Logf("%-12s %-9s %3d entries: %d twice, %d lost, %d that the feed never had", r.name, r.feed, len(r.shown), twice, lost, extra)
		if want := d.sfeed; r.name == "sfeed" && twice <= want {
			twice = 0 // it knows entries by id, title and link together: an edited one is another to it
		}
		if twice+lost+extra > 0 {
			t.Errorf("%s does not show each story once", r.name)
		}
	}
	t.Logf("the feed had %d stories over the day, %d readings", len(d.seen), d.readings)
}

// newsDay is the day, and what its feed has had.
type newsDay struct {
	t        *testing.T
	w        *outlettest.World
	p        *program
	rule     func(args ...string) string
	readers  []*daily
	links    map[string]string // article → the id it was shown under
	seen     map[string]bool   // ids that the feed ever had
	readings int
	sfeed    int // entries that sfeed must take for new though they are not
}

// run is the rest of the day: an hour is a reading.
func (d *newsDay) run() {
	t := d.t
	publish := func(original string, copies ...string) outlettest.Story {
		t.Helper()
		s, err := d.w.PublishFrom(original, copies...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := publish("trung-uong", "lao-cai", "can-tho")
	d.pass("a story with two copies", -1)
	second, third := publish("nhip-song"), publish("trung-uong")
	d.pass("two stories", 2)
	d.w.Outlet("trung-uong").Edit(third.Prints[0].ID, func(a *outlettest.Article) { a.Title += " (cập nhật)" })
	d.sfeed++
	d.pass("an edited headline", 0)
	art := article(d.w.Outlet("nhip-song"), second.Prints[0].ID)
	late := d.w.Outlet("lao-cai").Add(outlettest.Article{Title: "Lào Cai: " + art.Title, Lead: art.Lead, Body: art.Body, Credit: "Theo: " + d.w.Outlet("nhip-song").Name, Topic: art.Topic})
	d.pass("a late copy", 0)
	a, b := d.rule("hide", first.Prints[0].Link), d.rule("hide", third.Prints[0].Link)
	d.rule("restore", a)
	d.rule("restore", b)
	d.pass("hidden and restored", 0)
	d.rule("pin", d.storyOf(second.Prints[0].Link), late.Link)
	d.pass("another original", 0)
	d.rule("merge", a, b, "--why", "thử")
	d.pass("merged", 0)
	publish("nhip-song", "can-tho")
	d.pass("one more story", -1)
	d.rule("unmerge", b)
	d.pass("taken apart again", 0)
	d.rule("split", d.storyOf(second.Prints[0].Link), late.Link)
	d.pass("a copy split off", 1)
	gone := publish("trung-uong")
	d.pass("a story to be taken down", 1)
	d.rule("takedown", gone.Prints[0].Link, "--why", "báo yêu cầu")
	d.sfeed++
	d.pass("taken down", 0)
	d.w.Outlet("trung-uong").Edit(first.Prints[0].ID, func(a *outlettest.Article) { a.Lead += " Tin đang được cập nhật." })
	for range 3 {
		d.w.Publish()
	}
	d.pass("the evening", -3)
}

// storyOf is the id of the story that an article was shown as.
func (d *newsDay) storyOf(link string) string {
	d.t.Helper()
	id, ok := d.links[link]
	if !ok {
		d.t.Fatalf("%s was never in the feed", link)
	}
	return strings.TrimPrefix(id, "urn:diemtin:story:")
}

// pass waits until the outlets have been read, then has all read the feed. Want
// is how many stories must be new in it; -n is n or more, where chance decides
// how near the copies are.
func (d *newsDay) pass(step string, want int) {
	t := d.t
	t.Helper()
	for range 4 { // sources are visited every one to two seconds
		waitASecond(t)
	}
	var doc struct {
		Items []struct {
			ID      string `json:"id"`
			URL     string `json:"url"`
			Diemtin struct {
				Removed bool `json:"removed"`
			} `json:"_diemtin"`
		} `json:"items"`
	}
	_, body := get(t, d.p.public+"/feed.json")
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	fresh := 0
	for _, it := range doc.Items {
		if was, ok := d.links[it.URL]; ok && was != it.ID && it.URL != "" {
			t.Errorf("%s: %s was shown as %s and now as %s", step, it.URL, was, it.ID)
		}
		if it.URL != "" {
			d.links[it.URL] = it.ID
		}
		if !d.seen[it.ID] {
			d.seen[it.ID] = true
			fresh++
		}
	}
	d.readings++
	if t.Logf("%s: %d new", step, fresh); want >= 0 && fresh != want || fresh < -want {
		t.Errorf("%s: want %d", step, want)
	}
	for _, r := range d.readers {
		now := r.read(t)
		if !r.parses {
			r.shown = now
			continue
		}
		for i, id := range now {
			if slices.Contains(now[:i], id) || !slices.Contains(r.shown, id) {
				r.shown = append(r.shown, id)
			}
		}
	}
}

func article(o *outlettest.Outlet, id string) outlettest.Article {
	all := o.Articles()
	return all[slices.IndexFunc(all, func(a outlettest.Article) bool { return a.ID == id })]
}

// debianReaders are newsboat, sfeed, rss2email and feedparser.
func debianReaders(c *clients) []*daily {
	return []*daily{
		{name: "newsboat", feed: "feed.atom", read: func(t *testing.T) []string {
			c.newsboat(t)
			return sqliteTexts(t, filepath.Join(c.dir, "cache.db"), `SELECT guid FROM rss_item`)
		}},
		{name: "sfeed", feed: "feed.rss", read: func(t *testing.T) (ids []string) {
			c.sfeed(t)
			lines, err := os.ReadFile(filepath.Join(c.dir, "one"))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(lines)) {
				ids = append(ids, strings.Split(line, "\t")[5])
			}
			return ids
		}},
		{name: "rss2email", feed: "feed.rss", read: func(t *testing.T) []string {
			c.rss2email(t)
			return letterIDs(t, filepath.Join(c.dir, "mail", "INBOX", "new"))
		}},
		{name: "feedparser", feed: "feed.atom", parses: true, read: func(t *testing.T) []string {
			return lines(t, exec.CommandContext(t.Context(), "/usr/bin/python3", "-c",
				"import sys, feedparser\nd = feedparser.parse(sys.argv[1])\nassert not d.bozo, d.bozo_exception\nfor e in d.entries: print(e.id)", c.url+"/feed.atom"))
		}},
	}
}

// npmReaders are rss-parser and feedsmith, run by node in the folder that has
// them.
func npmReaders(c *clients, dir string) []*daily {
	run := func(script, feed string) func(t *testing.T) []string {
		return func(t *testing.T) []string {
			cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", script, c.url+"/"+feed)
			cmd.Dir = dir
			return lines(t, cmd)
		}
	}
	const feedsmith = `import {parseFeed} from "feedsmith";
const {feed} = parseFeed(await (await fetch(process.argv[1])).text());
for (const e of feed.items ?? feed.entries) console.log(e.guid?.value ?? e.id);`
	return []*daily{
		{name: "rss-parser", feed: "feed.rss", parses: true, read: run(`import Parser from "rss-parser";
for (const e of (await new Parser().parseURL(process.argv[1])).items) console.log(e.guid);`, "feed.rss")},
		{name: "feedsmith", feed: "feed.atom", parses: true, read: run(feedsmith, "feed.atom")},
		{name: "feedsmith", feed: "feed.json", parses: true, read: run(feedsmith, "feed.json")},
	}
}

// lines runs a program and returns what it prints.
func lines(t *testing.T, cmd *exec.Cmd) []string {
	t.Helper()
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, errs.String())
	}
	return strings.Fields(string(out))
}

// letterIDs are the ids of the entries that rss2email has sent.
func letterIDs(t *testing.T, dir string) (ids []string) {
	t.Helper()
	letters, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		f, err := os.Open(filepath.Join(dir, l.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		id, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("X-RSS-ID"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}
