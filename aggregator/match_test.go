package aggregator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// floodText is an article of some 260 syllables, written for these tests.
const floodText = `<p>Mưa lớn kéo dài từ đêm 4/11 đến sáng 5/11 làm nước suối Ngòi Bo dâng nhanh, gây ngập nhiều tuyến đường liên thôn ở xã Phong Hải. Toàn xã có 37 nhà bị nước tràn vào, 12 hộ ở thôn Tân Hồ phải di dời khẩn cấp trong đêm.</p>
<p>Chủ tịch xã Trần Văn Thắng cho biết lực lượng dân quân cùng công an xã đã giúp bà con kê cao đồ đạc, chuyển lúa giống lên gác và đưa người già, trẻ nhỏ tới nhà văn hóa. Đến 9 giờ sáng không có thiệt hại về người, song 18 héc ta rau vụ đông và 3 ao cá bị cuốn trôi.</p>
<p>Tại cầu tràn Khởi Khe, dòng nước chảy xiết ngang đầu gối người lớn, xã đã dựng rào chắn và cử người trực suốt ngày đêm. Trường tiểu học số 2 cho học sinh nghỉ để bảo đảm an toàn; thầy cô ở lại dọn bùn trong sân trường cùng phụ huynh.</p>
<p>Ông Thắng nói xã đã xin huyện hỗ trợ 5 tấn gạo và thuốc khử khuẩn nguồn nước, đồng thời rà soát 4 điểm có nguy cơ sạt lở sau đồi Hoàng Liên. Dự báo mưa giảm dần từ chiều nay, nhưng bà con được nhắc chưa nên về nhà khi nước còn cao.</p>`

// goldText is what a gold price column of one day says of another with other
// figures: a template of some 120 syllables.
const goldText = `<p>Giá vàng hôm nay %[1]s tại các công ty kinh doanh vàng lớn trong nước được niêm yết ở mức %[2]s triệu đồng mỗi lượng chiều mua vào và %[3]s triệu đồng mỗi lượng chiều bán ra, %[4]s nghìn đồng so với phiên liền trước.</p>
<p>Trên thị trường thế giới, giá vàng giao ngay đứng ở mức %[5]s USD mỗi ounce, quy đổi theo tỷ giá ngân hàng tương đương %[6]s triệu đồng mỗi lượng, thấp hơn giá trong nước %[7]s triệu đồng.</p>
<p>Các chuyên gia cho rằng nhà đầu tư nên thận trọng khi giá biến động mạnh, không nên vay tiền để mua vàng và cần theo dõi sát diễn biến của đồng đô la Mỹ cùng lãi suất của các ngân hàng trung ương trong thời gian tới.</p>`

func gold(day string, figures ...any) string {
	return fmt.Sprintf(goldText, append([]any{day}, figures...)...)
}

const floodSummary = "Mưa lớn kéo dài từ đêm 4/11 đến sáng 5/11 làm nước suối Ngòi Bo dâng nhanh, xã Phong Hải có 37 nhà bị nước tràn vào, 12 hộ phải di dời khẩn cấp."

var matchDay = time.Date(2024, 11, 5, 9, 0, 0, 0, store.Zone)

// article is an item of an outlet, published so long after matchDay.
func article(outlet, title, summary, content string, after time.Duration) *store.Item {
	return &store.Item{Outlet: outlet, Title: title, Summary: summary, Content: content, Published: matchDay.Add(after), Seen: matchDay.Add(after)}
}

// paragraphs returns some paragraphs of an article.
func paragraphs(text string, from, to int) string {
	return strings.Join(strings.Split(text, "\n")[from:to], "\n")
}

