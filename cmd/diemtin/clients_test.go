package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// clients are real readers, where they are installed. They ask at one address,
// whatever port the service has after a restart.
type clients struct {
	front    atomic.Pointer[string]
	url, dir string
	count    map[string]func(t *testing.T) int // reads the feed again and says how many entries it ever had
	had      map[string]int
}

func newClients(t *testing.T, public string) *clients {
	t.Helper()
	c := &clients{dir: t.TempDir(), count: map[string]func(*testing.T) int{}, had: map[string]int{}}
	c.front.Store(&public)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, body := get(t, *c.front.Load()+r.URL.Path)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(front.Close)
	c.url = front.URL
	for name, count := range map[string]func(*testing.T) int{"newsboat": c.newsboat, "sfeed_update": c.sfeed, "r2e": c.rss2email} {
		if _, err := exec.LookPath(name); err == nil {
			c.count[name] = count
		} else if os.Getenv("CI") != "" && name != "r2e" {
			t.Errorf("%s is missing; the test command installs it", name)
		}
	}
	return c
}

// reload lets every client read the feed and says how many entries are new to
// each.
func (c *clients) reload(t *testing.T, step string, fresh, sfeed int) {
	t.Helper()
	for name, count := range c.count {
		want := c.had[name] + fresh
		if name == "sfeed_update" {
			want = c.had[name] + sfeed
		}
		got := count(t)
		if c.had[name] = got; got != want {
			t.Errorf("%s: %s has %d entries, want %d", step, name, got, want)
		}
	}
}

func (c *clients) write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func (c *clients) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+c.dir, "XDG_CONFIG_HOME="+c.dir, "XDG_DATA_HOME="+c.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", args[0], err, out)
	}
}

func (c *clients) newsboat(t *testing.T) int {
	urls, conf := c.write(t, "urls", c.url+"/feed.atom\n"), c.write(t, "config", "download-retries 1\nreload-time 1000000\n")
	cache := filepath.Join(c.dir, "cache.db")
	c.run(t, "newsboat", "-C", conf, "-u", urls, "-c", cache, "-x", "reload")
	return sqliteCount(t, cache, `SELECT count(*) FROM rss_item`)
}

func (c *clients) sfeed(t *testing.T) int {
	rc := c.write(t, "sfeedrc", fmt.Sprintf("sfeedpath=%q\nfeeds() { feed one %q; }\n", c.dir, c.url+"/feed.rss"))
	c.run(t, "sfeed_update", rc)
	lines, err := os.ReadFile(filepath.Join(c.dir, "one"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(lines), "\n")
}

func (c *clients) rss2email(t *testing.T) int {
	mail := filepath.Join(c.dir, "mail")
	conf := filepath.Join(c.dir, "rss2email.cfg")
	if _, err := os.Stat(conf); err != nil {
		for _, sub := range []string{"INBOX/cur", "INBOX/new", "INBOX/tmp"} {
			if err := os.MkdirAll(filepath.Join(mail, sub), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		c.write(t, "rss2email.cfg", "[DEFAULT]\nfrom = a@example.vn\nto = b@example.vn\nemail-protocol = maildir\nmaildir-path = "+mail+"\nmaildir-mailbox = INBOX\nverbose = info\n")
		c.run(t, "r2e", "-c", conf, "-d", filepath.Join(c.dir, "r2e.json"), "add", "tin", c.url+"/feed.rss")
	}
	c.run(t, "r2e", "-c", conf, "-d", filepath.Join(c.dir, "r2e.json"), "run")
	letters, err := os.ReadDir(filepath.Join(mail, "INBOX", "new"))
	if err != nil {
		t.Fatal(err)
	}
	return len(letters)
}
