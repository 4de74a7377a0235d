package aggregator

import (
	"os"
	"strings"
	"testing"

	"diemtin/store"
)

// newspapers are the outlets of these tests.
var newspapers = []store.Outlet{
	{ID: "nhandan", Name: "Báo Nhân Dân", Aliases: []string{"Nhân Dân điện tử"}, Domains: []string{"nhandan.vn"}},
	{ID: "vietnamplus", Name: "VietnamPlus (TTXVN)", Aliases: []string{"Vietnam+"}, Domains: []string{"vietnamplus.vn"}},
	{ID: "baotintuc", Name: "Báo Tin tức (TTXVN)", Domains: []string{"baotintuc.vn"}},
	{ID: "vov", Name: "VOV", Aliases: []string{"Đài Tiếng nói Việt Nam"}, Domains: []string{"vov.vn"}},
	{ID: "vtv", Name: "VTV", Aliases: []string{"Đài Truyền hình Việt Nam"}, Domains: []string{"vtv.vn"}},
	{ID: "vnexpress", Name: "VnExpress", Aliases: []string{"VNE"}, Domains: []string{"vnexpress.net"}},
	{ID: "dantri", Name: "Dân trí", Domains: []string{"dantri.com.vn"}},
	{ID: "tuoitre", Name: "Tuổi Trẻ", Aliases: []string{"TTO"}, Domains: []string{"tuoitre.vn"}},
	{ID: "thanhnien", Name: "Thanh Niên", Domains: []string{"thanhnien.vn"}},
	{ID: "tienphong", Name: "Tiền Phong", Domains: []string{"tienphong.vn"}},
	{ID: "laodong", Name: "Báo Lao Động", Domains: []string{"laodong.vn", "laodong.com.vn"}},
	{ID: "nld", Name: "Người Lao Động", Domains: []string{"nld.com.vn"}},
	{ID: "plo", Name: "Pháp luật TP.HCM", Aliases: []string{"PL TP.HCM"}, Domains: []string{"plo.vn"}},
	{ID: "vietnamnet", Name: "VietNamNet", Aliases: []string{"VNN"}, Domains: []string{"vietnamnet.vn"}},
	{ID: "znews", Name: "Zing", Aliases: []string{"Zing news"}, Domains: []string{"znews.vn", "zing.vn"}},
	{ID: "suckhoedoisong", Name: "Báo Sức khỏe & Đời sống", Domains: []string{"suckhoedoisong.vn"}},
	{ID: "cand", Name: "Báo Công an nhân dân", Domains: []string{"cand.com.vn"}},
	{ID: "hanoimoi", Name: "Hànộimới", Domains: []string{"hanoimoi.vn"}},
	{ID: "baochinhphu", Name: "Báo điện tử Chính phủ", Domains: []string{"baochinhphu.vn"}},
	{ID: "baohatinh", Name: "Báo Hà Tĩnh", Domains: []string{"baohatinh.vn"}},
	{ID: "hatinhtv", Name: "Đài Hà Tĩnh", Domains: []string{"hatinhtv.vn"}},
	{ID: "baolaocai", Name: "Báo Lào Cai", Domains: []string{"baolaocai.vn"}},
	{ID: "bokhcn", Name: "Bộ Khoa học và Công nghệ", Domains: []string{"mst.gov.vn"}},
	{ID: "thanhtra", Name: "Thanh tra Chính phủ", Domains: []string{"thanhtra.gov.vn"}},
}