func TestMatchText(t *testing.T) {
	t.Parallel()
	const hour, day = time.Hour, 24 * time.Hour
	original := article("a", "Lũ ở Phong Hải: 12 hộ dân phải di dời trong đêm", floodSummary, floodText, 0)
	headline := article("a", original.Title, floodSummary, "", 0)
	lead := func(outlet, title, summary string) *store.Item { return article(outlet, title, summary, "", hour) }
	for _, tc := range []struct {
		name     string
		one, two *store.Item
		want     bool
		evidence string // part of it
	}{
		{"full: a copy under a new headline, with its source", original,
			article("b", "Xã vùng cao trắng đêm chống lụt", "Người dân một xã vùng cao vừa qua một đêm không ngủ.", "<p>Lào Cai (TTXVN) - "+floodText[3:]+"<p>Theo Báo Lào Cai</p>", hour), true, "numbers agree"},
		{"full: half of it", original, article("b", "Nước lên nhanh ở Phong Hải", floodSummary, paragraphs(floodText, 0, 2), hour), true, ""},
		{"full: plain text against HTML", original, article("b", original.Title, floodSummary, contentText(floodText, maxMatchBytes), hour), true, ""},
		{"full: a follow-up that quotes", original,
			article("b", "Phong Hải đón 5 tấn gạo hỗ trợ", "Sáng 6/11, đoàn công tác của huyện đã trao gạo cho các hộ bị ngập.",
				"<p>Sáng 6/11, đoàn công tác do Phó Chủ tịch huyện Lý Thị Mẩy dẫn đầu đã về trao gạo, chăn ấm và thuốc men cho bà con thôn Tân Hồ. Tại nhà văn hóa, từng gia đình ký nhận phần quà của mình rồi trở về dọn dẹp, nhiều người xúc động vì được quan tâm đúng lúc khó khăn nhất.</p><p>Bà Mẩy đề nghị xã sớm thống kê thiệt hại, sửa đường, khơi cống và lập danh sách những hộ cần nơi ở mới trước Tết; ngành điện phải nối lại đường dây trong hai ngày tới, còn trạm y tế cử người phun khử khuẩn từng giếng nước.</p><p>Đại diện doanh nghiệp trên địa bàn cũng góp máy xúc để múc bùn. Đoàn thanh niên các xã bên cạnh đăng ký 60 người sang giúp thu dọn trường học, dựng lại hàng rào và trồng lại vườn rau. Hợp tác xã chè Phong Hải miễn tiền giống cho các gia đình mất mùa, ngân hàng chính sách hứa giãn nợ sáu tháng và cho vay thêm để sửa chuồng trại. Trước khi ra về, đoàn đã tới thăm cụ Giàng A Páo, người cao tuổi nhất thôn, và tặng cụ tấm áo ấm do phụ nữ thị trấn may tay.</p>"+floodText, day), false, "needed"},
		{"full: the same gold column of another day",
			article("a", "Giá vàng hôm nay 5/11: Tăng nhẹ", "Giá vàng trong nước hôm nay tăng nhẹ.", gold("5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9"), 0),
			article("b", "Giá vàng hôm nay 6/11: Giảm mạnh", "Giá vàng trong nước hôm nay giảm mạnh.", gold("6/11", "85,1", "87,3", "giảm 900", "2.660", "81,2", "6,1"), day), false, "different dates"},
		{"full: the same column, dates in the text alone",
			article("a", "Giá vàng tăng nhẹ", "", gold("5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9"), 0),
			article("b", "Giá vàng giảm mạnh", "", gold("6/11", "85,1", "87,3", "giảm 900", "2.660", "81,2", "6,1"), day), false, "numbers"},
		{"full: another text", original, article("b", "Giá vàng tăng nhẹ", "", gold("5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9"), hour), false, ""},
		{"full: one outlet, another headline, half of it, two days later", original, article("a", "Nước lên nhanh ở Phong Hải", floodSummary, paragraphs(floodText, 0, 2), 2*day), false, "within one outlet"},
		{"full: one outlet, the same day, half of it with all its numbers", original, article("a", "Nước lên nhanh ở Phong Hải", floodSummary, paragraphs(floodText, 0, 2), hour), true, "within one outlet"},
		{"full: one outlet again under a new address", original, article("a", "Lũ ở Phong Hải, 12 hộ phải di dời", floodSummary, floodText, hour), true, ""},
		{"full: half of it, a week later", original, article("b", "Nước lên nhanh ở Phong Hải", floodSummary, paragraphs(floodText, 0, 2), 7*day), false, "far apart"},
		{"full: the same, a week later", original, article("b", "Nước lên nhanh ở Phong Hải", floodSummary, floodText, 7*day), true, ""},

		{"lead: the same summary under a new headline", headline, lead("b", "Trắng đêm chống lụt", floodSummary), true, "100 %"},
		{"lead: the beginning of it, with a dateline", headline, lead("b", "Trắng đêm chống lụt", "(TTXVN) - Mưa lớn kéo dài từ đêm 4/11 đến sáng 5/11 làm nước suối Ngòi Bo dâng nhanh, xã Phong Hải có 37 nhà bị nước tràn vào"), true, "100 %"},
		{"lead: another date style", headline, lead("b", "Trắng đêm chống lụt", strings.NewReplacer("4/11", "4-11", "5/11", "05.11.2024").Replace(floodSummary)), true, "100 %"},
		{"lead: a text against a summary", original, lead("b", "Trắng đêm chống lụt", floodSummary), true, ""},
		{"lead: a retold report", headline, lead("b", original.Title, "Nước suối Ngòi Bo dâng nhanh do mưa lớn, hàng chục nhà ở xã Phong Hải bị ngập và 12 hộ phải rời đi ngay trong đêm."), false, ""},
		{"lead: other figures", headline, lead("b", "Trắng đêm chống lụt", strings.NewReplacer("37", "52", "12", "20").Replace(floodSummary)), false, ""},
		{"lead: communiqués", article("a", "Thông cáo số 12, Kỳ họp thứ 8", "Ngày 4/11, Quốc hội họp phiên toàn thể tại hội trường dưới sự điều hành của Chủ tịch Quốc hội, tiếp tục thảo luận về kinh tế.", "", 0),
			lead("b", "Thông cáo số 13, Kỳ họp thứ Tám", "Ngày 5/11, Quốc hội họp phiên toàn thể tại hội trường dưới sự điều hành của Chủ tịch Quốc hội, tiếp tục thảo luận về kinh tế."), false, "different instalments: số "},
		{"lead: rounds", article("a", "Lịch thi đấu vòng 5", floodSummary, "", 0), lead("b", "Lịch thi đấu vòng 6", floodSummary), false, "different instalments: vòng "},
		{"lead: stock columns", article("a", "Chứng khoán ngày 9/6 qua lăng kính kỹ thuật", floodSummary, "", 0), lead("b", "Chứng khoán ngày 22/6 qua lăng kính kỹ thuật", floodSummary), false, "different dates"},
		{"lead: examination papers", article("a", "Đề thi môn Vật lí kỳ thi tốt nghiệp", "Mời bạn đọc xem đề thi và gợi ý bài giải môn Vật lí mã đề 206 của kỳ thi tốt nghiệp sáng nay do các thầy cô thực hiện.", "", 0),
			lead("b", "Đề thi môn Hóa học kỳ thi tốt nghiệp", "Mời bạn đọc xem đề thi và gợi ý bài giải môn Hóa học mã đề 206 của kỳ thi tốt nghiệp sáng nay do các thầy cô thực hiện."), false, ""},
		{"lead: lunar calendar", article("a", "Lịch âm hôm nay", "Xem lịch âm hôm nay thứ Ba ngày 5/11 tức ngày 5 tháng 10 năm Giáp Thìn, giờ hoàng đạo, việc nên làm và việc cần tránh trong ngày.", "", 0),
			lead("b", "Lịch âm hôm nay", "Xem lịch âm hôm nay thứ Tư ngày 6/11 tức ngày 6 tháng 10 năm Giáp Thìn, giờ hoàng đạo, việc nên làm và việc cần tránh trong ngày."), false, ""},
		{"lead: weather", article("a", "Thời tiết hôm nay", "Bắc Bộ có mưa rào và dông rải rác, nhiệt độ thấp nhất 22-24 độ, cao nhất 29-31 độ, gió nhẹ, trong mưa dông có khả năng xảy ra lốc sét.", "", 0),
			lead("b", "Thời tiết hôm nay", "Bắc Bộ có mưa rào và dông rải rác, nhiệt độ thấp nhất 21-23 độ, cao nhất 27-30 độ, gió nhẹ, trong mưa dông có khả năng xảy ra lốc sét."), false, ""},
		{"lead: too short to tell", article("a", "Chậm hồi âm", "Đến nay báo vẫn chưa nhận được hồi âm của:", "", 0), lead("b", "Bạn đọc hỏi", "Đến nay báo vẫn chưa nhận được hồi âm của:"), false, "too few"},
		{"lead: a number alone differs", article("a", "Bạn đọc viết", floodSummary, "", 0), lead("b", "Bạn đọc viết 12", floodSummary), false, "a number alone"},
		{"lead: one outlet's standing summary", headline, lead("a", "Trắng đêm chống lụt", "Mưa lớn kéo dài từ đêm 4/11 đến sáng 5/11 làm nước suối Ngòi Bo dâng nhanh, xã Phong Hải có 37 nhà bị nước tràn vào"), false, ""},

		{"title: equal", article("a", "Đoàn kiểm tra của tỉnh làm việc với xã Phong Hải về khắc phục hậu quả mưa lũ", "", "", 0), lead("b", "Đoàn kiểm tra của tỉnh làm việc với xã Phong Hải về khắc phục hậu quả mưa lũ", ""), true, "equal titles"},
		{"title: short", article("a", "Tin vắn trong ngày", "", "", 0), lead("b", "Tin vắn trong ngày", ""), false, "too few"},
		{"title: two days later", article("a", "Đoàn kiểm tra của tỉnh làm việc với xã Phong Hải về khắc phục hậu quả mưa lũ", "", "", -2*day), lead("b", "Đoàn kiểm tra của tỉnh làm việc với xã Phong Hải về khắc phục hậu quả mưa lũ", ""), false, "too far apart"},
		{"title: one outlet", article("a", "Đoàn kiểm tra của tỉnh làm việc với xã Phong Hải về khắc phục hậu quả mưa lũ", "", "", 0), lead("a", "Đoàn kiểm tra của tỉnh làm việc với xã Phong Hải về khắc phục hậu quả mưa lũ", ""), false, "one outlet"},
		{"empty items", &store.Item{}, &store.Item{}, false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := NewMatcher(NewNames(newspapers))
			for _, pair := range [][2]*store.Item{{tc.one, tc.two}, {tc.two, tc.one}} {
				i, merge := m.Match(pair[0], []*store.Item{pair[1]})
				if got := i == 0; got != tc.want {
					t.Fatalf("got %v (%+v), want %v", got, merge, tc.want)
				}
				if want := map[bool]string{true: MergeText, false: MergeFirst}[tc.want]; merge.Reason != want {
					t.Errorf("reason %q, want %q", merge.Reason, want)
				}
				if !strings.Contains(merge.Evidence, tc.evidence) || merge.Evidence == "" {
					t.Errorf("evidence %q, want it to say %q", merge.Evidence, tc.evidence)
				}
				if said := NotedVietnamese(merge.Evidence); english.MatchString(said) {
					t.Errorf("evidence %q is %q in Vietnamese", merge.Evidence, said)
				}
				if merge.Score < 0 || merge.Score > 1 || !merge.At.IsZero() {
					t.Errorf("score %v at %v, want within 0 … 1 and no time", merge.Score, merge.At)
				}
			}
		})
	}
}

