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

	"diemtin/store"
)

// Embeds are channels within the pages of others: a page for an iframe, a
// piece of HTML for those that put pages together themselves, and JSON for our
// script. docs/embeds.md is for who uses them.

const (
	// embedFolder is before the address of the channel.
	embedFolder = "/embed/"

	embedStories    = 5
	maxEmbedStories = 50

	// embedCacheBytes is the memory for embeds, of their own: colours and
	// numbers make many addresses of one channel, which must not drive feeds out.
	embedCacheBytes = 16 << 20

	// embedsPerAsked is how many embeds a client may have made for each search
	// that it may have: they are no dearer than a feed, and all readers of a
	// partner's pages may come through one proxy.
	embedsPerAsked = 10
)

// embedForm is one form of an embed. Routes, documentation and tests iterate
// the table.
type embedForm struct {
	name    string // metric label
	file    string // last part of the address; empty for the page
	media   string // Content-Type
	options []string
	render  func(*Server, *embedView) ([]byte, error)
}

// embedForms is the whole set. The options are those that change what the form
// gives out, in the order of the canonical address.
var embedForms = []embedForm{
	{"page", "", "text/html; charset=utf-8", []string{"count", "theme", "accent", "images", "dates", "lang", "partner"}, (*Server).renderEmbedPage},
	{"fragment", "fragment.html", "text/html; charset=utf-8", []string{"count", "images", "dates", "lang", "heading", "partner"}, (*Server).renderEmbedFragment},
	{"items", "items.json", "application/json", []string{"count", "lang", "partner"}, (*Server).renderEmbedItems},
}

// finder finds the channel that a request embeds. What is not there is a
// refusal, what is elsewhere a move.
//
// It is told who speaks: the site in the language of the embed.
type finder func(s *Server, r *http.Request, q url.Values) (Channel, error)

// openEmbeds prepares embeds and registers their addresses.
func (s *Server) openEmbeds() (err error) {
	if s.embedViews, err = parseEmbedViews(); err != nil {
		return fmt.Errorf("parse templates of embeds: %w", err)
	}
	colours, err := s.look.embedColours()
	if err != nil {
		return fmt.Errorf("read the colours of embeds: %w", err)
	}
	s.embedStyle, s.embedAccent = colours.style(), colours.accent()
	s.embeds = newCache(embedCacheBytes, s.now, s.log, s.feedMetrics.unheld())
	limits := s.cfg.Visitors
	limits.PerMinute = embedsPerAsked * cmp.Or(limits.PerMinute, defaultPerMinute)
	s.embedders = newVisitors(limits, s.now)
	s.embedRoutes()
	s.oembedRoutes()
	return s.scriptRoutes()
}

// embedRoutes registers every form of every kind of channel.
func (s *Server) embedRoutes() {
	everything := func(s *Server, _ *http.Request, _ url.Values) (Channel, error) {
		ch, _ := s.cfg.channel("", "")
		return ch, nil
	}
	for i := range embedForms {
		f := &embedForms[i]
		s.embedRoute("", f, everything)
		s.embedRoute("mix/", f, (*Server).embeddedMix)
		for _, kind := range kinds {
			s.embedRoute(kind+"/{id}/", f, func(s *Server, r *http.Request, _ url.Values) (Channel, error) {
				return s.embeddedChannel(kind, r)
			})
		}
		s.embedRoute("topics/{id}/provinces/{province}/", f, func(s *Server, r *http.Request, _ url.Values) (Channel, error) {
			return s.embeddedChannel("topics", r)
		})
	}
}

// embedRoute registers one form under one folder, and counts its answers.
func (s *Server) embedRoute(folder string, f *embedForm, find finder) {
	path := embedFolder + folder + f.file
	handle := func(w http.ResponseWriter, r *http.Request) {
		partner, code := s.serveEmbed(w, r, f, find)
		s.feedMetrics.embeds.WithLabelValues(f.name, partner, strconv.Itoa(code)).Inc()
	}
	if f.file != "" {
		s.mux.HandleFunc("GET "+path, handle)
		s.mux.HandleFunc("OPTIONS "+path, preflight)
		return
	}
	s.mux.HandleFunc("GET "+path+"{$}", handle)
	s.mux.HandleFunc("GET "+strings.TrimSuffix(path, "/"), func(w http.ResponseWriter, r *http.Request) {
		to := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
		redirectTo(w, r, to.String())
	})
}

// embeddedChannel is the channel of an address that names it by kind and id.
func (s *Server) embeddedChannel(kind string, r *http.Request) (Channel, error) {
	ch, why := s.feedChannel(kind, r.PathValue("id"), "")
	asked := "/" + kind + "/" + r.PathValue("id") + "/"
	if p := r.PathValue("province"); p != "" && why == "" {
		ch, why = s.inProvince(ch, p)
		asked += "provinces/" + p + "/"
	}
	switch {
	case why != "":
		return ch, refusal{code: http.StatusNotFound, why: why}
	case ch.Path != asked:
		to := url.URL{Path: embedFolder + ch.Path[1:] + strings.TrimPrefix(r.URL.Path, embedFolder+asked[1:]), RawQuery: r.URL.RawQuery}
		return ch, moved{to.String(), http.StatusMovedPermanently}
	}
	return ch, nil
}

