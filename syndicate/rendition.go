package syndicate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cacheControl lets caches answer for a minute by themselves and for four more
// while they ask again: what is taken down is gone from them within five.
const cacheControl = "public, max-age=60, stale-while-revalidate=240"

// rendition is a document ready to be sent: its bytes as they are and
// compressed, and the headers that go with them. It never changes.
type rendition struct {
	hash        string // of the document
	modified    time.Time
	plain, gzip coded
}

// coded is one encoding of a document. Its tag is its own: strong tags name
// bytes (RFC 9110, section 8.8.3.3).
type coded struct {
	etag      string
	bytes     []byte
	header    http.Header // of an answer with the bytes
	unchanged http.Header // of a 304
}

// newRendition compresses a document. Header is what goes with every answer, 304
// as well; modified is cut to the second, as Last-Modified has it, and may be
// zero.
func newRendition(doc []byte, contentType string, header http.Header, modified time.Time) (*rendition, error) {
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
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
	d := &rendition{hash: hex.EncodeToString(sum[:16]), modified: modified.UTC().Truncate(time.Second)}
	common := maps.Clone(header)
	common.Set("X-Content-Type-Options", "nosniff")
	common.Set("Vary", "Accept-Encoding")
	if !d.modified.IsZero() {
		common.Set("Last-Modified", d.modified.Format(http.TimeFormat))
	}
	d.plain = newCoded("", d.hash, doc, contentType, common)
	d.gzip = newCoded("gzip", d.hash+"-gzip", zipped.Bytes(), contentType, common)
	return d, nil
}

func newCoded(encoding, tag string, b []byte, contentType string, common http.Header) coded {
	c := coded{etag: `"` + tag + `"`, unchanged: maps.Clone(common)}
	c.bytes = bytes.Clone(b) // without the room that writers grow by
	c.unchanged.Set("ETag", c.etag)
	c.header = maps.Clone(c.unchanged)
	c.header.Set("Content-Type", contentType)
	c.header.Set("Content-Length", strconv.Itoa(len(b)))
	if encoding != "" {
		c.header.Set("Content-Encoding", encoding)
	}
	return c
}

// size is the memory it takes, in bytes.
func (d *rendition) size() int64 {
	const rest = 4 << 10 // headers, structs and the cache's own: 3.5 KB measured, rounded up
	return int64(cap(d.plain.bytes)+cap(d.gzip.bytes)) + rest
}

// serve answers a GET or HEAD with the document, or with 304 if the client has
// it, and returns the status. A request for a range gets the whole, which RFC
// 9110 allows.
func (d *rendition) serve(w http.ResponseWriter, r *http.Request) int {
	c := &d.plain
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		c = &d.gzip
	}
	if notModified(r.Header, c.etag, d.modified) {
		maps.Copy(w.Header(), c.unchanged)
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(c.bytes) // an error is the client's hanging up
	}
	return http.StatusOK
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

// notModified decides as RFC 9110, section 13.2.2, says: If-None-Match if there
// is one, by weak comparison, else If-Modified-Since.
func notModified(h http.Header, etag string, modified time.Time) bool {
	if tags := h.Values("If-None-Match"); len(tags) > 0 {
		for _, list := range tags {
			if matchesTag(list, etag) {
				return true
			}
		}
		return false
	}
	since := h.Get("If-Modified-Since")
	if since == "" || modified.IsZero() {
		return false
	}
	t, err := http.ParseTime(since)
	return err == nil && !modified.After(t)
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

// acceptsGzip tells whether a client takes gzip and does not like the plain
// bytes better (RFC 9110, section 12.5.3).
func acceptsGzip(headers []string) bool {
	const unset = -1.0
	gzipped, plain, rest := unset, unset, unset
	for _, header := range headers {
		for header != "" {
			var part string
			part, header, _ = strings.Cut(header, ",")
			coding, params, _ := strings.Cut(part, ";")
			q := quality(params)
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				gzipped = max(gzipped, q)
			case strings.EqualFold(coding, "identity"):
				plain = q
			case coding == "*":
				rest = q
			}
		}
	}
	if gzipped == unset {
		gzipped = rest
	}
	return gzipped > 0 && gzipped >= plain
}

// quality reads the weight of one choice: 1 unless it says another, 0 if what
// it says is no number from 0 to 1.
func quality(params string) float64 {
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		k, v, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(k), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
