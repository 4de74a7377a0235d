package aggregator

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestContentText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, content string
		limit         int
		want          string
	}{
		{"plain text", "Mưa lớn,\nsuối dâng", 100, "Mưa lớn,\nsuối dâng"},
		{"blocks end lines", "<p>Mưa lớn</p><p>Suối dâng<br/>nhanh</p>", 100, "\nMưa lớn\n\nSuối dâng\nnhanh\n"},
		{"inline elements do not", `M<b>ư</b>a <a href="https://a.vn/?x=1&amp;y">lớn</a>`, 100, "Mưa lớn"},
		{"entities", "5 &lt; 7 &amp; 9", 100, "5 < 7 & 9"},
		{"a bare less-than", "giá < 7 nghìn", 100, "giá < 7 nghìn"},
		{"an unclosed tag", "hết <p", 100, "hết <p"},
		{"cut at white space", "Mưa lớn kéo dài", 10, "Mưa"},
		{"cut without white space", "ưưưưưưư", 5, "ưư"},
		{"nothing", "", 10, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := contentText(tc.content, tc.limit); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFoldedWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"syllables", "Xây dựng Đảng, “chống” lãng-phí…", "xay dung dang chong lang phi"},
		{"decomposed as composed", "Vie\u0323\u0302t", "viet"},
		{"dates", "5/11, 05-11, 5.11, 05/11/2024, 5-11-2024, 5.11.2024, ngày 5 tháng 11", "5/11 5/11 5/11 5/11 5/11 5/11 ngay 5/11"},
		{"a month", "tháng 11/2024", "thang 11/2024"},
		{"no date", "từ 9-11/6, năm 2016-2017, 32 tháng 13, tỷ số 45-13", "tu 9 11/6 nam 2016 2017 32 thang 13 ty so 45 13"},
		{"thousands", "1.234.567 đồng, 6.000 xe, 1.260,9 USD", "1234567 dong 6000 xe 1260,9 usd"},
		{"decimals", "87,5 triệu", "87,5 trieu"},
		{"leading zeros", "06 giờ 05", "6 gio 5"},
		{"letters and digits", "U23 lúc 14h15, COVID-19, 14:15", "u23 luc 14h15 covid 19 14:15"},
		{"other scripts", "東京 và ไทย", "東京 va ไทย"},
		{"only separators", " .,;—/ ", ""},
		{"a number at the end", "số 5.", "so 5"},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(foldedWords(tc.text), " "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSerialDiffers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, a, b string
		want       bool
	}{
		{"equal titles", "Thông cáo số 12", "Thông cáo số 12", false},
		{"numbers of communiqués", "Thông cáo số 12, kỳ họp thứ 8", "Thông cáo số 18 kỳ họp thứ 8", true},
		{"a number as a word", "Khai mạc kỳ họp thứ 8", "Bế mạc kỳ họp thứ tám", false},
		{"another number as a word", "Khai mạc kỳ họp thứ 8", "Khai mạc kỳ họp thứ Chín", true},
		{"Roman numbers", "Lợi nhuận quý I", "Lợi nhuận quý III", true},
		{"rounds", "Kết quả vòng 5 V.League", "Kết quả vòng 6 V.League", true},
		{"dates", "Giá vàng hôm nay 6/7: Tăng", "Giá vàng hôm nay 7.7: Giảm", true},
		{"a date in two spellings", "Chứng khoán ngày 9/6", "Chứng khoán ngày 09-6-2017", false},
		{"a date in one of them", "Giá vàng hôm nay 6/7", "Giá vàng tăng trở lại", false},
		{"a number alone", "Chậm hồi âm", "Chậm hồi âm 12", true},
		{"weekdays", "Lịch phát sóng thứ 3", "Lịch phát sóng thứ tư", true},
		{"numbers that number nothing", "80 người bị thương", "85 người thương vong", false},
		{"right after", "Bị bắt ngay sau khi gây án", "Bị bắt ngày 5 khi gây án", false},
		{"nothing", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a, b := readSerial(tc.a), readSerial(tc.b)
			if why := a.differs(b); (why != "") != tc.want {
				t.Errorf("got %q, want differing: %v", why, tc.want)
			}
			if why := b.differs(a); (why != "") != tc.want {
				t.Errorf("the other way round: got %q, want differing: %v", why, tc.want)
			}
		})
	}
}

func TestSketch(t *testing.T) {
	t.Parallel()
	meet := func(a, b []uint32) bool {
		return slices.ContainsFunc(a, func(k uint32) bool { return slices.Contains(b, k) })
	}
	const title = "Lũ ở Phong Hải: 12 hộ dân phải di dời trong đêm"
	full := Sketch(title, floodSummary, floodText)
	lead := Sketch(title, floodSummary, "")
	if len(full) != sketchLead+sketchBody || len(lead) != sketchAlone {
		t.Errorf("got %d keys of a text and %d without, want %d and %d", len(full), len(lead), sketchLead+sketchBody, sketchAlone)
	}
	// Keys are stored: they must never change without a migration.
	want := []uint32{31990899, 50704849, 69068761, 343417520}
	if got := full[:4]; !slices.Equal(got, want) {
		t.Errorf("got keys %d…, want %d…", got, want)
	}
	if again := Sketch(title, floodSummary, floodText); !slices.Equal(again, full) {
		t.Errorf("got %d, then %d", full, again)
	}
	for name, other := range map[string][]uint32{
		"another headline": Sketch("Trắng đêm chống lụt", floodSummary, floodText),
		"half of it":       Sketch("Trắng đêm chống lụt", "Một đêm không ngủ.", paragraphs(floodText, 0, 2)),
		"its summary":      Sketch("Trắng đêm chống lụt", floodSummary, ""),
		"plain text":       Sketch("Trắng đêm chống lụt", "", contentText(floodText, maxMatchBytes)),
	} {
		if !meet(full, other) {
			t.Errorf("%s shares no key", name)
		}
	}
	if other := Sketch("Giá vàng", "", gold("5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9")); meet(full, other) {
		t.Error("another text shares a key")
	}
	if empty := Sketch("", "", ""); len(empty) != 0 {
		t.Errorf("an empty item has keys %d", empty)
	}
}

func FuzzFoldedWords(f *testing.F) {
	f.Add("ngày 9 tháng 6, 28-6-2017 và 1.234,5")
	f.Add("<p>5 &lt; 7")
	f.Add("9 tháng 9 tháng 9")
	f.Add("\xff.5/")
	f.Fuzz(func(t *testing.T, s string) {
		for _, w := range foldedWords(s) {
			if w == "" || strings.ContainsAny(w, " \n-") {
				t.Errorf("%q: word %q", s, w)
			}
		}
		if text := contentText(s, 40); len(text) > 40+len(s) || utf8.ValidString(s) && !utf8.ValidString(text) {
			t.Errorf("contentText(%q) = %q", s, text)
		}
		if keys := Sketch(s, s, s); len(keys) > 16 {
			t.Errorf("%q has %d keys", s, len(keys))
		}
	})
}
