package aggregator

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"diemtin/aggregator/vi"
)

// joinDates writes the hyphen of "28-6" and "28-6-2017" as a slash, so that a
// date is one token. Spans ("9-11/6", "2016-2017") stay as they are.
func joinDates(s string) string {
	var b []byte
	for i := 1; i+1 < len(s); i++ {
		if s[i] != '-' || !asciiDigit(s[i-1]) || !asciiDigit(s[i+1]) {
			continue
		}
		day, dayAt := digitsBefore(s, i)
		month, monthEnd := digitsAfter(s, i+1)
		if day < 1 || day > 31 || month < 1 || month > 12 || dayAt > 0 && strings.IndexByte("-/.,:", s[dayAt-1]) >= 0 {
			continue
		}
		year, yearEnd := 0, monthEnd
		if monthEnd+1 < len(s) && strings.IndexByte("-/.", s[monthEnd]) >= 0 && asciiDigit(s[monthEnd+1]) {
			year, yearEnd = digitsAfter(s, monthEnd+1)
			if year < 1900 || year > 2100 {
				continue
			}
		}
		if b == nil {
			b = []byte(s)
		}
		b[i] = '/'
		if year > 0 {
			b[monthEnd] = '/'
		}
		i = yearEnd
	}
	if b == nil {
		return s
	}
	return string(b)
}

func asciiDigit(c byte) bool { return c >= '0' && c <= '9' }

// digitsBefore reads the number that ends before byte end of s: its value,
// and where it begins. Numbers of more than four digits are 0.
func digitsBefore(s string, end int) (value, start int) {
	start = end
	for start > 0 && asciiDigit(s[start-1]) {
		start--
	}
	return smallNumber(s[start:end]), start
}

// digitsAfter reads the number that begins at byte start of s: its value, and
// where it ends.
func digitsAfter(s string, start int) (value, end int) {
	end = start
	for end < len(s) && asciiDigit(s[end]) {
		end++
	}
	return smallNumber(s[start:end]), end
}

