package store_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

const (
	benchOutlets = 40
	benchPerDay  = 10_000 // items: about what 300 Vietnamese outlets publish
	benchDoc     = 30     // items of one document
	benchCopies  = 5      // every fifth item is the copy of an earlier one
)

// archive is a store filled through Record with items of one synthetic press.
type archive struct {
	db  *store.DB
	dsn string
	n   int // items made so far

	filled  int           // of them by this run
	longest time.Duration // of a visit while filling
}

// benchmarkArchives runs a benchmark on archives of 10⁴ and 10⁵ items, and of
// as many as DIEMTIN_BENCH_ITEMS says, of each engine there is. An archive is
// filled once, by the first benchmark that needs it. An SQLite archive is kept
// in the folder DIEMTIN_BENCH_DIR, if that is given: a later run goes on with it.
func benchmarkArchives(b *testing.B, run func(b *testing.B, get func(*testing.B) *archive)) {
	sizes := []int{10_000, 100_000}
	if more := os.Getenv("DIEMTIN_BENCH_ITEMS"); more != "" {
		n, err := strconv.Atoi(more)
		if err != nil {
			b.Fatalf("DIEMTIN_BENCH_ITEMS: %v", err)
		}
		sizes = []int{n}
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/items=%d", engine, size), func(b *testing.B) {
				dir := os.Getenv("DIEMTIN_BENCH_DIR")
				if dir == "" {
					dir = b.TempDir()
				}
				dsn := "sqlite:" + filepath.Join(dir, "bench.db")
				if engine == "postgres" {
					base := os.Getenv("DIEMTIN_TEST_POSTGRES")
					if base == "" {
						b.Skip("no PostgreSQL: DIEMTIN_TEST_POSTGRES is not set")
					}
					dsn = freshSchema(b, base)
				}
				var a *archive
				run(b, func(b *testing.B) *archive {
					if a == nil {
						a = fill(b, dsn, size)
					}
					return a
				})
				if a != nil {
					a.db.Close()
				}
			})
		}
	}
}

