package syndicate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diemtin/store"
)

// fakeDesk notes what it is told, and answers err.
type fakeDesk struct {
	who   string
	order Order
	query store.RulingQuery
	err   error

	applied ApplyOrder
}

func (d *fakeDesk) Carry(_ context.Context, who string, o Order) (store.Ruling, error) {
	d.who, d.order = who, o
	return store.Ruling{ID: 7, Who: who, Verb: o.Verb, Story: o.Story}, d.err
}

func (d *fakeDesk) Rulings(_ context.Context, q store.RulingQuery) ([]store.Ruling, error) {
	d.query = q
	return nil, d.err
}

func (d *fakeDesk) ApplyTopics(_ context.Context, who string, o ApplyOrder) error {
	d.who, d.applied = who, o
	return d.err
}

func (d *fakeDesk) Applied(context.Context) (Applied, error) {
	return Applied{Phase: store.ReclassifyItems, Rules: d.applied.Rules}, nil
}

func (d *fakeDesk) PollNow(_ context.Context, who, source, why string) (store.Ruling, error) {
	d.who = who
	return store.Ruling{ID: 8, Who: who, Verb: store.RulePoll, Why: source + why}, d.err
}

func tokenFile(t *testing.T, lines string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	lan := "# editors\n\nlan:" + HashToken("secret") + "\r\nminh: " + strings.ToUpper(HashToken("other")) + "\n:" + HashToken("nameless") + "\n"
	merge := `{"verb":"merge","story":"aaaaaaaaaaaaa","other":"bbbbbbbbbbbbb","items":[1,"https://x.example/a"]}`
	for _, tt := range []struct {
		name, tokens, method, path, token, body string
		err                                     error
		status                                  int
		want, who                               string
	}{
		{"a merge", lan, "POST", rulingsPath, "Bearer secret", merge, nil, 201, `"id":7`, "lan"},
		{"by another", lan, "POST", rulingsPath, "bearer other", merge, nil, 201, `"who":"minh"`, "minh"},
		{"no token", lan, "POST", rulingsPath, "", merge, nil, 401, "want a token", ""},
		{"a wrong token", lan, "POST", rulingsPath, "Bearer secre", merge, nil, 401, "want a token", ""},
		{"a hash as token", lan, "POST", rulingsPath, "Bearer " + HashToken("secret"), merge, nil, 401, "want a token", ""},
		{"a nameless token", lan, "POST", rulingsPath, "Bearer nameless", merge, nil, 401, "want a token", ""},
		{"an empty token", lan + "x:\n", "POST", rulingsPath, "Bearer ", merge, nil, 401, "want a token", ""},
		{"another scheme", lan, "POST", rulingsPath, "Basic secret", merge, nil, 401, "want a token", ""},
		{"reading without a token", lan, "GET", rulingsPath, "", "", nil, 401, "want a token", ""},
		{"no editors", "", "POST", rulingsPath, "Bearer secret", merge, nil, 403, "without --tokens", ""},
		{"no JSON", lan, "POST", rulingsPath, "Bearer secret", "verb=merge", nil, 400, "docs/rulings.md", ""},
		{"an unknown field", lan, "POST", rulingsPath, "Bearer secret", `{"verb":"hide","stroy":"x"}`, nil, 400, "stroy", ""},
		{"too long", lan, "POST", rulingsPath, "Bearer secret", `{"why":"` + strings.Repeat("x", maxOrder) + `"}`, nil, 400, "too large", ""},
		{"unknown story", lan, "POST", rulingsPath, "Bearer secret", merge, fmt.Errorf("story x: %w", store.ErrNotFound), 404, "story x", "lan"},
		{"refused", lan, "POST", rulingsPath, "Bearer secret", merge, fmt.Errorf("%w: already undone", store.ErrRefused), 409, "already undone", "lan"},
		{"our fault", lan, "POST", rulingsPath, "Bearer secret", merge, errors.New("disk full at /var/x"), 500, "the log of the service", "lan"},
		{"the ledger", lan, "GET", rulingsPath + "?story=aaaaaaaaaaaaa&limit=5", "Bearer secret", "", nil, 200, `{"rulings":[]}`, ""},
		{"a bad limit", lan, "GET", rulingsPath + "?limit=x", "Bearer secret", "", nil, 400, "want a positive number", ""},
		{"another method", lan, "DELETE", rulingsPath, "Bearer secret", "", nil, 405, "ordered by POST", ""},
		{"applying", lan, "POST", applyPath, "Bearer secret", `{"rules":"r1"}`, nil, 202, `"rules":"r1"`, "lan"},
		{"applying without a token", lan, "POST", applyPath, "", `{"rules":"r1"}`, nil, 401, "want a token", ""},
		{"applying without editors", "", "POST", applyPath, "Bearer secret", `{"rules":"r1"}`, nil, 403, "without --tokens", ""},
		{"applying other rules", lan, "POST", applyPath, "Bearer secret", `{"rules":"r2"}`, fmt.Errorf("%w: other rules", store.ErrRefused), 409, "other rules", "lan"},
		{"how far it is", lan, "GET", applyPath, "Bearer secret", "", nil, 200, `"phase":"items"`, ""},
		{"a visit", lan, "POST", "/api/v1/sources/laocai-home/poll", "Bearer secret", "", nil, 202, `"why":"laocai-home"`, "lan"},
		{"a visit and why", lan, "POST", "/api/v1/sources/laocai-home/poll", "Bearer secret", `{"why":" sửa xong"}`, nil, 202, `"why":"laocai-home sửa xong"`, "lan"},
		{"a visit, no JSON", lan, "POST", "/api/v1/sources/laocai-home/poll", "Bearer secret", `why`, nil, 400, "docs/rulings.md", ""},
		{"a visit without a token", lan, "POST", "/api/v1/sources/laocai-home/poll", "", "", nil, 401, "want a token", ""},
		{"a visit without editors", "", "POST", "/api/v1/sources/laocai-home/poll", "Bearer secret", "", nil, 403, "without --tokens", ""},
		{"a visit to no source", lan, "POST", "/api/v1/sources/x/poll", "Bearer secret", "", fmt.Errorf("source x: %w", store.ErrNotFound), 404, "source x", "lan"},
		{"a visit by GET", lan, "GET", "/api/v1/sources/x/poll", "Bearer secret", "", nil, 405, "by POST", ""},
		{"another path", lan, "GET", "/api/v1/x", "Bearer secret", "", nil, 404, rulingsPath, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tokens := ""
			if tt.tokens != "" {
				tokens = tokenFile(t, tt.tokens)
			}
			desk := &fakeDesk{err: tt.err}
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			if tt.token != "" {
				r.Header.Set("Authorization", tt.token)
			}
			w := httptest.NewRecorder()
			NewAdmin(desk, tokens, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Result().Body)
			if w.Code != tt.status || !strings.Contains(string(body), tt.want) || desk.who != tt.who {
				t.Errorf("%d %s by %q, want %d %s by %q", w.Code, body, desk.who, tt.status, tt.want, tt.who)
			}
			if tt.status >= 400 {
				var p Problem
				if err := json.Unmarshal(body, &p); err != nil || p.Status != tt.status || p.Title == "" || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("no problem of RFC 9457: %s, %s", w.Header().Get("Content-Type"), body)
				}
			}
			if tt.status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if tt.status == http.StatusCreated && (len(desk.order.Items) != 2 || desk.order.Items[0] != "1" || desk.order.Items[1] != "https://x.example/a") {
				t.Errorf("order %+v", desk.order)
			}
		})
	}
}

