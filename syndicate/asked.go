package syndicate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Channels that readers make up themselves: a mix of others, a search. Their
// addresses have a query, of which one form is canonical, so that caches and
// readers know each by one name; all others redirect to it.

// askedCacheBytes is the memory for what readers make up themselves. It is not
// that of the other feeds: inventing addresses must not drive those out.
const askedCacheBytes = 8 << 20

// maxMixed is how many channels one mix may join: all topics and a few
// provinces and outlets.
const maxMixed = 40

// mixKinds are the kinds of channels that a mix joins, in the order in which
// its address names them.
var mixKinds = []string{"topics", "provinces", "outlets"}

// refusal is why there is no such channel, for a person.
type refusal struct {
	code int // 400 or 404
	why  string
	near []nearLink
}

func (r refusal) Error() string { return r.why }

// asker makes the channel that the query of an address asks for.
type asker func(url.Values) (Channel, error)

// mix is the channel of a reader's own selection: each story that stands in at
// least one of the topics, provinces and outlets, once.
func (s *Server) mix(q url.Values) (Channel, error) {
	ch := Channel{Path: "/mix/", Kind: "mix"}
	ch.Either = true
	var query, names []string
	n := 0
	for _, kind := range mixKinds {
		ids, chs, err := s.mixed(kind, q[kind])
		if err != nil {
			return ch, err
		}
		for _, one := range chs {
			name, _ := s.lang.called(one.Title)
			names = append(names, plainName(name))
			ch.Topics = append(ch.Topics, one.Topics...)
			ch.Provinces = append(ch.Provinces, one.Provinces...)
			ch.Outlets = append(ch.Outlets, one.Outlets...)
		}
		if n += len(ids); len(ids) > 0 {
			query = append(query, kind+"="+strings.Join(ids, ","))
		}
	}
	switch {
	case n == 0:
		return ch, refusal{code: http.StatusBadRequest, why: s.words["mix.none"]}
	case n > maxMixed:
		return ch, refusal{code: http.StatusBadRequest, why: fmt.Sprintf(s.words["mix.many"], maxMixed)}
	}
	ch.Query = strings.Join(query, "&")
	title := fmt.Sprintf(s.words["mix.of"], s.shortList(names))
	ch.Title = Names{title, title}
	return ch, nil
}

// mixed finds the channels of one kind that a mix names, however their ids are
// spelled, by id and each once.
func (s *Server) mixed(kind string, lists []string) (ids []string, chs []Channel, err error) {
	for _, list := range lists {
		for id := range strings.SplitSeq(list, ",") {
			if id = strings.TrimSpace(id); id == "" {
				continue
			}
			ch, ok := s.cfg.spelled(kind, id)
			if !ok {
				return nil, nil, refusal{http.StatusNotFound, s.noChannel(kind, id), s.nearest(id, maxNear, kind)}
			}
			if slices.Contains(ids, ch.ID) {
				continue
			}
			if ids, chs = append(ids, ch.ID), append(chs, ch); len(ids) > maxMixed {
				return ids, chs, refusal{code: http.StatusBadRequest, why: fmt.Sprintf(s.words["mix.many"], maxMixed)}
			}
		}
	}
	slices.Sort(ids)
	slices.SortFunc(chs, func(a, b Channel) int { return cmp.Compare(a.ID, b.ID) })
	return ids, chs, nil
}

// shortList names the first of a list.
func (s *Server) shortList(names []string) string {
	const first = 5
	if len(names) <= first {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:first], ", ") + fmt.Sprintf(s.words["mix.more"], len(names)-first)
}

// search is the channel of all stories with some words.
func (s *Server) search(q url.Values) (Channel, error) {
	ch := Channel{Path: "/search/", Page: "/search", Kind: "search"}
	asked := vi.NFC(scrub(q.Get("q")))
	var err error
	if ch.Words, err = store.ParseWords(asked); err != nil {
		why := s.words["search.none"]
		if errors.Is(err, store.ErrTooMany) {
			why = fmt.Sprintf(s.words["search.many"], store.MaxSearch)
		}
		return ch, refusal{code: http.StatusBadRequest, why: why}
	}
	ch.Query = "q=" + url.QueryEscape(asked)
	narrow, err := s.narrow(&ch, q)
	if err != nil {
		return ch, err
	}
	title := fmt.Sprintf(s.words["search.of"], strings.Join(append([]string{plainText(asked, store.MaxSearch)}, narrow...), ", "))
	ch.Title = Names{title, title}
	return ch, nil
}

