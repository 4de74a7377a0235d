package vi

import (
	"slices"
	"strings"
	"testing"
)

func TestSyllables(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want, folded string }{
		{"empty", "", "", ""},
		{"punctuation only", " – … !", "", ""},
		{"words", "Xây dựng, chỉnh đốn Đảng!", "xây dựng chỉnh đốn đảng", "xay dung chinh don dang"},
		{"canon", "Uỷ ban Hoà Bình", "ủy ban hòa bình", "uy ban hoa binh"},
		{"thousands and decimals", "1.234,5 tỷ", "1.234,5 tỷ", "1.234,5 ty"},
		{"dates and times", "14:15 ngày 5/11/2024.", "14:15 ngày 5/11/2024", "14:15 ngay 5/11/2024"},
		{"document numbers", "Quy định 144-QĐ/TW, 57-NQ/TW", "quy định 144 qđ tw 57 nq tw", "quy dinh 144 qd tw 57 nq tw"},
		{"a slash before a letter separates", "45/2019/NĐ-CP", "45/2019 nđ cp", "45/2019 nd cp"},
		{"ranges", "2020-2025", "2020 2025", "2020 2025"},
		{"letters and digits", "U23 COVID-19 14h15 5G", "u23 covid 19 14h15 5g", "u23 covid 19 14h15 5g"},
		{"percent", "tăng 15%", "tăng 15", "tang 15"},
		{"no number after the point", "năm 2024. Hai", "năm 2024 hai", "nam 2024 hai"},
		{"letters end a number", "A1.2", "a1 2", "a1 2"},
		{"hyphenated", "Ê-đê", "ê đê", "e de"},
		{"decomposed", "ha\u0300 nội", "ha\u0300 nội", "ha noi"},
		{"quotes", "“Đảng”", "đảng", "dang"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(Syllables(tt.in), " "); got != tt.want {
				t.Errorf("Syllables(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if got := strings.Join(FoldedSyllables(tt.in), " "); got != tt.folded {
				t.Errorf("FoldedSyllables(%q) = %q, want %q", tt.in, got, tt.folded)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const text = "Tỉnh Hoà Bình: 1,5 tỷ"
	want := []Token{
		{"tỉnh", "Tỉnh", 0, 6},
		{"hòa", "Hòa", 7, 11},
		{"bình", "Bình", 12, 17},
		{"1,5", "1,5", 19, 22},
		{"tỷ", "tỷ", 23, 27},
	}
	got := Tokens(text)
	if !slices.Equal(got, want) {
		t.Errorf("Tokens(%q) = %+v, want %+v", text, got, want)
	}
	if s := text[got[1].Start:got[1].End]; s != "Hoà" {
		t.Errorf("second token spans %q, want the text as typed", s)
	}
	var texts []string
	for _, tok := range Tokens(sample) {
		texts = append(texts, tok.Text)
	}
	if !slices.Equal(texts, Syllables(sample)) {
		t.Errorf("Tokens and Syllables differ: %q, %q", texts, Syllables(sample))
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		n        int
		want     string
	}{
		{"short", "Hà Nội hôm nay.", 10, "Hà Nội hôm nay."},
		{"exact", "Hà Nội hôm nay.", 4, "Hà Nội hôm nay."},
		{"cut", "Hà Nội hôm nay", 2, "Hà Nội…"},
		{"punctuation", "Hà Nội, hôm nay", 2, "Hà Nội…"},
		{"dash and quotes", "Ông nói: “Tốt” – rồi đi", 3, "Ông nói: “Tốt…"},
		{"opening quote", "Ông nói: “Tốt”", 2, "Ông nói…"},
		{"percent stays", "tăng 15% so với", 2, "tăng 15%…"},
		{"never inside a word", "Quy định 144-QĐ/TW nêu rõ", 3, "Quy định…"},
		{"ellipsis", "Rồi… hết chuyện", 1, "Rồi…"},
		{"one long word", "vi.example.vn/a-b-c", 2, "vi.example…"},
		{"none", "Hà Nội", 0, ""},
		{"negative", "Hà Nội", -1, ""},
		{"empty", "", 5, ""},
		{"no syllables", "!!!", 1, "!!!"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Truncate(tt.in, tt.n); got != tt.want {
				t.Errorf("Truncate(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
			}
		})
	}
}

func BenchmarkSyllables(b *testing.B) {
	b.SetBytes(int64(len(sample)))
	b.ReportAllocs()
	for b.Loop() {
		Syllables(sample)
	}
}

func BenchmarkTokens(b *testing.B) {
	b.SetBytes(int64(len(sample)))
	b.ReportAllocs()
	for b.Loop() {
		Tokens(sample)
	}
}
