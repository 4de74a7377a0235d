package vi

import "strings"

// placeTable lists, for the province that a place lay in until the middle of
// 2025, the towns, districts, islands and sights that bear their name alone in
// the country. Names that several provinces have (Châu Thành, Tam Nông, Phong
// Điền), that are words (Thanh Bình, Vinh) or people (Trần Văn Thời) are left
// out, or listed with the kind of unit that tells them apart.
const placeTable = `ha-noi|quận Hà Đông, Hoàn Kiếm, Ba Đình, Đống Đa, Cầu Giấy, Long Biên, Bắc Từ Liêm, Nam Từ Liêm, Ba Vì, Chương Mỹ, Đan Phượng, Đông Anh, Gia Lâm, Hoài Đức, Mê Linh, Phú Xuyên, huyện Phúc Thọ, Quốc Oai, Sóc Sơn, Thạch Thất, Thanh Oai, Thanh Trì, Thường Tín, Ứng Hòa, Nội Bài, Mỹ Đình, Hồ Gươm, Hồ Tây, Bát Tràng, quận Hoàng Mai, quận Thanh Xuân, quận Tây Hồ, quận Hai Bà Trưng, thị xã Sơn Tây, huyện Mỹ Đức
ho-chi-minh|Thủ Đức, Bình Thạnh, Gò Vấp, Phú Nhuận, Củ Chi, Hóc Môn, Bình Chánh, Nhà Bè, Cần Giờ, Tân Sơn Nhất, Thủ Thiêm, Phú Mỹ Hưng, quận Tân Bình, quận Tân Phú, quận Bình Tân
hai-phong|Đồ Sơn, Thủy Nguyên, Tiên Lãng, Vĩnh Bảo, Cát Bà, huyện Cát Hải, Bạch Long Vĩ, Lạch Huyện, Kiến Thụy, huyện An Dương
da-nang|Hòa Vang, Ngũ Hành Sơn, Cẩm Lệ, Liên Chiểu, Thanh Khê, Bà Nà, bán đảo Sơn Trà, quận Sơn Trà
can-tho|Ninh Kiều, Cái Răng, Ô Môn, Thốt Nốt, Cờ Đỏ, Bình Thủy
hue|huyện Phú Lộc, Hương Thủy, Hương Trà, Phú Vang, A Lưới, Quảng Điền, Lăng Cô
an-giang|Long Xuyên, Châu Đốc, Tịnh Biên, Tri Tôn, Thoại Sơn, huyện Châu Phú, thị xã Tân Châu
ba-ria-vung-tau|Côn Đảo, Xuyên Mộc, huyện Đất Đỏ, huyện Long Điền, Hồ Tràm, thị xã Phú Mỹ
bac-giang|thị xã Việt Yên, Lục Ngạn, huyện Lục Nam, Sơn Động, Yên Thế, Lạng Giang, Hiệp Hòa
bac-kan|Ba Bể, Chợ Đồn, Na Rì, huyện Ngân Sơn, Pác Nặm
bac-lieu|Giá Rai, huyện Hồng Dân
bac-ninh|Từ Sơn, Quế Võ, thị xã Thuận Thành, huyện Gia Bình, Lương Tài, Đồng Kỵ
ben-tre|Ba Tri, Giồng Trôm, Mỏ Cày, Mỏ Cày Nam, Mỏ Cày Bắc, Thạnh Phú, Chợ Lách, huyện Bình Đại
binh-dinh|Quy Nhơn, An Nhơn, Hoài Nhơn, Hoài Ân, Phù Cát, Phù Mỹ, Tuy Phước, Vân Canh
binh-duong|Thủ Dầu Một, Dĩ An, Thuận An, Bến Cát, Tân Uyên, Bàu Bàng, Dầu Tiếng, huyện Phú Giáo
binh-phuoc|Đồng Xoài, Bù Đăng, Bù Gia Mập, Bù Đốp, Lộc Ninh, Chơn Thành, Hớn Quản, thị xã Bình Long, thị xã Phước Long
binh-thuan|Phan Thiết, Mũi Né, Hàm Tân, Hàm Thuận Bắc, Hàm Thuận Nam, Tuy Phong, huyện Bắc Bình, Tánh Linh, đảo Phú Quý, thị xã La Gi
ca-mau|Đất Mũi, Năm Căn, Ngọc Hiển, Đầm Dơi, U Minh, huyện Thới Bình, huyện Cái Nước, mũi Cà Mau
cao-bang|huyện Hà Quảng, huyện Nguyên Bình, huyện Thạch An, huyện Hòa An, Pác Bó, thác Bản Giốc, Bản Giốc
dak-lak|Buôn Ma Thuột, Buôn Mê Thuột, Buôn Hồ, Krông Pắk, Krông Pắc, Krông Năng, Krông Bông, Krông Búk, Ea H'leo, Ea Kar, Ea Súp, Cư M'gar, Cư Kuin, Buôn Đôn, M'Đrắk
dak-nong|Gia Nghĩa, Đắk Mil, Đắk R'lấp, Đắk Song, Cư Jút, Krông Nô, Tuy Đức, Đắk Glong
dien-bien|Mường Nhé, Mường Chà, Tủa Chùa, Tuần Giáo, Mường Ảng, Nậm Pồ, Điện Biên Đông
dong-nai|Biên Hòa, Long Khánh, Long Thành, Nhơn Trạch, Trảng Bom, Định Quán, Vĩnh Cửu, Cẩm Mỹ, huyện Xuân Lộc
dong-thap|Cao Lãnh, Sa Đéc, Hồng Ngự, Lấp Vò, Lai Vung, Tháp Mười, huyện Tân Hồng
gia-lai|Pleiku, Ayun Pa, Chư Sê, Chư Prông, Chư Păh, Đức Cơ, Ia Grai, Đak Đoa, Kbang, Mang Yang, Krông Pa
ha-giang|Mèo Vạc, Quản Bạ, huyện Yên Minh, Hoàng Su Phì, Xín Mần, Bắc Mê, Vị Xuyên, Lũng Cú, Mã Pí Lèng
ha-nam|Phủ Lý, thị xã Duy Tiên, huyện Lý Nhân, huyện Bình Lục, Tam Chúc, huyện Kim Bảng, thị xã Kim Bảng
ha-tinh|Hồng Lĩnh, Kỳ Anh, Cẩm Xuyên, Can Lộc, Hương Khê, huyện Hương Sơn, Nghi Xuân, Vũ Quang, Thạch Hà, Vũng Áng, Lộc Hà, huyện Đức Thọ
hai-duong|Chí Linh, Kinh Môn, Nam Sách, Cẩm Giàng, huyện Bình Giang, Tứ Kỳ, huyện Gia Lộc, Ninh Giang, Thanh Miện, huyện Kim Thành
hau-giang|Vị Thanh, Phụng Hiệp, Vị Thủy, huyện Long Mỹ
hoa-binh|huyện Mai Châu, huyện Lương Sơn, Kim Bôi, Đà Bắc, Lạc Sơn, Lạc Thủy, huyện Tân Lạc, huyện Yên Thủy
hung-yen|Mỹ Hào, Văn Giang, Khoái Châu, huyện Yên Mỹ, Tiên Lữ, Phù Cừ, Ân Thi, Phố Hiến, huyện Văn Lâm
khanh-hoa|Nha Trang, Cam Ranh, Ninh Hòa, Vạn Ninh, Cam Lâm, Diên Khánh, Khánh Sơn, Khánh Vĩnh, Vân Phong
kien-giang|Phú Quốc, Rạch Giá, Hà Tiên, Kiên Hải, Kiên Lương, Hòn Đất, Giồng Riềng, Gò Quao, U Minh Thượng, Nam Du
kon-tum|Măng Đen, Đăk Tô, Ngọc Hồi, Đăk Glei, Sa Thầy, Kon Plông, Tu Mơ Rông, Ia H'Drai, Kon Rẫy
lai-chau|Sìn Hồ, Phong Thổ, Mường Tè, huyện Tam Đường, Than Uyên, Nậm Nhùn
lam-dong|Đà Lạt, Bảo Lộc, Đức Trọng, Di Linh, Đạ Huoai, Đạ Tẻh, Cát Tiên, Đam Rông, Đơn Dương
lang-son|Hữu Lũng, Cao Lộc, huyện Chi Lăng, huyện Bắc Sơn, huyện Lộc Bình, Đình Lập, Tràng Định, huyện Bình Gia, Văn Quan, cửa khẩu Tân Thanh, cửa khẩu Hữu Nghị
lao-cai|Sa Pa, Sapa, Bắc Hà, Bát Xát, huyện Bảo Yên, huyện Bảo Thắng, Mường Khương, Si Ma Cai, Fansipan, Y Tý
long-an|Bến Lức, huyện Đức Hòa, Đức Huệ, Cần Giuộc, Cần Đước, thị xã Kiến Tường, Thủ Thừa, Mộc Hóa, huyện Vĩnh Hưng, Tân Thạnh, Tân Trụ
nam-dinh|Giao Thủy, Hải Hậu, Nghĩa Hưng, Trực Ninh, Nam Trực, Ý Yên, Vụ Bản
nghe-an|Cửa Lò, Diễn Châu, Quỳnh Lưu, Yên Thành, Nghi Lộc, Nam Đàn, Hưng Nguyên, Thanh Chương, Đô Lương, huyện Anh Sơn, Con Cuông, Tương Dương, Quế Phong, Quỳ Châu, Quỳ Hợp, Nghĩa Đàn, huyện Tân Kỳ, TP Vinh, thành phố Vinh, phường Thành Vinh
ninh-binh|Hoa Lư, Tam Điệp, Nho Quan, huyện Gia Viễn, huyện Yên Khánh, huyện Yên Mô, Bái Đính, Cúc Phương
ninh-thuan|Phan Rang, Phan Rang - Tháp Chàm, huyện Ninh Hải, huyện Ninh Sơn, huyện Ninh Phước, huyện Thuận Nam, Vĩnh Hy
phu-tho|Việt Trì, Lâm Thao, huyện Thanh Ba, Hạ Hòa, Đoan Hùng, Cẩm Khê, Phù Ninh, huyện Thanh Thủy, Đền Hùng
phu-yen|thị xã Sông Cầu, Tuy Hòa, Tuy An, huyện Sơn Hòa, Sông Hinh, huyện Phú Hòa
quang-binh|Đồng Hới, Ba Đồn, Lệ Thủy, Bố Trạch, Quảng Trạch, Tuyên Hóa, huyện Minh Hóa, Phong Nha, Sơn Đoòng
quang-nam|Hội An, Tam Kỳ, Điện Bàn, Đại Lộc, Duy Xuyên, Thăng Bình, Núi Thành, huyện Quế Sơn, huyện Tiên Phước, huyện Hiệp Đức, Phước Sơn, Nam Trà My, Bắc Trà My, huyện Nam Giang, huyện Tây Giang, huyện Đông Giang, Chu Lai, Cù Lao Chàm
quang-ngai|Lý Sơn, Dung Quất, huyện Bình Sơn, Sơn Tịnh, Tư Nghĩa, Mộ Đức, Nghĩa Hành, Ba Tơ, Trà Bồng, huyện Sơn Hà, Sa Huỳnh
quang-ninh|Hạ Long, Móng Cái, Cẩm Phả, Uông Bí, Đông Triều, Quảng Yên, Vân Đồn, Cô Tô, Tiên Yên, Ba Chẽ, Bình Liêu, Đầm Hà, Bãi Cháy, Yên Tử, Bái Tử Long
quang-tri|Đông Hà, Vĩnh Linh, Gio Linh, Cam Lộ, Hải Lăng, Triệu Phong, Hướng Hóa, Đakrông, Cồn Cỏ, Lao Bảo, Khe Sanh
soc-trang|Vĩnh Châu, huyện Mỹ Xuyên, Trần Đề, Cù Lao Dung, Kế Sách, huyện Long Phú
son-la|Mộc Châu, huyện Mai Sơn, Yên Châu, Thuận Châu, Mường La, huyện Sông Mã, Sốp Cộp, huyện Phù Yên, Bắc Yên, Vân Hồ, Quỳnh Nhai
tay-ninh|Trảng Bàng, Gò Dầu, thị xã Hòa Thành, Dương Minh Châu, Bến Cầu, huyện Tân Biên, núi Bà Đen, Mộc Bài, huyện Tân Châu
thai-binh|Tiền Hải, Thái Thụy, Kiến Xương, Vũ Thư, Hưng Hà, Quỳnh Phụ
thai-nguyen|Phổ Yên, Sông Công, huyện Đại Từ, Định Hóa, huyện Phú Lương, Võ Nhai, Đồng Hỷ, huyện Phú Bình
thanh-hoa|Sầm Sơn, Bỉm Sơn, Nghi Sơn, Hoằng Hóa, huyện Hậu Lộc, Nga Sơn, huyện Hà Trung, huyện Vĩnh Lộc, Thạch Thành, Cẩm Thủy, Ngọc Lặc, Thọ Xuân, huyện Triệu Sơn, Nông Cống, Như Thanh, Như Xuân, Quảng Xương, huyện Đông Sơn, huyện Thiệu Hóa, huyện Yên Định, Bá Thước, Quan Hóa, Quan Sơn, Mường Lát, Lang Chánh, Thường Xuân, Tĩnh Gia
tien-giang|Mỹ Tho, Gò Công, Cai Lậy, Cái Bè, Chợ Gạo, Gò Công Đông, Gò Công Tây, Tân Phú Đông, huyện Tân Phước
tra-vinh|thị xã Duyên Hải, Trà Cú, Cầu Ngang, Cầu Kè, Tiểu Cần, Càng Long
tuyen-quang|Na Hang, Chiêm Hóa, huyện Hàm Yên, huyện Sơn Dương, huyện Lâm Bình, Tân Trào
vinh-long|Vũng Liêm, Trà Ôn, Mang Thít, huyện Tam Bình, huyện Long Hồ
vinh-phuc|Vĩnh Yên, Phúc Yên, Tam Đảo, Vĩnh Tường, huyện Yên Lạc, huyện Bình Xuyên, Lập Thạch, huyện Tam Dương
yen-bai|Mù Cang Chải, Nghĩa Lộ, Văn Chấn, huyện Văn Yên, Lục Yên, Trấn Yên, Trạm Tấu, Thác Bà`