// Reading the configuration again takes a token, and says what came of it.
func TestReloadAdmin(t *testing.T) {
	t.Parallel()
	lan := "lan:" + HashToken("secret") + "\n(signal):" + HashToken("signal") + "\npartner cong:" + HashToken("cong") + "\n"
	for _, tt := range []struct {
		name, tokens, token, body string
		err                       error
		status                    int
		want, who                 string
	}{
		{"taken", lan, "secret", `{"why":"tên mới"}`, nil, 200, `{"changed":"site.title","ruling":9}`, "lan: tên mới"},
		{"without a reason", lan, "secret", "", nil, 200, `"ruling":9`, "lan: "},
		{"no token", lan, "", "", nil, 401, "want a token", ""},
		{"a wrong token", lan, "secre", "", nil, 401, "want a token", ""},
		{"in the name of a signal", lan, "signal", "", nil, 401, "want a token", ""},
		{"in the name of a partner", lan, "cong", "", nil, 401, "want a token", ""},
		{"no editors", "", "secret", "", nil, 403, "without --tokens", ""},
		{"no JSON", lan, "secret", "why", nil, 400, "docs/rulings.md", ""},
		{"a fault in the file", lan, "secret", "", errors.New("feeds.yaml:7: unknown key"), 422, "feeds.yaml:7: unknown key", "lan: "},
		{"a restart", lan, "secret", "", fmt.Errorf("%w: hub", ErrNeedsRestart), 409, "needs a restart: hub", "lan: "},
		{"not in the ledger", lan, "secret", "", fmt.Errorf("in force, but %w", ErrNotNoted), 500, "in force, but not in the ledger", "lan: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tokens, who := "", ""
			if tt.tokens != "" {
				tokens = tokenFile(t, tt.tokens)
			}
			r := httptest.NewRequest("POST", ReloadPath, strings.NewReader(tt.body))
			if tt.token != "" {
				r.Header.Set("Authorization", "Bearer "+tt.token)
			}
			w := httptest.NewRecorder()
			NewReloadAdmin(func(_ context.Context, by, why string) (Reloaded, error) {
				who = by + ": " + why
				return Reloaded{Changed: "site.title", Ruling: 9}, tt.err
			}, tokens, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) || who != tt.who {
				t.Errorf("%d %s by %q, want %d %s by %q", w.Code, w.Body, who, tt.status, tt.want, tt.who)
			}
			if tt.status >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("no problem of RFC 9457: %s", w.Header().Get("Content-Type"))
			}
		})
	}
}

// A token that is taken out of the file opens nothing from then on.
func TestTokensAreReadAnew(t *testing.T) {
	t.Parallel()
	file := tokenFile(t, "lan:"+HashToken("secret")+"\n")
	admin := NewAdmin(&fakeDesk{}, file, slog.New(slog.DiscardHandler))
	ask := func() int {
		r := httptest.NewRequest("GET", rulingsPath, nil)
		r.Header.Set("Authorization", "Bearer secret")
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, r)
		return w.Code
	}
	if got := ask(); got != 200 {
		t.Errorf("with the token: %d", got)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != 401 {
		t.Errorf("taken out: %d", got)
	}
	os.Remove(file)
	if got := ask(); got != 503 {
		t.Errorf("without the file: %d", got)
	}
}
