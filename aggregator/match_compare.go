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
	fullRepeat   = 0.80 // the same within one outlet, or if several numbers are disputed
	minNumbers   = 8    // of so many different numbers in either text
	numbersAgree = 0.50 // this share is in both

	// A trimmed copy shares less of the whole, but all of itself. It begins as
	// the whole does; a follow-up that quotes begins with its own news.
	trimmedShared = 0.85 // shared ÷ runs of the shorter
	trimmedSize   = 0.40 // shorter ÷ longer
	trimmedHead   = 0.50 // of the first glanceBytes

	// Title and summary: three-syllable runs.
	minLeadRuns = 6    // a shorter summary is none
	minShared   = 22   // so many runs of title and summary must be shared, and
	leadShort   = 0.93 // this share of the shorter summary;
	manyShared  = 30   // where so many are,
	leadLong    = 0.90 // this share;
	leadStrict  = 0.95 // shared ÷ all, within one outlet or far apart in time

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
	title   []string // folded words
	lead    []string // folded words of the summary
	numbers []string // of title and summary, distinct
	serial  serial
	content string // plain text
}

func (m *Matcher) newDoc(it *store.Item) *matchDoc {
	d := &matchDoc{item: it, title: foldedWords(it.Title)}
	d.lead = foldedWords(m.names.withoutDateline(it.Summary))
	d.content = m.names.withoutAttribution(contentText(it.Content, maxMatchBytes))
	d.numbers = numbersOf(d.title, d.lead)
	d.serial = readSerial(it.Title, d.title)
	return d
}

// hasBody tells whether the item brought its text.
func (d *matchDoc) hasBody() bool { return len(d.content) >= minBodyBytes }

// hasLead tells whether the item brought a summary.
func (d *matchDoc) hasLead() bool { return len(d.lead) >= minLeadRuns+leadRun-1 }

// A subject is the new item, ready to be compared with many others.
type subject struct {
	*matchDoc
	titleRuns, leadRuns, fullRuns, fullNumbers runSet
	scratch                                    runSet
	hashes                                     []uint32
}

func (m *Matcher) newSubject(it *store.Item) *subject {
	s := &subject{matchDoc: m.newDoc(it)}
	s.titleRuns.fill(runHashes(nil, s.title, leadRun))
	s.leadRuns.fill(runHashes(nil, s.lead, leadRun))
	if s.hasBody() {
		all := slices.Concat(s.lead, foldedWords(s.content))
		s.fullRuns.fill(runHashes(nil, all, bodyRun))
		s.fullNumbers.fill(numberHashes(nil, s.title, all))
	}
	return s
}

// judge compares s with another item in the fullest situation that both allow.
func (s *subject) judge(d *matchDoc) verdict {
	if why := s.serial.differs(d.serial); why != "" {
		return verdict{evidence: why}
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
	v := verdict{score: measured}
	v.evidence = fmt.Sprintf("%d %% of %d three-syllable runs of the shorter summary shared", percent(share(shared, fewer)), fewer)
	switch {
	case need > 1:
		v.evidence += fmt.Sprintf(", too few (%d) to tell", shared+inTitle)
	case measured < need:
		v.evidence += fmt.Sprintf("; %d %% needed", percent(need))
	case missing(s.numbers, d.numbers) > 0 && missing(d.numbers, s.numbers) > 0:
		v.evidence += ", but numbers differ"
	default:
		v.same = true
		v.evidence += "; numbers agree"
	}
	return v
}

// count returns how many different runs of n words are in set, and how many
// there are.
func (s *subject) count(set *runSet, words []string, n int) (shared, all int) {
	s.hashes = runHashes(s.hashes[:0], words, n)
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
