package aggregator

import (
	"fmt"
	"net/url"
	"strings"

	"diemtin/store"
)

// The reasons of store.Merge, strongest evidence first.
const (
	MergeLink        = "link"        // both name the same article
	MergeAttribution = "attribution" // one says that it is a copy of the other
	MergeText        = "text"        // nearly the same text
	MergeFirst       = "first"       // none of these: the item begins a story
)

// A Matcher decides whether an item is the same text as one of the stored
// items near it. It holds no state that changes and may be used concurrently.
type Matcher struct {
	names *Names
}

// NewMatcher returns a Matcher that knows the outlets' names, to leave out of
// the comparison what only says where a text comes from. names may be nil.
func NewMatcher(names *Names) *Matcher {
	if names == nil {
		names = NewNames(nil)
	}
	return &Matcher{names: names}
}

// Match returns which of near is the same text as it, with reason, score
// (0 … 1) and evidence; the best if several are. index is -1 if none is: then
// the reason is MergeFirst, and the evidence tells how near the nearest came.
// Match is pure; Merge.At is left to the caller.
func (m *Matcher) Match(it *store.Item, near []*store.Item) (index int, merge store.Merge) {
	if i, merge := matchLink(it, near); i >= 0 {
		return i, merge
	}
	if len(near) == 0 {
		return -1, store.Merge{Reason: MergeFirst, Evidence: "nothing near"}
	}
	s := m.newSubject(it)
	index = -1
	var best, nearest verdict
	for i, other := range near {
		v := s.judge(m.newDoc(other))
		switch {
		case v.same && v.score > best.score:
			index, best = i, v
		case !v.same && (v.score > nearest.score || nearest.evidence == ""):
			nearest = v
		}
	}
	if index < 0 {
		return -1, store.Merge{Reason: MergeFirst, Score: nearest.score, Evidence: nearest.evidence}
	}
	return index, store.Merge{Reason: MergeText, Score: best.score, Evidence: best.evidence}
}

// A verdict is the judgement on one pair of items.
type verdict struct {
	same     bool
	score    float64 // what was measured, 0 … 1
	evidence string
}

// matchLink finds an item that names the same article, or that it names as its
// source or the other way round.
func matchLink(it *store.Item, near []*store.Item) (int, store.Merge) {
	own, source := itemLinks(it), linkKey(it.Attribution.Link)
	for i, other := range near {
		for link := range itemLinks(other) {
			if own[link] {
				return i, store.Merge{Reason: MergeLink, Score: 1, Evidence: "both name the article " + link}
			}
		}
	}
	for i, other := range near {
		links, named := itemLinks(other), linkKey(other.Attribution.Link)
		if links[source] {
			return i, store.Merge{Reason: MergeAttribution, Score: 1, Evidence: fmt.Sprintf("names %s as its source", source)}
		}
		if own[named] {
			return i, store.Merge{Reason: MergeAttribution, Score: 1, Evidence: fmt.Sprintf("is named as the source: %s", named)}
		}
	}
	return -1, store.Merge{}
}

// LinkKeys returns index keys by which items that name the same article meet,
// beside those of their text: of the item's links and of the article that it
// names as its source.
func LinkKeys(it *store.Item) []uint32 {
	links := itemLinks(it)
	if source := linkKey(it.Attribution.Link); source != "" {
		links[source] = true
	}
	keys := make([]uint32, 0, len(links))
	for link := range links {
		keys = append(keys, uint32(hashString(link)>>32))
	}
	return lowest(keys, len(keys))
}

// itemLinks returns the keys of the addresses that are the item's own, as far
// as they can name one article.
func itemLinks(it *store.Item) map[string]bool {
	links := make(map[string]bool, 2)
	for _, link := range append([]string{"link:" + it.Link}, it.Aliases...) {
		kind, link, _ := strings.Cut(link, ":")
		if key := linkKey(link); key != "" && (kind == "link" || kind == "was") {
			links[key] = true
		}
	}
	return links
}

// linkKey returns what the spellings of one article's address have in common,
// without scheme, "www.", "m.", query, fragment and final slash; empty if the
// address cannot name one article. Of the query it keeps what may be the
// article's number.
func linkKey(link string) string {
	if !isArticleLink(link) {
		return ""
	}
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	host := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(u.Hostname()), "www."), "m.")
	key := host + strings.TrimRight(u.EscapedPath(), "/")
	if id := u.Query().Get("id"); id != "" {
		key += "?id=" + id
	}
	return key
}
