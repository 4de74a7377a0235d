package syndicate

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// BenchmarkRender is one feed of 50 entries, without reading the store.
func BenchmarkRender(b *testing.B) {
	feed := sampleFeed("", "", manyStories(feedStories, sampleConfig().Outlets[0])...)
	for _, f := range formats {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				doc, err := f.render(feed)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(doc)))
			}
		})
	}
	b.Run("compress", func(b *testing.B) {
		doc, err := renderAtom(feed)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := newRendition(doc, "", http.Header{}, time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchWriter takes an answer and keeps nothing.
type benchWriter struct {
	h    http.Header
	code int
}

func (w *benchWriter) Header() http.Header         { return w.h }
func (w *benchWriter) WriteHeader(code int)        { w.code = code }
func (w *benchWriter) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkServe is the handler alone; bare is a handler that writes the same
// precomputed bytes and nothing else.
func BenchmarkServe(b *testing.B) {
	site := newFeedSite(b)
	numbers := make([]int, feedStories)
	for i := range numbers {
		numbers[i] = i
	}
	site.publish("laocai", "kinh-te")
	site.publish("laocai", "kinh-te", numbers...)
	const path = "/topics/kinh-te/feed.atom"
	resp, _ := site.get(path)
	zipped, _ := site.get(path, "Accept-Encoding", "gzip")
	doc := site.server.feeds.fresh(docKey{path, 0})
	bare := http.NewServeMux()
	bare.HandleFunc("GET /topics/{id}/feed.atom", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", formats[0].contentType())
		w.Header().Set("Content-Length", strconv.Itoa(len(doc.codings[identity].bytes)))
		w.Write(doc.codings[identity].bytes)
	})
	cases := []struct {
		name    string
		handler http.Handler
		header  [2]string
		code    int
	}{
		{"bare", bare, [2]string{}, 0},
		{"identity", site.server, [2]string{}, 200},
		{"gzip", site.server, [2]string{"Accept-Encoding", "gzip, deflate, br"}, 200},
		{"304", site.server, [2]string{"If-None-Match", resp.Header.Get("ETag")}, 304},
		{"304-gzip", site.server, [2]string{"If-None-Match", zipped.Header.Get("ETag")}, 304},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			if c.name == "304-gzip" {
				r.Header.Set("Accept-Encoding", "gzip")
			}
			b.ReportAllocs()
			for b.Loop() {
				w := benchWriter{h: http.Header{}}
				c.handler.ServeHTTP(&w, r)
				if w.code != c.code {
					b.Fatalf("got %d, want %d", w.code, c.code)
				}
			}
		})
	}
}
