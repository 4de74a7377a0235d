package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

const (
	// maxCompared is how many copies of a story are compared word by word for
	// an explanation; of the rest it tells what was noted. One costs a
	// millisecond.
	maxCompared = 20
	// maxNearStories is how many near misses are shown.
	maxNearStories = 3
	// nearItems is how many candidates are looked at for them.
	nearItems = 8
)

// explainer explains stories in words. It is what the pages and the verb share.
type explainer struct {
	db      *store.DB
	matcher *aggregator.Matcher
	now     func() time.Time
}

func newExplainer(ctx context.Context, db *store.DB) (*explainer, error) {
	all, err := db.Outlets(ctx)
	if err != nil {
		return nil, err
	}
	return &explainer{db: db, matcher: aggregator.NewMatcher(aggregator.NewNames(all)), now: time.Now}, nil
}

// Explain implements syndicate.Explainer.
func (x *explainer) Explain(ctx context.Context, e *syndicate.Explanation, st store.Story, copies []store.Copy) error {
	titles, err := x.db.Titles(ctx, st.ID)
	if err != nil {
		return err
	}
	if err := x.readTexts(ctx, &st, copies); err != nil {
		return err
	}
	first := firstCopy(st, copies)
	for i := range e.Copies {
		c, row := &copies[i], &e.Copies[i]
		row.Titles, row.Clock = titles[c.Item.ID], clockSaid(c.Outlet.Clock)
		if first == nil || c.Item.ID == first.Item.ID || i >= maxCompared {
			row.Reason = mergeSaid(c.Merge, nil)
			continue
		}
		compared := compare(c, first)
		row.Compared, row.Reason = &compared, mergeSaid(c.Merge, &compared)
	}
	x.explainOriginal(e, st, copies)
	if err := x.explainRulings(ctx, e); err != nil {
		return err
	}
	e.Near, err = x.near(ctx, st)
	return err
}

// readTexts gives the items the texts of their pages, which decided on them.
func (x *explainer) readTexts(ctx context.Context, st *store.Story, copies []store.Copy) error {
	items := make([]*store.Item, len(copies))
	for i := range copies {
		items[i] = &copies[i].Item
	}
	if err := x.db.LoadTexts(ctx, items); err != nil {
		return err
	}
	return x.db.LoadTexts(ctx, []*store.Item{&st.Quoted})
}

// firstCopy is the copy that began the story, else the one quoted.
func firstCopy(st store.Story, copies []store.Copy) *store.Copy {
	for _, fits := range []func(store.Copy) bool{
		func(c store.Copy) bool { return c.Merge.Reason == aggregator.MergeFirst },
		func(c store.Copy) bool { return c.Item.ID == st.Quoted.ID },
	} {
		if i := slices.IndexFunc(copies, fits); i >= 0 {
			return &copies[i]
		}
	}
	return nil
}

// explainOriginal says step by step why one copy is the original. If it would
// be another today (an editor pinned it, or its evidence was withdrawn), what
// was noted stands alone.
func (x *explainer) explainOriginal(e *syndicate.Explanation, st store.Story, copies []store.Copy) {
	items := make([]store.Item, len(copies))
	outlets := map[string]store.Outlet{}
	for i, c := range copies {
		items[i], outlets[c.Item.Outlet] = c.Item, c.Outlet
	}
	i, steps := aggregator.ChooseOriginal(items, outlets)
	if i < 0 || items[i].ID != st.Original.ID {
		return
	}
	for _, s := range steps {
		e.Reasons = append(e.Reasons, syndicate.Said{VI: s.Vietnamese(), EN: s.English()})
	}
	if out := aggregator.NamedOutside(items, i); out.Text != "" {
		e.Outside = &syndicate.Outside{Text: out.Text, Link: out.Link}
	}
}

