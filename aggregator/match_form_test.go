package aggregator

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"diemtin/store"
)

// A verdict from stored forms is the verdict from the words.
func TestFormsStandForWords(t *testing.T) {
	t.Parallel()
	m := NewMatcher(NewNames(newspapers))
	items := []*store.Item{
		article("a", "Lũ ở Phong Hải: 12 hộ dân phải di dời trong đêm", floodSummary, floodText, 0),
		article("b", "Trắng đêm chống lụt", "Một đêm không ngủ.", paragraphs(floodText, 0, 3), 0),
		article("c", "Giá vàng hôm nay 5/11", "", gold("5/11", "87,5", "89,5", "tăng 200", "2.735", "83,6", "5,9"), 0),
		article("d", "Giá vàng hôm nay 6/11", "", gold("6/11", "85,1", "87,3", "giảm 900", "2.660", "81,2", "6,1"), 0),
		article("e", "Trắng đêm chống lụt", floodSummary, "", 0),
		{},
	}
	var bare []*store.Item // what the store hands over
	for _, it := range items {
		kept := *it
		m.Prepare(&kept, nil)
		kept.Summary, kept.Content = "", ""
		bare = append(bare, &kept)
	}
	for i := range items {
		want, wantMerge := m.Match(items[i], slices.Concat(items[:i], items[i+1:]))
		got, merge := m.Match(bare[i], slices.Concat(bare[:i], bare[i+1:]))
		if got != want || merge != wantMerge {
			t.Errorf("item %d: from forms %d, %+v; from words %d, %+v", i, got, merge, want, wantMerge)
		}
	}
}

func TestFormEncoding(t *testing.T) {
	t.Parallel()
	m := NewMatcher(nil)
	it := article("a", "Thông cáo số 12: Lũ ở Phong Hải ngày 5/11", floodSummary, strings.Repeat(floodText, 40), 0)
	it.Link = "https://a.vn/lu-o-phong-hai-post391234.html"
	f, _, _ := m.newForm(it, nil)
	got, _, err := decodeForm(f.encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	normal := func(f form) form { // an empty list may be nil
		for _, l := range f.lists() {
			if len(*l.list) == 0 {
				*l.list = nil
			}
		}
		return f
	}
	if want := normal(f); !reflect.DeepEqual(normal(got), want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(f.full) > maxFormRuns || len(f.encode()) > 12<<10 {
		t.Errorf("%d runs in %d bytes", len(f.full), len(f.encode()))
	}
	for cut := range f.encode()[:60] {
		if _, _, err := decodeForm(f.encode()[:cut], nil); err == nil {
			t.Errorf("%d bytes of a form were read", cut)
		}
	}
}

func FuzzDecodeForm(f *testing.F) {
	m := NewMatcher(nil)
	whole, _, _ := m.newForm(article("a", "Lũ ở Phong Hải", floodSummary, floodText, 0), nil)
	f.Add(whole.encode())
	f.Add([]byte{formVersion, 1})
	f.Add(bytes.Repeat([]byte{formVersion}, 80))
	f.Fuzz(func(t *testing.T, b []byte) {
		form, arena, err := decodeForm(b, nil)
		if err == nil && len(arena) > len(b) {
			t.Errorf("%d hashes of %d bytes", len(arena), len(b))
		}
		_ = form
	})
}

func TestCapitals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       string // the syllables, "^" = begins a sentence, "+" = joined to the one before, "!" = abbreviation
	}{
		{"a name within a sentence", "Ông Trần Văn Thắng ở xã Phong Hải", "^Ông +Trần +Văn +Thắng Phong +Hải"},
		{"an abbreviation", "Chủ tịch UBND tỉnh", "^Chủ UBND!"},
		{"a sentence begins", "Mưa to. Nước lên nhanh", "^Mưa ^Nước"},
		{"hyphens join", "sông Pô-Kô", "Pô +Kô"},
		{"a comma parts", "Lào Cai, Yên Bái", "^Lào +Cai Yên +Bái"},
		{"single letters and numbers are none", "ông A, lớp 12B, U23", ""},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, w := range capitals(tc.text) {
				end, _, _ := wordEnd(tc.text, w.at)
				word := tc.text[w.at:end]
				if w.starts {
					word = "^" + word
				}
				if w.follows {
					word = "+" + word
				}
				if w.short {
					word += "!"
				}
				got = append(got, word)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("got %q, want %q", s, tc.want)
			}
		})
	}
}
