package vi

import "time"

// dateReader finds the parts of a date among tokens, wherever they stand; the
// first of each kind counts.
type dateReader struct {
	toks []dateToken
	opt  DateOptions

	civil
	hasDate  bool // day and month; year may be 0, for unknown
	dateEnd  int  // the token after the date, 0 if there is none
	hasClock bool
	zone     *time.Location // nil if not written
	zoneWhy  string         // why the zone written is none

	weakDay, weakMonth int // "5/11" without a year: a date only beside a clock

	ago     *span // "3 giờ trước"
	dayWord *int  // "hôm qua": days from today
}

// span is a time back from now.
type span struct {
	years, months, days int
	clock               time.Duration
}

// at returns the token at i, a zero one outside of the text.
func (r *dateReader) at(i int) dateToken {
	if i < 0 || i >= len(r.toks) {
		return dateToken{val: -1}
	}
	return r.toks[i]
}

// scan reads all tokens. Each reading function returns how many tokens it took.
func (r *dateReader) scan() {
	for i := 0; i < len(r.toks); {
		n := r.readAgo(i)
		if n == 0 {
			n = r.readClock(i)
		}
		if n == 0 {
			n = r.readDate(i)
		}
		if n == 0 {
			n = r.readZoneName(i)
		}
		if n == 0 {
			n = r.readDayWord(i)
		}
		i += max(n, 1)
	}
}

// result puts the parts together, or says why they are no date.
func (r *dateReader) result() (t time.Time, why string) {
	zone := r.zone
	if zone == nil {
		zone = r.opt.Zone
	}
	if r.zoneWhy != "" {
		return t, r.zoneWhy
	}
	if !r.hasDate && r.weakDay > 0 && r.hasClock {
		r.day, r.month, r.hasDate = r.weakDay, r.weakMonth, true
	}
	if r.hasDate && r.year > 0 {
		return r.time(zone)
	}
	now := r.opt.Now
	if now.IsZero() && (r.hasDate || r.ago != nil || r.dayWord != nil) {
		return t, "counts from now, which is not known"
	}
	now = now.In(zone)
	switch {
	case r.hasDate:
		return r.lastSuchDay(now, zone)
	case r.dayWord != nil:
		d := now.AddDate(0, 0, *r.dayWord)
		r.year, r.month, r.day = d.Year(), int(d.Month()), d.Day()
		return r.time(zone)
	case r.ago != nil:
		a := r.ago
		return now.AddDate(-a.years, -a.months, -a.days).Add(-a.clock), ""
	}
	return t, "no date in it"
}

// lastSuchDay completes a day and month without a year: the latest that is not
// more than a day after now, which allows for a wrong clock.
func (r *dateReader) lastSuchDay(now time.Time, zone *time.Location) (t time.Time, why string) {
	const leapCycle = 8 // years from one 29 February to the next around a century
	for y := now.Year() + 1; y > now.Year()-leapCycle; y-- {
		r.year = y
		t, why = r.time(zone)
		if why == "" && !t.After(now.AddDate(0, 0, 1)) {
			return t, ""
		}
	}
	return t, why
}

// readAgo reads "3 giờ trước", "1 giờ 15 phút trước", "cách đây 2 ngày", "an
// hour ago" and "vừa xong".
func (r *dateReader) readAgo(i int) int {
	if a, b := r.at(i).fold, r.at(i+1).fold; a == "vua" && (b == "xong" || b == "moi" || b == "dang") || a == "just" && b == "now" {
		r.setAgo(span{})
		return 2
	}
	since := r.at(i).fold == "cach" && r.at(i+1).fold == "day"
	j := i
	if since {
		j += 2
	}
	var s span
	parts := 0
	for ; parts < 3 && s.add(r.amount(j), r.at(j+1)); parts++ {
		j += 2
	}
	if parts == 0 {
		return 0
	}
	if word := r.at(j).fold; word == "truoc" || word == "ago" {
		j++
	} else if !since {
		return 0
	}
	r.setAgo(s)
	return j - i
}

func (r *dateReader) setAgo(s span) {
	if r.ago == nil {
		r.ago = &s
	}
}

