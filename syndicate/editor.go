package syndicate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"diemtin/store"
)

// Editor is what the admin API may do: rule, and read the ledger.
type Editor interface {
	// Carry carries out an order in the name of who.
	Carry(ctx context.Context, who string, o Order) (store.Ruling, error)
	Rulings(ctx context.Context, q store.RulingQuery) ([]store.Ruling, error)
	// ApplyTopics begins, in the name of who, to judge anew what is stored.
	ApplyTopics(ctx context.Context, who string, o ApplyOrder) error
	// Applied says how far the newest such run has come.
	Applied(ctx context.Context) (Applied, error)
	// PollNow makes a source due at once, in the name of who.
	PollNow(ctx context.Context, who, source, why string) (store.Ruling, error)
}

// ApplyOrder asks for judging what is stored by the rules in force.
type ApplyOrder struct {
	Rules string    `json:"rules"`          // digest of the caller's rules; the service must run the same
	Since time.Time `json:"since,omitzero"` // only what was seen since; zero = all
}

// Applied is how far judging anew has come. Its JSON keys stay.
type Applied struct {
	Rules    string  `json:"rules"`
	Phase    string  `json:"phase"`
	Started  *string `json:"started"`  // RFC 3339
	Finished *string `json:"finished"` // null while it is under way
	Total    int     `json:"total"`
	Seen     int     `json:"seen"`
	Changed  int     `json:"changed"`
	Moved    int     `json:"moved"`
}

// NewApplied is that of a re-classification.
func NewApplied(c store.Reclassification) Applied {
	return Applied{c.Rules, c.Phase, moment(c.Started), moment(c.Finished), c.Total, c.Seen, c.Changed, c.Moved}
}

// Order is what an editor wants done, as the admin API takes it. Which fields a
// verb needs, docs/rulings.md says.
type Order struct {
	Verb    store.RuleVerb `json:"verb"`
	Story   string         `json:"story,omitempty"` // id, or the address of an article or of its page here
	Other   string         `json:"other,omitempty"`
	Items   []Ref          `json:"items,omitempty"`
	Outlet  string         `json:"outlet,omitempty"`
	Topics  []string       `json:"topics,omitempty"` // "+kinh-te", "-the-thao"
	Ruling  int64          `json:"ruling,omitempty"` // to undo
	Why     string         `json:"why,omitempty"`
	Address string         `json:"url,omitempty"` // of add: the article's page
	Title   string         `json:"title,omitempty"`
	Summary string         `json:"summary,omitempty"`
	Link    string         `json:"link,omitempty"`
}

// Ref names an item: its number, or the address of its article.
type Ref string

// UnmarshalJSON takes a number too.
func (r *Ref) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		var n int64
		err := json.Unmarshal(b, &n)
		*r = Ref(strconv.FormatInt(n, 10))
		return err
	}
	return json.Unmarshal(b, (*string)(r))
}

const (
	// maxOrder bounds the body of an order, in bytes: a thousand items' addresses.
	maxOrder = 256 << 10
	// maxTokens bounds the file of tokens, in bytes.
	maxTokens = 1 << 20
	// rulingsPath and applyPath are the addresses of the admin API.
	rulingsPath = "/api/v1/rulings"
	applyPath   = "/api/v1/topics/apply"
)

// NewAdmin answers the admin API. tokens is a file of lines "name:hash", the
// hash being SHA-256 of the token in hexadecimal; it is read at every request,
// so that a token can be added or taken away at any time. Without a file
// nothing is answered but that.
func NewAdmin(e Editor, tokens string, log *slog.Logger) http.Handler {
	a := &admin{editor: e, tokens: tokens, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+rulingsPath, a.signedIn(a.list))
	mux.HandleFunc("POST "+rulingsPath, a.signedIn(a.carry))
	mux.HandleFunc("GET "+applyPath, a.signedIn(a.applied))
	mux.HandleFunc("POST "+applyPath, a.signedIn(a.applyTopics))
	mux.HandleFunc("POST "+pollPath, a.signedIn(a.poll))
	mux.HandleFunc(pollPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", "POST")
		writeProblem(w, http.StatusMethodNotAllowed, "a visit is ordered by POST")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == rulingsPath || r.URL.Path == applyPath {
			w.Header().Set("Allow", "GET, HEAD, POST")
			writeProblem(w, http.StatusMethodNotAllowed, "it is read by GET and ordered by POST")
			return
		}
		writeProblem(w, http.StatusNotFound, "the admin API is at "+rulingsPath+", "+applyPath+" and "+pollPath)
	})
	return mux
}

type admin struct {
	editor Editor
	tokens string
	log    *slog.Logger
}