// embeddedMix is the channel that a query names. One id alone is that channel
// itself, so that who fills in a list of one gets the same.
func (s *Server) embeddedMix(_ *http.Request, q url.Values) (Channel, error) {
	ch, err := s.mix(q)
	if err != nil || len(ch.Topics)+len(ch.Provinces)+len(ch.Outlets) == 0 {
		return ch, err
	}
	if kind, id, one := strings.Cut(ch.Query, "="); one && !strings.ContainsAny(id, ",&") {
		if single, ok := s.cfg.channel(kind, id); ok {
			return single, nil
		}
	}
	return ch, nil
}

// serveEmbed answers for one embed, and returns the partner for whom and the
// status. Whatever the spelling of a query, the answer comes at once: an embed
// is one request.
func (s *Server) serveEmbed(w http.ResponseWriter, r *http.Request, f *embedForm, find finder) (partner string, code int) {
	q, _ := url.ParseQuery(r.URL.RawQuery) // what it could read
	s = s.speaking(languageTagged(q.Get("lang")))
	opt, err := s.readEmbedOptions(q)
	partner = opt.Partner.label()
	ch := Channel{}
	if err == nil {
		ch, err = find(s, r, q)
	}
	var no refusal
	var to moved
	switch {
	case errors.As(err, &no):
		return partner, refuse(w, no.code, no.why)
	case errors.As(err, &to):
		return partner, redirectTo(w, r, to.to)
	case !opt.Partner.admits(w, r):
		return partner, refuseHere(w, http.StatusForbidden, s.words["embed.onlyhere"])
	}
	key := docKey{path: embedAddress(&ch, f, &opt)}
	doc := s.embeds.fresh(key)
	if doc == nil {
		if doc, err = s.makeEmbed(r, key, f, ch, opt); err != nil {
			return partner, s.refuseEmbed(w, r, key.path, err)
		}
	}
	return partner, doc.serve(w, r)
}

// makeEmbed makes a document anew. One that is not at hand counts for the
// visitor, if it has an address that not every page asks for.
func (s *Server) makeEmbed(r *http.Request, key docKey, f *embedForm, ch Channel, opt embedOptions) (*rendition, error) {
	if _, held := s.embeds.peek(key); !held && strings.Contains(key.path, "?") {
		if wait := s.embedders.take(r); wait > 0 {
			return nil, busy{wait}
		}
	}
	return s.embeds.refresh(r.Context(), key, s.embedMaker(ch, f, opt), takesLater(r))
}

// refuseEmbed says why there is no embed now.
func (s *Server) refuseEmbed(w http.ResponseWriter, r *http.Request, path string, err error) int {
	var much busy
	switch {
	case errors.As(err, &much):
		w.Header().Set("Retry-After", seconds(much.wait))
		return refuse(w, http.StatusTooManyRequests, s.words["busy.lead"])
	case errors.Is(err, store.ErrTooBroad):
		return refuse(w, http.StatusBadRequest, s.words["search.broad"])
	}
	s.log.ErrorContext(r.Context(), "embed not given out", "path", path, "error", err)
	w.Header().Set("Retry-After", retryAfter)
	return refuse(w, http.StatusServiceUnavailable, s.words["embed.notnow"])
}

// embedAddress is the canonical address of an embed, from the root.
func embedAddress(ch *Channel, f *embedForm, opt *embedOptions) string {
	query := opt.query(f.options)
	if ch.Query != "" && query != "" {
		query = ch.Query + "&" + query
	} else {
		query += ch.Query
	}
	path := embedFolder + ch.Path[1:] + f.file
	if query == "" {
		return path
	}
	return path + "?" + query
}

// embedMaker says how an embed is made. What a partner hides is part of its
// revision, so that it is gone as soon as anything else that changes.
func (s *Server) embedMaker(ch Channel, f *embedForm, opt embedOptions) docMaker {
	v := s.embedView(ch, opt)
	return docMaker{
		format:      "embed_" + f.name,
		contentType: f.media,
		header:      s.embedHeader(f, &v),
		revision: func(ctx context.Context) (store.Revision, error) {
			rev, err := s.store.Revision(ctx, ch.Selection)
			if err != nil || opt.Partner == nil {
				return rev, err
			}
			hidden, err := s.store.HiddenFrom(ctx, opt.Partner.ID)
			rev.N += hidden.Revision.N // both only grow
			if hidden.Revision.At.After(rev.At) {
				rev.At = hidden.Revision.At
			}
			return rev, err
		},
		render: func(ctx context.Context, _ store.Revision) ([]byte, error) {
			stories, err := s.embeddedStories(ctx, ch, opt)
			if err != nil {
				return nil, err
			}
			made := v
			made.show(stories)
			return f.render(s, &made)
		},
	}
}

// embeddedStories are the newest of a channel without what the partner hides.
func (s *Server) embeddedStories(ctx context.Context, ch Channel, opt embedOptions) ([]store.Story, error) {
	hidden := store.Hidden{}
	if opt.Partner != nil {
		var err error
		if hidden, err = s.store.HiddenFrom(ctx, opt.Partner.ID); err != nil {
			return nil, err
		}
	}
	stories, err := s.store.Stories(ctx, store.Query{Selection: ch.Selection, Order: store.ByPublished,
		Limit: min(opt.Count+len(hidden.Stories), store.MaxStories)})
	if err != nil {
		return nil, err
	}
	var shown []store.Story
	for _, st := range stories {
		if !slices.Contains(hidden.Stories, st.ID) && len(shown) < opt.Count {
			shown = append(shown, st)
		}
	}
	return shown, nil
}
