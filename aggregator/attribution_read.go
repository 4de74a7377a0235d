package aggregator

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"diemtin/aggregator/vi"
)

// A credit is the place where a text names its source.
type credit struct {
	start, end int    // its bytes in the line
	name       string // as written, or AttributionCompiled
	outlet     string // id, if known
}

const (
	maxDatelineBytes = 60 // a place and a name
	maxNameWords     = 10 // of an unknown outlet
	maxPlainWords    = 5  // of an unknown outlet with words in lower case
	maxByline        = 8  // syllables of a reporter's name before the marker
)

// beforeMarker is what may stand before "theo" in parentheses, folded.
var beforeMarker = map[string]bool{"": true, "tong hop": true, "t/h": true, "luoc": true, "dich": true, "luoc dich": true, "bien dich": true}

// readTail finds the source named at the end of a line, which may be a whole
// paragraph.
func (n *Names) readTail(line string) (credit, bool) {
	line = strings.TrimRightFunc(line, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`-–—>»/`, r) })
	from := 0
	if len(line) > maxTailBytes {
		from = len(line) - maxTailBytes
		for from < len(line) && !utf8.RuneStart(line[from]) {
			from++
		}
	}
	tail := withoutRepeat(line[from:])
	for _, read := range []func(string) (credit, bool){n.readParenthesis, n.readMarked, n.readUnmarked} {
		if c, ok := read(tail); ok {
			c.start, c.end = c.start+from, len(line)
			return c, true
		}
	}
	return credit{}, false
}

// withoutRepeat cuts a by-line that stands before the source and again behind
// it: "Trung Hiếu/VOV Theo New York Post Trung Hiếu/VOV".
func withoutRepeat(s string) string {
	last := strings.TrimSpace(s[lastSentenceEnd(s):])
	at, _ := cutMarker(last)
	if at <= 0 {
		return s
	}
	byline := strings.TrimSpace(last[:at])
	if len(strings.Fields(byline)) < 2 {
		return s
	}
	return strings.TrimSuffix(s, " "+byline)
}

// readParenthesis reads "(Theo Tuổi Trẻ)", "(TTXVN)", "(T/h)" and "Theo Hà Hà
// (Dailymail)" at the end of s.
func (n *Names) readParenthesis(s string) (credit, bool) {
	s = strings.TrimRight(s, ".")
	if end := strings.LastIndexByte(s, ')') + 1; end > 0 && isByline(s[end:]) {
		s = s[:end]
	}
	open := strings.LastIndexByte(s, '(')
	if open < 0 || !strings.HasSuffix(s, ")") {
		return credit{}, false
	}
	inner := strings.Trim(s[open:], "() ")
	before := strings.TrimRight(s[:open], " (")
	if rest, ok := cutCompiled(inner); ok && startsUpper(rest) {
		inner = "Theo " + rest // "(Tổng hợp Daily Mail)"
	}
	if compiled[vi.Fold(inner)] {
		return credit{start: bylineStart(before, open), name: AttributionCompiled}, true
	}
	if at, rest := cutMarker(inner); at >= 0 && beforeMarker[strings.TrimSpace(vi.Fold(inner[:at]))] {
		c, ok := n.credited(inner[at:], rest, true)
		c.start = bylineStart(before, open)
		return c, ok
	}
	outlet, known := n.lookup(correspondent(inner))
	if known == strongName {
		inner = correspondent(inner)
		return credit{start: bylineStart(before, open), name: inner, outlet: outlet}, true
	}
	// "Theo Hà Hà (Dailymail)": the reporter and her paper.
	at, rest := cutMarker(before)
	if at >= 0 && (before[at] == 'T' || startsSentence(before[:at])) && isByline(rest) && len(strings.Fields(inner)) <= maxNameWords && startsUpper(inner) {
		return credit{start: at, name: inner, outlet: outlet}, true
	}
	return credit{}, false
}

// cutCompiled cuts "Tổng hợp" and "Tổng hợp từ" from the beginning of s.
func cutCompiled(s string) (rest string, ok bool) {
	for _, p := range []string{"Tổng hợp từ ", "tổng hợp từ ", "Tổng hợp ", "tổng hợp "} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest, true
		}
	}
	return s, false
}

// correspondent returns the agency of "P/v TTXVN tại Mỹ".
func correspondent(s string) string {
	for _, p := range []string{"P/v ", "PV ", "Pv "} {
		s = strings.TrimPrefix(s, p)
	}
	s, _, _ = strings.Cut(s, " tại ")
	return s
}

