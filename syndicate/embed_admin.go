package syndicate

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"diemtin/store"
)

// PartnerDesk is what the admin API may do for partners.
type PartnerDesk interface {
	// CarryPartner carries out a partner's order in the name of who: to hide, or
	// to show again.
	CarryPartner(ctx context.Context, who string, o PartnerOrder) (store.PartnerHide, error)
	// IssueKey makes a key for a partner, RevokeKeys ends all it has, in the
	// name of who.
	IssueKey(ctx context.Context, who, partner, why string) (PartnerKey, error)
	RevokeKeys(ctx context.Context, who, partner, why string) (PartnerKey, error)
	// Partners lists the partners, or one of them, and what they hide.
	Partners(ctx context.Context, id string) (PartnerList, error)
}

// PartnerOrder hides a story from a partner's embeds, or shows it again. Its
// JSON keys stay.
type PartnerOrder struct {
	Verb    string `json:"verb"` // hide, show; an editor's: issue, revoke
	Partner string `json:"partner"`
	Story   string `json:"story,omitempty"` // to hide or show: id, or the address of an article or of its page here
	Why     string `json:"why,omitempty"`
}

// PartnerKey is what became of an order about keys. Its JSON keys stay.
type PartnerKey struct {
	Partner string `json:"partner"`
	Key     string `json:"key,omitempty"`     // that was issued; it is shown only now
	Revoked int    `json:"revoked,omitempty"` // how many open nothing any more
	Ruling  int64  `json:"ruling"`            // number of its entry in the ledger
}

// PartnerList is what is known of partners. Its JSON keys stay.
type PartnerList struct {
	Partners []PartnerInfo       `json:"partners"`
	Hides    []store.PartnerHide `json:"hides"` // now and once, the newest first
}

// PartnerInfo is a partner without its key.
type PartnerInfo struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Origins []string `json:"origins"`
}

// PartnersPath is the address of the partners' part of the admin API.
const PartnersPath = "/api/v1/partners"

// PartnerKeys are the keys that were issued by IssueKey, or revoked.
type PartnerKeys interface {
	// KeyOf is the key of that hash; store.ErrNotFound.
	KeyOf(ctx context.Context, hash string) (store.PartnerKey, error)
}

// NewPartnerAdmin answers the partners' part of the admin API: to who holds a
// token of the file of tokens, for all partners, and to a partner, by its own
// key, for itself alone. Partners are those of the configuration in force.
func NewPartnerAdmin(desk PartnerDesk, keys PartnerKeys, partners func() []Partner, tokens string, log *slog.Logger) http.Handler {
	a := &partnerAdmin{desk: desk, keys: keys, partners: partners, log: log}
	editors := (&admin{tokens: tokens, log: log}).signedIn(func(w http.ResponseWriter, r *http.Request, who string) { a.serve(w, r, who, "") })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own, err := a.holder(r)
		if err != nil {
			(&admin{log: log}).fail(w, r, err)
			return
		}
		if own == "" {
			editors(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		a.serve(w, r, partnerPrefix+own, own)
	})
}

// partnerPrefix begins the name of a partner in the ledger, who gave an order by
// its own key.
const partnerPrefix = "partner "

type partnerAdmin struct {
	desk     PartnerDesk
	keys     PartnerKeys
	partners func() []Partner
	log      *slog.Logger
}

// holder is the partner whose key a request bears; empty if it is nobody's. It
// looks at every partner, however soon it has found one.
func (a *partnerAdmin) holder(r *http.Request) (id string, err error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	hash := HashToken(strings.TrimSpace(key))
	stored, err := a.keys.KeyOf(r.Context(), hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return "", err
	case !stored.Until.IsZero(): // revoked, also where feeds.yaml has it still
		return "", nil
	}
	for _, p := range a.partners() {
		if stored.Partner == p.ID || p.Key != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(p.Key)) == 1 {
			id = p.ID
		}
	}
	return id, nil
}

// serve answers one call; own is the partner who makes it, empty for an editor.
func (a *partnerAdmin) serve(w http.ResponseWriter, r *http.Request, who, own string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		id := r.URL.Query().Get("partner")
		if own != "" {
			id = own
		}
		list, err := a.desk.Partners(r.Context(), id)
		if err != nil {
			(&admin{log: a.log}).fail(w, r, err)
			return
		}
		writeAnswer(w, http.StatusOK, list)
	case http.MethodPost:
		a.carry(w, r, who, own)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		writeProblem(w, http.StatusMethodNotAllowed, "it is read by GET and ordered by POST")
	}
}

func (a *partnerAdmin) carry(w http.ResponseWriter, r *http.Request, who, own string) {
	var o PartnerOrder
	if !decodeOrder(w, r, &o) {
		return
	}
	switch {
	case own != "" && o.Partner == "":
		o.Partner = own
	case own != "" && o.Partner != own:
		writeProblem(w, http.StatusForbidden, fmt.Sprintf("this is the key of partner %s, not of %s", own, plainText(o.Partner, maxPartnerID)))
		return
	}
	if o.Verb == "issue" || o.Verb == "revoke" {
		a.carryKey(w, r, who, own, o)
		return
	}
	done, err := a.desk.CarryPartner(r.Context(), who, o)
	if err != nil {
		(&admin{log: a.log}).fail(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "partner's order", "verb", o.Verb, "partner", done.Partner, "story", done.Story, "who", who)
	writeAnswer(w, http.StatusCreated, done)
}

// carryKey carries out an order about a partner's keys, which is an editor's.
func (a *partnerAdmin) carryKey(w http.ResponseWriter, r *http.Request, who, own string, o PartnerOrder) {
	if own != "" {
		writeProblem(w, http.StatusForbidden, "keys are issued and revoked by editors of this service")
		return
	}
	do := a.desk.IssueKey
	if o.Verb == "revoke" {
		do = a.desk.RevokeKeys
	}
	done, err := do(r.Context(), who, o.Partner, o.Why)
	if err != nil {
		(&admin{log: a.log}).fail(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "partner's key", "verb", o.Verb, "partner", done.Partner, "revoked", done.Revoked, "who", who)
	writeAnswer(w, http.StatusCreated, done)
}
