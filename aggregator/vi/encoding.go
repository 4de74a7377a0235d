package vi

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Decoding tells how bytes became text.
type Decoding struct {
	// Label is the encoding the bytes were in, in lower case: "utf-8",
	// "utf-16le", "windows-1258", "tcvn3", "vni", …
	Label string
	// Repairs are the kinds of fault met, each once; nil if there was none.
	Repairs []string
}

// Kinds of repair. They are labels of metrics and stay as they are.
const (
	RepairMismatch    = "charset_mismatch"   // a label names another encoding than the bytes are in
	RepairUTF16Label  = "utf16_mislabelled"  // bytes of eight bits labelled utf-16 or utf-32
	RepairUnknown     = "unknown_charset"    // a label that names no encoding
	RepairInvalidUTF8 = "invalid_utf8"       // UTF-8 with cut or stray bytes, which were dropped
	RepairInvalidWide = "invalid_utf16"      // UTF-16 or UTF-32 with half characters, which were dropped
	RepairVietnamese  = "windows_1258"       // windows-1258 although no label says so
	RepairLegacyFont  = "legacy_font"        // text for a TCVN3 (ABC) or VNI font
	RepairMojibake    = "mojibake"           // UTF-8 that was taken for windows-1252 and encoded again
	RepairControls    = "control_characters" // characters that XML forbids, which were dropped
	RepairXMLVersion  = "xml_version"        // XML 1.1, which parsers refuse, declared as 1.0
)

// Decode turns the bytes of a feed or page into clean text: valid UTF-8 in the
// sense of [NFC]. It never fails; what nothing explains is read as UTF-8 or
// windows-1252. An XML declaration in the result says utf-8 and 1.0.
//
// Bytes are believed before labels, for labels are wrong more often. In order:
// a byte order mark; the NULs of UTF-16 and UTF-32 text; valid UTF-8, whatever
// the labels say; UTF-8 with a few cut characters; then the labels, of
// contentType (an HTTP header, may be empty) before the XML declaration before
// <meta>, of which western ones, utf-8 and unknown ones do not count: there
// windows-1258 or windows-1252 is chosen by which makes more Vietnamese
// syllables. Text that was encoded as UTF-8 twice, or typed for a TCVN3 or VNI
// font, is repaired if nearly all of its syllables become Vietnamese by it.
func Decode(body []byte, contentType string) (text string, d Decoding) {
	labels := declaredCharsets(body, contentType)
	if wide, rest := wideEncoding(body); wide != "" {
		text = d.decodeWide(rest, wide)
		if slices.ContainsFunc(labels, isNarrowLabel) {
			d.repair(RepairMismatch)
		}
	} else {
		text = d.decodeBytes(rest, labels)
	}
	clean := NFC(text)
	if len(clean) != len(text) && strings.ContainsFunc(text, forbiddenInXML) {
		d.repair(RepairControls)
	}
	return d.fixDeclaration(clean), d
}

// repair notes a kind of repair once.
func (d *Decoding) repair(kind string) {
	if !slices.Contains(d.Repairs, kind) {
		d.Repairs = append(d.Repairs, kind)
	}
}

// forbiddenInXML tells whether XML 1.0 knows no such character.
func forbiddenInXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// wideEncoding recognises UTF-16 and UTF-32 by byte order mark or, because
// feeds and pages begin with ASCII, by where the NULs are. It returns the body
// without any mark, and "" for encodings of single bytes, also where a mark of
// UTF-16 was put before these.
func wideEncoding(body []byte) (label string, rest []byte) {
	for _, m := range []struct{ label, mark string }{
		{"utf-32le", "\xFF\xFE\x00\x00"}, // before utf-16le, its prefix
		{"utf-32be", "\x00\x00\xFE\xFF"},
		{"utf-16le", "\xFF\xFE"},
		{"utf-16be", "\xFE\xFF"},
		{"", "\uFEFF"},
	} {
		rest, ok := bytes.CutPrefix(body, []byte(m.mark))
		switch {
		case !ok:
		case nulPattern(rest) == "" && bytes.HasPrefix(rest, []byte("<")) && !bytes.HasPrefix(rest, []byte("<\x00")):
			return "", rest
		default:
			return m.label, rest
		}
	}
	return nulPattern(body), body
}

// nulPattern returns the encoding of a body that begins with two ASCII
// characters in UTF-16 or one in UTF-32, else "".
func nulPattern(b []byte) string {
	if len(b) < 4 {
		return ""
	}
	nuls := 0
	for i, c := range b[:4] {
		if c == 0 {
			nuls |= 8 >> i
		}
	}
	switch nuls {
	case 0b0111:
		return "utf-32le"
	case 0b1110:
		return "utf-32be"
	case 0b0101:
		return "utf-16le"
	case 0b1010:
		return "utf-16be"
	}
	return ""
}

