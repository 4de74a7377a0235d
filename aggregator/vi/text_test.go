package vi

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// sample is a paragraph of the kind these functions see for every item.
const sample = `Sáng 5/11, tại Hà Nội, Ủy ban Kiểm tra Trung ương họp kỳ thứ 49. Theo Quy định số 144-QĐ/TW của Bộ Chính trị, cán bộ, đảng viên phải gương mẫu, thực hành tiết kiệm, chống lãng phí. Dự án có tổng vốn 1.234,5 tỷ đồng, giải ngân đạt 62%, hoàn thành trước ngày 31/12/2025. Người dân xã Thuỵ Xuân khoẻ mạnh, đời sống ổn định.`

func TestNFC(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"ascii", "Tin moi", "Tin moi"},
		{"composed", "Điểm tin “hôm nay” – 5/11…", "Điểm tin “hôm nay” – 5/11…"},
		{"decomposed", norm.NFD.String("xây dựng Đảng"), "xây dựng Đảng"},
		{"half composed, as windows-1258 decodes", "xây dư\u0323ng Đa\u0309ng", "xây dựng Đảng"},
		{"old tone marks", "ha\u0340 no\u0341i", "hà nói"},
		{"tab and newline stay", "a\tb\nc", "a\tb\nc"},
		{"line ends become newlines", "a\r\nb\rc\u2028d\u2029e", "a\nb\nc\nd\ne"},
		{"controls", "a\x00b\x08c\x1Fd\x7Fe\u0081f\u009Dg", "abcdefg"},
		{"windows-1252 bytes taken for characters", "\u0093Tin\u0094 \u0096 Hà Nội\u0092s\u0085", "“Tin” – Hà Nội’s…"},
		{"mark after such a byte", "a\u0092\u0300", "a’\u0300"},
		{"joined emoji", "tin 👨\u200D👩\u200D👧, 🏳\uFE0F\u200D🌈, 👩🏽\u200D⚕\uFE0F", "tin 👨\u200D👩\u200D👧, 🏳\uFE0F\u200D🌈, 👩🏽\u200D⚕\uFE0F"},
		{"joiner without a second emoji", "👨\u200D a\u200D👩 👨\u200D\u200D👩 \uFE0F\u200D👩", "👨 a👩 👨👩 \uFE0F👩"},
		{"not XML", "a\uFFFEb\uFFFFc\uFDD0d\U0001FFFEe", "abcde"},
		{"zero width and BOM", "\uFEFFHà\u200B \u200CNội\u200D\u2060 h\u00ADai", "Hà Nội hai"},
		{"bidi controls", "a\u202Eb\u202Cc\u2066d\u2069", "abcd"},
		{"zero width between base and mark", "a\u200B\u0300", "à"},
		{"invalid bytes", "được ph\xC3 rồi\xFF", "được ph rồi"},
		{"cut at the end", "xây d\xE1\xBB", "xây d"},
		{"replacement character", "xây d\uFFFDng", "xây dng"},
		{"surrogate halves", "a\xED\xA0\x80b", "ab"},
		{"no-break space stays", "a\u00A0b", "a\u00A0b"},
		{"emoji with variation selector", "tin ❤\uFE0F 😀", "tin ❤\uFE0F 😀"},
		{"other scripts", "東京 ປະເທດລາວ", "東京 ປະເທດລາວ"},
		{"pile of marks", "e" + strings.Repeat("\u0335", 50), "e" + strings.Repeat("\u0335", 8)},
		{"compatibility forms stay", "10 m² ﬁ", "10 m² ﬁ"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := NFC(tt.in); got != tt.want {
				t.Errorf("NFC(%+q) = %+q, want %+q", tt.in, got, tt.want)
			}
		})
	}
}

