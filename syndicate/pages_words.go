package syndicate

import "fmt"

// words are all short texts of the pages in one language, by key. Texts with
// verbs such as %d are formats. Long texts (what this site is, what a feed is)
// are templates of their own.
type words map[string]string

// say returns the text of a key, with its arguments put in. A key that is not
// there is a mistake in a template or in this package, and an error.
func (w words) say(key string, args ...any) (string, error) {
	text, ok := w[key]
	if !ok {
		return "", fmt.Errorf("no text for %q", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	return fmt.Sprintf(text, args...), nil
}

// or returns the text of a key, else the fallback: for keys made from stored
// codes, which a newer program may have written.
func (w words) or(key, fallback string) string {
	if text, ok := w[key]; ok {
		return text
	}
	return fallback
}

// weekdays are the names of the days from Sunday on, as time.Weekday counts.
var weekdays = [...]string{"Chủ nhật", "Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy"}

// shortDays are the names of the days where there is room for two letters.
var shortDays = map[string]string{"Thứ Hai": "T2", "Thứ Ba": "T3", "Thứ Tư": "T4", "Thứ Năm": "T5",
	"Thứ Sáu": "T6", "Thứ Bảy": "T7", "Chủ nhật": "CN"}

// vietnamese holds the texts of the Vietnamese pages.
var vietnamese = words{
	// Frame of every page.
	"skip":         "Tới nội dung chính",
	"nav":          "Trang chính",
	"nav.home":     "Mới nhất",
	"nav.topics":   "Chuyên mục",
	"nav.prov":     "Địa phương",
	"nav.days":     "Theo ngày",
	"nav.outlets":  "Báo, trang tin",
	"nav.feeds":    "Nguồn cấp tin",
	"foot.nav":     "Thông tin về trang",
	"foot.about":   "Giới thiệu",
	"foot.scopes":  "Nhóm báo",
	"foot.chans":   "Kênh tổng hợp",
	"foot.mix":     "Ghép tin của bạn",
	"foot.nhung":   "Nhúng tin",
	"foot.status":  "Tình trạng nguồn tin",
	"foot.run":     "Đơn vị vận hành: %s.",
	"foot.contact": "Liên hệ:",
	"foot.rights":  "Tiêu đề và tóm tắt thuộc về báo, trang tin đã đăng; mỗi tin đều dẫn về bài gốc.",

	// Cards and lists.
	"copies":       "%d báo, trang tin cùng đăng",
	"read.at":      "Đọc bài tại %s",
	"after":        "theo %s",
	"none":         "Chưa có tin nào ở đây.",
	"list":         "Danh sách tin",
	"older":        "Tin cũ hơn",
	"to.newest":    "Về tin mới nhất",
	"pages":        "Chuyển trang",
	"all.of":       "Xem tất cả: %s",
	"others":       "Tin khác",
	"others.note":  "tin chưa thuộc chuyên mục nào",
	"subscribe":    "Theo dõi bằng nguồn cấp tin",
	"subscribe.to": "%s: nguồn cấp tin %s",
	"what.feed":    "Nguồn cấp tin là gì?",

	// Home.
	"home.title":     "Tin mới nhất",
	"home.lead":      "Tin từ %d báo, trang tin trung ương, bộ, ngành và địa phương, gom một chỗ: mỗi tin một lần, ghi rõ nguồn.",
	"home.topics":    "Tin theo chuyên mục",
	"home.provinces": "Tin theo địa phương",
	"home.days":      "Tin theo ngày",
	"home.channels":  "Kênh tổng hợp",
	"home.all.days":  "Xem lịch",

	// Lists of channels.
	"topics.title":    "Chuyên mục",
	"topics.lead":     "Mỗi tin được xếp vào một hay nhiều chuyên mục theo từ ngữ trong tiêu đề, tóm tắt và thân bài.",
	"provinces.title": "Địa phương",
	"provinces.lead":  "34 tỉnh, thành phố từ ngày 01/07/2025. Trang của mỗi tỉnh, thành phố gồm cả tin về các tỉnh cũ đã nhập vào.",
	"outlets.title":   "Báo, trang tin",
	"outlets.lead":    "Những báo, đài, cổng thông tin mà trang này đọc.",
	"scopes.title":    "Nhóm báo",
	"scopes.lead":     "Báo, trang tin chia theo nơi chủ quản.",
	"channels.title":  "Kênh tổng hợp",
	"channels.lead":   "Kênh ghép nhiều chuyên mục, địa phương hay báo vào một dòng tin.",
	"channels.none":   "Trang này chưa lập kênh tổng hợp nào.",

	// A channel.
	"day.of":           "%s, %s",
	"province.former":  "Gồm cả tin về các tỉnh cũ đã nhập vào từ ngày 01/07/2025:",
	"province.into":    "Từ ngày 01/07/2025 thuộc",
	"province.outlets": "Báo, trang tin của địa phương:",
	"outlet.site":      "Trang của báo:",
	"outlet.scope":     "Nhóm:",
	"outlet.province":  "Địa phương:",
	"outlet.headline":  "Theo điều kiện của báo, chỉ hiện tiêu đề.",

	"province.topics": "Theo chuyên mục:",
	"cross.of":        "Xem rộng hơn:",

	// Search and mix.
	"search.title": "Tìm tin",
	"search.lead":  "Tìm trong tiêu đề và tóm tắt, tin mới nhất trước; gõ có dấu hay không dấu đều được. Đặt cụm từ trong ngoặc kép để tìm đúng cụm (\"vải thiều\"), thêm dấu trừ trước từ không muốn có (-xuất khẩu). Kết quả nào cũng có nguồn cấp tin riêng để theo dõi.",
	"search.label": "Từ cần tìm",
	"search.go":    "Tìm",
	"search.of":    "Tìm: %s",
	"search.none":  "Hãy gõ ít nhất một từ cần có trong tin.",
	"search.many":  "Lời tìm quá dài: tối đa %d ký tự, 12 từ hay cụm từ.",
	"search.broad": "Lời tìm này quá rộng để tìm nhanh. Hãy bớt từ thông dụng hoặc thêm từ riêng.",
	"asked.none":   "Chưa có tin nào khớp.",
	"mix.title":    "Ghép tin của bạn",
	"mix.lead":     "Chọn chuyên mục, địa phương, báo muốn theo dõi: mọi tin có ở một trong các mục đã chọn gộp thành một nguồn cấp tin, mỗi tin một lần.",
	"mix.go":       "Ghép tin",
	"mix.of":       "Tin ghép: %s",
	"mix.none":     "Hãy chọn ít nhất một chuyên mục, địa phương hay báo, ví dụ ?topics=kinh-te,giao-duc&provinces=lao-cai.",
	"mix.many":     "Chọn nhiều quá: mỗi lần ghép tối đa %d mục.",

	// Days.
	"days.title":     "Xem tin theo ngày",
	"days.lead":      "Chọn một ngày để xem mọi tin đăng trong ngày đó, theo giờ Việt Nam.",
	"days.label":     "Xem tin theo ngày",
	"days.go":        "Xem",
	"days.month":     "Tháng %02d/%d",
	"days.prev":      "Tháng trước",
	"days.next":      "Tháng sau",
	"days.nav":       "Chuyển tháng",
	"days.bad":       "“%s” không phải là một ngày. Hãy viết ngày-tháng-năm, ví dụ 05-11-2024.",
	"days.future":    "Ngày %s chưa đến.",
	"days.past":      "Không có tin trước ngày %s.",
	"days.cell":      "Tin ngày %d/%d/%d",
	"day.title":      "Tin ngày %s",
	"day.channel":    "%s: tin ngày %s",
	"day.newest":     "Tin mới nhất: %s",
	"day.count":      "%s, %d tin.",
	"day.count.more": "%s, %d tin mới nhất trong ngày.",
	"day.nav":        "Chuyển ngày",
	"day.prev":       "Ngày trước: %s",
	"day.next":       "Ngày sau: %s",
	"day.toc":        "Chuyên mục trong ngày",
	"day.none":       "Không có tin nào đăng ngày này.",
	"day.all":        "Mọi tin ngày %s",

	// A story.
	"story.from":         "Nguồn:",
	"story.original":     "Bản gốc:",
	"story.read":         "Đọc toàn bài tại %s",
	"story.topics":       "Chuyên mục:",
	"story.province":     "Địa phương:",
	"story.copies":       "Các bản đã đăng",
	"story.headline":     "Báo chỉ cho hiện tiêu đề; mời đọc bài tại trang của báo.",
	"story.seen":         "Báo không ghi giờ đăng; đây là lúc trang này đọc thấy bài.",
	"story.event":        "Tin cùng sự kiện",
	"story.same":         "Tin cùng chuyên mục",
	"story.newest":       "Tin mới nhất",
	"story.why":          "Vì sao tin này được xếp như vậy?",
	"story.is.quoted":    "bản đang hiện ở trên",
	"story.is.origin":    "bản gốc",
	"story.outside.term": "Bản gốc ở ngoài:",
	"story.outside":      ", không thuộc các báo, trang tin ở đây; bản tốt nhất được biết đứng thay",
	"story.compare":      "So tít:",
	"story.first":        "Đầu tiên lúc",
	"story.on":           "trên",
	"story.spread":       ", rồi %d báo, trang tin khác trong %s",
	"story.provinces":    ", ở %d tỉnh, thành phố",
	"story.newtitle":     "tít khác hẳn bản đầu tiên",
	"story.sametitle":    "giữ nguyên tít của bản đầu tiên",
	"story.diff":         "Dòng “So tít” cho thấy mỗi bản đổi gì ở tít của bản đầu tiên: chữ bị bỏ gạch ngang trong [ngoặc vuông], chữ thêm gạch chân trong ‹ngoặc nhọn›.",
	"story.former":       "Tít trước lúc",

	// Why.
	"why.title":         "Vì sao tin này được xếp như vậy?",
	"why.story":         "Về tin:",
	"why.topics":        "Vì sao thuộc các chuyên mục này",
	"why.none":          "Không từ ngữ nào trong bài khớp với một chuyên mục, nên tin nằm ở “Tin khác”.",
	"why.primary":       "chuyên mục chính",
	"why.score":         "tổng điểm %s",
	"why.second":        "ý kiến thứ hai, học từ các mục của báo: xác suất %s",
	"why.phrase":        "Từ ngữ",
	"why.place":         "Ở đâu",
	"why.weight":        "Điểm",
	"why.editor":        "Không có từ ngữ nào kèm theo.",
	"why.merged":        "Vì sao các bản này là một tin",
	"why.single":        "Tin này mới có một bản, chưa phải gộp với bản nào.",
	"why.reason":        "Lý do",
	"why.likeness":      "Độ giống",
	"why.evidence":      "Căn cứ ghi lại (tiếng Anh)",
	"why.original":      "Bản nào là bản gốc",
	"why.original.is":   "Bản gốc mà trang này biết:",
	"why.original.by":   "Bản gốc là bản được các bản khác ghi là nguồn (“Theo …”); rồi bản không ghi theo ai (trừ khi nó đăng sau một bản có ghi nguồn); rồi bản đăng sớm nhất, nếu tin được giờ đăng của báo; rồi bản của báo đứng trước trong thứ tự do đơn vị vận hành đặt; rồi bản được đọc thấy trước.",
	"why.original.why":  "Căn cứ ghi lại (tiếng Anh):",
	"why.back":          "Trở lại trang của tin",
	"why.json":          "Bản cho máy đọc (JSON)",
	"why.outside":       "Bản gốc thật nằm ngoài các báo, trang tin ở đây: “%s”. Bản trên là bản tốt nhất được biết, đứng thay.",
	"why.outside.link":  "Mở bài được dẫn",
	"why.rulings":       "Biên tập viên đã quyết định",
	"why.both":          "Cả hai bản đều có:",
	"why.here":          "Chỉ bản này có:",
	"why.there":         "Chỉ bản kia có:",
	"why.numbers.here":  "Con số chỉ bản này có:",
	"why.numbers.there": "Con số chỉ bản kia có:",
	"why.near":          "Gần giống nhưng không gộp",
	"why.near.lead":     "Những tin gần với tin này nhất, và vì sao vẫn là tin khác. “Bản này” là bản đang hiện của tin, “bản kia” là bản nêu dưới đây.",
	"why.near.read":     "Đọc bài ở báo đăng",
	"why.verdict":       "Kết quả phép so (tiếng Anh)",

	"place.title":   "tiêu đề",
	"place.summary": "tóm tắt",
	"place.body":    "thân bài",
	"place.section": "mục của báo",
	"place.opinion": "ý kiến thứ hai",

	"merge.first":       "bản đầu tiên được đọc thấy",
	"merge.link":        "cùng một địa chỉ bài",
	"merge.text":        "nội dung gần như trùng nhau",
	"merge.attribution": "bài tự ghi là đăng lại từ bản kia",
	"merge.ruling":      "biên tập viên xác định",

	// Status.
	"unclassified.title":    "Chưa phân loại",
	"unclassified.lead":     "Dành cho biên tập: những tin mới nhất chưa thuộc chuyên mục nào và các từ ngữ suýt khớp. Muốn sửa, thêm từ ngữ vào feeds.yaml rồi chạy diemtin topics diff và diemtin topics apply.",
	"unclassified.link":     "Danh sách tin chưa phân loại, dành cho biên tập",
	"unclassified.near":     "%s trên %s điểm, thiếu %s",
	"unclassified.newer":    "%s trên %s: quy tắc hiện hành đã nhận tin này, cần chạy diemtin topics apply",
	"unclassified.silenced": "%s điểm, bị loại bởi “%s”",
	"unclassified.why":      "Vì sao",
	"unclassified.none":     "Mọi tin đều có chuyên mục.",

	"status.title":   "Tình trạng nguồn tin",
	"status.lead":    "Trang này đọc từng nguồn theo nhịp riêng. Dưới đây là lần đọc gần nhất của mỗi nguồn và lúc sẽ đọc lại.",
	"status.fine":    "%d nguồn đang đọc tốt",
	"status.failing": "%d nguồn đang gặp lỗi",
	"status.waiting": "%d nguồn chưa đọc lần nào",
	"status.trouble": "Nguồn đang gặp lỗi",
	"status.all":     "Tất cả nguồn",
	"status.none":    "Chưa có nguồn nào được khai báo.",
	"status.last":    "Lần đọc được gần nhất",
	"status.result":  "Kết quả lần cuối",
	"status.next":    "Sẽ đọc lại",
	"status.never":   "chưa lần nào",
	"status.soon":    "sớm nhất có thể",
	"status.detail":  "Chi tiết ghi lại (tiếng Anh):",
	"status.fails":   "%d lần liền không đọc được",
	"status.repairs": "Đã phải sửa khi đọc:",
	"status.advice":  "Gợi ý cho người quản trị:",
	"status.page":    "trang danh mục",
	"status.feed":    "nguồn cấp tin",

	"outcome.":             "chưa đọc lần nào",
	"outcome.new":          "có tin mới",
	"outcome.unchanged":    "đọc được, không có tin mới",
	"outcome.not_modified": "máy chủ báo chưa có gì mới",
	"outcome.gone":         "máy chủ báo nguồn này đã bỏ",
	"outcome.throttled":    "máy chủ yêu cầu đọc thưa hơn",
	"outcome.timeout":      "máy chủ trả lời quá lâu",
	"outcome.dns":          "không tìm thấy tên miền",
	"outcome.connect":      "không kết nối được",
	"outcome.tls":          "chứng chỉ bảo mật không hợp lệ",
	"outcome.http_4xx":     "máy chủ từ chối địa chỉ này",
	"outcome.http_5xx":     "máy chủ của nguồn gặp lỗi",
	"outcome.blocked":      "bị tường lửa của nguồn chặn",
	"outcome.refused":      "địa chỉ không được phép đọc",
	"outcome.disallowed":   "robots.txt của báo không cho đọc",
	"outcome.too_large":    "nội dung quá lớn",
	"outcome.not_a_feed":   "nội dung không phải là nguồn cấp tin",
	"outcome.internal":     "lỗi của chính trang này",

	"pace.first":   "chưa đọc lần nào",
	"pace.news":    "vừa có tin mới nên đọc lại sớm",
	"pace.quiet":   "chưa có tin mới nên đọc thưa hơn",
	"pace.gone":    "mỗi ngày thử lại một lần",
	"pace.asked":   "theo yêu cầu của máy chủ",
	"pace.failing": "chưa đọc được nên thử lại thưa dần",

	"advice.gone":       "nếu nguồn đã chuyển chỗ, hãy báo cho chúng tôi địa chỉ mới.",
	"advice.throttled":  "có thể cho phép trình đọc của chúng tôi đọc thường hơn; nhịp đọc tự thưa ra theo yêu cầu.",
	"advice.timeout":    "kiểm tra tải của máy chủ; nguồn cấp tin nên trả lời trong vài giây.",
	"advice.dns":        "kiểm tra bản ghi DNS của tên miền.",
	"advice.connect":    "kiểm tra máy chủ có đang chạy và có mở cổng cho bên ngoài không.",
	"advice.tls":        "kiểm tra hạn dùng và chuỗi chứng chỉ của máy chủ.",
	"advice.http_4xx":   "kiểm tra địa chỉ nguồn còn đúng không, có đòi đăng nhập hay chặn trình đọc không.",
	"advice.http_5xx":   "xem nhật ký lỗi của máy chủ.",
	"advice.blocked":    "cho phép trình đọc của chúng tôi (User-Agent bắt đầu bằng diemtin/) đi qua tường lửa.",
	"advice.refused":    "kiểm tra chuyển hướng: địa chỉ phải công khai và không chuyển quá nhiều lần.",
	"advice.disallowed": "nếu muốn tin được đọc, hãy cho phép diemtin trong robots.txt.",
	"advice.too_large":  "giảm số bài hoặc bỏ toàn văn khỏi nguồn cấp tin.",
	"advice.not_a_feed": "kiểm tra địa chỉ có trả về RSS, Atom hay JSON Feed không.",

	// Feeds and about.
	"feeds.title":     "Nguồn cấp tin",
	"feeds.all":       "Toàn trang",
	"feeds.topics":    "Theo chuyên mục",
	"feeds.channels":  "Kênh tổng hợp",
	"feeds.scopes":    "Theo nhóm báo",
	"feeds.provinces": "Theo địa phương",
	"feeds.former":    "Theo tỉnh cũ (trước 01/07/2025)",
	"feeds.outlets":   "Theo báo, trang tin",
	"about.title":     "Giới thiệu",

	// Embeds.
	"nhung.title": "Nhúng tin lên trang của đơn vị",
	"nhung.lead":  "Chọn tin và cách hiện, xem thử, rồi chép mã vào trang của đơn vị. Không phải đăng ký, không cookie; tin nào cũng ghi rõ báo đăng và dẫn về bài gốc.",

	// When something is wrong.
	"gone.title":     "Tin đã gỡ",
	"gone.lead":      "Báo đăng tin này đã gỡ bài khỏi trang của mình, hoặc tin được gỡ theo yêu cầu.",
	"missing.title":  "Không có trang này",
	"missing.lead":   "Địa chỉ này không dẫn tới trang nào. Có thể địa chỉ bị gõ sai, hoặc tin đã được gỡ.",
	"missing.near":   "Có phải bạn tìm:",
	"missing.try":    "Hoặc bắt đầu lại từ:",
	"method.title":   "Không nhận cách gửi này",
	"method.lead":    "Địa chỉ này chỉ để đọc.",
	"down.title":     "Tạm thời chưa xem được",
	"down.lead":      "Kho tin đang bận hoặc đang được bảo trì. Mời thử lại sau ít phút; nguồn cấp tin bạn đã đăng ký sẽ tự đọc bù, không mất tin nào.",
	"broken.title":   "Trang này bị lỗi",
	"broken.lead":    "Lỗi ở phía chúng tôi và đã được ghi lại. Mời thử lại sau, hoặc báo cho chúng tôi theo địa chỉ ở cuối trang.",
	"busy.title":     "Xin chờ một chút",
	"busy.lead":      "Từ địa chỉ mạng này có quá nhiều lượt tìm kiếm hay ghép tin cùng lúc. Mời thử lại sau ít giây; mọi trang và nguồn cấp tin khác vẫn xem được.",
	"kind.topics":    "chuyên mục",
	"kind.provinces": "địa phương",
	"kind.outlets":   "báo, trang tin",
	"kind.scopes":    "nhóm báo",
	"kind.channels":  "kênh tổng hợp",
}
