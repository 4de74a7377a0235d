package syndicate

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// sameTopicStories is how many stories "Tin cùng chuyên mục" lists.
const sameTopicStories = 10

// relatedStories is how many stories "Tin cùng sự kiện" lists.
const relatedStories = 6

// shownCopies is how many copies stand open on a story's page; if there are a
// few more, they do too.
const shownCopies, fewMore = 12, 3

// storyView is what a story's own page shows.
type storyView struct {
	Title    string
	Lang     string
	Lead     string
	Image    string // only where the outlet allows it
	Headline bool   // the outlet allows no more than the headline
	Reduced  bool   // no more is left of it than what names the original
	By       byline
	At       time.Time
	Seen     bool // At is when we read it: the outlet gives no time
	Original *original
	Topics   []link
	Province *link
	Outside  link // the original is there, and none of the items
	Timeline *timeline
	Copies   []copyRow
	Further  []copyRow // those behind shownCopies
	Carried  string    // "3 báo, trang tin cùng đăng"; empty if it is the only one
	Event    []card    // stories on the same event, with texts of their own
	Same     []card    // the latest of its topic
	SameOf   link
	Feeds    []feedLink // of its primary topic
	FeedsOf  link       // that topic
	Why      string     // address of the explanation
	Authors  string     // who signs it; empty if nobody

	article ldArticle // the same for programs
}

// original is the article that a story comes from, where it is not the one
// quoted.
type original struct {
	Title string
	Href  string
	By    string // its outlet
	At    time.Time
}

// copyRow is one item of a story in the list of all that carry it.
type copyRow struct {
	Title    string
	Lang     string
	By       byline
	At       time.Time
	Reason   string // why it is the same story, for a person
	Quoted   bool   // it is the item the page shows
	Original bool
	Headline headlineChange
	Former   []formerTitle // headlines it had before, the oldest first
	// Of the explanation only:
	Evidence string
	Likeness string // "92 %"; empty for the first
}

// storyPage shows one story. A story that was merged into another redirects
// there, but not for good: the merge may be undone.
func (s *Server) storyPage(ctx context.Context, r *http.Request) (page, error) {
	st, copies, err := s.storyAt(ctx, r.PathValue("id"), "")
	if err != nil {
		return page{}, err
	}
	it := &st.Quoted
	v := storyView{
		Title: headline(it, &st.Outlet), Lang: s.lang.foreign(it.Lang), Lead: summary(it, &st.Outlet, maxSummary),
		Headline: st.Outlet.Show == store.ShowHeadline, Reduced: st.Reduced, By: s.byline(it, &st.Outlet),
		At: it.Time(), Seen: it.Published.IsZero(), Original: s.originalOf(st),
		Topics: s.topicLinks(st.Topics), Outside: s.cfg.outside(&st, copies), Timeline: s.timeline(copies),
		Why: "/stories/" + st.ID + "/explain", Authors: strings.Join(authors(it), ", "), article: s.cfg.ldStory(&st),
	}
	if v.Copies, err = s.copyRows(ctx, st, copies); err != nil {
		return page{}, err
	}
	if st.Outlet.Images && strings.HasPrefix(it.Image, "https://") {
		v.Image = it.Image
	}
	if links := s.provinceLink(st.Province); links != nil {
		v.Province = &links[0]
	}
	first := earliest(copies)
	for i := range v.Copies { // which we read first, and why the first is like others, is for the explanation
		if i == first || copies[i].Merge.Reason == "first" {
			v.Copies[i].Reason = ""
		}
	}
	if len(v.Copies) == 1 && v.Copies[0].Former == nil {
		v.Copies = nil // it would say again what stands above
	}
	if len(v.Copies) > shownCopies+fewMore {
		v.Copies, v.Further = v.Copies[:shownCopies], v.Copies[shownCopies:]
	}
	if st.Carriers > 1 {
		v.Carried = fmt.Sprintf(s.words["copies"], st.Carriers)
	}
	related, err := s.store.Related(ctx, st.ID, relatedStories)
	if err != nil {
		return page{}, err
	}
	for _, r := range related {
		v.Event = append(v.Event, s.card(r.Story, 0))
	}
	if v.Same, v.SameOf, err = s.sameTopic(ctx, st); err != nil {
		return page{}, err
	}
	if len(st.Topics) > 0 {
		if ch, ok := s.cfg.channel("topics", string(st.Topics[0])); ok {
			v.Feeds, v.FeedsOf = ch.feeds(), s.linkTo(&ch)
		}
	}
	return page{View: "story", Title: v.Title, About: v.Lead, Path: "/stories/" + st.ID, NoIndex: !s.cfg.Site.IndexStories, Feeds: v.Feeds, Body: v}, nil
}

