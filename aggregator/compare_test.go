package aggregator

import (
	"slices"
	"strings"
	"testing"

	"diemtin/store"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	text := func(s string) store.Item {
		return store.Item{Title: "Tít", Summary: "Tóm tắt.", Content: "<p>" + s + "</p>"}
	}
	long := strings.Repeat("Nước lên nhanh trong đêm khiến hàng trăm hộ dân ven sông phải rời nhà. ", 5)
	for _, tc := range []struct {
		name         string
		first, other store.Item
		want         Comparison
	}{
		{"titles alone", store.Item{Title: "Kết quả vòng 5"}, store.Item{Title: "Kết quả vòng 6"},
			Comparison{By: ByTitle, Common: []string{"Kết quả vòng"}, Shared: 0.5, Length: 1, NumbersFirst: []string{"5"}, NumbersOther: []string{"6"}}},
		{"summaries", store.Item{Title: "Thông cáo số 12", Summary: "Sáng nay Quốc hội thảo luận ở hội trường về dự án luật."},
			store.Item{Title: "Thông cáo số 18", Summary: "Sáng nay Quốc hội thảo luận ở hội trường về ngân sách năm sau."},
			Comparison{By: BySummary, Common: []string{"Thông cáo số", "Sáng nay Quốc hội thảo luận ở hội trường về"}, OnlyOther: []string{"ngân sách năm sau"},
				NumbersFirst: []string{"12"}, NumbersOther: []string{"18"}, Length: 17.0 / 18, Shared: 9.0 / 15}},
		{"texts, tones aside", text(long + "Xã Bắc Hoà đã dựng lều bạt ở sân trường cho bà con."), text(long + "Xã Bắc Hòa đã dựng lều bạt ở sân trường cho bà con."),
			Comparison{By: ByText, Shared: 1, Length: 1, Common: []string{"Tóm tắt. Nước lên nhanh trong đêm khiến hàng trăm hộ dân ven sông…"}}},
		{"texts of pages are measured, not shown", store.Item{Title: "Tít", Summary: "Tóm tắt.", Text: long}, store.Item{Title: "Tít", Summary: "Tóm tắt.", Text: long},
			Comparison{By: ByText, Shared: 1, Length: 1, Common: []string{"Tít. Tóm tắt"}}},
		{"nothing", store.Item{}, store.Item{}, Comparison{By: ByTitle}},
	} {
		got := Compare(&tc.first, &tc.other)
		if got.By != tc.want.By || !slices.Equal(got.Common, tc.want.Common) || !slices.Equal(got.OnlyFirst, tc.want.OnlyFirst) ||
			!slices.Equal(got.OnlyOther, tc.want.OnlyOther) || !slices.Equal(got.NumbersFirst, tc.want.NumbersFirst) ||
			!slices.Equal(got.NumbersOther, tc.want.NumbersOther) || got.Shared != tc.want.Shared || got.Length != tc.want.Length {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// TestCompareShowsLittle: an explanation quotes, it does not republish.
func TestCompareShowsLittle(t *testing.T) {
	t.Parallel()
	articles, _ := loadStories(t)
	for i := 1; i < 200; i++ {
		a, b := articles[i-1], articles[i]
		c := Compare(&store.Item{Title: a.Title, Summary: a.Summary, Content: a.Body}, &store.Item{Title: b.Title, Summary: b.Summary, Content: b.Body})
		for _, passages := range [][]string{c.Common, c.OnlyFirst, c.OnlyOther} {
			if len(passages) > maxPassages {
				t.Errorf("%s: %d passages", a.ID, len(passages))
			}
			for _, p := range passages {
				if n := len(readWords(p)); n > maxPassageWords {
					t.Errorf("%s: a passage of %d words: %q", a.ID, n, p)
				}
			}
		}
	}
}

// TestSketchKeys: an explanation looks under the keys an item was stored with.
func TestSketchKeys(t *testing.T) {
	t.Parallel()
	it := store.Item{Title: "Bản Liền có cầu treo mới", Summary: "Cầu dài tám mươi mét bắc qua suối.",
		Link: "https://a.example.vn/ban-lien-co-cau-treo-123.html"}
	if got := SketchKeys(&it); len(got) == 0 || len(got) > store.MaxKeys || !slices.Contains(got, LinkKeys(&it)[0]) {
		t.Errorf("got %d keys, want those of link and text", len(got))
	}
}

func BenchmarkCompare(b *testing.B) {
	articles, _ := loadStories(b)
	one, two := articles[10], articles[11]
	x := store.Item{Title: one.Title, Summary: one.Summary, Content: one.Body}
	y := store.Item{Title: two.Title, Summary: two.Summary, Content: two.Body}
	for b.Loop() {
		Compare(&x, &y)
	}
}
