package aggregator

import (
	"strings"
	"sync"
)

const (
	// recentPages is how many of an outlet's pages are remembered, to know
	// again what stands on all of them.
	recentPages = 8
	// wallShare is the share of a text's bytes in lines that one of these has
	// too, under another headline, from which it is no article's text: a login
	// behind two lines of teaser. The footers of papers take less than a tenth.
	wallShare = 0.5
)

// walls remembers the lines of each outlet's pages read of late. It knows an
// outlet's wall from the second page on; the store knows equal texts for
// longer, and lines that come again and again (Corpus.Common).
type walls struct {
	mu       sync.Mutex
	byOutlet map[string][]pageLines
}

// pageLines are the lines of one page's text.
type pageLines struct {
	title string
	lines map[uint64]bool
}

// meet tells whether most of a text stood on another of the outlet's pages, and
// remembers its lines. An article that was published twice, under two headlines
// that its text tells both, is no wall.
func (w *walls) meet(outlet, title, text string) bool {
	lines, whole := map[uint64]string{}, 0
	for _, line := range splitLines(text) {
		if key := lineKey(line); len(line) >= minLineBytes && lines[key] == "" {
			lines[key] = line
			whole += len(line)
		}
	}
	if whole == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byOutlet == nil {
		w.byOutlet = map[string][]pageLines{}
	}
	recent := w.byOutlet[outlet]
	found := false
	for _, p := range recent {
		var both []string
		shared := 0
		for key, line := range lines {
			if p.lines[key] {
				both, shared = append(both, line), shared+len(line)
			}
		}
		if p.title == title || float64(shared) < wallShare*float64(whole) {
			continue
		}
		words := foldedWords(strings.Join(both, "\n"))
		found = found || min(tells(words, title), tells(words, p.title)) < surely
	}
	if len(recent) == recentPages {
		recent = recent[1:]
	}
	w.byOutlet[outlet] = append(recent[:len(recent):len(recent)], pageLines{title, keysOf(lines)})
	return found
}

func keysOf(lines map[uint64]string) map[uint64]bool {
	set := make(map[uint64]bool, len(lines))
	for key := range lines {
		set[key] = true
	}
	return set
}
