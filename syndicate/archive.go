package syndicate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// Archive keeps the sealed documents of RFC 5005, section 4. It is the one
// thing that giving out writes: a document is stored when it is sealed.
type Archive interface {
	ArchiveHead(ctx context.Context, scope string) (store.ArchiveHead, error)
	ArchiveRevision(ctx context.Context, k store.ArchiveKey) (rev store.Revision, stale bool, err error)
	ArchiveDocument(ctx context.Context, k store.ArchiveKey) (store.ArchiveDocument, error)
	StoriesByID(ctx context.Context, ids []string) ([]store.Story, error)
	Seal(ctx context.Context, scope string, now time.Time, write func(store.ArchiveDocument, []store.Story) ([]byte, error)) (bool, error)
	Reseal(ctx context.Context, k store.ArchiveKey, rewrite func(body []byte, stories map[string]*store.Story, at time.Time) ([]byte, error)) error
	ArchivesDue(ctx context.Context, now time.Time) (scopes []string, stale []store.ArchiveKey, err error)
}

const (
	// sealsARender is how many documents one rendering of a current feed seals
	// at most: it has one to seal, unless nobody has sealed for long.
	sealsARender = 3
	// sealsAPass is how many documents of one archive a pass of SealArchives
	// seals at most: 5,000 stories.
	sealsAPass = 50
)

const historyNS = "http://purl.org/syndication/history/1.0"

// archiveKinds are the kinds of channels that have an archive.
var archiveKinds = []string{"", "topics", "channels"}

// archiveScope is the store's name of a channel's archive; "" if it has none.
func (ch *Channel) archiveScope() string {
	switch {
	case ch.Day != "":
	case ch.Kind == "all":
		return store.ArchiveAll
	case ch.Kind == "topic" && !slices.Contains(ch.Topics, store.NoTopic):
		return store.ArchiveTopic(store.Topic(ch.ID))
	case ch.Kind == "channel":
		return store.ArchiveChannel{ID: ch.ID}.Scope()
	}
	return ""
}

// archived finds the channel of an archive; false if the configuration has it
// no longer.
func (c *Config) archived(scope string) (Channel, bool) {
	if scope == store.ArchiveAll {
		return c.channel("", "")
	}
	kind, id, _ := strings.Cut(scope, ":")
	return c.channel(kind+"s", id)
}

// ArchiveChannels are the channels of the configuration as the store's archives
// know them.
func (c *Config) ArchiveChannels() []store.ArchiveChannel {
	var all []store.ArchiveChannel
	for _, id := range c.ids("channels") {
		if ch, ok := c.channel("channels", id); ok {
			all = append(all, store.ArchiveChannel{ID: id, Selection: ch.Selection})
		}
	}
	return all
}

// ArchiveMoves are the archives of topics and channels under the ids that they
// had before.
func (c *Config) ArchiveMoves() []store.ArchiveMove {
	var all []store.ArchiveMove
	for _, r := range c.Renamed {
		switch r.Kind {
		case "topics":
			all = append(all, store.ArchiveMove{From: store.ArchiveTopic(store.Topic(r.From)), To: store.ArchiveTopic(store.Topic(r.To))})
		case "channels":
			all = append(all, store.ArchiveMove{From: store.ArchiveChannel{ID: r.From}.Scope(), To: store.ArchiveChannel{ID: r.To}.Scope()})
		}
	}
	return all
}

// archivePath is the folder of a document.
func archivePath(ch *Channel, k store.ArchiveKey) string {
	return ch.Path + "archive/" + string(k.Day) + "/" + strconv.Itoa(k.Part) + "/"
}

// older is the address of the document before this feed; "" if there is none.
func (f *Feed) older(file string) string {
	if f.Prev.Part == 0 {
		return ""
	}
	return f.Config.address(archivePath(&f.Channel, f.Prev) + file)
}

