package syndicate_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const samples = "../deploy/samples/"

// moods are how the service behaves while the samples run.
const (
	well int32 = iota
	hanging
	failing
	cutOff
)

// moody is a service at loopback, its address, that does as mood says.
func moody(t *testing.T, server http.Handler, mood *atomic.Int32) string {
	over := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch mood.Load() {
		case well:
			server.ServeHTTP(w, r)
		case hanging:
			fmt.Fprint(w, `<div class="diemtin">`)
			w.(http.Flusher).Flush()
			<-over
		case failing:
			http.Error(w, "no", http.StatusServiceUnavailable)
		case cutOff:
			fmt.Fprint(w, `<div class="diemtin" lang="vi"><ul><li>nửa chừng`)
		}
	}))
	t.Cleanup(service.Close)
	t.Cleanup(func() { close(over) }) // runs first
	return service.URL
}

// TestSamplesRun runs the samples that can run here: their pages hold the
// fragment under default-src 'self', within two seconds and a bit whatever the
// service does, and keep the last good copy.
func TestSamplesRun(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the short loop starts no other programs")
	}
	s := newSite(t)
	s.fill()
	var mood atomic.Int32
	service := moody(t, s.server, &mood)
	fragment := service + "/embed/topics/kinh-te/fragment.html?count=2"
	built := filepath.Join(t.TempDir(), "sample")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", built, samples+"go").CombinedOutput(); err != nil {
		t.Fatalf("build the Go sample: %v\n%s", err, out)
	}
	programs := map[string]*exec.Cmd{
		"go":  exec.CommandContext(t.Context(), built, "-listen", "127.0.0.1:0", "-fragment", fragment, "-keep", filepath.Join(t.TempDir(), "news.html"), "-fresh", "1ns"),
		"php": exec.CommandContext(t.Context(), needed(t, "php"), "-S", "127.0.0.1:0", "-t", samples+"php"),
	}
	programs["php"].Env = append(programs["php"].Environ(), "DIEMTIN_FRAGMENT="+fragment, "DIEMTIN_KEEP="+t.TempDir(), "DIEMTIN_FRESH=0")
	ctx := tab(t)
	for name, program := range programs {
		t.Run(name, func(t *testing.T) {
			mood.Store(well)
			page := startSample(t, program)
			mood.Store(failing)
			if body := samplePage(t, page); !strings.Contains(body, "Tin đang được cập nhật.") {
				t.Errorf("without a copy: %s", body)
			}
			mood.Store(well)
			visit(t, ctx, page)
			if n := ask[int](t, ctx, `[...document.querySelectorAll(".diemtin li a")].filter(a => a.getBoundingClientRect().height > 0).length`); n != 2 {
				t.Errorf("the page shows %d stories, want 2", n)
			}
			good := samplePage(t, page)
			for _, m := range []int32{hanging, failing, cutOff} {
				mood.Store(m)
				if body := samplePage(t, page); body != good {
					t.Errorf("service in mood %d: got %s, want the last good copy", m, body)
				}
			}
		})
	}
}

var saysWhere = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// startSample starts a program and returns the address that it says.
func startSample(t *testing.T, program *exec.Cmd) string {
	t.Helper()
	said, err := program.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		program.Process.Kill()
		program.Wait()
	})
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n')
	address := saysWhere.FindString(line)
	if err != nil || address == "" {
		t.Fatalf("the sample said %q, %v", line, err)
	}
	go io.Copy(io.Discard, lines)
	return address + "/"
}

// samplePage gets a page of a sample, which must come soon and with its policy.
func samplePage(t *testing.T, address string) string {
	t.Helper()
	begun := time.Now()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if took := time.Since(begun); err != nil || resp.StatusCode != http.StatusOK || took > 3*time.Second {
		t.Errorf("%s: %s after %s, %v", address, resp.Status, took, err)
	}
	if got := resp.Header.Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("policy %q", got)
	}
	return string(body)
}
