package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// bareFiles names the environment variable that makes this test's program the
// bare server, over the files of that folder.
const bareFiles = "DIEMTIN_BENCH_BARE"

// sameHeaders makes it send all headers that the program sends, so that one can
// tell what they cost from what the program does.
const sameHeaders = "DIEMTIN_BENCH_HEADERS"

// bareServer is what net/http costs by itself: it writes bytes at hand, with
// the headers that a reader cannot do without, under the program's own timeouts.
func bareServer(dir string) error {
	plain, err := os.ReadFile(filepath.Join(dir, "feed.atom"))
	if err != nil {
		return err
	}
	zipped, err := os.ReadFile(filepath.Join(dir, "feed.atom.gz"))
	if err != nil {
		return err
	}
	more := http.Header{}
	if os.Getenv(sameHeaders) != "" {
		text, err := os.ReadFile(filepath.Join(dir, "headers.json"))
		if err == nil {
			err = json.Unmarshal(text, &more)
		}
		if err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, body := w.Header(), plain
		h.Set("ETag", `"bare"`)
		if r.Header.Get("If-None-Match") == `"bare"` {
			for _, name := range []string{"Cache-Control", "Vary", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"} {
				if more[name] != nil {
					h[name] = more[name]
				}
			}
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			body = zipped
			h.Set("Content-Encoding", "gzip")
		}
		maps.Copy(h, more)
		h.Set("Content-Type", "application/atom+xml; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})).Serve(l)
}

func startBare(b *testing.B, name, files string, env ...string) *rival {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), bareFiles+"="+files), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return &rival{name: name, address: strings.TrimSpace(address), pid: cmd.Process.Pid}
}

// startStatic is nginx over the same files, nil where it is not installed.
func startStatic(b *testing.B, files string) *rival {
	if nginxPath() == "" {
		b.Log("nginx is not installed: it is not compared with")
		return nil
	}
	n := startNginx(b, func(address string) string {
		return fmt.Sprintf(`server {
  listen %s;
  root %s;
  default_type application/atom+xml;
  gzip_static on;
  keepalive_requests 1000000000;
}`, address, files)
	})
	return &rival{name: "nginx", address: n.address, pid: n.pid}
}

// prepare writes down what will be asked: for a 304 with the tag of now.
func (r *rival) prepare(b *testing.B) {
	ask := func(more string) []byte {
		return []byte("GET " + benchFeed + " HTTP/1.1\r\nHost: " + r.address + "\r\nUser-Agent: bench\r\nAccept: */*\r\n" + more + "\r\n")
	}
	r.request = map[string][]byte{"identity": ask(""), "gzip": ask("Accept-Encoding: gzip\r\n")}
	resp, _ := get(b, "http://"+r.address+benchFeed)
	r.request["304"] = ask("If-None-Match: " + resp.Header.Get("ETag") + "\r\n")
}

// having is a request for what is newer than the bytes of a tag.
func having(request []byte, tag string) []byte {
	before, rest, _ := bytes.Cut(request, []byte("If-None-Match: "))
	_, after, _ := bytes.Cut(rest, []byte("\r\n"))
	return slices.Concat(before, []byte("If-None-Match: "+tag+"\r\n"), after)
}

// measured is what one turn of a server brought.
type measured struct {
	perSecond float64 // requests, by the clock
	cpu       float64 // µs of the server's processor time a request
	p99       float64 // µs from request to the end of the answer
}

// ask has the server answer for a while on all connections.
func (r *rival) ask(b *testing.B, kind string, length time.Duration) measured {
	var wg sync.WaitGroup
	took := make([][]time.Duration, benchConns)
	before, start := processorTime(b, r.pid), time.Now()
	for i := range benchConns {
		wg.Go(func() {
			if err := askOn(r.address, r.request[kind], kind, start.Add(length), &took[i]); err != nil {
				b.Errorf("%s, %s: %v", r.name, kind, err)
			}
		})
	}
	wg.Wait()
	all := slices.Concat(took...)
	if len(all) == 0 {
		b.Fatalf("%s, %s: no answer", r.name, kind)
	}
	slices.Sort(all)
	n, clock := float64(len(all)), time.Since(start)
	return measured{n / clock.Seconds(), float64((processorTime(b, r.pid) - before).Microseconds()) / n,
		float64(all[len(all)*99/100].Nanoseconds()) / 1000}
}

// askOn asks on one connection until the end, and notes how long each took. It
// reads only what it must, so that it costs less than the server.
func askOn(address string, request []byte, kind string, end time.Time, took *[]time.Duration) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 128<<10)
	for t := time.Now(); t.Before(end); {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		newer, err := readAnswer(in, kind)
		if err != nil {
			return err
		}
		if newer != "" {
			request = having(request, newer)
		}
		now := time.Now()
		*took = append(*took, now.Sub(t))
		t = now
	}
	return nil
}

// readAnswer reads one answer to its end. A feed that has changed answers 200
// where 304 was expected: that is not wrong, only more, and its tag is what a
// reader has from then on.
func readAnswer(in *bufio.Reader, kind string) (newer string, err error) {
	length, encoded := 0, false
	status, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	whole := bytes.Contains(status, []byte(" 200 "))
	if !whole && (kind != "304" || !bytes.Contains(status, []byte(" 304 "))) {
		return "", fmt.Errorf("got %q", status)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if len(line) <= 2 {
			break
		}
		if rest, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
		if tag, ok := bytes.CutPrefix(line, []byte("Etag: ")); ok && whole && kind == "304" {
			newer = string(bytes.TrimSpace(tag))
		}
		encoded = encoded || bytes.HasPrefix(line, []byte("Content-Encoding: gzip"))
	}
	if encoded != (kind == "gzip") {
		return "", fmt.Errorf("gzip: %v", encoded)
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return newer, err
}

// processorTime is what a process has used so far, with a resolution of 10 ms
// (proc(5): utime and stime in ticks of a hundredth of a second).
func processorTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skipf("no processor time: %v", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
