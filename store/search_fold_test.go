package store

import (
	"strings"
	"testing"
)

// TestFoldWordLetterByLetter holds the quick way to fold against the slow one,
// for every letter alone and beside letters and marks.
func TestFoldWordLetterByLetter(t *testing.T) {
	t.Parallel()
	for r := rune(1); r < 0x2000; r++ {
		for _, s := range []string{string(r), string(r) + "ờ", "Đ" + string(r), string(r) + "\u0301", "e\u0302" + string(r)} {
			if got, want := foldWord(s), foldAny(s); got != want {
				t.Errorf("fold %+q: got %q, want %q", s, got, want)
			}
		}
	}
	long := strings.Repeat("ế", maxWordBytes+3)
	if got, want := foldWord(long), foldAny(long); got != want {
		t.Errorf("fold a long word: got %q, want %q", got, want)
	}
}

func BenchmarkFold(b *testing.B) {
	words := strings.Fields("Hội nghị lần thứ mười hai ban chấp hành đảng bộ khóa nhiệm kỳ thành phố")
	for name, fold := range map[string]func(string) string{"any": foldAny, "word": foldWord} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				fold(words[i%len(words)])
			}
		})
	}
}
