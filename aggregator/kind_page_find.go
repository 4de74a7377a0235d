package aggregator

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"diemtin/aggregator/vi"
)

// dateFinder looks for the date of an element that no selector points to.
type dateFinder struct{ opt vi.DateOptions }

const (
	// maxDateText is how many characters a text has at most that is a date and
	// nothing else: "Thứ ba, ngày 05 tháng 11 năm 2024 | 14:15:00 GMT+7" has 50.
	maxDateText = 64
	// maxForeignWords is how many words in it may belong to no date ("Theo
	// TTXVN 05/11/2024").
	maxForeignWords = 2
)

// find returns the date of a listing's item as written, or "": that of a
// <time datetime>, else the first text outside links and the headline that is
// a date and nothing else.
func (f dateFinder) find(item, title *goquery.Selection) string {
	marked := ""
	item.Find("[datetime]").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		if raw := s.AttrOr("datetime", ""); f.reads(raw) {
			marked = strings.TrimSpace(raw)
		}
		return marked == ""
	})
	if marked != "" {
		return marked
	}
	var headline *html.Node // none where the item has no link
	if title.Length() > 0 {
		headline = title.Get(0)
	}
	for _, n := range item.Nodes {
		if raw := f.search(n, headline); raw != "" {
			return raw
		}
	}
	return ""
}

// search looks below an element, in the document's order. The words of
// headlines and links are no dates, but an anchor may hold the whole item.
func (f dateFinder) search(n, title *html.Node) string {
	if silentElements[n.DataAtom] {
		return ""
	}
	if n != title && n.DataAtom != atom.A && !headings[n.DataAtom] {
		if raw := ownText(n); f.isDate(raw, dateClass(n)) {
			return raw
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			if raw := f.search(c, title); raw != "" {
				return raw
			}
		}
	}
	return ""
}

var headings = map[atom.Atom]bool{atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true}

// isDate tells whether a text is a date and little else. In an element whose
// class says that it is one, other words may stand around it.
func (f dateFinder) isDate(text string, marked bool) bool {
	if text == "" || utf8.RuneCountInString(text) > maxDateText || !strings.ContainsFunc(text, unicode.IsDigit) && !marked {
		return false
	}
	if !marked && foreignWords(text) > maxForeignWords {
		return false
	}
	return f.reads(text)
}

func (f dateFinder) reads(raw string) bool { return !parseDate(raw, f.opt).IsZero() }

// ownText is the text of an element without that of its children.
func ownText(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
			b.WriteByte(' ')
		}
	}
	return vi.Line(b.String())
}

// dateWords are the words of dates, folded.
var dateWords = wordSet("thu hai ba tu nam sau bay chu nhat ngay thang gio phut giay truoc luc cap dang xuat ban am pm sa ch gmt utc ict " +
	"hom nay qua sang trua chieu toi h g t cn mon tue wed fri sat sun jan feb mar apr may jun jul aug sep oct nov dec tuan vua xong viet")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// foreignWords counts the words of a text that are in no date.
func foreignWords(text string) int {
	n := 0
	for _, w := range strings.FieldsFunc(vi.Fold(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if !dateWords[w] {
			n++
		}
	}
	return n
}

// dateClass tells whether an element's name, class or id says that it holds a
// date.
func dateClass(n *html.Node) bool {
	if n.Data == "time" {
		return true
	}
	for _, a := range n.Attr {
		if a.Key != "class" && a.Key != "id" && a.Key != "itemprop" {
			continue
		}
		for _, w := range strings.FieldsFunc(strings.ToLower(a.Val), func(r rune) bool { return !unicode.IsLetter(r) }) {
			switch w {
			case "date", "time", "datetime", "ngay", "ngaydang", "publish", "published", "pubdate", "publishdate", "datepublished", "timestamp", "thoigian":
				return true
			}
		}
	}
	return false
}

// dateText is the date of an element as written.
func dateText(s *goquery.Selection) string {
	return firstNonEmpty(s.AttrOr("datetime", ""), s.AttrOr("content", ""), s.Text(), s.Find("[datetime]").First().AttrOr("datetime", ""))
}

// emptyWords say that a listing has nothing to show, folded.
var emptyWords = []string{"chua co tin", "khong co tin", "chua co bai", "khong co bai", "khong co du lieu", "chua co du lieu",
	"khong tim thay", "chua co noi dung", "khong co noi dung", "dang cap nhat noi dung", "noi dung dang duoc cap nhat", "no posts", "no results"}

// maxEmptyNote is how many characters a note has at most that says so.
const maxEmptyNote = 120

// emptyListing says why a page without items is an empty listing rather than
// a changed page, or "": their container is there and links nowhere, or a
// short text says so.
func emptyListing(page *goquery.Document, item string) string {
	if container := containerOf(item); container != "" {
		if found := page.Find(container); found.Length() > 0 && found.Find("a[href]").Length() == 0 {
			return "the listing " + container + " is there and is empty"
		}
	}
	why := ""
	page.Find("body *").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		text := ownText(s.Get(0))
		if text == "" || utf8.RuneCountInString(text) > maxEmptyNote || silentElements[s.Get(0).DataAtom] {
			return true
		}
		folded := vi.Fold(text)
		for _, words := range emptyWords {
			if strings.Contains(folded, words) {
				why = "the page says: " + text
			}
		}
		return why == ""
	})
	return why
}

// containerOf is a selector without its last part: what the items stand in.
// It is "" if the selector has one part or is a list of several.
func containerOf(selector string) string {
	end, depth := -1, 0
	var quote rune
	for i, r := range selector {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '(' || r == '[':
			depth++
		case r == ')' || r == ']':
			depth--
		case depth == 0 && r == ',':
			return ""
		case depth == 0 && strings.ContainsRune(" >+~", r) && strings.Trim(selector[i:], " >+~") != "":
			end = i
		}
	}
	if end < 0 {
		return ""
	}
	return strings.TrimRight(selector[:end], " >+~")
}
