package outlettest

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	xunicode "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

// charset is how an outlet writes its bytes.
type charset string

const (
	utf8Text    charset = "" // the zero value
	utf8NFD     charset = "UTF-8, decomposed"
	windows1258 charset = "windows-1258"
	utf16Text   charset = "UTF-16" // little endian with BOM
)

// label is what a document declares.
func (c charset) label() string {
	if c == utf8Text || c == utf8NFD {
		return "UTF-8"
	}
	return string(c)
}

// encode writes NFC text in the charset. What it lacks becomes a numeric
// character reference, right in HTML and XML.
func (c charset) encode(s string) []byte {
	switch c {
	case utf8NFD:
		return norm.NFD.Bytes([]byte(s))
	case windows1258:
		return encodeWith(encoding.HTMLEscapeUnsupported(charmap.Windows1258.NewEncoder()), toneMarks(s))
	case utf16Text:
		return encodeWith(xunicode.UTF16(xunicode.LittleEndian, xunicode.UseBOM).NewEncoder(), s)
	}
	return []byte(s)
}

func encodeWith(enc *encoding.Encoder, s string) []byte {
	b, err := enc.Bytes([]byte(s))
	if err != nil { // the escaping encoders take every valid string
		panic(fmt.Sprintf("encode %.40q: %v", s, err))
	}
	return b
}

// toneMarks writes Vietnamese as windows-1258 holds it: the letters with
// circumflex, breve and horn whole, the five tones as marks behind them.
func toneMarks(s string) string {
	var b strings.Builder
	var base []rune // a letter and the marks that shape it
	var tone rune
	flush := func() {
		b.WriteString(norm.NFC.String(string(base)))
		if tone != 0 {
			b.WriteRune(tone)
		}
		base, tone = base[:0], 0
	}
	for _, r := range norm.NFD.String(s) {
		switch {
		case strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", r):
			tone = r
		case unicode.Is(unicode.Mn, r):
			base = append(base, r)
		default:
			flush()
			base = append(base, r)
		}
	}
	flush()
	return b.String()
}

// slug folds a title into the letters and hyphens of a link.
func slug(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 'đ':
			b.WriteByte('d')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}
