package aggregator

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"diemtin/aggregator/vi"
)

// expectOf finds the expectation in the first comment of a document, whatever
// its encoding.
func expectOf(doc *Document) string {
	text, _ := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
	if m := corpusExpect.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

var corpusExpect = regexp.MustCompile(`Expect:[ \t]*(.+)`)

// check is one comparison of an expectation, as `entries[0]['title'] == 'A'`.
type check struct {
	text string   // as it stands
	path []string // entries 0 title; "len" before it for its length
	want any      // string, int64, []any, map[string]any, bool, nil
	none bool     // the path must lead nowhere
}

// checksOf takes an expectation apart at its "and", and a == b == c into two
// checks. A part that is neither a comparison with a literal nor about a
// missing key has no path.
func checksOf(expect string) []check {
	var all []check
	for _, part := range splitTop(expect, " and ") {
		part = strings.TrimSpace(part)
		if inner, ok := strings.CutPrefix(part, "("); ok && strings.HasSuffix(inner, ")") {
			all = append(all, checksOf(strings.TrimSuffix(inner, ")"))...)
			continue
		}
		if m := missingKey.FindStringSubmatch(part); m != nil {
			all = append(all, check{text: part, path: pathOf(m[1] + "." + m[2]), none: true})
			continue
		}
		sides := splitTop(part, "==")
		last := len(sides) - 1
		lit := literal{s: sides[last]}
		want, err := lit.whole()
		if err != nil || last == 0 {
			all = append(all, check{text: part})
			continue
		}
		for _, side := range sides[:last] {
			all = append(all, check{text: part, path: pathOf(side), want: want})
		}
	}
	return all
}

var (
	missingKey  = regexp.MustCompile(`^not (.+)\.has_key\('(\w+)'\)$`)
	pathPattern = regexp.MustCompile(`^\w+(\.\w+|\['\w+'\]|\[\d+\])*$`)
	pathStep    = regexp.MustCompile(`\w+`)
	lenPattern  = regexp.MustCompile(`^len\((.+)\)$`)
)

// pathOf are the steps of a Python access path, or nil.
func pathOf(s string) []string {
	s = strings.TrimSpace(s)
	if m := lenPattern.FindStringSubmatch(s); m != nil {
		if p := pathOf(m[1]); p != nil {
			return append([]string{"len"}, p...)
		}
		return nil
	}
	if !pathPattern.MatchString(s) {
		return nil
	}
	return pathStep.FindAllString(s, -1)
}

// splitTop splits at a separator outside quotes and brackets.
func splitTop(s, sep string) []string {
	var parts []string
	depth, start := 0, 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], sep):
			parts, start = append(parts, s[start:i]), i+len(sep)
			i = start - 1
		}
	}
	return append(parts, s[start:])
}

// literal reads a Python literal.
type literal struct {
	s string
	i int
}

var errLiteral = errors.New("no literal")

func (l *literal) space() {
	for l.i < len(l.s) && (l.s[l.i] == ' ' || l.s[l.i] == '\t' || l.s[l.i] == '\r') {
		l.i++
	}
}

func (l *literal) eat(s string) bool {
	l.space()
	if !strings.HasPrefix(l.s[l.i:], s) {
		return false
	}
	l.i += len(s)
	return true
}

func (l *literal) whole() (any, error) {
	v, err := l.value()
	if l.space(); err == nil && l.i < len(l.s) {
		err = errLiteral
	}
	return v, err
}

func (l *literal) value() (any, error) {
	for word, v := range map[string]any{"None": nil, "True": true, "False": false} {
		if l.eat(word) {
			return v, nil
		}
	}
	switch {
	case l.eat("("):
		return l.list(")")
	case l.eat("["):
		return l.list("]")
	case l.eat("{"):
		return l.dict()
	case l.atString():
		return l.joined()
	}
	start := l.i
	for l.i < len(l.s) && strings.IndexByte("-0123456789.", l.s[l.i]) >= 0 {
		l.i++
	}
	if n, err := strconv.ParseInt(l.s[start:l.i], 10, 64); err == nil {
		return n, nil
	}
	return strconv.ParseFloat(l.s[start:l.i], 64)
}

func (l *literal) list(end string) (any, error) {
	all := []any{}
	for !l.eat(end) {
		v, err := l.value()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if !l.eat(",") && l.i < len(l.s) && l.s[l.i] != end[0] {
			return nil, errLiteral
		}
	}
	return all, nil
}

func (l *literal) dict() (any, error) {
	all := map[string]any{}
	for !l.eat("}") {
		key, err := l.value()
		if err != nil || !l.eat(":") {
			return nil, errLiteral
		}
		if all[fmt.Sprint(key)], err = l.value(); err != nil {
			return nil, err
		}
		if !l.eat(",") && l.i < len(l.s) && l.s[l.i] != '}' {
			return nil, errLiteral
		}
	}
	return all, nil
}

// atString says whether a string begins here, and goes to its quote.
func (l *literal) atString() bool {
	l.space()
	at := l.i
	if at < len(l.s) && l.s[at] == 'u' {
		at++
	}
	if at < len(l.s) && (l.s[at] == '\'' || l.s[at] == '"') {
		l.i = at
		return true
	}
	return false
}

// joined reads strings side by side, with or without a plus between them.
func (l *literal) joined() (any, error) {
	var all strings.Builder
	for {
		if err := l.quoted(&all); err != nil {
			return nil, err
		}
		plus := l.eat("+")
		if !l.atString() {
			if plus {
				return nil, errLiteral
			}
			return all.String(), nil
		}
	}
}

// escapeDigits are the lengths of the numeric escapes.
var escapeDigits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

func (l *literal) quoted(b *strings.Builder) error {
	quote := l.s[l.i]
	if long := strings.Repeat(string(quote), 3); strings.HasPrefix(l.s[l.i:], long) {
		l.i += len(long)
		text, rest, ok := strings.Cut(l.s[l.i:], long)
		if !ok || strings.Contains(text, `\`) {
			return errLiteral
		}
		b.WriteString(text)
		l.i = len(l.s) - len(rest)
		return nil
	}
	for l.i++; l.i < len(l.s); l.i++ {
		c := l.s[l.i]
		switch {
		case c == quote:
			l.i++
			return nil
		case c != '\\' || l.i+1 == len(l.s):
			b.WriteByte(c)
			continue
		}
		l.i++
		c = l.s[l.i]
		if n := escapeDigits[c]; n > 0 && l.i+n < len(l.s) {
			code, err := strconv.ParseUint(l.s[l.i+1:l.i+1+n], 16, 32)
			if err != nil {
				return err
			}
			b.WriteRune(rune(code))
			l.i += n
			continue
		}
		if at := strings.IndexByte(`ntr\'"`, c); at >= 0 {
			b.WriteByte("\n\t\r\\'\""[at])
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	return errLiteral
}
