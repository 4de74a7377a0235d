package outlettest

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// newWorld starts a world at noon with a clock of its own.
func newWorld(t testing.TB, opt Options) (*World, *clock) {
	t.Helper()
	c := &clock{t: noon}
	opt.Now = c.now
	if opt.Slow == 0 {
		opt.Slow = time.Nanosecond
	}
	w, err := New(opt)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { w.Close() })
	return w, c
}

// get fetches without following redirects; header lines are "Name: value".
func get(t testing.TB, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("get %s: %v", url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return resp, string(body)
}

// broken is the outlet that never answers well.
const broken = "thanh-hoa"

var rePort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// TestWorldIsDeterministic compares two worlds, ports apart.
func TestWorldIsDeterministic(t *testing.T) {
	t.Parallel()
	shown := func(seed int64) (stories []Story, feeds []string) {
		w, c := newWorld(t, Options{Seed: seed, Stories: 60})
		for range 5 {
			c.add(3 * time.Second)
			w.Publish()
		}
		stories = w.Truth()
		for i := range stories {
			for j := range stories[i].Prints {
				stories[i].Prints[j].Link = rePort.ReplaceAllString(stories[i].Prints[j].Link, "HOST")
			}
		}
		for _, o := range w.Outlets() {
			for _, f := range o.Feeds {
				_, body := get(t, f.URL)
				if o.profile.charset == utf16Text {
					body = decodeUTF16(t, body)
				}
				feeds = append(feeds, rePort.ReplaceAllString(body, "HOST"))
			}
		}
		return stories, feeds
	}
	s1, f1 := shown(11)
	s2, f2 := shown(11)
	s3, _ := shown(12)
	if !reflect.DeepEqual(s1, s2) {
		t.Error("the same seed told other stories")
	}
	if !slices.Equal(f1, f2) {
		t.Error("the same seed served other feeds")
	}
	if reflect.DeepEqual(s1, s3) {
		t.Error("another seed told the same stories")
	}
}

func TestBacklogLooksLikeNews(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 3})
	topics, kinds, hows, copied := map[string]bool{}, map[Kind]int{}, map[Reprint]int{}, 0
	renamed := 0
	for _, s := range w.Truth() {
		topics[s.Topic] = true
		kinds[s.Kind]++
		if p, ok := s.Original(); !ok || p.Published.After(noon) || p.Published.Before(noon.AddDate(0, 0, -3)) {
			t.Errorf("story %s: original %v at %v", s.ID, ok, p.Published)
		}
		if len(s.Prints) > 1 {
			copied++
		}
		for _, p := range s.Prints[1:] {
			hows[p.Reprint]++
			if p.Title != s.Title {
				renamed++
			}
			if from := w.Outlet(s.Prints[0].Outlet); from.Province != "" && w.Outlet(p.Outlet).Province != "" {
				t.Errorf("story %s: %s reprints %s, another local paper", s.ID, p.Outlet, from.ID)
			}
			if d := p.Published.Sub(s.Prints[0].Published); d < 4*time.Minute || d > 6*time.Hour {
				t.Errorf("story %s: %s reprints it after %v", s.ID, p.Outlet, d)
			}
		}
	}
	if len(topics) < 20 || copied < 30 || renamed < 20 {
		t.Errorf("%d topics, %d reprinted stories, %d new headlines among the backlog", len(topics), copied, renamed)
	}
	for _, k := range []Kind{Plain, Serial, FollowUp} {
		if kinds[k] == 0 {
			t.Errorf("no story of kind %s", k)
		}
	}
	for _, h := range []Reprint{SameLead, EditedLead, OtherLead} {
		if hows[h] == 0 {
			t.Errorf("no reprint with lead %q", h)
		}
	}
}

// TestReprintsAreTheSameText holds what a matcher needs: a reprint's body
// shares most with its original's and its page ends with the credit.
func TestReprintsAreTheSameText(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 4})
	n := 0
	for _, s := range w.Truth() {
		for _, p := range s.Prints {
			o := w.Outlet(p.Outlet)
			a, _ := o.carries(p.ID)
			first, _ := w.Outlet(s.Prints[0].Outlet).carries(s.Prints[0].ID)
			if p.Original {
				if a.Credit != "" {
					t.Errorf("%s: the original credits %q", s.ID, a.Credit)
				}
				continue
			}
			n++
			_, j := overlap(gramsOf(strings.Join(first.Body, "\n"), 5), gramsOf(strings.Join(a.Body, "\n"), 5))
			if j < 0.5 {
				t.Errorf("%s: reprint of %s in %s has Jaccard %.2f, want at least 0.5", s.ID, first.Title, o.ID, j)
			}
			from := w.Outlet(s.Prints[0].Outlet)
			names := append([]string{from.Name, from.Domain}, from.Aliases...)
			if !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(a.Credit, name) }) {
				t.Errorf("%s: %s credits %q, not %s", s.ID, o.ID, a.Credit, from.Name)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d reprints to look at", n)
	}
}

func TestNoSectionIsEmpty(t *testing.T) {
	t.Parallel()
	for seed := range int64(4) {
		w, _ := newWorld(t, Options{Seed: seed, Stories: 40})
		for _, o := range w.Outlets() {
			for _, s := range o.profile.sections {
				if o.ID != broken && len(o.visible(s.topics, 1)) == 0 {
					t.Errorf("seed %d: %s has nothing in %s", seed, o.ID, s.name)
				}
			}
		}
	}
}