// decodeWide decodes UTF-16 or UTF-32.
func (d *Decoding) decodeWide(b []byte, label string) string {
	d.Label = label
	out := make([]byte, 0, len(b))
	size := 2
	if strings.HasPrefix(label, "utf-32") {
		size = 4
	}
	little := strings.HasSuffix(label, "le")
	unit := func(i int) rune {
		var r rune
		for k := range size {
			shift := 8 * (size - 1 - k)
			if little {
				shift = 8 * k
			}
			r |= rune(b[i+k]) << shift
		}
		return r
	}
	whole := len(b)%size == 0
	for i := 0; i+size <= len(b); i += size {
		r := unit(i)
		if size == 2 && utf16.IsSurrogate(r) {
			low := rune(0)
			if i+4 <= len(b) {
				low = unit(i + 2)
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 2
			}
		}
		if !utf8.ValidRune(r) || r == utf8.RuneError {
			whole = false
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	if !whole {
		d.repair(RepairInvalidWide)
	}
	return string(out)
}

// decodeBytes decodes a body of single bytes with the given labels.
func (d *Decoding) decodeBytes(body []byte, labels []string) string {
	strong := d.strongCharsets(labels)
	ascii := isASCII(body)
	if !ascii {
		defer d.compareLabels(labels)
	}
	switch valid := ascii || utf8.Valid(body); {
	case ascii:
		if len(strong) > 0 && strong[0].label == "iso-2022-jp" && bytes.IndexByte(body, 0x1B) >= 0 {
			return d.decodeAs(body, strong)
		}
		d.Label = "utf-8"
		return string(body)
	case valid && len(strong) > 0 && strong[0].multibyte() && countHigh(body) < plausibleHigh:
		return d.decodeAs(body, strong)
	case valid:
		d.Label = "utf-8"
		return d.unmangle(string(body))
	case mostlyUTF8(body):
		d.Label = "utf-8"
		d.repair(RepairInvalidUTF8)
		return d.unmangle(string(bytes.ToValidUTF8(body, nil)))
	case len(strong) > 0:
		return d.decodeAs(body, strong)
	}
	western := charset{"windows-1252", charmap.Windows1252}.decode(body)
	vietnamese := NFC(charset{"windows-1258", charmap.Windows1258}.decode(body))
	if judge(vietnamese).better(judge(western)) {
		d.Label = "windows-1258"
		d.repair(RepairVietnamese)
		return vietnamese
	}
	d.Label = "windows-1252"
	return d.unmangle(western)
}

// plausibleHigh is from how many bytes above ASCII valid UTF-8 cannot be an
// accident of an East Asian encoding: two characters of three bytes.
const plausibleHigh = 6

func countHigh(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decodeAs decodes by the first of charsets in which all of body is defined,
// else the first.
func (d *Decoding) decodeAs(body []byte, charsets []charset) string {
	d.Label = charsets[0].label
	first := charsets[0].decode(body)
	text := first
	for _, c := range charsets[1:] {
		if !strings.ContainsRune(text, utf8.RuneError) {
			return text
		}
		d.Label, text = c.label, c.decode(body)
	}
	if strings.ContainsRune(text, utf8.RuneError) {
		d.Label, text = charsets[0].label, first
	}
	return text
}

// mostlyUTF8 tells whether an invalid body is UTF-8 with faults rather than an
// encoding of single bytes: its whole characters and those cut short within
// outnumber bytes that stand alone, as every accented letter does there, by
// three to one.
func mostlyUTF8(body []byte) bool {
	whole, alone := 0, 0
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(body[i:])
		switch {
		case r != utf8.RuneError || n > 1:
			whole++
			i += n
		default:
			n = cutLength(body[i:])
			if n > 1 {
				whole++
			} else {
				alone++
			}
			i += n
		}
	}
	return whole > 0 && whole >= 3*alone
}

// cutLength returns how many bytes at the start of b begin a character that is
// cut off after them: 1 for a byte that stands alone.
func cutLength(b []byte) int {
	need := 0
	switch c := b[0]; {
	case c >= 0xE1 && c <= 0xEF:
		need = 3
	case c >= 0xF1 && c <= 0xF3:
		need = 4
	}
	n := 1
	for n < need-1 && n < len(b) && b[n]&0xC0 == 0x80 {
		n++
	}
	return n
}

// unmangle undoes what happened to text before it was encoded.
func (d *Decoding) unmangle(text string) string {
	if fixed, ok := undoMojibake(text); ok {
		text = fixed
		d.repair(RepairMojibake)
	}
	if fixed, font := undoLegacyFont(text); font != "" {
		text = fixed
		d.Label = font
		d.repair(RepairLegacyFont)
	}
	return text
}
