package aggregator

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
)

const (
	// maxHead bounds the part of a document, before its items and after them,
	// in which its links are looked for.
	maxHead = 64 << 10
	// maxHubs bounds the hubs that are noted of one document.
	maxHubs = 8
)

// advert is what a document says about being pushed (WebSub, section 4).
type advert struct {
	hubs  []string // absolute addresses in the document's order; none = not pushed
	topic string   // the address to subscribe to: rel=self, else where it was found
}

// advertised reads what a document says about hubs: its Link headers first
// and, if they name none, its own link elements.
func advertised(doc *Document) advert {
	hubs, self := headerLinks(doc.Header)
	if len(hubs) == 0 || self == "" {
		bodyHubs, bodySelf := documentLinks(doc)
		if len(hubs) == 0 {
			hubs = bodyHubs
			self = firstNonEmpty(bodySelf, self)
		}
		self = firstNonEmpty(self, bodySelf)
	}
	var ad advert
	for _, h := range hubs {
		if h = webAddress(doc.FinalURL, h); h != "" && !slices.Contains(ad.hubs, h) && len(ad.hubs) < maxHubs {
			ad.hubs = append(ad.hubs, h)
		}
	}
	if len(ad.hubs) > 0 {
		ad.topic = firstNonEmpty(webAddress(doc.FinalURL, self), doc.FinalURL)
	}
	return ad
}

// webAddress makes ref absolute; it is empty if that is no address of the web.
func webAddress(base, ref string) string {
	if ref == "" {
		return ""
	}
	u, err := url.Parse(resolve(base, ref))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return ""
	}
	u.Fragment = ""
	if s := u.String(); len(s) <= maxLink {
		return s
	}
	return ""
}

// headerLinks reads the Link headers (RFC 8288): the targets of rel=hub, and
// the first of rel=self.
func headerLinks(h http.Header) (hubs []string, self string) {
	for _, value := range h.Values("Link") {
		for value != "" {
			var target, rel string
			target, rel, value = nextLink(value)
			hubs, self = noteLink(hubs, self, rel, target)
		}
	}
	return hubs, self
}

func noteLink(hubs []string, self, rel, target string) ([]string, string) {
	if target = strings.TrimSpace(target); target == "" {
		return hubs, self
	}
	for r := range strings.FieldsSeq(strings.ToLower(rel)) {
		switch {
		case r == "hub":
			hubs = append(hubs, target)
		case r == "self" && self == "":
			self = target
		}
	}
	return hubs, self
}

// nextLink reads the first link of a Link header and returns the rest. A link
// with an anchor speaks of another document, and counts as one without a rel.
func nextLink(s string) (target, rel, rest string) {
	open := strings.IndexByte(s, '<')
	if open < 0 {
		return "", "", ""
	}
	end := strings.IndexByte(s[open:], '>')
	if end < 0 {
		return "", "", ""
	}
	target, s = s[open+1:open+end], s[open+end+1:]
	anchored, related := false, false
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			break
		}
		if s[0] != ';' { // no parameter and no next link: look for one
			if i := strings.IndexAny(s, ",;"); i >= 0 {
				s = s[i:]
				continue
			}
			return target, relUnless(anchored, rel), ""
		}
		var name, value string
		name, value, s = linkParam(s[1:])
		switch {
		case name == "anchor":
			anchored = true
		case name == "rel" && !related: // the first counts (section 3.3)
			rel, related = value, true
		}
	}
	return target, relUnless(anchored, rel), strings.TrimPrefix(s, ",")
}

func relUnless(anchored bool, rel string) string {
	if anchored {
		return ""
	}
	return rel
}

// linkParam reads one parameter, quoted or not.
func linkParam(s string) (name, value, rest string) {
	i := strings.IndexAny(s, "=;,")
	if i < 0 {
		return strings.ToLower(strings.TrimSpace(s)), "", ""
	}
	name = strings.ToLower(strings.TrimSpace(s[:i]))
	if s[i] != '=' {
		return name, "", s[i:]
	}
	s = strings.TrimLeft(s[i+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		if i = strings.IndexAny(s, ";,"); i < 0 {
			i = len(s)
		}
		return name, strings.TrimSpace(s[:i]), s[i:]
	}
	var b strings.Builder
	for i = 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return name, b.String(), s[min(i+1, len(s)):]
}

// documentLinks reads the links to hubs that a feed or a page carries itself.
func documentLinks(doc *Document) (hubs []string, self string) {
	text := bytes.TrimLeft(doc.Body, " \t\r\n\xef\xbb\xbf")
	if len(text) > 0 && text[0] == '{' {
		return jsonLinks(text)
	}
	if bytes.IndexByte(text[:min(len(text), 64)], 0) >= 0 { // two bytes a letter
		s, _ := vi.Decode(doc.Body, doc.Header.Get("Content-Type"))
		text = []byte(s)
	}
	for _, around := range aroundItems(text) {
		if !bytes.Contains(around, []byte("hub")) { // the common case, and cheap
			continue
		}
		part := string(around)
		scan(part, func(t tag) {
			if t.name == "link" && !t.closing {
				a := attributes(part[t.start:t.end])
				hubs, self = noteLink(hubs, self, a["rel"], a["href"])
			}
		}, func(int) {}, func(int, int) {})
	}
	return hubs, self
}

// jsonLinks reads JSON Feed's hubs (version 1.1, "hubs").
func jsonLinks(text []byte) (hubs []string, self string) {
	if !bytes.Contains(text, []byte(`"hubs"`)) {
		return nil, ""
	}
	var feed struct {
		Self string `json:"feed_url"`
		Hubs []struct{ Type, URL string }
	}
	if json.Unmarshal(text, &feed) != nil {
		return nil, ""
	}
	for _, h := range feed.Hubs {
		if strings.EqualFold(h.Type, "WebSub") || strings.EqualFold(h.Type, "PubSubHubbub") {
			hubs = append(hubs, h.URL)
		}
	}
	return hubs, feed.Self
}

var (
	headEnd    = regexp.MustCompile(`(?i)<((?:\w+:)?(?:item|entry))[\s>]|</head\s*>|<body[\s>]`)
	htmlStart  = regexp.MustCompile(`(?i)<(?:!doctype\s+)?html[\s>]`)
	attributed = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_:.-]*)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)`)
)

// aroundItems cuts a document to where its own links may stand: before the
// first item and after the last, or the head of a page. A link within an item
// is the item's.
func aroundItems(s []byte) [][]byte {
	head := s[:min(len(s), maxHead)]
	at := headEnd.FindSubmatchIndex(head)
	if at == nil {
		return [][]byte{head}
	}
	head = head[:at[0]]
	if at[2] < 0 || htmlStart.Match(head) {
		return [][]byte{head}
	}
	last := append(append([]byte("</"), s[at[2]:at[3]]...), '>')
	tail := bytes.LastIndex(s, last)
	if tail < 0 {
		return [][]byte{head}
	}
	return [][]byte{head, s[tail:min(len(s), tail+maxHead)]}
}

// attributes reads a tag's attributes; the first of a name counts.
func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, m := range attributed.FindAllStringSubmatch(tag, -1) {
		name := strings.ToLower(m[1])
		if _, dup := all[name]; !dup {
			all[name] = html.UnescapeString(strings.Trim(m[2], `"'`))
		}
	}
	return all
}