func TestPublishThenReprints(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t, Options{Seed: 9, Stories: 40})
	before := len(w.Truth())
	published := map[string]bool{}
	for range 12 {
		s := w.Publish()
		if len(s.Prints) != 1 || !s.Prints[0].Original {
			t.Fatalf("just published: %d prints, want the original alone", len(s.Prints))
		}
		published[s.ID] = true
	}
	prints := func() (n int) {
		for _, s := range w.Truth() {
			if published[s.ID] {
				n += len(s.Prints)
			}
		}
		return n
	}
	if got := len(w.Truth()); got != before+12 {
		t.Errorf("%d stories, want %d", got, before+12)
	}
	if got := prints(); got != 12 {
		t.Errorf("%d prints at once, want 12: reprints take seconds", got)
	}
	feeds := map[string]string{} // outlet → its home feed before
	for _, o := range w.Outlets() {
		feeds[o.ID] = fetched(t, o.Feeds[0])
	}
	c.add(time.Minute)
	if got := prints(); got <= 12 {
		t.Errorf("%d prints after a minute, want reprints", got)
	}
	for _, s := range w.Truth() {
		for _, p := range s.Prints {
			if published[s.ID] && !p.Original && fetched(t, w.Outlet(p.Outlet).Feeds[0]) == feeds[p.Outlet] {
				t.Errorf("%s: the reprint of %s does not show in the feed", p.Outlet, s.ID)
			}
		}
	}
}

func TestPublishFrom(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 2, Stories: -1})
	if n := len(w.Truth()); n != 0 {
		t.Fatalf("%d stories without a backlog", n)
	}
	s, err := w.PublishFrom("trung-uong", "hung-yen", "da-nang", "song-hong")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.Prints {
		got = append(got, p.Outlet)
	}
	if want := []string{"trung-uong", "hung-yen", "da-nang", "song-hong"}; !slices.Equal(got, want) {
		t.Errorf("printed by %v, want %v", got, want)
	}
	if _, err := w.PublishFrom("trung-uong", "atlantis"); err == nil {
		t.Error("an unknown outlet is no error")
	}
}

func TestAddEditRemove(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t, Options{Seed: 2, Stories: 10})
	o := w.Outlet("trung-uong")
	a := o.Add(Article{Title: "Điểm tin thử & thật", Lead: "Một câu.", Body: []string{"Thân bài."}, Topic: "xa-hoi"})
	if !strings.HasSuffix(a.Link, "/xa-hoi/diem-tin-thu-that-"+a.ID+".html") {
		t.Errorf("link %s", a.Link)
	}
	feed := o.Feeds[0].URL
	first, body := get(t, feed)
	if !strings.Contains(body, "Điểm tin thử &amp; thật") {
		t.Error("an added article is not in the feed")
	}
	c.add(time.Hour)
	if !o.Edit(a.ID, func(a *Article) { a.Title = "Đã sửa" }) {
		t.Fatal("Edit: no such article")
	}
	second, body := get(t, feed)
	if !strings.Contains(body, "<title>Đã sửa</title>") || !strings.Contains(body, a.Link) {
		t.Error("an edited article has not its new title and old link in the feed")
	}
	if first.Header.Get("ETag") == second.Header.Get("ETag") {
		t.Error("the ETag did not change with the edit")
	}
	if _, page := get(t, a.Link); !strings.Contains(page, "Đã sửa") || !strings.Contains(page, `"dateModified"`) {
		t.Error("the page does not show the edit and its time")
	}
	if !o.Remove(a.ID) {
		t.Fatal("Remove: no such article")
	}
	if _, body := get(t, feed); strings.Contains(body, a.Link) {
		t.Error("a removed article is still in the feed")
	}
	if resp, _ := get(t, a.Link); resp.StatusCode != http.StatusGone {
		t.Errorf("page of a removed article: %d, want 410", resp.StatusCode)
	}
	if o.Edit(a.ID, func(*Article) {}) || o.Remove(a.ID) {
		t.Error("a removed article can still be changed")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, Options{Seed: 2, Stories: -1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx, time.Millisecond); close(done) }()
	for len(w.Truth()) < 3 {
		runtime.Gosched()
	}
	cancel()
	<-done
}

// TestCloseLeavesNothing looks for goroutines of this package after a world
// and its hanging requests were closed. It does not run in parallel.
func TestCloseLeavesNothing(t *testing.T) {
	w, err := New(Options{Seed: 1, Stories: 20, Slow: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.Outlet("ttx").Set(Response{Endless: true})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var wg sync.WaitGroup
	for _, id := range []string{"quang-ninh", "ttx", "trung-uong"} {
		wg.Go(func() {
			if resp, err := client.Get(w.Outlet(id).Feeds[0].URL); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	for len(w.Outlet("quang-ninh").Requests())+len(w.Outlet("ttx").Requests()) < 2 {
		runtime.Gosched()
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	buf := make([]byte, 1<<20)
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "/outlettest.") && !strings.Contains(g, "/outlettest.Test") {
			t.Errorf("left behind:\n%s", g)
		}
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func gunzip(t testing.TB, s string) string {
	t.Helper()
	zr, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
