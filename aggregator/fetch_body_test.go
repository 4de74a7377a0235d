package aggregator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"diemtin/store"
)

// canned is a transport that answers every request with the same bytes.
type canned struct {
	status   int
	body     []byte
	encoding string
	err      error // after the body; nil = io.EOF
}

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/rss+xml; charset=utf-8"}}
	if c.encoding != "" {
		h.Set("Content-Encoding", c.encoding)
	}
	body, length := io.Reader(bytes.NewReader(c.body)), int64(len(c.body))
	if c.err != nil {
		body = io.MultiReader(body, failing{c.err})
	}
	return &http.Response{StatusCode: c.status, Header: h, Body: io.NopCloser(body), ContentLength: length, Request: req}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func gzipped(t testing.TB, text []byte) []byte {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if _, err := zw.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What one body leaves in the readers and buffers does not show in the next:
// every answer is read after every other, on the same unpacker.
func TestUnpackAfterAnything(t *testing.T) {
	t.Parallel()
	const limit = 30_000
	text := []byte(strings.Repeat("Thời sự ", 1000))
	packed := gzipped(t, text)
	for _, tt := range []struct {
		name    string
		answer  canned
		body    []byte // or what came before the fault
		outcome store.Outcome
		cut     bool
	}{
		{name: "plain", answer: canned{body: text}, body: text},
		{name: "short", answer: canned{body: []byte("tin")}, body: []byte("tin")},
		{name: "empty", answer: canned{}, body: []byte{}},
		{name: "gzip", answer: canned{body: packed, encoding: "gzip"}, body: text},
		{name: "gzip in gzip", answer: canned{body: gzipped(t, packed), encoding: "gzip"}, body: text},
		{name: "gzip unsaid", answer: canned{body: packed}, body: text},
		{name: "two gzip members", answer: canned{body: append(slices.Clone(packed), packed...), encoding: "gzip"}, body: slices.Concat(text, text)},
		{name: "cut", answer: canned{body: text[:100], err: io.ErrUnexpectedEOF}, body: text[:100], cut: true},
		{name: "cut gzip", answer: canned{body: packed[:len(packed)-9], encoding: "gzip"}, body: text, cut: true},
		{name: "not gzip", answer: canned{body: text, encoding: "gzip"}, outcome: store.NotAFeed},
		{name: "gzip head only", answer: canned{body: packed[:4], encoding: "gzip"}, outcome: store.NotAFeed},
		{name: "broken gzip", answer: canned{body: append(slices.Clone(packed[:len(packed)-8]), make([]byte, 8)...), encoding: "gzip"}, outcome: store.Connect},
		{name: "brotli", answer: canned{body: text, encoding: "br"}, outcome: store.NotAFeed},
		{name: "too large on the wire", answer: canned{body: make([]byte, limit+1)}, outcome: store.TooLarge},
		{name: "too large unpacked", answer: canned{body: gzipped(t, make([]byte, limit+1)), encoding: "gzip"}, outcome: store.TooLarge},
		{name: "as large as may be", answer: canned{body: gzipped(t, make([]byte, limit)), encoding: "gzip"}, body: make([]byte, limit)},
		{name: "gone", answer: canned{status: http.StatusGone, body: text}, outcome: store.Gone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFetcher("diemtin/test", Limits{MaxBytes: limit}.withDefaults())
			for _, before := range []canned{{}, {body: text}, {body: packed, encoding: "gzip"}, {body: packed}, {body: packed[:50], encoding: "gzip"},
				{body: text, encoding: "gzip"}, {body: make([]byte, limit+1)}, {status: http.StatusGone, body: text}, {body: text[:9], err: errors.New("reset")}} {
				if doc, err := f.get(t.Context(), before.access(), "http://bao.vn/", "", "", testNow); err == nil {
					f.release(doc)
				}
				doc, err := f.get(t.Context(), tt.answer.access(), "http://bao.vn/", "", "", testNow)
				if tt.outcome != "" {
					if err == nil || outcomeOf(err) != tt.outcome || doc.Body != nil {
						t.Errorf("after %d, %d bytes: %v, want %s", before.status, len(before.body), err, tt.outcome)
					}
					continue
				}
				if err != nil || !bytes.Equal(doc.Body, tt.body) || doc.Cut != tt.cut || doc.Hash != bodyHash(tt.body) {
					t.Fatalf("%d bytes, cut %v, hash %s, %v; want %d, %v, %s", len(doc.Body), doc.Cut, doc.Hash, err, len(tt.body), tt.cut, bodyHash(tt.body))
				}
				f.release(doc)
			}
		})
	}
}

func (c canned) access() access {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return access{client: &http.Client{Transport: c}}
}

