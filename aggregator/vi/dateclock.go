package vi

// readClock reads a time of day at i with its meridiem and zone: 14:15,
// 14:15:30.5, 2:15 PM, 14h15, 14 giờ 15 phút, 2 giờ chiều, 14.15 beside a date.
func (r *dateReader) readClock(i int) int {
	c, n := r.clock(i)
	if n == 0 {
		c, n = r.dottedClock(i)
	}
	if n == 0 {
		return 0
	}
	if r.hasClock {
		return n
	}
	r.hasClock = true
	half, k := r.meridiem(i + n)
	if k == 0 && isPartOfDay(r.at(i-1).fold) {
		half = r.at(i - 1).fold
	}
	n += k
	r.hour, r.min, r.sec, r.nsec = hour24(c.hour, half), c.min, c.sec, c.nsec
	j := i + n
	if k := r.at(j).kind; k == '(' || k == '[' {
		j++
	}
	if k := r.readZone(j); k > 0 {
		n = j + k - i
	}
	return n
}

// clockFollows tells whether a time of day begins at i.
func (r *dateReader) clockFollows(i int) bool {
	_, n := r.clock(i)
	return n > 0
}

// clock reads the figures of a time of day.
func (r *dateReader) clock(i int) (c civil, n int) {
	h, unit := r.at(i), r.at(i+1)
	if !h.isNumber(1, 2) {
		return c, 0
	}
	c.hour = h.val
	switch {
	case unit.kind == ':':
		return r.colonClock(i, c)
	case unit.kind != 'a':
		return c, 0
	case unit.fold == "h" || unit.fold == "g" || unit.fold == "gio":
		return r.wordClock(i, c)
	case unit.text == "am" || unit.text == "pm":
		return c, 1 // the meridiem is read by the caller
	}
	return c, 0
}

// colonClock reads minutes, seconds and fraction after the hour at i.
func (r *dateReader) colonClock(i int, c civil) (civil, int) {
	m := r.at(i + 2)
	if !m.isNumber(2, 2) {
		return c, 0
	}
	c.min = m.val
	s := r.at(i + 4)
	if r.at(i+3).kind != ':' || !s.isNumber(1, 2) {
		return c, 3
	}
	c.sec = s.val
	frac := r.at(i + 6)
	if point := r.at(i + 5).kind; point != '.' && point != ',' || frac.kind != '0' || !frac.glued || r.dateFollows(i+6) {
		return c, 5
	}
	c.nsec = fraction(frac.text)
	return c, 7
}

// dottedClock reads 14.15 or 14.15.30 at i: a time of day where it stands right
// after a date or right before one, anything else elsewhere. Of two dates in
// dots, "05.11 - 06.11.2024", neither is a time.
func (r *dateReader) dottedClock(i int) (c civil, n int) {
	h, m, s := r.at(i), r.at(i+2), r.at(i+4)
	if !h.isNumber(1, 2) || r.at(i+1).kind != '.' || !m.isNumber(2, 2) || !m.glued || h.val > 24 || m.val > 59 {
		return c, 0
	}
	c.hour, c.min, n = h.val, m.val, 3
	if r.at(i+3).kind == '.' && s.kind == '0' && s.glued {
		if !s.isNumber(2, 2) || s.val > 59 {
			return c, 0
		}
		c.sec, n = s.val, 5
	}
	if next := r.at(i + n); next.glued && (next.kind == '*' || next.kind == '0' || isDateSeparator(next.kind) && r.at(i+n+1).glued) {
		return c, 0 // 3.50%, 1.10-2
	}
	maybeDate := m.val >= 1 && m.val <= 12
	if r.dateEnd > 0 && r.skipSigns(r.dateEnd) == i {
		if year := r.at(r.dateEnd - 1); maybeDate && n == 5 && len(year.text) == 2 {
			return c, 0
		}
		return c, n
	}
	at := r.skipSigns(i + n)
	if !r.dateFollows(at) || maybeDate && r.at(at+1).kind == '.' {
		return c, 0
	}
	return c, n
}

// skipSigns skips what may stand between a date and a time in dots.
func (r *dateReader) skipSigns(i int) int {
	for ; i < len(r.toks); i++ {
		switch t := r.at(i); {
		case t.kind == ',', t.kind == '-', t.kind == '|', t.kind == '*', t.kind == '(':
		case t.fold == "luc", t.fold == "vao", t.fold == "hoi", t.fold == "ngay", t.text == "at":
		default:
			return i
		}
	}
	return i
}

// wordClock reads what follows the hour at i and its "h", "g" or "giờ".
func (r *dateReader) wordClock(i int, c civil) (civil, int) {
	m := r.at(i + 2)
	if !m.isNumber(1, 2) || m.val > 59 || !m.glued && r.dateFollows(i+2) {
		return c, 2
	}
	c.min = m.val
	n := 3
	if t := r.at(i + n); t.kind == '\'' || t.fold == "phut" || t.fold == "ph" || t.fold == "p" || t.fold == "m" {
		n++
	}
	s := r.at(i + n)
	if unit := r.at(i + n + 1).fold; s.isNumber(1, 2) && (unit == "giay" || unit == "s") {
		c.sec = s.val
		n += 2
	}
	return c, n
}

// readCompactClock reads what glues a time to a date: the T of RFC 3339, T and
// HHmmss, or the colon of web server logs (05/Nov/2024:14:15:00).
func (r *dateReader) readCompactClock(i int) int {
	t, figures := r.at(i), r.at(i+1)
	if t.kind == ':' && t.glued && r.clockFollows(i+1) {
		return 1
	}
	if t.text != "t" || figures.kind != '0' {
		return 0
	}
	if r.hasClock || len(figures.text) != 4 && len(figures.text) != 6 {
		return 1
	}
	r.hasClock = true
	r.setCompactClock(figures.text)
	return 2 + r.readZone(i+2)
}

// meridiem reads AM, PM, SA, CH, S.A, sáng, chiều and the like at i.
func (r *dateReader) meridiem(i int) (half string, n int) {
	if r.at(i).kind == '\'' {
		i++
		n++
	}
	t := r.at(i)
	switch t.text {
	case "am", "pm", "sa", "ch":
		return t.text, n + 1
	case "a", "p", "s", "c":
		if b := r.at(i + 2); r.at(i+1).kind == '.' && (b.text == "m" || b.text == "a" || b.text == "h") {
			n += 3
			if r.at(i+3).kind == '.' {
				n++
			}
			return t.text + b.text, n
		}
	}
	if t.kind == 'a' && isPartOfDay(t.fold) {
		return t.fold, n + 1
	}
	return "", n
}

// isPartOfDay tells whether the folded word is sáng, trưa, chiều, tối or đêm.
func isPartOfDay(fold string) bool {
	switch fold {
	case "sang", "trua", "chieu", "toi", "dem":
		return true
	}
	return false
}

// hour24 returns the hour of the day of an hour in the half of the day named.
// After 12 the clock has 24 hours and the half says nothing.
func hour24(h int, half string) int {
	if h > 12 {
		return h
	}
	late := false
	switch half {
	case "pm", "ch", "chieu", "toi":
		late = true
	case "trua": // from 10 to 2
		late = h < 10 || h == 12
	case "dem": // from 9 in the evening to 3 in the morning
		late = h >= 6 && h < 12
	case "am", "sa", "sang":
	default:
		return h
	}
	switch {
	case late:
		return h%12 + 12
	case h == 12:
		return 0
	}
	return h
}