// near finds the stories that came nearest to this one, and why they are not it.
func (x *explainer) near(ctx context.Context, st store.Story) ([]syndicate.NearWhy, error) {
	quoted := &st.Quoted
	items, err := x.db.Near(ctx, aggregator.SketchKeys(quoted), st.ID, nearItems)
	if err != nil {
		return nil, err
	}
	found := []syndicate.NearWhy{}
	others := make([]*store.Item, len(items))
	for i := range items {
		others[i] = &items[i]
	}
	if err := x.db.LoadTexts(ctx, others); err != nil {
		return nil, err
	}
	now, err := x.db.Outlets(ctx) // a ruling may have taken one down
	if err != nil {
		return nil, err
	}
	for _, it := range others {
		at := slices.IndexFunc(now, func(o store.Outlet) bool { return o.ID == it.Outlet })
		if at < 0 {
			continue
		}
		o := now[at]
		if o.Show == store.ShowNone || it.Time().Add(o.Delay).After(x.now()) {
			continue
		}
		if slices.ContainsFunc(found, func(n syndicate.NearWhy) bool { return n.Story == it.Story }) {
			continue
		}
		other, err := x.db.Story(ctx, it.Story)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrWithdrawn) || err == nil && other.ID == st.ID {
			continue
		}
		if err != nil {
			return nil, err
		}
		same, merge, compared := x.beside(&store.Copy{Item: *quoted, Outlet: st.Outlet}, &store.Copy{Item: *it, Outlet: o})
		found = append(found, syndicate.NearWhy{Story: it.Story, Page: "/stories/" + it.Story, Outlet: it.Outlet, OutletName: o.Name,
			Title: it.Title, Link: it.Link, Published: stamp(it.Published), Score: merge.Score, Evidence: merge.Evidence,
			Reason: nearSaid(same, compared), Compared: compared})
	}
	slices.SortStableFunc(found, func(a, b syndicate.NearWhy) int { return cmp.Compare(b.Compared.Shared, a.Compared.Shared) })
	return found[:min(len(found), maxNearStories)], nil
}

// beside says whether two items would be one story by their words, and what
// they have in common. Their texts must be loaded.
func (x *explainer) beside(c, other *store.Copy) (same bool, m store.Merge, compared syndicate.Compared) {
	at, m := x.matcher.Match(&c.Item, []*store.Item{&other.Item})
	return at >= 0, m, compare(c, other)
}

// compare measures two items. Passages are shown only where both outlets let
// their words be shown.
func compare(c, other *store.Copy) syndicate.Compared {
	m := aggregator.Compare(&c.Item, &other.Item)
	s := syndicate.Compared{By: string(m.By), Shared: percent(m.Shared), Length: percent(m.Length),
		NumbersHere: orEmpty(m.NumbersFirst), NumbersThere: orEmpty(m.NumbersOther), Common: []string{}, OnlyHere: []string{}, OnlyThere: []string{}}
	if c.Outlet.Show == store.ShowSummary && other.Outlet.Show == store.ShowSummary || m.By == aggregator.ByTitle {
		s.Common, s.OnlyHere, s.OnlyThere = orEmpty(m.Common), orEmpty(m.OnlyFirst), orEmpty(m.OnlyOther)
	}
	return s
}

func percent(x float64) int { return int(math.Round(100 * x)) }

// parts names what was compared.
var parts = map[string]syndicate.Said{
	string(aggregator.ByText):    {VI: "lời văn", EN: "text"},
	string(aggregator.BySummary): {VI: "tiêu đề và tóm tắt", EN: "headline and summary"},
	string(aggregator.ByTitle):   {VI: "tiêu đề", EN: "headline"},
}

