package aggregator

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/store"
)

// GateConfig is feeds.yaml's "gate": a labelled file and how well the rules
// must do on it for the configuration to be taken.
type GateConfig struct {
	File    string  `yaml:"file"`    // relative to the folder of feeds.yaml
	F1      float64 `yaml:"f1"`      // the least micro-averaged F1, 0 to 1
	Primary float64 `yaml:"primary"` // the least share of right primary topics; 0 = any
}

// Set tells whether there is a gate.
func (g GateConfig) Set() bool { return g != GateConfig{} }

// Check reports what is wrong with the section itself.
func (g GateConfig) Check(report func(path, problem string)) {
	if !g.Set() {
		return
	}
	if strings.TrimSpace(g.File) == "" {
		report("gate.file", "the gate names no file of labelled items")
	}
	if !(g.F1 >= 0 && g.F1 <= 1) { // NaN too
		report("gate.f1", fmt.Sprintf("f1 %v: want 0 to 1", g.F1))
	}
	if !(g.Primary >= 0 && g.Primary <= 1) {
		report("gate.primary", fmt.Sprintf("primary %v: want 0 to 1", g.Primary))
	}
	if g.F1 == 0 && g.Primary == 0 {
		report("gate", "the gate lets everything pass; give f1 or primary")
	}
}

// Try measures the topics' rules on the gate's file. refused is "" if they
// pass, else the figures that say why not. An error means that nothing could
// be measured.
func (g GateConfig) Try(labels io.Reader, topics []TopicConfig) (s Scores, refused string, err error) {
	c, err := NewClassifier(topics)
	if err != nil {
		return s, "", err
	}
	items, err := ReadLabelled(labels, g.File, topics)
	if err != nil {
		return s, "", err
	}
	s = c.Measure(items)
	if s.Micro.F1 >= g.F1 && s.Primary >= g.Primary {
		return s, "", nil
	}
	return s, fmt.Sprintf("the rules do not pass: %s; the gate asks for F1 %.3f and primary %.3f; weakest: %s",
		s, g.F1, g.Primary, strings.Join(s.weakest(3), ", ")), nil
}

// String gives the figures in one line.
func (s Scores) String() string {
	return fmt.Sprintf("%d items, F1 %.3f (precision %.3f, recall %.3f), primary right %.3f", s.N, s.Micro.F1, s.Micro.Precision, s.Micro.Recall, s.Primary)
}

// weakest names the n topics that cost most: by wrong and missing ones.
func (s Scores) weakest(n int) []string {
	ids := make([]store.Topic, 0, len(s.Topics))
	for id := range s.Topics {
		ids = append(ids, id)
	}
	cost := func(id store.Topic) int { t := s.Topics[id]; return t.Given + t.Wanted - 2*t.Right }
	slices.SortFunc(ids, func(a, b store.Topic) int {
		if d := cost(b) - cost(a); d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	var words []string
	for _, id := range ids[:min(n, len(ids))] {
		t := s.Topics[id]
		words = append(words, fmt.Sprintf("%s %d wrong, %d missing", id, t.Given-t.Right, t.Wanted-t.Right))
	}
	return words
}

// Gated is what a configuration's gate measured when it was read.
type Gated struct {
	GateConfig
	Scores Scores
}

// gateGauges tell how well the rules in force do on the gate's file, and what
// was asked of them; all stay 0 without a gate.
type gateGauges struct{ f1, floor, primary prometheus.Gauge }

func newGateGauges(reg prometheus.Registerer) gateGauges {
	gauge := func(name, help string) prometheus.Gauge {
		m := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diemtin", Name: name, Help: help})
		reg.MustRegister(m)
		return m
	}
	return gateGauges{
		f1:      gauge("topics_gate_f1", "Micro-averaged F1 of the topic rules in force on the labelled file of the gate; 0 without a gate. See diemtin topics test."),
		floor:   gauge("topics_gate_floor_f1", "The F1 below which the gate refuses a configuration; 0 without a gate."),
		primary: gauge("topics_gate_primary", "Share of right primary topics on the labelled file of the gate; 0 without a gate."),
	}
}

func (m gateGauges) show(g Gated) {
	m.f1.Set(g.Scores.Micro.F1)
	m.floor.Set(g.F1)
	m.primary.Set(g.Scores.Primary)
}
