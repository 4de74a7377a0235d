package aggregator

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// The flags of the freshness benchmark; see docs/scheduling.md.
var (
	freshSeed    = flag.Uint64("freshness.seed", 7, "`seed` of the generated trace")
	freshTrace   = flag.String("freshness.trace", "", "JSONL `file` of {source, published} in place of a generated trace")
	freshOutlets = flag.Int("freshness.outlets", 300, "outlets of the generated trace")
	freshBudget  = flag.Float64("freshness.budget", pollsPerSource, "polls an hour and source")
	freshMin     = flag.Duration("freshness.min", defaultMin, "every.min of all sources")
	freshMax     = flag.Duration("freshness.max", defaultMax, "every.max of all sources")
	freshReport  = flag.String("freshness.report", "", "`file` to write the table to")
)

// comparison is the table of policies at the same number of polls.
type comparison struct {
	tr                     *trace
	ours, fixed, frequency *freshness
	known, ahead           *freshness // they know the true rates
}

func compareFreshness(tr *trace, every Every, budget float64, seed uint64) comparison {
	c := comparison{tr: tr, ours: learning(tr, every, budget*float64(len(tr.items)), seed)}
	var others sync.WaitGroup
	others.Go(func() { c.fixed = withPolls(tr, c.ours.polls, fixed) })
	others.Go(func() { c.frequency = withPolls(tr, c.ours.polls, entryFrequency(tr, every)) })
	others.Go(func() { c.known = withPolls(tr, c.ours.polls, trueRates(tr, every)) })
	others.Go(func() { c.ahead = withPolls(tr, c.ours.polls, trueRatesAhead(tr, every)) })
	others.Wait()
	return c
}

// ratio is our mean delay in parts of another's.
func (c comparison) ratio(other *freshness) float64 {
	return c.ours.mean().Seconds() / other.mean().Seconds()
}

func (c comparison) String() string {
	var b strings.Builder
	days := float64(c.tr.end-c.tr.measure) / dayMS
	fmt.Fprintf(&b, "%d sources, %d items measured over %.1f days after %.1f days of training\n",
		len(c.tr.items), len(c.ours.delays), days, float64(c.tr.measure-c.tr.start)/dayMS)
	fmt.Fprintf(&b, "%-16s %12s %12s %12s\n", "policy", "mean delay", "95% below", "polls/day")
	for _, row := range []struct {
		name string
		f    *freshness
	}{{"learned", c.ours}, {"true rates", c.known}, {"… looking ahead", c.ahead}, {"fixed", c.fixed}, {"entry_frequency", c.frequency}} {
		fmt.Fprintf(&b, "%-16s %12s %12s %12.0f\n", row.name, row.f.mean().Round(time.Second), row.f.p95().Round(time.Second), float64(row.f.polls)/days)
	}
	if c.tr.hindsight > 0 {
		fmt.Fprintf(&b, "the true rates are means of the file, %.1f items for each source and hour of the week: they know in hindsight\n"+
			"which hours stayed empty, which looking ahead exploits and the plain law stumbles over; docs/scheduling.md\n", c.tr.hindsight)
	}
	fmt.Fprintf(&b, "ratio_to_fixed=%.3f\nratio_to_entry_frequency=%.3f\nratio_to_true_rates_looking_ahead=%.3f\nratio_to_true_rates=%.3f\n",
		c.ratio(c.fixed), c.ratio(c.frequency), c.ratio(c.ahead), c.ratio(c.known))
	return b.String()
}

// The learned policy must come near the one that knows the true rates, on a
// small world; make bench-freshness runs the whole one.
func TestFreshness(t *testing.T) {
	if *freshReport == "" {
		if testing.Short() {
			t.Skip("it simulates weeks")
		}
		t.Parallel()
		c := compareFreshness(generate(*freshSeed, 40), Every{Min: Duration(defaultMin), Max: Duration(defaultMax)}, pollsPerSource, *freshSeed)
		if c.ratio(c.known) > 1.15 || c.ratio(c.ahead) > 1.15 || c.ratio(c.fixed) > 0.75 {
			t.Errorf("want at most 1.15 times the delay of the true rates, and 0.75 of a fixed interval:\n%s", c)
		}
		return
	}
	tr := generate(*freshSeed, *freshOutlets)
	if *freshTrace != "" {
		var err error
		if tr, err = readTrace(*freshTrace); err != nil {
			t.Fatal(err)
		}
	}
	c := compareFreshness(tr, Every{Min: Duration(*freshMin), Max: Duration(*freshMax)}, *freshBudget, *freshSeed)
	if err := os.WriteFile(*freshReport, []byte(c.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkFreshness reports the ratio among the other benchmarks.
func BenchmarkFreshness(b *testing.B) {
	for b.Loop() {
		c := compareFreshness(generate(*freshSeed, 100), Every{Min: Duration(defaultMin), Max: Duration(defaultMax)}, pollsPerSource, *freshSeed)
		b.ReportMetric(c.ratio(c.known), "ratio_to_true_rates")
		b.ReportMetric(c.ours.mean().Seconds(), "mean_delay_s")
	}
}