// amount returns the number at i, in digits or as a word, or -1.
func (r *dateReader) amount(i int) int {
	t := r.at(i)
	if t.isNumber(1, 5) {
		return t.val
	}
	if n := numeral(t.fold); n > 0 && t.kind == 'a' {
		return n
	}
	return -1
}

// add adds n of the unit to s and tells whether it is one.
func (s *span) add(n int, unit dateToken) bool {
	if n < 0 {
		return false
	}
	if unit.kind == '\'' {
		s.clock += time.Duration(n) * time.Minute
		return true
	}
	switch unit.fold {
	case "giay", "s", "sec", "secs", "second", "seconds":
		s.clock += time.Duration(n) * time.Second
	case "phut", "p", "ph", "m", "min", "mins", "minute", "minutes":
		s.clock += time.Duration(n) * time.Minute
	case "gio", "tieng", "h", "g", "hour", "hours":
		s.clock += time.Duration(n) * time.Hour
	case "ngay", "d", "day", "days":
		s.days += n
	case "tuan", "w", "week", "weeks":
		s.days += 7 * n
	case "thang", "month", "months":
		s.months += n
	case "nam", "year", "years":
		s.years += n
	default:
		return false
	}
	return true
}

// readDayWord reads "hôm nay", "hôm qua", "sáng nay" and the like.
func (r *dateReader) readDayWord(i int) int {
	n := 2
	var days int
	switch a, b := r.at(i).fold, r.at(i+1).fold; {
	case a == "today":
		n = 1
	case a == "yesterday":
		n, days = 1, -1
	case a == "hom" && b == "nay", b == "nay" && isPartOfDay(a):
	case a == "hom" && b == "qua", b == "qua" && isPartOfDay(a):
		days = -1
	case a == "hom" && b == "kia":
		days = -2
	default:
		return 0
	}
	if r.dayWord == nil {
		r.dayWord = &days
	}
	return n
}

// readZoneName reads a zone by the names that mean nothing else wherever they
// stand: "14:15 05/11/2024 (GMT+7)".
func (r *dateReader) readZoneName(i int) int {
	switch r.at(i).text {
	case "gmt", "utc", "ict":
		return r.readZone(i)
	}
	return 0
}

// readZone reads a zone at i, which stands after a clock: a name, an offset,
// or a name and an offset. "GMT+7" means seven hours ahead of GMT.
func (r *dateReader) readZone(i int) int {
	n := 0
	seconds, named := 0, false
	if t := r.at(i); t.kind == 'a' {
		if seconds, named = namedZone(t.text); !named {
			return 0
		}
		n = 1
	}
	if offset, k := r.offset(i+n, named); k > 0 {
		seconds = offset
		n += k
	}
	if n > 0 && r.zone == nil {
		r.zone = time.FixedZone("", seconds)
	}
	return n
}

// maxOffset is the largest offset in use, that of Kiribati, in seconds.
const maxOffset = 14 * 60 * 60

// offset reads a sign with hours and perhaps minutes at i and returns it in
// seconds. A minus may also separate a time from a date: "14:15 - 05/11/2024".
func (r *dateReader) offset(i int, named bool) (seconds, n int) {
	sign, h := r.at(i), r.at(i+1)
	if sign.kind != '+' && sign.kind != '-' || !h.isNumber(1, 4) || sign.kind == '-' && r.dateFollows(i+1) {
		return 0, 0
	}
	minutes := 0
	n = 2
	hours := h.val
	switch m := r.at(i + 3); {
	case len(h.text) > 2:
		hours, minutes = h.val/100, h.val%100
	case r.at(i+2).kind == ':' && m.isNumber(2, 2):
		minutes = m.val
		n = 4
	case sign.kind == '-' && !named && !(sign.glued && h.glued):
		return 0, 0 // a dash before a number
	}
	if sign.kind == '-' && !h.glued {
		return 0, 0
	}
	seconds = (hours*60 + minutes) * 60
	if seconds > maxOffset || minutes > 59 {
		if sign.kind == '-' {
			return 0, 0 // a year after a dash
		}
		r.zoneWhy = "no zone +" + h.text
		return 0, n
	}
	if sign.kind == '-' {
		seconds = -seconds
	}
	return seconds, n
}
