package aggregator

import (
	"math"
	"time"

	"diemtin/store"
)

// The law. An item waits from its publication to the next visit. With a rate
// r(t) and visits at a density ρ(t), the sum of all waits grows by r/(2ρ), the
// number of visits by ρ; for a given number of visits over all sources the sum
// is least where
//
//	ρ(t) = √r(t) / k
//
// with one k for all sources and hours. Bounds cut the density, and the next
// visit is due when ∫ρ since the last one has reached 1: so the bounds hold by
// construction, and k follows from the budget exactly.

// pace is how dense a source's visits may be.
type pace struct {
	low, high time.Duration // between two visits, after the hints
	gap       float64       // gaps of late: each doubles the density
	skip      Hints         // whose hours and days are left out
}

// density is visits an hour at a rate.
func (p pace) density(rate, k float64) float64 {
	return p.cut(math.Sqrt(rate)*math.Exp2(p.gap), k)
}

func (p pace) cut(root, k float64) float64 {
	return min(max(root/k, 1/p.high.Hours()), 1/p.low.Hours())
}

// plan is what one process knows about all sources together: enough to say of
// each when its next visit is due. It is a value that never changes; a newer
// one takes its place.
type plan struct {
	base   profile
	budget float64 // visits an hour over all sources, the mean of a week
	k      float64 // of the law
}

// planned is one active source as the plan sees it.
type planned struct {
	learned learned
	pace    pace
	failing time.Duration // the wait between tries of a failing source, else 0
}

// newPlan finds the common profile and the k that spends the budget: pure.
func newPlan(all []planned, budget float64, now int64) plan {
	p := plan{base: newProfile(all), budget: budget, k: 1}
	weeks := make([]weekly, 0, len(all))
	for i := range all {
		if s := &all[i]; s.failing > 0 {
			budget -= 1 / s.failing.Hours()
		} else {
			weeks = append(weeks, newWeekly(s, &p.base, now))
		}
	}
	p.k = solve(weeks, budget)
	return p
}

// weekly is a source's week as the budget sees it: the roots of its rates.
type weekly struct {
	roots [weekBins]float64
	pace  pace
}

func newWeekly(s *planned, base *profile, now int64) weekly {
	w := weekly{roots: s.learned.rates(base), pace: s.pace}
	factor := s.learned.level() * s.learned.holiday(inTet(now))
	for bin, rate := range w.roots {
		w.roots[bin] = math.Sqrt(rate*factor) * math.Exp2(s.pace.gap)
		if s.pace.skip.skips(bin) {
			w.roots[bin] = -1
		}
	}
	return w
}

// visits is how many visits an hour the sources get at k.
func visits(weeks []weekly, k float64) float64 {
	var sum float64
	for i := range weeks {
		w := &weeks[i]
		low, high := 1/w.pace.low.Hours(), 1/w.pace.high.Hours()
		for _, root := range w.roots {
			if root >= 0 {
				sum += min(max(root/k, high), low)
			}
		}
	}
	return sum / weekBins
}

// solve finds the k at which the visits meet the budget. Where the bounds do
// not allow it, k is the nearest: all at their shortest or longest interval.
func solve(weeks []weekly, budget float64) float64 {
	const leastK, mostK, precision = 1e-6, 1e6, 1e-3
	low, high := leastK, mostK
	for high/low > 1+precision {
		k := math.Sqrt(low * high)
		if visits(weeks, k) > budget {
			low = k
		} else {
			high = k
		}
	}
	return high
}

// newProfile is what all sources have in common. A source with very many items
// counts for no more than profileCap of them.
func newProfile(all []planned) profile {
	const profileCap = 500 // items
	const priorShape = 4.0 // items of each hour of the week, as if the week were flat
	p := flat()
	logs, n := math.Log(p.rate), 1.0
	for i := range all {
		if items, hours := all[i].learned.total(&p); hours >= 24 {
			logs, n = logs+math.Log((items+priorRate)/hours), n+1
		}
	}
	p.rate = math.Exp(logs / n)
	for range 2 { // the second time with shares corrected for the hours each was observed in
		var came, expected [weekBins]float64
		for i := range all {
			l := &all[i].learned
			items, hours := l.total(&p)
			if items == 0 {
				continue
			}
			weight := min(1, profileCap/items)
			for bin := range weekBins {
				c, h := l.seen(bin)
				came[bin] += weight * c
				expected[bin] += weight * h * items / hours
			}
		}
		var mean float64
		for bin := range weekBins {
			p.shape[bin] = (priorShape + came[bin]) / (priorShape + expected[bin])
			mean += p.shape[bin] / weekBins
		}
		for bin := range weekBins {
			p.shape[bin] /= mean
		}
	}
	return p
}

// due is the next visit of a source: when, and the rate it follows from.
type due struct {
	at      time.Time
	rate    float64 // items an hour in the hour after now
	holiday float64 // the holidays' part in it, 1 on ordinary days
	bound   bound
}

// bound is what kept an interval from following the law alone.
type bound int

const (
	unbound bound = iota
	atShortest
	atLongest
)

// next is when ∫ρ since now reaches share, which is 1 but for the jitter. It
// walks the hours ahead.
func (p *plan) next(l *learned, pc pace, now time.Time, share float64) due {
	from := now.UnixMilli()
	week := l.rates(&p.base)
	level := l.level()
	to := from + pc.high.Milliseconds()
	d := due{at: now.Add(pc.high), bound: atLongest}
	sum := 0.0
	for h := range pieces(from, to) {
		ahead := float64(h.from-from) / hourMS
		holiday := l.holiday(h.tet)
		rate := week[h.bin] * level * l.burst(ahead) * holiday
		if h.from == from {
			d.rate, d.holiday = rate, holiday
		}
		if pc.skip.skips(h.bin) {
			continue
		}
		density := pc.density(rate, p.k)
		if sum+density*h.hours >= share {
			into := (share - sum) / density
			d.at = now.Add(time.Duration((ahead + into) * float64(time.Hour)))
			d.bound = boundOf(d.at.Sub(now), pc)
			return d
		}
		sum += density * h.hours
	}
	return d
}

func boundOf(wait time.Duration, pc pace) bound {
	switch { // within the jitter
	case wait <= pc.low+pc.low/8:
		return atShortest
	case wait >= pc.high-pc.high/8:
		return atLongest
	}
	return unbound
}

// The silence of a source that answers well is an alarm when it would be so
// long by chance in less than one of 160,000 cases, if items came one by one.
// They come in clusters: hence so strict, and never within the first hours.
const (
	silentItems = 12.0 // e^-12 = 6e-6
	silentAfter = 3 * time.Hour
)

// silent says whether a source has brought nothing new for too long.
func silent(st store.SourceState, l *learned, now time.Time) bool {
	return st.Outcome.OK() && l.Expected >= silentItems && !st.LastNew.IsZero() && now.Sub(st.LastNew) >= silentAfter
}
