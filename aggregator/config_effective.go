package aggregator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Effective fills in what was left out of a section, as the loop does.
func (l Limits) Effective(sources int) Limits {
	l = l.withDefaults()
	hold, keep := Duration(l.hold()), Duration(l.keepText())
	l.Hold, l.KeepText = &hold, &keep
	if l.WebSub == nil {
		on := true
		l.WebSub = &on
	}
	l.PollsPerHour = int(l.polls(sources))
	return l
}

// Effective fills in what was left out of an outlet and its sources.
func (o OutletConfig) Effective() OutletConfig {
	o = o.withDefaults()
	o.Sources = slices.Clone(o.Sources)
	for i := range o.Sources {
		o.Sources[i] = o.Sources[i].withDefaults()
	}
	return o
}

// String writes a duration as feeds.yaml has it.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
