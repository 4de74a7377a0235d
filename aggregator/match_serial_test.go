package aggregator

import (
	"fmt"
	"testing"
	"time"

	"diemtin/store"
)

// A column is a text that comes again with other particulars; {1}, {2} … are
// where they stand.
type column struct {
	name                 string
	title, summary, text string // formats with %[n]s
	days                 [][]any
}

var columns = []column{
	{"lottery", "Kết quả xổ số %[1]s", "Xổ số kiến thiết mở thưởng chiều %[1]s tại ba đài miền Trung, giải đặc biệt trị giá hai tỷ đồng thuộc về vé mang dãy số %[2]s, mời bạn đọc dò số của mình.",
		`<p>Xổ số kiến thiết mở thưởng chiều %[1]s tại ba đài miền Trung. Giải đặc biệt trị giá hai tỷ đồng thuộc về vé mang dãy số %[2]s. Giải nhất là %[3]s, giải nhì là %[4]s, giải ba gồm %[5]s và %[6]s.</p><p>Người trúng thưởng mang vé còn nguyên vẹn tới trụ sở công ty xổ số để lĩnh tiền trong vòng ba mươi ngày kể từ ngày mở thưởng. Vé rách, chắp vá hoặc tẩy xóa không được chấp nhận. Mọi khiếu nại xin gửi về hội đồng giám sát xổ số của tỉnh. Kết quả chỉ có giá trị tham khảo, bạn đọc nên đối chiếu với bảng thông báo chính thức.</p>`,
		[][]any{{"ngày 5/11", "018273", "55410", "90112", "31207", "77345"}, {"ngày 6/11", "664920", "20938", "41775", "86013", "12994"}, {"hôm nay", "330158", "67291", "10846", "59320", "48873"}}},
	{"weather", "Thời tiết %[1]s", "Bắc Bộ %[2]s, nhiệt độ thấp nhất %[3]s độ, cao nhất %[4]s độ, gió nhẹ, trong mưa dông có khả năng xảy ra lốc, sét và gió giật mạnh, bà con đề phòng.",
		`<p>Theo trung tâm dự báo khí tượng, %[1]s Bắc Bộ %[2]s, gió đông đến đông nam cấp %[5]s. Nhiệt độ thấp nhất %[3]s độ, cao nhất %[4]s độ.</p><p>Trung Bộ có mây, đêm có mưa vài nơi, nhiệt độ thấp nhất %[6]s độ. Nam Bộ ngày nắng, chiều tối có mưa rào và dông rải rác, nhiệt độ cao nhất %[7]s độ. Trong mưa dông có khả năng xảy ra lốc, sét và gió giật mạnh, bà con đề phòng. Trên biển, tàu thuyền cần theo dõi các bản tin tiếp theo để chủ động phòng tránh, độ ẩm từ %[8]s %%.</p>`,
		[][]any{{"hôm nay 5/11", "có mưa rào rải rác", "22-24", "29-31", "2-3", "23-25", "33-35", "62-91"}, {"ngày mai", "nhiều mây", "19-21", "26-28", "3-4", "21-22", "31-32", "58-84"}, {"cuối tuần", "trời rét", "15-17", "20-22", "4-5", "18-20", "30-31", "55-79"}}},
	{"communiqués", "Thông cáo số %[1]s, Kỳ họp thứ Tám", "Ngày %[2]s, Quốc hội họp phiên toàn thể tại hội trường dưới sự điều hành của Chủ tịch Quốc hội, tiếp tục thảo luận về %[3]s và biểu quyết các dự thảo nghị quyết.",
		`<p>Ngày %[2]s, Quốc hội tiếp tục ngày làm việc thứ %[1]s của kỳ họp, họp phiên toàn thể tại hội trường dưới sự điều hành của Chủ tịch Quốc hội. Buổi sáng, các đại biểu thảo luận về %[3]s, đã có %[4]s đại biểu phát biểu và %[5]s đại biểu tranh luận.</p><p>Các ý kiến cơ bản tán thành với tờ trình của Chính phủ và báo cáo thẩm tra của ủy ban, đồng thời đề nghị cơ quan soạn thảo làm rõ phạm vi điều chỉnh, nguồn lực bảo đảm thi hành và trách nhiệm của người đứng đầu. Phiên họp được truyền hình trực tiếp để cử tri và nhân dân cả nước theo dõi.</p>`,
		[][]any{{"12", "4/11", "kinh tế", "27", "6"}, {"13", "5/11", "đầu tư công", "31", "9"}, {"18", "11/11", "đất đai", "22", "4"}}},
	{"stocks", "Chứng khoán %[1]s qua lăng kính kỹ thuật", "Góc nhìn kỹ thuật của các công ty chứng khoán cho phiên giao dịch %[1]s: chỉ số kiểm định vùng %[2]s điểm, nhà đầu tư nên giữ tỷ trọng cổ phiếu cân bằng và chờ tín hiệu rõ hơn.",
		`<p>Phiên giao dịch %[1]s được các công ty chứng khoán nhận định thận trọng. Chỉ số có thể kiểm định vùng %[2]s điểm, kháng cự gần nhất ở %[3]s điểm, hỗ trợ ở %[4]s điểm; thanh khoản phiên trước đạt %[5]s tỷ đồng.</p><p>Trên đồ thị ngày, các đường trung bình động vẫn hướng lên, chỉ báo động lượng ở vùng trung tính. Nhà đầu tư nên giữ tỷ trọng cổ phiếu cân bằng, hạn chế mua đuổi và chờ tín hiệu rõ hơn từ dòng tiền lớn. Danh mục theo dõi gồm %[6]s mã thuộc nhóm ngân hàng và thép.</p>`,
		[][]any{{"ngày 9/6", "1.280", "1.295", "1.262", "18.450", "7"}, {"ngày 22/6", "1.244", "1.258", "1.231", "15.320", "9"}, {"hôm nay", "1.301", "1.316", "1.287", "21.870", "6"}}},
	{"gold", "Giá vàng %[1]s", "Giá vàng trong nước %[1]s đứng ở mức %[2]s triệu đồng mua vào và %[3]s triệu đồng bán ra, thị trường chờ tin về lãi suất của các ngân hàng trung ương lớn.", goldText,
		[][]any{{"5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9"}, {"6/11", "85,1", "87,3", "giảm 900", "2.660", "81,2", "6,1"}, {"cuối tuần", "86,4", "88,8", "tăng 150", "2.704", "82,7", "6,3"}}},
	{"examination papers", "Đề thi môn %[1]s kỳ thi tốt nghiệp", "Mời bạn đọc xem đề thi và gợi ý bài giải môn %[1]s mã đề 206 của kỳ thi tốt nghiệp sáng nay do các thầy cô của trung tâm luyện thi thực hiện, cập nhật liên tục.",
		`<p>Sáng nay thí sinh cả nước bước vào bài thi môn %[1]s của kỳ thi tốt nghiệp, thời gian làm bài 50 phút. Mời bạn đọc xem đề thi và gợi ý bài giải mã đề 206 do các thầy cô của trung tâm luyện thi thực hiện.</p><p>Đề gồm 40 câu trắc nghiệm, sắp xếp từ dễ đến khó, mức độ phân hóa rõ ở mười câu cuối. Theo các giáo viên, học sinh trung bình có thể đạt năm đến sáu điểm, học sinh khá đạt bảy điểm, còn điểm chín trở lên không nhiều. Đáp án chính thức của bộ sẽ được công bố sau khi kết thúc kỳ thi, bạn đọc nên dùng bản này để tham khảo.</p>`,
		[][]any{{"Vật lí"}, {"Hóa học"}, {"Sinh học"}}},
	{"matches of one round", "Trực tiếp %[1]s vs %[2]s", "Mời bạn đọc theo dõi diễn biến trực tiếp trận đấu giữa %[1]s và %[2]s lúc 18 giờ hôm nay trong khuôn khổ vòng 16 của giải, đội hình ra sân được công bố trước giờ bóng lăn.",
		`<p>Trận đấu giữa %[1]s và %[2]s diễn ra lúc 18 giờ hôm nay trong khuôn khổ vòng 16 của giải. Mời bạn đọc theo dõi diễn biến trực tiếp; đội hình ra sân được công bố trước giờ bóng lăn 45 phút.</p><p>Ở lượt đi hai đội hòa nhau 1-1. Chủ nhà có lợi thế sân bãi nhưng thiếu vài trụ cột vì chấn thương, đội khách lại vừa có chuỗi trận tốt. Ban huấn luyện hai bên đều nói sẽ chơi tấn công để cống hiến cho khán giả. Kết quả và bảng xếp hạng sẽ được cập nhật ngay sau tiếng còi mãn cuộc.</p>`,
		[][]any{{"Thanh Hóa", "Gia Lai"}, {"Bình Dương", "Đà Nẵng"}, {"Nam Định", "Khánh Hòa"}}},
}

