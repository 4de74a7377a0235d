package aggregator

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"diemtin/store"
)

func TestVanished(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, last, now, want string }{
		{"nothing changed", "a b c", "a b c", ""},
		{"one new, one fell off the end", "a b c", "n a b", ""},
		{"all new", "a b c", "x y z", ""},
		{"one vanished from the middle", "a b c", "a c", "b"},
		{"the newest vanished", "a b c", "b c", "a"},
		{"two vanished, one fell off", "a b c d", "n c", "a b"},
		{"first visit", "", "a b", ""},
		{"an empty document is no witness", "a b", "", ""},
	} {
		got := vanished(strings.Fields(tt.last), strings.Fields(tt.now))
		if want := strings.Fields(tt.want); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

func TestPageVerdict(t *testing.T) {
	t.Parallel()
	const page = "https://x.vn/bai-1.html"
	status := func(code int, o store.Outcome) error { return &Fault{Outcome: o, Status: code, Err: errors.New("x")} }
	for _, tt := range []struct {
		name  string
		final string
		err   error
		want  store.Verdict
	}{
		{"there", page, nil, store.Alive},
		{"moved to another article", "https://x.vn/bai-1-moi.html", nil, store.Alive},
		{"redirected to the front page", "https://x.vn/", nil, store.Removed},
		{"redirected to another site's front page", "https://y.vn/", nil, store.Alive},
		{"404", page, status(404, store.HTTP4xx), store.Removed},
		{"410", page, status(410, store.Gone), store.Removed},
		{"404 by a firewall", page, status(404, store.Blocked), store.Unclear},
		{"403", page, status(403, store.HTTP4xx), store.Unclear},
		{"503", page, status(503, store.HTTP5xx), store.Unclear},
		{"timeout", page, status(0, store.Timeout), store.Unclear},
		{"too large to read", page, status(200, store.TooLarge), store.Alive},
	} {
		if got, why := pageVerdict(page, &Document{FinalURL: tt.final}, tt.err); got != tt.want || got == store.Removed && why == "" {
			t.Errorf("%s: verdict %d (%s), want %d", tt.name, got, why, tt.want)
		}
	}
}

// An article that its outlet removes vanishes here after two looks, and comes
// back with it; a fault of the whole outlet withdraws nothing.
func TestWithdrawnAndRestored(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	removed := map[string]bool{}
	titles := []string{"Tin ba", "Tin hai", "Tin một"}
	outage := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/rss":
			var left []string
			for _, title := range titles {
				if !removed[title] {
					left = append(left, title)
				}
			}
			fmt.Fprint(w, feedOf(left...))
		case r.URL.Path == "/robots.txt", outage, removed[strings.ReplaceAll(strings.Trim(r.URL.Path, "/"), "-", " ")]:
			http.NotFound(w, r)
		default:
			fmt.Fprint(w, "<html><body>bài</body></html>")
		}
	}))
	t.Cleanup(srv.Close)
	a, db, _ := start(t, srv.URL, SourceConfig{ID: "rss", URL: "/rss"})
	now := time.Now()
	a.now = func() time.Time { return now }
	set := func(title string, gone bool) { mu.Lock(); removed[title] = gone; mu.Unlock() }
	look := func() (n int) {
		due, err := db.Checks(t.Context(), now, time.Minute, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range due {
			a.checkPage(t.Context(), c)
		}
		return len(due)
	}
	shown := func() string {
		all, err := db.Stories(t.Context(), store.Query{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, s := range all {
			titles = append(titles, s.Quoted.Title)
		}
		return strings.Join(titles, ", ")
	}
	runRound(t, a)
	before := shown()
	story, err := db.Stories(t.Context(), store.Query{Limit: 10})
	if err != nil || len(story) != 3 {
		t.Fatalf("%d stories, %v", len(story), err)
	}

	set("Tin hai", true)
	runRound(t, a)
	if n := look(); n != 1 {
		t.Fatalf("%d pages asked for at once, want 1", n)
	}
	if got := shown(); got != before {
		t.Errorf("withdrawn after one look: %s", got)
	}
	now = now.Add(2 * time.Hour)
	mu.Lock()
	outage = true
	mu.Unlock()
	look()
	if got := shown(); got != before {
		t.Errorf("withdrawn although every page of the outlet fails: %s", got)
	}
	mu.Lock()
	outage = false
	mu.Unlock()
	now = now.Add(25 * time.Hour) // also the day after which every item is asked for once
	look()
	if got := shown(); got != "Tin ba, Tin một" {
		t.Errorf("after two looks: %s", got)
	}
	if _, err := db.Story(t.Context(), story[1].ID); !errors.Is(err, store.ErrWithdrawn) {
		t.Errorf("the story's page: %v, want ErrWithdrawn", err)
	}
	rev, err := db.Revision(t.Context(), store.Selection{})
	if err != nil || !rev.At.After(story[0].Listed) {
		t.Errorf("the revision did not move: %v %v", rev, err)
	}

	set("Tin hai", false)
	runRound(t, a)
	now = now.Add(time.Minute)
	if n := look(); n != 1 {
		t.Errorf("%d pages asked for when the article was back, want 1", n)
	}
	if got := shown(); got != before {
		t.Errorf("after it was back: %s, want %s", got, before)
	}
	if back, err := db.Story(t.Context(), story[1].ID); err != nil || !back.Listed.Equal(story[1].Listed) {
		t.Errorf("the story is not what it was: %+v, %v", back, err)
	}
	runRound(t, a)
	if n := look(); n != 0 {
		t.Errorf("%d pages asked for again without a reason", n)
	}
}

// A server that asks us to wait is not asked for one page after the other, and
// nothing is concluded.
func TestPageChecksWaitWhenAsked(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/rss":
			fmt.Fprint(w, feedOf("Tin ba", "Tin hai", "Tin một"))
		case "/robots.txt":
			http.NotFound(w, r)
		default:
			asked.Add(1)
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(srv.Close)
	a, db, _ := start(t, srv.URL, SourceConfig{ID: "rss", URL: "/rss", Article: ArticleConfig{Read: store.ReadNever}})
	runRound(t, a)
	now := time.Now().Add(store.FirstCheck + time.Minute)
	a.now = func() time.Time { return now }
	for _, want := range []int64{1, 1, 2} {
		due, err := db.Checks(t.Context(), now, checkLease, 100)
		if err != nil || len(due) != 3 {
			t.Fatalf("%d checks due, %v", len(due), err)
		}
		if groups := byHost(due); len(groups) != 1 {
			t.Errorf("one host in %d groups", len(groups))
		}
		for _, c := range due {
			a.checkPage(t.Context(), c)
		}
		if n := asked.Load(); n != want {
			t.Errorf("%d pages asked for, want %d", n, want)
		}
		now = now.Add(31 * time.Minute)
	}
}

// A feed whose copies disagree costs one look at each item, not one a visit.
func TestFlappingFeedIsNotAskedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	a, db, _ := start(t, n.URL, SourceConfig{ID: "rss", URL: "/rss"})
	now := time.Now()
	a.now = func() time.Time { return now }
	looks := 0
	for i := range 10 {
		n.set("/rss", feedOf("Tin ba", "Tin hai", "Tin một"))
		if i%2 == 1 {
			n.set("/rss", feedOf("Tin hai", "Tin một"))
		}
		runRound(t, a)
		due, err := db.Checks(t.Context(), now, checkLease, 100)
		if err != nil {
			t.Fatal(err)
		}
		looks += len(due)
		for _, c := range due {
			if _, _, err := db.Checked(t.Context(), c, store.Alive, now, a.set().judge); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(10 * time.Minute)
	}
	if looks != 1 {
		t.Errorf("%d looks at an item that comes and goes, want 1", looks)
	}
	ids := make([]string, 2*maxVanished)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	if n := len(a.contents.toAsk("rss", ids, now)); n != maxVanished-1 {
		t.Errorf("%d items of one feed asked for, want %d", n, maxVanished-1)
	}
	if n := len(a.contents.toAsk("rss", ids[:1], now.Add(vanishedAgain+time.Minute))); n != 1 {
		t.Error("never asked for again")
	}
}
