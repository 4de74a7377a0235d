package syndicate

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// scriptRoute registers the one script of the pages. Its address names it by its
// content, like that of the stylesheet.
func (s *Server) scriptRoute() error {
	const path = "/assets/page.js"
	data, err := web.ReadFile("web/page.js")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	s.script = path + "?v=" + hex.EncodeToString(sum[:6])
	docs := map[string]*rendition{} // by how long they may be kept
	for _, keep := range []string{cacheControl, forever} {
		h := http.Header{"Cache-Control": {keep}, "X-Content-Type-Options": {"nosniff"}}
		if docs[keep], err = newRendition(data, "text/javascript; charset=utf-8", h, time.Time{}); err != nil {
			return err
		}
	}
	s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		keep := cacheControl // for a page of another version of the program
		if r.URL.RequestURI() == s.script {
			keep = forever
		}
		docs[keep].serve(w, r)
	})
	return nil
}
