package syndicate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// queueRows is how many rows a list of the review queue shows.
	queueRows = 20
	// manyWait is from how many on the first page counts no further.
	manyWait = 60
	// newestShown is how many of the newest stories the first page shows.
	newestShown = 10
	// foundShown is how many stories a search in the room shows.
	foundShown = 30
	// recentRulings is how many of the newest rulings the first page shows.
	recentRulings = 5
)

// roomStory is a story as lists of the room show it.
type roomStory struct {
	ID      string
	Title   string
	Teaser  string
	Outlet  string
	Out     string // address of the article
	At      time.Time
	Topics  []link
	Outlets int // that carry it
}

func (m *Room) storyRow(st *store.Story) roomStory {
	return roomStory{ID: st.ID, Title: headline(&st.Quoted, &st.Outlet), Teaser: plainText(st.Quoted.Summary, maxTeaserHere), Outlet: plainName(st.Outlet.Name),
		Out: webLink(st.Quoted.Link), At: st.Quoted.Time(), Topics: m.site().topicLinks(st.Topics), Outlets: st.Carriers}
}

// maxTeaserHere is how much of a summary the room shows, in characters.
const maxTeaserHere = 220

// homeRoom is the first page.
type homeRoom struct {
	Queues  []queueCard
	Newest  []roomStory
	Rulings []ledgerRow
}

// queueCard is one list of the queue: what it is, and how much waits.
type queueCard struct {
	Name, Href, What string
	Waits            string
}

// waiting writes how much waits; a list that is full may have more.
func waiting(n, most int) string {
	if n >= most {
		return fmt.Sprintf("hơn %d", most-1)
	}
	return fmt.Sprint(n)
}

func (m *Room) homePage(ctx context.Context, _ *http.Request, in visitor) (roomView, error) {
	pairs, err := m.explain.NearMisses(ctx)
	if err != nil {
		return roomView{}, err
	}
	merges, err := m.store.FreshMerges(ctx, false, manyWait)
	if err != nil {
		return roomView{}, err
	}
	none, err := m.topicless(ctx)
	if err != nil {
		return roomView{}, err
	}
	newest, err := m.store.Stories(ctx, store.Query{Order: store.ByListed, Limit: newestShown})
	if err != nil {
		return roomView{}, err
	}
	v := homeRoom{Queues: []queueCard{
		{"Gần giống", "/gan-giong", "Hai tin rất giống nhau mà máy chưa gộp. Gộp lại, hoặc cho biết đó là hai tin khác nhau.", waiting(len(pairs), manyWait)},
		{"Mới gộp", "/moi-gop", "Bản của các báo mà máy vừa gộp vào một tin, chỗ ít chắc chắn nhất trước. Gộp sai thì tách ra.", waiting(len(merges), manyWait)},
		{"Chưa phân loại", "/chua-phan-loai", "Tin chưa có chuyên mục nào. Xếp vào chuyên mục, hoặc để ở “Tin khác”.", waiting(len(none), maxUnclassified)},
	}}
	for i := range newest {
		v.Newest = append(v.Newest, m.storyRow(&newest[i]))
	}
	rulings, err := m.desk.Rulings(ctx, store.RulingQuery{Humans: true, Limit: recentRulings})
	if err != nil {
		return roomView{}, err
	}
	if v.Rulings, err = m.ledgerRows(ctx, rulings, in); err != nil {
		return roomView{}, err
	}
	return roomView{View: "viec", Title: "Việc cần xem", Nav: "/", Body: v}, nil
}

// nearRoom are pairs of stories that could be one.
type nearRoom struct{ Rows []pairRow }

type pairRow struct {
	One, Other roomStory
	Pair
}

func (m *Room) nearPage(ctx context.Context, _ *http.Request, _ visitor) (roomView, error) {
	misses, err := m.explain.NearMisses(ctx)
	if err != nil {
		return roomView{}, err
	}
	var v nearRoom
	for _, p := range misses[:min(len(misses), queueRows)] {
		v.Rows = append(v.Rows, pairRow{m.storyRow(&p.Story), m.storyRow(&p.Other), p.Pair})
	}
	return roomView{View: "gan-giong", Title: "Gần giống", Nav: "/", Body: v}, nil
}

// mergesRoom are the newest merges that nobody has looked at.
type mergesRoom struct {
	Rows   []mergedRow
	Newest bool
}

type mergedRow struct {
	Story roomStory
	Item  int64
	Here  roomStory // the item that came in, in a row's form
	First *roomStory
	Score int // per cent
	Pair
}

func (m *Room) mergesPage(ctx context.Context, r *http.Request, _ visitor) (roomView, error) {
	v := mergesRoom{Newest: r.FormValue("xep") == "moi"}
	merges, err := m.store.FreshMerges(ctx, v.Newest, queueRows)
	if err != nil {
		return roomView{}, err
	}
	for i := range merges {
		f := &merges[i]
		first, said, err := m.explain.Joined(ctx, *f)
		if err != nil {
			return roomView{}, err
		}
		row := mergedRow{Story: m.storyRow(&f.Story), Item: f.Item.ID, Here: copyHead(&f.Item, &f.Outlet), Score: int(100*f.Merge.Score + .5), Pair: said}
		if first.Item.ID != 0 && first.Item.ID != f.Item.ID {
			head := copyHead(&first.Item, &first.Outlet)
			row.First = &head
		}
		v.Rows = append(v.Rows, row)
	}
	return roomView{View: "moi-gop", Title: "Mới gộp", Nav: "/", Body: v}, nil
}

