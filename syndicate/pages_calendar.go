package syndicate

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

// month is the calendar of one month of a channel.
type month struct {
	Name  string // "Tháng 11/2024"
	Head  []weekdayHead
	Weeks [][]cell
	Prev  *link // the nearest month before with news; nil if there is none
	Next  *link
}

// weekdayHead is the head of a column of the calendar.
type weekdayHead struct{ Name, Short string }

// cell is one day of the calendar; Number 0 is a gap.
type cell struct {
	Number int
	Day    store.Day
	Href   string // empty if nothing was published then
	Name   string // "Tin ngày 05/11/2024"
	Count  string // stories on that day; empty if unknown
	Level  int    // how many beside the month's fullest day: 1 to 4
	Here   bool   // it is the day of the page
}

// monthName names the month of a day in addresses: "2024-11".
func monthName(d store.Day) string { return string(d[:len("2006-01")]) }

// monthOf reads "2024-11" as the first of that month, and nothing as the month
// of the newest story: the zero time if there is none.
func (s *Server) monthOf(ctx context.Context, asked string) (time.Time, error) {
	if asked != "" {
		t, err := time.ParseInLocation("2006-01", asked, store.Zone)
		if err != nil || store.DayOf(t.AddDate(0, 1, 0)) <= firstDay || store.DayOf(t) > store.DayOf(s.now()) {
			return time.Time{}, store.ErrNotFound
		}
		return t, nil
	}
	newest, err := s.store.Stories(ctx, store.Query{Order: store.ByPublished, Limit: 1})
	if err != nil {
		return time.Time{}, fmt.Errorf("newest story: %w", err)
	}
	if len(newest) == 0 {
		return time.Time{}, nil
	}
	return firstOf(store.DayOf(newest[0].Shown)), nil
}

// firstOf is the first of the month of a day.
func firstOf(d store.Day) time.Time {
	t := d.Start()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, store.Zone)
}

// calendar lays out a month of a channel; query belongs to the addresses of its
// days, and here is the day of the page, if it is that of one. A channel whose
// days cannot be counted has none.
func (s *Server) calendar(ctx context.Context, ch *Channel, first time.Time, here store.Day, query string) (*month, error) {
	start, end := store.DayOf(first), store.DayOf(first.AddDate(0, 1, 0))
	counts, ok, err := s.monthCounts(ctx, ch, start, end.Prev())
	if err != nil || !ok {
		return nil, err
	}
	before, _, err := s.store.Neighbours(ctx, ch.Selection, start)
	if err != nil {
		return nil, fmt.Errorf("days before %s: %w", start, err)
	}
	_, after, err := s.store.Neighbours(ctx, ch.Selection, end.Prev())
	if err != nil {
		return nil, fmt.Errorf("days after %s: %w", end.Prev(), err)
	}
	m := &month{Name: first.Format(s.lang.month), Weeks: s.weeks(ch, first, counts, here, query)}
	m.Prev, m.Next = s.monthLink(ch, "days.prev", before, query), s.monthLink(ch, "days.next", after, query)
	for i := range weekdays {
		day := weekdays[(i+1)%len(weekdays)]
		m.Head = append(m.Head, weekdayHead{s.words[day], s.words[day+".short"]})
	}
	return m, nil
}

// monthLink leads to another month: of everything to its calendar, of a channel
// to the nearest of its days that has news. Nil if there is none.
func (s *Server) monthLink(ch *Channel, text string, d store.Day, query string) *link {
	if d == "" {
		return nil
	}
	l := &link{Text: s.words[text], Href: "/days/?month=" + monthName(d)}
	if ch.Kind != "all" {
		l.Href = withQuery(ch.onDay(d).Path, query)
	}
	return l
}

// withQuery adds a query, if there is one.
func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// join puts parts of a query together.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "&")
}

// newest is the last day of the month that has news; empty if none has.
func (m *month) newest() store.Day {
	for _, week := range slices.Backward(m.Weeks) {
		for _, c := range slices.Backward(week) {
			if c.Href != "" {
				return c.Day
			}
		}
	}
	return ""
}

// weeks lays out a month in weeks from Monday to Sunday.
func (s *Server) weeks(ch *Channel, first time.Time, counts map[store.Day]int, here store.Day, query string) [][]cell {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	cells := make([]cell, (int(first.Weekday())+6)%7)
	for t := first; t.Month() == first.Month(); t = t.AddDate(0, 0, 1) {
		c := cell{Number: t.Day(), Day: store.DayOf(t)}
		if n := counts[c.Day]; n > 0 {
			c.Href = withQuery(ch.onDay(c.Day).Path, query)
			c.Name = fmt.Sprintf(s.words["day.title"], s.lang.date(c.Day))
			c.Count, c.Level = s.lang.number(n), 1+3*n/most
		}
		c.Here = c.Day == here
		cells = append(cells, c)
	}
	for len(cells)%7 != 0 {
		cells = append(cells, cell{})
	}
	return slices.Collect(slices.Chunk(cells, 7))
}

// strip lists the newest days up to day that have stories, at most n, in the
// order of the calendar.
func (s *Server) strip(ctx context.Context, day store.Day, n int) ([]cell, error) {
	all, _ := s.cfg.channel("", "")
	first := store.DayOf(day.Start().AddDate(0, 0, 1-n))
	counts, _, err := s.monthCounts(ctx, &all, first, day)
	if err == nil && len(counts) < n { // there are days without news: it looks further back
		first = store.DayOf(day.Start().AddDate(0, 0, -stripSpan))
		counts, _, err = s.monthCounts(ctx, &all, first, day)
	}
	if err != nil {
		return nil, err
	}
	var cells []cell
	for d := day; d >= first && len(cells) < n; d = d.Prev() {
		if counts[d] > 0 {
			cells = append(cells, cell{Day: d, Href: dayPath(d), Name: s.words[weekdays[d.Start().Weekday()]],
				Count: s.lang.number(counts[d]), Here: d == day})
		}
	}
	slices.Reverse(cells)
	return cells, nil
}

// stripSpan is how far back the strip of days looks, in days.
const stripSpan = 30

// view is how a day's stories are laid out: the query that says so.
func view(q url.Values) string {
	if q.Get("by") == "time" {
		return "by=time"
	}
	return ""
}