// storyAt reads a story and those of its items that may be shown; rest is what
// follows the story's address, for a story that now has another.
func (s *Server) storyAt(ctx context.Context, id, rest string) (store.Story, []store.Copy, error) {
	st, err := s.store.Story(ctx, id)
	if err != nil {
		return st, nil, fmt.Errorf("story %s: %w", id, err)
	}
	if st.ID != id {
		return st, nil, moved{"/stories/" + st.ID + rest, http.StatusFound}
	}
	copies, err := s.store.Copies(ctx, id)
	if err != nil {
		return st, nil, fmt.Errorf("copies of story %s: %w", id, err)
	}
	now := s.now()
	copies = slices.DeleteFunc(copies, func(c store.Copy) bool {
		return c.Outlet.Show == store.ShowNone || c.Item.Time().Add(c.Outlet.Delay).After(now)
	})
	return st, copies, nil
}

// originalOf shows the original where it is not the item quoted.
func (s *Server) originalOf(st store.Story) *original {
	by := s.cfg.otherOriginal(&st)
	if by.Href == "" {
		return nil
	}
	return &original{Title: cmp.Or(scrub(st.Original.Title), untitled(by.Text)), Href: by.Href, By: by.Text, At: st.Original.Time()}
}

// copyRows makes the rows of the items of a story.
func (s *Server) copyRows(ctx context.Context, st store.Story, copies []store.Copy) ([]copyRow, error) {
	titles, err := s.store.Titles(ctx, st.ID)
	if err != nil {
		return nil, fmt.Errorf("former headlines of story %s: %w", st.ID, err)
	}
	first := earliest(copies)
	rows := make([]copyRow, 0, len(copies))
	for i, c := range copies {
		it := &c.Item
		row := copyRow{
			Title: headline(it, &c.Outlet), Lang: s.lang.foreign(it.Lang), By: s.byline(it, &c.Outlet), At: it.Time(),
			Reason:   s.words.or("merge."+c.Merge.Reason, c.Merge.Reason),
			Quoted:   it.ID == st.Quoted.ID,
			Original: it.ID == st.Original.ID,
			Evidence: c.Merge.Evidence,
			Former:   formerTitles(titles[it.ID]),
		}
		if i != first {
			row.Headline = compareHeadlines(headline(&copies[first].Item, &copies[first].Outlet), row.Title)
		}
		if c.Merge.Score > 0 && c.Merge.Reason != "first" {
			row.Likeness = strconv.Itoa(int(c.Merge.Score*100)) + " %"
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// sameTopic lists the latest stories of a story's primary topic without itself;
// where there are none, the latest of everything.
func (s *Server) sameTopic(ctx context.Context, st store.Story) ([]card, link, error) {
	all, _ := s.cfg.channel("", "")
	tried := []Channel{all}
	for _, t := range st.Topics {
		if ch, ok := s.cfg.channel("topics", string(t)); ok {
			tried = []Channel{ch, all}
			break
		}
	}
	var stories []store.Story
	var of link
	for _, ch := range tried {
		var err error
		stories, err = s.store.Stories(ctx, store.Query{Selection: ch.Selection, Order: store.ByPublished, Limit: sameTopicStories + 1})
		if err != nil {
			return nil, of, fmt.Errorf("stories beside %s: %w", st.ID, err)
		}
		stories = slices.DeleteFunc(stories, func(x store.Story) bool { return x.ID == st.ID })
		of = s.linkTo(&ch)
		if len(stories) > 0 {
			break
		}
	}
	return s.cards(stories[:min(len(stories), sameTopicStories)], 0), of, nil
}

// itemPage sends an item's address on to its story. Not for good: an item may
// be put into another story.
func (s *Server) itemPage(ctx context.Context, r *http.Request) (page, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return page{}, store.ErrNotFound
	}
	it, err := s.store.Item(ctx, id)
	if err != nil {
		return page{}, fmt.Errorf("item %d: %w", id, err)
	}
	return page{}, moved{"/stories/" + it.Story, http.StatusFound}
}