// bylineStart returns where a by-line that ends before ends begins, or end if
// there is none.
func bylineStart(before string, end int) int {
	at := lastSentenceEnd(before)
	if rest := strings.TrimSpace(before[at:]); rest != "" && isByline(rest) {
		return at
	}
	return end
}

// readMarked reads "Theo VnExpress", "Nguồn: TTXVN", "Văn Nguyễn, Theo Thời
// Đại" at the end of s.
func (n *Names) readMarked(s string) (credit, bool) {
	at, rest := cutMarker(s)
	if at < 0 {
		return credit{}, false
	}
	before := s[:at]
	// Within a sentence only a capital letter tells the line that was set off.
	if s[at] == 't' && !startsSentence(before) && !strings.HasSuffix(vi.Fold(before), "tong hop ") {
		return credit{}, false
	}
	setOff := strings.HasPrefix(s[at:], "Nguồn:") || strings.HasPrefix(s[at:], "Theo:")
	c, ok := n.credited(s[at:], rest, setOff)
	c.start = bylineStart(before, at)
	return c, ok
}

// markers stand before the name of a source.
var markers = []string{"Theo", "theo", "THEO", "Nguồn", "nguồn", "NGUỒN"}

// cutMarker finds the last "Theo" or "Nguồn" of s: where it begins and what
// follows it. at is -1 if there is none, or if it marks a picture.
func cutMarker(s string) (at int, rest string) {
	at = -1
	for _, marker := range markers {
		for i := strings.LastIndex(s, marker); i >= 0; i = strings.LastIndex(s[:i], marker) {
			end := i + len(marker)
			if i < at || !isBoundary(s[:i], true) && !endsLower(s[:i], marker) || !isBoundary(s[end:], false) {
				continue
			}
			if after := strings.TrimLeft(s[end:], " :"); after != "" {
				at, rest = i, after
			}
			break
		}
	}
	if at >= 0 && strings.EqualFold(s[at:at+1], "n") && (s[at] == 'n' || isPictureCredit(rest)) {
		return -1, ""
	}
	return at, rest
}

// isPictureCredit tells whether what follows "Nguồn" says that it is the
// picture's.
func isPictureCredit(rest string) bool {
	first, _, _ := strings.Cut(vi.Fold(rest), " ")
	switch strings.TrimRight(first, ":") {
	case "anh", "hinh", "clip", "video", "internet", "facebook", "youtube", "tin":
		return true
	}
	return false
}

// areAgencies tells whether s is the end of a caption, "EPA/TTXVN": who took
// the picture and who gave it on.
func (n *Names) areAgencies(s string) bool {
	first, second, ok := strings.Cut(s, "/")
	if !ok {
		return false
	}
	_, a := n.lookup(first)
	_, b := n.lookup(second)
	return a != unknownName && b != unknownName
}

// credited reads the names that follow a marker to the end of the text. setOff
// tells that parentheses or a colon set them off from running text.
func (n *Names) credited(marker, rest string, setOff bool) (credit, bool) {
	rest = strings.Trim(rest, " .,;:/()*\"“”")
	rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(rest, "theo "), "Theo "))
	if rest == "" {
		return credit{}, false
	}
	if isAddress(rest) {
		return credit{name: rest, outlet: n.host(rest)}, true
	}
	if !setOff && lastSentenceEnd(rest) > 0 {
		return credit{}, false
	}
	folded := vi.Fold(rest)
	if compiled[folded] {
		return credit{name: AttributionCompiled}, true
	}
	if isTheo := marker[0]|0x20 == 't'; isTheo && beginsWithAny(folded, offices) || !isTheo && n.areAgencies(rest) {
		return credit{}, false
	}
	if c, ok := n.known(rest); ok {
		return c, true
	}
	return unknownCredit(rest, setOff)
}

// unknownCredit reads the name of an outlet that nobody told us of, if it looks
// like one.
func unknownCredit(rest string, setOff bool) (credit, bool) {
	words := len(strings.Fields(rest))
	switch {
	case strings.ContainsAny(rest, "()"), words > maxNameWords, beginsWithAny(vi.Fold(rest), notOutlets):
		return credit{}, false
	case !startsUpper(withoutKind(rest)) && !isHostName(rest):
		return credit{}, false
	case !setOff && words > maxPlainWords && !isByline(rest): // running text
		return credit{}, false
	}
	name := rest
	if slash := strings.LastIndexByte(rest, '/'); slash >= 0 {
		if last := strings.TrimSpace(rest[slash+1:]); last != "" && !asciiDigit(last[0]) {
			name = last // after the reporter's
		}
	}
	return credit{name: withoutKind(name)}, true
}

