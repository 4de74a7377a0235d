package syndicate

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

// BenchmarkEmbed: an embed that is at hand, its 304, and one that must be made.
func BenchmarkEmbed(b *testing.B) {
	site := newFeedSite(b)
	numbers := make([]int, 60)
	for i := range numbers {
		numbers[i] = i
	}
	site.publish("laocai", "kinh-te", numbers...)
	ask := func(b *testing.B, path, tag string, code int) string {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		site.server.ServeHTTP(w, r)
		if w.Code != code {
			b.Fatalf("%s: %d", path, w.Code)
		}
		return w.Header().Get("ETag")
	}
	const path = "/embed/topics/kinh-te/?count=8&theme=dark"
	tag := ask(b, path, "", 200)
	b.Run("at hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ask(b, path, "", 200)
		}
	})
	b.Run("not modified", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ask(b, path, tag, 304)
		}
	})
	b.Run("made", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			site.server.embedders = newVisitors(Visitors{PerMinute: maxPerMinute}, site.clock.now)
			ask(b, fmt.Sprintf("/embed/topics/kinh-te/?accent=%06x", n), "", 200)
		}
	})
}
