package syndicate

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Sizes of the lists of the API.
const (
	apiStoriesUsual = 50
	apiStoriesMost  = 200
	apiChangesUsual = 100
	apiChangesMost  = 200
)

// selectionParams are those by which stories are selected, in the order of
// canonical addresses.
var selectionParams = []string{"topics", "provinces", "outlets", "scopes", "channel", "match"}

// selected is a selection as a query names it.
type selected struct {
	store.Selection
	query []string // its canonical form, "topics=a,b"
	ids   int      // that it names
}

// dear says whether it is hardly anybody else's.
func (a *selected) dear() bool { return a.ids > 1 }

func (a *selected) add(name, value string) {
	a.query = append(a.query, name+"="+url.QueryEscape(value))
}

// address is the canonical one of a document below apiRoot.
func (a *selected) address(path string) string {
	if len(a.query) == 0 {
		return apiRoot + path
	}
	return apiRoot + path + "?" + strings.Join(a.query, "&")
}

// apiSelection reads which stories are asked for.
func (s *Server) apiSelection(q url.Values) (a selected, err error) {
	for _, kind := range selectionParams[:4] {
		ids, chs, err := s.apiIDs(kind, q.Get(kind))
		if err != nil {
			return a, err
		}
		if len(ids) == 0 {
			continue
		}
		for _, ch := range chs {
			a.Topics = append(a.Topics, ch.Topics...)
			a.Provinces = append(a.Provinces, ch.Provinces...)
			a.Outlets = append(a.Outlets, ch.Outlets...)
			a.Scopes = append(a.Scopes, ch.Scopes...)
		}
		a.ids += len(ids)
		a.query = append(a.query, kind+"="+strings.Join(ids, ",")) // ids need no escapes
	}
	if a.ids > maxMixed {
		return a, badParam("topics", "at most %d ids in one query; this has %d", maxMixed, a.ids)
	}
	if id := q.Get("channel"); id != "" {
		ch, ok := s.cfg.spelled("channels", id)
		switch {
		case !ok:
			return a, s.noID("channel", "channels", id)
		case a.ids > 0:
			return a, badParam("channel", "a channel is a selection of its own; leave out %s", selectionParams[0:4])
		}
		a.Selection, a.ids = ch.Selection, 1
		a.add("channel", ch.ID)
	}
	switch match := q.Get("match"); match {
	case "", "all":
	case "any":
		a.Either = true
		a.add("match", match)
	default:
		return a, badParam("match", "want all or any, not %q", plainText(match, 40))
	}
	return a, nil
}

// apiIDs reads a list of ids of one kind, however they are spelled: each once,
// as it is called now, sorted.
func (s *Server) apiIDs(kind, list string) (ids []string, chs []Channel, err error) {
	for id := range strings.SplitSeq(list, ",") {
		if id = strings.TrimSpace(id); id == "" {
			continue
		}
		ch, ok := s.cfg.spelled(kind, id)
		if !ok {
			return nil, nil, s.noID(kind, kind, id)
		}
		if len(chs) > maxMixed {
			return nil, nil, badParam(kind, "at most %d ids in one query", maxMixed)
		}
		if !slices.Contains(ids, ch.ID) {
			ids, chs = append(ids, ch.ID), append(chs, ch)
		}
	}
	slices.Sort(ids)
	slices.SortFunc(chs, func(a, b Channel) int { return cmp.Compare(a.ID, b.ID) })
	return ids, chs, nil
}

// noID says that there is no such id, and which are near.
func (s *Server) noID(field, kind, id string) error {
	detail := "there is no " + strconv.Quote(plainText(id, 40)) + " among the " + kind
	var near []string
	for _, l := range s.cfg.nearest(id, maxNear, kind) {
		near = append(near, l.ID)
	}
	if near != nil {
		detail += "; near are " + strings.Join(near, ", ")
	}
	if kind == "scopes" {
		return badParam(field, "%s", detail)
	}
	return badParam(field, "%s; all are at %s", detail, s.cfg.address(apiRoot+"/"+kind))
}

// apiDay narrows a selection to a day.
func (s *Server) apiDay(a *selected, raw string) error {
	if raw == "" {
		return nil
	}
	t, err := time.ParseInLocation(time.DateOnly, raw, store.Zone)
	if err != nil {
		return badParam("day", "want a day such as 2024-11-05, not %q", plainText(raw, 40))
	}
	if d := store.DayOf(t); d < firstDay || d > store.DayOf(s.now()) {
		return badParam("day", "want a day from %s until today", firstDay)
	}
	a.Day = store.DayOf(t)
	a.add("day", raw)
	return nil
}

// apiLimit reads how many entries are asked for.
func apiLimit(a *selected, raw string, usual, most int) (int, error) {
	if raw == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > most {
		return 0, badParam("limit", "want a number from 1 to %d, not %q", most, plainText(raw, 40))
	}
	if n != usual {
		a.add("limit", strconv.Itoa(n))
	}
	return n, nil
}

// apiCursor reads a place that the API has given out: milliseconds since 1970,
// and the id of a story if that is needed to tell it from others.
func apiCursor(a *selected, field, raw string) (store.Cursor, error) {
	if raw == "" {
		return store.Cursor{}, nil
	}
	at, id, _ := strings.Cut(raw, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil || ms < 0 || ms > maxMillis || len(id) > maxCursorID || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return store.Cursor{}, badParam(field, "want what an answer has given as its cursor, not %q", plainText(raw, 40))
	}
	a.add(field, raw)
	if ms == 0 && id == "" {
		return store.Cursor{}, nil
	}
	return store.Cursor{At: time.UnixMilli(ms), ID: id}, nil
}

// maxCursorID bounds the id in a cursor, in letters: those of stories have 13.
const maxCursorID = 26

func writePlace(c store.Cursor) string {
	ms := strconv.FormatInt(c.At.UnixMilli(), 10)
	if c.ID == "" {
		return ms
	}
	return ms + "." + c.ID
}

// apiWords reads what is searched for.
func apiWords(a *selected, raw string) error {
	text := vi.NFC(scrub(raw))
	var err error
	switch a.Words, err = store.ParseWords(text); {
	case errors.Is(err, store.ErrTooMany):
		return badParam("q", "at most %d characters and 12 words or phrases", store.MaxSearch)
	case err != nil:
		return badParam("q", "want a word to search for")
	}
	a.add("q", text)
	return nil
}

// apiMonth reads a month; the zero time if none is named.
func (s *Server) apiMonth(raw string) (time.Time, error) {
	if raw == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation("2006-01", raw, store.Zone)
	if err != nil || store.DayOf(t.AddDate(0, 1, 0)) <= firstDay || store.DayOf(t) > store.DayOf(s.now()) {
		return t, apiProblem{status: http.StatusBadRequest, field: "month", detail: "want a month such as 2024-11, until the present one"}
	}
	return t, nil
}
