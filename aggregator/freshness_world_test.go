package aggregator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"diemtin/store"
)

// trace is when every source published, in ms since 1970 UTC, sorted.
type trace struct {
	items [][]int64
	rates [][weekBins]float64 // the true ones, items an hour
	dated []bool              // the source's items have dates
	// hindsight is the mean number of items for each source and hour of the
	// week from which rates were taken, 0 if rates are those of the generator.
	hindsight float64
	// Policies learn from start, and are measured from measure to end.
	start, measure, end int64
}

const (
	measuredSpan = 14 * dayMS
	trainingSpan = 14 * dayMS
	historySpan  = 7 * dayMS // before start: what the first documents hold
)

// newsroom day profiles: places, widths in hours and weights of the peaks.
type peaks [][3]float64

var newsrooms = []struct {
	name             string
	share            float64
	day              peaks
	floor            float64 // of the night
	saturday, sunday float64
}{
	{"daily paper", 0.4, peaks{{7, 1.6, 1}, {10.5, 1.8, 1}, {15.5, 2, 1}, {20.5, 1.8, 0.6}}, 0.02, 0.75, 0.65},
	{"portal of an office", 0.35, peaks{{9.5, 1.3, 1}, {15.2, 1.4, 1.1}}, 0.004, 0.15, 0.1},
	{"broadcaster", 0.15, peaks{{6, 1.2, 0.8}, {12, 1, 0.8}, {18.8, 1.8, 1.3}}, 0.03, 0.9, 0.9},
	{"agency", 0.1, peaks{{9, 3, 1}, {15, 3, 1}, {21, 2.5, 0.7}}, 0.1, 0.8, 0.75},
}

// generate is a world of outlets: rates from an item in some days to several
// hundred a day, newsroom day profiles, week-ends, days better and worse,
// stories that keep many outlets busy for hours, and batches.
func generate(seed uint64, outlets int) *trace {
	r := rand.New(rand.NewPCG(seed, 4))
	start := time.Date(2024, 9, 2, 0, 0, 0, 0, store.Zone).UnixMilli()
	tr := &trace{start: start, measure: start + trainingSpan, end: start + trainingSpan + measuredSpan}
	busy := busyHours(r, start-historySpan, tr.end)
	for range outlets {
		week := outletWeek(r)
		tr.rates = append(tr.rates, week)
		tr.items = append(tr.items, publish(r, week, start-historySpan, tr.end, busy))
		tr.dated = append(tr.dated, r.Float64() > 0.05)
	}
	return tr
}

func outletWeek(r *rand.Rand) (week [weekBins]float64) {
	pick, kind := r.Float64(), newsrooms[0]
	for _, kind = range newsrooms {
		if pick -= kind.share; pick < 0 {
			break
		}
	}
	perDay := min(15*math.Exp(1.1*r.NormFloat64()), 500)
	shift, width := r.NormFloat64(), math.Exp(0.2*r.NormFloat64())
	saturday, sunday := kind.saturday*math.Exp(0.4*r.NormFloat64()), kind.sunday*math.Exp(0.4*r.NormFloat64())
	var day [24]float64
	for hour := range day {
		day[hour] = kind.floor
		for _, p := range kind.day {
			d := math.Mod(math.Abs(float64(hour)+0.5-p[0]-shift), 24)
			d = min(d, 24-d) / (p[1] * width)
			day[hour] += p[2] * math.Exp(-d*d/2)
		}
		day[hour] *= math.Exp(0.25 * r.NormFloat64())
	}
	var sum float64
	for bin := range weekBins {
		week[bin] = day[bin%24]
		switch time.Weekday(bin / 24) {
		case time.Saturday:
			week[bin] *= saturday
		case time.Sunday:
			week[bin] *= sunday
		}
		sum += week[bin]
	}
	for bin := range weekBins {
		week[bin] *= perDay * 7 / sum
	}
	return week
}

// busyHours are factors by hour from a time on: now and then an event keeps
// newsrooms busy.
func busyHours(r *rand.Rand, from, to int64) []float64 {
	busy := make([]float64, (to-from)/hourMS+1)
	for i := range busy {
		busy[i]++
		if r.Float64() < 0.5/24 {
			height := 2 * r.ExpFloat64()
			for j := i; j < min(i+6, len(busy)); j++ {
				busy[j] += height * math.Exp(-float64(j-i)/2)
			}
		}
	}
	return busy
}

func publish(r *rand.Rand, week [weekBins]float64, from, to int64, busy []float64) (items []int64) {
	batch := 1 + 2*r.Float64()*r.Float64() // the mean size of a batch
	for day := from; day < to; day += dayMS {
		mood := math.Exp(0.3*r.NormFloat64() - 0.045)
		follows := r.Float64() < 0.4 // the outlet joins in this day's events
		for hour := day; hour < min(day+dayMS, to); hour += hourMS {
			rate := week[binOf(hour)] * mood / batch
			if follows {
				rate *= busy[(hour-from)/hourMS]
			}
			for at := r.ExpFloat64() / rate; at < 1; at += r.ExpFloat64() / rate {
				ms := hour + int64(at*hourMS)
				for more := true; more; more = r.Float64() < 1-1/batch {
					items = append(items, ms)
					ms += int64(r.Float64() * 60_000)
				}
			}
		}
	}
	slices.Sort(items)
	return items
}

// readTrace reads lines of {"source": …, "published": …}: RFC 3339 or seconds
// since 1970 UTC. The true rates are the hour-of-week means of the whole file;
// the later half, at most a fortnight, is measured.
func readTrace(name string) (*trace, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sources := map[string][]int64{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var line struct {
			Source    string          `json:"source"`
			Published json.RawMessage `json:"published"`
		}
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		at, err := readTime(line.Published)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: published: %w", name, n, err)
		}
		sources[line.Source] = append(sources[line.Source], at)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("%s: no items", name)
	}
	return newTrace(sources), nil
}

func readTime(raw json.RawMessage) (int64, error) {
	var seconds float64
	if json.Unmarshal(raw, &seconds) == nil {
		return int64(seconds * 1000), nil
	}
	var t time.Time
	err := json.Unmarshal(raw, &t)
	return t.UnixMilli(), err
}

func newTrace(sources map[string][]int64) *trace {
	tr := &trace{start: math.MaxInt64}
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		items := sources[id]
		slices.Sort(items)
		tr.items, tr.dated = append(tr.items, items), append(tr.dated, true)
		tr.start, tr.end = min(tr.start, items[0]), max(tr.end, items[len(items)-1]+1)
	}
	tr.measure = tr.end - min(measuredSpan, (tr.end-tr.start)/2)
	var hours [weekBins]float64
	for p := range pieces(tr.start, tr.end) {
		hours[p.bin] += p.hours
	}
	for _, items := range tr.items {
		var week [weekBins]float64
		for _, at := range items {
			week[binOf(at)]++
		}
		for bin := range week {
			week[bin] /= max(hours[bin], 1e-9)
		}
		tr.rates = append(tr.rates, week)
		tr.hindsight += float64(len(items)) / weekBins / float64(len(sources))
	}
	return tr
}
