package aggregator

import (
	"fmt"
	"slices"
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
	if len(near) == 0 {
		return -1, store.Merge{Reason: MergeFirst, Evidence: "nothing near"}
	}
	s := m.newSubject(it, near)
	if s.sharesLink() {
		if i, merge := matchLink(it, near); i >= 0 {
			return i, merge
		}
	}
	s.index()
	index = -1
	var best, nearest verdict
	for i := range near {
		v := s.judge(&s.near[i])
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
	return index, store.Merge{Reason: MergeText, Score: best.score, Evidence: best.evidence, Firm: best.firm}
}

// A verdict is the judgement on one pair of items.
type verdict struct {
	same     bool
	score    float64 // what was measured, 0 … 1
	evidence string
	firm     bool // both whole texts were compared, summaries and all
}

// matchLink finds an item that names the same article, or that it names as its
// source or the other way round.
func matchLink(it *store.Item, near []*store.Item) (int, store.Merge) {
	own, source := itemLinks(it), articleKey(it.Attribution.Link)
	for i, other := range near {
		for link := range itemLinks(other) {
			if own[link] {
				return i, store.Merge{Reason: MergeLink, Score: 1, Evidence: "both name the article " + link, Firm: true}
			}
		}
	}
	for i, other := range near {
		links, named := itemLinks(other), articleKey(other.Attribution.Link)
		if links[source] {
			return i, store.Merge{Reason: MergeAttribution, Score: 1, Evidence: fmt.Sprintf("names %s as its source", source)}
		}
		if own[named] {
			return i, store.Merge{Reason: MergeAttribution, Score: 1, Evidence: fmt.Sprintf("is named as the source: %s", named)}
		}
	}
	return -1, store.Merge{}
}

// sharesLink tells whether some item near has a link of the subject's, by
// their hashes: then the links themselves are compared.
func (s *subject) sharesLink() bool {
	for i := range s.near {
		for _, link := range s.near[i].links {
			if link != 0 && slices.Contains(s.links, link) {
				return true
			}
		}
	}
	return false
}

// linkHash is the hash of an article's key, 0 of none.
func linkHash(key string) uint32 {
	if key == "" {
		return 0
	}
	return uint32(hashString(key) >> 32)
}

// LinkKeys returns index keys by which items that name the same article meet,
// beside those of their text: of the item's links and of the article that it
// names as its source.
func LinkKeys(it *store.Item) []uint32 {
	links := itemLinks(it)
	if source := articleKey(it.Attribution.Link); source != "" {
		links[source] = true
	}
	keys := make([]uint32, 0, len(links))
	for link := range links {
		keys = append(keys, linkHash(link))
	}
	return lowest(keys, len(keys))
}

// itemLinks returns the keys of the addresses that are the item's own, as far
// as they can name one article: its aliases, or its link if it has none.
func itemLinks(it *store.Item) map[string]bool {
	links := make(map[string]bool, 2)
	for _, alias := range it.Aliases {
		kind, link, _ := strings.Cut(alias, ":")
		if kind == "link" || kind == "was" {
			links[articleKey(link)] = true
		}
	}
	if len(links) == 0 {
		links[articleKey(it.Link)] = true
	}
	delete(links, "")
	return links
}

// articleKey is the LinkKey of an address that can name one article, or such a
// key itself; else it is empty.
func articleKey(link string) string {
	if isAddress(link) {
		link = LinkKey(link)
	}
	if !isArticleKey(link) {
		return ""
	}
	return link
}

// isArticleKey tells whether a LinkKey can name one article: it is neither a
// home page nor a section nor a single word.
func isArticleKey(key string) bool {
	path, query, _ := strings.Cut(key, "?")
	_, path, _ = strings.Cut(path, "/")
	last := path[strings.LastIndexByte(path, '/')+1:]
	return len(last) >= minSlug && strings.ContainsAny(last, "-0123456789") || strings.ContainsAny(query, "0123456789") && !strings.Contains(query, "page=")
}

// minSlug is the shortest last part of an article's path: an article has its
// headline or its number there, a section a word.
const minSlug = 8
