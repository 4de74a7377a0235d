package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"diemtin/store"
)

// doneKey is the parameter of an address that names the ruling just made, so
// that the page can offer its undoing.
const doneKey = "da"

// roomVerbs are what the room's forms may order; the rest is undoing.
var roomVerbs = []store.RuleVerb{store.RuleMerge, store.RuleSplit, store.RulePin, store.RuleHide, store.RuleTopic, store.RuleReview}

// order carries out what a form asks for.
func (m *Room) order(w http.ResponseWriter, r *http.Request, in visitor) {
	o := Order{Verb: store.RuleVerb(r.PostFormValue("verb")), Story: strings.TrimSpace(r.PostFormValue("story")), Other: strings.TrimSpace(r.PostFormValue("other")),
		Why: scrub(shorten(r.PostFormValue("why"), maxWhy))}
	for _, item := range r.PostForm["item"] {
		o.Items = append(o.Items, Ref(item))
	}
	for _, t := range r.PostForm["topic"] {
		if t != "" {
			o.Topics = append(o.Topics, t)
		}
	}
	switch {
	case !slices.Contains(roomVerbs, o.Verb):
		m.fail(w, r, in, slip("Phòng biên tập không có việc này."))
		return
	case o.Verb == store.RuleMerge && o.Other == "":
		m.fail(w, r, in, slip("Hãy cho biết gộp với tin nào: dán địa chỉ bài hoặc mã tin."))
		return
	case o.Verb == store.RuleSplit && len(o.Items) == 0:
		m.fail(w, r, in, slip("Hãy đánh dấu ít nhất một bản muốn tách."))
		return
	case o.Verb == store.RuleTopic && len(o.Topics) == 0:
		m.fail(w, r, in, slip("Hãy chọn một chuyên mục."))
		return
	}
	m.carry(w, r, in, o)
}

// maxWhy bounds a reason, in characters.
const maxWhy = 500

// carry carries out an order and goes back to where it was given.
func (m *Room) carry(w http.ResponseWriter, r *http.Request, in visitor, o Order) {
	done, err := m.desk.Carry(r.Context(), in.who, o)
	if err != nil {
		m.fail(w, r, in, err)
		return
	}
	m.log.InfoContext(r.Context(), "ruling", "ruling", done.ID, "verb", done.Verb, "who", in.who, "story", done.Story)
	http.Redirect(w, r, withDone(r.PostFormValue("back"), done.ID), http.StatusSeeOther)
}

// withDone is a page of the room that says what was just ordered.
func withDone(back string, ruling int64) string {
	u, err := url.Parse(localPath(back))
	if err != nil {
		u = &url.URL{Path: "/"}
	}
	q := u.Query()
	q.Set(doneKey, strconv.FormatInt(ruling, 10))
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// undo undoes the ruling that a form names.
func (m *Room) undo(w http.ResponseWriter, r *http.Request, in visitor) {
	id, err := strconv.ParseInt(r.PostFormValue("ruling"), 10, 64)
	if err != nil {
		m.fail(w, r, in, slip("Biểu mẫu không cho biết hoàn tác quyết định nào."))
		return
	}
	old, err := m.ruling(r.Context(), id)
	if err != nil {
		m.fail(w, r, in, err)
		return
	}
	first, err := m.undoneBy(r.Context(), old)
	if err != nil {
		m.fail(w, r, in, err)
		return
	}
	o, ok := undoOf(old, first)
	if !ok {
		m.fail(w, r, in, slip("Việc này không hoàn tác được từ đây."))
		return
	}
	m.carry(w, r, in, o)
}

// undoOf is the order that undoes a ruling. Of a restore that is the ruling it
// undid, first, once more. What came in by hand stays, and so do topics that
// were judged anew: other rules change them.
func undoOf(r store.Ruling, first *store.Ruling) (o Order, ok bool) {
	switch r.Verb {
	case store.RuleMerge:
		return Order{Verb: store.RuleUnmerge, Ruling: r.ID}, true
	case store.RuleUnmerge, store.RuleSplit:
		return Order{Verb: store.RuleMerge, Story: r.Story, Other: r.Other, Ruling: r.ID}, true
	case store.RulePin, store.RuleHide, store.RuleTakedown, store.RuleTopic, store.RuleReview, store.RulePropose, store.RulePartnerHide:
		return Order{Verb: store.RuleRestore, Ruling: r.ID}, true
	case store.RuleRestore:
		if first == nil || first.Verb == store.RulePropose || r.Partner != "" || r.Outlet != "" {
			return o, false
		}
		o = Order{Verb: first.Verb, Story: first.Story, Other: first.Other, Topics: first.Topics, Why: first.Why, Ruling: r.ID}
		for _, it := range first.Items {
			o.Items = append(o.Items, Ref(strconv.FormatInt(it, 10)))
		}
		return o, true
	}
	return o, false
}

// ruling is one entry of the ledger.
func (m *Room) ruling(ctx context.Context, id int64) (store.Ruling, error) {
	all, err := m.desk.Rulings(ctx, store.RulingQuery{Before: id + 1, Limit: 1})
	if err != nil {
		return store.Ruling{}, err
	}
	if len(all) == 0 || all[0].ID != id {
		return store.Ruling{}, fmt.Errorf("ruling %d: %w", id, store.ErrNotFound)
	}
	return all[0], nil
}

// reason notes afterwards why something was hidden.
func (m *Room) reason(w http.ResponseWriter, r *http.Request, in visitor) {
	id, err := strconv.ParseInt(r.PostFormValue("ruling"), 10, 64)
	if err != nil {
		m.fail(w, r, in, slip("Biểu mẫu không cho biết lý do của quyết định nào."))
		return
	}
	if err := m.desk.GiveReason(r.Context(), id, in.who, scrub(shorten(r.PostFormValue("why"), maxWhy))); err != nil {
		m.fail(w, r, in, err)
		return
	}
	http.Redirect(w, r, withDone(r.PostFormValue("back"), id), http.StatusSeeOther)
}

// justDone is what the address of a page says was just ordered. Nobody is told
// that another's ruling was his.
func (m *Room) justDone(r *http.Request, in visitor) *ledgerRow {
	id, err := strconv.ParseInt(r.URL.Query().Get(doneKey), 10, 64)
	if err != nil {
		return nil
	}
	ruling, err := m.ruling(r.Context(), id)
	if err != nil || ruling.Who != in.who {
		return nil
	}
	rows, err := m.ledgerRows(r.Context(), []store.Ruling{ruling}, in)
	if err != nil {
		m.log.ErrorContext(r.Context(), "what was just done is not shown", "ruling", id, "error", err)
		return nil
	}
	return &rows[0]
}
