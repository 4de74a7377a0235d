package aggregator

import (
	"sync"

	"diemtin/aggregator/vi"
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
	title string // folded
	lines map[uint64]bool
}

// meet tells whether most of a text stood on another of the outlet's pages, and
// remembers its lines.
func (w *walls) meet(outlet, title, text string) bool {
	lines, sizes, whole := map[uint64]bool{}, map[uint64]int{}, 0
	for _, line := range splitLines(text) {
		if len(line) < minLineBytes {
			continue
		}
		key := lineKey(line)
		lines[key] = true
		sizes[key] = len(line)
	}
	for _, n := range sizes {
		whole += n
	}
	if whole == 0 {
		return false
	}
	title = vi.Fold(title)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byOutlet == nil {
		w.byOutlet = map[string][]pageLines{}
	}
	recent := w.byOutlet[outlet]
	found := false
	for _, p := range recent {
		shared := 0
		for key, n := range sizes {
			if p.lines[key] {
				shared += n
			}
		}
		found = found || p.title != title && float64(shared) >= wallShare*float64(whole)
	}
	if len(recent) == recentPages {
		recent = recent[1:]
	}
	w.byOutlet[outlet] = append(recent[:len(recent):len(recent)], pageLines{title, lines})
	return found
}
