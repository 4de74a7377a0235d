package aggregator

import (
	"iter"
	"time"
)

// The week in which rates are learned: hours of Việt Nam time, from Sunday
// 00:00.
const (
	weekBins   = 7 * 24
	zoneOffset = 7 * 3600 * 1000 // of store.Zone, in ms; the zone has no summer time
	hourMS     = 3600 * 1000
	dayMS      = 24 * hourMS
	// epochBin is the bin of 1970-01-01 00:00 in Việt Nam time, a Thursday.
	epochBin = 4 * 24
)

// binOf is the hour of the week at ms since 1970 UTC.
func binOf(ms int64) int {
	h := (floorDiv(ms+zoneOffset, hourMS) + epochBin) % weekBins
	return int((h + weekBins) % weekBins)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// piece is the part of one hour that a span of time covers.
type piece struct {
	bin   int
	from  int64   // ms since 1970 UTC
	hours float64 // its length
	whole bool    // it begins with the hour
	tet   bool    // it is in the holidays of the lunar new year
}

// pieces cuts the span between two times (ms since 1970 UTC) at full hours.
func pieces(from, to int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for at := from; at < to; {
			hour := floorDiv(at, hourMS)
			end := min((hour+1)*hourMS, to)
			p := piece{bin: binOf(at), from: at, hours: float64(end-at) / hourMS, whole: at == hour*hourMS, tet: inTet(at)}
			if !yield(p) {
				return
			}
			at = end
		}
	}
}

// The holidays around the lunar new year, in days: two before it, its day, and
// four after it, as the labour code and the yearly decrees have them.
const (
	tetBefore = 2
	tetAfter  = 4
)

// lunarNewYears are the first days of the lunar years in Việt Nam time, in
// days since 1970, computed from the new moon: in 2030 it falls at 23:07, a
// day before China's.
var lunarNewYears = [...]int64{
	civil(2024, 2, 10), civil(2025, 1, 29), civil(2026, 2, 17), civil(2027, 2, 6), civil(2028, 1, 26), civil(2029, 2, 13),
	civil(2030, 2, 2), civil(2031, 1, 23), civil(2032, 2, 11), civil(2033, 1, 31), civil(2034, 2, 19), civil(2035, 2, 8),
	civil(2036, 1, 28), civil(2037, 2, 15), civil(2038, 2, 4), civil(2039, 1, 24), civil(2040, 2, 12),
}

func civil(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).UnixMilli() / dayMS
}

// inTet says whether a moment lies in those holidays. After the table's last
// year no day does: rates then follow as they do in any quiet week.
func inTet(ms int64) bool {
	day := floorDiv(ms+zoneOffset, dayMS)
	for _, first := range lunarNewYears {
		if day >= first-tetBefore && day <= first+tetAfter {
			return true
		}
	}
	return false
}
