package vi

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/unicode/norm"
)

// feedText is the body of the test feeds; its line is Vietnamese prose.
const feedText = "<rss><channel><title>Tin tức</title><item><title>Đảng bộ tỉnh Hưng Yên thực hành tiết kiệm, chống lãng phí – “việc phải làm ngay”</title>" +
	"<description>Đồng chí Bí thư Tỉnh ủy nhấn mạnh ý nghĩa của công tác kiểm tra, giám sát.</description></item></channel></rss>"

// decl returns feedText after an XML declaration with the label.
func decl(label string) string {
	if label == "" {
		return `<?xml version="1.0"?>` + feedText
	}
	return `<?xml version="1.0" encoding="` + label + `"?>` + feedText
}

func encode(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := encoding.ReplaceUnsupported(e.NewEncoder()).String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// vietnameseBytes encodes s in windows-1258, whose tones stand apart.
func vietnameseBytes(t testing.TB, s string) string {
	t.Helper()
	var b strings.Builder
	for _, r := range s {
		if _, ok := charmap.Windows1258.EncodeRune(r); ok || r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		d := []rune(norm.NFD.String(string(r)))
		for i, m := range d { // the tone goes last, the other mark stays with its letter
			if strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", m) {
				d = append(slices.Delete(d, i, i+1), m)
				break
			}
		}
		b.WriteString(norm.NFC.String(string(d[:len(d)-1])))
		b.WriteRune(d[len(d)-1])
	}
	return encode(t, charmap.Windows1258, b.String())
}

// tcvn3Bytes encodes s for an ABC font.
func tcvn3Bytes(t testing.TB, s string) string {
	t.Helper()
	table := map[rune]byte{}
	for c := 0xFF; c >= 0xA1; c-- {
		table[[]rune(fromTCVN3(string(rune(c))))[0]] = byte(c)
	}
	var b strings.Builder
	for _, r := range s {
		if c, ok := table[r]; ok {
			b.WriteByte(c)
		} else {
			b.WriteString(encode(t, charmap.Windows1252, string(r)))
		}
	}
	return b.String()
}

