package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Page is one answer of many to a query.
type Page struct {
	Stories []Story
	// Next is the place to go on from (Query.Before); zero at the end. There may
	// be more although there are fewer stories than asked for: what is rare among
	// much is looked for piece by piece.
	Next Cursor
}

// Page answers a query for those who want all of it, page by page: nothing that
// was there when they began is left out or comes twice, whatever is listed
// meanwhile.
func (db *DB) Page(ctx context.Context, q Query) (Page, error) {
	w := window{table: "by_listed", until: math.MaxInt64, before: q.Before, limit: min(max(q.Limit, 1), MaxStories)}
	if q.Order == ByPublished || q.Day != "" {
		w.table = "by_published"
	}
	if q.Day != "" {
		w.from, w.until = millis(q.Day.Start()), millis(q.Day.Next().Start())
	}
	var p Page
	var err error
	if q.sifted() {
		p, err = db.siftPage(ctx, q.Selection, w)
	} else {
		p, err = db.walkPage(ctx, q.Selection, w)
	}
	if err != nil {
		return p, fmt.Errorf("read stories: %w", err)
	}
	return p, nil
}

func (db *DB) walkPage(ctx context.Context, sel Selection, w window) (Page, error) {
	limit := w.limit
	w.limit++ // one more tells whether there is more
	found, end, err := db.walkOn(ctx, sel, w)
	if err != nil {
		return Page{}, err
	}
	p := Page{Next: end}
	if len(found) > limit {
		found = found[:limit]
		p.Next = found[limit-1].cursor()
	}
	p.Stories, err = db.loadPlaces(ctx, found)
	return p, err
}

func (p place) cursor() Cursor { return Cursor{fromMillis(p.at), p.story} }

func (db *DB) loadPlaces(ctx context.Context, found []place) ([]Story, error) {
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.story
	}
	return db.loadStories(ctx, ids)
}

// siftPage reads the stories that a walk meets and keeps those that fit, until
// there are enough or maxSifted were read.
func (db *DB) siftPage(ctx context.Context, sel Selection, w window) (Page, error) {
	limit := w.limit
	var p Page
	for seen := 0; ; {
		w.limit = min(max(2*limit, 100), maxSifted-seen)
		found, end, err := db.walkOn(ctx, sel, w)
		if err != nil {
			return p, err
		}
		stories, err := db.loadPlaces(ctx, found)
		if err != nil {
			return p, err
		}
		for _, at := range found {
			i := slices.IndexFunc(stories, func(s Story) bool { return s.ID == at.story })
			if i < 0 {
				continue
			}
			if it := &stories[i].Quoted; !sel.fits(it.Lang, func() []string { return indexed(it.Title, it.Summary) }) {
				continue
			}
			if p.Stories = append(p.Stories, stories[i]); len(p.Stories) == limit {
				p.Next = at.cursor()
				return p, nil
			}
		}
		if len(found) < w.limit {
			p.Next = end
			return p, nil
		}
		w.before = found[len(found)-1].cursor()
		if seen += len(found); seen >= maxSifted {
			p.Next = w.before
			return p, nil
		}
	}
}

// walkOn is walk that says where it ended before the end of the window: zero
// if it did not, or found all it was asked for.
func (db *DB) walkOn(ctx context.Context, sel Selection, w window) (found []place, end Cursor, err error) {
	found, from, err := db.walkFrom(ctx, sel, w)
	if err != nil || len(found) >= w.limit {
		return found, Cursor{}, err
	}
	if sel.Searched() {
		end, err = db.searchEnd(ctx, sel, w)
		return found, end, err
	}
	if from > w.from {
		end = Cursor{At: fromMillis(from)}
	}
	return found, end, nil
}

// searchEnd is the last story that a search has looked at; zero if it was all
// that have the words.
func (db *DB) searchEnd(ctx context.Context, sel Selection, w window) (Cursor, error) {
	below := int64(math.MaxInt64)
	if !w.before.At.IsZero() {
		below = millis(w.before.At)
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	x := db.engine.index
	var last, n int64
	err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce(min(doc), 0), count(*) FROM (`+
		fmt.Sprintf(x.matches[len(x.matches)-1], maxLookups)+`) AS u`, x.question(sel.Words), below, w.from).Scan(&last, &n)
	switch {
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return Cursor{}, ErrTooBroad
	case err != nil:
		return Cursor{}, err
	case n < maxLookups:
		return Cursor{}, nil
	}
	return Cursor{At: fromMillis(last)}, nil
}