// Two instalments of a column are never one story: neither by their summaries
// nor by their texts, neither of one outlet nor of two, an hour or a day apart.
func TestColumnsStayApart(t *testing.T) {
	t.Parallel()
	m := NewMatcher(nil)
	for _, c := range columns {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, outlet := range []string{"a", "b"} {
				for _, apart := range []time.Duration{time.Hour, 24 * time.Hour} {
					for _, withText := range []bool{false, true} {
						for i := range c.days {
							for k := range i {
								one, two := c.instalment("a", k, withText, 0), c.instalment(outlet, i, withText, apart)
								if got, merge := m.Match(two, []*store.Item{one}); got >= 0 {
									t.Errorf("%q | %q (text %v, outlets a and %s, %s apart) merged: %s", one.Title, two.Title, withText, outlet, apart, merge.Evidence)
								}
							}
						}
					}
				}
			}
		})
	}
}

// The same instalment in another outlet is one story.
func TestColumnsAreCopied(t *testing.T) {
	t.Parallel()
	m := NewMatcher(nil)
	for _, c := range columns {
		one, two := c.instalment("a", 0, true, 0), c.instalment("b", 0, true, time.Hour)
		if got, merge := m.Match(two, []*store.Item{one}); got != 0 {
			t.Errorf("%s: not told: %s", c.name, merge.Evidence)
		}
	}
}

func (c column) instalment(outlet string, i int, withText bool, after time.Duration) *store.Item {
	fill := func(format string) string {
		return fmt.Sprintf(format+"%[100]s", append(append([]any(nil), c.days[i]...), make([]any, 100-len(c.days[i]))...)...)
	}
	clean := func(format string) string {
		s := fill(format)
		return s[:len(s)-len("%!s(<nil>)")]
	}
	it := article(outlet, clean(c.title), clean(c.summary), "", after)
	if withText {
		it.Content = clean(c.text)
	}
	return it
}
