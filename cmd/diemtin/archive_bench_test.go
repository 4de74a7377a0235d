//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"diemtin/aggregator"
	"diemtin/aggregator/vi"
	"diemtin/store"
)

// What the archive is made of. Headlines and leads are as long as those of
// 8,000 Vietnamese articles: 13 and 37 syllables.
const (
	archiveOutlets  = 40
	archivePerDay   = 10_000 // items, about what 300 outlets publish
	archiveDoc      = 30     // items of a document
	archiveCopies   = 5      // every fifth item is another outlet's text
	archiveCopyBack = 97     // a copy comes so many items after its original; no copy itself
	archiveTitle    = 13     // syllables
	archiveSummary  = 37
)

// archiveBegin is when the first item was published: long enough ago that a
// million are of the past, and always the same, so that a kept archive is too.
var archiveBegin = time.Date(2024, 6, 1, 0, 0, 0, 0, store.Zone)

// archive is a database filled through Record, with a configuration that reads
// it and visits nobody.
type archive struct {
	dsn, config string
	size        int     // items
	filled      int     // of these by this run
	fillCPU     float64 // ms of processor time that one of the last 10,000 took, 0 if none was stored
}

func (a *archive) path() string { return strings.TrimPrefix(a.dsn, "sqlite:") }

// openArchive fills an archive of as many items as DIEMTIN_BENCH_ITEMS says
// (50,000), in the folder DIEMTIN_BENCH_DIR if that is given: a later run finds
// it there, and goes on with one that is not full.
func openArchive(b *testing.B) *archive {
	dir, size := os.Getenv("DIEMTIN_BENCH_DIR"), 50_000
	if dir == "" {
		dir = b.TempDir()
	}
	if n, err := strconv.Atoi(os.Getenv("DIEMTIN_BENCH_ITEMS")); err == nil {
		size = n
	}
	a := &archive{dsn: "sqlite:" + filepath.Join(dir, fmt.Sprintf("site-%d.db", size)), config: filepath.Join(dir, "site.yaml")}
	if err := os.WriteFile(a.config, []byte(archiveConfig()), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := a.fill(b.Context(), size, b.Logf); err != nil {
		b.Fatalf("fill an archive: %v", err)
	}
	return a
}

// archiveConfig has the shipped topics and channels, and outlets of which one
// in five is of a province.
func archiveConfig() string {
	var b strings.Builder
	b.WriteString("site: {title: Điểm tin, base_url: \"https://tin.example.vn\"}\nlimits: {allow_private: true}\noutlets:\n")
	places := presentPlaces()
	for i := range archiveOutlets {
		scope := "scope: national"
		if i%5 == 4 {
			scope = "scope: provincial, province: " + places[i%len(places)]
		}
		fmt.Fprintf(&b, "  - {id: bao%d, name: Báo Số %d, domains: [bao%d.example], %s, rank: %d, show: summary, sources: [{id: bao%d, url: \"http://127.0.0.1:9/bao%d.rss\"}]}\n",
			i, i, i, scope, 3+i%4, i, i)
	}
	return b.String()
}

func presentPlaces() (ids []string) {
	for _, p := range vi.Provinces() {
		if p.Into == "" {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// fill stores what an archive of size lacks.
func (a *archive) fill(ctx context.Context, size int, logf func(string, ...any)) error {
	cfg, err := loadConfig(a.config)
	if err != nil {
		return err
	}
	db, err := openStore(ctx, a.dsn, cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	plain, err := sql.Open("sqlite", "file:"+a.path()+"?_pragma=busy_timeout(60000)")
	if err != nil {
		return err
	}
	defer plain.Close()
	if err := plain.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM items`).Scan(&a.size); err != nil {
		return err
	}
	w := newArchiveWriter(cfg)
	ctx, stop := context.WithCancel(ctx)
	visits := make(chan store.Refresh, 8)
	defer func() {
		stop()
		for range visits {
		}
	}()
	go func(n int) {
		defer close(visits)
		for ; n < size && ctx.Err() == nil; n += archiveDoc {
			select {
			case visits <- w.visit(n, min(archiveDoc, size-n)):
			case <-ctx.Done():
			}
		}
	}(a.size)
	start, cpu, from := time.Now(), ownTime(), a.size
	for v := range visits {
		if _, err := db.Record(ctx, v, w.judge); err != nil {
			return err
		}
		if a.size, a.filled = a.size+len(v.Items), a.filled+len(v.Items); a.size/archivePerDay == (a.size-len(v.Items))/archivePerDay && a.size < size {
			continue
		}
		if err := endDay(ctx, plain); err != nil {
			return err
		}
		a.fillCPU = float64((ownTime() - cpu).Microseconds()) / 1000 / float64(a.size-from)
		logf("%d items, %.2f ms of processor an item, %.0f items a second", a.size, a.fillCPU, float64(a.size-from)/time.Since(start).Seconds())
		start, cpu, from = time.Now(), ownTime(), a.size
	}
	return nil
}

// endDay leaves of a day what stands once its archives are sealed and its pages
// have been asked for: making a million stories' documents would take longer than
// the rest, and they are not counted.
func endDay(ctx context.Context, plain *sql.DB) error {
	_, sealed := plain.ExecContext(ctx, `DELETE FROM unsealed`)
	_, asked := plain.ExecContext(ctx, `UPDATE items SET check_at = 0 WHERE check_at > 0`)
	return errors.Join(sealed, asked)
}

// archiveWriter makes the items of the archive, each prepared for the judge.
type archiveWriter struct {
	judge     *aggregator.Judge
	topics    []store.Topic
	places    []string
	syllables []string // the most frequent first
}

func newArchiveWriter(cfg *config) *archiveWriter {
	w := &archiveWriter{judge: aggregator.NewJudge(aggregator.NewNames(cfg.aggregate.StoreOutlets())), places: presentPlaces()}
	for _, t := range cfg.syndicate.Topics {
		w.topics = append(w.topics, t.ID)
	}
	onsets := strings.Fields("t c h ch nh th tr đ b l m ng v kh ph s gi d x n qu r g")
	rimes := strings.Fields("ông à ác ình ại ược ơn ành ên ới ủa ó ăm ày ính ất ở ột iệc ương uyền ảng ội iện uất oanh ẫn ích úc ập uân ưởng ảo ều ôn ừa ấp ậm òa iến ạch ưu ẩm ộc")
	for i := range len(onsets) * len(rimes) {
		w.syllables = append(w.syllables, onsets[i%len(onsets)]+rimes[(i+i/len(onsets))%len(rimes)])
	}
	return w
}

// text is n syllables, as frequent as Zipf's law has those of news.
func (w *archiveWriter) text(r *rand.Rand, n int) string {
	zipf := rand.NewZipf(r, 1.1, 8, uint64(len(w.syllables)-1))
	var b strings.Builder
	for i := range n {
		s := w.syllables[zipf.Uint64()]
		if i == 0 {
			first, size := utf8.DecodeRuneInString(s)
			s = strings.ToUpper(string(first)) + s[size:]
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}

func archiveTime(n int) time.Time {
	return archiveBegin.Add(time.Duration(n) * (24 * time.Hour / archivePerDay))
}

// visit is the document that brings the items from n on.
func (w *archiveWriter) visit(n, count int) store.Refresh {
	outlet := n / archiveDoc % archiveOutlets
	id := fmt.Sprintf("bao%d", outlet)
	at := archiveTime(n + count).Add(5 * time.Minute)
	v := store.Refresh{Source: store.Source{ID: id, Outlet: id, State: store.SourceState{Visited: true}}, At: at,
		Settle: func(store.Changes) store.SourceState {
			return store.SourceState{Visited: true, LastTry: at, LastSuccess: at, Outcome: store.New, NextAt: archiveBegin.AddDate(100, 0, 0)}
		}}
	for i := range count {
		v.Items = append(v.Items, w.item(n+i, id))
		w.judge.Prepare(&v.Items[i])
	}
	return v
}

func (w *archiveWriter) item(n int, outlet string) store.Item {
	of := n
	if n%archiveCopies == 0 && n > archiveCopyBack {
		of = n - archiveCopyBack
	}
	r := rand.New(rand.NewPCG(uint64(of), 11))
	link := fmt.Sprintf("https://%s.example/tin-tuc/bai-viet-ve-mot-viec-%d.html", outlet, n)
	it := store.Item{Title: w.text(r, archiveTitle), Summary: w.text(r, archiveSummary) + ".", Link: link, Image: link + "/anh.jpg", Lang: "vi",
		Published: archiveTime(n), PublishedRaw: archiveTime(n).Format(time.RFC1123Z), Fingerprint: r.Uint64(),
		Aliases: []string{"guid:" + outlet + ":" + link, "link:" + aggregator.LinkKey(link)}}
	first := min(r.IntN(len(w.topics)), r.IntN(len(w.topics))) // some are far more frequent
	second := (first + 1 + r.IntN(len(w.topics)-1)) % len(w.topics)
	it.Topics = []store.ItemTopic{
		{Topic: w.topics[first], Score: 3.5, Primary: true, Reasons: []store.Phrase{
			{Text: "phòng chống lãng phí", Place: "title", Weight: 2}, {Text: "nghị quyết", Place: "summary", Weight: 1.5}}},
		{Topic: w.topics[second], Score: 2, Reasons: []store.Phrase{{Text: "sản xuất kinh doanh", Place: "summary", Weight: 2}}}}
	if r.IntN(10) < 4 {
		it.Province = w.places[r.IntN(len(w.places))]
	}
	return it
}
