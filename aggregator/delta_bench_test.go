package aggregator

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"
)

// deltaWords are the words of made-up articles.
var deltaWords = strings.Fields("Thủ tướng Chính phủ vừa ký quyết định phê duyệt quy hoạch tỉnh đến năm 2030 tầm nhìn đến năm 2050 " +
	"theo đó các sở ngành địa phương khẩn trương triển khai nhiệm vụ giải pháp phát triển kinh tế xã hội bảo đảm quốc phòng an ninh " +
	"người dân xã miền núi đón nhận nguồn nước sạch sau nhiều năm chờ đợi giá vàng trong nước sáng nay tăng nhẹ ở cả hai chiều")

func deltaText(rng *rand.Rand, bytes int) string {
	var b strings.Builder
	for b.Len() < bytes {
		b.WriteString(deltaWords[rng.IntN(len(deltaWords))])
		if b.WriteByte(' '); rng.IntN(20) == 0 {
			b.WriteString("trên 3.500 tỷ đồng. ")
		}
	}
	return b.String()
}

// deltaItem is item n of a feed of the outlet; full is whether the article's
// HTML stands in it.
func deltaItem(n int, full bool) string {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	var b strings.Builder
	at := time.Date(2026, 3, 1, 0, n, 0, 0, time.UTC).Format(time.RFC1123Z)
	fmt.Fprintf(&b, "<item>\n<title><![CDATA[%s]]></title>\n<link>https://bao.vn/thoi-su/tin-%d.html</link>\n<guid isPermaLink=\"true\">https://bao.vn/thoi-su/tin-%d.html</guid>\n<pubDate>%s</pubDate>\n<dc:creator>Phóng viên</dc:creator>\n", strings.TrimSpace(deltaText(rng, 80)), n, n, at)
	fmt.Fprintf(&b, "<description><![CDATA[<a href=\"https://bao.vn/thoi-su/tin-%d.html\"><img src=\"https://bao.vn/anh/%d.jpg\" /></a></br>%s]]></description>\n", n, n, deltaText(rng, 550))
	if full {
		b.WriteString("<content:encoded><![CDATA[")
		for range 8 {
			fmt.Fprintf(&b, "<p style=\"text-align: justify;\">%s</p>\n<figure><img src=\"https://bao.vn/anh/%d.jpg\" alt=\"Ảnh\" /></figure>", deltaText(rng, 560), n)
		}
		b.WriteString("]]></content:encoded>\n")
	}
	b.WriteString("</item>\n")
	return b.String()
}

// deltaFeed is a feed of items first to first+49, the newest first, made at a
// time of its own.
func deltaFeed(first int, full bool) *Document {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n<title>Thời sự - Báo điện tử</title>\n<link>https://bao.vn/thoi-su</link>\n<description>Tin thời sự</description>\n<language>vi</language>\n<atom:link href=\"https://bao.vn/rss/thoi-su.rss\" rel=\"self\" type=\"application/rss+xml\" />\n<lastBuildDate>%s</lastBuildDate>\n",
		time.Date(2026, 3, 2, 0, first, 0, 0, time.UTC).Format(time.RFC1123Z))
	for n := first + 49; n >= first; n-- {
		b.WriteString(deltaItem(n, full))
	}
	b.WriteString("</channel>\n</rss>\n")
	return &Document{URL: "https://bao.vn/rss/thoi-su.rss", FinalURL: "https://bao.vn/rss/thoi-su.rss", Status: 200, Body: []byte(b.String()),
		Header: http.Header{"Content-Type": {"application/rss+xml; charset=utf-8"}}, At: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
}

// plainPoll is what a reader does that parses every document with gofeed and
// compares the items with those it had.
func plainPoll(b *testing.B, answer canned, had map[string][32]byte) (news int) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://bao.vn/rss/thoi-su.rss", nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := answer.access().client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	feed, err := gofeed.NewParser().Parse(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	for _, it := range feed.Items {
		h := sha256.Sum256([]byte(it.Title + "\x00" + it.Link + "\x00" + it.Description + "\x00" + it.Content + "\x00" + it.Published))
		if had[it.GUID] != h {
			news++
		}
	}
	return news
}

