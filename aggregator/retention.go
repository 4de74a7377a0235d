package aggregator

import (
	"fmt"
	"time"

	"diemtin/store"
)

// RetentionConfig says from when on stories are reduced to what names their
// original: what either bound takes goes. Zero = no bound.
type RetentionConfig struct {
	Age   Duration `yaml:"age"`   // listed longer ago
	Items int      `yaml:"items"` // beyond the newest so many
}

// OutletRetention is an outlet's own rule, in place of that for all.
type OutletRetention struct {
	Age   Duration `yaml:"age"`
	Items int      `yaml:"items"` // stories that quote the outlet
	Keep  bool     `yaml:"keep"`  // all of it stays whole
}

// The least that retention may leave whole.
const (
	leastItems       = 10_000            // of all outlets: a day or two, and more than any feed reads
	leastOutletItems = store.KeptInScope // what a feed can be asked for
	mostItems        = 1_000_000_000     // a number beyond is a slip of the pen
	oneDay           = 24 * time.Hour    // the unit that messages use
	leastAgeDays     = store.LeastAge / oneDay
)

// Check reports faults of the rule for all outlets.
func (c RetentionConfig) Check(report func(path, problem string)) {
	checkRetention(c.Age, c.Items, leastItems, report)
}

func checkRetention(age Duration, items, least int, report func(path, problem string)) {
	if age != 0 && time.Duration(age) < store.LeastAge {
		report("age", fmt.Sprintf("%s: want %dd or more; what is younger may still be compared with, corrected or mirrored", age, leastAgeDays))
	}
	if items != 0 && (items < least || items > mostItems) {
		report("items", fmt.Sprintf("%d items: want %d to %d", items, least, mostItems))
	}
}

func (c OutletRetention) check(report func(path, problem string)) {
	checkRetention(c.Age, c.Items, leastOutletItems, report)
	if c.Keep && (c.Age != 0 || c.Items != 0) {
		report("keep", "keep: true keeps everything; leave age and items out, or keep")
	}
}

// Retention is what is to be reduced: general, but for the outlets that have a
// rule of their own.
func (c *Config) Retention(general RetentionConfig) store.Retention {
	r := store.Retention{RetentionRule: store.RetentionRule{Age: time.Duration(general.Age), Items: general.Items}, Outlets: map[string]store.RetentionRule{}}
	for i := range c.Outlets {
		if own := c.Outlets[i].Retention; own != (OutletRetention{}) {
			r.Outlets[c.Outlets[i].ID] = store.RetentionRule{Age: time.Duration(own.Age), Items: own.Items}
		}
	}
	return r
}
