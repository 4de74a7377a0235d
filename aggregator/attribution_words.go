package aggregator

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"diemtin/aggregator/vi"
)

// notOutlets begin what follows "theo" in running text: persons, laws,
// offices, plans. Folded; a name that begins with one of them is no outlet's.
var notOutlets = []string{
	"anh", "ba", "ban", "bac si", "bo", "bs", "cac", "cach", "chi", "chi thi", "chinh phu", "chu tich", "chuong trinh",
	"co", "co quan", "cong an", "cong van", "cuc", "dai dien", "dai su", "dai ta", "de an", "de nghi", "dieu", "do",
	"doan", "du bao", "du kien", "du thao", "gs", "hdnd", "hien phap", "hiep dinh", "hiep hoi", "hoi dong", "hop dong", "ho so",
	"ke hoach", "ket luan", "ket qua", "khao sat", "kinh nghiem", "lich", "lo trinh", "loi", "luat",
	"luat su", "lenh", "mau", "mot", "nghi dinh", "nghi quyet", "nguoi", "nguon tin", "nhan dinh", "nhu",
	"nhung", "ong", "pgs", "phan", "pho", "phap luat hien hanh", "phuong an", "quy che", "quy chuan",
	"quy dinh", "quyet dinh", "so", "so lieu", "ta", "tai lieu", "tham quyen", "thiet ke", "thoa thuan",
	"thong bao", "thong ke", "thong tin", "thong tu", "thu truong", "thu tuong", "thuong ta", "tien si",
	"tieu chuan", "tin", "to trinh", "toa", "toa an", "tong cuc", "tong thong", "ts", "trung ta", "trung tam",
	"truong", "tung", "uy ban", "ubnd", "van ban", "van phong", "vien", "yeu cau",
}

// offices are quoted with "theo" even if they are outlets too ("Theo Bộ Y tế").
var offices = []string{"bo", "chinh phu", "cong thong tin", "cuc", "quoc hoi", "so", "thanh tra", "tong cuc", "ubnd", "uy ban", "van phong", "vien"}

// compiled are the forms of "put together from several sources", folded.
var compiled = map[string]bool{"t/h": true, "th": true, "t.h": true, "tong hop": true, "(tong hop)": true, "tong hop tin": true}

// lastSentenceEnd returns the byte after the last full stop (or the like) that
// ends a sentence of s, 0 if none does. A point within "nhandan.vn", "TP.HCM",
// "Q.D" or after an initial ("N. Huyền") ends none.
func lastSentenceEnd(s string) int {
	for i := len(s); i > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
		switch r {
		case '!', '?', '…', '”', '"', ')', '\n':
			return i + size
		case '.':
			next, _ := utf8.DecodeRuneInString(s[i+1:])
			if i+1 < len(s) && next != ' ' && next != '/' && next != ')' && !(unicode.IsUpper(next) && !isInitial(s[:i]) && !endsUpper(s[:i])) {
				continue
			}
			if isInitial(s[:i]) || strings.HasSuffix(s[:i], "TP") {
				continue
			}
			if strings.HasPrefix(s[i+1:], "/.") {
				return i + 3
			}
			return i + 1
		}
	}
	return 0
}

// isInitial tells whether s ends with a single capital letter that is a word
// and begins a name: not the C of "32 độ C".
func isInitial(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	s = s[:len(s)-size]
	before := strings.TrimRight(s, " ")
	return unicode.IsUpper(r) && isBoundary(s, true) && !(before != s && endsLower(before, "C"))
}

// endsLower tells whether s, to which a marker with a capital letter is glued
// by a lost line break, ends with a small letter.
func endsLower(s, marker string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLower(r) && startsUpper(marker)
}

func endsUpper(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsUpper(r)
}

// startsSentence tells whether what follows s begins a sentence or a line.
func startsSentence(s string) bool {
	s = strings.TrimRight(s, " -–,/>(")
	return s == "" || lastSentenceEnd(s) == len(s)
}

// isByline tells whether s can be names of persons: a few words that all begin
// with a capital letter ("HT", "Trà Trang- Bích Trâm"), or nothing.
func isByline(s string) bool {
	fields := strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("-–,/.:", r) })
	if len(fields) > maxByline {
		return false
	}
	for _, f := range fields {
		if !startsUpper(f) {
			return false
		}
	}
	return true
}

func startsUpper(s string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, "(\"“'"))
	return unicode.IsUpper(r) || unicode.IsDigit(r)
}

func isHostName(s string) bool {
	return strings.Contains(s, ".") && !strings.ContainsAny(s, " ")
}

// beginsWithAny tells whether s begins with one of the words.
func beginsWithAny(s string, words []string) bool {
	for _, w := range words {
		if rest, ok := strings.CutPrefix(s, w); ok && isBoundary(rest, false) {
			return true
		}
	}
	return false
}

// isBoundary tells whether no letter or digit stands at the end (or, if not,
// at the beginning) of s.
func isBoundary(s string, end bool) bool {
	var r rune
	if end {
		r, _ = utf8.DecodeLastRuneInString(s)
	} else {
		r, _ = utf8.DecodeRuneInString(s)
	}
	return s == "" || !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// isDomain tells whether s is a domain as one writes it: "dailymail.co.uk".
func isDomain(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	if dot < 1 || len(s)-dot < 3 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c == '.' || c == '-' || asciiDigit(c) && i < dot) {
			return false
		}
	}
	return true
}

// maxReporter is how many words a reporter's name has.
const maxReporter = 4

// isReporter tells whether s is a reporter's whole name, and nothing that only
// begins with capital letters: "Website:".
func isReporter(s string) bool {
	n := len(strings.Fields(s))
	return n >= 2 && n <= maxReporter && !strings.ContainsAny(s, ":@") && isByline(s)
}

// reporterStart returns where the reporter's name begins with which a line
// ends that lost the break before it: "khu trại dã chiến Vinh Quang"; 0 if no
// such name follows running text, or if it is a photographer's.
func reporterStart(s string) int {
	start, words := len(s), 0
	for start > 0 && words < maxReporter {
		at := strings.LastIndexByte(strings.TrimRight(s[:start], " "), ' ') + 1
		word := strings.TrimSpace(s[at:start])
		if !startsUpper(word) || strings.HasSuffix(word, ":") {
			break
		}
		start, words = at, words+1
	}
	switch folded := strings.TrimRight(vi.Fold(s[:start]), " "); {
	case words == 0, words == 1 && !strings.HasSuffix(folded, ":"):
		return 0
	case strings.HasSuffix(folded, ":") && slices.ContainsFunc(pictureWords, func(w string) bool { return strings.HasSuffix(folded, w) }):
		return 0
	}
	return start
}

// pictureWords stand before the name of who took a picture, folded.
var pictureWords = []string{"anh:", "hinh:", "hoa:", "video:", "clip:", "nguon:", "do hoa:", "photo:"}
