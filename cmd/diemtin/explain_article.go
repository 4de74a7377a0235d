package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"diemtin/store"
)

// explainedArticle is what became of an item's own page; its keys stay.
type explainedArticle struct {
	Link      string             `json:"link,omitempty"`
	State     store.ArticleState `json:"state"` // waiting, near, read, no_text, failed
	Read      *string            `json:"read"`
	Next      *string            `json:"next"` // when it is asked for (again)
	Tries     int                `json:"tries"`
	Outcome   store.Outcome      `json:"outcome,omitempty"` // of the last try that failed
	Detail    string             `json:"detail,omitempty"`
	Length    int                `json:"length,omitempty"` // of its text, in characters
	Kept      bool               `json:"text_kept"`
	Robots    string             `json:"robots,omitempty"` // what it asks of robots
	Canonical string             `json:"canonical,omitempty"`
}

func newExplainedArticle(r store.ArticleReading) *explainedArticle {
	e := &explainedArticle{Link: r.Link, State: r.State, Read: stamp(r.Read), Next: stamp(r.Due), Tries: r.Tries, Outcome: r.Outcome,
		Detail: r.Detail, Length: r.Length, Kept: r.Kept, Robots: r.Robots, Canonical: r.Canonical}
	return e
}

// newExplainedArticles are the pages of a story's items, by item.
func newExplainedArticles(pages map[int64]store.ArticleReading) map[int64]*explainedArticle {
	all := map[int64]*explainedArticle{}
	for item, r := range pages {
		p := newExplainedArticle(r)
		p.Link = ""
		all[item] = p
	}
	return all
}

// vi says in two words what became of the page.
func (e *explainedArticle) vi() string {
	if e == nil {
		return "không đọc"
	}
	switch e.State {
	case store.ArticleRead:
		return "đã đọc"
	case store.ArticleNoText:
		return "đã đọc, không có nội dung để so"
	case store.ArticleFailed:
		return "không đọc được"
	case store.ArticleNear:
		return "chỉ đọc khi có tin gần giống"
	}
	return "đang chờ đọc"
}

// line says in one line when the page was read, or why not.
func (e *explainedArticle) line() string {
	switch {
	case e == nil:
		return "its page is not read: article: never, or it came before pages were read"
	case e.State == store.ArticleNear:
		return "its page is read only if another item comes near its text"
	case e.State == store.ArticleWaiting && e.Tries == 0:
		return "its page is waiting to be read"
	case e.State == store.ArticleWaiting:
		return fmt.Sprintf("its page could not be read (%s: %s); tried again %s", e.Outcome, e.Detail, shown(e.Next))
	case e.State == store.ArticleFailed:
		return fmt.Sprintf("its page could not be read and is left (%s: %s)", e.Outcome, e.Detail)
	}
	s := fmt.Sprintf("its page was read %s", shown(e.Read))
	if e.State == store.ArticleNoText {
		s += ", but has no text to compare: " + e.Detail
	} else {
		s += fmt.Sprintf(", %d characters", e.Length)
		if !e.Kept {
			s += ", no longer kept"
		}
	}
	if e.Robots != "" {
		s += "; " + robotsLine(e.Robots)
	}
	return s
}

// robotsLine says what a page asks of robots and what follows from it.
func robotsLine(asks string) string {
	var so []string
	if strings.Contains(asks, "nosnippet") || strings.Contains(asks, "noindex") {
		so = append(so, "no summary is taken from it")
	}
	if strings.Contains(asks, "noarchive") || strings.Contains(asks, "noindex") {
		so = append(so, "its text is compared once and not kept")
	}
	return "it asks robots for " + asks + ", so " + strings.Join(so, ", and ")
}

// explainedArticles sums up the pages of a source's newest items.
type explainedArticles struct {
	States   map[store.ArticleState]int `json:"states"`
	Failures []*explainedArticle        `json:"failures"` // the newest few that could not be read, or have no text
	Robots   map[string]int             `json:"robots"`   // what pages ask of robots
}

// shownFailures is how many pages of a source are named that could not be read.
const shownFailures = 3

// explainArticles is nil for a source none of whose pages was to be read.
func explainArticles(ctx context.Context, db *store.DB, source string) (*explainedArticles, error) {
	all, err := db.SourceArticles(ctx, source)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	e := &explainedArticles{States: map[store.ArticleState]int{}, Robots: map[string]int{}, Failures: []*explainedArticle{}}
	for _, r := range all {
		e.States[r.State]++
		if r.Robots != "" {
			e.Robots[r.Robots]++
		}
		if r.Detail != "" && len(e.Failures) < shownFailures {
			e.Failures = append(e.Failures, newExplainedArticle(r))
		}
	}
	return e, nil
}

func (e *explainedArticles) write(w io.Writer) {
	var counts []string
	for _, s := range []struct {
		state store.ArticleState
		words string
	}{{store.ArticleRead, "read"}, {store.ArticleWaiting, "waiting"}, {store.ArticleNear, "read only if another item comes near"},
		{store.ArticleNoText, "without a text to compare"}, {store.ArticleFailed, "left after failures"}} {
		if n := e.States[s.state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s.words))
		}
	}
	fmt.Fprintf(w, "  articles      of the newest items' pages %s\n", strings.Join(counts, ", "))
	for _, f := range e.Failures {
		fmt.Fprintf(w, "                %s: %s\n", f.Link, f.line())
	}
	for what, n := range e.Robots {
		fmt.Fprintf(w, "                %d pages: %s\n", n, robotsLine(what))
	}
}
