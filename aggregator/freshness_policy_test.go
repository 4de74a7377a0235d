package aggregator

import (
	"cmp"
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// documentItems is how many items a simulated feed holds.
const documentItems = 30

// outcome of one policy over a trace.
type freshness struct {
	polls  int
	delays []int64 // ms, of every item of the measured span, sorted
}

func (f *freshness) mean() time.Duration {
	var sum float64
	for _, d := range f.delays {
		sum += float64(d)
	}
	return time.Duration(sum / float64(max(len(f.delays), 1)) * float64(time.Millisecond))
}

func (f *freshness) p95() time.Duration {
	if len(f.delays) == 0 {
		return 0
	}
	return time.Duration(f.delays[len(f.delays)*95/100]) * time.Millisecond
}

// poll notes a visit at a time and returns the index after the last item that
// it saw.
func (f *freshness) poll(tr *trace, items []int64, seen int, at int64) int {
	if at >= tr.measure && at < tr.end {
		f.polls++
	}
	for seen < len(items) && items[seen] <= at {
		if items[seen] >= tr.measure && items[seen] < tr.end {
			f.delays = append(f.delays, at-items[seen])
		}
		seen++
	}
	return seen
}

// simulated is one source under the real policy.
type simulated struct {
	index   int
	next    int64
	seen    int
	learned learned
	visited bool
}

type agenda []*simulated

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].next < a[j].next }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(any)          { panic("the agenda does not grow") }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// learning runs the real code: observe, plan, next. The states go through
// their stored form each simulated day.
func learning(tr *trace, every Every, budget float64, seed uint64) *freshness {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &freshness{}
	var todo agenda
	all := make([]*simulated, len(tr.items))
	for i := range tr.items {
		all[i] = &simulated{index: i, next: tr.start + r.Int64N(10*60*1000)}
		todo = append(todo, all[i])
	}
	heap.Init(&todo)
	var p plan
	var planned, stored int64
	for len(todo) > 0 {
		s := todo[0]
		if s.next-planned >= hourMS || s.next-tr.start < hourMS && s.next-planned >= 5*60*1000 {
			p, planned = simulatedPlan(all, every, budget, s.next), s.next
		}
		if s.next-stored >= dayMS {
			for _, s := range all {
				s.learned = decodeLearned(s.learned.encode())
			}
			stored = s.next
		}
		s.visit(tr, f, every, &p, r.Float64())
		if s.next >= tr.end && s.seen == len(tr.items[s.index]) {
			heap.Pop(&todo)
			continue
		}
		heap.Fix(&todo, 0)
	}
	slices.Sort(f.delays)
	return f
}

func simulatedPlan(all []*simulated, every Every, budget float64, now int64) plan {
	sources := make([]planned, len(all))
	for i, s := range all {
		sources[i] = planned{learned: s.learned, pace: s.learned.pace(every, now)}
	}
	return newPlan(sources, budget, now)
}

// visit is one visit of the simulated source, as steady does it.
func (s *simulated) visit(tr *trace, f *freshness, every Every, p *plan, random float64) {
	items, before := tr.items[s.index], s.seen
	s.seen = f.poll(tr, items, s.seen, s.next)
	now := time.UnixMilli(s.next)
	from := max(before, s.seen-documentItems)
	v := settled{now: now, rand: random, seen: observation{now: now, first: !s.visited, items: min(s.seen, documentItems), read: s.seen > before,
		gap: s.visited && before > 0 && s.seen-before >= documentItems}}
	for _, at := range items[from:s.seen] {
		if tr.dated[s.index] {
			v.seen.published = append(v.seen.published, time.UnixMilli(at))
		} else {
			v.seen.published = append(v.seen.published, time.Time{})
		}
	}
	s.learned = s.learned.after(v, p)
	s.next = p.jittered(&s.learned, s.learned.pace(every, s.next), v, !s.visited).UnixMilli()
	s.visited = true
}

// apart runs a policy that looks at one source at a time: next says when it
// is visited after now. Every source begins somewhere in the first hour before
// the measured span.
func apart(tr *trace, next func(source int, now int64) int64) *freshness {
	r := rand.New(rand.NewPCG(1, 2))
	f := &freshness{}
	for i, items := range tr.items {
		at := tr.measure - r.Int64N(hourMS)
		seen, _ := slices.BinarySearch(items, at)
		for {
			if at = next(i, at); at >= tr.end && seen == len(items) {
				break
			}
			seen = f.poll(tr, items, seen, at)
			if at >= tr.end {
				break
			}
		}
	}
	slices.Sort(f.delays)
	return f
}

// withPolls finds the pace at which a policy needs as many polls as another
// did: next gets a scale by which its intervals grow.
func withPolls(tr *trace, polls int, next func(scale float64) func(source int, now int64) int64) *freshness {
	low, high := 1e-4, 1e4
	var best *freshness
	for range 40 {
		scale := math.Sqrt(low * high)
		f := apart(tr, next(scale))
		if best == nil || distance(f.polls, polls) < distance(best.polls, polls) {
			best = f
		}
		switch cmp.Compare(f.polls, polls) {
		case 0:
			return f
		case 1:
			low = scale
		default:
			high = scale
		}
		if distance(f.polls, polls)*2000 < polls {
			break
		}
	}
	return best
}

func distance(a, b int) int { return max(a-b, b-a) }

// fixed is the same interval for all.
func fixed(scale float64) func(int, int64) int64 {
	return func(_ int, now int64) int64 { return now + max(int64(scale*hourMS), 1000) }
}

// entryFrequency is Miniflux's scheduler of that name: a week divided by the
// items of the last week, within bounds.
func entryFrequency(tr *trace, every Every) func(scale float64) func(int, int64) int64 {
	low, high := time.Duration(every.Min).Milliseconds(), time.Duration(every.Max).Milliseconds()
	return func(scale float64) func(int, int64) int64 {
		return func(source int, now int64) int64 {
			items := tr.items[source]
			from, _ := slices.BinarySearch(items, now-7*dayMS)
			to, _ := slices.BinarySearch(items, now)
			if to == from {
				return now + high
			}
			return now + min(max(int64(scale*7*dayMS/float64(to-from)), low), high)
		}
	}
}

// trueRates is the law in its plain form by a policy that knows the rates: the
// next visit after k/√(rate now), within bounds.
func trueRates(tr *trace, every Every) func(scale float64) func(int, int64) int64 {
	low, high := time.Duration(every.Min).Hours(), time.Duration(every.Max).Hours()
	return func(k float64) func(int, int64) int64 {
		return func(source int, now int64) int64 {
			return now + int64(min(max(k/math.Sqrt(tr.rates[source][binOf(now)]), low), high)*hourMS)
		}
	}
}

// trueRatesAhead is the same with the hours ahead in view, as the real policy
// has them in schedule_plan.go.
func trueRatesAhead(tr *trace, every Every) func(scale float64) func(int, int64) int64 {
	low, high := time.Duration(every.Min), time.Duration(every.Max)
	return func(k float64) func(int, int64) int64 {
		return func(source int, now int64) int64 {
			sum := 0.0
			for p := range pieces(now, now+high.Milliseconds()) {
				density := min(max(math.Sqrt(tr.rates[source][p.bin])/k, 1/high.Hours()), 1/low.Hours())
				if sum+density*p.hours >= 1 {
					return p.from + max(int64((1-sum)/density*hourMS), 1)
				}
				sum += density * p.hours
			}
			return now + high.Milliseconds()
		}
	}
}
