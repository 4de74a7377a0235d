package syndicate

import (
	"net/http"
)

// pollPath is the address in the admin API at which a source is made due.
const pollPath = "/api/v1/sources/{id}/poll"

// pollOrder says why a source is to be visited at once; its body may be empty.
type pollOrder struct {
	Why string `json:"why"`
}

// poll makes a source due at once.
func (a *admin) poll(w http.ResponseWriter, r *http.Request, who string) {
	var o pollOrder
	if r.ContentLength != 0 && !decodeOrder(w, r, &o) {
		return
	}
	done, err := a.editor.PollNow(r.Context(), who, r.PathValue("id"), o.Why)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "source to be visited at once", "source", r.PathValue("id"), "who", who, "ruling", done.ID)
	writeAnswer(w, http.StatusAccepted, done)
}
