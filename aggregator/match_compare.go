package aggregator

import (
	"fmt"
	"slices"
	"time"

	"diemtin/store"
)

// Thresholds of sameness. docs/sameness.md has the measurement behind each.
const (
	// Full text: five-syllable runs of summary and body.
	minBodyBytes = 240  // a shorter content is a teaser, as is
	minBodyRuns  = 60   // one that adds so little to the summary
	fullShared   = 0.45 // shared ÷ all
	fullDoubt    = 0.55 // the same if a number of title or summary is disputed
	fullApart    = 0.60 // the same if far apart in time
	fullRepeat   = 0.80 // the same within one outlet, if several numbers are disputed, or for a follow-up
	numbersSpare = 2    // of the different numbers of the text that has fewer, so many may be its own;
	numbersAgree = 0.50 // of the others this share must be in both

	// A trimmed copy shares less of the whole, but nearly all of itself.
	trimmedShared = 0.85 // shared ÷ runs of the shorter
	trimmedSize   = 0.40 // shorter ÷ longer
	trimmedHead   = 0.50 // of the first headRuns of the longer, the shorter has so many

	// A follow-up that quotes contains the other text too, but begins with news
	// of its own.
	quotedShared = 0.92 // shared ÷ runs of the shorter
	quotedHead   = 0.05 // of the first headRuns of the longer, the shorter has no more
	headRuns     = 100

	// Title and summary: three-syllable runs.
	minLeadRuns = 6    // a shorter summary is none
	minShared   = 22   // so many runs of title and summary must be shared, and
	leadShort   = 0.93 // this share of the shorter summary;
	manyShared  = 30   // where so many are,
	leadLong    = 0.90 // this share;
	leadStrict  = 0.95 // shared ÷ all, within one outlet or far apart in time

	// One item says that its text is the other outlet's: less proof is needed
	// that it is this text.
	creditedShared = 10   // runs of title and summary that must be shared, and
	leadCredited   = 0.70 // this share of the shorter summary;
	creditedTitle  = 5    // or equal titles of so many syllables

	// Title alone.
	minTitleWords = 14
	titleApart    = 36 * time.Hour

	// farApart is the distance in time from which sameness needs more.
	farApart = 3 * 24 * time.Hour

	// A candidate's text is read to its end only if its beginning (some 240
	// syllables) has something in common, and if the lengths allow the rest.
	glanceBytes = 1500
	glanceShare = 0.05
	sizeShare   = 0.36
)

// A matchDoc is an item as it is compared.
type matchDoc struct {
	item    *store.Item
	title   []uint64 // hashes of its folded words
	lead    []uint64 // of the summary's
	numbers []uint32 // of title and summary
	serial  serial
	content string // plain text
}

func (m *Matcher) newDoc(it *store.Item) *matchDoc {
	title, summary := cutAtSpace(it.Title, maxLeadBytes), cutAtSpace(it.Summary, maxLeadBytes)
	d := &matchDoc{item: it, serial: readSerial(title)}
	d.title = appendWords(nil, title)
	d.lead = appendWords(nil, m.names.withoutDateline(summary))
	d.numbers = appendNumbers(appendNumbers(nil, d.title), d.lead)
	d.content = m.names.withoutAttribution(matchText(it))
	return d
}

// matchText is the text that an item is compared by: that of its page, else
// what its source gave.
func matchText(it *store.Item) string {
	if it.Text != "" {
		return cutAtSpace(it.Text, maxMatchBytes)
	}
	return contentText(it.Content, maxMatchBytes)
}

// hasBody tells whether the item brought its text.
func (d *matchDoc) hasBody() bool { return len(d.content) >= minBodyBytes }

// hasLead tells whether the item brought a summary.
func (d *matchDoc) hasLead() bool { return len(d.lead) >= minLeadRuns+leadRun-1 }

// A subject is the new item, ready to be compared with many others.
type subject struct {
	*matchDoc
	titleRuns, leadRuns, fullRuns runSet
	fullNumbers                   runSet
	head                          []uint32 // the first headRuns runs
	// What one comparison leaves behind, to be used again.
	scratch runSet
	words   []uint64
	hashes  []uint32
}

func (m *Matcher) newSubject(it *store.Item) *subject {
	s := &subject{matchDoc: m.newDoc(it)}
	s.titleRuns.fill(appendRuns(nil, s.title, leadRun))
	s.leadRuns.fill(appendRuns(nil, s.lead, leadRun))
	if s.hasBody() {
		all := appendWords(slices.Clone(s.lead), s.content)
		runs := appendRuns(nil, all, bodyRun)
		s.head = runs[:min(headRuns, len(runs))]
		s.fullRuns.fill(runs)
		s.fullNumbers.fill(appendNumbers(appendNumbers(nil, s.title), all))
	}
	return s
}

