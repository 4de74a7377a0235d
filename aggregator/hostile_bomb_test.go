package aggregator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

const (
	// bombVariable names, in the environment of a child process, the bomb that
	// it is to read.
	bombVariable = "DIEMTIN_TEST_BOMB"
	// bombLevels is how deep the elements of a bomb nest. The reader must not
	// follow them: a parser that recurses takes some hundred bytes of stack for
	// each, more than bombStack.
	bombLevels = 400_000
	// bombStack is the stack in bytes at whose overflow the child is killed, by
	// the runtime, past any recover.
	bombStack = 32 << 20
	// bombMemory bounds what the child takes from the system, in bytes, beside
	// the race detector's own.
	bombMemory = 200 << 20
	bombTime   = time.Minute // a second or two where nothing else runs
)

// bombs are documents whose elements nest without end, each read as the source
// it would come from reads it. want is a part of what comes of it.
var bombs = map[string]struct {
	want string
	read func() string
}{
	"rss":              {"too_large", feedBomb(rssHead+"<item>", "<a>", "")},
	"rss before items": {"too_large", feedBomb(rssHead, "<a>", rssItem("Một", "")+"</channel></rss>")},
	"rss closed":       {"too_large", feedBomb(rssHead+"<item>", "<a>", strings.Repeat("</a>", bombLevels)+"</item></channel></rss>")},
	"rss items":        {"1000 items", feedBomb(rssHead, "<item>", "")},
	"rss paragraphs":   {"too_large", feedBomb(rssHead+rssItem("Một", "<description>"), "<p>", "</description></channel></rss>")},
	"atom":             {"too_large", feedBomb(`<feed xmlns="http://www.w3.org/2005/Atom"><entry>`, "<a>", "")},
	"atom xhtml":       {"too_large", feedBomb(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Một</title><content type="xhtml">`, "<div>", "</content></entry></feed>")},
	"rdf":              {"too_large", feedBomb(`<rdf:RDF xmlns:rdf="x"><item>`, "<a:b>", "")},
	"content in CDATA": {"1 items", feedBomb(rssHead+"<item><title>Một</title><link>https://x.vn/1</link><description><![CDATA[", "<div>", "]]></description></item></channel></rss>")},
	"content escaped":  {"1 items", feedBomb(rssHead+"<item><title>Một</title><link>https://x.vn/1</link><description>", "&lt;blockquote&gt;", "</description></item></channel></rss>")},
	"json":             {"not_a_feed", feedBomb(`{"items":[`, "[", "")},
	"json objects":     {"not_a_feed", feedBomb(`{"items":[`, `{"a":`, "")},
	"page":             {"too_large", pageBomb("<ul>", "<div>")},
	"page just allowed": {"not_a_feed", func() string {
		return readWhole(pageSource, []byte(strings.Repeat("<div>", maxElements-1)))
	}},
	"page of links":     {"too_large", pageBomb("<ul>", "<li><a href=/1>")},
	"sitemap":           {"0 items", sitemapBomb("<urlset>", "<url>")},
	"sitemap index":     {"0 items", sitemapBomb("<sitemapindex>", "<sitemap>")},
	"sitemap extension": {"0 items", sitemapBomb("<urlset><url><loc>", "<a:b>")},
	"opml":              {"no outline", opmlBomb(`<opml><body>`, `<outline text="a">`)},
	"opml of feeds":     {"subscriptions", opmlBomb(`<opml><body>`, `<outline xmlUrl="https://x.vn/rss">`)},
	"article":           {"too_large", articleBomb("<body><h1>Một</h1>", "<div>")},
	"article's JSON-LD": {"article", articleBomb(`<body><p>Một</p><script type="application/ld+json">`, `{"@graph":[`)},
}

var pageSource = SourceConfig{ID: "bhy-home", Kind: "page", Page: &PageConfig{Item: "li", Next: "a.next"}}

func bomb(before, level, after string) []byte {
	return []byte(before + strings.Repeat(level, bombLevels) + after)
}

func feedBomb(before, level, after string) func() string {
	return func() string {
		return readWhole(SourceConfig{ID: "bhy-home", Kind: "feed"}, bomb(before, level, after))
	}
}

func pageBomb(before, level string) func() string {
	page := &PageConfig{Item: "li", Next: "a.next"}
	return func() string {
		return readWhole(SourceConfig{ID: "bhy-home", Kind: "page", Page: page}, bomb(before, level, ""))
	}
}

func sitemapBomb(before, level string) func() string {
	return func() string {
		return readWhole(SourceConfig{ID: "bhy-home", Kind: "sitemap"}, bomb(before, level, ""))
	}
}

func opmlBomb(before, level string) func() string {
	return func() string {
		subs, err := ReadOPML(bomb(before, level, ""), "")
		return fmt.Sprintf("%d subscriptions of %d outlets, %v", len(subs), len(OutletsOf(subs, nil)), err)
	}
}

func articleBomb(before, level string) func() string {
	return func() string {
		doc := htmlDoc("https://baohungyen.vn/1", string(bomb(before, level, "")))
		_, err := ReadArticle(doc, ArticleConfig{}, ArticleOptions{})
		return "article " + outcomeText(err)
	}
}

// readWhole takes a document all the way to clean items, and says what came.
func readWhole(src SourceConfig, body []byte) string {
	c, err := NewClassifier(testTopics())
	if err != nil {
		return err.Error()
	}
	doc := &Document{FinalURL: "https://baohungyen.vn/rss", Status: 200, Header: http.Header{}, Body: body, At: testNow}
	advertised(doc)
	rd, err := read(doc, src, Limits{}.withDefaults(), nil)
	if err != nil {
		return outcomeText(err)
	}
	n := normaliser{source: src, now: testNow, names: NewNames(nil), classify: c}
	n.items(rd.entries, &rd.repairs)
	return fmt.Sprintf("%d items", len(rd.entries))
}

func outcomeText(err error) string {
	var f *Fault
	if errors.As(err, &f) {
		return string(f.Outcome) + ": " + err.Error()
	}
	return fmt.Sprint(err)
}

// A stack that overflows ends the process, so each bomb is read in a process of
// its own, which must live to say what came of it.
func TestNestedBombs(t *testing.T) {
	if name := os.Getenv(bombVariable); name != "" {
		debug.SetMaxStack(bombStack)
		fmt.Printf("\nread: %s\ntaken: %d\n", bombs[name].read(), takenMemory())
		return
	}
	t.Parallel()
	for name, b := range bombs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), bombTime)
			defer cancel()
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestNestedBombs$")
			child.Env = append(os.Environ(), bombVariable+"="+name, fmt.Sprintf("GOMEMLIMIT=%d", bombMemory))
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			var taken uint64
			_, said, _ := strings.Cut(string(out), "\nread: ")
			said, rest, _ := strings.Cut(said, "\ntaken: ")
			if _, err := fmt.Sscan(rest, &taken); err != nil || !strings.Contains(said, b.want) {
				t.Errorf("%.500s, want %q\n%v", said, b.want, err)
			}
			if taken > bombMemory {
				t.Errorf("%d MB were taken, want at most %d", taken>>20, bombMemory>>20)
			}
			t.Logf("%.200s, %d MB", said, taken>>20)
		})
	}
}

// takenMemory is what the runtime has of the system, in bytes: all that it ever
// held, even what was given back.
func takenMemory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}
