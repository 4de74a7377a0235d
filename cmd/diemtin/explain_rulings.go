package main

import (
	"context"
	"strings"

	"diemtin/store"
	"diemtin/syndicate"
)

// maxExplained bounds the rulings that one explanation shows, the newest.
const maxExplained = 20

// explainRulings says what editors have ruled on a story. Why something was
// taken down is theirs alone to tell.
func (x *explainer) explainRulings(ctx context.Context, e *syndicate.Explanation) error {
	all, err := x.db.Rulings(ctx, store.RulingQuery{Story: e.Story, Humans: true, Limit: maxExplained})
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Verb == store.RuleReview && r.Other == "" || r.Partner != "" { // it changes nothing for readers
			continue
		}
		why := syndicate.RulingWhy{At: stamp(r.At), Who: r.Who, Did: ruledSaid(r), Why: r.Why}
		if r.Verb == store.RuleHide || r.Verb == store.RuleTakedown || r.Verb == store.RuleRestore {
			why.Why = ""
		}
		e.Rulings = append(e.Rulings, why)
	}
	return nil
}

// ruledSaid says what a ruling did.
func ruledSaid(r store.Ruling) syndicate.Said {
	s := syndicate.Said{EN: ruledWords(r)}
	switch r.Verb {
	case store.RuleMerge:
		s.VI = "Gộp tin " + r.Other + " vào tin " + r.Story
	case store.RuleUnmerge:
		s.VI = "Bỏ gộp: " + r.Other + " lại là một tin riêng"
	case store.RuleSplit:
		s.VI = "Tách thành tin riêng: " + r.Other
	case store.RulePin:
		s.VI = "Chọn bản gốc"
	case store.RuleHide, store.RuleTakedown:
		s.VI = "Gỡ tin"
	case store.RuleRestore:
		s.VI = "Khôi phục"
	case store.RuleTopic:
		s.VI = "Xếp chuyên mục: " + strings.Join(r.Topics, " ")
	case store.RuleAdd:
		s.VI = "Thêm bằng tay"
	case store.RuleReview:
		s.VI = "Đã xem và thấy đúng"
		if r.Other != "" {
			s.VI = "Để riêng: " + r.Story + " và " + r.Other + " là hai tin"
		}
	case store.RulePoll:
		s.VI = "Yêu cầu đọc ngay"
	}
	if r.Undone > 0 {
		s.VI, s.EN = s.VI+" (đã huỷ)", s.EN+" (undone)"
	}
	return s
}
