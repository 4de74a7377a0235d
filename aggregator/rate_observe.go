package aggregator

import (
	"math"
	"slices"
	"time"
)

// observation is what one good visit saw of a source's publishing.
type observation struct {
	now   time.Time
	first bool // the source's first visit: published are those of the whole document
	gap   bool // nothing in common with the last visit: likewise
	// published are the times of the new items, zero where the document does
	// not say; wrong ones are expected.
	published []time.Time
	items     int  // in the document
	read      bool // a document was read: items is meant
}

const (
	// stale is how much older than the last visit an item's date may be. Items
	// that came late were published between two visits as far as a reader can
	// tell; older ones are backfill and teach nothing.
	stale = 48 * time.Hour
	// slack is how long after its date an item may appear and still count for
	// the hour of its date: feeds are cached.
	slack = time.Hour
	// firstSpan bounds what the first document is believed to cover, and
	// firstShare is the part of its items that is believed to be without holes:
	// pinned and re-dated items stand apart.
	firstSpan  = 14 * 24 * time.Hour
	firstShare = 0.8
	fewest     = 4 // dated items from which a first document teaches a rate
	// firstLeast is what a first document is taken to cover at least: outlets
	// date a whole page to the moment it was made, or import an archive at once.
	firstLeast = time.Hour
	// together is how close to each other, and to now, dates are that say no
	// more than that.
	together = 5 * time.Minute

	// A visit's items of one hour count whole up to burstBase + burstTimes ×
	// what was expected, and from there by their square root: a burst of an
	// afternoon must not be expected for weeks.
	burstBase  = 8
	burstTimes = 4

	// longestGap bounds the time one visit is evidence for: after a longer
	// silence of ours the feed no longer holds all that was published.
	longestGap = 14 * 24 * time.Hour
)

// observe is what is known after a visit: a pure function.
func (l learned) observe(o observation, p *profile) learned {
	now := o.now.UnixMilli()
	week := l.rates(p)
	published, dated := o.times()
	from := l.Until
	whole := from == 0 || o.first || o.gap
	switch {
	case from == 0 || o.first:
		from = firstTold(published, now)
	case o.gap: // what is older came before, under another name
		from = max(firstCovered(published, now), from)
	}
	from = max(from, now-longestGap.Milliseconds())
	if o.read {
		l.Items = o.items
	}
	if o.gap {
		l.Gap, l.GapAt = min(l.gap(now)+1, maxGap), now
	}
	if from >= now { // nothing to learn from but when it was
		l.Until = now
		return l
	}
	came := placed(published, len(o.published)-dated, from, now, whole)
	return l.take(came, from, now, &week, whole)
}

// times are the dates that can be used, in ms since 1970 UTC, the newest
// first. A date at midnight sharp is a day without a time.
func (o *observation) times() (all []int64, dated int) {
	for _, t := range o.published {
		if ms := t.UnixMilli(); !t.IsZero() && (ms+zoneOffset)%dayMS != 0 {
			all = append(all, min(ms, o.now.UnixMilli()))
		}
	}
	slices.SortFunc(all, func(a, b int64) int { return int(max(min(b-a, 1), -1)) })
	return all, len(all)
}

// firstCovered is since when a document that stands alone tells all that was
// published; now if it tells nothing.
func firstCovered(newestFirst []int64, now int64) int64 {
	if len(newestFirst) < fewest {
		return now
	}
	i := int(math.Ceil(firstShare*float64(len(newestFirst)))) - 1
	return max(newestFirst[i], now-firstSpan.Milliseconds())
}

// firstTold is the same for a source's first document, whose dates nothing
// else confirms.
func firstTold(newestFirst []int64, now int64) int64 {
	from := firstCovered(newestFirst, now)
	hourAgo := now - firstLeast.Milliseconds()
	switch {
	case from == now || from <= hourAgo:
		return from
	case newestFirst[0]-from < together.Milliseconds():
		return now
	}
	return hourAgo
}

// placed are the new items by hour of the week. Those without a usable date
// are spread over the time since the last visit, unless the document stands
// alone.
func placed(newestFirst []int64, undated int, from, now int64, whole bool) (came [weekBins]float64) {
	spread := float64(undated)
	if whole {
		spread = 0
	}
	for _, at := range newestFirst {
		switch {
		case at > from, !whole && at > from-slack.Milliseconds():
			came[binOf(max(at, from))]++
		case !whole && at > from-stale.Milliseconds():
			spread++
		}
	}
	if spread == 0 {
		return came
	}
	hours := float64(now-from) / hourMS
	for pc := range pieces(from, now) {
		came[pc.bin] += spread * pc.hours / hours
	}
	return came
}

// take adds items and the time in which they came.
func (l learned) take(came [weekBins]float64, from, now int64, week *[weekBins]float64, whole bool) learned {
	var expected, total float64
	for pc := range pieces(from, now) {
		bin := pc.bin
		if pc.whole && !pc.tet { // a week later: what was seen before counts less
			l.count[bin] = uint16(float64(l.count[bin]) * keepWeek) // rounded down, else 4 units would stay for ever
			l.secs[bin] = uint16(float64(l.secs[bin]) * keepWeek)
		}
		ordinary := pc.hours * week[bin]
		n := came[bin]
		came[bin] = 0
		n = tamed(n, max(ordinary, week[bin]))
		expected += ordinary * l.holiday(pc.tet)
		total += n
		if pc.tet { // holidays teach about holidays only
			l.Tet = l.Tet.add(n, ordinary, 1)
			continue
		}
		l.count[bin] = uint16(min(float64(l.count[bin])+n/countUnit+0.5, math.MaxUint16))
		l.secs[bin] = uint16(min(float64(l.secs[bin])+pc.hours*3600+0.5, math.MaxUint16))
	}
	return l.compare(total, expected, now-from, whole, now)
}

// tamed is how many items of one hour are learned from.
func tamed(n, expected float64) float64 {
	whole := burstBase + burstTimes*expected
	if n <= whole {
		return n
	}
	return whole + math.Sqrt(n-whole)
}

// compare notes how what came differs from what was expected.
func (l learned) compare(came, expected float64, span int64, whole bool, now int64) learned {
	l.Until = now
	if came > 0 {
		l.Expected = 0
	} else {
		l.Expected += expected
	}
	if whole { // the expectation was no more than that of all sources
		return l
	}
	keep := func(memory time.Duration) float64 { return math.Exp(-float64(span) / float64(memory.Milliseconds())) }
	l.Fast = l.Fast.add(came, expected*l.level(), keep(fastMemory))
	l.Slow = l.Slow.add(came, expected, keep(slowMemory))
	return l
}