// english are words of evidence that no Vietnamese has.
var english = regexp.MustCompile(`\b(of|the|and|but|with|titles?|texts?|shared|needed|numbers?|equal|source|named?|names|first|before|apart|one|other|where|within|copy|items?|summary|to|is|by|no)\b`)

// What is noted of an original, and of merges by address, is told in Vietnamese.
func TestNotedVietnamese(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 7, 0, 0, 0, time.UTC)
	for _, by := range []originalBy{byNothing, byOnly, byNamed, byNamingNone, byHonest, byPublished, bySeenBefore, byRank, bySeen, byID} {
		for _, n := range []int{1, 2} {
			s := OriginalStep{By: by, Outlet: "laocai", N: n, Of: 3, At: at, Gap: time.Hour, Rank: 2}
			if said := NotedVietnamese(s.English()); english.MatchString(said) || said == s.English() {
				t.Errorf("%q is told as %q", s.English(), said)
			}
		}
	}
	for _, tt := range []struct{ noted, want string }{
		{"both name the article https://a.vn/x", "cả hai dẫn tới cùng một bài: https://a.vn/x"},
		{"names TTXVN as its source", "ghi nguồn là TTXVN"},
		{"is named as the source: TTXVN", "được bản kia ghi là nguồn: TTXVN"},
		{"titles name different dates: 5/11 and 6/11", "tít ghi hai ngày khác nhau: 5/11 và 6/11"},
		{"63 % of 120 five-syllable runs of the shorter text shared, 41 % of all; 70 % needed with 3 numbers disputed", "trùng 63 % trong 120 cụm năm tiếng của bản ngắn hơn, 41 % của cả hai bản; cần 70 % vì 3 con số không khớp"},
		{"97 % of 120 five-syllable runs of the shorter text shared, 41 % of all; a trimmed copy", "trùng 97 % trong 120 cụm năm tiếng của bản ngắn hơn, 41 % của cả hai bản; là bản cắt ngắn"},
		{"80 % of 20 three-syllable runs of the shorter summary shared; 5 of them and the title's in no other story; numbers agree", "trùng 80 % trong 20 cụm ba tiếng của tóm tắt ngắn hơn; 5 cụm trong đó và trong tít không có ở tin nào khác; các con số khớp nhau"},
		{"an editor ruled so", "biên tập viên quyết định như vậy"},
		{"something new", "something new"},
	} {
		if got := NotedVietnamese(tt.noted); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.noted, got, tt.want)
		}
	}
}

