package syndicate

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// roomDesk notes what the room orders.
type roomDesk struct {
	fakeDesk
	orders atomic.Int32
}

func (d *roomDesk) Carry(ctx context.Context, who string, o Order) (store.Ruling, error) {
	d.orders.Add(1)
	return d.fakeDesk.Carry(ctx, who, o)
}

func (d *roomDesk) GiveReason(context.Context, int64, string, string) error {
	d.orders.Add(1)
	return d.err
}
func (d *roomDesk) Try(context.Context, store.Proposal) (Trial, error) { return Trial{}, d.err }
func (d *roomDesk) Propose(context.Context, string, store.Proposal) (store.Ruling, error) {
	d.orders.Add(1)
	return store.Ruling{ID: 8}, d.err
}
func (d *roomDesk) InForce(store.Proposal) bool                          { return false }
func (d *roomDesk) Find(_ context.Context, words string) (string, error) { return words, d.err }

// openRoom serves a room whose clock a test can set; lan's token is "secret",
// minh's "other".
type openRoom struct {
	*httptest.Server
	room   *Room
	db     *store.DB
	desk   *roomDesk
	tokens string
	clock  atomic.Int64 // seconds after the start
}

func newOpenRoom(t *testing.T, e Editors) *openRoom {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "room.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return openRoomOn(t, db, tokenFile(t, "lan:"+HashToken("secret")+"\nminh:"+HashToken("other")+"\n"), e)
}

// openRoomOn serves a room of one more process on a database.
func openRoomOn(t *testing.T, db *store.DB, tokens string, e Editors) *openRoom {
	t.Helper()
	o := &openRoom{db: db, desk: &roomDesk{}, tokens: tokens}
	cfg := Config{Site: Site{Title: "Điểm tin", BaseURL: "https://tin.example.vn"}, Topics: []store.TopicInfo{{ID: "kinh-te", VI: "Kinh tế"}}}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	pages, err := New(cfg, db, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	key, err := db.SharedKey(t.Context(), "editors-room")
	if err != nil {
		t.Fatal(err)
	}
	o.room, err = NewRoom(RoomConfig{Pages: pages, Editors: e, Tokens: o.tokens, Sessions: db, Key: key, TriedSpan: 720 * time.Hour}, db, o.desk, log)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	o.room.now = func() time.Time { return start.Add(time.Duration(o.clock.Load()) * time.Second) }
	o.Server = httptest.NewServer(o.room)
	t.Cleanup(o.Close)
	return o
}

// client keeps cookies and follows no redirect.
func (o *openRoom) client(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (o *openRoom) ask(t *testing.T, c *http.Client, method, path string, form url.Values, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, o.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// enter signs lan in, and returns what her forms carry.
func (o *openRoom) enter(t *testing.T, c *http.Client) string {
	t.Helper()
	resp, body := o.ask(t, c, "POST", "/dang-nhap", url.Values{"ten": {"lan"}, "token": {"secret"}})
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("signed in: %s\n%s", resp.Status, body)
	}
	_, page := o.ask(t, c, "GET", "/huong-dan", nil)
	return markIn(t, page)
}

var markForm = regexp.MustCompile(`name="form" value="([0-9a-f]+)"`)

func markIn(t *testing.T, page string) string {
	t.Helper()
	m := markForm.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form in\n%s", page)
	}
	return m[1]
}

func (o *openRoom) inside(t *testing.T, c *http.Client) bool {
	t.Helper()
	resp, _ := o.ask(t, c, "GET", "/huong-dan", nil)
	return resp.StatusCode == http.StatusOK
}

// Nothing is shown and nothing ordered without a session.
func TestRoomClosed(t *testing.T) {
	t.Parallel()
	o := newOpenRoom(t, Editors{})
	c := o.client(t)
	for _, path := range []string{"/", "/gan-giong", "/moi-gop", "/chua-phan-loai", "/tin/aaaaaaaaaaaaa", "/tim?q=x", "/so", "/quy-tac", "/huong-dan", "/nothing"} {
		resp, body := o.ask(t, c, "GET", path, nil)
		if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), "/dang-nhap") || strings.Contains(body, "<html") {
			t.Errorf("GET %s: %s to %q", path, resp.Status, resp.Header.Get("Location"))
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, want)
			}
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: policy %q", path, csp)
		}
	}
	for _, path := range []string{"/lenh", "/hoan-tac", "/ly-do", "/quy-tac", "/ra"} {
		resp, body := o.ask(t, c, "POST", path, url.Values{"verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}, "ruling": {"1"}, "back": {"/so"}})
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "chưa được làm") || !strings.Contains(body, `name="toi" value="/so"`) {
			t.Errorf("POST %s: %s\n%s", path, resp.Status, body)
		}
	}
	if n := o.desk.orders.Load(); n > 0 {
		t.Errorf("%d orders were carried out for nobody", n)
	}
}

