package syndicate

import (
	"net/url"
	"regexp"
	"slices"
	"testing"
)

// TestLanguagesSayTheSame holds the tables of texts against each other: the same
// keys, and formats that take the same arguments.
func TestLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	verbs := regexp.MustCompile(`%[0-9.]*[a-z]`)
	for key, vi := range vietnamese {
		en, ok := english[key]
		if !ok {
			t.Errorf("no English text for %q: %s", key, vi)
		}
		if got, want := verbs.FindAllString(en, -1), verbs.FindAllString(vi, -1); !slices.Equal(got, want) {
			t.Errorf("%q takes %q in English and %q in Vietnamese", key, got, want)
		}
	}
	for key := range english {
		if _, ok := vietnamese[key]; !ok {
			t.Errorf("no Vietnamese text for %q", key)
		}
	}
}

func TestAddressesKeepTheLanguage(t *testing.T) {
	t.Parallel()
	vi, en := languages[0], languages[1]
	for address, want := range map[string]string{
		"/":                     "/?lang=en",
		"/search?q=a":           "/search?q=a&lang=en",
		"/stories/x#ban-dang":   "/stories/x?lang=en#ban-dang",
		"https://bao.example/a": "https://bao.example/a",
		"//bao.example/a":       "//bao.example/a",
		"mailto:tin@example.vn": "mailto:tin@example.vn",
		"#main":                 "#main",
		"":                      "",
	} {
		if got := en.to(address); got != want {
			t.Errorf("English address of %q: got %q, want %q", address, got, want)
		}
		if got := vi.to(address); got != address {
			t.Errorf("Vietnamese address of %q: got %q", address, got)
		}
	}
}

func TestLanguageOfAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/": "vi", "/?lang=en": "en", "/?lang=vi": "vi", "/?lang=fr": "vi", "/?lang=": "vi", "/?slang=en": "vi", "/search?q=lang%3Den": "vi",
		"/search?q=x&lang=en": "en",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := languageOf(u).tag; got != want {
			t.Errorf("language of %s: got %s, want %s", address, got, want)
		}
	}
}

func TestForeignTextsAreMarked(t *testing.T) {
	t.Parallel()
	vi, en := languages[0], languages[1]
	for _, tt := range []struct {
		in   *language
		text string
		want string
	}{
		{vi, "vi", ""}, {vi, "vi-VN", ""}, {vi, "", ""}, {vi, "en", "en"}, {vi, "fr", "fr"},
		{en, "vi", "vi"}, {en, "", "vi"}, {en, "en", ""}, {en, "EN-gb", ""}, {en, "fr", "fr"},
	} {
		if got := tt.in.foreign(tt.text); got != tt.want {
			t.Errorf("%q within %s: got %q, want %q", tt.text, tt.in.tag, got, tt.want)
		}
	}
	for _, tt := range []struct {
		in        *language
		names     Names
		name, tag string
	}{
		{vi, Names{"Kinh tế", "Economy"}, "Kinh tế", ""},
		{en, Names{"Kinh tế", "Economy"}, "Economy", ""},
		{en, Names{"Kinh tế", ""}, "Kinh tế", "vi"},
		{en, Names{"Lào Cai", "Lào Cai"}, "Lào Cai", "vi"},
	} {
		if name, tag := tt.in.called(tt.names); name != tt.name || tag != tt.tag {
			t.Errorf("%v in %s: got %q %q, want %q %q", tt.names, tt.in.tag, name, tag, tt.name, tt.tag)
		}
	}
}
