package store

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

func TestPack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		most       int // bytes it takes
	}{
		{"nothing", "", 0},
		{"one syllable, which is no shorter", "cá", 3},
		{"sentence", "Sáng nay, Tỉnh ủy Lào Cai họp hội nghị lần thứ mười hai.", 34},
		{"capitals", "HÀ NỘI - Thủ tướng NGUYỄN VĂN A", 30},
		{"mixed case", "cầu Treo nẬm lúC", 25},
		{"two spaces, a tab, a line", "một  hai\tba\nbốn", 20},
		{"space at the ends", " một hai ", 10},
		{"abbreviations and digits", "TP.HCM: 31.000 tỷ đồng, tăng 4,5%", 32},
		{"foreign letters", "Đắk Lắk đón Müller và Владимир", 60},
		{"marks", "“một” – hai… ba", 25},
		{"decomposed", "to\u0302i", 6},
		{"no text", "\x00\x01\x02\x03\x04\xff\xfe", 10},
		{"the mark", "\x01", 5},
		{"joined by a hyphen", "karaoke-xì-dầu-cà-phê", 20},
		{"longer than one piece", strings.Repeat("ж", 1000), 2016},
		{"topics", encoded([]ItemTopic{{Topic: "kinh-te", Score: 2.5, Primary: true, Reasons: []Phrase{{"xuất khẩu", "title", 1.5}, {"tôm", "body", 0.25}}}}), 38},
		{"markup", `<p>Giá vàng hôm nay tăng.</p><p>Xem <a href="https://bao.example/x" rel="nofollow">tại đây</a></p>`, 53},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := pack(tc.text)
			if b == nil || len(b) > tc.most {
				t.Errorf("packed %d bytes into %d, want at most %d: %q", len(tc.text), len(b), tc.most, b)
			}
			if got, err := unpack(b); err != nil || got != tc.text {
				t.Errorf("unpacked %q, %v; want %q", got, err, tc.text)
			}
		})
	}
}

// Every syllable has a number of its own that fits, and comes back in each form.
func TestEverySyllable(t *testing.T) {
	t.Parallel()
	all := allSyllables()
	if n := len(all.written[lower]); n > 1<<14 {
		t.Fatalf("%d syllables do not fit into 14 bits", n)
	}
	for form := range all.written {
		for n, w := range all.written[form] {
			s := string(w.spaced[1:w.size])
			want := s + " " + s + " " + s
			if got, err := unpack(pack(want)); err != nil || got != want {
				t.Fatalf("syllable %d in form %d: %q, %v; want %q", n, form, got, err, want)
			}
		}
	}
}

// What is stored means what these tables say: they may not change.
func TestSyllablesStand(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	for _, w := range allSyllables().written[lower] {
		h.Write(w.spaced[:w.size])
	}
	if got, want := fmt.Sprintf("%x", h.Sum(nil)[:8]), "bfb03376bb80e6e4"; got != want {
		t.Errorf("the syllables are others: %s, want %s", got, want)
	}
	if got, want := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(phrases, "\x00"))))[:16], "8a6e942d8d232800"; got != want {
		t.Errorf("the phrases are others: %s, want %s", got, want)
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]string{
		"half a syllable":      "\x01\x80",
		"no such syllable":     "\x01\xbf\xff",
		"no such phrase":       "\x01\xff",
		"no length":            "\x01\x02",
		"bytes that end early": "\x01\x02\x05abc",
	} {
		if got, err := unpack([]byte(b)); err == nil {
			t.Errorf("%s: read as %q", name, got)
		}
	}
	var s text
	if err := s.Scan(int64(1)); err == nil {
		t.Error("a number was read as a text")
	}
}

// A database that plain texts stand in is read as it is.
func TestUnpackPlain(t *testing.T) {
	t.Parallel()
	var a, b text
	if err := a.Scan("Tin"); err != nil || a != "Tin" {
		t.Errorf("text: %q, %v", a, err)
	}
	if err := b.Scan([]byte("Tin")); err != nil || b != "Tin" {
		t.Errorf("bytes: %q, %v", b, err)
	}
}

func FuzzPack(f *testing.F) {
	for _, s := range []string{"", "Hà Nội", "HÀ NỘI 2", "\x01\x02a", "đắk lắk – x", `[{"topic":"xa-hoi"}]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := pack(s)
		if got, err := unpack(b); err != nil || got != s {
			t.Fatalf("unpacked %q, %v; want %q", got, err, s)
		}
		if again := pack(s); string(again) != string(b) {
			t.Fatalf("packed otherwise the second time: %q, %q", b, again)
		}
		if s != "" {
			unpack([]byte(s)) // whatever is stored, it ends
			unpack(append([]byte{packedMark}, s...))
		}
	})
}
