package aggregator

import "diemtin/store"

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