func TestRoomDoor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, who, token, to string
		status               int
		leads                string
	}{
		{"lan", "lan", "secret", "/so?truoc=5", http.StatusSeeOther, "/so?truoc=5"},
		{"spaces around", " lan ", " secret ", "", http.StatusSeeOther, "/"},
		{"the token of another", "lan", "other", "", http.StatusForbidden, ""},
		{"a wrong token", "lan", "secre", "", http.StatusForbidden, ""},
		{"no name", "", "secret", "", http.StatusForbidden, ""},
		{"the hash as token", "lan", HashToken("secret"), "", http.StatusForbidden, ""},
		{"to another site", "lan", "secret", "//evil.example/", http.StatusSeeOther, "/"},
		{"to another site by an address", "lan", "secret", "https://evil.example/", http.StatusSeeOther, "/"},
		{"to another site by a backslash", "lan", "secret", `/\evil.example`, http.StatusSeeOther, "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOpenRoom(t, Editors{})
			c := o.client(t)
			resp, _ := o.ask(t, c, "POST", "/dang-nhap", url.Values{"ten": {tt.who}, "token": {tt.token}, "toi": {tt.to}})
			if resp.StatusCode != tt.status || resp.Header.Get("Location") != tt.leads {
				t.Errorf("%s to %q, want %d to %q", resp.Status, resp.Header.Get("Location"), tt.status, tt.leads)
			}
			if in := o.inside(t, c); in != (tt.status == http.StatusSeeOther) {
				t.Errorf("is in: %v", in)
			}
			if tt.status != http.StatusSeeOther {
				return
			}
			cookies := resp.Cookies()
			if len(cookies) != 1 {
				t.Fatalf("cookies %v", cookies)
			}
			if k := cookies[0]; !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.MaxAge != int(sessionLength.Seconds()) || k.Secure || len(k.Value) < 52 {
				t.Errorf("cookie %v", k)
			}
		})
	}
}