// smallNumber is the value of at most four digits, else 0.
func smallNumber(s string) int {
	if len(s) > 4 {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// unifyNumber returns a token that begins with a digit in one form: a date as
// "9/6" ("9.6", "09/06/2017"), thousands without points, no leading zeros.
func unifyNumber(t string) string {
	mark := strings.IndexFunc(t, func(r rune) bool { return r < '0' || r > '9' })
	if mark < 0 {
		return trimZeros(t)
	}
	switch t[mark] {
	case '/', '.', ',':
	default:
		return t // "14h15", "3d", "14:15"
	}
	parts := strings.FieldsFunc(t, func(r rune) bool { return r == '.' || r == ',' || r == '/' })
	if t[mark] == '.' && len(parts[1]) == 3 {
		return unifyThousands(t)
	}
	if t[mark] == ',' {
		return trimZeros(t)
	}
	for i, p := range parts {
		parts[i] = trimZeros(p)
	}
	if len(parts) == 3 && len(parts[2]) >= 2 && isDayAndMonth(parts[0], parts[1]) {
		parts = parts[:2] // the year says nothing within days
	}
	return strings.Join(parts, "/")
}

// unifyThousands takes the points out of "1.234.567,8".
func unifyThousands(t string) string {
	return trimZeros(strings.ReplaceAll(t, ".", ""))
}

func trimZeros(t string) string {
	for len(t) > 1 && t[0] == '0' && asciiDigit(t[1]) {
		t = t[1:]
	}
	return t
}

// isDayAndMonth tells whether two tokens can be a day and a month.
func isDayAndMonth(day, month string) bool {
	d, m := smallNumber(day), smallNumber(month)
	return d >= 1 && d <= 31 && m >= 1 && m <= 12
}

// isDate tells whether a unified token is a date of a day and a month.
func isDate(t string) bool {
	day, month, ok := strings.Cut(t, "/")
	return ok && isDayAndMonth(day, month)
}

// serialMarks stand before the number of an instalment: "Thông cáo số 12",
// "vòng 5", "kỳ 2", "thứ 7", "quý I".
var serialMarks = map[string]bool{
	"bài": true, "chương": true, "đề": true, "đợt": true, "khóa": true,
	"kỳ": true, "kì": true, "lần": true, "ngày": true, "phần": true,
	"quý": true, "số": true, "tập": true, "tháng": true, "thứ": true,
	"trang": true, "tuần": true, "vòng": true,
}

// countWords are the numbers written as words after a serial mark, and the
// Roman ones.
var countWords = map[string]string{
	"nhất": "1", "một": "1", "hai": "2", "nhì": "2", "ba": "3", "bốn": "4",
	"tư": "4", "năm": "5", "sáu": "6", "bảy": "7", "tám": "8", "chín": "9",
	"mười": "10", "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5",
	"vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10",
}

// A serial is what in a title tells one instalment of a series from another.
type serial struct {
	dates []string          // "9/6"
	marks map[string]string // number after each serial mark
	words []string          // the title's folded words
	bare  []string          // those that are no numbers
}

// readSerial reads what numbers an instalment from a title.
func readSerial(title string) serial {
	s := serial{words: foldedWords(title)}
	for _, t := range s.words {
		switch {
		case !asciiDigit(t[0]):
			s.bare = append(s.bare, t)
		case isDate(t):
			s.dates = append(s.dates, t)
		}
	}
	syllables := vi.Syllables(joinDates(title))
	for i := 0; i+1 < len(syllables); i++ {
		if !serialMarks[syllables[i]] {
			continue
		}
		value := countWords[syllables[i+1]]
		if asciiDigit(syllables[i+1][0]) {
			value = unifyNumber(syllables[i+1])
		}
		if value == "" {
			continue
		}
		if s.marks == nil {
			s.marks = make(map[string]string)
		}
		s.marks[syllables[i]] = value
	}
	return s
}

// differs says how two titles are two instalments of a series; empty if they
// need not be.
func (s serial) differs(t serial) string {
	if len(s.dates) > 0 && len(t.dates) > 0 && !slices.ContainsFunc(s.dates, func(d string) bool { return slices.Contains(t.dates, d) }) {
		return "titles name different dates: " + s.dates[0] + " and " + t.dates[0]
	}
	for _, mark := range slices.Sorted(maps.Keys(s.marks)) {
		value := s.marks[mark]
		if other, ok := t.marks[mark]; ok && other != value {
			return "titles number different instalments: " + mark + " " + value + " and " + other
		}
	}
	if slices.Equal(s.bare, t.bare) && !slices.Equal(s.words, t.words) {
		return "titles differ in a number alone"
	}
	return ""
}

// A series is a serial in hashes, as a form holds it.
type series struct {
	dates       []uint32
	marks       []uint32 // mark and value in turn
	words, bare uint32
}

func (s serial) hashed() series {
	short := func(t string) uint32 { return uint32(hashString(t)>>32) | 1 }
	h := series{words: short(strings.Join(s.words, " ")), bare: short(strings.Join(s.bare, " "))}
	for _, d := range s.dates {
		h.dates = append(h.dates, short(d))
	}
	for _, mark := range slices.Sorted(maps.Keys(s.marks)) {
		h.marks = append(h.marks, short(mark), short(s.marks[mark]))
	}
	return h
}

// differs tells whether two titles are two instalments of a series.
func (s series) differs(t series) bool {
	if len(s.dates) > 0 && len(t.dates) > 0 && !slices.ContainsFunc(s.dates, func(d uint32) bool { return slices.Contains(t.dates, d) }) {
		return true
	}
	for i := 0; i+1 < len(s.marks); i += 2 {
		for k := 0; k+1 < len(t.marks); k += 2 {
			if s.marks[i] == t.marks[k] && s.marks[i+1] != t.marks[k+1] {
				return true
			}
		}
	}
	return s.bare == t.bare && s.words != t.words
}
