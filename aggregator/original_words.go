package aggregator

import (
	"fmt"
	"time"

	"diemtin/store"
)

// An OriginalStep is one step in the choice of a story's original: what
// narrowed the items that were left, and by what evidence.
type OriginalStep struct {
	By     originalBy
	N, Of  int           // items kept, of how many; of byNamed: that name it, of the others
	Outlet string        // its name, where one counts; of byHonest the source that is named
	At     time.Time     // the time that counts
	Gap    time.Duration // to the next item's
	Rank   int
}

// originalBy is the kind of evidence that a step rests on.
type originalBy string

const (
	byNothing    originalBy = "nothing"     // there are no items
	byOnly       originalBy = "only"        // there is one
	byNamed      originalBy = "named"       // others name it as their source
	byNamingNone originalBy = "naming-none" // it names no source
	byHonest     originalBy = "honest"      // it names one, and those that name none came later
	byPublished  originalBy = "published"   // it was published first
	bySeenBefore originalBy = "seen-before" // it was here before the others were published
	byRank       originalBy = "rank"        // the operator's order of the outlets
	bySeen       originalBy = "seen"        // it was seen first
	byID         originalBy = "stored"      // it was stored first
)

// originalEvidence are the kinds that can decide.
var originalEvidence = []originalBy{byOnly, byNamed, byNamingNone, byHonest, byPublished, bySeenBefore, byRank, bySeen, byID}

// English says the step in a few words.
func (s OriginalStep) English() string {
	switch s.By {
	case byOnly:
		return "the only copy"
	case byNamed:
		return fmt.Sprintf("%d of the other %d name %s as their source", s.N, s.Of, s.Outlet)
	case byNamingNone:
		if s.N == 1 {
			return "the only one that names no source"
		}
		return fmt.Sprintf("one of %d that name no source", s.N)
	case byHonest:
		return fmt.Sprintf("the source named is %s, and those that name none were published later", s.Outlet)
	case byPublished:
		return fmt.Sprintf("published first: %s, %s before the next", clockAt(s.At), s.Gap)
	case bySeenBefore:
		return fmt.Sprintf("read here at %s, before the others were published", clockAt(s.At))
	case byRank:
		return fmt.Sprintf("%s ranks first (%d)", s.Outlet, s.Rank)
	case bySeen:
		return "seen first, " + clockAt(s.At)
	case byID:
		return "stored first"
	}
	return "no items"
}

// Vietnamese says the same to readers.
func (s OriginalStep) Vietnamese() string {
	switch s.By {
	case byOnly:
		return "đây là bản duy nhất"
	case byNamed:
		return fmt.Sprintf("%d trong %d bản kia ghi nguồn là %s", s.N, s.Of, s.Outlet)
	case byNamingNone:
		if s.N == 1 {
			return "chỉ có bản này không ghi là lấy từ nơi khác"
		}
		return fmt.Sprintf("là một trong %d bản không ghi là lấy từ nơi khác", s.N)
	case byHonest:
		return fmt.Sprintf("bản này ghi rõ nguồn là %s, còn những bản không ghi nguồn đều đăng sau", s.Outlet)
	case byPublished:
		return fmt.Sprintf("đăng sớm nhất: lúc %s, trước bản kế tiếp %s", clockAt(s.At), spell(s.Gap))
	case bySeenBefore:
		return fmt.Sprintf("trang này đã đọc thấy lúc %s, trước khi các bản kia đăng", clockAt(s.At))
	case byRank:
		return fmt.Sprintf("%s đứng trước trong thứ tự ưu tiên do đơn vị vận hành đặt (hạng %d)", s.Outlet, s.Rank)
	case bySeen:
		return "được đọc thấy trước, lúc " + clockAt(s.At)
	case byID:
		return "được lưu trước"
	}
	return "không có bản nào"
}

func clockAt(t time.Time) string { return t.In(store.Zone).Format("15:04 02/01/2006") }

// spell writes a duration in Vietnamese, to the minute or to the hour.
func spell(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	hours := minutes / 60
	switch {
	case minutes < 1:
		return "chưa đầy một phút"
	case hours == 0:
		return fmt.Sprintf("%d phút", minutes)
	case hours >= 48:
		return fmt.Sprintf("%d ngày", hours/24)
	case minutes%60 == 0:
		return fmt.Sprintf("%d giờ", hours)
	}
	return fmt.Sprintf("%d giờ %d phút", hours, minutes%60)
}
