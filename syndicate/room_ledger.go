package syndicate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// ledgerPageRows is how many rulings a page of the ledger shows.
const ledgerPageRows = 50

// ledgerRow is one ruling for editors.
type ledgerRow struct {
	ID      int64
	At      time.Time
	Who     string // "" = the program
	Said    []link // its sentence, stories linked
	Why     string
	Noted   string // the evidence of the program's own merge
	UndoneN int64
	Undo    string // what the button says that undoes it; "" = it cannot be undone
	AskWhy  bool   // it was made without a reason, by who looks at it
}

// ledgerRoom is a page of the ledger.
type ledgerRoom struct {
	Rows  []ledgerRow
	All   bool   // with the program's own merges
	Older string // address of the next page; "" = there is none
}

func (m *Room) ledgerPage(ctx context.Context, r *http.Request, in visitor) (roomView, error) {
	v := ledgerRoom{All: r.FormValue("may") == "1"}
	before, _ := strconv.ParseInt(r.FormValue("truoc"), 10, 64) // of anything else the ledger begins at its end
	all, err := m.desk.Rulings(ctx, store.RulingQuery{Humans: !v.All, Before: max(before, 0), Limit: ledgerPageRows + 1})
	if err != nil {
		return roomView{}, err
	}
	if len(all) > ledgerPageRows {
		all = all[:ledgerPageRows]
		v.Older = fmt.Sprintf("/so?truoc=%d", all[len(all)-1].ID)
		if v.All {
			v.Older += "&may=1"
		}
	}
	if v.Rows, err = m.ledgerRows(ctx, all, in); err != nil {
		return roomView{}, err
	}
	return roomView{View: "so", Title: "Sổ quyết định", Nav: "/so", Body: v}, nil
}

// ledgerRows puts rulings into words.
func (m *Room) ledgerRows(ctx context.Context, all []store.Ruling, in visitor) ([]ledgerRow, error) {
	var ids []string
	for _, r := range all {
		for _, id := range []string{r.Story, r.Other} {
			if id != "" {
				ids = append(ids, id)
			}
		}
	}
	names, err := m.store.Headlines(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]ledgerRow, len(all))
	for i, r := range all {
		first, err := m.undoneBy(ctx, r)
		if err != nil {
			return nil, err
		}
		rows[i] = m.ledgerRow(r, first, names, in)
	}
	return rows, nil
}

// whoSaid names who ruled. Those that are no editors have names in parentheses.
func whoSaid(who string) string {
	switch who {
	case store.WhoSignal:
		return "(lệnh của máy chủ)"
	case store.WhoWatch:
		return "(tệp cấu hình đổi)"
	}
	if partner, ok := strings.CutPrefix(who, partnerPrefix); ok {
		return "đối tác " + partner
	}
	return who
}

// undoneBy is the ruling that a restore undid; nil for other rulings.
func (m *Room) undoneBy(ctx context.Context, r store.Ruling) (*store.Ruling, error) {
	if r.Verb != store.RuleRestore {
		return nil, nil
	}
	first, err := m.ruling(ctx, r.Undoes)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &first, nil
}

// ledgerRow puts a ruling into words; first is what a restore undid.
func (m *Room) ledgerRow(r store.Ruling, first *store.Ruling, names map[string]string, in visitor) ledgerRow {
	row := ledgerRow{ID: r.ID, At: r.At, Who: whoSaid(r.Who), Said: m.ruledSaid(r, first, names), Why: scrub(r.Why), UndoneN: r.Undone}
	switch {
	case r.Who == "":
		row.Why, row.Noted = "", scrub(r.Merge.Evidence)
	case r.Verb == store.RulePropose: // it is in the sentence
		row.Why = ""
	}
	if _, ok := undoOf(r, first); ok && r.Undone == 0 {
		if row.Undo = "Hoàn tác"; r.Verb == store.RuleRestore {
			row.Undo = "Làm lại"
		}
	}
	asks := slices.Contains([]store.RuleVerb{store.RuleHide, store.RuleMerge, store.RuleSplit}, r.Verb)
	row.AskWhy = asks && r.Why == "" && r.Who == in.who && r.Undone == 0
	return row
}

