package syndicate

import (
	"fmt"

	"diemtin/store"
)

// repairText says in words what had to be mended in a document, and what its
// webmaster can do so that it need not be; Fix is empty where nothing is to do.
type repairText struct{ Is, Fix Names }

// repairTexts has a text for every kind of repair that the aggregator knows.
var repairTexts = map[string]repairText{
	"charset_mismatch": {Names{"ghi sai bảng mã", "labelled with another character encoding than it is in"},
		Names{"ghi UTF-8 ở cả Content-Type lẫn dòng đầu của XML, đúng như nội dung.", "say UTF-8 in Content-Type and in the XML declaration, as it is."}},
	"utf16_mislabelled": {Names{"ghi là UTF-16 mà không phải", "labelled UTF-16, which it is not"},
		Names{"ghi UTF-8 ở cả Content-Type lẫn dòng đầu của XML.", "say UTF-8 in Content-Type and in the XML declaration."}},
	"unknown_charset": {Names{"tên bảng mã không có thật", "the name of its encoding is unknown"},
		Names{"ghi UTF-8.", "say UTF-8."}},
	"invalid_utf8": {Names{"có byte không phải UTF-8, đã bỏ", "stray bytes that are no UTF-8, dropped"},
		Names{"cắt chuỗi theo ký tự, không theo byte.", "cut texts by characters, not by bytes."}},
	"invalid_utf16": {Names{"có nửa ký tự UTF-16, đã bỏ", "halves of UTF-16 characters, dropped"},
		Names{"xuất bằng UTF-8.", "write UTF-8."}},
	"windows_1258": {Names{"bảng mã windows-1258 không ghi tên", "windows-1258, which no label says"},
		Names{"xuất bằng UTF-8.", "write UTF-8."}},
	"legacy_font": {Names{"chữ gõ theo font TCVN3 hay VNI, đã chuyển", "typed for a TCVN3 or VNI font, converted"},
		Names{"chuyển bài cũ sang Unicode.", "convert old articles to Unicode."}},
	"mojibake": {Names{"UTF-8 bị mã hoá hai lần, đã gỡ", "UTF-8 encoded twice, undone"},
		Names{"kiểm tra bảng mã của kết nối cơ sở dữ liệu.", "check the encoding of the database's connection."}},
	"control_characters": {Names{"ký tự điều khiển XML không cho phép, đã bỏ", "control characters that XML forbids, dropped"},
		Names{"lọc ký tự điều khiển trước khi xuất.", "filter control characters before writing."}},
	"xml_version": {Names{"ghi XML 1.1", "declared as XML 1.1"},
		Names{"ghi version=\"1.0\": phần lớn trình đọc không nhận 1.1.", "say version=\"1.0\": most readers refuse 1.1."}},
	"bare_markup": {Names{"dấu < hay & không được thoát", "< or & not escaped"},
		Names{"thoát < thành &lt;, & thành &amp;, hoặc dùng CDATA.", "escape < as &lt; and & as &amp;, or use CDATA."}},
	"junk_before_root": {Names{"chữ thừa trước thẻ đầu tiên", "text before the first element"},
		Names{"bỏ dòng trống, thông báo lỗi in ra trước XML.", "print nothing before the XML: no empty line, no warning."}},
	"too_many_items": {Names{"nhiều mục hơn mức đọc, chỉ đọc phần đầu", "more entries than are read; the first were read"},
		Names{"giữ 50 bài mới nhất là đủ.", "the newest 50 articles are enough."}},
	"cut_off": {Names{"nội dung bị cắt giữa chừng", "it ends in the middle"},
		Names{"kiểm tra Content-Length và thời gian chờ của máy chủ.", "check Content-Length and the server's time-outs."}},
	"connection_cut": {Names{"kết nối đứt giữa chừng, đã đọc phần nhận được", "the connection broke off; what came was read"},
		Names{"kiểm tra thời gian chờ của máy chủ và tường lửa.", "check the time-outs of server and firewall."}},
	"unclosed_item": {Names{"mục không đóng thẻ", "an entry that is not closed"},
		Names{"xuất XML bằng thư viện thay vì ghép chuỗi.", "write XML by a library, not by joining strings."}},
	"mended_item": {Names{"mục có thẻ hỏng, đã sửa", "broken markup in an entry, mended"},
		Names{"đặt HTML trong CDATA hoặc thoát nó.", "put HTML into CDATA, or escape it."}},
	"lost_item": {Names{"mục không đọc nổi, đã bỏ", "entries that could not be read, left out"},
		Names{"kiểm tra nguồn bằng validator.w3.org/feed.", "check the feed at validator.w3.org/feed."}},
	"recovered": {Names{"XML hay JSON hỏng, đã đọc từng mục", "not well-formed; its entries were read one by one"},
		Names{"kiểm tra nguồn bằng validator.w3.org/feed.", "check the feed at validator.w3.org/feed."}},
	"guid_shared": {Names{"nhiều bài chung một guid", "several articles with one guid"},
		Names{"mỗi bài một guid, không đổi về sau.", "give each article a guid of its own that never changes."}},
	"guid_as_link": {Names{"thiếu liên kết, đã lấy guid thay", "no link; the guid was taken for it"},
		Names{"ghi liên kết của bài vào <link>.", "put the article's address into <link>."}},
	"no_link": {Names{"mục không có liên kết, đã bỏ", "entries without a link, left out"},
		Names{"ghi liên kết của bài vào <link>.", "put the article's address into <link>."}},
	"no_title": {Names{"mục không có tiêu đề, đã bỏ", "entries without a headline, left out"},
		Names{"ghi tiêu đề của bài vào <title>.", "put the article's headline into <title>."}},
	"duplicate": {Names{"mục lặp lại, giữ mục đầu", "entries that stand twice; the first was kept"},
		Names{"mỗi bài một lần trong nguồn.", "list each article once."}},
	"date_unreadable": {Names{"ngày giờ không đọc được", "dates that cannot be read"},
		Names{"ghi như Tue, 05 Nov 2024 14:15:00 +0700.", "write them as Tue, 05 Nov 2024 14:15:00 +0700."}},
	"date_guessed": {Names{"ngày giờ viết khác chuẩn, đã đoán", "dates in another form, guessed"},
		Names{"ghi như Tue, 05 Nov 2024 14:15:00 +0700.", "write them as Tue, 05 Nov 2024 14:15:00 +0700."}},
	"date_future": {Names{"giờ đăng ở tương lai, đã bỏ", "dates in the future, dropped"},
		Names{"kiểm tra múi giờ: giờ Việt Nam là +0700, không phải GMT.", "check the time zone: Việt Nam's is +0700, not GMT."}},
	"articles_waiting": {Is: Names{"bài chờ đọc ở lần sau", "articles to be read at the next visits"}},
	"article_missing": {Names{"trang bài không mở được", "article pages that could not be read"},
		Names{"kiểm tra liên kết ở trang danh mục.", "check the links of the listing."}},
	"article_closed": {Names{"robots.txt không cho đọc bài", "articles that robots.txt closes"},
		Names{"nếu muốn được đọc, cho phép diemtin trong robots.txt.", "to be read, allow diemtin in robots.txt."}},
	"empty_listing": {Is: Names{"trang danh mục đang trống", "the listing is empty"}},
	"page_missing": {Names{"trang tiếp theo không mở được", "a following page that could not be read"},
		Names{"kiểm tra liên kết sang trang.", "check the links to following pages."}},
	"sitemap_missing": {Names{"sitemap con không mở được", "a sitemap of the index that could not be read"},
		Names{"bỏ khỏi chỉ mục sitemap không còn.", "take sitemaps that are gone out of the index."}},
	"sitemap_left_out": {Is: Names{"sitemap con ở trang khác, đã bỏ qua", "a sitemap on another site, left out"}},
}

// repairRow is one kind of repair of a source's last document.
type repairRow struct {
	What string // "3 × ngày giờ không đọc được"
	Fix  string // what its webmaster can do; may be empty
}

// repairRows says what had to be mended.
func (s *Server) repairRows(repairs []store.Repair) []repairRow {
	var rows []repairRow
	for _, r := range repairs {
		text, known := repairTexts[r.Kind]
		if !known { // a newer program noted it
			text.Is = Names{r.Kind, r.Kind}
		}
		is, _ := s.lang.called(text.Is)
		fix, _ := s.lang.called(text.Fix)
		rows = append(rows, repairRow{fmt.Sprintf("%d × %s", r.Count, is), fix})
	}
	return rows
}