// withoutKind drops "báo" where it is only a word before a list of names.
func withoutKind(name string) string { return strings.TrimPrefix(name, "báo ") }

// known reads names of which at least one is known: alone, after a reporter's
// ("Xuân Long/Tuổi Trẻ"), in a list, or with a by-line behind.
func (n *Names) known(s string) (credit, bool) {
	if outlet, known := n.lookup(s); known != unknownName {
		return credit{name: withoutKind(s), outlet: outlet}, true
	}
	if c, ok := n.knownParts(s); ok {
		return c, true
	}
	for i := len(s); i > 0; i = strings.LastIndexByte(s[:i], ' ') {
		if outlet, known := n.lookup(s[:i]); known == strongName && isByline(s[i:]) && strings.ContainsAny(strings.TrimSpace(s[i:]), " .") {
			return credit{name: withoutKind(s[:i]), outlet: outlet}, true
		}
	}
	return credit{}, false
}

// knownParts reads the parts of "Xuân Long/Tuổi Trẻ", of which the last known
// one counts, and of "Dân trí, VOV", of which the first.
func (n *Names) knownParts(s string) (c credit, ok bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == ',' })
	list, found := strings.Contains(s, ","), 0
	for _, p := range parts {
		p = strings.TrimSpace(p)
		outlet, known := n.lookup(p)
		if desk, _, ok := strings.Cut(p, "-"); ok && known == unknownName { // "VOV-Đông Bắc"
			outlet, known = n.lookup(desk)
		}
		if known == unknownName {
			if list && !startsUpper(p) && len(strings.Fields(p)) > maxPlainWords { // "Theo Reuters, cảnh sát …": running text
				return credit{}, false
			}
			continue
		}
		found++
		if c.name == "" || !list {
			c = credit{name: withoutKind(p), outlet: outlet}
		}
	}
	if found > 0 && (list || found == len(parts)) {
		c.name = withoutKind(s)
	}
	return c, found > 0
}

// readUnmarked reads "TTXVN/Tin Tức", "Sơn Ca/TTXVN" and "Tổng hợp" after the
// last sentence of s.
func (n *Names) readUnmarked(s string) (credit, bool) {
	at := lastSentenceEnd(s)
	if slash := strings.LastIndexByte(s, '/'); slash > at {
		at += reporterStart(s[at:slash])
	}
	last := strings.TrimSpace(s[at:])
	if last == "" || len(strings.Fields(last)) > maxNameWords {
		return credit{}, false
	}
	for _, words := range []string{"Tổng hợp", "tổng hợp"} {
		if byline, ok := cutAffix(last, words); ok && isByline(byline) {
			return credit{start: at, name: AttributionCompiled}, true
		}
	}
	if outlet, known := n.lookup(last); known == strongName {
		return credit{start: at, name: last, outlet: outlet}, true
	}
	if host := last[strings.LastIndexByte(last, ' ')+1:]; isDomain(host) && isReporter(strings.TrimSuffix(last, host)) {
		return credit{start: at, name: host, outlet: n.host(host)}, true
	}
	byline, _, found := strings.Cut(last, "/")
	c, ok := n.known(last)
	if !found || !ok || !isByline(byline) {
		return credit{}, false
	}
	if _, known := n.lookup(c.name); known == weakName {
		return credit{}, false
	}
	c.start = at
	return c, true
}

// cutAffix cuts words from the beginning or the end of s.
func cutAffix(s, words string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, words); ok {
		return rest, true
	}
	return strings.CutSuffix(s, words)
}

// readDateline reads "Hà Nội (TTXVN) -" and "(TTXVN) -" at the beginning of s.
func (n *Names) readDateline(s string) (credit, bool) {
	head := s[:min(len(s), maxDatelineBytes)]
	open, end := strings.IndexByte(head, '('), strings.IndexByte(head, ')')
	if open < 0 || end < open {
		return credit{}, false
	}
	after := strings.TrimLeft(s[end+1:], " ")
	r, size := utf8.DecodeRuneInString(after)
	if !strings.ContainsRune("-–—:", r) || strings.ContainsAny(head[:open], ".!?:") {
		return credit{}, false
	}
	name := strings.TrimSpace(s[open+1 : end])
	outlet, known := n.lookup(name)
	if known != strongName || !isByline(head[:open]) {
		return credit{}, false
	}
	return credit{end: len(s) - len(after) + size, name: name, outlet: outlet}, true
}
