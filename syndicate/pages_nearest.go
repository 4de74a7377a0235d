package syndicate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// maxNearPath bounds the address that is compared, in bytes: longer than any
// slug, and comparing costs its length times that of every name.
const maxNearPath = 80

// nearLink is a channel whose name is near to what was asked for.
type nearLink struct {
	link
	Kind string // key of the text that names its kind
}

// maxNear is how many names are offered in place of one that does not exist.
const maxNear = 5

// nearest lists up to n channels of some kinds whose id or name is like the last
// part of an address, the most like first.
func (c *Config) nearest(path string, n int, kinds ...string) []Channel {
	asked := vi.Slug(lastName(path))
	if asked == "" || len(asked) > maxNearPath {
		return nil
	}
	type match struct {
		Channel
		far float64
	}
	var found []match
	for _, kind := range kinds {
		for _, ch := range c.channelsOf(kind) {
			far := min(unlike(asked, ch.ID), unlike(asked, vi.Slug(ch.Title.VI)))
			if far <= maxUnlike {
				found = append(found, match{ch, far})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return cmp.Compare(a.far, b.far) })
	chs := make([]Channel, 0, n)
	for _, m := range found[:min(n, len(found))] {
		chs = append(chs, m.Channel)
	}
	return chs
}

// nearest leads to the channels that are like the last part of an address.
func (s *Server) nearest(path string, n int, kinds ...string) []nearLink {
	var links []nearLink
	for _, ch := range s.cfg.nearest(path, n, kinds...) {
		links = append(links, nearLink{s.linkTo(&ch), "kind." + ch.Kind + "s"})
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

// maxUnlike is how unlike a name may be to be offered: two letters in five.
const maxUnlike = 0.4

// unlike says how unlike two slugs are, from 0 (the same, or one within the
// other) to 1 (nothing in common).
func unlike(a, b string) float64 {
	if a == b {
		return 0
	}
	if short := min(len(a), len(b)); short >= 4 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return 0.1 // near, but behind the same
	}
	return float64(distance(a, b)) / float64(max(len(a), len(b), 1))
}

// distance is how many bytes must be inserted, left out or replaced to make b
// of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// maxGuess is how many words of an address are taken for what was looked for:
// of more, few stories have all.
const maxGuess = 6

// wordsIn makes of the last part of an address what may have been looked for:
// "/tin/vai-thieu-luc-ngan-123.html" was about "vai thieu luc ngan". It is
// empty if no word stands there.
func wordsIn(path string) string {
	last := lastName(path)
	if len(last) > 2*maxNearPath {
		return ""
	}
	if i := strings.LastIndexByte(last, '.'); i > 0 {
		last = last[:i]
	}
	var found []string
	for _, w := range strings.Split(vi.Slug(last), "-") {
		if len(found) < maxGuess && len(w) > 1 && !strings.ContainsAny(w, "0123456789") {
			found = append(found, w)
		}
	}
	return strings.Join(found, " ")
}

// dateIn finds a date in an address: 2024-11-05, 2024/11/05, 05-11-2024.
var dateIn = regexp.MustCompile(`(?:^|[^0-9])(\d{4}[-/.]?\d{2}[-/.]?\d{2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?:[^0-9]|$)`)

// dayIn leads to the day that stands in an address, nil if none does.
func (s *Server) dayIn(path string) *link {
	m := dateIn.FindStringSubmatch(path[:min(len(path), 4*maxNearPath)])
	if m == nil {
		return nil
	}
	raw := strings.NewReplacer("/", "-", ".", "-").Replace(m[1])
	if len(raw) == len("20241105") {
		raw = raw[:4] + "-" + raw[4:6] + "-" + raw[6:]
	}
	day, why := s.lang.readDay(raw, store.DayOf(s.now()))
	if why != "" {
		return nil
	}
	return &link{Text: fmt.Sprintf(s.words["day.title"], s.lang.date(day)), Href: dayPath(day)}
}
