package vi

import (
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, before, after string
		want                []Piece
	}{
		{"equal", "Giá vàng tăng", "Giá vàng tăng", []Piece{{Kept, "Giá vàng tăng"}}},
		{"case, punctuation and the place of the tone are none", "Hoà Bình: lũ lớn", "hòa bình, lũ lớn", []Piece{{Kept, "hòa bình, lũ lớn"}}},
		{"a number", "Giá vàng ngày 9/6", "Giá vàng ngày 22/6", []Piece{{Kept, "Giá vàng ngày"}, {Removed, "9/6"}, {Added, "22/6"}}},
		{"added at the end", "Khai mạc hội nghị", "Khai mạc hội nghị Trung ương", []Piece{{Kept, "Khai mạc hội nghị"}, {Added, "Trung ương"}}},
		{"removed at the beginning", "Nóng: lũ về", "Lũ về", []Piece{{Removed, "Nóng:"}, {Kept, "Lũ về"}}},
		{"two places", "Ba người chết vì lũ quét", "Hai người mất tích vì lũ quét", []Piece{{Removed, "Ba"}, {Added, "Hai"}, {Kept, "người"}, {Removed, "chết"}, {Added, "mất tích"}, {Kept, "vì lũ quét"}}},
		{"nothing in common", "a b", "c d", []Piece{{Removed, "a b"}, {Added, "c d"}}},
		{"from nothing", "", "c d", []Piece{{Added, "c d"}}},
		{"both empty", "", " ", nil},
		{"signs alone", "a – b", "a - b", []Piece{{Kept, "a"}, {Removed, "–"}, {Added, "-"}, {Kept, "b"}}},
	} {
		if got := Diff(tc.before, tc.after); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestLikeness(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		before, after string
		want          float64
	}{{"a b c d", "a b c d", 1}, {"a b c d", "a b", 0.5}, {"a", "b", 0}, {"", "", 1}} {
		if got := Likeness(Diff(tc.before, tc.after)); got != tc.want {
			t.Errorf("%q, %q: got %v, want %v", tc.before, tc.after, got, tc.want)
		}
	}
}

func FuzzDiff(f *testing.F) {
	f.Add("Giá vàng ngày 9/6", "Giá vàng ngày 22/6")
	f.Add("", "a")
	f.Fuzz(func(t *testing.T, before, after string) {
		var kept []string
		for _, p := range Diff(before, after) {
			if p.Text == "" {
				t.Errorf("an empty piece")
			}
			if p.Edit != Removed {
				kept = append(kept, p.Text)
			}
		}
		want := strings.Fields(NFC(after))
		if got := strings.Join(kept, " "); got != strings.Join(want[:min(len(want), maxDiffWords)], " ") {
			t.Errorf("kept and added are %q, want %q", got, after)
		}
	})
}