// copyHead is one item in a row's form.
func copyHead(it *store.Item, o *store.Outlet) roomStory {
	return roomStory{ID: it.Story, Title: headline(it, o), Teaser: plainText(it.Summary, maxTeaserHere), Outlet: plainName(o.Name), Out: webLink(it.Link), At: it.Time()}
}

// topiclessRoom are stories without a topic.
type topiclessRoom struct {
	Rows   []topiclessRow
	Topics []topicChoice
}

type topiclessRow struct {
	Story roomStory
	Near  []nearChoice
}

// nearChoice is a topic that nearly had the story.
type nearChoice struct {
	topicChoice
	Said    string
	Phrases []phraseRow
}

// topicChoice is a topic to choose.
type topicChoice struct{ ID, Name string }

func (m *Room) topicChoices() []topicChoice {
	all := make([]topicChoice, len(m.site().cfg.Topics))
	for i, t := range m.site().cfg.Topics {
		all[i] = topicChoice{string(t.ID), t.VI}
	}
	return all
}

// topicName is what readers call a topic of feeds.yaml.
func (m *Room) topicName(id store.Topic) (string, bool) {
	i := slices.IndexFunc(m.site().cfg.Topics, func(t store.TopicInfo) bool { return t.ID == id })
	if i < 0 {
		return string(id), false
	}
	return m.site().cfg.Topics[i].VI, true
}

// topicless are the newest stories without a topic that nobody has left so.
func (m *Room) topicless(ctx context.Context) ([]store.Story, error) {
	stories, err := m.store.Stories(ctx, store.Query{Selection: store.Selection{Topics: []store.Topic{store.NoTopic}}, Order: store.ByPublished, Limit: maxUnclassified})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(stories))
	for i := range stories {
		ids[i] = stories[i].ID
	}
	left, err := m.store.Topicless(ctx, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(stories, func(s store.Story) bool { return left[s.ID] }), nil
}

func (m *Room) topiclessPage(ctx context.Context, _ *http.Request, _ visitor) (roomView, error) {
	stories, err := m.topicless(ctx)
	if err != nil {
		return roomView{}, err
	}
	v := topiclessRoom{Topics: m.topicChoices()}
	for i := range stories[:min(len(stories), queueRows)] {
		row := topiclessRow{Story: m.storyRow(&stories[i])}
		for _, n := range m.site().cfg.NearTopics(&stories[i].Quoted) {
			if name, ok := m.topicName(n.Topic); ok && len(row.Near) < maxNearTopics {
				row.Near = append(row.Near, nearChoice{topicChoice{string(n.Topic), name}, m.site().nearSaid(n), m.site().phraseRows(n.Reasons)})
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return roomView{View: "chua-phan-loai", Title: "Chưa phân loại", Nav: "/", Body: v}, nil
}

// findRoom is what a search found.
type findRoom struct {
	Asked string
	Rows  []roomStory
	Fault string
}

var storyIDForm = regexp.MustCompile(`^(urn:diemtin:story:)?[a-z2-7]{13}$`)

// findPage leads to the story that an id or an address names, or searches.
func (m *Room) findPage(ctx context.Context, r *http.Request, _ visitor) (roomView, error) {
	asked := strings.TrimSpace(r.FormValue("q"))
	v := findRoom{Asked: asked}
	page := roomView{View: "tim", Title: "Tìm tin", Nav: "/"}
	if strings.Contains(asked, "://") || storyIDForm.MatchString(asked) {
		id, err := m.desk.Find(ctx, asked)
		if err == nil {
			return page, moved{"/tin/" + id, http.StatusSeeOther}
		}
		if !errors.Is(err, store.ErrNotFound) {
			return page, err
		}
		v.Fault = "Không có tin nào ở đây mang mã hoặc địa chỉ này."
		page.Body = v
		return page, nil
	}
	words, err := store.ParseWords(asked)
	if err != nil || asked == "" {
		v.Fault = "Hãy gõ vài từ có trong tiêu đề hoặc tóm tắt, hoặc dán địa chỉ bài."
		page.Body = v
		return page, nil
	}
	stories, err := m.store.Stories(ctx, store.Query{Selection: store.Selection{Words: words}, Limit: foundShown})
	if err != nil {
		return page, err
	}
	for i := range stories {
		v.Rows = append(v.Rows, m.storyRow(&stories[i]))
	}
	if len(v.Rows) == 0 {
		v.Fault = "Không tìm thấy tin nào. Thử ít từ hơn; không cần gõ dấu."
	}
	page.Body = v
	return page, nil
}

func (m *Room) helpPage(context.Context, *http.Request, visitor) (roomView, error) {
	return roomView{View: "huong-dan", Title: "Hướng dẫn", Nav: "/huong-dan", Body: helpRoom{Hours: int(sessionLength.Hours()), Idle: int(sessionIdle.Hours())}}, nil
}

// helpRoom are the numbers that the help names.
type helpRoom struct{ Hours, Idle int }
