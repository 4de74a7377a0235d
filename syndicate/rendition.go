package syndicate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
)

// cacheControl lets caches answer for a minute by themselves and for four more
// while they ask again: what is taken down is gone from them within five.
const cacheControl = "public, max-age=60, stale-while-revalidate=240"

// rendition is a document ready to be sent: its bytes as they are and
// compressed, and the headers that go with them. It never changes.
type rendition struct {
	hash     string // of the document
	modified time.Time
	common   http.Header // of every answer
	media    string      // Content-Type
	codings  [codings]coded
	answered answered
	delta    *delta // how parts are given out; nil: they are not
}

// coded is one encoding of a document. Its tag is its own: strong tags name
// bytes (RFC 9110, section 8.8.3.3).
type coded struct {
	etag      string // empty: the document has no such encoding
	bytes     []byte
	header    []field // of an answer with the bytes
	unchanged []field // of a 304
}

// field is one header, ready to be put into an answer: a map would have to be
// walked for each request.
type field struct {
	name   string // in its canonical form
	values []string
}

func fields(h http.Header) []field {
	list := make([]field, 0, len(h))
	for name, values := range h {
		list = append(list, field{name, values})
	}
	return list
}

func setAll(h http.Header, list []field) {
	for i := range list {
		h[list[i].name] = list[i].values
	}
}

// onlyWhole are the headers that a 304 leaves out: the client has them from the
// answer it keeps (RFC 9110, section 15.4.5).
var onlyWhole = []string{"Link", "Last-Modified", "X-Content-Type-Options"}

// answered counts what was answered with a document; nil: nobody wants to know.
type answered struct{ whole, unchanged, part prometheus.Counter }

func (a answered) count(status int) {
	switch {
	case a.whole == nil:
	case status == http.StatusOK:
		a.whole.Inc()
	case status == http.StatusNotModified:
		a.unchanged.Inc()
	case status == http.StatusIMUsed:
		a.part.Inc()
	}
}

// newRendition compresses a document. Header is what goes with every answer, 304
// as well; modified is cut to the second, as Last-Modified has it, and may be
// zero.
func newRendition(doc []byte, contentType string, header http.Header, modified time.Time) (*rendition, error) {
	return compressed(doc, contentType, header, modified, gzip.BestCompression)
}

// quickGzip is the level for what hardly anybody else will ask for: of 200
// stories as JSON (170 KB) it makes 26 KB in 2.0 ms, the best 23 KB in 7.1.
const quickGzip = 4

// compressed is newRendition at another level of gzip, 1 to 9.
func compressed(doc []byte, contentType string, header http.Header, modified time.Time, level int) (*rendition, error) {
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, level)
	if err == nil {
		_, err = z.Write(doc)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	sum := sha256.Sum256(doc)
	d := &rendition{hash: hex.EncodeToString(sum[:16]), modified: modified.UTC().Truncate(time.Second),
		common: maps.Clone(header), media: contentType}
	d.common.Set("X-Content-Type-Options", "nosniff")
	d.common.Add("Vary", "Accept-Encoding")
	if !d.modified.IsZero() {
		d.common.Set("Last-Modified", d.modified.Format(http.TimeFormat))
	}
	d.codings[identity] = d.coded(identity, doc)
	d.codings[gzipped] = d.coded(gzipped, zipped.Bytes())
	return d, nil
}

const (
	// brotliLevel is of 0 to 11. Measured on a feed of 72 KB: gzip at its best makes
	// it 11.6 KB in 1.8 ms, brotli 10.6 KB in 3.1 ms at level 7, 10.0 KB in 35 ms at
	// level 10 and no less in 356 ms at level 11.
	brotliLevel = 7
	// zstdLevel makes little more of a feed than gzip costs. Measured on one of
	// 57 KB: between gzip and brotli in size, 0.6 ms; the best level 1 % less.
	zstdLevel = zstd.SpeedBetterCompression
	// zstdWindow holds nearly every feed; decoders need as much memory.
	zstdWindow = 256 << 10 // bytes
)

// with is the same document with one encoding more, brotli or zstd. It shares
// the bytes of the others.
func (d *rendition) with(as coding) (*rendition, error) {
	var packed bytes.Buffer
	var z io.WriteCloser = brotli.NewWriterLevel(&packed, brotliLevel)
	if as == zstded {
		var err error
		if z, err = zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstdLevel), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
	}
	_, err := z.Write(d.codings[identity].bytes)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	more := *d
	more.codings[as] = d.coded(as, packed.Bytes())
	return &more, nil
}