// mojibake encodes s as UTF-8 twice.
func mojibake(t testing.TB, s string) string {
	t.Helper()
	var b strings.Builder
	for _, c := range []byte(s) {
		if r := charmap.Windows1252.DecodeByte(c); r != utf8.RuneError {
			b.WriteRune(r)
		} else {
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

const vniText = "<rss><title>Ñaûng boä tænh Höng Yeân thöïc haønh tieát kieäm, choáng laõng phí. Ñaïi hoäi Ñaûng boä, nöôùc Vieät Nam</title></rss>"

func TestDecode(t *testing.T) {
	t.Parallel()
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16be := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	utf32le := utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	utf32be := utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
	plain, clean := decl(""), decl("utf-8")
	const xml = "application/rss+xml"
	tests := []struct {
		name        string
		body        string
		contentType string
		want        string
		label       string
		repairs     string
	}{
		{"utf-8", clean, xml, clean, "utf-8", ""},
		{"utf-8 in capitals", decl("UTF-8"), xml + "; charset=UTF-8", decl("UTF-8"), "utf-8", ""},
		{"utf-8 undeclared", plain, "", plain, "utf-8", ""},
		{"utf-8 with mark", "\uFEFF" + clean, xml, clean, "utf-8", ""},
		{"empty", "", "", "", "utf-8", ""},
		{"ascii", "<rss/>", "text/xml; charset=windows-1258", "<rss/>", "utf-8", ""},
		{"decomposed", norm.NFD.String(clean), xml, clean, "utf-8", ""},

		{"utf-16le with mark", "\xFF\xFE" + encode(t, utf16le, decl("utf-16")), xml, clean, "utf-16le", ""},
		{"utf-16be with mark", "\xFE\xFF" + encode(t, utf16be, decl("utf-16")), xml, clean, "utf-16be", ""},
		{"utf-16le without mark", encode(t, utf16le, decl("utf-16")), xml + "; charset=utf-16", clean, "utf-16le", ""},
		{"utf-16be without mark", encode(t, utf16be, plain), xml, plain, "utf-16be", ""},
		{"utf-16le served as utf-8", encode(t, utf16le, plain), xml + "; charset=utf-8", plain, "utf-16le", RepairMismatch},
		{"utf-32le with mark", "\xFF\xFE\x00\x00" + encode(t, utf32le, plain), xml, plain, "utf-32le", ""},
		{"utf-32be with mark", "\x00\x00\xFE\xFF" + encode(t, utf32be, plain), xml, plain, "utf-32be", ""},
		{"utf-32le without mark", encode(t, utf32le, plain), xml, plain, "utf-32le", ""},
		{"utf-32be without mark", encode(t, utf32be, plain), xml, plain, "utf-32be", ""},
		{"utf-16le cut in half", encode(t, utf16le, plain) + "<", xml, plain, "utf-16le", RepairInvalidWide},
		{"utf-16le with emoji and half of one", encode(t, utf16le, "<a>😀") + "\x3D\xD8", xml, "<a>😀", "utf-16le", RepairInvalidWide},
		{"utf-8 after a mark of utf-16", "\xFF\xFE" + clean, xml, clean, "utf-8", ""},

		{"utf-8 labelled utf-16", decl("utf-16"), xml, clean, "utf-8", RepairUTF16Label},
		{"ascii labelled utf-16", `<?xml version="1.0" encoding="UTF-16"?><rss/>`, xml, `<?xml version="1.0" encoding="utf-8"?><rss/>`, "utf-8", RepairUTF16Label},
		{"utf-8 labelled iso-8859-1", decl("iso-8859-1"), xml, clean, "utf-8", RepairMismatch},
		{"utf-8 labelled windows-1258", decl("windows-1258"), xml, clean, "utf-8", RepairMismatch},
		{"utf-8 served as iso-8859-1", clean, xml + ";charset=ISO-8859-1", clean, "utf-8", RepairMismatch},
		{"utf-8 served as utf-8, declared latin", decl("iso-8859-1"), xml + `; charset="utf-8"`, clean, "utf-8", RepairMismatch},
		{"utf-8 labelled gb2312", decl("gb2312"), xml, clean, "utf-8", RepairMismatch},
		{"unknown label", decl("x-vietnamese"), xml, clean, "utf-8", RepairUnknown},
		{"empty label", decl(" "), xml, clean, "utf-8", ""},
		{"XML 1.1", strings.Replace(clean, `"1.0"`, `"1.1"`, 1), xml, clean, "utf-8", RepairXMLVersion},
		{"single quotes", strings.ReplaceAll(decl("utf-16"), `"`, `'`), xml, strings.ReplaceAll(clean, `"`, `'`), "utf-8", RepairUTF16Label},

		{"windows-1258 declared", vietnameseBytes(t, decl("windows-1258")), xml, clean, "windows-1258", ""},
		{"windows-1258 undeclared", vietnameseBytes(t, plain), "", plain, "windows-1258", RepairVietnamese},
		{"windows-1258 declared only in HTTP", vietnameseBytes(t, plain), xml + "; charset=windows-1258", plain, "windows-1258", ""},
		{"windows-1258 labelled utf-8", vietnameseBytes(t, clean), xml, clean, "windows-1258", RepairVietnamese + " " + RepairMismatch},
		{"windows-1258 labelled iso-8859-1", vietnameseBytes(t, decl("iso-8859-1")), xml, clean, "windows-1258", RepairVietnamese + " " + RepairMismatch},
		{"windows-1258 declared, served as utf-8", vietnameseBytes(t, decl("windows-1258")), xml + "; charset=utf-8", clean, "windows-1258", RepairMismatch},
		{"windows-1258 page", vietnameseBytes(t, `<html><META http-equiv=content-type content="text/html; charset=windows-1258">`+feedText), "text/html", `<html><META http-equiv=content-type content="text/html; charset=windows-1258">` + feedText, "windows-1258", ""},
		{"windows-1252 undeclared", "<a>caf\xE9 \x96 cr\xE8me br\xFBl\xE9e, na\xEFve</a>", "", "<a>café – crème brûlée, naïve</a>", "windows-1252", ""},
		{"windows-1251 page", encode(t, charmap.Windows1251, `<meta charset="windows-1251"><p>Привет</p>`), "text/html", `<meta charset="windows-1251"><p>Привет</p>`, "windows-1251", ""},
		{"gb2312 declared", encode(t, simplifiedchinese.GBK, `<?xml version="1.0" encoding="gb2312"?><a>越南</a>`), xml, `<?xml version="1.0" encoding="utf-8"?><a>越南</a>`, "gbk", ""},
		{"euc-kr that looks like utf-8", encode(t, korean.EUCKR, `<?xml version="1.0" encoding="euc-kr"?><a>짱</a>`), xml, `<?xml version="1.0" encoding="utf-8"?><a>짱</a>`, "euc-kr", ""},
		{"euc-kr declared, served as gbk", encode(t, charmap.Windows1251, `<?xml version="1.0" encoding="windows-1251"?><a>Привет я</a>`), xml + "; charset=big5", `<?xml version="1.0" encoding="utf-8"?><a>Привет я</a>`, "windows-1251", RepairMismatch},

		{"character cut in half", strings.Replace(clean, "việc", "vi\xE1\xBB", 1), xml, strings.Replace(clean, "việc", "vi", 1), "utf-8", RepairInvalidUTF8},
		{"several bytes of nothing", strings.Replace(clean, "việc", "\xC3\xFF\x80việc", 1), xml, clean, "utf-8", RepairInvalidUTF8},
		{"cut off at the end", clean + "\xE1\xBA", xml, clean, "utf-8", RepairInvalidUTF8},

		{"mojibake", mojibake(t, clean), xml, clean, "utf-8", RepairMojibake},
		{"mojibake twice", mojibake(t, mojibake(t, clean)), xml, clean, "utf-8", RepairMojibake},
		{"a storm in capitals", "<a>BÃO SỐ 3, ÃÂ</a>", xml, "<a>BÃO SỐ 3, ÃÂ</a>", "utf-8", ""},
		{"French", "<a>Ã propos – château</a>", xml, "<a>Ã propos – château</a>", "utf-8", ""},

		{"tcvn3 as bytes", tcvn3Bytes(t, plain), xml, plain, "tcvn3", RepairLegacyFont},
		{"tcvn3 declared", tcvn3Bytes(t, decl("x-viet-tcvn")), xml, clean, "tcvn3", ""},
		{"vni as bytes", encode(t, charmap.Windows1252, vniText), xml, "<rss><title>Đảng bộ tỉnh Hưng Yên thực hành tiết kiệm, chống lãng phí. Đại hội Đảng bộ, nước Việt Nam</title></rss>", "vni", RepairLegacyFont},
		{"vni as utf-8", vniText, xml, "<rss><title>Đảng bộ tỉnh Hưng Yên thực hành tiết kiệm, chống lãng phí. Đại hội Đảng bộ, nước Việt Nam</title></rss>", "vni", RepairLegacyFont},
		{"German is no legacy font", "<a>Über die Grüße für Möbel, Häuser, Töne, schöne Flüsse und Bäume</a>", xml, "<a>Über die Grüße für Möbel, Häuser, Töne, schöne Flüsse und Bäume</a>", "utf-8", ""},
		{"French is no legacy font", "<a>été forêt élève où ça naïve Noël garçon hôtel pâté même très déjà crème</a>", xml, "<a>été forêt élève où ça naïve Noël garçon hôtel pâté même très déjà crème</a>", "utf-8", ""},
		{"Vietnamese of western letters only", "<a>xã nhà là và có thì tôi sân cô bé lúa</a>", xml, "<a>xã nhà là và có thì tôi sân cô bé lúa</a>", "utf-8", ""},

		{"control characters", "<a>mot\x08 hai\uFFFE</a>", xml, "<a>mot hai</a>", "utf-8", RepairControls},
		{"line ends", "<a>\r\nb</a>", xml, "<a>\nb</a>", "utf-8", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, d := Decode([]byte(tt.body), tt.contentType)
			if got != tt.want {
				t.Errorf("text = %q\nwant   %q", got, tt.want)
			}
			if d.Label != tt.label || strings.Join(d.Repairs, " ") != tt.repairs {
				t.Errorf("Decoding = %+v, want %s, repairs %s", d, tt.label, tt.repairs)
			}
		})
	}
}

func TestSyllableShape(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"đảng", "nghiêng", "Quý", "gì", "giữa", "oà", "ủy", "khuỷu", "ngoằn", "ngoèo", "Ý", "ƯỚC", "yên"} {
		if !isSyllable(s) {
			t.Errorf("isSyllable(%q) = false", s)
		}
	}
	for _, s := range []string{"", "ViÖt", "été", "für", "naïve", "đ", "nghiêngg", "e\u0323", "caféx", "tÃ", "ẢNh", "Ä‘", "фо", "b1à"} {
		if isSyllable(s) {
			t.Errorf("isSyllable(%q) = true", s)
		}
	}
}

// TestDecodeCorpus reads the encoding documents of another project's parser,
// where they lie beside the repository: none may lose its markup.
func TestDecodeCorpus(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../../shared/data/feedparser/feedparser-corpus.tgz")
	if err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(filepath.Dir(h.Name)) != "encoding" || filepath.Ext(h.Name) != ".xml" {
			continue
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		read++
		if text, d := Decode(body, ""); !utf8.ValidString(text) || !strings.Contains(text, "Expect:") {
			t.Errorf("%s: %+v\n%.200q", h.Name, d, text)
		}
	}
	if read == 0 {
		t.Error("the corpus holds no encoding documents")
	}
}

// What is no mojibake must be told by its first letter: judging the whole text
// took an eighth of reading a feed.
func TestBeginsMojibake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     bool
	}{
		{"mojibake", mojibake(t, "Tin ảnh"), true},
		{"mojibake of two bytes", "Tin cÃ¡", true},
		{"Vietnamese", "Tin ảnh Ã¡", false},
		{"a Western letter first", "Cá tính, ảnh", false},
		{"French", "été Ã¡", false},
		{"a quotation mark first", "“Tin”", false},
		{"the end after the lead", "caÃ", false},
		{"ASCII", "Tin", false},
	} {
		if got := beginsMojibake(tt.in); got != tt.want {
			t.Errorf("%s: beginsMojibake(%q) = %v, want %v", tt.name, tt.in, got, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(decl("utf-16")), "text/xml; charset=utf-8")
	f.Add([]byte(vietnameseBytes(f, feedText)), "")
	f.Add([]byte(mojibake(f, feedText)), "x; charset=big5")
	f.Add([]byte(tcvn3Bytes(f, feedText)), "")
	f.Add([]byte("\xFF\xFE<\x00?\x00x\x00m\x00l\x00 \x00"), "")
	f.Add([]byte("<meta charset='iso-2022-jp'>\x1B$B"), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		text, d := Decode(body, contentType)
		if !utf8.ValidString(text) {
			t.Fatalf("Decode(%q, %q) is not valid UTF-8", body, contentType)
		}
		if strings.ContainsFunc(text, forbiddenInXML) || d.Label == "" {
			t.Fatalf("Decode(%q, %q) = %q, %+v", body, contentType, text, d)
		}
		for i, r := range d.Repairs {
			if slices.Contains(d.Repairs[:i], r) {
				t.Fatalf("Decode(%q, %q) notes %s twice", body, contentType, r)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	large := `<?xml version="1.0" encoding="utf-8"?>` + strings.Repeat(feedText, 1000)
	for _, bb := range []struct{ name, body string }{
		{"utf-8", large},
		{"windows-1258", vietnameseBytes(b, large)},
		{"one cut character", large + "\xE1\xBA"},
		{"mojibake", mojibake(b, large)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			body := []byte(bb.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				Decode(body, "")
			}
		})
	}
}