// judge compares s with another item in the fullest situation that both allow.
func (s *subject) judge(d *matchDoc) verdict {
	if why := s.serial.differs(d.serial); why != "" {
		return verdict{evidence: why}
	}
	if v := s.judgeCredit(d); v.same {
		return v
	}
	switch {
	case s.hasBody() && d.hasBody():
		return s.judgeFull(d)
	case s.hasLead() && d.hasLead():
		return s.judgeLead(d)
	}
	return s.judgeTitle(d)
}

// apart is how far the two items are apart in time.
func (s *subject) apart(d *matchDoc) time.Duration {
	return s.item.Time().Sub(d.item.Time()).Abs()
}

func (s *subject) sameOutlet(d *matchDoc) bool {
	return s.item.Outlet != "" && s.item.Outlet == d.item.Outlet
}

// credited tells whether one of the items names the other's outlet as its
// source, and both are of the same time.
func (s *subject) credited(d *matchDoc) bool {
	if s.sameOutlet(d) || s.apart(d) > titleApart {
		return false
	}
	a, b := s.item, d.item
	return a.Attribution.Outlet != "" && a.Attribution.Outlet == b.Outlet || b.Attribution.Outlet != "" && b.Attribution.Outlet == a.Outlet
}

// judgeCredit finds a copy that keeps the headline and says whose it is.
func (s *subject) judgeCredit(d *matchDoc) verdict {
	if len(s.title) < creditedTitle || !slices.Equal(s.title, d.title) || !s.credited(d) {
		return verdict{}
	}
	if differ(s.numbers, d.numbers) && differ(d.numbers, s.numbers) {
		return verdict{}
	}
	return verdict{same: true, score: 0.95, evidence: "equal titles, and one names the other's outlet as its source"}
}

// judgeTitle compares items that have no more than a title in common.
func (s *subject) judgeTitle(d *matchDoc) verdict {
	switch {
	case !slices.Equal(s.title, d.title):
		return verdict{evidence: "titles alone, and they differ"}
	case len(s.title) < minTitleWords:
		return verdict{evidence: fmt.Sprintf("equal titles of %d syllables, too few to tell alone", len(s.title))}
	case s.sameOutlet(d):
		return verdict{evidence: "equal titles of one outlet, and no text to tell by"}
	case s.apart(d) > titleApart:
		return verdict{evidence: "equal titles, too far apart in time to tell alone"}
	}
	return verdict{same: true, score: 0.9, evidence: fmt.Sprintf("equal titles of %d syllables", len(s.title))}
}

// judgeLead compares titles and summaries.
func (s *subject) judgeLead(d *matchDoc) verdict {
	shared, all := s.count(&s.leadRuns, d.lead, leadRun)
	inTitle, _ := s.count(&s.titleRuns, d.title, leadRun)
	fewer := min(all, s.leadRuns.n)
	measured, need := share(shared, fewer), 2.0 // more than any
	switch {
	case s.sameOutlet(d) || s.apart(d) > farApart:
		measured, need = share(shared, all+s.leadRuns.n-shared), leadStrict
	case shared+inTitle >= manyShared:
		need = leadLong
	case shared+inTitle >= minShared:
		need = leadShort
	}
	credited := s.credited(d) && shared+inTitle >= creditedShared
	if credited {
		need = leadCredited
	}
	v := verdict{score: measured}
	v.evidence = fmt.Sprintf("%d %% of %d three-syllable runs of the shorter summary shared", percent(share(shared, fewer)), fewer)
	switch {
	case need > 1:
		v.evidence += fmt.Sprintf(", too few (%d) to tell", shared+inTitle)
	case measured < need:
		v.evidence += fmt.Sprintf("; %d %% needed", percent(need))
	case differ(s.numbers, d.numbers) && differ(d.numbers, s.numbers):
		v.evidence += ", but numbers differ"
	default:
		v.same = true
		v.evidence += "; numbers agree"
		if credited {
			v.evidence += "; one names the other's outlet as its source"
		}
	}
	return v
}

// differ tells whether some number of a is none of b's.
func differ(a, b []uint32) bool {
	for _, n := range a {
		if !slices.Contains(b, n) {
			return true
		}
	}
	return false
}

// count returns how many different runs of n words are in set, and how many
// there are.
func (s *subject) count(set *runSet, words []uint64, n int) (shared, all int) {
	s.hashes = appendRuns(s.hashes[:0], words, n)
	return s.countHashes(set)
}

// countHashes does the same with s.hashes.
func (s *subject) countHashes(set *runSet) (shared, all int) {
	s.scratch.reset(len(s.hashes))
	for _, h := range s.hashes {
		if s.scratch.add(h) && set.has(h) {
			shared++
		}
	}
	return shared, s.scratch.n
}

// share is part ÷ whole, 0 of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func percent(x float64) int { return int(100*x + 0.5) }