func fill(b *testing.B, dsn string, size int) *archive {
	db, err := store.Open(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	a := &archive{db: db, dsn: dsn}
	if err := a.plain(b).QueryRow(`SELECT coalesce(max(id), 0) FROM items`).Scan(&a.n); err != nil {
		b.Fatal(err)
	}
	outlets, sources := outlets(benchOutlets)
	if err := db.Sync(b.Context(), outlets, sources); err != nil {
		b.Fatal(err)
	}
	for a.n < size {
		d := a.fresh(min(benchDoc, size-a.n))
		start := time.Now()
		a.record(b, d)
		a.longest, a.filled = max(a.longest, time.Since(start)), a.filled+len(d.items)
	}
	return a
}

// when is the time at which the n-th item was published.
func when(n int) time.Time {
	return now.Add(time.Duration(n) * (24 * time.Hour / benchPerDay))
}

// document is what one source carried on one visit.
type document struct {
	source store.Source
	at     time.Time
	items  []store.Item
}

// fresh is the document of the next outlet, with count new items.
func (a *archive) fresh(count int) document {
	outlet := a.n / benchDoc % benchOutlets
	d := document{source: store.Source{ID: fmt.Sprintf("o%d-home", outlet), Outlet: fmt.Sprintf("o%d", outlet)}, at: when(a.n).Add(5 * time.Minute)}
	for range count {
		d.items = append(d.items, synthetic(a.n, outlet))
		a.n++
	}
	d.source.State.Visited = true
	return d
}

func (a *archive) record(b *testing.B, d document) store.Changes {
	c, err := a.db.Record(b.Context(), store.Refresh{Source: d.source, At: d.at, Items: d.items, Settle: func(store.Changes) store.SourceState {
		return store.SourceState{Visited: true, ETag: `"5f3e-62a"`, LastTry: d.at, LastSuccess: d.at, NextAt: d.at.Add(5 * time.Minute),
			Interval: 5 * time.Minute, Outcome: store.New, Why: "as often as it changes", BodyHash: strings.Repeat("0a1b2c3d", 8)}
	}}, sameTitle{})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

var syllables = strings.Fields(`Tỉnh ủy Hưng Yên hội nghị lần thứ mười hai ban chấp hành đảng bộ khóa nhiệm kỳ thành phố
	phòng chống lãng phí thực hiện nghị quyết đầu tư công nông thôn mới giải ngân vốn ngân sách doanh nghiệp sản xuất
	kinh doanh xuất khẩu tăng trưởng giáo dục học sinh bệnh viện người dân đường cao tốc khởi công cầu vượt giao thông an toàn
	lũ lụt mưa bão thời tiết bóng đá đội tuyển vòng chung kết giá vàng thị trường chứng khoán ngày hôm qua sáng nay trong nước thế giới`)

// words are n syllables, about 5.5 bytes each with the space.
func words(r *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(syllables[r.IntN(len(syllables))])
	}
	return b.String()
}

// synthetic is the n-th item of the synthetic press. Two fields that never
// meet, one wide pair (the outlet o1 has nothing on topic 0) and one rare
// (topic and province "hiem"), are what an intersection finds hardest.
func synthetic(n, outlet int) store.Item {
	text := n
	if n%benchCopies == 0 && n > 100 {
		text = n - 97 // another outlet's, some documents ago; itself no copy
	}
	r := rand.New(rand.NewPCG(uint64(text), 7))
	link := fmt.Sprintf("https://o%d.example/tin-tuc/bai-viet-ve-mot-viec-%d.html", outlet, n)
	it := store.Item{Title: words(r, 13), Summary: words(r, 60), Link: link, Published: when(n), Image: link + "/anh.jpg",
		PublishedRaw: when(n).Format(time.RFC1123Z), Authors: []string{words(r, 3)}, Fingerprint: r.Uint64(), Lang: "vi",
		Aliases: []string{fmt.Sprintf("guid:o%d-home:%d", outlet, n), "link:" + link}}
	for range 15 {
		it.Sketch = append(it.Sketch, r.Uint32())
	}
	it.Sketch = append(it.Sketch, r.Uint32N(2000)) // a phrase that many use
	primary := min(r.IntN(23), r.IntN(23))         // some topics are far more frequent
	if outlet == 1 {
		primary = max(primary, 1)
	}
	second := 1 + r.IntN(22)
	if second == primary {
		second = primary%22 + 1
	}
	it.Topics = []store.ItemTopic{topic(primary, 3.5), topic(second, 1)}
	it.Topics[0].Primary = true
	if r.IntN(10) < 7 {
		it.Province = fmt.Sprintf("tinh-%d", r.IntN(34))
	}
	switch n % 1000 {
	case 1:
		it.Topics[1].Topic = "hiem"
	case 501:
		it.Province = "hiem"
	}
	return it
}

func topic(n int, score float64) store.ItemTopic {
	return store.ItemTopic{Topic: store.Topic(fmt.Sprintf("chuyen-muc-%d", n)), Score: score, Reasons: []store.Phrase{
		{Text: "phòng chống lãng phí", Place: "title", Weight: score / 2}, {Text: "nghị quyết", Place: "summary", Weight: score / 2}}}
}

// plain is a connection of its own to the archive.
func (a *archive) plain(b *testing.B) *sql.DB {
	driver, dsn := "pgx", a.dsn
	if path, ok := strings.CutPrefix(a.dsn, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return db
}

// onDisk is what the database takes, in bytes.
func (a *archive) onDisk(b *testing.B) float64 {
	query := `SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind = 'r'`
	if strings.HasPrefix(a.dsn, "sqlite:") {
		query = `SELECT page_size * page_count FROM pragma_page_size, pragma_page_count`
	}
	var bytes float64
	if err := a.plain(b).QueryRow(query).Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	return bytes
}

// BenchmarkStore measures a filled archive: what filling it cost an item and
// took on the disk, then single visits and reads.
func BenchmarkStore(b *testing.B) {
	benchmarkArchives(b, func(b *testing.B, get func(*testing.B) *archive) {
		b.Run("fill", func(b *testing.B) {
			var a *archive
			cpu := cpuTime()
			for b.Loop() {
				a = get(b)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(a.filled, 1)), "ns/item")
			b.ReportMetric(float64(cpuTime()-cpu)/float64(max(a.filled, 1)), "cpu-ns/item")
			b.ReportMetric(a.onDisk(b)/float64(a.n), "disk-B/item")
			b.ReportMetric(float64(a.n), "items")
			b.ReportMetric(float64(a.longest.Milliseconds()), "longest-ms")
		})
		b.Run("visit", func(b *testing.B) { benchmarkVisits(b, get) })
		b.Run("post", func(b *testing.B) { benchmarkPosts(b, get) })
		b.Run("read", func(b *testing.B) { benchmarkReads(b, get) })
	})
}

// measured runs op as a benchmark and reports the processor time that it took
// in all threads: on a busy machine it says more than the clock.
func measured(b *testing.B, op func()) {
	b.ReportAllocs()
	cpu := cpuTime()
	for b.Loop() {
		op()
	}
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
}

func benchmarkVisits(b *testing.B, get func(*testing.B) *archive) {
	b.Run("no-items", func(b *testing.B) {
		a := get(b)
		d := a.fresh(0)
		measured(b, func() { a.record(b, d) })
	})
	b.Run("all-known", func(b *testing.B) {
		a := get(b)
		d := a.fresh(benchDoc)
		a.record(b, d)
		measured(b, func() {
			if c := a.record(b, d); c.Same != benchDoc {
				b.Fatalf("changed %+v", c)
			}
		})
	})
	b.Run("1-new-of-30", func(b *testing.B) {
		a := get(b)
		d := a.fresh(benchDoc)
		a.record(b, d)
		measured(b, func() {
			next := a.fresh(1)
			d.at, d.items = next.at, append(append([]store.Item(nil), ownedBy(d.source, next.items)...), d.items[:benchDoc-1]...)
			if c := a.record(b, d); c.New != 1 {
				b.Fatalf("changed %+v", c)
			}
		})
	})
	b.Run("30-new", func(b *testing.B) {
		a := get(b)
		measured(b, func() {
			if c := a.record(b, a.fresh(benchDoc)); c.New != benchDoc {
				b.Fatalf("changed %+v", c)
			}
		})
	})
}

// benchmarkPosts is what 30 new items cost when someone is subscribed to the
// hub, who is told twice a second, and when ten channels of words have archives.
// The archive is left as it was.
func benchmarkPosts(b *testing.B, get func(*testing.B) *archive) {
	visit := func(a *archive) func() {
		return func() {
			if c := a.record(b, a.fresh(benchDoc)); c.New != benchDoc {
				b.Fatalf("changed %+v", c)
			}
		}
	}
	b.Run("plain", func(b *testing.B) { measured(b, visit(get(b))) })
	b.Run("hub", func(b *testing.B) {
		a := get(b)
		subscribed(b, a.db, "http://self.example/feed.atom", "http://reader.example/in")
		everything := func(string) ([]string, bool) { return []string{"all"}, true }
		next := time.Now()
		measured(b, func() {
			visit(a)()
			if time.Now().After(next) {
				next = time.Now().Add(500 * time.Millisecond)
				if _, err := a.db.FanOutHub(b.Context(), everything, now, func() string { return "" }); err != nil {
					b.Fatal(err)
				}
			}
		})
		none := func(string) ([]string, bool) { return nil, false }
		visit(a)()
		if _, err := a.db.FanOutHub(b.Context(), none, now, func() string { return "" }); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("channels", func(b *testing.B) {
		a := get(b)
		var channels []store.ArchiveChannel
		for i := range 10 {
			channels = append(channels, store.ArchiveChannel{ID: fmt.Sprint(i), Selection: store.Selection{
				Words: store.Words{Any: []store.Term{store.TermOf(fmt.Sprint("khongcodau", i))}, Not: []store.Term{store.TermOf("khong co")}}}})
		}
		if err := a.db.SyncArchives(b.Context(), channels); err != nil {
			b.Fatal(err)
		}
		measured(b, visit(a))
		if err := a.db.SyncArchives(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	})
}

// ownedBy gives items another outlet's aliases, which are its own.
func ownedBy(s store.Source, items []store.Item) []store.Item {
	for i := range items {
		items[i].Aliases = []string{"guid:" + s.ID + ":" + items[i].Aliases[0], items[i].Aliases[1]}
	}
	return items
}

func benchmarkReads(b *testing.B, get func(*testing.B) *archive) {
	common, province := []store.Topic{"chuyen-muc-1"}, []string{"tinh-3"}
	many := make([]store.Topic, 23)
	for i := range many {
		many[i] = store.Topic(fmt.Sprintf("chuyen-muc-%d", i))
	}
	reads := []struct {
		name        string
		sel         store.Selection
		least, most int // how many are found
	}{
		{"all", store.Selection{}, 50, 50},
		{"topic", store.Selection{Topics: common}, 50, 50},
		{"topics=3", store.Selection{Topics: many[:3]}, 50, 50},
		{"topics=23", store.Selection{Topics: many}, 50, 50},
		{"topic-in-province", store.Selection{Topics: common, Provinces: province}, 1, 50},
		{"topics=23-in-provinces=3", store.Selection{Topics: many, Provinces: []string{"tinh-3", "tinh-4", "tinh-5"}}, 50, 50},
		{"rare-topic-in-province", store.Selection{Topics: []store.Topic{"hiem"}, Provinces: province}, 0, 50},
		{"rare-never-meet", store.Selection{Topics: []store.Topic{"hiem"}, Provinces: []string{"hiem"}}, 0, 0},
		{"wide-never-meet", store.Selection{Topics: many[:1], Outlets: []string{"o1"}}, 0, 0},
	}
	for _, r := range reads {
		b.Run("stories/"+r.name, func(b *testing.B) {
			a := get(b)
			measured(b, func() {
				all, err := a.db.Stories(b.Context(), store.Query{Selection: r.sel, Limit: 50})
				if err != nil || len(all) < r.least || len(all) > r.most {
					b.Fatalf("%d stories, %v", len(all), err)
				}
			})
		})
	}
	b.Run("stories/topic-deep-page", func(b *testing.B) {
		a := get(b)
		deep := store.Cursor{At: when(a.n / 2), ID: "m"}
		measured(b, func() {
			all, err := a.db.Stories(b.Context(), store.Query{Selection: store.Selection{Topics: common}, Order: store.ByPublished, Before: deep, Limit: 50})
			if err != nil || len(all) != 50 {
				b.Fatalf("%d stories, %v", len(all), err)
			}
		})
	})
	day := store.DayOf(when(5000))
	b.Run("revision", func(b *testing.B) {
		a := get(b)
		measured(b, func() {
			if r, err := a.db.Revision(b.Context(), store.Selection{Topics: common}); err != nil || r.N == 0 {
				b.Fatalf("revision %v, %v", r, err)
			}
		})
	})
	b.Run("neighbours", func(b *testing.B) {
		a := get(b)
		measured(b, func() {
			if prev, next, err := a.db.Neighbours(b.Context(), store.Selection{Topics: common}, day); err != nil || prev+next == "" {
				b.Fatalf("neighbours %q %q, %v", prev, next, err)
			}
		})
	})
	b.Run("leading", func(b *testing.B) {
		a := get(b)
		measured(b, func() {
			if leads, err := a.db.Leading(b.Context(), when(a.n).Add(-24*time.Hour), 60); err != nil || len(leads) == 0 {
				b.Fatalf("%d leading stories, %v", len(leads), err)
			}
		})
	})
	b.Run("day-counts", func(b *testing.B) {
		a := get(b)
		last := store.DayOf(when(a.n))
		first := store.DayOf(last.Start().AddDate(0, 0, -30))
		measured(b, func() {
			if counts, ok, err := a.db.DayCounts(b.Context(), store.Selection{}, first, last); err != nil || !ok || len(counts) == 0 {
				b.Fatalf("%d days counted, %v", len(counts), err)
			}
		})
	})
	b.Run("story-and-copies", func(b *testing.B) { benchmarkStories(b, get(b)) })
}

// benchmarkStories reads stories from all over the archive, as readers who
// come from a search engine do.
func benchmarkStories(b *testing.B, a *archive) {
	r := rand.New(rand.NewPCG(1, 2))
	var ids []string
	for range 200 {
		found, err := a.db.Stories(b.Context(), store.Query{Order: store.ByPublished, Before: store.Cursor{At: when(1 + r.IntN(a.n)), ID: "m"}, Limit: 1})
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range found {
			ids = append(ids, s.ID)
		}
	}
	i := 0
	measured(b, func() {
		id := ids[i%len(ids)]
		i++
		if _, err := a.db.Story(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		if copies, err := a.db.Copies(b.Context(), id); err != nil || len(copies) == 0 {
			b.Fatalf("%d copies, %v", len(copies), err)
		}
	})
}
