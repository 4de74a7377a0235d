package syndicate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

const (
	// ReloadPath is the address at which the configuration is read again.
	ReloadPath = "/reload"
	// ReloadTime bounds the call: a gate of thousands of items takes seconds,
	// and the database may be busy.
	ReloadTime = time.Minute
)

// How the ledger begins what it says of a reload.
const (
	ReloadChanged = "changed: "
	ReloadRefused = "refused: "
)

// ErrNeedsRestart is what a Reloader returns, wrapped, for a change that only
// another start brings.
var ErrNeedsRestart = errors.New("needs a restart")

// ErrNotNoted is what a Reloader returns, wrapped, for something that was done
// and does not stand in the ledger.
var ErrNotNoted = errors.New("not in the ledger")

// Reloader reads the configuration again in the name of who.
//
// Its error is ErrNeedsRestart for what cannot change while the service runs,
// ErrNotNoted as that says, else what is wrong with the configuration: the
// former one stands then. Each is text for whoever asked.
type Reloader func(ctx context.Context, who, why string) (Reloaded, error)

// Reloaded is what became of a reload. Its JSON keys stay.
type Reloaded struct {
	Changed string `json:"changed"` // the settings, or "nothing"
	Ruling  int64  `json:"ruling"`  // number of its entry in the ledger
}

// NewReloadAdmin answers the call to read the configuration again, to who holds
// a token of the file of tokens. A page in a browser cannot make it.
func NewReloadAdmin(reload Reloader, tokens string, log *slog.Logger) http.Handler {
	a := &admin{tokens: tokens, log: log}
	return http.NewCrossOriginProtection().Handler(a.signedIn(func(w http.ResponseWriter, r *http.Request, who string) {
		var o struct {
			Why string `json:"why"`
		}
		if r.ContentLength != 0 && !decodeOrder(w, r, &o) {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), ReloadTime)
		defer cancel()
		done, err := reload(ctx, who, o.Why)
		switch {
		case errors.Is(err, ErrNeedsRestart):
			writeProblem(w, http.StatusConflict, err.Error())
		case errors.Is(err, ErrNotNoted):
			writeProblem(w, http.StatusInternalServerError, err.Error())
		case err != nil:
			writeProblem(w, http.StatusUnprocessableEntity, err.Error())
		default:
			writeAnswer(w, http.StatusOK, done)
		}
	}))
}
