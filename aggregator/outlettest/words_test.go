package outlettest

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// noon is when the stories of these tests are written.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, vietnam)

func newWriter(t testing.TB, seed int64) *Writer {
	t.Helper()
	w, err := NewWriter(seed)
	if err != nil {
		t.Fatalf("NewWriter(%d): %v", seed, err)
	}
	return w
}

func TestWordFilesAreNFCAndPrintable(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(wordFiles, "words/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("word files: %v, %v", names, err)
	}
	for _, name := range names {
		raw, err := wordFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !norm.NFC.IsNormal(raw) {
			t.Errorf("%s is not NFC", name)
		}
		for i, r := range string(raw) {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s: %U at byte %d", name, r, i)
			}
		}
	}
}

func TestEveryTopicHasFrames(t *testing.T) {
	t.Parallel()
	w := newWriter(t, 1)
	want := []string{
		"chinh-phu", "chong-lang-phi", "chong-tham-nhung", "do-thi-giao-thong", "doi-ngoai", "giao-duc",
		"khoa-hoc-cong-nghe", "kiem-tra-thanh-tra", "kinh-te", "mat-tran-doan-the", "moi-truong", "nong-nghiep",
		"phap-luat", "quoc-hoi-hdnd", "quoc-phong-an-ninh", "the-gioi", "the-thao", "to-chuc-can-bo", "tuyen-giao",
		"van-hoa", "xa-hoi", "xay-dung-dang", "y-te",
	}
	if got := w.Topics(); !slices.Equal(got, want) {
		t.Fatalf("topics: got %v, want %v", got, want)
	}
	const least = 12 // sentences, for two stories of a topic to differ
	for _, wl := range w.lex.topics {
		n := len(wl.wide)
		for _, ev := range wl.events {
			n += len(ev.leads) + len(ev.bodies)
		}
		if n < least {
			t.Errorf("%s: %d frames, want at least %d", wl.topic, n, least)
		}
	}
}

func TestParseWordsRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"no value":           {"pool a", "line 1: want KEY = VALUE"},
		"unknown key":        {"event x\ncolour = red", `line 2: unknown key "colour"`},
		"frame without home": {"title = a", "line 1: title outside an event"},
		"open bracket":       {"event x\ntitle = [a|b", "unbalanced"},
		"crossed brackets":   {"event x\ntitle = [a{b]}", "unbalanced"},
		"stray bracket":      {"event x\ntitle = a]", "unbalanced"},
		"odd reference":      {"event x\ntitle = {a b}", "{a b} not understood"},
		"empty range":        {"event x\ntitle = {9-3}", "range 9-3 is empty"},
		"two ranges":         {"event x\ntitle = {so1:1-3} {so1:1-4}", "{so1} has two ranges"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseWords("t", tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestLexiconFindsLooseReferences(t *testing.T) {
	t.Parallel()
	lex, err := loadLexicon()
	if err != nil {
		t.Fatal(err)
	}
	wl, err := parseWords("x", "common = any\nevent e\ntag = {nowhere}\ntitle = a\ntitle = b\nlead = c\nlead = d\nbody = e")
	if err != nil {
		t.Fatal(err)
	}
	lex.topics = append(lex.topics, wl)
	if err := lex.check(); err == nil || !strings.Contains(err.Error(), "{nowhere} is no pool") {
		t.Errorf("got %v, want a complaint about {nowhere}", err)
	}
}

func TestNumberAndCapital(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{7: "7", 950: "950", 1200: "1.200", 1234567: "1.234.567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
	for in, want := range map[string]string{
		"điểm tin": "Điểm tin", "“ấm no”": "“Ấm no”", "15 hộ": "15 hộ", "": "",
	} {
		if got := capital(in); got != want {
			t.Errorf("capital(%q) = %q, want %q", in, got, want)
		}
	}
}
