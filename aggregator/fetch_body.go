package aggregator

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"

	"github.com/cespare/xxhash/v2"

	"diemtin/store"
)

// maxKeptRoom is the largest buffer that is kept for another body, in bytes: feeds
// of fifty whole articles have some 300 KB, and one sitemap of 8 MB must not hold
// as much for long.
const maxKeptRoom = 1 << 20

// unpacker reads one body at a time. It is used again because a gzip reader
// takes 40 KB and a body's look ahead 4 KB more.
type unpacker struct {
	wire, labelled, hidden limited       // what came, after Content-Encoding, and after gzip that no header told of
	packed, peeked         *bufio.Reader // over wire and labelled
	outer, inner           *gzip.Reader  // over packed and peeked; nil until one is needed
	hash                   xxhash.Digest
}

// unpack reads a body as its Content-Encoding says, at most limit bytes on the
// wire and limit bytes unpacked: 32 KB of gzip can hold 22 MB of XML. Servers
// give out files packed by hand without saying so, or pack them again: gzip
// shows itself by its first bytes, which begin no text. It returns what came
// before an error too, with its bodyHash; room is never nil and the caller's,
// who may leave it to the next body.
func (f *fetcher) unpack(resp *http.Response, limit int64) (room *bytes.Buffer, hash string, err error) {
	u, ok := f.unpackers.Get().(*unpacker)
	if !ok {
		u = &unpacker{packed: bufio.NewReader(nil), peeked: bufio.NewReader(nil)}
	}
	defer func() {
		u.wire.r, u.labelled.r, u.hidden.r = nil, nil, nil // the connection's
		f.unpackers.Put(u)
	}()
	if room, ok = f.rooms.Get().(*bytes.Buffer); !ok {
		room = new(bytes.Buffer)
	}
	body, err := u.open(resp, limit)
	if err != nil {
		return room, "", err
	}
	if n := resp.ContentLength; n > 0 && n <= limit {
		room.Grow(int(n) + bytes.MinRead)
	}
	u.hash.Reset()
	_, err = room.ReadFrom(io.TeeReader(body, &u.hash))
	return room, hashText(room.Len(), u.hash.Sum64()), err
}

// open finds the text behind the packing of a body.
func (u *unpacker) open(resp *http.Response, limit int64) (body io.Reader, err error) {
	u.wire = limited{r: resp.Body, left: limit, what: "on the wire"}
	switch enc := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
		body = &u.wire
	case "gzip", "x-gzip":
		u.packed.Reset(&u.wire)
		if body, err = gunzip(&u.outer, u.packed); err != nil {
			return nil, fault(store.NotAFeed, "the body is labelled gzip and is not: %w", err)
		}
	case "deflate":
		if body, err = zlib.NewReader(&u.wire); err != nil {
			return nil, fault(store.NotAFeed, "the body is labelled deflate and is not: %w", err)
		}
	default:
		return nil, fault(store.NotAFeed, "the body is packed as %q, which we did not ask for", enc)
	}
	u.labelled = limited{r: body, left: limit, what: "unpacked"}
	u.peeked.Reset(&u.labelled)
	body = u.peeked
	if magic, _ := u.peeked.Peek(2); string(magic) == "\x1f\x8b" {
		if body, err = gunzip(&u.inner, u.peeked); err != nil {
			return nil, fault(store.NotAFeed, "the body begins as gzip and is not: %w", err)
		}
	}
	u.hidden = limited{r: body, left: limit, what: "unpacked"}
	return &u.hidden, nil
}

// gunzip begins to read r, with the reader kept at zr or a first one.
func gunzip(zr **gzip.Reader, r *bufio.Reader) (io.Reader, error) {
	if *zr == nil {
		*zr = new(gzip.Reader)
	}
	if err := (*zr).Reset(r); err != nil {
		return nil, err
	}
	return *zr, nil
}

// release ends the use of a document's Body, whose bytes are those of another
// document from then on. Of what was read from it, all is copied. A document
// that is never released costs nothing but its buffer; nil is none.
func (f *fetcher) release(doc *Document) {
	if doc == nil || doc.room == nil {
		return
	}
	f.leave(doc.room)
	doc.Body, doc.room = nil, nil
}

// leave gives a buffer to the next body.
func (f *fetcher) leave(room *bytes.Buffer) {
	if room.Cap() <= maxKeptRoom {
		room.Reset()
		f.rooms.Put(room)
	}
}

// limited fails when a body is longer than it may be.
type limited struct {
	r    io.Reader
	left int64
	what string
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fault(store.TooLarge, "the document is larger than the limit of bytes %s", l.what)
	}
	return n, err
}
