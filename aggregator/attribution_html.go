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
	var r blockReader
	for z := html.NewTokenizer(strings.NewReader(contentHTML)); ; {
		switch z.Next() {
		case html.ErrorToken:
			r.endLine()
			return r.blocks[max(0, len(r.blocks)-tailBlocks):]
		case html.TextToken:
			for i, line := range strings.Split(string(z.Text()), "\n") {
				if i > 0 {
					r.endLine()
				}
				r.text.WriteString(line)
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			r.tag(z.Token())
		}
	}
}

// A blockReader gathers lines of text.
type blockReader struct {
	blocks   []textBlock
	text     strings.Builder // of the line so far
	links    []string        // of the line so far
	captions int             // open <figcaption> elements
}

func (r *blockReader) endLine() {
	if text := strings.Join(strings.Fields(r.text.String()), " "); text != "" && r.captions == 0 {
		r.blocks = append(r.blocks, textBlock{text: text, links: r.links})
	}
	r.text.Reset()
	r.links = nil
}

func (r *blockReader) tag(t html.Token) {
	if !inlineTags[t.Data] {
		r.endLine()
	}
	switch {
	case t.Data == "figcaption" && t.Type == html.StartTagToken:
		r.captions++
	case t.Data == "figcaption" && r.captions > 0:
		r.captions--
	case t.Data == "a":
		for _, a := range t.Attr {
			if a.Key == "href" && isAddress(a.Val) {
				r.links = append(r.links, a.Val)
			}
		}
	}
}