// A form that the room has not made for this session is refused, wherever it
// comes from.
func TestRoomForgedForms(t *testing.T) {
	t.Parallel()
	o := newOpenRoom(t, Editors{})
	c, other := o.client(t), o.client(t)
	mark := o.enter(t, c)
	theirs := o.enter(t, other)
	if mark == theirs {
		t.Error("two sessions have the same mark")
	}
	for _, tt := range []struct {
		name, mark string
		header     []string
		status     int
	}{
		{"none", "", nil, http.StatusForbidden},
		{"a made-up mark", strings.Repeat("0", len(mark)), nil, http.StatusForbidden},
		{"that of another session", theirs, nil, http.StatusForbidden},
		{"from another site", mark, []string{"Sec-Fetch-Site: cross-site"}, http.StatusForbidden},
		{"from a sister site", mark, []string{"Sec-Fetch-Site: same-site"}, http.StatusForbidden},
		{"from another origin, by an old browser", mark, []string{"Origin: https://evil.example"}, http.StatusForbidden},
		{"from nowhere", mark, []string{"Origin: null"}, http.StatusForbidden},
		{"its own", mark, []string{"Sec-Fetch-Site: same-origin", "Origin: " + o.URL}, http.StatusSeeOther},
		{"its own, by an old browser", mark, []string{"Origin: " + o.URL}, http.StatusSeeOther},
	} {
		before := o.desk.orders.Load()
		resp, body := o.ask(t, c, "POST", "/lenh", url.Values{"form": {tt.mark}, "verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}, "back": {"/so?may=1"}}, tt.header...)
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %s, want %d\n%s", tt.name, resp.Status, tt.status, body)
		}
		if ordered := o.desk.orders.Load() > before; ordered != (tt.status == http.StatusSeeOther) {
			t.Errorf("%s: ordered %v", tt.name, ordered)
		}
		if tt.status == http.StatusSeeOther && (resp.Header.Get("Location") != "/so?da=7&may=1" || o.desk.who != "lan") {
			t.Errorf("%s: leads to %q, in the name of %q", tt.name, resp.Header.Get("Location"), o.desk.who)
		}
	}
	if resp, _ := o.ask(t, c, "POST", "/dang-nhap", url.Values{"ten": {"minh"}, "token": {"other"}}, "Sec-Fetch-Site: cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("signed in by another site: %s", resp.Status)
	}
}

func TestRoomSessionEnds(t *testing.T) {
	t.Parallel()
	seconds := func(d time.Duration) int64 { return int64(d.Seconds()) }
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, o *openRoom, c *http.Client, mark string)
		in   bool
	}{
		{"nothing happens", func(*testing.T, *openRoom, *http.Client, string) {}, true},
		{"used now and then", func(t *testing.T, o *openRoom, c *http.Client, _ string) {
			for range 4 {
				o.clock.Add(seconds(sessionIdle) - 60)
				o.inside(t, c)
			}
		}, true},
		{"unused", func(_ *testing.T, o *openRoom, _ *http.Client, _ string) { o.clock.Add(seconds(sessionIdle) + 1) }, false},
		{"too long", func(t *testing.T, o *openRoom, c *http.Client, _ string) {
			for range 13 {
				o.clock.Add(3600)
				o.inside(t, c)
			}
		}, false},
		{"signed out", func(t *testing.T, o *openRoom, c *http.Client, mark string) {
			resp, _ := o.ask(t, c, "POST", "/ra", url.Values{"form": {mark}})
			if k := resp.Cookies(); len(k) != 1 || k[0].MaxAge >= 0 {
				t.Errorf("the cookie stays: %v", k)
			}
		}, false},
		{"the token is revoked", func(t *testing.T, o *openRoom, _ *http.Client, _ string) {
			write(t, o.tokens, "minh:"+HashToken("other")+"\n")
		}, false},
		{"the token is another's now", func(t *testing.T, o *openRoom, _ *http.Client, _ string) {
			write(t, o.tokens, "minh:"+HashToken("secret")+"\n")
		}, false},
		{"there is a new token", func(t *testing.T, o *openRoom, _ *http.Client, _ string) {
			write(t, o.tokens, "lan:"+HashToken("fresh")+"\n")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOpenRoom(t, Editors{})
			c := o.client(t)
			mark := o.enter(t, c)
			tt.end(t, o, c, mark)
			if in := o.inside(t, c); in != tt.in {
				t.Errorf("is in: %v, want %v", in, tt.in)
			}
			resp, _ := o.ask(t, c, "POST", "/lenh", url.Values{"form": {mark}, "verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}})
			if ordered := o.desk.orders.Load() > 0; ordered != tt.in {
				t.Errorf("ordered %v, %s", ordered, resp.Status)
			}
		})
	}
}

// A cookie that signing out ended does not come back to life.
func TestRoomSignedOutCookie(t *testing.T) {
	t.Parallel()
	o := newOpenRoom(t, Editors{})
	c := o.client(t)
	mark := o.enter(t, c)
	at, _ := url.Parse(o.URL)
	kept := c.Jar.Cookies(at)
	o.ask(t, c, "POST", "/ra", url.Values{"form": {mark}})
	c.Jar.SetCookies(at, kept)
	if o.inside(t, c) {
		t.Error("the old cookie still opens the room")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRoomTokensUnreadable(t *testing.T) {
	t.Parallel()
	o := newOpenRoom(t, Editors{})
	c := o.client(t)
	o.enter(t, c)
	if err := os.Remove(o.tokens); err != nil {
		t.Fatal(err)
	}
	for _, resp := range []func() (*http.Response, string){
		func() (*http.Response, string) { return o.ask(t, c, "GET", "/", nil) },
		func() (*http.Response, string) {
			return o.ask(t, c, "POST", "/dang-nhap", url.Values{"ten": {"lan"}, "token": {"secret"}})
		},
	} {
		if r, body := resp(); r.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, o.tokens) {
			t.Errorf("%s\n%s", r.Status, body)
		}
	}
}

func TestRoomLimitsSignIns(t *testing.T) {
	t.Parallel()
	o := newOpenRoom(t, Editors{})
	c := o.client(t)
	try := func(token string) int {
		resp, _ := o.ask(t, c, "POST", "/dang-nhap", url.Values{"ten": {"lan"}, "token": {token}})
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("it does not say how long to wait")
		}
		return resp.StatusCode
	}
	for i := range signInsPerMinute {
		if got := try("guess"); got != http.StatusForbidden {
			t.Fatalf("try %d: %d", i+1, got)
		}
	}
	if got := try("secret"); got != http.StatusTooManyRequests {
		t.Errorf("one try too many: %d", got)
	}
	o.clock.Add(7)
	if got := try("secret"); got != http.StatusSeeOther {
		t.Errorf("after waiting: %d", got)
	}
}

func TestRoomSessionsAreBounded(t *testing.T) {
	t.Parallel()
	o := newOpenRoom(t, Editors{})
	begin := func(most int) string {
		o.clock.Add(1)
		id := rand.Text()
		if err := o.db.BeginSession(t.Context(), store.Session{ID: id, Who: "lan", Began: o.room.now(), Used: o.room.now()}, most); err != nil {
			t.Fatal(err)
		}
		return id
	}
	first, second := begin(2), begin(2)
	begin(2)
	if _, err := o.db.Session(t.Context(), first); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the one used longest ago is there: %v", err)
	}
	if _, err := o.db.Session(t.Context(), second); err != nil {
		t.Error(err)
	}
}

