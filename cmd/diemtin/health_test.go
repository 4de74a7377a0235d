package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"diemtin/aggregator/outlettest"
)

func TestHealthOfService(t *testing.T) {
	t.Parallel()
	_, config := world(t, outlettest.Options{Seed: 2, Stories: 10})
	p := serve(t, config, "sqlite:"+filepath.Join(t.TempDir(), "h.db"))
	admin := strings.TrimPrefix(p.admin, "http://")
	eventually(t, "health of a running service", func() bool {
		stdout, _, code := output(t, "health", "--admin", admin)
		return code == 0 && stdout == "ok\n"
	})
	p.stop(t)
	if _, stderr, code := output(t, "health", "--admin", admin); code != 1 || !strings.Contains(stderr, "connection refused") {
		t.Errorf("health of an ended service: exit %d, %q", code, stderr)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	answer := func(code int, text string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				code = http.StatusNotFound
			}
			http.Error(w, text, code)
		}))
		t.Cleanup(srv.Close)
		return srv.Listener.Addr().String()
	}
	ready := answer(200, "ok")
	_, port, _ := strings.Cut(ready, ":")
	for _, tt := range []struct {
		name, admin string
		code        int
		want        string
	}{
		{"ready", ready, 0, ""},
		{"ready, listening everywhere", "0.0.0.0:" + port, 0, ""},
		{"ready, listening everywhere, no host", ":" + port, 0, ""},
		{"database away", answer(503, "database: disk I/O error"), 1, "is not ready: database: disk I/O error (HTTP 503)"},
		{"another service", answer(404, "what?"), 1, "(HTTP 404)"},
		{"no port", "localhost", 2, `--admin "localhost": want HOST:PORT`},
		{"an address of a page", "http://localhost:1", 2, "want HOST:PORT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, stderr, code := output(t, "health", "--admin", tt.admin)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr, tt.code, tt.want)
			}
		})
	}
}