func TestMatchLinks(t *testing.T) {
	t.Parallel()
	const address = "https://baolaocai.vn/lu-o-phong-hai-post391234.html"
	original := &store.Item{Outlet: "baolaocai", Title: "Lũ ở Phong Hải", Link: address, Aliases: []string{"guid:x:1", "link:" + address}}
	for _, tc := range []struct {
		name   string
		it     store.Item
		reason string
	}{
		{"canonical link of another outlet's page", store.Item{Outlet: "b", Title: "Trắng đêm", Link: "https://b.vn/1", Aliases: []string{"link:http://www.baolaocai.vn/lu-o-phong-hai-post391234.html?utm_source=b#top"}}, MergeLink},
		{"a stored key", store.Item{Outlet: "b", Title: "Trắng đêm", Link: "https://b.vn/trang-dem-123.html", Aliases: []string{"link:baolaocai.vn/lu-o-phong-hai-post391234.html"}}, MergeLink},
		{"former domain", store.Item{Outlet: "b", Title: "Trắng đêm", Link: "https://moi.vn/bai-post391234.html", Aliases: []string{"was:" + address}}, MergeLink},
		{"named as the source", store.Item{Outlet: "b", Title: "Trắng đêm", Attribution: store.Attribution{Text: "Báo Lào Cai", Link: address}}, MergeAttribution},
		{"a guid is no link", store.Item{Outlet: "b", Title: "Trắng đêm", Aliases: []string{"guid:s:" + address}}, MergeFirst},
		{"the home page", store.Item{Outlet: "b", Title: "Trắng đêm", Link: "https://baolaocai.vn/", Attribution: store.Attribution{Text: "Báo Lào Cai", Link: "https://baolaocai.vn"}}, MergeFirst},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := NewMatcher(nil)
			other := &store.Item{Outlet: "c", Title: "Tin khác", Link: "https://c.vn/tin-khac-20241105.html"}
			i, merge := m.Match(&tc.it, []*store.Item{other, original})
			if merge.Reason != tc.reason || (i == 1) != (tc.reason != MergeFirst) {
				t.Errorf("got %d, %+v; want %s", i, merge, tc.reason)
			}
			if _, merge := m.Match(original, []*store.Item{other, &tc.it}); merge.Reason != tc.reason {
				t.Errorf("the other way round: got %+v, want %s", merge, tc.reason)
			}
			meet := false
			for _, k := range LinkKeys(&tc.it) {
				meet = meet || slices.Contains(LinkKeys(original), k)
			}
			if meet != (tc.reason != MergeFirst) {
				t.Errorf("link keys meet: %v, want %v", meet, !meet)
			}
		})
	}
}

