package aggregator

import (
	"net/url"
	"strings"

	"diemtin/store"
)

// AttributionCompiled is store.AttributionCompiled.
const AttributionCompiled = store.AttributionCompiled

// maxTailBytes is how much of the end of a text an attribution may take: a
// by-line, the marker and a list of outlets.
const maxTailBytes = 160

// ReadAttribution reads what an item says about where its text comes from: the
// last line or last words of the text ("Theo: nhandan.vn", "(Theo Xuân
// Long/Tuổi Trẻ)", "TTXVN/Vietnam+"), else its dateline ("Hà Nội (TTXVN) -").
// contentHTML is sanitised; if empty, the summary is read in its place. What
// only sounds alike is none: "theo ông …", "theo Luật …", "theo đó".
//
// Text is the name as written, without a reporter's; Outlet is set if names
// knows it, which may be the item's own outlet; Link is set if the line links
// to an article rather than to a home page.
func ReadAttribution(summary, contentHTML string, names *Names) store.Attribution {
	if names == nil {
		names = NewNames(nil)
	}
	blocks := lastBlocks(contentHTML)
	if len(blocks) == 0 {
		blocks = []textBlock{{text: strings.TrimSpace(summary)}}
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		if c, ok := names.readTail(blocks[i].text); ok {
			return names.attribution(c, blocks[i].links)
		}
	}
	for _, text := range []string{contentText(contentHTML, maxTailBytes), summary} {
		if c, ok := names.readDateline(text); ok {
			return names.attribution(c, nil)
		}
	}
	return store.Attribution{}
}

// attribution completes a credit with the links of its line.
func (n *Names) attribution(c credit, links []string) store.Attribution {
	a := store.Attribution{Text: c.name, Outlet: c.outlet}
	if isAddress(c.name) {
		links = append([]string{c.name}, links...)
		if u, err := url.Parse(c.name); err == nil {
			a.Text = strings.TrimPrefix(u.Hostname(), "www.")
		}
	}
	for _, link := range links {
		id := n.host(link)
		if a.Outlet == "" {
			a.Outlet = id
		}
		if a.Link == "" && articleKey(link) != "" && id == a.Outlet {
			a.Link = link
		}
	}
	return a
}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// withoutAttribution returns plain text without its dateline and without the
// line or words at its end that say where it comes from.
func (n *Names) withoutAttribution(text string) string {
	text = n.withoutDateline(strings.TrimSpace(text))
	start := strings.LastIndexByte(text, '\n') + 1
	if c, ok := n.readTail(text[start:]); ok {
		text = strings.TrimSpace(text[:start+c.start])
	}
	return text
}

// withoutDateline returns text without "Hà Nội (TTXVN) -" at its beginning.
func (n *Names) withoutDateline(text string) string {
	if c, ok := n.readDateline(text); ok {
		return strings.TrimSpace(text[c.end:])
	}
	return text
}
