package aggregator

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// storiesDir holds articles.jsonl.gz and pairs.tsv, the labelled stories; it is
// no part of the project.
const storiesDir = "../../shared/data/stories"

// storyArticle is one article of the labelled set.
type storyArticle struct {
	ID, Title, Summary, Body string
}

// loadStories reads the labelled set, in order of id; it skips the test where
// the set is not at hand.
func loadStories(t testing.TB) ([]storyArticle, map[[2]string]string) {
	t.Helper()
	file, err := os.Open(filepath.Join(storiesDir, "articles.jsonl.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no labelled stories in %s", storiesDir)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var articles []storyArticle
	for dec := json.NewDecoder(zipped); dec.More(); {
		var a storyArticle
		if err := dec.Decode(&a); err != nil {
			t.Fatal(err)
		}
		articles = append(articles, a)
	}
	slices.SortFunc(articles, func(a, b storyArticle) int {
		x, _ := strconv.Atoi(a.ID)
		y, _ := strconv.Atoi(b.ID)
		return x - y
	})
	return articles, loadPairs(t)
}

func loadPairs(t testing.TB) map[[2]string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(storiesDir, "pairs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	labels := make(map[[2]string]string)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 5 {
			t.Fatalf("pairs.tsv: %q: want 5 fields", lines.Text())
		}
		labels[pairOf(f[0], f[1])] = f[2]
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return labels
}

func pairOf(a, b string) [2]string {
	if len(a) > len(b) || len(a) == len(b) && a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// storyItems deals the articles over 30 outlets and 14 days in order of id.
func storyItems(articles []storyArticle, withBody bool) []*store.Item {
	start := time.Date(2024, 11, 1, 0, 0, 0, 0, store.Zone)
	items, m := make([]*store.Item, len(articles)), NewMatcher(nil)
	for i, a := range articles {
		at := start.Add(time.Duration(i) * (14 * 24 * time.Hour / time.Duration(len(articles))))
		it := &store.Item{
			ID: int64(i), Outlet: fmt.Sprintf("outlet%02d", i%30), Title: a.Title, Summary: a.Summary,
			Link: "https://example.vn/" + a.ID, Published: at, Seen: at,
		}
		if withBody {
			it.Content = a.Body
		}
		m.Prepare(it, nil)
		items[i] = it
	}
	return items
}

// A keyIndex finds items by shared keys, as the store does.
type keyIndex struct {
	items    []*store.Item
	postings map[uint32][]int
}

const (
	maxPostings   = 50
	maxCandidates = 20
)

func (x *keyIndex) add(it *store.Item) {
	for _, k := range it.Sketch {
		x.postings[k] = append(x.postings[k], len(x.items))
	}
	x.items = append(x.items, it)
}

func (x *keyIndex) near(it *store.Item) []*store.Item {
	shared := make(map[int]int)
	for _, k := range it.Sketch {
		if p := x.postings[k]; len(p) <= maxPostings {
			for _, i := range p {
				shared[i]++
			}
		}
	}
	order := make([]int, 0, len(shared))
	for i := range shared {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		if shared[a] != shared[b] {
			return shared[b] - shared[a]
		}
		return b - a
	})
	near := make([]*store.Item, 0, maxCandidates)
	for _, i := range order[:min(len(order), maxCandidates)] {
		near = append(near, x.items[i])
	}
	return near
}

// storyCounts is what an evaluation counts over the pairs within stories.
type storyCounts struct {
	same, diff, unlisted, grey int // pairs within stories, by label
	wanted                     int // pairs labelled same
}

func (c *storyCounts) add(label string) {
	switch label {
	case "same":
		c.same++
	case "diff":
		c.diff++
	case "grey":
		c.grey++
	default:
		c.unlisted++
	}
}

func (c storyCounts) precision() float64 {
	return share(c.same, c.same+c.diff+c.unlisted)
}
func (c storyCounts) recall() float64 { return share(c.same, c.wanted) }

func (c storyCounts) String() string {
	return fmt.Sprintf("precision=%.3f recall=%.3f (same %d of %d, diff %d, unlisted %d, grey %d)",
		c.precision(), c.recall(), c.same, c.wanted, c.diff, c.unlisted, c.grey)
}

// storyGroups streams items through index and matcher and returns the story of
// each item, and why it is there.
func storyGroups(items []*store.Item) (story []int, why []string) {
	index := &keyIndex{postings: make(map[uint32][]int)}
	m := NewMatcher(nil)
	story, why = make([]int, len(items)), make([]string, len(items))
	for i, it := range items {
		near := index.near(it)
		k, merge := m.Match(it, near)
		story[i], why[i] = i, merge.Evidence
		if k >= 0 {
			story[i] = story[near[k].ID]
		}
		index.add(it)
	}
	return story, why
}

// TestStories streams the labelled stories through sketch, candidates and match
// in the order of their ids, once with title and summary alone and once with
// the body, and holds precision and recall over the pairs within the resulting
// stories to their floors. With -v it lists the wrong merges. Thresholds were
// chosen on the pairs whose first id is even.
func TestStories(t *testing.T) {
	articles, labels := loadStories(t)
	for _, mode := range []struct {
		name              string
		withBody          bool
		precision, recall float64
	}{
		{"summary", false, 0.97, 0.30},
		{"pages", true, 0.99, 0.95},
	} {
		t.Run(mode.name, func(t *testing.T) {
			items := storyItems(articles, mode.withBody)
			story, why := storyGroups(items)
			counts, wrong := countStories(articles, labels, story)
			for _, p := range wrong {
				t.Logf("wrong: %q | %q (%s)", articles[p[0]].Title, articles[p[1]].Title, why[p[1]])
			}
			t.Logf("tuned half: %v", counts[0])
			t.Logf("other half: %v", counts[1])
			t.Logf("%s %v", mode.name, counts[2])
			if c := counts[2]; c.precision() < mode.precision || c.recall() < mode.recall {
				t.Errorf("precision %.3f, recall %.3f; want at least %.2f and %.2f", c.precision(), c.recall(), mode.precision, mode.recall)
			}
		})
	}
}

// countStories counts the pairs within stories: of even first ids, of odd ones
// and of all; and lists the wrong pairs.
func countStories(articles []storyArticle, labels map[[2]string]string, story []int) (counts [3]storyCounts, wrong [][2]int) {
	for p, label := range labels {
		if label == "same" {
			for _, half := range halves(p) {
				counts[half].wanted++
			}
		}
	}
	members := make(map[int][]int)
	for i, s := range story {
		for _, j := range members[s] {
			p := pairOf(articles[j].ID, articles[i].ID)
			label := labels[p]
			for _, half := range halves(p) {
				counts[half].add(label)
			}
			if label == "diff" || label == "" {
				wrong = append(wrong, [2]int{j, i})
			}
		}
		members[s] = append(members[s], i)
	}
	return counts, wrong
}

// halves returns the counters that a pair belongs to: 0 if its first id is
// even, 1 if odd, and 2 always.
func halves(p [2]string) []int {
	return []int{int(p[0][len(p[0])-1]-'0') % 2, 2}
}