func TestMatchTakesTheBest(t *testing.T) {
	t.Parallel()
	it := article("d", "Lũ ở Phong Hải", floodSummary, floodText, 0)
	near := []*store.Item{
		article("a", "Giá vàng", "", gold("5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9"), 0),
		article("b", "Trắng đêm", floodSummary, paragraphs(floodText, 0, 3), 0),
		article("c", "Trắng đêm", floodSummary, floodText, 0),
	}
	m := NewMatcher(nil)
	want, merge := m.Match(it, near)
	if want != 2 {
		t.Fatalf("got %d, %+v; want 2", want, merge)
	}
	var wg sync.WaitGroup // a Matcher may be used concurrently
	for range 8 {
		wg.Go(func() {
			if got, again := m.Match(it, near); got != want || again != merge {
				t.Errorf("got %d, %+v; then %d, %+v", want, merge, got, again)
			}
		})
	}
	wg.Wait()
	if i, merge := m.Match(it, nil); i != -1 || merge.Reason != MergeFirst || merge.Evidence == "" {
		t.Errorf("without candidates: got %d, %+v", i, merge)
	}
}

// BenchmarkMatch compares one article with 20 others: in the best case they
// have nothing in common, in the worst each is nearly the same text.
func BenchmarkMatch(b *testing.B) {
	long := strings.Repeat(floodText+"\n", 2) // some 520 syllables, the median of the labelled stories
	it := article("z", "Lũ ở Phong Hải", floodSummary, long, 0)
	for _, bc := range []struct {
		name    string
		summary string
		content func(i int) string
	}{
		{"unlike", "Giá vàng trong nước sáng nay tăng nhẹ theo giá thế giới, chênh lệch giữa mua vào và bán ra vẫn ở mức cao.", func(i int) string {
			return strings.Repeat(gold("5/11", i, "89,5", "tăng 200", "2.735", "83,6", "5,9"), 3)
		}},
		{"alike", floodSummary, func(i int) string { return fmt.Sprintf("%s<p>Bản số %d</p>", long, i) }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			near := make([]*store.Item, 20)
			for i := range near {
				near[i] = article(fmt.Sprintf("o%d", i), "Trắng đêm chống lụt", bc.summary, bc.content(i), 0)
				near[i].Aliases = []string{fmt.Sprintf("guid:s:%d", i), fmt.Sprintf("link:o%d.vn/trang-dem-chong-lut-%d.html", i, i)}
			}
			m := NewMatcher(NewNames(newspapers))
			b.ReportAllocs()
			for b.Loop() {
				m.Match(it, near)
			}
		})
	}
}