// inAll is the document in every encoding, for what stands as long as the
// program runs.
func (d *rendition) inAll() (all *rendition, err error) {
	all = d
	for _, as := range []coding{zstded, brotlied} {
		if all, err = all.with(as); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (d *rendition) coded(as coding, b []byte) coded {
	c := coded{etag: `"` + d.hash + `"`}
	if as != identity {
		c.etag = `"` + d.hash + "-" + as.String() + `"`
	}
	c.bytes = bytes.Clone(b) // without the room that writers grow by
	h := maps.Clone(d.common)
	h.Set("ETag", c.etag)
	short := maps.Clone(h)
	for _, name := range onlyWhole {
		delete(short, name)
	}
	h.Set("Content-Type", d.media)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if as != identity {
		h.Set("Content-Encoding", as.String())
	}
	c.header, c.unchanged = fields(h), fields(short)
	return c
}

// size is the memory it takes, in bytes.
func (d *rendition) size() int64 {
	// Headers, structs and the cache's own: measured by
	// TestCacheMemoryIsBounded, rounded up.
	const each, rest = 2 << 10, 1 << 10
	size := int64(rest) + d.delta.size()
	for i := range d.codings {
		if c := &d.codings[i]; c.etag != "" {
			size += int64(cap(c.bytes)) + each
		}
	}
	return size
}

// serve answers a GET or HEAD with the document, or with 304 if the client has
// it, and returns the status. A request for a range gets the whole, which RFC
// 9110 allows, and is told that there are none.
func (d *rendition) serve(w http.ResponseWriter, r *http.Request) int {
	takes := readAccepted(r.Header["Accept-Encoding"])
	c := d.best(takes)
	if c == nil {
		w.Header().Set("Vary", "Accept-Encoding")
		return refuse(w, http.StatusNotAcceptable, "Máy chủ chỉ có nội dung không nén, gzip, zstd hoặc br; Accept-Encoding không nhận loại nào.")
	}
	had := d.unmodified(r.Header, takes, c)
	if d.delta != nil && had == nil && wantsDelta(r.Header) {
		return d.serveDelta(w, r, takes, c)
	}
	if had != nil {
		setAll(w.Header(), had.unchanged)
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	h := w.Header()
	setAll(h, c.header)
	if r.Header["Range"] != nil {
		h.Set("Accept-Ranges", "none")
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(c.bytes) // an error is the client's hanging up
	}
	return http.StatusOK
}

// best is the encoding that a client likes best, of those it likes as well the
// smallest; nil if it takes none.
func (d *rendition) best(takes accepted) *coded {
	var best *coded
	q := 0.0
	for i := range d.codings {
		if d.codings[i].etag != "" && takes[i] > 0 && takes[i] >= q {
			best, q = &d.codings[i], takes[i]
		}
	}
	return best
}

// unmodified is the encoding that a client has, as RFC 9110, section 13.2.2,
// decides: by If-None-Match if there is one, else by If-Modified-Since; nil if
// it has none. A tag of any encoding the client takes will do: what it has got
// as gzip does not become old by there being brotli now.
func (d *rendition) unmodified(h http.Header, takes accepted, best *coded) *coded {
	if tags := h["If-None-Match"]; len(tags) > 0 {
		if matchesTags(tags, best.etag) {
			return best
		}
		for i := range d.codings {
			if c := &d.codings[i]; c != best && c.etag != "" && takes[i] > 0 && matchesTags(tags, c.etag) {
				return c
			}
		}
		return nil
	}
	since := h.Get("If-Modified-Since")
	if since == "" || d.modified.IsZero() {
		return nil
	}
	if t, err := http.ParseTime(since); err != nil || d.modified.After(t) {
		return nil
	}
	return best
}

// feedHeader is what goes with every answer of a feed; link may be empty.
func feedHeader(link string) http.Header {
	h := http.Header{}
	h.Set("Cache-Control", cacheControl)
	if link != "" {
		h.Set("Link", link)
	}
	openToAll(h)
	return h
}

// openToAll lets scripts of any site read an answer, and no browser guess what
// it is.
func openToAll(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Link")
	h.Set("X-Content-Type-Options", "nosniff")
}

// matchesTags looks for a tag in the lines of If-None-Match, by weak comparison.
func matchesTags(lines []string, etag string) bool {
	for _, list := range lines {
		if matchesTag(list, etag) {
			return true
		}
	}
	return false
}

// matchesTag looks for a tag in a list like `"a", W/"b"`, or `*`. What follows
// something that is no tag is not read.
func matchesTag(list, etag string) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if strings.HasPrefix(list, "*") {
			return true
		}
		list = strings.TrimPrefix(list, "W/")
		if !strings.HasPrefix(list, `"`) {
			return false
		}
		end := strings.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if list[:end+2] == etag {
			return true
		}
		list = list[end+2:]
	}
}