// url is the address of a file of a channel from the root, "" for its page;
// n is the number of entries asked for, 0 for the usual one.
func (ch *Channel) url(file string, n int) string {
	path, query := ch.Path+file, ch.Query
	if file == "" {
		path = cmp.Or(ch.Page, ch.Path)
	}
	if n > 0 {
		if query != "" {
			query += "&"
		}
		query += "n=" + strconv.Itoa(n)
	}
	if query != "" {
		return path + "?" + query
	}
	return path
}

// serveAsked answers for a channel that a query asks for, and returns the
// status. What is fresh in the cache is given to everybody; making it anew
// counts for the visitor.
func (s *Server) serveAsked(w http.ResponseWriter, r *http.Request, f *format, ask asker) int {
	n, ok := feedSize(r.URL.RawQuery, maxFeedStories)
	if !ok {
		return refuse(w, http.StatusBadRequest, fmt.Sprintf("Số tin n phải là một số từ 1 đến %d.", maxFeedStories))
	}
	if n == feedStories {
		n = 0
	}
	values, _ := url.ParseQuery(r.URL.RawQuery) // what it could read
	ch, err := ask(values)
	var no refusal
	if errors.As(err, &no) {
		return refuse(w, no.code, no.why)
	}
	to := ch.url(f.file, n)
	if to != r.URL.RequestURI() {
		return redirectTo(w, r, to)
	}
	key := docKey{ch.url(f.file, 0), n}
	if doc := s.asked.fresh(key); doc != nil {
		return doc.serve(w, r)
	}
	if wait := s.visitors.take(r); wait > 0 {
		w.Header().Set("Retry-After", seconds(wait))
		return refuse(w, http.StatusTooManyRequests, s.words["busy.lead"])
	}
	doc, err := s.asked.refresh(r.Context(), key, s.maker(ch, f, n, cmp.Or(n, feedStories)), takesLater(r))
	switch {
	case errors.Is(err, store.ErrTooBroad):
		return refuse(w, http.StatusBadRequest, s.words["search.broad"])
	case err != nil:
		s.log.ErrorContext(r.Context(), "feed not given out", "path", to, "error", err)
		w.Header().Set("Retry-After", retryAfter)
		return refuse(w, http.StatusServiceUnavailable, "Máy chủ tạm thời chưa đọc được tin. Xin thử lại sau nửa phút.")
	}
	return doc.serve(w, r)
}

// askedRoutes registers the feeds of mixes and searches in one format.
func (s *Server) askedRoutes(f *format) {
	for folder, ask := range map[string]asker{"/mix/": s.mix, "/search/": s.search} {
		for _, file := range append([]string{f.file}, f.aliases...) {
			s.feedRoute(folder+file, f.name, func(w http.ResponseWriter, r *http.Request) int {
				return s.serveAsked(w, r, f, ask)
			})
		}
	}
}