// addPlaces adds the names of placeTable to those to be found.
func (g *gazetteerIndex) addPlaces() {
	for _, line := range strings.Split(placeTable, "\n") {
		id, names, _ := strings.Cut(line, "|")
		for _, name := range strings.Split(names, ", ") {
			m := mention{syllables: Syllables(name), dash: strings.Contains(name, "-"), id: id, place: true}
			g.mentions[m.syllables[0]] = append(g.mentions[m.syllables[0]], m)
		}
	}
}

// isPlace tells whether the n tokens at i, which are the name of a place inside
// a province, mean it here: after the kind of unit surely, not as a street or a
// person.
func (t taggedText) isPlace(i, n int) bool {
	switch t.word(i - 1) {
	case "huyện", "quận", "xã", "phường", "trấn", "tp", "đảo", "vịnh", "đèo":
		return true
	}
	if t.start(i) < i {
		return true
	}
	return !changesName(t.word(i-2), t.word(i-1)) && !t.isPerson(i, n) && !t.isAbroad(i+n) && !t.isLonger(i, n)
}

// isLonger tells whether a capitalised word goes on with the name at token i
// or comes before it: "Anh Sơn Tùng", "Nguyễn Thị Hà Đông". After a name in a
// headline that is all capitals nothing can be told.
func (t taggedText) isLonger(i, n int) bool {
	if t.shouts() {
		return false
	}
	after := i + n
	return after < len(t.toks) && t.joined(after) && isCapital(t.toks[after].Raw)
}
