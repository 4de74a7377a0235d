package syndicate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"diemtin/store"
)

// writePage renders a page and sends it, or 304 if the reader has it. A page
// that cannot be rendered is our fault: it is logged and answered with 500.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, p page) {
	var body bytes.Buffer
	if err := s.views.render(&body, s.frame(p)); err != nil {
		s.log.ErrorContext(r.Context(), "page not rendered", "view", p.View, "error", err)
		p = page{View: "broken", Status: http.StatusInternalServerError, Title: s.words["broken.title"], NoIndex: true}
		body.Reset()
		if err := s.views.render(&body, s.frame(p)); err != nil {
			http.Error(w, s.words["broken.title"], http.StatusInternalServerError)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Security-Policy", s.policy())
	h.Set("X-Content-Type-Options", "nosniff")
	// Outlets may see that a reader came from here, not from which page.
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Content-Type", "text/html; charset=utf-8")
	if p.Status != 0 && p.Status != http.StatusOK {
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(p.Status)
		w.Write(body.Bytes()) // a reader who hung up is no error of ours
		return
	}
	sendTagged(w, r, body.Bytes())
}

// policy is the Content-Security-Policy of all pages: nothing but our own
// stylesheet, and pictures of outlets where at least one outlet allows them.
func (s *Server) policy() string {
	images := "'self'"
	if slices.ContainsFunc(s.cfg.Outlets, func(o store.Outlet) bool { return o.Images }) {
		images += " https:"
	}
	return "default-src 'none'; style-src 'self'; img-src " + images +
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// sendTagged sends a body with a strong ETag made from its bytes, compressed if
// the reader takes gzip, or 304 if the reader has those bytes.
func sendTagged(w http.ResponseWriter, r *http.Request, body []byte) {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:12])
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "public, no-cache") // may be kept, must be asked about
	}
	zip := acceptsGzip(r.Header.Values("Accept-Encoding"))
	if zip {
		tag += "-gzip" // other bytes, so another strong tag (RFC 9110, section 8.8.3.3)
	}
	tag = `"` + tag + `"`
	h.Set("ETag", tag)
	if notModified(r.Header, tag, time.Time{}) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if !zip {
		w.Write(body) // a reader who hung up is no error of ours
		return
	}
	h.Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	z.Write(body)
	z.Close()
}
