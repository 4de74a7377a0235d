package syndicate

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Limits on what a feed carries of others' words, in characters. They are
// there for broken and hostile sources: real headlines in Vietnamese stay
// below 200, the longest decisions of authorities below 400.
const (
	maxTitle = 500
	maxName  = 200 // of an author, an outlet, a category
)

// maxUnescape is how often a text that was escaped more than once is
// unescaped. Three covers what publishing systems in a row do.
const maxUnescape = 3

// scrub makes one line of plain text that may stand in XML, JSON and HTML:
// valid UTF-8 of characters that XML 1.0 allows, without control characters,
// non-characters, replacement characters (what they replaced is lost), byte
// order marks and the marks that turn the direction of all text after them.
// White space of any kind becomes single spaces.
func scrub(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for i, r := range s {
		if r == utf8.RuneError || unwanted(r) {
			continue
		}
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if r < utf8.RuneSelf {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unwanted tells which characters no reader should get.
func unwanted(r rune) bool {
	switch {
	case r < ' ':
		return !unicode.IsSpace(r)
	case r >= 0x7F && r <= 0x9F: // DEL and C1
		return !unicode.IsSpace(r)
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // embeddings, overrides, isolates
		return true
	case r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE: // non-characters
		return true
	case r == 0x200B, r == 0x2060, r == 0xFEFF: // zero-width space, word joiner, BOM
		return true
	case r >= 0xFFF9 && r <= 0xFFFC: // annotations, object replacement
		return true
	}
	return false
}

// shorten cuts s to at most n characters, at a space if one is near, and marks
// the cut.
func shorten(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	end := 0
	for range n - 1 { // one for the ellipsis
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	if space := strings.LastIndexByte(s[:end], ' '); space > end*3/4 {
		end = space
	}
	return strings.TrimRight(s[:end], " ,;:.-–") + "…"
}

// tagLike is what a reader that takes text for HTML would swallow, closed or
// not.
var tagLike = regexp.MustCompile(`<[A-Za-z/!?][^<>]*>?`)

// bracket gives a tag brackets that mean nothing in HTML.
func bracket(tag string) string {
	inner, closed := strings.CutSuffix(tag[1:], ">")
	if closed {
		inner += "›"
	}
	return "‹" + inner
}

// plainText is text as feeds carry it outside of HTML, at most n characters
// of it. RSS does not say whether a title is text or HTML and readers guess, so
// what would be a tag gets other brackets, and entities that the source escaped
// once too often are undone.
func plainText(s string, n int) string {
	for range maxUnescape {
		plain := html.UnescapeString(s)
		if plain == s {
			break
		}
		s = plain
	}
	return shorten(tagLike.ReplaceAllStringFunc(scrub(s), bracket), n)
}

// plainName is the text of an author, an outlet or a category.
func plainName(s string) string { return plainText(s, maxName) }

// languageTag is a language tag as RFC 5646 writes it, or nothing.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

// webLink returns raw as an absolute address of RFC 3986: http or https, host
// in ASCII, no user, no space or Vietnamese letter unescaped. It is empty if
// raw is no such address.
func webLink(raw string) string {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(raw), "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return ""
	}
	host, tail := rest, ""
	if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
		host, tail = rest[:i], rest[i:]
	}
	if strings.HasPrefix(tail, `\`) { // escaped, it would be part of the host
		tail = "/" + tail
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if host = asciiHost(host); host == "" {
		return ""
	}
	link := scheme + "://" + host + escapeTail(tail)
	if u, err := url.Parse(link); err != nil || u.Hostname() == "" {
		return ""
	}
	return link
}

// asciiHost is host, with its port, in lower-case ASCII; empty if it cannot be
// a host.
func asciiHost(host string) string {
	if strings.HasPrefix(host, "[") { // IPv6: url.Parse judges it
		return host
	}
	name, port, hasPort := strings.Cut(host, ":")
	if !utf8.ValidString(name) { // idna would make a name of it
		return ""
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil || name == "" {
		return ""
	}
	if !hasPort || port == "" {
		return name
	}
	return name + ":" + port
}

// escapeTail escapes what may not stand in the path, query and fragment of an
// address and keeps what is escaped already.
func escapeTail(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	fragment := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '#' && !fragment:
			fragment = true
			b.WriteByte(c)
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]), isURLByte(c):
			b.WriteByte(c)
		case c < ' ' || c == 0x7F: // browsers drop them as well
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isURLByte tells whether c stands for itself in a path or query: unreserved,
// sub-delims, ":", "@", "/" and "?" of RFC 3986.
func isURLByte(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return true
	}
	return strings.IndexByte("-._~!$&'()*+,;=:@/?", c) >= 0
}
