package vi

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// declarationBytes is within how many bytes from the start an XML declaration
// or <meta charset> is looked for: some servers put notices before it. The
// HTML standard asks for 1,024.
const declarationBytes = 4096

// declaredCharsets returns the labels that body and its content type carry, in
// lower case, the one to be believed first before the others.
func declaredCharsets(body []byte, contentType string) []string {
	var labels []string
	add := func(label string) {
		if label != "" {
			labels = append(labels, label)
		}
	}
	add(headerCharset(contentType))
	head := string(body[:min(len(body), declarationBytes)])
	if start, end := xmlDeclaration(head); end > 0 {
		from, to := attribute(head[start:end], "encoding")
		add(cleanLabel(head[start+from : start+to]))
	} else {
		add(metaCharset(head))
	}
	return labels
}

// headerCharset returns the charset parameter of a content type, "" if none.
// Headers are less regular than mime.ParseMediaType allows.
func headerCharset(contentType string) string {
	_, label, found := strings.Cut(strings.ToLower(contentType), "charset=")
	if !found {
		return ""
	}
	label, _, _ = strings.Cut(label, ";")
	label, _, _ = strings.Cut(label, ",")
	return cleanLabel(label)
}

func cleanLabel(label string) string {
	return strings.ToLower(strings.Trim(label, "\"' \t\r\n"))
}

// metaCharset returns the charset that an HTML head declares, "" if none.
func metaCharset(head string) string {
	rest := strings.ToLower(head)
	for {
		_, after, found := strings.Cut(rest, "<meta")
		if !found {
			return ""
		}
		tag, _, closed := strings.Cut(after, ">")
		if !closed {
			return ""
		}
		rest = after
		if _, label, found := strings.Cut(tag, "charset"); found {
			label, found = strings.CutPrefix(strings.TrimLeft(label, " \t\r\n"), "=")
			label = strings.TrimLeft(label, "\"' \t\r\n")
			if i := strings.IndexAny(label, "\"'; \t\r\n/"); i >= 0 {
				label = label[:i]
			}
			if found {
				return label
			}
		}
	}
}

// xmlDeclaration finds the first <?xml … ?> near the start of text; end is 0 if
// there is none.
func xmlDeclaration(text string) (start, end int) {
	head := text[:min(len(text), declarationBytes)]
	start = strings.Index(head, "<?xml")
	if start < 0 || start+5 >= len(head) || !strings.ContainsRune(" \t\r\n", rune(head[start+5])) {
		return 0, 0
	}
	n := strings.Index(head[start:], "?>")
	if n < 0 {
		return 0, 0
	}
	return start, start + n + 2
}

// attribute returns where the value of the attribute stands in a declaration;
// 0, 0 if it has none.
func attribute(decl, name string) (from, to int) {
	i := strings.Index(decl, name)
	if i < 0 {
		return 0, 0
	}
	i += len(name)
	for i < len(decl) && strings.IndexByte(" \t\r\n=", decl[i]) >= 0 {
		i++
	}
	if i >= len(decl) || decl[i] != '"' && decl[i] != '\'' {
		return 0, 0
	}
	n := strings.IndexByte(decl[i+1:], decl[i])
	if n < 0 {
		return 0, 0
	}
	return i + 1, i + 1 + n
}

// fixDeclaration makes the XML declaration of decoded text agree with it.
func (d *Decoding) fixDeclaration(text string) string {
	start, end := xmlDeclaration(text)
	if end == 0 {
		return text
	}
	decl := text[start:end]
	fixed := decl
	if from, to := attribute(decl, "encoding"); from > 0 && !strings.EqualFold(decl[from:to], "utf-8") {
		fixed = decl[:from] + "utf-8" + decl[to:]
	}
	if from, to := attribute(fixed, "version"); from > 0 && fixed[from:to] != "1.0" {
		fixed = fixed[:from] + "1.0" + fixed[to:]
		d.repair(RepairXMLVersion)
	}
	if fixed == decl {
		return text
	}
	return text[:start] + fixed + text[end:]
}

// charset is an encoding that a label names; encoding is nil for TCVN3.
type charset struct {
	label    string
	encoding encoding.Encoding
}

// decode returns body as text, with U+FFFD for what is not defined.
func (c charset) decode(body []byte) string {
	if c.encoding == nil {
		return fromTCVN3(charset{"", charmap.Windows1252}.decode(body))
	}
	text, err := c.encoding.NewDecoder().Bytes(body)
	if err != nil { // decoders of this kind replace, they do not fail
		return string(bytes.ToValidUTF8(body, []byte("\uFFFD")))
	}
	return string(text)
}

// multibyte tells whether characters take several bytes.
func (c charset) multibyte() bool {
	_, single := c.encoding.(*charmap.Charmap)
	return !single && c.encoding != nil
}

// findCharset returns the encoding of single bytes that a label names.
func findCharset(label string) (c charset, ok bool) {
	if strings.Contains(label, "tcvn") {
		return charset{label: "tcvn3"}, true
	}
	e, err := htmlindex.Get(label)
	if err != nil {
		return c, false
	}
	name, err := htmlindex.Name(e)
	if err != nil || name == "replacement" || name == "x-user-defined" {
		return c, false
	}
	return charset{name, e}, true
}

// strongCharsets returns the encodings of the labels that say more than a
// server's or editor's default, and notes labels that cannot be.
func (d *Decoding) strongCharsets(labels []string) (strong []charset) {
	for _, label := range labels {
		if isWideLabel(label) {
			d.repair(RepairUTF16Label)
			continue
		}
		c, ok := findCharset(label)
		switch {
		case !ok:
			d.repair(RepairUnknown)
		case c.label != "utf-8" && c.label != "windows-1252":
			strong = append(strong, c)
		}
	}
	return strong
}

// compareLabels notes a mismatch if a label names another encoding than that
// found. ASCII text agrees with all of them.
func (d *Decoding) compareLabels(labels []string) {
	for _, label := range labels {
		if c, ok := findCharset(label); ok && !isWideLabel(label) && c.label != d.Label {
			d.repair(RepairMismatch)
		}
	}
}

// isNarrowLabel tells whether a label names an encoding of single bytes.
func isNarrowLabel(label string) bool {
	_, ok := findCharset(label)
	return ok && !isWideLabel(label)
}

// isWideLabel tells whether a label names UTF-16 or UTF-32.
func isWideLabel(label string) bool {
	for _, p := range []string{"utf-16", "utf16", "utf_16", "utf-32", "utf32", "utf_32", "ucs-2", "ucs-4", "unicode", "iso-10646-ucs", "u16", "u32"} {
		if strings.HasPrefix(label, p) && label != "unicode-1-1-utf-8" {
			return true
		}
	}
	return false
}
