package store

import (
	"time"
)

// Zone is the civil time of Việt Nam: +07:00 all year, since 1975.
var Zone = time.FixedZone("+07", 7*60*60)

// Day is a civil date in Việt Nam, written 2024-11-05.
type Day string

// DayOf returns the day on which t falls in Việt Nam.
func DayOf(t time.Time) Day { return Day(t.In(Zone).Format(time.DateOnly)) }

// Start is the day's midnight in Việt Nam; the zero time for an invalid day.
func (d Day) Start() time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), Zone)
	return t
}

// Next is the day after d.
func (d Day) Next() Day { return DayOf(d.Start().AddDate(0, 0, 1)) }

// Prev is the day before d.
func (d Day) Prev() Day { return DayOf(d.Start().AddDate(0, 0, -1)) }
