package syndicate

import (
	"bytes"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// RFC 3229 with the convention "feed": a client that has a feed and says
// "A-IM: feed" gets only the entries that are new or changed since, with 226.
//
// Caches between do not know of it, and some send a tag of their own with the
// client's A-IM. So who asks in this way gets tags of his own, in answers that
// no shared cache may keep, and only such a tag gets a 226: it is the client's
// for certain, whatever a cache makes of Vary.

const (
	// deltaTag ends the tags of clients that ask in this way.
	deltaTag = `-im"`
	// maxVersions is how many former versions of a feed are known, at 8 bytes an
	// entry; who has an older one gets the whole.
	maxVersions = 16

	wholeControl = "private, max-age=60" // the client may keep it
	deltaControl = "no-store, im"        // RFC 3229, section 10.8.3: caches that know of it may
)

// version is what a client has that has got a feed: its entries by hash, sorted.
type version struct {
	hash    string
	entries []uint64
}

// delta is how a rendition answers clients that have a former version.
type delta struct {
	marks entryMarks
	now   version
	past  []version // the newest last

	mu    sync.Mutex
	since map[string]*rendition // by the hash of the version; made when first asked for
}

// entryMarks are what every entry of a format begins and ends with, and stands
// nowhere else, since content is escaped.
type entryMarks struct{ start, end string }

// parts cuts a document into what stands before, between and after its entries,
// and the entries.
func (m entryMarks) parts(doc []byte) (rest, entries [][]byte) {
	for {
		start := bytes.Index(doc, []byte(m.start))
		if start < 0 {
			return append(rest, doc), entries
		}
		end := start + bytes.Index(doc[start:], []byte(m.end)) + len(m.end)
		rest, entries = append(rest, doc[:start]), append(entries, doc[start:end])
		doc = doc[end:]
	}
}

func entryHash(entry []byte) uint64 {
	h := fnv.New64a()
	h.Write(entry)
	return h.Sum64()
}

// withDelta lets a rendition answer who has old or what old knows of.
func (d *rendition) withDelta(marks entryMarks, old *rendition) {
	if marks.start == "" {
		return
	}
	d.delta = &delta{marks: marks, now: version{hash: d.hash}, since: map[string]*rendition{}}
	_, entries := marks.parts(d.codings[identity].bytes)
	for _, e := range entries {
		d.delta.now.entries = append(d.delta.now.entries, entryHash(e))
	}
	slices.Sort(d.delta.now.entries)
	if old != nil && old.delta != nil {
		known := append(slices.Clone(old.delta.past), old.delta.now)
		known = slices.DeleteFunc(known, func(v version) bool { return v.hash == d.hash })
		d.delta.past = known[max(0, len(known)-maxVersions):]
	}
}

// size is the memory it takes, in bytes, with all that it may have to make.
func (d *delta) size() int64 {
	if d == nil {
		return 0
	}
	size := int64(0)
	for _, v := range append(slices.Clone(d.past), d.now) {
		size += 100 + 8*int64(cap(v.entries))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, made := range d.since {
		size += made.size()
	}
	return size
}

// wantsDelta tells whether a client takes a part of a feed.
func wantsDelta(h http.Header) bool {
	for _, line := range h["A-Im"] {
		for name := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(name, ";")
			if strings.EqualFold(strings.TrimSpace(name), "feed") && quality(params) > 0 {
				return true
			}
		}
	}
	return false
}

// asDelta is a coding's tag for clients that ask for parts.
func (c *coded) asDelta() string { return strings.TrimSuffix(c.etag, `"`) + deltaTag }

// serveDelta answers a client that takes a part, and returns the status. It
// says nothing, and returns 0, if the client has what there is.
func (d *rendition) serveDelta(w http.ResponseWriter, r *http.Request, takes accepted, best *coded) int {
	h, tags := w.Header(), r.Header["If-None-Match"]
	for i := range d.codings {
		if c := &d.codings[i]; c.etag != "" && takes[i] > 0 && matchesTags(tags, c.asDelta()) {
			setAll(h, c.unchanged)
			deltaHeader(h, c.asDelta(), wholeControl)
			w.WriteHeader(http.StatusNotModified)
			return http.StatusNotModified
		}
	}
	part, base, err := d.sinceTag(tags)
	if err != nil || part == nil { // unknown, too old, or no tag: the whole
		return send(w, r, best, best.asDelta(), wholeControl, http.StatusOK)
	}
	h["IM"] = []string{"feed"} // as the standard spells it
	h.Set("Delta-Base", base)
	return send(w, r, part.best(takes), best.asDelta(), deltaControl, http.StatusIMUsed)
}

// send writes bytes with a tag that is not their own.
func send(w http.ResponseWriter, r *http.Request, c *coded, tag, control string, status int) int {
	setAll(w.Header(), c.header)
	deltaHeader(w.Header(), tag, control)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(c.bytes) // an error is the client's hanging up
	}
	return status
}

func deltaHeader(h http.Header, tag, control string) {
	h.Set("ETag", tag)
	h.Set("Cache-Control", control)
	h.Set("Vary", "Accept-Encoding, A-IM")
}

// sinceTag is what is new since the version that one of the tags names, and the
// tag; nil if none is of a version that is known.
func (d *rendition) sinceTag(tags []string) (*rendition, string, error) {
	for _, line := range tags {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			hash, ours := strings.CutSuffix(tag, deltaTag)
			if !ours {
				continue
			}
			hash, _, _ = strings.Cut(strings.TrimPrefix(hash, `"`), "-")
			i := slices.IndexFunc(d.delta.past, func(v version) bool { return v.hash == hash })
			if i < 0 {
				continue
			}
			part, err := d.sinceVersion(d.delta.past[i])
			return part, tag, err
		}
	}
	return nil, "", nil
}

// sinceVersion is the document without the entries of a version, made once.
func (d *rendition) sinceVersion(v version) (*rendition, error) {
	d.delta.mu.Lock()
	defer d.delta.mu.Unlock()
	if made := d.delta.since[v.hash]; made != nil {
		return made, nil
	}
	rest, entries := d.delta.marks.parts(d.codings[identity].bytes)
	var doc []byte
	for i, e := range entries {
		if _, had := slices.BinarySearch(v.entries, entryHash(e)); !had {
			doc = append(append(doc, rest[i]...), e...)
		} else if i == 0 {
			doc = append(doc, bytes.TrimRight(rest[0], " \n")...)
		}
	}
	doc = append(doc, rest[len(rest)-1]...)
	part, err := newRendition(doc, d.media, d.common, d.modified)
	if err == nil {
		d.delta.since[v.hash] = part
	}
	return part, err
}
