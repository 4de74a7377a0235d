package syndicate

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// Sizes of feeds, in entries. A day's feed holds the whole day as far as one
// answer of the store goes.
const (
	feedStories    = 50
	maxFeedStories = 200
	maxDayStories  = store.MaxStories
)

// retryAfter is when a client shall come again while the store does not answer,
// in seconds.
const retryAfter = "30"

// openFeeds prepares what the feeds need beside the store.
func (s *Server) openFeeds() error {
	doc, err := renderOPML(&s.cfg)
	if err != nil {
		return err
	}
	if s.opml, err = newRendition(doc, opmlType, feedHeader(""), time.Time{}); err != nil {
		return err
	}
	if s.opml, err = s.opml.inAll(); err != nil {
		return err
	}
	room := cmp.Or(s.cfg.Delivery.CacheBytes, DefaultCacheBytes)
	s.feeds = newCache(room-room/sizedShare, s.now, s.log, s.feedMetrics)
	s.sized = newCache(room/sizedShare, s.now, s.log, s.feedMetrics)
	s.sized.held = s.feeds.held
	s.readings = new(readings)
	s.asked = newCache(askedCacheBytes, s.now, s.log, s.feedMetrics.unheld())
	s.api = newCache(apiCacheBytes, s.now, s.log, s.feedMetrics.unheld())
	if s.visitors == nil {
		s.visitors = newVisitors(s.cfg.Visitors, s.now)
	}
	return nil
}

// feedRoutes registers every format of every kind of channel, and of its days.
func (s *Server) feedRoutes() {
	s.opmlRoutes()
	for i := range formats {
		f := &formats[i]
		for _, kind := range append([]string{""}, kinds...) {
			folder := "/"
			if kind != "" {
				folder = "/" + kind + "/{id}/"
			}
			for _, file := range append([]string{f.file}, f.aliases...) {
				s.feedRoute(folder+file, f.name, func(w http.ResponseWriter, r *http.Request) int {
					return s.serveFeed(w, r, f, kind, feedStories, maxFeedStories)
				})
				s.feedRoute(folder+"days/{day}/"+file, f.name, func(w http.ResponseWriter, r *http.Request) int {
					return s.serveFeed(w, r, f, kind, maxDayStories, maxDayStories)
				})
				if kind == "topics" {
					s.feedRoute(folder+"provinces/{province}/"+file, f.name, func(w http.ResponseWriter, r *http.Request) int {
						return s.serveFeed(w, r, f, kind, feedStories, maxFeedStories)
					})
				}
			}
		}
		s.askedRoutes(f)
	}
}

// feedRoute registers a path, with and without a slash at its end, and counts
// its answers. Scripts of other sites may ask with a tag they have, for which
// browsers want leave first.
func (s *Server) feedRoute(path, format string, serve func(http.ResponseWriter, *http.Request) int) {
	handle := func(w http.ResponseWriter, r *http.Request) {
		s.feedMetrics.requests.WithLabelValues(format, strconv.Itoa(serve(w, r))).Inc()
	}
	s.mux.HandleFunc("GET "+path, handle)
	s.mux.HandleFunc("GET "+path+"/{$}", handle)
	s.mux.HandleFunc("OPTIONS "+path, preflight)
}

// preflight tells a browser that scripts of other sites may ask with a tag.
func preflight(w http.ResponseWriter, _ *http.Request) {
	openToAll(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD")
	w.Header().Set("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since, A-IM")
	w.Header().Set("Access-Control-Max-Age", "86400") // a day, in seconds
	w.WriteHeader(http.StatusNoContent)
}

// serveKept answers with a feed that is at hand and fresh, and returns false if
// there is none. Most requests end here, without a look at the routes, which
// would cost as much as all the rest of the answer.
func (s *Server) serveKept(w http.ResponseWriter, r *http.Request) bool {
	u, n := r.URL, 0
	if size, ok := strings.CutPrefix(u.RawQuery, "n="); ok {
		if n, _ = strconv.Atoi(size); strconv.Itoa(n) != size {
			return false
		}
	}
	if (u.RawQuery == "") != (n == 0) || u.RawPath != "" || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		return false
	}
	doc := s.kept(n).fresh(docKey{u.Path, n})
	if doc == nil {
		return false
	}
	doc.answered.count(doc.serve(w, r))
	return true
}

// serveFeed answers for one channel in one format and returns the status.
// Documents are kept by canonical path, so a fresh one needs no look at the
// channel.
func (s *Server) serveFeed(w http.ResponseWriter, r *http.Request, f *format, kind string, standard, most int) int {
	n, ok := feedSize(r.URL.RawQuery, most)
	if !ok {
		return refuse(w, http.StatusBadRequest, fmt.Sprintf("Số tin n phải là một số từ 1 đến %d.", most))
	}
	if doc := s.kept(n).fresh(docKey{r.URL.Path, n}); doc != nil {
		return doc.serve(w, r)
	}
	ch, why := s.feedChannel(kind, r.PathValue("id"), r.PathValue("day"))
	if p := r.PathValue("province"); p != "" && why == "" {
		ch, why = s.inProvince(ch, p)
	}
	if why != "" {
		return refuse(w, http.StatusNotFound, why)
	}
	path := ch.Path + f.file
	if path != r.URL.Path {
		return redirect(w, r, path)
	}
	doc, err := s.kept(n).refresh(r.Context(), docKey{path, n}, s.maker(ch, f, n, cmp.Or(n, standard)), takesLater(r))
	if err != nil {
		s.log.ErrorContext(r.Context(), "feed not given out", "path", path, "error", err)
		w.Header().Set("Retry-After", retryAfter)
		return refuse(w, http.StatusServiceUnavailable, "Máy chủ tạm thời chưa đọc được tin. Xin thử lại sau nửa phút.")
	}
	return doc.serve(w, r)
}