// archiveRoutes registers the documents of archives. Atom is what was sealed;
// JSON shows the same stories as they are now.
func (s *Server) archiveRoutes() {
	if s.cfg.Archive == nil {
		return
	}
	for i := range formats {
		f := &formats[i]
		if f.name == "rss" {
			continue
		}
		for _, kind := range archiveKinds {
			folder := "/"
			if kind != "" {
				folder = "/" + kind + "/{id}/"
			}
			s.feedRoute(folder+"archive/{day}/{part}/"+f.file, f.name, func(w http.ResponseWriter, r *http.Request) int {
				return s.serveArchive(w, r, f, kind)
			})
		}
	}
}

// serveArchive answers with one document of an archive.
func (s *Server) serveArchive(w http.ResponseWriter, r *http.Request, f *format, kind string) int {
	if doc := s.feeds.fresh(docKey{r.URL.Path, 0}); doc != nil {
		return doc.serve(w, r)
	}
	ch, ok := s.cfg.spelled(kind, r.PathValue("id"))
	if !ok {
		return refuse(w, http.StatusNotFound, s.noChannel(kind, r.PathValue("id")))
	}
	day, why := s.lang.readDay(r.PathValue("day"), store.DayOf(s.now()))
	if why != "" {
		return refuse(w, http.StatusNotFound, why)
	}
	k := store.ArchiveKey{Scope: ch.archiveScope(), Day: day}
	k.Part, _ = strconv.Atoi(r.PathValue("part")) // what is no number is no part
	_, _, err := s.cfg.Archive.ArchiveRevision(r.Context(), k)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(w, http.StatusNotFound, fmt.Sprintf("Lưu trữ ngày %s không có phần %s.", date(day), plainText(r.PathValue("part"), 20)))
	}
	path := archivePath(&ch, k) + f.file
	if err == nil && path != r.URL.Path {
		return redirect(w, r, path)
	}
	var doc *rendition
	if err == nil {
		doc, err = s.feeds.refresh(r.Context(), docKey{path, 0}, s.archiveMaker(ch, f, k), takesLater(r))
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "archive not given out", "path", path, "error", err)
		w.Header().Set("Retry-After", retryAfter)
		return refuse(w, http.StatusServiceUnavailable, "Máy chủ tạm thời chưa đọc được tin. Xin thử lại sau nửa phút.")
	}
	return doc.serve(w, r)
}

// archiveMaker says how a document of an archive is made ready to be sent.
func (s *Server) archiveMaker(ch Channel, f *format, k store.ArchiveKey) docMaker {
	feed := Feed{Config: &s.cfg, Channel: ch, Doc: k}
	return docMaker{
		format:      f.name,
		contentType: f.contentType(),
		link:        feed.linkHeader(f),
		revision: func(ctx context.Context) (store.Revision, error) {
			rev, _, err := s.cfg.Archive.ArchiveRevision(ctx, k)
			if err == nil && f.name == "json" { // it shows the stories as they are
				return s.store.Revision(ctx, ch.Selection)
			}
			return rev, err
		},
		render: func(ctx context.Context, _ store.Revision) ([]byte, error) {
			if err := s.reseal(ctx, k); err != nil {
				return nil, err
			}
			d, err := s.cfg.Archive.ArchiveDocument(ctx, k)
			if err != nil || f.name == "atom" {
				return d.Body, err
			}
			feed.Prev = d.Prev
			if feed.Stories, err = s.cfg.Archive.StoriesByID(ctx, d.Stories); err != nil {
				return nil, err
			}
			return f.render(feed)
		},
	}
}

// seal seals at most n documents of a channel's archive and says whether all
// that is due is sealed.
func (s *Server) seal(ctx context.Context, ch Channel, n int) (done bool, err error) {
	for range n {
		sealed, err := s.cfg.Archive.Seal(ctx, ch.archiveScope(), s.now(), func(d store.ArchiveDocument, stories []store.Story) ([]byte, error) {
			return renderAtom(Feed{Config: &s.cfg, Channel: ch, Doc: d.ArchiveKey, Prev: d.Prev, Stories: stories})
		})
		if err != nil || !sealed {
			return !sealed, err
		}
	}
	return false, nil
}

