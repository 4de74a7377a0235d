package main

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// nginx is a running nginx of this test.
type nginx struct {
	address string
	pid     int // of the worker
}

// nginxPath is where nginx is, empty if nowhere: Debian has it where users'
// PATH does not look.
func nginxPath() string {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// startNginx runs nginx with one worker on a free port until the test ends;
// server writes the http part of its configuration.
func startNginx(t testing.TB, server func(address string) string) *nginx {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
events { worker_connections 256; }
http {
access_log off;
sendfile on;
tcp_nopush on;
%[2]s
%[3]s
}
`, dir, temp.String(), server(address))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginxPath(), "-c", conf, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	for tries := 0; ; tries++ {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return &nginx{address: address, pid: cmd.Process.Pid}
		}
		if tries == 200 {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Fatalf("nginx does not answer: %v\n%s\n%s", err, text, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// briefOrigin passes on what the program answers, with a shorter life: a test
// cannot wait for a minute to pass.
type briefOrigin struct {
	*httptest.Server
	grace     atomic.Bool  // with stale-while-revalidate
	unchanged atomic.Int64 // answers that were 304
}

func newBriefOrigin(t *testing.T, behind string) *briefOrigin {
	t.Helper()
	to, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	o := &briefOrigin{}
	o.grace.Store(true)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	proxy.ModifyResponse = func(resp *http.Response) error {
		got := resp.Header.Get("Cache-Control")
		if resp.Request.Header.Get("A-IM") != "" && (got == "private, max-age=60" || got == "no-store, im") {
			return nil // of a client of parts alone
		}
		if got != "public, max-age=60, stale-while-revalidate=240" {
			t.Errorf("%s: Cache-Control %q", resp.Request.URL.Path, got)
		}
		brief := "public, max-age=1"
		if o.grace.Load() {
			brief += ", stale-while-revalidate=240"
		}
		resp.Header.Set("Cache-Control", brief)
		if resp.StatusCode == http.StatusNotModified {
			o.unchanged.Add(1)
		}
		return nil
	}
	o.Server = httptest.NewServer(proxy)
	t.Cleanup(o.Close)
	return o
}

// expire waits until nginx, which counts whole seconds, takes for stale what it has.
func (o *briefOrigin) expire(t *testing.T) {
	t.Helper()
	waitASecond(t)
	waitASecond(t)
}

func unzip(t *testing.T, packed string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// cached is nginx as a cache in front of the program, as deploy/nginx.conf has
// it but for names and places.
func cached(t *testing.T, origin string) *nginx {
	t.Helper()
	sample, err := os.ReadFile("../../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	store := t.TempDir()
	if err := os.Chmod(store, 0o777); err != nil { // the worker may be another user
		t.Fatal(err)
	}
	return startNginx(t, func(address string) string {
		return strings.NewReplacer("127.0.0.1:8080", strings.TrimPrefix(origin, "http://"), "/var/cache/nginx/diemtin", store,
			"listen 80;", "listen "+address+";", "listen [::]:80;", "", "server_name tin.example.vn;", "").Replace(string(sample))
	})
}

// TestBehindNginx: a cache in front sends what the program would have sent,
// in the encoding that the client takes, and asks again with the tag.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for answers to become stale")
	}
	if nginxPath() == "" {
		need(t, "nginx") // says that it is missing
	}
	one, _, config := pressRoom(t)
	a := told{"a-1", "https://baomot.example/cau-treo.html", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", wire}
	b := told{"a-2", "https://baomot.example/gia-vang.html", "Giá vàng miếng tăng phiên thứ ba liên tiếp", "Giá vàng miếng sáng nay tăng thêm 400.000 đồng mỗi lượng so với chốt phiên hôm qua."}
	one.tell(a)
	p := serve(t, config("feed.rss"), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	p.swept(t)
	one.read(t)
	waitASecond(t)
	// The origin as the cache sees it, with lives short enough to wait for.
	brief := newBriefOrigin(t, p.public)
	front := "http://" + cached(t, brief.URL).address
	const feed = "/feed.atom"
	ask := func(step, want string, header ...string) (*http.Response, string) {
		t.Helper()
		resp, body := get(t, front+feed, header...)
		if got := resp.Header.Get("X-Cache"); got != want {
			t.Errorf("%s: got %s %s, want %s", step, resp.Status, got, want)
		}
		return resp, body
	}
	plain, body := ask("the first", "MISS")
	again, same := ask("the second", "HIT")
	if same != body || again.Header.Get("ETag") != plain.Header.Get("ETag") || !strings.Contains(body, a.title) {
		t.Errorf("the cache sends other bytes, or another tag: %v", again.Header)
	}
	if resp, text := ask("a client that has it", "HIT", "If-None-Match: "+plain.Header.Get("ETag")); resp.StatusCode != 304 || text != "" {
		t.Errorf("a client that has it gets %s", resp.Status)
	}
	encodingsBehind(t, front+"/opml") // compressed in all ways from the start
	parts, _ := get(t, p.public+feed, "A-IM: feed")
	partsBehind(t, front+"/feed.rss")

	brief.expire(t)
	asked := brief.unchanged.Load()
	_, text := ask("past its life, while nginx asks", "STALE")
	if text != body {
		t.Error("stale bytes differ")
	}
	eventually(t, "the origin to be asked with the tag", func() bool { return brief.unchanged.Load() > asked })
	eventually(t, "a hit again", func() bool {
		resp, _ := get(t, front+feed)
		return resp.Header.Get("X-Cache") == "HIT"
	})

	one.tell(a, b)
	one.read(t)
	waitASecond(t)
	brief.expire(t)
	wish, had := "A-IM: feed", "If-None-Match: "+parts.Header.Get("ETag")
	for range 3 { // nginx asks with its own tag and the client's wish
		if resp, text := get(t, front+feed, wish, had); resp.StatusCode != 200 || !strings.Contains(text, a.title) {
			t.Errorf("a client of parts gets %s without what it may lack", resp.Status)
		}
	}
	if resp, text := get(t, p.public+feed, wish, had); resp.StatusCode != http.StatusIMUsed || strings.Contains(text, a.title) || !strings.Contains(text, b.title) {
		t.Errorf("without nginx it gets %s", resp.Status)
	}
	ask("changed, past its life", "STALE")
	eventually(t, "the new bytes", func() bool { _, text := get(t, front+feed); return strings.Contains(text, b.title) })
	brief.expire(t)
	brief.grace.Store(false) // a life without grace: nginx asks first
	get(t, front+feed)
	eventually(t, "the answer without grace", func() bool { resp, _ := get(t, front+feed); return resp.Header.Get("X-Cache") == "HIT" })
	brief.expire(t)
	if resp, text := ask("past its life, without grace", "REVALIDATED"); resp.StatusCode != 200 || !strings.Contains(text, b.title) {
		t.Errorf("revalidated: %s", resp.Status)
	}
	p.stop(t)
	brief.expire(t)
	if _, text := ask("the program is down", "STALE"); !strings.Contains(text, b.title) {
		t.Error("nothing is sent while the program is down")
	}
}

// encodingsBehind asks for every encoding twice, turn by turn: none may be sent
// for another.
func encodingsBehind(t *testing.T, address string) {
	t.Helper()
	_, plain := get(t, address, "Accept-Encoding: x")
	tags := map[string]string{}
	for round, want := range []string{"MISS", "HIT"} {
		for encoding, unpack := range map[string]func(*testing.T, string) string{
			"": func(_ *testing.T, s string) string { return s }, "gzip": unzip, "br": unbrotli, "zstd": unzstd,
		} {
			accept := encoding
			if encoding == "br" {
				accept = "gzip, deflate, br"
			}
			resp, body := get(t, address, "Accept-Encoding: "+cmp.Or(accept, "identity"))
			if got := resp.Header.Get("X-Cache"); got != want {
				t.Errorf("%q, round %d: %s, want %s", accept, round, got, want)
			}
			if got := resp.Header.Get("Content-Encoding"); got != encoding || unpack(t, body) != plain {
				t.Errorf("%q, round %d: encoding %q, or other bytes", accept, round, got)
			}
			if tag := resp.Header.Get("ETag"); round > 0 && tag != tags[encoding] {
				t.Errorf("%q: tag %s, before it was %s", accept, tag, tags[encoding])
			} else {
				tags[encoding] = tag
			}
		}
	}
	if tags[""] == tags["gzip"] || tags["gzip"] == tags["br"] {
		t.Errorf("two encodings have one tag: %v", tags)
	}
}

// partsBehind asks for a feed as clients of parts do, and as others do: nothing
// that the former get is kept, and each gets tags of his own kind.
func partsBehind(t *testing.T, address string) {
	t.Helper()
	for _, tt := range []struct {
		wish, want string
		parts      bool
	}{{"feed", "MISS", true}, {"feed", "MISS", true}, {"", "MISS", false}, {"", "HIT", false}, {"feed", "HIT", false}} {
		resp, _ := get(t, address, "A-IM: "+tt.wish)
		if got, tag := resp.Header.Get("X-Cache"), resp.Header.Get("ETag"); got != tt.want || strings.HasSuffix(tag, `-im"`) != tt.parts {
			t.Errorf("A-IM %q: %s with tag %s, want %s", tt.wish, got, tag, tt.want)
		}
	}
}

func unzstd(t *testing.T, packed string) string {
	t.Helper()
	z, err := zstd.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func unbrotli(t *testing.T, packed string) string {
	t.Helper()
	plain, err := io.ReadAll(brotli.NewReader(strings.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}