// ruledSaid says what a ruling did; first is what a restore undid.
func (m *Room) ruledSaid(r store.Ruling, first *store.Ruling, names map[string]string) []link {
	say := func(words string) link { return link{Text: words} }
	story := func(id string) link {
		title := scrub(names[id])
		if title == "" { // it was merged before readers saw it
			return say("một tin chưa lên trang")
		}
		return link{Text: title, Href: "/tin/" + id}
	}
	switch r.Verb {
	case store.RuleMerge:
		return []link{say("Gộp "), story(r.Other), say(" vào "), story(r.Story)}
	case store.RuleUnmerge:
		return []link{say("Bỏ gộp: "), story(r.Other), say(" lại là tin riêng, tách khỏi "), story(r.Story)}
	case store.RuleSplit:
		return []link{say("Tách "), story(r.Other), say(" ra khỏi "), story(r.Story)}
	case store.RulePin:
		return []link{say("Chọn bản gốc của "), story(r.Story)}
	case store.RuleTopic:
		return []link{say("Chuyên mục, " + m.topicsSaid(r.Topics) + ": "), story(r.Story)}
	case store.RuleAdd:
		return []link{say("Thêm bài bằng tay vào "), story(r.Story)}
	case store.RuleApply:
		return []link{say("Xếp lại chuyên mục của tin đã lưu theo quy tắc hiện hành")}
	case store.RulePoll:
		return []link{say("Yêu cầu đọc ngay một nguồn của " + r.Outlet)}
	case store.RuleReload:
		if strings.HasPrefix(r.Why, ReloadRefused) {
			return []link{say("Không nhận cấu hình mới, cấu hình cũ giữ nguyên")}
		}
		return []link{say("Đọc lại cấu hình")}
	case store.RulePartnerHide:
		return []link{say("Ẩn khỏi tin nhúng của " + m.partnerName(r.Partner) + ": "), story(r.Story)}
	case store.RuleKey:
		return []link{say("Cấp khoá cho " + m.partnerName(r.Partner))}
	case store.RuleRevoke:
		return []link{say("Thu hồi mọi khoá của " + m.partnerName(r.Partner))}
	case store.RulePropose:
		return []link{say("Đề xuất quy tắc cho chuyên mục " + m.topicNames(r.Topics) + ": " + scrub(r.Why))}
	case store.RuleReview:
		switch {
		case r.Other != "":
			return []link{say("Để riêng: "), story(r.Story), say(" và "), story(r.Other)}
		case len(r.Items) > 0:
			return []link{say(fmt.Sprintf("Đã xem, gộp đúng: %d bản trong ", len(r.Items))), story(r.Story)}
		}
		return []link{say("Đã xem, để ở “Tin khác”: "), story(r.Story)}
	case store.RuleRestore:
		head := say(fmt.Sprintf("Hoàn tác quyết định số %d. ", r.Undoes))
		if first == nil {
			return []link{head}
		}
		was := m.ruledSaid(*first, nil, names)
		return append([]link{head, say("Trước đó: ")}, was...)
	}
	if r.Verb == store.RuleHide || r.Verb == store.RuleTakedown {
		return m.hiddenSaid(r, story)
	}
	return []link{say("Quyết định “" + string(r.Verb) + "”")}
}

// hiddenSaid says what a hide or a takedown took away.
func (m *Room) hiddenSaid(r store.Ruling, story func(string) link) []link {
	switch {
	case r.Outlet != "":
		return []link{{Text: "Gỡ toàn bộ tin của " + r.Outlet}}
	case len(r.Items) > 0:
		return []link{{Text: fmt.Sprintf("Gỡ %d bài trong ", len(r.Items))}, story(r.Story)}
	}
	return []link{{Text: "Ẩn ở mọi nơi: "}, story(r.Story)}
}

// partnerName is what people call a partner: its name in feeds.yaml, if it still
// stands there.
func (m *Room) partnerName(id string) string {
	if p := m.site().cfg.partner(id); p != nil {
		return "“" + p.Name + "”"
	}
	return "“" + id + "”"
}

// topicNames names topics of which a ruling has ids with a sign.
func (m *Room) topicNames(topics []string) string {
	var names []string
	for _, t := range topics {
		name, _ := m.topicName(store.Topic(strings.TrimLeft(t, "+-")))
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// topicsSaid says what "+kinh-te" and "-the-thao" mean.
func (m *Room) topicsSaid(topics []string) string {
	var words []string
	for _, t := range topics {
		name, _ := m.topicName(store.Topic(strings.TrimLeft(t, "+-")))
		if strings.HasPrefix(t, "-") {
			words = append(words, "bỏ "+name)
		} else {
			words = append(words, "thêm "+name)
		}
	}
	return strings.Join(words, ", ")
}