func TestNFCIsUnicodes(t *testing.T) {
	t.Parallel()
	for _, first := range "aăâeêioôơuưyAĂÂEÊIOÔƠUƯYdDạẹọcñü " {
		for mark1 := rune(0x300); mark1 <= 0x331; mark1++ {
			for _, mark2 := range "\u0300\u0301\u0302\u0303\u0306\u0309\u031B\u0323x" {
				s := "x" + string([]rune{first, mark1, mark2, 'ờ', '\u0323'})
				if got, want := NFC(s), norm.NFC.String(s); got != want {
					t.Errorf("NFC(%+q) = %+q, want %+q", s, got, want)
				}
				s = s[:len(s)-len("ờ\u0323")]
				if got, want := NFC(s), norm.NFC.String(s); got != want {
					t.Errorf("NFC(%+q) = %+q, want %+q", s, got, want)
				}
			}
		}
	}
}

func TestNFCLeavesCleanTextAlone(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { NFC(sample) }); n != 0 {
		t.Errorf("NFC of clean text allocates %v times, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { Line(sample); Canon("Hòa Bình") }); n != 0 {
		t.Errorf("Line and Canon of clean text allocate %v times, want 0", n)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", ""},
		{" \n\u00A0 ", ""},
		{"Một dòng", "Một dòng"},
		{"  Hà\u00A0Nội\r\n\t hôm\u2003nay  ", "Hà Nội hôm nay"},
		{"a\u3000b\u202Fc", "a b c"},
		{"a\u200B b", "a b"},
		{"a ", "a"},
	}
	for _, tt := range tests {
		if got := Line(tt.in); got != tt.want {
			t.Errorf("Line(%+q) = %+q, want %+q", tt.in, got, tt.want)
		}
	}
}

