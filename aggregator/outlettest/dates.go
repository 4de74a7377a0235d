package outlettest

import (
	"fmt"
	"time"
)

// dateForm writes a time the way one outlet does, in Vietnamese civil time.
type dateForm func(time.Time) string

func layout(l string) dateForm {
	return func(t time.Time) string { return t.In(vietnam).Format(l) }
}

// The forms that Vietnamese outlets are known to use. Those without a zone
// mean +07:00; those without seconds lose them.
var (
	dateRFC822  = layout("Mon, 02 Jan 2006 15:04:05 -0700")
	dateRFC3339 = layout(time.RFC3339)
	dateGMT7    = layout("Mon, 02 Jan 2006 15:04:05 GMT+7")
	dateBare    = layout("2006-01-02 15:04:05")
	dateSlash   = layout("02/01/2006 15:04")
	dateStory   = layout("15:04 02/01/2006") // on article pages
)

// datePortal writes "05.11.2024 | 14:15 PM": a 24-hour clock with AM or PM.
func datePortal(t time.Time) string { return t.In(vietnam).Format("02.01.2006 | 15:04 PM") }

// dateWeekday writes "Thứ Ba, 05/11/2024 - 14:15".
func dateWeekday(t time.Time) string {
	t = t.In(vietnam)
	return capital(weekdays[t.Weekday()]) + t.Format(", 02/01/2006 - 15:04")
}

// dateSACH writes "5/11/2024 2:15:00 CH", as ASP.NET does in Vietnamese:
// sáng before noon, chiều after.
func dateSACH(t time.Time) string {
	t = t.In(vietnam)
	half := "SA"
	if t.Hour() >= 12 {
		half = "CH"
	}
	return fmt.Sprintf("%d/%d/%d %d:%s %s", t.Day(), t.Month(), t.Year(), (t.Hour()+11)%12+1, t.Format("04:05"), half)
}
