package outlettest

import "strings"

// Place is one of the 34 provinces and cities of Việt Nam since 1 July 2025.
type Place struct {
	ID   string // folded name: "hung-yen"
	Name string // "Hưng Yên"
	City bool   // a centrally run city
}

// full is the name with its kind of unit: "tỉnh Hưng Yên", "thành phố Huế".
func (p Place) full() string {
	if p.City {
		return "thành phố " + strings.TrimPrefix(p.Name, "TP. ")
	}
	return "tỉnh " + p.Name
}

var places = []Place{
	{"ha-noi", "Hà Nội", true}, {"hue", "Huế", true}, {"hai-phong", "Hải Phòng", true},
	{"da-nang", "Đà Nẵng", true}, {"ho-chi-minh", "TP. Hồ Chí Minh", true}, {"can-tho", "Cần Thơ", true},
	{"lai-chau", "Lai Châu", false}, {"dien-bien", "Điện Biên", false}, {"son-la", "Sơn La", false},
	{"lang-son", "Lạng Sơn", false}, {"quang-ninh", "Quảng Ninh", false}, {"thanh-hoa", "Thanh Hóa", false},
	{"nghe-an", "Nghệ An", false}, {"ha-tinh", "Hà Tĩnh", false}, {"cao-bang", "Cao Bằng", false},
	{"tuyen-quang", "Tuyên Quang", false}, {"lao-cai", "Lào Cai", false}, {"thai-nguyen", "Thái Nguyên", false},
	{"phu-tho", "Phú Thọ", false}, {"bac-ninh", "Bắc Ninh", false}, {"hung-yen", "Hưng Yên", false},
	{"ninh-binh", "Ninh Bình", false}, {"quang-tri", "Quảng Trị", false}, {"quang-ngai", "Quảng Ngãi", false},
	{"gia-lai", "Gia Lai", false}, {"khanh-hoa", "Khánh Hòa", false}, {"lam-dong", "Lâm Đồng", false},
	{"dak-lak", "Đắk Lắk", false}, {"dong-nai", "Đồng Nai", false}, {"tay-ninh", "Tây Ninh", false},
	{"vinh-long", "Vĩnh Long", false}, {"dong-thap", "Đồng Tháp", false}, {"ca-mau", "Cà Mau", false},
	{"an-giang", "An Giang", false},
}

// placeOf returns the place with the id; ok is false if there is none.
func placeOf(id string) (p Place, ok bool) {
	for _, p := range places {
		if p.ID == id {
			return p, true
		}
	}
	return Place{}, false
}
