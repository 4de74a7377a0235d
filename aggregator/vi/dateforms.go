package vi

// readDate reads a calendar date at i in one of its forms.
func (r *dateReader) readDate(i int) int {
	if n := r.weekdayNumber(i); n > 0 {
		return n
	}
	c, n := r.numericDate(i)
	if n == 0 {
		c, n = r.namedMonthDate(i)
	}
	if n == 0 {
		return r.readLoose(i)
	}
	if !r.hasDate {
		r.hasDate = true
		r.year, r.month, r.day = c.year, c.month, c.day
		r.dateEnd = i + n
	}
	return n + r.readCompactClock(i+n)
}

// weekdayNumber skips the number of "Thứ 3" and "T3", which is no day of the
// month. English "Thu 5 Nov" is a Thursday.
func (r *dateReader) weekdayNumber(i int) int {
	t, n := r.at(i), r.at(i+1)
	if t.kind != 'a' || !n.isNumber(1, 1) || n.val < 2 || n.val > 7 {
		return 0
	}
	after := r.at(i + 2)
	plain := after.kind == ',' || after.kind == '-' || after.kind == '|' || after.fold == "ngay" || after.isNumber(1, 4)
	switch {
	case t.text == "thu" && plain, t.text != "thu" && t.fold == "thu", t.text == "t" && n.glued && !r.hasDate:
		return 2
	}
	return 0
}

// numericDate reads 2024-11-05, 5/11/2024, 05.11.24 and their like, and
// yyyyMMdd. Day before month, unless only the other order is a date.
func (r *dateReader) numericDate(i int) (c civil, n int) {
	a := r.at(i)
	if a.isNumber(8, 8) {
		c.setCompactDate(a.text)
		if next := r.at(i + 1); c.year < minYear || c.month > 12 || next.kind == '0' && next.glued {
			return c, 0
		}
		return c, 1
	}
	sep, b, sep2, d := r.at(i+1), r.at(i+2), r.at(i+3), r.at(i+4)
	if !isDateSeparator(sep.kind) || sep2.kind != sep.kind || !b.isNumber(1, 2) {
		return c, 0
	}
	if next := r.at(i + 5); next.kind == ':' && r.at(i+6).kind == '0' && next.glued && d.isNumber(1, 2) && a.isNumber(1, 2) {
		return c, 0 // the last number is an hour
	}
	switch {
	case a.isNumber(4, 4) && d.isNumber(1, 2):
		return civil{year: a.val, month: b.val, day: d.val}, 5
	case a.isNumber(1, 2) && (d.isNumber(4, 4) || d.isNumber(2, 2) && !r.dateContinues(i+5)):
		c = civil{day: a.val, month: b.val, year: fullYear(d)}
		if c.month > 12 && c.day <= 12 {
			c.day, c.month = c.month, c.day
		}
		return c, 5
	}
	return c, 0
}

// dateContinues tells whether a separator and a number stand at i: then the
// number before was not the last of a date.
func (r *dateReader) dateContinues(i int) bool {
	return isDateSeparator(r.at(i).kind) && r.at(i).glued && r.at(i+1).kind == '0' && r.at(i+1).glued && r.at(i+2).kind != ':'
}

func isDateSeparator(kind byte) bool { return kind == '/' || kind == '-' || kind == '.' }

// fullYear completes a year of two digits as RFC 2822 and POSIX do.
func fullYear(t dateToken) int {
	switch {
	case len(t.text) > 2:
		return t.val
	case t.val < 69:
		return 2000 + t.val
	}
	return 1900 + t.val
}

// dateFollows tells whether a date begins at i, so that the number there is
// neither minutes nor an offset.
func (r *dateReader) dateFollows(i int) bool {
	if _, n := r.numericDate(i); n > 0 {
		return true
	}
	if _, n := r.namedMonthDate(i); n > 0 {
		return true
	}
	_, _, n := r.dayMonth(i)
	return n > 0
}

