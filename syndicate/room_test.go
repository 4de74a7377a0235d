package syndicate

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"diemtin/store"
)

// Each ruling has the order that undoes it, and that one has its own.
func TestUndoOf(t *testing.T) {
	t.Parallel()
	hide := store.Ruling{ID: 3, Verb: store.RuleHide, Story: "a", Why: "ảnh trẻ em"}
	pin := store.Ruling{ID: 4, Verb: store.RulePin, Story: "a", Items: []int64{9}}
	topic := store.Ruling{ID: 5, Verb: store.RuleTopic, Story: "a", Topics: []string{"+kinh-te"}}
	propose := store.Ruling{ID: 6, Verb: store.RulePropose}
	for _, tt := range []struct {
		name  string
		r     store.Ruling
		first *store.Ruling
		want  string
	}{
		{"a merge", store.Ruling{ID: 1, Verb: store.RuleMerge, Story: "a", Other: "b"}, nil, "unmerge ruling 1"},
		{"an unmerge", store.Ruling{ID: 2, Verb: store.RuleUnmerge, Story: "a", Other: "b"}, nil, "merge a b ruling 2"},
		{"a split", store.Ruling{ID: 2, Verb: store.RuleSplit, Story: "a", Other: "b"}, nil, "merge a b ruling 2"},
		{"a hide", hide, nil, "restore ruling 3"},
		{"a pin", pin, nil, "restore ruling 4"},
		{"a topic", topic, nil, "restore ruling 5"},
		{"a review", store.Ruling{ID: 7, Verb: store.RuleReview, Story: "a", Other: "b"}, nil, "restore ruling 7"},
		{"a proposal", propose, nil, "restore ruling 6"},
		{"the restoring of a hide", store.Ruling{ID: 8, Verb: store.RuleRestore, Story: "a"}, &hide, "hide a ảnh trẻ em ruling 8"},
		{"the restoring of a pin", store.Ruling{ID: 8, Verb: store.RuleRestore, Story: "a"}, &pin, "pin a [9] ruling 8"},
		{"the restoring of a topic", store.Ruling{ID: 8, Verb: store.RuleRestore, Story: "a"}, &topic, "topic a [+kinh-te] ruling 8"},
		{"the taking back of a proposal", store.Ruling{ID: 8, Verb: store.RuleRestore}, &propose, ""},
		{"a restoring of what is unknown", store.Ruling{ID: 8, Verb: store.RuleRestore}, nil, ""},
		{"an outlet that is back", store.Ruling{ID: 8, Verb: store.RuleRestore, Outlet: "o"}, &hide, ""},
		{"an article by hand", store.Ruling{ID: 8, Verb: store.RuleAdd}, nil, ""},
		{"topics judged anew", store.Ruling{ID: 8, Verb: store.RuleApply}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, ok := undoOf(tt.r, tt.first)
			got := ""
			if ok {
				got = string(o.Verb)
				for _, part := range []string{o.Story, o.Other, fmt.Sprint(o.Items), fmt.Sprint(o.Topics), o.Why} {
					if part != "" && part != "[]" {
						got += " " + part
					}
				}
				got += fmt.Sprint(" ruling ", o.Ruling)
			}
			if got != tt.want {
				t.Errorf("undone by %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReadProposal(t *testing.T) {
	t.Parallel()
	m := &Room{}
	m.Adopt(&Server{cfg: Config{Topics: []store.TopicInfo{{ID: "kinh-te", VI: "Kinh tế"}}}})
	for _, tt := range []struct{ name, form, want string }{
		{"a phrase", "chuyen-muc=kinh-te&viec=phrase&suc=2&tu=giá+vàng", "kinh-te giá vàng phrase 2 []"},
		{"in the headline alone", "chuyen-muc=kinh-te&viec=phrase&suc=3&tu=giá+vàng&o=title", "kinh-te giá vàng phrase 3 [title]"},
		{"everywhere", "chuyen-muc=kinh-te&viec=phrase&suc=1&tu=giá+vàng&o=title&o=summary&o=body", "kinh-te giá vàng phrase 1 []"},
		{"a mask has no weight", "chuyen-muc=kinh-te&viec=mask&suc=2&tu=giá+vàng", "kinh-te giá vàng mask 0 []"},
		{"a silence where nothing is said", "chuyen-muc=kinh-te&viec=silence&tu=vàng+da", "kinh-te vàng da silence 0 [title summary]"},
		{"a silence everywhere", "chuyen-muc=kinh-te&viec=silence&tu=vàng+da&o=body&o=summary&o=title", "kinh-te vàng da silence 0 [title summary body]"},
		{"spaces and marks", "chuyen-muc=kinh-te&viec=mask&tu=+giá%0A+vàng%E2%80%8B", "kinh-te giá vàng mask 0 []"},
		{"no topic", "viec=mask&tu=x", "chọn một chuyên mục"},
		{"an unknown topic", "chuyen-muc=the-thao&viec=mask&tu=x", "chọn một chuyên mục"},
		{"no phrase", "chuyen-muc=kinh-te&viec=mask&tu=+", "gõ một cụm từ"},
		{"notation", "chuyen-muc=kinh-te&viec=mask&tu=giá+(vàng|bạc)", "không dùng các dấu"},
		{"too long", "chuyen-muc=kinh-te&viec=mask&tu=" + strings.Repeat("x", maxPhrase+1), "quá dài"},
		{"no effect", "chuyen-muc=kinh-te&tu=x", "dùng để làm gì"},
		{"a weight of its own", "chuyen-muc=kinh-te&viec=phrase&suc=5&tu=x", "mức chắc chắn"},
		{"no number", "chuyen-muc=kinh-te&viec=phrase&suc=NaN&tu=x", "mức chắc chắn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			p, err := m.readProposal(form)
			got := fmt.Sprint(p.Topic, " ", p.Phrase, " ", p.Effect, " ", p.Weight, " ", p.Places)
			if err != nil {
				got = err.Error()
			}
			if err == nil && got != tt.want || err != nil && !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if err == nil {
				again, _ := url.Parse(proposalQuery(p))
				if back, err := m.readProposal(again.Query()); err != nil || fmt.Sprint(back) != fmt.Sprint(p) {
					t.Errorf("its address reads as %v, %v; want %v", back, err, p)
				}
			}
		})
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{"/so": "/so", "/so?truoc=5&may=1": "/so?truoc=5&may=1", "": "/", "so": "/", "//x.example": "/",
		"https://x.example": "/", `/\x.example`: "/", "/a\r\nSet-Cookie: x": "/", "javascript:alert(1)": "/"} {
		if got := localPath(from); got != want {
			t.Errorf("%q leads to %q, want %q", from, got, want)
		}
	}
	if got := withDone("/so?may=1&da=3", 9); got != "/so?da=9&may=1" {
		t.Errorf("with what was done: %s", got)
	}
}

// The ledger has a sentence for every verb there is.
func TestLedgerSays(t *testing.T) {
	t.Parallel()
	m := &Room{}
	m.Adopt(&Server{cfg: Config{Topics: []store.TopicInfo{{ID: "kinh-te", VI: "Kinh tế"}}, Partners: []Partner{{ID: "cong", Name: "Cổng Lào Cai"}}}})
	names := map[string]string{"a": "Cầu treo", "b": "Giá vàng"}
	want := map[store.RuleVerb]string{
		store.RuleMerge: "Gộp [Giá vàng] vào [Cầu treo]", store.RuleUnmerge: "Bỏ gộp: [Giá vàng] lại là tin riêng, tách khỏi [Cầu treo]",
		store.RuleSplit: "Tách [Giá vàng] ra khỏi [Cầu treo]", store.RulePin: "Chọn bản gốc của [Cầu treo]",
		store.RuleHide: "Ẩn ở mọi nơi: [Cầu treo]", store.RuleTakedown: "Ẩn ở mọi nơi: [Cầu treo]",
		store.RuleTopic: "Chuyên mục, thêm Kinh tế, bỏ the-thao: [Cầu treo]", store.RuleAdd: "Thêm bài bằng tay vào [Cầu treo]",
		store.RuleApply: "Xếp lại chuyên mục", store.RuleReview: "Để riêng: [Cầu treo] và [Giá vàng]",
		store.RulePropose: "Đề xuất quy tắc cho chuyên mục Kinh tế, the-thao: “lãi suất”", store.RulePoll: "Yêu cầu đọc ngay một nguồn của bao-mot",
		store.RuleRestore: "Hoàn tác quyết định số 3. Trước đó: Ẩn ở mọi nơi: [Cầu treo]",
		store.RuleReload:  "Đọc lại cấu hình", store.RulePartnerHide: "Ẩn khỏi tin nhúng của “Cổng Lào Cai”: [Cầu treo]",
		store.RuleKey: "Cấp khoá cho “Cổng Lào Cai”", store.RuleRevoke: "Thu hồi mọi khoá của “Cổng Lào Cai”",
	}
	for _, verb := range store.RuleVerbs {
		r := store.Ruling{ID: 5, Verb: verb, Story: "a", Other: "b", Partner: "cong", Topics: []string{"+kinh-te", "-the-thao"}, Why: "“lãi suất”"}
		var first *store.Ruling
		switch verb {
		case store.RuleRestore:
			r.Undoes, first = 3, &store.Ruling{ID: 3, Verb: store.RuleHide, Story: "a"}
		case store.RulePoll:
			r.Outlet = "bao-mot"
		}
		got := ""
		for _, part := range m.ruledSaid(r, first, names) {
			if part.Href != "" {
				part.Text = "[" + part.Text + "]"
			}
			got += part.Text
		}
		if want[verb] == "" || !strings.HasPrefix(got, want[verb]) {
			t.Errorf("%s: %q, want %q", verb, got, want[verb])
		}
	}
}

// What the store refuses is told in Vietnamese.
func TestFaultSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("hide: %w: story a is hidden already, by ruling 5", store.ErrRefused), "đang ẩn rồi"},
		{fmt.Errorf("merge: %w: a and b are one story already, a", store.ErrRefused), "đã là một tin"},
		{fmt.Errorf("restore: %w: ruling 5 (hide) is already undone, by ruling 6", store.ErrRefused), "đã được hoàn tác"},
		{fmt.Errorf("story x: %w", store.ErrNotFound), "Không có tin"},
		{fmt.Errorf("x: %w: something new", store.ErrRefused), "không làm được"},
		{errors.New("disk full"), "Máy chủ gặp lỗi"},
		{slip("Hãy chọn."), "Hãy chọn."},
	} {
		if got := faultSaid(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v is told as %q, want %q", tt.err, got, tt.want)
		}
	}
}
