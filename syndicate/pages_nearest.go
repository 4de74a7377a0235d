package syndicate

import (
	"cmp"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
)

// maxNearPath bounds the address that is compared, in bytes: longer than any
// slug, and comparing costs its length times that of every name.
const maxNearPath = 80

// nearLink is a channel whose name is near to what was asked for.
type nearLink struct {
	link
	Kind string // key of the text that names its kind
}

// nearest lists up to n channels whose id or name is like the last part of an
// address, the most like first.
func (c *Config) nearest(path string, n int) []nearLink {
	asked := vi.Slug(lastName(path))
	if asked == "" || len(asked) > maxNearPath {
		return nil
	}
	type match struct {
		nearLink
		far float64
	}
	var found []match
	for _, kind := range kinds {
		for _, ch := range c.channelsOf(kind) {
			far := min(distance(asked, ch.ID), distance(asked, vi.Slug(ch.Title.VI)))
			if far <= maxDistance {
				found = append(found, match{nearLink{link{Text: ch.Title.VI, Href: ch.Path}, "kind." + kind}, far})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return cmp.Compare(a.far, b.far) })
	links := make([]nearLink, 0, n)
	for _, m := range found[:min(n, len(found))] {
		links = append(links, m.nearLink)
	}
	return links
}

// lastName is the last part of an address that says something: not a feed's
// file name, not a word such as "topics".
func lastName(path string) string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	for _, p := range slices.Backward(parts) {
		if !strings.HasPrefix(p, "feed.") && !slices.Contains(kinds, p) && p != "days" {
			return p
		}
	}
	return ""
}

// maxDistance is how unlike a name may be to be offered: two letters in five.
const maxDistance = 0.4

// distance says how unlike two slugs are, from 0 (the same, or one within the
// other) to 1 (nothing in common).
func distance(a, b string) float64 {
	if a == b {
		return 0
	}
	if short := min(len(a), len(b)); short >= 4 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return 0.1 // near, but behind the same
	}
	return float64(edits(a, b)) / float64(max(len(a), len(b), 1))
}

// edits is the Levenshtein distance of two strings, in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
