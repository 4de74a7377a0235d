package aggregator

import (
	"strings"
	"testing"

	"diemtin/store"
)

// The page of an article tells where it happens when headline and lead do not,
// and the story is listed there from the first.
func TestPageTellsProvince(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	dyke := strings.NewReplacer("đoàn công tác của tỉnh", "đoàn công tác của tỉnh Hưng Yên", "Dự báo mực nước", "Lãnh đạo Hưng Yên cho biết mực nước").Replace(wireText)
	near := strings.Replace(dyke, "Theo ông Trần Văn Lực", "Cán bộ huyện Tiên Lữ, tỉnh Hưng Yên, có mặt. Theo ông Trần Văn Lực", 1)
	p.add("gia-co-tuyen-de", "Kiểm tra, gia cố tuyến đê xung yếu qua bốn xã ven sông", "Tỉnh yêu cầu xong trước 20/11.", "", near)
	p.add("gia-vang-hom-nay", "Giá vàng trong nước hôm nay đi ngang quanh mốc cũ", "Giá vàng chiều nay không đổi.", "",
		"Giá vàng miếng trong nước chiều nay đi ngang so với hôm qua, các cửa hàng ở Hà Nội và TP.HCM niêm yết mua vào bán ra chênh nhau hai triệu đồng mỗi lượng, khách đến giao dịch thưa.")
	a, db, _ := papers(t, Limits{}, p)
	if _, err := a.Round(t.Context(), func(Report) {}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		province string
		want     int
	}{{"hung-yen", 1}, {"ha-noi", 0}, {"ho-chi-minh", 0}} {
		got, err := db.Stories(t.Context(), store.Query{Selection: store.Selection{Provinces: []string{tt.province}}, Limit: 10})
		if err != nil || len(got) != tt.want {
			t.Errorf("%s: %d stories, %v, want %d", tt.province, len(got), err, tt.want)
		}
	}
}

// What a page says of a province beside what is known already.
func TestProvinceOf(t *testing.T) {
	t.Parallel()
	world := []store.ItemTopic{{Topic: worldTopic, Primary: true}}
	body := "Tại tỉnh Cà Mau, sáng nay mưa lớn. Chủ tịch UBND tỉnh Cà Mau đi kiểm tra đê biển."
	for _, tt := range []struct {
		name, title, body, home, want string
		topics                        []store.ItemTopic
	}{
		{name: "the headline goes before the text", title: "Hưng Yên gia cố đê", body: body, home: "hue", want: "hung-yen"},
		{name: "the text goes before the outlet's own", title: "Gia cố đê", body: body, home: "hue", want: "ca-mau"},
		{name: "unless the outlet's own is in it", title: "Gia cố đê", body: body + " Đoàn từ Huế vào học hỏi.", home: "hue", want: "hue"},
		{name: "and alone if there is none", title: "Gia cố đê", body: body, want: "ca-mau"},
		{name: "nowhere at home", title: "Bão vào Philippines", body: body, home: "hue", topics: world},
		{name: "once is not enough", title: "Gia cố đê", body: "Một đoàn từ Cà Mau đến thăm."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := ProvinceOf(Text{Title: tt.title, Body: tt.body}, tt.topics, tt.home); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
