package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// press makes texts whose words are as frequent as those of news: by Zipf's
// law over 3,000 syllables, 57 a story.
type press struct {
	rng   *rand.Rand
	words []string
	zipf  *rand.Zipf
}

func newPress() *press {
	p := &press{rng: rand.New(rand.NewPCG(1, 2))}
	for i := range 3000 {
		p.words = append(p.words, string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/676)}))
	}
	p.zipf = rand.NewZipf(p.rng, 1.1, 8, uint64(len(p.words)-1))
	return p
}

func (p *press) text(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(p.words[p.zipf.Uint64()])
		b.WriteByte(' ')
	}
	return b.String()
}

// BenchmarkSearch asks an index of as many stories as DIEMTIN_BENCH_ITEMS says
// (50,000), entered one after another; ms/story is what entering the words of
// one costs, with its row of stories.
func BenchmarkSearch(b *testing.B) {
	size := 50_000
	if more := os.Getenv("DIEMTIN_BENCH_ITEMS"); more != "" {
		size, _ = strconv.Atoi(more)
	}
	dsns := map[string]string{"sqlite": "sqlite:" + filepath.Join(b.TempDir(), "search.db")}
	if base := os.Getenv("DIEMTIN_TEST_POSTGRES"); base != "" {
		dsns["postgres"] = base
	}
	for engine, dsn := range dsns {
		db, err := Open(b.Context(), dsn)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		p, start, bytes := newPress(), time.Now(), 0
		var indexing time.Duration
		for n := 0; n < size; {
			err := db.do(b.Context(), batchItems, func(t *tx) error {
				for range min(batchItems, size-n) {
					n++
					title, summary := p.text(12), p.text(45)
					id := fmt.Sprintf("s%012d", n)
					if err := t.exec(`INSERT INTO items (`+itemColumns+`, check_at) VALUES ($1, 'o', '', $2, $3, '', $4, '', '', '', '', '', '', 0, '', 0, 0, '', '', '', 0, '', 0, '', 0, 0)`, n, id, title, summary); err != nil {
						return err
					}
					if err := t.exec(`INSERT INTO stories (id, list_at, hold_until, listed, updated, shown, quoted, original, original_why, topics, province, backfill, copies)
						VALUES ($1, 0, 0, $2, $2, $2, $2, $2, '', '[]', '', 0, 1)`, id, n); err != nil {
						return err
					}
					for _, table := range []string{"by_listed", "by_published"} {
						if err := t.exec(`INSERT INTO `+table+` (scope, at, story) VALUES ('all', $1, $2)`, n, id); err != nil {
							return err
						}
					}
					if n%100 == 0 {
						if err := t.exec(`INSERT INTO by_listed (scope, at, story) VALUES ('topic:rare', $1, $2)`, n, id); err != nil {
							return err
						}
					}
					began := time.Now()
					if err := t.enterWords(id); err != nil {
						return err
					}
					indexing += time.Since(began)
					bytes += len(title) + len(summary)
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.Logf("%s: %d stories in %v, %.3f ms of each for its words", engine, size, time.Since(start).Round(time.Second), indexing.Seconds()*1000/float64(size))
		if engine == "sqlite" {
			var n int64
			if err := db.engine.read.QueryRow(`SELECT sum(length(block)) FROM search_data`).Scan(&n); err == nil {
				b.Logf("%s: the index has %d bytes a story", engine, n/int64(size))
			}
		} else if _, err := db.engine.write.Exec(`ANALYZE`); err != nil {
			b.Fatal(err)
		}
		w := p.words
		for _, q := range []struct {
			name   string
			search string
			sel    Selection
		}{
			{"common", w[0], Selection{}},
			{"two common", w[0] + " " + w[1], Selection{}},
			{"three middling", w[100] + " " + w[150] + " " + w[200], Selection{}},
			{"rare", w[2900], Selection{}},
			{"two rare", w[2900] + " " + w[2990], Selection{}},
			{"common phrase", `"` + w[0] + " " + w[1] + `"`, Selection{}},
			{"rare phrase of common words", `"` + w[20] + " " + w[0] + " " + w[1] + " " + w[21] + `"`, Selection{}},
			{"absent", "khongcodau", Selection{}},
			{"common without the commonest", w[5] + " -" + w[0] + " -" + w[1] + " -" + w[2], Selection{}},
			{"common in a rare topic", w[0], Selection{Topics: []Topic{"rare"}}},
			{"rare in a rare topic", w[2900], Selection{Topics: []Topic{"rare"}}},
			{"eight common", strings.Join(w[:8], " "), Selection{}},
		} {
			q.sel.Words, err = ParseWords(q.search)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(engine+"/"+strings.ReplaceAll(q.name, " ", "_"), func(b *testing.B) {
				found := 0
				for b.Loop() {
					all, err := db.walk(b.Context(), q.sel, window{table: "by_listed", limit: 51})
					if err != nil {
						b.Fatal(err)
					}
					found = len(all)
				}
				b.ReportMetric(float64(found), "found")
			})
		}
		benchmarkChannels(b, engine, db, w)
	}
}

// benchmarkChannels takes the archive of everything for that of a channel: what
// a new channel finds of it, once, and what a current feed looks at that holds
// hardly anything of the last 10,000 stories, at each rendering.
func benchmarkChannels(b *testing.B, engine string, db *DB, w []string) {
	word := func(i int) Words { return Words{All: []Term{{w[i]}}} }
	for name, sel := range map[string]Selection{"common word": {Words: word(0)}, "rare word": {Words: word(2900)}, "language": {Languages: []string{"en"}}} {
		b.Run(engine+"/new_channel_"+strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				if err := db.do(b.Context(), 1, func(t *tx) error {
					all, err := t.members(ArchiveChannel{ID: "c", Selection: sel})
					b.ReportMetric(float64(len(all)), "found")
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run(engine+"/current_feed_of_a_language", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Stories(b.Context(), Query{Selection: Selection{Languages: []string{"en"}}, Limit: 50, Since: fromMillis(1), Record: "channel:c"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