func TestCanon(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"hoà hoá hoả hoã hoạ", "hòa hóa hỏa hõa họa"},
		{"khoẻ loè hoé toẽ choẹ", "khỏe lòe hóe tõe chọe"},
		{"thuỳ thuý thuỷ luỹ tuỵ", "thùy thúy thủy lũy tụy"},
		{"HOÀ BÌNH, Hoà Bình, hOÀ, OÀ", "HÒA BÌNH, Hòa Bình, hÒA, ÒA"},
		{"Uỷ ban UỶ BAN uỷ", "Ủy ban ỦY BAN ủy"},
		{"KHOẺ Khoẻ", "KHỎE Khỏe"},
		{"hòa khỏe thúy ủy", "hòa khỏe thúy ủy"},
		{"quý quỳ quỹ Quý QUÝ quỷ", "quý quỳ quỹ Quý QUÝ quỷ"},
		{"giá già quà quả quạ", "giá già quà quả quạ"},
		{"hoàn hoài hoạch hoáy hoạt", "hoàn hoài hoạch hoáy hoạt"},
		{"xoèn loét hoẻn", "xoèn loét hoẻn"},
		{"huỳnh khuỷu huých thuyền", "huỳnh khuỷu huých thuyền"},
		{"hoà, thuý. khoẻ!", "hòa, thúy. khỏe!"},
		{"Thuỵ Sĩ và Thanh Hoá", "Thụy Sĩ và Thanh Hóa"},
		{"Ðảng ðoàn Ɖiện", "Đảng đoàn Điện"},
		{"thuở thuế hoặc ngoằn", "thuở thuế hoặc ngoằn"},
		{"hoà" + "\u0302", "hoà" + "\u0302"},
		{"", ""},
		{"o", "o"},
		{"oà\xFF", "òa\xFF"},
	}
	for _, tt := range tests {
		if got := Canon(tt.in); got != tt.want {
			t.Errorf("Canon(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"all vowels", "ăâêôơư ĂÂÊÔƠƯ ằẵẳắặ ầẫẩấậ ềễểếệ ồỗổốộ ờỡởớợ ừữửứự ỳỹỷýỵ", "aaeoou aaeoou aaaaa aaaaa eeeee ooooo ooooo uuuuu yyyyy"},
		{"đ", "Điện Biên đoàn", "dien bien doan"},
		{"eth for đ", "Ðảng ðoàn", "dang doan"},
		{"decomposed", norm.NFD.String("Thừa Thiên – Huế"), "thua thien – hue"},
		{"tone placement", "hoà hòa", "hoa hoa"},
		{"digits and punctuation", "144-QĐ/TW: 1.234,5 tỷ", "144-qd/tw: 1.234,5 ty"},
		{"other Latin", "Øresund Łódź Straße Æsir Þór Œuvre ŉ", "oresund lodz strasse aesir thor oeuvre ŉ"},
		{"Greek and Cyrillic", "Άθήνα Йод", "αθηνα иод"},
		{"no letter taken apart", "한국 東京 ปี", "한국 東京 ปี"},
		{"invalid bytes become U+FFFD", "a\xFFÁ", "a\uFFFDa"},
		{"Kelvin", "\u212A", "k"},
	}
	for _, tt := range tests {
		if got := Fold(tt.in); got != tt.want {
			t.Errorf("%s: Fold(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"Xây dựng Đảng", "xay-dung-dang"},
		{"  TP. Hồ Chí Minh -- ", "tp-ho-chi-minh"},
		{"Bà Rịa - Vũng Tàu", "ba-ria-vung-tau"},
		{"144-QĐ/TW", "144-qd-tw"},
		{"東京", ""},
		{"東京 2024 東", "2024"},
		{"", ""},
		{"!?", ""},
	}
	for _, tt := range tests {
		if got := Slug(tt.in); got != tt.want {
			t.Errorf("Slug(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{sample, norm.NFD.String(sample), "hoà\r\n\u200B\xC3", "a\u0344\u0300", "\U0001F468\u200D\U0001F469", "☀\uFE0F\u200D☀\u0085\u0300", "e\u0335\u0335\u0335\u0335\u0335\u0335\u0335\u0335\u0344"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		clean := NFC(s)
		if !utf8.ValidString(clean) || !norm.NFC.IsNormalString(clean) {
			t.Fatalf("NFC(%+q) = %+q is not valid UTF-8 in NFC", s, clean)
		}
		for i, r := range clean {
			if r == joiner && joinsEmoji(clean, i, i+len("\u200D")) {
				continue
			}
			if r == '\r' || r == utf8.RuneError || invisible(r) {
				t.Fatalf("NFC(%+q) = %+q keeps %U", s, clean, r)
			}
		}
		for name, f := range map[string]func(string) string{"NFC": NFC, "Line": Line, "Canon": Canon, "Fold": Fold, "Slug": Slug} {
			for _, in := range []string{s, clean} {
				once := f(in)
				if twice := f(once); twice != once {
					t.Fatalf("%s(%+q) = %+q, but applied again %+q", name, in, once, twice)
				}
			}
		}
		if a, b := Fold(clean), Fold(Canon(clean)); a != b {
			t.Fatalf("Fold(%+q) = %+q, but of its Canon %+q", clean, a, b)
		}
		last := 0
		for _, tok := range Tokens(s) {
			if tok.Start < last || tok.End <= tok.Start || tok.End > len(s) {
				t.Fatalf("Tokens(%+q): token %+v is out of place", s, tok)
			}
			last = tok.End
		}
		if cut := Truncate(clean, n); len(Syllables(cut)) > max(n, 0) {
			t.Fatalf("Truncate(%+q, %d) = %+q has %d syllables", clean, n, cut, len(Syllables(cut)))
		}
	})
}

func BenchmarkNFC(b *testing.B) {
	for name, s := range map[string]string{"clean": sample, "decomposed": norm.NFD.String(sample), "zero-width": "\uFEFF" + sample} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				NFC(s)
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	b.SetBytes(int64(len(sample)))
	b.ReportAllocs()
	for b.Loop() {
		Fold(sample)
	}
}

func TestLowerIsToLower(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= 0x2FFF; r++ {
		if got, want := lower("a"+string(r)+"Z"), strings.ToLower("a"+string(r)+"Z"); got != want {
			t.Errorf("lower of %U = %q, want %q", r, got, want)
		}
	}
}