// askedPage is the page of a mix or a search: what it found, or why not.
func (s *Server) askedPage(ctx context.Context, r *http.Request, ask asker, form page, v askedView) (page, error) {
	q := r.URL.Query()
	ch, err := ask(q)
	var no refusal
	if errors.As(err, &no) {
		v.Why, v.Near, form.Status = no.why, no.near, no.code
		form.Body = v
		return form, nil
	}
	before, err := readCursor(q.Get("before"))
	if err != nil {
		return page{}, store.ErrNotFound
	}
	to := ch.url("", 0)
	v.Newest = to
	if before.At.IsZero() {
		v.Newest = ""
	} else {
		to += "&before=" + writeCursor(before)
	}
	if s.lang.to(to) != r.URL.RequestURI() {
		return page{}, moved{to, http.StatusMovedPermanently}
	}
	if wait := s.visitors.take(r); wait > 0 {
		return page{}, busy{wait}
	}
	stories, older, err := s.window(ctx, ch.Selection, before, channelStories)
	switch {
	case errors.Is(err, store.ErrTooBroad):
		v.Why, form.Status = s.words["search.broad"], http.StatusBadRequest
		form.Body = v
		return form, nil
	case err != nil:
		return page{}, err
	}
	v.Asked, v.Title, v.Feeds = true, ch.Title.VI, ch.feeds()
	v.Days = s.byDay(stories, ch)
	for _, g := range v.Days {
		mark(g.Cards, ch.Words)
	}
	if older != "" {
		v.Older = ch.url("", 0) + "&before=" + older
	}
	form.Title, form.Feeds, form.Body = v.Title, v.Feeds, v
	return form, nil
}

// askedView is what the page of a mix or a search shows.
type askedView struct {
	Asked  bool   // something was asked for, and may have been found
	Title  string // of what was asked for
	Search string // what stands in the form
	Why    string // nothing can be found
	Near   []nearLink
	Groups []choices // of a mix, or to narrow a search
	From   string    // the days of a search, as the form has them
	To     string
	Narrow bool // the search is narrowed
	Days   []dayGroup
	Older  string
	Newest string
	Feeds  []feedLink
}

// choices are the channels of one kind to choose from.
type choices struct {
	Kind, Title string
	Open        bool // one of them is chosen
	All         []choice
}

type choice struct {
	ID     string
	Name   link
	Chosen bool
}

// searchPage is the form to search with, and what was found.
func (s *Server) searchPage(ctx context.Context, r *http.Request) (page, error) {
	asked := scrub(r.URL.Query().Get("q"))
	p := page{View: "search", Title: s.words["search.title"], About: s.words["search.lead"], Path: "/search", NoIndex: true}
	v := askedView{Search: shorten(asked, store.MaxSearch)}
	s.narrowForm(&v, r.URL.Query())
	if asked == "" && !v.Narrow {
		p.Body = v
		return p, nil
	}
	return s.askedPage(ctx, r, s.search, p, v)
}

// mixPage is the form to choose with, and the stories of what was chosen.
func (s *Server) mixPage(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	p := page{View: "mix", Title: s.words["mix.title"], About: s.words["mix.lead"], Path: "/mix/", NoIndex: true}
	var v askedView
	var chosen bool
	if v.Groups, chosen = s.choices(q); !chosen {
		p.NoIndex, p.Body = false, v
		return p, nil
	}
	return s.askedPage(ctx, r, s.mix, p, v)
}

// choices are what a mix can be made of, and whether something is chosen.
func (s *Server) choices(q url.Values) (groups []choices, chosen bool) {
	for _, kind := range mixKinds {
		g := choices{Kind: kind, Title: s.words[kind+".title"]}
		ids, _, err := s.mixed(kind, q[kind])
		for _, ch := range s.cfg.channelsOf(kind) {
			g.All = append(g.All, choice{ch.ID, s.linkTo(&ch), slices.Contains(ids, ch.ID)})
		}
		g.Open = len(ids) > 0
		chosen = chosen || g.Open || err != nil
		if len(g.All) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, chosen
}

// piece is a part of a text, marked if it is what was searched for.
type piece struct {
	Text string
	Hit  bool
}

// mark marks in cards what was searched for.
func mark(cards []card, w store.Words) {
	for i := range cards {
		cards[i].TitleMarks, cards[i].TeaserMarks = pieces(cards[i].Title, w), pieces(cards[i].Teaser, w)
	}
}

// pieces cuts a text where something is marked; nil if nothing is.
func pieces(text string, w store.Words) []piece {
	var all []piece
	at := 0
	for _, m := range w.Marks(text) {
		all = append(all, piece{text[at:m[0]], false}, piece{text[m[0]:m[1]], true})
		at = m[1]
	}
	if all == nil {
		return nil
	}
	return append(all, piece{text[at:], false})
}