// reachBack lets a current feed hold what no document holds yet, and link to
// the newest document. It seals first what is due: a change has just been made.
// While an archive is far behind, the feed does not wait for it; its readers
// find the rest in the documents to come.
func (s *Server) reachBack(ctx context.Context, feed *Feed) (since time.Time, err error) {
	scope := feed.Channel.archiveScope()
	if s.cfg.Archive == nil || scope == "" || feed.Size != 0 {
		return time.Time{}, nil
	}
	done, err := s.seal(ctx, feed.Channel, sealsARender)
	if err != nil {
		s.log.ErrorContext(ctx, "archive not sealed", "scope", scope, "error", err)
	}
	head, err := s.cfg.Archive.ArchiveHead(ctx, scope)
	if err != nil {
		return time.Time{}, err
	}
	if feed.Prev = head.Newest; !done {
		return time.Time{}, nil
	}
	return head.Unsealed, nil
}

// SealArchives seals what is due, and seals anew what must not say any more
// what it says. Call it every now and then: what nobody asks for is to be kept
// too. Any number of replicas may.
func (s *Server) SealArchives(ctx context.Context) error {
	if s.cfg.Archive == nil {
		return nil
	}
	scopes, stale, err := s.cfg.Archive.ArchivesDue(ctx, s.now())
	if err != nil {
		return err
	}
	var errs []error
	for _, k := range stale {
		errs = append(errs, s.reseal(ctx, k))
	}
	for _, scope := range scopes {
		if ch, ok := s.cfg.archived(scope); ok {
			_, err := s.seal(ctx, ch, sealsAPass)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// reseal takes out of a sealed document what readers may not see any more. All
// else of it stays as it is, byte by byte.
func (s *Server) reseal(ctx context.Context, k store.ArchiveKey) error {
	ch, ok := s.cfg.archived(k.Scope)
	if !ok {
		return nil
	}
	return s.cfg.Archive.Reseal(ctx, k, func(body []byte, stories map[string]*store.Story, at time.Time) ([]byte, error) {
		feed := Feed{Config: &s.cfg, Channel: ch, Doc: k}
		for id, st := range stories {
			var instead []byte
			if st != nil {
				feed.Stories = []store.Story{*st}
				one, err := renderAtom(feed)
				if err != nil {
					return nil, err
				}
				start, end := atomEntryOf(one, id)
				instead = one[start:end]
			}
			start, end := atomEntryOf(body, id)
			body = bytes.Join([][]byte{body[:start], instead, body[end:]}, nil)
		}
		return atomUpdated(body, at), nil
	})
}

const (
	entryStart = "<entry>" // content is escaped: it stands nowhere else
	entryEnd   = "</entry>"
)

// atomEntryOf finds the entry of a story in a document of our own, with the
// space before it; an empty range if it has none.
func atomEntryOf(doc []byte, story string) (start, end int) {
	at := bytes.Index(doc, []byte("<id>"+storyURN(story)+"</id>"))
	if at < 0 {
		return 0, 0
	}
	start = len(bytes.TrimRight(doc[:bytes.LastIndex(doc[:at], []byte(entryStart))], " \n"))
	return start, at + bytes.Index(doc[at:], []byte(entryEnd)) + len(entryEnd)
}

// atomUpdated dates a document of our own anew: its own date is the first.
func atomUpdated(doc []byte, at time.Time) []byte {
	const open, end = "<updated>", "</updated>"
	start := bytes.Index(doc, []byte(open)) + len(open)
	stop := start + bytes.Index(doc[start:], []byte(end))
	return bytes.Join([][]byte{doc[:start], []byte(at.In(store.Zone).Format(atomTime)), doc[stop:]}, nil)
}