// Two processes on one database are one room: who signs in to one is in the
// other, whose forms it may send, and who signs out is out of both.
func TestRoomOfTwoProcesses(t *testing.T) {
	t.Parallel()
	one := newOpenRoom(t, Editors{})
	two := openRoomOn(t, one.db, one.tokens, Editors{})
	c := one.client(t) // cookies do not tell ports apart: it is the balancer's address
	mark := one.enter(t, c)
	if !two.inside(t, c) {
		t.Fatal("who signed in to one process is a stranger to the other")
	}
	resp, _ := two.ask(t, c, "POST", "/lenh", url.Values{"form": {mark}, "verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}})
	if resp.StatusCode != http.StatusSeeOther || two.desk.orders.Load() != 1 || two.desk.who != "lan" {
		t.Errorf("a form of one process sent to the other: %s, by %q", resp.Status, two.desk.who)
	}
	at, _ := url.Parse(one.URL)
	kept := c.Jar.Cookies(at)
	for _, k := range kept {
		if _, err := one.db.Session(t.Context(), k.Value); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what the cookie holds stands in the database: %v", err)
		}
	}
	two.ask(t, c, "POST", "/ra", url.Values{"form": {mark}})
	c.Jar.SetCookies(at, kept)
	if one.inside(t, c) || two.inside(t, c) {
		t.Error("who signed out of one process is in")
	}
	one.enter(t, c)
	write(t, one.tokens, "minh:"+HashToken("other")+"\n")
	if two.inside(t, c) || one.inside(t, c) {
		t.Error("whose token is gone is in")
	}
}

// A form made behind a proxy may come back to another process.
func TestRoomFormsOfTwoProcessesBehindProxy(t *testing.T) {
	t.Parallel()
	e := Editors{Proxies: []string{"127.0.0.1"}, Header: "X-Remote-User"}
	one := newOpenRoom(t, e)
	two := openRoomOn(t, one.db, one.tokens, e)
	c := one.client(t)
	form := url.Values{"form": {one.room.mark("proxy thu.ha")}, "verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}}
	if resp, _ := two.ask(t, c, "POST", "/lenh", form, "X-Remote-User: thu.ha"); resp.StatusCode != http.StatusSeeOther || two.desk.who != "thu.ha" {
		t.Errorf("%s, by %q", resp.Status, two.desk.who)
	}
	if resp, _ := two.ask(t, c, "POST", "/lenh", form, "X-Remote-User: minh"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("another's form: %s", resp.Status)
	}
}
