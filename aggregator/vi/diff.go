package vi

import (
	"strings"
	"unicode"
)

// Edit says what became of a piece of a text in another version of it.
type Edit int

// The kinds of pieces.
const (
	Kept Edit = iota
	Removed
	Added
)

// Piece is some words in a row that share one fate, joined by single spaces.
type Piece struct {
	Edit Edit
	Text string
}

// maxDiffWords bounds the words compared of either text: the cost grows with
// the product.
const maxDiffWords = 200

// Diff returns what changed from one short text to another, word by word, in
// reading order, what was removed before what stands in its place. Words are
// equal if they differ in case, in where the tone stands or in punctuation
// alone; of equal words the new form is given. The kept and added pieces
// together are the new text.
func Diff(before, after string) []Piece {
	a, b := strings.Fields(NFC(before)), strings.Fields(NFC(after))
	a, b = a[:min(len(a), maxDiffWords)], b[:min(len(b), maxDiffWords)]
	x, y := diffKeys(a), diffKeys(b)
	// common[i][j] is the length of the longest common subsequence of x[i:], y[j:].
	common := make([][]int, len(x)+1)
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var d differ
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			d.keep(b[j])
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			d.removed = append(d.removed, a[i])
			i++
		default:
			d.added = append(d.added, b[j])
			j++
		}
	}
	d.flush()
	return d.pieces
}

// Likeness is the share of the words of the longer of two short texts that the
// other has in the same order, 0 … 1.
func Likeness(pieces []Piece) float64 {
	var n [3]int
	for _, p := range pieces {
		n[p.Edit] += len(strings.Fields(p.Text))
	}
	if longer := n[Kept] + max(n[Removed], n[Added]); longer > 0 {
		return float64(n[Kept]) / float64(longer)
	}
	return 1
}

// A differ gathers pieces.
type differ struct {
	pieces         []Piece
	removed, added []string
}

func (d *differ) keep(word string) {
	d.flush()
	if n := len(d.pieces); n > 0 && d.pieces[n-1].Edit == Kept {
		d.pieces[n-1].Text += " " + word
		return
	}
	d.pieces = append(d.pieces, Piece{Kept, word})
}

func (d *differ) flush() {
	if len(d.removed) > 0 {
		d.pieces = append(d.pieces, Piece{Removed, strings.Join(d.removed, " ")})
	}
	if len(d.added) > 0 {
		d.pieces = append(d.pieces, Piece{Added, strings.Join(d.added, " ")})
	}
	d.removed, d.added = nil, nil
}

// diffKeys are the words as they are compared.
func diffKeys(words []string) []string {
	keys := make([]string, len(words))
	for i, w := range words {
		keys[i] = strings.TrimFunc(Canon(strings.ToLower(w)), func(r rune) bool { return unicode.IsPunct(r) })
		if keys[i] == "" {
			keys[i] = w
		}
	}
	return keys
}
