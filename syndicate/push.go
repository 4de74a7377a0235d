package syndicate

import (
	"context"
	"fmt"
	"strings"
)

// Document is a feed as a GET without conditions gives it, for those whom it
// is pushed to.
type Document struct {
	ContentType string
	Body        []byte // shared with the cache: not to be changed
	Hash        string // of Body
	Revision    int64  // it shows every change up to this one (store.Revision)
}

// pushed finds the feed of an address if the hub pushes it: each format of each
// channel, at its one address. Days, searches, a reader's own selections and
// numbers of entries are not pushed.
func (c *Config) pushed(address string) (ch Channel, f *format, ok bool) {
	path, ok := strings.CutPrefix(address, c.Site.BaseURL+"/")
	if !ok {
		return ch, nil, false
	}
	folder, file := "/", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		folder, file = "/"+path[:i+1], path[i+1:]
	}
	for i := range formats {
		if formats[i].file != file {
			continue
		}
		if ch, ok = c.pushedChannel(folder); ok && c.address(ch.Path+file) == address {
			return ch, &formats[i], true
		}
	}
	return ch, nil, false
}

// pushedChannel finds the channel of a path ("/", "/topics/kinh-te/",
// "/topics/kinh-te/provinces/lao-cai/") whose feeds the hub pushes.
func (c *Config) pushedChannel(path string) (Channel, bool) {
	kind, id, _ := strings.Cut(strings.Trim(path, "/"), "/")
	id, province, crossed := strings.Cut(id, "/provinces/")
	ch, ok := c.channel(kind, id)
	if crossed && ok {
		p, known := c.channel("provinces", province)
		ch, ok = ch.in(p), known && kind == "topics"
	}
	return ch, ok && ch.Path == path
}

// hub is the address of the hub that pushes this feed, or "".
func (f *Feed) hub() string {
	if f.Config.Hub == "" || f.Size > 0 || f.Doc.Part > 0 { // a sealed document stays as it is
		return ""
	}
	if _, ok := f.Config.pushedChannel(f.Channel.Path); !ok {
		return ""
	}
	return f.Config.Hub
}

// Pushed names the scopes of the store of which each change of a feed raises
// one, and says false for an address whose feed the hub does not push.
func (s *Server) Pushed(address string) (scopes []string, ok bool) {
	ch, _, ok := s.cfg.pushed(address)
	if !ok {
		return nil, false
	}
	return ch.Selection.Reads(), true
}

// Document returns a feed that the hub pushes. It is the one that readers get,
// from the same cache: rendered once for all.
func (s *Server) Document(ctx context.Context, address string) (Document, error) {
	ch, f, ok := s.cfg.pushed(address)
	if !ok {
		return Document{}, fmt.Errorf("%s is no feed that is pushed", address)
	}
	made, err := s.feeds.look(ctx, docKey{ch.Path + f.file, 0}, s.maker(ch, f, 0, feedStories), identity)
	if err != nil {
		return Document{}, err
	}
	return Document{ContentType: f.contentType(), Body: made.doc.codings[identity].bytes, Hash: made.doc.hash, Revision: made.revision}, nil
}