// A copy that says whose it is needs less proof, but never none.
func TestMatchCredit(t *testing.T) {
	t.Parallel()
	original := article("a", "Phong Hải trắng đêm chống lụt", "Mưa lớn làm 37 nhà ở Phong Hải bị nước tràn vào trong đêm.", "", 0)
	copied := func(outlet, title, summary string, after time.Duration) *store.Item {
		it := article("b", title, summary, "", after)
		it.Attribution = store.Attribution{Text: outlet, Outlet: outlet}
		return it
	}
	for _, tc := range []struct {
		name string
		copy *store.Item
		want bool
	}{
		{"the headline kept, another lead", copied("a", original.Title, "Một đêm không ngủ ở xã vùng cao.", time.Hour), true},
		{"the short lead kept, another headline", copied("a", "Nước lên nhanh", original.Summary, time.Hour), true},
		{"nothing kept", copied("a", "Nước lên nhanh", "Một đêm không ngủ ở xã vùng cao.", time.Hour), false},
		{"another outlet named", copied("c", original.Title, "Một đêm không ngủ ở xã vùng cao.", time.Hour), false},
		{"too late", copied("a", original.Title, "Một đêm không ngủ ở xã vùng cao.", 40*time.Hour), false},
		{"other numbers", copied("a", original.Title, "Mưa lớn làm 12 nhà bị ngập.", time.Hour), false},
		{"no source named", copied("", original.Title, "Một đêm không ngủ ở xã vùng cao.", time.Hour), false},
	} {
		for _, pair := range [][2]*store.Item{{original, tc.copy}, {tc.copy, original}} {
			i, merge := NewMatcher(nil).Match(pair[0], []*store.Item{pair[1]})
			if (i == 0) != tc.want {
				t.Errorf("%s: merged %v, want %v (%s)", tc.name, i == 0, tc.want, merge.Evidence)
			}
		}
	}
}

