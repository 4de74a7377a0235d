package outlettest

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Reprint says how near a reprint's lead is to the original's. With "other"
// only the bodies tell that the text is the same.
type Reprint string

// How a lead was taken over.
const (
	SameLead   Reprint = "same"
	EditedLead Reprint = "edited" // a clause less, or a word or two changed
	OtherLead  Reprint = "other"  // written anew
)

// swaps are what an editor changes in passing.
var swaps = [][2]string{
	{" cho biết ", " cho hay "}, {" trong đó ", " trong số đó "}, {" tổ chức ", " mở "}, {" gần ", " xấp xỉ "},
	{" tại ", " ở "}, {" người dân ", " bà con "}, {" khoảng ", " chừng "}, {" cũng ", " cũng đã "},
	{" hơn ", " trên "}, {" nhưng ", " song "}, {" rất ", " khá "}, {" vừa ", " mới "},
}

// reprint is the article that outlet by makes of a text that it took from
// outlet from.
func reprint(t Text, author string, from, by *Outlet, rng *rand.Rand) (Article, Reprint) {
	a := Article{Title: t.Title, Lead: t.Lead, Body: slices.Clone(t.Body), Topic: t.Topic}
	if len(t.Titles) > 0 && rng.IntN(3) > 0 {
		a.Title = pick(rng, t.Titles)
	}
	how := SameLead
	switch n := rng.IntN(20); {
	case t.Kind != Serial && n >= 17:
		a.Lead, how = t.OtherLead, OtherLead
	case n >= 11:
		a.Lead, how = editLead(t.Lead, rng), EditedLead
	}
	if n := len(a.Body); n > 3 && rng.IntN(2) == 0 { // trimmed, never below three quarters
		all, last := len(syllables(strings.Join(a.Body, " "))), len(syllables(a.Body[n-1]))
		if last*4 <= all {
			a.Body = a.Body[:n-1]
		}
	}
	for range rng.IntN(3) {
		i := rng.IntN(len(a.Body))
		a.Body[i] = swap(a.Body[i], rng)
	}
	alias := from.Name
	if len(from.Aliases) > 0 {
		alias = from.Aliases[0]
	}
	a.Credit = strings.NewReplacer("{name}", from.Name, "{domain}", from.Domain, "{alias}", alias, "{author}", author).
		Replace(by.profile.credit)
	return a, how
}

// editLead cuts the last clause off, if enough stays, else changes a word.
func editLead(lead string, rng *rand.Rand) string {
	if i := strings.LastIndex(lead, ", "); i > 0 && 10*len(syllables(lead[:i])) >= 7*len(syllables(lead)) {
		return strings.TrimSuffix(lead[:i], ",") + "."
	}
	return swap(lead, rng)
}

// swap changes one word for another, the first that fits.
func swap(s string, rng *rand.Rand) string {
	for _, pair := range shuffled(rng, swaps) {
		if strings.Contains(s, pair[0]) {
			return strings.Replace(s, pair[0], pair[1], 1)
		}
	}
	return s
}