func plainHad(b *testing.B, doc *Document) map[string][32]byte {
	feed, err := gofeed.NewParser().ParseString(string(doc.Body))
	if err != nil {
		b.Fatal(err)
	}
	had := map[string][32]byte{}
	for _, it := range feed.Items {
		had[it.GUID] = sha256.Sum256([]byte(it.Title + "\x00" + it.Link + "\x00" + it.Description + "\x00" + it.Content + "\x00" + it.Published))
	}
	return had
}

// polled is a source as a benchmark polls it, without the network and the
// store: from the answer to what is to be stored.
type polled struct {
	f      *fetcher
	answer canned
	hash   string  // of the last body
	last   *memory // of it
	news   int     // that the answer brings
}

// ours reads an answer as look does.
func (p *polled) ours(b *testing.B) {
	doc, err := p.f.get(b.Context(), p.answer.access(), "http://bao.vn/rss/thoi-su.rss", "", "", benchStart)
	if err != nil {
		b.Fatal(err)
	}
	defer p.f.release(doc)
	if doc.Status == http.StatusNotModified || doc.Hash == p.hash {
		if p.news != 0 {
			b.Fatalf("nothing new, want %d", p.news)
		}
		return
	}
	rd, err := readFeedSince(doc, SourceConfig{ID: "s"}, *p.f.limits.Load(), p.last)
	if err != nil || len(rd.entries) != p.news || rd.memory == nil {
		b.Fatalf("%d entries, want %d; %v", len(rd.entries), p.news, err)
	}
}

// BenchmarkPoll compares one poll's fetching and reading with what plain gofeed
// and a map of hashes take for the same answer; 304 is compared with the answer
// that a client without conditions gets. All is processor time, and the ratio is
// taken turn by turn within the same run.
func BenchmarkPoll(b *testing.B) {
	for _, size := range []string{"full", "summary"} {
		full := size == "full"
		before := deltaFeed(0, full)
		before.FinalURL, before.Header, before.At = "http://bao.vn/rss/thoi-su.rss", http.Header{}, benchStart
		rd, err := readFeed(before, SourceConfig{ID: "s"}, Limits{}.withDefaults())
		if err != nil || rd.memory == nil {
			b.Fatalf("first reading: memory %v, %v", rd.memory, err)
		}
		had := plainHad(b, before)
		unchanged := []byte(strings.Replace(string(before.Body), "<lastBuildDate>", "<lastBuildDate>x", 1))
		for _, tt := range []struct {
			name   string
			status int
			body   []byte
			news   int
		}{
			{"304", http.StatusNotModified, nil, 0},
			{"same-body", http.StatusOK, before.Body, 0},
			{"none-new", http.StatusOK, unchanged, 0},
			{"1-new-of-50", http.StatusOK, deltaFeed(1, full).Body, 1},
			{"5-new-of-50", http.StatusOK, deltaFeed(5, full).Body, 5},
			{"50-new-of-50", http.StatusOK, deltaFeed(100, full).Body, benchItems},
		} {
			p := &polled{f: newFetcher("diemtin/bench", Limits{}.withDefaults()), answer: canned{status: tt.status, body: tt.body},
				hash: bodyHash(before.Body), last: rd.memory, news: tt.news}
			ours := func() { p.ours(b) }
			whole := canned{status: http.StatusOK, body: firstBody(tt.body, before.Body)}
			theirs := func() {
				if n := plainPoll(b, whole, had); n != tt.news {
					b.Fatalf("plain gofeed found %d news, want %d", n, tt.news)
				}
			}
			b.Run(size+"/"+tt.name, func(b *testing.B) {
				cpuMeasured(b, benchItems, ours)
				b.ReportMetric(ratio(b, theirs, ours), "times_cheaper")
			})
			b.Run(size+"/"+tt.name+"/gofeed", func(b *testing.B) { cpuMeasured(b, benchItems, theirs) })
		}
	}
}

func firstBody(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// ratio is how many times more processor time a takes than b, by the median of
// turns.
func ratio(bench *testing.B, a, b func()) float64 {
	const turns = 9
	per := func(f func()) float64 {
		n, start, used := 0, time.Now(), cpuUsed(bench)
		for n < 3 || time.Since(start) < 25*time.Millisecond {
			f()
			n++
		}
		return float64(cpuUsed(bench)-used) / float64(n)
	}
	var all []float64
	for range turns {
		all = append(all, per(a)/per(b))
	}
	slices.Sort(all)
	return all[turns/2]
}
