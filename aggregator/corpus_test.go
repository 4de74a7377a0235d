package aggregator

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// feedparserCorpus is a corpus of odd feeds that nobody here wrote; it is used
// where it lies beside the project.
const feedparserCorpus = "../../shared/data/feedparser/feedparser-corpus.tgz"

var corpusHeader = regexp.MustCompile(`(?mi)^Header:\s*([A-Za-z-]+):\s*(.+)$`)

// corpus calls each with every feed document of feedparser's corpus and the
// headers its first comment asks for.
func corpus(t *testing.T, each func(name string, doc *Document)) {
	t.Helper()
	f, err := os.Open(feedparserCorpus)
	if err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(h.Name) != ".xml" {
			continue
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		doc := &Document{URL: "http://127.0.0.1/" + h.Name, FinalURL: "http://127.0.0.1/" + h.Name, Status: 200, Header: http.Header{}, Body: body}
		for _, m := range corpusHeader.FindAllSubmatch(body[:min(len(body), 2000)], -1) {
			doc.Header.Set(string(m[1]), strings.TrimSpace(string(m[2])))
		}
		each(h.Name, doc)
	}
}

// activeMarkup is what no sanitised text may hold.
var activeMarkup = regexp.MustCompile(`(?i)<\s*(script|style|iframe|object|embed|form|meta|link|base|svg)\b|\son[a-z]+\s*=|javascript:|vbscript:|data:text`)

func TestFeedparserCorpus(t *testing.T) {
	t.Parallel()
	parsed, total, entries := 0, 0, 0
	corpus(t, func(name string, doc *Document) {
		total++
		rd, err := readFeed(doc, SourceConfig{}, Limits{}.withDefaults())
		if err != nil {
			t.Logf("%s: %v", name, err)
			return
		}
		parsed++
		entries += len(rd.entries)
		for _, e := range rd.entries {
			for _, html := range []string{sanitised(e.Content, e.Base), sanitised(e.Summary, e.Base)} {
				if bad := activeMarkup.FindString(html); bad != "" {
					t.Errorf("%s: %q left in %q", name, bad, html)
				}
			}
		}
	})
	t.Logf("parsed %d of %d documents, %d entries", parsed, total, entries)
	if total > 0 && parsed < 1831 {
		t.Errorf("parsed %d of %d, want at least 1831", parsed, total)
	}
}