// Visits at once share readers and buffers, and none finds the bytes of
// another: neither while it reads nor in what it keeps.
func TestVisitsAtOnceShareNoBytes(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	const count, rounds = 8, 12
	sources := make([]SourceConfig, count)
	for i := range sources {
		sources[i] = SourceConfig{ID: fmt.Sprintf("s%d", i), URL: fmt.Sprintf("/plain%d", i)}
	}
	a, _, _ := start(t, n.URL, sources...)
	title := func(source, round, item int) string {
		return fmt.Sprintf("Nguồn %d lượt %d tin %d", source, round, item)
	}
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			var kept []Report
			for round := range rounds {
				var titles []string
				for item := range 1 + (i+round)%5*8 {
					titles = append(titles, title(i, round, item))
				}
				body := feedOf(titles...)
				if n.set(sources[i].URL[len(n.URL):], body); round%3 == 2 {
					n.set(sources[i].URL[len(n.URL):], string(gzipped(t, []byte(body))))
				}
				r := a.look(t.Context(), a.set().sources[sources[i].ID], store.SourceState{}, nil, testNow)
				if r.hash != bodyHash([]byte(body)) {
					t.Errorf("source %d round %d: hash %s, want %s; %s", i, round, r.hash, bodyHash([]byte(body)), r.Detail)
				}
				kept = append(kept, r)
			}
			for round, r := range kept { // long after their buffers were used again
				if len(r.Items) != 1+(i+round)%5*8 {
					t.Errorf("source %d round %d: %d items, %s", i, round, len(r.Items), r.Detail)
				}
				for item, it := range r.Items {
					if it.Title != title(i, round, item) {
						t.Errorf("source %d round %d: %q, want %q", i, round, it.Title, title(i, round, item))
					}
				}
			}
		})
	}
	all.Wait()
}

// Of what is read from a document, nothing is part of its body.
func TestReadingsOutliveTheBody(t *testing.T) {
	t.Parallel()
	lim := Limits{}.withDefaults()
	feed := string(deltaFeed(0, true).Body)
	known, err := readFeed(deltaFeed(0, true), SourceConfig{ID: "s"}, lim)
	if err != nil || known.memory == nil {
		t.Fatalf("first reading: %v, %v", known.memory, err)
	}
	page := `<html><head><title>Tin</title><link rel="hub" href="https://hub.example/"><meta property="og:title" content="Tin mới"></head><body><h1>Tin mới</h1><p>` +
		strings.Repeat("Thủ tướng vừa ký quyết định phê duyệt. ", 20) + `</p><li><a href="/tin-1.html">Tin thứ nhất</a></li></body></html>`
	sitemap := `<urlset><url><loc>https://bao.vn/tin-1.html</loc><news:title>Tin thứ nhất</news:title></url></urlset>`
	reading := func(src SourceConfig, last *memory) func(*Document) (any, error) {
		return func(doc *Document) (any, error) { return read(doc, src, lim, last) }
	}
	for _, tt := range []struct {
		name, body string
		read       func(*Document) (any, error)
	}{
		{"feed", feed, reading(SourceConfig{ID: "s", Kind: "feed"}, nil)},
		{"feed by parts", string(deltaFeed(3, true).Body), reading(SourceConfig{ID: "s", Kind: "feed"}, known.memory)},
		{"feed cut off", feed[:len(feed)/2], reading(SourceConfig{ID: "s", Kind: "feed"}, nil)},
		{"JSON feed", `{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","url":"https://bao.vn/1","title":"Tin","content_html":"<p>x</p>"}]}`, reading(SourceConfig{ID: "s", Kind: "feed"}, nil)},
		{"no feed", page, reading(SourceConfig{ID: "s", Kind: "feed"}, nil)},
		{"page", page, reading(SourceConfig{ID: "s", Kind: "page", Page: &PageConfig{Item: "li", Link: "a"}}, nil)},
		{"sitemap", sitemap, reading(SourceConfig{ID: "s", Kind: "sitemap"}, nil)},
		{"packed sitemap", string(gzipped(t, []byte(sitemap))), reading(SourceConfig{ID: "s", Kind: "sitemap"}, nil)},
		{"article", page, func(doc *Document) (any, error) { return ReadArticle(doc, ArticleConfig{}, ArticleOptions{}) }},
		{"advert", page, func(doc *Document) (any, error) { return advertised(doc), nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := *deltaFeed(0, false)
			doc.Body = []byte(tt.body)
			got, gotErr := tt.read(&doc)
			for i := range doc.Body {
				doc.Body[i] = '#'
			}
			doc.Body = []byte(tt.body)
			want, wantErr := tt.read(&doc)
			if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Errorf("after the body was written over:\n%+v, %v\nwant\n%+v, %v", got, gotErr, want, wantErr)
			}
		})
	}
}
