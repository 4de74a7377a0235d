package syndicate

import (
	"context"
	"time"

	"diemtin/store"
)

// Explanation is why a story is as it is: what the page, its JSON and the verb
// explain show. Its JSON keys stay.
type Explanation struct {
	Story    string            `json:"story"`
	Title    string            `json:"title"`
	Listed   *string           `json:"listed"` // RFC 3339
	Updated  *string           `json:"updated"`
	Backfill bool              `json:"backfill"`
	Quoted   string            `json:"quoted"`   // link of the item that entries show
	Original string            `json:"original"` // link of the best known original; empty if it may not be shown
	Why      string            `json:"why"`      // why that is the original, as it was noted
	Reasons  []Said            `json:"original_reasons"`
	Outside  *Outside          `json:"original_outside,omitempty"`
	Province string            `json:"province"`
	Topics   []store.ItemTopic `json:"topics"`
	Copies   []CopyWhy         `json:"copies"`
	Near     []NearWhy         `json:"not_merged"`
	Rulings  []RulingWhy       `json:"rulings"`
}

// Said is a sentence for readers, in both languages.
type Said struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Outside is a source that no item of the story comes from: the original is
// there, and the best known copy stands in its place.
type Outside struct {
	Text string `json:"text"` // as the copy names it
	Link string `json:"link,omitempty"`
}

// CopyWhy is why one item belongs to the story.
type CopyWhy struct {
	Item       int64            `json:"item"`
	Outlet     string           `json:"outlet"`
	OutletName string           `json:"outlet_name"`
	Title      string           `json:"title"`
	Link       string           `json:"link"`
	Published  *string          `json:"published"`
	Seen       *string          `json:"seen"`
	Theo       string           `json:"attribution"`
	Merge      store.Merge      `json:"merge"` // as it was noted when it came
	Quoted     bool             `json:"is_quoted"`
	Original   bool             `json:"is_original"`
	Reason     Said             `json:"reason"`
	Clock      *Said            `json:"clock,omitempty"`    // if the outlet's dates cannot be believed
	Compared   *Compared        `json:"compared,omitempty"` // with the item that began the story
	Titles     []store.OldTitle `json:"former_titles,omitempty"`
}

// NearWhy is a story that is near and yet another one.
type NearWhy struct {
	Story      string   `json:"story"`
	Page       string   `json:"page"` // from the root
	Outlet     string   `json:"outlet"`
	OutletName string   `json:"outlet_name"`
	Title      string   `json:"title"`
	Link       string   `json:"link"`
	Published  *string  `json:"published"`
	Score      float64  `json:"score"`    // 0 … 1
	Evidence   string   `json:"evidence"` // as it would be noted
	Reason     Said     `json:"reason"`
	Compared   Compared `json:"compared"`
}

// Compared is what two items have in common and what not, measured now.
type Compared struct {
	By           string   `json:"by"`     // text, summary or title
	Shared       int      `json:"shared"` // per cent of the shorter one's phrases
	Length       int      `json:"length"` // per cent: shorter ÷ longer
	Common       []string `json:"common"`
	OnlyHere     []string `json:"only_here"`
	OnlyThere    []string `json:"only_there"`
	NumbersHere  []string `json:"numbers_only_here"`
	NumbersThere []string `json:"numbers_only_there"`
}

// RulingWhy is an editor's decision on the story.
type RulingWhy struct {
	At  *string `json:"at"`
	Who string  `json:"who"`
	Did Said    `json:"did"`
	Why string  `json:"why,omitempty"` // as the editor wrote it
}

// Explainer adds to an explanation what the stored evidence alone does not
// tell: reasons in words, comparisons, near misses, rulings. The copies are
// those that the reader may see.
type Explainer interface {
	Explain(ctx context.Context, e *Explanation, st store.Story, copies []store.Copy) error
}

// NewExplanation holds what the store noted of a story and its copies.
func NewExplanation(st store.Story, copies []store.Copy) Explanation {
	e := Explanation{Story: st.ID, Title: st.Quoted.Title, Listed: moment(st.Listed), Updated: moment(st.Updated), Backfill: st.Backfill,
		Quoted: st.Quoted.Link, Province: st.Province, Topics: st.Quoted.Topics,
		Reasons: []Said{}, Copies: make([]CopyWhy, 0, len(copies)), Near: []NearWhy{}, Rulings: []RulingWhy{}}
	if e.Topics == nil {
		e.Topics = []store.ItemTopic{}
	}
	for _, c := range copies {
		it := &c.Item
		if it.ID == st.Original.ID {
			e.Original, e.Why = it.Link, st.Why
		}
		e.Copies = append(e.Copies, CopyWhy{Item: it.ID, Outlet: it.Outlet, OutletName: plainName(c.Outlet.Name), Title: headline(it, &c.Outlet),
			Link: it.Link, Published: moment(it.Published), Seen: moment(it.Seen), Theo: it.Attribution.Text, Merge: c.Merge,
			Quoted: it.ID == st.Quoted.ID, Original: it.ID == st.Original.ID})
	}
	return e
}

// moment is a time as JSON has it: RFC 3339 in Việt Nam's zone, or null.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.In(store.Zone).Format(time.RFC3339)
	return &s
}
