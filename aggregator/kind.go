package aggregator

import (
	"fmt"
	"time"

	"diemtin/store"
)

// Entry is what a kind read of one article: raw strings, untrusted.
type Entry struct {
	GUID       string
	Title      string // HTML or plain, unless Literal
	Literal    bool   // Title is plain text, "<b>" in it included
	Link       string // maybe relative to Base
	Base       string // absolute
	Summary    string // HTML or plain
	Content    string // HTML
	Published  string
	Updated    string
	Parsed     time.Time // the library's reading of Published, the last resort
	Authors    []string
	Categories []string
	Image      string
	Enclosures []RawEnclosure
	Lang       string

	page *ArticlePage // its own page, if that was read for a listing
}

// RawEnclosure is an enclosure as the document has it.
type RawEnclosure struct{ URL, Type, Length string }

// Repair is something in a document that had to be mended or left out.
type Repair = store.Repair

// reading is what a kind made of a document.
type reading struct {
	entries []Entry
	repairs repairs
	next    string // absolute address of the following page, if there is one
	hints   Hints  // of the document itself

	follow   []string         // addresses of the sitemaps that an index names, to be read as well
	children map[string]child // those that were read or have not changed, by address
	// volatile says that the same bytes may stand for other news the next time:
	// an index whose sitemaps change, articles that are still to be read.
	volatile bool
	known    []string       // first aliases of the items left out of entries, since they stand there as they did
	order    []firstAliases // of all items of the document, as they stand; nil if none were left out
	memory   *memory        // for the next reading; nil = it must be whole
}

// repairs counts repairs by kind, in the order in which they were first made.
type repairs []Repair

func (r *repairs) add(kind, detail string) { r.addN(kind, 1, detail) }

func (r *repairs) addN(kind string, n int, detail string) {
	if n == 0 {
		return
	}
	for i := range *r {
		if (*r)[i].Kind == kind {
			(*r)[i].Count += n
			return
		}
	}
	*r = append(*r, Repair{Kind: kind, Count: n, Detail: detail})
}

// addAll takes over the repairs of a further document.
func (r *repairs) addAll(more repairs) {
	for _, m := range more {
		r.addN(m.Kind, m.Count, m.Detail)
	}
}

// kind is a way of reading a source.
type kind struct {
	name string
	read func(doc *Document, src SourceConfig, lim Limits) (reading, error)
	// since reads what is new since the last reading; nil = read always reads all.
	since func(doc *Document, src SourceConfig, lim Limits, last *memory) (reading, error)
}

// kinds is the table of source kinds; everything else iterates it.
var kinds = []kind{
	{name: "feed", read: readFeed, since: readFeedSince},
	{name: "page", read: readPage},
	{name: "sitemap", read: readSitemap},
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// read reads a document as its source's kind does, whole if last is nil.
func read(doc *Document, src SourceConfig, lim Limits, last *memory) (reading, error) {
	for _, k := range kinds {
		switch {
		case k.name != src.Kind:
		case k.since != nil && last != nil:
			return k.since(doc, src, lim, last)
		default:
			return k.read(doc, src, lim)
		}
	}
	return reading{}, fmt.Errorf("kind %q is not known", src.Kind)
}
