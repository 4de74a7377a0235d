package outlettest

import "time"

// format is the kind of document an outlet's news stand in.
type format string

const (
	rss2   format = "rss"
	rss1   format = "rdf"
	atom   format = "atom"
	jsonf  format = "json"
	portal format = "portal" // no feed: listing pages
)

// validators says what an outlet promises about its documents and whether it
// keeps the promise.
type validators int

const (
	bothValidators  validators = iota // ETag and Last-Modified
	etagOnly                          // a strong ETag
	weakEtag                          // a weak ETag
	modifiedOnly                      // Last-Modified
	noValidators                      // none, and always 200
	lyingValidators                   // an ETag and Last-Modified, but always 200, and a new time in each body
)

// section is one feed or listing page.
type section struct {
	id     string
	name   string
	topics []string // nil: everything
}

// profile is what an outlet is like.
type profile struct {
	id, name, domain string
	aliases          []string // besides name and domain
	scope, province  string
	rank             int

	format     format
	charset    charset
	dates      dateForm
	validators validators
	sections   []section
	window     int // items in a feed
	fullText   bool
	images     bool
	junk       bool // BOM, control characters, undeclared entities, a broken item
	variants   bool // links with tracking parameters and other spellings

	topics    []string // what it writes; nil: what a local paper writes
	originals int      // share of the originals
	reprints  int      // share of the reprints
	credit    string   // how a reprint names its origin: {name}, {domain}, {alias}, {author}
	canonical bool     // a reprint's page names the original as canonical
}

var (
	home    = section{id: "home", name: "Trang chủ"}
	partyS  = section{id: "xay-dung-dang", name: "Xây dựng Đảng", topics: []string{"xay-dung-dang", "to-chuc-can-bo", "kiem-tra-thanh-tra"}}
	thriftS = section{id: "chong-lang-phi", name: "Chống lãng phí", topics: []string{"chong-lang-phi"}}
	moneyS  = section{id: "kinh-te", name: "Kinh tế", topics: []string{"kinh-te"}}
	worldS  = section{id: "the-gioi", name: "Thế giới", topics: []string{"the-gioi"}}
	lawS    = section{id: "phap-luat", name: "Pháp luật", topics: []string{"phap-luat"}}
	farmS   = section{id: "nong-nghiep", name: "Nông nghiệp", topics: []string{"nong-nghiep"}}
)

// The desks of the outlets that do not write about everything. A topic named
// twice is written about twice as often.
var (
	everything = []string{
		"xay-dung-dang", "xay-dung-dang", "chong-lang-phi", "chong-lang-phi", "to-chuc-can-bo", "kiem-tra-thanh-tra",
		"chong-tham-nhung", "tuyen-giao", "quoc-hoi-hdnd", "chinh-phu", "mat-tran-doan-the", "doi-ngoai",
		"quoc-phong-an-ninh", "kinh-te", "nong-nghiep", "moi-truong", "giao-duc", "y-te", "van-hoa", "xa-hoi",
		"phap-luat", "khoa-hoc-cong-nghe", "the-thao", "the-gioi", "do-thi-giao-thong",
	}
	local = []string{
		"xay-dung-dang", "xay-dung-dang", "chong-lang-phi", "to-chuc-can-bo", "kiem-tra-thanh-tra", "chong-tham-nhung",
		"tuyen-giao", "quoc-hoi-hdnd", "chinh-phu", "mat-tran-doan-the", "quoc-phong-an-ninh", "nong-nghiep",
		"moi-truong", "giao-duc", "y-te", "van-hoa", "xa-hoi", "phap-luat", "do-thi-giao-thong",
	}
	business  = []string{"kinh-te", "kinh-te", "kinh-te", "khoa-hoc-cong-nghe", "do-thi-giao-thong", "chong-lang-phi", "the-gioi"}
	lifestyle = []string{"van-hoa", "the-thao", "the-thao", "y-te", "xa-hoi", "giao-duc", "phap-luat", "khoa-hoc-cong-nghe", "the-gioi"}
	wire      = []string{"the-gioi", "the-gioi", "doi-ngoai", "doi-ngoai", "quoc-hoi-hdnd", "chinh-phu", "kinh-te", "moi-truong", "xay-dung-dang"}
	farming   = []string{"nong-nghiep", "nong-nghiep", "moi-truong", "khoa-hoc-cong-nghe"}
)

