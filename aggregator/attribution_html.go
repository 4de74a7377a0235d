package aggregator

import (
	"strings"

	"golang.org/x/net/html"
)

// A textBlock is one line of a text with the addresses it links to.
type textBlock struct {
	text  string
	links []string
}

const (
	// tailBytes is how much of the end of the HTML is read for its last lines.
	tailBytes = 4 << 10
	// tailBlocks is how many last lines an attribution may stand in: below it
	// stand at most the author's name and a row of tags.
	tailBlocks = 3
)

// lastBlocks returns the last lines of HTML, the last one last, without the
// captions of pictures.
func lastBlocks(contentHTML string) []textBlock {
	if len(contentHTML) > tailBytes {
		contentHTML = contentHTML[len(contentHTML)-tailBytes:]
		if cut := strings.IndexAny(contentHTML, "< "); cut >= 0 {
			contentHTML = contentHTML[cut:]
		}
	}
	var blocks []textBlock
	var text strings.Builder
	var links []string
	caption := 0
	flush := func() {
		if t := strings.Join(strings.Fields(text.String()), " "); t != "" && caption == 0 {
			blocks = append(blocks, textBlock{text: t, links: links})
		}
		text.Reset()
		links = nil
	}
	for z := html.NewTokenizer(strings.NewReader(contentHTML)); ; {
		switch z.Next() {
		case html.ErrorToken:
			flush()
			return blocks[max(0, len(blocks)-tailBlocks):]
		case html.TextToken:
			for i, line := range strings.Split(string(z.Text()), "\n") {
				if i > 0 {
					flush()
				}
				text.WriteString(line)
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if !inlineTags[t.Data] {
				flush()
			}
			switch {
			case t.Data != "figcaption":
			case t.Type == html.StartTagToken:
				caption++
			case caption > 0:
				caption--
			}
			for _, a := range t.Attr {
				if t.Data == "a" && a.Key == "href" && isAddress(a.Val) {
					links = append(links, a.Val)
				}
			}
		}
	}
}
