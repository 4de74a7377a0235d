package aggregator

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"time"
)

// learned is what visits have taught about how a source publishes: a value of
// bounded size (its text is under 2 KB) that is stored with the source. The
// zero value knows nothing.
//
// Counts and hours are kept per hour of the week; a bin is aged by one week
// each time its hour begins, so what was seen w weeks ago weighs keep^w.
type learned struct {
	count [weekBins]uint16 // items, in countUnit
	secs  [weekBins]uint16 // seconds observed

	Until int64 `json:"until"` // ms since 1970 UTC up to which the source was observed, 0 = never
	// Items published of late and items that the profile expected, forgotten
	// within hours (fast) and days (slow).
	Fast balance `json:"fast"`
	Slow balance `json:"slow"`
	Tet  balance `json:"tet"` // the same of all holidays of the lunar new year
	// Expected is how many items the profile expected since the last new one.
	Expected float64 `json:"expected"`
	Items    int     `json:"items"`  // in the last document that was read
	Gap      float64 `json:"gap"`    // gaps of late; each doubles the pace for a while
	GapAt    int64   `json:"gap_at"` // ms since 1970 UTC, when Gap was true
	Hints    Hints   `json:"hints"`
}

// balance compares what came with what was expected.
type balance struct {
	Came     float64 `json:"came"`
	Expected float64 `json:"expected"`
}

// add forgets what is old and takes in what is new.
func (t balance) add(came, expected, keep float64) balance {
	return balance{t.Came*keep + came, t.Expected*keep + expected}
}

// factor is by how much more came than was expected, held towards 1 as if
// prior items had come as expected.
func (t balance) factor(prior float64) float64 { return (prior + t.Came) / (prior + t.Expected) }

// Constants of learning, chosen on generated worlds of 80 outlets with seeds 1
// and 2, where the delay is flat around them: halving or doubling one changes
// it by a hundredth. docs/scheduling.md has the measurement on others.
const (
	// keepWeek is the weight of a week against the one after it: an effective
	// memory of 8 weeks.
	keepWeek  = 1 - 1.0/8
	countUnit = 1.0 / 32 // items; 65535 of them are 2047 items in an hour

	fastMemory = 3 * time.Hour
	slowMemory = 3 * 24 * time.Hour

	// How many items' worth of evidence each estimate needs before it is
	// believed half against the one above it.
	priorRate = 0.5 // the source's rate, against that of all sources
	priorDay  = 3.0 // its days of the week, against the profile of all sources
	priorHour = 0.5 // its hours of the day
	priorBin  = 6.0 // its hours of the week
	priorFast = 6.0
	priorSlow = 12.0
	priorTet  = 10.0
	// tetScale is the rate in the holidays before anything was learned: part
	// of the ordinary one.
	tetScale = 0.5

	leastRate = 1e-4 // items an hour: one in a year is not nothing
)

// profile is what all sources have in common: how often they publish, and at
// which hours of the week, as factors with mean 1.
type profile struct {
	rate  float64 // items an hour, the geometric mean
	shape [weekBins]float64
}

// flat is the profile before anything was learned: an item every other hour
// is a guess that the first documents correct.
func flat() profile {
	p := profile{rate: 0.5}
	for i := range p.shape {
		p.shape[i] = 1
	}
	return p
}

// seen returns the items and hours of a bin.
func (l *learned) seen(bin int) (items, hours float64) {
	return float64(l.count[bin]) * countUnit, float64(l.secs[bin]) / 3600
}

// total returns the items and hours of all bins, the hours weighed by the
// profile's shape.
func (l *learned) total(p *profile) (items, hours float64) {
	for bin := range weekBins {
		n, h := l.seen(bin)
		items, hours = items+n, hours+h*p.shape[bin]
	}
	return items, hours
}

// rates are the source's expected items an hour for each hour of the week:
// its own, as far as it was observed, else what all sources do. Three factors
// (day of the week, hour of the day, hour of the week) are each held towards 1
// by a few items' worth of evidence.
func (l *learned) rates(p *profile) (week [weekBins]float64) {
	items, hours := l.total(p)
	rate := (priorRate + items) / (priorRate/p.rate + hours)
	var dayCame, dayExpected [7]float64
	for bin := range weekBins {
		n, h := l.seen(bin)
		week[bin] = rate * p.shape[bin]
		dayCame[bin/24] += n
		dayExpected[bin/24] += h * week[bin]
	}
	var hourCame, hourExpected [24]float64
	for bin := range weekBins {
		n, h := l.seen(bin)
		week[bin] *= (priorDay + dayCame[bin/24]) / (priorDay + dayExpected[bin/24])
		hourCame[bin%24] += n
		hourExpected[bin%24] += h * week[bin]
	}
	for bin := range weekBins {
		n, h := l.seen(bin)
		week[bin] *= (priorHour + hourCame[bin%24]) / (priorHour + hourExpected[bin%24])
		week[bin] = max(week[bin]*(priorBin+n)/(priorBin+h*week[bin]), leastRate)
	}
	return week
}

// level is how the source does these days against its profile.
func (l *learned) level() float64 { return l.Slow.factor(priorSlow) }

// burst is how the source does in these hours against its level, ahead of the
// moment to which it was observed: a burst is over within hours.
func (l *learned) burst(ahead float64) float64 {
	return 1 + (l.Fast.factor(priorFast)-1)*math.Exp(-ahead/fastMemory.Hours())
}

// holiday is the factor for a piece of time.
func (l *learned) holiday(tet bool) float64 {
	if !tet {
		return 1
	}
	return (priorTet*tetScale + l.Tet.Came) / (priorTet + l.Tet.Expected)
}

const (
	gapMemory = 24 * time.Hour // a gap counts half after it
	maxGap    = 3.0            // the pace is at most eight times the ordinary
)

// gap is how many gaps there were of late.
func (l *learned) gap(now int64) float64 {
	return l.Gap * math.Exp2(-float64(max(now-l.GapAt, 0))/float64(gapMemory.Milliseconds()))
}

// stored is the text of a learned value.
type stored struct {
	learned
	Count []byte `json:"count"` // uint16, little endian
	Secs  []byte `json:"secs"`
}

// encode is how a learned value is stored.
func (l learned) encode() string {
	s := stored{learned: l}
	for bin := range weekBins {
		s.Count = binary.LittleEndian.AppendUint16(s.Count, l.count[bin])
		s.Secs = binary.LittleEndian.AppendUint16(s.Secs, l.secs[bin])
	}
	text, err := json.Marshal(s)
	if err != nil { // a number that is none: better to learn anew than to fail the visit
		return ""
	}
	return string(text)
}

// decodeLearned reads what encode wrote. What cannot be read is learned anew.
func decodeLearned(text string) learned {
	var s stored
	if err := json.Unmarshal([]byte(text), &s); err != nil || len(s.Count) != 2*weekBins || len(s.Secs) != 2*weekBins {
		return learned{}
	}
	for bin := range weekBins {
		s.count[bin] = binary.LittleEndian.Uint16(s.Count[2*bin:])
		s.secs[bin] = binary.LittleEndian.Uint16(s.Secs[2*bin:])
	}
	return s.learned
}
