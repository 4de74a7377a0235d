package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// article is one article of the labelled set.
type article struct {
	ID, Title, Summary, Body string
	number                   int // its id
}

// readArticles reads articles.jsonl.gz, in order of id.
func readArticles(dir string) ([]article, error) {
	file, err := os.Open(filepath.Join(dir, "articles.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	var all []article
	for dec := json.NewDecoder(zipped); ; {
		var a article
		if err := dec.Decode(&a); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", file.Name(), err)
		}
		if a.number, err = strconv.Atoi(a.ID); err != nil {
			return nil, fmt.Errorf("read %s: id %q is no number", file.Name(), a.ID)
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b article) int { return cmp.Compare(a.number, b.number) })
	return all, nil
}

// pair names two articles, the smaller id first.
type pair [2]int

func pairOf(a, b int) pair { return pair{min(a, b), max(a, b)} }

// half is 0 for the pairs whose first id is even: thresholds are chosen on
// these, and the others tell whether they hold.
func (p pair) half() int { return p[0] % 2 }

// readPairs reads pairs.tsv: the label of each pair that has one.
func readPairs(dir string) (map[pair]string, error) {
	file, err := os.Open(filepath.Join(dir, "pairs.tsv"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	labels := map[pair]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 3 {
			return nil, fmt.Errorf("read %s: %q: want id, id, label", file.Name(), lines.Text())
		}
		a, errA := strconv.Atoi(f[0])
		b, errB := strconv.Atoi(f[1])
		if errA != nil || errB != nil {
			return nil, fmt.Errorf("read %s: %q: want two numbers", file.Name(), lines.Text())
		}
		labels[pairOf(a, b)] = f[2]
	}
	return labels, lines.Err()
}

// counts are the pairs within stories, by label.
type counts struct {
	same, diff, unlisted, grey int
	wanted                     int // pairs labelled same, wherever they are
}

func (c *counts) add(label string) {
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

func (c counts) precision() float64 { return share(c.same, c.same+c.diff+c.unlisted) }
func (c counts) recall() float64    { return share(c.same, c.wanted) }

func (c counts) String() string {
	return fmt.Sprintf("precision=%.3f recall=%.3f (same %d of %d, diff %d, unlisted %d; grey %d, not counted)",
		c.precision(), c.recall(), c.same, c.wanted, c.diff, c.unlisted, c.grey)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// result is what one mode came to.
type result struct {
	halves [2]counts
	all    counts
	wrong  []pair // within a story, and neither same nor grey
	missed []pair // same, and not within a story
}

// judge counts the pairs within stories; story tells the story of each article.
func judge(labels map[pair]string, story map[int]string) (r result) {
	for p, label := range labels {
		if label != "same" {
			continue
		}
		r.halves[p.half()].wanted++
		r.all.wanted++
		if story[p[0]] != story[p[1]] {
			r.missed = append(r.missed, p)
		}
	}
	members := map[string][]int{}
	for id, s := range story {
		for _, other := range members[s] {
			p := pairOf(id, other)
			label := labels[p]
			r.halves[p.half()].add(label)
			r.all.add(label)
			if label != "same" && label != "grey" {
				r.wrong = append(r.wrong, p)
			}
		}
		members[s] = append(members[s], id)
	}
	byID := func(a, b pair) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	slices.SortFunc(r.wrong, byID)
	slices.SortFunc(r.missed, byID)
	return r
}
