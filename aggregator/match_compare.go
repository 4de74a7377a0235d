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
	minWhole     = 60   // runs of a summary that stands for a short text
	fullShared   = 0.45 // shared ÷ all
	fullDoubt    = 0.50 // the same if a number of title or summary is disputed, or within one outlet
	fullApart    = 0.60 // the same if far apart in time
	fullRepeat   = 0.80 // the same if more speaks against it
	numbersAll   = 0.75 // within one outlet, this share of the numbers of the text that has fewer is in both
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
	ownHead      = 0.10 // of the first headRuns of each text, the other has no more: they share an end
	headRuns     = 100

	// Title and summary: three-syllable runs.
	minLeadRuns = 6    // a shorter summary is none
	minShared   = 22   // so many runs of title and summary must be shared, and
	leadShort   = 0.93 // this share of the shorter summary;
	manyShared  = 30   // where so many are,
	leadLong    = 0.90 // this share;
	minAlone    = 25   // where so many runs of title and summary are in no other story,
	leadRare    = 0.70 // this share, and
	leadHalf    = 0.45 // shared ÷ all of both;
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

	// sizeShare is the share of the longer text that the shorter must have, for
	// the rest to be possible.
	sizeShare = 0.36
)

// A matchDoc is an item with its form.
type matchDoc struct {
	item *store.Item
	form
}

// A subject is the new item, ready to be compared with many others.
type subject struct {
	matchDoc
	near []matchDoc // all it is compared with
	// What one list of s holds, to look up another's.
	titleRuns, leadRuns, fullRuns runSet
	fullNumbers, nameSet          runSet
	scratch                       runSet
}

// newSubject prepares an item and those near it. A stored form that cannot be
// read is made anew from what words there are.
func (m *Matcher) newSubject(it *store.Item, near []*store.Item) *subject {
	s := &subject{near: make([]matchDoc, len(near))}
	bytes := len(it.Form)
	for _, other := range near {
		bytes += len(other.Form)
	}
	arena := make([]uint32, 0, bytes/3) // three bytes a hash or more
	s.matchDoc, arena = m.newDoc(it, arena)
	for i, other := range near {
		s.near[i], arena = m.newDoc(other, arena)
	}
	s.fullRuns.fill(s.full)
	return s
}

// index makes ready what a verdict looks up, beside the runs of the text.
func (s *subject) index() {
	s.titleRuns.fill(s.title)
	s.leadRuns.fill(s.lead)
	s.fullNumbers.fill(s.fullNums)
	s.nameSet.fill(s.allNames)
}

func (m *Matcher) newDoc(it *store.Item, arena []uint32) (matchDoc, []uint32) {
	f, arena, err := decodeForm(it.Form, arena)
	if err != nil {
		f, _, _ = m.newForm(it, nil)
	}
	return matchDoc{it, f}, arena
}

// judge compares s with another item in the fullest situation that both allow.
func (s *subject) judge(d *matchDoc) verdict {
	if s.series.differs(d.series) {
		return verdict{evidence: readSerial(s.item.Title).differs(readSerial(d.item.Title))}
	}
	if v := s.judgeCredit(d); v.same {
		return v
	}
	switch {
	case s.body && d.body, (s.body || d.body) && min(len(s.full), len(d.full)) >= minWhole:
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
	if s.titleWords < creditedTitle || s.titleSum != d.titleSum || !s.credited(d) {
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
	case s.titleSum != d.titleSum:
		return verdict{evidence: "titles alone, and they differ"}
	case s.titleWords < minTitleWords:
		return verdict{evidence: fmt.Sprintf("equal titles of %d syllables, too few to tell alone", s.titleWords)}
	case s.sameOutlet(d):
		return verdict{evidence: "equal titles of one outlet, and no text to tell by"}
	case s.apart(d) > titleApart:
		return verdict{evidence: "equal titles, too far apart in time to tell alone"}
	}
	return verdict{same: true, score: 0.9, evidence: fmt.Sprintf("equal titles of %d syllables", s.titleWords)}
}

// judgeLead compares titles and summaries.
func (s *subject) judgeLead(d *matchDoc) verdict {
	shared, all := s.leadRuns.count(d.lead), len(d.lead)
	told := shared + s.titleRuns.count(d.title)
	fewer := min(all, len(s.lead))
	contained := share(shared, fewer)
	measured, need, because := contained, 2.0, "" // more than any
	switch {
	case s.sameOutlet(d) || s.apart(d) > farApart:
		measured, need = share(shared, all+len(s.lead)-shared), leadStrict
	case told >= manyShared:
		need = leadLong
	case told >= minShared:
		need = leadShort
	}
	if need <= leadShort && measured < need && contained >= leadRare && share(shared, all+len(s.lead)-shared) >= leadHalf {
		if alone := s.alone(d); alone >= minAlone {
			need, because = leadRare, fmt.Sprintf("; %d of them and the title's in no other story", alone)
		}
	}
	if told >= creditedShared && s.credited(d) {
		need, because = leadCredited, "; one names the other's outlet as its source"
	}
	v := verdict{score: measured}
	v.evidence = fmt.Sprintf("%d %% of %d three-syllable runs of the shorter summary shared", percent(contained), fewer)
	switch {
	case need > 1:
		v.evidence += fmt.Sprintf(", too few (%d) to tell", told)
	case measured < need:
		v.evidence += fmt.Sprintf("; %d %% needed", percent(need))
	case differ(s.numbers, d.numbers) && differ(d.numbers, s.numbers):
		v.evidence += ", but numbers differ"
	case s.otherNames(d):
		v.evidence += ", but the titles name others"
	default:
		v.same = true
		v.evidence += because + "; numbers agree"
	}
	return v
}

// alone counts the runs of title and summary that s shares with d and with no
// other item near, but for d's own story: words that only these have are
// copied, words that many have are a press release's or a series'.
func (s *subject) alone(d *matchDoc) int {
	var common runSet
	common.reset(len(d.title) + len(d.lead))
	for _, list := range [][]uint32{d.title, d.lead} {
		for _, h := range list {
			if s.titleRuns.has(h) || s.leadRuns.has(h) {
				common.add(h)
			}
		}
	}
	s.scratch.reset(common.n)
	for i := range s.near {
		o := &s.near[i]
		if o.item == d.item || o.item.Story != "" && o.item.Story == d.item.Story {
			continue
		}
		for _, list := range [][]uint32{o.title, o.lead} {
			for _, h := range list {
				if common.has(h) {
					s.scratch.add(h)
				}
			}
		}
	}
	return common.n - s.scratch.n
}

// otherNames tells whether each title names somebody, or some place, whom the
// other item never mentions.
func (s *subject) otherNames(d *matchDoc) bool {
	s.scratch.fill(d.allNames)
	return lacks(&s.scratch, s.titleNames) && lacks(&s.nameSet, d.titleNames)
}

// lacks tells whether some hash is not in the set.
func lacks(set *runSet, hashes []uint32) bool {
	return set.count(hashes) < len(hashes)
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

// share is part ÷ whole, 0 of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func percent(x float64) int { return int(100*x + 0.5) }
