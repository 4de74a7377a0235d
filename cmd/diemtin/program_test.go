package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"diemtin/aggregator/outlettest"
)

// binary builds the program once, as users get it.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "diemtin-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "diemtin")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if dir := os.Getenv(bareFiles); dir != "" { // this process is what a benchmark compares with
		fmt.Fprintln(os.Stderr, bareServer(dir))
		os.Exit(1)
	}
	if told := os.Getenv(clockwork); told != "" { // this process is a service whose clock a test sets
		fmt.Fprintln(os.Stderr, serveByClock(told))
		os.Exit(1)
	}
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// command is the program with arguments, not started yet.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// output runs the program to its end.
func output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// program is a running diemtin serve.
type program struct {
	cmd           *exec.Cmd
	public, admin string // without a trailing slash
	editors       string // the same of the editors' room; empty = there is none
	ended         chan error
	log           *bytes.Buffer // complete once ended
}

var firstLine = regexp.MustCompile(`news on (http://\S+)/, metrics on (http://[^\s,]+)/metrics(?:, the editors' room on (http://\S+)/,)?`)

// serve starts the program on free ports and waits until it says where.
func serve(t testing.TB, config, dsn string, more ...string) *program {
	t.Helper()
	args := append([]string{"serve", "--config", config, "--db", dsn, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, more...)
	return begin(t, command(t, args...))
}

// begin starts a service and waits until it says where it is.
func begin(t testing.TB, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{cmd: cmd, ended: make(chan error, 1), log: &bytes.Buffer{}}
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(pipe)
	line, err := lines.ReadString('\n')
	m := firstLine.FindStringSubmatch(line)
	if err != nil || m == nil {
		rest, _ := io.ReadAll(lines)
		t.Fatalf("serve said %q%s", line, rest)
	}
	p.public, p.admin, p.editors = m[1], m[2], m[3]
	go func() {
		io.Copy(p.log, lines)
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.cmd.Process.Kill() })
	return p
}

// stop asks the program to end and waits for it.
func (p *program) stop(t *testing.T) {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-p.ended; err != nil {
		t.Errorf("serve ended with %v\n%s", err, p.log)
	}
}

// kill ends the program as a power cut or an OOM killer would.
func (p *program) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// get fetches one address; header lines are "Name: value".
func get(t testing.TB, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// patience bounds every wait of these tests; none of them waits for luck.
const patience = 60 * time.Second

// eventually asks again until the answer is yes.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	eventuallyWithin(t, patience, what, yes)
}

// eventuallyWithin is eventually with another bound.
func eventuallyWithin(t testing.TB, within time.Duration, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain: %s", within, what)
		}
	}
}

// world starts simulated outlets and writes the configuration that reads them.
func world(t *testing.T, opt outlettest.Options) (w *outlettest.World, config string) {
	t.Helper()
	w, err := outlettest.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	config = filepath.Join(t.TempDir(), "feeds.yaml")
	text := w.ConfigYAML(outlettest.Config{BaseURL: "https://tin.example.vn", Min: time.Second, Max: 2 * time.Second})
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return w, config
}

// metric reads one sample of /metrics, 0 if it is not there.
func (p *program) metric(t testing.TB, series string) float64 {
	t.Helper()
	_, text := get(t, p.admin+"/metrics")
	for line := range strings.SplitSeq(text, "\n") {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			var x float64
			fmt.Sscan(value, &x)
			return x
		}
	}
	return 0
}

// swept waits until the first visits after a start are over and their stories
// are listed: then nothing held is left.
func (p *program) swept(t testing.TB) {
	t.Helper()
	eventually(t, "the opening sweep", func() bool {
		resp, _ := get(t, p.admin+"/readyz")
		return resp.StatusCode == 200 && p.metric(t, "diemtin_opening_sweep_over") == 1
	})
}

// sqliteCount answers a counting query on a foreign SQLite file.
func sqliteCount(t *testing.T, file, query string) int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// sqliteTexts answers a query of one column on a foreign SQLite file.
func sqliteTexts(t *testing.T, file, query string) (texts []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}