// signedIn lets in who has a token, and says who that is.
func (a *admin) signedIn(serve func(w http.ResponseWriter, r *http.Request, who string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if a.tokens == "" {
			writeProblem(w, http.StatusForbidden, "this service takes no orders: it was started without --tokens")
			return
		}
		list, err := os.ReadFile(a.tokens)
		if err != nil || len(list) > maxTokens {
			a.log.ErrorContext(r.Context(), "tokens not read", "file", a.tokens, "bytes", len(list), "error", err)
			writeProblem(w, http.StatusServiceUnavailable, "the file of tokens cannot be read")
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		who := ""
		if strings.EqualFold(scheme, "Bearer") {
			who = holderOf(list, strings.TrimSpace(token))
		}
		if who == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="diemtin"`)
			writeProblem(w, http.StatusUnauthorized, "want a token of this service: Authorization: Bearer …")
			return
		}
		serve(w, r, who)
	}
}

// HashToken is how a token stands in the file of tokens. It is random, so a
// plain hash keeps it.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// holderOf is the name of whose token it is; empty if it is nobody's. It looks
// at every line, however soon it has found one.
func holderOf(list []byte, token string) string { return hashHolder(list, HashToken(token)) }

// hashHolder is holderOf for the hash of a token.
func hashHolder(list []byte, of string) string {
	hash, who := []byte(of), ""
	for line := range bytes.Lines(list) {
		name, want, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if !ok || name == "" || strings.HasPrefix(name, "#") || reservedName(name) {
			continue
		}
		if subtle.ConstantTimeCompare(hash, []byte(strings.ToLower(strings.TrimSpace(want)))) == 1 {
			who = strings.TrimSpace(name)
		}
	}
	return who
}

// reservedName says whether a name is one that the ledger has for what no editor
// does: nobody may sign in under it.
func reservedName(name string) bool {
	return strings.HasPrefix(name, "(") || strings.HasPrefix(name, partnerPrefix)
}

func (a *admin) list(w http.ResponseWriter, r *http.Request, _ string) {
	q := r.URL.Query()
	query := store.RulingQuery{Story: q.Get("story"), Verb: store.RuleVerb(q.Get("verb")), Humans: q.Get("all") == "", Limit: 100}
	for _, n := range []struct {
		name string
		read func(int64)
	}{{"limit", func(x int64) { query.Limit = int(min(x, store.MaxRulings)) }}, {"before", func(x int64) { query.Before = x }}} {
		raw := q.Get(n.name)
		x, err := strconv.ParseInt(raw, 10, 64)
		switch {
		case raw == "":
		case err != nil || x < 1:
			writeProblem(w, http.StatusBadRequest, fmt.Sprintf("%s=%q: want a positive number", n.name, raw))
			return
		default:
			n.read(x)
		}
	}
	all, err := a.editor.Rulings(r.Context(), query)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if all == nil {
		all = []store.Ruling{}
	}
	writeAnswer(w, http.StatusOK, map[string]any{"rulings": all})
}

func (a *admin) carry(w http.ResponseWriter, r *http.Request, who string) {
	var o Order
	if !decodeOrder(w, r, &o) {
		return
	}
	done, err := a.editor.Carry(r.Context(), who, o)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "ruling", "ruling", done.ID, "verb", done.Verb, "who", who, "story", done.Story)
	writeAnswer(w, http.StatusCreated, done)
}

// decodeOrder reads the body of an order, or answers what is wrong with it.
func decodeOrder(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, "the order is not what docs/rulings.md describes: "+err.Error())
	}
	return err == nil
}

func (a *admin) applyTopics(w http.ResponseWriter, r *http.Request, who string) {
	var o ApplyOrder
	if !decodeOrder(w, r, &o) {
		return
	}
	if err := a.editor.ApplyTopics(r.Context(), who, o); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "topics to be applied", "who", who, "rules", o.Rules)
	a.answerApplied(w, r, http.StatusAccepted)
}

func (a *admin) applied(w http.ResponseWriter, r *http.Request, _ string) {
	a.answerApplied(w, r, http.StatusOK)
}

func (a *admin) answerApplied(w http.ResponseWriter, r *http.Request, status int) {
	c, err := a.editor.Applied(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeAnswer(w, status, c)
}

// fail says why an order was not carried out.
func (a *admin) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		writeProblem(w, http.StatusNotFound, err.Error())
	case errors.Is(err, store.ErrRefused):
		writeProblem(w, http.StatusConflict, err.Error())
	default:
		a.log.ErrorContext(r.Context(), "order not carried out", "error", err)
		writeProblem(w, http.StatusInternalServerError, "the order was not carried out; the log of the service says why")
	}
}

// Problem is an error as RFC 9457 writes it.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"` // the parameter that is wrong
}

func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	writeJSONBody(w, status, Problem{Title: http.StatusText(status), Status: status, Detail: detail})
}

func writeAnswer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	writeJSONBody(w, status, v)
}

func writeJSONBody(w http.ResponseWriter, status int, v any) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // an error is the client's hanging up
}