// mergeSaid says why a copy was put into its story.
func mergeSaid(m store.Merge, c *syndicate.Compared) syndicate.Said {
	var s syndicate.Said
	switch m.Reason {
	case aggregator.MergeFirst:
		return syndicate.Said{VI: "Bản đầu tiên được đọc thấy: khi đó chưa có bản nào đủ giống để gộp.", EN: "The first that was read: nothing like it was there yet."}
	case aggregator.MergeLink:
		s = syndicate.Said{VI: "Hai bản dẫn tới cùng một địa chỉ bài.", EN: "Both name the same article's address."}
	case aggregator.MergeAttribution:
		s = syndicate.Said{VI: "Một trong hai bản ghi rõ bản kia là nguồn.", EN: "One of the two names the other as its source."}
	case aggregator.MergeText:
		s = syndicate.Said{VI: "Nội dung gần như trùng nhau.", EN: "Nearly the same words."}
	case "ruling":
		return syndicate.Said{VI: "Biên tập viên quyết định: " + m.Evidence + ".", EN: "An editor ruled so: " + m.Evidence + "."}
	default:
		s = syndicate.Said{VI: "Căn cứ: " + m.Reason + ".", EN: "Evidence: " + m.Reason + "."}
	}
	if c != nil {
		p := parts[c.By]
		s.VI += fmt.Sprintf(" So %s với bản đầu tiên: trùng %d %% của bản ngắn hơn.", p.VI, c.Shared)
		s.EN += fmt.Sprintf(" Its %s beside the first copy's: %d %% of the shorter one is the same.", p.EN, c.Shared)
		if len(c.NumbersHere)+len(c.NumbersThere) == 0 {
			s.VI += " Các con số khớp nhau."
			s.EN += " The numbers agree."
		}
	}
	return s
}

const (
	alike      = 45 // per cent of the shorter text: from here on "too little" would not be the reason
	muchLonger = 40 // per cent: shorter ÷ longer
)

// nearSaid says why a near story is another one.
func nearSaid(same bool, c syndicate.Compared) syndicate.Said {
	if same {
		return syndicate.Said{
			VI: "So bây giờ thì hai tin này là một. Khi đến, chúng chưa được gộp: lúc đó chưa có đủ văn bản để so, hoặc biên tập viên đã tách.",
			EN: "Compared now they would be one. They were not when they came: too little of their text was there, or an editor has split them."}
	}
	p := parts[c.By]
	s := syndicate.Said{
		VI: fmt.Sprintf("So %s: chỉ trùng %d %% của bản ngắn hơn, chưa đủ để coi là cùng một bài.", p.VI, c.Shared),
		EN: fmt.Sprintf("Its %s: only %d %% of the shorter one is the same, too little to be one article.", p.EN, c.Shared)}
	if c.Shared >= alike {
		s.VI = fmt.Sprintf("So %s: trùng %d %% của bản ngắn hơn, nhưng có dấu hiệu đây là hai bài khác nhau; xem kết quả phép so.", p.VI, c.Shared)
		s.EN = fmt.Sprintf("Its %s: %d %% of the shorter one is the same, but something speaks against one article; see the verdict.", p.EN, c.Shared)
	}
	if c.By == string(aggregator.ByText) && c.Length < muchLonger {
		s.VI += " Độ dài hai bản rất khác nhau."
		s.EN += " One is much longer than the other."
	}
	if c.Shared >= alike && len(c.NumbersHere) > 0 && len(c.NumbersThere) > 0 {
		s.VI = fmt.Sprintf("So %s: trùng %d %%, nhưng con số khác nhau: ở đây %s, ở kia %s.", p.VI, c.Shared, strings.Join(c.NumbersHere, ", "), strings.Join(c.NumbersThere, ", "))
		s.EN = fmt.Sprintf("Its %s: %d %% is the same, but numbers differ: %s here, %s there.", p.EN, c.Shared, strings.Join(c.NumbersHere, ", "), strings.Join(c.NumbersThere, ", "))
	}
	return s
}

// clockSaid says why an outlet's times are no evidence; nil if they are.
func clockSaid(c store.Clock) *syndicate.Said {
	switch c {
	case store.ClockAhead:
		return &syndicate.Said{VI: "Giờ đăng của báo này hay sớm hơn thực tế (ghi giờ chưa đến), nên không dùng để biết ai đăng trước.",
			EN: "This outlet dates items after the moment they were read, so its times do not tell who was first."}
	case store.ClockBehind:
		return &syndicate.Said{VI: "Giờ đăng của báo này luôn lùi hơn một giờ so với lúc đọc thấy, nên không dùng để biết ai đăng trước.",
			EN: "This outlet's items are always dated more than an hour before they appear, so its times do not tell who was first."}
	case store.ClockDays:
		return &syndicate.Said{VI: "Báo này chỉ ghi ngày, không ghi giờ đăng.", EN: "This outlet tells the day alone."}
	}
	return nil
}
