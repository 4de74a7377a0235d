// Command go is a sample: a page that holds the news of a channel, put in by
// the server itself. No script, no frame, nothing to let in by a
// Content-Security-Policy. Take Fragment into your own program.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxFragment is more than 50 stories take, in bytes.
const maxFragment = 256 << 10

// Fragment is the news of a channel as HTML. It is asked for at most once in
// Fresh, for two seconds; else, and if that fails, there is the last good copy.
type Fragment struct {
	URL   string
	File  string        // keeps the last good copy over restarts
	Fresh time.Duration // 0 = a minute

	mu    sync.Mutex
	copy  []byte
	tag   string
	tried time.Time
}

// HTML returns the fragment, "" if there never was one.
func (f *Fragment) HTML(ctx context.Context) template.HTML {
	copy, tag, due := f.kept()
	if due {
		fresh, err := f.refresh(ctx, tag)
		if err != nil {
			log.Printf("news not refreshed, the last copy stays: %v", err)
		}
		if fresh != nil {
			copy = fresh
		}
	}
	return template.HTML(copy) // the service's own HTML, without script or style
}

// kept is the last good copy, and whether to ask for another: one visitor does,
// the others do not wait.
func (f *Fragment) kept() (copy []byte, tag string, due bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.copy == nil && f.File != "" {
		f.copy, _ = os.ReadFile(f.File) // there is none at first
	}
	if due = time.Since(f.tried) >= cmp.Or(f.Fresh, time.Minute); due {
		f.tried = time.Now()
	}
	return f.copy, f.tag, due
}

// refresh returns the fragment as it is now, nil if it has not changed.
func (f *Fragment) refresh(ctx context.Context, tag string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, err
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFragment))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", f.URL, resp.Status)
	case !bytes.HasPrefix(body, []byte(`<div class="diemtin"`)) || !bytes.HasSuffix(bytes.TrimSpace(body), []byte("</div>")):
		return nil, errors.New("what came is no whole fragment")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copy, f.tag = body, resp.Header.Get("ETag")
	return body, f.keep()
}

// keep writes the copy whole or not at all.
func (f *Fragment) keep() error {
	if f.File == "" {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(f.File), ".diemtin-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(f.copy)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), f.File)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="vi">
<head>
<meta charset="utf-8">
<title>Cổng thông tin</title>
</head>
<body>
<h1>Cổng thông tin</h1>
{{or . "Tin đang được cập nhật."}}
</body>
</html>
`))

func main() {
	var news Fragment
	listen := flag.String("listen", "127.0.0.1:8090", "`address` to serve the page at")
	flag.StringVar(&news.URL, "fragment", "https://tin.example.vn/embed/topics/xay-dung-dang/fragment.html?count=5", "`address` of the fragment")
	flag.StringVar(&news.File, "keep", "", "`file` for the last good copy")
	flag.DurationVar(&news.Fresh, "fresh", time.Minute, "how long a copy is shown without asking")
	flag.Parse()
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		if err := page.Execute(w, news.HTML(r.Context())); err != nil {
			log.Print(err)
		}
	})
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("page on http://%s/", l.Addr())
	log.Fatal(http.Serve(l, nil))
}
