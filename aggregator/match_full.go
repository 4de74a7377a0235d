package aggregator

import (
	"fmt"
	"slices"
)

// A likeness is what was measured between two texts.
type likeness struct {
	shared, fewer, more int     // runs
	all                 float64 // shared ÷ all runs of both
	head                float64 // share of the candidate's first runs
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
	v.evidence = fmt.Sprintf("%d %% of %d five-syllable runs of the shorter text shared, %d %% of all", percent(contained), l.fewer, percent(l.all))
	trimmed := need == fullShared && contained >= trimmedShared && share(l.fewer, l.more) >= trimmedSize && l.head >= trimmedHead
	if l.all < need && trimmed {
		v.score, because = contained, "; a trimmed copy"
	}
	switch {
	case l.all < need && !trimmed:
		v.evidence += fmt.Sprintf("; %d %% needed%s", percent(need), because)
	case l.numbersFewer >= minNumbers && share(l.numbersBoth, l.numbersFewer) < numbersAgree:
		v.evidence += fmt.Sprintf(", but only %d of %d numbers", l.numbersBoth, l.numbersFewer)
	default:
		v.same = true
		v.evidence += because
	}
	return v
}

// needed returns how much of all runs two items must share, and why it is more
// than usual.
func (s *subject) needed(d *matchDoc, l likeness) (need float64, because string) {
	switch {
	case s.sameOutlet(d):
		return fullRepeat, " within one outlet"
	case l.disputed > 1:
		return fullRepeat, fmt.Sprintf(" with %d numbers disputed", l.disputed)
	case s.apart(d) > farApart:
		return fullApart, " so far apart in time"
	case l.disputed == 1:
		return fullDoubt, " with a number disputed"
	}
	return fullShared, "; numbers agree"
}

// measure compares the texts; why says that they need not be read to the end.
func (s *subject) measure(d *matchDoc) (l likeness, why string) {
	shorter, longer := len(s.item.Summary)+len(s.content), len(d.item.Summary)+len(d.content)
	if shorter > longer {
		shorter, longer = longer, shorter
	}
	if share(shorter, longer) < sizeShare {
		return l, fmt.Sprintf("one text is %d times as long as the other", longer/shorter)
	}
	beginning := cutAtSpace(d.content, glanceBytes)
	words := slices.Concat(d.lead, foldedWords(beginning))
	s.hashes = runHashes(s.hashes[:0], words, bodyRun)
	seen, n := s.countHashes(&s.fullRuns)
	l.head = share(seen, n)
	if l.head < glanceShare {
		return l, fmt.Sprintf("%d %% of the beginning shared", percent(l.head))
	}
	words = append(words, foldedWords(d.content[len(beginning):])...)
	shared, n := s.count(&s.fullRuns, words, bodyRun)
	l.shared, l.fewer, l.more = shared, min(n, s.fullRuns.n), max(n, s.fullRuns.n)
	l.all = share(shared, n+s.fullRuns.n-shared)

	s.hashes = numberHashes(s.hashes[:0], d.title, words)
	l.numbersBoth, n = s.countHashes(&s.fullNumbers)
	l.numbersFewer = min(n, s.fullNumbers.n)
	l.disputed = min(absent(s.numbers, &s.scratch), absent(d.numbers, &s.fullNumbers))
	return l, ""
}

// numberHashes appends the hash of each token that begins with a digit.
func numberHashes(dst []uint32, lists ...[]string) []uint32 {
	for _, words := range lists {
		for _, w := range words {
			if asciiDigit(w[0]) {
				dst = append(dst, numberHash(w))
			}
		}
	}
	return dst
}

func numberHash(number string) uint32 { return uint32(hashWord(number) >> 32) }

// absent counts the numbers that a text lacks.
func absent(numbers []string, in *runSet) int {
	n := 0
	for _, t := range numbers {
		if !in.has(numberHash(t)) {
			n++
		}
	}
	return n
}