// Between texts, too, a credit speaks for a copy that has a lead and figures of
// its own; it makes one of neither two days' columns nor a follow-up.
func TestMatchCreditOfTexts(t *testing.T) {
	t.Parallel()
	credited := func(it *store.Item) *store.Item {
		it.Attribution = store.Attribution{Text: "a", Outlet: "a"}
		return it
	}
	flood := article("a", "Phong Hải trắng đêm chống lụt", floodSummary, floodText, 0)
	ownLead := func() *store.Item {
		return article("b", "Nước lên nhanh ở vùng cao", "Hơn 240 người và 61 xe của huyện được điều đi giúp dân.", paragraphs(floodText, 1, 4), time.Hour)
	}
	day := func(outlet, day, one, two string, after time.Duration) *store.Item {
		return article(outlet, "Giá vàng trong nước chiều nay", "Giá vàng bán ra "+one+" triệu đồng, thế giới "+two+" USD.",
			gold(day, one, one+",5", "tăng 300", two, "79,"+one, "7,"+one), after)
	}
	news := `<p>Chiều qua đoàn công tác của tỉnh tới từng nhà trao tiền mặt, bàn với cán bộ thôn cách dựng lại mái cho những gia đình mất chỗ ở, và hẹn tháng sau khởi công kè đá bên bờ suối. Nhiều thanh niên từ các bản lân cận mang theo cuốc xẻng, góp công xúc bùn, lợp tôn, kéo lại đường dây điện. Một doanh nghiệp dưới xuôi gửi lên tấm lợp, xi măng cùng chăn ấm; nhóm bác sĩ trẻ khám bệnh, phát thuốc cho cụ già. Bí thư đảng ủy đề nghị ngành giáo dục tặng sách vở để lũ trẻ kịp trở lại lớp học đầu tuần tới, còn hội phụ nữ nhận nấu cơm trưa cho thợ xây.</p>
`
	for _, tc := range []struct {
		name     string
		one, two *store.Item
		want     bool
	}{
		{"a lead of its own, uncredited", flood, ownLead(), false},
		{"a lead of its own, credited", flood, credited(ownLead()), true},
		{"two days of a column", day("a", "5/11", "86", "2735", 0), credited(day("b", "6/11", "84", "2702", 24*time.Hour)), false},
		{"a follow-up that quotes", flood, credited(article("b", "Dựng lại nhà ở Phong Hải", "Tỉnh trao tiền cho các hộ.", news+floodText, 20*time.Hour)), false},
	} {
		for _, pair := range [][2]*store.Item{{tc.one, tc.two}, {tc.two, tc.one}} {
			i, merge := NewMatcher(nil).Match(pair[0], []*store.Item{pair[1]})
			if (i == 0) != tc.want {
				t.Errorf("%s: merged %v, want %v (%s)", tc.name, i == 0, tc.want, merge.Evidence)
			}
		}
	}
}

// Outlets word the summary anew and keep the text: then the texts are measured
// without the summaries too, unless something speaks against a merge.
func TestMatchLeadsOfTheirOwn(t *testing.T) {
	t.Parallel()
	const leadA = "Suốt đêm, bà con các bản vùng cao cùng bộ đội dầm mình trong nước lạnh để giữ lấy từng bao thóc, từng con trâu, trong lúc điện mất và đường về trung tâm huyện đã bị đất đá vùi lấp nhiều đoạn chưa ai sang được"
	const leadB = "Không một ai chợp mắt: người già và trẻ nhỏ được cõng lên nhà văn hóa trên đồi cao, còn trai tráng ở lại chèn cửa, buộc mái, thay nhau canh con suối đang gầm gào ngay sau lưng những nếp nhà sàn ven sông"
	for _, tc := range []struct {
		name     string
		one, two string
		want     bool
	}{
		{"other words", leadA + ".", leadB + ".", true},
		{"other words and numbers", leadA + " ở 58 nơi.", leadB + ", theo số liệu của 47 thôn.", false},
	} {
		one := article("a", "Phong Hải trắng đêm chống lụt", tc.one, paragraphs(floodText, 0, 3), 0)
		two := article("b", "Một đêm không ngủ ở vùng cao", tc.two, paragraphs(floodText, 1, 4), time.Hour)
		for _, pair := range [][2]*store.Item{{one, two}, {two, one}} {
			i, merge := NewMatcher(nil).Match(pair[0], []*store.Item{pair[1]})
			if (i == 0) != tc.want {
				t.Errorf("%s: merged %v, want %v (%s)", tc.name, i == 0, tc.want, merge.Evidence)
			}
			if said := strings.Contains(merge.Evidence, "without the summaries"); tc.want && !said {
				t.Errorf("%s: the evidence does not say what decided: %s", tc.name, merge.Evidence)
			}
		}
	}
}
