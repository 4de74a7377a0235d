package vi

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Province is a province or a city of that rank: one of the 34 that Việt Nam
// has since 1 July 2025, or of the 29 that were merged into them that day.
type Province struct {
	ID      string    // the folded name without the kind of unit: "hung-yen", "ho-chi-minh"; it stays for ever
	Name    string    // as readers see it: "Hưng Yên", "TP. Hồ Chí Minh"
	City    bool      // a city under the central government
	Into    string    // of a former one, the ID of the present one; else ""
	Until   time.Time // of a former one, the end of its existence; else zero
	Aliases []string  // other spellings and former names
}

// Former tells whether the province exists no more.
func (p Province) Former() bool { return p.Into != "" }

// Present returns the ID of the province that its area belongs to today.
func (p Province) Present() string {
	if p.Former() {
		return p.Into
	}
	return p.ID
}

// Provinces returns the present provinces and cities and then the former ones,
// each in Vietnamese alphabetical order of their names without "TP.".
func Provinces() []Province {
	all := slices.Clone(gazetteer().provinces)
	for i := range all {
		all[i].Aliases = slices.Clone(all[i].Aliases)
	}
	return all
}

// ProvinceByID returns the province with the ID.
func ProvinceByID(id string) (Province, bool) {
	g := gazetteer()
	i, ok := g.byID[id]
	if !ok {
		return Province{}, false
	}
	p := g.provinces[i]
	p.Aliases = slices.Clone(p.Aliases)
	return p, true
}

// ProvinceNamed returns the province that name means, with or without its kind
// of unit, diacritics and capitals: "Tỉnh Thái Bình", "TPHCM", "TP. Đà Nẵng",
// "ha noi", "Đắc Lắc".
func ProvinceNamed(name string) (Province, bool) {
	key := nameKey(name)
	g := gazetteer()
	id, ok := g.byName[key]
	for _, kind := range []string{"tinh ", "thanh pho ", "tp ", "t p "} {
		if rest, cut := strings.CutPrefix(key, kind); cut && !ok {
			id, ok = g.byName[rest]
		}
	}
	if !ok {
		return Province{}, false
	}
	return ProvinceByID(id)
}

// nameKey returns name as byName has it: folded syllables and single spaces.
func nameKey(name string) string { return strings.Join(FoldedSyllables(name), " ") }

// gazetteerIndex is the list of provinces with its indices. It is made once
// and never changed.
type gazetteerIndex struct {
	provinces []Province
	byID      map[string]int
	byName    map[string]string    // nameKey of a name or alias to ID
	mentions  map[string][]mention // the first syllable of a name to the names, longest first
}

var gazetteer = sync.OnceValue(func() *gazetteerIndex {
	g := &gazetteerIndex{
		byID:     map[string]int{},
		byName:   map[string]string{},
		mentions: map[string][]mention{},
	}
	for _, line := range strings.Split(provinceTable, "\n") {
		field := strings.Split(line, "|")
		name, into, aliases := strings.TrimSpace(field[0]), strings.TrimSpace(field[1]), strings.TrimSpace(field[2])
		p := Province{Name: name, ID: Slug(strings.TrimPrefix(name, "TP. "))}
		switch into {
		case "":
		case "city":
			p.City = true
		default:
			p.Into = into
			p.Until = time.Date(2025, 7, 1, 0, 0, 0, 0, time.FixedZone("", vietnamOffset))
		}
		if aliases != "" {
			p.Aliases = strings.Split(aliases, ", ")
		}
		g.byID[p.ID] = len(g.provinces)
		g.provinces = append(g.provinces, p)
		for _, n := range append([]string{p.Name, p.ID}, p.Aliases...) {
			g.byName[nameKey(n)] = p.ID
		}
		for _, n := range append([]string{p.Name}, p.Aliases...) {
			g.addMention(n, p.ID)
		}
	}
	g.addPlaces()
	for _, n := range strings.Split(otherNames, ", ") {
		g.addMention(n, "")
	}
	for _, m := range g.mentions {
		slices.SortStableFunc(m, func(a, b mention) int { return len(b.syllables) - len(a.syllables) })
	}
	return g
})

// provinceTable lists name, "city" or the present province's ID, and aliases:
// the resolution of the National Assembly of 12 June 2025, in force since
// 1 July 2025; Huế became a city, and lost "Thừa Thiên", on 1 January 2025.
const provinceTable = `An Giang||
Bắc Ninh||
Cà Mau||
Cao Bằng||
Cần Thơ|city|
Đà Nẵng|city|
Đắk Lắk||Đắc Lắc, Đăk Lăk, Đắk Lăk, Đak Lak, Daklak, Đắklắk, Đăklăk
Điện Biên||
Đồng Nai||
Đồng Tháp||
Gia Lai||
Hà Nội|city|Hanoi
Hà Tĩnh||
Hải Phòng|city|
TP. Hồ Chí Minh|city|Thành phố Hồ Chí Minh, TP.HCM, TPHCM, HCM, HCMC, Sài Gòn
Huế|city|Thừa Thiên - Huế, Thừa Thiên Huế, TT-Huế
Hưng Yên||
Khánh Hòa||
Lai Châu||
Lạng Sơn||
Lào Cai||Lao Cai
Lâm Đồng||
Nghệ An||
Ninh Bình||
Phú Thọ||
Quảng Ngãi||
Quảng Ninh||
Quảng Trị||
Sơn La||
Tây Ninh||
Thái Nguyên||
Thanh Hóa||
Tuyên Quang||
Vĩnh Long||
Bà Rịa - Vũng Tàu|ho-chi-minh|BR-VT, BRVT, Vũng Tàu
Bạc Liêu|ca-mau|
Bắc Giang|bac-ninh|
Bắc Kạn|thai-nguyen|Bắc Cạn
Bến Tre|vinh-long|
Bình Dương|ho-chi-minh|
Bình Định|gia-lai|
Bình Phước|dong-nai|
Bình Thuận|lam-dong|
Đắk Nông|lam-dong|Đắc Nông, Đăk Nông, Đak Nông, Daknong
Hà Giang|tuyen-quang|
Hà Nam|ninh-binh|
Hải Dương|hai-phong|
Hậu Giang|can-tho|
Hòa Bình|phu-tho|
Kiên Giang|an-giang|
Kon Tum|quang-ngai|Kontum, Công Tum
Long An|tay-ninh|
Nam Định|ninh-binh|
Ninh Thuận|khanh-hoa|
Phú Yên|dak-lak|
Quảng Bình|quang-tri|
Quảng Nam|da-nang|
Sóc Trăng|can-tho|
Thái Bình|hung-yen|
Tiền Giang|dong-thap|
Trà Vinh|vinh-long|
Vĩnh Phúc|phu-tho|
Yên Bái|lao-cai|`
