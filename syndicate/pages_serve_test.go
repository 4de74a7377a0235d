package syndicate

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"
)

// TestPageIsMadeOnceInAMoment counts how often a page is made.
func TestPageIsMadeOnceInAMoment(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2024, 11, 5, 12, 0, 0, 0, time.UTC)
	c := newPageCache(func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	forward := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	made := 0
	get := func() {
		t.Helper()
		if _, err := c.get("/", func() (*rendition, error) {
			made++
			return &rendition{hash: fmt.Sprint(made)}, nil
		}); err != nil {
			t.Error(err)
		}
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(get)
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("50 readers at once: made %d times, want once", made)
	}
	forward(freshFor - 1)
	get()
	if made != 1 {
		t.Errorf("just before its time: made %d times, want once", made)
	}
	forward(1)
	get()
	if made != 2 {
		t.Errorf("after its time: made %d times, want twice", made)
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	t.Parallel()
	c := newPageCache(time.Now)
	bad := errors.New("store is away")
	if _, err := c.get("/", func() (*rendition, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("got %v, want the failure", err)
	}
	if doc, err := c.get("/", func() (*rendition, error) { return &rendition{hash: "x"}, nil }); err != nil || doc.hash != "x" {
		t.Errorf("after a failure: got %v, %v", doc, err)
	}
}

func TestPageCacheHasABound(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 11, 5, 12, 0, 0, 0, time.UTC)
	c := newPageCache(func() time.Time { return now })
	fill := func(prefix string) {
		t.Helper()
		for i := range maxKeptPages + 100 {
			if _, err := c.get(fmt.Sprint(prefix, i), func() (*rendition, error) { return &rendition{}, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill("/a")
	if len(c.kept) != maxKeptPages {
		t.Errorf("%d pages kept, want %d", len(c.kept), maxKeptPages)
	}
	now = now.Add(freshFor)
	fill("/b")
	if _, old := c.kept["/a0"]; old || len(c.kept) != maxKeptPages {
		t.Errorf("later: %d pages kept, an old one among them: %t", len(c.kept), old)
	}
}

// TestPageCacheOfSearchesKeepsTheNewest: whoever asks for a page twice gets the
// same, however many others readers make up.
func TestPageCacheOfSearchesKeepsTheNewest(t *testing.T) {
	t.Parallel()
	c := newPageCache(time.Now)
	c.now = func() time.Time { return time.Date(2024, 11, 5, 12, 0, 0, 0, time.UTC) }
	c.most, c.newest = 4, true
	for i := range 20 {
		path, made := fmt.Sprint("/search?q=", i), 0
		for range 2 {
			if _, err := c.get(path, func() (*rendition, error) { made++; return &rendition{}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if made != 1 || len(c.kept) > 4 {
			t.Errorf("%s: made %d times, %d kept", path, made, len(c.kept))
		}
	}
}

// TestForeignParameters: what platforms add to links must not make a page anew.
func TestForeignParameters(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{"": false, "utm_source=x&fbclid=y": false, "%zz": false,
		"before=1.a": true, "utm_source=x&month=2024-11": true, "day=": true} {
		if got := asksForOther(&url.URL{Path: "/", RawQuery: query}); got != want {
			t.Errorf("%q asks for another page: %t, want %t", query, got, want)
		}
	}
}