// sizedShare is the part of the cache, one in so many, that feeds of a size
// asked for may take: whoever asks for all sizes drives out no others.
const sizedShare = 4

// kept is the cache of feeds of a size.
func (s *Server) kept(n int) *cache {
	if n == 0 {
		return s.feeds
	}
	return s.sized
}

// feedSize reads ?n=: 0 for the usual number, false if it is no number of
// entries. Too many are as many as there may be.
func feedSize(query string, most int) (int, bool) {
	if query == "" {
		return 0, true
	}
	values, _ := url.ParseQuery(query) // what it could read; others' parameters do not matter
	raw := values.Get("n")
	if raw == "" {
		return 0, true
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 {
		return 0, false
	}
	return min(n, most), true
}

// feedChannel finds the channel of an address, however its id and its day are
// spelled. If there is no such channel, why says so to a person.
func (s *Server) feedChannel(kind, id, day string) (ch Channel, why string) {
	ch, ok := s.cfg.spelled(kind, id)
	if !ok {
		return ch, s.noChannel(kind, id)
	}
	if day == "" {
		return ch, ""
	}
	d, why := s.lang.readDay(day, store.DayOf(s.now()))
	if why != "" {
		return ch, why
	}
	return ch.onDay(d), ""
}

// maker says how a channel's document is made.
func (s *Server) maker(ch Channel, f *format, n, limit int) docMaker {
	feed := Feed{Config: &s.cfg, Channel: ch, Size: n}
	return docMaker{
		format:      f.name,
		answered:    s.feedMetrics.answered(f.name),
		contentType: f.contentType(),
		link:        feed.linkHeader(f),
		entries:     f.entries,
		revision: func(ctx context.Context) (store.Revision, error) {
			return s.store.Revision(ctx, ch.Selection)
		},
		render: func(ctx context.Context, rev store.Revision) ([]byte, error) {
			read := func(ctx context.Context) (Feed, error) { return s.read(ctx, feed, limit) }
			full, err := Feed{}, error(nil)
			if limit > maxFeedStories { // a day is too long to be kept at hand
				full, err = read(ctx)
			} else {
				full, err = s.readings.of(ctx, docKey{ch.url("", 0), n}, rev.N, read)
			}
			if err != nil {
				return nil, err
			}
			return f.render(full)
		},
	}
}

// read fills a feed with what its channel holds now.
func (s *Server) read(ctx context.Context, feed Feed, limit int) (Feed, error) {
	since, err := s.reachBack(ctx, &feed)
	if err != nil {
		return feed, err
	}
	w, err := s.store.Window(ctx, store.Query{Selection: feed.Channel.Selection, Order: store.ByListed, Limit: limit, Since: since, Record: feed.Channel.archiveScope()})
	if err != nil {
		return feed, err
	}
	feed.Stories, feed.Gone = w.Stories, w.Gone
	s.feedMetrics.reads.Inc()
	return feed, nil
}

// linkHeader names the feed itself, its page, its hub and its other formats.
func (f *Feed) linkHeader(own *format) string {
	links := []string{
		fmt.Sprintf("<%s>; rel=self; type=%q", f.self(own.file), own.media),
		fmt.Sprintf("<%s>; rel=alternate; type=%q", f.alternate(), "text/html"),
	}
	if hub := f.hub(); hub != "" {
		links = append(links, fmt.Sprintf("<%s>; rel=hub", hub))
	}
	for i := range formats {
		if other := &formats[i]; other != own {
			links = append(links, fmt.Sprintf("<%s>; rel=alternate; type=%q", f.self(other.file), other.media))
		}
	}
	return strings.Join(links, ", ")
}

// redirect sends a client to the one address of what it asked for, for good.
func redirect(w http.ResponseWriter, r *http.Request, path string) int {
	to := url.URL{Path: path, RawQuery: r.URL.RawQuery}
	return redirectTo(w, r, to.String())
}

func redirectTo(w http.ResponseWriter, r *http.Request, to string) int {
	w.Header().Set("Cache-Control", "public, max-age=86400") // a day, in seconds
	openToAll(w.Header())
	http.Redirect(w, r, to, http.StatusMovedPermanently)
	return http.StatusMovedPermanently
}

// refuse tells a person why there is no feed.
func refuse(w http.ResponseWriter, code int, why string) int {
	openToAll(w.Header())
	return refuseHere(w, code, why)
}

// refuseHere does so without letting scripts of other sites read it.
func refuseHere(w http.ResponseWriter, code int, why string) int {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, code)
	return code
}

// noChannel says that there is no such channel, and which are near.
func (s *Server) noChannel(kind, id string) string {
	why := s.noSuch(kind, id)
	var near []string
	for _, l := range s.nearest(id, maxNear, kind) {
		near = append(near, fmt.Sprintf("%s (%s)", l.Text, s.cfg.address(l.Href)))
	}
	if near != nil {
		why += fmt.Sprintf(s.words["no.near"], strings.Join(near, ", "))
	}
	return why + fmt.Sprintf(s.words["no.list"], s.cfg.address("/opml"))
}

// noSuch says that there is no channel of a kind with that id.
func (s *Server) noSuch(kind, id string) string {
	return fmt.Sprintf(s.words["no.such"], s.words["kind."+kind], plainText(id, 40))
}
