package syndicate

import (
	"testing"
	"time"
)

func TestWordsInAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/tin/vai-thieu-luc-ngan-123.html": "vai thieu luc ngan",
		"/Vải_thiều":                       "vai thieu",
		"/topics/kinhte/feed.rss":          "kinhte",
		"/a/mot-hai-ba-bon-nam-sau-bay":    "mot hai ba bon nam sau",
		"/":                                "",
		"/2024/11/05/":                     "",
		"/x":                               "",
		"/.html":                           "html",
	} {
		if got := wordsIn(address); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}

func TestDayInAddress(t *testing.T) {
	t.Parallel()
	s := &Server{lang: languages[0], words: vietnamese, now: func() time.Time { return at("15:00:00.000") }}
	for address, want := range map[string]string{
		"/tin/2024/11/04/bai.html": "/days/2024-11-04/",
		"/ngay/4-11-2024":          "/days/2024-11-04/",
		"/tin-20241104.html":       "/days/2024-11-04/",
		"/days/2024-11-06/":        "", // has not come
		"/days/2024-02-30/":        "",
		"/bai-20241104123.html":    "",
		"/":                        "",
	} {
		got := ""
		if l := s.dayIn(address); l != nil {
			got = l.Href
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}