func TestReadAttribution(t *testing.T) {
	t.Parallel()
	names := NewNames(newspapers)
	known := func(text, outlet string) store.Attribution { return store.Attribution{Text: text, Outlet: outlet} }
	none := store.Attribution{}
	const said = "<p>Sáng 5/11, đoàn kiểm tra đã làm việc với lãnh đạo xã.</p>"
	for _, tc := range []struct {
		name    string
		summary string
		content string
		want    store.Attribution
	}{
		{"domain", "", said + "<p>Theo: nhandan.vn</p>", known("nhandan.vn", "nhandan")},
		{"name with its kind", "", said + "<p><em>Theo Báo Nhân Dân</em></p>", known("Báo Nhân Dân", "nhandan")},
		{"name without its kind", "", said + "<p>Theo Lào Cai Online</p>", known("Lào Cai Online", "baolaocai")},
		{"other case and tone placement", "", said + "<p>theo VNEXPRESS</p>", known("VNEXPRESS", "vnexpress")},
		{"ampersand", "", said + "<p>Theo Sức khoẻ và đời sống</p>", known("Sức khoẻ và đời sống", "suckhoedoisong")},
		{"source", "", said + "<p>Nguồn: TTXVN</p>", known("TTXVN", "")},
		{"agency alone", "", said + "<p>TTXVN</p>", known("TTXVN", "")},
		{"agency in parentheses", "", said + "<p>Xã đã khắc phục. Tuấn Anh (TTXVN)</p>", known("TTXVN", "")},
		{"agency by its full name", "", said + "<p>Theo Thông tấn xã Việt Nam</p>", known("Thông tấn xã Việt Nam", "")},
		{"station by its full name", "", said + "<p>Theo Đài Tiếng nói Việt Nam</p>", known("Đài Tiếng nói Việt Nam", "vov")},
		{"correspondent", "", said + "<p>Đoàn Hùng (P/v TTXVN tại Mỹ)</p>", known("TTXVN", "")},
		{"reporter and outlet", "", said + "<p>(Theo Xuân Long/Tuổi Trẻ)</p>", known("Tuổi Trẻ", "tuoitre")},
		{"reporter and outlet in parentheses", "", said + "<p>Theo P.V (Tiền phong)</p>", known("Tiền phong", "tienphong")},
		{"agency and its paper", "", said + "<p>Theo TTXVN/Vietnam+</p>", known("TTXVN/Vietnam+", "vietnamplus")},
		{"by-line of a paper", "", said + "<p>Sơn Ca/Báo Tin tức</p>", known("Báo Tin tức", "baotintuc")},
		{"by-line before the marker", "", said + "<p>Văn Nguyễn, Theo Dân trí</p>", known("Dân trí", "dantri")},
		{"several", "", said + "<p>Dã Quỳ (Tổng hợp theo báo PL TP. HCM, Vietnamnet)</p>", known("PL TP. HCM, Vietnamnet", "plo")},
		{"compiled", "", said + "<p>PV (T/h)</p>", known(AttributionCompiled, "")},
		{"compiled, spelt out", "", said + "<p>Mai Anh tổng hợp</p>", known(AttributionCompiled, "")},
		{"in the last sentence's line", "", "<p>Đoàn đã kết luận như trên./. Theo VOV</p>", known("VOV", "vov")},
		{"unknown outlet", "", said + "<p>Theo Đời sống Plus</p>", known("Đời sống Plus", "")},
		{"unknown abroad", "", said + "<p>Thu An (Theo Daily Mail)</p>", known("Daily Mail", "")},
		{"shared name belongs to neither", "", said + "<p>Theo Hà Tĩnh</p>", known("Hà Tĩnh", "")},
		{"author below", "", said + "<p>Theo VnExpress</p><p>Nguyễn Hà</p>", known("VnExpress", "vnexpress")},
		{"plain text", "", "Sáng 5/11, đoàn đã làm việc.\nTheo Tuổi Trẻ", known("Tuổi Trẻ", "tuoitre")},
		{"summary, if there is no text", "Đoàn đã làm việc với lãnh đạo xã. (Theo Dân trí)", "", known("Dân trí", "dantri")},
		{"dateline", "", "<p>Hà Nội (TTXVN) - Sáng 5/11, đoàn đã làm việc.</p>", known("TTXVN", "")},
		{"dateline without place", "(Dân trí) - Sáng 5/11, đoàn đã làm việc.", said, known("Dân trí", "dantri")},
		{"link to the article", "", said + `<p>Theo: <a href="https://nhandan.vn/kiem-tra-tai-xa-post841234.html">Báo Nhân Dân</a></p>`,
			store.Attribution{Text: "Báo Nhân Dân", Outlet: "nhandan", Link: "https://nhandan.vn/kiem-tra-tai-xa-post841234.html"}},
		{"link to a home page", "", said + `<p>Theo <a href="https://nhandan.vn/">Nhân Dân điện tử</a></p>`, known("Nhân Dân điện tử", "nhandan")},
		{"link tells the outlet", "", said + `<p>Theo <a href="https://dantri.com.vn/xa-hoi/mot-bai-20241105.htm">Báo bạn</a></p>`,
			store.Attribution{Text: "Báo bạn", Outlet: "dantri", Link: "https://dantri.com.vn/xa-hoi/mot-bai-20241105.htm"}},
		{"link elsewhere", "", said + `<p>Theo VnExpress <a href="https://example.vn/quang-cao-mua-sam-123456">*</a></p>`, known("VnExpress", "vnexpress")},
		{"written address", "", said + "<p>Nguồn: https://nhandan.vn/kiem-tra-tai-xa-post841234.html</p>",
			store.Attribution{Text: "nhandan.vn", Outlet: "nhandan", Link: "https://nhandan.vn/kiem-tra-tai-xa-post841234.html"}},

		{"a person", "", "<p>Việc này cần làm ngay, theo ông Trần Văn Minh</p>", none},
		{"a person at the beginning", "", "<p>Theo ông Trần Văn Minh</p>", none},
		{"a law", "", "<p>Hồ sơ được xử lý theo Luật Đất đai</p>", none},
		{"a law at the beginning", "", said + "<p>Theo Luật Đất đai</p>", none},
		{"a sentence after an agency's name", "", said + "<p>Theo Dân trí, cảnh sát Belmora đã thẩm vấn 8 người, phong tỏa 24 triệu USD.</p>", none},
		{"a ministry, though it is an outlet", "", "<p>Số ca mắc đã giảm, theo Bộ Khoa học và Công nghệ</p>", none},
		{"a ministry at the beginning", "", "<p>Theo Bộ Khoa học và Công nghệ</p>", none},
		{"thereupon", "", "<p>Theo đó</p>", none},
		{"a plan", "", "<p>Công trình hoàn thành theo kế hoạch</p>", none},
		{"a rule in parentheses", "", "<p>Mức phạt là 5 triệu đồng (theo Nghị định 100)</p>", none},
		{"a treaty in parentheses", "", "<p>Hàng được miễn thuế (theo Hiệp định Thương mại Tự do)</p>", none},
		{"a verb", "", "<p>Rất đông người dân theo dõi</p>", none},
		{"a following", "", "<p>Phiên tiếp theo diễn ra ngày 30/5</p>", none},
		{"funds", "", "<p>Xã dùng nguồn vốn ngân sách</p>", none},
		{"a picture", "", said + "<p>Nguồn ảnh: Reuters</p>", none},
		{"a caption", "", said + "<figure><img src=a.jpg><figcaption>Đoàn kiểm tra. (Nguồn: AFP)</figcaption></figure>", none},
		{"a caption in a paragraph", "", said + "<p>Quang cảnh buổi làm việc. (Nguồn: EPA/TTXVN)</p>", none},
		{"a place in parentheses", "", "<p>Đoàn làm việc tại xã Sơn Kim (Hà Tĩnh)</p>", none},
		{"a place that a paper bears", "", "<p>Đoàn làm việc tại xã Y Tý (Lào Cai)</p>", none},
		{"a reporter", "", said + "<p>Nguyễn Hà</p>", none},
		{"a paper that is spoken of", "", "<p>Bạn đọc của Tuổi Trẻ đã ủng hộ.</p>", none},
		{"nothing", "", "", none},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := ReadAttribution(tc.summary, tc.content, names); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestReadAttributionWithoutNames(t *testing.T) {
	t.Parallel()
	got := ReadAttribution("", "<p>Xong.</p><p>Theo TTXVN</p>", nil)
	if want := (store.Attribution{Text: "TTXVN"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWithoutAttribution(t *testing.T) {
	t.Parallel()
	names := NewNames(newspapers)
	for _, tc := range []struct{ name, text, want string }{
		{"last line", "Đoàn đã làm việc.\nTheo Tuổi Trẻ", "Đoàn đã làm việc."},
		{"last words", "Đoàn đã làm việc./. Sơn Ca (TTXVN)", "Đoàn đã làm việc./."},
		{"dateline", "Hà Nội (TTXVN) - Đoàn đã làm việc.", "Đoàn đã làm việc."},
		{"none", "Đoàn làm việc theo kế hoạch", "Đoàn làm việc theo kế hoạch"},
		{"nothing else", "PV (Theo TTXVN)", ""},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := names.withoutAttribution(tc.text); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestAttributionLabels reads the ends of real articles, of which
// testdata/attribution.tsv says by eye whom they name.
func TestAttributionLabels(t *testing.T) {
	articles, _ := loadStories(t)
	names := NewNames(newspapers)
	byID := make(map[string]storyArticle, len(articles))
	for _, a := range articles {
		byID[a.ID] = a
	}
	data, err := os.ReadFile("testdata/attribution.tsv")
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]*attributionScore{}
	set := ""
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if name, ok := strings.CutPrefix(line, "# set "); ok {
			set, _, _ = strings.Cut(name, ":")
			sets[set] = &attributionScore{}
		}
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(f) != 3 {
			continue
		}
		a, ok := byID[f[0]]
		if !ok {
			t.Fatalf("testdata/attribution.tsv: no article %s", f[0])
		}
		got, want := ReadAttribution(a.Summary, a.Body, names), store.Attribution{Text: f[1], Outlet: f[2]}
		if sets[set].add(got, want); got != want {
			t.Logf("%s %s: got %+v, want %+v", set, f[0], got, want)
		}
	}
	for set, s := range sets {
		t.Logf("%s: %d articles: %d read as by eye, %d the right outlet, %d a wrong outlet", set, s.total, s.right, s.outlet, s.wrong)
		if share(s.right, s.total) < 0.95 || share(s.outlet, s.total) < 0.95 || s.wrong > 0 {
			t.Errorf("%s: %+v, want at least 95 %% right and no wrong outlet", set, *s)
		}
	}
}

// An attributionScore counts how articles are read.
type attributionScore struct {
	total  int
	right  int // name and outlet as the eye reads them
	outlet int // the outlet as the eye reads it, or none where it reads none
	wrong  int // an outlet that the eye does not read
}

func (s *attributionScore) add(got, want store.Attribution) {
	s.total++
	if got == want {
		s.right++
	}
	switch {
	case got.Outlet == want.Outlet:
		s.outlet++
	case got.Outlet != "":
		s.wrong++
	}
}

func FuzzReadAttribution(f *testing.F) {
	f.Add("", "<p>Theo: <a href='https://nhandan.vn/a-1234567.html'>nhandan.vn</a></p>")
	f.Add("(TTXVN) - Tin", "")
	f.Add("", "(((Theo (Nguồn: TP. N. ")
	f.Add("Theo", ")(")
	names := NewNames(newspapers)
	f.Fuzz(func(t *testing.T, summary, content string) {
		a := ReadAttribution(summary, content, names)
		if a.Text == "" && (a.Outlet != "" || a.Link != "") {
			t.Errorf("an outlet without a name: %+v", a)
		}
		if a.Link != "" && !isAddress(a.Link) {
			t.Errorf("link %q is no address", a.Link)
		}
		text := names.withoutAttribution(content)
		if !strings.Contains(content, text) {
			t.Errorf("withoutAttribution(%q) = %q, no part of it", content, text)
		}
	})
}
