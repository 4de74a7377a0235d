package vi

import (
	"errors"
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// ErrDate is what every error of [ParseDate] wraps.
var ErrDate = errors.New("unreadable date")

// DateOptions says how a date that does not tell everything is completed.
type DateOptions struct {
	// Zone is where a date without a zone was written; nil means +07:00.
	Zone *time.Location
	// Now is what "3 giờ trước" and dates without a year count from, and two
	// years before the latest plausible date. If it is zero, relative dates
	// are errors and the future has no bound.
	Now time.Time
}

// Limits of a date.
const (
	// maxDateBytes is the longest text in which a date is looked for. The
	// longest real form, with weekday, words and zone, has about 100 bytes.
	maxDateBytes = 256
	// minYear is the first plausible year: before the web there was no feed.
	minYear = 1990
	// maxAheadYears is how far an announced date may lie in the future.
	maxAheadYears = 2
	// vietnamOffset is the zone of Việt Nam in seconds, without summer time.
	vietnamOffset = 7 * 60 * 60
)

// ParseDate reads a date as feeds and pages of Vietnamese outlets write it.
//
// It knows the forms of RFC 822, RFC 3339, JavaScript, ASP.NET and Unix time,
// and the Vietnamese ones, "Thứ ba, 05/11/2024, 14:15 (GMT+7)", "14h15 ngày
// 5 tháng 11 năm 2024", "05/11/2024 2:15:00 CH", "3 giờ trước", in any order
// and with other words around them. A weekday is never believed. The day stands
// before the month unless only the other order makes a date; "GMT+7" and ICT
// are +07:00; without a zone, or with one of unknown name, it is opt.Zone,
// without a time midnight. A meridiem after a 24-hour time is ignored ("14:15
// PM").
//
// The result is in the zone written, else opt.Zone. An error wraps [ErrDate],
// quotes raw and says why: no date in it, no such day, or a date before 1990 or
// more than two years after opt.Now, which is a fault of the sender's clock or
// a default such as year 1.
func ParseDate(raw string, opt DateOptions) (time.Time, error) {
	if opt.Zone == nil {
		opt.Zone = time.FixedZone("", vietnamOffset)
	}
	t, why := readDate(raw, opt)
	if why == "" {
		why = implausible(t, opt.Now)
	}
	if why != "" {
		if len(raw) > maxDateBytes {
			raw = raw[:maxDateBytes]
		}
		return time.Time{}, fmt.Errorf("%w %q: %s", ErrDate, raw, why)
	}
	return t, nil
}

// implausible says why t is no date of a news item, "" if it may be one.
func implausible(t, now time.Time) string {
	switch {
	case t.UTC().Year() < minYear:
		return fmt.Sprintf("before %d", minYear)
	case !now.IsZero() && t.After(now.AddDate(maxAheadYears, 0, 0)):
		return fmt.Sprintf("more than %d years ahead", maxAheadYears)
	}
	return ""
}

// readDate reads raw without judging the result; why is "" if it could.
func readDate(raw string, opt DateOptions) (t time.Time, why string) {
	s := raw
	if len(s) > 4*maxDateBytes {
		return t, "too long to be a date"
	}
	for range 2 { // pages escape &nbsp; once, feeds of escaped pages twice
		if strings.Contains(s, "&") {
			s = html.UnescapeString(s)
		}
	}
	s = Line(s)
	switch {
	case s == "":
		return t, "empty"
	case len(s) > maxDateBytes:
		return t, "too long to be a date"
	}
	if digits, frac, ok := bareNumber(s); ok {
		return readDigits(digits, frac, opt.Zone)
	}
	r := dateReader{toks: lexDate(s), opt: opt}
	r.scan()
	return r.result()
}

// bareNumber tells whether s is a number alone: digits, perhaps a fraction,
// perhaps as ASP.NET's "/Date(1730790900000+0700)/", whose offset says nothing
// about the moment.
func bareNumber(s string) (digits, frac string, ok bool) {
	s = strings.Trim(s, `\/`)
	if inner, is := strings.CutPrefix(s, "Date("); is {
		s, is = strings.CutSuffix(inner, ")")
		if !is {
			return "", "", false
		}
		if i := strings.LastIndexAny(s, "+-"); i > 0 {
			s = s[:i]
		}
	}
	digits, frac, _ = strings.Cut(s, ".")
	return digits, frac, allDigits(digits) && digits != "" && allDigits(frac)
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// readDigits reads a date that is digits alone: Unix time in seconds,
// milliseconds, microseconds or nanoseconds, or yyyyMMdd with or without
// HHmm, HHmmss and milliseconds; the number of digits tells which.
func readDigits(s, frac string, zone *time.Location) (t time.Time, why string) {
	if frac != "" && len(s) != 9 && len(s) != 10 {
		return t, "no date in it"
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return t, "no date in it"
	}
	switch len(s) {
	case 9, 10:
		return time.Unix(n, int64(fraction(frac))).In(zone), ""
	case 13:
		return time.UnixMilli(n).In(zone), ""
	case 16:
		return time.UnixMicro(n).In(zone), ""
	case 19:
		return time.Unix(0, n).In(zone), ""
	case 8, 12, 14, 17:
		c := civil{}
		c.setCompactDate(s[:8])
		if len(s) > 8 {
			c.setCompactClock(s[8:min(len(s), 14)])
		}
		if len(s) == 17 {
			c.nsec = fraction(s[14:])
		}
		return c.time(zone)
	}
	return t, "no date in it"
}

// fraction returns the decimals s of a second in nanoseconds.
func fraction(s string) int {
	const digits = 9
	n := 0
	for i := range digits {
		n *= 10
		if i < len(s) {
			n += int(s[i] - '0')
		}
	}
	return n
}

// civil is a date and time of day as written, in some zone.
type civil struct {
	year, month, day     int
	hour, min, sec, nsec int
}

// setCompactDate sets the date from yyyyMMdd.
func (c *civil) setCompactDate(s string) {
	c.year, c.month, c.day = atoi(s[:4]), atoi(s[4:6]), atoi(s[6:8])
}

// setCompactClock sets the time from HHmm or HHmmss.
func (c *civil) setCompactClock(s string) {
	c.hour, c.min = atoi(s[:2]), atoi(s[2:4])
	if len(s) == 6 {
		c.sec = atoi(s[4:6])
	}
}

// time returns c as a time in zone, or says why there is none. 24:00 is the
// end of the day, second 60 a leap second.
func (c civil) time(zone *time.Location) (t time.Time, why string) {
	switch {
	case c.month < 1 || c.month > 12:
		return t, fmt.Sprintf("no month %d", c.month)
	case c.day < 1 || c.day > daysIn(c.year, c.month):
		return t, fmt.Sprintf("no day %d in month %d of %d", c.day, c.month, c.year)
	case c.hour > 24 || c.hour == 24 && c.min+c.sec > 0 || c.min > 59 || c.sec > 60:
		return t, fmt.Sprintf("no time %d:%02d:%02d", c.hour, c.min, c.sec)
	}
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.min, c.sec, c.nsec, zone), ""
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// atoi returns the value of s, which is at most nine digits.
func atoi(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
