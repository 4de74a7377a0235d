package aggregator

import "fmt"

// A likeness is what was measured between two texts.
type likeness struct {
	shared, fewer, more int     // runs
	all                 float64 // shared ÷ all runs of both
	texts               float64 // the same without the summaries, which every outlet words anew; 0 = there is too little else
	head                float64 // share of the longer text's beginning that the shorter has
	ownHead             float64 // share of the shorter text's beginning that the longer has
	numbersBoth         int     // different numbers in both texts
	numbersFewer        int     // in the text that has fewer
	disputed            int     // numbers of either title and summary that the other text lacks
}

// judgeFull compares the texts.
func (s *subject) judgeFull(d *matchDoc) verdict {
	l, why := s.measure(d)
	if why != "" {
		return verdict{evidence: why}
	}
	if l.fewer < minBodyRuns && s.hasLead() && d.hasLead() {
		return s.judgeLead(d)
	}
	contained := share(l.shared, l.fewer)
	need, because := s.needed(d, l)
	v := verdict{score: l.all}
	if need == fullShared { // nothing speaks against it
		v.score = max(l.all, l.texts)
	}
	v.evidence = fmt.Sprintf("%d %% of %d five-syllable runs of the shorter text shared, %d %% of all", percent(contained), l.fewer, percent(l.all))
	if v.score > l.all {
		v.evidence += fmt.Sprintf(", %d %% without the summaries", percent(l.texts))
	}
	trimmed := need == fullShared && contained >= trimmedShared && share(l.fewer, l.more) >= trimmedSize && l.head >= trimmedHead
	if v.score < need && trimmed {
		v.score, because = contained, "; a trimmed copy"
	}
	switch {
	case v.score < need && !trimmed:
		v.evidence += fmt.Sprintf("; %d %% needed%s", percent(need), because)
	case s.otherNames(d):
		v.evidence += ", but the titles name others"
	case float64(l.numbersBoth) < numbersAgree*float64(l.numbersFewer-numbersSpare):
		v.evidence += fmt.Sprintf(", but only %d of %d numbers", l.numbersBoth, l.numbersFewer)
	default:
		v.same, v.firm = true, s.body && d.body && (l.all >= need || trimmed)
		v.evidence += because
	}
	return v
}

// needed returns how much of all runs two items must share, and why it is more
// than usual.
func (s *subject) needed(d *matchDoc, l likeness) (need float64, because string) {
	switch {
	case s.sameOutlet(d) && !s.repeats(d, l):
		return fullRepeat, " within one outlet"
	case l.head <= ownHead && l.ownHead <= ownHead:
		return fullRepeat, " where each text begins with news of its own"
	case l.head <= quotedHead && share(l.shared, l.fewer) >= quotedShared:
		return fullRepeat, " where the longer text begins with other news"
	case s.credited(d):
		return fullShared, "; one names the other's outlet as its source"
	case l.disputed > 1:
		return fullRepeat, fmt.Sprintf(" with %d numbers disputed", l.disputed)
	case s.apart(d) > farApart:
		return fullApart, " so far apart in time"
	case l.disputed == 1:
		return fullDoubt, " with a number disputed"
	case s.sameOutlet(d):
		return fullDoubt, " within one outlet"
	}
	return fullShared, "; numbers agree"
}

// repeats tells whether two texts of one outlet are not two instalments of what
// it writes every day: they are of one day, and all their numbers are the same.
func (s *subject) repeats(d *matchDoc, l likeness) bool {
	return l.disputed == 0 && s.apart(d) <= titleApart && float64(l.numbersBoth) >= numbersAll*float64(l.numbersFewer)
}

// measure compares the texts; why says that one is far too short.
func (s *subject) measure(d *matchDoc) (l likeness, why string) {
	l.fewer, l.more = min(len(d.full), len(s.full)), max(len(d.full), len(s.full))
	if share(l.fewer, l.more) < sizeShare {
		return l, fmt.Sprintf("one text is %d times as long as the other", l.more/max(l.fewer, 1))
	}
	l.shared = s.fullRuns.count(d.full)
	l.all = share(l.shared, len(d.full)+len(s.full)-l.shared)
	s.scratch.fill(d.full)
	mine, its := s.full[:min(headRuns, len(s.full))], d.full[:min(headRuns, len(d.full))]
	l.head, l.ownHead = share(s.fullRuns.count(its), len(its)), share(s.scratch.count(mine), len(mine))
	if mine, its := len(s.full)-s.ofSummary, len(d.full)-d.ofSummary; min(mine, its) >= minBodyRuns {
		inSummaries := s.fullRuns.count(d.full[:d.ofSummary]) + s.scratch.count(s.full[:s.ofSummary])
		both := max(0, l.shared-inSummaries)
		l.texts = share(both, mine+its-both)
	}
	if len(d.full) <= len(s.full) { // d is the shorter
		l.head, l.ownHead = l.ownHead, l.head
	}
	l.numbersBoth, l.numbersFewer = s.fullNumbers.count(d.fullNums), min(len(d.fullNums), len(s.fullNums))
	s.scratch.fill(d.fullNums)
	l.disputed = min(absent(s.numbers, &s.scratch), absent(d.numbers, &s.fullNumbers))
	return l, ""
}

// absent counts the numbers that a text lacks.
func absent(numbers []uint32, in *runSet) int { return len(numbers) - in.count(numbers) }