// profiles lists the outlets, each odd in its own way.
func profiles() []profile {
	return []profile{
		{id: "trung-uong", name: "Báo Trung ương Mẫu", domain: "trunguong.mau", aliases: []string{"Trung ương Mẫu"},
			scope: "national", rank: 1, format: rss2, dates: dateRFC822, sections: []section{home, partyS, thriftS},
			window: 30, topics: everything, originals: 8, reprints: 1, credit: "Theo {name}"},
		{id: "ttx", name: "TTX Mẫu", domain: "ttx.mau", aliases: []string{"Thông tấn xã Mẫu"},
			scope: "national", rank: 1, format: atom, dates: dateRFC3339, validators: etagOnly, sections: []section{home, worldS},
			window: 30, fullText: true, topics: wire, originals: 7, credit: "Theo {name}"},
		{id: "nhip-song", name: "Nhịp sống Mẫu", domain: "nhipsong.mau", aliases: []string{"Báo Nhịp sống Mẫu"},
			scope: "national", rank: 3, format: jsonf, dates: dateRFC3339, validators: weakEtag, sections: []section{home},
			window: 25, images: true, topics: lifestyle, originals: 5, reprints: 3, credit: "Nguồn: {name}"},
		{id: "kinh-te", name: "Thời báo Kinh tế Mẫu", domain: "kinhte.mau", aliases: []string{"Kinh tế Mẫu"},
			scope: "national", rank: 3, format: rss2, dates: dateRFC822, validators: modifiedOnly, sections: []section{home, moneyS},
			window: 25, variants: true, images: true, topics: business, originals: 5, reprints: 2, credit: "Theo {author}/{name}"},
		{id: "nong-vu", name: "Trang tin Nông vụ Mẫu", domain: "nongvu.mau", aliases: []string{"Nông vụ Mẫu"},
			scope: "ministry", rank: 4, format: rss2, dates: dateSACH, validators: lyingValidators, sections: []section{home},
			window: 20, topics: farming, originals: 2, reprints: 1, credit: "Nguồn: {domain}"},
		{id: "hung-yen", name: "Báo Hưng Yên Mẫu", domain: "hungyen.mau", aliases: []string{"Hưng Yên Mẫu"},
			scope: "provincial", province: "hung-yen", rank: 10, format: rss2, charset: windows1258, dates: dateGMT7,
			sections: []section{home, partyS}, window: 20, originals: 3, reprints: 4, credit: "Theo {name}"},
		{id: "lao-cai", name: "Báo Lào Cai Mẫu", domain: "laocai.mau", aliases: []string{"Lào Cai Mẫu"},
			scope: "provincial", province: "lao-cai", rank: 10, format: rss2, charset: utf16Text, dates: dateSlash,
			validators: etagOnly, sections: []section{home}, window: 20, originals: 3, reprints: 4, credit: "({name})"},
		{id: "da-nang", name: "Báo Đà Nẵng Mẫu", domain: "danang.mau", aliases: []string{"Đà Nẵng Mẫu"},
			scope: "provincial", province: "da-nang", rank: 10, format: rss2, charset: utf8NFD, dates: dateBare,
			validators: modifiedOnly, sections: []section{home, lawS}, window: 25, fullText: true, originals: 3, reprints: 4, credit: "Nguồn: {name}"},
		{id: "nghe-an", name: "Báo Nghệ An Mẫu", domain: "nghean.mau", aliases: []string{"Nghệ An Mẫu"},
			scope: "provincial", province: "nghe-an", rank: 10, format: rss2, dates: dateWeekday, junk: true,
			sections: []section{home}, window: 20, images: true, originals: 3, reprints: 4, credit: "Theo {author}/{alias}"},
		{id: "can-tho", name: "Báo Cần Thơ Mẫu", domain: "cantho.mau", aliases: []string{"Cần Thơ Mẫu"},
			scope: "provincial", province: "can-tho", rank: 10, format: rss1, dates: dateRFC3339, validators: noValidators,
			sections: []section{home, farmS}, window: 20, originals: 3, reprints: 4, credit: "({name})", canonical: true},
		{id: "song-hong", name: "Cổng thông tin Sông Hồng Mẫu", domain: "songhong.mau", aliases: []string{"Cổng Sông Hồng"},
			scope: "provincial", province: "hung-yen", rank: 20, format: portal, dates: datePortal, validators: noValidators,
			sections: []section{{id: "tin-tuc", name: "Tin tức"}, partyS}, window: 10, originals: 2, reprints: 4, credit: "Theo: {domain}"},
		{id: "quang-ninh", name: "Báo Quảng Ninh Mẫu", domain: "quangninh.mau", aliases: []string{"Quảng Ninh Mẫu"},
			scope: "provincial", province: "quang-ninh", rank: 10, format: rss2, dates: dateRFC822,
			sections: []section{home}, window: 20, originals: 3, reprints: 2, credit: "Theo {name}"},
		{id: "ho-chi-minh", name: "Báo Thành phố Mẫu", domain: "thanhpho.mau", aliases: []string{"Thành phố Mẫu"},
			scope: "provincial", province: "ho-chi-minh", rank: 8, format: rss2, dates: datePortal,
			validators: etagOnly, sections: []section{home, partyS}, window: 30, fullText: true, images: true, originals: 4, reprints: 3, credit: "Theo {name}"},
		{id: "thanh-hoa", name: "Báo Thanh Hóa Mẫu", domain: "thanhhoa.mau", aliases: []string{"Thanh Hóa Mẫu"},
			scope: "provincial", province: "thanh-hoa", rank: 10, format: rss2, dates: dateRFC822, sections: []section{home}, window: 20},
	}
}

// failing is what the outlet answers that never works: tired first, then
// broken for good.
func failing() []Response {
	return []Response{
		Status(503),
		{Status: 503, RetryAfter: 20 * time.Second},
		Status(503),
		{Status: 500},
		{Status: 503, RetryAfter: 45 * time.Second, RetryDate: true},
		{Status: 500},
	}
}