// dayMonth reads "5/11", a date without a year.
func (r *dateReader) dayMonth(i int) (day, month, n int) {
	a, sep, b := r.at(i), r.at(i+1), r.at(i+2)
	if !a.isNumber(1, 2) || sep.kind != '/' || !b.isNumber(1, 2) || r.at(i+3).kind == '/' ||
		a.val < 1 || a.val > 31 || b.val < 1 || b.val > 12 {
		return 0, 0, 0
	}
	return a.val, b.val, 3
}

// namedMonthDate reads dates whose month is a word: "5 Nov 2024", "Nov 5th,
// 2024", "5 tháng 11 năm 2024", "05 Th11, 2024", "Tháng Mười Một 5, 2024".
// Without a year at that place the year is 0.
func (r *dateReader) namedMonthDate(i int) (c civil, n int) {
	j := i
	if t := r.at(i); t.isNumber(1, 2) {
		j = r.skipFiller(i + 1)
		month, k := r.monthName(j)
		if k == 0 {
			return c, 0
		}
		c.day, c.month = t.val, month
		j += k
	} else {
		month, k := r.monthName(i)
		if k == 0 {
			return c, 0
		}
		j = r.skipFiller(i + k)
		day := r.at(j)
		if !day.isNumber(1, 2) || r.at(j+1).kind == ':' {
			return c, 0
		}
		c.day, c.month = day.val, month
		j++
	}
	end := j
	j = r.skipFiller(j)
	y := r.at(j)
	if next := r.at(j + 1).kind; y.isNumber(4, 4) || y.isNumber(2, 2) && !r.clockFollows(j) && next != 'a' && next != ':' {
		c.year = fullYear(y)
		return c, j + 1 - i
	}
	return c, end - i
}

// skipFiller skips what may stand between day, month and year.
func (r *dateReader) skipFiller(i int) int {
	for range 3 {
		switch t := r.at(i); {
		case t.kind == ',' || isDateSeparator(t.kind):
		case t.kind == 'a' && (t.text == "of" || t.fold == "nam" || t.fold == "ngay"):
		case t.kind == 'a' && t.glued && (t.text == "st" || t.text == "nd" || t.text == "rd" || t.text == "th") && !(r.at(i+1).kind == '0' && r.at(i+1).glued):
		default:
			return i
		}
		i++
	}
	return i
}

// monthName reads an English month name, "tháng 11", "thg 11", "Th11" or
// "tháng Mười Một" at i.
func (r *dateReader) monthName(i int) (month, n int) {
	t, next := r.at(i), r.at(i+1)
	if t.kind != 'a' {
		return 0, 0
	}
	if month = englishMonth(t.text); month > 0 {
		return month, 1
	}
	switch t.fold {
	case "th":
		if !next.glued {
			return 0, 0
		}
	case "thang", "thg":
	default:
		return 0, 0
	}
	if next.isNumber(1, 2) && next.val >= 1 && next.val <= 12 {
		return next.val, 2
	}
	month = numeral(next.fold)
	if month == 0 || next.fold == "vai" {
		return 0, 0
	}
	if month == 10 {
		switch r.at(i + 2).fold {
		case "mot":
			return 11, 3
		case "hai":
			return 12, 3
		}
	}
	return month, 2
}

// readLoose keeps what is a date only together with something else: "5/11"
// without a year, and a year apart from its day ("Nov 5 14:15:00 ICT 2024").
func (r *dateReader) readLoose(i int) int {
	if t := r.at(i); t.isNumber(4, 4) && t.val >= minYear && r.hasDate && r.year == 0 {
		r.year = t.val
		return 1
	}
	day, month, n := r.dayMonth(i)
	if n > 0 && r.weakDay == 0 {
		r.weakDay, r.weakMonth = day, month
		if r.at(i-1).fold == "ngay" && !r.hasDate {
			r.hasDate, r.day, r.month = true, day, month
		}
	}
	return n
}
