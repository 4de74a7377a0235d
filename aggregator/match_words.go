package aggregator

import (
	"regexp"
	"strings"
)

// notedWords are the parts of what the judge notes as evidence, with what they
// are in Vietnamese, the longer before what stands inside them.
var notedWords = func() (all []notedPart) {
	for _, p := range [][2]string{
		{`nothing near`, `không có bản nào gần giống`},
		{`both name the article `, `cả hai dẫn tới cùng một bài: `},
		{`is named as the source: `, `được bản kia ghi là nguồn: `},
		{`names (.+) as its source$`, `ghi nguồn là $1`},
		{`equal titles, and one names the other's outlet as its source`, `tít trùng nhau, và một bản ghi nguồn là báo của bản kia`},
		{`titles alone, and they differ`, `chỉ có tít để so, và tít khác nhau`},
		{`equal titles of (\d+) syllables, too few to tell alone`, `tít trùng nhau nhưng chỉ có $1 tiếng, quá ngắn để kết luận`},
		{`equal titles of (\d+) syllables`, `tít trùng nhau, $1 tiếng`},
		{`equal titles of one outlet, and no text to tell by`, `tít trùng nhau của cùng một báo, không có văn bản để so`},
		{`equal titles, too far apart in time to tell alone`, `tít trùng nhau, nhưng đăng quá xa nhau để kết luận`},
		{`titles name different dates: (\S+) and (\S+)`, `tít ghi hai ngày khác nhau: $1 và $2`},
		{`titles number different instalments: (.+) and (\S+)$`, `tít ghi hai kỳ khác nhau: $1 và $2`},
		{`titles differ in a number alone`, `tít chỉ khác nhau một con số`},
		{`(\d+) % of (\d+) three-syllable runs of the shorter summary shared`, `trùng $1 % trong $2 cụm ba tiếng của tóm tắt ngắn hơn`},
		{`(\d+) % of (\d+) five-syllable runs of the shorter text shared, (\d+) % of all`, `trùng $1 % trong $2 cụm năm tiếng của bản ngắn hơn, $3 % của cả hai bản`},
		{`, (\d+) % without the summaries`, `, $1 % nếu không kể tóm tắt`},
		{`, too few \((\d+)\) to tell`, `, quá ít ($1) để kết luận`},
		{`; (\d+) of them and the title's in no other story`, `; $1 cụm trong đó và trong tít không có ở tin nào khác`},
		{`; (\d+) % needed`, `; cần $1 %`},
		{` where each text begins with news of its own`, ` vì mỗi bản mở đầu bằng tin riêng`},
		{` where the longer text begins with other news`, ` vì bản dài hơn mở đầu bằng tin khác`},
		{`; one names the other's outlet as its source`, `; một bản ghi nguồn là báo của bản kia`},
		{` with (\d+) numbers disputed`, ` vì $1 con số không khớp`},
		{` with a number disputed`, ` vì một con số không khớp`},
		{` so far apart in time`, ` vì đăng xa nhau`},
		{` within one outlet`, ` vì của cùng một báo`},
		{`; a trimmed copy`, `; là bản cắt ngắn`},
		{`, but the titles name others`, `, nhưng tít nói về người, nơi khác`},
		{`, but only (\d+) of (\d+) numbers`, `, nhưng chỉ khớp $1 trong $2 con số`},
		{`, but numbers differ`, `, nhưng con số khác nhau`},
		{`; numbers agree`, `; các con số khớp nhau`},
		{`one text is (\d+) times as long as the other`, `một bản dài gấp $1 lần bản kia`},
		// Why an original is that, as ChooseOriginal notes it.
		{`an editor ruled so`, `biên tập viên quyết định như vậy`},
		{`the only copy`, `đây là bản duy nhất`},
		{`(\d+) of the other (\d+) name (.+?) as their source`, `$1 trong $2 bản kia ghi nguồn là $3`},
		{`the only one that names no source`, `chỉ có bản này không ghi là lấy từ nơi khác`},
		{`one of (\d+) that name no source`, `là một trong $1 bản không ghi là lấy từ nơi khác`},
		{`the source named is (.+?), and those that name none were published later`, `nguồn được ghi là $1, còn những bản không ghi nguồn đều đăng sau`},
		{`published first: (.+?), (\S+) before the next`, `đăng sớm nhất: $1, trước bản kế tiếp $2`},
		{`read here at (.+?), before the others were published`, `được đọc thấy lúc $1, trước khi các bản kia đăng`},
		{`(\S+) ranks first \((\d+)\)`, `$1 đứng trước trong thứ tự ưu tiên (hạng $2)`},
		{`seen first, `, `được đọc thấy trước, lúc `},
		{`stored first`, `được lưu trước`},
		{`no items`, `không có bản nào`},
	} {
		all = append(all, notedPart{regexp.MustCompile(p[0]), p[1]})
	}
	return all
}()

type notedPart struct {
	en *regexp.Regexp
	vi string
}

// NotedVietnamese says in Vietnamese what was noted as evidence of a merge, of
// two stories that are two, or of an original, in English, as all that is
// stored. A part that it does not know stays as it is.
func NotedVietnamese(evidence string) string {
	for _, p := range notedWords {
		evidence = p.en.ReplaceAllString(evidence, p.vi)
	}
	return strings.TrimSpace(evidence)
}
