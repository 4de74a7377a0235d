package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// sample is what a process holds at a moment.
type sample struct {
	at    time.Duration // since the beginning
	value [len(flatThings)]float64
}

// flatThings are those that must not grow: how far each may, over the time
// that is judged, as a share of its mean or by so much, whichever is more.
var flatThings = [...]struct {
	name  string
	unit  float64 // of the table
	share float64
	least float64
}{
	{"resident memory, MB", 1e6, 0.10, 20e6},
	{"live heap, MB", 1e6, 0.15, 10e6}, // after a collection, which the page of profiles asks for
	{"goroutines", 1, 0.10, 10},
	{"open files", 1, 0.10, 10},
}

const (
	// sampleEvery is the pause between two samples, and the least number of them
	// that are judged.
	sampleEvery = 10 * time.Second
	fewSamples  = 18
	// warmUp is the part of the time after which caches are full.
	warmUp = 0.4
)

// watch takes samples of the service until the context ends.
func (s *soak) watch(ctx context.Context, length time.Duration) (all []sample) {
	began := time.Now()
	tick := time.NewTicker(min(sampleEvery, length/20))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return all
		case <-tick.C:
		}
		one, err := s.look(ctx)
		if err == nil {
			one.at = time.Since(began)
			all = append(all, one)
		} else if ctx.Err() == nil {
			s.t.Errorf("no sample: %v", err)
		}
	}
}

// look takes one sample.
func (s *soak) look(ctx context.Context) (one sample, err error) {
	if _, err := s.profile(ctx, "heap?gc=1"); err != nil {
		return one, err
	}
	goroutines, err := s.profile(ctx, "goroutine?debug=1")
	if err != nil {
		return one, err
	}
	fmt.Sscanf(goroutines, "goroutine profile: total %f", &one.value[2])
	one.value[0] = s.p.metric(s.t, "process_resident_memory_bytes")
	one.value[1] = s.p.metric(s.t, "go_memstats_heap_alloc_bytes")
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.p.cmd.Process.Pid))
	one.value[3] = float64(len(files))
	return one, err
}

// profile is one of the admin listener's profiles.
func (s *soak) profile(ctx context.Context, name string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.p.admin+"/debug/pprof/"+name, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// verdict is how one of flatThings has gone.
type verdict struct {
	name                            string
	first, mean, last, most, growth float64 // growth by the line through the judged samples
	judged                          int     // samples; 0 = too few
	fault                           string
}

type verdicts []verdict

// judge fits a line through the samples after the warm-up, and finds fault
// where it rises too far.
func judge(samples []sample, length time.Duration) (all verdicts) {
	var warm []sample
	for _, one := range samples {
		if one.at > time.Duration(warmUp*float64(length)) {
			warm = append(warm, one)
		}
	}
	for i, w := range flatThings {
		v := verdict{name: w.name, judged: len(warm)}
		if len(samples) == 0 {
			v.fault = "no samples"
			all = append(all, v)
			continue
		}
		v.first, v.last = samples[0].value[i]/w.unit, samples[len(samples)-1].value[i]/w.unit
		mean, rise := line(warm, i)
		v.mean, v.growth = mean/w.unit, rise/w.unit
		for _, one := range samples {
			v.most = max(v.most, one.value[i]/w.unit)
		}
		switch bound := max(w.share*mean, w.least); {
		case length < fewSamples*sampleEvery || len(warm) < fewSamples:
			v.judged = 0
		case rise > bound:
			v.fault = fmt.Sprintf("%s: grew by %.1f in the judged time, may by %.1f", w.name, v.growth, bound/w.unit)
		}
		all = append(all, v)
	}
	return all
}

// line is the mean of one of flatThings, and how far the line of least squares
// rises from the first sample to the last.
func line(samples []sample, i int) (mean, rise float64) {
	n := float64(len(samples))
	if n < 2 {
		return 0, 0
	}
	var at, xy, xx float64
	for _, s := range samples {
		at += s.at.Seconds() / n
		mean += s.value[i] / n
	}
	for _, s := range samples {
		dx := s.at.Seconds() - at
		xy += dx * (s.value[i] - mean)
		xx += dx * dx
	}
	return mean, xy / xx * (samples[len(samples)-1].at - samples[0].at).Seconds()
}

func (all verdicts) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s %8s %8s %8s %8s %8s  %s\n", "", "first", "mean", "last", "most", "growth", "")
	for _, v := range all {
		word := "flat"
		switch {
		case v.judged == 0:
			word = "not judged: too short"
		case v.fault != "":
			word = "GROWS"
		}
		fmt.Fprintf(&b, "%-22s %8.1f %8.1f %8.1f %8.1f %+8.1f  %s\n", v.name, v.first, v.mean, v.last, v.most, v.growth, word)
	}
	return b.String()
}

// What grows is found, what only wavers is not.
func TestJudgeOfSoak(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		value func(i int) float64 // of the goroutines
		want  bool
	}{
		{"flat", func(i int) float64 { return 100 + float64(i%7) }, false},
		{"a warm-up", func(i int) float64 { return min(float64(10*i), 400) }, false},
		{"a leak of one in ten samples", func(i int) float64 { return 100 + float64(i)/2 }, true},
	} {
		var all []sample
		for i := range 120 {
			one := sample{at: time.Duration(i) * sampleEvery}
			one.value = [len(flatThings)]float64{100e6, 50e6, tc.value(i), 30}
			all = append(all, one)
		}
		if got := judge(all, 20*time.Minute)[2].fault != ""; got != tc.want {
			t.Errorf("%s: found fault %v, want %v", tc.name, got, tc.want)
		}
	}
}
