package syndicate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"diemtin/store"
)

const (
	// pageTimeout bounds making a page once, whoever waits for it.
	pageTimeout = 10 * time.Second

	// maxKeptPages is how many pages are kept at once. They are kept for
	// freshFor only, so this many are asked for within a second.
	maxKeptPages = 512

	// maxOtherPages is the same of searches and other pages that readers make
	// up the address of.
	maxOtherPages = 64
)

// pageCache keeps pages for as long as [freshFor]: however many ask for one, it
// is made once in that time. Unlike feeds, pages show what no revision tells,
// such as how many outlets carry a story.
type pageCache struct {
	now    func() time.Time
	most   int  // pages kept at once
	newest bool // where all of them are fresh, one goes for the next
	flight singleflight.Group

	mu   sync.Mutex
	kept map[string]keptPage // by path
}

type keptPage struct {
	doc *rendition
	at  time.Time // when it was made
}

func newPageCache(now func() time.Time) *pageCache {
	return &pageCache{now: now, most: maxKeptPages, kept: map[string]keptPage{}}
}

// get returns the page of a path, made by build unless it is at hand.
func (c *pageCache) get(path string, build func() (*rendition, error)) (*rendition, error) {
	if doc := c.fresh(path); doc != nil {
		return doc, nil
	}
	doc, err, _ := c.flight.Do(path, func() (any, error) {
		if doc := c.fresh(path); doc != nil { // another call has just made it
			return doc, nil
		}
		doc, err := build()
		if err == nil {
			c.keep(path, doc)
		}
		return doc, err
	})
	if err != nil {
		return nil, err
	}
	return doc.(*rendition), nil
}

func (c *pageCache) fresh(path string) *rendition {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.kept[path]; ok && c.now().Sub(k.at) < freshFor {
		return k.doc
	}
	return nil
}

// keep stores a page. If there are too many, those that are no longer fresh are
// given up; if all are fresh, this one is not kept, or takes the place of any.
func (c *pageCache) keep(path string, doc *rendition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.kept) >= c.most {
		for p, k := range c.kept {
			if now.Sub(k.at) >= freshFor {
				delete(c.kept, p)
			}
		}
	}
	if c.newest && len(c.kept) >= c.most {
		for p := range c.kept {
			delete(c.kept, p)
			break
		}
	}
	if len(c.kept) < c.most {
		c.kept[path] = keptPage{doc, now}
	}
}

// otherPage carries a page that is no plain 200 out of the cache's way.
type otherPage struct{ page page }

func (o otherPage) Error() string { return fmt.Sprintf("page with status %d", o.page.Status) }

// serve answers with the page that f makes, or with the page that explains why
// there is none.
func (s *Server) serve(f pageFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := s.speaking(languageOf(r.URL))
		build := func(ctx context.Context) (*rendition, error) {
			p, err := f(s, ctx, r)
			if err != nil {
				return nil, err
			}
			if p.Status != 0 {
				return nil, otherPage{p}
			}
			p.Address = plainAddress(r)
			return s.render(p)
		}
		kept, address := s.pages, s.lang.to(r.URL.Path)
		if asksForOther(r.URL) { // there is no bound to these: they have room of their own
			kept, address = s.others, s.lang.to(r.URL.Path+"?"+r.URL.RawQuery)
		}
		doc, err := kept.get(address, func() (*rendition, error) {
			// Others wait for this too: it does not end with the first reader.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTimeout)
			defer cancel()
			return build(ctx)
		})
		var much busy
		if errors.As(err, &much) { // perhaps another reader has used up what is his
			doc, err = build(r.Context())
		}
		if err != nil {
			s.answerWithout(w, r, err)
			return
		}
		doc.serve(w, r) // it counts feeds' answers; pages' are not counted yet
	}
}

// asksForOther tells whether an address asks for another page than its path
// alone. Other parameters, as those that platforms add to links, change nothing.
func asksForOther(u *url.URL) bool {
	if u.RawQuery == "" {
		return false
	}
	q := u.Query()
	return q.Has("before") || q.Has("by") || q.Has("day") || q.Has("month") || q.Has("q") ||
		q.Has("of") || q.Has("topics") || q.Has("provinces") || q.Has("outlets")
}

// answerWithout answers where there is no page to send.
func (s *Server) answerWithout(w http.ResponseWriter, r *http.Request, err error) {
	var m moved
	var other otherPage
	var bad renderError
	var much busy
	switch {
	case errors.As(err, &much):
		w.Header().Set("Retry-After", seconds(much.wait))
		s.writePage(w, r, s.notice("busy", http.StatusTooManyRequests, false))
	case errors.As(err, &m):
		http.Redirect(w, r, s.lang.to(m.to), m.code)
	case errors.As(err, &other):
		s.writePage(w, r, other.page)
	case errors.Is(err, store.ErrNotFound):
		s.writePage(w, r, s.missingPage(r.URL.Path, ""))
	case errors.Is(err, store.ErrWithdrawn):
		s.writePage(w, r, s.notice("gone", http.StatusGone, true))
	case errors.As(err, &bad):
		s.log.ErrorContext(r.Context(), "page not rendered", "path", r.URL.Path, "error", err)
		s.writePage(w, r, s.notice("broken", http.StatusInternalServerError, false))
	case r.Context().Err() != nil: // the reader has gone
	default:
		s.unavailable(w, r, err)
	}
}

// renderError says that a page cannot be written: our fault.
type renderError struct{ error }

// render writes a page that answers 200.
func (s *Server) render(p page) (*rendition, error) {
	var body bytes.Buffer
	if err := s.views[s.lang].render(&body, s.frame(p)); err != nil {
		return nil, renderError{fmt.Errorf("render %s: %w", p.View, err)}
	}
	header := s.pageHeader()
	header.Set("Cache-Control", askFirst)
	// Most pages are asked for once while they are kept: the best gzip would cost
	// as much as writing them.
	doc, err := compressed(body.Bytes(), "text/html; charset=utf-8", header, time.Time{}, quickGzip)
	if err != nil {
		return nil, renderError{err}
	}
	return doc, nil
}

// askFirst lets browsers keep a page, but not show it without asking: an answer
// without news is a 304 of a few bytes, and what was taken down is gone at once.
const askFirst = "public, no-cache"

// pageHeader is what protects the readers of a page.
func (s *Server) pageHeader() http.Header {
	h := http.Header{}
	h.Set("Content-Security-Policy", s.policy())
	h.Set("X-Content-Type-Options", "nosniff")
	// Outlets may see that a reader came from here, not from which page.
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	return h
}

// policy is the Content-Security-Policy of all pages: nothing but our own
// stylesheet and script, and pictures of outlets where at least one outlet allows them.
func (s *Server) policy() string {
	images := "'self'"
	if slices.ContainsFunc(s.cfg.Outlets, func(o store.Outlet) bool { return o.Images }) {
		images += " https:"
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src " + images +
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// writePage sends a page that is no plain 200: it is not kept by anyone.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, p page) {
	p.Address = plainAddress(r)
	var body bytes.Buffer
	if err := s.views[s.lang].render(&body, s.frame(p)); err != nil {
		s.log.ErrorContext(r.Context(), "page not rendered", "view", p.View, "error", err)
		http.Error(w, s.words["broken.title"], http.StatusInternalServerError)
		return
	}
	h := w.Header()
	maps.Copy(h, s.pageHeader())
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	w.Write(body.Bytes()) // an error is the reader's hanging up
}
